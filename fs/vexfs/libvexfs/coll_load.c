// SPDX-License-Identifier: GPL-2.0
/*
 * Loading a checkpoint. Nothing that is read is believed: not how much memory
 * it takes, not where chunks are, not what is in them. Damage to what only
 * the index needs costs an indexing of all rows, damage to the ids the
 * collection.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include "coll_priv.h"

/* Bytes of a directory: as many chunks as a file can have. */
#define VEXFS_DIR_MAX \
	(sizeof(struct vexfs_ckpt_dir) + \
	 (u64)VEXFS_MAX_CHUNKS * sizeof(struct vexfs_ckpt_chunk))

/* Memory is only taken for what the fork is long enough to hold. */
static int vexfs_fork_probe(struct vexfs_coll *coll, u64 end)
{
	u8 byte;

	return coll->io->fork_read(coll->priv, VEXFS_FORK_INDEX, end - 1,
				   &byte, 1);
}

static int vexfs_dir_verify(const struct vexfs_coll *coll,
			    const struct vexfs_ckpt_dir *dir, u32 len,
			    const struct vexfs_coll_header *ch)
{
	u32 nchunks = le32_to_cpu(dir->cd_nchunks);

	if (le32_to_cpu(dir->cd_magic) != VEXFS_MAGIC_CKPT ||
	    le32_to_cpu(dir->cd_version) != 1 ||
	    le64_to_cpu(dir->cd_owner) != coll->cfg.owner ||
	    dir->cd_log_seq != ch->ch_ckpt_log_seq)
		return -EFSCORRUPTED;
	if (le64_to_cpu(dir->cd_slots) > le64_to_cpu(ch->ch_slots) ||
	    le32_to_cpu(dir->cd_nsections) != vexfs_ckpt_sections(coll))
		return -EFSCORRUPTED;
	if (nchunks > VEXFS_MAX_CHUNKS ||
	    len != sizeof(*dir) + nchunks * sizeof(struct vexfs_ckpt_chunk))
		return -EFSCORRUPTED;
	return 0;
}

static struct vexfs_ckpt_dir *
vexfs_dir_read(struct vexfs_coll *coll, const struct vexfs_coll_header *ch)
{
	u64 off = le64_to_cpu(ch->ch_ckpt_off);
	u32 len = le32_to_cpu(ch->ch_ckpt_len);
	struct vexfs_ckpt_dir *dir;
	int err;

	if (off % VEXFS_CHUNK_SIZE ||
	    off >= (u64)VEXFS_MAX_CHUNKS * VEXFS_CHUNK_SIZE ||
	    len < sizeof(*dir) || len > VEXFS_DIR_MAX)
		return ERR_PTR(-EFSCORRUPTED);
	err = vexfs_fork_probe(coll, off + len);
	if (err)
		return ERR_PTR(err);
	dir = kvmalloc(len, VEXFS_GFP);
	if (!dir)
		return ERR_PTR(-ENOMEM);
	err = coll->io->fork_read(coll->priv, VEXFS_FORK_INDEX, off, dir, len);
	if (!err && vexfs_crc32c(coll->cfg.csum_seed, dir, len) !=
		    le32_to_cpu(ch->ch_ckpt_csum))
		err = -EFSBADCRC;
	if (!err)
		err = vexfs_dir_verify(coll, dir, len, ch);
	if (!err)
		return dir;
	kvfree(dir);
	return ERR_PTR(err);
}

/* Bytes that a section of this size has to have at most. */
static u64 vexfs_section_most(const struct vexfs_coll *coll, u32 sect,
			      u64 slots)
{
	u64 bytes = (u64)vexfs_ckpt_items(coll, sect, (u32)slots) *
		    vexfs_ckpt_item_size(coll, sect);

	return sect == VEXFS_CK_UPPER ? bytes * VEXFS_GRAPH_MAX_LEVEL : bytes;
}

static int vexfs_section_verify(const struct vexfs_coll *coll, u32 sect,
				const struct vexfs_ckpt_dir *dir,
				const struct vexfs_ckpt_section *cs, u32 first)
{
	u64 most = vexfs_section_most(coll, sect, le64_to_cpu(dir->cd_slots));
	u64 bytes = le64_to_cpu(cs->cs_bytes);
	u32 size = le32_to_cpu(cs->cs_item_size);

	if (le32_to_cpu(cs->cs_type) != vexfs_ckpt_types[sect] ||
	    le32_to_cpu(cs->cs_version) != VEXFS_GRAPH_SECT_VERSION ||
	    size != vexfs_ckpt_item_size(coll, sect))
		return -EFSCORRUPTED;
	if (bytes > most || (sect != VEXFS_CK_UPPER && bytes != most) ||
	    (u32)(bytes % size))
		return -EFSCORRUPTED;
	if (le32_to_cpu(cs->cs_first_chunk) != first ||
	    le32_to_cpu(cs->cs_nchunks) != (bytes + VEXFS_CHUNK_SIZE - 1) /
					   VEXFS_CHUNK_SIZE ||
	    le32_to_cpu(cs->cs_nchunks) > le32_to_cpu(dir->cd_nchunks) - first)
		return -EFSCORRUPTED;
	return 0;
}

static int vexfs_dir_sections(struct vexfs_coll *coll,
			      const struct vexfs_ckpt_dir *dir)
{
	const struct vexfs_ckpt_chunk *ck = (const void *)(dir + 1);
	const struct vexfs_ckpt_section *cs = dir->cd_section;
	struct vexfs_ckpt_map *m;
	u32 i, first = 0;
	int err;

	for (i = 0; i < VEXFS_CK_NR; i++) {
		if (!vexfs_ckpt_has(coll, i))
			continue;
		err = vexfs_section_verify(coll, i, dir, cs, first);
		if (err)
			return err;
		m = &coll->ckpt.map[i];
		m->bytes = le64_to_cpu(cs->cs_bytes);
		m->nchunks = le32_to_cpu(cs->cs_nchunks);
		m->chunk = kvmalloc_array(max(m->nchunks, 1u), sizeof(*ck),
					  VEXFS_GFP);
		if (!m->chunk)
			return -ENOMEM;
		memcpy(m->chunk, ck + first, m->nchunks * sizeof(*ck));
		first += m->nchunks;
		cs++;
	}
	return first == le32_to_cpu(dir->cd_nchunks) ? 0 : -EFSCORRUPTED;
}

/* Where the last byte of all chunks is, by what the directory says. */
static int vexfs_ckpt_extent(const struct vexfs_coll *coll, u64 *end)
{
	u32 i, c, pos;
	u64 at;

	*end = coll->ckpt.off + coll->ckpt.len;
	for (i = 0; i < VEXFS_CK_NR; i++) {
		const struct vexfs_ckpt_map *m = &coll->ckpt.map[i];

		for (c = 0; c < m->nchunks; c++) {
			pos = le32_to_cpu(m->chunk[c].ck_pos);
			if (pos >= VEXFS_MAX_CHUNKS)
				return -EFSCORRUPTED;
			at = (u64)pos * VEXFS_CHUNK_SIZE +
			     vexfs_chunk_len(m->bytes, c);
			*end = max(*end, at);
		}
	}
	return 0;
}

static int vexfs_chunk_claim(struct vexfs_coll *coll, u32 pos)
{
	if (pos >= coll->chunk_bits || test_bit(pos, coll->chunk_used))
		return -EFSCORRUPTED;
	__set_bit(pos, coll->chunk_used);
	return 0;
}

/* Notes which chunks are in use; each may be used once. */
static int vexfs_ckpt_claim(struct vexfs_coll *coll, u64 end)
{
	u32 i, c;
	int err = 0;

	coll->chunk_bits = round_up(vexfs_chunks(end), BITS_PER_LONG);
	coll->chunk_used = kvcalloc(BITS_TO_LONGS(coll->chunk_bits),
				    sizeof(long), VEXFS_GFP);
	if (!coll->chunk_used)
		return -ENOMEM;
	for (c = 0; !err && c < vexfs_chunks(coll->ckpt.len); c++)
		err = vexfs_chunk_claim(coll, coll->ckpt.off /
					VEXFS_CHUNK_SIZE + c);
	for (i = 0; i < VEXFS_CK_NR; i++) {
		const struct vexfs_ckpt_map *m = &coll->ckpt.map[i];

		for (c = 0; !err && c < m->nchunks; c++)
			err = vexfs_chunk_claim(coll,
						le32_to_cpu(m->chunk[c].ck_pos));
	}
	return err;
}

int vexfs_chunk_read(struct vexfs_coll *coll, const struct vexfs_ckpt_map *m,
		     u32 c, void *buf)
{
	u32 len = vexfs_chunk_len(m->bytes, c);
	u64 pos = le32_to_cpu(m->chunk[c].ck_pos);
	int err;

	cond_resched();
	err = coll->io->fork_read(coll->priv, VEXFS_FORK_INDEX,
				  pos * VEXFS_CHUNK_SIZE, buf, len);
	if (!err && vexfs_crc32c(coll->cfg.csum_seed, buf, len) !=
		    le32_to_cpu(m->chunk[c].ck_csum))
		err = -EFSBADCRC;
	return err;
}

int vexfs_load_arena(struct vexfs_coll *coll, u32 sect, void *buf)
{
	struct vexfs_arena *a = vexfs_ckpt_arena(coll, sect);
	const struct vexfs_ckpt_map *m = &coll->ckpt.map[sect];
	u32 c;
	int err = 0;

	for (c = 0; !err && c < m->nchunks; c++) {
		err = vexfs_chunk_read(coll, m, c, buf);
		if (!err)
			vexfs_arena_write(a, (u64)c * VEXFS_CHUNK_SIZE, buf,
					  vexfs_chunk_len(m->bytes, c));
	}
	return err;
}

static bool vexfs_flags_valid(const struct vexfs_coll *coll, u8 f)
{
	if (f & ~VEXFS_SLOT_ON_DISK)
		return false;
	if (f & VEXFS_SLOT_INDEXED && !vexfs_coll_holds(coll))
		return false;
	return !(f & VEXFS_SLOT_LIVE && f & VEXFS_SLOT_SCRUB);
}

/* The slots as the flags say, each live one with an id of its own. */
static int vexfs_load_slots(struct vexfs_coll *coll)
{
	u32 slot, live = 0;
	u64 id;
	int err;
	u8 f;

	for (slot = 0; slot < coll->slots; slot++) {
		f = vexfs_coll_flags(coll, slot);
		if (!vexfs_flags_valid(coll, f))
			return -EFSCORRUPTED;
		live += f & VEXFS_SLOT_LIVE;
	}
	err = vexfs_idmap_reserve(&coll->map, live);
	if (err)
		return err;
	for (slot = 0; slot < coll->slots; slot++) {
		if (!vexfs_coll_is_live(coll, slot))
			continue;
		id = vexfs_coll_id(coll, slot);
		if (id == U64_MAX ||
		    vexfs_idmap_find(&coll->map, id) != VEXFS_NO_SLOT)
			return -EFSCORRUPTED;
		vexfs_idmap_insert(&coll->map, slot);
		if (!(slot & 0xffff))
			cond_resched();
	}
	coll->live = live;
	return 0;
}

/* Without an index: nothing is in it, and none of its chunks can be shared. */
static int vexfs_load_damaged(struct vexfs_coll *coll)
{
	u32 slot, i;
	int err;

	coll->damaged = true;
	vexfs_coll_index_free(coll);
	err = vexfs_coll_index_init(coll);
	if (!err && coll->ops->reserve)
		err = coll->ops->reserve(coll, coll->cap);
	if (err)
		return err;
	for (slot = 0; slot < coll->slots; slot++)
		vexfs_coll_set_flags(coll, slot, VEXFS_SLOT_INDEXED, 0);
	/* Their chunks stay taken until the next time it is opened */
	for (i = VEXFS_CK_FLAGS + 1; i < VEXFS_CK_NR; i++) {
		kvfree(coll->ckpt.map[i].chunk);
		memset(&coll->ckpt.map[i], 0, sizeof(coll->ckpt.map[i]));
	}
	return 0;
}

/* Live rows that the index lacks are for the index to take in. */
static void vexfs_load_pending(struct vexfs_coll *coll)
{
	u32 slot;
	u8 f;

	for (slot = 0; slot < coll->slots; slot++) {
		f = vexfs_coll_flags(coll, slot);
		if (f & VEXFS_SLOT_LIVE && !(f & VEXFS_SLOT_INDEXED)) {
			vexfs_coll_set_flags(coll, slot, 0,
					     VEXFS_SLOT_PENDING);
			coll->waiting++;
		}
	}
}

static int vexfs_load_index(struct vexfs_coll *coll,
			    const struct vexfs_ckpt_dir *dir, void *buf)
{
	u32 i;
	int err;

	err = coll->ops->load(coll, dir, buf);
	for (i = 0; i < VEXFS_CK_NR; i++) {
		if (vexfs_ckpt_has(coll, i) && i != VEXFS_CK_UPPER)
			vexfs_arena_set_all_dirty(vexfs_ckpt_arena(coll, i),
						  false);
	}
	if (err && err != -ENOMEM)
		err = vexfs_load_damaged(coll);
	if (!err)
		vexfs_load_pending(coll);
	return err;
}

static int vexfs_load_sections(struct vexfs_coll *coll,
			       const struct vexfs_ckpt_dir *dir)
{
	void *buf = kvmalloc(VEXFS_CHUNK_SIZE, VEXFS_GFP);
	int err;

	if (!buf)
		return -ENOMEM;
	err = vexfs_coll_grow(coll, coll->slots);
	if (!err)
		err = vexfs_load_arena(coll, VEXFS_CK_IDS, buf);
	if (!err)
		err = vexfs_load_arena(coll, VEXFS_CK_FLAGS, buf);
	if (!err)
		err = vexfs_load_slots(coll);
	if (!err && vexfs_coll_holds(coll))
		err = vexfs_load_index(coll, dir, buf);
	kvfree(buf);
	return err;
}

int vexfs_ckpt_load(struct vexfs_coll *coll, const struct vexfs_coll_header *ch)
{
	struct vexfs_ckpt_dir *dir = vexfs_dir_read(coll, ch);
	u64 end;
	int err;

	if (IS_ERR(dir))
		return PTR_ERR(dir);
	coll->ckpt.off = le64_to_cpu(ch->ch_ckpt_off);
	coll->ckpt.len = le32_to_cpu(ch->ch_ckpt_len);
	coll->ckpt.csum = le32_to_cpu(ch->ch_ckpt_csum);
	coll->slots = le64_to_cpu(dir->cd_slots);
	err = vexfs_dir_sections(coll, dir);
	if (!err)
		err = vexfs_ckpt_extent(coll, &end);
	if (!err)
		err = vexfs_fork_probe(coll, end);
	if (!err)
		err = vexfs_ckpt_claim(coll, end);
	if (!err)
		err = vexfs_load_sections(coll, dir);
	kvfree(dir);
	return err;
}

// SPDX-License-Identifier: GPL-2.0
/*
 * Checkpoints: ids, flags and the index are written to the index fork in
 * chunks. A chunk in use is never overwritten: what changed goes to free
 * chunks, what didn't is shared with the checkpoint before.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include "coll_priv.h"

/* The log is worth a checkpoint from this size on. */
#define VEXFS_CKPT_MIN_LOG	(4u << 20)
/* So is an index in which this much was done, at least. */
#define VEXFS_CKPT_MIN_WORK	65536u

#define VEXFS_CHUNK_MAP_MIN	1024u

const u32 vexfs_ckpt_types[VEXFS_CK_NR] = {
	[VEXFS_CK_IDS]		= VEXFS_SECT_IDS,
	[VEXFS_CK_FLAGS]	= VEXFS_SECT_SLOT_FLAGS,
	[VEXFS_CK_GRAPH0]	= VEXFS_SECT_GRAPH0,
	[VEXFS_CK_UPPER]	= VEXFS_SECT_UPPER,
	[VEXFS_CK_CODES]	= VEXFS_SECT_CODES,
	[VEXFS_CK_LSH]		= VEXFS_SECT_LSH,
	[VEXFS_CK_LSH_PARAMS]	= VEXFS_SECT_LSH_PARAMS,
};

/* NULL: the upper layers, which are no arena. */
struct vexfs_arena *vexfs_ckpt_arena(struct vexfs_coll *coll, u32 sect)
{
	switch (sect) {
	case VEXFS_CK_IDS:
		return &coll->ids;
	case VEXFS_CK_FLAGS:
		return &coll->flags;
	default:
		return coll->ops->arena(coll, sect);
	}
}

u32 vexfs_ckpt_item_size(const struct vexfs_coll *coll, u32 sect)
{
	struct vexfs_arena *a;

	a = vexfs_ckpt_arena((struct vexfs_coll *)coll, sect);
	return a ? a->item_size : 8 + 4 * coll->cfg.m;
}

/* Items of a section that is an arena. */
u32 vexfs_ckpt_items(const struct vexfs_coll *coll, u32 sect, u32 slots)
{
	if (sect <= VEXFS_CK_FLAGS || !coll->ops->items)
		return slots;
	return coll->ops->items(coll, sect, slots);
}

/* Ids and flags always, the rest is the index's. */
bool vexfs_ckpt_has(const struct vexfs_coll *coll, u32 sect)
{
	return sect <= VEXFS_CK_FLAGS || coll->ops->sections & BIT(sect);
}

u32 vexfs_ckpt_sections(const struct vexfs_coll *coll)
{
	return VEXFS_CK_FLAGS + 1 + hweight32(coll->ops->sections);
}

void vexfs_ckpt_free(struct vexfs_ckpt *ckpt)
{
	u32 i;

	for (i = 0; i < VEXFS_CK_NR; i++)
		kvfree(ckpt->map[i].chunk);
	memset(ckpt, 0, sizeof(*ckpt));
}

static bool vexfs_ckpt_dirty(struct vexfs_coll *coll)
{
	u32 i, c, n;

	for (i = 0; i < VEXFS_CK_NR; i++) {
		struct vexfs_arena *a = NULL;

		if (vexfs_ckpt_has(coll, i))
			a = vexfs_ckpt_arena(coll, i);
		n = vexfs_ckpt_items(coll, i, coll->slots);
		for (c = 0; a && c < vexfs_arena_chunks(a, n); c++) {
			if (vexfs_arena_is_dirty(a, c))
				return true;
		}
	}
	return false;
}

bool vexfs_coll_checkpoint_wanted(struct vexfs_coll *coll, bool closing)
{
	u64 ids, log;
	u32 work;
	bool ret;

	read_lock(&coll->lock);
	log = coll->log_end;
	work = coll->unsaved;
	ids = (u64)coll->slots * sizeof(__le64);
	read_unlock(&coll->lock);
	if (!closing)
		return log > max_t(u64, VEXFS_CKPT_MIN_LOG, ids / 4) ||
		       work > max_t(u64, VEXFS_CKPT_MIN_WORK, ids / 32);
	if (log || work)
		return true;
	mutex_lock(&coll->write_lock);
	down_write(&coll->index_lock);
	ret = coll->slots && (!coll->ckpt.len || vexfs_ckpt_dirty(coll));
	up_write(&coll->index_lock);
	mutex_unlock(&coll->write_lock);
	return ret;
}

static int vexfs_chunks_room(struct vexfs_coll *coll, u32 bits)
{
	u32 want = max(coll->chunk_bits, VEXFS_CHUNK_MAP_MIN);
	unsigned long *map;

	while (want < bits)
		want *= 2;
	if (want == coll->chunk_bits)
		return 0;
	map = kvcalloc(BITS_TO_LONGS(want), sizeof(*map), VEXFS_GFP);
	if (!map)
		return -ENOMEM;
	if (coll->chunk_used)
		memcpy(map, coll->chunk_used,
		       BITS_TO_LONGS(coll->chunk_bits) * sizeof(*map));
	kvfree(coll->chunk_used);
	coll->chunk_used = map;
	coll->chunk_bits = want;
	return 0;
}

/* @n chunks in a row that nothing on disk refers to. */
static int vexfs_chunks_take(struct vexfs_coll *coll, u32 n, u32 *pos)
{
	u32 at = 0, end;
	int err;

	for (;;) {
		at = find_next_zero_bit(coll->chunk_used, coll->chunk_bits, at);
		if (at > VEXFS_MAX_CHUNKS - n)
			return -EFBIG;
		err = vexfs_chunks_room(coll, at + n);
		if (err)
			return err;
		end = find_next_bit(coll->chunk_used, at + n, at);
		if (end >= at + n)
			break;
		at = end;
	}
	*pos = at;
	for (end = at + n; at < end; at++)
		__set_bit(at, coll->chunk_used);
	return 0;
}

/* Frees the chunks of @ckpt that @keep doesn't share. */
static void vexfs_chunks_release(struct vexfs_coll *coll,
				 const struct vexfs_ckpt *ckpt,
				 const struct vexfs_ckpt *keep)
{
	u32 i, c;

	for (i = 0; i < VEXFS_CK_NR; i++) {
		const struct vexfs_ckpt_map *m = &ckpt->map[i];
		const struct vexfs_ckpt_map *k = &keep->map[i];

		for (c = 0; c < m->nchunks; c++) {
			if (c >= k->nchunks ||
			    m->chunk[c].ck_pos != k->chunk[c].ck_pos)
				__clear_bit(le32_to_cpu(m->chunk[c].ck_pos),
					    coll->chunk_used);
		}
	}
	for (c = 0; ckpt->len && c < vexfs_chunks(ckpt->len); c++)
		__clear_bit(ckpt->off / VEXFS_CHUNK_SIZE + c,
			    coll->chunk_used);
}

/* Writes @len bytes to a free chunk. */
static int vexfs_chunk_write(struct vexfs_coll *coll, const void *buf, u32 len,
			     struct vexfs_ckpt_chunk *ck)
{
	u32 pos;
	int err;

	err = vexfs_chunks_take(coll, 1, &pos);
	if (err)
		return err;
	err = coll->io->fork_write(coll->priv, VEXFS_FORK_INDEX,
				   (u64)pos * VEXFS_CHUNK_SIZE, buf, len);
	if (err) {
		__clear_bit(pos, coll->chunk_used);
		return err;
	}
	ck->ck_pos = cpu_to_le32(pos);
	ck->ck_csum = cpu_to_le32(vexfs_crc32c(coll->cfg.csum_seed, buf, len));
	cond_resched();
	return 0;
}

static int vexfs_map_alloc(struct vexfs_ckpt_map *m, u64 bytes)
{
	u32 n = vexfs_chunks(bytes);

	m->bytes = bytes;
	m->chunk = kvcalloc(max(n, 1u), sizeof(*m->chunk), VEXFS_GFP);
	return m->chunk ? 0 : -ENOMEM;
}

/* What is only of use in memory isn't written. */
static void vexfs_ckpt_mask_flags(u8 *flags, u32 n)
{
	u32 i;

	for (i = 0; i < n; i++)
		flags[i] &= VEXFS_SLOT_ON_DISK;
}

static int vexfs_ckpt_save_arena(struct vexfs_coll *coll, u32 sect, void *buf)
{
	struct vexfs_arena *a = vexfs_ckpt_arena(coll, sect);
	const struct vexfs_ckpt_map *old = &coll->ckpt.map[sect];
	struct vexfs_ckpt_map *m = &coll->next.map[sect];
	u64 bytes = vexfs_arena_bytes(a, vexfs_ckpt_items(coll, sect,
							  coll->slots));
	u32 c, len;
	int err;

	err = vexfs_map_alloc(m, bytes);
	for (c = 0; !err && c < vexfs_chunks(bytes); c++, m->nchunks++) {
		len = vexfs_chunk_len(bytes, c);
		if (c < old->nchunks && len == vexfs_chunk_len(old->bytes, c) &&
		    !vexfs_arena_is_dirty(a, c)) {
			m->chunk[c] = old->chunk[c];
			continue;
		}
		down_read(&coll->sem);
		vexfs_arena_read(a, (u64)c * VEXFS_CHUNK_SIZE, buf, len);
		up_read(&coll->sem);
		if (sect == VEXFS_CK_FLAGS)
			vexfs_ckpt_mask_flags(buf, len);
		err = vexfs_chunk_write(coll, buf, len, &m->chunk[c]);
		if (err)
			return err;
	}
	return err;
}

/* The upper layers are small: a sixteenth of the nodes. Always all of them. */
static int vexfs_ckpt_save_upper(struct vexfs_coll *coll, void *buf)
{
	struct vexfs_ckpt_map *m = &coll->next.map[VEXFS_CK_UPPER];
	u64 bytes = vexfs_graph_upper_bytes(&coll->graph);
	struct vexfs_graph_upper_iter it = { 0 };
	u32 c, len;
	int err;

	err = vexfs_map_alloc(m, bytes);
	for (c = 0; !err && c < vexfs_chunks(bytes); c++, m->nchunks++) {
		len = vexfs_chunk_len(bytes, c);
		down_read(&coll->sem);
		if (vexfs_graph_upper_save(&coll->graph, &it, buf, len) != len)
			err = -EFSCORRUPTED;
		up_read(&coll->sem);
		if (!err)
			err = vexfs_chunk_write(coll, buf, len, &m->chunk[c]);
		if (err)
			return err;
	}
	return err;
}

static void vexfs_ckpt_fill_dir(struct vexfs_coll *coll,
				struct vexfs_ckpt_dir *dir)
{
	struct vexfs_ckpt_chunk *ck = (void *)(dir + 1);
	struct vexfs_ckpt_section *cs = dir->cd_section;
	u32 i, n = 0;

	dir->cd_magic = cpu_to_le32(VEXFS_MAGIC_CKPT);
	dir->cd_version = cpu_to_le32(1);
	dir->cd_owner = cpu_to_le64(coll->cfg.owner);
	dir->cd_log_seq = cpu_to_le64(coll->log_seq);
	dir->cd_slots = cpu_to_le64(coll->slots);
	dir->cd_entry = cpu_to_le32(VEXFS_GRAPH_NONE);
	if (coll->cfg.index == VEXFS_INDEX_HNSW) {
		dir->cd_entry = cpu_to_le32(vexfs_graph_entry(&coll->graph));
		dir->cd_max_level =
			cpu_to_le32(vexfs_graph_max_level(&coll->graph));
	}
	dir->cd_nsections = cpu_to_le32(vexfs_ckpt_sections(coll));
	for (i = 0; i < VEXFS_CK_NR; i++) {
		const struct vexfs_ckpt_map *m = &coll->next.map[i];

		if (!vexfs_ckpt_has(coll, i))
			continue;
		cs->cs_type = cpu_to_le32(vexfs_ckpt_types[i]);
		cs->cs_version = cpu_to_le32(VEXFS_GRAPH_SECT_VERSION);
		cs->cs_bytes = cpu_to_le64(m->bytes);
		cs->cs_item_size = cpu_to_le32(vexfs_ckpt_item_size(coll, i));
		cs->cs_first_chunk = cpu_to_le32(n);
		cs->cs_nchunks = cpu_to_le32(m->nchunks);
		memcpy(ck + n, m->chunk, m->nchunks * sizeof(*ck));
		n += m->nchunks;
		cs++;
	}
	dir->cd_nchunks = cpu_to_le32(n);
}

static int vexfs_ckpt_save_dir(struct vexfs_coll *coll)
{
	struct vexfs_ckpt *next = &coll->next;
	struct vexfs_ckpt_dir *dir;
	size_t len = sizeof(*dir);
	u32 i, pos;
	int err;

	for (i = 0; i < VEXFS_CK_NR; i++)
		len += next->map[i].nchunks * sizeof(struct vexfs_ckpt_chunk);
	dir = kvzalloc(len, VEXFS_GFP);
	if (!dir)
		return -ENOMEM;
	vexfs_ckpt_fill_dir(coll, dir);
	err = vexfs_chunks_take(coll, vexfs_chunks(len), &pos);
	if (!err) {
		next->off = (u64)pos * VEXFS_CHUNK_SIZE;
		next->len = len;
		next->csum = vexfs_crc32c(coll->cfg.csum_seed, dir, len);
		err = coll->io->fork_write(coll->priv, VEXFS_FORK_INDEX,
					   next->off, dir, len);
	}
	kvfree(dir);
	return err;
}

/* [write_lock, index_lock] */
static int vexfs_ckpt_save(struct vexfs_coll *coll)
{
	void *buf = kvmalloc(VEXFS_CHUNK_SIZE, VEXFS_GFP);
	int err;
	u32 i;

	if (!buf)
		return -ENOMEM;
	err = vexfs_chunks_room(coll, VEXFS_CHUNK_MAP_MIN);
	for (i = 0; !err && i < VEXFS_CK_NR; i++) {
		if (!vexfs_ckpt_has(coll, i))
			continue;
		if (i == VEXFS_CK_UPPER)
			err = vexfs_ckpt_save_upper(coll, buf);
		else
			err = vexfs_ckpt_save_arena(coll, i, buf);
	}
	if (!err)
		err = vexfs_ckpt_save_dir(coll);
	kvfree(buf);
	return err;
}

static void vexfs_ckpt_set_clean(struct vexfs_coll *coll)
{
	u32 i;

	for (i = 0; i < VEXFS_CK_NR; i++) {
		if (vexfs_ckpt_has(coll, i) && i != VEXFS_CK_UPPER)
			vexfs_arena_set_all_dirty(vexfs_ckpt_arena(coll, i),
						  false);
	}
}

/* The chunks that were written are to be written again next time. */
static void vexfs_ckpt_set_dirty(struct vexfs_coll *coll)
{
	u32 i, c;

	for (i = 0; i < VEXFS_CK_NR; i++) {
		const struct vexfs_ckpt_map *m = &coll->next.map[i];
		const struct vexfs_ckpt_map *old = &coll->ckpt.map[i];

		for (c = 0; i != VEXFS_CK_UPPER && c < m->nchunks; c++) {
			if (c >= old->nchunks ||
			    old->chunk[c].ck_pos != m->chunk[c].ck_pos)
				vexfs_arena_set_dirty(vexfs_ckpt_arena(coll, i),
						      c, true);
		}
	}
}

int vexfs_coll_checkpoint_begin(struct vexfs_coll *coll,
				struct vexfs_coll_checkpoint *out)
{
	int err;

	mutex_lock(&coll->write_lock);
	down_write(&coll->index_lock);
	err = vexfs_coll_drop_stale(coll);
	if (!err)
		err = vexfs_ckpt_save(coll);
	if (!err) {
		vexfs_commit_fill(coll, &out->commit);
		vexfs_ckpt_set_clean(coll);
		coll->next_unsaved = coll->unsaved;
	} else {
		vexfs_chunks_release(coll, &coll->next, &coll->ckpt);
		vexfs_ckpt_free(&coll->next);
	}
	up_write(&coll->index_lock);
	if (err) {
		mutex_unlock(&coll->write_lock);
		return err;
	}
	out->ckpt_off = coll->next.off;
	out->ckpt_len = coll->next.len;
	out->ckpt_csum = coll->next.csum;
	out->ckpt_log_seq = coll->log_seq;
	/* Everything is in it: the log begins anew */
	out->log_start = 0;
	out->log_end = 0;
	out->commit.log_end = 0;
	out->log_reset = true;
	return 0;
}

void vexfs_coll_checkpoint_header(const struct vexfs_coll_checkpoint *c,
				  struct vexfs_coll_header *ch)
{
	vexfs_coll_commit_header(&c->commit, ch);
	ch->ch_log_start = cpu_to_le64(c->log_start);
	ch->ch_ckpt_off = cpu_to_le64(c->ckpt_off);
	ch->ch_ckpt_len = cpu_to_le32(c->ckpt_len);
	ch->ch_ckpt_csum = cpu_to_le32(c->ckpt_csum);
	ch->ch_ckpt_log_seq = cpu_to_le64(c->ckpt_log_seq);
}

static void vexfs_ckpt_take_over(struct vexfs_coll *coll,
				 const struct vexfs_coll_checkpoint *c)
{
	write_lock(&coll->lock);
	coll->log_end = c->log_end;
	coll->unsaved -= coll->next_unsaved;
	write_unlock(&coll->lock);
	vexfs_commit_apply(coll, &c->commit);
	vexfs_chunks_release(coll, &coll->ckpt, &coll->next);
	vexfs_ckpt_free(&coll->ckpt);
	coll->ckpt = coll->next;
}

void vexfs_coll_checkpoint_done(struct vexfs_coll *coll,
				const struct vexfs_coll_checkpoint *c,
				int error)
{
	lockdep_assert_held(&coll->write_lock);
	if (!error) {
		vexfs_ckpt_take_over(coll, c);
		memset(&coll->next, 0, sizeof(coll->next));
	} else {
		/*
		 * Whether the header got through isn't known, so the chunks
		 * of both checkpoints stay in use until this is opened again.
		 */
		down_write(&coll->index_lock);
		vexfs_ckpt_set_dirty(coll);
		up_write(&coll->index_lock);
		vexfs_ckpt_free(&coll->next);
	}
	mutex_unlock(&coll->write_lock);
}

// SPDX-License-Identifier: GPL-2.0
/*
 * Random damage to metadata; see fsck_random.h.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include "fsck_random.h"

#include "jbd2.h"
#include "random.h"

/* Of an inode's data, and of a journal's log: enough to meet each kind. */
#define FR_DATA_BLOCKS		6
#define FR_LOG_BLOCKS		40

static u64 state;

void fr_seed(u64 seed)
{
	state = seed;
}

u64 fr_random(void)
{
	return vexfs_splitmix(&state);
}

u32 fr_below(u32 n)
{
	return (u32)(fr_random() >> 32) % n;
}

/* ------------------------------------------------------------ the targets */

static bool has_header(const void *data)
{
	switch (le32_to_cpu(*(const __le32 *)data)) {
	case VEXFS_MAGIC_EXTENT:
	case VEXFS_MAGIC_DIR:
	case VEXFS_MAGIC_SYMLINK:
	case VEXFS_MAGIC_XATTR:
	case VEXFS_MAGIC_XVALUE:
	case VEXFS_MAGIC_COLL:
		return true;
	}
	return false;
}

/* Not a copy of one in the journal's log. */
static bool is_meta(const void *data, u64 bno)
{
	const struct vexfs_block_header *bh = data;

	return has_header(data) && le64_to_cpu(bh->bh_blocknr) == bno;
}

static bool is_log(const void *data)
{
	return be32_to_cpu(*(const __be32 *)data) == VJ_MAGIC;
}

static void add(struct fr_targets *t, u64 bno)
{
	u32 i;

	for (i = 0; i < t->count; i++)
		if (t->bno[i] == bno)
			return;
	t->bno[t->count++] = bno;
}

/* The first blocks of a file whose contents are read as metadata are. */
static void add_data(struct fr_targets *t, struct fu_vol *v, u64 ino)
{
	struct vexfs_inode di;
	struct vexfs_node n;
	struct vexfs_map map;
	u64 lblk;

	if (!ino || fsck_node_get(&v->f, ino, &n, &di))
		return;
	for (lblk = 0; lblk < FR_DATA_BLOCKS; lblk++)
		if (!vexfs_ext_lookup(&n, lblk, 1, &map) && map.pblk)
			add(t, map.pblk);
}

static void add_coll(struct fr_targets *t, struct fu_vol *v,
		     const struct vexfs_coll_header *ch)
{
	int i;

	add_data(t, v, le64_to_cpu(ch->ch_hdr.bh_owner));
	for (i = 0; i < VEXFS_FORKS; i++)
		add_data(t, v, le64_to_cpu(ch->ch_fork_ino[i]));
}

static void add_journal(struct fr_targets *t, struct fu_vol *v)
{
	const struct vexfs_geom *g = &v->f.fs.geom;
	u8 data[VEXFS_BLOCK_SIZE] __aligned(8);
	u64 i, bno;
	u32 n = 0;

	for (i = 0; i < vexfs_journal_blocks(g) && n < FR_LOG_BLOCKS; i++) {
		bno = vexfs_journal_block(g, i);
		fu_read(v, bno, data);
		if (!is_log(data))
			continue;
		add(t, bno);
		n++;
	}
}

static void add_quota(struct fr_targets *t, struct fu_vol *v)
{
	struct vexfs_super_block sb;
	int i;

	fu_super(v, &sb);
	for (i = 0; i < ARRAY_SIZE(sb.s_quota_ino); i++)
		add_data(t, v, le64_to_cpu(sb.s_quota_ino[i]));
}

/* By their place, then those that say what they are, then those named there. */
void fr_find(struct fr_targets *t, struct fu_vol *v)
{
	const struct vexfs_geom *g = &v->f.fs.geom;
	u64 first = vexfs_cluster_to_block(g, vexfs_group_overhead(g, 0)), bno;
	u8 data[VEXFS_BLOCK_SIZE] __aligned(8);

	t->count = 0;
	t->bno = calloc(v->f.dev->blocks, sizeof(*t->bno));
	CHECK(t->bno);
	for (bno = 0; bno < v->f.dev->blocks; bno++) {
		fu_read(v, bno, data);
		if (!memchr_inv(data, 0, sizeof(data)))
			continue;
		if (bno < first || is_meta(data, bno))
			add(t, bno);
		if (is_meta(data, bno) &&
		    le32_to_cpu(*(__le32 *)data) == VEXFS_MAGIC_COLL)
			add_coll(t, v, (void *)data);
	}
	add_journal(t, v);
	add_quota(t, v);
	CHECK(t->count > 30);
}

void fr_free(struct fr_targets *t)
{
	free(t->bno);
	t->bno = NULL;
}

/* ------------------------------------------------------------- the damage */

static void change_bytes(u8 *data, u32 size)
{
	u32 n = 1 + fr_below(4), off;

	while (n--) {
		off = fr_below(3) ? fr_below(size) : fr_below(min(size, 128u));
		switch (fr_below(4)) {
		case 0:
			data[off] ^= (u8)(1 << fr_below(8));
			break;
		case 1:
			data[off] = (u8)fr_random();
			break;
		case 2:
			data[off] = fr_below(2) ? 0 : 0xff;
			break;
		default:
			off &= ~7u;
			if (off + 8 <= size)
				put_unaligned_le64(fr_below(2) ?
						   fr_below(20000) :
						   fr_random(), data + off);
		}
	}
}

/*
 * A block with a header, of which most may be unused: mostly what it says of
 * itself, behind what all of them begin with, or what is in use.
 */
static void change_used(u8 *data)
{
	const u32 head = sizeof(struct vexfs_block_header);
	u32 used = VEXFS_BLOCK_SIZE;

	while (used > head + 32 && !data[used - 1])
		used--;
	switch (fr_below(5)) {
	case 0:
		change_bytes(data, VEXFS_BLOCK_SIZE);
		break;
	case 1:
	case 2:
		change_bytes(data + head, 16);
		break;
	default:
		change_bytes(data + head, used - head);
	}
}

/* One inode of a block of them, with a checksum that is right. */
static void change_inode(struct fu_vol *v, u8 *data)
{
	struct vexfs_inode *di = (struct vexfs_inode *)data +
				 fr_below(VEXFS_INODES_PER_BLOCK);

	change_bytes((u8 *)di, sizeof(*di));
	di->i_checksum = cpu_to_le32(vexfs_inode_csum(&v->f.fs, di));
}

static void change_desc(struct fu_vol *v, u8 *data)
{
	struct vexfs_group_desc *gd = (void *)data;

	change_bytes(data, sizeof(*gd));
	gd->bg_checksum = cpu_to_le32(vexfs_group_desc_csum(&v->f.fs, 0, gd));
}

static void change_super(u8 *data)
{
	struct vexfs_super_block *sb = (void *)(data + VEXFS_SUPER_OFFSET);

	change_bytes((u8 *)sb, 480);
	sb->s_checksum = cpu_to_le32(vexfs_super_csum(sb));
}

/* A bitmap whose descriptor agrees with it. */
static void change_bitmap(struct fu_vol *v, u8 *data, bool inodes)
{
	struct vexfs_group_desc gd;
	u32 crc, zeroes;

	change_bytes(data, VEXFS_BLOCK_SIZE);
	crc = vexfs_crc32c(v->f.fs.csum_seed, data, VEXFS_BLOCK_SIZE);
	zeroes = vexfs_bitmap_zeroes(data, 8 * VEXFS_BLOCK_SIZE);
	fu_desc(v, 0, &gd);
	if (inodes) {
		gd.bg_inode_bitmap_csum = cpu_to_le32(crc);
		gd.bg_free_inodes = cpu_to_le32(zeroes);
	} else {
		gd.bg_cluster_bitmap_csum = cpu_to_le32(crc);
		gd.bg_free_clusters = cpu_to_le32(zeroes);
	}
	fu_put_desc(v, 0, &gd, true);
}

static void seal_at(u8 *data, size_t len, size_t at, u32 crc)
{
	put_unaligned_be32(0, data + at);
	put_unaligned_be32(vexfs_crc32c(crc, data, len), data + at);
}

static void change_log(struct fu_vol *v, u8 *data)
{
	u8 super[VEXFS_BLOCK_SIZE] __aligned(8);
	struct vj_super *s = (void *)super;
	u32 type = be32_to_cpu(((struct vj_header *)data)->h_blocktype), seed;

	if (type == VJ_SUPER_V2) {
		change_bytes(data, 256);
		seal_at(data, sizeof(*s), offsetof(struct vj_super,
						   s_checksum), ~0u);
		return;
	}
	change_bytes(data, VEXFS_BLOCK_SIZE);
	fu_read(v, vexfs_journal_block(&v->f.fs.geom, 0), super);
	seed = vexfs_crc32c(~0u, s->s_uuid, sizeof(s->s_uuid));
	if (type == VJ_COMMIT)
		seal_at(data, VEXFS_BLOCK_SIZE, offsetof(struct vj_commit,
							 c_chksum), seed);
	else
		seal_at(data, VEXFS_BLOCK_SIZE, VEXFS_BLOCK_SIZE - 4, seed);
}

static void change_sealed(struct fu_vol *v, u64 bno, u8 *data)
{
	const struct vexfs_geom *g = &v->f.fs.geom;
	u64 itable = vexfs_itable_block(g, 0);

	if (!bno)
		change_super(data);
	else if (bno == vexfs_gdt_block(g, 0))
		change_desc(v, data);
	else if (bno == vexfs_cluster_bitmap_block(g, 0))
		change_bitmap(v, data, false);
	else if (bno == vexfs_inode_bitmap_block(g, 0, 0))
		change_bitmap(v, data, true);
	else if (bno >= itable && !has_header(data) &&
		 bno < itable + vexfs_cluster_to_block(g, g->itable_clusters))
		change_inode(v, data);
	else if (is_log(data))
		change_log(v, data);
	else if (has_header(data))
		change_used(data);
	else
		change_bytes(data, VEXFS_BLOCK_SIZE);
	if (has_header(data))
		fsck_meta_seal(&v->f, data);
}

/* A sound superblock of a version to come: fsck leaves it alone. */
static bool newer(struct fu_vol *v)
{
	u8 data[VEXFS_BLOCK_SIZE] __aligned(8);
	const struct vexfs_super_block *sb = (void *)(data +
						      VEXFS_SUPER_OFFSET);

	fu_read(v, 0, data);
	return le32_to_cpu(sb->s_checksum) == vexfs_super_csum(sb) &&
	       (le32_to_cpu(sb->s_revision) > VEXFS_REVISION ||
		(le32_to_cpu(sb->s_feature_incompat) & ~VEXFS_INCOMPAT_KNOWN));
}

bool fr_damage(struct fu_vol *v, const struct fr_targets *t)
{
	u64 backup = vexfs_backup_block(&v->f.fs.geom, 0), bno;
	u32 n = fr_below(3) ? 1 : 1 + fr_below(5);
	bool super = false, copy = false;
	u8 data[VEXFS_BLOCK_SIZE] __aligned(8);

	while (n--) {
		bno = t->bno[fr_below(t->count)];
		/* Each of the few kinds of fixed places, often enough. */
		if (!fr_below(4))
			bno = t->bno[fr_below(8)];
		fu_read(v, bno, data);
		if (fr_below(2))
			change_sealed(v, bno, data);
		else
			change_bytes(data, sizeof(data));
		fu_write(v, bno, data);
		super |= !bno;
		copy |= bno == backup;
	}
	return (super && copy) || newer(v);
}

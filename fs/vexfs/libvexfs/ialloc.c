// SPDX-License-Identifier: GPL-2.0
/*
 * The inode allocator. Files go to the group of their directory; directories
 * spread out: those of the root to empty groups, others near their parent.
 * A group's bitmap and descriptor are guarded by the group's lock.
 *
 * Inodes are taken from the front of a group's table. bg_itable_unused says
 * how many at its end were never used: their blocks hold garbage until the
 * first inode of a block is taken, which zeroes the block.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include "libvexfs.h"

#define VEXFS_BITS_PER_BLOCK	(8 * VEXFS_BLOCK_SIZE)
/* Groups to compare for a directory of the root */
#define VEXFS_ORLOV_SAMPLES	32

/* The inode bitmap of a group: one or two blocks. */
struct vexfs_ibitmap {
	u32	group;
	u32	nr;
	struct vexfs_buf *buf[2];
};

static u32 vexfs_ibitmap_blocks(const struct vexfs_geom *g)
{
	return DIV_ROUND_UP(g->inodes_per_group, VEXFS_BITS_PER_BLOCK);
}

static bool vexfs_ibitmap_is_uninit(struct vexfs_group_desc *gd)
{
	return gd->bg_flags & cpu_to_le16(VEXFS_BG_INODE_UNINIT);
}

static void vexfs_ibitmap_put(struct vexfs_ibitmap *b)
{
	u32 i;

	for (i = 0; i < b->nr; i++)
		vexfs_buf_put(b->buf[i]);
	b->nr = 0;
}

static u32 vexfs_ibitmap_csum(struct vexfs_fs *fs, struct vexfs_ibitmap *b)
{
	u32 i, crc = fs->csum_seed;

	for (i = 0; i < b->nr; i++)
		crc = vexfs_crc32c(crc, vexfs_buf_data(b->buf[i]),
				   VEXFS_BLOCK_SIZE);
	return crc;
}

static bool vexfs_ibitmap_test(struct vexfs_ibitmap *b, u32 index)
{
	return test_bit_le(index % VEXFS_BITS_PER_BLOCK,
			   vexfs_buf_data(b->buf[index / VEXFS_BITS_PER_BLOCK]));
}

/* First free inode of the group, or a number behind the last. */
static u32 vexfs_ibitmap_find(struct vexfs_ibitmap *b)
{
	u32 i, bit = 0;

	for (i = 0; i < b->nr; i++) {
		bit = find_next_zero_bit_le(vexfs_buf_data(b->buf[i]),
					    VEXFS_BITS_PER_BLOCK, 0);
		if (bit < VEXFS_BITS_PER_BLOCK)
			return i * VEXFS_BITS_PER_BLOCK + bit;
	}
	return i * VEXFS_BITS_PER_BLOCK;
}

/* Is any inode of [from, to) used (@used) or free (!@used)? */
static bool vexfs_ibitmap_any(struct vexfs_ibitmap *b, u32 from, u32 to,
			      bool used)
{
	u32 i, lo, hi, found;

	for (i = 0; i < b->nr; i++) {
		lo = max(from, i * VEXFS_BITS_PER_BLOCK);
		hi = min(to, (i + 1) * VEXFS_BITS_PER_BLOCK);
		if (lo >= hi)
			continue;
		lo -= i * VEXFS_BITS_PER_BLOCK;
		hi -= i * VEXFS_BITS_PER_BLOCK;
		found = used ? find_next_bit_le(vexfs_buf_data(b->buf[i]), hi,
						lo) :
			       find_next_zero_bit_le(vexfs_buf_data(b->buf[i]),
						     hi, lo);
		if (found < hi)
			return true;
	}
	return false;
}

static const char vexfs_bad_ibitmap_csum[] = "inode bitmap checksum is wrong";

static const char *vexfs_ibitmap_check(struct vexfs_fs *fs,
				       struct vexfs_ibitmap *b)
{
	struct vexfs_group_desc *gd = vexfs_group_desc(fs, b->group, NULL);
	u32 inodes = vexfs_group_inodes(&fs->geom, b->group);
	u32 unused = le32_to_cpu(gd->bg_itable_unused);
	u32 i, free = 0;

	if (le32_to_cpu(gd->bg_inode_bitmap_csum) != vexfs_ibitmap_csum(fs, b))
		return vexfs_bad_ibitmap_csum;
	for (i = 0; i < b->nr; i++)
		free += vexfs_bitmap_zeroes(vexfs_buf_data(b->buf[i]),
					    VEXFS_BITS_PER_BLOCK);
	if (free != le32_to_cpu(gd->bg_free_inodes))
		return "inode bitmap and number of free inodes disagree";
	if (vexfs_ibitmap_any(b, inodes, b->nr * VEXFS_BITS_PER_BLOCK, false))
		return "inode bitmap has no end";
	if (vexfs_ibitmap_any(b, inodes - unused, inodes, true))
		return "used inode above the mark of its group";
	if (!b->group &&
	    vexfs_ibitmap_any(b, 0, VEXFS_FIRST_INO - 1, false))
		return "reserved inodes are free";
	return NULL;
}

/* The bitmap of a group that has one. [group lock held] */
static int vexfs_ibitmap_read(struct vexfs_fs *fs, u32 group,
			      struct vexfs_ibitmap *b)
{
	u32 i, n = vexfs_ibitmap_blocks(&fs->geom);
	struct vexfs_buf *buf;
	bool verified = true;
	const char *why;
	u64 bno;

	b->group = group;
	for (b->nr = 0; b->nr < n; b->buf[b->nr++] = buf) {
		bno = vexfs_inode_bitmap_block(&fs->geom, group, b->nr);
		buf = vexfs_buf_read(fs, bno);
		if (IS_ERR(buf)) {
			vexfs_ibitmap_put(b);
			return PTR_ERR(buf);
		}
		verified &= vexfs_buf_verified(buf);
	}
	if (verified)
		return 0;
	why = vexfs_ibitmap_check(fs, b);
	if (why) {
		vexfs_ibitmap_put(b);
		bno = vexfs_inode_bitmap_block(&fs->geom, group, 0);
		VEXFS_CORRUPTED(fs, 0, bno, why);
		return why == vexfs_bad_ibitmap_csum ? -EFSBADCRC :
						       -EFSCORRUPTED;
	}
	for (i = 0; i < n; i++)
		vexfs_buf_set_verified(b->buf[i]);
	return 0;
}

/* Bits of block @nr: used are the reserved inodes and what isn't an inode. */
static void vexfs_ibitmap_fill(const struct vexfs_geom *g, u32 group, u32 nr,
			       void *bitmap)
{
	u32 inodes = vexfs_group_inodes(g, group);
	u32 first = nr * VEXFS_BITS_PER_BLOCK;
	u32 i;

	memset(bitmap, 0, VEXFS_BLOCK_SIZE);
	for (i = 0; i < VEXFS_BITS_PER_BLOCK; i++)
		if (first + i >= inodes ||
		    (!group && first + i < VEXFS_FIRST_INO - 1))
			__set_bit_le(i, bitmap);
}

/* The bitmap of a new group, now in the transaction. [group lock held] */
static int vexfs_ibitmap_create(struct vexfs_trans *t, struct vexfs_fs *fs,
				u32 group, struct vexfs_ibitmap *b)
{
	u32 n = vexfs_ibitmap_blocks(&fs->geom);
	struct vexfs_buf *buf;
	int err;

	b->group = group;
	for (b->nr = 0; b->nr < n; ) {
		buf = vexfs_buf_get(fs, vexfs_inode_bitmap_block(&fs->geom,
								 group, b->nr));
		if (IS_ERR(buf)) {
			err = PTR_ERR(buf);
			goto out_put;
		}
		b->buf[b->nr++] = buf;
		err = vexfs_trans_create(t, buf);
		if (err)
			goto out_put;
		vexfs_ibitmap_fill(&fs->geom, group, b->nr - 1,
				   vexfs_buf_data(buf));
		vexfs_buf_set_verified(buf);
		err = vexfs_trans_dirty(t, buf);
		if (err)
			goto out_put;
	}
	return 0;
out_put:
	vexfs_ibitmap_put(b);
	return err;
}

/* Zeroes the inode table block that inode @index is the first to use. */
static int vexfs_itable_init(struct vexfs_trans *t, struct vexfs_fs *fs,
			     u32 group, u32 index)
{
	struct vexfs_buf *buf;
	int err;

	buf = vexfs_buf_get(fs, vexfs_itable_block(&fs->geom, group) +
				index / VEXFS_INODES_PER_BLOCK);
	if (IS_ERR(buf))
		return PTR_ERR(buf);
	err = vexfs_trans_create(t, buf);
	if (!err) {
		memset(vexfs_buf_data(buf), 0, VEXFS_BLOCK_SIZE);
		err = vexfs_trans_dirty(t, buf);
	}
	vexfs_buf_put(buf);
	return err;
}

struct vexfs_ichange {
	u32	index;
	bool	used;			/* or freed */
	bool	dir;
	u32	unused;			/* bg_itable_unused afterwards */
};

/* After the change: worked out from the bit, but for the first time. */
static u32 vexfs_ibitmap_new_csum(struct vexfs_fs *fs, struct vexfs_ibitmap *b,
				  struct vexfs_group_desc *gd, u32 index)
{
	if (vexfs_ibitmap_is_uninit(gd))
		return vexfs_ibitmap_csum(fs, b);
	return vexfs_crc_flip(le32_to_cpu(gd->bg_inode_bitmap_csum),
			      b->nr * VEXFS_BLOCK_SIZE, index, 1);
}

/* Changes bitmap and descriptor, which is announced. [group lock held] */
static int vexfs_ibitmap_change(struct vexfs_trans *t, struct vexfs_fs *fs,
				struct vexfs_ibitmap *b,
				const struct vexfs_ichange *c)
{
	struct vexfs_buf *gdbuf, *buf = b->buf[c->index / VEXFS_BITS_PER_BLOCK];
	struct vexfs_group_desc *gd = vexfs_group_desc(fs, b->group, &gdbuf);
	u32 bit = c->index % VEXFS_BITS_PER_BLOCK;
	int err, n = c->used ? 1 : -1;

	err = vexfs_trans_write(t, buf);
	if (err)
		return err;
	if (c->used)
		__set_bit_le(bit, vexfs_buf_data(buf));
	else
		__clear_bit_le(bit, vexfs_buf_data(buf));
	gd->bg_inode_bitmap_csum =
		cpu_to_le32(vexfs_ibitmap_new_csum(fs, b, gd, c->index));
	gd->bg_flags &= ~cpu_to_le16(VEXFS_BG_INODE_UNINIT);
	gd->bg_itable_unused = cpu_to_le32(c->unused);
	le32_add_cpu(&gd->bg_free_inodes, -n);
	if (c->dir)
		le32_add_cpu(&gd->bg_used_dirs, n);
	gd->bg_checksum = cpu_to_le32(vexfs_group_desc_csum(fs, b->group, gd));
	percpu_counter_add(&fs->free_inodes, -n);
	if (c->dir)
		percpu_counter_add(&fs->dirs, n);
	err = vexfs_trans_dirty(t, buf);
	return err ? err : vexfs_trans_dirty(t, gdbuf);
}

/* Takes the first free inode of the group. [group lock held] */
static int vexfs_ibitmap_take(struct vexfs_trans *t, struct vexfs_fs *fs,
			      struct vexfs_ibitmap *b, bool dir, u32 *index)
{
	struct vexfs_group_desc *gd = vexfs_group_desc(fs, b->group, NULL);
	u32 inodes = vexfs_group_inodes(&fs->geom, b->group);
	u32 mark = inodes - le32_to_cpu(gd->bg_itable_unused);
	struct vexfs_ichange change = { .used = true, .dir = dir };
	int err;

	*index = vexfs_ibitmap_find(b);
	if (*index >= inodes || *index > mark)
		return VEXFS_CORRUPTED(fs, 0, vexfs_buf_bno(b->buf[0]),
				       "inode bitmap has no free inode");
	if (*index == mark) {
		err = vexfs_itable_init(t, fs, b->group, mark);
		if (err)
			return err;
		mark += VEXFS_INODES_PER_BLOCK;
	}
	change.index = *index;
	change.unused = inodes - mark;
	return vexfs_ibitmap_change(t, fs, b, &change);
}

/* 1 when an inode of @group was taken, 0 when all are used. */
static int vexfs_ialloc_group(struct vexfs_trans *t, struct vexfs_fs *fs,
			      u32 group, bool dir, u64 *ino)
{
	struct vexfs_group_desc *gd;
	struct vexfs_buf *gdbuf;
	struct vexfs_ibitmap b;
	u32 index;
	int err = 0;

	gd = vexfs_group_desc(fs, group, &gdbuf);
	vexfs_group_lock(fs, group);
	if (!gd->bg_free_inodes)
		goto out;
	err = vexfs_trans_write(t, gdbuf);
	if (err)
		goto out;
	if (vexfs_ibitmap_is_uninit(gd))
		err = vexfs_ibitmap_create(t, fs, group, &b);
	else
		err = vexfs_ibitmap_read(fs, group, &b);
	if (err)
		goto out;
	err = vexfs_ibitmap_take(t, fs, &b, dir, &index);
	vexfs_ibitmap_put(&b);
	if (!err) {
		*ino = (u64)group * fs->geom.inodes_per_group + index + 1;
		err = 1;
	}
out:
	vexfs_group_unlock(fs, group);
	return err;
}

/* Unlocked looks at a descriptor: it is only to choose a group. */
static u32 vexfs_group_free_inodes(struct vexfs_fs *fs, u32 group)
{
	return le32_to_cpu(READ_ONCE(vexfs_group_desc(fs, group, NULL)
				     ->bg_free_inodes));
}

static u32 vexfs_group_free_clusters(struct vexfs_fs *fs, u32 group)
{
	return le32_to_cpu(READ_ONCE(vexfs_group_desc(fs, group, NULL)
				     ->bg_free_clusters));
}

static u32 vexfs_group_dirs(struct vexfs_fs *fs, u32 group)
{
	return le32_to_cpu(READ_ONCE(vexfs_group_desc(fs, group, NULL)
				     ->bg_used_dirs));
}

/* For a directory of the root: of some groups the one with most room. */
static u32 vexfs_group_emptiest(struct vexfs_fs *fs)
{
	u32 groups = fs->geom.groups;
	u32 i, group, n = min_t(u32, groups, VEXFS_ORLOV_SAMPLES);
	u32 begin = n < groups ? get_random_u32() % groups : 0;
	u32 best = begin;
	u64 room, best_room = 0;

	for (i = 0; i < n; i++) {
		group = (u32)(((u64)begin + (u64)i * groups / n) % groups);
		room = (u64)vexfs_group_free_inodes(fs, group) *
		       vexfs_group_free_clusters(fs, group);
		room = div_u64(room, 1 + vexfs_group_dirs(fs, group));
		if (room > best_room) {
			best = group;
			best_room = room;
		}
	}
	return best;
}

/*
 * For any other directory: the first from its parent's group on that is not
 * fuller than most, so that its files will find room beside it.
 */
static u32 vexfs_group_near(struct vexfs_fs *fs, u32 parent)
{
	u32 groups = fs->geom.groups;
	u32 inodes = div_u64(percpu_counter_read_positive(&fs->free_inodes),
			     groups) / 2;
	u32 clusters = div_u64(percpu_counter_read_positive(&fs->free_clusters),
			       groups) / 2;
	u32 i, group, n = min_t(u32, groups, VEXFS_ORLOV_SAMPLES);

	for (i = 0; i < n; i++) {
		group = (u32)(((u64)parent + i) % groups);
		if (vexfs_group_free_inodes(fs, group) > inodes &&
		    vexfs_group_free_clusters(fs, group) > clusters)
			return group;
	}
	return parent;
}

static u32 vexfs_ialloc_goal(struct vexfs_fs *fs, u64 parent, bool dir)
{
	u32 group = 0;

	if (vexfs_ino_valid(fs, parent))
		group = div_u64(parent - 1, fs->geom.inodes_per_group);
	if (!dir)
		return group;
	if (parent == VEXFS_ROOT_INO)
		return vexfs_group_emptiest(fs);
	return vexfs_group_near(fs, group);
}

int vexfs_ialloc(struct vexfs_trans *t, struct vexfs_fs *fs, u64 parent,
		 bool dir, u64 *ino, u32 *generation)
{
	u32 groups = fs->geom.groups;
	u32 group = vexfs_ialloc_goal(fs, parent, dir);
	u32 left;
	int ret;

	*generation = max(get_random_u32(), 1u);
	ret = vexfs_ialloc_group(t, fs, group, dir, ino);
	if (ret)
		return min(ret, 0);
	/* Where the last one found something, others will. */
	group = READ_ONCE(fs->inode_rotor) % groups;
	for (left = groups; left; left--, group = (group + 1) % groups) {
		if (!vexfs_group_free_inodes(fs, group))
			continue;
		ret = vexfs_ialloc_group(t, fs, group, dir, ino);
		if (ret > 0)
			WRITE_ONCE(fs->inode_rotor, group);
		if (ret)
			return min(ret, 0);
	}
	return -ENOSPC;
}

static void vexfs_ino_place(struct vexfs_fs *fs, u64 ino, u32 *group,
			    u32 *index)
{
	*group = div_u64_rem(ino - 1, fs->geom.inodes_per_group, index);
}

/* [group lock held] */
static int vexfs_ifree_group(struct vexfs_trans *t, struct vexfs_fs *fs,
			     u64 ino, u32 group, u32 index, bool dir)
{
	struct vexfs_buf *gdbuf;
	struct vexfs_group_desc *gd = vexfs_group_desc(fs, group, &gdbuf);
	struct vexfs_ichange change = {
		.index = index,
		.dir = dir,
		.unused = le32_to_cpu(gd->bg_itable_unused),
	};
	struct vexfs_ibitmap b;
	int err;

	if (vexfs_ibitmap_is_uninit(gd))
		return VEXFS_CORRUPTED(fs, ino, 0, "inode freed twice");
	err = vexfs_ibitmap_read(fs, group, &b);
	if (err)
		return err;
	if (!vexfs_ibitmap_test(&b, index))
		err = VEXFS_CORRUPTED(fs, ino, 0, "inode freed twice");
	else if (dir && !gd->bg_used_dirs)
		err = VEXFS_CORRUPTED(fs, ino, 0, "group has no directory");
	if (!err)
		err = vexfs_trans_write(t, gdbuf);
	if (!err)
		err = vexfs_ibitmap_change(t, fs, &b, &change);
	vexfs_ibitmap_put(&b);
	return err;
}

int vexfs_ifree(struct vexfs_trans *t, struct vexfs_fs *fs, u64 ino, bool dir)
{
	u32 group, index;
	int err;

	if (!vexfs_ino_valid(fs, ino) || ino < VEXFS_FIRST_INO)
		return VEXFS_CORRUPTED(fs, ino, 0, "reserved inode freed");
	vexfs_ino_place(fs, ino, &group, &index);
	vexfs_group_lock(fs, group);
	err = vexfs_ifree_group(t, fs, ino, group, index, dir);
	vexfs_group_unlock(fs, group);
	return err;
}

int vexfs_inode_allocated(struct vexfs_fs *fs, u64 ino)
{
	struct vexfs_group_desc *gd;
	struct vexfs_ibitmap b;
	u32 group, index;
	int ret = 0;

	if (!vexfs_ino_valid(fs, ino))
		return -EINVAL;
	if (ino == VEXFS_ROOT_INO)
		return 1;
	vexfs_ino_place(fs, ino, &group, &index);
	gd = vexfs_group_desc(fs, group, NULL);
	vexfs_group_lock(fs, group);
	if (!vexfs_ibitmap_is_uninit(gd)) {
		ret = vexfs_ibitmap_read(fs, group, &b);
		if (!ret) {
			ret = vexfs_ibitmap_test(&b, index);
			vexfs_ibitmap_put(&b);
		}
	}
	vexfs_group_unlock(fs, group);
	return ret;
}

/* An inode that a directory entry, a handle or the orphan list may name. */
bool vexfs_ino_valid(struct vexfs_fs *fs, u64 ino)
{
	const struct vexfs_geom *g = &fs->geom;
	u64 group;

	if (ino != VEXFS_ROOT_INO && ino < VEXFS_FIRST_INO)
		return false;
	group = div_u64(ino - 1, g->inodes_per_group);
	return group < g->groups &&
	       ino - 1 - group * g->inodes_per_group <
	       vexfs_group_inodes(g, group);
}

/* The first cluster at or behind the inode's group that data may have. */
u64 vexfs_ino_group_goal(struct vexfs_fs *fs, u64 ino)
{
	const struct vexfs_geom *g = &fs->geom;
	u32 group = div_u64(ino - 1, g->inodes_per_group);
	u64 index = g->journal_clusters + g->vector_clusters;

	if (group >= g->groups)
		return 0;
	return vexfs_data_cluster(g, max(index, vexfs_data_first(g, group)));
}

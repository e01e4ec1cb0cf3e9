// SPDX-License-Identifier: GPL-2.0
/*
 * Mapping of file data for iomap. Blocks are always allocated unwritten, in a
 * transaction of their own, before the folios that go there are dirty; so
 * writeback only looks mappings up, and ioend.c converts when it is done.
 *
 * A handle may be started with a folio locked (page faults do), never the
 * other way round.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include <linux/fs.h>
#include <linux/iomap.h>
#include <linux/jbd2.h>
#include <linux/pagemap.h>
#include <linux/quotaops.h>
#include <linux/writeback.h>

#include "vexfs.h"

/* Longest range asked from the allocator at once: one group. */
#define VEXFS_MAX_MAP	(VEXFS_GROUP_BYTES >> VEXFS_BLOCK_SHIFT)

unsigned int vexfs_alloc_flags(const struct inode *inode)
{
	if (vexfs_is_collection(inode) || vexfs_is_fork(inode))
		return VEXFS_ALLOC_VECTOR;
	return 0;
}

/*
 * True while the metadata that leads to the data is not on disk yet: then a
 * FUA write alone doesn't make a synchronous direct write durable.
 */
static bool vexfs_map_dirty(struct inode *inode)
{
	struct vexfs_sb_info *sbi = VEXFS_SB(inode->i_sb);
	tid_t tid = READ_ONCE(VEXFS_I(inode)->datasync_tid);

	if (!sbi->journal)
		return false;
	return !vexfs_journal_has(inode->i_sb, tid);
}

static void vexfs_fill_iomap(struct inode *inode, struct iomap *iomap,
			     const struct vexfs_map *map, u32 seq, u16 flags)
{
	iomap->offset = (loff_t)map->lblk << VEXFS_BLOCK_SHIFT;
	iomap->length = map->len << VEXFS_BLOCK_SHIFT;
	iomap->bdev = inode->i_sb->s_bdev;
	iomap->flags = flags;
	iomap->validity_cookie = seq;
	vexfs_iomap_set_ops(iomap, &vexfs_iomap_write_ops);
	if (!map->pblk) {
		iomap->type = IOMAP_HOLE;
		iomap->addr = IOMAP_NULL_ADDR;
		return;
	}
	iomap->type = map->unwritten ? IOMAP_UNWRITTEN : IOMAP_MAPPED;
	iomap->addr = map->pblk << VEXFS_BLOCK_SHIFT;
}

/* First block and number of blocks of [pos, pos + len), within bounds. */
static int vexfs_block_range(loff_t pos, u64 len, u64 *lblk, u64 *count)
{
	u64 first = pos >> VEXFS_BLOCK_SHIFT;
	u64 last = (pos + max_t(u64, len, 1) - 1) >> VEXFS_BLOCK_SHIFT;

	if (pos < 0 || first >= VEXFS_MAX_LBLK)
		return -EFBIG;
	*lblk = first;
	*count = min_t(u64, last - first + 1, VEXFS_MAX_LBLK - first);
	return 0;
}

/*
 * Looks up the mapping. @seq is read first, so that a change in between makes
 * the result stale and not the other way round.
 */
static int vexfs_lookup(struct inode *inode, u64 lblk, u64 count,
			struct vexfs_map *map, u32 *seq)
{
	struct vexfs_inode_info *info = VEXFS_I(inode);

	*seq = atomic_read_acquire(&info->map_seq);
	return vexfs_ext_lookup(&info->node, lblk, count, map);
}

static bool vexfs_iomap_valid(struct inode *inode, const struct iomap *iomap)
{
	u32 seq = atomic_read_acquire(&VEXFS_I(inode)->map_seq);

	return iomap->validity_cookie == seq;
}

const struct iomap_write_ops vexfs_iomap_write_ops = {
	.iomap_valid	= vexfs_iomap_valid,
};

/*
 * However long a hole is: who asks for all of a file's extents would be told
 * of 16 TiB behind them a group at a time.
 */
static int vexfs_read_begin(struct inode *inode, loff_t pos, loff_t length,
			    unsigned int flags, struct iomap *iomap,
			    struct iomap *srcmap)
{
	struct vexfs_map map;
	u64 lblk, count;
	u16 iflags = 0;
	u32 seq;
	int ret;

	if (vexfs_is_shutdown(inode->i_sb))
		return -EIO;
	ret = vexfs_block_range(pos, length, &lblk, &count);
	if (!ret)
		ret = vexfs_lookup(inode, lblk, count, &map, &seq);
	if (ret)
		return ret;
	if ((flags & IOMAP_REPORT) && vexfs_map_dirty(inode))
		iflags = IOMAP_F_DIRTY;
	vexfs_fill_iomap(inode, iomap, &map, seq, iflags);
	return 0;
}

const struct iomap_ops vexfs_read_iomap_ops = {
	.iomap_begin	= vexfs_read_begin,
};

/* Allocates in a transaction of its own; tries again when that may help. */
static int vexfs_allocate(struct inode *inode, u64 lblk, u64 count,
			  struct vexfs_map *map)
{
	struct super_block *sb = inode->i_sb;
	int ret, err, retries = 0;
	handle_t *handle;

	ret = dquot_initialize(inode);
	if (ret)
		return ret;
	do {
		handle = vexfs_journal_start(sb, VEXFS_WRITE_CREDITS);
		if (IS_ERR(handle))
			return PTR_ERR(handle);
		ret = vexfs_ext_allocate(handle, &VEXFS_I(inode)->node, lblk,
					 count, vexfs_alloc_flags(inode), map);
		vexfs_map_changed(inode);
		err = vexfs_log_inode(handle, inode);
		if (!ret)
			ret = err;
		err = vexfs_journal_stop(handle);
		if (!ret)
			ret = err;
	} while (ret == -ENOSPC && vexfs_should_retry(sb, &retries));
	return ret;
}

/* Allocates for the hole @map, or its beginning, which it then is. */
static int vexfs_map_new(struct inode *inode, loff_t pos, unsigned int flags,
			 struct vexfs_map *map, u32 *seq)
{
	u64 lblk = map->lblk, count = map->len;
	u32 ahead = 0;
	int ret;

	if (!(flags & IOMAP_FAULT))
		ahead = vexfs_ahead_want(inode, pos, lblk, count);
	ret = vexfs_allocate(inode, lblk, count + ahead, map);
	if (ret == -EDQUOT && ahead)
		ret = vexfs_allocate(inode, lblk, count, map);
	if (ret)
		return ret;
	if (map->fresh && map->len > count)
		vexfs_ahead_have(inode, lblk + count, lblk + map->len);
	/* Nothing else has changed since the hole was looked up. */
	if (map->fresh &&
	    atomic_read_acquire(&VEXFS_I(inode)->map_seq) == *seq + 1) {
		map->len = min(count, map->len);
		*seq += 1;
		return 0;
	}
	/* The state may be another by now: look again, for @seq. */
	ret = vexfs_lookup(inode, lblk, min(count, map->len), map, seq);
	if (!ret && WARN_ON_ONCE(!map->pblk))
		ret = -EIO;
	return ret;
}

static int vexfs_map_for_write(struct inode *inode, loff_t pos, loff_t length,
			       unsigned int flags, struct iomap *iomap)
{
	struct vexfs_map map;
	u64 lblk, count;
	u16 iflags = 0;
	u32 seq;
	int ret;

	if (vexfs_is_shutdown(inode->i_sb))
		return -EIO;
	ret = vexfs_block_range(pos, length, &lblk, &count);
	if (ret)
		return ret;
	count = min_t(u64, count, VEXFS_MAX_MAP);
	ret = vexfs_lookup(inode, lblk, count, &map, &seq);
	if (ret)
		return ret;

	if (!map.pblk && (flags & IOMAP_WRITE)) {
		if (flags & IOMAP_NOWAIT)
			return -EAGAIN;
		ret = vexfs_map_new(inode, pos, flags, &map, &seq);
		if (ret)
			return ret;
		/* Written already: a page fault was quicker. Not to be zeroed. */
		iflags = map.unwritten ? IOMAP_F_NEW : 0;
	}
	vexfs_fill_iomap(inode, iomap, &map, seq, iflags);
	return 0;
}

static int vexfs_write_begin(struct inode *inode, loff_t pos, loff_t length,
			     unsigned int flags, struct iomap *iomap,
			     struct iomap *srcmap)
{
	return vexfs_map_for_write(inode, pos, length, flags, iomap);
}

/*
 * A short write gives back what was allocated behind the end of the file.
 * Only there: below it a page fault may have dirtied the blocks meanwhile.
 */
static int vexfs_write_end(struct inode *inode, loff_t pos, loff_t length,
			   ssize_t written, unsigned int flags,
			   struct iomap *iomap)
{
	u64 first, end;

	if (!(flags & IOMAP_WRITE) || (flags & IOMAP_FAULT) ||
	    !(iomap->flags & IOMAP_F_NEW) || written >= length ||
	    (iomap->flags & IOMAP_F_STALE))
		return 0;

	first = max_t(u64, i_size_read(inode), pos + written);
	first = DIV_ROUND_UP_ULL(first, VEXFS_BLOCK_SIZE);
	end = DIV_ROUND_UP_ULL(pos + length, VEXFS_BLOCK_SIZE);
	if (first >= end)
		return 0;
	truncate_pagecache_range(inode, first << VEXFS_BLOCK_SHIFT,
				 (end << VEXFS_BLOCK_SHIFT) - 1);
	/* The write has its own error, or was short; this one is a leak. */
	if (vexfs_free_range(inode, first, end))
		vexfs_warn(inode->i_sb,
			   "inode %llu: blocks behind the end not freed",
			   (u64)inode->i_ino);
	return 0;
}

const struct iomap_ops vexfs_write_iomap_ops = {
	.iomap_begin	= vexfs_write_begin,
	.iomap_end	= vexfs_write_end,
};

static int vexfs_dio_write_begin(struct inode *inode, loff_t pos,
				 loff_t length, unsigned int flags,
				 struct iomap *iomap, struct iomap *srcmap)
{
	int ret;

	ret = vexfs_map_for_write(inode, pos, length, flags, iomap);
	if (ret)
		return ret;
	/* Completion logs the inode if it must convert or raise the size. */
	if (vexfs_map_dirty(inode) ||
	    pos + length > READ_ONCE(VEXFS_I(inode)->disk_size))
		iomap->flags |= IOMAP_F_DIRTY;
	return 0;
}

const struct iomap_ops vexfs_dio_write_iomap_ops = {
	.iomap_begin	= vexfs_dio_write_begin,
	.iomap_end	= vexfs_write_end,
};

/*
 * Zeroes [pos, end) where it is written already. @end is not behind the size
 * that the file has or is getting: before 6.12 zeroing raises the size.
 */
static int vexfs_zero_range(struct inode *inode, loff_t pos, loff_t end)
{
	return iomap_zero_range(inode, pos, end - pos, NULL,
				&vexfs_write_iomap_ops,
				&vexfs_iomap_write_ops, NULL);
}

int vexfs_truncate_page(struct inode *inode, loff_t pos)
{
	loff_t end = min(round_up(pos, VEXFS_BLOCK_SIZE), i_size_read(inode));

	return pos < end ? vexfs_zero_range(inode, pos, end) : 0;
}

int vexfs_zero_tail(struct inode *inode, loff_t old, loff_t size)
{
	loff_t end = min(round_up(old, VEXFS_BLOCK_SIZE), size);
	int ret;

	if (old >= end)
		return 0;
	/*
	 * Zeroing skips unwritten blocks, and a dirty folio over one may have
	 * bytes behind the end that came through a mapping: writing it back
	 * zeroes those, and the block is written afterwards.
	 */
	ret = filemap_write_and_wait_range(inode->i_mapping, old, end - 1);
	if (!ret)
		ret = vexfs_zero_range(inode, old, end);
	if (!ret)
		ret = filemap_write_and_wait_range(inode->i_mapping, old,
						   end - 1);
	return ret;
}

/* Writeback */

static bool vexfs_wb_map_valid(struct iomap_writepage_ctx *wpc,
			       struct inode *inode, loff_t pos)
{
	const struct iomap *iomap = &wpc->iomap;

	return iomap->length && pos >= iomap->offset &&
	       pos < iomap->offset + (loff_t)iomap->length &&
	       iomap->type != IOMAP_HOLE && vexfs_iomap_valid(inode, iomap);
}

/*
 * The folio is locked and was mapped before it became dirty; what could take
 * its blocks away removes the folio first. So a hole is our own mistake,
 * unless the file was just made shorter.
 *
 * But for a large folio: while it is dirty it can't be split, so that one in
 * which a truncate ends stays, zeroed behind the end, with those blocks still
 * marked dirty. When the file has grown again writeback comes to them: the
 * hole is what they should be, and there is nothing to write.
 */
static int vexfs_map_blocks(struct iomap_writepage_ctx *wpc,
			    struct inode *inode, loff_t pos, unsigned int len)
{
	struct vexfs_map map;
	u64 lblk, count;
	u32 seq;
	int ret;

	if (vexfs_is_shutdown(inode->i_sb))
		return -EIO;
	if (vexfs_wb_map_valid(wpc, inode, pos))
		return 0;

	ret = vexfs_block_range(pos, U32_MAX, &lblk, &count);
	if (!ret)
		ret = vexfs_lookup(inode, lblk, count, &map, &seq);
	if (ret)
		return ret;
	vexfs_fill_iomap(inode, &wpc->iomap, &map, seq, 0);
	if (!map.pblk && pos < i_size_read(inode) &&
	    !mapping_large_folio_support(inode->i_mapping)) {
		WARN_ONCE(1, "vexfs: no block under dirty data, inode %llu\n",
			  (u64)inode->i_ino);
		return -EIO;
	}
	return 0;
}

VEXFS_DEFINE_WRITEPAGES(vexfs, vexfs_map_blocks, vexfs_ready_ioend)

static int vexfs_read_folio(struct file *file, struct folio *folio)
{
	iomap_bio_read_folio(folio, &vexfs_read_iomap_ops);
	return 0;
}

static void vexfs_readahead(struct readahead_control *rac)
{
	iomap_bio_readahead(rac, &vexfs_read_iomap_ops);
}

/* A collection's blocks are never only the swap's. */
static int vexfs_swap_activate(struct swap_info_struct *sis, struct file *file,
			       sector_t *span)
{
	if (vexfs_is_collection(file_inode(file)))
		return -EINVAL;
	return iomap_swapfile_activate(sis, file, span, &vexfs_read_iomap_ops);
}

const struct address_space_operations vexfs_aops = {
	.read_folio		= vexfs_read_folio,
	.readahead		= vexfs_readahead,
	.writepages		= vexfs_writepages,
	.dirty_folio		= iomap_dirty_folio,
	.release_folio		= iomap_release_folio,
	.invalidate_folio	= iomap_invalidate_folio,
	.is_partially_uptodate	= iomap_is_partially_uptodate,
	.migrate_folio		= filemap_migrate_folio,
	.error_remove_folio	= generic_error_remove_folio,
	.swap_activate		= vexfs_swap_activate,
};

// SPDX-License-Identifier: GPL-2.0
/*
 * fallocate(): reserving blocks ahead of the data, and giving them back.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include <linux/fs.h>
#include <linux/falloc.h>
#include <linux/iomap.h>
#include <linux/iversion.h>
#include <linux/jbd2.h>
#include <linux/pagemap.h>

#include "vexfs.h"

#define VEXFS_FALLOC_SHIFT	(FALLOC_FL_COLLAPSE_RANGE | \
				 FALLOC_FL_INSERT_RANGE)

/* Maps one run at @lblk; *done says how many blocks of it are mapped now. */
static int vexfs_prealloc_run(struct inode *inode, u64 lblk, u64 count,
			      u64 *done)
{
	struct vexfs_map map = { };
	handle_t *handle;
	int ret, err;

	handle = vexfs_journal_start(inode->i_sb, VEXFS_WRITE_CREDITS);
	if (IS_ERR(handle))
		return PTR_ERR(handle);
	ret = vexfs_ext_allocate(handle, &VEXFS_I(inode)->node, lblk, count,
				 vexfs_alloc_flags(inode), &map);
	if (!ret)
		ret = vexfs_log_inode(handle, inode);
	vexfs_map_changed(inode);
	err = vexfs_journal_stop(handle);
	*done = map.len;
	return ret ? ret : err;
}

static int vexfs_prealloc(struct inode *inode, loff_t offset, loff_t len)
{
	u64 lblk = offset >> VEXFS_BLOCK_SHIFT;
	u64 end = DIV_ROUND_UP_ULL(offset + len, VEXFS_BLOCK_SIZE);
	int ret, retries = 0;
	u64 done;

	while (lblk < end) {
		if (fatal_signal_pending(current))
			return -EINTR;
		cond_resched();
		ret = vexfs_prealloc_run(inode, lblk, end - lblk, &done);
		if (ret == -ENOSPC && vexfs_should_retry(inode->i_sb, &retries))
			continue;
		if (ret)
			return ret;
		lblk += done;
		retries = 0;
	}
	return 0;
}

/*
 * Makes the file longer without writing: what is between the size on disk and
 * the size in memory is written first, as the former jumps to the new end.
 */
static int vexfs_extend(struct inode *inode, loff_t size)
{
	struct vexfs_inode_info *info = VEXFS_I(inode);
	loff_t old = i_size_read(inode);
	handle_t *handle;
	int ret, err;

	if (size <= old)
		return 0;
	ret = vexfs_zero_tail(inode, old, size);
	if (!ret)
		ret = filemap_write_and_wait(inode->i_mapping);
	if (ret)
		return ret;
	handle = vexfs_journal_start(inode->i_sb, VEXFS_INODE_CREDITS);
	if (IS_ERR(handle))
		return PTR_ERR(handle);
	i_size_write(inode, size);
	mutex_lock(&info->disk_lock);
	WRITE_ONCE(info->disk_size, size);
	mutex_unlock(&info->disk_lock);
	ret = vexfs_log_inode(handle, inode);
	err = vexfs_journal_stop(handle);
	pagecache_isize_extended(inode, old, size);
	return ret ? ret : err;
}

/* Zeroes [offset, end) inside of one block, where it is written already. */
static int vexfs_zero_part(struct inode *inode, loff_t offset, loff_t end)
{
	end = min(end, i_size_read(inode));
	if (offset >= end)
		return 0;
	return iomap_zero_range(inode, offset, end - offset, NULL,
				&vexfs_write_iomap_ops,
				&vexfs_iomap_write_ops, NULL);
}

/*
 * Takes the blocks inside of [offset, end) away and zeroes what is left at
 * both ends. Dirty data is written first: zeroing looks at the mapping and
 * would skip blocks that are still unwritten.
 */
static int vexfs_punch(struct inode *inode, loff_t offset, loff_t end)
{
	loff_t first = round_up(offset, VEXFS_BLOCK_SIZE);
	loff_t last = round_down(end, VEXFS_BLOCK_SIZE);
	int ret;

	ret = filemap_write_and_wait_range(inode->i_mapping, offset, end - 1);
	if (ret)
		return ret;
	ret = vexfs_zero_part(inode, offset, min(first, end));
	if (!ret && last >= first)
		ret = vexfs_zero_part(inode, last, end);
	if (ret || first >= last)
		return ret;
	truncate_pagecache_range(inode, first, last - 1);
	return vexfs_free_range(inode, first >> VEXFS_BLOCK_SHIFT,
				last >> VEXFS_BLOCK_SHIFT);
}

/* What is behind the range is on disk, and no page says otherwise. */
static int vexfs_flush_behind(struct inode *inode, loff_t offset)
{
	int ret = filemap_write_and_wait_range(inode->i_mapping, offset,
					       LLONG_MAX);

	if (!ret)
		ret = filemap_write_and_wait_range(inode->i_mapping,
						   VEXFS_I(inode)->disk_size,
						   LLONG_MAX);
	if (!ret)
		truncate_pagecache(inode, offset);
	return ret;
}

/* Blocks move in whole clusters. */
static bool vexfs_shift_aligned(struct inode *inode, loff_t offset, loff_t len)
{
	u32 size = VEXFS_FS(inode->i_sb)->geom.cluster_size;

	return !((offset | len) & (size - 1));
}

static int vexfs_collapse(struct inode *inode, loff_t offset, loff_t len)
{
	loff_t size = i_size_read(inode);
	int ret;

	if (!vexfs_shift_aligned(inode, offset, len) || offset + len >= size)
		return -EINVAL;
	ret = vexfs_flush_behind(inode, offset);
	if (ret)
		return ret;
	return vexfs_collapse_range(inode, offset >> VEXFS_BLOCK_SHIFT,
				    (offset + len) >> VEXFS_BLOCK_SHIFT,
				    size - len);
}

static int vexfs_insert(struct inode *inode, loff_t offset, loff_t len)
{
	loff_t size = i_size_read(inode);
	u64 last;
	int ret;

	if (!vexfs_shift_aligned(inode, offset, len) || offset >= size)
		return -EINVAL;
	ret = inode_newsize_ok(inode, size + len);
	if (!ret)
		ret = vexfs_flush_behind(inode, offset);
	if (!ret)
		ret = vexfs_ext_last(&VEXFS_I(inode)->node, &last);
	if (ret)
		return ret;
	/* Blocks were reserved behind the end of the file, up to the limit. */
	if (last + (len >> VEXFS_BLOCK_SHIFT) > VEXFS_MAX_LBLK)
		return -EFBIG;
	return vexfs_insert_range(inode, offset >> VEXFS_BLOCK_SHIFT,
				  (offset + len) >> VEXFS_BLOCK_SHIFT,
				  size + len);
}

static int vexfs_fallocate_locked(struct file *file, int mode, loff_t offset,
				  loff_t len)
{
	struct inode *inode = file_inode(file);
	bool keep = mode & FALLOC_FL_KEEP_SIZE;
	int ret;

	/* It may have become a collection while we waited for the lock. */
	if (vexfs_is_collection(inode))
		return -EPERM;
	if (!keep && !(mode & VEXFS_FALLOC_SHIFT)) {
		ret = inode_newsize_ok(inode, offset + len);
		if (ret)
			return ret;
	}
	inode_dio_wait(inode);
	ret = file_modified(file);
	/* What is behind the end afterwards is what the caller wanted there. */
	if (!ret)
		ret = vexfs_ahead_drop(inode);
	if (ret)
		return ret;
	if (mode & FALLOC_FL_COLLAPSE_RANGE)
		return vexfs_collapse(inode, offset, len);
	if (mode & FALLOC_FL_INSERT_RANGE)
		return vexfs_insert(inode, offset, len);
	if (mode & (FALLOC_FL_PUNCH_HOLE | FALLOC_FL_ZERO_RANGE)) {
		ret = vexfs_punch(inode, offset, offset + len);
		if (ret)
			return ret;
	}
	if (mode & FALLOC_FL_PUNCH_HOLE)
		return 0;
	ret = vexfs_prealloc(inode, offset, len);
	if (ret || keep)
		return ret;
	return vexfs_extend(inode, offset + len);
}

long vexfs_fallocate(struct file *file, int mode, loff_t offset, loff_t len)
{
	struct inode *inode = file_inode(file);
	int ret;

	if (vexfs_is_shutdown(inode->i_sb))
		return -EIO;
	if (vexfs_is_collection(inode))
		return -EPERM;
	if (mode & ~(FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE |
		     FALLOC_FL_ZERO_RANGE | VEXFS_FALLOC_SHIFT))
		return -EOPNOTSUPP;

	inode_lock(inode);
	filemap_invalidate_lock(inode->i_mapping);
	ret = vexfs_fallocate_locked(file, mode, offset, len);
	filemap_invalidate_unlock(inode->i_mapping);
	inode_unlock(inode);
	if (!ret && (file->f_flags & O_DSYNC))
		ret = vfs_fsync(file, 1);
	return ret;
}

// SPDX-License-Identifier: GPL-2.0
/*
 * Taking blocks away from inodes: truncation and deletion, in as many
 * transactions as it takes.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include <linux/fs.h>
#include <linux/pagemap.h>
#include <linux/quotaops.h>

#include "trace.h"
#include "vexfs.h"

/* Enough for a step, and for the end of it all. */
#define VEXFS_REMOVE_CREDITS \
	(VEXFS_TRUNCATE_CREDITS + VEXFS_ORPHAN_CREDITS)

static u64 vexfs_size_blocks(loff_t size)
{
	return DIV_ROUND_UP_ULL(size, VEXFS_BLOCK_SIZE);
}

/*
 * Frees [lblk, end). The inode is logged first in each transaction: its block
 * then belongs to it, and logging what remove left takes no credit.
 */
static int vexfs_remove_blocks(handle_t *handle, struct inode *inode,
			       u64 lblk, u64 end)
{
	struct vexfs_inode_info *info = VEXFS_I(inode);
	bool more;
	int err, err2;

	trace_vexfs_free(inode, lblk, 0, end - lblk);
	for (;;) {
		err = vexfs_log_inode(handle, inode);
		if (err)
			return err;
		err = vexfs_ext_remove(handle, &info->node, lblk, end, &more);
		vexfs_map_changed(inode);
		err2 = vexfs_log_inode(handle, inode);
		if (err || err2 || !more)
			return err ?: err2;
		err = vexfs_journal_restart(handle, VEXFS_REMOVE_CREDITS);
		if (err)
			return err;
		cond_resched();
	}
}

int vexfs_free_range(struct inode *inode, u64 lblk, u64 end)
{
	handle_t *handle;
	int err, err2;

	err = dquot_initialize(inode);
	if (err)
		return err;
	handle = vexfs_journal_start(inode->i_sb, VEXFS_REMOVE_CREDITS);
	if (IS_ERR(handle))
		return PTR_ERR(handle);
	err = vexfs_remove_blocks(handle, inode, lblk, end);
	err2 = vexfs_journal_stop(handle);
	return err ?: err2;
}

static int vexfs_shift_blocks(handle_t *handle, struct inode *inode,
			      struct vexfs_shift *shift)
{
	struct vexfs_inode_info *info = VEXFS_I(inode);
	bool more;
	int err, err2;

	for (;;) {
		err = vexfs_log_inode(handle, inode);
		if (err)
			return err;
		err = vexfs_ext_shift(handle, &info->node, shift, &more);
		vexfs_map_changed(inode);
		WRITE_ONCE(info->datasync_tid, vexfs_handle_tid(handle));
		err2 = vexfs_log_inode(handle, inode);
		if (err || err2 || !more)
			return err ?: err2;
		err = vexfs_journal_restart(handle, VEXFS_REMOVE_CREDITS);
		if (err)
			return err;
	}
}

static void vexfs_set_disk_size(struct inode *inode, loff_t size)
{
	struct vexfs_inode_info *info = VEXFS_I(inode);

	mutex_lock(&info->disk_lock);
	WRITE_ONCE(info->disk_size, size);
	mutex_unlock(&info->disk_lock);
}

/*
 * What lies between the size on disk and the new one must be on disk before
 * the size is: bytes already written here, and the zeroes behind the old end.
 */
static int vexfs_truncate_up(struct inode *inode, loff_t old, loff_t size)
{
	struct vexfs_inode_info *info = VEXFS_I(inode);
	loff_t disk = READ_ONCE(info->disk_size);
	handle_t *handle;
	int err, err2;

	err = vexfs_zero_tail(inode, old, size);
	if (!err && disk < old)
		err = filemap_write_and_wait_range(inode->i_mapping, disk,
						   old - 1);
	if (err)
		return err;
	handle = vexfs_journal_start(inode->i_sb, VEXFS_INODE_CREDITS);
	if (IS_ERR(handle))
		return PTR_ERR(handle);
	i_size_write(inode, size);
	vexfs_set_disk_size(inode, size);
	err = vexfs_log_inode(handle, inode);
	err2 = vexfs_journal_stop(handle);
	pagecache_isize_extended(inode, old, size);
	return err ?: err2;
}

/* Frees all behind @size, and takes the inode off the orphan list then. */
static int vexfs_remove_tail(handle_t *handle, struct inode *inode,
			     loff_t size)
{
	int err;

	err = vexfs_remove_blocks(handle, inode, vexfs_size_blocks(size),
				  VEXFS_MAX_LBLK);
	if (!err)
		err = vexfs_journal_ensure(handle, VEXFS_ORPHAN_CREDITS);
	if (!err && inode->i_nlink)
		err = vexfs_del_orphan(handle, inode);
	return err;
}

/*
 * The pages behind the new size are gone, and with them every write that
 * might still have raised the size on disk; then the size goes down together
 * with an entry on the orphan list, and only then are blocks freed.
 */
static int vexfs_truncate_down(struct inode *inode, loff_t size)
{
	handle_t *handle;
	int err, err2;

	err = vexfs_truncate_page(inode, size);
	/* The size on disk must not pass what was written. */
	if (!err && READ_ONCE(VEXFS_I(inode)->disk_size) < size)
		err = filemap_write_and_wait_range(inode->i_mapping,
						   VEXFS_I(inode)->disk_size,
						   size - 1);
	if (err)
		return err;
	truncate_setsize(inode, size);
	handle = vexfs_journal_start(inode->i_sb, VEXFS_REMOVE_CREDITS);
	if (IS_ERR(handle))
		return PTR_ERR(handle);
	vexfs_ahead_forget(inode);
	err = vexfs_add_orphan(handle, inode);
	if (err)
		goto out_stop;
	vexfs_set_disk_size(inode, size);
	err = vexfs_remove_tail(handle, inode, size);
out_stop:
	err2 = vexfs_journal_stop(handle);
	return err ?: err2;
}

static void vexfs_resize(struct inode *inode, loff_t size)
{
	i_size_write(inode, size);
	vexfs_set_disk_size(inode, size);
}

/*
 * All in one transaction, unless the file has thousands of extents: then a
 * crash may leave it with the range gone and a hole somewhere behind.
 */
int vexfs_collapse_range(struct inode *inode, u64 lblk, u64 end, loff_t size)
{
	struct vexfs_shift shift = { .from = end, .blocks = end - lblk };
	handle_t *handle;
	int err, err2;

	handle = vexfs_journal_start(inode->i_sb, VEXFS_REMOVE_CREDITS);
	if (IS_ERR(handle))
		return PTR_ERR(handle);
	err = vexfs_remove_blocks(handle, inode, lblk, end);
	if (!err)
		err = vexfs_journal_ensure(handle, VEXFS_REMOVE_CREDITS);
	if (!err)
		err = vexfs_shift_blocks(handle, inode, &shift);
	if (!err) {
		vexfs_resize(inode, size);
		err = vexfs_log_inode(handle, inode);
	}
	err2 = vexfs_journal_stop(handle);
	return err ?: err2;
}

/* The size first: what moves behind the old one must not be lost. */
int vexfs_insert_range(struct inode *inode, u64 lblk, u64 end, loff_t size)
{
	struct vexfs_shift shift = {
		.from	= lblk,
		.blocks	= end - lblk,
		.up	= true,
	};
	loff_t old = i_size_read(inode);
	handle_t *handle;
	int err, err2;

	handle = vexfs_journal_start(inode->i_sb, VEXFS_REMOVE_CREDITS);
	if (IS_ERR(handle))
		return PTR_ERR(handle);
	vexfs_resize(inode, size);
	err = vexfs_shift_blocks(handle, inode, &shift);
	if (err == -ENOSPC) {
		vexfs_resize(inode, old);
		vexfs_log_inode(handle, inode);
	}
	err2 = vexfs_journal_stop(handle);
	return err ?: err2;
}

static bool vexfs_has_extents(struct inode *inode)
{
	return VEXFS_I(inode)->node.root.er_count;
}

int vexfs_truncate(struct inode *inode, loff_t size)
{
	loff_t old = i_size_read(inode);
	int err;

	if (!size && !old && !vexfs_has_extents(inode) &&
	    !VEXFS_I(inode)->orphan)
		return 0;
	err = dquot_initialize(inode);
	if (err)
		return err;
	return size > old ? vexfs_truncate_up(inode, old, size) :
			    vexfs_truncate_down(inode, size);
}

/*
 * The blocks of directories and symlinks are metadata, which the journal may
 * still be going to write back: revoked before they are freed, or it would do
 * so over the next owner's data. They are read no more, so a transaction
 * before the one that frees them does as well.
 */
static int vexfs_forget_blocks(handle_t *handle, struct inode *inode)
{
	struct vexfs_node *node = &VEXFS_I(inode)->node;
	struct vexfs_map map;
	u64 lblk, i;
	int err;

	for (lblk = 0; lblk < VEXFS_MAX_LBLK; lblk += map.len) {
		err = vexfs_ext_lookup(node, lblk, VEXFS_MAX_LBLK - lblk, &map);
		if (err)
			return err;
		for (i = 0; map.pblk && !map.unwritten && i < map.len; i++) {
			if (vexfs_trans_credits(handle) < 1)
				err = vexfs_journal_restart(handle,
							    VEXFS_REMOVE_CREDITS);
			if (!err)
				err = vexfs_trans_forget(handle, node->fs, NULL,
							 map.pblk + i);
			if (err)
				return err;
		}
	}
	return vexfs_journal_ensure(handle, VEXFS_REMOVE_CREDITS);
}

/* The blocks of attributes; with the same rule about logging as above. */
static int vexfs_remove_xattrs(handle_t *handle, struct inode *inode)
{
	bool more = true;
	int err, err2;

	for (;;) {
		err = vexfs_log_inode(handle, inode);
		if (err)
			return err;
		err = vexfs_xattr_free(handle, &VEXFS_I(inode)->node, &more);
		err2 = vexfs_log_inode(handle, inode);
		if (err || err2 || !more)
			return err ?: err2;
		err = vexfs_journal_restart(handle, VEXFS_REMOVE_CREDITS);
		if (err)
			return err;
	}
}

/*
 * The last transaction takes the inode off the orphan list, marks it free on
 * disk and frees its number, so that a crash finds it deleted or an orphan.
 */
static int vexfs_delete_inode(handle_t *handle, struct inode *inode)
{
	struct vexfs_inode_info *info = VEXFS_I(inode);
	int err = 0;

	if (!S_ISREG(inode->i_mode) && vexfs_has_extents(inode))
		err = vexfs_forget_blocks(handle, inode);
	if (!err && vexfs_has_extents(inode))
		err = vexfs_remove_blocks(handle, inode, 0, VEXFS_MAX_LBLK);
	if (!err && (info->node.xattr_block || info->node.xattr_len))
		err = vexfs_remove_xattrs(handle, inode);
	if (!err)
		err = vexfs_journal_ensure(handle, VEXFS_ORPHAN_CREDITS +
						   VEXFS_IALLOC_CREDITS +
						   VEXFS_INODE_CREDITS);
	if (!err)
		err = vexfs_del_orphan(handle, inode);
	if (!err)
		err = vexfs_log_inode(handle, inode);
	if (!err)
		err = vexfs_ifree(handle, info->node.fs, inode->i_ino,
				  S_ISDIR(inode->i_mode));
	if (!err)
		dquot_free_inode(inode);
	return err;
}

/*
 * Writing while an inode is evicted: freezing waits for it. Inside a handle it
 * does so already.
 */
bool vexfs_evict_begin(struct super_block *sb)
{
	if (journal_current_handle())
		return false;
	sb_start_intwrite(sb);
	return true;
}

void vexfs_evict_end(struct super_block *sb, bool began)
{
	if (began)
		sb_end_intwrite(sb);
}

/* Whose quota the inode counts in; that may be the first anybody asks. */
static int vexfs_evict_quota(struct inode *inode)
{
	bool began = vexfs_evict_begin(inode->i_sb);
	int err = dquot_initialize(inode);

	vexfs_evict_end(inode->i_sb, began);
	return err;
}

static void vexfs_evict_unlinked(struct inode *inode)
{
	struct super_block *sb = inode->i_sb;
	handle_t *handle;
	bool began;
	int err;

	trace_vexfs_evict(inode);
	err = vexfs_evict_quota(inode);
	/* Evicts its forks, each by itself. */
	if (!err && vexfs_is_collection(inode) && vexfs_coll_evict(inode))
		return;
	began = vexfs_evict_begin(sb);
	if (err)
		goto out_warn;
	handle = vexfs_journal_start(sb, VEXFS_REMOVE_CREDITS);
	if (IS_ERR(handle))
		goto out;
	err = vexfs_delete_inode(handle, inode);
	vexfs_journal_stop(handle);
out_warn:
	if (err)
		vexfs_warn(sb, "inode %llu was not deleted: error %d",
			   (u64)inode->i_ino, err);
out:
	vexfs_evict_end(sb, began);
}

static int vexfs_drop_orphan(struct inode *inode)
{
	handle_t *handle;
	int err, err2;

	handle = vexfs_journal_start(inode->i_sb, VEXFS_ORPHAN_CREDITS);
	if (IS_ERR(handle))
		return PTR_ERR(handle);
	err = vexfs_del_orphan(handle, inode);
	err2 = vexfs_journal_stop(handle);
	return err ?: err2;
}

static int vexfs_free_tail(struct inode *inode)
{
	handle_t *handle;
	int err, err2;

	handle = vexfs_journal_start(inode->i_sb, VEXFS_REMOVE_CREDITS);
	if (IS_ERR(handle))
		return PTR_ERR(handle);
	err = vexfs_remove_tail(handle, inode, i_size_read(inode));
	err2 = vexfs_journal_stop(handle);
	return err ?: err2;
}

/* What nobody could give back when the last writer closed. */
static void vexfs_evict_ahead(struct inode *inode)
{
	bool began = vexfs_evict_begin(inode->i_sb);

	vexfs_ahead_drop(inode);
	vexfs_evict_end(inode->i_sb, began);
}

/*
 * A truncate that failed half way is finished here. If it fails once more the
 * blocks are left to fsck, but not the inode on the list: who loads it again
 * doesn't know that it is there.
 */
static void vexfs_evict_truncated(struct inode *inode)
{
	struct super_block *sb = inode->i_sb;
	int err = vexfs_evict_quota(inode);
	bool began = vexfs_evict_begin(sb);

	if (!err)
		err = vexfs_free_tail(inode);
	if (err) {
		vexfs_warn(sb, "inode %llu: blocks behind its end are not freed: error %d",
			   (u64)inode->i_ino, err);
		vexfs_drop_orphan(inode);
	}
	vexfs_evict_end(sb, began);
}

void vexfs_evict_inode(struct inode *inode)
{
	truncate_inode_pages_final(&inode->i_data);
	/* All writeback has ended; its worker may be on its last lines. */
	flush_work(&VEXFS_I(inode)->ioend_work);
	if (!is_bad_inode(inode) && !sb_rdonly(inode->i_sb)) {
		if (!inode->i_nlink)
			vexfs_evict_unlinked(inode);
		else if (VEXFS_I(inode)->orphan)
			vexfs_evict_truncated(inode);
		else if (VEXFS_I(inode)->ahead_end)
			vexfs_evict_ahead(inode);
	}
	vexfs_ahead_forget(inode);
	vexfs_forget_orphan(inode);
	dquot_drop(inode);
	clear_inode(inode);
}

// SPDX-License-Identifier: GPL-2.0
/*
 * fsync(): data and the end of its writes, then the transactions of the
 * inode, then the device's cache.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include <linux/blkdev.h>
#include <linux/fs.h>
#include <linux/jbd2.h>

#include "vexfs.h"

/* Commits what @inode changed last; flushes if the commit didn't. */
static int vexfs_fsync_journal(struct inode *inode, bool datasync)
{
	struct vexfs_inode_info *info = VEXFS_I(inode);
	journal_t *journal = VEXFS_SB(inode->i_sb)->journal;
	bool flush;
	tid_t tid;
	int ret, err;

	/* The entries of a directory are its data. */
	if (datasync && S_ISREG(inode->i_mode))
		tid = READ_ONCE(info->datasync_tid);
	else
		tid = READ_ONCE(info->sync_tid);

	/*
	 * A commit flushes the device before its last block, and so the data
	 * written before. Without one to wait for, the data has only reached
	 * the device's cache.
	 */
	flush = (journal->j_flags & JBD2_BARRIER) &&
		!jbd2_trans_will_send_data_barrier(journal, tid);
	ret = vexfs_journal_wait(inode->i_sb, tid);
	if (!flush)
		return ret;
	err = blkdev_issue_flush(inode->i_sb->s_bdev);
	return ret ? ret : err;
}

int vexfs_fsync(struct file *file, loff_t start, loff_t end, int datasync)
{
	struct inode *inode = file->f_mapping->host;
	int ret, err;

	if (vexfs_is_shutdown(inode->i_sb))
		return -EIO;
	if (vexfs_is_collection(inode)) {
		ret = vexfs_coll_sync(inode);
		if (ret)
			goto out;
	}
	/* An error of this is the file's, and found below. */
	filemap_fdatawrite_range(file->f_mapping, start, end);
	vexfs_ioend_help(inode);
	ret = file_write_and_wait_range(file, start, end);
	/* Read-only because the journal failed: what was written is not safe */
	if (!ret && test_bit(VEXFS_SBF_ABORTED, &VEXFS_SB(inode->i_sb)->flags))
		ret = -EROFS;
	if (ret || sb_rdonly(inode->i_sb))
		goto out;
	ret = vexfs_fsync_journal(inode, datasync);
out:
	err = file_check_and_advance_wb_err(file);
	return ret ? ret : err;
}

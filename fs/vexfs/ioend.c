// SPDX-License-Identifier: GPL-2.0
/*
 * The end of writes: extents that were written are marked so, and the size on
 * disk follows, in one transaction after the data is on its way to stable
 * storage. A folio leaves writeback after that, so waiting for writeback
 * waits for the metadata to be in the journal too.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include <linux/bio.h>
#include <linux/fs.h>
#include <linux/iomap.h>
#include <linux/jbd2.h>
#include <linux/sched/mm.h>
#include <linux/workqueue.h>

#include "vexfs.h"

/* Some extents in one transaction, and the inode. */
#define VEXFS_CONVERT_CREDITS	(4 * VEXFS_EXT_CREDITS + VEXFS_INODE_CREDITS)

/* Ioends converted in one handle, unless they need more than it has. */
#define VEXFS_IOEND_BATCH	32
/* How often a helper waits before it leaves the rest to the worker. */
#define VEXFS_HELP_ROUNDS	16

/*
 * Raises the size on disk to @end, but never past the size in memory: a
 * truncate lowers that first and waits for writeback before it lowers ours.
 */
static void vexfs_raise_disk_size(struct inode *inode, loff_t end)
{
	struct vexfs_inode_info *info = VEXFS_I(inode);
	u64 size;

	mutex_lock(&info->disk_lock);
	size = min_t(u64, end, i_size_read(inode));
	if (size > info->disk_size)
		WRITE_ONCE(info->disk_size, size);
	mutex_unlock(&info->disk_lock);
}

/* Converts [*lblk, end); *lblk says how far it came. */
static int vexfs_convert_extents(handle_t *handle, struct inode *inode,
				 u64 *lblk, u64 end)
{
	struct vexfs_inode_info *info = VEXFS_I(inode);
	u64 done;
	int ret;

	while (*lblk < end) {
		ret = vexfs_ext_convert(handle, &info->node, *lblk,
					end - *lblk, &done);
		vexfs_map_changed(inode);
		/* Not seen in the inode when it happened deep in the tree. */
		WRITE_ONCE(info->datasync_tid, vexfs_handle_tid(handle));
		if (ret)
			return ret;
		*lblk += done;
		if (*lblk >= end)
			break;
		/* What is committed as written may not lie behind the end. */
		vexfs_raise_disk_size(inode, (loff_t)*lblk << VEXFS_BLOCK_SHIFT);
		ret = vexfs_log_inode(handle, inode);
		if (!ret)
			ret = vexfs_journal_restart(handle,
						    VEXFS_CONVERT_CREDITS);
		if (ret)
			return ret;
	}
	return 0;
}

static int vexfs_convert_once(struct inode *inode, u64 *lblk, u64 end,
			      loff_t size)
{
	handle_t *handle;
	int ret, err;

	handle = vexfs_journal_start(inode->i_sb, VEXFS_CONVERT_CREDITS);
	if (IS_ERR(handle))
		return PTR_ERR(handle);
	ret = vexfs_convert_extents(handle, inode, lblk, end);
	if (!ret)
		vexfs_raise_disk_size(inode, size);
	/* Also after an error: what was converted may be in the root. */
	err = vexfs_log_inode(handle, inode);
	if (!ret)
		ret = err;
	err = vexfs_journal_stop(handle);
	return ret ? ret : err;
}

int vexfs_convert_range(struct inode *inode, loff_t pos, u64 len)
{
	u64 lblk = pos >> VEXFS_BLOCK_SHIFT;
	u64 end = DIV_ROUND_UP_ULL(pos + len, VEXFS_BLOCK_SIZE);
	int ret, retries = 0;

	/* Splitting an extent may need a block for the tree. */
	do {
		ret = vexfs_convert_once(inode, &lblk, end, pos + len);
	} while (ret == -ENOSPC &&
		 vexfs_retry_committed(inode->i_sb, &retries));
	return ret;
}

static int vexfs_ioend_error(struct iomap_ioend *ioend)
{
	return blk_status_to_errno(vexfs_ioend_bio(ioend)->bi_status);
}

/* With room in @handle for what one may need. */
static int vexfs_convert_ioend(handle_t *handle, struct inode *inode,
			       struct iomap_ioend *ioend)
{
	loff_t pos = ioend->io_offset;
	loff_t size = pos + ioend->io_size;
	u64 lblk = pos >> VEXFS_BLOCK_SHIFT;
	int ret = 0;

	if (vexfs_trans_credits(handle) < VEXFS_WRITE_CREDITS) {
		ret = vexfs_log_inode(handle, inode);
		if (!ret)
			ret = vexfs_journal_restart(handle,
						    VEXFS_CONVERT_CREDITS);
	}
	/* What is written already only raises the size. */
	if (!ret && vexfs_ioend_unwritten(ioend))
		ret = vexfs_convert_extents(handle, inode, &lblk,
					    DIV_ROUND_UP_ULL(size,
							     VEXFS_BLOCK_SIZE));
	if (!ret)
		vexfs_raise_disk_size(inode, size);
	return ret;
}

/*
 * Many small writes end together: one handle, and the inode logged once. An
 * error says nothing about how far it came.
 */
static int vexfs_convert_batch(struct inode *inode,
			       struct iomap_ioend **ioends, int n)
{
	handle_t *handle;
	int i, err, ret = 0;

	handle = vexfs_journal_start(inode->i_sb, VEXFS_CONVERT_CREDITS);
	if (IS_ERR(handle))
		return PTR_ERR(handle);
	for (i = 0; !ret && i < n; i++)
		if (!vexfs_ioend_error(ioends[i]))
			ret = vexfs_convert_ioend(handle, inode, ioends[i]);
	err = vexfs_log_inode(handle, inode);
	if (!ret)
		ret = err;
	err = vexfs_journal_stop(handle);
	return ret ? ret : err;
}

/* Each by itself when together they failed: to convert twice does no harm. */
static void vexfs_finish_batch(struct iomap_ioend **ioends, int n)
{
	struct inode *inode = ioends[0]->io_inode;
	int ret = vexfs_convert_batch(inode, ioends, n);
	int i, error;

	for (i = 0; i < n; i++) {
		error = vexfs_ioend_error(ioends[i]);
		if (!error && ret)
			error = vexfs_convert_range(inode,
						    ioends[i]->io_offset,
						    ioends[i]->io_size);
		/* The inode may be gone after the last. */
		iomap_finish_ioends(ioends[i], error);
	}
}

/*
 * Each ioend keeps its folios in writeback and so the inode alive: a worker
 * doesn't touch the inode after the last one is finished.
 */
static void vexfs_finish_list(struct vexfs_inode_info *info)
{
	unsigned int nofs = memalloc_nofs_save();
	struct iomap_ioend *ioends[VEXFS_IOEND_BATCH], *ioend;
	unsigned long flags;
	LIST_HEAD(list);
	int n;

	spin_lock_irqsave(&info->ioend_lock, flags);
	list_replace_init(&info->ioends, &list);
	spin_unlock_irqrestore(&info->ioend_lock, flags);

	iomap_sort_ioends(&list);
	while (!list_empty(&list)) {
		for (n = 0; n < VEXFS_IOEND_BATCH && !list_empty(&list); n++) {
			ioend = list_first_entry(&list, struct iomap_ioend,
						 io_list);
			list_del_init(&ioend->io_list);
			iomap_ioend_try_merge(ioend, &list);
			ioends[n] = ioend;
		}
		vexfs_finish_batch(ioends, n);
		cond_resched();
	}
	memalloc_nofs_restore(nofs);
}

void vexfs_ioend_work(struct work_struct *work)
{
	vexfs_finish_list(container_of(work, struct vexfs_inode_info,
				       ioend_work));
}

static bool vexfs_ioends_ended(struct vexfs_inode_info *info)
{
	return !list_empty_careful(&info->ioends) ||
	       !atomic_read(&info->ioends_pending);
}

/*
 * Only after submission: who waits for a folio in order to submit it must not
 * be who has to end its writeback. Others may submit more and more, so that
 * there is a limit, after which the worker does the rest.
 */
void vexfs_ioend_help(struct inode *inode)
{
	struct vexfs_inode_info *info = VEXFS_I(inode);
	int rounds = VEXFS_HELP_ROUNDS;

	if (!atomic_read(&info->ioends_pending))
		return;
	spin_lock_irq(&info->ioend_lock);
	info->ioend_helpers++;
	spin_unlock_irq(&info->ioend_lock);
	while (atomic_read(&info->ioends_pending) && rounds--) {
		wait_event(info->ioend_wait, vexfs_ioends_ended(info));
		vexfs_finish_list(info);
	}
	spin_lock_irq(&info->ioend_lock);
	if (!--info->ioend_helpers && !list_empty(&info->ioends))
		queue_work(VEXFS_SB(inode->i_sb)->ioend_wq, &info->ioend_work);
	spin_unlock_irq(&info->ioend_lock);
}

/* Interrupt context. */
static void vexfs_end_bio(struct bio *bio)
{
	struct iomap_ioend *ioend = vexfs_bio_ioend(bio);
	struct inode *inode = ioend->io_inode;
	struct vexfs_inode_info *info = VEXFS_I(inode);
	struct vexfs_sb_info *sbi = VEXFS_SB(inode->i_sb);
	unsigned long flags;

	spin_lock_irqsave(&info->ioend_lock, flags);
	if (!info->ioend_helpers && list_empty(&info->ioends))
		queue_work(sbi->ioend_wq, &info->ioend_work);
	list_add_tail(&ioend->io_list, &info->ioends);
	atomic_dec(&info->ioends_pending);
	if (info->ioend_helpers)
		wake_up(&info->ioend_wait);
	spin_unlock_irqrestore(&info->ioend_lock, flags);
}

/*
 * Overwrites below the size on disk need no metadata and end in iomap. That
 * size only shrinks once the folios behind it are gone.
 */
void vexfs_ready_ioend(struct iomap_ioend *ioend)
{
	struct vexfs_inode_info *info = VEXFS_I(ioend->io_inode);
	u64 disk_size = READ_ONCE(info->disk_size);

	if (vexfs_ioend_unwritten(ioend) ||
	    ioend->io_offset + ioend->io_size > disk_size) {
		vexfs_ioend_bio(ioend)->bi_end_io = vexfs_end_bio;
		atomic_inc(&info->ioends_pending);
	}
}

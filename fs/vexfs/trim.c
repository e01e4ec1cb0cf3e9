// SPDX-License-Identifier: GPL-2.0
/*
 * Telling the device what is free: FITRIM, and the mount option discard. A
 * group's lock is held while its free clusters are discarded, so that nobody
 * is given them meanwhile.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include <linux/blkdev.h>
#include <linux/fs.h>
#include <linux/jbd2.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "vexfs.h"

/* A range that a transaction freed, to be discarded when it has committed. */
struct vexfs_freed {
	struct list_head list;
	tid_t	tid;
	u64	first;			/* clusters */
	u64	len;
};

struct vexfs_trim {
	struct super_block *sb;
	u64	trimmed;		/* clusters */
};

/*
 * An aborted journal ends its transactions all the same, so that what they
 * freed looks free: the next mount has it as it was before. That is why this
 * comes after the bitmap was looked at.
 */
static int vexfs_discard(void *arg, u64 first, u32 len)
{
	struct vexfs_trim *trim = arg;
	struct vexfs_geom *g = &VEXFS_FS(trim->sb)->geom;
	unsigned int shift = g->cluster_shift + VEXFS_BLOCK_SHIFT - SECTOR_SHIFT;
	int err;

	if (fatal_signal_pending(current))
		return -ERESTARTSYS;
	if (is_journal_aborted(VEXFS_SB(trim->sb)->journal))
		return -EROFS;
	err = blkdev_issue_discard(trim->sb->s_bdev, first << shift,
				   (u64)len << shift, GFP_NOFS);
	if (!err)
		trim->trimmed += len;
	return err;
}

/* Discards what is free of [first, end), clusters. */
static int vexfs_trim_range(struct vexfs_trim *trim, u64 first, u64 end,
			    u32 minlen)
{
	struct vexfs_fs *fs = VEXFS_FS(trim->sb);
	u32 group = div_u64(first, fs->geom.clusters_per_group);
	int err = 0;

	for (; !err && group < fs->geom.groups; group++) {
		if (vexfs_group_first(&fs->geom, group) >= end)
			break;
		err = vexfs_group_trim(fs, group, first, end, minlen,
				       vexfs_discard, trim);
		cond_resched();
	}
	return err;
}

static bool vexfs_can_discard(struct super_block *sb)
{
	return bdev_max_discard_sectors(sb->s_bdev);
}

static int vexfs_fitrim(struct super_block *sb, struct fstrim_range *range)
{
	struct vexfs_geom *g = &VEXFS_FS(sb)->geom;
	unsigned int shift = g->cluster_shift + VEXFS_BLOCK_SHIFT;
	struct vexfs_trim trim = { .sb = sb };
	u64 first, end, minlen;
	int err;

	/* No run of free clusters is longer than a group. */
	if (range->start >= g->clusters << shift || range->len < g->cluster_size ||
	    range->minlen > (u64)g->clusters_per_group << shift)
		return -EINVAL;
	minlen = max_t(u64, range->minlen, bdev_discard_granularity(sb->s_bdev));
	minlen = max_t(u64, DIV_ROUND_UP_ULL(minlen, g->cluster_size), 1);
	first = DIV_ROUND_UP_ULL(range->start, g->cluster_size);
	end = min(range->len, (g->clusters << shift) - range->start);
	end = (range->start + end) >> shift;
	/* So that what was freed lately is not waiting for a commit. */
	err = vexfs_journal_commit(sb);
	if (!err)
		err = vexfs_trim_range(&trim, first, end, minlen);
	range->len = trim.trimmed << shift;
	return err;
}

long vexfs_ioc_fitrim(struct file *file, void __user *arg)
{
	struct super_block *sb = file_inode(file)->i_sb;
	struct fstrim_range range;
	int err;

	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	if (!vexfs_can_discard(sb))
		return -EOPNOTSUPP;
	if (sb_rdonly(sb))
		return -EROFS;
	if (vexfs_is_shutdown(sb))
		return -EIO;
	if (copy_from_user(&range, arg, sizeof(range)))
		return -EFAULT;
	err = vexfs_fitrim(sb, &range);
	if (err)
		return err;
	return copy_to_user(arg, &range, sizeof(range)) ? -EFAULT : 0;
}

/* The seam's, called by the allocator. Not being told loses nothing. */
void vexfs_trans_freed(struct vexfs_trans *t, struct vexfs_fs *fs, u64 first,
		       u64 len)
{
	struct vexfs_sb_info *sbi = VEXFS_SB(fs->dev);
	struct vexfs_freed *freed;

	if (!test_bit(VEXFS_SBF_DISCARD, &sbi->flags))
		return;
	freed = kmalloc(sizeof(*freed), GFP_NOFS);
	if (!freed)
		return;
	freed->tid = vexfs_handle_tid(t);
	freed->first = first;
	freed->len = len;
	spin_lock(&sbi->freed_lock);
	list_add_tail(&freed->list, &sbi->freed);
	spin_unlock(&sbi->freed_lock);
}

static struct vexfs_freed *vexfs_next_freed(struct vexfs_sb_info *sbi)
{
	struct vexfs_freed *freed;

	/* Off when the journal is about to go. */
	if (!test_bit(VEXFS_SBF_READY, &sbi->flags))
		return NULL;
	spin_lock(&sbi->freed_lock);
	freed = list_first_entry_or_null(&sbi->freed, struct vexfs_freed, list);
	if (freed && jbd2_transaction_committed(sbi->journal, freed->tid))
		list_del(&freed->list);
	else
		freed = NULL;
	spin_unlock(&sbi->freed_lock);
	return freed;
}

/* An error ends it for this time: the device will tell whom it concerns. */
void vexfs_freed_worker(struct work_struct *work)
{
	struct vexfs_sb_info *sbi = container_of(work, struct vexfs_sb_info,
						 freed_work);
	struct vexfs_trim trim = { .sb = sbi->sb };
	struct vexfs_freed *freed;

	while ((freed = vexfs_next_freed(sbi))) {
		vexfs_trim_range(&trim, freed->first, freed->first + freed->len,
				 1);
		kfree(freed);
	}
}

void vexfs_commit_callback(journal_t *journal, transaction_t *transaction)
{
	struct vexfs_sb_info *sbi = VEXFS_SB(journal->j_private);

	if (!list_empty_careful(&sbi->freed))
		queue_work(system_dfl_wq, &sbi->freed_work);
}

/* Nothing commits any more. What is not yet discarded stays so. */
void vexfs_freed_stop(struct super_block *sb)
{
	struct vexfs_sb_info *sbi = VEXFS_SB(sb);
	struct vexfs_freed *freed, *next;

	cancel_work_sync(&sbi->freed_work);
	list_for_each_entry_safe(freed, next, &sbi->freed, list)
		kfree(freed);
	INIT_LIST_HEAD(&sbi->freed);
}

void vexfs_set_discard(struct super_block *sb, bool on)
{
	struct vexfs_sb_info *sbi = VEXFS_SB(sb);

	if (on && !vexfs_can_discard(sb))
		vexfs_warn(sb, "discard: the device doesn't support it");
	if (on)
		set_bit(VEXFS_SBF_DISCARD, &sbi->flags);
	else
		clear_bit(VEXFS_SBF_DISCARD, &sbi->flags);
}

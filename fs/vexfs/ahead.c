// SPDX-License-Identifier: GPL-2.0
/*
 * Blocks ahead of a stream of writes: a file that grows in order gets more
 * than it asks for, the more the longer it has gone on, so that it lies in few
 * pieces and most writes need no transaction. They are unwritten and behind
 * the end of the file, as after fallocate() with KEEP_SIZE, and are given back
 * when the last writer closes, when the volume is full, or with the inode.
 *
 * What a crash leaves is allocated and nothing else: a truncate frees it.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include <linux/fs.h>
#include <linux/jbd2.h>

#include "vexfs.h"

/* Blocks written in order before there is anything ahead, and the most. */
#define VEXFS_AHEAD_AFTER	16u
#define VEXFS_AHEAD_MAX		2048u
/* None when less than this part of the volume is free. */
#define VEXFS_AHEAD_FREE	32

static bool vexfs_ahead_plenty(struct vexfs_fs *fs)
{
	return percpu_counter_read_positive(&fs->free_clusters) >
	       div_u64(fs->geom.clusters, VEXFS_AHEAD_FREE);
}

/*
 * Only what begins at the end, or in its block, is a stream. i_rwsem is held
 * by who writes there, so that nobody else is here.
 */
u32 vexfs_ahead_want(struct inode *inode, loff_t pos, u64 lblk, u64 count)
{
	struct vexfs_inode_info *info = VEXFS_I(inode);
	loff_t size = i_size_read(inode);
	u32 streamed = info->streamed;

	if (pos > size || (loff_t)(lblk + count) << VEXFS_BLOCK_SHIFT <= size ||
	    vexfs_alloc_flags(inode))
		return 0;
	info->streamed = min_t(u64, streamed + count, VEXFS_AHEAD_MAX);
	if (streamed < VEXFS_AHEAD_AFTER ||
	    !vexfs_ahead_plenty(VEXFS_FS(inode->i_sb)))
		return 0;
	return streamed;
}

void vexfs_ahead_have(struct inode *inode, u64 lblk, u64 end)
{
	struct vexfs_sb_info *sbi = VEXFS_SB(inode->i_sb);
	struct vexfs_inode_info *info = VEXFS_I(inode);

	if (lblk >= end)
		return;
	if (!info->ahead_end)
		info->ahead = lblk;
	/* Twice as many the next time. */
	info->streamed = min_t(u64, info->streamed + end - lblk,
			       VEXFS_AHEAD_MAX);
	WRITE_ONCE(info->ahead_end, end);
	if (!list_empty(&info->ahead_list))
		return;
	spin_lock(&sbi->s_lock);
	list_add_tail(&info->ahead_list, &sbi->ahead);
	spin_unlock(&sbi->s_lock);
}

void vexfs_ahead_forget(struct inode *inode)
{
	struct vexfs_sb_info *sbi = VEXFS_SB(inode->i_sb);
	struct vexfs_inode_info *info = VEXFS_I(inode);

	info->streamed = 0;
	WRITE_ONCE(info->ahead_end, 0);
	if (list_empty(&info->ahead_list))
		return;
	spin_lock(&sbi->s_lock);
	list_del_init(&info->ahead_list);
	spin_unlock(&sbi->s_lock);
}

/*
 * Writeback ends at the size of the file, which is not raised meanwhile: no
 * write is on its way to these blocks. What can't be freed stays allocated.
 */
int vexfs_ahead_drop(struct inode *inode)
{
	struct vexfs_inode_info *info = VEXFS_I(inode);
	u64 end = info->ahead_end;
	u64 first = DIV_ROUND_UP_ULL(i_size_read(inode), VEXFS_BLOCK_SIZE);

	first = max(first, info->ahead);
	vexfs_ahead_forget(inode);
	return first < end ? vexfs_free_range(inode, first, end) : 0;
}

/*
 * The last writer closes. Who holds the lock, or a frozen volume, is not
 * waited for: the inode does it later.
 */
void vexfs_ahead_release(struct inode *inode)
{
	if (!READ_ONCE(VEXFS_I(inode)->ahead_end) || !inode->i_nlink ||
	    !sb_start_intwrite_trylock(inode->i_sb))
		return;
	if (inode_trylock(inode)) {
		vexfs_ahead_drop(inode);
		inode_unlock(inode);
	}
	sb_end_intwrite(inode->i_sb);
}

/* The first of the list, which goes to its end. */
static struct inode *vexfs_ahead_next(struct vexfs_sb_info *sbi)
{
	struct vexfs_inode_info *info;
	struct inode *inode = NULL;

	spin_lock(&sbi->s_lock);
	info = list_first_entry_or_null(&sbi->ahead, struct vexfs_inode_info,
					ahead_list);
	if (info) {
		list_move_tail(&info->ahead_list, &sbi->ahead);
		inode = igrab(&info->vfs_inode);
	}
	spin_unlock(&sbi->s_lock);
	return inode;
}

static unsigned int vexfs_ahead_count(struct vexfs_sb_info *sbi)
{
	struct list_head *pos;
	unsigned int n = 0;

	spin_lock(&sbi->s_lock);
	list_for_each(pos, &sbi->ahead)
		n++;
	spin_unlock(&sbi->s_lock);
	return n;
}

/*
 * The volume is full: what others have ahead is given back and committed, so
 * that it can be used. Locks are only tried, for the caller has some.
 */
bool vexfs_ahead_reclaim(struct super_block *sb)
{
	struct vexfs_sb_info *sbi = VEXFS_SB(sb);
	unsigned int n = vexfs_ahead_count(sbi);
	struct inode *inode;
	bool freed = false;

	for (; n; n--) {
		inode = vexfs_ahead_next(sbi);
		if (!inode)
			continue;
		if (inode_trylock(inode)) {
			freed |= VEXFS_I(inode)->ahead_end &&
				 !vexfs_ahead_drop(inode);
			inode_unlock(inode);
		}
		iput(inode);
	}
	if (freed)
		jbd2_journal_force_commit_nested(sbi->journal);
	return freed;
}

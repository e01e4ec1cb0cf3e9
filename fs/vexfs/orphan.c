// SPDX-License-Identifier: GPL-2.0
/*
 * The orphan list: inodes without a name that are still open, or whose
 * truncate is under way. What a crash leaves on it the next mount finishes.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include <linux/fs.h>

#include "trace.h"
#include "vexfs.h"

int vexfs_add_orphan(handle_t *handle, struct inode *inode)
{
	struct vexfs_sb_info *sbi = VEXFS_SB(inode->i_sb);
	struct vexfs_inode_info *info = VEXFS_I(inode);
	int err;

	if (info->orphan)
		return 0;
	trace_vexfs_orphan(inode);
	mutex_lock(&sbi->orphan_mutex);
	err = vexfs_orphan_add(handle, info->node.fs, inode->i_ino);
	if (!err)
		list_add(&info->orphan_list, &sbi->orphans);
	mutex_unlock(&sbi->orphan_mutex);
	info->orphan = !err;
	return err;
}

/* The orphan that the disk has before @inode, or 0. [orphan_mutex] */
static u64 vexfs_orphan_before(struct vexfs_sb_info *sbi, struct inode *inode)
{
	struct vexfs_inode_info *info = VEXFS_I(inode);

	if (list_empty(&info->orphan_list) ||
	    list_is_first(&info->orphan_list, &sbi->orphans))
		return 0;
	info = list_prev_entry(info, orphan_list);
	return info->vfs_inode.i_ino;
}

int vexfs_del_orphan(handle_t *handle, struct inode *inode)
{
	struct vexfs_sb_info *sbi = VEXFS_SB(inode->i_sb);
	struct vexfs_inode_info *info = VEXFS_I(inode);
	int err;

	if (!info->orphan)
		return 0;
	mutex_lock(&sbi->orphan_mutex);
	err = vexfs_orphan_del_behind(handle, info->node.fs, inode->i_ino,
				      vexfs_orphan_before(sbi, inode));
	if (!err)
		list_del_init(&info->orphan_list);
	mutex_unlock(&sbi->orphan_mutex);
	info->orphan = err;
	return err;
}

void vexfs_forget_orphan(struct inode *inode)
{
	struct vexfs_sb_info *sbi = VEXFS_SB(inode->i_sb);
	struct vexfs_inode_info *info = VEXFS_I(inode);

	if (list_empty(&info->orphan_list))
		return;
	mutex_lock(&sbi->orphan_mutex);
	list_del_init(&info->orphan_list);
	mutex_unlock(&sbi->orphan_mutex);
}

static u64 vexfs_orphan_head(struct vexfs_fs *fs)
{
	u64 ino;

	mutex_lock(&fs->orphan_lock);
	ino = le64_to_cpu(vexfs_super(fs)->s_orphan_head);
	mutex_unlock(&fs->orphan_lock);
	return ino;
}

/* One with a name was being truncated; one without goes with the last iput. */
static int vexfs_process_orphan(struct super_block *sb, u64 ino)
{
	struct inode *inode;
	int err;

	err = vexfs_inode_allocated(VEXFS_FS(sb), ino);
	if (err <= 0)
		return err ?: -ESTALE;
	inode = vexfs_iget(sb, ino);
	if (IS_ERR(inode))
		return PTR_ERR(inode);
	VEXFS_I(inode)->orphan = true;
	err = 0;
	if (inode->i_nlink) {
		inode_lock(inode);
		filemap_invalidate_lock(inode->i_mapping);
		err = vexfs_truncate(inode, i_size_read(inode));
		filemap_invalidate_unlock(inode->i_mapping);
		inode_unlock(inode);
	}
	iput(inode);
	return err;
}

/*
 * Each step takes the head off the list; if one does not, the list is
 * damaged and left to fsck, and the mount goes on.
 */
int vexfs_process_orphans(struct super_block *sb)
{
	struct vexfs_sb_info *sbi = VEXFS_SB(sb);
	unsigned int n = 0;
	u64 ino, next;
	int err = 0;

	ino = vexfs_orphan_head(&sbi->fs);
	sbi->orphan_scan = true;
	while (ino) {
		err = vexfs_process_orphan(sb, ino);
		next = vexfs_orphan_head(&sbi->fs);
		if (!err && next == ino)
			err = -EFSCORRUPTED;
		if (err)
			break;
		ino = next;
		n++;
	}
	sbi->orphan_scan = false;
	if (err) {
		vexfs_warn(sb, "orphan %llu can't be cleaned up: error %d",
			   ino, err);
		vexfs_error_record(sb, ino, 0, __func__, __LINE__, err);
	}
	if (n)
		vexfs_info(sb, "%u orphan inodes cleaned up", n);
	return is_journal_aborted(sbi->journal) ? -EIO : 0;
}

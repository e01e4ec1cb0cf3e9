// SPDX-License-Identifier: GPL-2.0
/*
 * New inodes.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include <linux/cred.h>
#include <linux/fs.h>
#include <linux/quotaops.h>

#include "trace.h"
#include "vexfs.h"

#define VEXFS_INHERITED_FL \
	(VEXFS_SYNC_FL | VEXFS_NODUMP_FL | VEXFS_NOATIME_FL | \
	 VEXFS_DIRSYNC_FL | VEXFS_PROJINHERIT_FL)

/* To what is made in a directory; to all forks of a collection. */
static bool vexfs_passes_project(const struct inode *dir)
{
	return !S_ISDIR(dir->i_mode) ||
	       (VEXFS_I(dir)->node.flags & VEXFS_PROJINHERIT_FL);
}

static void vexfs_inherit(struct inode *inode, const struct inode *dir)
{
	const struct vexfs_inode_info *parent = VEXFS_I(dir);
	struct vexfs_inode_info *info = VEXFS_I(inode);
	u32 flags = parent->node.flags & VEXFS_INHERITED_FL;

	if (!S_ISDIR(inode->i_mode))
		flags &= ~(VEXFS_DIRSYNC_FL | VEXFS_PROJINHERIT_FL);
	info->node.flags |= flags;
	if (S_ISDIR(inode->i_mode))
		info->parent = dir->i_ino;
}

static void vexfs_fill_new(struct inode *inode, struct inode *dir,
			   u32 generation, dev_t rdev)
{
	struct vexfs_inode_info *info = VEXFS_I(inode);
	struct vexfs_fs *fs = VEXFS_FS(inode->i_sb);

	inode->i_generation = generation;
	inode->i_rdev = rdev;
	inode->i_size = 0;
	set_nlink(inode, S_ISDIR(inode->i_mode) ? 2 : 1);
	info->crtime = simple_inode_init_ts(inode);
	vexfs_node_init(&info->node, fs, inode->i_ino, generation);
	vexfs_ext_init_root(&info->node.root);
	info->node.goal = vexfs_ino_group_goal(fs, inode->i_ino);
	if (S_ISDIR(dir->i_mode)) {
		vexfs_inherit(inode, dir);
	} else {
		info->parent = dir->i_ino;
		info->node.flags |= VEXFS_FORK_FL;
	}
	vexfs_set_inode_flags(inode);
	vexfs_set_inode_ops(inode);
}

/* Numbers the inode and makes it known, locked. */
static int vexfs_insert_new(handle_t *handle, struct inode *inode,
			    u64 parent, u32 *generation)
{
	struct vexfs_fs *fs = VEXFS_FS(inode->i_sb);
	u64 ino;
	int err;

	err = vexfs_ialloc(handle, fs, parent, S_ISDIR(inode->i_mode), &ino,
			   generation);
	if (err)
		return err;
	inode->i_ino = ino;
	if (!insert_inode_locked(inode))
		return 0;
	/* Given back, it would be handed out again: keep it allocated. */
	return VEXFS_CORRUPTED(fs, ino, 0, "a free inode is in use");
}

struct inode *vexfs_prepare_inode(struct mnt_idmap *idmap, struct inode *dir,
				  umode_t mode)
{
	struct inode *inode = new_inode(dir->i_sb);
	int err;

	if (!inode)
		return ERR_PTR(-ENOMEM);
	inode->i_mode = mode;
	if (S_ISDIR(dir->i_mode)) {
		inode_init_owner(idmap, inode, dir, mode);
	} else {
		inode->i_uid = dir->i_uid;
		inode->i_gid = dir->i_gid;
	}
	if (vexfs_passes_project(dir))
		VEXFS_I(inode)->projid = VEXFS_I(dir)->projid;
	err = dquot_initialize(inode);
	if (!err)
		return inode;
	vexfs_unprepare_inode(inode);
	return ERR_PTR(err);
}

void vexfs_unprepare_inode(struct inode *inode)
{
	make_bad_inode(inode);
	iput(inode);
}

int vexfs_new_inode(handle_t *handle, struct inode *inode, struct inode *dir,
		    dev_t rdev)
{
	u32 generation;
	int err;

	err = dquot_alloc_inode(inode);
	if (err) {
		vexfs_unprepare_inode(inode);
		return err;
	}
	err = vexfs_insert_new(handle, inode, dir->i_ino, &generation);
	if (err) {
		dquot_free_inode(inode);
		vexfs_unprepare_inode(inode);
		return err;
	}
	vexfs_fill_new(inode, dir, generation, rdev);
	err = vexfs_log_new_inode(handle, inode);
	if (err) {
		vexfs_ifree(handle, VEXFS_FS(inode->i_sb), inode->i_ino,
			    S_ISDIR(inode->i_mode));
		dquot_free_inode(inode);
		iget_failed(inode);
		return err;
	}
	trace_vexfs_new_inode(inode);
	return 0;
}

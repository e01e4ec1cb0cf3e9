// SPDX-License-Identifier: GPL-2.0
/*
 * Renaming: one transaction in which the new name takes its inode before the
 * old name loses it, so that a file is never without a name.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include <linux/fs.h>
#include <linux/iversion.h>
#include <linux/jbd2.h>
#include <linux/quotaops.h>

#include "vexfs.h"

/* One side of a rename: an entry and the inode it points to, if any. */
struct vexfs_rename_side {
	struct inode		*dir;
	const struct qstr	*name;
	struct inode		*inode;
	bool			is_dir;
};

struct vexfs_rename_args {
	struct vexfs_rename_side old;
	struct vexfs_rename_side new;
	struct inode		*whiteout;
	/* what is going to be the whiteout */
	struct inode		*prepared;
	struct mnt_idmap	*idmap;
	unsigned int		flags;
};

static void vexfs_rename_side_init(struct vexfs_rename_side *side,
				   struct inode *dir, struct dentry *dentry)
{
	side->dir = dir;
	side->name = &dentry->d_name;
	side->inode = d_inode(dentry);
	side->is_dir = side->inode && S_ISDIR(side->inode->i_mode);
}

/* Points the entry of @side at @inode. */
static int vexfs_set_entry(handle_t *handle,
			   const struct vexfs_rename_side *side,
			   struct inode *inode)
{
	struct inode *dir = side->dir;
	int ret;

	ret = vexfs_dir_set(handle, &VEXFS_I(dir)->node, side->name->name,
			    side->name->len, inode->i_ino,
			    fs_umode_to_ftype(inode->i_mode));
	if (ret)
		return ret;
	return vexfs_dir_changed(handle, dir, i_size_read(dir));
}

static void vexfs_inode_moved(struct inode *inode, struct inode *dir)
{
	if (S_ISDIR(inode->i_mode))
		WRITE_ONCE(VEXFS_I(inode)->parent, dir->i_ino);
	inode_set_ctime_current(inode);
	inode_inc_iversion(inode);
}

static int vexfs_log_both(handle_t *handle, struct inode *a, struct inode *b)
{
	int ret = vexfs_log_inode(handle, a);

	if (!ret && a != b)
		ret = vexfs_log_inode(handle, b);
	return ret;
}

/* The device number that overlay filesystems take for "nothing here". */
static int vexfs_make_whiteout(handle_t *handle, struct vexfs_rename_args *args)
{
	struct inode *dir = args->old.dir;
	struct inode *inode = args->prepared;
	int ret;

	args->prepared = NULL;
	ret = vexfs_new_inode(handle, inode, dir, WHITEOUT_DEV);
	if (ret)
		return ret;
	args->whiteout = inode;
	ret = vexfs_init_security(handle, inode, dir, args->old.name);
	return ret ? ret : vexfs_log_inode(handle, inode);
}

/* The inode that had the new name loses it. */
static int vexfs_rename_victim(handle_t *handle,
			       const struct vexfs_rename_side *side)
{
	struct inode *inode = side->inode;
	int ret = 0;

	inode_set_ctime_current(inode);
	inode_inc_iversion(inode);
	if (side->is_dir)
		clear_nlink(inode);
	else
		drop_nlink(inode);
	if (!inode->i_nlink)
		ret = vexfs_add_orphan(handle, inode);
	return ret ? ret : vexfs_log_inode(handle, inode);
}

/* Link counts of the parents: a directory came, went or was replaced. */
static int vexfs_rename_counts(handle_t *handle,
			       const struct vexfs_rename_args *args)
{
	struct inode *old_dir = args->old.dir, *new_dir = args->new.dir;

	if (!args->old.is_dir)
		return 0;
	if (args->new.inode)
		vexfs_dec_dir_count(new_dir);
	if (old_dir != new_dir) {
		vexfs_dec_dir_count(old_dir);
		vexfs_inc_dir_count(new_dir);
	}
	return vexfs_log_both(handle, old_dir, new_dir);
}

/* The new name is set: take the old one away, or leave a whiteout there. */
static int vexfs_rename_old_name(handle_t *handle,
				 const struct vexfs_rename_args *args)
{
	if (args->whiteout)
		return vexfs_set_entry(handle, &args->old, args->whiteout);
	return vexfs_remove_entry(handle, args->old.dir, args->old.name);
}

static void vexfs_rename_undo(handle_t *handle,
			      const struct vexfs_rename_args *args)
{
	if (args->new.inode)
		vexfs_set_entry(handle, &args->new, args->new.inode);
	else
		vexfs_remove_entry(handle, args->new.dir, args->new.name);
}

static int vexfs_rename_names(handle_t *handle,
			      const struct vexfs_rename_args *args)
{
	int ret;

	if (args->new.inode)
		ret = vexfs_set_entry(handle, &args->new, args->old.inode);
	else
		ret = vexfs_add_entry(handle, args->new.dir, args->new.name,
				      args->old.inode);
	if (ret)
		return ret;
	ret = vexfs_rename_old_name(handle, args);
	if (ret)
		vexfs_rename_undo(handle, args);
	return ret;
}

static int vexfs_rename_move(handle_t *handle, struct vexfs_rename_args *args)
{
	struct inode *inode = args->old.inode;
	int ret;

	if (args->new.inode && !args->new.inode->i_nlink)
		return VEXFS_CORRUPTED(VEXFS_FS(inode->i_sb),
				       args->new.inode->i_ino, 0,
				       "a name of an inode without links");
	if (args->new.is_dir) {
		ret = vexfs_dir_empty(&VEXFS_I(args->new.inode)->node);
		if (ret <= 0)
			return ret ? ret : -ENOTEMPTY;
	}
	if (args->flags & RENAME_WHITEOUT) {
		ret = vexfs_make_whiteout(handle, args);
		if (ret)
			return ret;
	}
	ret = vexfs_rename_names(handle, args);
	if (ret)
		return ret;

	vexfs_inode_moved(inode, args->new.dir);
	ret = vexfs_log_inode(handle, inode);
	if (!ret)
		ret = vexfs_rename_counts(handle, args);
	if (!ret && args->new.inode)
		ret = vexfs_rename_victim(handle, &args->new);
	return ret;
}

static int vexfs_rename_exchange(handle_t *handle,
				 struct vexfs_rename_args *args)
{
	struct vexfs_rename_side *old = &args->old, *new = &args->new;
	int ret;

	ret = vexfs_set_entry(handle, new, old->inode);
	if (ret)
		return ret;
	ret = vexfs_set_entry(handle, old, new->inode);
	if (ret) {
		vexfs_set_entry(handle, new, new->inode);
		return ret;
	}
	vexfs_inode_moved(old->inode, new->dir);
	vexfs_inode_moved(new->inode, old->dir);
	if (old->is_dir != new->is_dir && old->dir != new->dir) {
		vexfs_dec_dir_count(old->is_dir ? old->dir : new->dir);
		vexfs_inc_dir_count(old->is_dir ? new->dir : old->dir);
	}
	ret = vexfs_log_both(handle, old->inode, new->inode);
	if (!ret)
		ret = vexfs_log_both(handle, old->dir, new->dir);
	return ret;
}

/* A whiteout that didn't get its name is freed by its last iput(). */
static void vexfs_end_whiteout(handle_t *handle, struct inode *inode, int ret)
{
	if (ret) {
		clear_nlink(inode);
		vexfs_log_inode(handle, inode);
		vexfs_add_orphan(handle, inode);
	}
}

static int vexfs_rename_handle(struct vexfs_rename_args *args)
{
	struct super_block *sb = args->old.dir->i_sb;
	int credits = VEXFS_RENAME_CREDITS;
	handle_t *handle;
	int ret, err;

	if (args->flags & RENAME_WHITEOUT)
		credits += VEXFS_IALLOC_CREDITS + VEXFS_INODE_CREDITS +
			   VEXFS_SECURITY_CREDITS;
	handle = vexfs_journal_start(sb, credits);
	if (IS_ERR(handle))
		return PTR_ERR(handle);
	if (IS_DIRSYNC(args->old.dir) || IS_DIRSYNC(args->new.dir))
		handle->h_sync = 1;

	args->whiteout = NULL;
	if (args->flags & RENAME_EXCHANGE)
		ret = vexfs_rename_exchange(handle, args);
	else
		ret = vexfs_rename_move(handle, args);
	if (args->whiteout)
		vexfs_end_whiteout(handle, args->whiteout, ret);
	err = vexfs_journal_stop(handle);
	if (args->whiteout) {
		unlock_new_inode(args->whiteout);
		iput(args->whiteout);
	}
	return ret ? ret : err;
}

static int vexfs_rename_once(struct vexfs_rename_args *args)
{
	int ret;

	args->prepared = NULL;
	if (args->flags & RENAME_WHITEOUT) {
		args->prepared = vexfs_prepare_inode(args->idmap,
						     args->old.dir,
						     S_IFCHR | WHITEOUT_MODE);
		if (IS_ERR(args->prepared))
			return PTR_ERR(args->prepared);
	}
	ret = vexfs_rename_handle(args);
	if (args->prepared)
		vexfs_unprepare_inode(args->prepared);
	return ret;
}

int vexfs_rename(struct mnt_idmap *idmap, struct inode *old_dir,
		 struct dentry *old_dentry, struct inode *new_dir,
		 struct dentry *new_dentry, unsigned int flags)
{
	struct vexfs_rename_args args = { .idmap = idmap, .flags = flags };
	int ret, retries = 0;

	if (flags & ~(RENAME_NOREPLACE | RENAME_EXCHANGE | RENAME_WHITEOUT))
		return -EINVAL;
	if (new_dentry->d_name.len > VEXFS_NAME_LEN)
		return -ENAMETOOLONG;

	vexfs_rename_side_init(&args.old, old_dir, old_dentry);
	vexfs_rename_side_init(&args.new, new_dir, new_dentry);
	if (!vexfs_project_fits(new_dir, args.old.inode) ||
	    ((flags & RENAME_EXCHANGE) &&
	     !vexfs_project_fits(old_dir, args.new.inode)))
		return -EXDEV;
	ret = dquot_initialize(old_dir);
	if (!ret)
		ret = dquot_initialize(new_dir);
	if (ret)
		return ret;
	do {
		ret = vexfs_rename_once(&args);
	} while (ret == -ENOSPC &&
		 vexfs_should_retry(old_dir->i_sb, &retries));
	if (!ret && args.new.inode && !(flags & RENAME_EXCHANGE))
		vexfs_after_unlink(args.new.inode);
	return ret;
}

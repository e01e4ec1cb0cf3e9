// SPDX-License-Identifier: GPL-2.0
/*
 * Attributes of inodes: setattr, getattr and the flags of chattr(1).
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include <linux/fs.h>
#include <linux/fileattr.h>
#include <linux/pagemap.h>

#include "vexfs.h"

#define VEXFS_ATTR_LOGGED \
	(ATTR_MODE | ATTR_UID | ATTR_GID | ATTR_ATIME | ATTR_MTIME | ATTR_CTIME)

static int vexfs_setattr_size(struct inode *inode, loff_t size)
{
	int err;

	if (vexfs_is_collection(inode) || vexfs_is_fork(inode))
		return -EPERM;
	inode_dio_wait(inode);
	filemap_invalidate_lock(inode->i_mapping);
	err = vexfs_truncate(inode, size);
	filemap_invalidate_unlock(inode->i_mapping);
	return err;
}

/* What of the owners changes. */
static void vexfs_setattr_owner(struct mnt_idmap *idmap, struct inode *inode,
				struct iattr *attr, struct vexfs_owner *owner)
{
	owner->mask = 0;
	if (i_uid_needs_update(idmap, attr, inode)) {
		owner->mask |= VEXFS_OWNER_UID;
		owner->uid = from_vfsuid(idmap, i_user_ns(inode),
					 attr->ia_vfsuid);
	}
	if (i_gid_needs_update(idmap, attr, inode)) {
		owner->mask |= VEXFS_OWNER_GID;
		owner->gid = from_vfsgid(idmap, i_user_ns(inode),
					 attr->ia_vfsgid);
	}
}

static int vexfs_setattr_log(struct mnt_idmap *idmap, struct inode *inode,
			     struct iattr *attr)
{
	struct vexfs_chown chown;
	handle_t *handle;
	int err, err2;

	vexfs_setattr_owner(idmap, inode, attr, &chown.owner);
	err = vexfs_chown_begin(inode, &chown);
	if (err)
		return err;
	handle = vexfs_journal_start(inode->i_sb, VEXFS_CHOWN_CREDITS);
	if (IS_ERR(handle)) {
		vexfs_chown_end(&chown);
		return PTR_ERR(handle);
	}
	err = vexfs_chown(handle, &chown);
	if (!err) {
		setattr_copy(idmap, inode, attr);
		err = vexfs_log_inode(handle, inode);
	}
	err2 = vexfs_journal_stop(handle);
	vexfs_chown_end(&chown);
	return err ?: err2;
}

int vexfs_setattr(struct mnt_idmap *idmap, struct dentry *dentry,
		  struct iattr *attr)
{
	struct inode *inode = d_inode(dentry);
	int err;

	if (vexfs_is_shutdown(inode->i_sb))
		return -EIO;
	/* An open file outlives the flag's being set. */
	if (IS_IMMUTABLE(inode) ||
	    (IS_APPEND(inode) && (attr->ia_valid & ATTR_SIZE)))
		return -EPERM;
	err = setattr_prepare(idmap, dentry, attr);
	if (err)
		return err;
	if (attr->ia_valid & ATTR_SIZE) {
		err = vexfs_setattr_size(inode, attr->ia_size);
		if (err)
			return err;
	}
	if (attr->ia_valid & VEXFS_ATTR_LOGGED)
		err = vexfs_setattr_log(idmap, inode, attr);
	if (!err && (attr->ia_valid & ATTR_MODE))
		err = posix_acl_chmod(idmap, dentry, inode->i_mode);
	return err;
}

int vexfs_getattr(struct mnt_idmap *idmap, const struct path *path,
		  struct kstat *stat, u32 request_mask, unsigned int flags)
{
	struct inode *inode = d_inode(path->dentry);
	struct vexfs_inode_info *info = VEXFS_I(inode);

	generic_fillattr(idmap, request_mask, inode, stat);
	stat->result_mask |= STATX_BTIME;
	stat->btime = info->crtime;
	stat->blksize = info->node.fs->geom.cluster_size;
	if (info->node.flags & VEXFS_IMMUTABLE_FL)
		stat->attributes |= STATX_ATTR_IMMUTABLE;
	if (info->node.flags & VEXFS_APPEND_FL)
		stat->attributes |= STATX_ATTR_APPEND;
	if (info->node.flags & VEXFS_NODUMP_FL)
		stat->attributes |= STATX_ATTR_NODUMP;
	stat->attributes_mask |= STATX_ATTR_IMMUTABLE | STATX_ATTR_APPEND |
				 STATX_ATTR_NODUMP;
	return 0;
}

/* What chattr(1) may change; the bits are those of linux/fs.h. */
#define VEXFS_USER_FL \
	(VEXFS_SYNC_FL | VEXFS_IMMUTABLE_FL | VEXFS_APPEND_FL | \
	 VEXFS_NODUMP_FL | VEXFS_NOATIME_FL | VEXFS_DIRSYNC_FL | \
	 VEXFS_PROJINHERIT_FL)

int vexfs_fileattr_get(struct dentry *dentry, struct file_kattr *fa)
{
	struct vexfs_inode_info *info = VEXFS_I(d_inode(dentry));

	if (d_is_special(dentry))
		return -ENOTTY;
	fileattr_fill_flags(fa, info->node.flags & VEXFS_USER_FL);
	fa->fsx_projid = from_kprojid(&init_user_ns, info->projid);
	return 0;
}

static int vexfs_fileattr_check(struct inode *inode,
				const struct file_kattr *fa)
{
	if (special_file(inode->i_mode))
		return -ENOTTY;
	if ((fa->flags & ~VEXFS_USER_FL) ||
	    (fa->fsx_valid && ((fa->fsx_xflags & ~FS_XFLAG_COMMON) ||
			       fa->fsx_extsize || fa->fsx_cowextsize)))
		return -EOPNOTSUPP;
	if (!S_ISDIR(inode->i_mode) &&
	    (fa->flags & (VEXFS_DIRSYNC_FL | VEXFS_PROJINHERIT_FL)))
		return -EINVAL;
	return 0;
}

static int vexfs_fileattr_log(struct inode *inode, struct file_kattr *fa,
			      struct vexfs_chown *chown)
{
	struct vexfs_inode_info *info = VEXFS_I(inode);
	handle_t *handle;
	int err, err2;

	handle = vexfs_journal_start(inode->i_sb, VEXFS_CHOWN_CREDITS);
	if (IS_ERR(handle))
		return PTR_ERR(handle);
	err = vexfs_chown(handle, chown);
	if (!err) {
		info->node.flags = (info->node.flags & ~VEXFS_USER_FL) |
				   fa->flags;
		vexfs_set_inode_flags(inode);
		inode_set_ctime_current(inode);
		err = vexfs_log_inode(handle, inode);
	}
	err2 = vexfs_journal_stop(handle);
	return err ?: err2;
}

int vexfs_fileattr_set(struct mnt_idmap *idmap, struct dentry *dentry,
		       struct file_kattr *fa)
{
	struct inode *inode = d_inode(dentry);
	struct vexfs_chown chown = { };
	int err;

	err = vexfs_fileattr_check(inode, fa);
	if (err)
		return err;
	if (fa->fsx_valid) {
		chown.owner.projid = make_kprojid(&init_user_ns,
						  fa->fsx_projid);
		if (!projid_valid(chown.owner.projid))
			return -EINVAL;
		if (!projid_eq(chown.owner.projid, VEXFS_I(inode)->projid))
			chown.owner.mask = VEXFS_OWNER_PROJID;
	}
	err = vexfs_chown_begin(inode, &chown);
	if (err)
		return err;
	err = vexfs_fileattr_log(inode, fa, &chown);
	vexfs_chown_end(&chown);
	return err;
}

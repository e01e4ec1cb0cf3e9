// SPDX-License-Identifier: GPL-2.0
/*
 * POSIX ACLs, kept as extended attributes in the form of posix_acl_xattr.h.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include <linux/fs.h>
#include <linux/iversion.h>
#include <linux/jbd2.h>
#include <linux/posix_acl.h>
#include <linux/posix_acl_xattr.h>
#include <linux/quotaops.h>
#include <linux/slab.h>

#include "vexfs.h"

static u8 vexfs_acl_index(int type)
{
	return type == ACL_TYPE_ACCESS ? VEXFS_XATTR_ACL_ACCESS :
					 VEXFS_XATTR_ACL_DEFAULT;
}

static struct posix_acl *vexfs_acl_from_disk(struct inode *inode,
					     const void *value, size_t size)
{
	struct posix_acl *acl = posix_acl_from_xattr(&init_user_ns, value,
						     size);
	int err;

	if (!IS_ERR(acl) || acl == ERR_PTR(-ENOMEM))
		return acl;
	err = VEXFS_CORRUPTED(VEXFS_FS(inode->i_sb), inode->i_ino, 0,
			      "bad ACL");
	return ERR_PTR(err);
}

struct posix_acl *vexfs_get_acl(struct inode *inode, int type, bool rcu)
{
	u8 index = vexfs_acl_index(type);
	struct posix_acl *acl;
	void *value;
	int len;

	if (rcu)
		return ERR_PTR(-ECHILD);
	len = vexfs_getxattr(inode, index, "", NULL, 0);
	if (len == -ENODATA || !len)
		return NULL;
	if (len < 0)
		return ERR_PTR(len);
	/* It may be replaced by a longer one meanwhile. */
	do {
		value = kvmalloc(len, GFP_NOFS);
		if (!value)
			return ERR_PTR(-ENOMEM);
		len = vexfs_getxattr(inode, index, "", value, len);
		if (len >= 0)
			break;
		kvfree(value);
		if (len == -ERANGE)
			len = VEXFS_XATTR_MAX_VALUE;
	} while (len > 0);
	if (len < 0)
		return len == -ENODATA ? NULL : ERR_PTR(len);
	acl = vexfs_acl_from_disk(inode, value, len);
	kvfree(value);
	return acl;
}

static size_t vexfs_acl_size(const struct posix_acl *acl)
{
	return acl ? posix_acl_xattr_size(acl->a_count) : 0;
}

/* In the running transaction; the caller logs the inode. */
static int vexfs_store_acl(handle_t *handle, struct inode *inode,
			   const struct posix_acl *acl, int type)
{
	void *value = NULL;
	size_t size = 0;
	int err;

	if (acl) {
		value = posix_acl_to_xattr(&init_user_ns, acl, &size, GFP_NOFS);
		if (!value)
			return -ENOMEM;
	}
	err = vexfs_setxattr_handle(handle, inode, vexfs_acl_index(type), "",
				    value, size, 0);
	kvfree(value);
	return err;
}

static int vexfs_set_acl_once(struct inode *inode, const struct posix_acl *acl,
			      int type, umode_t mode)
{
	handle_t *handle;
	int err, err2;

	handle = vexfs_journal_start(inode->i_sb, VEXFS_SETXATTR_CREDITS);
	if (IS_ERR(handle))
		return PTR_ERR(handle);
	err = vexfs_store_acl(handle, inode, acl, type);
	if (!err) {
		inode->i_mode = mode;
		inode_set_ctime_current(inode);
		inode_inc_iversion(inode);
	}
	err2 = vexfs_log_inode(handle, inode);
	if (!err)
		err = err2;
	err2 = vexfs_journal_stop(handle);
	return err ?: err2;
}

int vexfs_set_acl(struct mnt_idmap *idmap, struct vexfs_acl_object *object,
		  struct posix_acl *acl, int type)
{
	struct inode *inode = vexfs_acl_inode(object);
	umode_t mode = inode->i_mode;
	struct posix_acl *cached = acl;
	int err, retries = 0;

	if (acl && vexfs_acl_size(acl) > VEXFS_XATTR_MAX_VALUE)
		return -E2BIG;
	if (acl && type == ACL_TYPE_ACCESS) {
		err = posix_acl_update_mode(idmap, inode, &mode, &cached);
		if (err)
			return err;
	}
	err = dquot_initialize(inode);
	if (err)
		return err;
	do {
		err = vexfs_set_acl_once(inode, cached, type, mode);
	} while (err == -ENOSPC && vexfs_should_retry(inode->i_sb, &retries));
	if (!err)
		set_cached_acl(inode, type, cached);
	return err;
}

static int vexfs_acl_credits(const struct posix_acl *acl)
{
	size_t size = vexfs_acl_size(acl);

	if (!size)
		return 0;
	return size <= VEXFS_XATTR_SMALL ? VEXFS_XATTR_SMALL_CREDITS :
					   VEXFS_XATTR_CREDITS;
}

int vexfs_new_acls(struct inode *dir, umode_t *mode, struct vexfs_acls *acls)
{
	acls->acl = NULL;
	acls->def = NULL;
	return posix_acl_create(dir, mode, &acls->def, &acls->acl);
}

int vexfs_new_acls_credits(const struct vexfs_acls *acls)
{
	return vexfs_acl_credits(acls->acl) + vexfs_acl_credits(acls->def);
}

void vexfs_release_acls(struct vexfs_acls *acls)
{
	posix_acl_release(acls->acl);
	posix_acl_release(acls->def);
}

int vexfs_init_acls(handle_t *handle, struct inode *inode,
		    const struct vexfs_acls *acls)
{
	int err = 0;

	if (acls->def)
		err = vexfs_store_acl(handle, inode, acls->def,
				      ACL_TYPE_DEFAULT);
	if (!err && acls->acl)
		err = vexfs_store_acl(handle, inode, acls->acl,
				      ACL_TYPE_ACCESS);
	if (err)
		return err;
	set_cached_acl(inode, ACL_TYPE_DEFAULT, acls->def);
	set_cached_acl(inode, ACL_TYPE_ACCESS, acls->acl);
	return 0;
}

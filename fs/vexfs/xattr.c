// SPDX-License-Identifier: GPL-2.0
/*
 * Extended attributes: the VFS's side of them. ACLs are in acl.c.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include <linux/capability.h>
#include <linux/fs.h>
#include <linux/iversion.h>
#include <linux/jbd2.h>
#include <linux/posix_acl_xattr.h>
#include <linux/quotaops.h>
#include <linux/security.h>
#include <linux/xattr.h>

#include "vexfs.h"

static void vexfs_xattr_name_init(struct vexfs_xattr_name *n, u8 index,
				  const char *name)
{
	n->index = index;
	n->name = (const u8 *)name;
	n->len = strlen(name);
}

int vexfs_getxattr(struct inode *inode, u8 index, const char *name,
		   void *value, size_t size)
{
	struct vexfs_xattr_name n;

	if (vexfs_is_shutdown(inode->i_sb))
		return -EIO;
	vexfs_xattr_name_init(&n, index, name);
	return vexfs_xattr_get(&VEXFS_I(inode)->node, &n, value, size);
}

int vexfs_setxattr_handle(handle_t *handle, struct inode *inode, u8 index,
			  const char *name, const void *value, size_t size,
			  int flags)
{
	struct vexfs_xattr_name n;
	unsigned int how = 0;

	vexfs_xattr_name_init(&n, index, name);
	if (flags & XATTR_CREATE)
		how |= VEXFS_XATTR_SET_CREATE;
	if (flags & XATTR_REPLACE)
		how |= VEXFS_XATTR_SET_REPLACE;
	return vexfs_xattr_set(handle, &VEXFS_I(inode)->node, &n, value, size,
			       how);
}

static int vexfs_setxattr_once(struct inode *inode, u8 index,
			       const char *name, const void *value,
			       size_t size, int flags)
{
	handle_t *handle;
	int err, err2;

	handle = vexfs_journal_start(inode->i_sb, VEXFS_SETXATTR_CREDITS);
	if (IS_ERR(handle))
		return PTR_ERR(handle);
	err = vexfs_setxattr_handle(handle, inode, index, name, value, size,
				    flags);
	if (!err) {
		inode_set_ctime_current(inode);
		inode_inc_iversion(inode);
	}
	/* Also after an error: blocks may have come and gone. */
	err2 = vexfs_log_inode(handle, inode);
	if (!err)
		err = err2;
	if (IS_SYNC(inode))
		handle->h_sync = 1;
	err2 = vexfs_journal_stop(handle);
	return err ?: err2;
}

static int vexfs_setxattr(struct inode *inode, u8 index, const char *name,
			  const void *value, size_t size, int flags)
{
	int err, retries = 0;

	err = dquot_initialize(inode);
	if (err)
		return err;
	do {
		err = vexfs_setxattr_once(inode, index, name, value, size,
					  flags);
	} while (err == -ENOSPC && vexfs_should_retry(inode->i_sb, &retries));
	return err;
}

static int vexfs_handler_get(const struct xattr_handler *handler,
			     struct dentry *dentry, struct inode *inode,
			     const char *name, void *value, size_t size)
{
	return vexfs_getxattr(inode, handler->flags, name, value, size);
}

static int vexfs_handler_set(const struct xattr_handler *handler,
			     struct mnt_idmap *idmap, struct dentry *dentry,
			     struct inode *inode, const char *name,
			     const void *value, size_t size, int flags)
{
	return vexfs_setxattr(inode, handler->flags, name, value, size, flags);
}

#define VEXFS_HANDLER(var, _prefix, index)				\
static const struct xattr_handler var = {				\
	.prefix	= _prefix,						\
	.flags	= index,						\
	.get	= vexfs_handler_get,					\
	.set	= vexfs_handler_set,					\
}

VEXFS_HANDLER(vexfs_user_handler, XATTR_USER_PREFIX, VEXFS_XATTR_USER);
VEXFS_HANDLER(vexfs_trusted_handler, XATTR_TRUSTED_PREFIX,
	      VEXFS_XATTR_TRUSTED);
VEXFS_HANDLER(vexfs_security_handler, XATTR_SECURITY_PREFIX,
	      VEXFS_XATTR_SECURITY);

const struct xattr_handler *vexfs_const_handlers vexfs_xattr_handlers[] = {
	&vexfs_user_handler,
	&vexfs_trusted_handler,
	&vexfs_security_handler,
	VEXFS_ACL_HANDLERS
	NULL
};

struct vexfs_list {
	struct inode	*inode;
	char		*buf;
	size_t		size;		/* 0: only count */
	size_t		len;
	bool		trusted;
};

/* NULL: not to be shown. */
static const char *vexfs_list_prefix(const struct vexfs_list *l, u8 index)
{
	switch (index) {
	case VEXFS_XATTR_USER:
		return XATTR_USER_PREFIX;
	case VEXFS_XATTR_SECURITY:
		return XATTR_SECURITY_PREFIX;
	case VEXFS_XATTR_TRUSTED:
		return l->trusted ? XATTR_TRUSTED_PREFIX : NULL;
	case VEXFS_XATTR_ACL_ACCESS:
		return IS_POSIXACL(l->inode) ? XATTR_NAME_POSIX_ACL_ACCESS :
					       NULL;
	case VEXFS_XATTR_ACL_DEFAULT:
		return IS_POSIXACL(l->inode) ? XATTR_NAME_POSIX_ACL_DEFAULT :
					       NULL;
	}
	return NULL;
}

static int vexfs_list_one(void *arg, const struct vexfs_xattr_name *name,
			  u32 value_len)
{
	struct vexfs_list *l = arg;
	const char *prefix = vexfs_list_prefix(l, name->index);
	size_t prefix_len, len;

	if (!prefix)
		return 0;
	prefix_len = strlen(prefix);
	len = prefix_len + name->len + 1;
	if (l->size) {
		if (len > l->size - l->len)
			return -ERANGE;
		memcpy(l->buf + l->len, prefix, prefix_len);
		memcpy(l->buf + l->len + prefix_len, name->name, name->len);
		l->buf[l->len + len - 1] = '\0';
	}
	l->len += len;
	return 0;
}

ssize_t vexfs_listxattr(struct dentry *dentry, char *buf, size_t size)
{
	struct vexfs_list l = {
		.inode		= d_inode(dentry),
		.buf		= buf,
		.size		= size,
		.trusted	= capable(CAP_SYS_ADMIN),
	};
	int err;

	if (vexfs_is_shutdown(l.inode->i_sb))
		return -EIO;
	err = vexfs_xattr_list(&VEXFS_I(l.inode)->node, vexfs_list_one, &l);
	return err ? err : l.len;
}

static int vexfs_initxattrs(struct inode *inode, const struct xattr *xattr,
			    void *handle)
{
	int err = 0;

	for (; !err && xattr->name; xattr++)
		err = vexfs_setxattr_handle(handle, inode,
					    VEXFS_XATTR_SECURITY, xattr->name,
					    xattr->value, xattr->value_len, 0);
	return err;
}

int vexfs_init_security(handle_t *handle, struct inode *inode,
			struct inode *dir, const struct qstr *name)
{
	return security_inode_init_security(inode, dir, name,
					    vexfs_initxattrs, handle);
}

/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What differs between kernel versions, and nothing else: VexFS is written
 * for the newest kernel, and this header makes older ones look like it.
 * Helpers that stable kernels backport are probed for by the Makefile
 * (VEXFS_HAVE_*); version numbers are tested only for changed signatures.
 * Each block names the release that made it unnecessary.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#ifndef _VEXFS_COMPAT_H
#define _VEXFS_COMPAT_H

#include <crypto/hash.h>
#include <linux/blkdev.h>
#include <linux/crc32.h>
#include <linux/exportfs.h>
#include <linux/fs.h>
#include <linux/fileattr.h>
#include <linux/fsnotify.h>
#include <linux/iomap.h>
#include <linux/jbd2.h>
#include <linux/kobject.h>
#include <linux/mnt_idmapping.h>
#include <linux/posix_acl.h>
#include <linux/posix_acl_xattr.h>
#include <linux/version.h>
#include <linux/workqueue.h>
#ifdef VEXFS_HAVE_FSERROR
#include <linux/fserror.h>
#endif

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 1, 0)
#error "VexFS needs Linux 6.1 or newer"
#endif

/* 6.12: was in asm/ */
#ifdef VEXFS_HAVE_LINUX_UNALIGNED
#include <linux/unaligned.h>
#else
#include <asm/unaligned.h>
#endif

/* 6.3: a mount's id mapping has a type of its own */
#ifndef VEXFS_HAVE_MNT_IDMAP
#define mnt_idmap	user_namespace
#define nop_mnt_idmap	init_user_ns
#define file_mnt_idmap	file_mnt_user_ns
#endif

/*
 * 6.2: ->get_acl() was renamed, ->set_acl() is told the dentry, and the VFS
 * handles the names of ACLs itself.
 */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 2, 0)
#define get_inode_acl		get_acl
#define vexfs_acl_object	inode
static inline struct inode *vexfs_acl_inode(struct inode *inode)
{
	return inode;
}

#ifdef CONFIG_FS_POSIX_ACL
#define VEXFS_ACL_HANDLERS	&posix_acl_access_xattr_handler, \
				&posix_acl_default_xattr_handler,
#else
#define VEXFS_ACL_HANDLERS
#endif
#define posix_acl_chmod(idmap, dentry, mode) \
	posix_acl_chmod(idmap, d_inode(dentry), mode)
#else
#define vexfs_acl_object	dentry
static inline struct inode *vexfs_acl_inode(struct dentry *dentry)
{
	return d_inode(dentry);
}

#define VEXFS_ACL_HANDLERS
#endif

/* 6.7: the array of xattr handlers is constant */
#ifdef VEXFS_HAVE_CONST_XATTR_HANDLERS
#define vexfs_const_handlers	const
#else
#define vexfs_const_handlers
#endif

/* 6.6 */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 6, 0)
#define generic_fillattr(idmap, mask, inode, stat) \
	generic_fillattr(idmap, inode, stat)
#endif

/* 6.6 for ctime (in 6.1.y too), 6.7 for the others: accessors of the times */
#ifndef VEXFS_HAVE_INODE_CTIME
static inline struct timespec64 inode_get_ctime(const struct inode *inode)
{
	return inode->i_ctime;
}

static inline struct timespec64 inode_set_ctime_to_ts(struct inode *inode,
						      struct timespec64 ts)
{
	inode->i_ctime = ts;
	return ts;
}

static inline struct timespec64 inode_set_ctime_current(struct inode *inode)
{
	return inode_set_ctime_to_ts(inode, current_time(inode));
}
#endif

#ifndef VEXFS_HAVE_INODE_MTIME
static inline struct timespec64 inode_get_atime(const struct inode *inode)
{
	return inode->i_atime;
}

static inline struct timespec64 inode_get_mtime(const struct inode *inode)
{
	return inode->i_mtime;
}

static inline struct timespec64 inode_set_atime_to_ts(struct inode *inode,
						      struct timespec64 ts)
{
	inode->i_atime = ts;
	return ts;
}

static inline struct timespec64 inode_set_mtime_to_ts(struct inode *inode,
						      struct timespec64 ts)
{
	inode->i_mtime = ts;
	return ts;
}

static inline struct timespec64 simple_inode_init_ts(struct inode *inode)
{
	struct timespec64 ts = inode_set_ctime_current(inode);

	inode_set_atime_to_ts(inode, ts);
	inode_set_mtime_to_ts(inode, ts);
	return ts;
}
#endif

/* 6.9: uuid and sysfs name belong to the VFS */
#ifndef VEXFS_HAVE_SUPER_SET_UUID
static inline void super_set_uuid(struct super_block *sb, const u8 *uuid,
				  unsigned int len)
{
	memcpy(&sb->s_uuid, uuid, min_t(unsigned int, len, sizeof(sb->s_uuid)));
}

static inline void super_set_sysfs_name_bdev(struct super_block *sb)
{
}
#endif

/* 6.9: an inode's quotas are under RCU */
#ifdef VEXFS_HAVE_RCU_DQUOT
#define vexfs_dquot_ptr	struct dquot __rcu *
#else
#define vexfs_dquot_ptr	struct dquot *
#endif

/* 6.8 */
#ifndef VEXFS_HAVE_BDEV_FREEZE
#define bdev_freeze	freeze_bdev
#define bdev_thaw	thaw_bdev
#endif

/* 6.10: the page cache of a device */
#ifdef VEXFS_HAVE_BD_MAPPING
#define vexfs_bdev_mapping(bdev)	((bdev)->bd_mapping)
#else
#define vexfs_bdev_mapping(bdev)	((bdev)->bd_inode->i_mapping)
#endif

/*
 * 6.14: before, crc32c() was in a module of its own. What that calls is not:
 * the driver that suits the processor, whose state is the checksum.
 */
#ifndef VEXFS_HAVE_CRC32C
extern struct crypto_shash *vexfs_crc32c_tfm;

static inline u32 vexfs_crc32c_update(u32 crc, const void *data, size_t len)
{
	struct {
		struct shash_desc shash;
		u32 state;
	} desc = { .shash.tfm = vexfs_crc32c_tfm, .state = crc };

	crypto_shash_update(&desc.shash, data, len);
	return desc.state;
}

#undef crc32c
#define crc32c(crc, data, len)	vexfs_crc32c_update(crc, data, len)
#define VEXFS_DEFINE_CRC32C	struct crypto_shash *vexfs_crc32c_tfm;	\
				MODULE_SOFTDEP("pre: crc32c")

static inline int vexfs_crc32c_init(void)
{
	vexfs_crc32c_tfm = crypto_alloc_shash("crc32c", 0, 0);
	if (IS_ERR(vexfs_crc32c_tfm))
		return PTR_ERR(vexfs_crc32c_tfm);
	/* There is room for the checksum behind a descriptor, no more. */
	if (crypto_shash_descsize(vexfs_crc32c_tfm) == sizeof(u32))
		return 0;
	crypto_free_shash(vexfs_crc32c_tfm);
	return -EOPNOTSUPP;
}

static inline void vexfs_crc32c_exit(void)
{
	crypto_free_shash(vexfs_crc32c_tfm);
}
#else
#define VEXFS_DEFINE_CRC32C

static inline int vexfs_crc32c_init(void)
{
	return 0;
}

static inline void vexfs_crc32c_exit(void)
{
}
#endif

/* 6.17 */
#ifndef VEXFS_HAVE_FILE_KATTR
#define file_kattr	fileattr
#endif

/* 6.18: workqueues of each processor have a flag too (in 6.12.y as well) */
#ifndef VEXFS_HAVE_WQ_PERCPU
#define WQ_PERCPU	0
#define system_dfl_wq	system_unbound_wq
#endif

/* 6.19 */
#ifndef VEXFS_HAVE_INODE_STATE_READ
static inline unsigned long inode_state_read_once(const struct inode *inode)
{
	return READ_ONCE(inode->i_state);
}
#endif

/* 7.0: memory for an ACL's value is allocated for the caller */
#ifndef VEXFS_HAVE_ACL_TO_XATTR_ALLOC
static inline void *vexfs_acl_to_xattr(struct user_namespace *ns,
				       const struct posix_acl *acl,
				       size_t *size, gfp_t gfp)
{
	void *value;

	*size = posix_acl_xattr_size(acl->a_count);
	value = kvmalloc(*size, gfp);
	if (value)
		posix_acl_to_xattr(ns, acl, value, *size);
	return value;
}

#define posix_acl_to_xattr	vexfs_acl_to_xattr
#endif

/* 7.0 has it in the uapi header; the number is as old as XFS */
#ifndef FS_IOC_SHUTDOWN
#define FS_IOC_SHUTDOWN			_IOR('X', 125, __u32)
#define FS_SHUTDOWN_FLAGS_DEFAULT	0x0
#define FS_SHUTDOWN_FLAGS_LOGFLUSH	0x1
#define FS_SHUTDOWN_FLAGS_NOLOGFLUSH	0x2
#endif

/* 7.0: who watches for errors is told by a worker */
#ifdef VEXFS_HAVE_FSERROR
#define vexfs_notify_error(sb, error) \
	fserror_report_metadata(sb, -abs(error), GFP_ATOMIC)
#else
#define vexfs_notify_error(sb, error)	fsnotify_sb_error(sb, NULL, error)
#endif

#include "compat_iomap.h"

#endif /* _VEXFS_COMPAT_H */

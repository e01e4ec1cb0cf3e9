// SPDX-License-Identifier: GPL-2.0
/*
 * File handles, for NFS and open_by_handle_at(2). They have room for 64-bit
 * inode numbers, which the generic ones have not.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include <linux/exportfs.h>
#include <linux/fs.h>
#include <linux/writeback.h>

#include "vexfs.h"

enum {
	VEXFS_FILEID_INODE	= 0x56,
	VEXFS_FILEID_PARENT	= 0x57,
};

/* In 32-bit words: number and generation of the inode, then of its parent. */
#define VEXFS_FID_WORDS		3
#define VEXFS_FID_PARENT_WORDS	6

static void vexfs_fid_put(u32 *fh, const struct inode *inode)
{
	fh[0] = lower_32_bits((u64)inode->i_ino);
	fh[1] = upper_32_bits((u64)inode->i_ino);
	fh[2] = inode->i_generation;
}

static int vexfs_encode_fh(struct inode *inode, u32 *fh, int *max_len,
			   struct inode *parent)
{
	int len = parent ? VEXFS_FID_PARENT_WORDS : VEXFS_FID_WORDS;

	if (*max_len < len) {
		*max_len = len;
		return FILEID_INVALID;
	}
	*max_len = len;
	vexfs_fid_put(fh, inode);
	if (!parent)
		return VEXFS_FILEID_INODE;
	vexfs_fid_put(fh + VEXFS_FID_WORDS, parent);
	return VEXFS_FILEID_PARENT;
}

/*
 * Handles outlive what they name, so the number is looked up in the bitmap
 * first: what lies in a free inode is nothing to complain about.
 */
static struct inode *vexfs_fid_inode(struct super_block *sb, const u32 *fh)
{
	struct vexfs_fs *fs = VEXFS_FS(sb);
	u64 ino = fh[0] | (u64)fh[1] << 32;
	struct inode *inode;
	int ret;

	if (!vexfs_ino_valid(fs, ino))
		return ERR_PTR(-ESTALE);
	ret = vexfs_inode_allocated(fs, ino);
	if (ret <= 0)
		return ERR_PTR(ret ?: -ESTALE);
	inode = vexfs_iget(sb, ino);
	if (!IS_ERR(inode) && inode->i_generation != fh[2]) {
		iput(inode);
		return ERR_PTR(-ESTALE);
	}
	return inode;
}

static struct dentry *vexfs_fh_to_dentry(struct super_block *sb,
					 struct fid *fid, int len, int type)
{
	if (len < VEXFS_FID_WORDS ||
	    (type != VEXFS_FILEID_INODE && type != VEXFS_FILEID_PARENT))
		return NULL;
	return d_obtain_alias(vexfs_fid_inode(sb, fid->raw));
}

static struct dentry *vexfs_fh_to_parent(struct super_block *sb,
					 struct fid *fid, int len, int type)
{
	if (len < VEXFS_FID_PARENT_WORDS || type != VEXFS_FILEID_PARENT)
		return NULL;
	return d_obtain_alias(vexfs_fid_inode(sb, fid->raw + VEXFS_FID_WORDS));
}

static int vexfs_nfs_commit(struct inode *inode)
{
	struct writeback_control wbc = { .sync_mode = WB_SYNC_ALL };

	return vexfs_write_inode(inode, &wbc);
}

const struct export_operations vexfs_export_ops = {
	.encode_fh		= vexfs_encode_fh,
	.fh_to_dentry		= vexfs_fh_to_dentry,
	.fh_to_parent		= vexfs_fh_to_parent,
	.get_parent		= vexfs_get_parent,
	.commit_metadata	= vexfs_nfs_commit,
};

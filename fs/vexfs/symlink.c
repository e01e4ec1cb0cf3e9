// SPDX-License-Identifier: GPL-2.0
/*
 * Symbolic links: short targets are in the inode, long ones in one or two
 * metadata blocks of it.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include <linux/fs.h>
#include <linux/jbd2.h>
#include <linux/slab.h>

#include "vexfs.h"

static void vexfs_set_size(struct inode *inode, u64 size)
{
	i_size_write(inode, size);
	VEXFS_I(inode)->disk_size = size;
}

/* Block @lblk of the target, allocated and written in the transaction. */
static int vexfs_symlink_write(handle_t *handle, struct inode *inode,
			       u64 lblk, const char *part, unsigned int len)
{
	struct vexfs_fs *fs = VEXFS_FS(inode->i_sb);
	struct vexfs_node *node = &VEXFS_I(inode)->node;
	struct vexfs_symlink_block *sl;
	struct vexfs_buf *buf;
	struct vexfs_map map;
	u64 done;
	int ret;

	ret = vexfs_ext_allocate(handle, node, lblk, 1, 0, &map);
	if (!ret)
		ret = vexfs_ext_convert(handle, node, lblk, 1, &done);
	if (ret)
		return ret;
	buf = vexfs_buf_get(fs, map.pblk);
	if (IS_ERR(buf))
		return PTR_ERR(buf);
	ret = vexfs_trans_create(handle, buf);
	if (ret)
		goto out_put;
	vexfs_meta_init(fs, buf, VEXFS_MAGIC_SYMLINK, node->ino,
			node->generation);
	sl = vexfs_buf_data(buf);
	memcpy(sl->sl_target, part, len);
	vexfs_meta_csum(fs, buf);
	ret = vexfs_trans_dirty(handle, buf);
out_put:
	vexfs_buf_put(buf);
	return ret;
}

int vexfs_symlink_store(handle_t *handle, struct inode *inode,
			const char *target, unsigned int len)
{
	struct vexfs_inode_info *info = VEXFS_I(inode);
	unsigned int part, off;
	int ret;

	if (!len)
		return -ENOENT;
	if (len > 2 * VEXFS_SYMLINK_SPACE)
		return -ENAMETOOLONG;
	vexfs_set_size(inode, len);
	if (len <= VEXFS_FAST_SYMLINK) {
		memcpy(info->symlink, target, len);
		info->symlink[len] = 0;
		inode->i_op = &vexfs_fast_symlink_inode_operations;
		return 0;
	}
	inode->i_op = &vexfs_symlink_inode_operations;
	for (off = 0; off < len; off += part) {
		part = min_t(unsigned int, len - off, VEXFS_SYMLINK_SPACE);
		ret = vexfs_symlink_write(handle, inode,
					  off / VEXFS_SYMLINK_SPACE,
					  target + off, part);
		if (ret)
			return ret;
	}
	return 0;
}

static int vexfs_symlink_read(struct inode *inode, u64 lblk, char *part,
			      unsigned int len)
{
	struct vexfs_fs *fs = VEXFS_FS(inode->i_sb);
	struct vexfs_node *node = &VEXFS_I(inode)->node;
	const struct vexfs_symlink_block *sl;
	struct vexfs_buf *buf;
	struct vexfs_map map;
	int ret;

	ret = vexfs_ext_lookup(node, lblk, 1, &map);
	if (ret)
		return ret;
	if (!map.pblk || map.unwritten)
		return VEXFS_CORRUPTED(fs, node->ino, map.pblk,
				       "a symlink without its target");
	buf = vexfs_meta_read(fs, map.pblk, VEXFS_MAGIC_SYMLINK, node->ino,
			      node->generation);
	if (IS_ERR(buf))
		return PTR_ERR(buf);
	sl = vexfs_buf_data(buf);
	memcpy(part, sl->sl_target, len);
	vexfs_buf_put(buf);
	return 0;
}

static void vexfs_free_link(void *link)
{
	kfree(link);
}

static const char *vexfs_get_link(struct dentry *dentry, struct inode *inode,
				  struct delayed_call *done)
{
	struct vexfs_fs *fs = VEXFS_FS(inode->i_sb);
	loff_t size = i_size_read(inode);
	unsigned int part, off;
	char *link;
	int ret;

	/* Reading blocks may sleep. */
	if (!dentry)
		return ERR_PTR(-ECHILD);
	if (size <= 0 || size > 2 * VEXFS_SYMLINK_SPACE) {
		ret = VEXFS_CORRUPTED(fs, inode->i_ino, 0,
				      "the size of a symlink");
		return ERR_PTR(ret);
	}
	link = kmalloc(size + 1, GFP_KERNEL);
	if (!link)
		return ERR_PTR(-ENOMEM);
	for (off = 0; off < size; off += part) {
		part = min_t(unsigned int, size - off, VEXFS_SYMLINK_SPACE);
		ret = vexfs_symlink_read(inode, off / VEXFS_SYMLINK_SPACE,
					 link + off, part);
		if (ret) {
			kfree(link);
			return ERR_PTR(ret);
		}
	}
	link[size] = 0;
	set_delayed_call(done, vexfs_free_link, link);
	return link;
}

static const char *vexfs_get_fast_link(struct dentry *dentry,
				       struct inode *inode,
				       struct delayed_call *done)
{
	return VEXFS_I(inode)->symlink;
}

const struct inode_operations vexfs_symlink_inode_operations = {
	.get_link	= vexfs_get_link,
	.setattr	= vexfs_setattr,
	.getattr	= vexfs_getattr,
	.listxattr	= vexfs_listxattr,
};

const struct inode_operations vexfs_fast_symlink_inode_operations = {
	.get_link	= vexfs_get_fast_link,
	.setattr	= vexfs_setattr,
	.getattr	= vexfs_getattr,
	.listxattr	= vexfs_listxattr,
};

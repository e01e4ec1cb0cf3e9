// SPDX-License-Identifier: GPL-2.0
/*
 * The quota files of a new volume: hidden inodes, as the superblock names
 * them. What there is yet, the root directory, is in them already.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include "mkfs.h"

#include <stdlib.h>

static void mkfs_fill_quota(const struct vexfs_node *n, u64 size,
			    struct vexfs_inode *di)
{
	di->i_magic = cpu_to_le16(VEXFS_INODE_MAGIC);
	di->i_mode = cpu_to_le16(S_IFREG | 0600);
	di->i_ino = cpu_to_le64(n->ino);
	di->i_generation = cpu_to_le32(n->generation);
	di->i_nlink = cpu_to_le32(1);
	di->i_size = cpu_to_le64(size);
	di->i_blocks = cpu_to_le64(n->blocks);
	di->i_atime = mkfs_now();
	di->i_mtime = di->i_atime;
	di->i_ctime = di->i_atime;
	di->i_crtime = di->i_atime;
	di->i_version = cpu_to_le64(1);
	di->i_root = n->root;
	di->i_checksum = cpu_to_le32(vexfs_inode_csum(n->fs, di));
}

static int mkfs_quota_inode(struct vexfs_trans *t, const struct vexfs_node *n,
			    u64 size)
{
	struct vexfs_inode *di;
	struct vexfs_buf *buf = vexfs_inode_buf(n->fs, n->ino, &di);
	int err;

	if (IS_ERR(buf))
		return PTR_ERR(buf);
	err = vexfs_trans_write(t, buf);
	if (!err) {
		mkfs_fill_quota(n, size, di);
		err = vexfs_trans_dirty(t, buf);
	}
	vexfs_buf_put(buf);
	return err;
}

static int mkfs_quota_file(struct vexfs_trans *t, struct vexfs_fs *fs,
			   struct vq_table *table, int type)
{
	struct vexfs_node n = { };
	u64 size;
	u8 *data = vq_make(table, type, &size);
	int err;

	vexfs_node_init(&n, fs, VEXFS_USRQUOTA_INO + type,
			max(get_random_u32(), 1u));
	vexfs_ext_init_root(&n.root);
	err = vq_store(t, &n, data, size);
	if (!err)
		err = mkfs_quota_inode(t, &n, size);
	free(data);
	return err;
}

int mkfs_write_quota(struct vexfs_trans *t, const struct vexfs_node *root)
{
	struct vexfs_fs *fs = root->fs;
	struct vq_table table;
	struct vq_entry *e;
	int type, err = 0;

	vq_init(&table);
	e = vq_get(&table, 0);
	e->inodes = cpu_to_le64(1);
	e->space = cpu_to_le64(root->blocks << VEXFS_BLOCK_SHIFT);
	for (type = 0; type < VQ_TYPES && !err; type++)
		if (vexfs_super(fs)->s_quota_ino[type])
			err = mkfs_quota_file(t, fs, &table, type);
	vq_free(&table);
	return err;
}

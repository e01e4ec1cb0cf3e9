// SPDX-License-Identifier: GPL-2.0
/*
 * VEXFS_IOC_RESIZE: a mounted volume becomes larger.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include <linux/blkdev.h>
#include <linux/capability.h>
#include <linux/mount.h>
#include <linux/uaccess.h>

#include <linux/vexfs.h>

#include "trace.h"
#include "vexfs.h"

static u64 vexfs_clusters_to_bytes(const struct vexfs_geom *g, u64 clusters)
{
	return clusters << g->cluster_shift << VEXFS_BLOCK_SHIFT;
}

/* How many clusters are asked for; 0 is as many as there may be. */
static int vexfs_resize_want(struct super_block *sb, u64 bytes, u64 *clusters)
{
	struct vexfs_geom *g = &VEXFS_FS(sb)->geom;
	u64 have = bdev_nr_bytes(sb->s_bdev);

	if (bytes > have)
		return -ENOSPC;
	*clusters = div_u64(bytes ?: have, g->cluster_size);
	if (!bytes)
		*clusters = clamp(*clusters, g->clusters,
				  max(g->clusters, vexfs_clusters_most(g)));
	return 0;
}

static int vexfs_resize_to(struct super_block *sb, u64 clusters)
{
	struct vexfs_sb_info *sbi = VEXFS_SB(sb);
	struct vexfs_fs *fs = &sbi->fs;
	u32 group = fs->geom.groups;
	struct vexfs_geom geom;
	const char *why = NULL;
	handle_t *handle;
	int err, err2;

	err = vexfs_geom_grow(&fs->geom, clusters, &geom, &why);
	if (err) {
		vexfs_warn(sb, "not resized: %s", why);
		return err;
	}
	if (geom.clusters == fs->geom.clusters)
		return 0;
	handle = vexfs_journal_start(sb, VEXFS_GROW_CREDITS);
	if (IS_ERR(handle))
		return PTR_ERR(handle);
	err = vexfs_grow(handle, fs, &geom);
	err2 = vexfs_journal_stop(handle);
	err = err ?: err2 ?: vexfs_journal_commit(sb);
	if (err)
		return err;
	for (; group < geom.groups; group++)
		sbi->inodes += vexfs_group_inodes(&geom, group);
	trace_vexfs_resize(sb, geom.clusters);
	vexfs_info(sb, "resized to %llu bytes in %u groups",
		   vexfs_clusters_to_bytes(&geom, geom.clusters), geom.groups);
	return 0;
}

/* One at a time. */
static int vexfs_resize(struct super_block *sb, u64 bytes)
{
	struct vexfs_sb_info *sbi = VEXFS_SB(sb);
	u64 clusters;
	int err;

	if (test_and_set_bit(VEXFS_SBF_RESIZING, &sbi->flags))
		return -EBUSY;
	err = vexfs_resize_want(sb, bytes, &clusters);
	if (!err)
		err = vexfs_resize_to(sb, clusters);
	clear_bit(VEXFS_SBF_RESIZING, &sbi->flags);
	return err;
}

static bool vexfs_resize_valid(const struct vexfs_resize *r)
{
	return r->size == sizeof(*r) && !r->flags && !r->most &&
	       !memchr_inv(r->reserved, 0, sizeof(r->reserved));
}

long vexfs_ioc_resize(struct file *file, void __user *arg)
{
	struct super_block *sb = file_inode(file)->i_sb;
	struct vexfs_geom *g = &VEXFS_FS(sb)->geom;
	struct vexfs_resize r;
	int err;

	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	if (copy_from_user(&r, arg, sizeof(r)))
		return -EFAULT;
	if (!vexfs_resize_valid(&r))
		return -EINVAL;
	err = mnt_want_write_file(file);
	if (err)
		return err;
	err = vexfs_resize(sb, r.bytes);
	mnt_drop_write_file(file);
	if (err)
		return err;
	r.bytes = vexfs_clusters_to_bytes(g, g->clusters);
	r.most = vexfs_clusters_to_bytes(g, max(g->clusters,
						vexfs_clusters_most(g)));
	return copy_to_user(arg, &r, sizeof(r)) ? -EFAULT : 0;
}

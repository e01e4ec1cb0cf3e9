// SPDX-License-Identifier: GPL-2.0
/*
 * Making a volume larger while it is in use: the last group gets what it
 * lacks, and new groups get descriptors, in blocks that there are already. All
 * of it is in one transaction, so after a crash the volume has one size or the
 * other. Nothing else is written: new groups have no bitmaps yet, and no
 * inode of their tables was ever used.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include "libvexfs.h"

static u32 vexfs_grow_first(const struct vexfs_fs *fs)
{
	return (fs->geom.groups - 1) / VEXFS_DESC_PER_BLOCK;
}

static u32 vexfs_grow_last(const struct vexfs_geom *geom)
{
	return (geom->groups - 1) / VEXFS_DESC_PER_BLOCK;
}

/* Descriptors of groups that nobody can see yet. */
static int vexfs_grow_descs(struct vexfs_trans *t, struct vexfs_fs *fs,
			    const struct vexfs_geom *geom)
{
	struct vexfs_group_desc *gd;
	struct vexfs_buf *buf;
	u32 group;
	int err;

	for (group = fs->geom.groups; group < geom->groups; group++) {
		gd = vexfs_group_desc(fs, group, &buf);
		err = vexfs_trans_write(t, buf);
		if (err)
			return err;
		vexfs_group_desc_init(geom, group, gd);
		gd->bg_checksum = cpu_to_le32(vexfs_group_desc_csum(fs, group,
								    gd));
		err = vexfs_trans_dirty(t, buf);
		if (err)
			return err;
		fs->group_hint[group] = U16_MAX;
	}
	return 0;
}

static void vexfs_grow_count(struct vexfs_fs *fs, u32 from)
{
	const struct vexfs_geom *g = &fs->geom;
	u32 group;

	for (group = from; group < g->groups; group++) {
		percpu_counter_add(&fs->free_clusters,
				   vexfs_group_init_free(g, group));
		percpu_counter_add(&fs->free_inodes,
				   vexfs_group_inodes(g, group));
	}
}

/* [orphan_lock held] */
static int vexfs_grow_super(struct vexfs_trans *t, struct vexfs_fs *fs)
{
	struct vexfs_super_block *sb = vexfs_super(fs);

	sb->s_clusters_count = cpu_to_le64(fs->geom.clusters);
	sb->s_groups_count = cpu_to_le32(fs->geom.groups);
	return vexfs_super_end(t, fs);
}

/* [orphan_lock held] */
static int vexfs_grow_backup_super(struct vexfs_trans *t, struct vexfs_fs *fs)
{
	struct vexfs_buf *buf;
	struct vexfs_super_block *sb;
	int err;

	buf = vexfs_buf_get(fs, vexfs_backup_block(&fs->geom, 0));
	if (IS_ERR(buf))
		return PTR_ERR(buf);
	err = vexfs_trans_create(t, buf);
	if (!err) {
		memcpy(vexfs_buf_data(buf), vexfs_buf_data(fs->sb_buf),
		       VEXFS_BLOCK_SIZE);
		sb = vexfs_buf_data(buf) + VEXFS_SUPER_OFFSET;
		sb->s_backup_nr = cpu_to_le32(1);
		sb->s_orphan_head = 0;
		sb->s_checksum = cpu_to_le32(vexfs_super_csum(sb));
		err = vexfs_trans_dirty(t, buf);
	}
	vexfs_buf_put(buf);
	return err;
}

/* As mkfs made those before: groups that are new. */
static int vexfs_grow_backup_descs(struct vexfs_trans *t, struct vexfs_fs *fs,
				   u32 nr, u32 group)
{
	u32 end = min(fs->geom.groups, (nr + 1) * VEXFS_DESC_PER_BLOCK);
	struct vexfs_group_desc *gd;
	struct vexfs_buf *buf;
	u32 crc;
	int err;

	buf = vexfs_buf_read(fs, vexfs_backup_block(&fs->geom, 1 + nr));
	if (IS_ERR(buf))
		return PTR_ERR(buf);
	err = vexfs_trans_write(t, buf);
	if (!err) {
		gd = vexfs_buf_data(buf);
		group = max(group, nr * VEXFS_DESC_PER_BLOCK);
		for (gd += group % VEXFS_DESC_PER_BLOCK; group < end;
		     group++, gd++) {
			vexfs_group_desc_init(&fs->geom, group, gd);
			crc = vexfs_group_desc_csum(fs, group, gd);
			gd->bg_checksum = cpu_to_le32(crc);
		}
		err = vexfs_trans_dirty(t, buf);
	}
	vexfs_buf_put(buf);
	return err;
}

int vexfs_grow(struct vexfs_trans *t, struct vexfs_fs *fs,
	       const struct vexfs_geom *geom)
{
	u32 groups = fs->geom.groups, nr = vexfs_grow_first(fs);
	int err;

	if (vexfs_grow_last(geom) > nr + 1)
		return -EFBIG;
	mutex_lock(&fs->orphan_lock);
	err = vexfs_super_begin(t, fs);
	if (!err)
		err = vexfs_grow_descs(t, fs, geom);
	if (!err)
		err = vexfs_grow_group(t, fs, groups - 1, geom);
	if (!err) {
		vexfs_grow_count(fs, groups);
		err = vexfs_grow_super(t, fs);
	}
	if (!err)
		err = vexfs_grow_backup_super(t, fs);
	mutex_unlock(&fs->orphan_lock);
	for (; !err && nr <= vexfs_grow_last(geom); nr++)
		err = vexfs_grow_backup_descs(t, fs, nr, groups - 1);
	return err;
}

// SPDX-License-Identifier: GPL-2.0
/*
 * What has to be right before anything else can be looked at: superblock,
 * journal, group descriptors. And the superblock once more, at the end.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include "fsck.h"

static int fsck_load_frame(struct fsck *f)
{
	struct vexfs_fs *fs = &f->fs;
	const struct vexfs_super_block *sb;
	struct vexfs_buf *buf;
	u32 i;

	buf = vexfs_buf_read(fs, 0);
	if (IS_ERR(buf))
		return PTR_ERR(buf);
	fs->sb_buf = buf;
	sb = vexfs_super(fs);
	fs->csum_seed = le32_to_cpu(sb->s_csum_seed);
	fs->hash_key[0] = get_unaligned_le64(sb->s_hash_seed);
	fs->hash_key[1] = get_unaligned_le64(sb->s_hash_seed + 8);
	mutex_init(&fs->orphan_lock);
	for (i = 0; i < VEXFS_GROUP_LOCKS; i++)
		mutex_init(&fs->group_locks[i]);
	fs->gdt = calloc(fs->geom.gdt_blocks, sizeof(*fs->gdt));
	f->group = calloc(fs->geom.groups, sizeof(*f->group));
	if (!fs->gdt || !f->group)
		return -ENOMEM;
	for (i = 0; i < fs->geom.gdt_blocks; i++) {
		buf = vexfs_buf_read(fs, vexfs_gdt_block(&fs->geom, i));
		if (IS_ERR(buf))
			return PTR_ERR(buf);
		fs->gdt[i] = buf;
	}
	return 0;
}

int fsck_open_volume(struct fsck *f)
{
	int err;

	f->fs.dev = f->dev;
	err = fsck_check_super(f);
	if (err)
		return err;
	err = fsck_replay(f);
	if (!err)
		err = fsck_fix_super(f);
	if (err)
		return err;
	err = fsck_load_frame(f);
	return err ? fsck_fail(f, err, "the group descriptors can't be read", 0) :
		     0;
}

/* Without -f a volume that was unmounted and has no marks is believed. */
bool fsck_needs_check(struct fsck *f)
{
	const struct vexfs_super_block *sb = vexfs_super(&f->fs);
	u32 state = le32_to_cpu(sb->s_state);

	return f->opt.force || f->found || f->replay.transactions ||
	       f->journal.error || sb->s_orphan_head || sb->s_error_count ||
	       state != VEXFS_STATE_CLEAN;
}

static int fsck_desc_reset(struct fsck *f, u32 group)
{
	struct vexfs_trans *t = fsck_begin(f);
	struct vexfs_group_desc *gd;
	struct vexfs_buf *buf;
	int err;

	if (IS_ERR(t))
		return PTR_ERR(t);
	gd = vexfs_group_desc(&f->fs, group, &buf);
	err = vexfs_trans_write(t, buf);
	if (!err) {
		vexfs_group_desc_init(&f->fs.geom, group, gd);
		gd->bg_checksum = cpu_to_le32(vexfs_group_desc_csum(&f->fs,
								    group, gd));
		err = vexfs_trans_dirty(t, buf);
	}
	return fsck_end(f, t, err);
}

/*
 * A descriptor that can't be believed becomes that of a new group: then all
 * of the inode table is searched, and the counts are made anew.
 */
int fsck_check_groups(struct fsck *f)
{
	struct vexfs_group_desc *gd;
	const char *why;
	u32 group;
	int err = 0;

	for (group = 0; !err && group < f->fs.geom.groups; group++) {
		gd = vexfs_group_desc(&f->fs, group, NULL);
		why = vexfs_verify_group_desc(&f->fs, group, gd);
		if (!why)
			continue;
		f->group[group].bad_desc = true;
		if (fsck_problem(f, FP_GROUP_CSUM, 0,
				 vexfs_gdt_block(&f->fs.geom,
						 group / VEXFS_DESC_PER_BLOCK),
				 "group %u: %s", group, why))
			err = fsck_desc_reset(f, group);
	}
	return err;
}

int fsck_super_write(struct fsck *f)
{
	struct vexfs_trans *t = fsck_begin(f);
	int err;

	if (IS_ERR(t))
		return PTR_ERR(t);
	mutex_lock(&f->fs.orphan_lock);
	err = vexfs_super_begin(t, &f->fs);
	if (!err)
		err = vexfs_super_end(t, &f->fs);
	mutex_unlock(&f->fs.orphan_lock);
	return fsck_end(f, t, err);
}

/* The marks of errors go when nothing is left of what they stand for. */
int fsck_super_end(struct fsck *f)
{
	struct vexfs_super_block *sb = vexfs_super(&f->fs);
	int err;

	if (f->feature_coll && !(le32_to_cpu(sb->s_feature_incompat) &
				 VEXFS_INCOMPAT_COLLECTIONS) &&
	    fsck_problem(f, FP_SUPER_FEATURE, 0, 0, NULL)) {
		sb->s_feature_incompat |=
			cpu_to_le32(VEXFS_INCOMPAT_COLLECTIONS);
		err = fsck_super_write(f);
		if (err)
			return err;
	}
	if (f->opt.mode == FSCK_NO || f->found != f->fixed)
		return 0;
	sb->s_state = cpu_to_le32(VEXFS_STATE_CLEAN);
	sb->s_error_count = 0;
	memset(&sb->s_first_error, 0, sizeof(sb->s_first_error));
	memset(&sb->s_last_error, 0, sizeof(sb->s_last_error));
	sb->s_mount_count = 0;
	sb->s_check_time = cpu_to_le64((u64)ktime_get_real_seconds());
	return fsck_super_write(f);
}

// SPDX-License-Identifier: GPL-2.0
/*
 * The passes in order, and writing what they changed.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include "fsck.h"

volatile int fsck_interrupted;

bool fsck_stopped(struct fsck *f)
{
	return fsck_interrupted || f->abort || f->error;
}

static void fsck_drop_frame(struct fsck *f)
{
	struct vexfs_fs *fs = &f->fs;
	u32 i;

	if (f->loaded) {
		vexfs_fs_unload(fs);
		f->loaded = false;
		return;
	}
	for (i = 0; fs->gdt && i < fs->geom.gdt_blocks; i++)
		vexfs_buf_put(fs->gdt[i]);
	vexfs_buf_put(fs->sb_buf);
	free(fs->gdt);
	fs->gdt = NULL;
	fs->sb_buf = NULL;
}

/* From here on the core's allocators work, when all repairs were allowed. */
static int fsck_load(struct fsck *f)
{
	const char *why = NULL;
	int err;

	fsck_drop_frame(f);
	err = vexfs_fs_load(&f->fs, &why);
	f->loaded = !err;
	if (!err)
		return 0;
	/* A repair was declined. */
	fsck_note(f, "the rest can't be checked: %s", why);
	return err == -ENOMEM ? fsck_fail(f, err, why, 0) : 0;
}

typedef int (*fsck_pass_fn)(struct fsck *f);

static int fsck_passes(struct fsck *f)
{
	static const fsck_pass_fn first[] = {
		fsck_check_groups, fsck_close_journal, fsck_find_orphans,
		fsck_pass_inodes, fsck_pass_overlaps, fsck_pass_space,
		fsck_load,
	};
	static const fsck_pass_fn then[] = {
		fsck_check_backup, fsck_pass_orphans, fsck_pass_colls,
		fsck_pass_dirs, fsck_pass_connect, fsck_pass_links,
		fsck_pass_quota, fsck_super_end,
	};
	int err = 0;
	u32 i;

	for (i = 0; !err && i < ARRAY_SIZE(first) && !fsck_stopped(f); i++)
		err = first[i](f);
	for (i = 0; !err && f->loaded && i < ARRAY_SIZE(then) &&
	     !fsck_stopped(f); i++)
		err = then[i](f);
	return err;
}

/*
 * The superblock is written last: until then the volume is marked as one
 * that wants a check.
 */
static int fsck_write_out(struct fsck *f)
{
	int err;

	if (!vexfs_dev_pending(f->dev) || f->opt.mode == FSCK_NO)
		return 0;
	f->meddled = true;
	err = vexfs_dev_flush(f->dev, 1, U64_MAX);
	if (!err)
		err = vexfs_dev_sync(f->dev);
	if (!err)
		err = vexfs_dev_flush(f->dev, 0, 1);
	if (!err)
		err = vexfs_dev_sync(f->dev);
	return err ? fsck_fail(f, err, "repairs can't be written", 0) : 0;
}

/* On the device, before anything else is: checked again if this is cut off. */
static int fsck_mark_dirty(struct fsck *f)
{
	u8 block[VEXFS_BLOCK_SIZE] __aligned(8);
	struct vexfs_super_block *sb = (void *)(block + VEXFS_SUPER_OFFSET);
	bool overlaid = f->dev->overlaid;
	int err;

	if (f->opt.mode == FSCK_NO || !f->fixed || !f->dev->overlay.count)
		return 0;
	/* As the device has it, not as it will be. */
	err = vexfs_dev_read_below(f->dev, 0, block);
	if (err || memcmp(sb->s_magic, VEXFS_MAGIC_BYTES,
			  sizeof(sb->s_magic)) ||
	    le32_to_cpu(sb->s_checksum) != vexfs_super_csum(sb))
		return err;
	sb->s_state &= ~cpu_to_le32(VEXFS_STATE_CLEAN);
	sb->s_state |= cpu_to_le32(VEXFS_STATE_ERROR);
	sb->s_checksum = cpu_to_le32(vexfs_super_csum(sb));
	f->dev->overlaid = false;
	err = vexfs_image_write(f->dev, 0, block);
	f->dev->overlaid = overlaid;
	return err ? err : vexfs_dev_sync(f->dev);
}

static int fsck_status(struct fsck *f)
{
	int status = FSCK_OK;

	if (f->error)
		status |= FSCK_FAILED;
	if (fsck_interrupted)
		status |= FSCK_CANCELLED;
	if (f->fixed && !f->error && !fsck_interrupted)
		status |= FSCK_CORRECTED;
	if (f->found != f->fixed || f->abort)
		status |= FSCK_UNCORRECTED;
	return status;
}

int fsck_run(struct fsck *f)
{
	int err, status;

	vexfs_dev_overlay(f->dev);
	f->dev->quiet = true;
	err = fsck_open_volume(f);
	if (!err && !fsck_needs_check(f)) {
		status = FSCK_OK;
		goto out;
	}
	if (!err)
		err = fsck_passes(f);
	if (err && !f->error)
		fsck_fail(f, err, "the check can't go on", 0);
	/* -p and an interrupt leave the volume as it was. */
	if (!fsck_stopped(f)) {
		err = fsck_mark_dirty(f);
		if (!err)
			err = fsck_write_out(f);
		if (err)
			fsck_fail(f, err, "repairs can't be written", 0);
	}
	status = fsck_status(f);
out:
	fsck_summary(f, status);
	return status;
}

static void fsck_free_node(struct vexfs_bmap_node *node)
{
	free(node);
}

void fsck_free(struct fsck *f)
{
	u32 i;

	fsck_drop_frame(f);
	for (i = 0; f->group && i < f->fs.geom.groups; i++) {
		free(f->group[i].used);
		free(f->group[i].dup);
		free(f->group[i].ino);
	}
	for (i = 0; i < f->rebuilds; i++)
		fsck_map_free(&f->rebuild[i]);
	vexfs_bmap_destroy(&f->orphans, fsck_free_node);
	fsck_map_free(&f->scratch);
	free(f->group);
	free(f->dir);
	free(f->rebuild);
	free(f->colls.ino);
	free(f->forks.ino);
	free(f->maps.ino);
	free(f->orphan_list.ino);
	for (i = 0; i < VQ_TYPES; i++)
		vq_free(&f->orphaned[i]);
}

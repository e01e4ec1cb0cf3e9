// SPDX-License-Identifier: GPL-2.0
/*
 * Messages, and what happens when something is wrong with the volume: the
 * error is recorded in the superblock and the errors= policy applied.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include <linux/jbd2.h>
#include <linux/timekeeping.h>

#include "trace.h"
#include "vexfs.h"

static void vexfs_error_fill(struct vexfs_error_info *ei, u64 ino, u64 block,
			     const char *func, int line, int error)
{
	memset(ei, 0, sizeof(*ei));
	ei->ei_time = cpu_to_le64(ktime_get_real_seconds());
	ei->ei_ino = cpu_to_le64(ino);
	ei->ei_block = cpu_to_le64(block);
	ei->ei_line = cpu_to_le32(line);
	ei->ei_errno = cpu_to_le32(-error);
	strscpy(ei->ei_func, func, sizeof(ei->ei_func));
}

/* A handle may be held here, so a worker brings the record to disk. */
void vexfs_error_record(struct super_block *sb, u64 ino, u64 block,
			const char *func, int line, int error)
{
	struct vexfs_sb_info *sbi = VEXFS_SB(sb);

	spin_lock(&sbi->error_lock);
	vexfs_error_fill(&sbi->last_error, ino, block, func, line, error);
	if (!sbi->error_new++)
		sbi->first_error = sbi->last_error;
	spin_unlock(&sbi->error_lock);
	schedule_work(&sbi->error_work);
}

/*
 * Read-only by aborting: the transaction that ran into the corruption, and
 * may hold half a change because of it, never reaches the disk. The journal
 * keeps the error code for the next mount.
 */
static void vexfs_error_policy(struct super_block *sb, int error)
{
	struct vexfs_sb_info *sbi = VEXFS_SB(sb);

	/* Not mounted, and the volume's own policy not known: no concern yet. */
	if (!test_bit(VEXFS_SBF_READY, &sbi->flags))
		return;
	if (sbi->errors == VEXFS_ERRORS_CONTINUE || sb_rdonly(sb))
		return;
	if (sbi->errors == VEXFS_ERRORS_PANIC)
		panic("vexfs (%s): panic forced after an error\n", sb->s_id);
	vexfs_err(sb, "remounting read-only");
	set_bit(VEXFS_SBF_ABORTED, &sbi->flags);
	if (sbi->journal)
		jbd2_journal_abort(sbi->journal, error);
	vexfs_set_read_only(sb, error);
}

void vexfs_fs_error(struct super_block *sb, u64 ino, u64 block,
		    const char *func, int line, int error, const char *what)
{
	struct vexfs_sb_info *sbi = VEXFS_SB(sb);

	trace_vexfs_error(sb, ino, block, error);
	if (__ratelimit(&sbi->error_rs))
		vexfs_err(sb, "error %d at %s:%d: inode %llu, block %llu: %s",
			  error, func, line, ino, block, what);
	vexfs_notify_error(sb, error);
	vexfs_error_record(sb, ino, block, func, line, error);
	vexfs_error_policy(sb, error);
}

int vexfs_corrupted(struct vexfs_fs *fs, u64 ino, u64 bno, const char *func,
		    int line, const char *why)
{
	vexfs_fs_error(fs->dev, ino, bno, func, line, -EFSCORRUPTED, why);
	return -EFSCORRUPTED;
}

static void vexfs_error_store(struct vexfs_sb_info *sbi)
{
	struct vexfs_super_block *vs = vexfs_super(&sbi->fs);

	spin_lock(&sbi->error_lock);
	if (!vs->s_error_count)
		vs->s_first_error = sbi->first_error;
	vs->s_last_error = sbi->last_error;
	le32_add_cpu(&vs->s_error_count, sbi->error_new);
	vs->s_state |= cpu_to_le32(VEXFS_STATE_ERROR);
	sbi->error_new = 0;
	spin_unlock(&sbi->error_lock);
}

void vexfs_error_worker(struct work_struct *work)
{
	struct vexfs_sb_info *sbi = container_of(work, struct vexfs_sb_info,
						 error_work);
	struct vexfs_fs *fs = &sbi->fs;
	handle_t *handle;
	int err;

	if (!test_bit(VEXFS_SBF_READY, &sbi->flags))
		return;
	handle = vexfs_journal_start(sbi->sb, 1);
	if (IS_ERR(handle))
		return;
	mutex_lock(&fs->orphan_lock);
	err = vexfs_super_begin(handle, fs);
	if (!err) {
		vexfs_error_store(sbi);
		err = vexfs_super_end(handle, fs);
	}
	mutex_unlock(&fs->orphan_lock);
	vexfs_journal_stop(handle);
	if (err && !is_journal_aborted(sbi->journal))
		vexfs_warn(sbi->sb, "an error was not recorded: error %d", err);
}

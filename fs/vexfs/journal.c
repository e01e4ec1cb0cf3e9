// SPDX-License-Identifier: GPL-2.0
/*
 * The journal: jbd2 on a range of the volume's own device, and the kernel's
 * side of the shared core's seam (buffers and transactions).
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include <linux/blkdev.h>
#include <linux/buffer_head.h>
#include <linux/jbd2.h>

#include "trace.h"
#include "vexfs.h"

static inline struct super_block *vexfs_handle_sb(handle_t *handle)
{
	return handle->h_transaction->t_journal->j_private;
}

/*
 * jbd2 refused a step in mid-transaction: what the transaction holds is not
 * consistent any more and must not be committed.
 */
static int vexfs_trans_failed(handle_t *handle, u64 bno, int err,
			      const char *func)
{
	struct super_block *sb;

	if (!err || is_handle_aborted(handle))
		return err;
	sb = vexfs_handle_sb(handle);
	jbd2_journal_abort_handle(handle);
	vexfs_err(sb, "%s: block %llu: journal error %d", func, bno, err);
	jbd2_journal_abort(VEXFS_SB(sb)->journal, err);
	return err;
}

static bool vexfs_writeback_failed(struct super_block *sb)
{
	return errseq_check(&vexfs_bdev_mapping(sb->s_bdev)->wb_err,
			    VEXFS_SB(sb)->dev_wb_err);
}

/*
 * A block that could not be written back may have left memory since, and what
 * was read in its place is older than what the journal has: nothing may be
 * built on that. The next mount replays the journal. (jbd2 looks after this
 * since 6.5, but for bitmaps.)
 *
 * Asked when the transaction has the block: from then on nobody writes it back,
 * so that a write that fails has failed before.
 */
static int vexfs_trans_accessed(handle_t *handle, int err)
{
	if (!err && vexfs_writeback_failed(vexfs_handle_sb(handle)))
		err = -EIO;
	return err;
}

/*
 * A block whose write failed is not uptodate any more, but it is the newest
 * there is; read again it would be an old one. Both flags change while the
 * buffer is locked, as it is here. True if it has to be read.
 */
static bool vexfs_buf_missing(struct buffer_head *bh)
{
	if (buffer_write_io_error(bh))
		set_buffer_uptodate(bh);
	return !buffer_uptodate(bh);
}

struct vexfs_buf *vexfs_buf_read(struct vexfs_fs *fs, u64 bno)
{
	struct buffer_head *bh = sb_getblk(fs->dev, bno);

	if (!bh)
		return ERR_PTR(-ENOMEM);
	if (bh_uptodate_or_lock(bh))
		return bh;
	if (!vexfs_buf_missing(bh)) {
		unlock_buffer(bh);
		return bh;
	}
	if (!__bh_read(bh, 0, true))
		return bh;
	brelse(bh);
	vexfs_error(fs->dev, 0, bno, -EIO, "metadata can't be read");
	return ERR_PTR(-EIO);
}

void vexfs_buf_read_ahead(struct super_block *sb, u64 bno)
{
	struct buffer_head *bh = sb_getblk(sb, bno);

	if (bh && !buffer_uptodate(bh) && trylock_buffer(bh)) {
		if (vexfs_buf_missing(bh))
			__bh_read(bh, REQ_RAHEAD, false);
		else
			unlock_buffer(bh);
	}
	brelse(bh);
}

struct vexfs_buf *vexfs_buf_get(struct vexfs_fs *fs, u64 bno)
{
	struct buffer_head *bh = sb_getblk(fs->dev, bno);

	return bh ?: ERR_PTR(-ENOMEM);
}

void vexfs_buf_put(struct vexfs_buf *buf)
{
	brelse(buf);
}

void *vexfs_buf_data(struct vexfs_buf *buf)
{
	return buf->b_data;
}

u64 vexfs_buf_bno(struct vexfs_buf *buf)
{
	return buf->b_blocknr;
}

bool vexfs_buf_verified(struct vexfs_buf *buf)
{
	return buffer_verified(buf);
}

void vexfs_buf_set_verified(struct vexfs_buf *buf)
{
	set_buffer_verified(buf);
}

int vexfs_trans_write(struct vexfs_trans *t, struct vexfs_buf *buf)
{
	int err = jbd2_journal_get_write_access(t, buf);

	err = vexfs_trans_accessed(t, err);
	return vexfs_trans_failed(t, buf->b_blocknr, err, __func__);
}

/*
 * The buffer lock keeps a reader that found the block in the cache from
 * reading the device over what is about to be put there.
 */
int vexfs_trans_create(struct vexfs_trans *t, struct vexfs_buf *buf)
{
	int err;

	lock_buffer(buf);
	err = jbd2_journal_get_create_access(t, buf);
	if (!err && !buffer_uptodate(buf)) {
		memset(buf->b_data, 0, buf->b_size);
		set_buffer_uptodate(buf);
	}
	clear_buffer_verified(buf);
	unlock_buffer(buf);
	return vexfs_trans_failed(t, buf->b_blocknr, err, __func__);
}

int vexfs_trans_undo(struct vexfs_trans *t, struct vexfs_buf *buf)
{
	int err = jbd2_journal_get_undo_access(t, buf);

	err = vexfs_trans_accessed(t, err);
	return vexfs_trans_failed(t, buf->b_blocknr, err, __func__);
}

int vexfs_trans_dirty(struct vexfs_trans *t, struct vexfs_buf *buf)
{
	int err = jbd2_journal_dirty_metadata(t, buf);

	return vexfs_trans_failed(t, buf->b_blocknr, err, __func__);
}

/*
 * jbd2 takes a copy of the block for the log, or is about to write the block
 * itself there: nobody changes it now, and who reads it later reads what is
 * here. That nobody looks at the checksum of a block in memory is the core's
 * rule: blocks are verified when they come from the device.
 */
static void vexfs_meta_frozen(struct jbd2_buffer_trigger_type *type,
			      struct buffer_head *bh, void *data, size_t size)
{
	struct vexfs_sb_info *sbi =
		container_of(type, struct vexfs_sb_info, meta_trigger);

	vexfs_meta_csum_data(&sbi->fs, data);
}

int vexfs_trans_dirty_meta(struct vexfs_trans *t, struct vexfs_fs *fs,
			   struct vexfs_buf *buf)
{
	jbd2_journal_set_triggers(buf, &VEXFS_SB(fs->dev)->meta_trigger);
	return vexfs_trans_dirty(t, buf);
}

/*
 * File data are never journaled, so the freed block may be overwritten in
 * place by data: it is always revoked, or replay would undo that.
 */
int vexfs_trans_forget(struct vexfs_trans *t, struct vexfs_fs *fs,
		       struct vexfs_buf *buf, u64 bno)
{
	int err;

	if (!buf)
		buf = sb_find_get_block(fs->dev, bno);
	if (buf)
		clear_buffer_verified(buf);
	err = jbd2_journal_revoke(t, bno, buf);
	return vexfs_trans_failed(t, bno, err, __func__);
}

/*
 * Each buffer may be a freed one, so revoke records bound it as well. What is
 * kept for quota isn't the caller's.
 */
int vexfs_trans_credits(struct vexfs_trans *t)
{
	int left, kept;

	if (is_handle_aborted(t))
		return 0;
	kept = VEXFS_SB(vexfs_handle_sb(t))->quota_credits;
	left = jbd2_handle_buffer_credits(t) - kept;
	return min(max(left, 0), t->h_revoke_credits);
}

bool vexfs_buf_committed_clear(struct vexfs_buf *buf, u32 bit, u32 len)
{
	struct journal_head *jh = jbd2_journal_grab_journal_head(buf);
	bool clear = true;

	if (!jh)
		return true;
	spin_lock(&jh->b_state_lock);
	if (jh->b_committed_data)
		clear = find_next_bit_le(jh->b_committed_data, bit + len,
					 bit) >= bit + len;
	spin_unlock(&jh->b_state_lock);
	jbd2_journal_put_journal_head(jh);
	return clear;
}

void vexfs_buf_committed_set(struct vexfs_buf *buf, u32 bit, u32 len)
{
	struct journal_head *jh = jbd2_journal_grab_journal_head(buf);

	if (!jh)
		return;
	spin_lock(&jh->b_state_lock);
	if (jh->b_committed_data)
		for (; len; bit++, len--)
			__set_bit_le(bit, jh->b_committed_data);
	spin_unlock(&jh->b_state_lock);
	jbd2_journal_put_journal_head(jh);
}

u32 vexfs_crc32c(u32 crc, const void *data, size_t len)
{
	return crc32c(crc, data, len);
}

/*
 * As many revoke records as blocks: what a handle may change it may free.
 * They cost a credit for each few hundred, which jbd2 adds itself.
 */
static handle_t *vexfs_start(journal_t *journal, int credits)
{
	return jbd2__journal_start(journal, credits, 0, credits, GFP_NOFS,
				   0, 0);
}

void vexfs_set_read_only(struct super_block *sb, int error)
{
	errseq_set(&sb->s_wb_err, error);
	sb->s_flags |= SB_RDONLY;
}

/* Once: the mount is read-only from now on, whatever the policy. */
static void vexfs_journal_aborted(struct super_block *sb)
{
	struct vexfs_sb_info *sbi = VEXFS_SB(sb);

	if (test_and_set_bit(VEXFS_SBF_ABORTED, &sbi->flags) ||
	    vexfs_is_shutdown(sb))
		return;
	vexfs_err(sb, "the journal has aborted: the volume is read-only now");
	vexfs_set_read_only(sb, -EIO);
	if (sbi->errors == VEXFS_ERRORS_PANIC)
		panic("vexfs (%s): panic forced after an error\n", sb->s_id);
}

handle_t *vexfs_journal_start_any(struct super_block *sb, int credits)
{
	journal_t *journal = VEXFS_SB(sb)->journal;

	if (vexfs_is_shutdown(sb))
		return ERR_PTR(-EIO);
	if (!journal)
		return ERR_PTR(-EROFS);
	if (is_journal_aborted(journal)) {
		vexfs_journal_aborted(sb);
		return ERR_PTR(-EROFS);
	}
	return vexfs_start(journal, credits + VEXFS_SB(sb)->quota_credits);
}

handle_t *vexfs_journal_start(struct super_block *sb, int credits)
{
	if (sb_rdonly(sb) && !vexfs_is_shutdown(sb))
		return ERR_PTR(-EROFS);
	WARN_ON_ONCE(sb->s_writers.frozen == SB_FREEZE_COMPLETE);
	return vexfs_journal_start_any(sb, credits);
}

int vexfs_journal_stop(handle_t *handle)
{
	return jbd2_journal_stop(handle);
}

int vexfs_journal_restart(handle_t *handle, int credits)
{
	credits += VEXFS_SB(vexfs_handle_sb(handle))->quota_credits;
	return jbd2__journal_restart(handle, credits, credits, GFP_NOFS);
}

int vexfs_journal_ensure(handle_t *handle, int credits)
{
	int have, err;

	if (is_handle_aborted(handle))
		return -EROFS;
	have = vexfs_trans_credits(handle);
	if (have >= credits)
		return 0;
	err = jbd2_journal_extend(handle, credits - have, credits - have);
	return err > 0 ? vexfs_journal_restart(handle, credits) : err;
}

/*
 * jbd2 ends the transactions of an aborted journal like all others, and who
 * asks afterwards hears that there is nothing to wait for.
 */
static int vexfs_journal_ended(journal_t *journal, int err)
{
	if (!err && is_journal_aborted(journal))
		err = -EIO;
	return err;
}

bool vexfs_journal_has(struct super_block *sb, tid_t tid)
{
	journal_t *journal = VEXFS_SB(sb)->journal;

	if (!jbd2_transaction_committed(journal, tid))
		return false;
	/* With j_state_lock in jbd2, where it has failed before it ends. */
	smp_rmb();
	return !is_journal_aborted(journal);
}

int vexfs_journal_wait(struct super_block *sb, tid_t tid)
{
	journal_t *journal = VEXFS_SB(sb)->journal;
	int err = jbd2_complete_transaction(journal, tid);

	return vexfs_journal_ended(journal, err);
}

int vexfs_journal_commit(struct super_block *sb)
{
	journal_t *journal = VEXFS_SB(sb)->journal;

	if (!journal)
		return 0;
	trace_vexfs_commit(sb);
	return vexfs_journal_ended(journal,
				   jbd2_journal_force_commit(journal));
}

bool vexfs_retry_committed(struct super_block *sb, int *retries)
{
	journal_t *journal = VEXFS_SB(sb)->journal;

	if (!vexfs_balloc_busy(VEXFS_FS(sb)) || (*retries)++ >= 3)
		return false;
	return jbd2_journal_force_commit_nested(journal) > 0 ||
	       !is_journal_aborted(journal);
}

bool vexfs_should_retry(struct super_block *sb, int *retries)
{
	if (*retries < 3 && vexfs_ahead_reclaim(sb)) {
		(*retries)++;
		return true;
	}
	return vexfs_retry_committed(sb, retries);
}

/* jbd2 counts from the journal's first block; ours may lie in pieces. */
static int vexfs_journal_bmap(journal_t *journal, sector_t *block)
{
	struct vexfs_fs *fs = VEXFS_FS(journal->j_private);

	if (*block >= vexfs_journal_blocks(&fs->geom))
		return -EFSCORRUPTED;
	*block = vexfs_journal_block(&fs->geom, *block);
	return 0;
}

/* 1 if there is something to replay, 0 if not, or negative. */
static int vexfs_journal_dirty(struct super_block *sb)
{
	struct vexfs_fs *fs = VEXFS_FS(sb);
	journal_superblock_t *jsb;
	struct buffer_head *bh;
	int ret;

	bh = sb_bread(sb, vexfs_journal_block(&fs->geom, 0));
	if (!bh)
		return -EIO;
	jsb = (journal_superblock_t *)bh->b_data;
	ret = jsb->s_start != 0;
	brelse(bh);
	return ret;
}

/* True if the volume has to be mounted without its journal. */
static int vexfs_journal_skip(struct super_block *sb)
{
	struct vexfs_sb_info *sbi = VEXFS_SB(sb);
	bool ro_dev = bdev_read_only(sb->s_bdev);
	int dirty = vexfs_journal_dirty(sb);

	if (dirty < 0)
		return dirty;
	if (test_bit(VEXFS_SBF_NORECOVERY, &sbi->flags)) {
		if (dirty)
			vexfs_warn(sb, "norecovery: the journal is not replayed, files may be inconsistent");
		return 1;
	}
	if (ro_dev && dirty) {
		vexfs_err(sb, "the device is read-only and the journal must be replayed; use -o ro,norecovery to mount all the same");
		return -EROFS;
	}
	return ro_dev;
}

static journal_t *vexfs_journal_open(struct super_block *sb)
{
	struct vexfs_fs *fs = VEXFS_FS(sb);
	journal_t *journal;

	journal = jbd2_journal_init_dev(sb->s_bdev, sb->s_bdev,
					vexfs_journal_block(&fs->geom, 0),
					vexfs_journal_blocks(&fs->geom),
					VEXFS_BLOCK_SIZE);
	if (!journal)
		return ERR_PTR(-EINVAL);
	if (IS_ERR(journal))
		return journal;
	journal->j_private = sb;
	journal->j_bmap = vexfs_journal_bmap;
	journal->j_commit_callback = vexfs_commit_callback;
	VEXFS_SB(sb)->meta_trigger.t_frozen = vexfs_meta_frozen;
	errseq_check_and_advance(&vexfs_bdev_mapping(sb->s_bdev)->wb_err,
				 &VEXFS_SB(sb)->dev_wb_err);
	write_lock(&journal->j_state_lock);
	journal->j_flags |= JBD2_BARRIER;
	journal->j_commit_interval = VEXFS_SB(sb)->commit_secs * HZ;
	write_unlock(&journal->j_state_lock);
	return journal;
}

int vexfs_journal_load(struct super_block *sb)
{
	struct vexfs_sb_info *sbi = VEXFS_SB(sb);
	journal_t *journal;
	int err;

	err = vexfs_journal_skip(sb);
	if (err)
		return err < 0 ? err : 0;
	journal = vexfs_journal_open(sb);
	if (IS_ERR(journal))
		return PTR_ERR(journal);
	err = jbd2_journal_load(journal);
	if (!err && !jbd2_journal_set_features(journal, 0, 0,
					       JBD2_FEATURE_INCOMPAT_REVOKE |
					       JBD2_FEATURE_INCOMPAT_64BIT |
					       JBD2_FEATURE_INCOMPAT_CSUM_V3))
		err = -EOPNOTSUPP;
	if (err) {
		vexfs_err(sb, "the journal can't be loaded: error %d", err);
		jbd2_journal_destroy(journal);
		return err;
	}
	sbi->journal = journal;
	return 0;
}

void vexfs_journal_destroy(struct super_block *sb)
{
	struct vexfs_sb_info *sbi = VEXFS_SB(sb);
	int err;

	if (!sbi->journal)
		return;
	err = jbd2_journal_destroy(sbi->journal);
	sbi->journal = NULL;
	if (err < 0 && !vexfs_is_shutdown(sb) &&
	    !test_bit(VEXFS_SBF_ABORTED, &sbi->flags))
		vexfs_err(sb, "the journal was not closed cleanly: error %d",
			  err);
}

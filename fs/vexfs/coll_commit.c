// SPDX-License-Identifier: GPL-2.0
/*
 * Commits and checkpoints of a collection: rows and forks to the disk first,
 * then the header block that makes them count, in a transaction of its own.
 *
 * The data lies in the device's cache when its writeback ended; it is the
 * journal's commit record, written with a flush before it, that makes data
 * and header durable together.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include <linux/buffer_head.h>
#include <linux/pagemap.h>
#include <linux/ratelimit.h>

#include "collection.h"
#include "stats.h"

/* The header block alone. */
#define VEXFS_COLL_HEADER_CREDITS	1

struct buffer_head *vexfs_coll_header_read(struct inode *inode)
{
	struct vexfs_inode_info *vi = VEXFS_I(inode);
	struct vexfs_fs *fs = VEXFS_FS(inode->i_sb);

	if (!vexfs_block_valid(fs, vi->coll_block, 1)) {
		VEXFS_CORRUPTED(fs, inode->i_ino, vi->coll_block,
				"collection header outside the volume");
		return ERR_PTR(-EFSCORRUPTED);
	}
	return vexfs_meta_read(fs, vi->coll_block, VEXFS_MAGIC_COLL,
			       inode->i_ino, vi->node.generation);
}

/*
 * Waits until what is in the page cache of @inode is on the device. An error
 * of any writeback since the collection was loaded counts, whoever caused it:
 * the pages it hit are clean now, and what they held may be lost.
 */
static int vexfs_coll_flush(struct inode *inode, errseq_t since)
{
	int err = filemap_write_and_wait(inode->i_mapping);
	int old = filemap_check_wb_err(inode->i_mapping, since);

	return old ? old : err;
}

/*
 * Puts a commit or checkpoint (the other is NULL) into the header and waits
 * until that is durable.
 */
static int vexfs_coll_log_header(struct vexfs_collection *c,
				 const struct vexfs_coll_commit *commit,
				 const struct vexfs_coll_checkpoint *ckpt)
{
	struct super_block *sb = vexfs_coll_sb(c);
	struct vexfs_inode_info *vi = VEXFS_I(c->inode);
	struct buffer_head *bh;
	handle_t *handle;
	tid_t tid;
	int err, err2;

	bh = vexfs_coll_header_read(c->inode);
	if (IS_ERR(bh))
		return PTR_ERR(bh);
	handle = vexfs_journal_start(sb, VEXFS_COLL_HEADER_CREDITS);
	if (IS_ERR(handle)) {
		err = PTR_ERR(handle);
		goto put;
	}
	err = vexfs_trans_write(handle, bh);
	if (!err) {
		struct vexfs_coll_header *ch = vexfs_buf_data(bh);

		if (commit)
			vexfs_coll_commit_header(commit, ch);
		else
			vexfs_coll_checkpoint_header(ckpt, ch);
		c->commits = le64_to_cpu(ch->ch_seq);
		vexfs_meta_csum(VEXFS_FS(sb), bh);
		err = vexfs_trans_dirty(handle, bh);
	}
	tid = vexfs_handle_tid(handle);
	WRITE_ONCE(vi->sync_tid, tid);
	WRITE_ONCE(vi->datasync_tid, tid);
	err2 = vexfs_journal_stop(handle);
	if (!err)
		err = err2;
	if (!err)
		err = vexfs_journal_wait(sb, tid);
put:
	vexfs_buf_put(bh);
	return err;
}

/*
 * A write that failed can't be repeated: its pages are clean. From now on the
 * collection can be searched, but nothing more of it becomes durable until it
 * is loaded again, in the state of its last commit.
 */
static void vexfs_coll_break(struct vexfs_collection *c, int err)
{
	if (c->broken)
		return;
	c->broken = err;
	vexfs_err(vexfs_coll_sb(c),
		  "collection %lu: writing failed (%d), changes since the last commit are lost when it is closed",
		  (unsigned long)c->inode->i_ino, err);
}

static int vexfs_coll_commit_locked(struct vexfs_collection *c)
{
	struct vexfs_coll_commit commit;
	int err;

	lockdep_assert_held(&c->commit_lock);
	if (c->broken)
		return c->broken;
	if (vexfs_is_shutdown(vexfs_coll_sb(c)))
		return -EIO;
	if (!vexfs_coll_commit_begin(c->core, &commit))
		return 0;
	err = vexfs_coll_flush(c->inode, c->rows_since);
	if (!err)
		err = vexfs_coll_flush(c->fork[VEXFS_FORK_LOG],
				       c->fork_since[VEXFS_FORK_LOG]);
	if (err)
		vexfs_coll_break(c, err);
	else
		err = vexfs_coll_log_header(c, &commit, NULL);
	vexfs_coll_commit_end(c->core, &commit, err);
	vexfs_stat_add(err ? VEXFS_STAT_COMMIT_ERRORS : VEXFS_STAT_COMMITS, 1);
	return err;
}

static void vexfs_coll_empty_log(struct vexfs_collection *c)
{
	struct inode *log = c->fork[VEXFS_FORK_LOG];
	int err;

	vexfs_coll_inode_lock(log);
	filemap_invalidate_lock(log->i_mapping);
	err = vexfs_truncate(log, 0);
	filemap_invalidate_unlock(log->i_mapping);
	inode_unlock(log);
	/* Only space is lost: the log is empty by the header. */
	if (err)
		vexfs_warn(vexfs_coll_sb(c),
			   "collection %lu: log not truncated: %d",
			   (unsigned long)c->inode->i_ino, err);
}

/*
 * From a checkpoint_begin() that succeeded to checkpoint_done() the core
 * keeps its write_lock, so no insert appends to the log that is cut off here.
 */
static int vexfs_coll_checkpoint_locked(struct vexfs_collection *c)
{
	struct vexfs_coll_checkpoint ckpt;
	int err;

	lockdep_assert_held(&c->commit_lock);
	err = vexfs_coll_checkpoint_begin(c->core, &ckpt);
	if (err)
		return err;
	err = vexfs_coll_flush(c->inode, c->rows_since);
	if (!err)
		err = vexfs_coll_flush(c->fork[VEXFS_FORK_INDEX],
				       c->fork_since[VEXFS_FORK_INDEX]);
	if (err)
		vexfs_coll_break(c, err);
	else
		err = vexfs_coll_log_header(c, NULL, &ckpt);
	if (!err && ckpt.log_reset)
		vexfs_coll_empty_log(c);
	vexfs_coll_checkpoint_done(c->core, &ckpt, err);
	vexfs_stat_add(err ? VEXFS_STAT_COMMIT_ERRORS :
		       VEXFS_STAT_CHECKPOINTS, 1);
	return err;
}

int vexfs_coll_commit(struct vexfs_collection *c)
{
	int err;

	/* Freezing synced all that was acknowledged. */
	if (sb_rdonly(vexfs_coll_sb(c)) ||
	    vexfs_coll_sb(c)->s_writers.frozen == SB_FREEZE_COMPLETE)
		return 0;
	mutex_lock(&c->commit_lock);
	err = vexfs_coll_commit_locked(c);
	mutex_unlock(&c->commit_lock);
	return err;
}

/* The commit before it keeps the time short that the checkpoint blocks. */
int vexfs_coll_write_out(struct vexfs_collection *c, bool closing)
{
	int err;

	if (sb_rdonly(vexfs_coll_sb(c)))
		return 0;
	mutex_lock(&c->commit_lock);
	err = vexfs_coll_commit_locked(c);
	if (!err && vexfs_coll_checkpoint_wanted(c->core, closing))
		err = vexfs_coll_checkpoint_locked(c);
	mutex_unlock(&c->commit_lock);
	return err;
}

/*
 * Not while the volume is frozen: whoever froze it may unmount, and then this
 * item is waited for.
 */
void vexfs_coll_commit_work(struct work_struct *work)
{
	struct vexfs_collection *c =
		container_of(to_delayed_work(work), struct vexfs_collection,
			     commit_work);
	struct super_block *sb = vexfs_coll_sb(c);
	struct vexfs_coll_stat st;
	int err = -EAGAIN;

	if (vexfs_coll_quiet(c))
		return;
	if (sb_start_write_trylock(sb)) {
		err = vexfs_coll_write_out(c, false);
		sb_end_write(sb);
	}
	vexfs_coll_refresh(c, &st);
	if (c->broken || err == -EIO || err == -EROFS)
		return;
	if (err || st.uncommitted)
		queue_delayed_work(vexfs_coll_wq(c), &c->commit_work,
				   VEXFS_COLL_COMMIT_DELAY);
	else if (st.pending)
		queue_work(vexfs_coll_wq(c), &c->index_work);
}

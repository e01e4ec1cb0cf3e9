// SPDX-License-Identifier: GPL-2.0
/*
 * The journal: replayed before anything is checked, into memory only with -n.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include "fsck.h"

static void fsck_journal_trouble(struct fsck *f)
{
	struct vj_replay *r = &f->replay;

	if (r->torn)
		fsck_problem(f, FP_JOURNAL_TORN, 0, 0, "%s", r->torn);
	if (r->damaged)
		fsck_problem(f, FP_JOURNAL_BLOCK, 0, r->damaged_block,
			     "%u in all", r->damaged);
	if (f->journal.error)
		fsck_problem(f, FP_JOURNAL_ERROR, 0, 0, "error %d",
			     f->journal.error);
}

/*
 * With repairs, what was replayed goes to the device right away, and only
 * then is the journal marked empty: interrupted, it is replayed again.
 */
static int fsck_replay_out(struct fsck *f)
{
	int err;

	if (f->opt.mode == FSCK_NO || f->abort || fsck_interrupted)
		return 0;
	err = vexfs_dev_flush(f->dev, 0, U64_MAX);
	if (!err)
		err = vexfs_dev_sync(f->dev);
	if (!err)
		err = vj_reset(&f->journal, f->replay.next_sequence);
	if (!err)
		err = vexfs_dev_flush(f->dev, 0, U64_MAX);
	if (!err)
		err = vexfs_dev_sync(f->dev);
	f->meddled = true;
	return err;
}

int fsck_replay(struct fsck *f)
{
	const char *why = NULL;
	int err = vj_open(&f->journal, f->dev, &f->fs.geom, &why);

	if (err == -EINVAL) {
		f->journal_bad = fsck_problem(f, FP_JOURNAL_SUPER, 0, 0, "%s",
					      why);
		return 0;
	}
	if (err)
		return fsck_fail(f, err, "the journal can't be read", 0);
	if (vj_empty(&f->journal) && !f->journal.error)
		return 0;
	err = vj_replay(&f->journal, &f->replay);
	if (err)
		return fsck_fail(f, err, "the journal can't be replayed", 0);
	if (f->replay.transactions)
		fsck_note(f, "journal: %u transactions of %u blocks replayed%s",
			  f->replay.transactions, f->replay.blocks,
			  f->opt.mode == FSCK_NO ? " in memory" : "");
	fsck_journal_trouble(f);
	err = fsck_replay_out(f);
	return err ? fsck_fail(f, err, "the journal can't be replayed", 0) : 0;
}

/* A journal that could not be used is made when the superblock is known. */
int fsck_close_journal(struct fsck *f)
{
	if (!f->journal_bad)
		return 0;
	f->journal_bad = false;
	return vj_make(f->dev, &f->fs.geom, vexfs_super(&f->fs)->s_uuid);
}

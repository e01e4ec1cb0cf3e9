// SPDX-License-Identifier: GPL-2.0
/*
 * Repairing collections: what the core can still read of one goes into a new
 * checkpoint, without an index if that was damaged; the module builds it
 * again. What has no ids any more becomes an ordinary file.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include "fsck.h"

int fsck_coll_demote(struct fsck_coll *c)
{
	struct fsck *f = c->f;
	struct vexfs_trans *t = fsck_begin(f);
	struct fsck_ino *fi = fsck_ino(f, c->ino);
	u64 blocks = le64_to_cpu(c->di.i_blocks);
	int err;

	if (IS_ERR(t))
		return PTR_ERR(t);
	err = fsck_end(f, t, fsck_free_block(f, t, c->bno));
	if (err)
		return err;
	c->di.i_flags &= ~cpu_to_le32(VEXFS_COLLECTION_FL);
	c->di.i_coll = 0;
	c->di.i_blocks = cpu_to_le64(blocks - f->fs.geom.cluster_blocks);
	fi->flags &= ~FI_COLL;
	return fsck_inode_put(f, c->ino, &c->di);
}

int fsck_coll_store(struct fsck_coll *c)
{
	fsck_meta_seal(c->f, c->ch);
	return fsck_write(c->f, c->bno, c->ch);
}

static int fsck_coll_checkpoint(struct fsck_coll *c, struct vexfs_coll *coll)
{
	struct vexfs_coll_checkpoint ckpt;
	int err = vexfs_coll_checkpoint_begin(coll, &ckpt);

	if (err)
		return err;
	vexfs_coll_checkpoint_header(&ckpt, c->ch);
	err = fsck_coll_store(c);
	vexfs_coll_checkpoint_done(coll, &ckpt, err);
	return err;
}

static int fsck_coll_lost(struct fsck_coll *c, int why)
{
	int nr;

	if (!fsck_problem(c->f, FP_COLL_LOST, c->ino, c->bno, "%s",
			  why == -EFSBADCRC ? "wrong checksum" :
			  strerror(-why)))
		return 0;
	for (nr = 0; nr < VEXFS_FORKS; nr++) {
		struct fsck_ino *fi = fsck_ino(c->f,
				le64_to_cpu(c->ch->ch_fork_ino[nr]));

		if (fi)
			fi->flags &= ~FI_OWNED;
	}
	return fsck_coll_demote(c);
}

/* Slots that came back must lie within the file. */
static int fsck_coll_cover(struct fsck_coll *c)
{
	u64 want = le64_to_cpu(c->ch->ch_slots) * c->cfg.stride;

	if (le64_to_cpu(c->di.i_size) >= want)
		return 0;
	c->di.i_size = cpu_to_le64(want);
	return fsck_inode_put(c->f, c->ino, &c->di);
}

int fsck_coll_renew(struct fsck_coll *c, bool salvage)
{
	struct vexfs_coll_stat st;
	struct vexfs_coll *coll;
	int err;

	c->cfg.salvage = salvage;
	coll = vexfs_coll_open(&c->cfg, c->ch, &fsck_coll_io, c);
	if (IS_ERR(coll))
		return fsck_coll_lost(c, PTR_ERR(coll));
	vexfs_coll_stat(coll, &st);
	if (salvage)
		c->f->vectors += st.live;
	err = fsck_coll_checkpoint(c, coll);
	vexfs_coll_free(coll);
	if (err == -ENOSPC)
		return fsck_coll_lost(c, err);
	return err ? err : fsck_coll_cover(c);
}

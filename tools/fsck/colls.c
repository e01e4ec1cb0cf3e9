// SPDX-License-Identifier: GPL-2.0
/*
 * Pass colls: the header of each collection, its forks, and what they hold,
 * by opening the collection as the module does.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include "fsck.h"

/* False: nothing of it can be used as a collection. */
static bool fsck_coll_header(struct fsck_coll *c)
{
	struct fsck *f = c->f;
	const char *why = "it can't be read";
	int err = fsck_read(f, c->bno, c->ch);

	if (err)
		goto bad;
	switch (fsck_meta_check(f, c->ch, c->bno, VEXFS_MAGIC_COLL, c->ino,
				le32_to_cpu(c->di.i_generation), &why)) {
	case META_GOOD:
		break;
	case META_CSUM:
		if (fsck_problem(f, FP_COLL_CSUM, c->ino, c->bno, NULL)) {
			fsck_meta_seal(f, c->ch);
			fsck_write(f, c->bno, c->ch);
		}
		break;
	default:
		goto bad;
	}
	c->cfg.owner = c->ino;
	c->cfg.csum_seed = f->fs.csum_seed;
	err = vexfs_coll_config_from_header(c->ch, &c->cfg);
	if (!err || err == -EOPNOTSUPP)
		return true;
	why = "its configuration is impossible";
bad:
	return !fsck_problem(f, FP_COLL_HEADER, c->ino, c->bno, "%s", why);
}

/* NULL, or what is wrong with a fork; a good one is the collection's now. */
static const char *fsck_fork_why(struct fsck_coll *c, int nr)
{
	u64 ino = le64_to_cpu(c->ch->ch_fork_ino[nr]);
	struct fsck_ino *fi = fsck_ino(c->f, ino);
	struct vexfs_inode di;
	struct vexfs_node n;

	if (!fi || !(fi->flags & FI_USED) || !(fi->flags & FI_FORK))
		return "it is no fork";
	if (fi->flags & FI_OWNED)
		return "another collection has it";
	if (fsck_node_get(c->f, ino, &n, &di) ||
	    le64_to_cpu(di.i_parent) != c->ino)
		return "it is that of another inode";
	if (nr < FSCK_COLL_FORKS) {
		c->fork[nr] = n;
		c->size[nr] = le64_to_cpu(di.i_size);
	}
	return NULL;
}

static bool fsck_coll_forks(struct fsck_coll *c)
{
	static const char * const name[VEXFS_FORKS] = { "log", "index" };
	const char *why;
	int nr;

	for (nr = 0; nr < VEXFS_FORKS; nr++) {
		if (nr >= FSCK_COLL_FORKS && !c->ch->ch_fork_ino[nr])
			continue;
		why = fsck_fork_why(c, nr);
		if (why && fsck_problem(c->f, FP_COLL_FORK, c->ino, c->bno,
					"%s: %s", name[nr] ?: "other", why))
			return false;
	}
	for (nr = 0; nr < VEXFS_FORKS; nr++) {
		struct fsck_ino *fi = fsck_ino(c->f,
				le64_to_cpu(c->ch->ch_fork_ino[nr]));

		if (fi && (fi->flags & FI_FORK))
			fi->flags |= FI_OWNED;
	}
	return true;
}

static int fsck_coll_rows(struct fsck_coll *c)
{
	u64 slots = le64_to_cpu(c->ch->ch_slots);
	u64 want = slots * le32_to_cpu(c->ch->ch_stride);

	if (slots > VEXFS_MAX_SLOTS || le64_to_cpu(c->di.i_size) >= want)
		return 0;
	if (!fsck_problem(c->f, FP_COLL_SHORT, c->ino, 0,
			  "%llu bytes, %llu slots",
			  le64_to_cpu(c->di.i_size), slots))
		return 0;
	c->di.i_size = cpu_to_le64(want);
	return fsck_inode_put(c->f, c->ino, &c->di);
}

static int fsck_coll_contents(struct fsck_coll *c)
{
	struct vexfs_coll_stat st;
	struct vexfs_coll *coll;
	int err;

	coll = vexfs_coll_open(&c->cfg, c->ch, &fsck_coll_io, c);
	if (IS_ERR(coll)) {
		err = PTR_ERR(coll);
		if (err == -ENOMEM || err == -EINTR)
			return fsck_fail(c->f, err, "a collection can't be opened", 0);
		if (!fsck_problem(c->f, FP_COLL_LOG, c->ino, c->bno, "%s",
				  err == -EFSBADCRC ? "wrong checksum" :
				  strerror(-err)))
			return 0;
		return fsck_coll_renew(c, true);
	}
	vexfs_coll_stat(coll, &st);
	vexfs_coll_free(coll);
	c->f->vectors += st.live;
	if (st.damaged && fsck_problem(c->f, FP_COLL_INDEX, c->ino, 0, NULL))
		return fsck_coll_renew(c, false);
	return 0;
}

static int fsck_check_coll(struct fsck *f, u64 ino)
{
	struct fsck_coll c = { .f = f, .ino = ino, .last_fork = -1 };
	int err = fsck_inode_get(f, ino, &c.di);

	if (err)
		return err;
	c.ch = malloc(VEXFS_BLOCK_SIZE);
	if (!c.ch)
		return fsck_fail(f, -ENOMEM, "collections", 0);
	c.bno = le64_to_cpu(c.di.i_coll);
	if (!fsck_coll_header(&c) || !fsck_coll_forks(&c))
		err = fsck_coll_demote(&c);
	else
		err = fsck_coll_rows(&c);
	/* Nothing is known of what a newer version made. */
	if (!err && fsck_ino(f, ino)->flags & FI_COLL && c.cfg.stride)
		err = fsck_coll_contents(&c);
	free(c.ch);
	return err;
}

int fsck_pass_colls(struct fsck *f)
{
	u32 i;
	int err = 0;

	if (!f->colls.count)
		return 0;
	fsck_pass(f, "colls", f->colls.count);
	for (i = 0; !err && i < f->colls.count && !fsck_stopped(f); i++) {
		if (fsck_in_use(f, f->colls.ino[i]))
			err = fsck_check_coll(f, f->colls.ino[i]);
		fsck_progress(f, i + 1, f->colls.count);
	}
	return err;
}

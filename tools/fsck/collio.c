// SPDX-License-Identifier: GPL-2.0
/*
 * The forks of a collection, as its core wants to read and write them. Rows
 * are not needed: nothing is searched or indexed here.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include "fsck.h"

static int fsck_no_rows(void *priv, const u32 *slots, unsigned int n,
			struct vexfs_row_pins *pins)
{
	return -EIO;
}

static void fsck_no_unpin(void *priv, struct vexfs_row_pins *pins)
{
}

static int fsck_no_write(void *priv, u32 slot, u32 n, const void *rows)
{
	return -EIO;
}

static void fsck_no_kick(void *priv)
{
}

static bool fsck_coll_killed(void *priv)
{
	return fsck_interrupted;
}

/* Where block @lblk of a fork is: 0 for what was never written. */
static int fsck_fork_block(struct fsck_coll *c, int fork, u64 lblk, u64 *bno)
{
	struct vexfs_map *m = &c->last;
	int err;

	if (c->last_fork != fork || lblk < m->lblk || lblk >= m->lblk + m->len) {
		c->last_fork = -1;
		err = vexfs_ext_lookup(&c->fork[fork], lblk,
				       VEXFS_MAX_LBLK - lblk, m);
		if (err)
			return err;
		c->last_fork = fork;
	}
	*bno = m->pblk && !m->unwritten ? m->pblk + lblk - m->lblk : 0;
	return 0;
}

static int fsck_fork_read(void *priv, enum vexfs_fork fork, u64 pos, void *buf,
			  size_t len)
{
	struct fsck_coll *c = priv;
	u8 data[VEXFS_BLOCK_SIZE] __aligned(8), *to = buf;
	size_t part, off;
	u64 bno;
	int err;

	if (fork >= FSCK_COLL_FORKS || pos > c->size[fork] ||
	    len > c->size[fork] - pos)
		return -EIO;
	for (; len; len -= part, pos += part, to += part) {
		off = pos % VEXFS_BLOCK_SIZE;
		part = min(len, VEXFS_BLOCK_SIZE - off);
		err = fsck_fork_block(c, fork, pos >> VEXFS_BLOCK_SHIFT, &bno);
		if (!err && bno)
			err = vexfs_dev_read(c->f->dev, bno, data);
		else if (!err)
			memset(data, 0, sizeof(data));
		if (err)
			return err;
		memcpy(to, data + off, part);
	}
	return 0;
}

/* The block is mapped and written when this returns. */
static int fsck_fork_map(struct fsck_coll *c, struct vexfs_trans *t, int fork,
			 u64 lblk, u64 *bno, bool *new)
{
	struct vexfs_node *n = &c->fork[fork];
	struct vexfs_map map;
	u64 done;
	int err = vexfs_ext_allocate(t, n, lblk, 1, 0, &map);

	if (err)
		return err;
	*bno = map.pblk;
	*new = map.unwritten;
	return map.unwritten ? vexfs_ext_convert(t, n, lblk, 1, &done) : 0;
}

static int fsck_fork_put(struct fsck_coll *c, struct vexfs_trans *t, int fork,
			 u64 pos, const u8 *from, size_t part)
{
	u8 data[VEXFS_BLOCK_SIZE] __aligned(8) = { };
	u64 bno;
	bool new;
	int err;

	err = fsck_fork_map(c, t, fork, pos >> VEXFS_BLOCK_SHIFT, &bno, &new);
	if (!err && !new && part < VEXFS_BLOCK_SIZE)
		err = vexfs_dev_read(c->f->dev, bno, data);
	if (err)
		return err;
	memcpy(data + pos % VEXFS_BLOCK_SIZE, from, part);
	return vexfs_dev_write(c->f->dev, bno, data);
}

static int fsck_fork_write(void *priv, enum vexfs_fork fork, u64 pos,
			   const void *buf, size_t len)
{
	struct fsck_coll *c = priv;
	const u8 *from = buf;
	struct vexfs_trans *t;
	size_t part;
	int err = 0;

	if (fork >= FSCK_COLL_FORKS)
		return -EIO;
	c->last_fork = -1;
	t = fsck_begin(c->f);
	if (IS_ERR(t))
		return PTR_ERR(t);
	for (; !err && len; len -= part, pos += part, from += part) {
		part = min(len, (size_t)(VEXFS_BLOCK_SIZE -
					 pos % VEXFS_BLOCK_SIZE));
		err = fsck_fork_put(c, t, fork, pos, from, part);
		c->size[fork] = max(c->size[fork], pos + part);
	}
	err = fsck_end(c->f, t, err);
	return fsck_node_put(c->f, &c->fork[fork], &c->size[fork]) ?: err;
}

const struct vexfs_coll_io fsck_coll_io = {
	.pin_rows	= fsck_no_rows,
	.unpin_rows	= fsck_no_unpin,
	.write_rows	= fsck_no_write,
	.fork_read	= fsck_fork_read,
	.fork_write	= fsck_fork_write,
	.kick		= fsck_no_kick,
	.killed		= fsck_coll_killed,
};

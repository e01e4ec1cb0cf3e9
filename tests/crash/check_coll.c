// SPDX-License-Identifier: GPL-2.0
/*
 * The collection after a crash: it holds what some number of batches left,
 * not fewer than were synced, each of them whole, ids and bytes.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include "coll_search.h"
#include "crash.h"

struct cc_coll {
	struct fsck_coll c;		/* first: for the forks' functions */
	struct cv_file rows;
	struct vexfs_coll *coll;
};

static int cc_pin_rows(void *priv, const u32 *slots, unsigned int n,
		       struct vexfs_row_pins *pins)
{
	struct cc_coll *cc = priv;
	u32 stride = cc->c.cfg.stride;
	unsigned int i;
	int err;

	for (i = 0; i < n; i++) {
		u8 *row = pins->bounce + (size_t)i * stride;

		err = cv_read(&cc->rows, (u64)slots[i] * stride, row, stride);
		if (err)
			return err;
		pins->row[i] = row;
	}
	pins->n = n;
	return 0;
}

static void cc_unpin_rows(void *priv, struct vexfs_row_pins *pins)
{
}

static int cc_write_rows(void *priv, u32 slot, u32 n, const void *rows)
{
	return -EROFS;
}

static int cc_fork_read(void *priv, enum vexfs_fork fork, u64 pos, void *buf,
			size_t len)
{
	return fsck_coll_io.fork_read(priv, fork, pos, buf, len);
}

static int cc_fork_write(void *priv, enum vexfs_fork fork, u64 pos,
			 const void *buf, size_t len)
{
	return -EROFS;
}

static void cc_kick(void *priv)
{
}

static bool cc_killed(void *priv)
{
	return false;
}

static const struct vexfs_coll_io cc_io = {
	.pin_rows	= cc_pin_rows,
	.unpin_rows	= cc_unpin_rows,
	.write_rows	= cc_write_rows,
	.fork_read	= cc_fork_read,
	.fork_write	= cc_fork_write,
	.kick		= cc_kick,
	.killed		= cc_killed,
};

static const char *cc_open(struct cc_coll *cc, struct fsck *f, u64 ino)
{
	struct fsck_coll *c = &cc->c;
	struct cv_file fork;
	int i;

	c->f = f;
	c->ino = ino;
	c->last_fork = -1;
	if (cv_file(f, ino, &cc->rows))
		return "its inode can't be read";
	c->di = cc->rows.di;
	c->bno = le64_to_cpu(c->di.i_coll);
	if (!(le32_to_cpu(c->di.i_flags) & VEXFS_COLLECTION_FL) ||
	    fsck_read(f, c->bno, c->ch))
		return "its header can't be read";
	c->cfg.owner = ino;
	c->cfg.csum_seed = f->fs.csum_seed;
	if (vexfs_coll_config_from_header(c->ch, &c->cfg))
		return "its header makes no sense";
	for (i = 0; i < FSCK_COLL_FORKS; i++) {
		if (cv_file(f, le64_to_cpu(c->ch->ch_fork_ino[i]), &fork))
			return "a fork can't be read";
		c->fork[i] = fork.n;
		c->size[i] = fork.size;
	}
	cc->coll = vexfs_coll_open(&c->cfg, c->ch, &cc_io, cc);
	if (!IS_ERR(cc->coll))
		return NULL;
	i = (int)PTR_ERR(cc->coll);
	cc->coll = NULL;
	return cm_why("it can't be opened: %s", strerror(-i));
}

/* Ids that the volume and the model have in common, with the right bytes. */
static u32 cc_matches(struct cc_coll *cc, const struct cc_model *m, u32 seed)
{
	float row[CC_DIMS], want[CC_DIMS];
	u32 slot = 0, n = 0;
	u64 id;

	for (; vexfs_coll_next(cc->coll, &slot, &id); slot++) {
		if (id >= (u64)CC_OPS * CC_BATCH || !m->wrote[id])
			continue;
		cc_vector(want, seed, id, m->wrote[id] - 1);
		n += !cv_read(&cc->rows, (u64)slot * cc->c.cfg.stride, row,
			      sizeof(row)) && !memcmp(row, want, sizeof(row));
	}
	return n;
}

/* Some of the vectors are their own nearest, by scan and by index. */
static const char *cc_search(struct cc_coll *cc, u64 live, u32 salt)
{
	struct vexfs_coll_searcher *s = vexfs_coll_searcher_alloc(cc->coll);
	struct vexfs_coll_result res;
	struct vexfs_coll_hit hit;
	const char *why = NULL;
	float row[CC_DIMS];
	u32 slot = salt % (u32)(live + 1), i;
	u64 id;

	for (i = 0; !why && i < 2 && vexfs_coll_next(cc->coll, &slot, &id);
	     i++, slot++) {
		if (cv_read(&cc->rows, (u64)slot * cc->c.cfg.stride, row,
			    sizeof(row)))
			why = "a row can't be read";
		else if (vexfs_coll_search(s, row, 1, 64, i ? 0 :
					   VEXFS_COLL_EXACT, &hit, &res) ||
			 res.count != 1)
			why = "a search fails";
		else if (!i && hit.id != id &&
			 hit.key != vexfs_key_from_bits(0))
			why = cm_why("id %llu is not its own nearest", id);
	}
	vexfs_coll_searcher_free(s);
	return why;
}

static const char *cc_compare(struct cc_coll *cc, const struct cm_promise *p)
{
	static struct cc_model m;
	struct vexfs_coll_stat st;
	u32 op;

	vexfs_coll_stat(cc->coll, &st);
	if (st.damaged)
		return "its checkpoint is damaged";
	memset(&m, 0, sizeof(m));
	for (op = 0; op < p->was.done; op++)
		cc_step(&m, op);
	for (; op <= p->next.begun; op++) {
		if (m.count == st.live &&
		    cc_matches(cc, &m, p->was.seed) == m.count)
			return cc_search(cc, st.live, op);
		if (op < CC_OPS)
			cc_step(&m, op);
	}
	return cm_why("its %llu vectors are not those of %llu to %llu operations",
		      st.live, p->was.done, p->next.begun);
}

const char *cm_coll_check(void *arg, struct fsck *f, u64 dir,
			  const struct cm_promise *p)
{
	struct cc_coll *cc = calloc(1, sizeof(*cc));
	const char *why;
	u64 ino;

	if (cc)
		cc->c.ch = malloc(VEXFS_BLOCK_SIZE);
	if (!cc || !cc->c.ch)
		kshim_die(__FILE__, __LINE__, "out of memory");
	why = cv_lookup(f, dir, "coll", &ino) ? "it is gone" :
	      cc_open(cc, f, ino);
	if (!why)
		why = cc_compare(cc, p);
	vexfs_coll_free(cc->coll);
	free(cc->c.ch);
	free(cc);
	return why;
}

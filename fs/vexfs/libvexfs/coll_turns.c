// SPDX-License-Identifier: GPL-2.0
/*
 * Queries of a batch take turns: while the memory that one has asked for is on
 * its way, the others go on with what has come.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include "coll_search.h"

struct vexfs_turns {
	/** @s: searchers, and the numbers of the queries they are at */
	struct vexfs_coll_searcher *s[VEXFS_TURNS];
	u32	query[VEXFS_TURNS];
	/** @busy: the first of them that are at one */
	u32	busy;
	/** @next: the query that comes next, of @n */
	u32	next;
	u32	n;
	u32	k;
	u32	ef;
	const void *rows;
	struct vexfs_coll_hit *hits;
	struct vexfs_coll_result *res;
};

/* Without memory for more it does with what there is. */
static u32 vexfs_turns_searchers(struct vexfs_coll_searcher *s, u32 want,
				 struct vexfs_coll_searcher **out)
{
	u32 n;

	out[0] = s;
	for (n = 1; n < min(want, VEXFS_TURNS); n++) {
		if (!s->other[n - 1])
			s->other[n - 1] = vexfs_coll_searcher_alloc(s->coll);
		if (!s->other[n - 1])
			break;
		out[n] = s->other[n - 1];
	}
	return n;
}

static int vexfs_turn_begin(struct vexfs_turns *t, u32 i)
{
	struct vexfs_coll_searcher *s = t->s[i];
	int err;

	t->query[i] = t->next++;
	err = vexfs_search_prepare(s, t->rows + (size_t)t->query[i] *
				   s->coll->sp.row_bytes, t->k, t->ef);
	return err ? err : s->coll->ops->begin(s);
}

/* What the index has found; a scan if it hadn't enough. */
static int vexfs_turn_end(struct vexfs_turns *t, u32 i)
{
	struct vexfs_coll_searcher *s = t->s[i];
	struct vexfs_coll_result *res = t->res + t->query[i];
	struct vexfs_coll_hit *hits = t->hits + (size_t)t->query[i] * t->k;
	int err;

	if (s->coll->io->killed(s->coll->priv))
		return -EINTR;
	err = s->coll->ops->end(s, hits, &res->count);
	if (err == -EAGAIN)
		return vexfs_search_scan(s, s->row, 1, t->k, hits, res);
	res->mode = s->coll->ops->mode;
	res->compared = s->compared;
	cond_resched();
	return err;
}

/* One of those that are at a query goes on, or to the next query. */
static int vexfs_turn(struct vexfs_turns *t, u32 i)
{
	struct vexfs_coll_searcher *s = t->s[i];
	int ret = s->coll->ops->step(s);

	if (ret)
		return min(ret, 0);
	ret = vexfs_turn_end(t, i);
	if (!ret && t->next < t->n)
		return vexfs_turn_begin(t, i);
	/* The last one takes its place. */
	t->busy--;
	swap(t->s[i], t->s[t->busy]);
	swap(t->query[i], t->query[t->busy]);
	return ret;
}

int vexfs_search_turns(struct vexfs_coll_searcher *s, const void *rows, u32 n,
		       u32 k, u32 ef, struct vexfs_coll_hit *hits,
		       struct vexfs_coll_result *res)
{
	struct vexfs_turns t = {
		.n = n, .k = k, .ef = ef, .rows = rows, .hits = hits,
		.res = res,
	};
	u32 i, all = vexfs_turns_searchers(s, n, t.s);
	int err = 0;

	for (; !err && t.busy < all; t.busy += !err)
		err = vexfs_turn_begin(&t, t.busy);
	while (!err && t.busy)
		for (i = 0; !err && i < t.busy; i++)
			err = vexfs_turn(&t, i);
	for (i = 0; i < t.busy; i++)
		t.s[i]->coll->ops->cancel(t.s[i]);
	return err;
}

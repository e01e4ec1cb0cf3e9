/* SPDX-License-Identifier: GPL-2.0 */
/*
 * For the tests of the graph: one with its rows, word vectors, and what is
 * expected of it. Part of test_hnsw.c.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#ifndef _HNSW_FIXTURE_H
#define _HNSW_FIXTURE_H

#include "hnsw.h"
#include "topk.h"
#include "vecfile.h"
#include "vtest.h"

#define K	10
#define LIVE	0x01

static struct vecfile words;
static __maybe_unused u64 rnd = 7;

/* A graph with its rows: slot i holds vector vec[i] of the file. */
struct coll {
	struct vexfs_space sp;
	struct vexfs_graph g;
	struct vexfs_graph_scratch *s;
	struct vexfs_arena flags;
	struct vexfs_graph_filter live;
	u32	slots;
	char	*rows;
	u32	*vec;
	struct vexfs_graph_hit hit[1024];
	u64	compared;
};

static struct coll *coll_new(u8 metric, u32 slots, u32 m, u32 efc)
{
	struct coll *c = calloc(1, sizeof(*c));
	struct vexfs_graph_config cfg = {
		.space = &c->sp, .m = m, .ef_construction = efc, .seed = 5,
	};

	if (vexfs_space_init(&c->sp, VEXFS_ELEM_F32, metric,
			     (u32)words.dims) ||
	    vexfs_graph_init(&c->g, &cfg))
		abort();
	c->s = vexfs_graph_scratch_alloc();
	vexfs_arena_init(&c->flags, 1);
	c->slots = slots;
	c->rows = calloc(slots + 1, c->sp.stride);
	c->vec = calloc(slots + 1, sizeof(*c->vec));
	if (vexfs_graph_reserve(&c->g, slots) ||
	    vexfs_arena_reserve(&c->flags, slots + 1) ||
	    vexfs_graph_scratch_prepare(c->s, &c->g, 1024))
		abort();
	c->live.flags = &c->flags;
	c->live.mask = LIVE;
	c->live.want = LIVE;
	return c;
}

static void coll_free(struct coll *c)
{
	vexfs_graph_free(&c->g);
	vexfs_graph_scratch_free(c->s);
	vexfs_arena_free(&c->flags);
	free(c->rows);
	free(c->vec);
	free(c);
}

static char *row_of(const struct coll *c, u32 slot)
{
	return c->rows + (size_t)slot * c->sp.stride;
}

static u8 *flags_of(const struct coll *c, u32 slot)
{
	return vexfs_arena_item(&c->flags, slot);
}

static bool is_live(const struct coll *c, u32 slot)
{
	return *flags_of(c, slot) & LIVE;
}

static void insert(struct coll *c, u32 slot, u32 vec)
{
	c->vec[slot] = vec;
	memcpy(row_of(c, slot), words.v + (size_t)vec * words.dims,
	       c->sp.row_bytes);
	if (vexfs_graph_insert(&c->g, slot, row_of(c, slot), c->s))
		CHECK(false, "slot %u was refused", slot);
	__atomic_fetch_or(flags_of(c, slot), LIVE, __ATOMIC_RELEASE);
}

static __maybe_unused void delete(struct coll *c, u32 slot)
{
	__atomic_fetch_and(flags_of(c, slot), ~LIVE, __ATOMIC_RELEASE);
	vexfs_graph_remove(&c->g, slot, c->s);
}

static struct coll *coll_of(u8 metric, u32 n, u32 m, u32 efc)
{
	struct coll *c = coll_new(metric, n, m, efc);
	u32 i;

	for (i = 0; i < n; i++)
		insert(c, i, i);
	return c;
}

/* The last vectors of the file are never inserted: they are the queries. */
static const float *query(u32 q)
{
	return words.v + (words.n - 1 - q) * words.dims;
}

/* The k nearest live slots that pass @want, by comparing with all. */
static u32 exact(struct coll *c, const float *row, u8 want, u32 *slots, u32 k)
{
	struct vexfs_query *q = vexfs_graph_scratch_query(c->s);
	struct vexfs_coll_hit hit[64];
	struct vexfs_topk t;
	u32 i, key;

	vexfs_query_prepare(&c->sp, row, q);
	vexfs_topk_init(&t, hit, k);
	for (i = 0; i < c->slots; i++) {
		if ((*flags_of(c, i) & want) != want)
			continue;
		vexfs_dist_run(&c->sp, q, row_of(c, i), 1, &key);
		vexfs_topk_push(&t, key, i, i);
	}
	vexfs_hits_sort(hit, t.n);
	for (i = 0; i < t.n; i++)
		slots[i] = hit[i].slot;
	return t.n;
}

/* A search as the collection does it; results ranked by rows. */
static u32 search(struct coll *c, const float *row, u32 ef,
		  const struct vexfs_graph_filter *filter, u32 *slots, u32 k)
{
	struct vexfs_query *q = vexfs_graph_scratch_query(c->s);
	struct vexfs_coll_hit best[64];
	struct vexfs_topk t;
	u32 i, n, key;

	vexfs_query_prepare(&c->sp, row, q);
	n = vexfs_graph_search(&c->g, ef, filter, c->s, c->hit, &c->compared);
	CHECK(n <= ef, "%u results of %u", n, ef);
	vexfs_topk_init(&t, best, k);
	for (i = 0; i < n; i++) {
		CHECK(!i || c->hit[i].key >= c->hit[i - 1].key, "not sorted");
		vexfs_dist_run(&c->sp, q, row_of(c, c->hit[i].slot), 1, &key);
		vexfs_topk_push(&t, key, c->hit[i].slot, c->hit[i].slot);
	}
	vexfs_hits_sort(best, t.n);
	for (i = 0; i < t.n; i++)
		slots[i] = best[i].slot;
	return t.n;
}

static double recall(struct coll *c, u32 queries, u32 ef,
		     const struct vexfs_graph_filter *filter, u8 want)
{
	u32 got[K], truth[K], q, i, j, n, m, hits = 0, all = 0;

	for (q = 0; q < queries; q++) {
		m = exact(c, query(q), want, truth, K);
		n = search(c, query(q), ef, filter, got, K);
		all += m;
		for (i = 0; i < n; i++)
			for (j = 0; j < m; j++)
				hits += got[i] == truth[j];
	}
	return (double)hits / (double)all;
}

/* How many live slots are found by their own rows. */
static double found_by_itself(struct coll *c, u32 ef, u32 step)
{
	u32 i, j, n, tried = 0, hits = 0, got[K];

	for (i = 0; i < c->slots; i += step) {
		if (!is_live(c, i))
			continue;
		tried++;
		n = search(c, (float *)row_of(c, i), ef, NULL, got, K);
		for (j = 0; j < n; j++)
			if (got[j] == i)
				break;
		hits += j < n;
	}
	return (double)hits / (double)tried;
}

/* No link leads to a slot twice, to its own, or to none; ends are ends. */
static void check_links(const struct coll *c, bool dangling)
{
	u32 slot, i, j;

	for (slot = 0; slot < c->slots; slot++) {
		const __le32 *l = vexfs_arena_item(&c->g.links, slot);

		if (!vexfs_graph_has(&c->g, slot)) {
			CHECK(!memchr_inv(l, 0, 8 * c->g.m),
			      "slot %u has links and is no node", slot);
			continue;
		}
		for (i = 0; i < 2 * c->g.m && l[i]; i++) {
			CHECK(l[i] <= c->slots && l[i] != slot + 1,
			      "link %u of slot %u", l[i], slot);
			CHECK(dangling || vexfs_graph_has(&c->g, l[i] - 1),
			      "slot %u links to a slot that is gone", slot);
			for (j = 0; j < i; j++)
				CHECK(l[i] != l[j], "slot %u has %u twice",
				      slot, l[i]);
		}
	}
}

/* What is counted is what there is, and no node is out of reach. */
static void check_linked(const struct coll *c)
{
	u32 *count = calloc(c->slots, sizeof(*count)), slot, i, lost = 0;

	for (slot = 0; slot < c->slots; slot++) {
		const __le32 *l = vexfs_arena_item(&c->g.links, slot);

		for (i = 0; i < 2 * c->g.m && l[i]; i++)
			count[l[i] - 1]++;
	}
	for (slot = 0; slot < c->slots; slot++) {
		u8 *linked = vexfs_arena_item(&c->g.linked, slot);

		CHECK(*linked == 255 || *linked == count[slot],
		      "slot %u has %u links to it, not %u", slot, count[slot],
		      *linked);
		lost += vexfs_graph_has(&c->g, slot) && !count[slot];
	}
	CHECK(lost <= c->g.nodes / 1000, "nothing leads to %u nodes", lost);
	free(count);
}

#endif /* _HNSW_FIXTURE_H */

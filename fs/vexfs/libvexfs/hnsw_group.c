// SPDX-License-Identifier: GPL-2.0
/*
 * Insertion of rows that are near each other: the search for one begins where
 * those for the others came to, and need not go far.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include "hnsw_pool.h"

/*
 * Candidates that are expanded for a row, and others to choose links among.
 * Where there are sign codes vectors have many dimensions, and what is shared
 * leads to nearly all that is near; but these codes are coarse.
 */
#define GROUP_HOPS	64u
#define GROUP_REST	64u
#define GROUP_SIGN_HOPS	32u
#define GROUP_SIGN_REST	96u

/* Nodes that are candidates for all rows of the group. */
static void share(struct vexfs_graph_scratch *s, u32 slot)
{
	const u32 mask = ARRAY_SIZE(s->shared_set) - 1;
	u32 i = (slot * 0x9e3779b1u) >> 16 & mask;

	if (s->nshared == VEXFS_SHARED)
		return;
	for (; s->shared_set[i]; i = (i + 1) & mask)
		if (s->shared_set[i] == slot + 1)
			return;
	s->shared_set[i] = slot + 1;
	s->shared[s->nshared++] = slot;
}

static void share_found(struct vexfs_graph_scratch *s, u32 slot)
{
	u32 i;

	share(s, slot);
	for (i = 0; i < s->n; i++)
		share(s, vexfs_walk_slot(s, vexfs_cand_slot(s->pool[i])));
}

/*
 * A node of layer 0. The search begins with what is shared, and where it would
 * without: of few rows that wait those of a group needn't be very near, and
 * what is nearest to one may not be found from the others.
 */
static int insert_member(struct vexfs_graph *g, u32 slot, const void *row,
			 struct vexfs_graph_scratch *s)
{
	int err = vexfs_insert_begin(g, slot, row, s);
	u32 hops, rest;

	if (err)
		return err;
	hops = s->by_signs ? GROUP_SIGN_HOPS : GROUP_HOPS;
	rest = s->by_signs ? GROUP_SIGN_REST : GROUP_REST;
	hops = min(g->ef_construction, hops);
	vexfs_walk_begin(s);
	vexfs_rest_want(s, min(g->ef_construction - hops, rest));
	/* Pairs with the release in vexfs_graph_set_entry(). */
	vexfs_insert_seed(g, 0, smp_load_acquire(&g->entry), hops, s);
	vexfs_walk_seeds(g, s->shared, s->nshared, hops, s);
	vexfs_walk(g, 0, hops, hops, NULL, s);
	vexfs_choose(g, slot, 0, s);
	vexfs_connect(g, slot, 0, s);
	return 0;
}

int vexfs_graph_insert_group(struct vexfs_graph *g, const u32 *slots,
			     const void *const *rows, u32 n,
			     struct vexfs_graph_scratch *s, u32 *done)
{
	/* Those near it needn't have large products with what it has them with */
	const bool alone = g->sp.metric == VEXFS_METRIC_IP;
	int err = 0;
	u32 i;

	s->nshared = 0;
	memset(s->shared_set, 0, sizeof(s->shared_set));
	for (i = 0; i < n; i++) {
		if (alone || !s->nshared || vexfs_graph_level(g, slots[i]))
			err = vexfs_graph_insert(g, slots[i], rows[i], s);
		else
			err = insert_member(g, slots[i], rows[i], s);
		if (err)
			break;
		share_found(s, slots[i]);
	}
	*done = i;
	return err;
}

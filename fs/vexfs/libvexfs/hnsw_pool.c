// SPDX-License-Identifier: GPL-2.0
/*
 * What a traversal leaves besides its pool.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include "hnsw_pool.h"

static u64 median(u64 a, u64 b, u64 c)
{
	return max(min(a, b), min(max(a, b), c));
}

/* Puts those below @pivot first; returns how many. No branch can be wrong. */
static u32 divide(u64 *c, u32 n, u64 pivot)
{
	u32 i, below = 0;

	for (i = 0; i < n; i++) {
		u64 cand = c[i];

		c[i] = c[below];
		c[below] = cand;
		below += cand < pivot;
	}
	return below;
}

/*
 * Puts the @want nearest of @n first: quickselect (Hoare, Algorithm 65: Find).
 * Each turn leaves fewer; that many turns leave hardly fewer is as unlikely as
 * it is harmless, as there are some hundred at most.
 */
static void select_nearest(u64 *c, u32 n, u32 want)
{
	u32 below;
	u64 pivot;

	while (want && n > want) {
		pivot = median(c[0], c[n / 2], c[n - 1]);
		below = divide(c, n, pivot);
		if (below >= want) {
			n = below;
			continue;
		}
		if (!below)
			below = min(divide(c, n, pivot + 1), want);
		c += below;
		n -= below;
		want -= below;
	}
}

void vexfs_rest_cut(struct vexfs_graph_scratch *s)
{
	u32 i;

	if (s->nrest <= s->rest_want)
		return;
	select_nearest(s->cands, s->nrest, s->rest_want);
	s->nrest = s->rest_want;
	s->rest_bound = 0;
	for (i = 0; i < s->nrest; i++)
		s->rest_bound = max(s->rest_bound, s->cands[i]);
}

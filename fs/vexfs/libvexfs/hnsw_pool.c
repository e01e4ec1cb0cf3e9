// SPDX-License-Identifier: GPL-2.0
/*
 * What a traversal leaves besides its pool, and candidates in order.
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

/* Buckets that so many or more are sorted by first. */
#define SORT_MANY	48u
#define SORT_BUCKETS	256u

/* Shell's sort: they are few, or nearly in order. */
void vexfs_sort_cands(u64 *cand, u32 n)
{
	static const u32 gaps[] = { 8929, 3905, 1750, 701, 301, 132, 57, 23,
				    10, 4, 1 };
	u32 i, j, k, gap;

	for (k = 0; k < ARRAY_SIZE(gaps); k++) {
		gap = gaps[k];
		for (i = gap; i < n; i++) {
			u64 c = cand[i];

			for (j = i; j >= gap && cand[j - gap] > c; j -= gap)
				cand[j] = cand[j - gap];
			cand[j] = c;
		}
	}
}

/*
 * Many, in whatever order: by buckets of equal width first, as keys lie in a
 * narrow range.
 */
void vexfs_sort_many(struct vexfs_graph_scratch *s, u32 n)
{
	u32 i, low = U32_MAX, high = 0, shift;
	u16 at[SORT_BUCKETS + 1] = { 0 };
	u64 *cand = s->cands;

	if (n < SORT_MANY || n > U16_MAX) {
		vexfs_sort_cands(cand, n);
		return;
	}
	for (i = 0; i < n; i++) {
		low = min(low, vexfs_cand_key(cand[i]));
		high = max(high, vexfs_cand_key(cand[i]));
	}
	for (shift = 0; (high - low) >> shift >= SORT_BUCKETS; )
		shift++;
	for (i = 0; i < n; i++)
		at[((vexfs_cand_key(cand[i]) - low) >> shift) + 1]++;
	for (i = 1; i <= SORT_BUCKETS; i++)
		at[i] += at[i - 1];
	for (i = 0; i < n; i++)
		s->cand_sort[at[(vexfs_cand_key(cand[i]) - low) >> shift]++] =
			cand[i];
	memcpy(cand, s->cand_sort, n * sizeof(*cand));
	vexfs_sort_cands(cand, n);
}

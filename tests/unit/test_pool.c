// SPDX-License-Identifier: GPL-2.0
/*
 * Candidates of a traversal: the nearest of those that the pool has no room
 * for, and sorting.
 *
 * usage: test_pool
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include <stdlib.h>

#include "hnsw_pool.h"
#include "vtest.h"

#define MOST	600u

static u64 rnd_state = 1;

static u64 rnd(void)
{
	rnd_state = rnd_state * 6364136223846793005ull + 1442695040888963407ull;
	return rnd_state >> 20;
}

static int by_value(const void *a, const void *b)
{
	u64 x = *(const u64 *)a, y = *(const u64 *)b;

	return x < y ? -1 : x > y;
}

/* Candidates as they come: spread out, close together, all but one equal ... */
static void fill(u64 *c, u32 n, u32 kind)
{
	u32 i, key;

	for (i = 0; i < n; i++) {
		switch (kind) {
		case 0:
			key = (u32)rnd();
			break;
		case 1:
			key = 0xbf800000u + (u32)(rnd() % 1000);
			break;
		case 2:
			key = i == n / 2 ? U32_MAX : 7;
			break;
		case 3:
			key = i;
			break;
		default:
			key = n - i;
		}
		/* Equal ones too, though there should be none */
		c[i] = vexfs_cand(key, kind == 2 ? 3 : i);
	}
}

static void test_rest(struct vexfs_graph_scratch *s)
{
	static const u32 wants[] = { 1, 2, 3, 64, 134, MOST };
	u64 all[MOST];
	u32 kind, n, i, j;

	for (kind = 0; kind < 5; kind++) {
		for (n = 0; n <= MOST; n += 1 + n / 9) {
			for (i = 0; i < ARRAY_SIZE(wants); i++) {
				u32 left = min(n, wants[i]);

				fill(all, n, kind);
				vexfs_rest_want(s, wants[i]);
				for (j = 0; j < n; j++)
					vexfs_rest_add(s, all[j], true);
				CHECK(s->nrest == n, "%u of %u", s->nrest, n);
				vexfs_rest_cut(s);
				qsort(all, n, sizeof(*all), by_value);
				qsort(s->cands, s->nrest, sizeof(*all),
				      by_value);
				CHECK(s->nrest == left &&
				      !memcmp(all, s->cands,
					      left * sizeof(*all)),
				      "kind %u: %u of %u", kind, left, n);
				CHECK(n == left ||
				      s->rest_bound == all[left - 1],
				      "kind %u: bound of %u", kind, left);
			}
		}
	}
	vt_done("the nearest of the rest", NULL);
}

static void test_rest_bound(struct vexfs_graph_scratch *s)
{
	u64 all[10 * MOST];
	u32 i;

	for (i = 0; i < ARRAY_SIZE(all); i++)
		all[i] = vexfs_cand((u32)rnd(), i);
	vexfs_rest_want(s, 50);
	for (i = 0; i < ARRAY_SIZE(all); i++) {
		vexfs_rest_add(s, all[i], i % 7);
		vexfs_rest_trim(s);
		CHECK(s->nrest <= s->cand_room - 2 * VEXFS_BATCH, "%u of %u",
		      s->nrest, s->cand_room);
		if (!(i % 7))
			all[i] = U64_MAX;
	}
	vexfs_rest_cut(s);
	qsort(all, ARRAY_SIZE(all), sizeof(*all), by_value);
	qsort(s->cands, s->nrest, sizeof(*all), by_value);
	CHECK(s->nrest == 50 && !memcmp(all, s->cands, 50 * sizeof(*all)),
	      "%u", s->nrest);
	vexfs_rest_none(s);
	vexfs_rest_add(s, 0, true);
	CHECK(!s->nrest, "what nobody wants is kept");
	vt_done("many more than there is room for", NULL);
}

static void test_sort(struct vexfs_graph_scratch *s)
{
	u64 all[MOST];
	u32 kind, n;

	for (kind = 0; kind < 5; kind++) {
		for (n = 0; n <= MOST; n += 1 + n / 9) {
			fill(all, n, kind);
			memcpy(s->cands, all, n * sizeof(*all));
			vexfs_sort_many(s, n);
			qsort(all, n, sizeof(*all), by_value);
			CHECK(!memcmp(all, s->cands, n * sizeof(*all)),
			      "kind %u, %u", kind, n);
		}
	}
	vt_done("many are sorted", NULL);
}

/* Where one belongs among those before it. */
static void test_find(void)
{
	u64 pool[70];
	u32 n, i, want;

	for (n = 0; n < ARRAY_SIZE(pool); n++) {
		for (i = 0; i < n; i++)
			pool[i] = 10 * i + 10;
		for (i = 0; i <= 10 * n + 10; i++) {
			for (want = 0; want < n && pool[want] < i; )
				want++;
			CHECK(vexfs_pool_find(pool, n, i) == want,
			      "%u of %u", i, n);
		}
	}
	vt_done("places in a pool", NULL);
}

int main(void)
{
	struct vexfs_graph_scratch *s = vexfs_graph_scratch_alloc();
	struct vexfs_space sp;
	struct vexfs_graph_config cfg = {
		.space = &sp, .m = 16, .ef_construction = MOST / 2, .seed = 5,
	};
	struct vexfs_graph g;

	vexfs_simd_init(NULL);
	if (!s || vexfs_space_init(&sp, VEXFS_ELEM_F32, VEXFS_METRIC_L2, 8) ||
	    vexfs_graph_init(&g, &cfg) || vexfs_graph_reserve(&g, 100) ||
	    vexfs_graph_scratch_prepare(s, &g, 0))
		abort();
	test_rest(s);
	test_rest_bound(s);
	test_sort(s);
	test_find();
	vexfs_graph_scratch_free(s);
	vexfs_graph_free(&g);
	return vt_exit();
}

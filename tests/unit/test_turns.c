// SPDX-License-Identifier: GPL-2.0
/*
 * Queries of a batch, which take turns: each finds what it finds alone, and
 * whatever fails for one of them leaves no rows pinned by the others.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include <math.h>

#include <linux/vexfs.h>

#include "coll_mem.h"
#include "coll_search.h"
#include "vtest.h"

#define ROWS	1200u
#define K	5u
#define EF	40u
#define MOST	70u
#define MANY	110u

static u64 rnd = 1;
static struct mem_coll m;
static u32 dims;
static float *queries;

static float *random_rows(u32 n)
{
	float *rows = malloc((size_t)n * dims * sizeof(*rows));
	u32 i;

	for (i = 0; i < n * dims; i++)
		rows[i] = (float)(vt_random(&rnd) % 2001) / 1000 - 1;
	return rows;
}

/* Of few dimensions, or of so many that there are sign codes. */
static void setup(u32 of)
{
	struct vexfs_coll_config cfg = {
		.index = VEXFS_INDEX_HNSW, .elem = VEXFS_ELEM_F32,
		.metric = VEXFS_METRIC_L2, .dims = of, .m = 8,
		.ef_construction = 40,
	};
	float *rows;
	u64 id;
	u32 n;

	dims = of;
	rows = random_rows(ROWS);
	queries = random_rows(MOST);
	if (mem_create(&m, &cfg, 4096) ||
	    mem_insert(&m, NULL, ROWS, 0, rows, NULL) || mem_settle(&m))
		abort();
	CHECK(!m.coll->sp.sign_bytes == !m.coll->graph.signs,
	      "%u dimensions, without sign codes", of);
	/* Some are deleted, so that results are filtered. */
	for (id = 0; id < ROWS; id += 40)
		if (vexfs_coll_delete(m.coll, &id, 1, 0, &n))
			abort();
	free(rows);
}

static void teardown(const char *what)
{
	char text[80];

	CHECK(!m.pinned, "%d rows are pinned", m.pinned);
	snprintf(text, sizeof(text), "%s, %u dimensions", what, dims);
	vt_done(text, NULL);
	mem_destroy(&m);
	free(queries);
}

/* A batch of the first @n, on a new searcher; @want: what each has alone. */
static int batch(u32 n, const struct vexfs_coll_hit *want)
{
	struct vexfs_coll_searcher *s = vexfs_coll_searcher_alloc(m.coll);
	struct vexfs_coll_result res[MOST];
	struct vexfs_coll_hit hits[MOST * K];
	u32 i, j, bad = 0;
	int err = -ENOMEM;

	if (s)
		err = vexfs_coll_search_many(s, queries, n, K, EF, 0, hits,
					     res);
	vexfs_coll_searcher_free(s);
	for (i = 0; !err && want && i < n; i++) {
		bad += res[i].count != K || res[i].mode != VEXFS_MODE_GRAPH ||
		       !res[i].compared;
		for (j = 0; j < K; j++)
			bad += hits[i * K + j].id != want[i * K + j].id ||
			       hits[i * K + j].key != want[i * K + j].key;
	}
	CHECK(!bad, "%u of %u queries differ", bad, n);
	return err;
}

static void alone(struct vexfs_coll_hit *want)
{
	struct vexfs_coll_searcher *s = vexfs_coll_searcher_alloc(m.coll);
	struct vexfs_coll_result res;
	u32 i;

	for (i = 0; i < MOST; i++)
		CHECK(!vexfs_coll_search(s, queries + i * dims, K, EF, 0,
					 want + i * K, &res) &&
		      res.count == K && res.mode == VEXFS_MODE_GRAPH,
		      "query %u alone", i);
	vexfs_coll_searcher_free(s);
}

static void test_same(u32 of)
{
	struct vexfs_coll_hit want[MOST * K];
	u32 n;

	setup(of);
	alone(want);
	for (n = 1; n <= MOST; n += n < 10 ? 1 : 12)
		CHECK(!batch(n, want), "%u queries", n);
	/* With rows that wait, which each of them compares as well. */
	if (mem_insert(&m, NULL, 9, 0, queries, NULL))
		abort();
	alone(want);
	CHECK(!batch(MOST, want), "with rows that wait");
	CHECK(want[0].key == vexfs_key_from_bits(0),
	      "a query that is there is not found");
	teardown("a batch finds what its queries find");
}

/* Hits by the thousand, too: their rows are compared by portions. */
static void test_many(u32 of)
{
	struct vexfs_coll_searcher *s;
	struct vexfs_coll_hit hits[MANY], all[ROWS];
	struct vexfs_coll_result res;
	u32 i, j, bad = 0;

	setup(of);
	s = vexfs_coll_searcher_alloc(m.coll);
	CHECK(!vexfs_coll_search(s, queries, ROWS, 0, VEXFS_COLL_EXACT, all,
				 &res) && res.count == ROWS - ROWS / 40,
	      "an exact search");
	CHECK(!vexfs_coll_search(s, queries, MANY, MANY, 0, hits, &res) &&
	      res.count == MANY && res.mode == VEXFS_MODE_GRAPH,
	      "%u hits, by %u", res.count, res.mode);
	for (i = 0; i < MANY; i++) {
		for (j = 0; j < ROWS && all[j].id != hits[i].id; j++)
			;
		bad += j == ROWS || all[j].key != hits[i].key;
	}
	CHECK(!bad, "%u distances are not exact", bad);
	vexfs_coll_searcher_free(s);
	teardown("distances of many hits");
}

/* Until nothing is left to fail; searchers that can't be had are done without. */
static void test_faults(u32 of, int *what, const char *name, bool may_do)
{
	struct vexfs_coll_hit want[MOST * K];
	u32 failed = 0;
	int n, err;

	setup(of);
	alone(want);
	for (n = 1; n < 5000; n++) {
		*what = n;
		err = batch(9, want);
		if (*what)
			break;
		failed += err != 0;
		CHECK(err || may_do, "%s %d unnoticed", name, n);
		CHECK(!m.pinned, "%s %d: %d rows are pinned", name, n,
		      m.pinned);
	}
	*what = 0;
	CHECK(failed > 3, "only %u of %s", failed, name);
	CHECK(!batch(MOST, want), "afterwards");
	teardown(name);
}

static void test_bad(u32 of)
{
	u32 i;

	setup(of);
	for (i = 0; i < 9; i++) {
		float was = queries[i * dims + 3];

		queries[i * dims + 3] = i % 2 ? NAN : INFINITY;
		CHECK(batch(9, NULL) == -EINVAL, "query %u isn't finite", i);
		CHECK(!m.pinned, "query %u: %d rows are pinned", i, m.pinned);
		queries[i * dims + 3] = was;
	}
	m.killed = true;
	CHECK(batch(9, NULL) == -EINTR, "killed");
	m.killed = false;
	CHECK(!batch(9, NULL), "afterwards");
	teardown("bad queries and kills");
}

int main(void)
{
	static const u32 all[] = { 20, 400 };
	size_t i;

	if (vexfs_simd_init(NULL))
		return 1;
	for (i = 0; i < ARRAY_SIZE(all); i++) {
		test_same(all[i]);
		test_many(all[i]);
		test_faults(all[i], &m.fail_read, "failing reads", false);
		test_faults(all[i], &kshim_fail_alloc, "failing allocations",
			    true);
		test_bad(all[i]);
	}
	return vt_exit();
}

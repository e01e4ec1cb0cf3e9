// SPDX-License-Identifier: GPL-2.0
/*
 * Rows that are taken into the graph by groups: what a selection picks, recall
 * beside that of one at a time, the order that waiting rows are put in, and
 * what is left of it when it is broken off.
 *
 * usage: test_group [VECTORS.npy]	(default: the demo's, or made up ones)
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include <pthread.h>

#include <linux/vexfs.h>

#include "coll_mem.h"
#include "hnsw_fixture.h"
#include "hnsw_priv.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define ROWS	2500u
#else
#define ROWS	8000u
#endif

static const char *const levels[] = { "sse2", "avx2", "avx512" };

/* The rule itself: nearer to where it is counted from than to any picked. */
static void test_pick(u8 metric, const char *name)
{
	enum { N = 150, WANT = 40 };
	struct coll *c = coll_of(metric, N + 1, 16, 40);
	u32 keys[N], left_keys[N], order[N], other, got, i, j, want = 0;
	const void *codes[N], *left[N], *naive[WANT];
	bool bad;

	vexfs_query_from_code(&c->sp, vexfs_graph_code(&c->g, N), c->s->query);
	for (i = 0; i < N; i++)
		codes[i] = vexfs_graph_code(&c->g, i);
	vexfs_dist_codes(&c->sp, c->s->query, codes, N, keys);
	memcpy(left, codes, sizeof(left));
	memcpy(left_keys, keys, sizeof(left_keys));
	got = vexfs_pick_codes(&c->sp, c->s->other, left, left_keys, N, WANT,
			       order);
	for (i = 0; i < N && want < WANT; i++) {
		vexfs_query_from_code(&c->sp, codes[i], c->s->query);
		for (j = 0, bad = false; j < want && !bad; j++) {
			vexfs_dist_codes(&c->sp, c->s->query, naive + j, 1,
					 &other);
			bad = other < keys[i];
		}
		if (bad)
			continue;
		CHECK(want < got && order[want] == i, "pick %u", want);
		naive[want++] = codes[i];
	}
	CHECK(got == want && got > 3, "%u picked, not %u", got, want);
	vt_done("a selection", name);
	coll_free(c);
}

static void insert_group(struct coll *c, const u32 *slots, u32 n)
{
	const void *rows[VEXFS_GRAPH_GROUP];
	u32 i, done;
	int err;

	for (i = 0; i < n; i++) {
		c->vec[slots[i]] = slots[i];
		memcpy(row_of(c, slots[i]),
		       words.v + (size_t)slots[i] * words.dims,
		       c->sp.row_bytes);
		rows[i] = row_of(c, slots[i]);
	}
	err = vexfs_graph_insert_group(&c->g, slots, rows, n, c->s, &done);
	CHECK(!err && done == n, "%d, %u of %u", err, done, n);
	for (i = 0; i < n; i++)
		*flags_of(c, slots[i]) |= LIVE;
}

/* Slots in an order in which near ones follow each other, more or less. */
static u32 *near_order(u32 n)
{
	u32 *order = malloc(n * sizeof(*order)), i, j, best;
	double d, nearest;
	size_t k;

	for (i = 0; i < n; i++)
		order[i] = i;
	for (i = 1; i < n; i++) {
		const float *was = words.v + (size_t)order[i - 1] * words.dims;

		/* The nearest of a few hundred. */
		nearest = INFINITY;
		best = i;
		for (j = i; j < min(n, i + 300); j++) {
			const float *v = words.v +
					 (size_t)order[j] * words.dims;

			for (d = 0, k = 0; k < words.dims; k++)
				d += (was[k] - v[k]) * (was[k] - v[k]);
			if (d < nearest) {
				nearest = d;
				best = j;
			}
		}
		swap(order[i], order[best]);
	}
	return order;
}

/* Whatever is in a group: near rows, or any. */
static void test_recall(bool near, const char *name)
{
	struct coll *c = coll_new(VEXFS_METRIC_COSINE, ROWS, 16, 100);
	struct coll *alone = coll_of(VEXFS_METRIC_COSINE, ROWS, 16, 100);
	u32 *order = near ? near_order(ROWS) : malloc(ROWS * sizeof(u32)), i;
	double groups, one;
	char text[100];

	for (i = 0; !near && i < ROWS; i++)
		order[i] = i;
	for (i = 0; i < ROWS; i += VEXFS_GRAPH_GROUP)
		insert_group(c, order + i, min(VEXFS_GRAPH_GROUP, ROWS - i));
	check_links(c, false);
	check_linked(c);
	CHECK(c->g.nodes == ROWS, "%u nodes", c->g.nodes);
	groups = recall(c, 200, 64, NULL, LIVE);
	one = recall(alone, 200, 64, NULL, LIVE);
	CHECK(groups >= one - 0.01, "recall %.4f, one by one %.4f", groups,
	      one);
	CHECK(found_by_itself(c, 100, 1) >= 0.998, "%.5f by themselves",
	      found_by_itself(c, 100, 1));
	snprintf(text, sizeof(text), "%s: recall %.4f, one by one %.4f", name,
		 groups, one);
	vt_done("rows in groups,", text);
	free(order);
	coll_free(c);
	coll_free(alone);
}

/* One that is there already ends the group; those before it are in. */
static void test_refused(void)
{
	struct coll *c = coll_of(VEXFS_METRIC_L2, 100, 8, 40);
	u32 slots[4] = { 100, 101, 50, 102 }, done, i;
	struct coll *d = coll_new(VEXFS_METRIC_L2, 200, 8, 40);
	const void *rows[4];

	for (i = 0; i < 100; i++)
		insert(d, i, i);
	for (i = 0; i < 4; i++)
		rows[i] = words.v + slots[i] * words.dims;
	CHECK(vexfs_graph_insert_group(&d->g, slots, rows, 4, d->s, &done) ==
	      -EEXIST, "an old slot was taken");
	CHECK(done == 2 && vexfs_graph_has(&d->g, 101) &&
	      !vexfs_graph_has(&d->g, 102), "%u done", done);
	slots[0] = 200;
	CHECK(vexfs_graph_insert_group(&d->g, slots, rows, 1, d->s, &done) ==
	      -EINVAL && !done, "a slot that isn't reserved");
	vt_done("a group that can't be added whole", NULL);
	coll_free(c);
	coll_free(d);
}

/* Many rows wait in a collection. */
static void bulk_open(struct mem_coll *m)
{
	struct vexfs_coll_config cfg = {
		.dims = (u32)words.dims, .elem = VEXFS_ELEM_F32,
		.metric = VEXFS_METRIC_COSINE, .index = VEXFS_INDEX_HNSW,
		.m = 16, .ef_construction = 100, .owner = 5, .seed = 3,
	};
	u32 i, n;

	if (mem_create(m, &cfg, ROWS + 64))
		abort();
	for (i = 0; i < ROWS; i += n) {
		n = min(ROWS - i, 500u);
		if (mem_insert(m, NULL, n, 0,
			       words.v + (size_t)i * words.dims, NULL))
			abort();
	}
}

/* How many of the rows are found by themselves, as the nearest. */
static double bulk_found(struct mem_coll *m, u32 *mode)
{
	struct vexfs_coll_searcher *s = vexfs_coll_searcher_alloc(m->coll);
	struct vexfs_coll_result res;
	struct vexfs_coll_hit hit;
	u32 i, found = 0, tried = 0;

	for (i = 1; i < ROWS; i += 7, tried++) {
		if (vexfs_coll_search(s, words.v + (size_t)i * words.dims, 1,
				      64, 0, &hit, &res))
			abort();
		/* Not all words differ. */
		found += res.count == 1 &&
			 (hit.id == i ||
			  !memcmp(words.v + (size_t)hit.id * words.dims,
				  words.v + (size_t)i * words.dims,
				  words.dims * sizeof(float)));
		*mode = res.mode;
	}
	vexfs_coll_searcher_free(s);
	return (double)found / tried;
}

static void *bulk_thread(void *arg)
{
	struct mem_coll *m = arg;
	long left;

	do {
		left = vexfs_coll_index(m->coll, 32);
	} while (left > 0);
	return NULL;
}

/* By some tasks at a time, and some of the rows deleted while they wait. */
static void test_bulk(void)
{
	u32 gone[] = { 3, 777, 778, 2000 }, i, mode = 0;
	struct vexfs_coll_stat stat;
	pthread_t thread[2];
	struct mem_coll m;
	double found;
	char text[64];
	u64 id;

	bulk_open(&m);
	for (i = 0; i < ARRAY_SIZE(gone); i++) {
		u32 n;

		id = gone[i];
		if (vexfs_coll_delete(m.coll, &id, 1, 0, &n))
			abort();
	}
	CHECK(vexfs_coll_index(m.coll, 1) > ROWS / 2, "nothing waits");
	for (i = 0; i < 2; i++)
		if (pthread_create(thread + i, NULL, bulk_thread, &m))
			abort();
	for (i = 0; i < 2; i++)
		pthread_join(thread[i], NULL);
	mem_commit(&m, 0);
	CHECK(!mem_settle(&m), "settle");
	vexfs_coll_stat(m.coll, &stat);
	CHECK(stat.live == ROWS - ARRAY_SIZE(gone) && !stat.pending,
	      "%llu vectors, %llu pending", (unsigned long long)stat.live,
	      (unsigned long long)stat.pending);
	found = bulk_found(&m, &mode);
	CHECK(mode == VEXFS_MODE_GRAPH, "mode %u", mode);
	CHECK(found >= 0.995, "%.4f found", found);
	CHECK(!mem_checkpoint(&m, 0), "checkpoint");
	mem_close(&m);
	CHECK(!mem_open(&m), "open");
	CHECK(bulk_found(&m, &mode) == found, "another result afterwards");
	snprintf(text, sizeof(text), "%u, %.4f found by themselves", ROWS,
		 found);
	vt_done("many rows wait:", text);
	mem_destroy(&m);
}

enum { OLD = 9000, LATE = 4400, TAIL_DIMS = 8 };

/* Of the rows that came late, how many are not the nearest to themselves. */
static u32 late_missing(struct mem_coll *m, const float *rows, u32 gone)
{
	struct vexfs_coll_searcher *s = vexfs_coll_searcher_alloc(m->coll);
	struct vexfs_coll_result res;
	struct vexfs_coll_hit hit;
	u32 i, missing = 0;

	for (i = OLD; i < OLD + LATE; i += 11) {
		if (vexfs_coll_search(s, rows + (size_t)i * TAIL_DIMS, 1, 16,
				      0, &hit, &res))
			abort();
		CHECK(res.mode == VEXFS_MODE_GRAPH, "mode %u", res.mode);
		missing += (res.count != 1 || hit.id != i) != (i == gone);
	}
	vexfs_coll_searcher_free(s);
	return missing;
}

/* So many wait that they are not looked for in the list of those that do. */
static void test_long_tail(void)
{
	struct vexfs_coll_config cfg = {
		.dims = TAIL_DIMS, .elem = VEXFS_ELEM_F32,
		.metric = VEXFS_METRIC_L2, .index = VEXFS_INDEX_HNSW,
		.m = 4, .ef_construction = 16, .owner = 5, .seed = 3,
	};
	float *rows = calloc((OLD + LATE) * TAIL_DIMS, sizeof(*rows));
	const u32 gone = OLD + 11 * 7;
	u64 rnd = 5, id = gone;
	struct mem_coll m;
	u32 i, n;

	for (i = 0; i < (OLD + LATE) * TAIL_DIMS; i++)
		rows[i] = vt_uniform(&rnd);
	if (mem_create(&m, &cfg, OLD + LATE + 64) ||
	    mem_insert(&m, NULL, OLD, 0, rows, NULL) || mem_settle(&m) ||
	    mem_insert(&m, NULL, LATE, 0, rows + OLD * TAIL_DIMS, NULL))
		abort();
	CHECK(!late_missing(&m, rows, 0), "rows that wait are missing");
	if (vexfs_coll_delete(m.coll, &id, 1, 0, &n))
		abort();
	CHECK(!late_missing(&m, rows, gone), "one is deleted");
	/* They are put in order, and the first are taken in. */
	CHECK(vexfs_coll_index(m.coll, 1) > 4096, "nothing waits");
	CHECK(!late_missing(&m, rows, gone), "in another order");
	vt_done("a long tail", NULL);
	mem_destroy(&m);
	free(rows);
}

/* A task that is killed while it sorts leaves all as it was. */
static void test_killed(void)
{
	struct vexfs_coll_stat stat;
	struct mem_coll m;
	u32 mode;

	bulk_open(&m);
	m.killed = true;
	CHECK(vexfs_coll_index(m.coll, 10) == -EINTR, "it went on");
	vexfs_coll_stat(m.coll, &stat);
	CHECK(stat.pending == ROWS, "%llu pending",
	      (unsigned long long)stat.pending);
	m.killed = false;
	CHECK(!mem_settle(&m), "settle");
	CHECK(bulk_found(&m, &mode) >= 0.995, "rows are missing");
	vt_done("sorting is broken off", NULL);
	mem_destroy(&m);
}

int main(int argc, char **argv)
{
	const char *file = argc > 1 ? argv[1] :
			   "demo/glove20k/vectors.npy";
	size_t l;

	vexfs_simd_init(NULL);
	if (vecfile_load(&words, file, 0)) {
		printf("# %s can't be read: made up vectors instead\n", file);
		if (vecfile_random(&words, 20000, 100, 500, 3))
			return 1;
	}
	for (l = 0; l < ARRAY_SIZE(levels); l++) {
		if (vexfs_simd_init(levels[l]))
			continue;
		test_pick(VEXFS_METRIC_L2, levels[l]);
		test_pick(VEXFS_METRIC_L1, levels[l]);
		test_pick(VEXFS_METRIC_COSINE, levels[l]);
	}
	vexfs_simd_init(NULL);
	test_recall(true, "near ones");
	test_recall(false, "any");
	test_refused();
	test_bulk();
	test_killed();
	test_long_tail();
	vecfile_free(&words);
	return vt_exit();
}

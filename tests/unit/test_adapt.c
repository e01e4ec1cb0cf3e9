// SPDX-License-Identifier: GPL-2.0
/*
 * Collections of many dimensions, whose index makes sign codes for itself as
 * they grow: recall beside exact results before and after, when vectors come
 * that lie elsewhere, when many are deleted, after the collection was closed,
 * and beside searches.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include <pthread.h>
#include <sched.h>
#include <unistd.h>

#include <linux/vexfs.h>

#include "coll_mem.h"
#include "coll_priv.h"
#include "hnsw_priv.h"
#include "sign_priv.h"
#include "vtest.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define ROWS	1600u
#else
#define ROWS	5000u
#endif
#define DIMS	400u
/* Of a sign code of so many dimensions */
#define SIGN_BYTES	128u
#define LOCAL	12u
#define CLUSTERS 24u
#define QUERIES	100u
#define K	10u

static u64 rnd = 1;

static float normal(void)
{
	double sum = 0;
	int i;

	for (i = 0; i < 12; i++)
		sum += (double)(vt_random(&rnd) >> 11) / 0x1p53;
	return (float)(sum - 6);
}

/* Clusters in some directions of their own, all of them @away. */
struct source {
	float	centre[CLUSTERS][DIMS];
	float	map[CLUSTERS][LOCAL][DIMS];
};

static struct source *source_new(float away)
{
	struct source *s = calloc(1, sizeof(*s));
	u32 i, l, d;

	for (i = 0; i < CLUSTERS; i++) {
		for (d = 0; d < DIMS; d++)
			s->centre[i][d] = 1.5f * normal() + away;
		for (l = 0; l < LOCAL; l++)
			for (d = 0; d < DIMS; d++)
				s->map[i][l][d] = 0.3f * normal();
	}
	return s;
}

static void draw(const struct source *s, float *row)
{
	u32 c = (u32)(vt_random(&rnd) % CLUSTERS), l, d;

	memcpy(row, s->centre[c], sizeof(s->centre[c]));
	for (l = 0; l < LOCAL; l++) {
		float x = normal();

		for (d = 0; d < DIMS; d++)
			row[d] += x * s->map[c][l][d];
	}
}

static void put_rows(struct mem_coll *m, const struct source *s, u32 n)
{
	float (*rows)[DIMS] = malloc(n * sizeof(*rows));
	u32 i;

	for (i = 0; i < n; i++)
		draw(s, rows[i]);
	if (mem_insert(m, NULL, n, 0, rows, NULL))
		abort();
	free(rows);
}

static void add_rows(struct mem_coll *m, const struct source *s, u32 n,
		     u32 at_once)
{
	u32 now;

	for (; n; n -= now) {
		now = min(n, at_once);
		put_rows(m, s, now);
		if (mem_settle(m))
			abort();
	}
}

/* Of the true neighbours, how many are found. */
static double recall(struct mem_coll *m, const struct source *s, u32 ef)
{
	struct vexfs_coll_searcher *sr = vexfs_coll_searcher_alloc(m->coll);
	struct vexfs_coll_hit hit[K], exact[K];
	struct vexfs_coll_result res;
	u32 i, j, q, found = 0;
	u64 seed = rnd;
	float row[DIMS];

	rnd = 77;
	for (q = 0; q < QUERIES; q++) {
		draw(s, row);
		if (vexfs_coll_search(sr, row, K, ef, 0, hit, &res) ||
		    res.mode != VEXFS_MODE_GRAPH ||
		    vexfs_coll_search(sr, row, K, 0, VEXFS_COLL_EXACT, exact,
				      &res))
			abort();
		for (i = 0; i < K; i++)
			for (j = 0; j < K; j++)
				found += hit[j].id == exact[i].id;
	}
	rnd = seed;
	vexfs_coll_searcher_free(sr);
	return (double)found / (QUERIES * K);
}

static void coll_new(struct mem_coll *m, u8 metric)
{
	struct vexfs_coll_config cfg = {
		.index = VEXFS_INDEX_HNSW, .elem = VEXFS_ELEM_F32,
		.metric = metric, .dims = DIMS, .m = 16,
		.ef_construction = 80,
	};

	if (mem_create(m, &cfg, 4 * ROWS))
		abort();
}

static const struct vexfs_graph_signs *signs_of(const struct mem_coll *m)
{
	return m->coll->graph.signs;
}

/* It is the code that is made with the centre that it names. */
static void check_sign(const struct vexfs_graph *g, u32 slot, const void *sign,
		       struct vexfs_query *q)
{
	u8 want[SIGN_BYTES] __aligned(64);

	if (g->sp.sign_bytes != SIGN_BYTES)
		abort();
	vexfs_sign_encode(&g->sp, &g->signs->table, vexfs_graph_code(g, slot),
			  vexfs_sign_factors(&g->sp, sign)->centre, q, want);
	CHECK(!memcmp(sign, want, g->sp.sign_bytes), "slot %u has another code",
	      slot);
}

/* Each node has a sign code, which is where links to it say. */
static void check_places(const struct mem_coll *m)
{
	const struct vexfs_graph *g = &m->coll->graph;
	const struct vexfs_graph_signs *signs = g->signs;
	struct vexfs_query *q = aligned_alloc(64, ALIGN(g->sp.query_bytes, 64u));
	u8 *used = calloc(g->slots, 1);
	u32 i, j;

	for (i = 0; i < g->slots; i++) {
		u32 place = *(u32 *)vexfs_arena_item(&signs->place, i);
		const __le32 *links = vexfs_graph_links(g, i, 0);
		const u32 *to = vexfs_arena_item(&signs->to, place);

		CHECK(place < g->slots && !used[place], "slot %u at %u", i,
		      place);
		if (place < g->slots)
			used[place] = 1;
		if (!vexfs_graph_present(g, i))
			continue;
		check_sign(g, i, vexfs_arena_item(&signs->codes, place), q);
		for (j = 0; j < 2 * g->m && links[j]; j++) {
			u32 link = le32_to_cpu(links[j]) - 1;

			CHECK(to[j] == *(u32 *)vexfs_arena_item(&signs->place,
								link) + 1,
			      "link %u of %u", j, i);
		}
		CHECK(j == 2 * g->m || !to[j], "%u has no end", i);
	}
	free(used);
	free(q);
}

static void test_growth(u8 metric, const char *name)
{
	struct source *s = source_new(0);
	struct mem_coll m;
	double before, after;
	u64 memory;
	char text[80];

	coll_new(&m, metric);
	add_rows(&m, s, 1000, 50);
	CHECK(!signs_of(&m), "sign codes of few nodes");
	before = recall(&m, s, 48);
	memory = vexfs_graph_memory(&m.coll->graph);
	add_rows(&m, s, 100, 50);
	CHECK(signs_of(&m), "no sign codes");
	CHECK(vexfs_graph_memory(&m.coll->graph) > memory,
	      "they take no memory");
	add_rows(&m, s, ROWS - 1100, 400);
	check_places(&m);
	after = recall(&m, s, 48);
	CHECK(before >= 0.97 && after >= 0.97, "recall %.3f, %.3f", before,
	      after);
	CHECK(signs_of(&m)->nodes * 4 > ROWS, "the centres are those of %u",
	      signs_of(&m)->nodes);
	snprintf(text, sizeof(text), "%s: recall %.3f, %.3f", name, before,
		 after);
	vt_done("growth,", text);
	mem_destroy(&m);
	free(s);
}

/* What waits from the start is taken in by groups. */
static void test_bulk(void)
{
	struct source *s = source_new(0);
	struct mem_coll m;
	double after;
	char text[80];

	coll_new(&m, VEXFS_METRIC_L2);
	add_rows(&m, s, 1100, 1100);
	add_rows(&m, s, ROWS + 1500, ROWS + 1500);
	check_places(&m);
	after = recall(&m, s, 48);
	CHECK(after >= 0.96, "recall %.3f", after);
	snprintf(text, sizeof(text), "recall %.3f", after);
	vt_done("rows that waited,", text);
	mem_destroy(&m);
	free(s);
}

/* Vectors that are elsewhere are noticed, and found before and after. */
static void test_drift(void)
{
	struct source *s = source_new(0), *other = source_new(20);
	double old, new, more;
	struct mem_coll m;
	char text[80];
	u32 nodes;

	coll_new(&m, VEXFS_METRIC_L2);
	add_rows(&m, s, 1100, 100);
	nodes = signs_of(&m)->nodes;
	add_rows(&m, other, 70, 70);
	CHECK(signs_of(&m)->nodes == nodes, "new centres at once");
	CHECK(signs_of(&m)->far == 70, "%u are far", signs_of(&m)->far);
	more = recall(&m, other, 48);
	add_rows(&m, other, 100, 100);
	CHECK(signs_of(&m)->nodes > nodes, "no new centres");
	CHECK(!signs_of(&m)->far, "%u are far", signs_of(&m)->far);
	add_rows(&m, other, 400, 100);
	old = recall(&m, s, 48);
	new = recall(&m, other, 48);
	CHECK(old >= 0.97 && new >= 0.97 && more >= 0.97,
	      "recall %.3f, %.3f, %.3f", old, more, new);
	snprintf(text, sizeof(text), "recall %.3f, %.3f, %.3f", old, more, new);
	vt_done("vectors elsewhere,", text);
	mem_destroy(&m);
	free(s);
	free(other);
}

/* Of slots that are not nodes there is nothing left. */
static void check_gone(const struct mem_coll *m)
{
	const struct vexfs_graph *g = &m->coll->graph;
	const u8 *code;
	u32 i, j, place;

	for (i = 0; i < g->slots; i++) {
		if (vexfs_graph_present(g, i))
			continue;
		place = *(u32 *)vexfs_arena_item(&g->signs->place, i);
		code = vexfs_arena_item(&g->signs->codes, place);
		for (j = 0; j < g->sp.sign_bytes && !code[j]; j++)
			;
		CHECK(j == g->sp.sign_bytes, "slot %u", i);
	}
}

/* Deleted ones leave no trace; slots are used again. */
static void test_delete(void)
{
	struct source *s = source_new(0), *other = source_new(-5);
	struct mem_coll m;
	u32 i, n;
	u64 id;

	coll_new(&m, VEXFS_METRIC_L2);
	add_rows(&m, s, 1500, 500);
	for (i = 0; i < 1500; i++) {
		id = i;
		if (i % 3 == 0 && vexfs_coll_delete(m.coll, &id, 1, 0, &n))
			abort();
	}
	mem_commit(&m, 0);
	CHECK(!mem_settle(&m), "settle");
	CHECK(recall(&m, s, 64) >= 0.95, "recall %.3f", recall(&m, s, 64));
	check_places(&m);
	check_gone(&m);
	add_rows(&m, other, 900, 300);
	check_places(&m);
	CHECK(recall(&m, s, 64) >= 0.95, "recall %.3f", recall(&m, s, 64));
	CHECK(recall(&m, other, 64) >= 0.95, "recall %.3f",
	      recall(&m, other, 64));
	vt_done("vectors that are deleted", NULL);
	mem_destroy(&m);
	free(s);
	free(other);
}

/* They aren't on disk; until they are there again the codes do. */
static void test_reopen(void)
{
	struct source *s = source_new(0);
	double before, without, after;
	struct mem_coll m;

	coll_new(&m, VEXFS_METRIC_COSINE);
	add_rows(&m, s, 1500, 300);
	before = recall(&m, s, 48);
	mem_commit(&m, 0);
	CHECK(!mem_checkpoint(&m, 0), "checkpoint");
	mem_close(&m);
	CHECK(!mem_open(&m), "open");
	CHECK(!signs_of(&m), "sign codes from nowhere");
	without = recall(&m, s, 48);
	CHECK(!mem_settle(&m), "settle");
	CHECK(signs_of(&m), "no sign codes");
	check_places(&m);
	after = recall(&m, s, 48);
	CHECK(before >= 0.97 && without >= 0.97 && after >= 0.97,
	      "recall %.3f, %.3f, %.3f", before, without, after);
	vt_done("a collection that is opened again", NULL);
	mem_destroy(&m);
	free(s);
}

struct beside {
	struct mem_coll *m;
	const struct source *s;
	int	stop;
	u32	searches;
};

static void *search_thread(void *arg)
{
	struct beside *b = arg;

	while (!__atomic_load_n(&b->stop, __ATOMIC_ACQUIRE)) {
		struct vexfs_coll_searcher *sr =
			vexfs_coll_searcher_alloc(b->m->coll);
		struct vexfs_coll_result res;
		struct vexfs_coll_hit hit[K];
		u32 i;

		for (i = 0; i < 20; i++) {
			if (vexfs_coll_search(sr, b->s->centre[i % CLUSTERS],
					      K, 32, 0, hit, &res) ||
			    res.count != K)
				abort();
			__atomic_fetch_add(&b->searches, 1, __ATOMIC_RELEASE);
		}
		vexfs_coll_searcher_free(sr);
	}
	return NULL;
}

static void test_beside(void)
{
	struct source *s = source_new(0);
	struct beside b = { .s = s };
	struct mem_coll m;
	pthread_t thread;

	coll_new(&m, VEXFS_METRIC_L2);
	add_rows(&m, s, 900, 300);
	b.m = &m;
	if (pthread_create(&thread, NULL, search_thread, &b))
		abort();
	while (!__atomic_load_n(&b.searches, __ATOMIC_ACQUIRE))
		sched_yield();
	add_rows(&m, s, 1000, 20);
	__atomic_store_n(&b.stop, 1, __ATOMIC_RELEASE);
	pthread_join(thread, NULL);
	CHECK(signs_of(&m), "no sign codes");
	check_places(&m);
	CHECK(recall(&m, s, 48) >= 0.97, "recall %.3f", recall(&m, s, 48));
	vt_done("searches beside all that", NULL);
	mem_destroy(&m);
	free(s);
}

/*
 * Rows that come faster than they are indexed: the codes are made while most of
 * them still wait, not when all are in.
 */
static void test_keeps_up(void)
{
	struct source *s = source_new(0);
	const u32 rows = 6000;
	struct mem_coll m;
	long left;

	coll_new(&m, VEXFS_METRIC_L2);
	put_rows(&m, s, rows);
	do {
		left = vexfs_coll_index(m.coll, 64);
		if (left < 0 || vexfs_coll_tend(m.coll) < 0)
			abort();
	} while (left);
	CHECK(signs_of(&m), "no sign codes");
	CHECK(signs_of(&m)->nodes * 4 > rows, "the centres are those of %u",
	      signs_of(&m)->nodes);
	vt_done("while rows wait", NULL);
	mem_destroy(&m);
	free(s);
}

/* Rows that come between the steps, in each turn that takes several. */
static void test_between(void)
{
	struct source *s = source_new(0);
	struct mem_coll m;
	int left;

	coll_new(&m, VEXFS_METRIC_L2);
	m.coll->graph.adapt_from = UINT32_MAX;
	/*
	 * So many that the last turns take two steps, and that the last row in
	 * each comes when there is nothing left of its turn but the end.
	 */
	add_rows(&m, s, 3900, 300);
	m.coll->graph.adapt_from = 0;
	do {
		left = vexfs_coll_tend(m.coll);
		put_rows(&m, s, 1);
		if (left < 0 || vexfs_coll_index(m.coll, 1) < 0)
			abort();
	} while (left);
	CHECK(signs_of(&m), "no sign codes");
	check_places(&m);
	CHECK(recall(&m, s, 48) >= 0.97, "recall %.3f", recall(&m, s, 48));
	vt_done("rows that come between", NULL);
	mem_destroy(&m);
	free(s);
}

static void *tend_thread(void *arg)
{
	struct beside *b = arg;

	while (!__atomic_load_n(&b->stop, __ATOMIC_ACQUIRE)) {
		if (vexfs_coll_index(b->m->coll, 16) < 0 ||
		    vexfs_coll_tend(b->m->coll) < 0)
			abort();
		__atomic_fetch_add(&b->searches, 1, __ATOMIC_RELEASE);
	}
	return NULL;
}

/* Codes are made by several tasks, while rows are taken in by the others. */
static void test_shared(void)
{
	struct source *s = source_new(0);
	struct beside b = { .s = s };
	pthread_t thread[3];
	struct mem_coll m;
	u32 i;

	coll_new(&m, VEXFS_METRIC_L2);
	add_rows(&m, s, 1000, 500);
	b.m = &m;
	for (i = 0; i < ARRAY_SIZE(thread); i++)
		if (pthread_create(thread + i, NULL, tend_thread, &b))
			abort();
	while (!__atomic_load_n(&b.searches, __ATOMIC_ACQUIRE))
		sched_yield();
	/* So many that they are made again; the others take them in. */
	for (i = 0; i < 34; i++) {
		put_rows(&m, s, 100);
		usleep(2000);
	}
	__atomic_store_n(&b.stop, 1, __ATOMIC_RELEASE);
	for (i = 0; i < ARRAY_SIZE(thread); i++)
		pthread_join(thread[i], NULL);
	CHECK(!mem_settle(&m), "settle");
	CHECK(signs_of(&m) && signs_of(&m)->nodes > 4000, "made once");
	check_places(&m);
	CHECK(recall(&m, s, 48) >= 0.97, "recall %.3f", recall(&m, s, 48));
	vt_done("made by several tasks", NULL);
	mem_destroy(&m);
	free(s);
}

/* Without memory the graph stays as it is, and tries again when it is larger. */
static void test_no_memory(void)
{
	struct source *s = source_new(0);
	struct mem_coll m;
	char text[80];
	int fail, got;

	coll_new(&m, VEXFS_METRIC_L2);
	add_rows(&m, s, 1000, 50);
	for (fail = 1; ; fail++) {
		m.coll->graph.adapt_from = UINT32_MAX;
		add_rows(&m, s, 30, 30);
		m.coll->graph.adapt_from = 0;
		kshim_fail_alloc = fail;
		got = vexfs_coll_tend(m.coll);
		if (kshim_fail_alloc)
			break;
		CHECK(!got, "%d at allocation %d", got, fail);
		CHECK(!m.coll->graph.adapt, "half of it, allocation %d", fail);
		CHECK(!vexfs_coll_tend(m.coll), "at once again");
		CHECK(recall(&m, s, 48) >= 0.97, "recall %.3f",
		      recall(&m, s, 48));
	}
	kshim_fail_alloc = 0;
	CHECK(got == 1 && m.coll->graph.adapt, "%d with all memory", got);
	CHECK(!mem_settle(&m) && signs_of(&m), "no sign codes");
	check_places(&m);
	snprintf(text, sizeof(text), "%d allocations failed", fail - 1);
	vt_done("no memory,", text);
	mem_destroy(&m);
	free(s);
}

int main(void)
{
	vexfs_simd_init(NULL);
	test_growth(VEXFS_METRIC_L2, "L2");
	test_growth(VEXFS_METRIC_COSINE, "cosine");
	test_growth(VEXFS_METRIC_IP, "inner product");
	test_bulk();
	test_drift();
	test_delete();
	test_reopen();
	test_beside();
	test_keeps_up();
	test_between();
	test_shared();
	test_no_memory();
	return vt_exit();
}

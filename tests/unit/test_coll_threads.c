// SPDX-License-Identifier: GPL-2.0
/*
 * Searches while others insert, replace, delete, index, commit and take
 * checkpoints. Of the vectors there is a small cluster, whose ids are
 * replaced all the time but are all there at each moment, and far away from
 * it a crowd that comes and goes; a few blink, gone and back many times
 * during a single search.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include <linux/vexfs.h>

#include <unistd.h>

#include "coll_mem.h"
#include "simd.h"
#include "vtest.h"

#define DIMS	16u
#define CLUSTER	12u
#define CROWD	3000u
#define CROWD_AT 1000u
#define BLINK	8u
#define BLINK_AT 100u

static struct mem_coll m;
static pthread_mutex_t commit_lock = PTHREAD_MUTEX_INITIALIZER;
static int stop;
static u32 errors;
static u32 searches, graph_searches, missed, replaced, deletes, checkpoints;

/* Threads count; the checks are reported by the main one. */
#define EXPECT(cond, ...) do {						\
	if (!(cond) && __atomic_fetch_add(&errors, 1, __ATOMIC_RELAXED) < 5) { \
		printf("# %s:%d: %s: ", __FILE__, __LINE__, #cond);	\
		printf(__VA_ARGS__);					\
		printf("\n");						\
	}								\
} while (0)

static bool stopped(void)
{
	return __atomic_load_n(&stop, __ATOMIC_RELAXED);
}

/* Around (100, 0, 0 ...), at most 16 away. */
static void cluster_row(u64 *rng, float *row)
{
	u32 i;

	for (i = 0; i < DIMS; i++)
		row[i] = (float)((int)(vt_random(rng) % 9) - 4);
	row[0] += 100;
}

/* At least 90 away from the cluster, from where all zeroes are as well. */
static void crowd_row(u64 *rng, float *row)
{
	u32 i;

	for (i = 0; i < DIMS; i++)
		row[i] = (float)((int)(vt_random(rng) % 101) - 50);
	row[0] = -(float)(vt_random(rng) % 100);
}

/* As far from both. */
static void blink_row(u64 *rng, float *row)
{
	cluster_row(rng, row);
	row[0] = 0;
	row[1] += 200;
}

static void put(u64 *rng, u64 first, u32 n, unsigned int flags,
		void (*make)(u64 *, float *))
{
	static __thread float rows[256][DIMS];
	u64 ids[256];
	u32 i;
	int err;

	for (i = 0; i < n; i++) {
		make(rng, rows[i]);
		ids[i] = first + i;
	}
	err = mem_insert(&m, ids, n, flags, rows, NULL);
	EXPECT(!err, "insert: %d", err);
	/* As an inserter does when the tail grows long */
	EXPECT(vexfs_coll_index(m.coll, 4) >= 0, "index");
}

static void *run_replace(void *arg)
{
	u64 rng = 1;

	while (!stopped()) {
		put(&rng, vt_random(&rng) % (CLUSTER - 3), 3,
		    VEXFS_COLL_UPSERT, cluster_row);
		replaced += 3;
		usleep(200);
	}
	return arg;
}

static void *run_crowd(void *arg)
{
	u64 rng = 2, at = 0, ids[200];
	u32 i, deleted;
	int err;

	while (!stopped()) {
		for (i = 0; i < 200; i++)
			ids[i] = CROWD_AT + at + i;
		err = vexfs_coll_delete(m.coll, ids, 200, 0, &deleted);
		EXPECT(!err && deleted == 200, "delete: %d, %u", err, deleted);
		put(&rng, CROWD_AT + at, 200, 0, crowd_row);
		at = (at + 200) % CROWD;
		deletes += 200;
		usleep(200);
	}
	return arg;
}

static void *run_blink(void *arg)
{
	u64 rng = 4, ids[BLINK];
	u32 i, deleted;

	for (i = 0; i < BLINK; i++)
		ids[i] = BLINK_AT + i;
	while (!stopped()) {
		put(&rng, BLINK_AT, BLINK, 0, blink_row);
		usleep(50);
		EXPECT(!vexfs_coll_delete(m.coll, ids, BLINK, 0, &deleted),
		       "delete");
	}
	return arg;
}

static void *run_worker(void *arg)
{
	long left;

	while (!stopped()) {
		left = vexfs_coll_index(m.coll, 64);
		EXPECT(left >= 0, "index: %ld", left);
		if (!left)
			usleep(100);
	}
	return arg;
}

static void *run_commit(void *arg)
{
	u64 rng = 3;

	while (!stopped()) {
		pthread_mutex_lock(&commit_lock);
		if (vt_random(&rng) % 8) {
			EXPECT(!mem_commit(&m, 0), "commit");
		} else {
			EXPECT(!mem_checkpoint(&m, 0), "checkpoint");
			checkpoints++;
		}
		pthread_mutex_unlock(&commit_lock);
		usleep(500);
	}
	return arg;
}

static float distance(const struct vexfs_coll_hit *hit)
{
	return vt_bits_to_float(vexfs_key_to_bits(hit->key));
}

static void check_order(const struct vexfs_coll_hit *hits, u32 n)
{
	u32 i, j;

	for (i = 1; i < n; i++) {
		EXPECT(hits[i - 1].key <= hits[i].key, "hit %u", i);
		for (j = 0; j < i; j++)
			EXPECT(hits[j].id != hits[i].id, "id %llu twice",
			       hits[i].id);
	}
}

/*
 * All of the cluster and nothing else, whatever is being replaced. Islands are
 * hard for a graph: it may miss some, which are only counted.
 */
static void search_cluster(struct vexfs_coll_searcher *s, u32 flags)
{
	float q[DIMS] = { 100 };
	struct vexfs_coll_hit hits[CLUSTER];
	struct vexfs_coll_result res;
	u32 i, strange = 0;
	int err;

	err = vexfs_coll_search(s, q, CLUSTER, 64, flags, hits, &res);
	EXPECT(!err && res.count == CLUSTER, "%d, %u hits", err, res.count);
	if (err)
		return;
	check_order(hits, res.count);
	for (i = 0; i < res.count; i++) {
		bool near = distance(hits + i) <= 16 * 16;

		/* A row of another vector, or zeroes, would tell */
		EXPECT(near == (hits[i].id < CLUSTER), "id %llu at %g",
		       hits[i].id, distance(hits + i));
		strange += !near;
	}
	if (res.mode == VEXFS_MODE_SCAN)
		EXPECT(!strange, "%u of the cluster missing", strange);
	__atomic_fetch_add(&missed, strange, __ATOMIC_RELAXED);
	__atomic_fetch_add(&searches, 1, __ATOMIC_RELAXED);
	__atomic_fetch_add(&graph_searches, res.mode == VEXFS_MODE_GRAPH,
			   __ATOMIC_RELAXED);
}

/* Those that blink are found once or not at all. */
static void search_blink(struct vexfs_coll_searcher *s, u32 flags)
{
	struct vexfs_coll_hit hits[2 * BLINK];
	struct vexfs_coll_result res;
	float q[DIMS] = { 0, 200 };
	int err;

	err = vexfs_coll_search(s, q, 2 * BLINK, 64, flags, hits, &res);
	EXPECT(!err && res.count == 2 * BLINK, "%d, %u hits", err, res.count);
	if (!err)
		check_order(hits, res.count);
}

/* Of the crowd all that is known is that these are real distances. */
static void search_crowd(struct vexfs_coll_searcher *s, u64 *rng)
{
	struct vexfs_coll_hit hits[50];
	struct vexfs_coll_result res;
	float q[DIMS];
	int err;

	crowd_row(rng, q);
	err = vexfs_coll_search(s, q, 50, 64, 0, hits, &res);
	EXPECT(!err && res.count == 50, "%d, %u hits", err, res.count);
	if (!err)
		check_order(hits, res.count);
}

static void *run_search(void *arg)
{
	struct vexfs_coll_searcher *s = vexfs_coll_searcher_alloc(m.coll);
	u64 rng = (u64)(size_t)arg;

	while (!stopped()) {
		search_cluster(s, vt_random(&rng) & 1 ? VEXFS_COLL_EXACT : 0);
		search_crowd(s, &rng);
		search_blink(s, vt_random(&rng) & 1 ? VEXFS_COLL_EXACT : 0);
	}
	vexfs_coll_searcher_free(s);
	return NULL;
}

static void setup(u8 index)
{
	struct vexfs_coll_config cfg = {
		.dims = DIMS, .elem = VEXFS_ELEM_F32, .index = index,
		.metric = VEXFS_METRIC_L2, .m = 8, .ef_construction = 48,
		.seed = 3,
	};
	u64 rng = 9;
	u32 i;

	if (mem_create(&m, &cfg, 1 << 20))
		abort();
	put(&rng, 0, CLUSTER, 0, cluster_row);
	for (i = 0; i < CROWD; i += 200)
		put(&rng, CROWD_AT + i, 200, 0, crowd_row);
	if (mem_settle(&m) || mem_commit(&m, 0))
		abort();
}

static void test_threads(u8 index, double seconds)
{
	void *(*run[])(void *) = { run_replace, run_crowd, run_blink,
				   run_worker, run_worker, run_commit, run_search,
				   run_search };
	pthread_t thread[ARRAY_SIZE(run)];
	struct vexfs_coll_stat st;
	char detail[100];
	char name[32];
	u32 i;

	setup(index);
	stop = 0;
	errors = 0;
	searches = 0;
	graph_searches = 0;
	missed = 0;
	replaced = 0;
	deletes = 0;
	checkpoints = 0;
	for (i = 0; i < ARRAY_SIZE(run); i++)
		if (pthread_create(thread + i, NULL, run[i],
				   (void *)(size_t)(i + 100)))
			abort();
	/* On a busy machine it takes longer until enough has happened */
	for (i = 0; i < 10; i++) {
		usleep(seconds * 1e6);
		if (__atomic_load_n(&checkpoints, __ATOMIC_RELAXED) > 8 &&
		    __atomic_load_n(&replaced, __ATOMIC_RELAXED) > 20)
			break;
	}
	__atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
	for (i = 0; i < ARRAY_SIZE(run); i++)
		pthread_join(thread[i], NULL);
	CHECK(!errors, "%u wrong", errors);
	vexfs_coll_stat(m.coll, &st);
	CHECK(st.live == CROWD + CLUSTER, "%llu live", st.live);
	CHECK(st.slots < CROWD + CLUSTER + replaced + deletes,
	      "%llu slots: none reused", st.slots);
	CHECK(searches && replaced && deletes && checkpoints, "idle threads");
	mem_destroy(&m);
	snprintf(detail, sizeof(detail),
		 "# %u searches (%u by graph, %u missed), %u replaced, %u deleted, %u checkpoints, %llu slots",
		 searches, graph_searches, missed, replaced, deletes,
		 checkpoints, st.slots);
	snprintf(name, sizeof(name), "threads, %s", mem_index_name(index));
	vt_done(name, detail);
}

int main(int argc, char **argv)
{
	double seconds = argc > 1 ? atof(argv[1]) : 1.5;

	if (vexfs_simd_init(NULL))
		return 1;
	test_threads(VEXFS_INDEX_FLAT, seconds);
	test_threads(VEXFS_INDEX_HNSW, seconds);
	test_threads(VEXFS_INDEX_LSH, seconds);
	return vt_exit();
}

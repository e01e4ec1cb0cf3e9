// SPDX-License-Identifier: GPL-2.0
/*
 * VexFS as an engine of the benchmark: the shared core, through the interface
 * of collections that the ioctls use. What comes back was ranked by full rows.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include <pthread.h>
#include <sched.h>

#include "../tests/unit/vtest.h"
#include "bench.h"
#include "store.h"

/* Rows of an insert, and those indexed between two looks at bench_stop. */
#define BATCH		1000u
#define STEP		64u
#define MAX_THREADS	64u
/* Queries of a search. */
#define MAX_BATCH	256u

struct searcher {
	struct vexfs_coll_searcher *s;
	const struct bench_data *d;
	struct vexfs_coll_hit hits[MAX_BATCH * BENCH_K];
	struct vexfs_coll_result res[MAX_BATCH];
};

struct index {
	struct store *st;
	const struct bench_data *d;
};

const unsigned int bench_efs[] = {
	10, 12, 14, 16, 20, 24, 28, 32, 40, 48, 64, 80, 96, 128, 160, 192, 256,
	320, 400, 512, 640, 800, 1000, 0
};

/* Threads that index while one of them inserts. */
struct build {
	struct store *st;
	/** @all: no more rows will come */
	bool	all;
	pthread_t thread[MAX_THREADS];
	unsigned int threads;
};

/* A little of all work there is; how many rows wait, or 1 for the rest of it. */
static long index_some(struct store *st)
{
	long left = vexfs_coll_index(st->coll, STEP), tend = left;

	if (left >= 0)
		tend = vexfs_coll_tend(st->coll);
	if (tend < 0 && !bench_stop) {
		fprintf(stderr, "bench: vexfs_coll_index: %ld\n", tend);
		exit(1);
	}
	return left ? left : tend;
}

static void *index_thread(void *arg)
{
	struct build *b = arg;
	bool all;
	long left;

	do {
		all = READ_ONCE(b->all);
		left = index_some(b->st);
		if (!left && !all)
			sched_yield();
	} while ((left > 0 || !all) && !bench_stop);
	return NULL;
}

/* The caller is one of the threads: index_upto() is its share. */
static void index_begin(struct build *b, struct store *st, unsigned int threads)
{
	unsigned int i;

	b->st = st;
	b->all = false;
	b->threads = threads < MAX_THREADS ? threads : MAX_THREADS;
	for (i = 1; i < b->threads; i++)
		if (pthread_create(b->thread + i, NULL, index_thread, b))
			exit(1);
}

/* Until no more than so many rows wait. */
static void index_upto(struct build *b, long waiting)
{
	long left;

	do {
		left = index_some(b->st);
	} while (left > waiting && !bench_stop);
}

static void index_end(struct build *b)
{
	unsigned int i;

	WRITE_ONCE(b->all, true);
	index_upto(b, 0);
	for (i = 1; i < b->threads; i++)
		pthread_join(b->thread[i], NULL);
}

static void *open_index(const struct bench_data *d,
			const struct bench_build *b,
			struct vexfs_coll_config cfg)
{
	/* What the others go on with while this one inserts. */
	const long waiting = b->threads > 1 ? BATCH / 2 : 0;
	struct vexfs_coll_config probe;
	struct build build;
	struct index *ix;
	size_t i, n;

	cfg.dims = (u32)d->dims;
	cfg.elem = d->elem;
	cfg.metric = d->metric;
	probe = cfg;
	if (vexfs_coll_config_check(&probe)) {
		bench_say("%s: no such collection can be made", d->name);
		return NULL;
	}
	ix = bench_must(calloc(1, sizeof(*ix)));
	ix->d = d;
	ix->st = store_create(&cfg, d->n, NULL);
	index_begin(&build, ix->st, b->bulk ? 1 : b->threads);
	for (i = 0; i < d->n && !bench_stop; i += n) {
		n = min_t(size_t, BATCH, d->n - i);
		if (store_insert(ix->st, d->rows + i * d->row_bytes, (u32)n) &&
		    !bench_stop) {
			fprintf(stderr, "bench: insert failed\n");
			exit(1);
		}
		if (!b->bulk)
			index_upto(&build, waiting);
	}
	if (b->bulk)
		index_begin(&build, ix->st, b->threads);
	index_end(&build);
	return ix;
}

static void *vexfs_open(const struct bench_data *d,
			const struct bench_build *b)
{
	return open_index(d, b, (struct vexfs_coll_config) {
		.index = VEXFS_INDEX_HNSW, .m = b->m,
		.ef_construction = b->efc,
	});
}

/* Each insert takes its rows in: nothing is left to index. */
static void *lsh_open(const struct bench_data *d, const struct bench_build *b)
{
	return open_index(d, b, (struct vexfs_coll_config) {
		.index = VEXFS_INDEX_LSH,
	});
}

static void vexfs_close(void *index)
{
	struct index *ix = index;

	store_free(ix->st);
	free(ix);
}

/* Ids, graph and codes; rows stay in the page cache, once. */
static uint64_t vexfs_memory(void *index)
{
	struct index *ix = index;
	struct vexfs_coll_stat stat;

	vexfs_coll_stat(ix->st->coll, &stat);
	return stat.memory;
}

/* As after an unmount: rows and a checkpoint. */
static uint64_t vexfs_disk(void *index)
{
	struct index *ix = index;

	if (store_checkpoint(ix->st)) {
		fprintf(stderr, "bench: checkpoint failed\n");
		exit(1);
	}
	return ix->st->len[STORE_ROWS] + ix->st->len[STORE_INDEX];
}

void *bench_vexfs_searcher(struct store *st, const struct bench_data *d)
{
	struct searcher *s = bench_must(calloc(1, sizeof(*s)));

	s->d = d;
	s->s = bench_must(vexfs_coll_searcher_alloc(st->coll));
	return s;
}

static void *vexfs_searcher(void *index)
{
	struct index *ix = index;

	return bench_vexfs_searcher(ix->st, ix->d);
}

static void vexfs_searcher_free(void *searcher)
{
	struct searcher *s = searcher;

	vexfs_coll_searcher_free(s->s);
	free(s);
}

static void vexfs_search(void *searcher, size_t first, size_t n,
			 unsigned int ef, u32 *ids)
{
	struct searcher *s = searcher;
	struct vexfs_coll_hit *hit = s->hits;
	size_t i, j;
	int err;

	err = n > MAX_BATCH ? -E2BIG :
	      vexfs_coll_search_many(s->s, s->d->query_rows +
				     first * s->d->row_bytes, (u32)n, BENCH_K,
				     ef, 0, hit, s->res);
	if (err && !bench_stop) {
		fprintf(stderr, "bench: vexfs_coll_search_many: %d\n", err);
		exit(1);
	}
	/* Ids are given from 0 on: they are the numbers of the rows. */
	for (i = 0; i < n; i++, ids += BENCH_K, hit += BENCH_K)
		for (j = 0; j < BENCH_K; j++)
			ids[j] = j < s->res[i].count ? (u32)hit[j].id :
				 UINT32_MAX;
}

#define VEXFS_ENGINE							\
	.close = vexfs_close,						\
	.memory = vexfs_memory, .disk = vexfs_disk,			\
	.searcher = vexfs_searcher, .searcher_free = vexfs_searcher_free, \
	.search = vexfs_search, .params = bench_efs

const struct bench_engine bench_vexfs = {
	.name = "vexfs-native", .open = vexfs_open, VEXFS_ENGINE,
};

const struct bench_engine bench_vexfs_lsh = {
	.name = "vexfs-native-lsh", .open = lsh_open, VEXFS_ENGINE,
};

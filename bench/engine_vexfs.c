// SPDX-License-Identifier: GPL-2.0
/*
 * VexFS as an engine of the benchmark: the shared core, through the interface
 * of collections that the ioctls use. What comes back was ranked by full rows.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include <pthread.h>

#include "../tests/unit/vtest.h"
#include "bench.h"
#include "store.h"

/* Rows of an insert, and those indexed between two looks at bench_stop. */
#define BATCH		1000u
#define STEP		64u
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

static void *index_thread(void *arg)
{
	struct store *st = arg;
	long left;
	int tend;

	do {
		left = vexfs_coll_index(st->coll, STEP);
		tend = left < 0 ? 0 : vexfs_coll_tend(st->coll);
	} while ((left > 0 || tend > 0) && !bench_stop);
	left = left ? left : tend;
	if (left < 0 && !bench_stop) {
		fprintf(stderr, "bench: vexfs_coll_index: %ld\n", left);
		exit(1);
	}
	return NULL;
}

static void index_all(struct store *st, unsigned int threads)
{
	pthread_t t[64];
	unsigned int i;

	for (i = 1; i < threads && i < 64; i++)
		if (pthread_create(t + i, NULL, index_thread, st))
			exit(1);
	index_thread(st);
	for (i = 1; i < threads && i < 64; i++)
		pthread_join(t[i], NULL);
}

static void *open_index(const struct bench_data *d,
			const struct bench_build *b,
			struct vexfs_coll_config cfg)
{
	struct vexfs_coll_config probe;
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
	for (i = 0; i < d->n && !bench_stop; i += n) {
		n = min_t(size_t, BATCH, d->n - i);
		if (store_insert(ix->st, d->rows + i * d->row_bytes, (u32)n) &&
		    !bench_stop) {
			fprintf(stderr, "bench: insert failed\n");
			exit(1);
		}
		if (!b->bulk)
			index_all(ix->st, b->threads);
	}
	index_all(ix->st, b->threads);
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

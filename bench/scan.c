// SPDX-License-Identifier: GPL-2.0
/*
 * Exact scans of one collection, one query at a time and in batches, beside
 * what the memory gives to a plain sum over the same rows and what OpenBLAS's
 * products of matrices give.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include "../tests/unit/vtest.h"
#include "bench.h"
#include "store.h"

#define BLOCK		2048u
#define MAX_BATCH	256u
#define MAX_ROUNDS	16u

static const unsigned int batches[] = { 1, 32, 256 };

#define BATCHES		(sizeof(batches) / sizeof(batches[0]))

struct scan {
	const struct bench_data *d;
	struct store *st;
	struct vexfs_coll_searcher *s;
	float	*half;			/* half the square of each row's norm */
	float	*dot;
	/** @gone: comparisons a second, of each round */
	double	vexfs[BATCHES][MAX_ROUNDS];
	double	blas[BATCHES][MAX_ROUNDS];
	double	sum[MAX_ROUNDS];	/* bytes a second */
};

struct best {
	float	dist[BENCH_K];
	uint32_t id[BENCH_K];
};

/* So that the sum is computed. */
static volatile uint64_t sink;

/* Reads each byte once, in as many streams as the compiler likes. */
static void plain_sum(const struct scan *sc)
{
	const uint64_t *p = (const uint64_t *)sc->st->data[STORE_ROWS];
	size_t n = sc->d->n * sc->st->cfg.stride / sizeof(*p), i, j;
	uint64_t sum[32] = { 0 };

	for (i = 0; i + 32 <= n; i += 32)
		for (j = 0; j < 32; j++)
			sum[j] += p[i + j];
	for (j = 0; j < 32; j++)
		sink += sum[j];
}

static void keep(struct best *b, float dist, uint32_t id)
{
	int i;

	for (i = BENCH_K - 1; i > 0 && b->dist[i - 1] > dist; i--) {
		b->dist[i] = b->dist[i - 1];
		b->id[i] = b->id[i - 1];
	}
	b->dist[i] = dist;
	b->id[i] = id;
}

/* As one would write it: products block by block, the ten best of each row. */
static void blas_scan(struct scan *sc, size_t first, size_t nq,
		      struct best *best)
{
	const struct bench_data *d = sc->d;
	size_t i, j, q, n;

	for (q = 0; q < nq; q++)
		for (j = 0; j < BENCH_K; j++)
			best[q].dist[j] = 3e38f;
	for (i = 0; i < d->n; i += n) {
		n = min_t(size_t, BLOCK, d->n - i);
		bench_sgemm(d->query + first * d->dims, nq,
			    d->base + i * d->dims, n, d->dims, sc->dot);
		for (q = 0; q < nq; q++) {
			const float *dot = sc->dot + q * n;
			float limit = best[q].dist[BENCH_K - 1];

			for (j = 0; j < n; j++) {
				float dist = sc->half[i + j] - dot[j];

				if (dist >= limit)
					continue;
				keep(best + q, dist, (uint32_t)(i + j));
				limit = best[q].dist[BENCH_K - 1];
			}
		}
	}
}

static void vexfs_scan(struct scan *sc, size_t first, size_t nq,
		       struct vexfs_coll_hit *hits)
{
	const struct bench_data *d = sc->d;
	struct vexfs_coll_result res[MAX_BATCH];

	if (vexfs_coll_search_many(sc->s, d->query_rows + first * d->row_bytes,
				   (u32)nq, BENCH_K, 0, VEXFS_COLL_EXACT, hits,
				   res)) {
		fprintf(stderr, "bench: scan failed\n");
		exit(1);
	}
}

/* A scan that is wrong must not be called fast. */
static void check(const struct scan *sc, size_t first, size_t nq,
		  const struct vexfs_coll_hit *hits, const struct best *best)
{
	uint32_t ids[BENCH_K];
	size_t q, j, of_blas = 0, of_vexfs = 0;

	for (q = 0; q < nq; q++) {
		for (j = 0; j < BENCH_K; j++)
			ids[j] = (u32)hits[q * BENCH_K + j].id;
		of_vexfs += bench_found(sc->d, first + q, ids);
		if (best)
			of_blas += bench_found(sc->d, first + q, best[q].id);
	}
	if (of_vexfs != nq * BENCH_K) {
		fprintf(stderr, "bench: an exact scan found %zu of %zu\n",
			of_vexfs, nq * BENCH_K);
		exit(1);
	}
	/* Single precision may turn two around. */
	if (best && of_blas * 100 < nq * BENCH_K * 99) {
		fprintf(stderr, "bench: OpenBLAS found %zu of %zu\n", of_blas,
			nq * BENCH_K);
		exit(1);
	}
}

static void round_of(struct scan *sc, unsigned int r)
{
	struct vexfs_coll_hit *hits =
		bench_must(calloc(MAX_BATCH * BENCH_K, sizeof(*hits)));
	struct best *best = bench_must(calloc(MAX_BATCH, sizeof(*best)));
	size_t bytes = sc->d->n * sc->st->cfg.stride;
	double t;
	size_t b;

	t = bench_cpu();
	plain_sum(sc);
	sc->sum[r] = (double)bytes / (bench_cpu() - t);
	for (b = 0; b < BATCHES && !bench_stop; b++) {
		size_t nq = min_t(size_t, batches[b], sc->d->nq);
		size_t first = r * nq % (sc->d->nq - nq + 1);
		double work = (double)sc->d->n * (double)nq;

		t = bench_cpu();
		vexfs_scan(sc, first, nq, hits);
		sc->vexfs[b][r] = work / (bench_cpu() - t);
		if (bench_has_blas()) {
			t = bench_cpu();
			blas_scan(sc, first, nq, best);
			sc->blas[b][r] = work / (bench_cpu() - t);
		}
		check(sc, first, nq, hits, bench_has_blas() ? best : NULL);
	}
	free(hits);
	free(best);
}

/* @rate of each round; @peer: what the ratio is to, or NULL. */
static void report(const struct scan *sc, const char *engine, const char *what,
		   unsigned int batch, const double *rate, double row_bytes,
		   const double *peer)
{
	double v[MAX_ROUNDS];
	unsigned int n = bench_opt.rounds, r;
	struct bench_record rec = {
		.engine = engine, .data = sc->d->name, .what = what,
		.threads = 1, .batch = batch,
	};

	memcpy(v, rate, sizeof(v));
	rec.spread = bench_spread(v, n);
	rec.gb_per_s = bench_median(v, n) * row_bytes / 1e9;
	if (!strcmp(what, "scan")) {
		rec.vectors_per_s = bench_median(v, n);
		rec.qps = rec.vectors_per_s / (double)sc->d->n;
	}
	if (peer) {
		for (r = 0; r < n; r++)
			v[r] = rate[r] * row_bytes / peer[r];
		rec.ratio = bench_median(v, n);
	}
	bench_say("%s: %-12s %-9s batch %3u: %7.1f GB/s %7.1f million comparisons/s  ratio %.2f",
		  sc->d->name, engine, what, batch, rec.gb_per_s,
		  rec.vectors_per_s / 1e6, rec.ratio);
	bench_record(&rec);
}

static void report_all(const struct scan *sc)
{
	double row = sc->st->cfg.stride;
	size_t b;

	report(sc, "machine", "bandwidth", 1, sc->sum, 1, NULL);
	for (b = 0; b < BATCHES; b++) {
		double peer[MAX_ROUNDS];
		unsigned int r;

		for (r = 0; r < bench_opt.rounds; r++)
			peer[r] = b ? sc->blas[b][r] * row : sc->sum[r];
		report(sc, "vexfs-native", "scan", batches[b], sc->vexfs[b],
		       row, b && !bench_has_blas() ? NULL : peer);
		if (bench_has_blas())
			report(sc, "openblas", "scan", batches[b], sc->blas[b],
			       row, NULL);
	}
}

static void prepare(struct scan *sc)
{
	const struct bench_data *d = sc->d;
	size_t i, j, n;

	sc->half = bench_alloc(d->n * sizeof(float));
	sc->dot = bench_alloc((size_t)MAX_BATCH * BLOCK * sizeof(float));
	for (i = 0; i < d->n; i++) {
		double sum = 0;

		for (j = 0; d->metric == BENCH_L2 && j < d->dims; j++)
			sum += (double)d->base[i * d->dims + j] *
				(double)d->base[i * d->dims + j];
		sc->half[i] = (float)(sum / 2);
	}
	for (i = 0; i < d->n; i += n) {
		n = min_t(size_t, 1000, d->n - i);
		if (store_insert(sc->st, d->rows + i * d->row_bytes, (u32)n))
			exit(1);
	}
}

void bench_scan(const struct bench_data *d)
{
	struct vexfs_coll_config cfg = {
		.dims = (u32)d->dims, .elem = d->elem, .metric = d->metric,
		.index = VEXFS_INDEX_FLAT,
	};
	struct scan *sc = bench_must(calloc(1, sizeof(*sc)));
	unsigned int r;

	bench_say("%s: exact scans", d->name);
	sc->d = d;
	sc->st = store_create(&cfg, d->n, NULL);
	prepare(sc);
	sc->s = bench_must(vexfs_coll_searcher_alloc(sc->st->coll));
	for (r = 0; r < bench_opt.rounds && !bench_stop; r++)
		round_of(sc, r);
	if (!bench_stop)
		report_all(sc);
	vexfs_coll_searcher_free(sc->s);
	store_free(sc->st);
	free(sc->half);
	free(sc->dot);
	free(sc);
}

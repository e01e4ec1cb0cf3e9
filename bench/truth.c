// SPDX-License-Identifier: GPL-2.0
/*
 * The true nearest neighbours: candidates by products of matrices, their order
 * by distances in double precision. Kept beside the data, under a name that
 * has a checksum of these.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"

#define BLOCK	4096u
/* Single precision may misplace some: so many more are looked at. */
#define CAND	(2 * BENCH_TRUTH)

struct near {
	double	dist;
	uint32_t id;
};

static uint64_t checksum(const void *p, size_t bytes, uint64_t h)
{
	const uint64_t *w = p;
	size_t i;

	for (i = 0; i < bytes / 8; i++)
		h = (h ^ w[i]) * 0x9e3779b97f4a7c15ull;
	return h ^ h >> 32;
}

static int by_dist(const void *a, const void *b)
{
	const struct near *x = a, *y = b;

	if (x->dist != y->dist)
		return x->dist < y->dist ? -1 : 1;
	return x->id < y->id ? -1 : x->id > y->id;
}

/* Puts it where it belongs among the @n best, of at most CAND. */
static size_t insert(struct near *best, size_t n, struct near one)
{
	size_t i;

	if (n == CAND && one.dist >= best[CAND - 1].dist)
		return n;
	if (n < CAND)
		n++;
	for (i = n - 1; i > 0 && best[i - 1].dist > one.dist; i--)
		best[i] = best[i - 1];
	best[i] = one;
	return n;
}

static double distance(const struct bench_data *d, size_t q, size_t row)
{
	const float *x = d->query + q * d->dims, *y = d->base + row * d->dims;
	double sum = 0;
	size_t i;

	for (i = 0; i < d->dims; i++)
		sum += d->metric == BENCH_L2 ?
			((double)x[i] - (double)y[i]) *
			((double)x[i] - (double)y[i]) :
			-(double)x[i] * (double)y[i];
	return sum;
}

static float norm2(const float *v, size_t dims)
{
	double sum = 0;
	size_t i;

	for (i = 0; i < dims; i++)
		sum += (double)v[i] * (double)v[i];
	return (float)sum;
}

/* The candidates of all queries among rows [first, first + n). */
static void block(const struct bench_data *d, size_t first, size_t n,
		  float *dot, struct near *best, size_t *count)
{
	size_t q, i;
	float *half = bench_must(malloc(n * sizeof(float)));

	for (i = 0; i < n; i++)
		half[i] = d->metric == BENCH_L2 ?
			norm2(d->base + (first + i) * d->dims, d->dims) / 2 :
			0;
	bench_sgemm(d->query, d->nq, d->base + first * d->dims, n, d->dims,
		    dot);
	for (q = 0; q < d->nq; q++)
		for (i = 0; i < n; i++) {
			struct near one = {
				(double)(half[i] - dot[q * n + i]),
				(uint32_t)(first + i)
			};

			count[q] = insert(best + q * CAND, count[q], one);
		}
	free(half);
}

static void compute(struct bench_data *d)
{
	struct near *best = bench_must(calloc(d->nq * CAND, sizeof(*best)));
	size_t *count = bench_must(calloc(d->nq, sizeof(*count)));
	float *dot = bench_must(malloc(d->nq * BLOCK * sizeof(float)));
	size_t q, i, n;

	for (i = 0; i < d->n && !bench_stop; i += n) {
		n = d->n - i < BLOCK ? d->n - i : BLOCK;
		block(d, i, n, dot, best, count);
	}
	for (q = 0; q < d->nq; q++) {
		struct near *b = best + q * CAND;
		uint32_t *t = d->truth + q * BENCH_TRUTH;

		for (i = 0; i < count[q]; i++)
			b[i].dist = distance(d, q, b[i].id);
		qsort(b, count[q], sizeof(*b), by_dist);
		/* As near as the last that counts is near enough. */
		for (i = 0; i < BENCH_TRUTH; i++) {
			double limit = b[BENCH_K - 1].dist;

			t[i] = i < count[q] && b[i].dist <=
				limit + fabs(limit) * 0.000000001 ? b[i].id :
				UINT32_MAX;
		}
	}
	free(best);
	free(count);
	free(dot);
}

int bench_truth(struct bench_data *d)
{
	size_t bytes = d->nq * BENCH_TRUTH * sizeof(uint32_t);
	uint64_t sum = (uint64_t)d->metric;
	char path[4096];
	double t0;
	FILE *f;

	d->truth = bench_must(malloc(bytes));
	sum = checksum(d->base, d->n * d->dims * sizeof(float), sum);
	sum = checksum(d->query, d->nq * d->dims * sizeof(float), sum);
	snprintf(path, sizeof(path), "%s/truth-%s-%016llx", bench_opt.cache,
		 d->name, (unsigned long long)sum);
	f = fopen(path, "rb");
	if (f) {
		size_t got = fread(d->truth, 1, bytes, f);

		fclose(f);
		if (got == bytes)
			return 0;
	}
	t0 = bench_now();
	compute(d);
	if (bench_stop)
		return -1;
	bench_say("%s: true neighbours of %zu queries among %zu rows in %.1f s",
		  d->name, d->nq, d->n, bench_now() - t0);
	f = fopen(path, "wb");
	if (f) {
		fwrite(d->truth, 1, bytes, f);
		fclose(f);
	}
	return 0;
}

unsigned int bench_found(const struct bench_data *d, size_t q,
			 const uint32_t *ids)
{
	const uint32_t *t = d->truth + q * BENCH_TRUTH;
	unsigned int i, j, n = 0;

	for (i = 0; i < BENCH_K; i++)
		for (j = 0; j < BENCH_TRUTH && t[j] != UINT32_MAX; j++)
			n += ids[i] == t[j];
	return n;
}

// SPDX-License-Identifier: GPL-2.0
/*
 * Recall against searches per second. Engines take turns within each round,
 * on the same queries, so that what else the machine does hits all of them;
 * figures are medians of the rounds, and ratios medians of each round's.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"

#define MAX_POINTS	24u
#define MAX_ROUNDS	16u
/* Beyond this recall a curve is of no more interest. */
#define ENOUGH		0.995
#define MAX_BATCH	256u

static const double targets[] = { 0.90, 0.95, 0.99 };

#define TARGETS	(sizeof(targets) / sizeof(targets[0]))

struct bench_curve {
	size_t	points;
	unsigned int param[MAX_POINTS];
	double	recall[MAX_POINTS];
	/** @qps: by CPU time of the thread, of each round */
	double	qps[MAX_POINTS][MAX_ROUNDS];
	/** @at: at the targets, of each round; 0: not reached */
	double	at[TARGETS][MAX_ROUNDS];
};

/* Searches [first, first + n) in batches; the ids of each when wanted. */
static unsigned int run(const struct bench_data *d,
			const struct bench_index *ix, unsigned int param,
			size_t first, size_t n)
{
	uint32_t ids[MAX_BATCH * BENCH_K];
	unsigned int found = 0;
	size_t i, j, now;

	for (i = 0; i < n; i += now) {
		now = n - i < ix->batch ? n - i : ix->batch;
		ix->engine->search(ix->searcher, first + i, now, param, ids);
		for (j = 0; j < now; j++)
			found += bench_found(d, first + i + j,
					     ids + j * BENCH_K);
	}
	return found;
}

/* Which points there are: every value of the knob up to enough recall. */
static void survey(const struct bench_data *d, struct bench_index *ix)
{
	struct bench_curve *c = ix->curve;
	const unsigned int *p;
	double limit = bench_now() + 60;

	for (p = ix->engine->params; *p && !bench_stop; p++) {
		double t0 = bench_now(), per;
		size_t n = d->nq;

		/* A slow one is surveyed with a tenth of the queries. */
		run(d, ix, *p, 0, ix->batch);
		per = (bench_now() - t0) / ix->batch;
		if (per * (double)n > 10)
			n /= 10;
		c->param[c->points] = *p;
		c->recall[c->points] = run(d, ix, *p, 0, n) /
			(double)(n * BENCH_K);
		if (c->recall[c->points++] > ENOUGH || bench_now() > limit ||
		    c->points == MAX_POINTS)
			break;
	}
}

/* At least a time, and each query of the round's share as often. */
static double cell(const struct bench_data *d, const struct bench_index *ix,
		   unsigned int param, size_t first, size_t n)
{
	double t0, t;
	size_t runs = 0;

	if (ix->engine->cell)
		return ix->engine->cell(ix->searcher, first, n, ix->batch,
					param, bench_opt.seconds);
	run(d, ix, param, first, n < ix->batch ? n : ix->batch);
	t0 = bench_cpu();
	do {
		run(d, ix, param, first, n);
		runs += n;
		t = bench_cpu() - t0;
	} while (t < bench_opt.seconds && !bench_stop);
	return (double)runs / t;
}

/* Linear in the logarithms of what is missed and of speed. */
static double between(double miss0, double q0, double miss1, double q1,
		      double miss)
{
	double at = (log(miss0) - log(miss)) / (log(miss0) - log(miss1));

	return exp(log(q0) + at * (log(q1) - log(q0)));
}

/*
 * Speed at a recall, from the points on both sides of it. A curve that begins
 * above it is as fast there as at its beginning.
 */
static double speed_at(const struct bench_curve *c, double recall,
		       unsigned int round)
{
	double best = 0;
	size_t i;

	for (i = 0; i < c->points; i++) {
		double q = c->qps[i][round], miss1 = 1 - c->recall[i];

		if (c->recall[i] < recall)
			continue;
		if (i && c->recall[i - 1] < recall)
			q = between(1 - c->recall[i - 1], c->qps[i - 1][round],
				    miss1 > 0.00001 ? miss1 : 0.00001, q,
				    1 - recall);
		if (q > best)
			best = q;
	}
	return best;
}

static void rounds(const struct bench_data *d, struct bench_index *ix,
		   size_t n)
{
	unsigned int r, t;
	size_t share = d->nq / bench_opt.rounds, p, i;

	if (share < 1)
		share = 1;
	for (r = 0; r < bench_opt.rounds && !bench_stop; r++) {
		bench_say("%s: searches, round %u of %u", d->name, r + 1,
			  bench_opt.rounds);
		for (p = 0; p < MAX_POINTS; p++)
			for (i = 0; i < n; i++) {
				struct bench_curve *c = ix[i].curve;

				if (p >= c->points || bench_stop)
					continue;
				c->qps[p][r] = cell(d, ix + i, c->param[p],
						    r * share, share);
			}
		for (i = 0; i < n; i++)
			for (t = 0; t < TARGETS; t++)
				ix[i].curve->at[t][r] =
					speed_at(ix[i].curve, targets[t], r);
	}
}

static int by_time(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

/* Of single calls, by the clock: what a caller waits. */
static void latency(const struct bench_data *d, const struct bench_index *ix,
		    unsigned int param, struct bench_record *rec)
{
	double *us = bench_must(malloc(d->nq * sizeof(*us))), t0;
	size_t i = 0, n = d->nq / ix->batch;

	if (ix->engine->latency)
		i = ix->engine->latency(ix->searcher, ix->batch, param, us,
					n) ? 0 : n;
	for (; i < n && !ix->engine->latency && !bench_stop; i++) {
		t0 = bench_now();
		run(d, ix, param, i * ix->batch, ix->batch);
		us[i] = (bench_now() - t0) * 1e6;
	}
	if (i == n && n >= 20) {
		qsort(us, n, sizeof(*us), by_time);
		rec->p50_us = us[n / 2];
		rec->p99_us = us[n * 99 / 100];
	}
	free(us);
}

unsigned int bench_param_for(const struct bench_index *ix, double recall)
{
	size_t i;

	/* Nothing is known of it without the part "search". */
	for (i = 0; ix->curve && i < ix->curve->points; i++)
		if (ix->curve->recall[i] >= recall)
			return ix->curve->param[i];
	return 0;
}

static void report_points(const struct bench_data *d,
			  const struct bench_index *ix)
{
	const struct bench_curve *c = ix->curve;
	double v[MAX_ROUNDS];
	size_t i;

	for (i = 0; i < c->points; i++) {
		struct bench_record rec = {
			.engine = ix->name, .data = d->name, .what = "curve",
			.threads = 1, .batch = ix->batch,
			.param = c->param[i], .recall = c->recall[i],
		};

		memcpy(v, c->qps[i], sizeof(v));
		rec.qps = bench_median(v, bench_opt.rounds);
		rec.spread = bench_spread(v, bench_opt.rounds);
		bench_record(&rec);
	}
}

static void report_targets(const struct bench_data *d,
			   const struct bench_index *ix)
{
	unsigned int n = bench_opt.rounds, t, r;
	double v[MAX_ROUNDS];

	for (t = 0; t < TARGETS; t++) {
		unsigned int param = bench_param_for(ix, targets[t]);
		struct bench_record rec = {
			.engine = ix->name, .data = d->name, .what = "search",
			.threads = 1, .batch = ix->batch, .param = param,
			.recall = targets[t],
		};

		if (!param || !ix->curve->at[t][0] || bench_stop)
			continue;
		memcpy(v, ix->curve->at[t], sizeof(v));
		rec.qps = bench_median(v, n);
		rec.spread = bench_spread(v, n);
		latency(d, ix, param, &rec);
		if (ix->peer && ix->peer->curve->at[t][0]) {
			for (r = 0; r < n; r++)
				v[r] = ix->curve->at[t][r] /
					ix->peer->curve->at[t][r];
			rec.ratio = bench_median(v, n);
		}
		bench_say("%s: %-18s batch %2u recall %.2f: %8.0f/s", d->name,
			  ix->name, ix->batch, targets[t], rec.qps);
		if (rec.ratio)
			bench_say("    %.2f of hnswlib's", rec.ratio);
		bench_record(&rec);
	}
}

void bench_search(const struct bench_data *d, struct bench_index *ix,
		  size_t n)
{
	size_t i;

	for (i = 0; i < n; i++) {
		ix[i].curve = bench_must(calloc(1, sizeof(*ix[i].curve)));
		if (!ix[i].searcher)
			ix[i].searcher =
				bench_must(ix[i].engine->searcher(ix[i].index));
		survey(d, ix + i);
	}
	rounds(d, ix, n);
	for (i = 0; i < n && !bench_stop; i++) {
		report_points(d, ix + i);
		report_targets(d, ix + i);
	}
}

void bench_index_free(struct bench_index *ix)
{
	if (ix->searcher)
		ix->engine->searcher_free(ix->searcher);
	free(ix->curve);
	ix->curve = NULL;
	ix->searcher = NULL;
}

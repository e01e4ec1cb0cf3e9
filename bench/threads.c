// SPDX-License-Identifier: GPL-2.0
/*
 * Two threads against one, for searches and for building; and searches while
 * rows are inserted and indexed beside them. By the clock: what waits for a
 * lock uses no CPU time.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include <pthread.h>

#include "../tests/unit/vtest.h"
#include "bench.h"
#include "store.h"

#define RECALL		0.95
#define MAX_ROUNDS	16u
/* Rows that the builds are tried with; fewer are much about making room. */
#define BUILD_ROWS	60000u
/* Rows that are there before others are inserted beside searches. */
#define BESIDE_ROWS	20000u
/* Builds that a median is of, unless there are only one or two rounds. */
#define BUILD_ROUNDS	5u
#define INSERT		250u

struct load {
	const struct bench_data *d;
	const struct bench_engine *engine;
	void	*searcher;
	unsigned int param;
	size_t	first;
	double	until;
	size_t	searches;
	double	cpu, wall;
};

static void *search_thread(void *arg)
{
	struct load *l = arg;
	uint32_t ids[BENCH_K];
	double cpu = bench_cpu(), start = bench_now();

	l->searches = 0;
	do {
		l->engine->search(l->searcher,
				  (l->first + l->searches) % l->d->nq, 1,
				  l->param, ids);
		l->searches++;
	} while (bench_now() < l->until && !bench_stop);
	l->wall = bench_now() - start;
	l->cpu = bench_cpu() - cpu;
	return NULL;
}

/* Searches a second of all threads together; *cpu: as many CPU-seconds. */
static double searching(struct load *load, unsigned int threads, double *cpu)
{
	pthread_t t[2];
	double rate = 0, used = 0, n = 0;
	unsigned int i;

	for (i = 0; i < threads; i++) {
		load[i].until = bench_now() + 2 * bench_opt.seconds;
		load[i].first = i * load[i].d->nq / 2;
	}
	if (threads > 1 && pthread_create(t + 1, NULL, search_thread, load + 1))
		exit(1);
	search_thread(load);
	if (threads > 1)
		pthread_join(t[1], NULL);
	for (i = 0; i < threads; i++) {
		rate += (double)load[i].searches / load[i].wall;
		n += (double)load[i].searches;
		used += load[i].cpu;
	}
	*cpu = n / used * threads;
	return rate;
}

void bench_threads(const struct bench_data *d, const struct bench_index *ix)
{
	struct load load[2] = { { .d = d, .engine = ix->engine } };
	double rate[2][MAX_ROUNDS], cpu[2][MAX_ROUNDS], ratio[MAX_ROUNDS];
	unsigned int r, t;

	load[0].param = bench_param_for(ix, RECALL);
	if (!load[0].param) {
		bench_say("%s: %s: two threads need a recall of %.2f in part search",
			  d->name, ix->name, RECALL);
		return;
	}
	load[1] = load[0];
	for (t = 0; t < 2; t++)
		load[t].searcher =
			bench_must(ix->engine->searcher(ix->index));
	for (r = 0; r < bench_opt.rounds && !bench_stop; r++) {
		for (t = 0; t < 2; t++)
			rate[t][r] = searching(load, t + 1, &cpu[t][r]);
		ratio[r] = rate[1][r] / rate[0][r];
	}
	for (t = 0; t < 2 && !bench_stop; t++) {
		struct bench_record rec = {
			.engine = ix->name, .data = d->name,
			.what = "threads", .threads = t + 1, .batch = 1,
			.param = load[0].param, .recall = RECALL,
			.qps = bench_median(rate[t], r),
			.spread = bench_spread(rate[t], r),
			.qps_cpu = bench_median(cpu[t], r),
			.ratio = t ? bench_median(ratio, r) : 0,
		};

		bench_say("%s: %-12s %u threads: %.0f searches/s by the clock",
			  d->name, ix->name, t + 1, rec.qps);
		bench_record(&rec);
	}
	for (t = 0; t < 2; t++)
		ix->engine->searcher_free(load[t].searcher);
}

void bench_build_threads(const struct bench_data *d,
			 const struct bench_engine *engine,
			 struct bench_build how)
{
	struct bench_data part = *d;
	double rate[2][MAX_ROUNDS], ratio[MAX_ROUNDS];
	unsigned int rounds = bench_opt.rounds < 3 ? bench_opt.rounds :
			      BUILD_ROUNDS, r, t;

	if (part.n > BUILD_ROWS)
		part.n = BUILD_ROWS;
	for (r = 0; r < rounds && !bench_stop; r++) {
		for (t = 0; t < 2; t++) {
			double t0 = bench_now();
			void *index;

			how.threads = t + 1;
			index = engine->open(&part, &how);
			rate[t][r] = (double)part.n / (bench_now() - t0);
			engine->close(index);
		}
		ratio[r] = rate[1][r] / rate[0][r];
	}
	for (t = 0; t < 2 && !bench_stop; t++) {
		struct bench_record rec = {
			.engine = engine->name, .data = d->name,
			.what = "build-threads", .threads = t + 1, .batch = 1,
			.vectors_per_s = bench_median(rate[t], r),
			.spread = bench_spread(rate[t], r),
			.ratio = t ? bench_median(ratio, r) : 0,
		};

		bench_say("%s: %-12s %u threads: %.0f vectors/s indexed by the clock",
			  d->name, engine->name, t + 1, rec.vectors_per_s);
		bench_record(&rec);
	}
}

struct inserter {
	const struct bench_data *d;
	struct store *st;
	size_t	first;
	double	until;
	size_t	done;
	double	cpu, wall;
};

/* Rows in small batches, each indexed before the next comes. */
static void *insert_thread(void *arg)
{
	struct inserter *in = arg;
	double cpu = bench_cpu(), start = bench_now();
	size_t at;

	in->done = 0;
	do {
		at = (in->first + in->done) % (in->d->n - INSERT);
		if (store_insert(in->st, in->d->rows + at * in->d->row_bytes,
				 INSERT))
			break;
		in->done += INSERT;
		while (bench_now() < in->until && !bench_stop &&
		       vexfs_coll_index(in->st->coll, 16) > 0)
			;
	} while (bench_now() < in->until && !bench_stop);
	in->wall = bench_now() - start;
	in->cpu = bench_cpu() - cpu;
	return NULL;
}

static void report_beside(const struct bench_data *d, double *alone,
			  double *beside, double *rate, unsigned int n)
{
	struct bench_record rec = {
		.engine = "vexfs-native", .data = d->name,
		.what = "search-alone", .threads = 1, .batch = 1,
	};
	double ratio[MAX_ROUNDS];
	unsigned int r;

	for (r = 0; r < n; r++)
		ratio[r] = beside[r] / alone[r];
	rec.qps = bench_median(alone, n);
	rec.spread = bench_spread(alone, n);
	bench_record(&rec);
	rec.what = "search-beside-inserts";
	rec.threads = 2;
	rec.qps = bench_median(beside, n);
	rec.spread = bench_spread(beside, n);
	rec.vectors_per_s = bench_median(rate, n);
	rec.ratio = bench_median(ratio, n);
	bench_say("%s: searches beside inserts (%.0f vectors/s): %.2f of alone",
		  d->name, rec.vectors_per_s, rec.ratio);
	bench_record(&rec);
}

/*
 * One thread searches, by itself and then beside one that inserts; of CPU time
 * too, for on a machine with one processor they share it.
 */
void bench_beside(const struct bench_data *d)
{
	struct vexfs_coll_config cfg = {
		.dims = (u32)d->dims, .elem = d->elem, .metric = d->metric,
		.index = VEXFS_INDEX_HNSW, .m = bench_opt.m,
		.ef_construction = bench_opt.efc,
	};
	double alone[MAX_ROUNDS], beside[MAX_ROUNDS], rate[MAX_ROUNDS];
	struct inserter in = { .d = d };
	size_t n = min_t(size_t, d->n, BESIDE_ROWS), i;
	struct load load;
	unsigned int r;
	pthread_t t;

	if (d->n <= 2 * INSERT)
		return;
	in.st = store_create(&cfg, n + 1000000, NULL);
	for (i = 0; i < n; i += INSERT)
		store_insert(in.st, d->rows + i * d->row_bytes,
			     min_t(u32, INSERT, n - i));
	while (vexfs_coll_index(in.st->coll, 1000) > 0 && !bench_stop)
		;
	load = (struct load){ .d = d, .engine = &bench_vexfs, .param = 64 };
	load.searcher = bench_vexfs_searcher(in.st, d);
	in.first = n;
	for (r = 0; r < bench_opt.rounds && !bench_stop; r++) {
		load.until = bench_now() + 2 * bench_opt.seconds;
		search_thread(&load);
		alone[r] = (double)load.searches / load.wall;
		in.until = bench_now() + 2 * bench_opt.seconds;
		load.until = in.until;
		if (pthread_create(&t, NULL, insert_thread, &in))
			exit(1);
		search_thread(&load);
		beside[r] = (double)load.searches / load.wall;
		pthread_join(t, NULL);
		in.first += in.done;
		rate[r] = (double)in.done / in.wall;
		/* What is left, so that the next round begins with no tail. */
		while (vexfs_coll_index(in.st->coll, 1000) > 0 && !bench_stop)
			;
	}
	if (!bench_stop)
		report_beside(d, alone, beside, rate, r);
	bench_vexfs.searcher_free(load.searcher);
	store_free(in.st);
}

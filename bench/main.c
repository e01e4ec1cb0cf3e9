// SPDX-License-Identifier: GPL-2.0
/*
 * The benchmark's program; bench/run.sh prepares what it needs and calls it.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"
#include "simd.h"

#define MAX_INDEXES	16u

volatile int bench_stop;

struct bench_options bench_opt = {
	.json = "build/bench.json", .cache = ".", .append_dir = ".",
	.sets = "glove100-cos,glove100-l2,syn768-l2,syn128-l2,syn128u8-l2",
	.parts = "search,threads,scan,append,kernel",
	.m = 16, .efc = 200, .rounds = 5, .seconds = 0.25,
	.append_rows = 200000,
};

static const struct set {
	const char *name, *file, *query_file;
	enum bench_metric metric;
	enum bench_elem elem;
	/** @all: FAISS too, threads and scans */
	bool	all;
	/** @fpu: the module's FPU sections */
	bool	fpu;
} sets[] = {
	{ "glove100-cos", "glove.npy", NULL, BENCH_COSINE, BENCH_F32, true },
	{ "glove100-l2", "glove.npy", NULL, BENCH_L2, BENCH_F32, false },
	{ "syn768-l2", "syn768.npy", "syn768-query.npy", BENCH_L2, BENCH_F32,
	  true, true },
	{ "syn128-l2", "syn128.npy", "syn128-query.npy", BENCH_L2, BENCH_F32,
	  false },
	{ "syn128u8-l2", "syn128u8.npy", "syn128u8-query.npy", BENCH_L2,
	  BENCH_U8, false },
};

/* Is @name among the words of @list, which commas separate? */
static bool listed(const char *list, const char *name)
{
	size_t len = strlen(name);
	const char *p = list;

	if (!list)
		return true;
	while ((p = strstr(p, name))) {
		if ((p == list || p[-1] == ',') && (!p[len] || p[len] == ','))
			return true;
		p += len;
	}
	return false;
}

bool bench_wanted(const char *engine)
{
	return listed(bench_opt.engines, engine);
}

static void on_signal(int sig)
{
	bench_stop = 1;
}

/* Builds an index, which is a measurement of its own. */
static bool build(const struct bench_data *d, const struct bench_engine *e,
		  const char *name, struct bench_build how,
		  struct bench_index *ix)
{
	double wall = bench_now(), cpu = bench_cpu_all();
	struct bench_record rec = {
		.engine = name, .data = d->name, .what = "build",
		.threads = how.threads, .batch = how.bulk ? (unsigned int)d->n :
							    1000,
	};

	if (!bench_wanted(name) || bench_stop)
		return false;
	bench_say("%s: building %s", d->name, name);
	*ix = (struct bench_index){ .name = name, .engine = e, .batch = 1 };
	ix->index = e->open(d, &how);
	if (!ix->index || bench_stop)
		return false;
	if (e == &bench_kernel)
		return true;
	cpu = bench_cpu_all() - cpu;
	wall = bench_now() - wall;
	rec.vectors_per_s = (double)d->n / cpu;
	rec.bytes_per_vector = (double)e->memory(ix->index) / (double)d->n;
	bench_say("%s: %-18s %.0f vectors a CPU-second (%.1f s), %.0f bytes each in memory",
		  d->name, name, rec.vectors_per_s, wall,
		  rec.bytes_per_vector);
	bench_record(&rec);
	if (!e->disk)
		return true;
	rec.what = "disk";
	rec.vectors_per_s = 0;
	rec.bytes_per_vector = (double)e->disk(ix->index) / (double)d->n;
	bench_record(&rec);
	return true;
}

struct list {
	struct bench_index ix[MAX_INDEXES];
	/** @own: it is this entry's to close */
	bool	own[MAX_INDEXES];
	size_t	n;
};

static struct bench_index *add(struct list *l, const struct bench_data *d,
			       const struct bench_engine *e, const char *name,
			       struct bench_build how)
{
	struct bench_index *ix = l->ix + l->n;

	if (!build(d, e, name, how, ix))
		return NULL;
	l->own[l->n++] = true;
	return ix;
}

/* The same index, searched by batches. */
static void add_batched(struct list *l, const struct bench_index *of,
			const char *name, unsigned int batch)
{
	struct bench_index *ix = l->ix + l->n;

	*ix = *of;
	ix->name = name;
	ix->batch = batch;
	ix->searcher = NULL;
	l->own[l->n++] = false;
}

static void close_all(struct list *l)
{
	size_t i;

	for (i = 0; i < l->n; i++)
		bench_index_free(l->ix + i);
	for (i = 0; i < l->n; i++)
		if (l->own[i])
			l->ix[i].engine->close(l->ix[i].index);
}

static void add_peers(struct list *l, const struct bench_data *d, bool all,
		      struct bench_build how)
{
#ifdef HAVE_FAISS
	static const struct bench_engine * const faiss[] = {
		&bench_faiss_hnsw, &bench_faiss_hnsw_sq, &bench_faiss_ivfpq,
		&bench_faiss_flat, &bench_faiss_lsh,
	};
	size_t i;

	how.threads = 2;
	for (i = 0; all && i < sizeof(faiss) / sizeof(faiss[0]); i++)
		add(l, d, faiss[i], faiss[i]->name, how);
#endif
}

/* Engines of one data set: all are there before the searches begin. */
static void compare(const struct bench_data *d, bool all)
{
	struct bench_build how = { .m = bench_opt.m, .efc = bench_opt.efc,
				   .threads = 1 };
	struct list l = { 0 };
	struct bench_index *native, *ix, *hnsw = NULL;
	size_t i;

#ifdef HAVE_HNSWLIB
	if (bench_wanted("hnswlib"))
		how.dims = bench_hnswlib_dims(d, &how);
	hnsw = add(&l, d, &bench_hnswlib, "hnswlib", how);
#endif
	native = add(&l, d, &bench_vexfs, "vexfs-native", how);
	if (native)
		add_batched(&l, native, "vexfs-native", 32);
	how.bulk = true;
	add(&l, d, &bench_vexfs, "vexfs-native-bulk", how);
	how.bulk = false;
	add(&l, d, &bench_vexfs_lsh, "vexfs-native-lsh", how);
	add_peers(&l, d, all, how);
	if (listed(bench_opt.parts, "kernel") && bench_opt.kernel && all) {
		ix = add(&l, d, &bench_kernel, "vexfs-kernel", how);
		if (ix)
			add_batched(&l, ix, "vexfs-kernel", 32);
	}
	for (i = 0; i < l.n; i++)
		l.ix[i].peer = hnsw && l.ix + i != hnsw ? hnsw : NULL;
	if (listed(bench_opt.parts, "search") && !bench_stop)
		bench_search(d, l.ix, l.n);
	if (listed(bench_opt.parts, "threads") && all && !bench_stop) {
		if (native)
			bench_threads(d, native);
		if (hnsw)
			bench_threads(d, hnsw);
	}
	close_all(&l);
	if (listed(bench_opt.parts, "threads") && all && !bench_stop &&
	    bench_wanted("vexfs-native")) {
		bench_build_threads(d, &bench_vexfs, how);
		bench_beside(d);
	}
}

static void run_set(const struct set *set)
{
	struct bench_data d = {
		.name = set->name, .metric = set->metric, .elem = set->elem,
	};
	char file[4096], query_file[4096];

	snprintf(file, sizeof(file), "%s/%s", bench_opt.data, set->file);
	d.file = file;
	if (set->query_file) {
		snprintf(query_file, sizeof(query_file), "%s/%s",
			 bench_opt.data, set->query_file);
		d.query_file = query_file;
	}
	if (bench_data_load(&d)) {
		if (!bench_stop)
			exit(1);
		return;
	}
	bench_say("%s: %zu rows, %zu queries, %zu dimensions", d.name, d.n,
		  d.nq, d.dims);
	if (listed(bench_opt.parts, "search") ||
	    listed(bench_opt.parts, "threads"))
		compare(&d, set->all);
	if (listed(bench_opt.parts, "scan") && set->all && !bench_stop)
		bench_scan(&d);
	if (listed(bench_opt.parts, "kernel") && bench_opt.kernel &&
	    set->fpu && !bench_stop)
		bench_kernel_fpu(&d);
	bench_data_free(&d);
}

static void usage(void)
{
	fprintf(stderr,
		"Usage: bench -d DATA-FOLDER [-o OUT.json] [-c CACHE-FOLDER]\n"
		"\t[-s SET,...] [-e ENGINE,...] [-p PART,...] [-n ROWS] [-r ROUNDS]\n"
		"\t[-t SECONDS] [-a FOLDER (for appends)] [-A ROWS] [-K GUEST-COMMAND]\n"
		"\t[-i sse2|avx2|avx512] [-M MEGABYTES (of memory to touch first)]\n"
		"Parts: search, threads, scan, append, kernel\n");
	exit(2);
}

static void option(int c)
{
	switch (c) {
	case 'd':
		bench_opt.data = optarg;
		break;
	case 'o':
		bench_opt.json = optarg;
		break;
	case 'c':
		bench_opt.cache = optarg;
		break;
	case 's':
		bench_opt.sets = optarg;
		break;
	case 'e':
		bench_opt.engines = optarg;
		break;
	case 'p':
		bench_opt.parts = optarg;
		break;
	case 'n':
		bench_opt.max_rows = strtoul(optarg, NULL, 0);
		break;
	case 'r':
		bench_opt.rounds = (unsigned int)atoi(optarg);
		break;
	case 't':
		bench_opt.seconds = atof(optarg);
		break;
	case 'a':
		bench_opt.append_dir = optarg;
		break;
	case 'A':
		bench_opt.append_rows = strtoul(optarg, NULL, 0);
		break;
	case 'K':
		bench_opt.kernel = optarg;
		break;
	case 'i':
		bench_opt.simd = optarg;
		break;
	case 'M':
		bench_opt.touch = strtoul(optarg, NULL, 0) << 20;
		break;
	default:
		usage();
	}
}

int main(int argc, char **argv)
{
	struct sigaction sa = { .sa_handler = on_signal };
	size_t i;
	int c;

	while ((c = getopt(argc, argv, "d:o:c:s:e:p:n:r:t:a:A:K:i:M:")) != -1)
		option(c);
	if (!bench_opt.data || optind != argc || !bench_opt.rounds ||
	    bench_opt.rounds > 15)
		usage();
	if (vexfs_simd_init(bench_opt.simd)) {
		fprintf(stderr, "bench: no such instruction set here\n");
		return 1;
	}
	bench_opt.simd = vexfs_simd_name(vexfs_simd_level());
	/* A second signal ends the program at once. */
	sa.sa_flags = (int)SA_RESETHAND;
	sigaction(SIGINT, &sa, NULL);
	sigaction(SIGTERM, &sa, NULL);
	if (bench_opt.kernel && bench_kernel_start())
		return 1;
	if (bench_opt.touch) {
		bench_say("touching %zu MB of memory", bench_opt.touch >> 20);
		bench_memory_touch(bench_opt.touch);
	}
	for (i = 0; i < sizeof(sets) / sizeof(sets[0]) && !bench_stop; i++)
		if (listed(bench_opt.sets, sets[i].name))
			run_set(sets + i);
	if (listed(bench_opt.parts, "append") && !bench_stop)
		bench_append();
	if (bench_opt.kernel) {
		if (!bench_stop)
			bench_kernel_append();
		bench_kernel_stop();
	}
	if (bench_write())
		return 1;
	if (bench_stop)
		bench_say("interrupted: %s has what was measured",
			  bench_opt.json);
	return bench_stop ? 130 : 0;
}

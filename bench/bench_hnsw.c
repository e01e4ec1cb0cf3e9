// SPDX-License-Identifier: GPL-2.0
/*
 * The graph of the shared core on one thread, beside hnswlib where it is
 * installed: rate of building, then searches per second against recall, by CPU
 * time.
 *
 * Each search is what a user gets: traversal over codes, then the exact
 * distances of all ef candidates, sorted.
 *
 *	make build/obj/libvexfs.a
 *	g++ -O3 -march=native -c bench/peer_hnswlib.cc -o build/peer.o
 *	gcc -O2 -D_GNU_SOURCE -DHAVE_HNSWLIB -Iinclude \
 *	    -Iinclude/uapi -Ifs/vexfs/libvexfs -Ifs/vexfs/simd -Itools/lib \
 *	    bench/*.c tests/unit/vecfile.c build/peer.o \
 *	    build/obj/libvexfs.a \
 *	    -lstdc++ -lm -lpthread -o build/bench_hnsw
 *	build/bench_hnsw -f demo/glove20k/vectors.npy
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include <getopt.h>

#include "hnsw.h"
#include "topk.h"
#include "../tests/unit/vecfile.h"
#include "../tests/unit/vtest.h"
#include "peer.h"

static struct options {
	const char *file;
	const char *simd;
	size_t	n, dims, queries;
	u32	m, efc, k;
	u8	metric;
	double	seconds;
	bool	peer;
} opt = {
	.n = 50000, .dims = 128, .queries = 1000, .m = 16, .efc = 200,
	.k = 10, .metric = VEXFS_METRIC_COSINE, .seconds = 0.5, .peer = true,
};

struct bench {
	struct vexfs_space sp;
	struct vexfs_graph g;
	struct vexfs_graph_scratch *s;
	struct vexfs_graph_hit *hit;
	struct vexfs_coll_hit *best;
	const float *queries;
	size_t	n, nq;
	char	*rows;
	u32	*truth;
};

static const u32 efs[] = { 10, 16, 24, 32, 48, 64, 96, 128, 192, 256, 400,
			   600 };

/* Of this thread, not of the clock: others may be using the machine. */
static double cpu_seconds(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static void *must(void *p)
{
	if (!p) {
		fprintf(stderr, "out of memory\n");
		exit(1);
	}
	return p;
}

static const char *row_of(const struct bench *b, u32 slot)
{
	return b->rows + (size_t)slot * b->sp.stride;
}

/* Exact distances of hits, sorted; the ids are the slots. */
static u32 rerank(struct bench *b, u32 n, u32 k)
{
	const void *row[64];
	struct vexfs_topk t;
	u32 i, j, m, keys[64];

	vexfs_topk_init(&t, b->best, k);
	for (i = 0; i < n; i += m) {
		m = min(n - i, 64u);
		for (j = 0; j < m; j++) {
			row[j] = row_of(b, b->hit[i + j].slot);
			prefetch(row[j]);
		}
		vexfs_dist_rows(&b->sp, vexfs_graph_scratch_query(b->s), row,
				m, keys);
		for (j = 0; j < m; j++)
			if (keys[j] <= vexfs_topk_bound(&t))
				vexfs_topk_push(&t, keys[j],
						b->hit[i + j].slot,
						b->hit[i + j].slot);
	}
	return vexfs_topk_sort(&t);
}

static void ground_truth(struct bench *b)
{
	u32 *keys = must(malloc(b->n * sizeof(*keys)));
	struct vexfs_topk t;
	size_t q;
	u32 i;

	b->truth = must(calloc(b->nq * opt.k, sizeof(u32)));
	for (q = 0; q < b->nq; q++) {
		vexfs_query_prepare(&b->sp, b->queries + q * b->sp.dims,
				    vexfs_graph_scratch_query(b->s));
		vexfs_dist_run(&b->sp, vexfs_graph_scratch_query(b->s),
			       b->rows, (u32)b->n, keys);
		vexfs_topk_init(&t, b->best, opt.k);
		for (i = 0; i < b->n; i++)
			if (keys[i] <= vexfs_topk_bound(&t))
				vexfs_topk_push(&t, keys[i], i, i);
		vexfs_topk_sort(&t);
		for (i = 0; i < t.n; i++)
			b->truth[q * opt.k + i] = t.hit[i].slot;
	}
	free(keys);
}

static u32 found(const struct bench *b, size_t q, const u32 *got)
{
	const u32 *want = b->truth + q * opt.k;
	u32 i, j, n = 0;

	for (i = 0; i < opt.k; i++)
		for (j = 0; j < opt.k; j++)
			n += got[i] == want[j];
	return n;
}

static void search(struct bench *b, size_t q, u32 ef, u32 *got, u64 *compared)
{
	u32 n, i;

	vexfs_query_prepare(&b->sp, b->queries + q * b->sp.dims,
			    vexfs_graph_scratch_query(b->s));
	n = vexfs_graph_search(&b->g, ef, NULL, b->s, b->hit, compared);
	n = rerank(b, n, opt.k);
	for (i = 0; i < opt.k; i++)
		got[i] = i < n ? b->best[i].slot : VEXFS_GRAPH_NONE;
}

static void curve(struct bench *b, void *peer, const char *name)
{
	u32 got[1024];
	size_t i, q, runs;
	u64 hits, compared;
	double t0, dt;

	for (i = 0; i < ARRAY_SIZE(efs); i++) {
		if (efs[i] < opt.k)
			continue;
		hits = 0;
		compared = 0;
		runs = 0;
		t0 = cpu_seconds();
		do {
			for (q = 0; q < b->nq; q++, runs++) {
#ifdef HAVE_HNSWLIB
				if (peer)
					peer_search(peer, b->queries +
						    q * b->sp.dims, opt.k,
						    efs[i], got);
				else
#endif
					search(b, q, efs[i], got, &compared);
				hits += found(b, q, got);
			}
			dt = cpu_seconds() - t0;
		} while (dt < opt.seconds);
		printf("%-8s ef %4u  recall@%u %.4f  %9.0f searches/s", name,
		       efs[i], opt.k,
		       (double)hits / (double)runs / (double)opt.k,
		       (double)runs / dt);
		if (!peer)
			printf("  %6.0f codes each",
			       (double)compared / (double)runs);
		printf("\n");
	}
}

static void build(struct bench *b)
{
	struct vexfs_graph_config cfg = {
		.space = &b->sp, .m = opt.m, .ef_construction = opt.efc,
		.seed = 1,
	};
	double t0;
	u32 i;

	if (vexfs_graph_init(&b->g, &cfg) ||
	    vexfs_graph_reserve(&b->g, (u32)b->n))
		must(NULL);
	b->s = must(vexfs_graph_scratch_alloc());
	if (vexfs_graph_scratch_prepare(b->s, &b->g, 1024))
		must(NULL);
	t0 = cpu_seconds();
	for (i = 0; i < b->n; i++)
		if (vexfs_graph_insert(&b->g, i, row_of(b, i), b->s))
			must(NULL);
	t0 = cpu_seconds() - t0;
	printf("vexfs    built in %.2f s, %.0f rows/s, %.1f bytes/row\n", t0,
	       (double)b->n / t0,
	       (double)vexfs_graph_memory(&b->g) / (double)b->n);
}

static void normalise(float *v, size_t n, size_t dims)
{
	size_t i, j;

	for (i = 0; i < n; i++, v += dims) {
		double sum = 0;

		for (j = 0; j < dims; j++)
			sum += (double)v[j] * (double)v[j];
		for (j = 0; j < dims && sum > 0; j++)
			v[j] = (float)(v[j] / sqrt(sum));
	}
}

static void usage(void)
{
	fprintf(stderr,
		"Options: [-f FILE.npy|.fvecs] [-n COUNT] [-d DIMS] [-q QUERIES]\n"
		"\t[-m M] [-c EF_CONSTRUCTION] [-k K] [-t cosine|l2|ip] [-s SECONDS]\n"
		"\t[-i sse2|avx2|avx512] [-1 (no peer)]\n");
	exit(2);
}

static void parse(int argc, char **argv)
{
	int c;

	while ((c = getopt(argc, argv, "f:n:d:q:m:c:k:t:s:i:1")) != -1) {
		switch (c) {
		case 'f':
			opt.file = optarg;
			break;
		case 'n':
			opt.n = strtoul(optarg, NULL, 0);
			break;
		case 'd':
			opt.dims = strtoul(optarg, NULL, 0);
			break;
		case 'q':
			opt.queries = strtoul(optarg, NULL, 0);
			break;
		case 'm':
			opt.m = (u32)atoi(optarg);
			break;
		case 'c':
			opt.efc = (u32)atoi(optarg);
			break;
		case 'k':
			opt.k = (u32)atoi(optarg);
			break;
		case 't':
			opt.metric = !strcmp(optarg, "l2") ? VEXFS_METRIC_L2 :
				     !strcmp(optarg, "ip") ? VEXFS_METRIC_IP :
				     VEXFS_METRIC_COSINE;
			break;
		case 's':
			opt.seconds = atof(optarg);
			break;
		case 'i':
			opt.simd = optarg;
			break;
		case '1':
			opt.peer = false;
			break;
		default:
			usage();
		}
	}
	if (!opt.k || opt.k > 600)
		usage();
}

/* The last vectors of the file are the queries. */
static void load(struct bench *b, struct vecfile *f)
{
	size_t i;

	if (opt.file ? vecfile_load(f, opt.file, 0) :
		       vecfile_random(f, opt.n + opt.queries, opt.dims, 200, 7))
		exit(1);
	if (f->n <= opt.queries) {
		fprintf(stderr, "too few vectors\n");
		exit(1);
	}
	if (opt.metric == VEXFS_METRIC_COSINE)
		normalise(f->v, f->n, f->dims);
	b->n = f->n - opt.queries;
	b->nq = opt.queries;
	b->queries = f->v + b->n * f->dims;
	if (vexfs_space_init(&b->sp, VEXFS_ELEM_F32, opt.metric, (u32)f->dims))
		usage();
	b->rows = must(aligned_alloc(64, ALIGN(b->n * b->sp.stride, 64ul)));
	memset(b->rows, 0, b->n * b->sp.stride);
	for (i = 0; i < b->n; i++)
		memcpy(b->rows + i * b->sp.stride, f->v + i * f->dims,
		       b->sp.row_bytes);
	b->hit = must(calloc(1024, sizeof(*b->hit)));
	b->best = must(calloc(1024, sizeof(*b->best)));
}

int main(int argc, char **argv)
{
	struct bench b = { 0 };
	struct vecfile f;

	parse(argc, argv);
	if (vexfs_simd_init(opt.simd))
		usage();
	load(&b, &f);
	printf("%zu x %zu, %zu queries, m %u, ef_construction %u, %s\n", b.n,
	       f.dims, b.nq, opt.m, opt.efc,
	       vexfs_simd_name(vexfs_simd_level()));
	build(&b);
	ground_truth(&b);
	curve(&b, NULL, "vexfs");
#ifdef HAVE_HNSWLIB
	if (opt.peer) {
		double t0 = cpu_seconds();
		void *peer = peer_build(f.v, b.n, f.dims,
					opt.metric == VEXFS_METRIC_L2, opt.m,
					opt.efc);

		t0 = cpu_seconds() - t0;
		printf("hnswlib  built in %.2f s, %.0f rows/s\n", t0,
		       (double)b.n / t0);
		curve(&b, peer, "hnswlib");
		peer_free(peer);
	}
#endif
	vexfs_graph_scratch_free(b.s);
	vexfs_graph_free(&b.g);
	vecfile_free(&f);
	free(b.rows);
	free(b.hit);
	free(b.best);
	free(b.truth);
	return 0;
}

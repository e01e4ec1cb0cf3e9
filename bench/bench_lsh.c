// SPDX-License-Identifier: GPL-2.0
/*
 * The LSH index of the shared core on one thread, through the calls of a
 * collection in memory: rate of inserts, then recall, rows compared and
 * searches per second for each ef, beside the exact scan, by CPU time.
 *
 *	make build/obj/libvexfs.a
 *	gcc -O2 -D_GNU_SOURCE -Iinclude -Iinclude/uapi -Ifs/vexfs \
 *	    -Ifs/vexfs/libvexfs -Ifs/vexfs/simd -Itools/lib \
 *	    bench/bench_lsh.c tests/unit/vecfile.c tests/unit/coll_mem.c \
 *	    build/obj/libvexfs.a -lm -lpthread -o build/bench_lsh
 *	build/bench_lsh FILE.npy [cosine|l2|ip [RECALL [QUERIES [TABLES]]]]
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include <linux/vexfs.h>

#include "simd.h"
#include "../tests/unit/coll_mem.h"
#include "../tests/unit/vecfile.h"
#include "../tests/unit/vtest.h"

#define K	10u
#define BATCH	10000u

static struct mem_coll m;

/* Of this thread, not of the clock: others may be using the machine. */
static double cpu_seconds(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

/* The queries are rows spread over the file, which are not inserted. */
static void hold_out(struct vecfile *f, size_t nq)
{
	size_t i, j, at, bytes = f->dims * sizeof(float);
	u64 rng = 77;
	float *t = malloc(bytes);

	for (i = 0; i < nq; i++) {
		j = f->n - 1 - i;
		at = vt_random(&rng) % (j + 1);
		memcpy(t, f->v + j * f->dims, bytes);
		memmove(f->v + j * f->dims, f->v + at * f->dims, bytes);
		memcpy(f->v + at * f->dims, t, bytes);
	}
	free(t);
}

static void insert(const struct vecfile *f, size_t n)
{
	double t = cpu_seconds();
	struct vexfs_coll_stat st;
	size_t i, now;

	for (i = 0; i < n; i += now) {
		now = min(n - i, (size_t)BATCH);
		if (mem_insert(&m, NULL, (u32)now, 0, f->v + i * f->dims,
			       NULL))
			exit(1);
	}
	t = cpu_seconds() - t;
	vexfs_coll_stat(m.coll, &st);
	printf("inserted %zu in %.2f s: %.0f/s, %.0f bytes each, %u buckets, %llu wait\n",
	       n, t, (double)n / t, (double)st.memory / (double)n, st.buckets,
	       (unsigned long long)st.pending);
}

static void reopen(size_t n)
{
	struct vexfs_coll_stat st;
	double t;

	if (mem_checkpoint(&m, 0))
		exit(1);
	mem_close(&m);
	t = cpu_seconds();
	if (mem_open(&m))
		exit(1);
	t = cpu_seconds() - t;
	vexfs_coll_stat(m.coll, &st);
	printf("loaded in %.3f s: %.0f/s, %u hashed again\n", t,
	       (double)n / t, st.rebuilt);
}

static void search(const struct vecfile *f, size_t n, size_t nq)
{
	static const u32 efs[] = { 0, 15, 20, 30, 50, 100 };
	struct vexfs_coll_searcher *s = vexfs_coll_searcher_alloc(m.coll);
	struct vexfs_coll_hit *want = calloc(nq * K, sizeof(*want)), got[K];
	struct vexfs_coll_result res;
	size_t q, e, i, j, hit;
	u64 compared, scans;
	double t;

	for (e = 0; e <= ARRAY_SIZE(efs); e++) {
		u32 ef = e ? efs[e - 1] : 0;

		hit = 0;
		compared = 0;
		scans = 0;
		t = cpu_seconds();
		for (q = 0; q < nq; q++) {
			if (vexfs_coll_search(s, f->v + (n + q) * f->dims, K,
					      ef, e ? 0 : VEXFS_COLL_EXACT,
					      e ? got : want + q * K, &res))
				exit(1);
			compared += res.compared;
			scans += res.mode == VEXFS_MODE_SCAN;
			for (i = 0; e && i < K; i++)
				for (j = 0; j < K; j++)
					hit += got[i].id == want[q * K + j].id;
		}
		t = cpu_seconds() - t;
		printf("%s ef %3u: recall@10 %.4f, %8.0f rows compared, %llu scans, %7.0f searches/s\n",
		       e ? "lsh  " : "exact", ef,
		       e ? (double)hit / (double)(nq * K) : 1.0,
		       (double)compared / (double)nq,
		       (unsigned long long)scans, (double)nq / t);
	}
	vexfs_coll_searcher_free(s);
	free(want);
}

int main(int argc, char **argv)
{
	struct vexfs_coll_config cfg = {
		.elem = VEXFS_ELEM_F32, .metric = VEXFS_METRIC_COSINE,
		.index = VEXFS_INDEX_LSH, .seed = 5,
	};
	size_t nq = argc > 4 ? strtoul(argv[4], NULL, 0) : 300;
	struct vecfile f;

	if (argc < 2 || vecfile_load(&f, argv[1], 0) || f.n <= nq ||
	    vexfs_simd_init(NULL))
		return 2;
	if (argc > 2)
		cfg.metric = !strcmp(argv[2], "l2") ? VEXFS_METRIC_L2 :
			     !strcmp(argv[2], "ip") ? VEXFS_METRIC_IP :
			     VEXFS_METRIC_COSINE;
	if (argc > 3)
		cfg.lsh_recall = (u32)(atof(argv[3]) * 10000 + 0.5);
	if (argc > 5)
		cfg.lsh_tables = (u32)atoi(argv[5]);
	cfg.dims = (u32)f.dims;
	hold_out(&f, nq);
	if (mem_create(&m, &cfg, (u32)f.n + 1000))
		return 1;
	insert(&f, f.n - nq);
	reopen(f.n - nq);
	search(&f, f.n - nq, nq);
	mem_destroy(&m);
	vecfile_free(&f);
	return 0;
}

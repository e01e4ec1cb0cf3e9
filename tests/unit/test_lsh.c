// SPDX-License-Identifier: GPL-2.0
/*
 * The LSH index: projections on each instruction set, the order of probes,
 * recall, churn, what a checkpoint keeps.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include <linux/vexfs.h>

#include "coll_mem.h"
#include "lsh.h"
#include "simd.h"
#include "vtest.h"

#define DIMS	48u
#define ROWS	6000u
#define K	10u

static u64 rng = 3;
static float *rows;
static struct mem_coll m;

static float normal(void)
{
	float sum = 0;
	int i;

	for (i = 0; i < 6; i++)
		sum += vt_uniform(&rng);
	return sum;
}

/* Clusters, away from the origin, with noise around each. */
static float *make_rows(u32 n, u32 dims)
{
	const u32 clusters = 40;
	float *centre = calloc((size_t)clusters * dims, sizeof(*centre));
	float *v = calloc((size_t)n * dims, sizeof(*v));
	u32 i, j;

	if (!centre || !v)
		abort();
	for (i = 0; i < clusters * dims; i++)
		centre[i] = 2 + normal();
	for (i = 0; i < n; i++) {
		const float *c = centre + vt_random(&rng) % clusters * dims;

		for (j = 0; j < dims; j++)
			v[i * dims + j] = c[j] + normal() * 0.5f;
	}
	free(centre);
	return v;
}

/* ------------------------------------------------------------- projections */

static void test_same_bits(void)
{
	static const u32 dims[] = { 1, 3, 17, 64, 100, 129, 768, 1500, 4100 };
	static const char *const isa[] = { "sse2", "avx2", "avx512" };
	u32 want[16], got[16], i, j, n = 0;
	u16 margin[2][512];

	for (i = 0; i < ARRAY_SIZE(dims); i++) {
		float *row = make_rows(2, dims[i]);
		struct vexfs_projector pj;
		struct vexfs_space sp;
		void *work;

		if (vexfs_space_init(&sp, VEXFS_ELEM_F32,
				     i % 2 ? VEXFS_METRIC_L2 :
				     VEXFS_METRIC_COSINE, dims[i]) ||
		    vexfs_projector_init(&pj, &sp, 512, 5))
			abort();
		work = aligned_alloc(64, vexfs_projector_work(&pj));
		for (j = 0; j < ARRAY_SIZE(isa); j++) {
			const void *at = row;

			if (vexfs_simd_init(isa[j]))
				continue;
			vexfs_project_query(&pj, row, j ? got : want,
					    margin[!!j], work);
			n += !!j;
			CHECK(!j || !memcmp(got, want, sizeof(got)),
			      "%s, %u: bits", isa[j], dims[i]);
			CHECK(!j || !memcmp(margin[0], margin[1],
					    sizeof(margin[0])),
			      "%s, %u: margins", isa[j], dims[i]);
			vexfs_project_rows(&pj, &at, 1, got, work);
			CHECK(!memcmp(got, want, sizeof(got)),
			      "%s, %u: a row", isa[j], dims[i]);
		}
		vexfs_projector_free(&pj);
		free(work);
		free(row);
	}
	CHECK(n, "only SSE2 here");
	vexfs_simd_init(NULL);
	vt_done("sketches are the same on all instruction sets", NULL);
}

/* Bits differ in proportion to the angle, whatever the dimension. */
static void test_angles(void)
{
	static const u32 dims[] = { 24, 100, 768 };
	u32 out[2][16], i, j, n, d;

	for (i = 0; i < ARRAY_SIZE(dims); i++) {
		float *row = make_rows(2, dims[i]);
		double dot, a, b, angle, differ = 0, sum = 0;
		struct vexfs_projector pj;
		struct vexfs_space sp;
		void *work;

		for (n = 0; n < 40; n++) {
			if (vexfs_space_init(&sp, VEXFS_ELEM_F32,
					     VEXFS_METRIC_COSINE, dims[i]) ||
			    vexfs_projector_init(&pj, &sp, 512, n + 1))
				abort();
			work = aligned_alloc(64, vexfs_projector_work(&pj));
			dot = 0;
			a = 0;
			b = 0;
			for (j = 0; j < dims[i]; j++) {
				float *x = row + j, *y = row + dims[i] + j;

				*x = normal();
				*y = *x + normal() * (float)(n % 8) / 4;
				dot += *x * *y;
				a += *x * *x;
				b += *y * *y;
			}
			angle = acos(fmin(1, dot / sqrt(a * b))) / M_PI;
			for (j = 0; j < 2; j++) {
				const void *at = row + j * dims[i];

				vexfs_project_rows(&pj, &at, 1, out[j], work);
			}
			for (j = 0, d = 0; j < 16; j++)
				d += hweight32(out[0][j] ^ out[1][j]);
			differ += d / 512.0 - angle;
			sum += angle;
			CHECK(fabs(d / 512.0 - angle) < 0.09,
			      "%u: %g of the bits for %g", dims[i], d / 512.0,
			      angle);
			vexfs_projector_free(&pj);
			free(work);
		}
		CHECK(fabs(differ / 40) < 0.012, "%u: %g apart on average",
		      dims[i], differ / 40);
		CHECK(sum > 2, "angles");
		free(row);
	}
	vt_done("sketches differ as much as the angle is wide", NULL);
}

/* ------------------------------------------------------------------ probes */

struct watch {
	u32	n, last, errors, again;
	u8	seen[16][4096];
};

static void watched(void *priv, u32 table, u32 bucket, u32 cost)
{
	struct watch *w = priv;

	/* Lists are 16 wide */
	if (cost / 16 < w->last / 16)
		w->errors++;
	w->last = cost;
	w->n++;
	if (bucket < 4096 && w->seen[table][bucket]++)
		w->again++;
}

static void fill(struct vexfs_lsh *lsh, u32 n)
{
	const void *row[VEXFS_PIN_MAX];
	u64 *sum = calloc(lsh->pj.bits + 2, sizeof(*sum));
	u32 i;

	for (i = 0; i < 500; i++)
		vexfs_sample_add(&lsh->pj, rows + i * DIMS, sum, lsh->work);
	if (vexfs_lsh_reserve(lsh, n))
		abort();
	vexfs_lsh_restart(lsh, sum, 500, n);
	for (i = 0; i < n; i++) {
		row[0] = rows + i * DIMS;
		if (vexfs_lsh_make_room(lsh, 1))
			abort();
		mutex_lock(&lsh->lock);
		vexfs_lsh_hash(lsh, i, row, 1);
		vexfs_lsh_add(lsh, i);
		mutex_unlock(&lsh->lock);
	}
	free(sum);
}

static void test_probes(void)
{
	struct vexfs_lsh_config lc = { .tables = 16, .address = 24,
				       .seed = 9 };
	struct vexfs_lsh_scratch *sc;
	static struct watch w;
	struct vexfs_space sp;
	struct vexfs_lsh lsh;
	u32 q, i, probes, few, many;
	char detail[64];

	if (vexfs_space_init(&sp, VEXFS_ELEM_F32, VEXFS_METRIC_L2, DIMS))
		abort();
	lc.space = &sp;
	if (vexfs_lsh_init(&lsh, &lc))
		abort();
	fill(&lsh, ROWS);
	CHECK(lsh.count == ROWS, "count %u", lsh.count);
	CHECK(lsh.nbuckets > ROWS / 20, "%u buckets", lsh.nbuckets);
	sc = vexfs_lsh_scratch_alloc(&lsh);
	vexfs_lsh_watch(sc, watched, &w);
	for (q = 0; q < 20; q++) {
		memset(&w, 0, sizeof(w));
		vexfs_lsh_query(&lsh, rows + q * 31 * DIMS, sc);
		CHECK(!vexfs_lsh_probe(&lsh, sc, 100, 5000, ROWS), "probe");
		vexfs_lsh_effort(sc, &probes, &few);
		memset(&w, 0, sizeof(w));
		CHECK(!vexfs_lsh_probe(&lsh, sc, 100, 9900, ROWS), "probe");
		CHECK(!w.errors, "%u out of order", w.errors);
		CHECK(!w.again, "%u twice", w.again);
		vexfs_lsh_effort(sc, &probes, &many);
		CHECK(many > few, "%u, then %u", few, many);
		/* A row is found at once by its own sketch */
		CHECK(vexfs_lsh_apart(&lsh, sc, q * 31) == 0, "apart");
	}
	/* All of them: whatever is in the tables is found, once */
	vexfs_lsh_query(&lsh, rows, sc);
	CHECK(!vexfs_lsh_probe(&lsh, sc, 256, 10000, ROWS), "all");
	vexfs_lsh_query(&lsh, rows, sc);
	CHECK(vexfs_lsh_probe(&lsh, sc, 256, 10000, ROWS / 2) == -E2BIG,
	      "no end");
	vexfs_lsh_query(&lsh, rows, sc);
	CHECK(!vexfs_lsh_probe(&lsh, sc, 256, 10000, ROWS), "all");
	vexfs_lsh_effort(sc, &probes, &many);
	CHECK(many == ROWS, "%u of %u rows in %u probes", many, ROWS, probes);
	for (i = 0; i < ROWS; i++)
		vexfs_lsh_remove(&lsh, i);
	CHECK(!lsh.count, "count %u", lsh.count);
	vexfs_lsh_query(&lsh, rows, sc);
	vexfs_lsh_probe(&lsh, sc, 256, 10000, ROWS + 1);
	vexfs_lsh_effort(sc, &probes, &many);
	CHECK(!many, "%u are still there", many);
	snprintf(detail, sizeof(detail), "# %u buckets", lsh.nbuckets);
	vexfs_lsh_scratch_free(sc);
	vexfs_lsh_free(&lsh);
	vt_done("probes, most likely first, each once", detail);
}

/* -------------------------------------------------------------- collection */

static void open_new(u8 metric, u32 recall)
{
	struct vexfs_coll_config cfg = {
		.dims = DIMS, .elem = VEXFS_ELEM_F32, .metric = metric,
		.index = VEXFS_INDEX_LSH, .lsh_recall = recall, .seed = 21,
	};

	if (mem_create(&m, &cfg, 1 << 16))
		abort();
}

static double measure(u32 ef, u64 *compared, u32 *mode)
{
	struct vexfs_coll_searcher *s = vexfs_coll_searcher_alloc(m.coll);
	struct vexfs_coll_hit got[K], want[K];
	struct vexfs_coll_result res;
	u32 q, i, j, n, hit = 0, all = 0;
	float row[DIMS];

	*compared = 0;
	for (q = 0; q < 100; q++) {
		for (i = 0; i < DIMS; i++)
			row[i] = rows[q * 7 * DIMS + i] + normal() * 0.2f;
		CHECK(!vexfs_coll_search(s, row, K, ef, 0, got, &res), "search");
		n = res.count;
		*compared += res.compared;
		*mode = res.mode;
		for (i = 1; i < n; i++)
			CHECK(got[i].key >= got[i - 1].key, "not sorted");
		CHECK(!vexfs_coll_search(s, row, K, 0, VEXFS_COLL_EXACT, want,
					 &res), "search");
		CHECK(n == res.count, "%u hits, exactly %u", n, res.count);
		for (i = 0; i < n; i++)
			for (j = 0; j < n; j++)
				hit += got[i].id == want[j].id &&
				       got[i].key == want[j].key;
		all += n;
	}
	vexfs_coll_searcher_free(s);
	return (double)hit / all;
}

static void test_recall(u8 metric, const char *name)
{
	u64 compared, more;
	char detail[100];
	double low, high;
	u32 mode;

	open_new(metric, 9000);
	CHECK(!mem_insert(&m, NULL, ROWS, 0, rows, NULL), "insert");
	CHECK(!m.pinned, "pinned");
	low = measure(0, &compared, &mode);
	CHECK(mode == VEXFS_MODE_LSH, "mode %u", mode);
	CHECK(low >= 0.9, "recall %.3f", low);
	CHECK(compared < 100ull * ROWS / 4, "%llu compared",
	      (unsigned long long)compared);
	high = measure(100, &more, &mode);
	CHECK(high > low && high >= 0.94 && more > compared,
	      "ef 100: recall %.3f, then %.3f", low, high);
	snprintf(detail, sizeof(detail), "# %.3f at %llu rows, %.3f at %llu",
		 low, (unsigned long long)compared / 100, high,
		 (unsigned long long)more / 100);
	mem_destroy(&m);
	vt_done(name, detail);
}

/* Nothing waits when an insert has returned, nor is deleted found. */
static void test_churn(void)
{
	struct vexfs_coll_stat st;
	u64 ids[500], compared;
	u32 round, i, n, mode;
	double recall;
	char detail[64];

	open_new(VEXFS_METRIC_L2, 9000);
	for (i = 0; i < ROWS; i += 500) {
		CHECK(!mem_insert(&m, NULL, 500, 0, rows + i * DIMS, NULL),
		      "insert");
		vexfs_coll_stat(m.coll, &st);
		CHECK(!st.pending && st.indexed == i + 500, "%llu wait",
		      (unsigned long long)st.pending);
	}
	for (round = 0; round < 24; round++) {
		for (i = 0; i < 500; i++)
			ids[i] = (round * 500 + i) % ROWS;
		CHECK(!vexfs_coll_delete(m.coll, ids, 500, 0, &n), "delete");
		CHECK(!mem_commit(&m, 0) && !mem_settle(&m) &&
		      !mem_commit(&m, 0), "commit");
		CHECK(!mem_insert(&m, ids, 500, 0,
				  rows + ids[0] * DIMS, NULL), "insert");
		vexfs_coll_stat(m.coll, &st);
		CHECK(!st.pending && st.live == ROWS, "%llu wait, %llu live",
		      (unsigned long long)st.pending,
		      (unsigned long long)st.live);
	}
	CHECK(st.slots <= ROWS + 500, "%llu slots",
	      (unsigned long long)st.slots);
	recall = measure(0, &compared, &mode);
	CHECK(recall >= 0.9 && mode == VEXFS_MODE_LSH, "recall %.3f", recall);
	snprintf(detail, sizeof(detail), "# recall %.3f", recall);
	mem_destroy(&m);
	vt_done("churn", detail);
}

/* A checkpoint is loaded, and nothing is hashed again. */
static void test_reopen(void)
{
	struct vexfs_coll_stat st;
	u64 compared, again;
	double recall, then;
	u32 mode;

	open_new(VEXFS_METRIC_COSINE, 9000);
	CHECK(!mem_insert(&m, NULL, ROWS - 300, 0, rows, NULL), "insert");
	recall = measure(0, &compared, &mode);
	CHECK(!mem_checkpoint(&m, 0), "checkpoint");
	mem_close(&m);
	CHECK(!mem_open(&m), "open");
	vexfs_coll_stat(m.coll, &st);
	CHECK(!st.rebuilt && !st.damaged && !st.pending &&
	      st.indexed == ROWS - 300, "%u hashed again", st.rebuilt);
	then = measure(0, &again, &mode);
	CHECK(fabs(then - recall) < 0.03 && mode == VEXFS_MODE_LSH,
	      "recall %.3f, then %.3f", recall, then);
	/* What came after the checkpoint is hashed again */
	CHECK(!mem_insert(&m, NULL, 300, 0, rows + (ROWS - 300) * DIMS, NULL),
	      "insert");
	CHECK(!mem_commit(&m, 0), "commit");
	mem_close(&m);
	CHECK(!mem_open(&m), "open");
	vexfs_coll_stat(m.coll, &st);
	CHECK(st.rebuilt == 300, "%u hashed again", st.rebuilt);
	CHECK(measure(0, &again, &mode) >= 0.9, "recall");
	CHECK(!mem_settle(&m), "settle");
	vexfs_coll_stat(m.coll, &st);
	CHECK(!st.pending && st.indexed == ROWS, "%llu wait",
	      (unsigned long long)st.pending);
	mem_destroy(&m);
	vt_done("a checkpoint is loaded", NULL);
}

/* Sorted by place: the centre of the first rows is no centre of all. */
static void test_drift(void)
{
	u64 compared;
	u32 i, j, mode;
	double recall;
	char detail[64];

	open_new(VEXFS_METRIC_L2, 9000);
	for (i = 0; i < 200; i++)
		for (j = 0; j < DIMS; j++)
			rows[i * DIMS + j] += 5;
	for (i = 0; i < ROWS; i += 200)
		CHECK(!mem_insert(&m, NULL, 200, 0, rows + i * DIMS, NULL),
		      "insert");
	CHECK(!mem_settle(&m), "settle");
	recall = measure(0, &compared, &mode);
	CHECK(recall >= 0.9 && mode == VEXFS_MODE_LSH, "recall %.3f", recall);
	CHECK(compared < 100ull * ROWS / 4, "%llu compared",
	      (unsigned long long)compared);
	snprintf(detail, sizeof(detail), "# recall %.3f", recall);
	mem_destroy(&m);
	vt_done("the centre moves", detail);
}

/* All the same: buckets as long as the collection. */
static void test_same(void)
{
	float *same = calloc((size_t)ROWS * DIMS, sizeof(*same));
	struct vexfs_coll_hit got[K];
	struct vexfs_coll_result res;
	struct vexfs_coll_searcher *s;
	u64 ids[1000];
	u32 i, n;

	open_new(VEXFS_METRIC_COSINE, 9000);
	CHECK(!mem_insert(&m, NULL, ROWS, 0, same, NULL), "insert");
	s = vexfs_coll_searcher_alloc(m.coll);
	CHECK(!vexfs_coll_search(s, same, K, 0, 0, got, &res), "search");
	CHECK(res.count == K && got[0].id == 0 && got[K - 1].id == K - 1,
	      "%u hits from %llu", res.count, (unsigned long long)got[0].id);
	for (i = 0; i < 1000; i++)
		ids[i] = i;
	CHECK(!vexfs_coll_delete(m.coll, ids, 1000, 0, &n), "delete");
	CHECK(!mem_commit(&m, 0) && !mem_settle(&m), "commit");
	CHECK(!vexfs_coll_search(s, same, K, 0, 0, got, &res), "search");
	CHECK(res.count == K && got[0].id == 1000, "%u hits from %llu",
	      res.count, (unsigned long long)got[0].id);
	vexfs_coll_searcher_free(s);
	mem_destroy(&m);
	free(same);
	vt_done("rows that are all the same", NULL);
}

int main(void)
{
	if (vexfs_simd_init(NULL))
		return 1;
	rows = make_rows(ROWS, DIMS);
	test_same_bits();
	test_angles();
	test_probes();
	test_recall(VEXFS_METRIC_L2, "recall, L2");
	test_recall(VEXFS_METRIC_COSINE, "recall, cosine");
	test_recall(VEXFS_METRIC_IP, "recall, inner product");
	test_churn();
	test_reopen();
	test_drift();
	test_same();
	free(rows);
	return vt_exit();
}

// SPDX-License-Identifier: GPL-2.0
/*
 * Collections of each element type and metric: exact searches, alone and in
 * batches, against a reference in double precision; recall of the graph; rows
 * that are refused. At each level of instructions this CPU has.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include "coll_mem.h"
#include "coll_search.h"
#include "vtest.h"

#define ROWS	600u
#define QUERIES	24u
#define K	10u
#define DIMS	45u

static const char *const types[] = { "", "f32", "f16", "bf16", "i8", "u8",
				     "b1" };
static const char *const metrics[] = { "", "L2", "inner product", "cosine",
				       "L1", "Hamming" };
static u64 rnd = 5;

/* Small whole numbers, which all types hold, around a few centres. */
static int values[ROWS + QUERIES][DIMS];

static void make_values(bool bits)
{
	static int centre[12][DIMS];
	u32 i, j, c;

	for (i = 0; i < 12; i++)
		for (j = 0; j < DIMS; j++)
			centre[i][j] = (int)(vt_random(&rnd) % 81);
	for (i = 0; i < ROWS + QUERIES; i++) {
		c = vt_random(&rnd) % 12;
		for (j = 0; j < DIMS; j++) {
			int v = centre[c][j] +
				(int)(vt_random(&rnd) % 21);

			values[i][j] = bits ? v > 50 : v;
		}
	}
}

/* A number up to 100 as an element; f16 has 11 bits for it, bf16 8. */
static void put(u8 elem, u8 *row, u32 i, int v)
{
	float f = (float)v;
	u32 bits;
	u16 h;

	memcpy(&bits, &f, sizeof(bits));
	switch (elem) {
	case VEXFS_ELEM_F32:
		memcpy(row + (size_t)i * 4, &f, sizeof(f));
		break;
	case VEXFS_ELEM_F16:
		h = v ? (u16)((bits - (112u << 23)) >> 13) : 0;
		memcpy(row + (size_t)i * 2, &h, sizeof(h));
		break;
	case VEXFS_ELEM_BF16:
		h = (u16)(bits >> 16);
		memcpy(row + (size_t)i * 2, &h, sizeof(h));
		break;
	case VEXFS_ELEM_B1:
		row[i / 8] |= (u8)(v << i % 8);
		break;
	default:
		row[i] = (u8)v;
	}
}

static double distance(u8 metric, const int *a, const int *b)
{
	double l1 = 0, l2 = 0, dot = 0, aa = 0, bb = 0;
	u32 i;

	for (i = 0; i < DIMS; i++) {
		l1 += abs(a[i] - b[i]);
		l2 += (a[i] - b[i]) * (a[i] - b[i]);
		dot += a[i] * b[i];
		aa += a[i] * a[i];
		bb += b[i] * b[i];
	}
	switch (metric) {
	case VEXFS_METRIC_L2:
		return l2;
	case VEXFS_METRIC_IP:
		return -dot;
	case VEXFS_METRIC_COSINE:
		return aa * bb > 0 ? fmax(1 - dot / sqrt(aa * bb), 0) : 1;
	default:
		return l1;
	}
}

struct ranked {
	float	d;
	u32	id;
};

static int ranked_cmp(const void *a, const void *b)
{
	const struct ranked *x = a, *y = b;

	if (x->d != y->d)
		return x->d < y->d ? -1 : 1;
	return x->id < y->id ? -1 : x->id > y->id;
}

static void reference(u8 metric, u32 q, struct ranked *all)
{
	u32 i;

	for (i = 0; i < ROWS; i++)
		all[i] = (struct ranked){
			(float)distance(metric, values[ROWS + q], values[i]),
			i };
	qsort(all, ROWS, sizeof(*all), ranked_cmp);
}

static void check_exact(u8 metric, const struct vexfs_coll_hit *hits,
			const struct vexfs_coll_result *res, u32 n,
			const char *how)
{
	static struct ranked all[ROWS];
	u32 q, i;

	for (q = 0; q < n; q++) {
		reference(metric, q, all);
		CHECK(res[q].count == K && res[q].mode == VEXFS_MODE_SCAN &&
		      res[q].compared == ROWS, "%s: %u hits", how,
		      res[q].count);
		for (i = 0; i < K; i++) {
			const struct vexfs_coll_hit *hit = hits + q * K + i;

			CHECK(hit->id == all[i].id &&
			      hit->key == vt_key(all[i].d),
			      "%s, hit %u: %llu at %#x, not %u at %#x", how, i,
			      hit->id, hit->key, all[i].id, vt_key(all[i].d));
		}
	}
}

/* How many of the nearest, or what is as near, the graph found. */
static double recall_of(u8 metric, const struct vexfs_coll_hit *hits)
{
	static struct ranked all[ROWS];
	u32 q, i, bits, found = 0;
	double last;

	for (q = 0; q < QUERIES; q++) {
		reference(metric, q, all);
		last = (double)all[K - 1].d;
		for (i = 0; i < K; i++) {
			bits = vexfs_key_to_bits(hits[q * K + i].key);
			found += (double)vt_bits_to_float(bits) <=
				 last + (fabs(last) + 1) / 1e6;
		}
	}
	return (double)found / (QUERIES * K);
}

static void search_all(struct mem_coll *m, const u8 *queries, u8 metric,
		       const char *level)
{
	static struct vexfs_coll_hit hits[QUERIES * K];
	static struct vexfs_coll_result res[QUERIES];
	struct vexfs_coll_searcher *s = vexfs_coll_searcher_alloc(m->coll);
	double recall;
	u32 q, n;

	/* Alone, a few, and enough of them for a tile or two. */
	for (n = 1; n <= QUERIES; n += n < 3 ? 1 : 7) {
		CHECK(!vexfs_coll_search_many(s, queries, n, K, 0,
					      VEXFS_COLL_EXACT, hits, res),
		      "%s: batch of %u", level, n);
		check_exact(metric, hits, res, n, level);
	}
	for (q = 0; q < QUERIES; q++) {
		CHECK(!vexfs_coll_search(s, queries + (size_t)q *
					 m->cfg.row_bytes, K, 40, 0,
					 hits + q * K, res), "%s", level);
		CHECK(res[0].count == K && res[0].mode == VEXFS_MODE_GRAPH,
		      "%s: %u hits, mode %u", level, res[0].count,
		      res[0].mode);
	}
	recall = recall_of(metric, hits);
	CHECK(recall >= 0.95, "%s: recall %g", level, recall);
	vexfs_coll_searcher_free(s);
}

static void test_pair(u8 elem, u8 metric)
{
	static const char *const levels[] = { "sse2", "avx2", "avx512" };
	struct vexfs_coll_config cfg = {
		.dims = DIMS, .elem = elem, .metric = metric,
		.index = VEXFS_INDEX_HNSW, .m = 8, .ef_construction = 60,
		.seed = 3,
	};
	struct mem_coll m = { 0 };
	u8 *rows = calloc(ROWS + QUERIES, (size_t)DIMS * 4);
	char name[48];
	u32 i, j;
	size_t l;

	make_values(elem == VEXFS_ELEM_B1);
	vexfs_simd_init(NULL);
	if (mem_create(&m, &cfg, 1 << 20))
		abort();
	for (i = 0; i < ROWS + QUERIES; i++)
		for (j = 0; j < DIMS; j++)
			put(elem, rows + (size_t)i * m.cfg.row_bytes, j,
			    values[i][j]);
	CHECK(!mem_insert(&m, NULL, ROWS, 0, rows, NULL), "insert");
	CHECK(!mem_settle(&m), "settle");
	for (l = 0; l < ARRAY_SIZE(levels); l++)
		if (!vexfs_simd_init(levels[l]))
			search_all(&m, rows + (size_t)ROWS * m.cfg.row_bytes,
				   metric, levels[l]);
	vexfs_simd_init(NULL);
	mem_destroy(&m);
	free(rows);
	snprintf(name, sizeof(name), "%s, %s", types[elem], metrics[metric]);
	vt_done(name, NULL);
}

/* What is no number, or has bits where there is no dimension. */
static void test_refused(void)
{
	static const struct {
		u8	elem, metric;
		u8	at, byte;
	} bad[] = {
		{ VEXFS_ELEM_F32, VEXFS_METRIC_L2, 3, 0x7f },
		{ VEXFS_ELEM_F16, VEXFS_METRIC_L1, 1, 0x7c },
		{ VEXFS_ELEM_BF16, VEXFS_METRIC_IP, 1, 0x7f },
		{ VEXFS_ELEM_B1, VEXFS_METRIC_HAMMING, 0, 0x20 },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		struct vexfs_coll_config cfg = {
			.dims = 5, .elem = bad[i].elem,
			.metric = bad[i].metric, .index = VEXFS_INDEX_FLAT,
			.seed = 1,
		};
		struct mem_coll m = { 0 };
		u8 row[20] = { 0 };

		if (mem_create(&m, &cfg, 1 << 16))
			abort();
		CHECK(!mem_insert(&m, NULL, 1, 0, row, NULL), "zeroes");
		row[bad[i].at] = bad[i].byte;
		if (bad[i].elem == VEXFS_ELEM_F32 ||
		    bad[i].elem == VEXFS_ELEM_BF16)
			row[bad[i].at - 1] = 0x80;
		CHECK(mem_insert(&m, NULL, 1, 0, row, NULL) == -EINVAL,
		      "%s", types[bad[i].elem]);
		mem_destroy(&m);
	}
	vt_done("rows that are none", NULL);
}

int main(void)
{
	struct vexfs_space sp;
	u8 elem, metric;

	vexfs_simd_init(NULL);
	for (elem = VEXFS_ELEM_F32; elem <= VEXFS_ELEM_B1; elem++)
		for (metric = VEXFS_METRIC_L2;
		     metric <= VEXFS_METRIC_HAMMING; metric++)
			if (!vexfs_space_init(&sp, elem, metric, DIMS))
				test_pair(elem, metric);
	test_refused();
	return vt_exit();
}

// SPDX-License-Identifier: GPL-2.0
/*
 * How far behind another a code may be if its vector is as near: wide enough
 * for what rounding does, and no wider than is of use.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include "simd.h"
#include "vtest.h"

#define ROWS	500u

static u64 rnd = 1;

/* By exact distance or by code, and which row. */
struct ranked {
	u32	key;
	u32	row;
};

struct limit_case {
	struct vexfs_space sp;
	struct vexfs_query *q;
	char	*rows;
	char	*codes;
	const void *row[ROWS];
	const void *code[ROWS];
	u32	exact[ROWS];
	u32	rough[ROWS];
};

static void case_init(struct limit_case *c, u8 elem, u8 metric, u32 dims)
{
	u32 i;

	memset(c, 0, sizeof(*c));
	if (vexfs_space_init(&c->sp, elem, metric, dims))
		abort();
	c->q = aligned_alloc(64, ALIGN(c->sp.query_bytes, 64u));
	c->rows = calloc(ROWS, c->sp.stride);
	c->codes = aligned_alloc(64, (size_t)ROWS * c->sp.code_bytes);
	for (i = 0; i < ROWS; i++) {
		c->row[i] = c->rows + (size_t)i * c->sp.stride;
		c->code[i] = c->codes + (size_t)i * c->sp.code_bytes;
	}
}

static void case_free(struct limit_case *c)
{
	free(c->q);
	free(c->rows);
	free(c->codes);
}

/* Of one cluster, at @away from the origin; row 0 is the query. */
static void make_floats(struct limit_case *c, float away)
{
	u32 i, j;

	for (i = 0; i < ROWS; i++)
		for (j = 0; j < c->sp.dims; j++)
			((float *)c->row[i])[j] = away + vt_uniform(&rnd);
}

static void measure(struct limit_case *c)
{
	u32 i;

	for (i = 0; i < ROWS; i++)
		vexfs_code_encode(&c->sp, c->row[i], (void *)c->code[i]);
	vexfs_query_prepare(&c->sp, c->row[0], c->q);
	vexfs_dist_codes(&c->sp, c->q, c->code, ROWS, c->rough);
	vexfs_dist_rows(&c->sp, c->q, c->row, ROWS, c->exact);
}

/*
 * Of pairs in which b is nearer than a, how many have b's code beyond the
 * limit of a's; and of all, how many codes are within it.
 */
static void test_rounding(u8 metric, u32 dims, float away, double most)
{
	u64 pairs = 0, beyond = 0, further = 0, within = 0;
	u32 turn, a, b, limit;
	struct limit_case c;
	char text[80];

	case_init(&c, VEXFS_ELEM_F32, metric, dims);
	for (turn = 0; turn < 4; turn++) {
		make_floats(&c, away);
		measure(&c);
		for (a = 1; a < ROWS; a++) {
			limit = vexfs_code_limit(&c.sp, c.q, c.rough[a]);
			CHECK(limit > c.rough[a], "limit %#x for %#x", limit,
			      c.rough[a]);
			for (b = 1; b < ROWS; b++) {
				pairs += c.exact[b] < c.exact[a];
				beyond += c.exact[b] < c.exact[a] &&
					  c.rough[b] > limit;
				further += c.exact[b] > c.exact[a];
				within += c.exact[b] > c.exact[a] &&
					  c.rough[b] <= limit;
			}
		}
	}
	CHECK(beyond * 10000 <= pairs, "%llu of %llu are beyond",
	      (unsigned long long)beyond, (unsigned long long)pairs);
	CHECK((double)within <= most * (double)further, "%llu of %llu are within",
	      (unsigned long long)within, (unsigned long long)further);
	snprintf(text, sizeof(text), "metric %u, %u dimensions: %.4f within",
		 metric, dims, (double)within / (double)further);
	vt_done("rounding,", text);
	case_free(&c);
}

/* Exact codes leave nothing open; of products nothing is known. */
static void test_others(void)
{
	struct limit_case c;

	case_init(&c, VEXFS_ELEM_U8, VEXFS_METRIC_L2, 64);
	CHECK(vexfs_code_limit(&c.sp, c.q, 77) == 77, "u8");
	case_free(&c);
	case_init(&c, VEXFS_ELEM_F32, VEXFS_METRIC_IP, 64);
	CHECK(vexfs_code_limit(&c.sp, c.q, 77) == ~0u, "inner product");
	case_free(&c);
	case_init(&c, VEXFS_ELEM_F32, VEXFS_METRIC_L1, 64);
	CHECK(vexfs_code_limit(&c.sp, c.q, 77) == ~0u, "L1");
	case_free(&c);
	vt_done("exact codes, other metrics", NULL);
}

int main(void)
{
	static const u32 dims[] = { 8, 100, 768 };
	u32 i;

	if (vexfs_simd_init(NULL))
		abort();
	for (i = 0; i < ARRAY_SIZE(dims); i++) {
		test_rounding(VEXFS_METRIC_L2, dims[i], 0, 0.05);
		test_rounding(VEXFS_METRIC_COSINE, dims[i], 1, 0.05);
	}
	test_others();
	vexfs_simd_exit();
	return vt_exit();
}

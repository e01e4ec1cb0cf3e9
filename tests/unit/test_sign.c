// SPDX-License-Identifier: GPL-2.0
/*
 * Sign codes: the same on each instruction set that this CPU has, at the edge
 * of memory, and estimates that are right on average and as near as they should
 * be.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include <float.h>
#include <math.h>

#include "sign.h"
#include "sign_priv.h"
#include "vtest.h"

#define CENTRES	5u
#define SAMPLE	60u
#define ROWS	41u		/* not a multiple of any group */

static const char *const levels[] = { "sse2", "avx2", "avx512bw",
				      "avx512vnni" };
static const u8 metrics[] = { VEXFS_METRIC_L2, VEXFS_METRIC_IP,
			      VEXFS_METRIC_COSINE };
static u64 rnd = 1;

static double normal(void)
{
	double sum = 0;
	int i;

	for (i = 0; i < 12; i++)
		sum += (double)(vt_random(&rnd) >> 11) / 0x1p53;
	return sum - 6;
}

/* Everything that is made of some rows, for comparison. */
struct made {
	struct vexfs_space sp;
	struct vexfs_sign_table t;
	struct vexfs_query *q;
	char	*rows;
	char	*codes;
	char	*signs;
	const void *sign[ROWS];
	u32	near[ROWS];
	/* Centres near the query */
	u32	query_near[VEXFS_SIGN_NEAR];
	u32	far[ROWS];
	u32	keys[ROWS];
};

static void *row_of(const struct made *m, u32 i)
{
	return m->rows + (size_t)i * m->sp.row_bytes;
}

static void *code_of(const struct made *m, u32 i)
{
	return m->codes + (size_t)i * m->sp.code_bytes;
}

/* Around some points that are far apart; the first is the query. */
static void make_rows(struct made *m)
{
	float *centre = calloc((size_t)CENTRES * m->sp.dims, sizeof(*centre));
	u32 i, j;

	for (i = 0; i < CENTRES * m->sp.dims; i++)
		centre[i] = (float)normal() * 2;
	for (i = 0; i < SAMPLE; i++) {
		for (j = 0; j < m->sp.dims; j++) {
			float x = centre[i % CENTRES * m->sp.dims + j] +
				  (float)normal();

			if (m->sp.elem == VEXFS_ELEM_F32) {
				((float *)row_of(m, i))[j] = x;
			} else {
				u32 bits;

				memcpy(&bits, &x, sizeof(bits));
				((u16 *)row_of(m, i))[j] = (u16)(bits >> 16);
			}
		}
	}
	free(centre);
}

static void made_init(struct made *m, u8 elem, u8 metric, u32 dims)
{
	u32 i;

	memset(m, 0, sizeof(*m));
	if (vexfs_space_init(&m->sp, elem, metric, dims) || !m->sp.sign_bytes)
		abort();
	m->q = aligned_alloc(64, ALIGN(m->sp.query_bytes, 64u));
	m->rows = malloc((size_t)SAMPLE * m->sp.row_bytes);
	m->codes = vt_guarded((size_t)SAMPLE * m->sp.code_bytes);
	m->signs = vt_guarded((size_t)ROWS * m->sp.sign_bytes);
	for (i = 0; i < ROWS; i++)
		m->sign[i] = m->signs + (size_t)i * m->sp.sign_bytes;
	make_rows(m);
}

static void made_free(struct made *m)
{
	vexfs_sign_table_free(&m->t);
	vt_unguard(m->codes, (size_t)SAMPLE * m->sp.code_bytes);
	vt_unguard(m->signs, (size_t)ROWS * m->sp.sign_bytes);
	free(m->rows);
	free(m->q);
}

static void train(struct made *m)
{
	struct vexfs_sign_sums *sums;
	u32 i, turn;

	if (vexfs_sign_table_init(&m->t, &m->sp, CENTRES, 9))
		abort();
	sums = vexfs_sign_sums_alloc(&m->t);
	for (i = 0; i < CENTRES; i++)
		vexfs_sign_centre_set(&m->sp, &m->t, i, code_of(m, i), sums);
	for (turn = 0; turn < 3; turn++) {
		for (i = 0; i < SAMPLE; i++)
			vexfs_sign_sample(&m->sp, &m->t, sums,
					  vexfs_sign_nearest(&m->sp, &m->t,
							     code_of(m, i),
							     m->q),
					  code_of(m, i), m->q);
		for (i = 0; i < CENTRES; i++)
			vexfs_sign_centre_move(&m->sp, &m->t, i, sums);
	}
	vexfs_sign_sums_free(sums);
}

/* The query is the first row, which is no code's. */
static void make(struct made *m)
{
	u32 i;

	for (i = 0; i < SAMPLE; i++)
		vexfs_code_encode(&m->sp, row_of(m, i), code_of(m, i));
	train(m);
	for (i = 0; i < ROWS; i++) {
		m->near[i] = vexfs_sign_nearest(&m->sp, &m->t,
						code_of(m, i + 1), m->q);
		m->far[i] = vexfs_sign_encode(&m->sp, &m->t, code_of(m, i + 1),
					      m->near[i], m->q,
					      (void *)m->sign[i]);
		CHECK(m->near[i] == (i + 1) % CENTRES, "row %u is near %u", i,
		      m->near[i]);
	}
	vexfs_query_prepare(&m->sp, row_of(m, 0), m->q);
	CHECK(vexfs_query_sign_prepare(&m->sp, &m->t, m->q, m->query_near) ==
	      VEXFS_SIGN_NEAR && !m->query_near[0], "the query is near %u",
	      m->query_near[0]);
	vexfs_dist_signs(&m->sp, m->q, m->sign, ROWS, m->keys);
}

static void compare(struct made *a, struct made *b, const char *level)
{
	size_t rotated = (size_t)CENTRES * a->t.width * sizeof(u32);

	CHECK(!memcmp(a->t.code, b->t.code,
		      (size_t)CENTRES * a->sp.code_bytes) &&
	      !memcmp(a->t.rotated, b->t.rotated, rotated) &&
	      !memcmp(a->t.scales, b->t.scales, sizeof(*a->t.scales)),
	      "%s: other centres, %u dimensions", level, a->sp.dims);
	CHECK(!memcmp(a->signs, b->signs, (size_t)ROWS * a->sp.sign_bytes) &&
	      !memcmp(a->far, b->far, sizeof(a->far)),
	      "%s: other codes, %u dimensions", level, a->sp.dims);
	CHECK(!memcmp(a->query_near, b->query_near, sizeof(a->query_near)),
	      "%s: other centres are near, %u dimensions", level, a->sp.dims);
	CHECK(!memcmp(a->keys, b->keys, sizeof(a->keys)),
	      "%s: other keys, %u dimensions", level, a->sp.dims);
}

static void test_levels(u8 elem, u8 metric, u32 dims)
{
	u64 seed = rnd;
	struct made base, other;
	size_t i;

	vexfs_simd_init("sse2");
	made_init(&base, elem, metric, dims);
	make(&base);
	for (i = 1; i < ARRAY_SIZE(levels); i++) {
		if (vexfs_simd_init(levels[i]))
			continue;
		rnd = seed;
		made_init(&other, elem, metric, dims);
		make(&other);
		compare(&base, &other, levels[i]);
		made_free(&other);
	}
	made_free(&base);
	vexfs_simd_init(NULL);
}

static void test_all_levels(void)
{
	static const u32 dims[] = { 384, 385, 447, 448, 500, 512, 640, 768,
				    1000, 1023, 1536, 2049, 4100 };
	size_t i, j;

	for (i = 0; i < ARRAY_SIZE(dims); i++)
		for (j = 0; j < ARRAY_SIZE(metrics); j++)
			test_levels(i % 2 ? VEXFS_ELEM_BF16 : VEXFS_ELEM_F32,
				    metrics[j], dims[i]);
	vt_done("each instruction set gives the same", NULL);
}

static double key_value(u32 key)
{
	u32 bits = vexfs_key_to_bits(key);
	float f;

	memcpy(&f, &bits, sizeof(f));
	return f;
}

/* Not a multiple of any register. */
#define MANY	37u

/* The nearest of more centres than a register holds, beside a plain search. */
static void check_near(struct made *m, u32 row, const char *level)
{
	const struct vexfs_sign_table *t = &m->t;
	u32 keys[MANY], near[VEXFS_SIGN_NEAR], want[VEXFS_SIGN_NEAR], i, j;
	const void *code[MANY];
	float is[MANY];

	for (i = 0; i < MANY; i++)
		code[i] = t->code + (size_t)i * m->sp.code_bytes;
	vexfs_query_prepare(&m->sp, row_of(m, row), m->q);
	vexfs_dist_codes(&m->sp, m->q, code, MANY, keys);
	for (i = 0; i < MANY; i++) {
		float add, mul;

		memcpy(&add, t->scales->near_add + i, sizeof(add));
		memcpy(&mul, t->scales->near_mul + i, sizeof(mul));
		is[i] = add + mul * (float)key_value(keys[i]);
	}
	for (i = 0; i < VEXFS_SIGN_NEAR; i++) {
		for (j = 1, want[i] = 0; j < MANY; j++)
			if (is[j] < is[want[i]])
				want[i] = j;
		is[want[i]] = INFINITY;
	}
	i = vexfs_query_sign_prepare(&m->sp, t, m->q, near);
	CHECK(i == VEXFS_SIGN_NEAR && !memcmp(near, want, sizeof(near)),
	      "%s, metric %u: %u %u %u %u are near, not %u %u %u %u", level,
	      m->sp.metric, near[0], near[1], near[2], near[3], want[0],
	      want[1], want[2], want[3]);
}

/*
 * Nodes may be near centres that aren't near the query, whose part in the keys
 * is looked up when it is needed: asked again, when all parts are known, it is
 * the same, and it is about the distance.
 */
static void check_shares(struct made *m, const char *level)
{
	u32 near[VEXFS_SIGN_NEAR], keys[MANY], again[MANY], exact[MANY], i;
	const void *sign[MANY], *code[MANY];
	double d, e;

	for (i = 0; i < MANY; i++) {
		sign[i] = m->signs + (size_t)i * m->sp.sign_bytes;
		code[i] = code_of(m, i);
		vexfs_sign_encode(&m->sp, &m->t, code[i], MANY - 1 - i, m->q,
				  (void *)sign[i]);
	}
	vexfs_query_prepare(&m->sp, row_of(m, MANY), m->q);
	vexfs_query_sign_prepare(&m->sp, &m->t, m->q, near);
	vexfs_dist_signs(&m->sp, m->q, sign, MANY, keys);
	vexfs_dist_signs(&m->sp, m->q, sign, MANY, again);
	CHECK(!memcmp(keys, again, sizeof(keys)), "%s: not the same again",
	      level);
	vexfs_dist_codes(&m->sp, m->q, code, MANY, exact);
	for (i = 0; i < MANY; i++) {
		d = key_value(exact[i]);
		e = fabs(key_value(keys[i]) - d);
		CHECK(e < d / 4 + 400, "%s: %.0f is estimated as %.0f", level,
		      d, key_value(keys[i]));
	}
}

static void test_near(void)
{
	struct vexfs_sign_sums *sums;
	struct made m;
	size_t i, j;
	u32 row;

	for (i = 0; i < ARRAY_SIZE(metrics); i++) {
		made_init(&m, VEXFS_ELEM_F32, metrics[i], 400);
		if (vexfs_sign_table_init(&m.t, &m.sp, MANY, 9))
			abort();
		sums = vexfs_sign_sums_alloc(&m.t);
		for (row = 0; row < SAMPLE; row++)
			vexfs_code_encode(&m.sp, row_of(&m, row),
					  code_of(&m, row));
		for (row = 0; row < MANY; row++)
			vexfs_sign_centre_set(&m.sp, &m.t, row,
					      code_of(&m, row), sums);
		for (j = 0; j < ARRAY_SIZE(levels); j++) {
			if (vexfs_simd_init(levels[j]))
				continue;
			for (row = MANY; row < SAMPLE; row++)
				check_near(&m, row, levels[j]);
			if (metrics[i] == VEXFS_METRIC_L2)
				check_shares(&m, levels[j]);
		}
		vexfs_simd_init(NULL);
		vexfs_sign_sums_free(sums);
		made_free(&m);
	}
	vt_done("the nearest of many centres", NULL);
}

/* Of the vectors that codes stand for, scaled for the cosine. */
static double distance(const struct made *m, const float *a, const float *b)
{
	double aa = 0, bb = 0, sum = 0, d;
	u32 i;

	for (i = 0; i < m->sp.dims; i++) {
		aa += (double)a[i] * a[i];
		bb += (double)b[i] * b[i];
	}
	if (m->sp.metric != VEXFS_METRIC_COSINE) {
		aa = 1;
		bb = 1;
	}
	for (i = 0; i < m->sp.dims; i++) {
		d = a[i] / sqrt(aa) - b[i] / sqrt(bb);
		sum += d * d;
	}
	return sqrt(sum);
}

/*
 * Errors in proportion to the lengths that the estimate is about, which are
 * nearly the square root of half the distances within a cluster. RaBitQ's
 * bound is one over the root of the dimensions, for nearly all.
 */
static void test_estimates(u8 metric, u32 dims)
{
	double sum = 0, squares = 0, bound = 0.76 / sqrt(dims), unit, e;
	u32 keys[ROWS], i, turn, n = 0;
	const void *code[ROWS];
	char text[80];
	struct made m;

	for (turn = 0; turn < 8; turn++) {
		made_init(&m, VEXFS_ELEM_F32, metric, dims);
		make(&m);
		for (i = 0; i < ROWS; i++)
			code[i] = code_of(&m, i + 1);
		vexfs_dist_codes(&m.sp, m.q, code, ROWS, keys);
		for (i = 0; i < ROWS; i++) {
			if (m.near[i])
				continue;
			unit = distance(&m, row_of(&m, 0), row_of(&m, i + 1));
			unit *= unit / 2;
			if (metric == VEXFS_METRIC_L2)
				unit *= 2;
			e = key_value(m.keys[i]) - key_value(keys[i]);
			sum += e / unit;
			squares += e * e / unit / unit;
			n++;
		}
		made_free(&m);
	}
	sum /= n;
	squares = sqrt(squares / n);
	CHECK(fabs(sum) < 4 * bound / sqrt(n), "mean error %.4f", sum);
	CHECK(squares < 1.25 * bound, "error %.4f", squares);
	CHECK(squares > 0.3 * bound, "error %.4f, too good to be true",
	      squares);
	snprintf(text, sizeof(text), "%u dimensions, metric %u: %.4f", dims,
		 metric, squares);
	vt_done("error of estimates,", text);
}

/* Numbers that no distance can be made of do no harm. */
static void test_extremes(void)
{
	static const float values[] = { 0, FLT_TRUE_MIN, 1.7e38f, -1.2e30f };
	struct made m;
	u32 i, j;

	for (j = 0; j < ARRAY_SIZE(metrics); j++) {
		u32 near[VEXFS_SIGN_NEAR];

		made_init(&m, VEXFS_ELEM_F32, metrics[j], 390);
		for (i = 0; i < SAMPLE * m.sp.dims; i++)
			((float *)m.rows)[i] = values[vt_random(&rnd) % 4];
		memset(row_of(&m, 7), 0, m.sp.row_bytes);
		for (i = 0; i < SAMPLE; i++)
			vexfs_code_encode(&m.sp, row_of(&m, i), code_of(&m, i));
		train(&m);
		for (i = 0; i < ROWS; i++) {
			u32 c = vexfs_sign_nearest(&m.sp, &m.t, code_of(&m, i),
						   m.q);

			CHECK(c < CENTRES, "centre %u", c);
			vexfs_sign_encode(&m.sp, &m.t, code_of(&m, i), c, m.q,
					  (void *)m.sign[i]);
		}
		vexfs_query_prepare(&m.sp, row_of(&m, 0), m.q);
		i = vexfs_query_sign_prepare(&m.sp, &m.t, m.q, near);
		CHECK(i && i <= VEXFS_SIGN_NEAR, "%u centres", i);
		while (i--)
			CHECK(near[i] < CENTRES, "centre %u", near[i]);
		vexfs_dist_signs(&m.sp, m.q, m.sign, ROWS, m.keys);
		made_free(&m);
	}
	vt_done("extreme numbers", NULL);
}

int main(void)
{
	size_t i;

	vexfs_simd_init(NULL);
	test_all_levels();
	test_near();
	for (i = 0; i < ARRAY_SIZE(metrics); i++) {
		test_estimates(metrics[i], 384);
		test_estimates(metrics[i], 768);
		test_estimates(metrics[i], 1500);
	}
	test_extremes();
	return vt_exit();
}

// SPDX-License-Identifier: GPL-2.0
/*
 * What sign codes are made and compared with, each by itself: which of some
 * numbers are least, any number of codes at a time, and the rotation, which
 * leaves lengths and angles as they are.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include <math.h>

#include "sign.h"
#include "sign_priv.h"
#include "simd_call.h"
#include "vtest.h"

#define MOST	VEXFS_SIGN_MAX_CENTRES
/* Registers may be read up to their end. */
#define ROOM	(MOST + VEXFS_LANES)

static const char *const levels[] = { "sse2", "avx2", "avx512bw",
				      "avx512vnni", NULL };
static u64 rnd = 1;

static float any(void)
{
	return (float)(s32)vt_random(&rnd) / 0x1p24f;
}

/* Numbers of some kind; ties, and more than a register that may be least. */
static void fill(u32 kind, float *v, u32 n)
{
	u32 i;

	for (i = 0; i < ROOM; i++)
		v[i] = -INFINITY;
	for (i = 0; i < n; i++) {
		switch (kind) {
		case 0:
			v[i] = any();
			break;
		case 1:
			v[i] = (float)(vt_random(&rnd) % 3);
			break;
		case 2:
			v[i] = 7;
			break;
		case 3:
			v[i] = any() + (i % VEXFS_LANES == 3 ? -1e6f : 1e6f);
			break;
		case 4:
			v[i] = (float)i;
			break;
		default:
			v[i] = -(float)i;
			break;
		}
	}
}

static void check_least(const char *level, u32 kind, const float *v, u32 n,
			u32 want)
{
	u32 least[VEXFS_COARSE_NEAR], got, i, j, before;

	vexfs_fpu_begin();
	got = CALL_ROWS_VALUE(vexfs_sign_least, (const u32 *)v, n, want, least);
	vexfs_simd_end(0, 0, 0);
	CHECK(got == min(n, want), "%s: %u of %u instead of %u", level, got, n,
	      want);
	for (i = 0; i < got; i++) {
		for (j = 0, before = 0; j < n; j++)
			before += v[j] < v[least[i]] ||
				  (v[j] == v[least[i]] && j < least[i]);
		CHECK(least[i] < n && before == i,
		      "%s, kind %u: %u of %u comes %u, not %u", level, kind,
		      least[i], n, before, i);
	}
}

/* Where some are no numbers what comes out may be any, but is among them. */
static void check_least_nan(const char *level)
{
	u32 least[VEXFS_COARSE_NEAR], got, i;
	float v[ROOM];

	fill(0, v, MOST);
	for (i = 0; i < MOST; i += 1 + (u32)(vt_random(&rnd) % 9))
		v[i] = NAN;
	vexfs_fpu_begin();
	got = CALL_ROWS_VALUE(vexfs_sign_least, (const u32 *)v, MOST,
			      VEXFS_COARSE_NEAR, least);
	vexfs_simd_end(0, 0, 0);
	CHECK(got == VEXFS_COARSE_NEAR, "%s: %u", level, got);
	for (i = 0; i < got; i++)
		CHECK(least[i] < MOST, "%s: %u", level, least[i]);
}

static void test_least(const char *level)
{
	u32 kind, n, want, turn;
	float v[ROOM];

	for (kind = 0; kind < 6; kind++) {
		for (n = 1; n <= MOST; n += n < 40 ? 1 : 37) {
			fill(kind, v, n);
			for (want = 1; want <= VEXFS_COARSE_NEAR; want++)
				check_least(level, kind, v, n, want);
		}
		for (turn = 0; turn < 300; turn++) {
			fill(kind, v, MOST);
			check_least(level, kind, v, MOST, VEXFS_COARSE_NEAR);
		}
	}
	for (turn = 0; turn < 100; turn++)
		check_least_nan(level);
	vt_done("least", level);
}

static double product(const float *a, const float *b, u32 n)
{
	double sum = 0;
	u32 i;

	for (i = 0; i < n; i++)
		sum += (double)a[i] * b[i];
	return sum;
}

static void rotate(const struct vexfs_sign_table *t, float *v)
{
	u32 i;

	vexfs_fpu_begin();
	for (i = 0; i < VEXFS_SIGN_ROUNDS; i++)
		CALL_ROWS(vexfs_sign_turn, t, i, (u32 *)v);
	vexfs_simd_end(0, 0, 0);
}

/* Of these the parts that are rotated are of 1 to 256 registers. */
static void test_rotation(const char *level)
{
	static const u32 widths[] = { 64, 128, 192, 320, 768, 1024, 1536,
				      4096 };
	u32 i, j, width;

	for (i = 0; i < ARRAY_SIZE(widths); i++) {
		struct vexfs_sign_table t = { .width = widths[i] };
		double ab, aa;
		float *a, *b;

		width = widths[i];
		a = aligned_alloc(64, width * sizeof(*a));
		b = aligned_alloc(64, width * sizeof(*b));
		t.signs = aligned_alloc(64, (size_t)VEXFS_SIGN_ROUNDS * width *
					sizeof(*t.signs));
		for (j = 0; j < VEXFS_SIGN_ROUNDS * width; j++)
			t.signs[j] = (u32)vt_random(&rnd) & 0x80000000u;
		for (j = 0; j < width; j++) {
			a[j] = any();
			b[j] = a[j] / 2 + any();
		}
		aa = product(a, a, width);
		ab = product(a, b, width);
		rotate(&t, a);
		rotate(&t, b);
		CHECK(fabs(product(a, a, width) - aa) < aa / 100000,
		      "%s, %u: a square of %g became %g", level, width, aa,
		      product(a, a, width));
		CHECK(fabs(product(a, b, width) - ab) < aa / 100000,
		      "%s, %u: a product of %g became %g", level, width, ab,
		      product(a, b, width));
		/* One element is spread over all of them. */
		memset(a, 0, width * sizeof(*a));
		a[width / 2] = 1;
		rotate(&t, a);
		for (j = 0, aa = 0; j < width; j++)
			aa = fmax(aa, fabs((double)a[j]));
		CHECK(aa < 8 / sqrt(width), "%s, %u: %g of 1 in one element",
		      level, width, aa);
		free(a);
		free(b);
		free(t.signs);
	}
	vt_done("rotation", level);
}

#define CODES	37u

/* Of any number of codes only so many keys are written, the same as of all. */
static void test_numbers(const char *level, u32 dims)
{
	u32 near[VEXFS_SIGN_NEAR], all[CODES], keys[CODES + 1], i, n;
	struct vexfs_sign_sums *sums;
	const void *sign[CODES];
	struct vexfs_sign_table t;
	struct vexfs_space sp;
	struct vexfs_query *q;
	char *code, *signs;
	float *row;

	if (vexfs_space_init(&sp, VEXFS_ELEM_F32, VEXFS_METRIC_L2, dims) ||
	    vexfs_sign_table_init(&t, &sp, 3, 5))
		abort();
	sums = vexfs_sign_sums_alloc(&t);
	q = aligned_alloc(64, ALIGN(sp.query_bytes, 64u));
	code = aligned_alloc(64, sp.code_bytes);
	signs = vt_guarded((size_t)CODES * sp.sign_bytes);
	row = malloc(sp.row_bytes);
	for (n = 0; n < CODES; n++) {
		for (i = 0; i < dims; i++)
			row[i] = any();
		vexfs_code_encode(&sp, row, code);
		if (n < 3)
			vexfs_sign_centre_set(&sp, &t, n, code, sums);
		sign[n] = signs + (size_t)n * sp.sign_bytes;
		vexfs_sign_encode(&sp, &t, code, n % 3, q, (void *)sign[n]);
	}
	vexfs_query_prepare(&sp, row, q);
	vexfs_query_sign_prepare(&sp, &t, q, near);
	vexfs_dist_signs(&sp, q, sign, CODES, all);
	for (n = 1; n <= CODES; n++) {
		memset(keys, 0x5a, sizeof(keys));
		vexfs_dist_signs(&sp, q, sign + CODES - n, n, keys);
		CHECK(!memcmp(keys, all + CODES - n, n * sizeof(*keys)) &&
		      keys[n] == 0x5a5a5a5a, "%s, %u dimensions: %u codes",
		      level, dims, n);
	}
	vt_unguard(signs, (size_t)CODES * sp.sign_bytes);
	vexfs_sign_sums_free(sums);
	vexfs_sign_table_free(&t);
	free(row);
	free(code);
	free(q);
	vt_done("numbers of codes", level);
}

int main(void)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(levels); i++) {
		const char *level = levels[i] ? levels[i] : "all there is";

		if (vexfs_simd_init(levels[i]))
			continue;
		test_least(level);
		test_rotation(level);
		test_numbers(level, 384);
		test_numbers(level, 768);
		test_numbers(level, 1000);
		test_numbers(level, 1024);
	}
	return vt_exit();
}

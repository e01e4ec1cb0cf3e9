// SPDX-License-Identifier: GPL-2.0
/*
 * Distances and codes on each instruction set that this CPU has: against a
 * reference in double precision, against each other, at the edge of memory.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include "vtest.h"
#include "simd.h"

#define ROWS	9		/* not a multiple of any group */

static const char *const levels[] = { "sse2", "avx2", "avx512bw",
				      "avx512vnni" };
static const u8 metrics[] = { VEXFS_METRIC_L2, VEXFS_METRIC_IP,
			      VEXFS_METRIC_COSINE };
static u64 rnd = 1;

/* A space, a query and rows that end at an unreadable page. */
struct fixture {
	struct vexfs_space sp;
	struct vexfs_query *q;
	float	*query;
	char	*rows;
	char	*codes;
	const void *row[ROWS];
	const void *code[ROWS];
	u32	keys[ROWS];
	u32	code_keys[ROWS];
};

static void fixture_init(struct fixture *f, u8 metric, u32 dims)
{
	int i;

	if (vexfs_space_init(&f->sp, VEXFS_ELEM_F32, metric, dims))
		abort();
	f->q = aligned_alloc(64, ALIGN(f->sp.query_bytes, 64u));
	f->query = vt_guarded(f->sp.row_bytes);
	f->rows = vt_guarded((size_t)f->sp.stride * ROWS);
	f->codes = vt_guarded((size_t)f->sp.code_bytes * ROWS);
	for (i = 0; i < ROWS; i++) {
		f->row[i] = f->rows + (size_t)i * f->sp.stride;
		f->code[i] = f->codes + (size_t)i * f->sp.code_bytes;
	}
}

static void fixture_free(struct fixture *f)
{
	free(f->q);
	vt_unguard(f->query, f->sp.row_bytes);
	vt_unguard(f->rows, (size_t)f->sp.stride * ROWS);
	vt_unguard(f->codes, (size_t)f->sp.code_bytes * ROWS);
}

static void fill_random(struct fixture *f, float scale)
{
	u32 i, j;

	for (j = 0; j < f->sp.dims; j++)
		f->query[j] = vt_uniform(&rnd) * scale;
	for (i = 0; i < ROWS; i++)
		for (j = 0; j < f->sp.dims; j++)
			((float *)f->row[i])[j] = vt_uniform(&rnd) * scale;
}

static void encode_all(struct fixture *f)
{
	int i;

	for (i = 0; i < ROWS; i++)
		vexfs_code_encode(&f->sp, f->row[i], (void *)f->code[i]);
}

/* All there is to compute, at the level that is set. */
static void compute(struct fixture *f)
{
	memset(f->q, 0xa5, f->sp.query_bytes);
	encode_all(f);
	vexfs_query_prepare(&f->sp, f->query, f->q);
	vexfs_dist_rows(&f->sp, f->q, f->row, ROWS, f->keys);
	vexfs_dist_codes(&f->sp, f->q, f->code, ROWS, f->code_keys);
}

static double reference(const struct fixture *f, const float *a, const float *b)
{
	double l2 = 0, dot = 0, aa = 0, bb = 0;
	u32 i;

	for (i = 0; i < f->sp.dims; i++) {
		double d = (double)a[i] - (double)b[i];

		l2 += d * d;
		dot += (double)a[i] * (double)b[i];
		aa += (double)a[i] * (double)a[i];
		bb += (double)b[i] * (double)b[i];
	}
	if (f->sp.metric == VEXFS_METRIC_L2)
		return l2;
	if (f->sp.metric == VEXFS_METRIC_IP)
		return -dot;
	return aa > 0 && bb > 0 ? 1 - dot / sqrt(aa * bb) : 1;
}

/* What a float can hold: half a unit in the last place, and denormals. */
static bool close_to(u32 key, double want)
{
	double got = (double)vt_bits_to_float(vexfs_key_to_bits(key));

	if (fabs(want) > 3.4028234e38)
		return isinf(got);
	return fabs(got - want) <= fabs(want) / 0x1p23 + 1 / 1e15;
}

static void check_against_reference(struct fixture *f, const char *level)
{
	int i;

	for (i = 0; i < ROWS; i++) {
		double want = reference(f, f->query, f->row[i]);

		CHECK(close_to(f->keys[i], want),
		      "%s metric %d dims %u row %d: %g is not %g", level,
		      f->sp.metric, f->sp.dims, i,
		      (double)vt_bits_to_float(vexfs_key_to_bits(f->keys[i])),
		      want);
	}
}

/*
 * An element is decoded to within half a step, so the product of two vectors
 * is wrong by at most half a step of each times the other's magnitudes.
 */
static double code_bound(const struct fixture *f, const float *a,
			 const float *b)
{
	double ma = 0, mb = 0, sum_a = 0, sum_b = 0, aa = 0, bb = 0, e;
	double n = f->sp.dims;
	u32 i;

	for (i = 0; i < f->sp.dims; i++) {
		ma = fmax(ma, fabs((double)a[i]));
		mb = fmax(mb, fabs((double)b[i]));
		sum_a += fabs((double)a[i]);
		sum_b += fabs((double)b[i]);
		aa += (double)a[i] * (double)a[i];
		bb += (double)b[i] * (double)b[i];
	}
	ma /= 253;		/* half a step, and a little for rounding */
	mb /= 253;
	e = ma * sum_b + mb * sum_a + n * ma * mb;
	if (f->sp.metric == VEXFS_METRIC_L2)
		return 2 * e + 2 * (ma * sum_a + mb * sum_b) +
		       n * (ma * ma + mb * mb) + (aa + bb) / 1e5;
	if (f->sp.metric == VEXFS_METRIC_IP)
		return e + sqrt(aa * bb) / 1e5;
	/* The norms are those of the codes: that error counts as well. */
	return 2 * e / sqrt(aa * bb) + n * ma * ma / aa + n * mb * mb / bb +
	       2 * (ma * sum_a / aa + mb * sum_b / bb) + 1 / 1e5;
}

static void check_codes(struct fixture *f, const char *level)
{
	int i;

	for (i = 0; i < ROWS; i++) {
		double want = reference(f, f->query, f->row[i]);
		double bound = code_bound(f, f->query, f->row[i]);
		u32 bits = vexfs_key_to_bits(f->code_keys[i]);
		double got = (double)vt_bits_to_float(bits);

		CHECK(fabs(got - want) <= bound,
		      "%s metric %d dims %u: %g, want %g within %g", level,
		      f->sp.metric, f->sp.dims, got, want, bound);
	}
}

/* Computes at each level; the first is kept to compare the others with. */
static void at_each_level(struct fixture *f, bool bounded)
{
	u32 keys[ROWS], code_keys[ROWS];
	bool first = true;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(levels); i++) {
		if (vexfs_simd_init(levels[i]))
			continue;
		compute(f);
		check_against_reference(f, levels[i]);
		if (bounded)
			check_codes(f, levels[i]);
		if (first) {
			memcpy(keys, f->keys, sizeof(keys));
			memcpy(code_keys, f->code_keys, sizeof(keys));
			first = false;
		}
		CHECK(!memcmp(keys, f->keys, sizeof(keys)),
		      "%s differs, dims %u", levels[i], f->sp.dims);
		CHECK(!memcmp(code_keys, f->code_keys, sizeof(keys)),
		      "%s differs in codes, dims %u", levels[i], f->sp.dims);
	}
	vexfs_simd_init(NULL);
}

static void test_dims(u8 metric, u32 dims)
{
	struct fixture f;

	fixture_init(&f, metric, dims);
	fill_random(&f, 1.0f);
	/* The third row is the query itself. */
	memcpy((void *)f.row[2], f.query, f.sp.row_bytes);
	at_each_level(&f, true);
	if (metric != VEXFS_METRIC_IP)
		CHECK(f.keys[2] == vexfs_key_from_bits(0),
		      "a vector is at 0 from itself, dims %u", dims);
	if (metric != VEXFS_METRIC_IP)
		CHECK(f.code_keys[2] >= vexfs_key_from_bits(0),
		      "no distance is below 0, dims %u", dims);
	fixture_free(&f);
}

static void test_all_dims(void)
{
	static const u32 more[] = { 384, 511, 512, 513, 768, 1000, 1024, 1536,
				    2047, 3072, 4095, 4100, 16384 };
	size_t m, i;
	u32 dims;

	for (m = 0; m < ARRAY_SIZE(metrics); m++) {
		for (dims = 1; dims <= 300; dims++)
			test_dims(metrics[m], dims);
		for (i = 0; i < ARRAY_SIZE(more); i++)
			test_dims(metrics[m], more[i]);
		vt_done(m == 0 ? "L2, 1 to 16384 dimensions" :
			m == 1 ? "inner product, 1 to 16384 dimensions" :
			"cosine, 1 to 16384 dimensions", NULL);
	}
}

static void test_extremes(void)
{
	/* Ten to the -40, -38, -30, -20, 10, 18, 30; 3e38; the least. */
	static const u32 scale[] = { 0x000116c2, 0x006ce3ee, 0x0da24260,
				     0x1e3ce508, 0x501502f9, 0x5d5e0b6b,
				     0x7149f2ca, 0x7f61b1e6, 1 };
	struct fixture f;
	size_t m, s;
	u32 d;

	for (m = 0; m < ARRAY_SIZE(metrics); m++) {
		for (s = 0; s < ARRAY_SIZE(scale); s++) {
			fixture_init(&f, metrics[m], 37);
			fill_random(&f, vt_bits_to_float(scale[s]));
			memset((void *)f.row[1], 0, f.sp.row_bytes);
			for (d = 0; d < f.sp.dims; d++)
				((float *)f.row[4])[d] =
					d & 1 ? 3.4028234e38f : -3.4028234e38f;
			at_each_level(&f, false);
			memset(f.query, 0, f.sp.row_bytes);
			at_each_level(&f, false);
			fixture_free(&f);
		}
	}
	vt_done("zeroes, denormals and the largest numbers", NULL);
}

/* Cosine doesn't depend on the length, also where scales underflow. */
static void test_code_scale(void)
{
	struct fixture f;
	u32 keys[ROWS];
	u32 i, j, s;

	fixture_init(&f, VEXFS_METRIC_COSINE, 50);
	fill_random(&f, 1.0f);
	compute(&f);
	memcpy(keys, f.code_keys, sizeof(keys));
	for (s = 0; s < 2; s++) {
		float by = s ? 0x1p120f : 1 / 0x1p120f;

		for (i = 0; i < ROWS; i++)
			for (j = 0; j < f.sp.dims; j++)
				((float *)f.row[i])[j] *= by;
		compute(&f);
		CHECK(!memcmp(keys, f.code_keys, sizeof(keys)),
		      "codes of vectors scaled by %g", (double)by);
		fill_random(&f, 0);
		rnd = 77 + s;
		fill_random(&f, 1.0f);
		compute(&f);
		memcpy(keys, f.code_keys, sizeof(keys));
	}
	/* Where numbers lose digits, those of the largest elements suffice. */
	for (i = 0; i < ROWS; i++)
		for (j = 0; j < f.sp.dims; j++)
			((float *)f.row[i])[j] *= 1 / 0x1p120f / 0x1p12f;
	compute(&f);
	for (i = 0; i < ROWS; i++) {
		u32 a = vexfs_key_to_bits(keys[i]);
		u32 b = vexfs_key_to_bits(f.code_keys[i]);

		CHECK(fabsf(vt_bits_to_float(a) - vt_bits_to_float(b)) < 0.002f,
		      "%g, was %g", (double)vt_bits_to_float(b),
		      (double)vt_bits_to_float(a));
	}
	fixture_free(&f);
	vt_done("codes of very short and very long vectors", NULL);
}

static void test_runs(void)
{
	struct fixture f;
	char *base;
	u32 keys[ROWS];
	int off;

	fixture_init(&f, VEXFS_METRIC_L2, 111);
	fill_random(&f, 1.0f);
	compute(&f);
	vexfs_dist_run(&f.sp, f.q, f.rows, ROWS, keys);
	CHECK(!memcmp(keys, f.keys, sizeof(keys)), "a run is its rows");
	/* Neither the query's row nor rows need any alignment. */
	base = malloc((size_t)f.sp.stride * ROWS + 64);
	for (off = 1; off < 64; off += 7) {
		memcpy(base + off, f.query, f.sp.row_bytes);
		vexfs_query_prepare(&f.sp, base + off, f.q);
		memcpy(base + off, f.rows, (size_t)f.sp.stride * ROWS);
		vexfs_dist_run(&f.sp, f.q, base + off, ROWS, keys);
		CHECK(!memcmp(keys, f.keys, sizeof(keys)), "offset %d", off);
	}
	free(base);
	fixture_free(&f);
	vt_done("runs of rows, at any address", NULL);
}

static void test_query_from_code(void)
{
	struct fixture f;
	u32 keys[ROWS], dims;
	size_t m, i;

	for (m = 0; m < ARRAY_SIZE(metrics); m++) {
		for (dims = 1; dims < 200; dims += 3) {
			fixture_init(&f, metrics[m], dims);
			fill_random(&f, 2.0f);
			for (i = 0; i < ARRAY_SIZE(levels); i++) {
				if (vexfs_simd_init(levels[i]))
					continue;
				compute(&f);
				vexfs_query_prepare(&f.sp, f.row[3], f.q);
				vexfs_dist_codes(&f.sp, f.q, f.code, ROWS,
						 f.code_keys);
				memset(f.q, 0x5a, f.sp.query_bytes);
				vexfs_query_from_code(&f.sp, f.code[3], f.q);
				vexfs_dist_codes(&f.sp, f.q, f.code, ROWS,
						 keys);
				CHECK(!memcmp(keys, f.code_keys, sizeof(keys)),
				      "%s dims %u", levels[i], dims);
			}
			fixture_free(&f);
		}
	}
	vexfs_simd_init(NULL);
	vt_done("a code as the query is as its row", NULL);
}

/* The nearest by codes are mostly the nearest by rows. */
static void test_code_order(void)
{
	enum { N = 2000, DIMS = 96, TOP = 50 };
	struct vexfs_space sp;
	struct vexfs_query *q;
	u32 *exact = calloc(N, 4), *approx = calloc(N, 4), i, hits = 0;
	const void **code = calloc(N, sizeof(*code));
	char *rows, *codes;

	vexfs_space_init(&sp, VEXFS_ELEM_F32, VEXFS_METRIC_L2, DIMS);
	rows = calloc(N, sp.stride);
	codes = aligned_alloc(64, (size_t)N * sp.code_bytes);
	q = aligned_alloc(64, sp.query_bytes);
	for (i = 0; i < N * DIMS; i++)
		((float *)rows)[i] = vt_uniform(&rnd);
	for (i = 0; i < N; i++) {
		code[i] = codes + (size_t)i * sp.code_bytes;
		vexfs_code_encode(&sp, rows + (size_t)i * sp.stride,
				  (void *)code[i]);
	}
	vexfs_query_prepare(&sp, rows, q);
	vexfs_dist_run(&sp, q, rows, N, exact);
	vexfs_dist_codes(&sp, q, code, N, approx);
	for (i = 0; i < N; i++) {
		u32 j, before = 0, before_code = 0;

		for (j = 0; j < N; j++) {
			before += exact[j] < exact[i];
			before_code += approx[j] < approx[i];
		}
		hits += before < TOP && before_code < TOP;
	}
	CHECK(hits >= TOP - 3, "%u of %u", hits, TOP);
	free(exact);
	free(approx);
	free(code);
	free(rows);
	free(codes);
	free(q);
	vt_done("codes order as rows do", NULL);
}

static void test_finite(void)
{
	static const u32 bad[] = { 0x7f800000, 0xff800000, 0x7fc00000,
				   0x7f800001, 0xffffffff };
	static const u32 good[] = { 0x7f7fffff, 0xff7fffff, 0x80000000, 1,
				    0x007fffff };
	struct vexfs_space sp;
	u32 dims, i, j;
	u32 *rows;

	for (dims = 1; dims < 20; dims++) {
		vexfs_space_init(&sp, VEXFS_ELEM_F32, VEXFS_METRIC_L2, dims);
		rows = vt_guarded(3 * sp.row_bytes);
		for (i = 0; i < 3 * dims; i++)
			rows[i] = good[i % ARRAY_SIZE(good)];
		CHECK(vexfs_rows_finite(&sp, rows, 3, sp.row_bytes),
		      "finite, dims %u", dims);
		for (i = 0; i < 3 * dims; i++) {
			for (j = 0; j < ARRAY_SIZE(bad); j++) {
				rows[i] = bad[j];
				CHECK(!vexfs_rows_finite(&sp, rows, 3,
							 sp.row_bytes),
				      "%#x at %u, dims %u", bad[j], i, dims);
			}
			rows[i] = 0;
		}
		vt_unguard(rows, 3 * sp.row_bytes);
	}
	vt_done("infinities and what is not a number are seen", NULL);
}

/* Rows may have rotted on the disk: a key comes of it, and the last. */
static void test_not_finite_rows(void)
{
	struct fixture f;
	size_t m, i;

	for (m = 0; m < ARRAY_SIZE(metrics); m++) {
		fixture_init(&f, metrics[m], 33);
		fill_random(&f, 1.0f);
		((u32 *)f.row[2])[17] = 0x7fc00000;
		for (i = 0; i < ARRAY_SIZE(levels); i++) {
			if (vexfs_simd_init(levels[i]))
				continue;
			compute(&f);
			CHECK(f.keys[2] == ~0u, "%s: %#x", levels[i],
			      f.keys[2]);
		}
		fixture_free(&f);
	}
	vexfs_simd_init(NULL);
	vt_done("rows that are not numbers come last", NULL);
}

static void test_keys(void)
{
	/* -inf, -3e38, -1, the least there are, 1, 3e38, inf */
	static const u32 v[] = { 0xff800000, 0xff61b1e6, 0xbf800000,
				 0x80000001, 0, 1, 0x3f800000, 0x7f61b1e6,
				 0x7f800000 };
	u32 last = 0, key;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(v); i++) {
		key = vexfs_key_from_bits(v[i]);
		CHECK(i == 0 || key > last, "%#x", v[i]);
		CHECK(vexfs_key_to_bits(key) == v[i], "%#x", v[i]);
		last = key;
	}
	vt_done("keys order like numbers", NULL);
}

static void test_spaces(void)
{
	struct vexfs_space sp;
	u32 dims;

	CHECK(vexfs_space_init(&sp, VEXFS_ELEM_F32, VEXFS_METRIC_L2, 0) ==
	      -EINVAL, "0 dimensions");
	CHECK(vexfs_space_init(&sp, VEXFS_ELEM_F32, VEXFS_METRIC_L2,
			       VEXFS_MAX_DIMS + 1) == -EINVAL, "too many");
	CHECK(vexfs_space_init(&sp, VEXFS_ELEM_F16, VEXFS_METRIC_L2, 4) ==
	      -EOPNOTSUPP, "f16");
	CHECK(vexfs_space_init(&sp, VEXFS_ELEM_F32, VEXFS_METRIC_HAMMING, 4) ==
	      -EOPNOTSUPP, "hamming");
	for (dims = 1; dims <= VEXFS_MAX_DIMS; dims += 13) {
		CHECK(!vexfs_space_init(&sp, VEXFS_ELEM_F32, VEXFS_METRIC_IP,
					dims), "dims %u", dims);
		CHECK(sp.stride % 32 == 0 && sp.stride >= 4 * dims &&
		      sp.stride < 4 * dims + 32, "stride, dims %u", dims);
		CHECK(sp.code_bytes % 64 == 0 && sp.code_bytes > dims,
		      "code, dims %u", dims);
	}
	vt_done("spaces", NULL);
}

static void test_levels(void)
{
	struct vexfs_simd_counts a, b;
	struct fixture f;

	CHECK(vexfs_simd_init("mmx") == -EINVAL, "no such level");
	CHECK(!vexfs_simd_init("sse2"), "sse2");
	CHECK(vexfs_simd_level() == VEXFS_SIMD_SSE2 &&
	      vexfs_simd_width() == 128, "level %u", vexfs_simd_level());
	fixture_init(&f, VEXFS_METRIC_L2, VEXFS_MAX_DIMS);
	fill_random(&f, 1.0f);
	vexfs_simd_count(VEXFS_SIMD_SSE2, &a);
	compute(&f);
	vexfs_simd_count(VEXFS_SIMD_SSE2, &b);
	CHECK(b.rows - a.rows == ROWS && b.codes - a.codes == ROWS,
	      "%llu rows", b.rows - a.rows);
	/* 64 KiB rows: a section each; 16 KiB codes: three a section. */
	CHECK(b.sections - a.sections == ROWS + 1 + ROWS + 3,
	      "%llu sections", b.sections - a.sections);
	CHECK(b.encoded - a.encoded == ROWS + 1, "%llu encoded",
	      b.encoded - a.encoded);
	fixture_free(&f);
	vexfs_simd_exit();
	CHECK(!vexfs_simd_init(NULL), "auto");
	CHECK(vexfs_simd_caps() & vexfs_simd_level(), "level is in caps");
	vt_done("levels, sections and counters",
		vexfs_simd_name(vexfs_simd_level()));
}

int main(void)
{
	vexfs_simd_init(NULL);
	test_keys();
	test_spaces();
	test_finite();
	test_all_dims();
	test_extremes();
	test_code_scale();
	test_not_finite_rows();
	test_runs();
	test_query_from_code();
	test_code_order();
	test_levels();
	return vt_exit();
}

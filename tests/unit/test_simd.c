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
	void	*query;
	char	*rows;
	char	*codes;
	const void *row[ROWS];
	const void *backwards[ROWS];	/* rows that don't follow each other */
	const void *code[ROWS];
	/* the elements as numbers: of the query, then of the rows */
	double	*value;
	u32	keys[ROWS];
	u32	fast[ROWS];
	u32	fast_backwards[ROWS];
	u32	lower[ROWS];
	u32	code_keys[ROWS];
};

static void fixture_init_type(struct fixture *f, u8 elem, u8 metric, u32 dims)
{
	int i;

	if (vexfs_space_init(&f->sp, elem, metric, dims))
		abort();
	f->q = aligned_alloc(64, ALIGN(f->sp.query_bytes, 64u));
	f->query = vt_guarded(f->sp.row_bytes);
	f->rows = vt_guarded((size_t)f->sp.stride * ROWS);
	f->codes = vt_guarded((size_t)f->sp.code_bytes * ROWS);
	f->value = calloc((size_t)dims * (ROWS + 1), sizeof(*f->value));
	for (i = 0; i < ROWS; i++) {
		f->row[i] = f->rows + (size_t)i * f->sp.stride;
		f->backwards[ROWS - 1 - i] = f->row[i];
		f->code[i] = f->codes + (size_t)i * f->sp.code_bytes;
	}
}

static void fixture_init(struct fixture *f, u8 metric, u32 dims)
{
	fixture_init_type(f, VEXFS_ELEM_F32, metric, dims);
}

static void fixture_free(struct fixture *f)
{
	free(f->q);
	free(f->value);
	vt_unguard(f->query, f->sp.row_bytes);
	vt_unguard(f->rows, (size_t)f->sp.stride * ROWS);
	vt_unguard(f->codes, (size_t)f->sp.code_bytes * ROWS);
}

/* An element as a number: what a program without tricks would make of it. */
static double element(u8 elem, const void *row, u32 i)
{
	u16 h;
	float f;

	switch (elem) {
	case VEXFS_ELEM_F32:
		memcpy(&f, row + (size_t)i * 4, sizeof(f));
		return (double)f;
	case VEXFS_ELEM_BF16:
		memcpy(&h, row + (size_t)i * 2, sizeof(h));
		return (double)vt_bits_to_float((u32)h << 16);
	case VEXFS_ELEM_F16:
		memcpy(&h, row + (size_t)i * 2, sizeof(h));
		return (h & 0x8000 ? -1 : 1) *
		       ldexp(h & 0x7c00 ? 1024 + (h & 0x3ff) : h & 0x3ff,
			     (h & 0x7c00 ? h >> 10 & 31 : 1) - 25);
	case VEXFS_ELEM_I8:
		return ((const s8 *)row)[i];
	case VEXFS_ELEM_U8:
		return ((const u8 *)row)[i];
	default:
		return ((const u8 *)row)[i / 8] >> i % 8 & 1;
	}
}

/* A random element in [-scale, scale), or whatever the bits of it give. */
static void put_random(u8 elem, void *row, u32 i, float scale)
{
	float f = vt_uniform(&rnd) * scale;
	u32 bits;
	u16 h;

	memcpy(&bits, &f, sizeof(bits));
	switch (elem) {
	case VEXFS_ELEM_F32:
		memcpy(row + (size_t)i * 4, &f, sizeof(f));
		break;
	case VEXFS_ELEM_BF16:
		h = (u16)(bits >> 16);
		memcpy(row + (size_t)i * 2, &h, sizeof(h));
		break;
	case VEXFS_ELEM_F16:
		/* Below 4 in magnitude, now and then a denormal. */
		h = (u16)vt_random(&rnd);
		h = h & 0x8000 ? h & 0xc3ff : h;
		if ((h & 0x7c00) > 0x4000)
			h &= 0xbfff;
		memcpy(row + (size_t)i * 2, &h, sizeof(h));
		break;
	case VEXFS_ELEM_B1:
		((u8 *)row)[i / 8] |= (u8)((bits & 1) << i % 8);
		break;
	default:
		((u8 *)row)[i] = (u8)(vt_random(&rnd) >> 20);
	}
}

static void values_of(struct fixture *f)
{
	u32 i, j, dims = f->sp.dims;

	for (i = 0; i <= ROWS; i++)
		for (j = 0; j < dims; j++)
			f->value[(size_t)i * dims + j] =
				element(f->sp.elem,
					i ? f->row[i - 1] : f->query, j);
}

static void fill_random(struct fixture *f, float scale)
{
	u32 i, j;

	if (f->sp.elem == VEXFS_ELEM_B1) {
		memset(f->query, 0, f->sp.row_bytes);
		memset(f->rows, 0, (size_t)f->sp.stride * ROWS);
	}
	for (j = 0; j < f->sp.dims; j++)
		put_random(f->sp.elem, f->query, j, scale);
	for (i = 0; i < ROWS; i++)
		for (j = 0; j < f->sp.dims; j++)
			put_random(f->sp.elem, (void *)f->row[i], j, scale);
	values_of(f);
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
	vexfs_exact_rows(&f->sp, f->q, f->row, ROWS, f->keys);
	vexfs_dist_rows(&f->sp, f->q, f->row, ROWS, f->fast);
	vexfs_dist_rows(&f->sp, f->q, f->backwards, ROWS, f->fast_backwards);
	vexfs_lower_rows(&f->sp, f->q, f->row, ROWS, f->lower);
	vexfs_dist_codes(&f->sp, f->q, f->code, ROWS, f->code_keys);
}

/* What distances are made of: sums over elements, of a and of b. */
struct sums {
	double	l2, l1, dot, aa, bb, abs_a, abs_b, max_a, max_b;
};

static struct sums sums_of(const struct fixture *f, int row)
{
	const double *a = f->value, *b = a + (size_t)f->sp.dims * (row + 1);
	struct sums s = { 0 };
	u32 i;

	for (i = 0; i < f->sp.dims; i++) {
		double d = a[i] - b[i];

		s.l2 += d * d;
		s.l1 += fabs(d);
		s.dot += a[i] * b[i];
		s.aa += a[i] * a[i];
		s.bb += b[i] * b[i];
		s.abs_a += fabs(a[i]);
		s.abs_b += fabs(b[i]);
		s.max_a = fmax(s.max_a, fabs(a[i]));
		s.max_b = fmax(s.max_b, fabs(b[i]));
	}
	return s;
}

static double distance_of(const struct fixture *f, const struct sums *s)
{
	switch (f->sp.metric) {
	case VEXFS_METRIC_L2:
		return s->l2;
	case VEXFS_METRIC_IP:
		return -s->dot;
	case VEXFS_METRIC_COSINE:
		return s->aa > 0 && s->bb > 0 ?
		       1 - s->dot / sqrt(s->aa * s->bb) : 1;
	default:		/* of bits, L1 is the Hamming distance */
		return s->l1;
	}
}

static double key_value(u32 key)
{
	return (double)vt_bits_to_float(vexfs_key_to_bits(key));
}

/* What a float can hold: half a unit in the last place, and denormals. */
static bool close_to(u32 key, double want)
{
	double got = (double)vt_bits_to_float(vexfs_key_to_bits(key));

	if (fabs(want) > 3.4028234e38)
		return isinf(got);
	return fabs(got - want) <= fabs(want) / 0x1p23 + 1 / 1e15;
}

/* How wrong single precision may be, as simd.h has it. */
static double slack_of(const struct fixture *f, const struct sums *s)
{
	double u = (f->sp.dims + 32) * 1.02 / 0x1p24;

	if (f->sp.exact)
		return 0;
	switch (f->sp.metric) {
	case VEXFS_METRIC_L2:
		return u * s->l2;
	case VEXFS_METRIC_L1:
		return u * s->l1;
	case VEXFS_METRIC_IP:
		return u * sqrt(s->aa * s->bb);
	default:
		return u * 1.5;
	}
}

static void check_fast(const struct fixture *f, int row, u32 key, double want,
		       double slack, const char *level)
{
	CHECK(fabs(key_value(key) - want) <=
	      slack + fabs(want) / 0x1p22 + 1 / 1e15,
	      "%s type %d metric %d dims %u row %d: %g is not near %g", level,
	      f->sp.elem, f->sp.metric, f->sp.dims, row, key_value(key), want);
}

static void check_against_reference(struct fixture *f, const char *level)
{
	int i;

	for (i = 0; i < ROWS; i++) {
		struct sums s = sums_of(f, i);
		double want = distance_of(f, &s), slack = slack_of(f, &s);

		CHECK(close_to(f->keys[i], want),
		      "%s type %d metric %d dims %u row %d: %g is not %g",
		      level, f->sp.elem, f->sp.metric, f->sp.dims, i,
		      key_value(f->keys[i]), want);
		if (fabs(want) > 3e38)
			continue;
		check_fast(f, i, f->fast[i], want, slack, level);
		check_fast(f, i, f->fast_backwards[ROWS - 1 - i], want, slack,
			   level);
		CHECK(f->lower[i] <= f->keys[i] &&
		      key_value(f->lower[i]) >= want - 2 * slack -
		      fabs(want) / 0x1p22 - 1 / 1e15,
		      "%s type %d metric %d dims %u: %g isn't just below %g",
		      level, f->sp.elem, f->sp.metric, f->sp.dims,
		      key_value(f->lower[i]), key_value(f->keys[i]));
	}
}

/*
 * An element is decoded to within half a step, so the product of two vectors
 * is wrong by at most half a step of each times the other's magnitudes.
 */
static double code_bound(const struct fixture *f, const struct sums *s)
{
	double ma = s->max_a / 253, mb = s->max_b / 253, e;
	double n = f->sp.dims;

	/* Codes of integers are the rows; only keys are rounded. */
	if (f->sp.exact) {
		ma = 0;
		mb = 0;
	}
	e = ma * s->abs_b + mb * s->abs_a + n * ma * mb;
	switch (f->sp.metric) {
	case VEXFS_METRIC_L2:
		return 2 * e + 2 * (ma * s->abs_a + mb * s->abs_b) +
		       n * (ma * ma + mb * mb) + (s->aa + s->bb) / 1e5;
	case VEXFS_METRIC_IP:
		return e + sqrt(s->aa * s->bb) / 1e5;
	case VEXFS_METRIC_COSINE:
		if (!(s->aa * s->bb > 0))
			return 1 / 1e5;
		/* The norms are those of the codes: their error counts too. */
		return 2 * e / sqrt(s->aa * s->bb) + n * ma * ma / s->aa +
		       n * mb * mb / s->bb + 1 / 1e5 +
		       2 * (ma * s->abs_a / s->aa + mb * s->abs_b / s->bb);
	default:
		return n * (ma + mb) + s->l1 / 1e5;
	}
}

static void check_codes(struct fixture *f, const char *level)
{
	int i;

	for (i = 0; i < ROWS; i++) {
		struct sums s = sums_of(f, i);
		double want = distance_of(f, &s), bound = code_bound(f, &s);
		double got = key_value(f->code_keys[i]);

		CHECK(fabs(got - want) <= bound,
		      "%s type %d metric %d dims %u: %g, want %g within %g",
		      level, f->sp.elem, f->sp.metric, f->sp.dims, got, want,
		      bound);
	}
}

/* A pair that is as near as is asked for is found; one that isn't, is not. */
static void check_tile(struct fixture *f, const char *level)
{
	const u32 lanes = vexfs_tile_lanes(&f->sp, ROWS);
	const struct vexfs_query *q[ROWS];
	struct vexfs_tile_block *b;
	struct vexfs_tile *t;
	u32 keys[VEXFS_TILE_LANES], i, j, n, rows;
	u16 out[VEXFS_TILE_ROWS * VEXFS_TILE_LANES];
	double slack = 0, least = 1e38;

	if (!lanes)
		return;
	t = aligned_alloc(64, ALIGN(vexfs_tile_bytes(&f->sp), 64ul));
	b = aligned_alloc(64, ALIGN(vexfs_tile_block_bytes(&f->sp), 64ul));
	for (i = 0; i < ROWS; i++)
		q[i] = f->q;
	rows = min_t(u32, vexfs_tile_rows(&f->sp), ROWS);
	vexfs_tile_pack(&f->sp, t, q, min_t(u32, lanes, ROWS));
	vexfs_tile_load(&f->sp, b, f->row, rows);
	for (i = 0; i < rows; i++) {
		struct sums s = sums_of(f, (int)i);

		for (j = 0; j < VEXFS_TILE_LANES; j++)
			keys[j] = f->keys[i];
		n = vexfs_tile_near(&f->sp, t, b, keys, NULL, out);
		for (j = 0; j < n; j++)
			if (out[j] == i * VEXFS_TILE_LANES + (i % lanes))
				break;
		CHECK(j < n, "%s type %d metric %d dims %u: row %u is missed",
		      level, f->sp.elem, f->sp.metric, f->sp.dims, i);
		slack = fmax(slack, sqrt(s.aa * s.bb) + s.aa + s.bb);
		least = fmin(least, key_value(f->keys[i]));
	}
	slack = f->sp.metric == VEXFS_METRIC_COSINE ? 1 : slack;
	least -= slack * 6 * (f->sp.dims + 64) / 0x1p24 + fabs(least) / 1e6;
	for (j = 0; j < VEXFS_TILE_LANES; j++)
		keys[j] = vt_key((float)least);
	n = vexfs_tile_near(&f->sp, t, b, keys, NULL, out);
	for (i = 0, j = 0; i < n; i++)
		j += out[i] % VEXFS_TILE_LANES < min_t(u32, lanes, ROWS);
	CHECK(!j, "%s type %d metric %d dims %u: %u of %u pass below %g",
	      level, f->sp.elem, f->sp.metric, f->sp.dims, j, rows, least);
	free(t);
	free(b);
}

/* Keys of codes are the same on each level, but where they sum up floats. */
static bool codes_agree(const struct fixture *f)
{
	return f->sp.exact || f->sp.metric != VEXFS_METRIC_L1;
}

/* Computes at each level; the first is kept to compare the others with. */
static void at_each_level(struct fixture *f, bool tame)
{
	u32 keys[ROWS], code_keys[ROWS];
	bool first = true;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(levels); i++) {
		if (vexfs_simd_init(levels[i]))
			continue;
		compute(f);
		check_against_reference(f, levels[i]);
		if (tame) {
			check_codes(f, levels[i]);
			check_tile(f, levels[i]);
		}
		if (first) {
			memcpy(keys, f->keys, sizeof(keys));
			memcpy(code_keys, f->code_keys, sizeof(keys));
			first = false;
		}
		CHECK(!memcmp(keys, f->keys, sizeof(keys)),
		      "%s differs, dims %u", levels[i], f->sp.dims);
		CHECK(!codes_agree(f) ||
		      !memcmp(code_keys, f->code_keys, sizeof(keys)),
		      "%s differs in codes, dims %u", levels[i], f->sp.dims);
	}
	vexfs_simd_init(NULL);
}

static void test_dims(u8 elem, u8 metric, u32 dims)
{
	struct fixture f;

	fixture_init_type(&f, elem, metric, dims);
	fill_random(&f, 1.0f);
	/* The third row is the query itself. */
	memcpy((void *)f.row[2], f.query, f.sp.row_bytes);
	values_of(&f);
	at_each_level(&f, true);
	if (metric != VEXFS_METRIC_IP)
		CHECK(f.keys[2] == vexfs_key_from_bits(0) ||
		      (metric == VEXFS_METRIC_COSINE && f.value[0] == 0),
		      "a vector is at 0 from itself, dims %u", dims);
	if (metric != VEXFS_METRIC_IP)
		CHECK(f.code_keys[2] >= vexfs_key_from_bits(0) &&
		      f.lower[2] >= vexfs_key_from_bits(0),
		      "no distance is below 0, dims %u", dims);
	fixture_free(&f);
}

/* Coprime to 64: they go through all tails, but for sanitizers. */
#ifdef __SANITIZE_ADDRESS__
#define STRIDE	251
#else
#define STRIDE	61
#endif

/* All small dimensions; then in steps. */
static void test_all_dims(u8 elem, u8 metric, const char *name)
{
	u32 dims;

	for (dims = 1; dims <= 4100; dims += dims < 200 ? 1 : STRIDE)
		test_dims(elem, metric, dims);
	test_dims(elem, metric, 4100);
	if (elem == VEXFS_ELEM_U8 || metric == VEXFS_METRIC_L2)
		test_dims(elem, metric, VEXFS_MAX_DIMS);
	vt_done("1 to 4100 dimensions:", name);
}

static void test_all_types(void)
{
	static const char *const types[] = { "", "f32", "f16", "bf16", "i8",
					     "u8", "b1" };
	static const char *const names[] = { "", "L2", "inner product",
					     "cosine", "L1", "Hamming" };
	struct vexfs_space sp;
	char name[32];
	u8 e, m;

	for (e = VEXFS_ELEM_F32; e <= VEXFS_ELEM_B1; e++) {
		for (m = VEXFS_METRIC_L2; m <= VEXFS_METRIC_HAMMING; m++) {
			if (vexfs_space_init(&sp, e, m, 1))
				continue;
			snprintf(name, sizeof(name), "%s, %s", types[e],
				 names[m]);
			test_all_dims(e, m, name);
		}
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
			values_of(&f);
			at_each_level(&f, false);
			memset(f.query, 0, f.sp.row_bytes);
			values_of(&f);
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
	CHECK(!memcmp(keys, f.fast, sizeof(keys)), "a run is its rows");
	/* Neither the query's row nor rows need any alignment. */
	base = malloc((size_t)f.sp.stride * ROWS + 64);
	for (off = 1; off < 64; off += 7) {
		memcpy(base + off, f.query, f.sp.row_bytes);
		vexfs_query_prepare(&f.sp, base + off, f.q);
		memcpy(base + off, f.rows, (size_t)f.sp.stride * ROWS);
		vexfs_dist_run(&f.sp, f.q, base + off, ROWS, keys);
		CHECK(!memcmp(keys, f.fast, sizeof(keys)), "offset %d", off);
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
	CHECK(vexfs_space_init(&sp, VEXFS_ELEM_F32, VEXFS_METRIC_HAMMING, 4) ==
	      -EOPNOTSUPP, "only bits are counted");
	CHECK(vexfs_space_init(&sp, VEXFS_ELEM_B1, VEXFS_METRIC_L2, 4) ==
	      -EOPNOTSUPP, "bits are only counted");
	CHECK(vexfs_space_init(&sp, 0, VEXFS_METRIC_L2, 4) == -EOPNOTSUPP &&
	      vexfs_space_init(&sp, 7, VEXFS_METRIC_L2, 4) == -EOPNOTSUPP,
	      "no such types");
	CHECK(!vexfs_space_init(&sp, VEXFS_ELEM_B1, VEXFS_METRIC_HAMMING, 9) &&
	      sp.row_bytes == 2 && sp.stride == 32, "bits");
	CHECK(!vexfs_space_init(&sp, VEXFS_ELEM_BF16, VEXFS_METRIC_L1, 17) &&
	      sp.row_bytes == 34 && sp.stride == 64, "bf16");
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
	CHECK(b.rows - a.rows == 4 * ROWS && b.codes - a.codes == ROWS,
	      "%llu rows", b.rows - a.rows);
	/* 64 KiB rows: a section each; 16 KiB codes: three a section. */
	CHECK(b.sections - a.sections == ROWS + 1 + 4 * ROWS + 3,
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
	test_all_types();
	test_extremes();
	test_code_scale();
	test_not_finite_rows();
	test_runs();
	test_query_from_code();
	test_code_order();
	test_levels();
	return vt_exit();
}

/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Exact distances and the encoding of rows, for one instruction set. Includes
 * define ISA (a suffix) and VB (bytes of a vector register).
 *
 * Sums are kept in VEXFS_LANES lanes of double precision, element i in lane
 * i % VEXFS_LANES, and folded in halves at the end. There is no contraction.
 * So a distance is the exact one, rounded to a float, but for an error in the
 * order of 1e-15, and it is the same on each instruction set.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include "simd_priv.h"

#ifndef __CHECKER__

#define CAT2(a, b)	a##b
#define CAT(a, b)	CAT2(a, b)
#define FN(name)	CAT(name, ISA)

/* Doubles in a register, and registers for all lanes. */
#define VD		(VB / 8)
#define NACC		((int)VEXFS_LANES / VD)

typedef double vd __attribute__((vector_size(VB)));
/* As many floats: half a register. Rows may be at any address. */
typedef float vfh __attribute__((vector_size(VB / 2), may_alias)) __aligned(1);
/* Encoding works on whole registers of floats. */
typedef float vf __attribute__((vector_size(VB)));
typedef float vfu __attribute__((vector_size(VB), may_alias)) __aligned(1);
typedef s32 vi __attribute__((vector_size(VB)));
typedef u8 vb __attribute__((vector_size(VB / 4), may_alias)) __aligned(1);
typedef double v2d __attribute__((vector_size(16)));

#define VF		(VB / 4)

#ifndef WIDEN
#define WIDEN(x)	__builtin_convertvector(x, vd)
#endif

static inline u32 float_bits(float f)
{
	u32 bits;

	__builtin_memcpy(&bits, &f, sizeof(bits));
	return bits;
}

static inline double square_root(double x)
{
	v2d v = { x, 0 };

	return __builtin_ia32_sqrtpd(v)[0];
}

static __always_inline double fold(const vd *acc)
{
	double lane[VEXFS_LANES];
	unsigned int i, half;

	__builtin_memcpy(lane, acc, sizeof(lane));
	for (half = VEXFS_LANES / 2; half; half /= 2)
		for (i = 0; i < half; i++)
			lane[i] += lane[i + half];
	return lane[0];
}

/* One group of VD elements, accumulator a. */
static __always_inline void step(const u8 metric, vd *dot, vd *norm,
				 const double *q, const float *r, int a)
{
	vd x = WIDEN(*(const vfh *)(r + a * VD));
	vd y = *(const vd *)(q + a * VD);

	if (metric == VEXFS_METRIC_L2) {
		x -= y;
		dot[a] += x * x;
	} else {
		dot[a] += x * y;
	}
	if (metric == VEXFS_METRIC_COSINE)
		norm[a] += x * x;
}

/* The largest key there is stands for what is not a number. */
static inline u32 key_of(double d)
{
	return d != d ? ~0u : vexfs_key_from_bits(float_bits((float)d));
}

/*
 * Rows are read in steps of 32 bytes, their stride being a multiple of that.
 */
static __always_inline u32 distance(const u8 metric, u32 blocks, bool half,
				    const struct vexfs_query *query,
				    const float *r)
{
	const double *q = (const double *)query->data;
	vd dot[NACC] = { 0 }, norm[NACC] = { 0 };
	double d, n;
	int a;

	for (; blocks; blocks--) {
#pragma GCC unroll 8
		for (a = 0; a < NACC; a++)
			step(metric, dot, norm, q, r, a);
		q += VEXFS_LANES;
		r += VEXFS_LANES;
	}
	if (half) {
#pragma GCC unroll 4
		for (a = 0; a < NACC / 2; a++)
			step(metric, dot, norm, q, r, a);
	}
	d = fold(dot);
	if (metric == VEXFS_METRIC_L2)
		return key_of(d);
	if (metric == VEXFS_METRIC_IP)
		return key_of(0.0 - d);
	__builtin_memcpy(&n, &query->norm2, sizeof(n));
	n *= fold(norm);
	if (!(n > 0))
		return key_of(n != n ? n : 1.0);
	d = 1.0 - d / square_root(n);
	return key_of(d < 0 ? 0.0 : d);
}

/* Of the row after, wherever it is, as much is fetched ahead. */
#define AHEAD	1024u

/* Row i is at rows[i], or at base + i * stride. */
static __always_inline void distances(const u8 metric,
				      const struct vexfs_space *sp,
				      const struct vexfs_query *q,
				      const void *const *rows,
				      const void *base, unsigned int n,
				      u32 *keys)
{
	u32 blocks = sp->stride / (VEXFS_LANES * 4);
	bool half = sp->stride % (VEXFS_LANES * 4);
	unsigned int i, off, ahead = sp->stride < AHEAD ? sp->stride : AHEAD;

	for (i = 0; i < n; i++) {
		for (off = 0; rows && i + 1 < n && off < ahead; off += 64)
			__builtin_prefetch(rows[i + 1] + off);
		keys[i] = distance(metric, blocks, half, q,
				   rows ? rows[i] :
				   base + (size_t)i * sp->stride);
	}
}

/* A loop for each metric. */
static __always_inline void by_metric(const struct vexfs_space *sp,
				      const struct vexfs_query *q,
				      const void *const *rows,
				      const void *base, unsigned int n,
				      u32 *keys)
{
	if (sp->metric == VEXFS_METRIC_L2)
		distances(VEXFS_METRIC_L2, sp, q, rows, base, n, keys);
	else if (sp->metric == VEXFS_METRIC_IP)
		distances(VEXFS_METRIC_IP, sp, q, rows, base, n, keys);
	else
		distances(VEXFS_METRIC_COSINE, sp, q, rows, base, n, keys);
}

void FN(vexfs_rows_)(const struct vexfs_space *sp,
		     const struct vexfs_query *q, const void *const *rows,
		     unsigned int n, u32 *keys)
{
	by_metric(sp, q, rows, NULL, n, keys);
}

void FN(vexfs_run_)(const struct vexfs_space *sp, const struct vexfs_query *q,
		    const void *base, unsigned int n, u32 *keys)
{
	by_metric(sp, q, NULL, base, n, keys);
}

/* Elements [i, i + VF) of a row of which only dims may be read. */
static __always_inline vf load(const float *row, u32 i, u32 dims)
{
	vf v = { 0 };

	if (i + VF <= dims)
		return *(const vfu *)(row + i);
	__builtin_memcpy(&v, row + i, (dims - i) * sizeof(float));
	return v;
}

static __always_inline float largest(const float *row, u32 dims)
{
	vi best = { 0 };
	s32 max = 0;
	float f;
	u32 i;

	for (i = 0; i < dims; i += VF) {
		vi v = (vi)load(row, i, dims) & 0x7fffffff;
		vi more = v > best;

		best = (v & more) | (best & ~more);
	}
	for (i = 0; i < VF; i++)
		max = best[i] > max ? best[i] : max;
	__builtin_memcpy(&f, &max, sizeof(f));
	return f;
}

/*
 * The factors. Sums of up to 16384 products of 127 * 127 fit easily; the
 * cosine doesn't depend on the scale, so it stands even where that underflows.
 */
static inline void factors(const struct vexfs_space *sp, double scale,
			   s32 squares, s32 sum, void *code)
{
	struct vexfs_code_factors *f = vexfs_code_factors(sp, code);
	double gain = scale, offset = 0;

	if (sp->metric == VEXFS_METRIC_L2)
		offset = scale * scale * squares;
	else if (sp->metric == VEXFS_METRIC_COSINE)
		gain = squares ? 1.0 / square_root(squares) : 0;
	f->gain = float_bits((float)gain);
	f->offset = float_bits((float)offset);
	f->sum = sum;
}

/* Rounds to the nearest: the sum's last bits are the integer. */
#define ROUND		12582912.0f
#define ROUND_BITS	0x4b400000

void FN(vexfs_encode_)(const struct vexfs_space *sp, const void *row,
		       void *code)
{
	float max = largest(row, sp->dims), pre = 1.0f, mul = 0.0f;
	vi squares = { 0 }, sums = { 0 };
	s32 square = 0, sum = 0;
	u32 i;

	/* Away from where 127 / max overflows; powers of two are exact. */
	if (max < 1 / 0x1p60f)
		pre = 0x1p100f;
	if (max > 0)
		mul = (float)VEXFS_CODE_MAX / (max * pre);
	for (i = 0; i < sp->dims; i += VF) {
		vf x = load(row, i, sp->dims) * pre * mul + ROUND;
		vi v = (vi)x - ROUND_BITS;

		squares += v * v;
		sums += v;
		*(vb *)(code + i) = __builtin_convertvector(v + 128, vb);
	}
	for (i = 0; i < VF; i++) {
		square += squares[i];
		sum += sums[i];
	}
	__builtin_memset(code + sp->dims, 0, sp->code_bytes - sp->dims);
	factors(sp, (double)max / VEXFS_CODE_MAX, square, sum, code);
}

void FN(vexfs_query_)(const struct vexfs_space *sp, const void *row,
		      struct vexfs_query *q)
{
	const float *r = row;
	double *out = (double *)q->data;
	vd acc[NACC] = { 0 };
	double norm2;
	u32 i;

	for (i = 0; i < ALIGN(sp->dims, VEXFS_LANES); i++) {
		float f = 0;

		if (i < sp->dims)
			__builtin_memcpy(&f, r + i, sizeof(f));
		out[i] = f;
	}
	for (i = 0; i < ALIGN(sp->dims, VEXFS_LANES); i += VD) {
		vd v = *(const vd *)(out + i);

		acc[i / VD % NACC] += v * v;
	}
	norm2 = fold(acc);
	__builtin_memcpy(&q->norm2, &norm2, sizeof(norm2));
	FN(vexfs_encode_)(sp, row, vexfs_query_s8(sp, q));
}

#endif /* __CHECKER__ */

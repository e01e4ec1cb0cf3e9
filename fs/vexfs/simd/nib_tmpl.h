/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Distances to short codes for one instruction set, for inclusion after
 * codes_tmpl.h. Defined before: NIB_DOT(acc, a, b), which adds to each s32 of
 * acc the products of four bytes, a's between 0 and 15, b's signed.
 *
 * As for the codes, sums are integers and the floating-point operations come
 * in one order, so keys are the same on each instruction set.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#ifndef __CHECKER__

/* Low halves meet the first half of the query, high ones the second. */
static __always_inline void nib_accumulate(const struct vexfs_space *sp,
					   const struct vexfs_query *q,
					   const u8 *const *c, ci *acc)
{
	const u8 *lo = vexfs_query_nib(sp, q);
	const u8 *hi = lo + sp->nib_bytes;
	const ci mask = (ci){ 0 } + 0x0f0f0f0f;
	u32 i;
	int j;

	for (i = 0; i < sp->nib_bytes; i += VB) {
		const ci y = *(const ci *)(lo + i), z = *(const ci *)(hi + i);

#pragma GCC unroll 4
		for (j = 0; j < GROUP; j++) {
			ci x = *(const ci *)(c[j] + i);

			acc[j] = NIB_DOT(acc[j], x & mask, y);
			acc[j] = NIB_DOT(acc[j], (x >> 4) & mask, z);
		}
	}
}

/* See the formula at struct vexfs_nib_factors. */
static __always_inline c4i nib_keys(const struct vexfs_space *sp,
				    const struct vexfs_query *q,
				    const u8 *const *c)
{
	const struct vexfs_nib_factors *f[GROUP];
	ci acc[GROUP] = { 0 };
	c4i gain, offset, bits;
	c4f key;
	int j;

	nib_accumulate(sp, q, c, acc);
#pragma GCC unroll 4
	for (j = 0; j < GROUP; j++)
		f[j] = vexfs_nib_factors(sp, c[j]);
	gain = (c4i){ f[0]->gain, f[1]->gain, f[2]->gain, f[3]->gain };
	offset = (c4i){ f[0]->offset, f[1]->offset, f[2]->offset,
			f[3]->offset };
	bits = (c4i){ q->gain, q->gain, q->gain, q->gain };
	key = (c4f)bits * (c4f)gain *
	      __builtin_convertvector(2 * fold_group(acc) - q->nib_bias, c4f);
	bits = (c4i){ q->offset, q->offset, q->offset, q->offset };
	bits = (c4i)(((c4f)bits + (c4f)offset) + key);
	/* What is near may come out as nearer than possible. */
	if (sp->metric != VEXFS_METRIC_IP)
		bits &= ~(bits >> 31);
	return bits ^ ((bits >> 31) | (s32)0x80000000);
}

void CFN(vexfs_nibs_)(const struct vexfs_space *sp,
		      const struct vexfs_query *q, const void *const *nibs,
		      unsigned int n, u32 *keys)
{
	unsigned int i, j;

	for (i = 0; i < n; i += GROUP) {
		const u8 *c[GROUP];
		c4i out;

#pragma GCC unroll 4
		for (j = 0; j < GROUP; j++)
			c[j] = nibs[i + j < n ? i + j : n - 1];
		out = nib_keys(sp, q, c);
		if (n - i >= GROUP)
			__builtin_memcpy(keys + i, &out, sizeof(out));
		else
			__builtin_memcpy(keys + i, &out, (n - i) * 4);
	}
}

#ifdef DOT_U8S8
static __always_inline void nib_copy(s8 *out, const s8 *v, u32 n)
{
	__builtin_memcpy(out, v, n);
}
#else
typedef s8 cs8 __attribute__((vector_size(VB / 2), may_alias, aligned(1)));
typedef s16 csu __attribute__((vector_size(VB), may_alias, aligned(2)));

static __always_inline void nib_copy(s8 *out, const s16 *v, u32 n)
{
	u32 i;

	for (i = 0; i + VB / 2 <= n; i += VB / 2)
		*(cs8 *)(out + i) =
			__builtin_convertvector(*(const csu *)(v + i), cs8);
	for (; i < n; i++)
		out[i] = (s8)v[i];
}
#endif

/*
 * The values of the query's code, in the order of the short codes. Their sum is
 * in the code's bias, which is 128 times that.
 */
void CFN(vexfs_query_nib_)(const struct vexfs_space *sp, struct vexfs_query *q)
{
	u32 half = (sp->dims + 1) / 2, rest = sp->dims - half;
#ifdef DOT_U8S8
	const s8 *v = vexfs_query_s8(sp, q);
#else
	const s16 *v = vexfs_query_s16(sp, q);
#endif
	s8 *out = vexfs_query_nib(sp, q), *high = out + sp->nib_bytes;

	nib_copy(out, v, half);
	__builtin_memset(out + half, 0, sp->nib_bytes - half);
	nib_copy(high, v + half, rest);
	__builtin_memset(high + rest, 0, sp->nib_bytes - rest);
	q->nib_bias = q->bias / 128 * 15;
}

#ifdef DOT_S16
/* How well the step 1024 / @r does: products with the code, and squares. */
struct CFN(nib_fit_) {
	s64 xy;
	s64 yy;
};

static __always_inline s64 nib_sum(ci v)
{
	s64 sum = 0;
	int i;

	for (i = 0; i < VB / 4; i++)
		sum += v[i];
	return sum;
}

/* Each value in steps, half a step off zero, at most 15 halves away. */
static __always_inline cs nib_levels(cs x, s16 r)
{
	cs y = ((x * r) >> 10) + 8;

	y = y & ~(y >> 15);
	y = y - 15;
	y = (y & (y >> 15)) + 15;
	return 2 * y - 15;
}

static __always_inline struct CFN(nib_fit_) nib_try(const u8 *code, u32 dims,
						    s16 r)
{
	struct CFN(nib_fit_) fit;
	u8 rest[VB / 2] __aligned(VB);
	ci xy = { 0 }, yy = { 0 };
	u32 i;
	cs x, y;

	for (i = 0; i + VB / 2 <= dims; i += VB / 2) {
		x = __builtin_convertvector(*(const cb *)(code + i), cs) - 128;
		y = nib_levels(x, r);
		xy += (ci)DOT_S16(x, y);
		yy += (ci)DOT_S16(y, y);
	}
	/* A value of 0 becomes 1 half: of no product, but a square. */
	__builtin_memset(rest, 128, sizeof(rest));
	__builtin_memcpy(rest, code + i, dims - i);
	x = __builtin_convertvector(*(const cb *)rest, cs) - 128;
	y = nib_levels(x, r);
	xy += (ci)DOT_S16(x, y);
	yy += (ci)DOT_S16(y, y);
	fit.xy = nib_sum(xy);
	fit.yy = nib_sum(yy) - (s64)(VB / 2 - (dims - i));
	return fit;
}

/* The code's direction should be kept: the largest xy^2 / yy. */
static __always_inline s16 nib_best(const u8 *code, u32 dims, s64 *xy)
{
	static const s16 steps[] = { 60, 68, 76, 86, 97, 110, 124, 140 };
	s64 best_yy = 1, best_xy = 0;
	s16 best = steps[0];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(steps); i++) {
		struct CFN(nib_fit_) f = nib_try(code, dims, steps[i]);

		/* Both are below 2^31: no more than 16384 dimensions. */
		if ((float)f.xy * (float)f.xy * (float)best_yy <=
		    (float)best_xy * (float)best_xy * (float)f.yy)
			continue;
		best_xy = f.xy;
		best_yy = f.yy;
		best = steps[i];
	}
	*xy = best_xy;
	return best;
}

static __always_inline u32 nib_bits(float f)
{
	u32 bits;

	__builtin_memcpy(&bits, &f, sizeof(bits));
	return bits;
}

void CFN(vexfs_encode_nib_)(const struct vexfs_space *sp, const void *code,
			    void *nib)
{
	const struct vexfs_code_factors *f = vexfs_code_factors(sp, code);
	struct vexfs_nib_factors *nf = vexfs_nib_factors(sp, nib);
	u32 half = (sp->dims + 1) / 2, i;
	const u8 *c = code;
	u8 *out = nib;
	s64 xx = 0, xy;
	s16 r = nib_best(c, sp->dims, &xy);
	float gain;
	int x, v;

	__builtin_memset(out, 0, sp->nib_bytes);
	for (i = 0; i < sp->dims; i++) {
		x = c[i] - 128;
		xx += x * x;
		v = ((x * r) >> 10) + 8;
		v = v < 0 ? 0 : v > 15 ? 15 : v;
		if (i < half)
			out[i] |= (u8)v;
		else
			out[i - half] |= (u8)(v << 4);
	}
	__builtin_memcpy(&gain, &f->gain, sizeof(gain));
	if (xy > 0)
		gain *= (float)xx / (float)xy;
	nf->gain = nib_bits(gain);
	nf->offset = f->offset;
}
#endif /* DOT_S16 */

#endif /* __CHECKER__ */

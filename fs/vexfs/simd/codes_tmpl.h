/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Distances to codes for one instruction set. Includes define ISA (a suffix),
 * VB (bytes of a vector register) and either DOT_S16(a, b), sums of products of
 * neighbouring s16, or DOT_U8S8(acc, a, b), which adds those of four bytes.
 *
 * Sums are integers and the two operations that make a key of one are not
 * contracted, so keys are the same on each instruction set.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include "simd_priv.h"

#ifndef __CHECKER__

#define CCAT2(a, b)	a##b
#define CCAT(a, b)	CCAT2(a, b)
#define CFN(name)	CCAT(name, ISA)

typedef s32 ci __attribute__((vector_size(VB), may_alias));
typedef s32 c4i __attribute__((vector_size(16)));
typedef float c4f __attribute__((vector_size(16)));
#ifndef DOT_U8S8
typedef s16 cs __attribute__((vector_size(VB), may_alias));
typedef u8 cb __attribute__((vector_size(VB / 2), may_alias));
#endif

/* Four codes at once: loads of the query are shared, and the foldings. */
#define GROUP	4

static __always_inline void accumulate(const struct vexfs_space *sp,
				       const struct vexfs_query *q,
				       const u8 *const *c, ci *acc)
{
#ifdef DOT_U8S8
	const u8 *v = vexfs_query_s8(sp, q);
	const u32 step = VB;
#else
	const u8 *v = vexfs_query_s16(sp, q);
	const u32 step = VB / 2;
#endif
	u32 i;
	int j;

	for (i = 0; i < sp->code_bytes; i += step) {
#ifdef DOT_U8S8
		const ci y = *(const ci *)(v + i);

#pragma GCC unroll 4
		for (j = 0; j < GROUP; j++)
			acc[j] = DOT_U8S8(acc[j], *(const ci *)(c[j] + i), y);
#else
		const cs y = *(const cs *)(v + 2 * i);

#pragma GCC unroll 4
		for (j = 0; j < GROUP; j++) {
			cs x = __builtin_convertvector(*(const cb *)(c[j] + i),
						       cs);

			acc[j] += (ci)DOT_S16(x, y);
		}
#endif
	}
}

/* The sum of all elements of a register, in four partial sums. */
static __always_inline c4i quarter(ci v)
{
	c4i part[VB / 16], sum;
	int i;

	__builtin_memcpy(part, &v, sizeof(v));
	sum = part[0];
#pragma GCC unroll 4
	for (i = 1; i < VB / 16; i++)
		sum += part[i];
	return sum;
}

/*
 * Values of unsigned integers are less by 128 than what they stand for; with
 * the query's part, which is in its bias, this makes up for it in a product.
 */
static __always_inline bool group_unsigned(const struct vexfs_space *sp)
{
	return unlikely(sp->elem == VEXFS_ELEM_U8) &&
	       sp->metric != VEXFS_METRIC_L2;
}

static __always_inline c4i fold_group(const ci *acc)
{
	c4i a = quarter(acc[0]), b = quarter(acc[1]);
	c4i c = quarter(acc[2]), d = quarter(acc[3]);
	c4i ab = __builtin_shufflevector(a, b, 0, 4, 1, 5) +
		 __builtin_shufflevector(a, b, 2, 6, 3, 7);
	c4i cd = __builtin_shufflevector(c, d, 0, 4, 1, 5) +
		 __builtin_shufflevector(c, d, 2, 6, 3, 7);

	return __builtin_shufflevector(ab, cd, 0, 1, 4, 5) +
	       __builtin_shufflevector(ab, cd, 2, 3, 6, 7);
}

/* See the formula at struct vexfs_code_factors. */
static __always_inline c4i group_keys(const struct vexfs_space *sp,
				      const struct vexfs_query *q,
				      const u8 *const *c)
{
	const struct vexfs_code_factors *f[GROUP];
	ci acc[GROUP] = { 0 };
	c4i gain, offset, bits, sum;
	c4f key;
	int j;

	accumulate(sp, q, c, acc);
#pragma GCC unroll 4
	for (j = 0; j < GROUP; j++)
		f[j] = vexfs_code_factors(sp, c[j]);
	gain = (c4i){ f[0]->gain, f[1]->gain, f[2]->gain, f[3]->gain };
	offset = (c4i){ f[0]->offset, f[1]->offset, f[2]->offset,
			f[3]->offset };
	bits = (c4i){ q->gain, q->gain, q->gain, q->gain };
	sum = fold_group(acc) - q->bias;
	if (group_unsigned(sp))
		sum += (c4i){ f[0]->sum, f[1]->sum, f[2]->sum, f[3]->sum } *
		       128;
	key = (c4f)bits * (c4f)gain * __builtin_convertvector(sum, c4f);
	bits = (c4i){ q->offset, q->offset, q->offset, q->offset };
	bits = (c4i)(((c4f)bits + (c4f)offset) + key);
	/* Rounding may have made a small one negative. */
	if (sp->metric != VEXFS_METRIC_IP)
		bits &= ~(bits >> 31);
	return bits ^ ((bits >> 31) | (s32)0x80000000);
}

void CFN(vexfs_codes_)(const struct vexfs_space *sp,
		       const struct vexfs_query *q, const void *const *codes,
		       unsigned int n, u32 *keys)
{
	unsigned int i, j;

	for (i = 0; i < n; i += GROUP) {
		const u8 *c[GROUP];
		c4i out;

#pragma GCC unroll 4
		for (j = 0; j < GROUP; j++)
			c[j] = codes[i + j < n ? i + j : n - 1];
		out = group_keys(sp, q, c);
		if (n - i >= GROUP)
			__builtin_memcpy(keys + i, &out, sizeof(out));
		else
			__builtin_memcpy(keys + i, &out, (n - i) * 4);
	}
}

static inline u32 scaled(u32 bits, float by)
{
	float f;

	__builtin_memcpy(&f, &bits, sizeof(f));
	f *= by;
	__builtin_memcpy(&bits, &f, sizeof(f));
	return bits;
}

/* @code may be the place in the query where the values go. */
void CFN(vexfs_from_code_)(const struct vexfs_space *sp, const void *code,
			   struct vexfs_query *q)
{
	const struct vexfs_code_factors *f = vexfs_code_factors(sp, code);
	const u8 *c = code;
	u32 i;
#ifdef DOT_U8S8
	u8 *out = vexfs_query_s8(sp, q);
#else
	s16 *out = vexfs_query_s16(sp, q);
#endif

	q->gain = scaled(f->gain,
			 sp->metric == VEXFS_METRIC_L2 ? -2.0f : -1.0f);
	q->offset = sp->metric == VEXFS_METRIC_COSINE ? 0x3f800000 : f->offset;
	q->bias = group_unsigned(sp) ? -128 * 128 * (s32)sp->dims :
				       128 * f->sum;
#ifdef DOT_U8S8
	for (i = 0; i < sp->code_bytes; i += VB)
		*(ci *)(out + i) = *(const ci *)(c + i) ^ (s32)0x80808080;
#else
	for (i = 0; i < sp->code_bytes; i += VB / 2)
		*(cs *)(out + i) = __builtin_convertvector(*(const cb *)
							   (c + i), cs) - 128;
#endif
	__builtin_memset(out + sp->dims, 0,
			 (sp->code_bytes - sp->dims) * sizeof(*out));
}

#endif /* __CHECKER__ */

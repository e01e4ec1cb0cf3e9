/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Registers, and how elements get into them, for one instruction set. Includes
 * define ISA (a suffix), VB (bytes of a register), FMA(a, b, c), DOT_S16(a, b)
 * and MASK(v) (a bit for the sign of each s32); F16_TO_F32(p) and WIDEN(x)
 * where there is an instruction.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#ifndef _VEXFS_VEC_TMPL_H
#define _VEXFS_VEC_TMPL_H

#include "simd_priv.h"

#ifndef __CHECKER__

#define CAT2(a, b)	a##b
#define CAT(a, b)	CAT2(a, b)
#define FN(name)	CAT(name, ISA)

/* Elements of 4, 8 and 2 bytes in a register. */
#define VF		((u32)VB / 4)
#define VD		((u32)VB / 8)
#define VS		((u32)VB / 2)

/* What begins with v is in a register; u: at any address, in memory. */
typedef float vf __attribute__((vector_size(VB)));
typedef float vfu __attribute__((vector_size(VB), may_alias)) __aligned(1);
typedef s32 vi __attribute__((vector_size(VB)));
typedef u32 vu __attribute__((vector_size(VB)));
typedef s16 vs __attribute__((vector_size(VB), may_alias));
typedef double vd __attribute__((vector_size(VB)));
typedef s64 vl __attribute__((vector_size(VB)));
typedef float vfh __attribute__((vector_size(VB / 2), may_alias)) __aligned(1);
typedef u16 vhu __attribute__((vector_size(VB / 2), may_alias)) __aligned(1);
typedef s8 vsb __attribute__((vector_size(VB / 2), may_alias)) __aligned(1);
typedef u8 vub __attribute__((vector_size(VB / 2), may_alias)) __aligned(1);
typedef u8 vb __attribute__((vector_size(VB / 4), may_alias)) __aligned(1);
typedef float v4f __attribute__((vector_size(16)));
typedef s32 v4i __attribute__((vector_size(16)));
typedef u32 v4u __attribute__((vector_size(16)));
typedef double v2d __attribute__((vector_size(16)));

#ifndef WIDEN
#define WIDEN(x)	__builtin_convertvector(x, vd)
#endif

/* Squares and products outside of this have lost digits, or are infinite. */
#define TAME_MIN	0x1p-100f
#define TAME_MAX	0x1p120f

/*
 * The error of a sum of products in single precision, as a share of the norms,
 * whatever the order of additions.
 */
#define SLACK(dims)	(((dims) + 32) * 1.01f / 0x1p24f)

static inline u32 float_bits(float f)
{
	u32 bits;

	__builtin_memcpy(&bits, &f, sizeof(bits));
	return bits;
}

static inline float bits_float(u32 bits)
{
	float f;

	__builtin_memcpy(&f, &bits, sizeof(f));
	return f;
}

static inline double square_root(double x)
{
	v2d v = { x, 0 };

	return __builtin_ia32_sqrtpd(v)[0];
}

/* Minus, since 0 + f is not f if that is -0, and would be computed. */
static __always_inline vf splat(float f)
{
	return f - (vf){};
}

/*
 * A half's exponent and fraction, shifted to where a float has them, are the
 * number but for a power of two, also when it is denormal. Infinities and what
 * isn't a number get all bits of the exponent back.
 */
static __always_inline vf f16_to_f32(const void *p)
{
#ifdef F16_TO_F32
	return F16_TO_F32(p);
#else
	vi h = __builtin_convertvector(*(const vhu *)p, vi);
	vi rest = (h & 0x7fff) << 13;
	vi special = (h & 0x7c00) == 0x7c00;
	vf v = (vf)rest * 0x1p112f;

	rest = (vi)v | (special & 0x7f800000);
	return (vf)(rest | (h & 0x8000) << 16);
#endif
}

/* VF elements of a row of type @elem, the first at @p. */
static __always_inline vf load_elems(const u8 elem, const void *p)
{
	if (elem == VEXFS_ELEM_F32)
		return *(const vfu *)p;
	if (elem == VEXFS_ELEM_BF16)
		return (vf)(__builtin_convertvector(*(const vhu *)p, vi) << 16);
	return f16_to_f32(p);
}

/* The same, of which only @n may be read; the rest is zero. */
static __always_inline vf load_some(const u8 elem, const void *p, u32 n)
{
	u8 some[VB] = { 0 };

	if (n >= VF)
		return load_elems(elem, p);
	__builtin_memcpy(some, p, n * (elem == VEXFS_ELEM_F32 ? 4 : 2));
	return load_elems(elem, some);
}

/* The lower half of a register of floats; the upper one is zero. */
static __always_inline vf load_half(const float *p)
{
	vfh half = *(const vfh *)p;
	vf v = {};

	__builtin_memcpy(&v, &half, sizeof(half));
	return v;
}

/* Sums of the elements of four registers. */
static __always_inline v4f quarter_f(vf v)
{
	v4f part[VB / 16], sum;
	int i;

	__builtin_memcpy(part, &v, sizeof(v));
	sum = part[0];
#pragma GCC unroll 4
	for (i = 1; i < VB / 16; i++)
		sum += part[i];
	return sum;
}

static __always_inline v4f fold4_f(vf v0, vf v1, vf v2, vf v3)
{
	v4f a = quarter_f(v0), b = quarter_f(v1);
	v4f c = quarter_f(v2), d = quarter_f(v3);
	v4f ab = __builtin_shufflevector(a, b, 0, 4, 1, 5) +
		 __builtin_shufflevector(a, b, 2, 6, 3, 7);
	v4f cd = __builtin_shufflevector(c, d, 0, 4, 1, 5) +
		 __builtin_shufflevector(c, d, 2, 6, 3, 7);

	return __builtin_shufflevector(ab, cd, 0, 1, 4, 5) +
	       __builtin_shufflevector(ab, cd, 2, 3, 6, 7);
}

static __always_inline v4i quarter_i(vi v)
{
	v4i part[VB / 16], sum;
	int i;

	__builtin_memcpy(part, &v, sizeof(v));
	sum = part[0];
#pragma GCC unroll 4
	for (i = 1; i < VB / 16; i++)
		sum += part[i];
	return sum;
}

static __always_inline v4i fold4_i(vi v0, vi v1, vi v2, vi v3)
{
	v4i a = quarter_i(v0), b = quarter_i(v1);
	v4i c = quarter_i(v2), d = quarter_i(v3);
	v4i ab = __builtin_shufflevector(a, b, 0, 4, 1, 5) +
		 __builtin_shufflevector(a, b, 2, 6, 3, 7);
	v4i cd = __builtin_shufflevector(c, d, 0, 4, 1, 5) +
		 __builtin_shufflevector(c, d, 2, 6, 3, 7);

	return __builtin_shufflevector(ab, cd, 0, 1, 4, 5) +
	       __builtin_shufflevector(ab, cd, 2, 3, 6, 7);
}

/* Keys of four finite floats. */
static __always_inline v4i keys4(v4f d)
{
	v4i bits = (v4i)d;

	return bits ^ ((bits >> 31) | (s32)0x80000000);
}

/* The largest key there is stands for what is not a number. */
static inline u32 key_of(double d)
{
	return d != d ? ~0u : vexfs_key_from_bits(float_bits((float)d));
}

#endif /* __CHECKER__ */
#endif /* _VEXFS_VEC_TMPL_H */

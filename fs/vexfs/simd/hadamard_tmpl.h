/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Multiplication by a Hadamard matrix, for one instruction set. Includes define
 * VB (bytes of a vector register).
 *
 * Each element is computed by the same additions on every instruction set.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#ifndef _VEXFS_HADAMARD_TMPL_H
#define _VEXFS_HADAMARD_TMPL_H

#include "vec_tmpl.h"

#ifndef __CHECKER__

/* Neighbours at distance h change places. */
#define FLIP4(h, o)	(0 + (o)) ^ (h), (1 + (o)) ^ (h), \
			(2 + (o)) ^ (h), (3 + (o)) ^ (h)
#if VB == 16
#define FLIP(v, h)	__builtin_shufflevector(v, v, FLIP4(h, 0))
#elif VB == 32
#define FLIP(v, h)	__builtin_shufflevector(v, v, FLIP4(h, 0), FLIP4(h, 4))
#else
#define FLIP(v, h)	__builtin_shufflevector(v, v, FLIP4(h, 0), \
						FLIP4(h, 4), FLIP4(h, 8), \
						FLIP4(h, 12))
#endif

/* The sign bit where lane & h: that element is subtracted. */
static __always_inline vi hadamard_minus(int h)
{
	vi m;
	u32 i;

	for (i = 0; i < VF; i++)
		m[i] = i & (u32)h ? (s32)0x80000000 : 0;
	return m;
}

/* The butterflies within a register. */
static __always_inline vf hadamard_within(vf v)
{
	v = FLIP(v, 1) + (vf)((vi)v ^ hadamard_minus(1));
	v = FLIP(v, 2) + (vf)((vi)v ^ hadamard_minus(2));
#if VB >= 32
	v = FLIP(v, 4) + (vf)((vi)v ^ hadamard_minus(4));
#endif
#if VB >= 64
	v = FLIP(v, 8) + (vf)((vi)v ^ hadamard_minus(8));
#endif
	return v;
}

static __always_inline void hadamard_pairs(vf *r, const u32 n)
{
	u32 i, j;

#pragma GCC unroll 4
	for (j = 1; j < n; j *= 2) {
#pragma GCC unroll 8
		for (i = 0; i < n; i++) {
			vf a = r[i], b = r[i | j];

			if (i & j)
				continue;
			r[i] = a + b;
			r[i | j] = a - b;
		}
	}
}

/* @n registers that follow each other: their signs, and the first levels. */
static __always_inline void hadamard_first(vf *v, const vf *from,
					   const vfu *signs, const u32 n)
{
	u32 i;
	vf r[8];

#pragma GCC unroll 8
	for (i = 0; i < n; i++)
		r[i] = hadamard_within((vf)((vi)from[i] ^ (vi)signs[i]));
	hadamard_pairs(r, n);
#pragma GCC unroll 8
	for (i = 0; i < n; i++)
		v[i] = r[i];
}

/* The next levels of all, of @n registers each, @h apart. */
static __always_inline void hadamard_next(vf *v, u32 regs, u32 h, const u32 n,
					  float scale)
{
	u32 i, j, k;
	vf r[8];

	for (i = 0; i < regs; i += n * h) {
		for (j = i; j < i + h; j++) {
#pragma GCC unroll 8
			for (k = 0; k < n; k++)
				r[k] = v[j + k * h];
			hadamard_pairs(r, n);
#pragma GCC unroll 8
			for (k = 0; k < n; k++)
				v[j + k * h] = r[k] * scale;
		}
	}
}

/*
 * Changes the signs of @regs registers, a power of two, and multiplies them by
 * the Hadamard matrix and by @scale. Registers take in three levels of it each
 * time they are read.
 */
static __always_inline void hadamard(vf *v, const vf *from, const vfu *signs,
				     u32 regs, float scale)
{
	u32 i, h = regs < 8 ? 1 : 8;

	for (i = 0; i < regs; i += h) {
		if (h == 8)
			hadamard_first(v + i, from + i, signs + i, 8);
		else
			hadamard_first(v + i, from + i, signs + i, 1);
	}
	for (; regs / h > 8; h *= 8)
		hadamard_next(v, regs, h, 8, 1.0f);
	if (regs / h == 8)
		hadamard_next(v, regs, h, 8, scale);
	else if (regs / h == 4)
		hadamard_next(v, regs, h, 4, scale);
	else if (regs / h == 2)
		hadamard_next(v, regs, h, 2, scale);
	else
		hadamard_next(v, regs, regs, 1, scale);
}

#endif /* __CHECKER__ */
#endif /* _VEXFS_HADAMARD_TMPL_H */

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

/* The whole of @regs registers, a power of two; not scaled. */
static __always_inline void hadamard(vf *v, u32 regs)
{
	u32 i, j, h;

	for (i = 0; i < regs; i++)
		v[i] = hadamard_within(v[i]);
	for (h = 1; h < regs; h *= 2) {
		for (i = 0; i < regs; i += 2 * h) {
			for (j = i; j < i + h; j++) {
				vf a = v[j], b = v[j + h];

				v[j] = a + b;
				v[j + h] = a - b;
			}
		}
	}
}

#endif /* __CHECKER__ */
#endif /* _VEXFS_HADAMARD_TMPL_H */

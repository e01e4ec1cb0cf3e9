/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Random projections for one instruction set. Includes define ISA (a suffix),
 * VB (bytes of a vector register) and SIGNS(v), the sign bits of a register of
 * integers.
 *
 * Each element is computed by the same additions on every instruction set,
 * without contraction; so sketches are the same, bit for bit.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include "hadamard_tmpl.h"
#include "project_priv.h"

#ifndef __CHECKER__

/* Lanes of the sum of squares. */
#define NORM_LANES	16
#define NORM_ACC	(NORM_LANES * 8 / VB)

typedef float lfu __attribute__((vector_size(VB), may_alias)) __aligned(4);
typedef float lfh __attribute__((vector_size(VB / 2), may_alias)) __aligned(4);
typedef double ld __attribute__((vector_size(VB)));

static __always_inline float lsh_inverse_norm(const float *x, u32 n)
{
	double lane[NORM_LANES], norm;
	ld acc[NORM_ACC] = { 0 };
	u32 i, j, half;

	for (i = 0; i < n; i += NORM_LANES) {
#pragma GCC unroll 8
		for (j = 0; j < NORM_ACC; j++) {
			ld v = __builtin_convertvector(*(const lfh *)
						       (x + i + j * VF / 2),
						       ld);

			acc[j] += v * v;
		}
	}
	__builtin_memcpy(lane, acc, sizeof(lane));
	for (half = NORM_LANES / 2; half; half /= 2)
		for (i = 0; i < half; i++)
			lane[i] += lane[i + half];
	/* What is as short as this has no direction */
	if (!(lane[0] > 0x1p-250))
		return 0;
	norm = 1.0 / square_root(lane[0]);
	return norm < 0x1p120 ? (float)norm : 0;
}

/* The row, padded and scaled, into the first half of the work. */
static __always_inline void lsh_load(const struct vexfs_projector *pj,
				     const void *row, float *x)
{
	float by = bits_float(pj->scale);
	u32 i;

	__builtin_memcpy(x, row, pj->dims * sizeof(*x));
	__builtin_memset(x + pj->dims, 0, (pj->width - pj->dims) * sizeof(*x));
	if (pj->normal)
		by = lsh_inverse_norm(x, pj->width);
	/* Rotations make it longer by the width to the power of 3 / 2 */
	by /= (float)pj->width;
	for (i = 0; i < pj->width; i += VF)
		*(vf *)(x + i) *= by;
}

/* Rotation number @turn of what was loaded, into the second half. */
static __always_inline const vf *lsh_turn(const struct vexfs_projector *pj,
					  u32 turn, float *x)
{
	const u32 *signs = pj->signs + turn * VEXFS_LSH_ROUNDS * pj->width;
	vf *v = (vf *)(x + pj->width);
	u32 i, regs = pj->width / VF;

	hadamard(v, (const vf *)x, (const vfu *)signs, regs, 1.0f);
	for (i = 1; i < VEXFS_LSH_ROUNDS; i++)
		hadamard(v, v, (const vfu *)(signs + i * pj->width), regs,
			 1.0f);
	return v;
}

/* Bits [0, n) of words that begin at *out, which were zeroed. */
static __always_inline void lsh_signs(const vf *v, const lfu *centre, u32 n,
				      u32 *out)
{
	u32 i;

	/* Of the difference, negative where the row is beyond the centre */
	for (i = 0; i < n; i += VF)
		out[i / 32] |= (u32)SIGNS((vi)(centre[i / VF] - v[i / VF])) <<
			       (i % 32);
}

static __always_inline void lsh_project(const struct vexfs_projector *pj,
					const void *row, u32 *out,
					u16 *margin, float *x)
{
	const float *centre = (const float *)pj->centre;
	u32 t, i, j, n;

	lsh_load(pj, row, x);
	__builtin_memset(out, 0, pj->bits / 8);
	for (t = 0, i = 0; t < pj->turns; t++, i += n) {
		const vf *v = lsh_turn(pj, t, x);

		n = pj->bits - i < pj->width ? pj->bits - i : pj->width;
		lsh_signs(v, (const lfu *)(centre + i), n, out + i / 32);
		for (j = 0; margin && j < n; j++) {
			float m = ((const float *)v)[j] - centre[i + j];

			m = (m < 0 ? -m : m) * VEXFS_LSH_MARGIN_ONE;
			margin[i + j] = m < 65535 ? (u16)m : 65535;
		}
	}
}

void FN(vexfs_project_)(const struct vexfs_projector *pj, const void *row,
			u32 *out, u16 *margin, void *work)
{
	if (margin)
		lsh_project(pj, row, out, margin, work);
	else
		lsh_project(pj, row, out, NULL, work);
}

/* Sums of projections, and in the last double of all their squares. */
void FN(vexfs_sample_)(const struct vexfs_projector *pj, const void *row,
		       void *sum, void *work)
{
	double *to = sum;
	u32 t, i, j, n;

	lsh_load(pj, row, work);
	for (t = 0, i = 0; t < pj->turns; t++, i += n) {
		const float *v = (const float *)lsh_turn(pj, t, work);

		n = pj->bits - i < pj->width ? pj->bits - i : pj->width;
		for (j = 0; j < n; j++) {
			to[i + j] += v[j];
			to[pj->bits] += (double)v[j] * v[j];
		}
	}
}

#endif /* __CHECKER__ */

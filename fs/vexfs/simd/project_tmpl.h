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
#include "project_priv.h"

#ifndef __CHECKER__

#define LCAT2(a, b)	a##b
#define LCAT(a, b)	LCAT2(a, b)
#define LFN(name)	LCAT(name, ISA)

#define VF		(VB / 4)
/* Lanes of the sum of squares. */
#define NORM_LANES	16
#define NORM_ACC	(NORM_LANES * 8 / VB)

typedef float lf __attribute__((vector_size(VB)));
typedef float lfu __attribute__((vector_size(VB), may_alias)) __aligned(4);
typedef float lfh __attribute__((vector_size(VB / 2), may_alias)) __aligned(4);
typedef s32 li __attribute__((vector_size(VB)));
typedef s32 liu __attribute__((vector_size(VB), may_alias)) __aligned(4);
typedef double ld __attribute__((vector_size(VB)));
typedef double l2d __attribute__((vector_size(16)));

static __always_inline double lsh_sqrt(double x)
{
	l2d v = { x, 0 };

	return __builtin_ia32_sqrtpd(v)[0];
}

/* Neighbours at distance h change places. */
#define LSH_X4(h, o)	(0 + (o)) ^ (h), (1 + (o)) ^ (h), \
			(2 + (o)) ^ (h), (3 + (o)) ^ (h)
#if VB == 16
#define LSH_SWAP(v, h)	__builtin_shufflevector(v, v, LSH_X4(h, 0))
#elif VB == 32
#define LSH_SWAP(v, h)	__builtin_shufflevector(v, v, LSH_X4(h, 0), \
						LSH_X4(h, 4))
#else
#define LSH_SWAP(v, h)	__builtin_shufflevector(v, v, LSH_X4(h, 0), \
						LSH_X4(h, 4), LSH_X4(h, 8), \
						LSH_X4(h, 12))
#endif

/* The sign bit where lane & h: that element is subtracted. */
static __always_inline li lsh_minus(int h)
{
	li m;
	int i;

	for (i = 0; i < VF; i++)
		m[i] = i & h ? (s32)0x80000000 : 0;
	return m;
}

/* The butterflies within a register. */
static __always_inline lf lsh_within(lf v)
{
	v = LSH_SWAP(v, 1) + (lf)((li)v ^ lsh_minus(1));
	v = LSH_SWAP(v, 2) + (lf)((li)v ^ lsh_minus(2));
#if VB >= 32
	v = LSH_SWAP(v, 4) + (lf)((li)v ^ lsh_minus(4));
#endif
#if VB >= 64
	v = LSH_SWAP(v, 8) + (lf)((li)v ^ lsh_minus(8));
#endif
	return v;
}

/* Multiplies by the signs, then by the Hadamard matrix. */
static __always_inline void lsh_round(lf *v, const liu *signs, const lf *from,
				      u32 regs)
{
	u32 i, j, h;

	for (i = 0; i < regs; i++)
		v[i] = lsh_within((lf)((li)from[i] ^ signs[i]));
	for (h = 1; h < regs; h *= 2) {
		for (i = 0; i < regs; i += 2 * h) {
			for (j = i; j < i + h; j++) {
				lf a = v[j], b = v[j + h];

				v[j] = a + b;
				v[j + h] = a - b;
			}
		}
	}
}

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
	norm = 1.0 / lsh_sqrt(lane[0]);
	return norm < 0x1p120 ? (float)norm : 0;
}

static __always_inline float lsh_float(u32 bits)
{
	float f;

	__builtin_memcpy(&f, &bits, sizeof(f));
	return f;
}

/* The row, padded and scaled, into the first half of the work. */
static __always_inline void lsh_load(const struct vexfs_projector *pj,
				     const void *row, float *x)
{
	float by = lsh_float(pj->scale);
	u32 i;

	__builtin_memcpy(x, row, pj->dims * sizeof(*x));
	__builtin_memset(x + pj->dims, 0, (pj->width - pj->dims) * sizeof(*x));
	if (pj->normal)
		by = lsh_inverse_norm(x, pj->width);
	/* Rotations make it longer by the width to the power of 3 / 2 */
	by /= (float)pj->width;
	for (i = 0; i < pj->width; i += VF)
		*(lf *)(x + i) *= by;
}

/* Rotation number @turn of what was loaded, into the second half. */
static __always_inline const lf *lsh_turn(const struct vexfs_projector *pj,
					  u32 turn, float *x)
{
	const u32 *signs = pj->signs + turn * VEXFS_LSH_ROUNDS * pj->width;
	lf *v = (lf *)(x + pj->width);
	u32 i, regs = pj->width / VF;

	lsh_round(v, (const liu *)signs, (const lf *)x, regs);
	for (i = 1; i < VEXFS_LSH_ROUNDS; i++)
		lsh_round(v, (const liu *)(signs + i * pj->width), v, regs);
	return v;
}

/* Bits [0, n) of words that begin at *out, which were zeroed. */
static __always_inline void lsh_signs(const lf *v, const lfu *centre, u32 n,
				      u32 *out)
{
	u32 i;

	/* Of the difference, negative where the row is beyond the centre */
	for (i = 0; i < n; i += VF)
		out[i / 32] |= (u32)SIGNS((li)(centre[i / VF] - v[i / VF])) <<
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
		const lf *v = lsh_turn(pj, t, x);

		n = pj->bits - i < pj->width ? pj->bits - i : pj->width;
		lsh_signs(v, (const lfu *)(centre + i), n, out + i / 32);
		for (j = 0; margin && j < n; j++) {
			float m = ((const float *)v)[j] - centre[i + j];

			m = (m < 0 ? -m : m) * VEXFS_LSH_MARGIN_ONE;
			margin[i + j] = m < 65535 ? (u16)m : 65535;
		}
	}
}

void LFN(vexfs_project_)(const struct vexfs_projector *pj, const void *row,
			 u32 *out, u16 *margin, void *work)
{
	if (margin)
		lsh_project(pj, row, out, margin, work);
	else
		lsh_project(pj, row, out, NULL, work);
}

/* Sums of projections, and in the last double of all their squares. */
void LFN(vexfs_sample_)(const struct vexfs_projector *pj, const void *row,
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

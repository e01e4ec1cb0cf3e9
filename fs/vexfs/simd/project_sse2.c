// SPDX-License-Identifier: GPL-2.0
/*
 * Random projections with SSE2, and what becomes of a sample.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#define ISA		sse2
#define VB		16
#define SIGNS(v)	__builtin_ia32_movmskps((vf)(v))

#include "project_tmpl.h"

#ifndef __CHECKER__

static u32 bits_of(double d)
{
	float f = (float)d;
	u32 bits;

	__builtin_memcpy(&bits, &f, sizeof(bits));
	return bits;
}

/* Finite, and what a float can be, with room above. */
static bool sane(double d)
{
	return d < 0x1p100 && d > -0x1p100;
}

/* The variance of the sample around its mean, by projections; the least. */
static double sample_variance(const struct vexfs_projector *pj,
			      const double *sum, u32 n)
{
	double var = sum[pj->bits] / n;
	u32 i;

	for (i = 0; i < pj->bits; i++)
		var -= sum[i] / n * (sum[i] / n);
	var /= pj->bits;
	return var > 0x1p-200 ? var : 0x1p-200;
}

u32 vexfs_sample_finish_sse2(struct vexfs_projector *pj, const void *from,
			     u32 n, bool apply)
{
	const double by = bits_float(pj->scale);
	const double *sum = from;
	const float *old = (const float *)pj->centre;
	double var = sample_variance(pj, sum, n), moved = 0, d, scale;
	u32 i;

	for (i = 0; i < pj->bits; i++) {
		d = sum[i] / n - (double)old[i];
		moved += d * d;
	}
	moved *= 100 / (var * pj->bits);
	/* Four times as wide as it was, or a quarter */
	if (!pj->normal && !(var > 1.0 / 16 && var < 16))
		moved = 1000;
	if (!(moved < 1000))
		moved = 1000;
	if (!apply)
		return (u32)moved;
	scale = pj->normal ? 1 : 1 / square_root(var);
	if (!sane(scale * by) || !(scale * by > 0x1p-100))
		scale = 1;
	for (i = 0; i < pj->bits; i++) {
		d = sum[i] / n * scale;
		pj->centre[i] = bits_of(sane(d) ? d : 0);
	}
	if (!pj->normal)
		pj->scale = bits_of(scale * by);
	return (u32)moved;
}

#endif /* __CHECKER__ */

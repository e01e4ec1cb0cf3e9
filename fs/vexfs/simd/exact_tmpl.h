/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Exact distances to rows of floating-point elements, for one instruction set
 * (see vec_tmpl.h).
 *
 * Sums are kept in VEXFS_LANES lanes of double precision, element i in lane
 * i % VEXFS_LANES, and folded in halves at the end. There is no contraction.
 * So a distance is the exact one, rounded to a float, but for an error in the
 * order of 1e-15, and it is the same on each instruction set.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#ifndef _VEXFS_EXACT_TMPL_H
#define _VEXFS_EXACT_TMPL_H

#include "vec_tmpl.h"

#ifndef __CHECKER__

/* Registers of doubles for all lanes, and of floats. */
#define NACC		(VEXFS_LANES / VD)
#define NSRC		(VEXFS_LANES / VF)

static __always_inline double fold_lanes(const vd *acc)
{
	double lane[VEXFS_LANES];
	unsigned int i, half;

	__builtin_memcpy(lane, acc, sizeof(lane));
	for (half = VEXFS_LANES / 2; half; half /= 2)
		for (i = 0; i < half; i++)
			lane[i] += lane[i + half];
	return lane[0];
}

static __always_inline void exact_step(const u8 metric, vd *sum, vd *norm,
				       const vd *q, const float *r, u32 a)
{
	vd x = WIDEN(*(const vfh *)(r + a * VD));
	vd y = q[a];

	if (metric == VEXFS_METRIC_L2) {
		x -= y;
		sum[a] += x * x;
	} else if (metric == VEXFS_METRIC_L1) {
		x -= y;
		sum[a] += (vd)((vl)x & S64_MAX);
	} else {
		sum[a] += x * y;
	}
	if (metric == VEXFS_METRIC_COSINE)
		norm[a] += x * x;
}

static __always_inline u32 exact_key(const u8 metric,
				     const struct vexfs_query *query, double d,
				     double norm)
{
	double n;

	if (metric == VEXFS_METRIC_L2 || metric == VEXFS_METRIC_L1)
		return key_of(d);
	if (metric == VEXFS_METRIC_IP)
		return key_of(0.0 - d);
	__builtin_memcpy(&n, &query->norm2, sizeof(n));
	n *= norm;
	if (!(n > 0))
		return key_of(n != n ? n : 1.0);
	d = 1.0 - d / square_root(n);
	return key_of(d < 0 ? 0.0 : d);
}

/*
 * Rows are read in steps of 32 bytes, their stride being a multiple of that:
 * 16 elements of two bytes, 8 floats. As far as this one is read, @next is asked
 * for, if there is one: memory comes at its own pace, and all lines of some rows
 * at once would have to wait for each other.
 */
static __always_inline u32 exact(const u8 elem, const u8 metric,
				 const struct vexfs_space *sp,
				 const struct vexfs_query *query,
				 const void *row, const void *next)
{
	const u32 step = VEXFS_LANES * (elem == VEXFS_ELEM_F32 ? 4 : 2);
	const vd *q = vexfs_query_wide(sp, query);
	vd sum[NACC] = { 0 }, norm[NACC] = { 0 };
	vf wide[NSRC];
	u32 i, a, n = sp->stride / (elem == VEXFS_ELEM_F32 ? 4 : 2);

	for (i = 0; i + VEXFS_LANES <= n; i += VEXFS_LANES) {
		const float *r = row + i * 4;

		if (next) {
			__builtin_prefetch(next);
			__builtin_prefetch(next + step - 1);
			next += step;
		}
		if (elem != VEXFS_ELEM_F32) {
#pragma GCC unroll 4
			for (a = 0; a < NSRC; a++)
				wide[a] = load_elems(elem, row +
						     (i + a * VF) * 2);
			r = (const float *)wide;
		}
#pragma GCC unroll 8
		for (a = 0; a < NACC; a++)
			exact_step(metric, sum, norm, q, r, a);
		q += NACC;
	}
	if (i < n) {
#pragma GCC unroll 4
		for (a = 0; a < NACC / 2; a++)
			exact_step(metric, sum, norm, q, row + i * 4, a);
	}
	return exact_key(metric, query, fold_lanes(sum), fold_lanes(norm));
}

static __always_inline u32 exact_metric(const u8 elem,
					const struct vexfs_space *sp,
					const struct vexfs_query *q,
					const void *row, const void *next)
{
	switch (sp->metric) {
	case VEXFS_METRIC_L2:
		return exact(elem, VEXFS_METRIC_L2, sp, q, row, next);
	case VEXFS_METRIC_IP:
		return exact(elem, VEXFS_METRIC_IP, sp, q, row, next);
	case VEXFS_METRIC_COSINE:
		return exact(elem, VEXFS_METRIC_COSINE, sp, q, row,
			     next);
	default:
		return exact(elem, VEXFS_METRIC_L1, sp, q, row, next);
	}
}

/* Not inlined: it is also the way out of the fast ones. */
static noinline u32 exact_one(const struct vexfs_space *sp,
			      const struct vexfs_query *q, const void *row,
			      const void *next)
{
	if (sp->elem == VEXFS_ELEM_F32)
		return exact_metric(VEXFS_ELEM_F32, sp, q, row, next);
	if (sp->elem == VEXFS_ELEM_F16)
		return exact_metric(VEXFS_ELEM_F16, sp, q, row, next);
	return exact_metric(VEXFS_ELEM_BF16, sp, q, row, next);
}

void FN(vexfs_exact_)(const struct vexfs_space *sp,
		      const struct vexfs_query *q, const void *const *rows,
		      unsigned int n, u32 *keys)
{
	unsigned int i;

	vexfs_rows_fetch(sp, rows, n);
	for (i = 0; i < n; i++)
		keys[i] = exact_one(sp, q, rows[i], i + VEXFS_ROWS_AHEAD < n ?
				    rows[i + VEXFS_ROWS_AHEAD] : NULL);
}

/*
 * The elements of a query, all lanes of which are there, as doubles; returns the
 * square of its norm.
 */
static double exact_query(const float *q, u32 dims, vd *wide)
{
	vd acc[NACC] = { 0 };
	u32 i;

	for (i = 0; i < ALIGN(dims, VEXFS_LANES) / VD; i++) {
		wide[i] = WIDEN(*(const vfh *)(q + i * VD));
		acc[i % NACC] += wide[i] * wide[i];
	}
	return fold_lanes(acc);
}

#endif /* __CHECKER__ */
#endif /* _VEXFS_EXACT_TMPL_H */

/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Distances to rows of 8-bit integers, for one instruction set (see
 * vec_tmpl.h): four rows at a time. Sums are integers, and only the cosine is
 * rounded before it becomes a float, so they are exact.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include "vec_tmpl.h"

#ifndef __CHECKER__

#define GROUP_INTS	4

/* VS elements as s16. */
static __always_inline vs load_ints(const u8 elem, const void *p)
{
	if (elem == VEXFS_ELEM_I8)
		return __builtin_convertvector(*(const vsb *)p, vs);
	return __builtin_convertvector(*(const vub *)p, vs);
}

static __always_inline void int_step(const u8 metric, vi *sum, vi *norm, vs x,
				     vs y)
{
	const vs ones = (vs){} + 1;
	vs sign;

	if (metric == VEXFS_METRIC_L2) {
		x -= y;
		*sum += (vi)DOT_S16(x, x);
	} else if (metric == VEXFS_METRIC_L1) {
		x -= y;
		sign = x >> 15;
		*sum += (vi)DOT_S16((x ^ sign) - sign, ones);
	} else {
		*sum += (vi)DOT_S16(x, y);
	}
	if (metric == VEXFS_METRIC_COSINE)
		*norm += (vi)DOT_S16(x, x);
}

static inline u32 int_cosine(const struct vexfs_query *query, s32 sum,
			     s32 norm)
{
	double n, d;

	__builtin_memcpy(&n, &query->norm2, sizeof(n));
	n *= norm;
	if (!(n > 0))
		return key_of(1.0);
	d = 1.0 - sum / square_root(n);
	return key_of(d < 0 ? 0.0 : d);
}

/* No sum exceeds 16384 * 255 * 255. The stride is a multiple of VS. */
static __always_inline void int_group(const u8 elem, const u8 metric,
				      const struct vexfs_space *sp,
				      const struct vexfs_query *q,
				      const void *const *r, u32 n, u32 *keys)
{
	vi sum[GROUP_INTS] = { 0 }, norm[GROUP_INTS] = { 0 };
	v4i sums, norms, out;
	u32 i, j;

	for (i = 0; i < sp->stride; i += VS) {
		const vs y = *(const vs *)(q->data + i * 2);

#pragma GCC unroll 4
		for (j = 0; j < GROUP_INTS; j++)
			int_step(metric, &sum[j], &norm[j],
				 load_ints(elem, r[j] + i), y);
	}
	sums = fold4_i(sum[0], sum[1], sum[2], sum[3]);
	if (metric == VEXFS_METRIC_COSINE) {
		norms = fold4_i(norm[0], norm[1], norm[2], norm[3]);
		for (i = 0; i < n; i++)
			keys[i] = int_cosine(q, sums[i], norms[i]);
		return;
	}
	if (metric == VEXFS_METRIC_IP)
		sums = -sums;
	out = keys4(__builtin_convertvector(sums, v4f));
	__builtin_memcpy(keys, &out, n * sizeof(*keys));
}

static __always_inline void int_rows(const u8 elem, const u8 metric,
				     const struct vexfs_space *sp,
				     const struct vexfs_query *q,
				     const void *const *rows, const void *base,
				     unsigned int n, u32 *keys)
{
	const void *r[GROUP_INTS];
	unsigned int i, j, at;

	for (i = 0; i < n; i += GROUP_INTS) {
		for (j = 0; j < GROUP_INTS; j++) {
			at = min(i + j, n - 1);
			r[j] = rows ? rows[at] :
				      base + (size_t)at * sp->stride;
			at = i + GROUP_INTS + j;
			if (rows && at < n)
				__builtin_prefetch(rows[at]);
		}
		int_group(elem, metric, sp, q, r,
			  min(n - i, (unsigned int)GROUP_INTS), keys + i);
	}
}

static __always_inline void int_metric(const u8 elem,
				       const struct vexfs_space *sp,
				       const struct vexfs_query *q,
				       const void *const *rows,
				       const void *base, unsigned int n,
				       u32 *keys)
{
	switch (sp->metric) {
	case VEXFS_METRIC_L2:
		int_rows(elem, VEXFS_METRIC_L2, sp, q, rows, base, n, keys);
		break;
	case VEXFS_METRIC_IP:
		int_rows(elem, VEXFS_METRIC_IP, sp, q, rows, base, n, keys);
		break;
	case VEXFS_METRIC_COSINE:
		int_rows(elem, VEXFS_METRIC_COSINE, sp, q, rows, base, n,
			 keys);
		break;
	default:
		int_rows(elem, VEXFS_METRIC_L1, sp, q, rows, base, n, keys);
	}
}

void FN(vexfs_ints_)(const struct vexfs_space *sp,
		     const struct vexfs_query *q, const void *const *rows,
		     const void *base, unsigned int n, u32 *keys)
{
	if (sp->elem == VEXFS_ELEM_I8)
		int_metric(VEXFS_ELEM_I8, sp, q, rows, base, n, keys);
	else
		int_metric(VEXFS_ELEM_U8, sp, q, rows, base, n, keys);
}

#endif /* __CHECKER__ */

/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Fast distances to rows of floating-point elements, for one instruction set
 * (see vec_tmpl.h): four rows at a time, so that foldings are shared and, where
 * rows lie apart, loads of the query; sums in single precision.
 *
 * An error of query.slack times what the sums are made of is allowed for where
 * a lower bound is asked for. Where numbers are so large or small that single
 * precision doesn't do, the exact distance is computed instead.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include "exact_tmpl.h"

#ifndef __CHECKER__

#define GROUP_ROWS	4
/* Two sums a row, as an addition waits for the one before. */
#define NSUM		2

static __always_inline void fast_step(const u8 metric, const bool norms,
				      vf *sum, vf *norm, vf x, vf y)
{
	if (metric == VEXFS_METRIC_L2) {
		x -= y;
		*sum = FMA(x, x, *sum);
	} else if (metric == VEXFS_METRIC_L1) {
		*sum += (vf)((vi)(x - y) & 0x7fffffff);
	} else {
		*sum = FMA(x, y, *sum);
	}
	if (norms)
		*norm = FMA(x, x, *norm);
}

static __always_inline void fast_sums(const u8 elem, const u8 metric,
				      const bool norms, u32 n, const float *q,
				      const void *const *r, vf *sums,
				      vf *squares)
{
	const u32 size = elem == VEXFS_ELEM_F32 ? 4 : 2;
	vf sum[GROUP_ROWS][NSUM] = { 0 }, norm[GROUP_ROWS][NSUM] = { 0 };
	u32 i, j, a;

	for (i = 0; i + NSUM * VF <= n; i += NSUM * VF) {
#pragma GCC unroll 2
		for (a = 0; a < NSUM; a++) {
			const vf y = *(const vfu *)(q + i + a * VF);

#pragma GCC unroll 4
			for (j = 0; j < GROUP_ROWS; j++)
				fast_step(metric, norms, &sum[j][a],
					  &norm[j][a],
					  load_elems(elem, r[j] +
						     (i + a * VF) * size), y);
		}
	}
	for (; i + VF <= n; i += VF) {
		const vf y = *(const vfu *)(q + i);

#pragma GCC unroll 4
		for (j = 0; j < GROUP_ROWS; j++)
			fast_step(metric, norms, &sum[j][0], &norm[j][0],
				  load_elems(elem, r[j] + i * size), y);
	}
	/* The stride of rows is a multiple of half a register. */
	if (i < n) {
		const vf y = load_half(q + i);

#pragma GCC unroll 4
		for (j = 0; j < GROUP_ROWS; j++)
			fast_step(metric, norms, &sum[j][0], &norm[j][0],
				  load_half(r[j] + i * size), y);
	}
#pragma GCC unroll 4
	for (j = 0; j < GROUP_ROWS; j++) {
		sums[j] = sum[j][0] + sum[j][1];
		if (norms)
			squares[j] = norm[j][0] + norm[j][1];
	}
}

/*
 * Sums of a row that lies between others that are read before and after it: by
 * one load that goes from line to line, which was faster than two or more that
 * take turns (Zen 4). The sums take turns instead. Lines @ahead of the load are
 * asked for, if it isn't 0.
 */
static __always_inline void stream_sums(const u8 elem, const u8 metric,
					const bool norms, size_t n,
					const float *q, const void *r,
					size_t ahead, vf *sums, vf *squares)
{
	const u32 size = elem == VEXFS_ELEM_F32 ? 4 : 2;
	vf sum = {}, next = {}, norm = {}, next_norm = {};
	size_t i;

#pragma GCC unroll 1
	for (i = 0; i + VF <= n; i += VF) {
		if (ahead && !(i * size & 63))
			__builtin_prefetch(r + i * size + ahead, 0, 2);
		fast_step(metric, norms, &sum, &norm,
			  load_elems(elem, r + i * size),
			  *(const vfu *)(q + i));
		swap(sum, next);
		if (norms)
			swap(norm, next_norm);
	}
	if (i < n)
		fast_step(metric, norms, &sum, &norm,
			  load_half(r + i * size), load_half(q + i));
	*sums = sum + next;
	if (norms)
		*squares = norm + next_norm;
}

/* Distances of four rows, or what they are at least. */
static __always_inline v4f fast_distance(const u8 metric, const bool lower,
					 const struct vexfs_query *query,
					 v4f sum, v4f square, v4i *wild)
{
	const float slack = bits_float(query->slack);
	const float norm = bits_float(query->norm);
	v4f d, size = sum;

	if (metric == VEXFS_METRIC_COSINE || (lower &&
					      metric == VEXFS_METRIC_IP))
		size = square;
	else if (metric == VEXFS_METRIC_IP)
		size = (v4f)((v4i)sum & 0x7fffffff);
	*wild = ~((size > TAME_MIN) & (size < TAME_MAX));
	if (metric == VEXFS_METRIC_L2 || metric == VEXFS_METRIC_L1)
		return lower ? sum * (1.0f - slack) : sum;
	size = __builtin_ia32_sqrtps(square) * norm;
	if (metric == VEXFS_METRIC_IP) {
		*wild |= (v4i){} - query->wild;
		return lower ? -sum - size * slack : -sum;
	}
	*wild |= (v4i){} - query->wild;
	d = 1.0f - sum / size;
	if (lower)
		d -= slack;
	return (v4f)((v4i)d & ~((v4i)d >> 31));
}

static __always_inline void fast_group(const u8 elem, const u8 metric,
				       const bool lower,
				       const struct vexfs_space *sp,
				       const struct vexfs_query *q,
				       const void *const *r, bool stream, u32 n,
				       u32 *keys)
{
	const bool norms = metric == VEXFS_METRIC_COSINE ||
			   (lower && metric == VEXFS_METRIC_IP);
	const u32 len = sp->stride / (elem == VEXFS_ELEM_F32 ? 4 : 2);
	const float *y = (const float *)q->data;
	vf sum[GROUP_ROWS], square[GROUP_ROWS] = { 0 };
	v4f squares = {};
	v4i wild, out;
	u32 i;

	if (stream)
		for (i = 0; i < GROUP_ROWS; i++)
			stream_sums(elem, metric, norms, len, y, r[i],
				    vexfs_stream_ahead, sum + i, square + i);
	else
		fast_sums(elem, metric, norms, len, y, r, sum, square);
	if (norms)
		squares = fold4_f(square[0], square[1], square[2], square[3]);
	out = keys4(fast_distance(metric, lower, q,
				  fold4_f(sum[0], sum[1], sum[2], sum[3]),
				  squares, &wild));
	if (likely(n == GROUP_ROWS))
		__builtin_memcpy(keys, &out, sizeof(out));
	else
		__builtin_memcpy(keys, &out, n * sizeof(*keys));
	if (likely(!__builtin_ia32_movmskps((v4f)wild)))
		return;
	for (i = 0; i < n; i++)
		if (wild[i])
			keys[i] = exact_one(sp, q, r[i], NULL);
}

/* Of the rows after these, if they lie elsewhere, as much is fetched ahead. */
#define AHEAD_ROW	512u

/*
 * Rows of a scan are neighbours. Memory gives one long stream about twice as
 * fast as four in turn (measured on Zen 4).
 */
static __always_inline bool fast_stream(const void *const *rows, u32 stride)
{
	return rows[0] + stride == rows[1] && rows[1] + stride == rows[2] &&
	       rows[2] + stride == rows[3];
}

static __always_inline void fast_ahead(const void *const *rows, u32 n,
				       u32 stride)
{
	u32 i, off;

	for (i = 0; i < n; i++)
		for (off = 0; off < min(stride, AHEAD_ROW); off += 64)
			__builtin_prefetch(rows[i] + off);
}

/* Row i is at rows[i], or at base + i * stride. */
static __always_inline void fast_rows(const u8 elem, const u8 metric,
				      const bool lower,
				      const struct vexfs_space *sp,
				      const struct vexfs_query *q,
				      const void *const *rows,
				      const void *base, unsigned int n,
				      u32 *keys)
{
	const void *r[GROUP_ROWS];
	unsigned int i, j, now;
	bool stream;

	for (i = 0; i < n; i += now) {
		now = min(n - i, (unsigned int)GROUP_ROWS);
		for (j = 0; j < GROUP_ROWS; j++) {
			u32 at = min(i + j, n - 1);

			r[j] = rows ? rows[at] :
				      base + (size_t)at * sp->stride;
		}
		stream = rows && now == GROUP_ROWS &&
			 fast_stream(r, sp->stride);
		if (rows && !stream)
			fast_ahead(rows + i + now,
				   min(n - i - now, (unsigned int)GROUP_ROWS),
				   sp->stride);
		fast_group(elem, metric, lower, sp, q, r, stream, now,
			   keys + i);
	}
}

static __always_inline void fast_metric(const u8 elem, const bool lower,
					const struct vexfs_space *sp,
					const struct vexfs_query *q,
					const void *const *rows,
					const void *base, unsigned int n,
					u32 *keys)
{
	switch (sp->metric) {
	case VEXFS_METRIC_L2:
		fast_rows(elem, VEXFS_METRIC_L2, lower, sp, q, rows, base, n,
			  keys);
		break;
	case VEXFS_METRIC_IP:
		fast_rows(elem, VEXFS_METRIC_IP, lower, sp, q, rows, base, n,
			  keys);
		break;
	case VEXFS_METRIC_COSINE:
		fast_rows(elem, VEXFS_METRIC_COSINE, lower, sp, q, rows, base,
			  n, keys);
		break;
	default:
		fast_rows(elem, VEXFS_METRIC_L1, lower, sp, q, rows, base, n,
			  keys);
	}
}

static __always_inline void fast_elem(const bool lower,
				      const struct vexfs_space *sp,
				      const struct vexfs_query *q,
				      const void *const *rows,
				      const void *base, unsigned int n,
				      u32 *keys)
{
	if (sp->elem == VEXFS_ELEM_F32)
		fast_metric(VEXFS_ELEM_F32, lower, sp, q, rows, base, n, keys);
	else if (sp->elem == VEXFS_ELEM_F16)
		fast_metric(VEXFS_ELEM_F16, lower, sp, q, rows, base, n, keys);
	else
		fast_metric(VEXFS_ELEM_BF16, lower, sp, q, rows, base, n,
			    keys);
}

void FN(vexfs_rows_)(const struct vexfs_space *sp,
		     const struct vexfs_query *q, const void *const *rows,
		     const void *base, unsigned int n, u32 *keys)
{
	fast_elem(false, sp, q, rows, base, n, keys);
}

void FN(vexfs_lower_)(const struct vexfs_space *sp,
		      const struct vexfs_query *q, const void *const *rows,
		      unsigned int n, u32 *keys)
{
	fast_elem(true, sp, q, rows, NULL, n, keys);
}

#endif /* __CHECKER__ */

/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Many queries against many rows of floating-point elements, for one
 * instruction set (see vec_tmpl.h): products of a panel of queries, which lie
 * side by side in registers, and rows, whose elements are broadcast from where
 * they are. Then, by the norms, which pairs may be near enough.
 *
 * TILE_ROWS, which includes define, is how many rows' sums fit into registers,
 * for two registers of queries. Sums are in single precision: with an error of
 * up to slack * |query| * |row|, see SLACK().
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include "vec_tmpl.h"

#ifndef __CHECKER__

/* What is left of a block once the most rows are taken TILE_ROWS at a time. */
#define TILE_REST	4u
/* Products of one element of each row are added between two looks ahead. */
#define TILE_STEP	8u

static_assert(VEXFS_TILE_GROUP % TILE_ROWS == 0);

/*
 * Adds products of elements [from, to) to the sums of @nr rows and @regs
 * registers of queries; @next are rows that will be wanted soon.
 */
static __always_inline void tile_sums(const u32 regs, const u32 nr,
				      const struct vexfs_tile *t,
				      const float *const *row, u32 from,
				      u32 to, const void *const *next,
				      u32 next_size, float *sums)
{
	const vf *p = (const vf *)t->packed + from * regs;
	vf acc[TILE_ROWS][2];
	u32 j, u;
	size_t k;

#pragma GCC unroll 16
	for (j = 0; j < nr; j++) {
		acc[j][0] = from ? *(vf *)(sums + j * VEXFS_TILE_LANES) :
				   (vf){};
		if (regs > 1)
			acc[j][1] = from ? *(vf *)(sums + VF +
						   j * VEXFS_TILE_LANES) :
					   (vf){};
	}
	for (k = from; k < to; k += TILE_STEP, p += TILE_STEP * regs) {
		if (next && !(k * next_size & 63))
#pragma GCC unroll 16
			for (j = 0; j < nr; j++)
				__builtin_prefetch(next[j] + k * next_size, 0,
						   2);
#pragma GCC unroll 8
		for (u = 0; u < TILE_STEP; u++) {
			const vf y0 = p[u * regs];
			const vf y1 = p[u * regs + regs - 1];

#pragma GCC unroll 16
			for (j = 0; j < nr; j++) {
				const vf x = splat((row[j] + k)[u]);

				acc[j][0] = FMA(x, y0, acc[j][0]);
				if (regs > 1)
					acc[j][1] = FMA(x, y1, acc[j][1]);
			}
		}
	}
#pragma GCC unroll 16
	for (j = 0; j < nr; j++) {
		*(vf *)(sums + j * VEXFS_TILE_LANES) = acc[j][0];
		if (regs > 1)
			*(vf *)(sums + VF + j * VEXFS_TILE_LANES) = acc[j][1];
	}
}

static __always_inline void tile_rows(const u32 regs, struct vexfs_tile *t,
				      const struct vexfs_tile_block *b,
				      u32 from, u32 to,
				      const void *const *next, u32 next_size)
{
	float *sums = (float *)t->sums;
	const float *const *row = (const float *const *)b->row;
	u32 i, step;

	for (i = 0; i < b->n; i += step) {
		step = TILE_ROWS;
		if (i + step <= b->n) {
			tile_sums(regs, TILE_ROWS, t, row + i, from, to,
				  next ? next + i : NULL, next_size,
				  sums + i * VEXFS_TILE_LANES);
			continue;
		}
		step = TILE_REST;
		if (i + step <= b->n) {
			tile_sums(regs, TILE_REST, t, row + i, from, to,
				  next ? next + i : NULL, next_size,
				  sums + i * VEXFS_TILE_LANES);
			continue;
		}
		step = 1;
		tile_sums(regs, 1, t, row + i, from, to,
			  next ? next + i : NULL, next_size,
			  sums + i * VEXFS_TILE_LANES);
	}
}

/* Elements [from, to), multiples of TILE_STEP; @next: b->n rows, or NULL. */
void FN(vexfs_tile_sums_)(struct vexfs_tile *t,
			  const struct vexfs_tile_block *b, u32 from, u32 to,
			  const void *const *next, u32 next_size)
{
	if (t->lanes > VF)
		tile_rows(2, t, b, from, to, next, next_size);
	else
		tile_rows(1, t, b, from, to, next, next_size);
}

/* Puts the elements of a query into its lane. */
void FN(vexfs_tile_pack_)(struct vexfs_tile *t, u32 lane,
			  const struct vexfs_query *q, u32 depth)
{
	float *to = (float *)t->packed + lane;
	const float *from = (const float *)q->data;
	u32 k;

	for (k = 0; k < depth; k++)
		to[k * t->lanes] = from[k];
	t->norm[lane] = q->norm;
	t->norm2[lane] = q->norm2_float;
	t->wild[lane] = (u32)-q->wild;
}

/* ------------------------------------------------------------------- rows */

/* The square of a row's norm; elements of two bytes are widened to @wide. */
static __always_inline float row_norm2(const u8 elem, const void *row,
				       float *wide, u32 n)
{
	const u32 size = elem == VEXFS_ELEM_F32 ? 4 : 2;
	vf acc[4] = { 0 };
	v4f sum;
	u32 i, a;

	for (i = 0; i + 4 * VF <= n; i += 4 * VF) {
#pragma GCC unroll 4
		for (a = 0; a < 4; a++) {
			vf x = load_elems(elem, row + (i + a * VF) * size);

			acc[a] = FMA(x, x, acc[a]);
			if (elem != VEXFS_ELEM_F32)
				*(vfu *)(wide + i + a * VF) = x;
		}
	}
	for (; i + VF <= n; i += VF) {
		vf x = load_elems(elem, row + i * size);

		acc[0] = FMA(x, x, acc[0]);
		if (elem != VEXFS_ELEM_F32)
			*(vfu *)(wide + i) = x;
	}
	if (i < n) {
		vf x = load_half(row + i * size);

		acc[1] = FMA(x, x, acc[1]);
	}
	sum = quarter_f((acc[0] + acc[1]) + (acc[2] + acc[3]));
	return (sum[0] + sum[1]) + (sum[2] + sum[3]);
}

/* What rounding may add to a term, besides the error of the sum. */
#define UNITS(n)	((n) / 0x1p24f)

/*
 * A pair can be near enough only if
 *
 *	factor * product + offset + slope * |query| <= limit of the query
 *
 *		factor		offset		slope		limit
 *	L2	-2		|row|^2		-2 slack |row|	d - |query|^2
 *	IP	-1		0		-slack |row|	d
 *	cosine	-1 / |row|	0		0		(d - 1) |query|
 *
 * d being the distance wanted at most. Errors are taken off or added where
 * they arise; where they can't be known all factors are not numbers, so that
 * the comparison is false, and the pair passes.
 */
static __always_inline void row_factors(const u8 metric, float norm2,
					float slack,
					struct vexfs_tile_block *b, u32 i)
{
	float factor = -1.0f, offset = 0, slope = 0, norm;
	v4f root = { norm2 };

	norm = __builtin_ia32_sqrtps(root)[0];
	if (!(norm2 > TAME_MIN && norm2 < TAME_MAX))
		norm = __builtin_nanf("");
	if (metric == VEXFS_METRIC_L2) {
		factor = -2.0f;
		offset = norm * norm * (1.0f - slack - UNITS(16));
		slope = -2.0f * norm * (slack + UNITS(16));
	} else if (metric == VEXFS_METRIC_IP) {
		slope = -norm * (slack + UNITS(16));
	} else {
		factor = -1.0f / norm;
	}
	b->factor[i] = float_bits(factor);
	b->offset[i] = float_bits(offset);
	b->slope[i] = float_bits(slope);
}

/* Rows [from, to) of a block, whose elements are where @rows say. */
void FN(vexfs_tile_rows_)(const struct vexfs_space *sp,
			  struct vexfs_tile_block *b, const void *const *rows,
			  u32 from, u32 to)
{
	const float slack = SLACK((float)sp->dims);
	float *wide = (float *)b->wide + (size_t)from * b->depth;
	float norm2;
	u32 i;

	for (i = from; i < to; i++, wide += b->depth) {
		if (sp->elem == VEXFS_ELEM_F32) {
			norm2 = row_norm2(VEXFS_ELEM_F32, rows[i], NULL,
					  b->depth);
			b->row[i] = rows[i];
		} else {
			norm2 = sp->elem == VEXFS_ELEM_F16 ?
				row_norm2(VEXFS_ELEM_F16, rows[i], wide,
					  b->depth) :
				row_norm2(VEXFS_ELEM_BF16, rows[i], wide,
					  b->depth);
			b->row[i] = wide;
		}
		row_factors(sp->metric, norm2, slack, b, i);
	}
}

/* ----------------------------------------------------------------- filter */

/* The limits of VF queries, see above; @keys are of the distances wanted. */
static __always_inline vf tile_limit(const u8 metric,
				     const struct vexfs_tile *t, u32 lane,
				     const u32 *keys, float slack)
{
	const vf norm = *(const vf *)(t->norm + lane);
	const vf norm2 = *(const vf *)(t->norm2 + lane);
	vi key, wild = *(const vi *)(t->wild + lane);
	vf d;

	__builtin_memcpy(&key, keys + lane, sizeof(key));
	/* Back to the bits of the distance. */
	d = (vf)(key ^ (((~key) >> 31) | (s32)0x80000000));
	d += (vf)((vi)d & 0x7fffffff) * UNITS(16) + 1 / 0x1p120f;
	if (metric == VEXFS_METRIC_L2)
		d -= norm2 * (1.0f - UNITS(16));
	else if (metric == VEXFS_METRIC_COSINE)
		d = (d - 1.0f + slack + UNITS(16)) * norm;
	/* All bits set are not a number. */
	return (vf)((vi)d | wild);
}

static __always_inline u32 tile_filter(const u8 metric, const u32 regs,
				       const struct vexfs_tile *t,
				       const struct vexfs_tile_block *b,
				       const u32 *keys, float slack, u16 *out)
{
	vf limit[2], norm[2];
	u32 i, v, n = 0, mask;

#pragma GCC unroll 2
	for (v = 0; v < regs; v++) {
		limit[v] = tile_limit(metric, t, v * VF, keys, slack);
		norm[v] = *(const vf *)(t->norm + v * VF);
	}
	for (i = 0; i < b->n; i++) {
		const float *sums = (const float *)t->sums +
				    i * VEXFS_TILE_LANES;
		const vf factor = splat(bits_float(b->factor[i]));
		const vf offset = splat(bits_float(b->offset[i]));
		const vf slope = splat(bits_float(b->slope[i]));

#pragma GCC unroll 2
		for (v = 0; v < regs; v++) {
			vf x = factor * *(const vf *)(sums + v * VF) +
			       (offset + slope * norm[v]);

			mask = MASK(~(vi)(x > limit[v]));
			for (; mask; mask &= mask - 1)
				out[n++] = (u16)(i * VEXFS_TILE_LANES + v * VF +
					   (u32)__builtin_ctz(mask));
		}
	}
	return n;
}

static __always_inline u32 tile_metric(const u8 metric,
				       const struct vexfs_tile *t,
				       const struct vexfs_tile_block *b,
				       const u32 *keys, float slack, u16 *out)
{
	if (t->lanes > VF)
		return tile_filter(metric, 2, t, b, keys, slack, out);
	return tile_filter(metric, 1, t, b, keys, slack, out);
}

/* The pairs that may be as near as @keys, of t->lanes queries. */
u32 FN(vexfs_tile_filter_)(const struct vexfs_space *sp,
			   const struct vexfs_tile *t,
			   const struct vexfs_tile_block *b, const u32 *keys,
			   u16 *out)
{
	const float slack = SLACK((float)sp->dims);

	if (sp->metric == VEXFS_METRIC_L2)
		return tile_metric(VEXFS_METRIC_L2, t, b, keys, slack, out);
	if (sp->metric == VEXFS_METRIC_IP)
		return tile_metric(VEXFS_METRIC_IP, t, b, keys, slack, out);
	return tile_metric(VEXFS_METRIC_COSINE, t, b, keys, slack, out);
}

#endif /* __CHECKER__ */

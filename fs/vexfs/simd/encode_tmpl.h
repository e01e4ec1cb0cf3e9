/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Codes of rows, and the preparation of queries, for one instruction set (see
 * vec_tmpl.h and struct vexfs_code_factors).
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include "exact_tmpl.h"

#ifndef __CHECKER__

static __always_inline float largest(const u8 elem, const void *row, u32 dims)
{
	const u32 size = elem == VEXFS_ELEM_F32 ? 4 : 2;
	vi best = { 0 };
	s32 max = 0;
	u32 i;

	for (i = 0; i < dims; i += VF) {
		vi v = (vi)load_some(elem, row + i * size, dims - i) &
		       0x7fffffff;
		vi more = v > best;

		best = (v & more) | (best & ~more);
	}
	for (i = 0; i < VF; i++)
		max = best[i] > max ? best[i] : max;
	return bits_float((u32)max);
}

/*
 * The factors. Sums of up to 16384 products of 127 * 127 fit easily; the
 * cosine doesn't depend on the scale, so it stands even where that underflows.
 */
static inline void factors(const struct vexfs_space *sp, double scale,
			   s32 squares, s32 sum, void *code)
{
	struct vexfs_code_factors *f = vexfs_code_factors(sp, code);
	double gain = scale, offset = 0;

	if (sp->metric == VEXFS_METRIC_L2)
		offset = scale * scale * squares;
	else if (sp->metric == VEXFS_METRIC_COSINE)
		gain = squares ? 1.0 / square_root(squares) : 0;
	f->gain = float_bits((float)gain);
	f->offset = float_bits((float)offset);
	f->sum = sum;
}

/* Rounds to the nearest: the sum's last bits are the integer. */
#define ROUND		12582912.0f
#define ROUND_BITS	0x4b400000

static __always_inline void encode_floats(const u8 elem,
					  const struct vexfs_space *sp,
					  const void *row, u8 *code)
{
	const u32 size = elem == VEXFS_ELEM_F32 ? 4 : 2;
	float max = largest(elem, row, sp->dims), pre = 1.0f, mul = 0.0f;
	vi squares = { 0 }, sums = { 0 };
	s32 square = 0, sum = 0;
	u32 i;

	/* Away from where 127 / max overflows; powers of two are exact. */
	if (max < 1 / 0x1p60f)
		pre = 0x1p100f;
	if (max > 0)
		mul = (float)VEXFS_CODE_MAX / (max * pre);
	for (i = 0; i < sp->dims; i += VF) {
		vf x = load_some(elem, row + i * size, sp->dims - i) * pre *
		       mul + ROUND;
		vi v = (vi)x - ROUND_BITS;

		squares += v * v;
		sums += v;
		*(vb *)(code + i) = __builtin_convertvector(v + 128, vb);
	}
	for (i = 0; i < VF; i++) {
		square += squares[i];
		sum += sums[i];
	}
	/* For L1 the padding is values of 0, in whole steps. */
	i = sp->dims;
	if (sp->metric == VEXFS_METRIC_L1)
		i = ALIGN(i, VEXFS_LANES);
	__builtin_memset(code + sp->dims, 128, i - sp->dims);
	__builtin_memset(code + i, 0, sp->code_bytes - i);
	factors(sp, (double)max / VEXFS_CODE_MAX, square, sum, code);
}

/*
 * Integers are their own codes, of scale 1: those without a sign with values
 * of 128 less, which makes a difference to products only (see codes_tmpl.h).
 */
static inline void encode_ints(const struct vexfs_space *sp, const u8 *row,
			       u8 *code)
{
	const bool is_signed = sp->elem == VEXFS_ELEM_I8;
	s32 square = 0, sum = 0, v;
	u32 i;

	for (i = 0; i < sp->dims; i++) {
		code[i] = is_signed ? row[i] ^ 0x80 : row[i];
		v = (s32)code[i] - 128;
		sum += v;
		if (!is_signed && sp->metric != VEXFS_METRIC_L2)
			v += 128;
		square += v * v;
	}
	__builtin_memset(code + sp->dims, 0, sp->code_bytes - sp->dims);
	if (sp->metric != VEXFS_METRIC_L1)
		factors(sp, 1.0, square, sum, code);
}

static inline void encode_bits(const struct vexfs_space *sp, const u8 *row,
			       u8 *code)
{
	__builtin_memcpy(code, row, sp->row_bytes);
	__builtin_memset(code + sp->row_bytes, 0,
			 sp->code_bytes - sp->row_bytes);
}

void FN(vexfs_encode_)(const struct vexfs_space *sp, const void *row,
		       void *code)
{
	switch (sp->elem) {
	case VEXFS_ELEM_F32:
		encode_floats(VEXFS_ELEM_F32, sp, row, code);
		break;
	case VEXFS_ELEM_F16:
		encode_floats(VEXFS_ELEM_F16, sp, row, code);
		break;
	case VEXFS_ELEM_BF16:
		encode_floats(VEXFS_ELEM_BF16, sp, row, code);
		break;
	case VEXFS_ELEM_B1:
		encode_bits(sp, row, code);
		break;
	default:
		encode_ints(sp, row, code);
	}
}

/* ---------------------------------------------------------------- queries */

static __always_inline void widen_floats(const u8 elem, const void *row,
					 u32 dims, float *out)
{
	const u32 size = elem == VEXFS_ELEM_F32 ? 4 : 2;
	u32 i;

	for (i = 0; i < dims; i += VF)
		*(vfu *)(out + i) = load_some(elem, row + i * size, dims - i);
}

/*
 * The elements of a row of any type as floats, then zeroes to the next
 * multiple of VEXFS_LANES; bits become 0 and 1.
 */
void FN(vexfs_widen_)(const struct vexfs_space *sp, const void *row, void *to)
{
	float *out = to;
	u32 i, dims = sp->dims;

	__builtin_memset(out + dims, 0, (ALIGN(dims, VEXFS_LANES) - dims) * 4);
	switch (sp->elem) {
	case VEXFS_ELEM_F32:
		__builtin_memcpy(out, row, dims * 4);
		break;
	case VEXFS_ELEM_F16:
		widen_floats(VEXFS_ELEM_F16, row, dims, out);
		break;
	case VEXFS_ELEM_BF16:
		widen_floats(VEXFS_ELEM_BF16, row, dims, out);
		break;
	case VEXFS_ELEM_I8:
		for (i = 0; i < dims; i++)
			out[i] = ((const s8 *)row)[i];
		break;
	case VEXFS_ELEM_U8:
		for (i = 0; i < dims; i++)
			out[i] = ((const u8 *)row)[i];
		break;
	default:
		for (i = 0; i < dims; i++)
			out[i] = ((const u8 *)row)[i / 8] >> i % 8 & 1;
	}
}

/* Elements as s16, and the square of their norm, which is exact. */
static inline double query_ints(const struct vexfs_space *sp, const void *row,
				struct vexfs_query *q)
{
	s16 *out = (s16 *)q->data;
	u32 i, n = vexfs_query_row_bytes(sp) / 2;
	s32 square = 0;

	for (i = 0; i < sp->dims; i++) {
		out[i] = sp->elem == VEXFS_ELEM_I8 ? ((const s8 *)row)[i] :
						     ((const u8 *)row)[i];
		square += out[i] * out[i];
	}
	__builtin_memset(out + i, 0, (n - i) * 2);
	return square;
}

void FN(vexfs_query_)(const struct vexfs_space *sp, const void *row,
		      struct vexfs_query *q)
{
	double norm2 = 0;

	switch (sp->elem) {
	case VEXFS_ELEM_B1:
		encode_bits(sp, row, q->data);
		break;
	case VEXFS_ELEM_I8:
	case VEXFS_ELEM_U8:
		norm2 = query_ints(sp, row, q);
		break;
	default:
		FN(vexfs_widen_)(sp, row, q->data);
		norm2 = exact_query((const float *)q->data, sp->dims,
				    vexfs_query_wide(sp, q));
	}
	__builtin_memcpy(&q->norm2, &norm2, sizeof(norm2));
	q->norm = float_bits((float)square_root(norm2));
	q->norm2_float = float_bits((float)norm2);
	q->slack = float_bits(SLACK((float)sp->dims));
	q->wild = !(norm2 > (double)TAME_MIN && norm2 < (double)TAME_MAX);
	FN(vexfs_encode_)(sp, row, vexfs_query_s8(sp, q));
}

#endif /* __CHECKER__ */

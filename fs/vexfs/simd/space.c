// SPDX-License-Identifier: GPL-2.0
/*
 * Which element types and metrics go together, the sizes that follow, and
 * whether rows are valid: looked at as integers, outside of any FPU section.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include "sign_priv.h"
#include "simd_priv.h"

/* Bits can only be counted, and only bits can be. */
static bool space_makes_sense(u8 elem, u8 metric)
{
	if (elem < VEXFS_ELEM_F32 || elem > VEXFS_ELEM_B1 ||
	    metric < VEXFS_METRIC_L2 || metric > VEXFS_METRIC_HAMMING)
		return false;
	return (elem == VEXFS_ELEM_B1) == (metric == VEXFS_METRIC_HAMMING);
}

static u32 space_row_bytes(u8 elem, u32 dims)
{
	switch (elem) {
	case VEXFS_ELEM_F32:
		return dims * 4;
	case VEXFS_ELEM_F16:
	case VEXFS_ELEM_BF16:
		return dims * 2;
	case VEXFS_ELEM_B1:
		return (dims + 7) / 8;
	default:
		return dims;
	}
}

/* See struct vexfs_code_factors. */
static u32 space_code_bytes(const struct vexfs_space *sp)
{
	u32 bytes = sp->dims;

	if (sp->elem == VEXFS_ELEM_B1)
		return ALIGN(sp->row_bytes, VEXFS_CODE_ALIGN);
	if (sp->metric == VEXFS_METRIC_L1) {
		if (vexfs_elem_is_int(sp->elem))
			return ALIGN(bytes, VEXFS_CODE_ALIGN);
		bytes = ALIGN(bytes, VEXFS_LANES);
	}
	return ALIGN(bytes + (u32)sizeof(struct vexfs_code_factors),
		     VEXFS_CODE_ALIGN);
}

/*
 * From so many dimensions on one bit each is enough to find the way, and it is
 * a quarter of the memory that has to be fetched.
 */
#define SIGN_MIN_DIMS	384u

static u32 space_sign_bytes(const struct vexfs_space *sp)
{
	if (sp->exact || sp->metric == VEXFS_METRIC_L1 ||
	    sp->dims < SIGN_MIN_DIMS)
		return 0;
	return ALIGN(vexfs_sign_width(sp->dims) / 8 +
		     (u32)sizeof(struct vexfs_sign_factors), VEXFS_CODE_ALIGN);
}

static u32 space_query_sign_bytes(const struct vexfs_space *sp)
{
	return sp->sign_bytes ? vexfs_sign_query_bytes(sp) : 0;
}

/* Short codes, for products of values that use all of the range. */
static u32 space_nib_bytes(const struct vexfs_space *sp)
{
	if (sp->exact || sp->metric == VEXFS_METRIC_L1 || sp->sign_bytes)
		return 0;
	return ALIGN((sp->dims + 1) / 2 + (u32)sizeof(struct vexfs_nib_factors),
		     VEXFS_CODE_ALIGN);
}

int vexfs_space_init(struct vexfs_space *sp, u8 elem, u8 metric, u32 dims)
{
	if (!dims || dims > VEXFS_MAX_DIMS)
		return -EINVAL;
	if (!space_makes_sense(elem, metric))
		return -EOPNOTSUPP;
	memset(sp, 0, sizeof(*sp));
	sp->dims = dims;
	sp->elem = elem;
	sp->metric = metric;
	sp->exact = elem == VEXFS_ELEM_B1 || vexfs_elem_is_int(elem);
	sp->row_bytes = space_row_bytes(elem, dims);
	sp->stride = ALIGN(sp->row_bytes, VEXFS_ROW_ALIGN);
	sp->code_bytes = space_code_bytes(sp);
	sp->sign_bytes = space_sign_bytes(sp);
	sp->nib_bytes = space_nib_bytes(sp);
	sp->query_sign_bytes = space_query_sign_bytes(sp);
	/* After the row: its code, the values of that, the row as doubles */
	sp->query_bytes = (u32)sizeof(struct vexfs_query) +
			  vexfs_query_row_bytes(sp) + 5 * sp->code_bytes +
			  vexfs_query_wide_bytes(sp) + 2 * sp->nib_bytes +
			  sp->query_sign_bytes;
	return 0;
}

/*
 * Not finite: all bits of the exponent are set, so that adding one to it
 * carries into the sign, which is masked off before. Several at a time.
 */
static const struct finite_masks {
	u64	exponent;
	u64	one;
	u64	carry;
} finite_masks[] = {
	[VEXFS_ELEM_F32] = {
		0x7f8000007f800000ull, 0x0080000000800000ull,
		0x8000000080000000ull
	},
	[VEXFS_ELEM_F16] = {
		0x7c007c007c007c00ull, 0x0400040004000400ull,
		0x8000800080008000ull
	},
	[VEXFS_ELEM_BF16] = {
		0x7f807f807f807f80ull, 0x0080008000800080ull,
		0x8000800080008000ull
	},
};

static bool row_finite(const struct finite_masks *m, const u8 *row, u32 bytes)
{
	u64 carry = 0, some;
	u32 i;

	for (i = 0; i + 8 <= bytes; i += 8) {
		memcpy(&some, row + i, sizeof(some));
		carry |= (some & m->exponent) + m->one;
	}
	some = 0;
	memcpy(&some, row + i, bytes - i);
	carry |= (some & m->exponent) + m->one;
	return !(carry & m->carry);
}

static bool row_valid(const struct vexfs_space *sp, const u8 *row)
{
	if (sp->elem == VEXFS_ELEM_B1)
		return !(sp->dims % 8) ||
		       !(row[sp->row_bytes - 1] >> sp->dims % 8);
	if (vexfs_elem_is_int(sp->elem))
		return true;
	return row_finite(finite_masks + sp->elem, row, sp->row_bytes);
}

bool vexfs_rows_finite(const struct vexfs_space *sp, const void *rows, u32 n,
		       size_t stride)
{
	u32 i;

	for (i = 0; i < n; i++)
		if (!row_valid(sp, rows + i * stride))
			return false;
	return true;
}

/* The sum of squares of floats is finite in double precision if they are. */
bool vexfs_query_finite(const struct vexfs_space *sp, const void *row,
			const struct vexfs_query *q)
{
	const u64 exponent = 0x7ffull << 52;

	if (sp->exact)
		return vexfs_rows_finite(sp, row, 1, sp->row_bytes);
	return (q->norm2 & exponent) != exponent;
}

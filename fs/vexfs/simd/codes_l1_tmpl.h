/* SPDX-License-Identifier: GPL-2.0 */
/*
 * L1 distances to codes, for one instruction set (see vec_tmpl.h; SAD(a, b)
 * sums up how far bytes are apart). Those of floating-point rows are decoded;
 * where rows are integers a code is the row.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include "vec_tmpl.h"

#ifndef __CHECKER__

typedef char vc __attribute__((vector_size(VB), may_alias));

/* VF bytes of a code as the values they stand for. */
static __always_inline vf decode(const u8 *c, float scale)
{
	vi v = __builtin_convertvector(*(const vb *)c, vi) - 128;

	return __builtin_convertvector(v, vf) * scale;
}

static __always_inline u32 l1_floats(const struct vexfs_space *sp,
				     const struct vexfs_query *q, const u8 *c)
{
	const float scale = bits_float(vexfs_code_factors(sp, c)->gain);
	const float *v = vexfs_query_s8(sp, q);
	vf even = {}, odd = {};
	v4f sum;
	u32 i;

	for (i = 0; i + 2 * VF <= sp->dims; i += 2 * VF) {
		vf x = decode(c + i, scale) - *(const vfu *)(v + i);
		vf y = decode(c + i + VF, scale) - *(const vfu *)(v + i + VF);

		even += (vf)((vi)x & 0x7fffffff);
		odd += (vf)((vi)y & 0x7fffffff);
	}
	for (; i < sp->dims; i += VF) {
		vf x = decode(c + i, scale) - *(const vfu *)(v + i);

		even += (vf)((vi)x & 0x7fffffff);
	}
	sum = quarter_f(even + odd);
	return key_of((double)(sum[0] + sum[1]) + (double)(sum[2] + sum[3]));
}

static __always_inline u32 l1_ints(const struct vexfs_space *sp,
				   const struct vexfs_query *q, const u8 *c)
{
	const u8 *v = vexfs_query_s8(sp, q);
	vl acc = {};
	s64 sum = 0;
	u32 i;

	for (i = 0; i < sp->code_bytes; i += VB)
		acc += (vl)SAD(*(const vc *)(c + i), *(const vc *)(v + i));
	for (i = 0; i < VD; i++)
		sum += acc[i];
	return key_of((double)sum);
}

void FN(vexfs_codes_l1_)(const struct vexfs_space *sp,
			 const struct vexfs_query *q, const void *const *codes,
			 unsigned int n, u32 *keys)
{
	const bool ints = vexfs_elem_is_int(sp->elem);
	unsigned int i;

	for (i = 0; i < n; i++)
		keys[i] = ints ? l1_ints(sp, q, codes[i]) :
				 l1_floats(sp, q, codes[i]);
}

/* @code may be the place in the query where the values go. */
void FN(vexfs_from_code_l1_)(const struct vexfs_space *sp, const void *code,
			     struct vexfs_query *q)
{
	const float scale = bits_float(vexfs_code_factors(sp, code)->gain);
	float *v = vexfs_query_s8(sp, q);
	const u8 *c = code;
	u32 i;

	if (vexfs_elem_is_int(sp->elem)) {
		__builtin_memmove(v, code, sp->code_bytes);
		return;
	}
	/* From the end: what is written is wider than what was read. */
	for (i = ALIGN(sp->dims, VEXFS_LANES); i; i -= VF)
		*(vfu *)(v + i - VF) = decode(c + i - VF, scale);
}

#endif /* __CHECKER__ */

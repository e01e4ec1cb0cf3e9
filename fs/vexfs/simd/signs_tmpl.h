/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Comparing a query with sign codes, for one instruction set. Includes define
 * ISA (a suffix), VB (bytes of a vector register) and sign_products(), the sums
 * of the query's values where bits of SIGN_GROUP codes are set.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include "vec_tmpl.h"
#include "sign_priv.h"

#ifndef __CHECKER__

typedef s32 v4iu __attribute__((vector_size(16), may_alias)) __aligned(4);

/* The last 16 bytes: something, then the factors. */
static __always_inline v4i sign_tail(const struct vexfs_space *sp,
				     const u8 *code)
{
	return *(const v4iu *)(code + sp->sign_bytes - sizeof(v4iu));
}

/* See the formula at struct vexfs_sign_factors. */
static __always_inline v4i sign_keys(const struct vexfs_space *sp,
				     const struct vexfs_query_sign *qs,
				     const u8 *const *c)
{
	const v4i a0 = sign_tail(sp, c[0]), a1 = sign_tail(sp, c[1]);
	const v4i a2 = sign_tail(sp, c[2]), a3 = sign_tail(sp, c[3]);
	const v4i low01 = __builtin_shufflevector(a0, a1, 0, 4, 1, 5);
	const v4i low23 = __builtin_shufflevector(a2, a3, 0, 4, 1, 5);
	const v4i high01 = __builtin_shufflevector(a0, a1, 2, 6, 3, 7);
	const v4i high23 = __builtin_shufflevector(a2, a3, 2, 6, 3, 7);
	const v4i gain = __builtin_shufflevector(low01, low23, 2, 3, 6, 7);
	const v4i offset = __builtin_shufflevector(high01, high23, 0, 1, 4, 5);
	const v4i last = __builtin_shufflevector(high01, high23, 2, 3, 6, 7);
	const v4i share = {
		(s32)qs->share[(u16)last[0]], (s32)qs->share[(u16)last[1]],
		(s32)qs->share[(u16)last[2]], (s32)qs->share[(u16)last[3]],
	};
	const v4i ones = (v4i)((v4u)last >> 16);
	v4i bits;
	v4f key;

	bits = 2 * sign_products(sp, qs, c) -
	       2 * (s32)VEXFS_SIGN_ZERO * ones - qs->sum;
	key = (v4f)gain * bits_float(qs->scale) *
	      __builtin_convertvector(bits, v4f);
	key = ((v4f)share + (v4f)offset) - key;
	bits = (v4i)key;
	/* What is near may come out as nearer than possible. */
	if (sp->metric != VEXFS_METRIC_IP)
		bits &= ~(bits >> 31);
	return keys4((v4f)bits);
}

bool FN(vexfs_signs_)(const struct vexfs_space *sp,
		      const struct vexfs_query_sign *qs,
		      const void *const *signs, unsigned int n, u32 *keys)
{
	const v4u none = (v4u){} + VEXFS_SIGN_NO_KEY;
	unsigned int i, j;
	v4i missing = {};

	for (i = 0; i < n; i += SIGN_GROUP) {
		const u8 *c[SIGN_GROUP];
		v4i out;

#pragma GCC unroll 4
		for (j = 0; j < SIGN_GROUP; j++)
			c[j] = signs[i + j < n ? i + j : n - 1];
		out = sign_keys(sp, qs, c);
		missing |= (v4i)((v4u)out >= none);
		if (n - i >= SIGN_GROUP)
			__builtin_memcpy(keys + i, &out, sizeof(out));
		else
			__builtin_memcpy(keys + i, &out, (n - i) * 4);
	}
	return (missing[0] | missing[1] | missing[2] | missing[3]) != 0;
}

#endif /* __CHECKER__ */

// SPDX-License-Identifier: GPL-2.0
/*
 * Sign codes with SSE2, and what takes no time of it.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#define ISA		sse2
#define VB		16
#define MASK(v)		__builtin_ia32_movmskps((vf)(v))
#define SAD(a, b)	__builtin_ia32_psadbw128((pick_t)(a), (pick_t)(b))
#define PICK(p, v)	((pick_t)(v) & spread(p))

#include "simd_priv.h"

#ifndef __CHECKER__

typedef char pick_t __attribute__((vector_size(16), may_alias));
typedef u64 pick_bytes_t __attribute__((vector_size(16)));

/* Each byte comes eight times, and of each of these one bit counts. */
static __always_inline pick_t spread(const unsigned char *p)
{
	const u64 each = 0x0101010101010101ull, bits = 0x8040201008040201ull;
	const pick_bytes_t bit = { bits, bits };
	pick_bytes_t v = { p[0] * each, p[1] * each };

	return ((pick_t)v & (pick_t)bit) == (pick_t)bit;
}

#endif /* __CHECKER__ */

#include "sign_tmpl.h"

#ifndef __CHECKER__

/* The mean of @count rows, of which there is the sum. */
void vexfs_sign_mean_sse2(const struct vexfs_space *sp, u32 *sum, u32 count)
{
	float *mean = (float *)sum, by = 1.0f / (float)count;
	u32 i;

	for (i = 0; i < sp->dims; i++)
		mean[i] *= by;
}

/* A centre that is to be @mean. */
void vexfs_sign_factor_sse2(const struct vexfs_space *sp, const u32 *mean,
			    struct vexfs_sign_centre *f)
{
	const float *m = (const float *)mean;
	double norm2 = 0, norm;
	u32 i;

	for (i = 0; i < sp->dims; i++)
		norm2 += (double)m[i] * m[i];
	norm = square_root(norm2);
	*f = (struct vexfs_sign_centre) {
		.near_mul = float_bits(1), .share_mul = float_bits(1),
		.length = float_bits(1),
	};
	if (sp->metric == VEXFS_METRIC_IP) {
		f->near_add = float_bits((float)norm2);
		f->near_mul = float_bits(2);
	} else if (sp->metric == VEXFS_METRIC_COSINE) {
		f->near_add = float_bits((float)(norm2 - 2 * norm));
		f->near_mul = float_bits((float)(2 * norm));
		f->share_add = float_bits((float)(1 - norm));
		f->share_mul = float_bits((float)norm);
		f->length = float_bits((float)norm);
	}
}

static float key_float(u32 key)
{
	return bits_float(vexfs_key_to_bits(key));
}

u32 vexfs_sign_near_sse2(const struct vexfs_sign_table *t, const u32 *keys,
			 u32 *near)
{
	float is, at[VEXFS_SIGN_NEAR];
	u32 i, j, n = 0;

	for (i = 0; i < t->centres; i++) {
		is = bits_float(t->factor[i].near_add) +
		     bits_float(t->factor[i].near_mul) * key_float(keys[i]);
		if (n == VEXFS_SIGN_NEAR && !(is < at[n - 1]))
			continue;
		j = n < VEXFS_SIGN_NEAR ? n++ : n - 1;
		for (; j && is < at[j - 1]; j--) {
			at[j] = at[j - 1];
			near[j] = near[j - 1];
		}
		at[j] = is;
		near[j] = i;
	}
	return n;
}

void vexfs_sign_shares_sse2(const struct vexfs_sign_table *t, u32 *keys)
{
	u32 i;

	for (i = 0; i < t->centres; i++)
		keys[i] = float_bits(bits_float(t->factor[i].share_add) +
				     bits_float(t->factor[i].share_mul) *
				     key_float(keys[i]));
}

#endif /* __CHECKER__ */

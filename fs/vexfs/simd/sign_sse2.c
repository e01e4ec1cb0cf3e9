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
void vexfs_sign_scale_sse2(const struct vexfs_space *sp, const u32 *mean,
			   struct vexfs_sign_scales *sc, u32 centre)
{
	float near_add = 0, near_mul = 1, share_add = 0, share_mul = 1;
	const float *m = (const float *)mean;
	double norm2 = 0, norm;
	u32 i;

	for (i = 0; i < sp->dims; i++)
		norm2 += (double)m[i] * m[i];
	norm = square_root(norm2);
	if (sp->metric == VEXFS_METRIC_IP) {
		near_add = (float)norm2;
		near_mul = 2;
	} else if (sp->metric == VEXFS_METRIC_COSINE) {
		near_add = (float)(norm2 - 2 * norm);
		near_mul = (float)(2 * norm);
		share_add = (float)(1 - norm);
		share_mul = (float)norm;
	}
	sc->near_add[centre] = float_bits(near_add);
	sc->near_mul[centre] = float_bits(near_mul);
	sc->share_add[centre] = float_bits(share_add);
	sc->share_mul[centre] = float_bits(share_mul);
}

#endif /* __CHECKER__ */

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

/* Where the coarse element @i of a centre is. */
static s8 *coarse_at(const struct vexfs_sign_table *t, u32 centre, u32 i)
{
	const u32 block = centre / VEXFS_COARSE_BLOCK;
	const u32 lane = centre % VEXFS_COARSE_BLOCK;

	return t->coarse + block * VEXFS_COARSE_BLOCK * VEXFS_COARSE_DIMS +
	       (i / 4 * VEXFS_COARSE_BLOCK + lane) * 4 + i % 4;
}

/* After a centre was rotated. */
void vexfs_sign_coarse_set_sse2(struct vexfs_sign_table *t, u32 centre)
{
	const float *x = (const float *)(t->rotated +
					 (size_t)centre * t->width);
	float max = 0, scale, norm2 = 0;
	s32 value, sum = 0;
	u32 i;

	for (i = 0; i < VEXFS_COARSE_DIMS; i++) {
		scale = x[i] < 0 ? -x[i] : x[i];
		max = scale > max ? scale : max;
	}
	scale = max > 0x1p-100f ? 127.0f / max : 0;
	for (i = 0; i < VEXFS_COARSE_DIMS; i++) {
		value = (s32)(x[i] * scale + (x[i] < 0 ? -0.5f : 0.5f));
		*coarse_at(t, centre, i) = (s8)value;
		norm2 += x[i] * x[i];
		sum += value;
	}
	t->scales->coarse_add[centre] = float_bits(norm2);
	t->scales->coarse_mul[centre] =
		float_bits(scale > 0 ? -2.0f / scale : 0);
	t->scales->coarse_zero[centre] = (s32)VEXFS_SIGN_ZERO * sum;
}

void vexfs_sign_shares_sse2(const struct vexfs_sign_table *t,
			    const u32 *centres, u32 n, u32 *keys, u32 *share)
{
	const struct vexfs_sign_scales *sc = t->scales;
	u32 i, c;

	for (i = 0; i < n; i++) {
		const float is = bits_float(vexfs_key_to_bits(keys[i]));

		c = centres[i];
		share[c] = float_bits(bits_float(sc->share_add[c]) +
				      bits_float(sc->share_mul[c]) * is);
		keys[i] = float_bits(bits_float(sc->near_add[c]) +
				     bits_float(sc->near_mul[c]) * is);
	}
}

#endif /* __CHECKER__ */

// SPDX-License-Identifier: GPL-2.0
/*
 * Comparing with sign codes by AVX-512 VPOPCNTDQ: the query's values as planes
 * of bits, the ones that a plane and a code have in common are counted.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#define ISA		avx512popcnt
#define VB		64

#include "vec_tmpl.h"
#include "sign_priv.h"

#ifndef __CHECKER__

#ifdef __clang__
#define COUNT(v)	__builtin_ia32_vpopcntq_512((count64_t)(v))
#define ADD_TIMES(acc, v, w)	__builtin_ia32_vpdpbusd512(acc, v, w)
#define HAS_BIT(v, bit)	__builtin_ia32_cmpb512_mask((count8_t)((v) & (bit)), \
						    (count8_t){}, 4, ~0ull)
#else
#define COUNT(v)	__builtin_ia32_vpopcountq_v8di((count64_t)(v))
#define ADD_TIMES(acc, v, w)	__builtin_ia32_vpdpbusd_v16si(acc, v, w)
#define HAS_BIT(v, bit)	__builtin_ia32_ptestmb512((count8_t)(v), \
						  (count8_t)((count8_t){} + \
							     (char)(bit)), ~0ull)
#endif

typedef long long count64_t __attribute__((vector_size(64)));
typedef char count8_t __attribute__((vector_size(64)));
typedef int count32_t __attribute__((vector_size(64)));
typedef u64 vc __attribute__((vector_size(64)));
typedef u64 vch __attribute__((vector_size(32)));
typedef u64 vcq __attribute__((vector_size(16)));
typedef u64 vcu __attribute__((vector_size(64), may_alias)) __aligned(8);
typedef u64 vchu __attribute__((vector_size(32), may_alias)) __aligned(8);
typedef u8 vcb __attribute__((vector_size(64), may_alias));

/* Bytes of a plane, which is padded. */
static __always_inline u32 plane_bytes(const struct vexfs_space *sp)
{
	return ALIGN(vexfs_sign_width(sp->dims) / 8, 64u);
}

/* Are 32 bytes or less left after whole registers? Then two codes share one. */
static __always_inline bool has_half(u32 bytes)
{
	return bytes % 64 && bytes % 64 <= 32;
}

/*
 * After the values. Behind them are zeroes, or, where two codes share a
 * register, the last ones once more for the second of them.
 */
void vexfs_sign_planes_avx512popcnt(const struct vexfs_space *sp,
				    struct vexfs_query_sign *qs)
{
	u32 i, p, width = vexfs_sign_width(sp->dims), bytes = plane_bytes(sp);
	u8 *planes = vexfs_sign_planes(sp, qs), *last;

	for (p = 0; p < VEXFS_SIGN_BITS; p++)
		*(vcu *)(planes + p * bytes + bytes - 64) = (vc){};
	for (i = 0; i < width; i += 64) {
		const vcb v = *(const vcb *)(qs->values + i);

		for (p = 0; p < VEXFS_SIGN_BITS; p++)
			*(u64 *)(planes + p * bytes + i / 8) =
				HAS_BIT(v, 1 << p);
	}
	for (p = 0; p < VEXFS_SIGN_BITS && has_half(width / 8); p++) {
		last = planes + (p + 1) * bytes - 64;
		*(vchu *)(last + 32) = *(const vchu *)last;
	}
}

/*
 * Adds what the bits of @w count in each plane, times its weight: 1, 2, 4 and
 * so on. Counts are in the first byte of eight.
 */
static __always_inline count32_t add_counts(count32_t sum, vc w,
					    const u8 *plane, u32 bytes)
{
	u32 p;

#pragma GCC unroll 8
	for (p = 0; p < VEXFS_SIGN_BITS; p++)
		sum = ADD_TIMES(sum, (count32_t)
				COUNT(w & *(const vc *)(plane + p * bytes)),
				(count32_t)((vcb){} + (u8)(1u << p)));
	return sum;
}

static __always_inline vch low_half(vc v)
{
	return __builtin_shufflevector(v, v, 0, 1, 2, 3);
}

static __always_inline vch high_half(vc v)
{
	return __builtin_shufflevector(v, v, 4, 5, 6, 7);
}

/* The last 32 bytes of two codes. */
static __always_inline vc two_halves(const u8 *a, const u8 *b)
{
	const vch low = *(const vchu *)a, high = *(const vchu *)b;

	return __builtin_shufflevector(low, high, 0, 1, 2, 3, 4, 5, 6, 7);
}

/*
 * Sums of the query's values where bits are set. Codes are multiples of 32
 * bytes, and what is behind their bits meets the planes' padding.
 */
static __always_inline v4i sign_products(const struct vexfs_space *sp,
					 const struct vexfs_query_sign *qs,
					 const u8 *const *c)
{
	const u8 *planes = vexfs_sign_planes(sp, (void *)qs);
	u32 bytes = plane_bytes(sp), end = vexfs_sign_width(sp->dims) / 8, i;
	count32_t acc[SIGN_GROUP] = { 0 }, half[SIGN_GROUP / 2] = { 0 };
	vch a, b;
	vcq sum;
	int j;

	for (i = 0; i + 32 < end; i += 64)
#pragma GCC unroll 4
		for (j = 0; j < SIGN_GROUP; j++)
			acc[j] = add_counts(acc[j], *(const vcu *)(c[j] + i),
					    planes + i, bytes);
	if (i < end)
#pragma GCC unroll 2
		for (j = 0; j < SIGN_GROUP / 2; j++)
			half[j] = add_counts(half[j],
					     two_halves(c[2 * j] + i,
							c[2 * j + 1] + i),
					     planes + i, bytes);
	/* Two in a word: counts are no negative numbers. */
	a = low_half((vc)half[0]) + (high_half((vc)half[0]) << 32);
	b = low_half((vc)half[1]) + (high_half((vc)half[1]) << 32);
	a += low_half((vc)acc[0]) + high_half((vc)acc[0]) +
	     ((low_half((vc)acc[1]) + high_half((vc)acc[1])) << 32);
	b += low_half((vc)acc[2]) + high_half((vc)acc[2]) +
	     ((low_half((vc)acc[3]) + high_half((vc)acc[3])) << 32);
	a = __builtin_shufflevector(a, b, 0, 4, 2, 6) +
	    __builtin_shufflevector(a, b, 1, 5, 3, 7);
	sum = __builtin_shufflevector(a, a, 0, 1) +
	      __builtin_shufflevector(a, a, 2, 3);
	return (v4i)sum;
}

#endif /* __CHECKER__ */

#include "signs_tmpl.h"

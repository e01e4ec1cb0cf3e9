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
#define COUNT64(v)	((vc)__builtin_ia32_vpopcntq_512((count64_t)(v)))
#define COUNT32(v)	((vch)__builtin_ia32_vpopcntq_256((count32_t)(v)))
#define HAS_BIT(v, bit)	__builtin_ia32_cmpb512_mask((count8_t)((v) & (bit)), \
						    (count8_t){}, 4, ~0ull)
#else
#define COUNT64(v)	((vc)__builtin_ia32_vpopcountq_v8di((count64_t)(v)))
#define COUNT32(v)	((vch)__builtin_ia32_vpopcountq_v4di((count32_t)(v)))
#define HAS_BIT(v, bit)	__builtin_ia32_ptestmb512((count8_t)(v), \
						  (count8_t)((count8_t){} + \
							     (char)(bit)), ~0ull)
#endif

typedef long long count64_t __attribute__((vector_size(64)));
typedef long long count32_t __attribute__((vector_size(32)));
typedef char count8_t __attribute__((vector_size(64)));
typedef u64 vc __attribute__((vector_size(64)));
typedef u64 vch __attribute__((vector_size(32)));
typedef u64 vcq __attribute__((vector_size(16)));
typedef u64 vcu __attribute__((vector_size(64), may_alias)) __aligned(8);
typedef u64 vchu __attribute__((vector_size(32), may_alias)) __aligned(8);
typedef u8 vcb __attribute__((vector_size(64), may_alias));

/* Bytes of a plane, which is padded with zeroes. */
static __always_inline u32 plane_bytes(const struct vexfs_space *sp)
{
	return ALIGN(vexfs_sign_width(sp->dims) / 8, 64u);
}

/* After the values. */
void vexfs_sign_planes_avx512popcnt(const struct vexfs_space *sp,
				    struct vexfs_query_sign *qs)
{
	u32 i, p, width = vexfs_sign_width(sp->dims), bytes = plane_bytes(sp);
	u8 *planes = vexfs_sign_planes(sp, qs);

	for (p = 0; p < VEXFS_SIGN_BITS; p++)
		*(vcu *)(planes + p * bytes + bytes - 64) = (vc){};
	for (i = 0; i < width; i += 64) {
		const vcb v = *(const vcb *)(qs->values + i);

		for (p = 0; p < VEXFS_SIGN_BITS; p++)
			*(u64 *)(planes + p * bytes + i / 8) =
				HAS_BIT(v, 1 << p);
	}
}

/* The planes are in the order of their weights: 1, 2, 4 and so on. */
static __always_inline vc count64(const u8 *c, const u8 *plane, u32 bytes)
{
	const vc w = *(const vcu *)c;
	vc sum = {};
	int p;

#pragma GCC unroll 8
	for (p = VEXFS_SIGN_BITS - 1; p >= 0; p--)
		sum = sum + sum + COUNT64(w & *(const vc *)(plane + (u32)p * bytes));
	return sum;
}

static __always_inline vch count32(const u8 *c, const u8 *plane, u32 bytes)
{
	const vch w = *(const vchu *)c;
	vch sum = {};
	int p;

#pragma GCC unroll 8
	for (p = VEXFS_SIGN_BITS - 1; p >= 0; p--)
		sum = sum + sum + COUNT32(w & *(const vch *)(plane + (u32)p * bytes));
	return sum;
}

static __always_inline vch halves(vc v)
{
	return __builtin_shufflevector(v, v, 0, 1, 2, 3) +
	       __builtin_shufflevector(v, v, 4, 5, 6, 7);
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
	vc acc[SIGN_GROUP] = { 0 };
	vch half[SIGN_GROUP] = { 0 }, a, b;
	vcq sum;
	int j;

	for (i = 0; i + 32 < end; i += 64)
#pragma GCC unroll 4
		for (j = 0; j < SIGN_GROUP; j++)
			acc[j] += count64(c[j] + i, planes + i, bytes);
	if (i < end)
#pragma GCC unroll 4
		for (j = 0; j < SIGN_GROUP; j++)
			half[j] = count32(c[j] + i, planes + i, bytes);
	/* Two in a word: counts are no negative numbers. */
	a = halves(acc[0] + (acc[1] << 32)) + half[0] + (half[1] << 32);
	b = halves(acc[2] + (acc[3] << 32)) + half[2] + (half[3] << 32);
	a = __builtin_shufflevector(a, b, 0, 4, 2, 6) +
	    __builtin_shufflevector(a, b, 1, 5, 3, 7);
	sum = __builtin_shufflevector(a, a, 0, 1) +
	      __builtin_shufflevector(a, a, 2, 3);
	return (v4i)sum;
}

#endif /* __CHECKER__ */

#include "signs_tmpl.h"

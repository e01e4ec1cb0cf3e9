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
#define GATHER(from, at) \
	__builtin_ia32_gathersiv8si((v8i){}, (const int *)(from), at, \
				    (v8i){} - 1, 4)
#define MASK8(v)	(__builtin_ia32_movmskps256((v8f)(v)) != 0)
/* In both halves of a register of 32 bytes. */
#define TWICE(a, b, c, d)	a, b, c, d, (a) + 4, (b) + 4, (c) + 4, (d) + 4
/* Codes that are compared at once. */
#define COUNT_GROUP	8u

typedef long long count64_t __attribute__((vector_size(64)));
typedef char count8_t __attribute__((vector_size(64)));
typedef int count32_t __attribute__((vector_size(64)));
typedef u64 vc __attribute__((vector_size(64)));
typedef u64 vch __attribute__((vector_size(32)));
typedef u64 vcu __attribute__((vector_size(64), may_alias)) __aligned(8);
typedef u64 vchu __attribute__((vector_size(32), may_alias)) __aligned(8);
typedef s32 v8i __attribute__((vector_size(32)));
typedef u32 v8u __attribute__((vector_size(32)));
typedef float v8f __attribute__((vector_size(32)));
typedef s32 v4iu __attribute__((vector_size(16), may_alias)) __aligned(4);
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

/* The last 32 bytes of two codes. */
static __always_inline vc two_halves(const u8 *a, const u8 *b)
{
	const vch low = *(const vchu *)a, high = *(const vchu *)b;

	return __builtin_shufflevector(low, high, 0, 1, 2, 3, 4, 5, 6, 7);
}

/* What the planes stand for: in registers, as compilers make them each time. */
struct weights {
	count32_t of[VEXFS_SIGN_BITS];
};

static __always_inline void weights_init(struct weights *w)
{
	u32 p;

#pragma GCC unroll 8
	for (p = 0; p < VEXFS_SIGN_BITS; p++) {
		w->of[p] = (count32_t)((vcb){} + (u8)(1u << p));
		asm("" : "+v" (w->of[p]));
	}
}

/*
 * Adds what each of @n registers of bits counts in the planes, times what these
 * stand for. Counts are in the first byte of eight.
 */
static __always_inline void add_counts(count32_t *sum, const vc *bits,
				       const u32 n, const u8 *plane, u32 bytes,
				       const struct weights *w)
{
	u32 p, j;

#pragma GCC unroll 8
	for (p = 0; p < VEXFS_SIGN_BITS; p++) {
		const vc is = *(const vc *)(plane + p * bytes);

#pragma GCC unroll 8
		for (j = 0; j < n; j++)
			sum[j] = ADD_TIMES(sum[j],
					   (count32_t)COUNT(bits[j] & is),
					   w->of[p]);
	}
}

static __always_inline vch fold(vc v)
{
	return __builtin_shufflevector(v, v, 0, 1, 2, 3) +
	       __builtin_shufflevector(v, v, 4, 5, 6, 7);
}

/*
 * Sums of the query's values where bits of eight codes are set. Codes are
 * multiples of 32 bytes, and what is behind their bits meets the planes'
 * padding.
 */
static __always_inline v8i count_eight(const struct vexfs_space *sp,
				       const struct vexfs_query_sign *qs,
				       const u8 *const *c,
				       const struct weights *w)
{
	const u8 *planes = vexfs_sign_planes(sp, (void *)qs);
	u32 bytes = plane_bytes(sp), end = vexfs_sign_width(sp->dims) / 8;
	const vc second = { 0, 0, 0, 0, 32, 32, 32, 32 };
	count32_t acc[8] = { 0 }, half[4] = { 0 };
	vc bits[8], sum[4];
	u32 i, j;
	vch a, b;

	for (i = 0; i + 32 < end; i += 64) {
#pragma GCC unroll 8
		for (j = 0; j < 8; j++)
			bits[j] = *(const vcu *)(c[j] + i);
		add_counts(acc, bits, 8, planes + i, bytes, w);
	}
	/* Two in a word: counts are no negative numbers. */
#pragma GCC unroll 4
	for (j = 0; j < 4; j++)
		sum[j] = (vc)acc[2 * j] + ((vc)acc[2 * j + 1] << 32);
	if (i < end) {
#pragma GCC unroll 4
		for (j = 0; j < 4; j++)
			bits[j] = two_halves(c[2 * j] + i, c[2 * j + 1] + i);
		add_counts(half, bits, 4, planes + i, bytes, w);
#pragma GCC unroll 4
		for (j = 0; j < 4; j++)
			sum[j] += (vc)half[j] << second;
	}
	a = __builtin_shufflevector(fold(sum[0]), fold(sum[1]), 0, 4, 2, 6) +
	    __builtin_shufflevector(fold(sum[0]), fold(sum[1]), 1, 5, 3, 7);
	b = __builtin_shufflevector(fold(sum[2]), fold(sum[3]), 0, 4, 2, 6) +
	    __builtin_shufflevector(fold(sum[2]), fold(sum[3]), 1, 5, 3, 7);
	return (v8i)(__builtin_shufflevector(a, b, 0, 1, 4, 5) +
		     __builtin_shufflevector(a, b, 2, 3, 6, 7));
}

/* The last 16 bytes of two codes: of each something, then the factors. */
static __always_inline v8i two_tails(const struct vexfs_space *sp, const u8 *a,
				     const u8 *b)
{
	const v4iu low = *(const v4iu *)(a + sp->sign_bytes - sizeof(v4iu));
	const v4iu high = *(const v4iu *)(b + sp->sign_bytes - sizeof(v4iu));

	return __builtin_shufflevector(low, high, 0, 1, 2, 3, 4, 5, 6, 7);
}

/* See the formula at struct vexfs_sign_factors; as sign_keys() computes it. */
static __always_inline v8i keys_eight(const struct vexfs_space *sp,
				      const struct vexfs_query_sign *qs,
				      const u8 *const *c,
				      const struct weights *w)
{
	const v8i a0 = two_tails(sp, c[0], c[4]), a1 = two_tails(sp, c[1], c[5]);
	const v8i a2 = two_tails(sp, c[2], c[6]), a3 = two_tails(sp, c[3], c[7]);
	const v8i low01 = __builtin_shufflevector(a0, a1, TWICE(0, 8, 1, 9));
	const v8i low23 = __builtin_shufflevector(a2, a3, TWICE(0, 8, 1, 9));
	const v8i high01 = __builtin_shufflevector(a0, a1, TWICE(2, 10, 3, 11));
	const v8i high23 = __builtin_shufflevector(a2, a3, TWICE(2, 10, 3, 11));
	const v8i gain = __builtin_shufflevector(low01, low23,
						 TWICE(2, 3, 10, 11));
	const v8i offset = __builtin_shufflevector(high01, high23,
						   TWICE(0, 1, 8, 9));
	const v8i last = __builtin_shufflevector(high01, high23,
						 TWICE(2, 3, 10, 11));
	const v8i share = GATHER(qs->share, last & 0xffff);
	const v8i ones = (v8i)((v8u)last >> 16);
	v8i bits = 2 * count_eight(sp, qs, c, w) -
		   2 * (s32)VEXFS_SIGN_ZERO * ones - qs->sum;
	v8f key = (v8f)gain * bits_float(qs->scale) *
		  __builtin_convertvector(bits, v8f);

	bits = (v8i)(((v8f)share + (v8f)offset) - key);
	/* What is near may come out as nearer than possible. */
	if (sp->metric != VEXFS_METRIC_IP)
		bits &= ~(bits >> 31);
	return bits ^ ((bits >> 31) | (s32)0x80000000);
}

bool vexfs_signs_avx512popcnt(const struct vexfs_space *sp,
			      const struct vexfs_query_sign *qs,
			      const void *const *signs, unsigned int n,
			      u32 *keys)
{
	const v8u none = (v8u){} + VEXFS_SIGN_NO_KEY;
	unsigned int i, j;
	struct weights w;
	v8i missing = {};

	weights_init(&w);
	for (i = 0; i < n; i += COUNT_GROUP) {
		const u8 *c[COUNT_GROUP];
		v8i out;

#pragma GCC unroll 8
		for (j = 0; j < COUNT_GROUP; j++)
			c[j] = signs[i + j < n ? i + j : n - 1];
		out = keys_eight(sp, qs, c, &w);
		missing |= (v8i)((v8u)out >= none);
		if (n - i >= COUNT_GROUP)
			__builtin_memcpy(keys + i, &out, sizeof(out));
		else
			__builtin_memcpy(keys + i, &out, (n - i) * 4);
	}
	return MASK8(missing);
}

#endif /* __CHECKER__ */

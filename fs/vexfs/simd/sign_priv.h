/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Sign codes, queries for them, and what there is once per instruction set; to
 * be called between vexfs_fpu_begin() and _end().
 *
 * Copyright (C) 2026 The VexFS authors
 */
#ifndef _VEXFS_SIMD_SIGN_PRIV_H
#define _VEXFS_SIMD_SIGN_PRIV_H

#include "sign.h"
#include "simd_priv.h"

/*
 * A sign code is width bits, then padding, and these in its last bytes. In
 * them are, besides g and c of sign.h, with p the sum of the query's values
 * where a bit is set:
 *
 *	key = share[centre] + offset - query.scale * gain *
 *	      (2 * (p - VEXFS_SIGN_ZERO * ones) - query.sum)
 *
 *		gain	offset			share[centre]
 *	L2	2 g	|r|^2 + 2 g (c b)	|q - c|^2
 *	IP	g	g (c b) - c r		-(q c)
 *	cosine	g	g (c b) - c r		1 - q c
 *
 * For the cosine vector and query are of length one, and centres are not.
 */
struct vexfs_sign_factors {
	u32	gain;			/* float */
	u32	offset;			/* float */
	u16	centre;
	u16	ones;			/* bits that are set */
};

/*
 * Of key, which is that of the code of a centre: which centre is nearest is
 * told by near_add + near_mul * key, the query's share is share_add + share_mul
 * * key. The centre itself is its code times share_mul. All are floats.
 */
struct vexfs_sign_scales {
	u32	near_add[VEXFS_SIGN_MAX_CENTRES];
	u32	near_mul[VEXFS_SIGN_MAX_CENTRES];
	u32	share_add[VEXFS_SIGN_MAX_CENTRES];
	u32	share_mul[VEXFS_SIGN_MAX_CENTRES];
	/**
	 * The same for a product of coarse elements: coarse_add + coarse_mul *
	 * query.scale * (product - coarse_zero), which is an integer
	 */
	u32	coarse_add[VEXFS_SIGN_MAX_CENTRES];
	u32	coarse_mul[VEXFS_SIGN_MAX_CENTRES];
	s32	coarse_zero[VEXFS_SIGN_MAX_CENTRES];
};

/*
 * Which centres are near a query is looked up in the first elements of what was
 * rotated, as 8 bits: a rotation leaves as much of a distance in each of them.
 * For each block of centres, for each four elements, those of each centre.
 */
#define VEXFS_COARSE_DIMS	256u
#define VEXFS_COARSE_BLOCK	64u
/* Of these centres, the codes say what is nearest. */
#define VEXFS_COARSE_NEAR	8u

/* The share of a query in keys is not known yet: infinite, as are then keys. */
#define VEXFS_SIGN_NO_SHARE	0x7f800000u
#define VEXFS_SIGN_NO_KEY	0xff800000u

struct vexfs_sign_sums {
	/** @sums: floats, width for each centre, aligned to 64 */
	u32	*sums;
	size_t	room;
	u32	count[VEXFS_SIGN_MAX_CENTRES];
};

/*
 * A query's values have so many bits: the error of these is small beside that
 * of one bit for an element.
 */
#define VEXFS_SIGN_BITS		5u
#define VEXFS_SIGN_TOP		15.0f
#define VEXFS_SIGN_ZERO		16u

/* Codes that are compared at once. */
#define SIGN_GROUP		4

/* Of a query: what the rotated values are multiples of, and their sum. */
struct vexfs_query_sign {
	/** @table: that the query was prepared for */
	const struct vexfs_sign_table *table;
	u32	scale;			/* float */
	s32	sum;
	u32	reserved[12];
	/** @share: floats, or VEXFS_SIGN_NO_SHARE until it is needed */
	u32	share[VEXFS_SIGN_MAX_CENTRES];
	/**
	 * @values: of the rotated query, plus VEXFS_SIGN_ZERO; behind them room
	 * for floats, and VEXFS_SIGN_BITS planes of their bits
	 */
	u8	values[] __aligned(64);
};

static inline u32 vexfs_sign_width(u32 dims)
{
	return ALIGN(dims, 64u);
}

static inline struct vexfs_query_sign *
vexfs_query_sign(const struct vexfs_space *sp, const struct vexfs_query *q)
{
	return (void *)q + sp->query_bytes - sp->query_sign_bytes;
}

static inline struct vexfs_sign_factors *
vexfs_sign_factors(const struct vexfs_space *sp, const void *sign)
{
	return (void *)sign + sp->sign_bytes -
	       sizeof(struct vexfs_sign_factors);
}

/* Room for floats, width of them. */
static inline u32 *vexfs_sign_work(const struct vexfs_space *sp,
				   struct vexfs_query *q)
{
	return (void *)vexfs_query_sign(sp, q)->values +
	       vexfs_sign_width(sp->dims);
}

/* Planes begin at multiples of 64 bytes, and are padded with zeroes. */
static inline u8 *vexfs_sign_planes(const struct vexfs_space *sp,
				    struct vexfs_query_sign *qs)
{
	return qs->values + 5 * vexfs_sign_width(sp->dims);
}

static inline u32 vexfs_sign_query_bytes(const struct vexfs_space *sp)
{
	u32 width = vexfs_sign_width(sp->dims);

	return (u32)sizeof(struct vexfs_query_sign) + 5 * width +
	       VEXFS_SIGN_BITS * ALIGN(width / 8, 64u);
}

/*
 * @work holds width floats: first values, then, after all rounds, rotated. Of
 * @keys of the centres there is room for VEXFS_SIGN_MAX_CENTRES: which are the
 * nearest; and what becomes of them.
 */
#define VEXFS_SIGN(isa)							\
void vexfs_sign_values_##isa(const struct vexfs_space *sp,		\
			     const struct vexfs_query *q, bool bytes,	\
			     u32 *work);				\
void vexfs_sign_decode_##isa(const struct vexfs_space *sp,		\
			     const void *code, u32 length, u32 *work);	\
void vexfs_sign_turn_##isa(const struct vexfs_sign_table *t, u32 round,	\
			   u32 *work);					\
void vexfs_sign_query_##isa(const struct vexfs_sign_table *t,		\
			    const u32 *work,				\
			    struct vexfs_query_sign *qs);		\
u32 vexfs_sign_encode_##isa(const struct vexfs_space *sp,		\
			    const struct vexfs_sign_table *t,		\
			    const u32 *work, u32 centre, void *sign);	\
void vexfs_sign_add_##isa(const struct vexfs_space *sp,			\
			  const void *code, u32 *work, u32 *sum);	\
void vexfs_sign_scores_##isa(const struct vexfs_sign_table *t,		\
			     const struct vexfs_query_sign *qs,		\
			     u32 *products);				\
void vexfs_sign_nearness_##isa(const struct vexfs_sign_table *t,	\
			       u32 *keys);				\
u32 vexfs_sign_least_##isa(const u32 *scores, u32 n, u32 want, u32 *least)

/* Integers only, so there is one that uses VNNI as well. */
#define VEXFS_COARSE(isa)						\
void vexfs_sign_coarse_##isa(const struct vexfs_sign_table *t,		\
			     const struct vexfs_query_sign *qs,		\
			     s32 *products)

/* True if a key is VEXFS_SIGN_NO_KEY or more. */
#define VEXFS_SIGNS(isa)						\
bool vexfs_signs_##isa(const struct vexfs_space *sp,			\
		       const struct vexfs_query_sign *qs,		\
		       const void *const *signs, unsigned int n,	\
		       u32 *keys)

VEXFS_SIGN(sse2);
VEXFS_SIGN(avx2);
VEXFS_SIGN(avx512);
VEXFS_SIGNS(sse2);
VEXFS_SIGNS(avx2);
VEXFS_SIGNS(avx512);
VEXFS_SIGNS(avx512popcnt);
VEXFS_COARSE(sse2);
VEXFS_COARSE(avx2);
VEXFS_COARSE(avx512);
VEXFS_COARSE(avx512vnni);

/* The planes, after the values. */
void vexfs_sign_planes_avx512popcnt(const struct vexfs_space *sp,
				    struct vexfs_query_sign *qs);

/* Baseline: what takes no time. */
void vexfs_sign_mean_sse2(const struct vexfs_space *sp, u32 *sum, u32 count);
void vexfs_sign_scale_sse2(const struct vexfs_space *sp, const u32 *mean,
			   struct vexfs_sign_scales *sc, u32 centre);
void vexfs_sign_coarse_set_sse2(struct vexfs_sign_table *t, u32 centre);
/* For keys of some centres: shares of the query; scores become nearness. */
void vexfs_sign_shares_sse2(const struct vexfs_sign_table *t,
			    const u32 *centres, u32 n, u32 *keys, u32 *share);

#endif /* _VEXFS_SIMD_SIGN_PRIV_H */

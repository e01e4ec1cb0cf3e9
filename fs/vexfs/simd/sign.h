/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Sign codes: one bit an element, of what a vector is besides the centre it is
 * near to, after a rotation that spreads it over all elements.
 *
 * With r the difference between the vector and its centre c, both rotated, and
 * b the signs of r as 1 and -1, g = |r|^2 / (r b) makes g b as long along r as
 * r is, and what remains is hardly in the way of any other direction. So for a
 * query q
 *
 *	(q - c) r  is about  g (q b) - g (c b)
 *
 * of which only q b depends on both. The error is in proportion to |q - c| |r|
 * and, for vectors of a cluster, much smaller than one in proportion to their
 * norms. (RaBitQ, Gao and Long, arXiv 2405.12497, with several centres.)
 *
 * Copyright (C) 2026 The VexFS authors
 */
#ifndef _VEXFS_SIMD_SIGN_H
#define _VEXFS_SIMD_SIGN_H

#include "simd.h"

#define VEXFS_SIGN_MAX_CENTRES	256u
#define VEXFS_SIGN_ROUNDS	4u

/*
 * Centres, and the rotation: random signs and the Hadamard matrix on the first
 * and on the last elements in turn, as many as the largest power of two.
 * Floats are kept as their bits.
 */
struct vexfs_sign_table {
	u32	centres;
	/** @width: elements with padding, a multiple of 64 */
	u32	width;
	/** @code_bytes: of the space */
	u32	code_bytes;
	/** @signs: a sign bit for each round and element, aligned to 64 */
	u32	*signs;
	/** @code: of each centre, space.code_bytes, aligned to 64 */
	void	*code;
	/** @rotated: of each centre, width floats, aligned to 64 */
	u32	*rotated;
	/** @coarse: the first elements of that as s8, see sign_priv.h */
	s8	*coarse;
	struct vexfs_sign_scales *scales;
};

/* -ENOMEM. There is nothing in it yet. */
int vexfs_sign_table_init(struct vexfs_sign_table *t,
			  const struct vexfs_space *sp, u32 centres, u64 seed);
void vexfs_sign_table_free(struct vexfs_sign_table *t);
u64 vexfs_sign_table_memory(const struct vexfs_sign_table *t);

/*
 * Centres are means of a sample's codes (k-means): set to some of them first,
 * then, a few times over, each of the sample is counted to the one it is
 * nearest to (vexfs_sign_nearest()), and moved to the mean of those. @q is
 * memory for a query.
 */
struct vexfs_sign_sums;
struct vexfs_sign_sums *
vexfs_sign_sums_alloc(const struct vexfs_sign_table *t);
void vexfs_sign_sums_free(struct vexfs_sign_sums *sums);
void vexfs_sign_centre_set(const struct vexfs_space *sp,
			   struct vexfs_sign_table *t, u32 centre,
			   const void *code, struct vexfs_sign_sums *sums);
void vexfs_sign_sample(const struct vexfs_space *sp,
		       const struct vexfs_sign_table *t,
		       struct vexfs_sign_sums *sums, u32 centre,
		       const void *code, struct vexfs_query *q);
/* Ends a turn for one centre; where none was near, it stays. */
void vexfs_sign_centre_move(const struct vexfs_space *sp,
			    struct vexfs_sign_table *t, u32 centre,
			    struct vexfs_sign_sums *sums);

/* The number of the centre that what @code stands for is nearest to. */
u32 vexfs_sign_nearest(const struct vexfs_space *sp,
		       const struct vexfs_sign_table *t, const void *code,
		       struct vexfs_query *q);

/*
 * Makes the sign code (space.sign_bytes) of what @code stands for, with that
 * centre. Returns the key of its distance from it (by L2).
 */
u32 vexfs_sign_encode(const struct vexfs_space *sp,
		      const struct vexfs_sign_table *t, const void *code,
		      u32 centre, struct vexfs_query *q, void *sign);

/*
 * A query is compared with sign codes of a table after it was prepared for
 * that, as it is now. @near: room for VEXFS_SIGN_NEAR numbers of centres, those
 * nearest to it, nearest first, as far as a third of the elements or so tells;
 * as many as there are, which is returned.
 */
#define VEXFS_SIGN_NEAR		4u
u32 vexfs_query_sign_prepare(const struct vexfs_space *sp,
			     const struct vexfs_sign_table *t,
			     struct vexfs_query *q, u32 *near);
void vexfs_dist_signs(const struct vexfs_space *sp, struct vexfs_query *q,
		      const void *const *signs,
		      unsigned int n, u32 *keys);

#endif /* _VEXFS_SIMD_SIGN_H */

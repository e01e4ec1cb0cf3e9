/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Random projections of rows, and the bits that are their signs: what the LSH
 * index is made of. Values are the same on every instruction set.
 *
 * A rotation multiplies a row, padded with zeroes to a power of two, three
 * times by random signs and by a Hadamard matrix, which takes O(d log d); what
 * comes out is as good as d products with independent Gaussian vectors. Short
 * rows are rotated several times.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#ifndef _VEXFS_SIMD_PROJECT_H
#define _VEXFS_SIMD_PROJECT_H

#include "simd.h"

#define VEXFS_LSH_ROUNDS	3u
#define VEXFS_LSH_MIN_WIDTH	64u
/* Bits of a sketch */
#define VEXFS_LSH_MAX_BITS	1024u
/* Of a margin, how much is one root mean square of all of them */
#define VEXFS_LSH_MARGIN_ONE	4096u

struct vexfs_projector {
	u32	dims;
	/** @bits: projections, a multiple of 32 */
	u32	bits;
	/** @width: of a rotation, a power of two; @turns: rotations */
	u32	width;
	u32	turns;
	/** @normal: rows are scaled to length one before */
	bool	normal;
	/** @scale: else they are scaled by this float */
	u32	scale;
	/** @signs: a sign bit for each turn, round and element, aligned to 64 */
	u32	*signs;
	/** @centre: floats; what the projections are compared with */
	u32	*centre;
};

/* Is there a way to project such rows? */
bool vexfs_projector_supports(u8 elem, u8 metric);
/* What is set up from a seed; -EOPNOTSUPP, -ENOMEM. @centre is zero. */
int vexfs_projector_init(struct vexfs_projector *pj,
			 const struct vexfs_space *sp, u32 bits, u64 seed);
void vexfs_projector_free(struct vexfs_projector *pj);

/* Memory that a rotation works in, aligned to 64. */
static inline u32 vexfs_projector_work(const struct vexfs_projector *pj)
{
	return 2 * pj->width * 4;
}

/*
 * Bit i of @out: is projection i of the row beyond the centre? bits / 32
 * words a row, one row behind the other. Rows have a pointer each, or are
 * @stride bytes apart from rows[0].
 */
void vexfs_project_rows(const struct vexfs_projector *pj,
			const void *const *rows, unsigned int n, u32 *out,
			void *work);
/* For one row; and how far from the centre it is, in VEXFS_LSH_MARGIN_ONE. */
void vexfs_project_query(const struct vexfs_projector *pj, const void *row,
			 u32 *out, u16 *margin, void *work);

/*
 * Where the centre is to be: the mean of a sample's projections, and the scale
 * by which they have unit variance. @sum has bits + 2 doubles, zero before the
 * first. vexfs_sample_end() writes centre and scale into the projector; it
 * returns how far that moved the centre, in percent of the sample's spread.
 */
void vexfs_sample_add(const struct vexfs_projector *pj, const void *row,
		      u64 *sum, void *work);
u32 vexfs_sample_end(struct vexfs_projector *pj, const u64 *sum, u32 n,
		     bool apply);

#endif /* _VEXFS_SIMD_PROJECT_H */

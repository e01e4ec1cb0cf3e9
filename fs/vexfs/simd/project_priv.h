/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The projections of simd/project.c, once per instruction set; to be called
 * between vexfs_fpu_begin() and _end().
 *
 * Copyright (C) 2026 The VexFS authors
 */
#ifndef _VEXFS_SIMD_PROJECT_PRIV_H
#define _VEXFS_SIMD_PROJECT_PRIV_H

#include "project.h"
#include "simd_priv.h"

#define VEXFS_LSH_PROJECT(isa)						\
void vexfs_project_##isa(const struct vexfs_projector *pj,		\
			 const void *row, u32 *out, u16 *margin,	\
			 void *work);					\
void vexfs_sample_##isa(const struct vexfs_projector *pj,		\
			const void *row, void *sum, void *work)

VEXFS_LSH_PROJECT(sse2);
VEXFS_LSH_PROJECT(avx2);
VEXFS_LSH_PROJECT(avx512);

/* Baseline: the sums of a sample become centre and scale. */
u32 vexfs_sample_finish_sse2(struct vexfs_projector *pj, const void *sum,
			     u32 n, bool apply);

#endif /* _VEXFS_SIMD_PROJECT_PRIV_H */

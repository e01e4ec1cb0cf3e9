// SPDX-License-Identifier: GPL-2.0
/*
 * Random projections: calls of the instruction set in use, within FPU
 * sections of bounded length.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include "../libvexfs/random.h"
#include "project_priv.h"

/* Elements that a section may rotate, at most (or one row). */
#define LSH_SECTION	32768u

#define CALL_LSH(fn, ...) do {						\
	if (vexfs_simd_level() == VEXFS_SIMD_AVX512)			\
		fn##_avx512(__VA_ARGS__);				\
	else if (vexfs_simd_level() == VEXFS_SIMD_AVX2)			\
		fn##_avx2(__VA_ARGS__);					\
	else								\
		fn##_sse2(__VA_ARGS__);					\
} while (0)

/* Which counters are this level's. */
static unsigned int lsh_counters(void)
{
	return (unsigned int)ilog2(vexfs_simd_level());
}

bool vexfs_projector_supports(u8 elem, u8 metric)
{
	return elem == VEXFS_ELEM_F32 && (metric == VEXFS_METRIC_L2 ||
					  metric == VEXFS_METRIC_IP ||
					  metric == VEXFS_METRIC_COSINE);
}

int vexfs_projector_init(struct vexfs_projector *pj,
			 const struct vexfs_space *sp, u32 bits, u64 seed)
{
	u32 n;

	memset(pj, 0, sizeof(*pj));
	if (!vexfs_projector_supports(sp->elem, sp->metric))
		return -EOPNOTSUPP;
	if (!bits || bits % 32 || bits > VEXFS_LSH_MAX_BITS)
		return -EINVAL;
	pj->dims = sp->dims;
	pj->bits = bits;
	pj->width = max_t(u32, roundup_pow_of_two(sp->dims),
			  VEXFS_LSH_MIN_WIDTH);
	pj->turns = (bits + pj->width - 1) / pj->width;
	pj->normal = sp->metric != VEXFS_METRIC_L2;
	pj->scale = 0x3f800000;
	n = pj->turns * VEXFS_LSH_ROUNDS * pj->width;
	pj->signs = kvmalloc_array(n, sizeof(u32), GFP_KERNEL);
	pj->centre = kvcalloc(ALIGN(bits, 64u), sizeof(u32), GFP_KERNEL);
	if (!pj->signs || !pj->centre) {
		vexfs_projector_free(pj);
		return -ENOMEM;
	}
	vexfs_random_signs(pj->signs, n, seed);
	return 0;
}

void vexfs_projector_free(struct vexfs_projector *pj)
{
	kvfree(pj->signs);
	kvfree(pj->centre);
	memset(pj, 0, sizeof(*pj));
}

void vexfs_project_rows(const struct vexfs_projector *pj,
			const void *const *rows, unsigned int n, u32 *out,
			void *work)
{
	unsigned int most = max(LSH_SECTION / (pj->turns * pj->width), 1u);
	unsigned int now, i;

	for (; n; n -= now, rows += now) {
		now = min(n, most);
		vexfs_fpu_begin();
		for (i = 0; i < now; i++, out += pj->bits / 32)
			CALL_LSH(vexfs_project, pj, rows[i], out, NULL, work);
		vexfs_fpu_end(lsh_counters(), 0, 0, now);
	}
}

void vexfs_project_query(const struct vexfs_projector *pj, const void *row,
			 u32 *out, u16 *margin, void *work)
{
	vexfs_fpu_begin();
	CALL_LSH(vexfs_project, pj, row, out, margin, work);
	vexfs_fpu_end(lsh_counters(), 0, 0, 1);
}

void vexfs_sample_add(const struct vexfs_projector *pj, const void *row,
		      u64 *sum, void *work)
{
	vexfs_fpu_begin();
	CALL_LSH(vexfs_sample, pj, row, sum, work);
	vexfs_fpu_end(lsh_counters(), 0, 0, 1);
}

u32 vexfs_sample_end(struct vexfs_projector *pj, const u64 *sum, u32 n,
		     bool apply)
{
	u32 moved;

	vexfs_fpu_begin();
	moved = vexfs_sample_finish_sse2(pj, sum, n, apply);
	vexfs_fpu_end(0, 0, 0, 0);
	return moved;
}

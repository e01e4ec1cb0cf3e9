// SPDX-License-Identifier: GPL-2.0
/*
 * Tiles of queries and rows: sizes, and FPU sections of bounded length.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include "simd_call.h"

/* Rows of a block, as floats: with some queries, they stay in a CPU's cache. */
#define TILE_BLOCK_BYTES	(256u << 10)

static bool tile_exists(const struct vexfs_space *sp)
{
	return !sp->exact && sp->metric != VEXFS_METRIC_L1;
}

u32 vexfs_tile_lanes(const struct vexfs_space *sp, u32 n)
{
	const u32 floats = vexfs_simd_width() / 32;

	if (!tile_exists(sp))
		return 0;
	return n > floats ? 2 * floats : floats;
}

/* Elements that are looked at: those of whole steps of 32 bytes of a row. */
static u32 tile_depth(const struct vexfs_space *sp)
{
	return ALIGN(sp->dims, sp->elem == VEXFS_ELEM_F32 ? 8u : VEXFS_LANES);
}

u32 vexfs_tile_rows(const struct vexfs_space *sp)
{
	u32 bytes = tile_exists(sp) ? tile_depth(sp) * 4 : sp->stride;
	u32 rows = clamp(TILE_BLOCK_BYTES / bytes, 4u, VEXFS_TILE_ROWS);

	/* The rows that are left over take longer. */
	return rows > VEXFS_TILE_GROUP ? rounddown(rows, VEXFS_TILE_GROUP) :
					 rows;
}

size_t vexfs_tile_bytes(const struct vexfs_space *sp)
{
	return sizeof(struct vexfs_tile) +
	       (size_t)tile_depth(sp) * VEXFS_TILE_LANES * 4;
}

size_t vexfs_tile_block_bytes(const struct vexfs_space *sp)
{
	size_t wide = (size_t)vexfs_tile_rows(sp) * tile_depth(sp) * 4;

	return sizeof(struct vexfs_tile_block) +
	       (sp->elem == VEXFS_ELEM_F32 ? 0 : wide);
}

void vexfs_tile_pack(const struct vexfs_space *sp, struct vexfs_tile *t,
		     const struct vexfs_query *const *q, u32 n)
{
	u32 i;

	memset(t, 0, vexfs_tile_bytes(sp));
	t->lanes = vexfs_tile_lanes(sp, n);
	for (i = 0; i < n; i++) {
		vexfs_fpu_begin();
		CALL_ROWS(vexfs_tile_pack, t, i, q[i], tile_depth(sp));
		vexfs_simd_end(0, 0, 0);
	}
}

void vexfs_tile_load(const struct vexfs_space *sp, struct vexfs_tile_block *b,
		     const void *const *rows, u32 n)
{
	u32 now, i;

	b->n = n;
	b->depth = tile_depth(sp);
	for (i = 0; i < n; i += now) {
		now = vexfs_section_items(sp->stride, n - i);
		vexfs_fpu_begin();
		CALL_ROWS(vexfs_tile_rows, sp, b, rows, i, i + now);
		vexfs_simd_end(0, 0, 0);
	}
}

u32 vexfs_tile_near(const struct vexfs_space *sp, struct vexfs_tile *t,
		    const struct vexfs_tile_block *b, const u32 *keys,
		    const void *const *next, u16 *out)
{
	const u32 size = sp->elem == VEXFS_ELEM_F32 ? 4 : 2;
	u32 from, to, n = 0, step;

	/* So many elements of each row in a section */
	step = max(VEXFS_SECTION_BYTES / (b->n * 4) & ~31u, 32u);
	for (from = 0; from < b->depth; from = to) {
		to = min(from + step, b->depth);
		vexfs_fpu_begin();
		CALL_ROWS(vexfs_tile_sums, t, b, from, to, next, size);
		if (to == b->depth)
			n = CALL_ROWS_VALUE(vexfs_tile_filter, sp, t, b, keys,
					    out);
		vexfs_simd_end(to == b->depth ? b->n * t->lanes : 0, 0, 0);
	}
	return n;
}

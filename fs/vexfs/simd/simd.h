/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Distances. The files below fs/vexfs/simd/ are the only ones with floating
 * point; outside, a distance is an order-preserving u32 key and a float is
 * its bits. Every call here opens and closes its own bounded FPU section.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#ifndef _VEXFS_SIMD_H
#define _VEXFS_SIMD_H

#include "../libvexfs/core.h"

#define VEXFS_SIMD_SSE2		1u
#define VEXFS_SIMD_AVX2		2u
#define VEXFS_SIMD_AVX512	4u

/*
 * Chooses the kernels once: the best the CPU has, or what @force names
 * ("sse2", "avx2", "avx512"; NULL or "auto": the best). -EINVAL for a name
 * that isn't known, -EOPNOTSUPP for a level that the CPU lacks.
 */
int vexfs_simd_init(const char *force);
void vexfs_simd_exit(void);
/* Levels the CPU has, and the one chosen (VEXFS_SIMD_*); its width in bits. */
u32 vexfs_simd_caps(void);
u32 vexfs_simd_level(void);
unsigned int vexfs_simd_width(void);
const char *vexfs_simd_name(u32 level);

/* What was computed at a level: for /proc/vexfs/simd_stats. */
struct vexfs_simd_counts {
	u64	sections;		/* FPU sections */
	u64	rows;			/* distances to full rows */
	u64	codes;			/* distances to codes */
	u64	encoded;		/* rows encoded */
};

void vexfs_simd_count(u32 level, struct vexfs_simd_counts *out);

/* Keys order like the distances they stand for, as unsigned numbers. */
static inline u32 vexfs_key_from_bits(u32 bits)
{
	return bits & 0x80000000u ? ~bits : bits | 0x80000000u;
}

static inline u32 vexfs_key_to_bits(u32 key)
{
	return key & 0x80000000u ? key & 0x7fffffffu : ~key;
}

/* The space that vectors live in. */
struct vexfs_space {
	u32	dims;
	u32	row_bytes;
	u32	stride;			/* of rows, padding is zero */
	u32	code_bytes;		/* of a code, with its factors */
	u32	nib_bytes;		/* of a short code; 0: there is none */
	u32	sign_bytes;		/* of a sign code (sign.h), or 0 */
	u32	query_sign_bytes;	/* of a query's part for those */
	u32	query_bytes;		/* of a prepared query */
	u8	elem;
	u8	metric;
	/** @exact: sums are of integers, so fast distances are exact */
	bool	exact;
};

/* -EOPNOTSUPP for a pair of element type and metric that is not supported. */
int vexfs_space_init(struct vexfs_space *sp, u8 elem, u8 metric, u32 dims);

/*
 * True when each of n rows, @stride bytes apart, is one: elements are finite,
 * and the bits behind the last of a row of bits are zero.
 */
bool vexfs_rows_finite(const struct vexfs_space *sp, const void *rows, u32 n,
		       size_t stride);

/*
 * A query is query_bytes of memory aligned to 64, opaque: the row padded,
 * its norm, its code. @row has row_bytes (needn't be aligned).
 */
struct vexfs_query;
void vexfs_query_prepare(const struct vexfs_space *sp, const void *row,
			 struct vexfs_query *q);
/* Is the row that @q was prepared of finite? That costs nothing for floats. */
bool vexfs_query_finite(const struct vexfs_space *sp, const void *row,
			const struct vexfs_query *q);

/*
 * Full rows, one pointer each or @stride apart from @base. Sums are in single
 * precision, so distances of floating-point elements are wrong in their last
 * digits, and those of products in proportion to the norms.
 */
void vexfs_dist_rows(const struct vexfs_space *sp, const struct vexfs_query *q,
		     const void *const *rows, unsigned int n, u32 *keys);
void vexfs_dist_run(const struct vexfs_space *sp, const struct vexfs_query *q,
		    const void *base, unsigned int n, u32 *keys);
/* Rows that are on their way while one is compared exactly, where it pays. */
#define VEXFS_ROWS_AHEAD	2u

/*
 * Asks for what vexfs_exact_rows() reads first, and what leads to the others:
 * more would only have to wait.
 */
static inline void vexfs_rows_fetch(const struct vexfs_space *sp,
				    const void *const *rows, unsigned int n)
{
	unsigned int i, at;

	for (i = 0; i < n; i++) {
		__builtin_prefetch(rows[i]);
		for (at = 64; i < VEXFS_ROWS_AHEAD && at < sp->stride; at += 64)
			__builtin_prefetch(rows[i] + at);
	}
}

/* As fast, but never more than the exact keys. */
void vexfs_lower_rows(const struct vexfs_space *sp, const struct vexfs_query *q,
		      const void *const *rows, unsigned int n, u32 *keys);
/*
 * Exact: the same on each level. What users are told. The first rows have been
 * asked for if there was something else to do meanwhile.
 */
void vexfs_exact_rows(const struct vexfs_space *sp, const struct vexfs_query *q,
		      const void *const *rows, unsigned int n, u32 *keys);
/* The elements of a row as floats (their bits), ALIGN(dims, 16) of them. */
void vexfs_row_widen(const struct vexfs_space *sp, const void *row, u32 *out);

/*
 * Tiles: up to VEXFS_TILE_LANES queries against up to VEXFS_TILE_ROWS rows,
 * to find the pairs that may be near enough. Only for floating-point elements
 * and metrics of products: vexfs_tile_lanes() is 0 for others. Memory is the
 * caller's, aligned to 64.
 */
#define VEXFS_TILE_LANES	32u
#define VEXFS_TILE_ROWS		64u

struct vexfs_tile;
struct vexfs_tile_block;

/* How many of @n queries a tile would take. */
u32 vexfs_tile_lanes(const struct vexfs_space *sp, u32 n);
/* Rows that are best handled together, and bytes of a tile and of a block. */
u32 vexfs_tile_rows(const struct vexfs_space *sp);
size_t vexfs_tile_bytes(const struct vexfs_space *sp);
size_t vexfs_tile_block_bytes(const struct vexfs_space *sp);
/* Packs @n queries, at most vexfs_tile_lanes(); they are not needed after. */
void vexfs_tile_pack(const struct vexfs_space *sp, struct vexfs_tile *t,
		     const struct vexfs_query *const *q, u32 n);
/* Takes @n rows, which must stay where they are, at addresses of floats. */
void vexfs_tile_load(const struct vexfs_space *sp, struct vexfs_tile_block *b,
		     const void *const *rows, u32 n);
/*
 * The pairs that may be as near as keys[query], into @out as row number *
 * VEXFS_TILE_LANES + query; returns how many. None that is as near is left
 * out; queries that were not packed may be named. @next: rows to fetch into
 * the cache meanwhile, as many as in the block, or NULL.
 */
u32 vexfs_tile_near(const struct vexfs_space *sp, struct vexfs_tile *t,
		    const struct vexfs_tile_block *b, const u32 *keys,
		    const void *const *next, u16 *out);

/*
 * Codes: rows quantised to 8 bits with factors of their own, so that no
 * training is needed and nothing goes stale. Distances between a query and
 * codes are approximate keys of the same metric. Rows of 8-bit integers and of
 * bits are their own codes.
 */
void vexfs_code_encode(const struct vexfs_space *sp, const void *row,
		       void *code);
void vexfs_dist_codes(const struct vexfs_space *sp,
		      const struct vexfs_query *q, const void *const *codes,
		      unsigned int n, u32 *keys);
/*
 * Of vectors whose codes have keys above the limit, hardly one is as near as
 * what has a code with @key (four standard deviations of what rounding does).
 */
u32 vexfs_code_limit(const struct vexfs_space *sp, const struct vexfs_query *q,
		     u32 key);
/* The query becomes what @code stands for: for distances among codes. */
void vexfs_query_from_code(const struct vexfs_space *sp, const void *code,
			   struct vexfs_query *q);

/*
 * Of @n codes, candidates with the nearest first, picks up to @want each of
 * which is nearer to where keys[] are counted from than to any picked before.
 * Returns how many were: their numbers are the first of order[], which has room
 * for @n. @q is memory for a query; @codes and @keys are not what they were
 * afterwards.
 */
u32 vexfs_pick_codes(const struct vexfs_space *sp, struct vexfs_query *q,
		     const void **codes, u32 *keys, u32 n, u32 want,
		     u32 *order);

/*
 * Short codes: 4 bits an element, made from codes when sp->nib_bytes isn't 0.
 * A query is compared with them once vexfs_query_nib_prepare() was called
 * for what it is now.
 */
void vexfs_nib_encode(const struct vexfs_space *sp, const void *code,
		      void *nib);
void vexfs_query_nib_prepare(const struct vexfs_space *sp,
			     struct vexfs_query *q);
void vexfs_dist_nibs(const struct vexfs_space *sp, const struct vexfs_query *q,
		     const void *const *nibs, unsigned int n, u32 *keys);

#endif /* _VEXFS_SIMD_H */

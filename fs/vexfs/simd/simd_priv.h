/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the files of fs/vexfs/simd/ share: the layout of queries and codes,
 * the functions that exist once per instruction set, and what they need from
 * the environment (vecenv.c). Floating-point values are kept as their bits.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#ifndef _VEXFS_SIMD_PRIV_H
#define _VEXFS_SIMD_PRIV_H

#include "simd.h"

/* Vector data read within one FPU section, at most (or one row). */
#define VEXFS_SECTION_BYTES	65536u

/*
 * Exact distances of floating-point rows are summed in double precision, in
 * this many lanes on every instruction set: so each gives the same bits.
 */
#define VEXFS_LANES		16u

/*
 * A code is a byte an element, its value plus 128, then padding, and the
 * factors in the last bytes. value = round(element / scale), scale being the
 * largest magnitude / 127. From the sum of products of two codes comes the key:
 *
 *	key = (query.offset + code.offset) + query.gain * code.gain * sum
 *
 *		code.gain	code.offset	query.gain	query.offset
 *	L2	scale		|code|^2	-2 scale	|code|^2
 *	IP	scale		0		-scale		0
 *	cosine	1 / |values|	0		-1 / |values|	1
 *
 * where |code| is the norm of what the code stands for: so distances are those
 * between the decoded vectors, and errors cancel for near ones.
 *
 * Rows of 8-bit integers are their own codes, with a scale of 1; unsigned ones
 * are the bytes as they are. For L1 they have no factors, and floating-point
 * ones have a gain only. Codes of bits are the rows, padded.
 */
struct vexfs_code_factors {
	u32	gain;			/* float */
	u32	offset;			/* float */
	s32	sum;			/* of the values */
};

/*
 * A short code has 4 bits an element, made from the code's 8: in its byte i the
 * low half is element i, the high half element i + (dims + 1) / 2; then
 * padding, and the factors in the last bytes. A half h stands for 2 h - 15, and
 * gain is the code's times what makes those as long along the code as it is:
 *
 *	key = (query.offset + offset) + query.gain * gain *
 *	      (2 * sum - 15 * sum of the query's values)
 */
struct vexfs_nib_factors {
	u32	gain;			/* float */
	u32	offset;			/* float */
};

#define VEXFS_CODE_ALIGN	64u
#define VEXFS_CODE_MAX		127

struct vexfs_query {
	/** @norm2: the square of the row's norm, double */
	u64	norm2;
	u32	norm;			/* float */
	u32	norm2_float;
	/** @slack: by how much of the norms a fast sum may be wrong, float */
	u32	slack;
	/** @wild: norms are too large or small for single precision */
	s32	wild;
	u32	gain;			/* float */
	u32	offset;			/* float */
	/** @bias: what 128 in each byte of a code adds to the sum */
	s32	bias;
	/** @nib_bias: 15 times the sum of its values */
	s32	nib_bias;
	u32	reserved[6];
	/*
	 * Follow: the row, padded with zeroes: floats to VEXFS_LANES, integers
	 * as s16 and bits to 64 bytes; the values of its code, s8; the same as
	 * s16. Only the one of the last two that the instruction set in use
	 * wants is there. For L1 there are, in their place, floats or the code
	 * itself, and there is none for bits. Then floats as doubles. Last the
	 * values as the short codes have them, s8, each half in nib_bytes.
	 */
	u8	data[] __aligned(64);
};

static inline bool vexfs_elem_is_int(u8 elem)
{
	return elem == VEXFS_ELEM_I8 || elem == VEXFS_ELEM_U8;
}

static inline u32 vexfs_query_row_bytes(const struct vexfs_space *sp)
{
	if (sp->elem == VEXFS_ELEM_B1)
		return sp->code_bytes;
	if (vexfs_elem_is_int(sp->elem))
		return ALIGN(sp->dims, 64) * 2;
	return ALIGN(sp->dims, VEXFS_LANES) * 4;
}

static inline void *vexfs_query_s8(const struct vexfs_space *sp,
				   const struct vexfs_query *q)
{
	return (void *)q->data + vexfs_query_row_bytes(sp);
}

static inline void *vexfs_query_s16(const struct vexfs_space *sp,
				    const struct vexfs_query *q)
{
	return vexfs_query_s8(sp, q) + sp->code_bytes;
}

/* Doubles, for exact distances of floating-point elements. */
static inline void *vexfs_query_wide(const struct vexfs_space *sp,
				     const struct vexfs_query *q)
{
	return vexfs_query_s8(sp, q) + 5 * sp->code_bytes;
}

static inline u32 vexfs_query_wide_bytes(const struct vexfs_space *sp)
{
	return sp->exact ? 0 : ALIGN(sp->dims, VEXFS_LANES) * 8;
}

static inline void *vexfs_query_nib(const struct vexfs_space *sp,
				    const struct vexfs_query *q)
{
	return (void *)q + sp->query_bytes - 2 * sp->nib_bytes;
}

static inline struct vexfs_nib_factors *
vexfs_nib_factors(const struct vexfs_space *sp, const void *nib)
{
	return (void *)nib + sp->nib_bytes - sizeof(struct vexfs_nib_factors);
}

static inline struct vexfs_code_factors *
vexfs_code_factors(const struct vexfs_space *sp, const void *code)
{
	return (void *)code + sp->code_bytes -
	       sizeof(struct vexfs_code_factors);
}

/* Whole groups of rows that are compared at once, on each instruction set. */
#define VEXFS_TILE_GROUP	12u

/*
 * A panel of queries, side by side: element k of query i is packed[k * lanes +
 * i]. All arrays are of floats but @wild, which has all bits set where a limit
 * can't be computed.
 */
struct vexfs_tile {
	u32	lanes;
	u32	reserved[15];
	u32	norm[VEXFS_TILE_LANES];
	u32	norm2[VEXFS_TILE_LANES];
	u32	wild[VEXFS_TILE_LANES];
	/** @sums: products of a block of rows and the queries */
	u32	sums[VEXFS_TILE_ROWS * VEXFS_TILE_LANES];
	u32	packed[] __aligned(64);
};

/* A block of rows, see tile_tmpl.h; all but @row are floats. */
struct vexfs_tile_block {
	u32	n;
	/** @depth: elements of a row that are looked at */
	u32	depth;
	const void *row[VEXFS_TILE_ROWS];
	u32	factor[VEXFS_TILE_ROWS];
	u32	offset[VEXFS_TILE_ROWS];
	u32	slope[VEXFS_TILE_ROWS];
	/** @wide: room for rows whose elements are not floats */
	u32	wide[] __aligned(64);
};

/* How far ahead, in bytes, or 0. Written by vexfs_simd_init() only. */
extern u32 vexfs_stream_ahead;

/*
 * Once per instruction set; between vexfs_fpu_begin() and _end(). _query()
 * leaves the code of the row, as stored, where the query's values go. Row i is
 * at rows[i] or, @rows being NULL, at base + i * stride.
 */
#define VEXFS_MANY_ROWS(name, isa)					\
void vexfs_##name##_##isa(const struct vexfs_space *sp,			\
			  const struct vexfs_query *q,			\
			  const void *const *rows, const void *base,	\
			  unsigned int n, u32 *keys)

#define VEXFS_DIST_ROWS(isa)						\
VEXFS_MANY_ROWS(rows, isa);						\
VEXFS_MANY_ROWS(ints, isa);						\
void vexfs_lower_##isa(const struct vexfs_space *sp,			\
		       const struct vexfs_query *q,			\
		       const void *const *rows, unsigned int n, u32 *keys); \
void vexfs_exact_##isa(const struct vexfs_space *sp,			\
		       const struct vexfs_query *q,			\
		       const void *const *rows, unsigned int n, u32 *keys); \
void vexfs_query_##isa(const struct vexfs_space *sp, const void *row,	\
		       struct vexfs_query *q);				\
void vexfs_widen_##isa(const struct vexfs_space *sp, const void *row,	\
		       void *to);					\
void vexfs_encode_##isa(const struct vexfs_space *sp, const void *row,	\
			void *code);					\
void vexfs_codes_l1_##isa(const struct vexfs_space *sp,			\
			  const struct vexfs_query *q,			\
			  const void *const *codes, unsigned int n,	\
			  u32 *keys);					\
void vexfs_from_code_l1_##isa(const struct vexfs_space *sp,		\
			      const void *code, struct vexfs_query *q)

#define VEXFS_DIST_TILES(isa)						\
void vexfs_tile_pack_##isa(struct vexfs_tile *t, u32 lane,		\
			   const struct vexfs_query *q, u32 depth);	\
void vexfs_tile_rows_##isa(const struct vexfs_space *sp,		\
			   struct vexfs_tile_block *b,			\
			   const void *const *rows, u32 from, u32 to);	\
void vexfs_tile_sums_##isa(struct vexfs_tile *t,			\
			   const struct vexfs_tile_block *b, u32 from,	\
			   u32 to, const void *const *next,		\
			   u32 next_size);				\
u32 vexfs_tile_filter_##isa(const struct vexfs_space *sp,		\
			    const struct vexfs_tile *t,			\
			    const struct vexfs_tile_block *b,		\
			    const u32 *keys, u16 *out)

#define VEXFS_DIST_CODES(isa)						\
void vexfs_codes_##isa(const struct vexfs_space *sp,			\
		       const struct vexfs_query *q,			\
		       const void *const *codes, unsigned int n,	\
		       u32 *keys);					\
void vexfs_from_code_##isa(const struct vexfs_space *sp,		\
			   const void *code, struct vexfs_query *q);	\
void vexfs_nibs_##isa(const struct vexfs_space *sp,			\
		      const struct vexfs_query *q,			\
		      const void *const *nibs, unsigned int n,		\
		      u32 *keys);					\
void vexfs_query_nib_##isa(const struct vexfs_space *sp,		\
			   struct vexfs_query *q)

#define VEXFS_ENCODE_NIB(isa)						\
void vexfs_encode_nib_##isa(const struct vexfs_space *sp,		\
			    const void *code, void *nib)

VEXFS_DIST_ROWS(sse2);
VEXFS_DIST_ROWS(avx2);
VEXFS_DIST_ROWS(avx512);
VEXFS_DIST_TILES(sse2);
VEXFS_DIST_TILES(avx2);
VEXFS_DIST_TILES(avx512);
VEXFS_MANY_ROWS(bits, sse2);
VEXFS_MANY_ROWS(bits, avx2);
VEXFS_MANY_ROWS(bits, avx512popcnt);
VEXFS_DIST_CODES(sse2);
VEXFS_DIST_CODES(avx2);
VEXFS_DIST_CODES(avx512);
VEXFS_DIST_CODES(avx512vnni);
VEXFS_ENCODE_NIB(sse2);
VEXFS_ENCODE_NIB(avx2);
VEXFS_ENCODE_NIB(avx512);

/* Baseline: by how much a key may be wrong. */
u32 vexfs_code_limit_sse2(const struct vexfs_space *sp,
			  const struct vexfs_query *q, u32 key);

/*
 * The environment. A section doesn't nest and nothing in it sleeps or faults;
 * _end() adds to the counters of this CPU, for level number @level.
 */
#define VEXFS_CPU_VNNI		8u
#define VEXFS_CPU_POPCNT	16u
/* Streams are faster if what is far ahead is asked for. */
#define VEXFS_CPU_AHEAD		32u
#define VEXFS_CPU_EXTRA		\
	(VEXFS_CPU_VNNI | VEXFS_CPU_POPCNT | VEXFS_CPU_AHEAD)
#define VEXFS_SIMD_LEVELS	3

/* VEXFS_SIMD_* and VEXFS_CPU_*, as far as the system can save them. */
u32 vexfs_cpu_caps(void);
void vexfs_fpu_begin(void);
void vexfs_fpu_end(unsigned int level, unsigned int rows, unsigned int codes,
		   unsigned int encoded);
void vexfs_fpu_counts(unsigned int level, struct vexfs_simd_counts *out);

#endif /* _VEXFS_SIMD_PRIV_H */

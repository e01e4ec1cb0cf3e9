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
 * Exact distances are summed in double precision, in this many lanes on every
 * instruction set: so each gives the same bits.
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
 */
struct vexfs_code_factors {
	u32	gain;			/* float */
	u32	offset;			/* float */
	s32	sum;			/* of the values */
};

#define VEXFS_CODE_ALIGN	64u
#define VEXFS_CODE_MAX		127

struct vexfs_query {
	/** @norm2: of the row, double */
	u64	norm2;
	u32	gain;			/* float */
	u32	offset;			/* float */
	/** @bias: what 128 in each byte of a code adds to the sum */
	s32	bias;
	u32	reserved[11];
	/*
	 * Follow: the row in double precision, padded to VEXFS_LANES; the
	 * values of its code, s8; the same as s16. Only the one of the last
	 * two that the instruction set in use wants is there.
	 */
	u8	data[] __aligned(64);
};

static inline u32 vexfs_query_row_bytes(const struct vexfs_space *sp)
{
	return ALIGN(sp->dims, VEXFS_LANES) * 8;
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

static inline struct vexfs_code_factors *
vexfs_code_factors(const struct vexfs_space *sp, const void *code)
{
	return (void *)code + sp->code_bytes -
	       sizeof(struct vexfs_code_factors);
}

/*
 * Once per instruction set; between vexfs_fpu_begin() and _end(). _query()
 * leaves the code of the row, as stored, where the query's values go.
 */
#define VEXFS_DIST_ROWS(isa)						\
void vexfs_rows_##isa(const struct vexfs_space *sp,			\
		      const struct vexfs_query *q,			\
		      const void *const *rows, unsigned int n, u32 *keys); \
void vexfs_run_##isa(const struct vexfs_space *sp,			\
		     const struct vexfs_query *q, const void *base,	\
		     unsigned int n, u32 *keys);			\
void vexfs_query_##isa(const struct vexfs_space *sp, const void *row,	\
		       struct vexfs_query *q);				\
void vexfs_encode_##isa(const struct vexfs_space *sp, const void *row,	\
			void *code)

#define VEXFS_DIST_CODES(isa)						\
void vexfs_codes_##isa(const struct vexfs_space *sp,			\
		       const struct vexfs_query *q,			\
		       const void *const *codes, unsigned int n,	\
		       u32 *keys);					\
void vexfs_from_code_##isa(const struct vexfs_space *sp,		\
			   const void *code, struct vexfs_query *q)

VEXFS_DIST_ROWS(sse2);
VEXFS_DIST_ROWS(avx2);
VEXFS_DIST_ROWS(avx512);
VEXFS_DIST_CODES(sse2);
VEXFS_DIST_CODES(avx2);
VEXFS_DIST_CODES(avx512);
VEXFS_DIST_CODES(avx512vnni);

/*
 * The environment. A section doesn't nest and nothing in it sleeps or faults;
 * _end() adds to the counters of this CPU, for level number @level.
 */
#define VEXFS_CPU_VNNI		8u
#define VEXFS_SIMD_LEVELS	3

/* VEXFS_SIMD_* and VEXFS_CPU_VNNI, as far as the system can save them. */
u32 vexfs_cpu_caps(void);
void vexfs_fpu_begin(void);
void vexfs_fpu_end(unsigned int level, unsigned int rows, unsigned int codes,
		   unsigned int encoded);
void vexfs_fpu_counts(unsigned int level, struct vexfs_simd_counts *out);

#endif /* _VEXFS_SIMD_PRIV_H */

/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Calls of the functions that exist once per instruction set.
 *
 * They are direct: an indirect one costs more than a few distances where
 * branch targets aren't predicted. The flavours of AVX-512 differ in codes and
 * bits only.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#ifndef _VEXFS_SIMD_CALL_H
#define _VEXFS_SIMD_CALL_H

#include "simd_priv.h"

enum vexfs_simd_isa {
	ISA_SSE2,
	ISA_AVX2,
	ISA_AVX512,
	ISA_AVX512VNNI,
};

/* Written by vexfs_simd_init() only, before anything is computed. */
extern enum vexfs_simd_isa vexfs_simd_isa;

/*
 * Is there AVX-512 VPOPCNTDQ, and may it be used? Processors that have it have
 * VNNI; without that, it isn't used, so that each flavour can be tested.
 */
bool vexfs_simd_counts_bits(void);

#define CALL_ROWS_VALUE(fn, ...)					\
	(vexfs_simd_isa >= ISA_AVX512 ? fn##_avx512(__VA_ARGS__) :	\
	 vexfs_simd_isa == ISA_AVX2 ? fn##_avx2(__VA_ARGS__) :		\
				      fn##_sse2(__VA_ARGS__))

#define CALL_ROWS(fn, ...) do {						\
	if (vexfs_simd_isa >= ISA_AVX512)				\
		fn##_avx512(__VA_ARGS__);				\
	else if (vexfs_simd_isa == ISA_AVX2)				\
		fn##_avx2(__VA_ARGS__);					\
	else								\
		fn##_sse2(__VA_ARGS__);					\
} while (0)

#define CALL_CODES(fn, ...) do {					\
	if (vexfs_simd_isa == ISA_AVX512VNNI)				\
		fn##_avx512vnni(__VA_ARGS__);				\
	else								\
		CALL_ROWS(fn, __VA_ARGS__);				\
} while (0)

/* Ends a section, counting what was computed in it. */
void vexfs_simd_end(unsigned int rows, unsigned int codes,
		    unsigned int encoded);

/*
 * Of vectors of @bytes each, how many a section may read: full groups, as
 * kernels compare some at a time.
 */
static inline unsigned int vexfs_section_items(u32 bytes, unsigned int n)
{
	unsigned int most = VEXFS_SECTION_BYTES / bytes;

	return min(n, most > 8 ? round_down(most, 8) : max(most, 1u));
}

#endif /* _VEXFS_SIMD_CALL_H */

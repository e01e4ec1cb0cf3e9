// SPDX-License-Identifier: GPL-2.0
/*
 * Distances with AVX2, FMA and F16C.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#define ISA	avx2
#define VB	32
#define BITS	32
#define TILE_ROWS	6u

#define FMA(a, b, c)	__builtin_ia32_vfmaddps256(a, b, c)
#define MASK(v)		((u32)__builtin_ia32_movmskps256((vf)(v)))
#define DOT_S16(a, b)	__builtin_ia32_pmaddwd256(a, b)
#define SAD(a, b)	__builtin_ia32_psadbw256(a, b)
#define COUNT(v)	count_ones(v)
#define F16_TO_F32(p)	__builtin_ia32_vcvtph2ps256(*(const half8_t *)(p))

#ifndef __CHECKER__
typedef short half8_t __attribute__((vector_size(16), may_alias, aligned(1)));
#endif

#include "rows_tmpl.h"
#include "ints_tmpl.h"
#include "encode_tmpl.h"
#include "tile_tmpl.h"
#include "codes_tmpl.h"
#include "codes_l1_tmpl.h"

#ifndef __CHECKER__

typedef u64 ones_t __attribute__((vector_size(32)));
typedef char ones_bytes_t __attribute__((vector_size(32)));

/* Half bytes are looked up. */
static __always_inline ones_t count_ones(ones_t v)
{
	const ones_bytes_t ones = {
		0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4,
		0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4,
	};
	const u64 low = 0x0f0f0f0f0f0f0f0full;
	ones_bytes_t sum;

	sum = __builtin_ia32_pshufb256(ones, (ones_bytes_t)(v & low)) +
	      __builtin_ia32_pshufb256(ones, (ones_bytes_t)((v >> 4) & low));
	return (ones_t)__builtin_ia32_psadbw256(sum, (ones_bytes_t){});
}

#endif /* __CHECKER__ */

#include "bits_tmpl.h"

#ifndef __CHECKER__
typedef char nib_bytes_t __attribute__((vector_size(VB), may_alias));
#endif

#define NIB_PAIRS(a, b) \
	__builtin_ia32_pmaddubsw256((nib_bytes_t)(a), (nib_bytes_t)(b))
#define NIB_DOT(acc, a, b) \
	((acc) + (ci)DOT_S16((cs)NIB_PAIRS(a, b), (cs){} + 1))

#include "nib_tmpl.h"
#include "coarse_tmpl.h"

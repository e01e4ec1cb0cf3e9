// SPDX-License-Identifier: GPL-2.0
/*
 * Sign codes with AVX2.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#define ISA		avx2
#define VB		32
#define MASK(v)		__builtin_ia32_movmskps256((vf)(v))
#define SAD(a, b)	__builtin_ia32_psadbw256((pick_t)(a), (pick_t)(b))
#define PICK(p, v)	((pick_t)(v) & spread(p))

#include "simd_priv.h"

#ifndef __CHECKER__

typedef char pick_t __attribute__((vector_size(32), may_alias));
typedef int pick_words_t __attribute__((vector_size(32)));
typedef u64 pick_bytes_t __attribute__((vector_size(32)));
typedef int pick_bits_t __attribute__((may_alias, aligned(4)));

/* Each byte comes eight times, and of each of these one bit counts. */
static __always_inline pick_t spread(const void *p)
{
	const pick_t byte = {
		0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1,
		2, 2, 2, 2, 2, 2, 2, 2, 3, 3, 3, 3, 3, 3, 3, 3,
	};
	const u64 bits = 0x8040201008040201ull;
	const pick_bytes_t bit = { bits, bits, bits, bits };
	pick_words_t all = (pick_words_t){} + *(const pick_bits_t *)p;
	pick_t v = __builtin_ia32_pshufb256((pick_t)all, byte);

	return (v & (pick_t)bit) == (pick_t)bit;
}

#endif /* __CHECKER__ */

#include "sign_tmpl.h"

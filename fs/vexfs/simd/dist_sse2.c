// SPDX-License-Identifier: GPL-2.0
/*
 * Distances with SSE2, which every x86-64 CPU has.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#define ISA	sse2
#define VB	16
#define BITS	16
#define TILE_ROWS	6u

#define FMA(a, b, c)	((a) * (b) + (c))
#define MASK(v)		((u32)__builtin_ia32_movmskps((v4f)(v)))
#define DOT_S16(a, b)	__builtin_ia32_pmaddwd128(a, b)
#define SAD(a, b)	__builtin_ia32_psadbw128(a, b)
#define COUNT(v)	count_ones(v)

#include "rows_tmpl.h"
#include "ints_tmpl.h"
#include "encode_tmpl.h"
#include "tile_tmpl.h"
#include "codes_tmpl.h"
#include "codes_l1_tmpl.h"

#ifndef __CHECKER__

typedef u64 ones_t __attribute__((vector_size(16)));
typedef char ones_bytes_t __attribute__((vector_size(16)));

static __always_inline ones_t count_ones(ones_t v)
{
	const u64 twos = 0x3333333333333333ull;

	v -= (v >> 1) & 0x5555555555555555ull;
	v = (v & twos) + ((v >> 2) & twos);
	v = (v + (v >> 4)) & 0x0f0f0f0f0f0f0f0full;
	return (ones_t)__builtin_ia32_psadbw128((ones_bytes_t)v,
						(ones_bytes_t){});
}

#endif /* __CHECKER__ */

#include "bits_tmpl.h"

/* Without products of bytes: those of the even ones and of the odd ones. */
#define NIB_DOT(acc, a, b)						\
	((acc) + (ci)DOT_S16((cs)(a) & 0xff, (cs)(b) << 8 >> 8) +	\
	 (ci)DOT_S16((cs)(a) >> 8, (cs)(b) >> 8))

#include "nib_tmpl.h"
#include "coarse_tmpl.h"

#ifndef __CHECKER__

/*
 * Rounding to steps of s adds an error to each element of both vectors, of
 * variance s^2 / 12. Of the square of the distance d this makes, along the
 * difference, an error with standard deviation 2 d s / sqrt(6), and its square
 * adds dims s^2 / 6, which differs as much as the steps do. The query's step
 * stands for all.
 */
u32 vexfs_code_limit_sse2(const struct vexfs_space *sp,
			  const struct vexfs_query *q, u32 key)
{
	const bool cosine = sp->metric == VEXFS_METRIC_COSINE;
	double near = bits_float(vexfs_key_to_bits(key)), square, step, more;

	/* For the cosine of vectors of length one, and half the square */
	step = -bits_float(q->gain) * (cosine ? 1.0 : 0.5);
	square = cosine ? 2 * near : near;
	more = 4 * 0.8165 * step * square_root(square) +
	       step * step * sp->dims / 12;
	return key_of(near + (cosine ? more / 2 : more));
}

#endif /* __CHECKER__ */

// SPDX-License-Identifier: GPL-2.0
/*
 * Distances with AVX-512 (F, BW, VL, DQ).
 *
 * Copyright (C) 2026 The VexFS authors
 */
#define ISA	avx512
#define VB	64
#define TILE_ROWS	12u

#define MASK(v)		((u32)__builtin_ia32_cvtd2mask512(v))
#define SAD(a, b)	__builtin_ia32_psadbw512(a, b)

#ifdef __clang__
#define FMA(a, b, c)	__builtin_ia32_vfmaddps512(a, b, c, 4)
#define DOT_S16(a, b)	__builtin_ia32_pmaddwd512(a, b)
#else
#define FMA(a, b, c)	__builtin_ia32_vfmaddps512_mask(a, b, c, (u16)-1, 4)
#define DOT_S16(a, b) \
	__builtin_ia32_pmaddwd512_mask(a, b, (vi) {}, (u16)-1)
/* GCC 12 makes two halves of this, and puts them together. */
#define WIDEN(x)	__builtin_ia32_cvtps2pd512_mask(x, (vd) {}, (u8)-1, 4)
#endif

#define F16_TO_F32(p) \
	__builtin_ia32_vcvtph2ps512_mask(*(const half16_t *)(p), (vf) {}, \
					 (u16)-1, 4)

#ifndef __CHECKER__
typedef short half16_t __attribute__((vector_size(32), may_alias, aligned(1)));
#endif

#include "rows_tmpl.h"
#include "ints_tmpl.h"
#include "encode_tmpl.h"
#include "tile_tmpl.h"
#include "codes_tmpl.h"
#include "codes_l1_tmpl.h"

#ifndef __CHECKER__
typedef char nib_bytes_t __attribute__((vector_size(VB), may_alias));
#endif

#ifdef __clang__
#define NIB_PAIRS(a, b) \
	__builtin_ia32_pmaddubsw512((nib_bytes_t)(a), (nib_bytes_t)(b))
#else
#define NIB_PAIRS(a, b)							\
	__builtin_ia32_pmaddubsw512_mask((nib_bytes_t)(a),		\
					 (nib_bytes_t)(b), (cs) {}, (u32)-1)
#endif
#define NIB_DOT(acc, a, b) \
	((acc) + (ci)DOT_S16((cs)NIB_PAIRS(a, b), (cs){} + 1))

#include "nib_tmpl.h"
#include "coarse_tmpl.h"

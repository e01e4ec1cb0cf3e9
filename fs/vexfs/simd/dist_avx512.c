// SPDX-License-Identifier: GPL-2.0
/*
 * Distances with AVX-512 (F, BW, VL, DQ).
 *
 * Copyright (C) 2026 The VexFS authors
 */
#define ISA	avx512
#define VB	64

#ifndef __clang__
/* GCC 12 makes two halves of this, and puts them together. */
#define WIDEN(x)	__builtin_ia32_cvtps2pd512_mask(x, (vd) {}, (u8)-1, 4)
#endif

#include "rows_tmpl.h"

#ifdef __clang__
#define DOT_S16(a, b)	__builtin_ia32_pmaddwd512(a, b)
#else
#define DOT_S16(a, b) \
	__builtin_ia32_pmaddwd512_mask(a, b, (ci) {}, (u16)-1)
#endif

#include "codes_tmpl.h"

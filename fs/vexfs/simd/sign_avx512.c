// SPDX-License-Identifier: GPL-2.0
/*
 * Sign codes with AVX-512: a mask is made of the bits themselves.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#define ISA		avx512
#define VB		64
#define MASK(v)		__builtin_ia32_cvtd2mask512(v)
#define SAD(a, b)	__builtin_ia32_psadbw512((pick_t)(a), (pick_t)(b))
#define BITS(p)		(*(const pick_bits_t *)(p))

#ifdef __clang__
#define PICK(p, v)	__builtin_ia32_selectb_512(BITS(p), (pick_t)(v), (pick_t){})
#else
#define PICK(p, v) \
	__builtin_ia32_movdquqi512_mask((pick_t)(v), (pick_t){}, BITS(p))
#endif

#include "simd_priv.h"

#ifndef __CHECKER__
typedef char pick_t __attribute__((vector_size(64), may_alias));
typedef u64 pick_bits_t __attribute__((may_alias, aligned(8)));
#endif

#include "sign_tmpl.h"

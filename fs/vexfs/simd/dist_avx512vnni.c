// SPDX-License-Identifier: GPL-2.0
/*
 * Distances to codes with AVX-512 VNNI, which multiplies bytes; those to rows
 * are the ones of dist_avx512.c.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#define ISA	avx512vnni
#define VB	64

#ifdef __clang__
#define DOT_U8S8(acc, a, b)	__builtin_ia32_vpdpbusd512(acc, a, b)
#else
#define DOT_U8S8(acc, a, b)	__builtin_ia32_vpdpbusd_v16si(acc, a, b)
#endif

#include "codes_tmpl.h"

#define NIB_DOT(acc, a, b)	DOT_U8S8(acc, a, b)

#include "nib_tmpl.h"
#include "coarse_tmpl.h"

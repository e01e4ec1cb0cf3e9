// SPDX-License-Identifier: GPL-2.0
/*
 * Hamming distances with AVX-512 VPOPCNTDQ, which counts ones.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#define ISA	avx512popcnt
#define BITS	32
#define COUNT(v)	((bv)__builtin_ia32_vpopcountq_v4di((ones_t)(v)))

#ifndef __CHECKER__
typedef long long ones_t __attribute__((vector_size(32)));
#endif

#include "bits_tmpl.h"

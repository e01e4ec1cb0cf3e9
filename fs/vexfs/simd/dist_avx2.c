// SPDX-License-Identifier: GPL-2.0
/*
 * Distances with AVX2.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#define ISA	avx2
#define VB	32

#include "rows_tmpl.h"

#define DOT_S16(a, b)	__builtin_ia32_pmaddwd256(a, b)

#include "codes_tmpl.h"

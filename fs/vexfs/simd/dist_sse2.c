// SPDX-License-Identifier: GPL-2.0
/*
 * Distances with SSE2, which every x86-64 CPU has.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#define ISA	sse2
#define VB	16

#include "rows_tmpl.h"

#define DOT_S16(a, b)	__builtin_ia32_pmaddwd128(a, b)

#include "codes_tmpl.h"

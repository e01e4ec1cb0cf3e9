// SPDX-License-Identifier: GPL-2.0
/*
 * Random projections with AVX2.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#define ISA		avx2
#define VB		32
#define SIGNS(v)	__builtin_ia32_movmskps256((vf)(v))

#include "project_tmpl.h"

// SPDX-License-Identifier: GPL-2.0
/*
 * Random projections with AVX-512.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#define ISA		avx512
#define VB		64
#define SIGNS(v)	__builtin_ia32_cvtd2mask512(v)

#include "project_tmpl.h"

/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A peer of the benchmark: an index of another library, behind C functions.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#ifndef _BENCH_PEER_H
#define _BENCH_PEER_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* @v: n rows of dims floats; inner product unless @l2. */
void *peer_build(const float *v, size_t n, size_t dims, int l2, size_t m,
		 size_t efc);
/* The k nearest rows of @q, nearest first, to @out. */
void peer_search(void *ptr, const float *q, size_t k, size_t ef,
		 uint32_t *out);
void peer_free(void *ptr);

#ifdef __cplusplus
}
#endif

#endif /* _BENCH_PEER_H */

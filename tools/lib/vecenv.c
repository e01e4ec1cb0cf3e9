// SPDX-License-Identifier: GPL-2.0
/*
 * What the vector core needs from its environment, in userspace: nothing to
 * do for FPU sections, counters, CPU features, memory for arenas.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include <sys/mman.h>

#include "arena.h"
#include "simd_priv.h"

/* Per thread, and summed when the counts are asked for. */
struct thread_counts {
	struct vexfs_simd_counts counts[VEXFS_SIMD_LEVELS];
	bool	inside;
};

static __thread struct thread_counts mine;

/* Sections may not nest: as in the kernel, where that would corrupt. */
void vexfs_fpu_begin(void)
{
	if (__builtin_expect(mine.inside, 0))
		abort();
	mine.inside = true;
}

void vexfs_fpu_end(unsigned int level, unsigned int rows, unsigned int codes,
		   unsigned int encoded)
{
	struct vexfs_simd_counts *c = mine.counts + level;

	mine.inside = false;
	c->sections++;
	c->rows += rows;
	c->codes += codes;
	c->encoded += encoded;
}

/* Of the calling thread. */
void vexfs_fpu_counts(unsigned int level, struct vexfs_simd_counts *out)
{
	*out = mine.counts[level];
}

u32 vexfs_cpu_caps(void)
{
	u32 caps = VEXFS_SIMD_SSE2;

	__builtin_cpu_init();
	if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
	    __builtin_cpu_supports("f16c"))
		caps |= VEXFS_SIMD_AVX2;
	if (__builtin_cpu_supports("avx512f") &&
	    __builtin_cpu_supports("avx512bw") &&
	    __builtin_cpu_supports("avx512vl") &&
	    __builtin_cpu_supports("avx512dq"))
		caps |= VEXFS_SIMD_AVX512;
	if ((caps & VEXFS_SIMD_AVX512) && __builtin_cpu_supports("avx512vnni"))
		caps |= VEXFS_CPU_VNNI;
	if ((caps & VEXFS_SIMD_AVX512) &&
	    __builtin_cpu_supports("avx512vpopcntdq"))
		caps |= VEXFS_CPU_POPCNT;
	if (__builtin_cpu_is("intel"))
		caps |= VEXFS_CPU_AHEAD;
	return caps;
}

/* Small ones through the shim, so that a test can make them fail. */
void *vexfs_chunk_alloc(size_t bytes)
{
	size_t whole = ALIGN(bytes, SZ_2M);
	void *chunk;

	if (bytes < SZ_2M / 2)
		return kshim_alloc(max(bytes, (size_t)64), __GFP_ZERO);
	if (posix_memalign(&chunk, SZ_2M, bytes))
		return NULL;
	madvise(chunk, whole == bytes ? whole : whole - SZ_2M, MADV_HUGEPAGE);
	memset(chunk, 0, bytes);
	return chunk;
}

void vexfs_chunk_free(void *chunk, size_t bytes)
{
	kfree(chunk);
}

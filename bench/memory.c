// SPDX-License-Identifier: GPL-2.0
/*
 * Memory of the benchmark.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "bench.h"

#define HUGE_PAGE	(2ul << 20)

/*
 * From now on the allocator keeps what it has, and it has @bytes: they were
 * touched. On a virtual machine each page that wasn't costs a fault of the host,
 * which can take ten times what the kernel's zeroing takes, and who builds in
 * seconds would be measured by that.
 */
void bench_memory_touch(size_t bytes)
{
	void *p;

	mallopt(M_MMAP_MAX, 0);
	mallopt(M_TRIM_THRESHOLD, -1);
	p = malloc(bytes);
	if (!p) {
		fprintf(stderr, "bench: no %zu MB of memory to begin with\n",
			bytes >> 20);
		return;
	}
	memset(p, 1, bytes);
	/* Else a compiler sees that nobody reads it. */
	__asm__ volatile("" : : "r" (p) : "memory");
	free(p);
}

uint64_t bench_heap(void)
{
	struct mallinfo2 mi = mallinfo2();

	return mi.uordblks + mi.hblkhd;
}

void *bench_must(void *p)
{
	if (!p) {
		fprintf(stderr, "bench: out of memory\n");
		exit(1);
	}
	return p;
}

static size_t huge(size_t bytes)
{
	return (bytes + HUGE_PAGE - 1) & ~(HUGE_PAGE - 1);
}

void *bench_alloc(size_t bytes)
{
	void *p = aligned_alloc(HUGE_PAGE, huge(bytes));

	bench_must(p);
	madvise(p, huge(bytes), MADV_HUGEPAGE);
	memset(p, 0, huge(bytes));
	return p;
}

void bench_free(void *p, size_t bytes)
{
	(void)bytes;
	free(p);
}

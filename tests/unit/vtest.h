/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the tests of the vector core share: results as TAP, random numbers,
 * vectors, memory with a guard page behind it.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#ifndef _VEXFS_VTEST_H
#define _VEXFS_VTEST_H

#include <math.h>
#include <sys/mman.h>
#include <time.h>

#include "random.h"

static int vt_tests, vt_failed, vt_errors;

/* A check within the test that runs now; says why it failed, a few times. */
#define CHECK(cond, ...) do {						\
	if (!(cond) && vt_errors++ < 5) {				\
		printf("# %s:%d: %s: ", __FILE__, __LINE__, #cond);	\
		printf(__VA_ARGS__);					\
		printf("\n");						\
	}								\
} while (0)

/* Ends a test. */
static inline void vt_done(const char *name, const char *detail)
{
	vt_tests++;
	if (vt_errors)
		vt_failed++;
	printf("%s %d %s%s%s\n", vt_errors ? "not ok" : "ok", vt_tests, name,
	       detail && *detail ? " " : "", detail ? detail : "");
	fflush(stdout);
	vt_errors = 0;
}

static inline int vt_exit(void)
{
	printf("1..%d\n", vt_tests);
	return vt_failed ? 1 : 0;
}

static inline double vt_seconds(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static inline u64 vt_random(u64 *state)
{
	return vexfs_splitmix(state);
}

/* In [-1, 1). */
static inline float vt_uniform(u64 *state)
{
	return (float)((double)(s64)vt_random(state) / 0x1p63);
}

/* @bytes that end where an unreadable page begins. */
static inline void *vt_guarded(size_t bytes)
{
	size_t whole = ALIGN(bytes, (size_t)PAGE_SIZE);
	char *p = mmap(NULL, whole + PAGE_SIZE, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED || mprotect(p + whole, PAGE_SIZE, PROT_NONE))
		abort();
	return p + whole - bytes;
}

static inline void vt_unguard(void *p, size_t bytes)
{
	size_t whole = ALIGN(bytes, (size_t)PAGE_SIZE);

	munmap((char *)p + bytes - whole, whole + PAGE_SIZE);
}

static inline float vt_bits_to_float(u32 bits)
{
	float f;

	memcpy(&f, &bits, sizeof(f));
	return f;
}

/* The key of a distance, see simd.h. */
static inline u32 vt_key(float f)
{
	u32 bits;

	memcpy(&bits, &f, sizeof(bits));
	return bits & 0x80000000u ? ~bits : bits | 0x80000000u;
}

#endif /* _VEXFS_VTEST_H */

// SPDX-License-Identifier: GPL-2.0
/*
 * Time, memory and medians.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include <malloc.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "bench.h"

#define HUGE_PAGE	(2ul << 20)

static double seconds(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

double bench_now(void)
{
	return seconds(CLOCK_MONOTONIC);
}

double bench_cpu(void)
{
	return seconds(CLOCK_THREAD_CPUTIME_ID);
}

double bench_cpu_all(void)
{
	return seconds(CLOCK_PROCESS_CPUTIME_ID);
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

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

double bench_median(double *v, size_t n)
{
	qsort(v, n, sizeof(*v), compare);
	return n % 2 ? v[n / 2] : (v[n / 2 - 1] + v[n / 2]) / 2;
}

double bench_spread(double *v, size_t n)
{
	double m = bench_median(v, n);

	return m > 0 ? (v[n - 1] - v[0]) / m : 0;
}

void bench_say(const char *fmt, ...)
{
	static double start;
	va_list ap;
	double t;

	if (!start)
		start = bench_now();
	t = bench_now() - start;
	fprintf(stderr, "[%3d:%02d] ", (int)t / 60, (int)t % 60);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
}

// SPDX-License-Identifier: GPL-2.0
/*
 * Time and medians.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "bench.h"

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

// SPDX-License-Identifier: GPL-2.0
/*
 * Prints the host's TSC frequency in kHz, measured over 100 ms: an emulated
 * guest reads the host's counter, and calibrates it wrongly on a busy host.
 */
#include <stdint.h>
#include <stdio.h>
#include <time.h>
#include <x86intrin.h>

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC_RAW, &ts);
	return ts.tv_sec * 1000000000ull + ts.tv_nsec;
}

int main(void)
{
	uint64_t ns = now_ns(), tsc = __rdtsc();

	while (now_ns() - ns < 100000000)
		;
	tsc = __rdtsc() - tsc;
	ns = now_ns() - ns;
	printf("%.0f\n", tsc * 1e6 / ns);
	return 0;
}

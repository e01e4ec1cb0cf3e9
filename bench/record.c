// SPDX-License-Identifier: GPL-2.0
/*
 * What was measured, as a list of JSON objects.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "bench.h"

static struct bench_record *records;
static size_t count;

void bench_record(const struct bench_record *r)
{
	records = bench_must(realloc(records, (count + 1) * sizeof(*r)));
	records[count] = *r;
	if (r->note)
		records[count].note = bench_must(strdup(r->note));
	count++;
	if (bench_write())
		exit(1);
}

/* The value of a line "name : value" of /proc/cpuinfo. */
static void cpuinfo(const char *name, char *out, size_t size)
{
	char line[8192], *colon;
	FILE *f = fopen("/proc/cpuinfo", "r");

	out[0] = '\0';
	while (f && fgets(line, sizeof(line), f)) {
		colon = strchr(line, ':');
		if (strncmp(line, name, strlen(name)) || !colon)
			continue;
		snprintf(out, size, "%s", colon + 2);
		out[strcspn(out, "\n\"\\")] = '\0';
		break;
	}
	if (f)
		fclose(f);
}

/* Of the flags, those that vectors are about. */
static void put_flags(FILE *f)
{
	static const char * const known[] = {
		"sse2", "ssse3", "sse4_1", "sse4_2", "popcnt", "avx", "f16c",
		"fma", "avx2", "avx512f", "avx512bw", "avx512vl", "avx512dq",
		"avx512_vnni", "avx512_bf16", "avx512_vpopcntdq", "avx_vnni",
	};
	char flags[8192], want[40];
	size_t i;
	int n = 0;

	flags[0] = ' ';
	cpuinfo("flags", flags + 1, sizeof(flags) - 2);
	strcat(flags, " ");
	fprintf(f, "\"flags\": \"");
	for (i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		snprintf(want, sizeof(want), " %s ", known[i]);
		if (strstr(flags, want))
			fprintf(f, "%s%s", n++ ? " " : "", known[i]);
	}
	fprintf(f, "\"");
}

static void number(FILE *f, const char *name, double v)
{
	if (v != 0)
		fprintf(f, ", \"%s\": %.9g", name, v);
}

static void put_machine(FILE *f)
{
	char cpu[200], day[40];
	struct utsname u;
	time_t now = time(NULL);

	cpuinfo("model name", cpu, sizeof(cpu));
	uname(&u);
	strftime(day, sizeof(day), "%Y-%m-%d", gmtime(&now));
	fprintf(f, "\t{\"engine\": \"machine\", \"data\": \"\", ");
	fprintf(f, "\"what\": \"machine\", \"cpu\": \"%s\", ", cpu);
	put_flags(f);
	fprintf(f, ", \"cpus\": %ld", sysconf(_SC_NPROCESSORS_ONLN));
	number(f, "l1d_bytes", (double)sysconf(_SC_LEVEL1_DCACHE_SIZE));
	number(f, "l2_bytes", (double)sysconf(_SC_LEVEL2_CACHE_SIZE));
	number(f, "l3_bytes", (double)sysconf(_SC_LEVEL3_CACHE_SIZE));
	number(f, "memory_bytes", (double)sysconf(_SC_PHYS_PAGES) *
	       (double)sysconf(_SC_PAGESIZE));
	number(f, "m", bench_opt.m);
	number(f, "ef_construction", bench_opt.efc);
	number(f, "k", BENCH_K);
	number(f, "rounds", bench_opt.rounds);
	fprintf(f, ", \"kernel\": \"%s %s\"", u.sysname, u.release);
	fprintf(f, ", \"simd\": \"%s\", \"date\": \"%s\"}", bench_opt.simd,
		day);
}

static void put(FILE *f, const struct bench_record *r)
{
	fprintf(f, "\t{\"engine\": \"%s\", \"data\": \"%s\", ", r->engine,
		r->data);
	fprintf(f, "\"what\": \"%s\", \"threads\": %u, \"batch\": %u", r->what,
		r->threads, r->batch);
	number(f, "param", r->param);
	number(f, "recall", r->recall);
	number(f, "qps", r->qps);
	number(f, "qps_cpu", r->qps_cpu);
	number(f, "p50_us", r->p50_us);
	number(f, "p99_us", r->p99_us);
	number(f, "p999_us", r->p999_us);
	number(f, "vectors_per_s", r->vectors_per_s);
	number(f, "bytes_per_vector", r->bytes_per_vector);
	number(f, "gb_per_s", r->gb_per_s);
	number(f, "spread", r->spread);
	number(f, "ratio", r->ratio);
	if (r->note)
		fprintf(f, ", \"note\": \"%s\"", r->note);
	fprintf(f, "}");
}

/* Whole or not at all: an interrupted run leaves what it had measured. */
int bench_write(void)
{
	char tmp[4096];
	size_t i;
	FILE *f;
	int bad;

	snprintf(tmp, sizeof(tmp), "%s.new", bench_opt.json);
	f = fopen(tmp, "w");
	if (!f) {
		perror(tmp);
		return -1;
	}
	fprintf(f, "[\n");
	put_machine(f);
	for (i = 0; i < count; i++) {
		fprintf(f, ",\n");
		put(f, records + i);
	}
	fprintf(f, "\n]\n");
	bad = ferror(f);
	bad |= fclose(f);
	if (bad || rename(tmp, bench_opt.json)) {
		perror(bench_opt.json);
		return -1;
	}
	return 0;
}

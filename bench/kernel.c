// SPDX-License-Identifier: GPL-2.0
/*
 * The module as an engine of the benchmark: a guest of User-Mode Linux runs
 * bench/guest.c, which does what it reads from its serial line. Times are of
 * CPU, all processes of the guest together, so that they mean the same as the
 * native core's.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"

#define LINE	(1u << 16)

static struct guest {
	pid_t	pid;
	FILE	*to, *from;
	char	line[LINE];
} guest;

/* CPU time of a process and of its children, in seconds. */
static double cpu_of(pid_t pid)
{
	char path[300], line[4096], *p, *end;
	double sum = 0;
	struct dirent *e;
	DIR *tasks;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	tasks = opendir(path);
	while (tasks && (e = readdir(tasks))) {
		if (e->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "/proc/%d/task/%s/schedstat",
			 pid, e->d_name);
		f = fopen(path, "r");
		if (f && fgets(line, sizeof(line), f))
			sum += strtod(line, NULL) / 1e9;
		if (f)
			fclose(f);
		snprintf(path, sizeof(path), "/proc/%d/task/%s/children", pid,
			 e->d_name);
		f = fopen(path, "r");
		if (f && fgets(line, sizeof(line), f))
			for (p = line; *p; p = end) {
				long child = strtol(p, &end, 10);

				if (end == p)
					break;
				sum += cpu_of((pid_t)child);
			}
		if (f)
			fclose(f);
	}
	if (tasks)
		closedir(tasks);
	return sum;
}

/* What the guest prints before it is asked, and kernel messages, is skipped. */
static char *answer(void)
{
	while (fgets(guest.line, LINE, guest.from)) {
		char *p = strstr(guest.line, "@@");

		guest.line[strcspn(guest.line, "\r\n")] = '\0';
		if (!p)
			continue;
		if (!strncmp(p, "@@error", 7)) {
			fprintf(stderr, "bench: guest: %s\n", p + 7);
			exit(1);
		}
		return p + 2;
	}
	if (!bench_stop)
		fprintf(stderr, "bench: the guest ended\n");
	return NULL;
}

static char *ask(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

static char *ask(const char *fmt, ...)
{
	va_list ap;
	char *got;

	va_start(ap, fmt);
	vfprintf(guest.to, fmt, ap);
	va_end(ap);
	fputc('\n', guest.to);
	fflush(guest.to);
	got = answer();
	if (!got) {
		bench_write();
		exit(bench_stop ? 130 : 1);
	}
	return got;
}

int bench_kernel_start(void)
{
	int in[2], out[2];

	if (pipe(in) || pipe(out)) {
		perror("pipe");
		return -1;
	}
	bench_say("starting the guest");
	guest.pid = fork();
	if (!guest.pid) {
		/* Ctrl-C is for the program, which then ends the guest. */
		setpgid(0, 0);
		dup2(in[0], 0);
		dup2(out[1], 1);
		close(in[0]);
		close(in[1]);
		close(out[0]);
		close(out[1]);
		execl("/bin/sh", "sh", "-c", bench_opt.kernel, NULL);
		_exit(127);
	}
	close(in[0]);
	close(out[1]);
	signal(SIGPIPE, SIG_IGN);
	guest.to = fdopen(in[1], "w");
	guest.from = fdopen(out[0], "r");
	if (guest.pid < 0 || !guest.to || !guest.from || !answer()) {
		fprintf(stderr, "bench: the guest does not start\n");
		return -1;
	}
	bench_kernel_ioctl();
	return 0;
}

void bench_kernel_stop(void)
{
	if (guest.pid <= 0)
		return;
	fprintf(guest.to, "quit\n");
	fclose(guest.to);
	while (fgets(guest.line, LINE, guest.from))
		;
	kill(-guest.pid, SIGTERM);
	waitpid(guest.pid, NULL, 0);
	guest.pid = 0;
}

void bench_kernel_ioctl(void)
{
	unsigned int n = 20000;
	double cpu, wall;
	struct bench_record rec = {
		.engine = "vexfs-kernel", .data = "", .what = "empty-ioctl",
		.threads = 1, .batch = 1,
	};

	ask("empty 1000");
	cpu = cpu_of(guest.pid);
	wall = strtod(ask("empty %u", n), NULL);
	cpu = cpu_of(guest.pid) - cpu;
	rec.p50_us = wall / n * 1e6;
	rec.qps_cpu = n / cpu;
	bench_say("guest: an empty ioctl takes %.1f us, %.1f us of CPU",
		  rec.p50_us, cpu / n * 1e6);
	bench_record(&rec);
}

static void write_file(const char *path, const void *p, size_t bytes)
{
	FILE *f = fopen(path, "wb");
	int bad = !f || fwrite(p, 1, bytes, f) != bytes;

	if (bad || fclose(f)) {
		perror(path);
		exit(1);
	}
}

/*
 * Rows are handed over through files; the guest's root is the host's. Returns
 * the seconds that inserting them took.
 */
static double fill(const struct bench_data *d, size_t n,
		   const struct bench_build *b)
{
	char rows[4096];
	double insert;

	snprintf(rows, sizeof(rows), "%s/guest-rows", bench_opt.cache);
	write_file(rows, d->rows, n * d->row_bytes);
	ask("create %s %u %u %zu %u %u", d->name, d->elem, d->metric, d->dims,
	    b->m, b->efc);
	insert = strtod(ask("insert %s %zu", rows, n), NULL);
	remove(rows);
	return insert;
}

static void hand_queries(const struct bench_data *d)
{
	char queries[4096];

	snprintf(queries, sizeof(queries), "%s/guest-queries",
		 bench_opt.cache);
	write_file(queries, d->query_rows, d->nq * d->row_bytes);
	ask("queries %s %zu", queries, d->nq);
	remove(queries);
}

static void *kernel_open(const struct bench_data *d,
			 const struct bench_build *b)
{
	double cpu, insert, index, memory, disk;
	struct bench_record rec = {
		.engine = "vexfs-kernel", .data = d->name, .what = "build",
		.threads = 1, .batch = (unsigned int)d->n,
	};

	insert = fill(d, d->n, b);
	cpu = cpu_of(guest.pid);
	index = strtod(ask("wait"), NULL);
	cpu = cpu_of(guest.pid) - cpu;
	hand_queries(d);
	if (sscanf(ask("info"), "%lf %lf", &memory, &disk) != 2)
		return NULL;
	bench_say("%s: vexfs-kernel inserted in %.1f s, indexed in %.1f s (%.1f of CPU)",
		  d->name, insert, index, cpu);
	rec.bytes_per_vector = memory / (double)d->n;
	rec.vectors_per_s = (double)d->n / (insert + index);
	bench_record(&rec);
	rec.what = "append";
	rec.batch = 10000;
	rec.bytes_per_vector = 0;
	rec.vectors_per_s = (double)d->n / insert;
	bench_record(&rec);
	rec.what = "disk";
	rec.vectors_per_s = 0;
	rec.bytes_per_vector = disk / (double)d->n;
	bench_record(&rec);
	return &guest;
}

static void kernel_close(void *index)
{
	if (!bench_stop)
		ask("remove");
}

static uint64_t kernel_memory(void *index)
{
	return 0;
}

static void *kernel_searcher(void *index)
{
	return index;
}

static void kernel_searcher_free(void *searcher)
{
}

static void kernel_search(void *searcher, size_t first, size_t n,
			  unsigned int ef, uint32_t *ids)
{
	char *p = ask("search %u %zu %zu", ef, first, n);
	size_t i;

	for (i = 0; i < n * BENCH_K; i++)
		ids[i] = (uint32_t)strtoul(p, &p, 10);
}

static double kernel_cell(void *searcher, size_t first, size_t n,
			  size_t batch, unsigned int ef, double seconds)
{
	double cpu, runs;

	ask("cell %u %zu %zu %zu 0", ef, batch, first,
	    batch < n ? batch : n);
	cpu = cpu_of(guest.pid);
	runs = strtod(ask("cell %u %zu %zu %zu %g", ef, batch, first, n,
			  seconds), NULL);
	return runs / (cpu_of(guest.pid) - cpu);
}

static int kernel_latency(void *searcher, size_t batch, unsigned int ef,
			  double *us, size_t n)
{
	char *p = ask("latency %u %zu %zu", ef, batch, n);
	size_t i;

	for (i = 0; i < n; i++)
		us[i] = strtod(p, &p);
	return 0;
}

const struct bench_engine bench_kernel = {
	.name = "vexfs-kernel", .open = kernel_open, .close = kernel_close,
	.memory = kernel_memory, .searcher = kernel_searcher,
	.searcher_free = kernel_searcher_free, .search = kernel_search,
	.cell = kernel_cell, .latency = kernel_latency, .params = bench_efs,
};

/*
 * How long preemption is off: FPU sections of building an index, of searching
 * it in batches and of a scan, all in one.
 */
#define FPU_ROWS	20000u

void bench_kernel_fpu(const struct bench_data *d)
{
	const struct bench_build how = { .m = bench_opt.m,
					 .efc = bench_opt.efc };
	size_t n = d->n < FPU_ROWS ? d->n : FPU_ROWS;
	size_t nq = d->nq < 256 ? d->nq : 256;
	struct bench_record rec = {
		.engine = "vexfs-kernel", .data = d->name, .what = "fpu-section",
		.threads = 1, .batch = 32,
	};
	double before, count, max;

	if (!bench_wanted("vexfs-kernel"))
		return;
	before = strtod(ask("fpu Y"), NULL);
	fill(d, n, &how);
	ask("wait");
	hand_queries(d);
	ask("cell 64 32 0 %zu 0.5", nq);
	ask("exact %zu", nq);
	if (sscanf(ask("fpu N"), "%lf %lf %lf %lf %lf", &count, &rec.p50_us,
		   &rec.p99_us, &rec.p999_us, &max) != 5)
		return;
	ask("remove");
	rec.p50_us /= 1000;
	rec.p99_us /= 1000;
	rec.p999_us /= 1000;
	bench_say("%s: %.0f FPU sections, 99 %% up to %.1f us, 99.9 %% %.1f us, all %.1f us",
		  d->name, count - before, rec.p99_us, rec.p999_us, max / 1000);
	bench_record(&rec);
}

/* Inserts and fsyncs by 10,000, through the module. */
void bench_kernel_append(void)
{
	/* By the number of the index in the ABI, from 1 on. */
	static const char * const name[] = {
		"append128-flat", "append128-hnsw", "append128-lsh",
	};
	size_t i;

	for (i = 0; i < sizeof(name) / sizeof(name[0]) && !bench_stop; i++) {
		struct bench_record rec = {
			.engine = "vexfs-kernel", .data = name[i],
			.what = "append", .threads = 1, .batch = 10000,
		};
		double s;

		s = strtod(ask("append %zu %zu", i + 1,
			       bench_opt.append_rows), NULL);
		if (s <= 0)
			continue;
		rec.vectors_per_s = (double)bench_opt.append_rows / s;
		rec.gb_per_s = rec.vectors_per_s * 512 / 1e9;
		bench_say("%s: %.0f vectors/s durable through the module",
			  name[i], rec.vectors_per_s);
		bench_record(&rec);
	}
}

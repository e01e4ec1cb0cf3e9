// SPDX-License-Identifier: GPL-2.0
/*
 * In the guest of the benchmark: does what the lines say that it reads, by
 * ioctls on a collection, and answers each with a line that begins with @@.
 * bench/kernel.c is at the other end.
 *
 *	guest MOUNT-POINT
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "vexfs_client.h"

#define K	10u
#define EACH	10000u
#define DIMS	128u

static struct state {
	const char *mount;
	char	path[4096];
	int	fd;
	size_t	row_bytes;
	char	*queries;
	size_t	nq;
	struct vexfs_hit *hits;
	size_t	room;
} st = { .fd = -1 };

static void fail(const char *what, int err)
{
	printf("@@error %s: %s\n", what, strerror(err < 0 ? -err : err));
	fflush(stdout);
	exit(1);
}

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static void *must(void *p)
{
	if (!p)
		fail("memory", ENOMEM);
	return p;
}

static int try_create(const char *name, struct vexfs_create *c)
{
	int err;

	snprintf(st.path, sizeof(st.path), "%s/%s", st.mount, name);
	st.fd = open(st.path, O_RDWR | O_CREAT | O_EXCL, 0600);
	if (st.fd < 0)
		fail(st.path, errno);
	err = vexfs_create(st.fd, c);
	st.row_bytes = vexfs_vector_bytes(c->type, c->dims);
	return err;
}

static void cmd_remove(const char *args)
{
	close(st.fd);
	st.fd = -1;
	if (unlink(st.path))
		fail(st.path, errno);
	sync();
	printf("@@0\n");
}

static void cmd_create(const char *args)
{
	struct vexfs_create c = { .index = VEXFS_HNSW };
	char name[256];
	unsigned int type, metric;
	int err;

	if (sscanf(args, "%200s %u %u %u %u %u", name, &type, &metric, &c.dims,
		   &c.m, &c.ef_construction) != 6)
		fail("create", EINVAL);
	c.type = (__u8)type;
	c.metric = (__u8)metric;
	err = try_create(name, &c);
	if (err)
		fail("create", err);
	printf("@@0\n");
}

static void insert(const void *rows, unsigned int n)
{
	struct vexfs_insert ins = {
		.vectors = (unsigned long)rows, .count = n,
	};
	int err = vexfs_insert(st.fd, &ins);

	if (err)
		fail("insert", err);
	if (fsync(st.fd))
		fail("fsync", errno);
}

/* Time of inserts and fsyncs, not of reading the file. */
static void cmd_insert(const char *args)
{
	char path[4096], *rows = must(malloc(EACH * st.row_bytes));
	size_t n, i, now_rows;
	double t = 0, t0;
	int f;

	if (sscanf(args, "%4000s %zu", path, &n) != 2)
		fail("insert", EINVAL);
	f = open(path, O_RDONLY);
	if (f < 0)
		fail(path, errno);
	for (i = 0; i < n; i += now_rows) {
		size_t bytes, done;
		ssize_t got;

		now_rows = n - i < EACH ? n - i : EACH;
		bytes = now_rows * st.row_bytes;
		for (done = 0; done < bytes; done += (size_t)got) {
			got = read(f, rows + done, bytes - done);
			if (got <= 0)
				fail(path, got ? errno : ENODATA);
		}
		t0 = now();
		insert(rows, (unsigned int)now_rows);
		t += now() - t0;
	}
	close(f);
	free(rows);
	printf("@@%.6f\n", t);
}

static void cmd_wait(const char *args)
{
	struct vexfs_wait w;
	double t = now();
	int err;

	do {
		memset(&w, 0, sizeof(w));
		w.timeout_ms = 1000;
		err = vexfs_wait(st.fd, &w);
	} while (!err && w.pending);
	if (err)
		fail("wait", err);
	printf("@@%.6f\n", now() - t);
}

static void cmd_info(const char *args)
{
	struct vexfs_info info = { 0 };
	int err;

	if (fsync(st.fd))
		fail("fsync", errno);
	err = vexfs_info(st.fd, &info);
	if (err)
		fail("info", err);
	printf("@@%llu %llu\n", (unsigned long long)info.index_bytes,
	       (unsigned long long)info.disk_bytes);
}

static void cmd_queries(const char *args)
{
	char path[4096];
	size_t done, bytes;
	ssize_t got;
	int f;

	if (sscanf(args, "%4000s %zu", path, &st.nq) != 2)
		fail("queries", EINVAL);
	bytes = st.nq * st.row_bytes;
	free(st.queries);
	st.queries = must(malloc(bytes));
	f = open(path, O_RDONLY);
	for (done = 0; done < bytes; done += (size_t)got) {
		got = read(f, st.queries + done, bytes - done);
		if (got <= 0)
			fail(path, got ? errno : ENODATA);
	}
	close(f);
	printf("@@0\n");
}

static void search(unsigned int ef, size_t first, size_t n, __u32 flags)
{
	struct vexfs_search s = {
		.queries = (unsigned long)(st.queries + first * st.row_bytes),
		.nqueries = (unsigned int)n, .k = K, .ef = ef, .flags = flags,
	};
	int err;

	if (first > st.nq || n > st.nq - first)
		fail("search", ERANGE);
	if (n > st.room) {
		free(st.hits);
		st.hits = must(calloc(n * K, sizeof(*st.hits)));
		st.room = n;
	}
	s.hits = (unsigned long)st.hits;
	err = vexfs_search(st.fd, &s);
	if (err)
		fail("search", err);
}

/* Ids are given from 0 on: they are the numbers of the rows. */
static void cmd_search(const char *args)
{
	unsigned int ef;
	size_t first, n, i;

	if (sscanf(args, "%u %zu %zu", &ef, &first, &n) != 3)
		fail("search", EINVAL);
	search(ef, first, n, 0);
	printf("@@");
	for (i = 0; i < n * K; i++)
		printf(" %u", (unsigned int)st.hits[i].id);
	printf("\n");
}

static void cmd_cell(const char *args)
{
	size_t batch, first, n, i, now_n, runs = 0;
	unsigned int ef;
	double seconds, t0;

	if (sscanf(args, "%u %zu %zu %zu %lf", &ef, &batch, &first, &n,
		   &seconds) != 5 || !batch)
		fail("cell", EINVAL);
	t0 = now();
	do {
		for (i = 0; i < n; i += now_n) {
			now_n = n - i < batch ? n - i : batch;
			search(ef, first + i, now_n, 0);
		}
		runs += n;
	} while (now() - t0 < seconds);
	printf("@@%zu\n", runs);
}

static void cmd_latency(const char *args)
{
	size_t batch, n, i;
	unsigned int ef;
	double *us, t;

	if (sscanf(args, "%u %zu %zu", &ef, &batch, &n) != 3)
		fail("latency", EINVAL);
	us = must(malloc((n + 1) * sizeof(*us)));
	for (i = 0; i < n; i++) {
		t = now();
		search(ef, i * batch, batch, 0);
		us[i] = (now() - t) * 1e6;
	}
	printf("@@");
	for (i = 0; i < n; i++)
		printf(" %.1f", us[i]);
	printf("\n");
	free(us);
}

/* The first queries, all together, by a scan. */
static void cmd_exact(const char *args)
{
	search(0, 0, strtoul(args, NULL, 10), VEXFS_SEARCH_EXACT);
	printf("@@0\n");
}

/* The value of a line of /proc/vexfs/performance. */
static double performance(const char *name)
{
	FILE *f = fopen("/proc/vexfs/performance", "r");
	size_t len = strlen(name);
	double value = -1;
	char line[256];

	while (f && fgets(line, sizeof(line), f))
		if (!strncmp(line, name, len) &&
		    strchr(": \t", line[len]))
			value = strtod(line + len + strspn(line + len,
							   ": \t"), NULL);
	if (f)
		fclose(f);
	return value;
}

/*
 * Y: FPU sections are timed from now on; N: not any more. Prints how many were,
 * and nanoseconds: the median, the 99th and the 99.9th percentile, the longest.
 */
static void cmd_fpu(const char *args)
{
	FILE *f = fopen("/sys/module/vexfs/parameters/fpu_times", "w");

	if (!f || fputc(*args, f) == EOF || fclose(f))
		fail("fpu_times", errno);
	printf("@@%.0f %.0f %.0f %.0f %.0f\n",
	       performance("fpu_section_latency_count"),
	       performance("fpu_section_latency_p50_ns"),
	       performance("fpu_section_latency_p99_ns"),
	       performance("fpu_section_latency_p999_ns"),
	       performance("fpu_section_latency_max_ns"));
}

/* A command that no filesystem has: the way in and out, nothing else. */
static void cmd_empty(const char *args)
{
	unsigned long i, n = strtoul(args, NULL, 10);
	int fd = open(st.mount, O_RDONLY);
	double t = now();

	for (i = 0; i < n; i++)
		ioctl(fd, _IO('V', 255));
	t = now() - t;
	close(fd);
	printf("@@%.6f\n", t);
}

/* KIND ROWS: seconds of inserts and fsyncs; 0: there is no such index. */
static void cmd_append(const char *args)
{
	struct vexfs_create c = {
		.dims = DIMS, .type = VEXFS_TYPE_F32, .metric = VEXFS_L2,
	};
	float *rows = must(malloc((size_t)EACH * DIMS * sizeof(*rows)));
	unsigned int kind, s = 1;
	double t0, t = 0;
	size_t n, i;
	int err;

	if (sscanf(args, "%u %zu", &kind, &n) != 2)
		fail("append", EINVAL);
	for (i = 0; i < (size_t)EACH * DIMS; i++) {
		s = s * 1664525u + 1013904223u;
		rows[i] = (float)(s >> 8) / (float)(1 << 24) - 0.5f;
	}
	c.index = (__u8)kind;
	err = try_create("append", &c);
	if (err && err != -EOPNOTSUPP && err != -EINVAL)
		fail("create", err);
	t0 = now();
	for (i = 0; !err && i < n; i += EACH)
		insert(rows, EACH);
	if (!err)
		t = now() - t0;
	close(st.fd);
	unlink(st.path);
	sync();
	free(rows);
	printf("@@%.6f\n", t);
}

static const struct {
	const char *name;
	void (*run)(const char *args);
} commands[] = {
	{ "create", cmd_create }, { "insert", cmd_insert },
	{ "wait", cmd_wait }, { "info", cmd_info },
	{ "queries", cmd_queries }, { "search", cmd_search },
	{ "cell", cmd_cell }, { "latency", cmd_latency },
	{ "empty", cmd_empty }, { "append", cmd_append },
	{ "remove", cmd_remove }, { "exact", cmd_exact }, { "fpu", cmd_fpu },
};

static void dispatch(char *line)
{
	char *args = line + strcspn(line, "\n ");
	size_t i;

	if (*args)
		*args++ = '\0';
	for (i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (!strcmp(commands[i].name, line)) {
			commands[i].run(args);
			fflush(stdout);
			return;
		}
	fail(line, EINVAL);
}

int main(int argc, char **argv)
{
	struct termios tio;
	char line[8192];

	if (argc != 2)
		return 2;
	st.mount = argv[1];
	/* What comes is not to be echoed, what goes not to be changed. */
	if (!tcgetattr(0, &tio)) {
		tio.c_lflag &= ~(unsigned int)ECHO;
		tio.c_oflag &= ~(unsigned int)OPOST;
		tcsetattr(0, TCSANOW, &tio);
	}
	printf("@@ready\n");
	fflush(stdout);
	while (fgets(line, sizeof(line), stdin) && strncmp(line, "quit", 4))
		dispatch(line);
	if (st.fd >= 0)
		close(st.fd);
	return 0;
}

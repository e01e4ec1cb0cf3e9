// SPDX-License-Identifier: GPL-2.0
/*
 * Errors in words, numbers, opening a collection.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "vexctl.h"

static void say(const char *fmt, va_list ap)
{
	fflush(stdout);
	fputs("vexctl: ", stderr);
	vfprintf(stderr, fmt, ap);
	fputc('\n', stderr);
}

void fail(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say(fmt, ap);
	va_end(ap);
	exit(EXIT_FAILED);
}

void usage_error(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say(fmt, ap);
	va_end(ap);
	exit(EXIT_USAGE);
}

void *xmalloc(size_t n, size_t size)
{
	void *p = calloc(n ? n : 1, size ? size : 1);

	if (!p)
		fail("out of memory for %zu items of %zu bytes", n, size);
	return p;
}

unsigned long long parse_number(const char *what, const char *text,
				unsigned long long min,
				unsigned long long max)
{
	unsigned long long value;
	char *end;

	errno = 0;
	value = strtoull(text, &end, 10);
	if (errno || end == text || *end || text[0] == '-' || value < min ||
	    value > max)
		usage_error("%s: '%s' is not a number from %llu to %llu", what,
			    text, min, max);
	return value;
}

double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

static const char *advice(const char *path, int err)
{
	struct stat st;
	int fd;
	bool vexfs;

	switch (err) {
	case ENOENT:
		return "; 'vexctl create' or 'vexctl import' makes a collection";
	case ENOTTY:
		fd = open(path, O_RDONLY);
		vexfs = fd >= 0 && vexfs_on_volume(fd);
		if (fd >= 0)
			close(fd);
		if (!vexfs)
			return " on a VexFS volume (mount -t vexfs DEVICE DIR)";
		if (!stat(path, &st) && st.st_size)
			return ", it is an ordinary file with data";
		return "; make it one with 'vexctl create'";
	case EACCES:
	case EPERM:
		return "; see 'ls -l', and whether the volume is read-only";
	case EROFS:
		return "; 'mount -o remount,rw' makes it writable";
	case ENOSPC:
		return "; see 'df' for the volume";
	case EEXIST:
		return "; --upsert replaces vectors that exist";
	}
	return "";
}

void fail_call(const char *action, const char *path, int err)
{
	if (err == ENOTTY)
		fail("%s: not a collection%s", path, advice(path, err));
	fail("%s %s: %s%s", action, path, strerror(err), advice(path, err));
}

int open_collection(const char *path, int flags, struct vexfs_info *info)
{
	int fd = open(path, flags | O_CLOEXEC);
	int err;

	if (fd < 0)
		fail_call("cannot open", path, errno);
	memset(info, 0, sizeof(*info));
	err = vexfs_info(fd, info);
	if (err)
		fail_call("cannot read", path, -err);
	return fd;
}

void print_help(const struct command *cmd, FILE *out)
{
	fprintf(out, "Usage: vexctl %s %s\n%s.\n\n%s", cmd->name, cmd->args,
		cmd->what, cmd->help);
}

// SPDX-License-Identifier: GPL-2.0
/*
 * vexctl resize: a mounted volume becomes larger.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "vexctl.h"

/* Bytes, with an optional K, M, G or T. */
static uint64_t parse_size(const char *text)
{
	static const char units[] = "KMGT";
	unsigned long long n;
	const char *unit;
	char *end;
	int shift = 0;

	errno = 0;
	n = strtoull(text, &end, 10);
	unit = *end ? strchr(units, *end & ~0x20) : NULL;
	if (unit) {
		shift = 10 * (int)(unit - units + 1);
		end++;
	}
	if (errno || *end || text[0] < '0' || text[0] > '9' || !n ||
	    n << shift >> shift != n)
		usage_error("not a size: '%s'", text);
	return n << shift;
}

static void explain(const char *path, uint64_t bytes, int err)
{
	switch (err) {
	case ENOTTY:
		fail("%s is not on a VexFS volume", path);
	case ENOSPC:
		fail("the device under %s has less than %llu bytes", path,
		     (unsigned long long)bytes);
	case EFBIG:
		fail("%s can't get that large; without a size it gets as large as it can",
		     path);
	case EINVAL:
		fail("%s is larger than %llu bytes: a volume can't shrink",
		     path, (unsigned long long)bytes);
	default:
		fail("cannot resize %s: %s", path, strerror(err));
	}
}

static int run(int argc, char **argv)
{
	struct vexfs_resize r = { .size = sizeof(r) };
	int fd;

	if (argc < 2 || argc > 3)
		usage_error("give a mount point and maybe a size; see 'vexctl resize --help'");
	if (argc == 3)
		r.bytes = parse_size(argv[2]);
	fd = open(argv[1], O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		fail("cannot open %s: %s", argv[1], strerror(errno));
	if (ioctl(fd, VEXFS_IOC_RESIZE, &r))
		explain(argv[1], r.bytes, errno);
	close(fd);
	printf("%s: %llu bytes (can grow to %llu)\n", argv[1],
	       (unsigned long long)r.bytes, (unsigned long long)r.most);
	return 0;
}

const struct command cmd_resize = {
	.name = "resize",
	.args = "MOUNT [SIZE]",
	.what = "Make a mounted volume larger",
	.help =
"SIZE is in bytes, or with K, M, G or T at the end; without it the volume takes\n"
"all of its device. A volume grows to the next multiple of 16 GiB (of 128 MiB,\n"
"if it has no more than that), which its table of groups has room for.\n",
	.run = run,
};

// SPDX-License-Identifier: GPL-2.0
/*
 * A volume that is full most of the time. Files are made in every way until
 * nothing fits any more; what was written has to be there, and the rest is
 * refused with ENOSPC and nothing else. Then half of them go, and so on. In
 * the end everything is removed and as much is free as was at first.
 *
 *   stressfull DIR SECONDS SEED
 *
 * Copyright (C) 2026 The VexFS authors
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

#include "libfs.h"

#define FILES		600
#define BYTES		(1 << 20)
#define VALUE		3000
#define PATIENCE	300		/* seconds */
#define REFUSALS	12		/* then it is taken to be full */

struct file {
	off_t	size;			/* -1: there is none */
	uint32_t seed;
	bool	xattr;
};

static struct file files[FILES];
static uint64_t rnd;
static uint8_t *buf;			/* aligned, BYTES long */
static unsigned long made, refused, rounds;

static __attribute__((format(printf, 1, 2))) void fail(const char *fmt, ...)
{
	int error = errno;
	va_list ap;

	printf("# full volume, round %lu: ", rounds);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	printf(": %s\n", strerror(error));
	exit(1);
}

/* True when it worked, false when there was no room. */
static bool fits(bool ok, const char *what)
{
	if (ok)
		return true;
	if (errno != ENOSPC)
		fail("%s", what);
	refused++;
	return false;
}

/* Files are spread over directories, so that these fill up as well. */
static const char *name_of(int i)
{
	static char name[64];

	snprintf(name, sizeof(name), "d%d/%s-%d", i % 16,
		 i % 3 ? "file" : "a-name-that-is-longer-than-most", i);
	return name;
}

static bool make_dir(int i)
{
	char name[16];

	snprintf(name, sizeof(name), "d%d", i % 16);
	return fits(!mkdir(name, 0755) || errno == EEXIST, "mkdir");
}

/* ------------------------------------------------------------------ filling */

/* What was taken of it counts, also when it is less than all. */
static bool write_all(int fd, struct file *f, size_t len, size_t step)
{
	size_t pos;
	ssize_t n;

	for (pos = 0; pos < len; pos += n) {
		size_t want = len - pos < step ? len - pos : step;

		fs_fill(buf, want, pos, f->seed);
		n = pwrite(fd, buf, want, pos);
		if (!fits(n > 0, "write"))
			return false;
		f->size = pos + n;
	}
	return true;
}

/* Preallocated space is there to be written, however full the volume is. */
static bool write_prealloc(int fd, struct file *f, size_t len)
{
	if (!fits(!fallocate(fd, 0, 0, len), "fallocate")) {
		if (ftruncate(fd, 0))
			fail("truncate");
		return false;
	}
	if (!write_all(fd, f, len, len))
		fail("no room where it was preallocated");
	return true;
}

static bool fill(int fd, struct file *f)
{
	size_t len = 1 + fs_random(&rnd) % BYTES;

	switch (fs_random(&rnd) % 4) {
	case 0:
		return write_prealloc(fd, f, len);
	case 1:
		/* Direct, in whole blocks */
		fcntl(fd, F_SETFL, O_DIRECT);
		return write_all(fd, f, (len | (FS_BLOCK - 1)) + 1, 65536);
	case 2:
		return write_all(fd, f, len % 9000, 700);
	default:
		return write_all(fd, f, len, 65536);
	}
}

static bool add_xattr(int fd, struct file *f)
{
	fs_fill(buf, VALUE, 0, f->seed);
	f->xattr = fits(!fsetxattr(fd, "user.stress", buf, VALUE, 0),
			"setxattr");
	return f->xattr;
}

static bool make(int i)
{
	struct file *f = &files[i];
	bool ok;
	int fd;

	if (!make_dir(i))
		return false;
	fd = open(name_of(i), O_CREAT | O_EXCL | O_RDWR, 0644);
	if (!fits(fd >= 0, name_of(i)))
		return false;
	*f = (struct file){ .seed = fs_random(&rnd) };
	ok = fill(fd, f);
	if (ok && i % 4 == 0)
		ok = add_xattr(fd, f);
	/* What was taken has its place: it can be synced. */
	if (i % 8 == 0 && fsync(fd))
		fail("fsync");
	if (close(fd))
		fail("close");
	made++;
	return ok;
}

/* True when it is full, false when there is a file for every number. */
static bool fill_up(time_t end)
{
	int i, full = 0;

	for (i = 0; i < FILES && full < REFUSALS && time(NULL) < end; i++)
		if (files[i].size < 0)
			full += !make(i);
	return full == REFUSALS;
}

/* ----------------------------------------------------------------- checking */

static void check(int i)
{
	struct file *f = &files[i];
	int fd = open(name_of(i), O_RDONLY);
	struct stat st;

	if (fd < 0 || fstat(fd, &st))
		fail("%s", name_of(i));
	errno = 0;
	if (st.st_size != f->size)
		fail("%s has %lld bytes, not %lld", name_of(i),
		     (long long)st.st_size, (long long)f->size);
	if (fs_verify(fd, 0, f->size, f->seed))
		fail("%s is damaged", name_of(i));
	if (f->xattr && (fgetxattr(fd, "user.stress", buf, BYTES) != VALUE ||
			 fs_compare(buf, VALUE, 0, f->seed) >= 0))
		fail("the xattr of %s", name_of(i));
	close(fd);
}

static void check_all(void)
{
	int i;

	for (i = 0; i < FILES; i++)
		if (files[i].size >= 0)
			check(i);
}

/* One of @share. */
static void remove_some(int share)
{
	int i;

	for (i = 0; i < FILES; i++) {
		if (files[i].size < 0 || fs_random(&rnd) % share)
			continue;
		if (unlink(name_of(i)))
			fail("unlink %s", name_of(i));
		files[i].size = -1;
	}
}

static void remove_dirs(void)
{
	char name[16];
	int i;

	for (i = 0; i < 16; i++) {
		snprintf(name, sizeof(name), "d%d", i);
		if (rmdir(name) && errno != ENOENT)
			fail("rmdir %s", name);
	}
}

/* What is given back can be had at the latest when all is on the disk. */
static void free_space(struct statvfs *st)
{
	int fd = open(".", O_RDONLY | O_DIRECTORY);

	if (fd < 0 || syncfs(fd) || fstatvfs(fd, st))
		fail("syncfs");
	close(fd);
}

/*
 * All is given back again, after a minute at most: an event of fanotify that
 * nobody has read yet, and stress-ng asks for those of all mounts, holds a file
 * that was removed.
 */
static void free_again(const struct statvfs *before, struct statvfs *after)
{
	int left = 60;

	for (;;) {
		free_space(after);
		if ((before->f_bfree == after->f_bfree &&
		     before->f_ffree == after->f_ffree) || !left--)
			return;
		sleep(1);
	}
}

int main(int argc, char **argv)
{
	struct statvfs before, after;
	unsigned long full = 0;
	time_t end;
	int i;

	if (argc != 4)
		return 2;
	buf = fs_aligned(BYTES);
	if (!buf || (mkdir(argv[1], 0755) && errno != EEXIST) ||
	    chdir(argv[1]))
		fail("%s", argv[1]);
	end = time(NULL) + atoi(argv[2]);
	rnd = strtoull(argv[3], NULL, 0) * 0x9e3779b97f4a7c15ull + 1;
	for (i = 0; i < FILES; i++)
		files[i].size = -1;
	free_space(&before);
	for (; time(NULL) < end || !rounds; rounds++) {
		/* Once at least, however long it takes */
		full += fill_up(full ? end : end + PATIENCE);
		if (rounds % 2)
			fs_drop_caches();
		check_all();
		remove_some(2);
	}
	remove_some(1);
	remove_dirs();
	free_again(&before, &after);
	printf("# full volume: %lu rounds, %lu files, %lu times no room\n",
	       rounds, made, refused);
	errno = 0;
	if (!full)
		fail("it was never full");
	if (before.f_bfree != after.f_bfree || before.f_ffree != after.f_ffree)
		fail("%llu blocks, %llu inodes free, before %llu, %llu",
		     (unsigned long long)after.f_bfree,
		     (unsigned long long)after.f_ffree,
		     (unsigned long long)before.f_bfree,
		     (unsigned long long)before.f_ffree);
	return 0;
}

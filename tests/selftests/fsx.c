// SPDX-License-Identifier: GPL-2.0
/*
 * One file against a model in memory: random reads, writes, mapped stores,
 * truncates, holes, preallocation, direct I/O and dropped caches, each
 * checked, all from a seed. Environment: VEXFS_MNT, FSX_OPS, FSX_SEED.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "harness.h"
#include "libfs.h"

#define MAX_SIZE	(512 * 1024)
#define MAX_LEN		(64 * 1024)
#define LOG_OPS		12

/* The file, what it should be, and where we are. */
struct fsx {
	int fd, direct_fd;
	uint8_t *model;
	uint8_t *buf;
	off_t size;
	uint64_t rnd;
	unsigned int op;
	char log[LOG_OPS][64];
};

static uint32_t below(struct fsx *x, uint32_t n)
{
	return n ? fs_random(&x->rnd) % n : 0;
}

static void note(struct fsx *x, const char *what, off_t pos, size_t len)
{
	snprintf(x->log[x->op % LOG_OPS], sizeof(x->log[0]),
		 "%u: %s %lld + %zu", x->op, what, (long long)pos, len);
}

static int fail(struct fsx *x, const char *why, off_t where)
{
	unsigned int i;

	printf("# op %u: %s at %lld (size %lld), errno %d; before it:\n",
	       x->op, why, (long long)where, (long long)x->size, errno);
	for (i = 1; i <= LOG_OPS; i++)
		printf("#   %s\n", x->log[(x->op + i) % LOG_OPS]);
	return -1;
}

static int compare(struct fsx *x, const void *buf, off_t pos, size_t len)
{
	const uint8_t *p = buf;
	size_t i;

	for (i = 0; i < len; i++)
		if (p[i] != x->model[pos + i])
			return fail(x, "contents differ", pos + i);
	return 0;
}

/* Nothing of what is behind the end may come back when the file grows. */
static void model_resize(struct fsx *x, off_t size)
{
	if (size < x->size)
		memset(x->model + size, 0, x->size - size);
	x->size = size;
}

static void range(struct fsx *x, off_t limit, off_t *pos, size_t *len)
{
	*pos = below(x, limit);
	*len = 1 + below(x, MAX_LEN);
	if (*pos + (off_t)*len > limit)
		*len = limit - *pos;
}

static int do_read(struct fsx *x)
{
	off_t pos;
	size_t len;
	ssize_t n;

	if (!x->size)
		return 0;
	range(x, x->size, &pos, &len);
	note(x, "read", pos, len);
	n = pread(x->fd, x->buf, len, pos);
	if (n != (ssize_t)len)
		return fail(x, "short read", pos + n);
	return compare(x, x->buf, pos, len);
}

static int do_write(struct fsx *x)
{
	off_t pos;
	size_t len;

	range(x, MAX_SIZE, &pos, &len);
	note(x, "write", pos, len);
	fs_fill(x->buf, len, pos, x->op);
	if (pwrite(x->fd, x->buf, len, pos) != (ssize_t)len)
		return fail(x, "write", pos);
	memcpy(x->model + pos, x->buf, len);
	if (pos + (off_t)len > x->size)
		x->size = pos + len;
	return 0;
}

static int do_direct_write(struct fsx *x)
{
	off_t align = below(x, 2) ? 512 : FS_BLOCK, pos;
	size_t len;

	range(x, MAX_SIZE, &pos, &len);
	pos -= pos % align;
	len += align - 1;
	len -= len % align;
	if (pos + (off_t)len > MAX_SIZE)
		len = MAX_SIZE - pos;
	note(x, "direct write", pos, len);
	fs_fill(x->buf, len, pos, x->op);
	if (pwrite(x->direct_fd, x->buf, len, pos) != (ssize_t)len)
		return fail(x, "direct write", pos);
	memcpy(x->model + pos, x->buf, len);
	if (pos + (off_t)len > x->size)
		x->size = pos + len;
	return 0;
}

static int do_direct_read(struct fsx *x)
{
	off_t pos;
	size_t len;
	ssize_t n, want;

	if (!x->size)
		return 0;
	range(x, x->size, &pos, &len);
	pos -= pos % FS_BLOCK;
	len += FS_BLOCK - 1;
	len -= len % FS_BLOCK;
	note(x, "direct read", pos, len);
	want = pos + (off_t)len > x->size ? x->size - pos : (ssize_t)len;
	n = pread(x->direct_fd, x->buf, len, pos);
	if (n != want)
		return fail(x, "short direct read", pos + n);
	return compare(x, x->buf, pos, n);
}

/* Stores through a mapping, and a look at what is behind the end in it. */
static int do_mapped(struct fsx *x, bool store)
{
	size_t len, map_len, off;
	off_t pos, first;
	uint8_t *map;
	int ret = 0;

	if (!x->size)
		return 0;
	range(x, x->size, &pos, &len);
	note(x, store ? "mapped write" : "mapped read", pos, len);
	first = pos - pos % FS_BLOCK;
	off = pos - first;
	map_len = off + len;
	map = mmap(NULL, map_len, PROT_READ | PROT_WRITE, MAP_SHARED, x->fd,
		   first);
	if (map == MAP_FAILED)
		return fail(x, "mmap", pos);
	if (store) {
		fs_fill(map + off, len, pos, x->op);
		fs_fill(x->model + pos, len, pos, x->op);
		/* and a trace where the file must never show it */
		if (pos + (off_t)len == x->size && x->size % FS_BLOCK)
			map[map_len] = 0xdd;
	} else {
		ret = compare(x, map + off, pos, len);
	}
	munmap(map, map_len);
	return ret;
}

static int do_mapped_write(struct fsx *x)
{
	return do_mapped(x, true);
}

static int do_mapped_read(struct fsx *x)
{
	return do_mapped(x, false);
}

static int do_truncate(struct fsx *x)
{
	off_t size = below(x, MAX_SIZE);

	note(x, "truncate", size, 0);
	if (ftruncate(x->fd, size))
		return fail(x, "truncate", size);
	model_resize(x, size);
	return 0;
}

static int do_fallocate(struct fsx *x, int mode, const char *what)
{
	off_t pos, end;
	size_t len;

	range(x, MAX_SIZE, &pos, &len);
	end = pos + len;
	note(x, what, pos, len);
	if (fallocate(x->fd, mode, pos, len))
		return fail(x, what, pos);
	if (mode & (FALLOC_FL_PUNCH_HOLE | FALLOC_FL_ZERO_RANGE))
		memset(x->model + pos, 0, len);
	if (!(mode & FALLOC_FL_KEEP_SIZE) && end > x->size)
		x->size = end;
	return 0;
}

static int do_prealloc(struct fsx *x)
{
	return do_fallocate(x, below(x, 2) ? FALLOC_FL_KEEP_SIZE : 0,
			    "fallocate");
}

static int do_punch(struct fsx *x)
{
	return do_fallocate(x, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
			    "punch");
}

static int do_zero(struct fsx *x)
{
	return do_fallocate(x, FALLOC_FL_ZERO_RANGE |
			    (below(x, 2) ? FALLOC_FL_KEEP_SIZE : 0), "zero");
}

static int do_fsync(struct fsx *x)
{
	note(x, "fsync", 0, 0);
	return fsync(x->fd) ? fail(x, "fsync", 0) : 0;
}

/* Clean pages of the file go, so that the next reads come from disk. */
static int do_forget(struct fsx *x)
{
	note(x, "drop", 0, 0);
	if (fdatasync(x->fd))
		return fail(x, "fdatasync", 0);
	posix_fadvise(x->fd, 0, 0, POSIX_FADV_DONTNEED);
	return 0;
}

static int check_all(struct fsx *x)
{
	struct stat st;
	ssize_t n;

	if (fstat(x->fd, &st) || st.st_size != x->size)
		return fail(x, "the size", st.st_size);
	n = pread(x->fd, x->buf, MAX_SIZE, 0);
	if (n != x->size)
		return fail(x, "short read", n);
	return compare(x, x->buf, 0, n);
}

static const struct {
	int (*fn)(struct fsx *x);
	unsigned int weight;
} ops[] = {
	{ do_read, 12 },	{ do_write, 20 },
	{ do_mapped_read, 6 },	{ do_mapped_write, 12 },
	{ do_direct_read, 6 },	{ do_direct_write, 8 },
	{ do_truncate, 8 },	{ do_prealloc, 5 },
	{ do_punch, 6 },	{ do_zero, 4 },
	{ do_fsync, 2 },	{ do_forget, 3 },
};

static int one_op(struct fsx *x)
{
	unsigned int total = 0, pick, i;

	for (i = 0; i < ARRAY_SIZE(ops); i++)
		total += ops[i].weight;
	pick = below(x, total);
	for (i = 0; pick >= ops[i].weight; i++)
		pick -= ops[i].weight;
	return ops[i].fn(x);
}

static unsigned int setting(const char *name, unsigned int otherwise)
{
	const char *s = getenv(name);

	return s ? strtoul(s, NULL, 0) : otherwise;
}

FIXTURE(fsx) {
	char dir[256];
	struct fsx x;
};

FIXTURE_SETUP(fsx)
{
	struct fsx *x = &self->x;

	memset(x, 0, sizeof(*x));
	ASSERT_EQ(0, fs_enter(self->dir, sizeof(self->dir)));
	x->fd = open("f", O_CREAT | O_RDWR, 0644);
	ASSERT_LE(0, x->fd);
	x->direct_fd = open("f", O_RDWR | O_DIRECT);
	ASSERT_LE(0, x->direct_fd);
	x->model = calloc(1, MAX_SIZE);
	x->buf = fs_aligned(MAX_SIZE + MAX_LEN);
	ASSERT_TRUE(x->model && x->buf);
}

FIXTURE_TEARDOWN(fsx)
{
	close(self->x.fd);
	close(self->x.direct_fd);
	free(self->x.model);
	free(self->x.buf);
	EXPECT_EQ(0, fs_leave(self->dir));
}

TEST_F_TIMEOUT(fsx, random_operations, 900)
{
	unsigned int n = setting("FSX_OPS", 4000);
	unsigned int seed = setting("FSX_SEED", time(NULL));
	struct fsx *x = &self->x;

	printf("# FSX_SEED=%u FSX_OPS=%u\n", seed, n);
	x->rnd = 0x9e3779b97f4a7c15ull ^ seed;
	for (x->op = 1; x->op <= n; x->op++) {
		ASSERT_EQ(0, one_op(x));
		if (x->op % 64 == 0)
			ASSERT_EQ(0, check_all(x));
	}
	ASSERT_EQ(0, check_all(x));
	ASSERT_EQ(0, fs_drop_caches());
	ASSERT_EQ(0, check_all(x));
}

TEST_HARNESS_MAIN

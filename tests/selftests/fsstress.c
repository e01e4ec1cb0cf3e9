// SPDX-License-Identifier: GPL-2.0
/*
 * Several processes make, change, rename and remove names in the same
 * directories at random for some seconds, and write to files. A file's
 * contents say what they should be, so that each can be checked afterwards.
 * Environment: VEXFS_MNT, FSSTRESS_SECS, FSSTRESS_SEED.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <linux/falloc.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "harness.h"
#include "libfs.h"

#define WORKERS		4
#define NAMES		40
#define DIRS		4
#define MAX_BLOCKS	64

/*
 * Block n of a file is zeroes, or fs_fill() of n with the seed in its first
 * bytes, or in the middle of being written by somebody.
 */
struct worker {
	uint64_t rnd;
	unsigned long done;
	uint8_t *buf;
};

static uint32_t below(struct worker *w, uint32_t n)
{
	return fs_random(&w->rnd) % n;
}

/* d0 .. d3 are always there; below them names come and go. */
static const char *pick_name(struct worker *w, char *buf)
{
	if (below(w, 4))
		sprintf(buf, "d%u/n%u", below(w, DIRS), below(w, NAMES));
	else
		sprintf(buf, "d%u/n%u/n%u", below(w, DIRS), below(w, NAMES),
			below(w, NAMES));
	return buf;
}

/* What happens when names come and go under one; anything else is wrong. */
static int expected(int ret)
{
	static const int ok[] = { ENOENT, EEXIST, ENOTDIR, EISDIR, ENOTEMPTY,
				  EINVAL, ELOOP, EXDEV, EPERM, ENXIO, EBUSY };
	size_t i;

	if (ret >= 0)
		return 0;
	for (i = 0; i < ARRAY_SIZE(ok); i++)
		if (errno == ok[i])
			return 0;
	return -1;
}

static int do_write(struct worker *w)
{
	unsigned int block = below(w, MAX_BLOCKS), n = 1 + below(w, 8), i;
	char name[64];
	uint32_t seed = below(w, 1 << 30);
	int flags = O_CREAT | O_RDWR | (below(w, 4) ? 0 : O_DIRECT), fd;

	fd = open(pick_name(w, name), flags, 0644);
	if (fd < 0)
		return expected(fd);
	for (i = 0; i < n; i++) {
		uint8_t *p = w->buf + i * FS_BLOCK;

		fs_fill(p, FS_BLOCK, 0, seed);
		memcpy(p, &seed, sizeof(seed));
	}
	if (pwrite(fd, w->buf, n * FS_BLOCK, (off_t)block * FS_BLOCK) < 0) {
		close(fd);
		return -1;
	}
	if (!below(w, 8) && fsync(fd)) {
		close(fd);
		return -1;
	}
	return close(fd);
}

static int do_truncate(struct worker *w)
{
	char name[64];

	return expected(truncate(pick_name(w, name),
				 (off_t)below(w, MAX_BLOCKS) * FS_BLOCK));
}

static int do_fallocate(struct worker *w)
{
	static const int modes[] = {
		0, FALLOC_FL_KEEP_SIZE,
		FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
	};
	char name[64];
	int fd, ret;

	fd = open(pick_name(w, name), O_RDWR);
	if (fd < 0)
		return expected(fd);
	ret = fallocate(fd, modes[below(w, 3)],
			(off_t)below(w, MAX_BLOCKS) * FS_BLOCK,
			(off_t)(1 + below(w, 16)) * FS_BLOCK);
	close(fd);
	return ret;
}

/* A block is zeroes or as somebody wrote it. */
static int check_block(const uint8_t *p)
{
	uint32_t seed;

	memcpy(&seed, p, sizeof(seed));
	if (!seed)
		return fs_nonzero(p, FS_BLOCK) < 0 ? 0 : -1;
	return fs_compare(p + 4, FS_BLOCK - 4, 4, seed) < 0 ? 0 : -1;
}

static int do_read(struct worker *w)
{
	char name[64];
	int fd;

	fd = open(pick_name(w, name), O_RDONLY);
	if (fd < 0)
		return expected(fd);
	if (pread(fd, w->buf, FS_BLOCK,
		  (off_t)below(w, MAX_BLOCKS) * FS_BLOCK) < 0) {
		close(fd);
		return expected(-1);
	}
	return close(fd);
}

static int do_mkdir(struct worker *w)
{
	char name[64];

	return expected(mkdir(pick_name(w, name), 0755));
}

static int do_remove(struct worker *w)
{
	char name[64];

	pick_name(w, name);
	return expected(below(w, 2) ? unlink(name) : rmdir(name));
}

static int do_rename(struct worker *w)
{
	char from[64], to[64];
	unsigned int flags = 0;

	if (!below(w, 4))
		flags = below(w, 2) ? RENAME_EXCHANGE : RENAME_NOREPLACE;
	return expected(renameat2(AT_FDCWD, pick_name(w, from), AT_FDCWD,
				  pick_name(w, to), flags));
}

static int do_link(struct worker *w)
{
	char from[64], to[64];

	return expected(link(pick_name(w, from), pick_name(w, to)));
}

static int do_symlink(struct worker *w)
{
	char name[64], target[250];
	int len = 1 + below(w, sizeof(target) - 1);

	memset(target, 't', len);
	target[len] = 0;
	return expected(symlink(target, pick_name(w, name)));
}

static int do_readdir(struct worker *w)
{
	char name[64];
	DIR *d;

	sprintf(name, "d%u", below(w, DIRS));
	d = opendir(name);
	if (!d)
		return -1;
	errno = 0;
	while (readdir(d))
		;
	closedir(d);
	return errno ? -1 : 0;
}

static int do_chmod(struct worker *w)
{
	char name[64];

	return expected(chmod(pick_name(w, name), 0700 | below(w, 0100)));
}

static const struct {
	int (*fn)(struct worker *w);
	const char *name;
	unsigned int weight;
} ops[] = {
	{ do_write, "write", 30 },	{ do_truncate, "truncate", 6 },
	{ do_fallocate, "fallocate", 6 }, { do_read, "read", 10 },
	{ do_mkdir, "mkdir", 6 },	{ do_remove, "remove", 16 },
	{ do_rename, "rename", 12 },	{ do_link, "link", 6 },
	{ do_symlink, "symlink", 4 },	{ do_readdir, "readdir", 2 },
	{ do_chmod, "chmod", 2 },
};

/* Unlinked but open files, and one that is closed when the worker ends. */
static void work(unsigned int seed, time_t end)
{
	struct worker w = { .rnd = 0x9e3779b97f4a7c15ull ^ seed };
	unsigned int total = 0, pick, i;

	w.buf = fs_aligned(8 * FS_BLOCK);
	for (i = 0; i < ARRAY_SIZE(ops); i++)
		total += ops[i].weight;
	while (time(NULL) < end) {
		pick = below(&w, total);
		for (i = 0; pick >= ops[i].weight; i++)
			pick -= ops[i].weight;
		if (ops[i].fn(&w)) {
			printf("# %s: %s\n", ops[i].name, strerror(errno));
			_exit(1);
		}
		w.done++;
	}
	printf("# worker %u did %lu operations\n", seed, w.done);
	_exit(w.done < 10);
}

static unsigned int bad_blocks, bad_links, files;

static int check_file(const char *path, const struct stat *st)
{
	uint8_t buf[FS_BLOCK];
	int fd = open(path, O_RDONLY);
	ssize_t n;

	if (fd < 0)
		return -1;
	files++;
	while ((n = read(fd, buf, sizeof(buf))) == FS_BLOCK)
		if (check_block(buf)) {
			printf("# %s: a block is neither zero nor whole\n",
			       path);
			bad_blocks++;
		}
	close(fd);
	return n;
}

/* A directory has as many links as it has directories in it. */
static int check_dir(const char *path, const struct stat *st)
{
	unsigned int subdirs = 0;
	struct dirent *de;
	DIR *d = opendir(path);

	if (!d)
		return -1;
	while ((de = readdir(d)))
		subdirs += de->d_type == DT_DIR;
	closedir(d);
	if (subdirs != st->st_nlink) {
		printf("# %s: %u directories, %lu links\n", path, subdirs,
		       (unsigned long)st->st_nlink);
		bad_links++;
	}
	return 0;
}

static int check_one(const char *path, const struct stat *st, int type,
		     struct FTW *ftw)
{
	if (S_ISREG(st->st_mode))
		return check_file(path, st);
	if (S_ISDIR(st->st_mode))
		return check_dir(path, st);
	return S_ISLNK(st->st_mode) ? 0 : -1;
}

static unsigned int setting(const char *name, unsigned int otherwise)
{
	const char *s = getenv(name);

	return s ? strtoul(s, NULL, 0) : otherwise;
}

FIXTURE(stress) {
	char dir[256];
};

FIXTURE_SETUP(stress)
{
	char name[16];
	int i;

	ASSERT_EQ(0, fs_enter(self->dir, sizeof(self->dir)));
	for (i = 0; i < DIRS; i++) {
		sprintf(name, "d%d", i);
		ASSERT_EQ(0, mkdir(name, 0755));
	}
}

FIXTURE_TEARDOWN(stress)
{
	EXPECT_EQ(0, fs_leave(self->dir));
}

TEST_F_TIMEOUT(stress, names_and_data, 900)
{
	unsigned int seed = setting("FSSTRESS_SEED", time(NULL));
	time_t end = time(NULL) + setting("FSSTRESS_SECS", 15);
	int i, status;

	printf("# FSSTRESS_SEED=%u\n", seed);
	fflush(stdout);
	for (i = 0; i < WORKERS; i++)
		if (!fork())
			work(seed + i, end);
	for (i = 0; i < WORKERS; i++) {
		ASSERT_LT(0, wait(&status));
		EXPECT_EQ(0, status);
	}
	EXPECT_EQ(0, nftw(".", check_one, 16, FTW_PHYS));
	ASSERT_EQ(0, fs_drop_caches());
	EXPECT_EQ(0, nftw(".", check_one, 16, FTW_PHYS));
	EXPECT_EQ(0, bad_blocks);
	EXPECT_EQ(0, bad_links);
	printf("# %u files checked\n", files);
	EXPECT_LT(0, files);
}

TEST_HARNESS_MAIN

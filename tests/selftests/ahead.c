// SPDX-License-Identifier: GPL-2.0
/*
 * Blocks that a file gets ahead of its end while it is written in order: they
 * keep it in one piece, and are given back on every way there is. Needs
 * VEXFS_MNT.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "harness.h"
#include "libfs.h"

#define KB	1024
#define MB	(1024 * KB)

FIXTURE(ahead) {
	char dir[256];
};

FIXTURE_SETUP(ahead)
{
	if (!fs_is_vexfs())
		SKIP(return, "other filesystems do it otherwise");
	ASSERT_EQ(0, fs_enter(self->dir, sizeof(self->dir)));
}

FIXTURE_TEARDOWN(ahead)
{
	EXPECT_EQ(0, fs_leave(self->dir));
}

static off_t used_by(const char *name)
{
	struct stat st;

	return stat(name, &st) ? -1 : st.st_blocks * 512;
}

/* Appends blocks, one a call, to all of @fd in turn; 0 or -1. */
static int stream(const int *fd, int nfds, int blocks)
{
	static char buf[FS_BLOCK];
	int i, k;

	for (i = 0; i < blocks; i++)
		for (k = 0; k < nfds; k++) {
			memset(buf, 'a' + k, sizeof(buf));
			if (write(fd[k], buf, sizeof(buf)) != sizeof(buf))
				return -1;
		}
	return 0;
}

/* Whether the file holds more than its size on the disk. */
static int has_ahead(const char *name)
{
	struct stat st;

	return !stat(name, &st) && st.st_blocks * 512 > st.st_size;
}

static int extents(const char *name)
{
	struct fiemap fm = { .fm_length = ~0ull,
			     .fm_flags = FIEMAP_FLAG_SYNC };
	int fd = open(name, O_RDONLY), ret;

	if (fd < 0)
		return -1;
	ret = ioctl(fd, FS_IOC_FIEMAP, &fm);
	close(fd);
	return ret ? -1 : (int)fm.fm_mapped_extents;
}

static int new_file(const char *name)
{
	return open(name, O_CREAT | O_EXCL | O_RDWR | O_APPEND, 0644);
}

TEST_F(ahead, given_back_at_the_last_close)
{
	int fd = new_file("f"), other = open("f", O_WRONLY | O_APPEND);

	ASSERT_LE(0, fd);
	ASSERT_LE(0, other);
	ASSERT_EQ(0, stream(&fd, 1, 100));
	ASSERT_TRUE(has_ahead("f"));
	close(other);
	EXPECT_TRUE(has_ahead("f"));
	close(fd);
	EXPECT_EQ(100 * FS_BLOCK, used_by("f"));
	EXPECT_EQ(1, extents("f"));
}

TEST_F(ahead, small_files_have_none)
{
	int fd = new_file("f");

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, stream(&fd, 1, 10));
	EXPECT_FALSE(has_ahead("f"));
	close(fd);
}

TEST_F(ahead, streams_side_by_side_do_not_mix)
{
	int fd[2] = { new_file("f"), new_file("g") };

	ASSERT_LE(0, fd[0]);
	ASSERT_LE(0, fd[1]);
	ASSERT_EQ(0, stream(fd, 2, 1024));
	close(fd[0]);
	close(fd[1]);
	/* Not for the first blocks, and then in pieces twice as long each. */
	EXPECT_GE(30, extents("f"));
	EXPECT_GE(30, extents("g"));
	/* So many extents may take a node of a tree. */
	EXPECT_GE(1024 * FS_BLOCK + 64 * KB, used_by("f"));
	EXPECT_GE(1024 * FS_BLOCK + 64 * KB, used_by("g"));
}

TEST_F(ahead, what_was_asked_for_stays)
{
	int fd = new_file("f");

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, stream(&fd, 1, 100));
	ASSERT_TRUE(has_ahead("f"));
	ASSERT_EQ(0, fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, 2 * MB));
	ASSERT_EQ(0, stream(&fd, 1, 10));
	close(fd);
	EXPECT_EQ(2 * MB, used_by("f"));
}

TEST_F(ahead, truncate_takes_it)
{
	int fd = new_file("f");

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, stream(&fd, 1, 100));
	ASSERT_EQ(0, ftruncate(fd, 50 * FS_BLOCK));
	EXPECT_EQ(50 * FS_BLOCK, used_by("f"));
	ASSERT_EQ(0, stream(&fd, 1, 60));
	ASSERT_EQ(0, ftruncate(fd, 110 * FS_BLOCK + 1));
	close(fd);
	EXPECT_GE(112 * FS_BLOCK, used_by("f"));
	fd = open("f", O_RDONLY);
	EXPECT_EQ(0, fs_verify_zero(fd, 110 * FS_BLOCK, 1));
	close(fd);
}

TEST_F(ahead, unlinked_while_open)
{
	uint64_t free_bytes;
	int fd;

	sync();
	free_bytes = fs_free_bytes();
	fd = new_file("f");
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, stream(&fd, 1, 100));
	ASSERT_TRUE(has_ahead("f"));
	ASSERT_EQ(0, unlink("f"));
	close(fd);
	sync();
	EXPECT_EQ(free_bytes, fs_free_bytes());
}

/* Takes all there is, in ever smaller pieces. */
static int fill_volume(int fd)
{
	off_t piece = 64 * MB, size = 0;

	while (piece >= FS_BLOCK) {
		if (!fallocate(fd, 0, size, piece))
			size += piece;
		else if (errno == ENOSPC)
			piece /= 2;
		else
			return -1;
	}
	return 0;
}

TEST_F(ahead, given_back_when_the_volume_is_full)
{
	int fd = new_file("f"), filler = new_file("filler");

	ASSERT_LE(0, fd);
	ASSERT_LE(0, filler);
	ASSERT_EQ(0, stream(&fd, 1, 600));
	ASSERT_TRUE(has_ahead("f"));
	ASSERT_EQ(0, fill_volume(filler));
	EXPECT_EQ(600 * FS_BLOCK, used_by("f"));
	close(filler);
	ASSERT_EQ(0, unlink("filler"));
	ASSERT_EQ(0, stream(&fd, 1, 10));
	close(fd);
	EXPECT_EQ(610 * FS_BLOCK, used_by("f"));
}

TEST_HARNESS_MAIN

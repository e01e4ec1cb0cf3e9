// SPDX-License-Identifier: GPL-2.0
/*
 * File data: buffered, direct and mapped I/O, holes, preallocation, syncing,
 * and what happens at the limits, one test each. Needs VEXFS_MNT.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "harness.h"
#include "libfs.h"

#define KB	1024
#define MB	(1024 * KB)

FIXTURE(io) {
	char dir[256];
	struct stat st;
	int fd;
};

FIXTURE_SETUP(io)
{
	ASSERT_EQ(0, fs_enter(self->dir, sizeof(self->dir)));
	self->fd = open("f", O_CREAT | O_RDWR, 0644);
	ASSERT_LE(0, self->fd);
}

FIXTURE_TEARDOWN(io)
{
	if (self->fd >= 0)
		close(self->fd);
	EXPECT_EQ(0, fs_leave(self->dir));
}

/* Writes fs_fill() bytes in one call; 0 or -1. */
static int put(int fd, off_t pos, size_t len, uint32_t seed)
{
	void *buf = fs_aligned(len);
	ssize_t ret;

	if (!buf)
		return -1;
	fs_fill(buf, len, pos, seed);
	ret = pwrite(fd, buf, len, pos);
	free(buf);
	return ret == (ssize_t)len ? 0 : -1;
}

static off_t size_of(int fd)
{
	struct stat st;

	return fstat(fd, &st) ? -1 : st.st_size;
}

/* Bytes allocated, once everything is on disk. */
static off_t used_by(int fd)
{
	struct stat st;

	return fsync(fd) || fstat(fd, &st) ? -1 : st.st_blocks * 512;
}

TEST_F(io, sizes_around_a_block)
{
	static const size_t lens[] = { 1, 511, 512, 513, 4095, 4096, 4097,
				       8191, 8192, 65535, 65536, 1000003 };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(lens); i++) {
		ASSERT_EQ(0, ftruncate(self->fd, 0));
		ASSERT_EQ(0, put(self->fd, 0, lens[i], i));
		EXPECT_EQ(lens[i], size_of(self->fd));
		ASSERT_EQ(0, fs_drop_caches());
		EXPECT_EQ(lens[i], size_of(self->fd));
		EXPECT_EQ(0, fs_verify(self->fd, 0, lens[i], i));
	}
}

TEST_F(io, small_appends)
{
	off_t pos = 0;
	uint64_t rnd = 7;
	size_t n;

	while (pos < 300000) {
		n = 1 + fs_random(&rnd) % 3000;
		ASSERT_EQ(0, put(self->fd, pos, n, 3));
		pos += n;
	}
	EXPECT_EQ(0, fs_verify(self->fd, 0, pos, 3));
	ASSERT_EQ(0, fs_drop_caches());
	EXPECT_EQ(pos, size_of(self->fd));
	EXPECT_EQ(0, fs_verify(self->fd, 0, pos, 3));
}

TEST_F(io, overwrites)
{
	ASSERT_EQ(0, put(self->fd, 0, 100000, 1));
	ASSERT_EQ(0, fsync(self->fd));
	ASSERT_EQ(0, put(self->fd, 5000, 20000, 2));
	ASSERT_EQ(0, fs_drop_caches());
	EXPECT_EQ(0, fs_verify(self->fd, 0, 5000, 1));
	EXPECT_EQ(0, fs_verify(self->fd, 5000, 20000, 2));
	EXPECT_EQ(0, fs_verify(self->fd, 25000, 75000, 1));
	EXPECT_EQ(100000, size_of(self->fd));
}

TEST_F(io, appends_do_not_mix)
{
	enum { WRITERS = 4, RECORDS = 300, LEN = 100 };
	char rec[LEN], back[LEN];
	int counts[WRITERS] = { 0 };
	int w, i, fd;

	for (w = 0; w < WRITERS; w++) {
		if (fork())
			continue;
		fd = open("f", O_WRONLY | O_APPEND);
		memset(rec, 'a' + w, LEN);
		for (i = 0; i < RECORDS; i++)
			if (write(fd, rec, LEN) != LEN)
				_exit(1);
		_exit(0);
	}
	for (w = 0; w < WRITERS; w++) {
		ASSERT_LT(0, wait(&i));
		EXPECT_EQ(0, i);
	}
	EXPECT_EQ(WRITERS * RECORDS * LEN, size_of(self->fd));
	while (read(self->fd, back, LEN) == LEN) {
		w = back[0] - 'a';
		ASSERT_TRUE(w >= 0 && w < WRITERS);
		memset(rec, back[0], LEN);
		ASSERT_EQ(0, memcmp(rec, back, LEN));
		counts[w]++;
	}
	for (w = 0; w < WRITERS; w++)
		EXPECT_EQ(RECORDS, counts[w]);
}

TEST_F(io, truncate_down_and_up)
{
	ASSERT_EQ(0, put(self->fd, 0, 50000, 1));
	ASSERT_EQ(0, fsync(self->fd));
	ASSERT_EQ(0, ftruncate(self->fd, 10001));
	EXPECT_EQ(10001, size_of(self->fd));
	ASSERT_EQ(0, ftruncate(self->fd, 60000));
	EXPECT_EQ(0, fs_verify(self->fd, 0, 10001, 1));
	EXPECT_EQ(0, fs_verify_zero(self->fd, 10001, 49999));
	ASSERT_EQ(0, fs_drop_caches());
	EXPECT_EQ(60000, size_of(self->fd));
	EXPECT_EQ(0, fs_verify(self->fd, 0, 10001, 1));
	EXPECT_EQ(0, fs_verify_zero(self->fd, 10001, 49999));
	ASSERT_EQ(0, ftruncate(self->fd, 0));
	EXPECT_EQ(0, used_by(self->fd));
}

TEST_F(io, truncate_unsynced_data)
{
	ASSERT_EQ(0, put(self->fd, 0, 50000, 1));
	ASSERT_EQ(0, ftruncate(self->fd, 10001));
	ASSERT_EQ(0, ftruncate(self->fd, 30000));
	ASSERT_EQ(0, put(self->fd, 40000, 100, 1));
	ASSERT_EQ(0, fs_drop_caches());
	EXPECT_EQ(0, fs_verify(self->fd, 0, 10001, 1));
	EXPECT_EQ(0, fs_verify_zero(self->fd, 10001, 29999));
	EXPECT_EQ(0, fs_verify(self->fd, 40000, 100, 1));
	EXPECT_EQ(40100, size_of(self->fd));
}

/*
 * The page cache may keep these 64 KiB in one piece, dirty as a whole, also
 * after the end has moved into it and the blocks behind are free.
 */
TEST_F(io, end_moves_inside_dirty_data)
{
	struct stat st;
	off_t end;

	/* Space is given out in units of st_blksize */
	ASSERT_EQ(0, fstat(self->fd, &st));
	for (end = FS_BLOCK; end < 64 * KB; end += 3 * FS_BLOCK + 1) {
		ASSERT_EQ(0, ftruncate(self->fd, 0));
		ASSERT_EQ(0, put(self->fd, 0, 64 * KB, 1));
		ASSERT_EQ(0, fsync(self->fd));
		ASSERT_EQ(0, put(self->fd, 0, 64 * KB, end));
		ASSERT_EQ(0, ftruncate(self->fd, end));
		ASSERT_EQ(0, ftruncate(self->fd, 64 * KB));
		EXPECT_EQ(0, fsync(self->fd));
		EXPECT_EQ(0, fs_verify_zero(self->fd, end, 64 * KB - end));
		ASSERT_EQ(0, fs_drop_caches());
		EXPECT_EQ(0, fs_verify(self->fd, 0, end, end));
		EXPECT_EQ(0, fs_verify_zero(self->fd, end, 64 * KB - end));
		EXPECT_GE(end + st.st_blksize, used_by(self->fd));
	}
}

/* A store through a mapping makes the piece dirty that the end lies in. */
TEST_F(io, mapped_store_before_a_hole)
{
	char *map;

	ASSERT_EQ(0, put(self->fd, 0, 64 * KB, 1));
	ASSERT_EQ(0, fsync(self->fd));
	ASSERT_EQ(0, put(self->fd, 0, 64 * KB, 1));
	ASSERT_EQ(0, ftruncate(self->fd, 5 * FS_BLOCK));
	map = mmap(NULL, 64 * KB, PROT_READ | PROT_WRITE, MAP_SHARED,
		   self->fd, 0);
	ASSERT_NE(MAP_FAILED, map);
	fs_fill(map, 100, 0, 2);
	ASSERT_EQ(0, ftruncate(self->fd, 64 * KB));
	fs_fill(map + 100, 100, 100, 2);
	EXPECT_EQ(0, fsync(self->fd));
	munmap(map, 64 * KB);
	ASSERT_EQ(0, fs_drop_caches());
	EXPECT_EQ(0, fs_verify(self->fd, 0, 200, 2));
	EXPECT_EQ(0, fs_verify(self->fd, 200, 5 * FS_BLOCK - 200, 1));
	EXPECT_EQ(0, fs_verify_zero(self->fd, 5 * FS_BLOCK, 11 * FS_BLOCK));
}

/* Bytes stored behind the end through a mapping never show in the file. */
TEST_F(io, growing_shows_zeroes)
{
	char *map;
	int round;

	for (round = 0; round < 3; round++) {
		ASSERT_EQ(0, ftruncate(self->fd, 0));
		ASSERT_EQ(0, put(self->fd, 0, 100, 1));
		map = mmap(NULL, FS_BLOCK, PROT_READ | PROT_WRITE, MAP_SHARED,
			   self->fd, 0);
		ASSERT_NE(MAP_FAILED, map);
		memset(map + 100, 0xee, FS_BLOCK - 100);
		if (round == 1) {
			ASSERT_EQ(0, fsync(self->fd));
		}
		munmap(map, FS_BLOCK);
		if (round == 2) {
			ASSERT_EQ(0, put(self->fd, 3000, 5000, 1));
		} else {
			ASSERT_EQ(0, ftruncate(self->fd, 8000));
		}
		EXPECT_EQ(0, fs_verify(self->fd, 0, 100, 1));
		EXPECT_EQ(0, fs_verify_zero(self->fd, 100, 2900));
		ASSERT_EQ(0, fs_drop_caches());
		EXPECT_EQ(8000, size_of(self->fd));
		EXPECT_EQ(0, fs_verify(self->fd, 0, 100, 1));
		EXPECT_EQ(0, fs_verify_zero(self->fd, 100, 2900));
	}
}

/* Growing within a block makes the file just as long as was asked for. */
TEST_F(io, growing_within_a_block)
{
	ASSERT_EQ(0, put(self->fd, 0, 100, 1));
	ASSERT_EQ(0, fsync(self->fd));
	ASSERT_EQ(0, put(self->fd, 150, 10, 1));
	EXPECT_EQ(160, size_of(self->fd));
	ASSERT_EQ(0, ftruncate(self->fd, 200));
	EXPECT_EQ(200, size_of(self->fd));
	ASSERT_EQ(0, ftruncate(self->fd, 180));
	EXPECT_EQ(180, size_of(self->fd));
	ASSERT_EQ(0, fs_drop_caches());
	EXPECT_EQ(180, size_of(self->fd));
	EXPECT_EQ(0, fs_verify_zero(self->fd, 100, 50));
	EXPECT_EQ(0, fs_verify(self->fd, 150, 10, 1));
	EXPECT_EQ(0, fs_verify_zero(self->fd, 160, 20));
}

TEST_F(io, mapped_tail_is_zero_after_truncate)
{
	char *map;

	ASSERT_EQ(0, put(self->fd, 0, 8000, 1));
	ASSERT_EQ(0, fsync(self->fd));
	ASSERT_EQ(0, ftruncate(self->fd, 5000));
	ASSERT_EQ(0, fs_drop_caches());
	map = mmap(NULL, 2 * FS_BLOCK, PROT_READ, MAP_SHARED, self->fd, 0);
	ASSERT_NE(MAP_FAILED, map);
	EXPECT_EQ(-1, fs_compare(map, 5000, 0, 1));
	EXPECT_EQ(-1, fs_nonzero(map + 5000, 2 * FS_BLOCK - 5000));
	munmap(map, 2 * FS_BLOCK);
}

TEST_F(io, sparse_files)
{
	ASSERT_EQ(0, put(self->fd, 1 * MB, 5000, 1));
	ASSERT_EQ(0, put(self->fd, 1000LL * MB, 5000, 2));
	EXPECT_EQ(1000LL * MB + 5000, size_of(self->fd));
	EXPECT_GE(200 * KB, used_by(self->fd));
	ASSERT_EQ(0, fs_drop_caches());
	EXPECT_EQ(0, fs_verify_zero(self->fd, 0, 1 * MB));
	EXPECT_EQ(0, fs_verify(self->fd, 1 * MB, 5000, 1));
	EXPECT_EQ(0, fs_verify_zero(self->fd, 1 * MB + 5000, 100000));
	EXPECT_EQ(0, fs_verify(self->fd, 1000LL * MB, 5000, 2));
}

TEST_F(io, seek_hole_and_data)
{
	ASSERT_EQ(0, put(self->fd, 256 * KB, 64 * KB, 1));
	ASSERT_EQ(0, put(self->fd, 768 * KB, 64 * KB, 1));
	ASSERT_EQ(0, ftruncate(self->fd, 1 * MB));
	EXPECT_EQ(0, lseek(self->fd, 0, SEEK_HOLE));
	EXPECT_EQ(256 * KB, lseek(self->fd, 0, SEEK_DATA));
	EXPECT_EQ(320 * KB, lseek(self->fd, 256 * KB, SEEK_HOLE));
	EXPECT_EQ(768 * KB, lseek(self->fd, 320 * KB, SEEK_DATA));
	EXPECT_EQ(832 * KB, lseek(self->fd, 800 * KB, SEEK_HOLE));
	EXPECT_EQ(-1, lseek(self->fd, 832 * KB, SEEK_DATA));
	EXPECT_EQ(ENXIO, errno);
	EXPECT_EQ(-1, lseek(self->fd, 1 * MB, SEEK_HOLE));
	EXPECT_EQ(ENXIO, errno);
	ASSERT_EQ(0, fs_drop_caches());
	EXPECT_EQ(256 * KB, lseek(self->fd, 0, SEEK_DATA));
	EXPECT_EQ(320 * KB, lseek(self->fd, 256 * KB, SEEK_HOLE));
}

TEST_F(io, seek_sees_dirty_preallocated_data)
{
	ASSERT_EQ(0, fallocate(self->fd, 0, 0, 1 * MB));
	EXPECT_EQ(-1, lseek(self->fd, 0, SEEK_DATA));
	EXPECT_EQ(ENXIO, errno);
	ASSERT_EQ(0, put(self->fd, 512 * KB, 4 * KB, 1));
	EXPECT_EQ(512 * KB, lseek(self->fd, 0, SEEK_DATA));
	EXPECT_EQ(516 * KB, lseek(self->fd, 512 * KB, SEEK_HOLE));
	ASSERT_EQ(0, fsync(self->fd));
	EXPECT_EQ(512 * KB, lseek(self->fd, 0, SEEK_DATA));
}

TEST_F(io, preallocation)
{
	ASSERT_EQ(0, fallocate(self->fd, 0, 0, 1 * MB));
	EXPECT_EQ(1 * MB, size_of(self->fd));
	EXPECT_LE(1 * MB, used_by(self->fd));
	EXPECT_EQ(0, fs_verify_zero(self->fd, 0, 1 * MB));
	ASSERT_EQ(0, put(self->fd, 100000, 50000, 1));
	ASSERT_EQ(0, fs_drop_caches());
	EXPECT_EQ(0, fs_verify_zero(self->fd, 0, 100000));
	EXPECT_EQ(0, fs_verify(self->fd, 100000, 50000, 1));
	EXPECT_EQ(0, fs_verify_zero(self->fd, 150000, 1 * MB - 150000));
}

TEST_F(io, preallocation_behind_the_end)
{
	ASSERT_EQ(0, put(self->fd, 0, 100, 1));
	ASSERT_EQ(0, fallocate(self->fd, FALLOC_FL_KEEP_SIZE, 0, 1 * MB));
	EXPECT_EQ(100, size_of(self->fd));
	EXPECT_LE(1 * MB, used_by(self->fd));
	ASSERT_EQ(0, put(self->fd, 500000, 100, 1));
	EXPECT_EQ(500100, size_of(self->fd));
	ASSERT_EQ(0, fs_drop_caches());
	EXPECT_EQ(0, fs_verify_zero(self->fd, 100, 499900));
	ASSERT_EQ(0, ftruncate(self->fd, 500100));
	EXPECT_GT(600 * KB, used_by(self->fd));
}

TEST_F(io, punching_holes)
{
	const int mode = FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE;
	off_t used;

	ASSERT_EQ(0, put(self->fd, 0, 1 * MB, 1));
	used = used_by(self->fd);
	ASSERT_EQ(0, fallocate(self->fd, mode, 100001, 500000));
	EXPECT_EQ(1 * MB, size_of(self->fd));
	EXPECT_GE(used - 300000, used_by(self->fd));
	EXPECT_EQ(0, fs_verify(self->fd, 0, 100001, 1));
	EXPECT_EQ(0, fs_verify_zero(self->fd, 100001, 500000));
	EXPECT_EQ(0, fs_verify(self->fd, 600001, 1 * MB - 600001, 1));
	ASSERT_EQ(0, fs_drop_caches());
	EXPECT_EQ(0, fs_verify(self->fd, 0, 100001, 1));
	EXPECT_EQ(0, fs_verify_zero(self->fd, 100001, 500000));
	EXPECT_EQ(0, fs_verify(self->fd, 600001, 1 * MB - 600001, 1));
	/* inside of one block */
	ASSERT_EQ(0, fallocate(self->fd, mode, 700010, 20));
	EXPECT_EQ(0, fs_verify(self->fd, 600001, 100009, 1));
	EXPECT_EQ(0, fs_verify_zero(self->fd, 700010, 20));
	EXPECT_EQ(0, fs_verify(self->fd, 700030, 1 * MB - 700030, 1));
}

TEST_F(io, punching_unsynced_data)
{
	const int mode = FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE;

	ASSERT_EQ(0, put(self->fd, 0, 100000, 1));
	ASSERT_EQ(0, fallocate(self->fd, mode, 10000, 50000));
	ASSERT_EQ(0, put(self->fd, 20000, 1000, 2));
	ASSERT_EQ(0, fs_drop_caches());
	EXPECT_EQ(0, fs_verify(self->fd, 0, 10000, 1));
	EXPECT_EQ(0, fs_verify_zero(self->fd, 10000, 10000));
	EXPECT_EQ(0, fs_verify(self->fd, 20000, 1000, 2));
	EXPECT_EQ(0, fs_verify_zero(self->fd, 21000, 39000));
	EXPECT_EQ(0, fs_verify(self->fd, 60000, 40000, 1));
}

TEST_F(io, zeroing_ranges)
{
	ASSERT_EQ(0, put(self->fd, 0, 100000, 1));
	ASSERT_EQ(0, fallocate(self->fd, FALLOC_FL_ZERO_RANGE |
			       FALLOC_FL_KEEP_SIZE, 90000, 50000));
	EXPECT_EQ(100000, size_of(self->fd));
	ASSERT_EQ(0, fallocate(self->fd, FALLOC_FL_ZERO_RANGE, 5000, 20000));
	ASSERT_EQ(0, fs_drop_caches());
	EXPECT_EQ(0, fs_verify(self->fd, 0, 5000, 1));
	EXPECT_EQ(0, fs_verify_zero(self->fd, 5000, 20000));
	EXPECT_EQ(0, fs_verify(self->fd, 25000, 65000, 1));
	EXPECT_EQ(0, fs_verify_zero(self->fd, 90000, 10000));
	ASSERT_EQ(0, fallocate(self->fd, FALLOC_FL_ZERO_RANGE, 95000, 20000));
	EXPECT_EQ(115000, size_of(self->fd));
	EXPECT_EQ(0, fs_verify_zero(self->fd, 90000, 25000));
}

TEST_F(io, fallocate_modes_that_do_not_exist)
{
	ASSERT_EQ(0, put(self->fd, 0, 100000, 1));
	if (!fs_is_vexfs())
		SKIP(return, "other filesystems have them");
	EXPECT_EQ(-1, fallocate(self->fd, FALLOC_FL_UNSHARE_RANGE, 0, 4096));
	EXPECT_EQ(EOPNOTSUPP, errno);
}

TEST_F(io, fiemap_tells_extents)
{
	struct {
		struct fiemap fm;
		struct fiemap_extent ext[8];
	} map = { .fm = { .fm_length = ~0ull, .fm_flags = FIEMAP_FLAG_SYNC,
			  .fm_extent_count = 8 } };

	ASSERT_EQ(0, put(self->fd, 64 * KB, 64 * KB, 1));
	ASSERT_EQ(0, fallocate(self->fd, 0, 256 * KB, 64 * KB));
	ASSERT_EQ(0, ioctl(self->fd, FS_IOC_FIEMAP, &map));
	ASSERT_EQ(2, map.fm.fm_mapped_extents);
	EXPECT_EQ(64 * KB, map.ext[0].fe_logical);
	EXPECT_EQ(64 * KB, map.ext[0].fe_length);
	EXPECT_EQ(0, map.ext[0].fe_flags);
	EXPECT_EQ(256 * KB, map.ext[1].fe_logical);
	EXPECT_EQ(FIEMAP_EXTENT_UNWRITTEN | FIEMAP_EXTENT_LAST,
		  map.ext[1].fe_flags);
}

/* What is behind the end of the file is one hole, not a hundred thousand. */
TEST_F(io, fiemap_to_the_end_is_quick)
{
	struct fiemap fm = { .fm_length = ~0ull };
	struct timespec ts;
	int i;

	ASSERT_EQ(0, put(self->fd, 0, 4 * KB, 1));
	ASSERT_EQ(0, clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts));
	for (i = 0; i < 50; i++)
		ASSERT_EQ(0, ioctl(self->fd, FS_IOC_FIEMAP, &fm));
	EXPECT_EQ(1, fm.fm_mapped_extents);
	i = (int)ts.tv_sec;
	ASSERT_EQ(0, clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts));
	EXPECT_GE(i + 2, ts.tv_sec);
}

TEST_F(io, direct_writes)
{
	int fd = open("f", O_RDWR | O_DIRECT);

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, put(fd, 0, 256 * KB, 1));
	EXPECT_EQ(256 * KB, size_of(fd));
	EXPECT_EQ(0, fs_verify(self->fd, 0, 256 * KB, 1));
	/* over cached data, into a hole, over preallocated blocks */
	ASSERT_EQ(0, put(fd, 64 * KB, 64 * KB, 2));
	EXPECT_EQ(0, fs_verify(self->fd, 64 * KB, 64 * KB, 2));
	ASSERT_EQ(0, put(fd, 512 * KB, 64 * KB, 3));
	ASSERT_EQ(0, fallocate(fd, 0, 1 * MB, 256 * KB));
	ASSERT_EQ(0, put(fd, 1088 * KB, 64 * KB, 4));
	ASSERT_EQ(0, fs_drop_caches());
	EXPECT_EQ(0, fs_verify(self->fd, 0, 64 * KB, 1));
	EXPECT_EQ(0, fs_verify(self->fd, 64 * KB, 64 * KB, 2));
	EXPECT_EQ(0, fs_verify_zero(self->fd, 256 * KB, 256 * KB));
	EXPECT_EQ(0, fs_verify(self->fd, 512 * KB, 64 * KB, 3));
	EXPECT_EQ(0, fs_verify_zero(self->fd, 1 * MB, 64 * KB));
	EXPECT_EQ(0, fs_verify(self->fd, 1088 * KB, 64 * KB, 4));
	close(fd);
}

TEST_F(io, direct_reads_see_buffered_writes)
{
	int fd = open("f", O_RDONLY | O_DIRECT);
	void *buf = fs_aligned(128 * KB);

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, put(self->fd, 0, 100000, 1));
	ASSERT_EQ(100000, pread(fd, buf, 128 * KB, 0));
	EXPECT_EQ(-1, fs_compare(buf, 100000, 0, 1));
	ASSERT_EQ(0, ftruncate(self->fd, 1 * MB));
	ASSERT_EQ(128 * KB, pread(fd, buf, 128 * KB, 512 * KB));
	EXPECT_EQ(-1, fs_nonzero(buf, 128 * KB));
	free(buf);
	close(fd);
}

TEST_F(io, direct_writes_of_sectors)
{
	int fd = open("f", O_RDWR | O_DIRECT);

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, put(fd, 512, 512, 1));
	EXPECT_EQ(1024, size_of(fd));
	ASSERT_EQ(0, put(fd, 10240, 1024, 2));
	EXPECT_EQ(11264, size_of(fd));
	ASSERT_EQ(0, fs_drop_caches());
	EXPECT_EQ(0, fs_verify_zero(self->fd, 0, 512));
	EXPECT_EQ(0, fs_verify(self->fd, 512, 512, 1));
	EXPECT_EQ(0, fs_verify_zero(self->fd, 1024, 10240 - 1024));
	EXPECT_EQ(0, fs_verify(self->fd, 10240, 1024, 2));
	EXPECT_EQ(-1, put(fd, 100, 512, 1));
	EXPECT_EQ(EINVAL, errno);
	close(fd);
}

TEST_F(io, mapped_writes)
{
	char *map;

	ASSERT_EQ(0, ftruncate(self->fd, 300000));
	map = mmap(NULL, 300000, PROT_READ | PROT_WRITE, MAP_SHARED, self->fd,
		   0);
	ASSERT_NE(MAP_FAILED, map);
	fs_fill(map, 150000, 0, 1);
	EXPECT_EQ(0, fs_verify(self->fd, 0, 150000, 1));
	ASSERT_EQ(0, put(self->fd, 200000, 10000, 2));
	EXPECT_EQ(-1, fs_compare(map + 200000, 10000, 200000, 2));
	ASSERT_EQ(0, msync(map, 300000, MS_SYNC));
	ASSERT_EQ(0, munmap(map, 300000));
	ASSERT_EQ(0, fs_drop_caches());
	EXPECT_EQ(300000, size_of(self->fd));
	EXPECT_EQ(0, fs_verify(self->fd, 0, 150000, 1));
	EXPECT_EQ(0, fs_verify_zero(self->fd, 150000, 50000));
	EXPECT_EQ(0, fs_verify(self->fd, 200000, 10000, 2));
	EXPECT_EQ(0, fs_verify_zero(self->fd, 210000, 90000));
}

TEST_F(io, private_mapping_changes_nothing)
{
	char *map;

	ASSERT_EQ(0, put(self->fd, 0, 8192, 1));
	map = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE, self->fd,
		   0);
	ASSERT_NE(MAP_FAILED, map);
	memset(map, 'x', 8192);
	munmap(map, 8192);
	EXPECT_EQ(0, fs_verify(self->fd, 0, 8192, 1));
}

TEST_F(io, vectors_and_sendfile)
{
	struct iovec iov[3];
	char bufs[3][5000];
	int i, out;

	for (i = 0; i < 3; i++) {
		fs_fill(bufs[i], 5000, i * 5000, 1);
		iov[i] = (struct iovec){ bufs[i], 5000 };
	}
	ASSERT_EQ(15000, pwritev(self->fd, iov, 3, 0));
	EXPECT_EQ(0, fs_verify(self->fd, 0, 15000, 1));
	out = open("copy", O_CREAT | O_RDWR, 0644);
	ASSERT_LE(0, out);
	ASSERT_EQ(15000, sendfile(out, self->fd, NULL, 20000));
	EXPECT_EQ(0, fs_verify(out, 0, 15000, 1));
	ASSERT_EQ(15000, copy_file_range(self->fd, &(off_t){ 0 }, out,
					 &(off_t){ 15000 }, 15000, 0));
	EXPECT_EQ(30000, size_of(out));
	close(out);
}

TEST_F(io, syncing_calls)
{
	int fd;

	ASSERT_EQ(0, put(self->fd, 0, 100000, 1));
	EXPECT_EQ(0, fdatasync(self->fd));
	EXPECT_EQ(0, fsync(self->fd));
	EXPECT_EQ(0, syncfs(self->fd));
	EXPECT_EQ(0, sync_file_range(self->fd, 0, 0, SYNC_FILE_RANGE_WRITE));
	fd = open("f", O_RDWR | O_SYNC);
	ASSERT_LE(0, fd);
	EXPECT_EQ(0, put(fd, 50000, 100000, 2));
	close(fd);
	fd = open("f", O_RDWR | O_DSYNC | O_DIRECT);
	ASSERT_LE(0, fd);
	EXPECT_EQ(0, put(fd, 0, 64 * KB, 3));
	close(fd);
	fd = open(".", O_RDONLY | O_DIRECTORY);
	ASSERT_LE(0, fd);
	EXPECT_EQ(0, fsync(fd));
	EXPECT_EQ(0, fdatasync(fd));
	close(fd);
}

TEST_F(io, largest_file)
{
	const off_t max = (16ll << 40) - FS_BLOCK;
	struct stat st;

	if (!fs_is_vexfs())
		SKIP(return, "other filesystems have other limits");
	ASSERT_EQ(0, put(self->fd, max - 5000, 5000, 1));
	EXPECT_EQ(-1, put(self->fd, max, 1, 1));
	EXPECT_EQ(EFBIG, errno);
	EXPECT_EQ(-1, ftruncate(self->fd, max + 1));
	ASSERT_EQ(0, fs_drop_caches());
	ASSERT_EQ(0, fstat(self->fd, &st));
	EXPECT_EQ(max, st.st_size);
	EXPECT_EQ(0, fs_verify(self->fd, max - 5000, 5000, 1));
	ASSERT_EQ(0, ftruncate(self->fd, 0));
	EXPECT_EQ(0, used_by(self->fd));
}

/* Many extents: every second block, written backwards. */
TEST_F(io, many_extents)
{
	const int blocks = 3000;
	int i;

	for (i = blocks - 1; i >= 0; i--)
		ASSERT_EQ(0, put(self->fd, 2LL * i * FS_BLOCK, FS_BLOCK, i));
	ASSERT_EQ(0, fs_drop_caches());
	for (i = 0; i < blocks; i++) {
		ASSERT_EQ(0, fs_verify(self->fd, 2LL * i * FS_BLOCK, FS_BLOCK,
				       i));
		if (i == blocks - 1)
			break;
		ASSERT_EQ(0, fs_verify_zero(self->fd, (2LL * i + 1) * FS_BLOCK,
					    FS_BLOCK));
	}
	ASSERT_EQ(0, ftruncate(self->fd, 100 * FS_BLOCK));
	EXPECT_EQ(0, fs_verify(self->fd, 98 * FS_BLOCK, FS_BLOCK, 49));
	ASSERT_EQ(0, ftruncate(self->fd, 0));
	EXPECT_EQ(0, used_by(self->fd));
}

TEST_F(io, read_only_remount)
{
	if (geteuid() || !fs_is_vexfs())
		SKIP(return, "needs root and a volume of its own");
	ASSERT_EQ(0, put(self->fd, 0, 5000, 1));
	EXPECT_EQ(-1, mount(NULL, fs_mnt(), NULL, MS_REMOUNT | MS_RDONLY,
			    NULL));
	EXPECT_EQ(EBUSY, errno);
	close(self->fd);
	self->fd = -1;
	ASSERT_EQ(0, mount(NULL, fs_mnt(), NULL, MS_REMOUNT | MS_RDONLY,
			   NULL));
	EXPECT_EQ(-1, open("f", O_RDWR));
	EXPECT_EQ(EROFS, errno);
	EXPECT_EQ(-1, unlink("f"));
	EXPECT_EQ(EROFS, errno);
	EXPECT_EQ(-1, mkdir("d", 0755));
	EXPECT_EQ(EROFS, errno);
	EXPECT_EQ(-1, chmod("f", 0600));
	EXPECT_EQ(EROFS, errno);
	self->fd = open("f", O_RDONLY);
	ASSERT_LE(0, self->fd);
	EXPECT_EQ(0, fs_verify(self->fd, 0, 5000, 1));
	ASSERT_EQ(0, mount(NULL, fs_mnt(), NULL, MS_REMOUNT, NULL));
	EXPECT_EQ(0, mkdir("d", 0755));
}

/* Appends until the volume is full; the file's size, -1 for another error. */
static off_t fill_up(int fd, size_t step)
{
	off_t pos = lseek(fd, 0, SEEK_END);
	char *buf = malloc(step);
	ssize_t n;

	memset(buf, 'x', step);
	while ((n = pwrite(fd, buf, step, pos)) > 0)
		pos += n;
	free(buf);
	return errno == ENOSPC ? pos : -1;
}

/* Takes all that files may have of the volume but so much; 0 or -1. */
static int leave_free(off_t left)
{
	struct statvfs st;
	off_t most;
	int fd, ret;

	fd = open("ballast", O_CREAT | O_WRONLY, 0644);
	if (fd < 0 || fstatvfs(fd, &st))
		return -1;
	most = (off_t)st.f_bavail * st.f_frsize - left;
	ret = most > 0 ? fallocate(fd, 0, 0, most) : 0;
	close(fd);
	return ret;
}

TEST_F(io, no_space_and_space_again)
{
	uint64_t free_before;
	off_t first, second;
	int fd;

	if (!fs_is_vexfs())
		SKIP(return, "would fill somebody's disk");
	ASSERT_EQ(0, leave_free(100 * MB));
	sync();
	free_before = fs_free_bytes();
	ASSERT_EQ(0, put(self->fd, 0, 100000, 1));
	fd = open("big", O_CREAT | O_RDWR, 0644);
	ASSERT_LE(0, fd);
	first = fill_up(fd, 1 * MB);
	ASSERT_LT(0, first);
	first = fill_up(fd, FS_BLOCK);
	ASSERT_LT(0, first);
	EXPECT_EQ(first, size_of(fd));
	/* what was written is still good */
	EXPECT_EQ(0, fsync(fd));
	EXPECT_EQ(0, fs_verify(self->fd, 0, 100000, 1));
	EXPECT_EQ(0, fsync(self->fd));
	/* overwriting and deleting need no space */
	EXPECT_EQ(0, put(self->fd, 0, 100000, 2));
	EXPECT_EQ(0, fsync(self->fd));
	close(fd);
	ASSERT_EQ(0, unlink("big"));
	/* at once: what was freed comes back with a commit by itself */
	fd = open("big", O_CREAT | O_RDWR, 0644);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, put(fd, 0, 1 * MB, 1));
	second = fill_up(fd, 1 * MB);
	EXPECT_LE(first - 2 * MB, second);
	close(fd);
	ASSERT_EQ(0, unlink("big"));
	ASSERT_EQ(0, ftruncate(self->fd, 0));
	sync();
	EXPECT_EQ(free_before, fs_free_bytes());
}

TEST_F(io, mapping_a_full_volume)
{
	char *map;
	pid_t pid;
	int fd, status;

	if (!fs_is_vexfs())
		SKIP(return, "would fill somebody's disk");
	ASSERT_EQ(0, ftruncate(self->fd, 4 * MB));
	ASSERT_EQ(0, leave_free(32 * MB));
	fd = open("big", O_CREAT | O_RDWR, 0644);
	ASSERT_LE(0, fd);
	ASSERT_LT(0, fill_up(fd, 64 * KB));
	ASSERT_LE(0, fill_up(fd, FS_BLOCK));
	pid = fork();
	if (!pid) {
		map = mmap(NULL, 4 * MB, PROT_READ | PROT_WRITE, MAP_SHARED,
			   self->fd, 0);
		signal(SIGBUS, SIG_DFL);
		memset(map, 1, 4 * MB);
		_exit(0);
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_TRUE(WIFSIGNALED(status));
	EXPECT_EQ(SIGBUS, WTERMSIG(status));
	close(fd);
	ASSERT_EQ(0, unlink("big"));
	ASSERT_EQ(0, put(self->fd, 0, 4 * MB, 1));
	EXPECT_EQ(0, fs_verify(self->fd, 0, 4 * MB, 1));
}

TEST_HARNESS_MAIN

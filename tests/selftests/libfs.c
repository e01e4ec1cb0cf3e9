// SPDX-License-Identifier: GPL-2.0
/*
 * Helpers of the tests that use VexFS as a filesystem.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "libfs.h"

#define VEXFS_SUPER_MAGIC	0x56455846
#define KSFT_SKIP		4

const char *fs_mnt(void)
{
	const char *mnt = getenv("VEXFS_MNT");

	if (mnt && *mnt)
		return mnt;
	printf("1..0 # SKIP VEXFS_MNT is not set\n");
	exit(KSFT_SKIP);
}

bool fs_is_vexfs(void)
{
	struct statfs st;

	return !statfs(fs_mnt(), &st) && st.f_type == VEXFS_SUPER_MAGIC;
}

int fs_enter(char *path, size_t size)
{
	snprintf(path, size, "%s/t.XXXXXX", fs_mnt());
	if (!mkdtemp(path))
		return -1;
	return chdir(path);
}

static int remove_one(const char *path, const struct stat *st, int type,
		      struct FTW *ftw)
{
	return remove(path);
}

int fs_leave(const char *path)
{
	if (chdir("/"))
		return -1;
	return nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static uint64_t mix(uint64_t x)
{
	x ^= x >> 33;
	x *= 0xff51afd7ed558ccdull;
	x ^= x >> 33;
	x *= 0xc4ceb9fe1a85ec53ull;
	return x ^ (x >> 33);
}

/* Never 0, so that it is told from a hole. @word is kept from byte to byte. */
static uint8_t byte_at(off_t pos, uint32_t seed, bool first, uint64_t *word)
{
	if (first || !(pos & 7))
		*word = mix(((uint64_t)seed << 40) ^ (uint64_t)(pos >> 3));
	return (*word >> (8 * (pos & 7))) | 1;
}

void fs_fill(void *buf, size_t len, off_t pos, uint32_t seed)
{
	uint8_t *p = buf;
	uint64_t word;
	size_t i;

	for (i = 0; i < len; i++)
		p[i] = byte_at(pos + i, seed, !i, &word);
}

ssize_t fs_compare(const void *buf, size_t len, off_t pos, uint32_t seed)
{
	const uint8_t *p = buf;
	uint64_t word;
	size_t i;

	for (i = 0; i < len; i++)
		if (p[i] != byte_at(pos + i, seed, !i, &word))
			return i;
	return -1;
}

ssize_t fs_nonzero(const void *buf, size_t len)
{
	const uint8_t *p = buf;
	size_t i;

	for (i = 0; i < len; i++)
		if (p[i])
			return i;
	return -1;
}

int fs_make(const char *name, size_t len, uint32_t seed)
{
	int fd = open(name, O_CREAT | O_TRUNC | O_WRONLY, 0644);
	uint8_t buf[FS_BLOCK];
	size_t pos, n;

	if (fd < 0)
		return -1;
	for (pos = 0; pos < len; pos += n) {
		n = len - pos < sizeof(buf) ? len - pos : sizeof(buf);
		fs_fill(buf, n, pos, seed);
		if (pwrite(fd, buf, n, pos) != (ssize_t)n) {
			close(fd);
			return -1;
		}
	}
	return close(fd);
}

typedef ssize_t (*check_fn)(const void *buf, size_t len, off_t pos,
			    uint32_t seed);

static ssize_t check_zero(const void *buf, size_t len, off_t pos,
			  uint32_t seed)
{
	return fs_nonzero(buf, len);
}

static int verify(int fd, off_t pos, size_t len, uint32_t seed,
		  check_fn check)
{
	uint8_t buf[16 * FS_BLOCK];
	ssize_t n, bad;

	while (len) {
		n = pread(fd, buf, len < sizeof(buf) ? len : sizeof(buf), pos);
		if (n <= 0) {
			printf("# read at %lld: %zd, errno %d\n",
			       (long long)pos, n, errno);
			return -1;
		}
		bad = check(buf, n, pos, seed);
		if (bad >= 0) {
			printf("# byte %lld is %02x\n",
			       (long long)(pos + bad), buf[bad]);
			return -1;
		}
		pos += n;
		len -= n;
	}
	return 0;
}

int fs_verify(int fd, off_t pos, size_t len, uint32_t seed)
{
	return verify(fd, pos, len, seed, fs_compare);
}

int fs_verify_zero(int fd, off_t pos, size_t len)
{
	return verify(fd, pos, len, 0, check_zero);
}

void *fs_aligned(size_t len)
{
	void *p = NULL;

	if (posix_memalign(&p, FS_BLOCK, len))
		return NULL;
	memset(p, 0, len);
	return p;
}

int fs_drop_caches(void)
{
	int fd, ret;

	sync();
	fd = open("/proc/sys/vm/drop_caches", O_WRONLY);
	if (fd < 0)
		return -1;
	ret = write(fd, "3\n", 2) == 2 ? 0 : -1;
	close(fd);
	return ret;
}

uint64_t fs_free_bytes(void)
{
	struct statvfs st;

	if (statvfs(fs_mnt(), &st))
		return 0;
	return (uint64_t)st.f_bfree * st.f_frsize;
}

uint32_t fs_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state >> 16;
}

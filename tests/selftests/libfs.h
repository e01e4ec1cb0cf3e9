/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Helpers of the tests that use VexFS as a filesystem: where it is mounted,
 * contents that can be told apart, and a directory for each test.
 */
#ifndef VEXFS_SELFTEST_LIBFS_H
#define VEXFS_SELFTEST_LIBFS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define FS_BLOCK	4096

/* The mount point, from VEXFS_MNT; exits with "skip" when there is none. */
const char *fs_mnt(void);
/* True when that is a VexFS volume: some tests would harm any other. */
bool fs_is_vexfs(void);
/* A new directory on the volume, which becomes the current one. */
int fs_enter(char *path, size_t size);
/* Leaves it and removes it with all that is in it. */
int fs_leave(const char *path);

/* Bytes that depend on @seed and on where in the file they are. */
void fs_fill(void *buf, size_t len, off_t pos, uint32_t seed);
/* Offset of the first byte that differs, or -1. */
ssize_t fs_compare(const void *buf, size_t len, off_t pos, uint32_t seed);
/* Offset of the first byte that is not zero, or -1. */
ssize_t fs_nonzero(const void *buf, size_t len);

/* A file of @len such bytes, closed; 0 or -1. */
int fs_make(const char *name, size_t len, uint32_t seed);
/* 0 when [pos, pos + len) of the file is as fs_fill() makes it. */
int fs_verify(int fd, off_t pos, size_t len, uint32_t seed);
/* 0 when it is zeroes. */
int fs_verify_zero(int fd, off_t pos, size_t len);
/* Aligned for direct I/O; the caller frees it. */
void *fs_aligned(size_t len);
/* Drops clean pages, dentries and inodes: what follows comes from disk. */
int fs_drop_caches(void);
/* Free bytes of the volume. */
uint64_t fs_free_bytes(void);

/* xorshift: the same sequence for the same seed everywhere. */
uint32_t fs_random(uint64_t *state);

#endif

// SPDX-License-Identifier: GPL-2.0
/*
 * What the volumes hold before they are damaged: one of everything.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "fuzz.h"
#include "libcoll.h"
#include "libvol.h"

#define BLOCK	4096
#define NAMES	150
#define ROWS	200
#define DIMS	16

/* The volume is sound: all has to work. */
static void must(bool good, const char *what)
{
	if (good)
		return;
	printf("# making a volume: %s: %s\n", what, strerror(errno));
	exit(1);
}

static int file(const char *name)
{
	int fd = open(name, O_RDWR | O_CREAT | O_EXCL, 0644);

	must(fd >= 0, name);
	return fd;
}

static void put(int fd, off_t block, unsigned int blocks)
{
	size_t len = (size_t)blocks * BLOCK;

	must(pwrite(fd, mf_buf, len, block * BLOCK) == (ssize_t)len, "write");
}

static void files(void)
{
	int fd = file("file"), i;

	put(fd, 0, 20);
	close(fd);
	must(!link("file", "link"), "link");
	fd = file("other");
	put(fd, 0, 7);
	close(fd);
	/* Holes keep the extents apart. */
	fd = file("extents");
	for (i = 0; i < 300; i++)
		put(fd, 32 * i, 1);
	close(fd);
	fd = file("sparse");
	put(fd, 1000, 3);
	must(!fallocate(fd, 0, 2000 * BLOCK, 50 * BLOCK), "fallocate");
	close(fd);
	must(!symlink("file", "fast"), "symlink");
	memset(mf_buf, 's', 200);
	mf_buf[200] = 0;
	must(!symlink((char *)mf_buf, "slow"), "symlink");
	must(!mknod("dev", S_IFCHR | 0600, makedev(1, 3)), "mknod");
	must(!mknod("fifo", S_IFIFO | 0600, 0), "mknod");
	must(!chown("file", 1000, 100) && !chown("other", 1000, 200), "chown");
}

static void directories(void)
{
	char name[80];
	int i;

	must(!mkdir("dir", 0755), "mkdir");
	for (i = 0; i < NAMES; i++) {
		sprintf(name, "dir/a file with a name of some length %d", i);
		close(file(name));
	}
	must(!mkdir("dir/sub", 0755) && !mkdir("dir/sub/subsub", 0755) &&
	     !mkdir("empty", 0755), "mkdir");
	close(file("dir/sub/subsub/bottom"));
	must(!link("file", "dir/sub/link to file"), "link");
}

static void xattrs(void)
{
	/* Version 2: user rw, user 1000 r, group r, mask r, others none */
	static const struct {
		uint32_t version;
		struct { uint16_t tag, perm; uint32_t id; } e[5];
	} acl = { 2, { { 1, 6, ~0u }, { 2, 4, 1000 }, { 4, 4, ~0u },
		       { 16, 4, ~0u }, { 32, 0, ~0u } } };
	struct fsxattr fx;
	char name[16];
	int fd = file("xattrs"), i;

	for (i = 0; i < 8; i++) {
		sprintf(name, "user.mid%d", i);
		must(!fsetxattr(fd, name, mf_buf, 100, 0), name);
	}
	must(!fsetxattr(fd, "user.big", mf_buf, 9000, 0), "big xattr");
	must(!fsetxattr(fd, "system.posix_acl_access", &acl, sizeof(acl), 0),
	     "acl");
	must(!setxattr("dir", "system.posix_acl_default", &acl, sizeof(acl),
		       0), "default acl");
	must(!setxattr("file", "user.small", "value", 5, 0), "inline xattr");
	must(!setxattr("other", "trusted.small", "value", 5, 0), "xattr");
	must(!ioctl(fd, FS_IOC_FSGETXATTR, &fx), "project");
	fx.fsx_projid = 42;
	must(!ioctl(fd, FS_IOC_FSSETXATTR, &fx), "project");
	close(fd);
}

static void insert(int fd, uint64_t first, uint32_t n)
{
	static float v[ROWS][DIMS];
	uint64_t id[ROWS];
	uint32_t i;

	for (i = 0; i < n; i++) {
		id[i] = first + i;
		coll_fill_cluster(v[i], DIMS, id[i], 10);
	}
	must(!coll_insert(fd, id, v[0], n, 0, NULL), "insert");
}

/* A checkpoint, made by closing it, and a log behind it. */
static void collection(const char *name, uint8_t metric, uint8_t index)
{
	uint64_t gone[3] = { 105, 120, 1003 };
	int fd = coll_create(name, DIMS, metric, index);

	must(fd >= 0, name);
	insert(fd, 100, ROWS);
	must(!coll_wait(fd, 60000), "wait");
	must(!fsync(fd), "fsync");
	close(fd);
	must(!vol_remount(MS_RDONLY, NULL) && !vol_remount(0, NULL),
	     "remount");
	fd = open(name, O_RDWR);
	must(fd >= 0, name);
	insert(fd, 1000, 30);
	must(!fsync(fd), "fsync");
	insert(fd, 2000, 30);
	must(coll_delete(fd, gone, 3, 0) == 3, "delete");
	must(!fsync(fd), "fsync");
	close(fd);
}

/* All that is so far is in its place on disk, and the journal empty. */
static void settle(int root)
{
	must(!syncfs(root) && !ioctl(root, FIFREEZE, 0) &&
	     !ioctl(root, FITHAW, 0), "freeze");
}

/* What only the journal has, and orphans; the journal stays as it is. */
static void leave_dirty(int root)
{
	uint32_t how = SHUTDOWN_NOLOGFLUSH;
	char name[64];
	int fd[3], i;

	for (i = 0; i < 3; i++) {
		sprintf(name, "orphan%d", i);
		fd[i] = file(name);
		put(fd[i], 0, 5 + 3 * i);
		must(!fsync(fd[i]) && !unlink(name), name);
	}
	for (i = 0; i < 20; i++) {
		sprintf(name, "dir/sub/late %d", i);
		close(file(name));
		sprintf(name, "dir/a file with a name of some length %d", i);
		must(!unlink(name), name);
	}
	must(!truncate("extents", 100 * 32 * BLOCK), "truncate");
	must(!setxattr("fifo", "trusted.late", mf_buf, 3000, 0), "xattr");
	must(!syncfs(root), "syncfs");
	must(!ioctl(root, FS_IOC_SHUTDOWN, &how), "shutdown");
	for (i = 0; i < 3; i++)
		close(fd[i]);
}

int mf_make(unsigned int which)
{
	int root;

	must(!chdir(mf_dir), mf_dir);
	root = open(".", O_RDONLY | O_DIRECTORY);
	must(root >= 0, mf_dir);
	files();
	directories();
	xattrs();
	collection("hnsw", VEXFS_L2, VEXFS_HNSW);
	collection("lsh", VEXFS_COSINE, VEXFS_LSH);
	settle(root);
	if (which)
		leave_dirty(root);
	close(root);
	return chdir("/");
}

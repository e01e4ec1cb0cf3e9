// SPDX-License-Identifier: GPL-2.0
/*
 * Looks at everything on a volume that may be damaged: any call may fail, none
 * may go on for ever.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/quota.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "fuzz.h"
#include "libcoll.h"

#define DEPTH		12
/* No directory of the volume can have as many. */
#define NAMES_MAX	100000
#define STEPS_MAX	400
/* Beyond these only some files of a directory are read. */
#define NAMES_READ	24

char mf_path[MF_PATHS][MF_PATH];
unsigned int mf_paths;

static sigjmp_buf fault;

static void on_fault(int sig)
{
	siglongjmp(fault, 1);
}

int mf_open(const char *path, int flags)
{
	struct stat st;

	if (MF_CALL(lstat, path, &st))
		return -1;
	if (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode))
		return -1;
	return (int)MF_CALL(open, path,
			    flags | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
}

static void look_xattrs(const char *path)
{
	static char names[65536];
	ssize_t len = MF_CALL(llistxattr, path, names, sizeof(names) - 1);
	char *name;

	if (len <= 0)
		return;
	names[len] = 0;
	for (name = names; name < names + len; name += strlen(name) + 1)
		MF_CALL(lgetxattr, path, name, mf_buf, MF_BUF);
}

/* Data and holes take turns, further and further. */
static void look_holes(int fd)
{
	off_t at = 0, next;
	int i;

	for (i = 0; i < STEPS_MAX; i++) {
		next = MF_CALL(lseek, fd, at, i & 1 ? SEEK_HOLE : SEEK_DATA);
		if (next < 0)
			return;
		if (next < at)
			mf_bad("lseek went back from %lld to %lld",
			       (long long)at, (long long)next);
		at = next;
	}
}

static void look_extents(int fd)
{
	union {
		struct fiemap fm;
		uint8_t room[sizeof(struct fiemap) +
			     64 * sizeof(struct fiemap_extent)];
	} u;
	struct fiemap_extent *last;
	uint64_t start = 0, end;
	int i;

	for (i = 0; i < STEPS_MAX / 8; i++) {
		memset(&u, 0, sizeof(u));
		u.fm.fm_start = start;
		u.fm.fm_length = FIEMAP_MAX_OFFSET - start;
		u.fm.fm_extent_count = 64;
		if (MF_CALL(ioctl, fd, FS_IOC_FIEMAP, &u) ||
		    !u.fm.fm_mapped_extents)
			return;
		last = &u.fm.fm_extents[u.fm.fm_mapped_extents - 1];
		end = last->fe_logical + last->fe_length;
		if (end <= start)
			mf_bad("fiemap stands still at %llu",
			       (unsigned long long)start);
		start = end;
		if (last->fe_flags & FIEMAP_EXTENT_LAST)
			return;
	}
}

static void look_mapped(int fd, off_t size)
{
	size_t len = (size_t)(size < 65536 ? size : 65536), i;
	volatile uint8_t *p;
	uint8_t sum = 0;

	if (!len)
		return;
	p = mmap(NULL, len, PROT_READ, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED)
		return;
	if (!sigsetjmp(fault, 1))
		for (i = 0; i < len; i += 4096)
			sum ^= p[i];
	munmap((void *)p, len);
}

static void look_data(int fd)
{
	struct stat st;
	off_t at;

	if (MF_CALL(fstat, fd, &st))
		return;
	MF_CALL(pread, fd, mf_buf, MF_BUF, 0);
	if (st.st_size > (off_t)MF_BUF) {
		at = (off_t)(mf_random() % (uint64_t)st.st_size);
		MF_CALL(pread, fd, mf_buf, MF_BUF / 2, at);
		MF_CALL(pread, fd, mf_buf, 65536, st.st_size - 60000);
	}
	look_holes(fd);
	look_extents(fd);
	if (!mf_below(3))
		look_mapped(fd, st.st_size);
}

static void look_coll(int fd)
{
	static struct vexfs_hit hits[50];
	static float query[4096];
	struct vexfs_info info;
	uint64_t ids[4] = { 100, 150, 1010, 2020 };
	uint64_t *all;
	uint8_t found[4];

	if (MF_CALL(coll_info, fd, &info) ||
	    info.dims > sizeof(query) / sizeof(query[0]))
		return;
	coll_fill_cluster(query, info.dims, mf_random() % 100, 10);
	MF_CALL(coll_search, fd, query, 10, 50, 0, hits);
	MF_CALL(coll_search, fd, query, 10, 0, VEXFS_SEARCH_EXACT, hits);
	MF_CALL(coll_get, fd, ids, 4, NULL, found);
	if (MF_CALL(coll_ids, fd, &all) >= 0)
		free(all);
	MF_CALL(coll_wait, fd, MF_WAIT_MS);
	MF_CALL(coll_search, fd, query, 50, 50, 0, hits);
}

static void look_flags(int fd)
{
	struct fsxattr fx;
	int flags;

	MF_CALL(ioctl, fd, FS_IOC_GETFLAGS, &flags);
	MF_CALL(ioctl, fd, FS_IOC_FSGETXATTR, &fx);
}

static void look_file(const char *path)
{
	int fd = mf_open(path, O_RDONLY);

	if (fd < 0)
		return;
	look_flags(fd);
	look_data(fd);
	look_coll(fd);
	close(fd);
}

static void remember(const char *path)
{
	if (mf_paths < MF_PATHS)
		snprintf(mf_path[mf_paths++], MF_PATH, "%s", path);
}

static void look_dir(const char *path, int depth);

static void look(const char *path, int depth, bool closely)
{
	struct stat st;
	char target[4200];

	remember(path);
	if (MF_CALL(lstat, path, &st))
		return;
	if (S_ISDIR(st.st_mode)) {
		look_xattrs(path);
		look_dir(path, depth + 1);
	} else if (closely) {
		look_xattrs(path);
		if (S_ISLNK(st.st_mode))
			MF_CALL(readlink, path, target, sizeof(target));
		else if (S_ISREG(st.st_mode))
			look_file(path);
	}
}

static void look_dir(const char *path, int depth)
{
	struct dirent *de;
	char sub[MF_PATH];
	long n = 0;
	DIR *dir;
	int len;

	if (depth > DEPTH)
		return;
	mf->call = "opendir";
	dir = opendir(path);
	if (!dir)
		return;
	while (1) {
		mf->call = "readdir";
		de = readdir(dir);
		if (!de)
			break;
		if (n++ > NAMES_MAX) {
			mf_bad("readdir of %s has no end", path);
			break;
		}
		if (!strcmp(de->d_name, ".") || !strcmp(de->d_name, ".."))
			continue;
		len = snprintf(sub, sizeof(sub), "%s/%s", path, de->d_name);
		if (len < (int)sizeof(sub))
			look(sub, depth, n < NAMES_READ || !mf_below(16));
	}
	closedir(dir);
}

/* By number, as NFS does: what has no name, or what isn't there. */
static void look_handles(void)
{
	union {
		struct file_handle fh;
		uint8_t room[sizeof(struct file_handle) + 16];
	} u;
	uint32_t id[4] = { };
	int i, fd, root = open(".", O_RDONLY | O_DIRECTORY), mount;

	if (root < 0)
		return;
	memset(&u, 0, sizeof(u));
	u.fh.handle_bytes = 16;
	if (!MF_CALL(name_to_handle_at, root, "", &u.fh, &mount, AT_EMPTY_PATH))
		for (i = 0; i < 6; i++) {
			memcpy(id, u.fh.f_handle, sizeof(id));
			id[0] = mf_below(400);
			id[1] = 0;
			id[2] = 0;
			memcpy(u.fh.f_handle, id, u.fh.handle_bytes);
			fd = (int)MF_CALL(open_by_handle_at, root, &u.fh,
					  O_RDONLY | O_NONBLOCK | O_PATH);
			if (fd >= 0)
				close(fd);
		}
	close(root);
}

static void look_quota(void)
{
	struct nextdqblk {
		struct dqblk dq;
		uint32_t id, pad;
	} next;
	int type, i, id;

	for (type = 0; type < 3; type++) {
		memset(&next, 0, sizeof(next));
		MF_CALL(quotactl, QCMD(Q_GETQUOTA, type), mf_dev, 1000,
			(caddr_t)&next);
		for (i = 0, id = 0; i < 20; i++, id = (int)next.id + 1)
			if (MF_CALL(quotactl, QCMD(Q_GETNEXTQUOTA, type),
				    mf_dev, id, (caddr_t)&next))
				break;
	}
}

void mf_walk(void)
{
	struct sigaction sa = { .sa_handler = on_fault };
	struct statfs sf;

	sigaction(SIGBUS, &sa, NULL);
	mf_step("walk");
	mf_paths = 0;
	MF_CALL(statfs, ".", &sf);
	look(".", 0, true);
	look_handles();
	look_quota();
}

// SPDX-License-Identifier: GPL-2.0
/*
 * Changes a volume that may be damaged, at random: any call may fail, none may
 * go on for ever.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/quota.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "fuzz.h"
#include "libcoll.h"
#include "libvol.h"

#define BLOCK		4096
#define BATCH		20

/* One that was met. */
static const char *old_path(void)
{
	return mf_paths ? mf_path[mf_below(mf_paths)] : ".";
}

/* One in a directory that was met, or in a file, for what it's worth. */
static const char *new_path(void)
{
	static char path[2][MF_PATH + 32];
	static int turn;
	const char *dir = mf_below(3) ? old_path() : ".";

	turn = !turn;
	snprintf(path[turn], sizeof(path[turn]), "%s/new %u", dir,
		 mf_below(30));
	return path[turn];
}

static off_t offset(void)
{
	switch (mf_below(4)) {
	case 0:
		return mf_below(40) * BLOCK;
	case 1:
		return mf_below(1 << 20);
	case 2:
		return mf_below(10000) * (off_t)BLOCK;
	default:
		return (off_t)(mf_random() >> (2 + mf_below(40)));
	}
}

static int write_to(const char *path, int flags)
{
	int fd = mf_open(path, O_RDWR | flags);

	if (fd < 0)
		fd = (int)MF_CALL(open, new_path(),
				  O_RDWR | O_CREAT | O_NOFOLLOW | flags, 0644);
	return fd;
}

static void do_write(int fd)
{
	MF_CALL(pwrite, fd, mf_buf, 1 + mf_below(MF_BUF / 2), offset());
}

static void do_append(int fd)
{
	off_t end = MF_CALL(lseek, fd, 0, SEEK_END);

	if (end >= 0)
		MF_CALL(write, fd, mf_buf, 1 + mf_below(20000));
}

static void do_truncate(int fd)
{
	MF_CALL(ftruncate, fd, mf_below(3) ? offset() : 0);
}

static void do_fallocate(int fd)
{
	static const int mode[] = {
		0, FALLOC_FL_KEEP_SIZE,
		FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
		FALLOC_FL_ZERO_RANGE,
		FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE,
		FALLOC_FL_COLLAPSE_RANGE, FALLOC_FL_INSERT_RANGE,
	};
	int how = mode[mf_below(sizeof(mode) / sizeof(mode[0]))];
	off_t at = offset(), len = (1 + mf_below(300)) * (off_t)BLOCK;

	if (how & (FALLOC_FL_COLLAPSE_RANGE | FALLOC_FL_INSERT_RANGE)) {
		at = mf_below(20) * 2 * (off_t)BLOCK;
		len = (1 + mf_below(8)) * 2 * (off_t)BLOCK;
	}
	MF_CALL(fallocate, fd, how, at, len);
}

static void do_flags(int fd)
{
	struct fsxattr fx;
	int flags = 0;

	if (mf_below(2)) {
		if (MF_CALL(ioctl, fd, FS_IOC_FSGETXATTR, &fx))
			return;
		fx.fsx_projid = 40 + mf_below(4);
		MF_CALL(ioctl, fd, FS_IOC_FSSETXATTR, &fx);
		return;
	}
	if (MF_CALL(ioctl, fd, FS_IOC_GETFLAGS, &flags))
		return;
	flags ^= mf_below(2) ? FS_NODUMP_FL : FS_SYNC_FL;
	MF_CALL(ioctl, fd, FS_IOC_SETFLAGS, &flags);
}

static void do_sync(int fd)
{
	if (mf_below(6))
		MF_CALL(fsync, fd);
	else
		MF_CALL(syncfs, fd);
}

static void do_insert(int fd)
{
	static float v[BATCH * 512];
	struct vexfs_info info;
	uint64_t id[BATCH], first;
	uint32_t i;

	if (MF_CALL(coll_info, fd, &info) || info.dims > 512)
		return;
	for (i = 0; i < BATCH; i++) {
		id[i] = mf_below(4) * 1000 + mf_below(300);
		coll_fill_cluster(v + i * info.dims, info.dims, id[i], 10);
	}
	MF_CALL(coll_insert, fd, mf_below(3) ? id : NULL, v,
		1 + mf_below(BATCH), VEXFS_INSERT_UPSERT, &first);
	for (i = 0; i < BATCH; i++)
		id[i] = 100 + mf_below(200);
	MF_CALL(coll_delete, fd, id, BATCH, VEXFS_DELETE_IGNORE_MISSING);
	if (mf_below(2))
		MF_CALL(coll_wait, fd, MF_WAIT_MS);
}

/* On an open file. */
static void change_file(void)
{
	static void (*const how[])(int fd) = {
		do_write, do_write, do_append, do_truncate, do_fallocate,
		do_fallocate, do_flags, do_sync, do_insert,
	};
	int fd = write_to(old_path(), mf_below(10) ? 0 : O_DIRECT), n;

	if (fd < 0)
		return;
	for (n = 1 + (int)mf_below(3); n; n--)
		how[mf_below(sizeof(how) / sizeof(how[0]))](fd);
	close(fd);
}

/* The collections, too seldom met by change_file(). */
static void change_coll(void)
{
	const char *path = mf_below(2) ? "./hnsw" : "./lsh";
	int fd = mf_open(path, O_RDWR);

	if (fd < 0)
		return;
	do_insert(fd);
	if (mf_below(2))
		do_sync(fd);
	close(fd);
}

static void new_coll(void)
{
	int fd = (int)MF_CALL(coll_create, new_path(), 8, VEXFS_L2,
			      mf_below(2) ? VEXFS_HNSW : VEXFS_LSH);

	if (fd < 0)
		return;
	do_insert(fd);
	close(fd);
}

static void new_name(void)
{
	const char *path = new_path();
	char target[300];

	memset(target, 't', sizeof(target));
	target[mf_below(299)] = 0;
	target[299] = 0;
	switch (mf_below(5)) {
	case 0:
		MF_CALL(mkdir, path, 0755);
		break;
	case 1:
		MF_CALL(symlink, target, path);
		break;
	case 2:
		MF_CALL(link, old_path(), path);
		break;
	case 3:
		MF_CALL(mknod, path, S_IFIFO | 0644, 0);
		break;
	default:
		MF_CALL(mknod, path, S_IFREG | 0644, 0);
	}
}

static void move_name(void)
{
	const char *from = old_path();

	switch (mf_below(4)) {
	case 0:
		MF_CALL(renameat2, AT_FDCWD, from, AT_FDCWD, old_path(),
			RENAME_EXCHANGE);
		break;
	case 1:
		MF_CALL(rename, from, old_path());
		break;
	case 2:
		MF_CALL(renameat2, AT_FDCWD, from, AT_FDCWD, new_path(),
			RENAME_WHITEOUT);
		break;
	default:
		MF_CALL(rename, from, new_path());
	}
}

static void remove_name(void)
{
	const char *path = old_path();

	if (MF_CALL(unlink, path) && errno == EISDIR)
		MF_CALL(rmdir, path);
}

static void change_xattr(void)
{
	static const char *const name[] = {
		"user.small", "user.mid3", "user.big", "user.new",
		"trusted.new", "system.posix_acl_access",
	};
	const char *path = old_path();
	int i = (int)mf_below(6);

	if (i == 5 || !mf_below(3))
		MF_CALL(lremovexattr, path, name[i]);
	else
		MF_CALL(lsetxattr, path, name[i], mf_buf,
			mf_below(3) ? mf_below(300) : mf_below(30000), 0);
}

static void change_owner(void)
{
	const char *path = old_path();

	if (mf_below(2))
		MF_CALL(lchown, path, 1000 + mf_below(3), 100 * mf_below(4));
	else
		MF_CALL(chmod, path, 0644 | mf_below(8));
}

static void nameless(void)
{
	char path[64];
	int fd = (int)MF_CALL(open, mf_below(2) ? old_path() : ".",
			      O_TMPFILE | O_RDWR | O_NONBLOCK, 0600);

	if (fd < 0)
		return;
	do_write(fd);
	sprintf(path, "/proc/self/fd/%d", fd);
	if (mf_below(2))
		MF_CALL(linkat, AT_FDCWD, path, AT_FDCWD, new_path(),
			AT_SYMLINK_FOLLOW);
	close(fd);
}

static void change_quota(void)
{
	struct dqblk dq = {
		.dqb_bhardlimit = 1 + mf_below(100000),
		.dqb_ihardlimit = 1 + mf_below(1000), .dqb_valid = QIF_LIMITS,
	};

	MF_CALL(quotactl, QCMD(Q_SETQUOTA, mf_below(3)), mf_dev,
		mf_below(2) ? 1000 : (int)mf_below(1 << 20), (caddr_t)&dq);
}

/* What is done to all of the volume; mf_dir can't be busy with it. */
static void change_volume(void)
{
	struct fstrim_range trim = { .len = ~0ull };
	struct vexfs_resize resize = { .size = sizeof(resize) };
	char label[FSLABEL_MAX] = "damaged";
	int root = (int)MF_CALL(open, ".", O_RDONLY | O_DIRECTORY);

	if (root < 0)
		return;
	switch (mf_below(6)) {
	case 0:
		MF_CALL(ioctl, root, FITRIM, &trim);
		break;
	case 1:
		MF_CALL(ioctl, root, VEXFS_IOC_RESIZE, &resize);
		break;
	case 2:
		MF_CALL(ioctl, root, FS_IOC_SETFSLABEL, label);
		break;
	case 3:
		if (!MF_CALL(ioctl, root, FIFREEZE, 0))
			MF_CALL(ioctl, root, FITHAW, 0);
		break;
	case 4:
		MF_CALL(mount, NULL, mf_dir, NULL, MS_REMOUNT | MS_RDONLY,
			NULL);
		MF_CALL(mount, NULL, mf_dir, NULL, MS_REMOUNT, NULL);
		break;
	default:
		MF_CALL(syncfs, root);
	}
	close(root);
}

void mf_change(unsigned int steps)
{
	static const struct {
		void (*fn)(void);
		unsigned int weight;
	} how[] = {
		{ change_file, 12 }, { new_name, 7 }, { move_name, 5 },
		{ remove_name, 6 }, { change_xattr, 5 }, { change_coll, 4 },
		{ change_owner, 2 }, { nameless, 1 }, { new_coll, 1 },
		{ change_quota, 1 }, { change_volume, 2 },
	};
	unsigned int i, at, sum = 0;

	mf_step("change");
	for (i = 0; i < sizeof(how) / sizeof(how[0]); i++)
		sum += how[i].weight;
	while (steps--) {
		at = mf_below(sum);
		for (i = 0; at >= how[i].weight; i++)
			at -= how[i].weight;
		how[i].fn();
	}
}

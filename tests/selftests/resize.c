// SPDX-License-Identifier: GPL-2.0
/*
 * A mounted volume becomes larger: in its last group, by new groups, and to
 * the end of the device, while it is written to; after a crash it has one size
 * or the other; and what can't be is refused. Environment: VEXFS_MNT, VEXFS_DEV.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/vexfs.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness.h"
#include "libfs.h"
#include "libvol.h"

#define MB		(1024ull * 1024)
#define GROUP		(128 * MB)
/* Two groups, the second not whole. */
#define FIRST		(200 * MB)

/* Where the harness is, nothing could be unmounted. */
__attribute__((constructor)) static void stand_aside(void)
{
	if (chdir("/"))
		perror("chdir");
}

/* The size it has then, or -errno. */
static int64_t resize(uint64_t bytes)
{
	struct vexfs_resize r = { .size = sizeof(r), .bytes = bytes };
	int fd = open(".", O_RDONLY), err;

	err = ioctl(fd, VEXFS_IOC_RESIZE, &r) ? -errno : 0;
	close(fd);
	return err ? err : (int64_t)r.bytes;
}

static uint64_t space(void)
{
	struct statvfs st;

	return statvfs(".", &st) ? 0 : st.f_blocks * st.f_frsize;
}

FIXTURE(resize) {
	uint64_t device;
};

FIXTURE_SETUP(resize)
{
	int err = vol_leave();

	ASSERT_TRUE(!err || err == -EINVAL);
	self->device = vol_dev_bytes();
	ASSERT_GE(self->device, 6 * GROUP);
	ASSERT_EQ(vol_shell("mkfs.vexfs -f -V -Q usr %s %llu >/dev/null",
			    vol_dev(), FIRST / 4096), 0);
	ASSERT_EQ(vol_enter(""), 0);
}

FIXTURE_TEARDOWN(resize)
{
	EXPECT_EQ(vol_leave(), 0);
	EXPECT_EQ(vol_check(), 0);
	EXPECT_EQ(vol_enter(""), 0);
}

TEST_F(resize, steps)
{
	uint64_t before = space();
	int fd;

	ASSERT_EQ(fs_make("old", 5 * MB, 1), 0);
	/* In the last group */
	EXPECT_EQ(resize(FIRST + 40 * MB), (int64_t)(FIRST + 40 * MB));
	EXPECT_EQ(space(), before + 40 * MB);
	ASSERT_EQ(vol_again(""), 0);
	EXPECT_EQ(space(), before + 40 * MB);
	/* To its end, two more groups, and a part of a third; but no stump. */
	EXPECT_EQ(resize(4 * GROUP + 77 * MB), (int64_t)(4 * GROUP + 77 * MB));
	EXPECT_EQ(resize(5 * GROUP + 4096), (int64_t)(5 * GROUP));
	/* More than there was at first. */
	fd = open("all", O_CREAT | O_RDWR, 0644);
	EXPECT_EQ(fallocate(fd, 0, 0, 350 * MB), 0);
	close(fd);
	ASSERT_EQ(fs_make("new", 5 * MB, 2), 0);
	ASSERT_EQ(vol_again(""), 0);
	EXPECT_EQ(resize(0), (int64_t)self->device);
	EXPECT_EQ(resize(0), (int64_t)self->device);
	ASSERT_EQ(vol_again(""), 0);
	fd = open("new", O_RDONLY);
	EXPECT_EQ(fs_verify(fd, 0, 5 * MB, 2), 0);
	close(fd);
	fd = open("old", O_RDONLY);
	EXPECT_EQ(fs_verify(fd, 0, 5 * MB, 1), 0);
	close(fd);
	/* The backup knows it. */
	ASSERT_EQ(vol_leave(), 0);
	EXPECT_EQ(vol_shell("dd if=/dev/zero of=%s bs=4096 count=1 2>/dev/null",
			    vol_dev()), 0);
	EXPECT_EQ(vol_shell("fsck.vexfs -y -f %s >/dev/null 2>&1", vol_dev()),
		  1);
	ASSERT_EQ(vol_check(), 0);
	ASSERT_EQ(vol_enter(""), 0);
	EXPECT_EQ(resize(0), (int64_t)self->device);
}

TEST_F(resize, refused)
{
	struct vexfs_resize r = { .size = sizeof(r), .flags = 1 };
	int fd = open(".", O_RDONLY);
	pid_t pid;
	int status;

	EXPECT_EQ(resize(FIRST - GROUP), -EINVAL);
	EXPECT_EQ(resize(self->device + 4096), -ENOSPC);
	EXPECT_EQ(ioctl(fd, VEXFS_IOC_RESIZE, &r), -1);
	EXPECT_EQ(errno, EINVAL);
	r.flags = 0;
	r.reserved[1] = 1;
	EXPECT_EQ(ioctl(fd, VEXFS_IOC_RESIZE, &r), -1);
	EXPECT_EQ(errno, EINVAL);
	EXPECT_EQ(ioctl(fd, VEXFS_IOC_RESIZE, NULL), -1);
	EXPECT_EQ(errno, EFAULT);
	r.reserved[1] = 0;
	EXPECT_EQ(ioctl(fd, VEXFS_IOC_RESIZE, &r), 0);
	EXPECT_EQ(r.most, 128 * GROUP);
	close(fd);
	pid = fork();
	if (!pid)
		_exit(setuid(1000) || resize(0) != -EPERM);
	waitpid(pid, &status, 0);
	EXPECT_EQ(status, 0);
	ASSERT_EQ(vol_remount(MS_RDONLY, ""), 0);
	EXPECT_EQ(resize(0), -EROFS);
	ASSERT_EQ(vol_remount(0, ""), 0);
}

static void churn(int nr)
{
	uint64_t state = nr + 1;
	char name[32];
	int i;

	for (i = 0; ; i++) {
		snprintf(name, sizeof(name), "c%d.%u", nr,
			 fs_random(&state) % 30);
		if (fs_random(&state) % 3)
			fs_make(name, fs_random(&state) % MB, i);
		else
			unlink(name);
	}
}

TEST_F(resize, busy)
{
	uint64_t bytes;
	pid_t pid[3];
	int i;

	for (i = 0; i < 3; i++) {
		pid[i] = fork();
		if (!pid[i])
			churn(i);
	}
	for (bytes = FIRST; bytes < 6 * GROUP; bytes += 23 * MB) {
		int64_t now = resize(bytes);

		EXPECT_GT(now, (int64_t)(bytes - 23 * MB));
		usleep(20000);
	}
	for (i = 0; i < 3; i++) {
		kill(pid[i], SIGKILL);
		waitpid(pid[i], NULL, 0);
	}
}

TEST_F(resize, crash)
{
	uint32_t how = SHUTDOWN_NOLOGFLUSH;
	int64_t bytes;
	int fd, i;

	for (i = 1; i < 4; i++) {
		ASSERT_EQ(fs_make("file", 3 * MB, i), 0);
		bytes = resize(FIRST + i * 100 * MB);
		EXPECT_EQ(bytes, (int64_t)(FIRST + i * 100 * MB));
		ASSERT_EQ(fs_make("after", 3 * MB, i), 0);
		fd = open(".", O_RDONLY);
		ASSERT_EQ(ioctl(fd, FS_IOC_SHUTDOWN, &how), 0);
		close(fd);
		ASSERT_EQ(vol_again(""), 0);
		EXPECT_EQ(resize(bytes), bytes);
	}
}

TEST_HARNESS_MAIN

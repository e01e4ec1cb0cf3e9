// SPDX-License-Identifier: GPL-2.0
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include "libfs.h"
#include "libvol.h"

const char *vol_dev(void)
{
	return getenv("VEXFS_DEV");
}

uint64_t vol_dev_bytes(void)
{
	uint64_t bytes = 0;
	int fd = open(vol_dev(), O_RDONLY);

	if (fd < 0 || ioctl(fd, BLKGETSIZE64, &bytes))
		perror(vol_dev());
	close(fd);
	return bytes;
}

int vol_shell(const char *fmt, ...)
{
	char command[256];
	va_list args;
	int status;

	va_start(args, fmt);
	vsnprintf(command, sizeof(command), fmt, args);
	va_end(args);
	status = system(command);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

int vol_enter(const char *options)
{
	if (mount(vol_dev(), fs_mnt(), "vexfs", 0, options) || chdir(fs_mnt()))
		return -errno;
	return 0;
}

int vol_leave(void)
{
	return chdir("/") || umount(fs_mnt()) ? -errno : 0;
}

int vol_remount(unsigned long flags, const char *options)
{
	return mount(vol_dev(), fs_mnt(), "vexfs", MS_REMOUNT | flags,
		     options) ? -errno : 0;
}

int vol_check(void)
{
	int ret = vol_shell("fsck.vexfs -n -f %s >/tmp/fsck.out 2>&1",
			    vol_dev());

	if (ret)
		vol_shell("sed 's/^/# /' /tmp/fsck.out >&2");
	return ret;
}

int vol_again(const char *options)
{
	int err = vol_leave();

	if (!err)
		err = vol_check();
	return err ? err : vol_enter(options);
}

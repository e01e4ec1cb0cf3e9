/* SPDX-License-Identifier: GPL-2.0 */
/*
 * For tests that format, mount and check the volume themselves: VEXFS_DEV,
 * mounted at VEXFS_MNT.
 */
#ifndef VEXFS_SELFTEST_LIBVOL_H
#define VEXFS_SELFTEST_LIBVOL_H

#include <linux/fs.h>
#include <stdint.h>

#ifndef FS_IOC_SHUTDOWN
#define FS_IOC_SHUTDOWN			_IOR('X', 125, uint32_t)
#endif
#define SHUTDOWN_NOLOGFLUSH		2

/* The block device. */
const char *vol_dev(void);
/* Its size in bytes. */
uint64_t vol_dev_bytes(void);

/* A shell's command; its exit status, or -1. */
int vol_shell(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* These return 0 or -errno. */
/* Mounts it and goes there. */
int vol_enter(const char *options);
/* Goes elsewhere and unmounts it. */
int vol_leave(void);
/* @flags: MS_RDONLY or 0. */
int vol_remount(unsigned long flags, const char *options);
/* Unmounts it, checks it, mounts it again. */
int vol_again(const char *options);

/* fsck.vexfs -n -f: its exit status; what it found is printed. */
int vol_check(void);

#endif

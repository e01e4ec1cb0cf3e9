// SPDX-License-Identifier: GPL-2.0
/*
 * The device to be formatted: may it be, what is on it, wiping that.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include "mkfs.h"

#include <blkid/blkid.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* Zeroed at both ends; most signatures are there. */
#define MKFS_WIPE_START		(1u << 20)
#define MKFS_WIPE_END		(128u << 10)

static const char *mkfs_probe_value(blkid_probe pr, const char *name)
{
	const char *value;

	return blkid_probe_lookup_value(pr, name, &value, NULL) ? NULL : value;
}

/* libblkid doesn't know VexFS yet. */
static void mkfs_refuse_vexfs(const struct mkfs_options *opt, int fd)
{
	char magic[sizeof(VEXFS_MAGIC_BYTES)];

	if (pread(fd, magic, sizeof(magic), VEXFS_SUPER_OFFSET) ==
	    sizeof(magic) && !memcmp(magic, VEXFS_MAGIC_BYTES, sizeof(magic)))
		mkfs_fail(MKFS_FAILED,
			  "%s contains a vexfs filesystem; -f overwrites it",
			  opt->device);
}

static blkid_probe mkfs_probe(const struct mkfs_options *opt, int fd)
{
	blkid_probe pr = blkid_new_probe();

	if (!pr || blkid_probe_set_device(pr, fd, 0, 0))
		mkfs_fail(MKFS_FAILED, "can't probe %s", opt->device);
	blkid_probe_enable_superblocks(pr, 1);
	blkid_probe_set_superblocks_flags(pr, BLKID_SUBLKS_TYPE |
					  BLKID_SUBLKS_USAGE |
					  BLKID_SUBLKS_LABEL |
					  BLKID_SUBLKS_MAGIC |
					  BLKID_SUBLKS_BADCSUM);
	blkid_probe_enable_partitions(pr, 1);
	blkid_probe_set_partitions_flags(pr, BLKID_PARTS_MAGIC |
					 BLKID_PARTS_FORCE_GPT);
	return pr;
}

static void mkfs_refuse_used(const struct mkfs_options *opt, int fd)
{
	const char *type, *label, *table;
	blkid_probe pr;
	int found;

	mkfs_refuse_vexfs(opt, fd);
	pr = mkfs_probe(opt, fd);
	found = blkid_do_probe(pr);
	if (found < 0)
		mkfs_fail(MKFS_FAILED, "can't probe %s", opt->device);
	if (found == 0) {
		type = mkfs_probe_value(pr, "TYPE");
		label = mkfs_probe_value(pr, "LABEL");
		table = mkfs_probe_value(pr, "PTTYPE");
		if (type && label)
			mkfs_fail(MKFS_FAILED,
				  "%s contains %s '%s'; -f overwrites it",
				  opt->device, type, label);
		if (type)
			mkfs_fail(MKFS_FAILED,
				  "%s contains %s; -f overwrites it",
				  opt->device, type);
		mkfs_fail(MKFS_FAILED,
			  "%s contains a partition table (%s); -f overwrites it",
			  opt->device, table ? table : "unknown");
	}
	blkid_free_probe(pr);
}

static u64 mkfs_size(const struct mkfs_options *opt, int fd,
		     const struct stat *st)
{
	u64 bytes = (u64)st->st_size;

	if (S_ISBLK(st->st_mode) && ioctl(fd, BLKGETSIZE64, &bytes))
		mkfs_fail(MKFS_FAILED, "size of %s unknown: %s", opt->device,
			  strerror(errno));
	return bytes;
}

void mkfs_open(const struct mkfs_options *opt, struct mkfs_target *target)
{
	int flags = opt->dry_run ? O_RDONLY : O_RDWR;
	const char *use;
	struct stat st;

	if (stat(opt->device, &st))
		mkfs_fail(MKFS_FAILED, "can't open %s: %s", opt->device,
			  strerror(errno));
	if (!S_ISBLK(st.st_mode) && !S_ISREG(st.st_mode))
		mkfs_fail(MKFS_FAILED,
			  "%s is neither a block device nor a regular file",
			  opt->device);
	use = opt->dry_run ? NULL : vexfs_busy(opt->device, &st);
	if (use)
		mkfs_fail(MKFS_FAILED, "%s is %s", opt->device, use);
	if (S_ISBLK(st.st_mode) && !opt->dry_run)
		flags |= O_EXCL;
	target->fd = open(opt->device, flags | O_CLOEXEC);
	if (target->fd < 0 && errno == EBUSY)
		mkfs_fail(MKFS_FAILED, "%s is in use", opt->device);
	if (target->fd < 0 || fstat(target->fd, &st))
		mkfs_fail(MKFS_FAILED, "can't open %s: %s", opt->device,
			  strerror(errno));
	target->block_device = S_ISBLK(st.st_mode);
	target->bytes = mkfs_size(opt, target->fd, &st);
	if (!opt->dry_run && !opt->force)
		mkfs_refuse_used(opt, target->fd);
}

void mkfs_wipe(const struct mkfs_options *opt, struct mkfs_target *target)
{
	u64 start = min_t(u64, target->bytes, MKFS_WIPE_START);
	u64 end = min_t(u64, target->bytes, MKFS_WIPE_END);
	blkid_probe pr = mkfs_probe(opt, target->fd);
	int err;

	while (blkid_do_probe(pr) == 0)
		if (blkid_do_wipe(pr, 0))
			break;
	blkid_free_probe(pr);
	err = mkfs_write_zeroes(target->fd, 0, start);
	if (!err)
		err = mkfs_write_zeroes(target->fd, target->bytes - end, end);
	if (!err && fsync(target->fd))
		err = -errno;
	if (err)
		mkfs_fail(MKFS_FAILED, "can't write %s: %s", opt->device,
			  strerror(-err));
}

// SPDX-License-Identifier: GPL-2.0
/*
 * Making a part of the device zeroes.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include "mkfs.h"

#include <fcntl.h>
#include <linux/falloc.h>
#include <unistd.h>

int mkfs_write_zeroes(int fd, u64 off, u64 len)
{
	static const u8 zeroes[64 << 10];
	ssize_t n;

	while (len) {
		n = pwrite(fd, zeroes, min_t(u64, len, sizeof(zeroes)),
			   (off_t)off);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		off += (u64)n;
		len -= (u64)n;
	}
	return 0;
}

/* Without writing, if the device can do that. */
int mkfs_zero(int fd, u64 off, u64 len)
{
	if (len >= 1u << 20) {
		if (!fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
			       (off_t)off, (off_t)len))
			return 0;
		if (!fallocate(fd, FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE,
			       (off_t)off, (off_t)len))
			return 0;
	}
	return mkfs_write_zeroes(fd, off, len);
}

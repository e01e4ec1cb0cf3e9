/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the parts of mkfs.vexfs share.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#ifndef _VEXFS_MKFS_H
#define _VEXFS_MKFS_H

#include <uuid/uuid.h>

#include "busy.h"
#include "libvexfs.h"
#include "qfile.h"

#define VEXFS_VERSION		"1.0"

/* Exit statuses; a message on one line goes before each. */
enum mkfs_status {
	MKFS_OK		= 0,
	MKFS_FAILED	= 1,
	MKFS_USAGE	= 2,
};

struct mkfs_options {
	struct vexfs_geom_options geom;
	const char *device;
	char	label[VEXFS_LABEL_LEN + 1];
	uuid_t	uuid;
	u64	blocks;			/* the operand, or 0 */
	u32	dims;
	u32	quota;			/* types: 1 user, 2 group, 4 project */
	bool	force;
	bool	dry_run;
	bool	verbose;
};

struct mkfs_target {
	int	fd;
	u64	bytes;			/* of the whole device */
	bool	block_device;
};

/* device.c: these end the program with a message when something is wrong. */
void mkfs_open(const struct mkfs_options *opt, struct mkfs_target *target);
/* Old signatures and the whole journal become zeroes. */
void mkfs_wipe(const struct mkfs_options *opt, struct mkfs_target *target);

/* zero.c; the second one always writes */
int mkfs_zero(int fd, u64 off, u64 len);
int mkfs_write_zeroes(int fd, u64 off, u64 len);

/* format.c */
int mkfs_format(const struct mkfs_options *opt, const struct vexfs_geom *geom,
		struct mkfs_target *target);
u64 mkfs_reserved(const struct vexfs_geom *geom);
__le64 mkfs_now(void);

/* quota.c: the quota files; all there is belongs to id 0: @root. */
#define MKFS_QUOTA_CREDITS	(3 * (1 + 2 * VQ_STORE_CREDITS))
int mkfs_write_quota(struct vexfs_trans *t, const struct vexfs_node *root);

/* main.c */
void mkfs_fail(int status, const char *fmt, ...)
	__attribute__((__noreturn__, __format__(printf, 2, 3)));

#endif /* _VEXFS_MKFS_H */

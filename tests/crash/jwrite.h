/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A journal as jbd2 writes it, made of the write log of a userspace device.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#ifndef _VEXFS_CRASH_JWRITE_H
#define _VEXFS_CRASH_JWRITE_H

#include "crash.h"

struct jw {
	const struct vexfs_geom *geom;
	struct cl_log *out;
	u64	rnd;
	u32	maxlen;
	u32	head;
	u32	used;
	u32	seq;
	u32	csum_seed;
	bool	empty;
	/* Faults, to see that they are found */
	bool	no_flush;
	bool	no_revoke;
	u64	unlogged;		/* a block that isn't logged, or 0 */
	struct vexfs_bmap waiting;
};

void jw_init(struct jw *j, const struct vexfs_geom *geom, struct cl_log *out,
	     u64 seed);
void jw_add(struct jw *j, const struct vexfs_wlog_entry *e);
void jw_end(struct jw *j);

#endif /* _VEXFS_CRASH_JWRITE_H */

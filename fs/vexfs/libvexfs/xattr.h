/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the files of extended attributes share: entries as they are read, and
 * the values that have blocks of their own.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#ifndef _LIBVEXFS_XATTR_H
#define _LIBVEXFS_XATTR_H

#include "libvexfs.h"

/* Longer values are remote: more of them, and of others, fit a block. */
#define VEXFS_XATTR_MAX_LOCAL	VEXFS_XATTR_SMALL

/* Blocks of the largest value. */
#define VEXFS_XVALUE_BLOCKS \
	DIV_ROUND_UP(VEXFS_XATTR_MAX_VALUE, VEXFS_XVALUE_SPACE)

/* An entry, and where it is in its area; pointers go there. */
struct vexfs_xattr_ent {
	u32	off;
	u32	len;			/* with padding */
	u32	value_len;
	u8	index;
	u8	name_len;
	u8	nruns;			/* 0: the value is here */
	const u8 *name;
	const u8 *body;
};

/* Where a remote value is. */
struct vexfs_xattr_value {
	u32	nruns;
	struct vexfs_xattr_remote run[VEXFS_XATTR_RUNS];
};

/*
 * The entry at @off of @used bytes, every field checked against them; NULL or
 * what is wrong. What it points to on disk is checked by who follows it.
 */
const char *vexfs_xattr_parse(const u8 *data, u32 used, u32 off,
			      struct vexfs_xattr_ent *ent);
void vexfs_xattr_runs(const struct vexfs_xattr_ent *ent,
		      struct vexfs_xattr_value *val);
static inline u32 vexfs_xattr_len(u32 name_len, u32 body)
{
	return round_up((u32)sizeof(struct vexfs_xattr_entry) + name_len + body,
			4);
}

/* xattr_value.c; n->map_sem is held */

/* The clusters that a run of @blocks takes. */
u32 vexfs_xvalue_clusters(struct vexfs_fs *fs, u32 blocks);
int vexfs_xvalue_read(struct vexfs_node *n, const struct vexfs_xattr_ent *ent,
		      u8 *to);
/* Allocates and writes; all or nothing. */
int vexfs_xvalue_write(struct vexfs_trans *t, struct vexfs_node *n,
		       const u8 *from, u32 len, struct vexfs_xattr_value *val);
int vexfs_xvalue_free(struct vexfs_trans *t, struct vexfs_node *n,
		      const struct vexfs_xattr_value *val);

#endif /* _LIBVEXFS_XATTR_H */

/* SPDX-License-Identifier: GPL-2.0 */
/*
 * For tests of fsck: a volume in memory with one of everything, made with the
 * shared core, and ways to damage it.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#ifndef _VEXFS_FSCK_UTIL_H
#define _VEXFS_FSCK_UTIL_H

#include "core_util.h"
#include "fsck.h"

/* The inodes that the volume has, by what they are. */
struct fu_names {
	u64	dir;			/* with more names than a block holds */
	u64	sub, subsub;		/* directories in it */
	u64	file, other;		/* of some blocks; two names each */
	u64	extents;		/* with an extent tree of two levels */
	u64	sparse;			/* with preallocated blocks */
	u64	fast, slow;		/* symlinks */
	u64	dev;
	u64	empty;			/* directory */
	u64	coll;			/* with checkpoint and log */
	u64	deleted, truncated;	/* orphans */
	u64	file_in_dir;		/* some file of dir */
};

/* fsck's own structure, with the volume loaded and nothing checked. */
struct fu_vol {
	struct fsck f;
	struct fu_names n;
};

/* Makes the volume; every call makes the same but for random numbers. */
void fu_make(struct fu_vol *v, u32 cluster_size, bool orphans);
/* Without quota files, which whoever changes it would have to keep right. */
void fu_make_plain(struct fu_vol *v);
/* A copy of it, to be damaged. */
void fu_clone(struct fu_vol *v, const struct fu_vol *src);
void fu_close(struct fu_vol *v);

/* Loads the volume again after fu_fsck(). */
void fu_clone_state(struct fu_vol *v);
/* Forgets what is cached and loads again what is on the device. */
void fu_reload(struct fu_vol *v);

/* Damaging: blocks and records are read, changed by the test, put back. */
void fu_read(struct fu_vol *v, u64 bno, void *data);
void fu_write(struct fu_vol *v, u64 bno, const void *data);
/* With a new checksum in the header. */
void fu_write_sealed(struct fu_vol *v, u64 bno, void *data);
void fu_flip(struct fu_vol *v, u64 bno, u32 off);
void fu_inode(struct fu_vol *v, u64 ino, struct vexfs_inode *di);
void fu_put_inode(struct fu_vol *v, u64 ino, struct vexfs_inode *di);
void fu_put_raw_inode(struct fu_vol *v, u64 ino, const struct vexfs_inode *di);
void fu_super(struct fu_vol *v, struct vexfs_super_block *sb);
void fu_put_super(struct fu_vol *v, struct vexfs_super_block *sb, bool sealed);
void fu_desc(struct fu_vol *v, u32 group, struct vexfs_group_desc *gd);
void fu_put_desc(struct fu_vol *v, u32 group, struct vexfs_group_desc *gd,
		 bool sealed);
/* Block @lblk of an inode, on the device. */
u64 fu_block(struct fu_vol *v, u64 ino, u64 lblk);

/* fsck_quota.c: owners for some of the inodes, and quota files that count. */
void fu_quota(struct fu_vol *v);
/* What a quota file has, and making it anew. */
void fu_quota_get(struct fu_vol *v, int type, struct vq_table *table);
void fu_quota_put(struct fu_vol *v, int type, struct vq_table *table);

/* Runs fsck on the device: its status; the kinds it met in v->f.kinds. */
int fu_fsck(struct fu_vol *v, enum fsck_mode mode);

#endif /* _VEXFS_FSCK_UTIL_H */

/* SPDX-License-Identifier: GPL-2.0 */
/*
 * For tests of directories: a set of names of which a model knows which are
 * there, operations on both, and a checker that compares them.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#ifndef _VEXFS_DIR_MODEL_H
#define _VEXFS_DIR_MODEL_H

#include "tree_util.h"
#include "../../fs/vexfs/libvexfs/dir.h"

#define DM_VOLUME	(256ull << 20)

/* Name i is a function of i; here is what should be known of it. */
struct dm_model {
	u32 names;
	u32 present;
	u64 *ino;			/* 0: not there */
	u64 *key;
	u8 *type;
	u8 *seen;
};

extern struct tu_vol dm_vol;
extern struct dm_model dm_model;

/* A new volume with an empty directory, and a model of @names names. */
void dm_open(u32 cluster_size, u32 names);
/* Name @i: any bytes but a slash and zero. Returns its length. */
u32 dm_name(u32 i, u8 *name);
u32 dm_number(const u8 *name);

enum dm_kind { DM_ADD, DM_REMOVE, DM_SET, DM_LOOKUP };

/* What an operation on name @i should return. */
int dm_expected(int kind, u32 i);
/* Does it, in the model too when it succeeds. */
int dm_do(int kind, u32 i);
int dm_add(u32 i);
int dm_remove(u32 i);
int dm_lookup(u32 i);
/* @adds of 100 are additions. */
int dm_random_kind(u32 adds);

struct dm_walk {
	u8 *used;			/* what each logical block is */
	u64 blocks;
	u64 next;			/* key */
	u32 entries;
	u32 leaves;
	u64 bytes;
};

/* An entry that was read is what the model says. */
void dm_compare_entry(const struct vexfs_dirent *de);
/* The tree is right in itself, and holds what the model says. */
struct dm_walk dm_compare(void);

#endif /* _VEXFS_DIR_MODEL_H */

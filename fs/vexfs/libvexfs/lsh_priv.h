/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the files of the LSH index share.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#ifndef _VEXFS_LSH_PRIV_H
#define _VEXFS_LSH_PRIV_H

#include "lsh.h"

/* Slots to a bucket, on average: two thirds of a block. */
#define VEXFS_LSH_LOAD		10u
/* Blocks kept in reserve for dividing buckets. */
#define VEXFS_LSH_SPARE		1024u
/* Slots that room is made for at a time, at most. */
#define VEXFS_LSH_ROWS		64u
/* Words of the parameters before the centre. */
#define VEXFS_LSH_PARAM_HEAD	4u

static inline struct vexfs_lsh_block *
vexfs_lsh_bucket(const struct vexfs_lsh *lsh, u32 bucket, u32 table)
{
	return vexfs_arena_item(&lsh->bucket, bucket * lsh->tables + table);
}

/* Blocks are numbered from 1. */
static inline struct vexfs_lsh_block *
vexfs_lsh_more(const struct vexfs_lsh *lsh, u32 nr)
{
	return vexfs_arena_item(&lsh->more, nr - 1);
}

#endif /* _VEXFS_LSH_PRIV_H */

/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A small filesystem on the shared core, for crash tests: does the operations
 * of the crash test's model in the transactions in which the module does them.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#ifndef _VEXFS_UFS_H
#define _VEXFS_UFS_H

#include "fsck_util.h"
#include "../crash/model.h"

struct ufs {
	struct fu_vol vol;
	struct vexfs_fs *fs;
	struct cm m;
	u64	ino[CM_INODES];		/* of the model's inodes */
	u32	rnd;
	bool	skip_csum;		/* a fault: chmod keeps the old one */
	bool	keep_csum;		/* in the change under way */
};

/* The model's root is directory @root. */
void ufs_init(struct ufs *u, u64 root, u32 seed);
/* Does @op, and then it is done in the model too. */
void ufs_do(struct ufs *u, const struct cm_op *op);

#endif /* _VEXFS_UFS_H */

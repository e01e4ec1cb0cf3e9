// SPDX-License-Identifier: GPL-2.0
/*
 * The seam's quota in userspace: programs count what inodes have afterwards;
 * a test sets a limit to all of them together.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include "vexfs_dev.h"

int vexfs_quota_charge(struct vexfs_node *n, u64 blocks, bool force)
{
	struct vexfs_dev *dev = n->fs->dev;
	u64 used = __atomic_add_fetch(&dev->quota_used, blocks,
				      __ATOMIC_RELAXED);

	if (force || !dev->quota_limit || used <= dev->quota_limit)
		return 0;
	vexfs_quota_uncharge(n, blocks);
	return -EDQUOT;
}

void vexfs_quota_uncharge(struct vexfs_node *n, u64 blocks)
{
	struct vexfs_dev *dev = n->fs->dev;

	__atomic_sub_fetch(&dev->quota_used, blocks, __ATOMIC_RELAXED);
}

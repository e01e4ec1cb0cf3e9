// SPDX-License-Identifier: GPL-2.0
/*
 * Clusters for inodes: allocated and freed together with what counts them,
 * the inode's own number of blocks and the quota of its owners.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include "libvexfs.h"

static u64 vexfs_node_blocks(struct vexfs_node *n, u32 clusters)
{
	return (u64)clusters << n->fs->geom.cluster_shift;
}

/*
 * Charges up to *want clusters: half of it and half of that where it is too
 * much, so that who asks again for the rest gets to the very limit.
 */
static int vexfs_node_charge(struct vexfs_node *n, u32 *want,
			     unsigned int flags)
{
	int err;

	for (;;) {
		err = vexfs_quota_charge(n, vexfs_node_blocks(n, *want),
					 flags & VEXFS_ALLOC_FORCE);
		if (err != -EDQUOT || *want == 1 || (flags & VEXFS_ALLOC_WHOLE))
			return err;
		*want /= 2;
	}
}

int vexfs_node_alloc(struct vexfs_trans *t, struct vexfs_node *n, u64 goal,
		     unsigned int flags, u64 *first, u32 *len)
{
	u32 want = clamp(*len, 1u, n->fs->geom.clusters_per_group);
	int err;

	err = vexfs_node_charge(n, &want, flags);
	if (err)
		return err;
	n->blocks += vexfs_node_blocks(n, want);
	*len = want;
	err = vexfs_balloc(t, n->fs, goal, flags, first, len);
	if (err)
		vexfs_node_uncount(n, want);
	else if (*len < want)
		vexfs_node_uncount(n, want - *len);
	return err;
}

int vexfs_node_free(struct vexfs_trans *t, struct vexfs_node *n, u64 first,
		    u32 len)
{
	int err = vexfs_bfree(t, n->fs, first, len);

	if (!err)
		vexfs_node_uncount(n, len);
	return err;
}

void vexfs_node_uncount(struct vexfs_node *n, u32 len)
{
	n->blocks -= vexfs_node_blocks(n, len);
	vexfs_quota_uncharge(n, vexfs_node_blocks(n, len));
}

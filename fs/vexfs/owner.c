// SPDX-License-Identifier: GPL-2.0
/*
 * Who pays for an inode: what it takes is charged to its user, group and
 * project, and moves when one of these changes. The forks of a collection have
 * the owners of the collection.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include <linux/quotaops.h>

#include "vexfs.h"

static struct inode *vexfs_node_inode(struct vexfs_node *n)
{
	return &container_of(n, struct vexfs_inode_info, node)->vfs_inode;
}

int vexfs_quota_charge(struct vexfs_node *n, u64 blocks, bool force)
{
	struct inode *inode = vexfs_node_inode(n);
	int flags = DQUOT_SPACE_WARN;

	WARN_ON_ONCE(dquot_initialize_needed(inode));
	if (force)
		flags |= DQUOT_SPACE_NOFAIL;
	return __dquot_alloc_space(inode, blocks << VEXFS_BLOCK_SHIFT, flags);
}

void vexfs_quota_uncharge(struct vexfs_node *n, u64 blocks)
{
	struct inode *inode = vexfs_node_inode(n);

	WARN_ON_ONCE(dquot_initialize_needed(inode));
	__dquot_free_space(inode, blocks << VEXFS_BLOCK_SHIFT, 0);
}

static void vexfs_set_owner(struct inode *inode,
			    const struct vexfs_owner *owner)
{
	if (owner->mask & VEXFS_OWNER_UID)
		inode->i_uid = owner->uid;
	if (owner->mask & VEXFS_OWNER_GID)
		inode->i_gid = owner->gid;
	if (owner->mask & VEXFS_OWNER_PROJID)
		VEXFS_I(inode)->projid = owner->projid;
}

int vexfs_chown_begin(struct inode *inode, struct vexfs_chown *c)
{
	int i, err = 0;

	c->n = 0;
	if (!c->owner.mask)
		return 0;
	c->inode[c->n++] = inode;
	if (vexfs_is_collection(inode)) {
		err = vexfs_coll_forks(inode, &c->inode[c->n]);
		if (err < 0)
			return err;
		c->n += err;
	}
	for (i = 0; i < c->n; i++) {
		err = vexfs_transfer_begin(c->inode[i], &c->owner,
					   &c->transfer[i]);
		if (err)
			break;
	}
	if (!err)
		return 0;
	while (i--)
		vexfs_transfer_end(&c->transfer[i]);
	for (i = 1; i < c->n; i++)
		iput(c->inode[i]);
	return err;
}

int vexfs_chown(handle_t *handle, struct vexfs_chown *c)
{
	int i, err = 0;

	for (i = 0; i < c->n && !err; i++)
		err = vexfs_transfer(c->inode[i], &c->transfer[i]);
	if (err) {
		/* The last one is as it was. */
		for (i -= 2; i >= 0; i--)
			vexfs_transfer(c->inode[i], &c->transfer[i]);
		return err;
	}
	for (i = 0; i < c->n && !err; i++) {
		vexfs_set_owner(c->inode[i], &c->owner);
		if (i)
			err = vexfs_log_inode(handle, c->inode[i]);
	}
	return err;
}

void vexfs_chown_end(struct vexfs_chown *c)
{
	int i;

	for (i = 0; i < c->n; i++) {
		vexfs_transfer_end(&c->transfer[i]);
		if (i)
			iput(c->inode[i]);
	}
}

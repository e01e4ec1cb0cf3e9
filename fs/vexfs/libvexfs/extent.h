/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the files of the extent tree share: paths from the root to a leaf,
 * records in host order, and changes of a leaf.
 *
 * Invariants of a tree, beside those of format.h:
 *  - the key of an index record is the lower bound of the subtree, except in
 *    the first record of a node, which has all that is not in the others: so
 *    inserting never changes the keys above. That key is 0 in the root, and
 *    not less than the lower bound of the node in others;
 *  - the keys of index records are multiples of the blocks in a cluster, so a
 *    cluster never straddles two leaves. A leaf is split at such a place even
 *    when that cuts an extent in two;
 *  - no node is empty; a node is the first block of a cluster of its own.
 *
 * How a change fails safely: all that can fail comes first. vexfs_ext_prepare()
 * announces the nodes that will change and reserves (allocates, and announces)
 * the nodes for splits, giving them back if it can't have them all; from then
 * on a change only moves memory. What can still fail afterwards is
 * vexfs_trans_dirty(), in an aborted journal, and giving back the cluster of a
 * node that became empty: it is then lost until fsck finds it, but the tree is
 * right.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#ifndef _VEXFS_EXTENT_H
#define _VEXFS_EXTENT_H

#include "libvexfs.h"

/* The first logical block that no extent can cover. */
#define VEXFS_EXT_LIMIT		((u64)VEXFS_MAX_LBLK + 1)

/* A record as the code works with it. */
struct vexfs_ext_rec {
	u64	lblk;
	u64	pblk;
	u32	len;
	bool	unwritten;
};

static inline u64 vexfs_ext_end(const struct vexfs_ext_rec *r)
{
	return r->lblk + r->len;
}

/* A node on the way to a leaf; buf is NULL for the root in the inode. */
struct vexfs_ext_level {
	struct vexfs_buf *buf;
	struct vexfs_extent *rec;
	__le16	*count;
	int	max;
	/* last record that begins at or before the target, or -1 */
	int	idx;
};

struct vexfs_ext_path {
	struct vexfs_node *n;
	int	depth;			/* lev[depth] is the leaf */
	int	err;			/* first of vexfs_trans_dirty() */
	u64	lo;			/* the leaf may map [lo, hi) */
	u64	hi;
	struct vexfs_ext_level lev[VEXFS_EXT_MAX_DEPTH + 1];
};

/* Replace nold records of a leaf from pos on. */
struct vexfs_ext_change {
	int	pos;
	int	nold;
	int	nnew;
	struct vexfs_ext_rec rec[5];
};

static inline struct vexfs_ext_level *
vexfs_ext_leaf(struct vexfs_ext_path *p)
{
	return &p->lev[p->depth];
}

static inline int vexfs_ext_count(const struct vexfs_ext_level *lev)
{
	return le16_to_cpu(*lev->count);
}

static inline u32 vexfs_ext_cluster_mask(const struct vexfs_node *n)
{
	return n->fs->geom.cluster_blocks - 1;
}

/* extent_node.c */
void vexfs_ext_get(const struct vexfs_extent *e, struct vexfs_ext_rec *r);
/* Finds the leaf for @lblk. On success release with vexfs_ext_put(). */
int vexfs_ext_find(struct vexfs_node *n, u64 lblk, struct vexfs_ext_path *p);
void vexfs_ext_put(struct vexfs_ext_path *p);
/* The record that covers @lblk, if there is one. */
bool vexfs_ext_current(struct vexfs_ext_path *p, u64 lblk,
		       struct vexfs_ext_rec *r);
/* First block from the target on that the leaf maps, or the leaf's end. */
u64 vexfs_ext_next(struct vexfs_ext_path *p);

/* extent_tree.c */
/* Lower bound of the node at level @l of the path. */
__le32 vexfs_ext_lower(struct vexfs_ext_path *p, int l);
/* Ends the change of a node, but the root's; p->err has what fails. */
void vexfs_ext_dirty(struct vexfs_trans *t, struct vexfs_ext_path *p,
		     struct vexfs_buf *buf);
/*
 * Announces the leaf, and splits it (and what is above) when it doesn't have
 * @need free records. The path stays on @lblk, maybe in another leaf.
 */
int vexfs_ext_prepare(struct vexfs_trans *t, struct vexfs_ext_path *p,
		      u64 lblk, int need, unsigned int flags);
void vexfs_ext_change(struct vexfs_ext_path *p, int pos, int nold,
		      const struct vexfs_ext_rec *piece, int npieces,
		      struct vexfs_ext_change *c);
void vexfs_ext_apply(struct vexfs_trans *t, struct vexfs_ext_path *p,
		     const struct vexfs_ext_change *c);
/*
 * Takes the leaf out of the tree, with those above that become empty.
 * vexfs_ext_prepare_drop() before it is what can fail.
 */
int vexfs_ext_prepare_drop(struct vexfs_trans *t, struct vexfs_ext_path *p);
/* How many nodes went. */
int vexfs_ext_drop(struct vexfs_trans *t, struct vexfs_ext_path *p);
/* Lets the root take over an only child that has few records. */
int vexfs_ext_collapse(struct vexfs_trans *t, struct vexfs_node *n);

/* extent.c */
/*
 * Makes what is mapped in [lblk, end) unwritten or written. Stops early for
 * want of credits; with @some it does at least one extent. *pos is how far it
 * came.
 */
int vexfs_ext_set_range(struct vexfs_trans *t, struct vexfs_node *n, u64 *pos,
			u64 end, bool unwritten, bool some);

#endif /* _VEXFS_EXTENT_H */

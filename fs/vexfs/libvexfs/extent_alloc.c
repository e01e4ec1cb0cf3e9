// SPDX-License-Identifier: GPL-2.0
/*
 * Extent trees: giving clusters to files and taking them away.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include "extent.h"

/* At most this many blocks in one go; a group has far fewer. */
#define VEXFS_EXT_MAX_ALLOC	0x40000000u

/* The hole around the target, cut to what was asked for in whole clusters. */
static int vexfs_ext_hole(struct vexfs_ext_path *p, u64 lblk, u64 len,
			  u64 *first, u64 *end)
{
	struct vexfs_ext_level *leaf = vexfs_ext_leaf(p);
	u64 mask = vexfs_ext_cluster_mask(p->n);
	u64 lo = p->lo, hi = vexfs_ext_next(p);
	struct vexfs_ext_rec r;

	*first = lblk & ~mask;
	*end = min(hi, lblk + min_t(u64, len, VEXFS_EXT_MAX_ALLOC));
	*end = (*end + mask) & ~mask;
	if (leaf->idx >= 0) {
		vexfs_ext_get(&leaf->rec[leaf->idx], &r);
		lo = vexfs_ext_end(&r);
	}
	if ((lo | hi) & mask)
		return VEXFS_CORRUPTED(p->n->fs, p->n->ino, 0,
				       "a cluster is mapped in part");
	return 0;
}

/* Behind the extent before the hole, else where the inode wants to be. */
static u64 vexfs_ext_goal(struct vexfs_ext_path *p)
{
	struct vexfs_ext_level *leaf = vexfs_ext_leaf(p);
	struct vexfs_node *n = p->n;
	struct vexfs_ext_rec r;

	if (leaf->idx >= 0) {
		vexfs_ext_get(&leaf->rec[leaf->idx], &r);
		return vexfs_block_to_cluster(&n->fs->geom, r.pblk + r.len);
	}
	return n->goal ?: vexfs_ino_group_goal(n->fs, n->ino);
}

static int vexfs_ext_insert(struct vexfs_trans *t, struct vexfs_ext_path *p,
			    const struct vexfs_ext_rec *r, unsigned int flags)
{
	struct vexfs_ext_change c;
	int err;

	vexfs_ext_change(p, vexfs_ext_leaf(p)->idx + 1, 0, r, 1, &c);
	err = vexfs_ext_prepare(t, p, r->lblk, c.nnew - c.nold, flags);
	if (err)
		return err;
	vexfs_ext_change(p, vexfs_ext_leaf(p)->idx + 1, 0, r, 1, &c);
	vexfs_ext_apply(t, p, &c);
	return p->err;
}

/*
 * Maps the clusters of @r, just allocated. When they were the last ones (or
 * the last of a quota), and the tree needs some as well, it gets the end of
 * them.
 */
static int vexfs_ext_insert_run(struct vexfs_trans *t,
				struct vexfs_ext_path *p,
				struct vexfs_ext_rec *r, unsigned int flags)
{
	struct vexfs_fs *fs = p->n->fs;
	u64 cluster = vexfs_block_to_cluster(&fs->geom, r->pblk);
	u32 clusters = r->len >> fs->geom.cluster_shift;
	u32 spare = p->depth + 1;
	int err;

	err = vexfs_ext_insert(t, p, r, flags);
	if ((err == -ENOSPC || err == -EDQUOT) && clusters > spare) {
		clusters -= spare;
		r->len = clusters << fs->geom.cluster_shift;
		err = vexfs_node_free(t, p->n, cluster + clusters, spare);
		if (!err)
			err = vexfs_ext_insert(t, p, r, flags);
	}
	if (err && !p->err)
		vexfs_node_free(t, p->n, cluster, clusters);
	return err;
}

static int vexfs_ext_fill_hole(struct vexfs_trans *t,
			       struct vexfs_ext_path *p, u64 lblk, u64 len,
			       unsigned int flags, struct vexfs_map *map)
{
	struct vexfs_node *n = p->n;
	struct vexfs_geom *g = &n->fs->geom;
	struct vexfs_ext_rec r = { .unwritten = true };
	u64 first, end, cluster;
	u32 clusters;
	int err;

	err = vexfs_ext_hole(p, lblk, len, &first, &end);
	if (err)
		return err;
	clusters = (end - first) >> g->cluster_shift;
	err = vexfs_node_alloc(t, n, vexfs_ext_goal(p), flags, &cluster,
			       &clusters);
	if (err)
		return err;
	r.lblk = first;
	r.pblk = vexfs_cluster_to_block(g, cluster);
	r.len = clusters << g->cluster_shift;
	err = vexfs_ext_insert_run(t, p, &r, flags & VEXFS_ALLOC_MUST);
	if (err && !p->err)
		return err;
	map->pblk = r.pblk + (lblk - first);
	map->len = min(len, vexfs_ext_end(&r) - lblk);
	map->unwritten = true;
	map->fresh = true;
	return err;
}

int vexfs_ext_allocate(struct vexfs_trans *t, struct vexfs_node *n, u64 lblk,
		       u64 len, unsigned int flags, struct vexfs_map *map)
{
	struct vexfs_ext_path p;
	struct vexfs_ext_rec r;
	int err;

	if (lblk >= VEXFS_EXT_LIMIT || !len)
		return -EINVAL;
	map->lblk = lblk;
	map->fresh = false;
	down_write(&n->map_sem);
	err = vexfs_ext_find(n, lblk, &p);
	if (err)
		goto out_unlock;
	if (vexfs_ext_current(&p, lblk, &r)) {
		map->pblk = r.pblk + (lblk - r.lblk);
		map->len = min(len, vexfs_ext_end(&r) - lblk);
		map->unwritten = r.unwritten;
	} else {
		err = vexfs_ext_fill_hole(t, &p, lblk, len, flags, map);
	}
	vexfs_ext_put(&p);
out_unlock:
	up_write(&n->map_sem);
	return err;
}

/* What is left of the current record @r without [lblk, end). */
static void vexfs_ext_change_remove(struct vexfs_ext_path *p,
				    const struct vexfs_ext_rec *r, u64 lblk,
				    u64 end, struct vexfs_ext_change *c)
{
	struct vexfs_ext_rec piece[2] = { *r, *r };

	piece[0].len = lblk - r->lblk;
	piece[1].lblk = end;
	piece[1].pblk = r->pblk + (end - r->lblk);
	piece[1].len = vexfs_ext_end(r) - end;
	vexfs_ext_change(p, vexfs_ext_leaf(p)->idx, 1, piece, 2, c);
}

static bool vexfs_ext_leaf_empties(struct vexfs_ext_path *p,
				   const struct vexfs_ext_change *c)
{
	return p->depth && !c->nnew &&
	       vexfs_ext_count(vexfs_ext_leaf(p)) == c->nold;
}

static int vexfs_ext_prepare_unmap(struct vexfs_trans *t,
				   struct vexfs_ext_path *p, u64 end,
				   const struct vexfs_ext_change *c)
{
	if (vexfs_ext_leaf_empties(p, c))
		return vexfs_ext_prepare_drop(t, p);
	return vexfs_ext_prepare(t, p, end - 1, c->nnew - c->nold,
				 VEXFS_ALLOC_MUST);
}

/* Unmapping whole clusters backwards; lblk and end are borders of some. */
struct vexfs_ext_unmap {
	u64	lblk;
	u64	end;			/* what is behind is done */
	u64	unified;		/* end of the cluster seen as mixed */
	int	dropped;		/* nodes */
};

/*
 * Unmaps [first, u->end), whole clusters within the current record, and frees
 * them; less when the record had to be cut. u->end says how far it came.
 */
static int vexfs_ext_unmap(struct vexfs_trans *t, struct vexfs_ext_path *p,
			   u64 first, struct vexfs_ext_unmap *u)
{
	struct vexfs_node *n = p->n;
	struct vexfs_geom *g = &n->fs->geom;
	struct vexfs_ext_change c;
	struct vexfs_ext_rec r;
	u64 end = u->end, pblk;
	int err;

	vexfs_ext_current(p, end - 1, &r);
	vexfs_ext_change_remove(p, &r, first, end, &c);
	err = vexfs_ext_prepare_unmap(t, p, end, &c);
	if (err)
		return err;
	vexfs_ext_current(p, end - 1, &r);
	first = max(first, r.lblk);
	pblk = r.pblk + (first - r.lblk);
	err = vexfs_node_free(t, n, vexfs_block_to_cluster(g, pblk),
			      (end - first) >> g->cluster_shift);
	if (err)
		return err;
	vexfs_ext_change_remove(p, &r, first, end, &c);
	if (vexfs_ext_leaf_empties(p, &c))
		u->dropped += vexfs_ext_drop(t, p);
	else
		vexfs_ext_apply(t, p, &c);
	u->end = first;
	return p->err;
}

/*
 * The last cluster before u->end begins in one record and ends in another: it
 * is made unwritten as a whole, so that it can go in one step.
 */
static int vexfs_ext_unify(struct vexfs_trans *t, struct vexfs_node *n,
			   struct vexfs_ext_unmap *u)
{
	u64 pos = u->end - n->fs->geom.cluster_blocks;

	if (u->unified == u->end)
		return VEXFS_CORRUPTED(n->fs, n->ino, 0,
				       "a cluster is mapped in part");
	u->unified = u->end;
	return vexfs_ext_set_range(t, n, &pos, u->end, true, true);
}

/* The part of the last record before u->end that is in the range. */
static int vexfs_ext_unmap_step(struct vexfs_trans *t, struct vexfs_node *n,
				struct vexfs_ext_unmap *u)
{
	struct vexfs_ext_level *leaf;
	struct vexfs_ext_path p;
	struct vexfs_ext_rec r;
	u64 first, mask = vexfs_ext_cluster_mask(n);
	bool mixed = false;
	int err;

	err = vexfs_ext_find(n, u->end - 1, &p);
	if (err)
		return err;
	leaf = vexfs_ext_leaf(&p);
	if (leaf->idx < 0) {
		u->end = p.lo;
		goto out_put;
	}
	vexfs_ext_get(&leaf->rec[leaf->idx], &r);
	u->end = min(u->end, vexfs_ext_end(&r));
	if (u->end <= u->lblk)
		goto out_put;
	first = (max(u->lblk, r.lblk) + mask) & ~mask;
	mixed = first >= u->end;
	if (u->end & mask)
		err = VEXFS_CORRUPTED(n->fs, n->ino, 0,
				      "a cluster is mapped in part");
	else if (!mixed)
		err = vexfs_ext_unmap(t, &p, first, u);
out_put:
	vexfs_ext_put(&p);
	return !err && mixed ? vexfs_ext_unify(t, n, u) : err;
}

static int vexfs_ext_unmap_range(struct vexfs_trans *t, struct vexfs_node *n,
				 u64 lblk, u64 end, bool *more)
{
	struct vexfs_ext_unmap u = { .lblk = lblk, .end = end };
	int err = 0;

	while (!err && u.end > lblk) {
		/* A step drops up to a path of nodes, and so does collapsing. */
		if (vexfs_trans_credits(t) < VEXFS_EXT_CREDITS ||
		    u.dropped > VEXFS_EXT_REVOKES - 2 * VEXFS_EXT_MAX_DEPTH) {
			*more = true;
			break;
		}
		err = vexfs_ext_unmap_step(t, n, &u);
	}
	return err;
}

static int vexfs_ext_unwrite(struct vexfs_trans *t, struct vexfs_node *n,
			     u64 lblk, u64 end, bool *more)
{
	int err;

	if (*more)
		return 0;
	err = vexfs_ext_set_range(t, n, &lblk, end, true, false);
	*more = !err && lblk < end;
	return err;
}

int vexfs_ext_remove(struct vexfs_trans *t, struct vexfs_node *n, u64 lblk,
		     u64 end, bool *more)
{
	u64 mask = vexfs_ext_cluster_mask(n), head, tail;
	int err;

	*more = false;
	/* To the end of the largest file is to the end of its last cluster. */
	if (end >= VEXFS_MAX_LBLK)
		end = VEXFS_EXT_LIMIT;
	if (lblk >= end)
		return 0;
	head = min((lblk + mask) & ~mask, end);
	tail = max(end & ~mask, head);
	down_write(&n->map_sem);
	err = vexfs_ext_unwrite(t, n, tail, end, more);
	if (!err && !*more)
		err = vexfs_ext_unmap_range(t, n, head, tail, more);
	if (!err)
		err = vexfs_ext_unwrite(t, n, lblk, head, more);
	if (!err && !*more)
		err = vexfs_ext_collapse(t, n);
	up_write(&n->map_sem);
	return err;
}

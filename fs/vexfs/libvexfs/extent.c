// SPDX-License-Identifier: GPL-2.0
/*
 * Extent trees: looking up blocks, and turning unwritten blocks into written
 * ones and back.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include "extent.h"

void vexfs_ext_init_root(struct vexfs_extent_root *root)
{
	memset(root, 0, sizeof(*root));
}

void vexfs_node_init(struct vexfs_node *n, struct vexfs_fs *fs, u64 ino,
		     u32 generation)
{
	memset(n, 0, sizeof(*n));
	n->fs = fs;
	n->ino = ino;
	n->generation = generation;
	init_rwsem(&n->map_sem);
}

/* The hole goes on in the next leaf: up to the first record there. */
static int vexfs_ext_hole_end(struct vexfs_node *n, u64 lblk, u64 *end)
{
	struct vexfs_ext_path p;
	int err;

	err = vexfs_ext_find(n, lblk, &p);
	if (err)
		return err;
	if (vexfs_ext_leaf(&p)->idx >= 0)
		*end = lblk;
	else
		*end = vexfs_ext_next(&p);
	vexfs_ext_put(&p);
	return 0;
}

static int vexfs_ext_lookup_locked(struct vexfs_node *n, u64 lblk, u64 len,
				   struct vexfs_map *map)
{
	struct vexfs_ext_path p;
	struct vexfs_ext_rec r;
	u64 end, hi;
	int err;

	err = vexfs_ext_find(n, lblk, &p);
	if (err)
		return err;
	map->lblk = lblk;
	map->pblk = 0;
	map->unwritten = false;
	if (vexfs_ext_current(&p, lblk, &r)) {
		map->pblk = r.pblk + (lblk - r.lblk);
		map->unwritten = r.unwritten;
		end = vexfs_ext_end(&r);
	} else {
		end = vexfs_ext_next(&p);
	}
	hi = p.hi;
	vexfs_ext_put(&p);
	if (!map->pblk && end == hi && end < VEXFS_EXT_LIMIT &&
	    end - lblk < len)
		err = vexfs_ext_hole_end(n, hi, &end);
	map->len = min(len, end - lblk);
	return err;
}

int vexfs_ext_lookup(struct vexfs_node *n, u64 lblk, u64 len,
		     struct vexfs_map *map)
{
	int err;

	if (lblk >= VEXFS_EXT_LIMIT || !len)
		return -EINVAL;
	down_read(&n->map_sem);
	err = vexfs_ext_lookup_locked(n, lblk, len, map);
	up_read(&n->map_sem);
	return err;
}

int vexfs_ext_last(struct vexfs_node *n, u64 *end)
{
	struct vexfs_ext_level *leaf;
	struct vexfs_ext_path p;
	struct vexfs_ext_rec r;
	int err;

	*end = 0;
	down_read(&n->map_sem);
	err = vexfs_ext_find(n, VEXFS_EXT_LIMIT - 1, &p);
	if (err)
		goto out_unlock;
	leaf = vexfs_ext_leaf(&p);
	if (leaf->idx >= 0) {
		vexfs_ext_get(&leaf->rec[leaf->idx], &r);
		*end = vexfs_ext_end(&r);
	}
	vexfs_ext_put(&p);
out_unlock:
	up_read(&n->map_sem);
	return err;
}

/* [lblk, end) of the current record @r becomes @unwritten. */
static void vexfs_ext_change_state(struct vexfs_ext_path *p,
				   const struct vexfs_ext_rec *r, u64 lblk,
				   u64 end, bool unwritten,
				   struct vexfs_ext_change *c)
{
	struct vexfs_ext_rec piece[3] = { *r, *r, *r };

	piece[0].len = lblk - r->lblk;
	piece[1].lblk = lblk;
	piece[1].pblk = r->pblk + (lblk - r->lblk);
	piece[1].len = end - lblk;
	piece[1].unwritten = unwritten;
	piece[2].lblk = end;
	piece[2].pblk = r->pblk + (end - r->lblk);
	piece[2].len = vexfs_ext_end(r) - end;
	vexfs_ext_change(p, vexfs_ext_leaf(p)->idx, 1, piece, 3, c);
}

/* *end comes back lower when the extent had to be cut at the end of a leaf. */
static int vexfs_ext_set_state(struct vexfs_trans *t,
			       struct vexfs_ext_path *p, u64 lblk, u64 *end,
			       bool unwritten)
{
	struct vexfs_ext_change c;
	struct vexfs_ext_rec r;
	int err;

	vexfs_ext_current(p, lblk, &r);
	vexfs_ext_change_state(p, &r, lblk, *end, unwritten, &c);
	/*
	 * The reserve may be used, and quota passed: this comes after the data
	 * was written, or before space is freed, when it is too late to say no.
	 */
	err = vexfs_ext_prepare(t, p, lblk, c.nnew - c.nold, VEXFS_ALLOC_MUST);
	if (err)
		return err;
	vexfs_ext_current(p, lblk, &r);
	*end = min(*end, vexfs_ext_end(&r));
	vexfs_ext_change_state(p, &r, lblk, *end, unwritten, &c);
	vexfs_ext_apply(t, p, &c);
	return p->err;
}

int vexfs_ext_set_range(struct vexfs_trans *t, struct vexfs_node *n, u64 *pos,
			u64 end, bool unwritten, bool some)
{
	struct vexfs_ext_path p;
	struct vexfs_ext_rec r;
	u64 next;
	int err;

	while (*pos < end) {
		if (!some && vexfs_trans_credits(t) < VEXFS_EXT_CREDITS)
			return 0;
		err = vexfs_ext_find(n, *pos, &p);
		if (err)
			return err;
		if (!vexfs_ext_current(&p, *pos, &r)) {
			next = min(end, vexfs_ext_next(&p));
		} else {
			next = min(end, vexfs_ext_end(&r));
			if (r.unwritten != unwritten) {
				err = vexfs_ext_set_state(t, &p, *pos, &next,
							  unwritten);
				some = false;
			}
		}
		vexfs_ext_put(&p);
		if (err)
			return err;
		*pos = next;
	}
	return 0;
}

int vexfs_ext_convert(struct vexfs_trans *t, struct vexfs_node *n, u64 lblk,
		      u64 len, u64 *done)
{
	u64 pos = lblk, end = lblk + len;
	int err;

	*done = 0;
	if (lblk >= VEXFS_EXT_LIMIT || !len || len > VEXFS_EXT_LIMIT - lblk)
		return -EINVAL;
	down_write(&n->map_sem);
	err = vexfs_ext_set_range(t, n, &pos, end, false, true);
	if (!err && pos == end)
		err = vexfs_ext_collapse(t, n);
	up_write(&n->map_sem);
	*done = pos - lblk;
	/* What was done counts; the caller meets the error at the next call. */
	return *done ? 0 : err;
}

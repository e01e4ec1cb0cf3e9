// SPDX-License-Identifier: GPL-2.0
/*
 * Extent trees: moving all that is behind a place up or down, for files that
 * lose or get a range in their middle. Extents keep their order, so only
 * numbers change: the leaves' one after the other, from the side that there is
 * room on, and the keys that lead to each. Between two leaves the tree is
 * right; nothing is allocated on the way, so nothing can fail half way but the
 * disk.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include "extent.h"

static u64 vexfs_ext_shifted(const struct vexfs_shift *s, u64 lblk)
{
	return s->up ? lblk + s->blocks : lblk - s->blocks;
}

/*
 * The new lower bound of a leaf whose extents moved. Going down, it may have
 * been in the range that is gone: then it is where that began.
 */
static u64 vexfs_ext_shifted_key(const struct vexfs_shift *s, u64 key)
{
	u64 start = s->from - s->blocks;

	/* The first leaf of all has what is before it as well. */
	if (s->up)
		return key && key >= s->from ? key + s->blocks : key;
	if (key <= start)
		return key;
	return key - start > s->blocks ? key - s->blocks : start;
}

/*
 * The leaf's lower bound becomes @key. What first records say is not used, but
 * may be more than their bound: then it would not be in order with the next.
 */
static void vexfs_ext_set_lower(struct vexfs_trans *t,
				struct vexfs_ext_path *p, u64 key)
{
	int l = p->depth - 1;

	while (l > 0 && !p->lev[l].idx)
		l--;
	if (l >= 0)
		p->lev[l].rec[p->lev[l].idx].ee_lblk = cpu_to_le32(key);
	for (l = 0; l < p->depth; l++) {
		p->lev[l].rec[0].ee_lblk = vexfs_ext_lower(p, l);
		vexfs_ext_dirty(t, p, p->lev[l].buf);
	}
}

static int vexfs_ext_announce(struct vexfs_trans *t, struct vexfs_ext_path *p)
{
	int l, err = 0;

	for (l = 1; l <= p->depth && !err; l++)
		err = vexfs_trans_write(t, p->lev[l].buf);
	return err;
}

/* Moves what the leaf has from s->from on. */
static int vexfs_ext_shift_leaf(struct vexfs_trans *t,
				struct vexfs_ext_path *p,
				const struct vexfs_shift *s)
{
	struct vexfs_ext_level *leaf = vexfs_ext_leaf(p);
	int i, first, count = vexfs_ext_count(leaf);
	u64 key = vexfs_ext_shifted_key(s, p->lo), lblk;
	int err;

	for (first = 0; first < count; first++)
		if (le32_to_cpu(leaf->rec[first].ee_lblk) >= s->from)
			break;
	if (first == count)
		return 0;
	err = vexfs_ext_announce(t, p);
	if (err)
		return err;
	for (i = first; i < count; i++) {
		lblk = vexfs_ext_shifted(s, le32_to_cpu(leaf->rec[i].ee_lblk));
		leaf->rec[i].ee_lblk = cpu_to_le32(lblk);
	}
	vexfs_ext_dirty(t, p, leaf->buf);
	vexfs_ext_set_lower(t, p, key);
	return p->err;
}

/* One leaf; s->pos says how far it came, in the old numbers. */
static int vexfs_ext_shift_step(struct vexfs_trans *t, struct vexfs_node *n,
				struct vexfs_shift *s)
{
	struct vexfs_ext_path p;
	u64 next;
	int err;

	err = vexfs_ext_find(n, s->up ? s->pos - 1 : s->pos, &p);
	if (err)
		return err;
	next = s->up ? p.lo : p.hi;
	err = vexfs_ext_shift_leaf(t, &p, s);
	vexfs_ext_put(&p);
	s->pos = next;
	return err;
}

/* Makes @lblk the beginning of an extent, if it is in the middle of one. */
static int vexfs_ext_cut(struct vexfs_trans *t, struct vexfs_node *n, u64 lblk)
{
	struct vexfs_ext_change c = { .nold = 1, .nnew = 2 };
	struct vexfs_ext_path p;
	struct vexfs_ext_rec r;
	int err;

	err = vexfs_ext_find(n, lblk, &p);
	if (err)
		return err;
	if (!vexfs_ext_current(&p, lblk, &r) || r.lblk == lblk)
		goto out_put;
	err = vexfs_ext_prepare(t, &p, lblk, 1, 0);
	/* A split may have cut it just there. */
	if (err || !vexfs_ext_current(&p, lblk, &r) || r.lblk == lblk)
		goto out_put;
	c.pos = vexfs_ext_leaf(&p)->idx;
	c.rec[0] = r;
	c.rec[0].len = lblk - r.lblk;
	c.rec[1] = r;
	c.rec[1].lblk = lblk;
	c.rec[1].pblk += lblk - r.lblk;
	c.rec[1].len = vexfs_ext_end(&r) - lblk;
	vexfs_ext_apply(t, &p, &c);
	err = p.err;
out_put:
	vexfs_ext_put(&p);
	return err;
}

/* The extent that ends at @lblk, and the next one, may have become one. */
static int vexfs_ext_join(struct vexfs_trans *t, struct vexfs_node *n, u64 lblk)
{
	struct vexfs_ext_change c;
	struct vexfs_ext_path p;
	struct vexfs_ext_rec r;
	int err;

	err = vexfs_ext_find(n, lblk, &p);
	if (err)
		return err;
	if (!vexfs_ext_current(&p, lblk, &r))
		goto out_put;
	vexfs_ext_change(&p, vexfs_ext_leaf(&p)->idx, 1, &r, 1, &c);
	if (c.nnew == c.nold)
		goto out_put;
	err = vexfs_ext_announce(t, &p);
	if (!err) {
		vexfs_ext_apply(t, &p, &c);
		err = p.err;
	}
out_put:
	vexfs_ext_put(&p);
	return err;
}

static int vexfs_ext_shift_begin(struct vexfs_trans *t, struct vexfs_node *n,
				 struct vexfs_shift *s)
{
	s->begun = true;
	s->pos = s->up ? VEXFS_EXT_LIMIT : s->from;
	return s->up ? vexfs_ext_cut(t, n, s->from) : 0;
}

static bool vexfs_ext_shift_done(const struct vexfs_shift *s)
{
	return s->up ? s->pos <= s->from : s->pos >= VEXFS_EXT_LIMIT;
}

static int vexfs_ext_shift_all(struct vexfs_trans *t, struct vexfs_node *n,
			       struct vexfs_shift *s, bool *more)
{
	int err = 0;

	if (!s->begun)
		err = vexfs_ext_shift_begin(t, n, s);
	while (!err && !vexfs_ext_shift_done(s)) {
		*more = vexfs_trans_credits(t) < VEXFS_EXT_CREDITS;
		if (*more)
			return 0;
		err = vexfs_ext_shift_step(t, n, s);
	}
	if (!err && !s->up)
		err = vexfs_ext_join(t, n, s->from - s->blocks);
	return err;
}

int vexfs_ext_shift(struct vexfs_trans *t, struct vexfs_node *n,
		    struct vexfs_shift *s, bool *more)
{
	u64 mask = vexfs_ext_cluster_mask(n);
	int err;

	*more = false;
	if (((s->from | s->blocks) & mask) || s->from >= VEXFS_EXT_LIMIT ||
	    (!s->up && s->from < s->blocks))
		return -EINVAL;
	down_write(&n->map_sem);
	err = vexfs_ext_shift_all(t, n, s, more);
	up_write(&n->map_sem);
	return err;
}

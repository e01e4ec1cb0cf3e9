// SPDX-License-Identifier: GPL-2.0
/*
 * Changing extent trees: making room by splitting nodes, replacing records of
 * a leaf, dropping nodes that became empty. extent.h has the rules.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include "extent.h"

/* Nodes allocated for splits that are about to happen. */
struct vexfs_ext_reserve {
	int	nr;
	struct vexfs_buf *buf[VEXFS_EXT_MAX_DEPTH];
};

static void vexfs_ext_set(struct vexfs_extent *e,
			  const struct vexfs_ext_rec *r)
{
	e->ee_lblk = cpu_to_le32(r->lblk);
	e->ee_pblk = cpu_to_le64(r->pblk);
	e->ee_len = cpu_to_le32(r->len |
				(r->unwritten ? VEXFS_EXT_UNWRITTEN : 0));
}

static void vexfs_ext_set_count(struct vexfs_ext_level *lev, int count)
{
	*lev->count = cpu_to_le16(count);
}

void vexfs_ext_dirty(struct vexfs_trans *t, struct vexfs_ext_path *p,
		     struct vexfs_buf *buf)
{
	int err;

	if (!buf)
		return;
	err = vexfs_trans_dirty_meta(t, p->n->fs, buf);
	if (err && !p->err)
		p->err = err;
}

/* The cluster of a node goes back; consumes the reference to @buf. */
static int vexfs_ext_free_node(struct vexfs_trans *t, struct vexfs_node *n,
			       struct vexfs_buf *buf)
{
	struct vexfs_geom *g = &n->fs->geom;
	u64 bno = vexfs_buf_bno(buf);
	int err, err2;

	err = vexfs_trans_forget(t, n->fs, buf, bno);
	err2 = vexfs_bfree(t, n->fs, vexfs_block_to_cluster(g, bno), 1);
	vexfs_node_uncount(n, 1);
	return err ?: err2;
}

static void vexfs_ext_unreserve(struct vexfs_trans *t, struct vexfs_node *n,
				struct vexfs_ext_reserve *res)
{
	while (res->nr)
		vexfs_ext_free_node(t, n, res->buf[--res->nr]);
}

/* One more node: a cluster, and the buffer of its first block announced. */
static int vexfs_ext_reserve_one(struct vexfs_trans *t, struct vexfs_node *n,
				 u64 goal, unsigned int flags,
				 struct vexfs_ext_reserve *res)
{
	struct vexfs_fs *fs = n->fs;
	struct vexfs_buf *buf;
	u64 cluster;
	u32 len = 1;
	int err;

	err = vexfs_node_alloc(t, n, goal, flags, &cluster, &len);
	if (err)
		return err;
	buf = vexfs_buf_get(fs, vexfs_cluster_to_block(&fs->geom, cluster));
	if (IS_ERR(buf)) {
		vexfs_node_free(t, n, cluster, 1);
		return PTR_ERR(buf);
	}
	err = vexfs_trans_create(t, buf);
	if (err) {
		vexfs_buf_put(buf);
		vexfs_node_free(t, n, cluster, 1);
		return err;
	}
	res->buf[res->nr++] = buf;
	return 0;
}

static int vexfs_ext_reserve(struct vexfs_trans *t, struct vexfs_ext_path *p,
			     int nr, unsigned int flags,
			     struct vexfs_ext_reserve *res)
{
	struct vexfs_node *n = p->n;
	u64 goal = n->goal ?: vexfs_ino_group_goal(n->fs, n->ino);
	int err;

	res->nr = 0;
	if (nr && p->depth) {
		goal = vexfs_buf_bno(vexfs_ext_leaf(p)->buf);
		goal = vexfs_block_to_cluster(&n->fs->geom, goal) + 1;
	}
	while (res->nr < nr) {
		err = vexfs_ext_reserve_one(t, n, goal, flags, res);
		if (err) {
			vexfs_ext_unreserve(t, n, res);
			return err;
		}
	}
	return 0;
}

static struct vexfs_extent_node *
vexfs_ext_init_node(struct vexfs_node *n, struct vexfs_buf *buf, int depth,
		    struct vexfs_ext_level *lev)
{
	struct vexfs_extent_node *node = vexfs_buf_data(buf);

	vexfs_meta_init(n->fs, buf, VEXFS_MAGIC_EXTENT, n->ino,
			n->generation);
	node->en_depth = cpu_to_le16(depth);
	lev->buf = buf;
	lev->rec = node->en_rec;
	lev->count = &node->en_count;
	lev->max = VEXFS_NODE_EXTENTS;
	return node;
}

static void vexfs_ext_set_index(struct vexfs_extent *e, u64 lblk,
				struct vexfs_buf *buf)
{
	const struct vexfs_ext_rec r = {
		.lblk	= lblk,
		.pblk	= vexfs_buf_bno(buf),
	};

	vexfs_ext_set(e, &r);
}

/* The records of the root move to @buf, and the root points at it. */
static void vexfs_ext_grow(struct vexfs_trans *t, struct vexfs_ext_path *p,
			   struct vexfs_buf *buf)
{
	struct vexfs_ext_level *root = &p->lev[0], *lev = &p->lev[1];
	int count = vexfs_ext_count(root);

	memmove(lev + 1, lev, p->depth * sizeof(*lev));
	vexfs_ext_init_node(p->n, buf, p->depth, lev);
	memcpy(lev->rec, root->rec, count * sizeof(*lev->rec));
	vexfs_ext_set_count(lev, count);
	lev->idx = root->idx;
	vexfs_ext_dirty(t, p, buf);

	memset(root->rec, 0, VEXFS_ROOT_EXTENTS * sizeof(*root->rec));
	vexfs_ext_set_index(&root->rec[0], 0, buf);
	vexfs_ext_set_count(root, 1);
	root->idx = 0;
	p->depth++;
	p->n->root.er_depth = cpu_to_le16(p->depth);
}

/*
 * Where to split: in the middle, but in front of the last record when what is
 * to come goes behind it, so that files written in order have full nodes.
 */
static int vexfs_ext_split_point(const struct vexfs_ext_level *lev)
{
	int count = vexfs_ext_count(lev);

	return lev->idx == count - 1 ? count - 1 : count / 2;
}

/*
 * Moves the upper part of a leaf to @right. The border must be the border of
 * a cluster as well: an extent across it is cut. Going back for that takes at
 * most a cluster's worth of records, much less than a leaf has.
 */
static u64 vexfs_ext_split_leaf(struct vexfs_ext_path *p,
				struct vexfs_ext_level *left,
				struct vexfs_ext_level *right)
{
	int count = vexfs_ext_count(left), m = vexfs_ext_split_point(left);
	struct vexfs_ext_rec prev, cut;
	int ncut = 0;
	u64 sep;

	sep = le32_to_cpu(left->rec[m].ee_lblk);
	sep &= ~(u64)vexfs_ext_cluster_mask(p->n);
	while (m > 1 && le32_to_cpu(left->rec[m - 1].ee_lblk) >= sep)
		m--;
	vexfs_ext_get(&left->rec[m - 1], &prev);
	if (vexfs_ext_end(&prev) > sep) {
		cut = prev;
		cut.lblk = sep;
		cut.len = vexfs_ext_end(&prev) - sep;
		cut.pblk += sep - prev.lblk;
		prev.len = sep - prev.lblk;
		vexfs_ext_set(&left->rec[m - 1], &prev);
		vexfs_ext_set(&right->rec[ncut++], &cut);
	}
	memcpy(right->rec + ncut, left->rec + m,
	       (count - m) * sizeof(*left->rec));
	vexfs_ext_set_count(right, count - m + ncut);
	vexfs_ext_set_count(left, m);
	return sep;
}

static u64 vexfs_ext_split_index(struct vexfs_ext_level *left,
				 struct vexfs_ext_level *right)
{
	int count = vexfs_ext_count(left), m = vexfs_ext_split_point(left);

	memcpy(right->rec, left->rec + m, (count - m) * sizeof(*left->rec));
	vexfs_ext_set_count(right, count - m);
	vexfs_ext_set_count(left, m);
	right->idx = left->idx - m;
	return le32_to_cpu(right->rec[0].ee_lblk);
}

/* Lower bound of the node at level @l of the path. */
__le32 vexfs_ext_lower(struct vexfs_ext_path *p, int l)
{
	while (l-- > 0)
		if (p->lev[l].idx)
			return p->lev[l].rec[p->lev[l].idx].ee_lblk;
	return 0;
}

/*
 * The new record follows that of the path. When that is the first, its key
 * may be larger than @sep, for it is not used: make it what it stands for.
 */
static void vexfs_ext_insert_index(struct vexfs_ext_path *p, int l, u64 sep,
				   struct vexfs_buf *buf)
{
	struct vexfs_ext_level *lev = &p->lev[l];
	int count = vexfs_ext_count(lev), pos = lev->idx + 1;

	if (!lev->idx)
		lev->rec[0].ee_lblk = vexfs_ext_lower(p, l);
	memmove(lev->rec + pos + 1, lev->rec + pos,
		(count - pos) * sizeof(*lev->rec));
	vexfs_ext_set_index(&lev->rec[pos], sep, buf);
	vexfs_ext_set_count(lev, count + 1);
}

/* Splits level @l, whose parent has room, and follows @lblk. */
static void vexfs_ext_split(struct vexfs_trans *t, struct vexfs_ext_path *p,
			    int l, u64 lblk, struct vexfs_buf *buf)
{
	struct vexfs_ext_level *left = &p->lev[l], *up = left - 1, right;
	bool leaf = l == p->depth;
	u64 sep;

	vexfs_ext_init_node(p->n, buf, p->depth - l, &right);
	if (leaf)
		sep = vexfs_ext_split_leaf(p, left, &right);
	else
		sep = vexfs_ext_split_index(left, &right);
	vexfs_ext_insert_index(p, l - 1, sep, buf);
	vexfs_ext_dirty(t, p, left->buf);
	vexfs_ext_dirty(t, p, buf);
	vexfs_ext_dirty(t, p, up->buf);
	if (lblk < sep) {
		vexfs_buf_put(buf);
		if (leaf)
			p->hi = sep;
		return;
	}
	vexfs_buf_put(left->buf);
	*left = right;
	up->idx++;
	if (leaf)
		p->lo = sep;
}

static bool vexfs_ext_has_room(struct vexfs_ext_path *p, int l, int need)
{
	struct vexfs_ext_level *lev = &p->lev[l];

	if (l < p->depth)
		need = 1;
	return vexfs_ext_count(lev) + need <= lev->max;
}

int vexfs_ext_prepare(struct vexfs_trans *t, struct vexfs_ext_path *p,
		      u64 lblk, int need, unsigned int flags)
{
	struct vexfs_ext_reserve res;
	struct vexfs_ext_rec r;
	int top = p->depth, l, err;
	bool grow = false;

	while (top > 0 && !vexfs_ext_has_room(p, top, need))
		top--;
	if (top == 0 && !vexfs_ext_has_room(p, 0, need))
		grow = true;
	if (grow && p->depth == VEXFS_EXT_MAX_DEPTH)
		return -EFBIG;
	for (l = top ?: 1; l <= p->depth; l++) {
		err = vexfs_trans_write(t, p->lev[l].buf);
		if (err)
			return err;
	}
	err = vexfs_ext_reserve(t, p, p->depth - top + grow, flags, &res);
	if (err)
		return err;

	/* Nothing fails from here on. */
	if (grow) {
		vexfs_ext_grow(t, p, res.buf[--res.nr]);
		top++;
	}
	for (l = top + 1; l <= p->depth; l++)
		vexfs_ext_split(t, p, l, lblk, res.buf[--res.nr]);
	vexfs_ext_current(p, lblk, &r);
	return 0;
}

static bool vexfs_ext_mergeable(const struct vexfs_ext_rec *a,
				const struct vexfs_ext_rec *b)
{
	return vexfs_ext_end(a) == b->lblk && a->pblk + a->len == b->pblk &&
	       a->unwritten == b->unwritten &&
	       (u64)a->len + b->len <= VEXFS_EXT_LEN_MASK;
}

static void vexfs_ext_change_add(struct vexfs_ext_change *c,
				 const struct vexfs_ext_rec *r)
{
	if (!r->len)
		return;
	if (c->nnew && vexfs_ext_mergeable(&c->rec[c->nnew - 1], r))
		c->rec[c->nnew - 1].len += r->len;
	else
		c->rec[c->nnew++] = *r;
}

/*
 * Works out the change that puts @piece in the place of records [pos, pos +
 * nold) of the leaf. The neighbours take part, to be merged with.
 */
void vexfs_ext_change(struct vexfs_ext_path *p, int pos, int nold,
		      const struct vexfs_ext_rec *piece, int npieces,
		      struct vexfs_ext_change *c)
{
	struct vexfs_ext_level *leaf = vexfs_ext_leaf(p);
	struct vexfs_ext_rec r;
	int i;

	c->pos = pos;
	c->nold = nold;
	c->nnew = 0;
	if (pos > 0) {
		c->pos--;
		c->nold++;
		vexfs_ext_get(&leaf->rec[c->pos], &r);
		vexfs_ext_change_add(c, &r);
	}
	for (i = 0; i < npieces; i++)
		vexfs_ext_change_add(c, &piece[i]);
	if (pos + nold < vexfs_ext_count(leaf)) {
		c->nold++;
		vexfs_ext_get(&leaf->rec[pos + nold], &r);
		vexfs_ext_change_add(c, &r);
	}
}

void vexfs_ext_apply(struct vexfs_trans *t, struct vexfs_ext_path *p,
		     const struct vexfs_ext_change *c)
{
	struct vexfs_ext_level *leaf = vexfs_ext_leaf(p);
	int count = vexfs_ext_count(leaf), i;

	memmove(leaf->rec + c->pos + c->nnew, leaf->rec + c->pos + c->nold,
		(count - c->pos - c->nold) * sizeof(*leaf->rec));
	for (i = 0; i < c->nnew; i++)
		vexfs_ext_set(&leaf->rec[c->pos + i], &c->rec[i]);
	vexfs_ext_set_count(leaf, count - c->nold + c->nnew);
	vexfs_ext_dirty(t, p, leaf->buf);
}

/* The lowest level above the leaf that has more than the path in it. */
static int vexfs_ext_survivor(struct vexfs_ext_path *p)
{
	int l = p->depth - 1;

	while (l > 0 && vexfs_ext_count(&p->lev[l]) == 1)
		l--;
	return l;
}

int vexfs_ext_prepare_drop(struct vexfs_trans *t, struct vexfs_ext_path *p)
{
	int l = vexfs_ext_survivor(p);

	return l ? vexfs_trans_write(t, p->lev[l].buf) : 0;
}

int vexfs_ext_drop(struct vexfs_trans *t, struct vexfs_ext_path *p)
{
	int l = vexfs_ext_survivor(p), k, err;
	struct vexfs_ext_level *lev = &p->lev[l];
	int count = vexfs_ext_count(lev) - 1;
	__le32 key = lev->rec[0].ee_lblk;

	memmove(lev->rec + lev->idx, lev->rec + lev->idx + 1,
		(count - lev->idx) * sizeof(*lev->rec));
	/* The next one takes over the range of the first. */
	if (count)
		lev->rec[0].ee_lblk = key;
	vexfs_ext_set_count(lev, count);
	vexfs_ext_dirty(t, p, lev->buf);
	if (!count)
		vexfs_ext_init_root(&p->n->root);
	for (k = l + 1; k <= p->depth; k++) {
		err = vexfs_ext_free_node(t, p->n, p->lev[k].buf);
		p->lev[k].buf = NULL;
		if (err && !p->err)
			p->err = err;
	}
	return p->depth - l;
}

/*
 * An only child with fewer records than the root can hold: one less, lest a
 * file with just that many records goes up and down all the time.
 */
static bool vexfs_ext_collapsible(struct vexfs_node *n, struct vexfs_buf *buf)
{
	struct vexfs_extent_node *node = vexfs_buf_data(buf);
	int depth = le16_to_cpu(n->root.er_depth);

	return le16_to_cpu(node->en_count) < VEXFS_ROOT_EXTENTS &&
	       le16_to_cpu(node->en_depth) == depth - 1;
}

int vexfs_ext_collapse(struct vexfs_trans *t, struct vexfs_node *n)
{
	struct vexfs_extent_root *root = &n->root;
	struct vexfs_extent_node *node;
	struct vexfs_buf *buf;
	int err = 0;

	while (!err && root->er_depth && le16_to_cpu(root->er_count) == 1 &&
	       vexfs_trans_credits(t) >= VEXFS_ALLOC_CREDITS) {
		buf = vexfs_meta_read(n->fs,
				      le64_to_cpu(root->er_rec[0].ee_pblk),
				      VEXFS_MAGIC_EXTENT, n->ino,
				      n->generation);
		/* Whoever needs the node will hear of it. */
		if (IS_ERR(buf))
			return 0;
		if (!vexfs_ext_collapsible(n, buf)) {
			vexfs_buf_put(buf);
			return 0;
		}
		node = vexfs_buf_data(buf);
		root->er_depth = node->en_depth;
		root->er_count = node->en_count;
		memcpy(root->er_rec, node->en_rec, sizeof(root->er_rec));
		if (root->er_depth)
			root->er_rec[0].ee_lblk = 0;
		err = vexfs_ext_free_node(t, n, buf);
	}
	return err;
}

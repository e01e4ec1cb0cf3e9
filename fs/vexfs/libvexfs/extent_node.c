// SPDX-License-Identifier: GPL-2.0
/*
 * Nodes of extent trees: what makes one valid, and finding a block's leaf.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include "extent.h"

void vexfs_ext_get(const struct vexfs_extent *e, struct vexfs_ext_rec *r)
{
	u32 len = le32_to_cpu(e->ee_len);

	r->lblk = le32_to_cpu(e->ee_lblk);
	r->pblk = le64_to_cpu(e->ee_pblk);
	r->len = len & VEXFS_EXT_LEN_MASK;
	r->unwritten = len & VEXFS_EXT_UNWRITTEN;
}

static const char *vexfs_verify_extents(struct vexfs_fs *fs,
					const struct vexfs_extent *rec,
					int count)
{
	u32 mask = fs->geom.cluster_blocks - 1;
	struct vexfs_ext_rec r;
	u64 next = 0;
	int i;

	for (i = 0; i < count; i++) {
		vexfs_ext_get(&rec[i], &r);
		if (!r.len)
			return "extent without blocks";
		if (r.lblk < next)
			return "extents overlap or are not sorted";
		if (r.lblk != next && ((r.lblk | next) & mask))
			return "cluster is mapped in part";
		next = vexfs_ext_end(&r);
		if (next > VEXFS_EXT_LIMIT)
			return "extent passes the largest file offset";
		if ((r.lblk ^ r.pblk) & mask)
			return "extent is not aligned with its clusters";
		if (!vexfs_block_valid(fs, r.pblk, r.len))
			return "extent leaves the data area";
	}
	return next & mask ? "cluster is mapped in part" : NULL;
}

static const char *vexfs_verify_indexes(struct vexfs_fs *fs,
					const struct vexfs_extent *rec,
					int count)
{
	u32 mask = fs->geom.cluster_blocks - 1;
	struct vexfs_ext_rec r;
	u64 next = 0;
	int i;

	for (i = 0; i < count; i++) {
		vexfs_ext_get(&rec[i], &r);
		if (r.len || r.unwritten)
			return "reserved field of an extent index is set";
		if (r.lblk < next)
			return "extent index is not sorted";
		next = r.lblk + 1;
		if ((r.lblk | r.pblk) & mask)
			return "extent index is not aligned with clusters";
		if (!vexfs_block_valid(fs, r.pblk, 1))
			return "extent tree node is not in the data area";
	}
	return NULL;
}

const char *vexfs_verify_extent_node(struct vexfs_fs *fs, const void *data)
{
	const struct vexfs_extent_node *node = data;
	int depth = le16_to_cpu(node->en_depth);
	int count = le16_to_cpu(node->en_count);

	if (depth >= VEXFS_EXT_MAX_DEPTH)
		return "extent tree node is too deep";
	if (count < 1 || count > VEXFS_NODE_EXTENTS)
		return "bad count of records in an extent tree node";
	if (node->en_reserved)
		return "reserved field of an extent tree node is set";
	if (depth)
		return vexfs_verify_indexes(fs, node->en_rec, count);
	return vexfs_verify_extents(fs, node->en_rec, count);
}

const char *vexfs_verify_extent_root(struct vexfs_fs *fs,
				     const struct vexfs_extent_root *root)
{
	int depth = le16_to_cpu(root->er_depth);
	int count = le16_to_cpu(root->er_count);

	if (depth > VEXFS_EXT_MAX_DEPTH)
		return "extent tree is too deep";
	if (count > VEXFS_ROOT_EXTENTS)
		return "bad count of records in an extent tree root";
	if (root->er_reserved)
		return "reserved field of an extent tree root is set";
	if (!depth)
		return vexfs_verify_extents(fs, root->er_rec, count);
	if (!count || root->er_rec[0].ee_lblk)
		return "extent tree does not begin at block 0";
	return vexfs_verify_indexes(fs, root->er_rec, count);
}

static void vexfs_ext_path_init(struct vexfs_ext_path *p,
				struct vexfs_node *n)
{
	memset(p, 0, sizeof(*p));
	p->n = n;
	p->depth = le16_to_cpu(n->root.er_depth);
	p->hi = VEXFS_EXT_LIMIT;
	p->lev[0].rec = n->root.er_rec;
	p->lev[0].count = &n->root.er_count;
	p->lev[0].max = VEXFS_ROOT_EXTENTS;
}

void vexfs_ext_put(struct vexfs_ext_path *p)
{
	int l;

	for (l = 1; l <= VEXFS_EXT_MAX_DEPTH; l++) {
		if (p->lev[l].buf)
			vexfs_buf_put(p->lev[l].buf);
		p->lev[l].buf = NULL;
	}
}

/* Last record that begins at or before @lblk, or -1. */
static int vexfs_ext_search(const struct vexfs_ext_level *lev, u64 lblk)
{
	int lo = 0, hi = vexfs_ext_count(lev);

	while (lo < hi) {
		int mid = (lo + hi) / 2;

		if (le32_to_cpu(lev->rec[mid].ee_lblk) <= lblk)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo - 1;
}

/*
 * The verifier has seen the node alone; this is what the place where it was
 * found demands of it.
 */
static const char *vexfs_ext_check_place(struct vexfs_ext_path *p, int l)
{
	struct vexfs_ext_level *lev = &p->lev[l];
	struct vexfs_extent_node *node = vexfs_buf_data(lev->buf);
	int count = vexfs_ext_count(lev);
	struct vexfs_ext_rec r;

	if (le16_to_cpu(node->en_depth) != p->depth - l)
		return "extent tree node at the wrong depth";
	if (count < 1 || count > lev->max)
		return "bad count of records in an extent tree node";
	vexfs_ext_get(&lev->rec[0], &r);
	if (r.lblk < p->lo)
		return "extent tree node begins before its range";
	vexfs_ext_get(&lev->rec[count - 1], &r);
	if (r.lblk >= p->hi || vexfs_ext_end(&r) > p->hi)
		return "extent tree node passes the end of its range";
	return NULL;
}

/* From level @l to the next one towards @lblk. */
static int vexfs_ext_descend(struct vexfs_ext_path *p, int l, u64 lblk)
{
	struct vexfs_ext_level *up = &p->lev[l], *lev = up + 1;
	struct vexfs_node *n = p->n;
	struct vexfs_extent_node *node;
	struct vexfs_ext_rec r;
	struct vexfs_buf *buf;
	const char *why;

	/* What is before the first key belongs to the first record, too. */
	up->idx = max(vexfs_ext_search(up, lblk), 0);
	if (up->idx + 1 < vexfs_ext_count(up))
		p->hi = le32_to_cpu(up->rec[up->idx + 1].ee_lblk);
	vexfs_ext_get(&up->rec[up->idx], &r);
	if (up->idx)
		p->lo = r.lblk;
	buf = vexfs_meta_read(n->fs, r.pblk, VEXFS_MAGIC_EXTENT, n->ino,
			      n->generation);
	if (IS_ERR(buf))
		return PTR_ERR(buf);
	node = vexfs_buf_data(buf);
	lev->buf = buf;
	lev->rec = node->en_rec;
	lev->count = &node->en_count;
	lev->max = VEXFS_NODE_EXTENTS;
	why = vexfs_ext_check_place(p, l + 1);
	if (why)
		return VEXFS_CORRUPTED(n->fs, n->ino, r.pblk, why);
	return 0;
}

int vexfs_ext_find(struct vexfs_node *n, u64 lblk, struct vexfs_ext_path *p)
{
	int l, err;

	vexfs_ext_path_init(p, n);
	if (p->depth > VEXFS_EXT_MAX_DEPTH ||
	    vexfs_ext_count(&p->lev[0]) > VEXFS_ROOT_EXTENTS)
		return VEXFS_CORRUPTED(n->fs, n->ino, 0,
				       "bad extent tree root");
	for (l = 0; l < p->depth; l++) {
		err = vexfs_ext_descend(p, l, lblk);
		if (err) {
			vexfs_ext_put(p);
			return err;
		}
	}
	p->lev[l].idx = vexfs_ext_search(&p->lev[l], lblk);
	return 0;
}

bool vexfs_ext_current(struct vexfs_ext_path *p, u64 lblk,
		       struct vexfs_ext_rec *r)
{
	struct vexfs_ext_level *leaf = vexfs_ext_leaf(p);

	leaf->idx = vexfs_ext_search(leaf, lblk);
	if (leaf->idx < 0)
		return false;
	vexfs_ext_get(&leaf->rec[leaf->idx], r);
	return lblk < vexfs_ext_end(r);
}

u64 vexfs_ext_next(struct vexfs_ext_path *p)
{
	struct vexfs_ext_level *leaf = vexfs_ext_leaf(p);

	if (leaf->idx + 1 < vexfs_ext_count(leaf))
		return le32_to_cpu(leaf->rec[leaf->idx + 1].ee_lblk);
	return p->hi;
}

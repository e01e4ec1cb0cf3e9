// SPDX-License-Identifier: GPL-2.0
/*
 * Directory trees: removing entries, and giving blocks to the free list that
 * are empty or whose entries fit into a neighbour.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include "dir.h"

/*
 * Two leaves become one when that is filled to two thirds at most, so that a
 * few more entries don't split it again. Only a leaf below one third asks:
 * the other one did when it fell below.
 */
#define VEXFS_DIR_JOIN_BELOW	(VEXFS_DIR_SPACE / 3)
#define VEXFS_DIR_JOIN_FILL	(2 * VEXFS_DIR_JOIN_BELOW)

/* The block at @lblk, announced, goes to the free list of the root. */
static void vexfs_dir_free_block(struct vexfs_trans *t,
				 struct vexfs_dir_path *p,
				 struct vexfs_buf *buf, u32 lblk)
{
	struct vexfs_dir_block *root = vexfs_dir_level_data(p, 0);
	struct vexfs_dir_block *db = vexfs_dir_data(buf);

	vexfs_dir_clear_block(db);
	db->db_flags = cpu_to_le16(VEXFS_DIR_FREE);
	db->db_free = root->db_free;
	root->db_free = cpu_to_le32(lblk);
	vexfs_dir_dirty(t, p, buf);
}

/* The neighbour of the leaf at index record @idx, if joining them will do. */
static struct vexfs_buf *vexfs_dir_neighbour(struct vexfs_dir_path *p,
					     int idx, u32 used, u32 *lblk)
{
	struct vexfs_dir_block *up = vexfs_dir_level_data(p, p->depth - 1);
	struct vexfs_dir_block *db;
	struct vexfs_buf *buf;

	if (idx < 0 || idx >= vexfs_dir_count(up))
		return NULL;
	*lblk = le32_to_cpu(vexfs_dir_indexes(up)[idx].di_lblk);
	buf = vexfs_dir_read(p->dir, *lblk);
	/* Whoever needs the block will hear of it. */
	if (IS_ERR(buf))
		return NULL;
	db = vexfs_dir_data(buf);
	if (!db->db_level && !db->db_flags && db->db_count &&
	    vexfs_dir_used(db) + used <= VEXFS_DIR_JOIN_FILL)
		return buf;
	vexfs_buf_put(buf);
	return NULL;
}

static bool vexfs_dir_in_order(struct vexfs_dir_block *left,
			       struct vexfs_dir_block *right)
{
	return vexfs_dir_last_key(left) <
	       vexfs_dir_entry_key(vexfs_dir_entry_at(right, 0));
}

/* The leaf, with a neighbour's entries or in the neighbour. */
static void vexfs_dir_join(struct vexfs_trans *t, struct vexfs_dir_path *p,
			   struct vexfs_buf *other, u32 lblk, bool right)
{
	struct vexfs_dir_level *leaf = &p->lev[p->depth], *up = leaf - 1;
	struct vexfs_buf *keep = right ? leaf->buf : other;
	struct vexfs_buf *go = right ? other : leaf->buf;

	vexfs_dir_join_block(vexfs_dir_data(keep), vexfs_dir_data(go));
	vexfs_dir_dirty(t, p, keep);
	vexfs_dir_delete_index(vexfs_dir_data(up->buf),
			       right ? up->idx + 1 : up->idx);
	vexfs_dir_dirty(t, p, up->buf);
	vexfs_dir_free_block(t, p, go, right ? lblk : leaf->lblk);
	vexfs_dir_dirty(t, p, p->lev[0].buf);
}

static int vexfs_dir_announce_join(struct vexfs_trans *t,
				   struct vexfs_dir_path *p,
				   struct vexfs_buf *other)
{
	int err = vexfs_trans_write(t, other);

	if (!err)
		err = vexfs_trans_write(t, p->lev[p->depth - 1].buf);
	if (!err)
		err = vexfs_trans_write(t, p->lev[0].buf);
	return err;
}

/* The entry is gone already: if joining fails, it is just not done. */
static void vexfs_dir_try_join(struct vexfs_trans *t,
			       struct vexfs_dir_path *p)
{
	struct vexfs_dir_block *leaf = vexfs_dir_leaf(p), *db;
	u32 used = vexfs_dir_used(leaf), lblk;
	int idx = p->lev[p->depth - 1].idx;
	struct vexfs_buf *buf;
	bool right = true;

	buf = vexfs_dir_neighbour(p, idx + 1, used, &lblk);
	if (!buf) {
		right = false;
		buf = vexfs_dir_neighbour(p, idx - 1, used, &lblk);
	}
	if (!buf)
		return;
	db = vexfs_dir_data(buf);
	if (right ? !vexfs_dir_in_order(leaf, db) :
		    !vexfs_dir_in_order(db, leaf))
		VEXFS_CORRUPTED(p->dir->fs, p->dir->ino, vexfs_buf_bno(buf),
				"directory entries are not in order");
	else if (!vexfs_dir_announce_join(t, p, buf))
		vexfs_dir_join(t, p, buf, lblk, right);
	vexfs_buf_put(buf);
}

/* Takes the leaf out of the tree, with those above that become empty. */
static int vexfs_dir_drop(struct vexfs_trans *t, struct vexfs_dir_path *p)
{
	struct vexfs_dir_block *db;
	int keep = p->depth - 1, l, err;

	while (keep > 0 && vexfs_dir_count(vexfs_dir_level_data(p, keep)) == 1)
		keep--;
	err = vexfs_trans_write(t, p->lev[0].buf);
	for (l = keep; !err && l <= p->depth; l++)
		err = vexfs_trans_write(t, p->lev[l].buf);
	if (err)
		return err;
	db = vexfs_dir_level_data(p, keep);
	vexfs_dir_delete_index(db, p->lev[keep].idx);
	/* Only of the root: it is an empty leaf again. */
	if (!db->db_count)
		db->db_level = 0;
	if (keep)
		vexfs_dir_dirty(t, p, p->lev[keep].buf);
	for (l = keep + 1; l <= p->depth; l++)
		vexfs_dir_free_block(t, p, p->lev[l].buf, p->lev[l].lblk);
	vexfs_dir_dirty(t, p, p->lev[0].buf);
	return 0;
}

int vexfs_dir_remove_at(struct vexfs_trans *t, struct vexfs_dir_path *p,
			u32 off)
{
	struct vexfs_dir_block *leaf = vexfs_dir_leaf(p);
	int err;

	if (p->depth && vexfs_dir_count(leaf) == 1)
		return vexfs_dir_drop(t, p) ?: p->err;
	err = vexfs_trans_write(t, p->lev[p->depth].buf);
	if (err)
		return err;
	vexfs_dir_delete_entry(leaf, off);
	vexfs_dir_dirty(t, p, p->lev[p->depth].buf);
	if (p->depth && vexfs_dir_used(leaf) < VEXFS_DIR_JOIN_BELOW)
		vexfs_dir_try_join(t, p);
	return p->err;
}

static int vexfs_dir_absorb_child(struct vexfs_trans *t,
				  struct vexfs_dir_path *p)
{
	struct vexfs_dir_block *root = vexfs_dir_level_data(p, 0), *db;
	u32 lblk = le32_to_cpu(vexfs_dir_indexes(root)->di_lblk);
	struct vexfs_buf *buf;
	int err;

	buf = vexfs_dir_read(p->dir, lblk);
	if (IS_ERR(buf))
		return PTR_ERR(buf);
	db = vexfs_dir_data(buf);
	if (db->db_flags || !db->db_count ||
	    le16_to_cpu(db->db_level) + 1 != le16_to_cpu(root->db_level)) {
		err = VEXFS_CORRUPTED(p->dir->fs, p->dir->ino,
				      vexfs_buf_bno(buf),
				      "bad block below a directory's root");
		goto out_put;
	}
	err = vexfs_trans_write(t, p->lev[0].buf);
	if (!err)
		err = vexfs_trans_write(t, buf);
	if (err)
		goto out_put;
	vexfs_dir_copy_block(root, db);
	if (root->db_level)
		vexfs_dir_indexes(root)->di_key = 0;
	vexfs_dir_free_block(t, p, buf, lblk);
	vexfs_dir_dirty(t, p, p->lev[0].buf);
	err = p->err;
out_put:
	vexfs_buf_put(buf);
	return err;
}

void vexfs_dir_absorb(struct vexfs_trans *t, struct vexfs_node *dir)
{
	struct vexfs_dir_path p = { .dir = dir };
	struct vexfs_dir_block *root;
	int err = 0;

	p.lev[0].buf = vexfs_dir_read(dir, 0);
	if (IS_ERR(p.lev[0].buf))
		return;
	root = vexfs_dir_level_data(&p, 0);
	while (!err && root->db_level && vexfs_dir_count(root) == 1)
		err = vexfs_dir_absorb_child(t, &p);
	vexfs_buf_put(p.lev[0].buf);
}

// SPDX-License-Identifier: GPL-2.0
/*
 * Directory trees: finding the leaf of a key, and making room in it.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include "dir.h"

/* Blocks of the free list that are about to be used. */
struct vexfs_dir_reserve {
	int	nr;
	u32	next;			/* what follows them on the list */
	u32	lblk[VEXFS_DIR_MAX_DEPTH];
	struct vexfs_buf *buf[VEXFS_DIR_MAX_DEPTH];
};

struct vexfs_buf *vexfs_dir_read(struct vexfs_node *dir, u32 lblk)
{
	struct vexfs_map map;
	int err;

	err = vexfs_ext_lookup(dir, lblk, 1, &map);
	if (err)
		return ERR_PTR(err);
	if (!map.pblk || map.unwritten)
		return ERR_PTR(VEXFS_CORRUPTED(dir->fs, dir->ino, 0,
					       "hole in a directory"));
	return vexfs_meta_read(dir->fs, map.pblk, VEXFS_MAGIC_DIR, dir->ino,
			       dir->generation);
}

void vexfs_dir_put(struct vexfs_dir_path *p)
{
	int l;

	for (l = 0; l < VEXFS_DIR_MAX_DEPTH; l++) {
		if (p->lev[l].buf)
			vexfs_buf_put(p->lev[l].buf);
		p->lev[l].buf = NULL;
	}
}

void vexfs_dir_dirty(struct vexfs_trans *t, struct vexfs_dir_path *p,
		     struct vexfs_buf *buf)
{
	int err;

	err = vexfs_trans_dirty_meta(t, p->dir->fs, buf);
	if (err && !p->err)
		p->err = err;
}

/*
 * The verifier has seen the block alone; this is what the place where it was
 * found demands of it.
 */
static const char *vexfs_dir_check_place(struct vexfs_dir_path *p, int l)
{
	struct vexfs_dir_block *db = vexfs_dir_level_data(p, l);
	int count = vexfs_dir_count(db);
	struct vexfs_dir_index *di = vexfs_dir_indexes(db);

	if (db->db_flags)
		return "free block in a directory tree";
	if (le16_to_cpu(db->db_level) != p->depth - l)
		return "directory block at the wrong level";
	if (l && !count)
		return "empty block in a directory tree";
	if (!l && p->depth && di[0].di_key)
		return "directory index does not begin with key 0";
	if (l < p->depth)
		return le64_to_cpu(di[0].di_key) < p->lo ||
		       le64_to_cpu(di[count - 1].di_key) >= p->hi ?
		       "directory index is not in its range" : NULL;
	if (count &&
	    (vexfs_dir_entry_key(vexfs_dir_entry_at(db, 0)) < p->lo ||
	     vexfs_dir_last_key(db) >= p->hi))
		return "directory entries are not in their range";
	return NULL;
}

/* Reads the block of level @l, which is at @lblk. */
static int vexfs_dir_enter(struct vexfs_dir_path *p, int l, u32 lblk)
{
	struct vexfs_node *dir = p->dir;
	struct vexfs_buf *buf;
	const char *why;

	buf = vexfs_dir_read(dir, lblk);
	if (IS_ERR(buf))
		return PTR_ERR(buf);
	p->lev[l].buf = buf;
	p->lev[l].lblk = lblk;
	if (!l)
		p->depth = le16_to_cpu(vexfs_dir_data(buf)->db_level);
	why = vexfs_dir_check_place(p, l);
	if (why)
		return VEXFS_CORRUPTED(dir->fs, dir->ino, vexfs_buf_bno(buf),
				       why);
	return 0;
}

static int vexfs_dir_descend(struct vexfs_dir_path *p, int l, u64 key)
{
	struct vexfs_dir_block *db = vexfs_dir_level_data(p, l);
	struct vexfs_dir_index *di = vexfs_dir_indexes(db);
	/* What is before the first key belongs to the first record, too. */
	int idx = max(vexfs_dir_search_index(db, key), 0);

	p->lev[l].idx = idx;
	if (idx)
		p->lo = le64_to_cpu(di[idx].di_key);
	if (idx + 1 < vexfs_dir_count(db))
		p->hi = le64_to_cpu(di[idx + 1].di_key);
	return vexfs_dir_enter(p, l + 1, le32_to_cpu(di[idx].di_lblk));
}

int vexfs_dir_find(struct vexfs_node *dir, u64 key, struct vexfs_dir_path *p)
{
	int l, err;

	memset(p, 0, sizeof(*p));
	p->dir = dir;
	p->hi = VEXFS_DIR_NO_KEY;
	err = vexfs_dir_enter(p, 0, 0);
	for (l = 0; !err && l < p->depth; l++)
		err = vexfs_dir_descend(p, l, key);
	if (err)
		vexfs_dir_put(p);
	return err;
}

/*
 * Makes the directory longer by a block, on the free list. The block follows
 * the last one; it may be mapped already as the rest of a cluster.
 */
static int vexfs_dir_extend(struct vexfs_trans *t, struct vexfs_dir_path *p,
			    u64 *size)
{
	struct vexfs_node *dir = p->dir;
	struct vexfs_buf *buf, *root = p->lev[0].buf;
	u64 lblk = *size >> VEXFS_BLOCK_SHIFT, done;
	struct vexfs_map map;
	int err;

	err = vexfs_ext_allocate(t, dir, lblk, 1, 0, &map);
	if (err)
		return err;
	if (!map.unwritten)
		return VEXFS_CORRUPTED(dir->fs, dir->ino, map.pblk,
				       "directory has blocks behind its end");
	buf = vexfs_buf_get(dir->fs, map.pblk);
	if (IS_ERR(buf))
		return PTR_ERR(buf);
	err = vexfs_trans_create(t, buf);
	if (err)
		goto out_put;
	err = vexfs_ext_convert(t, dir, lblk, 1, &done);
	if (err) {
		vexfs_trans_forget(t, dir->fs, buf, map.pblk);
		return err;
	}
	vexfs_meta_init(dir->fs, buf, VEXFS_MAGIC_DIR, dir->ino,
			dir->generation);
	vexfs_dir_data(buf)->db_flags = cpu_to_le16(VEXFS_DIR_FREE);
	vexfs_dir_data(buf)->db_free = vexfs_dir_data(root)->db_free;
	vexfs_dir_data(root)->db_free = cpu_to_le32(lblk);
	vexfs_dir_dirty(t, p, buf);
	vexfs_dir_dirty(t, p, root);
	*size += VEXFS_BLOCK_SIZE;
	err = p->err;
out_put:
	vexfs_buf_put(buf);
	return err;
}

static void vexfs_dir_unreserve(struct vexfs_dir_reserve *res)
{
	while (res->nr)
		vexfs_buf_put(res->buf[--res->nr]);
}

/* Adds the next block of the free list to @res. */
static int vexfs_dir_reserve_one(struct vexfs_node *dir,
				 struct vexfs_dir_reserve *res)
{
	struct vexfs_dir_block *db;
	struct vexfs_buf *buf;
	int i;

	buf = vexfs_dir_read(dir, res->next);
	if (IS_ERR(buf))
		return PTR_ERR(buf);
	res->buf[res->nr] = buf;
	res->lblk[res->nr++] = res->next;
	db = vexfs_dir_data(buf);
	if (!(db->db_flags & cpu_to_le16(VEXFS_DIR_FREE)))
		goto corrupted;
	for (i = 0; i < res->nr - 1; i++)
		if (res->lblk[i] == res->next)
			goto corrupted;
	res->next = le32_to_cpu(db->db_free);
	return 0;
corrupted:
	return VEXFS_CORRUPTED(dir->fs, dir->ino, vexfs_buf_bno(buf),
			       "bad list of free directory blocks");
}

/* The first @nr blocks of the free list, or all there are. */
static int vexfs_dir_reserve_list(struct vexfs_dir_path *p, int nr,
				  struct vexfs_dir_reserve *res)
{
	int err = 0;

	res->nr = 0;
	res->next = le32_to_cpu(vexfs_dir_level_data(p, 0)->db_free);
	while (!err && res->nr < nr && res->next)
		err = vexfs_dir_reserve_one(p->dir, res);
	if (err)
		vexfs_dir_unreserve(res);
	return err;
}

static int vexfs_dir_reserve(struct vexfs_trans *t, struct vexfs_dir_path *p,
			     int nr, u64 *size, struct vexfs_dir_reserve *res)
{
	int err, i, missing;

	res->nr = 0;
	if (!nr)
		return 0;
	err = vexfs_trans_write(t, p->lev[0].buf);
	if (err)
		return err;
	err = vexfs_dir_reserve_list(p, nr, res);
	if (err)
		return err;
	missing = nr - res->nr;
	if (missing) {
		vexfs_dir_unreserve(res);
		for (i = 0; !err && i < missing; i++)
			err = vexfs_dir_extend(t, p, size);
		if (!err)
			err = vexfs_dir_reserve_list(p, nr, res);
	}
	for (i = 0; !err && i < res->nr; i++)
		err = vexfs_trans_write(t, res->buf[i]);
	if (err)
		vexfs_dir_unreserve(res);
	return err;
}

/* Takes a block that was reserved, empty, off the list. */
static struct vexfs_buf *vexfs_dir_take(struct vexfs_dir_reserve *res,
					u32 *lblk)
{
	struct vexfs_buf *buf = res->buf[--res->nr];

	*lblk = res->lblk[res->nr];
	vexfs_dir_clear_block(vexfs_dir_data(buf));
	return buf;
}

/* The contents of the root move to a block below it. */
static void vexfs_dir_grow(struct vexfs_dir_path *p,
			   struct vexfs_dir_reserve *res)
{
	struct vexfs_dir_block *root = vexfs_dir_level_data(p, 0);
	struct vexfs_dir_level *lev = &p->lev[1];
	int level = le16_to_cpu(root->db_level);

	memmove(lev + 1, lev, p->depth * sizeof(*lev));
	lev->buf = vexfs_dir_take(res, &lev->lblk);
	lev->idx = p->lev[0].idx;
	vexfs_dir_copy_block(vexfs_dir_data(lev->buf), root);
	memset(root->db_data, 0, VEXFS_DIR_SPACE);
	root->db_level = cpu_to_le16(level + 1);
	root->db_count = 0;
	vexfs_dir_insert_index(root, 0, 0, lev->lblk);
	p->lev[0].idx = 0;
	p->depth++;
}

/* Lower bound of the block at level @l of the path. */
static __le64 vexfs_dir_lower(struct vexfs_dir_path *p, int l)
{
	while (l-- > 0)
		if (p->lev[l].idx)
			return vexfs_dir_indexes(vexfs_dir_level_data(p, l))
				[p->lev[l].idx].di_key;
	return 0;
}

/*
 * The new record follows that of the path. When that is the first, its key
 * may be larger than @sep, for it is not used: make it what it stands for.
 */
static void vexfs_dir_insert_sep(struct vexfs_dir_path *p, int l, u64 sep,
				 u32 lblk)
{
	struct vexfs_dir_block *db = vexfs_dir_level_data(p, l);
	int idx = p->lev[l].idx;

	if (!idx)
		vexfs_dir_indexes(db)->di_key = vexfs_dir_lower(p, l);
	vexfs_dir_insert_index(db, idx + 1, sep, lblk);
}

/* Splits level @l, whose parent has room, and follows @key. */
static void vexfs_dir_split(struct vexfs_trans *t, struct vexfs_dir_path *p,
			    int l, u64 key, struct vexfs_dir_reserve *res)
{
	struct vexfs_dir_level *lev = &p->lev[l], *up = lev - 1;
	struct vexfs_dir_block *left = vexfs_dir_data(lev->buf);
	struct vexfs_buf *buf;
	u64 sep;
	u32 lblk;

	buf = vexfs_dir_take(res, &lblk);
	sep = vexfs_dir_split_block(left, vexfs_dir_data(buf));
	vexfs_dir_insert_sep(p, l - 1, sep, lblk);
	vexfs_dir_dirty(t, p, lev->buf);
	vexfs_dir_dirty(t, p, buf);
	vexfs_dir_dirty(t, p, up->buf);
	if (key < sep) {
		if (l == p->depth)
			p->hi = sep;
		vexfs_buf_put(buf);
		return;
	}
	lev->idx -= vexfs_dir_count(left);
	vexfs_buf_put(lev->buf);
	lev->buf = buf;
	lev->lblk = lblk;
	up->idx++;
	if (l == p->depth)
		p->lo = sep;
}

static bool vexfs_dir_has_room(struct vexfs_dir_path *p, int l, u32 need)
{
	if (l < p->depth)
		need = sizeof(struct vexfs_dir_index);
	return vexfs_dir_used(vexfs_dir_level_data(p, l)) + need <=
	       VEXFS_DIR_SPACE;
}

int vexfs_dir_make_room(struct vexfs_trans *t, struct vexfs_dir_path *p,
			u64 key, u32 need, u64 *size)
{
	struct vexfs_dir_reserve res;
	int top = p->depth, l, err;
	bool grow = false;

	while (top > 0 && !vexfs_dir_has_room(p, top, need))
		top--;
	if (top == 0 && !vexfs_dir_has_room(p, 0, need))
		grow = true;
	if (grow && p->depth + 1 == VEXFS_DIR_MAX_DEPTH)
		return -ENOSPC;
	/* A root that is full moves down, and is split there. */
	err = vexfs_dir_reserve(t, p, p->depth - top + 2 * grow, size, &res);
	for (l = top; !err && l <= p->depth; l++)
		err = vexfs_trans_write(t, p->lev[l].buf);
	if (err) {
		vexfs_dir_unreserve(&res);
		return err;
	}

	/* Nothing fails from here on. */
	if (!res.nr)
		return 0;
	vexfs_dir_level_data(p, 0)->db_free = cpu_to_le32(res.next);
	if (grow)
		vexfs_dir_grow(p, &res);
	for (l = top + 1; l <= p->depth; l++)
		vexfs_dir_split(t, p, l, key, &res);
	vexfs_dir_dirty(t, p, p->lev[0].buf);
	return 0;
}

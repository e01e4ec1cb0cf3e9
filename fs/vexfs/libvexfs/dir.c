// SPDX-License-Identifier: GPL-2.0
/*
 * Directories: looking up, adding, removing and listing names.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include "dir.h"

static bool vexfs_dir_name_is(const struct vexfs_dir_entry *e, const u8 *name,
			      u32 len)
{
	return e->de_name_len == len && !memcmp(e->de_name, name, len);
}

/*
 * Finds @name among the entries with its hash, which may go on in the next
 * leaf. 1: found, at *off of the path's leaf; 0: not there, and the path is
 * at the last leaf for the hash; or negative, and there is no path. Numbers
 * that names with the hash have are set in @used.
 */
static int vexfs_dir_find_name(struct vexfs_node *dir, u64 first,
			       const u8 *name, u32 len,
			       struct vexfs_dir_path *p, u32 *off,
			       unsigned long *used)
{
	u64 key = first, last = first | VEXFS_DIR_DISC_MASK;
	struct vexfs_dir_block *db;
	struct vexfs_dir_entry *e;
	int err;

	for (;;) {
		err = vexfs_dir_find(dir, key, p);
		if (err)
			return err;
		db = vexfs_dir_leaf(p);
		*off = vexfs_dir_seek(db, key);
		for (; *off < vexfs_dir_used(db);
		     *off += vexfs_dir_entry_size(e)) {
			e = vexfs_dir_entry_at(db, *off);
			key = vexfs_dir_entry_key(e);
			if (key > last)
				return 0;
			if (used)
				__set_bit(key & VEXFS_DIR_DISC_MASK, used);
			if (vexfs_dir_name_is(e, name, len))
				return 1;
		}
		if (p->hi > last)
			return 0;
		key = p->hi;
		vexfs_dir_put(p);
	}
}

/* As above, for names that should be there. */
static int vexfs_dir_find_entry(struct vexfs_node *dir, const u8 *name,
				u32 len, struct vexfs_dir_path *p, u32 *off)
{
	u64 first;
	int ret;

	if (!len || len > VEXFS_NAME_LEN)
		return -ENOENT;
	first = vexfs_dir_hash(dir->fs, name, len) << VEXFS_DIR_DISC_BITS;
	ret = vexfs_dir_find_name(dir, first, name, len, p, off, NULL);
	if (ret)
		return min(ret, 0);
	vexfs_dir_put(p);
	return -ENOENT;
}

int vexfs_dir_init(struct vexfs_trans *t, struct vexfs_node *dir, u64 *size)
{
	struct vexfs_buf *buf;
	struct vexfs_map map;
	bool more;
	u64 done;
	int err;

	err = vexfs_ext_allocate(t, dir, 0, 1, 0, &map);
	if (err)
		return err;
	err = vexfs_ext_convert(t, dir, 0, 1, &done);
	if (err)
		goto out_unmap;
	buf = vexfs_buf_get(dir->fs, map.pblk);
	if (IS_ERR(buf)) {
		err = PTR_ERR(buf);
		goto out_unmap;
	}
	err = vexfs_trans_create(t, buf);
	if (err) {
		vexfs_buf_put(buf);
		goto out_unmap;
	}
	vexfs_meta_init(dir->fs, buf, VEXFS_MAGIC_DIR, dir->ino,
			dir->generation);
	err = vexfs_trans_dirty_meta(t, dir->fs, buf);
	vexfs_buf_put(buf);
	*size = VEXFS_BLOCK_SIZE;
	return err;
out_unmap:
	vexfs_ext_remove(t, dir, 0, VEXFS_MAX_LBLK, &more);
	return err;
}

int vexfs_dir_lookup(struct vexfs_node *dir, const u8 *name, u32 len,
		     struct vexfs_dirent *de)
{
	struct vexfs_dir_path p;
	u32 off;
	int err;

	err = vexfs_dir_find_entry(dir, name, len, &p, &off);
	if (err)
		return err;
	vexfs_dir_entry_get(vexfs_dir_entry_at(vexfs_dir_leaf(&p), off), de);
	vexfs_dir_put(&p);
	return 0;
}

/* The path is somewhere near; it comes to the leaf for the key. */
static int vexfs_dir_insert(struct vexfs_trans *t, struct vexfs_dir_path *p,
			    const struct vexfs_dirent *de, u64 *size)
{
	struct vexfs_node *dir = p->dir;
	int err;

	if (de->key < p->lo || de->key >= p->hi) {
		vexfs_dir_put(p);
		err = vexfs_dir_find(dir, de->key, p);
		if (err)
			return err;
	}
	err = vexfs_dir_make_room(t, p, de->key,
				  VEXFS_DIR_ENTRY_LEN(de->name_len), size);
	if (!err) {
		vexfs_dir_insert_entry(vexfs_dir_leaf(p), de);
		vexfs_dir_dirty(t, p, p->lev[p->depth].buf);
		err = p->err;
	}
	vexfs_dir_put(p);
	return err;
}

int vexfs_dir_add(struct vexfs_trans *t, struct vexfs_node *dir,
		  const u8 *name, u32 len, u64 ino, u8 type, u64 *size)
{
	DECLARE_BITMAP(used, VEXFS_DIR_DISC_MASK + 1) = { 0 };
	struct vexfs_dir_path p;
	struct vexfs_dirent de;
	u32 off;
	int ret;

	if (!len)
		return -EINVAL;
	if (len > VEXFS_NAME_LEN)
		return -ENAMETOOLONG;
	de.key = vexfs_dir_hash(dir->fs, name, len) << VEXFS_DIR_DISC_BITS;
	ret = vexfs_dir_find_name(dir, de.key, name, len, &p, &off, used);
	if (ret < 0)
		return ret;
	off = find_first_zero_bit(used, VEXFS_DIR_DISC_MASK + 1);
	if (ret || off > VEXFS_DIR_DISC_MASK) {
		vexfs_dir_put(&p);
		return ret ? -EEXIST : -ENOSPC;
	}
	de.key |= off;
	de.ino = ino;
	de.type = type;
	de.name_len = len;
	memcpy(de.name, name, len);
	return vexfs_dir_insert(t, &p, &de, size);
}

int vexfs_dir_remove(struct vexfs_trans *t, struct vexfs_node *dir,
		     const u8 *name, u32 len, u64 *size)
{
	struct vexfs_dir_path p;
	bool absorb;
	u32 off;
	int err;

	err = vexfs_dir_find_entry(dir, name, len, &p, &off);
	if (err)
		return err;
	err = vexfs_dir_remove_at(t, &p, off);
	absorb = p.depth && vexfs_dir_count(vexfs_dir_level_data(&p, 0)) == 1;
	vexfs_dir_put(&p);
	/* The entry is gone whether or not the tree can be made lower. */
	if (!err && absorb)
		vexfs_dir_absorb(t, dir);
	return err;
}

int vexfs_dir_set(struct vexfs_trans *t, struct vexfs_node *dir,
		  const u8 *name, u32 len, u64 ino, u8 type)
{
	struct vexfs_dir_path p;
	struct vexfs_buf *buf;
	u32 off;
	int err;

	err = vexfs_dir_find_entry(dir, name, len, &p, &off);
	if (err)
		return err;
	buf = p.lev[p.depth].buf;
	err = vexfs_trans_write(t, buf);
	if (!err) {
		vexfs_dir_entry_set_ino(vexfs_dir_entry_at(vexfs_dir_data(buf),
							   off), ino, type);
		vexfs_dir_dirty(t, &p, buf);
		err = p.err;
	}
	vexfs_dir_put(&p);
	return err;
}

int vexfs_dir_iterate(struct vexfs_node *dir, u64 key, vexfs_dir_actor actor,
		      void *arg)
{
	struct vexfs_dir_block *db;
	struct vexfs_dir_entry *e;
	struct vexfs_dir_path p;
	struct vexfs_dirent de;
	bool go = true;
	u32 off;
	int err;

	while (go && key != VEXFS_DIR_NO_KEY) {
		err = vexfs_dir_find(dir, key, &p);
		if (err)
			return err;
		db = vexfs_dir_leaf(&p);
		off = vexfs_dir_seek(db, key);
		while (go && off < vexfs_dir_used(db)) {
			e = vexfs_dir_entry_at(db, off);
			vexfs_dir_entry_get(e, &de);
			off += vexfs_dir_entry_size(e);
			go = actor(arg, &de);
		}
		key = p.hi;
		vexfs_dir_put(&p);
	}
	return go ? 0 : 1;
}

static bool vexfs_dir_take_first(void *arg, const struct vexfs_dirent *de)
{
	struct vexfs_dirent *out = arg;

	*out = *de;
	return false;
}

int vexfs_dir_next(struct vexfs_node *dir, u64 key, struct vexfs_dirent *de)
{
	int ret = vexfs_dir_iterate(dir, key, vexfs_dir_take_first, de);

	if (ret < 0)
		return ret;
	return ret ? 0 : -ENOENT;
}

static bool vexfs_dir_stop(void *arg, const struct vexfs_dirent *de)
{
	return false;
}

int vexfs_dir_empty(struct vexfs_node *dir)
{
	int ret = vexfs_dir_iterate(dir, 0, vexfs_dir_stop, NULL);

	return ret < 0 ? ret : !ret;
}

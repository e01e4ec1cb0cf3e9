// SPDX-License-Identifier: GPL-2.0
/*
 * Walking a directory's tree: every block is where its keys say, and each of
 * the directory's blocks is in the tree or on its free list, once.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include "fsck.h"

struct fsck_walk {
	struct fsck *f;
	struct vexfs_node *dir;
	u64	blocks;
	u8	*seen;			/* by logical block */
	fsck_leaf_fn fn;
	void	*arg;
	const char *why;
	u64	bno;			/* where */
	u32	free;			/* of the root: first free block */
};

static bool fsck_walk_bad(struct fsck_walk *w, u64 bno, const char *why)
{
	w->why = why;
	w->bno = bno;
	return false;
}

/* Reads logical block @lblk, not met before. */
static bool fsck_walk_read(struct fsck_walk *w, u64 lblk, u8 *data)
{
	struct vexfs_node *dir = w->dir;
	struct vexfs_map map;
	const char *why;

	if (lblk >= w->blocks)
		return fsck_walk_bad(w, 0, "pointer behind its end");
	if (w->seen[lblk]++)
		return fsck_walk_bad(w, 0, "block is there twice");
	if (vexfs_ext_lookup(dir, lblk, 1, &map) || !map.pblk || map.unwritten)
		return fsck_walk_bad(w, 0, "hole in a directory");
	if (fsck_read(w->f, map.pblk, data))
		return fsck_walk_bad(w, map.pblk, "block can't be read");
	w->bno = map.pblk;
	switch (fsck_meta_check(w->f, data, map.pblk, VEXFS_MAGIC_DIR,
				dir->ino, dir->generation, &why)) {
	case META_GOOD:
		return true;
	case META_CSUM:
		if (!fsck_problem(w->f, FP_DIR_CSUM, dir->ino, map.pblk, NULL))
			return fsck_walk_bad(w, map.pblk, why);
		fsck_meta_seal(w->f, data);
		return !fsck_write(w->f, map.pblk, data);
	default:
		return fsck_walk_bad(w, map.pblk, why);
	}
}

/* What the core demands of a block in its place; see vexfs_dir_check_place(). */
static const char *fsck_leaf_place(struct vexfs_dir_block *db, u64 lo, u64 hi)
{
	if (!db->db_count)
		return NULL;
	if (vexfs_dir_entry_key(vexfs_dir_entry_at(db, 0)) < lo ||
	    vexfs_dir_last_key(db) >= hi)
		return "directory entries are not in their range";
	return NULL;
}

static const char *fsck_index_place(struct vexfs_dir_block *db, bool root,
				    u64 lo, u64 hi)
{
	struct vexfs_dir_index *di = vexfs_dir_indexes(db);
	int count = vexfs_dir_count(db);

	if (root && di[0].di_key)
		return "directory index does not begin with key 0";
	if (le64_to_cpu(di[0].di_key) < lo ||
	    le64_to_cpu(di[count - 1].di_key) >= hi)
		return "directory index is not in its range";
	return NULL;
}

static bool fsck_walk_block(struct fsck_walk *w, u64 lblk, int level, u64 lo,
			    u64 hi);

static bool fsck_walk_index(struct fsck_walk *w, struct vexfs_dir_block *db,
			    u64 lo, u64 hi)
{
	struct vexfs_dir_index *di = vexfs_dir_indexes(db);
	int i, count = vexfs_dir_count(db);
	int level = le16_to_cpu(db->db_level) - 1;
	u64 from, to;

	for (i = 0; i < count; i++) {
		from = i ? le64_to_cpu(di[i].di_key) : lo;
		to = i + 1 < count ? le64_to_cpu(di[i + 1].di_key) : hi;
		if (!fsck_walk_block(w, le32_to_cpu(di[i].di_lblk), level,
				     from, to))
			return false;
	}
	return true;
}

/* @level: -1 of the root, which has any. */
static bool fsck_walk_block(struct fsck_walk *w, u64 lblk, int level, u64 lo,
			    u64 hi)
{
	struct vexfs_dir_block *db = malloc(VEXFS_BLOCK_SIZE);
	const char *why = NULL;
	bool ok, root = level < 0;

	if (!db)
		kshim_die(__FILE__, __LINE__, "out of memory");
	ok = fsck_walk_read(w, lblk, (u8 *)db);
	if (!ok)
		goto out;
	if (root) {
		level = le16_to_cpu(db->db_level);
		w->free = le32_to_cpu(db->db_free);
	}
	if (db->db_flags)
		why = "free block in a directory tree";
	else if (le16_to_cpu(db->db_level) != level)
		why = "directory block at the wrong level";
	else if (!root && !db->db_count)
		why = "empty block in a directory tree";
	else if (level)
		why = fsck_index_place(db, root, lo, hi);
	else
		why = fsck_leaf_place(db, lo, hi);
	if (why)
		ok = fsck_walk_bad(w, w->bno, why);
	else if (level)
		ok = fsck_walk_index(w, db, lo, hi);
	else if (w->fn)
		w->fn(w->arg, db);
out:
	free(db);
	return ok;
}

static bool fsck_walk_free(struct fsck_walk *w)
{
	u8 data[VEXFS_BLOCK_SIZE] __aligned(8);
	const struct vexfs_dir_block *db = (const void *)data;
	u64 lblk;

	for (lblk = w->free; lblk; lblk = le32_to_cpu(db->db_free)) {
		if (!fsck_walk_read(w, lblk, data))
			return false;
		if (!(db->db_flags & cpu_to_le16(VEXFS_DIR_FREE)))
			return fsck_walk_bad(w, w->bno,
					     "block in use on the free list");
	}
	return true;
}

/* Behind the end there may be the rest of a cluster, unwritten. */
static bool fsck_walk_end(struct fsck_walk *w)
{
	struct vexfs_map map;
	u64 lblk;

	for (lblk = 0; lblk < w->blocks; lblk++)
		if (!w->seen[lblk])
			return fsck_walk_bad(w, 0,
					     "block that is nowhere in the tree");
	while (lblk < VEXFS_MAX_LBLK) {
		if (vexfs_ext_lookup(w->dir, lblk, VEXFS_MAX_LBLK - lblk,
				     &map))
			return fsck_walk_bad(w, 0, "its map can't be read");
		if (map.pblk && !map.unwritten)
			return fsck_walk_bad(w, map.pblk,
					     "blocks behind its end");
		lblk += map.len;
	}
	return true;
}

bool fsck_dir_walk(struct fsck *f, struct vexfs_node *dir, u64 size,
		   fsck_leaf_fn fn, void *arg, const char **why, u64 *bno)
{
	struct fsck_walk w = {
		.f = f, .dir = dir, .blocks = size >> VEXFS_BLOCK_SHIFT,
		.fn = fn, .arg = arg,
	};
	u64 end = 0;
	bool ok;

	*bno = 0;
	*why = "its map can't be read";
	if (vexfs_ext_last(dir, &end))
		return false;
	*why = "it has no blocks";
	if (!w.blocks)
		return false;
	/* Memory only for what there is. */
	*why = "it is shorter than its size";
	if (w.blocks > end)
		return false;
	w.seen = calloc(w.blocks, 1);
	if (!w.seen)
		kshim_die(__FILE__, __LINE__, "out of memory");
	ok = fsck_walk_block(&w, 0, -1, 0, VEXFS_DIR_NO_KEY) &&
	     fsck_walk_free(&w) && fsck_walk_end(&w);
	free(w.seen);
	*why = w.why;
	*bno = w.bno;
	return ok;
}

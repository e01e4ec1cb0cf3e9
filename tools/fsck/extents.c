// SPDX-License-Identifier: GPL-2.0
/*
 * Reading an inode's extent tree: every extent, in order, when the tree is
 * sound; what can be read, when it is not.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include "fsck.h"

struct fsck_tree {
	struct fsck *f;
	struct fsck_map *map;
	bool	report;
};

/* What a node was reached by. */
struct fsck_reach {
	int	depth;			/* that it should have */
	u64	lo, hi;			/* blocks that it may map */
};

static void fsck_room(void **array, u32 count, u32 *room, size_t size)
{
	if (count < *room)
		return;
	*room = *room ? 2 * *room : 64;
	*array = realloc(*array, *room * size);
	if (!*array)
		kshim_die(__FILE__, __LINE__, "out of memory");
}

void fsck_map_add(struct fsck_map *map, const struct vexfs_ext_rec *r)
{
	fsck_room((void **)&map->rec, map->count, &map->room,
		  sizeof(*map->rec));
	map->rec[map->count++] = *r;
}

static void fsck_map_add_node(struct fsck_map *map, u64 bno)
{
	fsck_room((void **)&map->node, map->nodes, &map->node_room,
		  sizeof(*map->node));
	map->node[map->nodes++] = bno;
}

void fsck_map_free(struct fsck_map *map)
{
	free(map->rec);
	free(map->node);
	memset(map, 0, sizeof(*map));
}

bool fsck_has_map(const struct vexfs_inode *di)
{
	u16 fmt = le16_to_cpu(di->i_mode) & S_IFMT;

	return fmt == S_IFREG || fmt == S_IFDIR ||
	       (fmt == S_IFLNK &&
		le64_to_cpu(di->i_size) > VEXFS_FAST_SYMLINK);
}

static void fsck_tree_bad(struct fsck_tree *t, enum fsck_kind kind, u64 bno,
			  const char *why)
{
	if (!t->report)
		t->map->rebuild = true;
	else if (fsck_problem(t->f, kind, t->map->ino, bno, "%s", why))
		t->map->rebuild = true;
}

/*
 * A record that begins within a cluster goes on where the last one ended, and
 * is there since only one of them is written. Otherwise they would be one, and
 * the cluster could not be freed.
 */
static const char *fsck_tree_torn(struct fsck_tree *t,
				  const struct vexfs_ext_rec *r)
{
	struct fsck_map *map = t->map;
	const struct vexfs_ext_rec *last;

	if (!(r->lblk & (t->f->fs.geom.cluster_blocks - 1)))
		return NULL;
	last = map->count ? &map->rec[map->count - 1] : NULL;
	if (!last || r->lblk != vexfs_ext_end(last) ||
	    r->pblk != last->pblk + last->len)
		return "the rest is elsewhere";
	return r->unwritten == last->unwritten ? "the parts are alike" : NULL;
}

/* A leaf's records; of a bad one, those that make sense alone. */
static void fsck_tree_leaf(struct fsck_tree *t, const struct vexfs_extent *rec,
			   int count, bool good)
{
	struct vexfs_fs *fs = &t->f->fs;
	u32 mask = fs->geom.cluster_blocks - 1;
	struct vexfs_ext_rec r;
	const char *why;
	int i;

	for (i = 0; i < count; i++) {
		vexfs_ext_get(&rec[i], &r);
		if (!good && (!r.len || vexfs_ext_end(&r) > VEXFS_EXT_LIMIT ||
			      ((r.lblk ^ r.pblk) & mask) ||
			      !vexfs_block_valid(fs, r.pblk, r.len)))
			continue;
		why = good && !t->map->rebuild ? fsck_tree_torn(t, &r) : NULL;
		if (why)
			fsck_tree_bad(t, FP_MAP_TORN, r.pblk, why);
		fsck_map_add(t->map, &r);
	}
}

static const char *fsck_place_why(const struct vexfs_extent_node *node,
				  const struct fsck_reach *at)
{
	int count = le16_to_cpu(node->en_count);
	struct vexfs_ext_rec r;

	if (le16_to_cpu(node->en_depth) != at->depth)
		return "wrong depth";
	vexfs_ext_get(&node->en_rec[0], &r);
	if (r.lblk < at->lo)
		return "begins before its range";
	vexfs_ext_get(&node->en_rec[count - 1], &r);
	if (r.lblk >= at->hi || vexfs_ext_end(&r) > at->hi)
		return "passes the end of its range";
	return NULL;
}

/* False: nothing of the node can be used. */
static bool fsck_node_check(struct fsck_tree *t, u64 bno, u8 *data,
			    const struct fsck_reach *at, bool *good)
{
	struct fsck *f = t->f;
	struct vexfs_extent_node *node = (void *)data;
	const char *why;

	*good = true;
	switch (fsck_meta_check(f, data, bno, VEXFS_MAGIC_EXTENT, t->map->ino,
				t->map->generation, &why)) {
	case META_ALIEN:
		fsck_tree_bad(t, FP_MAP_ALIEN, bno, why);
		return false;
	case META_BODY:
		*good = false;
		fsck_tree_bad(t, FP_MAP_NODE, bno, why);
		return le16_to_cpu(node->en_depth) == at->depth &&
		       le16_to_cpu(node->en_count) <= VEXFS_NODE_EXTENTS;
	case META_CSUM:
		if (t->report && fsck_problem(f, FP_MAP_CSUM, t->map->ino, bno,
					      NULL)) {
			fsck_meta_seal(f, data);
			fsck_write(f, bno, data);
		}
		break;
	case META_GOOD:
		break;
	}
	why = fsck_place_why(node, at);
	if (why)
		fsck_tree_bad(t, FP_MAP_PLACE, bno, why);
	/* Going down only: a tree that points at itself has an end. */
	return le16_to_cpu(node->en_depth) <= at->depth;
}

static int fsck_tree_index(struct fsck_tree *t, const struct vexfs_extent *rec,
			   int count, bool good, const struct fsck_reach *at);

static int fsck_tree_node(struct fsck_tree *t, u64 bno,
			  const struct fsck_reach *at)
{
	u8 *data = malloc(VEXFS_BLOCK_SIZE);
	struct vexfs_extent_node *node = (void *)data;
	struct fsck_reach here = *at;
	int err, count;
	bool good;

	if (!data)
		return -ENOMEM;
	err = fsck_read(t->f, bno, data);
	if (err == -EIO) {
		fsck_tree_bad(t, FP_MAP_ALIEN, bno, "it can't be read");
		err = 0;
		goto out;
	}
	if (err || !fsck_node_check(t, bno, data, at, &good))
		goto out;
	fsck_map_add_node(t->map, bno);
	count = le16_to_cpu(node->en_count);
	here.depth = le16_to_cpu(node->en_depth);
	if (here.depth)
		err = fsck_tree_index(t, node->en_rec, count, good, &here);
	else
		fsck_tree_leaf(t, node->en_rec, count, good);
out:
	free(data);
	return err;
}

static int fsck_tree_index(struct fsck_tree *t, const struct vexfs_extent *rec,
			   int count, bool good, const struct fsck_reach *at)
{
	struct fsck_reach child = { .depth = at->depth - 1 };
	struct vexfs_fs *fs = &t->f->fs;
	struct vexfs_ext_rec r;
	int i, err = 0;

	for (i = 0; i < count && !err; i++) {
		vexfs_ext_get(&rec[i], &r);
		if (!good && !vexfs_block_valid(fs, r.pblk, 1))
			continue;
		child.lo = i && good ? r.lblk : at->lo;
		child.hi = at->hi;
		if (i + 1 < count && good)
			child.hi = le32_to_cpu(rec[i + 1].ee_lblk);
		err = fsck_tree_node(t, r.pblk, &child);
	}
	return err;
}

/* An -EIO of the device leaves out what can't be read. */
int fsck_map_load(struct fsck *f, u64 ino, const struct vexfs_inode *di,
		  struct fsck_map *map, bool report)
{
	struct fsck_tree t = { .f = f, .map = map, .report = report };
	struct fsck_reach at = { .hi = VEXFS_EXT_LIMIT };
	const struct vexfs_extent_root *root = &di->i_root;
	int count = le16_to_cpu(root->er_count);
	const char *why;

	map->ino = ino;
	map->generation = le32_to_cpu(di->i_generation);
	map->count = 0;
	map->nodes = 0;
	map->rebuild = false;
	map->meta = 0;
	if (!fsck_has_map(di))
		return 0;
	why = vexfs_verify_extent_root(&f->fs, root);
	if (why)
		fsck_tree_bad(&t, FP_MAP_ROOT, 0, why);
	at.depth = le16_to_cpu(root->er_depth);
	if (why && (count > VEXFS_ROOT_EXTENTS || at.depth > VEXFS_EXT_MAX_DEPTH))
		return 0;
	if (at.depth)
		return fsck_tree_index(&t, root->er_rec, count, !why, &at);
	fsck_tree_leaf(&t, root->er_rec, count, !why);
	return 0;
}

u64 fsck_map_blocks(struct fsck *f, const struct fsck_map *map)
{
	u64 n = (u64)map->nodes * f->fs.geom.cluster_blocks;
	u32 i;

	for (i = 0; i < map->count; i++)
		n += map->rec[i].len;
	return n;
}

// SPDX-License-Identifier: GPL-2.0
/*
 * Extent trees made anew, full nodes from a sorted list of extents. Waits
 * until pass inodes has seen which clusters are free.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include "fsck.h"

/* Records of one level: extents, or pointers to the level below. */
struct fsck_level {
	struct vexfs_extent *rec;
	u32	count;
	int	depth;
};

static void fsck_rec_store(struct vexfs_extent *e,
			   const struct vexfs_ext_rec *r)
{
	e->ee_lblk = cpu_to_le32((u32)r->lblk);
	e->ee_pblk = cpu_to_le64(r->pblk);
	e->ee_len = cpu_to_le32(r->len |
				(r->unwritten ? VEXFS_EXT_UNWRITTEN : 0));
}

/* So many records go to the next node; leaves end where clusters do. */
static u32 fsck_node_share(const struct fsck_level *lev, u32 at, u32 mask)
{
	u32 n = min(lev->count - at, (u32)VEXFS_NODE_EXTENTS);

	if (at + n == lev->count || lev->depth)
		return n;
	while (n > 1 && (le32_to_cpu(lev->rec[at + n].ee_lblk) & mask))
		n--;
	return n;
}

static int fsck_node_write(struct fsck *f, struct fsck_map *map,
			   const struct fsck_level *lev, u32 at, u32 n,
			   u64 bno)
{
	u8 data[VEXFS_BLOCK_SIZE] __aligned(8) = { };
	struct vexfs_extent_node *node = (void *)data;

	node->en_hdr.bh_magic = cpu_to_le32(VEXFS_MAGIC_EXTENT);
	node->en_hdr.bh_blocknr = cpu_to_le64(bno);
	node->en_hdr.bh_owner = cpu_to_le64(map->ino);
	node->en_hdr.bh_generation = cpu_to_le32(map->generation);
	node->en_depth = cpu_to_le16((u16)lev->depth);
	node->en_count = cpu_to_le16((u16)n);
	memcpy(node->en_rec, lev->rec + at, n * sizeof(*node->en_rec));
	fsck_meta_seal(f, data);
	return fsck_write(f, bno, data);
}

/* Puts the level into nodes; it becomes the pointers to them. */
static int fsck_level_up(struct fsck *f, struct fsck_map *map,
			 struct fsck_level *lev)
{
	u32 mask = f->fs.geom.cluster_blocks - 1, at, n, nodes = 0;
	u64 cluster, bno;
	__le32 key;
	int err;

	for (at = 0; at < lev->count; at += n) {
		n = fsck_node_share(lev, at, mask);
		cluster = fsck_take_cluster(f);
		if (!cluster)
			return -ENOSPC;
		bno = vexfs_cluster_to_block(&f->fs.geom, cluster);
		err = fsck_node_write(f, map, lev, at, n, bno);
		if (err)
			return err;
		key = at ? lev->rec[at].ee_lblk : 0;
		memset(&lev->rec[nodes], 0, sizeof(*lev->rec));
		lev->rec[nodes].ee_lblk = key;
		lev->rec[nodes++].ee_pblk = cpu_to_le64(bno);
		map->nodes++;
	}
	lev->count = nodes;
	lev->depth++;
	return 0;
}

static int fsck_tree_write(struct fsck *f, struct fsck_map *map,
			   struct vexfs_extent_root *root)
{
	struct fsck_level lev = { .count = map->count };
	int err = 0;
	u32 i;

	lev.rec = calloc(map->count + 1, sizeof(*lev.rec));
	if (!lev.rec)
		return -ENOMEM;
	for (i = 0; i < map->count; i++)
		fsck_rec_store(&lev.rec[i], &map->rec[i]);
	map->nodes = 0;
	while (!err && lev.count > VEXFS_ROOT_EXTENTS)
		err = fsck_level_up(f, map, &lev);
	if (!err) {
		memset(root, 0, sizeof(*root));
		root->er_depth = cpu_to_le16((u16)lev.depth);
		root->er_count = cpu_to_le16((u16)lev.count);
		memcpy(root->er_rec, lev.rec, lev.count * sizeof(*lev.rec));
	}
	free(lev.rec);
	return err;
}

/* On a full volume as much is kept as needs no node. */
int fsck_map_make(struct fsck *f, struct fsck_map *map)
{
	u32 mask = f->fs.geom.cluster_blocks - 1;
	struct vexfs_inode di;
	int err = fsck_inode_get(f, map->ino, &di);

	if (err)
		return err;
	err = fsck_tree_write(f, map, &di.i_root);
	if (err == -ENOSPC) {
		map->count = VEXFS_ROOT_EXTENTS;
		while (map->count && (vexfs_ext_end(&map->rec[map->count - 1]) &
				      mask))
			map->count--;
		err = fsck_tree_write(f, map, &di.i_root);
	}
	if (err)
		return err;
	di.i_blocks = cpu_to_le64(fsck_map_blocks(f, map) + map->meta);
	return fsck_inode_put(f, map->ino, &di);
}

/* Takes the extents out of @map. */
void fsck_map_later(struct fsck *f, struct fsck_map *map)
{
	struct fsck_map *waiting = fsck_map_waiting(f, map->ino);

	if (waiting && waiting != map) {
		fsck_map_free(waiting);
		*waiting = *map;
	} else if (!waiting) {
		if (f->rebuilds == f->rebuild_room) {
			f->rebuild_room = 2 * f->rebuild_room + 16;
			f->rebuild = realloc(f->rebuild, f->rebuild_room *
					     sizeof(*f->rebuild));
			if (!f->rebuild)
				kshim_die(__FILE__, __LINE__, "out of memory");
		}
		f->rebuild[f->rebuilds++] = *map;
	} else {
		return;
	}
	memset(map, 0, sizeof(*map));
}

struct fsck_map *fsck_map_waiting(struct fsck *f, u64 ino)
{
	u32 i;

	for (i = 0; i < f->rebuilds; i++)
		if (f->rebuild[i].ino == ino)
			return &f->rebuild[i];
	return NULL;
}

int fsck_make_maps(struct fsck *f)
{
	int err = 0;
	u32 i;

	for (i = 0; i < f->rebuilds; i++) {
		if (!err && fsck_in_use(f, f->rebuild[i].ino))
			err = fsck_map_make(f, &f->rebuild[i]);
		fsck_map_free(&f->rebuild[i]);
	}
	f->rebuilds = 0;
	return err;
}

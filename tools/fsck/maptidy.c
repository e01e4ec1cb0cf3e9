// SPDX-License-Identifier: GPL-2.0
/*
 * Extents that were read from a damaged tree, made such that they can be a
 * tree again: in order, without overlaps, in whole clusters.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include "fsck.h"

static int fsck_rec_cmp(const void *a, const void *b)
{
	const struct vexfs_ext_rec *x = a, *y = b;

	if (x->lblk != y->lblk)
		return x->lblk < y->lblk ? -1 : 1;
	/* Of two for the same place, the longer one first. */
	return x->len > y->len ? -1 : x->len < y->len;
}

static void fsck_map_sort(struct fsck_map *map)
{
	u32 i, n = 0;
	u64 next = 0;

	if (!map->count)
		return;
	qsort(map->rec, map->count, sizeof(*map->rec), fsck_rec_cmp);
	for (i = 0; i < map->count; i++) {
		if (map->rec[i].lblk < next)
			continue;
		next = vexfs_ext_end(&map->rec[i]);
		map->rec[n++] = map->rec[i];
	}
	map->count = n;
}

static void fsck_rec_cut_front(struct vexfs_ext_rec *r, u32 n)
{
	n = min(n, r->len);
	r->lblk += n;
	r->pblk += n;
	r->len -= n;
}

/* Does @b go on in the middle of a cluster where @a ended? */
static bool fsck_rec_joined(const struct vexfs_ext_rec *a,
			    const struct vexfs_ext_rec *b, u32 mask)
{
	return b->lblk == vexfs_ext_end(a) && b->pblk == a->pblk + a->len &&
	       (b->lblk & mask);
}

/*
 * A cluster that is mapped in part, or in two places, goes. Records behind
 * one another within a cluster are taken together.
 */
static void fsck_map_align(struct fsck_map *map, u32 mask)
{
	struct vexfs_ext_rec *r = map->rec;
	u32 i;

	for (i = 0; i < map->count; i++) {
		if (!i || !r[i - 1].len ||
		    !fsck_rec_joined(&r[i - 1], &r[i], mask))
			fsck_rec_cut_front(&r[i], -(u32)r[i].lblk & mask);
	}
	for (i = map->count; i-- > 0; ) {
		bool joined = i + 1 < map->count && r[i + 1].len &&
			      fsck_rec_joined(&r[i], &r[i + 1], mask);

		if (!joined)
			r[i].len -= min((u32)vexfs_ext_end(&r[i]) & mask,
					r[i].len);
	}
}

static void fsck_map_compact(struct fsck_map *map)
{
	u32 i, n = 0;

	for (i = 0; i < map->count; i++)
		if (map->rec[i].len)
			map->rec[n++] = map->rec[i];
	map->count = n;
}

/* Pieces that follow each other become one again. */
void fsck_map_join(struct fsck_map *map)
{
	u32 i, n = 0;

	for (i = 1; i < map->count; i++) {
		struct vexfs_ext_rec *a = &map->rec[n], *b = &map->rec[i];

		if (b->lblk == vexfs_ext_end(a) &&
		    b->pblk == a->pblk + a->len &&
		    a->unwritten == b->unwritten &&
		    (u64)a->len + b->len <= VEXFS_EXT_LEN_MASK)
			a->len += b->len;
		else
			map->rec[++n] = *b;
	}
	if (map->count)
		map->count = n + 1;
}

/*
 * Cutting the end of one record may leave the beginning of the next without
 * its cluster; each round cuts something or is the last.
 */
void fsck_map_tidy(struct fsck *f, struct fsck_map *map)
{
	u32 mask = f->fs.geom.cluster_blocks - 1;
	u64 before, after;

	fsck_map_sort(map);
	if (!mask)
		return;
	do {
		before = fsck_map_blocks(f, map);
		fsck_map_align(map, mask);
		fsck_map_compact(map);
		after = fsck_map_blocks(f, map);
	} while (before != after);
	fsck_map_join(map);
}

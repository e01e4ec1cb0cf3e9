// SPDX-License-Identifier: GPL-2.0
/*
 * Which clusters are in use, as found, a bitmap for each group in which any
 * is; and which ones are claimed more than once.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include "fsck.h"

static u8 *fsck_bitmap_new(void)
{
	u8 *bitmap = calloc(1, VEXFS_BLOCK_SIZE);

	if (!bitmap)
		kshim_die(__FILE__, __LINE__, "out of memory");
	return bitmap;
}

static u8 *fsck_place(struct fsck *f, u64 cluster, u32 *group, u32 *bit)
{
	const struct vexfs_geom *g = &f->fs.geom;

	*group = div_u64_rem(cluster, g->clusters_per_group, bit);
	return f->group[*group].used;
}

bool fsck_used(struct fsck *f, u64 cluster)
{
	u32 group, bit;
	u8 *used = fsck_place(f, cluster, &group, &bit);

	if (used)
		return test_bit_le(bit, used);
	return vexfs_range_is_fixed(&f->fs.geom, cluster, 1);
}

bool fsck_claim(struct fsck *f, u64 cluster)
{
	u32 group, bit;
	u8 *used = fsck_place(f, cluster, &group, &bit);
	struct fsck_group *fg = &f->group[group];

	if (!used) {
		used = fsck_bitmap_new();
		vexfs_group_init_bitmap(&f->fs.geom, group, used);
		fg->used = used;
	}
	if (!__test_and_set_bit_le(bit, used))
		return true;
	if (!fg->dup)
		fg->dup = fsck_bitmap_new();
	if (!__test_and_set_bit_le(bit, fg->dup))
		f->dup_clusters++;
	return false;
}

void fsck_unclaim(struct fsck *f, u64 cluster)
{
	u32 group, bit;
	u8 *used = fsck_place(f, cluster, &group, &bit);

	if (used)
		__clear_bit_le(bit, used);
}

bool fsck_is_dup(struct fsck *f, u64 cluster)
{
	u32 group, bit;

	fsck_place(f, cluster, &group, &bit);
	return f->group[group].dup && test_bit_le(bit, f->group[group].dup);
}

/* The group's bitmap as it should be; @buf is used when there is none. */
const u8 *fsck_group_bitmap(struct fsck *f, u32 group, u8 *buf)
{
	if (f->group[group].used)
		return f->group[group].used;
	vexfs_group_init_bitmap(&f->fs.geom, group, buf);
	return buf;
}

static u64 fsck_take_in_group(struct fsck *f, u32 group)
{
	const struct vexfs_geom *g = &f->fs.geom;
	u64 from = g->journal_clusters + g->vector_clusters;
	u8 buf[VEXFS_BLOCK_SIZE] __aligned(8);
	u32 lo, hi, bit;
	u64 cluster;

	vexfs_group_window(g, group, from, from + g->data_clusters, &lo, &hi);
	if (lo == hi)
		return 0;
	bit = find_next_zero_bit_le(fsck_group_bitmap(f, group, buf), hi, lo);
	if (bit >= hi)
		return 0;
	cluster = vexfs_group_first(g, group) + bit;
	fsck_claim(f, cluster);
	return cluster;
}

u64 fsck_take_cluster(struct fsck *f)
{
	u64 cluster;

	for (; f->alloc_at < f->fs.geom.groups; f->alloc_at++) {
		cluster = fsck_take_in_group(f, (u32)f->alloc_at);
		if (cluster)
			return cluster;
	}
	return 0;
}

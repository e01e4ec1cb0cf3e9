// SPDX-License-Identifier: GPL-2.0
/*
 * Geometry: where on the device things are. All of it follows from a few
 * numbers of the superblock in closed form, without loops over groups.
 *
 * A group starts with its metadata (in group 0 behind the superblock and the
 * descriptors). The other clusters of all groups, in order, are the data
 * space; the journal is its beginning and the vector area follows, so what
 * may hold the data of a file is a range of the data space, too.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include "libvexfs.h"

#define VEXFS_JOURNAL_MIN	(4u << 20)
#define VEXFS_JOURNAL_DEFAULT	(128u << 20)
#define VEXFS_JOURNAL_MAX	(4ull << 30)
#define VEXFS_VECTOR_MAX	(512u << 20)
#define VEXFS_MIN_INODE_RATIO	1024u
#define VEXFS_MAX_INODE_RATIO	(64u << 20)

/* What a last group, and the whole volume, must have beside metadata. */
#define VEXFS_MIN_DATA		16

static u32 vexfs_itable_blocks(const struct vexfs_geom *g)
{
	return g->inodes_per_group / VEXFS_INODES_PER_BLOCK;
}

/* Does the inode bitmap continue in the inode table's last block? */
static bool vexfs_inode_bitmap_split(const struct vexfs_geom *g)
{
	return g->cluster_size == VEXFS_BLOCK_SIZE &&
	       g->inodes_per_group > 8 * VEXFS_BLOCK_SIZE;
}

u64 vexfs_group_first(const struct vexfs_geom *g, u32 group)
{
	return (u64)group * g->clusters_per_group;
}

u32 vexfs_group_clusters(const struct vexfs_geom *g, u32 group)
{
	u64 left = g->clusters - vexfs_group_first(g, group);

	return min_t(u64, left, g->clusters_per_group);
}

u32 vexfs_group_overhead(const struct vexfs_geom *g, u32 group)
{
	u32 n = 2 + g->itable_clusters;

	return group ? n : n + 1 + g->gdt_clusters;
}

static u64 vexfs_group_meta_block(const struct vexfs_geom *g, u32 group,
				  u32 cluster)
{
	u64 first = vexfs_group_first(g, group);

	if (!group)
		first += 1 + g->gdt_clusters;
	return vexfs_cluster_to_block(g, first + cluster);
}

/* The descriptors begin at the cluster behind the superblock's. */
u64 vexfs_gdt_block(const struct vexfs_geom *g, u32 nr)
{
	return vexfs_cluster_to_block(g, 1) + nr;
}

u64 vexfs_cluster_bitmap_block(const struct vexfs_geom *g, u32 group)
{
	return vexfs_group_meta_block(g, group, 0);
}

u64 vexfs_itable_block(const struct vexfs_geom *g, u32 group)
{
	return vexfs_group_meta_block(g, group, 2);
}

u64 vexfs_inode_bitmap_block(const struct vexfs_geom *g, u32 group, u32 nr)
{
	if (nr && vexfs_inode_bitmap_split(g))
		return vexfs_itable_block(g, group) +
		       vexfs_itable_blocks(g) - 1;
	return vexfs_group_meta_block(g, group, 1) + nr;
}

/*
 * Backups fill the last halves of the inode tables from group 1 on (of group
 * 0 when it is the only one), from the end of each table to its front.
 */
static u32 vexfs_backup_group(const struct vexfs_geom *g)
{
	return g->groups > 1 ? 1 : 0;
}

static u32 vexfs_backups_per_group(const struct vexfs_geom *g)
{
	return vexfs_itable_blocks(g) / 2;
}

u64 vexfs_backup_block(const struct vexfs_geom *g, u32 nr)
{
	u32 per = vexfs_backups_per_group(g);
	u32 group = vexfs_backup_group(g) + nr / per;
	u32 back = nr % per + 1 + vexfs_inode_bitmap_split(g);

	return vexfs_itable_block(g, group) + vexfs_itable_blocks(g) - back;
}

u32 vexfs_itable_reserved(const struct vexfs_geom *g, u32 group)
{
	u32 first = vexfs_backup_group(g);
	u32 per = vexfs_backups_per_group(g);
	u32 reserved = vexfs_inode_bitmap_split(g);
	u64 before;

	if (group >= first) {
		before = (u64)(group - first) * per;
		if (before < 1 + g->gdt_blocks)
			reserved += min_t(u64, per,
					  1 + g->gdt_blocks - before);
	}
	return reserved;
}

u32 vexfs_group_inodes(const struct vexfs_geom *g, u32 group)
{
	return g->inodes_per_group -
	       vexfs_itable_reserved(g, group) * VEXFS_INODES_PER_BLOCK;
}

/* Clusters of the data space in group 0, and in a full group after it. */
static u64 vexfs_data_group0(const struct vexfs_geom *g)
{
	return vexfs_group_clusters(g, 0) - vexfs_group_overhead(g, 0);
}

static u64 vexfs_data_per_group(const struct vexfs_geom *g)
{
	return g->clusters_per_group - vexfs_group_overhead(g, 1);
}

u64 vexfs_data_cluster(const struct vexfs_geom *g, u64 index)
{
	u64 d0 = vexfs_data_group0(g);
	u64 per = vexfs_data_per_group(g);
	u64 group;

	if (index < d0)
		return vexfs_group_overhead(g, 0) + index;
	index -= d0;
	group = div64_u64(index, per);
	return (group + 1) * g->clusters_per_group +
	       vexfs_group_overhead(g, 1) + index - group * per;
}

u64 vexfs_data_first(const struct vexfs_geom *g, u32 group)
{
	if (!group)
		return 0;
	return vexfs_data_group0(g) + (group - 1) * vexfs_data_per_group(g);
}

/* Index of @cluster in the data space; false if it is group metadata. */
static bool vexfs_data_index(const struct vexfs_geom *g, u64 cluster,
			     u64 *index)
{
	u64 group = div_u64(cluster, g->clusters_per_group);
	u64 bit = cluster - group * g->clusters_per_group;
	u32 overhead = vexfs_group_overhead(g, group);

	if (bit < overhead)
		return false;
	*index = vexfs_data_first(g, group) + bit - overhead;
	return true;
}

void vexfs_group_window(const struct vexfs_geom *g, u32 group, u64 from,
			u64 to, u32 *lo, u32 *hi)
{
	u32 overhead = vexfs_group_overhead(g, group);
	u64 begin = vexfs_data_first(g, group);
	u64 end = begin + vexfs_group_clusters(g, group) - overhead;

	from = clamp(from, begin, end);
	to = clamp(to, from, end);
	*lo = overhead + (u32)(from - begin);
	*hi = overhead + (u32)(to - begin);
}

u64 vexfs_journal_block(const struct vexfs_geom *g, u64 nr)
{
	u64 index = g->journal_start + (nr >> g->cluster_shift);
	u64 cluster = vexfs_data_cluster(g, index);

	return vexfs_cluster_to_block(g, cluster) +
	       (nr & (g->cluster_blocks - 1));
}

u64 vexfs_journal_blocks(const struct vexfs_geom *g)
{
	return g->journal_clusters << g->cluster_shift;
}

bool vexfs_in_vector_area(const struct vexfs_geom *g, u64 cluster)
{
	u64 index;

	return cluster < g->clusters && vexfs_data_index(g, cluster, &index) &&
	       index >= g->vector_start &&
	       index - g->vector_start < g->vector_clusters;
}

static void vexfs_set_bits(void *bitmap, u32 from, u32 to)
{
	u8 *p = bitmap;

	for (; from < to && (from & 7); from++)
		__set_bit_le(from, bitmap);
	if (from >= to)
		return;
	memset(p + from / 8, 0xff, to / 8 - from / 8);
	for (from = max(from, round_down(to, 8)); from < to; from++)
		__set_bit_le(from, bitmap);
}

void vexfs_group_init_bitmap(const struct vexfs_geom *g, u32 group,
			     void *bitmap)
{
	u32 lo, hi;

	memset(bitmap, 0, VEXFS_BLOCK_SIZE);
	vexfs_set_bits(bitmap, 0, vexfs_group_overhead(g, group));
	vexfs_group_window(g, group, g->journal_start,
			   g->journal_start + g->journal_clusters, &lo, &hi);
	vexfs_set_bits(bitmap, lo, hi);
	vexfs_set_bits(bitmap, vexfs_group_clusters(g, group),
		       8 * VEXFS_BLOCK_SIZE);
}

u32 vexfs_group_init_free(const struct vexfs_geom *g, u32 group)
{
	u32 lo, hi;

	vexfs_group_window(g, group, g->journal_start,
			   g->journal_start + g->journal_clusters, &lo, &hi);
	return vexfs_group_clusters(g, group) -
	       vexfs_group_overhead(g, group) - (hi - lo);
}

/* A range that leaves its group contains the metadata of the next. */
bool vexfs_range_is_fixed(const struct vexfs_geom *g, u64 first, u64 n)
{
	u64 last, index;

	if (!n)
		return false;
	if (check_add_overflow(first, n - 1, &last) || last >= g->clusters)
		return true;
	if (div_u64(first, g->clusters_per_group) !=
	    div_u64(last, g->clusters_per_group))
		return true;
	if (!vexfs_data_index(g, first, &index))
		return true;
	return index < g->journal_start + g->journal_clusters &&
	       index + n > g->journal_start;
}

static int vexfs_geom_fail(int err, const char **why, const char *reason)
{
	*why = reason;
	return err;
}

/* From cluster size, clusters and inodes a group: everything but areas. */
static int vexfs_geom_groups(struct vexfs_geom *g, const char **why)
{
	u64 groups;
	u32 last;

	g->cluster_blocks = g->cluster_size >> VEXFS_BLOCK_SHIFT;
	g->cluster_shift = ilog2(g->cluster_blocks);
	g->clusters_per_group = clamp(VEXFS_GROUP_BYTES / g->cluster_size,
				      1024u, 65536u);
	g->itable_clusters = g->inodes_per_group /
			     (g->cluster_size / VEXFS_INODE_SIZE);
	div_u64_rem(g->clusters, g->clusters_per_group, &last);
	if (last && last < 2 + g->itable_clusters + VEXFS_MIN_DATA)
		g->clusters -= last;
	groups = div_u64(g->clusters + g->clusters_per_group - 1,
			 g->clusters_per_group);
	if (!groups)
		return vexfs_geom_fail(-ENOSPC, why, "the device is too small");
	if (groups > U32_MAX / VEXFS_DESC_SIZE)
		return vexfs_geom_fail(-EFBIG, why, "the device is too large");
	g->groups = groups;
	g->gdt_blocks = DIV_ROUND_UP(g->groups, VEXFS_DESC_PER_BLOCK);
	g->gdt_clusters = DIV_ROUND_UP(g->gdt_blocks, g->cluster_blocks);
	if (vexfs_group_overhead(g, 0) <= vexfs_group_clusters(g, 0))
		return 0;
	if (groups > 1)
		return vexfs_geom_fail(-EFBIG, why, "the device is too large");
	return vexfs_geom_fail(-ENOSPC, why, "the device is too small");
}

static u64 vexfs_vector_default(const struct vexfs_geom *g)
{
	return min_t(u64, div_u64(g->clusters, 20),
		     VEXFS_VECTOR_MAX / g->cluster_size);
}

/* Places journal and vector area, whose sizes are set, and counts the rest. */
static int vexfs_geom_areas(struct vexfs_geom *g, const char **why)
{
	u64 meta = 1 + g->gdt_clusters +
		   (u64)g->groups * (2 + g->itable_clusters);
	u64 areas = g->journal_clusters + g->vector_clusters;

	if (g->journal_clusters < VEXFS_JOURNAL_MIN / g->cluster_size)
		return vexfs_geom_fail(-EINVAL, why,
				       "the journal is less than 4 MiB");
	if (g->journal_clusters > VEXFS_JOURNAL_MAX / g->cluster_size)
		return vexfs_geom_fail(-EINVAL, why,
				       "the journal is more than 4 GiB");
	g->journal_start = 0;
	g->vector_start = g->vector_clusters ? g->journal_clusters : 0;
	if (g->clusters < meta + areas + VEXFS_MIN_DATA)
		return vexfs_geom_fail(-ENOSPC, why,
			"the device is too small for metadata and journal");
	g->data_clusters = g->clusters - meta - areas;
	return 0;
}

static bool vexfs_cluster_size_ok(u32 size)
{
	return size >= VEXFS_MIN_CLUSTER && size <= VEXFS_MAX_CLUSTER &&
	       is_power_of_2(size);
}

/* Rounded up, so that an inode table is whole clusters. */
static u32 vexfs_inodes_default(u32 cluster_size, u32 ratio)
{
	u32 n = VEXFS_GROUP_BYTES / ratio;

	n = clamp(n, VEXFS_MIN_IPG, VEXFS_MAX_IPG);
	return round_up(n, cluster_size / VEXFS_INODE_SIZE);
}

int vexfs_geom_compute(const struct vexfs_geom_options *opt,
		       struct vexfs_geom *geom, const char **why)
{
	u32 ratio = opt->bytes_per_inode ? opt->bytes_per_inode : 16384;
	u64 journal;
	int err;

	memset(geom, 0, sizeof(*geom));
	geom->cluster_size = opt->cluster_size ? opt->cluster_size :
						 VEXFS_BLOCK_SIZE;
	if (!vexfs_cluster_size_ok(geom->cluster_size))
		return vexfs_geom_fail(-EINVAL, why,
			"the block size is not 4096, 8192, 16384, 32768 or 65536");
	if (ratio < VEXFS_MIN_INODE_RATIO || ratio > VEXFS_MAX_INODE_RATIO)
		return vexfs_geom_fail(-EINVAL, why,
			"bytes per inode are not between 1024 and 67108864");
	geom->inodes_per_group = vexfs_inodes_default(geom->cluster_size,
						      ratio);
	geom->clusters = div_u64(opt->device_bytes, geom->cluster_size);
	err = vexfs_geom_groups(geom, why);
	if (err)
		return err;
	journal = clamp_t(u64, div_u64(geom->clusters, 100),
			  VEXFS_JOURNAL_MIN / geom->cluster_size,
			  VEXFS_JOURNAL_DEFAULT / geom->cluster_size);
	geom->journal_clusters = opt->journal_clusters ? opt->journal_clusters :
							 journal;
	if (opt->vector_area)
		geom->vector_clusters = vexfs_vector_default(geom);
	return vexfs_geom_areas(geom, why);
}

/*
 * More groups only as far as the blocks of descriptors go that there are: more
 * of these would move all of group 0. Nor does a volume of one group get a
 * second, since the backups would move there.
 */
static u64 vexfs_groups_most(const struct vexfs_geom *g)
{
	return g->groups == 1 ? 1 : (u64)g->gdt_blocks * VEXFS_DESC_PER_BLOCK;
}

u64 vexfs_clusters_most(const struct vexfs_geom *g)
{
	return vexfs_groups_most(g) * g->clusters_per_group;
}

int vexfs_geom_grow(const struct vexfs_geom *old, u64 clusters,
		    struct vexfs_geom *geom, const char **why)
{
	int err;

	*geom = *old;
	geom->clusters = clusters;
	if (clusters < old->clusters)
		return vexfs_geom_fail(-EINVAL, why, "a volume can't shrink");
	if (clusters > vexfs_clusters_most(old))
		return vexfs_geom_fail(-EFBIG, why,
			"there is no room for the descriptors of so many groups");
	err = vexfs_geom_groups(geom, why);
	if (!err)
		err = vexfs_geom_areas(geom, why);
	if (!err && geom->clusters < old->clusters)
		*geom = *old;
	return err;
}

/* The fields that have only one right value, given those that are free. */
static const char *vexfs_geom_check(const struct vexfs_super_block *sb,
				    const struct vexfs_geom *g)
{
	bool vector = le32_to_cpu(sb->s_feature_compat) &
		      VEXFS_COMPAT_VECTOR_AREA;

	if (le64_to_cpu(sb->s_clusters_count) != g->clusters)
		return "last group too short";
	if (le32_to_cpu(sb->s_groups_count) != g->groups)
		return "bad number of groups";
	if (le32_to_cpu(sb->s_clusters_per_group) != g->clusters_per_group)
		return "bad number of blocks per group";
	if (le64_to_cpu(sb->s_journal_start) != g->journal_start)
		return "bad start of the journal";
	if (le64_to_cpu(sb->s_vector_start) != g->vector_start)
		return "bad start of the vector area";
	/* It stays as it was made when the volume grows. */
	if (vector != !!g->vector_clusters ||
	    g->vector_clusters > vexfs_vector_default(g))
		return "bad size of the vector area";
	if (le64_to_cpu(sb->s_reserved_clusters) > g->data_clusters / 2)
		return "more than half of the blocks reserved";
	return NULL;
}

int vexfs_geom_from_super(const struct vexfs_super_block *sb,
			  struct vexfs_geom *geom, const char **why)
{
	u32 ipg = le32_to_cpu(sb->s_inodes_per_group);
	int err;

	memset(geom, 0, sizeof(*geom));
	geom->cluster_size = le32_to_cpu(sb->s_cluster_size);
	if (!vexfs_cluster_size_ok(geom->cluster_size))
		return vexfs_geom_fail(-EINVAL, why, "bad block size");
	if (ipg < VEXFS_MIN_IPG || ipg > VEXFS_MAX_IPG ||
	    ipg % (geom->cluster_size / VEXFS_INODE_SIZE))
		return vexfs_geom_fail(-EINVAL, why,
				       "bad number of inodes per group");
	if (le32_to_cpu(sb->s_inode_size) != VEXFS_INODE_SIZE)
		return vexfs_geom_fail(-EINVAL, why, "bad inode size");
	if (le32_to_cpu(sb->s_desc_size) != VEXFS_DESC_SIZE)
		return vexfs_geom_fail(-EINVAL, why, "bad descriptor size");
	geom->inodes_per_group = ipg;
	geom->clusters = le64_to_cpu(sb->s_clusters_count);
	geom->journal_clusters = le64_to_cpu(sb->s_journal_clusters);
	geom->vector_clusters = le64_to_cpu(sb->s_vector_clusters);
	if (geom->clusters >> 48 || geom->vector_clusters > geom->clusters)
		return vexfs_geom_fail(-EINVAL, why, "bad number of blocks");
	err = vexfs_geom_groups(geom, why);
	if (!err)
		err = vexfs_geom_areas(geom, why);
	if (err)
		return err;
	*why = vexfs_geom_check(sb, geom);
	return *why ? -EINVAL : 0;
}

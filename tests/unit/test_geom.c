// SPDX-License-Identifier: GPL-2.0
/*
 * The geometry: the figures that are promised, and, for many volumes, that
 * no two things lie in the same place and all formulas agree.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include "core_util.h"

struct figures {
	u64 blocks;
	u32 block_size, ratio;
	bool vector;
	u32 groups, per_group, inodes;
	u64 journal, vectors, data;
};

static const struct figures figures[] = {
	{ 488369940, 4096, 0, true,
	  14904, 32768, 8192, 32768, 131072, 480545326 },
	{ 488369940, 4096, 0, false,
	  14904, 32768, 8192, 32768, 0, 480676398 },
	{ 244184970, 8192, 8192, true,
	  14904, 16384, 16384, 16384, 65536, 236442334 },
	{ 30523121, 65536, 0, true,
	  14904, 2048, 8192, 2048, 8192, 30006136 },
	{ 2048, 4096, 0, false, 1, 32768, 8192, 1024, 0, 508 },
	{ 262144, 4096, 0, true, 8, 32768, 8192, 2621, 13107, 242302 },
	{ 262144, 4096, 2048, false, 8, 32768, 65536, 2621, 0, 226737 },
	{ 262144, 4096, 1024, false, 8, 32768, 65536, 2621, 0, 226737 },
	{ 262144, 4096, 1 << 26, false, 8, 32768, 256, 2621, 0, 259377 },
};

static void check_figures(const struct figures *f)
{
	struct vexfs_geom_options opt = {
		.device_bytes = f->blocks * f->block_size,
		.cluster_size = f->block_size,
		.bytes_per_inode = f->ratio,
		.vector_area = f->vector,
	};
	struct vexfs_geom g;
	const char *why;

	CHECK_EQ(vexfs_geom_compute(&opt, &g, &why), 0);
	CHECK_EQ(g.clusters, f->blocks);
	CHECK_EQ(g.groups, f->groups);
	CHECK_EQ(g.clusters_per_group, f->per_group);
	CHECK_EQ(g.inodes_per_group, f->inodes);
	CHECK_EQ(g.journal_clusters, f->journal);
	CHECK_EQ(g.vector_clusters, f->vectors);
	CHECK_EQ(g.data_clusters, f->data);
}

static void test_figures(void)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(figures); i++)
		check_figures(&figures[i]);
}

/* What a cluster is for, one byte each. */
enum owner { DATA, SUPER, DESCS, BITMAP, ITABLE, JOURNAL, VECTOR };

struct owners {
	struct vexfs_geom g;
	u8 *map;
};

static void own(struct owners *o, u64 cluster, u64 n, u8 what)
{
	for (; n; n--, cluster++) {
		CHECK(cluster < o->g.clusters);
		CHECK_EQ(o->map[cluster], DATA);
		o->map[cluster] = what;
	}
}

static u64 cluster_of(const struct vexfs_geom *g, u64 block)
{
	CHECK_EQ(block % g->cluster_blocks, 0);
	return block / g->cluster_blocks;
}

static void own_meta(struct owners *o)
{
	const struct vexfs_geom *g = &o->g;
	u32 group;

	own(o, 0, 1, SUPER);
	own(o, cluster_of(g, vexfs_gdt_block(g, 0)), g->gdt_clusters, DESCS);
	CHECK((u64)g->gdt_clusters * g->cluster_size >= g->groups * 32ull);
	CHECK((u64)g->gdt_clusters * g->cluster_size - g->groups * 32ull <
	      g->cluster_size);
	for (group = 0; group < g->groups; group++) {
		own(o, cluster_of(g, vexfs_cluster_bitmap_block(g, group)), 1,
		    BITMAP);
		own(o, cluster_of(g, vexfs_inode_bitmap_block(g, group, 0)), 1,
		    BITMAP);
		own(o, cluster_of(g, vexfs_itable_block(g, group)),
		    g->itable_clusters, ITABLE);
	}
}

static void own_areas(struct owners *o)
{
	const struct vexfs_geom *g = &o->g;
	u64 i;

	for (i = 0; i < g->journal_clusters; i++)
		own(o, vexfs_data_cluster(g, g->journal_start + i), 1, JOURNAL);
	for (i = 0; i < g->vector_clusters; i++)
		own(o, vexfs_data_cluster(g, g->vector_start + i), 1, VECTOR);
	for (i = 0; i < vexfs_journal_blocks(g); i++)
		CHECK_EQ(o->map[vexfs_journal_block(g, i) / g->cluster_blocks],
			 JOURNAL);
}

/* The data space: every cluster that isn't metadata, once, in order. */
static void check_data_space(struct owners *o)
{
	const struct vexfs_geom *g = &o->g;
	u64 c, index = 0, data = 0;

	for (c = 0; c < g->clusters; c++) {
		CHECK_EQ(vexfs_in_vector_area(g, c), o->map[c] == VECTOR);
		if (o->map[c] >= SUPER && o->map[c] <= ITABLE)
			continue;
		CHECK_EQ(vexfs_data_cluster(g, index), c);
		index++;
		data += o->map[c] == DATA;
	}
	CHECK_EQ(data, g->data_clusters);
	CHECK_EQ(index, g->data_clusters + g->journal_clusters +
			g->vector_clusters);
	CHECK(!vexfs_in_vector_area(g, g->clusters));
}

static bool is_fixed(struct owners *o, u64 first, u64 n)
{
	for (; n; n--, first++)
		if (first >= o->g.clusters ||
		    (o->map[first] != DATA && o->map[first] != VECTOR))
			return true;
	return false;
}

static void check_fixed(struct owners *o)
{
	const struct vexfs_geom *g = &o->g;
	u64 first, n;
	int i;

	for (i = 0; i < 4000; i++) {
		first = cu_below(g->clusters + 8);
		if (i & 1)
			first = rounddown(first, g->clusters_per_group) +
				cu_below(g->itable_clusters + 8);
		n = 1 + cu_below(i & 2 ? 16 : 4096);
		CHECK_EQ(vexfs_range_is_fixed(g, first, n),
			 is_fixed(o, first, n));
	}
	CHECK(vexfs_range_is_fixed(g, U64_MAX, 2));
	CHECK(vexfs_range_is_fixed(g, 1, U64_MAX));
}

static void check_bitmaps(struct owners *o)
{
	const struct vexfs_geom *g = &o->g;
	u8 bitmap[VEXFS_BLOCK_SIZE];
	u32 group, i, zeroes;
	u64 first;

	for (group = 0; group < g->groups; group++) {
		first = vexfs_group_first(g, group);
		memset(bitmap, 0x5a, sizeof(bitmap));
		vexfs_group_init_bitmap(g, group, bitmap);
		zeroes = 0;
		for (i = 0; i < 8 * VEXFS_BLOCK_SIZE; i++) {
			bool used = i >= g->clusters_per_group ||
				    is_fixed(o, first + i, 1);

			CHECK_EQ(test_bit_le(i, bitmap), used);
			zeroes += !used;
		}
		CHECK_EQ(vexfs_group_init_free(g, group), zeroes);
		CHECK_EQ(vexfs_bitmap_zeroes(bitmap, 8 * VEXFS_BLOCK_SIZE),
			 zeroes);
	}
}

/* Blocks in inode tables that hold no inodes: each has one purpose. */
static void check_tails(const struct vexfs_geom *g)
{
	u32 iblocks = g->inodes_per_group / VEXFS_INODES_PER_BLOCK;
	u32 group, nr, reserved = 0, used = 1 + g->gdt_blocks;
	u64 block, last = 0;
	bool split = g->inodes_per_group > 32768 && g->cluster_size == 4096;

	for (group = 0; group < g->groups; group++) {
		reserved += vexfs_itable_reserved(g, group);
		CHECK_EQ(vexfs_group_inodes(g, group),
			 (iblocks - vexfs_itable_reserved(g, group)) * 16);
		CHECK(vexfs_group_inodes(g, group) >= 128);
		used += split;
	}
	CHECK_EQ(reserved, used);
	for (nr = 0; nr <= g->gdt_blocks; nr++) {
		block = vexfs_backup_block(g, nr);
		CHECK(block != last);
		last = block;
		group = block / g->cluster_blocks / g->clusters_per_group;
		CHECK(g->groups == 1 || group > 0);
		block -= vexfs_itable_block(g, group);
		CHECK(block < iblocks - split);
		CHECK(block >= iblocks - vexfs_itable_reserved(g, group));
	}
	for (group = 0; split && group < g->groups; group++)
		CHECK_EQ(vexfs_inode_bitmap_block(g, group, 1),
			 vexfs_itable_block(g, group) + iblocks - 1);
}

static void check_super(const struct vexfs_geom *g)
{
	struct vexfs_super_block sb;
	struct vexfs_geom back;
	const char *why = NULL;

	vexfs_init_super(&sb, g);
	CHECK_EQ(vexfs_geom_from_super(&sb, &back, &why), 0);
	CHECK(!memcmp(g, &back, sizeof(back)));
	sb.s_checksum = cpu_to_le32(vexfs_super_csum(&sb));
	CHECK(!vexfs_verify_super(&sb));
}

static void random_options(struct vexfs_geom_options *opt)
{
	memset(opt, 0, sizeof(*opt));
	opt->cluster_size = 4096u << cu_below(5);
	opt->device_bytes = (8ull << 20) + cu_below(900ull << 20);
	/* Often a last group of a few clusters. */
	if (cu_below(3) == 0)
		opt->device_bytes = rounddown(opt->device_bytes, 128u << 20) +
				    cu_below(8u << 20);
	if (cu_below(2))
		opt->bytes_per_inode = 1024u << cu_below(17);
	else if (cu_below(2))
		opt->bytes_per_inode = 1024 + (u32)cu_below(100000);
	if (cu_below(4) == 0)
		opt->journal_clusters = (4u << 20) / opt->cluster_size +
					cu_below(5000);
	opt->vector_area = cu_below(2);
}

static bool check_volume(const struct vexfs_geom_options *opt)
{
	struct owners o;
	const char *why = NULL;
	int err = vexfs_geom_compute(opt, &o.g, &why);

	if (err) {
		CHECK_EQ(err, -ENOSPC);
		CHECK(strstr(why, "too small"));
		return false;
	}
	CHECK(o.g.clusters <= opt->device_bytes / o.g.cluster_size);
	CHECK(opt->device_bytes / o.g.cluster_size - o.g.clusters <
	      2 + o.g.itable_clusters + 16);
	o.map = calloc(o.g.clusters, 1);
	CHECK(o.map);
	own_meta(&o);
	own_areas(&o);
	check_data_space(&o);
	check_fixed(&o);
	check_bitmaps(&o);
	check_tails(&o.g);
	check_super(&o.g);
	free(o.map);
	return true;
}

static void test_no_overlap(void)
{
	struct vexfs_geom_options opt;
	int i, good = 0;

	for (i = 0; i < 150; i++) {
		random_options(&opt);
		good += check_volume(&opt);
	}
	CHECK(good > 50);
}

/* As above, without a map: volumes of many terabytes. */
static void test_large(void)
{
	struct vexfs_geom_options opt;
	struct vexfs_geom g;
	const char *why;
	u64 index;
	int i, j, good = 0;

	for (i = 0; i < 300; i++) {
		random_options(&opt);
		opt.device_bytes = cu_below(1ull << (30 + cu_below(20)));
		if (vexfs_geom_compute(&opt, &g, &why))
			continue;
		good++;
		if (g.groups < 300000)
			check_tails(&g);
		check_super(&g);
		for (j = 0; j < 50; j++) {
			index = cu_below(g.data_clusters);
			index += g.journal_clusters + g.vector_clusters;
			index = vexfs_data_cluster(&g, index);
			CHECK(!vexfs_range_is_fixed(&g, index, 1));
		}
		index = g.data_clusters + g.journal_clusters +
			g.vector_clusters;
		CHECK_EQ(vexfs_data_cluster(&g, index - 1), g.clusters - 1);
	}
	CHECK(good > 150);
}

static int compute(u64 bytes, u32 cluster_size, u64 journal, const char **why)
{
	struct vexfs_geom_options opt = {
		.device_bytes = bytes,
		.cluster_size = cluster_size,
		.journal_clusters = journal,
	};
	struct vexfs_geom g;

	return vexfs_geom_compute(&opt, &g, why);
}

static void test_refused(void)
{
	struct vexfs_geom_options opt = {
		.device_bytes = 1 << 30,
		.bytes_per_inode = 1023,
	};
	struct vexfs_geom g;
	const char *why;

	CHECK_EQ(compute(1 << 30, 2048, 0, &why), -EINVAL);
	CHECK_EQ(compute(1 << 30, 12288, 0, &why), -EINVAL);
	CHECK_EQ(compute(1 << 30, 131072, 0, &why), -EINVAL);
	CHECK_EQ(compute(1 << 30, 4096, 1023, &why), -EINVAL);
	CHECK_EQ(compute(1ull << 40, 4096, (1u << 20) + 1, &why), -EINVAL);
	CHECK_EQ(compute(1ull << 40, 4096, 1u << 20, &why), 0);
	CHECK_EQ(vexfs_geom_compute(&opt, &g, &why), -EINVAL);
	opt.bytes_per_inode = (64u << 20) + 1;
	CHECK_EQ(vexfs_geom_compute(&opt, &g, &why), -EINVAL);
	CHECK_EQ(compute(0, 4096, 0, &why), -ENOSPC);
	CHECK_EQ(compute(4096, 4096, 0, &why), -ENOSPC);
	CHECK_EQ(compute(6 << 20, 4096, 0, &why), -ENOSPC);
	CHECK_EQ(compute(1556 * 4096 - 1, 4096, 0, &why), -ENOSPC);
	CHECK_EQ(compute(1556 * 4096, 4096, 0, &why), 0);
	CHECK_EQ(compute(1 << 30, 4096, 300000, &why), -ENOSPC);
	opt.bytes_per_inode = 0;
	opt.device_bytes = (32768 + 2 + 512 + 15) * 4096ull;
	CHECK_EQ(vexfs_geom_compute(&opt, &g, &why), 0);
	CHECK_EQ(g.clusters, 32768);
	opt.device_bytes += 4096;
	CHECK_EQ(vexfs_geom_compute(&opt, &g, &why), 0);
	CHECK_EQ(g.clusters, 32768 + 2 + 512 + 16);
	/* Descriptors fill group 0 at some 500 TiB. */
	CHECK_EQ(compute(480ull << 40, 4096, 0, &why), 0);
	CHECK_EQ(compute(520ull << 40, 4096, 0, &why), -EFBIG);
	CHECK_EQ(compute(U64_MAX, 4096, 0, &why), -EFBIG);
	CHECK_EQ(compute(U64_MAX, 65536, 0, &why), -EFBIG);
}

/* Changing a field that follows from others must be noticed. */
static void test_super_fields(void)
{
	struct vexfs_geom_options opt = {
		.device_bytes = 1 << 30,
		.vector_area = true,
	};
	struct vexfs_super_block good, sb;
	struct vexfs_geom g;
	const char *why;
	u64 n;
	int i;

	CHECK_EQ(vexfs_geom_compute(&opt, &g, &why), 0);
	vexfs_init_super(&good, &g);
#define REFUSED(field, conv, value) do {				\
	sb = good;							\
	sb.field = conv(value);						\
	why = NULL;							\
	CHECK_EQ(vexfs_geom_from_super(&sb, &g, &why) < 0 && why, true); \
} while (0)
	for (i = 0; i < 200; i++) {
		n = i < 40 ? i : cu_rand() >> cu_below(64);
		if ((u32)n != le32_to_cpu(good.s_groups_count))
			REFUSED(s_groups_count, cpu_to_le32, (u32)n);
		if ((u32)n != le32_to_cpu(good.s_clusters_per_group))
			REFUSED(s_clusters_per_group, cpu_to_le32, (u32)n);
		if ((u32)n != 4096)
			REFUSED(s_cluster_size, cpu_to_le32, (u32)n);
		if ((u32)n % 16 || (u32)n < 256 || (u32)n > 65536)
			REFUSED(s_inodes_per_group, cpu_to_le32, (u32)n);
		if ((u32)n != 256)
			REFUSED(s_inode_size, cpu_to_le32, (u32)n);
		if ((u32)n != 32)
			REFUSED(s_desc_size, cpu_to_le32, (u32)n);
		if (n)
			REFUSED(s_journal_start, cpu_to_le64, n);
		if (n != le64_to_cpu(good.s_vector_start))
			REFUSED(s_vector_start, cpu_to_le64, n);
		/* A volume that has grown may have fewer. */
		if (!n || n > le64_to_cpu(good.s_vector_clusters))
			REFUSED(s_vector_clusters, cpu_to_le64, n);
		/* These change the size of the vector area. */
		if (n / 20 != 262144 / 20)
			REFUSED(s_clusters_count, cpu_to_le64, n);
		if (n != le64_to_cpu(good.s_journal_clusters))
			REFUSED(s_journal_clusters, cpu_to_le64, n);
	}
	REFUSED(s_feature_compat, cpu_to_le32, 0);
	REFUSED(s_reserved_clusters, cpu_to_le64, 250000);
#undef REFUSED
}

static const char *verify_with(struct vexfs_super_block *sb)
{
	sb->s_checksum = cpu_to_le32(vexfs_super_csum(sb));
	return vexfs_verify_super(sb);
}

static void test_verify_super(void)
{
	struct vexfs_geom_options opt = { .device_bytes = 1 << 30 };
	struct vexfs_super_block good, sb;
	struct vexfs_geom g;
	const char *why;
	u32 i;

	CHECK_EQ(vexfs_geom_compute(&opt, &g, &why), 0);
	vexfs_init_super(&good, &g);
	CHECK(!verify_with(&good));
	for (i = 0; i < 8 * sizeof(sb); i++) {
		sb = good;
		((u8 *)&sb)[i / 8] ^= (u8)(1 << i % 8);
		CHECK(vexfs_verify_super(&sb));
	}
	sb = good;
	sb.s_magic[0] = 'v';
	CHECK(strstr(verify_with(&sb), "not a VexFS"));
	sb = good;
	sb.s_feature_incompat = cpu_to_le32(0x80);
	CHECK(strstr(verify_with(&sb), "newer"));
	sb = good;
	sb.s_feature_incompat = cpu_to_le32(VEXFS_INCOMPAT_COLLECTIONS);
	sb.s_feature_compat = cpu_to_le32(0x80);
	CHECK(!verify_with(&sb));
	sb = good;
	sb.s_errors = 0;
	CHECK(verify_with(&sb));
	sb = good;
	sb.s_vector_dims = cpu_to_le32(16385);
	CHECK(verify_with(&sb));
	sb = good;
	sb.s_state = cpu_to_le32(4);
	CHECK(verify_with(&sb));
	sb = good;
	sb.s_backup_nr = cpu_to_le32(2);
	CHECK(verify_with(&sb));
}

int main(void)
{
	cu_plan(6);
	cu_run("the figures that are promised", test_figures);
	cu_run("no two things in one place", test_no_overlap);
	cu_run("large volumes", test_large);
	cu_run("refused sizes", test_refused);
	cu_run("superblock fields are checked", test_super_fields);
	cu_run("superblock verifier", test_verify_super);
	return 0;
}

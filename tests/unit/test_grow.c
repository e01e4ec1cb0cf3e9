// SPDX-License-Identifier: GPL-2.0
/*
 * Volumes that become larger: what is in memory is what a mount would load,
 * old and new space is all there and can be used, and a crash before the
 * commit leaves the volume as it was.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include "core_util.h"

static struct cu_vol vol;

static void open_volume(u64 bytes, u32 cluster_size, bool vector)
{
	struct vexfs_geom_options opt = {
		.device_bytes = bytes,
		.cluster_size = cluster_size,
		.bytes_per_inode = 32768,
		.vector_area = vector,
	};

	cu_open(&vol, &opt);
	/* The device became larger: zeroes. */
	vol.dev->blocks = 1ull << 26;
}

static u64 free_now(void)
{
	return percpu_counter_sum(&vol.fs.free_clusters);
}

static void take(u64 n)
{
	struct vexfs_trans *t;
	u64 first, left = n;
	u32 len;

	while (left) {
		t = cu_begin(&vol, VEXFS_ALLOC_CREDITS);
		len = min_t(u64, left, 1 + cu_below(3000));
		CHECK_EQ(vexfs_balloc(t, &vol.fs, 0, VEXFS_ALLOC_RESERVED |
				      VEXFS_ALLOC_VECTOR, &first, &len), 0);
		CHECK(first + len <= vol.fs.geom.clusters);
		CHECK(!vexfs_range_is_fixed(&vol.fs.geom, first, len));
		CHECK_EQ(vexfs_trans_end(t), 0);
		left -= len;
	}
	CHECK_EQ(vexfs_dev_commit(vol.dev), 0);
}

static int grow(u64 clusters, bool commit)
{
	const char *why = NULL;
	struct vexfs_geom geom;
	struct vexfs_trans *t;
	int err;

	err = vexfs_geom_grow(&vol.fs.geom, clusters, &geom, &why);
	if (err) {
		CHECK(why);
		return err;
	}
	t = cu_begin(&vol, VEXFS_GROW_CREDITS);
	CHECK_EQ(vexfs_grow(t, &vol.fs, &geom), 0);
	CHECK_EQ(vexfs_trans_end(t), 0);
	CHECK(!memcmp(&geom, &vol.fs.geom, sizeof(geom)));
	return commit ? vexfs_dev_commit(vol.dev) : 0;
}

static void backup_is_right(void)
{
	u8 block[VEXFS_BLOCK_SIZE] __aligned(8);
	struct vexfs_super_block *sb = (void *)(block + VEXFS_SUPER_OFFSET);
	const struct vexfs_group_desc *gd = (void *)block;
	u32 nr, i, group;

	CHECK_EQ(vexfs_dev_read(vol.dev, vexfs_backup_block(&vol.fs.geom, 0),
				block), 0);
	CHECK_EQ(le64_to_cpu(sb->s_clusters_count), vol.fs.geom.clusters);
	CHECK_EQ(le32_to_cpu(sb->s_backup_nr), 1);
	CHECK_EQ(le32_to_cpu(sb->s_checksum), vexfs_super_csum(sb));
	/* Of those that cu_open() doesn't make, the new ones. */
	nr = vol.fs.geom.gdt_blocks;
	CHECK_EQ(vexfs_dev_read(vol.dev, vexfs_backup_block(&vol.fs.geom, nr),
				block), 0);
	group = vol.fs.geom.groups - 1;
	i = group % VEXFS_DESC_PER_BLOCK;
	CHECK(!vexfs_verify_group_desc(&vol.fs, group, &gd[i]));
}

static void check_grown(void)
{
	u64 clusters = free_now();
	s64 inodes = percpu_counter_sum(&vol.fs.free_inodes);
	s64 vector = percpu_counter_sum(&vol.fs.vector_free);
	struct vexfs_geom geom = vol.fs.geom;

	backup_is_right();
	cu_reload(&vol);
	CHECK(!memcmp(&geom, &vol.fs.geom, sizeof(geom)));
	CHECK_EQ(free_now(), clusters);
	CHECK_EQ(percpu_counter_sum(&vol.fs.free_inodes), inodes);
	CHECK_EQ(percpu_counter_sum(&vol.fs.vector_free), vector);
}

/* Step by step to the most there can be, using some of it all the time. */
static void steps(u64 bytes, u32 cluster_size, bool vector)
{
	u64 most, now, want, before;

	open_volume(bytes, cluster_size, vector);
	most = vexfs_clusters_most(&vol.fs.geom);
	while (vol.fs.geom.clusters < most) {
		take(cu_below(free_now() / 2 + 1));
		now = vol.fs.geom.clusters;
		want = min(most, now + 1 + cu_below(most / 6));
		before = free_now();
		CHECK_EQ(grow(want, true), 0);
		CHECK(vol.fs.geom.clusters >= now);
		CHECK(vol.fs.geom.clusters <= want);
		CHECK(free_now() >= before);
		check_grown();
	}
	CHECK_EQ(grow(most + 1, true), -EFBIG);
	CHECK_EQ(grow(most - 1, true), -EINVAL);
	cu_close(&vol);
}

static void test_steps(void)
{
	steps(300ull << 20, 4096, false);
	steps((2ull << 30) + (17 << 20), 4096, true);
	steps(200ull << 20, 16384, true);
	steps(17ull << 30, 4096, false);
}

/* A single group has its backups in itself: it grows to its end. */
static void test_one_group(void)
{
	open_volume(40ull << 20, 4096, false);
	CHECK_EQ(vexfs_clusters_most(&vol.fs.geom), 32768);
	CHECK_EQ(grow(32769, true), -EFBIG);
	take(free_now() / 2);
	CHECK_EQ(grow(20000, true), 0);
	check_grown();
	CHECK_EQ(grow(32768, true), 0);
	check_grown();
	take(free_now());
	cu_close(&vol);
}

/* Every cluster, old and new, can be had once. */
static void test_full(void)
{
	open_volume(200ull << 20, 4096, false);
	take(free_now());
	CHECK_EQ(grow(100000, true), 0);
	CHECK(free_now() > 40000);
	take(free_now());
	check_grown();
	CHECK_EQ(free_now(), 0);
	cu_close(&vol);
}

/* Freed by the change of size: not given out before it has committed. */
static void test_pending(void)
{
	struct vexfs_trans *t;
	u64 first;
	u32 len = 1;

	open_volume(100ull << 20, 4096, false);
	take(free_now());
	CHECK_EQ(grow(32768, false), 0);
	t = cu_begin(&vol, VEXFS_ALLOC_CREDITS);
	CHECK_EQ(vexfs_balloc(t, &vol.fs, 0, VEXFS_ALLOC_RESERVED, &first,
			      &len), -ENOSPC);
	CHECK(vexfs_balloc_busy(&vol.fs));
	CHECK_EQ(vexfs_trans_end(t), 0);
	CHECK_EQ(vexfs_dev_commit(vol.dev), 0);
	take(free_now());
	cu_close(&vol);
}

static void test_crash(void)
{
	struct vexfs_geom geom;
	u64 clusters;

	open_volume(200ull << 20, 4096, false);
	take(1000);
	geom = vol.fs.geom;
	clusters = free_now();
	CHECK_EQ(grow(200000, false), 0);
	cu_unload(&vol);
	vexfs_dev_abort(vol.dev);
	cu_load(&vol);
	CHECK(!memcmp(&geom, &vol.fs.geom, sizeof(geom)));
	CHECK_EQ(free_now(), clusters);
	CHECK_EQ(grow(200000, true), 0);
	check_grown();
	cu_close(&vol);
}

int main(void)
{
	cu_plan(5);
	cu_run("step by step", test_steps);
	cu_run("a single group", test_one_group);
	cu_run("every cluster", test_full);
	cu_run("not before the commit", test_pending);
	cu_run("crash", test_crash);
	return 0;
}

// SPDX-License-Identifier: GPL-2.0
/*
 * The cluster allocator against a model that knows of each cluster whether it
 * is free, used, or freed but not committed.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include "core_util.h"

enum state { FREE, USED, PENDING, FIXED };

static struct cu_vol vol;
static u8 *model;			/* a state for each cluster */
static u8 *committed;			/* as of the last commit */

struct run {
	u64 first;
	u64 len;
};

/* What is allocated, in no order; freed from here. */
static struct run runs[1 << 16], committed_runs[1 << 16];
static u32 nruns, committed_nruns;

static void model_commit(void)
{
	u64 c;

	for (c = 0; c < vol.fs.geom.clusters; c++)
		if (model[c] == PENDING)
			model[c] = FREE;
	memcpy(committed, model, vol.fs.geom.clusters);
	memcpy(committed_runs, runs, nruns * sizeof(runs[0]));
	committed_nruns = nruns;
}

static void open_volume(u64 bytes, u32 cluster_size, bool vector)
{
	struct vexfs_geom_options opt = {
		.device_bytes = bytes,
		.cluster_size = cluster_size,
		.bytes_per_inode = 65536,
		.vector_area = vector,
	};
	u64 c;

	cu_open(&vol, &opt);
	model = calloc(vol.fs.geom.clusters, 1);
	committed = calloc(vol.fs.geom.clusters, 1);
	CHECK(model && committed);
	for (c = 0; c < vol.fs.geom.clusters; c++)
		if (vexfs_range_is_fixed(&vol.fs.geom, c, 1))
			model[c] = FIXED;
	nruns = 0;
	model_commit();
}

static void close_volume(void)
{
	cu_close(&vol);
	free(model);
	free(committed);
}

static u64 count(u8 state, bool vector_only)
{
	u64 c, n = 0;

	for (c = 0; c < vol.fs.geom.clusters; c++)
		n += model[c] == state &&
		     (!vector_only || vexfs_in_vector_area(&vol.fs.geom, c));
	return n;
}

static void check_counters(void)
{
	CHECK_EQ(percpu_counter_sum(&vol.fs.free_clusters),
		 count(FREE, false) + count(PENDING, false));
	CHECK_EQ(percpu_counter_sum(&vol.fs.vector_free),
		 count(FREE, true) + count(PENDING, true));
}

/* Allocates in a handle of its own, and checks what came back. */
static int take(u64 goal, unsigned int flags, u32 want, struct run *run)
{
	struct vexfs_trans *t = cu_begin(&vol, VEXFS_ALLOC_CREDITS);
	u32 len = want;
	u64 first = 0, i;
	int err = vexfs_balloc(t, &vol.fs, goal, flags, &first, &len);

	vexfs_trans_end(t);
	if (err)
		return err;
	CHECK(len >= 1 && len <= want);
	for (i = first; i < first + len; i++) {
		CHECK(i < vol.fs.geom.clusters);
		CHECK_EQ(model[i], FREE);
		CHECK(!vexfs_in_vector_area(&vol.fs.geom, i) ||
		      (flags & VEXFS_ALLOC_VECTOR));
		model[i] = USED;
	}
	run->first = first;
	run->len = len;
	return 0;
}

static void give(u64 first, u64 len)
{
	struct vexfs_trans *t = cu_begin(&vol, VEXFS_ALLOC_CREDITS);
	u64 i;

	CHECK_EQ(vexfs_bfree(t, &vol.fs, first, len), 0);
	vexfs_trans_end(t);
	/* What was free on disk may be used again at once. */
	for (i = first; i < first + len; i++) {
		CHECK_EQ(model[i], USED);
		model[i] = committed[i] == USED ? PENDING : FREE;
	}
}

static void random_take(void)
{
	u64 goal = cu_below(2) ? cu_below(vol.fs.geom.clusters) : 0;
	unsigned int flags = cu_below(3) ? 0 : VEXFS_ALLOC_VECTOR;
	u32 want = 1 + (u32)cu_below(1u << cu_below(11));
	struct run run;
	int err;

	if (nruns == ARRAY_SIZE(runs))
		return;
	if (cu_below(2) && nruns) {
		run = runs[cu_below(nruns)];
		goal = run.first + run.len;
	}
	err = take(goal, flags, want, &run);
	if (!err) {
		runs[nruns++] = run;
		return;
	}
	CHECK_EQ(err, -ENOSPC);
	CHECK_EQ(count(FREE, false) - count(FREE, true), 0);
	CHECK_EQ(vexfs_balloc_busy(&vol.fs),
		 count(PENDING, false) > count(PENDING, true) ||
		 ((flags & VEXFS_ALLOC_VECTOR) && count(PENDING, true)));
}

/* Frees a run, or a part at one of its ends. */
static void random_give(void)
{
	struct run *run;
	u64 n;

	if (!nruns)
		return;
	run = &runs[cu_below(nruns)];
	n = cu_below(2) ? run->len : 1 + cu_below(run->len);
	if (cu_below(2)) {
		give(run->first, n);
		run->first += n;
	} else {
		give(run->first + run->len - n, n);
	}
	run->len -= n;
	if (!run->len)
		*run = runs[--nruns];
}

static void lose_transaction(void)
{
	cu_unload(&vol);
	vexfs_dev_abort(vol.dev);
	vexfs_dev_drop_cache(vol.dev);
	cu_load(&vol);
	memcpy(model, committed, vol.fs.geom.clusters);
	memcpy(runs, committed_runs, committed_nruns * sizeof(runs[0]));
	nruns = committed_nruns;
}

/* Fills up, empties, and fills again. */
static void random_volume(u32 cluster_size, bool vector)
{
	int i;

	open_volume(160u << 20, cluster_size, vector);
	for (i = 0; i < 6000; i++) {
		if (cu_below(100) < (i / 1500 % 2 ? 35 : 65))
			random_take();
		else
			random_give();
		if (cu_below(40) == 0) {
			CHECK_EQ(vexfs_dev_commit(vol.dev), 0);
			model_commit();
		}
		if (cu_below(400) == 0) {
			cu_reload(&vol);
			model_commit();
		}
		if (cu_below(400) == 0)
			lose_transaction();
		if (cu_below(50) == 0)
			check_counters();
	}
	cu_reload(&vol);
	model_commit();
	check_counters();
	while (nruns)
		give(runs[nruns - 1].first, runs[nruns - 1].len), nruns--;
	cu_reload(&vol);
	CHECK_EQ(vol.dev->corruptions, 0);
	close_volume();
}

static void test_random(void)
{
	random_volume(4096, true);
	random_volume(4096, false);
	random_volume(8192, true);
	random_volume(65536, true);
}

static u64 take_all(unsigned int flags)
{
	struct run run;
	u64 total = 0;
	int err;

	while (!(err = take(0, flags, 1 + (u32)cu_below(5000), &run)))
		total += run.len;
	CHECK_EQ(err, -ENOSPC);
	return total;
}

/* Who may have what, to the last cluster. */
static void test_enospc(void)
{
	struct run run = { };
	u64 data, vector;

	open_volume(160u << 20, 4096, true);
	data = vol.fs.geom.data_clusters;
	vector = vol.fs.geom.vector_clusters;
	vol.fs.reserved_clusters = 100;
	CHECK_EQ(take_all(0), data - 100);
	CHECK(!vexfs_balloc_busy(&vol.fs));
	CHECK_EQ(take_all(VEXFS_ALLOC_RESERVED), 100);
	CHECK_EQ(take(0, VEXFS_ALLOC_RESERVED, 1, &run), -ENOSPC);
	CHECK_EQ(take_all(VEXFS_ALLOC_VECTOR), vector);
	CHECK_EQ(percpu_counter_sum(&vol.fs.free_clusters), 0);
	close_volume();

	open_volume(160u << 20, 4096, true);
	CHECK_EQ(take_all(VEXFS_ALLOC_VECTOR), data + vector);
	close_volume();
}

static void test_pending(void)
{
	struct run all[64], run;
	u64 n = 0, i;

	open_volume(24u << 20, 4096, false);
	while (n < 64 && !take(0, 0, 100000, &all[n]))
		n++;
	CHECK(n < 64);
	CHECK_EQ(vexfs_dev_commit(vol.dev), 0);
	model_commit();
	for (i = 0; i < n; i++)
		give(all[i].first, all[i].len);
	CHECK_EQ(take(0, 0, 1, &run), -ENOSPC);
	CHECK(vexfs_balloc_busy(&vol.fs));
	CHECK_EQ(vexfs_dev_commit(vol.dev), 0);
	model_commit();
	CHECK_EQ(take_all(0), vol.fs.geom.data_clusters);
	close_volume();
}

/* Allocated and freed in one transaction: never was on disk. */
static void test_not_pending(void)
{
	struct run run;

	open_volume(24u << 20, 4096, false);
	CHECK_EQ(take(0, 0, 1, &run), 0);
	CHECK_EQ(vexfs_dev_commit(vol.dev), 0);
	model_commit();
	CHECK_EQ(take_all(0), vol.fs.geom.data_clusters - 1);
	give(run.first + 1, 10);
	CHECK_EQ(take(0, 0, 100, &run), 0);
	CHECK_EQ(run.len, 10);
	close_volume();
}

static void test_runs(void)
{
	struct run a, b;
	u64 next;
	int i;

	open_volume(1u << 30, 4096, true);
	for (i = 0; i < 20; i++) {
		CHECK_EQ(take(0, i & 1 ? VEXFS_ALLOC_VECTOR : 0, 512, &a), 0);
		CHECK_EQ(a.len, 512);
		CHECK_EQ(a.first % 256, 0);
	}
	/* A file that grows stays in one piece. */
	CHECK_EQ(take(0, 0, 64, &a), 0);
	for (i = 0; i < 50; i++) {
		next = a.first + a.len;
		CHECK_EQ(take(next, 0, 64, &b), 0);
		CHECK_EQ(b.first, next);
		CHECK_EQ(b.len, 64);
		a.len += 64;
	}
	CHECK_EQ(take(a.first + 4 * 32768, 0, 10, &b), 0);
	CHECK_EQ(b.first, a.first + 4 * 32768);
	close_volume();
}

/* A short run right at the goal is better than a long one elsewhere. */
static void test_near(void)
{
	struct run a, b, c;

	open_volume(160u << 20, 4096, false);
	CHECK_EQ(take(0, 0, 100, &a), 0);
	CHECK_EQ(take(a.first + 100 + 20, 0, 1000, &b), 0);
	CHECK_EQ(b.first, a.first + 120);
	CHECK_EQ(take(a.first + 100, 0, 500, &c), 0);
	CHECK_EQ(c.first, a.first + 100);
	CHECK_EQ(c.len, 20);
	close_volume();
}

/* What a full volume taught must be forgotten when something is freed. */
static void test_refill(void)
{
	struct run run;
	u64 c;

	open_volume(160u << 20, 4096, false);
	while (!take(0, 0, 1, &run))
		;
	CHECK_EQ(vexfs_dev_commit(vol.dev), 0);
	model_commit();
	for (c = 10000; c < 20000; c += 2)
		give(c, 1);
	CHECK_EQ(vexfs_dev_commit(vol.dev), 0);
	model_commit();
	CHECK_EQ(take(0, 0, 500, &run), 0);
	CHECK_EQ(run.len, 1);
	give(37000, 1000);
	CHECK_EQ(vexfs_dev_commit(vol.dev), 0);
	model_commit();
	CHECK_EQ(take(0, 0, 900, &run), 0);
	CHECK_EQ(run.len, 900);
	close_volume();
}

static int try_free(u64 first, u64 len)
{
	struct vexfs_trans *t = cu_begin(&vol, VEXFS_ALLOC_CREDITS);
	u64 before = vol.dev->corruptions;
	s64 free = percpu_counter_sum(&vol.fs.free_clusters);
	int err = vexfs_bfree(t, &vol.fs, first, len);

	vexfs_trans_end(t);
	CHECK_EQ(vol.dev->corruptions - before, !!err);
	CHECK(!err || free == percpu_counter_sum(&vol.fs.free_clusters));
	return err;
}

static void test_bad_frees(void)
{
	const struct vexfs_geom *g = &vol.fs.geom;
	struct run run;
	u32 group;

	open_volume(300u << 20, 4096, true);
	CHECK_EQ(take(0, 0, 100, &run), 0);
	CHECK_EQ(try_free(run.first, 101), -EFSCORRUPTED);
	CHECK_EQ(try_free(run.first, 0), -EFSCORRUPTED);
	CHECK_EQ(try_free(run.first, 50), 0);
	CHECK_EQ(try_free(run.first + 49, 2), -EFSCORRUPTED);
	CHECK_EQ(try_free(run.first, 100), -EFSCORRUPTED);
	CHECK_EQ(try_free(run.first + 50, 50), 0);
	CHECK_EQ(try_free(0, 1), -EFSCORRUPTED);
	CHECK_EQ(try_free(g->clusters, 1), -EFSCORRUPTED);
	CHECK_EQ(try_free(g->clusters - 1, 2), -EFSCORRUPTED);
	CHECK_EQ(try_free(U64_MAX, 2), -EFSCORRUPTED);
	CHECK_EQ(try_free(vexfs_data_cluster(g, 0), 1), -EFSCORRUPTED);
	for (group = 0; group < g->groups; group++) {
		CHECK_EQ(try_free(vexfs_group_first(g, group), 1),
			 -EFSCORRUPTED);
		/* A group that was never used has nothing to free. */
		CHECK_EQ(try_free(vexfs_group_first(g, group) +
				  vexfs_group_clusters(g, group) - 1, 1),
			 -EFSCORRUPTED);
	}
	close_volume();
}

/* Changes a block on the device, and starts over. */
static void damage(u64 bno, u32 byte, u8 mask)
{
	u8 block[VEXFS_BLOCK_SIZE];

	CHECK_EQ(vexfs_dev_commit(vol.dev), 0);
	cu_unload(&vol);
	vexfs_dev_drop_cache(vol.dev);
	CHECK_EQ(vexfs_dev_read(vol.dev, bno, block), 0);
	block[byte] ^= mask;
	CHECK_EQ(vexfs_dev_write(vol.dev, bno, block), 0);
}

/* As damage() of a bitmap, but with the right checksums. */
static void damage_bitmap(u32 group, u32 bit)
{
	u64 bno = vexfs_cluster_bitmap_block(&vol.fs.geom, group);
	u64 gdt = vexfs_gdt_block(&vol.fs.geom, group / VEXFS_DESC_PER_BLOCK);
	struct vexfs_group_desc gd[VEXFS_DESC_PER_BLOCK];
	u8 block[VEXFS_BLOCK_SIZE];
	u32 at = group % VEXFS_DESC_PER_BLOCK;

	damage(bno, bit / 8, (u8)(1 << bit % 8));
	CHECK_EQ(vexfs_dev_read(vol.dev, bno, block), 0);
	CHECK_EQ(vexfs_dev_read(vol.dev, gdt, gd), 0);
	gd[at].bg_cluster_bitmap_csum =
		cpu_to_le32(vexfs_crc32c(vol.fs.csum_seed, block,
					 sizeof(block)));
	gd[at].bg_checksum =
		cpu_to_le32(vexfs_group_desc_csum(&vol.fs, group, &gd[at]));
	CHECK_EQ(vexfs_dev_write(vol.dev, gdt, gd), 0);
	cu_load(&vol);
}

static void open_one_used(struct run *run)
{
	open_volume(40u << 20, 4096, false);
	CHECK_EQ(take(0, 0, 100, run), 0);
}

static void test_damage(void)
{
	const char *why = NULL;
	struct run run, got;
	u64 bno;
	u32 bit;

	open_one_used(&run);
	bno = vexfs_cluster_bitmap_block(&vol.fs.geom, 0);
	damage(bno, 1234, 0x10);
	cu_load(&vol);
	CHECK_EQ(take(0, 0, 1, &got), -EFSBADCRC);
	CHECK_EQ(try_free(run.first, 1), -EFSBADCRC);
	CHECK_EQ(vol.dev->corruptions, 2);
	close_volume();

	for (bit = 0; bit < 5; bit++) {
		static const u32 bits[] = { 3, 600, 32767, 8000, 0 };
		static const char *const whys[] = {
			"metadata is free", "journal is free", "has no end",
			"disagree", "disagree"
		};

		open_one_used(&run);
		damage_bitmap(0, bit == 4 ? (u32)run.first : bits[bit]);
		CHECK_EQ(take(0, 0, 1, &got), -EFSCORRUPTED);
		CHECK_EQ(vol.dev->corruptions, 1);
		CHECK(strstr(vol.dev->corrupt_why, whys[bit]));
		close_volume();
	}

	open_one_used(&run);
	damage(vexfs_gdt_block(&vol.fs.geom, 0), 0, 1);
	CHECK_EQ(vexfs_fs_load(&vol.fs, &why), -EFSCORRUPTED);
	CHECK(strstr(why, "descriptor"));
	CHECK_EQ(vexfs_dev_referenced(vol.dev), 0);
	close_volume();

	open_one_used(&run);
	damage(0, VEXFS_SUPER_OFFSET + 900, 1);
	CHECK_EQ(vexfs_fs_load(&vol.fs, &why), -EFSBADCRC);
	close_volume();

	open_one_used(&run);
	damage(0, VEXFS_SUPER_OFFSET, 1);
	CHECK_EQ(vexfs_fs_load(&vol.fs, &why), -EINVAL);
	close_volume();
}

/* A descriptor with the right checksum that cannot be. */
static const char *desc_with(u32 group, size_t offset, u32 value)
{
	struct vexfs_group_desc gd = *vexfs_group_desc(&vol.fs, group, NULL);

	memcpy((u8 *)&gd + offset, &value, sizeof(value));
	gd.bg_checksum = cpu_to_le32(vexfs_group_desc_csum(&vol.fs, group,
							   &gd));
	return vexfs_verify_group_desc(&vol.fs, group, &gd);
}

static void test_descs(void)
{
	struct vexfs_group_desc gd;
	struct run run;
	u32 i, n;

#define AT(field) offsetof(struct vexfs_group_desc, field)
	open_volume(300u << 20, 4096, true);
	CHECK_EQ(take(33000, 0, 10, &run), 0);
	gd = *vexfs_group_desc(&vol.fs, 1, NULL);
	n = le32_to_cpu(gd.bg_free_clusters);
	CHECK_EQ(n, vexfs_group_init_free(&vol.fs.geom, 1) - 10);
	CHECK(!desc_with(1, AT(bg_free_clusters), n));
	CHECK(desc_with(1, AT(bg_free_clusters), n + 11));
	CHECK(!desc_with(1, AT(bg_flags), VEXFS_BG_INODE_UNINIT));
	CHECK(desc_with(1, AT(bg_flags), VEXFS_BG_CLUSTER_UNINIT));
	CHECK(desc_with(1, AT(bg_flags), 4));
	CHECK(desc_with(1, AT(bg_free_inodes), U32_MAX));
	CHECK(desc_with(1, AT(bg_itable_unused), U32_MAX));
	CHECK(desc_with(1, AT(bg_itable_unused), 17));
	CHECK(desc_with(1, AT(bg_used_dirs), 1));
	CHECK(desc_with(2, AT(bg_free_clusters), 5));
	for (i = 0; i < 8 * sizeof(gd); i++) {
		gd = *vexfs_group_desc(&vol.fs, 1, NULL);
		((u8 *)&gd)[i / 8] ^= (u8)(1 << i % 8);
		CHECK(vexfs_verify_group_desc(&vol.fs, 1, &gd));
	}
#undef AT
	close_volume();
	/* Two groups exchanged that are alike but for their numbers */
	open_volume(600u << 20, 4096, false);
	gd = *vexfs_group_desc(&vol.fs, 2, NULL);
	CHECK(!vexfs_verify_group_desc(&vol.fs, 2, &gd));
	CHECK(vexfs_verify_group_desc(&vol.fs, 3, &gd));
	close_volume();
}

static void overrun(void)
{
	struct vexfs_trans *t = cu_begin(&vol, 1);
	u32 len = 1;
	u64 first;

	CHECK_EQ(vexfs_balloc(t, &vol.fs, 0, 0, &first, &len), 0);
}

static void unannounced(void)
{
	struct vexfs_trans *t = cu_begin(&vol, 4);
	u32 len = 1;
	u64 first;

	CHECK_EQ(vexfs_balloc(t, &vol.fs, 0, 0, &first, &len), 0);
	vexfs_group_desc(&vol.fs, 0, NULL)->bg_used_dirs = 1;
	vexfs_trans_end(t);
}

static void leak(void)
{
	CHECK(!IS_ERR(vexfs_buf_read(&vol.fs, 3)));
	vexfs_fs_unload(&vol.fs);
	vexfs_dev_close(vol.dev);
}

/* The shim must see what the tests rely on it to see. */
static void test_shim(void)
{
	static const char check[] = "123456789";
	struct run run;

	CHECK_EQ((u32)~crc32c(~0u, check, 9), 0xe3069283u);
	CHECK_EQ((u32)~kshim_crc32c_slow(~0u, check, 9), 0xe3069283u);
	open_volume(40u << 20, 4096, false);
	CHECK(cu_dies(overrun, "out of credits"));
	CHECK(cu_dies(unannounced, "not marked dirty"));
	CHECK(cu_dies(leak, "buffer leak"));
	vexfs_dev_credits_used(vol.dev);
	CHECK_EQ(take(0, 0, 10, &run), 0);
	CHECK_EQ(vexfs_dev_credits_used(vol.dev), 2);
	close_volume();
}

/* Every read, every allocation of memory fails once: error, no change. */
static void test_faults(void)
{
	struct run run, got;
	int n, err, failed = 0;

	for (n = 1; n < 12; n++) {
		open_volume(40u << 20, 4096, false);
		CHECK_EQ(take(0, 0, 100, &run), 0);
		cu_reload(&vol);
		model_commit();
		if (n & 1)
			vol.dev->fail.read = (n + 1) / 2;
		else
			kshim_fail_alloc = 1 + n / 2;
		err = take(0, 0, 10, &got);
		CHECK(!err || err == -EIO || err == -ENOMEM);
		failed += !!err;
		vol.dev->fail.read = 0;
		kshim_fail_alloc = 0;
		check_counters();
		CHECK_EQ(take(0, 0, 10, &got), 0);
		cu_reload(&vol);
		model_commit();
		check_counters();
		CHECK_EQ(vol.dev->corruptions, 0);
		close_volume();
	}
	CHECK(failed >= 2);
}

/* The n-th write of a commit fails: nothing works any more. */
static void test_write_fault(void)
{
	struct vexfs_trans *t;
	struct run run;

	open_volume(40u << 20, 4096, false);
	CHECK_EQ(take(0, 0, 100, &run), 0);
	vol.dev->fail.write = 2;
	CHECK_EQ(vexfs_dev_commit(vol.dev), -EIO);
	t = vexfs_trans_begin(vol.dev, 1);
	CHECK(IS_ERR(t));
	vol.dev->error = 0;
	close_volume();
}

/* On a huge volume an allocation is no dearer than on a small one. */
static void test_huge(void)
{
	struct vexfs_geom_options opt = {
		.device_bytes = 488369940ull * 4096,
		.vector_area = true,
	};
	u64 reads, first;
	u32 i, len;
	struct vexfs_trans *t;

	cu_open(&vol, &opt);
	reads = vol.dev->reads;
	vol.dev->paranoid = false;
	for (i = 0; i < 100000; i++) {
		t = cu_begin(&vol, VEXFS_ALLOC_CREDITS);
		len = 1 + (u32)cu_below(64);
		CHECK_EQ(vexfs_balloc(t, &vol.fs, 0, 0, &first, &len), 0);
		vexfs_trans_end(t);
		if (i % 1000 == 0)
			CHECK_EQ(vexfs_dev_commit(vol.dev), 0);
	}
	CHECK(vol.dev->reads - reads < 200);
	cu_close(&vol);
}

/* The write log makes every state between two commits again. */
static void test_log(void)
{
	struct vexfs_wlog *log;
	struct vexfs_dev *start, *copy;
	struct run run[10];
	s64 free[10];
	size_t i;

	open_volume(40u << 20, 4096, false);
	start = vexfs_dev_clone(vol.dev);
	log = vexfs_wlog_start(vol.dev);
	for (i = 0; i < 10; i++) {
		CHECK_EQ(take(0, 0, 7, &run[i]), 0);
		CHECK_EQ(vexfs_dev_commit(vol.dev), 0);
		free[i] = percpu_counter_sum(&vol.fs.free_clusters);
	}
	CHECK_EQ(log->count, 10);
	close_volume();
	for (i = 0; i < 10; i++) {
		copy = vexfs_dev_clone(start);
		CHECK_EQ(vexfs_wlog_replay(log, 0, i + 1, copy), 0);
		vol.dev = copy;
		vol.fs.dev = copy;
		cu_load(&vol);
		CHECK_EQ(percpu_counter_sum(&vol.fs.free_clusters), free[i]);
		cu_close(&vol);
	}
	CHECK_EQ(vexfs_dev_close(start), 0);
	vexfs_wlog_free(log);
}

int main(void)
{
	cu_plan(15);
	cu_run("shim: credits, changes, leaks", test_shim);
	cu_run("random, with commits and crashes", test_random);
	cu_run("ENOSPC to the cluster, and the reserve", test_enospc);
	cu_run("freed is not reused before the commit", test_pending);
	cu_run("what was never committed is reused", test_not_pending);
	cu_run("long runs, aligned and in one piece", test_runs);
	cu_run("near the goal", test_near);
	cu_run("full, then not", test_refill);
	cu_run("bad frees are refused", test_bad_frees);
	cu_run("damaged bitmaps and descriptors", test_damage);
	cu_run("impossible descriptors", test_descs);
	cu_run("failing reads and allocations", test_faults);
	cu_run("failing writes", test_write_fault);
	cu_run("huge volume", test_huge);
	cu_run("write log", test_log);
	return 0;
}

// SPDX-License-Identifier: GPL-2.0
/*
 * Directories when space, memory or the disk fails, and when what is read is
 * not what was written.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include "dir_model.h"

/* Making a directory fails without a trace. */
static void test_init_fails(u32 cluster_size)
{
	struct vexfs_trans *t;
	u32 k, failed = 0;
	int err = 1;

	tu_open(&dm_vol, DM_VOLUME, cluster_size);
	tu_leave_free(&dm_vol, 0);
	t = tu_begin(&dm_vol, VEXFS_DIR_CREDITS);
	CHECK(vexfs_dir_init(t, &dm_vol.node, &dm_vol.size) == -ENOSPC);
	tu_end(t);
	tu_unhoard(&dm_vol);
	for (k = 1; err; k++) {
		CHECK(!dm_vol.node.blocks && !dm_vol.node.root.er_count);
		CHECK(tu_free(&dm_vol) == dm_vol.free_at_start);
		tu_drop(&dm_vol);
		t = tu_begin(&dm_vol, VEXFS_DIR_CREDITS);
		kshim_fail_alloc = k;
		err = vexfs_dir_init(t, &dm_vol.node, &dm_vol.size);
		kshim_fail_alloc = 0;
		tu_end(t);
		CHECK(!err || err == -ENOMEM);
		failed += !!err;
	}
	CHECK(failed > 2);
	tu_close(&dm_vol);
}

/* Nothing free, then one cluster, and so on. */
static void test_enospc(u32 cluster_size)
{
	u32 i, x, free, failed = 0, n = 4000 * tu_scale();
	int kind, err, want;

	dm_open(cluster_size, 3000);
	for (i = 0; i < n; i++) {
		kind = dm_random_kind(60);
		x = tu_below(dm_model.names);
		want = dm_expected(kind, x);
		for (free = 0; ; free++) {
			tu_leave_free(&dm_vol, free);
			err = dm_do(kind, x);
			if (err == want)
				break;
			CHECK(err == -ENOSPC, "%d", err);
			CHECK(kind == 0);
			dm_compare();
			failed++;
			CHECK(free < 20);
		}
		if (i % 500 == 0)
			dm_compare();
	}
	tu_unhoard(&dm_vol);
	dm_compare();
	printf("# %u operations failed, size %llu\n", failed, dm_vol.size);
	CHECK(failed > (cluster_size == 65536 ? 0 : 10));
	tu_close(&dm_vol);
}

/* Reading fails, or memory is short, at each place where it can. */
static void test_faults(u32 memory)
{
	u32 i, k, x, failed = 0, n = 600 * tu_scale();
	int kind, err, want, *fault;

	dm_open(8192, 8000);
	fault = memory ? &kshim_fail_alloc : &dm_vol.dev->fail.read;
	for (i = 0; i < 4000; i++)
		CHECK(!dm_add(i));
	for (i = 0; i < n; i++) {
		kind = dm_random_kind(50);
		x = tu_below(dm_model.names);
		want = dm_expected(kind, x);
		for (k = 1; ; k++) {
			tu_drop(&dm_vol);
			*fault = k;
			err = dm_do(kind, x);
			if (*fault || err == want)
				break;
			CHECK(err == (memory ? -ENOMEM : -EIO), "%d", err);
			failed++;
			CHECK(k < 300);
		}
		*fault = 0;
		CHECK(err == want);
		if (i % 20 == 0)
			dm_compare();
	}
	dm_compare();
	printf("# %u operations failed\n", failed);
	CHECK(failed > n / 2);
	tu_close(&dm_vol);
}

/* Splits must not fail half-way either: small steps over a growing tree. */
static void test_faults_growing(u32 memory)
{
	u32 i, k, failed = 0, n = 1500 * tu_scale();
	int err, *fault;

	dm_open(4096, n);
	fault = memory ? &kshim_fail_alloc : &dm_vol.dev->fail.read;
	for (i = 0; i < n; i++) {
		for (k = 1; ; k++) {
			if (!memory)
				tu_drop(&dm_vol);
			*fault = k;
			err = dm_add(i);
			if (!err)
				break;
			CHECK(err == (memory ? -ENOMEM : -EIO), "%d", err);
			*fault = 0;
			failed++;
			if (memory || i % 50 == 0)
				dm_compare();
		}
		*fault = 0;
	}
	dm_compare();
	printf("# %u operations failed\n", failed);
	tu_close(&dm_vol);
}

static bool bad_enough(int err)
{
	return err == -EFSCORRUPTED || err == -EFSBADCRC || err == -EIO ||
	       err == -ENOSPC || err == -EFBIG;
}

static bool count_one(void *arg, const struct vexfs_dirent *de)
{
	u64 *next = arg;

	CHECK(de->key >= *next && de->name_len);
	*next = de->key + 1;
	return true;
}

/* Everything that can be done, on a tree that may be nonsense. */
static void use_damaged(struct tu_vol *v)
{
	struct vexfs_trans *t;
	struct vexfs_dirent de;
	u8 name[VEXFS_NAME_LEN];
	u64 next = 0;
	u32 i, len;
	int err;

	err = vexfs_dir_iterate(&v->node, 0, count_one, &next);
	CHECK(!err || bad_enough(err), "%d", err);
	for (i = 0; i < 800; i++) {
		len = dm_name(tu_below(dm_model.names), name);
		t = tu_begin(v, VEXFS_DIR_CREDITS);
		switch (tu_below(4)) {
		case 0:
			err = vexfs_dir_lookup(&v->node, name, len, &de);
			break;
		case 1:
			err = vexfs_dir_add(t, &v->node, name, len, 77, 1,
					    &v->size);
			break;
		case 2:
			err = vexfs_dir_set(t, &v->node, name, len, 78, 1);
			break;
		default:
			err = vexfs_dir_remove(t, &v->node, name, len,
					       &v->size);
		}
		tu_end(t);
		CHECK(!err || err == -ENOENT || err == -EEXIST ||
		      bad_enough(err), "%d", err);
	}
	err = vexfs_dir_empty(&v->node);
	CHECK(err >= 0 || bad_enough(err), "%d", err);
}

/* Damage that its checksum gives away is always found. */
static void check_csum_found(struct tu_vol *v, bool tree)
{
	struct vexfs_dirent de;
	u8 name[VEXFS_NAME_LEN];
	u32 i, found = 0, len;
	int err;

	for (i = 0; i < dm_model.names; i++) {
		len = dm_name(i, name);
		err = vexfs_dir_lookup(&v->node, name, len, &de);
		if (err == -EFSBADCRC || err == -EFSCORRUPTED) {
			found++;
			continue;
		}
		CHECK(err == (dm_model.ino[i] ? 0 : -ENOENT));
		if (!err)
			CHECK(de.ino == dm_model.ino[i]);
	}
	CHECK(found || !tree);
}

static void test_damage(u32 cluster_size)
{
	u32 i, lblk, n = 250 * tu_scale(), reported = 0;
	struct vexfs_map map;
	struct vexfs_buf *buf;
	struct tu_vol v;
	bool tree;

	dm_open(cluster_size, 3000);
	for (i = 0; i < 3000; i++)
		CHECK(!dm_add(i));
	for (i = 0; i < 1500; i++)
		CHECK(!dm_remove(i));
	dm_compare();
	tu_commit(&dm_vol);
	for (i = 0; i < n; i++) {
		tu_clone(&v, &dm_vol);
		lblk = tu_below(3) ? tu_below(dm_vol.size >> VEXFS_BLOCK_SHIFT) :
				     0;
		CHECK(!vexfs_ext_lookup(&dm_vol.node, lblk, 1, &map));
		buf = vexfs_dir_read(&dm_vol.node, lblk);
		CHECK(!IS_ERR(buf));
		tree = !vexfs_dir_data(buf)->db_flags;
		vexfs_buf_put(buf);
		tu_damage(&v, map.pblk, i % 5);
		if (i % 5)
			use_damaged(&v);
		else
			check_csum_found(&v, tree);
		reported += v.dev->corruptions > 0;
		tu_close(&v);
	}
	printf("# %u of %u damages reported\n", reported, n);
	CHECK(reported > n / 4);
	tu_close(&dm_vol);
}

/* Names and numbers that a disk may hold but a directory must not. */
static void test_verifier(u32 arg)
{
	static const struct {
		u32 off;
		u8 byte;
	} bad[] = {
		{ offsetof(struct vexfs_dir_block, db_level), 5 },
		{ offsetof(struct vexfs_dir_block, db_level), 1 },
		{ offsetof(struct vexfs_dir_block, db_count), 1 },
		{ offsetof(struct vexfs_dir_block, db_used) + 1, 0x7f },
		{ offsetof(struct vexfs_dir_block, db_used), 20 },
		{ offsetof(struct vexfs_dir_block, db_flags), 1 },
		{ offsetof(struct vexfs_dir_block, db_flags), 2 },
		{ offsetof(struct vexfs_dir_block, db_reserved), 1 },
		{ 48 + offsetof(struct vexfs_dir_entry, de_key_hi) + 3, 0x80 },
		{ 48 + offsetof(struct vexfs_dir_entry, de_name_len), 0 },
		{ 48 + offsetof(struct vexfs_dir_entry, de_name_len), 255 },
		{ 48 + offsetof(struct vexfs_dir_entry, de_type), 8 },
		{ 48 + offsetof(struct vexfs_dir_entry, de_ino_lo), 0 },
		{ 48 + offsetof(struct vexfs_dir_entry, de_name), '/' },
		{ 48 + offsetof(struct vexfs_dir_entry, de_name), 0 },
		{ 48 + offsetof(struct vexfs_dir_entry, de_name), '.' },
	};
	struct vexfs_trans *t;
	struct vexfs_buf *buf;
	u8 copy[VEXFS_BLOCK_SIZE] __aligned(8);
	u32 i;

	dm_open(4096, 1);
	t = tu_begin(&dm_vol, 1000);
	CHECK(!vexfs_dir_add(t, &dm_vol.node, (const u8 *)"a", 1, 1, 1,
			     &dm_vol.size));
	CHECK(!vexfs_dir_add(t, &dm_vol.node, (const u8 *)"b", 1, 1, 1,
			     &dm_vol.size));
	tu_end(t);
	buf = vexfs_dir_read(&dm_vol.node, 0);
	CHECK(!IS_ERR(buf));
	CHECK(!vexfs_verify_dir_block(vexfs_buf_data(buf)));
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		memcpy(copy, vexfs_buf_data(buf), sizeof(copy));
		CHECK(copy[bad[i].off] != bad[i].byte);
		copy[bad[i].off] = bad[i].byte;
		CHECK(vexfs_verify_dir_block(copy), "bad thing %u", i);
	}
	vexfs_buf_put(buf);
	tu_close(&dm_vol);
}

/* A size that is too small must not let the directory eat itself. */
static void test_bad_size(u32 arg)
{
	u32 i;
	int err = 0;

	dm_open(4096, 3000);
	for (i = 0; i < 1000; i++)
		CHECK(!dm_add(i));
	dm_vol.dev->quiet = true;
	dm_vol.size -= 3 * VEXFS_BLOCK_SIZE;
	for (; i < 3000 && !err; i++)
		err = dm_add(i);
	CHECK(err == -EFSCORRUPTED);
	dm_vol.size += 3 * VEXFS_BLOCK_SIZE;
	dm_compare();
	tu_close(&dm_vol);
}

static void set_free(u32 lblk, u32 next)
{
	struct vexfs_buf *buf = vexfs_dir_read(&dm_vol.node, lblk);
	struct vexfs_trans *t = tu_begin(&dm_vol, 1);

	CHECK(!IS_ERR(buf));
	CHECK(!vexfs_trans_write(t, buf));
	vexfs_dir_data(buf)->db_free = cpu_to_le32(next);
	vexfs_meta_csum(&dm_vol.fs, buf);
	CHECK(!vexfs_trans_dirty(t, buf));
	vexfs_buf_put(buf);
	tu_end(t);
	tu_drop(&dm_vol);
}

static u32 get_free(u32 lblk)
{
	struct vexfs_buf *buf = vexfs_dir_read(&dm_vol.node, lblk);
	u32 next;

	CHECK(!IS_ERR(buf));
	next = le32_to_cpu(vexfs_dir_data(buf)->db_free);
	vexfs_buf_put(buf);
	return next;
}

/* A list of free blocks that runs in a circle, or into the tree. */
static void test_free_list(u32 arg)
{
	u32 i, first, next;
	int err = 0;

	dm_open(4096, 3000);
	for (i = 0; i < 1000; i++)
		CHECK(!dm_add(i));
	for (i = 0; i < 1000; i++)
		CHECK(!dm_remove(i));
	CHECK(dm_compare().leaves == 1);
	dm_vol.dev->quiet = true;
	first = get_free(0);
	next = get_free(first);
	CHECK(first && next);
	set_free(first, first);
	for (i = 0; i < 1000 && !err; i++)
		err = dm_add(i);
	CHECK(err == -EFSCORRUPTED);
	set_free(first, next);
	dm_compare();
	for (; i < 1000; i++)
		CHECK(!dm_add(i));
	dm_compare();
	/* Block 1 is in the tree or is free. */
	for (i = 0; i < 1000; i++)
		CHECK(dm_remove(i) != -EIO);
	for (i = 0; i < 300; i++)
		CHECK(!dm_add(i));
	for (i = 1; get_free(i) || i == first; i++)
		;
	first = get_free(0);
	set_free(0, i);
	for (i = 300, err = 0; i < 3000 && !err; i++)
		err = dm_add(i);
	CHECK(err == -EFSCORRUPTED);
	set_free(0, first);
	dm_compare();
	tu_close(&dm_vol);
}

int main(void)
{
	tu_plan(15);
	tu_run("making a directory fails", test_init_fails, 4096);
	tu_run("making a directory fails", test_init_fails, 65536);
	tu_run("no space at each allocation", test_enospc, 4096);
	tu_run("no space at each allocation", test_enospc, 8192);
	tu_run("no space at each allocation", test_enospc, 65536);
	tu_run("read errors", test_faults, 0);
	tu_run("no memory", test_faults, 1);
	tu_run("read errors while growing", test_faults_growing, 0);
	tu_run("no memory while growing", test_faults_growing, 1);
	tu_run("damaged blocks", test_damage, 4096);
	tu_run("damaged blocks", test_damage, 8192);
	tu_run("damaged blocks", test_damage, 65536);
	tu_run("what the verifier refuses", test_verifier, 0);
	tu_run("size that is too small", test_bad_size, 0);
	tu_run("bad free list", test_free_list, 0);
	return tu_exit();
}

// SPDX-License-Identifier: GPL-2.0
/*
 * Directories against a model. The hash is this program's, so that names can
 * be made to collide.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include "dir_model.h"

/* How many values the hash has; 0: the real one. */
static u32 hash_values;

u64 vexfs_dir_hash(struct vexfs_fs *fs, const u8 *name, u32 len)
{
	const siphash_key_t key = { { fs->hash_key[0], fs->hash_key[1] } };
	u64 hash = siphash(name, len, &key) >> 8;

	if (hash_values)
		hash = (hash % hash_values) * ((U64_MAX >> 8) / hash_values);
	return clamp_t(u64, hash, 1, (U64_MAX >> 8) - 1);
}

static void open_colliding(u32 cluster_size, u32 names, u32 values)
{
	hash_values = values;
	dm_open(cluster_size, names);
}

static void test_random(u32 cluster_size)
{
	u32 i, n = 60000 * tu_scale(), x, adds = 50;
	int kind, err;

	open_colliding(cluster_size, 6000, 0);
	for (i = 0; i < n; i++) {
		if (i % 5000 == 0)
			adds = 15 + tu_below(45);
		kind = dm_random_kind(adds);
		x = tu_below(dm_model.names);
		err = dm_expected(kind, x);
		CHECK(dm_do(kind, x) == err);
		if (i % 50 == 0)
			tu_commit(&dm_vol);
		if (i % 1000 == 0)
			dm_compare();
	}
	tu_drop(&dm_vol);
	dm_compare();
	for (i = 0; i < dm_model.names; i++)
		if (dm_model.ino[i])
			CHECK(!dm_remove(i));
	CHECK(dm_compare().leaves == 1);
	tu_close(&dm_vol);
}

static void test_arguments(u32 arg)
{
	struct vexfs_trans *t;
	struct vexfs_dirent de;
	u8 name[256];
	u32 len;

	open_colliding(4096, 1, 0);
	memset(name, 'x', sizeof(name));
	t = tu_begin(&dm_vol, 1000);
	CHECK(vexfs_dir_add(t, &dm_vol.node, name, 0, 1, 1, &dm_vol.size) ==
	      -EINVAL);
	CHECK(vexfs_dir_add(t, &dm_vol.node, name, 256, 1, 1, &dm_vol.size) ==
	      -ENAMETOOLONG);
	CHECK(vexfs_dir_lookup(&dm_vol.node, name, 256, &de) == -ENOENT);
	CHECK(vexfs_dir_lookup(&dm_vol.node, name, 0, &de) == -ENOENT);
	CHECK(vexfs_dir_remove(t, &dm_vol.node, name, 256, &dm_vol.size) == -ENOENT);
	CHECK(vexfs_dir_next(&dm_vol.node, 0, &de) == -ENOENT);
	for (len = 1; len <= 255; len++) {
		CHECK(!vexfs_dir_add(t, &dm_vol.node, name, len, len, 1,
				     &dm_vol.size));
		CHECK(vexfs_dir_add(t, &dm_vol.node, name, len, 9, 1,
				    &dm_vol.size) == -EEXIST);
	}
	for (len = 1; len <= 255; len++) {
		CHECK(!vexfs_dir_lookup(&dm_vol.node, name, len, &de));
		CHECK(de.ino == len && de.name_len == len && de.type == 1);
	}
	CHECK(vexfs_dir_empty(&dm_vol.node) == 0);
	tu_end(t);
	tu_close(&dm_vol);
}

struct listing {
	u64 next;
	u32 entries;
	u32 stop;			/* after so many */
	bool any;			/* names may have come and gone */
};

static bool list_one(void *arg, const struct vexfs_dirent *de)
{
	struct listing *l = arg;
	u32 i = dm_number(de->name);

	CHECK(de->key >= l->next);
	l->next = de->key + 1;
	l->entries++;
	dm_compare_entry(de);
	CHECK(!dm_model.seen[i]);
	dm_model.seen[i] = 1;
	return l->entries < l->stop;
}

static void test_list(u32 values)
{
	struct listing l = { .stop = U32_MAX };
	struct vexfs_dirent de;
	u64 key;
	u32 i, n = 0;

	open_colliding(4096, 5000, values);
	CHECK(vexfs_dir_iterate(&dm_vol.node, 0, list_one, &l) == 0);
	CHECK(!l.entries);
	for (i = 0; i < dm_model.names; i++)
		CHECK(!dm_add(i));
	CHECK(vexfs_dir_iterate(&dm_vol.node, 0, list_one, &l) == 0);
	CHECK(l.entries == dm_model.names);
	for (key = 0; !vexfs_dir_next(&dm_vol.node, key, &de); n++) {
		CHECK(de.key >= key);
		key = de.key + 1;
	}
	CHECK(n == dm_model.names);
	CHECK(vexfs_dir_iterate(&dm_vol.node, S64_MAX, list_one, &l) == 0);
	tu_close(&dm_vol);
}

/* Some names stay while others come and go between calls of readdir. */
static void test_list_changing(u32 values)
{
	struct listing l = { 0 };
	u32 i, k, stay = 3000;
	int ret = 1;

	open_colliding(8192, 9000, values);
	for (i = 0; i < 6000; i++)
		CHECK(!dm_add(i));
	while (ret) {
		l.stop = l.entries + 1 + tu_below(30);
		ret = vexfs_dir_iterate(&dm_vol.node, l.next, list_one, &l);
		CHECK(ret >= 0);
		for (k = 0; k < 60; k++) {
			i = stay + tu_below(dm_model.names - stay);
			/* Whoever comes back may be seen again. */
			if (!dm_model.ino[i])
				dm_model.seen[i] = 0;
			CHECK(!dm_do(dm_model.ino[i] ? 1 : 0, i));
		}
		tu_commit(&dm_vol);
	}
	for (i = 0; i < stay; i++)
		CHECK(dm_model.seen[i], "name %u was not listed", i);
	dm_compare();
	tu_close(&dm_vol);
}

/* All names have one hash: 128 of them fit, over several leaves. */
static void test_one_hash(u32 cluster_size)
{
	u32 i, k, x;
	u64 size;
	int err;

	open_colliding(cluster_size, 2400, 1);
	/* Every eighth name is long. */
	for (i = 0; i < 128; i++)
		CHECK(!dm_add(8 * i));
	size = dm_vol.size;
	CHECK(dm_compare().leaves > 3);
	CHECK(dm_add(1600) == -ENOSPC && dm_vol.size == size);
	CHECK(dm_add(8 * 5) == -EEXIST);
	dm_compare();
	for (k = 0; k < 3000; k++) {
		x = 8 * tu_below(dm_model.names / 8);
		err = !dm_model.ino[x] && dm_model.present == 128 ? -ENOSPC : 0;
		CHECK(dm_do(dm_model.ino[x] ? 1 : 0, x) == err);
		if (k % 100 == 0)
			dm_compare();
		x = 8 * tu_below(dm_model.names / 8);
		CHECK(dm_lookup(x) == (dm_model.ino[x] ? 0 : -ENOENT));
	}
	dm_compare();
	tu_close(&dm_vol);
}

static void test_collisions(u32 values)
{
	u32 i, x, n = 15000 * tu_scale();
	int kind, err;

	open_colliding(4096, values * 100, values);
	for (i = 0; i < n; i++) {
		kind = dm_random_kind(40);
		x = tu_below(dm_model.names);
		err = dm_expected(kind, x);
		CHECK(dm_do(kind, x) == err);
		if (i % 100 == 0)
			tu_commit(&dm_vol);
		if (i % 1000 == 0)
			dm_compare();
	}
	dm_compare();
	tu_close(&dm_vol);
}

struct order {
	u32 *name;
	u32 n;
};

static bool take_order(void *arg, const struct vexfs_dirent *de)
{
	struct order *o = arg;

	o->name[o->n++] = dm_number(de->name);
	return true;
}

/* As "rm -r" does it, and backwards: leaves empty one after the other. */
static void test_remove_ordered(u32 backwards)
{
	u32 i, n = TU_MANY(30000);
	struct order o = { .name = calloc(n, sizeof(u32)) };

	CHECK(o.name);
	open_colliding(4096, n, 0);
	for (i = 0; i < n; i++) {
		CHECK(!dm_add(i));
		if (i % 1000 == 0)
			tu_commit(&dm_vol);
	}
	dm_compare();
	CHECK(!vexfs_dir_iterate(&dm_vol.node, 0, take_order, &o));
	CHECK(o.n == n);
	for (i = 0; i < n; i++) {
		CHECK(!dm_remove(o.name[backwards ? n - 1 - i : i]));
		if (i % 1000 == 0 || i > n - 100)
			dm_compare();
		if (i % 1000 == 0)
			tu_commit(&dm_vol);
	}
	CHECK(dm_compare().leaves == 1);
	free(o.name);
	tu_close(&dm_vol);
}

/* The lower half of the keys goes, with its subtrees, and comes again. */
static void test_front(u32 backwards)
{
	u32 i, k, round, n = TU_MANY(30000);
	struct order o = { .name = calloc(n, sizeof(u32)) };

	CHECK(o.name);
	open_colliding(4096, n, 0);
	for (i = 0; i < n; i++) {
		CHECK(!dm_add(i));
		if (i % 1000 == 0)
			tu_commit(&dm_vol);
	}
	CHECK(!vexfs_dir_iterate(&dm_vol.node, 0, take_order, &o));
	for (round = 0; round < 3; round++) {
		for (i = 0; i < 2 * n / 3; i++)
			CHECK(!dm_remove(o.name[i]));
		dm_compare();
		tu_commit(&dm_vol);
		for (i = 0; i < 2 * n / 3; i++) {
			k = backwards ? 2 * n / 3 - 1 - i : i;
			CHECK(!dm_add(o.name[k]));
			if (i % 500 == 0)
				dm_compare();
		}
		dm_compare();
	}
	free(o.name);
	tu_close(&dm_vol);
}

static u32 big_name(u32 i, u8 *name)
{
	return snprintf((char *)name, VEXFS_NAME_LEN, "file-%08x.dat",
			i * 2654435761u);
}

static bool count_bytes(void *arg, const struct vexfs_dirent *de)
{
	u64 *sum = arg;

	++*sum;
	return true;
}

static void big_phase(const char *what, u32 n, double *start)
{
	double now = tu_now();

	printf("# %s: %.2f us each\n", what, (now - *start) / n * 1e6);
	*start = now;
}

static void test_big(u32 n)
{
	struct vexfs_trans *t = NULL;
	struct vexfs_dirent de;
	u8 name[VEXFS_NAME_LEN + 1];
	double start;
	u64 sum = 0;
	u32 i;

	n *= tu_scale();
	open_colliding(4096, 1, 0);
	tu_close(&dm_vol);
	tu_open(&dm_vol, 4 * DM_VOLUME, 4096);
	dm_vol.dev->paranoid = false;
	t = tu_begin(&dm_vol, VEXFS_DIR_CREDITS);
	CHECK(!vexfs_dir_init(t, &dm_vol.node, &dm_vol.size));
	tu_end(t);
	start = tu_now();
	for (i = 0; i < n; i++) {
		t = tu_begin(&dm_vol, VEXFS_DIR_CREDITS);
		CHECK(!vexfs_dir_add(t, &dm_vol.node, name, big_name(i, name),
				     i + 1, 1, &dm_vol.size));
		tu_end(t);
		if (i % 1000 == 0)
			tu_commit(&dm_vol);
	}
	big_phase("add", n, &start);
	for (i = 0; i < n; i++) {
		CHECK(!vexfs_dir_lookup(&dm_vol.node, name, big_name(i, name),
					&de));
		CHECK(de.ino == i + 1);
	}
	big_phase("look up", n, &start);
	CHECK(vexfs_dir_iterate(&dm_vol.node, 0, count_bytes, &sum) == 0);
	CHECK(sum == n);
	big_phase("list", n, &start);
	printf("# %u entries in %llu blocks, %.0f %% full\n", n,
	       dm_vol.size >> 12, 100. * n * VEXFS_DIR_ENTRY_LEN(17) / dm_vol.size);
	printf("# at most %d of %d credits used\n",
	       vexfs_dev_credits_used(dm_vol.dev), VEXFS_DIR_CREDITS);
	for (i = 0; i < n; i++) {
		t = tu_begin(&dm_vol, VEXFS_DIR_CREDITS);
		CHECK(!vexfs_dir_remove(t, &dm_vol.node, name, big_name(i, name),
					&dm_vol.size));
		tu_end(t);
		if (i % 1000 == 0)
			tu_commit(&dm_vol);
	}
	big_phase("remove", n, &start);
	CHECK(dm_compare().leaves == 1);
	tu_close(&dm_vol);
}

int main(void)
{
	tu_plan(18);
	tu_run("random operations", test_random, 4096);
	tu_run("random operations", test_random, 8192);
	tu_run("random operations", test_random, 65536);
	tu_run("arguments and long names", test_arguments, 0);
	tu_run("listing", test_list, 0);
	tu_run("listing with collisions", test_list, 100);
	tu_run("listing while names change", test_list_changing, 0);
	tu_run("listing while names collide", test_list_changing, 150);
	tu_run("names of one hash", test_one_hash, 4096);
	tu_run("names of one hash", test_one_hash, 8192);
	tu_run("names of one hash", test_one_hash, 65536);
	tu_run("collisions", test_collisions, 2);
	tu_run("collisions", test_collisions, 60);
	tu_run("removing in order", test_remove_ordered, 0);
	tu_run("removing backwards", test_remove_ordered, 1);
	tu_run("front removed, and in order again", test_front, 0);
	tu_run("front removed, and backwards again", test_front, 1);
	tu_run("many entries", test_big, TU_MANY(200000));
	return tu_exit();
}

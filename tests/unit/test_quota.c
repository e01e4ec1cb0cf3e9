// SPDX-License-Identifier: GPL-2.0
/*
 * Quota in the shared core: what an inode is charged is what it has; past a
 * limit all is refused, and as it was; what may not be refused is not. And
 * quota files: what goes in comes out.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include "qfile.h"
#include "tree_util.h"
#include "xattr.h"

#define VOLUME	(128ull << 20)
#define CREDITS	(4 * VEXFS_EXT_CREDITS)
#define BLOCKS	20000

static struct tu_vol vol;

static void open_limited(u32 cluster_size, u64 blocks)
{
	tu_open(&vol, VOLUME, cluster_size);
	vol.dev->quota_used = vol.node.blocks;
	vol.dev->quota_limit = blocks;
}

static void nothing(void *arg, const struct vexfs_map *map)
{
}

static void is_charged(void)
{
	CHECK(vol.dev->quota_used == vol.node.blocks, "%llu charged, %llu had",
	      vol.dev->quota_used, vol.node.blocks);
}

static int allocate(u32 lblk, u32 len, u64 *got)
{
	struct vexfs_trans *t = tu_begin(&vol, VEXFS_EXT_CREDITS);
	struct vexfs_map map = { };
	int err;

	err = vexfs_ext_allocate(t, &vol.node, lblk, len, 0, &map);
	tu_end(t);
	*got = map.len;
	is_charged();
	return err;
}

static int convert(u32 lblk, u32 len)
{
	struct vexfs_trans *t = tu_begin(&vol, CREDITS);
	u64 done;
	int err = vexfs_ext_convert(t, &vol.node, lblk, len, &done);

	tu_end(t);
	is_charged();
	return err;
}

static void free_range(u32 lblk, u32 end)
{
	struct vexfs_trans *t;
	bool more;

	do {
		t = tu_begin(&vol, CREDITS);
		CHECK(!vexfs_ext_remove(t, &vol.node, lblk, end, &more));
		tu_end(t);
		is_charged();
	} while (more);
}

/* A file in one piece goes to the very limit. */
static void to_the_limit(u32 cluster_size)
{
	u64 limit = 1009 * (cluster_size / 4096), lblk = 0, got;
	int err;

	open_limited(cluster_size, limit);
	while (!(err = allocate(lblk, 5000, &got)))
		lblk += got;
	CHECK(err == -EDQUOT, "%d", err);
	CHECK(vol.node.blocks == limit, "%llu", vol.node.blocks);
	CHECK(lblk == limit);
	tu_check_extents(&vol, nothing, NULL);
	free_range(lblk / 2, BLOCKS);
	CHECK(!allocate(lblk / 2, 1, &got));
	free_range(0, BLOCKS);
	CHECK(!vol.dev->quota_used);
	tu_close(&vol);
}

/* In pieces, so that the tree has nodes: these count, and splits fail. */
static void in_pieces(u32 cluster_size)
{
	u32 cb = cluster_size / 4096, i, lblk, refused = 0, passed = 0;
	u64 limit = (600 + tu_below(200)) * cb, got;
	int err;

	open_limited(cluster_size, limit);
	for (i = 0; i < 6000; i++) {
		lblk = tu_below(1000) * 2 * cb;
		switch (tu_below(16)) {
		case 0:
			free_range(lblk, lblk + 1 + tu_below(4));
			break;
		case 1 ... 7:
			/* It was let in: never refused. */
			err = convert(lblk, 1 + tu_below(4));
			CHECK(!err, "convert: %d", err);
			break;
		default:
			err = allocate(lblk, 1 + tu_below(12), &got);
			CHECK(!err || err == -EDQUOT, "%d", err);
			refused += !!err;
		}
		passed += vol.node.blocks > limit;
		if (i % 500 == 0)
			tu_check_extents(&vol, nothing, NULL);
	}
	tu_check_extents(&vol, nothing, NULL);
	CHECK(refused > 100, "%u refused", refused);
	CHECK(cb > 1 || passed, "no node was forced");
	CHECK(vol.node.blocks <= limit + 60 * cb, "%llu", vol.node.blocks);
	free_range(0, BLOCKS);
	CHECK(!vol.dev->quota_used);
	tu_close(&vol);
}

/* Names until a block is refused: those that were taken are there. */
static void directory(u32 limit)
{
	struct vexfs_trans *t = NULL;
	struct vexfs_dirent de;
	char name[64];
	u32 i, n = 0;
	int err = 0;

	open_limited(4096, limit);
	t = tu_begin(&vol, VEXFS_DIR_CREDITS);
	CHECK(!vexfs_dir_init(t, &vol.node, &vol.size));
	tu_end(t);
	while (!err) {
		snprintf(name, sizeof(name), "a name of some length, number %u",
			 n);
		t = tu_begin(&vol, VEXFS_DIR_CREDITS);
		err = vexfs_dir_add(t, &vol.node, (u8 *)name, strlen(name),
				    100 + n, 1, &vol.size);
		tu_end(t);
		is_charged();
		n += !err;
	}
	CHECK(err == -EDQUOT, "%d", err);
	CHECK(vol.node.blocks <= limit);
	tu_check_extents(&vol, nothing, NULL);
	for (i = 0; i <= n; i++) {
		snprintf(name, sizeof(name), "a name of some length, number %u",
			 i);
		err = vexfs_dir_lookup(&vol.node, (u8 *)name, strlen(name),
				       &de);
		CHECK(i < n ? !err && de.ino == 100 + i : err == -ENOENT,
		      "name %u: %d", i, err);
	}
	tu_close(&vol);
}

static int set_xattr(const char *name, const void *value, size_t size)
{
	struct vexfs_trans *t = tu_begin(&vol, VEXFS_XATTR_CREDITS);
	const struct vexfs_xattr_name n = {
		.index = VEXFS_XATTR_USER, .len = strlen(name),
		.name = (const u8 *)name,
	};
	int err = vexfs_xattr_set(t, &vol.node, &n, value, size, 0);

	tu_end(t);
	is_charged();
	return err;
}

static void attributes(u32 limit)
{
	static u8 value[65536], back[65536];
	const struct vexfs_xattr_name n = {
		.index = VEXFS_XATTR_USER, .len = 1, .name = (const u8 *)"a",
	};
	u64 before;
	bool more;
	struct vexfs_trans *t;

	open_limited(4096, limit);
	memset(value, 'v', sizeof(value));
	CHECK(!set_xattr("a", value, 20000));
	before = vol.node.blocks;
	memset(value, 'w', sizeof(value));
	CHECK(set_xattr("a", value, 65536) == -EDQUOT);
	CHECK(set_xattr("b", value, 65536) == -EDQUOT);
	CHECK(vol.node.blocks == before);
	CHECK(vexfs_xattr_get(&vol.node, &n, back, sizeof(back)) == 20000);
	CHECK(back[0] == 'v' && back[19999] == 'v');
	CHECK(!set_xattr("a", value, 100));
	do {
		t = tu_begin(&vol, VEXFS_XATTR_FREE_CREDITS);
		CHECK(!vexfs_xattr_free(t, &vol.node, &more));
		tu_end(t);
		is_charged();
	} while (more);
	CHECK(!vol.dev->quota_used);
	tu_close(&vol);
}

/* Ids of all sizes, in no order. */
static void fill(struct vq_table *table, u32 n)
{
	struct vq_entry *e;
	u32 i;

	vq_init(table);
	for (i = 0; i < n; i++) {
		e = vq_get(table, (u32)(tu_rand() >> tu_below(32)));
		e->inodes = cpu_to_le64(tu_rand());
		e->space = cpu_to_le64(tu_rand());
		e->bhard = cpu_to_le64(tu_below(3));
		e->itime = cpu_to_le64(tu_below(2));
	}
	table->bgrace = n;
}

static void files(u32 n)
{
	struct vq_table in, out;
	const struct vq_entry *e;
	const char *why;
	u64 size;
	u8 *data;
	u32 i;

	fill(&in, n);
	data = vq_make(&in, n % 3, &size);
	vq_init(&out);
	why = vq_parse(&out, n % 3, data, size);
	CHECK(!why, "%s", why);
	CHECK(out.count == in.count && out.bgrace == n);
	for (i = 0; i < in.count; i++) {
		e = vq_find(&out, le32_to_cpu(in.entry[i].id));
		CHECK(e && !memcmp(e, &in.entry[i], sizeof(*e)));
	}
	CHECK(vq_parse(&out, (n + 1) % 3, data, size));
	if (size > 4096)
		CHECK(vq_parse(&out, n % 3, data, size - 1024));
	vq_free(&in);
	vq_free(&out);
	free(data);
}

/* Whatever is in it: read to the end, and no further. */
static void noise(u32 rounds)
{
	struct vq_table table;
	u32 i, j, bad = 0;
	u64 size;
	u8 *data;

	for (i = 0; i < rounds; i++) {
		fill(&table, 1 + tu_below(60));
		data = vq_make(&table, 0, &size);
		for (j = 1 + tu_below(4); j; j--)
			data[tu_below(size)] ^= 1 << tu_below(8);
		bad += !!vq_parse(&table, 0, data, size);
		vq_free(&table);
		free(data);
	}
	CHECK(bad > rounds / 20, "%u of %u", bad, rounds);
}

int main(void)
{
	tu_srand(20261122);
	tu_plan(11);
	tu_run("to the limit", to_the_limit, 4096);
	tu_run("to the limit, 64 KiB clusters", to_the_limit, 65536);
	tu_run("in pieces", in_pieces, 4096);
	tu_run("in pieces, 16 KiB clusters", in_pieces, 16384);
	tu_run("a directory of 3 blocks", directory, 3);
	tu_run("a directory of 40 blocks", directory, 40);
	tu_run("attributes", attributes, 12);
	tu_run("a quota file of one entry", files, 1);
	tu_run("a quota file of 14 entries", files, 14);
	tu_run("a quota file of 5000 entries", files, 5000);
	tu_run("quota files with damages", noise, 2000);
	return tu_exit();
}

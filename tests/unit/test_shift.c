// SPDX-License-Identifier: GPL-2.0
/*
 * Collapsing and inserting ranges of a file's extents, among other changes of
 * it, beside a plain array; in transactions of all sizes; with the disk or the
 * space failing.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include "tree_util.h"

#define VOLUME	(256ull << 20)
#define BLOCKS	16384
#define CREDITS	(4 * VEXFS_EXT_CREDITS)

static struct tu_vol vol;
static struct {
	u64 pblk;			/* 0: a hole */
	bool unwritten;
} model[2 * BLOCKS];

static void add_blocks(void *arg, const struct vexfs_map *map)
{
	u64 *next = arg, i;

	for (; *next < map->lblk; (*next)++)
		CHECK(!model[*next].pblk, "block %llu is gone", *next);
	for (i = 0; i < map->len; i++, (*next)++) {
		CHECK(model[*next].pblk == map->pblk + i, "block %llu",
		      *next);
		CHECK(model[*next].unwritten == map->unwritten);
	}
}

static void compare(void)
{
	u64 next = 0;

	tu_check_extents(&vol, add_blocks, &next);
	for (; next < BLOCKS; next++)
		CHECK(!model[next].pblk);
}

static void learn(const struct vexfs_map *map)
{
	u32 mask = vol.fs.geom.cluster_blocks - 1, i;
	struct vexfs_map m;

	for (i = map->lblk & ~mask; i < ((map->lblk + map->len + mask) & ~mask);
	     i++) {
		CHECK(!vexfs_ext_lookup(&vol.node, i, 1, &m) && m.pblk);
		model[i].pblk = m.pblk;
		model[i].unwritten = m.unwritten;
	}
}

static void allocate(u32 lblk, u32 len)
{
	struct vexfs_trans *t = tu_begin(&vol, VEXFS_EXT_CREDITS);
	struct vexfs_map map;
	u64 done;

	CHECK(!vexfs_ext_allocate(t, &vol.node, lblk, len, 0, &map));
	tu_end(t);
	if (tu_below(2)) {
		t = tu_begin(&vol, CREDITS);
		CHECK(!vexfs_ext_convert(t, &vol.node, lblk, 1, &done));
		tu_end(t);
	}
	learn(&map);
}

static int unmap(u32 lblk, u32 end)
{
	struct vexfs_trans *t;
	bool more;
	int err;

	do {
		t = tu_begin(&vol, CREDITS);
		err = vexfs_ext_remove(t, &vol.node, lblk, end, &more);
		tu_end(t);
	} while (!err && more);
	if (!err)
		memset(&model[lblk], 0, (end - lblk) * sizeof(*model));
	return err;
}

/* Each transaction is a state that a crash may leave: verified as such. */
static int shift(u32 from, u32 blocks, bool up)
{
	struct vexfs_shift s = { .from = from, .blocks = blocks, .up = up };
	struct vexfs_trans *t;
	bool more;
	u64 end;
	int err;

	do {
		t = tu_begin(&vol, VEXFS_EXT_CREDITS * (2 + tu_below(3)));
		err = vexfs_ext_shift(t, &vol.node, &s, &more);
		tu_end(t);
		if (more)
			CHECK(!vexfs_ext_last(&vol.node, &end));
	} while (!err && more);
	if (err)
		return err;
	if (up) {
		memmove(&model[from + blocks], &model[from],
			(2 * BLOCKS - from - blocks) * sizeof(*model));
		memset(&model[from], 0, blocks * sizeof(*model));
	} else {
		memmove(&model[from - blocks], &model[from],
			(2 * BLOCKS - from) * sizeof(*model));
		memset(&model[2 * BLOCKS - blocks], 0, blocks * sizeof(*model));
	}
	return 0;
}

static void open_file(u32 cluster_size, u32 extents)
{
	u32 i, cb;

	tu_open(&vol, VOLUME, cluster_size);
	memset(model, 0, sizeof(model));
	cb = vol.fs.geom.cluster_blocks;
	/* Every other cluster, so that nothing merges. */
	for (i = 0; i < extents; i++)
		allocate((2 * i * cb) % BLOCKS, 1);
}

static void test_random(u32 cluster_size)
{
	u32 i, cb, from, blocks, n = 1500 * tu_scale();
	u64 last;

	open_file(cluster_size, 0);
	cb = vol.fs.geom.cluster_blocks;
	for (i = 0; i < 1500; i++)
		allocate(tu_below(BLOCKS - 64), 1 + tu_below(4));
	compare();
	for (i = 0; i < n; i++) {
		from = tu_below(BLOCKS / cb) * cb;
		blocks = (1 + tu_below(tu_below(4) ? 4 : 100)) * cb;
		CHECK(!vexfs_ext_last(&vol.node, &last));
		switch (tu_below(4)) {
		case 0:
			if (from < blocks)
				break;
			CHECK(!unmap(from - blocks, from));
			CHECK(!shift(from, blocks, false));
			break;
		case 1:
			if (last + blocks < BLOCKS)
				CHECK(!shift(from, blocks, true));
			break;
		default:
			allocate(tu_below(BLOCKS - 64), 1 + tu_below(4));
		}
		if (i % 40 == 0) {
			tu_drop(&vol);
			compare();
		}
	}
	compare();
	tu_close(&vol);
}

/* Trees of several levels, moved as a whole and from each place. */
static void test_deep(u32 up)
{
	u32 i, from;

	open_file(4096, BLOCKS / 2);
	CHECK(le16_to_cpu(vol.node.root.er_depth) >= 2);
	for (i = 0; i < 60; i++) {
		from = i < 2 ? i : tu_below(BLOCKS - 200);
		from += !!from;
		if (up) {
			CHECK(!shift(from, 1 + tu_below(3), true));
			CHECK(!unmap(BLOCKS, 2 * BLOCKS));
		} else {
			CHECK(!unmap(from, from + 1 + i));
			CHECK(!shift(from + 1 + i, 1 + i, false));
		}
		compare();
	}
	tu_close(&vol);
}

/* Neighbours that meet become one; what was cut and failed is one again. */
static void test_join(u32 arg)
{
	struct vexfs_map map;

	open_file(4096, 0);
	allocate(0, 100);
	CHECK(!vexfs_ext_lookup(&vol.node, 0, 1, &map));
	CHECK(!shift(50, 7, true));
	CHECK(le16_to_cpu(vol.node.root.er_count) >= 2);
	CHECK(!shift(57, 7, false));
	compare();
	CHECK(le16_to_cpu(vol.node.root.er_count) <= 2);
	tu_close(&vol);
}

static void test_refused(u32 arg)
{
	struct vexfs_shift s = { .from = 3, .blocks = 2 };
	struct vexfs_trans *t;
	bool more;

	open_file(8192, 3);
	t = tu_begin(&vol, CREDITS);
	CHECK(vexfs_ext_shift(t, &vol.node, &s, &more) == -EINVAL);
	s.from = 2;
	s.blocks = 1;
	CHECK(vexfs_ext_shift(t, &vol.node, &s, &more) == -EINVAL);
	s.blocks = 4;
	CHECK(vexfs_ext_shift(t, &vol.node, &s, &more) == -EINVAL);
	tu_end(t);
	compare();
	tu_close(&vol);
}

/* No room for the cut: nothing has moved. A read error: each node is right. */
static void test_fails(u32 arg)
{
	struct vexfs_shift s = { .from = 1, .blocks = 2, .up = true };
	struct vexfs_trans *t;
	struct vexfs_map map;
	u32 i, k, failed = 0;
	bool more;
	int err;

	open_file(4096, 0);
	/* As many as the root can hold. */
	for (i = 0; i < VEXFS_ROOT_EXTENTS; i++) {
		t = tu_begin(&vol, VEXFS_EXT_CREDITS);
		CHECK(!vexfs_ext_allocate(t, &vol.node, 1000 * i, 2, 0, &map));
		tu_end(t);
		learn(&map);
	}
	tu_leave_free(&vol, 0);
	t = tu_begin(&vol, CREDITS);
	CHECK(vexfs_ext_shift(t, &vol.node, &s, &more) == -ENOSPC);
	tu_end(t);
	tu_unhoard(&vol);
	compare();
	tu_close(&vol);

	open_file(4096, BLOCKS / 2);
	for (k = 1; k < 100; k += 7) {
		tu_drop(&vol);
		vol.dev->fail.read = k;
		err = shift(tu_below(BLOCKS), 1, true);
		vol.dev->fail.read = 0;
		failed += !!err;
		CHECK(!err || err == -EIO);
		if (err) {
			/* Some have moved: all that can be said is this. */
			tu_check_extents(&vol, NULL, NULL);
			tu_close(&vol);
			open_file(4096, BLOCKS / 2);
		}
	}
	CHECK(failed > 2);
	tu_close(&vol);
}

int main(void)
{
	tu_plan(8);
	tu_run("random changes", test_random, 4096);
	tu_run("random changes", test_random, 8192);
	tu_run("random changes", test_random, 65536);
	tu_run("deep trees move down", test_deep, 0);
	tu_run("deep trees move up", test_deep, 1);
	tu_run("neighbours join", test_join, 0);
	tu_run("what is refused", test_refused, 0);
	tu_run("failures", test_fails, 0);
	return tu_exit();
}

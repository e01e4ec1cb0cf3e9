// SPDX-License-Identifier: GPL-2.0
/*
 * Extent trees against a model that knows of each block what it should be.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include "tree_util.h"

#define VOLUME		(256ull << 20)

enum { HOLE, UNWRITTEN, WRITTEN };

/* What each block of the file should be. */
struct model {
	u32 blocks;
	u8 *state;
	u64 *pblk;
};

static struct tu_vol vol;
static struct model model;

static void model_open(u32 blocks)
{
	free(model.state);
	free(model.pblk);
	model.blocks = blocks;
	model.state = calloc(blocks, 1);
	model.pblk = calloc(blocks, sizeof(u64));
	CHECK(model.state && model.pblk);
}

static u32 cb(void)
{
	return vol.fs.geom.cluster_blocks;
}

static void open_both(u32 cluster_size, u32 blocks)
{
	tu_open(&vol, VOLUME, cluster_size);
	model_open(blocks);
}

static void compare_extent(void *arg, const struct vexfs_map *map)
{
	u64 *next = arg, i;

	CHECK(map->lblk + map->len <= model.blocks);
	for (; *next < map->lblk; ++*next)
		CHECK(model.state[*next] == HOLE, "block %llu", *next);
	for (i = 0; i < map->len; i++, ++*next) {
		CHECK(model.state[*next] ==
		      (map->unwritten ? UNWRITTEN : WRITTEN),
		      "block %llu", *next);
		CHECK(model.pblk[*next] == map->pblk + i, "block %llu", *next);
	}
}

/* The tree is right in itself, and maps what the model says. */
static void compare(void)
{
	u64 next = 0;

	tu_check_extents(&vol, compare_extent, &next);
	for (; next < model.blocks; next++)
		CHECK(model.state[next] == HOLE, "block %llu", next);
}

static void compare_map(const struct vexfs_map *map, u64 lblk, u64 len)
{
	u64 i, end;

	CHECK(map->lblk == lblk && map->len > 0 && map->len <= len);
	for (i = 0; i < map->len; i++) {
		if (!map->pblk) {
			CHECK(model.state[lblk + i] == HOLE);
			continue;
		}
		CHECK(model.state[lblk + i] ==
		      (map->unwritten ? UNWRITTEN : WRITTEN));
		CHECK(model.pblk[lblk + i] == map->pblk + i);
	}
	/* A hole goes up to the next extent. */
	end = lblk + map->len;
	CHECK(map->pblk || map->len == len || model.state[end] != HOLE);
}

static void do_lookup(u64 lblk, u64 len)
{
	struct vexfs_map map;

	CHECK(!vexfs_ext_lookup(&vol.node, lblk, len, &map));
	compare_map(&map, lblk, len);
}

/* What allocating returned goes to the model, in whole clusters. */
static void model_allocate(u64 lblk, u64 len, const struct vexfs_map *map)
{
	u64 first = lblk - lblk % cb();
	u64 end = roundup(lblk + map->len, cb()), i;

	if (model.state[lblk] != HOLE) {
		compare_map(map, lblk, len);
		return;
	}
	CHECK(map->lblk == lblk && map->len > 0 && map->len <= len);
	CHECK(map->pblk && map->unwritten);
	for (i = first; i < end; i++) {
		CHECK(model.state[i] == HOLE);
		model.state[i] = UNWRITTEN;
		model.pblk[i] = map->pblk - (lblk - first) + (i - first);
	}
}

static int try_allocate(u64 lblk, u64 len)
{
	struct vexfs_trans *t = tu_begin(&vol, VEXFS_EXT_CREDITS);
	struct vexfs_map map;
	int err;

	err = vexfs_ext_allocate(t, &vol.node, lblk, len, 0, &map);
	tu_end(t);
	if (!err)
		model_allocate(lblk, len, &map);
	return err;
}

static int try_convert(u64 lblk, u64 len)
{
	u64 done, i;
	int err = 0;

	while (!err && len) {
		struct vexfs_trans *t = tu_begin(&vol, VEXFS_EXT_CREDITS);

		err = vexfs_ext_convert(t, &vol.node, lblk, len, &done);
		tu_end(t);
		CHECK(done <= len && !err == !!done);
		for (i = lblk; i < lblk + done; i++)
			if (model.state[i] == UNWRITTEN)
				model.state[i] = WRITTEN;
		lblk += done;
		len -= done;
	}
	return err;
}

static void model_remove(u64 lblk, u64 end)
{
	u64 c = lblk - lblk % cb(), i;

	for (; c < end; c += cb()) {
		bool whole = c >= lblk && c + cb() <= end;

		for (i = max(c, lblk); i < min(c + cb(), end); i++)
			if (model.state[i] != HOLE)
				model.state[i] = whole ? HOLE : UNWRITTEN;
	}
}

static int try_remove(u64 lblk, u64 end)
{
	bool more = true;
	int err = 0;

	while (!err && more) {
		struct vexfs_trans *t = tu_begin(&vol, VEXFS_EXT_CREDITS +
						 tu_below(40));

		err = vexfs_ext_remove(t, &vol.node, lblk, end, &more);
		tu_end(t);
	}
	if (!err)
		model_remove(lblk, end);
	return err;
}

/* What a random operation is; done again after it failed. */
struct op {
	int kind;
	u64 lblk;
	u64 len;
};

static struct op random_op(u32 fill)
{
	struct op op;
	u32 r = tu_below(100), max = 1;

	op.kind = r < fill ? 0 : r < 80 ? 1 : r < 97 ? 2 : 3;
	op.lblk = tu_below(model.blocks);
	if (op.kind == 1 && tu_below(3) == 0)
		max = 60;
	if (op.kind == 2 || op.kind == 0)
		max = tu_below(20) ? 3 * cb() : 300;
	op.len = 1 + tu_below(max);
	if (op.kind == 3)
		op.len = 1 + tu_below(tu_below(10) ? 200 : model.blocks);
	op.len = min(op.len, model.blocks - op.lblk);
	return op;
}

static int do_op(const struct op *op)
{
	switch (op->kind) {
	case 0:
		return try_allocate(op->lblk, op->len);
	case 1:
		return try_convert(op->lblk, op->len);
	default:
		return try_remove(op->lblk, op->lblk + op->len);
	}
}

static void test_random(u32 cluster_size)
{
	u32 i, n = 30000 * tu_scale(), fill = 40;
	struct op op;

	open_both(cluster_size, cluster_size == 65536 ? 32768 : 12000);
	for (i = 0; i < n; i++) {
		if (i % 3000 == 0)
			fill = 30 + tu_below(20);
		op = random_op(fill);
		CHECK(!do_op(&op));
		op = random_op(fill);
		do_lookup(op.lblk, op.len);
		if (i % 50 == 0)
			tu_commit(&vol);
		if (i % 1000 == 0)
			compare();
	}
	compare();
	CHECK(!try_remove(0, model.blocks));
	compare();
	CHECK(!vol.node.blocks && !vol.node.root.er_depth &&
	      !vol.node.root.er_count);
	tu_close(&vol);
}

/* Files written from begin to end need one extent, whatever the steps. */
static void test_sequential(u32 cluster_size)
{
	u64 lblk, i;
	u32 len;

	open_both(cluster_size, 4096);
	for (lblk = 0; lblk < 4000; lblk += len) {
		len = 1 + tu_below(7);
		for (i = lblk; i < lblk + len; i++)
			CHECK(!try_allocate(i, lblk + len - i));
		CHECK(!try_convert(lblk, len));
		if (lblk % 10 == 0)
			tu_commit(&vol);
	}
	compare();
	CHECK(le16_to_cpu(vol.node.root.er_count) <= 2);
	CHECK(!vol.node.root.er_depth);
	CHECK(!try_remove(17, 4096));
	compare();
	CHECK(vol.node.blocks == roundup(17, cb()));
	tu_close(&vol);
}

static void count_nodes(void *arg, u64 bno)
{
	++*(u32 *)arg;
}

/* Every second cluster, in one of several orders. */
static u64 fragment(u32 order, u32 i, u32 n)
{
	switch (order) {
	case 0:
		return i;
	case 1:
		return n - 1 - i;
	default:
		return (u64)i * 40503 % n;
	}
}

static void test_order(u32 order)
{
	u32 i, n = 5003, nodes = 0;

	open_both(4096, 2 * n + 2);
	for (i = 0; i < n; i++) {
		CHECK(!try_allocate(2 * fragment(order, i, n), 1));
		if (i % 100 == 0)
			tu_commit(&vol);
	}
	compare();
	tu_extent_nodes(&vol, count_nodes, &nodes);
	printf("# order %u: %u extents in %u nodes, depth %u\n", order, n,
	       nodes, le16_to_cpu(vol.node.root.er_depth));
	CHECK(nodes >= n / VEXFS_NODE_EXTENTS);
	/* In order, nodes are full; else half full at worst. */
	CHECK(nodes <= (order ? 2 : 1) * n / (VEXFS_NODE_EXTENTS - 1) + 3);
	/* Fill the gaps, then take the file away from its begin. */
	for (i = 0; i < n; i++)
		CHECK(!try_allocate(2 * fragment(order, i, n) + 1, 1));
	CHECK(!try_convert(0, 2 * n));
	compare();
	for (i = 0; i < 2 * n; i += 501) {
		CHECK(!try_remove(i, min(2 * n, i + 501)));
		tu_commit(&vol);
	}
	compare();
	CHECK(!vol.node.blocks);
	tu_close(&vol);
}

/*
 * Operations with nothing free, then one cluster, and so on: each failure
 * changes nothing but what the operation says it has done.
 */
static void test_enospc(u32 cluster_size)
{
	u32 i, free, failed = 0, n = 1500 * tu_scale();
	struct op op;
	int err;

	open_both(cluster_size, 5120);
	for (i = 0; i < n; i++) {
		op = random_op(45);
		if (op.kind == 3 && i < 1000)
			continue;
		for (free = 0; ; free++) {
			tu_leave_free(&vol, free);
			err = do_op(&op);
			if (!err)
				break;
			CHECK(err == -ENOSPC);
			CHECK(tu_free(&vol) == free);
			compare();
			failed++;
			/* A cluster, and one for each node that splits. */
			CHECK(free < 2u + le16_to_cpu(vol.node.root.er_depth));
		}
	}
	tu_unhoard(&vol);
	compare();
	printf("# %u operations failed\n", failed);
	CHECK(failed > n / 4);
	CHECK(vol.node.root.er_depth);
	tu_close(&vol);
}

/* The tree after a failed operation may be the old or the new, by blocks. */
static u8 *before_state;

static void adopt_extent(void *arg, const struct vexfs_map *map)
{
	u64 i, *next = arg;

	for (; *next < map->lblk; ++*next)
		model.state[*next] = HOLE;
	for (i = 0; i < map->len; i++, ++*next) {
		model.state[*next] = map->unwritten ? UNWRITTEN : WRITTEN;
		if (before_state[*next] == HOLE)
			model.pblk[*next] = map->pblk + i;
		CHECK(model.pblk[*next] == map->pblk + i);
	}
}

static void adopt(const struct op *op)
{
	u64 next = 0, i, lo = op->lblk - op->lblk % cb();
	u64 hi = roundup(op->lblk + op->len, cb());

	before_state = malloc(model.blocks);
	memcpy(before_state, model.state, model.blocks);
	tu_check_extents(&vol, adopt_extent, &next);
	memset(model.state + next, HOLE, model.blocks - next);
	for (i = 0; i < model.blocks; i++) {
		if (model.state[i] == before_state[i])
			continue;
		CHECK(i >= lo && i < hi && op->kind >= 2,
		      "kind %d changed block %llu", op->kind, i);
		/* Only ever less than before. */
		CHECK(model.state[i] < before_state[i]);
	}
	free(before_state);
}

/* Reading fails, or memory is short, at each place where it can. */
static void test_faults(u32 memory)
{
	u32 i, k, failed = 0, n = 400 * tu_scale();
	int *fault, err;
	struct op op;

	open_both(8192, 6000);
	fault = memory ? &kshim_fail_alloc : &vol.dev->fail.read;
	for (i = 0; i < 3000; i++) {
		op = random_op(50);
		if (op.kind != 3)
			CHECK(!do_op(&op));
	}
	for (i = 0; i < n; i++) {
		op = random_op(45);
		for (k = 1; ; k++) {
			tu_drop(&vol);
			*fault = k;
			err = do_op(&op);
			if (*fault) {
				*fault = 0;
				CHECK(!err);
				break;
			}
			if (!err)
				break;
			CHECK(err == (memory ? -ENOMEM : -EIO), "%d", err);
			adopt(&op);
			failed++;
			CHECK(k < 200);
		}
	}
	compare();
	printf("# %u operations failed\n", failed);
	CHECK(failed > n / 2);
	tu_close(&vol);
}

static void test_limits(u32 cluster_size)
{
	struct vexfs_trans *t;
	struct vexfs_map map;
	bool more;
	u64 end, done;

	tu_open(&vol, VOLUME, cluster_size);
	t = tu_begin(&vol, 1000);
	CHECK(vexfs_ext_lookup(&vol.node, 1ull << 32, 1, &map) == -EINVAL);
	CHECK(vexfs_ext_lookup(&vol.node, 0, 0, &map) == -EINVAL);
	CHECK(!vexfs_ext_lookup(&vol.node, 5, U64_MAX, &map));
	CHECK(!map.pblk && map.len == (1ull << 32) - 5);
	CHECK(vexfs_ext_allocate(t, &vol.node, 1ull << 32, 1, 0, &map) ==
	      -EINVAL);
	CHECK(vexfs_ext_convert(t, &vol.node, 0, U64_MAX, &done) == -EINVAL);
	CHECK(vexfs_ext_convert(t, &vol.node, 1, 1ull << 32, &done) ==
	      -EINVAL);
	CHECK(!vexfs_ext_last(&vol.node, &end) && end == 0);
	/* The last block there can be, and more than there is. */
	CHECK(!vexfs_ext_allocate(t, &vol.node, VEXFS_MAX_LBLK, 100, 0, &map));
	CHECK(map.len == 1 && map.unwritten);
	CHECK(!vexfs_ext_last(&vol.node, &end) && end == 1ull << 32);
	CHECK(!vexfs_ext_convert(t, &vol.node, VEXFS_MAX_LBLK - 1, 2, &done));
	CHECK(done == 2);
	CHECK(!vexfs_ext_lookup(&vol.node, VEXFS_MAX_LBLK, 9, &map));
	CHECK(map.len == 1 && !map.unwritten && map.pblk);
	CHECK(!vexfs_ext_allocate(t, &vol.node, 3, U64_MAX, 0, &map));
	CHECK(map.len > 3000);
	tu_check_extents(&vol, NULL, NULL);
	/* To the end means the whole last cluster as well. */
	CHECK(!vexfs_ext_remove(t, &vol.node, 0, VEXFS_MAX_LBLK, &more));
	CHECK(!more && !vol.node.blocks);
	CHECK(!vexfs_ext_remove(t, &vol.node, 9, 9, &more) && !more);
	tu_check_extents(&vol, NULL, NULL);
	tu_end(t);
	tu_close(&vol);
}

/* With too few credits nothing is done, and said so. */
static void test_credits(u32 arg)
{
	struct vexfs_trans *t;
	u64 i, done;
	bool more;
	u32 calls = 0;

	open_both(4096, 4000);
	for (i = 0; i < 2000; i++)
		CHECK(!try_allocate(2 * i, 1));
	tu_commit(&vol);
	vexfs_dev_credits_used(vol.dev);
	t = tu_begin(&vol, VEXFS_EXT_CREDITS - 1);
	CHECK(!vexfs_ext_remove(t, &vol.node, 0, 4000, &more) && more);
	CHECK(vexfs_trans_credits(t) == VEXFS_EXT_CREDITS - 1);
	tu_end(t);
	compare();
	/* Converting does one extent even so. */
	t = tu_begin(&vol, VEXFS_EXT_CREDITS - 1);
	CHECK(!vexfs_ext_convert(t, &vol.node, 0, 4000, &done) && done);
	CHECK(done < 4000);
	model.state[0] = WRITTEN;
	tu_end(t);
	compare();
	CHECK(!try_convert(0, 4000));
	for (more = true; more; calls++) {
		t = tu_begin(&vol, VEXFS_EXT_CREDITS);
		CHECK(!vexfs_ext_remove(t, &vol.node, 1000, 4000, &more));
		tu_end(t);
		tu_check_extents(&vol, NULL, NULL);
		tu_commit(&vol);
	}
	model_remove(1000, 4000);
	compare();
	CHECK(calls > 5);
	printf("# at most %d of %d credits used\n",
	       vexfs_dev_credits_used(vol.dev), VEXFS_EXT_CREDITS);
	tu_close(&vol);
}

struct nodes {
	u64 bno[4096];
	u32 n;
};

static void collect_node(void *arg, u64 bno)
{
	struct nodes *nodes = arg;

	if (nodes->n < ARRAY_SIZE(nodes->bno))
		nodes->bno[nodes->n++] = bno;
}

static bool bad_enough(int err)
{
	return err == -EFSCORRUPTED || err == -EFSBADCRC || err == -EIO ||
	       err == -ENOSPC || err == -EFBIG;
}

/* Everything that can be done, on a tree that may be nonsense. */
static void use_damaged(struct tu_vol *v)
{
	struct vexfs_trans *t;
	struct vexfs_map map;
	u64 lblk, done;
	bool more = true;
	int err, i;

	for (lblk = 0; lblk < model.blocks; lblk += map.len) {
		err = vexfs_ext_lookup(&v->node, lblk, model.blocks, &map);
		CHECK(!err || bad_enough(err), "%d", err);
		if (err)
			map.len = 50;
		CHECK(map.len > 0);
	}
	for (i = 0; i < 40; i++) {
		t = tu_begin(v, 200);
		lblk = tu_below(model.blocks);
		err = vexfs_ext_allocate(t, &v->node, lblk, 1 + tu_below(40),
					 0, &map);
		CHECK(!err || bad_enough(err), "%d", err);
		err = vexfs_ext_convert(t, &v->node, lblk, 1 + tu_below(40),
					&done);
		CHECK(!err || bad_enough(err), "%d", err);
		tu_end(t);
		t = tu_begin(v, 200);
		lblk = tu_below(model.blocks);
		err = vexfs_ext_remove(t, &v->node, lblk, lblk + tu_below(99),
				       &more);
		CHECK(!err || bad_enough(err), "%d", err);
		tu_end(t);
	}
	for (err = 0, more = true, i = 0; !err && more; i++) {
		t = tu_begin(v, VEXFS_EXT_CREDITS + 100);
		err = vexfs_ext_remove(t, &v->node, 0, VEXFS_MAX_LBLK, &more);
		tu_end(t);
		CHECK(i < 20000);
	}
	CHECK(!err || bad_enough(err), "%d", err);
}

/* Damage that its checksum gives away is always found. */
static void check_csum_found(struct tu_vol *v)
{
	struct vexfs_map map;
	u64 lblk;
	int err, found = 0;

	for (lblk = 0; lblk < model.blocks; lblk += map.len) {
		err = vexfs_ext_lookup(&v->node, lblk, model.blocks, &map);
		if (err) {
			CHECK(err == -EFSBADCRC || err == -EFSCORRUPTED);
			found++;
			map.len = 1;
		} else {
			compare_map(&map, lblk, model.blocks);
		}
	}
	CHECK(found);
}

static void make_damage_victim(u32 cluster_size)
{
	struct op op;
	u32 i;

	open_both(cluster_size, 8000);
	for (i = 0; i < 6000; i++) {
		op = random_op(50);
		if (op.kind != 3)
			CHECK(!do_op(&op));
		if (i % 50 == 0)
			tu_commit(&vol);
	}
	CHECK(le16_to_cpu(vol.node.root.er_depth) >= 1);
	tu_commit(&vol);
}

static void test_damage(u32 cluster_size)
{
	static struct nodes nodes;
	u32 i, n = TU_MANY(250) * tu_scale(), reported = 0;
	struct tu_vol v;

	make_damage_victim(cluster_size);
	nodes.n = 0;
	tu_extent_nodes(&vol, collect_node, &nodes);
	for (i = 0; i < n; i++) {
		tu_clone(&v, &vol);
		tu_damage(&v, nodes.bno[tu_below(nodes.n)], i % 5);
		if (i % 5)
			use_damaged(&v);
		else
			check_csum_found(&v);
		reported += v.dev->corruptions > 0;
		tu_close(&v);
	}
	printf("# %u of %u damages reported\n", reported, n);
	CHECK(reported > n / 4);
	tu_close(&vol);
}

/* The root comes from an inode; that may be nonsense, too. */
static void test_damaged_root(u32 cluster_size)
{
	u32 i, k, n = TU_MANY(200) * tu_scale(), refused = 0;
	struct tu_vol v;
	u8 *root;

	make_damage_victim(cluster_size);
	for (i = 0; i < n; i++) {
		tu_clone(&v, &vol);
		root = (u8 *)&v.node.root;
		for (k = 0; k <= tu_below(3); k++)
			root[tu_below(72)] = tu_rand();
		if (vexfs_verify_extent_root(&v.fs, &v.node.root))
			refused++;
		else
			use_damaged(&v);
		tu_close(&v);
	}
	printf("# %u of %u roots refused\n", refused, n);
	CHECK(refused > n / 4);
	tu_close(&vol);
}

/* Two nodes of a tree change places, or one stands twice. */
static void test_crossed(u32 arg)
{
	struct vexfs_extent_root *root;
	struct vexfs_map map;
	struct tu_vol v;
	u64 first;

	make_damage_victim(4096);
	CHECK(!try_remove(0, 8000));
	for (first = 0; le16_to_cpu(vol.node.root.er_count) < 2 ||
	     !vol.node.root.er_depth; first += 2) {
		CHECK(first < 8000);
		CHECK(!try_allocate(first, 1));
	}
	tu_commit(&vol);
	tu_clone(&v, &vol);
	root = &v.node.root;
	first = le32_to_cpu(root->er_rec[1].ee_lblk);
	root->er_rec[1].ee_pblk = root->er_rec[0].ee_pblk;
	CHECK(!vexfs_verify_extent_root(&v.fs, root));
	CHECK(vexfs_ext_lookup(&v.node, first, 1, &map) == -EFSCORRUPTED);
	root->er_rec[0].ee_pblk = vol.node.root.er_rec[1].ee_pblk;
	CHECK(vexfs_ext_lookup(&v.node, 0, 1, &map) == -EFSCORRUPTED);
	root->er_rec[0].ee_pblk = vol.node.root.er_rec[0].ee_pblk;
	CHECK(!vexfs_ext_lookup(&v.node, 0, 1, &map));
	v.node.generation++;
	CHECK(vexfs_ext_lookup(&v.node, 0, 1, &map) == -EFSCORRUPTED);
	tu_close(&v);
	tu_close(&vol);
}

/* A hole that is not whole clusters is not to be filled, nor freed around. */
static void test_partial(u32 cluster_size)
{
	struct vexfs_extent_root *root = &vol.node.root, good;
	struct vexfs_trans *t;
	struct vexfs_map map;
	bool more;

	open_both(cluster_size, 4 * cluster_size / 4096);
	vol.dev->quiet = true;
	CHECK(!try_allocate(0, 2 * cb()));
	CHECK(root->er_count == cpu_to_le16(1));
	good = *root;
	root->er_rec[0].ee_len = cpu_to_le32(VEXFS_EXT_UNWRITTEN |
					     (2 * cb() - 1));
	CHECK(vexfs_verify_extent_root(&vol.fs, root));
	t = tu_begin(&vol, 100);
	CHECK(vexfs_ext_allocate(t, &vol.node, 2 * cb() - 1, 1, 0, &map) ==
	      -EFSCORRUPTED);
	CHECK(vexfs_ext_remove(t, &vol.node, 0, VEXFS_MAX_LBLK, &more) ==
	      -EFSCORRUPTED);
	*root = good;
	root->er_rec[0].ee_lblk = cpu_to_le32(1);
	le64_add_cpu(&root->er_rec[0].ee_pblk, 1);
	root->er_rec[0].ee_len = cpu_to_le32(VEXFS_EXT_UNWRITTEN |
					     (2 * cb() - 1));
	CHECK(vexfs_verify_extent_root(&vol.fs, root));
	CHECK(vexfs_ext_allocate(t, &vol.node, 0, 1, 0, &map) ==
	      -EFSCORRUPTED);
	CHECK(vexfs_ext_remove(t, &vol.node, 0, VEXFS_MAX_LBLK, &more) ==
	      -EFSCORRUPTED);
	tu_end(t);
	tu_close(&vol);
}

/*
 * What goes from the begin of a deep tree takes whole subtrees with it; what
 * comes there again has to fit in front of the others.
 */
static void test_front(u32 order)
{
	u32 i, round, n = 50021, front = n * 2 / 3;

	tu_open(&vol, 2 * VOLUME, 4096);
	vol.dev->paranoid = false;
	model_open(2 * n);
	for (i = 0; i < n; i++) {
		CHECK(!try_allocate(2 * fragment(2, i, n), 1));
		if (i % 500 == 0)
			tu_commit(&vol);
	}
	CHECK(le16_to_cpu(vol.node.root.er_depth) == 2);
	CHECK(le16_to_cpu(vol.node.root.er_count) > 1);
	for (round = 0; round < 2; round++) {
		CHECK(!try_remove(0, 2 * front));
		compare();
		tu_commit(&vol);
		for (i = 0; i < front; i++) {
			CHECK(!try_allocate(2 * fragment(order, i, front), 1));
			if (i % 4000 == 0)
				compare();
		}
		compare();
	}
	CHECK(!try_remove(0, model.blocks));
	compare();
	tu_close(&vol);
}

static void test_big(u32 n)
{
	struct vexfs_trans *t = NULL;
	struct vexfs_map map;
	u32 i, before = 0, after = 0;
	double start, mid;
	bool more = true;

	n *= tu_scale();
	tu_open(&vol, (2ull * n << 12) + VOLUME, 4096);
	vol.dev->paranoid = false;
	start = tu_now();
	for (i = 0; i < n; i++) {
		if (i % 64 == 0)
			t = tu_begin(&vol, 64 * VEXFS_EXT_CREDITS);
		CHECK(!vexfs_ext_allocate(t, &vol.node,
					  2ull * fragment(2, i, n), 1, 0,
					  &map));
		if (i % 64 == 63 || i == n - 1)
			CHECK(!vexfs_trans_commit(t));
	}
	mid = tu_now();
	printf("# %u allocations: %.2f us each\n", n, (mid - start) / n * 1e6);
	tu_check_extents(&vol, NULL, NULL);
	start = tu_now();
	for (i = 0; i < n; i++) {
		CHECK(!vexfs_ext_lookup(&vol.node, 2ull * fragment(2, i, n), 2,
					&map));
		CHECK(map.pblk && map.len == 1);
	}
	mid = tu_now();
	printf("# lookups: %.2f us each, depth %u\n", (mid - start) / n * 1e6,
	       le16_to_cpu(vol.node.root.er_depth));
	CHECK(le16_to_cpu(vol.node.root.er_depth) >= 2);
	/* However many credits there are, revoke records are not for ever. */
	tu_extent_nodes(&vol, count_nodes, &before);
	t = tu_begin(&vol, 100000);
	CHECK(!vexfs_ext_remove(t, &vol.node, 0, VEXFS_MAX_LBLK, &more));
	CHECK(more && !vexfs_trans_commit(t));
	tu_extent_nodes(&vol, count_nodes, &after);
	CHECK(before > after && before - after <= VEXFS_EXT_REVOKES);
	while (more) {
		t = tu_begin(&vol, 1000);
		CHECK(!vexfs_ext_remove(t, &vol.node, 0, VEXFS_MAX_LBLK,
					&more));
		CHECK(!vexfs_trans_commit(t));
	}
	printf("# removal: %.2f us each\n", (tu_now() - mid) / n * 1e6);
	CHECK(!vol.node.blocks && tu_free(&vol) == vol.free_at_start);
	tu_close(&vol);
}

int main(void)
{
	tu_plan(31);
	tu_run("random operations", test_random, 4096);
	tu_run("random operations", test_random, 8192);
	tu_run("random operations", test_random, 65536);
	tu_run("sequential writing", test_sequential, 4096);
	tu_run("sequential writing", test_sequential, 8192);
	tu_run("sequential writing", test_sequential, 65536);
	tu_run("fragments in ascending order", test_order, 0);
	tu_run("fragments in descending order", test_order, 1);
	tu_run("fragments in any order", test_order, 2);
	tu_run("front removed, and in order again", test_front, 0);
	tu_run("front removed, and backwards again", test_front, 1);
	tu_run("front removed, and anyhow again", test_front, 2);
	tu_run("no space at each allocation", test_enospc, 4096);
	tu_run("no space at each allocation", test_enospc, 8192);
	tu_run("no space at each allocation", test_enospc, 65536);
	tu_run("read errors", test_faults, 0);
	tu_run("no memory", test_faults, 1);
	tu_run("limits", test_limits, 4096);
	tu_run("limits", test_limits, 8192);
	tu_run("limits", test_limits, 65536);
	tu_run("credits", test_credits, 0);
	tu_run("damaged nodes", test_damage, 4096);
	tu_run("damaged nodes", test_damage, 8192);
	tu_run("damaged nodes", test_damage, 65536);
	tu_run("damaged roots", test_damaged_root, 4096);
	tu_run("damaged roots", test_damaged_root, 8192);
	tu_run("damaged roots", test_damaged_root, 65536);
	tu_run("a node in another's place", test_crossed, 0);
	tu_run("clusters mapped in part", test_partial, 8192);
	tu_run("clusters mapped in part", test_partial, 65536);
	tu_run("many fragments", test_big, TU_MANY(200003));
	return tu_exit();
}

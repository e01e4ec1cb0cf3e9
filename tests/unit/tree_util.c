// SPDX-License-Identifier: GPL-2.0
/*
 * For tests of extent trees and directories; see tree_util.h.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include "tree_util.h"
#include "random.h"

#include <setjmp.h>
#include <time.h>
#include <unistd.h>

static jmp_buf tu_jmp;
static int tu_nr, tu_planned, tu_failed;
static u64 tu_state;

void tu_fail(const char *file, int line, const char *cond, const char *fmt,
	     ...)
{
	va_list ap;

	printf("# %s:%d: %s\n", file, line, cond);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	printf("\n");
	longjmp(tu_jmp, 1);
}

void tu_plan(int tests)
{
	tu_planned = tests;
	printf("1..%d\n", tests);
}

double tu_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

u32 tu_scale(void)
{
	const char *s = getenv("VEXFS_TEST_SCALE");
	int n = s ? atoi(s) : 1;

	return n > 0 ? n : 1;
}

/* A test that hangs is killed by the alarm: the plan is then not fulfilled. */
void tu_run(const char *name, void (*fn)(u32 arg), u32 arg)
{
	double start = tu_now();
	bool ok;

	tu_srand(4711);
	kshim_fail_alloc = 0;
	alarm(120 * tu_scale());
	ok = !setjmp(tu_jmp);
	if (ok)
		fn(arg);
	alarm(0);
	tu_failed += !ok;
	printf("%sok %d - %s (%u)\n", ok ? "" : "not ", ++tu_nr, name, arg);
	printf("# %.2f s\n", tu_now() - start);
	fflush(stdout);
}

int tu_exit(void)
{
	return tu_failed || tu_nr != tu_planned;
}

void tu_srand(u64 seed)
{
	tu_state = seed;
}

u64 tu_rand(void)
{
	return vexfs_splitmix(&tu_state);
}

u32 tu_below(u32 n)
{
	return (tu_rand() >> 32) * n >> 32;
}

static void tu_format_groups(struct vexfs_dev *dev, struct vexfs_geom *g,
			     struct vexfs_fs *fs)
{
	u8 block[VEXFS_BLOCK_SIZE];
	struct vexfs_group_desc *gd;
	u32 nr, i, group, csum;

	for (nr = 0; nr < g->gdt_blocks; nr++) {
		memset(block, 0, sizeof(block));
		gd = (struct vexfs_group_desc *)block;
		for (i = 0; i < VEXFS_DESC_PER_BLOCK; i++) {
			group = nr * VEXFS_DESC_PER_BLOCK + i;
			if (group >= g->groups)
				break;
			vexfs_group_desc_init(g, group, &gd[i]);
			csum = vexfs_group_desc_csum(fs, group, &gd[i]);
			gd[i].bg_checksum = cpu_to_le32(csum);
		}
		CHECK(!vexfs_dev_write(dev, vexfs_gdt_block(g, nr), block));
	}
}

static void tu_format(struct vexfs_dev *dev, u64 bytes, u32 cluster_size)
{
	const struct vexfs_geom_options opt = {
		.device_bytes	= bytes,
		.cluster_size	= cluster_size,
		.bytes_per_inode = 65536,
	};
	struct vexfs_fs fs = { .csum_seed = 0x5eed };
	struct vexfs_super_block *sb;
	u8 block[VEXFS_BLOCK_SIZE] = { 0 };
	struct vexfs_geom geom;
	const char *why = "";

	CHECK(!vexfs_geom_compute(&opt, &geom, &why), "%s", why);
	sb = (void *)(block + VEXFS_SUPER_OFFSET);
	vexfs_init_super(sb, &geom);
	sb->s_csum_seed = cpu_to_le32(fs.csum_seed);
	memset(sb->s_hash_seed, 0x42, sizeof(sb->s_hash_seed));
	sb->s_checksum = cpu_to_le32(vexfs_super_csum(sb));
	CHECK(!vexfs_dev_write(dev, 0, block));
	tu_format_groups(dev, &geom, &fs);
}

static void tu_load(struct tu_vol *v)
{
	const char *why = "";

	memset(&v->fs, 0, sizeof(v->fs));
	v->fs.dev = v->dev;
	CHECK(!vexfs_fs_load(&v->fs, &why), "%s", why);
}

void tu_open(struct tu_vol *v, u64 bytes, u32 cluster_size)
{
	memset(v, 0, sizeof(*v));
	v->dev = vexfs_dev_mem(bytes);
	CHECK(!IS_ERR(v->dev));
	v->dev->paranoid = true;
	v->hoard = calloc(TU_HOARD, sizeof(*v->hoard));
	CHECK(v->hoard);
	tu_format(v->dev, bytes, cluster_size);
	tu_load(v);
	vexfs_node_init(&v->node, &v->fs, TU_INO, TU_GEN);
	v->free_at_start = tu_free(v);
}

void tu_clone(struct tu_vol *v, const struct tu_vol *src)
{
	memset(v, 0, sizeof(*v));
	v->dev = vexfs_dev_clone(src->dev);
	CHECK(!IS_ERR(v->dev));
	v->dev->quiet = true;
	tu_load(v);
	vexfs_node_init(&v->node, &v->fs, TU_INO, TU_GEN);
	v->node.root = src->node.root;
	v->node.blocks = src->node.blocks;
	v->node.xattr_block = src->node.xattr_block;
	v->node.xattr_len = src->node.xattr_len;
	memcpy(v->node.xattr_inline, src->node.xattr_inline,
	       sizeof(v->node.xattr_inline));
	v->size = src->size;
	v->free_at_start = src->free_at_start;
}

/* The device aborts when a buffer is still held. */
void tu_close(struct tu_vol *v)
{
	tu_commit(v);
	vexfs_fs_unload(&v->fs);
	vexfs_dev_close(v->dev);
	free(v->hoard);
}

void tu_commit(struct tu_vol *v)
{
	CHECK(!vexfs_dev_commit(v->dev));
}

void tu_drop(struct tu_vol *v)
{
	tu_commit(v);
	vexfs_dev_drop_cache(v->dev);
}

struct vexfs_trans *tu_begin(struct tu_vol *v, int credits)
{
	int fault = kshim_fail_alloc;
	struct vexfs_trans *t;

	/* Memory is to be short later. */
	kshim_fail_alloc = 0;
	t = vexfs_trans_begin(v->dev, credits);
	kshim_fail_alloc = fault;
	CHECK(!IS_ERR(t));
	return t;
}

void tu_end(struct vexfs_trans *t)
{
	CHECK(!vexfs_trans_end(t));
}

s64 tu_free(struct tu_vol *v)
{
	return percpu_counter_sum(&v->fs.free_clusters);
}

static void tu_hoard(struct tu_vol *v, u32 n)
{
	struct vexfs_trans *t = tu_begin(v, 1000);
	u32 len, i;
	u64 first;

	while (n) {
		len = n;
		CHECK(!vexfs_balloc(t, &v->fs, 0, VEXFS_ALLOC_RESERVED, &first,
				    &len));
		n -= len;
		for (i = 0; i < len; i++) {
			CHECK(v->hoarded < TU_HOARD);
			v->hoard[v->hoarded++] = first + i;
		}
	}
	tu_end(t);
	tu_commit(v);
}

static void tu_release(struct tu_vol *v, u32 n)
{
	struct vexfs_trans *t = tu_begin(v, 1000);
	u32 len;

	while (n) {
		for (len = 1; len < n && v->hoard[v->hoarded - len] ==
		     v->hoard[v->hoarded - len - 1] + 1; len++)
			;
		v->hoarded -= len;
		CHECK(!vexfs_bfree(t, &v->fs, v->hoard[v->hoarded], len));
		n -= len;
	}
	tu_end(t);
	tu_commit(v);
}

void tu_leave_free(struct tu_vol *v, u32 n)
{
	s64 now;

	tu_commit(v);
	now = tu_free(v);
	if (now > n)
		tu_hoard(v, now - n);
	else if (now < n)
		tu_release(v, n - now);
	CHECK(tu_free(v) == n);
}

void tu_unhoard(struct tu_vol *v)
{
	tu_commit(v);
	tu_release(v, v->hoarded);
}

struct tu_walk {
	struct tu_vol *v;
	tu_extent_fn fn;
	tu_block_fn node_fn;
	void *arg;
	u64 next;			/* end of the extent before */
	u64 data;			/* blocks */
	u64 nodes;
};

static void tu_walk_leaf(struct tu_walk *w, const struct vexfs_extent *rec,
			 int count, u64 lo, u64 hi)
{
	u32 mask = w->v->fs.geom.cluster_blocks - 1;
	struct vexfs_map prev = { 0 }, map;
	u32 len;
	int i;

	for (i = 0; i < count; i++) {
		len = le32_to_cpu(rec[i].ee_len);
		map.lblk = le32_to_cpu(rec[i].ee_lblk);
		map.pblk = le64_to_cpu(rec[i].ee_pblk);
		map.len = len & VEXFS_EXT_LEN_MASK;
		map.unwritten = len & VEXFS_EXT_UNWRITTEN;
		CHECK(map.len);
		CHECK(map.lblk >= lo && map.lblk + map.len <= hi);
		CHECK(map.lblk >= w->next);
		CHECK(!((map.lblk ^ map.pblk) & mask));
		/* A hole is whole clusters. */
		CHECK(map.lblk == w->next || !((map.lblk | w->next) & mask));
		/* Neighbours that could be one are one. */
		CHECK(!i || map.lblk != w->next ||
		      map.pblk != prev.pblk + prev.len ||
		      map.unwritten != prev.unwritten ||
		      map.len + prev.len > VEXFS_EXT_LEN_MASK);
		if (w->fn)
			w->fn(w->arg, &map);
		w->next = map.lblk + map.len;
		w->data += map.len;
		prev = map;
	}
}

static void tu_walk_node(struct tu_walk *w, const struct vexfs_extent *rec,
			 int count, int depth, u64 lo, u64 hi)
{
	struct vexfs_fs *fs = &w->v->fs;
	u32 mask = fs->geom.cluster_blocks - 1;
	struct vexfs_extent_node *node;
	struct vexfs_buf *buf;
	u64 key, end, bno, last = 0;
	int i;

	CHECK(count > 0 || w->v->node.root.er_depth == 0);
	if (!depth) {
		tu_walk_leaf(w, rec, count, lo, hi);
		return;
	}
	for (i = 0; i < count; i++) {
		key = le32_to_cpu(rec[i].ee_lblk);
		end = i + 1 < count ? le32_to_cpu(rec[i + 1].ee_lblk) : hi;
		bno = le64_to_cpu(rec[i].ee_pblk);
		CHECK(i ? key > last : key >= lo);
		CHECK(key < hi);
		last = key;
		CHECK(!((key | bno) & mask) && !rec[i].ee_len);
		buf = vexfs_meta_read(fs, bno, VEXFS_MAGIC_EXTENT, TU_INO,
				      TU_GEN);
		CHECK(!IS_ERR(buf));
		node = vexfs_buf_data(buf);
		CHECK(!vexfs_verify_meta(fs, node, bno, VEXFS_MAGIC_EXTENT,
					 TU_INO, TU_GEN));
		CHECK(le16_to_cpu(node->en_depth) == depth - 1);
		w->nodes++;
		if (w->node_fn)
			w->node_fn(w->arg, bno);
		tu_walk_node(w, node->en_rec, le16_to_cpu(node->en_count),
			     depth - 1, i ? key : lo, end);
		vexfs_buf_put(buf);
	}
}

static void tu_walk(struct tu_walk *w)
{
	struct vexfs_extent_root *root = &w->v->node.root;

	CHECK(!vexfs_verify_extent_root(&w->v->fs, root));
	tu_walk_node(w, root->er_rec, le16_to_cpu(root->er_count),
		     le16_to_cpu(root->er_depth), 0, 1ull << 32);
}

void tu_check_extents(struct tu_vol *v, tu_extent_fn fn, void *arg)
{
	struct tu_walk w = { .v = v, .fn = fn, .arg = arg };
	u64 used, end;

	tu_walk(&w);
	CHECK(!(w.next & (v->fs.geom.cluster_blocks - 1)));
	used = w.data + w.nodes * v->fs.geom.cluster_blocks;
	CHECK(v->node.blocks == used, "%llu blocks, %llu found", v->node.blocks,
	      used);
	used = (used >> v->fs.geom.cluster_shift) + v->hoarded;
	CHECK(tu_free(v) + used == v->free_at_start,
	      "%lld free and %llu used, not %llu", tu_free(v), used,
	      v->free_at_start);
	CHECK(!vexfs_ext_last(&v->node, &end) && end == w.next);
}

void tu_extent_nodes(struct tu_vol *v, tu_block_fn fn, void *arg)
{
	struct tu_walk w = { .v = v, .node_fn = fn, .arg = arg };

	tu_walk(&w);
}

static void tu_flip(u8 *data)
{
	u32 i, off, n = 1 + tu_below(3);

	for (i = 0; i < n; i++) {
		off = tu_below(4) ? tu_below(VEXFS_BLOCK_SIZE) : tu_below(96);
		if (tu_below(2))
			data[off] ^= 1 + tu_below(255);
		else
			data[off] = tu_below(2) ? 0 : 0xff;
	}
}

void tu_damage(struct tu_vol *v, u64 bno, bool fix_csum)
{
	struct vexfs_trans *t = tu_begin(v, 1);
	struct vexfs_buf *buf = vexfs_buf_read(&v->fs, bno);
	u8 before[VEXFS_BLOCK_SIZE], *data;

	CHECK(!IS_ERR(buf));
	CHECK(!vexfs_trans_write(t, buf));
	data = vexfs_buf_data(buf);
	memcpy(before, data, sizeof(before));
	while (!memcmp(before, data, sizeof(before)))
		tu_flip(data);
	if (fix_csum)
		vexfs_meta_csum(&v->fs, buf);
	CHECK(!vexfs_trans_dirty(t, buf));
	vexfs_buf_put(buf);
	tu_end(t);
	tu_drop(v);
}

// SPDX-License-Identifier: GPL-2.0
/*
 * Directories against a model that knows which of a set of names are there.
 * The hash is this program's, so that names can be made to collide.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include "tree_util.h"
#include "../../fs/vexfs/libvexfs/dir.h"

#define VOLUME		(256ull << 20)

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

/* Name i is a function of i; here is what should be known of it. */
struct model {
	u32 names;
	u32 present;
	u64 *ino;			/* 0: not there */
	u64 *key;
	u8 *type;
	u8 *seen;
};

static struct tu_vol vol;
static struct model model;

static u64 mix(u64 x)
{
	x = (x ^ (x >> 31)) * 0x7fb5d329728ea185ull;
	x = (x ^ (x >> 27)) * 0x81dadef4bc2dd44dull;
	return x ^ (x >> 33);
}

/* Any bytes but a slash and zero; the number is in the first bytes. */
static u32 make_name(u32 i, u8 *name)
{
	u32 len = 5 + mix(i) % (i % 8 ? 20 : 251), k, v = i;

	for (k = 0; k < len; k++)
		name[k] = 1 + mix(i * 300ull + k) % 255;
	for (k = 0; k < 5; k++, v /= 250)
		name[k] = 1 + v % 250;
	for (k = 0; k < len; k++)
		if (name[k] == '/')
			name[k] = 255;
	return len;
}

static u32 name_number(const u8 *name)
{
	u32 k, v = 0;

	for (k = 5; k-- > 0; )
		v = v * 250 + (name[k] == 255 ? '/' : name[k]) - 1;
	return v;
}

static void model_open(u32 names)
{
	free(model.ino);
	free(model.key);
	free(model.type);
	free(model.seen);
	model.names = names;
	model.present = 0;
	model.ino = calloc(names, sizeof(u64));
	model.key = calloc(names, sizeof(u64));
	model.type = calloc(names, 1);
	model.seen = calloc(names, 1);
	CHECK(model.ino && model.key && model.type && model.seen);
}

static void open_both(u32 cluster_size, u32 names)
{
	struct vexfs_trans *t;

	hash_values = 0;
	tu_open(&vol, VOLUME, cluster_size);
	model_open(names);
	t = tu_begin(&vol, VEXFS_DIR_CREDITS);
	CHECK(!vexfs_dir_init(t, &vol.node, &vol.size));
	CHECK(vol.size == VEXFS_BLOCK_SIZE);
	CHECK(vexfs_dir_empty(&vol.node) == 1);
	tu_end(t);
}

/* The model after an entry was read. */
static void compare_entry(const struct vexfs_dirent *de)
{
	u8 name[VEXFS_NAME_LEN];
	u32 i = name_number(de->name);

	CHECK(i < model.names);
	CHECK(make_name(i, name) == de->name_len);
	CHECK(!memcmp(name, de->name, de->name_len));
	CHECK(!de->name[de->name_len]);
	CHECK(model.ino[i] && model.ino[i] == de->ino);
	CHECK(model.type[i] == de->type);
	/* The cookie never changes. */
	CHECK(!model.key[i] || model.key[i] == de->key);
	CHECK(de->key >= 16 && de->key < S64_MAX);
	CHECK(de->key >> VEXFS_DIR_DISC_BITS ==
	      vexfs_dir_hash(&vol.fs, de->name, de->name_len));
	model.key[i] = de->key;
}

struct walk {
	u8 *used;			/* what each logical block is */
	u64 blocks;
	u64 next;			/* key */
	u32 entries;
	u32 leaves;
	u64 bytes;
};

static struct vexfs_buf *walk_read(struct walk *w, u32 lblk)
{
	struct vexfs_buf *buf = vexfs_dir_read(&vol.node, lblk);

	CHECK(!IS_ERR(buf));
	CHECK(!vexfs_verify_meta(&vol.fs, vexfs_buf_data(buf),
				 vexfs_buf_bno(buf), VEXFS_MAGIC_DIR, TU_INO,
				 TU_GEN));
	CHECK(lblk < w->blocks && !w->used[lblk]);
	w->used[lblk] = 1;
	return buf;
}

static void walk_leaf(struct walk *w, struct vexfs_dir_block *db, u64 lo,
		      u64 hi)
{
	struct vexfs_dirent de;
	u32 off;

	for (off = 0; off < vexfs_dir_used(db);
	     off += VEXFS_DIR_ENTRY_LEN(de.name_len)) {
		vexfs_dir_entry_get(vexfs_dir_entry_at(db, off), &de);
		CHECK(de.key >= w->next && de.key >= lo && de.key < hi);
		w->next = de.key + 1;
		w->entries++;
		compare_entry(&de);
	}
	w->leaves++;
	w->bytes += off;
}

static void walk_block(struct walk *w, u32 lblk, int level, u64 lo, u64 hi)
{
	struct vexfs_buf *buf = walk_read(w, lblk);
	struct vexfs_dir_block *db = vexfs_buf_data(buf);
	struct vexfs_dir_index *di = vexfs_dir_indexes(db);
	int i, count = vexfs_dir_count(db);
	u64 key, end, last = 0;

	CHECK(!db->db_flags && (!lblk || !db->db_free));
	if (level < 0)
		level = le16_to_cpu(db->db_level);
	CHECK(le16_to_cpu(db->db_level) == level);
	CHECK(count || !lblk);
	/* A root with an only child would have taken it over. */
	CHECK(lblk || !level || count > 1);
	if (!level)
		walk_leaf(w, db, lo, hi);
	for (i = 0; level && i < count; i++) {
		key = le64_to_cpu(di[i].di_key);
		end = i + 1 < count ? le64_to_cpu(di[i + 1].di_key) : hi;
		CHECK(i ? key > last : key >= lo && (lblk || !key));
		CHECK(key < hi);
		last = key;
		walk_block(w, le32_to_cpu(di[i].di_lblk), level - 1,
			   i ? key : lo, end);
	}
	vexfs_buf_put(buf);
}

/* The free list holds each block that isn't in the tree, once. */
static void walk_free(struct walk *w)
{
	struct vexfs_buf *buf = vexfs_dir_read(&vol.node, 0);
	u32 lblk, i;

	CHECK(!IS_ERR(buf));
	lblk = le32_to_cpu(vexfs_dir_data(buf)->db_free);
	vexfs_buf_put(buf);
	while (lblk) {
		buf = walk_read(w, lblk);
		CHECK(vexfs_dir_data(buf)->db_flags ==
		      cpu_to_le16(VEXFS_DIR_FREE));
		lblk = le32_to_cpu(vexfs_dir_data(buf)->db_free);
		vexfs_buf_put(buf);
	}
	for (i = 0; i < w->blocks; i++)
		CHECK(w->used[i], "block %u of %llu", i, w->blocks);
}

static void compare_map(void *arg, const struct vexfs_map *map)
{
	u64 *next = arg;

	CHECK(map->lblk == *next);
	CHECK(map->unwritten == (map->lblk >= vol.size >> VEXFS_BLOCK_SHIFT));
	*next += map->len;
}

/* The tree is right in itself, and holds what the model says. */
static struct walk compare(void)
{
	struct walk w = { .blocks = vol.size >> VEXFS_BLOCK_SHIFT };
	u64 end = 0, cluster = vol.fs.geom.cluster_blocks;

	CHECK(!(vol.size % VEXFS_BLOCK_SIZE));
	w.used = calloc(w.blocks, 1);
	CHECK(w.used);
	walk_block(&w, 0, -1, 0, VEXFS_DIR_NO_KEY);
	CHECK(w.entries == model.present, "%u entries, not %u", w.entries,
	      model.present);
	walk_free(&w);
	free(w.used);
	tu_check_extents(&vol, compare_map, &end);
	/* Growing may have failed when a cluster was there already. */
	CHECK(end == roundup(w.blocks, cluster) || end == w.blocks + cluster);
	CHECK(vexfs_dir_empty(&vol.node) == !model.present);
	return w;
}

static int try_add(u32 i)
{
	struct vexfs_trans *t = tu_begin(&vol, VEXFS_DIR_CREDITS);
	u64 ino = 1 + mix(tu_rand());
	u8 name[VEXFS_NAME_LEN], type = 1 + tu_below(7);
	u32 len = make_name(i, name);
	int err;

	err = vexfs_dir_add(t, &vol.node, name, len, ino, type, &vol.size);
	tu_end(t);
	if (err)
		return err;
	CHECK(!model.ino[i]);
	model.ino[i] = ino;
	model.type[i] = type;
	model.key[i] = 0;
	model.present++;
	return 0;
}

static int try_remove(u32 i)
{
	struct vexfs_trans *t = tu_begin(&vol, VEXFS_DIR_CREDITS);
	u8 name[VEXFS_NAME_LEN];
	u32 len = make_name(i, name);
	int err;

	err = vexfs_dir_remove(t, &vol.node, name, len, &vol.size);
	tu_end(t);
	if (err)
		return err;
	CHECK(model.ino[i]);
	model.ino[i] = 0;
	model.present--;
	return 0;
}

static int try_set(u32 i)
{
	struct vexfs_trans *t = tu_begin(&vol, 1);
	u8 name[VEXFS_NAME_LEN];
	u32 len = make_name(i, name);
	u64 ino = 1 + mix(tu_rand());
	int err;

	err = vexfs_dir_set(t, &vol.node, name, len, ino, 3);
	tu_end(t);
	if (err)
		return err;
	CHECK(model.ino[i]);
	model.ino[i] = ino;
	model.type[i] = 3;
	return 0;
}

static int try_lookup(u32 i)
{
	struct vexfs_dirent de;
	u8 name[VEXFS_NAME_LEN];
	u32 len = make_name(i, name);
	int err;

	err = vexfs_dir_lookup(&vol.node, name, len, &de);
	if (!err) {
		compare_entry(&de);
		CHECK(name_number(de.name) == i);
	}
	return err;
}

/* What an operation on name @i should return. */
static int expected(int kind, u32 i)
{
	if (kind == 0)
		return model.ino[i] ? -EEXIST : 0;
	return model.ino[i] ? 0 : -ENOENT;
}

static int do_op(int kind, u32 i)
{
	static int (*const ops[])(u32) = {
		try_add, try_remove, try_set, try_lookup,
	};

	return ops[kind](i);
}

static int random_kind(u32 adds)
{
	u32 r = tu_below(100);

	return r < adds ? 0 : r < 70 ? 1 : r < 80 ? 2 : 3;
}

static void test_random(u32 cluster_size)
{
	u32 i, n = 60000 * tu_scale(), x, adds = 50;
	int kind, err;

	open_both(cluster_size, 6000);
	for (i = 0; i < n; i++) {
		if (i % 5000 == 0)
			adds = 15 + tu_below(45);
		kind = random_kind(adds);
		x = tu_below(model.names);
		err = expected(kind, x);
		CHECK(do_op(kind, x) == err);
		if (i % 50 == 0)
			tu_commit(&vol);
		if (i % 1000 == 0)
			compare();
	}
	tu_drop(&vol);
	compare();
	for (i = 0; i < model.names; i++)
		if (model.ino[i])
			CHECK(!try_remove(i));
	CHECK(compare().leaves == 1);
	tu_close(&vol);
}

static void test_arguments(u32 arg)
{
	struct vexfs_trans *t;
	struct vexfs_dirent de;
	u8 name[256];
	u32 len;

	open_both(4096, 1);
	memset(name, 'x', sizeof(name));
	t = tu_begin(&vol, 1000);
	CHECK(vexfs_dir_add(t, &vol.node, name, 0, 1, 1, &vol.size) ==
	      -EINVAL);
	CHECK(vexfs_dir_add(t, &vol.node, name, 256, 1, 1, &vol.size) ==
	      -ENAMETOOLONG);
	CHECK(vexfs_dir_lookup(&vol.node, name, 256, &de) == -ENOENT);
	CHECK(vexfs_dir_lookup(&vol.node, name, 0, &de) == -ENOENT);
	CHECK(vexfs_dir_remove(t, &vol.node, name, 256, &vol.size) == -ENOENT);
	CHECK(vexfs_dir_next(&vol.node, 0, &de) == -ENOENT);
	for (len = 1; len <= 255; len++) {
		CHECK(!vexfs_dir_add(t, &vol.node, name, len, len, 1,
				     &vol.size));
		CHECK(vexfs_dir_add(t, &vol.node, name, len, 9, 1,
				    &vol.size) == -EEXIST);
	}
	for (len = 1; len <= 255; len++) {
		CHECK(!vexfs_dir_lookup(&vol.node, name, len, &de));
		CHECK(de.ino == len && de.name_len == len && de.type == 1);
	}
	CHECK(vexfs_dir_empty(&vol.node) == 0);
	tu_end(t);
	tu_close(&vol);
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
	u32 i = name_number(de->name);

	CHECK(de->key >= l->next);
	l->next = de->key + 1;
	l->entries++;
	compare_entry(de);
	CHECK(!model.seen[i]);
	model.seen[i] = 1;
	return l->entries < l->stop;
}

static void test_list(u32 values)
{
	struct listing l = { .stop = U32_MAX };
	struct vexfs_dirent de;
	u64 key;
	u32 i, n = 0;

	open_both(4096, 5000);
	hash_values = values;
	CHECK(vexfs_dir_iterate(&vol.node, 0, list_one, &l) == 0);
	CHECK(!l.entries);
	for (i = 0; i < model.names; i++)
		CHECK(!try_add(i));
	CHECK(vexfs_dir_iterate(&vol.node, 0, list_one, &l) == 0);
	CHECK(l.entries == model.names);
	for (key = 0; !vexfs_dir_next(&vol.node, key, &de); n++) {
		CHECK(de.key >= key);
		key = de.key + 1;
	}
	CHECK(n == model.names);
	CHECK(vexfs_dir_iterate(&vol.node, S64_MAX, list_one, &l) == 0);
	tu_close(&vol);
}

/* Some names stay while others come and go between calls of readdir. */
static void test_list_changing(u32 values)
{
	struct listing l = { 0 };
	u32 i, k, stay = 3000;
	int ret = 1;

	open_both(8192, 9000);
	hash_values = values;
	for (i = 0; i < 6000; i++)
		CHECK(!try_add(i));
	while (ret) {
		l.stop = l.entries + 1 + tu_below(30);
		ret = vexfs_dir_iterate(&vol.node, l.next, list_one, &l);
		CHECK(ret >= 0);
		for (k = 0; k < 60; k++) {
			i = stay + tu_below(model.names - stay);
			/* Whoever comes back may be seen again. */
			if (!model.ino[i])
				model.seen[i] = 0;
			CHECK(!do_op(model.ino[i] ? 1 : 0, i));
		}
		tu_commit(&vol);
	}
	for (i = 0; i < stay; i++)
		CHECK(model.seen[i], "name %u was not listed", i);
	compare();
	tu_close(&vol);
}

/* All names have one hash: 128 of them fit, over several leaves. */
static void test_one_hash(u32 cluster_size)
{
	u32 i, k, x;
	u64 size;
	int err;

	open_both(cluster_size, 2400);
	hash_values = 1;
	/* Every eighth name is long. */
	for (i = 0; i < 128; i++)
		CHECK(!try_add(8 * i));
	size = vol.size;
	CHECK(compare().leaves > 3);
	CHECK(try_add(1600) == -ENOSPC && vol.size == size);
	CHECK(try_add(8 * 5) == -EEXIST);
	compare();
	for (k = 0; k < 3000; k++) {
		x = 8 * tu_below(model.names / 8);
		err = !model.ino[x] && model.present == 128 ? -ENOSPC : 0;
		CHECK(do_op(model.ino[x] ? 1 : 0, x) == err);
		if (k % 100 == 0)
			compare();
		x = 8 * tu_below(model.names / 8);
		CHECK(try_lookup(x) == (model.ino[x] ? 0 : -ENOENT));
	}
	compare();
	tu_close(&vol);
}

static void test_collisions(u32 values)
{
	u32 i, x, n = 15000 * tu_scale();
	int kind, err;

	open_both(4096, values * 100);
	hash_values = values;
	for (i = 0; i < n; i++) {
		kind = random_kind(40);
		x = tu_below(model.names);
		err = expected(kind, x);
		CHECK(do_op(kind, x) == err);
		if (i % 100 == 0)
			tu_commit(&vol);
		if (i % 1000 == 0)
			compare();
	}
	compare();
	tu_close(&vol);
}

struct order {
	u32 *name;
	u32 n;
};

static bool take_order(void *arg, const struct vexfs_dirent *de)
{
	struct order *o = arg;

	o->name[o->n++] = name_number(de->name);
	return true;
}

/* As "rm -r" does it, and backwards: leaves empty one after the other. */
static void test_remove_ordered(u32 backwards)
{
	u32 i, n = 30000;
	struct order o = { .name = calloc(n, sizeof(u32)) };

	CHECK(o.name);
	open_both(4096, n);
	for (i = 0; i < n; i++) {
		CHECK(!try_add(i));
		if (i % 1000 == 0)
			tu_commit(&vol);
	}
	compare();
	CHECK(!vexfs_dir_iterate(&vol.node, 0, take_order, &o));
	CHECK(o.n == n);
	for (i = 0; i < n; i++) {
		CHECK(!try_remove(o.name[backwards ? n - 1 - i : i]));
		if (i % 1000 == 0 || i > n - 100)
			compare();
		if (i % 1000 == 0)
			tu_commit(&vol);
	}
	CHECK(compare().leaves == 1);
	free(o.name);
	tu_close(&vol);
}

/* The lower half of the keys goes, with its subtrees, and comes again. */
static void test_front(u32 backwards)
{
	u32 i, k, round, n = 30000;
	struct order o = { .name = calloc(n, sizeof(u32)) };

	CHECK(o.name);
	open_both(4096, n);
	for (i = 0; i < n; i++) {
		CHECK(!try_add(i));
		if (i % 1000 == 0)
			tu_commit(&vol);
	}
	CHECK(!vexfs_dir_iterate(&vol.node, 0, take_order, &o));
	for (round = 0; round < 3; round++) {
		for (i = 0; i < 2 * n / 3; i++)
			CHECK(!try_remove(o.name[i]));
		compare();
		tu_commit(&vol);
		for (i = 0; i < 2 * n / 3; i++) {
			k = backwards ? 2 * n / 3 - 1 - i : i;
			CHECK(!try_add(o.name[k]));
			if (i % 500 == 0)
				compare();
		}
		compare();
	}
	free(o.name);
	tu_close(&vol);
}

/* Making a directory fails without a trace. */
static void test_init_fails(u32 cluster_size)
{
	struct vexfs_trans *t;
	u32 k, failed = 0;
	int err = 1;

	tu_open(&vol, VOLUME, cluster_size);
	tu_leave_free(&vol, 0);
	t = tu_begin(&vol, VEXFS_DIR_CREDITS);
	CHECK(vexfs_dir_init(t, &vol.node, &vol.size) == -ENOSPC);
	tu_end(t);
	tu_unhoard(&vol);
	for (k = 1; err; k++) {
		CHECK(!vol.node.blocks && !vol.node.root.er_count);
		CHECK(tu_free(&vol) == vol.free_at_start);
		tu_drop(&vol);
		t = tu_begin(&vol, VEXFS_DIR_CREDITS);
		kshim_fail_alloc = k;
		err = vexfs_dir_init(t, &vol.node, &vol.size);
		kshim_fail_alloc = 0;
		tu_end(t);
		CHECK(!err || err == -ENOMEM);
		failed += !!err;
	}
	CHECK(failed > 2);
	tu_close(&vol);
}

/* Nothing free, then one cluster, and so on. */
static void test_enospc(u32 cluster_size)
{
	u32 i, x, free, failed = 0, n = 4000 * tu_scale();
	int kind, err, want;

	open_both(cluster_size, 3000);
	for (i = 0; i < n; i++) {
		kind = random_kind(60);
		x = tu_below(model.names);
		want = expected(kind, x);
		for (free = 0; ; free++) {
			tu_leave_free(&vol, free);
			err = do_op(kind, x);
			if (err == want)
				break;
			CHECK(err == -ENOSPC, "%d", err);
			CHECK(kind == 0);
			compare();
			failed++;
			CHECK(free < 20);
		}
		if (i % 500 == 0)
			compare();
	}
	tu_unhoard(&vol);
	compare();
	printf("# %u operations failed, size %llu\n", failed, vol.size);
	CHECK(failed > (cluster_size == 65536 ? 0 : 10));
	tu_close(&vol);
}

/* Reading fails, or memory is short, at each place where it can. */
static void test_faults(u32 memory)
{
	u32 i, k, x, failed = 0, n = 600 * tu_scale();
	int kind, err, want, *fault;

	open_both(8192, 8000);
	fault = memory ? &kshim_fail_alloc : &vol.dev->fail.read;
	for (i = 0; i < 4000; i++)
		CHECK(!try_add(i));
	for (i = 0; i < n; i++) {
		kind = random_kind(50);
		x = tu_below(model.names);
		want = expected(kind, x);
		for (k = 1; ; k++) {
			tu_drop(&vol);
			*fault = k;
			err = do_op(kind, x);
			if (*fault || err == want)
				break;
			CHECK(err == (memory ? -ENOMEM : -EIO), "%d", err);
			failed++;
			CHECK(k < 300);
		}
		*fault = 0;
		CHECK(err == want);
		if (i % 20 == 0)
			compare();
	}
	compare();
	printf("# %u operations failed\n", failed);
	CHECK(failed > n / 2);
	tu_close(&vol);
}

/* Splits must not fail half-way either: small steps over a growing tree. */
static void test_faults_growing(u32 memory)
{
	u32 i, k, failed = 0, n = 1500 * tu_scale();
	int err, *fault;

	open_both(4096, n);
	fault = memory ? &kshim_fail_alloc : &vol.dev->fail.read;
	for (i = 0; i < n; i++) {
		for (k = 1; ; k++) {
			if (!memory)
				tu_drop(&vol);
			*fault = k;
			err = try_add(i);
			if (!err)
				break;
			CHECK(err == (memory ? -ENOMEM : -EIO), "%d", err);
			*fault = 0;
			failed++;
			if (memory || i % 50 == 0)
				compare();
		}
		*fault = 0;
	}
	compare();
	printf("# %u operations failed\n", failed);
	tu_close(&vol);
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
	for (i = 0; i < 1500; i++) {
		len = make_name(tu_below(model.names), name);
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

	for (i = 0; i < model.names; i++) {
		len = make_name(i, name);
		err = vexfs_dir_lookup(&v->node, name, len, &de);
		if (err == -EFSBADCRC || err == -EFSCORRUPTED) {
			found++;
			continue;
		}
		CHECK(err == (model.ino[i] ? 0 : -ENOENT));
		if (!err)
			CHECK(de.ino == model.ino[i]);
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

	open_both(cluster_size, 3000);
	for (i = 0; i < 3000; i++)
		CHECK(!try_add(i));
	for (i = 0; i < 1500; i++)
		CHECK(!try_remove(i));
	compare();
	tu_commit(&vol);
	for (i = 0; i < n; i++) {
		tu_clone(&v, &vol);
		lblk = tu_below(3) ? tu_below(vol.size >> VEXFS_BLOCK_SHIFT) :
				     0;
		CHECK(!vexfs_ext_lookup(&vol.node, lblk, 1, &map));
		buf = vexfs_dir_read(&vol.node, lblk);
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
	tu_close(&vol);
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

	open_both(4096, 1);
	t = tu_begin(&vol, 1000);
	CHECK(!vexfs_dir_add(t, &vol.node, (const u8 *)"a", 1, 1, 1,
			     &vol.size));
	CHECK(!vexfs_dir_add(t, &vol.node, (const u8 *)"b", 1, 1, 1,
			     &vol.size));
	tu_end(t);
	buf = vexfs_dir_read(&vol.node, 0);
	CHECK(!IS_ERR(buf));
	CHECK(!vexfs_verify_dir_block(vexfs_buf_data(buf)));
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		memcpy(copy, vexfs_buf_data(buf), sizeof(copy));
		CHECK(copy[bad[i].off] != bad[i].byte);
		copy[bad[i].off] = bad[i].byte;
		CHECK(vexfs_verify_dir_block(copy), "bad thing %u", i);
	}
	vexfs_buf_put(buf);
	tu_close(&vol);
}

/* A size that is too small must not let the directory eat itself. */
static void test_bad_size(u32 arg)
{
	u32 i;
	int err = 0;

	open_both(4096, 3000);
	for (i = 0; i < 1000; i++)
		CHECK(!try_add(i));
	vol.dev->quiet = true;
	vol.size -= 3 * VEXFS_BLOCK_SIZE;
	for (; i < 3000 && !err; i++)
		err = try_add(i);
	CHECK(err == -EFSCORRUPTED);
	vol.size += 3 * VEXFS_BLOCK_SIZE;
	compare();
	tu_close(&vol);
}

static void set_free(u32 lblk, u32 next)
{
	struct vexfs_buf *buf = vexfs_dir_read(&vol.node, lblk);
	struct vexfs_trans *t = tu_begin(&vol, 1);

	CHECK(!IS_ERR(buf));
	CHECK(!vexfs_trans_write(t, buf));
	vexfs_dir_data(buf)->db_free = cpu_to_le32(next);
	vexfs_meta_csum(&vol.fs, buf);
	CHECK(!vexfs_trans_dirty(t, buf));
	vexfs_buf_put(buf);
	tu_end(t);
	tu_drop(&vol);
}

static u32 get_free(u32 lblk)
{
	struct vexfs_buf *buf = vexfs_dir_read(&vol.node, lblk);
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

	open_both(4096, 3000);
	for (i = 0; i < 1000; i++)
		CHECK(!try_add(i));
	for (i = 0; i < 1000; i++)
		CHECK(!try_remove(i));
	CHECK(compare().leaves == 1);
	vol.dev->quiet = true;
	first = get_free(0);
	next = get_free(first);
	CHECK(first && next);
	set_free(first, first);
	for (i = 0; i < 1000 && !err; i++)
		err = try_add(i);
	CHECK(err == -EFSCORRUPTED);
	set_free(first, next);
	compare();
	for (; i < 1000; i++)
		CHECK(!try_add(i));
	compare();
	/* Block 1 is in the tree or is free. */
	for (i = 0; i < 1000; i++)
		CHECK(try_remove(i) != -EIO);
	for (i = 0; i < 300; i++)
		CHECK(!try_add(i));
	for (i = 1; get_free(i) || i == first; i++)
		;
	first = get_free(0);
	set_free(0, i);
	for (i = 300, err = 0; i < 3000 && !err; i++)
		err = try_add(i);
	CHECK(err == -EFSCORRUPTED);
	set_free(0, first);
	compare();
	tu_close(&vol);
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
	open_both(4096, 1);
	tu_close(&vol);
	tu_open(&vol, 4 * VOLUME, 4096);
	vol.dev->paranoid = false;
	t = tu_begin(&vol, VEXFS_DIR_CREDITS);
	CHECK(!vexfs_dir_init(t, &vol.node, &vol.size));
	tu_end(t);
	start = tu_now();
	for (i = 0; i < n; i++) {
		t = tu_begin(&vol, VEXFS_DIR_CREDITS);
		CHECK(!vexfs_dir_add(t, &vol.node, name, big_name(i, name),
				     i + 1, 1, &vol.size));
		tu_end(t);
		if (i % 1000 == 0)
			tu_commit(&vol);
	}
	big_phase("add", n, &start);
	for (i = 0; i < n; i++) {
		CHECK(!vexfs_dir_lookup(&vol.node, name, big_name(i, name),
					&de));
		CHECK(de.ino == i + 1);
	}
	big_phase("look up", n, &start);
	CHECK(vexfs_dir_iterate(&vol.node, 0, count_bytes, &sum) == 0);
	CHECK(sum == n);
	big_phase("list", n, &start);
	printf("# %u entries in %llu blocks, %.0f %% full\n", n,
	       vol.size >> 12, 100. * n * VEXFS_DIR_ENTRY_LEN(17) / vol.size);
	printf("# at most %d of %d credits used\n",
	       vexfs_dev_credits_used(vol.dev), VEXFS_DIR_CREDITS);
	for (i = 0; i < n; i++) {
		t = tu_begin(&vol, VEXFS_DIR_CREDITS);
		CHECK(!vexfs_dir_remove(t, &vol.node, name, big_name(i, name),
					&vol.size));
		tu_end(t);
		if (i % 1000 == 0)
			tu_commit(&vol);
	}
	big_phase("remove", n, &start);
	CHECK(compare().leaves == 1);
	tu_close(&vol);
}

int main(void)
{
	tu_plan(33);
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
	tu_run("many entries", test_big, 250000);
	return tu_exit();
}

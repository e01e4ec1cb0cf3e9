// SPDX-License-Identifier: GPL-2.0
/*
 * For tests of directories; see dir_model.h.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include "dir_model.h"

struct tu_vol dm_vol;
struct dm_model dm_model;

static u64 dm_mix(u64 x)
{
	x = (x ^ (x >> 31)) * 0x7fb5d329728ea185ull;
	x = (x ^ (x >> 27)) * 0x81dadef4bc2dd44dull;
	return x ^ (x >> 33);
}

/* The number is in the first bytes. */
u32 dm_name(u32 i, u8 *name)
{
	u32 len = 5 + dm_mix(i) % (i % 8 ? 20 : 251), k, v = i;

	for (k = 0; k < len; k++)
		name[k] = 1 + dm_mix(i * 300ull + k) % 255;
	for (k = 0; k < 5; k++, v /= 250)
		name[k] = 1 + v % 250;
	for (k = 0; k < len; k++)
		if (name[k] == '/')
			name[k] = 255;
	return len;
}

u32 dm_number(const u8 *name)
{
	u32 k, v = 0;

	for (k = 5; k-- > 0; )
		v = v * 250 + (name[k] == 255 ? '/' : name[k]) - 1;
	return v;
}

static void dm_model_open(u32 names)
{
	free(dm_model.ino);
	free(dm_model.key);
	free(dm_model.type);
	free(dm_model.seen);
	dm_model.names = names;
	dm_model.present = 0;
	dm_model.ino = calloc(names, sizeof(u64));
	dm_model.key = calloc(names, sizeof(u64));
	dm_model.type = calloc(names, 1);
	dm_model.seen = calloc(names, 1);
	CHECK(dm_model.ino && dm_model.key && dm_model.type && dm_model.seen);
}

void dm_open(u32 cluster_size, u32 names)
{
	struct vexfs_trans *t;

	tu_open(&dm_vol, DM_VOLUME, cluster_size);
	dm_model_open(names);
	t = tu_begin(&dm_vol, VEXFS_DIR_CREDITS);
	CHECK(!vexfs_dir_init(t, &dm_vol.node, &dm_vol.size));
	CHECK(dm_vol.size == VEXFS_BLOCK_SIZE);
	CHECK(vexfs_dir_empty(&dm_vol.node) == 1);
	tu_end(t);
}

/* The dm_model after an entry was read. */
void dm_compare_entry(const struct vexfs_dirent *de)
{
	u8 name[VEXFS_NAME_LEN];
	u32 i = dm_number(de->name);

	CHECK(i < dm_model.names);
	CHECK(dm_name(i, name) == de->name_len);
	CHECK(!memcmp(name, de->name, de->name_len));
	CHECK(!de->name[de->name_len]);
	CHECK(dm_model.ino[i] && dm_model.ino[i] == de->ino);
	CHECK(dm_model.type[i] == de->type);
	/* The cookie never changes. */
	CHECK(!dm_model.key[i] || dm_model.key[i] == de->key);
	CHECK(de->key >= 16 && de->key < S64_MAX);
	CHECK(de->key >> VEXFS_DIR_DISC_BITS ==
	      vexfs_dir_hash(&dm_vol.fs, de->name, de->name_len));
	dm_model.key[i] = de->key;
}

static struct vexfs_buf *dm_walk_read(struct dm_walk *w, u32 lblk)
{
	struct vexfs_buf *buf = vexfs_dir_read(&dm_vol.node, lblk);

	CHECK(!IS_ERR(buf));
	CHECK(!vexfs_verify_meta(&dm_vol.fs, vexfs_buf_data(buf),
				 vexfs_buf_bno(buf), VEXFS_MAGIC_DIR, TU_INO,
				 TU_GEN));
	CHECK(lblk < w->blocks && !w->used[lblk]);
	w->used[lblk] = 1;
	return buf;
}

static void walk_leaf(struct dm_walk *w, struct vexfs_dir_block *db, u64 lo,
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
		dm_compare_entry(&de);
	}
	w->leaves++;
	w->bytes += off;
}

static void walk_block(struct dm_walk *w, u32 lblk, int level, u64 lo, u64 hi)
{
	struct vexfs_buf *buf = dm_walk_read(w, lblk);
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
static void walk_free(struct dm_walk *w)
{
	struct vexfs_buf *buf = vexfs_dir_read(&dm_vol.node, 0);
	u32 lblk, i;

	CHECK(!IS_ERR(buf));
	lblk = le32_to_cpu(vexfs_dir_data(buf)->db_free);
	vexfs_buf_put(buf);
	while (lblk) {
		buf = dm_walk_read(w, lblk);
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
	CHECK(map->unwritten == (map->lblk >= dm_vol.size >> VEXFS_BLOCK_SHIFT));
	*next += map->len;
}

/* The tree is right in itself, and holds what the dm_model says. */
struct dm_walk dm_compare(void)
{
	struct dm_walk w = { .blocks = dm_vol.size >> VEXFS_BLOCK_SHIFT };
	u64 end = 0, cluster = dm_vol.fs.geom.cluster_blocks;

	CHECK(!(dm_vol.size % VEXFS_BLOCK_SIZE));
	w.used = calloc(w.blocks, 1);
	CHECK(w.used);
	walk_block(&w, 0, -1, 0, VEXFS_DIR_NO_KEY);
	CHECK(w.entries == dm_model.present, "%u entries, not %u", w.entries,
	      dm_model.present);
	walk_free(&w);
	free(w.used);
	tu_check_extents(&dm_vol, compare_map, &end);
	/* Growing may have failed when a cluster was there already. */
	CHECK(end == roundup(w.blocks, cluster) || end == w.blocks + cluster);
	CHECK(vexfs_dir_empty(&dm_vol.node) == !dm_model.present);
	return w;
}

int dm_add(u32 i)
{
	struct vexfs_trans *t = tu_begin(&dm_vol, VEXFS_DIR_CREDITS);
	u64 ino = 1 + dm_mix(tu_rand());
	u8 name[VEXFS_NAME_LEN], type = 1 + tu_below(7);
	u32 len = dm_name(i, name);
	int err;

	err = vexfs_dir_add(t, &dm_vol.node, name, len, ino, type, &dm_vol.size);
	tu_end(t);
	if (err)
		return err;
	CHECK(!dm_model.ino[i]);
	dm_model.ino[i] = ino;
	dm_model.type[i] = type;
	dm_model.key[i] = 0;
	dm_model.present++;
	return 0;
}

int dm_remove(u32 i)
{
	struct vexfs_trans *t = tu_begin(&dm_vol, VEXFS_DIR_CREDITS);
	u8 name[VEXFS_NAME_LEN];
	u32 len = dm_name(i, name);
	int err;

	err = vexfs_dir_remove(t, &dm_vol.node, name, len, &dm_vol.size);
	tu_end(t);
	if (err)
		return err;
	CHECK(dm_model.ino[i]);
	dm_model.ino[i] = 0;
	dm_model.present--;
	return 0;
}

static int dm_set(u32 i)
{
	struct vexfs_trans *t = tu_begin(&dm_vol, 1);
	u8 name[VEXFS_NAME_LEN];
	u32 len = dm_name(i, name);
	u64 ino = 1 + dm_mix(tu_rand());
	int err;

	err = vexfs_dir_set(t, &dm_vol.node, name, len, ino, 3);
	tu_end(t);
	if (err)
		return err;
	CHECK(dm_model.ino[i]);
	dm_model.ino[i] = ino;
	dm_model.type[i] = 3;
	return 0;
}

int dm_lookup(u32 i)
{
	struct vexfs_dirent de;
	u8 name[VEXFS_NAME_LEN];
	u32 len = dm_name(i, name);
	int err;

	err = vexfs_dir_lookup(&dm_vol.node, name, len, &de);
	if (!err) {
		dm_compare_entry(&de);
		CHECK(dm_number(de.name) == i);
	}
	return err;
}

/* What an operation on name @i should return. */
int dm_expected(int kind, u32 i)
{
	if (kind == 0)
		return dm_model.ino[i] ? -EEXIST : 0;
	return dm_model.ino[i] ? 0 : -ENOENT;
}

int dm_do(int kind, u32 i)
{
	static int (*const ops[])(u32) = {
		dm_add, dm_remove, dm_set, dm_lookup,
	};

	return ops[kind](i);
}

int dm_random_kind(u32 adds)
{
	u32 r = tu_below(100);

	return r < adds ? 0 : r < 70 ? 1 : r < 80 ? 2 : 3;
}

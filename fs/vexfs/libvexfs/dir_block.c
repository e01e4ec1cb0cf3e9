// SPDX-License-Identifier: GPL-2.0
/*
 * Single directory blocks: what makes one valid, and moving entries and index
 * records around in them.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include "dir.h"

#define VEXFS_DIR_MIN_KEY	16u
#define VEXFS_DIR_MAX_KEY	((u64)S64_MAX - 1)

static const char *vexfs_verify_dir_entry(const struct vexfs_dir_entry *e)
{
	u32 len = e->de_name_len;

	if (!len)
		return "directory entry without a name";
	if (!e->de_ino_lo && !e->de_ino_hi)
		return "directory entry without an inode";
	if (e->de_type >= FT_MAX)
		return "directory entry of unknown type";
	if (memchr(e->de_name, '/', len) || memchr(e->de_name, 0, len))
		return "name with a slash or a zero byte";
	if (e->de_name[0] == '.' &&
	    (len == 1 || (len == 2 && e->de_name[1] == '.')))
		return "entry for . or .. in a directory";
	return NULL;
}

static const char *vexfs_verify_dir_leaf(const struct vexfs_dir_block *db)
{
	u32 used = vexfs_dir_used(db), off = 0, n = 0;
	const struct vexfs_dir_entry *e;
	u64 key, next = VEXFS_DIR_MIN_KEY;
	const char *why;

	for (; off < used; off += vexfs_dir_entry_size(e), n++) {
		e = (const struct vexfs_dir_entry *)(db->db_data + off);
		if (used - off < VEXFS_DIR_ENTRY_HEAD ||
		    used - off < vexfs_dir_entry_size(e))
			return "directory entry passes the end of its block";
		key = vexfs_dir_entry_key(e);
		if (key < next || key > VEXFS_DIR_MAX_KEY)
			return "directory entries are not sorted";
		next = key + 1;
		why = vexfs_verify_dir_entry(e);
		if (why)
			return why;
	}
	if (n != vexfs_dir_count(db))
		return "bad count of entries in a directory block";
	return NULL;
}

static const char *vexfs_verify_dir_index(const struct vexfs_dir_block *db)
{
	const struct vexfs_dir_index *di = (const void *)db->db_data;
	int count = vexfs_dir_count(db), i;
	u64 key, next = 0;

	if (!count || vexfs_dir_used(db) != count * sizeof(*di))
		return "bad count of records in a directory index";
	for (i = 0; i < count; i++) {
		key = le64_to_cpu(di[i].di_key);
		if (key < next || key > VEXFS_DIR_MAX_KEY)
			return "directory index is not sorted";
		if (!di[i].di_lblk)
			return "directory index points at the root";
		if (di[i].di_reserved)
			return "reserved field of a directory index is set";
		next = key + 1;
	}
	return NULL;
}

const char *vexfs_verify_dir_block(const void *data)
{
	const struct vexfs_dir_block *db = data;
	u16 flags = le16_to_cpu(db->db_flags);

	if (le16_to_cpu(db->db_level) >= VEXFS_DIR_MAX_DEPTH)
		return "directory tree is too deep";
	if (vexfs_dir_used(db) > VEXFS_DIR_SPACE)
		return "directory block uses more than there is";
	if (flags & ~VEXFS_DIR_FREE)
		return "unknown flag of a directory block";
	if (db->db_reserved)
		return "reserved field of a directory block is set";
	if (flags & VEXFS_DIR_FREE)
		return db->db_level || db->db_count || db->db_used ?
		       "free directory block is not empty" : NULL;
	if (db->db_level)
		return vexfs_verify_dir_index(db);
	return vexfs_verify_dir_leaf(db);
}

u32 vexfs_dir_seek(struct vexfs_dir_block *db, u64 key)
{
	u32 used = vexfs_dir_used(db), off = 0;

	while (off < used) {
		struct vexfs_dir_entry *e = vexfs_dir_entry_at(db, off);

		if (vexfs_dir_entry_key(e) >= key)
			break;
		off += vexfs_dir_entry_size(e);
	}
	return off;
}

u64 vexfs_dir_last_key(struct vexfs_dir_block *db)
{
	u32 used = vexfs_dir_used(db), off = 0;
	struct vexfs_dir_entry *e = NULL;

	while (off < used) {
		e = vexfs_dir_entry_at(db, off);
		off += vexfs_dir_entry_size(e);
	}
	return e ? vexfs_dir_entry_key(e) : 0;
}

static void vexfs_dir_set_fill(struct vexfs_dir_block *db, int count,
			       u32 used)
{
	db->db_count = cpu_to_le16(count);
	db->db_used = cpu_to_le16(used);
}

void vexfs_dir_entry_set_ino(struct vexfs_dir_entry *e, u64 ino, u8 type)
{
	e->de_ino_lo = cpu_to_le32(lower_32_bits(ino));
	e->de_ino_hi = cpu_to_le32(upper_32_bits(ino));
	e->de_type = type;
}

void vexfs_dir_entry_get(const struct vexfs_dir_entry *e,
			 struct vexfs_dirent *de)
{
	de->key = vexfs_dir_entry_key(e);
	de->ino = (u64)le32_to_cpu(e->de_ino_hi) << 32 |
		  le32_to_cpu(e->de_ino_lo);
	de->type = e->de_type;
	de->name_len = e->de_name_len;
	memcpy(de->name, e->de_name, e->de_name_len);
	de->name[e->de_name_len] = 0;
}

void vexfs_dir_insert_entry(struct vexfs_dir_block *db,
			    const struct vexfs_dirent *de)
{
	u32 used = vexfs_dir_used(db), off = vexfs_dir_seek(db, de->key);
	u32 len = VEXFS_DIR_ENTRY_LEN(de->name_len);
	struct vexfs_dir_entry *e = vexfs_dir_entry_at(db, off);

	memmove(db->db_data + off + len, db->db_data + off, used - off);
	memset(db->db_data + off, 0, len);
	e->de_key_lo = cpu_to_le32(lower_32_bits(de->key));
	e->de_key_hi = cpu_to_le32(upper_32_bits(de->key));
	vexfs_dir_entry_set_ino(e, de->ino, de->type);
	e->de_name_len = de->name_len;
	memcpy(db->db_data + off + VEXFS_DIR_ENTRY_HEAD, de->name,
	       de->name_len);
	vexfs_dir_set_fill(db, vexfs_dir_count(db) + 1, used + len);
}

void vexfs_dir_delete_entry(struct vexfs_dir_block *db, u32 off)
{
	u32 len = vexfs_dir_entry_size(vexfs_dir_entry_at(db, off));
	u32 used = vexfs_dir_used(db) - len;

	memmove(db->db_data + off, db->db_data + off + len, used - off);
	memset(db->db_data + used, 0, len);
	vexfs_dir_set_fill(db, vexfs_dir_count(db) - 1, used);
}

int vexfs_dir_search_index(struct vexfs_dir_block *db, u64 key)
{
	struct vexfs_dir_index *di = vexfs_dir_indexes(db);
	int lo = 0, hi = vexfs_dir_count(db);

	while (lo < hi) {
		int mid = (lo + hi) / 2;

		if (le64_to_cpu(di[mid].di_key) <= key)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo - 1;
}

void vexfs_dir_insert_index(struct vexfs_dir_block *db, int pos, u64 key,
			    u32 lblk)
{
	struct vexfs_dir_index *di = vexfs_dir_indexes(db) + pos;
	int count = vexfs_dir_count(db);

	memmove(di + 1, di, (count - pos) * sizeof(*di));
	di->di_key = cpu_to_le64(key);
	di->di_lblk = cpu_to_le32(lblk);
	di->di_reserved = 0;
	vexfs_dir_set_fill(db, count + 1, (count + 1) * sizeof(*di));
}

/* When the first record goes, the next one takes over its range. */
void vexfs_dir_delete_index(struct vexfs_dir_block *db, int pos)
{
	struct vexfs_dir_index *di = vexfs_dir_indexes(db);
	int count = vexfs_dir_count(db) - 1;
	__le64 key = di->di_key;

	memmove(di + pos, di + pos + 1, (count - pos) * sizeof(*di));
	memset(di + count, 0, sizeof(*di));
	if (count)
		di->di_key = key;
	vexfs_dir_set_fill(db, count, count * sizeof(*di));
}

/* The first place for a split at or behind the middle. */
static u32 vexfs_dir_split_point(struct vexfs_dir_block *db, int *count)
{
	u32 used = vexfs_dir_used(db), off = 0;

	*count = vexfs_dir_count(db) / 2;
	if (db->db_level)
		return *count * sizeof(struct vexfs_dir_index);
	for (*count = 0; off < used / 2; (*count)++)
		off += vexfs_dir_entry_size(vexfs_dir_entry_at(db, off));
	return off;
}

u64 vexfs_dir_split_block(struct vexfs_dir_block *left,
			  struct vexfs_dir_block *right)
{
	u32 used = vexfs_dir_used(left), off;
	int count = vexfs_dir_count(left), keep;

	off = vexfs_dir_split_point(left, &keep);
	right->db_level = left->db_level;
	memcpy(right->db_data, left->db_data + off, used - off);
	vexfs_dir_set_fill(right, count - keep, used - off);
	memset(left->db_data + off, 0, used - off);
	vexfs_dir_set_fill(left, keep, off);
	if (right->db_level)
		return le64_to_cpu(vexfs_dir_indexes(right)->di_key);
	return vexfs_dir_entry_key(vexfs_dir_entry_at(right, 0));
}

void vexfs_dir_join_block(struct vexfs_dir_block *left,
			  struct vexfs_dir_block *right)
{
	u32 lused = vexfs_dir_used(left), rused = vexfs_dir_used(right);

	memcpy(left->db_data + lused, right->db_data, rused);
	vexfs_dir_set_fill(left,
			   vexfs_dir_count(left) + vexfs_dir_count(right),
			   lused + rused);
}

void vexfs_dir_copy_block(struct vexfs_dir_block *to,
			  const struct vexfs_dir_block *from)
{
	to->db_level = from->db_level;
	to->db_count = from->db_count;
	to->db_used = from->db_used;
	memcpy(to->db_data, from->db_data, VEXFS_DIR_SPACE);
}

void vexfs_dir_clear_block(struct vexfs_dir_block *db)
{
	db->db_level = 0;
	vexfs_dir_set_fill(db, 0, 0);
	db->db_flags = 0;
	db->db_free = 0;
	db->db_reserved = 0;
	memset(db->db_data, 0, VEXFS_DIR_SPACE);
}

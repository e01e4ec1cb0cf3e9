// SPDX-License-Identifier: GPL-2.0
/*
 * A directory made anew: every name that can be read in its blocks goes into
 * a new tree. Names keep their inodes; cookies of readdir change.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include "fsck.h"

struct fsck_salvage {
	struct fsck_entry *e;
	u32	count, room;
};

static void fsck_salvage_add(struct fsck_salvage *s,
			     const struct vexfs_dir_entry *de)
{
	struct fsck_entry *e;

	if (s->count == s->room) {
		s->room = s->room ? 2 * s->room : 64;
		s->e = realloc(s->e, s->room * sizeof(*s->e));
		if (!s->e)
			kshim_die(__FILE__, __LINE__, "out of memory");
	}
	e = &s->e[s->count++];
	e->ino = (u64)le32_to_cpu(de->de_ino_hi) << 32 |
		 le32_to_cpu(de->de_ino_lo);
	e->type = de->de_type < FT_MAX ? de->de_type : FT_UNKNOWN;
	e->len = de->de_name_len;
	memcpy(e->name, de->de_name, e->len);
}

static bool fsck_name_sane(const struct vexfs_dir_entry *de)
{
	u32 len = de->de_name_len;

	return len && !memchr(de->de_name, '/', len) &&
	       !memchr(de->de_name, 0, len) &&
	       !(de->de_name[0] == '.' &&
		 (len == 1 || (len == 2 && de->de_name[1] == '.')));
}

/* Entries one behind the other, as far as they make sense. */
static void fsck_salvage_leaf(struct fsck *f, struct fsck_salvage *s,
			      struct vexfs_dir_block *db)
{
	u32 used = min_t(u32, vexfs_dir_used(db), VEXFS_DIR_SPACE), off = 0;
	struct vexfs_dir_entry *de;
	struct fsck_entry last;

	while (off + VEXFS_DIR_ENTRY_HEAD <= used) {
		de = vexfs_dir_entry_at(db, off);
		off += vexfs_dir_entry_size(de);
		if (!de->de_name_len || off > used)
			break;
		if (!fsck_name_sane(de))
			continue;
		fsck_salvage_add(s, de);
		last = s->e[s->count - 1];
		if (!fsck_in_use(f, last.ino))
			s->count--;
	}
}

static void fsck_salvage_block(struct fsck *f, struct vexfs_node *dir,
			       struct fsck_salvage *s, u64 bno)
{
	u8 data[VEXFS_BLOCK_SIZE] __aligned(8);
	struct vexfs_dir_block *db = (void *)data;
	const char *why;

	if (fsck_read(f, bno, data) ||
	    fsck_meta_check(f, data, bno, VEXFS_MAGIC_DIR, dir->ino,
			    dir->generation, &why) == META_ALIEN)
		return;
	if (!db->db_level && !(db->db_flags & cpu_to_le16(VEXFS_DIR_FREE)))
		fsck_salvage_leaf(f, s, db);
}

/* All blocks that were written, also what is behind the end. */
static int fsck_salvage_dir(struct fsck *f, struct vexfs_node *dir,
			    struct fsck_salvage *s)
{
	struct vexfs_map map;
	u64 lblk, i;
	int err;

	for (lblk = 0; lblk < VEXFS_MAX_LBLK; lblk += map.len) {
		err = vexfs_ext_lookup(dir, lblk, VEXFS_MAX_LBLK - lblk, &map);
		if (err)
			return err;
		for (i = 0; map.pblk && !map.unwritten && i < map.len; i++)
			fsck_salvage_block(f, dir, s, map.pblk + i);
	}
	return 0;
}

/* A name that is taken gets a number; the same name twice goes once. */
static int fsck_salvage_put(struct vexfs_trans *t, struct vexfs_node *dir,
			    const struct fsck_entry *e, u64 *size)
{
	struct vexfs_dirent de;
	char name[VEXFS_NAME_LEN + 16];
	u32 i, len;
	int err;

	err = vexfs_dir_add(t, dir, e->name, e->len, e->ino, e->type, size);
	if (err != -EEXIST)
		return err;
	if (vexfs_dir_lookup(dir, e->name, e->len, &de) || de.ino == e->ino)
		return 0;
	for (i = 1; err == -EEXIST && i < 100; i++) {
		len = (u32)snprintf(name, sizeof(name), "%.*s~%u",
				    min((int)e->len, VEXFS_NAME_LEN - 4),
				    e->name, i);
		err = vexfs_dir_add(t, dir, (u8 *)name, len, e->ino, e->type,
				    size);
	}
	return err;
}

static int fsck_dir_fill(struct fsck *f, struct vexfs_trans *t,
			 struct vexfs_node *dir,
			 const struct fsck_salvage *s, u64 *size)
{
	int err = fsck_map_drop(f, t, dir, 0);
	u32 i;

	if (!err)
		err = vexfs_dir_init(t, dir, size);
	for (i = 0; !err && i < s->count; i++)
		err = fsck_salvage_put(t, dir, &s->e[i], size);
	/* What has no name any more comes to lost+found. */
	return err == -ENOSPC && *size ? 0 : err;
}

int fsck_dir_rebuild(struct fsck *f, u64 ino)
{
	struct fsck_salvage s = { };
	struct vexfs_inode di;
	struct vexfs_trans *t;
	struct vexfs_node dir;
	u64 size = 0;
	int err = fsck_node_get(f, ino, &dir, &di);

	if (!err)
		err = fsck_salvage_dir(f, &dir, &s);
	if (!err) {
		t = fsck_begin(f);
		err = IS_ERR(t) ? PTR_ERR(t) :
		      fsck_end(f, t, fsck_dir_fill(f, t, &dir, &s, &size));
	}
	free(s.e);
	return err ? err : fsck_node_put(f, &dir, &size);
}

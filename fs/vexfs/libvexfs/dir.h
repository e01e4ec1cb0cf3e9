/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the files of directories share: blocks of entries, and paths from the
 * root of a directory's tree to a leaf.
 *
 * Invariants of a tree, beside those of format.h:
 *  - the key of an index record is the lower bound of its subtree, except in
 *    the first record of a block, which has all that is not in the others.
 *    That key is 0 in the root, and not less than the lower bound of the
 *    block in others;
 *  - no block is empty but the root; no leaf says VEXFS_DIR_FREE;
 *  - logical blocks below the directory's size are the tree and the list of
 *    free blocks that begins in the root, and nothing else. Those behind are
 *    unwritten if they are mapped: the rest of a cluster, or a cluster for
 *    growing that then failed, which the next growth takes.
 *
 * How a change fails safely: blocks that splits need are taken from the free
 * list, and when it is too short the directory grows first, a complete step
 * that only makes the list longer. Then all blocks are announced, and from
 * then on a change only moves memory.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#ifndef _VEXFS_DIR_H
#define _VEXFS_DIR_H

#include "libvexfs.h"

#define VEXFS_DIR_NO_KEY	U64_MAX		/* above all keys */

struct vexfs_dir_level {
	struct vexfs_buf *buf;
	u32	lblk;
	int	idx;			/* index record of the path */
};

struct vexfs_dir_path {
	struct vexfs_node *dir;
	int	depth;			/* lev[depth] is the leaf */
	int	err;			/* first of vexfs_trans_dirty() */
	u64	lo;			/* keys of the leaf: [lo, hi) */
	u64	hi;
	struct vexfs_dir_level lev[VEXFS_DIR_MAX_DEPTH];
};

static inline struct vexfs_dir_block *vexfs_dir_data(struct vexfs_buf *buf)
{
	return vexfs_buf_data(buf);
}

static inline struct vexfs_dir_block *
vexfs_dir_level_data(struct vexfs_dir_path *p, int l)
{
	return vexfs_buf_data(p->lev[l].buf);
}

static inline struct vexfs_dir_block *
vexfs_dir_leaf(struct vexfs_dir_path *p)
{
	return vexfs_dir_level_data(p, p->depth);
}

static inline int vexfs_dir_count(const struct vexfs_dir_block *db)
{
	return le16_to_cpu(db->db_count);
}

static inline u32 vexfs_dir_used(const struct vexfs_dir_block *db)
{
	return le16_to_cpu(db->db_used);
}

static inline struct vexfs_dir_index *
vexfs_dir_indexes(struct vexfs_dir_block *db)
{
	return (struct vexfs_dir_index *)db->db_data;
}

static inline struct vexfs_dir_entry *
vexfs_dir_entry_at(struct vexfs_dir_block *db, u32 off)
{
	return (struct vexfs_dir_entry *)(db->db_data + off);
}

static inline u64 vexfs_dir_entry_key(const struct vexfs_dir_entry *e)
{
	return (u64)le32_to_cpu(e->de_key_hi) << 32 |
	       le32_to_cpu(e->de_key_lo);
}

static inline u32 vexfs_dir_entry_size(const struct vexfs_dir_entry *e)
{
	return VEXFS_DIR_ENTRY_LEN(e->de_name_len);
}

/* dir_block.c */
/* Offset of the first entry with a key >= @key. */
u32 vexfs_dir_seek(struct vexfs_dir_block *db, u64 key);
u64 vexfs_dir_last_key(struct vexfs_dir_block *db);
void vexfs_dir_insert_entry(struct vexfs_dir_block *db,
			    const struct vexfs_dirent *de);
void vexfs_dir_delete_entry(struct vexfs_dir_block *db, u32 off);
void vexfs_dir_entry_get(const struct vexfs_dir_entry *e,
			 struct vexfs_dirent *de);
void vexfs_dir_entry_set_ino(struct vexfs_dir_entry *e, u64 ino, u8 type);
/* Last record with a key <= @key, or -1. */
int vexfs_dir_search_index(struct vexfs_dir_block *db, u64 key);
void vexfs_dir_insert_index(struct vexfs_dir_block *db, int pos, u64 key,
			    u32 lblk);
void vexfs_dir_delete_index(struct vexfs_dir_block *db, int pos);
/* Moves the upper half to the empty block @right; its lower bound. */
u64 vexfs_dir_split_block(struct vexfs_dir_block *left,
			  struct vexfs_dir_block *right);
/* Appends the contents of @right to @left. */
void vexfs_dir_join_block(struct vexfs_dir_block *left,
			  struct vexfs_dir_block *right);
void vexfs_dir_copy_block(struct vexfs_dir_block *to,
			  const struct vexfs_dir_block *from);
/* Empties a block; level, flags and db_free become 0. */
void vexfs_dir_clear_block(struct vexfs_dir_block *db);

/* dir_hash.c */
/* Hash of a name: 1 .. 2^56 - 2, so that every key has room around it. */
u64 vexfs_dir_hash(struct vexfs_fs *fs, const u8 *name, u32 len);

/* dir_tree.c */
struct vexfs_buf *vexfs_dir_read(struct vexfs_node *dir, u32 lblk);
/* Finds the leaf for @key. On success release with vexfs_dir_put(). */
int vexfs_dir_find(struct vexfs_node *dir, u64 key, struct vexfs_dir_path *p);
void vexfs_dir_put(struct vexfs_dir_path *p);
void vexfs_dir_dirty(struct vexfs_trans *t, struct vexfs_dir_path *p,
		     struct vexfs_buf *buf);
/*
 * Announces the leaf for @key, after splitting it (and what is above) when
 * it has less than @need bytes free.
 */
int vexfs_dir_make_room(struct vexfs_trans *t, struct vexfs_dir_path *p,
			u64 key, u32 need, u64 *size);

/* dir_shrink.c */
/* Removes the entry at @off of the leaf, and blocks that become empty. */
int vexfs_dir_remove_at(struct vexfs_trans *t, struct vexfs_dir_path *p,
			u32 off);
/* Lets the root take over its only child. */
void vexfs_dir_absorb(struct vexfs_trans *t, struct vexfs_node *dir);

#endif /* _VEXFS_DIR_H */

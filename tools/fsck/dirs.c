// SPDX-License-Identifier: GPL-2.0
/*
 * Pass dirs: the tree of each directory, then its names, one by one: the hash,
 * the inode they mean, its type. Counts the names of every inode.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include "fsck.h"

/* A name that is to be changed when the walk is over. */
struct fsck_change {
	struct fsck_entry e;
	bool	remove;			/* or set the type */
};

struct fsck_names {
	struct fsck *f;
	u64	dir;
	bool	misplaced, twice;
	char	name[VEXFS_NAME_LEN + 1];
	/* names of the hash that was met last */
	u64	hash;
	struct fsck_entry *same;
	u32	nsame, same_room;
	struct fsck_change *change;
	u32	changes, change_room;
};

static void fsck_entry_get(const struct vexfs_dir_entry *e,
			   struct fsck_entry *out)
{
	out->ino = (u64)le32_to_cpu(e->de_ino_hi) << 32 |
		   le32_to_cpu(e->de_ino_lo);
	out->type = e->de_type;
	out->len = e->de_name_len;
	memcpy(out->name, e->de_name, e->de_name_len);
}

static const char *fsck_show(struct fsck_names *n, const struct fsck_entry *e)
{
	int i;

	for (i = 0; i < e->len; i++)
		n->name[i] = e->name[i] < 0x20 || e->name[i] == 0x7f ?
			     '?' : (char)e->name[i];
	n->name[i] = 0;
	return n->name;
}

static bool fsck_name_seen(struct fsck_names *n, const struct fsck_entry *e)
{
	u32 i;

	for (i = 0; i < n->nsame; i++)
		if (n->same[i].len == e->len &&
		    !memcmp(n->same[i].name, e->name, e->len))
			return true;
	if (n->nsame == n->same_room) {
		n->same_room = n->same_room ? 2 * n->same_room : 4;
		n->same = realloc(n->same, n->same_room * sizeof(*n->same));
		if (!n->same)
			kshim_die(__FILE__, __LINE__, "out of memory");
	}
	n->same[n->nsame++] = *e;
	return false;
}

/* First walk: is each name where a lookup would find it, and only once? */
static void fsck_leaf_names(void *arg, const struct vexfs_dir_block *db)
{
	struct fsck_names *n = arg;
	struct vexfs_dir_block *block = (struct vexfs_dir_block *)db;
	const struct vexfs_dir_entry *de;
	struct fsck_entry e;
	u64 hash;
	u32 off;

	for (off = 0; off < vexfs_dir_used(db);
	     off += vexfs_dir_entry_size(de)) {
		de = vexfs_dir_entry_at(block, off);
		fsck_entry_get(de, &e);
		hash = vexfs_dir_entry_key(de) >> VEXFS_DIR_DISC_BITS;
		if (hash != n->hash) {
			n->hash = hash;
			n->nsame = 0;
		}
		if (hash != vexfs_dir_hash(&n->f->fs, e.name, e.len)) {
			if (!n->misplaced)
				fsck_show(n, &e);
			n->misplaced = true;
		} else if (fsck_name_seen(n, &e)) {
			if (!n->misplaced && !n->twice)
				fsck_show(n, &e);
			n->twice = true;
		}
	}
}

static void fsck_change_add(struct fsck_names *n, const struct fsck_entry *e,
			    bool remove)
{
	if (n->changes == n->change_room) {
		n->change_room = n->change_room ? 2 * n->change_room : 16;
		n->change = realloc(n->change, n->change_room *
				    sizeof(*n->change));
		if (!n->change)
			kshim_die(__FILE__, __LINE__, "out of memory");
	}
	n->change[n->changes].e = *e;
	n->change[n->changes++].remove = remove;
}

/* What a name may not mean; FSCK_KINDS when all is well. */
static enum fsck_kind fsck_entry_bad(struct fsck_names *n,
				     const struct fsck_entry *e)
{
	struct fsck_ino *fi = fsck_ino(n->f, e->ino);
	struct fsck_dir *d;

	/* Quota files have no name. */
	if (!fi || !(fi->flags & FI_USED) || (fi->flags & FI_DELETED) ||
	    (e->ino < VEXFS_FIRST_INO && e->ino != VEXFS_ROOT_INO))
		return FP_DIR_INO;
	if ((fi->flags & FI_FORK) ||
	    (e->ino < VEXFS_FIRST_INO && e->ino != VEXFS_ROOT_INO))
		return FP_DIR_FORK;
	if (fi->type != FT_DIR)
		return FSCK_KINDS;
	d = fsck_dir_find(n->f, e->ino);
	return e->ino == VEXFS_ROOT_INO || !d || d->found ? FP_DIR_TWICE :
							     FSCK_KINDS;
}

static void fsck_count_name(struct fsck_names *n, const struct fsck_entry *e)
{
	struct fsck_ino *fi = fsck_ino(n->f, e->ino);

	if (fi->type != FT_DIR) {
		fi->links++;
		return;
	}
	fsck_dir_find(n->f, e->ino)->found = n->dir;
	/* A directory's links are its subdirectories, and two. */
	fsck_ino(n->f, n->dir)->links++;
}

static void fsck_check_entry(struct fsck_names *n, struct fsck_entry *e)
{
	enum fsck_kind kind = fsck_entry_bad(n, e);
	struct fsck_ino *fi;

	if (kind != FSCK_KINDS) {
		if (fsck_problem(n->f, kind, n->dir, 0, "'%s', inode %llu",
				 fsck_show(n, e), e->ino))
			fsck_change_add(n, e, true);
		return;
	}
	fi = fsck_ino(n->f, e->ino);
	if (fi->type != e->type &&
	    fsck_problem(n->f, FP_DIR_TYPE, n->dir, 0, "'%s', %u, should be %u",
			 fsck_show(n, e), e->type, fi->type)) {
		e->type = fi->type;
		fsck_change_add(n, e, false);
	}
	fsck_count_name(n, e);
}

static void fsck_leaf_entries(void *arg, const struct vexfs_dir_block *db)
{
	struct vexfs_dir_block *block = (struct vexfs_dir_block *)db;
	const struct vexfs_dir_entry *de;
	struct fsck_entry e;
	u32 off;

	for (off = 0; off < vexfs_dir_used(db);
	     off += vexfs_dir_entry_size(de)) {
		de = vexfs_dir_entry_at(block, off);
		fsck_entry_get(de, &e);
		fsck_check_entry(arg, &e);
	}
}

static int fsck_apply_changes(struct fsck_names *n)
{
	struct fsck *f = n->f;
	struct vexfs_inode di;
	struct vexfs_trans *t;
	struct vexfs_node dir;
	u64 size;
	int err = fsck_node_get(f, n->dir, &dir, &di);
	u32 i;

	if (err)
		return err;
	size = le64_to_cpu(di.i_size);
	t = fsck_begin(f);
	if (IS_ERR(t))
		return PTR_ERR(t);
	for (i = 0; !err && i < n->changes; i++) {
		struct fsck_entry *e = &n->change[i].e;

		if (n->change[i].remove)
			err = vexfs_dir_remove(t, &dir, e->name, e->len,
					       &size);
		else
			err = vexfs_dir_set(t, &dir, e->name, e->len, e->ino,
					    e->type);
	}
	err = fsck_end(f, t, err);
	return err ? err : fsck_node_put(f, &dir, &size);
}

/* True: the names can be looked at. */
static bool fsck_dir_sound(struct fsck_names *n, struct vexfs_node *dir,
			   u64 size)
{
	const char *why;
	u64 bno;

	n->hash = 0;
	n->nsame = 0;
	n->misplaced = false;
	n->twice = false;
	if (!fsck_dir_walk(n->f, dir, size, fsck_leaf_names, n, &why, &bno))
		return !fsck_problem(n->f, FP_DIR_TREE, n->dir, bno, "%s",
				     why);
	if (n->misplaced)
		return !fsck_problem(n->f, FP_DIR_HASH, n->dir, 0, "'%s'",
				     n->name);
	if (n->twice)
		return !fsck_problem(n->f, FP_DIR_DUP, n->dir, 0, "'%s'",
				     n->name);
	return true;
}

static int fsck_check_dir(struct fsck_names *n)
{
	struct fsck *f = n->f;
	struct vexfs_inode di;
	struct vexfs_node dir;
	const char *why;
	u64 bno;
	int err = fsck_node_get(f, n->dir, &dir, &di);

	if (err)
		return err;
	if (!fsck_dir_sound(n, &dir, le64_to_cpu(di.i_size))) {
		err = fsck_dir_rebuild(f, n->dir);
		if (!err)
			err = fsck_node_get(f, n->dir, &dir, &di);
		if (err)
			return err;
	}
	n->changes = 0;
	fsck_dir_walk(f, &dir, le64_to_cpu(di.i_size), fsck_leaf_entries, n,
		      &why, &bno);
	return n->changes ? fsck_apply_changes(n) : 0;
}

int fsck_pass_dirs(struct fsck *f)
{
	struct fsck_names n = { .f = f };
	u32 i;
	int err = 0;

	fsck_pass(f, "dirs", f->dirs);
	if (!fsck_dir_find(f, VEXFS_ROOT_INO))
		err = fsck_make_root(f);
	for (i = 0; !err && i < f->dirs && !fsck_stopped(f); i++) {
		n.dir = f->dir[i].ino;
		if (fsck_in_use(f, n.dir))
			err = fsck_check_dir(&n);
		fsck_progress(f, i + 1, f->dirs);
	}
	free(n.same);
	free(n.change);
	return err;
}

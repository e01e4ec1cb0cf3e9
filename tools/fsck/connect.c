// SPDX-License-Identifier: GPL-2.0
/*
 * Pass connect: every directory has one name, knows the directory it is in,
 * and the way up from it ends at the root.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include "fsck.h"

static int fsck_set_parent(struct fsck *f, struct fsck_dir *d)
{
	struct vexfs_inode di;
	int err = fsck_inode_get(f, d->ino, &di);

	if (err)
		return err;
	di.i_parent = cpu_to_le64(d->found);
	d->parent = d->found;
	return fsck_inode_put(f, d->ino, &di);
}

struct fsck_find_name {
	u64	ino;
	struct vexfs_dirent de;
	bool	found;
};

static bool fsck_names_ino(void *arg, const struct vexfs_dirent *de)
{
	struct fsck_find_name *s = arg;

	if (de->ino != s->ino)
		return true;
	s->de = *de;
	s->found = true;
	return false;
}

/* Takes the name of @d out of the directory that has it. */
static int fsck_remove_name(struct fsck *f, struct fsck_dir *d)
{
	struct fsck_find_name s = { .ino = d->ino };
	struct vexfs_inode di;
	struct vexfs_trans *t;
	struct vexfs_node n;
	u64 size;
	int err = fsck_node_get(f, d->found, &n, &di);

	if (!err)
		err = min(vexfs_dir_iterate(&n, 0, fsck_names_ino, &s), 0);
	if (err || !s.found)
		return err;
	size = le64_to_cpu(di.i_size);
	t = fsck_begin(f);
	if (IS_ERR(t))
		return PTR_ERR(t);
	err = vexfs_dir_remove(t, &n, s.de.name, s.de.name_len, &size);
	err = fsck_end(f, t, err);
	if (!err)
		fsck_ino(f, d->found)->links--;
	return err ? err : fsck_node_put(f, &n, &size);
}

/*
 * Goes up from @d until something is met that is known to be reached; a loop
 * comes back to where it has been, after at most as many steps as there are
 * directories.
 */
static bool fsck_is_loop(struct fsck *f, struct fsck_dir *d)
{
	struct fsck_dir *at = d;
	u32 steps = 0;

	while (at && !at->reached) {
		if (steps++ > f->dirs)
			return true;
		at = fsck_dir_find(f, at->found);
	}
	for (at = d; at && !at->reached; at = fsck_dir_find(f, at->found))
		at->reached = true;
	return false;
}

/* Is @d itself in the loop that its way up ends in? */
static bool fsck_in_loop(struct fsck *f, struct fsck_dir *d)
{
	struct fsck_dir *at = d;
	u32 steps;

	for (steps = 0; steps <= f->dirs; steps++) {
		at = fsck_dir_find(f, at->found);
		if (!at || at == d)
			return at;
	}
	return false;
}

static int fsck_cut_loop(struct fsck *f, u64 ino)
{
	struct fsck_dir *d = fsck_dir_find(f, ino);
	int err;

	if (!fsck_in_loop(f, d) ||
	    !fsck_problem(f, FP_DIR_LOOP, ino, 0, NULL))
		return 0;
	err = fsck_remove_name(f, d);
	return err ? err : fsck_reconnect(f, ino);
}

/* lost+found may come in between while the list is gone through. */
static int fsck_connect(struct fsck *f, u64 ino)
{
	struct fsck_dir *d = fsck_dir_find(f, ino);
	int err;

	if (!d->found) {
		if (!fsck_problem(f, FP_DIR_LOST, ino, 0, NULL))
			return 0;
		return fsck_reconnect(f, ino);
	}
	if (fsck_is_loop(f, d)) {
		err = fsck_cut_loop(f, ino);
		if (err)
			return err;
		d = fsck_dir_find(f, ino);
	}
	if (d->parent == d->found)
		return 0;
	if (!fsck_problem(f, FP_DIR_PARENT, ino, 0, "%llu, should be %llu",
			  d->parent, d->found))
		return 0;
	return fsck_set_parent(f, d);
}

int fsck_pass_connect(struct fsck *f)
{
	struct fsck_dir *root = fsck_dir_find(f, VEXFS_ROOT_INO);
	u32 i, n = f->dirs;
	u64 *ino;
	int err = 0;

	if (!root)
		return 0;
	fsck_pass(f, "connect", n);
	root->found = VEXFS_ROOT_INO;
	root->reached = true;
	ino = calloc(n, sizeof(*ino));
	if (!ino)
		return fsck_fail(f, -ENOMEM, "directories", 0);
	for (i = 0; i < n; i++)
		ino[i] = f->dir[i].ino;
	for (i = 0; !err && i < n && !fsck_stopped(f); i++) {
		if (fsck_in_use(f, ino[i]))
			err = fsck_connect(f, ino[i]);
		fsck_progress(f, i + 1, n);
	}
	free(ino);
	return err;
}

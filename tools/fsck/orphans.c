// SPDX-License-Identifier: GPL-2.0
/*
 * The orphan list: which inodes are on it, before they are looked at; and
 * finishing what was begun with them, when the allocators can be used.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include "fsck.h"

static const char *fsck_orphan_why(struct fsck *f, u64 ino,
				   struct vexfs_inode *di)
{
	if (vexfs_bmap_find(&f->orphans, ino))
		return "it is a loop";
	if (ino == VEXFS_ROOT_INO || !vexfs_ino_valid(&f->fs, ino))
		return "there is no such inode";
	if (fsck_inode_get(f, ino, di))
		return "it can't be read";
	if (le16_to_cpu(di->i_magic) != VEXFS_INODE_MAGIC ||
	    le64_to_cpu(di->i_ino) != ino ||
	    le32_to_cpu(di->i_checksum) != vexfs_inode_csum(&f->fs, di))
		return "the inode is damaged";
	return NULL;
}

/* The list ends after @prev, 0: at once. */
static int fsck_orphan_cut(struct fsck *f, u64 prev)
{
	struct vexfs_inode di;
	int err;

	if (!prev) {
		vexfs_super(&f->fs)->s_orphan_head = 0;
		return fsck_super_write(f);
	}
	err = fsck_inode_get(f, prev, &di);
	if (err)
		return err;
	di.i_orphan_next = 0;
	return fsck_inode_put(f, prev, &di);
}

int fsck_find_orphans(struct fsck *f)
{
	u64 ino = le64_to_cpu(vexfs_super(&f->fs)->s_orphan_head), prev = 0;
	struct vexfs_bmap_node *node;
	struct vexfs_inode di;
	const char *why;

	while (ino) {
		why = fsck_orphan_why(f, ino, &di);
		if (why) {
			if (fsck_problem(f, FP_ORPHAN_BAD, ino, 0, "%s", why))
				return fsck_orphan_cut(f, prev);
			return 0;
		}
		node = calloc(1, sizeof(*node));
		if (!node)
			return fsck_fail(f, -ENOMEM, "orphans", 0);
		node->bno = ino;
		vexfs_bmap_insert(&f->orphans, node);
		fsck_list_add(&f->orphan_list, ino);
		prev = ino;
		ino = le64_to_cpu(di.i_orphan_next);
	}
	return 0;
}

/* What is left of a truncate: blocks behind the end. */
static int fsck_orphan_truncate(struct fsck *f, u64 ino)
{
	struct vexfs_inode di;
	struct vexfs_trans *t;
	struct vexfs_node n;
	u64 end;
	int err = fsck_node_get(f, ino, &n, &di);

	if (err || !fsck_has_map(&di))
		return err;
	end = DIV_ROUND_UP_ULL(le64_to_cpu(di.i_size), VEXFS_BLOCK_SIZE);
	t = fsck_begin(f);
	if (IS_ERR(t))
		return PTR_ERR(t);
	err = fsck_map_drop(f, t, &n, end);
	err = fsck_end(f, t, err);
	return err ? err : fsck_node_put(f, &n, NULL);
}

static int fsck_orphan_unlink(struct fsck *f, u64 ino)
{
	struct vexfs_inode di;
	int err = fsck_inode_get(f, ino, &di);

	if (err)
		return err;
	di.i_orphan_next = 0;
	return fsck_inode_put(f, ino, &di);
}

static int fsck_orphan_finish(struct fsck *f, u64 ino)
{
	struct fsck_ino *fi = fsck_ino(f, ino);
	struct vexfs_inode before, after;
	int err;

	if (!fi || !(fi->flags & FI_USED))
		return 0;
	err = fsck_inode_get(f, ino, &before);
	if (err)
		return err;
	if (fi->flags & FI_DELETED) {
		err = fsck_inode_free(f, ino);
		if (!err)
			fsck_quota_add(f->orphaned, &before, 1);
		return err;
	}
	err = fsck_orphan_truncate(f, ino);
	if (!err)
		err = fsck_inode_get(f, ino, &after);
	if (!err) {
		fsck_quota_add(f->orphaned, &before, 1);
		fsck_quota_add(f->orphaned, &after, -1);
	}
	if (!err)
		err = fsck_orphan_unlink(f, ino);
	fi->flags &= ~FI_ORPHAN;
	return err;
}

/*
 * A mount would do the same, so orphans are no problem. The list is emptied
 * first: what of it fails to be finished is met again without it.
 */
int fsck_pass_orphans(struct fsck *f)
{
	u32 i, n = f->orphan_list.count;
	int err;

	if (!n)
		return 0;
	fsck_note(f, "%u orphan%s%s", n, n == 1 ? "" : "s",
		  f->opt.mode == FSCK_NO ? ", which a mount will finish" :
		  " finished");
	if (f->opt.mode == FSCK_NO || !f->loaded)
		return 0;
	fsck_pass(f, "orphans", n);
	err = fsck_orphan_cut(f, 0);
	for (i = 0; i < n && !err; i++) {
		err = fsck_orphan_finish(f, f->orphan_list.ino[i]);
		if (err && fsck_problem(f, FP_ORPHAN_LEFT,
					f->orphan_list.ino[i], 0, "error %d",
					err))
			err = fsck_orphan_unlink(f, f->orphan_list.ino[i]);
		fsck_progress(f, i + 1, n);
	}
	return err;
}

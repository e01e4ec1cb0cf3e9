// SPDX-License-Identifier: GPL-2.0
/*
 * Pass links: as many links as there are names, and at least one.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include "fsck.h"

static int fsck_set_links(struct fsck *f, u64 ino, u32 links)
{
	struct vexfs_inode di;
	int err = fsck_inode_get(f, ino, &di);

	if (err)
		return err;
	di.i_nlink = cpu_to_le32(links);
	return fsck_inode_put(f, ino, &di);
}

/* A directory with more links than can be counted has one, for good. */
static u32 fsck_links_wanted(const struct fsck_ino *fi)
{
	u32 n;

	if (fi->type != FT_DIR)
		return min(fi->links, (u32)VEXFS_LINK_MAX);
	n = 2 + fi->links;
	return n > VEXFS_LINK_MAX || fi->nlink == 1 ? 1 : n;
}

static int fsck_check_links(struct fsck *f, u64 ino)
{
	struct fsck_ino *fi = fsck_ino(f, ino);
	u32 want;
	int err;

	if (fi->flags & FI_FORK) {
		if (fi->flags & FI_OWNED || (fi->flags & FI_ORPHAN))
			return 0;
		if (!fsck_problem(f, FP_COLL_STRAY, ino, 0, NULL))
			return 0;
		return fsck_inode_free(f, ino);
	}
	if (fi->type != FT_DIR && !fi->links) {
		if (!fsck_problem(f, FP_LINKS_NONE, ino, 0, NULL))
			return 0;
		err = fsck_reconnect(f, ino);
		if (err)
			return err;
		fi = fsck_ino(f, ino);
	}
	want = fsck_links_wanted(fi);
	if (fi->nlink == want)
		return 0;
	if (!fsck_problem(f, FP_LINKS, ino, 0, "%u, should be %u", fi->nlink,
			  want))
		return 0;
	fi->nlink = (u16)want;
	return fsck_set_links(f, ino, want);
}

static bool fsck_other_kind(const struct fsck_ino *fi, bool dirs)
{
	return fi->type == FT_DIR ? !dirs : dirs;
}

/*
 * Twice through: what goes to lost+found makes links of directories that were
 * passed already.
 */
static int fsck_links_round(struct fsck *f, bool dirs)
{
	u32 ipg = f->fs.geom.inodes_per_group, group, i;
	struct fsck_ino *fi;
	u64 ino;
	int err = 0;

	for (group = 0; group < f->fs.geom.groups; group++) {
		for (i = 0; !err && i < f->group[group].inos; i++) {
			fi = &f->group[group].ino[i];
			ino = (u64)group * ipg + i + 1;
			if (!(fi->flags & FI_USED) ||
			    (fi->flags & FI_DELETED) ||
			    (ino < VEXFS_FIRST_INO && ino != VEXFS_ROOT_INO) ||
			    fsck_other_kind(fi, dirs))
				continue;
			err = fsck_check_links(f, ino);
		}
		if (!dirs)
			fsck_progress(f, group + 1, f->fs.geom.groups);
		if (fsck_stopped(f))
			break;
	}
	return err;
}

int fsck_pass_links(struct fsck *f)
{
	int err;

	fsck_pass(f, "links", f->fs.geom.groups);
	err = fsck_links_round(f, false);
	return err ? err : fsck_links_round(f, true);
}

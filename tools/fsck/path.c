// SPDX-License-Identifier: GPL-2.0
/*
 * The path of an inode, for messages: directories know their parent, and for
 * other inodes only their directory does.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include "fsck.h"

#define FSCK_PATH_DEPTH	32
/* Entries looked at for one message */
#define FSCK_PATH_WORK	100000

struct fsck_name_search {
	u64	ino;
	u32	left;
	bool	found;
	char	name[VEXFS_NAME_LEN + 1];
};

static bool fsck_name_is(void *arg, const struct vexfs_dirent *de)
{
	struct fsck_name_search *s = arg;

	if (de->ino == s->ino) {
		memcpy(s->name, de->name, de->name_len);
		s->name[de->name_len] = 0;
		s->found = true;
	}
	return !s->found && --s->left;
}

/* Names are shown as far as they can be printed. */
static bool fsck_name_in(struct fsck *f, u64 dir, u64 ino, char *name)
{
	struct fsck_name_search s = { .ino = ino, .left = FSCK_PATH_WORK };
	struct vexfs_inode di;
	struct vexfs_node n;
	char *p;

	if (fsck_node_get(f, dir, &n, &di) ||
	    fsck_mode_type(le16_to_cpu(di.i_mode)) != FT_DIR ||
	    vexfs_verify_extent_root(&f->fs, &n.root))
		return false;
	vexfs_dir_iterate(&n, 0, fsck_name_is, &s);
	for (p = s.name; *p; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			*p = '?';
	strcpy(name, s.name);
	return s.found;
}

static bool fsck_is_dir(struct fsck *f, u64 ino)
{
	struct fsck_ino *fi = fsck_ino(f, ino);

	return fi && fi->type == FT_DIR;
}

/* By the directories that name each other, as far up as they go. */
void fsck_path(struct fsck *f, u64 ino, char *buf, size_t size)
{
	char name[VEXFS_NAME_LEN + 1], *p = buf + size;
	struct vexfs_inode di;
	size_t len;
	u64 parent;
	int depth;

	buf[0] = 0;
	if (!f->fs.sb_buf || !f->group)
		return;
	if (ino == VEXFS_ROOT_INO) {
		strcpy(buf, "/");
		return;
	}
	*--p = 0;
	for (depth = 0; depth < FSCK_PATH_DEPTH; depth++, ino = parent) {
		if (ino == VEXFS_ROOT_INO)
			break;
		if (!fsck_is_dir(f, ino) || fsck_inode_get(f, ino, &di))
			return;
		parent = le64_to_cpu(di.i_parent);
		if (!fsck_name_in(f, parent, ino, name))
			return;
		len = strlen(name);
		if (len + 2 > (size_t)(p - buf))
			break;
		p -= len;
		memcpy(p, name, len);
		*--p = '/';
	}
	memmove(buf, p, strlen(p) + 1);
}

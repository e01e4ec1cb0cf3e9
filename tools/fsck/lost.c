// SPDX-License-Identifier: GPL-2.0
/*
 * lost+found, which is made when something needs it, and new directories.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include "fsck.h"

#include <time.h>

/* Room for what is known of a new inode. */
static struct fsck_ino *fsck_ino_new(struct fsck *f, u64 ino)
{
	u32 ipg = f->fs.geom.inodes_per_group;
	struct fsck_group *fg = &f->group[(ino - 1) / ipg];
	u32 index = (ino - 1) % ipg, inos;

	if (index >= fg->inos) {
		inos = round_up(index + 1, VEXFS_INODES_PER_BLOCK);
		fg->ino = realloc(fg->ino, inos * sizeof(*fg->ino));
		if (!fg->ino)
			kshim_die(__FILE__, __LINE__, "out of memory");
		memset(fg->ino + fg->inos, 0,
		       (inos - fg->inos) * sizeof(*fg->ino));
		fg->inos = inos;
	}
	return &fg->ino[index];
}

/* Keeps the directories in order of their numbers. */
static void fsck_dir_note(struct fsck *f, u64 ino, u64 parent)
{
	u32 i;

	f->dir = realloc(f->dir, (f->dirs + 1) * sizeof(*f->dir));
	if (!f->dir)
		kshim_die(__FILE__, __LINE__, "out of memory");
	f->dir_room = f->dirs + 1;
	for (i = f->dirs++; i && f->dir[i - 1].ino > ino; i--)
		f->dir[i] = f->dir[i - 1];
	f->dir[i] = (struct fsck_dir) {
		.ino = ino, .parent = parent, .found = parent, .reached = true,
	};
}

static void fsck_dir_record(struct vexfs_node *n, u64 size, u64 parent,
			    struct vexfs_inode *di)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	memset(di, 0, sizeof(*di));
	di->i_magic = cpu_to_le16(VEXFS_INODE_MAGIC);
	di->i_mode = cpu_to_le16(S_IFDIR |
				 (n->ino == VEXFS_ROOT_INO ? 0755 : 0700));
	di->i_ino = cpu_to_le64(n->ino);
	di->i_generation = cpu_to_le32(n->generation);
	di->i_nlink = cpu_to_le32(2);
	di->i_size = cpu_to_le64(size);
	di->i_blocks = cpu_to_le64(n->blocks);
	di->i_mtime = cpu_to_le64((u64)ts.tv_sec * NSEC_PER_SEC +
				  (u64)ts.tv_nsec);
	di->i_atime = di->i_mtime;
	di->i_ctime = di->i_mtime;
	di->i_crtime = di->i_mtime;
	di->i_version = cpu_to_le64(1);
	di->i_parent = cpu_to_le64(parent);
	di->i_root = n->root;
}

/* An empty directory in inode @ino, which is allocated. */
static int fsck_dir_make(struct fsck *f, struct vexfs_trans *t, u64 ino,
			 u32 generation, u64 parent, struct vexfs_inode *di)
{
	struct vexfs_node n;
	u64 size;
	int err;

	vexfs_node_init(&n, &f->fs, ino, generation);
	err = vexfs_dir_init(t, &n, &size);
	if (!err)
		fsck_dir_record(&n, size, parent, di);
	return err;
}

static void fsck_dir_known(struct fsck *f, u64 ino, u64 parent)
{
	struct fsck_ino *fi = fsck_ino_new(f, ino);

	fi->type = FT_DIR;
	fi->flags = FI_USED;
	fi->nlink = 2;
	fi->links = 0;
	f->files++;
	fsck_dir_note(f, ino, parent);
}

/* The group's count of directories has to learn of it. */
static int fsck_count_root(struct fsck *f)
{
	struct vexfs_trans *t = fsck_begin(f);
	struct vexfs_group_desc *gd;
	struct vexfs_buf *buf;
	int err;

	if (IS_ERR(t))
		return PTR_ERR(t);
	gd = vexfs_group_desc(&f->fs, 0, &buf);
	err = vexfs_trans_write(t, buf);
	if (!err) {
		le32_add_cpu(&gd->bg_used_dirs, 1);
		gd->bg_checksum = cpu_to_le32(vexfs_group_desc_csum(&f->fs, 0,
								    gd));
		err = vexfs_trans_dirty(t, buf);
	}
	return fsck_end(f, t, err);
}

/* What is no directory gives its blocks back; the number stays. */
static int fsck_root_clear(struct fsck *f, struct fsck_ino *fi)
{
	struct vexfs_inode di;
	struct vexfs_trans *t;
	struct vexfs_node n;
	int err = fsck_node_get(f, VEXFS_ROOT_INO, &n, &di);

	if (!err && fsck_has_map(&di)) {
		t = fsck_begin(f);
		err = IS_ERR(t) ? PTR_ERR(t) :
		      fsck_end(f, t, fsck_map_drop(f, t, &n, 0));
	}
	memset(fi, 0, sizeof(*fi));
	f->files--;
	return err;
}

int fsck_make_root(struct fsck *f)
{
	struct fsck_ino *fi = fsck_ino(f, VEXFS_ROOT_INO);
	u32 generation = max(get_random_u32(), 1u);
	struct vexfs_inode di;
	struct vexfs_trans *t;
	int err = 0;

	if (!fsck_problem(f, FP_INODE_ROOT, VEXFS_ROOT_INO, 0, NULL))
		return 0;
	/* Something else has its number. */
	if (fi && (fi->flags & FI_USED)) {
		err = fsck_root_clear(f, fi);
		if (err)
			return err;
	}
	t = fsck_begin(f);
	if (IS_ERR(t))
		return PTR_ERR(t);
	err = fsck_dir_make(f, t, VEXFS_ROOT_INO, generation, VEXFS_ROOT_INO,
			    &di);
	err = fsck_end(f, t, err);
	if (!err)
		err = fsck_inode_put(f, VEXFS_ROOT_INO, &di);
	if (!err)
		err = fsck_count_root(f);
	if (!err)
		fsck_dir_known(f, VEXFS_ROOT_INO, VEXFS_ROOT_INO);
	return err;
}

/* Adds a name to a directory. */
static int fsck_name_add(struct fsck *f, u64 dir, const char *name, u64 ino,
			 u8 type)
{
	struct vexfs_inode di;
	struct vexfs_trans *t;
	struct vexfs_node n;
	u64 size;
	int err = fsck_node_get(f, dir, &n, &di);

	if (err)
		return err;
	size = le64_to_cpu(di.i_size);
	t = fsck_begin(f);
	if (IS_ERR(t))
		return PTR_ERR(t);
	err = vexfs_dir_add(t, &n, (const u8 *)name, (u32)strlen(name), ino,
			    type, &size);
	err = fsck_end(f, t, err);
	return fsck_node_put(f, &n, &size) ?: err;
}

static int fsck_lost_make(struct fsck *f, const char *name)
{
	struct vexfs_inode di;
	struct vexfs_trans *t = fsck_begin(f);
	u32 generation;
	u64 ino;
	int err;

	if (IS_ERR(t))
		return PTR_ERR(t);
	err = vexfs_ialloc(t, &f->fs, VEXFS_ROOT_INO, true, &ino, &generation);
	if (!err)
		err = fsck_dir_make(f, t, ino, generation, VEXFS_ROOT_INO,
				    &di);
	err = fsck_end(f, t, err);
	if (!err)
		err = fsck_inode_put(f, ino, &di);
	if (!err)
		err = fsck_name_add(f, VEXFS_ROOT_INO, name, ino, FT_DIR);
	if (err)
		return err;
	fsck_dir_known(f, ino, VEXFS_ROOT_INO);
	fsck_ino(f, VEXFS_ROOT_INO)->links++;
	f->lost_found = ino;
	return 0;
}

/* Finds it, or makes it under a name that is free. */
static int fsck_lost_open(struct fsck *f)
{
	char name[32] = "lost+found";
	struct vexfs_dirent de;
	struct vexfs_inode di;
	struct vexfs_node root;
	int err, i;

	if (f->lost_found)
		return 0;
	err = fsck_node_get(f, VEXFS_ROOT_INO, &root, &di);
	for (i = 1; !err && i < 100; i++) {
		err = vexfs_dir_lookup(&root, (u8 *)name, (u32)strlen(name),
				       &de);
		if (err == -ENOENT)
			return fsck_lost_make(f, name);
		if (!err && de.type == FT_DIR && fsck_dir_find(f, de.ino)) {
			f->lost_found = de.ino;
			return 0;
		}
		snprintf(name, sizeof(name), "lost+found.%d", i);
	}
	return err ? err : -EEXIST;
}

int fsck_reconnect(struct fsck *f, u64 ino)
{
	struct fsck_ino *fi;
	struct vexfs_inode di;
	struct fsck_dir *d;
	char name[32];
	int err = fsck_lost_open(f);

	fi = fsck_ino(f, ino);
	snprintf(name, sizeof(name), "#%llu", ino);
	if (!err)
		err = fsck_name_add(f, f->lost_found, name, ino, fi->type);
	if (err == -EEXIST) {
		snprintf(name, sizeof(name), "#%llu.%u", ino,
			 get_random_u32());
		err = fsck_name_add(f, f->lost_found, name, ino, fi->type);
	}
	if (err)
		return err;
	if (fi->type != FT_DIR) {
		fi->links++;
		return 0;
	}
	fsck_ino(f, f->lost_found)->links++;
	d = fsck_dir_find(f, ino);
	d->found = f->lost_found;
	d->parent = f->lost_found;
	err = fsck_inode_get(f, ino, &di);
	if (err)
		return err;
	di.i_parent = cpu_to_le64(f->lost_found);
	return fsck_inode_put(f, ino, &di);
}

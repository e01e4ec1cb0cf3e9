// SPDX-License-Identifier: GPL-2.0
/*
 * Inodes by number: what is known of them, their records, and taking one
 * away with the means of the shared core.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include "fsck.h"

/* More than any operation of the core asks for */
#define FSCK_CREDITS	(1 << 20)

struct fsck_ino *fsck_ino(struct fsck *f, u64 ino)
{
	u32 ipg = f->fs.geom.inodes_per_group;
	u64 group = (ino - 1) / ipg, index = (ino - 1) % ipg;

	if (!ino || group >= f->fs.geom.groups ||
	    index >= f->group[group].inos)
		return NULL;
	return &f->group[group].ino[index];
}

bool fsck_in_use(struct fsck *f, u64 ino)
{
	struct fsck_ino *fi = fsck_ino(f, ino);

	return fi && (fi->flags & FI_USED);
}

static int fsck_inode_place(struct fsck *f, u64 ino, struct vexfs_buf **buf,
			    struct vexfs_inode **di)
{
	*buf = vexfs_inode_buf(&f->fs, ino, di);
	if (!IS_ERR(*buf))
		return 0;
	return PTR_ERR(*buf);
}

int fsck_inode_get(struct fsck *f, u64 ino, struct vexfs_inode *di)
{
	struct vexfs_inode *disk;
	struct vexfs_buf *buf;
	int err = fsck_inode_place(f, ino, &buf, &disk);

	if (err)
		return err;
	*di = *disk;
	vexfs_buf_put(buf);
	return 0;
}

int fsck_inode_put(struct fsck *f, u64 ino, struct vexfs_inode *di)
{
	struct vexfs_trans *t = fsck_begin(f);
	struct vexfs_inode *disk;
	struct vexfs_buf *buf;
	int err;

	if (IS_ERR(t))
		return PTR_ERR(t);
	err = fsck_inode_place(f, ino, &buf, &disk);
	if (!err) {
		err = vexfs_trans_write(t, buf);
		if (!err) {
			if (di->i_magic)
				di->i_checksum =
					cpu_to_le32(vexfs_inode_csum(&f->fs,
								     di));
			*disk = *di;
			err = vexfs_trans_dirty(t, buf);
		}
		vexfs_buf_put(buf);
	}
	return fsck_end(f, t, err);
}

int fsck_node_get(struct fsck *f, u64 ino, struct vexfs_node *n,
		  struct vexfs_inode *di)
{
	int err = fsck_inode_get(f, ino, di);

	if (err)
		return err;
	vexfs_node_init(n, &f->fs, ino, le32_to_cpu(di->i_generation));
	n->root = di->i_root;
	n->blocks = le64_to_cpu(di->i_blocks);
	n->flags = le32_to_cpu(di->i_flags);
	return 0;
}

int fsck_node_put(struct fsck *f, struct vexfs_node *n, const u64 *size)
{
	struct vexfs_inode di;
	int err = fsck_inode_get(f, n->ino, &di);

	if (err)
		return err;
	di.i_root = n->root;
	di.i_blocks = cpu_to_le64(n->blocks);
	if (size)
		di.i_size = cpu_to_le64(*size);
	return fsck_inode_put(f, n->ino, &di);
}

void fsck_list_add(struct fsck_list *list, u64 ino)
{
	if (list->count == list->room) {
		list->room = list->room ? 2 * list->room : 64;
		list->ino = realloc(list->ino, list->room * sizeof(u64));
		if (!list->ino)
			kshim_die(__FILE__, __LINE__, "out of memory");
	}
	list->ino[list->count++] = ino;
}

bool fsck_list_has(const struct fsck_list *list, u64 ino)
{
	u32 i;

	for (i = 0; i < list->count; i++)
		if (list->ino[i] == ino)
			return true;
	return false;
}

struct fsck_dir *fsck_dir_find(struct fsck *f, u64 ino)
{
	u32 lo = 0, hi = f->dirs;

	while (lo < hi) {
		u32 mid = lo + (hi - lo) / 2;

		if (f->dir[mid].ino == ino)
			return &f->dir[mid];
		if (f->dir[mid].ino < ino)
			lo = mid + 1;
		else
			hi = mid;
	}
	return NULL;
}

u8 fsck_mode_type(u16 mode)
{
	static const u8 type[16] = {
		[S_IFREG >> S_DT_SHIFT]		= FT_REG_FILE,
		[S_IFDIR >> S_DT_SHIFT]		= FT_DIR,
		[S_IFCHR >> S_DT_SHIFT]		= FT_CHRDEV,
		[S_IFBLK >> S_DT_SHIFT]		= FT_BLKDEV,
		[S_IFIFO >> S_DT_SHIFT]		= FT_FIFO,
		[S_IFSOCK >> S_DT_SHIFT]	= FT_SOCK,
		[S_IFLNK >> S_DT_SHIFT]		= FT_SYMLINK,
	};

	return type[(mode & S_IFMT) >> S_DT_SHIFT];
}

struct vexfs_trans *fsck_begin(struct fsck *f)
{
	return vexfs_trans_begin(f->dev, FSCK_CREDITS);
}

/* What was done before an error stays done: it is complete in itself. */
int fsck_end(struct fsck *f, struct vexfs_trans *t, int err)
{
	int err2 = vexfs_trans_end(t);

	if (!err2)
		err2 = vexfs_dev_commit(f->dev);
	return err ? err : err2;
}

int fsck_free_block(struct fsck *f, struct vexfs_trans *t, u64 bno)
{
	u64 cluster = vexfs_block_to_cluster(&f->fs.geom, bno);
	int err = vexfs_trans_forget(t, &f->fs, NULL, bno);

	return err ? err : vexfs_bfree(t, &f->fs, cluster, 1);
}

/* The core frees some nodes of a tree at a time. */
int fsck_map_drop(struct fsck *f, struct vexfs_trans *t, struct vexfs_node *n,
		  u64 lblk)
{
	bool more;
	int err;

	do {
		err = vexfs_ext_remove(t, n, lblk, VEXFS_MAX_LBLK, &more);
	} while (!err && more);
	return err;
}

/* Extents, collection header, xattrs, number; all seen to be sound. */
static int fsck_inode_drop(struct fsck *f, struct vexfs_trans *t,
			   struct vexfs_node *n, struct vexfs_inode *di)
{
	int err = 0;

	if (fsck_has_map(di))
		err = fsck_map_drop(f, t, n, 0);
	if (!err && (n->flags & VEXFS_COLLECTION_FL) && di->i_coll)
		err = fsck_free_block(f, t, le64_to_cpu(di->i_coll));
	if (!err)
		err = fsck_xattr_free(f, t, n->ino, di);
	if (!err)
		err = vexfs_ifree(t, &f->fs, n->ino,
				  S_ISDIR(le16_to_cpu(di->i_mode)));
	return err;
}

int fsck_inode_free(struct fsck *f, u64 ino)
{
	struct fsck_ino *fi = fsck_ino(f, ino);
	struct vexfs_inode di;
	struct vexfs_trans *t;
	struct vexfs_node n;
	int err = fsck_node_get(f, ino, &n, &di);

	if (err)
		return err;
	t = fsck_begin(f);
	if (IS_ERR(t))
		return PTR_ERR(t);
	err = fsck_end(f, t, fsck_inode_drop(f, t, &n, &di));
	if (err)
		return err;
	memset(&di, 0, sizeof(di));
	if (fi)
		memset(fi, 0, sizeof(*fi));
	f->files--;
	return fsck_inode_put(f, ino, &di);
}

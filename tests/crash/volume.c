// SPDX-License-Identifier: GPL-2.0
/*
 * The volume after a crash: recovered in memory and checked by fsck, then
 * read through the shared core.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include "crash.h"

int cv_open(struct fsck *f, struct vexfs_dev *dev, bool tell)
{
	memset(f, 0, sizeof(*f));
	f->dev = dev;
	f->opt = (struct fsck_options) {
		.mode = FSCK_NO, .force = true, .quiet = !tell,
		.progress = -1, .device = "image",
	};
	return fsck_run(f);
}

void cv_close(struct fsck *f)
{
	struct vexfs_dev *dev = f->dev;

	fsck_free(f);
	vexfs_dev_drop_cache(dev);
	vexfs_dev_discard(dev);
}

int cv_file(struct fsck *f, u64 ino, struct cv_file *file)
{
	struct vexfs_node *n = &file->n;
	int err;

	file->f = f;
	file->last.len = 0;
	err = fsck_node_get(f, ino, n, &file->di);
	if (err)
		return err;
	n->xattr_block = le64_to_cpu(file->di.i_xattr);
	n->xattr_len = le16_to_cpu(file->di.i_xattr_len);
	memcpy(n->xattr_inline, file->di.i_xattr_inline,
	       sizeof(n->xattr_inline));
	file->size = le64_to_cpu(file->di.i_size);
	return 0;
}

static int cv_block(struct cv_file *file, u64 lblk, void *data)
{
	struct vexfs_map *m = &file->last;
	int err;

	if (lblk < m->lblk || lblk >= m->lblk + m->len) {
		m->len = 0;
		err = vexfs_ext_lookup(&file->n, lblk, VEXFS_MAX_LBLK - lblk,
				       m);
		if (err)
			return err;
	}
	if (m->pblk && !m->unwritten)
		return vexfs_dev_read(file->f->dev, m->pblk + lblk - m->lblk,
				      data);
	memset(data, 0, VEXFS_BLOCK_SIZE);
	return 0;
}

int cv_read(struct cv_file *file, u64 pos, void *buf, size_t len)
{
	u8 data[VEXFS_BLOCK_SIZE] __aligned(8), *to = buf;
	size_t off, part;
	int err;

	if (pos > file->size || len > file->size - pos)
		return -EIO;
	for (; len; len -= part, pos += part, to += part) {
		off = pos % VEXFS_BLOCK_SIZE;
		part = min(len, VEXFS_BLOCK_SIZE - off);
		err = cv_block(file, pos >> VEXFS_BLOCK_SHIFT, data);
		if (err)
			return err;
		memcpy(to, data + off, part);
	}
	return 0;
}

int cv_lookup(struct fsck *f, u64 dir, const char *name, u64 *ino)
{
	struct vexfs_dirent de;
	struct vexfs_inode di;
	struct vexfs_node n;
	int err = fsck_node_get(f, dir, &n, &di);

	if (!err)
		err = vexfs_dir_lookup(&n, (const u8 *)name,
				       (u32)strlen(name), &de);
	*ino = err ? 0 : de.ino;
	return err;
}

static bool cv_list_one(void *arg, const struct vexfs_dirent *de)
{
	struct cv_dir *list = arg;
	struct cv_name *n;

	if (list->count == list->room) {
		list->room = list->room ? 2 * list->room : 32;
		list->name = realloc(list->name,
				     list->room * sizeof(*list->name));
		if (!list->name)
			kshim_die(__FILE__, __LINE__, "out of memory");
	}
	n = &list->name[list->count++];
	n->ino = de->ino;
	memcpy(n->name, de->name, de->name_len);
	n->name[de->name_len] = 0;
	return true;
}

static int cv_name_cmp(const void *a, const void *b)
{
	const struct cv_name *x = a, *y = b;

	return strcmp(x->name, y->name);
}

int cv_list(struct fsck *f, u64 dir, struct cv_dir *list)
{
	struct vexfs_inode di;
	struct vexfs_node n;
	int err = fsck_node_get(f, dir, &n, &di);

	memset(list, 0, sizeof(*list));
	if (!err)
		err = vexfs_dir_iterate(&n, 0, cv_list_one, list);
	if (!err && list->count)
		qsort(list->name, list->count, sizeof(*list->name),
		      cv_name_cmp);
	return err;
}

void cv_list_free(struct cv_dir *list)
{
	free(list->name);
	memset(list, 0, sizeof(*list));
}

// SPDX-License-Identifier: GPL-2.0
/*
 * Names and data after a crash: the tree has to be that after some number of
 * operations, not fewer than were synced, and every sector of every file what
 * was synced or what was written later.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include "crash.h"

#define CM_MAX_DEPTH	8

/* A model that is moved to any number of operations. */
struct cm_files {
	u32	seed;
	u32	max;
	struct cm_op *op;
	uint64_t *digest;		/* after so many operations */
	struct cm synced, last, at;
};

/* What is found on the volume. */
struct cm_found {
	struct fsck *f;
	uint64_t h;
	u32	count;
	u64	ino[CM_INODES];
	const char *why;
};

const char *cm_why(const char *fmt, ...)
{
	/* Two in turn: one message may be made of another. */
	static char text[2][512];
	static int turn;
	va_list ap;

	turn ^= 1;
	va_start(ap, fmt);
	vsnprintf(text[turn], sizeof(text[turn]), fmt, ap);
	va_end(ap);
	return text[turn];
}

struct cm_files *cm_files_new(u32 seed, u32 max)
{
	struct cm_files *cf = calloc(1, sizeof(*cf));
	u32 i;

	max = min_t(u32, max, CM_OPS - 1);
	if (cf) {
		cf->op = calloc(max + 1, sizeof(*cf->op));
		cf->digest = calloc(max + 1, sizeof(*cf->digest));
	}
	if (!cf || !cf->op || !cf->digest)
		kshim_die(__FILE__, __LINE__, "out of memory");
	cf->seed = seed;
	cf->max = max;
	cm_init(&cf->at, seed);
	cf->digest[0] = cm_digest(&cf->at);
	for (i = 0; i < max; i++) {
		cm_next(&cf->at, &cf->op[i]);
		cm_apply(&cf->at, &cf->op[i]);
		cf->digest[i + 1] = cm_digest(&cf->at);
	}
	cm_init(&cf->synced, seed);
	cm_init(&cf->last, seed);
	return cf;
}

void cm_files_free(struct cm_files *cf)
{
	if (!cf)
		return;
	free(cf->op);
	free(cf->digest);
	free(cf);
}

static struct cm *cm_move(struct cm_files *cf, struct cm *m, u32 ops)
{
	if (m->done > ops)
		cm_init(m, cf->seed);
	while (m->done < ops)
		cm_apply(m, &cf->op[m->done]);
	return m;
}

/* ----------------------------------------------------------------- names */

static u32 cm_number(struct cm_found *w, u64 ino)
{
	u32 i;

	for (i = 0; i < w->count; i++)
		if (w->ino[i] == ino)
			return i + 1;
	if (w->count < CM_INODES)
		w->ino[w->count++] = ino;
	return i + 1;
}

static u64 cm_found_target(struct cm_found *w, struct cv_file *file)
{
	struct vexfs_symlink_block *sl;
	struct vexfs_map map;
	struct vexfs_buf *buf;
	u64 h;

	if (file->size <= VEXFS_FAST_SYMLINK)
		return cm_hash(CM_HASH_INIT, file->di.i_symlink, file->size);
	if (vexfs_ext_lookup(&file->n, 0, 1, &map) || !map.pblk)
		return 0;
	buf = vexfs_meta_read(&w->f->fs, map.pblk, VEXFS_MAGIC_SYMLINK,
			      file->n.ino, file->n.generation);
	if (IS_ERR(buf))
		return 0;
	sl = vexfs_buf_data(buf);
	h = cm_hash(CM_HASH_INIT, sl->sl_target,
		    min(file->size, (u64)VEXFS_SYMLINK_SPACE));
	vexfs_buf_put(buf);
	return h;
}

static int cm_count_xattr(void *arg, const struct vexfs_xattr_name *name,
			  u32 len)
{
	u32 *n = arg;

	(*n)++;
	return 0;
}

static void cm_found_xattrs(struct cm_found *w, struct cv_file *file,
			    uint64_t *hash)
{
	u8 value[CM_VALUE_MAX + 1];
	char text[3] = "x0";
	struct vexfs_xattr_name name = {
		.index = VEXFS_XATTR_USER, .len = 2, .name = (u8 *)text,
	};
	u32 i, count = 0, found = 0;
	int len;

	for (i = 0; i < CM_XATTRS; i++) {
		text[1] = (char)('0' + i);
		len = vexfs_xattr_get(&file->n, &name, value, sizeof(value));
		hash[i] = 0;
		if (len < 0)
			continue;
		hash[i] = cm_hash(CM_HASH_INIT, value, (size_t)len);
		found++;
	}
	if (vexfs_xattr_list(&file->n, cm_count_xattr, &count) ||
	    count != found)
		w->why = cm_why("inode %llu has %u xattrs instead of %u",
				file->n.ino, count, found);
}

static void cm_walk(struct cm_found *w, u64 dir, int depth);

static void cm_walk_name(struct cm_found *w, const struct cv_name *name,
			 int depth)
{
	uint64_t xattr[CM_XATTRS] = { };
	u64 target = 0;
	struct cv_file file;
	int type = CM_FILE;
	u16 mode;

	if (cv_file(w->f, name->ino, &file)) {
		w->why = cm_why("inode %llu can't be read", name->ino);
		return;
	}
	mode = le16_to_cpu(file.di.i_mode);
	if (S_ISDIR(mode))
		type = CM_DIR;
	if (S_ISLNK(mode)) {
		type = CM_LINK;
		target = cm_found_target(w, &file);
	} else {
		cm_found_xattrs(w, &file, xattr);
	}
	cm_digest_name(&w->h, name->name, type, mode & 07777,
		       cm_number(w, name->ino), target, xattr);
	if (type == CM_DIR)
		cm_walk(w, name->ino, depth + 1);
}

static void cm_walk(struct cm_found *w, u64 dir, int depth)
{
	struct cv_dir list;
	u32 i;

	if (depth > CM_MAX_DEPTH || cv_list(w->f, dir, &list)) {
		w->why = cm_why("directory %llu can't be read", dir);
		return;
	}
	for (i = 0; i < list.count && !w->why; i++)
		cm_walk_name(w, &list.name[i], depth);
	cm_digest_up(&w->h);
	cv_list_free(&list);
}

/* ------------------------------------------------------------------ data */

static const char *cm_file_data(struct cm_files *cf, struct fsck *f, u64 ino,
				u32 id)
{
	u8 data[CM_SECTOR];
	struct cv_file file;
	const char *why;
	u64 pos;
	u32 len;

	if (cv_file(f, ino, &file))
		return "it can't be read";
	why = cm_check_size(&cf->synced, &cf->last, id, file.size);
	for (pos = 0; !why && pos < file.size; pos += CM_SECTOR) {
		len = (u32)min(file.size - pos, (u64)CM_SECTOR);
		memset(data, 0, sizeof(data));
		if (cv_read(&file, pos, data, len))
			return "its data can't be read";
		why = cm_check_sector(&cf->synced, &cf->last, id,
				      (u32)(pos / CM_SECTOR), data);
		if (why)
			why = cm_why("file %u, sector %llu of %llu, operation %u: %s",
				     id, pos / CM_SECTOR, file.size / CM_SECTOR,
				     get_unaligned_le32(data + 8), why);
	}
	return why;
}

/* The tree has the model's names: the model says which file is which. */
static const char *cm_tree_data(struct cm_files *cf, struct fsck *f, int mdir,
				u64 dir)
{
	const struct cm_inode *di;
	const char *why = NULL;
	char name[CM_NAME_MAX + 1];
	int i, m;
	u64 ino;

	for (i = 0; !why && i < CM_NAMES; i++) {
		m = cf->at.ino[mdir].ent[i];
		if (m < 0)
			continue;
		cm_name(i, name);
		if (cv_lookup(f, dir, name, &ino))
			return "a name can't be looked up";
		di = &cf->at.ino[m];
		if (di->type == CM_FILE)
			why = cm_file_data(cf, f, ino, di->id);
		else if (di->type == CM_DIR)
			why = cm_tree_data(cf, f, m, ino);
	}
	return why;
}

const char *cm_files_check(void *arg, struct fsck *f, u64 dir,
			   const struct cm_promise *p)
{
	struct cm_found w = { .f = f, .h = CM_HASH_INIT };
	struct cm_files *cf = arg;
	u32 k, low, high = min_t(u64, p->next.begun, cf->max);
	const char *why = NULL;

	if (p->was.done > cf->max)
		return "more was promised than is known";
	cm_move(cf, &cf->synced, (u32)p->was.done);
	cm_move(cf, &cf->last, high);
	low = cf->synced.synced;
	cm_walk(&w, dir, 0);
	if (w.why)
		return w.why;
	for (k = low; k <= high; k++) {
		if (cf->digest[k] != w.h)
			continue;
		cm_move(cf, &cf->at, k);
		why = cm_tree_data(cf, f, 0, dir);
		if (!why)
			return NULL;
	}
	return why ?: cm_why("the tree is not that of %u to %u operations",
			     low, high);
}

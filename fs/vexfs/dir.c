// SPDX-License-Identifier: GPL-2.0
/*
 * Reading directories. The position in a directory is the key of the next
 * entry, which never changes while the entry lives; 0 and 1 are "." and "..".
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include <linux/fs.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include "vexfs.h"

/* Where a directory ends; keys have 63 bits. */
#define VEXFS_DIR_END	S64_MAX
#define VEXFS_DIR_BATCH	PAGE_SIZE

/* Entries copied from a leaf, so that none is held while userspace faults. */
struct vexfs_dir_batch {
	size_t	used;
	u8	data[];
};

struct vexfs_batch_entry {
	u64	key;
	u64	ino;
	u8	type;
	u8	name_len;
	u8	name[];
};

static size_t vexfs_batch_entry_size(u8 name_len)
{
	return ALIGN(sizeof(struct vexfs_batch_entry) + name_len, sizeof(u64));
}

/* False when the batch is full: the rest comes with the next one. */
static bool vexfs_batch_add(void *arg, const struct vexfs_dirent *de)
{
	struct vexfs_dir_batch *batch = arg;
	size_t size = vexfs_batch_entry_size(de->name_len);
	struct vexfs_batch_entry *e;

	if (sizeof(*batch) + batch->used + size > VEXFS_DIR_BATCH)
		return false;
	e = (struct vexfs_batch_entry *)(batch->data + batch->used);
	e->key = de->key;
	e->ino = de->ino;
	e->type = de->type;
	e->name_len = de->name_len;
	memcpy(e->name, de->name, de->name_len);
	batch->used += size;
	return true;
}

/* False when the caller's buffer is full. */
static bool vexfs_batch_emit(struct dir_context *ctx,
			     const struct vexfs_dir_batch *batch)
{
	const struct vexfs_batch_entry *e;
	size_t off = 0;

	while (off < batch->used) {
		e = (const struct vexfs_batch_entry *)(batch->data + off);
		/* Keys 0 and 1 would be hidden by "." and "..". */
		ctx->pos = max_t(loff_t, e->key, 2);
		if (!dir_emit(ctx, e->name, e->name_len, e->ino,
			      fs_ftype_to_dtype(e->type)))
			return false;
		ctx->pos = e->key < VEXFS_DIR_END ?
			   max_t(loff_t, e->key + 1, 2) : VEXFS_DIR_END;
		off += vexfs_batch_entry_size(e->name_len);
	}
	return true;
}

static bool vexfs_emit_dots(struct file *file, struct dir_context *ctx)
{
	struct inode *dir = file_inode(file);

	if (ctx->pos == 0) {
		if (!dir_emit_dot(file, ctx))
			return false;
		ctx->pos = 1;
	}
	if (ctx->pos == 1) {
		if (!dir_emit(ctx, "..", 2, VEXFS_I(dir)->parent, DT_DIR))
			return false;
		ctx->pos = 2;
	}
	return true;
}

static int vexfs_read_entries(struct inode *dir, struct dir_context *ctx,
			      struct vexfs_dir_batch *batch)
{
	int ret;

	while (ctx->pos != VEXFS_DIR_END) {
		if (fatal_signal_pending(current))
			return -EINTR;
		cond_resched();
		batch->used = 0;
		ret = vexfs_dir_iterate(&VEXFS_I(dir)->node,
					ctx->pos == 2 ? 0 : ctx->pos,
					vexfs_batch_add, batch);
		if (ret < 0)
			return ret;
		if (!batch->used)
			ctx->pos = VEXFS_DIR_END;
		else if (!vexfs_batch_emit(ctx, batch))
			break;
	}
	return 0;
}

static int vexfs_iterate(struct file *file, struct dir_context *ctx)
{
	struct inode *dir = file_inode(file);
	struct vexfs_dir_batch *batch;
	int ret;

	if (vexfs_is_shutdown(dir->i_sb))
		return -EIO;
	if (!vexfs_emit_dots(file, ctx))
		return 0;
	batch = kmalloc(VEXFS_DIR_BATCH, GFP_KERNEL);
	if (!batch)
		return -ENOMEM;
	ret = vexfs_read_entries(dir, ctx, batch);
	kfree(batch);
	return ret;
}

static loff_t vexfs_dir_llseek(struct file *file, loff_t offset, int whence)
{
	return generic_file_llseek_size(file, offset, whence, VEXFS_DIR_END,
					VEXFS_DIR_END);
}

const struct file_operations vexfs_dir_operations = {
	.llseek		= vexfs_dir_llseek,
	.read		= generic_read_dir,
	.iterate_shared	= vexfs_iterate,
	.fsync		= vexfs_fsync,
	.unlocked_ioctl	= vexfs_ioctl,
	.compat_ioctl	= compat_ptr_ioctl,
};

/* SPDX-License-Identifier: GPL-2.0 */
/*
 * An arena: items of one size by number, in chunks of memory that are large
 * enough for huge pages. It also remembers which parts of it changed since
 * the last checkpoint, so that only those are written.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#ifndef _VEXFS_ARENA_H
#define _VEXFS_ARENA_H

#include "core.h"

/*
 * Locks: vexfs_arena_reserve(), _init() and _free() exclude every other use
 * (sem for writing, in a collection): the table of chunks and the first
 * chunk may move. In between pointers to items stay valid and looking one up
 * takes no lock. Who changes items guards them with locks of its own; several
 * may mark items dirty at a time, while none clears the marks (index_lock).
 */
struct vexfs_arena {
	/** @chunk: table of nchunks pointers */
	void		**chunk;
	u32		nchunks;
	/** @table: room in @chunk */
	u32		table;
	u32		item_size;
	/** @shift: log2 of the items in a chunk */
	u32		shift;
	/** @count: items that there is memory for */
	u32		count;
	/** @dirty: a bit for each VEXFS_CHUNK_SIZE bytes of the section */
	unsigned long	*dirty;
	u32		dirty_bits;
	/** @memory: bytes of all chunks */
	u64		memory;
};

/* Nothing is allocated yet. @item_size: any but 0, at most 64 KiB. */
void vexfs_arena_init(struct vexfs_arena *a, u32 item_size);
void vexfs_arena_free(struct vexfs_arena *a);

/*
 * Makes items [0, count) exist, new ones zero. -ENOMEM leaves it as it was,
 * or with some more items. May sleep.
 */
int vexfs_arena_reserve(struct vexfs_arena *a, u32 count);

/* The item @nr < count. */
static inline void *vexfs_arena_item(const struct vexfs_arena *a, u32 nr)
{
	u32 mask = (1u << a->shift) - 1;

	return a->chunk[nr >> a->shift] + (size_t)(nr & mask) * a->item_size;
}

/*
 * The arena as a section of a checkpoint: items one behind the other, so item
 * nr is at byte nr * item_size. Chunk c of the section is the
 * VEXFS_CHUNK_SIZE bytes at c * VEXFS_CHUNK_SIZE.
 */

/* Bytes of the section when it holds @count items, and its chunks. */
static inline u64 vexfs_arena_bytes(const struct vexfs_arena *a, u32 count)
{
	return (u64)count * a->item_size;
}

static inline u32 vexfs_arena_chunks(const struct vexfs_arena *a, u32 count)
{
	return (u32)((vexfs_arena_bytes(a, count) + VEXFS_CHUNK_SIZE - 1) /
		     VEXFS_CHUNK_SIZE);
}

/*
 * Copies bytes of the section out or in. The range must lie within the items
 * that were reserved. Copying in doesn't mark anything dirty.
 */
void vexfs_arena_read(const struct vexfs_arena *a, u64 pos, void *buf,
		      size_t len);
void vexfs_arena_write(struct vexfs_arena *a, u64 pos, const void *buf,
		       size_t len);

/* Notes that item @nr changed. */
void vexfs_arena_dirty(struct vexfs_arena *a, u32 nr);
/* Is chunk @c of the section dirty? Beyond what was reserved: no. */
bool vexfs_arena_is_dirty(const struct vexfs_arena *a, u32 c);
/* After chunk @c was written, or to have it written again. */
void vexfs_arena_set_dirty(struct vexfs_arena *a, u32 c, bool dirty);
/* All of them. */
void vexfs_arena_set_all_dirty(struct vexfs_arena *a, bool dirty);

/*
 * Memory for a chunk, zeroed, aligned to 64 bytes at least, of huge pages
 * where that is possible, charged to the caller's memory cgroup. In vecenv.c,
 * which the kernel and userspace have one each of.
 */
void *vexfs_chunk_alloc(size_t bytes);
void vexfs_chunk_free(void *chunk, size_t bytes);

#endif /* _VEXFS_ARENA_H */

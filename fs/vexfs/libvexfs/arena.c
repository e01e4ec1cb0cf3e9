// SPDX-License-Identifier: GPL-2.0
/*
 * Arenas: items by number, in chunks that double as parts of a checkpoint.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include "arena.h"

/* Chunks grow to between half of this and all of it; the first is smaller. */
#define ARENA_CHUNK_BYTES	(4u << 20)
#define ARENA_FIRST_BYTES	4096u

void vexfs_arena_init(struct vexfs_arena *a, u32 item_size)
{
	memset(a, 0, sizeof(*a));
	a->item_size = item_size;
	a->shift = (u32)ilog2(ARENA_CHUNK_BYTES / item_size);
}

static size_t chunk_bytes(const struct vexfs_arena *a, u32 items)
{
	return (size_t)items * a->item_size;
}

void vexfs_arena_free(struct vexfs_arena *a)
{
	u32 i, items = 1u << a->shift;

	for (i = 0; i < a->nchunks; i++)
		vexfs_chunk_free(a->chunk[i],
				 chunk_bytes(a, min(items, a->count)));
	kvfree(a->chunk);
	kvfree(a->dirty);
	vexfs_arena_init(a, a->item_size);
}

/* Room for the pointers to @nchunks chunks. */
static int arena_table(struct vexfs_arena *a, u32 nchunks)
{
	u32 room = max(nchunks, 2 * a->table);
	void **table;

	if (nchunks <= a->table)
		return 0;
	table = kvcalloc(room, sizeof(*table), GFP_KERNEL);
	if (!table)
		return -ENOMEM;
	if (a->table)
		memcpy(table, a->chunk, a->table * sizeof(*table));
	kvfree(a->chunk);
	a->chunk = table;
	a->table = room;
	return 0;
}

/* Dirty bits for @count items; those of new chunks are clear. */
static int arena_bits(struct vexfs_arena *a, u32 count)
{
	u32 bits = round_up(vexfs_arena_chunks(a, count), BITS_PER_LONG);
	unsigned long *dirty;

	if (bits <= a->dirty_bits)
		return 0;
	bits = max(bits, 2 * a->dirty_bits);
	dirty = kvcalloc(BITS_TO_LONGS(bits), sizeof(*dirty), GFP_KERNEL);
	if (!dirty)
		return -ENOMEM;
	if (a->dirty_bits)
		memcpy(dirty, a->dirty, BITS_TO_LONGS(a->dirty_bits) *
					sizeof(*dirty));
	kvfree(a->dirty);
	a->dirty = dirty;
	a->dirty_bits = bits;
	return 0;
}

/* A larger first chunk in place of the one there is. */
static int arena_grow_first(struct vexfs_arena *a, u32 items)
{
	size_t old = chunk_bytes(a, a->count), size = chunk_bytes(a, items);
	void *chunk = vexfs_chunk_alloc(size);

	if (!chunk)
		return -ENOMEM;
	if (a->nchunks) {
		memcpy(chunk, a->chunk[0], old);
		vexfs_chunk_free(a->chunk[0], old);
	}
	a->chunk[0] = chunk;
	a->nchunks = 1;
	a->count = items;
	a->memory = size;
	return 0;
}

static u32 arena_first_items(const struct vexfs_arena *a, u32 count)
{
	u32 least = max(ARENA_FIRST_BYTES / a->item_size, 64 / a->item_size);

	least = max3(least, count, 1u);
	return min((u32)roundup_pow_of_two(least), 1u << a->shift);
}

static int arena_add(struct vexfs_arena *a)
{
	u32 items = 1u << a->shift;
	void *chunk = vexfs_chunk_alloc(chunk_bytes(a, items));

	if (!chunk)
		return -ENOMEM;
	a->chunk[a->nchunks++] = chunk;
	a->count += items;
	a->memory += chunk_bytes(a, items);
	return 0;
}

int vexfs_arena_reserve(struct vexfs_arena *a, u32 count)
{
	u32 items = 1u << a->shift;
	u32 nchunks = (u32)(((u64)count + items - 1) >> a->shift);
	int err = 0;

	if (count <= a->count)
		return 0;
	err = arena_table(a, nchunks);
	if (!err)
		err = arena_bits(a, nchunks << a->shift);
	if (!err && a->count < items)
		err = arena_grow_first(a, arena_first_items(a, count));
	while (!err && a->count < count) {
		err = arena_add(a);
		cond_resched();
	}
	return err;
}

/* The bytes of the section from @pos on that are in one piece, up to @len. */
static void *arena_piece(const struct vexfs_arena *a, u64 pos, size_t len,
			 size_t *piece)
{
	u64 size = (u64)a->item_size << a->shift;
	u64 nr = div64_u64(pos, size);
	u64 off = pos - nr * size;

	*piece = (size_t)min((u64)len, size - off);
	return a->chunk[nr] + off;
}

void vexfs_arena_read(const struct vexfs_arena *a, u64 pos, void *buf,
		      size_t len)
{
	const void *from;
	size_t piece;

	for (; len; len -= piece, pos += piece, buf += piece) {
		from = arena_piece(a, pos, len, &piece);
		memcpy(buf, from, piece);
	}
}

void vexfs_arena_write(struct vexfs_arena *a, u64 pos, const void *buf,
		       size_t len)
{
	size_t piece;
	void *to;

	for (; len; len -= piece, pos += piece, buf += piece) {
		to = arena_piece(a, pos, len, &piece);
		memcpy(to, buf, piece);
	}
}

/* Mostly it is set already. */
static void arena_mark(struct vexfs_arena *a, unsigned long bit)
{
	if (!test_bit(bit, a->dirty))
		set_bit(bit, a->dirty);
}

void vexfs_arena_dirty(struct vexfs_arena *a, u32 nr)
{
	u64 first = (u64)nr * a->item_size;
	u64 last = first + a->item_size - 1;

	arena_mark(a, (unsigned long)(first / VEXFS_CHUNK_SIZE));
	arena_mark(a, (unsigned long)(last / VEXFS_CHUNK_SIZE));
}

bool vexfs_arena_is_dirty(const struct vexfs_arena *a, u32 c)
{
	return c < a->dirty_bits && test_bit(c, a->dirty);
}

void vexfs_arena_set_dirty(struct vexfs_arena *a, u32 c, bool dirty)
{
	if (c >= a->dirty_bits)
		return;
	if (dirty)
		__set_bit(c, a->dirty);
	else
		__clear_bit(c, a->dirty);
}

void vexfs_arena_set_all_dirty(struct vexfs_arena *a, bool dirty)
{
	if (a->dirty_bits)
		memset(a->dirty, dirty ? 0xff : 0,
		       BITS_TO_LONGS(a->dirty_bits) * sizeof(*a->dirty));
}

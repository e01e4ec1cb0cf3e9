// SPDX-License-Identifier: GPL-2.0
/*
 * Quota files: made from a table of entries, read into one, and the blocks of
 * the inode that holds one.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include <stdlib.h>

#include "libvexfs.h"
#include "qfile.h"

static const u32 vq_magic[VQ_TYPES] = { 0xd9c01f11, 0xd9c01927, 0xd9c03f14 };

static_assert(sizeof(struct vq_header) == 32, "header");
static_assert(sizeof(struct vq_block) == 16, "block");
static_assert(sizeof(struct vq_entry) == 72, "entry");

/* A file being made. */
struct vq_maker {
	u8	*data;
	u32	blocks, room;
};

static u8 *vq_at(struct vq_maker *m, u32 block)
{
	return m->data + (size_t)block * VQ_BLOCK_SIZE;
}

static u32 vq_add_block(struct vq_maker *m)
{
	if (m->blocks == m->room) {
		m->room = 2 * m->room + 8;
		m->data = realloc(m->data, (size_t)m->room * VQ_BLOCK_SIZE);
		if (!m->data)
			kshim_die(__FILE__, __LINE__, "out of memory");
	}
	memset(vq_at(m, m->blocks), 0, VQ_BLOCK_SIZE);
	return m->blocks++;
}

static u32 vq_index(u32 id, int depth)
{
	return id >> (8 * (VQ_DEPTH - 1 - depth)) & (VQ_REFS - 1);
}

/* Points the tree at block @leaf for @id. */
static void vq_add_ref(struct vq_maker *m, u32 id, u32 leaf)
{
	u32 block = VQ_ROOT, next;
	__le32 *ref;
	int depth;

	for (depth = 0; depth < VQ_DEPTH - 1; depth++) {
		ref = (__le32 *)vq_at(m, block) + vq_index(id, depth);
		if (!*ref) {
			next = vq_add_block(m);
			ref = (__le32 *)vq_at(m, block) + vq_index(id, depth);
			*ref = cpu_to_le32(next);
		}
		block = le32_to_cpu(*ref);
	}
	ref = (__le32 *)vq_at(m, block) + vq_index(id, depth);
	*ref = cpu_to_le32(leaf);
}

static void vq_add_entry(struct vq_maker *m, u32 leaf,
			 const struct vq_entry *e)
{
	struct vq_block *b = (void *)vq_at(m, leaf);
	struct vq_entry *slot = (struct vq_entry *)(b + 1) +
				le16_to_cpu(b->entries);

	*slot = *e;
	/* Who has nothing and may do anything would look like nobody. */
	if (!memchr_inv(slot, 0, sizeof(*slot)))
		slot->itime = cpu_to_le64(1);
	le16_add_cpu(&b->entries, 1);
	vq_add_ref(m, le32_to_cpu(e->id), leaf);
}

u8 *vq_make(struct vq_table *table, int type, u64 *size)
{
	struct vq_maker m = { };
	struct vq_header *h;
	u32 i, leaf = 0;

	vq_sort(table);
	vq_add_block(&m);
	vq_add_block(&m);
	for (i = 0; i < table->count; i++) {
		if (i % VQ_ENTRIES == 0)
			leaf = vq_add_block(&m);
		vq_add_entry(&m, leaf, &table->entry[i]);
	}
	h = (void *)m.data;
	h->magic = cpu_to_le32(vq_magic[type]);
	h->version = cpu_to_le32(VQ_VERSION);
	h->bgrace = cpu_to_le32(table->bgrace);
	h->igrace = cpu_to_le32(table->igrace);
	h->flags = cpu_to_le32(table->flags);
	h->blocks = cpu_to_le32(m.blocks);
	if (i % VQ_ENTRIES)
		h->free_entry = cpu_to_le32(leaf);
	*size = (u64)m.blocks * VQ_BLOCK_SIZE;
	return m.data;
}

/* A file being read. */
struct vq_reader {
	struct vq_table *table;
	const u8 *data;
	u32	blocks;
	u8	*seen;			/* VQ_SEEN_*, by block */
	const char *why;
};

enum { VQ_SEEN_NOT, VQ_SEEN_TREE, VQ_SEEN_LEAF, VQ_SEEN_FREE };

static void vq_bad(struct vq_reader *r, const char *why)
{
	if (!r->why)
		r->why = why;
}

static const struct vq_entry *vq_slots(const struct vq_reader *r, u32 block)
{
	return (const void *)(r->data + (size_t)block * VQ_BLOCK_SIZE +
			      sizeof(struct vq_block));
}

static const struct vq_block *vq_leaf(const struct vq_reader *r, u32 block)
{
	return (const void *)(r->data + (size_t)block * VQ_BLOCK_SIZE);
}

/* A leaf is met once for each id in it; checked as such the first time. */
static void vq_read_leaf(struct vq_reader *r, u32 block)
{
	const struct vq_entry *slot = vq_slots(r, block);
	u32 i, used = 0;

	r->seen[block] = VQ_SEEN_LEAF;
	for (i = 0; i < VQ_ENTRIES; i++)
		used += !!memchr_inv(&slot[i], 0, sizeof(slot[i]));
	if (used != le16_to_cpu(vq_leaf(r, block)->entries))
		vq_bad(r, "a block counts its entries wrong");
}

static void vq_read_entry(struct vq_reader *r, u32 block, u32 id)
{
	const struct vq_entry *slot;
	struct vq_entry *e;
	u32 i;

	if (r->seen[block] == VQ_SEEN_NOT)
		vq_read_leaf(r, block);
	else if (r->seen[block] != VQ_SEEN_LEAF)
		return vq_bad(r, "a block is used twice");
	slot = vq_slots(r, block);
	for (i = 0; i < VQ_ENTRIES; i++)
		if (le32_to_cpu(slot[i].id) == id &&
		    memchr_inv(&slot[i], 0, sizeof(slot[i])))
			break;
	if (i == VQ_ENTRIES)
		return vq_bad(r, "an entry is missing");
	e = vq_get(r->table, id);
	*e = slot[i];
	e->pad = 0;
}

static void vq_read_tree(struct vq_reader *r, u32 block, int depth, u32 id)
{
	const __le32 *ref = (const void *)vq_leaf(r, block);
	u32 i, next;

	if (r->seen[block])
		return vq_bad(r, "a block is used twice");
	r->seen[block] = VQ_SEEN_TREE;
	for (i = 0; i < VQ_REFS; i++) {
		next = le32_to_cpu(ref[i]);
		if (!next)
			continue;
		if (next <= VQ_ROOT || next >= r->blocks)
			vq_bad(r, "the tree points outside the file");
		else if (depth < VQ_DEPTH - 1)
			vq_read_tree(r, next, depth + 1, id << 8 | i);
		else
			vq_read_entry(r, next, id << 8 | i);
	}
}

/* Blocks that have room, each behind the other. */
static void vq_read_room(struct vq_reader *r, u32 block)
{
	const struct vq_block *b;
	u32 prev = 0, left = r->blocks;

	for (; block; block = le32_to_cpu(b->next)) {
		if (block >= r->blocks || !left-- ||
		    r->seen[block] != VQ_SEEN_LEAF)
			return vq_bad(r, "list of blocks with room is damaged");
		b = vq_leaf(r, block);
		if (le32_to_cpu(b->prev) != prev ||
		    le16_to_cpu(b->entries) >= VQ_ENTRIES)
			return vq_bad(r, "list of blocks with room is damaged");
		prev = block;
	}
}

static void vq_read_free(struct vq_reader *r, u32 block)
{
	for (; block; block = le32_to_cpu(vq_leaf(r, block)->next)) {
		if (block >= r->blocks || r->seen[block])
			return vq_bad(r, "list of free blocks is damaged");
		r->seen[block] = VQ_SEEN_FREE;
	}
}

const char *vq_parse(struct vq_table *table, int type, const u8 *data,
		     u64 size)
{
	const struct vq_header *h = (const void *)data;
	struct vq_reader r = { .table = table, .data = data };

	if (size < 2 * VQ_BLOCK_SIZE)
		return "the file is too short";
	if (le32_to_cpu(h->magic) != vq_magic[type] ||
	    le32_to_cpu(h->version) != VQ_VERSION)
		return "the file has no header";
	r.blocks = min_t(u64, le32_to_cpu(h->blocks), size / VQ_BLOCK_SIZE);
	if (r.blocks != le32_to_cpu(h->blocks) || r.blocks <= VQ_ROOT) {
		vq_bad(&r, "bad number of blocks");
		r.blocks = size / VQ_BLOCK_SIZE;
	}
	r.seen = calloc(1, r.blocks);
	if (!r.seen)
		kshim_die(__FILE__, __LINE__, "out of memory");
	table->bgrace = le32_to_cpu(h->bgrace);
	table->igrace = le32_to_cpu(h->igrace);
	table->flags = le32_to_cpu(h->flags);
	r.seen[0] = VQ_SEEN_TREE;
	vq_read_tree(&r, VQ_ROOT, 0, 0);
	vq_read_room(&r, le32_to_cpu(h->free_entry));
	vq_read_free(&r, le32_to_cpu(h->free_blk));
	free(r.seen);
	return r.why;
}

int vq_load(struct vexfs_node *n, u8 *data, u64 size)
{
	struct vexfs_map map;
	struct vexfs_buf *buf;
	u64 at, part;
	int err;

	for (at = 0; at < size; at += part) {
		part = min_t(u64, size - at, VEXFS_BLOCK_SIZE);
		err = vexfs_ext_lookup(n, at >> VEXFS_BLOCK_SHIFT, 1, &map);
		if (err)
			return err;
		memset(data + at, 0, part);
		if (!map.pblk || map.unwritten)
			continue;
		buf = vexfs_buf_read(n->fs, map.pblk);
		if (IS_ERR(buf))
			return PTR_ERR(buf);
		memcpy(data + at, vexfs_buf_data(buf), part);
		vexfs_buf_put(buf);
	}
	return 0;
}

static int vq_store_block(struct vexfs_trans *t, struct vexfs_node *n,
			  u64 lblk, const u8 *data, u32 len)
{
	struct vexfs_map map;
	struct vexfs_buf *buf;
	u64 done;
	int err;

	err = vexfs_ext_allocate(t, n, lblk, 1, VEXFS_ALLOC_MUST, &map);
	if (!err && map.unwritten)
		err = vexfs_ext_convert(t, n, lblk, 1, &done);
	if (err)
		return err;
	buf = vexfs_buf_get(n->fs, map.pblk);
	if (IS_ERR(buf))
		return PTR_ERR(buf);
	err = vexfs_trans_create(t, buf);
	if (!err) {
		memset(vexfs_buf_data(buf), 0, VEXFS_BLOCK_SIZE);
		memcpy(vexfs_buf_data(buf), data, len);
		err = vexfs_trans_dirty(t, buf);
	}
	vexfs_buf_put(buf);
	return err;
}

int vq_store(struct vexfs_trans *t, struct vexfs_node *n, const u8 *data,
	     u64 size)
{
	u64 at, part;
	int err = 0;

	for (at = 0; at < size && !err; at += part) {
		part = min_t(u64, size - at, VEXFS_BLOCK_SIZE);
		err = vq_store_block(t, n, at >> VEXFS_BLOCK_SHIFT, data + at,
				     part);
	}
	return err;
}

// SPDX-License-Identifier: GPL-2.0
/*
 * The graph in a checkpoint: the section of the upper layers, and the checks
 * of everything that is loaded. Bytes that passed their checksum are still
 * not believed: no link leads out of the arenas.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include "hnsw_priv.h"

/* A record of the section UPPER; VEXFS_GRAPH_SECT_VERSION. */
struct upper_image {
	__le32	slot;
	__le32	level;
	__le32	link[];
};

static u32 image_bytes(const struct vexfs_graph *g)
{
	return (u32)sizeof(struct upper_image) + g->m * (u32)sizeof(__le32);
}

u64 vexfs_graph_upper_bytes(const struct vexfs_graph *g)
{
	return (u64)g->upper_live * image_bytes(g);
}

/* The record that the iterator is at; finds the next slot that has any. */
static const struct vexfs_upper *
iter_record(const struct vexfs_graph *g, struct vexfs_graph_upper_iter *it)
{
	while (!it->record) {
		if (it->slot >= g->slots)
			return NULL;
		it->record = *vexfs_graph_state(g, it->slot) &
			     VEXFS_NODE_UPPER;
		if (!it->record)
			it->slot++;
	}
	return vexfs_arena_item(&g->upper, it->record - 1);
}

size_t vexfs_graph_upper_save(const struct vexfs_graph *g,
			      struct vexfs_graph_upper_iter *it, void *buf,
			      size_t len)
{
	u8 image[sizeof(struct upper_image) + VEXFS_GRAPH_MAX_M * 4];
	struct upper_image *im = (struct upper_image *)image;
	const struct vexfs_upper *up;
	size_t done = 0, part;

	while (done < len) {
		up = iter_record(g, it);
		if (!up)
			break;
		im->slot = cpu_to_le32(up->slot);
		im->level = cpu_to_le32(up->level);
		memcpy(im->link, up->link, g->m * sizeof(*im->link));
		part = min(len - done, (size_t)(image_bytes(g) - it->done));
		memcpy(buf + done, image + it->done, part);
		done += part;
		it->done += (u32)part;
		if (it->done < image_bytes(g))
			break;
		it->done = 0;
		it->record = up->up;
		it->slot += !it->record;
	}
	return done;
}

/*
 * Links go to slots that there are and that reach up to the layer, none to its
 * own node, and end at 0.
 */
static bool links_valid(const struct vexfs_graph *g, u32 slot, u32 level,
			const __le32 *link)
{
	u32 i, l, degree = vexfs_graph_degree(g, level);
	bool end = false;

	for (i = 0; i < degree; i++) {
		l = le32_to_cpu(link[i]);
		if (l > g->slots || l == slot + 1 || (end && l))
			return false;
		if (l && level && vexfs_graph_level(g, l - 1) < level)
			return false;
		end |= !l;
	}
	return true;
}

static bool wanted(const struct vexfs_graph_filter *f, u32 slot)
{
	const u8 *flags;

	if (f->flags) {
		flags = vexfs_arena_item(f->flags, slot);
		if ((*flags & f->mask) != f->want)
			return false;
	}
	return !f->accept || f->accept(f->priv, slot);
}

/* A slot that isn't in the graph leaves nothing behind. */
static void clear_slot(struct vexfs_graph *g, u32 slot)
{
	__le32 *links = vexfs_graph_links(g, slot, 0);
	void *code = vexfs_graph_code(g, slot);

	if (memchr_inv(links, 0, g->links.item_size)) {
		memset(links, 0, g->links.item_size);
		vexfs_arena_dirty(&g->links, slot);
	}
	if (memchr_inv(code, 0, g->codes.item_size)) {
		memset(code, 0, g->codes.item_size);
		vexfs_arena_dirty(&g->codes, slot);
	}
}

/* Returns the highest of them. */
static u32 count_links(const struct vexfs_graph *g, u32 slot)
{
	const __le32 *links = vexfs_graph_links(g, slot, 0);
	u32 i, highest = 0;

	for (i = 0; i < 2 * g->m && links[i]; i++) {
		highest = max(highest, le32_to_cpu(links[i]));
		vexfs_graph_add_link(g, le32_to_cpu(links[i]) - 1);
	}
	return highest;
}

static int load_layer0(struct vexfs_graph *g,
		       const struct vexfs_graph_filter *indexed)
{
	u32 slot, far = 0;

	for (slot = 0; slot < g->slots; slot++) {
		if (!wanted(indexed, slot)) {
			clear_slot(g, slot);
			continue;
		}
		if (!links_valid(g, slot, 0, vexfs_graph_links(g, slot, 0)))
			return -EFSCORRUPTED;
		far = max3(far, slot + 1, count_links(g, slot));
		if (g->sp.nib_bytes)
			vexfs_nib_encode(&g->sp, vexfs_graph_code(g, slot),
					 vexfs_graph_nib(g, slot));
		vexfs_graph_add_node(g, slot);
	}
	/* Else all that a link may lead to are nodes. */
	g->holes = g->nodes != far;
	return 0;
}

/* Each node has exactly the records that its level asks for, in order. */
static int load_upper(struct vexfs_graph *g, const u8 *image, u64 len)
{
	const struct upper_image *im;
	struct vexfs_upper *up;
	u32 slot, level, top;

	if (len != vexfs_graph_upper_bytes(g))
		return -EFSCORRUPTED;
	for (slot = 0; slot < g->slots; slot++) {
		if (!vexfs_graph_present(g, slot))
			continue;
		top = vexfs_graph_level(g, slot);
		for (level = 1; level <= top; level++) {
			im = (const struct upper_image *)image;
			image += image_bytes(g);
			up = vexfs_graph_upper(g, slot, level);
			if (le32_to_cpu(im->slot) != slot ||
			    le32_to_cpu(im->level) != level || !up ||
			    !links_valid(g, slot, level, im->link))
				return -EFSCORRUPTED;
			memcpy(up->link, im->link, g->m * sizeof(*im->link));
		}
	}
	return 0;
}

/* The entry is one of the highest nodes. */
static int load_entry(struct vexfs_graph *g, u32 entry, u32 max_level)
{
	if (!g->nodes)
		return entry == VEXFS_GRAPH_NONE && !max_level ?
		       0 : -EFSCORRUPTED;
	if (!vexfs_graph_has(g, entry) ||
	    vexfs_graph_level(g, entry) < max_level)
		return -EFSCORRUPTED;
	vexfs_graph_set_entry(g, entry, max_level);
	return 0;
}

int vexfs_graph_load(struct vexfs_graph *g,
		     const struct vexfs_graph_filter *indexed, u32 entry,
		     u32 max_level, const void *upper, u64 upper_len)
{
	int err;

	if (g->nodes || g->entry)
		return -EINVAL;
	err = load_layer0(g, indexed);
	if (!err)
		err = load_upper(g, upper, upper_len);
	if (!err)
		err = load_entry(g, entry, max_level);
	return err;
}

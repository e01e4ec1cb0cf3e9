// SPDX-License-Identifier: GPL-2.0
/*
 * A hash of blocks by number, for the cache and the memory image.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include "vexfs_dev.h"

static size_t vexfs_bmap_slot(const struct vexfs_bmap *map, u64 bno)
{
	return (size_t)(bno * 0x9e3779b97f4a7c15ull >> 20) & (map->size - 1);
}

struct vexfs_bmap_node *vexfs_bmap_find(const struct vexfs_bmap *map, u64 bno)
{
	struct vexfs_bmap_node *node;

	if (!map->count)
		return NULL;
	node = map->table[vexfs_bmap_slot(map, bno)];
	while (node && node->bno != bno)
		node = node->next;
	return node;
}

static void vexfs_bmap_link(struct vexfs_bmap *map,
			    struct vexfs_bmap_node *node)
{
	struct vexfs_bmap_node **slot;

	slot = &map->table[vexfs_bmap_slot(map, node->bno)];
	node->next = *slot;
	*slot = node;
}

static void vexfs_bmap_grow(struct vexfs_bmap *map)
{
	struct vexfs_bmap new = { .size = map->size ? map->size * 2 : 256 };
	struct vexfs_bmap_node *node, *next;
	size_t i;

	new.table = calloc(new.size, sizeof(*new.table));
	if (!new.table)
		kshim_die(__FILE__, __LINE__, "out of memory");
	for (i = 0; i < map->size; i++) {
		for (node = map->table[i]; node; node = next) {
			next = node->next;
			vexfs_bmap_link(&new, node);
		}
	}
	free(map->table);
	new.count = map->count;
	*map = new;
}

void vexfs_bmap_insert(struct vexfs_bmap *map, struct vexfs_bmap_node *node)
{
	if (map->count >= map->size)
		vexfs_bmap_grow(map);
	vexfs_bmap_link(map, node);
	map->count++;
}

void vexfs_bmap_remove(struct vexfs_bmap *map, struct vexfs_bmap_node *node)
{
	struct vexfs_bmap_node **p;

	p = &map->table[vexfs_bmap_slot(map, node->bno)];
	while (*p != node)
		p = &(*p)->next;
	*p = node->next;
	map->count--;
}

void vexfs_bmap_destroy(struct vexfs_bmap *map,
			void (*release)(struct vexfs_bmap_node *node))
{
	struct vexfs_bmap_node *node, *next;
	size_t i;

	for (i = 0; i < map->size; i++) {
		for (node = map->table[i]; node; node = next) {
			next = node->next;
			release(node);
		}
	}
	free(map->table);
	memset(map, 0, sizeof(*map));
}

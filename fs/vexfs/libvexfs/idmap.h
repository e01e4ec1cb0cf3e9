/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Which slot an id is in: a hash table of slot numbers that is checked
 * against the array of ids, so that a slot costs six bytes and not sixteen.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#ifndef _VEXFS_IDMAP_H
#define _VEXFS_IDMAP_H

#include "arena.h"

/*
 * For memory whose size is up to users and disks: charged to who causes it,
 * and refusing it is nothing to warn of.
 */
#define VEXFS_GFP	(GFP_KERNEL_ACCOUNT | __GFP_NOWARN)

#define VEXFS_NO_SLOT	U32_MAX

struct vexfs_idmap {
	u32	*tab;
	size_t	mask;			/* entries - 1 */
	size_t	used;
	u64	seed;
	/** @arena, @array: where the ids are, one of the two */
	const struct vexfs_arena *arena;
	const u64 *array;
};

int vexfs_idmap_init(struct vexfs_idmap *map, const struct vexfs_arena *arena,
		     const u64 *array);
void vexfs_idmap_free(struct vexfs_idmap *map);
/* Makes room for @extra more. */
int vexfs_idmap_reserve(struct vexfs_idmap *map, size_t extra);
/*
 * The same with readers about: *new is a map with room that holds the same,
 * or *map itself if that has room. The caller, who lets nobody change the map
 * meanwhile, keeps readers out while he puts *new in its place, and then
 * frees the old table if it's another.
 */
int vexfs_idmap_enlarge(const struct vexfs_idmap *map, size_t extra,
			struct vexfs_idmap *new);
u32 vexfs_idmap_find(const struct vexfs_idmap *map, u64 id);
/* The id in @slot is not in the map yet, and there is room. */
void vexfs_idmap_insert(struct vexfs_idmap *map, u32 slot);
/* Nothing happens unless the map has @slot. */
void vexfs_idmap_remove(struct vexfs_idmap *map, u32 slot);

static inline size_t vexfs_idmap_memory(const struct vexfs_idmap *map)
{
	return (map->mask + 1) * sizeof(u32);
}

#endif /* _VEXFS_IDMAP_H */

// SPDX-License-Identifier: GPL-2.0
/*
 * The map from ids to slots: open addressing, linear probing, no tombstones
 * (a removal moves the entries behind it up), at most three quarters full.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include "idmap.h"

#define VEXFS_IDMAP_MIN	64

static u64 vexfs_idmap_id(const struct vexfs_idmap *map, u32 slot)
{
	const __le64 *id;

	if (map->array)
		return map->array[slot];
	id = vexfs_arena_item(map->arena, slot);
	return le64_to_cpu(*id);
}

/* Seeded, so that nobody can choose ids that all fall into one place. */
static size_t vexfs_idmap_home(const struct vexfs_idmap *map, u64 id)
{
	u64 h = id ^ map->seed;

	h ^= h >> 32;
	h *= 0xd6e8feb86659fd93ULL;
	h ^= h >> 32;
	h *= 0xd6e8feb86659fd93ULL;
	h ^= h >> 32;
	return h & map->mask;
}

static u32 *vexfs_idmap_table(size_t entries)
{
	u32 *tab;

	tab = kvmalloc_array(entries, sizeof(*tab), VEXFS_GFP);
	if (tab)
		memset(tab, 0xff, entries * sizeof(*tab));
	return tab;
}

int vexfs_idmap_init(struct vexfs_idmap *map, const struct vexfs_arena *arena,
		     const u64 *array)
{
	map->arena = arena;
	map->array = array;
	map->seed = get_random_u64();
	map->used = 0;
	map->mask = VEXFS_IDMAP_MIN - 1;
	map->tab = vexfs_idmap_table(VEXFS_IDMAP_MIN);
	return map->tab ? 0 : -ENOMEM;
}

void vexfs_idmap_free(struct vexfs_idmap *map)
{
	kvfree(map->tab);
	map->tab = NULL;
}

/* The entry of @id, or the empty one where it would go. */
static size_t vexfs_idmap_probe(const struct vexfs_idmap *map, u64 id)
{
	size_t i = vexfs_idmap_home(map, id);

	while (map->tab[i] != VEXFS_NO_SLOT &&
	       vexfs_idmap_id(map, map->tab[i]) != id)
		i = (i + 1) & map->mask;
	return i;
}

static void vexfs_idmap_rehash(struct vexfs_idmap *to,
			       const struct vexfs_idmap *from)
{
	size_t i;

	for (i = 0; i <= from->mask; i++) {
		if (from->tab[i] != VEXFS_NO_SLOT)
			vexfs_idmap_insert(to, from->tab[i]);
		if (!(i & 0xffff))
			cond_resched();
	}
}

int vexfs_idmap_enlarge(const struct vexfs_idmap *map, size_t extra,
			struct vexfs_idmap *new)
{
	size_t want = map->used + extra;

	*new = *map;
	while (want > new->mask / 4 * 3)
		new->mask = new->mask * 2 + 1;
	if (new->mask == map->mask)
		return 0;
	new->tab = vexfs_idmap_table(new->mask + 1);
	if (!new->tab)
		return -ENOMEM;
	new->used = 0;
	vexfs_idmap_rehash(new, map);
	return 0;
}

int vexfs_idmap_reserve(struct vexfs_idmap *map, size_t extra)
{
	struct vexfs_idmap new;
	int err;

	err = vexfs_idmap_enlarge(map, extra, &new);
	if (!err && new.tab != map->tab) {
		kvfree(map->tab);
		*map = new;
	}
	return err;
}

u32 vexfs_idmap_find(const struct vexfs_idmap *map, u64 id)
{
	return map->tab[vexfs_idmap_probe(map, id)];
}

void vexfs_idmap_insert(struct vexfs_idmap *map, u32 slot)
{
	map->tab[vexfs_idmap_probe(map, vexfs_idmap_id(map, slot))] = slot;
	map->used++;
}

void vexfs_idmap_remove(struct vexfs_idmap *map, u32 slot)
{
	size_t hole = vexfs_idmap_probe(map, vexfs_idmap_id(map, slot));
	size_t i = hole, home;

	if (map->tab[hole] != slot)
		return;
	for (;;) {
		i = (i + 1) & map->mask;
		if (map->tab[i] == VEXFS_NO_SLOT)
			break;
		home = vexfs_idmap_home(map, vexfs_idmap_id(map, map->tab[i]));
		/* Entries whose home lies behind the hole stay */
		if (((i - home) & map->mask) < ((i - hole) & map->mask))
			continue;
		map->tab[hole] = map->tab[i];
		hole = i;
	}
	map->tab[hole] = VEXFS_NO_SLOT;
	map->used--;
}

// SPDX-License-Identifier: GPL-2.0
/*
 * The map from ids to slots against an array that says the same.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include "idmap.h"
#include "vtest.h"

#define SLOTS	5000u

static u64 ids[SLOTS];
static bool in[SLOTS];

static void check_all(const struct vexfs_idmap *map)
{
	u32 i, n = 0, slot;

	for (i = 0; i < SLOTS; i++) {
		slot = vexfs_idmap_find(map, ids[i]);
		CHECK(slot == (in[i] ? i : VEXFS_NO_SLOT), "slot %u: %u", i,
		      slot);
		n += in[i];
	}
	CHECK(map->used == n, "%zu used, not %u", map->used, n);
}

static void test_random(u64 seed, u64 spread)
{
	struct vexfs_idmap map;
	u32 i, slot;

	for (i = 0; i < SLOTS; i++) {
		ids[i] = i * spread + seed;
		in[i] = false;
	}
	CHECK(!vexfs_idmap_init(&map, NULL, ids), "no memory");
	for (i = 0; i < 60000; i++) {
		slot = vt_random(&seed) % SLOTS;
		if (vt_random(&seed) % 1000 < 550 && !in[slot]) {
			CHECK(!vexfs_idmap_reserve(&map, 1), "room");
			vexfs_idmap_insert(&map, slot);
			in[slot] = true;
		} else if (in[slot]) {
			vexfs_idmap_remove(&map, slot);
			in[slot] = false;
		} else {
			/* Not in it: nothing may happen */
			vexfs_idmap_remove(&map, slot);
		}
		if (i % 6000 == 0)
			check_all(&map);
	}
	check_all(&map);
	for (i = 0; i < SLOTS; i++) {
		vexfs_idmap_remove(&map, i);
		in[i] = false;
	}
	check_all(&map);
	for (i = 0; i <= map.mask; i++)
		CHECK(map.tab[i] == VEXFS_NO_SLOT, "entry %u left", i);
	vexfs_idmap_free(&map);
}

static void test_no_memory(void)
{
	struct vexfs_idmap map;
	u32 i;

	for (i = 0; i < SLOTS; i++) {
		ids[i] = ~(u64)i * 977;
		in[i] = i < 40;
	}
	CHECK(!vexfs_idmap_init(&map, NULL, ids), "no memory");
	CHECK(!vexfs_idmap_reserve(&map, 40), "room");
	for (i = 0; i < 40; i++)
		vexfs_idmap_insert(&map, i);
	kshim_fail_alloc = 1;
	CHECK(vexfs_idmap_reserve(&map, SLOTS) == -ENOMEM, "no error");
	kshim_fail_alloc = 0;
	check_all(&map);
	vexfs_idmap_free(&map);
}

int main(void)
{
	u64 seed;

	for (seed = 1; seed <= 8; seed++)
		test_random(seed, seed & 1 ? 1 : 1ull << (seed * 4));
	vt_done("inserts and removals at random", NULL);
	test_no_memory();
	vt_done("growing without memory", NULL);
	return vt_exit();
}

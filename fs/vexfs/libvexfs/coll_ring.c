// SPDX-License-Identifier: GPL-2.0
/*
 * Rings of slots: rows waiting for the index, and slots on their way from
 * deleted to free.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include "coll_priv.h"

#define VEXFS_RING_MIN	64

int vexfs_ring_init(struct vexfs_ring *ring)
{
	memset(ring, 0, sizeof(*ring));
	ring->slot = kvmalloc_array(VEXFS_RING_MIN, sizeof(u32), VEXFS_GFP);
	if (!ring->slot)
		return -ENOMEM;
	ring->mask = VEXFS_RING_MIN - 1;
	return 0;
}

void vexfs_ring_free(struct vexfs_ring *ring)
{
	kvfree(ring->slot);
	ring->slot = NULL;
}

/* Only one task adds at a time; @lock keeps those off who take out. */
int vexfs_ring_reserve(struct vexfs_ring *ring, u32 extra, rwlock_t *lock)
{
	u64 want = (u64)vexfs_ring_len(ring) + extra;
	u64 size = (u64)ring->mask + 1;
	u32 *old = ring->slot, *new;
	u64 i;

	if (want <= size)
		return 0;
	while (size < want)
		size *= 2;
	new = kvmalloc_array(size, sizeof(u32), VEXFS_GFP);
	if (!new)
		return -ENOMEM;
	write_lock(lock);
	for (i = ring->head; i != ring->tail; i++)
		new[i & (size - 1)] = vexfs_ring_at(ring, i);
	ring->slot = new;
	ring->mask = size - 1;
	write_unlock(lock);
	kvfree(old);
	return 0;
}

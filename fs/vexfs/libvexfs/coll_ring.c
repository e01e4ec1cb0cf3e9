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

/* Of @n slots from @i on, how many lie one behind the other. */
static u32 vexfs_ring_run(u32 mask, u64 i, u64 n)
{
	return min_t(u64, n, (u64)mask + 1 - (i & mask));
}

/* By large pieces: locks are held meanwhile, and there may be many. */
void vexfs_ring_read(const struct vexfs_ring *ring, u64 from, u32 n, u32 *slots)
{
	u32 now;

	for (; n; n -= now, from += now, slots += now) {
		now = vexfs_ring_run(ring->mask, from, n);
		memcpy(slots, ring->slot + (from & ring->mask),
		       now * sizeof(*slots));
	}
}

void vexfs_ring_write(struct vexfs_ring *ring, u64 from, u32 n,
		      const u32 *slots)
{
	u32 now;

	for (; n; n -= now, from += now, slots += now) {
		now = vexfs_ring_run(ring->mask, from, n);
		memcpy(ring->slot + (from & ring->mask), slots,
		       now * sizeof(*slots));
	}
}

/* Only one task adds at a time; @lock keeps those off who take out. */
int vexfs_ring_reserve(struct vexfs_ring *ring, u32 extra, rwlock_t *lock)
{
	u64 want = (u64)vexfs_ring_len(ring) + extra;
	u64 size = (u64)ring->mask + 1;
	u32 *old = ring->slot, *new, n;
	u64 i;

	if (want <= size)
		return 0;
	while (size < want)
		size *= 2;
	new = kvmalloc_array(size, sizeof(u32), VEXFS_GFP);
	if (!new)
		return -ENOMEM;
	write_lock(lock);
	for (i = ring->head; i != ring->tail; i += n) {
		n = vexfs_ring_run(size - 1, i, ring->tail - i);
		vexfs_ring_read(ring, i, n, new + (i & (size - 1)));
	}
	ring->slot = new;
	ring->mask = size - 1;
	write_unlock(lock);
	kvfree(old);
	return 0;
}

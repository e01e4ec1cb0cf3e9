// SPDX-License-Identifier: GPL-2.0
/*
 * Slots of a collection: memory for them, and their way from free to live to
 * dead and back (see coll_priv.h).
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include "coll_priv.h"

/* Memory grows by doubling up to this many slots, then by as many. */
#define VEXFS_GROW_SLOTS	65536u
#define VEXFS_GROW_FIRST	256u

struct vexfs_row_pins *vexfs_coll_pins_alloc(const struct vexfs_coll *coll,
					     u32 rows)
{
	struct vexfs_row_pins *pins;

	pins = kvzalloc(sizeof(*pins), VEXFS_GFP);
	if (!pins)
		return NULL;
	pins->bounce = kvmalloc_array(rows, coll->cfg.stride, VEXFS_GFP);
	if (!pins->bounce) {
		kvfree(pins);
		return NULL;
	}
	return pins;
}

void vexfs_coll_pins_free(struct vexfs_row_pins *pins)
{
	if (!pins)
		return;
	kvfree(pins->bounce);
	kvfree(pins);
}

static u32 vexfs_coll_grow_to(u32 cap, u32 slots)
{
	u64 want = max(cap, VEXFS_GROW_FIRST);

	while (want < slots && want < VEXFS_GROW_SLOTS)
		want *= 2;
	if (want < slots)
		want = ((u64)slots + VEXFS_GROW_SLOTS - 1) /
		       VEXFS_GROW_SLOTS * VEXFS_GROW_SLOTS;
	return min_t(u64, want, VEXFS_GRAPH_MAX_SLOTS);
}

/* Makes slots [0, slots) addressable. */
int vexfs_coll_grow(struct vexfs_coll *coll, u32 slots)
{
	u32 cap;
	int err;

	if (slots <= coll->cap)
		return 0;
	if (slots > VEXFS_GRAPH_MAX_SLOTS)
		return -EFBIG;
	cap = vexfs_coll_grow_to(coll->cap, slots);
	down_write(&coll->sem);
	err = vexfs_arena_reserve(&coll->ids, cap);
	if (!err)
		err = vexfs_arena_reserve(&coll->flags, cap);
	if (!err && coll->ops->reserve)
		err = coll->ops->reserve(coll, cap);
	if (!err)
		coll->cap = cap;
	up_write(&coll->sem);
	return err;
}

static int vexfs_coll_room_reusable(struct vexfs_coll *coll, u32 want)
{
	u32 cap = coll->reusable_cap;
	u32 *old = coll->reusable, *new;

	if (want <= cap)
		return 0;
	cap = max(want, cap + cap / 2);
	new = kvmalloc_array(cap, sizeof(*new), VEXFS_GFP);
	if (!new)
		return -ENOMEM;
	write_lock(&coll->lock);
	if (coll->nreusable)
		memcpy(new, old, coll->nreusable * sizeof(*new));
	coll->reusable = new;
	coll->reusable_cap = cap;
	write_unlock(&coll->lock);
	kvfree(old);
	return 0;
}

static int vexfs_coll_room_map(struct vexfs_coll *coll, u32 inserts)
{
	struct vexfs_idmap new;
	u32 *old;
	int err;

	err = vexfs_idmap_enlarge(&coll->map, inserts, &new);
	if (err || new.tab == coll->map.tab)
		return err;
	write_lock(&coll->lock);
	old = coll->map.tab;
	coll->map = new;
	write_unlock(&coll->lock);
	kvfree(old);
	return 0;
}

/* Room in all queues, so that publishing a batch can't fail. */
int vexfs_coll_room(struct vexfs_coll *coll, u32 inserts, u32 deletes)
{
	int err;

	err = vexfs_coll_room_map(coll, inserts);
	if (!err && vexfs_coll_holds(coll))
		err = vexfs_ring_reserve(&coll->pending, inserts, &coll->lock);
	if (err || !deletes)
		return err;
	err = vexfs_ring_reserve(&coll->freed, deletes, &coll->lock);
	if (!err)
		err = vexfs_coll_room_reusable(coll, coll->slots - coll->live +
					       deletes);
	return err;
}

/* [lock] Publishes what was written to the slot before. */
void vexfs_coll_set_flags(struct vexfs_coll *coll, u32 slot, u8 clear, u8 set)
{
	u8 *flags = vexfs_arena_item(&coll->flags, slot);
	u8 new = (*flags & ~clear) | set;

	if ((*flags ^ new) & VEXFS_SLOT_ON_DISK)
		vexfs_arena_dirty(&coll->flags, slot);
	/* Pairs with the acquire in vexfs_coll_flags() */
	smp_store_release(flags, new);
}

/*
 * [lock] A slot dies. Its bytes and its place in the graph are dealt with
 * when the record that says so is durable.
 */
void vexfs_coll_kill(struct vexfs_coll *coll, u32 slot)
{
	u8 flags = vexfs_coll_flags(coll, slot);

	vexfs_idmap_remove(&coll->map, slot);
	vexfs_coll_set_flags(coll, slot, VEXFS_SLOT_LIVE | VEXFS_SLOT_MARKED,
			     VEXFS_SLOT_SCRUB);
	vexfs_ring_push(&coll->freed, slot);
	if (flags & VEXFS_SLOT_PENDING)
		coll->waiting--;
	coll->live--;
}

/*
 * [lock] A slot becomes live. What had the id dies after that, so that there
 * is no moment without one. @indexed: the index has it already.
 */
void vexfs_coll_publish(struct vexfs_coll *coll, u32 slot, u64 id,
			bool indexed)
{
	u32 old = vexfs_idmap_find(&coll->map, id);
	__le64 *item = vexfs_arena_item(&coll->ids, slot);
	u8 set = VEXFS_SLOT_LIVE;

	WRITE_ONCE(*item, cpu_to_le64(id));
	vexfs_arena_dirty(&coll->ids, slot);
	if (indexed) {
		set |= VEXFS_SLOT_INDEXED;
		coll->unsaved++;
	} else if (vexfs_coll_holds(coll)) {
		set |= VEXFS_SLOT_PENDING;
		vexfs_ring_push(&coll->pending, slot);
		coll->waiting++;
	}
	vexfs_coll_set_flags(coll, slot, VEXFS_SLOT_SCRUB, set);
	coll->live++;
	if (old != VEXFS_NO_SLOT)
		vexfs_coll_kill(coll, old);
	vexfs_idmap_insert(&coll->map, slot);
	if (slot < coll->slots)
		return;
	/* Pairs with the acquire of those who go through all slots */
	smp_store_release(&coll->slots, slot + 1);
}

static int vexfs_slot_cmp(const void *a, const void *b)
{
	u32 x = *(const u32 *)a, y = *(const u32 *)b;

	return x < y ? -1 : x > y;
}

/* Takes up to @n free slots, sorted; returns how many. */
u32 vexfs_coll_take(struct vexfs_coll *coll, u32 n, u32 *slots)
{
	write_lock(&coll->lock);
	n = min(n, coll->nreusable);
	coll->nreusable -= n;
	memcpy(slots, coll->reusable + coll->nreusable, n * sizeof(*slots));
	write_unlock(&coll->lock);
	sort(slots, n, sizeof(*slots), vexfs_slot_cmp, NULL);
	return n;
}

/* What was taken and not used; slots that don't exist yet are skipped. */
void vexfs_coll_give_back(struct vexfs_coll *coll, u32 slot, u32 n)
{
	write_lock(&coll->lock);
	for (; n && slot < coll->slots; n--)
		coll->reusable[coll->nreusable++] = slot++;
	write_unlock(&coll->lock);
}

int vexfs_coll_zero_rows(struct vexfs_coll *coll, u32 slot, u32 n)
{
	u32 now;
	int err;

	for (; n; n -= now, slot += now) {
		now = min(n, coll->span);
		err = coll->io->write_rows(coll->priv, slot, now,
					   coll->zeroes);
		if (err)
			return err;
		cond_resched();
	}
	return 0;
}

int vexfs_coll_find(struct vexfs_coll *coll, u64 id, u32 *slot)
{
	read_lock(&coll->lock);
	*slot = vexfs_idmap_find(&coll->map, id);
	read_unlock(&coll->lock);
	return *slot == VEXFS_NO_SLOT ? -ENOENT : 0;
}

void vexfs_coll_read_lock(struct vexfs_coll *coll)
{
	down_read(&coll->sem);
}

void vexfs_coll_read_unlock(struct vexfs_coll *coll)
{
	up_read(&coll->sem);
}

bool vexfs_coll_next(struct vexfs_coll *coll, u32 *slot, u64 *id)
{
	u32 slots;

	/* Pairs with the release in vexfs_coll_publish() */
	slots = smp_load_acquire(&coll->slots);
	for (; *slot < slots; (*slot)++) {
		if (!vexfs_coll_is_live(coll, *slot))
			continue;
		*id = vexfs_coll_id(coll, *slot);
		return true;
	}
	return false;
}

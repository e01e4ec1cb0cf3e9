// SPDX-License-Identifier: GPL-2.0
/*
 * Which index a collection has, and what is done in the background: rows are
 * taken into it, and deleted ones out of it and zeroed.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include "coll_priv.h"

/*
 * The tail is scanned by each search besides the graph: 128 MiB of rows take
 * about 5 ms. Loads come in bursts that are acknowledged when they are on
 * the disk, and many rows that wait are indexed faster than few.
 */
#define VEXFS_TAIL_BYTES	(128u << 20)
#define VEXFS_TAIL_MAX		262144u

/*
 * Shares of what tends the index between two rounds of indexing. It is to be
 * done soon: what is indexed before that is indexed the worse for it.
 */
#define VEXFS_TEND_SHARES	8u

const struct vexfs_index_ops vexfs_flat_ops = { };

/* By number; a configuration that was checked has no other. */
static const struct vexfs_index_ops *const vexfs_indexes[] = {
	[VEXFS_INDEX_FLAT]	= &vexfs_flat_ops,
	[VEXFS_INDEX_HNSW]	= &vexfs_hnsw_ops,
	[VEXFS_INDEX_LSH]	= &vexfs_lsh_ops,
};

int vexfs_coll_index_init(struct vexfs_coll *coll)
{
	if (coll->cfg.index >= ARRAY_SIZE(vexfs_indexes) ||
	    !vexfs_indexes[coll->cfg.index])
		return -EINVAL;
	coll->ops = vexfs_indexes[coll->cfg.index];
	return coll->ops->init ? coll->ops->init(coll) : 0;
}

void vexfs_coll_index_free(struct vexfs_coll *coll)
{
	if (coll->ops && coll->ops->free)
		coll->ops->free(coll);
}

u32 vexfs_coll_tail_bound(struct vexfs_coll *coll)
{
	return min(VEXFS_TAIL_BYTES / coll->cfg.stride, VEXFS_TAIL_MAX);
}

void vexfs_coll_kick(struct vexfs_coll *coll)
{
	bool work;

	read_lock(&coll->lock);
	work = vexfs_ring_len(&coll->pending) ||
	       coll->zeroed != coll->committed;
	read_unlock(&coll->lock);
	if (work)
		coll->io->kick(coll->priv);
}

/* [index_lock write, sem] Takes a slot out of the index. */
static int vexfs_index_remove(struct vexfs_coll *coll, u32 slot)
{
	int err;

	err = coll->ops->remove(coll, slot);
	if (err)
		return err;
	write_lock(&coll->lock);
	vexfs_coll_set_flags(coll, slot, VEXFS_SLOT_INDEXED, 0);
	coll->unsaved++;
	write_unlock(&coll->lock);
	return 0;
}

/*
 * [index_lock write, sem] After a crash a slot may be live with a new row while the
 * checkpoint's index still has the old one there.
 */
static int vexfs_index_unstale(struct vexfs_coll *coll, u32 slot)
{
	if (!coll->stale || !coll->ops->has(coll, slot))
		return 0;
	coll->stale--;
	return vexfs_index_remove(coll, slot);
}

/* [index_lock; write if there are stale slots] */
static int vexfs_index_add(struct vexfs_coll *coll, u32 slot)
{
	int err = vexfs_index_unstale(coll, slot);

	return err ? err : coll->ops->add(coll, slot);
}

/* The same for some; *done: how many there was no error with. */
static int vexfs_index_add_some(struct vexfs_coll *coll, const u32 *slots,
				u32 n, u32 *done)
{
	int err = 0;
	u32 i;

	if (n > 1)
		return coll->ops->add_group(coll, slots, n, done);
	for (i = 0; !err && i < n; i += !err)
		err = vexfs_index_add(coll, slots[i]);
	*done = i;
	return err;
}

/* [lock] Takes from the ring's head what is done. */
static void vexfs_index_pop(struct vexfs_coll *coll)
{
	struct vexfs_ring *pending = &coll->pending;

	while (pending->head != coll->claim_top &&
	       !(vexfs_coll_flags(coll, vexfs_ring_at(pending, pending->head)) &
		 VEXFS_SLOT_PENDING))
		pending->head++;
}

/* How many are claimed together: of what was sorted as many as it may be. */
static u32 vexfs_index_group(const struct vexfs_coll *coll)
{
	if (coll->claimed >= coll->grouped || coll->stale)
		return 1;
	return min_t(u64, coll->grouped - coll->claimed,
		     min(coll->ops->group_max, coll->span));
}

/* The next slots that nobody is taking in; returns how many. */
static u32 vexfs_index_claim(struct vexfs_coll *coll, u32 *slots)
{
	struct vexfs_ring *pending = &coll->pending;
	u32 slot, n = 0, most;

	write_lock(&coll->lock);
	if (coll->claim_again && !coll->inflight) {
		coll->claim_again = false;
		coll->claimed = pending->head;
	}
	most = vexfs_index_group(coll);
	while (n < most && !coll->claim_again &&
	       coll->claimed != pending->tail) {
		slot = vexfs_ring_at(pending, coll->claimed++);
		coll->claim_top = max(coll->claim_top, coll->claimed);
		/* After a failure, what came behind it may have been done */
		if (vexfs_coll_flags(coll, slot) & VEXFS_SLOT_PENDING)
			slots[n++] = slot;
	}
	coll->inflight += n;
	vexfs_index_pop(coll);
	write_unlock(&coll->lock);
	return n;
}

/*
 * Done with a claimed slot; @set: in the graph. It was that first, and leaves
 * the ring then: searches look at both. On an error it is claimed again.
 */
static void vexfs_index_done(struct vexfs_coll *coll, u32 slot, u8 set,
			     int err)
{
	write_lock(&coll->lock);
	coll->inflight--;
	if (err) {
		coll->claim_again = true;
	} else {
		if (vexfs_coll_is_live(coll, slot))
			coll->waiting--;
		vexfs_coll_set_flags(coll, slot, VEXFS_SLOT_PENDING, set);
		coll->unsaved++;
		vexfs_index_pop(coll);
	}
	write_unlock(&coll->lock);
}

/* [index_lock, sem] Claimed slots; dead ones go to the end, and nowhere. */
static int vexfs_index_slots(struct vexfs_coll *coll, u32 *slots, u32 n)
{
	u32 i, live = 0, done;
	int err;

	for (i = 0; i < n; i++) {
		/* A dead one isn't reused before it has left the ring */
		if (!vexfs_coll_is_live(coll, slots[i]))
			continue;
		swap(slots[i], slots[live]);
		live++;
	}
	err = vexfs_index_add_some(coll, slots, live, &done);
	for (i = 0; i < n; i++)
		vexfs_index_done(coll, slots[i],
				 i < done ? VEXFS_SLOT_INDEXED : 0,
				 i >= done && i < live ? err : 0);
	return err;
}

/* [index_lock] Takes in one slot, or a group; *got: how many there were. */
static int vexfs_index_step(struct vexfs_coll *coll, u32 *got)
{
	u32 slots[VEXFS_GROUP_MAX];
	int err = 0;

	down_read(&coll->sem);
	*got = vexfs_index_claim(coll, slots);
	if (*got)
		err = vexfs_index_slots(coll, slots, *got);
	up_read(&coll->sem);
	return err;
}

/* [index_lock write] For a checkpoint, which can't tell what is stale. */
int vexfs_coll_drop_stale(struct vexfs_coll *coll)
{
	struct vexfs_ring *pending = &coll->pending;
	u32 slot;
	int err = 0;
	u64 i;

	for (i = pending->head; !err && coll->stale && i < pending->tail; i++) {
		slot = vexfs_ring_at(pending, i);
		down_read(&coll->sem);
		err = vexfs_index_unstale(coll, slot);
		up_read(&coll->sem);
		cond_resched();
	}
	return err;
}

/*
 * Waits until nobody is left who might have met, while they were live, the
 * slots whose deletes are durable by now.
 */
static void vexfs_sweep_quiesce(struct vexfs_coll *coll)
{
	if (READ_ONCE(coll->quiet) == READ_ONCE(coll->committed))
		return;
	down_write(&coll->sem);
	coll->quiet = coll->committed;
	up_write(&coll->sem);
}

/* [index_lock write] A dead slot out of the graph, its bytes gone. */
static int vexfs_sweep_slot(struct vexfs_coll *coll, u32 slot)
{
	int err = 0;

	down_read(&coll->sem);
	if (vexfs_coll_holds(coll) && coll->ops->has(coll, slot))
		err = vexfs_index_remove(coll, slot);
	up_read(&coll->sem);
	return err ? err : vexfs_coll_zero_rows(coll, slot, 1);
}

/* [index_lock write] */
static long vexfs_sweep(struct vexfs_coll *coll, u32 budget)
{
	u32 slot, n;
	bool wait;
	int err;

	vexfs_sweep_quiesce(coll);
	for (n = 0; n < budget && coll->zeroed < coll->quiet; n++) {
		read_lock(&coll->lock);
		slot = vexfs_ring_at(&coll->freed, coll->zeroed);
		read_unlock(&coll->lock);
		down_read(&coll->sem);
		wait = vexfs_coll_flags(coll, slot) & VEXFS_SLOT_PENDING ||
		       coll->pending.head != coll->claim_top;
		up_read(&coll->sem);
		if (wait)
			break;
		err = vexfs_sweep_slot(coll, slot);
		if (err)
			return err;
		write_lock(&coll->lock);
		coll->zeroed++;
		coll->unsaved++;
		write_unlock(&coll->lock);
		cond_resched();
	}
	return 0;
}

/* [index_lock] Up to @budget rows, or a group more. */
static int vexfs_index_rows(struct vexfs_coll *coll, u32 budget)
{
	u32 n, next, got = 1;
	int err;

	if (!READ_ONCE(coll->waiting) && !vexfs_ring_len(&coll->pending))
		got = 0;
	for (n = 0, next = 0; got && n < budget; n += got) {
		err = 0;
		if (coll->ops->ready && n >= next) {
			err = coll->ops->ready(coll);
			next = n + VEXFS_INDEX_ROWS;
		}
		if (!err)
			err = vexfs_index_step(coll, &got);
		if (err)
			return err;
		if (coll->io->killed(coll->priv))
			return -EINTR;
		cond_resched();
	}
	return 0;
}

/* Near ones together, if many wait. */
static int vexfs_index_sort(struct vexfs_coll *coll)
{
	int err;

	if (!vexfs_group_wanted(coll))
		return 0;
	if (down_write_killable(&coll->index_lock))
		return -EINTR;
	err = vexfs_group_pending(coll);
	up_write(&coll->index_lock);
	return err;
}

/* Rows are added with index_lock held for writing. */
static bool vexfs_index_serial(const struct vexfs_coll *coll)
{
	return READ_ONCE(coll->stale) || coll->ops->serial;
}

/* Beside others, as long as nothing has to be taken out first. */
static int vexfs_index_shared(struct vexfs_coll *coll, u32 budget)
{
	int err = 0;

	if (down_read_killable(&coll->index_lock))
		return -EINTR;
	if (!vexfs_index_serial(coll))
		err = vexfs_index_rows(coll, budget);
	up_read(&coll->index_lock);
	return err;
}

static long vexfs_index_alone(struct vexfs_coll *coll, u32 budget)
{
	long ret = 0;

	if (down_write_killable(&coll->index_lock))
		return -EINTR;
	if (vexfs_coll_holds(coll) && vexfs_index_serial(coll))
		ret = vexfs_index_rows(coll, budget);
	if (!ret)
		ret = vexfs_sweep(coll, budget);
	up_write(&coll->index_lock);
	return ret;
}

static bool vexfs_index_needs_alone(struct vexfs_coll *coll)
{
	bool ret;

	read_lock(&coll->lock);
	ret = READ_ONCE(coll->stale) || coll->zeroed != coll->committed ||
	      (coll->ops->serial && vexfs_ring_len(&coll->pending));
	read_unlock(&coll->lock);
	return ret;
}

long vexfs_coll_index(struct vexfs_coll *coll, u32 budget)
{
	long ret = 0;

	if (vexfs_coll_holds(coll))
		ret = vexfs_index_sort(coll);
	if (!ret && vexfs_coll_holds(coll) && !coll->ops->serial)
		ret = vexfs_index_shared(coll, budget);
	if (!ret && vexfs_index_needs_alone(coll))
		ret = vexfs_index_alone(coll, budget);
	if (ret)
		return ret;
	read_lock(&coll->lock);
	if (coll->claim_again)
		ret = vexfs_ring_len(&coll->pending);
	else
		ret = (u32)(coll->pending.tail - coll->claimed);
	ret += coll->committed - coll->zeroed;
	read_unlock(&coll->lock);
	return ret;
}

/* [index_lock] */
static bool vexfs_tend_due(const struct vexfs_coll *coll)
{
	return vexfs_coll_holds(coll) && coll->ops->tend &&
	       coll->ops->tend_due(coll);
}

/* [index_lock write] */
static int vexfs_tend_alone(struct vexfs_coll *coll, bool *due)
{
	int err;

	err = vexfs_tend_due(coll) ? coll->ops->tend(coll) : 0;
	*due = vexfs_tend_due(coll);
	return err;
}

/* [index_lock] Beside others; 0 when there is nothing left to take on. */
static int vexfs_tend_shares(struct vexfs_coll *coll)
{
	u32 i;
	int ret = 1;

	for (i = 0; ret > 0 && i < VEXFS_TEND_SHARES; i++) {
		ret = coll->ops->tend_share(coll);
		if (coll->io->killed(coll->priv))
			return -EINTR;
		cond_resched();
	}
	return ret;
}

int vexfs_coll_tend(struct vexfs_coll *coll)
{
	int err = 0;
	bool due;

	if (down_read_killable(&coll->index_lock))
		return -EINTR;
	due = vexfs_tend_due(coll);
	if (due)
		err = vexfs_tend_shares(coll);
	up_read(&coll->index_lock);
	if (due && !err) {
		if (down_write_killable(&coll->index_lock))
			return -EINTR;
		err = vexfs_tend_alone(coll, &due);
		up_write(&coll->index_lock);
	}
	/* Without memory for it the index goes on as it is. */
	if (err < 0)
		return err == -ENOMEM ? 0 : err;
	return due && coll->io->killed(coll->priv) ? -EINTR : due;
}

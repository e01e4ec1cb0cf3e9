// SPDX-License-Identifier: GPL-2.0
/*
 * Which index a collection has, and what is done in the background: rows are
 * taken into it, and deleted ones out of it and zeroed.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include "coll_priv.h"

/*
 * The tail is scanned by each search besides the graph: 2 MiB of rows take
 * about as long as a search of the graph does.
 */
#define VEXFS_TAIL_BYTES	(2u << 20)
#define VEXFS_TAIL_MIN		256u
#define VEXFS_TAIL_MAX		4096u

const struct vexfs_index_ops vexfs_flat_ops = { };

/* By number; a configuration that was checked has no other. */
static const struct vexfs_index_ops *const vexfs_indexes[] = {
	[VEXFS_INDEX_FLAT]	= &vexfs_flat_ops,
	[VEXFS_INDEX_HNSW]	= &vexfs_hnsw_ops,
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
	return clamp(VEXFS_TAIL_BYTES / coll->cfg.stride, VEXFS_TAIL_MIN,
		     VEXFS_TAIL_MAX);
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

/* [index_lock, sem] Takes a slot out of the index. */
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
 * [index_lock, sem] After a crash a slot may be live with a new row while the
 * checkpoint's index still has the old one there.
 */
static int vexfs_index_unstale(struct vexfs_coll *coll, u32 slot)
{
	if (!coll->stale || !coll->ops->has(coll, slot))
		return 0;
	coll->stale--;
	return vexfs_index_remove(coll, slot);
}

static int vexfs_index_add(struct vexfs_coll *coll, u32 slot)
{
	int err = vexfs_index_unstale(coll, slot);

	return err ? err : coll->ops->add(coll, slot);
}

/* [index_lock] The pending slot at the head; *more: there was one. */
static int vexfs_index_step(struct vexfs_coll *coll, bool *more)
{
	struct vexfs_ring *pending = &coll->pending;
	u8 set = 0;
	u32 slot;
	int err = 0;

	down_read(&coll->sem);
	read_lock(&coll->lock);
	*more = vexfs_ring_len(pending);
	slot = vexfs_ring_at(pending, pending->head);
	read_unlock(&coll->lock);
	if (!*more)
		goto out;
	/* A dead one isn't reused before it has left the ring */
	if (vexfs_coll_is_live(coll, slot)) {
		err = vexfs_index_add(coll, slot);
		set = VEXFS_SLOT_INDEXED;
	}
	if (err)
		goto out;
	write_lock(&coll->lock);
	/* In the index first, out of the ring then: searches look at both */
	pending->head++;
	if (vexfs_coll_is_live(coll, slot))
		coll->waiting--;
	vexfs_coll_set_flags(coll, slot, VEXFS_SLOT_PENDING, set);
	coll->unsaved++;
	write_unlock(&coll->lock);
out:
	up_read(&coll->sem);
	return err;
}

/* [index_lock] For a checkpoint, which can't tell what is stale. */
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

/* [index_lock] A dead slot out of the graph, its bytes gone. */
static int vexfs_sweep_slot(struct vexfs_coll *coll, u32 slot)
{
	int err = 0;

	down_read(&coll->sem);
	if (vexfs_coll_holds(coll) && coll->ops->has(coll, slot))
		err = vexfs_index_remove(coll, slot);
	up_read(&coll->sem);
	return err ? err : vexfs_coll_zero_rows(coll, slot, 1);
}

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
		wait = vexfs_coll_flags(coll, slot) & VEXFS_SLOT_PENDING;
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

static long vexfs_index_locked(struct vexfs_coll *coll, u32 budget)
{
	bool more = vexfs_coll_holds(coll);
	long ret;
	u32 n;

	for (n = 0; more && n < budget; n++) {
		ret = vexfs_index_step(coll, &more);
		if (ret)
			return ret;
		if (coll->io->killed(coll->priv))
			return -EINTR;
		cond_resched();
	}
	ret = vexfs_sweep(coll, budget);
	if (ret)
		return ret;
	read_lock(&coll->lock);
	ret = vexfs_ring_len(&coll->pending) +
	      (coll->committed - coll->zeroed);
	read_unlock(&coll->lock);
	return ret;
}

long vexfs_coll_index(struct vexfs_coll *coll, u32 budget)
{
	long ret;

	if (mutex_lock_killable(&coll->index_lock))
		return -EINTR;
	ret = vexfs_index_locked(coll, budget);
	mutex_unlock(&coll->index_lock);
	return ret;
}

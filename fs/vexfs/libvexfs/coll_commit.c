// SPDX-License-Identifier: GPL-2.0
/*
 * Commits: what the header is going to say, and what may be done with deleted
 * slots once it says so on stable storage.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include "coll_priv.h"

/* [write_lock] The state as it is now, between two batches. */
void vexfs_commit_fill(struct vexfs_coll *coll, struct vexfs_coll_commit *c)
{
	lockdep_assert_held(&coll->write_lock);
	read_lock(&coll->lock);
	c->slots = coll->slots;
	c->live = coll->live;
	c->next_id = coll->next_id;
	c->log_end = coll->log_end;
	c->log_seq = coll->log_seq;
	c->free_upto = coll->freed.tail;
	coll->commit_zeroed = coll->zeroed;
	read_unlock(&coll->lock);
}

bool vexfs_coll_commit_begin(struct vexfs_coll *coll,
			     struct vexfs_coll_commit *c)
{
	bool changed;

	mutex_lock(&coll->write_lock);
	vexfs_commit_fill(coll, c);
	changed = c->log_end != coll->durable_end ||
		  coll->commit_zeroed != coll->freed.head;
	mutex_unlock(&coll->write_lock);
	return changed;
}

void vexfs_coll_commit_header(const struct vexfs_coll_commit *c,
			      struct vexfs_coll_header *ch)
{
	le64_add_cpu(&ch->ch_seq, 1);
	ch->ch_slots = cpu_to_le64(c->slots);
	ch->ch_live = cpu_to_le64(c->live);
	ch->ch_next_id = cpu_to_le64(c->next_id);
	ch->ch_log_end = cpu_to_le64(c->log_end);
	ch->ch_log_seq = cpu_to_le64(c->log_seq);
}

/* Slots that were zeroed before the commit began are free. */
static void vexfs_commit_free(struct vexfs_coll *coll, u64 end)
{
	struct vexfs_ring *freed = &coll->freed;
	u32 slot, n = 0;

	write_lock(&coll->lock);
	while (freed->head < end) {
		slot = vexfs_ring_at(freed, freed->head++);
		vexfs_coll_set_flags(coll, slot, VEXFS_SLOT_SCRUB, 0);
		coll->reusable[coll->nreusable++] = slot;
		if (++n % VEXFS_LOCK_BATCH)
			continue;
		write_unlock(&coll->lock);
		cond_resched();
		write_lock(&coll->lock);
	}
	write_unlock(&coll->lock);
}

void vexfs_commit_apply(struct vexfs_coll *coll,
			const struct vexfs_coll_commit *c)
{
	write_lock(&coll->lock);
	coll->durable_end = c->log_end;
	coll->committed = c->free_upto;
	write_unlock(&coll->lock);
	vexfs_commit_free(coll, coll->commit_zeroed);
	vexfs_coll_kick(coll);
}

void vexfs_coll_commit_end(struct vexfs_coll *coll,
			   const struct vexfs_coll_commit *c, int error)
{
	if (error)
		return;
	/* Arenas mustn't move while flags are changed */
	down_read(&coll->sem);
	vexfs_commit_apply(coll, c);
	up_read(&coll->sem);
}

// SPDX-License-Identifier: GPL-2.0
/*
 * Searches: a scan of all rows, or the index and the rows it lacks. Either
 * way what is returned was compared with the full row.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include "coll_search.h"

/* Scans that may come to nothing before changes are kept out of one. */
#define VEXFS_SCAN_TRIES	3u

struct vexfs_coll_searcher *vexfs_coll_searcher_alloc(struct vexfs_coll *coll)
{
	struct vexfs_coll_searcher *s = kvzalloc(sizeof(*s), VEXFS_GFP);

	if (!s)
		return NULL;
	s->coll = coll;
	s->pins = vexfs_coll_pins_alloc(coll);
	s->query_mem = kvmalloc(coll->sp.query_bytes + 63, VEXFS_GFP);
	if (coll->cfg.index == VEXFS_INDEX_HNSW)
		s->scratch = vexfs_graph_scratch_alloc();
	if (s->pins && s->query_mem &&
	    (s->scratch || coll->cfg.index != VEXFS_INDEX_HNSW))
		return s;
	vexfs_coll_searcher_free(s);
	return NULL;
}

void vexfs_coll_searcher_free(struct vexfs_coll_searcher *s)
{
	if (!s)
		return;
	if (s->scratch)
		vexfs_graph_scratch_free(s->scratch);
	vexfs_coll_pins_free(s->pins);
	kvfree(s->query_mem);
	kvfree(s->tail);
	kvfree(s->cand);
	kvfree(s->hits);
	kvfree(s);
}

/* Makes an array of scratch large enough; its contents are lost. */
int vexfs_search_room(void *array, u32 *cap, u32 want, size_t size)
{
	void **p = array;

	if (want <= *cap)
		return 0;
	kvfree(*p);
	*cap = 0;
	*p = kvmalloc_array(want, size, VEXFS_GFP);
	if (!*p)
		return -ENOMEM;
	*cap = want;
	return 0;
}

/* Compares the slots of the batch with the query. */
int vexfs_search_batch(struct vexfs_coll_searcher *s,
			      struct vexfs_topk *top)
{
	struct vexfs_coll *coll = s->coll;
	u32 n = s->nbatch, i, slot;
	int err;

	s->nbatch = 0;
	if (!n)
		return 0;
	if (coll->io->killed(coll->priv))
		return -EINTR;
	err = coll->io->pin_rows(coll->priv, s->batch, n, s->pins);
	if (err)
		return err;
	vexfs_dist_rows(&coll->sp, s->query, s->pins->row, n, s->keys);
	coll->io->unpin_rows(coll->priv, s->pins);
	s->compared += n;
	for (i = 0; i < n; i++) {
		slot = s->batch[i];
		/* Deleted while it was compared: its row may be zeroes now */
		if (s->keys[i] <= vexfs_topk_bound(top) &&
		    vexfs_coll_is_live(coll, slot))
			vexfs_topk_push(top, s->keys[i],
					vexfs_coll_id(coll, slot), slot);
	}
	cond_resched();
	return 0;
}

int vexfs_search_slot(struct vexfs_coll_searcher *s, u32 slot,
			     struct vexfs_topk *top)
{
	if (!vexfs_coll_is_live(s->coll, slot))
		return 0;
	s->batch[s->nbatch++] = slot;
	return s->nbatch < s->coll->span ? 0 : vexfs_search_batch(s, top);
}

/*
 * Sorts what was found, without what was deleted since. An id that was
 * deleted and inserted again meanwhile may have been met twice; it isn't live
 * in two slots.
 */
void vexfs_search_finish(struct vexfs_coll_searcher *s,
				struct vexfs_topk *top)
{
	u32 i, n = 0;

	vexfs_topk_sort(top);
	for (i = 0; i < top->n; i++) {
		if (vexfs_coll_is_live(s->coll, top->hit[i].slot))
			top->hit[n++] = top->hit[i];
	}
	top->n = n;
}

/* Every live row; -EAGAIN if too many of the best were deleted meanwhile. */
static int vexfs_search_scan_once(struct vexfs_coll_searcher *s, u32 k,
				  struct vexfs_coll_hit *hits, u32 *count)
{
	/* Pairs with the release in vexfs_coll_publish() */
	u32 slots = smp_load_acquire(&s->coll->slots), slot;
	struct vexfs_topk top;
	bool full;
	int err = 0;

	vexfs_topk_init(&top, s->hits, k + VEXFS_SPARE_HITS);
	s->nbatch = 0;
	for (slot = 0; !err && slot < slots; slot++)
		err = vexfs_search_slot(s, slot, &top);
	if (!err)
		err = vexfs_search_batch(s, &top);
	if (err)
		return err;
	full = top.n == top.k;
	vexfs_search_finish(s, &top);
	*count = min(top.n, k);
	memcpy(hits, top.hit, *count * sizeof(*hits));
	return full && top.n < k ? -EAGAIN : 0;
}

/* [sem] In the end with write_lock, which comes before sem. */
static int vexfs_search_scan(struct vexfs_coll_searcher *s, u32 k,
			     struct vexfs_coll_hit *hits, u32 *count)
{
	struct vexfs_coll *coll = s->coll;
	u32 tries = VEXFS_SCAN_TRIES;
	int err;

	do {
		err = vexfs_search_scan_once(s, k, hits, count);
	} while (err == -EAGAIN && --tries);
	if (err != -EAGAIN)
		return err;
	up_read(&coll->sem);
	mutex_lock(&coll->write_lock);
	down_read(&coll->sem);
	err = vexfs_search_scan_once(s, k, hits, count);
	mutex_unlock(&coll->write_lock);
	return err;
}

/*
 * Which rows the index lacks. This comes before the search of the graph: the
 * index takes a row in before it takes it off the list, so one of the two
 * has it.
 */
int vexfs_search_tail(struct vexfs_coll_searcher *s)
{
	struct vexfs_coll *coll = s->coll;
	const struct vexfs_ring *pending = &coll->pending;
	u32 want, slot;
	u64 i;
	int err;

	for (;;) {
		read_lock(&coll->lock);
		want = vexfs_ring_len(pending);
		if (want <= s->tail_cap)
			break;
		read_unlock(&coll->lock);
		want += want / 4;
		err = vexfs_search_room(&s->tail, &s->tail_cap, want,
					sizeof(*s->tail));
		if (err)
			return err;
	}
	s->ntail = 0;
	for (i = pending->head; i != pending->tail; i++) {
		slot = vexfs_ring_at(pending, i);
		if (vexfs_coll_is_live(coll, slot))
			s->tail[s->ntail++] = slot;
	}
	read_unlock(&coll->lock);
	return 0;
}

int vexfs_search_list(struct vexfs_coll_searcher *s,
			     struct vexfs_topk *top, const u32 *slots, u32 n)
{
	u32 i;
	int err = 0;

	s->nbatch = 0;
	for (i = 0; !err && i < n; i++)
		err = vexfs_search_slot(s, slots[i], top);
	return err ? err : vexfs_search_batch(s, top);
}

/* Would a scan cost less than the index? */
static bool vexfs_search_by_scan(struct vexfs_coll *coll, u32 ef,
				 unsigned int flags)
{
	u32 live, waiting;

	if (flags & VEXFS_COLL_EXACT || !vexfs_coll_holds(coll))
		return true;
	read_lock(&coll->lock);
	live = coll->live;
	waiting = coll->waiting;
	read_unlock(&coll->lock);
	return waiting > live / 2 || coll->ops->scan_wins(coll, live, ef);
}

static int vexfs_search_locked(struct vexfs_coll_searcher *s, const void *row,
			       u32 k, u32 ef, unsigned int flags,
			       struct vexfs_coll_hit *hits,
			       struct vexfs_coll_result *res)
{
	struct vexfs_coll *coll = s->coll;
	bool scan = vexfs_search_by_scan(coll, ef, flags);
	int err;

	err = vexfs_search_room(&s->hits, &s->hits_cap,
				2 * (k + VEXFS_SPARE_HITS), sizeof(*s->hits));
	if (err)
		return err;
	s->query = PTR_ALIGN(s->query_mem, 64);
	if (!scan) {
		err = coll->ops->prepare(s, ef, &s->query);
		if (err)
			return err;
	}
	vexfs_query_prepare(&coll->sp, row, s->query);
	if (!scan) {
		res->mode = VEXFS_MODE_GRAPH;
		err = coll->ops->search(s, k, ef, hits, &res->count);
		if (err != -EAGAIN)
			return err;
	}
	/* Fewer than k only when there are fewer than k */
	res->mode = VEXFS_MODE_SCAN;
	return vexfs_search_scan(s, k, hits, &res->count);
}

int vexfs_coll_search(struct vexfs_coll_searcher *s, const void *query, u32 k,
		      u32 ef, unsigned int flags, struct vexfs_coll_hit *hits,
		      struct vexfs_coll_result *res)
{
	struct vexfs_coll *coll = s->coll;
	int err;

	memset(res, 0, sizeof(*res));
	if (!k || k > VEXFS_K_MAX || ef > VEXFS_EF_MAX ||
	    flags & ~(unsigned int)VEXFS_COLL_EXACT)
		return -EINVAL;
	if (!vexfs_rows_finite(&coll->sp, query, 1, coll->sp.row_bytes))
		return -EINVAL;
	if (!ef)
		ef = coll->cfg.ef;
	ef = max(ef, k);
	s->compared = 0;
	if (down_read_killable(&coll->sem))
		return -EINTR;
	err = vexfs_search_locked(s, query, k, ef, flags, hits, res);
	up_read(&coll->sem);
	res->compared = s->compared;
	return err;
}

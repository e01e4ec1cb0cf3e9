// SPDX-License-Identifier: GPL-2.0
/*
 * Searches: a scan of all rows (coll_scan.c), or the index and the rows it
 * lacks. Either way what is returned was compared with the full row.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include "coll_search.h"

struct vexfs_coll_searcher *vexfs_coll_searcher_alloc(struct vexfs_coll *coll)
{
	struct vexfs_coll_searcher *s = kvzalloc(sizeof(*s), VEXFS_GFP);

	if (!s)
		return NULL;
	s->coll = coll;
	s->pins = vexfs_coll_pins_alloc(coll, coll->span);
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
	u32 i;

	if (!s)
		return;
	for (i = 0; i < ARRAY_SIZE(s->other); i++)
		vexfs_coll_searcher_free(s->other[i]);
	if (s->scratch)
		vexfs_graph_scratch_free(s->scratch);
	vexfs_lsh_scratch_free(s->lsh);
	vexfs_coll_pins_free(s->pins);
	vexfs_scan_free(s->scan);
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

int vexfs_batch_pin(struct vexfs_coll_searcher *s, u32 n)
{
	struct vexfs_coll *coll = s->coll;

	if (coll->io->killed(coll->priv))
		return -EINTR;
	return coll->io->pin_rows(coll->priv, s->batch, n, s->pins);
}

void vexfs_batch_keys(struct vexfs_coll_searcher *s, u32 n,
		      enum vexfs_batch_how how)
{
	const struct vexfs_space *sp = &s->coll->sp;
	const void *const *rows = s->pins->row;

	if (how == VEXFS_BATCH_EXACT)
		vexfs_exact_rows(sp, s->query, rows, n, s->keys);
	else if (how == VEXFS_BATCH_LOWER)
		vexfs_lower_rows(sp, s->query, rows, n, s->keys);
	else
		vexfs_dist_rows(sp, s->query, rows, n, s->keys);
	s->coll->io->unpin_rows(s->coll->priv, s->pins);
}

void vexfs_batch_push(struct vexfs_coll_searcher *s, u32 n, u32 limit,
		      struct vexfs_topk *top)
{
	u32 i, slot;

	for (i = 0; i < n; i++) {
		slot = s->batch[i];
		/* Deleted while it was compared: its row may be zeroes now */
		if (s->keys[i] <= min(limit, vexfs_topk_bound(top)) &&
		    vexfs_coll_is_live(s->coll, slot))
			vexfs_topk_push(top, s->keys[i],
					vexfs_coll_id(s->coll, slot), slot);
	}
	cond_resched();
}

/* Compares the slots of the batch with the query. */
int vexfs_search_batch(struct vexfs_coll_searcher *s, struct vexfs_topk *top)
{
	u32 n = s->nbatch;
	int err;

	s->nbatch = 0;
	if (!n)
		return 0;
	err = vexfs_batch_pin(s, n);
	if (err)
		return err;
	vexfs_batch_keys(s, n, VEXFS_BATCH_FAST);
	s->compared += n;
	vexfs_batch_push(s, n, U32_MAX, top);
	return 0;
}

int vexfs_search_exact(struct vexfs_coll_searcher *s, struct vexfs_topk *top)
{
	struct vexfs_coll *coll = s->coll;
	u32 i, j, n;
	int err;

	if (coll->sp.exact)
		return 0;
	for (i = 0; i < top->n; i += n) {
		n = min(top->n - i, coll->span);
		for (j = 0; j < n; j++)
			s->batch[j] = top->hit[i + j].slot;
		err = vexfs_batch_pin(s, n);
		if (err)
			return err;
		vexfs_batch_keys(s, n, VEXFS_BATCH_EXACT);
		for (j = 0; j < n; j++)
			top->hit[i + j].key = s->keys[j];
		cond_resched();
	}
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

	/* What became exact is no heap any more. */
	vexfs_hits_sort(top->hit, top->n);
	for (i = 0; i < top->n; i++) {
		if (vexfs_coll_is_live(s->coll, top->hit[i].slot))
			top->hit[n++] = top->hit[i];
	}
	top->n = n;
}

/* Rows that wait, beyond which they are looked for among all slots... */
#define VEXFS_TAIL_RING		4096u
/* ... unless only one slot of more than so many waits. */
#define VEXFS_TAIL_SHARE	64u

/* Live rows that wait, as listed; those that are put in order lie anywhere. */
static int vexfs_tail_listed(struct vexfs_coll_searcher *s)
{
	struct vexfs_coll *coll = s->coll;
	u32 i, n;

	read_lock(&coll->lock);
	n = vexfs_ring_len(&coll->pending);
	if (n > s->tail_cap) {
		read_unlock(&coll->lock);
		return -EAGAIN;
	}
	vexfs_ring_read(&coll->pending, coll->pending.head, n, s->tail);
	read_unlock(&coll->lock);
	s->ntail = 0;
	for (i = 0; i < n; i++)
		if (vexfs_coll_is_live(coll, s->tail[i]))
			s->tail[s->ntail++] = s->tail[i];
	return 0;
}

/* The same by their flags: rows that follow each other are read faster. */
static int vexfs_tail_marked(struct vexfs_coll_searcher *s)
{
	struct vexfs_coll *coll = s->coll;
	const u8 want = VEXFS_SLOT_LIVE | VEXFS_SLOT_PENDING;
	/* Pairs with the release in vexfs_coll_publish() */
	u32 slot, slots = smp_load_acquire(&coll->slots);

	s->ntail = 0;
	for (slot = 0; slot < slots; slot++) {
		if (!(slot & 0xffff))
			cond_resched();
		if ((vexfs_coll_flags(coll, slot) & want) != want)
			continue;
		if (s->ntail == s->tail_cap)
			return -EAGAIN;
		s->tail[s->ntail++] = slot;
	}
	return 0;
}

/*
 * Which rows the index lacks. This comes before the search of the graph: the
 * index takes a row in before it takes it off the list, and its mark away, so
 * one of the two has it.
 */
int vexfs_search_tail(struct vexfs_coll_searcher *s)
{
	struct vexfs_coll *coll = s->coll;
	u32 n;
	int err;

	do {
		read_lock(&coll->lock);
		n = vexfs_ring_len(&coll->pending);
		read_unlock(&coll->lock);
		err = 0;
		if (n > s->tail_cap)
			err = vexfs_search_room(&s->tail, &s->tail_cap,
						n + n / 4, sizeof(*s->tail));
		if (err)
			break;
		if (n > VEXFS_TAIL_RING &&
		    n > READ_ONCE(coll->slots) / VEXFS_TAIL_SHARE)
			err = vexfs_tail_marked(s);
		else
			err = vexfs_tail_listed(s);
	} while (err == -EAGAIN);
	return err;
}

int vexfs_search_tail_rows(struct vexfs_coll_searcher *s, u32 limit,
			   struct vexfs_topk *top)
{
	u32 i, n;
	int err;

	for (i = 0; i < s->ntail; i += n) {
		n = min(s->ntail - i, s->coll->span);
		memcpy(s->batch, s->tail + i, n * sizeof(*s->batch));
		err = vexfs_batch_pin(s, n);
		if (err)
			return err;
		vexfs_batch_keys(s, n, VEXFS_BATCH_LOWER);
		s->compared += n;
		vexfs_batch_push(s, n, limit, top);
	}
	err = vexfs_search_exact(s, top);
	if (!err)
		vexfs_search_finish(s, top);
	return err;
}

/* Queries that the index answers before those get their turn that wait for @sem */
#define VEXFS_SEARCH_SOME	64u

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

int vexfs_search_prepare(struct vexfs_coll_searcher *s, const void *row, u32 k,
			 u32 ef)
{
	struct vexfs_coll *coll = s->coll;
	int err;

	err = vexfs_search_room(&s->hits, &s->hits_cap,
				2 * (k + VEXFS_SPARE_HITS), sizeof(*s->hits));
	if (err)
		return err;
	s->row = row;
	s->k = k;
	s->ef = ef;
	s->compared = 0;
	s->query = PTR_ALIGN(s->query_mem, 64);
	err = coll->ops->prepare(s, ef, &s->query);
	if (err)
		return err;
	vexfs_query_prepare(&coll->sp, row, s->query);
	return vexfs_query_finite(&coll->sp, row, s->query) ? 0 : -EINVAL;
}

/* Queries that the index answers at a time; returns how many, or negative. */
static int vexfs_search_by_index(struct vexfs_coll_searcher *s,
				 const void *rows, u32 n, u32 k, u32 ef,
				 struct vexfs_coll_hit *hits,
				 struct vexfs_coll_result *res)
{
	struct vexfs_coll *coll = s->coll;
	int err;

	if (coll->ops->begin) {
		n = min(n, VEXFS_SEARCH_SOME);
		err = vexfs_search_turns(s, rows, n, k, ef, hits, res);
		return err ? err : (int)n;
	}
	err = vexfs_search_prepare(s, rows, k, ef);
	if (err)
		return err;
	res->mode = coll->ops->mode;
	err = coll->ops->search(s, k, ef, hits, &res->count);
	res->compared = s->compared;
	return err ? err : 1;
}

/* [sem] Some of the queries; returns how many, or negative. */
static int vexfs_search_some(struct vexfs_coll_searcher *s, const void *rows,
			     u32 n, u32 k, u32 ef, unsigned int flags,
			     struct vexfs_coll_hit *hits,
			     struct vexfs_coll_result *res)
{
	int err;

	if (!vexfs_search_by_scan(s->coll, ef, flags)) {
		err = vexfs_search_by_index(s, rows, n, k, ef, hits, res);
		if (err != -EAGAIN)
			return err;
		n = 1;
	}
	/* Fewer than k only when there are fewer than k */
	n = vexfs_scan_queries(s, n, k);
	if (!vexfs_rows_finite(&s->coll->sp, rows, n, s->coll->sp.row_bytes))
		return -EINVAL;
	err = vexfs_search_scan(s, rows, n, k, hits, res);
	return err ? err : (int)n;
}

/* What to search with where the caller says nothing, or too little. */
static u32 vexfs_search_ef(const struct vexfs_coll *coll, u32 k, u32 ef)
{
	return max(ef ? ef : coll->cfg.ef, k);
}

/* Of queries that are copied together, for the last to be still in a cache. */
#define VEXFS_SEARCH_BYTES	131072u

u32 vexfs_coll_search_most(struct vexfs_coll_searcher *s, u32 n, u32 k, u32 ef,
			   unsigned int flags)
{
	struct vexfs_coll *coll = s->coll;

	n = vexfs_scan_queries(s, n, k);
	if (!vexfs_search_by_scan(coll, vexfs_search_ef(coll, k, ef), flags))
		n = min(n, max(VEXFS_SEARCH_BYTES / coll->sp.row_bytes, 1u));
	return n;
}

int vexfs_coll_search_many(struct vexfs_coll_searcher *s, const void *queries,
			   u32 n, u32 k, u32 ef, unsigned int flags,
			   struct vexfs_coll_hit *hits,
			   struct vexfs_coll_result *res)
{
	struct vexfs_coll *coll = s->coll;
	const u32 row_bytes = coll->sp.row_bytes;
	int done = 0;

	if (!k || k > VEXFS_K_MAX || ef > VEXFS_EF_MAX ||
	    flags & ~(unsigned int)VEXFS_COLL_EXACT)
		return -EINVAL;
	ef = vexfs_search_ef(coll, k, ef);
	memset(res, 0, n * sizeof(*res));
	for (; n; n -= done, res += done) {
		if (coll->io->killed(coll->priv))
			return -EINTR;
		if (down_read_killable(&coll->sem))
			return -EINTR;
		done = vexfs_search_some(s, queries, n, k, ef, flags, hits,
					 res);
		up_read(&coll->sem);
		if (done < 0)
			return done;
		queries += (size_t)done * row_bytes;
		hits += (size_t)done * k;
		cond_resched();
	}
	return 0;
}

int vexfs_coll_search(struct vexfs_coll_searcher *s, const void *query, u32 k,
		      u32 ef, unsigned int flags, struct vexfs_coll_hit *hits,
		      struct vexfs_coll_result *res)
{
	return vexfs_coll_search_many(s, query, 1, k, ef, flags, hits, res);
}

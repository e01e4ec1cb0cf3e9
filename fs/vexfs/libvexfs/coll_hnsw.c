// SPDX-License-Identifier: GPL-2.0
/*
 * The graph as the index of a collection.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include "coll_search.h"

/*
 * Comparing a row costs a scan less than a step of the graph, and it is
 * exact: up to so many times ef rows are scanned.
 */
#define VEXFS_SCAN_FACTOR	8u
/*
 * Of the graph's candidates, which are ranked by 8-bit codes, so many are
 * ranked again by their rows. The codes are good for two decimal places; what
 * belongs among the first k isn't far behind them.
 */
#define VEXFS_RERANK_MORE	20u
/* Of those that were ranked, what is ranked by exact distances besides k. */
#define VEXFS_EXACT_MORE	6u

static_assert(VEXFS_GROUP_MAX <= VEXFS_GRAPH_GROUP);

static int vexfs_indexer_alloc(struct vexfs_coll *coll,
			       struct vexfs_indexer *ix)
{
	if (!ix->scratch)
		ix->scratch = vexfs_graph_scratch_alloc();
	if (!ix->pins)
		ix->pins = vexfs_coll_pins_alloc(coll, coll->span);
	return ix->scratch && ix->pins ? 0 : -ENOMEM;
}

/*
 * [index_lock read] One that nobody uses, locked; it is made when it is
 * needed first. NULL when the task is killed.
 */
static struct vexfs_indexer *vexfs_indexer_get(struct vexfs_coll *coll)
{
	struct vexfs_indexer *ix = coll->indexer;
	u32 i;

	for (i = 0; i < VEXFS_INDEXERS; i++, ix++) {
		if (!mutex_trylock(&ix->lock))
			continue;
		if (!vexfs_indexer_alloc(coll, ix))
			return ix;
		mutex_unlock(&ix->lock);
	}
	ix = coll->indexer;
	return mutex_lock_killable(&ix->lock) ? NULL : ix;
}

static int vexfs_hnsw_init(struct vexfs_coll *coll)
{
	struct vexfs_graph_config gc = {
		.space = &coll->sp,
		.m = coll->cfg.m,
		.ef_construction = coll->cfg.ef_construction,
		.seed = coll->cfg.seed,
	};
	int err;

	err = vexfs_graph_init(&coll->graph, &gc);
	return err ? err : vexfs_indexer_alloc(coll, &coll->indexer[0]);
}

static void vexfs_hnsw_free(struct vexfs_coll *coll)
{
	struct vexfs_indexer *ix = coll->indexer;
	u32 i;

	/* It may be that there is no graph yet */
	if (coll->graph.links.item_size)
		vexfs_graph_free(&coll->graph);
	for (i = 0; i < VEXFS_INDEXERS; i++, ix++) {
		vexfs_graph_scratch_free(ix->scratch);
		vexfs_coll_pins_free(ix->pins);
		ix->scratch = NULL;
		ix->pins = NULL;
	}
	memset(&coll->graph, 0, sizeof(coll->graph));
}

static int vexfs_hnsw_reserve(struct vexfs_coll *coll, u32 slots)
{
	return vexfs_graph_reserve(&coll->graph, slots);
}

static u64 vexfs_hnsw_memory(const struct vexfs_coll *coll)
{
	return vexfs_graph_memory(&coll->graph);
}

static bool vexfs_hnsw_has(const struct vexfs_coll *coll, u32 slot)
{
	return vexfs_graph_has(&coll->graph, slot);
}

static int vexfs_hnsw_insert(struct vexfs_coll *coll, const u32 *slots, u32 n,
			     struct vexfs_indexer *ix, u32 *done)
{
	struct vexfs_row_pins *pins = ix->pins;
	int err;

	*done = 0;
	err = vexfs_graph_scratch_prepare(ix->scratch, &coll->graph, 0);
	if (!err)
		err = coll->io->pin_rows(coll->priv, slots, n, pins);
	if (err)
		return err;
	err = vexfs_graph_insert_group(&coll->graph, slots, pins->row, n,
				       ix->scratch, done);
	coll->io->unpin_rows(coll->priv, pins);
	return err;
}

static int vexfs_hnsw_add_group(struct vexfs_coll *coll, const u32 *slots,
				u32 n, u32 *done)
{
	struct vexfs_indexer *ix = vexfs_indexer_get(coll);
	int err;

	*done = 0;
	if (!ix)
		return -EINTR;
	err = vexfs_hnsw_insert(coll, slots, n, ix, done);
	mutex_unlock(&ix->lock);
	return err;
}

static int vexfs_hnsw_add(struct vexfs_coll *coll, u32 slot)
{
	u32 done;

	return vexfs_hnsw_add_group(coll, &slot, 1, &done);
}

/* Nobody adds meanwhile, so that the first indexer is free. */
static int vexfs_hnsw_remove(struct vexfs_coll *coll, u32 slot)
{
	struct vexfs_graph_scratch *scratch = coll->indexer[0].scratch;
	int err;

	err = vexfs_graph_scratch_prepare(scratch, &coll->graph, 0);
	if (!err)
		vexfs_graph_remove(&coll->graph, slot, scratch);
	return err;
}

static bool vexfs_hnsw_tend_due(const struct vexfs_coll *coll)
{
	return vexfs_graph_adapt_due(&coll->graph);
}

static int vexfs_hnsw_tend_share(struct vexfs_coll *coll)
{
	struct vexfs_indexer *ix;
	int ret;

	down_read(&coll->sem);
	ix = vexfs_indexer_get(coll);
	ret = ix ? vexfs_graph_scratch_prepare(ix->scratch, &coll->graph, 0) :
		   -EINTR;
	if (!ret)
		ret = vexfs_graph_adapt_share(&coll->graph, ix->scratch);
	up_read(&coll->sem);
	if (ix)
		mutex_unlock(&ix->lock);
	return ret;
}

static int vexfs_hnsw_tend(struct vexfs_coll *coll)
{
	struct vexfs_graph_adapt *old;
	int ret;

	down_read(&coll->sem);
	ret = vexfs_graph_adapt(&coll->graph);
	up_read(&coll->sem);
	if (ret <= 0)
		return ret;
	down_write(&coll->sem);
	old = vexfs_graph_adapted(&coll->graph);
	up_write(&coll->sem);
	vexfs_graph_adapt_free(old);
	return 0;
}

static struct vexfs_arena *vexfs_hnsw_arena(struct vexfs_coll *coll, u32 sect)
{
	switch (sect) {
	case VEXFS_CK_GRAPH0:
		return &coll->graph.links;
	case VEXFS_CK_CODES:
		return &coll->graph.codes;
	default:
		return NULL;
	}
}

static int vexfs_hnsw_load_upper(struct vexfs_coll *coll, void **upper)
{
	const struct vexfs_ckpt_map *m = &coll->ckpt.map[VEXFS_CK_UPPER];
	u32 c;
	int err = 0;

	*upper = kvmalloc(max_t(u64, m->bytes, 1), VEXFS_GFP);
	if (!*upper)
		return -ENOMEM;
	for (c = 0; !err && c < m->nchunks; c++)
		err = vexfs_chunk_read(coll, m, c, *upper +
				       (u64)c * VEXFS_CHUNK_SIZE);
	return err;
}

static int vexfs_hnsw_load(struct vexfs_coll *coll,
			   const struct vexfs_ckpt_dir *dir, void *buf)
{
	const struct vexfs_graph_filter indexed = {
		.flags = &coll->flags,
		.mask = VEXFS_SLOT_INDEXED,
		.want = VEXFS_SLOT_INDEXED,
	};
	void *upper = NULL;
	int err;

	err = vexfs_load_arena(coll, VEXFS_CK_GRAPH0, buf);
	if (!err)
		err = vexfs_load_arena(coll, VEXFS_CK_CODES, buf);
	if (!err)
		err = vexfs_hnsw_load_upper(coll, &upper);
	if (!err)
		err = vexfs_graph_load(&coll->graph, &indexed,
				       le32_to_cpu(dir->cd_entry),
				       le32_to_cpu(dir->cd_max_level), upper,
				       coll->ckpt.map[VEXFS_CK_UPPER].bytes);
	kvfree(upper);
	return err;
}

static bool vexfs_hnsw_scan_wins(struct vexfs_coll *coll, u32 live, u32 ef)
{
	return live / VEXFS_SCAN_FACTOR <= ef;
}

static int vexfs_hnsw_prepare(struct vexfs_coll_searcher *s, u32 ef,
			      struct vexfs_query **query)
{
	int err;

	err = vexfs_graph_scratch_prepare(s->scratch, &s->coll->graph, ef);
	if (!err)
		*query = vexfs_graph_scratch_query(s->scratch);
	return err;
}

/*
 * How many of @n candidates are to be ranked by their rows: those that may
 * belong among the first k.
 */
static u32 vexfs_hnsw_front(const struct vexfs_coll_searcher *s, u32 k, u32 n)
{
	u32 limit;

	n = min(n, k + k / 2 + VEXFS_RERANK_MORE);
	if (n <= k)
		return n;
	limit = vexfs_code_limit(&s->coll->sp, s->query, s->cand[k - 1].key);
	while (n > k && s->cand[n - 1].key > limit)
		n--;
	return n;
}

/* Of what was ranked by fast distances, what is ranked by exact ones. */
static u32 vexfs_hnsw_sure(u32 k)
{
	return k + min(k / 8 + VEXFS_EXACT_MORE, VEXFS_SPARE_HITS);
}

/* Are the codes' candidates so few that all get exact distances at once? */
static bool vexfs_hnsw_few(const struct vexfs_coll_searcher *s)
{
	return s->ncand <= vexfs_hnsw_sure(s->k) && !s->coll->sp.exact;
}

/* What a search does next. */
enum vexfs_hnsw_stage {
	VEXFS_HNSW_WALK,	/* the graph */
	VEXFS_HNSW_COMPARE,	/* the rows of what was found */
};

/* The rows of candidates from number @from on, as many as are handled at once. */
static int vexfs_hnsw_pin(struct vexfs_coll_searcher *s, u32 from)
{
	u32 i, n = min(s->ncand - from, s->coll->span);
	int err;

	for (i = 0; i < n; i++)
		s->batch[i] = s->cand[from + i].slot;
	err = vexfs_batch_pin(s, n);
	if (!err)
		s->nbatch = n;
	return err;
}

/* What is read of those that are pinned: their flags and ids, first rows. */
static void vexfs_hnsw_fetch(const struct vexfs_coll_searcher *s)
{
	const struct vexfs_coll *coll = s->coll;
	u32 i;

	for (i = 0; i < s->nbatch; i++) {
		prefetch(vexfs_arena_item(&coll->flags, s->batch[i]));
		prefetch(vexfs_arena_item(&coll->ids, s->batch[i]));
	}
	vexfs_rows_fetch(&coll->sp, s->pins->row, s->nbatch);
}

static void vexfs_hnsw_unpin(struct vexfs_coll_searcher *s)
{
	if (s->nbatch)
		s->coll->io->unpin_rows(s->coll->priv, s->pins);
	s->nbatch = 0;
}

/*
 * Ranks the candidates by their rows, of which the first are pinned: by exact
 * distances if there are few of them, so that no others follow.
 */
static int vexfs_hnsw_compare(struct vexfs_coll_searcher *s)
{
	u32 done, n;
	int err;

	for (done = 0; ; ) {
		n = s->nbatch;
		s->nbatch = 0;
		vexfs_batch_keys(s, n, vexfs_hnsw_few(s) ? VEXFS_BATCH_EXACT :
							   VEXFS_BATCH_FAST);
		s->compared += n;
		vexfs_batch_push(s, n, U32_MAX, &s->near);
		done += n;
		if (done == s->ncand)
			return 0;
		err = vexfs_hnsw_pin(s, done);
		if (err)
			return err;
	}
}

/*
 * Sorts the front of what was found by exact distances. What is behind stays
 * there, but may be needed in place of something that is being deleted.
 */
static int vexfs_hnsw_exact(struct vexfs_coll_searcher *s, u32 k,
			    struct vexfs_topk *top)
{
	struct vexfs_topk front = *top;
	u32 sure;
	int err;

	vexfs_search_finish(s, top);
	sure = min(top->n, vexfs_hnsw_sure(k));
	front.n = sure;
	err = vexfs_search_exact(s, &front);
	if (err)
		return err;
	vexfs_search_finish(s, &front);
	if (front.n < k) {
		memmove(top->hit + front.n, top->hit + sure,
			(top->n - sure) * sizeof(*top->hit));
		front.n += top->n - sure;
	}
	top->n = front.n;
	return 0;
}

static int vexfs_hnsw_begin(struct vexfs_coll_searcher *s)
{
	struct vexfs_coll *coll = s->coll;
	/* Who deletes meanwhile is noticed when rows are compared. */
	bool all = READ_ONCE(coll->live) == READ_ONCE(coll->slots);
	int err;

	err = vexfs_search_room(&s->cand, &s->cand_cap, s->ef,
				sizeof(*s->cand));
	if (!err)
		err = vexfs_search_tail(s);
	if (err)
		return err;
	s->live = (struct vexfs_graph_filter) {
		.flags = &coll->flags,
		.mask = VEXFS_SLOT_LIVE,
		.want = VEXFS_SLOT_LIVE,
	};
	s->stage = VEXFS_HNSW_WALK;
	s->nbatch = 0;
	vexfs_topk_init(&s->near, s->hits, s->k + VEXFS_SPARE_HITS);
	vexfs_graph_search_begin(&coll->graph, s->ef, all ? NULL : &s->live,
				 s->scratch);
	return 0;
}

static int vexfs_hnsw_step(struct vexfs_coll_searcher *s)
{
	int err;

	switch (s->stage) {
	case VEXFS_HNSW_WALK:
		if (vexfs_graph_search_step(&s->coll->graph, s->scratch))
			return 1;
		s->ncand = vexfs_graph_search_end(s->scratch, s->cand,
						  &s->compared);
		s->ncand = vexfs_hnsw_front(s, s->k, s->ncand);
		err = s->ncand ? vexfs_hnsw_pin(s, 0) : 0;
		if (err || !s->ncand)
			return err;
		vexfs_hnsw_fetch(s);
		s->stage = VEXFS_HNSW_COMPARE;
		return 1;
	default:
		return vexfs_hnsw_compare(s);
	}
}

/* The graph and the tail; -EAGAIN when they hadn't enough. */
static int vexfs_hnsw_end(struct vexfs_coll_searcher *s,
			  struct vexfs_coll_hit *hits, u32 *count)
{
	struct vexfs_topk tail;
	u32 k = s->k;
	int err = 0;

	vexfs_topk_init(&tail, s->hits + s->near.k, s->near.k);
	if (vexfs_hnsw_few(s))
		vexfs_search_finish(s, &s->near);
	else
		err = vexfs_hnsw_exact(s, k, &s->near);
	if (!err)
		err = vexfs_search_tail_rows(s, vexfs_search_limit(&s->near, k),
					     &tail);
	if (err)
		return err;
	*count = vexfs_hits_merge(s->near.hit, s->near.n, tail.hit, tail.n,
				  hits, k);
	return *count < min(k, READ_ONCE(s->coll->live)) ? -EAGAIN : 0;
}

const struct vexfs_index_ops vexfs_hnsw_ops = {
	.sections	= BIT(VEXFS_CK_GRAPH0) | BIT(VEXFS_CK_UPPER) |
			  BIT(VEXFS_CK_CODES),
	.mode		= VEXFS_MODE_GRAPH,
	.holds		= true,
	.init		= vexfs_hnsw_init,
	.free		= vexfs_hnsw_free,
	.reserve	= vexfs_hnsw_reserve,
	.memory		= vexfs_hnsw_memory,
	.add		= vexfs_hnsw_add,
	.group_max	= VEXFS_GROUP_MAX,
	.add_group	= vexfs_hnsw_add_group,
	.sort		= vexfs_hnsw_sort,
	.tend_due	= vexfs_hnsw_tend_due,
	.tend_share	= vexfs_hnsw_tend_share,
	.tend		= vexfs_hnsw_tend,
	.has		= vexfs_hnsw_has,
	.remove		= vexfs_hnsw_remove,
	.arena		= vexfs_hnsw_arena,
	.load		= vexfs_hnsw_load,
	.scan_wins	= vexfs_hnsw_scan_wins,
	.prepare	= vexfs_hnsw_prepare,
	.begin		= vexfs_hnsw_begin,
	.step		= vexfs_hnsw_step,
	.end		= vexfs_hnsw_end,
	.cancel		= vexfs_hnsw_unpin,
};

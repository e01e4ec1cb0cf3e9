// SPDX-License-Identifier: GPL-2.0
/*
 * LSH as the index of a collection: a row is in it when its insert returns.
 * Rows wait only after a crash, while the first batch is taken in, and while
 * all are hashed again because the data have moved away from their centre.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include "coll_search.h"

/* Rows that the centre is computed from. */
#define VEXFS_LSH_SAMPLE	1024u
/* When there are so many times more rows, whether it has moved is looked at. */
#define VEXFS_LSH_GROWTH	16u
/* Per cent of the spread's square that it may have moved. */
#define VEXFS_LSH_MOVED		5u

/*
 * Comparing a row costs a scan as much as the index an eighth of a bucket;
 * below this many rows a scan is always as good.
 */
#define VEXFS_LSH_SCAN_FACTOR	8u
#define VEXFS_LSH_SCAN_MIN	2048u
/* Candidates at most: a share of the rows, and a number. */
#define VEXFS_LSH_MOST_SHARE	3u
#define VEXFS_LSH_MOST		1048576u
/* Times that the angle may turn out to be larger than thought. */
#define VEXFS_LSH_TRIES		6u
/*
 * What is farther apart than so many standard deviations (in quarters) from
 * the mean of the hits isn't compared: one in a hundred.
 */
#define VEXFS_LSH_SIGMAS	10u

static void vexfs_lsh_index_free(struct vexfs_coll *coll)
{
	struct vexfs_indexer *ix = &coll->indexer[0];

	vexfs_lsh_free(&coll->lsh);
	vexfs_coll_pins_free(ix->pins);
	ix->pins = NULL;
}

static int vexfs_lsh_index_init(struct vexfs_coll *coll)
{
	struct vexfs_lsh_config lc = {
		.space = &coll->sp,
		.tables = coll->cfg.lsh_tables,
		.address = coll->cfg.lsh_bits,
		.seed = coll->cfg.seed,
	};
	struct vexfs_indexer *ix = &coll->indexer[0];
	int err;

	if (!lc.address)
		lc.address = VEXFS_LSH_MAX_ADDRESS;
	err = vexfs_lsh_init(&coll->lsh, &lc);
	if (err)
		return err;
	ix->pins = vexfs_coll_pins_alloc(coll, coll->span);
	return ix->pins ? 0 : -ENOMEM;
}

static int vexfs_lsh_index_reserve(struct vexfs_coll *coll, u32 slots)
{
	return vexfs_lsh_reserve(&coll->lsh, slots);
}

static u64 vexfs_lsh_index_memory(const struct vexfs_coll *coll)
{
	return vexfs_lsh_memory(&coll->lsh);
}

static bool vexfs_lsh_index_has(const struct vexfs_coll *coll, u32 slot)
{
	return vexfs_lsh_has(&coll->lsh, slot);
}

static struct vexfs_arena *vexfs_lsh_index_arena(struct vexfs_coll *coll,
						 u32 sect)
{
	return sect == VEXFS_CK_LSH ? &coll->lsh.sketch : &coll->lsh.params;
}

static u32 vexfs_lsh_index_items(const struct vexfs_coll *coll, u32 sect,
				 u32 slots)
{
	return sect == VEXFS_CK_LSH ? slots :
	       vexfs_lsh_param_words(&coll->lsh);
}

/* --------------------------------------------------------------- changes */

/*
 * Takes sem, and with it lsh->lock, with room for @n slots. It may have to
 * wait for searches when there is none.
 */
static int vexfs_lsh_begin(struct vexfs_coll *coll, u32 n)
{
	int err;

	for (;;) {
		down_read(&coll->sem);
		mutex_lock(&coll->lsh.lock);
		if (vexfs_lsh_has_room(&coll->lsh, n))
			return 0;
		mutex_unlock(&coll->lsh.lock);
		up_read(&coll->sem);
		down_write(&coll->sem);
		err = vexfs_lsh_make_room(&coll->lsh, n);
		up_write(&coll->sem);
		if (err)
			return err;
	}
}

static void vexfs_lsh_end(struct vexfs_coll *coll)
{
	mutex_unlock(&coll->lsh.lock);
	up_read(&coll->sem);
}

static u32 vexfs_lsh_index_generation(const struct vexfs_coll *coll)
{
	return READ_ONCE(coll->lsh.generation);
}

/* [write_lock] Rows were written, and aren't live yet. */
static void vexfs_lsh_index_rows(struct vexfs_coll *coll, u32 generation,
				 u32 slot, u32 n, const void *rows)
{
	const void *row[VEXFS_PIN_MAX];
	u32 i;

	for (i = 0; i < n; i++)
		row[i] = rows + (size_t)i * coll->cfg.stride;
	mutex_lock(&coll->lsh.lock);
	if (coll->lsh.generation == generation)
		vexfs_lsh_hash(&coll->lsh, slot, row, n);
	mutex_unlock(&coll->lsh.lock);
}

/*
 * [write_lock] They are about to be live. Those that can't be taken in for
 * want of memory will be waiting.
 */
static void vexfs_lsh_index_enter(struct vexfs_coll *coll, u32 generation,
				  u32 slot, u32 n)
{
	u32 now;

	while (n) {
		now = min(n, VEXFS_INDEX_ROWS);
		if (vexfs_lsh_begin(coll, now))
			return;
		for (; now && coll->lsh.generation == generation; now--, n--)
			vexfs_lsh_add(&coll->lsh, slot++);
		vexfs_lsh_end(coll);
		if (now)
			return;
		cond_resched();
	}
}

static void vexfs_lsh_index_forget(struct vexfs_coll *coll, u32 slot, u32 n)
{
	down_read(&coll->sem);
	mutex_lock(&coll->lsh.lock);
	for (; n; n--)
		vexfs_lsh_forget(&coll->lsh, slot++);
	mutex_unlock(&coll->lsh.lock);
	up_read(&coll->sem);
}

static int vexfs_lsh_index_remove(struct vexfs_coll *coll, u32 slot)
{
	mutex_lock(&coll->lsh.lock);
	vexfs_lsh_remove(&coll->lsh, slot);
	mutex_unlock(&coll->lsh.lock);
	return 0;
}

/* -------------------------------------------------------------- the centre */

/* The first live slot in [slot, end), or end. */
static u32 vexfs_lsh_live(struct vexfs_coll *coll, u32 slot, u32 end)
{
	while (slot < end && !vexfs_coll_is_live(coll, slot))
		slot++;
	return slot;
}

/*
 * Sums of up to VEXFS_LSH_SAMPLE live rows, one of each stretch of slots.
 * [index_lock write, sem]
 */
static int vexfs_lsh_sample(struct vexfs_coll *coll, u64 *sum, u32 *n)
{
	u32 slots = coll->slots, want = min(slots, VEXFS_LSH_SAMPLE);
	u32 i, slot, end;
	struct vexfs_row_pins *pins = coll->indexer[0].pins;
	int err;

	*n = 0;
	for (i = 0; i < want; i++) {
		end = (u32)div_u64((u64)(i + 1) * slots, want);
		slot = vexfs_lsh_live(coll, (u32)div_u64((u64)i * slots, want),
				      end);
		if (slot == end)
			continue;
		err = coll->io->pin_rows(coll->priv, &slot, 1, pins);
		if (err)
			return err;
		vexfs_sample_add(&coll->lsh.pj, pins->row[0], sum,
				 coll->lsh.work);
		coll->io->unpin_rows(coll->priv, pins);
		++*n;
		cond_resched();
	}
	return 0;
}

/* [index_lock write, sem write] Nothing is in the index; all rows wait. */
static void vexfs_lsh_all_wait(struct vexfs_coll *coll)
{
	u32 slot, n = 0;
	u8 f;

	write_lock(&coll->lock);
	coll->pending.head = coll->pending.tail;
	coll->claimed = coll->pending.tail;
	coll->claim_top = coll->pending.tail;
	coll->claim_again = false;
	coll->waiting = 0;
	coll->stale = 0;
	for (slot = 0; slot < coll->slots; slot++) {
		f = vexfs_coll_flags(coll, slot);
		vexfs_coll_set_flags(coll, slot, VEXFS_SLOT_PENDING |
				     VEXFS_SLOT_INDEXED,
				     f & VEXFS_SLOT_LIVE ?
				     VEXFS_SLOT_PENDING : 0);
		if (f & VEXFS_SLOT_LIVE) {
			vexfs_ring_push(&coll->pending, slot);
			coll->waiting++;
		}
		if (++n % 65536)
			continue;
		write_unlock(&coll->lock);
		cond_resched();
		write_lock(&coll->lock);
	}
	coll->unsaved++;
	write_unlock(&coll->lock);
}

/*
 * [index_lock write; write_lock too, when it isn't the first time] Finds the
 * centre, and begins anew when it isn't where it was.
 */
static int vexfs_lsh_train(struct vexfs_coll *coll)
{
	struct vexfs_lsh *lsh = &coll->lsh;
	size_t bytes = (lsh->pj.bits + 2) * sizeof(u64);
	u64 *sum = kvzalloc(bytes, VEXFS_GFP);
	bool again;
	u32 n = 0;
	int err;

	if (!sum)
		return -ENOMEM;
	down_read(&coll->sem);
	mutex_lock(&lsh->lock);
	err = vexfs_lsh_sample(coll, sum, &n);
	mutex_unlock(&lsh->lock);
	up_read(&coll->sem);
	if (err || !n)
		goto out;
	if (lsh->trained &&
	    vexfs_sample_end(&lsh->pj, sum, n, false) < VEXFS_LSH_MOVED) {
		lsh->trained = coll->live;
		goto out;
	}
	err = vexfs_ring_reserve(&coll->pending, coll->live, &coll->lock);
	if (err)
		goto out;
	down_write(&coll->sem);
	mutex_lock(&lsh->lock);
	again = lsh->trained;
	vexfs_lsh_restart(lsh, sum, n, coll->live);
	mutex_unlock(&lsh->lock);
	/* The first time they all do */
	if (again)
		vexfs_lsh_all_wait(coll);
	up_write(&coll->sem);
out:
	kvfree(sum);
	return err;
}

static bool vexfs_lsh_wants_training(const struct vexfs_coll *coll)
{
	u32 trained = coll->lsh.trained;

	return coll->live && (!trained ||
			      coll->live / VEXFS_LSH_GROWTH >= trained);
}

/*
 * [write_lock] After a batch. Where it fails rows wait, and searches find
 * them; it is tried again after the next batch.
 */
static void vexfs_lsh_index_settle(struct vexfs_coll *coll)
{
	if (!vexfs_lsh_wants_training(coll))
		return;
	down_write(&coll->index_lock);
	vexfs_lsh_train(coll);
	up_write(&coll->index_lock);
}

/* [index_lock write, sem] There may be no room any more: an insert took it. */
static int vexfs_lsh_index_add(struct vexfs_coll *coll, u32 slot)
{
	struct vexfs_row_pins *pins = coll->indexer[0].pins;
	struct vexfs_lsh *lsh = &coll->lsh;
	int err;

	err = coll->io->pin_rows(coll->priv, &slot, 1, pins);
	if (err)
		return err;
	mutex_lock(&lsh->lock);
	if (vexfs_lsh_has_room(lsh, 1)) {
		vexfs_lsh_hash(lsh, slot, pins->row, 1);
		vexfs_lsh_add(lsh, slot);
	} else {
		err = -EAGAIN;
	}
	mutex_unlock(&lsh->lock);
	coll->io->unpin_rows(coll->priv, pins);
	return err;
}

/* [index_lock write] Before rows are added: a centre, and room for them. */
static int vexfs_lsh_index_ready(struct vexfs_coll *coll)
{
	int err = 0;

	if (!coll->lsh.trained)
		err = vexfs_lsh_train(coll);
	if (!err)
		err = vexfs_lsh_begin(coll, VEXFS_INDEX_ROWS);
	if (!err)
		vexfs_lsh_end(coll);
	return err;
}

/* -------------------------------------------------------------- checkpoint */

static int vexfs_lsh_index_load(struct vexfs_coll *coll,
				const struct vexfs_ckpt_dir *dir, void *buf)
{
	u32 slot, end;
	int err;
	u8 f;

	err = vexfs_load_arena(coll, VEXFS_CK_LSH_PARAMS, buf);
	if (!err)
		err = vexfs_lsh_load_params(&coll->lsh);
	if (!err)
		err = vexfs_load_arena(coll, VEXFS_CK_LSH, buf);
	for (slot = 0; !err && slot < coll->slots; slot = end) {
		/* Without a centre nothing can have been hashed */
		end = min(coll->slots, slot + VEXFS_INDEX_ROWS);
		err = vexfs_lsh_begin(coll, VEXFS_INDEX_ROWS);
		if (err)
			break;
		for (; slot < end; slot++) {
			f = vexfs_coll_flags(coll, slot);
			if (!(f & VEXFS_SLOT_INDEXED))
				continue;
			if (coll->lsh.trained)
				vexfs_lsh_add(&coll->lsh, slot);
			else
				err = -EFSCORRUPTED;
		}
		vexfs_lsh_end(coll);
		cond_resched();
	}
	return err;
}

/* ------------------------------------------------------------------ search */

static bool vexfs_lsh_index_scan_wins(struct vexfs_coll *coll, u32 live, u32 ef)
{
	return live <= VEXFS_LSH_SCAN_MIN || live / VEXFS_LSH_SCAN_FACTOR <= ef;
}

static int vexfs_lsh_index_prepare(struct vexfs_coll_searcher *s, u32 ef,
				   struct vexfs_query **query)
{
	if (!s->lsh)
		s->lsh = vexfs_lsh_scratch_alloc(&s->coll->lsh);
	return s->lsh ? 0 : -ENOMEM;
}

/* How many bits the hits differ in: mean and variance. */
static void vexfs_lsh_hits(const struct vexfs_coll_searcher *s,
			   const struct vexfs_topk *top, u32 *mean, u32 *var)
{
	u64 sum = 0, squares = 0;
	u32 i, d, step = top->n / 64 + 1, n = 0;

	for (i = 0; i < top->n; i += step, n++) {
		d = vexfs_lsh_apart(&s->coll->lsh, s->lsh, top->hit[i].slot);
		sum += d;
		squares += (u64)d * d;
	}
	*mean = (u32)div_u64(sum, n);
	*var = (u32)div_u64(squares - div_u64(sum * sum, n), n);
}

/* Candidates that are farther apart than this are not compared. */
static u32 vexfs_lsh_limit(const struct vexfs_coll_searcher *s,
			   const struct vexfs_topk *top)
{
	u32 mean, var;

	if (top->n < top->k)
		return ~0u;
	vexfs_lsh_hits(s, top, &mean, &var);
	var = max(var, vexfs_lsh_variance(s->lsh));
	return mean + VEXFS_LSH_SIGMAS * int_sqrt64(16 * (u64)var) / 16;
}

/* Compares candidates in order while they may be hits. */
static int vexfs_lsh_compare(struct vexfs_coll_searcher *s,
			     struct vexfs_topk *top)
{
	struct vexfs_lsh_cand cand[VEXFS_PIN_MAX];
	u32 i, n;
	int err;

	for (;;) {
		n = vexfs_lsh_next(s->lsh, vexfs_lsh_limit(s, top), cand,
				   min(s->coll->span, 32u));
		if (!n)
			return 0;
		s->nbatch = 0;
		for (i = 0, err = 0; !err && i < n; i++)
			err = vexfs_search_slot(s, cand[i].slot, top);
		if (!err)
			err = vexfs_search_batch(s, top);
		if (err)
			return err;
	}
}

/* The angle at which neighbours are is learnt from those that were found. */
static int vexfs_lsh_rounds(struct vexfs_coll_searcher *s,
			    struct vexfs_topk *top, u32 most)
{
	struct vexfs_lsh *lsh = &s->coll->lsh;
	u32 apart = READ_ONCE(lsh->near), mean, var, i;
	int err;

	for (i = 0; i < VEXFS_LSH_TRIES; i++) {
		err = vexfs_lsh_probe(lsh, s->lsh, apart,
				      s->coll->cfg.lsh_recall, most);
		if (!err)
			err = vexfs_lsh_compare(s, top);
		if (err)
			return err;
		if (top->n < top->k) {
			apart += max(apart / 4, 1u);
			continue;
		}
		vexfs_lsh_hits(s, top, &mean, &var);
		if (mean <= apart) {
			WRITE_ONCE(lsh->near, (lsh->near * 7 + mean) / 8);
			return 0;
		}
		apart = mean;
	}
	return 0;
}

/* The tables, and the rows that wait; -EAGAIN when a scan is better. */
static int vexfs_lsh_index_search(struct vexfs_coll_searcher *s, u32 k, u32 ef,
				  struct vexfs_coll_hit *hits, u32 *count)
{
	struct vexfs_coll *coll = s->coll;
	u32 live = READ_ONCE(coll->live);
	u32 most = min(live / VEXFS_LSH_MOST_SHARE, VEXFS_LSH_MOST);
	struct vexfs_topk near, tail;
	int err;

	err = vexfs_search_room(&s->hits, &s->hits_cap,
				2 * (ef + VEXFS_SPARE_HITS), sizeof(*s->hits));
	if (!err)
		err = vexfs_search_tail(s);
	if (!err)
		err = vexfs_lsh_query(&coll->lsh, s->row, s->lsh);
	if (err)
		return err;
	vexfs_topk_init(&near, s->hits, ef);
	vexfs_topk_init(&tail, s->hits + ef + VEXFS_SPARE_HITS, ef);
	err = vexfs_lsh_rounds(s, &near, most);
	if (!err)
		err = vexfs_search_exact(s, &near);
	if (!err) {
		vexfs_search_finish(s, &near);
		err = vexfs_search_tail_rows(s, vexfs_search_limit(&near, k),
					     &tail);
	}
	if (err)
		return err == -E2BIG ? -EAGAIN : err;
	*count = vexfs_hits_merge(near.hit, near.n, tail.hit, tail.n, hits, k);
	return *count < min(k, live) ? -EAGAIN : 0;
}

const struct vexfs_index_ops vexfs_lsh_ops = {
	.sections	= BIT(VEXFS_CK_LSH) | BIT(VEXFS_CK_LSH_PARAMS),
	.mode		= VEXFS_MODE_LSH,
	.holds		= true,
	.serial		= true,
	.generation	= vexfs_lsh_index_generation,
	.init		= vexfs_lsh_index_init,
	.free		= vexfs_lsh_index_free,
	.reserve	= vexfs_lsh_index_reserve,
	.memory		= vexfs_lsh_index_memory,
	.rows		= vexfs_lsh_index_rows,
	.enter		= vexfs_lsh_index_enter,
	.forget		= vexfs_lsh_index_forget,
	.settle		= vexfs_lsh_index_settle,
	.ready		= vexfs_lsh_index_ready,
	.add		= vexfs_lsh_index_add,
	.has		= vexfs_lsh_index_has,
	.remove		= vexfs_lsh_index_remove,
	.arena		= vexfs_lsh_index_arena,
	.items		= vexfs_lsh_index_items,
	.load		= vexfs_lsh_index_load,
	.scan_wins	= vexfs_lsh_index_scan_wins,
	.prepare	= vexfs_lsh_index_prepare,
	.search		= vexfs_lsh_index_search,
};

// SPDX-License-Identifier: GPL-2.0
/*
 * The ioctls that read a collection: search, get, iterate. They write nothing
 * and work on a read-only mount. What they find is gathered in a buffer under
 * the core's read lock and copied to the user without it.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include <linux/ktime.h>
#include <linux/sched/signal.h>

#include "collection.h"
#include "simd/simd.h"
#include "stats.h"

/* A hit of the core becomes one of the ABI where it lies. */
static_assert(sizeof(struct vexfs_hit) == sizeof(struct vexfs_coll_hit));
static_assert(offsetof(struct vexfs_hit, id) ==
	      offsetof(struct vexfs_coll_hit, id));
static_assert(offsetof(struct vexfs_hit, distance) ==
	      offsetof(struct vexfs_coll_hit, key));
static_assert(offsetof(struct vexfs_hit, reserved) ==
	      offsetof(struct vexfs_coll_hit, slot));

/* A range of user memory that the address space can't hold is -EFAULT. */
static int vexfs_user_range(u64 start, u64 n, u64 size)
{
	u64 len, end;

	if (check_mul_overflow(n, size, &len) ||
	    check_add_overflow(start, len, &end) ||
	    !access_ok(u64_to_user_ptr(start), len))
		return -EFAULT;
	return 0;
}

/* --------------------------------------------------------------- search */

static struct vexfs_coll_searcher *
vexfs_searcher_get(struct vexfs_collection *c)
{
	struct vexfs_coll_searcher *s = NULL;

	spin_lock(&c->searcher_lock);
	if (c->nsearchers)
		s = c->searchers[--c->nsearchers];
	spin_unlock(&c->searcher_lock);
	if (s)
		return s;
	s = vexfs_coll_searcher_alloc(c->core);
	return s ? s : ERR_PTR(-ENOMEM);
}

static void vexfs_searcher_put(struct vexfs_collection *c,
			       struct vexfs_coll_searcher *s)
{
	spin_lock(&c->searcher_lock);
	if (c->nsearchers < VEXFS_COLL_SEARCHERS) {
		c->searchers[c->nsearchers++] = s;
		s = NULL;
	}
	spin_unlock(&c->searcher_lock);
	if (s)
		vexfs_coll_searcher_free(s);
}

/* A search call: up to @batch queries at a time come in, and their hits go out */
struct vexfs_search_call {
	struct vexfs_search	*a;
	struct vexfs_coll_searcher *searcher;
	u32			row_bytes;
	u32			stride;
	u32			batch;
	unsigned int		flags;
	void			*queries;
	struct vexfs_coll_hit	*hits;
	struct vexfs_coll_result *results;
};

static int vexfs_search_queries(struct vexfs_search_call *sc, u32 first, u32 n)
{
	u64 from = sc->a->queries + (u64)first * sc->stride;
	void *to = sc->queries;
	u32 i;

	if (sc->stride == sc->row_bytes) {
		if (copy_from_user(to, u64_to_user_ptr(from),
				   (size_t)n * sc->row_bytes))
			return -EFAULT;
		return 0;
	}
	for (i = 0; i < n; i++, from += sc->stride, to += sc->row_bytes)
		if (copy_from_user(to, u64_to_user_ptr(from), sc->row_bytes))
			return -EFAULT;
	return 0;
}

/* Hits become those of the ABI, and what is missing of k is zeroed. */
static void vexfs_search_convert(struct vexfs_coll_hit *hits, u32 count, u32 k)
{
	struct vexfs_hit *out = (struct vexfs_hit *)hits;
	u32 j;

	for (j = 0; j < count; j++) {
		out[j].distance = vexfs_key_to_bits(hits[j].key);
		out[j].reserved = 0;
	}
	if (count < k)
		memset(out + count, 0, (k - count) * sizeof(*out));
}

/* Hits of queries [first, first + n), which are the batch: in one piece. */
static int vexfs_search_results(struct vexfs_search_call *sc, u32 first, u32 n)
{
	u32 __user *counts = u64_to_user_ptr(sc->a->counts);
	const u32 k = sc->a->k;
	u32 i;

	for (i = 0; i < n; i++)
		vexfs_search_convert(sc->hits + (size_t)i * k,
				     sc->results[i].count, k);
	if (copy_to_user((struct vexfs_hit __user *)
			 u64_to_user_ptr(sc->a->hits) + (size_t)first * k,
			 sc->hits, (size_t)n * k * sizeof(*sc->hits)))
		return -EFAULT;
	for (i = 0; counts && i < n; i++)
		if (put_user(sc->results[i].count, counts + first + i))
			return -EFAULT;
	return 0;
}

static enum vexfs_stat vexfs_search_stat(u32 mode)
{
	return mode == VEXFS_MODE_GRAPH ? VEXFS_STAT_SEARCH_GRAPH :
	       mode == VEXFS_MODE_LSH ? VEXFS_STAT_SEARCH_LSH :
					VEXFS_STAT_SEARCH_SCAN;
}

/* Each of a batch takes its share of the time. */
static void vexfs_search_account(struct vexfs_search_call *sc, u32 n, u64 start)
{
	u64 share = div_u64(ktime_get_ns() - start, n), compared = 0, hits = 0;
	const struct vexfs_coll_result *res = sc->results;
	u32 i, same = 0;

	for (i = 0; i < n; i++, res++) {
		compared += res->compared;
		hits += res->count;
		same++;
		if (i + 1 < n && res[1].mode == res->mode)
			continue;
		vexfs_stat_add(vexfs_search_stat(res->mode), same);
		sc->a->mode = res->mode;
		same = 0;
	}
	sc->a->compared += compared;
	vexfs_lat_note_all(VEXFS_LAT_SEARCH, share, n);
	vexfs_stat_add(VEXFS_STAT_SEARCH_HITS, hits);
	vexfs_stat_add(VEXFS_STAT_SEARCH_COMPARED, compared);
}

/* Queries [first, first + n). */
static int vexfs_search_batch(struct vexfs_search_call *sc, u32 first, u32 n)
{
	u64 start;
	int err;

	err = vexfs_search_queries(sc, first, n);
	if (err)
		return err;
	start = ktime_get_ns();
	err = vexfs_coll_search_many(sc->searcher, sc->queries, n, sc->a->k,
				     sc->a->ef, sc->flags, sc->hits,
				     sc->results);
	if (err)
		return err;
	vexfs_search_account(sc, n, start);
	return vexfs_search_results(sc, first, n);
}

static int vexfs_search_all(struct vexfs_search_call *sc)
{
	u32 first, n;
	int err;

	for (first = 0; first < sc->a->nqueries; first += n) {
		if (fatal_signal_pending(current))
			return -EINTR;
		n = min(sc->batch, sc->a->nqueries - first);
		err = vexfs_search_batch(sc, first, n);
		if (err)
			return err;
		cond_resched();
	}
	return 0;
}

static int vexfs_search_check(const struct vexfs_search *a, u32 row_bytes)
{
	u32 stride = a->stride ? a->stride : row_bytes;
	int err;

	if (a->filter || a->reserved0 ||
	    memchr_inv(a->reserved, 0, sizeof(a->reserved)))
		return -EINVAL;
	if (!a->nqueries || a->nqueries > VEXFS_QUERIES_MAX ||
	    !a->k || a->k > VEXFS_K_MAX || a->ef > VEXFS_EF_MAX ||
	    (u64)a->nqueries * a->k > VEXFS_RESULTS_MAX || stride < row_bytes)
		return -EINVAL;
	/* The last query needn't be followed by padding. */
	err = vexfs_user_range(a->queries,
			       (u64)(a->nqueries - 1) * stride + row_bytes, 1);
	if (!err)
		err = vexfs_user_range(a->hits, (u64)a->nqueries * a->k,
				       sizeof(struct vexfs_hit));
	if (!err && a->counts)
		err = vexfs_user_range(a->counts, a->nqueries, sizeof(u32));
	return err;
}

int vexfs_ioc_search(struct file *file, struct vexfs_collection *c, void *arg)
{
	struct vexfs_search *a = arg;
	struct vexfs_search_call sc = {
		.a		= a,
		.row_bytes	= c->cfg.row_bytes,
		.stride		= a->stride ? a->stride : c->cfg.row_bytes,
		.flags		= a->flags & VEXFS_SEARCH_EXACT ?
				  VEXFS_COLL_EXACT : 0,
	};
	int err;

	err = vexfs_search_check(a, sc.row_bytes);
	if (err)
		return err;
	a->mode = 0;
	a->compared = 0;
	sc.searcher = vexfs_searcher_get(c);
	if (IS_ERR(sc.searcher))
		return PTR_ERR(sc.searcher);
	sc.batch = vexfs_coll_search_most(sc.searcher, a->nqueries, a->k, a->ef,
					  sc.flags);
	sc.queries = vexfs_coll_bounce_alloc(&sc.batch, sc.row_bytes);
	sc.hits = kvmalloc_array((size_t)sc.batch * a->k, sizeof(*sc.hits),
				 GFP_KERNEL_ACCOUNT);
	sc.results = kvmalloc_array(sc.batch, sizeof(*sc.results),
				    GFP_KERNEL_ACCOUNT);
	err = -ENOMEM;
	if (sc.queries && sc.hits && sc.results)
		err = vexfs_search_all(&sc);
	kvfree(sc.results);
	kvfree(sc.hits);
	kvfree(sc.queries);
	vexfs_searcher_put(c, sc.searcher);
	if (err)
		return err;
	file_accessed(file);
	vexfs_stat_add(VEXFS_STAT_SEARCH_CALLS, 1);
	vexfs_stat_add(VEXFS_STAT_SEARCH_QUERIES, a->nqueries);
	vexfs_stat_add(VEXFS_STAT_SEARCH_BYTES,
		       (u64)a->nqueries * a->k * sizeof(struct vexfs_hit));
	return 0;
}

/* ------------------------------------------------------------------ get */

/*
 * The row of @slot into @to. A delete may scrub it meanwhile: whether @id is
 * still there is asked again afterwards. Read lock held, so that the slot is
 * not handed out again.
 */
static int vexfs_read_row(struct vexfs_collection *c, u64 id, u32 slot,
			  void *to)
{
	u32 now;
	int err;

	err = vexfs_kernel_read(c->inode, to, c->cfg.row_bytes,
				(loff_t)slot * c->cfg.stride);
	if (err)
		return err;
	err = vexfs_coll_find(c->core, id, &now);
	if (!err && now != slot)
		err = -ENOENT;
	return err;
}

/* Up to @batch ids at a time: ids in, rows and flags out. */
struct vexfs_get_call {
	struct vexfs_get *a;
	u32	batch;
	u64	*ids;
	u8	*found;
	void	*rows;
};

static int vexfs_get_one(struct vexfs_collection *c, struct vexfs_get_call *gc,
			 u32 i)
{
	void *row = gc->rows + (size_t)i * c->cfg.row_bytes;
	u32 slot;
	int err;

	err = vexfs_coll_find(c->core, gc->ids[i], &slot);
	if (!err && gc->a->vectors)
		err = vexfs_read_row(c, gc->ids[i], slot, row);
	if (err && err != -ENOENT)
		return err;
	gc->found[i] = !err;
	gc->a->nfound += !err;
	if (err && gc->a->vectors)
		memset(row, 0, c->cfg.row_bytes);
	return 0;
}

static int vexfs_get_batch(struct vexfs_collection *c,
			   struct vexfs_get_call *gc, u32 first, u32 n)
{
	const struct vexfs_get *a = gc->a;
	u32 row_bytes = c->cfg.row_bytes, i;
	int err = 0;

	if (copy_from_user(gc->ids, u64_to_user_ptr(a->ids) +
			   (u64)first * sizeof(u64), n * sizeof(u64)))
		return -EFAULT;
	vexfs_coll_read_lock(c->core);
	for (i = 0; i < n && !err; i++)
		err = vexfs_get_one(c, gc, i);
	vexfs_coll_read_unlock(c->core);
	if (err)
		return err;
	if (a->vectors && copy_to_user(u64_to_user_ptr(a->vectors) +
				       (u64)first * row_bytes, gc->rows,
				       (size_t)n * row_bytes))
		return -EFAULT;
	if (a->found && copy_to_user(u64_to_user_ptr(a->found) + first,
				     gc->found, n))
		return -EFAULT;
	return 0;
}

static int vexfs_get_all(struct vexfs_collection *c, struct vexfs_get_call *gc)
{
	u32 first, n;
	int err;

	for (first = 0; first < gc->a->count; first += n) {
		if (fatal_signal_pending(current))
			return -EINTR;
		n = min(gc->batch, gc->a->count - first);
		err = vexfs_get_batch(c, gc, first, n);
		if (err)
			return err;
		cond_resched();
	}
	return 0;
}

static int vexfs_get_check(const struct vexfs_get *a, u32 row_bytes)
{
	int err;

	if (a->columns || memchr_inv(a->reserved, 0, sizeof(a->reserved)) ||
	    !a->count || a->count > VEXFS_BATCH_MAX)
		return -EINVAL;
	if (!a->ids)
		return -EFAULT;
	err = vexfs_user_range(a->ids, a->count, sizeof(u64));
	if (!err && a->vectors)
		err = vexfs_user_range(a->vectors, a->count, row_bytes);
	if (!err && a->found)
		err = vexfs_user_range(a->found, a->count, 1);
	return err;
}

int vexfs_ioc_get(struct file *file, struct vexfs_collection *c, void *arg)
{
	struct vexfs_get *a = arg;
	struct vexfs_get_call gc = { .a = a, .batch = a->count };
	int err;

	err = vexfs_get_check(a, c->cfg.row_bytes);
	if (err)
		return err;
	a->nfound = 0;
	gc.rows = vexfs_coll_bounce_alloc(&gc.batch, a->vectors ?
					  c->cfg.row_bytes : sizeof(u64));
	gc.ids = kvmalloc_array(gc.batch, sizeof(u64), GFP_KERNEL_ACCOUNT);
	gc.found = kvmalloc(gc.batch, GFP_KERNEL_ACCOUNT);
	err = -ENOMEM;
	if (gc.rows && gc.ids && gc.found)
		err = vexfs_get_all(c, &gc);
	kvfree(gc.found);
	kvfree(gc.ids);
	kvfree(gc.rows);
	if (err)
		return err;
	file_accessed(file);
	vexfs_stat_add(VEXFS_STAT_GET_CALLS, 1);
	vexfs_stat_add(VEXFS_STAT_GET_VECTORS, a->nfound);
	return 0;
}

/* -------------------------------------------------------------- iterate */

/* The cursor is the slot to go on with. */
struct vexfs_iterate_call {
	struct vexfs_iterate *a;
	u32	batch;
	u64	*ids;
	void	*rows;
};

/* Gathers up to @max from *slot on; returns how many, 0 at the end. */
static int vexfs_iterate_gather(struct vexfs_collection *c,
				struct vexfs_iterate_call *ic, u64 *cursor,
				u32 max)
{
	u32 row_bytes = c->cfg.row_bytes, n = 0, slot = *cursor;
	u64 id;
	int err = 0;

	vexfs_coll_read_lock(c->core);
	while (n < max && vexfs_coll_next(c->core, &slot, &id)) {
		if (ic->a->vectors)
			err = vexfs_read_row(c, id, slot, ic->rows +
					     (size_t)n * row_bytes);
		if (err && err != -ENOENT)
			break;
		if (!err)
			ic->ids[n++] = id;
		err = 0;
		slot++;
	}
	vexfs_coll_read_unlock(c->core);
	*cursor = slot;
	return err ? err : n;
}

static int vexfs_iterate_all(struct vexfs_collection *c,
			     struct vexfs_iterate_call *ic)
{
	struct vexfs_iterate *a = ic->a;
	u32 row_bytes = c->cfg.row_bytes;
	int n;

	while (a->count < a->max) {
		if (fatal_signal_pending(current))
			return -EINTR;
		n = vexfs_iterate_gather(c, ic, &a->cursor,
					 min(ic->batch, a->max - a->count));
		if (n <= 0)
			return n;
		if (copy_to_user(u64_to_user_ptr(a->ids) +
				 (u64)a->count * sizeof(u64), ic->ids,
				 n * sizeof(u64)))
			return -EFAULT;
		if (a->vectors &&
		    copy_to_user(u64_to_user_ptr(a->vectors) +
				 (u64)a->count * row_bytes, ic->rows,
				 (size_t)n * row_bytes))
			return -EFAULT;
		a->count += n;
		cond_resched();
	}
	return 0;
}

static int vexfs_iterate_check(const struct vexfs_iterate *a, u32 row_bytes)
{
	int err;

	if (a->columns || memchr_inv(a->reserved, 0, sizeof(a->reserved)) ||
	    !a->max || a->max > VEXFS_BATCH_MAX || a->cursor > VEXFS_MAX_SLOTS)
		return -EINVAL;
	if (!a->ids)
		return -EFAULT;
	err = vexfs_user_range(a->ids, a->max, sizeof(u64));
	if (!err && a->vectors)
		err = vexfs_user_range(a->vectors, a->max, row_bytes);
	return err;
}

int vexfs_ioc_iterate(struct file *file, struct vexfs_collection *c, void *arg)
{
	struct vexfs_iterate *a = arg;
	struct vexfs_iterate_call ic = { .a = a, .batch = a->max };
	int err;

	err = vexfs_iterate_check(a, c->cfg.row_bytes);
	if (err)
		return err;
	a->count = 0;
	ic.rows = vexfs_coll_bounce_alloc(&ic.batch, a->vectors ?
					  c->cfg.row_bytes : sizeof(u64));
	ic.ids = kvmalloc_array(ic.batch, sizeof(u64), GFP_KERNEL_ACCOUNT);
	err = -ENOMEM;
	if (ic.rows && ic.ids)
		err = vexfs_iterate_all(c, &ic);
	kvfree(ic.ids);
	kvfree(ic.rows);
	if (err)
		return err;
	file_accessed(file);
	vexfs_stat_add(VEXFS_STAT_ITERATE_CALLS, 1);
	vexfs_stat_add(VEXFS_STAT_ITERATE_VECTORS, a->count);
	return 0;
}

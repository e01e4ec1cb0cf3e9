/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Candidates of a traversal: the pool, sorted, whose nearest are expanded, and
 * the rest, which a new node chooses its links among as well, in any order.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#ifndef _VEXFS_HNSW_POOL_H
#define _VEXFS_HNSW_POOL_H

#include "hnsw_priv.h"

static inline bool vexfs_passes(const struct vexfs_graph_filter *f, u32 slot)
{
	if (f->flags) {
		const u8 *flags = vexfs_arena_item(f->flags, slot);

		if ((READ_ONCE(*flags) & f->mask) != f->want)
			return false;
	}
	return !f->accept || f->accept(f->priv, slot);
}

static inline void vexfs_rest_none(struct vexfs_graph_scratch *s)
{
	s->nrest = 0;
	s->rest_want = 0;
	s->rest_bound = 0;
}

/*
 * From now on the @want nearest of what the pool doesn't take, or no longer,
 * are kept in @cands; they are the first @nrest of it after vexfs_rest_cut().
 */
static inline void vexfs_rest_want(struct vexfs_graph_scratch *s, u32 want)
{
	s->nrest = 0;
	s->rest_want = want;
	s->rest_bound = want ? U64_MAX : 0;
}

/* There is room for two batches after vexfs_rest_trim(). */
static __always_inline void vexfs_rest_add(struct vexfs_graph_scratch *s,
					   u64 cand, bool add)
{
	s->cands[s->nrest] = cand;
	s->nrest += add & (cand < s->rest_bound);
}

static __always_inline void vexfs_rest_trim(struct vexfs_graph_scratch *s)
{
	if (s->nrest > s->cand_room - 2 * VEXFS_BATCH - 1)
		vexfs_rest_cut(s);
}

/*
 * Where @cand belongs among those before it in the order. Halves without a
 * branch: which way it goes is a coin toss.
 */
static __always_inline u32 vexfs_pool_find(const u64 *pool, u32 n, u64 cand)
{
	const u64 *at = pool;
	u32 half;

	for (; n > 1; n -= half) {
		half = n / 2;
		at += half & -(u32)(at[half - 1] < cand);
	}
	return (u32)(at - pool) + (n && *at < cand);
}

#define VEXFS_POOL_FEW		24u

/* Drops the last one. */
static __always_inline void vexfs_pool_pop(struct vexfs_graph_scratch *s)
{
	u64 cand = s->pool[--s->n];

	s->ok -= !(cand & VEXFS_CAND_OTHER);
	if (s->rest_want)
		vexfs_rest_add(s, cand, true);
}

/*
 * Moves those from @at on by one. They are some ten, mostly: word by word they
 * are moved sooner than by a call, and the kernel's memmove() is for more.
 */
static __always_inline void vexfs_pool_open(u64 *pool, u32 at, u32 n)
{
	u32 i;

	if (n - at > VEXFS_POOL_FEW) {
		memmove(pool + at + 1, pool + at, (n - at) * sizeof(*pool));
		return;
	}
	for (i = n; i > at; i--) {
		/* Else compilers would make a call of it. */
		barrier();
		pool[i] = pool[i - 1];
	}
}

/*
 * Puts a candidate into the pool, which keeps the ef nearest results and
 * the others among them; returns its place, or ~0. Once there are ef results
 * the last in the pool is one.
 */
static __always_inline u32
vexfs_pool_add(struct vexfs_graph_scratch *s, u32 ef,
	       const struct vexfs_graph_filter *filter, u64 cand)
{
	u32 at, slot;

	if ((s->ok == ef || s->n == s->room) && cand >= s->pool[s->n - 1]) {
		if (s->rest_want)
			vexfs_rest_add(s, cand, true);
		return ~0u;
	}
	slot = vexfs_cand_slot(cand);
	if (filter && !vexfs_passes(filter, vexfs_walk_slot(s, slot)))
		cand |= VEXFS_CAND_OTHER;
	if (s->n == s->room)
		vexfs_pool_pop(s);
	at = vexfs_pool_find(s->pool, s->n, cand);
	vexfs_pool_open(s->pool, at, s->n);
	s->pool[at] = cand;
	s->n++;
	s->ok += !(cand & VEXFS_CAND_OTHER);
	while (s->ok > ef || (s->ok == ef &&
			      (s->pool[s->n - 1] & VEXFS_CAND_OTHER)))
		vexfs_pool_pop(s);
	return at;
}

/* So few are put in order without a branch that depends on what they are. */
#define VEXFS_ORDER_FEW		8u

static __always_inline void vexfs_pool_order(u64 *cand, u32 n)
{
	u64 few[VEXFS_ORDER_FEW];
	u32 i, j, before;

	if (n > VEXFS_ORDER_FEW) {
		vexfs_sort_cands(cand, n);
		return;
	}
	for (i = 0; i < n; i++)
		few[i] = cand[i];
	for (i = 0; i < n; i++) {
		for (j = 0, before = 0; j < n; j++)
			before += few[j] < few[i];
		cand[before] = few[i];
	}
}

/*
 * From so many on in the pool and in the batch, moving what is in the pool once
 * saves more than order among the new ones takes.
 */
#define VEXFS_MERGE_POOL	48u
#define VEXFS_MERGE_LEAST	4u

/*
 * Puts the @n candidates of the batch into a pool without a filter and without
 * a rest, as vexfs_pool_add() would one by one, but what is in the pool moves
 * once. Returns the place of the first. The batch is in order then, and what
 * was in its batch_key is overwritten.
 */
static __always_inline u32 vexfs_pool_merge(struct vexfs_graph_scratch *s,
					    u32 ef, u32 n)
{
	u64 *cand = s->batch_cand, *pool = s->pool;
	u32 i, j, at, end = s->n, *place = s->batch_key;

	vexfs_pool_order(cand, n);
	for (i = 0; i < n; i++)
		place[i] = vexfs_pool_find(pool, end, cand[i]);
	for (i = n; i-- > 0; end = at) {
		at = place[i];
		for (j = end; j > at; j--)
			pool[j + i] = pool[j - 1];
		pool[at + i] = cand[i];
	}
	s->n = min(s->n + n, ef);
	s->ok = s->n;
	return end;
}

/* One that is no node any more. */
static inline void vexfs_pool_drop(struct vexfs_graph_scratch *s, u32 at)
{
	s->ok -= !(s->pool[at] & VEXFS_CAND_OTHER);
	s->n--;
	memmove(s->pool + at, s->pool + at + 1,
		(s->n - at) * sizeof(*s->pool));
}

#endif /* _VEXFS_HNSW_POOL_H */

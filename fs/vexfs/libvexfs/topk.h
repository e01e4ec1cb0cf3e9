/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The k nearest of any number of candidates, and what becomes of two such
 * lists. Nearer is the smaller key, among equal keys the smaller id.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#ifndef _VEXFS_TOPK_H
#define _VEXFS_TOPK_H

#include "coll.h"

/* True when a is nearer than b. */
static inline bool vexfs_hit_before(const struct vexfs_coll_hit *a,
				    const struct vexfs_coll_hit *b)
{
	return a->key != b->key ? a->key < b->key : a->id < b->id;
}

/* A heap with the farthest on top, in memory that the caller provides. */
struct vexfs_topk {
	struct vexfs_coll_hit *hit;
	u32	k;
	u32	n;
};

/* @hit has room for @k. */
static inline void vexfs_topk_init(struct vexfs_topk *t,
				   struct vexfs_coll_hit *hit, u32 k)
{
	t->hit = hit;
	t->k = k;
	t->n = 0;
}

/*
 * Keys above this one can't get in: worth a look before anything else about
 * the candidate is looked up. ~0 while there is room.
 */
static inline u32 vexfs_topk_bound(const struct vexfs_topk *t)
{
	return t->n < t->k ? ~0u : t->k ? t->hit[0].key : 0;
}

/* Returns whether it got in. Offer each candidate once. */
bool vexfs_topk_push(struct vexfs_topk *t, u32 key, u64 id, u32 slot);

/* Sorts any hits by key and id. */
void vexfs_hits_sort(struct vexfs_coll_hit *hit, u32 n);

/*
 * Merges two sorted lists into @out, which overlaps neither and has room for
 * @k. What is in both with the same key is taken once. Returns how many there
 * are, at most @k.
 */
u32 vexfs_hits_merge(const struct vexfs_coll_hit *a, u32 na,
		     const struct vexfs_coll_hit *b, u32 nb,
		     struct vexfs_coll_hit *out, u32 k);

/*
 * Leaves of hits with the same id the one at the smallest key, whatever order
 * they come in; the rest is sorted by key and id. Returns how many are left.
 */
u32 vexfs_hits_dedup(struct vexfs_coll_hit *hit, u32 n);

#endif /* _VEXFS_TOPK_H */

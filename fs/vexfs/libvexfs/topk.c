// SPDX-License-Identifier: GPL-2.0
/*
 * Bounded lists of the nearest. Everything is done in place: a heap of k
 * becomes the sorted result without other memory.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include "topk.h"

/* The two orders: by key and id for results, by id and key to find doubles. */
static __always_inline bool hit_less(const struct vexfs_coll_hit *a,
				     const struct vexfs_coll_hit *b,
				     const bool by_id)
{
	if (by_id && a->id != b->id)
		return a->id < b->id;
	return vexfs_hit_before(a, b);
}

/* Moves @item down from the hole at @i in a heap of @n, largest on top. */
static __always_inline void sift_down(struct vexfs_coll_hit *hit, u32 n, u32 i,
				      struct vexfs_coll_hit item,
				      const bool by_id)
{
	u32 child;

	while ((child = 2 * i + 1) < n) {
		if (child + 1 < n &&
		    hit_less(hit + child, hit + child + 1, by_id))
			child++;
		if (!hit_less(&item, hit + child, by_id))
			break;
		hit[i] = hit[child];
		i = child;
	}
	hit[i] = item;
}

static void sift_up(struct vexfs_coll_hit *hit, u32 i,
		    struct vexfs_coll_hit item)
{
	u32 parent;

	for (; i; i = parent) {
		parent = (i - 1) / 2;
		if (!vexfs_hit_before(hit + parent, &item))
			break;
		hit[i] = hit[parent];
	}
	hit[i] = item;
}

/* A heap becomes sorted. */
static __always_inline void heap_sort(struct vexfs_coll_hit *hit, u32 n,
				      const bool by_id)
{
	struct vexfs_coll_hit last;

	while (n > 1) {
		last = hit[--n];
		hit[n] = hit[0];
		sift_down(hit, n, 0, last, by_id);
	}
}

static __always_inline void sort_hits(struct vexfs_coll_hit *hit, u32 n,
				      const bool by_id)
{
	u32 i;

	for (i = n / 2; i-- > 0;)
		sift_down(hit, n, i, hit[i], by_id);
	heap_sort(hit, n, by_id);
}

bool vexfs_topk_push(struct vexfs_topk *t, u32 key, u64 id, u32 slot)
{
	struct vexfs_coll_hit item = { .id = id, .key = key, .slot = slot };

	if (t->n < t->k) {
		sift_up(t->hit, t->n++, item);
		return true;
	}
	if (!t->k || !vexfs_hit_before(&item, t->hit))
		return false;
	sift_down(t->hit, t->n, 0, item, false);
	return true;
}

void vexfs_hits_sort(struct vexfs_coll_hit *hit, u32 n)
{
	sort_hits(hit, n, false);
}

u32 vexfs_hits_merge(const struct vexfs_coll_hit *a, u32 na,
		     const struct vexfs_coll_hit *b, u32 nb,
		     struct vexfs_coll_hit *out, u32 k)
{
	const struct vexfs_coll_hit *next;
	u32 n = 0;

	while (n < k && (na || nb)) {
		if (!nb || (na && !vexfs_hit_before(b, a))) {
			next = a++;
			na--;
		} else {
			next = b++;
			nb--;
		}
		if (!n || out[n - 1].key != next->key ||
		    out[n - 1].id != next->id)
			out[n++] = *next;
	}
	return n;
}

u32 vexfs_hits_dedup(struct vexfs_coll_hit *hit, u32 n)
{
	u32 i, left = 0;

	sort_hits(hit, n, true);
	for (i = 0; i < n; i++)
		if (!left || hit[left - 1].id != hit[i].id)
			hit[left++] = hit[i];
	sort_hits(hit, left, false);
	return left;
}

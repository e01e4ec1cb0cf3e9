// SPDX-License-Identifier: GPL-2.0
/*
 * When many rows wait for the index, they are put into an order in which near
 * ones follow each other, so that it can take them in by groups: from some of
 * them as leaders each row goes to the nearest, and so on within the parts.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include "coll_priv.h"

/* Rows that have to wait, and those that are sorted at a time at most. */
#define GROUP_WAITING	2048u
#define GROUP_MOST	1048576u
/* Parts that one is divided into at most, and how often in a row. */
#define GROUP_PARTS	64u
#define GROUP_DEPTH	12u
/* Rows handled between two looks whether to go on. */
#define GROUP_STEP	256u

struct group_part {
	u32	first;
	u32	n;
	u32	depth;
};

struct group_sort {
	struct vexfs_coll *coll;
	struct vexfs_query *query;
	/** @slots: being sorted, @next: as they will be, @part: where each goes */
	u32	*slots;
	u32	*next;
	u8	*part;
	/** @todo: parts that are to be divided */
	struct group_part *todo;
	u32	ntodo;
};

/* [index_lock] */
bool vexfs_group_wanted(struct vexfs_coll *coll)
{
	u64 from;
	bool ret;

	if (!coll->ops->sort)
		return false;
	read_lock(&coll->lock);
	from = max(coll->claimed, coll->grouped);
	ret = coll->pending.tail > from &&
	      coll->pending.tail - from >= GROUP_WAITING &&
	      !coll->claim_again;
	read_unlock(&coll->lock);
	return ret && !READ_ONCE(coll->stale);
}

static int group_go_on(struct vexfs_coll *coll)
{
	cond_resched();
	return coll->io->killed(coll->priv) ? -EINTR : 0;
}

/* [sem] */
static int group_encode(struct vexfs_coll *coll, const u32 *slots, u32 n)
{
	struct vexfs_row_pins *pins = coll->indexer[0].pins;
	u32 i;
	int err;

	for (i = 0; i < n; i++) {
		if (!vexfs_coll_is_live(coll, slots[i]))
			continue;
		err = coll->io->pin_rows(coll->priv, slots + i, 1, pins);
		if (err)
			return err;
		vexfs_graph_encode(&coll->graph, slots[i], pins->row[0]);
		coll->io->unpin_rows(coll->priv, pins);
	}
	return 0;
}

static int group_encode_all(struct vexfs_coll *coll, const u32 *slots, u32 n)
{
	int err = 0;
	u32 i;

	for (i = 0; !err && i < n; i += GROUP_STEP) {
		down_read(&coll->sem);
		err = group_encode(coll, slots + i, min(n - i, GROUP_STEP));
		up_read(&coll->sem);
		if (!err)
			err = group_go_on(coll);
	}
	return err;
}

/* [sem] Which of the leaders each of some rows is nearest to. */
static void group_assign(struct group_sort *gs, const void *const *leader,
			 u32 parts, u32 first, u32 end)
{
	const struct vexfs_graph *g = &gs->coll->graph;
	u32 keys[GROUP_PARTS], i, j, best;

	for (i = first; i < end; i++) {
		vexfs_query_from_code(&g->sp,
				      vexfs_arena_item(&g->codes, gs->slots[i]),
				      gs->query);
		vexfs_dist_codes(&g->sp, gs->query, leader, parts, keys);
		for (j = 1, best = 0; j < parts; j++)
			if (keys[j] < keys[best])
				best = j;
		gs->part[i] = (u8)best;
	}
}

static int group_assign_all(struct group_sort *gs, const struct group_part *p,
			    u32 parts)
{
	const struct vexfs_graph *g = &gs->coll->graph;
	const u32 *from = gs->slots + p->first;
	const void *leader[GROUP_PARTS];
	u32 i, j, end, step = p->n / parts;
	int err = 0;

	for (i = 0; !err && i < p->n; i += GROUP_STEP) {
		down_read(&gs->coll->sem);
		for (j = 0; j < parts; j++)
			leader[j] = vexfs_arena_item(&g->codes, from[step * j]);
		end = min(i + GROUP_STEP, p->n);
		group_assign(gs, leader, parts, p->first + i, p->first + end);
		up_read(&gs->coll->sem);
		err = group_go_on(gs->coll);
	}
	return err;
}

/* Puts the rows of each part together; parts that are large come up again. */
static void group_divide(struct group_sort *gs, const struct group_part *p,
			 u32 parts, u32 small)
{
	u32 at[GROUP_PARTS + 1] = { 0 }, i, n;

	for (i = 0; i < p->n; i++)
		at[gs->part[p->first + i] + 1]++;
	for (i = 0; i < parts; i++) {
		n = at[i + 1];
		at[i + 1] += at[i];
		if (n > small && n < p->n && p->depth < GROUP_DEPTH)
			gs->todo[gs->ntodo++] = (struct group_part) {
				p->first + at[i], n, p->depth + 1
			};
	}
	for (i = 0; i < p->n; i++)
		gs->next[at[gs->part[p->first + i]]++] =
			gs->slots[p->first + i];
	memcpy(gs->slots + p->first, gs->next, p->n * sizeof(*gs->slots));
}

static int group_sort(struct group_sort *gs, u32 n, u32 small)
{
	struct group_part p;
	u32 parts;
	int err;

	gs->todo[gs->ntodo++] = (struct group_part) { 0, n, 1 };
	while (gs->ntodo) {
		p = gs->todo[--gs->ntodo];
		parts = clamp(p.n / small, 2u, GROUP_PARTS);
		err = group_assign_all(gs, &p, parts);
		if (err)
			return err;
		group_divide(gs, &p, parts, small);
	}
	return 0;
}

static u32 group_gcd(u32 a, u32 b)
{
	u32 rest;

	while (b) {
		rest = a % b;
		a = b;
		b = rest;
	}
	return a;
}

/*
 * Groups that follow each other are far apart again, so that the graph grows
 * evenly: else what comes first in a region would lose its links out of it.
 */
static void group_shuffle(struct group_sort *gs, u32 n, u32 size)
{
	u32 groups = n / size, step = groups / 8 * 5 | 1, i, at = 0;

	if (groups < 2)
		return;
	while (group_gcd(step, groups) != 1)
		step += 2;
	for (i = 0; i < groups; i++) {
		memcpy(gs->next + i * size, gs->slots + at * size,
		       size * sizeof(*gs->slots));
		at = (at + step) % groups;
	}
	memcpy(gs->slots, gs->next, groups * size * sizeof(*gs->slots));
}

int vexfs_hnsw_sort(struct vexfs_coll *coll, u32 *slots, u32 n)
{
	struct vexfs_graph_scratch *scratch = coll->indexer[0].scratch;
	struct group_sort gs = { .coll = coll, .slots = slots };
	int err;

	down_read(&coll->sem);
	err = vexfs_graph_scratch_prepare(scratch, &coll->graph, 0);
	up_read(&coll->sem);
	if (err)
		return err;
	gs.query = vexfs_graph_scratch_query(scratch);
	gs.next = kvmalloc_array(n, sizeof(*gs.next), VEXFS_GFP);
	gs.part = kvmalloc(n, VEXFS_GFP);
	/* Each one that is divided leaves so many, on each level */
	gs.todo = kvmalloc_array(GROUP_PARTS * GROUP_DEPTH, sizeof(*gs.todo),
				 VEXFS_GFP);
	err = gs.next && gs.part && gs.todo ? 0 : -ENOMEM;
	if (!err)
		err = group_encode_all(coll, slots, n);
	if (!err)
		err = group_sort(&gs, n, coll->ops->group_max);
	if (!err)
		group_shuffle(&gs, n, min(coll->ops->group_max, coll->span));
	kvfree(gs.next);
	kvfree(gs.part);
	kvfree(gs.todo);
	return err;
}

/* Takes slots out of the ring, or puts them back in another order. */
static void group_copy(struct vexfs_coll *coll, u64 from, u32 *slots, u32 n,
		       bool back)
{
	write_lock(&coll->lock);
	if (back) {
		vexfs_ring_write(&coll->pending, from, n, slots);
		coll->grouped = from + n;
	} else {
		vexfs_ring_read(&coll->pending, from, n, slots);
	}
	write_unlock(&coll->lock);
}

/*
 * [index_lock write] Sorts what waits. Nobody claims any of it meanwhile;
 * inserts may add more behind it. Without memory it is left as it is.
 */
int vexfs_group_pending(struct vexfs_coll *coll)
{
	u64 from;
	u32 *slots, n;
	int err;

	if (!vexfs_group_wanted(coll))
		return 0;
	read_lock(&coll->lock);
	from = max(coll->claimed, coll->grouped);
	n = min_t(u64, coll->pending.tail - from, GROUP_MOST);
	read_unlock(&coll->lock);
	slots = kvmalloc_array(n, sizeof(*slots), VEXFS_GFP);
	err = slots ? 0 : -ENOMEM;
	if (!err) {
		group_copy(coll, from, slots, n, false);
		err = coll->ops->sort(coll, slots, n);
	}
	if (!err)
		group_copy(coll, from, slots, n, true);
	kvfree(slots);
	return err == -ENOMEM ? 0 : err;
}

// SPDX-License-Identifier: GPL-2.0
/*
 * Traversal of the graph: a sorted pool of candidates, of which the nearest
 * that hasn't been is expanded next. Takes no locks; see struct vexfs_graph
 * for why it needn't.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include "hnsw_priv.h"

#define LINE	64u
/* The lines of a code that are fetched ahead; more the CPU does by itself. */
#define AHEAD	(8 * LINE)

void vexfs_walk_begin(struct vexfs_graph_scratch *s)
{
	u32 i;

	if (s->ntouched > VEXFS_TOUCHED) {
		memset(s->visited, 0,
		       BITS_TO_LONGS(s->nvisited) * sizeof(*s->visited));
	} else {
		for (i = 0; i < s->ntouched; i++)
			s->visited[BIT_WORD(s->touched[i])] = 0;
	}
	s->ntouched = 0;
	s->n = 0;
	s->ok = 0;
}

/* False the first time. Slots beyond those prepared for count as visited. */
static __always_inline bool visit(struct vexfs_graph_scratch *s, u32 slot)
{
	unsigned long *word, bit;

	if (unlikely(slot >= s->nvisited))
		return true;
	word = s->visited + BIT_WORD(slot);
	bit = BIT_MASK(slot);
	if (*word & bit)
		return true;
	*word |= bit;
	if (likely(s->ntouched < VEXFS_TOUCHED))
		s->touched[s->ntouched++] = slot;
	else
		s->ntouched = VEXFS_TOUCHED + 1;
	return false;
}

/* Starts over on another layer, from what was found on this one. */
void vexfs_walk_again(struct vexfs_graph_scratch *s)
{
	u32 i, n = s->n, ok = s->ok;

	vexfs_walk_begin(s);
	s->n = n;
	s->ok = ok;
	for (i = 0; i < n; i++) {
		visit(s, vexfs_cand_slot(s->pool[i]));
		s->pool[i] &= ~(u64)VEXFS_CAND_DONE;
	}
}

static bool passes(const struct vexfs_graph_filter *f, u32 slot)
{
	if (!f)
		return true;
	if (f->flags) {
		const u8 *flags = vexfs_arena_item(f->flags, slot);

		if ((READ_ONCE(*flags) & f->mask) != f->want)
			return false;
	}
	return !f->accept || f->accept(f->priv, slot);
}

/* Where @cand belongs among those before it in the order. */
static __always_inline u32 pool_find(const u64 *pool, u32 n, u64 cand)
{
	u32 lo = 0, half;

	while (n) {
		half = n / 2;
		if (pool[lo + half] < cand) {
			lo += half + 1;
			n -= half + 1;
		} else {
			n = half;
		}
	}
	return lo;
}

/*
 * Puts a candidate into the pool, which keeps the ef nearest results and
 * the others among them; returns its place, or ~0. Once there are ef results
 * the last in the pool is one.
 */
static __always_inline u32 pool_add(const struct vexfs_graph *g,
				    struct vexfs_graph_scratch *s, u32 ef,
				    const struct vexfs_graph_filter *filter,
				    u64 cand)
{
	u32 slot = vexfs_cand_slot(cand), at;

	if ((s->ok == ef || s->n == s->room) && cand >= s->pool[s->n - 1])
		return ~0u;
	if (unlikely(!vexfs_graph_present(g, slot)))
		return ~0u;
	if (unlikely(!passes(filter, slot)))
		cand |= VEXFS_CAND_OTHER;
	if (s->n == s->room) {
		s->n--;
		s->ok -= !(s->pool[s->n] & VEXFS_CAND_OTHER);
	}
	at = pool_find(s->pool, s->n, cand);
	memmove(s->pool + at + 1, s->pool + at,
		(s->n - at) * sizeof(*s->pool));
	s->pool[at] = cand;
	s->n++;
	s->ok += !(cand & VEXFS_CAND_OTHER);
	if (s->ok > ef) {
		s->ok--;
		s->n--;
		while (s->pool[s->n - 1] & VEXFS_CAND_OTHER)
			s->n--;
	}
	return at;
}

static __always_inline void prefetch_code(const struct vexfs_graph *g,
					  const char *code)
{
	u32 i, n = min(g->sp.code_bytes, AHEAD);

	for (i = 0; i < n; i += LINE)
		prefetch(code + i);
}

/* The links of @slot that weren't visited become the batch. */
static __always_inline void expand(const struct vexfs_graph *g, u32 slot,
				   u32 level, struct vexfs_graph_scratch *s,
				   bool mark)
{
	const __le32 *links = vexfs_graph_links(g, slot, level);
	u32 i, link, degree = vexfs_graph_degree(g, level);
	const void *code;

	s->n_batch = 0;
	if (!links)
		return;
	for (i = 0; i < degree; i++) {
		link = vexfs_link_get(links + i);
		if (!link)
			break;
		if (mark && visit(s, link - 1))
			continue;
		if (unlikely(link - 1 >= s->nvisited))
			continue;
		code = vexfs_graph_code(g, link - 1);
		prefetch_code(g, code);
		s->batch_code[s->n_batch] = code;
		s->batch_slot[s->n_batch++] = link - 1;
	}
}

static __always_inline void batch_keys(const struct vexfs_graph *g,
				       struct vexfs_graph_scratch *s)
{
	if (!s->n_batch)
		return;
	vexfs_dist_codes(&g->sp, s->query, s->batch_code, s->n_batch,
			 s->batch_key);
	s->compared += s->n_batch;
}

/* A candidate to begin with. */
void vexfs_walk_seed(const struct vexfs_graph *g, u32 slot, u32 ef,
		     const struct vexfs_graph_filter *filter,
		     struct vexfs_graph_scratch *s)
{
	const void *code;
	u32 key;

	if (visit(s, slot))
		return;
	code = vexfs_graph_code(g, slot);
	vexfs_dist_codes(&g->sp, s->query, &code, 1, &key);
	s->compared++;
	pool_add(g, s, ef, filter, vexfs_cand(key, slot));
}

/* Fetches what expanding the next candidate will look at first. */
static __always_inline void prefetch_next(const struct vexfs_graph *g,
					  const struct vexfs_graph_scratch *s,
					  u32 next, u32 level)
{
	const char *links;

	if (level || next >= s->n)
		return;
	links = vexfs_arena_item(&g->links, vexfs_cand_slot(s->pool[next]));
	prefetch(links);
	prefetch(links + LINE);
}

/*
 * Expands candidates on a layer until all of the pool have been. Bounded: a
 * place in the pool is taken by a nearer candidate only, each slot once.
 */
void vexfs_walk(const struct vexfs_graph *g, u32 level, u32 ef,
		const struct vexfs_graph_filter *filter,
		struct vexfs_graph_scratch *s)
{
	u32 next = 0, i, at, first;

	while (next < s->n) {
		if (s->pool[next] & VEXFS_CAND_DONE) {
			next++;
			continue;
		}
		s->pool[next] |= VEXFS_CAND_DONE;
		expand(g, vexfs_cand_slot(s->pool[next]), level, s, true);
		prefetch_next(g, s, next + 1, level);
		batch_keys(g, s);
		first = next + 1;
		for (i = 0; i < s->n_batch; i++) {
			at = pool_add(g, s, ef, filter,
				      vexfs_cand(s->batch_key[i],
						 s->batch_slot[i]));
			first = min(first, at);
		}
		next = first;
	}
}

/* Goes to the nearest there is by single steps, on layers from .. to + 1. */
u32 vexfs_descend(const struct vexfs_graph *g, u32 slot, u32 from, u32 to,
		  struct vexfs_graph_scratch *s)
{
	const void *code = vexfs_graph_code(g, slot);
	u32 level, i, key, was;

	vexfs_dist_codes(&g->sp, s->query, &code, 1, &key);
	s->compared++;
	for (level = from; level > to; level--) {
		do {
			was = slot;
			expand(g, slot, level, s, false);
			batch_keys(g, s);
			for (i = 0; i < s->n_batch; i++) {
				if (s->batch_key[i] >= key ||
				    !vexfs_graph_present(g, s->batch_slot[i]))
					continue;
				key = s->batch_key[i];
				slot = s->batch_slot[i];
			}
		} while (slot != was);
	}
	return slot;
}

/* The node that the walk came to was taken out before it was expanded. */
static bool dead_end(const struct vexfs_graph *g, u32 ef,
		     const struct vexfs_graph_scratch *s)
{
	return s->n < min(ef, 2u) && READ_ONCE(g->nodes) > s->n;
}

/* From the entry to the nearest on layer 0; a few times over, if need be. */
static void search_walk(const struct vexfs_graph *g, u32 ef,
			const struct vexfs_graph_filter *filter,
			struct vexfs_graph_scratch *s)
{
	unsigned int tries = 4;
	u64 entry;
	u32 slot;

	do {
		vexfs_walk_begin(s);
		/* Pairs with the release in vexfs_graph_set_entry(). */
		entry = smp_load_acquire(&g->entry);
		slot = (u32)entry - 1;
		if (!entry || slot >= s->nvisited)
			return;
		slot = vexfs_descend(g, slot, (u32)(entry >> 32), 0, s);
		vexfs_walk_seed(g, slot, ef, filter, s);
		vexfs_walk(g, 0, ef, filter, s);
	} while (--tries && dead_end(g, ef, s));
}

u32 vexfs_graph_search(const struct vexfs_graph *g, u32 ef,
		       const struct vexfs_graph_filter *filter,
		       struct vexfs_graph_scratch *s,
		       struct vexfs_graph_hit *out, u64 *compared)
{
	u32 i, n = 0;

	if (!ef)
		return 0;
	s->compared = 0;
	search_walk(g, ef, filter, s);
	for (i = 0; i < s->n; i++) {
		if (s->pool[i] & VEXFS_CAND_OTHER)
			continue;
		out[n].key = vexfs_cand_key(s->pool[i]);
		out[n++].slot = vexfs_cand_slot(s->pool[i]);
	}
	*compared += s->compared;
	return n;
}

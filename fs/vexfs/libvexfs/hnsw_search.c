// SPDX-License-Identifier: GPL-2.0
/*
 * Traversal of the graph: a sorted pool of candidates, of which the nearest
 * that hasn't been is expanded next. Takes no locks; see struct vexfs_graph
 * for why it needn't.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include "hnsw_pool.h"

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
	vexfs_rest_none(s);
}

/*
 * Of nodes that are far from all centres sign codes say little. If there are
 * more than one in so many, searches do without until there are new centres.
 */
#define STRAYED		64u

/* After the scratch's query has changed; also says what is near it. */
void vexfs_walk_query(const struct vexfs_graph *g,
		      struct vexfs_graph_scratch *s)
{
	s->by_signs = g->signs && READ_ONCE(g->signs->far) <=
				  READ_ONCE(g->nodes) / STRAYED;
	if (g->signs)
		s->nnear = vexfs_query_sign_prepare(&g->sp, &g->signs->table,
						    s->query, s->near);
	else if (g->sp.nib_bytes)
		vexfs_query_nib_prepare(&g->sp, s->query);
}

/*
 * Marks the slots of the batch from @first on, up to @n, as visited, and drops
 * those that were. All are below nvisited. Half of them were, so no branch
 * could be predicted.
 */
static __always_inline void visit_batch(struct vexfs_graph_scratch *s,
					u32 first, u32 n)
{
	unsigned long *word, bit;
	u32 i, slot, fresh = first;

	for (i = first; i < n; i++) {
		slot = s->batch_slot[i];
		word = s->visited + BIT_WORD(slot);
		bit = BIT_MASK(slot);
		s->batch_slot[fresh] = slot;
		s->batch_place[fresh] = s->batch_place[i];
		fresh += !(*word & bit);
		*word |= bit;
	}
	s->n_batch = fresh;
	if (likely(s->ntouched + fresh - first <= VEXFS_TOUCHED)) {
		memcpy(s->touched + s->ntouched, s->batch_slot + first,
		       (fresh - first) * sizeof(*s->touched));
		s->ntouched += fresh - first;
	} else {
		s->ntouched = VEXFS_TOUCHED + 1;
	}
}

/* Starts over on another layer, from what was found on this one. */
void vexfs_walk_again(struct vexfs_graph_scratch *s)
{
	u32 i, n = s->n, ok = s->ok, rest = s->rest_want;

	vexfs_walk_begin(s);
	vexfs_rest_want(s, rest);
	s->n = n;
	s->ok = ok;
	for (i = 0; i < n; i++) {
		s->batch_slot[0] = vexfs_cand_slot(s->pool[i]);
		visit_batch(s, 0, 1);
		s->pool[i] &= ~(u64)VEXFS_CAND_DONE;
	}
}

/* What a traversal compares: the short codes, if there are any. */
static __always_inline const void *
walk_code(const struct vexfs_graph *g, const struct vexfs_graph_scratch *s,
	  u32 slot)
{
	if (s->by_signs)
		return vexfs_graph_sign_code(g, slot);
	return g->sp.nib_bytes ? vexfs_graph_nib(g, slot) :
				 vexfs_graph_code(g, slot);
}

static __always_inline void walk_keys(const struct vexfs_graph *g,
				      const struct vexfs_graph_scratch *s,
				      const void *const *code, u32 n, u32 *keys)
{
	if (s->by_signs)
		vexfs_dist_signs(&g->sp, s->query, code, n, keys);
	else if (g->sp.nib_bytes)
		vexfs_dist_nibs(&g->sp, s->query, code, n, keys);
	else
		vexfs_dist_codes(&g->sp, s->query, code, n, keys);
}

static __always_inline void
prefetch_code(const struct vexfs_graph *g, const struct vexfs_graph_scratch *s,
	      const void *code)
{
	vexfs_prefetch(code, s->by_signs ? g->sp.sign_bytes :
			     g->sp.nib_bytes ? g->sp.nib_bytes :
					       g->sp.code_bytes);
}

static __always_inline void
prefetch_links(const struct vexfs_graph *g,
	       const struct vexfs_graph_scratch *s, u32 slot, u32 level)
{
	if (level)
		return;
	vexfs_prefetch(vexfs_arena_item(&g->links, slot), g->links.item_size);
	if (s->by_signs)
		vexfs_prefetch(vexfs_arena_item(&g->signs->to, slot),
			       g->links.item_size);
}

/*
 * The links of @slot join the batch, from @first on; those that weren't
 * visited, if @new.
 */
static __always_inline void expand(const struct vexfs_graph *g, u32 slot,
				   u32 level, u32 first,
				   struct vexfs_graph_scratch *s, bool new)
{
	const __le32 *links = vexfs_graph_links(g, slot, level);
	u32 i, link, n = first, degree = vexfs_graph_degree(g, level);
	const bool placed = s->by_signs && !level;
	const u32 *to = placed ? vexfs_arena_item(&g->signs->to, slot) : NULL;

	for (i = 0; links && i < degree; i++) {
		link = vexfs_link_get(links + i);
		if (!link)
			break;
		s->batch_slot[n] = link - 1;
		s->batch_place[n] = placed ? READ_ONCE(to[i]) : 0;
		n += link <= s->nvisited;
	}
	if (new)
		visit_batch(s, first, n);
	else
		s->n_batch = n;
	for (i = first; i < s->n_batch; i++) {
		s->batch_code[i] = placed ?
			vexfs_arena_item(&g->signs->codes, s->batch_place[i]) :
			walk_code(g, s, s->batch_slot[i]);
		prefetch_code(g, s, s->batch_code[i]);
	}
}

static __always_inline void batch_keys(const struct vexfs_graph *g,
				       struct vexfs_graph_scratch *s)
{
	if (!s->n_batch)
		return;
	walk_keys(g, s, s->batch_code, s->n_batch, s->batch_key);
	s->compared += s->n_batch;
}

/* The same if the others are wanted, too. */
static void batch_sift_rest(struct vexfs_graph_scratch *s, u64 bound)
{
	u32 i, n = 0;
	u64 cand;

	for (i = 0; i < s->n_batch; i++) {
		cand = vexfs_cand(s->batch_key[i], s->batch_slot[i]);
		s->batch_cand[n] = cand;
		n += cand < bound;
		vexfs_rest_add(s, cand, cand >= bound);
	}
	s->n_batch = n;
	vexfs_rest_trim(s);
}

/* Of the batch leaves what the pool will take, as far as that is known. */
static __always_inline void batch_sift(struct vexfs_graph_scratch *s, u32 ef)
{
	u64 cand, bound = U64_MAX;
	u32 i, n = 0;

	if (s->n && (s->ok == ef || s->n == s->room))
		bound = s->pool[s->n - 1];
	if (s->rest_want) {
		batch_sift_rest(s, bound);
		return;
	}
	for (i = 0; i < s->n_batch; i++) {
		cand = vexfs_cand(s->batch_key[i], s->batch_slot[i]);
		s->batch_cand[n] = cand;
		n += cand < bound;
	}
	s->n_batch = n;
}

/* A candidate to begin with. */
void vexfs_walk_seed(const struct vexfs_graph *g, u32 slot, u32 ef,
		     const struct vexfs_graph_filter *filter,
		     struct vexfs_graph_scratch *s)
{
	s->batch_slot[0] = slot;
	visit_batch(s, 0, 1);
	if (!s->n_batch)
		return;
	s->batch_code[0] = walk_code(g, s, slot);
	batch_keys(g, s);
	vexfs_pool_add(s, ef, filter, vexfs_cand(s->batch_key[0], slot));
}

/* Candidates to begin with, none of which was visited. */
void vexfs_walk_seeds(const struct vexfs_graph *g, const u32 *slots, u32 n,
		      u32 ef, struct vexfs_graph_scratch *s)
{
	u32 i, now;

	for (; n; n -= now, slots += now) {
		now = min(n, VEXFS_BATCH);
		memcpy(s->batch_slot, slots, now * sizeof(*slots));
		visit_batch(s, 0, now);
		for (i = 0; i < s->n_batch; i++) {
			s->batch_code[i] = walk_code(g, s, s->batch_slot[i]);
			prefetch_code(g, s, s->batch_code[i]);
		}
		batch_keys(g, s);
		batch_sift(s, ef);
		for (i = 0; i < s->n_batch; i++)
			vexfs_pool_add(s, ef, NULL, s->batch_cand[i]);
	}
}

/*
 * The nearest candidate from @from on, among the first @most, that wasn't
 * expanded, or U32_MAX; those that are no results don't count. What is no node
 * any more is dropped on the way.
 */
static __always_inline u32 walk_next(const struct vexfs_graph *g, u32 from,
				     u32 most, struct vexfs_graph_scratch *s)
{
	while (from < s->n && from < (u64)most + s->n - s->ok) {
		u32 slot = vexfs_cand_slot(s->pool[from]);

		if (s->pool[from] & VEXFS_CAND_DONE) {
			from++;
			continue;
		}
		if (likely(vexfs_link_live(g, slot)))
			return from;
		vexfs_pool_drop(s, from);
	}
	return U32_MAX;
}

static __always_inline void walk_expand(const struct vexfs_graph *g, u32 at,
					u32 level, u32 first,
					struct vexfs_graph_scratch *s)
{
	u32 slot = vexfs_cand_slot(s->pool[at]);

	s->pool[at] |= VEXFS_CAND_DONE;
	expand(g, slot, level, first, s, true);
}

/*
 * Expands candidates on a layer until all of the pool, or the nearest @most of
 * it, have been. Bounded: a place in the pool is taken by a nearer candidate
 * only, each slot once.
 *
 * Once the pool is full, two are expanded at a time: the second would hardly
 * be pushed out by what the first leads to, and memory is read for both at
 * once.
 */
void vexfs_walk(const struct vexfs_graph *g, u32 level, u32 ef, u32 most,
		const struct vexfs_graph_filter *filter,
		struct vexfs_graph_scratch *s)
{
	const bool two = 2 * vexfs_graph_degree(g, level) <= VEXFS_BATCH;
	u32 next = 0, i, at, first, last;

	for (;;) {
		next = walk_next(g, next, most, s);
		if (next == U32_MAX)
			break;
		walk_expand(g, next, level, 0, s);
		last = next;
		if (two && s->ok == ef) {
			at = walk_next(g, next + 1, most, s);
			if (at != U32_MAX) {
				last = at;
				walk_expand(g, at, level, s->n_batch, s);
			}
		}
		for (i = last + 1; i < min(last + 3, s->n); i++)
			prefetch_links(g, s, vexfs_cand_slot(s->pool[i]),
				       level);
		batch_keys(g, s);
		batch_sift(s, ef);
		first = next + 1;
		for (i = 0; i < s->n_batch; i++) {
			at = vexfs_pool_add(s, ef, filter, s->batch_cand[i]);
			if (at < last + 4)
				prefetch_links(g, s,
					       vexfs_cand_slot(s->batch_cand[i]),
					       level);
			first = min(first, at);
		}
		next = first;
	}
}

/* Goes to the nearest there is by single steps, on layers from .. to + 1. */
u32 vexfs_descend(const struct vexfs_graph *g, u32 slot, u32 from, u32 to,
		  struct vexfs_graph_scratch *s)
{
	const void *code = walk_code(g, s, slot);
	u32 level, i, key, was;

	walk_keys(g, s, &code, 1, &key);
	s->compared++;
	for (level = from; level > to; level--) {
		do {
			was = slot;
			expand(g, slot, level, 0, s, false);
			batch_keys(g, s);
			for (i = 0; i < s->n_batch; i++) {
				if (s->batch_key[i] >= key ||
				    !vexfs_link_live(g, s->batch_slot[i]))
					continue;
				key = s->batch_key[i];
				slot = s->batch_slot[i];
			}
		} while (slot != was);
	}
	return slot;
}

/*
 * Candidates on layer 1. Single steps end at a node that is nearer than its
 * neighbours on that layer. Where rows lie in clusters only few nodes of each
 * are up there, and it may be in the wrong one: from there no ef leads out.
 */
#define DOWN_BEAM	8u

static void pool_filter(const struct vexfs_graph_filter *filter,
			struct vexfs_graph_scratch *s)
{
	u32 i;

	s->ok = 0;
	for (i = 0; i < s->n; i++) {
		if (vexfs_passes(filter, vexfs_cand_slot(s->pool[i])))
			s->ok++;
		else
			s->pool[i] |= VEXFS_CAND_OTHER;
	}
}

/* Nodes that are looked at one after the other, near some centres. */
#define SCAN_MOST	32u

/* The nodes of places from .. end, into the pool; none was visited. */
static void scan_step(const struct vexfs_graph *g, u32 from, u32 end, u32 ef,
		      const struct vexfs_graph_filter *filter,
		      struct vexfs_graph_scratch *s)
{
	const u32 *slot = g->signs->slot + from;
	const void *code[SCAN_MOST];
	u32 i, keys[SCAN_MOST], n = end - from;
	u64 cand, bound = U64_MAX;

	for (i = 0; i < n; i++)
		code[i] = vexfs_arena_item(&g->signs->codes, from + i);
	vexfs_dist_signs(&g->sp, s->query, code, n, keys);
	s->compared += n;
	memcpy(s->touched + s->ntouched, slot, n * sizeof(*slot));
	s->ntouched += n;
	for (i = 0; i < n; i++)
		s->visited[BIT_WORD(slot[i])] |= BIT_MASK(slot[i]);
	if (s->n && (s->ok == ef || s->n == s->room))
		bound = s->pool[s->n - 1];
	for (i = 0; i < n; i++) {
		cand = vexfs_cand(keys[i], slot[i]);
		if (cand < bound && vexfs_link_live(g, slot[i]))
			vexfs_pool_add(s, ef, filter, cand);
	}
}

/*
 * Candidates to begin with on layer 0: some of the nodes near the centres that
 * are nearest to the query. False if there are none.
 */
bool vexfs_scan_near(const struct vexfs_graph *g, u32 ef,
		     const struct vexfs_graph_filter *filter,
		     struct vexfs_graph_scratch *s)
{
	u32 i, at, end, left = SCAN_MOST;

	if (!s->by_signs || g->signs->slots > s->nvisited)
		return false;
	for (i = 0; i < s->nnear && left; i++) {
		at = g->signs->run[s->near[i]];
		end = min(g->signs->run[s->near[i] + 1], at + left);
		left -= end - at;
		scan_step(g, at, end, ef, filter, s);
	}
	return s->n;
}

/* From a node of layer @top to some on layer 0 to begin with there. */
static void walk_down(const struct vexfs_graph *g, u32 slot, u32 top, u32 ef,
		      const struct vexfs_graph_filter *filter,
		      struct vexfs_graph_scratch *s)
{
	const u32 beam = min(ef, DOWN_BEAM);

	if (!top) {
		vexfs_walk_seed(g, slot, ef, filter, s);
		return;
	}
	if (top > 1)
		slot = vexfs_descend(g, slot, top, 1, s);
	vexfs_walk_seed(g, slot, beam, NULL, s);
	vexfs_walk(g, 1, beam, U32_MAX, NULL, s);
	vexfs_walk_again(s);
	pool_filter(filter, s);
}

/* The node that the walk came to was taken out before it was expanded. */
static bool dead_end(const struct vexfs_graph *g, u32 ef,
		     const struct vexfs_graph_scratch *s)
{
	return s->n < min(ef, 2u) && READ_ONCE(g->nodes) > s->n;
}

/*
 * Sign codes are coarse: the codes are asked about more candidates than are
 * wanted, and than are expanded. One more of these costs a tenth of what a
 * larger ef does.
 */
#define SIGN_SPARE	8u

u32 vexfs_walk_room(const struct vexfs_graph *g, u32 ef)
{
	return g->sp.sign_bytes ? ef + min(ef / 2, SIGN_SPARE) : ef;
}

/* From the entry to the nearest on layer 0; a few times over, if need be. */
static void search_walk(const struct vexfs_graph *g, u32 ef,
			const struct vexfs_graph_filter *filter,
			struct vexfs_graph_scratch *s)
{
	unsigned int tries = 4;
	u32 slot, room = vexfs_walk_room(g, ef);
	u64 entry;

	vexfs_walk_query(g, s);
	do {
		vexfs_walk_begin(s);
		/* Pairs with the release in vexfs_graph_set_entry(). */
		entry = smp_load_acquire(&g->entry);
		slot = (u32)entry - 1;
		if (!entry || slot >= s->nvisited)
			return;
		if (!vexfs_scan_near(g, room, filter, s))
			walk_down(g, slot, (u32)(entry >> 32), room, filter, s);
		vexfs_walk(g, 0, room, ef, filter, s);
	} while (--tries && dead_end(g, ef, s));
}

/* Codes that are fetched while those before are compared. */
#define RANK_AHEAD	16u

/*
 * The results of a walk become candidates. Short codes are good enough to find
 * the way, not to say what is nearest: with them, candidates are ranked anew by
 * the codes.
 */
static u32 results(const struct vexfs_graph *g, struct vexfs_graph_scratch *s)
{
	u32 i, n = 0;

	for (i = 0; i < s->n; i++)
		if (!(s->pool[i] & VEXFS_CAND_OTHER))
			s->cands[n++] = s->pool[i] & ~(u64)VEXFS_CAND_DONE;
	if (!vexfs_walk_short(g, s))
		return n;
	for (i = 0; i < n; i++) {
		s->cand_code[i] =
			vexfs_graph_code(g, vexfs_cand_slot(s->cands[i]));
		if (i < RANK_AHEAD)
			vexfs_prefetch(s->cand_code[i], g->sp.code_bytes);
	}
	for (i = 0; i < n; i += RANK_AHEAD) {
		u32 now = min(n - i, RANK_AHEAD), next = i + RANK_AHEAD, j;

		for (j = next; j < min(n, next + RANK_AHEAD); j++)
			vexfs_prefetch(s->cand_code[j], g->sp.code_bytes);
		vexfs_dist_codes(&g->sp, s->query, s->cand_code + i, now,
				 s->cand_key + i);
	}
	for (i = 0; i < n; i++)
		s->cands[i] = vexfs_cand(s->cand_key[i],
					 vexfs_cand_slot(s->cands[i]));
	vexfs_sort_many(s, n);
	s->compared += n;
	return n;
}

u32 vexfs_graph_search(const struct vexfs_graph *g, u32 ef,
		       const struct vexfs_graph_filter *filter,
		       struct vexfs_graph_scratch *s,
		       struct vexfs_graph_hit *out, u64 *compared)
{
	u32 i, n;

	if (!ef)
		return 0;
	s->compared = 0;
	search_walk(g, ef, filter, s);
	n = min(results(g, s), ef);
	for (i = 0; i < n; i++) {
		out[i].key = vexfs_cand_key(s->cands[i]);
		out[i].slot = vexfs_cand_slot(s->cands[i]);
	}
	*compared += s->compared;
	return n;
}

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
	/* Marks of walks before are less; after so many all are taken away. */
	if (++s->mark_now > U8_MAX) {
		memset(s->visited, 0, s->nvisited);
		s->mark_now = 1;
	}
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
	s->slot_of = s->by_signs ? g->signs->slot : NULL;
	s->nplaced = s->by_signs ? g->signs->slots : 0;
	if (g->signs)
		s->nnear = vexfs_query_sign_prepare(&g->sp, &g->signs->table,
						    s->query, s->near);
	else if (g->sp.nib_bytes)
		vexfs_query_nib_prepare(&g->sp, s->query);
}

/*
 * Marks a node, below nvisited, as visited; it is number @fresh of the batch if
 * it wasn't. Half of them were, so no branch could be predicted. Returns how
 * many there are then.
 */
static __always_inline u32 visit(u8 *visited, u8 mark, u32 number, u32 *batch,
				 u32 fresh)
{
	u8 was = visited[number];

	batch[fresh] = number;
	visited[number] = mark;
	return fresh + (was != mark);
}

static __always_inline u32 visit_one(struct vexfs_graph_scratch *s, u32 number,
				     u32 fresh)
{
	return visit(s->visited, (u8)s->mark_now, number, s->batch_slot,
		     fresh);
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
		visit_one(s, vexfs_cand_slot(s->pool[i]), 0);
		s->pool[i] &= ~(u64)VEXFS_CAND_DONE;
	}
}

/* What a traversal compares: the short codes, if there are any. */
static __always_inline const void *
walk_code(const struct vexfs_graph *g, const struct vexfs_graph_scratch *s,
	  u32 number)
{
	if (s->by_signs)
		return vexfs_arena_item(&g->signs->codes, number);
	return g->sp.nib_bytes ? vexfs_graph_nib(g, number) :
				 vexfs_graph_code(g, number);
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
	       const struct vexfs_graph_scratch *s, u32 number, u32 level)
{
	if (!level)
		vexfs_prefetch(vexfs_arena_item(s->by_signs ? &g->signs->to :
						&g->links, number),
			       g->links.item_size);
}

/* The links of a node join the batch. Returns how many it has then. */
static __always_inline u32 read_links(const struct vexfs_graph *g, u32 number,
				      u32 level, struct vexfs_graph_scratch *s)
{
	const __le32 *links = vexfs_graph_links(g, vexfs_walk_slot(s, number),
						level);
	u32 i, link, n = 0, degree = vexfs_graph_degree(g, level);

	for (i = 0; links && i < degree; i++) {
		link = vexfs_link_get(links + i);
		if (!link)
			break;
		if (likely(link <= s->nvisited))
			s->batch_slot[n++] = vexfs_walk_number(g, s, link - 1);
	}
	return n;
}

/*
 * The same of those that weren't visited, from @first on. On layer 0 places are
 * beside the sign codes, and read in place of slots.
 */
static __always_inline u32 read_new(const struct vexfs_graph *g, u32 number,
				    u32 level, u32 first,
				    struct vexfs_graph_scratch *s)
{
	const u32 degree = vexfs_graph_degree(g, level);
	const u32 nvisited = s->nvisited;
	const bool placed = s->by_signs && !level;
	const u8 mark = (u8)s->mark_now;
	u8 *visited = s->visited;
	const void *links;
	u32 i, link, n = first;

	if (placed)
		links = vexfs_arena_item(&g->signs->to, number);
	else
		links = vexfs_graph_links(g, vexfs_walk_slot(s, number), level);
	for (i = 0; links && i < degree; i++) {
		link = placed ? READ_ONCE(((const u32 *)links)[i]) :
				vexfs_link_get((const __le32 *)links + i);
		if (!link)
			break;
		if (unlikely(link > nvisited))
			continue;
		link--;
		if (level)
			link = vexfs_walk_number(g, s, link);
		n = visit(visited, mark, link, s->batch_slot, n);
	}
	return n;
}

/* Codes of the batch from @first on: where they are, and on their way. */
static __always_inline void batch_codes(const struct vexfs_graph *g,
					struct vexfs_graph_scratch *s,
					u32 first)
{
	const struct vexfs_arena *codes = s->by_signs ? &g->signs->codes :
					  g->sp.nib_bytes ? &g->nibs :
							    &g->codes;
	void *const *chunk = codes->chunk;
	const u32 shift = codes->shift, mask = (1u << shift) - 1;
	const u32 size = codes->item_size;
	u32 i, n = s->n_batch, number;
	const void *code;

	for (i = first; i < n; i++) {
		number = s->batch_slot[i];
		code = chunk[number >> shift] + (size_t)(number & mask) * size;
		s->batch_code[i] = code;
		vexfs_prefetch(code, size);
	}
}

static __always_inline void expand(const struct vexfs_graph *g, u32 number,
				   u32 level, u32 first,
				   struct vexfs_graph_scratch *s, bool new)
{
	if (new)
		s->n_batch = read_new(g, number, level, first, s);
	else
		s->n_batch = read_links(g, number, level, s);
	batch_codes(g, s, first);
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
	u32 number = vexfs_walk_number(g, s, slot);

	s->n_batch = visit_one(s, number, 0);
	if (!s->n_batch)
		return;
	s->batch_code[0] = walk_code(g, s, number);
	batch_keys(g, s);
	vexfs_pool_add(s, ef, filter, vexfs_cand(s->batch_key[0], number));
}

/* Candidates to begin with, none of which was visited. */
void vexfs_walk_seeds(const struct vexfs_graph *g, const u32 *slots, u32 n,
		      u32 ef, struct vexfs_graph_scratch *s)
{
	u32 i, now, fresh;

	for (; n; n -= now, slots += now) {
		now = min(n, VEXFS_BATCH);
		for (i = 0, fresh = 0; i < now; i++)
			fresh = visit_one(s, vexfs_walk_number(g, s, slots[i]),
					  fresh);
		s->n_batch = fresh;
		batch_codes(g, s, 0);
		batch_keys(g, s);
		batch_sift(s, ef);
		for (i = 0; i < s->n_batch; i++)
			vexfs_pool_add(s, ef, NULL, s->batch_cand[i]);
	}
}

/* Is it still a node? */
static __always_inline bool walk_live(const struct vexfs_graph *g,
				      const struct vexfs_graph_scratch *s,
				      u32 number)
{
	return !READ_ONCE(g->holes) ||
	       vexfs_graph_present(g, vexfs_walk_slot(s, number));
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
		if (s->pool[from] & VEXFS_CAND_DONE) {
			from++;
			continue;
		}
		if (likely(walk_live(g, s, vexfs_cand_slot(s->pool[from]))))
			return from;
		vexfs_pool_drop(s, from);
	}
	return U32_MAX;
}

static __always_inline void expand_at(const struct vexfs_graph *g, u32 at,
				      u32 level, u32 first,
				      struct vexfs_graph_scratch *s)
{
	u32 number = vexfs_cand_slot(s->pool[at]);

	s->pool[at] |= VEXFS_CAND_DONE;
	expand(g, number, level, first, s, true);
}

/*
 * Once the pool is full, two are expanded at a time: the second would hardly
 * be pushed out by what the first leads to, and memory is read for both at
 * once.
 */
static __always_inline bool walk_expand(const struct vexfs_graph *g,
					struct vexfs_walk *w,
					struct vexfs_graph_scratch *s)
{
	const bool two = 2 * vexfs_graph_degree(g, w->level) <= VEXFS_BATCH;
	u32 i, at;

	w->next = walk_next(g, w->next, w->most, s);
	if (w->next == U32_MAX)
		return false;
	expand_at(g, w->next, w->level, 0, s);
	w->last = w->next;
	if (two && s->ok == w->ef) {
		at = walk_next(g, w->next + 1, w->most, s);
		if (at != U32_MAX) {
			w->last = at;
			expand_at(g, at, w->level, s->n_batch, s);
		}
	}
	for (i = w->last + 1; i < min(w->last + 3, s->n); i++)
		prefetch_links(g, s, vexfs_cand_slot(s->pool[i]), w->level);
	return true;
}

/*
 * The batch joins the pool; of what gets among the first @soon the links are
 * fetched. Returns the place of the nearest.
 */
static __always_inline u32 walk_add(const struct vexfs_graph *g,
				    const struct vexfs_walk *w, u32 soon,
				    struct vexfs_graph_scratch *s)
{
	u32 i, at, first = U32_MAX;

	if (!w->filter && !s->rest_want && s->n >= VEXFS_MERGE_POOL &&
	    s->n_batch >= VEXFS_MERGE_LEAST) {
		first = vexfs_pool_merge(s, w->ef, s->n_batch);
		for (i = 0; i < s->n_batch && i + first < soon; i++)
			prefetch_links(g, s, vexfs_cand_slot(s->batch_cand[i]),
				       w->level);
		return first;
	}
	for (i = 0; i < s->n_batch; i++) {
		at = vexfs_pool_add(s, w->ef, w->filter, s->batch_cand[i]);
		if (at < soon)
			prefetch_links(g, s, vexfs_cand_slot(s->batch_cand[i]),
				       w->level);
		first = min(first, at);
	}
	return first;
}

static __always_inline void walk_compare(const struct vexfs_graph *g,
					 struct vexfs_walk *w,
					 struct vexfs_graph_scratch *s)
{
	batch_keys(g, s);
	batch_sift(s, w->ef);
	w->next = min(w->next + 1, walk_add(g, w, w->last + 4, s));
}

bool vexfs_walk_expand(const struct vexfs_graph *g, struct vexfs_walk *w,
		       struct vexfs_graph_scratch *s)
{
	return walk_expand(g, w, s);
}

void vexfs_walk_compare(const struct vexfs_graph *g, struct vexfs_walk *w,
			struct vexfs_graph_scratch *s)
{
	walk_compare(g, w, s);
}

void vexfs_walk(const struct vexfs_graph *g, u32 level, u32 ef, u32 most,
		const struct vexfs_graph_filter *filter,
		struct vexfs_graph_scratch *s)
{
	struct vexfs_walk w = {
		.level = level, .ef = ef, .most = most, .filter = filter,
	};

	while (walk_expand(g, &w, s))
		walk_compare(g, &w, s);
}

/* Goes to the nearest there is by single steps, on layers from .. to + 1. */
u32 vexfs_descend(const struct vexfs_graph *g, u32 slot, u32 from, u32 to,
		  struct vexfs_graph_scratch *s)
{
	u32 level, i, key, was, number = vexfs_walk_number(g, s, slot);
	const void *code = walk_code(g, s, number);

	walk_keys(g, s, &code, 1, &key);
	s->compared++;
	for (level = from; level > to; level--) {
		do {
			was = number;
			expand(g, number, level, 0, s, false);
			batch_keys(g, s);
			for (i = 0; i < s->n_batch; i++) {
				if (s->batch_key[i] >= key ||
				    !walk_live(g, s, s->batch_slot[i]))
					continue;
				key = s->batch_key[i];
				number = s->batch_slot[i];
			}
		} while (number != was);
	}
	return vexfs_walk_slot(s, number);
}

/* Nodes that are looked at one after the other, near some centres. */
#define SCAN_MOST	32u

/* The nodes of places from .. end, into the pool; none was visited. */
static void scan_step(const struct vexfs_graph *g, u32 from, u32 end, u32 ef,
		      const struct vexfs_graph_filter *filter,
		      struct vexfs_graph_scratch *s)
{
	const void *code[SCAN_MOST];
	u32 i, keys[SCAN_MOST], n = end - from;
	u64 cand, bound = U64_MAX;

	for (i = 0; i < n; i++) {
		code[i] = walk_code(g, s, from + i);
		s->visited[from + i] = (u8)s->mark_now;
	}
	walk_keys(g, s, code, n, keys);
	s->compared += n;
	if (s->n && (s->ok == ef || s->n == s->room))
		bound = s->pool[s->n - 1];
	for (i = 0; i < n; i++) {
		cand = vexfs_cand(keys[i], from + i);
		if (cand < bound && walk_live(g, s, from + i))
			vexfs_pool_add(s, ef, filter, cand);
	}
}

/* The nodes of which runs are looked at; returns how many runs. */
static u32 near_runs(const struct vexfs_graph *g,
		     const struct vexfs_graph_scratch *s, u32 *from, u32 *end)
{
	const u32 *run = g->signs->run;
	u32 i, left = SCAN_MOST;

	for (i = 0; i < s->nnear && left; i++) {
		from[i] = run[s->near[i]];
		end[i] = min(run[s->near[i] + 1], from[i] + left);
		left -= end[i] - from[i];
	}
	return i;
}

void vexfs_scan_near_fetch(const struct vexfs_graph *g,
			   const struct vexfs_graph_scratch *s)
{
	u32 from[VEXFS_SIGN_NEAR], end[VEXFS_SIGN_NEAR], n, i, at;

	if (!s->by_signs)
		return;
	n = near_runs(g, s, from, end);
	for (i = 0; i < n; i++)
		for (at = from[i]; at < end[i]; at++)
			prefetch_code(g, s, walk_code(g, s, at));
}

bool vexfs_scan_near(const struct vexfs_graph *g, u32 ef,
		     const struct vexfs_graph_filter *filter,
		     struct vexfs_graph_scratch *s)
{
	u32 from[VEXFS_SIGN_NEAR], end[VEXFS_SIGN_NEAR], n, i;

	if (!s->by_signs || g->signs->slots > s->nvisited)
		return false;
	n = near_runs(g, s, from, end);
	for (i = 0; i < n; i++)
		scan_step(g, from[i], end[i], ef, filter, s);
	return s->n;
}

// SPDX-License-Identifier: GPL-2.0
/*
 * A search of the graph, in steps: where each ends, what the next one reads has
 * been asked for, so that several searches can take turns while memory is on its
 * way.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include "hnsw_pool.h"

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
		u32 slot = vexfs_walk_slot(s, vexfs_cand_slot(s->pool[i]));

		if (!filter || vexfs_passes(filter, slot))
			s->ok++;
		else
			s->pool[i] |= VEXFS_CAND_OTHER;
	}
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

/* Begins on layer 0, or on the layers above; false if there is no node. */
static bool search_seed(const struct vexfs_graph *g,
			struct vexfs_graph_scratch *s)
{
	/* Pairs with the release in vexfs_graph_set_entry(). */
	u64 entry = smp_load_acquire(&g->entry);
	u32 slot = (u32)entry - 1;

	vexfs_walk_begin(s);
	s->walk.next = 0;
	if (!entry || slot >= s->nvisited)
		return false;
	if (!vexfs_scan_near(g, s->walk.ef, s->walk.filter, s))
		walk_down(g, slot, (u32)(entry >> 32), s->walk.ef,
			  s->walk.filter, s);
	return true;
}

/* Codes that are fetched while those before are compared. */
#define RANK_AHEAD	16u

/*
 * The results of a walk become candidates. Short codes are good enough to find
 * the way, not to say what is nearest: with them, candidates are ranked anew by
 * the codes, the first of which are on their way when this returns.
 */
static void results_fetch(const struct vexfs_graph *g,
			  struct vexfs_graph_scratch *s)
{
	u32 i, n = 0;

	for (i = 0; i < s->n; i++) {
		u32 slot = vexfs_walk_slot(s, vexfs_cand_slot(s->pool[i]));

		s->cands[n] = vexfs_cand(vexfs_cand_key(s->pool[i]), slot);
		n += !(s->pool[i] & VEXFS_CAND_OTHER);
	}
	s->nfetched = n;
	if (!vexfs_walk_short(g, s))
		return;
	for (i = 0; i < n; i++) {
		s->cand_code[i] =
			vexfs_graph_code(g, vexfs_cand_slot(s->cands[i]));
		if (i < RANK_AHEAD)
			vexfs_prefetch(s->cand_code[i], g->sp.code_bytes);
	}
}

static void results_rank(const struct vexfs_graph *g,
			 struct vexfs_graph_scratch *s)
{
	u32 i, n = s->nfetched;

	if (!vexfs_walk_short(g, s))
		return;
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
}

/* What a search does next; memory for it was asked for before. */
enum search_stage {
	SEARCH_SEED,		/* where to begin on layer 0 */
	SEARCH_EXPAND,		/* links of the nearest candidates */
	SEARCH_COMPARE,		/* what they lead to */
	SEARCH_RANK,		/* the results, by the codes */
	SEARCH_DONE,
};

void vexfs_graph_search_begin(const struct vexfs_graph *g, u32 ef,
			      const struct vexfs_graph_filter *filter,
			      struct vexfs_graph_scratch *s)
{
	s->compared = 0;
	s->search_ef = ef;
	s->tries = 4;
	s->walk = (struct vexfs_walk) {
		.ef = vexfs_walk_room(g, ef), .most = ef, .filter = filter,
	};
	s->n = 0;
	s->nfetched = 0;
	s->stage = ef ? SEARCH_SEED : SEARCH_DONE;
	if (!ef)
		return;
	vexfs_walk_query(g, s);
	vexfs_scan_near_fetch(g, s);
}

/* All candidates were expanded. Something may have been taken out meanwhile. */
static void search_walked(const struct vexfs_graph *g,
			  struct vexfs_graph_scratch *s)
{
	if (--s->tries && dead_end(g, s->search_ef, s)) {
		s->stage = SEARCH_SEED;
		return;
	}
	results_fetch(g, s);
	s->stage = SEARCH_RANK;
}

bool vexfs_graph_search_step(const struct vexfs_graph *g,
			     struct vexfs_graph_scratch *s)
{
	switch (s->stage) {
	case SEARCH_SEED:
		s->stage = search_seed(g, s) ? SEARCH_EXPAND : SEARCH_DONE;
		break;
	case SEARCH_EXPAND:
		if (vexfs_walk_expand(g, &s->walk, s))
			s->stage = SEARCH_COMPARE;
		else
			search_walked(g, s);
		break;
	case SEARCH_COMPARE:
		vexfs_walk_compare(g, &s->walk, s);
		s->stage = SEARCH_EXPAND;
		break;
	case SEARCH_RANK:
		results_rank(g, s);
		s->stage = SEARCH_DONE;
		break;
	default:
		break;
	}
	return s->stage != SEARCH_DONE;
}

u32 vexfs_graph_search_end(struct vexfs_graph_scratch *s,
			   struct vexfs_graph_hit *out, u64 *compared)
{
	u32 i, n = min(s->nfetched, s->search_ef);

	for (i = 0; i < n; i++) {
		out[i].key = vexfs_cand_key(s->cands[i]);
		out[i].slot = vexfs_cand_slot(s->cands[i]);
	}
	*compared += s->compared;
	return n;
}

u32 vexfs_graph_search(const struct vexfs_graph *g, u32 ef,
		       const struct vexfs_graph_filter *filter,
		       struct vexfs_graph_scratch *s,
		       struct vexfs_graph_hit *out, u64 *compared)
{
	vexfs_graph_search_begin(g, ef, filter, s);
	while (vexfs_graph_search_step(g, s))
		;
	return vexfs_graph_search_end(s, out, compared);
}

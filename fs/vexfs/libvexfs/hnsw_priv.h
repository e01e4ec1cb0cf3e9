/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the files of the HNSW graph share: access to links and states, the
 * scratch of a traversal, the pool of candidates.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#ifndef _VEXFS_HNSW_PRIV_H
#define _VEXFS_HNSW_PRIV_H

#include "hnsw.h"

/* A slot's state: is it a node, and its record on layer 1, + 1 (0: none). */
#define VEXFS_NODE_PRESENT	0x80000000u
#define VEXFS_NODE_UPPER	0x7fffffffu

/* Sign codes, see hnsw_adapt.c. */
struct vexfs_graph_signs {
	struct vexfs_sign_table table;
	/** @codes: space.sign_bytes a slot, but in another order */
	struct vexfs_arena codes;
	/** @place: u32 a slot: which of them is the slot's */
	struct vexfs_arena place;
	/** @to: by place, those of a node's links on layer 0, + 1: u32[2m] */
	struct vexfs_arena to;
	/** @slot: the reverse, of @slots places, those below @run[centres] */
	u32	*slot;
	u32	slots;
	/** @run: the places of nodes near each centre are from here to the next */
	u32	run[VEXFS_SIGN_MAX_CENTRES + 2];
	/** @nodes: when the centres were chosen */
	u32	nodes;
	/** @usual: keys of distances to the centre, but for a few */
	u32	usual;
	/** @far: nodes since then whose keys are beyond that [lock] */
	u32	far;
};

/* The links of a node on one layer above 0. A free one has no slot. */
struct vexfs_upper {
	u32	slot;
	u32	level;
	/** @up: the node's record one layer up, or the next free one; + 1 */
	u32	up;
	u32	reserved;
	__le32	link[];
};

/*
 * Candidates are single words, sorted by key and then slot:
 * key << 32 | slot << 2 | VEXFS_CAND_* bits. During a traversal over sign codes
 * it is the place instead: see vexfs_walk_slot().
 */
#define VEXFS_CAND_DONE		1u	/* its links were followed */
#define VEXFS_CAND_OTHER	2u	/* the filter says: no result */

#define VEXFS_LINE		64u
/* What is fetched ahead of a code; more the CPU does by itself. */
#define VEXFS_AHEAD		(8 * VEXFS_LINE)

static __always_inline void vexfs_prefetch(const char *what, u32 bytes)
{
	u32 i, n = min(bytes, VEXFS_AHEAD);

	for (i = 0; i < n; i += VEXFS_LINE)
		prefetch(what + i);
}

static inline u64 vexfs_cand(u32 key, u32 slot)
{
	return (u64)key << 32 | (u64)slot << 2;
}

static inline u32 vexfs_cand_key(u64 cand)
{
	return (u32)(cand >> 32);
}

static inline u32 vexfs_cand_slot(u64 cand)
{
	return (u32)cand >> 2;
}

/* Links that are looked at together, at most; and codes in a selection. */
#define VEXFS_BATCH		(2 * VEXFS_GRAPH_MAX_M)

/* Nodes from which searches for rows of a group begin. */
#define VEXFS_SHARED		256u

/* A traversal of one layer; see vexfs_walk(). */
struct vexfs_walk {
	u32	level;
	u32	ef;
	u32	most;
	/** @next: where in the pool to look for what is expanded next */
	u32	next;
	/** @last: what was expanded last */
	u32	last;
	const struct vexfs_graph_filter *filter;
};

struct vexfs_graph_scratch {
	/** @query: what is searched for, query_room bytes */
	struct vexfs_query *query;
	/** @other: a code that others are compared with, same room */
	struct vexfs_query *other;
	u32	query_room;
	/**
	 * @nvisited: slots, or places, that @visited has a mark for: those that
	 * this walk has visited have @mark_now
	 */
	u32	nvisited;
	u32	mark_now;
	u8	*visited;
	/** @pool: n candidates, ok of them fit for the result, sorted */
	u64	*pool;
	u32	room;
	u32	n;
	u32	ok;
	/** @codes_compared: since the operation began */
	u64	compared;
	/**
	 * @rest_want: so many of the nearest that aren't in the pool are among
	 * the first @nrest of @cands, all below @rest_bound: hnsw_pool.h
	 */
	u32	rest_want;
	u32	nrest;
	u64	rest_bound;
	/** @cands: of a selection, and the keys and marks that go with them */
	u64	*cands;
	u64	*cand_sort;
	u32	*selected;
	u8	*mark;
	const void **cand_code;
	u32	*cand_key;
	u32	cand_room;
	/** @n_batch: slots, or places, their codes and keys, of one hop */
	u32	n_batch;
	u32	batch_slot[VEXFS_BATCH + 1];
	const void *batch_code[VEXFS_BATCH];
	u32	batch_key[VEXFS_BATCH];
	u64	batch_cand[VEXFS_BATCH + 1];
	/** @around: links of a node that is taken out */
	u32	around[VEXFS_BATCH];
	/** @found: links chosen for a new node, by layer: vexfs_found() */
	u32	found[VEXFS_BATCH + VEXFS_GRAPH_MAX_LEVEL * VEXFS_GRAPH_MAX_M];
	u32	nfound[VEXFS_GRAPH_MAX_LEVEL + 1];
	/** @shared: nodes near a group's rows, and the set of them */
	u32	shared[VEXFS_SHARED];
	u32	nshared;
	u32	shared_set[4 * VEXFS_SHARED];
	/** @stage: of a search in steps, see hnsw_search.c */
	u32	stage;
	u32	search_ef;
	u32	tries;
	/** @nfetched: candidates that are to be ranked by the codes */
	u32	nfetched;
	struct vexfs_walk walk;
	/**
	 * @by_signs: sign codes are compared, and nodes go by their places;
	 * @slot_of: the slots of the first @nplaced of these
	 */
	bool	by_signs;
	const u32 *slot_of;
	u32	nplaced;
	/** @near: centres of sign codes that are near the query */
	u32	near[VEXFS_SIGN_NEAR];
	u32	nnear;
};

static inline u32 *vexfs_found(struct vexfs_graph_scratch *s, u32 level)
{
	return level ? s->found + VEXFS_BATCH +
		       (level - 1) * VEXFS_GRAPH_MAX_M : s->found;
}

static inline u32 *vexfs_graph_state(const struct vexfs_graph *g, u32 slot)
{
	return vexfs_arena_item(&g->state, slot);
}

static inline struct mutex *vexfs_node_lock(const struct vexfs_graph *g,
					    u32 slot)
{
	return &g->node_lock[slot % VEXFS_NODE_LOCKS];
}

static inline bool vexfs_graph_present(const struct vexfs_graph *g, u32 slot)
{
	return READ_ONCE(*vexfs_graph_state(g, slot)) & VEXFS_NODE_PRESENT;
}

/*
 * Is what a link leads to a node? As long as nothing was taken out it is, and
 * its state needn't be fetched.
 */
static inline bool vexfs_link_live(const struct vexfs_graph *g, u32 slot)
{
	return !READ_ONCE(g->holes) || vexfs_graph_present(g, slot);
}

static inline void *vexfs_graph_code(const struct vexfs_graph *g, u32 slot)
{
	return vexfs_arena_item(&g->codes, slot);
}

static inline void *vexfs_graph_nib(const struct vexfs_graph *g, u32 slot)
{
	return vexfs_arena_item(&g->nibs, slot);
}

/*
 * A traversal over sign codes knows nodes by the places of these: what it looks
 * at lies together then. What came after the places were given has the same
 * number as its slot.
 */
static __always_inline u32 vexfs_walk_slot(const struct vexfs_graph_scratch *s,
					   u32 number)
{
	return s->by_signs && number < s->nplaced ? s->slot_of[number] :
						    number;
}

static __always_inline u32 vexfs_walk_number(const struct vexfs_graph *g,
					     const struct vexfs_graph_scratch *s,
					     u32 slot)
{
	if (!s->by_signs)
		return slot;
	return *(const u32 *)vexfs_arena_item(&g->signs->place, slot);
}

/* Is the way found by other codes than those that say what is nearest? */
static inline bool vexfs_walk_short(const struct vexfs_graph *g,
				    const struct vexfs_graph_scratch *s)
{
	return s->by_signs || g->sp.nib_bytes;
}

/*
 * Links to @slot on layer 0, also from where it isn't wanted any more; U8_MAX
 * means many, for good. A node that only one other links to is not dropped
 * from that one's record, or it would not be found again.
 */
static inline u8 *vexfs_graph_linked(const struct vexfs_graph *g, u32 slot)
{
	return vexfs_arena_item(&g->linked, slot);
}

static inline void vexfs_graph_add_link(const struct vexfs_graph *g, u32 slot)
{
	u8 *linked = vexfs_graph_linked(g, slot), old;

	do {
		old = READ_ONCE(*linked);
	} while (old != U8_MAX && cmpxchg(linked, old, (u8)(old + 1)) != old);
}

/* False, and nothing done, when it is the last one and @last is to stay. */
static inline bool vexfs_graph_drop_link(const struct vexfs_graph *g, u32 slot,
					 bool last)
{
	u8 *linked = vexfs_graph_linked(g, slot), old;

	do {
		old = READ_ONCE(*linked);
		if (old == 1 && last)
			return false;
	} while (old != U8_MAX && cmpxchg(linked, old, (u8)(old - 1)) != old);
	return true;
}

static inline u32 vexfs_graph_degree(const struct vexfs_graph *g, u32 level)
{
	return level ? g->m : 2 * g->m;
}

/* hnsw.c */
u32 vexfs_graph_level(const struct vexfs_graph *g, u32 slot);
struct vexfs_upper *vexfs_graph_upper(const struct vexfs_graph *g, u32 slot,
				      u32 level);
__le32 *vexfs_graph_links(const struct vexfs_graph *g, u32 slot, u32 level);
void vexfs_graph_dirty(struct vexfs_graph *g, u32 slot, u32 level, u32 from);
void vexfs_graph_add_node(struct vexfs_graph *g, u32 slot);
void vexfs_graph_drop_node(struct vexfs_graph *g, u32 slot);
void vexfs_graph_set_entry(struct vexfs_graph *g, u32 slot, u32 level);

/* hnsw_adapt.c */
void vexfs_graph_sign(struct vexfs_graph *g, u32 slot,
		      struct vexfs_graph_scratch *s);
void vexfs_graph_place_links(struct vexfs_graph *g, u32 slot, u32 from);
void vexfs_graph_unsign(struct vexfs_graph *g, u32 slot);
int vexfs_graph_adapt_reserve(struct vexfs_graph *g, u32 slots);
u64 vexfs_graph_adapt_memory(const struct vexfs_graph *g);
void vexfs_graph_adapt_clear(struct vexfs_graph *g);

/* A link as it is now: slot + 1, or 0 for the end. */
static inline u32 vexfs_link_get(const __le32 *link)
{
	return le32_to_cpu(READ_ONCE(*link));
}

static inline void vexfs_link_set(__le32 *link, u32 value)
{
	/*
	 * What the link leads to was written before. Pairs with the address
	 * dependency from vexfs_link_get() to the look at the slot it names.
	 */
	smp_store_release(link, cpu_to_le32(value));
}

/* hnsw_links.c */
void vexfs_links_store(struct vexfs_graph *g, u32 slot, u32 level,
		       const u32 *slots, u32 n, bool keep_last);
void vexfs_graph_store(struct vexfs_graph *g, u32 slot, u32 level,
		       const u32 *slots, u32 n);

/* hnsw_pool.c */
void vexfs_rest_cut(struct vexfs_graph_scratch *s);
void vexfs_sort_cands(u64 *cand, u32 n);
void vexfs_sort_many(struct vexfs_graph_scratch *s, u32 n);

/* hnsw_search.c */
/* Candidates that a search for @ef keeps. */
u32 vexfs_walk_room(const struct vexfs_graph *g, u32 ef);

/* hnsw_walk.c */
void vexfs_walk_query(const struct vexfs_graph *g,
		      struct vexfs_graph_scratch *s);
void vexfs_walk_begin(struct vexfs_graph_scratch *s);
void vexfs_walk_again(struct vexfs_graph_scratch *s);
void vexfs_walk_seed(const struct vexfs_graph *g, u32 slot, u32 ef,
		     const struct vexfs_graph_filter *filter,
		     struct vexfs_graph_scratch *s);
void vexfs_walk_seeds(const struct vexfs_graph *g, const u32 *slots, u32 n,
		      u32 ef, struct vexfs_graph_scratch *s);
/*
 * Expands candidates on a layer until all of the pool, or the nearest @most of
 * it, have been. Bounded: a place in the pool is taken by a nearer candidate
 * only, each slot once.
 */
void vexfs_walk(const struct vexfs_graph *g, u32 level, u32 ef, u32 most,
		const struct vexfs_graph_filter *filter,
		struct vexfs_graph_scratch *s);
/*
 * The same in steps, as long as the first returns true: it looks up what is to
 * be compared, and asks for the memory. After each, others may have their turn.
 */
bool vexfs_walk_expand(const struct vexfs_graph *g, struct vexfs_walk *w,
		       struct vexfs_graph_scratch *s);
void vexfs_walk_compare(const struct vexfs_graph *g, struct vexfs_walk *w,
			struct vexfs_graph_scratch *s);
/*
 * Candidates to begin with on layer 0: some of the nodes near the centres that
 * are nearest to the query. False if there are none. Fetch asks for the memory.
 */
bool vexfs_scan_near(const struct vexfs_graph *g, u32 ef,
		     const struct vexfs_graph_filter *filter,
		     struct vexfs_graph_scratch *s);
void vexfs_scan_near_fetch(const struct vexfs_graph *g,
			   const struct vexfs_graph_scratch *s);
u32 vexfs_descend(const struct vexfs_graph *g, u32 slot, u32 from, u32 to,
		  struct vexfs_graph_scratch *s);

/* hnsw_build.c */
u32 vexfs_select(const struct vexfs_graph *g, struct vexfs_graph_scratch *s,
		 u32 level, u32 n, u32 want, u32 fill);
void vexfs_link_back(struct vexfs_graph *g, u32 slot, u32 level, u32 to,
		     struct vexfs_graph_scratch *s);
void vexfs_rank(const struct vexfs_graph *g, struct vexfs_graph_scratch *s,
		u32 slot, u32 n);
void vexfs_choose(const struct vexfs_graph *g, u32 slot, u32 level,
		  struct vexfs_graph_scratch *s);
void vexfs_connect(struct vexfs_graph *g, u32 slot, u32 level,
		   struct vexfs_graph_scratch *s);
void vexfs_insert_seed(const struct vexfs_graph *g, u32 mine, u64 entry,
		       u32 pool, struct vexfs_graph_scratch *s);
int vexfs_insert_begin(struct vexfs_graph *g, u32 slot, const void *row,
		       struct vexfs_graph_scratch *s);

#endif /* _VEXFS_HNSW_PRIV_H */

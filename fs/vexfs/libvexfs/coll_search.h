/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A search under way: what the scan of all rows and the indexes share.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#ifndef _VEXFS_COLL_SEARCH_H
#define _VEXFS_COLL_SEARCH_H

#include "coll_priv.h"
#include "topk.h"

/*
 * Hits kept besides the k that are wanted, in place of those that are deleted
 * while the search goes on.
 */
#define VEXFS_SPARE_HITS	32u

/*
 * Queries of a batch that take turns. Two are as fast as one after the other
 * where memory comes soon, and faster where it doesn't; more lose in the first
 * cache what they gain.
 */
#define VEXFS_TURNS		2u

struct vexfs_scan;

struct vexfs_coll_searcher {
	struct vexfs_coll *coll;
	struct vexfs_row_pins *pins;
	struct vexfs_graph_scratch *scratch;
	/** @query: prepared; in the scratch or in @query_mem */
	struct vexfs_query *query;
	void *query_mem;
	/** @scan: what scans need, or NULL before the first */
	struct vexfs_scan *scan;
	/** @lsh: NULL until it is first needed */
	struct vexfs_lsh_scratch *lsh;
	/** @row: the query as it came */
	const void *row;
	/** @tail: rows that the index lacked when the search began */
	u32 *tail;
	u32 ntail;
	u32 tail_cap;
	/** @cand: what the graph found */
	struct vexfs_graph_hit *cand;
	u32 cand_cap;
	/** @hits: lists: from the index and from the tail, or of each query */
	struct vexfs_coll_hit *hits;
	u32 hits_cap;
	/** @k, @ef: of a search in steps, and how far it has come */
	u32 k;
	u32 ef;
	u32 stage;
	/** @ncand: candidates whose rows are to be compared */
	u32 ncand;
	struct vexfs_graph_filter live;
	struct vexfs_topk near;
	/** @other: searchers that take turns with this one, NULL until needed */
	struct vexfs_coll_searcher *other[VEXFS_TURNS - 1];
	u64 compared;
	u32 nbatch;
	u32 batch[VEXFS_PIN_MAX];
	u32 keys[VEXFS_PIN_MAX];
};

/* Makes an array of scratch large enough; its contents are lost. */
int vexfs_search_room(void *array, u32 *cap, u32 want, size_t size);

/* [sem] The query, and memory for a search; -ENOMEM. */
int vexfs_search_prepare(struct vexfs_coll_searcher *s, const void *row, u32 k,
			 u32 ef);

/* Which keys a batch gets: exact ones, those or less, or what takes no longer. */
enum vexfs_batch_how {
	VEXFS_BATCH_FAST,
	VEXFS_BATCH_LOWER,
	VEXFS_BATCH_EXACT,
};

/* Makes the rows of the first @n slots of the batch addressable... */
int vexfs_batch_pin(struct vexfs_coll_searcher *s, u32 n);
/* ... and after that compares them with the query. */
void vexfs_batch_keys(struct vexfs_coll_searcher *s, u32 n,
		      enum vexfs_batch_how how);
/* Those of the first @n of the batch whose keys are at most @limit. */
void vexfs_batch_push(struct vexfs_coll_searcher *s, u32 n, u32 limit,
		      struct vexfs_topk *top);

/*
 * Compares a slot, if it is live, with the query: into @top. Slots gather in
 * batches; vexfs_search_batch() compares the last one.
 */
int vexfs_search_slot(struct vexfs_coll_searcher *s, u32 slot,
		      struct vexfs_topk *top);
int vexfs_search_batch(struct vexfs_coll_searcher *s, struct vexfs_topk *top);

/* The distances in @top become exact ones, as exact searches return them. */
int vexfs_search_exact(struct vexfs_coll_searcher *s, struct vexfs_topk *top);

/* Notes in @tail which rows the index lacks: before the index is searched. */
int vexfs_search_tail(struct vexfs_coll_searcher *s);
/* Of these what may be as near as @limit, a key; sorted, exact distances. */
int vexfs_search_tail_rows(struct vexfs_coll_searcher *s, u32 limit,
			   struct vexfs_topk *top);
/* The key that a hit has to reach when there are those in @top. */
static inline u32 vexfs_search_limit(const struct vexfs_topk *top, u32 k)
{
	return top->n < k ? U32_MAX : top->hit[k - 1].key;
}

/* Sorts what was found and drops what was deleted since. */
void vexfs_search_finish(struct vexfs_coll_searcher *s,
			 struct vexfs_topk *top);

/* coll_turns.c */
/* [sem] Queries that the index answers in steps; see struct vexfs_index_ops. */
int vexfs_search_turns(struct vexfs_coll_searcher *s, const void *rows, u32 n,
		       u32 k, u32 ef, struct vexfs_coll_hit *hits,
		       struct vexfs_coll_result *res);

/* coll_scan.c */
/* Queries that one pass over the rows serves; @k of each are wanted. */
u32 vexfs_scan_queries(const struct vexfs_coll_searcher *s, u32 n, u32 k);
int vexfs_search_scan(struct vexfs_coll_searcher *s, const void *queries,
		      u32 n, u32 k, struct vexfs_coll_hit *hits,
		      struct vexfs_coll_result *res);
void vexfs_scan_free(struct vexfs_scan *scan);

#endif /* _VEXFS_COLL_SEARCH_H */

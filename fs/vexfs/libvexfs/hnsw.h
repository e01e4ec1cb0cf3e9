/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The HNSW graph: layers of links between slots, traversed over short codes.
 * It knows neither ids nor rows; what a search returns are slots with
 * approximate keys, for the caller to rank by the rows.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#ifndef _VEXFS_HNSW_H
#define _VEXFS_HNSW_H

#include "arena.h"
#include "../simd/sign.h"

#define VEXFS_GRAPH_MIN_M	4u
#define VEXFS_GRAPH_MAX_M	64u
#define VEXFS_GRAPH_MAX_EF	32768u
#define VEXFS_GRAPH_MAX_LEVEL	15u
/* Slots are kept in 30 bits on the way. */
#define VEXFS_GRAPH_MAX_SLOTS	0x3ffffff0u
#define VEXFS_GRAPH_NONE	0xffffffffu

/*
 * A node of layer 0 is 2m links; on each layer above m, in a record of its
 * own. A link is a slot plus one, 0 ends the list, so a zeroed record has no
 * links. Links may go to slots that were removed since: those have an empty
 * record.
 *
 * Several tasks may insert at a time (index_lock for reading); taking out and
 * loading are done by one, which excludes the inserts (index_lock for
 * writing). Searches go on meanwhile, and wait for none of them: links are
 * single words, each of which always names a slot below the reserved count. A
 * link is published after the code and the record that it leads to. A search
 * may meet a slot that is being reused and compute a key that is neither the
 * old nor the new: who reports a hit ranks it by its row and looks at its
 * flags again.
 *
 * vexfs_graph_reserve() excludes searches as well as changes (sem for
 * writing).
 *
 * Locks, outermost first; no two of the same kind are held at once:
 *   top_lock	an insert that makes a new entry
 *   node_lock	the links of the slots it stands for
 *   lock	what is counted for the whole graph, records of upper layers
 */
#define VEXFS_NODE_LOCKS	256u

struct vexfs_graph {
	struct vexfs_space sp;
	u32		m;
	u32		ef_construction;
	u64		seed;
	/** @slots: slots that are reserved */
	u32		slots;
	/** @nodes: slots in the graph [lock] */
	u32		nodes;
	/** @holes: links may lead to what was taken out; stays set */
	bool		holes;
	/** @entry: slot + 1, from bit 32 on its level; 0: empty [top_lock] */
	u64		entry;
	/** @links: layer 0, section GRAPH0: __le32[2m] a slot */
	struct vexfs_arena links;
	/** @codes: section CODES, space.code_bytes a slot */
	struct vexfs_arena codes;
	/** @nibs: space.nib_bytes a slot, made from the codes; no section */
	struct vexfs_arena nibs;
	/**
	 * @signs: sign codes in place of nibs, or NULL [index_lock and sem for
	 * writing to change]
	 */
	struct vexfs_graph_signs *signs;
	/**
	 * @adapt: those that are being made [index_lock for writing to begin
	 * and to go on to another turn; to take them away, sem as well]
	 */
	struct vexfs_graph_adapt *adapt;
	/** @adapt_from: nodes from which on that is tried again */
	u32		adapt_from;
	/** @state: a slot's place in the upper layers, VEXFS_NODE_PRESENT */
	struct vexfs_arena state;
	/** @linked: a byte a slot: links to it on layer 0, up to 255 */
	struct vexfs_arena linked;
	/** @upper: records of the upper layers, by number; not a section */
	struct vexfs_arena upper;
	/** @upper_reserved: records there is memory for */
	u32		upper_reserved;
	/** @upper_used: records handed out so far [lock] */
	u32		upper_used;
	/** @upper_free: head of the list of free ones, + 1 [lock] */
	u32		upper_free;
	/** @upper_live: records in use [lock] */
	u32		upper_live;
	/** @top_lock: held while a node above all others is made */
	struct mutex	top_lock;
	/** @lock: the records of the upper layers, the counts */
	struct mutex	lock;
	/** @node_lock: VEXFS_NODE_LOCKS of them, shared by slots */
	struct mutex	*node_lock;
};

struct vexfs_graph_config {
	const struct vexfs_space *space;
	u32	m;			/* VEXFS_GRAPH_MIN_M .. _MAX_M */
	u32	ef_construction;	/* 1 .. VEXFS_GRAPH_MAX_EF */
	u64	seed;			/* of the levels */
};

/* An empty graph. -EINVAL for parameters out of range; -ENOMEM. */
int vexfs_graph_init(struct vexfs_graph *g,
		     const struct vexfs_graph_config *cfg);
void vexfs_graph_free(struct vexfs_graph *g);

/*
 * Memory for slots [0, slots) and for what inserting all of them takes;
 * -ENOMEM, -EFBIG beyond VEXFS_GRAPH_MAX_SLOTS. May sleep. Reserve in large
 * steps: doubling up to 65536 slots, then by as many.
 */
int vexfs_graph_reserve(struct vexfs_graph *g, u32 slots);

/* Bytes in memory. */
u64 vexfs_graph_memory(const struct vexfs_graph *g);
/* Highest layer; 0 for an empty graph too. */
u32 vexfs_graph_max_level(const struct vexfs_graph *g);
/* Is @slot a node? */
bool vexfs_graph_has(const struct vexfs_graph *g, u32 slot);

/*
 * What a traversal needs: candidates, visited slots, a query. Belongs to one
 * task at a time, and can serve several graphs one after the other.
 */
struct vexfs_graph_scratch;

struct vexfs_graph_scratch *vexfs_graph_scratch_alloc(void);
void vexfs_graph_scratch_free(struct vexfs_graph_scratch *s);

/*
 * Makes it large enough for @g as it is reserved now and for results of @ef.
 * Called before each operation below (it costs nothing when there is nothing
 * to do), under the lock that excludes vexfs_graph_reserve(). May sleep;
 * -ENOMEM. For insert and remove @ef 0 will do.
 */
int vexfs_graph_scratch_prepare(struct vexfs_graph_scratch *s,
				const struct vexfs_graph *g, u32 ef);
u64 vexfs_graph_scratch_memory(const struct vexfs_graph_scratch *s);

/* The query in the scratch, for vexfs_graph_search() and exact distances. */
struct vexfs_query *
vexfs_graph_scratch_query(struct vexfs_graph_scratch *s);

/*
 * Adds @slot, whose contents are @row (row_bytes), computing its code. It
 * must not be a node now: -EEXIST. Reserved, prepared: it never sleeps for
 * memory. Bounded work: some ef_construction * 2m distances. Several tasks may
 * do this at a time, with a scratch each and for different slots.
 */
int vexfs_graph_insert(struct vexfs_graph *g, u32 slot, const void *row,
		       struct vexfs_graph_scratch *s);

/*
 * The code of a slot that is not a node and whose row is there, ahead of
 * vexfs_graph_insert(); what of it tells how far slots are apart is code.
 */
void vexfs_graph_encode(struct vexfs_graph *g, u32 slot, const void *row);

/*
 * Adds @n slots, at most VEXFS_GRAPH_GROUP, the rows of which are near each
 * other: as vexfs_graph_insert() of one after the other, but what was found for
 * some is where the search for the next begins. *done says how many were added.
 */
#define VEXFS_GRAPH_GROUP	16u
int vexfs_graph_insert_group(struct vexfs_graph *g, const u32 *slots,
			     const void *const *rows, u32 n,
			     struct vexfs_graph_scratch *s, u32 *done);

/*
 * For vectors of many dimensions the graph is traversed over sign codes, which
 * depend on where the vectors lie. Is there work to do on that?
 */
bool vexfs_graph_adapt_due(const struct vexfs_graph *g);
/*
 * Does some of it, about a millisecond, which several tasks may at a time, each
 * with a scratch of its own; removals are excluded, inserts and searches go on.
 * False if there is nothing to share in: vexfs_graph_adapt() is to be called.
 */
bool vexfs_graph_adapt_share(struct vexfs_graph *g,
			     struct vexfs_graph_scratch *s);
/*
 * Begins, or goes on to what comes next if all of a turn is done; only searches
 * go on meanwhile. Returns 1 when new codes are complete, for
 * vexfs_graph_adapted(), which excludes searches too and returns what is to be
 * freed afterwards; 0 when there is more to do, or nothing; -ENOMEM.
 */
int vexfs_graph_adapt(struct vexfs_graph *g);
struct vexfs_graph_adapt *vexfs_graph_adapted(struct vexfs_graph *g);
void vexfs_graph_adapt_free(struct vexfs_graph_adapt *ad);

/*
 * Takes @slot out: the nodes that linked to it, as far as a search around it
 * finds them, are linked to its neighbours instead. What links remain lead to
 * an empty record, and go when their owner's record is next written. Its
 * code is zeroed. Nothing happens if it is not a node.
 */
void vexfs_graph_remove(struct vexfs_graph *g, u32 slot,
			struct vexfs_graph_scratch *s);

/*
 * Which slots may be results. The others are traversed all the same.
 *  @flags: an arena with items of one byte, one a slot, or NULL: any slot
 *  @mask, @want: flag bits that count, and what they have to be
 *  @accept: asked for those that pass, or NULL; must not sleep
 */
struct vexfs_graph_filter {
	const struct vexfs_arena *flags;
	u8	mask;
	u8	want;
	bool	(*accept)(const void *priv, u32 slot);
	const void *priv;
};

struct vexfs_graph_hit {
	u32	key;
	u32	slot;
};

/*
 * The @ef nearest to the scratch's query among those that pass @filter (NULL:
 * all nodes), nearest first, approximately and by approximate keys. @out has
 * room for @ef; the scratch was prepared for it. Returns how many: fewer than
 * ef when the graph has no more or, with a filter, when few around the query
 * pass. Adds the codes it compared to *compared. Takes no lock and doesn't
 * sleep; one FPU section a hop.
 */
u32 vexfs_graph_search(const struct vexfs_graph *g, u32 ef,
		       const struct vexfs_graph_filter *filter,
		       struct vexfs_graph_scratch *s,
		       struct vexfs_graph_hit *out, u64 *compared);

/*
 * The same in steps, as long as step returns true. Each asks for the memory that
 * the next one reads: with a scratch each, several searches take turns, and
 * wait for none of it. The locks that a search is under are kept until its end;
 * @filter is used until then.
 */
void vexfs_graph_search_begin(const struct vexfs_graph *g, u32 ef,
			      const struct vexfs_graph_filter *filter,
			      struct vexfs_graph_scratch *s);
bool vexfs_graph_search_step(const struct vexfs_graph *g,
			     struct vexfs_graph_scratch *s);
u32 vexfs_graph_search_end(struct vexfs_graph_scratch *s,
			   struct vexfs_graph_hit *out, u64 *compared);

/*
 * Checkpoints. GRAPH0 and CODES are the arenas links and codes, to be copied
 * by vexfs_arena_read() and _write(), by dirty chunks. UPPER is made whole:
 * records of 8 + 4m bytes ordered by slot and level,
 *
 *	__le32 slot; __le32 level; __le32 link[m];
 *
 * cd_entry and cd_max_level are vexfs_graph_entry() and _max_level(). Nodes
 * without an upper layer are known by the slot's VEXFS_SLOT_INDEXED flag.
 */
#define VEXFS_GRAPH_SECT_VERSION	1

/* VEXFS_GRAPH_NONE for an empty graph. */
u32 vexfs_graph_entry(const struct vexfs_graph *g);
u64 vexfs_graph_upper_bytes(const struct vexfs_graph *g);
/* Bytes [pos, pos + len) of the section; any pieces, one after the other. */
struct vexfs_graph_upper_iter {
	u32	slot;
	u32	record;			/* + 1, 0: look for the next slot */
	u32	done;			/* bytes of the record copied */
};

/*
 * Writes the next @len bytes of the section into @buf; start with an iter of
 * zeroes. Returns the bytes written, less than @len only at the end.
 */
size_t vexfs_graph_upper_save(const struct vexfs_graph *g,
			      struct vexfs_graph_upper_iter *it, void *buf,
			      size_t len);

/*
 * After the arenas links and codes were filled: takes the slots whose flags
 * (see the filter) are as wanted as nodes, reads @upper (@upper_len bytes),
 * checks every link, slot and level, and drops the links and codes of slots
 * that are no nodes. -EFSCORRUPTED leaves an unusable graph: free it. The
 * graph must be fresh but for vexfs_graph_reserve().
 */
int vexfs_graph_load(struct vexfs_graph *g,
		     const struct vexfs_graph_filter *indexed, u32 entry,
		     u32 max_level, const void *upper, u64 upper_len);

#endif /* _VEXFS_HNSW_H */

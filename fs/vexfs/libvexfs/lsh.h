/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Locality-sensitive hashing: each slot has a sketch, the signs of random
 * projections of its row around the centre of the data, and is found in
 * several tables under as many words of it. A search looks into the buckets
 * that the neighbours of the query are most likely in, most likely first, and
 * ranks what it finds by the bits in which the sketches differ. Nothing here
 * knows rows or ids.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#ifndef _VEXFS_LSH_H
#define _VEXFS_LSH_H

#include "arena.h"
#include "../simd/project.h"

#define VEXFS_LSH_MAX_TABLES	32u
/* Bits of a word that can be a bucket's number. */
#define VEXFS_LSH_MAX_ADDRESS	24u
/* Recall is in ten thousandths. */
#define VEXFS_LSH_ONE		10000u
/* Slots, like the graph's, are numbers below this. */
#define VEXFS_LSH_MAX_SLOTS	0x3ffffff0u

/* Slots of one bucket of one table, plus one; 0 is an empty place. */
#define VEXFS_LSH_BLOCK		15u

struct vexfs_lsh_block {
	/** @next: another block, in the arena of those, plus one */
	u32	next;
	u32	slot[VEXFS_LSH_BLOCK];
};

/* The section that says how sketches are made: words, then the centre. */
struct vexfs_lsh_params {
	__le32	lp_trained;		/* rows there were then; 0: never */
	__le32	lp_scale;		/* float */
	__le32	lp_reserved[2];
	__le32	lp_centre[];		/* floats, one a bit */
};

/*
 * Changes are made under @lock, by those who hold what excludes
 * vexfs_lsh_reserve() (sem, in a collection). Searches take no lock: a slot's
 * sketch is written before its places in the tables, places are single words,
 * and a bucket that is divided is written before @nbuckets says so.
 */
struct vexfs_lsh {
	struct vexfs_projector pj;
	/** @tables, @words: words of a sketch, one for each table */
	u32		tables;
	/** @address: bits of a bucket's number, at most */
	u32		address;
	/** @trained: rows there were when the centre was found, 0: no centre */
	u32		trained;
	/** @generation: how many centres there were, 0 as long as none [lock] */
	u32		generation;
	/** @lock: who changes the tables */
	struct mutex	lock;
	/** @sketch: section LSH, a word a table */
	struct vexfs_arena sketch;
	/** @params: section LSH_PARAMS */
	struct vexfs_arena params;
	/** @in: a byte a slot: is it in the tables? [lock] */
	struct vexfs_arena in;
	/** @bucket: first block of bucket b in table t is b * tables + t */
	struct vexfs_arena bucket;
	/** @more: further blocks */
	struct vexfs_arena more;
	/** @nbuckets: of each table, so far [lock to change] */
	u32		nbuckets;
	/** @count: slots that are in the tables [lock] */
	u32		count;
	/** @more_used, @more_free: taken so far; free list, plus one [lock] */
	u32		more_used;
	u32		more_free;
	u32		more_nfree;
	/** @near: bits in which hits differed from queries of late */
	u32		near;
	void		*work;
	void		*work_mem;
};

struct vexfs_lsh_config {
	const struct vexfs_space *space;
	u32	tables;			/* 1 .. VEXFS_LSH_MAX_TABLES */
	u32	address;		/* 1 .. VEXFS_LSH_MAX_ADDRESS */
	u64	seed;
};

/* Empty. -EINVAL, -EOPNOTSUPP, -ENOMEM. */
int vexfs_lsh_init(struct vexfs_lsh *lsh, const struct vexfs_lsh_config *cfg);
/* Also of zeroes. */
void vexfs_lsh_free(struct vexfs_lsh *lsh);
u64 vexfs_lsh_memory(const struct vexfs_lsh *lsh);

/* [excludes all others] Memory for slots [0, slots) and their buckets. */
int vexfs_lsh_reserve(struct vexfs_lsh *lsh, u32 slots);
/*
 * [excludes all others] Blocks for @n slots more, so that adding them can't
 * fail; vexfs_lsh_has_room() says whether that is needed.
 */
int vexfs_lsh_make_room(struct vexfs_lsh *lsh, u32 n);
bool vexfs_lsh_has_room(const struct vexfs_lsh *lsh, u32 n);

static inline u32 *vexfs_lsh_sketch(const struct vexfs_lsh *lsh, u32 slot)
{
	return vexfs_arena_item(&lsh->sketch, slot);
}

/* Sketches of rows that are going to be in slots from @slot on. */
void vexfs_lsh_hash(struct vexfs_lsh *lsh, u32 slot, const void *const *rows,
		    u32 n);
/* Forgets the sketch of a slot that is in no table. */
void vexfs_lsh_forget(struct vexfs_lsh *lsh, u32 slot);

/* [lock] Its sketch was written; there is room. Returns once it can be found. */
void vexfs_lsh_add(struct vexfs_lsh *lsh, u32 slot);
/* [lock] Out of the tables, and its sketch is zeroed. */
void vexfs_lsh_remove(struct vexfs_lsh *lsh, u32 slot);

static inline bool vexfs_lsh_has(const struct vexfs_lsh *lsh, u32 slot)
{
	const u8 *in = vexfs_arena_item(&lsh->in, slot);

	return READ_ONCE(*in);
}

/*
 * [excludes all others] The centre of a sample of @n from @live rows, by its
 * sums; everything that is in the tables is thrown out.
 */
void vexfs_lsh_restart(struct vexfs_lsh *lsh, const u64 *sum, u32 n, u32 live);
/* Words of the section of parameters; that, as it was read: -EFSCORRUPTED. */
u32 vexfs_lsh_param_words(const struct vexfs_lsh *lsh);
int vexfs_lsh_load_params(struct vexfs_lsh *lsh);

/* A search: what one task needs for it. */
struct vexfs_lsh_scratch;

struct vexfs_lsh_scratch *vexfs_lsh_scratch_alloc(const struct vexfs_lsh *lsh);
void vexfs_lsh_scratch_free(struct vexfs_lsh_scratch *sc);

struct vexfs_lsh_cand {
	u32	slot;
	u32	apart;			/* bits that differ */
};

/* A new query, a row. May sleep; -ENOMEM. */
int vexfs_lsh_query(const struct vexfs_lsh *lsh, const void *row,
		    struct vexfs_lsh_scratch *sc);
/*
 * Looks into buckets until a slot whose sketch differs in @apart bits has
 * been found with a probability of at least @recall (ten thousandths), or
 * until there are @most candidates: -E2BIG. Those that no call before found
 * are candidates now.
 */
int vexfs_lsh_probe(const struct vexfs_lsh *lsh, struct vexfs_lsh_scratch *sc,
		    u32 apart, u32 recall, u32 most);
/*
 * The next @n candidates at most, in order of what they are apart, with
 * @apart or less. Each is handed out once.
 */
u32 vexfs_lsh_next(struct vexfs_lsh_scratch *sc, u32 apart,
		   struct vexfs_lsh_cand *out, u32 n);
/* Of the bits in which slots at the last probe's angle differ: its variance. */
u32 vexfs_lsh_variance(const struct vexfs_lsh_scratch *sc);
/* Bits in which a slot differs from the query. */
u32 vexfs_lsh_apart(const struct vexfs_lsh *lsh,
		    const struct vexfs_lsh_scratch *sc, u32 slot);
/* Buckets looked into, and candidates, since the query began. */
void vexfs_lsh_effort(const struct vexfs_lsh_scratch *sc, u32 *probes,
		      u32 *candidates);
/* Tells of each bucket that is looked into, for tests. */
typedef void (*vexfs_lsh_seen_fn)(void *priv, u32 table, u32 bucket, u32 cost);
void vexfs_lsh_watch(struct vexfs_lsh_scratch *sc, vexfs_lsh_seen_fn fn,
		     void *priv);

#endif /* _VEXFS_LSH_H */

/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A collection inside: what the coll_*.c files share.
 *
 * A slot is in one of these states:
 *
 *   free      no flag; in @reusable, or taken by the insert under way
 *   live      LIVE, with PENDING until it is INDEXED (not for a flat index)
 *   dead      SCRUB; in the ring @freed until nothing remains of it
 *
 * The way of a dead slot through @freed, each step a cursor of the ring:
 *
 *   tail       it was deleted; the record is in the log
 *   committed  the record is durable: the row may be overwritten
 *   quiet      nobody is left who might have met it while it was live
 *   zeroed     out of the graph, row and code are zeroes
 *   head       the zeroes are durable as well: it is free
 *
 * So a crash never leaves an id with the bytes of a later vector, nor a
 * checkpoint that says a row is zeroed while it isn't.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#ifndef _VEXFS_COLL_PRIV_H
#define _VEXFS_COLL_PRIV_H

#include <linux/vexfs.h>

#include "../simd/simd.h"
#include "coll.h"
#include "hnsw.h"
#include "idmap.h"
#include "lsh.h"

/* In memory only, next to VEXFS_SLOT_* */
#define VEXFS_SLOT_PENDING	0x80	/* in the ring of pending slots */
#define VEXFS_SLOT_MARKED	0x40	/* met in the batch of ids under way */
#define VEXFS_SLOT_ON_DISK \
	(VEXFS_SLOT_LIVE | VEXFS_SLOT_INDEXED | VEXFS_SLOT_SCRUB)

#define VEXFS_BATCH_ROWS	VEXFS_BATCH_MAX
/* Chunks of the index fork: files end at 16 TiB */
#define VEXFS_MAX_CHUNKS	(64u << 20)
/* Bytes of vectors handled at a time, as an FPU section may take */
#define VEXFS_SPAN_BYTES	(64u << 10)
/* Slots handled under the innermost lock at a time */
#define VEXFS_LOCK_BATCH	256u

/*
 * A ring of slots: cursors only ever grow, entry i is at i & mask. Those who
 * add reserve room first.
 */
struct vexfs_ring {
	u32	*slot;
	u32	mask;
	u64	head;
	u64	tail;
};

int vexfs_ring_init(struct vexfs_ring *ring);
void vexfs_ring_free(struct vexfs_ring *ring);
int vexfs_ring_reserve(struct vexfs_ring *ring, u32 extra, rwlock_t *lock);
/* @n slots that are in the ring, from @from on. */
void vexfs_ring_read(const struct vexfs_ring *ring, u64 from, u32 n,
		     u32 *slots);
void vexfs_ring_write(struct vexfs_ring *ring, u64 from, u32 n,
		      const u32 *slots);

static inline u32 vexfs_ring_at(const struct vexfs_ring *ring, u64 i)
{
	return ring->slot[i & ring->mask];
}

static inline void vexfs_ring_push(struct vexfs_ring *ring, u32 slot)
{
	ring->slot[ring->tail & ring->mask] = slot;
	ring->tail++;
}

static inline u32 vexfs_ring_len(const struct vexfs_ring *ring)
{
	return ring->tail - ring->head;
}

/* Where the chunks of one section lie. */
struct vexfs_ckpt_map {
	u64	bytes;
	u32	nchunks;
	struct vexfs_ckpt_chunk *chunk;
};

/* Sections in the order in which they are written */
enum {
	VEXFS_CK_IDS,
	VEXFS_CK_FLAGS,
	VEXFS_CK_GRAPH0,
	VEXFS_CK_UPPER,
	VEXFS_CK_CODES,
	VEXFS_CK_LSH,
	VEXFS_CK_LSH_PARAMS,
	VEXFS_CK_NR,
};

/* Rows that an index gets ready for at a time. */
#define VEXFS_INDEX_ROWS	64u

struct vexfs_coll;
struct vexfs_coll_searcher;

/*
 * What an index does for a collection; what it has no use for is NULL. Locks
 * in brackets are held by the caller, besides write_lock or index_lock as it
 * says.
 */
struct vexfs_index_ops {
	/** @sections: BIT(VEXFS_CK_*) of those it adds to a checkpoint */
	u32	sections;
	/** @mode: VEXFS_MODE_* of a search that it answered */
	u8	mode;
	/** @holds: it takes rows in, so that they are waiting until then */
	bool	holds;
	/** @serial: it does so with index_lock held for writing */
	bool	serial;
	int (*init)(struct vexfs_coll *coll);
	/* Also after an @init that failed, or none; @init may follow */
	void (*free)(struct vexfs_coll *coll);
	/* [sem for writing] Memory for the slots [0, slots). */
	int (*reserve)(struct vexfs_coll *coll, u32 slots);
	u64 (*memory)(const struct vexfs_coll *coll);
	/*
	 * Those that take rows in as they are inserted have a generation, 0 as
	 * long as they can't, which changes when all rows have to be taken in
	 * again. With that of the beginning of the batch come its rows, when
	 * they have been written, then the slots that are going to be live
	 * next, or that are not to be [write_lock]. Those that it has then
	 * don't wait.
	 */
	u32 (*generation)(const struct vexfs_coll *coll);
	void (*rows)(struct vexfs_coll *coll, u32 generation, u32 slot, u32 n,
		     const void *rows);
	void (*enter)(struct vexfs_coll *coll, u32 generation, u32 slot,
		      u32 n);
	void (*forget)(struct vexfs_coll *coll, u32 slot, u32 n);
	/* [write_lock] After a batch. */
	void (*settle)(struct vexfs_coll *coll);
	/* [index_lock] Before VEXFS_INDEX_ROWS rows are added, or less. */
	int (*ready)(struct vexfs_coll *coll);
	/*
	 * [index_lock, sem] A row, which is live and waiting. Several tasks
	 * may do this at a time; @remove excludes them.
	 */
	int (*add)(struct vexfs_coll *coll, u32 slot);
	/*
	 * @group_max rows at most that are near each other, as @sort put them
	 * in order; *done: so many were added, also when there was an error.
	 */
	u32	group_max;
	int (*add_group)(struct vexfs_coll *coll, const u32 *slots, u32 n,
			 u32 *done);
	/*
	 * [index_lock for writing, sem not held] Puts waiting slots into an
	 * order in which near ones follow each other.
	 */
	int (*sort)(struct vexfs_coll *coll, u32 *slots, u32 n);
	/* [index_lock] Is there work to do on the index itself? */
	bool (*tend_due)(const struct vexfs_coll *coll);
	/*
	 * [index_lock, sem not held] Does a little of it, beside others. 1, or
	 * 0 when there is none that can be shared.
	 */
	int (*tend_share)(struct vexfs_coll *coll);
	/* [index_lock for writing, sem not held] What only one can do. */
	int (*tend)(struct vexfs_coll *coll);
	bool (*has)(const struct vexfs_coll *coll, u32 slot);
	int (*remove)(struct vexfs_coll *coll, u32 slot);
	/* The arena that is this section, NULL for none. */
	struct vexfs_arena *(*arena)(struct vexfs_coll *coll, u32 sect);
	/* Items of a section when there are so many slots; NULL: as many. */
	u32 (*items)(const struct vexfs_coll *coll, u32 sect, u32 slots);
	/* Reads what it has in a checkpoint; @buf is VEXFS_CHUNK_SIZE. */
	int (*load)(struct vexfs_coll *coll, const struct vexfs_ckpt_dir *dir,
		    void *buf);
	/* Would a scan cost less? @ef is never less than k. */
	bool (*scan_wins)(struct vexfs_coll *coll, u32 live, u32 ef);
	/* [sem] Where the query goes, with memory for a search. */
	int (*prepare)(struct vexfs_coll_searcher *s, u32 ef,
		       struct vexfs_query **query);
	/* [sem] -EAGAIN when it hadn't enough. */
	int (*search)(struct vexfs_coll_searcher *s, u32 k, u32 ef,
		      struct vexfs_coll_hit *hits, u32 *count);
	/*
	 * [sem until the end] Or in steps, as long as they return 1: each asks
	 * for the memory that the next one reads. @end as @search; without it,
	 * or after an error, @cancel.
	 */
	int (*begin)(struct vexfs_coll_searcher *s);
	int (*step)(struct vexfs_coll_searcher *s);
	int (*end)(struct vexfs_coll_searcher *s, struct vexfs_coll_hit *hits,
		   u32 *count);
	void (*cancel)(struct vexfs_coll_searcher *s);
};

extern const struct vexfs_index_ops vexfs_flat_ops;
extern const struct vexfs_index_ops vexfs_hnsw_ops;
extern const struct vexfs_index_ops vexfs_lsh_ops;

/* A checkpoint: the one on disk, or the one being made. */
struct vexfs_ckpt {
	u64	off;			/* of the directory */
	u32	len;			/* 0: there is none */
	u32	csum;
	struct vexfs_ckpt_map map[VEXFS_CK_NR];
};

/* Rows that are taken into an index together, at most. */
#define VEXFS_GROUP_MAX		16u

/* What a task needs that takes rows into the index. */
#define VEXFS_INDEXERS	8u

struct vexfs_indexer {
	/** @lock: held while a task uses it */
	struct mutex lock;
	/** @scratch, @pins: [lock] */
	struct vexfs_graph_scratch *scratch;
	struct vexfs_row_pins *pins;
};

struct vexfs_coll {
	struct vexfs_coll_config cfg;
	struct vexfs_space sp;
	const struct vexfs_index_ops *ops;
	const struct vexfs_coll_io *io;
	void *priv;
	/** @span: rows that are handled at a time */
	u32 span;

	/** @write_lock: a batch, a commit */
	struct mutex write_lock;
	/** @index_lock: the graph; read: to insert, write: all else */
	struct rw_semaphore index_lock;
	/** @sem: arenas may move, slots become free; see coll.h */
	struct rw_semaphore sem;
	/** @lock: innermost; guards what says [lock] */
	rwlock_t lock;

	/** @ids, @flags: __le64 and u8 a slot [sem to grow, lock to change] */
	struct vexfs_arena ids;
	struct vexfs_arena flags;
	/** @cap: slots that there is memory for [sem] */
	u32 cap;
	/** @slots: that exist [lock] */
	u32 slots;
	/** @live, @waiting: vectors; those not in the index yet [lock] */
	u32 live;
	u32 waiting;
	/** @map: of the live ones [lock] */
	struct vexfs_idmap map;
	/** @pending: for the index, the dead ones among them too [lock] */
	struct vexfs_ring pending;
	/** @freed, and the cursors of the ring; see above [lock] */
	struct vexfs_ring freed;
	u64 committed;
	u64 quiet;
	u64 zeroed;
	/** @reusable: free slots [lock; write_lock to take from it] */
	u32 *reusable;
	u32 nreusable;
	u32 reusable_cap;

	/** @next_id, @log_*: [write_lock, and lock to change] */
	u64 next_id;
	u64 log_end;
	u64 log_seq;
	/** @durable_end: of the log, as of the last commit [lock] */
	u64 durable_end;
	/** @commit_zeroed: @zeroed when the commit under way began */
	u64 commit_zeroed;
	/** @replaces: the insert under way replaces ids [write_lock] */
	bool replaces;
	/** @bounce: room for @span rows [write_lock] */
	void *bounce;
	/** @zeroes: as many, constant */
	void *zeroes;

	/** @graph, @lsh: [index_lock] */
	struct vexfs_graph graph;
	struct vexfs_lsh lsh;
	/** @indexer: the first can always be used */
	struct vexfs_indexer indexer[VEXFS_INDEXERS];
	/** @claimed: in the ring of pending slots, where the rest begins [lock] */
	u64 claimed;
	/** @claim_top: the furthest that it has been [lock] */
	u64 claim_top;
	/** @grouped: up to where near ones follow each other [index_lock] */
	u64 grouped;
	/** @inflight: claimed slots that are being taken in [lock] */
	u32 inflight;
	/** @claim_again: once they are done, from the head on [lock] */
	bool claim_again;
	/** @stale: pending slots that are still in the graph [index_lock] */
	u32 stale;
	/** @unsaved: what was done to the index since the checkpoint [lock] */
	u32 unsaved;

	/** @ckpt: on disk; @next: being made [write_lock] */
	struct vexfs_ckpt ckpt;
	struct vexfs_ckpt next;
	/** @chunk_used: chunks of the index fork in use [write_lock] */
	unsigned long *chunk_used;
	u32 chunk_bits;
	/** @next_unsaved: @unsaved when @next was begun [write_lock] */
	u32 next_unsaved;

	u32 rebuilt;
	bool damaged;
};

/* Is there an index that rows have to be taken into? */
static inline bool vexfs_coll_holds(const struct vexfs_coll *coll)
{
	return coll->ops->holds;
}

static inline u64 vexfs_coll_id(const struct vexfs_coll *coll, u32 slot)
{
	const __le64 *id = vexfs_arena_item(&coll->ids, slot);

	return le64_to_cpu(READ_ONCE(*id));
}

static inline u8 vexfs_coll_flags(const struct vexfs_coll *coll, u32 slot)
{
	const u8 *flags = vexfs_arena_item(&coll->flags, slot);

	/* Pairs with the release in vexfs_coll_set_flags() */
	return smp_load_acquire(flags);
}

static inline bool vexfs_coll_is_live(const struct vexfs_coll *coll, u32 slot)
{
	return vexfs_coll_flags(coll, slot) & VEXFS_SLOT_LIVE;
}

static inline u32 vexfs_chunks(u64 bytes)
{
	return (bytes + VEXFS_CHUNK_SIZE - 1) / VEXFS_CHUNK_SIZE;
}

/* Bytes of a section that are in its chunk @c. */
static inline u32 vexfs_chunk_len(u64 bytes, u32 c)
{
	return min_t(u64, bytes - (u64)c * VEXFS_CHUNK_SIZE,
		     VEXFS_CHUNK_SIZE);
}

/* coll_slot.c */
/* For up to @rows, at most VEXFS_PIN_MAX. */
struct vexfs_row_pins *vexfs_coll_pins_alloc(const struct vexfs_coll *coll,
					     u32 rows);
void vexfs_coll_pins_free(struct vexfs_row_pins *pins);
int vexfs_coll_grow(struct vexfs_coll *coll, u32 slots);
int vexfs_coll_room(struct vexfs_coll *coll, u32 inserts, u32 deletes);
void vexfs_coll_set_flags(struct vexfs_coll *coll, u32 slot, u8 clear, u8 set);
void vexfs_coll_publish(struct vexfs_coll *coll, u32 slot, u64 id,
			bool indexed);
void vexfs_coll_kill(struct vexfs_coll *coll, u32 slot);
u32 vexfs_coll_take(struct vexfs_coll *coll, u32 n, u32 *slots);
void vexfs_coll_give_back(struct vexfs_coll *coll, u32 slot, u32 n);
int vexfs_coll_zero_rows(struct vexfs_coll *coll, u32 slot, u32 n);

/* coll_log.c */
size_t vexfs_log_len(u32 count, u32 nruns);
struct vexfs_log_record *vexfs_log_alloc(u16 type, u32 count, u32 nruns);
struct vexfs_slot_run *vexfs_log_runs(struct vexfs_log_record *lr);
__le64 *vexfs_log_ids(struct vexfs_log_record *lr);
int vexfs_log_append(struct vexfs_coll *coll, struct vexfs_log_record *lr,
		     u64 next_id);
int vexfs_log_replay(struct vexfs_coll *coll,
		     const struct vexfs_coll_header *ch);

/* coll_commit.c */
void vexfs_commit_fill(struct vexfs_coll *coll, struct vexfs_coll_commit *c);
void vexfs_commit_apply(struct vexfs_coll *coll,
			const struct vexfs_coll_commit *c);

/* coll_index.c */
int vexfs_coll_index_init(struct vexfs_coll *coll);
void vexfs_coll_index_free(struct vexfs_coll *coll);
int vexfs_coll_drop_stale(struct vexfs_coll *coll);
void vexfs_coll_kick(struct vexfs_coll *coll);

/* coll_group.c */
bool vexfs_group_wanted(struct vexfs_coll *coll);
int vexfs_group_pending(struct vexfs_coll *coll);
int vexfs_hnsw_sort(struct vexfs_coll *coll, u32 *slots, u32 n);

/* coll_ckpt.c, coll_load.c */
extern const u32 vexfs_ckpt_types[VEXFS_CK_NR];
struct vexfs_arena *vexfs_ckpt_arena(struct vexfs_coll *coll, u32 sect);
u32 vexfs_ckpt_item_size(const struct vexfs_coll *coll, u32 sect);
bool vexfs_ckpt_has(const struct vexfs_coll *coll, u32 sect);
u32 vexfs_ckpt_items(const struct vexfs_coll *coll, u32 sect, u32 slots);
u32 vexfs_ckpt_sections(const struct vexfs_coll *coll);
int vexfs_chunk_read(struct vexfs_coll *coll, const struct vexfs_ckpt_map *m,
		     u32 c, void *buf);
int vexfs_load_arena(struct vexfs_coll *coll, u32 sect, void *buf);
void vexfs_ckpt_free(struct vexfs_ckpt *ckpt);
int vexfs_ckpt_load(struct vexfs_coll *coll,
		    const struct vexfs_coll_header *ch);

#endif /* _VEXFS_COLL_PRIV_H */

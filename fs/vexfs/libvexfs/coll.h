/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A collection in memory: which ids there are and in which slots, the log
 * that makes it so again after a restart, the index, checkpoints, searches.
 * Shared core: the file reads and writes go through struct vexfs_coll_io,
 * which is the page cache in the kernel and a memory image in unit tests.
 *
 * Locks, outermost first:
 *   write_lock   inserts, deletes, commits: one at a time
 *   index_lock   the graph; read: to insert, many at a time; write: all else
 *   indexer.lock what an inserting task needs
 *   sem          read: searches and everything that looks at slots;
 *                write: growing arenas, handing freed slots out again
 * Searches take sem for reading only and don't wait for inserts: an insert
 * publishes a slot's contents before its live flag, and a search looks at the
 * flag again after it computed the distance.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#ifndef _VEXFS_COLL_H
#define _VEXFS_COLL_H

#include "core.h"

struct vexfs_coll_config {
	u32	dims;
	u32	stride;			/* bytes of a row in the file */
	u32	row_bytes;		/* bytes that the elements take */
	u8	elem;			/* enum vexfs_elem_type */
	u8	metric;
	u8	index;
	u32	m;
	u32	ef_construction;
	u32	ef;
	u32	lsh_tables;
	u32	lsh_bits;		/* of an address at most, 0: any */
	u32	lsh_recall;		/* in ten thousandths */
	u64	seed;
	u64	owner;			/* inode number */
	u32	csum_seed;
	/* for fsck: opens what can be read, and believes the log over counts */
	bool	salvage;
};

/* -EINVAL or -EOPNOTSUPP; fills in the defaults for zeroes. */
int vexfs_coll_config_check(struct vexfs_coll_config *cfg);
void vexfs_coll_config_to_header(const struct vexfs_coll_config *cfg,
				 struct vexfs_coll_header *ch);
int vexfs_coll_config_from_header(const struct vexfs_coll_header *ch,
				  struct vexfs_coll_config *cfg);

/* Rows made addressable: refs[i] is valid until they are unpinned. */
#define VEXFS_PIN_MAX	64

struct vexfs_row_pins {
	unsigned int	n;
	const void	*row[VEXFS_PIN_MAX];
	void		*cookie[VEXFS_PIN_MAX];
	/** @bounce: room for the n rows asked for, for those that straddle */
	void		*bounce;
};

/*
 * What a collection needs from its owner. All may sleep; fork positions are
 * bytes; reads beyond what was written give -EIO.
 */
struct vexfs_coll_io {
	int (*pin_rows)(void *priv, const u32 *slots, unsigned int n,
			struct vexfs_row_pins *pins);
	void (*unpin_rows)(void *priv, struct vexfs_row_pins *pins);
	/* n rows of stride bytes each at slot; used to write and to scrub */
	int (*write_rows)(void *priv, u32 slot, u32 n, const void *rows);
	int (*fork_read)(void *priv, enum vexfs_fork fork, u64 pos, void *buf,
			 size_t len);
	int (*fork_write)(void *priv, enum vexfs_fork fork, u64 pos,
			  const void *buf, size_t len);
	/* work for vexfs_coll_index() has come up */
	void (*kick)(void *priv);
	/* true when the calling task is to give up: -EINTR */
	bool (*killed)(void *priv);
};

struct vexfs_coll;

/*
 * Opens what the header describes: loads the checkpoint, replays the log
 * after it. Rows that the checkpoint's graph lacks become pending. A damaged
 * checkpoint is not an error as long as the log is whole from the start: it
 * is reported through vexfs_coll_stat.damaged and everything is indexed
 * again; a damaged log is -EFSBADCRC or -EFSCORRUPTED. There may be work for
 * vexfs_coll_index() from the start: deleted rows that are still to be zeroed,
 * rows to be indexed. io->kick is not called before the open has returned.
 */
struct vexfs_coll *vexfs_coll_open(const struct vexfs_coll_config *cfg,
				   const struct vexfs_coll_header *ch,
				   const struct vexfs_coll_io *io, void *priv);
void vexfs_coll_free(struct vexfs_coll *coll);

/*
 * Insert, in steps, so that the owner can stream rows of any number through
 * a small buffer: begin (checks ids, chooses slots; takes write_lock), rows
 * in order, any number at a time, then end (logs and publishes the batch) or
 * abort. @ids NULL: assigned, first_id; else @ids stays until the end. Rows
 * are row_bytes each, packed @stride apart; padding to the stride is done
 * here. -EINVAL for an element that is not finite. When _rows() fails the
 * batch must be aborted; when _end() fails, it has been.
 */
struct vexfs_coll_insert {
	struct vexfs_coll *coll;
	const u64	*ids;
	u32		count;
	u32		done;
	u64		first_id;
	u32		nruns;
	/** @run, @in_run: where row @done goes */
	u32		run;
	u32		in_run;
	/** @generation: of the index when it began */
	u32		generation;
	struct vexfs_slot_run *runs;
	void		*record;
	size_t		record_len;
};

#define VEXFS_COLL_UPSERT	0x1
#define VEXFS_COLL_IGNORE	0x2

/*
 * Between begin and end or abort no other batch is written. When rows or end
 * fail, nothing is visible yet and the caller aborts.
 */
int vexfs_coll_insert_begin(struct vexfs_coll *coll, const u64 *ids, u32 count,
			    unsigned int flags, struct vexfs_coll_insert *ins);
int vexfs_coll_insert_rows(struct vexfs_coll_insert *ins, const void *rows,
			   u32 n, size_t stride);
int vexfs_coll_insert_end(struct vexfs_coll_insert *ins);
void vexfs_coll_insert_abort(struct vexfs_coll_insert *ins);

/* *deleted: how many there were. -ENOENT as in the ABI. */
int vexfs_coll_delete(struct vexfs_coll *coll, const u64 *ids, u32 count,
		      unsigned int flags, u32 *deleted);

/* Slot of @id or -ENOENT; the caller holds vexfs_coll_read_lock(). */
int vexfs_coll_find(struct vexfs_coll *coll, u64 id, u32 *slot);
void vexfs_coll_read_lock(struct vexfs_coll *coll);
void vexfs_coll_read_unlock(struct vexfs_coll *coll);
/* Next live slot >= *slot; false at the end. Read lock held. */
bool vexfs_coll_next(struct vexfs_coll *coll, u32 *slot, u64 *id);

/* A search. One per thread; scratch is reused from call to call. */
struct vexfs_coll_hit {
	u64	id;
	u32	key;			/* see vexfs_key_to_float_bits() */
	u32	slot;
};

struct vexfs_coll_searcher;

struct vexfs_coll_searcher *vexfs_coll_searcher_alloc(struct vexfs_coll *coll);
void vexfs_coll_searcher_free(struct vexfs_coll_searcher *s);

#define VEXFS_COLL_EXACT	0x1

struct vexfs_coll_result {
	u32	count;
	u32	mode;			/* VEXFS_MODE_* of the ABI */
	u64	compared;
};

/*
 * The k nearest of @query (row_bytes). -EINVAL if an element is not finite,
 * -EINTR, -ENOMEM, -EIO. @hits has room for k.
 */
int vexfs_coll_search(struct vexfs_coll_searcher *s, const void *query, u32 k,
		      u32 ef, unsigned int flags, struct vexfs_coll_hit *hits,
		      struct vexfs_coll_result *res);

/*
 * The same for @n queries, one after the other in memory, k places of @hits
 * and one of @res to each. Where all rows are compared, one pass over them
 * serves many queries. A change meanwhile may be seen by some queries only.
 */
int vexfs_coll_search_many(struct vexfs_coll_searcher *s, const void *queries,
			   u32 n, u32 k, u32 ef, unsigned int flags,
			   struct vexfs_coll_hit *hits,
			   struct vexfs_coll_result *res);

/*
 * How many of @n queries are best given to one such call, if they have to be
 * copied for it: what a scan compares with a row at a time, or what stays in the
 * cache. A call may search otherwise than this foresees.
 */
u32 vexfs_coll_search_most(struct vexfs_coll_searcher *s, u32 n, u32 k, u32 ef,
			   unsigned int flags);

/*
 * Takes up to @budget pending rows into the index and repairs what deletes
 * left. Returns how many rows are still waiting, but for those that others are
 * just taking in, or negative. Called by the workers, any number of them at a
 * time, and by inserters when the tail is too long.
 */
long vexfs_coll_index(struct vexfs_coll *coll, u32 budget);
/*
 * Work that the index does on itself, so that searches of it are faster: some
 * milliseconds of it. Returns 1 as long as there is more to do, 0, or negative.
 * Called by the worker after vexfs_coll_index(); nothing depends on it.
 */
int vexfs_coll_tend(struct vexfs_coll *coll);
/* Pending rows beyond this make inserters help. */
u32 vexfs_coll_tail_bound(struct vexfs_coll *coll);

/*
 * Commit: begin notes what is to be durable (and returns false when nothing
 * changed since the last), the owner writes rows and log to stable storage,
 * vexfs_coll_commit_header() puts it into the header block (in a
 * transaction), end makes slots freed before it reusable after scrubbing.
 * One commit at a time.
 */
struct vexfs_coll_commit {
	u64	slots;
	u64	live;
	u64	next_id;
	u64	log_end;
	u64	log_seq;
	u64	free_upto;
};

bool vexfs_coll_commit_begin(struct vexfs_coll *coll,
			     struct vexfs_coll_commit *c);
void vexfs_coll_commit_header(const struct vexfs_coll_commit *c,
			      struct vexfs_coll_header *ch);
void vexfs_coll_commit_end(struct vexfs_coll *coll,
			   const struct vexfs_coll_commit *c, int error);

/*
 * Checkpoint: writes the changed chunks of ids, flags, graph and codes to
 * free chunks of the index fork. It is a commit as well, so that no insert
 * can slip in between the two. After _begin() the owner makes the rows and
 * the index fork durable (the log needn't be), puts *out into the header with
 * _header() in a transaction, makes that durable and says so with _done():
 * only then are the old chunks free and the log empty (it may be truncated).
 * Inserts, deletes and commits wait from a _begin() that returned 0 to the
 * _done(), which the same task must call. When it failed, @error says how.
 */
struct vexfs_coll_checkpoint {
	struct vexfs_coll_commit commit;
	u64	ckpt_off;
	u32	ckpt_len;
	u32	ckpt_csum;
	u64	log_start;
	u64	log_end;
	u64	ckpt_log_seq;
	bool	log_reset;
};

bool vexfs_coll_checkpoint_wanted(struct vexfs_coll *coll, bool closing);
int vexfs_coll_checkpoint_begin(struct vexfs_coll *coll,
				struct vexfs_coll_checkpoint *out);
void vexfs_coll_checkpoint_header(const struct vexfs_coll_checkpoint *c,
				  struct vexfs_coll_header *ch);
void vexfs_coll_checkpoint_done(struct vexfs_coll *coll,
				const struct vexfs_coll_checkpoint *c,
				int error);

struct vexfs_coll_stat {
	u64	live;
	u64	slots;
	u64	indexed;
	u64	pending;
	u64	next_id;
	u64	memory;			/* bytes of ids, graph, codes */
	u64	uncommitted;		/* log bytes not in the header yet */
	u32	max_level;
	u32	buckets;		/* LSH: of each table */
	u32	rebuilt;		/* pending when it was opened */
	bool	damaged;
};

void vexfs_coll_stat(struct vexfs_coll *coll, struct vexfs_coll_stat *st);

#endif /* _VEXFS_COLL_H */

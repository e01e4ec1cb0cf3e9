/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A collection whose file, forks and header are in memory, for tests: it can
 * record every write, fail on demand, and be put back to what a crash left.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#ifndef _VEXFS_COLL_MEM_H
#define _VEXFS_COLL_MEM_H

#include "coll.h"

enum mem_area {
	MEM_ROWS,
	MEM_LOG,
	MEM_INDEX,
	MEM_AREAS,
};

/* What is on the device. */
struct mem_store {
	u8	*data[MEM_AREAS];
	u64	len[MEM_AREAS];		/* what was written, read no further */
	u64	cap[MEM_AREAS];
	struct vexfs_coll_header header;
};

enum mem_event_type {
	MEM_WRITE,
	MEM_FLUSH,
	MEM_HEADER,			/* durable, as all before it */
};

struct mem_event {
	enum mem_event_type type;
	enum mem_area area;
	u64	pos;
	u32	len;
	u32	mark;			/* of the owner when it happened */
	u8	*data;
};

struct mem_coll {
	struct mem_store store;
	struct vexfs_coll_config cfg;
	struct vexfs_coll *coll;
	/** @lock: of all that follows */
	pthread_mutex_t lock;
	struct mem_event *event;
	u32	nevents;
	u32	events_cap;
	bool	record;
	u32	mark;
	/** @fail_write: the n-th write from now on fails; so for reads */
	int	fail_write;
	int	fail_read;
	int	pinned;
	int	kicks;
	bool	killed;
};

/* Of an index, for the names of tests. */
static inline const char *mem_index_name(u8 index)
{
	return index == VEXFS_INDEX_FLAT ? "flat" :
	       index == VEXFS_INDEX_LSH ? "hashes" : "graph";
}

void mem_store_init(struct mem_store *st, const u64 cap[MEM_AREAS]);
void mem_store_free(struct mem_store *st);
void mem_store_copy(struct mem_store *to, const struct mem_store *from);
void mem_store_write(struct mem_store *st, enum mem_area area, u64 pos,
		     const void *buf, u64 len);

/* A new, empty collection; cfg is completed and checked. */
int mem_create(struct mem_coll *m, const struct vexfs_coll_config *cfg,
	       u32 max_slots);
void mem_destroy(struct mem_coll *m);
/* Opens what the store holds; an error, or 0. */
int mem_open(struct mem_coll *m);
void mem_close(struct mem_coll *m);
/* As fsync() does; @fail: the device does after the writes. */
int mem_commit(struct mem_coll *m, int fail);
int mem_checkpoint(struct mem_coll *m, int fail);
/* Until there is nothing left to index or to sweep. */
int mem_settle(struct mem_coll *m);

/* One batch. @rows are packed, row_bytes each. */
int mem_insert(struct mem_coll *m, const u64 *ids, u32 count,
	       unsigned int flags, const void *rows, u64 *first_id);

/* What a collection should hold: the version of each id's vector, 0: none. */
#define MEM_IDS	256u

struct mem_model {
	u32	version[MEM_IDS];
};

/* The vector of a version, small integers so that distances are exact. */
void mem_row(const struct mem_coll *m, u64 id, u32 version, float *row);
/* Inserts ids with the vectors of @version; into the model if it went well. */
int mem_put(struct mem_coll *m, struct mem_model *model, const u64 *ids,
	    u32 n, unsigned int flags, u32 version);
int mem_del(struct mem_coll *m, struct mem_model *model, const u64 *ids,
	    u32 n);
/* How many ids, rows and counts are not as the model has them. */
u32 mem_differs(struct mem_coll *m, const struct mem_model *want);

#endif /* _VEXFS_COLL_MEM_H */

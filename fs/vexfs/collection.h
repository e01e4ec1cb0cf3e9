/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A loaded collection as the module sees it: the shared core's object, the
 * inodes that hold its rows and forks, and the work done in the background.
 * Private to collection.c, coll_*.c and worker.c.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#ifndef _VEXFS_COLLECTION_H
#define _VEXFS_COLLECTION_H

#include <linux/atomic.h>
#include <linux/errseq.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/spinlock.h>
#include <linux/uaccess.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#include <uapi/linux/vexfs.h>

#include "vexfs.h"
#include "libvexfs/coll.h"

/* Forks that exist: the log and the index. */
#define VEXFS_COLL_NFORKS	2

/* User data passes through a buffer of at most this many bytes. */
#define VEXFS_COLL_BOUNCE	(256u << 10)

/* What is not in the header after this time is committed. */
#define VEXFS_COLL_COMMIT_DELAY	(5 * HZ)
/* A collection that nobody has open or used for so long is unloaded. */
#define VEXFS_COLL_IDLE		(600 * HZ)

/* Tasks that index one collection beside its own worker, at most. */
#define VEXFS_COLL_HELPERS	7

struct vexfs_collection;

struct vexfs_index_helper {
	struct work_struct	work;
	struct vexfs_collection	*c;
};

/* Searchers kept for the next search. */
#define VEXFS_COLL_SEARCHERS	4

enum {
	VEXFS_COLL_STOP,	/* being unloaded: no new background work */
	VEXFS_COLL_QUIET,	/* written out for remount,ro: keep it so */
	VEXFS_COLL_RECLAIM,	/* the shrinker wants its memory */
	VEXFS_COLL_GONE,	/* unloaded, about to be freed */
};

/**
 * struct vexfs_collection - one that is loaded
 * @inode: rows; a reference that keeps the inode in memory
 * @fork: log and index, references
 * @core: the shared core's object
 * @cfg: constant
 * @list: on the volume's list, by @serial [s_lock]
 * @serial: number of the load on this volume; constant
 * @lru: on the module's list, for the shrinker and gauges [vexfs_coll_lock]
 * @users: calls that run, taken under coll_lock, so that it can't rise from
 *	0 while that is held
 * @flags: VEXFS_COLL_* bits
 * @used: jiffies of the last use
 * @loaded_ns: time that loading took
 * @commit_lock: one commit or checkpoint at a time
 * @rows_since, @fork_since: errors of writeback newer than these make what is
 *	in memory unfit for a commit
 * @broken: the error after which nothing is committed any more
 * @commits: as in the header [commit_lock]
 * @index_work: takes pending rows into the index
 * @helper: do so as well, on other CPUs, when there is much to do
 * @index_wait: woken after each round, when @index_round has changed
 * @index_err: of the last round, or 0
 * @index_budget: rows in a round, adapted to the time they take
 * @commit_work: commits and makes checkpoints
 * @reap_work: unloads when it is idle
 * @searchers: idle ones [searcher_lock]
 * @live, @indexed, @pending, @memory: as last seen, for /proc and the shrinker
 */
struct vexfs_collection {
	struct inode		*inode;
	struct inode		*fork[VEXFS_COLL_NFORKS];
	struct vexfs_coll	*core;
	struct vexfs_coll_config cfg;
	struct list_head	list;
	u64			serial;
	struct list_head	lru;
	atomic_t		users;
	unsigned long		flags;
	unsigned long		used;
	u64			loaded_ns;

	/* one commit at a time; see above */
	struct mutex		commit_lock;
	errseq_t		rows_since;
	errseq_t		fork_since[VEXFS_COLL_NFORKS];
	int			broken;
	u64			commits;

	struct work_struct	index_work;
	struct vexfs_index_helper helper[VEXFS_COLL_HELPERS];
	wait_queue_head_t	index_wait;
	unsigned int		index_round;
	int			index_err;
	u32			index_budget;
	struct delayed_work	commit_work;
	struct delayed_work	reap_work;

	/* guards the two below */
	spinlock_t		searcher_lock;
	struct vexfs_coll_searcher *searchers[VEXFS_COLL_SEARCHERS];
	unsigned int		nsearchers;

	u64			live;
	u64			indexed;
	u64			pending;
	u64			memory;
};

static inline struct super_block *vexfs_coll_sb(struct vexfs_collection *c)
{
	return c->inode->i_sb;
}

static inline struct workqueue_struct *vexfs_coll_wq(struct vexfs_collection *c)
{
	return VEXFS_SB(vexfs_coll_sb(c))->coll_wq;
}

/* Nothing may be written: a read-only mount, or one that was shut down. */
static inline bool vexfs_coll_frozen(struct vexfs_collection *c)
{
	return sb_rdonly(vexfs_coll_sb(c)) || vexfs_is_shutdown(vexfs_coll_sb(c));
}

/* No background work may change the disk's state now. */
static inline bool vexfs_coll_quiet(struct vexfs_collection *c)
{
	return test_bit(VEXFS_COLL_STOP, &c->flags) ||
	       test_bit(VEXFS_COLL_QUIET, &c->flags) || vexfs_coll_frozen(c);
}

/* collection.c */
struct vexfs_coll_totals {
	u64	loaded;
	u64	live;
	u64	indexed;
	u64	pending;
	u64	memory;
};

/* Loads it when it isn't; ERR_PTR. vexfs_coll_put() ends the use. */
struct vexfs_collection *vexfs_coll_get(struct inode *inode);
void vexfs_coll_put(struct vexfs_collection *c);
int vexfs_coll_trim(struct vexfs_collection *c, u64 slots);
/* Notes the counts for those who can't ask the core. */
void vexfs_coll_refresh(struct vexfs_collection *c,
			struct vexfs_coll_stat *st);
void vexfs_coll_sum(struct vexfs_coll_totals *t);
void vexfs_coll_reap_work(struct work_struct *work);

/* coll_create.c */
int vexfs_coll_create(struct inode *inode, struct vexfs_coll_config *cfg);

/* coll_io.c */
extern const struct vexfs_coll_io vexfs_coll_kernel_io;

/* coll_commit.c */
struct buffer_head *vexfs_coll_header_read(struct inode *inode);
int vexfs_coll_commit(struct vexfs_collection *c);
/* Commit, and a checkpoint when the core wants one. */
int vexfs_coll_write_out(struct vexfs_collection *c, bool closing);
void vexfs_coll_commit_work(struct work_struct *work);

/* worker.c */
void vexfs_coll_init_work(struct vexfs_collection *c);
/* Waits for the end of what runs; none begins when it mayn't any more. */
void vexfs_coll_cancel_index(struct vexfs_collection *c);
void vexfs_coll_queue_work(struct vexfs_collection *c);
/* Shortens the tail for an inserter; returns early when it is killed. */
void vexfs_coll_help(struct vexfs_collection *c);
/* Indexes for at most @msecs; for a clean unmount. */
void vexfs_coll_catch_up(struct vexfs_collection *c, unsigned int msecs);
/* -ERESTARTSYS, or 0 with what is left in *pending. */
int vexfs_coll_wait(struct vexfs_collection *c, u32 timeout_ms, u64 *pending);

/* coll_ioctl.c, coll_search_ioctl.c: commands; @arg is in kernel memory */
int vexfs_ioc_search(struct file *file, struct vexfs_collection *c, void *arg);
int vexfs_ioc_get(struct file *file, struct vexfs_collection *c, void *arg);
int vexfs_ioc_iterate(struct file *file, struct vexfs_collection *c, void *arg);

/* A buffer for up to *n items of @size bytes, *n made smaller if need be. */
void *vexfs_coll_bounce_alloc(u32 *n, size_t size);

#endif /* _VEXFS_COLLECTION_H */

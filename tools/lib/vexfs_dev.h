/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The device under the shared core in userspace: a file or a memory image, a
 * cache of its blocks, transactions, and a log of what was written in which
 * order. vexfs_fs.dev points to a struct vexfs_dev.
 *
 * Nothing reaches the image before its transaction commits, and a commit
 * writes it at once: there is no journal on the device. Who needs crashes
 * replays a prefix of the write log.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#ifndef _VEXFS_DEV_H
#define _VEXFS_DEV_H

#include "kshim.h"
#include "../../fs/vexfs/libvexfs/core.h"

/* Blocks by number, chained; grows by doubling. */
struct vexfs_bmap_node {
	struct vexfs_bmap_node *next;
	u64 bno;
};

struct vexfs_bmap {
	struct vexfs_bmap_node **table;
	size_t size;			/* a power of two */
	size_t count;
};

struct vexfs_dev;
struct vexfs_wlog;

/*
 * A cached block. @data is what the core sees. In a transaction, @committed
 * is what is on the device, taken by vexfs_trans_undo(); freed at commit.
 */
struct vexfs_buf {
	struct vexfs_bmap_node node;
	struct vexfs_dev *dev;
	struct list_head lru;		/* when unreferenced */
	struct list_head running;	/* in the running transaction */
	u8 *data;
	u8 *committed;
	u64 handle;			/* id of the last that announced it */
	u64 charged;			/* id of the last that it cost a credit */
	int refs;
	u32 crc;			/* as read or last marked dirty */
	bool uptodate;
	bool verified;
	bool in_trans;
	bool created;			/* and not marked dirty yet */
	bool dirty;
};

/* Counts of what was done, and which are to fail: the n-th from now, once. */
struct vexfs_dev_faults {
	int read;
	int write;
	int sync;
};

struct vexfs_dev {
	struct mutex lock;		/* of all that follows */
	int fd;				/* -1: memory image */
	bool readonly;
	bool paranoid;			/* find changes that weren't announced */
	bool quiet;			/* corruption isn't printed */
	u64 blocks;
	struct vexfs_bmap image;	/* of a memory image; absent: zeroes */
	bool overlaid;			/* what is written stays in @overlay */
	struct vexfs_bmap overlay;
	struct vexfs_bmap cache;
	struct list_head lru;
	size_t max_cached;		/* unreferenced clean blocks kept */
	size_t cached;
	struct list_head running;	/* buffers of the running transaction */
	struct vexfs_bmap revoked;	/* blocks it freed; kept for a log */
	int handles;			/* open */
	u64 next_handle;
	int max_credits_used;
	u64 commits;
	int error;			/* a failed commit: nothing works after */
	struct vexfs_dev_faults fail;
	u64 reads, writes;
	/* Blocks that inodes may be charged in all, 0: no limit; and are */
	u64 quota_limit, quota_used;
	struct vexfs_wlog *wlog;	/* NULL: none kept */
	/* Corruption reports, the last of them in @corrupt_why */
	u64 corruptions;
	char corrupt_why[160];
	void (*on_corrupt)(struct vexfs_dev *dev, u64 ino, u64 bno,
			   const char *why);
	void *priv;			/* of the program */
};

/* Devices. ERR_PTR() on failure; @bytes is rounded down to blocks. */
struct vexfs_dev *vexfs_dev_open(const char *path, int oflags);
struct vexfs_dev *vexfs_dev_fd(int fd, u64 bytes, bool readonly);
struct vexfs_dev *vexfs_dev_mem(u64 bytes);
/* A memory image with the same contents; what isn't committed is not in it. */
struct vexfs_dev *vexfs_dev_clone(struct vexfs_dev *src);
/* Drops the cache and frees all; aborts when a buffer is still referenced. */
int vexfs_dev_close(struct vexfs_dev *dev);
int vexfs_dev_sync(struct vexfs_dev *dev);
/* Past the cache: only while no block of the range is cached, or for data. */
int vexfs_dev_read(struct vexfs_dev *dev, u64 bno, void *data);
int vexfs_dev_write(struct vexfs_dev *dev, u64 bno, const void *data);
/* Forgets all unreferenced clean blocks, so that they are read again. */
void vexfs_dev_drop_cache(struct vexfs_dev *dev);
/*
 * From now on everything that is written stays in memory, over the device as
 * it is, until it is flushed there: blocks [from, to), in order.
 */
void vexfs_dev_overlay(struct vexfs_dev *dev);
int vexfs_dev_flush(struct vexfs_dev *dev, u64 from, u64 to);
/* A block as it is under the overlay. */
int vexfs_dev_read_below(struct vexfs_dev *dev, u64 bno, void *data);
/* Loses what was not flushed, and the overlay with it. */
void vexfs_dev_discard(struct vexfs_dev *dev);
size_t vexfs_dev_pending(const struct vexfs_dev *dev);
/* Number of buffers that are referenced now. */
size_t vexfs_dev_referenced(struct vexfs_dev *dev);

/*
 * A handle may change @credits buffers, counted like jbd2 does: once each.
 * One more aborts the program with a message. vexfs_trans_end() leaves the
 * changes in the running transaction; vexfs_dev_commit() writes that.
 */
struct vexfs_trans *vexfs_trans_begin(struct vexfs_dev *dev, int credits);
int vexfs_trans_end(struct vexfs_trans *t);
int vexfs_dev_commit(struct vexfs_dev *dev);
/* Both of them */
int vexfs_trans_commit(struct vexfs_trans *t);
/*
 * Loses the running transaction, as a crash does. Counters in a vexfs_fs and
 * blocks held by it are stale afterwards: unload it before.
 */
void vexfs_dev_abort(struct vexfs_dev *dev);
/* Most credits that one handle used since the last call. */
int vexfs_dev_credits_used(struct vexfs_dev *dev);
struct vexfs_dev *vexfs_trans_dev(struct vexfs_trans *t);

/* The write log */
struct vexfs_wlog_write {
	u64 bno;
	u8 *data;
};

/* A commit (all or nothing), a data write (one block), or a flush. */
enum vexfs_wlog_kind {
	VEXFS_WLOG_COMMIT,
	VEXFS_WLOG_DATA,
	VEXFS_WLOG_FLUSH,
};

struct vexfs_wlog_entry {
	enum vexfs_wlog_kind kind;
	size_t nwrites;
	struct vexfs_wlog_write *writes;
	size_t nrevokes;		/* of a commit: metadata that was freed */
	u64 *revokes;
};

struct vexfs_wlog {
	size_t count;
	struct vexfs_wlog_entry *entries;
};

/* Starts logging; the log lives until vexfs_wlog_free(). */
struct vexfs_wlog *vexfs_wlog_start(struct vexfs_dev *dev);
/* Applies entries [from, to) to @dev. */
int vexfs_wlog_replay(const struct vexfs_wlog *log, size_t from, size_t to,
		      struct vexfs_dev *dev);
void vexfs_wlog_free(struct vexfs_wlog *log);
/* For the device: a new entry, and one write more of the newest. */
void vexfs_wlog_add(struct vexfs_wlog *log, enum vexfs_wlog_kind kind);
void vexfs_wlog_add_write(struct vexfs_wlog *log, u64 bno, const void *data);
void vexfs_wlog_add_revoke(struct vexfs_wlog *log, u64 bno);

/* bmap.c */
struct vexfs_bmap_node *vexfs_bmap_find(const struct vexfs_bmap *map, u64 bno);
void vexfs_bmap_insert(struct vexfs_bmap *map, struct vexfs_bmap_node *node);
void vexfs_bmap_remove(struct vexfs_bmap *map, struct vexfs_bmap_node *node);
void vexfs_bmap_destroy(struct vexfs_bmap *map,
			void (*release)(struct vexfs_bmap_node *node));

/* Between dev.c, buffer.c and trans.c; dev->lock held. */
void vexfs_buf_idle(struct vexfs_buf *buf);
void vexfs_buf_seal(struct vexfs_buf *buf);
void vexfs_buf_check_seal(struct vexfs_buf *buf, const char *when);
struct vexfs_buf *vexfs_buf_cached(struct vexfs_dev *dev, u64 bno);
int vexfs_image_write(struct vexfs_dev *dev, u64 bno, const void *data);

#endif /* _VEXFS_DEV_H */

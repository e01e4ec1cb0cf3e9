/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the parts of the crash checker share: the log of a disk's writes, the
 * states that a crash may leave, the volume that recovery makes of one.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#ifndef _VEXFS_CRASH_H
#define _VEXFS_CRASH_H

#include "fsck.h"
#include "model.h"

/* ---------------------------------------------------------------- log.c */

enum cl_kind {
	CL_WRITE,
	CL_DISCARD,
	CL_FLUSH,
	CL_MARK,			/* a write behind the volume */
};

struct cl_entry {
	enum cl_kind kind;
	u64	sector;
	u64	sectors;
	const u8 *data;
	bool	whole;			/* the disk doesn't tear it */
};

struct cl_log {
	struct cl_entry *entry;
	size_t	count, room;
	size_t	flushes, marks;
	void	*map;			/* the file; NULL: entries own data */
	size_t	map_bytes;
};

/* A log in the format of dm-log-writes. NULL, or what is wrong. */
const char *cl_open(struct cl_log *log, const char *path, u64 volume_bytes);
void cl_close(struct cl_log *log);
/* One made in memory; data is copied. */
void cl_add(struct cl_log *log, enum cl_kind kind, u64 sector,
	    const void *data, u64 sectors);

/* -------------------------------------------------------------- state.c */

/* What becomes of the writes since the last flush. */
enum cs_how {
	CS_ALL,
	CS_NONE,
	CS_SOME,			/* any sectors of any of them */
};

struct cs_point {
	size_t	pos;			/* entries before this one happened */
	enum cs_how how;
	u32	seed;
};

struct cs_undo;

struct cs_disk {
	const struct cl_log *log;
	struct vexfs_dev *dev;		/* up to the last flush before @pos */
	u64	journal;		/* sectors of the journal: */
	u64	journal_end;
	size_t	flushed;		/* entries that are in @dev for good */
	struct cs_undo *undo;		/* of one state */
	bool	no_flush;		/* a disk that doesn't know flushes */
};

/* Points must come in the order of their positions. */
void cs_make(struct cs_disk *d, const struct cs_point *p);
void cs_undo(struct cs_disk *d);
/* @n points of a log from entry @from on, sorted; of all kinds. */
struct cs_point *cs_choose(const struct cl_log *log, size_t from, u32 n,
			   u64 seed);
const char *cs_how_name(enum cs_how how);

/* -------------------------------------------------------------- volume.c */

struct cv_file {
	struct fsck *f;
	struct vexfs_inode di;
	struct vexfs_node n;
	struct vexfs_map last;
	u64	size;
};

struct cv_name {
	u64	ino;
	char	name[VEXFS_NAME_LEN + 1];
};

struct cv_dir {
	struct cv_name *name;		/* sorted */
	u32	count, room;
};

/* Recovers and checks the volume under an overlay; FSCK_*. */
int cv_open(struct fsck *f, struct vexfs_dev *dev, bool tell);
void cv_close(struct fsck *f);
int cv_file(struct fsck *f, u64 ino, struct cv_file *file);
int cv_read(struct cv_file *file, u64 pos, void *buf, size_t len);
/* -ENOENT */
int cv_lookup(struct fsck *f, u64 dir, const char *name, u64 *ino);
int cv_list(struct fsck *f, u64 dir, struct cv_dir *list);
void cv_list_free(struct cv_dir *list);

/* ------------------------------------------------- what a state should hold */

/* What was promised when a crash happened, and what may have been begun. */
struct cm_promise {
	bool	any;			/* nothing was promised before */
	struct cm_mark was;
	struct cm_mark next;
};

/* NULL when all is as it should be, else what is not. */
typedef const char *(*cm_check_fn)(void *arg, struct fsck *f, u64 dir,
				   const struct cm_promise *p);

/* check_files.c; @max: operations of the whole run */
struct cm_files;
struct cm_files *cm_files_new(u32 seed, u32 max);
void cm_files_free(struct cm_files *cf);
const char *cm_files_check(void *arg, struct fsck *f, u64 dir,
			   const struct cm_promise *p);
/* check_db.c */
const char *cm_db_check(void *arg, struct fsck *f, u64 dir,
			const struct cm_promise *p);
/* check_coll.c */
const char *cm_coll_check(void *arg, struct fsck *f, u64 dir,
			  const struct cm_promise *p);

/* A message in static memory. */
const char *cm_why(const char *fmt, ...) __printf(1, 2);

#endif /* _VEXFS_CRASH_H */

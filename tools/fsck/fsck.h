/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the parts of fsck.vexfs share.
 *
 * The volume is opened under an overlay: journal replay and repairs go to
 * memory, later passes see the volume as repaired, and at the end all of it
 * is written, or thrown away with -n. So a check without repairs says what a
 * repair would, and an interrupted repair changed nothing.
 *
 * The passes, in order:
 *   volume     superblock, journal, group descriptors
 *   inodes     every inode, its extents, xattrs; which clusters are in use
 *   overlaps   clusters with several owners; extent trees made anew
 *   space      bitmaps and descriptors as pass inodes found them
 *   (from here on the shared core's own allocators do the repairs)
 *   orphans    deleted or truncated inodes are finished
 *   colls      collections: header, forks, log, checkpoint
 *   dirs       directory trees and entries
 *   connect    every directory is reached from the root, once
 *   links      link counts; what has no name goes to lost+found
 *   quota      quota files against what inodes have
 *   end        the superblock says that the volume is clean
 *
 * Copyright (C) 2026 The VexFS authors
 */
#ifndef _VEXFS_FSCK_H
#define _VEXFS_FSCK_H

#include "coll.h"
#include "dir.h"
#include "extent.h"
#include "jbd2.h"
#include "libvexfs.h"
#include "qfile.h"

#include "problem.h"

/* Exit statuses, as fsck(8) has them; the first three add up. */
#define FSCK_OK			0
#define FSCK_CORRECTED		1
#define FSCK_UNCORRECTED	4
#define FSCK_FAILED		8
#define FSCK_USAGE		16
#define FSCK_CANCELLED		32

enum fsck_mode {
	FSCK_ASK,
	FSCK_NO,			/* -n */
	FSCK_YES,			/* -y */
	FSCK_PREEN,			/* -p: what is safe */
};

struct fsck_options {
	enum fsck_mode mode;
	bool	force;
	bool	verbose;
	bool	json;
	bool	quiet;			/* of tests: print nothing */
	bool	use_backup;
	u64	backup;			/* block of the superblock's copy */
	int	progress;		/* descriptor, -1: none; 0: a bar */
	const char *device;
};

/* What pass inodes learns about an inode. */
#define FI_USED		0x01
#define FI_ORPHAN	0x02		/* on the orphan list */
#define FI_COLL		0x04
#define FI_FORK		0x08
#define FI_OWNED	0x10		/* fork of the collection it names */
#define FI_DIR		0x20
#define FI_DELETED	0x40		/* orphan without links */
#define FI_XATTR	0x80

struct fsck_ino {
	u8	type;			/* FT_* */
	u8	flags;			/* FI_* */
	u16	nlink;			/* on disk */
	u32	links;			/* found */
};

struct fsck_group {
	u8	*used;			/* clusters in use; NULL: by layout */
	u8	*dup;			/* claimed twice; NULL: none */
	struct fsck_ino *ino;		/* [inos], up to the mark */
	u32	inos;
	bool	bad_desc;		/* the descriptor can't be believed */
};

struct fsck_dir {
	u64	ino;
	u64	parent;			/* i_parent */
	u64	found;			/* directory that names it, or 0 */
	bool	reached;
};

/* All extents of an inode, from a tree that may be damaged. */
struct fsck_map {
	u64	ino;
	u32	generation;
	struct vexfs_ext_rec *rec;
	u32	count, room;
	u64	*node;			/* blocks of the tree's nodes */
	u32	nodes, node_room;
	bool	rebuild;
	u64	meta;			/* blocks beside extents and nodes */
};

struct fsck_list {			/* of inode numbers */
	u64	*ino;
	u32	count, room;
};

struct fsck {
	struct fsck_options opt;
	struct vexfs_dev *dev;
	struct vexfs_fs fs;
	bool	loaded;			/* by vexfs_fs_load() */
	struct vj_journal journal;
	struct vj_replay replay;
	bool	journal_bad;
	struct fsck_group *group;
	struct fsck_dir *dir;		/* sorted by number */
	u32	dirs, dir_room;
	struct fsck_list colls;
	struct fsck_list forks;
	struct fsck_list maps;		/* trees to be made anew */
	struct fsck_map *rebuild;
	u32	rebuilds, rebuild_room;
	struct vexfs_bmap orphans;	/* by inode number */
	struct fsck_list orphan_list;
	/* what finished orphans gave back, which quota counts still, by type */
	struct vq_table orphaned[VQ_TYPES];
	struct fsck_map scratch;
	u64	dup_clusters;
	u64	alloc_at;		/* where the next free cluster may be */
	u64	lost_found;		/* its inode, 0: not looked for yet */
	bool	feature_coll;		/* a collection was met */
	/* counts for the summary */
	u64	files, clusters_used, vectors;
	u32	found, fixed;
	u32	kinds[FSCK_KINDS];
	bool	abort;			/* -p met what it may not repair */
	bool	meddled;		/* something was written */
	const char *pass;
	u64	pass_at, pass_of;
	int	error;			/* of reading or writing */
};

/* run.c */
/* Checks the volume on f->dev; FSCK_* to exit with. */
int fsck_run(struct fsck *f);
void fsck_free(struct fsck *f);
bool fsck_stopped(struct fsck *f);
extern volatile int fsck_interrupted;

/* problem.c */
/*
 * Reports a problem of inode @ino (0: none) at block @bno (0: none) with
 * details, and says whether to repair it.
 */
bool fsck_problem(struct fsck *f, enum fsck_kind kind, u64 ino, u64 bno,
		  const char *fmt, ...) __printf(5, 6);
/* For facts that are no problem. */
void fsck_note(struct fsck *f, const char *fmt, ...) __printf(2, 3);
/* An error of the device or of memory: the check can't go on. */
int fsck_fail(struct fsck *f, int err, const char *what, u64 bno);

/* report.c */
void fsck_progress(struct fsck *f, u64 at, u64 of);
void fsck_pass(struct fsck *f, const char *name, u64 of);
void fsck_summary(struct fsck *f, int status);
void fsck_json_string(FILE *out, const char *s);

/* path.c: "" when it isn't known */
void fsck_path(struct fsck *f, u64 ino, char *buf, size_t size);

/* volume.c */
int fsck_open_volume(struct fsck *f);
int fsck_check_groups(struct fsck *f);
int fsck_super_end(struct fsck *f);
bool fsck_needs_check(struct fsck *f);
int fsck_super_write(struct fsck *f);

/* super.c: the superblock; -EINVAL when there is none */
int fsck_check_super(struct fsck *f);
int fsck_fix_super(struct fsck *f);
int fsck_check_backup(struct fsck *f);

/* replay.c */
int fsck_replay(struct fsck *f);
int fsck_close_journal(struct fsck *f);

/* blocks.c: which clusters are in use */
bool fsck_used(struct fsck *f, u64 cluster);
/* Claims one; false if somebody had it already. */
bool fsck_claim(struct fsck *f, u64 cluster);
void fsck_unclaim(struct fsck *f, u64 cluster);
bool fsck_is_dup(struct fsck *f, u64 cluster);
/* A free cluster, claimed; 0 when there is none. */
u64 fsck_take_cluster(struct fsck *f);
const u8 *fsck_group_bitmap(struct fsck *f, u32 group, u8 *buf);

/* ino.c: inodes by number */
struct fsck_ino *fsck_ino(struct fsck *f, u64 ino);
bool fsck_in_use(struct fsck *f, u64 ino);
int fsck_inode_get(struct fsck *f, u64 ino, struct vexfs_inode *di);
int fsck_inode_put(struct fsck *f, u64 ino, struct vexfs_inode *di);
int fsck_node_get(struct fsck *f, u64 ino, struct vexfs_node *n,
		  struct vexfs_inode *di);
/* Stores root and blocks of @n, and *size when not NULL. */
int fsck_node_put(struct fsck *f, struct vexfs_node *n, const u64 *size);
void fsck_list_add(struct fsck_list *list, u64 ino);
bool fsck_list_has(const struct fsck_list *list, u64 ino);
struct fsck_dir *fsck_dir_find(struct fsck *f, u64 ino);
u8 fsck_mode_type(u16 mode);
int fsck_free_block(struct fsck *f, struct vexfs_trans *t, u64 bno);
int fsck_map_drop(struct fsck *f, struct vexfs_trans *t, struct vexfs_node *n,
		  u64 lblk);
/* Frees the inode with everything it has; after pass space. */
int fsck_inode_free(struct fsck *f, u64 ino);
struct vexfs_trans *fsck_begin(struct fsck *f);
int fsck_end(struct fsck *f, struct vexfs_trans *t, int err);

/* meta.c: blocks with a header */
enum fsck_meta {
	META_GOOD,
	META_CSUM,			/* only the checksum is wrong */
	META_BODY,			/* its contents make no sense */
	META_ALIEN,			/* not a block of this inode */
};

enum fsck_meta fsck_meta_check(struct fsck *f, const void *data, u64 bno,
			       u32 magic, u64 owner, u32 generation,
			       const char **why);
void fsck_meta_seal(struct fsck *f, void *data);
int fsck_read(struct fsck *f, u64 bno, void *data);
int fsck_write(struct fsck *f, u64 bno, const void *data);

/* inodes.c */
int fsck_pass_inodes(struct fsck *f);
/* record.c: an inode's own fields; false when nothing can be saved */
bool fsck_check_record(struct fsck *f, u64 ino, struct vexfs_inode *di,
		       bool *dirty);
/* What the core would say of all but the extents and block count of it. */
const char *fsck_core_why(struct fsck *f, u64 ino,
			  const struct vexfs_inode *di);

/* extents.c */
int fsck_map_load(struct fsck *f, u64 ino, const struct vexfs_inode *di,
		  struct fsck_map *map, bool report);
void fsck_map_free(struct fsck_map *map);
void fsck_map_add(struct fsck_map *map, const struct vexfs_ext_rec *r);
u64 fsck_map_blocks(struct fsck *f, const struct fsck_map *map);
bool fsck_has_map(const struct vexfs_inode *di);
/* maptidy.c: sorted, without overlaps, in whole clusters */
void fsck_map_tidy(struct fsck *f, struct fsck_map *map);
void fsck_map_join(struct fsck_map *map);
/* mapmake.c */
int fsck_map_make(struct fsck *f, struct fsck_map *map);
void fsck_map_later(struct fsck *f, struct fsck_map *map);
struct fsck_map *fsck_map_waiting(struct fsck *f, u64 ino);
int fsck_make_maps(struct fsck *f);

/* overlaps.c */
int fsck_pass_overlaps(struct fsck *f);

/* xattr.c */
int fsck_check_xattrs(struct fsck *f, u64 ino, struct vexfs_inode *di,
		      u64 *blocks, bool *dirty);
int fsck_xattr_free(struct fsck *f, struct vexfs_trans *t, u64 ino,
		    struct vexfs_inode *di);

/* space.c */
int fsck_pass_space(struct fsck *f);

/* orphans.c */
int fsck_find_orphans(struct fsck *f);
int fsck_pass_orphans(struct fsck *f);

/* colls.c, collio.c, collfix.c */
#define FSCK_COLL_FORKS	2		/* log and index */

struct fsck_coll {
	struct fsck *f;
	u64	ino;
	struct vexfs_inode di;
	u64	bno;			/* of the header */
	struct vexfs_coll_header *ch;
	struct vexfs_coll_config cfg;
	struct vexfs_node fork[FSCK_COLL_FORKS];
	u64	size[FSCK_COLL_FORKS];
	struct vexfs_map last;		/* looked up last, of @last_fork */
	int	last_fork;
};

extern const struct vexfs_coll_io fsck_coll_io;
int fsck_pass_colls(struct fsck *f);
int fsck_coll_store(struct fsck_coll *c);
/* An ordinary file of its rows; forks become strays. */
int fsck_coll_demote(struct fsck_coll *c);
/* Writes a checkpoint of what can be read: without an index, if need be. */
int fsck_coll_renew(struct fsck_coll *c, bool salvage);

/* dirs.c, dirtree.c, dirfix.c */
int fsck_pass_dirs(struct fsck *f);

struct fsck_entry {
	u64	ino;
	u8	type;
	u8	len;
	u8	name[VEXFS_NAME_LEN];
};

/* Walks the tree of a directory: true if it is as it should be. */
typedef void (*fsck_leaf_fn)(void *arg, const struct vexfs_dir_block *db);
bool fsck_dir_walk(struct fsck *f, struct vexfs_node *dir, u64 size,
		   fsck_leaf_fn fn, void *arg, const char **why, u64 *bno);
/* Makes the tree anew from all entries that can be read. */
int fsck_dir_rebuild(struct fsck *f, u64 ino);
int fsck_dir_empty(struct fsck *f, u64 ino);

/* connect.c, links.c, lost.c */
int fsck_pass_connect(struct fsck *f);
int fsck_pass_links(struct fsck *f);
/* Gives the inode a name in lost+found. */
int fsck_reconnect(struct fsck *f, u64 ino);
int fsck_make_root(struct fsck *f);

/* quota.c */
int fsck_pass_quota(struct fsck *f);
/* Adds what the inode has; @sign -1 takes it away. */
void fsck_quota_add(struct vq_table *used, const struct vexfs_inode *di,
		    int sign);

#endif /* _VEXFS_FSCK_H */

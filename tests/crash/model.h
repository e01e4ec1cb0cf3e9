/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the loads of the crash test do, as models that a program in the guest
 * and the checker on the host share: both know from a seed which operations
 * come in which order, and so what may be on the disk after a crash.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#ifndef _VEXFS_CRASH_MODEL_H
#define _VEXFS_CRASH_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CM_SECTOR	512

/* ------------------------------------------------------------------ marks */

/*
 * What a load says has been synced: written with direct I/O behind the end of
 * the volume, on the same disk, so that it stands in the log of the disk's
 * writes at the moment when it became true.
 */
#define CM_MARK_MAGIC	0x31304b52414d5856ull	/* "VXMARK01" */
#define CM_LOADS	8

enum cm_load {
	CM_LOAD_FILES0,			/* struct cm, twice */
	CM_LOAD_FILES1,
	CM_LOAD_DB,
	CM_LOAD_COLL,
};

struct cm_mark {
	unsigned long long magic;
	uint32_t load;
	uint32_t seed;
	/* files, coll: operations done; db: bytes of the log that are synced */
	unsigned long long done;
	unsigned long long pages;			/* db: transactions in the pages */
	unsigned long long conf;			/* db: version of the file replaced */
	unsigned long long begun;			/* operations that have begun */
	uint8_t  pad[CM_SECTOR - 48];
};

/* ------------------------------------------------------------ random bits */

static inline uint64_t cm_mix(uint64_t x)
{
	x ^= x >> 33;
	x *= 0xff51afd7ed558ccdull;
	x ^= x >> 33;
	x *= 0xc4ceb9fe1a85ec53ull;
	return x ^ (x >> 33);
}

#define CM_HASH_INIT	0xcbf29ce484222325ull
uint64_t cm_hash(uint64_t h, const void *data, size_t len);

/* ---------------------------------------------------------- names and data */

/*
 * A tree of files, directories and symlinks in which one task does one
 * operation after the other. Each operation on names, attributes and modes
 * is atomic and they reach the disk in order: after a crash the tree is that
 * after some number of operations. The data of files is written back in no
 * order: each sector tells of which file it is and which operation wrote it.
 */
#define CM_NAMES	48		/* that a directory may have */
#define CM_INODES	96
#define CM_SECTORS	200		/* of the largest file */
#define CM_XATTRS	3
#define CM_OPS		20000		/* most in a run */
#define CM_DEPTH	3
#define CM_NAME_MAX	255
#define CM_PATH_MAX	1200
#define CM_VALUE_MAX	9000

enum cm_type { CM_FREE, CM_FILE, CM_DIR, CM_LINK };

enum cm_kind {
	CM_CREATE, CM_MKDIR, CM_SYMLINK, CM_UNLINK, CM_RMDIR, CM_RENAME,
	CM_EXCHANGE, CM_HARDLINK, CM_CHMOD, CM_SETXATTR, CM_RMXATTR,
	CM_WRITE, CM_TRUNCATE, CM_PUNCH, CM_PREALLOC,
	CM_FSYNC, CM_FDATASYNC, CM_FSYNCDIR, CM_SYNC,
};

struct cm_op {
	uint32_t nr;			/* from 1 */
	uint8_t kind;
	bool	direct;
	int16_t	dir[2];			/* names: where, and which */
	int16_t	name[2];
	int16_t	ino;			/* what dir[0], name[0] is */
	uint16_t first, count;		/* sectors */
	uint16_t arg;			/* mode, length */
};

struct cm_inode {
	uint8_t	type;
	uint16_t mode;
	uint16_t nlink;
	int16_t	parent;			/* of a directory */
	uint32_t id;			/* operation that made it */
	uint32_t touched;		/* last that changed its metadata */
	uint32_t size;			/* sectors */
	uint64_t target;		/* hashes: symlink, xattrs; 0: none */
	uint64_t xattr[CM_XATTRS];
	int16_t	ent[CM_NAMES];		/* of a directory: inode, or -1 */
};

/* A change of data: sectors written, or zeroed, and the size after it. */
struct cm_event {
	uint32_t id;			/* of the file */
	uint32_t op;
	uint16_t first, count;
	uint16_t size;
	bool	write;
};

struct cm {
	uint64_t rnd;
	uint32_t seed;
	uint32_t done;			/* operations */
	uint32_t synced;		/* names are, up to this operation */
	struct cm_inode ino[CM_INODES];
	uint32_t nevents;
	struct cm_event event[CM_OPS];
	/* by id of a file: its data is synced up to this operation */
	uint32_t data_synced[CM_OPS + 1];
};

void cm_init(struct cm *m, uint32_t seed);
/* Chooses an operation that will succeed. */
void cm_next(struct cm *m, struct cm_op *op);
void cm_apply(struct cm *m, const struct cm_op *op);
/* Path of a name, or of an inode's first name, from the tree's root. */
void cm_path(const struct cm *m, int dir, int name, char *path);
void cm_name(int name, char *buf);
void cm_target(const struct cm_op *op, char *buf);
void cm_value(const struct cm_op *op, uint8_t *buf);

/* The sector that operation @op of the run writes. */
void cm_sector(uint32_t seed, uint32_t id, uint32_t op, uint32_t sector,
	       uint8_t *buf);

/* One number for names, types, modes, links, xattrs. */
uint64_t cm_digest(const struct cm *m);
/* The same from what is found: called in the order of names, depth first. */
void cm_digest_name(uint64_t *h, const char *name, int type, unsigned int mode,
		    uint32_t number, uint64_t target, const uint64_t *xattr);
void cm_digest_up(uint64_t *h);

/*
 * What is wrong with a file's size in bytes and its data, or NULL. @synced is
 * the model of what was promised, @last of all that may have been begun.
 */
const char *cm_check_size(const struct cm *synced, const struct cm *last,
			  uint32_t id, uint64_t bytes);
const char *cm_check_sector(const struct cm *synced, const struct cm *last,
			    uint32_t id, uint32_t sector, const uint8_t *data);

/* -------------------------------------------------------------- a database */

/*
 * Transaction t, from 1, appends a record to a log and syncs it, then writes
 * some pages in place and syncs these. Now and then a small file is replaced.
 */
#define DB_PAGES	64
#define DB_PAGE		4096
#define DB_WRITES	4		/* pages of a transaction, at most */
#define DB_CONF_EVERY	8
#define DB_CONF_MAX	20016
#define DB_TXNS		20000

uint32_t db_record(uint32_t seed, uint32_t t);	/* its length */
uint8_t db_log_byte(uint32_t seed, uint64_t pos);
unsigned int db_pages(uint32_t seed, uint32_t t, uint16_t page[DB_WRITES]);
void db_page(uint32_t seed, uint32_t t, uint16_t page, uint8_t *buf);
/* Transaction that the sector was written by, 0: never, -1: it is damaged. */
long db_sector(uint32_t seed, uint16_t page, unsigned int sector,
	       const uint8_t *data);
uint32_t db_conf_len(uint32_t seed, uint32_t version);
void db_conf(uint32_t seed, uint32_t version, uint8_t *buf);

/* ------------------------------------------------------------ a collection */

#define CC_DIMS		24
#define CC_BATCH	24
#define CC_OPS		6000

struct cc_model {
	uint32_t wrote[CC_OPS * CC_BATCH];	/* operation + 1, or 0 */
	uint32_t count;
};

/* Operation @op, from 0: ids; 'i'nsert, 'u'psert or 'd'elete. */
char cc_operation(uint32_t op, uint64_t *ids, unsigned int *n);
void cc_vector(float *v, uint32_t seed, uint64_t id, uint32_t op);
void cc_step(struct cc_model *m, uint32_t op);

#endif /* _VEXFS_CRASH_MODEL_H */

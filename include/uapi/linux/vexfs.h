/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * The ioctl interface of VexFS collections.
 *
 * A collection is a regular file. VEXFS_IOC_CREATE turns an empty file into
 * one; the other commands work on a descriptor of it and fail with ENOTTY on
 * a file of another filesystem and with EBADF or EPERM without the access
 * they need: a readable descriptor to read, a writable one to change.
 *
 * Every structure begins with its own size (sizeof at compile time; a larger
 * structure is accepted when what the kernel doesn't know is zero, else
 * E2BIG) and flags; unknown flags and non-zero reserved fields are EINVAL.
 * Pointers are passed as __u64. Vectors are arrays of elements in the
 * collection's element type, dims elements each, in the machine's byte order
 * (b1: eight dimensions a byte, first dimension in the lowest bit; bits behind
 * the last dimension are zero, else EINVAL).
 * Distances are IEEE-754 single precision, passed as their bits in a __u32;
 * smaller is nearer:
 *
 *   L2       squared Euclidean distance
 *   IP       the inner product, negated
 *   COSINE   1 - cosine of the angle; 1 where a vector is zero
 *   L1       sum of the differences' magnitudes
 *   HAMMING  how many bits differ
 *
 * HAMMING goes with b1 and nothing else does, EOPNOTSUPP.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#ifndef _UAPI_LINUX_VEXFS_H
#define _UAPI_LINUX_VEXFS_H

#include <linux/ioctl.h>
#include <linux/types.h>

/* Element types */
#define VEXFS_TYPE_F32		1
#define VEXFS_TYPE_F16		2
#define VEXFS_TYPE_BF16		3
#define VEXFS_TYPE_I8		4
#define VEXFS_TYPE_U8		5
#define VEXFS_TYPE_B1		6

/* Metrics */
#define VEXFS_L2		1
#define VEXFS_IP		2
#define VEXFS_COSINE		3
#define VEXFS_L1		4
#define VEXFS_HAMMING		5

/* Indexes */
#define VEXFS_FLAT		1	/* none: every search is exact */
#define VEXFS_HNSW		2
#define VEXFS_LSH		3

/* Limits */
#define VEXFS_DIMS_MAX		16384
#define VEXFS_K_MAX		16384
#define VEXFS_EF_MAX		32768
#define VEXFS_M_MAX		64
#define VEXFS_BATCH_MAX		1048576	/* vectors or ids in one call */
#define VEXFS_QUERIES_MAX	65536	/* queries in one call */
#define VEXFS_RESULTS_MAX	16777216	/* nqueries * k */
#define VEXFS_COLUMNS_MAX	8
#define VEXFS_LSH_TABLES_MAX	32
#define VEXFS_LSH_BITS_MAX	24

/**
 * struct vexfs_create - VEXFS_IOC_CREATE: make an empty file a collection
 * @size: sizeof(struct vexfs_create)
 * @flags: 0
 * @dims: elements of a vector, 1 to VEXFS_DIMS_MAX; 0: the default that
 *	mkfs.vexfs -D gave the volume (EINVAL when it gave none). On return the
 *	dimension used.
 * @type: VEXFS_TYPE_*
 * @metric: VEXFS_L2, ...
 * @index: VEXFS_FLAT, ...
 * @ncolumns: 0 (attribute columns)
 * @m: HNSW: links a node keeps on the upper layers, twice that on layer 0;
 *	4 to VEXFS_M_MAX, 0: 16
 * @ef_construction: HNSW: candidates kept while inserting, @m to
 *	VEXFS_EF_MAX, 0: 200
 * @ef: default of what a search without one has, 1 to VEXFS_EF_MAX, 0: chosen
 *	by the kernel; see struct vexfs_search
 * @seed: of everything random in the index; 0: chosen by the kernel
 * @columns: 0
 * @lsh_tables: LSH: tables, 32 bits of a sketch each, 1 to
 *	VEXFS_LSH_TABLES_MAX, 0: 16
 * @lsh_bits: LSH: bits that address a bucket at most, 1 to
 *	VEXFS_LSH_BITS_MAX, 0: as many as the rows ask for
 * @lsh_recall: LSH: share of the nearest that a search is to find, in ten
 *	thousandths, 1 to 9999; 0: 9000
 * @reserved1: zero
 * @reserved: zero
 *
 * Parameters of another index than @index are zero. Errors: EEXIST the file
 * is a collection already; ENOTEMPTY it holds data; EINVAL
 * a field is out of range, or the file is not a regular one;
 * EOPNOTSUPP a pair of type, metric and index that is not supported; EBADF
 * the descriptor is not open for both reading and writing; EROFS, ENOSPC,
 * EDQUOT, EIO; EBUSY the file is mapped writable.
 */
struct vexfs_create {
	__u32	size;
	__u32	flags;
	__u32	dims;
	__u8	type;
	__u8	metric;
	__u8	index;
	__u8	ncolumns;
	__u32	m;
	__u32	ef_construction;
	__u32	ef;
	__u32	reserved0;
	__u64	seed;
	__u64	columns;
	__u32	lsh_tables;
	__u32	lsh_bits;
	__u32	lsh_recall;
	__u32	reserved1;
	__u64	reserved[2];
};

/**
 * struct vexfs_info - VEXFS_IOC_INFO: what the collection is and holds
 *
 * All fields but @size and @flags (0) are set on return.
 */
struct vexfs_info {
	__u32	size;
	__u32	flags;
	__u32	dims;
	__u8	type;
	__u8	metric;
	__u8	index;
	__u8	ncolumns;
	__u32	m;
	__u32	ef_construction;
	__u32	ef;
	__u32	stride;		/* bytes from one row to the next in the file */
	__u64	seed;
	__u64	count;		/* vectors */
	__u64	slots;		/* rows of the file, free ones too */
	__u64	indexed;	/* vectors the index holds */
	__u64	pending;	/* vectors the index has still to take in */
	__u64	next_id;	/* next id to be assigned */
	__u64	commits;	/* commits to disk so far */
	__u64	index_bytes;	/* memory of ids, graph and codes */
	__u64	disk_bytes;	/* rows, log and index on disk */
	__u32	max_level;	/* HNSW: top layer */
	__u32	simd_level;	/* 1 SSE2, 2 AVX2, 4 AVX-512 */
	__u64	loaded_ns;	/* time it took to open the index */
	__u32	rebuilt;	/* vectors indexed again at that time */
	__u32	reserved0;
	__u32	lsh_tables;
	__u32	lsh_bits;
	__u32	lsh_recall;
	__u32	lsh_buckets;	/* of each table */
	__u64	reserved[2];
};

#define VEXFS_INSERT_UPSERT	0x1	/* replace ids that exist */

/**
 * struct vexfs_insert - VEXFS_IOC_INSERT: add a batch of vectors
 * @size: sizeof(struct vexfs_insert)
 * @flags: VEXFS_INSERT_*
 * @vectors: count vectors
 * @ids: count __u64 ids, or 0: consecutive ids are assigned
 * @columns: 0
 * @count: 1 to VEXFS_BATCH_MAX
 * @stride: bytes from one vector to the next; 0: dense
 * @first_id: on return, the first assigned id (0 when @ids was given)
 * @reserved: zero
 *
 * The batch is taken whole or not at all, also across a crash; it is durable
 * when a later fsync() returned 0. The first search that starts after the
 * call finds the vectors. Id 2^64 - 1 is not allowed.
 *
 * Errors: EEXIST an id exists (or is in the batch twice) and UPSERT isn't
 * set; EINVAL bad field, an element that is not finite; ENOTTY not a
 * collection; EBADF not writable; EFAULT; ENOSPC; EDQUOT; EFBIG the
 * collection is full; EINTR.
 */
struct vexfs_insert {
	__u32	size;
	__u32	flags;
	__u64	vectors;
	__u64	ids;
	__u64	columns;
	__u32	count;
	__u32	stride;
	__u64	first_id;
	__u64	reserved[2];
};

#define VEXFS_DELETE_IGNORE_MISSING	0x1	/* skip ids that don't exist */

/**
 * struct vexfs_delete - VEXFS_IOC_DELETE: remove a batch of vectors
 * @size: sizeof(struct vexfs_delete)
 * @flags: VEXFS_DELETE_*
 * @ids: count __u64 ids
 * @count: 1 to VEXFS_BATCH_MAX
 * @deleted: on return, how many were removed
 * @reserved: zero
 *
 * Whole or not at all, as for inserts. A search that starts after the call
 * returned doesn't find the vectors.
 *
 * Errors: ENOENT an id doesn't exist and IGNORE_MISSING isn't set (nothing
 * was removed); as for VEXFS_IOC_INSERT.
 */
struct vexfs_delete {
	__u32	size;
	__u32	flags;
	__u64	ids;
	__u32	count;
	__u32	deleted;
	__u64	reserved[2];
};

/**
 * struct vexfs_get - VEXFS_IOC_GET: look vectors up by id
 * @size: sizeof(struct vexfs_get)
 * @flags: 0
 * @ids: count __u64 ids
 * @vectors: room for count vectors, or 0; zeroes where an id doesn't exist
 * @columns: 0
 * @found: room for count __u8: 1 found, 0 not; or 0
 * @count: 1 to VEXFS_BATCH_MAX
 * @nfound: on return, how many exist
 * @reserved: zero
 *
 * Errors: ENOTTY, EBADF not readable, EINVAL, EFAULT, EIO. An id that
 * doesn't exist is no error.
 */
struct vexfs_get {
	__u32	size;
	__u32	flags;
	__u64	ids;
	__u64	vectors;
	__u64	columns;
	__u64	found;
	__u32	count;
	__u32	nfound;
	__u64	reserved[2];
};

/**
 * struct vexfs_iterate - VEXFS_IOC_ITERATE: list ids (and vectors)
 * @size: sizeof(struct vexfs_iterate)
 * @flags: 0
 * @cursor: 0 to begin; on return where to go on
 * @ids: room for max __u64
 * @vectors: room for max vectors, or 0
 * @columns: 0
 * @max: 1 to VEXFS_BATCH_MAX
 * @count: on return, how many were written; 0: the end
 * @reserved: zero
 *
 * Vectors that are there during the whole iteration are listed once; what is
 * inserted or deleted meanwhile may or may not be listed.
 */
struct vexfs_iterate {
	__u32	size;
	__u32	flags;
	__u64	cursor;
	__u64	ids;
	__u64	vectors;
	__u64	columns;
	__u32	max;
	__u32	count;
	__u64	reserved[2];
};

struct vexfs_hit {
	__u64	id;
	__u32	distance;	/* bits of a float */
	__u32	reserved;
};

#define VEXFS_SEARCH_EXACT	0x1	/* compare every vector */

/* @mode of struct vexfs_search */
#define VEXFS_MODE_SCAN		1
#define VEXFS_MODE_GRAPH	2
#define VEXFS_MODE_LSH		3

/**
 * struct vexfs_search - VEXFS_IOC_SEARCH: the nearest vectors of queries
 * @size: sizeof(struct vexfs_search)
 * @flags: VEXFS_SEARCH_*
 * @queries: nqueries vectors
 * @hits: room for nqueries * k struct vexfs_hit, k to each query, nearest
 *	first; equal distances by smaller id
 * @counts: room for nqueries __u32: hits of each query; or 0. Less than k
 *	only when the collection holds less; the rest of the k is zeroed.
 * @nqueries: 1 to VEXFS_QUERIES_MAX
 * @k: 1 to VEXFS_K_MAX; nqueries * k at most VEXFS_RESULTS_MAX
 * @ef: HNSW: candidates kept; LSH: neighbours that are looked for with the
 *	collection's recall, of which the @k nearest are returned; up to
 *	VEXFS_EF_MAX, less than @k counts as @k; 0: the collection's default
 * @stride: bytes from one query to the next; 0: dense
 * @filter: 0
 * @mode: on return, how the last query was answered, VEXFS_MODE_*
 * @reserved0: zero
 * @compared: on return, distances computed for all queries together
 * @reserved: zero
 *
 * Distances are computed from the full rows. Errors: ENOTTY, EBADF not
 * readable, EINVAL bad field or a query element that is not finite, EFAULT,
 * EINTR (killed), EIO.
 */
struct vexfs_search {
	__u32	size;
	__u32	flags;
	__u64	queries;
	__u64	hits;
	__u64	counts;
	__u32	nqueries;
	__u32	k;
	__u32	ef;
	__u32	stride;
	__u64	filter;
	__u32	mode;
	__u32	reserved0;
	__u64	compared;
	__u64	reserved[4];
};

/**
 * struct vexfs_wait - VEXFS_IOC_WAIT: wait until the index has caught up
 * @size: sizeof(struct vexfs_wait)
 * @flags: 0
 * @timeout_ms: return after this time with what is left; 0: only ask
 * @pending: on return, vectors the index has still to take in
 * @reserved: zero
 *
 * Errors: ENOTTY, EBADF, EINVAL, EFAULT, EINTR; EIO, ENOMEM the index can't
 * take a vector in (searches find it all the same).
 */
struct vexfs_wait {
	__u32	size;
	__u32	flags;
	__u32	timeout_ms;
	__u32	reserved0;
	__u64	pending;
	__u64	reserved[2];
};

/**
 * struct vexfs_resize - VEXFS_IOC_RESIZE: make the mounted volume larger
 * @size: sizeof(struct vexfs_resize)
 * @flags: 0
 * @bytes: the size it is to have, 0: all of the device, or as much as it can
 *	have. On return the size it has, whole groups but for the last.
 * @most: on return, the largest size that it can get
 * @reserved: zero
 *
 * On any open file of the volume, with CAP_SYS_ADMIN. It is on disk when this
 * returns; after a crash the volume has the one size or the other.
 *
 * Errors: EINVAL a field is not zero, or the volume is larger already; ENOSPC
 * the device is smaller; EFBIG there is no room for the descriptors of more
 * groups; EBUSY another resize is under way; EPERM, EROFS, EFAULT, EIO.
 */
struct vexfs_resize {
	__u32	size;
	__u32	flags;
	__u64	bytes;
	__u64	most;
	__u64	reserved[2];
};

#define VEXFS_IOC_MAGIC		'V'

#define VEXFS_IOC_CREATE	_IOWR(VEXFS_IOC_MAGIC, 1, struct vexfs_create)
#define VEXFS_IOC_INFO		_IOWR(VEXFS_IOC_MAGIC, 2, struct vexfs_info)
#define VEXFS_IOC_SEARCH	_IOWR(VEXFS_IOC_MAGIC, 3, struct vexfs_search)
#define VEXFS_IOC_INSERT	_IOWR(VEXFS_IOC_MAGIC, 4, struct vexfs_insert)
#define VEXFS_IOC_DELETE	_IOWR(VEXFS_IOC_MAGIC, 5, struct vexfs_delete)
#define VEXFS_IOC_GET		_IOWR(VEXFS_IOC_MAGIC, 6, struct vexfs_get)
#define VEXFS_IOC_ITERATE	_IOWR(VEXFS_IOC_MAGIC, 7, struct vexfs_iterate)
#define VEXFS_IOC_WAIT		_IOWR(VEXFS_IOC_MAGIC, 8, struct vexfs_wait)
#define VEXFS_IOC_RESIZE	_IOWR(VEXFS_IOC_MAGIC, 32, struct vexfs_resize)

#endif /* _UAPI_LINUX_VEXFS_H */

/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A collection of the shared core for the benchmark: rows, log and index in
 * memory, or in files that are written and synced as the kernel's are.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#ifndef _VEXFS_BENCH_STORE_H
#define _VEXFS_BENCH_STORE_H

#include "coll.h"

enum store_area {
	STORE_ROWS,
	STORE_LOG,
	STORE_INDEX,
	STORE_AREAS,
};

struct store {
	struct vexfs_coll *coll;
	struct vexfs_coll_config cfg;
	struct vexfs_coll_header header;
	u8	*data[STORE_AREAS];
	u64	cap[STORE_AREAS];
	/** @len: what was written; readers of rows race with writers */
	u64	len[STORE_AREAS];
	/** @fd: of the files, -1 when all is in memory; the last: header */
	int	fd[STORE_AREAS + 1];
};

/* @dir NULL: in memory. Exits when it can't be. */
struct store *store_create(const struct vexfs_coll_config *cfg, u64 rows,
			   const char *dir);
void store_free(struct store *st);
/* Rows are packed; ids are assigned, from 0 on. Negative errno. */
int store_insert(struct store *st, const void *rows, u32 n);
/* fsync(): rows and log, then the header. */
int store_commit(struct store *st);
int store_checkpoint(struct store *st);

struct bench_data;
/* engine_vexfs.c: a searcher of bench_vexfs for @st. */
void *bench_vexfs_searcher(struct store *st, const struct bench_data *d);

#endif /* _VEXFS_BENCH_STORE_H */

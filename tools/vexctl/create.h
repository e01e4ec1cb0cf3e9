/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The options that make a collection: create and import take them.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#ifndef _VEXCTL_CREATE_H
#define _VEXCTL_CREATE_H

#include <getopt.h>

#include "vexctl.h"

enum {
	CREATE_M = 256, CREATE_EFC, CREATE_EF, CREATE_SEED, CREATE_RECALL,
	CREATE_TABLES, CREATE_BITS, CREATE_LAST
};

/* For getopt_long(): these, then the @own ones of a command, then zeroes. */
#define CREATE_NOPTIONS	11
void create_long_options(struct option *all, const struct option *own,
			 unsigned int nown);

#define CREATE_HELP							\
	"  -d, --dims N             dimensions, 1 to 16384 (default: mkfs -D)\n" \
	"  -t, --type TYPE          f32, f16, bf16, i8, u8 or b1 (default f32)\n" \
	"  -m, --metric METRIC      l2 (squared), ip, cosine, l1 or hamming (b1 only,\n" \
	"                           where it is the default; else l2)\n"	\
	"  -i, --index INDEX        hnsw, lsh or flat (default hnsw)\n"	\
	"      --m N                HNSW: links of a node (default 16)\n" \
	"      --ef-construction N  HNSW: candidates while inserting (default 200)\n" \
	"      --ef N               HNSW: candidates while searching\n"	\
	"      --recall SHARE       LSH: of the nearest, to be found (default 0.9)\n" \
	"      --tables N           LSH: hash tables, 1 to 32 (default 16)\n" \
	"      --bits N             LSH: of a bucket's address, at most (default any)\n" \
	"      --seed N             of the index (default: random)\n"

void create_defaults(struct vexfs_create *c);
void create_option(struct vexfs_create *c, int opt, const char *arg);
/* Opens @path, made when it isn't there; the collection is in it. */
int create_collection(const char *path, struct vexfs_create *c);

#endif /* _VEXCTL_CREATE_H */

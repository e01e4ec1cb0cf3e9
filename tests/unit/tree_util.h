/* SPDX-License-Identifier: GPL-2.0 */
/*
 * For tests of extent trees and directories: TAP output, a random sequence, a
 * formatted volume in memory, a tree checker, and ways to make things fail.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#ifndef _VEXFS_TREE_UTIL_H
#define _VEXFS_TREE_UTIL_H

#include "../../fs/vexfs/libvexfs/libvexfs.h"
#include "../../tools/lib/vexfs_dev.h"

/* Ends the test with "not ok" and the place. */
#define CHECK(cond, ...) do {						\
	if (!(cond))							\
		tu_fail(__FILE__, __LINE__, #cond, "# " __VA_ARGS__);	\
} while (0)

/* Fewer with sanitizers: how things grow is seen without them. */
#ifdef __SANITIZE_ADDRESS__
#define TU_MANY(n)	((n) / 4)
#else
#define TU_MANY(n)	(n)
#endif

void tu_fail(const char *file, int line, const char *cond, const char *fmt,
	     ...) __printf(4, 5) __cold;
void tu_plan(int tests);
/* Runs one test with an own time limit, and prints its line. */
void tu_run(const char *name, void (*fn)(u32 arg), u32 arg);
int tu_exit(void);
double tu_now(void);
/* Times as much of everything when VEXFS_TEST_SCALE says so. */
u32 tu_scale(void);

void tu_srand(u64 seed);
u64 tu_rand(void);
/* Below @n. */
u32 tu_below(u32 n);

#define TU_INO		12
#define TU_GEN		0x1234
#define TU_HOARD	65536

/* A volume with one inode, which is a file or a directory. */
struct tu_vol {
	struct vexfs_dev *dev;
	struct vexfs_fs fs;
	struct vexfs_node node;
	u64 size;			/* of the directory */
	u64 free_at_start;		/* clusters */
	/* Clusters taken away, so that little is free. */
	u64 *hoard;
	u32 hoarded;
};

void tu_open(struct tu_vol *v, u64 bytes, u32 cluster_size);
void tu_close(struct tu_vol *v);
/* The same volume, on a copy of the device. */
void tu_clone(struct tu_vol *v, const struct tu_vol *src);
void tu_commit(struct tu_vol *v);
/* Commits and forgets what is cached. */
void tu_drop(struct tu_vol *v);
struct vexfs_trans *tu_begin(struct tu_vol *v, int credits);
void tu_end(struct vexfs_trans *t);
s64 tu_free(struct tu_vol *v);
/* Leaves exactly @n clusters free. */
void tu_leave_free(struct tu_vol *v, u32 n);
/* Gives everything back. */
void tu_unhoard(struct tu_vol *v);

/*
 * Walks the extent tree and checks all that is said in format.h and extent.h,
 * calling @fn for each extent in order. Also n->blocks, and free space.
 */
typedef void (*tu_extent_fn)(void *arg, const struct vexfs_map *map);
void tu_check_extents(struct tu_vol *v, tu_extent_fn fn, void *arg);

/* Calls @fn for each node of the extent tree, or each directory block. */
typedef void (*tu_block_fn)(void *arg, u64 bno);
void tu_extent_nodes(struct tu_vol *v, tu_block_fn fn, void *arg);

/* Changes a few bytes of a metadata block, with or without the checksum. */
void tu_damage(struct tu_vol *v, u64 bno, bool fix_csum);

#endif /* _VEXFS_TREE_UTIL_H */

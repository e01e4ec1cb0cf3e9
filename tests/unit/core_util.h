/* SPDX-License-Identifier: GPL-2.0 */
/*
 * For tests of the geometry, the allocators and inodes: TAP output, random
 * numbers, an empty volume in memory without a root directory.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#ifndef _VEXFS_CORE_UTIL_H
#define _VEXFS_CORE_UTIL_H

#include "libvexfs.h"
#include "vexfs_dev.h"

/* Ends the program with "not ok" and the place. */
#define CHECK(cond) do {						\
	if (!(cond))							\
		cu_fail(__FILE__, __LINE__, #cond);			\
} while (0)

#define CHECK_EQ(a, b)							\
	cu_check_eq(__FILE__, __LINE__, #a " == " #b, (long long)(a),	\
		    (long long)(b))

void cu_fail(const char *file, int line, const char *cond)
	__attribute__((__noreturn__));
void cu_check_eq(const char *file, int line, const char *what, long long a,
		 long long b);
void cu_plan(int tests);
void cu_run(const char *name, void (*fn)(void));

u64 cu_rand(void);
/* Below @n */
u64 cu_below(u64 n);
/* True if @fn ends with abort(), saying something with @word. */
bool cu_dies(void (*fn)(void), const char *word);

struct cu_vol {
	struct vexfs_dev *dev;
	struct vexfs_fs fs;
	bool loaded;
};

/* Formats a memory image, but for the root directory, and loads it. */
void cu_open(struct cu_vol *v, const struct vexfs_geom_options *opt);
void cu_close(struct cu_vol *v);
void cu_load(struct cu_vol *v);
void cu_unload(struct cu_vol *v);
/* Commits, forgets all that is cached, loads again. */
void cu_reload(struct cu_vol *v);
struct vexfs_trans *cu_begin(struct cu_vol *v, int credits);

#endif /* _VEXFS_CORE_UTIL_H */

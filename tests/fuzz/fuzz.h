/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the parts of mountfuzz share; see main.c.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#ifndef _VEXFS_MOUNTFUZZ_H
#define _VEXFS_MOUNTFUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MF_BASES	3
#define MF_BYTES	(32u << 20)	/* of each volume */
#define MF_PATHS	400
#define MF_PATH		512
#define MF_BUF		(128u << 10)
#define MF_WAIT_MS	20		/* for the index of a collection */

/* What the watching process sees of the one that works. */
struct mf_shared {
	volatile uint64_t seed;		/* of the round under way */
	const char *volatile what;	/* the step, and the call */
	const char *volatile call;
	volatile long	since;		/* it began, in seconds */
	volatile bool	over;
	uint64_t	rounds;
	uint64_t	mounted;
	uint64_t	refused;
	uint64_t	errors;		/* calls that failed */
	uint64_t	calls;
	uint64_t	readonly;	/* mounts that errors= made read-only */
	uint64_t	failures;
	uint64_t	slowest_ms;
};

extern struct mf_shared *mf;
extern const char *mf_dir;		/* where volumes are mounted */
extern const char *mf_dev;
extern uint8_t *mf_buf;			/* MF_BUF, aligned; its contents random */

/* What the walk met, for what changes things. */
extern char mf_path[MF_PATHS][MF_PATH];
extern unsigned int mf_paths;

/* Counts a call and its failure, for which any errno will do. */
long mf_call(long ret);
#define MF_CALL(fn, ...) \
	(mf->call = #fn, mf_call((long)fn(__VA_ARGS__)))

/* Something that must not be: the round has failed. */
void mf_bad(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void mf_step(const char *what);

uint64_t mf_random(void);
uint32_t mf_below(uint32_t n);

/* image.c: the volumes in memory */
/* From the disk where they are kept, or else made, and kept there. */
int mf_image_setup(const char *store, const char *file);
/* The file becomes volume @which, damaged as @seed says. */
void mf_image_damage(unsigned int which, uint64_t seed);

/* make.c: files, directories and collections on the mounted volume */
int mf_make(unsigned int which);

/* walk.c, change.c */
void mf_walk(void);
void mf_change(unsigned int steps);
/* Opens only what is a regular file or a directory; -1 for others. */
int mf_open(const char *path, int flags);

#endif /* _VEXFS_MOUNTFUZZ_H */

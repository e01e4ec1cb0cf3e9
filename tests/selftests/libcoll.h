/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Helpers of the tests of collections: the commands as functions that return
 * 0 or a negative errno, vectors that can be told apart, a reference search.
 */
#ifndef VEXFS_SELFTEST_LIBCOLL_H
#define VEXFS_SELFTEST_LIBCOLL_H

#include <linux/vexfs.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A new f32 collection @name, open for reading and writing; fd or -errno. */
int coll_create(const char *name, uint32_t dims, uint8_t metric, uint8_t index);
/* @ids NULL: assigned, the first in *@first_id (which may be NULL). */
int coll_insert(int fd, const uint64_t *ids, const float *vectors, uint32_t n,
		uint32_t flags, uint64_t *first_id);
/* Number of those deleted, or -errno. */
int coll_delete(int fd, const uint64_t *ids, uint32_t n, uint32_t flags);
/* Number of those found, or -errno. */
int coll_get(int fd, const uint64_t *ids, uint32_t n, float *vectors,
	     uint8_t *found);
/* Hits of one query, or -errno. */
int coll_search(int fd, const float *query, uint32_t k, uint32_t ef,
		uint32_t flags, struct vexfs_hit *hits);
/* How the last of these was answered: VEXFS_MODE_* */
extern uint32_t coll_mode;
int coll_info(int fd, struct vexfs_info *info);
/* 0 when the index holds everything. */
int coll_wait(int fd, uint32_t timeout_ms);
/* All ids in the order of iteration, malloc'ed; number or -errno. */
long coll_ids(int fd, uint64_t **ids);

/*
 * A digest of what the collection holds: ids, vectors, next id, slots, and
 * the bytes of its file. 0 when something failed.
 */
uint64_t coll_digest(int fd);

/* Vectors of small whole numbers, so that sums of them are exact. */
void coll_fill_ints(float *v, uint32_t dims, uint64_t seed);
/* Vectors around one of @centres points. */
void coll_fill_cluster(float *v, uint32_t dims, uint64_t seed,
		       uint32_t centres);

float coll_bits_to_float(uint32_t bits);

/* The k nearest by double-precision arithmetic, nearest first, then by id. */
struct coll_near {
	double		distance;
	uint64_t	id;
};

double coll_distance(const float *a, const float *b, uint32_t dims,
		     uint8_t metric);
/* Vector i has id ids[i]; @out has room for n and is sorted. */
void coll_reference(const float *query, const float *vectors,
		    const uint64_t *ids, uint32_t n, uint32_t dims,
		    uint8_t metric, struct coll_near *out);

#endif

/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A thin C interface to collections: one function for each ioctl of
 * <linux/vexfs.h>, which documents shapes, limits and errors. All return 0
 * or a negative errno. @fd is an open collection (for vexfs_create(): an
 * empty file on a VexFS volume).
 *
 * Copyright (C) 2026 The VexFS authors
 */
#ifndef _VEXFS_CLIENT_H
#define _VEXFS_CLIENT_H

#include <stdbool.h>
#include <stdint.h>
#include <linux/vexfs.h>

/* Each sets the size field of @arg and zeroes nothing else. */
int vexfs_create(int fd, struct vexfs_create *arg);
int vexfs_info(int fd, struct vexfs_info *arg);
int vexfs_insert(int fd, struct vexfs_insert *arg);
int vexfs_delete(int fd, struct vexfs_delete *arg);
int vexfs_get(int fd, struct vexfs_get *arg);
int vexfs_iterate(int fd, struct vexfs_iterate *arg);
int vexfs_search(int fd, struct vexfs_search *arg);
int vexfs_wait(int fd, struct vexfs_wait *arg);

/* Distance of a hit as a number. */
float vexfs_hit_distance(const struct vexfs_hit *hit);

/* Bytes of one vector; 0 for an unknown type. */
size_t vexfs_vector_bytes(unsigned int type, unsigned int dims);

/* "f32", "cosine", "hnsw", ... and back; NULL or 0 when unknown. */
const char *vexfs_type_name(unsigned int type);
const char *vexfs_metric_name(unsigned int metric);
const char *vexfs_index_name(unsigned int index);
unsigned int vexfs_type_number(const char *name);
unsigned int vexfs_metric_number(const char *name);
unsigned int vexfs_index_number(const char *name);

/* True when @fd is a file on a mounted VexFS volume. */
bool vexfs_on_volume(int fd);

#endif /* _VEXFS_CLIENT_H */

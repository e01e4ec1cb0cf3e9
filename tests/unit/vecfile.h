/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Vectors from files, as floats: .npy with two dimensions (f2, f4) and .fvecs;
 * and made up ones.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#ifndef _VEXFS_VECFILE_H
#define _VEXFS_VECFILE_H

#include <stddef.h>

struct vecfile {
	float	*v;		/* n * dims, packed; by free() */
	size_t	n;
	size_t	dims;
};

/* 0, or -1 with a message on stderr. At most @max vectors, 0: all. */
int vecfile_load(struct vecfile *f, const char *path, size_t max);
/* @n points around @clusters centres. */
int vecfile_random(struct vecfile *f, size_t n, size_t dims, size_t clusters,
		   unsigned long long seed);
void vecfile_free(struct vecfile *f);

#endif /* _VEXFS_VECFILE_H */

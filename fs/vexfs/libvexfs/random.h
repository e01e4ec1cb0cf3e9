/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Numbers that look random, and are the same for the same seed: splitmix64,
 * Steele, Lea and Flood, "Fast splittable pseudorandom number generators",
 * OOPSLA 2014.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#ifndef _VEXFS_RANDOM_H
#define _VEXFS_RANDOM_H

#include "core.h"

#define VEXFS_GOLDEN	0x9e3779b97f4a7c15ull

/* Every bit of the result depends on every bit of @z. */
static inline u64 vexfs_mix(u64 z)
{
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
	return z ^ (z >> 31);
}

static inline u64 vexfs_splitmix(u64 *state)
{
	return vexfs_mix(*state += VEXFS_GOLDEN);
}

/* Sign bits of floats, 0 or the topmost. */
static inline void vexfs_random_signs(u32 *signs, u32 n, u64 seed)
{
	u64 bits = 0;
	u32 i;

	for (i = 0; i < n; i++, bits <<= 1) {
		if (!(i % 64))
			bits = vexfs_splitmix(&seed);
		signs[i] = bits >> 63 ? 0x80000000u : 0;
	}
}

#endif /* _VEXFS_RANDOM_H */

// SPDX-License-Identifier: GPL-2.0
/*
 * The hash of directories. Alone in its file so that tests can link another
 * one, with collisions.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include "dir.h"

/*
 * Neither the lowest nor the highest value: keys stay clear of the cookies of
 * "." and "..", and below the end that readdir may report.
 */
u64 vexfs_dir_hash(struct vexfs_fs *fs, const u8 *name, u32 len)
{
	const siphash_key_t key = { { fs->hash_key[0], fs->hash_key[1] } };
	u64 hash = siphash(name, len, &key) >> 8;

	return clamp_t(u64, hash, 1, (U64_MAX >> 8) - 1);
}

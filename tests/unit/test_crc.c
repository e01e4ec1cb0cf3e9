// SPDX-License-Identifier: GPL-2.0
/*
 * Checksums worked out from what changed: the same as those of the whole.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include "libvexfs.h"
#include "vtest.h"

#define SIZE	65536u

static u8 block[SIZE];

static void fill(u64 *seed)
{
	u32 i;

	for (i = 0; i < SIZE; i++)
		block[i] = vt_random(seed);
}

static void test_flip(u64 seed)
{
	u32 i, n, size, bit, len, was, now;

	fill(&seed);
	for (n = 0; n < 4000; n++) {
		size = 1 + vt_random(&seed) % (n % 4 ? 4096 : SIZE);
		bit = vt_random(&seed) % (8 * size);
		len = n % 3 ? 1 : 1 + vt_random(&seed) % (8 * size - bit);
		was = vexfs_crc32c(77, block, size);
		for (i = bit; i < bit + len; i++)
			block[i / 8] ^= 1 << i % 8;
		now = vexfs_crc32c(77, block, size);
		CHECK(vexfs_crc_flip(was, size, bit, len) == now,
		      "%u bits from %u on of %u bytes", len, bit, size);
	}
}

static void test_patch(u64 seed)
{
	u32 n, size, at, len, was, now;
	u8 old[64];

	fill(&seed);
	for (n = 0; n < 4000; n++) {
		size = sizeof(old) + vt_random(&seed) % 4096;
		len = vt_random(&seed) % sizeof(old);
		at = vt_random(&seed) % (size - len + 1);
		was = vexfs_crc32c(77, block, size);
		memcpy(old, block + at, len);
		memmove(block + at, block + vt_random(&seed) % 1000, len);
		now = vexfs_crc32c(77, block, size);
		CHECK(vexfs_crc_patch(was, size, at, old, block + at,
				      len) == now,
		      "%u bytes at %u of %u", len, at, size);
	}
}

int main(void)
{
	test_flip(1);
	vt_done("bits that were flipped", NULL);
	test_patch(2);
	vt_done("bytes that were replaced", NULL);
	return vt_exit();
}

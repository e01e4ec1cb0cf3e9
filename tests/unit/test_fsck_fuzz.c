// SPDX-License-Identifier: GPL-2.0
/*
 * fsck.vexfs on volumes with random damage: bytes of metadata are changed,
 * half of the time with the checksum made right again. It must come to an
 * end, and find nothing when it looks a second time.
 *
 * A few hundred of them; VEXFS_FUZZ=5000 does as many, VEXFS_FUZZ_SEED=N
 * begins at another place, which is what a failure prints.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include "fsck_random.h"

#include <unistd.h>

static struct fu_vol base[3];
static struct fr_targets target[3];
static u64 seed;

/* Which volume is part of the seed, so that a failure is one number. */
static void fuzz_one(u32 i)
{
	int which = (int)((seed + i) % 3), first, second;
	struct fu_vol v;
	bool hopeless;

	fr_seed(seed + i);
	fu_clone(&v, &base[which]);
	hopeless = fr_damage(&v, &target[which]);
	alarm(60);
	first = fu_fsck(&v, FSCK_YES);
	second = fu_fsck(&v, FSCK_NO);
	alarm(0);
	if (!hopeless && ((first & ~FSCK_CORRECTED) || second)) {
		printf("# VEXFS_FUZZ_SEED=%llu VEXFS_FUZZ=1: status %d, then %d\n",
		       seed + i, first, second);
		cu_fail(__FILE__, __LINE__, "repaired");
	}
	fu_close(&v);
}

static u32 rounds(void)
{
	const char *env = getenv("VEXFS_FUZZ");

	return env ? (u32)strtoul(env, NULL, 10) : 300;
}

static void fuzz(void)
{
	u32 i, n = rounds();

	for (i = 0; i < n; i++)
		fuzz_one(i);
	printf("# %u volumes with random damage, seed %llu\n", n, seed);
}

int main(void)
{
	const char *env = getenv("VEXFS_FUZZ_SEED");
	int i;

	kshim_seed(4712);
	seed = env ? strtoull(env, NULL, 10) : 20261122;
	cu_plan(1);
	fu_make(&base[0], 4096, false);
	fu_make(&base[1], 4096, true);
	fu_make(&base[2], 8192, true);
	for (i = 0; i < 3; i++)
		fr_find(&target[i], &base[i]);
	cu_run("random damage is repaired", fuzz);
	for (i = 0; i < 3; i++) {
		fr_free(&target[i]);
		fu_close(&base[i]);
	}
	return 0;
}

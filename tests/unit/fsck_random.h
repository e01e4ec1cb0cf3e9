/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Random damage to the metadata of a volume, for what must live with it: fsck
 * (test_fsck_fuzz.c) and the module (tests/fuzz).
 *
 * Copyright (C) 2026 The VexFS authors
 */
#ifndef _VEXFS_FSCK_RANDOM_H
#define _VEXFS_FSCK_RANDOM_H

#include "fsck_util.h"

/* The blocks of a volume that are worth damaging; a sound volume's. */
struct fr_targets {
	u64	*bno;
	u32	count;
};

void fr_find(struct fr_targets *t, struct fu_vol *v);
void fr_free(struct fr_targets *t);

/* From here on the same numbers for the same seed. */
void fr_seed(u64 seed);
u64 fr_random(void);
u32 fr_below(u32 n);

/*
 * Changes one to five blocks, half of them with a checksum that is right. True
 * if neither superblock nor backup can be expected to be of use then.
 */
bool fr_damage(struct fu_vol *v, const struct fr_targets *t);

#endif /* _VEXFS_FSCK_RANDOM_H */

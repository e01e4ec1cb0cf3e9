/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The table of damages that fsck has to find and to repair.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#ifndef _VEXFS_FSCK_DAMAGE_H
#define _VEXFS_FSCK_DAMAGE_H

#include "fsck_util.h"

struct fsck_damage {
	const char *name;
	void	(*plant)(struct fu_vol *v);
	enum fsck_kind kind;		/* that must be among those reported */
	bool	orphans;		/* wants the volume with orphans */
};

extern const struct fsck_damage fsck_damage[];
extern const u32 fsck_damages;
/* Those of quota files, in fsck_quota.c. */
extern const struct fsck_damage fsck_quota_damage[];
extern const u32 fsck_quota_damages;

#endif /* _VEXFS_FSCK_DAMAGE_H */

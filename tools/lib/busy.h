/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Is a device in use?
 *
 * Copyright (C) 2026 The VexFS authors
 */
#ifndef _VEXFS_BUSY_H
#define _VEXFS_BUSY_H

#include "kshim.h"

/* NULL, or how the device or file is used ("mounted on ..."), for a message. */
const char *vexfs_busy(const char *path, const struct stat *st);

#endif /* _VEXFS_BUSY_H */

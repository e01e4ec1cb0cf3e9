/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The part of compat.h about leases. Since 7.0 a filesystem has them if it
 * says so; before, it said so if it had none.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#ifndef _VEXFS_COMPAT_LEASE_H
#define _VEXFS_COMPAT_LEASE_H

#include <linux/fs.h>
#include <linux/version.h>

/* 6.3: was in linux/fs.h */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 3, 0)
#include <linux/filelock.h>
#endif

#endif /* _VEXFS_COMPAT_LEASE_H */

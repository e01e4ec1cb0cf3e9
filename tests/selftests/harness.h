/* SPDX-License-Identifier: GPL-2.0 */
/*
 * kselftest's harness with a time limit that an emulated guest on a busy
 * machine can keep: include this instead of kselftest_harness.h.
 */
#ifndef VEXFS_SELFTEST_HARNESS_H
#define VEXFS_SELFTEST_HARNESS_H

#include "kselftest_harness.h"

#undef TEST_TIMEOUT_DEFAULT
#define TEST_TIMEOUT_DEFAULT 240

#endif

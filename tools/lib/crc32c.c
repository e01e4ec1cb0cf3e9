// SPDX-License-Identifier: GPL-2.0
/*
 * CRC-32C for userspace: the instruction of SSE4.2 where there is one, else a
 * table. Like the kernel's, without inversion before or after.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include "kshim.h"
#include "../../fs/vexfs/libvexfs/core.h"

#define CRC32C_POLY	0x82f63b78u	/* reflected */

static u32 crc32c_table[256];

static u32 crc32c_slow(u32 crc, const u8 *p, size_t len)
{
	while (len--)
		crc = (crc >> 8) ^ crc32c_table[(crc ^ *p++) & 0xff];
	return crc;
}

#ifdef __x86_64__
__attribute__((target("sse4.2")))
static u32 crc32c_hard(u32 crc, const u8 *p, size_t len)
{
	u64 c = crc;

	for (; len >= 8; p += 8, len -= 8)
		c = __builtin_ia32_crc32di(c, get_unaligned_le64(p));
	for (; len; p++, len--)
		c = __builtin_ia32_crc32qi((u32)c, *p);
	return (u32)c;
}
#endif

static u32 (*crc32c_best)(u32 crc, const u8 *p, size_t len) = crc32c_slow;

__attribute__((constructor)) static void crc32c_init(void)
{
	u32 i, bit, crc;

	for (i = 0; i < 256; i++) {
		for (crc = i, bit = 0; bit < 8; bit++)
			crc = (crc >> 1) ^ (crc & 1 ? CRC32C_POLY : 0);
		crc32c_table[i] = crc;
	}
#ifdef __x86_64__
	if (__builtin_cpu_supports("sse4.2"))
		crc32c_best = crc32c_hard;
#endif
}

u32 crc32c(u32 crc, const void *data, size_t len)
{
	return crc32c_best(crc, data, len);
}

u32 kshim_crc32c_slow(u32 crc, const void *data, size_t len)
{
	return crc32c_slow(crc, data, len);
}

u32 vexfs_crc32c(u32 crc, const void *data, size_t len)
{
	return crc32c(crc, data, len);
}

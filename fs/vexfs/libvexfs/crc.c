// SPDX-License-Identifier: GPL-2.0
/*
 * Checksums of what changed in a few bits: a CRC is linear, so that the bits
 * alone say by how much it changes, however large the bitmap is.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include "libvexfs.h"

/* crc32c's polynomial, as everything here with the lowest power on top */
#define VEXFS_CRC_POLY	0x82f63b78u

/*
 * [i][d]: x to the power of 8 * d * 16^i, what that many zero bytes multiply
 * by: one multiplication for each digit of their number.
 */
static const u32 vexfs_crc_zeroes[4][16] = {
	{
		0x80000000, 0x00800000, 0x00008000, 0x00000080, 0x82f63b78,
		0xfbc3faf9, 0x8b277743, 0x52a0c93f, 0x6ea2d55c, 0x1c08b7d6,
		0xf56e0ef4, 0x34019664, 0xa66805eb, 0x7a1f6b24, 0xe75d06aa,
		0xc94ec098,
	},
	{
		0x80000000, 0x18b8ea18, 0x510ac59a, 0xb2dea967, 0xb82be955,
		0x36c41f1c, 0x19b29a35, 0xc9e90b9e, 0xb8fdb1e7, 0xe55ef1f3,
		0x1fe0b5c3, 0xe0553f1e, 0x18e4a304, 0x2b830011, 0x56993a31,
		0x0246e2e6,
	},
	{
		0x80000000, 0x88e56f72, 0x74c360a4, 0x631bb273, 0xe4172b16,
		0x71892b1b, 0x835305c9, 0x196b1eae, 0x0d65762a, 0xafc81338,
		0xb5a50ab7, 0xf373c3ac, 0x5f60970f, 0xd46d3063, 0x3a5275ea,
		0x02331c01,
	},
	{
		0x80000000, 0x35d73a62, 0x28461564, 0x43eefc9f, 0xbf455269,
		0x5edcdeb9, 0x65059450, 0x4e6f41a4, 0xe2ea32dc, 0xf5b95b32,
		0x695a4c87, 0xf204502c, 0x9a4f01b6, 0x941a0916, 0x4303cb97,
		0x4c3d3d65,
	},
};

static u32 vexfs_crc_multiply(u32 a, u32 b)
{
	u32 product = 0;

	for (; a; a <<= 1) {
		if (a & BIT(31))
			product ^= b;
		b = (b >> 1) ^ (b & 1 ? VEXFS_CRC_POLY : 0);
	}
	return product;
}

/* @crc, zero bytes later. */
static u32 vexfs_crc_shift(u32 crc, u32 bytes)
{
	int i;

	for (i = 0; bytes; i++, bytes >>= 4)
		if (bytes & 15)
			crc = vexfs_crc_multiply(vexfs_crc_zeroes[i][bytes & 15],
						 crc);
	return crc;
}

static u32 vexfs_crc_byte(u32 crc, u8 byte)
{
	int i;

	crc ^= byte;
	for (i = 0; i < 8; i++)
		crc = (crc >> 1) ^ (crc & 1 ? VEXFS_CRC_POLY : 0);
	return crc;
}

static u32 vexfs_crc_ones(u32 crc, u32 bytes)
{
	u8 ones[64];
	u32 n;

	memset(ones, 0xff, sizeof(ones));
	for (; bytes; bytes -= n) {
		n = min_t(u32, bytes, sizeof(ones));
		crc = vexfs_crc32c(crc, ones, n);
	}
	return crc;
}

u32 vexfs_crc_flip(u32 crc, u32 size, u32 bit, u32 len)
{
	u32 first = bit / 8, last = (bit + len - 1) / 8, delta;
	u8 head = 0xff << (bit % 8), tail = 0xff >> (7 - (bit + len - 1) % 8);

	if (first == last) {
		delta = vexfs_crc_byte(0, head & tail);
	} else {
		delta = vexfs_crc_byte(0, head);
		delta = vexfs_crc_ones(delta, last - first - 1);
		delta = vexfs_crc_byte(delta, tail);
	}
	return crc ^ vexfs_crc_shift(delta, size - last - 1);
}

u32 vexfs_crc_patch(u32 crc, u32 size, u32 at, const void *old,
		    const void *new, u32 len)
{
	const u8 *a = old, *b = new;
	u32 i, delta = 0;

	for (i = 0; i < len; i++)
		delta = vexfs_crc_byte(delta, a[i] ^ b[i]);
	return crc ^ vexfs_crc_shift(delta, size - at - len);
}

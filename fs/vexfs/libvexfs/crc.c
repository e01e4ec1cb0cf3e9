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

/* x to the power of 8, 16, 32, ...: what as many zero bytes multiply by. */
static const u32 vexfs_crc_zeroes[] = {
	0x00800000, 0x00008000, 0x82f63b78, 0x6ea2d55c, 0x18b8ea18, 0x510ac59a,
	0xb82be955, 0xb8fdb1e7, 0x88e56f72, 0x74c360a4, 0xe4172b16, 0x0d65762a,
	0x35d73a62, 0x28461564, 0xbf455269, 0xe2ea32dc,
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

	for (i = 0; bytes; i++, bytes >>= 1)
		if (bytes & 1)
			crc = vexfs_crc_multiply(vexfs_crc_zeroes[i], crc);
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

/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Hamming distances, for one instruction set. Includes define ISA, and BITS
 * (bytes looked at together, 16 or 32) and COUNT(v): the ones of each u64 of
 * it. Rows and codes are both multiples of 32 bytes.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include "simd_priv.h"

#ifndef __CHECKER__

#define BCAT2(a, b)	a##b
#define BCAT(a, b)	BCAT2(a, b)
#define BFN(name)	BCAT(name, ISA)

typedef u64 bu __attribute__((vector_size(BITS), may_alias)) __aligned(1);
typedef u64 bv __attribute__((vector_size(BITS)));

static __always_inline u32 bits_apart(const u8 *a, const u8 *b, u32 bytes)
{
	bv even = {}, odd = {};
	float f;
	u32 i, n = 0;

	for (i = 0; i < bytes; i += 32) {
		even += COUNT(*(const bu *)(a + i) ^ *(const bu *)(b + i));
		if (BITS < 32)
			odd += COUNT(*(const bu *)(a + i + BITS % 32) ^
				     *(const bu *)(b + i + BITS % 32));
	}
	even += odd;
	for (i = 0; i < BITS / 8; i++)
		n += (u32)even[i];
	f = (float)n;
	__builtin_memcpy(&n, &f, sizeof(n));
	return vexfs_key_from_bits(n);
}

/* Row i is at rows[i], or at base + i * stride. */
void BFN(vexfs_bits_)(const struct vexfs_space *sp,
		      const struct vexfs_query *q, const void *const *rows,
		      const void *base, unsigned int n, u32 *keys)
{
	unsigned int i;

	for (i = 0; i < n; i++) {
		if (rows && i + 4 < n)
			__builtin_prefetch(rows[i + 4]);
		keys[i] = bits_apart(q->data, rows ? rows[i] :
				     base + (size_t)i * sp->stride,
				     sp->stride);
	}
}

#endif /* __CHECKER__ */

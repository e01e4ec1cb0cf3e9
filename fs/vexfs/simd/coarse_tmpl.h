/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Products of a query with many centres at once, for one instruction set (see
 * codes_tmpl.h): the same four elements of as many centres as a register has
 * lanes lie side by side, so that nothing has to be added across lanes. Uses
 * NIB_DOT(acc, a, b), which adds products of four u8 with four s8.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include "sign_priv.h"

#ifndef __CHECKER__

typedef s32 coarse_word_t __attribute__((may_alias));

/* Registers for the centres that are compared together. */
#define COARSE_REGS	(VEXFS_COARSE_BLOCK * 4 / VB)

void CFN(vexfs_sign_coarse_)(const struct vexfs_sign_table *t,
			     const struct vexfs_query_sign *qs, s32 *products)
{
	const coarse_word_t *values = (const coarse_word_t *)qs->values;
	const ci *c = (const ci *)t->coarse;
	u32 i, j, k;

	for (i = 0; i < t->centres; i += VEXFS_COARSE_BLOCK) {
		ci acc[COARSE_REGS] = { 0 };

		for (k = 0; k < VEXFS_COARSE_DIMS / 4; k++) {
			const ci y = (ci){} + values[k];

#pragma GCC unroll 16
			for (j = 0; j < COARSE_REGS; j++)
				acc[j] = NIB_DOT(acc[j], y, c[j]);
			c += COARSE_REGS;
		}
		__builtin_memcpy(products + i, acc, sizeof(acc));
	}
}

#endif /* __CHECKER__ */

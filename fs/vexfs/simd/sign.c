// SPDX-License-Identifier: GPL-2.0
/*
 * Sign codes: the centres, and calls of the instruction set in use, within FPU
 * sections of bounded length.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include "../libvexfs/arena.h"
#include "../libvexfs/random.h"
#include "sign_priv.h"
#include "simd_call.h"

/* Elements above which each round of a rotation has a section of its own. */
#define SIGN_SECTION	2048u
/* A float */
#define SIGN_ONE	0x3f800000u
/* Centres that are compared with at a time. */
#define SIGN_STEP	32u

static size_t signs_bytes(const struct vexfs_sign_table *t)
{
	return (size_t)VEXFS_SIGN_ROUNDS * t->width * sizeof(*t->signs);
}

static size_t rotated_bytes(const struct vexfs_sign_table *t)
{
	return (size_t)t->centres * t->width * sizeof(*t->rotated);
}

static size_t code_bytes(const struct vexfs_sign_table *t)
{
	return (size_t)t->centres * t->code_bytes;
}

int vexfs_sign_table_init(struct vexfs_sign_table *t,
			  const struct vexfs_space *sp, u32 centres, u64 seed)
{
	memset(t, 0, sizeof(*t));
	t->centres = centres;
	t->width = vexfs_sign_width(sp->dims);
	t->code_bytes = sp->code_bytes;
	t->signs = vexfs_chunk_alloc(signs_bytes(t));
	t->code = vexfs_chunk_alloc(code_bytes(t));
	t->rotated = vexfs_chunk_alloc(rotated_bytes(t));
	t->scales = kvzalloc(sizeof(*t->scales), GFP_KERNEL);
	if (!t->signs || !t->code || !t->rotated || !t->scales) {
		vexfs_sign_table_free(t);
		return -ENOMEM;
	}
	vexfs_random_signs(t->signs, VEXFS_SIGN_ROUNDS * t->width, seed);
	return 0;
}

void vexfs_sign_table_free(struct vexfs_sign_table *t)
{
	vexfs_chunk_free(t->signs, signs_bytes(t));
	vexfs_chunk_free(t->code, code_bytes(t));
	vexfs_chunk_free(t->rotated, rotated_bytes(t));
	kvfree(t->scales);
	memset(t, 0, sizeof(*t));
}

u64 vexfs_sign_table_memory(const struct vexfs_sign_table *t)
{
	return signs_bytes(t) + code_bytes(t) + rotated_bytes(t) +
	       sizeof(*t->scales);
}

struct vexfs_sign_sums *
vexfs_sign_sums_alloc(const struct vexfs_sign_table *t)
{
	struct vexfs_sign_sums *sums = kvzalloc(sizeof(*sums), GFP_KERNEL);

	if (!sums)
		return NULL;
	sums->room = rotated_bytes(t);
	sums->sums = vexfs_chunk_alloc(sums->room);
	if (sums->sums) {
		memset(sums->sums, 0, sums->room);
		return sums;
	}
	kvfree(sums);
	return NULL;
}

void vexfs_sign_sums_free(struct vexfs_sign_sums *sums)
{
	if (!sums)
		return;
	vexfs_chunk_free(sums->sums, sums->room);
	kvfree(sums);
}

static void sign_pause(const struct vexfs_sign_table *t)
{
	if (t->width <= SIGN_SECTION)
		return;
	vexfs_simd_end(0, 0, 0);
	vexfs_fpu_begin();
}

/* In an FPU section, and others after it. */
static void sign_rotate(const struct vexfs_sign_table *t, u32 *work)
{
	u32 i;

	for (i = 0; i < VEXFS_SIGN_ROUNDS; i++) {
		sign_pause(t);
		CALL_ROWS(vexfs_sign_turn, t, i, work);
	}
	sign_pause(t);
}

static void *centre_code(const struct vexfs_sign_table *t, u32 centre)
{
	return t->code + (size_t)centre * t->code_bytes;
}

void vexfs_sign_centre_set(const struct vexfs_space *sp,
			   struct vexfs_sign_table *t, u32 centre,
			   const void *code, struct vexfs_sign_sums *sums)
{
	u32 *sum = sums->sums + (size_t)centre * t->width;

	vexfs_fpu_begin();
	CALL_ROWS(vexfs_sign_add, sp, code,
		  t->rotated + (size_t)centre * t->width, sum);
	vexfs_simd_end(0, 1, 0);
	sums->count[centre] = 1;
	vexfs_sign_centre_move(sp, t, centre, sums);
}

/* The keys of all centres; then zeroes, as far as a register reads. */
static void centre_keys(const struct vexfs_space *sp,
			const struct vexfs_sign_table *t,
			const struct vexfs_query *q, u32 *keys)
{
	const void *code[SIGN_STEP];
	u32 i, j, now;

	for (i = 0; i < t->centres; i += now) {
		now = min(t->centres - i, SIGN_STEP);
		for (j = 0; j < now; j++)
			code[j] = centre_code(t, i + j);
		vexfs_dist_codes(sp, q, code, now, keys + i);
	}
	for (; i % VEXFS_LANES; i++)
		keys[i] = 0;
}

u32 vexfs_sign_nearest(const struct vexfs_space *sp,
		       const struct vexfs_sign_table *t, const void *code,
		       struct vexfs_query *q)
{
	u32 keys[VEXFS_SIGN_MAX_CENTRES], near[VEXFS_SIGN_NEAR];

	vexfs_query_from_code(sp, code, q);
	centre_keys(sp, t, q, keys);
	vexfs_fpu_begin();
	CALL_ROWS(vexfs_sign_near, t, keys, near);
	vexfs_simd_end(0, 0, 0);
	return near[0];
}

void vexfs_sign_sample(const struct vexfs_space *sp,
		       const struct vexfs_sign_table *t,
		       struct vexfs_sign_sums *sums, u32 centre,
		       const void *code, struct vexfs_query *q)
{
	u32 *sum = sums->sums + (size_t)centre * t->width;

	vexfs_fpu_begin();
	CALL_ROWS(vexfs_sign_add, sp, code, vexfs_sign_work(sp, q), sum);
	vexfs_simd_end(0, 1, 0);
	sums->count[centre]++;
}

void vexfs_sign_centre_move(const struct vexfs_space *sp,
			    struct vexfs_sign_table *t, u32 centre,
			    struct vexfs_sign_sums *sums)
{
	u32 *sum = sums->sums + (size_t)centre * t->width;
	u32 *rotated = t->rotated + (size_t)centre * t->width;
	struct vexfs_space floats = *sp;

	if (!sums->count[centre])
		return;
	floats.elem = VEXFS_ELEM_F32;
	vexfs_fpu_begin();
	vexfs_sign_mean_sse2(sp, sum, sums->count[centre]);
	vexfs_sign_scale_sse2(sp, sum, t->scales, centre);
	CALL_ROWS(vexfs_encode, &floats, sum, centre_code(t, centre));
	CALL_ROWS(vexfs_sign_decode, sp, centre_code(t, centre),
		  t->scales->share_mul[centre], rotated);
	sign_rotate(t, rotated);
	vexfs_simd_end(0, 0, 1);
	memset(sum, 0, t->width * sizeof(*sum));
	sums->count[centre] = 0;
}

u32 vexfs_sign_encode(const struct vexfs_space *sp,
		      const struct vexfs_sign_table *t, const void *code,
		      u32 centre, struct vexfs_query *q, void *sign)
{
	u32 bits, *work = vexfs_sign_work(sp, q);

	vexfs_fpu_begin();
	CALL_ROWS(vexfs_sign_decode, sp, code, SIGN_ONE, work);
	sign_rotate(t, work);
	bits = CALL_ROWS_VALUE(vexfs_sign_encode, sp, t, work, centre, sign);
	vexfs_simd_end(0, 0, 1);
	return vexfs_key_from_bits(bits);
}

u32 vexfs_query_sign_prepare(const struct vexfs_space *sp,
			     const struct vexfs_sign_table *t,
			     struct vexfs_query *q, u32 *near)
{
	struct vexfs_query_sign *qs = vexfs_query_sign(sp, q);
	u32 n, *work = vexfs_sign_work(sp, q);

	centre_keys(sp, t, q, qs->share);
	vexfs_fpu_begin();
	n = CALL_ROWS_VALUE(vexfs_sign_near, t, qs->share, near);
	CALL_ROWS(vexfs_sign_shares, t, qs->share);
	CALL_ROWS(vexfs_sign_values, sp, q, vexfs_simd_isa == ISA_AVX512VNNI,
		  work);
	sign_rotate(t, work);
	CALL_ROWS(vexfs_sign_query, t, work, qs);
	if (vexfs_simd_counts_bits())
		vexfs_sign_planes_avx512popcnt(sp, qs);
	vexfs_simd_end(0, 0, 0);
	return n;
}

void vexfs_dist_signs(const struct vexfs_space *sp,
		      const struct vexfs_query *q, const void *const *signs,
		      unsigned int n, u32 *keys)
{
	const struct vexfs_query_sign *qs = vexfs_query_sign(sp, q);
	unsigned int now;

	for (; n; n -= now, signs += now, keys += now) {
		now = vexfs_section_items(sp->sign_bytes, n);
		vexfs_fpu_begin();
		if (vexfs_simd_counts_bits())
			vexfs_signs_avx512popcnt(sp, qs, signs, now, keys);
		else
			CALL_ROWS(vexfs_signs, sp, qs, signs, now, keys);
		vexfs_simd_end(0, now, 0);
	}
}

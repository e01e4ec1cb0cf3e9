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

static size_t coarse_bytes(const struct vexfs_sign_table *t)
{
	return (size_t)ALIGN(t->centres, VEXFS_COARSE_BLOCK) *
	       VEXFS_COARSE_DIMS;
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
	t->coarse = vexfs_chunk_alloc(coarse_bytes(t));
	t->scales = kvzalloc(sizeof(*t->scales), GFP_KERNEL);
	if (!t->signs || !t->code || !t->rotated || !t->coarse || !t->scales) {
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
	vexfs_chunk_free(t->coarse, coarse_bytes(t));
	kvfree(t->scales);
	memset(t, 0, sizeof(*t));
}

u64 vexfs_sign_table_memory(const struct vexfs_sign_table *t)
{
	return signs_bytes(t) + code_bytes(t) + rotated_bytes(t) +
	       coarse_bytes(t) + sizeof(*t->scales);
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
	u32 keys[VEXFS_SIGN_MAX_CENTRES], near;

	vexfs_query_from_code(sp, code, q);
	centre_keys(sp, t, q, keys);
	vexfs_fpu_begin();
	CALL_ROWS(vexfs_sign_nearness, t, keys);
	CALL_ROWS_VALUE(vexfs_sign_least, keys, t->centres, 1, &near);
	vexfs_simd_end(0, 0, 0);
	return near;
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
	vexfs_sign_coarse_set_sse2(t, centre);
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

/*
 * The shares of a query in keys of nodes near some centres, and in their order
 * how near these are: floats.
 */
static void query_shares(const struct vexfs_space *sp,
			 const struct vexfs_query *q,
			 struct vexfs_query_sign *qs, const u32 *centres,
			 u32 n, u32 *scores)
{
	const void *code[SIGN_STEP];
	u32 i;

	if (!n)
		return;
	for (i = 0; i < n; i++)
		code[i] = centre_code(qs->table, centres[i]);
	vexfs_dist_codes(sp, q, code, n, scores);
	vexfs_fpu_begin();
	vexfs_sign_shares_sse2(qs->table, centres, n, scores, qs->share);
	vexfs_simd_end(0, 0, 0);
}

/* Rotates the query, and asks the coarse elements which centres are near. */
static u32 query_near(const struct vexfs_space *sp,
		      const struct vexfs_sign_table *t, struct vexfs_query *q,
		      u32 *centres)
{
	struct vexfs_query_sign *qs = vexfs_query_sign(sp, q);
	u32 *work = vexfs_sign_work(sp, q), n;

	vexfs_fpu_begin();
	CALL_ROWS(vexfs_sign_values, sp, q, vexfs_simd_isa == ISA_AVX512VNNI,
		  work);
	sign_rotate(t, work);
	CALL_ROWS(vexfs_sign_query, t, work, qs);
	if (vexfs_simd_counts_bits())
		vexfs_sign_planes_avx512popcnt(sp, qs);
	/* Where shares will be: there is room for those of all centres. */
	CALL_CODES(vexfs_sign_coarse, t, qs, (s32 *)qs->share);
	CALL_ROWS(vexfs_sign_scores, t, qs, qs->share);
	n = CALL_ROWS_VALUE(vexfs_sign_least, qs->share, t->centres,
			    VEXFS_COARSE_NEAR, centres);
	vexfs_simd_end(0, 0, 0);
	return n;
}

u32 vexfs_query_sign_prepare(const struct vexfs_space *sp,
			     const struct vexfs_sign_table *t,
			     struct vexfs_query *q, u32 *near)
{
	struct vexfs_query_sign *qs = vexfs_query_sign(sp, q);
	u32 centres[VEXFS_COARSE_NEAR], scores[VEXFS_COARSE_NEAR];
	u32 order[VEXFS_SIGN_NEAR], n, i;

	n = query_near(sp, t, q, centres);
	qs->table = t;
	for (i = 0; i < t->centres; i++)
		qs->share[i] = VEXFS_SIGN_NO_SHARE;
	query_shares(sp, q, qs, centres, n, scores);
	vexfs_fpu_begin();
	n = vexfs_sign_least_sse2(scores, n, VEXFS_SIGN_NEAR, order);
	vexfs_simd_end(0, 0, 0);
	for (i = 0; i < n; i++)
		near[i] = centres[order[i]];
	return n;
}

/* Computes the shares without which there were no keys, as far as that is so. */
static void missing_shares(const struct vexfs_space *sp, struct vexfs_query *q,
			   const void *const *signs, unsigned int n,
			   const u32 *keys)
{
	struct vexfs_query_sign *qs = vexfs_query_sign(sp, q);
	u32 centres[SIGN_STEP], scores[SIGN_STEP], i, want = 0, centre;

	for (i = 0; i < n; i++) {
		centre = vexfs_sign_factors(sp, signs[i])->centre;
		if (keys[i] < VEXFS_SIGN_NO_KEY ||
		    qs->share[centre] != VEXFS_SIGN_NO_SHARE)
			continue;
		/* Not twice; what it is will be known soon. */
		qs->share[centre] = 0;
		centres[want++] = centre;
		if (want < SIGN_STEP)
			continue;
		query_shares(sp, q, qs, centres, want, scores);
		want = 0;
	}
	query_shares(sp, q, qs, centres, want, scores);
}

static bool dist_signs(const struct vexfs_space *sp,
		       const struct vexfs_query *q, const void *const *signs,
		       unsigned int n, u32 *keys)
{
	const struct vexfs_query_sign *qs = vexfs_query_sign(sp, q);
	bool missing;

	vexfs_fpu_begin();
	if (vexfs_simd_counts_bits())
		missing = vexfs_signs_avx512popcnt(sp, qs, signs, n, keys);
	else
		missing = CALL_ROWS_VALUE(vexfs_signs, sp, qs, signs, n, keys);
	vexfs_simd_end(0, n, 0);
	return missing;
}

void vexfs_dist_signs(const struct vexfs_space *sp, struct vexfs_query *q,
		      const void *const *signs, unsigned int n, u32 *keys)
{
	unsigned int now;

	for (; n; n -= now, signs += now, keys += now) {
		now = vexfs_section_items(sp->sign_bytes, n);
		if (likely(!dist_signs(sp, q, signs, now, keys)))
			continue;
		missing_shares(sp, q, signs, now, keys);
		dist_signs(sp, q, signs, now, keys);
	}
}

/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Sign codes for one instruction set. Includes define ISA (a suffix), VB (bytes
 * of a vector register), MASK(v), a bit for the sign of each s32, SAD(a, b) and
 * PICK(p, v), which leaves those bytes of v whose bits are set in the VB / 8
 * bytes at p.
 *
 * Each element is computed by the same operations on every instruction set, in
 * the same order and without contraction, and what is summed up over elements
 * in as many lanes: so codes and keys are the same, bit for bit.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include "hadamard_tmpl.h"
#include "sign_priv.h"

#ifndef __CHECKER__

/* Registers that hold VEXFS_LANES floats. */
#define SIGN_REGS	(VEXFS_LANES * 4 / VB)
typedef u8 sb __attribute__((vector_size(VB), may_alias));
typedef s16 sh __attribute__((vector_size(VB / 2), may_alias)) __aligned(1);

/* One round of the rotation, in place. */
void FN(vexfs_sign_turn_)(const struct vexfs_sign_table *t, u32 round,
			  u32 *work)
{
	const vfu *signs = (const vfu *)(t->signs + round * t->width);
	u32 regs = t->width / VF, part = 1, at, i;
	vf *v = (vf *)work;

	while (2 * part <= regs)
		part *= 2;
	at = round & 1 ? regs - part : 0;
	for (i = at ? 0 : part; i < (at ? at : regs); i++)
		v[i] = (vf)((vi)v[i] ^ (vi)signs[i]);
	hadamard(v + at, v + at, signs + at, part,
		 (float)(1.0 / square_root(part * VF)));
}

/* What a code stands for, then zeroes. */
static __always_inline void sign_decode(const struct vexfs_space *sp,
					const void *code, float *x)
{
	float gain = bits_float(vexfs_code_factors(sp, code)->gain);
	u32 i;

	for (i = 0; i < sp->dims; i += VF) {
		vi v = __builtin_convertvector(*(const vb *)(code + i), vi);

		*(vf *)(x + i) = __builtin_convertvector(v - 128, vf) * gain;
	}
	/* The last register took more than there is */
	__builtin_memset(x + sp->dims, 0,
			 (vexfs_sign_width(sp->dims) - sp->dims) * sizeof(*x));
}

static __always_inline float sign_fold(const vf *acc)
{
	float lane[VEXFS_LANES];
	u32 i, half;

	__builtin_memcpy(lane, acc, sizeof(lane));
	for (half = VEXFS_LANES / 2; half; half /= 2)
		for (i = 0; i < half; i++)
			lane[i] += lane[i + half];
	return lane[0];
}

/* The values of the query's code, kept as s8 if @bytes, or as s16. */
void FN(vexfs_sign_values_)(const struct vexfs_space *sp,
			    const struct vexfs_query *q, bool bytes, u32 *work)
{
	float gain = -bits_float(q->gain), *x = (float *)work;
	const s16 *words = vexfs_query_s16(sp, q);
	const u8 *values = vexfs_query_s8(sp, q);
	u32 i;
	vi v;

	if (sp->metric == VEXFS_METRIC_L2)
		gain *= 0.5f;
	for (i = 0; i < sp->dims; i += VF) {
		/* Compilers have an instruction for bytes without a sign only */
		if (bytes)
			v = __builtin_convertvector(*(const vb *)(values + i) ^
						    0x80, vi) - 128;
		else
			v = __builtin_convertvector(*(const sh *)(words + i),
						    vi);
		*(vf *)(x + i) = __builtin_convertvector(v, vf) * gain;
	}
	__builtin_memset(x + sp->dims, 0,
			 (vexfs_sign_width(sp->dims) - sp->dims) * sizeof(*x));
}

/* The largest magnitude; of such floats the bits are in the same order. */
static __always_inline float sign_largest(const vf *x, u32 regs)
{
	vi best = { 0 };
	s32 max = 0;
	u32 i;

	for (i = 0; i < regs; i++) {
		vi v = (vi)x[i] & 0x7fffffff, more = v > best;

		best = (v & more) | (best & ~more);
	}
	for (i = 0; i < VF; i++)
		max = best[i] > max ? best[i] : max;
	return bits_float((u32)max);
}

/* Adding it rounds to an integer, which is in the last bits of the sum. */
#define SIGN_ROUND	12582912.0f
#define SIGN_ROUND_BITS	0x4b400000

/* The query's part, of its values as they were rotated. */
void FN(vexfs_sign_query_)(const struct vexfs_sign_table *t, const u32 *work,
			   struct vexfs_query_sign *qs)
{
	const vf *x = (const vf *)work;
	u32 regs = t->width / VF, i;
	vi sums = { 0 };
	float max, mul = 0;

	max = sign_largest(x, regs);
	if (max > 0x1p-100f)
		mul = VEXFS_SIGN_TOP / max;
	for (i = 0; i < regs; i++) {
		vi v = (vi)(x[i] * mul + SIGN_ROUND) - SIGN_ROUND_BITS;

		sums += v;
		*(vb *)(qs->values + i * VF) =
			__builtin_convertvector(v + VEXFS_SIGN_ZERO, vb);
	}
	qs->sum = 0;
	for (i = 0; i < VF; i++)
		qs->sum += sums[i];
	qs->scale = float_bits(max / VEXFS_SIGN_TOP);
}

/* Sums over the elements, of the difference r, its signs b, the centre c. */
struct FN(sign_sums_) {
	vf	rr[SIGN_REGS];
	vf	rb[SIGN_REGS];
	vf	cb[SIGN_REGS];
	vf	cr[SIGN_REGS];
	vi	ones;
};

/* Returns the signs of a register. */
static __always_inline u32 sign_step(struct FN(sign_sums_) *s, u32 j, vf x,
				     vf c)
{
	const vi top = (vi){} + (s32)0x80000000;
	vf less = c - x;

	s->rr[j] += less * less;
	s->rb[j] += (vf)((vi)less & ~top);
	s->cb[j] += (vf)((vi)c ^ (~(vi)less & top));
	s->cr[j] -= c * less;
	s->ones -= (vi)less >> 31;
	return (u32)MASK((vi)less);
}

/*
 * The code of what was rotated. Returns the square of the difference's length,
 * a float's bits.
 */
u32 FN(vexfs_sign_encode_)(const struct vexfs_space *sp,
			   const struct vexfs_sign_table *t, const u32 *work,
			   u32 centre, void *sign)
{
	const vf *c = (const vf *)(t->rotated + centre * t->width);
	struct vexfs_sign_factors *f = vexfs_sign_factors(sp, sign);
	struct FN(sign_sums_) s = { 0 };
	const vf *x = (const vf *)work;
	float rr, rb, g, offset;
	u32 i, ones = 0, *out = sign;

	__builtin_memset(sign, 0, sp->sign_bytes);
	for (i = 0; i < t->width / VF; i++)
		out[i * VF / 32] |= sign_step(&s, i % SIGN_REGS, x[i], c[i])
				    << (i * VF % 32);
	for (i = 0; i < VF; i++)
		ones += (u32)s.ones[i];
	rr = sign_fold(s.rr);
	rb = sign_fold(s.rb);
	g = rb > 0 ? rr / rb : 0;
	offset = g * sign_fold(s.cb);
	if (sp->metric == VEXFS_METRIC_L2)
		offset = rr + 2 * offset;
	else
		offset = offset - sign_fold(s.cr);
	f->gain = float_bits(sp->metric == VEXFS_METRIC_L2 ? 2 * g : g);
	f->offset = float_bits(offset);
	f->centre = (u16)centre;
	f->ones = (u16)ones;
	return float_bits(rr);
}

/* Keys as the floats that they are of, see vexfs_key_to_bits(). */
static __always_inline vf key_floats(const u32 *keys)
{
	const vi top = (vi){} + (s32)0x80000000;
	const vi k = (vi)*(const vfu *)keys;

	return (vf)(k ^ (top | ~(k >> 31)));
}

/* A float of each lane, VEXFS_LANES of them. */
struct FN(sign_lanes_) {
	vf	v[SIGN_REGS];
};

static __always_inline vi sign_lane_numbers(u32 reg)
{
	vi n;
	u32 i;

	for (i = 0; i < VF; i++)
		n[i] = (s32)(reg * VF + i);
	return n;
}

/* How many of the first @n lanes are before each one in the order. */
static __always_inline void sign_ranks(const struct FN(sign_lanes_) *l, u32 n,
				       vi *rank)
{
	float lane[VEXFS_LANES];
	u32 i, j;

	__builtin_memcpy(lane, l, sizeof(lane));
	for (j = 0; j < SIGN_REGS; j++)
		rank[j] = (vi){};
	for (i = 0; i < n; i++) {
		const vf is = splat(lane[i]);

#pragma GCC unroll 4
		for (j = 0; j < SIGN_REGS; j++) {
			const vi later = sign_lane_numbers(j) > (s32)i;

			rank[j] -= (is < l->v[j]) |
				   ((is == l->v[j]) & later);
		}
	}
}

/*
 * Nothing that is above it is among the @want least: the least of each lane are
 * @want or more different ones. None is a NaN.
 */
static __always_inline float sign_bound(const u32 *scores, u32 n, u32 want)
{
	struct FN(sign_lanes_) least;
	float lane[VEXFS_LANES];
	s32 rank[VEXFS_LANES];
	vi ranks[SIGN_REGS];
	u32 i, j;

	if (n < VEXFS_LANES)
		return bits_float(VEXFS_SIGN_NO_SHARE);
	for (j = 0; j < SIGN_REGS; j++)
		least.v[j] = *(const vfu *)(scores + j * VF);
	for (i = VEXFS_LANES; i + VEXFS_LANES <= n; i += VEXFS_LANES) {
#pragma GCC unroll 4
		for (j = 0; j < SIGN_REGS; j++) {
			const vf is = *(const vfu *)(scores + i + j * VF);
			const vi less = is < least.v[j];

			least.v[j] = (vf)(((vi)is & less) |
					  ((vi)least.v[j] & ~less));
		}
	}
	sign_ranks(&least, VEXFS_LANES, ranks);
	__builtin_memcpy(rank, ranks, sizeof(rank));
	__builtin_memcpy(lane, &least, sizeof(lane));
	for (i = 0; i < VEXFS_LANES - 1 && (u32)rank[i] != want - 1; i++)
		;
	return lane[i];
}

/* The numbers of those that aren't above it, in their order. */
static __always_inline u32 sign_upto(const u32 *scores, u32 n, float bound,
				     u8 *number)
{
	u32 i, got = 0, mask;

	for (i = 0; i < n; i += VF) {
		const vi above = *(const vfu *)(scores + i) > splat(bound);

		mask = (u32)MASK(~above);
		if (n - i < VF)
			mask &= (1u << (n - i)) - 1;
		for (; mask; mask &= mask - 1)
			number[got++] = (u8)(i + (u32)__builtin_ctz(mask));
	}
	return got;
}

/* The same, one by one: the least so far, sorted. */
static noinline u32 sign_least_slowly(const u32 *scores, u32 n, u32 want,
				      u32 *least)
{
	float at[VEXFS_COARSE_NEAR], is;
	u32 i, j, got = 0;

	for (i = 0; i < n; i++) {
		is = bits_float(scores[i]);
		if (got == want && !(is < at[got - 1]))
			continue;
		j = got < want ? got++ : got - 1;
		for (; j && is < at[j - 1]; j--) {
			at[j] = at[j - 1];
			least[j] = least[j - 1];
		}
		at[j] = is;
		least[j] = i;
	}
	return got;
}

/*
 * Which of @n floats are the @want least, at most VEXFS_COARSE_NEAR; sorted.
 * Which ones that is can't be foreseen, so branches are few: of those that may
 * be among them, mostly some ten, the places in the order are counted.
 */
u32 FN(vexfs_sign_least_)(const u32 *scores, u32 n, u32 want, u32 *least)
{
	u8 number[VEXFS_SIGN_MAX_CENTRES];
	struct FN(sign_lanes_) lanes;
	u32 few[VEXFS_LANES], i, got;
	s32 rank[VEXFS_LANES];
	vi ranks[SIGN_REGS];

	want = want < n ? want : n;
	got = sign_upto(scores, n, sign_bound(scores, n, want), number);
	if (got < want || got > VEXFS_LANES)
		return sign_least_slowly(scores, n, want, least);
	for (i = 0; i < VEXFS_LANES; i++)
		few[i] = i < got ? scores[number[i]] : VEXFS_SIGN_NO_SHARE;
	__builtin_memcpy(&lanes, few, sizeof(lanes));
	sign_ranks(&lanes, got, ranks);
	__builtin_memcpy(rank, ranks, sizeof(rank));
	/* If some are no numbers there may be gaps. */
	for (i = 0; i < want; i++)
		least[i] = number[i];
	for (i = 0; i < got; i++)
		if ((u32)rank[i] < want)
			least[rank[i]] = number[i];
	return want;
}

/* Keys of all centres become floats that say which is nearer. */
void FN(vexfs_sign_nearness_)(const struct vexfs_sign_table *t, u32 *keys)
{
	const struct vexfs_sign_scales *sc = t->scales;
	u32 i;

	for (i = 0; i < t->centres; i += VF) {
		const vf is = key_floats(keys + i);

		*(vfu *)(keys + i) = *(const vfu *)(sc->near_add + i) +
				     *(const vfu *)(sc->near_mul + i) * is;
	}
}

/* The same of products of the coarse elements. */
void FN(vexfs_sign_scores_)(const struct vexfs_sign_table *t,
			    const struct vexfs_query_sign *qs, u32 *products)
{
	const struct vexfs_sign_scales *sc = t->scales;
	const vf scale = splat(bits_float(qs->scale));
	u32 i;

	for (i = 0; i < t->centres; i += VF) {
		const vi sum = (vi)*(const vfu *)(products + i) -
			       (vi)*(const vfu *)(sc->coarse_zero + i);
		const vf mul = scale * *(const vfu *)(sc->coarse_mul + i);

		*(vfu *)(products + i) = *(const vfu *)(sc->coarse_add + i) +
			mul * __builtin_convertvector(sum, vf);
	}
}

/* Sums of the query's values where bits are set. */
static __always_inline v4i sign_products(const struct vexfs_space *sp,
					 const struct vexfs_query_sign *qs,
					 const u8 *const *c)
{
	u32 width = vexfs_sign_width(sp->dims), i;
	vi acc[SIGN_GROUP] = { 0 };
	int j;

	for (i = 0; i < width; i += VB) {
		const sb y = *(const sb *)(qs->values + i);

#pragma GCC unroll 4
		for (j = 0; j < SIGN_GROUP; j++)
			acc[j] += (vi)SAD(PICK(c[j] + i / 8, y), (sb){});
	}
	return fold4_i(acc[0], acc[1], acc[2], acc[3]);
}

#include "signs_tmpl.h"

/* Adds what a code stands for to sums. */
void FN(vexfs_sign_add_)(const struct vexfs_space *sp, const void *code,
			 u32 *work, u32 *sum)
{
	u32 i, regs = vexfs_sign_width(sp->dims) / VF;

	sign_decode(sp, code, (float *)work);
	for (i = 0; i < regs; i++)
		((vf *)sum)[i] += ((const vf *)work)[i];
}

/* What a code stands for, @length (a float) times as long. */
void FN(vexfs_sign_decode_)(const struct vexfs_space *sp, const void *code,
			    u32 length, u32 *work)
{
	u32 i, regs = vexfs_sign_width(sp->dims) / VF;

	sign_decode(sp, code, (float *)work);
	for (i = 0; i < regs; i++)
		((vf *)work)[i] *= bits_float(length);
}

#endif /* __CHECKER__ */

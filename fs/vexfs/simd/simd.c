// SPDX-License-Identifier: GPL-2.0
/*
 * Chooses the instruction set, and calls its functions within FPU sections of
 * bounded length.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include "simd_call.h"

static const struct simd_set {
	const char	*name;		/* for vexfs_simd_init() */
	u32		level;
	u32		needs;		/* VEXFS_SIMD_*, VEXFS_CPU_VNNI */
	unsigned int	width;		/* bits */
	unsigned int	counters;	/* number of the level, from 0 */
} simd_set[] = {
	[ISA_SSE2] = {
		"sse2", VEXFS_SIMD_SSE2, VEXFS_SIMD_SSE2, 128, 0
	},
	[ISA_AVX2] = {
		"avx2", VEXFS_SIMD_AVX2, VEXFS_SIMD_AVX2, 256, 1
	},
	[ISA_AVX512] = {
		"avx512bw", VEXFS_SIMD_AVX512, VEXFS_SIMD_AVX512, 512, 2
	},
	[ISA_AVX512VNNI] = {
		"avx512vnni", VEXFS_SIMD_AVX512,
		VEXFS_SIMD_AVX512 | VEXFS_CPU_VNNI, 512, 2
	},
};

/*
 * Processors fetch ahead by themselves, but not beyond a page. With this a scan
 * for one query was an eighth faster on Intel's (a Xeon with 480 MB of cache);
 * asking only slowed it down on Zen 4.
 */
#define STREAM_AHEAD	4096u

enum vexfs_simd_isa vexfs_simd_isa;
u32 vexfs_stream_ahead;
static u32 simd_caps;

static bool simd_usable(enum vexfs_simd_isa isa)
{
	return (simd_caps & simd_set[isa].needs) == simd_set[isa].needs;
}

static int simd_best(enum vexfs_simd_isa first, enum vexfs_simd_isa last)
{
	int isa;

	for (isa = (int)last; isa >= (int)first; isa--) {
		if (simd_usable((enum vexfs_simd_isa)isa)) {
			vexfs_simd_isa = (enum vexfs_simd_isa)isa;
			return 0;
		}
	}
	return -EOPNOTSUPP;
}

int vexfs_simd_init(const char *force)
{
	unsigned int i;

	simd_caps = vexfs_cpu_caps();
	vexfs_stream_ahead = simd_caps & VEXFS_CPU_AHEAD ? STREAM_AHEAD : 0;
	if (!force || !strcmp(force, "auto"))
		return simd_best(ISA_SSE2, ISA_AVX512VNNI);
	if (!strcmp(force, "avx512"))
		return simd_best(ISA_AVX512, ISA_AVX512VNNI);
	for (i = 0; i < ARRAY_SIZE(simd_set); i++) {
		if (!strcmp(force, simd_set[i].name))
			return simd_best((enum vexfs_simd_isa)i, (enum vexfs_simd_isa)i);
	}
	return -EINVAL;
}

void vexfs_simd_exit(void)
{
	vexfs_simd_isa = ISA_SSE2;
}

u32 vexfs_simd_caps(void)
{
	return simd_caps & ~VEXFS_CPU_EXTRA;
}

bool vexfs_simd_counts_bits(void)
{
	return vexfs_simd_isa == ISA_AVX512VNNI && simd_caps & VEXFS_CPU_POPCNT;
}

u32 vexfs_simd_level(void)
{
	return simd_set[vexfs_simd_isa].level;
}

unsigned int vexfs_simd_width(void)
{
	return simd_set[vexfs_simd_isa].width;
}

const char *vexfs_simd_name(u32 level)
{
	switch (level) {
	case VEXFS_SIMD_SSE2:
		return "sse2";
	case VEXFS_SIMD_AVX2:
		return "avx2";
	case VEXFS_SIMD_AVX512:
		return "avx512";
	default:
		return "unknown";
	}
}

void vexfs_simd_count(u32 level, struct vexfs_simd_counts *out)
{
	unsigned int i;

	memset(out, 0, sizeof(*out));
	for (i = 0; i < ARRAY_SIZE(simd_set); i++) {
		if (simd_set[i].level == level) {
			vexfs_fpu_counts(simd_set[i].counters, out);
			return;
		}
	}
}

void vexfs_simd_end(unsigned int rows, unsigned int codes,
		    unsigned int encoded)
{
	vexfs_fpu_end(simd_set[vexfs_simd_isa].counters, rows, codes, encoded);
}

/* How codes are compared; the same function compares rows of bits. */
static void call_bits(const struct vexfs_space *sp,
		      const struct vexfs_query *q, const void *const *rows,
		      const void *base, unsigned int n, u32 *keys)
{
	if (vexfs_simd_counts_bits())
		vexfs_bits_avx512popcnt(sp, q, rows, base, n, keys);
	else if (vexfs_simd_isa >= ISA_AVX2)
		vexfs_bits_avx2(sp, q, rows, base, n, keys);
	else
		vexfs_bits_sse2(sp, q, rows, base, n, keys);
}

static void call_from_code(const struct vexfs_space *sp, const void *code,
			   struct vexfs_query *q)
{
	if (sp->elem == VEXFS_ELEM_B1)
		memmove(q->data, code, sp->code_bytes);
	else if (sp->metric == VEXFS_METRIC_L1)
		CALL_ROWS(vexfs_from_code_l1, sp, code, q);
	else
		CALL_CODES(vexfs_from_code, sp, code, q);
}

static void call_codes(const struct vexfs_space *sp,
		       const struct vexfs_query *q, const void *const *codes,
		       unsigned int n, u32 *keys)
{
	if (sp->elem == VEXFS_ELEM_B1)
		call_bits(sp, q, codes, NULL, n, keys);
	else if (sp->metric == VEXFS_METRIC_L1)
		CALL_ROWS(vexfs_codes_l1, sp, q, codes, n, keys);
	else
		CALL_CODES(vexfs_codes, sp, q, codes, n, keys);
}

static void call_rows(const struct vexfs_space *sp,
		      const struct vexfs_query *q, const void *const *rows,
		      const void *base, unsigned int n, u32 *keys)
{
	if (sp->elem == VEXFS_ELEM_B1)
		call_bits(sp, q, rows, base, n, keys);
	else if (vexfs_elem_is_int(sp->elem))
		CALL_ROWS(vexfs_ints, sp, q, rows, base, n, keys);
	else
		CALL_ROWS(vexfs_rows, sp, q, rows, base, n, keys);
}

void vexfs_query_prepare(const struct vexfs_space *sp, const void *row,
			 struct vexfs_query *q)
{
	vexfs_fpu_begin();
	CALL_ROWS(vexfs_query, sp, row, q);
	call_from_code(sp, vexfs_query_s8(sp, q), q);
	vexfs_simd_end(0, 0, 1);
}

void vexfs_query_from_code(const struct vexfs_space *sp, const void *code,
			   struct vexfs_query *q)
{
	vexfs_fpu_begin();
	call_from_code(sp, code, q);
	vexfs_simd_end(0, 0, 0);
}

void vexfs_code_encode(const struct vexfs_space *sp, const void *row,
		       void *code)
{
	vexfs_fpu_begin();
	CALL_ROWS(vexfs_encode, sp, row, code);
	vexfs_simd_end(0, 0, 1);
}

void vexfs_row_widen(const struct vexfs_space *sp, const void *row, u32 *out)
{
	vexfs_fpu_begin();
	CALL_ROWS(vexfs_widen, sp, row, out);
	vexfs_simd_end(0, 0, 0);
}

void vexfs_dist_rows(const struct vexfs_space *sp, const struct vexfs_query *q,
		     const void *const *rows, unsigned int n, u32 *keys)
{
	unsigned int now;

	for (; n; n -= now, rows += now, keys += now) {
		now = vexfs_section_items(sp->stride, n);
		vexfs_fpu_begin();
		call_rows(sp, q, rows, NULL, now, keys);
		vexfs_simd_end(now, 0, 0);
	}
}

void vexfs_dist_run(const struct vexfs_space *sp, const struct vexfs_query *q,
		    const void *base, unsigned int n, u32 *keys)
{
	unsigned int now;

	for (; n; n -= now, keys += now) {
		now = vexfs_section_items(sp->stride, n);
		vexfs_fpu_begin();
		call_rows(sp, q, NULL, base, now, keys);
		vexfs_simd_end(now, 0, 0);
		base += (size_t)now * sp->stride;
	}
}

void vexfs_lower_rows(const struct vexfs_space *sp, const struct vexfs_query *q,
		      const void *const *rows, unsigned int n, u32 *keys)
{
	unsigned int now;

	for (; n; n -= now, rows += now, keys += now) {
		now = vexfs_section_items(sp->stride, n);
		vexfs_fpu_begin();
		if (sp->exact)
			call_rows(sp, q, rows, NULL, now, keys);
		else
			CALL_ROWS(vexfs_lower, sp, q, rows, now, keys);
		vexfs_simd_end(now, 0, 0);
	}
}

void vexfs_exact_rows(const struct vexfs_space *sp, const struct vexfs_query *q,
		      const void *const *rows, unsigned int n, u32 *keys)
{
	unsigned int now;

	for (; n; n -= now, rows += now, keys += now) {
		now = vexfs_section_items(sp->stride, n);
		vexfs_fpu_begin();
		if (sp->exact)
			call_rows(sp, q, rows, NULL, now, keys);
		else
			CALL_ROWS(vexfs_exact, sp, q, rows, now, keys);
		vexfs_simd_end(now, 0, 0);
	}
}

void vexfs_dist_codes(const struct vexfs_space *sp,
		      const struct vexfs_query *q, const void *const *codes,
		      unsigned int n, u32 *keys)
{
	unsigned int now;

	for (; n; n -= now, codes += now, keys += now) {
		now = vexfs_section_items(sp->code_bytes, n);
		vexfs_fpu_begin();
		call_codes(sp, q, codes, now, keys);
		vexfs_simd_end(0, now, 0);
	}
}

u32 vexfs_code_limit(const struct vexfs_space *sp, const struct vexfs_query *q,
		     u32 key)
{
	if (sp->exact)
		return key;
	/* There lengths count, which may be anything; and absolute values. */
	if (sp->metric == VEXFS_METRIC_IP || sp->metric == VEXFS_METRIC_L1)
		return ~0u;
	vexfs_fpu_begin();
	key = vexfs_code_limit_sse2(sp, q, key);
	vexfs_simd_end(0, 0, 0);
	return key;
}

/* Codes between two looks at how long the section is. */
#define PICK_STEP	32u

struct pick {
	const struct vexfs_space *sp;
	struct vexfs_query *q;
	/** @codes: those left, their keys and numbers */
	const void **codes;
	u32	*keys;
	u32	*order;
	/** @compared: in this section, @most at most and a step */
	u32	compared;
	u32	most;
};

/*
 * Compares @n of those left, from @from on, with the query, and leaves those
 * that it doesn't cover from @to on. Which way that goes is a coin toss, so
 * there is no branch.
 */
static u32 pick_step(struct pick *p, u32 from, u32 n, u32 to)
{
	u32 keys[PICK_STEP], i;

	if (p->compared >= p->most) {
		vexfs_simd_end(0, p->compared, 0);
		vexfs_fpu_begin();
		p->compared = 0;
	}
	call_codes(p->sp, p->q, p->codes + from, n, keys);
	p->compared += n;
	for (i = 0; i < n; i++) {
		p->codes[to] = p->codes[from + i];
		p->keys[to] = p->keys[from + i];
		p->order[to] = p->order[from + i];
		to += keys[i] >= p->keys[to];
	}
	return to;
}

/*
 * What is picked is the query for all of those left: fewer comparisons than one
 * by one with those picked, as far as they come in steps, and fewer queries.
 */
u32 vexfs_pick_codes(const struct vexfs_space *sp, struct vexfs_query *q,
		     const void **codes, u32 *keys, u32 n, u32 want,
		     u32 *order)
{
	struct pick p = { sp, q, codes, keys, order, 0,
			  max(VEXFS_SECTION_BYTES / sp->code_bytes, 1u) };
	u32 got = 0, i, now, left;

	for (i = 0; i < n; i++)
		order[i] = i;
	vexfs_fpu_begin();
	while (got < n && got < want) {
		call_from_code(sp, codes[got++], q);
		for (i = got, left = got; i < n; i += now) {
			now = min3(n - i, PICK_STEP, p.most);
			left = pick_step(&p, i, now, left);
		}
		n = left;
	}
	vexfs_simd_end(0, p.compared, 0);
	return got;
}

void vexfs_nib_encode(const struct vexfs_space *sp, const void *code,
		      void *nib)
{
	vexfs_fpu_begin();
	CALL_ROWS(vexfs_encode_nib, sp, code, nib);
	vexfs_simd_end(0, 0, 0);
}

void vexfs_query_nib_prepare(const struct vexfs_space *sp,
			     struct vexfs_query *q)
{
	vexfs_fpu_begin();
	CALL_CODES(vexfs_query_nib, sp, q);
	vexfs_simd_end(0, 0, 0);
}

void vexfs_dist_nibs(const struct vexfs_space *sp, const struct vexfs_query *q,
		     const void *const *nibs, unsigned int n, u32 *keys)
{
	unsigned int now;

	for (; n; n -= now, nibs += now, keys += now) {
		now = vexfs_section_items(sp->nib_bytes, n);
		vexfs_fpu_begin();
		CALL_CODES(vexfs_nibs, sp, q, nibs, now, keys);
		vexfs_simd_end(0, now, 0);
	}
}

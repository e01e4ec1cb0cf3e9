// SPDX-License-Identifier: GPL-2.0
/*
 * Chooses the instruction set, and calls its functions within FPU sections of
 * bounded length.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include "simd_priv.h"

enum simd_isa {
	ISA_SSE2,
	ISA_AVX2,
	ISA_AVX512,
	ISA_AVX512VNNI,
};

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

/* Written by vexfs_simd_init() only, before anything is computed. */
static enum simd_isa simd_isa;
static u32 simd_caps;

/*
 * Direct calls: an indirect one costs more than a few distances where branch
 * targets aren't predicted. The two flavours of AVX-512 differ in codes only.
 */
#define CALL_ROWS(fn, ...) do {						\
	if (simd_isa >= ISA_AVX512)					\
		fn##_avx512(__VA_ARGS__);				\
	else if (simd_isa == ISA_AVX2)					\
		fn##_avx2(__VA_ARGS__);					\
	else								\
		fn##_sse2(__VA_ARGS__);					\
} while (0)

#define CALL_CODES(fn, ...) do {					\
	if (simd_isa == ISA_AVX512VNNI)					\
		fn##_avx512vnni(__VA_ARGS__);				\
	else if (simd_isa == ISA_AVX512)				\
		fn##_avx512(__VA_ARGS__);				\
	else if (simd_isa == ISA_AVX2)					\
		fn##_avx2(__VA_ARGS__);					\
	else								\
		fn##_sse2(__VA_ARGS__);					\
} while (0)

static bool simd_usable(enum simd_isa isa)
{
	return (simd_caps & simd_set[isa].needs) == simd_set[isa].needs;
}

static int simd_best(enum simd_isa first, enum simd_isa last)
{
	int isa;

	for (isa = (int)last; isa >= (int)first; isa--) {
		if (simd_usable((enum simd_isa)isa)) {
			simd_isa = (enum simd_isa)isa;
			return 0;
		}
	}
	return -EOPNOTSUPP;
}

int vexfs_simd_init(const char *force)
{
	unsigned int i;

	simd_caps = vexfs_cpu_caps();
	if (!force || !strcmp(force, "auto"))
		return simd_best(ISA_SSE2, ISA_AVX512VNNI);
	if (!strcmp(force, "avx512"))
		return simd_best(ISA_AVX512, ISA_AVX512VNNI);
	for (i = 0; i < ARRAY_SIZE(simd_set); i++) {
		if (!strcmp(force, simd_set[i].name))
			return simd_best((enum simd_isa)i, (enum simd_isa)i);
	}
	return -EINVAL;
}

void vexfs_simd_exit(void)
{
	simd_isa = ISA_SSE2;
}

u32 vexfs_simd_caps(void)
{
	return simd_caps & ~VEXFS_CPU_VNNI;
}

u32 vexfs_simd_level(void)
{
	return simd_set[simd_isa].level;
}

unsigned int vexfs_simd_width(void)
{
	return simd_set[simd_isa].width;
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

int vexfs_space_init(struct vexfs_space *sp, u8 elem, u8 metric, u32 dims)
{
	if (!dims || dims > VEXFS_MAX_DIMS)
		return -EINVAL;
	if (elem != VEXFS_ELEM_F32)
		return -EOPNOTSUPP;
	if (metric != VEXFS_METRIC_L2 && metric != VEXFS_METRIC_IP &&
	    metric != VEXFS_METRIC_COSINE)
		return -EOPNOTSUPP;
	memset(sp, 0, sizeof(*sp));
	sp->dims = dims;
	sp->elem = elem;
	sp->metric = metric;
	sp->row_bytes = dims * 4;
	sp->stride = ALIGN(sp->row_bytes, VEXFS_ROW_ALIGN);
	sp->code_bytes = ALIGN(dims + (u32)sizeof(struct vexfs_code_factors),
			       VEXFS_CODE_ALIGN);
	sp->query_bytes = (u32)sizeof(struct vexfs_query) +
			  vexfs_query_row_bytes(sp) + 3 * sp->code_bytes;
	return 0;
}

/*
 * Not finite: all bits of the exponent are set, so that adding one to it
 * carries into the sign, which is masked off before. Two elements at a time.
 */
#define EXP_MASK	0x7f8000007f800000ull
#define EXP_ONE		0x0080000000800000ull
#define EXP_CARRY	0x8000000080000000ull

static bool row_finite(const u8 *row, u32 dims)
{
	u64 carry = 0, two;
	u32 one, i;

	for (i = 0; i + 2 <= dims; i += 2) {
		memcpy(&two, row + i * 4, sizeof(two));
		carry |= (two & EXP_MASK) + EXP_ONE;
	}
	if (i < dims) {
		memcpy(&one, row + i * 4, sizeof(one));
		carry |= (one & EXP_MASK) + EXP_ONE;
	}
	return !(carry & EXP_CARRY);
}

bool vexfs_rows_finite(const struct vexfs_space *sp, const void *rows, u32 n,
		       size_t stride)
{
	u32 i;

	for (i = 0; i < n; i++)
		if (!row_finite(rows + i * stride, sp->dims))
			return false;
	return true;
}

void vexfs_query_prepare(const struct vexfs_space *sp, const void *row,
			 struct vexfs_query *q)
{
	vexfs_fpu_begin();
	CALL_ROWS(vexfs_query, sp, row, q);
	CALL_CODES(vexfs_from_code, sp, vexfs_query_s8(sp, q), q);
	vexfs_fpu_end(simd_set[simd_isa].counters, 0, 0, 1);
}

void vexfs_query_from_code(const struct vexfs_space *sp, const void *code,
			   struct vexfs_query *q)
{
	vexfs_fpu_begin();
	CALL_CODES(vexfs_from_code, sp, code, q);
	vexfs_fpu_end(simd_set[simd_isa].counters, 0, 0, 0);
}

void vexfs_code_encode(const struct vexfs_space *sp, const void *row,
		       void *code)
{
	vexfs_fpu_begin();
	CALL_ROWS(vexfs_encode, sp, row, code);
	vexfs_fpu_end(simd_set[simd_isa].counters, 0, 0, 1);
}

/* Of vectors of @bytes each, how many a section may read. */
static unsigned int section_items(u32 bytes, unsigned int n)
{
	return min(n, max(VEXFS_SECTION_BYTES / bytes, 1u));
}

void vexfs_dist_rows(const struct vexfs_space *sp, const struct vexfs_query *q,
		     const void *const *rows, unsigned int n, u32 *keys)
{
	unsigned int now;

	for (; n; n -= now, rows += now, keys += now) {
		now = section_items(sp->stride, n);
		vexfs_fpu_begin();
		CALL_ROWS(vexfs_rows, sp, q, rows, now, keys);
		vexfs_fpu_end(simd_set[simd_isa].counters, now, 0, 0);
	}
}

void vexfs_dist_run(const struct vexfs_space *sp, const struct vexfs_query *q,
		    const void *base, unsigned int n, u32 *keys)
{
	unsigned int now;

	for (; n; n -= now, keys += now) {
		now = section_items(sp->stride, n);
		vexfs_fpu_begin();
		CALL_ROWS(vexfs_run, sp, q, base, now, keys);
		vexfs_fpu_end(simd_set[simd_isa].counters, now, 0, 0);
		base += (size_t)now * sp->stride;
	}
}

void vexfs_dist_codes(const struct vexfs_space *sp,
		      const struct vexfs_query *q, const void *const *codes,
		      unsigned int n, u32 *keys)
{
	unsigned int now;

	for (; n; n -= now, codes += now, keys += now) {
		now = section_items(sp->code_bytes, n);
		vexfs_fpu_begin();
		CALL_CODES(vexfs_codes, sp, q, codes, now, keys);
		vexfs_fpu_end(simd_set[simd_isa].counters, 0, now, 0);
	}
}

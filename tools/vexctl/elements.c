// SPDX-License-Identifier: GPL-2.0
/*
 * Vectors in a collection's element type from floats, and back. A float holds
 * each value of the other types, so nothing is lost on the way from a file of
 * the same type.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include <math.h>
#include <string.h>

#include "vexctl.h"

static uint32_t bits_of(float f)
{
	uint32_t bits;

	memcpy(&bits, &f, sizeof(bits));
	return bits;
}

static float float_of(uint32_t bits)
{
	float f;

	memcpy(&f, &bits, sizeof(f));
	return f;
}

float half_to_float(uint16_t h)
{
	uint32_t sign = (uint32_t)(h & 0x8000) << 16;
	uint32_t exp = h >> 10 & 31, mant = h & 0x3ff;
	float f;

	if (!exp) {
		f = (float)mant / 16777216.0f;
		return sign ? -f : f;
	}
	if (exp == 31)
		return float_of(sign | 0x7f800000 | mant << 13);
	return float_of(sign | (exp + 112) << 23 | mant << 13);
}

/* To the nearest, of two equally near ones to the even one. */
static uint16_t float_to_half(float f)
{
	uint32_t bits = bits_of(f), sign = bits >> 16 & 0x8000, rest;

	bits &= 0x7fffffff;
	if (bits >= 0x7f800000)
		return sign | 0x7c00 | (bits > 0x7f800000 ? 0x200 : 0);
	/* 65520 is half way from the largest number to the next power of two */
	if (bits >= 0x477ff000)
		return sign | 0x7c00;
	/* Denormal: so many times 2^-24 */
	if (bits < 0x38800000)
		return sign | (uint16_t)lrintf(float_of(bits) * 16777216.0f);
	rest = bits - 0x38000000;
	return sign | (rest + 0xfff + (rest >> 13 & 1)) >> 13;
}

static uint16_t float_to_bf16(float f)
{
	uint32_t bits = bits_of(f);

	if (!isfinite(f))
		return bits >> 16 | (isnan(f) ? 0x40 : 0);
	return (bits + 0x7fff + (bits >> 16 & 1)) >> 16;
}

/* Whole numbers only: what lies between is a mistake, not worth a guess. */
static uint8_t float_to_int(const char *path, unsigned int type, float f)
{
	float min = type == VEXFS_TYPE_I8 ? -128 : 0;
	float max = type == VEXFS_TYPE_I8 ? 127 : 255;

	if (!(f >= min && f <= max) || f != rintf(f))
		fail("%s: %g is not a whole number from %g to %g, as %s needs",
		     path, f, min, max, vexfs_type_name(type));
	return (uint8_t)(int)f;
}

static void pack_one(const char *path, unsigned int type, const float *in,
		     unsigned int dims, void *out)
{
	unsigned int i;

	switch (type) {
	case VEXFS_TYPE_F32:
		memcpy(out, in, dims * sizeof(*in));
		break;
	case VEXFS_TYPE_F16:
		for (i = 0; i < dims; i++)
			((uint16_t *)out)[i] = float_to_half(in[i]);
		break;
	case VEXFS_TYPE_BF16:
		for (i = 0; i < dims; i++)
			((uint16_t *)out)[i] = float_to_bf16(in[i]);
		break;
	case VEXFS_TYPE_B1:
		memset(out, 0, (dims + 7) / 8);
		for (i = 0; i < dims; i++)
			((uint8_t *)out)[i / 8] |= (in[i] > 0) << i % 8;
		break;
	default:
		for (i = 0; i < dims; i++)
			((uint8_t *)out)[i] = float_to_int(path, type, in[i]);
	}
}

void elements_pack(const char *path, unsigned int type, const float *in,
		   unsigned int dims, unsigned int n, void *out)
{
	size_t bytes = vexfs_vector_bytes(type, dims);

	for (unsigned int i = 0; i < n; i++)
		pack_one(path, type, in + (size_t)i * dims, dims,
			 (char *)out + i * bytes);
}

void elements_unpack(unsigned int type, const void *in, unsigned int dims,
		     float *out)
{
	const uint16_t *h = in;
	const uint8_t *b = in;

	for (unsigned int i = 0; i < dims; i++)
		switch (type) {
		case VEXFS_TYPE_F32:
			out[i] = ((const float *)in)[i];
			break;
		case VEXFS_TYPE_F16:
			out[i] = half_to_float(h[i]);
			break;
		case VEXFS_TYPE_BF16:
			out[i] = float_of((uint32_t)h[i] << 16);
			break;
		case VEXFS_TYPE_I8:
			out[i] = (int8_t)b[i];
			break;
		case VEXFS_TYPE_U8:
			out[i] = b[i];
			break;
		default:
			out[i] = b[i / 8] >> i % 8 & 1;
		}
}

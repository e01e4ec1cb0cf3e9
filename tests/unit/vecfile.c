// SPDX-License-Identifier: GPL-2.0
/*
 * Vectors from files, as floats, and made up ones.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vecfile.h"

static float from_half(uint16_t h)
{
	uint32_t sign = (uint32_t)(h & 0x8000) << 16;
	uint32_t exp = (h >> 10) & 31, frac = h & 1023, bits;
	float f;

	if (exp == 0)
		return (float)ldexp((double)frac, -24) * (sign ? -1.0f : 1.0f);
	bits = sign | (exp == 31 ? 255u : exp + 112) << 23 | frac << 13;
	memcpy(&f, &bits, sizeof(f));
	return f;
}

static int complain(const char *path, const char *why)
{
	fprintf(stderr, "%s: %s\n", path, why);
	return -1;
}

static int load_npy(struct vecfile *f, FILE *in, const char *path, size_t max)
{
	unsigned char head[10];
	char text[1024], *shape;
	size_t len, i, item;
	unsigned long n, dims;
	uint16_t half;

	if (fread(head, 1, 10, in) != 10 || memcmp(head, "\x93NUMPY\x01", 7))
		return complain(path, "not a .npy file of version 1");
	len = head[8] | (size_t)head[9] << 8;
	if (len >= sizeof(text) || fread(text, 1, len, in) != len)
		return complain(path, "header too long");
	text[len] = '\0';
	item = strstr(text, "'<f2'") ? 2 : strstr(text, "'<f4'") ? 4 : 0;
	shape = strstr(text, "'shape': (");
	if (!item || !shape || !strstr(text, "'fortran_order': False") ||
	    sscanf(shape + 10, "%lu, %lu)", &n, &dims) != 2 || !dims ||
	    dims > 16384)
		return complain(path, "not two-dimensional f2 or f4");
	f->n = max && max < n ? max : n;
	f->dims = dims;
	f->v = malloc(f->n * f->dims * sizeof(float));
	if (!f->v)
		return complain(path, "out of memory");
	for (i = 0; i < f->n * f->dims; i++) {
		if (fread(item == 2 ? (void *)&half : (void *)(f->v + i),
			  item, 1, in) != 1)
			return complain(path, "too short");
		if (item == 2)
			f->v[i] = from_half(half);
	}
	return 0;
}

static int load_fvecs(struct vecfile *f, FILE *in, const char *path,
		      size_t max)
{
	size_t room = 0;
	int32_t dims;
	float *v;

	while ((!max || f->n < max) && fread(&dims, 4, 1, in) == 1) {
		if (dims < 1 || dims > 16384 ||
		    (f->dims && (size_t)dims != f->dims))
			return complain(path, "bad dimension");
		f->dims = (size_t)dims;
		if (f->n == room) {
			room = room ? 2 * room : 1024;
			v = realloc(f->v, room * f->dims * sizeof(float));
			if (!v)
				return complain(path, "out of memory");
			f->v = v;
		}
		if (fread(f->v + f->n * f->dims, 4, f->dims, in) != f->dims)
			return complain(path, "too short");
		f->n++;
	}
	return f->n ? 0 : complain(path, "empty");
}

int vecfile_load(struct vecfile *f, const char *path, size_t max)
{
	size_t len = strlen(path);
	FILE *in = fopen(path, "rb");
	int err;

	memset(f, 0, sizeof(*f));
	if (!in)
		return complain(path, "can't be opened");
	if (len > 6 && !strcmp(path + len - 6, ".fvecs"))
		err = load_fvecs(f, in, path, max);
	else
		err = load_npy(f, in, path, max);
	fclose(in);
	if (err)
		vecfile_free(f);
	return err;
}

static double uniform(uint64_t *state)
{
	uint64_t z = (*state += 0x9e3779b97f4a7c15ull);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
	return ((double)((z ^ (z >> 31)) >> 11) + 0.5) / 0x1p53;
}

static double normal(uint64_t *state)
{
	double u = uniform(state), v = uniform(state);

	return sqrt(-2 * log(u)) * cos(6.283185307179586 * v);
}

int vecfile_random(struct vecfile *f, size_t n, size_t dims, size_t clusters,
		   unsigned long long seed)
{
	uint64_t state = seed;
	float *centre = malloc(clusters * dims * sizeof(float));
	size_t i, j, c;

	f->n = n;
	f->dims = dims;
	f->v = malloc(n * dims * sizeof(float));
	if (!f->v || !centre) {
		free(centre);
		vecfile_free(f);
		return complain("random vectors", "out of memory");
	}
	for (i = 0; i < clusters * dims; i++)
		centre[i] = (float)normal(&state);
	for (i = 0; i < n; i++) {
		c = (size_t)(uniform(&state) * (double)clusters);
		for (j = 0; j < dims; j++)
			f->v[i * dims + j] = centre[c * dims + j] +
				0.5f * (float)normal(&state);
	}
	free(centre);
	return 0;
}

void vecfile_free(struct vecfile *f)
{
	free(f->v);
	memset(f, 0, sizeof(*f));
}

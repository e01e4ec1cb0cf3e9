// SPDX-License-Identifier: GPL-2.0
/*
 * Data sets: .npy files of floats or bytes, rows in a fixed random order, the
 * last of which are the queries where there is no file of these.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"

#define HELD_OUT	1000u

struct npy {
	FILE	*f;
	size_t	n, dims;
	int	bytes;			/* u8, else floats */
};

static int npy_open(struct npy *npy, const char *path)
{
	unsigned char head[10];
	char text[1024], *shape;
	size_t len;

	npy->f = fopen(path, "rb");
	if (!npy->f) {
		perror(path);
		return -1;
	}
	if (fread(head, 1, 10, npy->f) != 10 ||
	    memcmp(head, "\x93NUMPY\x01", 7))
		goto bad;
	len = head[8] | (size_t)head[9] << 8;
	if (len >= sizeof(text) || fread(text, 1, len, npy->f) != len)
		goto bad;
	text[len] = '\0';
	npy->bytes = !!strstr(text, "'|u1'");
	shape = strstr(text, "'shape': (");
	if ((!npy->bytes && !strstr(text, "'<f4'")) || !shape ||
	    sscanf(shape + 10, "%zu, %zu)", &npy->n, &npy->dims) != 2)
		goto bad;
	return 0;
bad:
	fprintf(stderr, "%s: not an .npy file of floats or bytes\n", path);
	fclose(npy->f);
	return -1;
}

/* All rows as floats. */
static float *npy_read(const char *path, size_t *n, size_t *dims)
{
	struct npy npy;
	unsigned char *row;
	size_t i, d;
	float *v;

	if (npy_open(&npy, path))
		return NULL;
	v = bench_alloc(npy.n * npy.dims * sizeof(float));
	row = bench_must(malloc(npy.dims * sizeof(float)));
	for (i = 0; i < npy.n; i++) {
		size_t size = npy.dims * (npy.bytes ? 1 : sizeof(float));

		if (fread(row, 1, size, npy.f) != size) {
			fprintf(stderr, "%s: too short\n", path);
			exit(1);
		}
		if (!npy.bytes)
			memcpy(v + i * npy.dims, row, size);
		for (d = 0; npy.bytes && d < npy.dims; d++)
			v[i * npy.dims + d] = row[d];
	}
	free(row);
	fclose(npy.f);
	*n = npy.n;
	*dims = npy.dims;
	return v;
}

/* Rows of a file may be sorted, by frequency for one; always the same way. */
static void shuffle(float *v, size_t n, size_t dims)
{
	float *tmp = bench_must(malloc(dims * sizeof(float)));
	size_t size = dims * sizeof(float), i, j;
	uint64_t s = 1;

	for (i = n - 1; i > 0; i--) {
		s = s * 6364136223846793005ull + 1442695040888963407ull;
		j = (s >> 32) % (i + 1);
		memcpy(tmp, v + i * dims, size);
		memmove(v + i * dims, v + j * dims, size);
		memcpy(v + j * dims, tmp, size);
	}
	free(tmp);
}

static void normalise(float *v, size_t n, size_t dims)
{
	size_t i, j;

	for (i = 0; i < n; i++, v += dims) {
		double sum = 0;

		for (j = 0; j < dims; j++)
			sum += (double)v[j] * (double)v[j];
		for (j = 0; j < dims && sum > 0; j++)
			v[j] = (float)((double)v[j] / sqrt(sum));
	}
}

static const void *as_bytes(const float *v, size_t n)
{
	unsigned char *b = bench_alloc(n);
	size_t i;

	for (i = 0; i < n; i++)
		b[i] = (unsigned char)v[i];
	return b;
}

int bench_data_load(struct bench_data *d)
{
	size_t dims;

	d->base = npy_read(d->file, &d->n, &d->dims);
	if (!d->base)
		return -1;
	if (d->query_file) {
		d->query = npy_read(d->query_file, &d->nq, &dims);
		if (!d->query || dims != d->dims)
			return -1;
	} else {
		shuffle(d->base, d->n, d->dims);
		d->nq = HELD_OUT;
		d->n -= HELD_OUT;
		d->query = bench_alloc(d->nq * d->dims * sizeof(float));
		memcpy(d->query, d->base + d->n * d->dims,
		       d->nq * d->dims * sizeof(float));
	}
	if (bench_opt.max_rows && d->n > bench_opt.max_rows)
		d->n = bench_opt.max_rows;
	if (d->metric == BENCH_COSINE) {
		normalise(d->base, d->n, d->dims);
		normalise(d->query, d->nq, d->dims);
	}
	d->rows = d->base;
	d->query_rows = d->query;
	d->row_bytes = d->dims * sizeof(float);
	if (d->elem == BENCH_U8) {
		d->rows = as_bytes(d->base, d->n * d->dims);
		d->query_rows = as_bytes(d->query, d->nq * d->dims);
		d->row_bytes = d->dims;
	}
	return bench_truth(d);
}

void bench_data_free(struct bench_data *d)
{
	if (d->rows != d->base) {
		free((void *)d->rows);
		free((void *)d->query_rows);
	}
	free(d->base);
	free(d->query);
	free(d->truth);
	d->base = NULL;
}

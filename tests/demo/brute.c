// SPDX-License-Identifier: GPL-2.0
/*
 * Brute-force nearest neighbours in double precision, outside the kernel:
 * what exact searches are checked against. Prints a line "query: ids" a query.
 *
 * usage: brute DATA QUERIES METRIC K SKIP LIMIT
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "../../tools/vexctl/vexctl.h"

struct neighbour {
	double distance;
	uint64_t id;
};

static double dot(const float *a, const float *b, unsigned int dims)
{
	double sum = 0;

	for (unsigned int i = 0; i < dims; i++)
		sum += (double)a[i] * b[i];
	return sum;
}

static double distance(unsigned int metric, const float *a, const float *b,
		       unsigned int dims)
{
	double ab = dot(a, b, dims), norms;

	if (metric == VEXFS_IP)
		return -ab;
	norms = dot(a, a, dims);
	if (metric == VEXFS_L2)
		return norms + dot(b, b, dims) - 2 * ab;
	norms *= dot(b, b, dims);
	return norms > 0 ? 1 - ab / sqrt(norms) : 1;
}

static int compare(const void *a, const void *b)
{
	const struct neighbour *x = a, *y = b;

	if (x->distance != y->distance)
		return x->distance < y->distance ? -1 : 1;
	return x->id < y->id ? -1 : x->id > y->id;
}

static void answer(const float *data, uint64_t count, const float *query,
		   uint64_t label, unsigned int dims, unsigned int metric,
		   unsigned int k)
{
	struct neighbour *all = xmalloc(count, sizeof(*all));

	for (uint64_t i = 0; i < count; i++) {
		all[i].id = i;
		all[i].distance = distance(metric, query, data + i * dims,
					   dims);
	}
	qsort(all, count, sizeof(*all), compare);
	printf("%llu:", (unsigned long long)label);
	for (unsigned int i = 0; i < k && i < count; i++)
		printf(" %llu", (unsigned long long)all[i].id);
	printf("\n");
	free(all);
}

int main(int argc, char **argv)
{
	unsigned int metric, k;
	uint64_t skip, limit;
	struct vectors v, q;
	float *data, *query;

	if (argc != 7)
		usage_error("usage: brute DATA QUERIES METRIC K SKIP LIMIT");
	metric = vexfs_metric_number(argv[3]);
	k = parse_number("K", argv[4], 1, VEXFS_K_MAX);
	skip = parse_number("SKIP", argv[5], 0, UINT64_MAX);
	limit = parse_number("LIMIT", argv[6], 1, UINT64_MAX);
	vectors_open(&v, argv[1]);
	data = xmalloc(v.count, v.dims * sizeof(*data));
	vectors_read(&v, data, v.count);
	vectors_open(&q, argv[2]);
	vectors_skip(&q, skip);
	query = xmalloc(q.dims, sizeof(*query));
	for (uint64_t i = 0; i < limit && vectors_read(&q, query, 1); i++)
		answer(data, v.count, query, skip + i, v.dims, metric, k);
	free(query);
	free(data);
	vectors_close(&q);
	vectors_close(&v);
	return 0;
}

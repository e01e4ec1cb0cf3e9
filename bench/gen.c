// SPDX-License-Identifier: GPL-2.0
/*
 * Makes the vectors of the benchmark: clusters of unequal size and radius in a
 * space of few dimensions, embedded in many by linear maps, with a little
 * noise everywhere. Embeddings of texts and pictures are like that; vectors
 * that are random in all dimensions are not, and no index helps with those.
 *
 * The same arguments give the same bytes anywhere: random numbers are integers,
 * each row has its own, and no sum is reordered.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include <errno.h>
#include <getopt.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct options {
	const char *out, *queries_out;
	size_t	n, queries, dims, clusters, local, global;
	uint64_t seed;
	float	radius, noise;
	int	u8;
} opt = {
	.n = 100000, .queries = 1000, .dims = 768, .clusters = 256,
	.local = 32, .global = 32, .seed = 20260101, .radius = 1.0f,
	.noise = 0.15f,
};

struct model {
	float	*centre;	/* clusters x dims */
	float	*map;		/* clusters x local x dims */
	double	*share;		/* clusters: share of rows up to this one */
};

static uint64_t next(uint64_t *s)
{
	uint64_t z = (*s += 0x9e3779b97f4a7c15ull);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
	return z ^ (z >> 31);
}

/* Nearly normal, of variance 1: four uniform numbers, summed as integers. */
static float normal(uint64_t *s)
{
	uint64_t z = next(s);
	int sum = (int)(z & 0xffff) + (int)(z >> 16 & 0xffff) +
		  (int)(z >> 32 & 0xffff) + (int)(z >> 48);

	return (float)(sum - 131070) * (1.7320508f / 65536.0f);
}

static double uniform(uint64_t *s)
{
	return (double)(next(s) >> 11) / 9007199254740992.0;
}

static void *must(void *p)
{
	if (!p) {
		fprintf(stderr, "gen: out of memory\n");
		exit(1);
	}
	return p;
}

static void add_scaled(float *to, const float *v, float by, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		to[i] += v[i] * by;
}

/*
 * Centres lie in a space of few dimensions too, so that clusters have
 * neighbours; within one, later directions matter less than earlier ones.
 */
static void make_model(struct model *m)
{
	float *global = must(calloc(opt.global * opt.dims, sizeof(float)));
	uint64_t s = opt.seed;
	size_t c, l, d;
	double sum = 0;

	m->centre = must(calloc(opt.clusters * opt.dims, sizeof(float)));
	m->map = must(calloc(opt.clusters * opt.local * opt.dims,
			     sizeof(float)));
	m->share = must(calloc(opt.clusters, sizeof(double)));
	for (d = 0; d < opt.global * opt.dims; d++)
		global[d] = normal(&s);
	for (c = 0; c < opt.clusters; c++) {
		float radius = opt.radius * (0.5f + (float)uniform(&s));
		float *map = m->map + c * opt.local * opt.dims;

		for (l = 0; l < opt.global; l++)
			add_scaled(m->centre + c * opt.dims,
				   global + l * opt.dims, normal(&s), opt.dims);
		for (l = 0; l < opt.local; l++)
			for (d = 0; d < opt.dims; d++)
				map[l * opt.dims + d] = normal(&s) * radius *
					16.0f / (16.0f + (float)l);
		sum += 1.0 / (double)(c + 8);
		m->share[c] = sum;
	}
	for (c = 0; c < opt.clusters; c++)
		m->share[c] /= sum;
	free(global);
}

static void make_row(const struct model *m, uint64_t row, float *v)
{
	uint64_t s = opt.seed ^ (row + 1) * 0xd1342543de82ef95ull;
	double at = uniform(&s);
	size_t c = 0, l, d;

	while (c + 1 < opt.clusters && m->share[c] < at)
		c++;
	memcpy(v, m->centre + c * opt.dims, opt.dims * sizeof(float));
	for (l = 0; l < opt.local; l++)
		add_scaled(v, m->map + (c * opt.local + l) * opt.dims,
			   normal(&s), opt.dims);
	for (d = 0; d < opt.dims; d++)
		v[d] += normal(&s) * opt.noise;
}

/* Of variance 1 or so come floats, of 0..255 bytes. */
static void put_row(FILE *f, float *v, unsigned char *bytes)
{
	float scale = 1.0f, x;
	size_t d;

	/* The size of a sum of opt.global squares, roughly its root. */
	while (scale * scale * (float)opt.global > 1.0f)
		scale *= 0.9f;
	for (d = 0; d < opt.dims; d++)
		v[d] *= scale;
	if (!opt.u8) {
		fwrite(v, sizeof(float), opt.dims, f);
		return;
	}
	for (d = 0; d < opt.dims; d++) {
		x = v[d] * 40.0f + 128.0f;
		bytes[d] = x < 0 ? 0 : x > 255 ? 255 : (unsigned char)x;
	}
	fwrite(bytes, 1, opt.dims, f);
}

static void put_header(FILE *f, size_t n)
{
	char h[129];
	int len = snprintf(h + 10, sizeof(h) - 10,
			   "{'descr': '%s', 'fortran_order': False, 'shape': (%zu, %zu), }",
			   opt.u8 ? "|u1" : "<f4", n, opt.dims);

	memcpy(h, "\x93NUMPY\x01\x00\x76\x00", 10);
	memset(h + 10 + len, ' ', 128 - 10 - len);
	h[127] = '\n';
	fwrite(h, 1, 128, f);
}

static int put_rows(const struct model *m, const char *path, uint64_t first,
		    size_t n)
{
	float *v = must(malloc(opt.dims * sizeof(float)));
	unsigned char *bytes = must(malloc(opt.dims));
	FILE *f = fopen(path, "wb");
	int bad = !f;
	size_t i;

	if (f) {
		put_header(f, n);
		for (i = 0; i < n; i++) {
			make_row(m, first + i, v);
			put_row(f, v, bytes);
		}
		bad = ferror(f);
		bad |= fclose(f);
	}
	free(v);
	free(bytes);
	if (bad)
		fprintf(stderr, "gen: %s: %s\n", path, strerror(errno));
	return bad;
}

static void usage(void)
{
	fprintf(stderr,
		"Usage: gen [-n ROWS] [-q QUERIES] [-d DIMS] [-c CLUSTERS] [-l LOCAL]\n"
		"\t[-g GLOBAL] [-r RADIUS] [-N NOISE] [-S SEED] [-8 (bytes)] OUT QUERIES-OUT\n");
	exit(2);
}

int main(int argc, char **argv)
{
	struct model m;
	int c;

	while ((c = getopt(argc, argv, "n:q:d:c:l:g:r:N:S:8")) != -1) {
		switch (c) {
		case 'n':
			opt.n = strtoul(optarg, NULL, 0);
			break;
		case 'q':
			opt.queries = strtoul(optarg, NULL, 0);
			break;
		case 'd':
			opt.dims = strtoul(optarg, NULL, 0);
			break;
		case 'c':
			opt.clusters = strtoul(optarg, NULL, 0);
			break;
		case 'l':
			opt.local = strtoul(optarg, NULL, 0);
			break;
		case 'g':
			opt.global = strtoul(optarg, NULL, 0);
			break;
		case 'r':
			opt.radius = strtof(optarg, NULL);
			break;
		case 'N':
			opt.noise = strtof(optarg, NULL);
			break;
		case 'S':
			opt.seed = strtoull(optarg, NULL, 0);
			break;
		case '8':
			opt.u8 = 1;
			break;
		default:
			usage();
		}
	}
	if (argc != optind + 2 || !opt.n || !opt.queries || !opt.dims ||
	    !opt.clusters || !opt.local || !opt.global)
		usage();
	make_model(&m);
	/* Queries are rows beyond any that a base can have. */
	c = put_rows(&m, argv[optind], 0, opt.n) ||
	    put_rows(&m, argv[optind + 1], 1ull << 40, opt.queries);
	free(m.centre);
	free(m.map);
	free(m.share);
	return c;
}

// SPDX-License-Identifier: GPL-2.0
/*
 * vexctl search: the nearest vectors of queries.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "vexctl.h"

#define QUERY_BATCH	256

enum {
	OPT_ID = 256, OPT_NAME, OPT_NAMES, OPT_EF, OPT_EXACT, OPT_LIMIT,
	OPT_SKIP, OPT_BATCH, OPT_RECALL, OPT_QUIET, OPT_JSON,
};

struct search {
	const char *path;
	struct vexfs_info info;
	int fd;
	unsigned int k, ef, batch;
	uint64_t limit, skip;
	bool exact, recall, quiet, json, have_names;
	struct names names;
	/* ids to look for, instead of a file of queries */
	uint64_t *ids;
	unsigned int nids;
	/* for a batch */
	struct vexfs_hit *hits, *exact_hits;
	uint32_t *counts, *exact_counts;
	/* sums */
	uint64_t queries, compared, wanted, matched;
	double seconds, exact_seconds;
};

static double call(struct search *s, const void *queries, unsigned int n,
		   bool exact, struct vexfs_hit *hits, uint32_t *counts,
		   uint64_t *compared)
{
	struct vexfs_search arg = {
		.flags = exact ? VEXFS_SEARCH_EXACT : 0,
		.queries = (uintptr_t)queries,
		.hits = (uintptr_t)hits,
		.counts = (uintptr_t)counts,
		.nqueries = n,
		.k = s->k,
		.ef = s->ef,
	};
	double start = now();
	int err = vexfs_search(s->fd, &arg);

	if (err == -EINVAL)
		fail("a query holds a number that is not finite");
	if (err)
		fail_call("cannot search", s->path, -err);
	if (compared)
		*compared += arg.compared;
	return now() - start;
}

static unsigned int common(const struct vexfs_hit *a, unsigned int n,
			   const struct vexfs_hit *b, unsigned int m)
{
	unsigned int same = 0;

	for (unsigned int i = 0; i < n; i++)
		for (unsigned int j = 0; j < m; j++)
			if (a[i].id == b[j].id) {
				same++;
				break;
			}
	return same;
}

static void measure_recall(struct search *s, const void *queries,
			   unsigned int n)
{
	s->exact_seconds += call(s, queries, n, true, s->exact_hits,
				 s->exact_counts, NULL);
	for (unsigned int q = 0; q < n; q++) {
		size_t at = (size_t)q * s->k;

		s->matched += common(s->hits + at, s->counts[q],
				     s->exact_hits + at, s->exact_counts[q]);
		s->wanted += s->exact_counts[q];
	}
}

static void print_json(const struct search *s, uint64_t query,
		       const struct vexfs_hit *hits, unsigned int n)
{
	const char *name;

	printf("{\"query\": %llu, \"hits\": [", (unsigned long long)query);
	for (unsigned int i = 0; i < n; i++) {
		printf("%s{\"id\": %llu, \"distance\": %.9g", i ? ", " : "",
		       (unsigned long long)hits[i].id,
		       vexfs_hit_distance(&hits[i]));
		name = s->have_names ? names_get(&s->names, hits[i].id) : NULL;
		if (name) {
			printf(", \"name\": ");
			json_string(stdout, name);
		}
		printf("}");
	}
	printf("]}\n");
}

static void print_table(const struct search *s, uint64_t query,
			const struct vexfs_hit *hits, unsigned int n)
{
	const char *name = NULL;

	if (s->nids && s->have_names)
		name = names_get(&s->names, query);
	if (name)
		printf("%s\n", name);
	else
		printf("query %llu\n", (unsigned long long)query);
	for (unsigned int i = 0; i < n; i++) {
		name = s->have_names ? names_get(&s->names, hits[i].id) : NULL;
		printf("  %3u  %-12llu %12.6f%s%s\n", i + 1,
		       (unsigned long long)hits[i].id,
		       vexfs_hit_distance(&hits[i]), name ? "  " : "",
		       name ? name : "");
	}
}

static void search_batch(struct search *s, const void *queries,
			 const uint64_t *labels, unsigned int n)
{
	s->seconds += call(s, queries, n, s->exact, s->hits, s->counts,
			   &s->compared);
	if (s->recall)
		measure_recall(s, queries, n);
	for (unsigned int q = 0; q < n && !s->quiet; q++) {
		const struct vexfs_hit *hits = s->hits + (size_t)q * s->k;

		if (s->json)
			print_json(s, labels[q], hits, s->counts[q]);
		else
			print_table(s, labels[q], hits, s->counts[q]);
	}
	s->queries += n;
}

/* Queries are the vectors of ids in the collection itself. */
static void search_ids(struct search *s)
{
	size_t bytes = vexfs_vector_bytes(s->info.type, s->info.dims);
	char *rows = xmalloc(s->nids, bytes);
	uint8_t *found = xmalloc(s->nids, 1);
	struct vexfs_get g = {
		.ids = (uintptr_t)s->ids,
		.vectors = (uintptr_t)rows,
		.found = (uintptr_t)found,
		.count = s->nids,
	};
	int err = vexfs_get(s->fd, &g);

	if (err)
		fail_call("cannot read from", s->path, -err);
	for (unsigned int i = 0; i < s->nids; i++)
		if (!found[i])
			fail("%s has no vector with id %llu", s->path,
			     (unsigned long long)s->ids[i]);
	for (unsigned int i = 0; i < s->nids; i += s->batch) {
		unsigned int n = s->nids - i < s->batch ? s->nids - i :
							  s->batch;

		search_batch(s, rows + i * bytes, s->ids + i, n);
	}
	free(rows);
	free(found);
}

static void search_file(struct search *s, const char *path)
{
	float *rows = xmalloc(s->batch, s->info.dims * sizeof(*rows));
	void *packed = xmalloc(s->batch, vexfs_vector_bytes(s->info.type,
							    s->info.dims));
	uint64_t *labels = xmalloc(s->batch, sizeof(*labels));
	struct progress p;
	struct vectors v;
	unsigned int n, max;

	vectors_open(&v, path);
	vectors_expect(&v, s->info.type, s->info.dims);
	if (v.dims != s->info.dims)
		fail("%s has %u dimensions, %s has %u", path, v.dims, s->path,
		     s->info.dims);
	vectors_skip(&v, s->skip);
	progress_start(&p, "searching", s->limit ? s->limit : v.count);
	p.on = p.on && s->quiet;
	for (;;) {
		max = s->batch;
		if (s->limit && s->limit - s->queries < max)
			max = s->limit - s->queries;
		n = max ? vectors_read(&v, rows, max) : 0;
		if (!n)
			break;
		for (unsigned int i = 0; i < n; i++)
			labels[i] = s->skip + s->queries + i;
		elements_pack(path, s->info.type, rows, v.dims, n, packed);
		search_batch(s, packed, labels, n);
		progress_update(&p, s->queries);
	}
	progress_end(&p);
	vectors_close(&v);
	free(packed);
	free(rows);
	free(labels);
}

static void summary_json(const struct search *s)
{
	printf("{\"queries\": %llu, \"k\": %u, \"seconds\": %.6f, \"compared\": %llu",
	       (unsigned long long)s->queries, s->k, s->seconds,
	       (unsigned long long)s->compared);
	if (s->recall && s->wanted)
		printf(", \"recall\": %.6f, \"exact_seconds\": %.6f",
		       (double)s->matched / s->wanted, s->exact_seconds);
	printf("}\n");
}

static void summary(const struct search *s)
{
	if (!s->recall && !s->quiet)
		return;
	if (s->json) {
		summary_json(s);
		return;
	}
	printf("%llu queries in %.3f s, %.1f comparisons each\n",
	       (unsigned long long)s->queries, s->seconds,
	       s->queries ? (double)s->compared / s->queries : 0);
	if (s->recall && s->wanted)
		printf("recall@%u %.4f against exact search (which took %.3f s)\n",
		       s->k, (double)s->matched / s->wanted,
		       s->exact_seconds);
}

static void add_id(struct search *s, uint64_t id)
{
	s->ids = realloc(s->ids, (s->nids + 1) * sizeof(*s->ids));
	if (!s->ids)
		fail("out of memory");
	s->ids[s->nids++] = id;
}

static void add_name(struct search *s, const char *name)
{
	uint64_t id;

	if (!s->have_names)
		usage_error("--name needs --names FILE before it");
	if (!names_find(&s->names, name, &id))
		fail("no vector is named '%s'", name);
	add_id(s, id);
}

static void set_flag(struct search *s, int opt)
{
	switch (opt) {
	case OPT_EXACT:
		s->exact = true;
		break;
	case OPT_RECALL:
		s->recall = true;
		break;
	case OPT_QUIET:
		s->quiet = true;
		break;
	case OPT_JSON:
		s->json = true;
		break;
	default:
		usage_error("see 'vexctl search --help'");
	}
}

static void option(struct search *s, int opt, const char *arg)
{
	switch (opt) {
	case 'k':
		s->k = parse_number("-k", arg, 1, VEXFS_K_MAX);
		break;
	case OPT_EF:
		s->ef = parse_number("--ef", arg, 1, VEXFS_EF_MAX);
		break;
	case OPT_BATCH:
		s->batch = parse_number("--batch", arg, 1, VEXFS_QUERIES_MAX);
		break;
	case OPT_LIMIT:
		s->limit = parse_number("--limit", arg, 1, UINT64_MAX);
		break;
	case OPT_SKIP:
		s->skip = parse_number("--skip", arg, 0, UINT64_MAX);
		break;
	case OPT_ID:
		add_id(s, parse_number("--id", arg, 0, UINT64_MAX - 1));
		break;
	case OPT_NAMES:
		names_load(&s->names, arg);
		s->have_names = true;
		break;
	case OPT_NAME:
		add_name(s, arg);
		break;
	default:
		set_flag(s, opt);
	}
}

static void prepare(struct search *s)
{
	size_t hits;

	while ((uint64_t)s->batch * s->k > VEXFS_RESULTS_MAX)
		s->batch /= 2;
	hits = (size_t)s->batch * s->k;
	s->fd = open_collection(s->path, O_RDONLY, &s->info);
	s->hits = xmalloc(hits, sizeof(*s->hits));
	s->counts = xmalloc(s->batch, sizeof(*s->counts));
	if (!s->recall)
		return;
	s->exact_hits = xmalloc(hits, sizeof(*s->exact_hits));
	s->exact_counts = xmalloc(s->batch, sizeof(*s->exact_counts));
}

static void finish(struct search *s)
{
	close(s->fd);
	free(s->hits);
	free(s->counts);
	free(s->exact_hits);
	free(s->exact_counts);
	free(s->ids);
	if (s->have_names)
		names_free(&s->names);
}

static int run(int argc, char **argv)
{
	static const struct option options[] = {
		{ "id", required_argument, NULL, OPT_ID },
		{ "name", required_argument, NULL, OPT_NAME },
		{ "names", required_argument, NULL, OPT_NAMES },
		{ "ef", required_argument, NULL, OPT_EF },
		{ "exact", no_argument, NULL, OPT_EXACT },
		{ "limit", required_argument, NULL, OPT_LIMIT },
		{ "skip", required_argument, NULL, OPT_SKIP },
		{ "batch", required_argument, NULL, OPT_BATCH },
		{ "recall", no_argument, NULL, OPT_RECALL },
		{ "quiet", no_argument, NULL, OPT_QUIET },
		{ "json", no_argument, NULL, OPT_JSON },
		{ NULL, 0, NULL, 0 },
	};
	struct search s = { .k = 10, .batch = QUERY_BATCH };
	int opt, files;

	while ((opt = getopt_long(argc, argv, "k:", options, NULL)) != -1)
		option(&s, opt, optarg);
	files = argc - optind;
	if (files < 1 || files > 2 || files - 1 == !!s.nids)
		usage_error("search takes a collection and queries, or --id N; see --help");
	s.path = argv[optind];
	prepare(&s);
	if (s.nids)
		search_ids(&s);
	else
		search_file(&s, argv[optind + 1]);
	summary(&s);
	finish(&s);
	return 0;
}

const struct command cmd_search = {
	.name = "search",
	.args = "FILE [QUERIES] [OPTIONS]",
	.what = "Find the nearest vectors",
	.help =
	"QUERIES is a .npy, .fvecs, .bvecs, .fbin, .u8bin, .i8bin or .txt file, or\n"
	"- for text on standard input, a vector a line.\n\n"
	"  -k N             neighbours of each query (default 10)\n"
	"      --id N       the query is the vector with this id (may be repeated)\n"
	"      --names F    text file whose line i (from 0) names id i\n"
	"      --name WORD  like --id, by name; after --names\n"
	"      --ef N       HNSW: candidates kept (default: the collection's)\n"
	"      --exact      compare every vector\n"
	"      --skip N     leave out the first N queries\n"
	"      --limit N    at most N queries\n"
	"      --batch N    queries in one call (default 256)\n"
	"      --recall     compare with exact search and print recall@k\n"
	"      --quiet      print no neighbours, only the summary\n"
	"      --json       as JSON, an object a line\n",
	.run = run,
};

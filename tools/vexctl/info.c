// SPDX-License-Identifier: GPL-2.0
/*
 * vexctl info and vexctl wait: the state of a collection.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <string.h>
#include <unistd.h>

#include "vexctl.h"

struct field {
	const char *key;
	const char *label;
	uint64_t value;
	const char *text;
};

#define MAX_FIELDS 24

/* What the index was made with. */
static size_t index_fields(const struct vexfs_info *in, struct field *f)
{
	const struct field hnsw[] = {
		{ "m", "HNSW M", in->m, NULL },
		{ "ef_construction", "HNSW ef_construction",
		  in->ef_construction, NULL },
		{ "ef", "HNSW ef", in->ef, NULL },
		{ "max_level", "HNSW top layer", in->max_level, NULL },
	};
	const struct field lsh[] = {
		{ "lsh_recall", "LSH recall, 1/10000", in->lsh_recall, NULL },
		{ "lsh_tables", "LSH tables", in->lsh_tables, NULL },
		{ "lsh_bits", "LSH address bits, at most",
		  in->lsh_bits ? in->lsh_bits : VEXFS_LSH_BITS_MAX, NULL },
		{ "lsh_buckets", "LSH buckets of a table", in->lsh_buckets,
		  NULL },
		{ "ef", "LSH ef", in->ef, NULL },
	};

	if (in->index == VEXFS_LSH) {
		memcpy(f, lsh, sizeof(lsh));
		return COUNT(lsh);
	}
	memcpy(f, hnsw, sizeof(hnsw));
	return COUNT(hnsw);
}

static size_t fields_of(const struct vexfs_info *in, struct field *f)
{
	const struct field kind[] = {
		{ "dims", "Dimensions", in->dims, NULL },
		{ "type", "Element type", 0, vexfs_type_name(in->type) },
		{ "metric", "Metric", 0, vexfs_metric_name(in->metric) },
		{ "index", "Index", 0, vexfs_index_name(in->index) },
	};
	const struct field state[] = {
		{ "count", "Vectors", in->count, NULL },
		{ "indexed", "Indexed", in->indexed, NULL },
		{ "pending", "Waiting for the index", in->pending, NULL },
		{ "slots", "Rows in the file", in->slots, NULL },
		{ "stride", "Bytes from row to row", in->stride, NULL },
		{ "next_id", "Next assigned id", in->next_id, NULL },
		{ "commits", "Commits", in->commits, NULL },
		{ "index_bytes", "Index memory, bytes", in->index_bytes,
		  NULL },
		{ "disk_bytes", "On disk, bytes", in->disk_bytes, NULL },
		{ "rebuilt", "Indexed again at opening", in->rebuilt, NULL },
		{ "loaded_us", "Opened in, microseconds",
		  in->loaded_ns / 1000, NULL },
		{ "simd", "SIMD", 0, in->simd_level == 4 ? "avx512" :
				     in->simd_level == 2 ? "avx2" : "sse2" },
	};
	size_t n = COUNT(kind);

	memcpy(f, kind, sizeof(kind));
	n += index_fields(in, f + n);
	memcpy(f + n, state, sizeof(state));
	return n + COUNT(state);
}

static void print_json(const char *path, const struct field *f, size_t n)
{
	printf("{\"file\": ");
	json_string(stdout, path);
	for (size_t i = 0; i < n; i++) {
		printf(", \"%s\": ", f[i].key);
		if (f[i].text)
			json_string(stdout, f[i].text);
		else
			printf("%llu", (unsigned long long)f[i].value);
	}
	printf("}\n");
}

static void print_text(const char *path, const struct field *f, size_t n)
{
	printf("%s\n", path);
	for (size_t i = 0; i < n; i++)
		if (f[i].text)
			printf("  %-26s %s\n", f[i].label, f[i].text);
		else
			printf("  %-26s %llu\n", f[i].label,
			       (unsigned long long)f[i].value);
}

static bool wants_json(int argc, char **argv, const char *command)
{
	static const struct option options[] = {
		{ "json", no_argument, NULL, 'j' },
		{ NULL, 0, NULL, 0 },
	};
	bool json = false;
	int opt;

	while ((opt = getopt_long(argc, argv, "", options, NULL)) != -1)
		if (opt == '?')
			usage_error("see 'vexctl %s --help'", command);
		else
			json = true;
	if (argc - optind != 1)
		usage_error("%s takes one file; see 'vexctl %s --help'",
			    command, command);
	return json;
}

static int run_info(int argc, char **argv)
{
	bool json = wants_json(argc, argv, "info");
	struct field f[MAX_FIELDS];
	struct vexfs_info info;
	size_t n;

	close(open_collection(argv[optind], O_RDONLY, &info));
	n = fields_of(&info, f);
	if (json)
		print_json(argv[optind], f, n);
	else
		print_text(argv[optind], f, n);
	return 0;
}

static int run_wait(int argc, char **argv)
{
	bool json = wants_json(argc, argv, "wait");
	struct vexfs_wait w = { .timeout_ms = 0 };
	struct vexfs_info info;
	struct progress p;
	uint64_t total;
	int fd, err;

	fd = open_collection(argv[optind], O_RDONLY, &info);
	total = info.pending;
	progress_start(&p, "indexing", total);
	w.timeout_ms = 200;
	do {
		err = vexfs_wait(fd, &w);
		if (!err)
			progress_update(&p, total > w.pending ?
					    total - w.pending : 0);
	} while (!err && w.pending);
	progress_end(&p);
	if (err)
		fail_call("cannot wait for", argv[optind], -err);
	close(fd);
	if (json)
		printf("{\"pending\": 0, \"indexed_meanwhile\": %llu}\n",
		       (unsigned long long)total);
	return 0;
}

const struct command cmd_info = {
	.name = "info",
	.args = "FILE [--json]",
	.what = "Show what a collection is and holds",
	.help = "      --json   as JSON\n",
	.run = run_info,
};

const struct command cmd_wait = {
	.name = "wait",
	.args = "FILE [--json]",
	.what = "Wait until the index holds every vector",
	.help = "      --json   as JSON\n",
	.run = run_wait,
};

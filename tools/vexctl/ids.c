// SPDX-License-Identifier: GPL-2.0
/*
 * vexctl get, delete and list: vectors by id.
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

#define LIST_BATCH	4096

enum { OPT_JSON = 256, OPT_IGNORE, OPT_LIMIT, OPT_VECTORS, OPT_FROM };

struct id_list {
	uint64_t *id;
	unsigned int count, room;
};

static void add_id(struct id_list *l, const char *text)
{
	if (l->count == l->room) {
		l->room = l->room ? 2 * l->room : 64;
		l->id = realloc(l->id, l->room * sizeof(*l->id));
		if (!l->id)
			fail("out of memory");
	}
	l->id[l->count++] = parse_number("id", text, 0, UINT64_MAX - 1);
	if (l->count > VEXFS_BATCH_MAX)
		fail("more than %d ids in one call", VEXFS_BATCH_MAX);
}

static void add_ids_from(struct id_list *l, const char *path)
{
	FILE *f = strcmp(path, "-") ? fopen(path, "r") : stdin;
	char word[32];

	if (!f)
		fail("cannot open %s: %s", path, strerror(errno));
	while (fscanf(f, "%31s", word) == 1)
		add_id(l, word);
	if (ferror(f))
		fail("cannot read %s: %s", path, strerror(errno));
	if (f != stdin)
		fclose(f);
}

static void print_vector(uint64_t id, const void *row,
			 const struct vexfs_info *info, bool json)
{
	static float v[VEXFS_DIMS_MAX];
	unsigned int dims = info->dims;

	elements_unpack(info->type, row, dims, v);
	if (json) {
		printf("{\"id\": %llu, \"vector\": ", (unsigned long long)id);
		json_vector(stdout, v, dims);
		printf("}\n");
		return;
	}
	printf("%llu:", (unsigned long long)id);
	for (unsigned int i = 0; i < dims; i++)
		printf(" %.9g", v[i]);
	printf("\n");
}

/* Prints the vectors of @ids; how many of them don't exist. */
static unsigned int print_ids(int fd, const char *path,
			      const struct vexfs_info *info,
			      const struct id_list *ids, bool json)
{
	size_t bytes = vexfs_vector_bytes(info->type, info->dims);
	char *rows = xmalloc(ids->count, bytes);
	uint8_t *found = xmalloc(ids->count, 1);
	struct vexfs_get g = {
		.ids = (uintptr_t)ids->id,
		.vectors = (uintptr_t)rows,
		.found = (uintptr_t)found,
		.count = ids->count,
	};
	int err = vexfs_get(fd, &g);

	if (err)
		fail_call("cannot read from", path, -err);
	for (unsigned int i = 0; i < ids->count; i++)
		if (found[i])
			print_vector(ids->id[i], rows + i * bytes, info, json);
		else
			fprintf(stderr, "vexctl: %s has no vector with id %llu\n",
				path, (unsigned long long)ids->id[i]);
	free(rows);
	free(found);
	return ids->count - g.nfound;
}

static int run_get(int argc, char **argv)
{
	static const struct option options[] = {
		{ "json", no_argument, NULL, OPT_JSON },
		{ NULL, 0, NULL, 0 },
	};
	struct id_list ids = { 0 };
	struct vexfs_info info;
	bool json = false;
	unsigned int missing;
	int opt, fd;

	while ((opt = getopt_long(argc, argv, "", options, NULL)) != -1)
		if (opt == '?')
			usage_error("see 'vexctl get --help'");
		else
			json = true;
	if (argc - optind < 2)
		usage_error("get takes a collection and ids; see 'vexctl get --help'");
	for (int i = optind + 1; i < argc; i++)
		add_id(&ids, argv[i]);
	fd = open_collection(argv[optind], O_RDONLY, &info);
	missing = print_ids(fd, argv[optind], &info, &ids, json);
	close(fd);
	free(ids.id);
	return missing ? EXIT_FAILED : 0;
}

static void delete_ids(const char *path, const struct id_list *ids,
		       bool ignore, bool json)
{
	struct vexfs_delete d = {
		.flags = ignore ? VEXFS_DELETE_IGNORE_MISSING : 0,
		.ids = (uintptr_t)ids->id,
		.count = ids->count,
	};
	struct vexfs_info info;
	int fd = open_collection(path, O_RDWR, &info);
	int err = vexfs_delete(fd, &d);

	if (err == -ENOENT)
		fail("%s lacks an id; nothing was deleted (--ignore-missing skips it)",
		     path);
	if (err)
		fail_call("cannot delete from", path, -err);
	if (fsync(fd))
		fail("cannot sync %s: %s", path, strerror(errno));
	close(fd);
	printf(json ? "{\"deleted\": %u}\n" : "%u vectors deleted\n",
	       d.deleted);
}

static int run_delete(int argc, char **argv)
{
	static const struct option options[] = {
		{ "json", no_argument, NULL, OPT_JSON },
		{ "ignore-missing", no_argument, NULL, OPT_IGNORE },
		{ "from", required_argument, NULL, OPT_FROM },
		{ NULL, 0, NULL, 0 },
	};
	struct id_list ids = { 0 };
	bool json = false, ignore = false;
	int opt;

	while ((opt = getopt_long(argc, argv, "", options, NULL)) != -1)
		switch (opt) {
		case OPT_JSON:
			json = true;
			break;
		case OPT_IGNORE:
			ignore = true;
			break;
		case OPT_FROM:
			add_ids_from(&ids, optarg);
			break;
		default:
			usage_error("see 'vexctl delete --help'");
		}
	for (int i = optind + 1; i < argc; i++)
		add_id(&ids, argv[i]);
	if (argc == optind || !ids.count)
		usage_error("delete takes a collection and ids; see 'vexctl delete --help'");
	delete_ids(argv[optind], &ids, ignore, json);
	free(ids.id);
	return 0;
}

struct listing {
	const char *path;
	uint64_t limit;
	bool json, vectors;
};

static void print_list(const struct listing *l, int fd,
		       const struct vexfs_info *info)
{
	size_t bytes = vexfs_vector_bytes(info->type, info->dims);
	uint64_t *ids = xmalloc(LIST_BATCH, sizeof(*ids));
	char *rows = l->vectors ? xmalloc(LIST_BATCH, bytes) : NULL;
	struct vexfs_iterate it = {
		.ids = (uintptr_t)ids,
		.vectors = (uintptr_t)rows,
		.max = LIST_BATCH,
	};
	uint64_t left = l->limit;
	int err;

	while (!(err = vexfs_iterate(fd, &it)) && it.count && left)
		for (unsigned int i = 0; i < it.count && left; i++, left--)
			if (rows)
				print_vector(ids[i], rows + i * bytes, info,
					     l->json);
			else
				printf(l->json ? "{\"id\": %llu}\n" : "%llu\n",
				       (unsigned long long)ids[i]);
	if (err)
		fail_call("cannot list", l->path, -err);
	free(rows);
	free(ids);
}

static int run_list(int argc, char **argv)
{
	static const struct option options[] = {
		{ "json", no_argument, NULL, OPT_JSON },
		{ "vectors", no_argument, NULL, OPT_VECTORS },
		{ "limit", required_argument, NULL, OPT_LIMIT },
		{ NULL, 0, NULL, 0 },
	};
	struct listing l = { .limit = UINT64_MAX };
	struct vexfs_info info;
	int opt, fd;

	while ((opt = getopt_long(argc, argv, "", options, NULL)) != -1)
		switch (opt) {
		case OPT_JSON:
			l.json = true;
			break;
		case OPT_VECTORS:
			l.vectors = true;
			break;
		case OPT_LIMIT:
			l.limit = parse_number("--limit", optarg, 1,
					       UINT64_MAX);
			break;
		default:
			usage_error("see 'vexctl list --help'");
		}
	if (argc - optind != 1)
		usage_error("list takes one file; see 'vexctl list --help'");
	l.path = argv[optind];
	fd = open_collection(l.path, O_RDONLY, &info);
	print_list(&l, fd, &info);
	close(fd);
	return 0;
}

const struct command cmd_get = {
	.name = "get",
	.args = "FILE ID... [--json]",
	.what = "Print vectors",
	.help = "      --json   as JSON, an object a line\n",
	.run = run_get,
};

const struct command cmd_delete = {
	.name = "delete",
	.args = "FILE ID... [OPTIONS]",
	.what = "Remove vectors, all of them or none",
	.help =
	"      --from FILE        ids from a file too (-: standard input)\n"
	"      --ignore-missing   skip ids that don't exist\n"
	"      --json             result as JSON\n",
	.run = run_delete,
};

const struct command cmd_list = {
	.name = "list",
	.args = "FILE [OPTIONS]",
	.what = "List ids",
	.help =
	"      --vectors   with their vectors\n"
	"      --limit N   at most N\n"
	"      --json      as JSON, an object a line\n",
	.run = run_list,
};

// SPDX-License-Identifier: GPL-2.0
/*
 * vexctl import: vectors of a file into a collection.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "create.h"

#define WAIT_MS	200

enum {
	IMPORT_FIRST = CREATE_LAST, IMPORT_SKIP, IMPORT_LIMIT, IMPORT_UPSERT,
	IMPORT_BATCH, IMPORT_NOWAIT, IMPORT_JSON,
};

struct import {
	struct vexfs_create create;
	const char *path;
	const char *data;
	uint64_t first_id, skip, limit, batch;
	bool assign, upsert, nowait, json;
	int fd;
	unsigned int type;
	uint64_t done;
	double seconds, index_seconds;
};

static volatile sig_atomic_t interrupted;

static void on_signal(int sig)
{
	interrupted = sig;
}

static bool is_new(const char *path)
{
	struct stat st;

	return stat(path, &st) ? errno == ENOENT : !st.st_size;
}

/* Opens the collection, or makes it from what the file says. */
static void open_target(struct import *im, const struct vectors *v,
			struct vexfs_info *info)
{
	int fd;

	if (is_new(im->path)) {
		fd = open(im->path, O_RDONLY | O_CLOEXEC);
		memset(info, 0, sizeof(*info));
		if (fd < 0 || vexfs_info(fd, info)) {
			if (!im->create.dims)
				im->create.dims = v->dims;
			close(create_collection(im->path, &im->create));
		}
		if (fd >= 0)
			close(fd);
	}
	im->fd = open_collection(im->path, O_RDWR, info);
	im->type = info->type;
}

static void insert_failed(const struct import *im, int err)
{
	switch (err) {
	case EEXIST:
		fail("%s: an id of vectors %llu to %llu exists; see --upsert and --first-id",
		     im->path, (unsigned long long)im->done,
		     (unsigned long long)(im->done + im->batch - 1));
	case EINVAL:
		fail("%s: a number of vectors %llu to %llu is not finite",
		     im->data, (unsigned long long)im->done,
		     (unsigned long long)(im->done + im->batch - 1));
	}
	fail_call("cannot insert into", im->path, err);
}

static void insert_batch(struct import *im, const void *rows, uint64_t *ids,
			 unsigned int n)
{
	struct vexfs_insert in = {
		.flags = im->upsert ? VEXFS_INSERT_UPSERT : 0,
		.vectors = (uintptr_t)rows,
		.ids = im->assign ? 0 : (uintptr_t)ids,
		.count = n,
	};
	int err;

	for (unsigned int i = 0; i < n; i++)
		ids[i] = im->first_id + im->done + i;
	err = vexfs_insert(im->fd, &in);
	if (err)
		insert_failed(im, -err);
	im->done += n;
}

static uint64_t wanted(const struct import *im, const struct vectors *v)
{
	uint64_t n = v->count > im->skip ? v->count - im->skip : 0;

	return im->limit && (!v->count || im->limit < n) ? im->limit : n;
}

static void insert_all(struct import *im, struct vectors *v)
{
	float *rows = xmalloc(im->batch, v->dims * sizeof(*rows));
	uint64_t *ids = xmalloc(im->batch, sizeof(*ids));
	void *packed = xmalloc(im->batch,
			       vexfs_vector_bytes(im->type, v->dims));
	struct progress p;
	unsigned int n;
	uint64_t max;

	progress_start(&p, "importing", wanted(im, v));
	while (!interrupted) {
		max = im->batch;
		if (im->limit && im->limit - im->done < max)
			max = im->limit - im->done;
		n = max ? vectors_read(v, rows, max) : 0;
		if (!n)
			break;
		elements_pack(im->data, im->type, rows, v->dims, n, packed);
		insert_batch(im, packed, ids, n);
		progress_update(&p, im->done);
	}
	progress_end(&p);
	free(packed);
	free(rows);
	free(ids);
}

static void wait_for_index(struct import *im)
{
	struct vexfs_wait w = { .timeout_ms = 0 };
	struct progress p;
	uint64_t total;
	int err;

	err = vexfs_wait(im->fd, &w);
	total = w.pending;
	progress_start(&p, "indexing ", total);
	w.timeout_ms = WAIT_MS;
	while (!err && w.pending && !interrupted) {
		progress_update(&p, total > w.pending ? total - w.pending : 0);
		err = vexfs_wait(im->fd, &w);
	}
	if (!err)
		progress_update(&p, total);
	progress_end(&p);
	if (err && err != -EINTR)
		fail_call("cannot wait for", im->path, -err);
}

static void report(const struct import *im)
{
	if (im->json) {
		printf("{\"file\": ");
		json_string(stdout, im->path);
		printf(", \"imported\": %llu, \"seconds\": %.3f, \"index_seconds\": %.3f}\n",
		       (unsigned long long)im->done, im->seconds,
		       im->index_seconds);
		return;
	}
	printf("%s: %llu vectors imported and synced in %.2f s (%.0f/s)",
	       im->path, (unsigned long long)im->done, im->seconds,
	       im->seconds > 0 ? im->done / im->seconds : 0);
	if (!im->nowait)
		printf(", index complete after %.2f s more",
		       im->index_seconds);
	printf("\n");
}

static void do_import(struct import *im)
{
	struct vexfs_info info;
	struct vectors v;
	double start;

	vectors_open(&v, im->data);
	vectors_expect(&v, im->create.type, im->create.dims);
	open_target(im, &v, &info);
	vectors_expect(&v, info.type, info.dims);
	if (v.dims != info.dims)
		fail("%s has %u dimensions, %s has %u", im->data, v.dims,
		     im->path, info.dims);
	if (im->skip)
		vectors_skip(&v, im->skip);
	start = now();
	insert_all(im, &v);
	if (fsync(im->fd))
		fail("cannot sync %s: %s", im->path, strerror(errno));
	im->seconds = now() - start;
	start = now();
	if (!im->nowait && !interrupted)
		wait_for_index(im);
	im->index_seconds = now() - start;
	close(im->fd);
	vectors_close(&v);
	report(im);
	if (interrupted)
		fail("interrupted; the vectors counted above are stored");
}

static void option(struct import *im, int opt, const char *arg)
{
	switch (opt) {
	case IMPORT_FIRST:
		im->first_id = parse_number("--first-id", arg, 0,
					    UINT64_MAX - 1);
		im->assign = false;
		break;
	case IMPORT_SKIP:
		im->skip = parse_number("--skip", arg, 0, UINT64_MAX);
		break;
	case IMPORT_LIMIT:
		im->limit = parse_number("--limit", arg, 1, UINT64_MAX);
		break;
	case IMPORT_BATCH:
		im->batch = parse_number("--batch", arg, 1, VEXFS_BATCH_MAX);
		break;
	case IMPORT_UPSERT:
		im->upsert = true;
		break;
	case IMPORT_NOWAIT:
		im->nowait = true;
		break;
	case IMPORT_JSON:
		im->json = true;
		break;
	case '?':
		usage_error("see 'vexctl import --help'");
	default:
		create_option(&im->create, opt, arg);
	}
}

static int run(int argc, char **argv)
{
	static const struct option own[] = {
		{ "first-id", required_argument, NULL, IMPORT_FIRST },
		{ "skip", required_argument, NULL, IMPORT_SKIP },
		{ "limit", required_argument, NULL, IMPORT_LIMIT },
		{ "batch", required_argument, NULL, IMPORT_BATCH },
		{ "upsert", no_argument, NULL, IMPORT_UPSERT },
		{ "no-wait", no_argument, NULL, IMPORT_NOWAIT },
		{ "json", no_argument, NULL, IMPORT_JSON },
	};
	struct option options[CREATE_NOPTIONS + COUNT(own) + 1];
	struct sigaction sa = { .sa_handler = on_signal };
	struct import im = { .batch = 1000, .assign = true };
	int opt;

	create_long_options(options, own, COUNT(own));
	create_defaults(&im.create);
	while ((opt = getopt_long(argc, argv, "d:t:m:i:", options, NULL)) != -1)
		option(&im, opt, optarg);
	if (argc - optind != 2)
		usage_error("import takes a collection and a file; see 'vexctl import --help'");
	im.path = argv[optind];
	im.data = argv[optind + 1];
	sigaction(SIGINT, &sa, NULL);
	sigaction(SIGTERM, &sa, NULL);
	do_import(&im);
	return 0;
}

const struct command cmd_import = {
	.name = "import",
	.args = "FILE DATA [OPTIONS]",
	.what = "Insert the vectors of DATA, making the collection if need be",
	.help =
	"DATA is a .npy (f2, f4, f8, i1, u1, V2 for bf16), .fvecs, .bvecs, .fbin,\n"
	".u8bin, .i8bin or .txt file, or - for text on standard input, a vector a\n"
	"line. Numbers become the collection's elements: f16 and bf16 are rounded,\n"
	"i8 and u8 must be whole, of b1 each above 0 is a one (or, of bytes, each\n"
	"bit). The vectors are synced to disk; the command then waits until the\n"
	"index holds them.\n\n"
	"      --first-id N         ids count from N (default: the next free id)\n"
	"      --upsert             replace vectors whose ids exist\n"
	"      --skip N             leave out the first N vectors\n"
	"      --limit N            at most N vectors\n"
	"      --batch N            vectors in one call (default 1000)\n"
	"      --no-wait            don't wait for the index\n"
	"      --json               result as JSON\n"
	"For a new collection:\n"
	CREATE_HELP,
	.run = run,
};

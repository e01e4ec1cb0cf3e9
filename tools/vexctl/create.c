// SPDX-License-Identifier: GPL-2.0
/*
 * vexctl create: a new collection.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "create.h"

/* Between 0 and 1, in ten thousandths. */
static uint32_t parse_share(const char *name, const char *arg)
{
	char *end;
	double share = strtod(arg, &end);

	if (end == arg || *end || !(share >= 0.0001 && share <= 0.9999))
		usage_error("%s %s: a share from 0.0001 to 0.9999", name, arg);
	return (uint32_t)(share * 10000 + 0.5);
}

void create_option(struct vexfs_create *c, int opt, const char *arg)
{
	switch (opt) {
	case 'd':
		c->dims = parse_number("--dims", arg, 1, VEXFS_DIMS_MAX);
		break;
	case 't':
		c->type = vexfs_type_number(arg);
		if (!c->type)
			usage_error("--type %s: f32, f16, bf16, i8, u8 or b1",
				    arg);
		break;
	case 'm':
		c->metric = vexfs_metric_number(arg);
		if (!c->metric)
			usage_error("--metric %s: l2, ip, cosine, l1 or hamming",
				    arg);
		break;
	case 'i':
		c->index = vexfs_index_number(arg);
		if (!c->index)
			usage_error("--index %s: hnsw, lsh or flat", arg);
		break;
	case CREATE_M:
		c->m = parse_number("--m", arg, 4, VEXFS_M_MAX);
		break;
	case CREATE_EFC:
		c->ef_construction = parse_number("--ef-construction", arg, 1,
						  VEXFS_EF_MAX);
		break;
	case CREATE_EF:
		c->ef = parse_number("--ef", arg, 1, VEXFS_EF_MAX);
		break;
	case CREATE_RECALL:
		c->lsh_recall = parse_share("--recall", arg);
		break;
	case CREATE_TABLES:
		c->lsh_tables = parse_number("--tables", arg, 1,
					     VEXFS_LSH_TABLES_MAX);
		break;
	case CREATE_BITS:
		c->lsh_bits = parse_number("--bits", arg, 1,
					   VEXFS_LSH_BITS_MAX);
		break;
	case CREATE_SEED:
		c->seed = parse_number("--seed", arg, 0, UINT64_MAX);
		break;
	}
}

void create_defaults(struct vexfs_create *c)
{
	memset(c, 0, sizeof(*c));
	c->type = VEXFS_TYPE_F32;
	c->index = VEXFS_HNSW;
}

static void create_failed(const char *path, const struct vexfs_create *c,
			  int err)
{
	switch (err) {
	case EEXIST:
		fail("%s is a collection already; see 'vexctl info'", path);
	case ENOTEMPTY:
		fail("%s holds data; only an empty file can become a collection",
		     path);
	case EOPNOTSUPP:
		fail("%s vectors with metric %s and index %s are not supported",
		     vexfs_type_name(c->type), vexfs_metric_name(c->metric),
		     vexfs_index_name(c->index));
	case EINVAL:
		if (c->index != VEXFS_LSH &&
		    (c->lsh_recall || c->lsh_tables || c->lsh_bits))
			fail("%s: --recall, --tables and --bits are for --index lsh",
			     path);
		if (c->index == VEXFS_LSH && (c->m || c->ef_construction))
			fail("%s: --m and --ef-construction are for --index hnsw",
			     path);
		if (!c->dims)
			fail("%s: give --dims (the volume has no default)",
			     path);
	}
	fail_call("cannot create", path, err);
}

int create_collection(const char *path, struct vexfs_create *c)
{
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
	int err;

	/* Bits can only be counted. */
	if (!c->metric)
		c->metric = c->type == VEXFS_TYPE_B1 ? VEXFS_HAMMING :
						       VEXFS_L2;

	if (fd < 0)
		fail("cannot create %s: %s", path, strerror(errno));
	err = vexfs_create(fd, c);
	if (err)
		create_failed(path, c, -err);
	return fd;
}

void create_long_options(struct option *all, const struct option *own,
			 unsigned int nown)
{
	static const struct option common[CREATE_NOPTIONS] = {
		{ "dims", required_argument, NULL, 'd' },
		{ "type", required_argument, NULL, 't' },
		{ "metric", required_argument, NULL, 'm' },
		{ "index", required_argument, NULL, 'i' },
		{ "m", required_argument, NULL, CREATE_M },
		{ "ef-construction", required_argument, NULL, CREATE_EFC },
		{ "ef", required_argument, NULL, CREATE_EF },
		{ "seed", required_argument, NULL, CREATE_SEED },
		{ "recall", required_argument, NULL, CREATE_RECALL },
		{ "tables", required_argument, NULL, CREATE_TABLES },
		{ "bits", required_argument, NULL, CREATE_BITS },
	};

	memcpy(all, common, sizeof(common));
	if (nown)
		memcpy(all + CREATE_NOPTIONS, own, nown * sizeof(*own));
	memset(all + CREATE_NOPTIONS + nown, 0, sizeof(*all));
}

static int run(int argc, char **argv)
{
	struct option options[CREATE_NOPTIONS + 1];
	struct vexfs_create c;
	int opt, fd;

	create_long_options(options, NULL, 0);
	create_defaults(&c);
	while ((opt = getopt_long(argc, argv, "d:t:m:i:", options, NULL)) != -1)
		if (opt == '?')
			usage_error("see 'vexctl create --help'");
		else
			create_option(&c, opt, optarg);
	if (argc - optind != 1)
		usage_error("create takes one file; see 'vexctl create --help'");
	fd = create_collection(argv[optind], &c);
	if (fsync(fd))
		fail("cannot sync %s: %s", argv[optind], strerror(errno));
	close(fd);
	printf("%s: %u dimensions, %s, %s, %s\n", argv[optind], c.dims,
	       vexfs_type_name(c.type), vexfs_metric_name(c.metric),
	       vexfs_index_name(c.index));
	return 0;
}

const struct command cmd_create = {
	.name = "create",
	.args = "FILE [OPTIONS]",
	.what = "Make an empty collection",
	.help = CREATE_HELP,
	.run = run,
};

// SPDX-License-Identifier: GPL-2.0
/*
 * mkfs.vexfs: makes a VexFS volume. Options and what is printed.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include "mkfs.h"

#include <getopt.h>
#include <unistd.h>

static const char mkfs_usage[] =
"Usage: mkfs.vexfs [options] device [blocks]\n"
"Makes a VexFS volume on a device, or in a file, of the given number of blocks.\n"
"\n"
"  -b size     block size: 4096 (default), 8192, 16384, 32768 or 65536\n"
"  -i bytes    bytes per inode, 1024 to 67108864 (default 16384)\n"
"  -J blocks   size of the journal (default 1 %, 4 MiB to 128 MiB)\n"
"  -V          set space aside for vectors: 5 %, at most 512 MiB\n"
"  -D dims     default dimension of collections, 1 to 16384; implies -V\n"
"  -L label    volume label, at most 64 bytes\n"
"  -U uuid     volume UUID (default: random)\n"
"  -Q types    count what users, groups and projects have, so that quota can\n"
"              limit it: usr, grp, prj, or several, as in usr,grp\n"
"  -f          overwrite what is on the device already\n"
"  -n          print what would be made, write nothing\n"
"  -v          print more\n"
"  -h, --help  this text; --version: the version\n";

void mkfs_fail(int status, const char *fmt, ...)
{
	va_list args;

	fflush(stdout);
	fputs("mkfs.vexfs: ", stderr);
	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fputc('\n', stderr);
	exit(status);
}

/* A number, with an optional K, M or G; @what names it in messages. */
static u64 mkfs_number(const char *text, const char *what)
{
	static const char units[] = "KMG";
	const char *unit;
	char *end;
	u64 n;

	errno = 0;
	n = strtoull(text, &end, 10);
	if (text[0] < '0' || text[0] > '9' || errno)
		mkfs_fail(MKFS_USAGE, "%s is not a number: '%s'", what, text);
	unit = *end ? strchr(units, *end & ~0x20) : NULL;
	if (unit && !end[1]) {
		int shift = 10 * (int)(unit - units + 1);

		if (n << shift >> shift != n)
			mkfs_fail(MKFS_USAGE, "%s is too large: '%s'", what,
				  text);
		return n << shift;
	}
	if (*end)
		mkfs_fail(MKFS_USAGE, "%s is not a number: '%s'", what, text);
	return n;
}

static u64 mkfs_number_in(const char *text, const char *what, u64 lo, u64 hi)
{
	u64 n = mkfs_number(text, what);

	if (n < lo || n > hi)
		mkfs_fail(MKFS_USAGE, "%s is not between %llu and %llu: '%s'",
			  what, lo, hi, text);
	return n;
}

static u32 mkfs_block_size(const char *text)
{
	u64 n = mkfs_number(text, "block size");

	if (n < VEXFS_MIN_CLUSTER || n > VEXFS_MAX_CLUSTER || !is_power_of_2(n))
		mkfs_fail(MKFS_USAGE,
			  "block size is not 4096, 8192, 16384, 32768 or 65536: '%s'",
			  text);
	return (u32)n;
}

static void mkfs_label(struct mkfs_options *opt, const char *text)
{
	size_t len = strlen(text);

	if (len > VEXFS_LABEL_LEN)
		mkfs_fail(MKFS_USAGE, "label is longer than %d bytes: '%s'",
			  VEXFS_LABEL_LEN, text);
	memcpy(opt->label, text, len + 1);
}

static u32 mkfs_quota(const char *text)
{
	static const char *const names[VQ_TYPES] = { "usr", "grp", "prj" };
	const char *p = text;
	u32 types = 0, before;
	int i;

	do {
		before = types;
		for (i = 0; i < VQ_TYPES && types == before; i++)
			if (!strncmp(p, names[i], 3) &&
			    (!p[3] || p[3] == ','))
				types |= 1u << i;
		if (types == before)
			mkfs_fail(MKFS_USAGE,
				  "quota is not of usr, grp, prj: '%s'", text);
		p += 3;
	} while (*p++);
	return types;
}

static void mkfs_option(struct mkfs_options *opt, int c)
{
	switch (c) {
	case 'b':
		opt->geom.cluster_size = mkfs_block_size(optarg);
		break;
	case 'i':
		opt->geom.bytes_per_inode =
			(u32)mkfs_number_in(optarg, "bytes per inode", 1024,
					    64u << 20);
		break;
	case 'J':
		opt->geom.journal_clusters =
			mkfs_number_in(optarg, "journal size", 1, 1u << 20);
		break;
	case 'V':
		opt->geom.vector_area = true;
		break;
	case 'D':
		opt->dims = (u32)mkfs_number_in(optarg, "dimension", 1,
						VEXFS_MAX_DIMS);
		opt->geom.vector_area = true;
		break;
	case 'L':
		mkfs_label(opt, optarg);
		break;
	case 'U':
		if (uuid_parse(optarg, opt->uuid))
			mkfs_fail(MKFS_USAGE, "not a UUID: '%s'", optarg);
		break;
	case 'Q':
		opt->quota = mkfs_quota(optarg);
		break;
	case 'f':
		opt->force = true;
		break;
	case 'n':
		opt->dry_run = true;
		break;
	case 'v':
		opt->verbose = true;
		break;
	case 'h':
		fputs(mkfs_usage, stdout);
		exit(MKFS_OK);
	case 1:
		puts("mkfs.vexfs (VexFS) " VEXFS_VERSION);
		exit(MKFS_OK);
	case ':':
		mkfs_fail(MKFS_USAGE, "option -%c needs a value", optopt);
	default:
		if (optopt)
			mkfs_fail(MKFS_USAGE,
				  "unknown option -%c; see mkfs.vexfs --help",
				  optopt);
		mkfs_fail(MKFS_USAGE, "unknown option; see mkfs.vexfs --help");
	}
}

static void mkfs_parse(struct mkfs_options *opt, int argc, char **argv)
{
	static const struct option longopts[] = {
		{ "help",    no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 1 },
		{ }
	};
	int c;

	opterr = 0;
	uuid_generate(opt->uuid);
	while ((c = getopt_long(argc, argv, ":b:i:J:VD:L:U:Q:fnvh", longopts,
				NULL)) != -1)
		mkfs_option(opt, c);
	if (optind == argc)
		mkfs_fail(MKFS_USAGE, "no device given; see mkfs.vexfs --help");
	if (argc - optind > 2)
		mkfs_fail(MKFS_USAGE, "too many operands: '%s'",
			  argv[optind + 2]);
	opt->device = argv[optind];
	if (argc - optind == 2)
		opt->blocks = mkfs_number_in(argv[optind + 1],
					     "number of blocks", 1, U64_MAX);
}

/* @n with a comma at every third digit, in one of some static buffers. */
static const char *mkfs_commas(u64 n)
{
	static char bufs[4][32];
	static int next;
	char *p = bufs[next++ % 4] + sizeof(bufs[0]);
	int digits = 0;

	*--p = 0;
	do {
		if (digits && digits % 3 == 0)
			*--p = ',';
		*--p = (char)('0' + n % 10);
		n /= 10;
		digits++;
	} while (n);
	return p;
}

static void mkfs_line(const char *what, u64 n)
{
	printf("%s: %s\n", what, mkfs_commas(n));
}

static void mkfs_print_range(const struct vexfs_geom *g, const char *what,
			     u64 start, u64 n)
{
	if (n)
		printf("%s: %s to %s\n", what,
		       mkfs_commas(vexfs_data_cluster(g, start)),
		       mkfs_commas(vexfs_data_cluster(g, start + n - 1)));
}

static void mkfs_print_more(const struct mkfs_options *opt,
			    const struct vexfs_geom *g)
{
	u64 inodes = 0;
	u32 group;

	for (group = 0; group < g->groups; group++)
		inodes += vexfs_group_inodes(g, group);
	printf("Features:%s%s%s%s\n",
	       g->vector_clusters ? " vector_area" : "",
	       opt->quota ? " quota" : "",
	       opt->quota & 4 ? " project" : "",
	       g->vector_clusters || opt->quota ? "" : " none");
	mkfs_line("Inodes", inodes);
	mkfs_line("Inode size", VEXFS_INODE_SIZE);
	mkfs_line("Inode table blocks per group", g->itable_clusters);
	mkfs_line("Group descriptor blocks", g->gdt_clusters);
	mkfs_line("Reserved blocks", mkfs_reserved(g));
	mkfs_print_range(g, "Journal at blocks", g->journal_start,
			 g->journal_clusters);
	mkfs_print_range(g, "Vector area at blocks", g->vector_start,
			 g->vector_clusters);
	printf("Backup superblock at byte: %s\n",
	       mkfs_commas((vexfs_backup_block(g, 0) << VEXFS_BLOCK_SHIFT) +
			   VEXFS_SUPER_OFFSET));
}

static void mkfs_print(const struct mkfs_options *opt,
		       const struct vexfs_geom *g)
{
	u64 permille = (g->data_clusters * 1000 + g->clusters / 2) /
		       g->clusters;
	char uuid[UUID_STR_LEN];

	uuid_unparse(opt->uuid, uuid);
	printf("Total blocks: %s (%uKB each)\n", mkfs_commas(g->clusters),
	       g->cluster_size / 1024);
	mkfs_line("Block size", g->cluster_size);
	mkfs_line("Block groups", g->groups);
	mkfs_line("Blocks per group", g->clusters_per_group);
	mkfs_line("Inodes per group", g->inodes_per_group);
	mkfs_line("Journal blocks", g->journal_clusters);
	mkfs_line("Vector blocks", g->vector_clusters);
	mkfs_line("Data blocks", g->data_clusters);
	printf("Efficiency: %llu.%llu%%\n", permille / 10, permille % 10);
	printf("Label: %s\n", opt->label[0] ? opt->label : "none");
	printf("UUID: %s\n", uuid);
	if (opt->dims)
		printf("Vector dimensions: %s\n", mkfs_commas(opt->dims));
	if (opt->verbose)
		mkfs_print_more(opt, g);
	if (fflush(stdout))
		mkfs_fail(MKFS_FAILED, "can't print: %s", strerror(errno));
}

int main(int argc, char **argv)
{
	struct mkfs_options opt = { };
	struct mkfs_target target;
	struct vexfs_geom geom;
	const char *why;
	u64 have;
	int err;

	mkfs_parse(&opt, argc, argv);
	mkfs_open(&opt, &target);
	if (!opt.geom.cluster_size)
		opt.geom.cluster_size = VEXFS_BLOCK_SIZE;
	have = target.bytes / opt.geom.cluster_size;
	if (opt.blocks > have)
		mkfs_fail(MKFS_FAILED, "%s has %llu blocks, not %llu",
			  opt.device, have, opt.blocks);
	opt.geom.device_bytes = opt.blocks ?
				opt.blocks * opt.geom.cluster_size :
				target.bytes;
	err = vexfs_geom_compute(&opt.geom, &geom, &why);
	if (err)
		mkfs_fail(err == -EINVAL ? MKFS_USAGE : MKFS_FAILED, "%s: %s",
			  opt.device, why);
	mkfs_print(&opt, &geom);
	if (opt.dry_run)
		return MKFS_OK;
	mkfs_wipe(&opt, &target);
	err = mkfs_format(&opt, &geom, &target);
	if (err)
		mkfs_fail(MKFS_FAILED, "can't write %s: %s", opt.device,
			  strerror(-err));
	return MKFS_OK;
}

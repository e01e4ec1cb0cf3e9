// SPDX-License-Identifier: GPL-2.0
/*
 * vexdump: shows what is on a VexFS volume, as text or JSON.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include "dump.h"

#include <getopt.h>

#define VEXFS_VERSION	"1.0"

static const char dump_usage[] =
"Usage: vexdump [options] device [what]\n"
"Shows what is on a VexFS volume, without changing it.\n"
"\n"
"  super             the superblock (this is the default)\n"
"  group N           group N: where things are, its descriptor\n"
"  inode INODE       an inode, by number or by path from /\n"
"  extents INODE     its extent tree\n"
"  dir INODE         a directory's blocks\n"
"  xattr INODE       its extended attributes\n"
"  coll INODE        a collection: header, log, checkpoint\n"
"  journal           the journal and what a replay would write\n"
"  quota TYPE        who has what: usr, grp or prj\n"
"  block N           block N of 4096 bytes, whatever it is\n"
"\n"
"  --json            print JSON\n"
"  --replay          replay the journal first, in memory\n"
"  -h, --help        this text; --version: the version\n";

static void by_inode(struct vexfs_fs *fs, const char *what, const char *arg)
{
	u64 ino = dump_find(fs, arg);

	if (!strcmp(what, "inode"))
		dump_inode(fs, ino);
	else if (!strcmp(what, "extents"))
		dump_extents(fs, ino);
	else if (!strcmp(what, "dir"))
		dump_dir(fs, ino);
	else if (!strcmp(what, "xattr"))
		dump_xattrs(fs, ino);
	else if (!strcmp(what, "coll"))
		dump_coll(fs, ino);
	else
		dump_fail("'%s' can't be shown; see vexdump --help", what);
}

static u64 number(const char *text)
{
	char *end;
	u64 n = strtoull(text, &end, 10);

	if (text[0] < '0' || text[0] > '9' || *end)
		dump_fail("'%s' is not a number", text);
	return n;
}

static void show(struct vexfs_fs *fs, const char *what, const char *arg)
{
	if (!strcmp(what, "super"))
		dump_super(fs);
	else if (!strcmp(what, "journal"))
		dump_journal(fs);
	else if (!arg)
		dump_fail("'%s' needs an inode or a number; see vexdump --help",
			  what);
	else if (!strcmp(what, "group"))
		dump_group(fs, (u32)min_t(u64, number(arg), U32_MAX));
	else if (!strcmp(what, "block"))
		dump_block(fs, number(arg));
	else if (!strcmp(what, "quota"))
		dump_quota(fs, arg);
	else
		by_inode(fs, what, arg);
}

int main(int argc, char **argv)
{
	static const struct option longopts[] = {
		{ "json",    no_argument, NULL, 'j' },
		{ "replay",  no_argument, NULL, 'r' },
		{ "help",    no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'v' },
		{ }
	};
	static struct vexfs_fs fs;
	bool json = false, replay = false;
	int c;

	while ((c = getopt_long(argc, argv, "h", longopts, NULL)) != -1) {
		switch (c) {
		case 'j':
			json = true;
			break;
		case 'r':
			replay = true;
			break;
		case 'h':
			fputs(dump_usage, stdout);
			return 0;
		case 'v':
			puts("vexdump (VexFS) " VEXFS_VERSION);
			return 0;
		default:
			return 2;
		}
	}
	if (optind == argc || argc - optind > 3) {
		fputs(dump_usage, stderr);
		return 2;
	}
	dump_open(&fs, argv[optind], replay);
	out_init(json);
	show(&fs, optind + 1 < argc ? argv[optind + 1] : "super",
	     optind + 2 < argc ? argv[optind + 2] : NULL);
	out_end();
	return 0;
}

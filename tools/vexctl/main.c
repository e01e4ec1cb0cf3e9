// SPDX-License-Identifier: GPL-2.0
/*
 * vexctl: collections of vectors from the command line.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include <stdlib.h>
#include <string.h>

#include "vexctl.h"

static const struct command * const commands[] = {
	&cmd_create, &cmd_import, &cmd_search, &cmd_get, &cmd_delete,
	&cmd_list, &cmd_info, &cmd_wait, &cmd_resize,
};

static void overview(FILE *out)
{
	fprintf(out,
		"Usage: vexctl COMMAND FILE [OPTIONS]\n"
		"Collections of vectors on a VexFS volume, and the volume.\n\n");
	for (size_t i = 0; i < COUNT(commands); i++)
		fprintf(out, "  %-8s %s\n", commands[i]->name,
			commands[i]->what);
	fprintf(out,
		"\n'vexctl COMMAND --help' describes a command. An example:\n"
		"  vexctl import /mnt/words.vex vectors.npy --metric cosine\n"
		"  vexctl search /mnt/words.vex --id 42 -k 5\n");
}

static const struct command *find(const char *name)
{
	for (size_t i = 0; i < COUNT(commands); i++)
		if (!strcmp(commands[i]->name, name))
			return commands[i];
	return NULL;
}

int main(int argc, char **argv)
{
	const struct command *cmd;

	if (argc < 2) {
		overview(stderr);
		return EXIT_USAGE;
	}
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") ||
	    !strcmp(argv[1], "help")) {
		cmd = argc > 2 ? find(argv[2]) : NULL;
		if (cmd)
			print_help(cmd, stdout);
		else
			overview(stdout);
		return 0;
	}
	if (!strcmp(argv[1], "--version")) {
		printf("vexctl 1.0\n");
		return 0;
	}
	cmd = find(argv[1]);
	if (!cmd)
		usage_error("unknown command '%s'; try 'vexctl --help'",
			    argv[1]);
	for (int i = 2; i < argc; i++)
		if (!strcmp(argv[i], "--help") || !strcmp(argv[i], "-h")) {
			print_help(cmd, stdout);
			return 0;
		}
	return cmd->run(argc - 1, argv + 1);
}

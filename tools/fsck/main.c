// SPDX-License-Identifier: GPL-2.0
/*
 * fsck.vexfs: checks and repairs a VexFS volume. Options, opening the device.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include "fsck.h"

#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <unistd.h>

#include "busy.h"

#define VEXFS_VERSION	"1.0"

static const char fsck_usage[] =
"Usage: fsck.vexfs [options] device\n"
"Checks a VexFS volume on a device, or in a file, and repairs it.\n"
"\n"
"  -n            change nothing: say what is wrong and what would be done\n"
"  -p, -a        repair what can be repaired safely, without questions\n"
"  -y            repair everything, without questions\n"
"  -f            check even if the volume is marked clean\n"
"  -b block      use the backup of the superblock in this block of 4096 bytes\n"
"  -C fd         write progress to descriptor fd; 0: show a bar\n"
"  --json        print the result as JSON\n"
"  -v            print more\n"
"  -h, --help    this text; -V, --version: the version\n";

static void __attribute__((__noreturn__, __format__(printf, 1, 2)))
usage_error(const char *fmt, ...)
{
	va_list args;

	fputs("fsck.vexfs: ", stderr);
	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fputs("; see fsck.vexfs --help\n", stderr);
	exit(FSCK_USAGE);
}

static u64 number(const char *text, const char *what)
{
	char *end;
	u64 n;

	errno = 0;
	n = strtoull(text, &end, 10);
	if (errno || text[0] < '0' || text[0] > '9' || *end)
		usage_error("%s is not a number: '%s'", what, text);
	return n;
}

static void set_mode(struct fsck_options *opt, enum fsck_mode mode)
{
	if (opt->mode != FSCK_ASK && opt->mode != mode)
		usage_error("only one of -n, -p and -y can be used");
	opt->mode = mode;
}

static void option(struct fsck_options *opt, int c)
{
	switch (c) {
	case 'n':
		set_mode(opt, FSCK_NO);
		break;
	case 'y':
		set_mode(opt, FSCK_YES);
		break;
	case 'a':
	case 'p':
		set_mode(opt, FSCK_PREEN);
		break;
	case 'f':
		opt->force = true;
		break;
	case 'v':
		opt->verbose = true;
		break;
	case 'b':
		opt->backup = number(optarg, "block");
		opt->use_backup = true;
		opt->force = true;
		break;
	case 'C':
		opt->progress = (int)number(optarg, "descriptor");
		break;
	case 'j':
		opt->json = true;
		break;
	case 'h':
		fputs(fsck_usage, stdout);
		exit(FSCK_OK);
	case 'V':
		puts("fsck.vexfs (VexFS) " VEXFS_VERSION);
		exit(FSCK_OK);
	case ':':
		usage_error("option -%c needs a value", optopt);
	default:
		usage_error("unknown option");
	}
}

static void parse(struct fsck_options *opt, int argc, char **argv)
{
	static const struct option longopts[] = {
		{ "help",    no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' },
		{ "json",    no_argument, NULL, 'j' },
		{ }
	};
	int c;

	opterr = 0;
	opt->progress = -1;
	while ((c = getopt_long(argc, argv, ":nyapfvb:C:hV", longopts,
				NULL)) != -1)
		option(opt, c);
	if (optind != argc - 1)
		usage_error(optind == argc ? "no device given" :
			    "more than one device given");
	opt->device = argv[optind];
	if (opt->mode != FSCK_ASK)
		return;
	if (opt->json)
		usage_error("--json needs -n, -p or -y");
	if (!isatty(0) || !isatty(1))
		usage_error("no terminal to ask at: -n, -p or -y is needed");
}

static struct vexfs_dev *open_device(const struct fsck_options *opt)
{
	int flags = opt->mode == FSCK_NO ? O_RDONLY : O_RDWR;
	struct vexfs_dev *dev;
	const char *use;
	struct stat st;

	if (stat(opt->device, &st))
		return ERR_PTR(-errno);
	use = vexfs_busy(opt->device, &st);
	if (use && opt->mode != FSCK_NO) {
		fprintf(stderr, "fsck.vexfs: %s is %s\n", opt->device, use);
		exit(FSCK_FAILED);
	}
	if (use)
		fprintf(stderr, "fsck.vexfs: %s is %s: what is found may be in motion\n",
			opt->device, use);
	if (S_ISBLK(st.st_mode) && opt->mode != FSCK_NO)
		flags |= O_EXCL;
	dev = vexfs_dev_open(opt->device, flags);
	return dev;
}

/* Heard between two steps; while repairs are written it has to wait. */
static void interrupt(int sig)
{
	fsck_interrupted = 1;
}

static void set_signals(void)
{
	struct sigaction sa = { .sa_handler = interrupt };

	sigaction(SIGINT, &sa, NULL);
	sigaction(SIGTERM, &sa, NULL);
	sigaction(SIGHUP, &sa, NULL);
}

int main(int argc, char **argv)
{
	static struct fsck f;
	int status;

	parse(&f.opt, argc, argv);
	f.dev = open_device(&f.opt);
	if (IS_ERR(f.dev)) {
		fprintf(stderr, "fsck.vexfs: can't open %s: %s\n",
			f.opt.device, strerror(-(int)PTR_ERR(f.dev)));
		return FSCK_FAILED;
	}
	set_signals();
	if (f.opt.json) {
		printf("{\n  \"device\": ");
		fsck_json_string(stdout, f.opt.device);
		printf(",\n  \"problems\": [");
	}
	status = fsck_run(&f);
	fsck_free(&f);
	if (vexfs_dev_close(f.dev))
		status |= FSCK_FAILED;
	if (fflush(stdout))
		status |= FSCK_FAILED;
	return status;
}

// SPDX-License-Identifier: GPL-2.0
/*
 * Reporting problems, and asking whether to repair them.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include "fsck.h"

#include <unistd.h>

struct fsck_report {
	enum fsck_kind kind;
	u64	ino, bno;
	char	path[512];
	char	detail[256];
};

static void fsck_print_place(const struct fsck_report *r)
{
	if (r->ino)
		printf("inode %llu", r->ino);
	if (r->ino && r->path[0])
		printf(" (%s)", r->path);
	if (r->bno)
		printf("%sblock %llu", r->ino ? ", " : "", r->bno);
	if (r->ino || r->bno)
		printf(": ");
	printf("%s", fsck_kind_info[r->kind].what);
	if (r->detail[0])
		printf(": %s", r->detail);
}

static void fsck_print_json(struct fsck *f, const struct fsck_report *r,
			    bool fixed)
{
	printf("%s\n    {\"kind\": ", f->found > 1 ? "," : "");
	fsck_json_string(stdout, fsck_kind_info[r->kind].name);
	if (r->ino)
		printf(", \"inode\": %llu", r->ino);
	if (r->bno)
		printf(", \"block\": %llu", r->bno);
	if (r->path[0]) {
		printf(", \"path\": ");
		fsck_json_string(stdout, r->path);
	}
	printf(", \"what\": ");
	fsck_json_string(stdout, fsck_kind_info[r->kind].what);
	if (r->detail[0]) {
		printf(", \"detail\": ");
		fsck_json_string(stdout, r->detail);
	}
	printf(", \"fix\": ");
	fsck_json_string(stdout, fsck_kind_info[r->kind].fix);
	printf(", \"fixed\": %s}", fixed ? "true" : "false");
}

/* Yes, no, or yes to all that is to come. */
static bool fsck_ask(struct fsck *f, const struct fsck_report *r)
{
	char line[64];

	for (;;) {
		printf("; %s (y, n, or a for all)? ",
		       fsck_kind_info[r->kind].fix);
		fflush(stdout);
		if (!fgets(line, sizeof(line), stdin)) {
			fsck_interrupted = 1;
			printf("\n");
			return false;
		}
		switch (line[0] | 0x20) {
		case 'a':
			f->opt.mode = FSCK_YES;
			return true;
		case 'y':
			return true;
		case 'n':
			return false;
		}
		fsck_print_place(r);
	}
}

/* What was decided stands behind the problem, on the same line. */
static bool fsck_decide(struct fsck *f, const struct fsck_report *r)
{
	const struct fsck_kind_info *k = &fsck_kind_info[r->kind];

	if (!f->opt.quiet && !f->opt.json)
		fsck_print_place(r);
	switch (f->opt.mode) {
	case FSCK_ASK:
		return fsck_ask(f, r);
	case FSCK_PREEN:
		if (!k->safe)
			f->abort = true;
		return k->safe;
	default:
		return true;
	}
}

bool fsck_problem(struct fsck *f, enum fsck_kind kind, u64 ino, u64 bno,
		  const char *fmt, ...)
{
	struct fsck_report r = { .kind = kind, .ino = ino, .bno = bno };
	bool yes, asked = f->opt.mode == FSCK_ASK, fixed;
	va_list ap;

	if (f->abort || fsck_interrupted)
		return false;
	if (fmt) {
		va_start(ap, fmt);
		vsnprintf(r.detail, sizeof(r.detail), fmt, ap);
		va_end(ap);
	}
	f->found++;
	f->kinds[kind]++;
	if (ino && !f->opt.quiet)
		fsck_path(f, ino, r.path, sizeof(r.path));
	yes = fsck_decide(f, &r);
	fixed = yes && f->opt.mode != FSCK_NO;
	f->fixed += fixed;
	if (f->opt.json)
		fsck_print_json(f, &r, fixed);
	else if (!asked && !f->opt.quiet)
		printf("; %s%s\n", f->opt.mode == FSCK_NO ? "would " :
		       fixed ? "" : "run fsck.vexfs without -p to ",
		       fsck_kind_info[kind].fix);
	return yes;
}

void fsck_note(struct fsck *f, const char *fmt, ...)
{
	va_list ap;

	if (f->opt.quiet || f->opt.json)
		return;
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	printf("\n");
}

int fsck_fail(struct fsck *f, int err, const char *what, u64 bno)
{
	if (f->error)
		return f->error;
	f->error = err;
	if (f->opt.quiet)
		return err;
	fflush(stdout);
	fprintf(stderr, "fsck.vexfs: %s: ", f->opt.device);
	if (bno)
		fprintf(stderr, "block %llu: ", bno);
	fprintf(stderr, "%s: %s\n", what, err == -EFSCORRUPTED ?
		f->dev->corrupt_why : strerror(-err));
	return err;
}

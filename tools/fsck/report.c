// SPDX-License-Identifier: GPL-2.0
/*
 * Progress, and the summary at the end as text or JSON.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include "fsck.h"

#include <time.h>

#define FSCK_BAR	50

void fsck_json_string(FILE *out, const char *s)
{
	fputc('"', out);
	for (; *s; s++) {
		unsigned char c = *s;

		if (c == '"' || c == '\\')
			fprintf(out, "\\%c", c);
		else if (c < 0x20 || c >= 0x7f)
			fprintf(out, "\\u%04x", c);
		else
			fputc(c, out);
	}
	fputc('"', out);
}

static void fsck_bar(struct fsck *f)
{
	int done = f->pass_of ? (int)(f->pass_at * FSCK_BAR / f->pass_of) :
				FSCK_BAR;

	printf("\r%-10s |%.*s%*s| %3d%%", f->pass, done,
	       "==================================================",
	       FSCK_BAR - done, "", done * 100 / FSCK_BAR);
	if (done == FSCK_BAR)
		printf("\r%*s\r", FSCK_BAR + 20, "");
	fflush(stdout);
}

/* At most ten times a second; what is written is "pass at of". */
void fsck_progress(struct fsck *f, u64 at, u64 of)
{
	static u64 last;
	u64 now;

	if (f->opt.progress < 0 || f->opt.quiet)
		return;
	now = ktime_get_ns();
	if (at && at < of && now - last < 100 * NSEC_PER_MSEC)
		return;
	last = now;
	f->pass_at = at;
	f->pass_of = of;
	if (!f->opt.progress)
		fsck_bar(f);
	else
		dprintf(f->opt.progress, "%s %llu %llu\n", f->pass, at, of);
}

void fsck_pass(struct fsck *f, const char *name, u64 of)
{
	f->pass = name;
	if (f->opt.verbose)
		fsck_note(f, "pass %s", name);
	fsck_progress(f, 0, of);
}

static const char *fsck_verdict(const struct fsck *f, int status)
{
	if (status & FSCK_CANCELLED)
		return "interrupted, nothing was changed";
	if (status & FSCK_FAILED)
		return "not checked";
	if (status & FSCK_UNCORRECTED)
		return "PROBLEMS LEFT";
	return status & FSCK_CORRECTED ? "repaired" : "clean";
}

static void fsck_summary_json(struct fsck *f, int status)
{
	const struct vexfs_geom *g = &f->fs.geom;
	u32 i;

	printf("%s],\n  \"found\": %u, \"fixed\": %u,\n",
	       f->found ? "\n  " : "", f->found, f->fixed);
	printf("  \"kinds\": {");
	for (i = 0; i < FSCK_KINDS; i++)
		if (f->kinds[i])
			printf("\"%s\": %u, ", fsck_kind_info[i].name,
			       f->kinds[i]);
	printf("\"total\": %u},\n", f->found);
	printf("  \"replayed\": {\"transactions\": %u, \"blocks\": %u},\n",
	       f->replay.transactions, f->replay.blocks);
	printf("  \"inodes\": %llu, \"blocks_used\": %llu, \"blocks\": %llu,\n",
	       f->files, f->clusters_used, g->clusters);
	printf("  \"collections\": %u, \"vectors\": %llu,\n", f->colls.count,
	       f->vectors);
	printf("  \"verdict\": \"%s\", \"status\": %d\n}\n",
	       fsck_verdict(f, status), status);
}

void fsck_summary(struct fsck *f, int status)
{
	if (f->opt.json) {
		fsck_summary_json(f, status);
		return;
	}
	if (f->opt.quiet)
		return;
	printf("%s: %s", f->opt.device, fsck_verdict(f, status));
	if (f->found)
		printf(", %u problem%s found, %u repaired", f->found,
		       f->found == 1 ? "" : "s", f->fixed);
	if (f->files)
		printf(", %llu inodes, %llu of %llu blocks in use", f->files,
		       f->clusters_used, f->fs.geom.clusters);
	if (f->colls.count)
		printf(", %u collection%s of %llu vectors", f->colls.count,
		       f->colls.count == 1 ? "" : "s", f->vectors);
	printf("\n");
	if (f->opt.verbose)
		printf("%llu blocks read, %zu KiB of memory for blocks that were changed\n",
		       f->dev->reads, vexfs_dev_pending(f->dev) * 4);
}

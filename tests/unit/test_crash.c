// SPDX-License-Identifier: GPL-2.0
/*
 * Crashes of the shared core: random operations on names, data and attributes
 * are recorded as a disk would see them, with the journal as jbd2 writes it.
 * After every write, and with any of those since the last flush, recovery has
 * to find a sound volume with all that was synced.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include "ufs.h"
#include "../crash/crash.h"
#include "../crash/jwrite.h"

#define OPS		400
#define DIRECTORY	"empty"

/* One in so many places is tried; fewer where it takes longer. */
#ifdef __SANITIZE_ADDRESS__
#define STEP		23
#else
#define STEP		7
#endif

struct run {
	struct ufs u;
	struct vexfs_dev *before;
	struct cl_log log;
	u32	seed;
};

/* What is done wrong, to see that it is noticed. */
enum fault {
	NO_FAULT,
	NO_FLUSH,
	NO_CHECKSUM,
	NO_REVOKE,
	NO_BITMAP,
};

static u32 run_seed = 1;
static u32 points, bad;

/* A mark at the end of the log: @done operations are, and so are promises. */
static void mark(struct run *r, u32 done)
{
	struct cm_mark m = {
		.magic = CM_MARK_MAGIC, .seed = r->seed, .done = done,
		.begun = done,
	};

	cl_add(&r->log, CL_MARK, 0, &m, 1);
}

static void record(struct run *r, enum fault fault)
{
	struct vexfs_wlog *log;
	struct cm_op op;
	struct jw j;
	size_t seen = 0;
	u32 i;

	memset(r, 0, sizeof(*r));
	r->seed = run_seed;
	fu_make_plain(&r->u.vol);
	ufs_init(&r->u, r->u.vol.n.empty, r->seed);
	r->u.skip_csum = fault == NO_CHECKSUM;
	CHECK_EQ(vexfs_dev_commit(r->u.vol.f.dev), 0);
	r->before = vexfs_dev_clone(r->u.vol.f.dev);
	r->before->quiet = true;
	r->before->paranoid = false;
	log = vexfs_wlog_start(r->u.vol.f.dev);
	jw_init(&j, &r->u.fs->geom, &r->log, r->seed);
	j.no_flush = fault == NO_FLUSH;
	j.no_revoke = fault == NO_REVOKE;
	if (fault == NO_BITMAP)
		j.unlogged = vexfs_cluster_bitmap_block(&r->u.fs->geom, 0);
	for (i = 0; i < OPS; i++) {
		cm_next(&r->u.m, &op);
		ufs_do(&r->u, &op);
		for (; seen < log->count; seen++)
			jw_add(&j, &log->entries[seen]);
		if (op.kind >= CM_FSYNC)
			mark(r, op.nr);
	}
	jw_end(&j);
	r->u.vol.f.dev->wlog = NULL;
	vexfs_wlog_free(log);
	fu_close(&r->u.vol);
}

static const char *check_state(struct run *r, struct cm_files *cf,
			       const struct cm_promise *p)
{
	static struct fsck f;
	const char *why = NULL;
	u64 dir;
	int status = cv_open(&f, r->before, getenv("FSCK_TELL"));

	if (status != FSCK_OK)
		why = cm_why("fsck ends with status %d", status);
	else if (cv_lookup(&f, VEXFS_ROOT_INO, DIRECTORY, &dir))
		why = "the directory is gone";
	else if (p->any)
		why = cm_files_check(cf, &f, dir, p);
	cv_close(&f);
	return why;
}

/* After each entry of the log: all, nothing, some of what isn't certain. */
static void crash_everywhere(struct run *r, u32 step)
{
	struct cs_disk disk = { .log = &r->log, .dev = r->before };
	const u64 per = VEXFS_BLOCK_SIZE / CM_SECTOR;
	struct cm_files *cf = cm_files_new(r->seed, OPS);
	struct cm_promise p = { };
	struct cs_point at;
	const char *why;
	u32 how;

	disk.journal = vexfs_journal_block(&r->u.fs->geom, 0) * per;
	disk.journal_end = disk.journal +
			   vexfs_journal_blocks(&r->u.fs->geom) * per;
	p.next.begun = OPS;
	for (at.pos = 1; at.pos <= r->log.count; at.pos++) {
		const struct cl_entry *e = &r->log.entry[at.pos - 1];

		if (e->kind == CL_MARK) {
			memcpy(&p.was, e->data, sizeof(p.was));
			p.any = true;
		}
		for (how = CS_ALL; how <= CS_SOME; how++) {
			if ((at.pos * 3 + how) % step)
				continue;
			at.how = how;
			at.seed = (u32)(at.pos * 7 + r->seed);
			cs_make(&disk, &at);
			why = check_state(r, cf, &p);
			cs_undo(&disk);
			points++;
			if (why && bad++ < 5)
				printf("# entry %zu, %s the rest: %s\n",
				       at.pos, cs_how_name(how), why);
		}
	}
	cm_files_free(cf);
}

static void run_free(struct run *r)
{
	cl_close(&r->log);
	CHECK_EQ(vexfs_dev_close(r->before), 0);
}

static struct run run;

static void test_crashes(void)
{
	points = 0;
	bad = 0;
	record(&run, NO_FAULT);
	crash_everywhere(&run, getenv("CRASH_ALL") ? 1 : STEP);
	run_free(&run);
	printf("# %u crash points, %u bad\n", points, bad);
	CHECK_EQ(bad, 0);
	CHECK(points > 3000 / STEP);
}

/* Quietly: what is bad is as it should be. */
static void must_be_noticed(enum fault fault, u32 step, u32 least)
{
	points = 0;
	bad = 5;
	record(&run, fault);
	crash_everywhere(&run, step);
	run_free(&run);
	printf("# %u crash points, %u bad\n", points, bad - 5);
	CHECK(bad - 5 >= least);
}

/* A disk that is never told to flush. */
static void test_no_flush(void)
{
	must_be_noticed(NO_FLUSH, 97, 10);
}

static void test_no_checksum(void)
{
	must_be_noticed(NO_CHECKSUM, 97, 10);
}

/* Replay puts an old block over what is there now, where both are. */
static void test_no_revoke(void)
{
	must_be_noticed(NO_REVOKE, 41, 1);
}

static void test_no_bitmap(void)
{
	must_be_noticed(NO_BITMAP, 97, 10);
}

int main(int argc, char **argv)
{
	if (argc > 1)
		run_seed = (u32)strtoul(argv[1], NULL, 0);
	cu_plan(5);
	cu_run("crashes of the shared core", test_crashes);
	cu_run("a disk that isn't flushed", test_no_flush);
	cu_run("a checksum that isn't renewed", test_no_checksum);
	cu_run("a block that isn't revoked", test_no_revoke);
	cu_run("a bitmap that isn't logged", test_no_bitmap);
	return 0;
}

// SPDX-License-Identifier: GPL-2.0
/*
 * Whatever fails, fails cleanly: the n-th write, read or allocation of each
 * operation, for every n there is. The operation reports it, nothing has
 * changed, and the next attempt succeeds.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include <linux/vexfs.h>

#include "coll_mem.h"
#include "simd.h"
#include "vtest.h"

#define DIMS	24u

static struct mem_coll m;
static struct mem_model model;
static u32 failures;

static u64 batch[120];

static u32 range(u64 first, u32 n)
{
	u32 i;

	for (i = 0; i < n; i++)
		batch[i] = first + i;
	return n;
}

static int op_insert(void)
{
	return mem_put(&m, &model, batch, range(100, 50), 0, 2);
}

static int op_upsert(void)
{
	u32 n = range(60, 100);

	/* One of them twice */
	batch[n - 1] = batch[3];
	return mem_put(&m, &model, batch, n, VEXFS_COLL_UPSERT, 3);
}

static int op_delete(void)
{
	return mem_del(&m, &model, batch, range(20, 40));
}

static int op_commit(void)
{
	return mem_commit(&m, 0);
}

static int op_index(void)
{
	return mem_settle(&m);
}

static int op_checkpoint(void)
{
	return mem_checkpoint(&m, 0);
}

static int op_search(void)
{
	struct vexfs_coll_searcher *s = vexfs_coll_searcher_alloc(m.coll);
	struct vexfs_coll_hit hits[4];
	struct vexfs_coll_result res;
	float row[DIMS];
	int err = -ENOMEM;

	mem_row(&m, 80, model.version[80], row);
	if (s)
		err = vexfs_coll_search(s, row, 4, 8, 0, hits, &res);
	if (!err)
		CHECK(res.count == 4 && hits[0].id == 80, "%u hits, id %llu",
		      res.count, hits[0].id);
	vexfs_coll_searcher_free(s);
	return err;
}

static int op_reopen(void)
{
	mem_close(&m);
	return mem_open(&m);
}

static void setup(u8 index)
{
	struct vexfs_coll_config cfg = {
		.dims = DIMS, .elem = VEXFS_ELEM_F32, .index = index,
		.metric = VEXFS_METRIC_L2, .m = 4, .ef_construction = 16,
		.seed = 5,
	};

	memset(&model, 0, sizeof(model));
	if (mem_create(&m, &cfg, 1 << 16) ||
	    mem_put(&m, &model, batch, range(0, 100), 0, 1) ||
	    mem_settle(&m) || mem_commit(&m, 0) ||
	    mem_del(&m, &model, batch, range(0, 20)) || mem_commit(&m, 0) ||
	    mem_settle(&m) || mem_commit(&m, 0))
		abort();
	/* Freed slots with gaps between, to be used again */
	memset(batch, 0, sizeof(batch));
}

static void injure(int *what, const char *name, const char *op,
		   int (*fn)(void), int n)
{
	struct mem_model before = model;
	int err;

	*what = n;
	err = fn();
	if (*what)
		return;
	failures++;
	/* To load a graph that can't be read is to do without it */
	if (!err && fn == op_reopen)
		return;
	CHECK(err, "%s: %s %d failed unnoticed", op, name, n);
	if (!err)
		return;
	if (!m.coll)
		CHECK(!mem_open(&m), "%s: doesn't open any more", op);
	model = before;
	CHECK(!mem_differs(&m, &model), "%s: changed by %s %d", op, name, n);
	err = op_search();
	CHECK(!err, "%s: search after %s %d: %d", op, name, n, err);
}

/* Until nothing is left to fail. */
static void injure_all(int *what, const char *name, const char *op,
		       int (*fn)(void))
{
	int n;

	for (n = 1; n < 5000 && vt_errors < 5; n++) {
		injure(what, name, op, fn, n);
		if (*what) {
			*what = 0;
			return;
		}
	}
	CHECK(false, "%s: no end of %s", op, name);
}

static const struct {
	const char *name;
	int (*fn)(void);
} ops[] = {
	{ "insert", op_insert },
	{ "search", op_search },
	{ "delete", op_delete },
	{ "upsert", op_upsert },
	{ "commit", op_commit },
	{ "index", op_index },
	{ "checkpoint", op_checkpoint },
	{ "reopen", op_reopen },
};

static void test_faults(u8 index, int *what, const char *name)
{
	char detail[48], title[64];
	u32 i, round;

	failures = 0;
	setup(index);
	for (round = 0; round < 2; round++) {
		for (i = 0; i < ARRAY_SIZE(ops); i++) {
			if (round && ops[i].fn == op_insert)
				CHECK(!mem_del(&m, &model, batch,
					       range(100, 50)), "delete");
			if (round && ops[i].fn == op_delete)
				CHECK(!mem_put(&m, &model, batch,
					       range(20, 40), 0, 7), "insert");
			injure_all(what, name, ops[i].name, ops[i].fn);
			CHECK(!mem_differs(&m, &model), "%s", ops[i].name);
		}
	}
	CHECK(failures > 4, "only %u failures", failures);
	mem_destroy(&m);
	snprintf(title, sizeof(title), "failing %s, %s", name,
		 mem_index_name(index));
	snprintf(detail, sizeof(detail), "# %u failures", failures);
	vt_done(title, detail);
}

/* The device fails after the writes: nothing is durable, nothing is lost. */
static void test_failed_commits(void)
{
	u32 i;

	setup(VEXFS_INDEX_HNSW);
	for (i = 0; i < 20; i++) {
		CHECK(!mem_put(&m, &model, batch, range(100, 50),
			       VEXFS_COLL_UPSERT, 10 + i), "upsert");
		CHECK(mem_commit(&m, -EIO) == -EIO, "commit");
		CHECK(mem_checkpoint(&m, -EIO) == -EIO, "checkpoint");
		CHECK(!mem_settle(&m), "settle");
		CHECK(!mem_differs(&m, &model), "round %u", i);
		if (i % 3)
			continue;
		CHECK(!mem_commit(&m, 0), "commit");
		if (i % 2)
			CHECK(!mem_checkpoint(&m, 0), "checkpoint");
		CHECK(!op_reopen(), "reopen");
		CHECK(!mem_differs(&m, &model), "round %u, reopened", i);
	}
	mem_destroy(&m);
	vt_done("failing commits", NULL);
}

int main(void)
{
	if (vexfs_simd_init(NULL))
		return 1;
	test_faults(VEXFS_INDEX_FLAT, &m.fail_write, "writes");
	test_faults(VEXFS_INDEX_HNSW, &m.fail_write, "writes");
	test_faults(VEXFS_INDEX_FLAT, &m.fail_read, "reads");
	test_faults(VEXFS_INDEX_HNSW, &m.fail_read, "reads");
	test_faults(VEXFS_INDEX_FLAT, &kshim_fail_alloc, "allocations");
	test_faults(VEXFS_INDEX_HNSW, &kshim_fail_alloc, "allocations");
	test_faults(VEXFS_INDEX_LSH, &m.fail_write, "writes");
	test_faults(VEXFS_INDEX_LSH, &m.fail_read, "reads");
	test_faults(VEXFS_INDEX_LSH, &kshim_fail_alloc, "allocations");
	test_failed_commits();
	return vt_exit();
}

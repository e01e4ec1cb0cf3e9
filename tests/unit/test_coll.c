// SPDX-License-Identifier: GPL-2.0
/*
 * Collections against a model: a table of vectors by id. Elements are small
 * integers, so that distances are exact and ties frequent.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include <linux/vexfs.h>

#include "coll_mem.h"
#include "simd.h"
#include "vtest.h"

#define DIMS	16u
#define IDS	4096u
#define BATCH	40
#define MAX_K	64u

struct model {
	struct mem_coll m;
	struct vexfs_coll_searcher *s;
	u64	rng;
	u64	next_id;
	u32	live;
	u32	wrong_mode;
	bool	has[IDS];
	float	row[IDS][DIMS];
};

static struct model *md;

static u32 roll(u32 n)
{
	return vt_random(&md->rng) % n;
}

static void random_row(float *row)
{
	u32 i;

	for (i = 0; i < DIMS; i++)
		row[i] = (float)((int)roll(201) - 100);
}

static float exact_distance(const float *a, const float *b)
{
	float d = 0;
	u32 i;

	for (i = 0; i < DIMS; i++)
		d += md->m.cfg.metric == VEXFS_METRIC_L2 ?
		     (a[i] - b[i]) * (a[i] - b[i]) : -a[i] * b[i];
	return d;
}

static float hit_distance(const struct vexfs_coll_hit *hit)
{
	return vt_bits_to_float(vexfs_key_to_bits(hit->key));
}

static void check_stat(void)
{
	struct vexfs_coll_stat st;

	vexfs_coll_stat(md->m.coll, &st);
	CHECK(st.live == md->live, "%llu live, not %u", st.live, md->live);
	CHECK(st.next_id == md->next_id, "next id %llu, not %llu", st.next_id,
	      md->next_id);
	CHECK(st.slots >= st.live, "%llu slots", st.slots);
	if (md->m.cfg.index == VEXFS_INDEX_HNSW)
		CHECK(st.indexed + st.pending == st.live,
		      "%llu indexed, %llu pending", st.indexed, st.pending);
}

/* The contents, by id and by iteration. */
static void check_contents(void)
{
	struct vexfs_coll *coll = md->m.coll;
	u32 slot, n = 0;
	u64 id;

	vexfs_coll_read_lock(coll);
	for (id = 0; id < IDS; id++) {
		int err = vexfs_coll_find(coll, id, &slot);

		CHECK(err == (md->has[id] ? 0 : -ENOENT), "id %llu: %d", id,
		      err);
		if (err || !md->has[id])
			continue;
		CHECK(!memcmp(md->m.store.data[MEM_ROWS] +
			      (u64)slot * md->m.cfg.stride, md->row[id],
			      sizeof(md->row[id])), "row of id %llu", id);
	}
	for (slot = 0; vexfs_coll_next(coll, &slot, &id); slot++, n++)
		CHECK(id < IDS && md->has[id], "id %llu listed", id);
	CHECK(n == md->live, "%u listed, not %u", n, md->live);
	vexfs_coll_read_unlock(coll);
	check_stat();
}

struct ranked {
	float	d;
	u64	id;
};

static int ranked_cmp(const void *a, const void *b)
{
	const struct ranked *x = a, *y = b;

	if (x->d != y->d)
		return x->d < y->d ? -1 : 1;
	return x->id < y->id ? -1 : x->id > y->id;
}

static u32 brute_force(const float *q, struct ranked *all)
{
	u32 i, n = 0;

	for (i = 0; i < IDS; i++) {
		if (md->has[i])
			all[n++] = (struct ranked){
				exact_distance(q, md->row[i]), i };
	}
	qsort(all, n, sizeof(*all), ranked_cmp);
	return n;
}

/* What a search for the @k nearest of @q found. */
static void check_hits(const float *q, u32 k, bool exact,
		       const struct vexfs_coll_hit *hits,
		       const struct vexfs_coll_result *res)
{
	static struct ranked all[IDS];
	u32 n = brute_force(q, all), i, found = 0;

	n = min(n, k);
	CHECK(res->count == n, "%u hits, not %u", res->count, n);
	if (exact && res->mode != VEXFS_MODE_SCAN)
		md->wrong_mode++;
	for (i = 0; i < min(res->count, n); i++) {
		u64 id = hits[i].id;

		if (exact)
			CHECK(id == all[i].id && hit_distance(hits + i) ==
			      all[i].d, "hit %u: id %llu at %g, not %llu at %g",
			      i, id, hit_distance(hits + i), all[i].id,
			      all[i].d);
		CHECK(id < IDS && md->has[id], "hit %u: id %llu", i, id);
		if (id >= IDS)
			continue;
		CHECK(hit_distance(hits + i) == exact_distance(q, md->row[id]),
		      "hit %u: distance of id %llu", i, id);
		CHECK(!i || hits[i - 1].key < hits[i].key ||
		      (hits[i - 1].key == hits[i].key &&
		       hits[i - 1].id < id), "hit %u out of order", i);
		found += hit_distance(hits + i) <= all[n - 1].d;
	}
	/* What is approximate is which ids; not by much */
	if (!exact && n == k && k >= 8)
		CHECK(found * 2 >= k, "%u of %u nearest", found, k);
}

static void check_search(const float *q, u32 k, u32 ef, bool exact)
{
	struct vexfs_coll_hit hits[MAX_K];
	struct vexfs_coll_result res;
	int err;

	err = vexfs_coll_search(md->s, q, k, ef, exact ? VEXFS_COLL_EXACT : 0,
				hits, &res);
	CHECK(!err, "search: %d", err);
	if (!err)
		check_hits(q, k, exact, hits, &res);
}

/* A batch of queries, which is searched for in one pass, or one by one. */
static void op_search_many(void)
{
	static float q[BATCH][DIMS];
	static struct vexfs_coll_hit hits[BATCH * MAX_K];
	struct vexfs_coll_result res[BATCH];
	u32 n = 1 + roll(BATCH), k = 1 + roll(MAX_K), i;
	bool exact = roll(4);
	int err;

	for (i = 0; i < n; i++)
		random_row(q[i]);
	err = vexfs_coll_search_many(md->s, q, n, k, 16,
				     exact ? VEXFS_COLL_EXACT : 0, hits, res);
	CHECK(!err, "batch of %u: %d", n, err);
	for (i = 0; i < n && !err; i++)
		check_hits(q[i], k, exact, hits + (size_t)i * k, res + i);
}

static void op_search(void)
{
	float q[DIMS];

	if (!roll(4)) {
		op_search_many();
		return;
	}
	random_row(q);
	check_search(q, 1 + roll(MAX_K), roll(4) ? 16 : 0, roll(2));
}

/* The first search after the insert returned has to find it. */
static void check_found(u64 id)
{
	struct vexfs_coll_hit hits[1];
	struct vexfs_coll_result res;
	float q[DIMS];
	u32 i;
	int err;

	memcpy(q, md->row[id], sizeof(q));
	if (md->m.cfg.metric == VEXFS_METRIC_IP)
		for (i = 0; i < DIMS; i++)
			q[i] *= 3;
	err = vexfs_coll_search(md->s, q, 1, 16, 0, hits, &res);
	CHECK(!err && res.count == 1, "search: %d, %u hits", err, res.count);
	if (md->m.cfg.metric == VEXFS_METRIC_L2)
		CHECK(hit_distance(hits) == 0, "id %llu: %llu at %g instead",
		      id, hits[0].id, hit_distance(hits));
}

static void model_put(u64 id, const float *row)
{
	md->live += !md->has[id];
	md->has[id] = true;
	memcpy(md->row[id], row, sizeof(md->row[id]));
}

static void op_insert(void)
{
	bool upsert = roll(3) == 0, exists = false;
	u32 count = 1 + roll(roll(4) ? 8 : 60), i, j;
	static float rows[64][DIMS];
	u64 ids[64];
	int err;

	for (i = 0; i < count; i++) {
		random_row(rows[i]);
		ids[i] = roll(upsert ? IDS / 4 : IDS / 2);
		exists |= md->has[ids[i]];
		for (j = 0; j < i; j++)
			exists |= ids[j] == ids[i];
	}
	err = mem_insert(&md->m, ids, count, upsert ? VEXFS_COLL_UPSERT : 0,
			 rows, NULL);
	CHECK(err == (exists && !upsert ? -EEXIST : 0), "insert: %d", err);
	if (err)
		return;
	for (i = 0; i < count; i++)
		model_put(ids[i], rows[i]);
	check_found(ids[count - 1]);
}

static void op_insert_assigned(void)
{
	u32 count = 1 + roll(20), i;
	static float rows[32][DIMS];
	u64 first = md->next_id, got = 0;
	int err;

	for (i = 0; i < count && first + i < IDS; i++) {
		if (!md->has[first + i])
			continue;
		first += i + 1;
		i = -1;
	}
	/* The model ends before the ids do */
	if (first + count >= IDS)
		return;
	for (i = 0; i < count; i++)
		random_row(rows[i]);
	err = mem_insert(&md->m, NULL, count, 0, rows, &got);
	CHECK(!err, "insert: %d", err);
	CHECK(got == first, "assigned from %llu, not %llu", got, first);
	for (i = 0; i < count; i++)
		model_put(first + i, rows[i]);
	md->next_id = first + count;
	check_found(first);
}

static void op_delete(void)
{
	u32 count = 1 + roll(roll(4) ? 6 : 60), i, j, n = 0, deleted;
	bool ignore = roll(2), missing = false;
	u64 ids[64];
	bool dup;
	int err;

	for (i = 0; i < count; i++) {
		ids[i] = roll(IDS / 2);
		/* Mostly one that is there */
		while (roll(50) && md->live && !md->has[ids[i]])
			ids[i] = (ids[i] + 1) % IDS;
		for (j = 0, dup = false; j < i; j++)
			dup |= ids[j] == ids[i];
		missing |= dup || !md->has[ids[i]];
		n += !dup && md->has[ids[i]];
	}
	err = vexfs_coll_delete(md->m.coll, ids, count,
				ignore ? VEXFS_COLL_IGNORE : 0, &deleted);
	CHECK(err == (missing && !ignore ? -ENOENT : 0), "delete: %d", err);
	CHECK(deleted == (err ? 0 : n), "%u deleted, not %u", deleted, n);
	for (i = 0; !err && i < count; i++) {
		md->live -= md->has[ids[i]];
		md->has[ids[i]] = false;
	}
}

static void reopen(bool checkpoint, bool settle)
{
	struct vexfs_coll_stat before, st;
	int err = 0;

	if (settle)
		CHECK(!mem_settle(&md->m), "settle");
	CHECK(!mem_commit(&md->m, 0), "commit");
	if (checkpoint)
		err = mem_checkpoint(&md->m, 0);
	CHECK(!err, "checkpoint: %d", err);
	if (checkpoint)
		CHECK(settle || !vexfs_coll_checkpoint_wanted(md->m.coll, true),
		      "another checkpoint wanted");
	vexfs_coll_stat(md->m.coll, &before);
	vexfs_coll_searcher_free(md->s);
	mem_close(&md->m);
	err = mem_open(&md->m);
	CHECK(!err, "open: %d", err);
	if (err) {
		vt_done("open", NULL);
		exit(1);
	}
	vexfs_coll_stat(md->m.coll, &st);
	CHECK(!st.damaged, "damaged");
	CHECK(st.slots == before.slots, "%llu slots, not %llu", st.slots,
	      before.slots);
	/* A clean close rebuilds nothing */
	if (checkpoint)
		CHECK(st.rebuilt == before.pending, "%u rebuilt, not %llu",
		      st.rebuilt, before.pending);
	md->s = vexfs_coll_searcher_alloc(md->m.coll);
	check_contents();
}

static void op_any(void)
{
	long left;

	switch (roll(20)) {
	case 0 ... 4:
		return op_insert();
	case 5 ... 6:
		return op_insert_assigned();
	case 7 ... 9:
		return op_delete();
	case 10 ... 14:
		return op_search();
	case 15 ... 17:
		left = vexfs_coll_index(md->m.coll, 1 + roll(200));
		CHECK(left >= 0, "index: %ld", left);
		return;
	case 18:
		CHECK(!mem_commit(&md->m, 0), "commit");
		return;
	default:
		if (roll(4) == 0)
			reopen(roll(2), roll(2));
		else
			CHECK(!mem_checkpoint(&md->m, 0), "checkpoint");
	}
}

static void model_open(u64 seed, u8 index, u8 metric)
{
	struct vexfs_coll_config cfg = {
		.dims = DIMS, .elem = VEXFS_ELEM_F32, .metric = metric,
		.index = index, .m = 8, .ef_construction = 64, .seed = seed,
	};
	int err;

	memset(md, 0, sizeof(*md));
	md->rng = seed;
	err = mem_create(&md->m, &cfg, 1 << 20);
	if (err)
		abort();
	md->s = vexfs_coll_searcher_alloc(md->m.coll);
}

static void model_close(void)
{
	vexfs_coll_searcher_free(md->s);
	mem_destroy(&md->m);
}

static void test_model(u8 index, u8 metric, u32 ops, const char *name)
{
	char detail[64];
	u64 seed;
	u32 i;

	for (seed = 1; seed <= 3; seed++) {
		model_open(seed, index, metric);
		for (i = 0; i < ops; i++) {
			op_any();
			if (i % 50 == 0)
				check_contents();
		}
		reopen(true, true);
		for (i = 0; i < 50; i++)
			op_search();
		CHECK(!md->wrong_mode, "exact searches by graph");
		model_close();
	}
	snprintf(detail, sizeof(detail), "# 3 x %u operations", ops);
	vt_done(name, detail);
}

/* Slots are used again, after their rows were zeroed and not before. */
static void test_reuse(u8 index)
{
	struct vexfs_coll_stat st;
	static float rows[500][DIMS];
	u64 ids[500];
	u32 i, round, deleted, slot;
	u64 slots = 0;

	model_open(7, index, VEXFS_METRIC_L2);
	for (round = 0; round < 10; round++) {
		for (i = 0; i < 500; i++) {
			random_row(rows[i]);
			ids[i] = i;
		}
		CHECK(!mem_insert(&md->m, ids, 500, 0, rows, NULL), "insert");
		CHECK(!mem_settle(&md->m), "settle");
		vexfs_coll_stat(md->m.coll, &st);
		slots = slots ? slots : st.slots;
		CHECK(st.slots == slots, "%llu slots", st.slots);
		CHECK(!vexfs_coll_delete(md->m.coll, ids, 500, 0, &deleted),
		      "delete");
		/* Not durable yet: not to be touched */
		CHECK(!mem_settle(&md->m), "settle");
		vexfs_coll_read_lock(md->m.coll);
		for (i = 0, slot = 0; i < slots * md->m.cfg.stride; i++)
			slot += md->m.store.data[MEM_ROWS][i] != 0;
		CHECK(slot > 500 * DIMS, "rows zeroed too early");
		vexfs_coll_read_unlock(md->m.coll);
		CHECK(!mem_commit(&md->m, 0), "commit");
		CHECK(!mem_settle(&md->m), "settle");
		for (i = 0; i < slots * md->m.cfg.stride; i++)
			CHECK(!md->m.store.data[MEM_ROWS][i], "byte %u left",
			      i);
		CHECK(!mem_commit(&md->m, 0), "commit");
	}
	model_close();
	vt_done(index == VEXFS_INDEX_HNSW ? "slots of a graph are reused" :
		"slots are reused", NULL);
}

/* What an insert had taken when it failed is there for the next one. */
static void test_abort(void)
{
	struct vexfs_coll_insert ins;
	static float rows[100][DIMS];
	struct vexfs_coll_stat st;
	u64 ids[100];
	u32 i, round, deleted;

	model_open(10, VEXFS_INDEX_FLAT, VEXFS_METRIC_L2);
	for (i = 0; i < 100; i++) {
		random_row(rows[i]);
		ids[i] = i;
	}
	CHECK(!mem_insert(&md->m, ids, 100, 0, rows, NULL), "insert");
	/* Every second one, so that there are many runs */
	for (i = 0; i < 50; i++)
		ids[i] = 2 * i;
	CHECK(!vexfs_coll_delete(md->m.coll, ids, 50, 0, &deleted), "delete");
	CHECK(!mem_commit(&md->m, 0) && !mem_settle(&md->m) &&
	      !mem_commit(&md->m, 0), "commit");
	for (round = 0; round < 4; round++) {
		CHECK(!vexfs_coll_insert_begin(md->m.coll, ids, 50, 0, &ins),
		      "begin");
		CHECK(!vexfs_coll_insert_rows(&ins, rows, round * 16,
					      sizeof(rows[0])), "rows");
		/* Ending it too early does nothing */
		if (round & 1)
			CHECK(vexfs_coll_insert_end(&ins) == -EINVAL, "end");
		vexfs_coll_insert_abort(&ins);
		for (i = 0; i < 100 * md->m.cfg.stride; i++)
			if (i / md->m.cfg.stride % 2 == 0)
				CHECK(!md->m.store.data[MEM_ROWS][i],
				      "byte %u left", i);
	}
	CHECK(!mem_insert(&md->m, ids, 50, 0, rows, NULL), "insert");
	vexfs_coll_stat(md->m.coll, &st);
	CHECK(st.slots == 100 && st.live == 100, "%llu slots, %llu live",
	      st.slots, st.live);
	model_close();
	vt_done("aborted inserts leave nothing", NULL);
}

/* Ids are assigned around those that exist, and end before 2^64 - 1. */
static void test_assign(void)
{
	static float rows[8][DIMS];
	u64 ids[2] = { 3, U64_MAX }, first;
	int err;

	model_open(8, VEXFS_INDEX_FLAT, VEXFS_METRIC_L2);
	CHECK(mem_insert(&md->m, ids, 2, 0, rows, NULL) == -EINVAL, "id ~0");
	CHECK(!mem_insert(&md->m, ids, 1, 0, rows, NULL), "insert");
	CHECK(!mem_insert(&md->m, NULL, 3, 0, rows, &first) && !first,
	      "from %llu", first);
	CHECK(!mem_insert(&md->m, NULL, 3, 0, rows, &first) && first == 4,
	      "from %llu", first);
	vexfs_coll_searcher_free(md->s);
	mem_close(&md->m);
	memset(&md->m.store.header.ch_seq, 0, 8 * 8);
	md->m.store.header.ch_next_id = cpu_to_le64(U64_MAX - 5);
	CHECK(!mem_open(&md->m), "open");
	ids[0] = U64_MAX - 4;
	CHECK(!mem_insert(&md->m, ids, 1, 0, rows, NULL), "insert");
	err = mem_insert(&md->m, NULL, 5, 0, rows, &first);
	CHECK(err == -EFBIG, "beyond the end: %d", err);
	err = mem_insert(&md->m, NULL, 3, 0, rows, &first);
	CHECK(!err && first == U64_MAX - 3, "%d, from %llu", err, first);
	err = mem_insert(&md->m, NULL, 1, 0, rows, &first);
	CHECK(err == -EFBIG, "at the end: %d", err);
	md->s = vexfs_coll_searcher_alloc(md->m.coll);
	model_close();
	vt_done("ids are assigned around those there are", NULL);
}

static void test_arguments(void)
{
	static float rows[3][DIMS];
	struct vexfs_coll_hit hit;
	struct vexfs_coll_result res;
	u64 id = 1;
	u32 n;

	model_open(9, VEXFS_INDEX_HNSW, VEXFS_METRIC_COSINE);
	CHECK(mem_insert(&md->m, &id, 0, 0, rows, NULL) == -EINVAL, "count 0");
	CHECK(mem_insert(&md->m, &id, 1 << 21, 0, rows, NULL) == -EINVAL,
	      "count 2^21");
	CHECK(mem_insert(&md->m, &id, 1, 4, rows, NULL) == -EINVAL, "flags");
	rows[2][5] = NAN;
	CHECK(mem_insert(&md->m, NULL, 3, 0, rows, NULL) == -EINVAL, "NaN");
	CHECK(vexfs_coll_delete(md->m.coll, &id, 0, 0, &n) == -EINVAL, "0");
	CHECK(vexfs_coll_delete(md->m.coll, &id, 1, 8, &n) == -EINVAL, "flag");
	CHECK(vexfs_coll_search(md->s, rows[2], 1, 0, 0, &hit, &res) ==
	      -EINVAL, "NaN");
	rows[2][5] = INFINITY;
	CHECK(vexfs_coll_search(md->s, rows[2], 1, 0, 0, &hit, &res) ==
	      -EINVAL, "infinity");
	CHECK(vexfs_coll_search(md->s, rows[1], 0, 0, 0, &hit, &res) ==
	      -EINVAL, "k 0");
	CHECK(vexfs_coll_search(md->s, rows[1], 1, 0, 2, &hit, &res) ==
	      -EINVAL, "flags");
	CHECK(!vexfs_coll_search(md->s, rows[1], 1, 0, 0, &hit, &res) &&
	      !res.count, "empty");
	/* Killed */
	CHECK(!mem_insert(&md->m, NULL, 2, 0, rows, NULL), "insert");
	md->m.killed = true;
	CHECK(vexfs_coll_search(md->s, rows[1], 1, 0, 0, &hit, &res) ==
	      -EINTR, "killed");
	CHECK(vexfs_coll_index(md->m.coll, 10) == -EINTR, "killed");
	md->m.killed = false;
	CHECK(!mem_settle(&md->m), "settle");
	model_close();
	vt_done("bad arguments and kills", NULL);
}

static void config_is(struct vexfs_coll_config cfg, int want, const char *what)
{
	int err = vexfs_coll_config_check(&cfg);

	CHECK(err == want, "%s: %d", what, err);
}

static void test_config(void)
{
	struct vexfs_coll_config good = {
		.dims = 100, .elem = VEXFS_ELEM_F32, .index = VEXFS_INDEX_HNSW,
		.metric = VEXFS_METRIC_COSINE,
	}, cfg = good;
	struct vexfs_coll_header ch = { 0 };

	CHECK(!vexfs_coll_config_check(&cfg), "good one");
	CHECK(cfg.m == 16 && cfg.ef_construction == 200 && cfg.ef && cfg.seed &&
	      cfg.row_bytes == 400 && cfg.stride == 416, "defaults");
	vexfs_coll_config_to_header(&cfg, &ch);
	CHECK(!vexfs_coll_config_from_header(&ch, &good), "header");
	CHECK(!memcmp(&good, &cfg, sizeof(cfg)), "header changes it");
	ch.ch_stride = cpu_to_le32(400);
	CHECK(vexfs_coll_config_from_header(&ch, &good) == -EFSCORRUPTED,
	      "stride");
	cfg.dims = 0;
	config_is(cfg, -EINVAL, "dims 0");
	cfg.dims = 16385;
	config_is(cfg, -EINVAL, "dims 16385");
	cfg.dims = 16384;
	config_is(cfg, 0, "dims 16384");
	cfg.m = 3;
	config_is(cfg, -EINVAL, "m 3");
	cfg.m = 257;
	config_is(cfg, -EINVAL, "m 257");
	cfg.m = 0;
	cfg.lsh_recall = 9000;
	config_is(cfg, -EINVAL, "recall of a graph");
	cfg.index = VEXFS_INDEX_LSH;
	cfg.ef_construction = 0;
	config_is(cfg, 0, "LSH");
	cfg.lsh_recall = 10000;
	config_is(cfg, -EINVAL, "recall 1");
	cfg.lsh_recall = 0;
	cfg.lsh_tables = 33;
	config_is(cfg, -EINVAL, "33 tables");
	cfg.lsh_tables = 32;
	cfg.lsh_bits = 25;
	config_is(cfg, -EINVAL, "25 bits");
	cfg.lsh_bits = 24;
	config_is(cfg, 0, "32 tables, 24 bits");
	cfg.m = 16;
	config_is(cfg, -EINVAL, "M of hashes");
	cfg.m = 0;
	cfg.lsh_tables = 0;
	cfg.lsh_bits = 0;
	cfg.index = 9;
	config_is(cfg, -EINVAL, "index 9");
	cfg.index = VEXFS_INDEX_FLAT;
	cfg.metric = 9;
	config_is(cfg, -EINVAL, "metric 9");
	cfg.metric = VEXFS_METRIC_HAMMING;
	config_is(cfg, -EOPNOTSUPP, "Hamming of floats");
	vt_done("configurations", NULL);
}

/* A row of 2,048 bytes; indexed searches are given 128 KiB of them. */
static void test_most(void)
{
	enum { ROWS = 300, WIDE = 512 };
	struct vexfs_coll_config cfg = {
		.index = VEXFS_INDEX_HNSW, .elem = VEXFS_ELEM_F32,
		.metric = VEXFS_METRIC_L2, .dims = WIDE,
	};
	float (*rows)[WIDE] = calloc(ROWS, sizeof(*rows));
	struct vexfs_coll_searcher *s;
	struct mem_coll m;
	u32 i;

	for (i = 0; i < ROWS; i++)
		rows[i][i] = 1;
	if (mem_create(&m, &cfg, ROWS) ||
	    mem_insert(&m, NULL, ROWS, 0, rows, NULL))
		abort();
	s = vexfs_coll_searcher_alloc(m.coll);
	CHECK(vexfs_coll_search_most(s, 1000, 10, 16, 0) == 256,
	      "a scan, as all of them wait");
	if (mem_settle(&m))
		abort();
	CHECK(vexfs_coll_search_most(s, 1000, 10, 16, 0) == 64,
	      "by the graph");
	CHECK(vexfs_coll_search_most(s, 3, 10, 16, 0) == 3, "no more than are");
	CHECK(vexfs_coll_search_most(s, 1000, 10, 300, 0) == 256,
	      "a large ef is a scan");
	CHECK(vexfs_coll_search_most(s, 1000, 10, 16, VEXFS_COLL_EXACT) == 256,
	      "exact ones are");
	CHECK(vexfs_coll_search_most(s, 1000, VEXFS_K_MAX, 16,
				     VEXFS_COLL_EXACT) <=
	      1048576 / VEXFS_K_MAX, "many hits of each");
	vt_done("queries at a time", NULL);
	vexfs_coll_searcher_free(s);
	mem_destroy(&m);
	free(rows);
}

int main(void)
{
	md = malloc(sizeof(*md));
	if (!md || vexfs_simd_init(NULL))
		return 1;
	test_config();
	test_arguments();
	test_most();
	test_abort();
	test_assign();
	test_reuse(VEXFS_INDEX_FLAT);
	test_reuse(VEXFS_INDEX_HNSW);
	test_model(VEXFS_INDEX_FLAT, VEXFS_METRIC_L2, 1000, "flat, L2");
	test_model(VEXFS_INDEX_FLAT, VEXFS_METRIC_IP, 400,
		   "flat, inner product");
	test_model(VEXFS_INDEX_HNSW, VEXFS_METRIC_L2, 1000, "graph, L2");
	test_model(VEXFS_INDEX_LSH, VEXFS_METRIC_L2, 600, "hashes, L2");
	test_model(VEXFS_INDEX_HNSW, VEXFS_METRIC_IP, 400,
		   "graph, inner product");
	free(md);
	return vt_exit();
}

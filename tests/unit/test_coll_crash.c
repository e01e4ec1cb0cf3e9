// SPDX-License-Identifier: GPL-2.0
/*
 * Crashes: a run of inserts, deletes, commits and checkpoints is recorded
 * write by write. What a crash can leave at each point of it is then opened:
 * everything up to the last flush, and of what came after it all, nothing, or
 * any sectors. It has to hold exactly what the last commit held.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include <linux/vexfs.h>

#include "coll_mem.h"
#include "simd.h"
#include "vtest.h"

#define DIMS	11u
#define SNAPS	512u
#define SLOTS	4096u
#define TRIALS	2u
#define SECTOR	512u

static struct mem_model snaps[SNAPS];
static u32 nsnaps;
static struct mem_model now;
static u32 versions;
static struct mem_coll rec;
static struct mem_store base;
static struct mem_coll trial;
static u64 rng;
static u32 states;
static u32 graph_searches, graph_hits;

static u32 roll(u32 n)
{
	return vt_random(&rng) % n;
}

/* Ids of a batch, none of them twice. */
static u32 choose_ids(u64 *ids, u32 most, bool existing)
{
	u32 count = 1 + roll(most), n = 0, i, id;

	while (count--) {
		id = roll(MEM_IDS);
		for (i = 0; i < MEM_IDS && !now.version[id] == existing; i++)
			id = (id + 1) % MEM_IDS;
		for (i = 0; i < n && ids[i] != id; i++)
			;
		if (i == n && !now.version[id] != existing)
			ids[n++] = id;
	}
	return n;
}

static void op_insert(struct mem_coll *m, bool upsert)
{
	u64 ids[64];
	u32 n = choose_ids(ids, roll(5) ? 5 : 40, upsert && roll(2));
	int err = 0;

	if (n)
		err = mem_put(m, &now, ids, n, upsert ? VEXFS_COLL_UPSERT : 0,
			      ++versions);
	CHECK(!err, "insert: %d", err);
}

static void op_delete(struct mem_coll *m)
{
	u64 ids[64];
	u32 n = choose_ids(ids, roll(5) ? 5 : 40, true);
	int err = n ? mem_del(m, &now, ids, n) : 0;

	CHECK(!err, "delete: %d", err);
}

/* The header written from here on stands for the contents of now. */
static void snapshot(struct mem_coll *m)
{
	if (!m->record)
		return;
	if (nsnaps == SNAPS)
		abort();
	snaps[nsnaps] = now;
	m->mark = nsnaps++;
}

static void op_any(struct mem_coll *m)
{
	switch (roll(16)) {
	case 0 ... 3:
		op_insert(m, false);
		break;
	case 4 ... 5:
		op_insert(m, true);
		break;
	case 6 ... 8:
		op_delete(m);
		break;
	case 9 ... 11:
		CHECK(vexfs_coll_index(m->coll, 1 + roll(60)) >= 0, "index");
		break;
	case 12 ... 14:
		snapshot(m);
		CHECK(!mem_commit(m, 0), "commit");
		break;
	default:
		snapshot(m);
		mem_checkpoint(m, roll(6) ? 0 : -EIO);
	}
}

static void check_contents(struct mem_coll *m, const struct mem_model *want)
{
	u32 wrong = mem_differs(m, want);

	CHECK(!wrong, "%u ids or rows are wrong", wrong);
}

/* An exact search for each vector finds it: flags, ids and rows agree. */
static void check_search(struct mem_coll *m, const struct mem_model *want)
{
	struct vexfs_coll_searcher *s = vexfs_coll_searcher_alloc(m->coll);
	struct vexfs_coll_hit hit;
	struct vexfs_coll_result res;
	float row[DIMS];
	u32 i, id;
	int err;

	for (i = 0; i < 3; i++) {
		id = roll(MEM_IDS);
		if (!want->version[id])
			continue;
		mem_row(m, id, want->version[id], row);
		err = vexfs_coll_search(s, row, 1, 8, i & 1, &hit, &res);
		CHECK(!err && res.count == 1, "search: %d", err);
		CHECK(hit.id < MEM_IDS && want->version[hit.id], "id %llu found",
		      hit.id);
		if (res.mode == VEXFS_MODE_SCAN)
			CHECK(hit.id == id && hit.key == vexfs_key_from_bits(0),
			      "id %llu instead of %u", hit.id, id);
		else
			graph_hits += hit.id == id;
		graph_searches += res.mode == VEXFS_MODE_GRAPH;
	}
	vexfs_coll_searcher_free(s);
}

/* Was this row part of a commit, and not of the last? */
static bool row_was_deleted(const void *bytes, u32 mark)
{
	float row[DIMS];
	u32 i, id, v;

	for (i = 0; i <= mark; i++) {
		for (id = 0; id < MEM_IDS; id++) {
			v = snaps[i].version[id];
			if (!v || v == snaps[mark].version[id])
				continue;
			mem_row(&trial, id, v, row);
			if (!memcmp(row, bytes, sizeof(row)))
				return true;
		}
	}
	return false;
}

/* What was deleted is zeroed in the end. */
static void check_scrubbed(struct mem_coll *m, u32 mark)
{
	static bool used[SLOTS];
	struct vexfs_coll_stat st;
	u32 slot = 0, i;
	u64 id;

	memset(used, 0, sizeof(used));
	for (; vexfs_coll_next(m->coll, &slot, &id); slot++)
		used[slot] = true;
	vexfs_coll_stat(m->coll, &st);
	for (i = 0; i < st.slots; i++) {
		const u8 *row = m->store.data[MEM_ROWS] +
				(u64)i * m->cfg.stride;

		if (used[i] || !memchr_inv(row, 0, DIMS * 4))
			continue;
		CHECK(!row_was_deleted(row, mark), "slot %u not zeroed", i);
	}
}

static int must_open(struct mem_coll *m)
{
	struct vexfs_coll_stat st;
	int err = mem_open(m);

	CHECK(!err, "open: %d", err);
	if (err)
		return err;
	vexfs_coll_stat(m->coll, &st);
	CHECK(!st.damaged, "damaged");
	return 0;
}

/* Life goes on: as if nothing had happened. */
static void check_further(u32 mark)
{
	u32 i;

	CHECK(!mem_settle(&trial), "settle");
	check_contents(&trial, &snaps[mark]);
	check_scrubbed(&trial, mark);
	now = snaps[mark];
	for (i = 0; i < 8; i++)
		op_any(&trial);
	check_contents(&trial, &now);
	CHECK(!mem_commit(&trial, 0), "commit");
	if (roll(2))
		CHECK(!mem_checkpoint(&trial, 0), "checkpoint");
	mem_close(&trial);
	if (must_open(&trial))
		return;
	check_contents(&trial, &now);
	check_search(&trial, &now);
}

static void check_state(u32 mark)
{
	int err = must_open(&trial);

	states++;
	if (err)
		return;
	check_contents(&trial, &snaps[mark]);
	check_search(&trial, &snaps[mark]);
	if (states % 4 == 0)
		check_further(mark);
	mem_close(&trial);
}

/* Of a write, sectors at random; all of them if @all. */
static void apply(struct mem_store *st, const struct mem_event *ev, bool all)
{
	u64 pos = ev->pos, end = ev->pos + ev->len, next;

	for (; pos < end; pos = next) {
		next = min(end, (pos / SECTOR + 1) * SECTOR);
		if (all || roll(2))
			mem_store_write(st, ev->area, pos,
					ev->data + (pos - ev->pos), next - pos);
	}
}

/* Events [from, to) came after the last flush. */
static void crash_at(u32 from, u32 to, u32 mark)
{
	u32 variant, i;

	for (variant = 0; variant < 2 + TRIALS; variant++) {
		if (variant == 1 && from == to)
			break;
		mem_store_copy(&trial.store, &base);
		/* All of it; nothing; then sectors of some of it */
		for (i = from; variant != 1 && i < to; i++) {
			if (!variant)
				apply(&trial.store, rec.event + i, true);
			else if (roll(3))
				apply(&trial.store, rec.event + i, !roll(3));
		}
		check_state(mark);
	}
}

static void crash_everywhere(const struct vexfs_coll_header *first)
{
	u32 i, from = 0, mark = 0;

	base.header = *first;
	for (i = 0; i <= rec.nevents && vt_errors < 5; i++) {
		const struct mem_event *ev = rec.event + i;

		crash_at(from, i, mark);
		if (i == rec.nevents || ev->type == MEM_WRITE)
			continue;
		for (; from < i; from++)
			apply(&base, rec.event + from, true);
		if (ev->type == MEM_HEADER) {
			memcpy(&base.header, ev->data, sizeof(base.header));
			mark = ev->mark;
		}
		from = i + 1;
	}
}

static void test_crashes(u8 index, u64 seed, u32 ops)
{
	struct vexfs_coll_config cfg = {
		.dims = DIMS, .elem = VEXFS_ELEM_F32, .index = index,
		.metric = VEXFS_METRIC_L2, .m = 4, .ef_construction = 16,
		.seed = seed,
	};
	u64 cap[MEM_AREAS] = { 0, 64 << 20, 64 << 20 };
	struct vexfs_coll_header first;
	char detail[80];
	char name[32];
	u32 i;

	rng = seed;
	states = 0;
	graph_searches = 0;
	graph_hits = 0;
	memset(&now, 0, sizeof(now));
	memset(&snaps[0], 0, sizeof(snaps[0]));
	nsnaps = 1;
	if (mem_create(&rec, &cfg, SLOTS) || mem_create(&trial, &cfg, SLOTS))
		abort();
	mem_close(&trial);
	cap[MEM_ROWS] = rec.store.cap[MEM_ROWS];
	mem_store_init(&base, cap);
	first = rec.store.header;
	rec.record = true;
	for (i = 0; i < ops; i++)
		op_any(&rec);
	crash_everywhere(&first);
	mem_store_free(&base);
	mem_destroy(&trial);
	mem_destroy(&rec);
	snprintf(detail, sizeof(detail), "# %u states, %u of %u found by graph",
		 states, graph_hits, graph_searches);
	CHECK(states > 1000, "%u states", states);
	/* Such a small graph is a poor one, but it has to work */
	CHECK(graph_hits * 10 >= graph_searches * 8, "%u of %u found by graph",
	      graph_hits, graph_searches);
	snprintf(name, sizeof(name), "crashes, %s", mem_index_name(index));
	vt_done(name, detail);
}

int main(int argc, char **argv)
{
	u64 seed = argc > 1 ? strtoull(argv[1], NULL, 0) : 1;
	u32 rounds = argc > 2 ? strtoul(argv[2], NULL, 0) : 1;

	if (vexfs_simd_init(NULL))
		return 1;
	for (; rounds--; seed++) {
		test_crashes(VEXFS_INDEX_FLAT, seed, 160);
		test_crashes(VEXFS_INDEX_HNSW, seed + 1000, 160);
		test_crashes(VEXFS_INDEX_LSH, seed + 2000, 120);
	}
	return vt_exit();
}

// SPDX-License-Identifier: GPL-2.0
/*
 * Durable appends, natively: rows are written and synced to files by 10,000,
 * and the collection's log and header with them, as fsync() does in the
 * kernel. Nothing is indexed meanwhile but where the index says that each
 * insert does it itself (LSH); how fast that goes is a figure of its own.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include "../tests/unit/vtest.h"
#include "bench.h"
#include "store.h"

#define DIMS		128u
#define EACH		10000u

static const struct {
	const char *name;
	u8	index;
} kinds[] = {
	{ "append128-flat", VEXFS_INDEX_FLAT },
	{ "append128-hnsw", VEXFS_INDEX_HNSW },
	{ "append128-lsh", VEXFS_INDEX_LSH },
};

static bool possible(struct vexfs_coll_config cfg)
{
	return !vexfs_coll_config_check(&cfg);
}

static void fill(float *rows, size_t n)
{
	u64 s = 1;
	size_t i;

	for (i = 0; i < n; i++) {
		s = s * 6364136223846793005ull + 1442695040888963407ull;
		rows[i] = (float)(s >> 40) / (float)(1 << 24) - 0.5f;
	}
}

static void append(const char *name, const struct vexfs_coll_config *cfg,
		   const float *rows)
{
	size_t i, n = bench_opt.append_rows;
	double wall = bench_now(), cpu = bench_cpu();
	struct store *st = store_create(cfg, n + EACH, bench_opt.append_dir);
	struct bench_record rec = {
		.engine = "vexfs-native", .data = name, .what = "append",
		.threads = 1, .batch = EACH,
	};

	for (i = 0; i < n && !bench_stop; i += EACH)
		if (store_insert(st, rows, EACH) || store_commit(st)) {
			fprintf(stderr, "bench: append failed\n");
			exit(1);
		}
	wall = bench_now() - wall;
	cpu = bench_cpu() - cpu;
	if (!bench_stop) {
		rec.vectors_per_s = (double)i / wall;
		rec.gb_per_s = rec.vectors_per_s * DIMS * sizeof(float) / 1e9;
		rec.bytes_per_vector = (double)(st->len[STORE_ROWS] +
						st->len[STORE_LOG]) / (double)i;
		bench_say("%s: %.0f vectors/s durable by the clock, %.0f a CPU-second",
			  name, rec.vectors_per_s, (double)i / cpu);
		bench_record(&rec);
	}
	store_free(st);
}

void bench_append(void)
{
	float *rows = bench_alloc((size_t)EACH * DIMS * sizeof(*rows));
	size_t i;

	fill(rows, (size_t)EACH * DIMS);
	for (i = 0; i < ARRAY_SIZE(kinds) && !bench_stop; i++) {
		struct vexfs_coll_config cfg = {
			.dims = DIMS, .elem = VEXFS_ELEM_F32,
			.metric = VEXFS_METRIC_L2, .index = kinds[i].index,
		};

		if (possible(cfg))
			append(kinds[i].name, &cfg, rows);
		else
			bench_say("%s: there is no such index yet",
				  kinds[i].name);
	}
	free(rows);
}

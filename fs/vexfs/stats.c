// SPDX-License-Identifier: GPL-2.0
/*
 * Per-CPU counters and latency histograms.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include <linux/kernel.h>
#include <linux/ktime.h>
#include <linux/log2.h>
#include <linux/math64.h>
#include <linux/timekeeping.h>

#include "stats.h"

struct vexfs_counters __percpu *vexfs_counters;
static struct vexfs_hist __percpu *vexfs_hists[VEXFS_LAT_COUNT];

static const char *const vexfs_stat_names[VEXFS_STAT_COUNT] = {
	[VEXFS_STAT_MOUNTS]		= "mounts",
	[VEXFS_STAT_LOADS]		= "collection_loads",
	[VEXFS_STAT_UNLOADS]		= "collection_unloads",
	[VEXFS_STAT_CREATES]		= "collection_creates",
	[VEXFS_STAT_INSERT_CALLS]	= "insert_calls",
	[VEXFS_STAT_INSERT_VECTORS]	= "insert_vectors",
	[VEXFS_STAT_INSERT_BYTES]	= "insert_bytes",
	[VEXFS_STAT_DELETE_CALLS]	= "delete_calls",
	[VEXFS_STAT_DELETE_VECTORS]	= "delete_vectors",
	[VEXFS_STAT_GET_CALLS]		= "get_calls",
	[VEXFS_STAT_GET_VECTORS]	= "get_vectors",
	[VEXFS_STAT_ITERATE_CALLS]	= "iterate_calls",
	[VEXFS_STAT_ITERATE_VECTORS]	= "iterate_vectors",
	[VEXFS_STAT_SEARCH_CALLS]	= "search_calls",
	[VEXFS_STAT_SEARCH_QUERIES]	= "search_queries",
	[VEXFS_STAT_SEARCH_GRAPH]	= "search_graph",
	[VEXFS_STAT_SEARCH_LSH]		= "search_lsh",
	[VEXFS_STAT_SEARCH_SCAN]	= "search_scan",
	[VEXFS_STAT_SEARCH_HITS]	= "search_hits",
	[VEXFS_STAT_SEARCH_COMPARED]	= "search_compared",
	[VEXFS_STAT_SEARCH_BYTES]	= "search_result_bytes",
	[VEXFS_STAT_INDEX_ROUNDS]	= "index_rounds",
	[VEXFS_STAT_INDEX_HELPED]	= "index_helped",
	[VEXFS_STAT_INDEX_TENDED]	= "index_tended",
	[VEXFS_STAT_COMMITS]		= "commits",
	[VEXFS_STAT_COMMIT_ERRORS]	= "commit_errors",
	[VEXFS_STAT_CHECKPOINTS]	= "checkpoints",
	[VEXFS_STAT_CHECKPOINT_BYTES]	= "checkpoint_bytes",
	[VEXFS_STAT_LOG_BYTES]		= "log_bytes",
	[VEXFS_STAT_ROW_BYTES]		= "row_bytes",
	[VEXFS_STAT_RECLAIMS]		= "reclaims",
};

const char *vexfs_stat_name(enum vexfs_stat s)
{
	return vexfs_stat_names[s];
}

u64 vexfs_stat_sum(enum vexfs_stat s)
{
	u64 sum = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		sum += READ_ONCE(per_cpu_ptr(vexfs_counters, cpu)->v[s]);
	return sum;
}

static unsigned int vexfs_hist_bucket(u64 v)
{
	unsigned int power, bucket;

	if (v < VEXFS_HIST_SUB)
		return v;
	power = ilog2(v) - VEXFS_HIST_BITS;
	bucket = (power << VEXFS_HIST_BITS) + (v >> power);
	return min_t(unsigned int, bucket, VEXFS_HIST_BUCKETS - 1);
}

/* Largest value that falls into @bucket. */
static u64 vexfs_hist_value(unsigned int bucket)
{
	unsigned int power;

	if (bucket < 2 * VEXFS_HIST_SUB)
		return bucket;
	power = (bucket >> VEXFS_HIST_BITS) - 1;
	return ((u64)(bucket & (VEXFS_HIST_SUB - 1)) + VEXFS_HIST_SUB + 1) *
	       (1ull << power) - 1;
}

void vexfs_lat_note_all(enum vexfs_lat which, u64 ns, u32 n)
{
	struct vexfs_hist *h;

	h = get_cpu_ptr(vexfs_hists[which]);
	h->count += n;
	h->sum += ns * n;
	if (ns > h->max)
		h->max = ns;
	h->bucket[vexfs_hist_bucket(ns)] += n;
	put_cpu_ptr(vexfs_hists[which]);
}

void vexfs_lat_note(enum vexfs_lat which, u64 start)
{
	vexfs_lat_note_all(which, ktime_get_ns() - start, 1);
}

void vexfs_lat_sum(enum vexfs_lat which, struct vexfs_hist *sum)
{
	unsigned int i;
	int cpu;

	memset(sum, 0, sizeof(*sum));
	for_each_possible_cpu(cpu) {
		const struct vexfs_hist *h = per_cpu_ptr(vexfs_hists[which],
							 cpu);

		sum->sum += READ_ONCE(h->sum);
		sum->max = max(sum->max, READ_ONCE(h->max));
		/* Counted from the buckets, so that percentiles add up. */
		for (i = 0; i < VEXFS_HIST_BUCKETS; i++) {
			sum->bucket[i] += READ_ONCE(h->bucket[i]);
			sum->count += READ_ONCE(h->bucket[i]);
		}
	}
}

u64 vexfs_hist_percentile(const struct vexfs_hist *h, u32 num, u32 den)
{
	u64 rank = mul_u64_u32_div(h->count, num, den), seen = 0;
	unsigned int i;

	if (!h->count)
		return 0;
	for (i = 0; i < VEXFS_HIST_BUCKETS - 1; i++) {
		seen += h->bucket[i];
		if (seen > rank)
			return min(vexfs_hist_value(i), h->max);
	}
	return h->max;
}

int vexfs_stats_init(void)
{
	int i;

	vexfs_counters = alloc_percpu(struct vexfs_counters);
	if (!vexfs_counters)
		return -ENOMEM;
	for (i = 0; i < VEXFS_LAT_COUNT; i++) {
		vexfs_hists[i] = alloc_percpu(struct vexfs_hist);
		if (!vexfs_hists[i]) {
			vexfs_stats_exit();
			return -ENOMEM;
		}
	}
	return 0;
}

void vexfs_stats_exit(void)
{
	int i;

	for (i = 0; i < VEXFS_LAT_COUNT; i++)
		free_percpu(vexfs_hists[i]);
	free_percpu(vexfs_counters);
}

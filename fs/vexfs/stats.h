/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Counters and latencies, counted per CPU; shown by proc.c.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#ifndef _VEXFS_STATS_H
#define _VEXFS_STATS_H

#include <linux/bits.h>
#include <linux/percpu.h>
#include <linux/types.h>

/* Order is that of the lines in /proc/vexfs/stats; names are in stats.c. */
enum vexfs_stat {
	VEXFS_STAT_MOUNTS,
	VEXFS_STAT_LOADS,
	VEXFS_STAT_UNLOADS,
	VEXFS_STAT_CREATES,
	VEXFS_STAT_INSERT_CALLS,
	VEXFS_STAT_INSERT_VECTORS,
	VEXFS_STAT_INSERT_BYTES,
	VEXFS_STAT_DELETE_CALLS,
	VEXFS_STAT_DELETE_VECTORS,
	VEXFS_STAT_GET_CALLS,
	VEXFS_STAT_GET_VECTORS,
	VEXFS_STAT_ITERATE_CALLS,
	VEXFS_STAT_ITERATE_VECTORS,
	VEXFS_STAT_SEARCH_CALLS,
	VEXFS_STAT_SEARCH_QUERIES,
	VEXFS_STAT_SEARCH_GRAPH,
	VEXFS_STAT_SEARCH_LSH,
	VEXFS_STAT_SEARCH_SCAN,
	VEXFS_STAT_SEARCH_HITS,
	VEXFS_STAT_SEARCH_COMPARED,
	VEXFS_STAT_SEARCH_BYTES,
	VEXFS_STAT_INDEX_ROUNDS,
	VEXFS_STAT_INDEX_HELPED,
	VEXFS_STAT_INDEX_TENDED,
	VEXFS_STAT_COMMITS,
	VEXFS_STAT_COMMIT_ERRORS,
	VEXFS_STAT_CHECKPOINTS,
	VEXFS_STAT_CHECKPOINT_BYTES,
	VEXFS_STAT_LOG_BYTES,
	VEXFS_STAT_ROW_BYTES,
	VEXFS_STAT_RECLAIMS,
	VEXFS_STAT_COUNT
};

enum vexfs_lat {
	VEXFS_LAT_SEARCH,		/* one query */
	VEXFS_LAT_INSERT,		/* one call */
	VEXFS_LAT_DELETE,		/* one call */
	VEXFS_LAT_FPU,			/* one section, see vecenv.c */
	VEXFS_LAT_COUNT
};

/*
 * Histograms are log-linear: 8 buckets to each power of two, so a percentile
 * is right to 12.5 %. The first 8 are exact; the last takes what is longer.
 */
#define VEXFS_HIST_BITS		3
#define VEXFS_HIST_SUB		BIT(VEXFS_HIST_BITS)
#define VEXFS_HIST_POWERS	40
#define VEXFS_HIST_BUCKETS	(VEXFS_HIST_SUB * (VEXFS_HIST_POWERS - 1))

struct vexfs_hist {
	u64	count;
	u64	sum;
	u64	max;
	u64	bucket[VEXFS_HIST_BUCKETS];
};

struct vexfs_counters {
	u64	v[VEXFS_STAT_COUNT];
};

extern struct vexfs_counters __percpu *vexfs_counters;

static inline void vexfs_stat_add(enum vexfs_stat s, u64 n)
{
	this_cpu_add(vexfs_counters->v[s], n);
}

int vexfs_stats_init(void);
void vexfs_stats_exit(void);
u64 vexfs_stat_sum(enum vexfs_stat s);
const char *vexfs_stat_name(enum vexfs_stat s);
/* Notes that something took from @start (ktime_get_ns()) until now. */
void vexfs_lat_note(enum vexfs_lat which, u64 start);
/* Notes that @n things took @ns each. */
void vexfs_lat_note_all(enum vexfs_lat which, u64 ns, u32 n);
void vexfs_lat_sum(enum vexfs_lat which, struct vexfs_hist *sum);
/* Value that @num of @den of the samples don't exceed. */
u64 vexfs_hist_percentile(const struct vexfs_hist *h, u32 num, u32 den);

#endif /* _VEXFS_STATS_H */

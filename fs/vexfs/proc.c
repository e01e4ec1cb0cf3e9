// SPDX-License-Identifier: GPL-2.0
/*
 * /proc/vexfs: stats, simd_stats and performance, as "name: value" lines.
 * Documentation/filesystems/vexfs-proc.rst explains each.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include <linux/ktime.h>
#include <linux/math64.h>
#include <linux/mutex.h>
#include <linux/proc_fs.h>
#include <linux/seq_file.h>
#include <linux/slab.h>

#include "collection.h"
#include "simd/simd.h"
#include "stats.h"

static struct proc_dir_entry *vexfs_proc_dir;

static int vexfs_proc_stats(struct seq_file *m, void *v)
{
	struct vexfs_coll_totals t;
	int i;

	vexfs_coll_sum(&t);
	seq_printf(m, "collections_loaded: %llu\n", t.loaded);
	seq_printf(m, "vectors: %llu\n", t.live);
	seq_printf(m, "indexed: %llu\n", t.indexed);
	seq_printf(m, "pending: %llu\n", t.pending);
	seq_printf(m, "index_bytes: %llu\n", t.memory);
	for (i = 0; i < VEXFS_STAT_COUNT; i++)
		seq_printf(m, "%s: %llu\n", vexfs_stat_name(i),
			   vexfs_stat_sum(i));
	return 0;
}

/* ----------------------------------------------------------------- SIMD */

static void vexfs_proc_simd_names(struct seq_file *m, u32 mask)
{
	u32 level;

	seq_puts(m, "capability_names:");
	for (level = VEXFS_SIMD_SSE2; level <= VEXFS_SIMD_AVX512; level <<= 1)
		if (mask & level)
			seq_printf(m, " %s", vexfs_simd_name(level));
	seq_putc(m, '\n');
}

static int vexfs_proc_simd(struct seq_file *m, void *v)
{
	struct vexfs_simd_counts n;
	const char *name;
	u32 level;

	seq_printf(m, "capabilities: 0x%x\n", vexfs_simd_caps());
	vexfs_proc_simd_names(m, vexfs_simd_caps());
	seq_printf(m, "level: %u\n", vexfs_simd_level());
	seq_printf(m, "level_name: %s\n", vexfs_simd_name(vexfs_simd_level()));
	seq_printf(m, "vector_width: %u\n", vexfs_simd_width());
	seq_printf(m, "batch_size: %u\n", vexfs_simd_width() / 32);
	for (level = VEXFS_SIMD_SSE2; level <= VEXFS_SIMD_AVX512; level <<= 1) {
		vexfs_simd_count(level, &n);
		name = vexfs_simd_name(level);
		seq_printf(m, "%s_sections: %llu\n", name, n.sections);
		seq_printf(m, "%s_rows: %llu\n", name, n.rows);
		seq_printf(m, "%s_codes: %llu\n", name, n.codes);
		seq_printf(m, "%s_encoded: %llu\n", name, n.encoded);
	}
	return 0;
}

/* ---------------------------------------------------------- performance */

/* Rates are of these counters. */
static const struct {
	const char	*name;
	enum vexfs_stat	stat;
} vexfs_rates[] = {
	{ "search", VEXFS_STAT_SEARCH_QUERIES },
	{ "insert", VEXFS_STAT_INSERT_VECTORS },
	{ "delete", VEXFS_STAT_DELETE_VECTORS },
};

static const char *const vexfs_lat_names[VEXFS_LAT_COUNT] = {
	[VEXFS_LAT_SEARCH]	= "search",
	[VEXFS_LAT_INSERT]	= "insert",
	[VEXFS_LAT_DELETE]	= "delete",
	[VEXFS_LAT_FPU]		= "fpu_section",
};

/*
 * An interval runs from the read before to this one, but for at least a
 * second: reads that follow closer see the same rates.
 */
static DEFINE_MUTEX(vexfs_rate_lock);
static u64 vexfs_rate_load;		/* when the module was loaded, ns */
static u64 vexfs_rate_since;		/* when the interval began */
static u64 vexfs_rate_span;		/* ns of the last whole interval */
static u64 vexfs_rate_old[ARRAY_SIZE(vexfs_rates)];
static u64 vexfs_rate_delta[ARRAY_SIZE(vexfs_rates)];

static void vexfs_rate_update(u64 now)
{
	u64 sum;
	int i;

	lockdep_assert_held(&vexfs_rate_lock);
	if (now - vexfs_rate_since < NSEC_PER_SEC)
		return;
	for (i = 0; i < ARRAY_SIZE(vexfs_rates); i++) {
		sum = vexfs_stat_sum(vexfs_rates[i].stat);
		vexfs_rate_delta[i] = sum - vexfs_rate_old[i];
		vexfs_rate_old[i] = sum;
	}
	vexfs_rate_span = now - vexfs_rate_since;
	vexfs_rate_since = now;
}

/* @n in @ns, per second. */
static u64 vexfs_rate(u64 n, u64 ns)
{
	u64 ms = div_u64(ns, NSEC_PER_MSEC);

	return ms ? div64_u64(n * MSEC_PER_SEC, ms) : 0;
}

static void vexfs_proc_rates(struct seq_file *m)
{
	u64 now = ktime_get_ns();
	int i;

	mutex_lock(&vexfs_rate_lock);
	vexfs_rate_update(now);
	seq_printf(m, "interval_ms: %llu\n",
		   div_u64(vexfs_rate_span, NSEC_PER_MSEC));
	for (i = 0; i < ARRAY_SIZE(vexfs_rates); i++)
		seq_printf(m, "%s_per_second: %llu\n", vexfs_rates[i].name,
			   vexfs_rate(vexfs_rate_delta[i], vexfs_rate_span));
	seq_printf(m, "loaded_ms: %llu\n",
		   div_u64(now - vexfs_rate_load, NSEC_PER_MSEC));
	for (i = 0; i < ARRAY_SIZE(vexfs_rates); i++)
		seq_printf(m, "%s_per_second_since_load: %llu\n",
			   vexfs_rates[i].name,
			   vexfs_rate(vexfs_stat_sum(vexfs_rates[i].stat),
				      now - vexfs_rate_load));
	mutex_unlock(&vexfs_rate_lock);
}

static void vexfs_proc_latency(struct seq_file *m, const char *name,
			       const struct vexfs_hist *h)
{
	seq_printf(m, "%s_latency_count: %llu\n", name, h->count);
	seq_printf(m, "%s_latency_mean_ns: %llu\n", name,
		   h->count ? div64_u64(h->sum, h->count) : 0);
	seq_printf(m, "%s_latency_p50_ns: %llu\n", name,
		   vexfs_hist_percentile(h, 500, 1000));
	seq_printf(m, "%s_latency_p90_ns: %llu\n", name,
		   vexfs_hist_percentile(h, 900, 1000));
	seq_printf(m, "%s_latency_p99_ns: %llu\n", name,
		   vexfs_hist_percentile(h, 990, 1000));
	seq_printf(m, "%s_latency_p999_ns: %llu\n", name,
		   vexfs_hist_percentile(h, 999, 1000));
	seq_printf(m, "%s_latency_max_ns: %llu\n", name, h->max);
}

static int vexfs_proc_performance(struct seq_file *m, void *v)
{
	struct vexfs_hist *h = kmalloc(sizeof(*h), GFP_KERNEL);
	int i;

	if (!h)
		return -ENOMEM;
	vexfs_proc_rates(m);
	for (i = 0; i < VEXFS_LAT_COUNT; i++) {
		vexfs_lat_sum(i, h);
		vexfs_proc_latency(m, vexfs_lat_names[i], h);
	}
	kfree(h);
	return 0;
}

void vexfs_proc_mounted(void)
{
	vexfs_stat_add(VEXFS_STAT_MOUNTS, 1);
}

int __init vexfs_proc_init(void)
{
	int err = vexfs_stats_init();

	if (err)
		return err;
	vexfs_rate_load = ktime_get_ns();
	vexfs_rate_since = vexfs_rate_load;
	err = -ENOMEM;
	vexfs_proc_dir = proc_mkdir("vexfs", NULL);
	if (!vexfs_proc_dir)
		goto free_stats;
	if (!proc_create_single("stats", 0444, vexfs_proc_dir,
				vexfs_proc_stats) ||
	    !proc_create_single("simd_stats", 0444, vexfs_proc_dir,
				vexfs_proc_simd) ||
	    !proc_create_single("performance", 0444, vexfs_proc_dir,
				vexfs_proc_performance))
		goto remove;
	return 0;
remove:
	proc_remove(vexfs_proc_dir);
free_stats:
	vexfs_stats_exit();
	return err;
}

void vexfs_proc_exit(void)
{
	proc_remove(vexfs_proc_dir);
	vexfs_stats_exit();
}

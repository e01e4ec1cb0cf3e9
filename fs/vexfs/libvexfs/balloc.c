// SPDX-License-Identifier: GPL-2.0
/*
 * The cluster allocator. A group's bitmap and descriptor are guarded by the
 * group's lock; never two of those at a time. A bitmap that was never written
 * (VEXFS_BG_CLUSTER_UNINIT) is made when the first cluster is taken.
 *
 * The data space behind journal and vector area serves everybody. The vector
 * area serves VEXFS_ALLOC_VECTOR only, and those first: whatever else there
 * is must not use it up, so that collections get their long runs.
 *
 * What a transaction freed stays unused until it has committed, or a crash
 * could leave somebody else's bytes in a file that was never freed.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include "libvexfs.h"

/* Long runs start at a multiple of this, where that is possible. */
#define VEXFS_RUN_ALIGN		256u
/* Of a run near the goal, this much is enough. */
#define VEXFS_RUN_NEAR		16u
/* Bitmaps to look at for a long run before less will do. */
#define VEXFS_RUN_TRIES		8

/* One search: what for, in which part of the data space, what was found. */
struct vexfs_search {
	struct vexfs_trans *t;
	struct vexfs_fs *fs;
	u64	from, to;
	u64	goal;
	u32	want;
	u64	first;
	u32	len;
	bool	blocked;		/* met what awaits a commit */
};

/* A group, its bits that may be used, and a run in it. */
struct vexfs_spot {
	u32	group;
	u32	lo, hi;
	u64	base;			/* cluster of bit 0 */
	u32	bit;
	u32	len;
	u32	longest;		/* of all runs that were seen */
};

u32 vexfs_bitmap_zeroes(const void *bitmap, u32 bits)
{
	const u64 *p = bitmap;
	u32 i, used = 0;

	for (i = 0; i < bits / 64; i++)
		used += hweight64(p[i]);
	return bits - used;
}

static u32 vexfs_bitmap_csum(struct vexfs_fs *fs, struct vexfs_buf *buf)
{
	return vexfs_crc32c(fs->csum_seed, vexfs_buf_data(buf),
			    VEXFS_BLOCK_SIZE);
}

/* With the right checksum, is it a bitmap that could have been written? */
static const char *vexfs_verify_cluster_bitmap(struct vexfs_fs *fs, u32 group,
					       struct vexfs_group_desc *gd,
					       const void *bitmap)
{
	const struct vexfs_geom *g = &fs->geom;
	u32 overhead = vexfs_group_overhead(g, group);
	u32 end = vexfs_group_clusters(g, group);
	u32 lo, hi;

	if (find_next_zero_bit_le(bitmap, overhead, 0) < overhead)
		return "metadata is free in block bitmap";
	vexfs_group_window(g, group, g->journal_start,
			   g->journal_start + g->journal_clusters, &lo, &hi);
	if (find_next_zero_bit_le(bitmap, hi, lo) < hi)
		return "journal is free in block bitmap";
	if (find_next_zero_bit_le(bitmap, 8 * VEXFS_BLOCK_SIZE, end) <
	    8 * VEXFS_BLOCK_SIZE)
		return "block bitmap has no end";
	if (vexfs_bitmap_zeroes(bitmap, 8 * VEXFS_BLOCK_SIZE) !=
	    le32_to_cpu(gd->bg_free_clusters))
		return "block bitmap and number of free blocks disagree";
	return NULL;
}

static bool vexfs_bitmap_is_uninit(struct vexfs_group_desc *gd)
{
	return gd->bg_flags & cpu_to_le16(VEXFS_BG_CLUSTER_UNINIT);
}

static const char vexfs_bad_bitmap_csum[] = "block bitmap checksum is wrong";

static const char *vexfs_bitmap_check(struct vexfs_fs *fs, u32 group,
				      struct vexfs_buf *buf)
{
	struct vexfs_group_desc *gd = vexfs_group_desc(fs, group, NULL);
	const char *why;

	if (vexfs_buf_verified(buf))
		return NULL;
	if (le32_to_cpu(gd->bg_cluster_bitmap_csum) !=
	    vexfs_bitmap_csum(fs, buf))
		return vexfs_bad_bitmap_csum;
	why = vexfs_verify_cluster_bitmap(fs, group, gd, vexfs_buf_data(buf));
	if (!why)
		vexfs_buf_set_verified(buf);
	return why;
}

/* The bitmap of a group that has one. [group lock held] */
static struct vexfs_buf *vexfs_bitmap_read(struct vexfs_fs *fs, u32 group)
{
	u64 bno = vexfs_cluster_bitmap_block(&fs->geom, group);
	struct vexfs_buf *buf = vexfs_buf_read(fs, bno);
	const char *why;

	if (IS_ERR(buf))
		return buf;
	why = vexfs_bitmap_check(fs, group, buf);
	if (!why)
		return buf;
	vexfs_buf_put(buf);
	VEXFS_CORRUPTED(fs, 0, bno, why);
	return ERR_PTR(why == vexfs_bad_bitmap_csum ? -EFSBADCRC :
						      -EFSCORRUPTED);
}

/* The bitmap of a new group, now in the transaction. [group lock held] */
static struct vexfs_buf *vexfs_bitmap_create(struct vexfs_trans *t,
					     struct vexfs_fs *fs, u32 group)
{
	struct vexfs_buf *buf;
	int err;

	buf = vexfs_buf_get(fs, vexfs_cluster_bitmap_block(&fs->geom, group));
	if (IS_ERR(buf))
		return buf;
	err = vexfs_trans_create(t, buf);
	if (!err) {
		vexfs_group_init_bitmap(&fs->geom, group, vexfs_buf_data(buf));
		vexfs_buf_set_verified(buf);
		err = vexfs_trans_dirty(t, buf);
	}
	if (err) {
		vexfs_buf_put(buf);
		return ERR_PTR(err);
	}
	return buf;
}

/*
 * Sets or clears [bit, bit + len), which is known to be the other way, and
 * accounts for it. The descriptor is announced already. [group lock held]
 */
static int vexfs_bitmap_change(struct vexfs_trans *t, struct vexfs_fs *fs,
			       u32 group, struct vexfs_buf *buf, u32 bit,
			       u32 len, bool set)
{
	void *bitmap = vexfs_buf_data(buf);
	struct vexfs_group_desc *gd;
	struct vexfs_buf *gdbuf;
	u32 i, csum;
	int err;

	gd = vexfs_group_desc(fs, group, &gdbuf);
	err = vexfs_trans_undo(t, buf);
	if (err)
		return err;
	if (!set)
		vexfs_buf_committed_set(buf, bit, len);
	for (i = bit; i < bit + len; i++) {
		if (set)
			__set_bit_le(i, bitmap);
		else
			__clear_bit_le(i, bitmap);
	}
	csum = le32_to_cpu(gd->bg_cluster_bitmap_csum);
	if (vexfs_bitmap_is_uninit(gd))
		csum = vexfs_bitmap_csum(fs, buf);
	else
		csum = vexfs_crc_flip(csum, VEXFS_BLOCK_SIZE, bit, len);
	gd->bg_flags &= ~cpu_to_le16(VEXFS_BG_CLUSTER_UNINIT);
	le32_add_cpu(&gd->bg_free_clusters, set ? -len : len);
	gd->bg_cluster_bitmap_csum = cpu_to_le32(csum);
	gd->bg_checksum = cpu_to_le32(vexfs_group_desc_csum(fs, group, gd));
	err = vexfs_trans_dirty(t, buf);
	return err ? err : vexfs_trans_dirty(t, gdbuf);
}

static u32 vexfs_vector_part(struct vexfs_fs *fs, u32 group, u32 bit, u32 len)
{
	const struct vexfs_geom *g = &fs->geom;
	u32 lo, hi;

	vexfs_group_window(g, group, g->vector_start,
			   g->vector_start + g->vector_clusters, &lo, &hi);
	lo = max(lo, bit);
	hi = min(hi, bit + len);
	return lo < hi ? hi - lo : 0;
}

static void vexfs_account(struct vexfs_fs *fs, u32 group, u32 bit, u32 len,
			  bool set)
{
	s64 all = len, vector = vexfs_vector_part(fs, group, bit, len);

	percpu_counter_add(&fs->free_clusters, set ? -all : all);
	if (vector)
		percpu_counter_add(&fs->vector_free, set ? -vector : vector);
}

/* As many of the clear bits [bit, bit + len) as are free on disk, too. */
static u32 vexfs_run_usable(struct vexfs_search *s, struct vexfs_buf *buf,
			    u32 bit, u32 len)
{
	if (vexfs_buf_committed_clear(buf, bit, len))
		return len;
	s->blocked = true;
	if (!vexfs_buf_committed_clear(buf, bit, 1))
		return 0;
	do
		len /= 2;
	while (!vexfs_buf_committed_clear(buf, bit, len));
	return len;
}

/* Shortens [*bit, *bit + *len) to the wanted, aligned if there is room. */
static void vexfs_run_cut(struct vexfs_search *s, u64 base, u32 *bit, u32 *len)
{
	u64 at = base + *bit;
	u32 skip;

	if (at != s->goal && s->want >= VEXFS_RUN_ALIGN) {
		skip = round_up(at, VEXFS_RUN_ALIGN) - at;
		if (skip < *len && *len - skip >= s->want) {
			*bit += skip;
			*len -= skip;
		}
	}
	*len = min(*len, s->want);
}

/*
 * Looks for the wanted run from bit @from on; keeps the longest in @spot. A
 * run right at the goal needs not be as long.
 */
static void vexfs_run_search(struct vexfs_search *s, struct vexfs_buf *buf,
			     struct vexfs_spot *spot, u32 from)
{
	const void *bitmap = vexfs_buf_data(buf);
	u32 bit, end, len, enough = s->want;

	for (bit = from; spot->len < enough; bit = end) {
		bit = find_next_zero_bit_le(bitmap, spot->hi, bit);
		if (bit >= spot->hi)
			break;
		end = find_next_bit_le(bitmap, spot->hi, bit);
		len = end - bit;
		spot->longest = max(spot->longest, len);
		if (len <= spot->len)
			continue;
		vexfs_run_cut(s, spot->base, &bit, &len);
		len = vexfs_run_usable(s, buf, bit, len);
		if (!len)
			end = bit + 1;
		if (len <= spot->len)
			continue;
		spot->bit = bit;
		spot->len = len;
		if (spot->base + bit == s->goal)
			enough = min(enough, VEXFS_RUN_NEAR);
	}
}

/* Bit to start at: the goal, if it is in this group's part. */
static u32 vexfs_spot_start(struct vexfs_search *s, struct vexfs_spot *spot)
{
	if (s->goal < spot->base + spot->lo || s->goal >= spot->base + spot->hi)
		return spot->lo;
	return s->goal - spot->base;
}

/* A group without a bitmap: all of its part is free. */
static struct vexfs_buf *vexfs_spot_new(struct vexfs_search *s,
					struct vexfs_spot *spot, u32 least)
{
	u32 start = vexfs_spot_start(s, spot);

	if (spot->hi - start < least)
		start = spot->lo;
	if (spot->hi - start < least)
		return NULL;
	spot->bit = start;
	spot->len = spot->hi - start;
	vexfs_run_cut(s, spot->base, &spot->bit, &spot->len);
	return vexfs_bitmap_create(s->t, s->fs, spot->group);
}

/*
 * Looks in the bitmap. A search through all that the group can ever give
 * tells its longest run, so that later searches can pass it by.
 */
static struct vexfs_buf *vexfs_spot_old(struct vexfs_search *s,
					struct vexfs_spot *spot, u32 least)
{
	struct vexfs_fs *fs = s->fs;
	struct vexfs_buf *buf = vexfs_bitmap_read(fs, spot->group);
	u32 start = vexfs_spot_start(s, spot);

	if (IS_ERR(buf))
		return buf;
	vexfs_run_search(s, buf, spot, start);
	if (spot->len < least && start > spot->lo)
		vexfs_run_search(s, buf, spot, spot->lo);
	if (spot->len >= least)
		return buf;
	if (vexfs_group_init_free(&fs->geom, spot->group) ==
	    spot->hi - spot->lo)
		WRITE_ONCE(fs->group_hint[spot->group],
			   min_t(u32, spot->longest, U16_MAX));
	vexfs_buf_put(buf);
	return NULL;
}

/* Takes a run of at least @least: 1 if it did. [group lock held] */
static int vexfs_spot_take(struct vexfs_search *s, struct vexfs_spot *spot,
			   u32 least)
{
	struct vexfs_group_desc *gd;
	struct vexfs_buf *buf, *gdbuf;
	int err;

	gd = vexfs_group_desc(s->fs, spot->group, &gdbuf);
	if (le32_to_cpu(gd->bg_free_clusters) < least)
		return 0;
	err = vexfs_trans_write(s->t, gdbuf);
	if (err)
		return err;
	buf = vexfs_bitmap_is_uninit(gd) ? vexfs_spot_new(s, spot, least) :
					   vexfs_spot_old(s, spot, least);
	if (IS_ERR_OR_NULL(buf))
		return PTR_ERR(buf);
	err = vexfs_bitmap_change(s->t, s->fs, spot->group, buf, spot->bit,
				  spot->len, true);
	vexfs_buf_put(buf);
	if (err)
		return err;
	vexfs_account(s->fs, spot->group, spot->bit, spot->len, true);
	s->first = spot->base + spot->bit;
	s->len = spot->len;
	return 1;
}

static int vexfs_search_group(struct vexfs_search *s, u32 group, u32 least)
{
	struct vexfs_fs *fs = s->fs;
	struct vexfs_spot spot = {
		.group = group,
		.base = vexfs_group_first(&fs->geom, group),
	};
	int ret;

	vexfs_group_window(&fs->geom, group, s->from, s->to, &spot.lo,
			   &spot.hi);
	if (spot.hi - spot.lo < least ||
	    READ_ONCE(fs->group_hint[group]) < least)
		return 0;
	vexfs_group_lock(fs, group);
	ret = vexfs_spot_take(s, &spot, least);
	vexfs_group_unlock(fs, group);
	return ret;
}

static u32 vexfs_cluster_group(struct vexfs_fs *fs, u64 cluster)
{
	return div_u64(cluster, fs->geom.clusters_per_group);
}

/*
 * Looks at up to @tries groups whose hints promise a run of @least, starting
 * with the one that last had something. *all is set when all were looked at.
 */
static int vexfs_search_pass(struct vexfs_search *s, u32 least, u32 tries,
			     bool *all)
{
	struct vexfs_fs *fs = s->fs;
	u32 begin = vexfs_cluster_group(fs,
				vexfs_data_cluster(&fs->geom, s->from));
	u32 end = vexfs_cluster_group(fs,
				vexfs_data_cluster(&fs->geom, s->to - 1)) + 1;
	u32 group = READ_ONCE(fs->alloc_rotor);
	u32 left;
	int ret;

	*all = false;
	if (group < begin || group >= end)
		group = begin;
	for (left = end - begin; left; left--, group++) {
		if (group == end)
			group = begin;
		if (READ_ONCE(fs->group_hint[group]) < least)
			continue;
		if (!tries--)
			return 0;
		ret = vexfs_search_group(s, group, least);
		if (ret > 0)
			WRITE_ONCE(fs->alloc_rotor, group);
		if (ret)
			return ret;
	}
	*all = true;
	return 0;
}

/* Less and less will do: 1 if found, 0 if nothing is free. */
static int vexfs_search_run(struct vexfs_search *s)
{
	struct vexfs_fs *fs = s->fs;
	u32 least = s->want;
	bool all, vector = s->to <= fs->geom.vector_start +
				    fs->geom.vector_clusters;
	int ret;

	if (s->goal) {
		ret = vexfs_search_group(s, vexfs_cluster_group(fs, s->goal),
					 min(s->want, VEXFS_RUN_NEAR));
		if (ret)
			return ret;
	}
	for (; least > 1; least = least > 64 ? 64 : 1) {
		if (!vector && least >= READ_ONCE(fs->alloc_limit))
			continue;
		ret = vexfs_search_pass(s, least, VEXFS_RUN_TRIES, &all);
		if (ret)
			return ret;
		if (all && !vector && !s->blocked)
			WRITE_ONCE(fs->alloc_limit, least);
	}
	return vexfs_search_pass(s, 1, U32_MAX, &all);
}

/* Clusters that anybody (or the reserve's owner) may still have. */
static u64 vexfs_data_left(struct vexfs_fs *fs, unsigned int flags)
{
	s64 left = percpu_counter_sum(&fs->free_clusters) -
		   percpu_counter_sum(&fs->vector_free);

	if (!(flags & VEXFS_ALLOC_RESERVED))
		left -= fs->reserved_clusters;
	return max_t(s64, left, 0);
}

static bool vexfs_data_plenty(struct vexfs_fs *fs, u32 want)
{
	s64 limit = fs->geom.vector_clusters + fs->reserved_clusters + want;

	return percpu_counter_compare(&fs->free_clusters, limit) > 0;
}

static int vexfs_balloc_data(struct vexfs_search *s, unsigned int flags)
{
	const struct vexfs_geom *g = &s->fs->geom;
	u64 left;

	/* The exact sum is dear in the kernel: only when it gets close. */
	if (!vexfs_data_plenty(s->fs, s->want)) {
		left = vexfs_data_left(s->fs, flags);
		s->want = min_t(u64, s->want, left);
		if (!s->want)
			return 0;
	}
	s->from = g->journal_clusters + g->vector_clusters;
	s->to = s->from + g->data_clusters;
	return vexfs_search_run(s);
}

static int vexfs_balloc_vector(struct vexfs_search *s)
{
	const struct vexfs_geom *g = &s->fs->geom;

	if (percpu_counter_compare(&s->fs->vector_free, 0) <= 0)
		return 0;
	s->from = g->vector_start;
	s->to = s->from + g->vector_clusters;
	return vexfs_search_run(s);
}

int vexfs_balloc(struct vexfs_trans *t, struct vexfs_fs *fs, u64 goal,
		 unsigned int flags, u64 *first, u32 *len)
{
	struct vexfs_search s = {
		.t = t,
		.fs = fs,
		.goal = goal < fs->geom.clusters ? goal : 0,
		.want = clamp(*len, 1u, fs->geom.clusters_per_group),
	};
	int ret = 0;

	if (flags & VEXFS_ALLOC_VECTOR)
		ret = vexfs_balloc_vector(&s);
	if (!ret)
		ret = vexfs_balloc_data(&s, flags);
	if (ret < 0)
		return ret;
	if (!ret) {
		WRITE_ONCE(fs->alloc_blocked, s.blocked);
		return -ENOSPC;
	}
	*first = s.first;
	*len = s.len;
	return 0;
}

bool vexfs_balloc_busy(struct vexfs_fs *fs)
{
	return READ_ONCE(fs->alloc_blocked);
}

/* Length of the free run around [bit, bit + len), which was just freed. */
static u32 vexfs_run_around(const void *bitmap, u32 bit, u32 len)
{
	const u8 *p = bitmap;
	u32 end = find_next_bit_le(bitmap, 8 * VEXFS_BLOCK_SIZE, bit + len);

	while (bit && !test_bit_le(bit - 1, bitmap)) {
		bit--;
		while (!(bit & 7) && bit && !p[bit / 8 - 1])
			bit -= 8;
	}
	return end - bit;
}

/* [group lock held] */
static int vexfs_group_free(struct vexfs_trans *t, struct vexfs_fs *fs,
			    u32 group, u32 bit, u32 len)
{
	u64 bno = vexfs_cluster_bitmap_block(&fs->geom, group);
	struct vexfs_group_desc *gd;
	struct vexfs_buf *buf, *gdbuf;
	u32 run;
	int err;

	gd = vexfs_group_desc(fs, group, &gdbuf);
	if (vexfs_bitmap_is_uninit(gd))
		return VEXFS_CORRUPTED(fs, 0, bno, "blocks freed twice");
	buf = vexfs_bitmap_read(fs, group);
	if (IS_ERR(buf))
		return PTR_ERR(buf);
	if (find_next_zero_bit_le(vexfs_buf_data(buf), bit + len, bit) <
	    bit + len) {
		err = VEXFS_CORRUPTED(fs, 0, bno, "blocks freed twice");
		goto out_put;
	}
	err = vexfs_trans_write(t, gdbuf);
	if (!err)
		err = vexfs_bitmap_change(t, fs, group, buf, bit, len, false);
	if (err)
		goto out_put;
	vexfs_account(fs, group, bit, len, false);
	run = vexfs_run_around(vexfs_buf_data(buf), bit, len);
	if (run > fs->group_hint[group])
		WRITE_ONCE(fs->group_hint[group], min_t(u32, run, U16_MAX));
	WRITE_ONCE(fs->alloc_limit, U32_MAX);
out_put:
	vexfs_buf_put(buf);
	return err;
}

/* A range never leaves its group: the next one's metadata is in between. */
int vexfs_bfree(struct vexfs_trans *t, struct vexfs_fs *fs, u64 first, u64 len)
{
	const struct vexfs_geom *g = &fs->geom;
	u32 group;
	int err;

	if (!len || vexfs_range_is_fixed(g, first, len))
		return VEXFS_CORRUPTED(fs, 0, vexfs_cluster_to_block(g, first),
				       "freed blocks are not data blocks");
	group = vexfs_cluster_group(fs, first);
	vexfs_group_lock(fs, group);
	err = vexfs_group_free(t, fs, group, first - vexfs_group_first(g, group),
			       len);
	vexfs_group_unlock(fs, group);
	if (!err)
		vexfs_trans_freed(t, fs, first, len);
	return err;
}

static void vexfs_grow_publish(struct vexfs_fs *fs,
			       const struct vexfs_geom *geom)
{
	struct vexfs_geom *g = &fs->geom;

	/* Descriptors and hints come before the groups that have them. */
	smp_wmb();
	WRITE_ONCE(g->clusters, geom->clusters);
	WRITE_ONCE(g->groups, geom->groups);
	WRITE_ONCE(g->data_clusters, geom->data_clusters);
}

/* A group that nobody used yet. [group lock held] */
static int vexfs_grow_new(struct vexfs_trans *t, struct vexfs_fs *fs,
			  u32 group, const struct vexfs_geom *geom)
{
	struct vexfs_buf *gdbuf;
	struct vexfs_group_desc *gd = vexfs_group_desc(fs, group, &gdbuf);

	vexfs_grow_publish(fs, geom);
	gd->bg_free_clusters =
		cpu_to_le32(vexfs_group_init_free(geom, group));
	gd->bg_checksum = cpu_to_le32(vexfs_group_desc_csum(fs, group, gd));
	return vexfs_trans_dirty(t, gdbuf);
}

/* Its bitmap is verified by the size it had. [group lock held] */
static int vexfs_grow_old(struct vexfs_trans *t, struct vexfs_fs *fs,
			  u32 group, const struct vexfs_geom *geom, u32 from,
			  u32 to)
{
	struct vexfs_buf *buf = vexfs_bitmap_read(fs, group);
	int err;

	if (IS_ERR(buf))
		return PTR_ERR(buf);
	err = vexfs_trans_undo(t, buf);
	if (!err) {
		vexfs_grow_publish(fs, geom);
		if (from < to)
			err = vexfs_bitmap_change(t, fs, group, buf, from,
						  to - from, false);
	}
	vexfs_buf_put(buf);
	return err;
}

int vexfs_grow_group(struct vexfs_trans *t, struct vexfs_fs *fs, u32 group,
		     const struct vexfs_geom *geom)
{
	u32 from = vexfs_group_clusters(&fs->geom, group);
	u32 to = vexfs_group_clusters(geom, group);
	struct vexfs_group_desc *gd;
	struct vexfs_buf *gdbuf;
	int err;

	vexfs_group_lock(fs, group);
	gd = vexfs_group_desc(fs, group, &gdbuf);
	err = vexfs_trans_write(t, gdbuf);
	if (!err && vexfs_bitmap_is_uninit(gd))
		err = vexfs_grow_new(t, fs, group, geom);
	else if (!err)
		err = vexfs_grow_old(t, fs, group, geom, from, to);
	if (!err) {
		percpu_counter_add(&fs->free_clusters, to - from);
		WRITE_ONCE(fs->group_hint[group], U16_MAX);
		WRITE_ONCE(fs->alloc_limit, U32_MAX);
	}
	vexfs_group_unlock(fs, group);
	return err;
}

/* @buf: where @bitmap is, or NULL for a group that was never written to. */
static int vexfs_trim_bitmap(struct vexfs_fs *fs, u32 group,
			     struct vexfs_buf *buf, const void *bitmap,
			     u32 lo, u32 hi, u32 minlen,
			     int (*fn)(void *arg, u64 first, u32 len),
			     void *arg)
{
	u64 base = vexfs_group_first(&fs->geom, group);
	u32 bit, end;
	int err;

	for (bit = lo; ; bit = end) {
		bit = find_next_zero_bit_le(bitmap, hi, bit);
		if (bit >= hi)
			return 0;
		end = find_next_bit_le(bitmap, hi, bit);
		if (end - bit < minlen ||
		    (buf && !vexfs_buf_committed_clear(buf, bit, end - bit)))
			continue;
		err = fn(arg, base + bit, end - bit);
		if (err)
			return err;
	}
}

int vexfs_group_trim(struct vexfs_fs *fs, u32 group, u64 first, u64 end,
		     u32 minlen, int (*fn)(void *arg, u64 first, u32 len),
		     void *arg)
{
	u64 base = vexfs_group_first(&fs->geom, group);
	u32 lo = first > base ? first - base : 0;
	u32 hi = min_t(u64, vexfs_group_clusters(&fs->geom, group), end - base);
	struct vexfs_buf *buf = NULL;
	void *bitmap = NULL;
	int err = 0;

	vexfs_group_lock(fs, group);
	if (vexfs_bitmap_is_uninit(vexfs_group_desc(fs, group, NULL))) {
		bitmap = kmalloc(VEXFS_BLOCK_SIZE, GFP_NOFS);
		if (bitmap)
			vexfs_group_init_bitmap(&fs->geom, group, bitmap);
		else
			err = -ENOMEM;
	} else {
		buf = vexfs_bitmap_read(fs, group);
		err = IS_ERR(buf) ? PTR_ERR(buf) : 0;
	}
	if (!err)
		err = vexfs_trim_bitmap(fs, group, buf,
					bitmap ?: vexfs_buf_data(buf), lo, hi,
					minlen, fn, arg);
	if (!IS_ERR_OR_NULL(buf))
		vexfs_buf_put(buf);
	vexfs_group_unlock(fs, group);
	kfree(bitmap);
	return err;
}

static u32 vexfs_vector_count_group(struct vexfs_fs *fs, u32 group)
{
	const struct vexfs_geom *g = &fs->geom;
	struct vexfs_group_desc *gd = vexfs_group_desc(fs, group, NULL);
	struct vexfs_buf *buf;
	u32 lo, hi, bit, n = 0;

	vexfs_group_window(g, group, g->vector_start,
			   g->vector_start + g->vector_clusters, &lo, &hi);
	if (vexfs_bitmap_is_uninit(gd))
		return hi - lo;
	buf = vexfs_buf_read(fs, vexfs_cluster_bitmap_block(g, group));
	if (IS_ERR(buf))
		return 0;
	/* Whoever uses the bitmap will report what is wrong with it. */
	if (!vexfs_bitmap_check(fs, group, buf))
		for (bit = lo; bit < hi; bit++)
			n += !test_bit_le(bit, vexfs_buf_data(buf));
	vexfs_buf_put(buf);
	return n;
}

u64 vexfs_vector_count(struct vexfs_fs *fs)
{
	const struct vexfs_geom *g = &fs->geom;
	u32 group, end;
	u64 n = 0;

	if (!g->vector_clusters)
		return 0;
	group = vexfs_cluster_group(fs, vexfs_data_cluster(g, g->vector_start));
	end = vexfs_cluster_group(fs, vexfs_data_cluster(g, g->vector_start +
							    g->vector_clusters -
							    1));
	for (; group <= end; group++) {
		vexfs_group_lock(fs, group);
		n += vexfs_vector_count_group(fs, group);
		vexfs_group_unlock(fs, group);
	}
	return n;
}

// SPDX-License-Identifier: GPL-2.0
/*
 * Pass space: bitmaps and descriptors, compared with what is in use. A group
 * that nobody touched since the volume was made has none, and costs nothing.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include "fsck.h"

#define FSCK_BITS	(8 * VEXFS_BLOCK_SIZE)

struct fsck_space {
	struct fsck *f;
	u32	group;
	struct vexfs_group_desc gd;	/* as it should be */
	bool	change;
	u8	want[VEXFS_BLOCK_SIZE] __aligned(8);
	u8	have[VEXFS_BLOCK_SIZE] __aligned(8);
	u8	iwant[2][VEXFS_BLOCK_SIZE] __aligned(8);
	u8	ihave[2][VEXFS_BLOCK_SIZE] __aligned(8);
};

/* What differs between two bitmaps, for a message. */
struct fsck_diff {
	u32	n;
	char	text[96];
};

static void fsck_diff(struct fsck_diff *d, const u8 *have, const u8 *want,
		      bool set, u32 lo, u32 hi, u64 base)
{
	u32 bit, shown = 0, at = 0;

	d->n = 0;
	d->text[0] = 0;
	for (bit = lo; bit < hi; bit++) {
		if (have[bit / 8] == want[bit / 8] ||
		    test_bit_le(bit, have) != set ||
		    test_bit_le(bit, want) == set)
			continue;
		d->n++;
		if (shown++ < 4)
			at += snprintf(d->text + at, sizeof(d->text) - at,
				       "%s%llu", shown > 1 ? ", " : "",
				       base + bit);
		else if (shown == 6)
			snprintf(d->text + at, sizeof(d->text) - at, "...");
	}
}

static bool fsck_space_problem(struct fsck_space *s, enum fsck_kind kind,
			       const struct fsck_diff *d)
{
	if (!d->n || !fsck_problem(s->f, kind, 0, 0, "group %u: %u: %s",
				   s->group, d->n, d->text))
		return false;
	s->change = true;
	return true;
}

static void fsck_compare_clusters(struct fsck_space *s)
{
	const struct vexfs_geom *g = &s->f->fs.geom;
	u32 overhead = vexfs_group_overhead(g, s->group), lo, hi;
	u32 end = vexfs_group_clusters(g, s->group);
	u64 base = vexfs_group_first(g, s->group);
	struct fsck_diff d;

	vexfs_group_window(g, s->group, g->journal_start,
			   g->journal_start + g->journal_clusters, &lo, &hi);
	fsck_diff(&d, s->have, s->want, true, 0, FSCK_BITS, base);
	fsck_space_problem(s, FP_BITMAP_LOST, &d);
	fsck_diff(&d, s->have, s->want, false, max(overhead, hi), end, base);
	fsck_space_problem(s, FP_BITMAP_FREE, &d);
	fsck_diff(&d, s->have, s->want, false, 0, max(overhead, hi), base);
	if (!d.n)
		fsck_diff(&d, s->have, s->want, false, end, FSCK_BITS, base);
	fsck_space_problem(s, FP_BITMAP_FIXED, &d);
}

/* The bitmap the group has; by its layout when it was never written. */
static int fsck_space_clusters(struct fsck_space *s)
{
	struct fsck *f = s->f;
	struct vexfs_group_desc *gd = vexfs_group_desc(&f->fs, s->group, NULL);
	u64 bno = vexfs_cluster_bitmap_block(&f->fs.geom, s->group);
	bool uninit = gd->bg_flags & cpu_to_le16(VEXFS_BG_CLUSTER_UNINIT);
	const u8 *want = fsck_group_bitmap(f, s->group, s->want);
	u32 crc;
	int err;

	if (want != s->want)
		memcpy(s->want, want, sizeof(s->want));
	if (f->group[s->group].bad_desc) {
		memcpy(s->have, s->want, sizeof(s->have));
		s->change = true;
	} else if (uninit) {
		vexfs_group_init_bitmap(&f->fs.geom, s->group, s->have);
	} else {
		err = fsck_read(f, bno, s->have);
		if (err)
			return fsck_fail(f, err, "can't be read", bno);
		crc = vexfs_crc32c(f->fs.csum_seed, s->have, sizeof(s->have));
		if (crc != le32_to_cpu(gd->bg_cluster_bitmap_csum)) {
			if (fsck_problem(f, FP_BITMAP_CSUM, 0, bno, "group %u",
					 s->group))
				s->change = true;
			return 0;
		}
	}
	if (memcmp(s->have, s->want, sizeof(s->have)))
		fsck_compare_clusters(s);
	return 0;
}

static u32 fsck_ibitmap_nr(struct fsck *f)
{
	return DIV_ROUND_UP(f->fs.geom.inodes_per_group, FSCK_BITS);
}

static void fsck_ibit_set(u8 (*map)[VEXFS_BLOCK_SIZE], u32 bit)
{
	__set_bit_le(bit % FSCK_BITS, map[bit / FSCK_BITS]);
}

/* Reserved inodes and what is behind the last one count as used. */
static void fsck_iwant(struct fsck_space *s, bool layout)
{
	struct fsck *f = s->f;
	const struct fsck_group *fg = &f->group[s->group];
	u32 inodes = vexfs_group_inodes(&f->fs.geom, s->group), i;
	u32 bits = fsck_ibitmap_nr(f) * FSCK_BITS;

	memset(s->iwant, 0, sizeof(s->iwant));
	for (i = 0; !s->group && i < VEXFS_FIRST_INO - 1; i++)
		fsck_ibit_set(s->iwant, i);
	for (i = inodes; i < bits; i++)
		fsck_ibit_set(s->iwant, i);
	for (i = 0; !layout && i < fg->inos; i++)
		if (fg->ino[i].flags & FI_USED)
			fsck_ibit_set(s->iwant, i);
}

static void fsck_compare_inodes(struct fsck_space *s)
{
	const struct vexfs_geom *g = &s->f->fs.geom;
	u64 base = (u64)s->group * g->inodes_per_group + 1;
	u32 inodes = vexfs_group_inodes(g, s->group), i, lo, hi, reserved;
	struct fsck_diff d;

	for (i = 0; i < fsck_ibitmap_nr(s->f); i++) {
		lo = i * FSCK_BITS;
		hi = clamp(inodes, lo, lo + FSCK_BITS) - lo;
		reserved = !s->group && !i ? VEXFS_FIRST_INO - 1 : 0;
		fsck_diff(&d, s->ihave[i], s->iwant[i], true, 0, FSCK_BITS,
			  base + lo);
		fsck_space_problem(s, FP_IBITMAP_LOST, &d);
		fsck_diff(&d, s->ihave[i], s->iwant[i], false, reserved, hi,
			  base + lo);
		fsck_space_problem(s, FP_IBITMAP_FREE, &d);
		fsck_diff(&d, s->ihave[i], s->iwant[i], false, 0, reserved,
			  base + lo);
		if (!d.n)
			fsck_diff(&d, s->ihave[i], s->iwant[i], false, hi,
				  FSCK_BITS, base + lo);
		fsck_space_problem(s, FP_IBITMAP_FIXED, &d);
	}
}

static int fsck_space_inodes(struct fsck_space *s)
{
	struct fsck *f = s->f;
	struct vexfs_group_desc *gd = vexfs_group_desc(&f->fs, s->group, NULL);
	u32 i, crc = f->fs.csum_seed;
	u64 bno;
	int err;

	fsck_iwant(s, true);
	memcpy(s->ihave, s->iwant, sizeof(s->ihave));
	fsck_iwant(s, false);
	if (f->group[s->group].bad_desc) {
		memcpy(s->ihave, s->iwant, sizeof(s->ihave));
	} else if (!(gd->bg_flags & cpu_to_le16(VEXFS_BG_INODE_UNINIT))) {
		for (i = 0; i < fsck_ibitmap_nr(f); i++) {
			bno = vexfs_inode_bitmap_block(&f->fs.geom, s->group, i);
			err = fsck_read(f, bno, s->ihave[i]);
			if (err)
				return fsck_fail(f, err, "can't be read", bno);
			crc = vexfs_crc32c(crc, s->ihave[i], VEXFS_BLOCK_SIZE);
		}
		if (crc != le32_to_cpu(gd->bg_inode_bitmap_csum)) {
			if (fsck_problem(f, FP_IBITMAP_CSUM, 0,
					 vexfs_inode_bitmap_block(&f->fs.geom,
								  s->group, 0),
					 "group %u", s->group))
				s->change = true;
			return 0;
		}
	}
	if (memcmp(s->ihave, s->iwant, sizeof(s->ihave)))
		fsck_compare_inodes(s);
	return 0;
}

static void fsck_count(struct fsck_space *s, __le32 *field, u32 want,
		       const char *what)
{
	u32 have = le32_to_cpu(*field);

	*field = cpu_to_le32(want);
	if (have != want && !s->f->group[s->group].bad_desc &&
	    fsck_problem(s->f, FP_GROUP_COUNT, 0, 0,
			 "group %u: %s: %u, should be %u", s->group, what,
			 have, want))
		s->change = true;
}

/* The mark may be higher than need be, for it never goes down. */
static void fsck_count_unused(struct fsck_space *s, u32 last)
{
	u32 inodes = vexfs_group_inodes(&s->f->fs.geom, s->group);
	u32 unused = le32_to_cpu(s->gd.bg_itable_unused);
	u32 least = round_up(last, VEXFS_INODES_PER_BLOCK);

	if (!s->group)
		least = max(least, VEXFS_INODES_PER_BLOCK);
	if (s->f->group[s->group].bad_desc)
		unused = inodes - least;
	fsck_count(s, &s->gd.bg_itable_unused,
		   min(unused, inodes - min(least, inodes)), "unused inodes");
}

static void fsck_space_counts(struct fsck_space *s)
{
	struct fsck *f = s->f;
	const struct fsck_group *fg = &f->group[s->group];
	u32 i, dirs = 0, used = 0, last = 0, zeroes = 0;

	for (i = 0; i < fg->inos; i++) {
		if (!(fg->ino[i].flags & FI_USED))
			continue;
		last = i + 1;
		used++;
		dirs += fg->ino[i].type == FT_DIR;
	}
	for (i = 0; i < fsck_ibitmap_nr(f); i++)
		zeroes += vexfs_bitmap_zeroes(s->iwant[i], FSCK_BITS);
	fsck_count(s, &s->gd.bg_free_clusters,
		   vexfs_bitmap_zeroes(s->want, FSCK_BITS), "free blocks");
	fsck_count(s, &s->gd.bg_free_inodes, zeroes, "free inodes");
	fsck_count(s, &s->gd.bg_used_dirs, dirs, "directories");
	fsck_count_unused(s, last);
}

static int fsck_space_put(struct fsck *f, struct vexfs_trans *t, u64 bno,
			  const u8 *data)
{
	struct vexfs_buf *buf = vexfs_buf_get(&f->fs, bno);
	int err;

	if (IS_ERR(buf))
		return PTR_ERR(buf);
	err = vexfs_trans_create(t, buf);
	if (!err) {
		memcpy(vexfs_buf_data(buf), data, VEXFS_BLOCK_SIZE);
		err = vexfs_trans_dirty(t, buf);
	}
	vexfs_buf_put(buf);
	return err;
}

static int fsck_space_write(struct fsck_space *s)
{
	struct fsck *f = s->f;
	struct vexfs_trans *t = fsck_begin(f);
	struct vexfs_buf *gdbuf;
	struct vexfs_group_desc *gd = vexfs_group_desc(&f->fs, s->group,
						       &gdbuf);
	u32 i, crc = f->fs.csum_seed;
	int err;

	if (IS_ERR(t))
		return PTR_ERR(t);
	err = fsck_space_put(f, t, vexfs_cluster_bitmap_block(&f->fs.geom,
							      s->group),
			     s->want);
	for (i = 0; !err && i < fsck_ibitmap_nr(f); i++) {
		err = fsck_space_put(f, t,
				     vexfs_inode_bitmap_block(&f->fs.geom,
							      s->group, i),
				     s->iwant[i]);
		crc = vexfs_crc32c(crc, s->iwant[i], VEXFS_BLOCK_SIZE);
	}
	if (!err)
		err = vexfs_trans_write(t, gdbuf);
	if (!err) {
		*gd = s->gd;
		gd->bg_flags = 0;
		gd->bg_reserved = 0;
		gd->bg_inode_bitmap_csum = cpu_to_le32(crc);
		crc = vexfs_crc32c(f->fs.csum_seed, s->want, sizeof(s->want));
		gd->bg_cluster_bitmap_csum = cpu_to_le32(crc);
		crc = vexfs_group_desc_csum(&f->fs, s->group, gd);
		gd->bg_checksum = cpu_to_le32(crc);
		err = vexfs_trans_dirty(t, gdbuf);
	}
	return fsck_end(f, t, err);
}

static bool fsck_space_new(struct fsck *f, u32 group)
{
	struct vexfs_group_desc *gd = vexfs_group_desc(&f->fs, group, NULL);

	return !f->group[group].used && !f->group[group].inos &&
	       !f->group[group].bad_desc &&
	       gd->bg_flags == cpu_to_le16(VEXFS_BG_CLUSTER_UNINIT |
					   VEXFS_BG_INODE_UNINIT);
}

static int fsck_space_group(struct fsck_space *s)
{
	struct fsck *f = s->f;
	int err;

	s->gd = *vexfs_group_desc(&f->fs, s->group, NULL);
	s->change = false;
	err = fsck_space_clusters(s);
	if (!err)
		err = fsck_space_inodes(s);
	if (err)
		return err;
	fsck_space_counts(s);
	f->clusters_used += vexfs_group_clusters(&f->fs.geom, s->group) -
			    le32_to_cpu(s->gd.bg_free_clusters);
	if (s->gd.bg_reserved && fsck_problem(f, FP_GROUP_FIELD, 0, 0,
					      "group %u: reserved", s->group))
		s->change = true;
	return s->change ? fsck_space_write(s) : 0;
}

int fsck_pass_space(struct fsck *f)
{
	struct fsck_space *s = calloc(1, sizeof(*s));
	const struct vexfs_geom *g = &f->fs.geom;
	int err = 0;

	if (!s)
		return fsck_fail(f, -ENOMEM, "bitmaps", 0);
	s->f = f;
	fsck_pass(f, "space", g->groups);
	for (s->group = 0; !err && s->group < g->groups; s->group++) {
		if (fsck_space_new(f, s->group))
			f->clusters_used +=
				vexfs_group_clusters(g, s->group) -
				vexfs_group_init_free(g, s->group);
		else
			err = fsck_space_group(s);
		fsck_progress(f, s->group + 1, g->groups);
	}
	free(s);
	return err;
}

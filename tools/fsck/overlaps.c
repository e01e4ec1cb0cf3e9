// SPDX-License-Identifier: GPL-2.0
/*
 * Pass overlaps: clusters that several inodes have. One of them is the
 * owner: whose metadata says so, else the lowest number. The others get
 * copies, as long as there is space.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include "fsck.h"

/* Who is to have it: the first of these. Only data can go elsewhere. */
enum {
	CLAIM_SAYS,			/* metadata, which says whose it is */
	CLAIM_HEADER,			/* should have said so */
	CLAIM_DATA,
};

struct fsck_claimant {
	u64	cluster;
	u64	ino;
	u64	at;			/* for which of the inode's: AT_* */
	u8	rank;			/* CLAIM_* */
};

/* A node, header or xattr block; an extent, by its first block. */
#define AT_META			0ull
#define AT_DATA(lblk)		((lblk) + 1)

struct fsck_claims {
	struct fsck *f;
	struct fsck_claimant *c;
	u32	count, room;
};

static int fsck_claimant_cmp(const void *a, const void *b)
{
	const struct fsck_claimant *x = a, *y = b;

	if (x->cluster != y->cluster)
		return x->cluster < y->cluster ? -1 : 1;
	if (x->rank != y->rank)
		return x->rank < y->rank ? -1 : 1;
	if (x->ino != y->ino)
		return x->ino < y->ino ? -1 : 1;
	return x->at < y->at ? -1 : x->at > y->at;
}

static void fsck_claims_add(struct fsck_claims *cl, u64 cluster, u64 ino,
			    u64 at, u8 rank)
{
	if (cl->count == cl->room) {
		cl->room = cl->room ? 2 * cl->room : 256;
		cl->c = realloc(cl->c, cl->room * sizeof(*cl->c));
		if (!cl->c)
			kshim_die(__FILE__, __LINE__, "out of memory");
	}
	cl->c[cl->count++] = (struct fsck_claimant) {
		.cluster = cluster, .ino = ino, .at = at, .rank = rank,
	};
}

/* Does the block's own header say that it is this inode's? */
static bool fsck_block_says(struct fsck *f, u64 bno, u64 ino)
{
	u8 data[VEXFS_BLOCK_SIZE] __aligned(8);
	const struct vexfs_block_header *bh = (const void *)data;
	const char *why;

	if (fsck_read(f, bno, data) || le64_to_cpu(bh->bh_owner) != ino)
		return false;
	return fsck_meta_check(f, data, bno, le32_to_cpu(bh->bh_magic), ino,
			       le32_to_cpu(bh->bh_generation), &why) ==
	       META_GOOD;
}

static u8 fsck_data_rank(struct fsck *f, u64 cluster, u64 ino)
{
	u64 bno = vexfs_cluster_to_block(&f->fs.geom, cluster);

	return fsck_block_says(f, bno, ino) ? CLAIM_SAYS : CLAIM_DATA;
}

static void fsck_claims_of_map(struct fsck_claims *cl,
			       const struct fsck_map *map)
{
	struct fsck *f = cl->f;
	const struct vexfs_geom *g = &f->fs.geom;
	u64 c, first, last, prev = U64_MAX;
	u32 i;

	for (i = 0; i < map->count; i++) {
		const struct vexfs_ext_rec *r = &map->rec[i];

		first = vexfs_block_to_cluster(g, r->pblk);
		last = vexfs_block_to_cluster(g, r->pblk + r->len - 1);
		if (first == prev && (r->lblk & (g->cluster_blocks - 1)))
			first++;
		for (c = first; c <= last; c++)
			if (fsck_is_dup(f, c))
				fsck_claims_add(cl, c, map->ino,
						AT_DATA(r->lblk),
						fsck_data_rank(f, c, map->ino));
		prev = last;
	}
	for (i = 0; !map->rebuild && i < map->nodes; i++) {
		c = vexfs_block_to_cluster(g, map->node[i]);
		if (fsck_is_dup(f, c))
			fsck_claims_add(cl, c, map->ino, AT_META, CLAIM_SAYS);
	}
}

/* The inode's extents as they are known now. */
static int fsck_current_map(struct fsck *f, u64 ino, struct fsck_map **map)
{
	struct vexfs_inode di;
	int err;

	*map = fsck_map_waiting(f, ino);
	if (*map)
		return 0;
	*map = &f->scratch;
	err = fsck_inode_get(f, ino, &di);
	if (!err)
		err = fsck_map_load(f, ino, &di, *map, false);
	if (!err)
		(*map)->meta = le64_to_cpu(di.i_blocks) -
			       fsck_map_blocks(f, *map);
	return err;
}

/* Clusters that an inode has beside its extents, and that are its own. */
static int fsck_claims_extra(struct fsck_claims *cl, u64 ino)
{
	const struct vexfs_geom *g = &cl->f->fs.geom;
	struct vexfs_inode di;
	u64 c;
	u8 rank;
	int err = fsck_inode_get(cl->f, ino, &di);

	if (err)
		return err;
	if (le32_to_cpu(di.i_flags) & VEXFS_COLLECTION_FL) {
		c = vexfs_block_to_cluster(g, le64_to_cpu(di.i_coll));
		if (c < g->clusters && fsck_is_dup(cl->f, c)) {
			rank = fsck_data_rank(cl->f, c, ino);
			fsck_claims_add(cl, c, ino, AT_META,
					min_t(u8, rank, CLAIM_HEADER));
		}
	}
	c = vexfs_block_to_cluster(g, le64_to_cpu(di.i_xattr));
	if (di.i_xattr && c < g->clusters && fsck_is_dup(cl->f, c))
		fsck_claims_add(cl, c, ino, AT_META, CLAIM_SAYS);
	return 0;
}

typedef int (*fsck_ino_fn)(struct fsck_claims *cl, u64 ino);

static int fsck_each_inode(struct fsck_claims *cl, fsck_ino_fn fn)
{
	struct fsck *f = cl->f;
	u32 group, i;
	int err = 0;

	for (group = 0; group < f->fs.geom.groups; group++) {
		for (i = 0; !err && i < f->group[group].inos; i++)
			if (f->group[group].ino[i].flags & FI_USED)
				err = fn(cl, (u64)group *
					 f->fs.geom.inodes_per_group + i + 1);
		fsck_progress(f, group + 1, f->fs.geom.groups);
	}
	return err;
}

static int fsck_claims_of(struct fsck_claims *cl, u64 ino)
{
	struct fsck_map *map;
	int err = fsck_current_map(cl->f, ino, &map);

	if (err)
		return err;
	fsck_claims_of_map(cl, map);
	return fsck_claims_extra(cl, ino);
}

/* The first of those who claim the cluster. */
static const struct fsck_claimant *fsck_owner(const struct fsck_claims *cl,
					      u64 cluster)
{
	u32 lo = 0, hi = cl->count;

	while (lo < hi) {
		u32 mid = lo + (hi - lo) / 2;

		if (cl->c[mid].cluster < cluster)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < cl->count && cl->c[lo].cluster == cluster ? &cl->c[lo] :
								 NULL;
}

/* Another's cluster, in an extent that begins at @from? */
static bool fsck_is_other(const struct fsck_claims *cl, u64 cluster, u64 ino,
			  u64 from)
{
	const struct fsck_claimant *own;

	if (!fsck_is_dup(cl->f, cluster))
		return false;
	own = fsck_owner(cl, cluster);
	return own && (own->ino != ino || own->at != AT_DATA(from));
}

static int fsck_copy_cluster(struct fsck *f, u64 from, u64 to)
{
	const struct vexfs_geom *g = &f->fs.geom;
	u8 data[VEXFS_BLOCK_SIZE] __aligned(8);
	u32 i;
	int err = 0;

	for (i = 0; !err && i < g->cluster_blocks; i++) {
		err = fsck_read(f, vexfs_cluster_to_block(g, from) + i, data);
		if (!err)
			err = fsck_write(f, vexfs_cluster_to_block(g, to) + i,
					 data);
	}
	return err;
}

struct fsck_split {
	struct fsck_claims *cl;
	struct fsck_map *map;
	struct fsck_map new;
	bool	copy;			/* or cut */
	u64	last_from, last_to;	/* of the copy made last */
	u64	cluster;		/* of the last piece; is it another's? */
	bool	other;
};

/* One cluster of a record goes elsewhere, or nowhere. */
static int fsck_split_piece(struct fsck_split *s, struct vexfs_ext_rec piece)
{
	struct fsck *f = s->cl->f;
	const struct vexfs_geom *g = &f->fs.geom;
	u64 from = vexfs_block_to_cluster(g, piece.pblk), to;
	int err;

	if (from == s->last_from && (piece.lblk & (g->cluster_blocks - 1)))
		to = s->last_to;
	else
		to = s->copy ? fsck_take_cluster(f) : 0;
	if (to && to != s->last_to) {
		err = fsck_copy_cluster(f, from, to);
		if (err)
			return err;
	}
	s->last_from = from;
	s->last_to = to;
	if (!to)
		return 0;
	piece.pblk = vexfs_cluster_to_block(g, to) +
		     (piece.pblk & (g->cluster_blocks - 1));
	fsck_map_add(&s->new, &piece);
	return 0;
}

/* A piece that goes on within the last one's cluster goes where that went. */
static bool fsck_split_off(struct fsck_split *s, u64 from,
			   const struct vexfs_ext_rec *piece)
{
	const struct vexfs_geom *g = &s->cl->f->fs.geom;
	u64 cluster = vexfs_block_to_cluster(g, piece->pblk);

	if (cluster != s->cluster || !(piece->lblk & (g->cluster_blocks - 1)))
		s->other = fsck_is_other(s->cl, cluster, s->map->ino, from);
	s->cluster = cluster;
	return s->other;
}

static int fsck_split_rec(struct fsck_split *s, const struct vexfs_ext_rec *r)
{
	const struct vexfs_geom *g = &s->cl->f->fs.geom;
	u64 at, next, end = vexfs_ext_end(r);
	struct vexfs_ext_rec piece = *r;
	int err = 0;

	for (at = r->lblk; !err && at < end; at = next) {
		next = min((at | (g->cluster_blocks - 1)) + 1, end);
		piece.lblk = at;
		piece.pblk = r->pblk + (at - r->lblk);
		piece.len = (u32)(next - at);
		if (fsck_split_off(s, r->lblk, &piece))
			err = fsck_split_piece(s, piece);
		else
			fsck_map_add(&s->new, &piece);
	}
	return err;
}

static u32 fsck_others(const struct fsck_claims *cl, u64 ino, u64 *with)
{
	const struct fsck_claimant *own;
	u32 i, n = 0;

	for (i = 0; i < cl->count; i++) {
		if (cl->c[i].ino != ino)
			continue;
		own = fsck_owner(cl, cl->c[i].cluster);
		if (own->ino == ino && own->at == cl->c[i].at)
			continue;
		*with = own->ino;
		n++;
	}
	return n;
}

static int fsck_separate(struct fsck_claims *cl, u64 ino)
{
	struct fsck *f = cl->f;
	struct fsck_split s = { .cl = cl };
	struct fsck_ino *fi = fsck_ino(f, ino);
	u64 with = 0;
	u32 n = fsck_others(cl, ino, &with), i;
	int err = 0;

	if (!n)
		return 0;
	s.copy = fi->type == FT_REG_FILE;
	if (!fsck_problem(f, s.copy ? FP_OVERLAP : FP_OVERLAP_CUT, ino, 0,
			  "%u of them, with inode %llu", n, with))
		return 0;
	err = fsck_current_map(f, ino, &s.map);
	s.last_from = U64_MAX;
	s.cluster = U64_MAX;
	for (i = 0; !err && i < s.map->count; i++)
		err = fsck_split_rec(&s, &s.map->rec[i]);
	if (err) {
		fsck_map_free(&s.new);
		return fsck_fail(f, err, "blocks can't be copied", 0);
	}
	fsck_map_join(&s.new);
	/* The nodes of the old tree are given back. */
	for (i = 0; !s.map->rebuild && i < s.map->nodes; i++)
		fsck_unclaim(f, vexfs_block_to_cluster(&f->fs.geom,
						       s.map->node[i]));
	s.new.ino = ino;
	s.new.generation = s.map->generation;
	s.new.meta = s.map->meta;
	s.new.rebuild = true;
	fsck_map_later(f, &s.new);
	return 0;
}

int fsck_pass_overlaps(struct fsck *f)
{
	struct fsck_claims cl = { .f = f };
	int err = 0;

	if (f->dup_clusters) {
		fsck_pass(f, "overlaps", f->fs.geom.groups);
		err = fsck_each_inode(&cl, fsck_claims_of);
		if (cl.count)
			qsort(cl.c, cl.count, sizeof(*cl.c),
			      fsck_claimant_cmp);
		if (!err)
			err = fsck_each_inode(&cl, fsck_separate);
		free(cl.c);
	}
	if (!err)
		err = fsck_make_maps(f);
	fsck_map_free(&f->scratch);
	return err;
}

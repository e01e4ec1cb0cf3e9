// SPDX-License-Identifier: GPL-2.0
/*
 * The states that a crash may leave on a disk: everything up to the last
 * flush, and of what was written after it all, nothing, or any sectors. One
 * image goes along the log; what a state adds to it is taken back.
 *
 * A write of jbd2's commit record is done whole or not at all. jbd2 relies on
 * that for its blocks of 4096 bytes, and so do all who use it; everything
 * else is torn at 512 bytes.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include "crash.h"

#define CS_PER_BLOCK	(VEXFS_BLOCK_SIZE / CM_SECTOR)

struct cs_undo {
	struct cs_undo *next;
	u64	bno;
	u8	data[VEXFS_BLOCK_SIZE] __aligned(8);
};

static void cs_read(struct cs_disk *d, u64 bno, void *data)
{
	if (vexfs_dev_read_below(d->dev, bno, data))
		kshim_die(__FILE__, __LINE__, "reading the image");
}

static void cs_write(struct cs_disk *d, u64 bno, const void *data)
{
	if (vexfs_image_write(d->dev, bno, data))
		kshim_die(__FILE__, __LINE__, "writing the image");
}

/* Sectors of one block; data NULL: zeroes. */
static void cs_put(struct cs_disk *d, u64 sector, u64 n, const u8 *data,
		   bool keep)
{
	u8 block[VEXFS_BLOCK_SIZE] __aligned(8);
	u64 bno = sector / CS_PER_BLOCK, at = sector % CS_PER_BLOCK;
	struct cs_undo *u;

	cs_read(d, bno, block);
	if (keep) {
		u = malloc(sizeof(*u));
		if (!u)
			kshim_die(__FILE__, __LINE__, "out of memory");
		memcpy(u->data, block, sizeof(block));
		u->bno = bno;
		u->next = d->undo;
		d->undo = u;
	}
	if (data)
		memcpy(block + at * CM_SECTOR, data, n * CM_SECTOR);
	else
		memset(block + at * CM_SECTOR, 0, n * CM_SECTOR);
	cs_write(d, bno, block);
}

static bool cs_is_commit(const struct cs_disk *d, u64 sector, const u8 *data)
{
	const struct vj_header *h = (const void *)data;

	return sector >= d->journal && sector < d->journal_end &&
	       be32_to_cpu(h->h_magic) == VJ_MAGIC &&
	       be32_to_cpu(h->h_blocktype) == VJ_COMMIT;
}

static u64 cs_roll(u64 *rnd, u64 n)
{
	*rnd += 0x9e3779b97f4a7c15ull;
	return (cm_mix(*rnd) >> 16) % n;
}

/* Some sectors of a block, by their bits in @which. */
static void cs_put_some(struct cs_disk *d, u64 sector, u64 n, const u8 *data,
			u64 which)
{
	u64 i;

	for (i = 0; i < n; i++)
		if (which >> i & 1)
			cs_put(d, sector + i, 1,
			       data ? data + i * CM_SECTOR : NULL, true);
}

/* Block by block: kept, lost, or torn; all of it, for good, without @rnd. */
static void cs_apply(struct cs_disk *d, const struct cl_entry *e,
		     enum cs_how how, u64 *rnd)
{
	u64 at = 0, n, chance = how == CS_SOME ? cs_roll(rnd, 5) : 4;
	const u8 *data;

	if (e->kind != CL_WRITE && e->kind != CL_DISCARD)
		return;
	for (; at < e->sectors; at += n) {
		n = CS_PER_BLOCK - (e->sector + at) % CS_PER_BLOCK;
		n = min(n, e->sectors - at);
		data = e->data ? e->data + at * CM_SECTOR : NULL;
		if (!rnd || chance == 4 || cs_roll(rnd, 4) < chance)
			cs_put(d, e->sector + at, n, data, rnd);
		else if (data && cs_roll(rnd, 2) &&
			 !cs_is_commit(d, e->sector + at, data))
			cs_put_some(d, e->sector + at, n, data,
				    cs_roll(rnd, 1u << CS_PER_BLOCK));
	}
}

/* All that is certain at entry @pos. */
static void cs_advance(struct cs_disk *d, size_t pos)
{
	size_t i, last = d->flushed;

	for (i = d->flushed; i < pos && !d->no_flush; i++)
		if (d->log->entry[i].kind == CL_FLUSH)
			last = i + 1;
	/* What is so long ago a disk without flushes has written too. */
	if (d->no_flush && pos > d->flushed + 400)
		last = pos - 400;
	for (; d->flushed < last; d->flushed++)
		cs_apply(d, &d->log->entry[d->flushed], CS_ALL, NULL);
}

void cs_make(struct cs_disk *d, const struct cs_point *p)
{
	u64 rnd = p->seed;
	size_t i;

	cs_advance(d, p->pos);
	for (i = d->flushed; i < p->pos && p->how != CS_NONE; i++)
		cs_apply(d, &d->log->entry[i], p->how, &rnd);
}

void cs_undo(struct cs_disk *d)
{
	struct cs_undo *u;

	while ((u = d->undo)) {
		d->undo = u->next;
		cs_write(d, u->bno, u->data);
		free(u);
	}
}

/* --------------------------------------------------------------- choosing */

static int cs_point_cmp(const void *a, const void *b)
{
	const struct cs_point *x = a, *y = b;

	if (x->pos != y->pos)
		return x->pos < y->pos ? -1 : 1;
	return x->how < y->how ? -1 : x->how > y->how;
}

/* Behind the next entry of a kind, from a random place on. */
static size_t cs_find(const struct cl_log *log, size_t from, u64 *rnd,
		      enum cl_kind kind)
{
	size_t i = from + cs_roll(rnd, log->count - from);

	for (; i < log->count; i++)
		if (log->entry[i].kind == kind)
			return i + 1;
	return log->count;
}

/*
 * A quarter each: at a flush; at a mark, with nothing that wasn't flushed;
 * half: anywhere, mostly with sectors at random.
 */
struct cs_point *cs_choose(const struct cl_log *log, size_t from, u32 n,
			   u64 seed)
{
	struct cs_point *p = calloc(n, sizeof(*p));
	u64 rnd = seed;
	u32 i;

	if (!p)
		kshim_die(__FILE__, __LINE__, "out of memory");
	for (i = 0; i < n; i++) {
		p[i].how = CS_NONE;
		p[i].seed = (u32)cs_roll(&rnd, U32_MAX);
		switch (i % 4) {
		case 0:
			p[i].pos = cs_find(log, from, &rnd, CL_FLUSH);
			break;
		case 1:
			p[i].pos = cs_find(log, from, &rnd, CL_MARK);
			break;
		default:
			p[i].pos = from + 1 + cs_roll(&rnd, log->count - from);
			p[i].how = cs_roll(&rnd, 8) ? CS_SOME : CS_ALL;
		}
	}
	qsort(p, n, sizeof(*p), cs_point_cmp);
	return p;
}

const char *cs_how_name(enum cs_how how)
{
	static const char * const name[] = {
		"all of", "nothing of", "some sectors of",
	};

	return name[how];
}

// SPDX-License-Identifier: GPL-2.0
/*
 * Replaying the journal in userspace: logs made by hand, as jbd2 writes them,
 * sound ones and damaged ones, and logs that wrap around.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include "fsck_util.h"

static struct fu_vol base;

/* A log being written. */
struct logger {
	struct fu_vol *v;
	u32	pos;
	u32	seq;
	u32	seed;
	u32	maxlen;
	u64	when;
};

#define HOME	3000			/* blocks that are data of nobody */

static void put(struct logger *l, u8 *block)
{
	u64 bno = vexfs_journal_block(&l->v->f.fs.geom, l->pos);

	CHECK_EQ(vexfs_dev_write(l->v->f.dev, bno, block), 0);
	if (++l->pos == l->maxlen)
		l->pos = 1;
}

static void header(struct logger *l, u8 *block, u32 type)
{
	struct vj_header *h = (void *)block;

	memset(block, 0, VEXFS_BLOCK_SIZE);
	h->h_magic = cpu_to_be32(VJ_MAGIC);
	h->h_blocktype = cpu_to_be32(type);
	h->h_sequence = cpu_to_be32(l->seq);
}

static void seal(struct logger *l, u8 *block, size_t at)
{
	put_unaligned_be32(0, block + at);
	put_unaligned_be32(vexfs_crc32c(l->seed, block, VEXFS_BLOCK_SIZE),
			   block + at);
}

/* Blocks [home, home + n) with byte @fill; the first looks like a log block. */
static void blocks(struct logger *l, u64 home, u32 n, u8 fill, bool escape)
{
	u8 desc[VEXFS_BLOCK_SIZE] __aligned(8), data[64][VEXFS_BLOCK_SIZE];
	struct vj_tag *tag = (void *)(desc + sizeof(struct vj_header));
	__be32 seq = cpu_to_be32(l->seq);
	u32 i, crc, flags;

	header(l, desc, VJ_DESCRIPTOR);
	for (i = 0; i < n; i++) {
		memset(data[i], fill, VEXFS_BLOCK_SIZE);
		flags = i + 1 == n ? VJ_TAG_LAST : 0;
		if (escape && !i) {
			memset(data[i], 0, 4);
			flags |= VJ_TAG_ESCAPE;
		}
		crc = vexfs_crc32c(l->seed, &seq, sizeof(seq));
		crc = vexfs_crc32c(crc, data[i], VEXFS_BLOCK_SIZE);
		tag->t_blocknr = cpu_to_be32((u32)(home + i));
		tag->t_flags = cpu_to_be32(flags | (i ? VJ_TAG_SAME_UUID : 0));
		tag->t_blocknr_high = 0;
		tag->t_checksum = cpu_to_be32(crc);
		/* The first tag has a UUID behind it. */
		tag = (void *)((u8 *)(tag + 1) + (i ? 0 : 16));
	}
	seal(l, desc, VEXFS_BLOCK_SIZE - 4);
	put(l, desc);
	for (i = 0; i < n; i++)
		put(l, data[i]);
}

static void revoke(struct logger *l, u64 home)
{
	u8 block[VEXFS_BLOCK_SIZE] __aligned(8);
	struct vj_revoke *r = (void *)block;

	header(l, block, VJ_REVOKE);
	r->r_count = cpu_to_be32(sizeof(*r) + 8);
	put_unaligned_be64(home, block + sizeof(*r));
	seal(l, block, VEXFS_BLOCK_SIZE - 4);
	put(l, block);
}

static void commit(struct logger *l)
{
	u8 block[VEXFS_BLOCK_SIZE] __aligned(8);
	struct vj_commit *c = (void *)block;

	header(l, block, VJ_COMMIT);
	c->c_commit_sec = cpu_to_be64(l->when++);
	seal(l, block, offsetof(struct vj_commit, c_chksum));
	put(l, block);
	l->seq++;
}

static void begin(struct logger *l, struct fu_vol *v, u32 start, u32 seq)
{
	const struct vexfs_geom *g = &v->f.fs.geom;
	u8 block[VEXFS_BLOCK_SIZE] __aligned(8);
	struct vj_super *s = (void *)block;
	u32 crc;

	*l = (struct logger) {
		.v = v, .pos = start, .seq = seq, .when = 1000,
		.maxlen = (u32)vexfs_journal_blocks(g),
	};
	fu_read(v, vexfs_journal_block(g, 0), block);
	s->s_start = cpu_to_be32(start);
	s->s_sequence = cpu_to_be32(seq);
	s->s_feature_incompat = cpu_to_be32(VJ_INCOMPAT_KNOWN);
	s->s_checksum_type = VJ_CSUM_CRC32C;
	s->s_checksum = 0;
	crc = vexfs_crc32c(~0u, s, sizeof(*s));
	s->s_checksum = cpu_to_be32(crc);
	l->seed = vexfs_crc32c(~0u, s->s_uuid, sizeof(s->s_uuid));
	fu_write(v, vexfs_journal_block(g, 0), block);
}

static u8 byte_at(struct fu_vol *v, u64 bno)
{
	u8 data[VEXFS_BLOCK_SIZE] __aligned(8);

	CHECK_EQ(vexfs_dev_read(v->f.dev, bno, data), 0);
	return data[100];
}

static void replay(struct fu_vol *v, struct vj_replay *r)
{
	struct vj_journal j;
	const char *why;

	CHECK_EQ(vj_open(&j, v->f.dev, &v->f.fs.geom, &why), 0);
	CHECK_EQ(vj_replay(&j, r), 0);
}

static void whole_at(u32 start, u32 seq)
{
	struct vj_replay r;
	struct fu_vol v;
	struct logger l;
	u8 data[VEXFS_BLOCK_SIZE] __aligned(8);

	fu_clone(&v, &base);
	begin(&l, &v, start, seq);
	blocks(&l, HOME, 5, 1, true);
	commit(&l);
	blocks(&l, HOME + 2, 3, 2, false);
	blocks(&l, HOME + 9, 1, 2, false);
	commit(&l);
	replay(&v, &r);
	CHECK_EQ(r.transactions, 2);
	CHECK_EQ(r.blocks, 9);
	CHECK_EQ(r.next_sequence, seq + 2);
	CHECK(!r.torn && !r.damaged);
	CHECK_EQ(byte_at(&v, HOME + 1), 1);
	CHECK_EQ(byte_at(&v, HOME + 2), 2);
	CHECK_EQ(byte_at(&v, HOME + 9), 2);
	CHECK_EQ(vexfs_dev_read(v.f.dev, HOME, data), 0);
	CHECK_EQ(get_unaligned_be32(data), VJ_MAGIC);
	fu_close(&v);
}

static void whole(void)
{
	whole_at(1, 7);
	whole_at(500, 0xffffffff);
}

static void wraps(void)
{
	whole_at((u32)vexfs_journal_blocks(&base.f.fs.geom) - 4, 9);
}

static void revoked(void)
{
	struct vj_replay r;
	struct fu_vol v;
	struct logger l;

	fu_clone(&v, &base);
	begin(&l, &v, 1, 7);
	blocks(&l, HOME, 3, 1, false);
	commit(&l);
	revoke(&l, HOME + 1);
	blocks(&l, HOME + 9, 1, 2, false);
	commit(&l);
	/* Written again after it was revoked. */
	revoke(&l, HOME + 2);
	commit(&l);
	blocks(&l, HOME + 2, 1, 3, false);
	commit(&l);
	replay(&v, &r);
	CHECK_EQ(r.transactions, 4);
	CHECK_EQ(byte_at(&v, HOME), 1);
	CHECK_EQ(byte_at(&v, HOME + 1), 0);
	CHECK_EQ(byte_at(&v, HOME + 2), 3);
	CHECK_EQ(r.revoked, 2);
	fu_close(&v);
}

/* Without its commit block a transaction never was. */
static void cut_off(void)
{
	struct vj_replay r;
	struct fu_vol v;
	struct logger l;

	fu_clone(&v, &base);
	begin(&l, &v, 1, 7);
	blocks(&l, HOME, 3, 1, false);
	commit(&l);
	blocks(&l, HOME, 3, 2, false);
	replay(&v, &r);
	CHECK_EQ(r.transactions, 1);
	CHECK(!r.torn);
	CHECK_EQ(byte_at(&v, HOME), 1);
	CHECK_EQ(fu_fsck(&v, FSCK_NO), FSCK_OK);
	CHECK_EQ(v.f.replay.transactions, 1);
	CHECK_EQ(fu_fsck(&v, FSCK_YES), FSCK_OK);
	CHECK_EQ(fu_fsck(&v, FSCK_NO), FSCK_OK);
	CHECK_EQ(v.f.replay.transactions, 0);
	fu_close(&v);
}

/* Flips a byte of log block @pos and says what fsck makes of it. */
static void damaged(u32 pos, u32 off, enum fsck_kind kind)
{
	struct fu_vol v;
	struct logger l;

	fu_clone(&v, &base);
	begin(&l, &v, 1, 7);
	blocks(&l, HOME, 3, 1, false);
	commit(&l);
	blocks(&l, HOME, 3, 2, false);
	commit(&l);
	fu_reload(&v);
	fu_flip(&v, vexfs_journal_block(&v.f.fs.geom, pos), off);
	CHECK_EQ(fu_fsck(&v, FSCK_NO), FSCK_UNCORRECTED);
	CHECK_EQ(v.f.kinds[kind], 1);
	CHECK_EQ(fu_fsck(&v, FSCK_YES), FSCK_CORRECTED);
	CHECK_EQ(fu_fsck(&v, FSCK_NO), FSCK_OK);
	fu_close(&v);
}

/* Log blocks: 1 descriptor, 2-4 data, 5 commit, 6 descriptor, ... */
static void bad_data(void)
{
	damaged(3, 77, FP_JOURNAL_BLOCK);
	damaged(8, 77, FP_JOURNAL_BLOCK);
}

static void bad_commit(void)
{
	damaged(10, 77, FP_JOURNAL_TORN);
}

static void bad_descriptor(void)
{
	damaged(6, 2000, FP_JOURNAL_TORN);
}

int main(void)
{
	kshim_seed(4713);
	cu_plan(7);
	fu_make(&base, 4096, false);
	cu_run("a log is replayed", whole);
	cu_run("a log that wraps around", wraps);
	cu_run("revoked blocks stay as they are", revoked);
	cu_run("a transaction without its end", cut_off);
	cu_run("a damaged block", bad_data);
	cu_run("a damaged commit block", bad_commit);
	cu_run("a damaged descriptor", bad_descriptor);
	fu_close(&base);
	return 0;
}

// SPDX-License-Identifier: GPL-2.0
/*
 * Writes a journal as jbd2 does: makes of the commits of a userspace device
 * the writes and flushes that a disk would see.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include "crash.h"
#include "jwrite.h"

#define JW_TAGS		200	/* of a descriptor; there is room for more */
#define JW_REVOKES	500
#define JW_SECTORS	(VEXFS_BLOCK_SIZE / CM_SECTOR)

/* A block of a committed transaction that is not in its place yet. */
struct jw_block {
	struct vexfs_bmap_node node;
	u8	data[VEXFS_BLOCK_SIZE] __aligned(8);
};

static u32 jw_roll(struct jw *j, u32 n)
{
	j->rnd += 0x9e3779b97f4a7c15ull;
	return (u32)(cm_mix(j->rnd) >> 16) % n;
}

static u32 jw_csum(u32 seed, const void *data, size_t len, size_t at)
{
	const __be32 zero = 0;
	u32 crc = vexfs_crc32c(seed, data, at);

	crc = vexfs_crc32c(crc, &zero, sizeof(zero));
	at += sizeof(zero);
	return vexfs_crc32c(crc, data + at, len - at);
}

static void jw_home(struct jw *j, u64 bno, const void *data)
{
	cl_add(j->out, CL_WRITE, bno * JW_SECTORS, data, JW_SECTORS);
}

static void jw_flush(struct jw *j)
{
	if (!j->no_flush)
		cl_add(j->out, CL_FLUSH, 0, NULL, 0);
}

static void jw_super(struct jw *j, u32 start)
{
	u8 block[VEXFS_BLOCK_SIZE] __aligned(8) = { };
	struct vj_super *s = (void *)block;
	size_t at = offsetof(struct vj_super, s_checksum);

	s->s_header.h_magic = cpu_to_be32(VJ_MAGIC);
	s->s_header.h_blocktype = cpu_to_be32(VJ_SUPER_V2);
	s->s_blocksize = cpu_to_be32(VEXFS_BLOCK_SIZE);
	s->s_maxlen = cpu_to_be32(j->maxlen);
	s->s_first = cpu_to_be32(1);
	s->s_sequence = cpu_to_be32(j->seq);
	s->s_start = cpu_to_be32(start);
	s->s_feature_incompat = cpu_to_be32(VJ_INCOMPAT_REVOKE |
					    VJ_INCOMPAT_64BIT |
					    VJ_INCOMPAT_CSUM_V3);
	s->s_nr_users = cpu_to_be32(1);
	s->s_checksum_type = VJ_CSUM_CRC32C;
	s->s_checksum = cpu_to_be32(jw_csum(~0u, s, sizeof(*s), at));
	jw_home(j, vexfs_journal_block(j->geom, 0), block);
	jw_flush(j);
}

void jw_init(struct jw *j, const struct vexfs_geom *geom, struct cl_log *out,
	     u64 seed)
{
	u8 uuid[16] = { };

	memset(j, 0, sizeof(*j));
	j->geom = geom;
	j->out = out;
	j->rnd = seed;
	j->maxlen = (u32)vexfs_journal_blocks(geom);
	j->seq = 100;
	j->head = 1;
	j->csum_seed = vexfs_crc32c(~0u, uuid, sizeof(uuid));
	j->empty = true;
	jw_super(j, 0);
}

/* The next block of the log. */
static void jw_log(struct jw *j, const void *data)
{
	jw_home(j, vexfs_journal_block(j->geom, j->head), data);
	if (++j->head == j->maxlen)
		j->head = 1;
	j->used++;
}

static void jw_start_block(struct jw *j, void *block, u32 type)
{
	struct vj_header *h = block;

	memset(block, 0, VEXFS_BLOCK_SIZE);
	h->h_magic = cpu_to_be32(VJ_MAGIC);
	h->h_blocktype = cpu_to_be32(type);
	h->h_sequence = cpu_to_be32(j->seq);
}

static void jw_seal_tail(struct jw *j, u8 *block)
{
	size_t at = VEXFS_BLOCK_SIZE - sizeof(__be32);

	put_unaligned_be32(jw_csum(j->csum_seed, block, VEXFS_BLOCK_SIZE, at),
			   block + at);
	jw_log(j, block);
}

static void jw_revokes(struct jw *j, const u64 *bno, u32 n)
{
	u8 block[VEXFS_BLOCK_SIZE] __aligned(8);
	struct vj_revoke *rb = (void *)block;
	u32 i;

	jw_start_block(j, block, VJ_REVOKE);
	for (i = 0; i < n; i++)
		put_unaligned_be64(bno[i], block + sizeof(*rb) + 8 * i);
	rb->r_count = cpu_to_be32((u32)sizeof(*rb) + 8 * n);
	jw_seal_tail(j, block);
}

static void jw_blocks(struct jw *j, const struct vexfs_wlog_write *w, u32 n)
{
	u8 block[VEXFS_BLOCK_SIZE] __aligned(8), data[VEXFS_BLOCK_SIZE];
	__be32 seq = cpu_to_be32(j->seq);
	u32 i, pass, flags, crc, at = sizeof(struct vj_header);

	jw_start_block(j, block, VJ_DESCRIPTOR);
	for (pass = 0; pass < 2; pass++) {
		for (i = 0; i < n; i++) {
			memcpy(data, w[i].data, sizeof(data));
			flags = i ? VJ_TAG_SAME_UUID : 0;
			flags |= i == n - 1 ? VJ_TAG_LAST : 0;
			if (get_unaligned_be32(data) == VJ_MAGIC) {
				flags |= VJ_TAG_ESCAPE;
				memset(data, 0, 4);
			}
			if (pass) {
				jw_log(j, data);
				continue;
			}
			crc = vexfs_crc32c(j->csum_seed, &seq, sizeof(seq));
			crc = vexfs_crc32c(crc, data, sizeof(data));
			put_unaligned_be32((u32)w[i].bno, block + at);
			put_unaligned_be32(flags, block + at + 4);
			put_unaligned_be32((u32)(w[i].bno >> 32),
					   block + at + 8);
			put_unaligned_be32(crc, block + at + 12);
			at += i ? 16 : 32;
		}
		if (!pass)
			jw_seal_tail(j, block);
	}
}

/* With a flush before it and one behind, as for a disk without FUA. */
static void jw_commit_block(struct jw *j)
{
	u8 block[VEXFS_BLOCK_SIZE] __aligned(8);
	struct vj_commit *c = (void *)block;
	size_t at = offsetof(struct vj_commit, c_chksum);

	jw_start_block(j, block, VJ_COMMIT);
	c->c_commit_sec = cpu_to_be64(j->seq);
	put_unaligned_be32(jw_csum(j->csum_seed, block, sizeof(block), at),
			   block + at);
	jw_flush(j);
	jw_log(j, block);
	jw_flush(j);
	j->seq++;
}

static struct jw_block *jw_waiting(struct jw *j, u64 bno)
{
	struct vexfs_bmap_node *node = vexfs_bmap_find(&j->waiting, bno);

	return node ? container_of(node, struct jw_block, node) : NULL;
}

static void jw_forget(struct jw *j, u64 bno)
{
	struct jw_block *b = jw_waiting(j, bno);

	if (!b)
		return;
	vexfs_bmap_remove(&j->waiting, &b->node);
	free(b);
}

static void jw_wait(struct jw *j, const struct vexfs_wlog_write *w)
{
	struct jw_block *b = jw_waiting(j, w->bno);

	if (!b) {
		b = malloc(sizeof(*b));
		if (!b)
			kshim_die(__FILE__, __LINE__, "out of memory");
		b->node.bno = w->bno;
		vexfs_bmap_insert(&j->waiting, &b->node);
	}
	memcpy(b->data, w->data, sizeof(b->data));
}

/* Some of what waits goes to its place: that may happen at any time. */
static void jw_write_back(struct jw *j, u32 one_in)
{
	struct vexfs_bmap_node *node;
	size_t i;

	for (i = 0; i < j->waiting.size; i++)
		for (node = j->waiting.table[i]; node; node = node->next)
			if (!jw_roll(j, one_in))
				jw_home(j, node->bno,
					container_of(node, struct jw_block,
						     node)->data);
}

static void jw_block_free(struct vexfs_bmap_node *node)
{
	free(container_of(node, struct jw_block, node));
}

/* All of it, and only then is the log empty. */
static void jw_checkpoint(struct jw *j)
{
	jw_write_back(j, 1);
	vexfs_bmap_destroy(&j->waiting, jw_block_free);
	jw_flush(j);
	jw_super(j, 0);
	j->used = 0;
	j->empty = true;
}

static void jw_commit(struct jw *j, const struct vexfs_wlog_entry *e)
{
	size_t i, n, need = e->nwrites + 8 + e->nwrites / JW_TAGS +
			    e->nrevokes / JW_REVOKES;

	if (j->used + need > j->maxlen / 2 || !jw_roll(j, 15))
		jw_checkpoint(j);
	if (j->empty)
		jw_super(j, j->head);
	j->empty = false;
	for (i = 0; i < e->nrevokes && !j->no_revoke; i += n) {
		n = min_t(size_t, e->nrevokes - i, JW_REVOKES);
		jw_revokes(j, e->revokes + i, (u32)n);
	}
	for (i = 0; i < e->nwrites; i += n) {
		n = min_t(size_t, e->nwrites - i, JW_TAGS);
		jw_blocks(j, e->writes + i, (u32)n);
	}
	jw_commit_block(j);
	for (i = 0; i < e->nrevokes; i++)
		jw_forget(j, e->revokes[i]);
	for (i = 0; i < e->nwrites; i++)
		jw_wait(j, &e->writes[i]);
	if (!jw_roll(j, 3))
		jw_write_back(j, 1 + jw_roll(j, 4));
}

/* As if nobody had said of that block that it has changed. */
static void jw_leave_out(struct jw *j, struct vexfs_wlog_entry *e)
{
	size_t i, n = 0;

	for (i = 0; i < e->nwrites; i++) {
		if (j->unlogged && e->writes[i].bno == j->unlogged)
			continue;
		swap(e->writes[n], e->writes[i]);
		n++;
	}
	e->nwrites = n;
}

void jw_add(struct jw *j, const struct vexfs_wlog_entry *e)
{
	struct vexfs_wlog_entry logged = *e;

	switch (e->kind) {
	case VEXFS_WLOG_COMMIT:
		jw_leave_out(j, &logged);
		if (logged.nwrites || logged.nrevokes)
			jw_commit(j, &logged);
		break;
	case VEXFS_WLOG_DATA:
		jw_home(j, e->writes[0].bno, e->writes[0].data);
		break;
	case VEXFS_WLOG_FLUSH:
		jw_flush(j);
		break;
	}
}

void jw_end(struct jw *j)
{
	vexfs_bmap_destroy(&j->waiting, jw_block_free);
}

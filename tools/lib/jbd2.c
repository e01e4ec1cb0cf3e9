// SPDX-License-Identifier: GPL-2.0
/*
 * Replaying jbd2's log as the kernel does: find where it ends, learn what was
 * revoked, then write each block to its home unless a later transaction
 * revoked it.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include "jbd2.h"

#include "../../fs/vexfs/libvexfs/libvexfs.h"

enum vj_pass { VJ_SCAN, VJ_REVOKES, VJ_WRITE };

struct vj_revoked {
	struct vexfs_bmap_node node;
	u32	seq;			/* the last that revoked it */
};

struct vj_run {
	struct vj_journal *j;
	struct vj_replay *r;
	const struct vj_visitor *v;
	void	*arg;
	enum vj_pass pass;
	struct vexfs_bmap revoked;
	u32	pos;
	u32	seq;
	u32	left;			/* blocks the log may still have */
	u64	last_commit;		/* its time */
	bool	doubt;			/* a descriptor's checksum is wrong */
	u8	block[VEXFS_BLOCK_SIZE] __aligned(8);
	u8	data[VEXFS_BLOCK_SIZE] __aligned(8);
};

/* Transaction numbers wrap around. */
static bool vj_before(u32 a, u32 b)
{
	return (s32)(a - b) < 0;
}

static u32 vj_csum_but(u32 crc, const void *data, size_t len, size_t at)
{
	const __be32 zero = 0;

	crc = vexfs_crc32c(crc, data, at);
	crc = vexfs_crc32c(crc, &zero, sizeof(zero));
	at += sizeof(zero);
	return vexfs_crc32c(crc, data + at, len - at);
}

static int vj_read(struct vj_journal *j, u32 pos, void *data)
{
	return vexfs_dev_read(j->dev, vexfs_journal_block(j->geom, pos), data);
}

static const char *vj_check_super(const struct vj_journal *j,
				  const struct vj_super *s)
{
	u32 type = be32_to_cpu(s->s_header.h_blocktype);
	size_t at = offsetof(struct vj_super, s_checksum);

	if (be32_to_cpu(s->s_header.h_magic) != VJ_MAGIC || type != VJ_SUPER_V2)
		return "it has no superblock";
	if (be32_to_cpu(s->s_blocksize) != VEXFS_BLOCK_SIZE)
		return "its block size is wrong";
	if (j->maxlen != vexfs_journal_blocks(j->geom) || !j->first ||
	    j->first >= j->maxlen)
		return "its length is wrong";
	if (j->start && (j->start < j->first || j->start >= j->maxlen))
		return "it begins outside of itself";
	if ((j->incompat & ~VJ_INCOMPAT_KNOWN) || s->s_feature_ro_compat)
		return "it has unknown features";
	if (!j->csum)
		return NULL;
	if (s->s_checksum_type != VJ_CSUM_CRC32C)
		return "its checksum type is unknown";
	if (be32_to_cpu(s->s_checksum) != vj_csum_but(~0u, s, sizeof(*s), at))
		return "the checksum of its superblock is wrong";
	return NULL;
}

int vj_open(struct vj_journal *j, struct vexfs_dev *dev,
	    const struct vexfs_geom *geom, const char **why)
{
	u8 block[VEXFS_BLOCK_SIZE] __aligned(8);
	const struct vj_super *s = (void *)block;
	int err;

	memset(j, 0, sizeof(*j));
	j->dev = dev;
	j->geom = geom;
	err = vj_read(j, 0, block);
	if (err) {
		*why = "it can't be read";
		return err;
	}
	j->maxlen = be32_to_cpu(s->s_maxlen);
	j->first = be32_to_cpu(s->s_first);
	j->sequence = be32_to_cpu(s->s_sequence);
	j->start = be32_to_cpu(s->s_start);
	j->error = (s32)be32_to_cpu(s->s_errno);
	j->incompat = be32_to_cpu(s->s_feature_incompat);
	j->csum = j->incompat & VJ_INCOMPAT_CSUM_V3;
	j->seed = vexfs_crc32c(~0u, s->s_uuid, sizeof(s->s_uuid));
	*why = vj_check_super(j, s);
	return *why ? -EINVAL : 0;
}

bool vj_empty(const struct vj_journal *j)
{
	return !j->start;
}

/* ------------------------------------------------------------- revokes */

static void vj_revoke_add(struct vj_run *run, u64 bno)
{
	struct vexfs_bmap_node *node = vexfs_bmap_find(&run->revoked, bno);
	struct vj_revoked *rv;

	if (!node) {
		rv = malloc(sizeof(*rv));
		if (!rv)
			kshim_die(__FILE__, __LINE__, "out of memory");
		rv->node.bno = bno;
		vexfs_bmap_insert(&run->revoked, &rv->node);
	} else {
		rv = container_of(node, struct vj_revoked, node);
	}
	rv->seq = run->seq;
	run->r->revokes++;
}

static bool vj_is_revoked(struct vj_run *run, u64 bno)
{
	struct vexfs_bmap_node *node = vexfs_bmap_find(&run->revoked, bno);

	return node && !vj_before(container_of(node, struct vj_revoked,
					       node)->seq, run->seq);
}

static void vj_revoked_free(struct vexfs_bmap_node *node)
{
	free(container_of(node, struct vj_revoked, node));
}

/* The checksum of descriptor and revoke blocks is in their last 4 bytes. */
static bool vj_tail_good(struct vj_run *run)
{
	size_t at = VEXFS_BLOCK_SIZE - sizeof(__be32);
	u32 crc;

	if (!run->j->csum)
		return true;
	crc = vj_csum_but(run->j->seed, run->block, VEXFS_BLOCK_SIZE, at);
	return get_unaligned_be32(run->block + at) == crc;
}

static int vj_revoke_block(struct vj_run *run, u32 pos)
{
	const struct vj_revoke *rb = (const void *)run->block;
	u32 size = run->j->incompat & VJ_INCOMPAT_64BIT ? 8 : 4;
	u32 end = be32_to_cpu(rb->r_count), at = sizeof(*rb);
	u32 limit = VEXFS_BLOCK_SIZE - (run->j->csum ? sizeof(__be32) : 0);
	u64 bno;

	if (run->pass != VJ_REVOKES)
		return 0;
	if (!vj_tail_good(run) || end > limit) {
		run->r->torn = "a revoke block is damaged";
		run->r->damaged++;
		return 0;
	}
	for (; at + size <= end; at += size) {
		bno = size == 8 ? get_unaligned_be64(run->block + at) :
				  get_unaligned_be32(run->block + at);
		vj_revoke_add(run, bno);
		if (run->v && run->v->revoke)
			run->v->revoke(run->arg, pos, run->seq, bno);
	}
	return 0;
}

/* --------------------------------------------------------- descriptors */

static u32 vj_next(struct vj_run *run)
{
	u32 pos = run->pos;

	if (++run->pos >= run->j->maxlen)
		run->pos = run->j->first;
	return pos;
}

static size_t vj_tag_size(const struct vj_journal *j)
{
	if (j->csum)
		return sizeof(struct vj_tag);
	return j->incompat & VJ_INCOMPAT_64BIT ? 12 : 8;
}

struct vj_home {
	u64	bno;
	u32	flags;
	u32	csum;
};

/* The tag at *at, which moves on; false at the end of the block. */
static bool vj_tag_get(struct vj_run *run, size_t *at, struct vj_home *home)
{
	size_t size = vj_tag_size(run->j);
	size_t limit = VEXFS_BLOCK_SIZE - (run->j->csum ? sizeof(__be32) : 0);
	const u8 *p = run->block + *at;

	if (*at + size > limit)
		return false;
	home->bno = get_unaligned_be32(p);
	if (run->j->csum) {
		home->flags = get_unaligned_be32(p + 4);
		home->csum = get_unaligned_be32(p + 12);
	} else {
		home->flags = get_unaligned_be16(p + 6);
		home->csum = 0;
	}
	if (run->j->incompat & VJ_INCOMPAT_64BIT)
		home->bno |= (u64)get_unaligned_be32(p + 8) << 32;
	*at += size;
	if (!(home->flags & VJ_TAG_SAME_UUID))
		*at += 16;
	return true;
}

static bool vj_block_good(struct vj_run *run, const struct vj_home *home)
{
	__be32 seq = cpu_to_be32(run->seq);
	u32 crc;

	if (!run->j->csum)
		return true;
	crc = vexfs_crc32c(run->j->seed, &seq, sizeof(seq));
	return vexfs_crc32c(crc, run->data, VEXFS_BLOCK_SIZE) == home->csum;
}

/* Journaled is every block of the volume but the journal's own. */
static bool vj_home_valid(struct vj_run *run, u64 bno)
{
	const struct vexfs_geom *g = run->j->geom;
	u64 cluster = vexfs_block_to_cluster(g, bno);
	u32 group, bit;

	if (cluster >= g->clusters || bno >= run->j->dev->blocks)
		return false;
	group = div_u64_rem(cluster, g->clusters_per_group, &bit);
	return bit < vexfs_group_overhead(g, group) ||
	       !vexfs_range_is_fixed(g, cluster, 1);
}

static int vj_write_block(struct vj_run *run, u32 pos,
			  const struct vj_home *home)
{
	bool good, revoked = vj_is_revoked(run, home->bno);
	int err;

	err = vj_read(run->j, pos, run->data);
	if (err)
		return err;
	good = vj_block_good(run, home) && vj_home_valid(run, home->bno);
	if (run->v && run->v->block)
		run->v->block(run->arg, pos, run->seq, home->bno, good);
	if (revoked) {
		run->r->revoked++;
		return 0;
	}
	if (!good) {
		if (!run->r->damaged++)
			run->r->damaged_block = home->bno;
		return 0;
	}
	run->r->blocks++;
	if (run->v)
		return 0;
	if (home->flags & VJ_TAG_ESCAPE)
		put_unaligned(cpu_to_be32(VJ_MAGIC), (__be32 *)run->data);
	return vexfs_dev_write(run->j->dev, home->bno, run->data);
}

static int vj_descriptor(struct vj_run *run, u32 pos)
{
	size_t at = sizeof(struct vj_header);
	struct vj_home home;
	u32 tags = 0;
	int err = 0;

	if (!vj_tail_good(run)) {
		if (run->pass != VJ_SCAN)
			return -EIO;
		run->doubt = true;
	}
	while (!err && vj_tag_get(run, &at, &home)) {
		u32 block = vj_next(run);

		tags++;
		if (run->pass == VJ_WRITE)
			err = vj_write_block(run, block, &home);
		if (home.flags & VJ_TAG_LAST)
			break;
	}
	if (run->pass == VJ_SCAN && run->left < tags)
		return -E2BIG;
	if (run->pass == VJ_SCAN)
		run->left -= tags;
	else if (run->pass == VJ_WRITE && run->v && run->v->descriptor)
		run->v->descriptor(run->arg, pos, run->seq, tags);
	return err;
}

/* -------------------------------------------------------------- commits */

static bool vj_commit_good(struct vj_run *run)
{
	size_t at = offsetof(struct vj_commit, c_chksum);

	return !run->j->csum ||
	       get_unaligned_be32(run->block + at) ==
	       vj_csum_but(run->j->seed, run->block, VEXFS_BLOCK_SIZE, at);
}

/*
 * The end of a transaction. What is older than the commit before it is left
 * from an earlier round through the log: the end, and nothing is wrong.
 */
static int vj_commit(struct vj_run *run, u32 pos)
{
	const struct vj_commit *c = (const void *)run->block;
	u64 when = be64_to_cpu(c->c_commit_sec) * NSEC_PER_SEC +
		   be32_to_cpu(c->c_commit_nsec);

	if (run->pass == VJ_SCAN) {
		if ((run->doubt || !vj_commit_good(run)) &&
		    when < run->last_commit)
			return -E2BIG;
		if (!vj_commit_good(run)) {
			run->r->torn = "a commit block is damaged";
			return -E2BIG;
		}
		if (run->doubt) {
			run->r->torn =
				"a descriptor of a committed transaction is damaged";
			return -E2BIG;
		}
		run->last_commit = when;
		run->r->transactions++;
	} else if (run->pass == VJ_WRITE && run->v && run->v->commit) {
		run->v->commit(run->arg, pos, run->seq,
			       be64_to_cpu(c->c_commit_sec));
	}
	run->seq++;
	return 0;
}

/* One block of the log; -E2BIG: it ends in front of this one. */
static int vj_step(struct vj_run *run)
{
	const struct vj_header *h = (const void *)run->block;
	u32 pos = vj_next(run);
	int err = vj_read(run->j, pos, run->block);

	if (err)
		return err;
	if (be32_to_cpu(h->h_magic) != VJ_MAGIC ||
	    be32_to_cpu(h->h_sequence) != run->seq)
		return -E2BIG;
	switch (be32_to_cpu(h->h_blocktype)) {
	case VJ_DESCRIPTOR:
		return vj_descriptor(run, pos);
	case VJ_COMMIT:
		return vj_commit(run, pos);
	case VJ_REVOKE:
		return vj_revoke_block(run, pos);
	default:
		return -E2BIG;
	}
}

static int vj_pass(struct vj_run *run, enum vj_pass pass)
{
	int err = 0;

	run->pass = pass;
	run->pos = run->j->start;
	run->seq = run->j->sequence;
	run->left = run->j->maxlen;
	run->doubt = false;
	while (!err && run->left &&
	       (pass == VJ_SCAN || vj_before(run->seq, run->r->next_sequence))) {
		run->left--;
		err = vj_step(run);
	}
	if (pass == VJ_SCAN)
		run->r->next_sequence = run->seq;
	return err == -E2BIG ? 0 : err;
}

int vj_walk(struct vj_journal *j, const struct vj_visitor *v, void *arg,
	    struct vj_replay *r)
{
	struct vj_run *run = calloc(1, sizeof(*run));
	int err;

	if (!run)
		return -ENOMEM;
	memset(r, 0, sizeof(*r));
	r->next_sequence = j->sequence;
	run->j = j;
	run->r = r;
	run->v = v;
	run->arg = arg;
	err = vj_empty(j) ? 0 : vj_pass(run, VJ_SCAN);
	if (!err && r->transactions)
		err = vj_pass(run, VJ_REVOKES);
	if (!err && r->transactions)
		err = vj_pass(run, VJ_WRITE);
	vexfs_bmap_destroy(&run->revoked, vj_revoked_free);
	free(run);
	return err;
}

int vj_replay(struct vj_journal *j, struct vj_replay *r)
{
	return vj_walk(j, NULL, NULL, r);
}

/* ----------------------------------------------------------- superblock */

static int vj_write_super(struct vj_journal *j, u8 *block)
{
	struct vj_super *s = (void *)block;

	size_t at = offsetof(struct vj_super, s_checksum);

	if (j->csum)
		s->s_checksum = cpu_to_be32(vj_csum_but(~0u, s, sizeof(*s),
							at));
	return vexfs_dev_write(j->dev, vexfs_journal_block(j->geom, 0), block);
}

int vj_reset(struct vj_journal *j, u32 sequence)
{
	u8 block[VEXFS_BLOCK_SIZE] __aligned(8);
	struct vj_super *s = (void *)block;
	int err = vj_read(j, 0, block);

	if (err)
		return err;
	s->s_start = 0;
	s->s_errno = 0;
	/* One number more: no block of the old log can pass for the new. */
	s->s_sequence = cpu_to_be32(sequence + 1);
	s->s_head = 0;
	return vj_write_super(j, block);
}

int vj_make(struct vexfs_dev *dev, const struct vexfs_geom *geom,
	    const u8 *uuid)
{
	struct vj_journal j = { .dev = dev, .geom = geom };
	u8 block[VEXFS_BLOCK_SIZE] __aligned(8) = { };
	struct vj_super *s = (void *)block;

	s->s_header.h_magic = cpu_to_be32(VJ_MAGIC);
	s->s_header.h_blocktype = cpu_to_be32(VJ_SUPER_V2);
	s->s_blocksize = cpu_to_be32(VEXFS_BLOCK_SIZE);
	s->s_maxlen = cpu_to_be32((u32)vexfs_journal_blocks(geom));
	s->s_first = cpu_to_be32(1);
	/* Far from the numbers of whatever is still in the log */
	s->s_sequence = cpu_to_be32(get_random_u32() & S32_MAX);
	memcpy(s->s_uuid, uuid, sizeof(s->s_uuid));
	s->s_nr_users = cpu_to_be32(1);
	return vj_write_super(&j, block);
}

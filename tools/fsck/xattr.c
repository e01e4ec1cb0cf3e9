// SPDX-License-Identifier: GPL-2.0
/*
 * Extended attributes: entries in the inode and in a chain of blocks, values
 * that lie elsewhere. A bad entry goes alone, a bad block with the rest of
 * its chain.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include "fsck.h"

/* As many blocks as a chain may have, and runs a remote value. */
#define FSCK_XATTR_CHAIN	64
#define FSCK_XATTR_RUNS		4
#define FSCK_XVALUE_BYTES	sizeof_field(struct vexfs_xvalue_block, xv_data)
#define FSCK_XATTR_HEAD		sizeof(struct vexfs_xattr_entry)

struct fsck_xattr {
	struct fsck *f;
	u64	ino;
	u32	generation;
	u64	*blocks;		/* counted for i_blocks */
	u32	nchain;
	u64	chain[FSCK_XATTR_CHAIN];
};

/* Where an entry and its body lie in an area of entries. */
struct fsck_xentry {
	u32	len;			/* with padding */
	u32	runs;
	u32	value_len;
	const u8 *body;
};

/* NULL, or what is wrong with the entry at @data. */
static const char *fsck_xentry_get(const u8 *data, u32 left,
				   struct fsck_xentry *x)
{
	const struct vexfs_xattr_entry *xe = (const void *)data;
	u32 flags, body, need;

	if (left < FSCK_XATTR_HEAD)
		return "no room for an entry";
	flags = le16_to_cpu(xe->xe_flags);
	x->value_len = le32_to_cpu(xe->xe_value_len);
	x->runs = 0;
	if (flags & ~VEXFS_XATTR_REMOTE || !xe->xe_index ||
	    x->value_len > VEXFS_XATTR_MAX_VALUE)
		return "impossible entry";
	if (memchr(xe->xe_data, 0, min(xe->xe_name_len + 0u,
				       left - (u32)FSCK_XATTR_HEAD)))
		return "zero byte in a name";
	body = x->value_len;
	x->body = xe->xe_data + xe->xe_name_len;
	if (flags & VEXFS_XATTR_REMOTE) {
		u32 want = DIV_ROUND_UP(x->value_len, FSCK_XVALUE_BYTES);
		u32 at = FSCK_XATTR_HEAD + xe->xe_name_len, have = 0;

		while (have < want && x->runs < FSCK_XATTR_RUNS &&
		       at + sizeof(struct vexfs_xattr_remote) <= left) {
			have += get_unaligned_le32(data + at + 8);
			at += sizeof(struct vexfs_xattr_remote);
			x->runs++;
		}
		if (!want || have != want)
			return "remote value of another length";
		body = x->runs * sizeof(struct vexfs_xattr_remote);
	}
	need = FSCK_XATTR_HEAD + xe->xe_name_len + body;
	x->len = round_up(need, 4u);
	return x->len > left ? "entry passes the end" : NULL;
}

static void fsck_run_get(const struct fsck_xentry *x, u32 i, u64 *bno, u32 *n,
			 u32 *csum)
{
	const u8 *p = x->body + i * sizeof(struct vexfs_xattr_remote);

	*bno = get_unaligned_le64(p);
	*n = get_unaligned_le32(p + 8);
	*csum = get_unaligned_le32(p + 12);
}

static u32 fsck_run_clusters(struct fsck *f, u32 blocks)
{
	return DIV_ROUND_UP(blocks, f->fs.geom.cluster_blocks);
}

/* The blocks of one run: headers, and the checksum of their contents. */
static const char *fsck_run_why(struct fsck_xattr *xa, u64 bno, u32 n,
				u32 csum, u32 *left)
{
	struct fsck *f = xa->f;
	u8 data[VEXFS_BLOCK_SIZE] __aligned(8);
	const struct vexfs_xvalue_block *xv = (const void *)data;
	u32 i, part, crc = f->fs.csum_seed;
	const char *why;

	if (!n || n > VEXFS_XATTR_MAX_VALUE / FSCK_XVALUE_BYTES + 1 ||
	    !vexfs_block_valid(&f->fs, bno, n) ||
	    (bno & (f->fs.geom.cluster_blocks - 1)))
		return "its place is impossible";
	for (i = 0; i < n; i++) {
		if (fsck_read(f, bno + i, data))
			return "it can't be read";
		if (fsck_meta_check(f, data, bno + i, VEXFS_MAGIC_XVALUE,
				    xa->ino, xa->generation, &why) !=
		    META_GOOD)
			return why;
		part = min_t(u32, *left, FSCK_XVALUE_BYTES);
		crc = vexfs_crc32c(crc, xv->xv_data, part);
		*left -= part;
	}
	return crc == csum ? NULL : "its checksum is wrong";
}

static const char *fsck_value_why(struct fsck_xattr *xa,
				  const struct fsck_xentry *x)
{
	u32 i, n, csum, left = x->value_len;
	const char *why = NULL;
	u64 bno;

	for (i = 0; !why && i < x->runs; i++) {
		fsck_run_get(x, i, &bno, &n, &csum);
		why = fsck_run_why(xa, bno, n, csum, &left);
	}
	return why;
}

static void fsck_value_claim(struct fsck_xattr *xa, const struct fsck_xentry *x)
{
	const struct vexfs_geom *g = &xa->f->fs.geom;
	u32 i, j, n, csum, clusters;
	u64 bno;

	for (i = 0; i < x->runs; i++) {
		fsck_run_get(x, i, &bno, &n, &csum);
		clusters = fsck_run_clusters(xa->f, n);
		for (j = 0; j < clusters; j++)
			fsck_claim(xa->f, vexfs_block_to_cluster(g, bno) + j);
		*xa->blocks += (u64)clusters * g->cluster_blocks;
	}
}

/* The entries of an area: bad ones are taken out. True if any was. */
static bool fsck_check_area(struct fsck_xattr *xa, u8 *data, u32 *used,
			    u64 bno)
{
	struct fsck_xentry x;
	enum fsck_kind kind;
	const char *why;
	bool changed = false;
	u32 at = 0;

	while (at < *used) {
		kind = FP_XATTR_ENTRY;
		why = fsck_xentry_get(data + at, *used - at, &x);
		/* What follows an entry of no length can't be found. */
		if (why)
			x.len = *used - at;
		if (!why) {
			kind = FP_XATTR_VALUE;
			why = fsck_value_why(xa, &x);
		}
		if (why && fsck_problem(xa->f, kind, xa->ino, bno, "%s", why)) {
			memmove(data + at, data + at + x.len,
				*used - at - x.len);
			memset(data + *used - x.len, 0, x.len);
			*used -= x.len;
			changed = true;
			continue;
		}
		at += x.len;
	}
	return changed;
}

/* When it is settled which entries stay. */
static void fsck_claim_area(struct fsck_xattr *xa, const u8 *data, u32 used)
{
	struct fsck_xentry x;
	u32 at;

	for (at = 0; at < used; at += x.len) {
		if (fsck_xentry_get(data + at, used - at, &x))
			break;
		if (!fsck_value_why(xa, &x))
			fsck_value_claim(xa, &x);
	}
}

static void fsck_check_inline(struct fsck_xattr *xa, struct vexfs_inode *di,
			      bool *dirty)
{
	u32 used = le16_to_cpu(di->i_xattr_len);
	const char *why;

	if (used > VEXFS_INLINE_XATTR)
		return;
	if (fsck_check_area(xa, di->i_xattr_inline, &used, 0)) {
		di->i_xattr_len = cpu_to_le16((u16)used);
		*dirty = true;
	}
	/* The core may know of more that is wrong with them. */
	why = used ? fsck_core_why(xa->f, xa->ino, di) : NULL;
	if (why && fsck_problem(xa->f, FP_XATTR_INLINE, xa->ino, 0, "%s",
				why)) {
		memset(di->i_xattr_inline, 0, sizeof(di->i_xattr_inline));
		di->i_xattr_len = 0;
		*dirty = true;
		return;
	}
	fsck_claim_area(xa, di->i_xattr_inline, used);
}

/* False: the block is none of this chain. */
static bool fsck_xblock_check(struct fsck_xattr *xa, u64 bno, u8 *data,
			      const char **why)
{
	struct fsck *f = xa->f;
	struct vexfs_xattr_block *xb = (void *)data;
	u32 i;

	for (i = 0; i < xa->nchain; i++)
		if (xa->chain[i] == bno)
			*why = "the chain is a loop";
	if (*why)
		return false;
	if (xa->nchain == FSCK_XATTR_CHAIN || fsck_read(f, bno, data)) {
		*why = "it can't be read";
		return false;
	}
	switch (fsck_meta_check(f, data, bno, VEXFS_MAGIC_XATTR, xa->ino,
				xa->generation, why)) {
	case META_ALIEN:
		return false;
	case META_CSUM:
		if (fsck_problem(f, FP_XATTR_CSUM, xa->ino, bno, NULL)) {
			fsck_meta_seal(f, data);
			fsck_write(f, bno, data);
		}
		break;
	default:
		break;
	}
	*why = "it holds more than fits";
	return le32_to_cpu(xb->xb_used) <= sizeof(xb->xb_data);
}

/* Ends the chain at the link that leads to the bad block. */
static void fsck_chain_cut(struct fsck_xattr *xa, struct vexfs_inode *di,
			   bool *dirty)
{
	u8 data[VEXFS_BLOCK_SIZE] __aligned(8);
	struct vexfs_xattr_block *xb = (void *)data;
	u64 prev;

	if (!xa->nchain) {
		di->i_xattr = 0;
		*dirty = true;
		return;
	}
	prev = xa->chain[xa->nchain - 1];
	if (fsck_read(xa->f, prev, data))
		return;
	xb->xb_next = 0;
	fsck_meta_seal(xa->f, data);
	fsck_write(xa->f, prev, data);
}

static void fsck_check_chain(struct fsck_xattr *xa, struct vexfs_inode *di,
			     bool *dirty)
{
	struct fsck *f = xa->f;
	u64 bno = le64_to_cpu(di->i_xattr);
	u8 data[VEXFS_BLOCK_SIZE] __aligned(8);
	struct vexfs_xattr_block *xb = (void *)data;
	const char *why;
	u32 used;

	for (; bno; bno = le64_to_cpu(xb->xb_next)) {
		why = NULL;
		if (!vexfs_block_valid(&f->fs, bno, 1))
			why = "its number is impossible";
		if (why || !fsck_xblock_check(xa, bno, data, &why)) {
			if (fsck_problem(f, FP_XATTR_BLOCK, xa->ino, bno, "%s",
					 why))
				fsck_chain_cut(xa, di, dirty);
			return;
		}
		used = le32_to_cpu(xb->xb_used);
		if (fsck_check_area(xa, xb->xb_data, &used, bno)) {
			xb->xb_used = cpu_to_le32(used);
			fsck_meta_seal(f, data);
			fsck_write(f, bno, data);
		}
		if (fsck_meta_check(f, data, bno, VEXFS_MAGIC_XATTR, xa->ino,
				    xa->generation, &why) != META_GOOD &&
		    fsck_problem(f, FP_XATTR_BLOCK, xa->ino, bno, "%s", why)) {
			fsck_chain_cut(xa, di, dirty);
			return;
		}
		xa->chain[xa->nchain++] = bno;
		fsck_claim(f, vexfs_block_to_cluster(&f->fs.geom, bno));
		*xa->blocks += f->fs.geom.cluster_blocks;
		fsck_claim_area(xa, xb->xb_data, used);
	}
}

int fsck_check_xattrs(struct fsck *f, u64 ino, struct vexfs_inode *di,
		      u64 *blocks, bool *dirty)
{
	struct fsck_xattr xa = {
		.f = f, .ino = ino, .blocks = blocks,
		.generation = le32_to_cpu(di->i_generation),
	};

	fsck_check_inline(&xa, di, dirty);
	fsck_check_chain(&xa, di, dirty);
	return 0;
}

/* ------------------------------------------------------------- freeing */

static int fsck_free_area(struct fsck *f, struct vexfs_trans *t,
			  const u8 *data, u32 used)
{
	struct fsck_xentry x;
	u32 at, i, n, csum;
	u64 bno, first;
	int err = 0;

	for (at = 0; !err && at < used; at += x.len) {
		if (fsck_xentry_get(data + at, used - at, &x))
			break;
		for (i = 0; !err && i < x.runs; i++) {
			fsck_run_get(&x, i, &bno, &n, &csum);
			first = vexfs_block_to_cluster(&f->fs.geom, bno);
			err = vexfs_bfree(t, &f->fs, first,
					  fsck_run_clusters(f, n));
		}
	}
	return err;
}

int fsck_xattr_free(struct fsck *f, struct vexfs_trans *t, u64 ino,
		    struct vexfs_inode *di)
{
	u64 bno = le64_to_cpu(di->i_xattr), next;
	u8 data[VEXFS_BLOCK_SIZE] __aligned(8);
	const struct vexfs_xattr_block *xb = (const void *)data;
	u32 n;
	int err;

	err = fsck_free_area(f, t, di->i_xattr_inline,
			     min_t(u32, le16_to_cpu(di->i_xattr_len),
				   VEXFS_INLINE_XATTR));
	for (n = 0; bno && !err && n < FSCK_XATTR_CHAIN; bno = next, n++) {
		err = fsck_read(f, bno, data);
		next = le64_to_cpu(xb->xb_next);
		if (!err)
			err = fsck_free_area(f, t, xb->xb_data,
					     min_t(u32, le32_to_cpu(xb->xb_used),
						   sizeof(xb->xb_data)));
		if (!err)
			err = fsck_free_block(f, t, bno);
	}
	return err;
}

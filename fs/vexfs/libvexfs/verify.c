// SPDX-License-Identifier: GPL-2.0
/*
 * Metadata blocks that start with a header: made, read and verified here.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include "libvexfs.h"

static const char vexfs_bad_csum[] = "metadata checksum is wrong";

static u32 vexfs_meta_crc(struct vexfs_fs *fs, const void *data)
{
	const size_t at = offsetof(struct vexfs_block_header, bh_checksum);
	const size_t after = at + sizeof(__le32);
	const __le32 zero = 0;
	u32 crc;

	crc = vexfs_crc32c(fs->csum_seed, data, at);
	crc = vexfs_crc32c(crc, &zero, sizeof(zero));
	return vexfs_crc32c(crc, data + after, VEXFS_BLOCK_SIZE - after);
}

void vexfs_meta_init(struct vexfs_fs *fs, struct vexfs_buf *buf, u32 magic,
		     u64 owner, u32 generation)
{
	struct vexfs_block_header *bh = vexfs_buf_data(buf);

	memset(bh, 0, VEXFS_BLOCK_SIZE);
	bh->bh_magic = cpu_to_le32(magic);
	bh->bh_blocknr = cpu_to_le64(vexfs_buf_bno(buf));
	bh->bh_owner = cpu_to_le64(owner);
	bh->bh_generation = cpu_to_le32(generation);
	vexfs_buf_set_verified(buf);
}

void vexfs_meta_csum_data(struct vexfs_fs *fs, void *data)
{
	struct vexfs_block_header *bh = data;

	bh->bh_checksum = cpu_to_le32(vexfs_meta_crc(fs, bh));
}

void vexfs_meta_csum(struct vexfs_fs *fs, struct vexfs_buf *buf)
{
	vexfs_meta_csum_data(fs, vexfs_buf_data(buf));
}

/*
 * What a stale or crossed pointer would show: checked at every use, since a
 * block that is cached and verified may have become another object's.
 */
static const char *vexfs_verify_header(const struct vexfs_block_header *bh,
				       u64 bno, u32 magic, u64 owner,
				       u32 generation)
{
	if (le32_to_cpu(bh->bh_magic) != magic)
		return "block has another magic number";
	if (le64_to_cpu(bh->bh_blocknr) != bno)
		return "block was written for another place";
	if (le64_to_cpu(bh->bh_owner) != owner)
		return "block belongs to another inode";
	if (le32_to_cpu(bh->bh_generation) != generation)
		return "block belongs to an earlier inode";
	return NULL;
}

static const char *vexfs_verify_xattr_block(struct vexfs_fs *fs,
					    const void *data)
{
	const struct vexfs_xattr_block *xb = data;
	u64 next = le64_to_cpu(xb->xb_next);

	if (le32_to_cpu(xb->xb_used) > VEXFS_XATTR_SPACE)
		return "xattr block holds more than fits";
	if (le32_to_cpu(xb->xb_refcount) != 1)
		return "xattr block is shared";
	if (next && !vexfs_block_valid(fs, next, 1))
		return "xattr chain leaves the data area";
	return vexfs_verify_xattrs(fs, xb->xb_data, le32_to_cpu(xb->xb_used));
}

/* Bits of an element, by enum vexfs_elem_type. */
static const u8 vexfs_elem_bits[] = {
	[VEXFS_ELEM_F32]	= 32,
	[VEXFS_ELEM_F16]	= 16,
	[VEXFS_ELEM_BF16]	= 16,
	[VEXFS_ELEM_I8]		= 8,
	[VEXFS_ELEM_U8]		= 8,
	[VEXFS_ELEM_B1]		= 1,
};

static const char *vexfs_verify_coll_shape(const struct vexfs_coll_header *ch)
{
	u32 dims = le32_to_cpu(ch->ch_dims);
	u32 row;

	if (le32_to_cpu(ch->ch_version) != 1)
		return "collection of an unknown version";
	if (!dims || dims > VEXFS_MAX_DIMS)
		return "bad dimension of a collection";
	if (ch->ch_elem < VEXFS_ELEM_F32 || ch->ch_elem > VEXFS_ELEM_B1)
		return "bad element type of a collection";
	if (ch->ch_metric < VEXFS_METRIC_L2 ||
	    ch->ch_metric > VEXFS_METRIC_HAMMING)
		return "bad metric of a collection";
	if (ch->ch_index < VEXFS_INDEX_FLAT || ch->ch_index > VEXFS_INDEX_LSH)
		return "bad index type of a collection";
	row = DIV_ROUND_UP(dims * vexfs_elem_bits[ch->ch_elem], 8);
	if (le32_to_cpu(ch->ch_stride) != round_up(row, VEXFS_ROW_ALIGN))
		return "bad row size of a collection";
	return NULL;
}

static const char *vexfs_verify_coll_columns(const struct vexfs_coll_header *ch)
{
	const struct vexfs_coll_column *cc;
	int i;

	if (ch->ch_ncolumns > VEXFS_MAX_COLUMNS)
		return "too many columns of a collection";
	for (i = 0; i < VEXFS_MAX_COLUMNS; i++) {
		cc = &ch->ch_column[i];
		if (i >= ch->ch_ncolumns) {
			if (memchr_inv(cc, 0, sizeof(*cc)))
				return "column behind the last of a collection";
			continue;
		}
		if (!cc->cc_name[0])
			return "column without a name";
		if (cc->cc_type < VEXFS_COLUMN_I64 ||
		    cc->cc_type > VEXFS_COLUMN_F64)
			return "bad column type";
	}
	return NULL;
}

const char *vexfs_verify_coll_header(const void *data)
{
	const struct vexfs_coll_header *ch = data;
	u64 slots = le64_to_cpu(ch->ch_slots);
	const char *why;

	why = vexfs_verify_coll_shape(ch);
	if (!why)
		why = vexfs_verify_coll_columns(ch);
	if (why)
		return why;
	if (slots > VEXFS_MAX_SLOTS)
		return "too many slots in a collection";
	if (le64_to_cpu(ch->ch_live) > slots)
		return "more vectors than slots in a collection";
	if (le64_to_cpu(ch->ch_log_start) > le64_to_cpu(ch->ch_log_end))
		return "log of a collection ends before it starts";
	if (le64_to_cpu(ch->ch_log_end) >> 44)
		return "log of a collection is too long";
	if (le64_to_cpu(ch->ch_ckpt_log_seq) > le64_to_cpu(ch->ch_log_seq))
		return "checkpoint is newer than its collection";
	if (memchr_inv(ch->ch_reserved, 0, sizeof(ch->ch_reserved)))
		return "reserved bytes used in a collection";
	return NULL;
}

static const char *vexfs_verify_body(struct vexfs_fs *fs, const void *data,
				     u32 magic)
{
	switch (magic) {
	case VEXFS_MAGIC_EXTENT:
		return vexfs_verify_extent_node(fs, data);
	case VEXFS_MAGIC_DIR:
		return vexfs_verify_dir_block(data);
	case VEXFS_MAGIC_XATTR:
		return vexfs_verify_xattr_block(fs, data);
	case VEXFS_MAGIC_COLL:
		return vexfs_verify_coll_header(data);
	case VEXFS_MAGIC_SYMLINK:
	case VEXFS_MAGIC_XVALUE:
		return NULL;
	default:
		return "unknown kind of metadata";
	}
}

const char *vexfs_verify_meta(struct vexfs_fs *fs, const void *data, u64 bno,
			      u32 magic, u64 owner, u32 generation)
{
	const struct vexfs_block_header *bh = data;
	const char *why;

	why = vexfs_verify_header(bh, bno, magic, owner, generation);
	if (why)
		return why;
	if (le32_to_cpu(bh->bh_checksum) != vexfs_meta_crc(fs, data))
		return vexfs_bad_csum;
	return vexfs_verify_body(fs, data, magic);
}

struct vexfs_buf *vexfs_meta_read(struct vexfs_fs *fs, u64 bno, u32 magic,
				  u64 owner, u32 generation)
{
	struct vexfs_buf *buf;
	const char *why;
	bool fresh;

	if (!vexfs_block_valid(fs, bno, 1)) {
		VEXFS_CORRUPTED(fs, owner, bno, "pointer out of the data area");
		return ERR_PTR(-EFSCORRUPTED);
	}
	buf = vexfs_buf_read(fs, bno);
	if (IS_ERR(buf))
		return buf;
	fresh = !vexfs_buf_verified(buf);
	if (fresh)
		why = vexfs_verify_meta(fs, vexfs_buf_data(buf), bno, magic,
					owner, generation);
	else
		why = vexfs_verify_header(vexfs_buf_data(buf), bno, magic,
					  owner, generation);
	if (why) {
		vexfs_buf_put(buf);
		VEXFS_CORRUPTED(fs, owner, bno, why);
		return ERR_PTR(why == vexfs_bad_csum ? -EFSBADCRC :
						       -EFSCORRUPTED);
	}
	if (fresh)
		vexfs_buf_set_verified(buf);
	return buf;
}

bool vexfs_block_valid(struct vexfs_fs *fs, u64 bno, u64 count)
{
	const struct vexfs_geom *g = &fs->geom;
	u64 first, last, end;

	if (!count || check_add_overflow(bno, count - 1, &end))
		return false;
	first = vexfs_block_to_cluster(g, bno);
	last = vexfs_block_to_cluster(g, end);
	return !vexfs_range_is_fixed(g, first, last - first + 1);
}

// SPDX-License-Identifier: GPL-2.0
/*
 * Metadata blocks with a header, looked at more closely than by the core: is
 * it only the checksum, the contents, or another's block altogether?
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include "fsck.h"

static u32 fsck_meta_crc(struct fsck *f, const void *data)
{
	const size_t at = offsetof(struct vexfs_block_header, bh_checksum);
	const __le32 zero = 0;
	u32 crc;

	crc = vexfs_crc32c(f->fs.csum_seed, data, at);
	crc = vexfs_crc32c(crc, &zero, sizeof(zero));
	return vexfs_crc32c(crc, data + at + sizeof(zero),
			    VEXFS_BLOCK_SIZE - at - sizeof(zero));
}

void fsck_meta_seal(struct fsck *f, void *data)
{
	struct vexfs_block_header *bh = data;

	bh->bh_checksum = cpu_to_le32(fsck_meta_crc(f, data));
}

enum fsck_meta fsck_meta_check(struct fsck *f, const void *data, u64 bno,
			       u32 magic, u64 owner, u32 generation,
			       const char **why)
{
	const struct vexfs_block_header *bh = data;
	u8 copy[VEXFS_BLOCK_SIZE] __aligned(8);

	*why = vexfs_verify_meta(&f->fs, data, bno, magic, owner, generation);
	if (!*why)
		return META_GOOD;
	if (le32_to_cpu(bh->bh_magic) != magic ||
	    le64_to_cpu(bh->bh_blocknr) != bno ||
	    le64_to_cpu(bh->bh_owner) != owner ||
	    le32_to_cpu(bh->bh_generation) != generation)
		return META_ALIEN;
	if (le32_to_cpu(bh->bh_checksum) == fsck_meta_crc(f, data))
		return META_BODY;
	memcpy(copy, data, sizeof(copy));
	fsck_meta_seal(f, copy);
	if (!vexfs_verify_meta(&f->fs, copy, bno, magic, owner, generation))
		return META_CSUM;
	return META_BODY;
}

/* Through the cache of the core, so that both see the same. */
int fsck_read(struct fsck *f, u64 bno, void *data)
{
	struct vexfs_buf *buf = vexfs_buf_read(&f->fs, bno);

	if (IS_ERR(buf))
		return PTR_ERR(buf);
	memcpy(data, vexfs_buf_data(buf), VEXFS_BLOCK_SIZE);
	vexfs_buf_put(buf);
	return 0;
}

int fsck_write(struct fsck *f, u64 bno, const void *data)
{
	struct vexfs_trans *t = fsck_begin(f);
	struct vexfs_buf *buf;
	int err;

	if (IS_ERR(t))
		return PTR_ERR(t);
	buf = vexfs_buf_get(&f->fs, bno);
	err = IS_ERR(buf) ? PTR_ERR(buf) : vexfs_trans_create(t, buf);
	if (!err) {
		memcpy(vexfs_buf_data(buf), data, VEXFS_BLOCK_SIZE);
		err = vexfs_trans_dirty(t, buf);
	}
	if (!IS_ERR(buf))
		vexfs_buf_put(buf);
	return fsck_end(f, t, err);
}

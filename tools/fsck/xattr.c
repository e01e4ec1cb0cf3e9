// SPDX-License-Identifier: GPL-2.0
/*
 * Extended attributes: the chain of blocks from i_xattr.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include "fsck.h"

/* No inode has more blocks of attributes. */
#define FSCK_XATTR_CHAIN	4096

int fsck_check_xattrs(struct fsck *f, u64 ino, struct vexfs_inode *di,
		      u64 *blocks, bool *dirty)
{
	u64 bno = le64_to_cpu(di->i_xattr);
	u32 generation = le32_to_cpu(di->i_generation), n = 0;
	u8 data[VEXFS_BLOCK_SIZE];
	const struct vexfs_xattr_block *xb = (const void *)data;
	const char *why;

	while (bno && vexfs_block_valid(&f->fs, bno, 1) &&
	       n++ < FSCK_XATTR_CHAIN) {
		if (fsck_read(f, bno, data))
			break;
		if (fsck_meta_check(f, data, bno, VEXFS_MAGIC_XATTR, ino,
				    generation, &why) != META_GOOD &&
		    fsck_problem(f, FP_XATTR_BLOCK, ino, bno, "%s", why)) {
			di->i_xattr = 0;
			*dirty = true;
			break;
		}
		fsck_claim(f, vexfs_block_to_cluster(&f->fs.geom, bno));
		*blocks += f->fs.geom.cluster_blocks;
		bno = le64_to_cpu(xb->xb_next);
	}
	return 0;
}

int fsck_xattr_free(struct fsck *f, struct vexfs_trans *t, u64 ino,
		    struct vexfs_inode *di)
{
	u64 bno = le64_to_cpu(di->i_xattr), next;
	u8 data[VEXFS_BLOCK_SIZE];
	const struct vexfs_xattr_block *xb = (const void *)data;
	u32 n = 0;
	int err = 0;

	for (; bno && !err && n < FSCK_XATTR_CHAIN; bno = next, n++) {
		err = fsck_read(f, bno, data);
		next = le64_to_cpu(xb->xb_next);
		if (!err)
			err = fsck_free_block(f, t, bno);
	}
	return err;
}

// SPDX-License-Identifier: GPL-2.0
/*
 * The fields of an inode: each is checked alone and mended where that is
 * possible. An inode without a sensible type can't be.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include "fsck.h"

#define FSCK_KNOWN_FL							\
	(VEXFS_SYNC_FL | VEXFS_IMMUTABLE_FL | VEXFS_APPEND_FL |		\
	 VEXFS_NODUMP_FL | VEXFS_NOATIME_FL | VEXFS_DIRSYNC_FL |	\
	 VEXFS_PROJINHERIT_FL | VEXFS_COLLECTION_FL | VEXFS_FORK_FL)
#define FSCK_SYMLINK_MAX	4095

struct fsck_record {
	struct fsck *f;
	u64	ino;
	struct vexfs_inode *di;
	bool	dirty;
};

/* Reports, and notes that the inode changes if it may. */
static bool fsck_record_fix(struct fsck_record *r, enum fsck_kind kind,
			    const char *what)
{
	bool yes = fsck_problem(r->f, kind, r->ino, 0, "%s", what);

	r->dirty |= yes;
	return yes;
}

static void fsck_record_flags(struct fsck_record *r)
{
	struct vexfs_inode *di = r->di;
	u32 flags = le32_to_cpu(di->i_flags), good = flags & FSCK_KNOWN_FL;

	if ((le16_to_cpu(di->i_mode) & S_IFMT) != S_IFREG)
		good &= ~(VEXFS_COLLECTION_FL | VEXFS_FORK_FL);
	else if (good & VEXFS_FORK_FL)
		good &= ~VEXFS_COLLECTION_FL;
	if (good != flags && fsck_record_fix(r, FP_INODE_FLAGS, "unknown"))
		di->i_flags = cpu_to_le32(good);
}

static void fsck_record_limits(struct fsck_record *r)
{
	const u64 most = (u64)VEXFS_MAX_LBLK << VEXFS_BLOCK_SHIFT;
	struct vexfs_inode *di = r->di;
	u64 xattr = le64_to_cpu(di->i_xattr);
	__le32 *owner[] = { &di->i_uid, &di->i_gid, &di->i_projid };
	int i;

	/* The number that stands for none. */
	for (i = 0; i < (int)ARRAY_SIZE(owner); i++)
		if (le32_to_cpu(*owner[i]) == U32_MAX &&
		    fsck_record_fix(r, FP_INODE_FIELD, "impossible owner"))
			*owner[i] = 0;
	if (le64_to_cpu(di->i_size) > most &&
	    fsck_record_fix(r, FP_INODE_SIZE, "larger than a file can be"))
		di->i_size = 0;
	if (le32_to_cpu(di->i_nlink) > VEXFS_LINK_MAX &&
	    fsck_record_fix(r, FP_INODE_FIELD, "too many links"))
		di->i_nlink = cpu_to_le32(1);
	if (le16_to_cpu(di->i_xattr_len) > VEXFS_INLINE_XATTR &&
	    fsck_record_fix(r, FP_XATTR_INLINE, "too long")) {
		di->i_xattr_len = 0;
		memset(di->i_xattr_inline, 0, sizeof(di->i_xattr_inline));
	}
	if (xattr && !vexfs_block_valid(&r->f->fs, xattr, 1) &&
	    fsck_record_fix(r, FP_XATTR_BLOCK, "its number is impossible"))
		di->i_xattr = 0;
}

static void fsck_record_regular(struct fsck_record *r)
{
	struct vexfs_inode *di = r->di;
	u32 flags = le32_to_cpu(di->i_flags);
	u64 coll = le64_to_cpu(di->i_coll);

	if (flags & VEXFS_COLLECTION_FL) {
		if (!vexfs_block_valid(&r->f->fs, coll, 1) &&
		    fsck_record_fix(r, FP_COLL_HEADER,
				    "its block number is impossible")) {
			di->i_flags &= ~cpu_to_le32(VEXFS_COLLECTION_FL);
			di->i_coll = 0;
		}
	} else if (coll && fsck_record_fix(r, FP_INODE_FIELD,
					   "collection header of a file")) {
		di->i_coll = 0;
	}
}

static void fsck_record_dir(struct fsck_record *r)
{
	struct vexfs_inode *di = r->di;
	u64 size = le64_to_cpu(di->i_size);

	if (size % VEXFS_BLOCK_SIZE &&
	    fsck_record_fix(r, FP_INODE_SIZE, "not whole blocks"))
		di->i_size = cpu_to_le64(round_down(size, VEXFS_BLOCK_SIZE));
	if (!di->i_parent &&
	    fsck_record_fix(r, FP_INODE_PARENT, "none, of a directory"))
		di->i_parent = cpu_to_le64(VEXFS_ROOT_INO);
}

/* False: a symlink whose target is lost. */
static bool fsck_record_symlink(struct fsck_record *r)
{
	struct vexfs_inode *di = r->di;
	u64 size = le64_to_cpu(di->i_size);
	const char *why = NULL;

	if (!size || size > FSCK_SYMLINK_MAX)
		why = "impossible length";
	else if (size <= VEXFS_FAST_SYMLINK && memchr(di->i_symlink, 0, size))
		why = "zero byte in it";
	return !why || !fsck_problem(r->f, FP_SYMLINK, r->ino, 0, "%s", why);
}

static bool fsck_record_type(struct fsck_record *r)
{
	switch (fsck_mode_type(le16_to_cpu(r->di->i_mode))) {
	case FT_REG_FILE:
		fsck_record_regular(r);
		return true;
	case FT_DIR:
		fsck_record_dir(r);
		return true;
	case FT_SYMLINK:
		return fsck_record_symlink(r);
	default:
		if (r->di->i_size &&
		    fsck_record_fix(r, FP_INODE_SIZE, "of a special file"))
			r->di->i_size = 0;
		return true;
	}
}

/* NULL, or why the record can't be mended. */
static const char *fsck_record_hopeless(struct fsck *f, u64 ino,
					struct vexfs_inode *di)
{
	bool csum = le32_to_cpu(di->i_checksum) ==
		    vexfs_inode_csum(&f->fs, di);

	if (le16_to_cpu(di->i_magic) != VEXFS_INODE_MAGIC)
		return "no magic number";
	if (csum && le64_to_cpu(di->i_ino) != ino)
		return "it is that of another number";
	if (!fsck_mode_type(le16_to_cpu(di->i_mode)))
		return "bad type";
	if (!di->i_generation)
		return "no generation";
	if ((le32_to_cpu(di->i_flags) & VEXFS_FORK_FL) && !di->i_parent)
		return "a fork of nothing";
	return NULL;
}

bool fsck_check_record(struct fsck *f, u64 ino, struct vexfs_inode *di,
		       bool *dirty)
{
	struct fsck_record r = { .f = f, .ino = ino, .di = di };
	const char *why = fsck_record_hopeless(f, ino, di);

	*dirty = false;
	if (why)
		return !fsck_problem(f, FP_INODE_BAD, ino, 0, "%s", why);
	if (le32_to_cpu(di->i_checksum) != vexfs_inode_csum(&f->fs, di))
		fsck_record_fix(&r, FP_INODE_CSUM, "its fields are looked at");
	if (le64_to_cpu(di->i_ino) != ino &&
	    fsck_record_fix(&r, FP_INODE_NUMBER, "in its record"))
		di->i_ino = cpu_to_le64(ino);
	fsck_record_flags(&r);
	fsck_record_limits(&r);
	if (!fsck_record_type(&r))
		return false;
	*dirty = r.dirty;
	return true;
}

const char *fsck_core_why(struct fsck *f, u64 ino,
			  const struct vexfs_inode *di)
{
	struct vexfs_inode copy = *di;

	copy.i_blocks = 0;
	/* A damaged chain is cut later. */
	copy.i_xattr = 0;
	if (fsck_has_map(di))
		vexfs_ext_init_root(&copy.i_root);
	copy.i_checksum = cpu_to_le32(vexfs_inode_csum(&f->fs, &copy));
	return vexfs_verify_inode(&f->fs, &copy, ino);
}

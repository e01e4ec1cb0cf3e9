// SPDX-License-Identifier: GPL-2.0
/*
 * Inodes on disk: where they are, checksum and verifier, the orphan list.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include "libvexfs.h"

#define VEXFS_KNOWN_FL							\
	(VEXFS_SYNC_FL | VEXFS_IMMUTABLE_FL | VEXFS_APPEND_FL |		\
	 VEXFS_NODUMP_FL | VEXFS_NOATIME_FL | VEXFS_DIRSYNC_FL |	\
	 VEXFS_PROJINHERIT_FL | VEXFS_COLLECTION_FL | VEXFS_FORK_FL)

/* PATH_MAX without the NUL */
#define VEXFS_SYMLINK_MAX	4095

static const char vexfs_bad_inode_csum[] = "inode checksum is wrong";

u32 vexfs_inode_csum(struct vexfs_fs *fs, struct vexfs_inode *di)
{
	const size_t at = offsetof(struct vexfs_inode, i_checksum);
	const size_t after = at + sizeof(di->i_checksum);
	const u8 *p = (const u8 *)di;
	const __le32 zero = 0;
	u32 crc;

	crc = vexfs_crc32c(fs->csum_seed, p, at);
	crc = vexfs_crc32c(crc, &zero, sizeof(zero));
	return vexfs_crc32c(crc, p + after, sizeof(*di) - after);
}

static const char *vexfs_verify_inode_map(struct vexfs_fs *fs,
					  struct vexfs_inode *di)
{
	u16 fmt = le16_to_cpu(di->i_mode) & S_IFMT;
	u64 size = le64_to_cpu(di->i_size);

	if (fmt == S_IFLNK && size <= VEXFS_FAST_SYMLINK)
		return NULL;
	if (fmt == S_IFREG || fmt == S_IFDIR || fmt == S_IFLNK)
		return vexfs_verify_extent_root(fs, &di->i_root);
	return size ? "special file has a size" : NULL;
}

static const char *vexfs_verify_inode_type(struct vexfs_fs *fs,
					   struct vexfs_inode *di)
{
	u32 flags = le32_to_cpu(di->i_flags);
	u64 size = le64_to_cpu(di->i_size);
	u64 coll = le64_to_cpu(di->i_coll);

	switch (le16_to_cpu(di->i_mode) & S_IFMT) {
	case S_IFREG:
		if ((flags & VEXFS_COLLECTION_FL) &&
		    !vexfs_block_valid(fs, coll, 1))
			return "bad block of a collection header";
		if ((flags & VEXFS_FORK_FL) && !di->i_parent)
			return "fork without a collection";
		return NULL;
	case S_IFDIR:
		if (size % VEXFS_BLOCK_SIZE)
			return "size of a directory is not whole blocks";
		if (!di->i_parent)
			return "directory without a parent";
		break;
	case S_IFLNK:
		if (!size || size > VEXFS_SYMLINK_MAX)
			return "bad length of a symlink";
		break;
	case S_IFCHR:
	case S_IFBLK:
	case S_IFIFO:
	case S_IFSOCK:
		break;
	default:
		return "bad type in inode mode";
	}
	if (flags & (VEXFS_COLLECTION_FL | VEXFS_FORK_FL))
		return "flags of a regular file on another type";
	return NULL;
}

const char *vexfs_verify_inode(struct vexfs_fs *fs, struct vexfs_inode *di,
			       u64 ino)
{
	const struct vexfs_geom *g = &fs->geom;
	u64 xattr = le64_to_cpu(di->i_xattr);
	const char *why;

	if (le16_to_cpu(di->i_magic) != VEXFS_INODE_MAGIC)
		return "inode has no magic number";
	if (le32_to_cpu(di->i_checksum) != vexfs_inode_csum(fs, di))
		return vexfs_bad_inode_csum;
	if (le64_to_cpu(di->i_ino) != ino)
		return "inode of another number";
	if (le32_to_cpu(di->i_flags) & ~VEXFS_KNOWN_FL)
		return "unknown inode flags";
	if (le64_to_cpu(di->i_size) >
	    (u64)VEXFS_MAX_LBLK << VEXFS_BLOCK_SHIFT)
		return "inode size is too large";
	if (le64_to_cpu(di->i_blocks) > vexfs_cluster_to_block(g, g->clusters))
		return "inode has more blocks than the volume";
	if (le32_to_cpu(di->i_nlink) > VEXFS_LINK_MAX)
		return "too many links";
	if (le16_to_cpu(di->i_xattr_len) > VEXFS_INLINE_XATTR)
		return "inline xattrs are too long";
	if (xattr && !vexfs_block_valid(fs, xattr, 1))
		return "bad xattr block number";
	why = vexfs_verify_xattrs(fs, di->i_xattr_inline,
				  le16_to_cpu(di->i_xattr_len));
	if (!why)
		why = vexfs_verify_inode_type(fs, di);
	return why ? why : vexfs_verify_inode_map(fs, di);
}

struct vexfs_buf *vexfs_inode_buf(struct vexfs_fs *fs, u64 ino,
				  struct vexfs_inode **di)
{
	const struct vexfs_geom *g = &fs->geom;
	u64 group = div_u64(ino - 1, g->inodes_per_group);
	struct vexfs_buf *buf;
	struct vexfs_inode *table;
	u32 index;

	if (!ino || group >= g->groups)
		return ERR_PTR(-EINVAL);
	index = ino - 1 - group * g->inodes_per_group;
	if (index >= vexfs_group_inodes(g, group))
		return ERR_PTR(-EINVAL);
	buf = vexfs_buf_read(fs, vexfs_itable_block(g, group) +
				 index / VEXFS_INODES_PER_BLOCK);
	if (IS_ERR(buf))
		return buf;
	table = vexfs_buf_data(buf);
	*di = table + index % VEXFS_INODES_PER_BLOCK;
	return buf;
}

struct vexfs_buf *vexfs_inode_read(struct vexfs_fs *fs, u64 ino,
				   struct vexfs_inode **di)
{
	struct vexfs_buf *buf = vexfs_inode_buf(fs, ino, di);
	const char *why;
	u64 bno;

	if (IS_ERR(buf))
		return buf;
	vexfs_inode_lock(fs, ino);
	why = vexfs_verify_inode(fs, *di, ino);
	vexfs_inode_unlock(fs, ino);
	if (!why)
		return buf;
	bno = vexfs_buf_bno(buf);
	vexfs_buf_put(buf);
	VEXFS_CORRUPTED(fs, ino, bno, why);
	return ERR_PTR(why == vexfs_bad_inode_csum ? -EFSBADCRC :
						     -EFSCORRUPTED);
}

/* The on-disk inode @ino gets @next as its follower on the orphan list. */
static int vexfs_orphan_set_next(struct vexfs_trans *t, struct vexfs_fs *fs,
				 u64 ino, u64 next, u64 *old)
{
	struct vexfs_inode *di;
	struct vexfs_buf *buf = vexfs_inode_read(fs, ino, &di);
	int err;

	if (IS_ERR(buf))
		return PTR_ERR(buf);
	err = vexfs_trans_write(t, buf);
	if (!err) {
		vexfs_inode_lock(fs, ino);
		if (old)
			*old = le64_to_cpu(di->i_orphan_next);
		di->i_orphan_next = cpu_to_le64(next);
		di->i_checksum = cpu_to_le32(vexfs_inode_csum(fs, di));
		vexfs_inode_unlock(fs, ino);
		err = vexfs_trans_dirty(t, buf);
	}
	vexfs_buf_put(buf);
	return err;
}

static int vexfs_orphan_next(struct vexfs_fs *fs, u64 ino, u64 *next)
{
	struct vexfs_inode *di;
	struct vexfs_buf *buf = vexfs_inode_read(fs, ino, &di);

	if (buf == ERR_PTR(-EINVAL))
		return VEXFS_CORRUPTED(fs, ino, 0, "orphan does not exist");
	if (IS_ERR(buf))
		return PTR_ERR(buf);
	*next = le64_to_cpu(READ_ONCE(di->i_orphan_next));
	vexfs_buf_put(buf);
	return 0;
}

static int vexfs_orphan_set_head(struct vexfs_trans *t, struct vexfs_fs *fs,
				 u64 ino)
{
	struct vexfs_super_block *sb = vexfs_super(fs);
	__le64 head = cpu_to_le64(ino);
	u32 csum;
	int err;

	err = vexfs_super_begin(t, fs);
	if (err)
		return err;
	/* With every unlink, twice: the checksum follows from the change. */
	csum = vexfs_crc_patch(le32_to_cpu(sb->s_checksum), sizeof(*sb),
			       offsetof(struct vexfs_super_block,
					s_orphan_head),
			       &sb->s_orphan_head, &head, sizeof(head));
	sb->s_orphan_head = head;
	sb->s_checksum = cpu_to_le32(csum);
	return vexfs_trans_dirty(t, fs->sb_buf);
}

int vexfs_orphan_add(struct vexfs_trans *t, struct vexfs_fs *fs, u64 ino)
{
	int err;
	u64 head;

	mutex_lock(&fs->orphan_lock);
	head = le64_to_cpu(vexfs_super(fs)->s_orphan_head);
	err = head == ino ? -EEXIST :
			    vexfs_orphan_set_next(t, fs, ino, head, NULL);
	if (!err)
		err = vexfs_orphan_set_head(t, fs, ino);
	mutex_unlock(&fs->orphan_lock);
	return err;
}

/*
 * Finds the orphan before @ino. The list is as long as a disk says: a loop is
 * met by remembering one inode for ever longer stretches (Brent).
 */
static int vexfs_orphan_find_prev(struct vexfs_fs *fs, u64 ino, u64 *prev)
{
	u64 at = le64_to_cpu(vexfs_super(fs)->s_orphan_head);
	u64 mark = at, steps = 0, stretch = 1, next = 0;
	int err;

	while (at) {
		err = vexfs_orphan_next(fs, at, &next);
		if (err)
			return err;
		if (next == ino) {
			*prev = at;
			return 0;
		}
		if (next == mark)
			break;
		if (++steps == stretch) {
			mark = next;
			stretch *= 2;
			steps = 0;
		}
		at = next;
	}
	return VEXFS_CORRUPTED(fs, ino, 0, "inode is not on the orphan list");
}

/* @hint, if it says so itself, else by looking at the whole list. */
static int vexfs_orphan_prev(struct vexfs_fs *fs, u64 ino, u64 hint, u64 *prev)
{
	u64 next;

	if (le64_to_cpu(vexfs_super(fs)->s_orphan_head) == ino) {
		*prev = 0;
		return 0;
	}
	if (hint && !vexfs_orphan_next(fs, hint, &next) && next == ino) {
		*prev = hint;
		return 0;
	}
	return vexfs_orphan_find_prev(fs, ino, prev);
}

int vexfs_orphan_del_behind(struct vexfs_trans *t, struct vexfs_fs *fs,
			    u64 ino, u64 hint)
{
	u64 prev = 0, next;
	int err;

	mutex_lock(&fs->orphan_lock);
	err = vexfs_orphan_prev(fs, ino, hint, &prev);
	if (!err)
		err = vexfs_orphan_set_next(t, fs, ino, 0, &next);
	if (!err)
		err = prev ? vexfs_orphan_set_next(t, fs, prev, next, NULL) :
			     vexfs_orphan_set_head(t, fs, next);
	mutex_unlock(&fs->orphan_lock);
	return err;
}

int vexfs_orphan_del(struct vexfs_trans *t, struct vexfs_fs *fs, u64 ino)
{
	return vexfs_orphan_del_behind(t, fs, ino, 0);
}

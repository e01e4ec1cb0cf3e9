// SPDX-License-Identifier: GPL-2.0
/*
 * Inodes between memory and disk: reading, logging, and what the VFS wants
 * of a dirty one.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include <linux/blkdev.h>
#include <linux/buffer_head.h>
#include <linux/cred.h>
#include <linux/jbd2.h>
#include <linux/kdev_t.h>
#include <linux/time64.h>
#include <linux/writeback.h>

#include "vexfs.h"

/* Blocks of the inode table to read at once. */
#define VEXFS_TABLE_AHEAD	32u

static bool vexfs_is_fast_symlink(umode_t mode, u64 size)
{
	return S_ISLNK(mode) && size <= VEXFS_FAST_SYMLINK;
}

static bool vexfs_has_rdev(umode_t mode)
{
	return S_ISCHR(mode) || S_ISBLK(mode);
}

void vexfs_set_inode_flags(struct inode *inode)
{
	static const struct {
		u32 flag;
		unsigned int vfs;
	} map[] = {
		{ VEXFS_SYNC_FL,	S_SYNC },
		{ VEXFS_IMMUTABLE_FL,	S_IMMUTABLE },
		{ VEXFS_APPEND_FL,	S_APPEND },
		{ VEXFS_NOATIME_FL,	S_NOATIME },
		{ VEXFS_DIRSYNC_FL,	S_DIRSYNC },
	};
	unsigned int flags = 0, mask = 0;
	int i;

	for (i = 0; i < ARRAY_SIZE(map); i++) {
		mask |= map[i].vfs;
		if (VEXFS_I(inode)->node.flags & map[i].flag)
			flags |= map[i].vfs;
	}
	inode_set_flags(inode, flags, mask);
}

void vexfs_set_inode_ops(struct inode *inode)
{
	if (S_ISREG(inode->i_mode)) {
		inode->i_op = &vexfs_file_inode_operations;
		inode->i_fop = &vexfs_file_operations;
		inode->i_mapping->a_ops = &vexfs_aops;
		vexfs_set_large_folios(inode->i_mapping);
	} else if (S_ISDIR(inode->i_mode)) {
		inode->i_op = &vexfs_dir_inode_operations;
		inode->i_fop = &vexfs_dir_operations;
	} else if (vexfs_is_fast_symlink(inode->i_mode, inode->i_size)) {
		inode->i_op = &vexfs_fast_symlink_inode_operations;
	} else if (S_ISLNK(inode->i_mode)) {
		inode->i_op = &vexfs_symlink_inode_operations;
	} else {
		inode->i_op = &vexfs_special_inode_operations;
		init_special_inode(inode, inode->i_mode, inode->i_rdev);
	}
}

/* The union of the inode that its type decides about, and the pointers. */
static void vexfs_unpack_body(struct inode *inode, const struct vexfs_inode *di)
{
	struct vexfs_inode_info *info = VEXFS_I(inode);

	if (vexfs_has_rdev(inode->i_mode))
		inode->i_rdev = new_decode_dev(le64_to_cpu(di->i_rdev));
	else
		info->coll_block = le64_to_cpu(di->i_coll);
	if (vexfs_is_fast_symlink(inode->i_mode, inode->i_size)) {
		memcpy(info->symlink, di->i_symlink, inode->i_size);
		info->symlink[inode->i_size] = '\0';
	} else if (S_ISREG(inode->i_mode) || S_ISDIR(inode->i_mode) ||
		   S_ISLNK(inode->i_mode)) {
		/* Nobody verified what other inodes have there. */
		info->node.root = di->i_root;
	}
	info->parent = le64_to_cpu(di->i_parent);
	info->node.xattr_block = le64_to_cpu(di->i_xattr);
	info->node.xattr_len = le16_to_cpu(di->i_xattr_len);
	memcpy(info->node.xattr_inline, di->i_xattr_inline,
	       sizeof(info->node.xattr_inline));
}

static void vexfs_unpack_inode(struct inode *inode,
			       const struct vexfs_inode *di)
{
	struct vexfs_inode_info *info = VEXFS_I(inode);

	inode->i_mode = le16_to_cpu(di->i_mode);
	i_uid_write(inode, le32_to_cpu(di->i_uid));
	i_gid_write(inode, le32_to_cpu(di->i_gid));
	set_nlink(inode, le32_to_cpu(di->i_nlink));
	inode->i_generation = le32_to_cpu(di->i_generation);
	inode->i_size = le64_to_cpu(di->i_size);
	inode_set_atime_to_ts(inode,
			      ns_to_timespec64(le64_to_cpu(di->i_atime)));
	inode_set_mtime_to_ts(inode,
			      ns_to_timespec64(le64_to_cpu(di->i_mtime)));
	inode_set_ctime_to_ts(inode,
			      ns_to_timespec64(le64_to_cpu(di->i_ctime)));
	info->crtime = ns_to_timespec64(le64_to_cpu(di->i_crtime));
	info->projid = make_kprojid(&init_user_ns, le32_to_cpu(di->i_projid));
	info->disk_size = inode->i_size;
	vexfs_node_init(&info->node, VEXFS_FS(inode->i_sb), inode->i_ino,
			inode->i_generation);
	info->node.flags = le32_to_cpu(di->i_flags);
	info->node.blocks = le64_to_cpu(di->i_blocks);
	inode->i_blocks = info->node.blocks << (VEXFS_BLOCK_SHIFT - 9);
	vexfs_unpack_body(inode, di);
}

/* The transaction that changed the inode last may still be uncommitted. */
static void vexfs_init_tids(struct inode *inode)
{
	journal_t *journal = VEXFS_SB(inode->i_sb)->journal;
	tid_t tid;

	if (!journal)
		return;
	tid = jbd2_get_latest_transaction(journal);
	VEXFS_I(inode)->sync_tid = tid;
	VEXFS_I(inode)->datasync_tid = tid;
}

/*
 * Inodes that are made together are wanted together: the blocks of the table
 * around @ino, as far as they are in use, when its own has to be read.
 */
static void vexfs_read_table_ahead(struct super_block *sb, u64 ino)
{
	struct vexfs_fs *fs = VEXFS_FS(sb);
	u32 index, blocks, first, i, used;
	struct buffer_head *bh;
	struct blk_plug plug;
	u64 group, table;

	group = div_u64_rem(ino - 1, fs->geom.inodes_per_group, &index);
	table = vexfs_itable_block(&fs->geom, group);
	i = index / VEXFS_INODES_PER_BLOCK;
	bh = sb_find_get_block(sb, table + i);
	if (bh) {
		brelse(bh);
		return;
	}
	used = vexfs_group_inodes(&fs->geom, group) -
	       le32_to_cpu(vexfs_group_desc(fs, group, NULL)->bg_itable_unused);
	blocks = DIV_ROUND_UP(used, VEXFS_INODES_PER_BLOCK);
	first = round_down(i, VEXFS_TABLE_AHEAD);
	blk_start_plug(&plug);
	for (i = first; i < min(blocks, first + VEXFS_TABLE_AHEAD); i++)
		vexfs_buf_read_ahead(sb, table + i);
	blk_finish_plug(&plug);
}

static int vexfs_read_inode(struct inode *inode)
{
	struct vexfs_sb_info *sbi = VEXFS_SB(inode->i_sb);
	struct vexfs_inode *di;
	struct vexfs_buf *buf;

	vexfs_read_table_ahead(inode->i_sb, inode->i_ino);
	buf = vexfs_inode_read(&sbi->fs, inode->i_ino, &di);
	if (IS_ERR(buf))
		return PTR_ERR(buf);
	if (!di->i_nlink && !sbi->orphan_scan) {
		vexfs_buf_put(buf);
		return -ESTALE;
	}
	vexfs_unpack_inode(inode, di);
	vexfs_buf_put(buf);
	vexfs_init_tids(inode);
	vexfs_set_inode_flags(inode);
	vexfs_set_inode_ops(inode);
	return 0;
}

static struct inode *vexfs_iget_any(struct super_block *sb, u64 ino)
{
	struct inode *inode;
	int err;

	inode = iget_locked(sb, ino);
	if (!inode)
		return ERR_PTR(-ENOMEM);
	if (!(inode_state_read_once(inode) & I_NEW))
		return inode;
	err = vexfs_read_inode(inode);
	if (err) {
		iget_failed(inode);
		return ERR_PTR(err);
	}
	unlock_new_inode(inode);
	return inode;
}

struct inode *vexfs_iget(struct super_block *sb, u64 ino)
{
	struct inode *inode;

	if (!vexfs_ino_valid(VEXFS_FS(sb), ino))
		return ERR_PTR(-ESTALE);
	inode = vexfs_iget_any(sb, ino);
	if (!IS_ERR(inode) && vexfs_is_fork(inode) &&
	    !VEXFS_SB(sb)->orphan_scan) {
		iput(inode);
		return ERR_PTR(-ESTALE);
	}
	return inode;
}

struct inode *vexfs_iget_fork(struct super_block *sb, u64 ino, u64 owner)
{
	struct inode *inode;

	if (!vexfs_ino_valid(VEXFS_FS(sb), ino))
		return ERR_PTR(-ESTALE);
	inode = vexfs_iget_any(sb, ino);
	if (IS_ERR(inode))
		return inode;
	if (!vexfs_is_fork(inode) || VEXFS_I(inode)->parent != owner) {
		iput(inode);
		return ERR_PTR(VEXFS_CORRUPTED(VEXFS_FS(sb), ino, 0,
					       "not the fork it should be"));
	}
	return inode;
}

struct inode *vexfs_iget_quota(struct super_block *sb, int type)
{
	struct vexfs_fs *fs = VEXFS_FS(sb);
	u64 ino = le64_to_cpu(vexfs_super(fs)->s_quota_ino[type]);
	struct inode *inode = vexfs_iget_any(sb, ino);

	if (IS_ERR(inode) || S_ISREG(inode->i_mode))
		return inode;
	iput(inode);
	return ERR_PTR(VEXFS_CORRUPTED(fs, ino, 0, "not a quota file"));
}

static void vexfs_pack_body(struct inode *inode, struct vexfs_inode *di)
{
	struct vexfs_inode_info *info = VEXFS_I(inode);

	if (vexfs_has_rdev(inode->i_mode))
		di->i_rdev = cpu_to_le64(new_encode_dev(inode->i_rdev));
	else
		di->i_coll = cpu_to_le64(info->coll_block);
	if (vexfs_is_fast_symlink(inode->i_mode, inode->i_size)) {
		memset(di->i_symlink, 0, sizeof(di->i_symlink));
		memcpy(di->i_symlink, info->symlink, inode->i_size);
	} else {
		di->i_root = info->node.root;
	}
	di->i_parent = cpu_to_le64(info->parent);
	di->i_xattr = cpu_to_le64(info->node.xattr_block);
	di->i_xattr_len = cpu_to_le16(info->node.xattr_len);
	memcpy(di->i_xattr_inline, info->node.xattr_inline,
	       sizeof(di->i_xattr_inline));
}

static __le64 vexfs_pack_time(struct timespec64 ts)
{
	return cpu_to_le64(timespec64_to_ns(&ts));
}

/* All but i_orphan_next, which belongs to the orphan list, and i_version. */
static void vexfs_pack_inode(struct inode *inode, struct vexfs_inode *di)
{
	struct vexfs_inode_info *info = VEXFS_I(inode);
	u64 size = S_ISREG(inode->i_mode) ? READ_ONCE(info->disk_size) :
					    i_size_read(inode);

	di->i_magic = cpu_to_le16(VEXFS_INODE_MAGIC);
	di->i_mode = cpu_to_le16(inode->i_mode);
	di->i_ino = cpu_to_le64(inode->i_ino);
	di->i_generation = cpu_to_le32(inode->i_generation);
	di->i_nlink = cpu_to_le32(inode->i_nlink);
	di->i_uid = cpu_to_le32(i_uid_read(inode));
	di->i_gid = cpu_to_le32(i_gid_read(inode));
	di->i_projid = cpu_to_le32(from_kprojid(&init_user_ns, info->projid));
	di->i_flags = cpu_to_le32(info->node.flags);
	di->i_size = cpu_to_le64(size);
	di->i_blocks = cpu_to_le64(info->node.blocks);
	di->i_atime = vexfs_pack_time(inode_get_atime(inode));
	di->i_mtime = vexfs_pack_time(inode_get_mtime(inode));
	di->i_ctime = vexfs_pack_time(inode_get_ctime(inode));
	di->i_crtime = vexfs_pack_time(info->crtime);
	vexfs_pack_body(inode, di);
}

/*
 * Writes the inode into @di; true if an fdatasync has to wait for it. The
 * orphan list changes its link there, under the same inode lock.
 */
static bool vexfs_store_inode(struct inode *inode, struct vexfs_inode *di,
			      bool new)
{
	struct vexfs_inode_info *info = VEXFS_I(inode);
	struct vexfs_fs *fs = info->node.fs;
	__le64 size, blocks;
	bool data;

	down_read(&info->node.map_sem);
	vexfs_inode_lock(fs, inode->i_ino);
	/* What was here before must not show through. */
	if (new)
		memset(di, 0, sizeof(*di));
	size = di->i_size;
	blocks = di->i_blocks;
	data = memcmp(&di->i_root, &info->node.root, sizeof(di->i_root));
	vexfs_pack_inode(inode, di);
	di->i_checksum = cpu_to_le32(vexfs_inode_csum(fs, di));
	data |= size != di->i_size || blocks != di->i_blocks;
	vexfs_inode_unlock(fs, inode->i_ino);
	inode->i_blocks = info->node.blocks << (VEXFS_BLOCK_SHIFT - 9);
	up_read(&info->node.map_sem);
	return data;
}

static int vexfs_log_inode_as(handle_t *handle, struct inode *inode, bool new)
{
	struct vexfs_inode_info *info = VEXFS_I(inode);
	struct vexfs_inode *di;
	struct vexfs_buf *buf;
	int err;

	if (is_handle_aborted(handle))
		return -EROFS;
	buf = vexfs_inode_buf(info->node.fs, inode->i_ino, &di);
	if (IS_ERR(buf))
		return PTR_ERR(buf);
	err = vexfs_trans_write(handle, buf);
	if (!err) {
		bool data = vexfs_store_inode(inode, di, new);

		err = vexfs_trans_dirty(handle, buf);
		if (!err) {
			info->sync_tid = vexfs_handle_tid(handle);
			if (data)
				info->datasync_tid = info->sync_tid;
		}
	}
	vexfs_buf_put(buf);
	return err;
}

int vexfs_log_inode(handle_t *handle, struct inode *inode)
{
	return vexfs_log_inode_as(handle, inode, false);
}

int vexfs_log_new_inode(handle_t *handle, struct inode *inode)
{
	return vexfs_log_inode_as(handle, inode, true);
}

/* A lazytime change alone stays in memory until something else logs it. */
void vexfs_dirty_inode(struct inode *inode, int flags)
{
	handle_t *handle;

	if (!(flags & (I_DIRTY_SYNC | I_DIRTY_DATASYNC)))
		return;
	handle = vexfs_journal_start(inode->i_sb, VEXFS_INODE_CREDITS);
	if (IS_ERR(handle))
		return;
	vexfs_log_inode(handle, inode);
	vexfs_journal_stop(handle);
}

/*
 * The inode was logged when it was dirtied: all that is left is to wait for
 * the commit when somebody waits for us; sync(2) commits once for all.
 */
int vexfs_write_inode(struct inode *inode, struct writeback_control *wbc)
{
	struct vexfs_sb_info *sbi = VEXFS_SB(inode->i_sb);

	if (vexfs_is_shutdown(inode->i_sb))
		return -EIO;
	if ((current->flags & PF_MEMALLOC) || !sbi->journal ||
	    wbc->sync_mode != WB_SYNC_ALL || wbc->for_sync)
		return 0;
	if (WARN_ON_ONCE(journal_current_handle()))
		return -EIO;
	return vexfs_journal_wait(inode->i_sb, VEXFS_I(inode)->sync_tid);
}

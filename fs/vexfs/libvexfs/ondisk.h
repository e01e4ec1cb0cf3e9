/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Layout asserts for the on-disk format: included once, by super.c of the
 * shared core, so that a change of the format does not go unnoticed.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#ifndef _VEXFS_ONDISK_H
#define _VEXFS_ONDISK_H

#define VEXFS_ASSERT_SIZE(type, size) \
	static_assert(sizeof(type) == (size), #type " size")
#define VEXFS_ASSERT_OFFSET(type, member, off) \
	static_assert(offsetof(type, member) == (off), #type "." #member)

VEXFS_ASSERT_SIZE(struct vexfs_super_block, VEXFS_SUPER_SIZE);
VEXFS_ASSERT_OFFSET(struct vexfs_super_block, s_uuid, 32);
VEXFS_ASSERT_OFFSET(struct vexfs_super_block, s_label, 48);
VEXFS_ASSERT_OFFSET(struct vexfs_super_block, s_clusters_count, 128);
VEXFS_ASSERT_OFFSET(struct vexfs_super_block, s_journal_start, 160);
VEXFS_ASSERT_OFFSET(struct vexfs_super_block, s_state, 240);
VEXFS_ASSERT_OFFSET(struct vexfs_super_block, s_first_error, 288);
VEXFS_ASSERT_OFFSET(struct vexfs_super_block, s_reserved, 488);

VEXFS_ASSERT_SIZE(struct vexfs_group_desc, VEXFS_DESC_SIZE);
VEXFS_ASSERT_OFFSET(struct vexfs_group_desc, bg_checksum, 28);
VEXFS_ASSERT_SIZE(struct vexfs_block_header, 32);

VEXFS_ASSERT_SIZE(struct vexfs_extent, 16);
VEXFS_ASSERT_SIZE(struct vexfs_extent_index, 16);
VEXFS_ASSERT_SIZE(struct vexfs_extent_root, 72);
VEXFS_ASSERT_SIZE(struct vexfs_extent_node, VEXFS_BLOCK_SIZE);
VEXFS_ASSERT_OFFSET(struct vexfs_extent_node, en_rec, 40);

VEXFS_ASSERT_SIZE(struct vexfs_inode, VEXFS_INODE_SIZE);
VEXFS_ASSERT_OFFSET(struct vexfs_inode, i_size, 40);
VEXFS_ASSERT_OFFSET(struct vexfs_inode, i_orphan_next, 96);
VEXFS_ASSERT_OFFSET(struct vexfs_inode, i_coll, 120);
VEXFS_ASSERT_OFFSET(struct vexfs_inode, i_root, 136);
VEXFS_ASSERT_OFFSET(struct vexfs_inode, i_xattr_inline, 208);

VEXFS_ASSERT_SIZE(struct vexfs_dir_block, VEXFS_BLOCK_SIZE);
VEXFS_ASSERT_OFFSET(struct vexfs_dir_block, db_data, 48);
VEXFS_ASSERT_OFFSET(struct vexfs_dir_entry, de_name, VEXFS_DIR_ENTRY_HEAD);
VEXFS_ASSERT_SIZE(struct vexfs_dir_index, 16);
VEXFS_ASSERT_SIZE(struct vexfs_symlink_block, VEXFS_BLOCK_SIZE);

VEXFS_ASSERT_SIZE(struct vexfs_xattr_entry, 8);
VEXFS_ASSERT_SIZE(struct vexfs_xattr_block, VEXFS_BLOCK_SIZE);
VEXFS_ASSERT_SIZE(struct vexfs_xvalue_block, VEXFS_BLOCK_SIZE);

VEXFS_ASSERT_SIZE(struct vexfs_coll_header, VEXFS_BLOCK_SIZE);
VEXFS_ASSERT_OFFSET(struct vexfs_coll_header, ch_column, 88);
VEXFS_ASSERT_OFFSET(struct vexfs_coll_header, ch_fork_ino, 344);
VEXFS_ASSERT_OFFSET(struct vexfs_coll_header, ch_seq, 408);
VEXFS_ASSERT_SIZE(struct vexfs_log_record, 56);
VEXFS_ASSERT_SIZE(struct vexfs_ckpt_section, 32);
VEXFS_ASSERT_SIZE(struct vexfs_ckpt_dir, 64 + 24 * 32);

#endif /* _VEXFS_ONDISK_H */

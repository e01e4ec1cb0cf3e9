// SPDX-License-Identifier: GPL-2.0
/*
 * Superblock and groups.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include "dump.h"

static const struct out_flag state_flag[] = {
	{ VEXFS_STATE_CLEAN, "clean" }, { VEXFS_STATE_ERROR, "error" },
};

static const struct out_flag compat_flag[] = {
	{ VEXFS_COMPAT_VECTOR_AREA, "vector_area" },
};

static const struct out_flag ro_compat_flag[] = {
	{ VEXFS_RO_COMPAT_QUOTA, "quota" },
	{ VEXFS_RO_COMPAT_PROJECT, "project" },
};

static const struct out_flag incompat_flag[] = {
	{ VEXFS_INCOMPAT_COLLECTIONS, "collections" },
};

static const struct out_flag group_flag[] = {
	{ VEXFS_BG_CLUSTER_UNINIT, "bitmap_uninit" },
	{ VEXFS_BG_INODE_UNINIT, "inode_bitmap_uninit" },
};

static void show_error(const char *name, const struct vexfs_error_info *ei)
{
	if (!ei->ei_time)
		return;
	out_object(name);
	out_time("time", le64_to_cpu(ei->ei_time));
	out_num("inode", le64_to_cpu(ei->ei_ino));
	out_num("block", le64_to_cpu(ei->ei_block));
	out_bytes("function", ei->ei_func, sizeof(ei->ei_func));
	out_num("line", le32_to_cpu(ei->ei_line));
	out_num("errno", le32_to_cpu(ei->ei_errno));
	out_close();
}

static void show_layout(const struct vexfs_super_block *sb)
{
	out_num("blocks", le64_to_cpu(sb->s_clusters_count));
	out_num("block_size", le32_to_cpu(sb->s_cluster_size));
	out_num("groups", le32_to_cpu(sb->s_groups_count));
	out_num("blocks_per_group", le32_to_cpu(sb->s_clusters_per_group));
	out_num("inodes_per_group", le32_to_cpu(sb->s_inodes_per_group));
	out_num("journal_start", le64_to_cpu(sb->s_journal_start));
	out_num("journal_blocks", le64_to_cpu(sb->s_journal_clusters));
	out_num("vector_start", le64_to_cpu(sb->s_vector_start));
	out_num("vector_blocks", le64_to_cpu(sb->s_vector_clusters));
	out_num("reserved_blocks", le64_to_cpu(sb->s_reserved_clusters));
}

void show_super(const struct vexfs_super_block *sb)
{
	out_num("revision", le32_to_cpu(sb->s_revision));
	out_flags("compat", le32_to_cpu(sb->s_feature_compat), compat_flag,
		  ARRAY_SIZE(compat_flag));
	out_flags("ro_compat", le32_to_cpu(sb->s_feature_ro_compat),
		  ro_compat_flag, ARRAY_SIZE(ro_compat_flag));
	out_flags("incompat", le32_to_cpu(sb->s_feature_incompat),
		  incompat_flag, ARRAY_SIZE(incompat_flag));
	out_hex("csum_seed", le32_to_cpu(sb->s_csum_seed));
	out_uuid("uuid", sb->s_uuid);
	out_bytes("label", sb->s_label, sizeof(sb->s_label));
	show_layout(sb);
	out_num("vector_dims", le32_to_cpu(sb->s_vector_dims));
	out_num("backup_nr", le32_to_cpu(sb->s_backup_nr));
	out_flags("state", le32_to_cpu(sb->s_state), state_flag,
		  ARRAY_SIZE(state_flag));
	out_num("errors", le32_to_cpu(sb->s_errors));
	out_num("orphan_head", le64_to_cpu(sb->s_orphan_head));
	out_time("mkfs_time", le64_to_cpu(sb->s_mkfs_time));
	out_time("mount_time", le64_to_cpu(sb->s_mount_time));
	out_time("write_time", le64_to_cpu(sb->s_write_time));
	out_time("check_time", le64_to_cpu(sb->s_check_time));
	out_num("mount_count", le32_to_cpu(sb->s_mount_count));
	out_num("error_count", le32_to_cpu(sb->s_error_count));
	show_error("first_error", &sb->s_first_error);
	show_error("last_error", &sb->s_last_error);
	out_bytes("last_mounted", sb->s_last_mounted,
		  sizeof(sb->s_last_mounted));
	out_check(vexfs_verify_super(sb));
}

void dump_super(struct vexfs_fs *fs)
{
	out_object("superblock");
	show_super(vexfs_super(fs));
	out_num("backup_at_block", vexfs_backup_block(&fs->geom, 0));
	out_close();
}

void dump_group(struct vexfs_fs *fs, u32 group)
{
	const struct vexfs_geom *g = &fs->geom;
	struct vexfs_group_desc table[VEXFS_DESC_PER_BLOCK], *gd;

	if (group >= g->groups)
		dump_fail("there are %u groups", g->groups);
	dump_read(fs, vexfs_gdt_block(g, group / VEXFS_DESC_PER_BLOCK), table);
	gd = &table[group % VEXFS_DESC_PER_BLOCK];
	out_object("group");
	out_num("number", group);
	out_num("first_block", vexfs_group_first(g, group));
	out_num("blocks", vexfs_group_clusters(g, group));
	out_num("overhead", vexfs_group_overhead(g, group));
	out_num("bitmap_at", vexfs_cluster_bitmap_block(g, group));
	out_num("inode_bitmap_at", vexfs_inode_bitmap_block(g, group, 0));
	out_num("inode_table_at", vexfs_itable_block(g, group));
	out_num("inodes", vexfs_group_inodes(g, group));
	out_num("free_blocks", le32_to_cpu(gd->bg_free_clusters));
	out_num("free_inodes", le32_to_cpu(gd->bg_free_inodes));
	out_num("directories", le32_to_cpu(gd->bg_used_dirs));
	out_num("inodes_never_used", le32_to_cpu(gd->bg_itable_unused));
	out_flags("flags", le16_to_cpu(gd->bg_flags), group_flag,
		  ARRAY_SIZE(group_flag));
	out_check(vexfs_verify_group_desc(fs, group, gd));
	out_close();
}

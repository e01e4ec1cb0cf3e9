// SPDX-License-Identifier: GPL-2.0
/*
 * Superblock and group descriptors: checksums, verifiers, loading a volume.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include "libvexfs.h"
#include "ondisk.h"

u32 vexfs_super_csum(const struct vexfs_super_block *sb)
{
	const size_t at = offsetof(struct vexfs_super_block, s_checksum);
	const size_t after = at + sizeof(sb->s_checksum);
	const u8 *p = (const u8 *)sb;
	const __le32 zero = 0;
	u32 crc;

	crc = vexfs_crc32c(~0u, p, at);
	crc = vexfs_crc32c(crc, &zero, sizeof(zero));
	return vexfs_crc32c(crc, p + after, sizeof(*sb) - after);
}

static const char vexfs_no_magic[] = "not a VexFS volume";
static const char vexfs_bad_super_csum[] = "superblock checksum is wrong";
static const char vexfs_new_features[] = "volume has features of a newer VexFS";

u32 vexfs_quota_features(const struct vexfs_super_block *sb)
{
	u32 features = 0;

	if (sb->s_quota_ino[0] || sb->s_quota_ino[1] || sb->s_quota_ino[2])
		features |= VEXFS_RO_COMPAT_QUOTA;
	if (sb->s_quota_ino[2])
		features |= VEXFS_RO_COMPAT_PROJECT;
	return features;
}

static const char *vexfs_verify_quota(const struct vexfs_super_block *sb)
{
	u32 have = le32_to_cpu(sb->s_feature_ro_compat);
	u64 ino;
	int i;

	for (i = 0; i < 3; i++) {
		ino = le64_to_cpu(sb->s_quota_ino[i]);
		if (ino && ino != VEXFS_USRQUOTA_INO + i)
			return "bad inode of a quota file";
	}
	if ((have & VEXFS_RO_COMPAT_KNOWN) != vexfs_quota_features(sb))
		return "quota files and features disagree";
	return NULL;
}

const char *vexfs_verify_super(const struct vexfs_super_block *sb)
{
	struct vexfs_geom geom;
	const char *why;
	u32 errors = le32_to_cpu(sb->s_errors);

	if (memcmp(sb->s_magic, VEXFS_MAGIC_BYTES, sizeof(sb->s_magic)))
		return vexfs_no_magic;
	if (le32_to_cpu(sb->s_checksum) != vexfs_super_csum(sb))
		return vexfs_bad_super_csum;
	if (le32_to_cpu(sb->s_revision) != VEXFS_REVISION ||
	    (le32_to_cpu(sb->s_feature_incompat) & ~VEXFS_INCOMPAT_KNOWN))
		return vexfs_new_features;
	if (vexfs_geom_from_super(sb, &geom, &why))
		return why;
	if (errors < VEXFS_ERRORS_CONTINUE || errors > VEXFS_ERRORS_PANIC)
		return "bad errors policy";
	if (le32_to_cpu(sb->s_state) & ~(VEXFS_STATE_CLEAN | VEXFS_STATE_ERROR))
		return "bad state";
	if (le32_to_cpu(sb->s_vector_dims) > VEXFS_MAX_DIMS)
		return "bad default dimension";
	if (le32_to_cpu(sb->s_backup_nr) > geom.gdt_blocks)
		return "bad backup number";
	return vexfs_verify_quota(sb);
}

void vexfs_init_super(struct vexfs_super_block *sb,
		      const struct vexfs_geom *geom)
{
	memset(sb, 0, sizeof(*sb));
	memcpy(sb->s_magic, VEXFS_MAGIC_BYTES, sizeof(sb->s_magic));
	sb->s_revision = cpu_to_le32(VEXFS_REVISION);
	if (geom->vector_clusters)
		sb->s_feature_compat = cpu_to_le32(VEXFS_COMPAT_VECTOR_AREA);
	sb->s_clusters_count = cpu_to_le64(geom->clusters);
	sb->s_cluster_size = cpu_to_le32(geom->cluster_size);
	sb->s_groups_count = cpu_to_le32(geom->groups);
	sb->s_clusters_per_group = cpu_to_le32(geom->clusters_per_group);
	sb->s_inodes_per_group = cpu_to_le32(geom->inodes_per_group);
	sb->s_inode_size = cpu_to_le32(VEXFS_INODE_SIZE);
	sb->s_desc_size = cpu_to_le32(VEXFS_DESC_SIZE);
	sb->s_journal_start = cpu_to_le64(geom->journal_start);
	sb->s_journal_clusters = cpu_to_le64(geom->journal_clusters);
	sb->s_vector_start = cpu_to_le64(geom->vector_start);
	sb->s_vector_clusters = cpu_to_le64(geom->vector_clusters);
	sb->s_state = cpu_to_le32(VEXFS_STATE_CLEAN);
	sb->s_errors = cpu_to_le32(VEXFS_ERRORS_RO);
}

u32 vexfs_group_desc_csum(struct vexfs_fs *fs, u32 group,
			  const struct vexfs_group_desc *gd)
{
	__le32 nr = cpu_to_le32(group);
	u32 crc = vexfs_crc32c(fs->csum_seed, &nr, sizeof(nr));

	return vexfs_crc32c(crc, gd,
			    offsetof(struct vexfs_group_desc, bg_checksum));
}

struct vexfs_group_desc *vexfs_group_desc(struct vexfs_fs *fs, u32 group,
					  struct vexfs_buf **buf)
{
	struct vexfs_buf *b = fs->gdt[group / VEXFS_DESC_PER_BLOCK];
	struct vexfs_group_desc *gd = vexfs_buf_data(b);

	if (buf)
		*buf = b;
	return gd + group % VEXFS_DESC_PER_BLOCK;
}

/* Group 0 starts with the reserved inodes, and mkfs writes their block. */
static u32 vexfs_group_new_inodes(const struct vexfs_geom *g, u32 group)
{
	u32 inodes = vexfs_group_inodes(g, group);

	return group ? inodes : inodes - (VEXFS_FIRST_INO - 1);
}

static u32 vexfs_group_new_unused(const struct vexfs_geom *g, u32 group)
{
	u32 inodes = vexfs_group_inodes(g, group);

	return group ? inodes : inodes - VEXFS_INODES_PER_BLOCK;
}

void vexfs_group_desc_init(const struct vexfs_geom *g, u32 group,
			   struct vexfs_group_desc *gd)
{
	memset(gd, 0, sizeof(*gd));
	gd->bg_free_clusters = cpu_to_le32(vexfs_group_init_free(g, group));
	gd->bg_free_inodes = cpu_to_le32(vexfs_group_new_inodes(g, group));
	gd->bg_itable_unused = cpu_to_le32(vexfs_group_new_unused(g, group));
	gd->bg_flags = cpu_to_le16(VEXFS_BG_CLUSTER_UNINIT |
				   VEXFS_BG_INODE_UNINIT);
}

const char *vexfs_verify_group_desc(struct vexfs_fs *fs, u32 group,
				    const struct vexfs_group_desc *gd)
{
	const struct vexfs_geom *g = &fs->geom;
	u32 inodes = vexfs_group_inodes(g, group);
	u32 unused = le32_to_cpu(gd->bg_itable_unused);
	u32 free = le32_to_cpu(gd->bg_free_clusters);
	u32 ifree = le32_to_cpu(gd->bg_free_inodes);
	u32 max_free = vexfs_group_init_free(g, group);
	u16 flags = le16_to_cpu(gd->bg_flags);

	if (le32_to_cpu(gd->bg_checksum) != vexfs_group_desc_csum(fs, group, gd))
		return "group descriptor checksum is wrong";
	if (flags & ~(VEXFS_BG_CLUSTER_UNINIT | VEXFS_BG_INODE_UNINIT))
		return "unknown flags in group descriptor";
	if (free > max_free ||
	    ((flags & VEXFS_BG_CLUSTER_UNINIT) && free != max_free))
		return "bad number of free blocks in group descriptor";
	if (ifree > vexfs_group_new_inodes(g, group) || unused > ifree ||
	    ((flags & VEXFS_BG_INODE_UNINIT) &&
	     (ifree != vexfs_group_new_inodes(g, group) ||
	      unused != vexfs_group_new_unused(g, group))))
		return "bad number of free inodes in group descriptor";
	if (unused % VEXFS_INODES_PER_BLOCK)
		return "bad inode mark in group descriptor";
	if (le32_to_cpu(gd->bg_used_dirs) > inodes - ifree)
		return "bad number of directories in group descriptor";
	return NULL;
}

static void vexfs_fs_put_bufs(struct vexfs_fs *fs)
{
	u32 i;

	for (i = 0; fs->gdt && i < fs->geom.gdt_blocks; i++)
		vexfs_buf_put(fs->gdt[i]);
	vexfs_buf_put(fs->sb_buf);
	kvfree(fs->gdt);
	kvfree(fs->group_hint);
	fs->gdt = NULL;
	fs->group_hint = NULL;
	fs->sb_buf = NULL;
}

static int vexfs_fs_load_super(struct vexfs_fs *fs, const char **why)
{
	const struct vexfs_super_block *sb;
	struct vexfs_buf *buf;

	buf = vexfs_buf_read(fs, 0);
	if (IS_ERR(buf)) {
		*why = "can't read the superblock";
		return PTR_ERR(buf);
	}
	fs->sb_buf = buf;
	sb = vexfs_super(fs);
	*why = vexfs_verify_super(sb);
	if (!*why && sb->s_backup_nr)
		*why = "backup in place of the superblock";
	if (*why == vexfs_no_magic || *why == vexfs_new_features)
		return -EINVAL;
	if (*why)
		return *why == vexfs_bad_super_csum ? -EFSBADCRC :
						      -EFSCORRUPTED;
	fs->csum_seed = le32_to_cpu(sb->s_csum_seed);
	fs->hash_key[0] = get_unaligned_le64(sb->s_hash_seed);
	fs->hash_key[1] = get_unaligned_le64(sb->s_hash_seed + 8);
	fs->reserved_clusters = le64_to_cpu(sb->s_reserved_clusters);
	return vexfs_geom_from_super(sb, &fs->geom, why);
}

static int vexfs_fs_load_gdt(struct vexfs_fs *fs, const char **why)
{
	struct vexfs_geom *g = &fs->geom;
	struct vexfs_buf *buf;
	u32 i;

	*why = "out of memory";
	fs->gdt = kvcalloc(g->gdt_blocks, sizeof(*fs->gdt), GFP_KERNEL);
	/* For all groups that there may be when the volume has grown. */
	fs->group_hint = kvcalloc((size_t)g->gdt_blocks * VEXFS_DESC_PER_BLOCK,
				  sizeof(*fs->group_hint), GFP_KERNEL);
	if (!fs->gdt || !fs->group_hint)
		return -ENOMEM;
	for (i = 0; i < g->gdt_blocks; i++) {
		buf = vexfs_buf_read(fs, vexfs_gdt_block(g, i));
		if (IS_ERR(buf)) {
			*why = "can't read the group descriptors";
			return PTR_ERR(buf);
		}
		fs->gdt[i] = buf;
	}
	*why = NULL;
	return 0;
}

struct vexfs_sums {
	u64 clusters;
	u64 inodes;
	u64 dirs;
};

static int vexfs_fs_sum_groups(struct vexfs_fs *fs, struct vexfs_sums *sums,
			       const char **why)
{
	struct vexfs_group_desc *gd;
	u32 group, free;

	for (group = 0; group < fs->geom.groups; group++) {
		gd = vexfs_group_desc(fs, group, NULL);
		*why = vexfs_verify_group_desc(fs, group, gd);
		if (*why)
			return -EFSCORRUPTED;
		free = le32_to_cpu(gd->bg_free_clusters);
		fs->group_hint[group] = min_t(u32, free, U16_MAX);
		sums->clusters += free;
		sums->inodes += le32_to_cpu(gd->bg_free_inodes);
		sums->dirs += le32_to_cpu(gd->bg_used_dirs);
	}
	return 0;
}

static int vexfs_fs_init_counters(struct vexfs_fs *fs,
				  const struct vexfs_sums *sums)
{
	int err;

	err = percpu_counter_init(&fs->free_clusters, sums->clusters,
				  GFP_KERNEL);
	if (err)
		return err;
	err = percpu_counter_init(&fs->free_inodes, sums->inodes, GFP_KERNEL);
	if (err)
		goto out_clusters;
	err = percpu_counter_init(&fs->dirs, sums->dirs, GFP_KERNEL);
	if (err)
		goto out_inodes;
	err = percpu_counter_init(&fs->vector_free, vexfs_vector_count(fs),
				  GFP_KERNEL);
	if (!err)
		return 0;
	percpu_counter_destroy(&fs->dirs);
out_inodes:
	percpu_counter_destroy(&fs->free_inodes);
out_clusters:
	percpu_counter_destroy(&fs->free_clusters);
	return err;
}

int vexfs_fs_load(struct vexfs_fs *fs, const char **why)
{
	struct vexfs_sums sums = { };
	int i, err;

	fs->sb_buf = NULL;
	fs->gdt = NULL;
	fs->group_hint = NULL;
	fs->alloc_rotor = 0;
	fs->alloc_limit = U32_MAX;
	fs->alloc_blocked = false;
	fs->inode_rotor = 0;
	mutex_init(&fs->orphan_lock);
	for (i = 0; i < VEXFS_GROUP_LOCKS; i++)
		mutex_init(&fs->group_locks[i]);
	err = vexfs_fs_load_super(fs, why);
	if (!err)
		err = vexfs_fs_load_gdt(fs, why);
	if (!err)
		err = vexfs_fs_sum_groups(fs, &sums, why);
	if (!err) {
		err = vexfs_fs_init_counters(fs, &sums);
		if (err)
			*why = "out of memory";
	}
	if (err)
		vexfs_fs_put_bufs(fs);
	return err;
}

void vexfs_fs_unload(struct vexfs_fs *fs)
{
	percpu_counter_destroy(&fs->vector_free);
	percpu_counter_destroy(&fs->dirs);
	percpu_counter_destroy(&fs->free_inodes);
	percpu_counter_destroy(&fs->free_clusters);
	vexfs_fs_put_bufs(fs);
}

int vexfs_super_begin(struct vexfs_trans *t, struct vexfs_fs *fs)
{
	lockdep_assert_held(&fs->orphan_lock);
	return vexfs_trans_write(t, fs->sb_buf);
}

int vexfs_super_end(struct vexfs_trans *t, struct vexfs_fs *fs)
{
	struct vexfs_super_block *sb = vexfs_super(fs);

	lockdep_assert_held(&fs->orphan_lock);
	sb->s_checksum = cpu_to_le32(vexfs_super_csum(sb));
	return vexfs_trans_dirty(t, fs->sb_buf);
}

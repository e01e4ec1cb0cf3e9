// SPDX-License-Identifier: GPL-2.0
/*
 * The superblock and its backup.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include "fsck.h"

/* Groups have 128 MiB; inode tables, where backups are, at most 16 of them. */
#define FSCK_BACKUP_SPAN	((16u << 20) + 16 * VEXFS_MAX_CLUSTER)

/*
 * A quota file is one if there is any sign of it: should there be none, it is
 * made anew, which costs less than limits that are forgotten.
 */
static void fsck_quota_soften(struct vexfs_super_block *sb)
{
	u32 have = le32_to_cpu(sb->s_feature_ro_compat);
	int i;

	if (have & VEXFS_RO_COMPAT_PROJECT)
		sb->s_quota_ino[2] = cpu_to_le64(VEXFS_PRJQUOTA_INO);
	for (i = 0; i < 3; i++)
		if (sb->s_quota_ino[i])
			sb->s_quota_ino[i] = cpu_to_le64(VEXFS_USRQUOTA_INO +
							 i);
	have &= ~VEXFS_RO_COMPAT_KNOWN;
	sb->s_feature_ro_compat = cpu_to_le32(have | vexfs_quota_features(sb));
}

/* Fields that don't decide where things are; as they should be. */
static void fsck_super_soften(struct vexfs_super_block *sb)
{
	u32 errors = le32_to_cpu(sb->s_errors);
	u64 clusters = le64_to_cpu(sb->s_clusters_count);

	if (errors < VEXFS_ERRORS_CONTINUE || errors > VEXFS_ERRORS_PANIC)
		sb->s_errors = cpu_to_le32(VEXFS_ERRORS_RO);
	sb->s_state &= cpu_to_le32(VEXFS_STATE_CLEAN | VEXFS_STATE_ERROR);
	if (le32_to_cpu(sb->s_vector_dims) > VEXFS_MAX_DIMS)
		sb->s_vector_dims = 0;
	sb->s_backup_nr = 0;
	if (le64_to_cpu(sb->s_reserved_clusters) > clusters / 4)
		sb->s_reserved_clusters = 0;
	fsck_quota_soften(sb);
	sb->s_checksum = cpu_to_le32(vexfs_super_csum(sb));
}

static bool fsck_super_fits(struct fsck *f, const struct vexfs_super_block *sb)
{
	struct vexfs_geom g;
	const char *why;

	return !vexfs_geom_from_super(sb, &g, &why) &&
	       vexfs_cluster_to_block(&g, g.clusters) <= f->dev->blocks;
}

/* NULL if the volume can be found with it. */
static const char *fsck_super_unusable(struct fsck *f,
				       const struct vexfs_super_block *sb)
{
	struct vexfs_super_block copy = *sb;
	const char *why;

	fsck_super_soften(&copy);
	why = vexfs_verify_super(&copy);
	if (!why && !fsck_super_fits(f, &copy))
		why = "the device is smaller than the volume on it";
	return why;
}

static int fsck_read_raw(struct fsck *f, u64 bno, u8 *block)
{
	int err = vexfs_dev_read(f->dev, bno, block);

	return err ? fsck_fail(f, err, "can't be read", bno) : 0;
}

static bool fsck_super_is_backup(const struct vexfs_super_block *sb)
{
	struct vexfs_super_block copy = *sb;

	copy.s_backup_nr = 0;
	copy.s_checksum = cpu_to_le32(vexfs_super_csum(&copy));
	return le32_to_cpu(sb->s_checksum) == vexfs_super_csum(sb) &&
	       le32_to_cpu(sb->s_backup_nr) == 1 &&
	       !vexfs_verify_super(&copy);
}

/* A backup that lies where its own geometry says it does. */
static bool fsck_try_backup(struct fsck *f, u64 bno, u8 *block)
{
	const struct vexfs_super_block *sb = (void *)(block +
						      VEXFS_SUPER_OFFSET);
	struct vexfs_super_block copy;
	struct vexfs_geom g;
	const char *why;

	if (vexfs_dev_read(f->dev, bno, block) || !fsck_super_is_backup(sb))
		return false;
	copy = *sb;
	return !vexfs_geom_from_super(&copy, &g, &why) &&
	       fsck_super_fits(f, &copy) &&
	       (f->opt.use_backup || vexfs_backup_block(&g, 0) == bno);
}

static u64 fsck_find_backup(struct fsck *f, u8 *block)
{
	u64 base = 0, bno, end;
	int i;

	if (f->opt.use_backup)
		return fsck_try_backup(f, f->opt.backup, block) ?
		       f->opt.backup : 0;
	for (i = 0; i < 2; i++, base += VEXFS_GROUP_BYTES >> VEXFS_BLOCK_SHIFT) {
		end = min(base + (FSCK_BACKUP_SPAN >> VEXFS_BLOCK_SHIFT),
			  f->dev->blocks);
		/* The first group's also begins with all descriptors. */
		if (!i)
			end = min((u64)VEXFS_GROUP_BYTES >> VEXFS_BLOCK_SHIFT,
				  f->dev->blocks);
		for (bno = base + 1; bno < end; bno++)
			if (fsck_try_backup(f, bno, block))
				return bno;
	}
	return 0;
}

/* The journal is of no use to an older superblock: it was clean when made. */
static int fsck_take_backup(struct fsck *f, const char *why)
{
	u8 block[VEXFS_BLOCK_SIZE] __aligned(8), old[VEXFS_BLOCK_SIZE];
	struct vexfs_super_block *sb = (void *)(old + VEXFS_SUPER_OFFSET);
	u64 bno = fsck_find_backup(f, block);
	int err;

	if (!bno) {
		if (!f->opt.quiet)
			fprintf(stderr, "fsck.vexfs: %s: %s, and no backup of it was found\n",
				f->opt.device, why);
		f->error = -EINVAL;
		return -EINVAL;
	}
	if (!fsck_problem(f, FP_SUPER_BAD, 0, bno, "%s", why)) {
		f->error = -EINVAL;
		return -EINVAL;
	}
	err = fsck_read_raw(f, 0, old);
	if (err)
		return err;
	memcpy(sb, block + VEXFS_SUPER_OFFSET, sizeof(*sb));
	sb->s_backup_nr = 0;
	sb->s_state &= ~cpu_to_le32(VEXFS_STATE_CLEAN);
	sb->s_checksum = cpu_to_le32(vexfs_super_csum(sb));
	return vexfs_dev_write(f->dev, 0, old);
}

/* Is there a superblock with which the volume can be looked at? */
int fsck_check_super(struct fsck *f)
{
	u8 block[VEXFS_BLOCK_SIZE] __aligned(8);
	struct vexfs_super_block *sb = (void *)(block + VEXFS_SUPER_OFFSET);
	const char *why;
	int err = fsck_read_raw(f, 0, block);

	if (err)
		return err;
	why = f->opt.use_backup ? "-b was given" : fsck_super_unusable(f, sb);
	if (why && !memcmp(sb->s_magic, VEXFS_MAGIC_BYTES,
			   sizeof(sb->s_magic)) &&
	    le32_to_cpu(sb->s_checksum) == vexfs_super_csum(sb) &&
	    (le32_to_cpu(sb->s_revision) > VEXFS_REVISION ||
	     (le32_to_cpu(sb->s_feature_incompat) & ~VEXFS_INCOMPAT_KNOWN)))
		return fsck_fail(f, -EOPNOTSUPP, why, 0);
	if (why) {
		err = fsck_take_backup(f, why);
		if (!err)
			err = fsck_read_raw(f, 0, block);
		if (err)
			return err;
	}
	fsck_super_soften(sb);
	if (vexfs_geom_from_super(sb, &f->fs.geom, &why))
		return fsck_fail(f, -EINVAL, why, 0);
	return 0;
}

static void fsck_super_fields(struct fsck *f, struct vexfs_super_block *sb)
{
	struct vexfs_super_block good = *sb;
	const char *why;

	fsck_super_soften(&good);
	if (le32_to_cpu(sb->s_checksum) != vexfs_super_csum(sb) &&
	    fsck_problem(f, FP_SUPER_CSUM, 0, 0, NULL))
		sb->s_checksum = cpu_to_le32(vexfs_super_csum(sb));
	why = vexfs_verify_super(sb);
	if (!why && sb->s_backup_nr)
		why = "it is marked as a backup";
	if (why && le32_to_cpu(sb->s_checksum) == vexfs_super_csum(sb) &&
	    fsck_problem(f, FP_SUPER_FIELD, 0, 0, "%s", why))
		*sb = good;
}

/* After the replay, which may have mended it. */
int fsck_fix_super(struct fsck *f)
{
	u8 block[VEXFS_BLOCK_SIZE] __aligned(8);
	struct vexfs_super_block *sb = (void *)(block + VEXFS_SUPER_OFFSET);
	struct vexfs_super_block old;
	const char *why;
	int err = fsck_read_raw(f, 0, block);

	if (err)
		return err;
	why = fsck_super_unusable(f, sb);
	if (why) {
		err = fsck_take_backup(f, why);
		if (!err)
			err = fsck_read_raw(f, 0, block);
		if (err)
			return err;
	}
	old = *sb;
	fsck_super_fields(f, sb);
	if (memcmp(&old, sb, sizeof(old)))
		err = vexfs_dev_write(f->dev, 0, block);
	return err;
}

static const char *fsck_backup_super_why(struct fsck *f, const u8 *block)
{
	const struct vexfs_super_block *sb = (const void *)(block +
							    VEXFS_SUPER_OFFSET);
	const struct vexfs_super_block *own = vexfs_super(&f->fs);

	if (!fsck_super_is_backup(sb))
		return "superblock";
	if (sb->s_csum_seed != own->s_csum_seed ||
	    memcmp(sb->s_hash_seed, own->s_hash_seed,
		   sizeof(sb->s_hash_seed)) ||
	    sb->s_clusters_count != own->s_clusters_count ||
	    sb->s_inodes_per_group != own->s_inodes_per_group ||
	    sb->s_journal_clusters != own->s_journal_clusters)
		return "superblock of another volume";
	return NULL;
}

static const char *fsck_backup_desc_why(struct fsck *f, u32 nr,
					const u8 *block)
{
	const struct vexfs_group_desc *gd = (const void *)block;
	u32 group = nr * VEXFS_DESC_PER_BLOCK, i;

	for (i = 0; i < VEXFS_DESC_PER_BLOCK; i++, group++)
		if (group < f->fs.geom.groups &&
		    vexfs_verify_group_desc(&f->fs, group, &gd[i]))
			return "group descriptors";
	return NULL;
}

static int fsck_write_backup(struct fsck *f, u32 nr, u64 bno)
{
	u8 block[VEXFS_BLOCK_SIZE] __aligned(8);
	struct vexfs_super_block *sb = (void *)(block + VEXFS_SUPER_OFFSET);
	struct vexfs_group_desc *gd = (void *)block;
	u32 i, crc, group = (nr - 1) * VEXFS_DESC_PER_BLOCK;

	memset(block, 0, sizeof(block));
	if (!nr) {
		memcpy(block, vexfs_buf_data(f->fs.sb_buf), sizeof(block));
		sb->s_backup_nr = cpu_to_le32(1);
		sb->s_orphan_head = 0;
		sb->s_checksum = cpu_to_le32(vexfs_super_csum(sb));
		return fsck_write(f, bno, block);
	}
	for (i = 0; i < VEXFS_DESC_PER_BLOCK && group < f->fs.geom.groups;
	     i++, group++) {
		vexfs_group_desc_init(&f->fs.geom, group, &gd[i]);
		crc = vexfs_group_desc_csum(&f->fs, group, &gd[i]);
		gd[i].bg_checksum = cpu_to_le32(crc);
	}
	return fsck_write(f, bno, block);
}

int fsck_check_backup(struct fsck *f)
{
	u8 block[VEXFS_BLOCK_SIZE] __aligned(8);
	const char *why;
	u64 bno;
	u32 nr;
	int err = 0;

	for (nr = 0; !err && nr <= f->fs.geom.gdt_blocks; nr++) {
		bno = vexfs_backup_block(&f->fs.geom, nr);
		err = fsck_read(f, bno, block);
		if (err)
			return fsck_fail(f, err, "can't be read", bno);
		why = nr ? fsck_backup_desc_why(f, nr - 1, block) :
			   fsck_backup_super_why(f, block);
		if (why && fsck_problem(f, FP_SUPER_BACKUP, 0, bno, "%s", why))
			err = fsck_write_backup(f, nr, bno);
	}
	return err;
}

// SPDX-License-Identifier: GPL-2.0
/*
 * Writes a new volume, with the same code that will run it: superblock and
 * descriptors, the root directory, their backups, an empty journal.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include "mkfs.h"

#include <time.h>
#include <unistd.h>

#include "vexfs_dev.h"

/* Space kept for CAP_SYS_RESOURCE, so that root can clean up a full volume */
#define MKFS_RESERVED_MAX	(16u << 20)

#define MKFS_JBD2_MAGIC		0xc03b3998u
#define MKFS_JBD2_SUPER_V2	4

/* The part of jbd2's superblock that an empty journal uses; big-endian. */
struct mkfs_jbd2_super {
	__be32	h_magic;
	__be32	h_blocktype;
	__be32	h_sequence;
	__be32	s_blocksize;
	__be32	s_maxlen;
	__be32	s_first;
	__be32	s_sequence;
	__be32	s_start;
	__be32	s_errno;
	__be32	s_feature_compat;
	__be32	s_feature_incompat;
	__be32	s_feature_ro_compat;
	__u8	s_uuid[16];
	__be32	s_nr_users;
};

u64 mkfs_reserved(const struct vexfs_geom *geom)
{
	return min_t(u64, geom->data_clusters / 100,
		     MKFS_RESERVED_MAX / geom->cluster_size);
}

__le64 mkfs_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return cpu_to_le64((u64)ts.tv_sec * NSEC_PER_SEC + (u64)ts.tv_nsec);
}

static void mkfs_fill_super(const struct mkfs_options *opt,
			    const struct vexfs_geom *geom,
			    struct vexfs_super_block *sb)
{
	int type;

	vexfs_init_super(sb, geom);
	memcpy(sb->s_uuid, opt->uuid, sizeof(sb->s_uuid));
	memcpy(sb->s_label, opt->label, sizeof(sb->s_label));
	get_random_bytes(sb->s_hash_seed, sizeof(sb->s_hash_seed));
	sb->s_csum_seed = cpu_to_le32(vexfs_crc32c(~0u, sb->s_uuid,
						   sizeof(sb->s_uuid)));
	sb->s_reserved_clusters = cpu_to_le64(mkfs_reserved(geom));
	sb->s_vector_dims = cpu_to_le32(opt->dims);
	for (type = 0; type < VQ_TYPES; type++)
		if (opt->quota & (1u << type))
			sb->s_quota_ino[type] =
				cpu_to_le64(VEXFS_USRQUOTA_INO + type);
	sb->s_feature_ro_compat = cpu_to_le32(vexfs_quota_features(sb));
	sb->s_mkfs_time = cpu_to_le64(ktime_get_real_seconds());
	sb->s_write_time = sb->s_mkfs_time;
	sb->s_check_time = sb->s_mkfs_time;
	sb->s_checksum = cpu_to_le32(vexfs_super_csum(sb));
}

/* A block that has nothing in it yet, in the transaction. */
static struct vexfs_buf *mkfs_new_block(struct vexfs_trans *t,
					struct vexfs_fs *fs, u64 bno)
{
	struct vexfs_buf *buf = vexfs_buf_get(fs, bno);
	int err;

	if (IS_ERR(buf))
		return buf;
	err = vexfs_trans_create(t, buf);
	if (err) {
		vexfs_buf_put(buf);
		return ERR_PTR(err);
	}
	memset(vexfs_buf_data(buf), 0, VEXFS_BLOCK_SIZE);
	return buf;
}

static int mkfs_end_block(struct vexfs_trans *t, struct vexfs_buf *buf)
{
	int err = vexfs_trans_dirty(t, buf);

	vexfs_buf_put(buf);
	return err;
}

static int mkfs_write_super(const struct mkfs_options *opt,
			    const struct vexfs_geom *geom,
			    struct vexfs_trans *t, struct vexfs_fs *fs)
{
	struct vexfs_super_block *sb;
	struct vexfs_buf *buf = mkfs_new_block(t, fs, 0);

	if (IS_ERR(buf))
		return PTR_ERR(buf);
	sb = vexfs_buf_data(buf) + VEXFS_SUPER_OFFSET;
	mkfs_fill_super(opt, geom, sb);
	fs->csum_seed = le32_to_cpu(sb->s_csum_seed);
	return mkfs_end_block(t, buf);
}

static int mkfs_write_desc_block(const struct vexfs_geom *geom,
				 struct vexfs_trans *t, struct vexfs_fs *fs,
				 u32 nr)
{
	u32 group = nr * VEXFS_DESC_PER_BLOCK;
	u32 end = min_t(u64, geom->groups, (u64)group + VEXFS_DESC_PER_BLOCK);
	struct vexfs_group_desc *gd;
	struct vexfs_buf *buf = mkfs_new_block(t, fs, vexfs_gdt_block(geom, nr));

	if (IS_ERR(buf))
		return PTR_ERR(buf);
	for (gd = vexfs_buf_data(buf); group < end; group++, gd++) {
		vexfs_group_desc_init(geom, group, gd);
		/* The root directory's inode is one of the reserved. */
		if (!group)
			gd->bg_used_dirs = cpu_to_le32(1);
		gd->bg_checksum = cpu_to_le32(vexfs_group_desc_csum(fs, group,
								    gd));
	}
	return mkfs_end_block(t, buf);
}

/* What must be there before the volume can be loaded. */
static int mkfs_write_frame(const struct mkfs_options *opt,
			    const struct vexfs_geom *geom,
			    struct vexfs_dev *dev, struct vexfs_fs *fs)
{
	struct vexfs_trans *t = vexfs_trans_begin(dev, 2 + geom->gdt_blocks);
	struct vexfs_buf *buf;
	int err;
	u32 nr;

	if (IS_ERR(t))
		return PTR_ERR(t);
	err = mkfs_write_super(opt, geom, t, fs);
	for (nr = 0; !err && nr < geom->gdt_blocks; nr++)
		err = mkfs_write_desc_block(geom, t, fs, nr);
	if (!err) {
		buf = mkfs_new_block(t, fs, vexfs_itable_block(geom, 0));
		err = IS_ERR(buf) ? PTR_ERR(buf) : mkfs_end_block(t, buf);
	}
	vexfs_trans_end(t);
	return err;
}

static void mkfs_fill_root(struct vexfs_node *root, u64 size,
			   struct vexfs_inode *di)
{
	di->i_magic = cpu_to_le16(VEXFS_INODE_MAGIC);
	di->i_mode = cpu_to_le16(S_IFDIR | 0755);
	di->i_ino = cpu_to_le64(root->ino);
	di->i_generation = cpu_to_le32(root->generation);
	di->i_nlink = cpu_to_le32(2);
	di->i_size = cpu_to_le64(size);
	di->i_blocks = cpu_to_le64(root->blocks);
	di->i_atime = mkfs_now();
	di->i_mtime = di->i_atime;
	di->i_ctime = di->i_atime;
	di->i_crtime = di->i_atime;
	di->i_version = cpu_to_le64(1);
	di->i_parent = cpu_to_le64(VEXFS_ROOT_INO);
	di->i_root = root->root;
	di->i_checksum = cpu_to_le32(vexfs_inode_csum(root->fs, di));
}

static int mkfs_write_root(struct vexfs_trans *t, struct vexfs_fs *fs)
{
	struct vexfs_node root = { };
	struct vexfs_inode *di;
	struct vexfs_buf *buf;
	u32 generation = max(get_random_u32(), 1u);
	u64 size;
	int err;

	vexfs_node_init(&root, fs, VEXFS_ROOT_INO, generation);
	err = vexfs_dir_init(t, &root, &size);
	if (err)
		return err;
	buf = vexfs_inode_buf(fs, VEXFS_ROOT_INO, &di);
	if (IS_ERR(buf))
		return PTR_ERR(buf);
	err = vexfs_trans_write(t, buf);
	if (!err) {
		mkfs_fill_root(&root, size, di);
		err = vexfs_trans_dirty(t, buf);
	}
	vexfs_buf_put(buf);
	return err ? err : mkfs_write_quota(t, &root);
}

static int mkfs_write_backup(struct vexfs_trans *t, struct vexfs_fs *fs, u32 nr)
{
	struct vexfs_buf *buf, *src = nr ? fs->gdt[nr - 1] : fs->sb_buf;
	struct vexfs_super_block *sb;

	buf = mkfs_new_block(t, fs, vexfs_backup_block(&fs->geom, nr));
	if (IS_ERR(buf))
		return PTR_ERR(buf);
	memcpy(vexfs_buf_data(buf), vexfs_buf_data(src), VEXFS_BLOCK_SIZE);
	if (!nr) {
		sb = vexfs_buf_data(buf) + VEXFS_SUPER_OFFSET;
		sb->s_backup_nr = cpu_to_le32(1);
		sb->s_checksum = cpu_to_le32(vexfs_super_csum(sb));
	}
	return mkfs_end_block(t, buf);
}

static int mkfs_write_backups(struct vexfs_dev *dev, struct vexfs_fs *fs)
{
	u32 nr, n = 1 + fs->geom.gdt_blocks;
	struct vexfs_trans *t = vexfs_trans_begin(dev, n);
	int err = 0;

	if (IS_ERR(t))
		return PTR_ERR(t);
	for (nr = 0; !err && nr < n; nr++)
		err = mkfs_write_backup(t, fs, nr);
	vexfs_trans_end(t);
	return err;
}

static int mkfs_write_tree(struct vexfs_dev *dev, struct vexfs_fs *fs)
{
	struct vexfs_trans *t;
	const char *why;
	int err;

	err = vexfs_fs_load(fs, &why);
	if (err)
		return err;
	t = vexfs_trans_begin(dev, VEXFS_DIR_CREDITS + 1 + MKFS_QUOTA_CREDITS);
	err = IS_ERR(t) ? PTR_ERR(t) : mkfs_write_root(t, fs);
	if (!IS_ERR(t))
		vexfs_trans_end(t);
	if (!err)
		err = mkfs_write_backups(dev, fs);
	vexfs_fs_unload(fs);
	return err;
}

/*
 * All of the journal becomes zeroes: a log of an earlier volume might fit the
 * new one's sequence numbers and be replayed.
 */
static int mkfs_clear_journal(const struct vexfs_geom *geom, int fd)
{
	u64 nr, run, n = vexfs_journal_blocks(geom);
	int err = 0;

	for (nr = 0; !err && nr < n; nr += run) {
		u64 bno = vexfs_journal_block(geom, nr);

		run = 1;
		while (nr + run < n &&
		       vexfs_journal_block(geom, nr + run) == bno + run)
			run++;
		err = mkfs_zero(fd, bno << VEXFS_BLOCK_SHIFT,
				run << VEXFS_BLOCK_SHIFT);
	}
	return err;
}

static int mkfs_write_journal(const struct mkfs_options *opt,
			      const struct vexfs_geom *geom,
			      struct vexfs_dev *dev)
{
	u8 block[VEXFS_BLOCK_SIZE] __aligned(8) = { };
	struct mkfs_jbd2_super *jsb = (void *)block;
	int err = mkfs_clear_journal(geom, dev->fd);

	if (err)
		return err;
	jsb->h_magic = cpu_to_be32(MKFS_JBD2_MAGIC);
	jsb->h_blocktype = cpu_to_be32(MKFS_JBD2_SUPER_V2);
	jsb->s_blocksize = cpu_to_be32(VEXFS_BLOCK_SIZE);
	jsb->s_maxlen = cpu_to_be32((u32)vexfs_journal_blocks(geom));
	jsb->s_first = cpu_to_be32(1);
	jsb->s_sequence = cpu_to_be32(1);
	memcpy(jsb->s_uuid, opt->uuid, sizeof(jsb->s_uuid));
	jsb->s_nr_users = cpu_to_be32(1);
	return vexfs_dev_write(dev, vexfs_journal_block(geom, 0), block);
}

int mkfs_format(const struct mkfs_options *opt, const struct vexfs_geom *geom,
		struct mkfs_target *target)
{
	struct vexfs_dev *dev;
	struct vexfs_fs *fs;
	int err, err2;

	fs = kzalloc(sizeof(*fs), GFP_KERNEL);
	dev = vexfs_dev_fd(target->fd, target->bytes, false);
	if (!fs || IS_ERR(dev))
		return -ENOMEM;
	fs->dev = dev;
	err = mkfs_write_journal(opt, geom, dev);
	if (!err)
		err = mkfs_write_frame(opt, geom, dev, fs);
	if (!err)
		err = mkfs_write_tree(dev, fs);
	if (!err)
		err = vexfs_dev_commit(dev);
	if (!err)
		err = vexfs_dev_sync(dev);
	err2 = vexfs_dev_close(dev);
	kfree(fs);
	return err ? err : err2;
}

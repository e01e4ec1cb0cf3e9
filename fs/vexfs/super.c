// SPDX-License-Identifier: GPL-2.0
/*
 * Mounting, unmounting, and what the VFS asks of a volume as a whole.
 *
 * Copyright (C) 2026 The VexFS authors
 *
 * Lock ordering, outermost first:
 *
 *	i_rwsem
 *	  invalidate_lock
 *	    folio lock, folio writeback
 *	      jbd2 handle
 *	        disk_lock
 *	          map_sem (the extent tree)
 *	            dq_lock, dqio_sem (quota), map_sem of a quota file
 *	            group locks, which guard inodes on disk too
 *	              buffers
 *	        orphan_mutex, then orphan_lock, then group locks
 *
 * jbd2 and iomap live together by four rules:
 *
 * 1. No folio is locked, and none is waited for, while a handle is held:
 *    writeback locks folios first and starts handles after. So there is no
 *    data=ordered, where a commit would wait for folios.
 * 2. Blocks are allocated unwritten. The worker at the end of a write
 *    converts them, in the transaction that raises the size on disk. Nobody
 *    ever reads what a block held before, crash or no crash.
 * 3. A size on disk never moves past bytes that are not on disk: before a
 *    file grows, the rest of its last block is zeroed and written back.
 * 4. Freed clusters are handed out again only after the transaction that
 *    freed them has committed, and freed metadata is revoked: until then a
 *    crash brings the old owner back.
 */
#include <linux/blkdev.h>
#include <linux/buffer_head.h>
#include <linux/module.h>
#include <linux/seq_file.h>
#include <linux/statfs.h>
#include <linux/writeback.h>

#define CREATE_TRACE_POINTS
#include "trace.h"
#include "vexfs.h"

static struct kmem_cache *vexfs_inode_cachep;

VEXFS_DEFINE_CRC32C;

static void vexfs_inode_once(void *obj)
{
	struct vexfs_inode_info *info = obj;

	init_rwsem(&info->node.map_sem);
	mutex_init(&info->disk_lock);
	mutex_init(&info->coll_lock);
	spin_lock_init(&info->ioend_lock);
	INIT_LIST_HEAD(&info->ioends);
	info->ioend_helpers = 0;
	atomic_set(&info->ioends_pending, 0);
	init_waitqueue_head(&info->ioend_wait);
	inode_init_once(&info->vfs_inode);
}

static struct inode *vexfs_alloc_inode(struct super_block *sb)
{
	struct vexfs_inode_info *info;

	info = alloc_inode_sb(sb, vexfs_inode_cachep, GFP_NOFS);
	if (!info)
		return NULL;
	info->node.fs = VEXFS_FS(sb);
	info->node.flags = 0;
	info->node.blocks = 0;
	info->node.goal = 0;
	info->parent = 0;
	info->node.xattr_block = 0;
	info->coll_block = 0;
	info->projid = make_kprojid(&init_user_ns, 0);
#ifdef CONFIG_QUOTA
	memset(&info->dquot, 0, sizeof(info->dquot));
#endif
	info->node.xattr_len = 0;
	info->symlink[0] = '\0';
	info->disk_size = 0;
	atomic_set(&info->map_seq, 0);
	info->orphan = false;
	INIT_LIST_HEAD(&info->orphan_list);
	info->streamed = 0;
	info->ahead = 0;
	info->ahead_end = 0;
	INIT_LIST_HEAD(&info->ahead_list);
	info->sync_tid = 0;
	info->datasync_tid = 0;
	INIT_WORK(&info->ioend_work, vexfs_ioend_work);
	info->coll = NULL;
	atomic_set(&info->opens, 0);
	return &info->vfs_inode;
}

static void vexfs_free_inode(struct inode *inode)
{
	kmem_cache_free(vexfs_inode_cachep, VEXFS_I(inode));
}

int vexfs_super_mark(struct super_block *sb, bool mounted)
{
	struct vexfs_fs *fs = VEXFS_FS(sb);
	struct vexfs_super_block *vs = vexfs_super(fs);
	handle_t *handle;
	int err, err2;

	handle = vexfs_journal_start_any(sb, 1);
	if (IS_ERR(handle))
		return PTR_ERR(handle);
	mutex_lock(&fs->orphan_lock);
	err = vexfs_super_begin(handle, fs);
	if (!err) {
		vs->s_write_time = cpu_to_le64(ktime_get_real_seconds());
		if (mounted) {
			vs->s_mount_time = vs->s_write_time;
			vs->s_state &= ~cpu_to_le32(VEXFS_STATE_CLEAN);
			le32_add_cpu(&vs->s_mount_count, 1);
		} else {
			vs->s_state |= cpu_to_le32(VEXFS_STATE_CLEAN);
		}
		err = vexfs_super_end(handle, fs);
	}
	mutex_unlock(&fs->orphan_lock);
	err2 = vexfs_journal_stop(handle);
	return err ?: err2 ?: vexfs_journal_commit(sb);
}

static void vexfs_write_mount(struct super_block *sb, const char *path)
{
	struct vexfs_fs *fs = VEXFS_FS(sb);
	struct vexfs_super_block *vs = vexfs_super(fs);
	handle_t *handle = vexfs_journal_start(sb, 1);

	if (IS_ERR(handle))
		return;
	mutex_lock(&fs->orphan_lock);
	if (!vexfs_super_begin(handle, fs)) {
		strscpy_pad((char *)vs->s_last_mounted, path,
			    sizeof(vs->s_last_mounted));
		vexfs_super_end(handle, fs);
	}
	mutex_unlock(&fs->orphan_lock);
	vexfs_journal_stop(handle);
}

/* Only an open file tells the path; the first one is good enough. */
void vexfs_sample_mount(struct file *file)
{
	struct super_block *sb = file_inode(file)->i_sb;
	struct vexfs_sb_info *sbi = VEXFS_SB(sb);
	struct path root = {
		.mnt	= file->f_path.mnt,
		.dentry	= file->f_path.mnt->mnt_root,
	};
	char buf[sizeof(vexfs_super(&sbi->fs)->s_last_mounted)], *path;

	if (sb_rdonly(sb) || test_and_set_bit(VEXFS_SBF_SAMPLED, &sbi->flags))
		return;
	path = d_path(&root, buf, sizeof(buf));
	if (IS_ERR(path) || !sb_start_intwrite_trylock(sb))
		return;
	vexfs_write_mount(sb, path);
	sb_end_intwrite(sb);
}

/*
 * What is left for ordinary files, f_bavail, doesn't include the vector area,
 * which only collections use.
 */
static int vexfs_statfs(struct dentry *dentry, struct kstatfs *buf)
{
	struct super_block *sb = dentry->d_sb;
	struct vexfs_sb_info *sbi = VEXFS_SB(sb);
	struct vexfs_geom *g = &sbi->fs.geom;
	u64 free = percpu_counter_sum_positive(&sbi->fs.free_clusters), kept;

	buf->f_type = VEXFS_SUPER_MAGIC;
	buf->f_bsize = VEXFS_BLOCK_SIZE;
	buf->f_frsize = VEXFS_BLOCK_SIZE;
	buf->f_blocks = vexfs_cluster_to_block(g, g->data_clusters +
						  g->vector_clusters);
	buf->f_bfree = vexfs_cluster_to_block(g, free);
	kept = sbi->fs.reserved_clusters +
	       percpu_counter_sum_positive(&sbi->fs.vector_free);
	free -= min(free, kept);
	buf->f_bavail = vexfs_cluster_to_block(g, free);
	buf->f_files = sbi->inodes;
	buf->f_ffree = percpu_counter_sum_positive(&sbi->fs.free_inodes);
	buf->f_namelen = VEXFS_NAME_LEN;
	buf->f_fsid = uuid_to_fsid(sb->s_uuid.b);
	vexfs_statfs_project(d_inode(dentry), buf);
	return 0;
}

/* What a flush is needed for, beside the commit: data written in place. */
static int vexfs_sync_fs(struct super_block *sb, int wait)
{
	struct vexfs_sb_info *sbi = VEXFS_SB(sb);
	journal_t *journal = sbi->journal;
	bool flush = false;
	int err = 0, err2 = 0;
	tid_t target;

	if (vexfs_is_shutdown(sb))
		return -EIO;
	if (!journal)
		return 0;
	if (wait)
		err = vexfs_coll_sync_all(sb);
	target = jbd2_get_latest_transaction(journal);
	if (wait && !jbd2_trans_will_send_data_barrier(journal, target))
		flush = true;
	if (jbd2_journal_start_commit(journal, &target) && wait)
		err2 = jbd2_log_wait_commit(journal, target);
	if (flush && !err2)
		err2 = blkdev_issue_flush(sb->s_bdev);
	if (wait && !err2 && is_journal_aborted(journal))
		err2 = -EIO;
	return err ?: err2;
}

/* s_writers keeps new transactions out once the journal is empty. */
static int vexfs_freeze_fs(struct super_block *sb)
{
	journal_t *journal = VEXFS_SB(sb)->journal;
	int err;

	if (!journal || sb_rdonly(sb))
		return 0;
	jbd2_journal_lock_updates(journal);
	err = jbd2_journal_flush(journal, 0);
	jbd2_journal_unlock_updates(journal);
	/* Frozen means that nothing is discarded either. */
	flush_work(&VEXFS_SB(sb)->freed_work);
	return err;
}

static int vexfs_unfreeze_fs(struct super_block *sb)
{
	return 0;
}

static void vexfs_destroy_workqueues(struct vexfs_sb_info *sbi)
{
	if (sbi->coll_wq)
		destroy_workqueue(sbi->coll_wq);
	if (sbi->ioend_wq)
		destroy_workqueue(sbi->ioend_wq);
}

/* The error worker does nothing any more once READY is off. */
static void vexfs_unload_volume(struct super_block *sb)
{
	struct vexfs_sb_info *sbi = VEXFS_SB(sb);

	vexfs_destroy_workqueues(sbi);
	clear_bit(VEXFS_SBF_READY, &sbi->flags);
	cancel_work_sync(&sbi->error_work);
	vexfs_freed_stop(sb);
	vexfs_journal_destroy(sb);
	vexfs_freed_stop(sb);
	vexfs_fs_unload(&sbi->fs);
}

static void vexfs_put_super(struct super_block *sb)
{
	struct vexfs_sb_info *sbi = VEXFS_SB(sb);
	int err;

	vexfs_sysfs_remove(sb);
	vexfs_quota_off(sb);
	flush_work(&sbi->error_work);
	if (!sb_rdonly(sb) && !vexfs_is_shutdown(sb)) {
		err = vexfs_super_mark(sb, false);
		if (err)
			vexfs_err(sb, "not marked clean: error %d", err);
	}
	vexfs_unload_volume(sb);
	sync_blockdev(sb->s_bdev);
	invalidate_bdev(sb->s_bdev);
}

static const struct super_operations vexfs_super_operations = {
	.alloc_inode	= vexfs_alloc_inode,
	.free_inode	= vexfs_free_inode,
	.dirty_inode	= vexfs_dirty_inode,
	.write_inode	= vexfs_write_inode,
	.evict_inode	= vexfs_evict_inode,
	.put_super	= vexfs_put_super,
	.sync_fs	= vexfs_sync_fs,
	.freeze_fs	= vexfs_freeze_fs,
	.unfreeze_fs	= vexfs_unfreeze_fs,
	.statfs		= vexfs_statfs,
	.show_options	= vexfs_show_options,
#ifdef CONFIG_QUOTA
	.quota_read	= vexfs_quota_read,
	.quota_write	= vexfs_quota_write,
	.get_dquots	= vexfs_get_dquots,
#endif
};

#define VEXFS_INCOMPAT_SUPPORTED \
	(IS_ENABLED(CONFIG_VEXFS_FS_COLLECTIONS) ? VEXFS_INCOMPAT_KNOWN : \
	 VEXFS_INCOMPAT_KNOWN & ~VEXFS_INCOMPAT_COLLECTIONS)

static int vexfs_check_features(struct super_block *sb,
				const struct vexfs_super_block *vs)
{
	u32 incompat = le32_to_cpu(vs->s_feature_incompat) &
		       ~VEXFS_INCOMPAT_SUPPORTED;
	u32 ro = le32_to_cpu(vs->s_feature_ro_compat) &
		 ~VEXFS_RO_COMPAT_KNOWN;

	if (incompat) {
		vexfs_err(sb, "unknown features 0x%x: not mounted", incompat);
		return -EOPNOTSUPP;
	}
	if (ro && !sb_rdonly(sb)) {
		vexfs_err(sb, "unknown features 0x%x: use -o ro", ro);
		return -EROFS;
	}
	return 0;
}

/*
 * Geometry for the journal's sake. The checksum has to wait for the replay: a
 * superblock torn by a crash is whole again after it.
 */
static int vexfs_read_geometry(struct super_block *sb, bool silent)
{
	struct vexfs_fs *fs = VEXFS_FS(sb);
	const struct vexfs_super_block *vs;
	struct buffer_head *bh = sb_bread(sb, 0);
	const char *why = NULL;
	int err = 0;

	if (!bh) {
		vexfs_err(sb, "can't read the superblock");
		return -EIO;
	}
	vs = (void *)(bh->b_data + VEXFS_SUPER_OFFSET);
	if (memcmp(vs->s_magic, VEXFS_MAGIC_BYTES, sizeof(vs->s_magic))) {
		if (!silent)
			vexfs_err(sb, "not a VexFS volume");
		err = -EINVAL;
	}
	if (!err)
		err = vexfs_check_features(sb, vs);
	if (!err) {
		err = vexfs_geom_from_super(vs, &fs->geom, &why);
		if (err)
			vexfs_err(sb, "%s", why);
	}
	brelse(bh);
	return err;
}

static int vexfs_check_device(struct super_block *sb)
{
	struct vexfs_geom *g = &VEXFS_FS(sb)->geom;
	u64 have = bdev_nr_bytes(sb->s_bdev) >> VEXFS_BLOCK_SHIFT;
	u64 want = vexfs_cluster_to_block(g, g->clusters);

	if (have >= want)
		return 0;
	vexfs_err(sb, "the device has %llu blocks of 4096 bytes, the volume %llu",
		  have, want);
	return -EFBIG;
}

/* The last mount ended with an aborted journal: fsck has to know. */
static void vexfs_take_journal_error(struct super_block *sb)
{
	journal_t *journal = VEXFS_SB(sb)->journal;
	int err = journal ? jbd2_journal_errno(journal) : 0;

	if (!err)
		return;
	vexfs_warn(sb, "the last mount ended with error %d; run fsck.vexfs",
		   err);
	if (sb_rdonly(sb))
		return;
	vexfs_error_record(sb, 0, 0, __func__, __LINE__, err);
	flush_work(&VEXFS_SB(sb)->error_work);
	if (vexfs_journal_commit(sb))
		return;
	jbd2_journal_clear_err(journal);
	jbd2_journal_ack_err(journal);
}

static void vexfs_fill_sb(struct super_block *sb)
{
	struct vexfs_sb_info *sbi = VEXFS_SB(sb);
	struct vexfs_super_block *vs = vexfs_super(&sbi->fs);
	u32 group;

	super_set_uuid(sb, vs->s_uuid, sizeof(vs->s_uuid));
	super_set_sysfs_name_bdev(sb);
	if (!sbi->errors)
		sbi->errors = le32_to_cpu(vs->s_errors);
	for (group = 0; group < sbi->fs.geom.groups; group++)
		sbi->inodes += vexfs_group_inodes(&sbi->fs.geom, group);
}

/* Everything that does not depend on what the volume holds. */
static void vexfs_init_sb(struct super_block *sb)
{
	sb->s_magic = VEXFS_SUPER_MAGIC;
	sb->s_maxbytes = (loff_t)VEXFS_MAX_LBLK << VEXFS_BLOCK_SHIFT;
	sb->s_max_links = VEXFS_LINK_MAX;
	sb->s_time_gran = 1;
	/* Whole seconds in signed nanoseconds. */
	sb->s_time_min = -9223372035LL;
	sb->s_time_max = 9223372035LL;
	sb->s_op = &vexfs_super_operations;
	sb->s_export_op = &vexfs_export_ops;
	sb->s_xattr = vexfs_xattr_handlers;
}

static int vexfs_create_workqueues(struct super_block *sb)
{
	struct vexfs_sb_info *sbi = VEXFS_SB(sb);

	sbi->ioend_wq = alloc_workqueue("vexfs-ioend/%s",
					WQ_MEM_RECLAIM | WQ_FREEZABLE |
					WQ_PERCPU, 0, sb->s_id);
	sbi->coll_wq = alloc_workqueue("vexfs-coll/%s",
				       WQ_UNBOUND | WQ_FREEZABLE, 0, sb->s_id);
	return sbi->ioend_wq && sbi->coll_wq ? 0 : -ENOMEM;
}

static int vexfs_load_volume(struct super_block *sb)
{
	struct vexfs_sb_info *sbi = VEXFS_SB(sb);
	const char *why = NULL;
	int err;

	/* What another user of the device left there may be older than it. */
	invalidate_bdev(sb->s_bdev);
	err = vexfs_read_geometry(sb, sb->s_flags & SB_SILENT);
	if (!err)
		err = vexfs_check_device(sb);
	if (!err)
		err = vexfs_journal_load(sb);
	if (err)
		return err;
	err = vexfs_fs_load(&sbi->fs, &why);
	if (err) {
		vexfs_err(sb, "%s", why);
		goto out_journal;
	}
	err = vexfs_check_features(sb, vexfs_super(&sbi->fs));
	if (!err) {
		set_bit(VEXFS_SBF_READY, &sbi->flags);
		return 0;
	}
	vexfs_fs_unload(&sbi->fs);
out_journal:
	vexfs_journal_destroy(sb);
	return err;
}

static int vexfs_make_root(struct super_block *sb)
{
	struct inode *root = vexfs_iget(sb, VEXFS_ROOT_INO);

	if (IS_ERR(root))
		return PTR_ERR(root);
	if (!S_ISDIR(root->i_mode)) {
		iput(root);
		return VEXFS_CORRUPTED(VEXFS_FS(sb), VEXFS_ROOT_INO, 0,
				       "the root is not a directory");
	}
	sb->s_root = d_make_root(root);
	return sb->s_root ? 0 : -ENOMEM;
}

static int vexfs_start_writing(struct super_block *sb)
{
	int err;

	vexfs_take_journal_error(sb);
	if (sb_rdonly(sb))
		return 0;
	if (!VEXFS_SB(sb)->journal) {
		vexfs_err(sb, "can't be written without its journal: use -o ro");
		return -EROFS;
	}
	err = vexfs_super_mark(sb, true);
	if (!err)
		err = vexfs_quota_on(sb);
	return err ?: vexfs_process_orphans(sb);
}

static void vexfs_init_sbi(struct super_block *sb, struct vexfs_sb_info *sbi,
			   const struct vexfs_fs_context *ctx)
{
	sbi->sb = sb;
	sbi->fs.dev = sb;
	spin_lock_init(&sbi->s_lock);
	spin_lock_init(&sbi->error_lock);
	INIT_LIST_HEAD(&sbi->collections);
	INIT_LIST_HEAD(&sbi->ahead);
	INIT_WORK(&sbi->error_work, vexfs_error_worker);
	ratelimit_state_init(&sbi->error_rs, DEFAULT_RATELIMIT_INTERVAL,
			     DEFAULT_RATELIMIT_BURST);
	init_completion(&sbi->kobj_gone);
	INIT_WORK(&sbi->freed_work, vexfs_freed_worker);
	spin_lock_init(&sbi->freed_lock);
	INIT_LIST_HEAD(&sbi->freed);
	mutex_init(&sbi->orphan_mutex);
	INIT_LIST_HEAD(&sbi->orphans);
	sbi->commit_secs = JBD2_DEFAULT_MAX_COMMIT_AGE;
	if (ctx->norecovery)
		set_bit(VEXFS_SBF_NORECOVERY, &sbi->flags);
	sb->s_fs_info = sbi;
	/* Where there are none, the VFS is to apply the umask. */
	if (IS_ENABLED(CONFIG_FS_POSIX_ACL))
		sb->s_flags |= SB_POSIXACL;
	vexfs_apply_options(sb, ctx);
}

static int vexfs_fill_super(struct super_block *sb, struct fs_context *fc)
{
	struct vexfs_sb_info *sbi = kzalloc(sizeof(*sbi), GFP_KERNEL);
	int err;

	if (!sbi)
		return -ENOMEM;
	vexfs_init_sbi(sb, sbi, fc->fs_private);
	if (test_bit(VEXFS_SBF_NORECOVERY, &sbi->flags) && !sb_rdonly(sb))
		return invalf(fc, "vexfs: norecovery needs ro");
	if (!sb_set_blocksize(sb, VEXFS_BLOCK_SIZE))
		return invalf(fc, "vexfs: the device has sectors larger than 4096 bytes");
	vexfs_init_sb(sb);
	err = vexfs_load_volume(sb);
	if (err)
		return err;
	vexfs_fill_sb(sb);
	err = vexfs_quota_setup(sb);
	if (!err)
		err = vexfs_create_workqueues(sb);
	if (err)
		goto out_unload;
	err = vexfs_make_root(sb);
	if (err)
		goto out_unload;
	err = vexfs_start_writing(sb);
	if (err)
		goto out_root;
	err = vexfs_sysfs_add(sb);
	if (err)
		goto out_root;
	vexfs_info(sb, "mounted filesystem %pUb %s with errors=%s",
		   sb->s_uuid.b, sb_rdonly(sb) ? "ro" : "r/w",
		   vexfs_errors_name(sbi->errors));
	vexfs_proc_mounted();
	return 0;

out_root:
	dput(sb->s_root);
	sb->s_root = NULL;
	vexfs_quota_off(sb);
out_unload:
	vexfs_unload_volume(sb);
	return err;
}

static int vexfs_get_tree(struct fs_context *fc)
{
	return get_tree_bdev(fc, vexfs_fill_super);
}

static int vexfs_remount_ro(struct super_block *sb)
{
	struct vexfs_sb_info *sbi = VEXFS_SB(sb);
	int err;

	vexfs_coll_close_all(sb);
	vexfs_quota_suspend(sb);
	flush_work(&sbi->error_work);
	err = vexfs_super_mark(sb, false);
	if (err) {
		vexfs_quota_on(sb);
		return err;
	}
	jbd2_journal_lock_updates(sbi->journal);
	err = jbd2_journal_flush(sbi->journal, 0);
	jbd2_journal_unlock_updates(sbi->journal);
	return err;
}

static int vexfs_remount_rw(struct super_block *sb)
{
	struct vexfs_sb_info *sbi = VEXFS_SB(sb);
	int err;

	if (vexfs_is_shutdown(sb) || !sbi->journal ||
	    is_journal_aborted(sbi->journal)) {
		vexfs_err(sb, "unmount it first to make it writable");
		return -EROFS;
	}
	sb->s_flags &= ~SB_RDONLY;
	err = vexfs_check_features(sb, vexfs_super(&sbi->fs));
	if (!err)
		err = vexfs_start_writing(sb);
	if (err)
		sb->s_flags |= SB_RDONLY;
	return err;
}

static int vexfs_reconfigure(struct fs_context *fc)
{
	struct super_block *sb = fc->root->d_sb;
	struct vexfs_fs_context *ctx = fc->fs_private;
	bool ro = fc->sb_flags & SB_RDONLY;
	int err = 0;

	if (ctx->norecovery &&
	    !test_bit(VEXFS_SBF_NORECOVERY, &VEXFS_SB(sb)->flags))
		return invalf(fc, "vexfs: norecovery can't be set by remount");
	if (ctx->quota_limits & ~sb->s_quota_types)
		return invalf(fc, "vexfs: the volume was made without that quota");
	sync_filesystem(sb);
	vexfs_apply_options(sb, ctx);
	if (ro && !sb_rdonly(sb))
		err = vexfs_remount_ro(sb);
	else if (!ro && sb_rdonly(sb))
		err = vexfs_remount_rw(sb);
	if (!err && ctx->quota_given)
		err = vexfs_quota_limit(sb);
	return err;
}

static void vexfs_free_fc(struct fs_context *fc)
{
	kfree(fc->fs_private);
}

static const struct fs_context_operations vexfs_context_operations = {
	.free		= vexfs_free_fc,
	.parse_param	= vexfs_parse_param,
	.get_tree	= vexfs_get_tree,
	.reconfigure	= vexfs_reconfigure,
};

static int vexfs_init_fs_context(struct fs_context *fc)
{
	struct vexfs_fs_context *ctx = kzalloc(sizeof(*ctx), GFP_KERNEL);

	if (!ctx)
		return -ENOMEM;
	fc->fs_private = ctx;
	fc->ops = &vexfs_context_operations;
	return 0;
}

static void vexfs_kill_sb(struct super_block *sb)
{
	struct vexfs_sb_info *sbi = VEXFS_SB(sb);

	if (sb->s_root)
		vexfs_coll_close_all(sb);
	kill_block_super(sb);
	if (sbi)
		cancel_work_sync(&sbi->error_work);
	kfree(sbi);
}

static struct file_system_type vexfs_fs_type = {
	.owner			= THIS_MODULE,
	.name			= "vexfs",
	.init_fs_context	= vexfs_init_fs_context,
	.parameters		= vexfs_param_specs,
	.kill_sb		= vexfs_kill_sb,
	.fs_flags		= FS_REQUIRES_DEV | FS_ALLOW_IDMAP,
};
MODULE_ALIAS_FS("vexfs");

static int __init vexfs_init_inodecache(void)
{
	vexfs_inode_cachep =
		kmem_cache_create("vexfs_inode",
				  sizeof(struct vexfs_inode_info), 0,
				  SLAB_RECLAIM_ACCOUNT | SLAB_ACCOUNT,
				  vexfs_inode_once);
	return vexfs_inode_cachep ? 0 : -ENOMEM;
}

static void vexfs_destroy_inodecache(void)
{
	/* Inodes are freed after a grace period. */
	rcu_barrier();
	kmem_cache_destroy(vexfs_inode_cachep);
}

static int __init vexfs_init(void)
{
	int err;

	err = vexfs_crc32c_init();
	if (err)
		return err;
	err = vexfs_init_inodecache();
	if (err)
		goto out_crc32c;
	err = vexfs_sysfs_init();
	if (err)
		goto out_inodecache;
	err = vexfs_proc_init();
	if (err)
		goto out_sysfs;
	err = vexfs_coll_init();
	if (err)
		goto out_proc;
	err = register_filesystem(&vexfs_fs_type);
	if (err)
		goto out_coll;
	pr_info("vexfs: version %s, format revision %u\n", VEXFS_VERSION,
		VEXFS_REVISION);
	return 0;

out_coll:
	vexfs_coll_exit();
out_proc:
	vexfs_proc_exit();
out_sysfs:
	vexfs_sysfs_exit();
out_inodecache:
	vexfs_destroy_inodecache();
out_crc32c:
	vexfs_crc32c_exit();
	return err;
}

static void __exit vexfs_exit(void)
{
	unregister_filesystem(&vexfs_fs_type);
	vexfs_coll_exit();
	vexfs_proc_exit();
	vexfs_sysfs_exit();
	vexfs_destroy_inodecache();
	vexfs_crc32c_exit();
}

module_init(vexfs_init);
module_exit(vexfs_exit);
MODULE_DESCRIPTION("VexFS: a filesystem that is also a vector database");
MODULE_AUTHOR("The VexFS authors");
MODULE_LICENSE("GPL");
MODULE_VERSION(VEXFS_VERSION);

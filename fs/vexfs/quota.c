// SPDX-License-Identifier: GPL-2.0
/*
 * Quota: the kernel's quota code on hidden files of this volume. What is used
 * is counted from mount to unmount, in the transactions that use it; limits
 * hold for the types that were asked for by mount option or quotaon(8).
 *
 * Copyright (C) 2026 The VexFS authors
 *
 * The quota code writes its files through quota_write() below, from inside of
 * the handle that charges: so a crash leaves usage as of the same moment as
 * what uses it. Its locks (dq_lock, dqio_sem) come after those of the inode
 * that is charged, map_sem among them, and before map_sem of the quota file,
 * which is a class of its own therefore.
 *
 * Reading the quota of an id, or making a new entry, takes more than a handle
 * has to spare for charges: dquot_initialize() comes before the handle.
 */
#include <linux/buffer_head.h>
#include <linux/dqblk_xfs.h>
#include <linux/jbd2.h>
#include <linux/quota.h>
#include <linux/quotaops.h>
#include <linux/statfs.h>

#include "vexfs.h"

/*
 * A new entry: the path to it and the file's header, of which up to two blocks
 * are new to the file.
 */
#define VEXFS_QUOTA_INIT_CREDITS \
	(6 + 2 * (2 * VEXFS_EXT_CREDITS + VEXFS_INODE_CREDITS))
/* An entry that goes: the path, neighbours in the free list, the header. */
#define VEXFS_QUOTA_DEL_CREDITS		10

#ifdef CONFIG_LOCKDEP
static struct lock_class_key vexfs_map_key, vexfs_quota_map_key;

static void vexfs_quota_lock_class(struct inode *inode, bool quota)
{
	struct rw_semaphore *sem = &VEXFS_I(inode)->node.map_sem;

	if (quota)
		lockdep_set_class(sem, &vexfs_quota_map_key);
	else
		lockdep_set_class(sem, &vexfs_map_key);
}
#else
static void vexfs_quota_lock_class(struct inode *inode, bool quota)
{
}
#endif

/* The block of the file, or NULL for a hole. */
static struct buffer_head *vexfs_quota_block(struct inode *inode, u64 lblk)
{
	struct vexfs_map map;
	int err;

	err = vexfs_ext_lookup(&VEXFS_I(inode)->node, lblk, 1, &map);
	if (err)
		return ERR_PTR(err);
	if (!map.pblk || map.unwritten)
		return NULL;
	return vexfs_buf_read(VEXFS_FS(inode->i_sb), map.pblk);
}

ssize_t vexfs_quota_read(struct super_block *sb, int type, char *data,
			 size_t len, loff_t off)
{
	struct inode *inode = sb_dqopt(sb)->files[type];
	loff_t size = i_size_read(inode);
	struct buffer_head *bh;
	size_t left, part, at;

	if (off >= size)
		return 0;
	len = min_t(u64, len, size - off);
	for (left = len; left; left -= part, off += part, data += part) {
		at = off & (VEXFS_BLOCK_SIZE - 1);
		part = min_t(size_t, left, VEXFS_BLOCK_SIZE - at);
		bh = vexfs_quota_block(inode, off >> VEXFS_BLOCK_SHIFT);
		if (IS_ERR(bh))
			return PTR_ERR(bh);
		if (bh)
			memcpy(data, bh->b_data + at, part);
		else
			memset(data, 0, part);
		vexfs_buf_put(bh);
	}
	return len;
}

/* One more block of the file, all zeroes, announced. */
static struct buffer_head *vexfs_quota_grow(handle_t *handle,
					    struct inode *inode, u64 lblk)
{
	struct vexfs_node *node = &VEXFS_I(inode)->node;
	struct buffer_head *bh;
	struct vexfs_map map;
	u64 done;
	int err;

	err = vexfs_ext_allocate(handle, node, lblk, 1, VEXFS_ALLOC_RESERVED,
				 &map);
	if (!err)
		err = vexfs_ext_convert(handle, node, lblk, 1, &done);
	if (err)
		return ERR_PTR(err);
	bh = vexfs_buf_get(node->fs, map.pblk);
	if (IS_ERR(bh))
		return bh;
	err = vexfs_trans_create(handle, bh);
	if (err) {
		vexfs_buf_put(bh);
		return ERR_PTR(err);
	}
	memset(bh->b_data, 0, VEXFS_BLOCK_SIZE);
	return bh;
}

static struct buffer_head *vexfs_quota_write_begin(handle_t *handle,
						   struct inode *inode,
						   u64 lblk, bool *grown)
{
	struct buffer_head *bh = vexfs_quota_block(inode, lblk);
	int err;

	*grown = !bh;
	if (!bh)
		return vexfs_quota_grow(handle, inode, lblk);
	if (IS_ERR(bh))
		return bh;
	err = vexfs_trans_write(handle, bh);
	if (err) {
		vexfs_buf_put(bh);
		return ERR_PTR(err);
	}
	return bh;
}

/* The quota code writes parts of blocks, and starts no handle itself. */
ssize_t vexfs_quota_write(struct super_block *sb, int type, const char *data,
			  size_t len, loff_t off)
{
	struct inode *inode = sb_dqopt(sb)->files[type];
	handle_t *handle = journal_current_handle();
	size_t at = off & (VEXFS_BLOCK_SIZE - 1);
	struct buffer_head *bh;
	bool log;
	int err;

	if (!handle || at + len > VEXFS_BLOCK_SIZE)
		return -EIO;
	bh = vexfs_quota_write_begin(handle, inode, off >> VEXFS_BLOCK_SHIFT,
				     &log);
	if (IS_ERR(bh))
		return PTR_ERR(bh);
	lock_buffer(bh);
	memcpy(bh->b_data + at, data, len);
	unlock_buffer(bh);
	err = vexfs_trans_dirty(handle, bh);
	vexfs_buf_put(bh);
	if (off + len > i_size_read(inode)) {
		i_size_write(inode, off + len);
		VEXFS_I(inode)->disk_size = off + len;
		log = true;
	}
	if (!err && log)
		err = vexfs_log_inode(handle, inode);
	return err ?: len;
}

/* What the quota code couldn't write is wrong on disk from then on. */
static int vexfs_quota_failed(struct super_block *sb, int type, int err)
{
	struct inode *inode = sb_dqopt(sb)->files[type];

	if (err && !vexfs_is_shutdown(sb) &&
	    !is_journal_aborted(VEXFS_SB(sb)->journal))
		vexfs_error(sb, inode ? inode->i_ino : 0, 0, err,
			    "quota can't be written");
	return err;
}

static int vexfs_write_dquot(struct dquot *dquot)
{
	struct super_block *sb = dquot->dq_sb;
	handle_t *handle = vexfs_journal_start_any(sb, 1);
	int err, err2;

	if (IS_ERR(handle))
		return PTR_ERR(handle);
	err = dquot_commit(dquot);
	err2 = vexfs_journal_stop(handle);
	return vexfs_quota_failed(sb, dquot->dq_id.type, err ?: err2);
}

/* In the handle of who changed it: there it is current, and charged for. */
static int vexfs_mark_dquot_dirty(struct dquot *dquot)
{
	dquot_mark_dquot_dirty(dquot);
	return vexfs_write_dquot(dquot);
}

static int vexfs_acquire_dquot(struct dquot *dquot)
{
	handle_t *handle;
	int err, err2;

	handle = vexfs_journal_start_any(dquot->dq_sb,
					 VEXFS_QUOTA_INIT_CREDITS);
	if (IS_ERR(handle))
		return PTR_ERR(handle);
	err = dquot_acquire(dquot);
	err2 = vexfs_journal_stop(handle);
	return err ?: err2;
}

/* It has to be let go of in any case, or dqput() never ends. */
static int vexfs_release_dquot(struct dquot *dquot)
{
	struct super_block *sb = dquot->dq_sb;
	bool began = vexfs_evict_begin(sb);
	handle_t *handle;
	int err, err2 = 0;

	handle = vexfs_journal_start_any(sb, VEXFS_QUOTA_DEL_CREDITS);
	err = dquot_release(dquot);
	if (IS_ERR(handle))
		err = PTR_ERR(handle);
	else
		err2 = vexfs_journal_stop(handle);
	vexfs_evict_end(sb, began);
	return err ?: err2;
}

static int vexfs_write_dquot_info(struct super_block *sb, int type)
{
	handle_t *handle = vexfs_journal_start_any(sb, 1);
	int err, err2;

	if (IS_ERR(handle))
		return PTR_ERR(handle);
	err = dquot_commit_info(sb, type);
	err2 = vexfs_journal_stop(handle);
	return vexfs_quota_failed(sb, type, err ?: err2);
}

static int vexfs_get_projid(struct inode *inode, kprojid_t *projid)
{
	*projid = VEXFS_I(inode)->projid;
	return 0;
}

static const struct dquot_operations vexfs_dquot_operations = {
	.write_dquot	= vexfs_write_dquot,
	.alloc_dquot	= dquot_alloc,
	.destroy_dquot	= dquot_destroy,
	.acquire_dquot	= vexfs_acquire_dquot,
	.release_dquot	= vexfs_release_dquot,
	.mark_dirty	= vexfs_mark_dquot_dirty,
	.write_info	= vexfs_write_dquot_info,
	.get_projid	= vexfs_get_projid,
	.get_next_id	= dquot_get_next_id,
};

vexfs_dquot_ptr *vexfs_get_dquots(struct inode *inode)
{
	return VEXFS_I(inode)->dquot;
}

static bool vexfs_quota_has(struct super_block *sb, int type)
{
	return vexfs_super(VEXFS_FS(sb))->s_quota_ino[type];
}

int vexfs_quota_setup(struct super_block *sb)
{
	struct vexfs_sb_info *sbi = VEXFS_SB(sb);
	int type;

	for (type = 0; type < MAXQUOTAS; type++)
		if (vexfs_quota_has(sb, type))
			sb->s_quota_types |= 1 << type;
	if (sbi->quota_limits & ~sb->s_quota_types) {
		vexfs_err(sb, "the volume was made without that quota: see mkfs.vexfs -Q");
		return -EINVAL;
	}
	if (!sb->s_quota_types)
		return 0;
	sb->dq_op = &vexfs_dquot_operations;
	sb->s_qcop = &dquot_quotactl_sysfile_ops;
	sbi->quota_credits = VEXFS_QUOTA_CREDITS;
	return 0;
}

static const char *vexfs_quota_name(int type)
{
	static const char *const name[MAXQUOTAS] = {
		[USRQUOTA]	= "user",
		[GRPQUOTA]	= "group",
		[PRJQUOTA]	= "project",
	};

	return name[type];
}

static int vexfs_quota_enable(struct super_block *sb, int type)
{
	unsigned int flags = DQUOT_USAGE_ENABLED;
	struct inode *inode;
	int err;

	if (VEXFS_SB(sb)->quota_limits & (1 << type))
		flags |= DQUOT_LIMITS_ENABLED;
	inode = vexfs_iget_quota(sb, type);
	if (IS_ERR(inode))
		return PTR_ERR(inode);
	/* What the files themselves take is nobody's. */
	inode->i_flags |= S_NOQUOTA;
	vexfs_quota_lock_class(inode, true);
	err = dquot_load_quota_inode(inode, type, QFMT_VFS_V1, flags);
	if (err)
		vexfs_quota_lock_class(inode, false);
	iput(inode);
	return err;
}

int vexfs_quota_on(struct super_block *sb)
{
	int type, err;

	if (!sb->s_quota_types)
		return 0;
	if (sb_any_quota_suspended(sb))
		return dquot_resume(sb, -1);
	sb_dqopt(sb)->flags |= DQUOT_QUOTA_SYS_FILE | DQUOT_NOLIST_DIRTY;
	for (type = 0; type < MAXQUOTAS; type++) {
		if (!vexfs_quota_has(sb, type))
			continue;
		err = vexfs_quota_enable(sb, type);
		if (!err)
			continue;
		if (err == -ESRCH)
			vexfs_err(sb, "the kernel has no quota format vfsv1 (module quota_v2)");
		else
			vexfs_err(sb, "%s quota can't be turned on: error %d; run fsck.vexfs",
				  vexfs_quota_name(type), err);
		vexfs_quota_off(sb);
		return err;
	}
	return 0;
}

/* As quotaon(8) and quotaoff(8) do it. */
int vexfs_quota_limit(struct super_block *sb)
{
	static const unsigned int flag[MAXQUOTAS] = {
		[USRQUOTA]	= FS_QUOTA_UDQ_ENFD,
		[GRPQUOTA]	= FS_QUOTA_GDQ_ENFD,
		[PRJQUOTA]	= FS_QUOTA_PDQ_ENFD,
	};
	bool want, have;
	int type, err = 0;

	for (type = 0; type < MAXQUOTAS && !err; type++) {
		if (!sb_has_quota_active(sb, type))
			continue;
		want = VEXFS_SB(sb)->quota_limits & (1 << type);
		have = sb_has_quota_limits_enabled(sb, type);
		if (want && !have)
			err = sb->s_qcop->quota_enable(sb, flag[type]);
		else if (!want && have)
			err = sb->s_qcop->quota_disable(sb, flag[type]);
	}
	return err;
}

void vexfs_quota_off(struct super_block *sb)
{
	struct inode *inode;
	int type;

	for (type = 0; type < MAXQUOTAS; type++) {
		inode = sb_dqopt(sb)->files[type];
		if (!sb_has_quota_loaded(sb, type) || !inode || !igrab(inode))
			continue;
		dquot_quota_off(sb, type);
		vexfs_quota_lock_class(inode, false);
		iput(inode);
	}
}

void vexfs_quota_suspend(struct super_block *sb)
{
	if (sb->s_quota_types)
		dquot_suspend(sb, -1);
}

/* From what is free in the volume to what a limit leaves of it. */
static void vexfs_limit(u64 limit, u64 used, u64 *total, u64 *free)
{
	if (!limit)
		return;
	*total = min(*total, limit);
	*free = min(*free, limit > used ? limit - used : 0);
}

/* What a directory that passes its project on can hold. */
void vexfs_statfs_project(struct inode *dir, struct kstatfs *buf)
{
	struct super_block *sb = dir->i_sb;
	struct mem_dqblk *dq;
	struct dquot *dquot;

	if (!(VEXFS_I(dir)->node.flags & VEXFS_PROJINHERIT_FL) ||
	    !sb_has_quota_limits_enabled(sb, PRJQUOTA))
		return;
	dquot = dqget(sb, make_kqid_projid(VEXFS_I(dir)->projid));
	if (IS_ERR(dquot))
		return;
	spin_lock(&dquot->dq_dqb_lock);
	dq = &dquot->dq_dqb;
	vexfs_limit(min_not_zero(dq->dqb_bsoftlimit, dq->dqb_bhardlimit) >>
		    VEXFS_BLOCK_SHIFT, dq->dqb_curspace >> VEXFS_BLOCK_SHIFT,
		    &buf->f_blocks, &buf->f_bfree);
	buf->f_bavail = min(buf->f_bavail, buf->f_bfree);
	vexfs_limit(min_not_zero(dq->dqb_isoftlimit, dq->dqb_ihardlimit),
		    dq->dqb_curinodes, &buf->f_files, &buf->f_ffree);
	spin_unlock(&dquot->dq_dqb_lock);
	dqput(dquot);
}

/* The quota of @qid, to which something of @inode's is going to move. */
static int vexfs_transfer_to(struct inode *inode, struct kqid qid,
			     struct vexfs_transfer *tr)
{
	struct dquot *dquot;

	if (!sb_has_quota_active(inode->i_sb, qid.type))
		return 0;
	dquot = dqget(inode->i_sb, qid);
	if (IS_ERR(dquot))
		return PTR_ERR(dquot) == -ESRCH ? 0 : PTR_ERR(dquot);
	tr->to[qid.type] = dquot;
	return 0;
}

int vexfs_transfer_begin(struct inode *inode, const struct vexfs_owner *owner,
			 struct vexfs_transfer *tr)
{
	int err;

	memset(tr, 0, sizeof(*tr));
	if (!owner->mask || !sb_any_quota_loaded(inode->i_sb))
		return 0;
	err = dquot_initialize(inode);
	if (!err && (owner->mask & VEXFS_OWNER_UID))
		err = vexfs_transfer_to(inode, make_kqid_uid(owner->uid), tr);
	if (!err && (owner->mask & VEXFS_OWNER_GID))
		err = vexfs_transfer_to(inode, make_kqid_gid(owner->gid), tr);
	if (!err && (owner->mask & VEXFS_OWNER_PROJID))
		err = vexfs_transfer_to(inode, make_kqid_projid(owner->projid),
					tr);
	if (err)
		vexfs_transfer_end(tr);
	return err;
}

/* Afterwards @tr has the quotas it came from, so once more undoes it. */
int vexfs_transfer(struct inode *inode, struct vexfs_transfer *tr)
{
	if (!sb_any_quota_loaded(inode->i_sb))
		return 0;
	return __dquot_transfer(inode, tr->to);
}

void vexfs_transfer_end(struct vexfs_transfer *tr)
{
	int type;

	for (type = 0; type < MAXQUOTAS; type++) {
		dqput(tr->to[type]);
		tr->to[type] = NULL;
	}
}

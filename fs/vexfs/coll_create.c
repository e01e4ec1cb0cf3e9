// SPDX-License-Identifier: GPL-2.0
/*
 * Collections on disk come and go: an empty file becomes one, and an inode
 * that is deleted gives its header block and forks back.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include <linux/buffer_head.h>
#include <linux/ktime.h>
#include <linux/mount.h>

#include "collection.h"
#include "stats.h"

/*
 * Superblock; header block and its allocation; each fork's inode and its
 * allocation, and the orphan list for when it fails; the collection's inode.
 */
#define VEXFS_COLL_CREATE_CREDITS \
	(1 + 1 + VEXFS_ALLOC_CREDITS + VEXFS_INODE_CREDITS + \
	 VEXFS_COLL_NFORKS * (VEXFS_IALLOC_CREDITS + VEXFS_INODE_CREDITS + \
			      VEXFS_ORPHAN_CREDITS))

/* Each fork and the orphan list; the header block freed, and the inode. */
#define VEXFS_COLL_EVICT_CREDITS \
	(VEXFS_COLL_NFORKS * (VEXFS_ORPHAN_CREDITS + VEXFS_INODE_CREDITS) + \
	 VEXFS_ALLOC_CREDITS + 1 + VEXFS_INODE_CREDITS)

/* An old module must not take a collection for a file. */
static int vexfs_coll_set_feature(handle_t *handle, struct vexfs_fs *fs)
{
	struct vexfs_super_block *vs = vexfs_super(fs);
	int err = 0;

	mutex_lock(&fs->orphan_lock);
	if (!(le32_to_cpu(vs->s_feature_incompat) &
	      VEXFS_INCOMPAT_COLLECTIONS)) {
		err = vexfs_super_begin(handle, fs);
		if (!err) {
			vs->s_feature_incompat |=
				cpu_to_le32(VEXFS_INCOMPAT_COLLECTIONS);
			err = vexfs_super_end(handle, fs);
		}
	}
	mutex_unlock(&fs->orphan_lock);
	return err;
}

/* The header block of a collection without rows; its number in *bno. */
static int vexfs_coll_new_header(handle_t *handle, struct inode *inode,
				 const struct vexfs_coll_config *cfg,
				 struct inode **fork, u64 *bno)
{
	struct vexfs_fs *fs = VEXFS_FS(inode->i_sb);
	struct vexfs_coll_header *ch;
	struct buffer_head *bh;
	u64 cluster;
	u32 len = 1;
	int err, i;

	err = vexfs_balloc(handle, fs, vexfs_ino_group_goal(fs, inode->i_ino),
			   0, &cluster, &len);
	if (err)
		return err;
	*bno = vexfs_cluster_to_block(&fs->geom, cluster);
	bh = vexfs_buf_get(fs, *bno);
	if (IS_ERR(bh)) {
		err = PTR_ERR(bh);
		goto free;
	}
	err = vexfs_trans_create(handle, bh);
	if (err)
		goto put;
	memset(vexfs_buf_data(bh), 0, VEXFS_BLOCK_SIZE);
	vexfs_meta_init(fs, bh, VEXFS_MAGIC_COLL, inode->i_ino,
			VEXFS_I(inode)->node.generation);
	ch = vexfs_buf_data(bh);
	vexfs_coll_config_to_header(cfg, ch);
	ch->ch_version = cpu_to_le32(1);
	ch->ch_create_time = cpu_to_le64(ktime_get_real_seconds());
	for (i = 0; i < VEXFS_COLL_NFORKS; i++)
		ch->ch_fork_ino[i] = cpu_to_le64(fork[i]->i_ino);
	vexfs_meta_csum(fs, bh);
	err = vexfs_trans_dirty(handle, bh);
put:
	vexfs_buf_put(bh);
free:
	if (err)
		vexfs_bfree(handle, fs, cluster, 1);
	return err;
}

/*
 * Metadata blocks count in i_blocks; the header takes a cluster. With a
 * negative count it is given back.
 */
static void vexfs_coll_account(struct inode *inode, int headers)
{
	struct vexfs_node *node = &VEXFS_I(inode)->node;

	down_write(&node->map_sem);
	node->blocks += (s64)headers * node->fs->geom.cluster_blocks;
	up_write(&node->map_sem);
}

/* Last step: the inode becomes a collection in the running transaction. */
static int vexfs_coll_mark_inode(handle_t *handle, struct inode *inode, u64 bno)
{
	struct vexfs_inode_info *vi = VEXFS_I(inode);
	int err;

	vi->coll_block = bno;
	vi->node.flags |= VEXFS_COLLECTION_FL;
	vexfs_coll_account(inode, 1);
	inode_set_ctime_current(inode);
	err = vexfs_log_inode(handle, inode);
	if (err) {
		vexfs_coll_account(inode, -1);
		vi->node.flags &= ~VEXFS_COLLECTION_FL;
		vi->coll_block = 0;
	}
	return err;
}

static int vexfs_coll_new_fork(handle_t *handle, struct inode *inode,
			       struct inode **fork)
{
	struct inode *new;

	new = vexfs_new_inode(handle, &nop_mnt_idmap, inode->i_sb, NULL,
			      inode->i_ino, S_IFREG | 0600, 0);
	if (IS_ERR(new))
		return PTR_ERR(new);
	*fork = new;
	return vexfs_log_inode(handle, new);
}

/* Forks of a creation that failed are deleted by their last iput(). */
static void vexfs_coll_forget_forks(handle_t *handle, struct inode **fork)
{
	int i;

	for (i = 0; i < VEXFS_COLL_NFORKS && fork[i]; i++) {
		clear_nlink(fork[i]);
		vexfs_add_orphan(handle, fork[i]);
		vexfs_log_inode(handle, fork[i]);
	}
}

static int vexfs_coll_create_once(struct inode *inode,
				  const struct vexfs_coll_config *cfg)
{
	struct inode *fork[VEXFS_COLL_NFORKS] = {};
	handle_t *handle;
	int err = 0, err2, i;
	u64 bno;

	handle = vexfs_journal_start(inode->i_sb, VEXFS_COLL_CREATE_CREDITS);
	if (IS_ERR(handle))
		return PTR_ERR(handle);
	for (i = 0; i < VEXFS_COLL_NFORKS && !err; i++)
		err = vexfs_coll_new_fork(handle, inode, &fork[i]);
	if (!err)
		err = vexfs_coll_set_feature(handle, VEXFS_FS(inode->i_sb));
	if (!err)
		err = vexfs_coll_new_header(handle, inode, cfg, fork, &bno);
	if (!err)
		err = vexfs_coll_mark_inode(handle, inode, bno);
	if (err)
		vexfs_coll_forget_forks(handle, fork);
	err2 = vexfs_journal_stop(handle);
	/* Their eviction starts handles of its own. */
	for (i = 0; i < VEXFS_COLL_NFORKS && fork[i]; i++) {
		unlock_new_inode(fork[i]);
		iput(fork[i]);
	}
	return err ? err : err2;
}

/* [i_rwsem] */
static int vexfs_coll_may_create(struct inode *inode)
{
	if (vexfs_is_collection(inode))
		return -EEXIST;
	if (IS_IMMUTABLE(inode) || IS_APPEND(inode))
		return -EPERM;
	if (i_size_read(inode))
		return -ENOTEMPTY;
	/* Such a mapping could write rows as soon as there are any. */
	if (mapping_writably_mapped(inode->i_mapping))
		return -EBUSY;
	return 0;
}

int vexfs_coll_create(struct inode *inode, struct vexfs_coll_config *cfg)
{
	struct mutex *lock = &VEXFS_I(inode)->coll_lock;
	int err, retries = 0;

	/* coll_lock: nobody loads what is half made. */
	mutex_lock(lock);
	vexfs_coll_inode_lock(inode);
	do {
		err = vexfs_coll_may_create(inode);
		if (!err)
			err = vexfs_coll_create_once(inode, cfg);
	} while (err == -ENOSPC && vexfs_should_retry(inode->i_sb, &retries));
	inode_unlock(inode);
	mutex_unlock(lock);
	if (!err)
		vexfs_stat_add(VEXFS_STAT_CREATES, 1);
	return err;
}

/* Frees the header block and ends the life as a collection. */
static int vexfs_coll_unmark_inode(handle_t *handle, struct inode *inode,
				   struct buffer_head *bh)
{
	struct vexfs_inode_info *vi = VEXFS_I(inode);
	struct vexfs_fs *fs = VEXFS_FS(inode->i_sb);
	u64 bno = vi->coll_block;
	int err;

	vi->node.flags &= ~VEXFS_COLLECTION_FL;
	vi->coll_block = 0;
	vexfs_coll_account(inode, -1);
	get_bh(bh);
	err = vexfs_trans_forget(handle, fs, bh, bno);
	if (!err)
		err = vexfs_bfree(handle, fs,
				  vexfs_block_to_cluster(&fs->geom, bno), 1);
	if (!err)
		err = vexfs_log_inode(handle, inode);
	return err;
}

/*
 * Forks go to the orphan list in the transaction in which the header goes, so
 * that a crash leaves nothing that is neither used nor on the list. A header
 * that can't be read leaves the forks to fsck.
 */
int vexfs_coll_evict(struct inode *inode)
{
	struct inode *fork[VEXFS_COLL_NFORKS] = {};
	struct vexfs_coll_header *ch;
	struct buffer_head *bh;
	handle_t *handle;
	int err = 0, err2, i;
	bool began;

	bh = vexfs_coll_header_read(inode);
	if (IS_ERR(bh))
		return PTR_ERR(bh);
	ch = vexfs_buf_data(bh);
	for (i = 0; i < VEXFS_COLL_NFORKS; i++) {
		fork[i] = vexfs_iget_fork(inode->i_sb,
					  le64_to_cpu(ch->ch_fork_ino[i]),
					  inode->i_ino);
		if (IS_ERR(fork[i])) {
			err = PTR_ERR(fork[i]);
			fork[i] = NULL;
			goto out;
		}
	}
	began = vexfs_evict_begin(inode->i_sb);
	handle = vexfs_journal_start_any(inode->i_sb, VEXFS_COLL_EVICT_CREDITS);
	if (IS_ERR(handle)) {
		err = PTR_ERR(handle);
		goto out_end;
	}
	for (i = 0; i < VEXFS_COLL_NFORKS && !err; i++) {
		clear_nlink(fork[i]);
		err = vexfs_add_orphan(handle, fork[i]);
		if (!err)
			err = vexfs_log_inode(handle, fork[i]);
	}
	if (!err)
		err = vexfs_coll_unmark_inode(handle, inode, bh);
	err2 = vexfs_journal_stop(handle);
	if (!err)
		err = err2;
out_end:
	vexfs_evict_end(inode->i_sb, began);
out:
	for (i = 0; i < VEXFS_COLL_NFORKS; i++)
		iput(fork[i]);
	vexfs_buf_put(bh);
	return err;
}

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
#include <linux/quotaops.h>

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

/* Metadata blocks count in i_blocks; the header takes a cluster. */
static int vexfs_coll_alloc_header(handle_t *handle, struct inode *inode,
				   u64 *cluster)
{
	struct vexfs_node *node = &VEXFS_I(inode)->node;
	u32 len = 1;
	int err;

	down_write(&node->map_sem);
	err = vexfs_node_alloc(handle, node,
			       vexfs_ino_group_goal(node->fs, inode->i_ino), 0,
			       cluster, &len);
	up_write(&node->map_sem);
	return err;
}

static int vexfs_coll_free_header(handle_t *handle, struct inode *inode,
				  u64 bno)
{
	struct vexfs_node *node = &VEXFS_I(inode)->node;
	int err;

	down_write(&node->map_sem);
	err = vexfs_node_free(handle, node,
			      vexfs_block_to_cluster(&node->fs->geom, bno), 1);
	up_write(&node->map_sem);
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
	int err, i;

	err = vexfs_coll_alloc_header(handle, inode, &cluster);
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
		vexfs_coll_free_header(handle, inode, *bno);
	return err;
}

/* Last step: the inode becomes a collection in the running transaction. */
static int vexfs_coll_mark_inode(handle_t *handle, struct inode *inode, u64 bno)
{
	struct vexfs_inode_info *vi = VEXFS_I(inode);
	int err;

	vi->coll_block = bno;
	vi->node.flags |= VEXFS_COLLECTION_FL;
	inode_set_ctime_current(inode);
	err = vexfs_log_inode(handle, inode);
	if (err) {
		vexfs_coll_free_header(handle, inode, bno);
		vi->node.flags &= ~VEXFS_COLLECTION_FL;
		vi->coll_block = 0;
	}
	return err;
}

/* The inodes that are going to be the forks, and whose quota they count in. */
static int vexfs_coll_prepare_forks(struct inode *inode, struct inode **fork)
{
	int i, err = dquot_initialize(inode);

	for (i = 0; i < VEXFS_COLL_NFORKS && !err; i++) {
		fork[i] = vexfs_prepare_inode(&nop_mnt_idmap, inode,
					      S_IFREG | 0600);
		err = PTR_ERR_OR_ZERO(fork[i]);
	}
	if (err)
		for (i -= 2; i >= 0; i--)
			vexfs_unprepare_inode(fork[i]);
	return err;
}

/* Those up to *made are inodes; the one that failed is gone. */
static int vexfs_coll_new_forks(handle_t *handle, struct inode *inode,
				struct inode **fork, int *made)
{
	int err;

	for (*made = 0; *made < VEXFS_COLL_NFORKS; (*made)++) {
		err = vexfs_new_inode(handle, fork[*made], inode, 0);
		if (err) {
			fork[*made] = NULL;
			return err;
		}
	}
	return 0;
}

/* Forks of a creation that failed are deleted by their last iput(). */
static void vexfs_coll_forget_forks(handle_t *handle, struct inode **fork,
				    int made)
{
	int i;

	for (i = 0; i < made; i++) {
		clear_nlink(fork[i]);
		vexfs_add_orphan(handle, fork[i]);
		vexfs_log_inode(handle, fork[i]);
	}
}

/* Their eviction starts handles of its own. */
static void vexfs_coll_put_forks(struct inode **fork, int made)
{
	int i;

	for (i = 0; i < VEXFS_COLL_NFORKS; i++) {
		if (i < made) {
			unlock_new_inode(fork[i]);
			iput(fork[i]);
		} else if (fork[i]) {
			vexfs_unprepare_inode(fork[i]);
		}
	}
}

static int vexfs_coll_create_once(struct inode *inode,
				  const struct vexfs_coll_config *cfg)
{
	struct inode *fork[VEXFS_COLL_NFORKS];
	handle_t *handle;
	int err, err2, made = 0;
	u64 bno;

	err = vexfs_coll_prepare_forks(inode, fork);
	if (err)
		return err;
	handle = vexfs_journal_start(inode->i_sb, VEXFS_COLL_CREATE_CREDITS);
	if (IS_ERR(handle)) {
		vexfs_coll_put_forks(fork, 0);
		return PTR_ERR(handle);
	}
	err = vexfs_coll_new_forks(handle, inode, fork, &made);
	if (!err)
		err = vexfs_coll_set_feature(handle, VEXFS_FS(inode->i_sb));
	if (!err)
		err = vexfs_coll_new_header(handle, inode, cfg, fork, &bno);
	if (!err)
		err = vexfs_coll_mark_inode(handle, inode, bno);
	if (err)
		vexfs_coll_forget_forks(handle, fork, made);
	err2 = vexfs_journal_stop(handle);
	vexfs_coll_put_forks(fork, made);
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

static int vexfs_coll_get_forks(struct inode *inode, struct buffer_head *bh,
				struct inode **fork)
{
	struct vexfs_coll_header *ch = vexfs_buf_data(bh);
	int i, err = 0;

	for (i = 0; i < VEXFS_COLL_NFORKS && !err; i++) {
		fork[i] = vexfs_iget_fork(inode->i_sb,
					  le64_to_cpu(ch->ch_fork_ino[i]),
					  inode->i_ino);
		err = PTR_ERR_OR_ZERO(fork[i]);
	}
	if (err)
		for (i -= 2; i >= 0; i--)
			iput(fork[i]);
	return err;
}

int vexfs_coll_forks(struct inode *inode, struct inode **fork)
{
	struct buffer_head *bh = vexfs_coll_header_read(inode);
	int err;

	if (IS_ERR(bh))
		return PTR_ERR(bh);
	err = vexfs_coll_get_forks(inode, bh, fork);
	vexfs_buf_put(bh);
	return err ?: VEXFS_COLL_NFORKS;
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
	get_bh(bh);
	err = vexfs_trans_forget(handle, fs, bh, bno);
	if (!err)
		err = vexfs_coll_free_header(handle, inode, bno);
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
	struct inode *fork[VEXFS_COLL_NFORKS];
	struct buffer_head *bh;
	handle_t *handle;
	int err = 0, err2, i;
	bool began;

	bh = vexfs_coll_header_read(inode);
	if (IS_ERR(bh))
		return PTR_ERR(bh);
	err = vexfs_coll_get_forks(inode, bh, fork);
	if (err)
		goto out_put;
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
	for (i = 0; i < VEXFS_COLL_NFORKS; i++)
		iput(fork[i]);
out_put:
	vexfs_buf_put(bh);
	return err;
}

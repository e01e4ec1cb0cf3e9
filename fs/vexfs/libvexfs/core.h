/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The seam of the shared core: all that libvexfs needs from the world. In the
 * kernel it is jbd2 and buffer heads, in userspace the shim in tools/lib.
 * The only test of __KERNEL__ in fs/vexfs/ is the one in this file.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#ifndef _VEXFS_CORE_H
#define _VEXFS_CORE_H

#ifdef __KERNEL__

#include <linux/bitops.h>
#include <linux/buffer_head.h>
#include <linux/build_bug.h>
#include <linux/err.h>
#include <linux/errno.h>
#include <linux/fs.h>
#include <linux/jbd2.h>
#include <linux/kernel.h>
#include <linux/limits.h>
#include <linux/log2.h>
#include <linux/math64.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/overflow.h>
#include <linux/percpu_counter.h>
#include <linux/random.h>
#include <linux/rwsem.h>
#include <linux/siphash.h>
#include <linux/slab.h>
#include <linux/sort.h>
#include <linux/string.h>
#include <linux/types.h>

#include "../compat.h"

#define vexfs_buf	buffer_head
#define vexfs_trans	jbd2_journal_handle

#else /* userspace */

#include "kshim.h"

struct vexfs_buf;
struct vexfs_trans;

#endif

#include <vexfs/format.h>

#ifndef EFSCORRUPTED
#define EFSCORRUPTED	EUCLEAN
#define EFSBADCRC	EBADMSG
#endif

struct vexfs_fs;

/*
 * Buffers: one block of the device each, reference counted.
 *
 * vexfs_buf_read() returns the block with its contents, or ERR_PTR(-EIO) and
 * such. vexfs_buf_get() doesn't read: for blocks about to be initialised. A
 * buffer that passed its verifier is marked, and verified once.
 */
struct vexfs_buf *vexfs_buf_read(struct vexfs_fs *fs, u64 bno);
struct vexfs_buf *vexfs_buf_get(struct vexfs_fs *fs, u64 bno);
void vexfs_buf_put(struct vexfs_buf *buf);
void *vexfs_buf_data(struct vexfs_buf *buf);
u64 vexfs_buf_bno(struct vexfs_buf *buf);
bool vexfs_buf_verified(struct vexfs_buf *buf);
void vexfs_buf_set_verified(struct vexfs_buf *buf);

/*
 * Transactions. A buffer is announced before it is changed and logged after:
 * _write: contents kept; _create: a new block, contents undefined, the buffer
 * becomes up to date; _undo: like _write, for cluster bitmaps, keeps a copy
 * of what is committed. vexfs_trans_dirty() ends each change (checksums are
 * updated by the caller before, but see below). vexfs_trans_forget() says that
 * the metadata block @bno is being freed: it is revoked, and dropped from the
 * log; it consumes the reference to @buf when that is not NULL.
 */
int vexfs_trans_write(struct vexfs_trans *t, struct vexfs_buf *buf);
int vexfs_trans_create(struct vexfs_trans *t, struct vexfs_buf *buf);
int vexfs_trans_undo(struct vexfs_trans *t, struct vexfs_buf *buf);
int vexfs_trans_dirty(struct vexfs_trans *t, struct vexfs_buf *buf);
/*
 * The same for a block with a header, which has its checksum when it is
 * written: computed here, or once for all the changes of a transaction when
 * that is committed.
 */
int vexfs_trans_dirty_meta(struct vexfs_trans *t, struct vexfs_fs *fs,
			   struct vexfs_buf *buf);
int vexfs_trans_forget(struct vexfs_trans *t, struct vexfs_fs *fs,
		       struct vexfs_buf *buf, u64 bno);

/* Buffers that the transaction may still change. */
int vexfs_trans_credits(struct vexfs_trans *t);

/*
 * True when clusters [bit, bit + len) of a bitmap are free in the last
 * committed copy too (or there is none): what was freed in a transaction that
 * has not committed must not be handed out again.
 */
bool vexfs_buf_committed_clear(struct vexfs_buf *buf, u32 bit, u32 len);

/*
 * Marks them used in that copy, when the transaction frees them: the copy may
 * be older than their allocation, in a transaction that is still committing.
 */
void vexfs_buf_committed_set(struct vexfs_buf *buf, u32 bit, u32 len);

/* The allocator freed clusters [first, first + len) in the transaction. */
void vexfs_trans_freed(struct vexfs_trans *t, struct vexfs_fs *fs, u64 first,
		       u64 len);

struct vexfs_node;

/*
 * Quota: @blocks more belong to the owners of the inode, or less. -EDQUOT, with
 * nothing charged, when that is too much for one of them; with @force it is
 * charged all the same. In the transaction of the caller, under map_sem.
 */
int vexfs_quota_charge(struct vexfs_node *n, u64 blocks, bool force);
void vexfs_quota_uncharge(struct vexfs_node *n, u64 blocks);

/*
 * Reports corruption found in block @bno (of inode @ino, 0: none): logs it,
 * counts it in the superblock and acts by the errors= policy. Never call it
 * for our own bugs. Returns -EFSCORRUPTED.
 */
int vexfs_corrupted(struct vexfs_fs *fs, u64 ino, u64 bno, const char *func,
		    int line, const char *why);
#define VEXFS_CORRUPTED(fs, ino, bno, why) \
	vexfs_corrupted(fs, ino, bno, __func__, __LINE__, why)

/* crc32c without the final inversion: crc32c(~0, ...) chains. */
u32 vexfs_crc32c(u32 crc, const void *data, size_t len);

/*
 * The volume as the shared core sees it; embedded in vexfs_sb_info in the
 * kernel. Filled by vexfs_fs_load(), constant afterwards unless marked. In the
 * geometry, clusters, groups and data_clusters may grow at any time: a group
 * that can be seen is ready.
 */
#define VEXFS_GROUP_LOCKS	64

struct vexfs_fs {
	/** @dev: super_block in the kernel, the shim's device in userspace */
	void *dev;
	struct vexfs_geom {
		u64	clusters;
		u32	cluster_size;
		u32	cluster_blocks;		/* blocks in a cluster */
		u32	cluster_shift;		/* log2 of that */
		u32	groups;
		u32	clusters_per_group;
		u32	inodes_per_group;
		u32	itable_clusters;	/* of a group */
		u32	gdt_clusters;
		u32	gdt_blocks;
		u64	journal_start;		/* in the data space */
		u64	journal_clusters;
		u64	vector_start;
		u64	vector_clusters;
		u64	data_clusters;		/* as mkfs prints it */
	} geom;
	u32	csum_seed;
	u64	hash_key[2];
	/** @sb_buf: block 0, pinned; changed under @orphan_lock */
	struct vexfs_buf *sb_buf;
	/** @gdt: geom.gdt_blocks pinned buffers; a group's under its lock */
	struct vexfs_buf **gdt;
	/** @group_hint: longest free run seen, per group [group lock] */
	u16	*group_hint;
	/** @group_locks: group g is guarded by [g % VEXFS_GROUP_LOCKS] */
	struct mutex group_locks[VEXFS_GROUP_LOCKS];
	/** @orphan_lock: orphan list, dynamic superblock fields */
	struct mutex orphan_lock;
	struct percpu_counter free_clusters;
	struct percpu_counter free_inodes;
	struct percpu_counter dirs;
	u64	reserved_clusters;
	/** @vector_free: free clusters of the vector area */
	struct percpu_counter vector_free;
	/** @alloc_rotor: group that served the last search [racy hint] */
	u32	alloc_rotor;
	/** @alloc_limit: no data run is longer, or ~0 [racy hint] */
	u32	alloc_limit;
	/** @alloc_blocked: a search met clusters awaiting a commit [racy] */
	bool	alloc_blocked;
	/** @inode_rotor: group that gave the last distant inode [racy hint] */
	u32	inode_rotor;
};

static inline struct vexfs_super_block *vexfs_super(struct vexfs_fs *fs)
{
	return vexfs_buf_data(fs->sb_buf) + VEXFS_SUPER_OFFSET;
}

/*
 * An inode as extents and directories see it; embedded in vexfs_inode_info.
 * Whoever changes root or blocks logs the inode in the same transaction.
 */
struct vexfs_node {
	struct vexfs_fs *fs;
	u64	ino;
	u32	generation;
	u32	flags;				/* VEXFS_*_FL */
	/** @map_sem: the extent tree; read to look up, write to change */
	struct rw_semaphore map_sem;
	/** @root: [map_sem] */
	struct vexfs_extent_root root;
	/** @blocks: with metadata [map_sem] */
	u64	blocks;
	/** @goal: cluster to allocate near, 0: by the inode's group */
	u64	goal;
	/** @xattr_block, @xattr_len, @xattr_inline: attributes [map_sem] */
	u64	xattr_block;
	u32	xattr_len;
	u8	xattr_inline[VEXFS_INLINE_XATTR];
};

#endif /* _VEXFS_CORE_H */

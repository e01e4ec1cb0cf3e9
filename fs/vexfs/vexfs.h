/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The private header of the VexFS module: in-memory structures, then the
 * prototypes of each file. On-disk structures are in vexfs/format.h, the
 * shared core's interface is in libvexfs/libvexfs.h.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#ifndef _VEXFS_H
#define _VEXFS_H

#include <linux/fs.h>
#include <linux/fs_context.h>
#include <linux/fs_parser.h>
#include <linux/iomap.h>
#include <linux/jbd2.h>
#include <linux/kobject.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/printk.h>
#include <linux/projid.h>
#include <linux/quota.h>
#include <linux/ratelimit.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>

#include "compat.h"
#include "libvexfs/libvexfs.h"

struct vexfs_collection;

#define VEXFS_VERSION	"1.0.0"

/*
 * A mounted volume.
 *
 * s_lock guards the lists; everything else is constant after mount or has
 * its own rule.
 */
struct vexfs_sb_info {
	struct vexfs_fs		fs;
	struct super_block	*sb;
	journal_t		*journal;
	/** @meta_trigger: checksums of metadata blocks, at commit */
	struct jbd2_buffer_trigger_type	meta_trigger;
	/** @dev_wb_err: of the device's page cache, when the journal began */
	errseq_t		dev_wb_err;
	/** @ioend_wq: conversion of unwritten extents when writes end */
	struct workqueue_struct	*ioend_wq;
	/** @coll_wq: indexing, commits and checkpoints of collections */
	struct workqueue_struct	*coll_wq;
	/** @s_lock: the lists of collections, and of what is ahead */
	spinlock_t		s_lock;
	/** @collections: loaded ones [s_lock] */
	struct list_head	collections;
	/** @coll_serial: of the last one that was loaded [s_lock] */
	u64			coll_serial;
	/** @ahead: inodes with blocks ahead of their end [s_lock] */
	struct list_head	ahead;
	/** @errors: VEXFS_ERRORS_* */
	unsigned int		errors;
	/** @commit_secs: longest time between commits, in seconds */
	unsigned int		commit_secs;
	/** @flags: VEXFS_SBF_* bits, atomic */
	unsigned long		flags;
	/** @quota_limits: types whose limits are to hold, a bit for each */
	unsigned int		quota_limits;
	/** @quota_credits: of every handle, for the quotas that it charges */
	int			quota_credits;
	/** @orphan_scan: true while mount works off the orphan list */
	bool			orphan_scan;
	/** @inodes: inodes that the volume can hold */
	u64			inodes;
	/** @error_work: brings what follows to disk */
	struct work_struct	error_work;
	struct ratelimit_state	error_rs;
	/** @error_lock: the errors that are not on disk yet */
	spinlock_t		error_lock;
	/** @error_new: errors not yet on disk [error_lock] */
	u32			error_new;
	/** @first_error, @last_error: of those [error_lock] */
	struct vexfs_error_info	first_error;
	struct vexfs_error_info	last_error;
	/** @freed_work: discards what committed transactions freed */
	struct work_struct	freed_work;
	/** @freed_lock: the list of that */
	spinlock_t		freed_lock;
	/** @freed: struct vexfs_freed, in order [freed_lock] */
	struct list_head	freed;
	/** @orphan_mutex: the list that follows; inside of a handle */
	struct mutex		orphan_mutex;
	/** @orphans: orphan inodes in the order of the disk [orphan_mutex] */
	struct list_head	orphans;
	struct kobject		kobj;
	struct completion	kobj_gone;
};

enum {
	VEXFS_SBF_SHUTDOWN,	/* by FS_IOC_SHUTDOWN */
	VEXFS_SBF_ABORTED,	/* the journal failed; it was said */
	VEXFS_SBF_READY,	/* the superblock is loaded */
	VEXFS_SBF_NORECOVERY,	/* mount option */
	VEXFS_SBF_DISCARD,	/* mount option */
	VEXFS_SBF_RESIZING,	/* the volume is being made larger */
	VEXFS_SBF_SAMPLED,	/* the superblock says where it is mounted */
};

/*
 * An inode.
 *
 * node.map_sem guards the extent tree. disk_size is the size that the inode
 * on disk may have: everything below it was written. It is raised by the
 * ioend worker and changed by truncate, both in a transaction and with
 * disk_lock held; vexfs_log_inode() reads it without.
 */
struct vexfs_inode_info {
	struct vexfs_node	node;
	struct timespec64	crtime;
	u64			parent;		/* directories and forks */
	u64			coll_block;
	kprojid_t		projid;
	u8			symlink[VEXFS_FAST_SYMLINK + 1];
	/** @disk_size: [disk_lock] */
	u64			disk_size;
	/** @disk_lock: raising and lowering disk_size */
	struct mutex		disk_lock;
	/** @map_seq: raised with every change of the extent tree */
	atomic_t		map_seq;
	/** @orphan: on the orphan list [i_rwsem, or nobody else has it] */
	bool			orphan;
	/** @orphan_list: in sbi->orphans [sbi->orphan_mutex] */
	struct list_head	orphan_list;
	/** @streamed: blocks that came in order to the end [i_rwsem] */
	u32			streamed;
	/** @ahead, @ahead_end: blocks for more; 0: none [i_rwsem] */
	u64			ahead;
	u64			ahead_end;
	/** @ahead_list: in sbi->ahead [i_rwsem, sbi->s_lock] */
	struct list_head	ahead_list;
	/** @sync_tid, @datasync_tid: transactions an fsync must wait for */
	tid_t			sync_tid;
	tid_t			datasync_tid;
	/** @ioends: finished writes to convert [ioend_lock] */
	spinlock_t		ioend_lock;
	struct list_head	ioends;
	struct work_struct	ioend_work;
	/** @ioend_helpers: who waits to convert them itself [ioend_lock] */
	unsigned int		ioend_helpers;
	/** @ioends_pending: submitted, not yet among them */
	atomic_t		ioends_pending;
	/** @ioend_wait: helpers, until one of those has ended */
	wait_queue_head_t	ioend_wait;
	/** @coll: loaded collection, or NULL [coll_lock] */
	struct vexfs_collection	*coll;
	/** @coll_lock: loading and unloading the collection */
	struct mutex		coll_lock;
#ifdef CONFIG_QUOTA
	/** @dquot: who pays, by type; the quota code's */
	vexfs_dquot_ptr dquot[MAXQUOTAS];
#endif
	/** @opens: open files; the last close of an unlinked one unloads */
	atomic_t		opens;
	struct inode		vfs_inode;
};

static inline struct vexfs_sb_info *VEXFS_SB(const struct super_block *sb)
{
	return sb->s_fs_info;
}

static inline struct vexfs_inode_info *VEXFS_I(const struct inode *inode)
{
	return container_of(inode, struct vexfs_inode_info, vfs_inode);
}

static inline struct vexfs_fs *VEXFS_FS(const struct super_block *sb)
{
	return &VEXFS_SB(sb)->fs;
}

static inline bool vexfs_is_collection(const struct inode *inode)
{
	return VEXFS_I(inode)->node.flags & VEXFS_COLLECTION_FL;
}

static inline bool vexfs_is_fork(const struct inode *inode)
{
	return VEXFS_I(inode)->node.flags & VEXFS_FORK_FL;
}

/*
 * Ends every change of the extent tree: mappings that were looked up before
 * are stale. The change itself is ordered before by the tree's lock.
 */
static inline void vexfs_map_changed(struct inode *inode)
{
	atomic_inc(&VEXFS_I(inode)->map_seq);
}

static inline bool vexfs_is_shutdown(const struct super_block *sb)
{
	return test_bit(VEXFS_SBF_SHUTDOWN, &VEXFS_SB(sb)->flags);
}

/* log.c: messages, and errors */
#define vexfs_err(sb, fmt, ...) \
	pr_err("vexfs (%s): " fmt "\n", (sb)->s_id, ##__VA_ARGS__)
#define vexfs_warn(sb, fmt, ...) \
	pr_warn("vexfs (%s): " fmt "\n", (sb)->s_id, ##__VA_ARGS__)
#define vexfs_info(sb, fmt, ...) \
	pr_info("vexfs (%s): " fmt "\n", (sb)->s_id, ##__VA_ARGS__)
/*
 * Something failed that errors= decides about: recorded in the superblock,
 * then continue, remount read-only or panic.
 */
void vexfs_fs_error(struct super_block *sb, u64 ino, u64 block,
		    const char *func, int line, int error, const char *what);
#define vexfs_error(sb, ino, block, error, what) \
	vexfs_fs_error(sb, ino, block, __func__, __LINE__, error, what)
/* Only notes it in the superblock; both may be called with a handle held. */
void vexfs_error_record(struct super_block *sb, u64 ino, u64 block,
			const char *func, int line, int error);
void vexfs_error_worker(struct work_struct *work);

/* journal.c: jbd2, and the kernel's side of the shared core's seam */

/*
 * Credits, in blocks. An inode costs one; each operation's sum is derived
 * where it is defined.
 */
#define VEXFS_INODE_CREDITS	1
/* map one range: the tree, and the inode whose root changed */
#define VEXFS_WRITE_CREDITS	(VEXFS_EXT_CREDITS + VEXFS_INODE_CREDITS)
/* one step of a truncate, restarted as often as it takes */
#define VEXFS_TRUNCATE_CREDITS	(4 * VEXFS_EXT_CREDITS + VEXFS_INODE_CREDITS)
/* one attribute of an inode */
#define VEXFS_SETXATTR_CREDITS	(VEXFS_XATTR_CREDITS + VEXFS_INODE_CREDITS)
/* labels of security modules: they share a block */
#define VEXFS_SECURITY_CREDITS	(2 * VEXFS_XATTR_SMALL_CREDITS)
/*
 * create: new inode and its first block, entry, parent, orphan list, labels;
 * ACLs that are inherited come on top
 */
#define VEXFS_CREATE_CREDITS \
	(VEXFS_IALLOC_CREDITS + VEXFS_DIR_CREDITS + VEXFS_EXT_CREDITS + \
	 VEXFS_ORPHAN_CREDITS + VEXFS_SECURITY_CREDITS + \
	 2 * VEXFS_INODE_CREDITS)
/* unlink and link: entry, both inodes, orphan list */
#define VEXFS_UNLINK_CREDITS \
	(VEXFS_DIR_CREDITS + VEXFS_ORPHAN_CREDITS + 2 * VEXFS_INODE_CREDITS)
#define VEXFS_LINK_CREDITS	VEXFS_UNLINK_CREDITS
/* rename: two entries, four inodes, orphan list */
#define VEXFS_RENAME_CREDITS \
	(2 * VEXFS_DIR_CREDITS + VEXFS_ORPHAN_CREDITS + \
	 5 * VEXFS_INODE_CREDITS)

/*
 * What every handle has beside those, on a volume with quota: a block for each
 * type that an inode is charged to. A rename charges two inodes; a collection
 * moves from two owners to two.
 */
#define VEXFS_QUOTA_CREDITS	(4 * MAXQUOTAS)

int vexfs_journal_load(struct super_block *sb);
/* Begins to read a block of metadata that is not in memory; doesn't wait. */
void vexfs_buf_read_ahead(struct super_block *sb, u64 bno);
void vexfs_journal_destroy(struct super_block *sb);
/* Refuses on a read-only or shut down volume: -EROFS, -EIO. */
handle_t *vexfs_journal_start(struct super_block *sb, int credits);
/* The same for the module's own business, on a read-only mount too. */
handle_t *vexfs_journal_start_any(struct super_block *sb, int credits);
int vexfs_journal_stop(handle_t *handle);
/* Ends the running transaction and starts another with @credits. */
int vexfs_journal_restart(handle_t *handle, int credits);
/* Leaves @handle with at least @credits: extends it, or restarts. */
int vexfs_journal_ensure(handle_t *handle, int credits);
/* The handle's tid has to be committed before an fsync of it returns. */
static inline tid_t vexfs_handle_tid(const handle_t *handle)
{
	return handle->h_transaction->t_tid;
}

/* Makes everything logged so far durable, or only @tid (waits). */
int vexfs_journal_commit(struct super_block *sb);
int vexfs_journal_wait(struct super_block *sb, tid_t tid);
/* True when @tid is durable, false also when it isn't going to be. */
bool vexfs_journal_has(struct super_block *sb, tid_t tid);
/*
 * After an error there is no way to write any more. The VFS syncs nothing then,
 * and syncfs() has to be told that something was lost.
 */
void vexfs_set_read_only(struct super_block *sb, int error);
/*
 * After -ENOSPC: true when a commit freed clusters and a retry may help. The
 * second one takes blocks from other inodes first; not for who ends writes.
 */
bool vexfs_retry_committed(struct super_block *sb, int *retries);
bool vexfs_should_retry(struct super_block *sb, int *retries);

/* super.c */
/* Notes in the superblock where the volume is mounted, once a mount. */
void vexfs_sample_mount(struct file *file);
/* Notes in the superblock that the volume is mounted, or cleanly no more. */
int vexfs_super_mark(struct super_block *sb, bool mounted);

/* options.c */
/* What was given with mount or remount. */
struct vexfs_fs_context {
	unsigned int	errors;		/* 0: not given */
	unsigned int	commit_secs;	/* 0: not given */
	bool		norecovery;
	bool		discard_given;
	bool		discard;
	bool		acl_given;
	bool		acl;
	bool		quota_given;
	unsigned int	quota_limits;	/* types, a bit for each */
};

extern const struct fs_parameter_spec vexfs_param_specs[];
int vexfs_parse_param(struct fs_context *fc, struct fs_parameter *param);
const char *vexfs_errors_name(unsigned int errors);
int vexfs_show_options(struct seq_file *seq, struct dentry *root);
void vexfs_apply_options(struct super_block *sb,
			 const struct vexfs_fs_context *ctx);

/* inode.c */
struct inode *vexfs_iget(struct super_block *sb, u64 ino);
/* Like vexfs_iget() for internal inodes, which vexfs_iget() refuses. */
struct inode *vexfs_iget_fork(struct super_block *sb, u64 ino, u64 owner);
/* A quota file, of @type. */
struct inode *vexfs_iget_quota(struct super_block *sb, int type);
/* inode_new.c */
/*
 * An inode that is going to be in @dir, or with S_IFREG only be a fork of the
 * collection @dir: its owner is known, and the quota of that. No handle.
 */
struct inode *vexfs_prepare_inode(struct mnt_idmap *idmap, struct inode *dir,
				  umode_t mode);
/* It comes to nothing. */
void vexfs_unprepare_inode(struct inode *inode);
/*
 * Makes it one on disk in the running transaction: locked and not yet hashed
 * in a directory; unlock_new_inode() or discard_new_inode() ends it. nlink is
 * 1 (2 for a directory). When this fails @inode is gone.
 */
int vexfs_new_inode(handle_t *handle, struct inode *inode, struct inode *dir,
		    dev_t rdev);

/* inode.c */
/* S_* by the inode's flags, operations by its type. */
void vexfs_set_inode_flags(struct inode *inode);
void vexfs_set_inode_ops(struct inode *inode);
/* Writes @inode to its block in the transaction. Every change ends with it. */
int vexfs_log_inode(handle_t *handle, struct inode *inode);
/* For the first time: whatever its place held before is gone. */
int vexfs_log_new_inode(handle_t *handle, struct inode *inode);
int vexfs_write_inode(struct inode *inode, struct writeback_control *wbc);
void vexfs_dirty_inode(struct inode *inode, int flags);

/* setattr.c */
int vexfs_setattr(struct mnt_idmap *idmap, struct dentry *dentry,
		  struct iattr *attr);
int vexfs_getattr(struct mnt_idmap *idmap, const struct path *path,
		  struct kstat *stat, u32 request_mask, unsigned int flags);
int vexfs_fileattr_get(struct dentry *dentry, struct file_kattr *fa);
int vexfs_fileattr_set(struct mnt_idmap *idmap, struct dentry *dentry,
		       struct file_kattr *fa);

/* quota.c */
#ifdef CONFIG_QUOTA
ssize_t vexfs_quota_read(struct super_block *sb, int type, char *data,
			 size_t len, loff_t off);
ssize_t vexfs_quota_write(struct super_block *sb, int type, const char *data,
			  size_t len, loff_t off);
vexfs_dquot_ptr *vexfs_get_dquots(struct inode *inode);
/* Before the first handle: which types the volume has. */
int vexfs_quota_setup(struct super_block *sb);
/* Limits that are to hold from now on, after a remount. */
int vexfs_quota_limit(struct super_block *sb);
/* Counting starts, before anything is changed; or goes on. */
int vexfs_quota_on(struct super_block *sb);
void vexfs_quota_off(struct super_block *sb);
void vexfs_quota_suspend(struct super_block *sb);
void vexfs_statfs_project(struct inode *dir, struct kstatfs *buf);
#endif

/* The owners that an inode is going to have; of those named in mask. */
#define VEXFS_OWNER_UID		0x01
#define VEXFS_OWNER_GID		0x02
#define VEXFS_OWNER_PROJID	0x04
struct vexfs_owner {
	unsigned int	mask;
	kuid_t		uid;
	kgid_t		gid;
	kprojid_t	projid;
};

/* Moving what an inode is charged for: no handle, in one, no handle. */
struct vexfs_transfer {
	struct dquot	*to[MAXQUOTAS];
};

#ifdef CONFIG_QUOTA
int vexfs_transfer_begin(struct inode *inode, const struct vexfs_owner *owner,
			 struct vexfs_transfer *tr);
int vexfs_transfer(struct inode *inode, struct vexfs_transfer *tr);
void vexfs_transfer_end(struct vexfs_transfer *tr);
#else
static inline int vexfs_quota_setup(struct super_block *sb)
{
	struct vexfs_super_block *vs = vexfs_super(VEXFS_FS(sb));

	if (!vs->s_feature_ro_compat || sb_rdonly(sb))
		return 0;
	vexfs_err(sb, "the kernel has no quota: use -o ro");
	return -EROFS;
}

static inline int vexfs_quota_limit(struct super_block *sb)
{
	return 0;
}

static inline int vexfs_quota_on(struct super_block *sb)
{
	return vexfs_quota_setup(sb);
}

static inline void vexfs_quota_off(struct super_block *sb)
{
}

static inline void vexfs_quota_suspend(struct super_block *sb)
{
}

static inline void vexfs_statfs_project(struct inode *dir,
					struct kstatfs *buf)
{
}

static inline int vexfs_transfer_begin(struct inode *inode,
				       const struct vexfs_owner *owner,
				       struct vexfs_transfer *tr)
{
	return 0;
}

static inline int vexfs_transfer(struct inode *inode,
				 struct vexfs_transfer *tr)
{
	return 0;
}

static inline void vexfs_transfer_end(struct vexfs_transfer *tr)
{
}
#endif

/* owner.c */
/*
 * A change of owners, of a collection with its forks. Fill @owner; with a mask
 * of 0 nothing happens. vexfs_chown() is in the handle, and logs all but the
 * inode itself; the others are outside.
 */
struct vexfs_chown {
	struct vexfs_owner	owner;
	int			n;
	struct inode		*inode[1 + VEXFS_FORKS];
	struct vexfs_transfer	transfer[1 + VEXFS_FORKS];
};

#define VEXFS_CHOWN_CREDITS	((1 + VEXFS_FORKS) * VEXFS_INODE_CREDITS)
int vexfs_chown_begin(struct inode *inode, struct vexfs_chown *c);
int vexfs_chown(handle_t *handle, struct vexfs_chown *c);
void vexfs_chown_end(struct vexfs_chown *c);

/* truncate.c */
/* i_rwsem and invalidate_lock held; sets i_size and frees what is behind. */
int vexfs_truncate(struct inode *inode, loff_t size);
/*
 * Takes the blocks [lblk, end), whole clusters, out of the file, whose size
 * becomes @size; or puts a hole of that size there. Pages from there on are
 * gone, and all is written. i_rwsem and invalidate_lock.
 */
int vexfs_collapse_range(struct inode *inode, u64 lblk, u64 end, loff_t size);
int vexfs_insert_range(struct inode *inode, u64 lblk, u64 end, loff_t size);
/* Frees [start, end) blocks of the mapping; restarts transactions. */
int vexfs_free_range(struct inode *inode, u64 lblk, u64 end);
/* True if it has to be ended. */
bool vexfs_evict_begin(struct super_block *sb);
void vexfs_evict_end(struct super_block *sb, bool began);
void vexfs_evict_inode(struct inode *inode);

/* orphan.c */
int vexfs_add_orphan(handle_t *handle, struct inode *inode);
int vexfs_del_orphan(handle_t *handle, struct inode *inode);
/* The inode leaves memory, still an orphan on disk after an error. */
void vexfs_forget_orphan(struct inode *inode);
int vexfs_process_orphans(struct super_block *sb);

/* iomap.c */
extern const struct iomap_ops vexfs_read_iomap_ops;
extern const struct iomap_ops vexfs_write_iomap_ops;
extern const struct iomap_ops vexfs_dio_write_iomap_ops;
extern const struct iomap_write_ops vexfs_iomap_write_ops;
extern const struct address_space_operations vexfs_aops;
/* What VEXFS_ALLOC_* an inode's data is allocated with. */
unsigned int vexfs_alloc_flags(const struct inode *inode);
/*
 * Before a file shrinks to @pos: zeroes the rest of the block that it lies
 * in, in the page cache, up to the end of the file.
 */
int vexfs_truncate_page(struct inode *inode, loff_t pos);
/*
 * Before a file grows from @old to @size: zeroes what of that is in the block
 * that @old lies in and writes it, so that the size on disk never passes old
 * bytes. i_rwsem.
 */
int vexfs_zero_tail(struct inode *inode, loff_t old, loff_t size);

/* ahead.c: blocks allocated ahead of a stream of writes; i_rwsem held */
/* Blocks to have behind [lblk, lblk + count), which is written from @pos. */
u32 vexfs_ahead_want(struct inode *inode, loff_t pos, u64 lblk, u64 count);
/* They are [lblk, end). */
void vexfs_ahead_have(struct inode *inode, u64 lblk, u64 end);
/* They are given back; or are not, or already are. */
int vexfs_ahead_drop(struct inode *inode);
void vexfs_ahead_forget(struct inode *inode);
/* The last writer closes; takes i_rwsem. */
void vexfs_ahead_release(struct inode *inode);
/* All that the volume has ahead, but for inodes that are in use just now. */
bool vexfs_ahead_reclaim(struct super_block *sb);

/* ioend.c */
void vexfs_ready_ioend(struct iomap_ioend *ioend);
void vexfs_ioend_work(struct work_struct *work);
/*
 * The caller is about to wait for the writes that it has submitted: it ends
 * them itself, which spares two switches to the worker and back.
 */
void vexfs_ioend_help(struct inode *inode);
/* Converts [pos, pos + len) to written and raises the size on disk. */
int vexfs_convert_range(struct inode *inode, loff_t pos, u64 len);

/* file.c, fsync.c */
extern const struct file_operations vexfs_file_operations;
extern const struct inode_operations vexfs_file_inode_operations;
int vexfs_fsync(struct file *file, loff_t start, loff_t end, int datasync);

/* fallocate.c */
long vexfs_fallocate(struct file *file, int mode, loff_t offset, loff_t len);

/*
 * i_rwsem of a collection or a fork, taken under the locks of collections: a
 * class behind those of linux/fs.h, since page faults wait for none of these.
 */
static inline void vexfs_coll_inode_lock(struct inode *inode)
{
	inode_lock_nested(inode, I_MUTEX_PARENT2 + 1);
}

/* kernel_io.c */
/*
 * Buffered write into an inode the module itself owns the contents of (the
 * rows and forks of a collection): kernel memory, no permission checks, no
 * O_APPEND, raises i_size. Takes i_rwsem.
 */
ssize_t vexfs_kernel_write(struct inode *inode, const void *buf, size_t len,
			   loff_t pos);
/* The same for reading, through the page cache; -EIO on a short read. */
int vexfs_kernel_read(struct inode *inode, void *buf, size_t len, loff_t pos);

/* namei.c, rename.c, dir.c, symlink.c */
extern const struct inode_operations vexfs_dir_inode_operations;
extern const struct inode_operations vexfs_special_inode_operations;
extern const struct inode_operations vexfs_symlink_inode_operations;
extern const struct inode_operations vexfs_fast_symlink_inode_operations;
extern const struct file_operations vexfs_dir_operations;
/* Sets a new symlink's target: inline or in up to two blocks. */
int vexfs_symlink_store(handle_t *handle, struct inode *inode,
			const char *target, unsigned int len);
struct dentry *vexfs_get_parent(struct dentry *child);
/* The size of a directory as the core left it, times and version. */
int vexfs_dir_changed(handle_t *handle, struct inode *dir, u64 size);
/* Adds @name for @inode to @dir and logs @dir. */
int vexfs_add_entry(handle_t *handle, struct inode *dir,
		    const struct qstr *name, struct inode *inode);
int vexfs_remove_entry(handle_t *handle, struct inode *dir,
		       const struct qstr *name);
/* What is in a directory that passes its project on is of that project. */
bool vexfs_project_fits(const struct inode *dir, const struct inode *inode);
/* Links to a directory are not counted past VEXFS_LINK_MAX. */
void vexfs_inc_dir_count(struct inode *dir);
void vexfs_dec_dir_count(struct inode *dir);
/* What is left to do when the last name of @inode is gone. No handle. */
void vexfs_after_unlink(struct inode *inode);
int vexfs_rename(struct mnt_idmap *idmap, struct inode *old_dir,
		 struct dentry *old_dentry, struct inode *new_dir,
		 struct dentry *new_dentry, unsigned int flags);

/* xattr.c; @index: enum vexfs_xattr_index, @name without the prefix */
extern const struct xattr_handler *vexfs_const_handlers vexfs_xattr_handlers[];
int vexfs_getxattr(struct inode *inode, u8 index, const char *name,
		   void *value, size_t size);
/* In the running transaction; the caller logs the inode. */
int vexfs_setxattr_handle(handle_t *handle, struct inode *inode, u8 index,
			  const char *name, const void *value, size_t size,
			  int flags);
ssize_t vexfs_listxattr(struct dentry *dentry, char *buf, size_t size);
/* The labels that security modules give a new inode, called @name or NULL. */
int vexfs_init_security(handle_t *handle, struct inode *inode,
			struct inode *dir, const struct qstr *name);

/* acl.c; without ACLs in the kernel there is nothing of it. */
/* What a new inode inherits; found before, stored in its transaction. */
struct vexfs_acls {
	struct posix_acl	*acl;
	struct posix_acl	*def;
};

#ifdef CONFIG_FS_POSIX_ACL
struct posix_acl *vexfs_get_acl(struct inode *inode, int type, bool rcu);
int vexfs_set_acl(struct mnt_idmap *idmap, struct vexfs_acl_object *object,
		  struct posix_acl *acl, int type);
int vexfs_new_acls(struct inode *dir, umode_t *mode, struct vexfs_acls *acls);
int vexfs_new_acls_credits(const struct vexfs_acls *acls);
int vexfs_init_acls(handle_t *handle, struct inode *inode,
		    const struct vexfs_acls *acls);
void vexfs_release_acls(struct vexfs_acls *acls);
#else
#define vexfs_get_acl	NULL
#define vexfs_set_acl	NULL
static inline int vexfs_new_acls(struct inode *dir, umode_t *mode,
				 struct vexfs_acls *acls)
{
	return 0;
}

static inline int vexfs_new_acls_credits(const struct vexfs_acls *acls)
{
	return 0;
}

static inline int vexfs_init_acls(handle_t *handle, struct inode *inode,
				  const struct vexfs_acls *acls)
{
	return 0;
}

static inline void vexfs_release_acls(struct vexfs_acls *acls)
{
}
#endif

/* ioctl.c: dispatch; the filesystem's own commands, then the collections' */
long vexfs_ioctl(struct file *file, unsigned int cmd, unsigned long arg);

/* resize.c */
long vexfs_ioc_resize(struct file *file, void __user *arg);

/* trim.c */
long vexfs_ioc_fitrim(struct file *file, void __user *arg);
void vexfs_set_discard(struct super_block *sb, bool on);
void vexfs_freed_worker(struct work_struct *work);
void vexfs_commit_callback(journal_t *journal, transaction_t *transaction);
void vexfs_freed_stop(struct super_block *sb);

/* export.c */
extern const struct export_operations vexfs_export_ops;

#if IS_ENABLED(CONFIG_VEXFS_FS_COLLECTIONS)
/* collection.c: life cycle; see collection.h for the rest */
int vexfs_coll_ioctl(struct file *file, unsigned int cmd, void __user *arg);
/* fsync() and sync: rows, log and header to disk. No-op when not loaded. */
int vexfs_coll_sync(struct inode *inode);
int vexfs_coll_sync_all(struct super_block *sb);
/* Before unmount and remount,ro: index caught up as far as bounded, written. */
void vexfs_coll_close_all(struct super_block *sb);
/* Last close or unlink of an unlinked collection: drop it from memory. */
void vexfs_coll_drop(struct inode *inode);
/*
 * Before a collection is deleted with its inode: frees the header block, puts
 * the forks on the orphan list and lets go of them. Starts its own handles:
 * called by vexfs_evict_inode() without one.
 */
int vexfs_coll_evict(struct inode *inode);
/* The forks of a collection, at most VEXFS_FORKS, with references. */
int vexfs_coll_forks(struct inode *inode, struct inode **fork);
int __init vexfs_coll_init(void);
void vexfs_coll_exit(void);

/* stats.c, proc.c */
int __init vexfs_proc_init(void);
void vexfs_proc_exit(void);
/* Counts a mount. */
void vexfs_proc_mounted(void);
#else /* a filesystem only: no command exists, nothing to do */
static inline int vexfs_coll_ioctl(struct file *file, unsigned int cmd,
				   void __user *arg)
{
	return -ENOTTY;
}

static inline int vexfs_coll_sync(struct inode *inode)
{
	return 0;
}

static inline int vexfs_coll_sync_all(struct super_block *sb)
{
	return 0;
}

static inline void vexfs_coll_close_all(struct super_block *sb)
{
}

static inline void vexfs_coll_drop(struct inode *inode)
{
}

static inline int vexfs_coll_evict(struct inode *inode)
{
	return 0;
}

static inline int vexfs_coll_forks(struct inode *inode, struct inode **fork)
{
	return 0;
}

static inline int vexfs_coll_init(void)
{
	return 0;
}

static inline void vexfs_coll_exit(void)
{
}

static inline int vexfs_proc_init(void)
{
	return 0;
}

static inline void vexfs_proc_exit(void)
{
}

static inline void vexfs_proc_mounted(void)
{
}
#endif

/* sysfs.c */
int vexfs_sysfs_add(struct super_block *sb);
void vexfs_sysfs_remove(struct super_block *sb);
int __init vexfs_sysfs_init(void);
void vexfs_sysfs_exit(void);

#endif /* _VEXFS_H */

/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Prototypes of the format core, grouped by file. All return 0 or a negative
 * errno unless they say otherwise. Functions that take a transaction change
 * buffers through it; locks they need from the caller are named.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#ifndef _LIBVEXFS_H
#define _LIBVEXFS_H

#include "core.h"

/* geom.c: where things are */

/* What mkfs is asked for; 0 means the default. */
struct vexfs_geom_options {
	u64	device_bytes;
	u32	cluster_size;		/* 4096 */
	u32	bytes_per_inode;	/* 16384 */
	u64	journal_clusters;	/* 1 %, 4 MiB .. 128 MiB */
	bool	vector_area;
};

/* -EINVAL, -EFBIG (device too large) or -ENOSPC (too small) with *why set. */
int vexfs_geom_compute(const struct vexfs_geom_options *opt,
		       struct vexfs_geom *geom, const char **why);
/* From a verified superblock; cross-checks every field. */
int vexfs_geom_from_super(const struct vexfs_super_block *sb,
			  struct vexfs_geom *geom, const char **why);
/*
 * The geometry of @old with @clusters, somewhat less when the last group would
 * be too short. -EINVAL (less than before) or -EFBIG with *why set.
 */
int vexfs_geom_grow(const struct vexfs_geom *old, u64 clusters,
		    struct vexfs_geom *geom, const char **why);
/* The clusters to which that can go. */
u64 vexfs_clusters_most(const struct vexfs_geom *g);
/* First cluster of group @group, and how many it has (the last is shorter). */
u64 vexfs_group_first(const struct vexfs_geom *g, u32 group);
u32 vexfs_group_clusters(const struct vexfs_geom *g, u32 group);
/* Clusters of metadata at the start of @group. */
u32 vexfs_group_overhead(const struct vexfs_geom *g, u32 group);
/* Block @nr of the group descriptors. */
u64 vexfs_gdt_block(const struct vexfs_geom *g, u32 nr);
u64 vexfs_cluster_bitmap_block(const struct vexfs_geom *g, u32 group);
/* Block @nr (0 or 1) of the group's inode bitmap. */
u64 vexfs_inode_bitmap_block(const struct vexfs_geom *g, u32 group, u32 nr);
u64 vexfs_itable_block(const struct vexfs_geom *g, u32 group);
/* Blocks at the end of the group's inode table that hold no inodes. */
u32 vexfs_itable_reserved(const struct vexfs_geom *g, u32 group);
/* Inodes of the group that can be used. */
u32 vexfs_group_inodes(const struct vexfs_geom *g, u32 group);
/* Backup set: block 0 is the superblock's, 1.. the descriptors'. */
u64 vexfs_backup_block(const struct vexfs_geom *g, u32 nr);
/* Data space -> cluster. */
u64 vexfs_data_cluster(const struct vexfs_geom *g, u64 index);
/* Index in the data space of the first data cluster of @group. */
u64 vexfs_data_first(const struct vexfs_geom *g, u32 group);
/* Where [from, to) of the data space is in @group: bits *lo up to *hi. */
void vexfs_group_window(const struct vexfs_geom *g, u32 group, u64 from,
			u64 to, u32 *lo, u32 *hi);
/* Block @nr of the journal, counted in blocks. */
u64 vexfs_journal_block(const struct vexfs_geom *g, u64 nr);
u64 vexfs_journal_blocks(const struct vexfs_geom *g);
/* True if @cluster lies in the vector area. */
bool vexfs_in_vector_area(const struct vexfs_geom *g, u64 cluster);
/* Writes the bitmap of @group as it is on a new volume. */
void vexfs_group_init_bitmap(const struct vexfs_geom *g, u32 group,
			     void *bitmap);
/* Free clusters of @group on a new volume. */
u32 vexfs_group_init_free(const struct vexfs_geom *g, u32 group);
/* True if any cluster of [first, first + n) is group metadata or journal. */
bool vexfs_range_is_fixed(const struct vexfs_geom *g, u64 first, u64 n);

static inline u64 vexfs_cluster_to_block(const struct vexfs_geom *g, u64 c)
{
	return c << g->cluster_shift;
}

static inline u64 vexfs_block_to_cluster(const struct vexfs_geom *g, u64 b)
{
	return b >> g->cluster_shift;
}

static inline void vexfs_group_lock(struct vexfs_fs *fs, u32 group)
{
	mutex_lock(&fs->group_locks[group % VEXFS_GROUP_LOCKS]);
}

static inline void vexfs_group_unlock(struct vexfs_fs *fs, u32 group)
{
	mutex_unlock(&fs->group_locks[group % VEXFS_GROUP_LOCKS]);
}

/* sb.c: superblock and descriptors */
u32 vexfs_super_csum(const struct vexfs_super_block *sb);
/* NULL when fine, else what is wrong. Magic first: "not a VexFS volume". */
const char *vexfs_verify_super(const struct vexfs_super_block *sb);
void vexfs_init_super(struct vexfs_super_block *sb,
		      const struct vexfs_geom *geom);
/* Those that RO_COMPAT must have for s_quota_ino. */
u32 vexfs_quota_features(const struct vexfs_super_block *sb);
/*
 * Reads and verifies superblock and descriptors from fs->dev, fills @fs,
 * sums the counters. @why says what is wrong for the log.
 */
int vexfs_fs_load(struct vexfs_fs *fs, const char **why);
void vexfs_fs_unload(struct vexfs_fs *fs);
/* Change dynamic fields between begin and end. [orphan_lock held] */
int vexfs_super_begin(struct vexfs_trans *t, struct vexfs_fs *fs);
int vexfs_super_end(struct vexfs_trans *t, struct vexfs_fs *fs);
struct vexfs_group_desc *vexfs_group_desc(struct vexfs_fs *fs, u32 group,
					  struct vexfs_buf **buf);
u32 vexfs_group_desc_csum(struct vexfs_fs *fs, u32 group,
			  const struct vexfs_group_desc *gd);
const char *vexfs_verify_group_desc(struct vexfs_fs *fs, u32 group,
				    const struct vexfs_group_desc *gd);
/* As on a new volume, but for the checksum. */
void vexfs_group_desc_init(const struct vexfs_geom *g, u32 group,
			   struct vexfs_group_desc *gd);

/* verify.c: metadata blocks with a header */
void vexfs_meta_init(struct vexfs_fs *fs, struct vexfs_buf *buf, u32 magic,
		     u64 owner, u32 generation);
void vexfs_meta_csum(struct vexfs_fs *fs, struct vexfs_buf *buf);
void vexfs_meta_csum_data(struct vexfs_fs *fs, void *data);
/*
 * Reads block @bno and verifies header, checksum and the structure that
 * @magic stands for; ERR_PTR(-EFSBADCRC), (-EFSCORRUPTED) or (-EIO).
 */
struct vexfs_buf *vexfs_meta_read(struct vexfs_fs *fs, u64 bno, u32 magic,
				  u64 owner, u32 generation);
/* NULL or what is wrong; for fsck and before journaling in debug builds. */
const char *vexfs_verify_meta(struct vexfs_fs *fs, const void *data, u64 bno,
			      u32 magic, u64 owner, u32 generation);
const char *vexfs_verify_extent_node(struct vexfs_fs *fs, const void *data);
const char *vexfs_verify_extent_root(struct vexfs_fs *fs,
				     const struct vexfs_extent_root *root);
const char *vexfs_verify_dir_block(const void *data);
const char *vexfs_verify_coll_header(const void *data);
/* Entries of an inode or a block: xattr.c. */
const char *vexfs_verify_xattrs(struct vexfs_fs *fs, const void *data,
				u32 used);
bool vexfs_block_valid(struct vexfs_fs *fs, u64 bno, u64 count);

/* crc.c */
/*
 * The checksum of a bitmap of @size bytes (at most 64 KiB) when bits [bit,
 * bit + len) of it have changed, each of them; @crc is what it was before.
 */
u32 vexfs_crc_flip(u32 crc, u32 size, u32 bit, u32 len);
/* The same when the @len bytes at @at are not @old any more but @new. */
u32 vexfs_crc_patch(u32 crc, u32 size, u32 at, const void *old,
		    const void *new, u32 len);

/* Number of zero bits in [0, bits) of a block; bits is a multiple of 64. */
u32 vexfs_bitmap_zeroes(const void *bitmap, u32 bits);

/* balloc.c: clusters. Takes the group locks. */
#define VEXFS_ALLOC_VECTOR	0x01	/* prefer the vector area */
#define VEXFS_ALLOC_RESERVED	0x02	/* may use the reserve */
#define VEXFS_ALLOC_FORCE	0x04	/* quota can't say no */
#define VEXFS_ALLOC_WHOLE	0x08	/* quota must have all that is asked */
#define VEXFS_ALLOC_MUST	(VEXFS_ALLOC_RESERVED | VEXFS_ALLOC_FORCE)
#define VEXFS_ALLOC_CREDITS	4	/* bitmap and descriptor, and slack */
/*
 * Allocates one run of 1 .. *len clusters, as long as can be had near @goal
 * (a cluster, 0: don't care); first cluster in *first, length in *len.
 * -ENOSPC when nothing is free (what is freed but not committed may help:
 * the caller can commit and retry, see vexfs_balloc_busy()).
 */
int vexfs_balloc(struct vexfs_trans *t, struct vexfs_fs *fs, u64 goal,
		 unsigned int flags, u64 *first, u32 *len);
int vexfs_bfree(struct vexfs_trans *t, struct vexfs_fs *fs, u64 first,
		u64 len);
/* Free clusters of the vector area, by the bitmaps. Takes group locks. */
u64 vexfs_vector_count(struct vexfs_fs *fs);
/*
 * Calls @fn for each run of at least @minlen free clusters of @group within
 * [first, end), with the group locked. What awaits a commit is left out.
 */
int vexfs_group_trim(struct vexfs_fs *fs, u32 group, u64 first, u64 end,
		     u32 minlen, int (*fn)(void *arg, u64 first, u32 len),
		     void *arg);
/*
 * The volume gets the geometry @geom from here on; @group, until now its last,
 * the clusters that this gives it. What is behind it must be ready.
 */
int vexfs_grow_group(struct vexfs_trans *t, struct vexfs_fs *fs, u32 group,
		     const struct vexfs_geom *geom);
/* The last -ENOSPC met free clusters that wait for a commit: try again. */
bool vexfs_balloc_busy(struct vexfs_fs *fs);

/*
 * nalloc.c: clusters for inodes. These count in node.blocks, and for the quota
 * of the inode's owners: where that has less left than is asked for, fewer are
 * allocated; -EDQUOT when there is none left. [map_sem]
 */
int vexfs_node_alloc(struct vexfs_trans *t, struct vexfs_node *n, u64 goal,
		     unsigned int flags, u64 *first, u32 *len);
/* When it fails nothing has changed. */
int vexfs_node_free(struct vexfs_trans *t, struct vexfs_node *n, u64 first,
		    u32 len);
/* So many clusters are the inode's no more, whatever becomes of them. */
void vexfs_node_uncount(struct vexfs_node *n, u32 len);

/*
 * grow.c: makes the volume larger, in one transaction and while it is in use.
 * Superblock, two blocks of descriptors, a bitmap; the backups of the former.
 */
#define VEXFS_GROW_CREDITS	(1 + 2 + 1 + 1 + 2)
/* Descriptors that a change of size may touch: so many groups at a time. */
#define VEXFS_GROW_GROUPS	VEXFS_DESC_PER_BLOCK
/* @geom: by vexfs_geom_grow(), at most VEXFS_GROW_GROUPS more. One at a time. */
int vexfs_grow(struct vexfs_trans *t, struct vexfs_fs *fs,
	       const struct vexfs_geom *geom);

/* ialloc.c: inodes. Takes the group locks. */
#define VEXFS_IALLOC_CREDITS	4
/* @parent: 0 for none. *ino and a new *generation are returned. */
int vexfs_ialloc(struct vexfs_trans *t, struct vexfs_fs *fs, u64 parent,
		 bool dir, u64 *ino, u32 *generation);
int vexfs_ifree(struct vexfs_trans *t, struct vexfs_fs *fs, u64 ino, bool dir);
/* 1 allocated, 0 free, or negative. */
int vexfs_inode_allocated(struct vexfs_fs *fs, u64 ino);
bool vexfs_ino_valid(struct vexfs_fs *fs, u64 ino);
u64 vexfs_ino_group_goal(struct vexfs_fs *fs, u64 ino);

/* inode_buf.c: on-disk inodes */
u32 vexfs_inode_csum(struct vexfs_fs *fs, struct vexfs_inode *di);
const char *vexfs_verify_inode(struct vexfs_fs *fs, struct vexfs_inode *di,
			       u64 ino);
/*
 * The block of inode @ino; *di points into it. Not verified: a new inode is
 * not one yet. vexfs_inode_read() verifies.
 */
struct vexfs_buf *vexfs_inode_buf(struct vexfs_fs *fs, u64 ino,
				  struct vexfs_inode **di);
struct vexfs_buf *vexfs_inode_read(struct vexfs_fs *fs, u64 ino,
				   struct vexfs_inode **di);
/*
 * Several may change the same inode on disk: its owner, and the orphan list.
 * Each does so, checksum included, under this lock (innermost but buffers).
 */
static inline void vexfs_inode_lock(struct vexfs_fs *fs, u64 ino)
{
	vexfs_group_lock(fs, div_u64(ino - 1, fs->geom.inodes_per_group));
}

static inline void vexfs_inode_unlock(struct vexfs_fs *fs, u64 ino)
{
	vexfs_group_unlock(fs, div_u64(ino - 1, fs->geom.inodes_per_group));
}

/*
 * Orphan list; i_orphan_next of @ino, which is on disk already, is changed in
 * its block. They take orphan_lock and inode locks.
 */
#define VEXFS_ORPHAN_CREDITS	4
int vexfs_orphan_add(struct vexfs_trans *t, struct vexfs_fs *fs, u64 ino);
int vexfs_orphan_del(struct vexfs_trans *t, struct vexfs_fs *fs, u64 ino);
/* The same in constant time, if @prev is the orphan before it. */
int vexfs_orphan_del_behind(struct vexfs_trans *t, struct vexfs_fs *fs,
			    u64 ino, u64 prev);

/*
 * extent.c, extent_alloc.c: extent trees. They take map_sem. After a change
 * the caller logs the inode, also when it failed: what was done before the
 * error stays done, and each step is complete in itself.
 */
struct vexfs_map {
	u64	lblk;
	u64	pblk;			/* 0: a hole */
	u64	len;			/* blocks */
	bool	unwritten;
	bool	fresh;			/* vexfs_ext_allocate() took it */
};

void vexfs_node_init(struct vexfs_node *n, struct vexfs_fs *fs, u64 ino,
		     u32 generation);
void vexfs_ext_init_root(struct vexfs_extent_root *root);
/* What is at @lblk, for at most @len blocks; a hole goes to the next extent. */
int vexfs_ext_lookup(struct vexfs_node *n, u64 lblk, u64 len,
		     struct vexfs_map *map);
/*
 * Worst case of one tree change: the nodes of a path, each of them split; for
 * each new node bitmap and descriptor block; and those of the data, or of the
 * node that collapsing frees. The inode is the caller's.
 */
#define VEXFS_EXT_CREDITS \
	(4 * VEXFS_EXT_MAX_DEPTH + VEXFS_ALLOC_CREDITS)
/* Most calls of vexfs_trans_forget() in one call of what follows. */
#define VEXFS_EXT_REVOKES	32
/*
 * Maps @lblk: returns what is there or, for a hole, allocates whole clusters
 * as one unwritten extent that begins at or before @lblk and covers up to
 * @len blocks from it. The result in *map starts at @lblk.
 */
int vexfs_ext_allocate(struct vexfs_trans *t, struct vexfs_node *n, u64 lblk,
		       u64 len, unsigned int flags, struct vexfs_map *map);
/*
 * Marks what is mapped unwritten in [lblk, lblk + len) as written. Needs
 * VEXFS_EXT_CREDITS for each extent it touches; does what the credits allow
 * and returns the blocks dealt with in *done (> 0 on success).
 */
int vexfs_ext_convert(struct vexfs_trans *t, struct vexfs_node *n, u64 lblk,
		      u64 len, u64 *done);
/*
 * Unmaps [lblk, end) from the end backwards and frees the clusters that
 * become unused; of a cluster that is only partly in the range the blocks
 * become unwritten. Stops when credits get short: *more is then true and the
 * caller restarts the transaction and calls again.
 */
int vexfs_ext_remove(struct vexfs_trans *t, struct vexfs_node *n, u64 lblk,
		     u64 end, bool *more);
/*
 * extent_shift.c: moves all that is mapped from block @from on by @blocks, up
 * or down; both are whole clusters. There must be room: nothing mapped in the
 * @blocks before @from, or behind the largest offset. When *more, the caller
 * restarts the transaction and calls again. -ENOSPC only before anything
 * moved.
 */
struct vexfs_shift {
	u64	from;
	u64	blocks;
	bool	up;
	bool	begun;			/* false at first */
	u64	pos;
};

int vexfs_ext_shift(struct vexfs_trans *t, struct vexfs_node *n,
		    struct vexfs_shift *s, bool *more);
/* Where the last extent ends; 0 when there is none. */
int vexfs_ext_last(struct vexfs_node *n, u64 *end);

/*
 * dir.c, dir_tree.c, dir_shrink.c: directories. The caller holds the
 * directory's lock, and logs its inode after a change, as with extents.
 */
struct vexfs_dirent {
	u64	key;
	u64	ino;
	u8	type;
	u8	name_len;
	u8	name[VEXFS_NAME_LEN + 1];
};

/*
 * Worst case of adding: the blocks of a path, each of them split; for each new
 * block a cluster, so bitmap and descriptor block; and one change of the
 * extent tree. It is one, though the tree changes for each block: new blocks
 * all come last, and a node that was just split doesn't fill up again.
 * Removing touches a path, a neighbour, and what the root absorbs: less.
 */
#define VEXFS_DIR_CREDITS \
	(4 * VEXFS_DIR_MAX_DEPTH + VEXFS_EXT_CREDITS)
/* A new, empty directory: block 0 allocated and written. Sets *size. */
int vexfs_dir_init(struct vexfs_trans *t, struct vexfs_node *dir, u64 *size);
/* -ENOENT when there is none. */
int vexfs_dir_lookup(struct vexfs_node *dir, const u8 *name, u32 len,
		     struct vexfs_dirent *de);
/*
 * -EEXIST when the name is there, -ENOSPC also when 128 names have its hash.
 * *size grows with the directory, and may have grown when this fails.
 */
int vexfs_dir_add(struct vexfs_trans *t, struct vexfs_node *dir,
		  const u8 *name, u32 len, u64 ino, u8 type, u64 *size);
/* Removes @name. The blocks stay with the directory, for later names. */
int vexfs_dir_remove(struct vexfs_trans *t, struct vexfs_node *dir,
		     const u8 *name, u32 len, u64 *size);
/* Points @name at another inode. */
int vexfs_dir_set(struct vexfs_trans *t, struct vexfs_node *dir,
		  const u8 *name, u32 len, u64 ino, u8 type);
/* First entry with a key >= @key; -ENOENT at the end. */
int vexfs_dir_next(struct vexfs_node *dir, u64 key, struct vexfs_dirent *de);
/*
 * Entries from @key on, in the order of their keys, to a callback; for
 * readdir. 0 at the end of the directory, 1 when the callback said false.
 */
typedef bool (*vexfs_dir_actor)(void *arg, const struct vexfs_dirent *de);
int vexfs_dir_iterate(struct vexfs_node *dir, u64 key, vexfs_dir_actor actor,
		      void *arg);
/* 1 empty, 0 not, or negative. */
int vexfs_dir_empty(struct vexfs_node *dir);

/*
 * xattr.c, xattr_value.c: extended attributes. They take map_sem; the caller
 * logs the inode after a change, as with extents.
 */
struct vexfs_xattr_name {
	u8	index;			/* enum vexfs_xattr_index */
	u32	len;
	const u8 *name;			/* without the prefix */
};

/*
 * Length of the value, copied when @size is not 0. -ENODATA, or -ERANGE when
 * it is longer than @size.
 */
int vexfs_xattr_get(struct vexfs_node *n, const struct vexfs_xattr_name *name,
		    void *value, size_t size);
/* All of them to a callback, which may stop it with an error. */
typedef int (*vexfs_xattr_actor)(void *arg,
				 const struct vexfs_xattr_name *name,
				 u32 value_len);
int vexfs_xattr_list(struct vexfs_node *n, vexfs_xattr_actor actor, void *arg);

/*
 * Setting one: for the value its blocks and bitmap and descriptor of each
 * run, and those of the old one's runs, which are revoked; a new block of
 * entries with bitmap and descriptor, the block of the old entry, and when
 * that gets empty the one before it, its bitmap and descriptor.
 */
#define VEXFS_XATTR_VALUE_CREDITS	(17 + 4 * VEXFS_XATTR_RUNS)
#define VEXFS_XATTR_CREDITS		(VEXFS_XATTR_VALUE_CREDITS + 8)
/* One that is new, and shorter than VEXFS_XATTR_SMALL bytes. */
#define VEXFS_XATTR_SMALL		1024
#define VEXFS_XATTR_SMALL_CREDITS	4
#define VEXFS_XATTR_SET_CREATE		0x01
#define VEXFS_XATTR_SET_REPLACE		0x02
/*
 * @value NULL removes; -EEXIST and -ENODATA as the flags say, -E2BIG, -ENOSPC
 * with nothing changed.
 */
int vexfs_xattr_set(struct vexfs_trans *t, struct vexfs_node *n,
		    const struct vexfs_xattr_name *name, const void *value,
		    size_t size, unsigned int flags);
/* One value or one block; more in one transaction as credits allow. */
#define VEXFS_XATTR_FREE_CREDITS	(17 + 2 * VEXFS_XATTR_RUNS + 4)
/*
 * Frees all that the attributes of a dying inode take; when *more, the caller
 * restarts the transaction and calls again.
 */
int vexfs_xattr_free(struct vexfs_trans *t, struct vexfs_node *n, bool *more);

#endif /* _LIBVEXFS_H */

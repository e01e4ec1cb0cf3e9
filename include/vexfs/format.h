/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * The on-disk format of VexFS. Nothing but the format is in here, so that any
 * tool may take the file. Everything is little-endian and naturally aligned.
 *
 * Two units of space are used throughout:
 *  - a *block* is 4096 bytes: metadata, extent maps and buffers use blocks;
 *  - a *cluster* is what the allocator hands out, mkfs.vexfs -b (4096 to
 *    65536 bytes); bitmaps and the group geometry count clusters. What a user
 *    knows as the "block size" of the volume is the cluster size.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#ifndef _VEXFS_FORMAT_H
#define _VEXFS_FORMAT_H

#include <linux/types.h>

#define VEXFS_SUPER_MAGIC	0x56455846	/* statfs f_type, "FXEV" */
#define VEXFS_MAGIC_BYTES	"VexFSv1"	/* 8 bytes with the NUL */
#define VEXFS_REVISION		1

#define VEXFS_SUPER_OFFSET	1024
#define VEXFS_SUPER_SIZE	1024

#define VEXFS_BLOCK_SHIFT	12
#define VEXFS_BLOCK_SIZE	(1u << VEXFS_BLOCK_SHIFT)
#define VEXFS_MIN_CLUSTER	4096u
#define VEXFS_MAX_CLUSTER	65536u
#define VEXFS_GROUP_BYTES	(128u << 20)

#define VEXFS_INODE_SIZE	256u
#define VEXFS_INODES_PER_BLOCK	(VEXFS_BLOCK_SIZE / VEXFS_INODE_SIZE)
#define VEXFS_DESC_SIZE		32u
#define VEXFS_DESC_PER_BLOCK	(VEXFS_BLOCK_SIZE / VEXFS_DESC_SIZE)
#define VEXFS_MIN_IPG		256u
#define VEXFS_MAX_IPG		65536u

#define VEXFS_LABEL_LEN		64	/* with the NUL when shorter */
#define VEXFS_NAME_LEN		255
#define VEXFS_LINK_MAX		65000
#define VEXFS_MAX_LBLK		0xffffffffu	/* files to 16 TiB - 4 KiB */

/* Inode numbers start at 1: ino = group * inodes_per_group + index + 1. */
#define VEXFS_ROOT_INO		2
#define VEXFS_USRQUOTA_INO	3
#define VEXFS_GRPQUOTA_INO	4
#define VEXFS_PRJQUOTA_INO	5
#define VEXFS_FIRST_INO		11

/* Unknown bits: COMPAT ignored, RO_COMPAT mounts read-only, INCOMPAT never. */
#define VEXFS_COMPAT_VECTOR_AREA	0x0001	/* mkfs -V */
#define VEXFS_COMPAT_KNOWN		VEXFS_COMPAT_VECTOR_AREA
#define VEXFS_RO_COMPAT_QUOTA		0x0001	/* any quota file */
#define VEXFS_RO_COMPAT_PROJECT		0x0002	/* that of projects */
#define VEXFS_RO_COMPAT_KNOWN \
	(VEXFS_RO_COMPAT_QUOTA | VEXFS_RO_COMPAT_PROJECT)
#define VEXFS_INCOMPAT_COLLECTIONS	0x0001	/* set by the first collection */
#define VEXFS_INCOMPAT_KNOWN		VEXFS_INCOMPAT_COLLECTIONS

/* s_state */
#define VEXFS_STATE_CLEAN	0x0001	/* unmounted; journal empty */
#define VEXFS_STATE_ERROR	0x0002	/* errors seen; wants fsck */

/* s_errors */
enum vexfs_errors_policy {
	VEXFS_ERRORS_CONTINUE	= 1,
	VEXFS_ERRORS_RO		= 2,
	VEXFS_ERRORS_PANIC	= 3,
};

struct vexfs_error_info {
	__le64	ei_time;	/* seconds */
	__le64	ei_ino;
	__le64	ei_block;
	__le32	ei_line;
	__le32	ei_errno;
	__u8	ei_func[32];
};

/*
 * At byte 1024 of the device. The first part is written by mkfs and changed
 * by administration only; what follows s_state changes while mounted, through
 * the journal.
 */
struct vexfs_super_block {
	__u8	s_magic[8];
	__le32	s_checksum;		/* crc32c(~0, 1024 bytes, this 0) */
	__le32	s_revision;
	__le32	s_feature_compat;
	__le32	s_feature_ro_compat;
	__le32	s_feature_incompat;
	__le32	s_csum_seed;		/* start of every metadata checksum */
	__u8	s_uuid[16];
	__u8	s_label[VEXFS_LABEL_LEN];
	__u8	s_hash_seed[16];	/* key of the directory hash */

	__le64	s_clusters_count;	/* "Total blocks" of mkfs */
	__le32	s_cluster_size;
	__le32	s_groups_count;
	__le32	s_clusters_per_group;
	__le32	s_inodes_per_group;
	__le32	s_inode_size;
	__le32	s_desc_size;
	/*
	 * The journal and the vector area are ranges of the *data space*: the
	 * clusters of the volume that hold no group metadata, numbered from 0.
	 */
	__le64	s_journal_start;
	__le64	s_journal_clusters;
	__le64	s_vector_start;
	__le64	s_vector_clusters;
	__le64	s_reserved_clusters;	/* only for CAP_SYS_RESOURCE */
	__le32	s_vector_dims;		/* mkfs -D: default dimension, or 0 */
	__le32	s_backup_nr;		/* 0: primary; n: n-th backup */
	__le64	s_mkfs_time;		/* seconds */
	__le64	s_quota_ino[3];		/* user, group, project; 0: none */

	__le32	s_state;
	__le32	s_errors;
	__le64	s_orphan_head;		/* inode number, 0: none */
	__le64	s_mount_time;
	__le64	s_write_time;
	__le64	s_check_time;
	__le32	s_mount_count;
	__le32	s_error_count;
	struct vexfs_error_info s_first_error;
	struct vexfs_error_info s_last_error;
	__le64	s_kbytes_written;
	__u8	s_last_mounted[64];
	__u8	s_reserved[536];	/* zero */
};

/*
 * Group descriptors follow block 0 in order, from the next cluster on. Where
 * a group's bitmaps and inode table lie follows from the geometry: cluster
 * bitmap, inode bitmap (one cluster each), inode table, at the start of the
 * group (in group 0 behind the superblock and the descriptors).
 *
 * An inode bitmap that needs more than one cluster (65536 inodes, 4 KiB
 * clusters) continues in the last block of the group's inode table. The
 * backup superblock and descriptors are in the tail of inode tables as well;
 * the inodes of those blocks are marked used and never handed out.
 */
struct vexfs_group_desc {
	__le32	bg_free_clusters;
	__le32	bg_free_inodes;
	__le32	bg_used_dirs;
	__le32	bg_itable_unused;	/* inodes at the end never used yet */
	__le32	bg_cluster_bitmap_csum;
	__le32	bg_inode_bitmap_csum;
	__le16	bg_flags;
	__le16	bg_reserved;
	__le32	bg_checksum;		/* seed, group number, the rest */
};

#define VEXFS_BG_CLUSTER_UNINIT	0x0001	/* bitmap not written, as by layout */
#define VEXFS_BG_INODE_UNINIT	0x0002	/* bitmap not written, all free */

/* Starts every metadata block that has room for it. */
struct vexfs_block_header {
	__le32	bh_magic;
	__le32	bh_checksum;		/* seed, the block with this 0 */
	__le64	bh_blocknr;		/* in blocks */
	__le64	bh_owner;		/* inode number */
	__le32	bh_generation;		/* of that inode */
	__le32	bh_reserved;
};

#define VEXFS_MAGIC_EXTENT	0x54584556	/* "VEXT" extent tree node */
#define VEXFS_MAGIC_DIR		0x52494456	/* "VDIR" directory tree node */
#define VEXFS_MAGIC_SYMLINK	0x4b4c5356	/* "VSLK" long symlink target */
#define VEXFS_MAGIC_XATTR	0x54415856	/* "VXAT" xattr entries */
#define VEXFS_MAGIC_XVALUE	0x4c565856	/* "VXVL" large xattr value */
#define VEXFS_MAGIC_COLL	0x4c4f4356	/* "VCOL" collection header */

/*
 * Extents. A leaf record maps ee_len blocks; an index record says which node
 * holds the records from ei_lblk on (the first one of a node: also those
 * before; it is 0 in the root). Records are sorted and don't overlap.
 * A cluster of a file is always mapped whole: blocks of it that were never
 * written (or lie behind the end of the file) are unwritten. So physical and
 * logical block numbers agree modulo the blocks in a cluster.
 */
struct vexfs_extent {
	__le32	ee_lblk;
	__le32	ee_len;		/* top bit: unwritten, reads as zeroes */
	__le64	ee_pblk;
};

#define VEXFS_EXT_UNWRITTEN	0x80000000u
#define VEXFS_EXT_LEN_MASK	0x7fffffffu

struct vexfs_extent_index {
	__le32	ei_lblk;
	__le32	ei_reserved;
	__le64	ei_pblk;
};

#define VEXFS_ROOT_EXTENTS	4
#define VEXFS_EXT_MAX_DEPTH	6

struct vexfs_extent_root {
	__le16	er_depth;	/* 0: the records are extents */
	__le16	er_count;
	__le32	er_reserved;
	struct vexfs_extent er_rec[VEXFS_ROOT_EXTENTS];
};

struct vexfs_extent_node {
	struct vexfs_block_header en_hdr;
	__le16	en_depth;	/* 0: leaf */
	__le16	en_count;
	__le32	en_reserved;
	struct vexfs_extent en_rec[253];
	__u8	en_pad[8];
};

#define VEXFS_NODE_EXTENTS	253

/* i_flags: the FS_*_FL bits of linux/fs.h that are kept, then our own. */
#define VEXFS_SYNC_FL		0x00000008
#define VEXFS_IMMUTABLE_FL	0x00000010
#define VEXFS_APPEND_FL		0x00000020
#define VEXFS_NODUMP_FL		0x00000040
#define VEXFS_NOATIME_FL	0x00000080
#define VEXFS_DIRSYNC_FL	0x00010000
#define VEXFS_PROJINHERIT_FL	0x20000000
#define VEXFS_COLLECTION_FL	0x40000000	/* a collection of vectors */
#define VEXFS_FORK_FL		0x80000000	/* internal, owned by i_parent */

#define VEXFS_INODE_MAGIC	0x4956		/* "VI" */
#define VEXFS_INLINE_XATTR	48
#define VEXFS_FAST_SYMLINK	72

/*
 * Times are signed nanoseconds since 1970 (1677 to 2262). Directories and
 * internal inodes have i_parent set. The link count of a directory is
 * 2 + its subdirectories, or 1 when that passes VEXFS_LINK_MAX.
 */
struct vexfs_inode {
	__le16	i_magic;
	__le16	i_mode;
	__le32	i_checksum;		/* seed, the inode with this 0 */
	__le64	i_ino;
	__le32	i_generation;
	__le32	i_nlink;
	__le32	i_uid;
	__le32	i_gid;
	__le32	i_projid;
	__le32	i_flags;
	__le64	i_size;
	__le64	i_blocks;		/* in blocks, with metadata */
	__le64	i_atime;
	__le64	i_mtime;
	__le64	i_ctime;
	__le64	i_crtime;
	__le64	i_version;
	__le64	i_orphan_next;		/* next of the orphan list, 0: end */
	__le64	i_parent;
	__le64	i_xattr;		/* block of external xattrs, or 0 */
	union {
		__le64	i_coll;		/* block of the collection header */
		__le64	i_rdev;		/* new_encode_dev() of a device */
	};
	__le16	i_xattr_len;		/* bytes used of i_xattr_inline */
	__le16	i_reserved16;
	__le32	i_reserved32;
	union {
		struct vexfs_extent_root i_root;
		__u8	i_symlink[VEXFS_FAST_SYMLINK];	/* i_size bytes */
	};
	__u8	i_xattr_inline[VEXFS_INLINE_XATTR];
};

/*
 * Directories are B+trees over the directory's own logical blocks, the root
 * in block 0. The key of an entry is 56 bits of the SipHash-2-4 of its name
 * under s_hash_seed, shifted left by 7, plus a number that tells names with
 * the same hash apart: unique, never changed while the entry lives, and so
 * the readdir cookie. "." and ".." are not stored.
 */
#define VEXFS_DIR_DISC_BITS	7
#define VEXFS_DIR_DISC_MASK	((1u << VEXFS_DIR_DISC_BITS) - 1)
#define VEXFS_DIR_MAX_DEPTH	5

struct vexfs_dir_block {
	struct vexfs_block_header db_hdr;
	__le16	db_level;		/* 0: leaf of entries */
	__le16	db_count;		/* entries or index records */
	__le16	db_used;		/* bytes used behind this header */
	__le16	db_flags;		/* VEXFS_DIR_FREE */
	__le32	db_free;		/* root: first free block; free: next */
	__le32	db_reserved;
	__u8	db_data[4048];
};

#define VEXFS_DIR_FREE		0x0001	/* block on the free list */
#define VEXFS_DIR_SPACE		4048

/* Packed in key order, each a multiple of 4 bytes long. */
struct vexfs_dir_entry {
	__le32	de_key_lo;
	__le32	de_key_hi;
	__le32	de_ino_lo;
	__le32	de_ino_hi;
	__u8	de_name_len;
	__u8	de_type;		/* FT_* of linux/fs_types.h */
	__u8	de_name[];
};

#define VEXFS_DIR_ENTRY_HEAD	18
#define VEXFS_DIR_ENTRY_LEN(n)	((VEXFS_DIR_ENTRY_HEAD + (n) + 3u) & ~3u)

/*
 * The subtree at di_lblk holds the keys from di_key to the next record's; in
 * the first record of a block, also what is less than di_key.
 */
struct vexfs_dir_index {
	__le64	di_key;			/* 0 in the first record of the root */
	__le32	di_lblk;
	__le32	di_reserved;
};

#define VEXFS_DIR_INDEXES	(VEXFS_DIR_SPACE / 16)

/* A symlink longer than VEXFS_FAST_SYMLINK: logical blocks 0 and 1. */
struct vexfs_symlink_block {
	struct vexfs_block_header sl_hdr;
	__u8	sl_target[4064];
};

#define VEXFS_SYMLINK_SPACE	4064

/*
 * Extended attributes: inline entries (i_xattr_len bytes of i_xattr_inline)
 * and a chain of xattr blocks from i_xattr (at most VEXFS_XATTR_BLOCKS).
 * Entries are packed, each a multiple of 4 bytes long, padded with zeroes. A
 * value that is too long for its block is remote: xe_data is then the name
 * and 1 to VEXFS_XATTR_RUNS of vexfs_xattr_remote, each a run of contiguous
 * blocks from the start of a cluster, each block a vexfs_xvalue_block; only
 * the last one of the value may hold less than fits.
 */
enum vexfs_xattr_index {
	VEXFS_XATTR_USER	= 1,
	VEXFS_XATTR_ACL_ACCESS	= 2,	/* no name: as in posix_acl_xattr.h */
	VEXFS_XATTR_ACL_DEFAULT	= 3,
	VEXFS_XATTR_TRUSTED	= 4,
	VEXFS_XATTR_SECURITY	= 6,
};

struct vexfs_xattr_entry {
	__u8	xe_index;		/* namespace */
	__u8	xe_name_len;
	__le16	xe_flags;		/* VEXFS_XATTR_REMOTE */
	__le32	xe_value_len;
	__u8	xe_data[];		/* name, then value or remote pointer */
};

#define VEXFS_XATTR_REMOTE	0x0001
#define VEXFS_XATTR_MAX_VALUE	65536
#define VEXFS_XATTR_BLOCKS	13	/* all names fit what a list may be */
#define VEXFS_XATTR_RUNS	4
#define VEXFS_XATTR_SPACE	4048
#define VEXFS_XVALUE_SPACE	4064

struct vexfs_xattr_remote {
	__le64	xr_block;
	__le32	xr_blocks;
	__le32	xr_checksum;		/* seed, the value's bytes in the run */
};

struct vexfs_xattr_block {
	struct vexfs_block_header xb_hdr;
	__le64	xb_next;
	__le32	xb_used;
	__le32	xb_refcount;		/* 1 */
	__u8	xb_data[4048];
};

struct vexfs_xvalue_block {
	struct vexfs_block_header xv_hdr;
	__u8	xv_data[4064];
};

/*
 * Collections. The rows are the data of the collection's inode: slot s is the
 * ch_stride bytes at s * ch_stride. Everything else is in internal inodes
 * ("forks", VEXFS_FORK_FL, i_parent = the collection):
 *
 *  - the log fork: records of inserts and deletes, appended, in ch_log_start
 *    .. ch_log_end. What follows ch_log_end was never committed;
 *  - the index fork: chunks of the last checkpoint (slot ids, graph, codes).
 *
 * The header block is the commit point. It is changed in one transaction
 * after the rows and log bytes it covers are on stable storage, so a batch is
 * there whole or not at all.
 */
enum vexfs_elem_type {
	VEXFS_ELEM_F32	= 1,
	VEXFS_ELEM_F16	= 2,
	VEXFS_ELEM_BF16	= 3,
	VEXFS_ELEM_I8	= 4,
	VEXFS_ELEM_U8	= 5,
	VEXFS_ELEM_B1	= 6,
};

enum vexfs_metric_type {
	VEXFS_METRIC_L2		= 1,
	VEXFS_METRIC_IP		= 2,
	VEXFS_METRIC_COSINE	= 3,
	VEXFS_METRIC_L1		= 4,
	VEXFS_METRIC_HAMMING	= 5,
};

enum vexfs_index_type {
	VEXFS_INDEX_FLAT	= 1,
	VEXFS_INDEX_HNSW	= 2,
	VEXFS_INDEX_LSH		= 3,
};

enum vexfs_column_type {
	VEXFS_COLUMN_I64	= 1,
	VEXFS_COLUMN_U64	= 2,
	VEXFS_COLUMN_F64	= 3,
};

#define VEXFS_MAX_DIMS		16384u
#define VEXFS_MAX_COLUMNS	8
#define VEXFS_ROW_ALIGN		32u
#define VEXFS_MAX_SLOTS		0xfffffff0u

enum vexfs_fork {
	VEXFS_FORK_LOG		= 0,
	VEXFS_FORK_INDEX	= 1,
	VEXFS_FORK_ATTRS	= 2,
	VEXFS_FORKS		= 8,
};

struct vexfs_coll_column {
	__u8	cc_name[31];
	__u8	cc_type;
};

struct vexfs_coll_header {
	struct vexfs_block_header ch_hdr;
	__le32	ch_version;		/* 1 */
	__le32	ch_dims;
	__le32	ch_stride;		/* bytes, multiple of VEXFS_ROW_ALIGN */
	__u8	ch_elem;
	__u8	ch_metric;
	__u8	ch_index;
	__u8	ch_ncolumns;
	__le32	ch_m;
	__le32	ch_ef_construction;
	__le32	ch_ef;
	__le32	ch_lsh_tables;
	__le32	ch_lsh_bits;
	__le32	ch_flags;
	__le64	ch_seed;
	__le64	ch_create_time;		/* seconds */
	struct vexfs_coll_column ch_column[VEXFS_MAX_COLUMNS];
	__le64	ch_fork_ino[VEXFS_FORKS];

	__le64	ch_seq;			/* commits so far */
	__le64	ch_slots;		/* slots that exist, free ones too */
	__le64	ch_live;		/* vectors */
	__le64	ch_next_id;		/* next assigned id */
	__le64	ch_log_start;		/* first record the checkpoint lacks */
	__le64	ch_log_end;
	__le64	ch_log_seq;		/* lr_seq of the next record */
	__le64	ch_ckpt_off;		/* in the index fork, bytes */
	__le32	ch_ckpt_len;		/* 0: no checkpoint */
	__le32	ch_ckpt_csum;
	__le64	ch_ckpt_log_seq;	/* records before this one are in it */
	__le32	ch_lsh_recall;		/* LSH: wanted, in ten thousandths */
	__u8	ch_reserved[3604];	/* zero */
};

/* A record of the log fork; lr_len bytes in all, a multiple of 8. */
struct vexfs_log_record {
	__le32	lr_magic;
	__le32	lr_checksum;		/* seed, the record with this 0 */
	__le64	lr_owner;		/* inode number of the collection */
	__le64	lr_seq;
	__le32	lr_len;
	__le16	lr_type;
	__le16	lr_ncolumns;
	__le32	lr_count;		/* vectors */
	__le32	lr_nruns;		/* INSERT: slot runs */
	__le64	lr_next_id;
	__le64	lr_reserved;
	/*
	 * INSERT: struct vexfs_slot_run[nruns], __le64 ids[count], and for
	 * each column __le64 values[count]. An id that exists is replaced.
	 * DELETE: __le64 ids[count]; an unknown id is an error.
	 */
};

#define VEXFS_MAGIC_LOG		0x474f4c56	/* "VLOG" */

enum vexfs_log_type {
	VEXFS_LOG_INSERT	= 1,
	VEXFS_LOG_DELETE	= 2,
};

struct vexfs_slot_run {
	__le32	sr_slot;
	__le32	sr_len;
};

/*
 * A checkpoint: this directory at ch_ckpt_off, then cd_nchunks records
 * saying where each chunk of each section lies. Chunks that didn't change
 * since the checkpoint before are shared with it.
 */
#define VEXFS_CHUNK_SIZE	(256u << 10)

enum vexfs_ckpt_section_type {
	VEXFS_SECT_IDS		= 1,	/* __le64 a slot */
	VEXFS_SECT_SLOT_FLAGS	= 2,	/* __u8 a slot, VEXFS_SLOT_* */
	VEXFS_SECT_GRAPH0	= 3,	/* layer-0 records */
	VEXFS_SECT_UPPER	= 4,	/* upper layers */
	VEXFS_SECT_CODES	= 5,	/* quantised rows */
	VEXFS_SECT_COLUMN0	= 8,	/* __le64 a slot; 8 .. 15 */
	VEXFS_SECT_LSH		= 16,	/* sketches, ch_lsh_tables words */
	VEXFS_SECT_LSH_PARAMS	= 17,	/* how they are made */
};

#define VEXFS_SLOT_LIVE		0x01
#define VEXFS_SLOT_INDEXED	0x02
#define VEXFS_SLOT_SCRUB	0x04	/* deleted, bytes not yet zeroed */

struct vexfs_ckpt_section {
	__le32	cs_type;
	__le32	cs_version;		/* of the section's own layout */
	__le64	cs_bytes;
	__le32	cs_item_size;
	__le32	cs_first_chunk;		/* index into the chunk records */
	__le32	cs_nchunks;
	__le32	cs_reserved;
};

struct vexfs_ckpt_chunk {
	__le32	ck_pos;			/* in the index fork, in chunks */
	__le32	ck_csum;		/* of the bytes that are used */
};

#define VEXFS_CKPT_SECTIONS	24

struct vexfs_ckpt_dir {
	__le32	cd_magic;
	__le32	cd_version;
	__le64	cd_owner;
	__le64	cd_log_seq;
	__le64	cd_slots;
	__le32	cd_entry;		/* graph entry point, ~0: none */
	__le32	cd_max_level;
	__le32	cd_nsections;
	__le32	cd_nchunks;
	__le64	cd_reserved[2];
	struct vexfs_ckpt_section cd_section[VEXFS_CKPT_SECTIONS];
};

#define VEXFS_MAGIC_CKPT	0x504b4356	/* "VCKP" */

#endif /* _VEXFS_FORMAT_H */

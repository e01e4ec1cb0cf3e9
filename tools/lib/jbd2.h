/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The journal in userspace: reading jbd2's log, replaying it into a device,
 * and marking it empty. All of it is big-endian.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#ifndef _VEXFS_JBD2_H
#define _VEXFS_JBD2_H

#include "vexfs_dev.h"

#define VJ_MAGIC		0xc03b3998u

enum vj_block_type {
	VJ_DESCRIPTOR	= 1,
	VJ_COMMIT	= 2,
	VJ_SUPER_V1	= 3,
	VJ_SUPER_V2	= 4,
	VJ_REVOKE	= 5,
};

#define VJ_INCOMPAT_REVOKE	0x01
#define VJ_INCOMPAT_64BIT	0x02
#define VJ_INCOMPAT_CSUM_V3	0x10
#define VJ_INCOMPAT_KNOWN \
	(VJ_INCOMPAT_REVOKE | VJ_INCOMPAT_64BIT | VJ_INCOMPAT_CSUM_V3)
#define VJ_CSUM_CRC32C		4

#define VJ_TAG_ESCAPE		1
#define VJ_TAG_SAME_UUID	2
#define VJ_TAG_LAST		8

struct vj_header {
	__be32	h_magic;
	__be32	h_blocktype;
	__be32	h_sequence;
};

struct vj_super {
	struct vj_header s_header;
	__be32	s_blocksize;
	__be32	s_maxlen;
	__be32	s_first;
	__be32	s_sequence;
	__be32	s_start;		/* 0: nothing to replay */
	__be32	s_errno;
	__be32	s_feature_compat;
	__be32	s_feature_incompat;
	__be32	s_feature_ro_compat;
	__u8	s_uuid[16];
	__be32	s_nr_users;
	__be32	s_dynsuper;
	__be32	s_max_transaction;
	__be32	s_max_trans_data;
	__u8	s_checksum_type;
	__u8	s_padding2[3];
	__be32	s_num_fc_blocks;
	__be32	s_head;
	__u8	s_padding[160];
	__be32	s_checksum;		/* crc32c(~0, 1024 bytes, this 0) */
	__u8	s_users[768];
};

static_assert(sizeof(struct vj_super) == 1024, "jbd2 superblock");

struct vj_commit {
	struct vj_header c_header;
	__u8	c_chksum_type;
	__u8	c_chksum_size;
	__u8	c_padding[2];
	__be32	c_chksum[8];
	__be64	c_commit_sec;
	__be32	c_commit_nsec;
};

/* Of a descriptor block, under CSUM_V3; may be followed by a UUID. */
struct vj_tag {
	__be32	t_blocknr;
	__be32	t_flags;
	__be32	t_blocknr_high;
	__be32	t_checksum;
};

struct vj_revoke {
	struct vj_header r_header;
	__be32	r_count;		/* bytes used */
};

struct vj_journal {
	struct vexfs_dev *dev;
	const struct vexfs_geom *geom;
	u32	maxlen;
	u32	first;
	u32	sequence;
	u32	start;
	s32	error;			/* s_errno: of a mount that aborted */
	u32	incompat;
	bool	csum;
	u32	seed;
};

struct vj_replay {
	u32	transactions;
	u32	blocks;			/* written */
	u32	revoked;
	u32	revokes;
	u32	damaged;		/* blocks with a wrong checksum */
	u64	damaged_block;		/* the first of them */
	u32	next_sequence;
	const char *torn;		/* why the log ended early, or NULL */
};

/* What a walk through the log meets; *bno of a block's home. */
struct vj_visitor {
	void (*descriptor)(void *arg, u32 pos, u32 seq, u32 tags);
	void (*block)(void *arg, u32 pos, u32 seq, u64 bno, bool good);
	void (*revoke)(void *arg, u32 pos, u32 seq, u64 bno);
	void (*commit)(void *arg, u32 pos, u32 seq, u64 seconds);
};

/* -EINVAL with *why when there is no usable superblock. */
int vj_open(struct vj_journal *j, struct vexfs_dev *dev,
	    const struct vexfs_geom *geom, const char **why);
bool vj_empty(const struct vj_journal *j);
/* Writes what committed transactions hold to its home; through the device. */
int vj_replay(struct vj_journal *j, struct vj_replay *r);
/* The log as it is, up to where a replay would end. */
int vj_walk(struct vj_journal *j, const struct vj_visitor *v, void *arg,
	    struct vj_replay *r);
/*
 * An empty log that goes on with @sequence. A superblock that can't be used
 * is made anew, for a volume with @uuid.
 */
int vj_reset(struct vj_journal *j, u32 sequence);
int vj_make(struct vexfs_dev *dev, const struct vexfs_geom *geom,
	    const u8 *uuid);

#endif /* _VEXFS_JBD2_H */

/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Quota files as the kernel's quota code reads and writes them, format vfsv1:
 * blocks of 1 KiB; a header, a tree of four levels over the 32 bits of an id,
 * and blocks of entries. They are read and made as a whole.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#ifndef _VEXFS_QFILE_H
#define _VEXFS_QFILE_H

#include "vexfs_dev.h"

#define VQ_TYPES		3	/* user, group, project */
#define VQ_BLOCK_SIZE		1024u
#define VQ_VERSION		1
#define VQ_ROOT			1	/* block of the tree's root */
#define VQ_DEPTH		4
#define VQ_REFS			256u
#define VQ_GRACE		(7 * 24 * 60 * 60)

/* Block 0 */
struct vq_header {
	__le32	magic;			/* of the type */
	__le32	version;
	__le32	bgrace;			/* seconds */
	__le32	igrace;
	__le32	flags;
	__le32	blocks;			/* of the file */
	__le32	free_blk;		/* list of free blocks, 0: none */
	__le32	free_entry;		/* list of blocks that have room */
};

/* A block of entries begins with it; so does a free one. */
struct vq_block {
	__le32	next;
	__le32	prev;
	__le16	entries;
	__le16	pad1;
	__le32	pad2;
};

/* All zeroes: not in use. */
struct vq_entry {
	__le32	id;
	__le32	pad;
	__le64	ihard;
	__le64	isoft;
	__le64	inodes;
	__le64	bhard;			/* in KiB */
	__le64	bsoft;
	__le64	space;			/* in bytes */
	__le64	btime;			/* when the grace time ends */
	__le64	itime;
};

#define VQ_ENTRIES \
	((VQ_BLOCK_SIZE - (u32)sizeof(struct vq_block)) / \
	 (u32)sizeof(struct vq_entry))

/* Entries by id, in no order until vq_sort(). */
struct vq_table {
	struct vq_entry *entry;
	u32	count, room;
	u32	*hash;			/* index + 1, or 0; 2 * room slots */
	u32	bgrace, igrace, flags;
};

void vq_init(struct vq_table *table);
void vq_free(struct vq_table *table);
/* NULL when there is none. */
struct vq_entry *vq_find(struct vq_table *table, u32 id);
/* The entry of @id, a new one if need be; valid until the next call. */
struct vq_entry *vq_get(struct vq_table *table, u32 id);
void vq_sort(struct vq_table *table);

/* A file with what is in @table; *size bytes, to be freed. */
u8 *vq_make(struct vq_table *table, int type, u64 *size);
/*
 * Adds what is in the file to @table, as much as can be read; NULL, or the
 * first thing that is wrong with it.
 */
const char *vq_parse(struct vq_table *table, int type, const u8 *data,
		     u64 size);

/* The contents of an inode; holes are zeroes. */
int vq_load(struct vexfs_node *n, u8 *data, u64 size);
/* Credits for each 4 KiB of the file. */
#define VQ_STORE_CREDITS	(3 * VEXFS_EXT_CREDITS + 1)
/* Writes them, allocating what is not there. The caller stores the inode. */
int vq_store(struct vexfs_trans *t, struct vexfs_node *n, const u8 *data,
	     u64 size);

#endif /* _VEXFS_QFILE_H */

/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the parts of vexdump share: the volume, and output that is text or
 * JSON as asked.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#ifndef _VEXFS_DUMP_H
#define _VEXFS_DUMP_H

#include "dir.h"
#include "extent.h"
#include "jbd2.h"
#include "libvexfs.h"

/* Fails with a message on one line. */
void dump_fail(const char *fmt, ...)
	__attribute__((__noreturn__, __format__(printf, 1, 2)));

/* out.c: objects, lists of objects, and values with names */
void out_init(bool json);
void out_end(void);
void out_object(const char *name);	/* NULL: an item of a list */
void out_list(const char *name);
void out_close(void);
void out_num(const char *name, u64 value);
void out_signed(const char *name, s64 value);
void out_hex(const char *name, u64 value);
void out_bool(const char *name, bool value);
void out_text(const char *name, const char *value);
/* Bytes that need not be text, up to a NUL or @len. */
void out_bytes(const char *name, const u8 *data, size_t len);
void out_uuid(const char *name, const u8 *uuid);
void out_time(const char *name, u64 seconds);
/* Names of the bits that are set. */
struct out_flag {
	u32	bit;
	const char *name;
};

void out_flags(const char *name, u32 value, const struct out_flag *flag,
	       u32 n);
/* "good", or why not */
void out_check(const char *why);

/* volume.c */
void dump_open(struct vexfs_fs *fs, const char *path, bool replay);
void dump_read(struct vexfs_fs *fs, u64 bno, void *data);
/* An inode by number or by path. */
u64 dump_find(struct vexfs_fs *fs, const char *what);
void dump_inode_get(struct vexfs_fs *fs, u64 ino, struct vexfs_inode *di);
void dump_node_get(struct vexfs_fs *fs, u64 ino, struct vexfs_node *n,
		   struct vexfs_inode *di);
bool dump_has_map(const struct vexfs_inode *di);

/* What can be dumped. */
void dump_super(struct vexfs_fs *fs);
void dump_group(struct vexfs_fs *fs, u32 group);
void dump_inode(struct vexfs_fs *fs, u64 ino);
void dump_extents(struct vexfs_fs *fs, u64 ino);
void dump_xattrs(struct vexfs_fs *fs, u64 ino);
void dump_dir(struct vexfs_fs *fs, u64 ino);
void dump_journal(struct vexfs_fs *fs);
void dump_coll(struct vexfs_fs *fs, u64 ino);
void dump_block(struct vexfs_fs *fs, u64 bno);
/* @what: usr, grp or prj */
void dump_quota(struct vexfs_fs *fs, const char *what);

/* Contents of single blocks, for dump_block() and the above. */
void show_super(const struct vexfs_super_block *sb);
void show_inode(struct vexfs_fs *fs, const struct vexfs_inode *di);
void show_extents(const struct vexfs_extent *rec, int count, bool index);
void show_dir_block(const struct vexfs_dir_block *db);
void show_coll_header(const struct vexfs_coll_header *ch);
void show_xattrs(const u8 *data, u32 used);

#endif /* _VEXFS_DUMP_H */

/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Tracepoints at changes of state.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM vexfs

#if !defined(_VEXFS_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define _VEXFS_TRACE_H

#include <linux/fs.h>
#include <linux/kdev_t.h>
#include <linux/tracepoint.h>

DECLARE_EVENT_CLASS(vexfs_range,
	TP_PROTO(struct inode *inode, u64 lblk, u64 pblk, u64 len),
	TP_ARGS(inode, lblk, pblk, len),
	TP_STRUCT__entry(
		__field(dev_t, dev)
		__field(u64, ino)
		__field(u64, lblk)
		__field(u64, pblk)
		__field(u64, len)
	),
	TP_fast_assign(
		__entry->dev = inode->i_sb->s_dev;
		__entry->ino = inode->i_ino;
		__entry->lblk = lblk;
		__entry->pblk = pblk;
		__entry->len = len;
	),
	TP_printk("dev %d,%d ino %llu lblk %llu pblk %llu len %llu",
		  MAJOR(__entry->dev), MINOR(__entry->dev), __entry->ino,
		  __entry->lblk, __entry->pblk, __entry->len)
);

/* blocks were mapped unwritten */
DEFINE_EVENT(vexfs_range, vexfs_allocate,
	TP_PROTO(struct inode *inode, u64 lblk, u64 pblk, u64 len),
	TP_ARGS(inode, lblk, pblk, len));
/* blocks became written; pblk is 0 */
DEFINE_EVENT(vexfs_range, vexfs_convert,
	TP_PROTO(struct inode *inode, u64 lblk, u64 pblk, u64 len),
	TP_ARGS(inode, lblk, pblk, len));
/* a range of the mapping is freed; pblk is 0 */
DEFINE_EVENT(vexfs_range, vexfs_free,
	TP_PROTO(struct inode *inode, u64 lblk, u64 pblk, u64 len),
	TP_ARGS(inode, lblk, pblk, len));

DECLARE_EVENT_CLASS(vexfs_inode_class,
	TP_PROTO(struct inode *inode),
	TP_ARGS(inode),
	TP_STRUCT__entry(
		__field(dev_t, dev)
		__field(u64, ino)
		__field(umode_t, mode)
		__field(u32, nlink)
		__field(loff_t, size)
	),
	TP_fast_assign(
		__entry->dev = inode->i_sb->s_dev;
		__entry->ino = inode->i_ino;
		__entry->mode = inode->i_mode;
		__entry->nlink = inode->i_nlink;
		__entry->size = i_size_read(inode);
	),
	TP_printk("dev %d,%d ino %llu mode %o nlink %u size %lld",
		  MAJOR(__entry->dev), MINOR(__entry->dev), __entry->ino,
		  __entry->mode, __entry->nlink, __entry->size)
);

DEFINE_EVENT(vexfs_inode_class, vexfs_new_inode,
	TP_PROTO(struct inode *inode), TP_ARGS(inode));
DEFINE_EVENT(vexfs_inode_class, vexfs_evict,
	TP_PROTO(struct inode *inode), TP_ARGS(inode));
DEFINE_EVENT(vexfs_inode_class, vexfs_orphan,
	TP_PROTO(struct inode *inode), TP_ARGS(inode));

TRACE_EVENT(vexfs_commit,
	TP_PROTO(struct super_block *sb),
	TP_ARGS(sb),
	TP_STRUCT__entry(
		__field(dev_t, dev)
	),
	TP_fast_assign(
		__entry->dev = sb->s_dev;
	),
	TP_printk("dev %d,%d", MAJOR(__entry->dev), MINOR(__entry->dev))
);

TRACE_EVENT(vexfs_resize,
	TP_PROTO(struct super_block *sb, u64 clusters),
	TP_ARGS(sb, clusters),
	TP_STRUCT__entry(
		__field(dev_t, dev)
		__field(u64, clusters)
	),
	TP_fast_assign(
		__entry->dev = sb->s_dev;
		__entry->clusters = clusters;
	),
	TP_printk("dev %d,%d clusters %llu", MAJOR(__entry->dev),
		  MINOR(__entry->dev), __entry->clusters)
);

TRACE_EVENT(vexfs_error,
	TP_PROTO(struct super_block *sb, u64 ino, u64 block, int error),
	TP_ARGS(sb, ino, block, error),
	TP_STRUCT__entry(
		__field(dev_t, dev)
		__field(u64, ino)
		__field(u64, block)
		__field(int, error)
	),
	TP_fast_assign(
		__entry->dev = sb->s_dev;
		__entry->ino = ino;
		__entry->block = block;
		__entry->error = error;
	),
	TP_printk("dev %d,%d ino %llu block %llu error %d",
		  MAJOR(__entry->dev), MINOR(__entry->dev), __entry->ino,
		  __entry->block, __entry->error)
);

#endif /* _VEXFS_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>

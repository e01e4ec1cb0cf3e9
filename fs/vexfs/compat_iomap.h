/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The part of compat.h that file I/O and the namespace need. Included by
 * compat.h only.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#ifndef _VEXFS_COMPAT_IOMAP_H
#define _VEXFS_COMPAT_IOMAP_H

#include <linux/fs.h>
#include <linux/highmem.h>
#include <linux/iomap.h>
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/version.h>

/*
 * 6.17: what iomap asks about folios that are written to is passed with the
 * calls that do so; before, each mapping points to it, and before 6.3 it had
 * another name. VexFS uses iomap_valid() of it, which has one type in all.
 */
#ifdef VEXFS_HAVE_IOMAP_WRITE_OPS
static inline void vexfs_iomap_set_ops(struct iomap *iomap,
				       const struct iomap_write_ops *ops)
{
}
#else
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 3, 0)
#define iomap_write_ops		iomap_page_ops
#define folio_ops		page_ops
#else
#define iomap_write_ops		iomap_folio_ops
#endif

static inline void vexfs_iomap_set_ops(struct iomap *iomap,
				       const struct iomap_write_ops *ops)
{
	iomap->folio_ops = ops;
}

#define iomap_zero_range(inode, pos, len, did_zero, ops, write_ops, private) \
	iomap_zero_range(inode, pos, len, did_zero, ops)
#define iomap_page_mkwrite(vmf, ops, private)	iomap_page_mkwrite(vmf, ops)
#endif

/* 6.3: flags of mappings are changed through functions */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 3, 0)
static inline void vm_flags_clear(struct vm_area_struct *vma,
				  unsigned long flags)
{
	vma->vm_flags &= ~flags;
}
#endif

/* 6.5: splice through the page cache for every kind of folio */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 5, 0)
#define filemap_splice_read	generic_file_splice_read
#endif

/*
 * 6.6: dirty blocks are tracked inside a folio. Before, writeback writes all
 * of a dirty folio, holes in it included, so folios must be one block.
 */
static inline void vexfs_set_large_folios(struct address_space *mapping)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 6, 0)
	mapping_set_large_folios(mapping);
#endif
}

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 6, 0)
#define iomap_dirty_folio	filemap_dirty_folio
#endif

/* 6.8: ->error_remove_page became ->error_remove_folio */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 8, 0)
#define error_remove_folio	error_remove_page
#define generic_error_remove_folio generic_error_remove_page
#endif

/* 6.9: the bio is inside the ioend */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 9, 0)
static inline struct bio *vexfs_ioend_bio(struct iomap_ioend *ioend)
{
	return ioend->io_bio;
}

static inline struct iomap_ioend *vexfs_bio_ioend(struct bio *bio)
{
	return bio->bi_private;
}
#else
static inline struct bio *vexfs_ioend_bio(struct iomap_ioend *ioend)
{
	return &ioend->io_bio;
}

static inline struct iomap_ioend *vexfs_bio_ioend(struct bio *bio)
{
	return iomap_ioend_from_bio(bio);
}
#endif

/* 6.15: flags say what an ioend is for, not the type of its mapping */
static inline bool vexfs_ioend_unwritten(const struct iomap_ioend *ioend)
{
#ifdef IOMAP_IOEND_UNWRITTEN
	return ioend->io_flags & IOMAP_IOEND_UNWRITTEN;
#else
	return ioend->io_type == IOMAP_UNWRITTEN;
#endif
}

/*
 * Writeback asks for the mapping of a range of a folio, then collects what
 * lies together, and tells when that is about to be submitted. 6.17: the
 * filesystem does the steps between by calls of its own. 6.9: it is told the
 * range's length.
 *
 * Defines NAME_writepages(), from MAP(wpc, inode, pos, len) and READY(ioend).
 */
#ifdef VEXFS_HAVE_IOMAP_WRITE_OPS
#define VEXFS_DEFINE_WRITEPAGES(name, map, ready)			\
static ssize_t name##_range(struct iomap_writepage_ctx *wpc,		\
			    struct folio *folio, u64 pos,		\
			    unsigned int len, u64 end)			\
{									\
	int err = map(wpc, wpc->inode, pos, len);			\
									\
	return err ? err : iomap_add_to_ioend(wpc, folio, pos, end, len); \
}									\
									\
static int name##_submit(struct iomap_writepage_ctx *wpc, int error)	\
{									\
	ready(wpc->wb_ctx);						\
	return iomap_ioend_writeback_submit(wpc, error);		\
}									\
									\
static const struct iomap_writeback_ops name##_writeback_ops = {	\
	.writeback_range	= name##_range,				\
	.writeback_submit	= name##_submit,			\
};									\
									\
static int name##_writepages(struct address_space *mapping,		\
			     struct writeback_control *wbc)		\
{									\
	struct iomap_writepage_ctx wpc = {				\
		.inode	= mapping->host,				\
		.wbc	= wbc,						\
		.ops	= &name##_writeback_ops,			\
	};								\
									\
	return iomap_writepages(&wpc);					\
}
#else
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 9, 0)
#define VEXFS_DEFINE_MAP_BLOCKS(name, map)				\
static int name##_wb_map(struct iomap_writepage_ctx *wpc,		\
			     struct inode *inode, loff_t pos)		\
{									\
	return map(wpc, inode, pos, i_blocksize(inode));		\
}
#else
#define VEXFS_DEFINE_MAP_BLOCKS(name, map)				\
static int name##_wb_map(struct iomap_writepage_ctx *wpc,		\
			     struct inode *inode, loff_t pos,		\
			     unsigned int len)				\
{									\
	return map(wpc, inode, pos, len);				\
}
#endif

#define VEXFS_DEFINE_WRITEPAGES(name, map, ready)			\
VEXFS_DEFINE_MAP_BLOCKS(name, map)					\
									\
static int name##_prepare(struct iomap_ioend *ioend, int status)	\
{									\
	ready(ioend);							\
	return status;							\
}									\
									\
static const struct iomap_writeback_ops name##_writeback_ops = {	\
	.map_blocks	= name##_wb_map,				\
	.prepare_ioend	= name##_prepare,				\
};									\
									\
static int name##_writepages(struct address_space *mapping,		\
			     struct writeback_control *wbc)		\
{									\
	struct iomap_writepage_ctx wpc = { };				\
									\
	return iomap_writepages(mapping, wbc, &wpc, &name##_writeback_ops); \
}
#endif

/* 6.19: reading by bios has a name of its own */
#ifndef VEXFS_HAVE_IOMAP_BIO_READ
#define iomap_bio_read_folio(folio, ops)	iomap_read_folio(folio, ops)
#define iomap_bio_readahead(rac, ops)		iomap_readahead(rac, ops)
#endif

/* 6.12: private argument, and the position is advanced by the callee */
static inline ssize_t
vexfs_iomap_buffered_write(struct kiocb *iocb, struct iov_iter *from,
			   const struct iomap_ops *ops,
			   const struct iomap_write_ops *write_ops)
{
#ifdef VEXFS_HAVE_IOMAP_WRITE_OPS
	return iomap_file_buffered_write(iocb, from, ops, write_ops, NULL);
#elif LINUX_VERSION_CODE >= KERNEL_VERSION(6, 12, 0)
	return iomap_file_buffered_write(iocb, from, ops, NULL);
#else
	ssize_t ret = iomap_file_buffered_write(iocb, from, ops);

	if (ret > 0)
		iocb->ki_pos += ret;
	return ret;
#endif
}

/* 6.15: ->mkdir returns a dentry when it is not the one it was given */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 15, 0)
#define VEXFS_DEFINE_MKDIR(fn)						\
static int fn##_op(struct mnt_idmap *idmap, struct inode *dir,		\
		   struct dentry *dentry, umode_t mode)			\
{									\
	return PTR_ERR_OR_ZERO(fn(idmap, dir, dentry, mode));		\
}
#define VEXFS_MKDIR(fn)		fn##_op
#else
#define VEXFS_DEFINE_MKDIR(fn)
#define VEXFS_MKDIR(fn)		fn
#endif

/* 7.0: ->create is only called for files that must not exist: no @excl */
#if LINUX_VERSION_CODE < KERNEL_VERSION(7, 0, 0)
#define VEXFS_DEFINE_CREATE(fn)						\
static int fn##_op(struct mnt_idmap *idmap, struct inode *dir,		\
		   struct dentry *dentry, umode_t mode, bool excl)	\
{									\
	return fn(idmap, dir, dentry, mode);				\
}
#define VEXFS_CREATE(fn)	fn##_op
#else
#define VEXFS_DEFINE_CREATE(fn)
#define VEXFS_CREATE(fn)	fn
#endif

#endif /* _VEXFS_COMPAT_IOMAP_H */

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
 * 6.3: get_folio()/put_folio(), and the member that points to them. VexFS
 * uses iomap_valid() of them only, which has the same type in both.
 */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 3, 0)
#define iomap_folio_ops		iomap_page_ops
#define folio_ops		page_ops
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

/* 6.9: the bio is inside the ioend; ->map_blocks is told the length */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 9, 0)
static inline struct bio *vexfs_ioend_bio(struct iomap_ioend *ioend)
{
	return ioend->io_bio;
}

static inline struct iomap_ioend *vexfs_bio_ioend(struct bio *bio)
{
	return bio->bi_private;
}

#define VEXFS_DEFINE_MAP_BLOCKS(fn)					\
static int fn##_op(struct iomap_writepage_ctx *wpc,			\
		   struct inode *inode, loff_t pos)			\
{									\
	return fn(wpc, inode, pos, i_blocksize(inode));			\
}
#define VEXFS_MAP_BLOCKS(fn)	fn##_op
#else
static inline struct bio *vexfs_ioend_bio(struct iomap_ioend *ioend)
{
	return &ioend->io_bio;
}

static inline struct iomap_ioend *vexfs_bio_ioend(struct bio *bio)
{
	return iomap_ioend_from_bio(bio);
}

#define VEXFS_DEFINE_MAP_BLOCKS(fn)
#define VEXFS_MAP_BLOCKS(fn)	fn
#endif

/* 6.12: private argument, and the position is advanced by the callee */
static inline ssize_t
vexfs_iomap_buffered_write(struct kiocb *iocb, struct iov_iter *from,
			   const struct iomap_ops *ops)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 12, 0)
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

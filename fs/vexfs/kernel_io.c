// SPDX-License-Identifier: GPL-2.0
/*
 * Reading and writing the contents that the module itself owns (rows and
 * forks of collections) through the page cache, from kernel memory.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include <linux/fs.h>
#include <linux/pagemap.h>
#include <linux/uio.h>

#include "vexfs.h"

/*
 * The page cache reaches the inode through a struct file. Internal inodes are
 * never open, so this one is made up, for the length of a call: of it, the
 * read and write paths use the mapping, the read-ahead state and the flags,
 * and nobody keeps a reference. O_NOATIME keeps them from following f_path,
 * which there is none of.
 */
static void vexfs_kernel_file(struct file *file, struct inode *inode)
{
	memset(file, 0, sizeof(*file));
	file->f_mapping = inode->i_mapping;
	file->f_inode = inode;
	file->f_flags = O_NOATIME | O_LARGEFILE;
	file->f_mode = FMODE_READ | FMODE_WRITE;
	file_ra_state_init(&file->f_ra, inode->i_mapping);
}

static void vexfs_kernel_iocb(struct kiocb *iocb, struct file *file,
			      loff_t pos)
{
	memset(iocb, 0, sizeof(*iocb));
	iocb->ki_filp = file;
	iocb->ki_pos = pos;
}

ssize_t vexfs_kernel_write(struct inode *inode, const void *buf, size_t len,
			   loff_t pos)
{
	struct kvec vec = { .iov_base = (void *)buf, .iov_len = len };
	struct iov_iter iter;
	struct kiocb iocb;
	struct file file;
	ssize_t ret = 0;

	if (vexfs_is_shutdown(inode->i_sb))
		return -EIO;
	if (!len)
		return 0;
	vexfs_kernel_file(&file, inode);
	vexfs_kernel_iocb(&iocb, &file, pos);
	iov_iter_kvec(&iter, ITER_SOURCE, &vec, 1, len);

	vexfs_coll_inode_lock(inode);
	if (pos > i_size_read(inode))
		ret = vexfs_zero_tail(inode, i_size_read(inode), pos);
	if (!ret)
		ret = vexfs_iomap_buffered_write(&iocb, &iter,
						 &vexfs_write_iomap_ops,
						 &vexfs_iomap_write_ops);
	inode_unlock(inode);
	return ret;
}

int vexfs_kernel_read(struct inode *inode, void *buf, size_t len, loff_t pos)
{
	struct kvec vec = { .iov_base = buf, .iov_len = len };
	struct iov_iter iter;
	struct kiocb iocb;
	struct file file;
	ssize_t ret;

	if (vexfs_is_shutdown(inode->i_sb))
		return -EIO;
	if (!len)
		return 0;
	vexfs_kernel_file(&file, inode);
	vexfs_kernel_iocb(&iocb, &file, pos);
	iov_iter_kvec(&iter, ITER_DEST, &vec, 1, len);

	ret = filemap_read(&iocb, &iter, 0);
	if (ret < 0)
		return ret;
	return ret == len ? 0 : -EIO;
}

// SPDX-License-Identifier: GPL-2.0
/*
 * Regular files: reading, writing, mapping and seeking through iomap. The
 * contents of collections are changed by their ioctls only.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include <linux/backing-dev.h>
#include <linux/compat.h>
#include <linux/falloc.h>
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <linux/iomap.h>
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/quotaops.h>
#include <linux/sched/mm.h>
#include <linux/splice.h>
#include <linux/uio.h>

#include "compat_lease.h"
#include "vexfs.h"

static int vexfs_lock_inode(struct kiocb *iocb, struct inode *inode,
			    bool shared)
{
	if (iocb->ki_flags & IOCB_NOWAIT) {
		if (shared ? !inode_trylock_shared(inode) :
			     !inode_trylock(inode))
			return -EAGAIN;
	} else if (shared) {
		inode_lock_shared(inode);
	} else {
		inode_lock(inode);
	}
	return 0;
}

static void vexfs_unlock_inode(struct inode *inode, bool shared)
{
	if (shared)
		inode_unlock_shared(inode);
	else
		inode_unlock(inode);
}

static ssize_t vexfs_dio_read(struct kiocb *iocb, struct iov_iter *to)
{
	struct inode *inode = file_inode(iocb->ki_filp);
	ssize_t ret;

	ret = vexfs_lock_inode(iocb, inode, true);
	if (ret)
		return ret;
	ret = iomap_dio_rw(iocb, to, &vexfs_read_iomap_ops, NULL, 0, NULL, 0);
	inode_unlock_shared(inode);
	file_accessed(iocb->ki_filp);
	return ret;
}

static ssize_t vexfs_file_read_iter(struct kiocb *iocb, struct iov_iter *to)
{
	struct inode *inode = file_inode(iocb->ki_filp);

	if (vexfs_is_shutdown(inode->i_sb))
		return -EIO;
	if (!iov_iter_count(to))
		return 0;
	/* Direct reads touch user memory under i_rwsem; see collection.c. */
	if (vexfs_is_collection(inode))
		iocb->ki_flags &= ~IOCB_DIRECT;
	if (iocb->ki_flags & IOCB_DIRECT)
		return vexfs_dio_read(iocb, to);
	return generic_file_read_iter(iocb, to);
}

static ssize_t vexfs_file_splice_read(struct file *in, loff_t *ppos,
				      struct pipe_inode_info *pipe,
				      size_t len, unsigned int flags)
{
	if (vexfs_is_shutdown(file_inode(in)->i_sb))
		return -EIO;
	return filemap_splice_read(in, ppos, pipe, len, flags);
}

/* i_rwsem held; exclusively if the write is behind the end of the file. */
static ssize_t vexfs_write_checks(struct kiocb *iocb, struct iov_iter *from)
{
	struct inode *inode = file_inode(iocb->ki_filp);
	loff_t size;
	ssize_t ret;

	if (IS_IMMUTABLE(inode))
		return -EPERM;
	/* It may have become a collection while we waited for the lock. */
	if (vexfs_is_collection(inode))
		return -EPERM;
	ret = generic_write_checks(iocb, from);
	if (ret <= 0)
		return ret;

	size = i_size_read(inode);
	if (iocb->ki_pos > size && (size & (VEXFS_BLOCK_SIZE - 1))) {
		if (iocb->ki_flags & IOCB_NOWAIT)
			return -EAGAIN;
		ret = vexfs_zero_tail(inode, size, iocb->ki_pos);
		if (ret)
			return ret;
	}
	ret = kiocb_modified(iocb);
	if (ret)
		return ret;
	return iov_iter_count(from);
}

static ssize_t vexfs_buffered_write(struct kiocb *iocb, struct iov_iter *from)
{
	struct inode *inode = file_inode(iocb->ki_filp);
	ssize_t ret;

	/* Allocation starts transactions: it can't be asked not to wait. */
	if (iocb->ki_flags & IOCB_NOWAIT)
		return -EOPNOTSUPP;

	inode_lock(inode);
	ret = vexfs_write_checks(iocb, from);
	if (ret > 0)
		ret = vexfs_iomap_buffered_write(iocb, from,
						 &vexfs_write_iomap_ops,
						 &vexfs_iomap_write_ops);
	inode_unlock(inode);
	if (ret > 0)
		ret = generic_write_sync(iocb, ret);
	return ret;
}

/* Process context: iomap completes writes in a worker or in the caller. */
static int vexfs_dio_write_end_io(struct kiocb *iocb, ssize_t size, int error,
				  unsigned int flags)
{
	struct inode *inode = file_inode(iocb->ki_filp);
	loff_t end = iocb->ki_pos + size;
	unsigned int nofs;

	if (error || !size)
		return error;

	/* Only with i_rwsem held exclusively, see vexfs_dio_write(). */
	if (end > i_size_read(inode))
		i_size_write(inode, end);
	if (!(flags & IOMAP_DIO_UNWRITTEN) &&
	    end <= READ_ONCE(VEXFS_I(inode)->disk_size))
		return 0;

	nofs = memalloc_nofs_save();
	error = vexfs_convert_range(inode, iocb->ki_pos, size);
	memalloc_nofs_restore(nofs);
	return error;
}

static const struct iomap_dio_ops vexfs_dio_write_ops = {
	.end_io		= vexfs_dio_write_end_io,
};

static bool vexfs_dio_unaligned(struct inode *inode, loff_t pos, size_t len)
{
	return (pos | len) & (i_blocksize(inode) - 1);
}

/* What can run beside other writes: whole blocks inside the file. */
static bool vexfs_dio_shared(struct kiocb *iocb, struct iov_iter *from)
{
	struct inode *inode = file_inode(iocb->ki_filp);
	loff_t pos = iocb->ki_pos;
	size_t len = iov_iter_count(from);

	return !(iocb->ki_flags & IOCB_APPEND) &&
	       !vexfs_dio_unaligned(inode, pos, len) &&
	       pos + len <= i_size_read(inode);
}

/*
 * Takes i_rwsem, shared if that is enough. Checks need it, and may find that
 * the file was truncated meanwhile, or that privileges must be removed.
 */
static ssize_t vexfs_dio_lock_and_check(struct kiocb *iocb,
					struct iov_iter *from, bool *shared)
{
	struct inode *inode = file_inode(iocb->ki_filp);
	ssize_t ret;

	*shared = vexfs_dio_shared(iocb, from) && IS_NOSEC(inode);
retry:
	ret = vexfs_lock_inode(iocb, inode, *shared);
	if (ret)
		return ret;
	if (*shared && !(vexfs_dio_shared(iocb, from) && IS_NOSEC(inode))) {
		inode_unlock_shared(inode);
		*shared = false;
		goto retry;
	}
	ret = vexfs_write_checks(iocb, from);
	if (ret <= 0)
		vexfs_unlock_inode(inode, *shared);
	return ret;
}

/*
 * Writes that are not whole blocks zero the rest of a new block, so they must
 * not meet another write to it; writes that extend the file raise its size
 * when they end. Both hold i_rwsem exclusively until then.
 */
static ssize_t vexfs_dio_write(struct kiocb *iocb, struct iov_iter *from)
{
	struct inode *inode = file_inode(iocb->ki_filp);
	unsigned int flags = 0;
	bool shared;
	ssize_t ret;

	ret = vexfs_dio_lock_and_check(iocb, from, &shared);
	if (ret <= 0)
		return ret;
	if (!shared) {
		if ((iocb->ki_flags & IOCB_NOWAIT) &&
		    atomic_read(&inode->i_dio_count)) {
			inode_unlock(inode);
			return -EAGAIN;
		}
		inode_dio_wait(inode);
		flags = IOMAP_DIO_FORCE_WAIT;
	}
	ret = iomap_dio_rw(iocb, from, &vexfs_dio_write_iomap_ops,
			   &vexfs_dio_write_ops, flags, NULL, 0);
	vexfs_unlock_inode(inode, shared);
	return ret;
}

static ssize_t vexfs_file_write_iter(struct kiocb *iocb, struct iov_iter *from)
{
	struct inode *inode = file_inode(iocb->ki_filp);
	ssize_t ret;

	if (vexfs_is_shutdown(inode->i_sb))
		return -EIO;
	if (vexfs_is_collection(inode))
		return -EPERM;
	if (iocb->ki_flags & IOCB_DIRECT) {
		ret = vexfs_dio_write(iocb, from);
		/* Cached pages that can't be dropped: write through them. */
		if (ret != -ENOTBLK)
			return ret;
	}
	return vexfs_buffered_write(iocb, from);
}

static vm_fault_t vexfs_page_mkwrite(struct vm_fault *vmf)
{
	struct inode *inode = file_inode(vmf->vma->vm_file);
	vm_fault_t ret;

	/* Mapped while it was an ordinary, empty file. */
	if (vexfs_is_collection(inode))
		return VM_FAULT_SIGBUS;

	sb_start_pagefault(inode->i_sb);
	file_update_time(vmf->vma->vm_file);
	filemap_invalidate_lock_shared(inode->i_mapping);
	ret = iomap_page_mkwrite(vmf, &vexfs_write_iomap_ops, NULL);
	filemap_invalidate_unlock_shared(inode->i_mapping);
	sb_end_pagefault(inode->i_sb);
	return ret;
}

static const struct vm_operations_struct vexfs_file_vm_ops = {
	.fault		= filemap_fault,
	.map_pages	= filemap_map_pages,
	.page_mkwrite	= vexfs_page_mkwrite,
};

static int vexfs_file_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct inode *inode = file_inode(file);

	if (vexfs_is_shutdown(inode->i_sb))
		return -EIO;
	if (vexfs_is_collection(inode) && (vma->vm_flags & VM_SHARED)) {
		if (vma->vm_flags & VM_WRITE)
			return -EPERM;
		/* nor later, through mprotect() */
		vm_flags_clear(vma, VM_MAYWRITE);
	}
	file_accessed(file);
	vma->vm_ops = &vexfs_file_vm_ops;
	return 0;
}

static loff_t vexfs_file_llseek(struct file *file, loff_t offset, int whence)
{
	struct inode *inode = file_inode(file);

	switch (whence) {
	case SEEK_HOLE:
		inode_lock_shared(inode);
		offset = iomap_seek_hole(inode, offset, &vexfs_read_iomap_ops);
		inode_unlock_shared(inode);
		break;
	case SEEK_DATA:
		inode_lock_shared(inode);
		offset = iomap_seek_data(inode, offset, &vexfs_read_iomap_ops);
		inode_unlock_shared(inode);
		break;
	default:
		return generic_file_llseek(file, offset, whence);
	}
	if (offset < 0)
		return offset;
	return vfs_setpos(file, offset, inode->i_sb->s_maxbytes);
}

/* Each extent is right by itself; the list fills user memory, so no lock. */
static int vexfs_fiemap(struct inode *inode, struct fiemap_extent_info *fi,
			u64 start, u64 len)
{
	return iomap_fiemap(inode, fi, start, len, &vexfs_read_iomap_ops);
}

static int vexfs_file_open(struct inode *inode, struct file *file)
{
	int ret;

	if (vexfs_is_shutdown(inode->i_sb))
		return -EIO;
	/* Forks have no name; a file handle could still try. */
	if (vexfs_is_fork(inode))
		return -EPERM;
	ret = dquot_file_open(inode, file);
	if (ret)
		return ret;
	file->f_mode |= FMODE_NOWAIT | FMODE_CAN_ODIRECT;
	atomic_inc(&VEXFS_I(inode)->opens);
	if (!test_bit(VEXFS_SBF_SAMPLED, &VEXFS_SB(inode->i_sb)->flags))
		vexfs_sample_mount(file);
	return 0;
}

static int vexfs_file_release(struct inode *inode, struct file *file)
{
	if ((file->f_mode & FMODE_WRITE) &&
	    atomic_read(&inode->i_writecount) == 1)
		vexfs_ahead_release(inode);
	if (atomic_dec_and_test(&VEXFS_I(inode)->opens) &&
	    !inode->i_nlink && vexfs_is_collection(inode))
		vexfs_coll_drop(inode);
	return 0;
}

const struct file_operations vexfs_file_operations = {
	.open		= vexfs_file_open,
	.release	= vexfs_file_release,
	.llseek		= vexfs_file_llseek,
	.read_iter	= vexfs_file_read_iter,
	.write_iter	= vexfs_file_write_iter,
	.splice_read	= vexfs_file_splice_read,
	.splice_write	= iter_file_splice_write,
	.mmap		= vexfs_file_mmap,
	.get_unmapped_area = thp_get_unmapped_area,
	.fsync		= vexfs_fsync,
	.fallocate	= vexfs_fallocate,
	.setlease	= generic_setlease,
	.unlocked_ioctl	= vexfs_ioctl,
	.compat_ioctl	= compat_ptr_ioctl,
	.iopoll		= iocb_bio_iopoll,
};

const struct inode_operations vexfs_file_inode_operations = {
	.setattr	= vexfs_setattr,
	.getattr	= vexfs_getattr,
	.listxattr	= vexfs_listxattr,
	.get_inode_acl	= vexfs_get_acl,
	.set_acl	= vexfs_set_acl,
	.fileattr_get	= vexfs_fileattr_get,
	.fileattr_set	= vexfs_fileattr_set,
	.fiemap		= vexfs_fiemap,
};

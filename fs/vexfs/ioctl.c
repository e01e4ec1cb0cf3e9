// SPDX-License-Identifier: GPL-2.0
/*
 * ioctls: the filesystem's own by a table, the collections' by their magic.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include <linux/blkdev.h>
#include <linux/capability.h>
#include <linux/jbd2.h>
#include <linux/mount.h>
#include <linux/uaccess.h>

#include <linux/vexfs.h>

#include "vexfs.h"

static long vexfs_ioc_getversion(struct file *file, void __user *arg)
{
	return put_user(file_inode(file)->i_generation, (int __user *)arg);
}

static long vexfs_ioc_getfslabel(struct file *file, void __user *arg)
{
	struct vexfs_fs *fs = VEXFS_FS(file_inode(file)->i_sb);
	char label[FSLABEL_MAX] = "";

	BUILD_BUG_ON(VEXFS_LABEL_LEN >= FSLABEL_MAX);
	mutex_lock(&fs->orphan_lock);
	memcpy(label, vexfs_super(fs)->s_label, VEXFS_LABEL_LEN);
	mutex_unlock(&fs->orphan_lock);
	return copy_to_user(arg, label, sizeof(label)) ? -EFAULT : 0;
}

static int vexfs_set_label(struct super_block *sb, const char *label)
{
	struct vexfs_fs *fs = VEXFS_FS(sb);
	handle_t *handle;
	int err, err2;

	handle = vexfs_journal_start(sb, 1);
	if (IS_ERR(handle))
		return PTR_ERR(handle);
	mutex_lock(&fs->orphan_lock);
	err = vexfs_super_begin(handle, fs);
	if (!err) {
		memcpy(vexfs_super(fs)->s_label, label, VEXFS_LABEL_LEN);
		err = vexfs_super_end(handle, fs);
	}
	mutex_unlock(&fs->orphan_lock);
	err2 = vexfs_journal_stop(handle);
	return err ?: err2 ?: vexfs_journal_commit(sb);
}

static long vexfs_ioc_setfslabel(struct file *file, void __user *arg)
{
	char label[VEXFS_LABEL_LEN + 1] = "";
	long len;
	int err;

	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	len = strncpy_from_user(label, arg, sizeof(label));
	if (len < 0)
		return len;
	if (len > VEXFS_LABEL_LEN)
		return -EINVAL;
	memset(label + len, 0, sizeof(label) - len);
	err = mnt_want_write_file(file);
	if (err)
		return err;
	err = vexfs_set_label(file_inode(file)->i_sb, label);
	mnt_drop_write_file(file);
	return err;
}

/*
 * Stops the volume dead, for tests of what a crash leaves: after a flush of
 * everything, of the journal, or of nothing.
 */
static int vexfs_shutdown(struct super_block *sb, u32 how)
{
	struct vexfs_sb_info *sbi = VEXFS_SB(sb);
	int err;

	switch (how) {
	case FS_SHUTDOWN_FLAGS_DEFAULT:
		err = bdev_freeze(sb->s_bdev);
		if (err)
			return err;
		set_bit(VEXFS_SBF_SHUTDOWN, &sbi->flags);
		bdev_thaw(sb->s_bdev);
		break;
	case FS_SHUTDOWN_FLAGS_LOGFLUSH:
		set_bit(VEXFS_SBF_SHUTDOWN, &sbi->flags);
		vexfs_journal_commit(sb);
		break;
	case FS_SHUTDOWN_FLAGS_NOLOGFLUSH:
		set_bit(VEXFS_SBF_SHUTDOWN, &sbi->flags);
		break;
	default:
		return -EINVAL;
	}
	if (sbi->journal && !is_journal_aborted(sbi->journal))
		jbd2_journal_abort(sbi->journal, -ESHUTDOWN);
	vexfs_warn(sb, "shut down");
	return 0;
}

static long vexfs_ioc_shutdown(struct file *file, void __user *arg)
{
	struct super_block *sb = file_inode(file)->i_sb;
	u32 how;

	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	if (get_user(how, (u32 __user *)arg))
		return -EFAULT;
	return vexfs_is_shutdown(sb) ? 0 : vexfs_shutdown(sb, how);
}

static const struct {
	unsigned int cmd;
	long (*fn)(struct file *file, void __user *arg);
} vexfs_ioctls[] = {
	{ FS_IOC_GETVERSION,	vexfs_ioc_getversion },
	{ FS_IOC_GETFSLABEL,	vexfs_ioc_getfslabel },
	{ FS_IOC_SETFSLABEL,	vexfs_ioc_setfslabel },
	{ FS_IOC_SHUTDOWN,	vexfs_ioc_shutdown },
	{ FITRIM,		vexfs_ioc_fitrim },
	{ VEXFS_IOC_RESIZE,	vexfs_ioc_resize },
};

long vexfs_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	void __user *argp = (void __user *)arg;
	int i;

	for (i = 0; i < ARRAY_SIZE(vexfs_ioctls); i++)
		if (vexfs_ioctls[i].cmd == cmd)
			return vexfs_ioctls[i].fn(file, argp);
	if (_IOC_TYPE(cmd) == VEXFS_IOC_MAGIC)
		return vexfs_coll_ioctl(file, cmd, argp);
	return -ENOTTY;
}

// SPDX-License-Identifier: GPL-2.0
/*
 * Names: looking them up, making and removing them. Every operation is one
 * transaction; an inode that has lost its last name is on the orphan list
 * until it is deleted.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include <linux/dcache.h>
#include <linux/exportfs.h>
#include <linux/fs.h>
#include <linux/iversion.h>
#include <linux/jbd2.h>
#include <linux/quotaops.h>

#include "vexfs.h"

int vexfs_dir_changed(handle_t *handle, struct inode *dir, u64 size)
{
	i_size_write(dir, size);
	VEXFS_I(dir)->disk_size = size;
	inode_set_mtime_to_ts(dir, inode_set_ctime_current(dir));
	inode_inc_iversion(dir);
	return vexfs_log_inode(handle, dir);
}

int vexfs_add_entry(handle_t *handle, struct inode *dir,
		    const struct qstr *name, struct inode *inode)
{
	u64 size = i_size_read(dir);
	int ret;

	ret = vexfs_dir_add(handle, &VEXFS_I(dir)->node, name->name, name->len,
			    inode->i_ino, fs_umode_to_ftype(inode->i_mode),
			    &size);
	if (ret && ret != -EEXIST) {
		/* It may have grown in vain: free blocks are within its size. */
		i_size_write(dir, size);
		VEXFS_I(dir)->disk_size = size;
		vexfs_log_inode(handle, dir);
		return ret;
	}
	return ret ? ret : vexfs_dir_changed(handle, dir, size);
}

int vexfs_remove_entry(handle_t *handle, struct inode *dir,
		       const struct qstr *name)
{
	u64 size = i_size_read(dir);
	int ret;

	ret = vexfs_dir_remove(handle, &VEXFS_I(dir)->node, name->name,
			       name->len, &size);
	if (ret)
		return ret;
	return vexfs_dir_changed(handle, dir, size);
}

void vexfs_inc_dir_count(struct inode *dir)
{
	if (dir->i_nlink == 1)
		return;
	if (dir->i_nlink >= VEXFS_LINK_MAX)
		set_nlink(dir, 1);
	else
		inc_nlink(dir);
}

void vexfs_dec_dir_count(struct inode *dir)
{
	if (dir->i_nlink > 2)
		drop_nlink(dir);
}

static handle_t *vexfs_start_name_op(struct inode *dir, int credits)
{
	handle_t *handle = vexfs_journal_start(dir->i_sb, credits);

	if (!IS_ERR(handle) && IS_DIRSYNC(dir))
		handle->h_sync = 1;
	return handle;
}

/*
 * An inode of which a directory says that it exists. That it doesn't, or
 * that a directory is known by two parents, is corruption.
 */
static struct inode *vexfs_dirent_inode(struct inode *dir,
					const struct vexfs_dirent *de)
{
	struct super_block *sb = dir->i_sb;
	struct inode *inode;
	int ret;

	if (de->ino == dir->i_ino) {
		ret = VEXFS_CORRUPTED(VEXFS_FS(sb), dir->i_ino, 0,
				      "an entry is its own directory");
		return ERR_PTR(ret);
	}
	inode = vexfs_iget(sb, de->ino);
	if (inode == ERR_PTR(-ESTALE) || inode == ERR_PTR(-ENOENT)) {
		ret = VEXFS_CORRUPTED(VEXFS_FS(sb), dir->i_ino, 0,
				      "an entry without an inode");
		return ERR_PTR(ret);
	}
	if (!IS_ERR(inode) && S_ISDIR(inode->i_mode) &&
	    VEXFS_I(inode)->parent != dir->i_ino) {
		iput(inode);
		ret = VEXFS_CORRUPTED(VEXFS_FS(sb), dir->i_ino, 0,
				      "a directory of another parent");
		return ERR_PTR(ret);
	}
	return inode;
}

static struct dentry *vexfs_lookup(struct inode *dir, struct dentry *dentry,
				   unsigned int flags)
{
	const struct qstr *name = &dentry->d_name;
	struct inode *inode = NULL;
	struct vexfs_dirent de;
	int ret;

	if (name->len > VEXFS_NAME_LEN)
		return ERR_PTR(-ENAMETOOLONG);
	ret = vexfs_dir_lookup(&VEXFS_I(dir)->node, name->name, name->len,
			       &de);
	if (!ret)
		inode = vexfs_dirent_inode(dir, &de);
	else if (ret != -ENOENT)
		return ERR_PTR(ret);
	return d_splice_alias(inode, dentry);
}

struct dentry *vexfs_get_parent(struct dentry *child)
{
	struct inode *inode = d_inode(child);
	u64 parent = READ_ONCE(VEXFS_I(inode)->parent);

	return d_obtain_alias(vexfs_iget(inode->i_sb, parent));
}

/*
 * Ends what vexfs_new_inode() began and that came to nothing: the inode is
 * freed by its last iput(), and by the orphan list if we crash before.
 */
static void vexfs_abandon_inode(handle_t *handle, struct inode *inode)
{
	clear_nlink(inode);
	/* The list reads the inode from its block: a symlink needs its size. */
	if (!vexfs_log_inode(handle, inode))
		vexfs_add_orphan(handle, inode);
}

/* Fills a new inode in the transaction, before it gets its name. */
typedef int (*vexfs_fill_fn)(handle_t *handle, struct inode *inode,
			     const void *arg);

struct vexfs_create_args {
	umode_t		mode;
	dev_t		rdev;
	vexfs_fill_fn	fill;
	const void	*arg;
	struct vexfs_acls acls;
};

/* ACLs and labels, before anybody sees the inode. */
static int vexfs_init_attributes(handle_t *handle, struct inode *inode,
				 struct inode *dir, const struct qstr *name,
				 const struct vexfs_acls *acls)
{
	int ret = vexfs_init_acls(handle, inode, acls);

	return ret ? ret : vexfs_init_security(handle, inode, dir, name);
}

static int vexfs_create_named(handle_t *handle, struct inode *dir,
			      struct dentry *dentry, struct inode *inode,
			      const struct vexfs_create_args *args)
{
	int ret = 0;

	if (args->fill)
		ret = args->fill(handle, inode, args->arg);
	if (!ret)
		ret = vexfs_init_attributes(handle, inode, dir,
					    &dentry->d_name, &args->acls);
	/* A plain file is as it was when it was made. */
	if (!ret && (args->fill || VEXFS_I(inode)->node.xattr_len ||
		     VEXFS_I(inode)->node.xattr_block))
		ret = vexfs_log_inode(handle, inode);
	if (ret)
		return ret;
	ret = vexfs_add_entry(handle, dir, &dentry->d_name, inode);
	if (ret || !S_ISDIR(inode->i_mode))
		return ret;
	vexfs_inc_dir_count(dir);
	return vexfs_log_inode(handle, dir);
}

static int vexfs_create_once(struct mnt_idmap *idmap, struct inode *dir,
			     struct dentry *dentry,
			     const struct vexfs_create_args *args)
{
	struct inode *inode;
	handle_t *handle;
	int ret, err;

	inode = vexfs_prepare_inode(idmap, dir, args->mode);
	if (IS_ERR(inode))
		return PTR_ERR(inode);
	handle = vexfs_start_name_op(dir, VEXFS_CREATE_CREDITS +
					  vexfs_new_acls_credits(&args->acls));
	if (IS_ERR(handle)) {
		vexfs_unprepare_inode(inode);
		return PTR_ERR(handle);
	}
	ret = vexfs_new_inode(handle, inode, dir, args->rdev);
	if (ret) {
		vexfs_journal_stop(handle);
		return ret;
	}
	ret = vexfs_create_named(handle, dir, dentry, inode, args);
	if (ret) {
		vexfs_abandon_inode(handle, inode);
		vexfs_journal_stop(handle);
		discard_new_inode(inode);
		return ret;
	}
	/* It has its name, whatever stopping says: that is the journal's. */
	err = vexfs_journal_stop(handle);
	d_instantiate_new(dentry, inode);
	return err;
}

static int vexfs_create_any(struct mnt_idmap *idmap, struct inode *dir,
			    struct dentry *dentry,
			    struct vexfs_create_args *args)
{
	int ret, retries = 0;

	if (dentry->d_name.len > VEXFS_NAME_LEN)
		return -ENAMETOOLONG;
	ret = dquot_initialize(dir);
	if (!ret)
		ret = vexfs_new_acls(dir, &args->mode, &args->acls);
	if (ret)
		return ret;
	do {
		ret = vexfs_create_once(idmap, dir, dentry, args);
	} while (ret == -ENOSPC && vexfs_should_retry(dir->i_sb, &retries));
	vexfs_release_acls(&args->acls);
	return ret;
}

static int vexfs_create(struct mnt_idmap *idmap, struct inode *dir,
			struct dentry *dentry, umode_t mode)
{
	struct vexfs_create_args args = { .mode = mode };

	return vexfs_create_any(idmap, dir, dentry, &args);
}

VEXFS_DEFINE_CREATE(vexfs_create)

static int vexfs_mknod(struct mnt_idmap *idmap, struct inode *dir,
		       struct dentry *dentry, umode_t mode, dev_t rdev)
{
	struct vexfs_create_args args = { .mode = mode, .rdev = rdev };

	return vexfs_create_any(idmap, dir, dentry, &args);
}

static int vexfs_fill_dir(handle_t *handle, struct inode *inode,
			  const void *arg)
{
	u64 size = 0;
	int ret;

	ret = vexfs_dir_init(handle, &VEXFS_I(inode)->node, &size);
	if (ret)
		return ret;
	i_size_write(inode, size);
	VEXFS_I(inode)->disk_size = size;
	return 0;
}

static struct dentry *vexfs_mkdir(struct mnt_idmap *idmap, struct inode *dir,
				  struct dentry *dentry, umode_t mode)
{
	struct vexfs_create_args args = {
		.mode	= S_IFDIR | mode,
		.fill	= vexfs_fill_dir,
	};

	return ERR_PTR(vexfs_create_any(idmap, dir, dentry, &args));
}

VEXFS_DEFINE_MKDIR(vexfs_mkdir)

static int vexfs_fill_symlink(handle_t *handle, struct inode *inode,
			      const void *arg)
{
	return vexfs_symlink_store(handle, inode, arg, strlen(arg));
}

static int vexfs_symlink(struct mnt_idmap *idmap, struct inode *dir,
			 struct dentry *dentry, const char *target)
{
	struct vexfs_create_args args = {
		.mode	= S_IFLNK | 0777,
		.fill	= vexfs_fill_symlink,
		.arg	= target,
	};

	if (strlen(target) >= PATH_MAX)
		return -ENAMETOOLONG;
	return vexfs_create_any(idmap, dir, dentry, &args);
}

static int vexfs_tmpfile_once(struct mnt_idmap *idmap, struct inode *dir,
			      struct file *file, umode_t mode,
			      const struct vexfs_acls *acls)
{
	struct inode *inode;
	handle_t *handle;
	int ret, err;

	inode = vexfs_prepare_inode(idmap, dir, mode);
	if (IS_ERR(inode))
		return PTR_ERR(inode);
	handle = vexfs_journal_start(dir->i_sb, VEXFS_CREATE_CREDITS +
					       vexfs_new_acls_credits(acls));
	if (IS_ERR(handle)) {
		vexfs_unprepare_inode(inode);
		return PTR_ERR(handle);
	}
	ret = vexfs_new_inode(handle, inode, dir, 0);
	if (ret) {
		vexfs_journal_stop(handle);
		return ret;
	}
	ret = vexfs_init_attributes(handle, inode, dir, NULL, acls);
	/* An orphan while d_tmpfile() still counts one link: nobody looks. */
	if (!ret)
		ret = vexfs_add_orphan(handle, inode);
	if (ret) {
		vexfs_abandon_inode(handle, inode);
		vexfs_journal_stop(handle);
		discard_new_inode(inode);
		return ret;
	}
	d_tmpfile(file, inode);
	ret = vexfs_log_inode(handle, inode);
	err = vexfs_journal_stop(handle);
	unlock_new_inode(inode);
	return ret ? ret : err;
}

static int vexfs_tmpfile(struct mnt_idmap *idmap, struct inode *dir,
			 struct file *file, umode_t mode)
{
	struct vexfs_acls acls;
	int ret, retries = 0;

	ret = vexfs_new_acls(dir, &mode, &acls);
	if (ret)
		return finish_open_simple(file, ret);
	do {
		ret = vexfs_tmpfile_once(idmap, dir, file, mode, &acls);
	} while (ret == -ENOSPC && vexfs_should_retry(dir->i_sb, &retries));
	vexfs_release_acls(&acls);
	return finish_open_simple(file, ret);
}

bool vexfs_project_fits(const struct inode *dir, const struct inode *inode)
{
	return !(VEXFS_I(dir)->node.flags & VEXFS_PROJINHERIT_FL) ||
	       projid_eq(VEXFS_I(dir)->projid, VEXFS_I(inode)->projid);
}

static int vexfs_link_once(struct inode *inode, struct inode *dir,
			   struct dentry *dentry)
{
	handle_t *handle;
	int ret, err;

	handle = vexfs_start_name_op(dir, VEXFS_LINK_CREDITS);
	if (IS_ERR(handle))
		return PTR_ERR(handle);
	ret = vexfs_add_entry(handle, dir, &dentry->d_name, inode);
	if (ret)
		goto out_stop;
	/* A temporary file (O_TMPFILE) that gets its first name. */
	if (!inode->i_nlink)
		ret = vexfs_del_orphan(handle, inode);
	inode_set_ctime_current(inode);
	inode_inc_iversion(inode);
	inc_nlink(inode);
	err = vexfs_log_inode(handle, inode);
	if (!ret)
		ret = err;
out_stop:
	err = vexfs_journal_stop(handle);
	return ret ? ret : err;
}

static int vexfs_link(struct dentry *old_dentry, struct inode *dir,
		      struct dentry *dentry)
{
	struct inode *inode = d_inode(old_dentry);
	int ret, retries = 0;

	if (inode->i_nlink >= VEXFS_LINK_MAX)
		return -EMLINK;
	if (!vexfs_project_fits(dir, inode))
		return -EXDEV;
	if (dentry->d_name.len > VEXFS_NAME_LEN)
		return -ENAMETOOLONG;
	ret = dquot_initialize(dir);
	if (ret)
		return ret;
	do {
		ret = vexfs_link_once(inode, dir, dentry);
	} while (ret == -ENOSPC && vexfs_should_retry(dir->i_sb, &retries));
	if (ret)
		return ret;
	ihold(inode);
	d_instantiate(dentry, inode);
	return 0;
}

void vexfs_after_unlink(struct inode *inode)
{
	if (!inode->i_nlink && vexfs_is_collection(inode) &&
	    !atomic_read(&VEXFS_I(inode)->opens))
		vexfs_coll_drop(inode);
}

static int vexfs_unlink_locked(handle_t *handle, struct inode *dir,
			       struct dentry *dentry)
{
	struct inode *inode = d_inode(dentry);
	int ret;

	ret = vexfs_remove_entry(handle, dir, &dentry->d_name);
	if (ret)
		return ret;
	inode_set_ctime_to_ts(inode, inode_get_ctime(dir));
	inode_inc_iversion(inode);
	drop_nlink(inode);
	if (!inode->i_nlink) {
		ret = vexfs_add_orphan(handle, inode);
		if (ret)
			return ret;
	}
	return vexfs_log_inode(handle, inode);
}

static int vexfs_unlink(struct inode *dir, struct dentry *dentry)
{
	struct inode *inode = d_inode(dentry);
	handle_t *handle;
	int ret, err;

	if (!inode->i_nlink)
		return VEXFS_CORRUPTED(VEXFS_FS(dir->i_sb), inode->i_ino, 0,
				       "a name for an inode without links");
	ret = dquot_initialize(dir);
	if (ret)
		return ret;
	handle = vexfs_start_name_op(dir, VEXFS_UNLINK_CREDITS);
	if (IS_ERR(handle))
		return PTR_ERR(handle);
	ret = vexfs_unlink_locked(handle, dir, dentry);
	err = vexfs_journal_stop(handle);
	if (!ret)
		ret = err;
	vexfs_after_unlink(inode);
	return ret;
}

static int vexfs_rmdir_locked(handle_t *handle, struct inode *dir,
			      struct dentry *dentry)
{
	struct inode *inode = d_inode(dentry);
	int ret;

	ret = vexfs_dir_empty(&VEXFS_I(inode)->node);
	if (ret <= 0)
		return ret ? ret : -ENOTEMPTY;
	vexfs_dec_dir_count(dir);
	ret = vexfs_remove_entry(handle, dir, &dentry->d_name);
	if (ret) {
		vexfs_inc_dir_count(dir);
		return ret;
	}
	clear_nlink(inode);
	inode_set_ctime_to_ts(inode, inode_get_ctime(dir));
	inode_inc_iversion(inode);
	ret = vexfs_add_orphan(handle, inode);
	if (ret)
		return ret;
	return vexfs_log_inode(handle, inode);
}

static int vexfs_rmdir(struct inode *dir, struct dentry *dentry)
{
	handle_t *handle;
	int ret, err;

	ret = dquot_initialize(dir);
	if (ret)
		return ret;
	handle = vexfs_start_name_op(dir, VEXFS_UNLINK_CREDITS);
	if (IS_ERR(handle))
		return PTR_ERR(handle);
	ret = vexfs_rmdir_locked(handle, dir, dentry);
	err = vexfs_journal_stop(handle);
	return ret ? ret : err;
}

const struct inode_operations vexfs_dir_inode_operations = {
	.lookup		= vexfs_lookup,
	.create		= VEXFS_CREATE(vexfs_create),
	.link		= vexfs_link,
	.unlink		= vexfs_unlink,
	.symlink	= vexfs_symlink,
	.mkdir		= VEXFS_MKDIR(vexfs_mkdir),
	.rmdir		= vexfs_rmdir,
	.mknod		= vexfs_mknod,
	.rename		= vexfs_rename,
	.tmpfile	= vexfs_tmpfile,
	.setattr	= vexfs_setattr,
	.getattr	= vexfs_getattr,
	.listxattr	= vexfs_listxattr,
	.get_inode_acl	= vexfs_get_acl,
	.set_acl	= vexfs_set_acl,
	.fileattr_get	= vexfs_fileattr_get,
	.fileattr_set	= vexfs_fileattr_set,
};

const struct inode_operations vexfs_special_inode_operations = {
	.setattr	= vexfs_setattr,
	.getattr	= vexfs_getattr,
	.listxattr	= vexfs_listxattr,
	.get_inode_acl	= vexfs_get_acl,
	.set_acl	= vexfs_set_acl,
};

// SPDX-License-Identifier: GPL-2.0
/*
 * /sys/fs/vexfs/<device>/: one value a file.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include <linux/fs.h>
#include <linux/kobject.h>
#include <linux/sysfs.h>

#include "vexfs.h"

static struct kset *vexfs_kset;

struct vexfs_attr {
	struct attribute attr;
	ssize_t (*show)(struct vexfs_sb_info *sbi, char *buf);
};

#define VEXFS_ATTR(_name) \
static const struct vexfs_attr vexfs_attr_##_name = { \
	.attr = { .name = #_name, .mode = 0444 }, \
	.show = vexfs_show_##_name, \
}

static ssize_t vexfs_show_errors_count(struct vexfs_sb_info *sbi, char *buf)
{
	u32 n;

	mutex_lock(&sbi->fs.orphan_lock);
	n = le32_to_cpu(vexfs_super(&sbi->fs)->s_error_count);
	mutex_unlock(&sbi->fs.orphan_lock);
	spin_lock(&sbi->error_lock);
	n += sbi->error_new;
	spin_unlock(&sbi->error_lock);
	return sysfs_emit(buf, "%u\n", n);
}
VEXFS_ATTR(errors_count);

static ssize_t vexfs_show_free_clusters(struct vexfs_sb_info *sbi, char *buf)
{
	s64 n = percpu_counter_sum_positive(&sbi->fs.free_clusters);

	return sysfs_emit(buf, "%lld\n", n);
}
VEXFS_ATTR(free_clusters);

static ssize_t vexfs_show_free_inodes(struct vexfs_sb_info *sbi, char *buf)
{
	s64 n = percpu_counter_sum_positive(&sbi->fs.free_inodes);

	return sysfs_emit(buf, "%lld\n", n);
}
VEXFS_ATTR(free_inodes);

static ssize_t vexfs_show_cluster_size(struct vexfs_sb_info *sbi, char *buf)
{
	return sysfs_emit(buf, "%u\n", sbi->fs.geom.cluster_size);
}
VEXFS_ATTR(cluster_size);

static ssize_t vexfs_show_mount_count(struct vexfs_sb_info *sbi, char *buf)
{
	u32 n;

	mutex_lock(&sbi->fs.orphan_lock);
	n = le32_to_cpu(vexfs_super(&sbi->fs)->s_mount_count);
	mutex_unlock(&sbi->fs.orphan_lock);
	return sysfs_emit(buf, "%u\n", n);
}
VEXFS_ATTR(mount_count);

static ssize_t vexfs_show_label(struct vexfs_sb_info *sbi, char *buf)
{
	char label[VEXFS_LABEL_LEN + 1] = "";

	mutex_lock(&sbi->fs.orphan_lock);
	memcpy(label, vexfs_super(&sbi->fs)->s_label, VEXFS_LABEL_LEN);
	mutex_unlock(&sbi->fs.orphan_lock);
	return sysfs_emit(buf, "%s\n", label);
}
VEXFS_ATTR(label);

static const struct attribute *const vexfs_attrs[] = {
	&vexfs_attr_errors_count.attr,
	&vexfs_attr_free_clusters.attr,
	&vexfs_attr_free_inodes.attr,
	&vexfs_attr_cluster_size.attr,
	&vexfs_attr_mount_count.attr,
	&vexfs_attr_label.attr,
	NULL,
};

static ssize_t vexfs_attr_show(struct kobject *kobj, struct attribute *attr,
			       char *buf)
{
	const struct vexfs_attr *a = container_of(attr, struct vexfs_attr, attr);

	return a->show(container_of(kobj, struct vexfs_sb_info, kobj), buf);
}

static const struct sysfs_ops vexfs_sysfs_ops = {
	.show = vexfs_attr_show,
};

static void vexfs_kobj_release(struct kobject *kobj)
{
	complete(&container_of(kobj, struct vexfs_sb_info, kobj)->kobj_gone);
}

static const struct kobj_type vexfs_ktype = {
	.sysfs_ops	= &vexfs_sysfs_ops,
	.release	= vexfs_kobj_release,
};

/* The kobject lies in the sb_info: it has to be gone before that is. */
static void vexfs_kobj_put(struct vexfs_sb_info *sbi)
{
	kobject_put(&sbi->kobj);
	wait_for_completion(&sbi->kobj_gone);
}

int vexfs_sysfs_add(struct super_block *sb)
{
	struct vexfs_sb_info *sbi = VEXFS_SB(sb);
	int err;

	sbi->kobj.kset = vexfs_kset;
	err = kobject_init_and_add(&sbi->kobj, &vexfs_ktype, NULL, "%s",
				   sb->s_id);
	if (!err)
		err = sysfs_create_files(&sbi->kobj, vexfs_attrs);
	if (err)
		vexfs_kobj_put(sbi);
	return err;
}

void vexfs_sysfs_remove(struct super_block *sb)
{
	struct vexfs_sb_info *sbi = VEXFS_SB(sb);

	sysfs_remove_files(&sbi->kobj, vexfs_attrs);
	kobject_del(&sbi->kobj);
	vexfs_kobj_put(sbi);
}

int __init vexfs_sysfs_init(void)
{
	vexfs_kset = kset_create_and_add("vexfs", NULL, fs_kobj);
	return vexfs_kset ? 0 : -ENOMEM;
}

void vexfs_sysfs_exit(void)
{
	kset_unregister(vexfs_kset);
}

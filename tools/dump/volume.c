// SPDX-License-Identifier: GPL-2.0
/*
 * Opening a volume to look at it: no more has to be right than what is asked
 * for needs.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include "dump.h"

#include <fcntl.h>

void dump_fail(const char *fmt, ...)
{
	va_list ap;

	fflush(stdout);
	fputs("vexdump: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	exit(1);
}

static void dump_replay(struct vexfs_fs *fs)
{
	struct vj_journal j;
	struct vj_replay r;
	const char *why;

	if (vj_open(&j, fs->dev, &fs->geom, &why))
		dump_fail("the journal can't be used: %s", why);
	if (vj_replay(&j, &r))
		dump_fail("the journal can't be replayed");
}

static void dump_load(struct vexfs_fs *fs)
{
	const struct vexfs_super_block *sb;
	struct vexfs_buf *buf;
	const char *why;
	u32 i;

	buf = vexfs_buf_read(fs, 0);
	if (IS_ERR(buf))
		dump_fail("the superblock can't be read");
	fs->sb_buf = buf;
	sb = vexfs_super(fs);
	if (memcmp(sb->s_magic, VEXFS_MAGIC_BYTES, sizeof(sb->s_magic)))
		dump_fail("not a VexFS volume");
	if (vexfs_geom_from_super(sb, &fs->geom, &why))
		dump_fail("the superblock can't be used: %s; see fsck.vexfs",
			  why);
	fs->csum_seed = le32_to_cpu(sb->s_csum_seed);
	fs->hash_key[0] = get_unaligned_le64(sb->s_hash_seed);
	fs->hash_key[1] = get_unaligned_le64(sb->s_hash_seed + 8);
	mutex_init(&fs->orphan_lock);
	for (i = 0; i < VEXFS_GROUP_LOCKS; i++)
		mutex_init(&fs->group_locks[i]);
}

void dump_open(struct vexfs_fs *fs, const char *path, bool replay)
{
	struct vexfs_dev *dev = vexfs_dev_open(path, O_RDONLY);

	if (IS_ERR(dev))
		dump_fail("can't open %s: %s", path,
			  strerror(-(int)PTR_ERR(dev)));
	dev->quiet = true;
	vexfs_dev_overlay(dev);
	fs->dev = dev;
	dump_load(fs);
	if (!replay)
		return;
	vexfs_buf_put(fs->sb_buf);
	dump_replay(fs);
	vexfs_dev_drop_cache(dev);
	dump_load(fs);
}

void dump_read(struct vexfs_fs *fs, u64 bno, void *data)
{
	int err = vexfs_dev_read(fs->dev, bno, data);

	if (err)
		dump_fail("block %llu can't be read: %s", bno, strerror(-err));
}

void dump_inode_get(struct vexfs_fs *fs, u64 ino, struct vexfs_inode *di)
{
	struct vexfs_inode *disk;
	struct vexfs_buf *buf = vexfs_inode_buf(fs, ino, &disk);

	if (IS_ERR(buf))
		dump_fail("there is no inode %llu", ino);
	*di = *disk;
	vexfs_buf_put(buf);
}

bool dump_has_map(const struct vexfs_inode *di)
{
	u16 fmt = le16_to_cpu(di->i_mode) & S_IFMT;

	return fmt == S_IFREG || fmt == S_IFDIR ||
	       (fmt == S_IFLNK &&
		le64_to_cpu(di->i_size) > VEXFS_FAST_SYMLINK);
}

void dump_node_get(struct vexfs_fs *fs, u64 ino, struct vexfs_node *n,
		   struct vexfs_inode *di)
{
	const char *why = NULL;

	dump_inode_get(fs, ino, di);
	vexfs_node_init(n, fs, ino, le32_to_cpu(di->i_generation));
	if (!dump_has_map(di))
		return;
	n->root = di->i_root;
	why = vexfs_verify_extent_root(fs, &n->root);
	if (why)
		dump_fail("inode %llu: %s", ino, why);
}

static u64 dump_lookup(struct vexfs_fs *fs, u64 dir, const char *name,
		       u32 len)
{
	struct vexfs_dirent de;
	struct vexfs_inode di;
	struct vexfs_node n;
	int err;

	if (len == 1 && name[0] == '.')
		return dir;
	dump_node_get(fs, dir, &n, &di);
	if (!S_ISDIR(le16_to_cpu(di.i_mode)))
		dump_fail("'%.*s': inode %llu is no directory", (int)len, name,
			  dir);
	if (len == 2 && !memcmp(name, "..", 2))
		return le64_to_cpu(di.i_parent);
	err = vexfs_dir_lookup(&n, (const u8 *)name, len, &de);
	if (err)
		dump_fail("'%.*s': %s", (int)len, name, strerror(-err));
	return de.ino;
}

u64 dump_find(struct vexfs_fs *fs, const char *what)
{
	u64 ino = VEXFS_ROOT_INO;
	u32 len;
	char *end;

	if (what[0] != '/') {
		ino = strtoull(what, &end, 10);
		if (what[0] < '0' || what[0] > '9' || *end || !ino)
			dump_fail("'%s' is neither a number nor a path from /",
				  what);
		return ino;
	}
	for (;; what += len) {
		what += strspn(what, "/");
		len = (u32)strcspn(what, "/");
		if (!len)
			return ino;
		ino = dump_lookup(fs, ino, what, len);
	}
}

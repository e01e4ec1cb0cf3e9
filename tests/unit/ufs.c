// SPDX-License-Identifier: GPL-2.0
/*
 * Operations of the crash test's model on the shared core; see ufs.h. What is
 * written goes to the disk at once, there is no page cache.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include "ufs.h"

#define UFS_CREDITS	4096

/* An inode that is being changed. */
struct ufs_inode {
	struct vexfs_inode di;
	struct vexfs_node n;
};

void ufs_init(struct ufs *u, u64 root, u32 seed)
{
	cm_init(&u->m, seed);
	u->fs = &u->vol.f.fs;
	u->ino[0] = root;
	u->rnd = seed;
}

static struct vexfs_trans *ufs_begin(struct ufs *u)
{
	struct vexfs_trans *t = vexfs_trans_begin(u->vol.f.dev, UFS_CREDITS);

	CHECK(!IS_ERR(t));
	return t;
}

/* Now and then the transaction is committed: it may end after any handle. */
static void ufs_end(struct ufs *u, struct vexfs_trans *t)
{
	CHECK_EQ(vexfs_trans_end(t), 0);
	u->rnd = (u32)cm_mix(u->rnd + 1);
	if (u->rnd % 9 == 0)
		CHECK_EQ(vexfs_dev_commit(u->vol.f.dev), 0);
}

static void ufs_get(struct ufs *u, u64 ino, struct ufs_inode *i)
{
	CHECK_EQ(fsck_node_get(&u->vol.f, ino, &i->n, &i->di), 0);
	i->n.xattr_block = le64_to_cpu(i->di.i_xattr);
	i->n.xattr_len = le16_to_cpu(i->di.i_xattr_len);
	memcpy(i->n.xattr_inline, i->di.i_xattr_inline,
	       sizeof(i->n.xattr_inline));
}

static bool ufs_is_fast(const struct vexfs_inode *di)
{
	return S_ISLNK(le16_to_cpu(di->i_mode)) &&
	       le64_to_cpu(di->i_size) <= VEXFS_FAST_SYMLINK;
}

/* All but the link of the orphan list, which is that on disk. */
static void ufs_put(struct ufs *u, struct vexfs_trans *t, struct ufs_inode *i)
{
	struct vexfs_inode *disk;
	struct vexfs_buf *buf = vexfs_inode_buf(u->fs, i->n.ino, &disk);

	CHECK(!IS_ERR(buf));
	CHECK_EQ(vexfs_trans_write(t, buf), 0);
	if (i->di.i_magic) {
		if (!ufs_is_fast(&i->di))
			i->di.i_root = i->n.root;
		i->di.i_blocks = cpu_to_le64(i->n.blocks);
		i->di.i_xattr = cpu_to_le64(i->n.xattr_block);
		i->di.i_xattr_len = cpu_to_le16((u16)i->n.xattr_len);
		memcpy(i->di.i_xattr_inline, i->n.xattr_inline,
		       sizeof(i->n.xattr_inline));
		i->di.i_orphan_next = disk->i_orphan_next;
		if (!u->keep_csum)
			i->di.i_checksum =
				cpu_to_le32(vexfs_inode_csum(u->fs, &i->di));
	}
	*disk = i->di;
	CHECK_EQ(vexfs_trans_dirty(t, buf), 0);
	vexfs_buf_put(buf);
}

static void ufs_links(struct ufs *u, struct vexfs_trans *t, u64 ino, int more)
{
	struct ufs_inode i;

	ufs_get(u, ino, &i);
	le32_add_cpu(&i.di.i_nlink, (u32)more);
	ufs_put(u, t, &i);
}

/* ----------------------------------------------------------------- names */

static void ufs_name(struct ufs *u, struct vexfs_trans *t, u64 dir, int name,
		     u64 ino, u8 type, bool add)
{
	char text[CM_NAME_MAX + 1];
	struct ufs_inode d;
	u64 size;
	u32 len;

	cm_name(name, text);
	len = (u32)strlen(text);
	ufs_get(u, dir, &d);
	size = le64_to_cpu(d.di.i_size);
	if (add)
		CHECK_EQ(vexfs_dir_add(t, &d.n, (u8 *)text, len, ino, type,
				       &size), 0);
	else
		CHECK_EQ(vexfs_dir_remove(t, &d.n, (u8 *)text, len, &size), 0);
	d.di.i_size = cpu_to_le64(size);
	ufs_put(u, t, &d);
}

static void ufs_target(struct ufs *u, struct vexfs_trans *t,
		       struct ufs_inode *i, const struct cm_op *op)
{
	char target[2 * CM_PATH_MAX];
	struct vexfs_symlink_block *sl;
	struct vexfs_buf *buf;
	struct vexfs_map map;
	u64 done;

	cm_target(op, target);
	i->di.i_size = cpu_to_le64(op->arg);
	if (ufs_is_fast(&i->di)) {
		memset(i->di.i_symlink, 0, sizeof(i->di.i_symlink));
		memcpy(i->di.i_symlink, target, op->arg);
		return;
	}
	CHECK_EQ(vexfs_ext_allocate(t, &i->n, 0, 1, 0, &map), 0);
	CHECK_EQ(vexfs_ext_convert(t, &i->n, 0, 1, &done), 0);
	buf = vexfs_buf_get(u->fs, map.pblk);
	CHECK(!IS_ERR(buf));
	CHECK_EQ(vexfs_trans_create(t, buf), 0);
	vexfs_meta_init(u->fs, buf, VEXFS_MAGIC_SYMLINK, i->n.ino,
			i->n.generation);
	sl = vexfs_buf_data(buf);
	memcpy(sl->sl_target, target, op->arg);
	vexfs_meta_csum(u->fs, buf);
	CHECK_EQ(vexfs_trans_dirty(t, buf), 0);
	vexfs_buf_put(buf);
}

static u64 ufs_create(struct ufs *u, const struct cm_op *op, u16 mode)
{
	u64 dir = u->ino[op->dir[0]], ino, size = 0;
	struct vexfs_trans *t = ufs_begin(u);
	struct ufs_inode i = { };
	u32 generation;

	CHECK_EQ(vexfs_ialloc(t, u->fs, dir, S_ISDIR(mode), &ino,
			      &generation), 0);
	vexfs_node_init(&i.n, u->fs, ino, generation);
	vexfs_ext_init_root(&i.n.root);
	i.di.i_magic = cpu_to_le16(VEXFS_INODE_MAGIC);
	i.di.i_mode = cpu_to_le16(mode);
	i.di.i_ino = cpu_to_le64(ino);
	i.di.i_generation = cpu_to_le32(generation);
	i.di.i_nlink = cpu_to_le32(S_ISDIR(mode) ? 2 : 1);
	if (S_ISDIR(mode)) {
		CHECK_EQ(vexfs_dir_init(t, &i.n, &size), 0);
		i.di.i_size = cpu_to_le64(size);
		i.di.i_parent = cpu_to_le64(dir);
	}
	if (S_ISLNK(mode))
		ufs_target(u, t, &i, op);
	ufs_put(u, t, &i);
	ufs_name(u, t, dir, op->name[0], ino, fsck_mode_type(mode), true);
	if (S_ISDIR(mode))
		ufs_links(u, t, dir, 1);
	ufs_end(u, t);
	return ino;
}

static void ufs_forget_blocks(struct ufs *u, struct vexfs_trans *t,
			      struct ufs_inode *i)
{
	struct vexfs_map map;
	u64 lblk, b;

	for (lblk = 0; lblk < VEXFS_MAX_LBLK; lblk += map.len) {
		CHECK_EQ(vexfs_ext_lookup(&i->n, lblk, VEXFS_MAX_LBLK - lblk,
					  &map), 0);
		for (b = 0; map.pblk && !map.unwritten && b < map.len; b++)
			CHECK_EQ(vexfs_trans_forget(t, u->fs, NULL,
						    map.pblk + b), 0);
	}
}

/* An inode without links, on the orphan list: in some transactions. */
static void ufs_evict(struct ufs *u, u64 ino)
{
	struct vexfs_trans *t = ufs_begin(u);
	struct ufs_inode i;
	bool more, dir;

	ufs_get(u, ino, &i);
	dir = S_ISDIR(le16_to_cpu(i.di.i_mode));
	if (fsck_has_map(&i.di)) {
		if (!S_ISREG(le16_to_cpu(i.di.i_mode)))
			ufs_forget_blocks(u, t, &i);
		CHECK_EQ(vexfs_ext_remove(t, &i.n, 0, VEXFS_MAX_LBLK, &more),
			 0);
		CHECK(!more);
		ufs_put(u, t, &i);
		ufs_end(u, t);
		t = ufs_begin(u);
	}
	CHECK_EQ(vexfs_xattr_free(t, &i.n, &more), 0);
	CHECK(!more);
	CHECK_EQ(vexfs_orphan_del(t, u->fs, ino), 0);
	memset(&i.di, 0, sizeof(i.di));
	ufs_put(u, t, &i);
	CHECK_EQ(vexfs_ifree(t, u->fs, ino, dir), 0);
	ufs_end(u, t);
}

/* One link less, of a directory its last; true if it has to be evicted. */
static bool ufs_drop(struct ufs *u, struct vexfs_trans *t, u64 ino, u64 parent)
{
	struct ufs_inode i;
	bool dir, gone;

	ufs_get(u, ino, &i);
	dir = S_ISDIR(le16_to_cpu(i.di.i_mode));
	le32_add_cpu(&i.di.i_nlink, (u32)(dir ? -2 : -1));
	gone = !i.di.i_nlink;
	ufs_put(u, t, &i);
	if (dir)
		ufs_links(u, t, parent, -1);
	if (gone)
		CHECK_EQ(vexfs_orphan_add(t, u->fs, ino), 0);
	return gone;
}

static void ufs_unlink(struct ufs *u, const struct cm_op *op)
{
	u64 dir = u->ino[op->dir[0]], ino = u->ino[op->ino];
	struct vexfs_trans *t = ufs_begin(u);
	bool gone;

	ufs_name(u, t, dir, op->name[0], 0, 0, false);
	gone = ufs_drop(u, t, ino, dir);
	ufs_end(u, t);
	if (gone)
		ufs_evict(u, ino);
}

static void ufs_moved(struct ufs *u, struct vexfs_trans *t, u64 ino, u64 from,
		      u64 to)
{
	struct ufs_inode i;

	ufs_get(u, ino, &i);
	if (!S_ISDIR(le16_to_cpu(i.di.i_mode)) || from == to)
		return;
	i.di.i_parent = cpu_to_le64(to);
	ufs_put(u, t, &i);
	ufs_links(u, t, from, -1);
	ufs_links(u, t, to, 1);
}

static u8 ufs_type(struct ufs *u, u64 ino)
{
	struct ufs_inode i;

	ufs_get(u, ino, &i);
	return fsck_mode_type(le16_to_cpu(i.di.i_mode));
}

static void ufs_rename(struct ufs *u, const struct cm_op *op)
{
	u64 from = u->ino[op->dir[0]], to = u->ino[op->dir[1]];
	u64 ino = u->ino[op->ino], other = 0;
	int over = u->m.ino[op->dir[1]].ent[op->name[1]];
	struct vexfs_trans *t = ufs_begin(u);
	bool gone = false;

	if (over >= 0) {
		other = u->ino[over];
		ufs_name(u, t, to, op->name[1], 0, 0, false);
	}
	ufs_name(u, t, from, op->name[0], 0, 0, false);
	ufs_name(u, t, to, op->name[1], ino, ufs_type(u, ino), true);
	ufs_moved(u, t, ino, from, to);
	if (other && op->kind == CM_EXCHANGE) {
		ufs_name(u, t, from, op->name[0], other, ufs_type(u, other),
			 true);
		ufs_moved(u, t, other, to, from);
	} else if (other) {
		gone = ufs_drop(u, t, other, to);
	}
	ufs_end(u, t);
	if (gone)
		ufs_evict(u, other);
}

static void ufs_link(struct ufs *u, const struct cm_op *op)
{
	struct vexfs_trans *t = ufs_begin(u);
	u64 ino = u->ino[op->ino];

	ufs_name(u, t, u->ino[op->dir[1]], op->name[1], ino, FT_REG_FILE,
		 true);
	ufs_links(u, t, ino, 1);
	ufs_end(u, t);
}

static void ufs_attribute(struct ufs *u, const struct cm_op *op)
{
	char text[3] = { 'x', (char)('0' + op->name[1]) };
	struct vexfs_xattr_name name = {
		.index = VEXFS_XATTR_USER, .len = 2, .name = (u8 *)text,
	};
	struct vexfs_trans *t = ufs_begin(u);
	u8 value[CM_VALUE_MAX];
	struct ufs_inode i;

	ufs_get(u, u->ino[op->ino], &i);
	if (op->kind == CM_CHMOD) {
		i.di.i_mode &= cpu_to_le16(S_IFMT);
		i.di.i_mode |= cpu_to_le16(op->arg);
	} else {
		cm_value(op, value);
		CHECK_EQ(vexfs_xattr_set(t, &i.n, &name,
					 op->kind == CM_RMXATTR ? NULL : value,
					 op->arg, 0), 0);
	}
	u->keep_csum = u->skip_csum && op->kind == CM_CHMOD;
	ufs_put(u, t, &i);
	u->keep_csum = false;
	ufs_end(u, t);
}

/* ------------------------------------------------------------------ data */

/* Nothing of the running transaction may be in the way. */
static void ufs_write_block(struct ufs *u, u64 bno, const void *data)
{
	struct vexfs_buf *buf = vexfs_buf_cached(u->vol.f.dev, bno);

	if (buf && buf->in_trans)
		CHECK_EQ(vexfs_dev_commit(u->vol.f.dev), 0);
	CHECK_EQ(vexfs_dev_write(u->vol.f.dev, bno, data), 0);
}

static void ufs_lookup(struct ufs_inode *i, u64 lblk, struct vexfs_map *map)
{
	CHECK_EQ(vexfs_ext_lookup(&i->n, lblk, 1, map), 0);
}

/* What was behind the end must not show when the file grows. */
static void ufs_zero_tail(struct ufs *u, struct ufs_inode *i)
{
	u64 size = le64_to_cpu(i->di.i_size), off = size % VEXFS_BLOCK_SIZE;
	u8 data[VEXFS_BLOCK_SIZE] __aligned(8);
	struct vexfs_map map;

	ufs_lookup(i, size / VEXFS_BLOCK_SIZE, &map);
	if (!off || !map.pblk || map.unwritten)
		return;
	CHECK_EQ(vexfs_dev_read(u->vol.f.dev, map.pblk, data), 0);
	memset(data + off, 0, sizeof(data) - off);
	ufs_write_block(u, map.pblk, data);
}

static void ufs_fill(struct ufs *u, const struct cm_op *op,
		     struct ufs_inode *i, u64 lblk, bool *convert)
{
	u32 id = u->m.ino[op->ino].id, per = VEXFS_BLOCK_SIZE / CM_SECTOR, s;
	u8 data[VEXFS_BLOCK_SIZE] __aligned(8) = { };
	struct vexfs_map map;

	ufs_lookup(i, lblk, &map);
	*convert |= map.unwritten;
	if (!map.unwritten)
		CHECK_EQ(vexfs_dev_read(u->vol.f.dev, map.pblk, data), 0);
	for (s = 0; s < per; s++)
		if (lblk * per + s >= op->first &&
		    lblk * per + s < (u32)op->first + op->count)
			cm_sector(u->m.seed, id, op->nr, (u32)lblk * per + s,
				  data + s * CM_SECTOR);
	ufs_write_block(u, map.pblk, data);
}

/* Unwritten blocks, the data, then the transaction that makes them count. */
static void ufs_write(struct ufs *u, const struct cm_op *op)
{
	u32 per = VEXFS_BLOCK_SIZE / CM_SECTOR;
	u64 first = op->first / per, lblk, done;
	u64 end = DIV_ROUND_UP(op->first + op->count, per);
	u64 size = (op->first + op->count) * CM_SECTOR;
	struct vexfs_trans *t;
	struct ufs_inode i;
	struct vexfs_map map;
	bool convert = false;

	ufs_get(u, u->ino[op->ino], &i);
	if (size > le64_to_cpu(i.di.i_size))
		ufs_zero_tail(u, &i);
	t = ufs_begin(u);
	for (lblk = first; lblk < end; lblk += map.len)
		CHECK_EQ(vexfs_ext_allocate(t, &i.n, lblk, end - lblk, 0,
					    &map), 0);
	ufs_put(u, t, &i);
	ufs_end(u, t);
	for (lblk = first; lblk < end; lblk++)
		ufs_fill(u, op, &i, lblk, &convert);
	if (!convert && size <= le64_to_cpu(i.di.i_size))
		return;
	t = ufs_begin(u);
	for (lblk = first; lblk < end; lblk += done)
		CHECK_EQ(vexfs_ext_convert(t, &i.n, lblk, end - lblk, &done),
			 0);
	if (size > le64_to_cpu(i.di.i_size))
		i.di.i_size = cpu_to_le64(size);
	ufs_put(u, t, &i);
	ufs_end(u, t);
}

static void ufs_truncate(struct ufs *u, const struct cm_op *op)
{
	u64 size = op->first * CM_SECTOR, ino = u->ino[op->ino];
	struct vexfs_trans *t;
	struct ufs_inode i;
	bool more;

	ufs_get(u, ino, &i);
	if (size > le64_to_cpu(i.di.i_size)) {
		ufs_zero_tail(u, &i);
		t = ufs_begin(u);
		i.di.i_size = cpu_to_le64(size);
		ufs_put(u, t, &i);
		ufs_end(u, t);
		return;
	}
	t = ufs_begin(u);
	i.di.i_size = cpu_to_le64(size);
	ufs_put(u, t, &i);
	CHECK_EQ(vexfs_orphan_add(t, u->fs, ino), 0);
	ufs_end(u, t);
	t = ufs_begin(u);
	CHECK_EQ(vexfs_ext_remove(t, &i.n, DIV_ROUND_UP(size, VEXFS_BLOCK_SIZE),
				  VEXFS_MAX_LBLK, &more), 0);
	CHECK(!more);
	ufs_put(u, t, &i);
	CHECK_EQ(vexfs_orphan_del(t, u->fs, ino), 0);
	ufs_end(u, t);
}

static void ufs_space(struct ufs *u, const struct cm_op *op)
{
	u32 per = VEXFS_BLOCK_SIZE / CM_SECTOR;
	u64 lblk = op->first / per, end = (op->first + op->count) / per;
	struct vexfs_trans *t = ufs_begin(u);
	struct vexfs_map map;
	struct ufs_inode i;
	bool more;

	ufs_get(u, u->ino[op->ino], &i);
	if (op->kind == CM_PUNCH)
		CHECK_EQ(vexfs_ext_remove(t, &i.n, lblk, end, &more), 0);
	for (; op->kind == CM_PREALLOC && lblk < end; lblk += map.len)
		CHECK_EQ(vexfs_ext_allocate(t, &i.n, lblk, end - lblk, 0,
					    &map), 0);
	ufs_put(u, t, &i);
	ufs_end(u, t);
}

/* --------------------------------------------------------------- one of all */

static void ufs_create_op(struct ufs *u, const struct cm_op *op)
{
	static const u16 mode[] = {
		[CM_CREATE] = S_IFREG | 0644, [CM_MKDIR] = S_IFDIR | 0755,
		[CM_SYMLINK] = S_IFLNK | 0777,
	};
	u64 ino = ufs_create(u, op, mode[op->kind]);
	int i;

	/* The model takes the first that is free. */
	for (i = 0; u->m.ino[i].type != CM_FREE; i++)
		;
	u->ino[i] = ino;
}

static void ufs_sync(struct ufs *u)
{
	CHECK_EQ(vexfs_dev_commit(u->vol.f.dev), 0);
	CHECK_EQ(vexfs_dev_sync(u->vol.f.dev), 0);
}

void ufs_do(struct ufs *u, const struct cm_op *op)
{
	switch (op->kind) {
	case CM_CREATE:
	case CM_MKDIR:
	case CM_SYMLINK:
		ufs_create_op(u, op);
		break;
	case CM_UNLINK:
	case CM_RMDIR:
		ufs_unlink(u, op);
		break;
	case CM_RENAME:
	case CM_EXCHANGE:
		ufs_rename(u, op);
		break;
	case CM_HARDLINK:
		ufs_link(u, op);
		break;
	case CM_CHMOD:
	case CM_SETXATTR:
	case CM_RMXATTR:
		ufs_attribute(u, op);
		break;
	case CM_WRITE:
		ufs_write(u, op);
		break;
	case CM_TRUNCATE:
		ufs_truncate(u, op);
		break;
	case CM_PUNCH:
	case CM_PREALLOC:
		ufs_space(u, op);
		break;
	default:
		ufs_sync(u);
	}
	cm_apply(&u->m, op);
}

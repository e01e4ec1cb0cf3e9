// SPDX-License-Identifier: GPL-2.0
/*
 * Quota files for the tests of fsck, and damages of them.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include "fsck_damage.h"

void fu_quota_get(struct fu_vol *v, int type, struct vq_table *table)
{
	struct vexfs_inode di;
	struct vexfs_node n;
	u64 size;
	u8 *data;

	CHECK_EQ(fsck_node_get(&v->f, VEXFS_USRQUOTA_INO + type, &n, &di), 0);
	size = le64_to_cpu(di.i_size);
	data = malloc(size);
	CHECK(data);
	CHECK_EQ(vq_load(&n, data, size), 0);
	CHECK(!vq_parse(table, type, data, size));
	free(data);
}

void fu_quota_put(struct fu_vol *v, int type, struct vq_table *table)
{
	struct vexfs_trans *t = vexfs_trans_begin(v->f.dev, 1 << 20);
	struct vexfs_inode di;
	struct vexfs_node n;
	u64 size;
	u8 *data = vq_make(table, type, &size);

	CHECK(!IS_ERR(t));
	CHECK_EQ(fsck_node_get(&v->f, VEXFS_USRQUOTA_INO + type, &n, &di), 0);
	CHECK_EQ(vq_store(t, &n, data, size), 0);
	CHECK_EQ(vexfs_trans_end(t), 0);
	CHECK_EQ(vexfs_dev_commit(v->f.dev), 0);
	CHECK_EQ(fsck_node_put(&v->f, &n, &size), 0);
	free(data);
}

/* By the inode bitmap: not as fsck goes about it. */
static void count(struct fu_vol *v, int type, struct vq_table *table)
{
	struct vexfs_inode di;
	struct vq_entry *e;
	u64 ino;
	u32 id;

	for (ino = VEXFS_ROOT_INO; vexfs_ino_valid(&v->f.fs, ino) ||
	     ino < VEXFS_FIRST_INO; ino++) {
		if ((ino != VEXFS_ROOT_INO && ino < VEXFS_FIRST_INO) ||
		    vexfs_inode_allocated(&v->f.fs, ino) != 1)
			continue;
		fu_inode(v, ino, &di);
		id = le32_to_cpu(type == 0 ? di.i_uid : type == 1 ? di.i_gid :
				 di.i_projid);
		e = vq_get(table, id);
		e->inodes = cpu_to_le64(le64_to_cpu(e->inodes) + 1);
		e->space = cpu_to_le64(le64_to_cpu(e->space) +
				       le64_to_cpu(di.i_blocks) * 4096);
	}
}

static void owner(struct fu_vol *v, u64 ino, u32 uid, u32 gid, u32 projid)
{
	struct vexfs_inode di;

	fu_inode(v, ino, &di);
	di.i_uid = cpu_to_le32(uid);
	di.i_gid = cpu_to_le32(gid);
	di.i_projid = cpu_to_le32(projid);
	fu_put_inode(v, ino, &di);
}

/* More ids than a block of entries takes, with a tree that branches. */
static void limits(struct vq_table *table)
{
	struct vq_entry *e = vq_get(table, 1000);
	u32 i;

	e->ihard = cpu_to_le64(77);
	e->bsoft = cpu_to_le64(99);
	for (i = 0; i < 30; i++)
		vq_get(table, i * 0x10101 + 7)->bhard = cpu_to_le64(i);
	table->bgrace = 1234;
}

void fu_quota(struct fu_vol *v)
{
	struct vq_table table;
	int type;

	owner(v, v->n.file, 1000, 100, 0);
	owner(v, v->n.other, 1000, 200, 42);
	owner(v, v->n.coll, 70000, 100, 0xfffffffe);
	for (type = 0; type < VQ_TYPES; type++) {
		vq_init(&table);
		limits(&table);
		count(v, type, &table);
		fu_quota_put(v, type, &table);
		vq_free(&table);
	}
}

/* Changes the entry of an id. */
#define QUOTA_ENTRY(name, type, id, change)				\
static void name(struct fu_vol *v)					\
{									\
	struct vq_table table;						\
	struct vq_entry *e;						\
									\
	vq_init(&table);						\
	fu_quota_get(v, type, &table);					\
	e = vq_get(&table, id);						\
	change;								\
	fu_quota_put(v, type, &table);					\
	vq_free(&table);						\
}

QUOTA_ENTRY(user_inodes, 0, 1000, e->inodes = cpu_to_le64(3))
QUOTA_ENTRY(user_root, 0, 0, e->space = 0)
QUOTA_ENTRY(group_space, 1, 100, le64_add_cpu(&e->space, 4096))
QUOTA_ENTRY(group_negative, 1, 200, e->inodes = cpu_to_le64(~0ull))
QUOTA_ENTRY(project_space, 2, 42, le64_add_cpu(&e->space, -4096ll))
QUOTA_ENTRY(project_high, 2, 0xfffffffe, e->inodes = 0)
QUOTA_ENTRY(entry_extra, 0, 31337, e->inodes = cpu_to_le64(1))
/* Its place in the file is another's then. */
QUOTA_ENTRY(entry_lost, 0, 1000, e->id = cpu_to_le32(1001))

/* Changes the first blocks of a quota file: header, and root of the tree. */
#define QUOTA_BLOCK(name, type, change)					\
static void name(struct fu_vol *v)					\
{									\
	u64 bno = fu_block(v, VEXFS_USRQUOTA_INO + (type), 0);		\
	u8 data[VEXFS_BLOCK_SIZE] __aligned(8);				\
	struct vq_header *h = (void *)data;				\
	__le32 *root = (void *)(data + VQ_BLOCK_SIZE);			\
	__le32 *next = root + VQ_REFS;					\
	struct vq_block *leaf = (void *)next;				\
									\
	(void)h;							\
	(void)next;							\
	(void)leaf;							\
	fu_read(v, bno, data);						\
	change;								\
	fu_write(v, bno, data);						\
}

QUOTA_BLOCK(file_magic, 0, h->magic ^= cpu_to_le32(1))
QUOTA_BLOCK(file_version, 1, h->version = 0)
QUOTA_BLOCK(file_type, 2, h->magic = cpu_to_le32(0xd9c01f11))
QUOTA_BLOCK(file_blocks, 1, h->blocks = cpu_to_le32(100000))
QUOTA_BLOCK(file_blocks_few, 1, h->blocks = cpu_to_le32(2))
QUOTA_BLOCK(file_free, 0, h->free_blk = cpu_to_le32(1))
QUOTA_BLOCK(file_free_far, 0, h->free_blk = cpu_to_le32(99999))
QUOTA_BLOCK(file_room, 0, h->free_entry = cpu_to_le32(1))
QUOTA_BLOCK(tree_none, 0, root[0] = 0)
QUOTA_BLOCK(tree_far, 0, root[0] = cpu_to_le32(0x7fffffff))
QUOTA_BLOCK(tree_loop, 0, root[0] = cpu_to_le32(VQ_ROOT))
QUOTA_BLOCK(tree_twice, 2, root[9] = root[0])
QUOTA_BLOCK(leaf_count, 0, le16_add_cpu(&leaf->entries, 1))
QUOTA_BLOCK(leaf_id, 1, ((struct vq_entry *)(leaf + 1))->id ^= cpu_to_le32(1))

static void file_zero(struct fu_vol *v)
{
	u8 data[VEXFS_BLOCK_SIZE] __aligned(8) = { };

	fu_write(v, fu_block(v, VEXFS_GRPQUOTA_INO, 0), data);
}

#define QUOTA_INODE(name, change)					\
static void name(struct fu_vol *v)					\
{									\
	struct vexfs_inode di;						\
									\
	fu_inode(v, VEXFS_GRPQUOTA_INO, &di);				\
	change;								\
	fu_put_inode(v, VEXFS_GRPQUOTA_INO, &di);			\
}

QUOTA_INODE(inode_none, memset(&di, 0, sizeof(di)))
QUOTA_INODE(inode_type, di.i_mode = cpu_to_le16(S_IFIFO | 0600))
QUOTA_INODE(inode_fork, di.i_flags = cpu_to_le32(VEXFS_FORK_FL);
	    di.i_parent = cpu_to_le64(11))
QUOTA_INODE(inode_links, di.i_nlink = 0)
QUOTA_INODE(inode_empty, di.i_size = 0)
QUOTA_INODE(inode_long, di.i_size = cpu_to_le64(1ull << 40))
QUOTA_INODE(inode_map, vexfs_ext_init_root(&di.i_root))

#define QUOTA_SUPER(name, change)					\
static void name(struct fu_vol *v)					\
{									\
	struct vexfs_super_block sb;					\
									\
	fu_super(v, &sb);						\
	change;								\
	fu_put_super(v, &sb, true);					\
}

QUOTA_SUPER(super_ino, sb.s_quota_ino[1] = cpu_to_le64(11))
QUOTA_SUPER(super_none, sb.s_quota_ino[2] = 0)
QUOTA_SUPER(super_features, sb.s_feature_ro_compat = 0)
QUOTA_SUPER(super_project, sb.s_feature_ro_compat = cpu_to_le32(1))

static void owner_none(struct fu_vol *v)
{
	owner(v, v->n.file, 1000, ~0u, 0);
}

const struct fsck_damage fsck_quota_damage[] = {
	{ "quota: inodes of a user", user_inodes, FP_QUOTA_USAGE },
	{ "quota: space of root", user_root, FP_QUOTA_USAGE },
	{ "quota: space of a group", group_space, FP_QUOTA_USAGE },
	{ "quota: group below nothing", group_negative, FP_QUOTA_USAGE },
	{ "quota: space of a project", project_space, FP_QUOTA_USAGE },
	{ "quota: project of a high number", project_high, FP_QUOTA_USAGE },
	{ "quota: user who has nothing", entry_extra, FP_QUOTA_USAGE },
	{ "quota: entry of another number", entry_lost, FP_QUOTA_USAGE },
	{ "quota file: magic", file_magic, FP_QUOTA_FILE },
	{ "quota file: version", file_version, FP_QUOTA_FILE },
	{ "quota file of another type", file_type, FP_QUOTA_FILE },
	{ "quota file: too many blocks", file_blocks, FP_QUOTA_FILE },
	{ "quota file: too few blocks", file_blocks_few, FP_QUOTA_FILE },
	{ "quota file: free block in use", file_free, FP_QUOTA_FILE },
	{ "quota file: free block nowhere", file_free_far, FP_QUOTA_FILE },
	{ "quota file: block with room", file_room, FP_QUOTA_FILE },
	{ "quota file: no tree", tree_none, FP_QUOTA_FILE },
	{ "quota file: tree leads out", tree_far, FP_QUOTA_FILE },
	{ "quota file: tree is a loop", tree_loop, FP_QUOTA_FILE },
	{ "quota file: branch twice", tree_twice, FP_QUOTA_FILE },
	{ "quota file: number of entries", leaf_count, FP_QUOTA_FILE },
	{ "quota file: entry is not there", leaf_id, FP_QUOTA_FILE },
	{ "quota file of zeroes", file_zero, FP_QUOTA_FILE },
	{ "quota inode of zeroes", inode_none, FP_QUOTA_INODE },
	{ "quota inode is a pipe", inode_type, FP_QUOTA_INODE },
	{ "quota inode is a fork", inode_fork, FP_QUOTA_INODE },
	{ "quota inode without link", inode_links, FP_QUOTA_INODE },
	{ "quota file without size", inode_empty, FP_MAP_BEHIND },
	{ "quota file of 1 TiB", inode_long, FP_QUOTA_FILE },
	{ "quota file without blocks", inode_map, FP_QUOTA_FILE },
	{ "super block: quota inode", super_ino, FP_SUPER_FIELD },
	{ "super block: quota inode in use", super_none, FP_SUPER_FIELD },
	{ "super block: no feature quota", super_features, FP_SUPER_FIELD },
	{ "super block: no feature project", super_project, FP_SUPER_FIELD },
	{ "impossible group", owner_none, FP_INODE_FIELD },
};

const u32 fsck_quota_damages = ARRAY_SIZE(fsck_quota_damage);

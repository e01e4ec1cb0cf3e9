// SPDX-License-Identifier: GPL-2.0
/*
 * Damages for fsck to repair, each a function that plants one.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include "fsck_damage.h"

/* A field of the superblock, with a right checksum around it. */
#define SUPER_FIELD(name, change)					\
static void name(struct fu_vol *v)					\
{									\
	struct vexfs_super_block sb;					\
									\
	fu_super(v, &sb);						\
	change;								\
	fu_put_super(v, &sb, true);					\
}

SUPER_FIELD(super_magic, memset(sb.s_magic, 0, 8))
SUPER_FIELD(super_errors, sb.s_errors = cpu_to_le32(9))
SUPER_FIELD(super_state, sb.s_state = cpu_to_le32(0xf0))
SUPER_FIELD(super_dims, sb.s_vector_dims = cpu_to_le32(99999))
SUPER_FIELD(super_nr, sb.s_backup_nr = cpu_to_le32(1))
SUPER_FIELD(super_reserved, sb.s_reserved_clusters = cpu_to_le64(~0ull >> 1))
SUPER_FIELD(super_clusters, sb.s_clusters_count = cpu_to_le64(77))
SUPER_FIELD(super_ipg, sb.s_inodes_per_group = cpu_to_le32(123456))
SUPER_FIELD(super_journal, sb.s_journal_clusters = cpu_to_le64(1))
SUPER_FIELD(super_feature, sb.s_feature_incompat = 0)
SUPER_FIELD(orphan_head, sb.s_orphan_head = cpu_to_le64(0xdeadbeef))
SUPER_FIELD(orphan_root, sb.s_orphan_head = cpu_to_le64(VEXFS_ROOT_INO))

static void super_csum(struct fu_vol *v)
{
	struct vexfs_super_block sb;

	fu_super(v, &sb);
	sb.s_label[0] ^= 1;
	fu_put_super(v, &sb, false);
}

static void block_zero(struct fu_vol *v, u64 bno)
{
	u8 data[VEXFS_BLOCK_SIZE] __aligned(8) = { };

	fu_write(v, bno, data);
}

static void super_zero(struct fu_vol *v)
{
	block_zero(v, 0);
}

static void backup_super(struct fu_vol *v)
{
	fu_flip(v, vexfs_backup_block(&v->f.fs.geom, 0), VEXFS_SUPER_OFFSET);
}

static void backup_desc(struct fu_vol *v)
{
	block_zero(v, vexfs_backup_block(&v->f.fs.geom, 1));
}

static u64 journal_block(struct fu_vol *v)
{
	return vexfs_journal_block(&v->f.fs.geom, 0);
}

static void journal_magic(struct fu_vol *v)
{
	fu_flip(v, journal_block(v), 0);
}

static void journal_length(struct fu_vol *v)
{
	fu_flip(v, journal_block(v), offsetof(struct vj_super, s_maxlen) + 3);
}

static void journal_error(struct fu_vol *v)
{
	u8 data[VEXFS_BLOCK_SIZE] __aligned(8);
	struct vj_super *s = (void *)data;

	fu_read(v, journal_block(v), data);
	s->s_errno = cpu_to_be32(-5);
	fu_write(v, journal_block(v), data);
}

/* Fields of the first group's descriptor. */
#define DESC_FIELD(name, change, sealed)				\
static void name(struct fu_vol *v)					\
{									\
	struct vexfs_group_desc gd;					\
									\
	fu_desc(v, 0, &gd);						\
	change;								\
	fu_put_desc(v, 0, &gd, sealed);					\
}

DESC_FIELD(desc_csum, gd.bg_free_clusters ^= 1, false)
DESC_FIELD(desc_flags, gd.bg_flags = cpu_to_le16(0x80), true)
DESC_FIELD(desc_free, le32_add_cpu(&gd.bg_free_clusters, -1), true)
DESC_FIELD(desc_inodes, le32_add_cpu(&gd.bg_free_inodes, 2), true)
DESC_FIELD(desc_dirs, le32_add_cpu(&gd.bg_used_dirs, 1), true)
DESC_FIELD(desc_unused, le32_add_cpu(&gd.bg_itable_unused, 32), true)
DESC_FIELD(desc_reserved, gd.bg_reserved = cpu_to_le16(1), true)
DESC_FIELD(desc_many, gd.bg_free_clusters = cpu_to_le32(1u << 30), true)
DESC_FIELD(bitmap_csum, gd.bg_cluster_bitmap_csum ^= 1, true)
DESC_FIELD(ibitmap_csum, gd.bg_inode_bitmap_csum ^= 1, true)

static void desc_zero(struct fu_vol *v)
{
	block_zero(v, vexfs_gdt_block(&v->f.fs.geom, 0));
}

/* Changes bits of a bitmap, and what the descriptor says of it. */
static void change_bits(struct fu_vol *v, bool inodes, u32 bit, u32 n,
			bool set)
{
	const struct vexfs_geom *g = &v->f.fs.geom;
	u64 bno = inodes ? vexfs_inode_bitmap_block(g, 0, 0) :
			   vexfs_cluster_bitmap_block(g, 0);
	u8 data[VEXFS_BLOCK_SIZE] __aligned(8);
	struct vexfs_group_desc gd;
	u32 crc, zeroes;

	fu_read(v, bno, data);
	while (n--) {
		if (set)
			__set_bit_le(bit++, data);
		else
			__clear_bit_le(bit++, data);
	}
	fu_write(v, bno, data);
	fu_desc(v, 0, &gd);
	crc = vexfs_crc32c(v->f.fs.csum_seed, data, sizeof(data));
	zeroes = vexfs_bitmap_zeroes(data, 8 * sizeof(data));
	if (inodes) {
		gd.bg_inode_bitmap_csum = cpu_to_le32(crc);
		gd.bg_free_inodes = cpu_to_le32(zeroes);
	} else {
		gd.bg_cluster_bitmap_csum = cpu_to_le32(crc);
		gd.bg_free_clusters = cpu_to_le32(zeroes);
	}
	fu_put_desc(v, 0, &gd, true);
}

static u32 free_cluster(struct fu_vol *v)
{
	u8 data[VEXFS_BLOCK_SIZE] __aligned(8);

	fu_read(v, vexfs_cluster_bitmap_block(&v->f.fs.geom, 0), data);
	return find_next_zero_bit_le(data, 8 * sizeof(data), 0);
}

static void bitmap_lost(struct fu_vol *v)
{
	change_bits(v, false, free_cluster(v) + 9, 5, true);
}

static void bitmap_used_free(struct fu_vol *v)
{
	change_bits(v, false, (u32)fu_block(v, v->n.file, 3), 2, false);
}

/* With a right checksum, but a count that no group of this size has. */
static void bitmap_meta(struct fu_vol *v)
{
	change_bits(v, false, 2, 1, false);
}

static void bitmap_journal(struct fu_vol *v)
{
	change_bits(v, false, (u32)journal_block(v) + 5, 3, false);
}

static void bitmap_zeroed(struct fu_vol *v)
{
	block_zero(v, vexfs_cluster_bitmap_block(&v->f.fs.geom, 0));
}

static void ibitmap_lost(struct fu_vol *v)
{
	change_bits(v, true, (u32)v->n.coll + 3, 2, true);
}

static void ibitmap_free(struct fu_vol *v)
{
	change_bits(v, true, (u32)v->n.file - 1, 1, false);
}

static void ibitmap_reserved(struct fu_vol *v)
{
	change_bits(v, true, 4, 1, false);
}

static void ibitmap_zero(struct fu_vol *v)
{
	block_zero(v, vexfs_inode_bitmap_block(&v->f.fs.geom, 0, 0));
}

/* A used inode beyond the mark, as the bitmap has it. */
static void ibitmap_tail(struct fu_vol *v)
{
	change_bits(v, true, vexfs_group_inodes(&v->f.fs.geom, 0) + 1, 1,
		    false);
}

/* A block that is some other inode's. */
static __le64 slow_block(struct fu_vol *v)
{
	return cpu_to_le64(fu_block(v, v->n.slow, 0));
}

/* Fields of inodes, under a right checksum. */
#define INODE_FIELD(name, which, change)				\
static void name(struct fu_vol *v)					\
{									\
	struct vexfs_inode di;						\
	u64 ino = v->n.which;						\
									\
	fu_inode(v, ino, &di);						\
	change;								\
	fu_put_inode(v, ino, &di);					\
}

/* The same, and the checksum stays as it was. */
#define INODE_RAW(name, which, change)					\
static void name(struct fu_vol *v)					\
{									\
	struct vexfs_inode di;						\
	u64 ino = v->n.which;						\
									\
	fu_inode(v, ino, &di);						\
	change;								\
	fu_put_raw_inode(v, ino, &di);					\
}

INODE_RAW(inode_csum, file, di.i_mtime ^= cpu_to_le64(64))
INODE_RAW(inode_zero, file, memset(&di, 0, sizeof(di)))
INODE_RAW(inode_magic, file, di.i_magic = cpu_to_le16(7))
INODE_RAW(inode_number_csum, file, di.i_ino = cpu_to_le64(99))
INODE_FIELD(inode_number, file, di.i_ino = cpu_to_le64(99))
INODE_FIELD(inode_mode, file, di.i_mode = cpu_to_le16(0xf000))
INODE_FIELD(inode_generation, file, di.i_generation = 0)
INODE_FIELD(inode_flags, file, di.i_flags = cpu_to_le32(0x800))
INODE_FIELD(inode_dir_coll, empty, di.i_flags = cpu_to_le32(0x40000000))
INODE_FIELD(inode_size, file, di.i_size = cpu_to_le64(1ull << 60))
INODE_FIELD(inode_small, file, di.i_size = cpu_to_le64(5000))
INODE_FIELD(inode_blocks, file, di.i_blocks = cpu_to_le64(3))
INODE_FIELD(inode_blocks_many, file, di.i_blocks = cpu_to_le64(1ull << 50))
INODE_FIELD(inode_links_many, file, di.i_nlink = cpu_to_le32(100000))
INODE_FIELD(inode_links, file, di.i_nlink = cpu_to_le32(3))
INODE_FIELD(inode_links_few, file, di.i_nlink = cpu_to_le32(1))
INODE_FIELD(inode_unused, other, di.i_nlink = 0)
INODE_FIELD(inode_dir_links, dir, di.i_nlink = cpu_to_le32(9))
INODE_FIELD(inode_special, dev, di.i_size = cpu_to_le64(10))
INODE_FIELD(inode_coll_field, file, di.i_coll = cpu_to_le64(2000))
INODE_FIELD(inode_orphan, file, di.i_orphan_next = cpu_to_le64(14))
INODE_FIELD(dir_size, dir, le64_add_cpu(&di.i_size, 100))
INODE_FIELD(dir_size_none, dir, di.i_size = 0)
INODE_FIELD(dir_size_less, dir, le64_add_cpu(&di.i_size, -4096ull))
INODE_FIELD(dir_size_more, dir, le64_add_cpu(&di.i_size, 4096))
INODE_FIELD(dir_no_parent, empty, di.i_parent = 0)
INODE_FIELD(dir_parent, subsub, di.i_parent = cpu_to_le64(v->n.empty))
INODE_FIELD(link_none, fast, di.i_size = 0)
INODE_FIELD(link_zero, fast, di.i_symlink[5] = 0)
INODE_FIELD(link_long, slow, di.i_size = cpu_to_le64(5000))
INODE_FIELD(link_more, slow, di.i_size = cpu_to_le64(4090))
INODE_FIELD(xattr_len, file, di.i_xattr_len = cpu_to_le16(99))
INODE_FIELD(xattr_block, file, di.i_xattr = cpu_to_le64(1))
INODE_FIELD(xattr_alien, file, di.i_xattr = slow_block(v))
INODE_FIELD(map_count, file, di.i_root.er_count = cpu_to_le16(9))
INODE_FIELD(map_depth, file, di.i_root.er_depth = cpu_to_le16(99))
INODE_FIELD(map_depth_one, file, di.i_root.er_depth = cpu_to_le16(1))
INODE_FIELD(map_reserved, file, di.i_root.er_reserved = cpu_to_le32(1))
INODE_FIELD(map_empty, file, di.i_root.er_rec[0].ee_len = 0)
INODE_FIELD(map_meta, file, di.i_root.er_rec[0].ee_pblk = cpu_to_le64(2))
INODE_FIELD(map_far, file,
	    di.i_root.er_rec[0].ee_pblk = cpu_to_le64(1ull << 50))
INODE_FIELD(map_into_journal, file,
	    di.i_root.er_rec[0].ee_pblk = cpu_to_le64(journal_block(v) + 4))
INODE_FIELD(map_end, file,
	    di.i_root.er_rec[0].ee_lblk = cpu_to_le32(0xfffffffe))
INODE_FIELD(map_lost_node, extents, di.i_root.er_rec[1].ee_pblk = slow_block(v))
INODE_FIELD(map_key, extents, di.i_root.er_rec[0].ee_lblk = cpu_to_le32(64))
INODE_FIELD(map_key_order, extents,
	    di.i_root.er_rec[1].ee_lblk = cpu_to_le32(32))
INODE_FIELD(map_same_node, extents,
	    di.i_root.er_rec[1].ee_pblk = di.i_root.er_rec[0].ee_pblk)
INODE_FIELD(coll_bad_block, coll, di.i_coll = cpu_to_le64(1))
INODE_FIELD(coll_size, coll, di.i_size = cpu_to_le64(4096))

static void root_zero(struct fu_vol *v)
{
	struct vexfs_inode di = { };

	fu_put_raw_inode(v, VEXFS_ROOT_INO, &di);
}

static void root_file(struct fu_vol *v)
{
	struct vexfs_inode di;

	fu_inode(v, VEXFS_ROOT_INO, &di);
	di.i_mode = cpu_to_le16(S_IFREG | 0644);
	fu_put_inode(v, VEXFS_ROOT_INO, &di);
}

static void reserved_used(struct fu_vol *v)
{
	struct vexfs_inode di;

	fu_inode(v, v->n.file, &di);
	di.i_ino = cpu_to_le64(7);
	fu_put_inode(v, 7, &di);
}

static void link_csum(struct fu_vol *v)
{
	fu_flip(v, fu_block(v, v->n.slow, 0), 50);
}

static void link_alien(struct fu_vol *v)
{
	fu_flip(v, fu_block(v, v->n.slow, 0), 17);
}

/* ------------------------------------------------------------ extents */

static u64 first_node(struct fu_vol *v, int nr)
{
	struct vexfs_inode di;

	fu_inode(v, v->n.extents, &di);
	CHECK_EQ(le16_to_cpu(di.i_root.er_depth), 1);
	return le64_to_cpu(di.i_root.er_rec[nr].ee_pblk);
}

static void node_csum(struct fu_vol *v)
{
	fu_flip(v, first_node(v, 0), 4090);
}

static void node_magic(struct fu_vol *v)
{
	fu_flip(v, first_node(v, 0), 1);
}

static void node_zero(struct fu_vol *v)
{
	block_zero(v, first_node(v, 1));
}

#define NODE_FIELD(name, change)					\
static void name(struct fu_vol *v)					\
{									\
	struct vexfs_extent_node node;					\
	u64 bno = first_node(v, 0);					\
									\
	fu_read(v, bno, &node);						\
	change;								\
	fu_write_sealed(v, bno, &node);					\
}

NODE_FIELD(node_count, node.en_count = 0)
NODE_FIELD(node_count_many, node.en_count = cpu_to_le16(999))
NODE_FIELD(node_depth, node.en_depth = cpu_to_le16(1))
NODE_FIELD(node_order, swap(node.en_rec[3], node.en_rec[4]))
NODE_FIELD(node_overlap, node.en_rec[3].ee_len = cpu_to_le32(100))
NODE_FIELD(node_none, node.en_rec[7].ee_len = 0)
NODE_FIELD(node_meta, node.en_rec[7].ee_pblk = cpu_to_le64(3))
NODE_FIELD(node_range, node.en_rec[251].ee_lblk = cpu_to_le32(999999))
NODE_FIELD(node_reserved, node.en_reserved = cpu_to_le32(1))

static void overlap_files(struct fu_vol *v)
{
	struct vexfs_inode a, b;

	fu_inode(v, v->n.file, &a);
	fu_inode(v, v->n.other, &b);
	b.i_root.er_rec[0].ee_pblk = a.i_root.er_rec[0].ee_pblk;
	fu_put_inode(v, v->n.other, &b);
}

static void overlap_self(struct fu_vol *v)
{
	struct vexfs_extent_node node;
	u64 bno = first_node(v, 0);

	fu_read(v, bno, &node);
	node.en_rec[9].ee_pblk = node.en_rec[5].ee_pblk;
	fu_write_sealed(v, bno, &node);
}

static void overlap_dir(struct fu_vol *v)
{
	struct vexfs_inode di;

	fu_inode(v, v->n.sparse, &di);
	di.i_root.er_rec[0].ee_pblk = cpu_to_le64(fu_block(v, v->n.dir, 1));
	di.i_root.er_rec[0].ee_len = cpu_to_le32(1);
	di.i_blocks = cpu_to_le64(51);
	fu_put_inode(v, v->n.sparse, &di);
}

static void overlap_node(struct fu_vol *v)
{
	struct vexfs_inode di;

	fu_inode(v, v->n.file, &di);
	di.i_root.er_rec[0].ee_pblk = cpu_to_le64(first_node(v, 0));
	di.i_root.er_rec[0].ee_len = cpu_to_le32(1);
	di.i_blocks = cpu_to_le64(1);
	fu_put_inode(v, v->n.file, &di);
}

/* A directory that claims a file's block. */
static void overlap_by_dir(struct fu_vol *v)
{
	struct vexfs_inode di;

	fu_inode(v, v->n.empty, &di);
	di.i_root.er_rec[0].ee_pblk = cpu_to_le64(fu_block(v, v->n.file, 0));
	fu_put_inode(v, v->n.empty, &di);
}

/* ---------------------------------------------------------- directories */

#define DIR_BLOCK(name, which, lblk, change)				\
static void name(struct fu_vol *v)					\
{									\
	u64 bno = fu_block(v, v->n.which, lblk);			\
	struct vexfs_dir_block db;					\
									\
	fu_read(v, bno, &db);						\
	change;								\
	fu_write_sealed(v, bno, &db);					\
}

static struct vexfs_dir_entry *entry_after(struct vexfs_dir_block *db)
{
	u32 size = vexfs_dir_entry_size(vexfs_dir_entry_at(db, 0));

	return vexfs_dir_entry_at(db, size);
}

static void swap_keys(struct vexfs_dir_block *db)
{
	struct vexfs_dir_entry *a = vexfs_dir_entry_at(db, 0);
	struct vexfs_dir_entry *b = entry_after(db);

	swap(a->de_key_lo, b->de_key_lo);
	swap(a->de_key_hi, b->de_key_hi);
}

static void one_key_up(struct vexfs_dir_block *db)
{
	struct vexfs_dir_entry *a = vexfs_dir_entry_at(db, 0);

	a->de_key_lo ^= cpu_to_le32(1 << VEXFS_DIR_DISC_BITS);
}

static void bad_name(struct vexfs_dir_block *db)
{
	vexfs_dir_entry_at(db, 0)->de_name[3] = '/';
}

static void dot_name(struct vexfs_dir_block *db)
{
	struct vexfs_dir_entry *e = vexfs_dir_entry_at(db, 0);

	memset(e->de_name, '.', e->de_name_len);
	e->de_name_len = 2;
}

static void set_target(struct vexfs_dir_block *db, u64 ino, u8 type)
{
	vexfs_dir_entry_set_ino(vexfs_dir_entry_at(db, 0), ino, type);
}

DIR_BLOCK(dir_order, dir, 1, swap_keys(&db))
DIR_BLOCK(dir_hash, dir, 1, one_key_up(&db))
DIR_BLOCK(dir_slash, dir, 1, bad_name(&db))
DIR_BLOCK(dir_dot, dir, 1, dot_name(&db))
DIR_BLOCK(dir_count, dir, 1, db.db_count = cpu_to_le16(1))
DIR_BLOCK(dir_used, dir, 1, db.db_used = cpu_to_le16(5000))
DIR_BLOCK(dir_level, dir, 0, db.db_level = cpu_to_le16(3))
DIR_BLOCK(dir_level_max, dir, 0, db.db_level = cpu_to_le16(77))
DIR_BLOCK(dir_key, dir, 0, vexfs_dir_indexes(&db)[0].di_key = cpu_to_le64(99))
DIR_BLOCK(dir_pointer, dir, 0,
	  vexfs_dir_indexes(&db)[1].di_lblk = cpu_to_le32(1000))
DIR_BLOCK(dir_pointer_same, dir, 0,
	  vexfs_dir_indexes(&db)[1].di_lblk = vexfs_dir_indexes(&db)[0].di_lblk)
DIR_BLOCK(dir_free_flag, dir, 1, db.db_flags = cpu_to_le16(1))
DIR_BLOCK(dir_free_list, dir, 0, db.db_free = cpu_to_le32(1))
DIR_BLOCK(dir_reserved, dir, 1, db.db_reserved = cpu_to_le32(5))
DIR_BLOCK(dir_empty_leaf, dir, 1, vexfs_dir_clear_block(&db))
DIR_BLOCK(name_nothing, dir, 1, set_target(&db, 4000, FT_REG_FILE))
DIR_BLOCK(name_nowhere, dir, 1, set_target(&db, 1ull << 40, FT_REG_FILE))
DIR_BLOCK(name_reserved, dir, 1, set_target(&db, 5, FT_REG_FILE))
DIR_BLOCK(name_root, dir, 1, set_target(&db, 2, FT_DIR))
DIR_BLOCK(name_zero, dir, 1, set_target(&db, 0, FT_REG_FILE))
DIR_BLOCK(name_fork, dir, 1, set_target(&db, v->n.coll + 1, FT_REG_FILE))
DIR_BLOCK(name_dir_twice, dir, 1, set_target(&db, v->n.empty, FT_DIR))
DIR_BLOCK(name_type, dir, 1,
	  vexfs_dir_entry_at(&db, 0)->de_type = FT_SOCK)
DIR_BLOCK(name_type_bad, dir, 1, vexfs_dir_entry_at(&db, 0)->de_type = 99)
DIR_BLOCK(dir_loop, sub, 0,
	  vexfs_dir_entry_set_ino(vexfs_dir_entry_at(&db, 0),
				  le32_to_cpu(vexfs_dir_entry_at(&db, 0)
					      ->de_ino_lo), FT_REG_FILE))

static void dir_csum(struct fu_vol *v)
{
	fu_flip(v, fu_block(v, v->n.dir, 1), 4090);
}

static void dir_magic(struct fu_vol *v)
{
	fu_flip(v, fu_block(v, v->n.dir, 1), 2);
}

static void dir_zero(struct fu_vol *v)
{
	block_zero(v, fu_block(v, v->n.dir, 0));
}

static void dir_owner(struct fu_vol *v)
{
	struct vexfs_dir_block db;
	u64 bno = fu_block(v, v->n.dir, 1);

	fu_read(v, bno, &db);
	db.db_hdr.bh_owner = cpu_to_le64(v->n.sub);
	fu_write_sealed(v, bno, &db);
}

/* A name in @dir is taken out by making it another inode's. */
static void retarget(struct fu_vol *v, u64 dir, const char *name, u64 ino,
		     u8 type)
{
	struct vexfs_trans *t = fsck_begin(&v->f);
	struct vexfs_inode di;
	struct vexfs_node n;

	CHECK_EQ(fsck_node_get(&v->f, dir, &n, &di), 0);
	CHECK_EQ(vexfs_dir_set(t, &n, (u8 *)name, (u32)strlen(name), ino,
			       type), 0);
	CHECK_EQ(fsck_end(&v->f, t, 0), 0);
}

static void remove_name(struct fu_vol *v, u64 dir, const char *name)
{
	struct vexfs_trans *t = fsck_begin(&v->f);
	struct vexfs_inode di;
	struct vexfs_node n;
	u64 size;

	CHECK_EQ(fsck_node_get(&v->f, dir, &n, &di), 0);
	size = le64_to_cpu(di.i_size);
	CHECK_EQ(vexfs_dir_remove(t, &n, (u8 *)name, (u32)strlen(name), &size),
		 0);
	CHECK_EQ(fsck_end(&v->f, t, 0), 0);
	CHECK_EQ(fsck_node_put(&v->f, &n, &size), 0);
}

static void file_unnamed(struct fu_vol *v)
{
	remove_name(v, VEXFS_ROOT_INO, "other");
}

static void dir_unnamed(struct fu_vol *v)
{
	remove_name(v, VEXFS_ROOT_INO, "empty");
}

/* sub's child is its own grandparent; nothing leads there any more. */
static void dir_circle(struct fu_vol *v)
{
	retarget(v, v->n.dir, "sub", v->n.file, FT_REG_FILE);
	retarget(v, v->n.sub, "link to file", v->n.sub, FT_DIR);
}

static void dir_circle_two(struct fu_vol *v)
{
	struct vexfs_trans *t;
	struct vexfs_inode di;
	struct vexfs_node n;
	u64 size;

	remove_name(v, v->n.dir, "sub");
	t = fsck_begin(&v->f);
	CHECK_EQ(fsck_node_get(&v->f, v->n.subsub, &n, &di), 0);
	size = le64_to_cpu(di.i_size);
	CHECK_EQ(vexfs_dir_add(t, &n, (u8 *)"up", 2, v->n.sub, FT_DIR, &size),
		 0);
	CHECK_EQ(fsck_end(&v->f, t, 0), 0);
	CHECK_EQ(fsck_node_put(&v->f, &n, &size), 0);
}

/* The same name a second time, under the next key of its hash. */
static void name_twice(struct fu_vol *v)
{
	u64 bno = fu_block(v, v->n.sub, 0);
	struct vexfs_dir_block db;
	struct vexfs_dirent de;

	fu_read(v, bno, &db);
	vexfs_dir_entry_get(vexfs_dir_entry_at(&db, 0), &de);
	de.key++;
	de.ino = v->n.other;
	de.type = FT_REG_FILE;
	vexfs_dir_insert_entry(&db, &de);
	fu_write_sealed(v, bno, &db);
}

/* -------------------------------------------------------------- orphans */

static void orphan_loop(struct fu_vol *v)
{
	struct vexfs_inode di;

	fu_inode(v, v->n.deleted, &di);
	di.i_orphan_next = cpu_to_le64(v->n.truncated);
	fu_put_inode(v, v->n.deleted, &di);
}

static void orphan_damaged(struct fu_vol *v)
{
	struct vexfs_inode di;

	fu_inode(v, v->n.deleted, &di);
	di.i_mtime ^= 1;
	fu_put_raw_inode(v, v->n.deleted, &di);
}

/* ---------------------------------------------------------- collections */

#define COLL_HEADER(name, change, sealed)				\
static void name(struct fu_vol *v)					\
{									\
	u8 data[VEXFS_BLOCK_SIZE] __aligned(8);					\
	struct vexfs_coll_header *ch = (void *)data;			\
	struct vexfs_inode di;						\
	u64 bno;							\
									\
	fu_inode(v, v->n.coll, &di);					\
	bno = le64_to_cpu(di.i_coll);					\
	fu_read(v, bno, data);						\
	change;								\
	if (sealed)							\
		fu_write_sealed(v, bno, data);				\
	else								\
		fu_write(v, bno, data);					\
}

COLL_HEADER(coll_csum, ch->ch_create_time ^= 1, false)
COLL_HEADER(coll_magic, ch->ch_hdr.bh_magic = 0, true)
COLL_HEADER(coll_dims, ch->ch_dims = 0, true)
COLL_HEADER(coll_stride, ch->ch_stride = cpu_to_le32(64), true)
COLL_HEADER(coll_metric, ch->ch_metric = 77, true)
COLL_HEADER(coll_ef, ch->ch_ef = 0, true)
COLL_HEADER(coll_live, le64_add_cpu(&ch->ch_live, -1ull), true)
COLL_HEADER(coll_slots, le64_add_cpu(&ch->ch_slots, 3), true)
COLL_HEADER(coll_next, le64_add_cpu(&ch->ch_next_id, 3), true)
COLL_HEADER(coll_log_seq, le64_add_cpu(&ch->ch_log_seq, 1), true)
COLL_HEADER(coll_log_end, le64_add_cpu(&ch->ch_log_end, 8), true)
COLL_HEADER(coll_no_fork, ch->ch_fork_ino[0] = 0, true)
COLL_HEADER(coll_same_fork, ch->ch_fork_ino[1] = ch->ch_fork_ino[0], true)
COLL_HEADER(coll_file_fork, ch->ch_fork_ino[0] = cpu_to_le64(v->n.file), true)
COLL_HEADER(coll_ckpt_csum, ch->ch_ckpt_csum ^= 1, true)
COLL_HEADER(coll_ckpt_off, le64_add_cpu(&ch->ch_ckpt_off, 1ull << 40), true)

static void fork_parent(struct fu_vol *v)
{
	struct vexfs_inode di;

	fu_inode(v, v->n.coll + 1, &di);
	CHECK(le32_to_cpu(di.i_flags) & VEXFS_FORK_FL);
	di.i_parent = cpu_to_le64(v->n.file);
	fu_put_inode(v, v->n.coll + 1, &di);
}

static void fork_stray(struct fu_vol *v)
{
	struct vexfs_inode di;

	fu_inode(v, v->n.other, &di);
	di.i_flags = cpu_to_le32(VEXFS_FORK_FL);
	di.i_parent = cpu_to_le64(v->n.coll);
	fu_put_inode(v, v->n.other, &di);
}

static void log_record(struct fu_vol *v)
{
	fu_flip(v, fu_block(v, v->n.coll + 1, 0), 100);
}

/* Chunks of 64 blocks: ids, flags, graph, upper layers, codes. */
static void ckpt_ids(struct fu_vol *v)
{
	fu_flip(v, fu_block(v, v->n.coll + 2, 0), 9);
}

static void ckpt_graph(struct fu_vol *v)
{
	fu_flip(v, fu_block(v, v->n.coll + 2, 128), 9);
}

static void ckpt_codes(struct fu_vol *v)
{
	fu_flip(v, fu_block(v, v->n.coll + 2, 256), 9);
}

const struct fsck_damage fsck_damage[] = {
	{ "superblock without magic", super_magic, FP_SUPER_BAD },
	{ "superblock of zeroes", super_zero, FP_SUPER_BAD },
	{ "superblock checksum", super_csum, FP_SUPER_CSUM },
	{ "superblock errors policy", super_errors, FP_SUPER_FIELD },
	{ "superblock state", super_state, FP_SUPER_FIELD },
	{ "superblock dimension", super_dims, FP_SUPER_FIELD },
	{ "superblock is a backup", super_nr, FP_SUPER_FIELD },
	{ "superblock reserves all", super_reserved, FP_SUPER_FIELD },
	{ "superblock number of blocks", super_clusters, FP_SUPER_BAD },
	{ "superblock inodes per group", super_ipg, FP_SUPER_BAD },
	{ "superblock journal size", super_journal, FP_SUPER_BAD },
	{ "superblock feature", super_feature, FP_SUPER_FEATURE },
	{ "backup superblock", backup_super, FP_SUPER_BACKUP },
	{ "backup descriptors", backup_desc, FP_SUPER_BACKUP },
	{ "journal magic", journal_magic, FP_JOURNAL_SUPER },
	{ "journal length", journal_length, FP_JOURNAL_SUPER },
	{ "journal error", journal_error, FP_JOURNAL_ERROR },
	{ "descriptor checksum", desc_csum, FP_GROUP_CSUM },
	{ "descriptor flags", desc_flags, FP_GROUP_CSUM },
	{ "descriptor block of zeroes", desc_zero, FP_GROUP_CSUM },
	{ "descriptor count too large", desc_many, FP_GROUP_CSUM },
	{ "descriptor free blocks", desc_free, FP_GROUP_COUNT },
	{ "descriptor free inodes", desc_inodes, FP_GROUP_COUNT },
	{ "descriptor directories", desc_dirs, FP_GROUP_COUNT },
	{ "descriptor mark", desc_unused, FP_GROUP_CSUM },
	{ "descriptor reserved", desc_reserved, FP_GROUP_FIELD },
	{ "bitmap checksum", bitmap_csum, FP_BITMAP_CSUM },
	{ "bitmap of zeroes", bitmap_zeroed, FP_BITMAP_CSUM },
	{ "bitmap: lost blocks", bitmap_lost, FP_BITMAP_LOST },
	{ "bitmap: used blocks free", bitmap_used_free, FP_BITMAP_FREE },
	{ "bitmap: metadata free", bitmap_meta, FP_BITMAP_FIXED },
	{ "bitmap: journal free", bitmap_journal, FP_BITMAP_FIXED },
	{ "inode bitmap checksum", ibitmap_csum, FP_IBITMAP_CSUM },
	{ "inode bitmap of zeroes", ibitmap_zero, FP_IBITMAP_CSUM },
	{ "inode bitmap: lost inodes", ibitmap_lost, FP_IBITMAP_LOST },
	{ "inode bitmap: used inode free", ibitmap_free, FP_IBITMAP_FREE },
	{ "inode bitmap: reserved free", ibitmap_reserved, FP_IBITMAP_FIXED },
	{ "inode bitmap: no end", ibitmap_tail, FP_IBITMAP_FIXED },
	{ "inode checksum", inode_csum, FP_INODE_CSUM },
	{ "inode of zeroes", inode_zero, FP_IBITMAP_LOST },
	{ "inode magic", inode_magic, FP_INODE_BAD },
	{ "inode number", inode_number, FP_INODE_BAD },
	{ "inode number and checksum", inode_number_csum, FP_INODE_NUMBER },
	{ "inode type", inode_mode, FP_INODE_BAD },
	{ "inode generation", inode_generation, FP_INODE_BAD },
	{ "inode flags", inode_flags, FP_INODE_FLAGS },
	{ "directory as collection", inode_dir_coll, FP_INODE_FLAGS },
	{ "inode size too large", inode_size, FP_INODE_SIZE },
	{ "inode size too small", inode_small, FP_MAP_BEHIND },
	{ "inode blocks", inode_blocks, FP_INODE_BLOCKS },
	{ "inode blocks beyond the volume", inode_blocks_many,
	  FP_INODE_BLOCKS },
	{ "inode with 100000 links", inode_links_many, FP_INODE_FIELD },
	{ "link count too high", inode_links, FP_LINKS },
	{ "link count too low", inode_links_few, FP_LINKS },
	{ "named inode without links", inode_unused, FP_INODE_UNUSED },
	{ "link count of a directory", inode_dir_links, FP_LINKS },
	{ "special file with a size", inode_special, FP_INODE_SIZE },
	{ "collection header of a file", inode_coll_field, FP_INODE_FIELD },
	{ "stale orphan link", inode_orphan, FP_ORPHAN_STALE },
	{ "reserved inode in use", reserved_used, FP_INODE_RESERVED },
	{ "root of zeroes", root_zero, FP_INODE_ROOT },
	{ "root is a file", root_file, FP_INODE_ROOT },
	{ "symlink without length", link_none, FP_SYMLINK },
	{ "symlink with a zero byte", link_zero, FP_SYMLINK },
	{ "symlink too long", link_long, FP_SYMLINK },
	{ "symlink without its second block", link_more, FP_SYMLINK },
	{ "symlink checksum", link_csum, FP_SYMLINK_CSUM },
	{ "symlink block of another", link_alien, FP_SYMLINK },
	{ "inline xattrs too long", xattr_len, FP_XATTR_INLINE },
	{ "xattr block in the metadata", xattr_block, FP_XATTR_BLOCK },
	{ "xattr block that is none", xattr_alien, FP_XATTR_BLOCK },
	{ "extent root: count", map_count, FP_MAP_ROOT },
	{ "extent root: depth", map_depth, FP_MAP_ROOT },
	{ "extent root: depth of one", map_depth_one, FP_MAP_ROOT },
	{ "extent root: reserved", map_reserved, FP_MAP_ROOT },
	{ "extent without blocks", map_empty, FP_MAP_ROOT },
	{ "extent in the metadata", map_meta, FP_MAP_ROOT },
	{ "extent beyond the volume", map_far, FP_MAP_ROOT },
	{ "extent in the journal", map_into_journal, FP_MAP_ROOT },
	{ "extent beyond the largest file", map_end, FP_MAP_ROOT },
	{ "index at what is no node", map_lost_node, FP_MAP_ALIEN },
	{ "index does not begin at 0", map_key, FP_MAP_ROOT },
	{ "index key in the node before", map_key_order, FP_MAP_PLACE },
	{ "index at the same node twice", map_same_node, FP_MAP_PLACE },
	{ "node checksum", node_csum, FP_MAP_CSUM },
	{ "node magic", node_magic, FP_MAP_ALIEN },
	{ "node of zeroes", node_zero, FP_MAP_ALIEN },
	{ "node without records", node_count, FP_MAP_NODE },
	{ "node with too many", node_count_many, FP_MAP_NODE },
	{ "node depth", node_depth, FP_MAP_NODE },
	{ "node not sorted", node_order, FP_MAP_NODE },
	{ "node with an overlap", node_overlap, FP_MAP_NODE },
	{ "node: extent without blocks", node_none, FP_MAP_NODE },
	{ "node: extent in the metadata", node_meta, FP_MAP_NODE },
	{ "node passes its range", node_range, FP_MAP_PLACE },
	{ "node reserved", node_reserved, FP_MAP_NODE },
	{ "two files with the same blocks", overlap_files, FP_OVERLAP },
	{ "a file has a block twice", overlap_self, FP_OVERLAP },
	{ "a file has a directory's block", overlap_dir, FP_OVERLAP },
	{ "a file has a tree's node", overlap_node, FP_OVERLAP },
	{ "a directory has a file's block", overlap_by_dir, FP_OVERLAP_CUT },
	{ "directory size not whole", dir_size, FP_INODE_SIZE },
	{ "directory without size", dir_size_none, FP_DIR_TREE },
	{ "directory too short", dir_size_less, FP_DIR_TREE },
	{ "directory too long", dir_size_more, FP_DIR_TREE },
	{ "directory without parent", dir_no_parent, FP_INODE_PARENT },
	{ "directory with a wrong parent", dir_parent, FP_DIR_PARENT },
	{ "directory block checksum", dir_csum, FP_DIR_CSUM },
	{ "directory block magic", dir_magic, FP_DIR_TREE },
	{ "directory root of zeroes", dir_zero, FP_DIR_TREE },
	{ "directory block of another", dir_owner, FP_DIR_TREE },
	{ "directory not sorted", dir_order, FP_DIR_TREE },
	{ "directory count", dir_count, FP_DIR_TREE },
	{ "directory block too full", dir_used, FP_DIR_TREE },
	{ "directory level", dir_level, FP_DIR_TREE },
	{ "directory too deep", dir_level_max, FP_DIR_TREE },
	{ "directory key", dir_key, FP_DIR_TREE },
	{ "directory pointer", dir_pointer, FP_DIR_TREE },
	{ "directory pointer twice", dir_pointer_same, FP_DIR_TREE },
	{ "free block in a directory tree", dir_free_flag, FP_DIR_TREE },
	{ "directory free list", dir_free_list, FP_DIR_TREE },
	{ "directory block reserved", dir_reserved, FP_DIR_TREE },
	{ "empty leaf", dir_empty_leaf, FP_DIR_TREE },
	{ "name with a slash", dir_slash, FP_DIR_TREE },
	{ "name ..", dir_dot, FP_DIR_TREE },
	{ "name without inode", name_zero, FP_DIR_TREE },
	{ "name of unknown type", name_type_bad, FP_DIR_TREE },
	{ "name not at its hash", dir_hash, FP_DIR_HASH },
	{ "name twice", name_twice, FP_DIR_DUP },
	{ "name of nothing", name_nothing, FP_DIR_INO },
	{ "name of no inode number", name_nowhere, FP_DIR_INO },
	{ "name of a reserved inode", name_reserved, FP_DIR_INO },
	{ "name of the root", name_root, FP_DIR_TWICE },
	{ "name of a fork", name_fork, FP_DIR_FORK },
	{ "second name of a directory", name_dir_twice, FP_DIR_TWICE },
	{ "name of wrong type", name_type, FP_DIR_TYPE },
	{ "names of wrong types", dir_loop, FP_DIR_TYPE },
	{ "file without a name", file_unnamed, FP_LINKS_NONE },
	{ "directory without a name", dir_unnamed, FP_DIR_LOST },
	{ "directory in itself", dir_circle, FP_DIR_LOOP },
	{ "directories in each other", dir_circle_two, FP_DIR_LOOP },
	{ "orphan list begins nowhere", orphan_head, FP_ORPHAN_BAD },
	{ "root is an orphan", orphan_root, FP_ORPHAN_BAD },
	{ "orphan list is a loop", orphan_loop, FP_ORPHAN_BAD, true },
	{ "orphan is damaged", orphan_damaged, FP_ORPHAN_BAD, true },
	{ "collection header checksum", coll_csum, FP_COLL_CSUM },
	{ "collection header magic", coll_magic, FP_COLL_HEADER },
	{ "collection header in metadata", coll_bad_block, FP_COLL_HEADER },
	{ "collection without dimension", coll_dims, FP_COLL_HEADER },
	{ "collection row size", coll_stride, FP_COLL_HEADER },
	{ "collection metric", coll_metric, FP_COLL_HEADER },
	{ "collection without ef", coll_ef, FP_COLL_HEADER },
	{ "collection count", coll_live, FP_COLL_LOG },
	{ "collection slots", coll_slots, FP_COLL_LOG },
	{ "collection next id", coll_next, FP_COLL_LOG },
	{ "collection log number", coll_log_seq, FP_COLL_LOG },
	{ "collection log end", coll_log_end, FP_COLL_LOG },
	{ "collection log record", log_record, FP_COLL_LOG },
	{ "collection without fork", coll_no_fork, FP_COLL_FORK },
	{ "collection with one fork twice", coll_same_fork, FP_COLL_LOG },
	{ "collection with a file as fork", coll_file_fork, FP_COLL_FORK },
	{ "fork of another", fork_parent, FP_COLL_FORK },
	{ "fork of nobody", fork_stray, FP_COLL_STRAY },
	{ "collection too short", coll_size, FP_MAP_BEHIND },
	{ "checkpoint directory", coll_ckpt_csum, FP_COLL_LOST },
	{ "checkpoint nowhere", coll_ckpt_off, FP_COLL_LOST },
	{ "checkpoint ids", ckpt_ids, FP_COLL_LOST },
	{ "checkpoint graph", ckpt_graph, FP_COLL_INDEX },
	{ "checkpoint codes", ckpt_codes, FP_COLL_INDEX },
};

const u32 fsck_damages = ARRAY_SIZE(fsck_damage);

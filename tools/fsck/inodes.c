// SPDX-License-Identifier: GPL-2.0
/*
 * Pass inodes: reads every inode that is in use or may be, mends its record,
 * reads its extents and attributes, and claims the clusters it has.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include "fsck.h"

/* What the inode bitmap says of an inode */
enum fsck_bit { BIT_FREE, BIT_USED, BIT_UNKNOWN };

struct fsck_scan {
	struct fsck *f;
	u32	group;
	bool	bitmap;			/* it can be believed */
	const u8 *bits[2];
	u8	data[2][VEXFS_BLOCK_SIZE] __aligned(8);
};

static u32 fsck_ibitmap_blocks(struct fsck *f)
{
	return DIV_ROUND_UP(f->fs.geom.inodes_per_group, 8 * VEXFS_BLOCK_SIZE);
}

static int fsck_ibitmap_load(struct fsck_scan *s)
{
	struct fsck *f = s->f;
	struct vexfs_group_desc *gd = vexfs_group_desc(&f->fs, s->group, NULL);
	u32 i, crc = f->fs.csum_seed;
	int err;

	s->bitmap = false;
	if (gd->bg_flags & cpu_to_le16(VEXFS_BG_INODE_UNINIT))
		return 0;
	for (i = 0; i < fsck_ibitmap_blocks(f); i++) {
		err = fsck_read(f, vexfs_inode_bitmap_block(&f->fs.geom,
							    s->group, i),
				s->data[i]);
		if (err)
			return 0;
		crc = vexfs_crc32c(crc, s->data[i], VEXFS_BLOCK_SIZE);
	}
	s->bitmap = crc == le32_to_cpu(gd->bg_inode_bitmap_csum);
	return 0;
}

static enum fsck_bit fsck_scan_bit(const struct fsck_scan *s, u32 index)
{
	const u32 bits = 8 * VEXFS_BLOCK_SIZE;

	if (!s->bitmap)
		return BIT_UNKNOWN;
	return test_bit_le(index % bits, s->data[index / bits]) ? BIT_USED :
								  BIT_FREE;
}

/* Inodes to look at: up to the mark, or the last that is marked used. */
static u32 fsck_scan_end(struct fsck_scan *s)
{
	struct vexfs_group_desc *gd = vexfs_group_desc(&s->f->fs, s->group,
						       NULL);
	u32 inodes = vexfs_group_inodes(&s->f->fs.geom, s->group), end, i;

	if (s->f->group[s->group].bad_desc)
		return inodes;
	end = inodes - le32_to_cpu(gd->bg_itable_unused);
	for (i = inodes; s->bitmap && i > end; i--)
		if (fsck_scan_bit(s, i - 1) == BIT_USED)
			return round_up(i, VEXFS_INODES_PER_BLOCK);
	return end;
}

/* Whether something is an inode and wants to be one. */
static bool fsck_scan_wanted(struct fsck_scan *s, u64 ino,
			     struct vexfs_inode *di, enum fsck_bit bit)
{
	struct fsck *f = s->f;
	bool sound = le16_to_cpu(di->i_magic) == VEXFS_INODE_MAGIC &&
		     le64_to_cpu(di->i_ino) == ino &&
		     le32_to_cpu(di->i_checksum) ==
		     vexfs_inode_csum(&f->fs, di);
	bool orphan = vexfs_bmap_find(&f->orphans, ino);

	if (sound)
		return di->i_nlink || orphan || bit == BIT_USED;
	return bit == BIT_USED && memchr_inv(di, 0, sizeof(*di));
}

static int fsck_clear(struct fsck *f, u64 ino)
{
	struct vexfs_inode none = { };

	return fsck_inode_put(f, ino, &none);
}

/* The superblock names it, and it can be one. */
static bool fsck_is_quota(struct fsck *f, u64 ino,
			  const struct vexfs_inode *di)
{
	const struct vexfs_super_block *sb = vexfs_super(&f->fs);
	int i;

	if (!S_ISREG(le16_to_cpu(di->i_mode)) || !di->i_nlink ||
	    (le32_to_cpu(di->i_flags) & (VEXFS_COLLECTION_FL | VEXFS_FORK_FL)))
		return false;
	for (i = 0; i < 3; i++)
		if (le64_to_cpu(sb->s_quota_ino[i]) == ino)
			return true;
	return false;
}

/* Claims the clusters of the extents; those between two records once. */
static void fsck_claim_map(struct fsck *f, const struct fsck_map *map)
{
	const struct vexfs_geom *g = &f->fs.geom;
	u64 first, last, prev = U64_MAX, c;
	u32 i;

	for (i = 0; i < map->count; i++) {
		const struct vexfs_ext_rec *r = &map->rec[i];

		first = vexfs_block_to_cluster(g, r->pblk);
		last = vexfs_block_to_cluster(g, r->pblk + r->len - 1);
		if (first == prev && (r->lblk & (g->cluster_blocks - 1)))
			first++;
		for (c = first; c <= last; c++)
			fsck_claim(f, c);
		prev = last;
	}
	for (i = 0; !map->rebuild && i < map->nodes; i++)
		fsck_claim(f, vexfs_block_to_cluster(g, map->node[i]));
}

/* What is behind the end of a file was never written. */
static void fsck_check_size(struct fsck *f, u64 ino, struct vexfs_inode *di,
			    const struct fsck_map *map, bool *dirty)
{
	u64 blocks = DIV_ROUND_UP_ULL(le64_to_cpu(di->i_size),
				      VEXFS_BLOCK_SIZE), end = 0;
	u32 i;

	for (i = 0; i < map->count; i++)
		if (!map->rec[i].unwritten)
			end = vexfs_ext_end(&map->rec[i]);
	if (end <= blocks ||
	    !fsck_problem(f, FP_MAP_BEHIND, ino, 0, "%llu blocks, %llu written",
			  blocks, end))
		return;
	end = min_t(u64, end, VEXFS_MAX_LBLK);
	di->i_size = cpu_to_le64(end << VEXFS_BLOCK_SHIFT);
	*dirty = true;
}

/* Blocks of a symlink's target; false if it is lost. */
static bool fsck_check_target(struct fsck *f, u64 ino, struct vexfs_inode *di,
			      const struct fsck_map *map)
{
	u64 size = le64_to_cpu(di->i_size), lblk;
	u64 blocks = DIV_ROUND_UP_ULL(size, VEXFS_SYMLINK_SPACE), bno;
	u8 data[VEXFS_BLOCK_SIZE] __aligned(8);
	const char *why = "part of it is missing";
	u32 i;

	for (lblk = 0; lblk < blocks; lblk++) {
		for (i = 0, bno = 0; i < map->count && !bno; i++)
			if (!map->rec[i].unwritten &&
			    lblk >= map->rec[i].lblk &&
			    lblk < vexfs_ext_end(&map->rec[i]))
				bno = map->rec[i].pblk + lblk -
				      map->rec[i].lblk;
		if (!bno || fsck_read(f, bno, data))
			return !fsck_problem(f, FP_SYMLINK, ino, bno, "%s",
					     why);
		switch (fsck_meta_check(f, data, bno, VEXFS_MAGIC_SYMLINK, ino,
					map->generation, &why)) {
		case META_GOOD:
			break;
		case META_CSUM:
			if (fsck_problem(f, FP_SYMLINK_CSUM, ino, bno, NULL)) {
				fsck_meta_seal(f, data);
				fsck_write(f, bno, data);
			}
			break;
		default:
			return !fsck_problem(f, FP_SYMLINK, ino, bno, "%s",
					     why);
		}
	}
	return true;
}

/* Blocks beside extents: collection header and attributes. */
static int fsck_claim_extra(struct fsck *f, u64 ino, struct vexfs_inode *di,
			    struct fsck_map *map, bool *dirty)
{
	const struct vexfs_geom *g = &f->fs.geom;
	int err;

	if ((le32_to_cpu(di->i_flags) & VEXFS_COLLECTION_FL) &&
	    vexfs_block_valid(&f->fs, le64_to_cpu(di->i_coll), 1)) {
		fsck_claim(f, vexfs_block_to_cluster(g,
						     le64_to_cpu(di->i_coll)));
		map->meta += g->cluster_blocks;
	}
	err = fsck_check_xattrs(f, ino, di, &map->meta, dirty);
	return err;
}

static void fsck_note_dir(struct fsck *f, u64 ino, u64 parent)
{
	if (f->dirs == f->dir_room) {
		f->dir_room = f->dir_room ? 2 * f->dir_room : 256;
		f->dir = realloc(f->dir, f->dir_room * sizeof(*f->dir));
		if (!f->dir)
			kshim_die(__FILE__, __LINE__, "out of memory");
	}
	f->dir[f->dirs++] = (struct fsck_dir) { .ino = ino, .parent = parent };
}

/* The inode is in use from here on, as later passes know it. */
static void fsck_note_inode(struct fsck *f, u64 ino,
			    const struct vexfs_inode *di)
{
	struct fsck_ino *fi = fsck_ino(f, ino);
	u32 flags = le32_to_cpu(di->i_flags);

	fi->type = fsck_mode_type(le16_to_cpu(di->i_mode));
	fi->flags = FI_USED;
	fi->nlink = (u16)min(le32_to_cpu(di->i_nlink), 0xffffu);
	if (vexfs_bmap_find(&f->orphans, ino))
		fi->flags |= di->i_nlink ? FI_ORPHAN : FI_ORPHAN | FI_DELETED;
	if (di->i_xattr || di->i_xattr_len)
		fi->flags |= FI_XATTR;
	f->files++;
	if (fi->flags & FI_DELETED)
		return;
	if (flags & VEXFS_COLLECTION_FL) {
		fi->flags |= FI_COLL;
		f->feature_coll = true;
		fsck_list_add(&f->colls, ino);
	} else if (flags & VEXFS_FORK_FL) {
		fi->flags |= FI_FORK;
		fsck_list_add(&f->forks, ino);
	}
	if (fi->type == FT_DIR)
		fsck_note_dir(f, ino, le64_to_cpu(di->i_parent));
}

static bool fsck_check_contents(struct fsck *f, u64 ino,
				struct vexfs_inode *di,
				const struct fsck_map *map, bool *dirty)
{
	bool orphan = vexfs_bmap_find(&f->orphans, ino);

	if (orphan && !di->i_nlink)
		return true;
	switch (fsck_mode_type(le16_to_cpu(di->i_mode))) {
	case FT_REG_FILE:
		if (!orphan)
			fsck_check_size(f, ino, di, map, dirty);
		return true;
	case FT_SYMLINK:
		return !fsck_has_map(di) || fsck_check_target(f, ino, di, map);
	default:
		return true;
	}
}

/* What is left to complain of can't be mended; attributes come later. */
static bool fsck_core_agrees(struct fsck *f, u64 ino,
			     const struct vexfs_inode *di)
{
	struct vexfs_inode copy = *di;
	const char *why;

	copy.i_xattr_len = 0;
	memset(copy.i_xattr_inline, 0, sizeof(copy.i_xattr_inline));
	why = fsck_core_why(f, ino, &copy);
	return !why || !fsck_problem(f, FP_INODE_BAD, ino, 0, "%s", why);
}

static int fsck_check_inode(struct fsck *f, u64 ino, struct vexfs_inode *di)
{
	struct fsck_map *map = &f->scratch;
	bool dirty;
	u64 blocks;
	int err;

	if (!fsck_check_record(f, ino, di, &dirty))
		return fsck_clear(f, ino);
	if (!vexfs_bmap_find(&f->orphans, ino) && di->i_orphan_next &&
	    fsck_problem(f, FP_ORPHAN_STALE, ino, 0, NULL)) {
		di->i_orphan_next = 0;
		dirty = true;
	}
	err = fsck_map_load(f, ino, di, map, true);
	if (err)
		return fsck_fail(f, err, "an extent tree can't be read", 0);
	if (map->rebuild)
		fsck_map_tidy(f, map);
	if (!fsck_check_contents(f, ino, di, map, &dirty) ||
	    !fsck_core_agrees(f, ino, di))
		return fsck_clear(f, ino);
	fsck_note_inode(f, ino, di);
	fsck_claim_map(f, map);
	err = fsck_claim_extra(f, ino, di, map, &dirty);
	if (err)
		return err;
	blocks = fsck_map_blocks(f, map) + map->meta;
	if (!map->rebuild && blocks != le64_to_cpu(di->i_blocks) &&
	    fsck_problem(f, FP_INODE_BLOCKS, ino, 0, "%llu, should be %llu",
			 le64_to_cpu(di->i_blocks), blocks)) {
		di->i_blocks = cpu_to_le64(blocks);
		dirty = true;
	}
	if (dirty)
		err = fsck_inode_put(f, ino, di);
	if (map->rebuild)
		fsck_map_later(f, map);
	return err;
}

static int fsck_scan_inode(struct fsck_scan *s, u32 index,
			   const struct vexfs_inode *disk)
{
	struct fsck *f = s->f;
	u64 ino = (u64)s->group * f->fs.geom.inodes_per_group + index + 1;
	enum fsck_bit bit = fsck_scan_bit(s, index);
	struct vexfs_inode di = *disk;
	bool reserved = ino < VEXFS_FIRST_INO && ino != VEXFS_ROOT_INO;

	if (reserved && !fsck_is_quota(f, ino, &di)) {
		if (di.i_magic &&
		    fsck_problem(f, FP_INODE_RESERVED, ino, 0, NULL))
			return fsck_clear(f, ino);
		return 0;
	}
	if (ino == VEXFS_ROOT_INO)
		bit = BIT_USED;
	if (!fsck_scan_wanted(s, ino, &di, bit))
		return 0;
	/* It was freed, but for the bitmap; or never came to have a name. */
	if (!di.i_nlink && !vexfs_bmap_find(&f->orphans, ino) &&
	    ino != VEXFS_ROOT_INO && le32_to_cpu(di.i_checksum) ==
	    vexfs_inode_csum(&f->fs, &di)) {
		if (fsck_problem(f, FP_INODE_UNUSED, ino, 0, NULL))
			return fsck_clear(f, ino);
		return 0;
	}
	return fsck_check_inode(f, ino, &di);
}

static int fsck_scan_block(struct fsck_scan *s, u32 index)
{
	struct fsck *f = s->f;
	u64 bno = vexfs_itable_block(&f->fs.geom, s->group) +
		  index / VEXFS_INODES_PER_BLOCK;
	struct vexfs_inode table[VEXFS_INODES_PER_BLOCK];
	int i, err = fsck_read(f, bno, table);

	if (err)
		return fsck_fail(f, err, "can't be read", bno);
	for (i = 0; !err && i < (int)VEXFS_INODES_PER_BLOCK; i++)
		err = fsck_scan_inode(s, index + i, &table[i]);
	return err;
}

static int fsck_scan_group(struct fsck_scan *s)
{
	struct fsck *f = s->f;
	struct fsck_group *fg = &f->group[s->group];
	u32 index;
	int err = fsck_ibitmap_load(s);

	if (err)
		return err;
	fg->inos = fsck_scan_end(s);
	if (!fg->inos)
		return 0;
	fg->ino = calloc(fg->inos, sizeof(*fg->ino));
	if (!fg->ino)
		return fsck_fail(f, -ENOMEM, "inodes", 0);
	for (index = 0; !err && index < fg->inos;
	     index += VEXFS_INODES_PER_BLOCK) {
		err = fsck_scan_block(s, index);
		if (fsck_stopped(f))
			break;
	}
	return err;
}

int fsck_pass_inodes(struct fsck *f)
{
	struct fsck_scan *s = calloc(1, sizeof(*s));
	u32 groups = f->fs.geom.groups;
	int err = 0;

	if (!s)
		return fsck_fail(f, -ENOMEM, "inodes", 0);
	s->f = f;
	fsck_pass(f, "inodes", groups);
	for (s->group = 0; !err && s->group < groups; s->group++) {
		err = fsck_scan_group(s);
		fsck_progress(f, s->group + 1, groups);
		if (fsck_stopped(f))
			break;
	}
	free(s);
	fsck_map_free(&f->scratch);
	return err;
}

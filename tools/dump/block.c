// SPDX-License-Identifier: GPL-2.0
/*
 * Any block: what it is by its place or its magic number, and its contents.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include "dump.h"

static const char *kind_by_magic(u32 magic)
{
	switch (magic) {
	case VEXFS_MAGIC_EXTENT:
		return "extent tree node";
	case VEXFS_MAGIC_DIR:
		return "directory block";
	case VEXFS_MAGIC_SYMLINK:
		return "symlink target";
	case VEXFS_MAGIC_XATTR:
		return "extended attributes";
	case VEXFS_MAGIC_XVALUE:
		return "value of an extended attribute";
	case VEXFS_MAGIC_COLL:
		return "collection header";
	default:
		return NULL;
	}
}

static void show_hex(const u8 *data)
{
	char line[80];
	u32 off, i, at;

	out_list("bytes");
	for (off = 0; off < VEXFS_BLOCK_SIZE; off += 32) {
		if (!memchr_inv(data + off, 0, 32))
			continue;
		for (i = 0, at = 0; i < 32; i++)
			at += snprintf(line + at, sizeof(line) - at, "%02x",
				       data[off + i]);
		out_object(NULL);
		out_num("at", off);
		out_text("hex", line);
		out_close();
	}
	out_close();
}

static void show_body(u32 magic, const u8 *data)
{
	const struct vexfs_extent_node *node = (const void *)data;
	const struct vexfs_xattr_block *xb = (const void *)data;
	u32 count;

	switch (magic) {
	case VEXFS_MAGIC_EXTENT:
		count = min_t(u32, le16_to_cpu(node->en_count),
			      VEXFS_NODE_EXTENTS);
		out_num("depth", le16_to_cpu(node->en_depth));
		out_list("records");
		show_extents(node->en_rec, (int)count, node->en_depth);
		out_close();
		break;
	case VEXFS_MAGIC_DIR:
		show_dir_block((const void *)data);
		break;
	case VEXFS_MAGIC_XATTR:
		out_num("next", le64_to_cpu(xb->xb_next));
		out_list("entries");
		show_xattrs(xb->xb_data, min_t(u32, le32_to_cpu(xb->xb_used),
					       sizeof(xb->xb_data)));
		out_close();
		break;
	case VEXFS_MAGIC_COLL:
		show_coll_header((const void *)data);
		break;
	default:
		show_hex(data);
	}
}

static void show_header(struct vexfs_fs *fs, u64 bno, const u8 *data)
{
	const struct vexfs_block_header *bh = (const void *)data;
	u32 magic = le32_to_cpu(bh->bh_magic);

	out_text("kind", kind_by_magic(magic));
	out_num("own_number", le64_to_cpu(bh->bh_blocknr));
	out_num("owner", le64_to_cpu(bh->bh_owner));
	out_num("generation", le32_to_cpu(bh->bh_generation));
	out_check(vexfs_verify_meta(fs, data, bno, magic,
				    le64_to_cpu(bh->bh_owner),
				    le32_to_cpu(bh->bh_generation)));
	show_body(magic, data);
}

/* By its place in the group; NULL: a block of data. */
static const char *kind_by_place(struct vexfs_fs *fs, u64 bno, u32 *group)
{
	const struct vexfs_geom *g = &fs->geom;
	u64 cluster = vexfs_block_to_cluster(g, bno);
	u64 itable;
	u32 bit;

	*group = div_u64_rem(cluster, g->clusters_per_group, &bit);
	if (!bno)
		return "superblock";
	if (bit >= vexfs_group_overhead(g, *group))
		return vexfs_range_is_fixed(g, cluster, 1) ? "journal" : NULL;
	itable = vexfs_itable_block(g, *group);
	if (bno >= itable)
		return "inode table";
	if (bno == vexfs_cluster_bitmap_block(g, *group))
		return "block bitmap";
	if (bno >= vexfs_inode_bitmap_block(g, *group, 0))
		return "inode bitmap";
	return "group descriptors";
}

static void show_itable(struct vexfs_fs *fs, const u8 *data)
{
	const struct vexfs_inode *di = (const void *)data;
	u32 i;

	out_list("inodes");
	for (i = 0; i < VEXFS_INODES_PER_BLOCK; i++) {
		if (!di[i].i_magic)
			continue;
		out_object(NULL);
		show_inode(fs, &di[i]);
		out_close();
	}
	out_close();
}

void dump_block(struct vexfs_fs *fs, u64 bno)
{
	u8 data[VEXFS_BLOCK_SIZE] __aligned(8);
	const char *kind;
	u32 group;

	dump_read(fs, bno, data);
	kind = kind_by_place(fs, bno, &group);
	out_object("block");
	out_num("number", bno);
	out_num("group", group);
	if (!kind && kind_by_magic(get_unaligned_le32(data))) {
		show_header(fs, bno, data);
	} else {
		out_text("kind", kind ? kind : "data");
		if (!bno)
			show_super((void *)(data + VEXFS_SUPER_OFFSET));
		else if (kind && !strcmp(kind, "inode table"))
			show_itable(fs, data);
		else
			show_hex(data);
	}
	out_close();
}

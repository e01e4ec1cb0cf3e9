// SPDX-License-Identifier: GPL-2.0
/*
 * Directories: every block, with its entries or index records.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include "dump.h"

static void show_entries(struct vexfs_dir_block *db)
{
	struct vexfs_dir_entry *e;
	struct vexfs_dirent de;
	u32 off;

	out_list("entries");
	for (off = 0; off < vexfs_dir_used(db);
	     off += vexfs_dir_entry_size(e)) {
		e = vexfs_dir_entry_at(db, off);
		vexfs_dir_entry_get(e, &de);
		out_object(NULL);
		out_bytes("name", de.name, de.name_len);
		out_num("inode", de.ino);
		out_num("type", de.type);
		out_hex("key", de.key);
		out_close();
	}
	out_close();
}

static void show_index(struct vexfs_dir_block *db)
{
	const struct vexfs_dir_index *di = vexfs_dir_indexes(db);
	int i;

	out_list("index");
	for (i = 0; i < vexfs_dir_count(db); i++) {
		out_object(NULL);
		out_hex("key", le64_to_cpu(di[i].di_key));
		out_num("logical", le32_to_cpu(di[i].di_lblk));
		out_close();
	}
	out_close();
}

void show_dir_block(const struct vexfs_dir_block *db)
{
	struct vexfs_dir_block *block = (struct vexfs_dir_block *)db;
	const char *why = vexfs_verify_dir_block(db);

	out_num("level", le16_to_cpu(db->db_level));
	out_num("count", le16_to_cpu(db->db_count));
	out_num("used", le16_to_cpu(db->db_used));
	out_bool("free", db->db_flags & cpu_to_le16(VEXFS_DIR_FREE));
	out_num("next_free", le32_to_cpu(db->db_free));
	if (why)
		return;
	if (db->db_level)
		show_index(block);
	else
		show_entries(block);
}

void dump_dir(struct vexfs_fs *fs, u64 ino)
{
	u8 data[VEXFS_BLOCK_SIZE] __aligned(8);
	struct vexfs_inode di;
	struct vexfs_node n;
	struct vexfs_map map;
	u64 lblk, end;

	dump_node_get(fs, ino, &n, &di);
	if (!S_ISDIR(le16_to_cpu(di.i_mode)))
		dump_fail("inode %llu is no directory", ino);
	out_object("directory");
	out_num("inode", ino);
	out_num("parent", le64_to_cpu(di.i_parent));
	out_list("blocks");
	end = le64_to_cpu(di.i_size) >> VEXFS_BLOCK_SHIFT;
	for (lblk = 0; lblk < end; lblk++) {
		if (vexfs_ext_lookup(&n, lblk, end - lblk, &map))
			dump_fail("inode %llu: its extents are damaged", ino);
		if (!map.pblk) {
			lblk += map.len - 1;
			continue;
		}
		dump_read(fs, map.pblk, data);
		out_object(NULL);
		out_num("logical", lblk);
		out_num("block", map.pblk);
		out_check(vexfs_verify_meta(fs, data, map.pblk,
					    VEXFS_MAGIC_DIR, ino,
					    n.generation));
		show_dir_block((const void *)data);
		out_close();
	}
	out_close();
	out_close();
}

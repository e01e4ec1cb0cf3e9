// SPDX-License-Identifier: GPL-2.0
/*
 * Collections: the header, the records of the log, the checkpoint's
 * directory.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include "dump.h"

static void show_columns(const struct vexfs_coll_header *ch)
{
	int i;

	out_list("columns");
	for (i = 0; i < min_t(int, ch->ch_ncolumns, VEXFS_MAX_COLUMNS); i++) {
		out_object(NULL);
		out_bytes("name", ch->ch_column[i].cc_name,
			  sizeof(ch->ch_column[i].cc_name));
		out_num("type", ch->ch_column[i].cc_type);
		out_close();
	}
	out_close();
}

static void show_forks(const struct vexfs_coll_header *ch)
{
	int i;

	out_list("forks");
	for (i = 0; i < VEXFS_FORKS; i++) {
		if (!ch->ch_fork_ino[i])
			continue;
		out_object(NULL);
		out_num("fork", i);
		out_num("inode", le64_to_cpu(ch->ch_fork_ino[i]));
		out_close();
	}
	out_close();
}

void show_coll_header(const struct vexfs_coll_header *ch)
{
	out_num("version", le32_to_cpu(ch->ch_version));
	out_num("dims", le32_to_cpu(ch->ch_dims));
	out_num("stride", le32_to_cpu(ch->ch_stride));
	out_num("element_type", ch->ch_elem);
	out_num("metric", ch->ch_metric);
	out_num("index", ch->ch_index);
	out_num("m", le32_to_cpu(ch->ch_m));
	out_num("ef_construction", le32_to_cpu(ch->ch_ef_construction));
	out_num("ef", le32_to_cpu(ch->ch_ef));
	out_num("lsh_tables", le32_to_cpu(ch->ch_lsh_tables));
	out_num("lsh_bits", le32_to_cpu(ch->ch_lsh_bits));
	out_num("lsh_recall", le32_to_cpu(ch->ch_lsh_recall));
	out_hex("flags", le32_to_cpu(ch->ch_flags));
	out_time("create_time", le64_to_cpu(ch->ch_create_time));
	show_columns(ch);
	show_forks(ch);
	out_num("commits", le64_to_cpu(ch->ch_seq));
	out_num("slots", le64_to_cpu(ch->ch_slots));
	out_num("vectors", le64_to_cpu(ch->ch_live));
	out_num("next_id", le64_to_cpu(ch->ch_next_id));
	out_num("log_start", le64_to_cpu(ch->ch_log_start));
	out_num("log_end", le64_to_cpu(ch->ch_log_end));
	out_num("log_seq", le64_to_cpu(ch->ch_log_seq));
	out_num("checkpoint_at", le64_to_cpu(ch->ch_ckpt_off));
	out_num("checkpoint_bytes", le32_to_cpu(ch->ch_ckpt_len));
	out_num("checkpoint_log_seq", le64_to_cpu(ch->ch_ckpt_log_seq));
}

/* @len bytes of a fork; what was never written is zeroes. */
static bool fork_read(struct vexfs_fs *fs, u64 ino, u64 pos, void *buf,
		      size_t len)
{
	u8 data[VEXFS_BLOCK_SIZE] __aligned(8), *to = buf;
	struct vexfs_inode di;
	struct vexfs_node n;
	struct vexfs_map map;
	size_t part, off;

	dump_node_get(fs, ino, &n, &di);
	if (pos > le64_to_cpu(di.i_size) || len > le64_to_cpu(di.i_size) - pos)
		return false;
	for (; len; len -= part, pos += part, to += part) {
		off = pos % VEXFS_BLOCK_SIZE;
		part = min(len, (size_t)VEXFS_BLOCK_SIZE - off);
		if (vexfs_ext_lookup(&n, pos >> VEXFS_BLOCK_SHIFT, 1, &map))
			return false;
		memset(data, 0, sizeof(data));
		if (map.pblk && !map.unwritten)
			dump_read(fs, map.pblk, data);
		memcpy(to, data + off, part);
	}
	return true;
}

static void dump_log(struct vexfs_fs *fs, const struct vexfs_coll_header *ch)
{
	u64 pos = le64_to_cpu(ch->ch_log_start), end, log;
	struct vexfs_log_record lr;
	u32 len;

	log = le64_to_cpu(ch->ch_fork_ino[VEXFS_FORK_LOG]);
	end = le64_to_cpu(ch->ch_log_end);
	out_list("log");
	for (; pos < end; pos += len) {
		if (!fork_read(fs, log, pos, &lr, sizeof(lr)))
			break;
		len = le32_to_cpu(lr.lr_len);
		out_object(NULL);
		out_num("at", pos);
		out_num("seq", le64_to_cpu(lr.lr_seq));
		out_text("type", lr.lr_type == cpu_to_le16(VEXFS_LOG_INSERT) ?
			 "insert" : lr.lr_type ==
			 cpu_to_le16(VEXFS_LOG_DELETE) ? "delete" : "unknown");
		out_num("bytes", len);
		out_num("vectors", le32_to_cpu(lr.lr_count));
		out_num("runs", le32_to_cpu(lr.lr_nruns));
		out_num("next_id", le64_to_cpu(lr.lr_next_id));
		out_close();
		if (le32_to_cpu(lr.lr_magic) != VEXFS_MAGIC_LOG ||
		    len < sizeof(lr))
			break;
	}
	out_close();
}

static void dump_checkpoint(struct vexfs_fs *fs,
			    const struct vexfs_coll_header *ch)
{
	u64 fork = le64_to_cpu(ch->ch_fork_ino[VEXFS_FORK_INDEX]);
	struct vexfs_ckpt_dir cd;
	u32 i;

	if (!ch->ch_ckpt_len ||
	    !fork_read(fs, fork, le64_to_cpu(ch->ch_ckpt_off), &cd, sizeof(cd)))
		return;
	out_object("checkpoint");
	out_check(le32_to_cpu(cd.cd_magic) == VEXFS_MAGIC_CKPT ? NULL :
		  "it has no magic number");
	out_num("log_seq", le64_to_cpu(cd.cd_log_seq));
	out_num("slots", le64_to_cpu(cd.cd_slots));
	out_num("entry", le32_to_cpu(cd.cd_entry));
	out_num("max_level", le32_to_cpu(cd.cd_max_level));
	out_num("chunks", le32_to_cpu(cd.cd_nchunks));
	out_list("sections");
	for (i = 0; i < min_t(u32, le32_to_cpu(cd.cd_nsections),
			      VEXFS_CKPT_SECTIONS); i++) {
		const struct vexfs_ckpt_section *cs = &cd.cd_section[i];

		out_object(NULL);
		out_num("type", le32_to_cpu(cs->cs_type));
		out_num("version", le32_to_cpu(cs->cs_version));
		out_num("bytes", le64_to_cpu(cs->cs_bytes));
		out_num("item_size", le32_to_cpu(cs->cs_item_size));
		out_num("first_chunk", le32_to_cpu(cs->cs_first_chunk));
		out_num("chunks", le32_to_cpu(cs->cs_nchunks));
		out_close();
	}
	out_close();
	out_close();
}

void dump_coll(struct vexfs_fs *fs, u64 ino)
{
	u8 data[VEXFS_BLOCK_SIZE] __aligned(8);
	const struct vexfs_coll_header *ch = (const void *)data;
	struct vexfs_inode di;
	u64 bno;

	dump_inode_get(fs, ino, &di);
	if (!(le32_to_cpu(di.i_flags) & VEXFS_COLLECTION_FL))
		dump_fail("inode %llu is no collection", ino);
	bno = le64_to_cpu(di.i_coll);
	dump_read(fs, bno, data);
	out_object("collection");
	out_num("inode", ino);
	out_num("block", bno);
	show_coll_header(ch);
	out_check(vexfs_verify_meta(fs, data, bno, VEXFS_MAGIC_COLL, ino,
				    le32_to_cpu(di.i_generation)));
	dump_log(fs, ch);
	dump_checkpoint(fs, ch);
	out_close();
}

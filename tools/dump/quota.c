// SPDX-License-Identifier: GPL-2.0
/*
 * Quota files: what users, groups or projects have, and may have.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include "dump.h"
#include "qfile.h"

static int quota_type(const char *what)
{
	static const char *const names[VQ_TYPES] = { "usr", "grp", "prj" };
	int type;

	for (type = 0; type < VQ_TYPES; type++)
		if (!strcmp(what, names[type]))
			return type;
	dump_fail("quota is usr, grp or prj, not '%s'", what);
}

static void show_entry(const struct vq_entry *e)
{
	out_object(NULL);
	out_num("id", le32_to_cpu(e->id));
	out_num("bytes", le64_to_cpu(e->space));
	out_num("inodes", le64_to_cpu(e->inodes));
	out_num("soft_kib", le64_to_cpu(e->bsoft));
	out_num("hard_kib", le64_to_cpu(e->bhard));
	out_num("soft_inodes", le64_to_cpu(e->isoft));
	out_num("hard_inodes", le64_to_cpu(e->ihard));
	/* Until when; 0 or (of who has no entry's worth) 1: no such time. */
	if (le64_to_cpu(e->btime) > 1)
		out_time("grace_bytes", le64_to_cpu(e->btime));
	if (le64_to_cpu(e->itime) > 1)
		out_time("grace_inodes", le64_to_cpu(e->itime));
	out_close();
}

static void show_table(struct vq_table *table)
{
	u32 i;

	vq_sort(table);
	out_num("grace_seconds_bytes", table->bgrace);
	out_num("grace_seconds_inodes", table->igrace);
	out_list("entries");
	for (i = 0; i < table->count; i++)
		show_entry(&table->entry[i]);
	out_close();
}

void dump_quota(struct vexfs_fs *fs, const char *what)
{
	int type = quota_type(what);
	u64 ino = le64_to_cpu(vexfs_super(fs)->s_quota_ino[type]), size;
	struct vq_table table;
	struct vexfs_inode di;
	struct vexfs_node n;
	const char *why;
	u8 *data;

	if (!ino)
		dump_fail("the volume has no quota of that type");
	dump_node_get(fs, ino, &n, &di);
	/* It has no holes; a size beyond its blocks is damage. */
	size = min(le64_to_cpu(di.i_size), n.blocks << VEXFS_BLOCK_SHIFT);
	data = malloc(size + 1);
	if (!data || vq_load(&n, data, size))
		dump_fail("the quota file can't be read");
	vq_init(&table);
	why = vq_parse(&table, type, data, size);
	out_object("quota");
	out_text("type", what);
	out_num("inode", ino);
	out_check(why);
	show_table(&table);
	out_close();
	vq_free(&table);
	free(data);
}

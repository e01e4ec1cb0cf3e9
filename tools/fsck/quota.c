// SPDX-License-Identifier: GPL-2.0
/*
 * Pass quota: what users, groups and projects have, by the inodes, and what
 * the quota files say. A file that is wrong is made anew, with its limits.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include "fsck.h"

static const char *const fsck_quota_name[VQ_TYPES] = {
	"user", "group", "project",
};

struct fsck_quota {
	struct fsck *f;
	int	type;
	u64	ino;
	struct vexfs_inode di;
	struct vexfs_node n;
	struct vq_table file;		/* as it is, then as it should be */
	struct vq_table *used;		/* as counted */
	struct vq_table *orphaned;	/* and what it was more before */
	bool	anew;			/* it was damaged, or not there */
	bool	change;
};

void fsck_quota_add(struct vq_table *used, const struct vexfs_inode *di,
		    int sign)
{
	const __le32 id[VQ_TYPES] = { di->i_uid, di->i_gid, di->i_projid };
	s64 space = le64_to_cpu(di->i_blocks) << VEXFS_BLOCK_SHIFT;
	struct vq_entry *e;
	int type;

	for (type = 0; type < VQ_TYPES; type++) {
		e = vq_get(&used[type], le32_to_cpu(id[type]));
		le64_add_cpu(&e->inodes, (u64)sign);
		le64_add_cpu(&e->space, (u64)(sign * space));
	}
}

/* Every inode but the quota files counts, whoever it belongs to. */
static int fsck_quota_count(struct fsck *f, struct vq_table *used)
{
	u32 ipg = f->fs.geom.inodes_per_group, group, i;
	struct vexfs_inode di;
	int err = 0;
	u64 ino;

	for (group = 0; group < f->fs.geom.groups; group++) {
		for (i = 0; !err && i < f->group[group].inos; i++) {
			ino = (u64)group * ipg + i + 1;
			if (!(f->group[group].ino[i].flags & FI_USED) ||
			    (ino < VEXFS_FIRST_INO && ino != VEXFS_ROOT_INO))
				continue;
			err = fsck_inode_get(f, ino, &di);
			if (!err)
				fsck_quota_add(used, &di, 1);
		}
		fsck_progress(f, group + 1, f->fs.geom.groups);
		if (err || fsck_stopped(f))
			break;
	}
	return err;
}

/* In the place of one that pass inodes found or made to be none. */
static int fsck_quota_new(struct fsck_quota *q)
{
	struct vexfs_inode *di = &q->di;

	memset(di, 0, sizeof(*di));
	di->i_magic = cpu_to_le16(VEXFS_INODE_MAGIC);
	di->i_mode = cpu_to_le16(S_IFREG | 0600);
	di->i_ino = cpu_to_le64(q->ino);
	di->i_generation = cpu_to_le32(max(get_random_u32(), 1u));
	di->i_nlink = cpu_to_le32(1);
	di->i_version = cpu_to_le64(1);
	vexfs_ext_init_root(&di->i_root);
	return fsck_inode_put(q->f, q->ino, di);
}

/* False when there is none, and none is to be made. */
static int fsck_quota_open(struct fsck_quota *q, bool *have)
{
	struct fsck *f = q->f;
	int err = 0;

	*have = fsck_in_use(f, q->ino);
	if (!*have) {
		if (!fsck_problem(f, FP_QUOTA_INODE, q->ino, 0, "%s",
				  fsck_quota_name[q->type]))
			return 0;
		err = fsck_quota_new(q);
		q->anew = true;
		*have = true;
	}
	return err ? err : fsck_node_get(f, q->ino, &q->n, &q->di);
}

/* Kernels write no holes, so the size is within the blocks. */
static int fsck_quota_read(struct fsck_quota *q)
{
	u64 size = le64_to_cpu(q->di.i_size);
	u64 most = q->n.blocks << VEXFS_BLOCK_SHIFT;
	const char *why = NULL;
	u8 *data;
	int err;

	if (q->anew)
		return 0;
	if (size > most) {
		why = "the file has holes";
		size = most;
	}
	data = malloc(size + 1);
	if (!data)
		return -ENOMEM;
	err = vq_load(&q->n, data, size);
	if (!err) {
		const char *bad = vq_parse(&q->file, q->type, data, size);

		why = why ? why : bad;
		if (why && fsck_problem(q->f, FP_QUOTA_FILE, q->ino, 0,
					"%s: %s", fsck_quota_name[q->type],
					why))
			q->anew = true;
	}
	free(data);
	return err;
}

static void fsck_quota_compare(struct fsck_quota *q, struct vq_entry *have,
			       const struct vq_entry *want)
{
	u64 inodes = want ? le64_to_cpu(want->inodes) : 0;
	u64 space = want ? le64_to_cpu(want->space) : 0;
	const struct vq_entry *gone = vq_find(q->orphaned,
					      le32_to_cpu(have->id));
	u64 more_inodes = gone ? le64_to_cpu(gone->inodes) : 0;
	u64 more_space = gone ? le64_to_cpu(gone->space) : 0;

	if (le64_to_cpu(have->inodes) == inodes &&
	    le64_to_cpu(have->space) == space)
		return;
	/*
	 * Orphans were finished without a word, as a mount would have; and a
	 * file that is made anew needs no word for each entry.
	 */
	if (!q->anew && (le64_to_cpu(have->inodes) != inodes + more_inodes ||
			 le64_to_cpu(have->space) != space + more_space)) {
		if (!fsck_problem(q->f, FP_QUOTA_USAGE, q->ino, 0,
				  "%s %u: %llu inodes, %llu bytes, should be %llu, %llu",
				  fsck_quota_name[q->type],
				  le32_to_cpu(have->id),
				  le64_to_cpu(have->inodes),
				  le64_to_cpu(have->space), inodes, space))
			return;
	}
	have->inodes = cpu_to_le64(inodes);
	have->space = cpu_to_le64(space);
	q->change = true;
}

static void fsck_quota_check(struct fsck_quota *q)
{
	u32 i, n = q->file.count;
	struct vq_entry *e;

	for (i = 0; i < n; i++) {
		e = &q->file.entry[i];
		fsck_quota_compare(q, e, vq_find(q->used,
						 le32_to_cpu(e->id)));
	}
	for (i = 0; i < q->used->count; i++) {
		e = &q->used->entry[i];
		if (!vq_find(&q->file, le32_to_cpu(e->id)))
			fsck_quota_compare(q, vq_get(&q->file,
						     le32_to_cpu(e->id)), e);
	}
}

static int fsck_quota_write(struct fsck_quota *q)
{
	struct vexfs_trans *t = fsck_begin(q->f);
	u64 size;
	u8 *data;
	int err;

	if (IS_ERR(t))
		return PTR_ERR(t);
	data = vq_make(&q->file, q->type, &size);
	err = fsck_map_drop(q->f, t, &q->n,
			    DIV_ROUND_UP_ULL(size, VEXFS_BLOCK_SIZE));
	if (!err)
		err = vq_store(t, &q->n, data, size);
	err = fsck_end(q->f, t, err);
	free(data);
	return err ? err : fsck_node_put(q->f, &q->n, &size);
}

static int fsck_quota_type(struct fsck *f, int type, struct vq_table *used)
{
	const struct vexfs_super_block *sb = vexfs_super(&f->fs);
	struct fsck_quota q = {
		.f = f, .type = type, .used = &used[type],
		.orphaned = &f->orphaned[type],
		.ino = le64_to_cpu(sb->s_quota_ino[type]),
	};
	bool have;
	int err;

	vq_init(&q.file);
	err = fsck_quota_open(&q, &have);
	if (!err && have)
		err = fsck_quota_read(&q);
	if (!err && have)
		fsck_quota_check(&q);
	if (!err && (q.change || q.anew))
		err = fsck_quota_write(&q);
	vq_free(&q.file);
	return err;
}

int fsck_pass_quota(struct fsck *f)
{
	const struct vexfs_super_block *sb = vexfs_super(&f->fs);
	struct vq_table used[VQ_TYPES];
	int type, err;

	if (!vexfs_quota_features(sb))
		return 0;
	fsck_pass(f, "quota", f->fs.geom.groups);
	for (type = 0; type < VQ_TYPES; type++)
		vq_init(&used[type]);
	err = fsck_quota_count(f, used);
	for (type = 0; type < VQ_TYPES && !err && !fsck_stopped(f); type++)
		if (sb->s_quota_ino[type])
			err = fsck_quota_type(f, type, used);
	for (type = 0; type < VQ_TYPES; type++)
		vq_free(&used[type]);
	return err;
}

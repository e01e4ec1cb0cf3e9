// SPDX-License-Identifier: GPL-2.0
/*
 * fsck.vexfs: a table of damages. Each is planted in a copy of a sound
 * volume; fsck has to say what it is, repair it, and find nothing after that.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include "fsck_damage.h"

static struct fu_vol sound, cluster8, pending;

/* What the table expects: the kind among those reported. */
static void try_damage(const struct fsck_damage *d, const struct fu_vol *base)
{
	struct fu_vol v;
	int status;

	fu_clone(&v, base);
	d->plant(&v);
	status = fu_fsck(&v, FSCK_NO);
	if (status != FSCK_UNCORRECTED || !v.f.kinds[d->kind]) {
		printf("# -n: status %d, %u problems, %u of kind %s\n", status,
		       v.f.found, v.f.kinds[d->kind],
		       fsck_kind_info[d->kind].name);
		cu_fail(__FILE__, __LINE__, d->name);
	}
	status = fu_fsck(&v, FSCK_YES);
	if (status != FSCK_CORRECTED || !v.f.kinds[d->kind]) {
		printf("# -y: status %d, %u problems\n", status, v.f.found);
		cu_fail(__FILE__, __LINE__, d->name);
	}
	status = fu_fsck(&v, FSCK_NO);
	if (status != FSCK_OK) {
		printf("# again: status %d, %u problems\n", status, v.f.found);
		cu_fail(__FILE__, __LINE__, d->name);
	}
	fu_close(&v);
}

static const struct fsck_damage *now;

static void run_now(void)
{
	try_damage(now, now->orphans ? &pending : &sound);
}

static void is_sound(const struct fu_vol *base)
{
	struct fu_vol v;

	fu_clone(&v, base);
	CHECK_EQ(fu_fsck(&v, FSCK_NO), FSCK_OK);
	CHECK_EQ(v.f.found, 0);
	CHECK(v.f.files > 150);
	CHECK_EQ(v.f.vectors, 260);
	fu_close(&v);
}

static void check_sound(void)
{
	is_sound(&sound);
	is_sound(&cluster8);
	is_sound(&pending);
}

/* Orphans are finished, and are no problem. */
static void check_orphans(void)
{
	struct vexfs_inode di;
	struct fu_vol v;
	u64 before, deleted = pending.n.deleted, truncated = pending.n.truncated;

	fu_clone(&v, &pending);
	before = percpu_counter_sum(&v.f.fs.free_clusters);
	CHECK_EQ(fu_fsck(&v, FSCK_YES), FSCK_OK);
	CHECK_EQ(fu_fsck(&v, FSCK_NO), FSCK_OK);
	fu_clone_state(&v);
	CHECK_EQ(percpu_counter_sum(&v.f.fs.free_clusters), before + 5 + 37);
	CHECK_EQ(vexfs_inode_allocated(&v.f.fs, deleted), 0);
	fu_inode(&v, truncated, &di);
	CHECK_EQ(le64_to_cpu(di.i_blocks), 3);
	CHECK_EQ(vexfs_super(&v.f.fs)->s_orphan_head, 0);
	fu_close(&v);
}

/* -p repairs what is safe and leaves the rest alone, all of it. */
static void check_preen(void)
{
	u8 before[VEXFS_BLOCK_SIZE] __aligned(8), after[VEXFS_BLOCK_SIZE];
	struct vexfs_inode di;
	struct fu_vol v;

	fu_clone(&v, &sound);
	fu_inode(&v, v.n.file, &di);
	di.i_nlink = cpu_to_le32(7);
	fu_put_inode(&v, v.n.file, &di);
	CHECK_EQ(fu_fsck(&v, FSCK_PREEN), FSCK_CORRECTED);
	CHECK_EQ(fu_fsck(&v, FSCK_NO), FSCK_OK);
	fu_clone_state(&v);
	fu_inode(&v, v.n.file, &di);
	CHECK_EQ(le32_to_cpu(di.i_nlink), 2);
	di.i_nlink = cpu_to_le32(7);
	fu_put_inode(&v, v.n.file, &di);
	fu_inode(&v, v.n.other, &di);
	di.i_mode = 0;
	fu_put_inode(&v, v.n.other, &di);
	CHECK_EQ(vexfs_dev_read(v.f.dev, vexfs_itable_block(&v.f.fs.geom, 0) + 1,
				before), 0);
	CHECK_EQ(fu_fsck(&v, FSCK_PREEN), FSCK_UNCORRECTED);
	CHECK_EQ(vexfs_dev_read(v.f.dev, vexfs_itable_block(&v.f.fs.geom, 0) + 1,
				after), 0);
	CHECK(!memcmp(before, after, sizeof(before)));
	fu_close(&v);
}

/* What was lost has a name again, with its contents. */
static void check_lost_found(void)
{
	struct vexfs_dirent de;
	struct vexfs_inode di;
	struct fu_vol v;
	struct vexfs_node n;
	char name[32];
	u8 data[VEXFS_BLOCK_SIZE] __aligned(8);

	fu_clone(&v, &sound);
	/* The root directory is lost; everything in it comes back. */
	fu_flip(&v, fu_block(&v, VEXFS_ROOT_INO, 0), 0);
	CHECK_EQ(fu_fsck(&v, FSCK_YES), FSCK_CORRECTED);
	CHECK_EQ(fu_fsck(&v, FSCK_NO), FSCK_OK);
	fu_clone_state(&v);
	CHECK_EQ(fsck_node_get(&v.f, VEXFS_ROOT_INO, &n, &di), 0);
	CHECK_EQ(vexfs_dir_lookup(&n, (u8 *)"lost+found", 10, &de), 0);
	CHECK_EQ(fsck_node_get(&v.f, de.ino, &n, &di), 0);
	snprintf(name, sizeof(name), "#%llu", v.n.dir);
	CHECK_EQ(vexfs_dir_lookup(&n, (u8 *)name, (u32)strlen(name), &de), 0);
	CHECK_EQ(de.ino, v.n.dir);
	CHECK_EQ(de.type, FT_DIR);
	snprintf(name, sizeof(name), "#%llu", v.n.other);
	CHECK_EQ(vexfs_dir_lookup(&n, (u8 *)name, (u32)strlen(name), &de), 0);
	fu_read(&v, fu_block(&v, v.n.other, 3), data);
	CHECK_EQ(data[9], (u8)(v.n.other + 3));
	fu_close(&v);
}

/* A file whose blocks another has too is given copies. */
static void check_copies(void)
{
	struct vexfs_inode a, b;
	struct fu_vol v;
	u8 data[VEXFS_BLOCK_SIZE] __aligned(8);

	fu_clone(&v, &sound);
	fu_inode(&v, v.n.file, &a);
	fu_inode(&v, v.n.other, &b);
	b.i_root = a.i_root;
	fu_put_inode(&v, v.n.other, &b);
	CHECK_EQ(fu_fsck(&v, FSCK_YES), FSCK_CORRECTED);
	CHECK_EQ(fu_fsck(&v, FSCK_NO), FSCK_OK);
	fu_clone_state(&v);
	CHECK(fu_block(&v, v.n.file, 4) != fu_block(&v, v.n.other, 4));
	fu_read(&v, fu_block(&v, v.n.other, 4), data);
	CHECK_EQ(data[100], (u8)(v.n.file + 4));
	fu_close(&v);
}

static void repaired(struct fu_vol *v, enum fsck_kind kind)
{
	CHECK_EQ(fu_fsck(v, FSCK_YES), FSCK_CORRECTED);
	CHECK(v->f.kinds[kind]);
	CHECK_EQ(fu_fsck(v, FSCK_NO), FSCK_OK);
	fu_close(v);
}

static void put_rec(struct vexfs_extent *e, u32 lblk, u64 pblk, u32 len)
{
	e->ee_lblk = cpu_to_le32(lblk);
	e->ee_pblk = cpu_to_le64(pblk);
	e->ee_len = cpu_to_le32(len);
}

/* A node that is among the file's data. */
static void check_own_node(void)
{
	struct vexfs_extent_node node;
	struct vexfs_inode di;
	struct fu_vol v;
	u64 bno;

	fu_clone(&v, &sound);
	fu_inode(&v, v.n.extents, &di);
	bno = le64_to_cpu(di.i_root.er_rec[0].ee_pblk);
	fu_read(&v, bno, &node);
	node.en_rec[0].ee_pblk = cpu_to_le64(bno);
	fu_write_sealed(&v, bno, &node);
	repaired(&v, FP_OVERLAP);
}

/*
 * A file's first cluster, of two blocks, in two extents of these lengths and
 * flags; the cluster a second time behind it, if @twice.
 */
static void check_cluster(u32 first, u32 second, bool twice,
			  enum fsck_kind kind)
{
	struct vexfs_inode di;
	struct fu_vol v;
	u64 bno;

	fu_clone(&v, &cluster8);
	fu_inode(&v, v.n.file, &di);
	bno = le64_to_cpu(di.i_root.er_rec[0].ee_pblk);
	di.i_root.er_count = cpu_to_le16(twice ? 3 : 2);
	put_rec(&di.i_root.er_rec[0], 0, bno, first);
	put_rec(&di.i_root.er_rec[1], 1, bno + 1, second);
	if (twice)
		put_rec(&di.i_root.er_rec[2], 2, bno, 2);
	fu_put_inode(&v, v.n.file, &di);
	repaired(&v, kind);
}

static void check_own_cluster(void)
{
	check_cluster(1, 1 | VEXFS_EXT_UNWRITTEN, true, FP_OVERLAP);
}

/* Which could be one, and which the module would not free. */
static void check_pieces(void)
{
	check_cluster(1 | VEXFS_EXT_UNWRITTEN, 1 | VEXFS_EXT_UNWRITTEN, false,
		      FP_MAP_TORN);
	check_cluster(1, 1, false, FP_MAP_TORN);
}

static void set_inodes(struct fu_vol *v, int type, u32 id, u64 inodes)
{
	struct vq_table table;

	vq_init(&table);
	fu_quota_get(v, type, &table);
	vq_get(&table, id)->inodes = cpu_to_le64(inodes);
	fu_quota_put(v, type, &table);
	vq_free(&table);
}

static void has_quota(struct fu_vol *v, int type, u32 id, u64 ihard,
		      u64 bsoft, u64 inodes)
{
	struct vq_table table;
	struct vq_entry *e;

	vq_init(&table);
	fu_quota_get(v, type, &table);
	e = vq_find(&table, id);
	CHECK(e);
	CHECK_EQ(le64_to_cpu(e->ihard), ihard);
	CHECK_EQ(le64_to_cpu(e->bsoft), bsoft);
	CHECK_EQ(le64_to_cpu(e->inodes), inodes);
	CHECK_EQ(table.bgrace, 1234);
	vq_free(&table);
}

/* fu_quota() gives user 1000 limits, and two files. */
static void check_limits(void)
{
	struct fu_vol v;

	fu_clone(&v, &sound);
	has_quota(&v, 0, 1000, 77, 99, 2);
	set_inodes(&v, 0, 1000, 5);
	CHECK_EQ(fu_fsck(&v, FSCK_PREEN), FSCK_CORRECTED);
	CHECK_EQ(v.f.kinds[FP_QUOTA_USAGE], 1);
	CHECK_EQ(fu_fsck(&v, FSCK_NO), FSCK_OK);
	fu_clone_state(&v);
	has_quota(&v, 0, 1000, 77, 99, 2);
	/* The list of free blocks, in the header of the file. */
	fu_flip(&v, fu_block(&v, VEXFS_USRQUOTA_INO, 0), 24);
	CHECK_EQ(fu_fsck(&v, FSCK_YES), FSCK_CORRECTED);
	CHECK_EQ(v.f.kinds[FP_QUOTA_FILE], 1);
	CHECK_EQ(v.f.found, 1);
	fu_clone_state(&v);
	has_quota(&v, 0, 1000, 77, 99, 2);
	fu_close(&v);
}

/* Without a word; but not what was wrong before. */
static void check_quota_orphans(void)
{
	struct vq_table table;
	struct fu_vol v;
	u64 before;

	fu_clone(&v, &pending);
	vq_init(&table);
	fu_quota_get(&v, 0, &table);
	before = le64_to_cpu(vq_get(&table, 0)->inodes);
	vq_free(&table);
	CHECK_EQ(fu_fsck(&v, FSCK_YES), FSCK_OK);
	CHECK_EQ(v.f.found, 0);
	CHECK_EQ(fu_fsck(&v, FSCK_NO), FSCK_OK);
	fu_clone_state(&v);
	has_quota(&v, 0, 0, 0, 0, before - 1);
	fu_close(&v);
	fu_clone(&v, &pending);
	set_inodes(&v, 0, 0, before - 1);
	CHECK_EQ(fu_fsck(&v, FSCK_YES), FSCK_CORRECTED);
	CHECK_EQ(v.f.kinds[FP_QUOTA_USAGE], 1);
	fu_close(&v);
}

int main(void)
{
	u32 i;

	kshim_seed(4711);
	cu_plan(10 + fsck_damages + fsck_quota_damages);
	fu_make(&sound, 4096, false);
	fu_make(&cluster8, 8192, false);
	fu_make(&pending, 4096, true);
	cu_run("sound volumes have no problems", check_sound);
	cu_run("orphans are finished", check_orphans);
	cu_run("-p does what is safe", check_preen);
	cu_run("lost+found", check_lost_found);
	cu_run("blocks with two owners are copied", check_copies);
	cu_run("a node among its file's data is copied", check_own_node);
	cu_run("a cluster that a file has twice is copied", check_own_cluster);
	cu_run("a cluster in two pieces that are alike", check_pieces);
	cu_run("limits outlive a repair", check_limits);
	cu_run("quota counts what orphans give back", check_quota_orphans);
	for (i = 0; i < fsck_damages; i++) {
		now = &fsck_damage[i];
		cu_run(now->name, run_now);
	}
	for (i = 0; i < fsck_quota_damages; i++) {
		now = &fsck_quota_damage[i];
		cu_run(now->name, run_now);
	}
	fu_close(&sound);
	fu_close(&cluster8);
	fu_close(&pending);
	return 0;
}

// SPDX-License-Identifier: GPL-2.0
/*
 * Inodes: the allocator against a set, tables that start as garbage, the
 * verifier against every bit and every field, the orphan list.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include "core_util.h"

static struct cu_vol vol;
static u8 *used;			/* by inode number */
static u64 inodes;			/* numbers there are */

static void open_volume(u64 bytes, u32 cluster_size, u32 ratio)
{
	struct vexfs_geom_options opt = {
		.device_bytes = bytes,
		.cluster_size = cluster_size,
		.bytes_per_inode = ratio,
	};
	u8 garbage[VEXFS_BLOCK_SIZE];
	const struct vexfs_geom *g = &vol.fs.geom;
	u32 group, i, n;
	u64 block;

	cu_open(&vol, &opt);
	cu_unload(&vol);
	memset(garbage, 0xee, sizeof(garbage));
	n = g->inodes_per_group / VEXFS_INODES_PER_BLOCK;
	for (group = 0; group < g->groups; group++) {
		block = vexfs_itable_block(g, group);
		for (i = !group; i < min(n, 64u); i++)
			CHECK_EQ(vexfs_dev_write(vol.dev, block + i, garbage),
				 0);
	}
	cu_load(&vol);
	inodes = (u64)g->groups * g->inodes_per_group;
	used = calloc(inodes + 1, 1);
	CHECK(used);
}

static void close_volume(void)
{
	cu_close(&vol);
	free(used);
}

static u32 group_of(u64 ino)
{
	return (u32)((ino - 1) / vol.fs.geom.inodes_per_group);
}

static u32 index_of(u64 ino)
{
	return (u32)((ino - 1) % vol.fs.geom.inodes_per_group);
}

static int take(u64 parent, bool dir, u64 *ino)
{
	struct vexfs_trans *t = cu_begin(&vol, VEXFS_IALLOC_CREDITS);
	u32 generation = 0;
	int err = vexfs_ialloc(t, &vol.fs, parent, dir, ino, &generation);

	vexfs_trans_end(t);
	if (err)
		return err;
	CHECK(generation);
	CHECK(*ino >= VEXFS_FIRST_INO && *ino <= inodes);
	CHECK(index_of(*ino) < vexfs_group_inodes(&vol.fs.geom,
						  group_of(*ino)));
	CHECK(!used[*ino]);
	used[*ino] = 1 + dir;
	return 0;
}

static int give(u64 ino, bool dir)
{
	struct vexfs_trans *t = cu_begin(&vol, VEXFS_IALLOC_CREDITS);
	int err = vexfs_ifree(t, &vol.fs, ino, dir);

	vexfs_trans_end(t);
	if (!err)
		used[ino] = 0;
	return err;
}

static u64 pick_used(void)
{
	u64 ino = 1 + cu_below(inodes), n;

	for (n = 0; n < inodes && !used[ino]; n++)
		ino = ino % inodes + 1;
	return used[ino] ? ino : 0;
}

static void check_counters(void)
{
	u64 ino, n = 0, dirs = 1, total = 0;
	u32 group;

	for (ino = 1; ino <= inodes; ino++) {
		n += !!used[ino];
		dirs += used[ino] == 2;
	}
	for (group = 0; group < vol.fs.geom.groups; group++)
		total += vexfs_group_inodes(&vol.fs.geom, group);
	CHECK_EQ(percpu_counter_sum(&vol.fs.free_inodes), total - 10 - n);
	/* The frame of these tests has no root directory to count. */
	CHECK_EQ(percpu_counter_sum(&vol.fs.dirs), dirs - 1);
	for (n = 0; n < 200; n++) {
		ino = VEXFS_FIRST_INO + cu_below(inodes - VEXFS_FIRST_INO);
		if (index_of(ino) < vexfs_group_inodes(&vol.fs.geom,
						       group_of(ino)))
			CHECK_EQ(vexfs_inode_allocated(&vol.fs, ino),
				 !!used[ino]);
	}
}

static void random_volume(u64 bytes, u32 cluster_size, u32 ratio, int steps)
{
	u64 ino;
	int i;

	open_volume(bytes, cluster_size, ratio);
	for (i = 0; i < steps; i++) {
		ino = pick_used();
		if (cu_below(100) < 70)
			CHECK_EQ(take(ino, cu_below(8) == 0, &ino), 0);
		else if (ino)
			CHECK_EQ(give(ino, used[ino] == 2), 0);
		if (cu_below(200) == 0)
			cu_reload(&vol);
		if (cu_below(100) == 0)
			check_counters();
	}
	cu_reload(&vol);
	check_counters();
	CHECK_EQ(vol.dev->corruptions, 0);
	close_volume();
}

static void test_random(void)
{
	random_volume(300u << 20, 4096, 65536, 3000);
	random_volume(300u << 20, 65536, 16384, 2000);
	/* Two blocks of inode bitmap, the second in the inode table. */
	random_volume(300u << 20, 4096, 2048, 1000);
	random_volume(300u << 20, 8192, 2048, 1000);
}

static void fill(u64 bytes, u32 cluster_size, u32 ratio)
{
	u64 ino, n = 0, total = 0;
	u32 group;
	int err;

	open_volume(bytes, cluster_size, ratio);
	vol.dev->paranoid = false;
	for (group = 0; group < vol.fs.geom.groups; group++)
		total += vexfs_group_inodes(&vol.fs.geom, group);
	while (!(err = take(VEXFS_ROOT_INO, false, &ino)))
		if (++n % 500 == 0)
			CHECK_EQ(vexfs_dev_commit(vol.dev), 0);
	CHECK_EQ(err, -ENOSPC);
	CHECK_EQ(n, total - 10);
	CHECK_EQ(percpu_counter_sum(&vol.fs.free_inodes), 0);
	cu_reload(&vol);
	CHECK_EQ(take(VEXFS_ROOT_INO, true, &ino), -ENOSPC);
	CHECK_EQ(vol.dev->corruptions, 0);
	ino = pick_used();
	CHECK_EQ(give(ino, false), 0);
	CHECK_EQ(take(VEXFS_ROOT_INO, true, &ino), 0);
	close_volume();
}

static void test_full(void)
{
	fill(300u << 20, 4096, 1 << 26);
	fill(300u << 20, 16384, 65536);
	fill(200u << 20, 4096, 2048);
}

/* The block of an inode that was just taken must be zeroes or inodes. */
static void test_itable(void)
{
	struct vexfs_inode *di, *table;
	struct vexfs_buf *buf;
	u32 i, n;
	u64 ino;

	open_volume(300u << 20, 4096, 65536);
	for (n = 0; n < 500; n++) {
		struct vexfs_trans *t;

		CHECK_EQ(take(VEXFS_ROOT_INO, n % 50 == 0, &ino), 0);
		buf = vexfs_inode_buf(&vol.fs, ino, &di);
		CHECK(!IS_ERR(buf));
		table = vexfs_buf_data(buf);
		CHECK_EQ(di - table, index_of(ino) % 16);
		CHECK_EQ(vexfs_buf_bno(buf),
			 vexfs_itable_block(&vol.fs.geom, group_of(ino)) +
			 index_of(ino) / 16);
		for (i = 0; i < 16; i++)
			CHECK(used[ino - (ino - 1) % 16 + i] ||
			      !memchr_inv(&table[i], 0, sizeof(*di)));
		t = cu_begin(&vol, 1);
		CHECK_EQ(vexfs_trans_write(t, buf), 0);
		memset(di, 0x11, sizeof(*di));
		CHECK_EQ(vexfs_trans_dirty(t, buf), 0);
		vexfs_trans_end(t);
		vexfs_buf_put(buf);
		if (n % 100 == 0)
			cu_reload(&vol);
	}
	close_volume();
}

static void test_places(void)
{
	u32 seen[8] = { }, group, groups = 0;
	u64 dir, ino, i;

	open_volume(8u * (128u << 20), 4096, 65536);
	CHECK_EQ(vol.fs.geom.groups, 8);
	for (i = 0; i < 64; i++) {
		CHECK_EQ(take(VEXFS_ROOT_INO, true, &dir), 0);
		group = group_of(dir);
		seen[group]++;
		CHECK_EQ(take(dir, false, &ino), 0);
		CHECK_EQ(group_of(ino), group);
		CHECK_EQ(take(dir, true, &ino), 0);
		CHECK_EQ(group_of(ino), group);
		ino = vexfs_ino_group_goal(&vol.fs, dir);
		CHECK(!vexfs_range_is_fixed(&vol.fs.geom, ino, 1));
		CHECK_EQ(ino / vol.fs.geom.clusters_per_group, group);
	}
	for (i = 0; i < 8; i++)
		groups += seen[i] > 0;
	CHECK_EQ(groups, 8);
	close_volume();
}

static void test_numbers(void)
{
	struct vexfs_inode *di;
	u64 ino, tail;

	open_volume(300u << 20, 4096, 65536);
	for (ino = 0; ino < VEXFS_FIRST_INO; ino++)
		CHECK_EQ(vexfs_ino_valid(&vol.fs, ino),
			 ino == VEXFS_ROOT_INO);
	CHECK(vexfs_ino_valid(&vol.fs, VEXFS_FIRST_INO));
	/* Group 1 has the backups in its tail. */
	tail = 2048 + vexfs_group_inodes(&vol.fs.geom, 1);
	CHECK_EQ(tail, 4096 - 32);
	CHECK(vexfs_ino_valid(&vol.fs, tail));
	CHECK(!vexfs_ino_valid(&vol.fs, tail + 1));
	CHECK(vexfs_ino_valid(&vol.fs, 4097));
	CHECK(!vexfs_ino_valid(&vol.fs, 3 * 2048 + 1));
	CHECK(!vexfs_ino_valid(&vol.fs, U64_MAX));
	CHECK(IS_ERR(vexfs_inode_buf(&vol.fs, 0, &di)));
	CHECK(IS_ERR(vexfs_inode_buf(&vol.fs, tail + 1, &di)));
	CHECK(IS_ERR(vexfs_inode_buf(&vol.fs, U64_MAX, &di)));
	CHECK_EQ(vexfs_inode_allocated(&vol.fs, VEXFS_ROOT_INO), 1);
	CHECK_EQ(vexfs_inode_allocated(&vol.fs, 1), -EINVAL);
	CHECK_EQ(vexfs_inode_allocated(&vol.fs, 100), 0);
	close_volume();
}

static void test_bad_frees(void)
{
	u64 ino, dir;

	open_volume(300u << 20, 4096, 65536);
	CHECK_EQ(take(VEXFS_ROOT_INO, false, &ino), 0);
	CHECK_EQ(give(ino, true), -EFSCORRUPTED);
	CHECK_EQ(take(ino, true, &dir), 0);
	CHECK_EQ(give(ino, false), 0);
	CHECK_EQ(give(ino, false), -EFSCORRUPTED);
	CHECK_EQ(give(VEXFS_ROOT_INO, true), -EFSCORRUPTED);
	CHECK_EQ(give(5, false), -EFSCORRUPTED);
	CHECK_EQ(give(4096, false), -EFSCORRUPTED);
	CHECK_EQ(give(U64_MAX, false), -EFSCORRUPTED);
	/* A group that was never used */
	CHECK_EQ(give(2 * 2048 + 100, false), -EFSCORRUPTED);
	CHECK_EQ(vol.dev->corruptions, 7);
	close_volume();
}

struct damage {
	u32 bit;			/* to change in the inode bitmap */
	int free;			/* to add to the free inodes */
	bool csum;			/* with the right checksum */
	const char *why;
};

static void damage(const struct damage *d)
{
	u64 bno = vexfs_inode_bitmap_block(&vol.fs.geom, 0, 0);
	u64 gdt = vexfs_gdt_block(&vol.fs.geom, 0);
	struct vexfs_group_desc gd[VEXFS_DESC_PER_BLOCK];
	u8 block[VEXFS_BLOCK_SIZE];

	CHECK_EQ(vexfs_dev_commit(vol.dev), 0);
	cu_unload(&vol);
	vexfs_dev_drop_cache(vol.dev);
	CHECK_EQ(vexfs_dev_read(vol.dev, bno, block), 0);
	block[d->bit / 8] ^= (u8)(1 << d->bit % 8);
	CHECK_EQ(vexfs_dev_write(vol.dev, bno, block), 0);
	CHECK_EQ(vexfs_dev_read(vol.dev, gdt, gd), 0);
	le32_add_cpu(&gd[0].bg_free_inodes, (u32)d->free);
	if (d->csum)
		gd[0].bg_inode_bitmap_csum =
			cpu_to_le32(vexfs_crc32c(vol.fs.csum_seed, block,
						 sizeof(block)));
	gd[0].bg_checksum = cpu_to_le32(vexfs_group_desc_csum(&vol.fs, 0, gd));
	CHECK_EQ(vexfs_dev_write(vol.dev, gdt, gd), 0);
	cu_load(&vol);
}

static void test_damage(void)
{
	static const struct damage all[] = {
		{ 4, 1, true, "reserved inodes are free" },
		{ 12, 0, true, "disagree" },
		{ 500, -1, true, "above the mark" },
		{ 2048, 1, true, "has no end" },
		{ 32767, 1, true, "has no end" },
		{ 12, -1, false, "checksum" },
	};
	u64 ino;
	u32 i;

	for (i = 0; i < ARRAY_SIZE(all); i++) {
		open_volume(300u << 20, 4096, 65536);
		CHECK_EQ(take(VEXFS_ROOT_INO, false, &ino), 0);
		damage(&all[i]);
		CHECK_EQ(take(VEXFS_ROOT_INO, false, &ino),
			 all[i].csum ? -EFSCORRUPTED : -EFSBADCRC);
		CHECK(strstr(vol.dev->corrupt_why, all[i].why));
		CHECK(vexfs_inode_allocated(&vol.fs, 11) < 0);
		CHECK_EQ(vol.dev->corruptions, 2);
		close_volume();
	}
}

/* The checksum is of both blocks when there are two. */
static void test_damage_split(void)
{
	u8 block[VEXFS_BLOCK_SIZE];
	u64 bno, ino;

	open_volume(300u << 20, 4096, 2048);
	CHECK_EQ(take(VEXFS_ROOT_INO, false, &ino), 0);
	CHECK_EQ(vexfs_dev_commit(vol.dev), 0);
	cu_unload(&vol);
	vexfs_dev_drop_cache(vol.dev);
	bno = vexfs_inode_bitmap_block(&vol.fs.geom, 0, 1);
	CHECK_EQ(vexfs_dev_read(vol.dev, bno, block), 0);
	block[100] ^= 3;
	CHECK_EQ(vexfs_dev_write(vol.dev, bno, block), 0);
	cu_load(&vol);
	CHECK_EQ(take(VEXFS_ROOT_INO, false, &ino), -EFSBADCRC);
	close_volume();
}

static void make_inode(struct vexfs_inode *di, u64 ino, u16 mode)
{
	memset(di, 0, sizeof(*di));
	di->i_magic = cpu_to_le16(VEXFS_INODE_MAGIC);
	di->i_mode = cpu_to_le16(mode);
	di->i_ino = cpu_to_le64(ino);
	di->i_generation = cpu_to_le32(1);
	di->i_nlink = cpu_to_le32(1);
	if (S_ISDIR(mode))
		di->i_parent = cpu_to_le64(VEXFS_ROOT_INO);
	if (S_ISLNK(mode))
		di->i_size = cpu_to_le64(10);
	di->i_atime = cpu_to_le64(cu_rand());
	di->i_checksum = cpu_to_le32(vexfs_inode_csum(&vol.fs, di));
}

static const char *verify(struct vexfs_inode *di)
{
	di->i_checksum = cpu_to_le32(vexfs_inode_csum(&vol.fs, di));
	return vexfs_verify_inode(&vol.fs, di, 77);
}

static void test_verify(void)
{
	static const u16 modes[] = {
		S_IFREG, S_IFDIR, S_IFLNK, S_IFCHR, S_IFBLK, S_IFIFO, S_IFSOCK,
	};
	struct vexfs_inode di;
	u32 i, bit;

	open_volume(300u << 20, 4096, 65536);
	for (i = 0; i < ARRAY_SIZE(modes); i++) {
		make_inode(&di, 77, modes[i] | 0644);
		CHECK(!vexfs_verify_inode(&vol.fs, &di, 77));
		CHECK(vexfs_verify_inode(&vol.fs, &di, 78));
		for (bit = 0; bit < 8 * sizeof(di); bit++) {
			((u8 *)&di)[bit / 8] ^= (u8)(1 << bit % 8);
			CHECK(vexfs_verify_inode(&vol.fs, &di, 77));
			((u8 *)&di)[bit / 8] ^= (u8)(1 << bit % 8);
		}
	}
#define BAD(mode, field, value) do {					\
	make_inode(&di, 77, mode);					\
	di.field = value;						\
	CHECK(verify(&di));						\
} while (0)
#define GOOD(mode, field, value) do {					\
	make_inode(&di, 77, mode);					\
	di.field = value;						\
	CHECK(!verify(&di));						\
} while (0)
	BAD(S_IFREG, i_mode, cpu_to_le16(0644));
	BAD(S_IFREG, i_mode, cpu_to_le16(0x3000));
	BAD(S_IFREG, i_magic, 0);
	BAD(S_IFREG, i_flags, cpu_to_le32(0x1));
	GOOD(S_IFREG, i_flags, cpu_to_le32(VEXFS_IMMUTABLE_FL));
	BAD(S_IFREG, i_flags, cpu_to_le32(VEXFS_COLLECTION_FL));
	BAD(S_IFREG, i_flags, cpu_to_le32(VEXFS_FORK_FL));
	BAD(S_IFDIR, i_flags, cpu_to_le32(VEXFS_FORK_FL));
	BAD(S_IFREG, i_size, cpu_to_le64(1ull << 44));
	GOOD(S_IFREG, i_size, cpu_to_le64((1ull << 44) - 4096));
	BAD(S_IFREG, i_blocks, cpu_to_le64(1ull << 44));
	BAD(S_IFREG, i_nlink, cpu_to_le32(65001));
	BAD(S_IFREG, i_xattr_len, cpu_to_le16(49));
	BAD(S_IFREG, i_xattr, cpu_to_le64(1));
	BAD(S_IFREG, i_xattr, cpu_to_le64(1ull << 60));
	GOOD(S_IFREG, i_xattr, cpu_to_le64(30000));
	BAD(S_IFDIR, i_size, cpu_to_le64(100));
	GOOD(S_IFDIR, i_size, cpu_to_le64(4096));
	BAD(S_IFDIR, i_parent, 0);
	BAD(S_IFLNK, i_size, 0);
	BAD(S_IFLNK, i_size, cpu_to_le64(4096));
	GOOD(S_IFLNK, i_size, cpu_to_le64(72));
	BAD(S_IFCHR, i_size, cpu_to_le64(1));
	BAD(S_IFIFO, i_size, cpu_to_le64(1));
	BAD(S_IFREG, i_root.er_count, cpu_to_le16(5));
	GOOD(S_IFLNK, i_root.er_count, cpu_to_le16(5));
	GOOD(S_IFCHR, i_rdev, cpu_to_le64(0x801));
	GOOD(S_IFREG, i_atime, cpu_to_le64(U64_MAX));
#undef BAD
#undef GOOD
	close_volume();
}

/* A file on disk, so that the orphan list can name it. */
static u64 new_inode(void)
{
	struct vexfs_trans *t;
	struct vexfs_inode *di;
	struct vexfs_buf *buf;
	u64 ino;

	CHECK_EQ(take(VEXFS_ROOT_INO, false, &ino), 0);
	t = cu_begin(&vol, 1);
	buf = vexfs_inode_buf(&vol.fs, ino, &di);
	CHECK(!IS_ERR(buf));
	CHECK_EQ(vexfs_trans_write(t, buf), 0);
	make_inode(di, ino, S_IFREG | 0600);
	CHECK_EQ(vexfs_trans_dirty(t, buf), 0);
	vexfs_buf_put(buf);
	vexfs_trans_end(t);
	return ino;
}

static void set_next(u64 ino, u64 next)
{
	struct vexfs_trans *t = cu_begin(&vol, 1);
	struct vexfs_inode *di;
	struct vexfs_buf *buf = vexfs_inode_read(&vol.fs, ino, &di);

	CHECK(!IS_ERR(buf));
	CHECK_EQ(vexfs_trans_write(t, buf), 0);
	di->i_orphan_next = cpu_to_le64(next);
	di->i_checksum = cpu_to_le32(vexfs_inode_csum(&vol.fs, di));
	CHECK_EQ(vexfs_trans_dirty(t, buf), 0);
	vexfs_buf_put(buf);
	vexfs_trans_end(t);
}

static int orphan(u64 ino, bool add)
{
	struct vexfs_trans *t = cu_begin(&vol, VEXFS_ORPHAN_CREDITS);
	int err = add ? vexfs_orphan_add(t, &vol.fs, ino) :
			vexfs_orphan_del(t, &vol.fs, ino);

	vexfs_trans_end(t);
	return err;
}

static void check_list(const u64 *list, u32 n)
{
	u64 at = le64_to_cpu(vexfs_super(&vol.fs)->s_orphan_head);
	struct vexfs_inode *di;
	struct vexfs_buf *buf;

	while (n--) {
		CHECK_EQ(at, list[n]);
		buf = vexfs_inode_read(&vol.fs, at, &di);
		CHECK(!IS_ERR(buf));
		at = le64_to_cpu(di->i_orphan_next);
		vexfs_buf_put(buf);
	}
	CHECK_EQ(at, 0);
}

static void test_orphans(void)
{
	u64 list[100], all[120];
	u32 i, n = 0, at;

	open_volume(300u << 20, 4096, 65536);
	for (i = 0; i < ARRAY_SIZE(all); i++)
		all[i] = new_inode();
	for (i = 0; i < 600; i++) {
		at = (u32)cu_below(n + 1);
		if (cu_below(2) && n < 100) {
			u64 ino = all[cu_below(120)];

			for (at = 0; at < n && list[at] != ino; at++)
				;
			if (at < n)
				continue;
			CHECK_EQ(orphan(ino, true), 0);
			list[n++] = ino;
		} else if (at < n) {
			CHECK_EQ(orphan(list[at], false), 0);
			memmove(&list[at], &list[at + 1],
				(n - at - 1) * sizeof(list[0]));
			n--;
		}
		check_list(list, n);
		if (i % 50 == 0)
			cu_reload(&vol);
	}
	CHECK_EQ(vol.dev->corruptions, 0);
	close_volume();
}

/* Lists that a disk may have: loops, wild numbers. */
static void test_bad_orphans(void)
{
	u64 ino[8];
	u32 i;

	open_volume(300u << 20, 4096, 65536);
	for (i = 0; i < 8; i++)
		ino[i] = new_inode();
	CHECK_EQ(orphan(ino[7], false), -EFSCORRUPTED);
	for (i = 0; i < 6; i++)
		CHECK_EQ(orphan(ino[i], true), 0);
	CHECK_EQ(orphan(ino[5], true), -EEXIST);
	CHECK_EQ(orphan(ino[7], false), -EFSCORRUPTED);
	for (i = 0; i < 6; i++) {
		set_next(ino[0], ino[i]);
		CHECK_EQ(orphan(ino[7], false), -EFSCORRUPTED);
	}
	set_next(ino[0], 1ull << 50);
	CHECK_EQ(orphan(ino[7], false), -EFSCORRUPTED);
	set_next(ino[0], 2000);
	CHECK(orphan(ino[7], false) < 0);
	close_volume();
}

static void test_faults(void)
{
	u64 ino;
	int n, err, failed = 0;

	for (n = 1; n < 12; n++) {
		open_volume(300u << 20, 4096, 65536);
		CHECK_EQ(take(VEXFS_ROOT_INO, false, &ino), 0);
		cu_reload(&vol);
		if (n & 1)
			vol.dev->fail.read = (n + 1) / 2;
		else
			kshim_fail_alloc = 1 + n / 2;
		err = take(VEXFS_ROOT_INO, false, &ino);
		CHECK(!err || err == -EIO || err == -ENOMEM);
		failed += !!err;
		vol.dev->fail.read = 0;
		kshim_fail_alloc = 0;
		CHECK_EQ(take(VEXFS_ROOT_INO, false, &ino), 0);
		cu_reload(&vol);
		check_counters();
		CHECK_EQ(vol.dev->corruptions, 0);
		close_volume();
	}
	CHECK(failed >= 2);
}

int main(void)
{
	cu_plan(12);
	cu_run("random", test_random);
	cu_run("to the last inode", test_full);
	cu_run("inode tables start as garbage", test_itable);
	cu_run("directories spread, files stay", test_places);
	cu_run("inode numbers", test_numbers);
	cu_run("bad frees are refused", test_bad_frees);
	cu_run("damaged bitmaps", test_damage);
	cu_run("damaged second bitmap block", test_damage_split);
	cu_run("inode verifier", test_verify);
	cu_run("orphan list", test_orphans);
	cu_run("impossible orphan lists", test_bad_orphans);
	cu_run("failing reads and allocations", test_faults);
	return 0;
}

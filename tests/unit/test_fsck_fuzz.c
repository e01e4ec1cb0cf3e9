// SPDX-License-Identifier: GPL-2.0
/*
 * fsck.vexfs on volumes with random damage: bytes of metadata are changed,
 * half of the time with the checksum made right again. It must come to an
 * end, and find nothing when it looks a second time.
 *
 * A few hundred of them; VEXFS_FUZZ=5000 does as many, VEXFS_FUZZ_SEED=N
 * begins at another place, which is what a failure prints.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include "fsck_util.h"

#include <unistd.h>

static struct fu_vol base[3];
static u64 *target[3];			/* blocks of metadata */
static u32 targets[3];
static u64 seed, state;

static u64 rnd(void)
{
	u64 z = state += 0x9e3779b97f4a7c15ull;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
	return z ^ (z >> 31);
}

static u32 below(u32 n)
{
	return (u32)(rnd() >> 32) % n;
}

static bool has_header(const void *data)
{
	switch (le32_to_cpu(*(const __le32 *)data)) {
	case VEXFS_MAGIC_EXTENT:
	case VEXFS_MAGIC_DIR:
	case VEXFS_MAGIC_SYMLINK:
	case VEXFS_MAGIC_XATTR:
	case VEXFS_MAGIC_XVALUE:
	case VEXFS_MAGIC_COLL:
		return true;
	}
	return false;
}

/* All blocks that are metadata by their place or say that they are. */
static void find_targets(int which)
{
	struct fu_vol *v = &base[which];
	const struct vexfs_geom *g = &v->f.fs.geom;
	u64 first = vexfs_cluster_to_block(g, vexfs_group_overhead(g, 0)), bno;
	u8 data[VEXFS_BLOCK_SIZE] __aligned(8);

	target[which] = calloc(v->f.dev->blocks, sizeof(u64));
	for (bno = 0; bno < v->f.dev->blocks; bno++) {
		fu_read(v, bno, data);
		if (!memchr_inv(data, 0, sizeof(data)))
			continue;
		if (bno < first || has_header(data) ||
		    bno == vexfs_journal_block(g, 0) ||
		    bno == fu_block(v, v->n.coll + 1, 0) ||
		    bno == fu_block(v, v->n.coll + 2, 0))
			target[which][targets[which]++] = bno;
	}
	CHECK(targets[which] > 30);
}

static void change_bytes(u8 *data, u32 size)
{
	u32 n = 1 + below(4), off;

	while (n--) {
		off = below(3) ? below(size) : below(min(size, 128u));
		switch (below(4)) {
		case 0:
			data[off] ^= (u8)(1 << below(8));
			break;
		case 1:
			data[off] = (u8)rnd();
			break;
		case 2:
			data[off] = below(2) ? 0 : 0xff;
			break;
		default:
			off &= ~7u;
			if (off + 8 <= size)
				put_unaligned_le64(below(2) ? below(20000) :
						   rnd(), data + off);
		}
	}
}

/* One inode of a block of them, with a checksum that is right. */
static void change_inode(struct fu_vol *v, u8 *data)
{
	struct vexfs_inode *di = (struct vexfs_inode *)data +
				 below(VEXFS_INODES_PER_BLOCK);

	change_bytes((u8 *)di, sizeof(*di));
	di->i_checksum = cpu_to_le32(vexfs_inode_csum(&v->f.fs, di));
}

static void change_desc(struct fu_vol *v, u8 *data)
{
	struct vexfs_group_desc *gd = (void *)data;

	change_bytes(data, sizeof(*gd));
	gd->bg_checksum = cpu_to_le32(vexfs_group_desc_csum(&v->f.fs, 0, gd));
}

static void change_super(u8 *data)
{
	struct vexfs_super_block *sb = (void *)(data + VEXFS_SUPER_OFFSET);

	change_bytes((u8 *)sb, 480);
	sb->s_checksum = cpu_to_le32(vexfs_super_csum(sb));
}

/* A bitmap whose descriptor agrees with it. */
static void change_bitmap(struct fu_vol *v, u8 *data, bool inodes)
{
	struct vexfs_group_desc gd;
	u32 crc, zeroes;

	change_bytes(data, VEXFS_BLOCK_SIZE);
	crc = vexfs_crc32c(v->f.fs.csum_seed, data, VEXFS_BLOCK_SIZE);
	zeroes = vexfs_bitmap_zeroes(data, 8 * VEXFS_BLOCK_SIZE);
	fu_desc(v, 0, &gd);
	if (inodes) {
		gd.bg_inode_bitmap_csum = cpu_to_le32(crc);
		gd.bg_free_inodes = cpu_to_le32(zeroes);
	} else {
		gd.bg_cluster_bitmap_csum = cpu_to_le32(crc);
		gd.bg_free_clusters = cpu_to_le32(zeroes);
	}
	fu_put_desc(v, 0, &gd, true);
}

static void change_sealed(struct fu_vol *v, u64 bno, u8 *data)
{
	const struct vexfs_geom *g = &v->f.fs.geom;
	u64 itable = vexfs_itable_block(g, 0);

	if (!bno)
		change_super(data);
	else if (bno == vexfs_gdt_block(g, 0))
		change_desc(v, data);
	else if (bno == vexfs_cluster_bitmap_block(g, 0))
		change_bitmap(v, data, false);
	else if (bno == vexfs_inode_bitmap_block(g, 0, 0))
		change_bitmap(v, data, true);
	else if (bno >= itable && !has_header(data) &&
		 bno < itable + vexfs_cluster_to_block(g, g->itable_clusters))
		change_inode(v, data);
	else
		change_bytes(data, VEXFS_BLOCK_SIZE);
	if (has_header(data))
		fsck_meta_seal(&v->f, data);
}

/* A sound superblock of a version to come: fsck leaves it alone. */
static bool newer(struct fu_vol *v)
{
	u8 data[VEXFS_BLOCK_SIZE] __aligned(8);
	const struct vexfs_super_block *sb = (void *)(data +
						      VEXFS_SUPER_OFFSET);

	fu_read(v, 0, data);
	return le32_to_cpu(sb->s_checksum) == vexfs_super_csum(sb) &&
	       (le32_to_cpu(sb->s_revision) > VEXFS_REVISION ||
		(le32_to_cpu(sb->s_feature_incompat) & ~VEXFS_INCOMPAT_KNOWN));
}

/* True if neither superblock nor backup can be expected to be of use. */
static bool damage(struct fu_vol *v, int which)
{
	u64 backup = vexfs_backup_block(&v->f.fs.geom, 0), bno;
	u32 n = below(3) ? 1 : 1 + below(5);
	bool super = false, copy = false;
	u8 data[VEXFS_BLOCK_SIZE] __aligned(8);

	while (n--) {
		bno = target[which][below(targets[which])];
		/* Each of the few kinds of fixed places, often enough. */
		if (!below(4))
			bno = target[which][below(8)];
		fu_read(v, bno, data);
		if (below(2))
			change_sealed(v, bno, data);
		else
			change_bytes(data, sizeof(data));
		fu_write(v, bno, data);
		super |= !bno;
		copy |= bno == backup;
	}
	return (super && copy) || newer(v);
}

/* Which volume is part of the seed, so that a failure is one number. */
static void fuzz_one(u32 i)
{
	int which = (int)((seed + i) % 3), first, second;
	struct fu_vol v;
	bool hopeless;

	state = seed + i;
	fu_clone(&v, &base[which]);
	hopeless = damage(&v, which);
	alarm(60);
	first = fu_fsck(&v, FSCK_YES);
	second = fu_fsck(&v, FSCK_NO);
	alarm(0);
	if (!hopeless && ((first & ~FSCK_CORRECTED) || second)) {
		printf("# VEXFS_FUZZ_SEED=%llu VEXFS_FUZZ=1: status %d, then %d\n",
		       seed + i, first, second);
		cu_fail(__FILE__, __LINE__, "repaired");
	}
	fu_close(&v);
}

static u32 rounds(void)
{
	const char *env = getenv("VEXFS_FUZZ");

	return env ? (u32)strtoul(env, NULL, 10) : 300;
}

static void fuzz(void)
{
	u32 i, n = rounds();

	for (i = 0; i < n; i++)
		fuzz_one(i);
	printf("# %u volumes with random damage, seed %llu\n", n, seed);
}

int main(void)
{
	const char *env = getenv("VEXFS_FUZZ_SEED");
	int i;

	kshim_seed(4712);
	seed = env ? strtoull(env, NULL, 10) : 20261122;
	cu_plan(1);
	fu_make(&base[0], 4096, false);
	fu_make(&base[1], 4096, true);
	fu_make(&base[2], 8192, true);
	for (i = 0; i < 3; i++)
		find_targets(i);
	cu_run("random damage is repaired", fuzz);
	for (i = 0; i < 3; i++) {
		free(target[i]);
		fu_close(&base[i]);
	}
	return 0;
}

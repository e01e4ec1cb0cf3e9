// SPDX-License-Identifier: GPL-2.0
/*
 * The volumes that are damaged: made in the guest, kept in memory and on a
 * disk, put back for each round into the file under the loop device.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include "fsck_random.h"

#include <fcntl.h>
#include <sys/mount.h>
#include <unistd.h>

#include "fuzz.h"

#define MF_BLOCKS	(MF_BYTES / VEXFS_BLOCK_SIZE)
#define MF_STORE_MAGIC	0x7a7a75664d786556ull

/* The first block of the store says that the volumes behind it are whole. */
struct mf_store {
	u64	magic;
	u64	bytes;
};

static struct mf_image {
	u32	*bno;			/* of blocks that are not all zeroes */
	u8	*data;			/* those, one behind the other */
	u32	count;
	struct fu_vol vol;
	struct fr_targets targets;
} image[MF_BASES];

static int volume = -1;			/* the file under the loop device */

static bool empty(const u8 *block)
{
	return !memchr_inv(block, 0, VEXFS_BLOCK_SIZE);
}

static int read_image(struct mf_image *im, int fd, off_t at)
{
	u8 block[VEXFS_BLOCK_SIZE] __aligned(8);
	u32 i;

	im->count = 0;
	for (i = 0; i < MF_BLOCKS; i++, at += VEXFS_BLOCK_SIZE) {
		if (pread(fd, block, sizeof(block), at) != sizeof(block))
			return -1;
		if (empty(block))
			continue;
		im->bno = realloc(im->bno, (im->count + 1) * sizeof(u32));
		im->data = realloc(im->data, (im->count + 1) * sizeof(block));
		CHECK(im->bno && im->data);
		im->bno[im->count] = i;
		memcpy(im->data + (size_t)im->count++ * sizeof(block), block,
		       sizeof(block));
	}
	return 0;
}

/* Neighbours in one go. */
static int write_image(const struct mf_image *im, int fd, off_t at)
{
	u32 i, n;

	for (i = 0; i < im->count; i += n) {
		for (n = 1; i + n < im->count &&
		     im->bno[i + n] == im->bno[i] + n; n++)
			;
		if (pwrite(fd, im->data + (size_t)i * VEXFS_BLOCK_SIZE,
			   (size_t)n * VEXFS_BLOCK_SIZE,
			   at + (off_t)im->bno[i] * VEXFS_BLOCK_SIZE) !=
		    (ssize_t)n * VEXFS_BLOCK_SIZE)
			return -1;
	}
	return 0;
}

static void load(struct mf_image *im)
{
	u32 i;

	im->vol.f.dev = vexfs_dev_mem(MF_BYTES);
	CHECK(!IS_ERR(im->vol.f.dev));
	im->vol.f.dev->quiet = true;
	for (i = 0; i < im->count; i++)
		CHECK_EQ(vexfs_dev_write(im->vol.f.dev, im->bno[i], im->data +
					 (size_t)i * VEXFS_BLOCK_SIZE), 0);
	fu_clone_state(&im->vol);
	fr_find(&im->targets, &im->vol);
	printf("# volume %d: %u blocks to damage\n", (int)(im - image),
	       im->targets.count);
}

/* Of two sizes of clusters; with quota, a vector area, both, neither. */
static int make(unsigned int which)
{
	static const char *const options[MF_BASES] = {
		"-Q usr,grp,prj", "-b 8192 -V -Q usr,prj", "",
	};
	char command[160];
	int err;

	snprintf(command, sizeof(command),
		 "mkfs.vexfs -f -i 65536 %s %s >/dev/null", options[which],
		 mf_dev);
	if (fallocate(volume, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0,
		      MF_BYTES) || system(command) ||
	    mount(mf_dev, mf_dir, "vexfs", 0, "errors=continue"))
		return -1;
	err = mf_make(which);
	if (umount(mf_dir))
		err = -1;
	return err;
}

static int make_all(int store)
{
	struct mf_store head = { .magic = MF_STORE_MAGIC, .bytes = MF_BYTES };
	unsigned int i;

	for (i = 0; i < MF_BASES; i++)
		if (make(i) || read_image(&image[i], volume, 0) ||
		    write_image(&image[i], store,
				VEXFS_BLOCK_SIZE + (off_t)i * MF_BYTES))
			return -1;
	if (fsync(store) ||
	    pwrite(store, &head, sizeof(head), 0) != sizeof(head))
		return -1;
	return fsync(store);
}

static int read_all(int store)
{
	unsigned int i;

	for (i = 0; i < MF_BASES; i++)
		if (read_image(&image[i], store,
			       VEXFS_BLOCK_SIZE + (off_t)i * MF_BYTES))
			return -1;
	return 0;
}

int mf_image_setup(const char *store, const char *file)
{
	struct mf_store head = { };
	int fd = open(store, O_RDWR), i;

	volume = open(file, O_RDWR);
	if (fd < 0 || volume < 0)
		return -1;
	if (pread(fd, &head, sizeof(head), 0) != sizeof(head))
		return -1;
	if (head.magic == MF_STORE_MAGIC && head.bytes == MF_BYTES ?
	    read_all(fd) : make_all(fd))
		return -1;
	close(fd);
	for (i = 0; i < MF_BASES; i++)
		load(&image[i]);
	return 0;
}

/* Only targets are damaged, so only they may differ. */
static void write_damage(struct mf_image *im, struct fu_vol *v)
{
	u8 data[VEXFS_BLOCK_SIZE] __aligned(8), was[VEXFS_BLOCK_SIZE];
	u64 bno;
	u32 i;

	for (i = 0; i < im->targets.count; i++) {
		bno = im->targets.bno[i];
		fu_read(v, bno, data);
		fu_read(&im->vol, bno, was);
		if (!memcmp(data, was, sizeof(data)))
			continue;
		CHECK(pwrite(volume, data, sizeof(data),
			     (off_t)bno * VEXFS_BLOCK_SIZE) == sizeof(data));
	}
}

void mf_image_damage(unsigned int which, uint64_t seed)
{
	struct mf_image *im = &image[which];
	struct fu_vol v;

	CHECK(!fallocate(volume, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
			 0, MF_BYTES));
	CHECK(!write_image(im, volume, 0));
	fr_seed(seed);
	fu_clone(&v, &im->vol);
	fr_damage(&v, &im->targets);
	write_damage(im, &v);
	fu_close(&v);
}

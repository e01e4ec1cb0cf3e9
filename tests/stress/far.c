// SPDX-License-Identifier: GPL-2.0
/*
 * A file with data at the ends of what a file and a volume may have.
 *
 *   stressfar write FILE BLOCK     data behind block BLOCK of the volume, at
 *                                  least in part
 *   stressfar verify FILE
 *
 * Copyright (C) 2026 The VexFS authors
 */
#define _GNU_SOURCE
#include <err.h>
#include <fcntl.h>
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "libfs.h"

#define PIECE		65536
#define EXTENTS		64

/* The last one ends where the largest file does. */
static const off_t pieces[] = {
	0, 5ll << 30, (1ll << 40) + FS_BLOCK, 7ll << 40,
	(16ll << 40) - FS_BLOCK - PIECE,
};

#define PIECES		((int)(sizeof(pieces) / sizeof(*pieces)))

/* The farthest block of it on the volume. */
static uint64_t last_block(int fd)
{
	struct fiemap *map = calloc(1, sizeof(*map) + EXTENTS *
				    sizeof(struct fiemap_extent));
	uint64_t last = 0;
	unsigned int i;

	if (!map)
		errx(1, "no memory");
	map->fm_length = ~0ull;
	map->fm_flags = FIEMAP_FLAG_SYNC;
	map->fm_extent_count = EXTENTS;
	if (ioctl(fd, FS_IOC_FIEMAP, map))
		err(1, "fiemap");
	for (i = 0; i < map->fm_mapped_extents; i++) {
		struct fiemap_extent *e = &map->fm_extents[i];
		uint64_t end = e->fe_physical + e->fe_length;

		if (end > last)
			last = end;
	}
	free(map);
	return last / FS_BLOCK;
}

static void write_pieces(int fd, uint64_t block)
{
	uint8_t *buf = fs_aligned(PIECE);
	uint64_t last;
	int i;

	for (i = 0; i < PIECES; i++) {
		fs_fill(buf, PIECE, pieces[i], 7);
		if (pwrite(fd, buf, PIECE, pieces[i]) != PIECE)
			err(1, "write at %lld", (long long)pieces[i]);
	}
	if (fsync(fd))
		err(1, "fsync");
	last = last_block(fd);
	printf("# data up to block %llu\n", (unsigned long long)last);
	if (last < block)
		errx(1, "none behind block %llu", (unsigned long long)block);
}

static void verify(int fd)
{
	struct stat st;
	off_t hole;
	int i;

	if (fstat(fd, &st) || st.st_size != pieces[PIECES - 1] + PIECE)
		errx(1, "the size is wrong");
	if (st.st_blocks * 512 < PIECES * PIECE ||
	    st.st_blocks * 512 > 2 * PIECES * PIECE)
		errx(1, "%lld sectors", (long long)st.st_blocks);
	for (i = 0; i < PIECES; i++) {
		if (fs_verify(fd, pieces[i], PIECE, 7))
			errx(1, "at %lld", (long long)pieces[i]);
		hole = lseek(fd, pieces[i], SEEK_HOLE);
		if (hole != pieces[i] + PIECE)
			errx(1, "hole at %lld", (long long)hole);
		if (i + 1 < PIECES &&
		    lseek(fd, hole, SEEK_DATA) != pieces[i + 1])
			errx(1, "no data at %lld", (long long)pieces[i + 1]);
	}
}

int main(int argc, char **argv)
{
	int fd;

	if (argc < 3)
		errx(2, "see the head of far.c");
	fd = open(argv[2], O_CREAT | O_RDWR, 0644);
	if (fd < 0)
		err(1, "%s", argv[2]);
	if (!strcmp(argv[1], "write") && argc == 4)
		write_pieces(fd, strtoull(argv[3], NULL, 0));
	verify(fd);
	return close(fd);
}

// SPDX-License-Identifier: GPL-2.0
/*
 * Collections with hash tables: nothing waits when an insert has returned,
 * searches find as much as was asked for, and nothing that was deleted.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "harness.h"
#include "libcoll.h"
#include "libfs.h"

enum { N = 4000, DIMS = 32, K = 10, BATCH = 500, QUERIES = 40 };

FIXTURE(lsh) {
	char	dir[256];
	float	*v;
	int	fd;
};

FIXTURE_SETUP(lsh)
{
	ASSERT_EQ(0, fs_enter(self->dir, sizeof(self->dir)));
	self->v = malloc(N * DIMS * sizeof(float));
	for (int i = 0; i < N; i++)
		coll_fill_cluster(self->v + i * DIMS, DIMS, i, 60);
	self->fd = coll_create("c", DIMS, VEXFS_L2, VEXFS_LSH);
	ASSERT_LE(0, self->fd);
}

FIXTURE_TEARDOWN(lsh)
{
	free(self->v);
	close(self->fd);
	EXPECT_EQ(0, fs_leave(self->dir));
}

static int waiting(int fd)
{
	struct vexfs_info info;

	if (coll_info(fd, &info) || info.indexed + info.pending != info.count)
		return -1;
	return info.pending;
}

/* Hits that an exact search has too, of QUERIES * K. */
static int found(int fd, uint32_t ef, uint32_t *mode)
{
	struct vexfs_hit got[K], want[K];
	float q[DIMS];
	int i, j, l, hit = 0;

	for (i = 0; i < QUERIES; i++) {
		coll_fill_cluster(q, DIMS, 100000 + i, 60);
		if (coll_search(fd, q, K, ef, 0, got) != K)
			return -1;
		*mode = coll_mode;
		if (coll_search(fd, q, K, 0, VEXFS_SEARCH_EXACT, want) != K)
			return -1;
		for (j = 0; j < K; j++)
			for (l = 0; l < K; l++)
				hit += got[j].id == want[l].id &&
				       got[j].distance == want[l].distance;
	}
	return hit;
}

TEST_F(lsh, parameters)
{
	struct vexfs_info info;

	ASSERT_EQ(0, coll_info(self->fd, &info));
	EXPECT_EQ(VEXFS_LSH, info.index);
	EXPECT_EQ(16, info.lsh_tables);
	EXPECT_EQ(0, info.lsh_bits);
	EXPECT_EQ(9000, info.lsh_recall);
	EXPECT_EQ(0, info.m);
}

TEST_F(lsh, insert_search_delete)
{
	uint64_t ids[BATCH];
	struct vexfs_hit hit;
	uint32_t mode;
	int i, hits;

	for (i = 0; i < N; i += BATCH) {
		ASSERT_EQ(0, coll_insert(self->fd, NULL, self->v + i * DIMS,
					 BATCH, 0, NULL));
		EXPECT_EQ(0, waiting(self->fd));
	}
	hits = found(self->fd, 0, &mode);
	TH_LOG("%d of %d", hits, QUERIES * K);
	EXPECT_EQ(VEXFS_MODE_LSH, mode);
	EXPECT_LE(QUERIES * K * 9 / 10, hits);
	EXPECT_LE(QUERIES * K * 97 / 100, found(self->fd, 60, &mode));

	for (i = 0; i < BATCH; i++)
		ids[i] = i;
	ASSERT_EQ(BATCH, coll_delete(self->fd, ids, BATCH, 0));
	for (i = 0; i < 20; i++) {
		ASSERT_EQ(1, coll_search(self->fd, self->v + i * DIMS, 1, 0, 0,
					 &hit));
		EXPECT_LE(BATCH, hit.id);
	}
	ASSERT_EQ(0, fsync(self->fd));
	ASSERT_EQ(0, coll_insert(self->fd, ids, self->v, BATCH, 0, NULL));
	EXPECT_EQ(0, waiting(self->fd));
	for (i = 0; i < 20; i++) {
		ASSERT_EQ(1, coll_search(self->fd, self->v + i * DIMS, 1, 0, 0,
					 &hit));
		EXPECT_EQ(i, hit.id);
		EXPECT_EQ(0, hit.distance);
	}
	EXPECT_LE(QUERIES * K * 9 / 10, found(self->fd, 0, &mode));
}

TEST_HARNESS_MAIN

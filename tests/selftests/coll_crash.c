// SPDX-License-Identifier: GPL-2.0
/*
 * A collection through crashes. The same inserts, replacements and deletes
 * in the same order every time, so that the contents tell how many of them
 * are there: not fewer than were acknowledged by an fsync, and each whole.
 *
 *   coll_crash create FILE
 *   coll_crash work FILE ACKS	goes on where it was, until it is killed
 *   coll_crash verify FILE ACKS
 *
 * ACKS is a block device of at least 1 MiB, written with direct I/O behind its
 * first half. Run by tests/guest/coll_crash.sh; as a selftest, without
 * arguments, it checks that the verification sees what it has to see.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "harness.h"
#include "libcoll.h"
#include "libfs.h"

#define DIMS		24
#define BATCH		40
#define MAX_OPS		4000
/* Operations that may be done beyond the last acknowledged. */
#define UNSYNCED	8
#define ACK_POS		(512 << 10)
#define ACK_MAGIC	0x6b6341584556ull

/* What there is after some operations: for each id the one that wrote it. */
struct model {
	int	wrote[MAX_OPS * BATCH];		/* operation + 1, or 0 */
	long	count;
};

static void vector(float *v, uint64_t id, int op)
{
	coll_fill_ints(v, DIMS, id * 1000003 + op);
}

/* Operation @op: how many ids, and 'i'nsert, 'u'psert or 'd'elete. */
static char operation(int op, uint64_t *ids, int *n)
{
	int i;

	*n = BATCH;
	switch (op % 5) {
	case 2:
		/* Replaces half of the batch before and adds as many. */
		for (i = 0; i < BATCH; i++)
			ids[i] = (uint64_t)op * BATCH + i - BATCH / 2;
		return 'u';
	case 4:
		*n = BATCH / 2;
		for (i = 0; i < *n; i++)
			ids[i] = (uint64_t)(op - 4) * BATCH + 2 * i;
		return 'd';
	default:
		for (i = 0; i < BATCH; i++)
			ids[i] = (uint64_t)op * BATCH + i;
		return 'i';
	}
}

static void model_step(struct model *m, int op)
{
	uint64_t ids[BATCH];
	int n, i;
	bool delete = operation(op, ids, &n) == 'd';

	for (i = 0; i < n; i++) {
		m->count += !delete - !!m->wrote[ids[i]];
		m->wrote[ids[i]] = delete ? 0 : op + 1;
	}
}

static int apply(int fd, int op)
{
	float v[BATCH * DIMS];
	uint64_t ids[BATCH];
	int n, i, err;
	char what = operation(op, ids, &n);

	for (i = 0; i < n; i++)
		vector(v + i * DIMS, ids[i], op);
	if (what == 'd') {
		err = coll_delete(fd, ids, n, 0);
		return err == n ? 0 : -1;
	}
	return coll_insert(fd, ids, v, n,
			   what == 'u' ? VEXFS_INSERT_UPSERT : 0, NULL);
}

/* True when each vector is as the model says, and there is no other. */
static bool model_equals(const struct model *m, const uint64_t *ids,
			 const float *v, long n)
{
	float want[DIMS];
	long i;

	if (n != m->count)
		return false;
	for (i = 0; i < n; i++) {
		if (ids[i] >= MAX_OPS * BATCH || !m->wrote[ids[i]])
			return false;
		vector(want, ids[i], m->wrote[ids[i]] - 1);
		if (memcmp(want, v + i * DIMS, sizeof(want)))
			return false;
	}
	return true;
}

/* A few of the vectors are their own nearest. */
static bool searches_find(int fd, const uint64_t *ids, const float *v, long n)
{
	struct vexfs_hit hit;
	long i;

	for (i = 0; i < n; i += n / 5 + 1) {
		if (coll_search(fd, v + i * DIMS, 1, 0, VEXFS_SEARCH_EXACT,
				&hit) != 1 || hit.distance)
			return false;
		if (coll_search(fd, v + i * DIMS, 1, 0, 0, &hit) != 1 ||
		    hit.distance)
			return false;
	}
	return true;
}

/* How many operations the collection shows, at least @acked; -1: a mixture. */
static int verify(int fd, int acked)
{
	struct model *m = calloc(1, sizeof(*m));
	uint64_t *ids = NULL;
	float *v;
	long n = coll_ids(fd, &ids);
	int op, found = -1;

	v = malloc((n > 0 ? n : 1) * DIMS * sizeof(float));
	if (!m || !v || n < 0 || (n && coll_get(fd, ids, n, v, NULL) != n))
		goto out;
	for (op = 0; op < acked; op++)
		model_step(m, op);
	for (; op <= acked + UNSYNCED; op++) {
		if (model_equals(m, ids, v, n)) {
			found = op;
			break;
		}
		model_step(m, op);
	}
	if (found >= 0 && !searches_find(fd, ids, v, n))
		found = -1;
	if (found < 0)
		printf("# %ld vectors are not those of %d operations or up to %d more\n",
		       n, acked, UNSYNCED);
out:
	free(v);
	free(ids);
	free(m);
	return found;
}

/* -------------------------------------------------------- acknowledging */

struct ack {
	uint64_t	magic;
	uint64_t	ops;
};

static int ack_open(const char *disk)
{
	return open(disk, O_RDWR | O_DIRECT | O_SYNC);
}

static int ack_write(int fd, int ops)
{
	struct ack *a = fs_aligned(4096);
	int err;

	memset(a, 0, 4096);
	a->magic = ACK_MAGIC;
	a->ops = ops;
	err = pwrite(fd, a, 4096, ACK_POS) == 4096 ? 0 : -1;
	free(a);
	return err;
}

static int ack_read(int fd)
{
	struct ack *a = fs_aligned(4096);
	int ops = 0;

	if (pread(fd, a, 4096, ACK_POS) == 4096 && a->magic == ACK_MAGIC)
		ops = a->ops;
	free(a);
	return ops;
}

/* --------------------------------------------------------------- modes */

/* 3 when it is the device that doesn't do as it should. */
static int ended(const char *what, int op)
{
	int err = errno;

	printf("# %s %d failed: %s\n", what, op, strerror(err));
	return err == EIO || err == EROFS ? 3 : 1;
}

static int work(int fd, int acks)
{
	int op = verify(fd, ack_read(acks));

	for (; op >= 0 && op < MAX_OPS; op++) {
		if (apply(fd, op))
			return ended("operation", op);
		/* Sometimes several go into one commit. */
		if (op % 7 == 3 || op % 7 == 4)
			continue;
		if (fsync(fd))
			return ended("fsync of operation", op);
		if (ack_write(acks, op + 1))
			return 1;
	}
	return op < 0;
}

static int run(int argc, char **argv)
{
	int fd, acks, ops;

	if (!strcmp(argv[1], "create")) {
		fd = coll_create(argv[2], DIMS, VEXFS_L2, VEXFS_HNSW);
		return fd < 0 || fsync(fd);
	}
	if (argc < 4)
		return 2;
	fd = open(argv[2], O_RDWR);
	acks = ack_open(argv[3]);
	if (fd < 0 || acks < 0) {
		perror(fd < 0 ? argv[2] : argv[3]);
		return 2;
	}
	if (!strcmp(argv[1], "work"))
		return work(fd, acks);
	ops = verify(fd, ack_read(acks));
	printf("# %d operations acknowledged, %d there\n", ack_read(acks), ops);
	return ops < 0;
}

TEST(verification_has_teeth)
{
	char dir[256];
	float v[DIMS];
	uint64_t id = BATCH;
	int fd, op;

	ASSERT_EQ(0, fs_enter(dir, sizeof(dir)));
	fd = coll_create("c", DIMS, VEXFS_L2, VEXFS_HNSW);
	ASSERT_LE(0, fd);
	EXPECT_EQ(0, verify(fd, 0));
	for (op = 0; op < 11; op++)
		ASSERT_EQ(0, apply(fd, op));
	EXPECT_EQ(11, verify(fd, 11));
	EXPECT_EQ(11, verify(fd, 5));
	/* More was promised than is there. */
	EXPECT_EQ(-1, verify(fd, 12));
	/* A vector's bytes, a vector too few, one too many. */
	vector(v, id, 77);
	ASSERT_EQ(0, coll_insert(fd, &id, v, 1, VEXFS_INSERT_UPSERT, NULL));
	EXPECT_EQ(-1, verify(fd, 11));
	ASSERT_EQ(1, coll_delete(fd, &id, 1, 0));
	EXPECT_EQ(-1, verify(fd, 11));
	vector(v, id, 1);
	ASSERT_EQ(0, coll_insert(fd, &id, v, 1, 0, NULL));
	EXPECT_EQ(11, verify(fd, 11));
	id = 0;
	vector(v, id, 0);
	ASSERT_EQ(0, coll_insert(fd, &id, v, 1, 0, NULL));
	EXPECT_EQ(-1, verify(fd, 11));
	close(fd);
	EXPECT_EQ(0, fs_leave(dir));
}

int main(int argc, char **argv)
{
	return argc > 2 ? run(argc, argv) : test_harness_run(argc, argv);
}

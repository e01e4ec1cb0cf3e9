// SPDX-License-Identifier: GPL-2.0
/*
 * What collections promise: what is inserted is found, exactly, at once and
 * until it is deleted; searches equal a computation in double precision; the
 * file shows the rows and is changed through the commands only.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness.h"
#include "libcoll.h"
#include "libfs.h"

FIXTURE(coll) {
	char	dir[256];
};

FIXTURE_SETUP(coll)
{
	ASSERT_EQ(0, fs_enter(self->dir, sizeof(self->dir)));
}

FIXTURE_TEARDOWN(coll)
{
	EXPECT_EQ(0, fs_leave(self->dir));
}

/* n vectors with ids from @first on; every id makes another vector. */
static float *some(uint64_t *ids, uint32_t n, uint32_t dims, uint64_t first)
{
	float *v = malloc((size_t)n * dims * sizeof(float));
	uint32_t i;

	for (i = 0; v && i < n; i++) {
		if (ids)
			ids[i] = first + i;
		coll_fill_ints(v + (size_t)i * dims, dims, first + i);
	}
	return v;
}

TEST_F(coll, insert_get_delete)
{
	enum { N = 300, DIMS = 24 };
	uint64_t ids[N], first = 99, *all = NULL;
	uint8_t found[N];
	float *v = some(NULL, 990, DIMS, 1000), *got = calloc(N, DIMS * 4);
	struct vexfs_info info;
	int fd = coll_create("c", DIMS, VEXFS_L2, VEXFS_HNSW), i;

	ASSERT_LE(0, fd);
	for (i = 0; i < N; i++)
		ids[i] = 1000 + i;
	ASSERT_EQ(0, coll_insert(fd, ids, v, N, 0, &first));
	EXPECT_EQ(0, first);
	EXPECT_EQ(N, coll_get(fd, ids, N, got, found));
	EXPECT_EQ(0, memcmp(v, got, N * DIMS * 4));

	/* Assigned ids are consecutive, and never ones that exist. */
	ASSERT_EQ(0, coll_info(fd, &info));
	EXPECT_EQ(0, coll_insert(fd, NULL, v, 3, 0, &first));
	EXPECT_EQ(info.next_id, first);
	EXPECT_EQ(0, coll_insert(fd, NULL, v, 3, 0, &first));
	EXPECT_EQ(info.next_id + 3, first);
	EXPECT_EQ(0, coll_insert(fd, NULL, v, 990, 0, &first));
	EXPECT_EQ(info.next_id + 6, first);
	EXPECT_EQ(0, coll_insert(fd, NULL, v, 10, 0, &first));
	EXPECT_EQ(1000 + N, first);

	/* Every third goes; the rest stays as it was. */
	for (i = 0; i < N; i += 3)
		EXPECT_EQ(1, coll_delete(fd, &ids[i], 1, 0));
	EXPECT_EQ(-ENOENT, coll_delete(fd, ids, N, 0));
	memset(got, 0xff, N * DIMS * 4);
	EXPECT_EQ(N - N / 3, coll_get(fd, ids, N, got, found));
	for (i = 0; i < N; i++) {
		EXPECT_EQ(i % 3 != 0, found[i]);
		if (i % 3) {
			EXPECT_EQ(0, memcmp(got + i * DIMS, v + i * DIMS,
					    DIMS * 4));
		} else {
			EXPECT_EQ(-1, fs_nonzero(got + i * DIMS, DIMS * 4));
		}
	}
	EXPECT_EQ(N - N / 3, coll_delete(fd, ids, N,
					 VEXFS_DELETE_IGNORE_MISSING));
	ASSERT_EQ(0, coll_info(fd, &info));
	EXPECT_EQ(1006, info.count);
	EXPECT_EQ(1006, coll_ids(fd, &all));
	free(all);
	free(got);
	free(v);
	close(fd);
}

TEST_F(coll, upsert)
{
	enum { N = 50, DIMS = 16 };
	uint64_t ids[N];
	float *v = some(ids, N, DIMS, 0), *w = some(NULL, N, DIMS, 5000);
	float *got = calloc(N, DIMS * 4);
	struct vexfs_hit hits[N];
	struct vexfs_info info;
	int fd = coll_create("c", DIMS, VEXFS_L2, VEXFS_HNSW), i, j, n;

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, coll_insert(fd, ids, v, N, 0, NULL));
	EXPECT_EQ(-EEXIST, coll_insert(fd, ids, w, N, 0, NULL));
	for (i = 0; i < 3; i++) {
		EXPECT_EQ(0, coll_insert(fd, ids, i == 1 ? v : w, N,
					 VEXFS_INSERT_UPSERT, NULL));
		EXPECT_EQ(0, coll_wait(fd, 60000));
	}
	EXPECT_EQ(N, coll_get(fd, ids, N, got, NULL));
	EXPECT_EQ(0, memcmp(got, w, N * DIMS * 4));
	ASSERT_EQ(0, coll_info(fd, &info));
	EXPECT_EQ(N, info.count);
	for (i = 0; i < N; i++) {
		n = coll_search(fd, w + i * DIMS, N, 0, 0, hits);
		EXPECT_EQ(N, n);
		EXPECT_EQ(0, hits[0].distance);
		for (j = 1; j < n; j++)
			EXPECT_NE(hits[0].id, hits[j].id);
	}
	close(fd);
	free(got);
	free(w);
	free(v);
}

TEST_F(coll, iterate)
{
	enum { N = 500, DIMS = 7 };
	struct vexfs_iterate a = { .size = sizeof(a) };
	uint64_t ids[N], got[64];
	float *v = some(ids, N, DIMS, 1), rows[64 * DIMS], want[DIMS];
	char seen[N + 1] = { 0 };
	int fd = coll_create("c", DIMS, VEXFS_IP, VEXFS_FLAT), n = 0;
	uint32_t i;

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, coll_insert(fd, ids, v, N, 0, NULL));
	a.ids = (uintptr_t)got;
	a.vectors = (uintptr_t)rows;
	do {
		a.max = 1 + n % 64;
		ASSERT_EQ(0, ioctl(fd, VEXFS_IOC_ITERATE, &a));
		for (i = 0; i < a.count; i++, n++) {
			ASSERT_TRUE(got[i] >= 1 && got[i] <= N);
			EXPECT_EQ(0, seen[got[i]]++);
			coll_fill_ints(want, DIMS, got[i]);
			EXPECT_EQ(0, memcmp(want, rows + i * DIMS,
					    sizeof(want)));
		}
		/* What is deleted while it runs does no harm. */
		if (n == 100)
			coll_delete(fd, &ids[0], 1, 0);
	} while (a.count);
	EXPECT_EQ(N, n);
	free(v);
	close(fd);
}

/* ------------------------------------------------------------ searches */

FIXTURE(search) {
	char	dir[256];
};

FIXTURE_VARIANT(search) {
	uint8_t		metric;
	uint8_t		index;
	uint32_t	dims;
	uint32_t	n;
};

FIXTURE_VARIANT_ADD(search, l2_1) {
	VEXFS_L2, VEXFS_FLAT, 1, 200
};

FIXTURE_VARIANT_ADD(search, l2_3) {
	VEXFS_L2, VEXFS_HNSW, 3, 300
};

FIXTURE_VARIANT_ADD(search, l2_100) {
	VEXFS_L2, VEXFS_HNSW, 100, 300
};

FIXTURE_VARIANT_ADD(search, l2_128) {
	VEXFS_L2, VEXFS_FLAT, 128, 500
};

FIXTURE_VARIANT_ADD(search, l2_768) {
	VEXFS_L2, VEXFS_HNSW, 768, 120
};

FIXTURE_VARIANT_ADD(search, l2_4097) {
	VEXFS_L2, VEXFS_FLAT, 4097, 60
};

FIXTURE_VARIANT_ADD(search, ip_1) {
	VEXFS_IP, VEXFS_HNSW, 1, 200
};

FIXTURE_VARIANT_ADD(search, ip_3) {
	VEXFS_IP, VEXFS_FLAT, 3, 300
};

FIXTURE_VARIANT_ADD(search, ip_100) {
	VEXFS_IP, VEXFS_HNSW, 100, 300
};

FIXTURE_VARIANT_ADD(search, ip_1024) {
	VEXFS_IP, VEXFS_FLAT, 1024, 100
};

FIXTURE_VARIANT_ADD(search, ip_4097) {
	VEXFS_IP, VEXFS_HNSW, 4097, 40
};

FIXTURE_VARIANT_ADD(search, cosine_1) {
	VEXFS_COSINE, VEXFS_FLAT, 1, 100
};

FIXTURE_VARIANT_ADD(search, cosine_3) {
	VEXFS_COSINE, VEXFS_HNSW, 3, 300
};

FIXTURE_VARIANT_ADD(search, cosine_100) {
	VEXFS_COSINE, VEXFS_FLAT, 100, 300
};

FIXTURE_VARIANT_ADD(search, cosine_128) {
	VEXFS_COSINE, VEXFS_HNSW, 128, 300
};

FIXTURE_VARIANT_ADD(search, cosine_768) {
	VEXFS_COSINE, VEXFS_FLAT, 768, 100
};

FIXTURE_VARIANT_ADD(search, cosine_4097) {
	VEXFS_COSINE, VEXFS_FLAT, 4097, 40
};

FIXTURE_SETUP(search)
{
	ASSERT_EQ(0, fs_enter(self->dir, sizeof(self->dir)));
}

FIXTURE_TEARDOWN(search)
{
	EXPECT_EQ(0, fs_leave(self->dir));
}

/*
 * The answer to one query: right when each hit has the distance that the
 * reference has at its place, and, unless the cosine's rounding decides
 * between neighbours, the same id.
 */
static int wrong_hits(const struct vexfs_hit *hits,
		      const struct coll_near *near, const float *q,
		      const float *vectors, uint32_t k, uint32_t dims,
		      uint8_t metric)
{
	double eps = metric == VEXFS_COSINE ? 0.000004 : 0, d, own;
	uint32_t i;

	for (i = 0; i < k; i++) {
		d = coll_bits_to_float(hits[i].distance);
		if (fabs(d - near[i].distance) > eps || hits[i].reserved)
			return i + 1;
		if (hits[i].id == near[i].id)
			continue;
		own = coll_distance(q, vectors + (hits[i].id - 1) * dims, dims,
				    metric);
		if (!eps || fabs(own - near[i].distance) > eps)
			return i + 1;
	}
	return 0;
}

/* Exact searches equal the reference, before and after indexing. */
TEST_F(search, exact)
{
	uint32_t n = variant->n, dims = variant->dims, i, round, k;
	uint64_t *ids = calloc(n, sizeof(*ids));
	struct coll_near *near = calloc(n, sizeof(*near));
	struct vexfs_hit *hits = calloc(n + 5, sizeof(*hits));
	float *v = some(ids, n, dims, 1), *q = malloc(dims * 4);
	int fd = coll_create("c", dims, variant->metric, variant->index);

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, coll_insert(fd, ids, v, n, 0, NULL));
	for (round = 0; round < 2; round++) {
		for (i = 0; i < 6; i++) {
			k = i % 2 ? n : 10;
			coll_fill_ints(q, dims, 7000 + i);
			coll_reference(q, v, ids, n, dims, variant->metric,
				       near);
			EXPECT_EQ(k, coll_search(fd, q, k, 0,
						 VEXFS_SEARCH_EXACT, hits));
			EXPECT_EQ(0, wrong_hits(hits, near, q, v, k, dims,
						variant->metric));
		}
		EXPECT_EQ(0, coll_wait(fd, 120000));
	}
	/* More than there are: all of them, and zeroes. */
	memset(hits, 0xff, (n + 5) * sizeof(*hits));
	EXPECT_EQ(n, coll_search(fd, q, n + 5, 0, VEXFS_SEARCH_EXACT, hits));
	EXPECT_EQ(-1, fs_nonzero(hits + n, 5 * sizeof(*hits)));
	free(q);
	free(v);
	free(hits);
	free(near);
	free(ids);
	close(fd);
}

TEST_F(coll, batch_equals_single)
{
	/* More queries than are copied in at a time. */
	enum { N = 200, DIMS = 40, Q = 250, K = 7, STRIDE = DIMS * 4 + 12 };
	uint64_t ids[N];
	float *v = some(ids, N, DIMS, 1), q[DIMS];
	struct vexfs_hit all[Q * K], one[K];
	uint32_t counts[Q];
	char queries[Q * STRIDE];
	struct vexfs_search a = {
		.size = sizeof(a), .queries = (uintptr_t)queries,
		.hits = (uintptr_t)all, .counts = (uintptr_t)counts,
		.nqueries = Q, .k = K, .ef = 12, .stride = STRIDE,
	};
	int fd = coll_create("c", DIMS, VEXFS_L2, VEXFS_HNSW), i;

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, coll_insert(fd, ids, v, N, 0, NULL));
	ASSERT_EQ(0, coll_wait(fd, 60000));
	for (i = 0; i < Q; i++) {
		coll_fill_ints(q, DIMS, 9000 + i);
		memcpy(queries + i * STRIDE, q, sizeof(q));
	}
	ASSERT_EQ(0, ioctl(fd, VEXFS_IOC_SEARCH, &a));
	EXPECT_EQ(VEXFS_MODE_GRAPH, a.mode);
	EXPECT_LT(Q, a.compared);
	for (i = 0; i < Q; i++) {
		memcpy(q, queries + i * STRIDE, sizeof(q));
		EXPECT_EQ(K, counts[i]);
		EXPECT_EQ(K, coll_search(fd, q, K, 12, 0, one));
		EXPECT_EQ(0, memcmp(one, all + i * K, sizeof(one)));
	}
	a.flags = VEXFS_SEARCH_EXACT;
	ASSERT_EQ(0, ioctl(fd, VEXFS_IOC_SEARCH, &a));
	EXPECT_EQ(VEXFS_MODE_SCAN, a.mode);
	EXPECT_EQ(Q * N, a.compared);
	free(v);
	close(fd);
}

/* The number on the line @name of /proc/vexfs/@file, or -1. */
static long proc_number(const char *file, const char *name)
{
	char path[64], line[256];
	size_t len = strlen(name);
	long n = -1;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/vexfs/%s", file);
	f = fopen(path, "r");
	while (f && n < 0 && fgets(line, sizeof(line), f)) {
		if (!strncmp(line, name, len) && line[len] == ':')
			n = strtol(line + len + 1, NULL, 10);
	}
	if (f)
		fclose(f);
	return n;
}

/*
 * Until an index has done something on itself since the counter was @before,
 * for a minute at most, and then nothing for half a second.
 */
static long tended(long before)
{
	long n = proc_number("stats", "index_tended"), was;
	int left = 120;

	do {
		was = n;
		usleep(500000);
		n = proc_number("stats", "index_tended");
	} while (n != was || (n == before && left--));
	return n;
}

FIXTURE(recall) {
	char	dir[256];
};

/* From 384 dimensions on, sign codes are made. */
FIXTURE_VARIANT(recall) {
	uint32_t dims;
	uint8_t metric;
	bool signs;
};

FIXTURE_VARIANT_ADD(recall, l2_32) {
	.dims = 32, .metric = VEXFS_L2,
};

FIXTURE_VARIANT_ADD(recall, l2_400) {
	.dims = 400, .metric = VEXFS_L2, .signs = true,
};

FIXTURE_VARIANT_ADD(recall, cosine_400) {
	.dims = 400, .metric = VEXFS_COSINE, .signs = true,
};

FIXTURE_SETUP(recall)
{
	ASSERT_EQ(0, fs_enter(self->dir, sizeof(self->dir)));
}

FIXTURE_TEARDOWN(recall)
{
	EXPECT_EQ(0, fs_leave(self->dir));
}

/* Share of the true ten nearest that the graph finds. */
TEST_F(recall, at_10)
{
	enum { N = 1500, DIMS = 400, Q = 40, K = 10 };
	const uint32_t dims = variant->dims;
	long before = proc_number("stats", "index_tended");
	struct vexfs_hit graph[K], exact[K];
	float *v = malloc(N * DIMS * 4), q[DIMS];
	int fd = coll_create("c", dims, variant->metric, VEXFS_HNSW);
	int i, j, l, hit = 0;

	ASSERT_LE(0, fd);
	for (i = 0; i < N; i++)
		coll_fill_cluster(v + i * dims, dims, i, 30);
	ASSERT_EQ(0, coll_insert(fd, NULL, v, N, 0, NULL));
	ASSERT_EQ(0, coll_wait(fd, 200000));
	if (variant->signs && fs_is_vexfs())
		EXPECT_LT(before, tended(before));
	for (i = 0; i < Q; i++) {
		coll_fill_cluster(q, dims, 100000 + i, 30);
		ASSERT_EQ(K, coll_search(fd, q, K, 100, 0, graph));
		EXPECT_EQ(VEXFS_MODE_GRAPH, coll_mode);
		ASSERT_EQ(K, coll_search(fd, q, K, 0, VEXFS_SEARCH_EXACT,
					 exact));
		for (j = 0; j < K; j++)
			for (l = 0; l < K; l++)
				hit += graph[j].id == exact[l].id;
	}
	TH_LOG("recall@%d %d of %d", K, hit, Q * K);
	EXPECT_LE(Q * K * 95 / 100, hit);
	free(v);
	close(fd);
}

/* No blind spot: found right after the insert, never after the delete. */
TEST_F(coll, at_once)
{
	enum { N = 150, DIMS = 20 };
	struct vexfs_hit hits[3];
	float v[DIMS];
	uint64_t id;
	int fd = coll_create("c", DIMS, VEXFS_L2, VEXFS_HNSW), i;

	ASSERT_LE(0, fd);
	for (i = 0; i < N; i++) {
		coll_fill_ints(v, DIMS, 300 + i);
		id = i;
		ASSERT_EQ(0, coll_insert(fd, &id, v, 1, 0, NULL));
		EXPECT_LE(1, coll_search(fd, v, 1, 0, 0, hits));
		EXPECT_EQ(id, hits[0].id);
		EXPECT_EQ(0, hits[0].distance);
		if (i % 2)
			continue;
		ASSERT_EQ(1, coll_delete(fd, &id, 1, 0));
		EXPECT_LE(0, coll_search(fd, v, 3, 0, 0, hits));
		EXPECT_TRUE(hits[0].id != id || !i);
		EXPECT_EQ(0, coll_get(fd, &id, 1, NULL, NULL));
	}
	close(fd);
}

/* ------------------------------------------------------------ the file */

TEST_F(coll, file_shows_rows)
{
	enum { N = 100, DIMS = 21 };
	uint64_t ids[N];
	float *v = some(ids, N, DIMS, 1), *row;
	struct vexfs_info info;
	struct stat st;
	char *map, *buf, seen[N + 1] = { 0 };
	int fd = coll_create("c", DIMS, VEXFS_L2, VEXFS_HNSW), i, j;

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, coll_insert(fd, ids, v, N, 0, NULL));
	ASSERT_EQ(0, coll_info(fd, &info));
	EXPECT_EQ(96, info.stride);
	ASSERT_EQ(0, fstat(fd, &st));
	ASSERT_EQ(N * 96, st.st_size);
	buf = malloc(st.st_size);
	ASSERT_EQ(st.st_size, pread(fd, buf, st.st_size, 0));
	map = mmap(NULL, st.st_size, PROT_READ, MAP_SHARED, fd, 0);
	ASSERT_NE(MAP_FAILED, map);
	EXPECT_EQ(0, memcmp(map, buf, st.st_size));
	for (i = 0; i < N; i++) {
		row = (float *)(map + i * 96);
		for (j = 0; j < N; j++)
			if (!memcmp(row, v + j * DIMS, DIMS * 4))
				break;
		ASSERT_GT(N, j);
		EXPECT_EQ(0, seen[j]++);
		EXPECT_EQ(-1, fs_nonzero(row + DIMS, 96 - DIMS * 4));
	}
	/* Through the mapping as well, with the insert. */
	coll_fill_ints(v, DIMS, 9999);
	ASSERT_EQ(0, coll_insert(fd, &ids[0], v, 1, VEXFS_INSERT_UPSERT, NULL));
	ASSERT_EQ(0, fstat(fd, &st));
	EXPECT_EQ((N + 1) * 96, st.st_size);
	munmap(map, N * 96);
	free(buf);
	free(v);
	close(fd);
}

TEST_F(coll, file_is_not_written)
{
	enum { DIMS = 1024 };
	float *v = some(NULL, 8, DIMS, 1);
	int fd = coll_create("c", DIMS, VEXFS_L2, VEXFS_FLAT), from;
	uint64_t before;
	off_t zero = 0;
	char *map;

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, coll_insert(fd, NULL, v, 8, 0, NULL));
	before = coll_digest(fd);
#define REFUSED(call) do {						\
	errno = 0;							\
	EXPECT_EQ(-1, (long)(call));					\
	EXPECT_EQ(EPERM, errno) {					\
		TH_LOG("%s", #call);					\
	}								\
} while (0)
	REFUSED(write(fd, "x", 1));
	REFUSED(pwrite(fd, "x", 1, 100));
	REFUSED(pwrite(fd, "x", 1, 1 << 20));
	REFUSED(ftruncate(fd, 0));
	REFUSED(ftruncate(fd, 1 << 20));
	REFUSED(truncate("c", 5));
	REFUSED(open("c", O_RDWR | O_TRUNC));
	REFUSED(fallocate(fd, 0, 0, 1 << 20));
	REFUSED(fallocate(fd, 3, 0, 4096));
	REFUSED(fallocate(fd, 0x10, 0, 4096));
	REFUSED(mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0));
	map = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0);
	ASSERT_NE(MAP_FAILED, map);
	EXPECT_EQ(-1, mprotect(map, 4096, PROT_READ | PROT_WRITE));
	EXPECT_EQ(EACCES, errno);
	munmap(map, 4096);
	/* A private copy may be changed: it is not the file. */
	map = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	ASSERT_NE(MAP_FAILED, map);
	map[0] ^= 1;
	munmap(map, 4096);
	ASSERT_EQ(0, fs_make("plain", 8192, 1));
	from = open("plain", O_RDONLY);
	REFUSED(copy_file_range(from, &zero, fd, &zero, 4096, 0));
	close(from);
	EXPECT_EQ(before, coll_digest(fd));
	free(v);
	close(fd);
}

TEST_F(coll, names_and_modes)
{
	enum { N = 30, DIMS = 12 };
	float *v = some(NULL, N, DIMS, 1);
	uint64_t before, space = fs_free_bytes();
	int fd = coll_create("c", DIMS, VEXFS_COSINE, VEXFS_HNSW);
	struct stat st;

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, coll_insert(fd, NULL, v, N, 0, NULL));
	before = coll_digest(fd);
	ASSERT_NE(0, before);
	EXPECT_EQ(0, rename("c", "d"));
	EXPECT_EQ(0, link("d", "e"));
	EXPECT_EQ(0, unlink("d"));
	EXPECT_EQ(0, chmod("e", 0400));
	EXPECT_EQ(0, fstat(fd, &st));
	EXPECT_EQ(0100400, st.st_mode);
	EXPECT_EQ(before, coll_digest(fd));
	close(fd);
	fd = open("e", O_RDONLY);
	EXPECT_EQ(before, coll_digest(fd));
	close(fd);
	EXPECT_EQ(0, fsync(fd = open(".", O_RDONLY)));
	close(fd);
	/* All its space comes back, that of the forks too. */
	EXPECT_EQ(0, unlink("e"));
	for (int i = 0; i < 50 && fs_free_bytes() < space; i++) {
		sync();
		usleep(100000);
	}
	EXPECT_LE(space, fs_free_bytes());
	free(v);
}

/* What the cache held is what the disk holds. */
TEST_F(coll, cold_cache)
{
	enum { N = 400, DIMS = 300 };
	float *v = some(NULL, N, DIMS, 1);
	struct vexfs_hit warm[20], cold[20];
	int fd = coll_create("c", DIMS, VEXFS_L2, VEXFS_FLAT);
	uint64_t before;

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, coll_insert(fd, NULL, v, N, 0, NULL));
	before = coll_digest(fd);
	ASSERT_EQ(20, coll_search(fd, v, 20, 0, 0, warm));
	ASSERT_EQ(0, fsync(fd));
	ASSERT_EQ(0, fs_drop_caches());
	ASSERT_EQ(20, coll_search(fd, v, 20, 0, 0, cold));
	EXPECT_EQ(0, memcmp(warm, cold, sizeof(warm)));
	ASSERT_EQ(0, fs_drop_caches());
	EXPECT_EQ(before, coll_digest(fd));
	free(v);
	close(fd);
}

/* Slots are used again, and the file doesn't grow with the churn. */
TEST_F(coll, churn)
{
	enum { N = 100, DIMS = 16, ROUNDS = 12 };
	uint64_t ids[N];
	struct vexfs_info info;
	struct vexfs_hit hit;
	int fd = coll_create("c", DIMS, VEXFS_L2, VEXFS_HNSW), r, i;
	float *v;

	ASSERT_LE(0, fd);
	for (r = 0; r < ROUNDS; r++) {
		v = some(ids, N, DIMS, r * N);
		ASSERT_EQ(0, coll_insert(fd, ids, v, N, 0, NULL));
		for (i = 0; i < N; i += 10) {
			EXPECT_EQ(1, coll_search(fd, v + i * DIMS, 1, 0, 0,
						 &hit));
			EXPECT_EQ(0, hit.distance);
		}
		EXPECT_EQ(0, coll_wait(fd, 60000));
		if (r < ROUNDS - 1)
			ASSERT_EQ(N, coll_delete(fd, ids, N, 0));
		ASSERT_EQ(0, fsync(fd));
		ASSERT_EQ(0, coll_wait(fd, 60000));
		usleep(50000);
		ASSERT_EQ(0, fsync(fd));
		free(v);
	}
	ASSERT_EQ(0, coll_info(fd, &info));
	EXPECT_EQ(N, info.count);
	EXPECT_GT(ROUNDS * N / 2, info.slots);
	close(fd);
}

/* One inserts and deletes, the other searches; nothing false is seen. */
static int searcher(const char *name, uint32_t dims, const int *stop)
{
	struct vexfs_hit hits[8];
	uint32_t seed = 1;
	float q[256];
	int fd = open(name, O_RDONLY), n, i;

	if (fd < 0)
		return 1;
	while (!__atomic_load_n(stop, __ATOMIC_ACQUIRE)) {
		coll_fill_ints(q, dims, seed++);
		n = coll_search(fd, q, 8, 0, seed % 3 ? 0 : VEXFS_SEARCH_EXACT,
				hits);
		if (n < 0)
			return 2;
		for (i = 1; i < n; i++)
			if (coll_bits_to_float(hits[i].distance) <
			    coll_bits_to_float(hits[i - 1].distance) ||
			    hits[i].id == hits[i - 1].id)
				return 3;
		/* Ids that nobody inserted. */
		for (i = 0; i < n; i++)
			if (hits[i].id >= 600)
				return 4;
	}
	close(fd);
	return 0;
}

TEST_F(coll, two_processes)
{
	enum { N = 20, DIMS = 48, ROUNDS = 30 };
	int fd = coll_create("c", DIMS, VEXFS_L2, VEXFS_HNSW), r, i, status;
	int *stop = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
			 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	uint64_t ids[N];
	struct vexfs_info info;
	float *v;
	pid_t pid[2];

	ASSERT_LE(0, fd);
	ASSERT_NE(MAP_FAILED, stop);
	for (i = 0; i < 2; i++) {
		pid[i] = fork();
		if (!pid[i])
			_exit(searcher("c", DIMS, stop));
		ASSERT_LT(0, pid[i]);
	}
	for (r = 0; r < ROUNDS; r++) {
		v = some(ids, N, DIMS, r * N);
		EXPECT_EQ(0, coll_insert(fd, ids, v, N, 0, NULL));
		if (r % 2)
			EXPECT_EQ(N, coll_delete(fd, ids, N, 0));
		if (r % 5 == 0)
			EXPECT_EQ(0, fsync(fd));
		free(v);
	}
	__atomic_store_n(stop, 1, __ATOMIC_RELEASE);
	for (i = 0; i < 2; i++) {
		ASSERT_EQ(pid[i], waitpid(pid[i], &status, 0));
		EXPECT_EQ(0, status);
	}
	ASSERT_EQ(0, coll_info(fd, &info));
	EXPECT_EQ(ROUNDS / 2 * N, info.count);
	close(fd);
}

/* Batches of two writers are whole, whoever comes first. */
TEST_F(coll, two_inserters)
{
	enum { N = 50, DIMS = 8, ROUNDS = 10 };
	int fd = coll_create("c", DIMS, VEXFS_L2, VEXFS_HNSW), r, i, status;
	uint64_t ids[N];
	struct vexfs_info info;
	float *v;
	pid_t pid[2];

	ASSERT_LE(0, fd);
	for (i = 0; i < 2; i++) {
		pid[i] = fork();
		if (pid[i])
			continue;
		for (r = 0; r < ROUNDS; r++) {
			v = some(ids, N, DIMS, (2 * r + i) * N);
			if (coll_insert(fd, ids, v, N, 0, NULL) ||
			    coll_get(fd, ids, N, NULL, NULL) != N)
				_exit(1);
			free(v);
		}
		_exit(0);
	}
	for (i = 0; i < 2; i++) {
		ASSERT_EQ(pid[i], waitpid(pid[i], &status, 0));
		EXPECT_EQ(0, status);
	}
	ASSERT_EQ(0, coll_info(fd, &info));
	EXPECT_EQ(2 * ROUNDS * N, info.count);
	close(fd);
}

#define FPU_TIMES	"/sys/module/vexfs/parameters/fpu_times"

static int fpu_times(const char *yes)
{
	int fd = open(FPU_TIMES, O_WRONLY), ret;

	if (fd < 0)
		return -1;
	ret = write(fd, yes, 1) == 1 ? 0 : -1;
	close(fd);
	return ret;
}

/* FPU sections are timed while somebody wants it. */
TEST_F(coll, fpu_sections)
{
	enum { N = 300, DIMS = 64 };
	float *v = some(NULL, N, DIMS, 1);
	struct vexfs_hit hit;
	int fd = coll_create("c", DIMS, VEXFS_L2, VEXFS_FLAT);
	long before, after;

	if (!fs_is_vexfs())
		SKIP(return, "not VexFS");
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, coll_insert(fd, NULL, v, N, 0, NULL));
	before = proc_number("performance", "fpu_section_latency_count");
	ASSERT_LE(0, before);
	ASSERT_EQ(0, fpu_times("Y"));
	EXPECT_EQ(1, coll_search(fd, v, 1, 0, VEXFS_SEARCH_EXACT, &hit));
	ASSERT_EQ(0, fpu_times("N"));
	after = proc_number("performance", "fpu_section_latency_count");
	EXPECT_LT(before, after);
	EXPECT_LT(0, proc_number("performance", "fpu_section_latency_p999_ns"));
	/* Sections that end after that may have begun before it */
	EXPECT_EQ(1, coll_search(fd, v, 1, 0, VEXFS_SEARCH_EXACT, &hit));
	EXPECT_GE(after + 2, proc_number("performance", "fpu_section_latency_count"));
	free(v);
	close(fd);
}

TEST_HARNESS_MAIN

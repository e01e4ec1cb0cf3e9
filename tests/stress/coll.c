// SPDX-License-Identifier: GPL-2.0
/*
 * A collection under load: one thread inserts, replaces and deletes, others
 * search and read meanwhile. MODEL, a file elsewhere, remembers what there has
 * to be, from one run to the next.
 *
 *   stresscoll work FILE hnsw|lsh MODEL SECONDS SEED
 *   stresscoll verify FILE MODEL
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "libcoll.h"
#include "libfs.h"

#define DIMS		48
#define IDS		4096
#define BATCH		32
#define SEARCHERS	2
#define K		10

/*
 * Of each id: whether a batch that changes it is under way, whether it is
 * there, and how often it changed, which makes its vector.
 */
#define BUSY		1u
#define THERE		2u
#define CHANGE		4u

static atomic_uint *model;
static const char *path;
static time_t end;
static atomic_ulong searches, missed;

static __attribute__((format(printf, 1, 2))) void fail(const char *fmt, ...)
{
	va_list ap;

	printf("# %s: ", path);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	printf("\n");
	exit(1);
}

static void vector(float *v, uint64_t id, uint32_t state)
{
	coll_fill_ints(v, DIMS, id * 1000003 + state / CHANGE);
}

static int open_coll(void)
{
	int fd = open(path, O_RDWR);

	if (fd < 0)
		fail("open: %s", strerror(errno));
	return fd;
}

/* ------------------------------------------------------------------ changes */

/* Of a run of ids those that the operation is for. */
static uint32_t choose(char what, uint64_t *rnd, uint64_t *ids)
{
	uint32_t want = 1 + fs_random(rnd) % BATCH, first = fs_random(rnd);
	uint32_t i, n = 0;

	for (i = 0; i < want; i++) {
		uint32_t id = (first + i) % IDS;

		if (what == 'u' || !!(model[id] & THERE) == (what == 'd'))
			ids[n++] = id;
	}
	return n;
}

static int change(int fd, char what, const uint64_t *ids, uint32_t n)
{
	float v[BATCH * DIMS];
	uint32_t i;
	int ret;

	if (what == 'd') {
		ret = coll_delete(fd, ids, n, 0);
		return ret == (int)n ? 0 : ret < 0 ? ret : -EUCLEAN;
	}
	for (i = 0; i < n; i++)
		vector(v + i * DIMS, ids[i], model[ids[i]] + CHANGE);
	return coll_insert(fd, ids, v, n,
			   what == 'u' ? VEXFS_INSERT_UPSERT : 0, NULL);
}

/* A full volume refuses a batch, and then nothing of it was done. */
static void batch(int fd, uint64_t *rnd)
{
	char what = "iiiuuddd"[fs_random(rnd) % 8];
	uint64_t ids[BATCH];
	uint32_t i, n = choose(what, rnd, ids);
	int ret;

	if (!n)
		return;
	for (i = 0; i < n; i++)
		model[ids[i]] |= BUSY;
	ret = change(fd, what, ids, n);
	if (ret && ret != -ENOSPC)
		fail("'%c' of %u ids from %llu: %s", what, n,
		     (unsigned long long)ids[0], strerror(-ret));
	for (i = 0; i < n; i++) {
		uint32_t state = model[ids[i]];

		if (!ret)
			state = ((state + CHANGE) & ~THERE) |
				(what == 'd' ? 0 : THERE);
		model[ids[i]] = state & ~BUSY;
	}
}

static unsigned long work(uint64_t seed)
{
	uint64_t rnd = seed * 0x9e3779b97f4a7c15ull + 1;
	unsigned long n;
	int fd = open_coll();

	for (n = 0; time(NULL) < end; n++) {
		batch(fd, &rnd);
		if (n % 16 == 15 && fsync(fd))
			fail("fsync: %s", strerror(errno));
		if (n % 64 == 63) {
			close(fd);
			fd = open_coll();
		}
	}
	close(fd);
	return n;
}

/* ----------------------------------------------------------------- searches */

/* Nearest first, none twice. */
static void check_order(const struct vexfs_hit *hits, int n)
{
	int i;

	for (i = 1; i < n; i++)
		if (coll_bits_to_float(hits[i - 1].distance) >
		    coll_bits_to_float(hits[i].distance) ||
		    (hits[i - 1].distance == hits[i].distance &&
		     hits[i - 1].id >= hits[i].id))
			fail("hits %d and %d are out of order", i - 1, i);
}

static bool is_hit(const struct vexfs_hit *hits, int n, uint64_t id)
{
	while (n--)
		if (hits[n].id == id)
			return true;
	return false;
}

static void search(int fd, uint64_t id, uint32_t state, bool exact)
{
	struct vexfs_hit hits[K];
	float v[DIMS];
	bool hit;
	int n;

	/* What it was before it went, if it isn't there */
	vector(v, id, state & THERE ? state : state - CHANGE);
	n = coll_search(fd, v, K, 0, exact ? VEXFS_SEARCH_EXACT : 0, hits);
	if (n < 0)
		fail("search: %s", strerror(-n));
	check_order(hits, n);
	hit = is_hit(hits, n, id);
	/* A batch came between */
	if (model[id] != state)
		return;
	if (!(state & THERE) && hit)
		fail("%llu was deleted and is found", (unsigned long long)id);
	if (state & THERE && exact && (!hit || hits[0].distance))
		fail("%llu is not found", (unsigned long long)id);
	if (state & THERE && !exact) {
		searches++;
		missed += !hit;
	}
}

static void get(int fd, uint64_t id, uint32_t state)
{
	float v[DIMS], want[DIMS];
	int n = coll_get(fd, &id, 1, v, NULL);

	if (n < 0)
		fail("get: %s", strerror(-n));
	if (model[id] != state)
		return;
	if (n != !!(state & THERE))
		fail("get finds %d of %llu", n, (unsigned long long)id);
	vector(want, id, state);
	if (n && memcmp(want, v, sizeof(v)))
		fail("the vector of %llu is wrong", (unsigned long long)id);
}

static void *searcher(void *arg)
{
	uint64_t rnd = (uintptr_t)arg * 7919 + time(NULL);
	int fd = open_coll();
	uint32_t state, what;
	uint64_t id;

	while (time(NULL) < end) {
		id = fs_random(&rnd) % IDS;
		what = fs_random(&rnd) % 4;
		state = model[id];
		if (state & BUSY)
			continue;
		if (what == 0)
			get(fd, id, state);
		else
			search(fd, id, state, what == 1);
	}
	close(fd);
	return NULL;
}

/* ------------------------------------------------------------------- verify */

/* Each id that has to be there, with its vector, and none besides. */
static void verify(void)
{
	uint64_t *ids = NULL;
	int fd = open_coll();
	long i, n = coll_ids(fd, &ids), want = 0;

	if (n < 0)
		fail("iterate: %s", strerror(-n));
	for (i = 0; i < IDS; i++)
		want += !!(model[i] & THERE);
	if (n != want)
		fail("%ld vectors, there have to be %ld", n, want);
	for (i = 0; i < n; i++)
		if (ids[i] >= IDS || !(model[ids[i]] & THERE))
			fail("%llu has no business there",
			     (unsigned long long)ids[i]);
	for (i = 0; i < IDS; i++) {
		get(fd, i, model[i]);
		if (i % 64 == 0)
			search(fd, i, model[i], i % 128);
	}
	free(ids);
	close(fd);
}

static void open_model(const char *name)
{
	int fd = open(name, O_RDWR | O_CREAT, 0600);

	if (fd < 0 || ftruncate(fd, IDS * sizeof(*model)))
		fail("%s: %s", name, strerror(errno));
	model = mmap(NULL, IDS * sizeof(*model), PROT_READ | PROT_WRITE,
		     MAP_SHARED, fd, 0);
	if (model == MAP_FAILED)
		fail("%s: %s", name, strerror(errno));
	close(fd);
}

static void run(uint64_t seed)
{
	pthread_t thread[SEARCHERS];
	unsigned long n, i;

	for (i = 0; i < SEARCHERS; i++)
		if (pthread_create(&thread[i], NULL, searcher,
				   (void *)(seed + i)))
			fail("no thread");
	n = work(seed);
	for (i = 0; i < SEARCHERS; i++)
		pthread_join(thread[i], NULL);
	printf("# %s: %lu batches, %lu searches, %lu missed\n", path, n,
	       searches, missed);
	if (!n || !searches || missed > searches / 10)
		fail("too few batches or hits");
}

int main(int argc, char **argv)
{
	int fd;

	if (argc < 4)
		return 2;
	path = argv[2];
	if (!strcmp(argv[1], "verify")) {
		open_model(argv[3]);
		verify();
		return 0;
	}
	if (argc != 7)
		return 2;
	open_model(argv[4]);
	if (access(path, F_OK)) {
		fd = coll_create(path, DIMS, VEXFS_L2,
				 strcmp(argv[3], "lsh") ? VEXFS_HNSW :
				 VEXFS_LSH);
		if (fd < 0 || close(fd))
			fail("create: %s", strerror(-fd));
	}
	end = time(NULL) + atoi(argv[5]);
	run(strtoull(argv[6], NULL, 0));
	verify();
	return 0;
}

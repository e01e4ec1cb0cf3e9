// SPDX-License-Identifier: GPL-2.0
/*
 * Helpers of the tests of collections; see libcoll.h.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "libcoll.h"
#include "libfs.h"

uint32_t coll_mode;

static uint64_t ptr(const void *p)
{
	return (uintptr_t)p;
}

int coll_create(const char *name, uint32_t dims, uint8_t metric, uint8_t index)
{
	struct vexfs_create a = {
		.size = sizeof(a), .dims = dims, .type = VEXFS_TYPE_F32,
		.metric = metric, .index = index, .seed = 1,
	};
	int fd = open(name, O_RDWR | O_CREAT | O_EXCL, 0644);
	int err;

	if (fd < 0)
		return -errno;
	if (!ioctl(fd, VEXFS_IOC_CREATE, &a))
		return fd;
	err = -errno;
	close(fd);
	return err;
}

int coll_insert(int fd, const uint64_t *ids, const float *vectors, uint32_t n,
		uint32_t flags, uint64_t *first_id)
{
	struct vexfs_insert a = {
		.size = sizeof(a), .flags = flags, .ids = ptr(ids),
		.vectors = ptr(vectors), .count = n,
	};

	if (ioctl(fd, VEXFS_IOC_INSERT, &a))
		return -errno;
	if (first_id)
		*first_id = a.first_id;
	return 0;
}

int coll_delete(int fd, const uint64_t *ids, uint32_t n, uint32_t flags)
{
	struct vexfs_delete a = {
		.size = sizeof(a), .flags = flags, .ids = ptr(ids), .count = n,
	};

	return ioctl(fd, VEXFS_IOC_DELETE, &a) ? -errno : (int)a.deleted;
}

int coll_get(int fd, const uint64_t *ids, uint32_t n, float *vectors,
	     uint8_t *found)
{
	struct vexfs_get a = {
		.size = sizeof(a), .ids = ptr(ids), .vectors = ptr(vectors),
		.found = ptr(found), .count = n,
	};

	return ioctl(fd, VEXFS_IOC_GET, &a) ? -errno : (int)a.nfound;
}

int coll_search(int fd, const float *query, uint32_t k, uint32_t ef,
		uint32_t flags, struct vexfs_hit *hits)
{
	uint32_t count = ~0u;
	struct vexfs_search a = {
		.size = sizeof(a), .flags = flags, .queries = ptr(query),
		.hits = ptr(hits), .counts = ptr(&count), .nqueries = 1,
		.k = k, .ef = ef,
	};

	if (ioctl(fd, VEXFS_IOC_SEARCH, &a))
		return -errno;
	coll_mode = a.mode;
	return count;
}

int coll_info(int fd, struct vexfs_info *info)
{
	memset(info, 0, sizeof(*info));
	info->size = sizeof(*info);
	return ioctl(fd, VEXFS_IOC_INFO, info) ? -errno : 0;
}

int coll_wait(int fd, uint32_t timeout_ms)
{
	struct vexfs_wait a = { .size = sizeof(a), .timeout_ms = timeout_ms };

	if (ioctl(fd, VEXFS_IOC_WAIT, &a))
		return -errno;
	return a.pending ? -ETIME : 0;
}

long coll_ids(int fd, uint64_t **ids)
{
	struct vexfs_iterate a = { .size = sizeof(a), .max = 1000 };
	uint64_t *all = NULL, *more;
	long n = 0;

	do {
		more = realloc(all, (n + a.max) * sizeof(*all));
		if (!more)
			goto out;
		all = more;
		a.ids = ptr(all + n);
		if (ioctl(fd, VEXFS_IOC_ITERATE, &a))
			goto out;
		n += a.count;
	} while (a.count);
	*ids = all;
	return n;
out:
	n = -errno;
	free(all);
	return n;
}

/* FNV-1a */
static uint64_t hash(uint64_t h, const void *data, size_t len)
{
	const uint8_t *p = data;

	while (len--)
		h = (h ^ *p++) * 0x100000001b3ull;
	return h;
}

static uint64_t hash_file(int fd, uint64_t h)
{
	static char buf[65536];
	ssize_t n;
	off_t pos = 0;

	while ((n = pread(fd, buf, sizeof(buf), pos)) > 0) {
		h = hash(h, buf, n);
		pos += n;
	}
	return n ? 0 : h;
}

/* Ids and vectors, in no particular order: their hashes are added up. */
static uint64_t hash_vectors(int fd, uint32_t dims, uint64_t h)
{
	uint64_t *ids = NULL;
	float *v = malloc(dims * sizeof(float));
	long i, n = coll_ids(fd, &ids);

	for (i = 0; v && i < n; i++) {
		if (coll_get(fd, &ids[i], 1, v, NULL) != 1)
			break;
		h += hash(hash(1, &ids[i], 8), v, dims * sizeof(float));
	}
	if (i < n || n < 0)
		h = 0;
	free(ids);
	free(v);
	return h;
}

uint64_t coll_digest(int fd)
{
	struct vexfs_info info;
	struct stat st;
	uint64_t h = 0xcbf29ce484222325ull;

	if (coll_info(fd, &info) || fstat(fd, &st))
		return 0;
	h = hash(h, &info.count, 8);
	h = hash(h, &info.slots, 8);
	h = hash(h, &info.next_id, 8);
	h = hash(h, &st.st_size, sizeof(st.st_size));
	h = hash_file(fd, h);
	return h ? hash_vectors(fd, info.dims, h) : 0;
}

/* ----------------------------------------------------------- vectors */

void coll_fill_ints(float *v, uint32_t dims, uint64_t seed)
{
	uint64_t state = seed * 0x9e3779b97f4a7c15ull + 1;

	while (dims--)
		*v++ = (int)(fs_random(&state) % 17) - 8;
}

static float unit(uint64_t *state)
{
	return (fs_random(state) >> 8) / 16777216.0f - 0.5f;
}

void coll_fill_cluster(float *v, uint32_t dims, uint64_t seed, uint32_t centres)
{
	uint64_t state = seed * 0x9e3779b97f4a7c15ull + 1;
	uint64_t centre = (fs_random(&state) % centres + 1) * 7919;
	uint32_t i;

	for (i = 0; i < dims; i++)
		v[i] = unit(&centre) + 0.3f * unit(&state);
}

float coll_bits_to_float(uint32_t bits)
{
	float f;

	memcpy(&f, &bits, sizeof(f));
	return f;
}

/* --------------------------------------------------------- reference */

double coll_distance(const float *a, const float *b, uint32_t dims,
		     uint8_t metric)
{
	double dot = 0, l2 = 0, na = 0, nb = 0;
	uint32_t i;

	for (i = 0; i < dims; i++) {
		double x = a[i], y = b[i];

		dot += x * y;
		l2 += (x - y) * (x - y);
		na += x * x;
		nb += y * y;
	}
	if (metric == VEXFS_L2)
		return l2;
	if (metric == VEXFS_IP)
		return -dot;
	return na > 0 && nb > 0 ? 1 - dot / sqrt(na * nb) : 1;
}

static int near_order(const void *a, const void *b)
{
	const struct coll_near *x = a, *y = b;

	if (x->distance != y->distance)
		return x->distance < y->distance ? -1 : 1;
	return x->id < y->id ? -1 : x->id > y->id;
}

void coll_reference(const float *query, const float *vectors,
		    const uint64_t *ids, uint32_t n, uint32_t dims,
		    uint8_t metric, struct coll_near *out)
{
	uint32_t i;

	for (i = 0; i < n; i++) {
		out[i].id = ids[i];
		out[i].distance = coll_distance(query, vectors +
						(size_t)i * dims, dims, metric);
	}
	qsort(out, n, sizeof(*out), near_order);
}

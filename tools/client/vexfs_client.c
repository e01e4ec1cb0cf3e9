// SPDX-License-Identifier: GPL-2.0
/*
 * The client library: ioctls of collections as functions, and names.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/vfs.h>

#include <vexfs/format.h>

#include "vexfs_client.h"

static int vexfs_call(int fd, unsigned long cmd, void *arg)
{
	return ioctl(fd, cmd, arg) < 0 ? -errno : 0;
}

#define VEXFS_CALL(name, cmd)				\
int vexfs_##name(int fd, struct vexfs_##name *arg)	\
{							\
	arg->size = sizeof(*arg);			\
	return vexfs_call(fd, cmd, arg);		\
}

VEXFS_CALL(create, VEXFS_IOC_CREATE)
VEXFS_CALL(info, VEXFS_IOC_INFO)
VEXFS_CALL(insert, VEXFS_IOC_INSERT)
VEXFS_CALL(delete, VEXFS_IOC_DELETE)
VEXFS_CALL(get, VEXFS_IOC_GET)
VEXFS_CALL(iterate, VEXFS_IOC_ITERATE)
VEXFS_CALL(search, VEXFS_IOC_SEARCH)
VEXFS_CALL(wait, VEXFS_IOC_WAIT)

float vexfs_hit_distance(const struct vexfs_hit *hit)
{
	float d;

	memcpy(&d, &hit->distance, sizeof(d));
	return d;
}

size_t vexfs_vector_bytes(unsigned int type, unsigned int dims)
{
	switch (type) {
	case VEXFS_TYPE_F32:
		return dims * (size_t)4;
	case VEXFS_TYPE_F16:
	case VEXFS_TYPE_BF16:
		return dims * (size_t)2;
	case VEXFS_TYPE_I8:
	case VEXFS_TYPE_U8:
		return dims;
	case VEXFS_TYPE_B1:
		return ((size_t)dims + 7) / 8;
	}
	return 0;
}

static const char * const type_names[] = {
	[VEXFS_TYPE_F32] = "f32", [VEXFS_TYPE_F16] = "f16",
	[VEXFS_TYPE_BF16] = "bf16", [VEXFS_TYPE_I8] = "i8",
	[VEXFS_TYPE_U8] = "u8", [VEXFS_TYPE_B1] = "b1",
};

static const char * const metric_names[] = {
	[VEXFS_L2] = "l2", [VEXFS_IP] = "ip", [VEXFS_COSINE] = "cosine",
	[VEXFS_L1] = "l1", [VEXFS_HAMMING] = "hamming",
};

static const char * const index_names[] = {
	[VEXFS_FLAT] = "flat", [VEXFS_HNSW] = "hnsw", [VEXFS_LSH] = "lsh",
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const char *name_of(const char * const *names, size_t n, size_t i)
{
	return i < n ? names[i] : NULL;
}

static unsigned int number_of(const char * const *names, size_t n,
			      const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (names[i] && !strcmp(names[i], name))
			return i;
	return 0;
}

const char *vexfs_type_name(unsigned int type)
{
	return name_of(type_names, COUNT(type_names), type);
}

const char *vexfs_metric_name(unsigned int metric)
{
	return name_of(metric_names, COUNT(metric_names), metric);
}

const char *vexfs_index_name(unsigned int index)
{
	return name_of(index_names, COUNT(index_names), index);
}

unsigned int vexfs_type_number(const char *name)
{
	return number_of(type_names, COUNT(type_names), name);
}

unsigned int vexfs_metric_number(const char *name)
{
	return number_of(metric_names, COUNT(metric_names), name);
}

unsigned int vexfs_index_number(const char *name)
{
	return number_of(index_names, COUNT(index_names), name);
}

bool vexfs_on_volume(int fd)
{
	struct statfs st;

	return !fstatfs(fd, &st) &&
	       (unsigned int)st.f_type == VEXFS_SUPER_MAGIC;
}

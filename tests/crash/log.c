// SPDX-License-Identifier: GPL-2.0
/*
 * The log of a disk's writes, in the format of the device mapper's target
 * log-writes, as QEMU's driver blklogwrites writes it.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "crash.h"

#define CL_MAGIC	0x6a736677736872ull

/* Flags of an entry */
#define CL_F_FLUSH	1
#define CL_F_DISCARD	4

struct cl_super {
	__le64	magic;
	__le64	version;
	__le64	entries;
	__le32	sector_size;
};

struct cl_disk_entry {
	__le64	sector;
	__le64	sectors;
	__le64	flags;
	__le64	data_len;
};

static struct cl_entry *cl_room(struct cl_log *log)
{
	if (log->count == log->room) {
		log->room = log->room ? 2 * log->room : 1024;
		log->entry = realloc(log->entry,
				     log->room * sizeof(*log->entry));
		if (!log->entry)
			kshim_die(__FILE__, __LINE__, "out of memory");
	}
	return &log->entry[log->count++];
}

static void cl_push(struct cl_log *log, enum cl_kind kind, u64 sector,
		    const u8 *data, u64 sectors)
{
	struct cl_entry *e = cl_room(log);

	*e = (struct cl_entry){ .kind = kind, .sector = sector, .data = data,
				.sectors = sectors };
	log->flushes += kind == CL_FLUSH;
	log->marks += kind == CL_MARK;
}

void cl_add(struct cl_log *log, enum cl_kind kind, u64 sector,
	    const void *data, u64 sectors)
{
	u8 *copy = NULL;

	if (data) {
		copy = malloc(sectors * CM_SECTOR);
		if (!copy)
			kshim_die(__FILE__, __LINE__, "out of memory");
		memcpy(copy, data, sectors * CM_SECTOR);
	}
	cl_push(log, kind, sector, copy, sectors);
}

/* One entry at *at, which moves on. A flush with data comes before the data. */
static bool cl_parse(struct cl_log *log, size_t *at, u64 volume_sectors)
{
	const struct cl_disk_entry *de = log->map + *at;
	u64 flags, sector, sectors, bytes;
	enum cl_kind kind = CL_WRITE;

	if (*at + CM_SECTOR > log->map_bytes)
		return false;
	flags = le64_to_cpu(de->flags);
	sector = le64_to_cpu(de->sector);
	sectors = le64_to_cpu(de->sectors);
	*at += CM_SECTOR;
	if (flags & CL_F_FLUSH)
		cl_push(log, CL_FLUSH, 0, NULL, 0);
	if (flags & CL_F_DISCARD) {
		cl_push(log, CL_DISCARD, sector, NULL, sectors);
		return true;
	}
	if (!sectors)
		return true;
	if (sectors > (log->map_bytes - *at) / CM_SECTOR)
		return false;
	bytes = sectors * CM_SECTOR;
	if (sector >= volume_sectors)
		kind = CL_MARK;
	cl_push(log, kind, sector, log->map + *at, sectors);
	*at += bytes;
	return true;
}

const char *cl_open(struct cl_log *log, const char *path, u64 volume_bytes)
{
	const struct cl_super *s;
	u64 i, entries;
	struct stat st;
	size_t at = CM_SECTOR;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	memset(log, 0, sizeof(*log));
	if (fd < 0 || fstat(fd, &st))
		return "it can't be opened";
	log->map_bytes = (size_t)st.st_size;
	log->map = mmap(NULL, log->map_bytes, PROT_READ, MAP_PRIVATE, fd, 0);
	close(fd);
	if (log->map == MAP_FAILED || log->map_bytes < sizeof(*s))
		return "it can't be read";
	s = log->map;
	if (le64_to_cpu(s->magic) != CL_MAGIC || le64_to_cpu(s->version) != 1)
		return "it is not in dm-log-writes' format";
	if (le32_to_cpu(s->sector_size) != CM_SECTOR)
		return "its sectors are not of 512 bytes";
	entries = le64_to_cpu(s->entries);
	for (i = 0; i < entries; i++)
		if (!cl_parse(log, &at, volume_bytes / CM_SECTOR))
			break;
	return log->count ? NULL : "it is empty";
}

void cl_close(struct cl_log *log)
{
	size_t i;

	for (i = 0; !log->map && i < log->count; i++)
		free((void *)log->entry[i].data);
	if (log->map)
		munmap(log->map, log->map_bytes);
	free(log->entry);
	memset(log, 0, sizeof(*log));
}

// SPDX-License-Identifier: GPL-2.0
/*
 * The write log: every commit, data write and flush of a device in order, so
 * that the state after a crash at any point can be made again.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include "vexfs_dev.h"

static void *vexfs_wlog_room(void *array, size_t count, size_t size)
{
	/* Doubles at every power of two, starting with 16. */
	if (count >= 16 && !is_power_of_2(count))
		return array;
	if (count && count < 16)
		return array;
	array = realloc(array, (count ? count * 2 : 16) * size);
	if (!array)
		kshim_die(__FILE__, __LINE__, "out of memory");
	return array;
}

struct vexfs_wlog *vexfs_wlog_start(struct vexfs_dev *dev)
{
	struct vexfs_wlog *log = calloc(1, sizeof(*log));

	if (!log)
		kshim_die(__FILE__, __LINE__, "out of memory");
	dev->wlog = log;
	return log;
}

void vexfs_wlog_add(struct vexfs_wlog *log, enum vexfs_wlog_kind kind)
{
	log->entries = vexfs_wlog_room(log->entries, log->count,
				       sizeof(*log->entries));
	memset(&log->entries[log->count], 0, sizeof(*log->entries));
	log->entries[log->count++].kind = kind;
}

void vexfs_wlog_add_write(struct vexfs_wlog *log, u64 bno, const void *data)
{
	struct vexfs_wlog_entry *e = &log->entries[log->count - 1];
	struct vexfs_wlog_write *w;

	e->writes = vexfs_wlog_room(e->writes, e->nwrites, sizeof(*w));
	w = &e->writes[e->nwrites++];
	w->bno = bno;
	w->data = malloc(VEXFS_BLOCK_SIZE);
	if (!w->data)
		kshim_die(__FILE__, __LINE__, "out of memory");
	memcpy(w->data, data, VEXFS_BLOCK_SIZE);
}

void vexfs_wlog_add_revoke(struct vexfs_wlog *log, u64 bno)
{
	struct vexfs_wlog_entry *e = &log->entries[log->count - 1];

	e->revokes = vexfs_wlog_room(e->revokes, e->nrevokes, sizeof(bno));
	e->revokes[e->nrevokes++] = bno;
}

int vexfs_wlog_replay(const struct vexfs_wlog *log, size_t from, size_t to,
		      struct vexfs_dev *dev)
{
	const struct vexfs_wlog_entry *e;
	size_t i;
	int err;

	for (; from < to && from < log->count; from++) {
		e = &log->entries[from];
		for (i = 0; i < e->nwrites; i++) {
			err = vexfs_dev_write(dev, e->writes[i].bno,
					      e->writes[i].data);
			if (err)
				return err;
		}
	}
	return 0;
}

void vexfs_wlog_free(struct vexfs_wlog *log)
{
	size_t i, j;

	if (!log)
		return;
	for (i = 0; i < log->count; i++) {
		for (j = 0; j < log->entries[i].nwrites; j++)
			free(log->entries[i].writes[j].data);
		free(log->entries[i].writes);
		free(log->entries[i].revokes);
	}
	free(log->entries);
	free(log);
}

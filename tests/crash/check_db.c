// SPDX-License-Identifier: GPL-2.0
/*
 * The database after a crash: the log has all that was synced and no wrong
 * byte, pages are not older than was synced, the file that is replaced is
 * whole.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include "crash.h"

static const char *db_check_log(struct fsck *f, u64 dir,
				const struct cm_promise *p)
{
	u8 data[VEXFS_BLOCK_SIZE];
	struct cv_file file;
	u64 pos, ino;
	u32 i, len;

	if (cv_lookup(f, dir, "log", &ino) || cv_file(f, ino, &file))
		return "the log is gone";
	if (file.size < p->was.done)
		return cm_why("the log has %llu bytes, %llu were synced",
			      file.size, p->was.done);
	for (pos = 0; pos < file.size; pos += len) {
		len = (u32)min(file.size - pos, (u64)sizeof(data));
		if (cv_read(&file, pos, data, len))
			return "the log can't be read";
		for (i = 0; i < len; i++)
			if (data[i] != db_log_byte(p->was.seed, pos + i))
				return cm_why("byte %llu of the log is wrong (%llu of %llu synced)",
					      pos + i, p->was.done, file.size);
	}
	return NULL;
}

/* The last of the transactions up to @last that wrote each page. */
static void db_versions(u32 seed, u64 last, u32 *version)
{
	u16 page[DB_WRITES];
	unsigned int i, n;
	u32 t;

	for (t = 1; t <= last; t++) {
		n = db_pages(seed, t, page);
		for (i = 0; i < n; i++)
			version[page[i]] = t;
	}
}

static const char *db_check_page(struct cv_file *file, u16 page, u32 synced,
				 const struct cm_promise *p)
{
	u8 data[DB_PAGE] = { };
	u64 pos = (u64)page * DB_PAGE;
	unsigned int i;
	long t;

	if (pos < file->size &&
	    cv_read(file, pos, data, (size_t)min(file->size - pos,
						 (u64)DB_PAGE)))
		return "a page can't be read";
	for (i = 0; i < DB_PAGE / CM_SECTOR; i++) {
		t = db_sector(p->was.seed, page, i, data + i * CM_SECTOR);
		if (t < 0)
			return cm_why("page %u, sector %u: damaged", page, i);
		if (t < synced)
			return cm_why("page %u, sector %u: of transaction %ld, %u was synced",
				      page, i, t, synced);
		if ((u64)t > p->next.begun)
			return cm_why("page %u, sector %u: of transaction %ld",
				      page, i, t);
	}
	return NULL;
}

static const char *db_check_pages(struct fsck *f, u64 dir,
				  const struct cm_promise *p)
{
	u32 version[DB_PAGES] = { };
	struct cv_file file;
	const char *why = NULL;
	u64 ino;
	u16 i;

	if (cv_lookup(f, dir, "pages", &ino) || cv_file(f, ino, &file))
		return "the pages are gone";
	db_versions(p->was.seed, p->was.pages, version);
	for (i = 0; !why && i < DB_PAGES; i++)
		why = db_check_page(&file, i, version[i], p);
	return why;
}

static const char *db_check_conf(struct fsck *f, u64 dir,
				 const struct cm_promise *p)
{
	u8 data[DB_CONF_MAX], want[DB_CONF_MAX];
	struct cv_file file;
	u32 version;
	u64 ino;

	if (cv_lookup(f, dir, "conf", &ino))
		return p->was.conf ? "the replaced file is gone" : NULL;
	if (cv_file(f, ino, &file) || file.size > sizeof(data) ||
	    cv_read(&file, 0, data, file.size))
		return "the replaced file can't be read";
	memcpy(&version, data, sizeof(version));
	if (!version || version < p->was.conf ||
	    version > p->next.begun / DB_CONF_EVERY)
		return cm_why("the replaced file is of version %u, %llu was synced",
			      version, p->was.conf);
	if (file.size != db_conf_len(p->was.seed, version))
		return "the replaced file is cut off";
	db_conf(p->was.seed, version, want);
	return memcmp(data, want, file.size) ?
	       "the replaced file is damaged" : NULL;
}

const char *cm_db_check(void *arg, struct fsck *f, u64 dir,
			const struct cm_promise *p)
{
	const char *why = db_check_log(f, dir, p);

	if (!why)
		why = db_check_pages(f, dir, p);
	return why ?: db_check_conf(f, dir, p);
}

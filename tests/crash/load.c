// SPDX-License-Identifier: GPL-2.0
/*
 * The loads of the crash test, in the guest: does what model.h says for some
 * seconds, and writes a mark behind the volume whenever something is synced.
 *
 *   crashload files|db|coll NUMBER DIR DISK MARKS SEED SECONDS
 *
 * MARKS is the byte on DISK where marks go; NUMBER tells the loads apart.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

#include "libcoll.h"
#include "model.h"

static struct cm_mark *mark;
static int disk;
static off_t mark_at;
static time_t end;
static uint8_t *buf;			/* aligned for direct I/O */

static void fail(const char *what, uint32_t nr)
{
	fprintf(stderr, "# load %u: %s (%u): %s\n", mark->load, what, nr,
		strerror(errno));
	exit(1);
}

static void put_mark(void)
{
	if (pwrite(disk, mark, sizeof(*mark), mark_at) != sizeof(*mark))
		fail("mark", (uint32_t)mark->done);
}

static void must(int ret, const char *what, uint32_t nr)
{
	if (ret < 0)
		fail(what, nr);
}

/* ---------------------------------------------------------- names and data */

static struct cm files;

static int open_op(const struct cm_op *op, int flags)
{
	char path[CM_PATH_MAX];
	int fd;

	cm_path(&files, op->dir[0], op->name[0], path);
	fd = open(path[0] ? path : ".", flags, 0644);
	must(fd, path, op->nr);
	return fd;
}

static int do_data(const struct cm_op *op)
{
	off_t pos = (off_t)op->first * CM_SECTOR;
	size_t len = (size_t)op->count * CM_SECTOR;
	uint32_t i, id = files.ino[op->ino].id;
	int fd = open_op(op, O_RDWR | (op->direct ? O_DIRECT : 0)), ret;

	switch (op->kind) {
	case CM_WRITE:
		for (i = 0; i < op->count; i++)
			cm_sector(files.seed, id, op->nr, op->first + i,
				  buf + i * CM_SECTOR);
		ret = pwrite(fd, buf, len, pos) == (ssize_t)len ? 0 : -1;
		break;
	case CM_TRUNCATE:
		ret = ftruncate(fd, pos);
		break;
	case CM_PUNCH:
		ret = fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
				pos, (off_t)len);
		break;
	case CM_FSYNC:
		ret = fsync(fd);
		break;
	case CM_FDATASYNC:
		ret = fdatasync(fd);
		break;
	default:
		ret = fallocate(fd, FALLOC_FL_KEEP_SIZE, pos, (off_t)len);
	}
	close(fd);
	return ret;
}

static int do_dir_sync(const struct cm_op *op)
{
	int fd = open_op(op, O_RDONLY | O_DIRECTORY), ret;

	ret = op->kind == CM_SYNC ? syncfs(fd) : fsync(fd);
	close(fd);
	return ret;
}

static int do_xattr(const struct cm_op *op, const char *path)
{
	uint8_t value[CM_VALUE_MAX];
	char name[16];

	sprintf(name, "user.x%d", op->name[1]);
	if (op->kind == CM_RMXATTR)
		return removexattr(path, name);
	cm_value(op, value);
	return setxattr(path, name, value, op->arg, 0);
}

static int do_name(const struct cm_op *op)
{
	char path[CM_PATH_MAX], to[CM_PATH_MAX], target[2 * CM_PATH_MAX];

	cm_path(&files, op->dir[0], op->name[0], path);
	if (op->kind == CM_RENAME || op->kind == CM_EXCHANGE ||
	    op->kind == CM_HARDLINK)
		cm_path(&files, op->dir[1], op->name[1], to);
	switch (op->kind) {
	case CM_CREATE:
		return close(open_op(op, O_CREAT | O_EXCL | O_WRONLY));
	case CM_MKDIR:
		return mkdir(path, 0755);
	case CM_SYMLINK:
		cm_target(op, target);
		return symlink(target, path);
	case CM_UNLINK:
		return unlink(path);
	case CM_RMDIR:
		return rmdir(path);
	case CM_RENAME:
		return rename(path, to);
	case CM_EXCHANGE:
		return renameat2(AT_FDCWD, path, AT_FDCWD, to,
				 RENAME_EXCHANGE);
	case CM_HARDLINK:
		return link(path, to);
	case CM_CHMOD:
		return chmod(path, op->arg);
	default:
		return do_xattr(op, path);
	}
}

static int do_files(const struct cm_op *op)
{
	switch (op->kind) {
	case CM_FSYNCDIR:
	case CM_SYNC:
		return do_dir_sync(op);
	case CM_WRITE:
	case CM_TRUNCATE:
	case CM_PUNCH:
	case CM_PREALLOC:
	case CM_FSYNC:
	case CM_FDATASYNC:
		return do_data(op);
	default:
		return do_name(op);
	}
}

static void load_files(void)
{
	struct cm_op op;

	cm_init(&files, mark->seed);
	while (files.done < CM_OPS - 2 && time(NULL) < end) {
		cm_next(&files, &op);
		if (do_files(&op)) {
			printf("# operation of kind %d\n", op.kind);
			fail("files", op.nr);
		}
		cm_apply(&files, &op);
		mark->done = files.done;
		mark->begun = files.done;
		if (op.kind >= CM_FSYNC)
			put_mark();
	}
	op = (struct cm_op){ .kind = CM_SYNC, .name = { -1 },
			     .nr = files.done + 1 };
	must(do_dir_sync(&op), "sync", op.nr);
	cm_apply(&files, &op);
	mark->done = files.done;
	mark->begun = files.done;
	put_mark();
}

/* -------------------------------------------------------------- a database */

static void db_append(int fd, uint32_t t, uint64_t *pos)
{
	uint32_t i, len = db_record(mark->seed, t);

	for (i = 0; i < len; i++)
		buf[i] = db_log_byte(mark->seed, *pos + i);
	if (pwrite(fd, buf, len, (off_t)*pos) != len || fdatasync(fd))
		fail("log", t);
	*pos += len;
	mark->done = *pos;
	put_mark();
}

/* In place; with direct I/O every third time. */
static void db_update(const int fd[2], uint32_t t)
{
	uint16_t page[DB_WRITES];
	unsigned int i, n = db_pages(mark->seed, t, page);
	int to = fd[t % 3 == 0];

	for (i = 0; i < n; i++) {
		db_page(mark->seed, t, page[i], buf);
		if (pwrite(to, buf, DB_PAGE, (off_t)page[i] * DB_PAGE) !=
		    DB_PAGE)
			fail("page", t);
	}
	if (t % 2 ? fdatasync(to) : fsync(to))
		fail("pages", t);
	mark->pages = t;
	put_mark();
}

/* A new version of a file, then its name: all of the old one or the new. */
static void db_replace(uint32_t version)
{
	uint32_t len = db_conf_len(mark->seed, version);
	int fd = open("conf.new", O_CREAT | O_TRUNC | O_WRONLY, 0644);
	int dir = open(".", O_RDONLY | O_DIRECTORY);

	db_conf(mark->seed, version, buf);
	if (fd < 0 || dir < 0 || write(fd, buf, len) != len || fsync(fd) ||
	    close(fd) || rename("conf.new", "conf") || fsync(dir))
		fail("conf", version);
	close(dir);
	mark->conf = version;
	put_mark();
}

static void load_db(void)
{
	int log = open("log", O_CREAT | O_RDWR, 0644);
	int fd[2] = { open("pages", O_CREAT | O_RDWR, 0644) };
	uint64_t pos = 0;
	uint32_t t;

	fd[1] = open("pages", O_RDWR | O_DIRECT);
	if (log < 0 || fd[0] < 0 || fd[1] < 0)
		fail("open", 0);
	must(syncfs(log), "syncfs", 0);
	put_mark();
	for (t = 1; t < DB_TXNS && time(NULL) < end; t++) {
		mark->begun = t;
		db_append(log, t, &pos);
		db_update(fd, t);
		if (t % DB_CONF_EVERY == 0)
			db_replace(t / DB_CONF_EVERY);
	}
	close(log);
	close(fd[0]);
	close(fd[1]);
}

/* ------------------------------------------------------------ a collection */

static int coll_do(int fd, uint32_t op)
{
	float v[CC_BATCH * CC_DIMS];
	uint64_t ids[2 * CC_BATCH];
	unsigned int n, i;
	char what = cc_operation(op, ids, &n);

	if (what == 'd')
		return coll_delete(fd, ids, n, 0) == (int)n ? 0 : -1;
	for (i = 0; i < n; i++)
		cc_vector(v + i * CC_DIMS, mark->seed, ids[i], op);
	return coll_insert(fd, ids, v, n,
			   what == 'u' ? VEXFS_INSERT_UPSERT : 0, NULL);
}

/* Closed now and then: that makes a checkpoint. */
static void load_coll(void)
{
	int fd = coll_create("coll", CC_DIMS, VEXFS_L2, VEXFS_HNSW);
	uint32_t op;

	if (fd < 0 || fsync(fd))
		fail("create", 0);
	must(syncfs(fd), "syncfs", 0);
	put_mark();
	for (op = 0; op < CC_OPS && time(NULL) < end; op++) {
		if (coll_do(fd, op))
			fail("collection", op);
		mark->begun = op + 1;
		if (op % 7 == 3 || op % 7 == 4)
			continue;
		if (fsync(fd))
			fail("fsync", op);
		mark->done = op + 1;
		put_mark();
		if (op % 23 == 22) {
			close(fd);
			fd = open("coll", O_RDWR);
			must(fd, "open", op);
		}
	}
	close(fd);
}

int main(int argc, char **argv)
{
	if (argc != 8 || posix_memalign((void **)&mark, 4096, 4096) ||
	    posix_memalign((void **)&buf, 4096, CM_SECTORS * CM_SECTOR))
		return 2;
	memset(mark, 0, sizeof(*mark));
	mark->magic = CM_MARK_MAGIC;
	mark->load = atoi(argv[2]);
	mark->seed = atoi(argv[6]);
	mark_at = strtoll(argv[5], NULL, 0) + mark->load * 4096ll;
	disk = open(argv[4], O_WRONLY | O_DIRECT);
	if (disk < 0 || chdir(argv[3])) {
		perror(disk < 0 ? argv[4] : argv[3]);
		return 2;
	}
	end = time(NULL) + atoi(argv[7]);
	if (!strcmp(argv[1], "files"))
		load_files();
	else if (!strcmp(argv[1], "db"))
		load_db();
	else
		load_coll();
	printf("# load %s %u: %llu done\n", argv[1], mark->load,
	       (unsigned long long)(mark->load == CM_LOAD_DB ? mark->begun :
				    mark->done));
	return 0;
}

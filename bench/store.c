// SPDX-License-Identifier: GPL-2.0
/*
 * A collection of the shared core, natively: rows stand in huge pages as in
 * the kernel's direct map, and are searched where they stand.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "bench.h"
#include "store.h"

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

/* A file of its own, gone when it is closed. */
static int open_file(const char *dir, u64 size)
{
	char path[4096];
	int fd;

	snprintf(path, sizeof(path), "%s/bench-XXXXXX", dir);
	fd = mkstemp(path);
	if (fd < 0 || ftruncate(fd, (off_t)size))
		fail(path);
	unlink(path);
	return fd;
}

static int store_pin_rows(void *priv, const u32 *slots, unsigned int n,
			  struct vexfs_row_pins *pins)
{
	struct store *st = priv;
	unsigned int i;

	for (i = 0; i < n; i++)
		pins->row[i] = st->data[STORE_ROWS] +
			(u64)slots[i] * st->cfg.stride;
	pins->n = n;
	return 0;
}

static void store_unpin_rows(void *priv, struct vexfs_row_pins *pins)
{
}

static int store_write(struct store *st, enum store_area area, u64 pos,
		       const void *buf, u64 len)
{
	if (pos > st->cap[area] || len > st->cap[area] - pos)
		return -ENOSPC;
	if (st->fd[area] < 0)
		memcpy(st->data[area] + pos, buf, len);
	else if (pwrite(st->fd[area], buf, len, (off_t)pos) != (ssize_t)len)
		return -errno;
	st->len[area] = max(st->len[area], pos + len);
	return 0;
}

static int store_write_rows(void *priv, u32 slot, u32 n, const void *rows)
{
	struct store *st = priv;
	u64 stride = st->cfg.stride;

	return store_write(st, STORE_ROWS, slot * stride, rows, n * stride);
}

static enum store_area area_of(enum vexfs_fork fork)
{
	return fork == VEXFS_FORK_LOG ? STORE_LOG : STORE_INDEX;
}

static int store_fork_read(void *priv, enum vexfs_fork fork, u64 pos,
			   void *buf, size_t len)
{
	struct store *st = priv;
	enum store_area area = area_of(fork);

	if (pos > st->len[area] || len > st->len[area] - pos)
		return -EIO;
	memcpy(buf, st->data[area] + pos, len);
	return 0;
}

static int store_fork_write(void *priv, enum vexfs_fork fork, u64 pos,
			    const void *buf, size_t len)
{
	return store_write(priv, area_of(fork), pos, buf, len);
}

static void store_kick(void *priv)
{
}

static bool store_killed(void *priv)
{
	return bench_stop;
}

static const struct vexfs_coll_io store_io = {
	.pin_rows	= store_pin_rows,
	.unpin_rows	= store_unpin_rows,
	.write_rows	= store_write_rows,
	.fork_read	= store_fork_read,
	.fork_write	= store_fork_write,
	.kick		= store_kick,
	.killed		= store_killed,
};

static void map_area(struct store *st, enum store_area area, const char *dir)
{
	int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
	void *p;

	st->fd[area] = -1;
	st->cap[area] = ALIGN(st->cap[area], 2ul << 20);
	/* Memory that was touched before; of the others little is written. */
	if (area == STORE_ROWS && !dir) {
		st->data[area] = bench_alloc(st->cap[area]);
		return;
	}
	if (dir) {
		st->fd[area] = open_file(dir, st->cap[area]);
		flags = MAP_SHARED;
	}
	p = mmap(NULL, st->cap[area], PROT_READ | PROT_WRITE, flags,
		 st->fd[area], 0);
	if (p == MAP_FAILED)
		fail("mmap");
	madvise(p, st->cap[area], MADV_HUGEPAGE);
	st->data[area] = p;
}

struct store *store_create(const struct vexfs_coll_config *cfg, u64 rows,
			   const char *dir)
{
	struct store *st = bench_must(calloc(1, sizeof(*st)));
	int i;

	st->cfg = *cfg;
	st->cfg.owner = 1;
	st->cfg.seed = 1;
	if (vexfs_coll_config_check(&st->cfg)) {
		fprintf(stderr, "bench: not a collection that there can be\n");
		exit(1);
	}
	/* Nothing is taken before it is written. */
	st->cap[STORE_ROWS] = rows * st->cfg.stride;
	st->cap[STORE_LOG] = rows * 64 + (64 << 20);
	st->cap[STORE_INDEX] = rows * (2048 + 4ull * st->cfg.dims) +
			       (256 << 20);
	for (i = 0; i < STORE_AREAS; i++)
		map_area(st, i, dir);
	st->fd[STORE_AREAS] = dir ? open_file(dir, sizeof(st->header)) : -1;
	vexfs_coll_config_to_header(&st->cfg, &st->header);
	st->coll = vexfs_coll_open(&st->cfg, &st->header, &store_io, st);
	if (IS_ERR(st->coll)) {
		errno = (int)-PTR_ERR(st->coll);
		fail("vexfs_coll_open");
	}
	return st;
}

void store_free(struct store *st)
{
	int i;

	vexfs_coll_free(st->coll);
	for (i = 0; i < STORE_AREAS; i++) {
		if (i == STORE_ROWS && st->fd[i] < 0)
			bench_free(st->data[i], st->cap[i]);
		else
			munmap(st->data[i], st->cap[i]);
	}
	for (i = 0; i <= STORE_AREAS; i++)
		if (st->fd[i] >= 0)
			close(st->fd[i]);
	free(st);
}

int store_insert(struct store *st, const void *rows, u32 n)
{
	struct vexfs_coll_insert ins;
	int err;

	err = vexfs_coll_insert_begin(st->coll, NULL, n, 0, &ins);
	if (err)
		return err;
	err = vexfs_coll_insert_rows(&ins, rows, n, st->cfg.row_bytes);
	if (!err)
		return vexfs_coll_insert_end(&ins);
	vexfs_coll_insert_abort(&ins);
	return err;
}

static int sync_areas(struct store *st, unsigned int areas)
{
	unsigned int i;

	for (i = 0; i <= STORE_AREAS; i++)
		if ((areas & 1u << i) && st->fd[i] >= 0 && fdatasync(st->fd[i]))
			return -errno;
	return 0;
}

static int write_header(struct store *st,
			const struct vexfs_coll_header *header)
{
	st->header = *header;
	if (st->fd[STORE_AREAS] < 0)
		return 0;
	if (pwrite(st->fd[STORE_AREAS], header, sizeof(*header), 0) !=
	    sizeof(*header))
		return -errno;
	return sync_areas(st, 1u << STORE_AREAS);
}

int store_commit(struct store *st)
{
	struct vexfs_coll_header header = st->header;
	struct vexfs_coll_commit c;
	int err;

	if (!vexfs_coll_commit_begin(st->coll, &c))
		return 0;
	err = sync_areas(st, 1u << STORE_ROWS | 1u << STORE_LOG);
	if (!err) {
		vexfs_coll_commit_header(&c, &header);
		err = write_header(st, &header);
	}
	vexfs_coll_commit_end(st->coll, &c, err);
	return err;
}

int store_checkpoint(struct store *st)
{
	struct vexfs_coll_header header = st->header;
	struct vexfs_coll_checkpoint c;
	int err;

	err = vexfs_coll_checkpoint_begin(st->coll, &c);
	if (err)
		return err;
	err = sync_areas(st, 1u << STORE_ROWS | 1u << STORE_INDEX);
	if (!err) {
		vexfs_coll_checkpoint_header(&c, &header);
		err = write_header(st, &header);
	}
	vexfs_coll_checkpoint_done(st->coll, &c, err);
	return err;
}

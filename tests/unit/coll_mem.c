// SPDX-License-Identifier: GPL-2.0
/*
 * A collection in memory: what the kernel does with page cache, extents and
 * the journal, in the simplest way there is.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include <sys/mman.h>

#include "coll_mem.h"
#include "vtest.h"

#define MEM_FORK_CAP	(64ULL << 20)

void mem_store_init(struct mem_store *st, const u64 cap[MEM_AREAS])
{
	int i;

	memset(st, 0, sizeof(*st));
	for (i = 0; i < MEM_AREAS; i++) {
		st->cap[i] = cap[i];
		st->data[i] = mmap(NULL, cap[i], PROT_READ | PROT_WRITE,
				   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
				   -1, 0);
		if (st->data[i] == MAP_FAILED)
			abort();
	}
}

void mem_store_free(struct mem_store *st)
{
	int i;

	for (i = 0; i < MEM_AREAS; i++)
		munmap(st->data[i], st->cap[i]);
}

void mem_store_copy(struct mem_store *to, const struct mem_store *from)
{
	int i;

	for (i = 0; i < MEM_AREAS; i++) {
		if (to->len[i] > from->len[i])
			memset(to->data[i] + from->len[i], 0,
			       to->len[i] - from->len[i]);
		memcpy(to->data[i], from->data[i], from->len[i]);
		to->len[i] = from->len[i];
	}
	to->header = from->header;
}

void mem_store_write(struct mem_store *st, enum mem_area area, u64 pos,
		     const void *buf, u64 len)
{
	if (pos > st->cap[area] || len > st->cap[area] - pos)
		abort();
	memcpy(st->data[area] + pos, buf, len);
	st->len[area] = max(st->len[area], pos + len);
}

/* [lock] */
static void mem_record(struct mem_coll *m, enum mem_event_type type,
		       enum mem_area area, u64 pos, const void *buf, u32 len)
{
	struct mem_event *ev;

	if (!m->record)
		return;
	if (m->nevents == m->events_cap) {
		m->events_cap = m->events_cap * 2 + 64;
		m->event = realloc(m->event, m->events_cap * sizeof(*ev));
		if (!m->event)
			abort();
	}
	ev = m->event + m->nevents++;
	*ev = (struct mem_event){ .type = type, .area = area, .pos = pos,
				  .len = len, .mark = m->mark };
	if (!len)
		return;
	ev->data = malloc(len);
	if (!ev->data)
		abort();
	memcpy(ev->data, buf, len);
}

static bool mem_fails(int *n)
{
	return *n > 0 && --*n == 0;
}

static int mem_write(struct mem_coll *m, enum mem_area area, u64 pos,
		     const void *buf, u64 len)
{
	int err = 0;

	pthread_mutex_lock(&m->lock);
	if (pos > m->store.cap[area] || len > m->store.cap[area] - pos)
		err = -ENOSPC;
	if (mem_fails(&m->fail_write))
		err = -EIO;
	if (!err) {
		mem_store_write(&m->store, area, pos, buf, len);
		mem_record(m, MEM_WRITE, area, pos, buf, len);
	}
	pthread_mutex_unlock(&m->lock);
	return err;
}

/* Every third row goes through the bounce buffer, as one that straddles. */
static int mem_pin_rows(void *priv, const u32 *slots, unsigned int n,
			struct vexfs_row_pins *pins)
{
	struct mem_coll *m = priv;
	u32 stride = m->cfg.stride;
	unsigned int i;
	int err = 0;

	pthread_mutex_lock(&m->lock);
	if (mem_fails(&m->fail_read))
		err = -EIO;
	for (i = 0; !err && i < n; i++) {
		u8 *row = m->store.data[MEM_ROWS] + (u64)slots[i] * stride;

		if ((slots[i] + 1ull) * stride > m->store.len[MEM_ROWS])
			err = -EIO;
		pins->row[i] = row;
		if (slots[i] % 3 == 0 && !err) {
			pins->row[i] = pins->bounce + i * stride;
			memcpy(pins->bounce + i * stride, row, stride);
		}
	}
	pins->n = n;
	m->pinned += err ? 0 : n;
	pthread_mutex_unlock(&m->lock);
	return err;
}

static void mem_unpin_rows(void *priv, struct vexfs_row_pins *pins)
{
	struct mem_coll *m = priv;

	pthread_mutex_lock(&m->lock);
	m->pinned -= pins->n;
	pthread_mutex_unlock(&m->lock);
}

static int mem_write_rows(void *priv, u32 slot, u32 n, const void *rows)
{
	struct mem_coll *m = priv;
	u64 stride = m->cfg.stride;

	return mem_write(m, MEM_ROWS, slot * stride, rows, n * stride);
}

static enum mem_area mem_area_of(enum vexfs_fork fork)
{
	return fork == VEXFS_FORK_LOG ? MEM_LOG : MEM_INDEX;
}

static int mem_fork_read(void *priv, enum vexfs_fork fork, u64 pos, void *buf,
			 size_t len)
{
	struct mem_coll *m = priv;
	enum mem_area area = mem_area_of(fork);
	int err = 0;

	pthread_mutex_lock(&m->lock);
	if (mem_fails(&m->fail_read) || pos > m->store.len[area] ||
	    len > m->store.len[area] - pos)
		err = -EIO;
	else
		memcpy(buf, m->store.data[area] + pos, len);
	pthread_mutex_unlock(&m->lock);
	return err;
}

static int mem_fork_write(void *priv, enum vexfs_fork fork, u64 pos,
			  const void *buf, size_t len)
{
	return mem_write(priv, mem_area_of(fork), pos, buf, len);
}

static void mem_kick(void *priv)
{
	struct mem_coll *m = priv;

	__atomic_fetch_add(&m->kicks, 1, __ATOMIC_RELAXED);
}

static bool mem_killed(void *priv)
{
	struct mem_coll *m = priv;

	return m->killed;
}

static const struct vexfs_coll_io mem_io = {
	.pin_rows	= mem_pin_rows,
	.unpin_rows	= mem_unpin_rows,
	.write_rows	= mem_write_rows,
	.fork_read	= mem_fork_read,
	.fork_write	= mem_fork_write,
	.kick		= mem_kick,
	.killed		= mem_killed,
};

int mem_create(struct mem_coll *m, const struct vexfs_coll_config *cfg,
	       u32 max_slots)
{
	u64 cap[MEM_AREAS] = { 0, MEM_FORK_CAP, MEM_FORK_CAP };
	int err;

	memset(m, 0, sizeof(*m));
	m->cfg = *cfg;
	m->cfg.owner = 4711;
	m->cfg.csum_seed = 0x1234abcd;
	/* The tests' parameters are those of a graph */
	if (cfg->index == VEXFS_INDEX_LSH) {
		m->cfg.m = 0;
		m->cfg.ef_construction = 0;
	}
	err = vexfs_coll_config_check(&m->cfg);
	if (err)
		return err;
	pthread_mutex_init(&m->lock, NULL);
	cap[MEM_ROWS] = (u64)max_slots * m->cfg.stride;
	mem_store_init(&m->store, cap);
	vexfs_coll_config_to_header(&m->cfg, &m->store.header);
	return mem_open(m);
}

void mem_destroy(struct mem_coll *m)
{
	u32 i;

	mem_close(m);
	for (i = 0; i < m->nevents; i++)
		free(m->event[i].data);
	free(m->event);
	mem_store_free(&m->store);
	pthread_mutex_destroy(&m->lock);
}

int mem_open(struct mem_coll *m)
{
	struct vexfs_coll_config cfg = { .owner = m->cfg.owner,
					 .csum_seed = m->cfg.csum_seed };
	int err;

	err = vexfs_coll_config_from_header(&m->store.header, &cfg);
	if (err)
		return err;
	m->cfg = cfg;
	m->coll = vexfs_coll_open(&cfg, &m->store.header, &mem_io, m);
	if (!IS_ERR(m->coll))
		return 0;
	err = PTR_ERR(m->coll);
	m->coll = NULL;
	return err;
}

void mem_close(struct mem_coll *m)
{
	if (m->pinned)
		kshim_die(__FILE__, __LINE__, "rows left pinned");
	vexfs_coll_free(m->coll);
	m->coll = NULL;
}

/* What an fsync() makes durable, and the transaction that says so. */
static void mem_make_durable(struct mem_coll *m,
			     const struct vexfs_coll_header *header)
{
	pthread_mutex_lock(&m->lock);
	mem_record(m, MEM_FLUSH, 0, 0, NULL, 0);
	m->store.header = *header;
	mem_record(m, MEM_HEADER, 0, 0, header, sizeof(*header));
	pthread_mutex_unlock(&m->lock);
}

int mem_commit(struct mem_coll *m, int fail)
{
	struct vexfs_coll_header header = m->store.header;
	struct vexfs_coll_commit c;

	if (!vexfs_coll_commit_begin(m->coll, &c))
		return 0;
	if (!fail) {
		vexfs_coll_commit_header(&c, &header);
		mem_make_durable(m, &header);
	}
	vexfs_coll_commit_end(m->coll, &c, fail);
	return fail;
}

int mem_checkpoint(struct mem_coll *m, int fail)
{
	struct vexfs_coll_header header = m->store.header;
	struct vexfs_coll_checkpoint c;
	int err;

	err = vexfs_coll_checkpoint_begin(m->coll, &c);
	if (err)
		return err;
	if (!fail) {
		vexfs_coll_checkpoint_header(&c, &header);
		mem_make_durable(m, &header);
	}
	vexfs_coll_checkpoint_done(m->coll, &c, fail);
	return fail;
}

int mem_settle(struct mem_coll *m)
{
	long left;
	int tend;

	do {
		left = vexfs_coll_index(m->coll, 1000);
		tend = left < 0 ? 0 : vexfs_coll_tend(m->coll);
	} while (left > 0 || tend > 0);
	return left ? left : tend;
}

int mem_insert(struct mem_coll *m, const u64 *ids, u32 count,
	       unsigned int flags, const void *rows, u64 *first_id)
{
	struct vexfs_coll_insert ins;
	u32 done, now;
	int err;

	err = vexfs_coll_insert_begin(m->coll, ids, count, flags, &ins);
	if (err)
		return err;
	if (first_id)
		*first_id = ins.first_id;
	/* In pieces of any size */
	for (done = 0; done < count; done += now) {
		now = min(count - done, 1 + done * 7 % 100);
		err = vexfs_coll_insert_rows(&ins, rows, now,
					     m->cfg.row_bytes);
		if (err)
			break;
		rows += (size_t)now * m->cfg.row_bytes;
	}
	if (!err)
		err = vexfs_coll_insert_end(&ins);
	if (err)
		vexfs_coll_insert_abort(&ins);
	return err;
}

void mem_row(const struct mem_coll *m, u64 id, u32 version, float *row)
{
	u64 state = id << 32 | version;
	u32 i;

	for (i = 0; i < m->cfg.dims; i++)
		row[i] = (float)((int)(vt_random(&state) % 401) - 200);
}

int mem_put(struct mem_coll *m, struct mem_model *model, const u64 *ids,
	    u32 n, unsigned int flags, u32 version)
{
	float *rows = calloc(n, m->cfg.row_bytes);
	u32 i;
	int err;

	if (!rows)
		abort();
	for (i = 0; i < n; i++)
		mem_row(m, ids[i], version, rows + i * m->cfg.dims);
	err = mem_insert(m, ids, n, flags, rows, NULL);
	free(rows);
	for (i = 0; !err && i < n; i++)
		model->version[ids[i]] = version;
	return err;
}

int mem_del(struct mem_coll *m, struct mem_model *model, const u64 *ids,
	    u32 n)
{
	u32 i, deleted;
	int err;

	err = vexfs_coll_delete(m->coll, ids, n, 0, &deleted);
	for (i = 0; !err && i < n; i++)
		model->version[ids[i]] = 0;
	return err;
}

u32 mem_differs(struct mem_coll *m, const struct mem_model *want)
{
	u32 id, slot, live = 0, wrong = 0;
	struct vexfs_coll_stat st;
	float row[256];

	vexfs_coll_read_lock(m->coll);
	for (id = 0; id < MEM_IDS; id++) {
		bool found = !vexfs_coll_find(m->coll, id, &slot);

		live += !!want->version[id];
		wrong += found != !!want->version[id];
		if (!found || !want->version[id])
			continue;
		mem_row(m, id, want->version[id], row);
		wrong += !!memcmp(m->store.data[MEM_ROWS] +
				  (u64)slot * m->cfg.stride, row,
				  m->cfg.row_bytes);
	}
	vexfs_coll_read_unlock(m->coll);
	vexfs_coll_stat(m->coll, &st);
	return wrong + (st.live != live);
}

// SPDX-License-Identifier: GPL-2.0
/*
 * Names and data: which operations come, and what they leave.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include <stdio.h>
#include <string.h>

#include "model.h"

#define CM_ROOT		0

uint64_t cm_hash(uint64_t h, const void *data, size_t len)
{
	const uint8_t *p = data;

	while (len--)
		h = (h ^ *p++) * 0x100000001b3ull;
	return h;
}

static uint32_t cm_below(struct cm *m, uint32_t n)
{
	m->rnd += 0x9e3779b97f4a7c15ull;
	return (uint32_t)(cm_mix(m->rnd) >> 16) % n;
}

static void cm_no_names(struct cm_inode *di)
{
	int i;

	for (i = 0; i < CM_NAMES; i++)
		di->ent[i] = -1;
}

void cm_init(struct cm *m, uint32_t seed)
{
	memset(m, 0, sizeof(*m));
	m->seed = seed;
	m->rnd = cm_mix(seed + 1);
	m->ino[CM_ROOT].type = CM_DIR;
	m->ino[CM_ROOT].parent = -1;
	cm_no_names(&m->ino[CM_ROOT]);
}

/* Of quite different lengths, so that directories get more than a block. */
void cm_name(int name, char *buf)
{
	int len = 3 + name * 37 % 230;

	memset(buf, 'a' + name % 26, len);
	buf[0] = 'n';
	buf[1] = '0' + name / 10;
	buf[2] = '0' + name % 10;
	buf[len] = 0;
}

void cm_path(const struct cm *m, int dir, int name, char *path)
{
	char buf[CM_NAME_MAX + 1];
	int i, parent = m->ino[dir].parent;

	path[0] = 0;
	if (dir != CM_ROOT) {
		for (i = 0; m->ino[parent].ent[i] != dir; i++)
			;
		cm_path(m, parent, i, path);
	}
	if (name < 0)
		return;
	cm_name(name, buf);
	if (path[0])
		strcat(path, "/");
	strcat(path, buf);
}

void cm_target(const struct cm_op *op, char *buf)
{
	uint32_t i;

	for (i = 0; i < op->arg; i++)
		buf[i] = 'a' + (cm_mix(op->nr * 4096ull + i) & 15);
	buf[i] = 0;
}

void cm_value(const struct cm_op *op, uint8_t *buf)
{
	uint32_t i;

	for (i = 0; i < op->arg; i++)
		buf[i] = (uint8_t)(cm_mix(op->nr * 16384ull + (i >> 3)) >>
				   (8 * (i & 7)));
}

void cm_sector(uint32_t seed, uint32_t id, uint32_t op, uint32_t sector,
	       uint8_t *buf)
{
	uint64_t word[CM_SECTOR / 8];
	unsigned int i;

	word[0] = (uint64_t)seed << 32 | 0x5643;
	word[1] = (uint64_t)id << 32 | op;
	word[2] = sector;
	for (i = 3; i < CM_SECTOR / 8; i++)
		word[i] = cm_mix(word[0] ^ word[1] * 31 ^ word[2] << 48 ^ i);
	memcpy(buf, word, CM_SECTOR);
}

/* --------------------------------------------------------------- choosing */

static const struct {
	uint8_t kind;
	uint8_t weight;
} cm_weights[] = {
	{ CM_CREATE, 16 },	{ CM_MKDIR, 5 },	{ CM_SYMLINK, 4 },
	{ CM_UNLINK, 11 },	{ CM_RMDIR, 4 },	{ CM_RENAME, 12 },
	{ CM_EXCHANGE, 3 },	{ CM_HARDLINK, 4 },	{ CM_CHMOD, 3 },
	{ CM_SETXATTR, 8 },	{ CM_RMXATTR, 3 },	{ CM_WRITE, 30 },
	{ CM_TRUNCATE, 6 },	{ CM_PUNCH, 4 },	{ CM_PREALLOC, 3 },
	{ CM_FSYNC, 7 },	{ CM_FDATASYNC, 3 },	{ CM_FSYNCDIR, 4 },
	{ CM_SYNC, 1 },
};

static int cm_depth(const struct cm *m, int dir)
{
	int depth = 0;

	while (dir != CM_ROOT) {
		dir = m->ino[dir].parent;
		depth++;
	}
	return depth;
}

static int cm_pick_dir(struct cm *m)
{
	int i = cm_below(m, CM_INODES);

	while (m->ino[i].type != CM_DIR)
		i = (i + 1) % CM_INODES;
	return i;
}

/* Some name of @dir that is there, or that is not; false if there is none. */
static bool cm_pick_name(struct cm *m, struct cm_op *op, int nr, bool there)
{
	int i, name = cm_below(m, CM_NAMES);

	op->dir[nr] = cm_pick_dir(m);
	for (i = 0; i < CM_NAMES; i++, name = (name + 1) % CM_NAMES) {
		if ((m->ino[op->dir[nr]].ent[name] >= 0) != there)
			continue;
		op->name[nr] = name;
		if (!nr)
			op->ino = m->ino[op->dir[0]].ent[name];
		return true;
	}
	return false;
}

static bool cm_pick_type(struct cm *m, struct cm_op *op, int type)
{
	int tries;

	for (tries = 0; tries < 20; tries++)
		if (cm_pick_name(m, op, 0, true) &&
		    m->ino[op->ino].type == type)
			return true;
	return false;
}

static bool cm_pick_new(struct cm *m, struct cm_op *op)
{
	int i, free = 0;

	for (i = 0; i < CM_INODES; i++)
		free += m->ino[i].type == CM_FREE;
	return free && cm_pick_name(m, op, 0, false);
}

static bool cm_is_below(const struct cm *m, int dir, int top)
{
	for (; dir != CM_ROOT; dir = m->ino[dir].parent)
		if (dir == top)
			return true;
	return top == CM_ROOT;
}

static bool cm_dir_empty(const struct cm_inode *di)
{
	int i;

	for (i = 0; i < CM_NAMES; i++)
		if (di->ent[i] >= 0)
			return false;
	return true;
}

/* Onto a free name, or over what may be replaced. */
static bool cm_pick_rename(struct cm *m, struct cm_op *op)
{
	const struct cm_inode *from, *to;
	int over;

	if (!cm_pick_name(m, op, 0, true) ||
	    !cm_pick_name(m, op, 1, !cm_below(m, 3)))
		return false;
	from = &m->ino[op->ino];
	over = m->ino[op->dir[1]].ent[op->name[1]];
	if (from->type == CM_DIR &&
	    (cm_is_below(m, op->dir[1], op->ino) ||
	     cm_depth(m, op->dir[1]) + 1 >= CM_DEPTH))
		return false;
	/* What has names in it might get too deep. */
	if (from->type == CM_DIR && !cm_dir_empty(from) &&
	    op->dir[0] != op->dir[1])
		return false;
	if (over < 0)
		return true;
	to = &m->ino[over];
	if (over == op->ino)
		return false;
	if (from->type != CM_DIR)
		return to->type != CM_DIR;
	return to->type == CM_DIR && cm_dir_empty(to);
}

static bool cm_pick_exchange(struct cm *m, struct cm_op *op)
{
	int other;

	if (!cm_pick_name(m, op, 0, true) || !cm_pick_name(m, op, 1, true))
		return false;
	other = m->ino[op->dir[1]].ent[op->name[1]];
	if (other == op->ino)
		return false;
	return op->dir[0] == op->dir[1] ||
	       (m->ino[op->ino].type != CM_DIR &&
		m->ino[other].type != CM_DIR);
}

static bool cm_pick_range(struct cm *m, struct cm_op *op, bool blocks)
{
	uint32_t unit = blocks ? 8 : 1, most = 1 + cm_below(m, 3) * 24;

	if (!cm_pick_type(m, op, CM_FILE))
		return false;
	op->direct = op->kind == CM_WRITE && !cm_below(m, 4);
	if (op->direct)
		unit = 8;
	op->first = cm_below(m, CM_SECTORS / 2) / unit * unit;
	if (op->kind == CM_WRITE && cm_below(m, 2))
		op->first = m->ino[op->ino].size / unit * unit;
	op->count = unit * (1 + cm_below(m, most) / unit);
	return op->first + op->count <= CM_SECTORS;
}

static bool cm_pick_xattr(struct cm *m, struct cm_op *op)
{
	if (!cm_pick_name(m, op, 0, true) || m->ino[op->ino].type == CM_LINK)
		return false;
	op->name[1] = cm_below(m, CM_XATTRS);
	op->arg = 1 + cm_below(m, 30);
	if (!cm_below(m, 3))
		op->arg = 1 + cm_below(m, cm_below(m, 2) ? 900 :
					  CM_VALUE_MAX - 1);
	return op->kind == CM_SETXATTR || m->ino[op->ino].xattr[op->name[1]];
}

static bool cm_pick(struct cm *m, struct cm_op *op)
{
	switch (op->kind) {
	case CM_CREATE:
		return cm_pick_new(m, op);
	case CM_MKDIR:
		return cm_pick_new(m, op) &&
		       cm_depth(m, op->dir[0]) + 1 < CM_DEPTH;
	case CM_SYMLINK:
		op->arg = 1 + cm_below(m, cm_below(m, 2) ? 60 : 2000);
		return cm_pick_new(m, op);
	case CM_UNLINK:
		return cm_pick_name(m, op, 0, true) &&
		       m->ino[op->ino].type != CM_DIR;
	case CM_RMDIR:
		return cm_pick_type(m, op, CM_DIR) &&
		       cm_dir_empty(&m->ino[op->ino]);
	case CM_RENAME:
		return cm_pick_rename(m, op);
	case CM_EXCHANGE:
		return cm_pick_exchange(m, op);
	case CM_HARDLINK:
		return cm_pick_type(m, op, CM_FILE) &&
		       cm_pick_name(m, op, 1, false);
	case CM_CHMOD:
		op->arg = 0700 | cm_below(m, 0100);
		return cm_pick_name(m, op, 0, true) &&
		       m->ino[op->ino].type != CM_LINK;
	case CM_SETXATTR:
	case CM_RMXATTR:
		return cm_pick_xattr(m, op);
	case CM_WRITE:
	case CM_PUNCH:
	case CM_PREALLOC:
		return cm_pick_range(m, op, op->kind != CM_WRITE);
	case CM_TRUNCATE:
		op->first = cm_below(m, CM_SECTORS);
		return cm_pick_type(m, op, CM_FILE);
	case CM_FSYNC:
	case CM_FDATASYNC:
		return cm_pick_type(m, op, CM_FILE);
	case CM_FSYNCDIR:
		op->dir[0] = cm_pick_dir(m);
		return true;
	default:
		return true;
	}
}

void cm_next(struct cm *m, struct cm_op *op)
{
	uint32_t total = 0, at;
	size_t i;

	for (i = 0; i < sizeof(cm_weights) / sizeof(cm_weights[0]); i++)
		total += cm_weights[i].weight;
	do {
		memset(op, 0, sizeof(*op));
		op->ino = -1;
		op->name[0] = -1;
		at = cm_below(m, total);
		for (i = 0; at >= cm_weights[i].weight; i++)
			at -= cm_weights[i].weight;
		op->kind = cm_weights[i].kind;
	} while (!cm_pick(m, op));
	op->nr = m->done + 1;
}

/* --------------------------------------------------------------- applying */

static void cm_data(struct cm *m, const struct cm_op *op, uint32_t first,
		    uint32_t count, bool write)
{
	struct cm_event *ev = &m->event[m->nevents++];
	struct cm_inode *di = &m->ino[op->ino];

	if (write && first + count > di->size)
		di->size = first + count;
	*ev = (struct cm_event){
		.id = di->id, .op = op->nr, .first = first, .count = count,
		.size = di->size, .write = write,
	};
}

static void cm_make(struct cm *m, const struct cm_op *op, int type)
{
	char target[CM_PATH_MAX * 2];
	struct cm_inode *di;
	int i;

	for (i = 0; m->ino[i].type != CM_FREE; i++)
		;
	di = &m->ino[i];
	memset(di, 0, sizeof(*di));
	di->type = type;
	di->mode = type == CM_DIR ? 0755 : type == CM_LINK ? 0777 : 0644;
	di->nlink = 1;
	di->id = op->nr;
	di->touched = op->nr;
	di->parent = op->dir[0];
	cm_no_names(di);
	if (type == CM_LINK) {
		cm_target(op, target);
		di->target = cm_hash(CM_HASH_INIT, target, op->arg);
	}
	m->ino[op->dir[0]].ent[op->name[0]] = i;
}

static void cm_drop(struct cm *m, int ino, uint32_t nr)
{
	struct cm_inode *di = &m->ino[ino];

	di->touched = nr;
	if (!--di->nlink)
		di->type = CM_FREE;
}

/* Also an exchange, where something moves the other way. */
static void cm_rename(struct cm *m, const struct cm_op *op)
{
	int16_t *from = &m->ino[op->dir[0]].ent[op->name[0]];
	int16_t *to = &m->ino[op->dir[1]].ent[op->name[1]];
	int over = *to;

	*to = op->ino;
	*from = -1;
	m->ino[op->ino].parent = op->dir[1];
	m->ino[op->ino].touched = op->nr;
	if (over < 0)
		return;
	if (op->kind == CM_EXCHANGE) {
		*from = over;
		m->ino[over].parent = op->dir[0];
		m->ino[over].touched = op->nr;
	} else {
		cm_drop(m, over, op->nr);
	}
}

static void cm_set_xattr(struct cm *m, const struct cm_op *op)
{
	uint8_t value[CM_VALUE_MAX];
	uint64_t *x = &m->ino[op->ino].xattr[op->name[1]];

	*x = 0;
	if (op->kind == CM_SETXATTR) {
		cm_value(op, value);
		*x = cm_hash(CM_HASH_INIT, value, op->arg);
	}
}

static void cm_truncate(struct cm *m, const struct cm_op *op)
{
	m->ino[op->ino].size = op->first;
	cm_data(m, op, op->first, CM_SECTORS - op->first, false);
}

static void cm_names_synced(struct cm *m, uint32_t nr)
{
	if (m->synced < nr)
		m->synced = nr;
}

static void cm_sync_all(struct cm *m, uint32_t nr)
{
	int i;

	cm_names_synced(m, nr);
	for (i = 0; i < CM_INODES; i++)
		if (m->ino[i].type == CM_FILE)
			m->data_synced[m->ino[i].id] = nr;
}

static void cm_apply_names(struct cm *m, const struct cm_op *op)
{
	switch (op->kind) {
	case CM_CREATE:
		cm_make(m, op, CM_FILE);
		break;
	case CM_MKDIR:
		cm_make(m, op, CM_DIR);
		break;
	case CM_SYMLINK:
		cm_make(m, op, CM_LINK);
		break;
	case CM_UNLINK:
	case CM_RMDIR:
		m->ino[op->dir[0]].ent[op->name[0]] = -1;
		cm_drop(m, op->ino, op->nr);
		break;
	case CM_RENAME:
	case CM_EXCHANGE:
		cm_rename(m, op);
		break;
	case CM_HARDLINK:
		m->ino[op->dir[1]].ent[op->name[1]] = op->ino;
		m->ino[op->ino].nlink++;
		m->ino[op->ino].touched = op->nr;
		break;
	}
	/* A new link leaves the directory of the other name as it is. */
	if (op->kind != CM_HARDLINK)
		m->ino[op->dir[0]].touched = op->nr;
	if (op->kind >= CM_RENAME)
		m->ino[op->dir[1]].touched = op->nr;
}

static void cm_apply_inode(struct cm *m, const struct cm_op *op)
{
	struct cm_inode *di = &m->ino[op->ino];

	di->touched = op->nr;
	switch (op->kind) {
	case CM_CHMOD:
		di->mode = op->arg;
		break;
	case CM_SETXATTR:
	case CM_RMXATTR:
		cm_set_xattr(m, op);
		break;
	case CM_TRUNCATE:
		cm_truncate(m, op);
		break;
	}
}

void cm_apply(struct cm *m, const struct cm_op *op)
{
	switch (op->kind) {
	case CM_WRITE:
		cm_data(m, op, op->first, op->count, true);
		break;
	case CM_PUNCH:
		cm_data(m, op, op->first, op->count, false);
		break;
	case CM_PREALLOC:
		break;
	case CM_FSYNC:
		cm_names_synced(m, m->ino[op->ino].touched);
		m->data_synced[m->ino[op->ino].id] = op->nr;
		break;
	case CM_FDATASYNC:
		m->data_synced[m->ino[op->ino].id] = op->nr;
		break;
	case CM_FSYNCDIR:
		cm_names_synced(m, m->ino[op->dir[0]].touched);
		break;
	case CM_SYNC:
		cm_sync_all(m, op->nr);
		break;
	case CM_CHMOD:
	case CM_SETXATTR:
	case CM_RMXATTR:
	case CM_TRUNCATE:
		cm_apply_inode(m, op);
		break;
	default:
		cm_apply_names(m, op);
	}
	m->done = op->nr;
}

/* ---------------------------------------------------------------- digests */

void cm_digest_name(uint64_t *h, const char *name, int type, unsigned int mode,
		    uint32_t number, uint64_t target, const uint64_t *xattr)
{
	uint64_t v[3] = { (uint64_t)type << 32 | mode, number, target };

	*h = cm_hash(*h, name, strlen(name) + 1);
	*h = cm_hash(*h, v, sizeof(v));
	*h = cm_hash(*h, xattr, CM_XATTRS * sizeof(*xattr));
}

void cm_digest_up(uint64_t *h)
{
	*h = cm_hash(*h, "/", 1);
}

/* A file is numbered when it is met first, so that other names tell. */
struct cm_walk {
	const struct cm *m;
	uint64_t h;
	uint32_t count;
	uint32_t number[CM_INODES];
	char	name[CM_NAMES][CM_NAME_MAX + 1];
};

static void cm_digest_dir(struct cm_walk *w, int dir)
{
	const struct cm_inode *di;
	int i, ino;

	for (i = 0; i < CM_NAMES; i++) {
		ino = w->m->ino[dir].ent[i];
		if (ino < 0)
			continue;
		di = &w->m->ino[ino];
		if (!w->number[ino])
			w->number[ino] = ++w->count;
		cm_digest_name(&w->h, w->name[i], di->type, di->mode,
			       w->number[ino], di->target, di->xattr);
		if (di->type == CM_DIR)
			cm_digest_dir(w, ino);
	}
	cm_digest_up(&w->h);
}

uint64_t cm_digest(const struct cm *m)
{
	struct cm_walk w = { .m = m, .h = CM_HASH_INIT };
	int i;

	for (i = 0; i < CM_NAMES; i++)
		cm_name(i, w.name[i]);
	cm_digest_dir(&w, CM_ROOT);
	return w.h;
}

/* --------------------------------------------------------------- checking */

const char *cm_check_size(const struct cm *synced, const struct cm *last,
			  uint32_t id, uint64_t bytes)
{
	uint64_t low = 0, high = 0;
	const struct cm_event *ev;
	uint32_t i, base = synced->data_synced[id];

	for (i = 0; i < last->nevents; i++) {
		ev = &last->event[i];
		if (ev->id != id)
			continue;
		if (ev->op <= base) {
			low = ev->size;
			high = ev->size;
		}
		low = ev->size < low ? ev->size : low;
		high = ev->size > high ? ev->size : high;
	}
	if (bytes < low * CM_SECTOR)
		return "it is shorter than what was synced";
	return bytes > high * CM_SECTOR ? "it is too long" : NULL;
}

static bool cm_covers(const struct cm_event *ev, uint32_t id, uint32_t sector)
{
	return ev->id == id && sector >= ev->first &&
	       sector < (uint32_t)ev->first + ev->count;
}

/* May the sector hold what operation @op wrote, or zeroes (0)? */
static bool cm_sector_may_be(const struct cm *synced, const struct cm *last,
			     uint32_t id, uint32_t sector, uint32_t op)
{
	uint32_t i, base = synced->data_synced[id];
	const struct cm_event *ev;
	bool may = !op;

	for (i = 0; i < last->nevents; i++) {
		ev = &last->event[i];
		if (!cm_covers(ev, id, sector))
			continue;
		/* Once synced, it is what it was. */
		if (ev->op <= base)
			may = false;
		may |= (ev->write ? ev->op : 0) == op;
	}
	return may;
}

const char *cm_check_sector(const struct cm *synced, const struct cm *last,
			    uint32_t id, uint32_t sector, const uint8_t *data)
{
	uint8_t want[CM_SECTOR] = { 0 };
	uint64_t word[2];
	uint32_t op;

	memcpy(word, data, sizeof(word));
	op = (uint32_t)word[1];
	if (op)
		cm_sector(last->seed, id, op, sector, want);
	if (memcmp(want, data, CM_SECTOR))
		return "a sector holds what was never written there";
	if (cm_sector_may_be(synced, last, id, sector, op))
		return NULL;
	return op ? "a sector is older than what was synced" :
		    "a sector is zero that was written and synced";
}

// SPDX-License-Identifier: GPL-2.0
/*
 * Extended attributes: entries in the inode and in a chain of blocks, found
 * by looking at all of them. Changes are prepared as far as they can fail,
 * then made.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include "xattr.h"

static u32 vexfs_xattr_value_blocks(const struct vexfs_xattr_entry *e)
{
	return DIV_ROUND_UP(le32_to_cpu(e->xe_value_len), VEXFS_XVALUE_SPACE);
}

/* Length of the runs in [p, end), or 0 when they are not those of @blocks. */
static u32 vexfs_xattr_runs_len(const u8 *p, const u8 *end, u32 blocks)
{
	struct vexfs_xattr_remote run;
	u32 n, len;

	for (n = 1; n <= VEXFS_XATTR_RUNS; n++) {
		if (end - p < sizeof(run))
			return 0;
		memcpy(&run, p, sizeof(run));
		p += sizeof(run);
		len = le32_to_cpu(run.xr_blocks);
		if (!len || len > blocks)
			return 0;
		blocks -= len;
		if (!blocks)
			return n * sizeof(run);
	}
	return 0;
}

static bool vexfs_xattr_name_valid(const struct vexfs_xattr_entry *e)
{
	switch (e->xe_index) {
	case VEXFS_XATTR_USER:
	case VEXFS_XATTR_TRUSTED:
	case VEXFS_XATTR_SECURITY:
		return e->xe_name_len && !memchr(e->xe_data, 0, e->xe_name_len);
	case VEXFS_XATTR_ACL_ACCESS:
	case VEXFS_XATTR_ACL_DEFAULT:
		return !e->xe_name_len;
	default:
		return false;
	}
}

const char *vexfs_xattr_parse(const u8 *data, u32 used, u32 off,
			      struct vexfs_xattr_ent *ent)
{
	const struct vexfs_xattr_entry *e = (const void *)(data + off);
	u32 left = used - off, body, flags;

	if (left < sizeof(*e) || left - sizeof(*e) < e->xe_name_len)
		return "xattr entry is cut off";
	if (!vexfs_xattr_name_valid(e))
		return "bad name of an xattr";
	flags = le16_to_cpu(e->xe_flags);
	ent->value_len = le32_to_cpu(e->xe_value_len);
	if (ent->value_len > VEXFS_XATTR_MAX_VALUE)
		return "xattr value is too long";
	if (flags & ~VEXFS_XATTR_REMOTE)
		return "unknown xattr flags";
	ent->off = off;
	ent->index = e->xe_index;
	ent->name_len = e->xe_name_len;
	ent->name = e->xe_data;
	ent->body = e->xe_data + e->xe_name_len;
	ent->nruns = 0;
	body = ent->value_len;
	if (flags & VEXFS_XATTR_REMOTE) {
		body = vexfs_xattr_runs_len(ent->body, data + used,
					    vexfs_xattr_value_blocks(e));
		if (!body)
			return "bad runs of an xattr value";
		ent->nruns = body / sizeof(struct vexfs_xattr_remote);
	}
	ent->len = vexfs_xattr_len(ent->name_len, body);
	return ent->len > left ? "xattr entry is cut off" : NULL;
}

void vexfs_xattr_runs(const struct vexfs_xattr_ent *ent,
		      struct vexfs_xattr_value *val)
{
	val->nruns = ent->nruns;
	memcpy(val->run, ent->body, ent->nruns * sizeof(val->run[0]));
}

const char *vexfs_verify_xattrs(struct vexfs_fs *fs, const void *data,
				u32 used)
{
	struct vexfs_xattr_value val;
	struct vexfs_xattr_ent ent;
	const char *why;
	u32 off, i;
	u64 bno;

	for (off = 0; off < used; off += ent.len) {
		why = vexfs_xattr_parse(data, used, off, &ent);
		if (why)
			return why;
		vexfs_xattr_runs(&ent, &val);
		for (i = 0; i < val.nruns; i++) {
			bno = le64_to_cpu(val.run[i].xr_block);
			if ((bno & (fs->geom.cluster_blocks - 1)) ||
			    !vexfs_block_valid(fs, bno,
					       le32_to_cpu(val.run[i].xr_blocks)))
				return "xattr value leaves the data area";
		}
	}
	return NULL;
}

/* Where entries are: the inode itself, or a block of the chain. */
struct vexfs_xattr_area {
	struct vexfs_buf *buf;		/* NULL: the inode */
	u8	*data;
	u32	used;
	u32	space;
};

struct vexfs_xattr_view {
	struct vexfs_node *n;
	u32	count;
	struct vexfs_xattr_area area[1 + VEXFS_XATTR_BLOCKS];
};

static void vexfs_xattr_close(struct vexfs_xattr_view *v)
{
	while (v->count > 1)
		vexfs_buf_put(v->area[--v->count].buf);
}

static int vexfs_xattr_open_block(struct vexfs_xattr_view *v, u64 bno,
				  u64 *next)
{
	struct vexfs_node *n = v->n;
	struct vexfs_xattr_area *a = &v->area[v->count];
	struct vexfs_xattr_block *xb;

	if (v->count == ARRAY_SIZE(v->area))
		return VEXFS_CORRUPTED(n->fs, n->ino, bno,
				       "xattr chain is too long");
	a->buf = vexfs_meta_read(n->fs, bno, VEXFS_MAGIC_XATTR, n->ino,
				 n->generation);
	if (IS_ERR(a->buf))
		return PTR_ERR(a->buf);
	v->count++;
	xb = vexfs_buf_data(a->buf);
	a->data = xb->xb_data;
	a->space = VEXFS_XATTR_SPACE;
	a->used = min_t(u32, le32_to_cpu(xb->xb_used), VEXFS_XATTR_SPACE);
	*next = le64_to_cpu(xb->xb_next);
	return 0;
}

/* [n->map_sem] */
static int vexfs_xattr_open(struct vexfs_xattr_view *v, struct vexfs_node *n)
{
	u64 bno = n->xattr_block;
	int err = 0;

	v->n = n;
	v->count = 1;
	v->area[0].buf = NULL;
	v->area[0].data = n->xattr_inline;
	v->area[0].used = n->xattr_len;
	v->area[0].space = VEXFS_INLINE_XATTR;
	while (bno && !err)
		err = vexfs_xattr_open_block(v, bno, &bno);
	if (err)
		vexfs_xattr_close(v);
	return err;
}

static int vexfs_xattr_ent_at(const struct vexfs_xattr_view *v, u32 area,
			      u32 off, struct vexfs_xattr_ent *ent)
{
	const struct vexfs_xattr_area *a = &v->area[area];
	const char *why = vexfs_xattr_parse(a->data, a->used, off, ent);
	u64 bno = a->buf ? vexfs_buf_bno(a->buf) : 0;

	if (!why)
		return 0;
	return VEXFS_CORRUPTED(v->n->fs, v->n->ino, bno, why);
}

/* 1: found; *area and @ent say where. */
static int vexfs_xattr_find(const struct vexfs_xattr_view *v,
			    const struct vexfs_xattr_name *name, u32 *area,
			    struct vexfs_xattr_ent *ent)
{
	u32 off;
	int err;

	for (*area = 0; *area < v->count; (*area)++) {
		for (off = 0; off < v->area[*area].used; off += ent->len) {
			err = vexfs_xattr_ent_at(v, *area, off, ent);
			if (err)
				return err;
			if (ent->index == name->index &&
			    ent->name_len == name->len &&
			    !memcmp(ent->name, name->name, name->len))
				return 1;
		}
	}
	return 0;
}

static int vexfs_xattr_copy(struct vexfs_node *n,
			    const struct vexfs_xattr_ent *ent, void *value,
			    size_t size)
{
	int err = 0;

	if (!size)
		return ent->value_len;
	if (size < ent->value_len)
		return -ERANGE;
	if (ent->nruns)
		err = vexfs_xvalue_read(n, ent, value);
	else
		memcpy(value, ent->body, ent->value_len);
	return err ? err : ent->value_len;
}

int vexfs_xattr_get(struct vexfs_node *n, const struct vexfs_xattr_name *name,
		    void *value, size_t size)
{
	struct vexfs_xattr_view v;
	struct vexfs_xattr_ent ent;
	u32 area;
	int ret;

	down_read(&n->map_sem);
	ret = vexfs_xattr_open(&v, n);
	if (!ret) {
		ret = vexfs_xattr_find(&v, name, &area, &ent);
		if (!ret)
			ret = -ENODATA;
		else if (ret > 0)
			ret = vexfs_xattr_copy(n, &ent, value, size);
		vexfs_xattr_close(&v);
	}
	up_read(&n->map_sem);
	return ret;
}

int vexfs_xattr_list(struct vexfs_node *n, vexfs_xattr_actor actor, void *arg)
{
	struct vexfs_xattr_name name;
	struct vexfs_xattr_ent ent;
	struct vexfs_xattr_view v;
	u32 area, off;
	int err;

	down_read(&n->map_sem);
	err = vexfs_xattr_open(&v, n);
	if (err)
		goto out_unlock;
	for (area = 0; !err && area < v.count; area++) {
		for (off = 0; off < v.area[area].used; off += ent.len) {
			err = vexfs_xattr_ent_at(&v, area, off, &ent);
			if (err)
				break;
			name.index = ent.index;
			name.name = ent.name;
			name.len = ent.name_len;
			err = actor(arg, &name, ent.value_len);
			if (err)
				break;
		}
	}
	vexfs_xattr_close(&v);
out_unlock:
	up_read(&n->map_sem);
	return err;
}

/* What is to be done to an attribute. */
struct vexfs_xattr_change {
	struct vexfs_trans *t;
	struct vexfs_xattr_view v;
	const struct vexfs_xattr_name *name;
	const u8 *value;		/* NULL: it is to go */
	u32	size;
	u32	len;			/* of the new entry */
	struct vexfs_xattr_value val;	/* new blocks, if it is remote */
	bool	exists;
	u32	old_area;
	struct vexfs_xattr_ent old;
	struct vexfs_xattr_value old_val;
};

/* Writes the new value's blocks, if it gets any, and sizes the entry. */
static int vexfs_xattr_new_value(struct vexfs_xattr_change *c)
{
	u32 body = c->size;
	int err;

	if (c->size > VEXFS_XATTR_MAX_LOCAL) {
		err = vexfs_xvalue_write(c->t, c->v.n, c->value, c->size,
					 &c->val);
		if (err)
			return err;
		body = c->val.nruns * sizeof(c->val.run[0]);
	}
	c->len = vexfs_xattr_len(c->name->len, body);
	return 0;
}

/* A new block at the head of the chain. */
static int vexfs_xattr_add_block(struct vexfs_xattr_change *c)
{
	struct vexfs_node *n = c->v.n;
	struct vexfs_xattr_area *a = &c->v.area[c->v.count];
	struct vexfs_xattr_block *xb;
	u64 cluster;
	u32 len = 1;
	int err;

	if (c->v.count == ARRAY_SIZE(c->v.area))
		return -ENOSPC;
	err = vexfs_node_alloc(c->t, n,
			       n->goal ?: vexfs_ino_group_goal(n->fs, n->ino),
			       0, &cluster, &len);
	if (err)
		return err;
	a->buf = vexfs_buf_get(n->fs, vexfs_cluster_to_block(&n->fs->geom,
							     cluster));
	if (IS_ERR(a->buf)) {
		vexfs_node_free(c->t, n, cluster, 1);
		return PTR_ERR(a->buf);
	}
	err = vexfs_trans_create(c->t, a->buf);
	if (err) {
		vexfs_node_free(c->t, n, cluster, 1);
		vexfs_buf_put(a->buf);
		return err;
	}
	vexfs_meta_init(n->fs, a->buf, VEXFS_MAGIC_XATTR, n->ino,
			n->generation);
	xb = vexfs_buf_data(a->buf);
	xb->xb_refcount = cpu_to_le32(1);
	xb->xb_next = cpu_to_le64(n->xattr_block);
	a->data = xb->xb_data;
	a->used = 0;
	a->space = VEXFS_XATTR_SPACE;
	n->xattr_block = vexfs_buf_bno(a->buf);
	c->v.count++;
	return 0;
}

/* The area for the new entry: where the old one leaves room, or any. */
static int vexfs_xattr_place(struct vexfs_xattr_change *c, u32 *area)
{
	const struct vexfs_xattr_area *a;
	u32 room;
	int err;

	for (*area = 0; *area < c->v.count; (*area)++) {
		a = &c->v.area[*area];
		room = a->space - a->used;
		if (c->exists && *area == c->old_area)
			room += c->old.len;
		if (room >= c->len)
			return a->buf ? vexfs_trans_write(c->t, a->buf) : 0;
	}
	err = vexfs_xattr_add_block(c);
	*area = c->v.count - 1;
	return err;
}

static int vexfs_xattr_used(struct vexfs_xattr_change *c, u32 area, u32 used)
{
	struct vexfs_xattr_area *a = &c->v.area[area];
	struct vexfs_xattr_block *xb;

	a->used = used;
	if (!a->buf) {
		c->v.n->xattr_len = used;
		return 0;
	}
	xb = vexfs_buf_data(a->buf);
	xb->xb_used = cpu_to_le32(used);
	vexfs_meta_csum(c->v.n->fs, a->buf);
	return vexfs_trans_dirty(c->t, a->buf);
}

static int vexfs_xattr_cut(struct vexfs_xattr_change *c, u32 area, u32 off,
			   u32 len)
{
	struct vexfs_xattr_area *a = &c->v.area[area];

	memmove(a->data + off, a->data + off + len, a->used - off - len);
	memset(a->data + a->used - len, 0, len);
	return vexfs_xattr_used(c, area, a->used - len);
}

static int vexfs_xattr_append(struct vexfs_xattr_change *c, u32 area)
{
	struct vexfs_xattr_area *a = &c->v.area[area];
	struct vexfs_xattr_entry *e = (void *)(a->data + a->used);
	u8 *body = e->xe_data + c->name->len;

	memset(e, 0, c->len);
	e->xe_index = c->name->index;
	e->xe_name_len = c->name->len;
	e->xe_value_len = cpu_to_le32(c->size);
	memcpy(e->xe_data, c->name->name, c->name->len);
	if (c->val.nruns) {
		e->xe_flags = cpu_to_le16(VEXFS_XATTR_REMOTE);
		memcpy(body, c->val.run,
		       c->val.nruns * sizeof(c->val.run[0]));
	} else {
		memcpy(body, c->value, c->size);
	}
	return vexfs_xattr_used(c, area, a->used + c->len);
}

static int vexfs_xattr_unlink_block(struct vexfs_xattr_change *c, u64 bno,
				    __le64 next)
{
	struct vexfs_node *n = c->v.n;
	struct vexfs_xattr_block *xb;
	struct vexfs_buf *buf;
	int err;
	u32 i;

	if (n->xattr_block == bno) {
		n->xattr_block = le64_to_cpu(next);
		return 0;
	}
	for (i = 1; i < c->v.count; i++) {
		buf = c->v.area[i].buf;
		xb = vexfs_buf_data(buf);
		if (le64_to_cpu(xb->xb_next) != bno)
			continue;
		err = vexfs_trans_write(c->t, buf);
		if (err)
			return err;
		xb->xb_next = next;
		vexfs_meta_csum(n->fs, buf);
		return vexfs_trans_dirty(c->t, buf);
	}
	return 0;
}

/* Takes the block @area out of the chain, or leaves all as it is. */
static int vexfs_xattr_drop_block(struct vexfs_xattr_change *c, u32 area)
{
	struct vexfs_node *n = c->v.n;
	struct vexfs_buf *buf = c->v.area[area].buf;
	struct vexfs_xattr_block *xb = vexfs_buf_data(buf);
	u64 bno = vexfs_buf_bno(buf);
	__le64 next = xb->xb_next;
	int err;

	err = vexfs_node_free(c->t, n,
			      vexfs_block_to_cluster(&n->fs->geom, bno), 1);
	if (err)
		return err;
	err = vexfs_xattr_unlink_block(c, bno, next);
	return err ?: vexfs_trans_forget(c->t, n->fs, NULL, bno);
}

/* The old entry is cut out; its blocks were freed before. */
static int vexfs_xattr_cut_old(struct vexfs_xattr_change *c)
{
	struct vexfs_xattr_area *a = &c->v.area[c->old_area];
	int err = 0;

	if (!c->exists)
		return 0;
	if (a->buf)
		err = vexfs_trans_write(c->t, a->buf);
	return err ?: vexfs_xattr_cut(c, c->old_area, c->old.off, c->old.len);
}

/* An empty block may stay if it can't be freed. */
static void vexfs_xattr_drop_empty(struct vexfs_xattr_change *c, u32 area)
{
	if (c->v.area[area].buf && !c->v.area[area].used)
		vexfs_xattr_drop_block(c, area);
}

static int vexfs_xattr_replace(struct vexfs_xattr_change *c)
{
	u32 area = 0;
	int err = 0;

	c->val.nruns = 0;
	if (c->value) {
		err = vexfs_xattr_new_value(c);
		if (err)
			return err;
		err = vexfs_xattr_place(c, &area);
		if (err)
			goto out_value;
	}
	err = vexfs_xvalue_free(c->t, c->v.n, &c->old_val);
	if (err)
		goto out_block;
	err = vexfs_xattr_cut_old(c);
	if (!err && c->value)
		err = vexfs_xattr_append(c, area);
	if (!err && c->exists)
		vexfs_xattr_drop_empty(c, c->old_area);
	return err;

out_block:
	if (c->value)
		vexfs_xattr_drop_empty(c, area);
out_value:
	vexfs_xvalue_free(c->t, c->v.n, &c->val);
	return err;
}

static int vexfs_xattr_set_locked(struct vexfs_xattr_change *c,
				  unsigned int flags)
{
	int ret = vexfs_xattr_find(&c->v, c->name, &c->old_area, &c->old);

	if (ret < 0)
		return ret;
	c->exists = ret;
	if (c->exists && (flags & VEXFS_XATTR_SET_CREATE))
		return -EEXIST;
	if (!c->exists && (flags & VEXFS_XATTR_SET_REPLACE))
		return -ENODATA;
	c->old_val.nruns = 0;
	if (c->exists)
		vexfs_xattr_runs(&c->old, &c->old_val);
	return vexfs_xattr_replace(c);
}

int vexfs_xattr_set(struct vexfs_trans *t, struct vexfs_node *n,
		    const struct vexfs_xattr_name *name, const void *value,
		    size_t size, unsigned int flags)
{
	struct vexfs_xattr_change *c;
	int err;

	if (name->len > VEXFS_NAME_LEN)
		return -ERANGE;
	if (size > VEXFS_XATTR_MAX_VALUE)
		return -E2BIG;
	c = kmalloc(sizeof(*c), GFP_NOFS);
	if (!c)
		return -ENOMEM;
	c->t = t;
	c->name = name;
	c->value = value;
	c->size = size;
	down_write(&n->map_sem);
	err = vexfs_xattr_open(&c->v, n);
	if (!err) {
		err = vexfs_xattr_set_locked(c, flags);
		vexfs_xattr_close(&c->v);
	}
	up_write(&n->map_sem);
	kfree(c);
	return err;
}

/* The first value in @data that has blocks; 1 when there is one. */
static int vexfs_xattr_first_remote(struct vexfs_node *n, const u8 *data,
				    u32 used, struct vexfs_xattr_ent *ent)
{
	const char *why;
	u32 off;

	for (off = 0; off < used; off += ent->len) {
		why = vexfs_xattr_parse(data, used, off, ent);
		if (why)
			return VEXFS_CORRUPTED(n->fs, n->ino, 0, why);
		if (ent->nruns)
			return 1;
	}
	return 0;
}

/* Frees one value of the inode's own entries, or lets go of the rest. */
static int vexfs_xattr_free_inline(struct vexfs_trans *t, struct vexfs_node *n)
{
	struct vexfs_xattr_value val;
	struct vexfs_xattr_ent ent;
	int ret;

	ret = vexfs_xattr_first_remote(n, n->xattr_inline, n->xattr_len, &ent);
	if (ret < 0)
		return ret;
	if (ret) {
		vexfs_xattr_runs(&ent, &val);
		ret = vexfs_xvalue_free(t, n, &val);
		if (ret)
			return ret;
		n->xattr_len -= ent.len;
		memmove(n->xattr_inline + ent.off,
			n->xattr_inline + ent.off + ent.len,
			n->xattr_len - ent.off);
	} else {
		n->xattr_len = 0;
	}
	memset(n->xattr_inline + n->xattr_len, 0,
	       sizeof(n->xattr_inline) - n->xattr_len);
	return 0;
}

/* Frees one value of the first block in the chain, or the block. */
static int vexfs_xattr_free_head(struct vexfs_trans *t, struct vexfs_node *n)
{
	struct vexfs_xattr_change c = { .t = t, .v.n = n, .v.count = 1 };
	struct vexfs_xattr_value val;
	struct vexfs_xattr_ent ent;
	u64 next;
	int ret;

	ret = vexfs_xattr_open_block(&c.v, n->xattr_block, &next);
	if (ret)
		return ret;
	ret = vexfs_xattr_first_remote(n, c.v.area[1].data, c.v.area[1].used,
				       &ent);
	if (!ret) {
		ret = vexfs_xattr_drop_block(&c, 1);
	} else if (ret > 0) {
		vexfs_xattr_runs(&ent, &val);
		ret = vexfs_trans_write(t, c.v.area[1].buf);
		if (!ret)
			ret = vexfs_xvalue_free(t, n, &val);
		if (!ret)
			ret = vexfs_xattr_cut(&c, 1, ent.off, ent.len);
	}
	vexfs_xattr_close(&c.v);
	return ret;
}

int vexfs_xattr_free(struct vexfs_trans *t, struct vexfs_node *n, bool *more)
{
	int err = 0;

	*more = false;
	down_write(&n->map_sem);
	while (!err && (n->xattr_len || n->xattr_block)) {
		*more = vexfs_trans_credits(t) < VEXFS_XATTR_FREE_CREDITS;
		if (*more)
			break;
		err = n->xattr_len ? vexfs_xattr_free_inline(t, n) :
				     vexfs_xattr_free_head(t, n);
	}
	up_write(&n->map_sem);
	return err;
}

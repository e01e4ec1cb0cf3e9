// SPDX-License-Identifier: GPL-2.0
/*
 * Transactions in userspace, as strict as jbd2 or stricter: a change that
 * wasn't announced, a dirty mark without announcement, or one buffer more
 * than the credits say ends the program with a message.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include "libvexfs.h"
#include "vexfs_dev.h"

struct vexfs_trans {
	struct vexfs_dev *dev;
	u64 id;
	int credits;
	int used;
};

struct vexfs_trans *vexfs_trans_begin(struct vexfs_dev *dev, int credits)
{
	struct vexfs_trans *t;

	if (dev->readonly && !dev->overlaid)
		return ERR_PTR(-EROFS);
	if (dev->error)
		return ERR_PTR(dev->error);
	t = kzalloc(sizeof(*t), GFP_KERNEL);
	if (!t)
		return ERR_PTR(-ENOMEM);
	t->dev = dev;
	t->credits = credits;
	mutex_lock(&dev->lock);
	t->id = ++dev->next_handle;
	dev->handles++;
	mutex_unlock(&dev->lock);
	return t;
}

struct vexfs_dev *vexfs_trans_dev(struct vexfs_trans *t)
{
	return t->dev;
}

int vexfs_trans_credits(struct vexfs_trans *t)
{
	return t->credits - t->used;
}

/* As jbd2: a block that is metadata again is no longer revoked. */
static void vexfs_trans_unrevoke(struct vexfs_dev *dev, u64 bno)
{
	struct vexfs_bmap_node *node = vexfs_bmap_find(&dev->revoked, bno);

	if (!node)
		return;
	vexfs_bmap_remove(&dev->revoked, node);
	free(node);
}

static void vexfs_trans_note_revoke(struct vexfs_dev *dev, u64 bno)
{
	struct vexfs_bmap_node *node;

	if (!dev->wlog || vexfs_bmap_find(&dev->revoked, bno))
		return;
	node = malloc(sizeof(*node));
	if (!node)
		kshim_die(__FILE__, __LINE__, "out of memory");
	node->bno = bno;
	vexfs_bmap_insert(&dev->revoked, node);
}

static void vexfs_trans_join(struct vexfs_trans *t, struct vexfs_buf *buf)
{
	struct vexfs_dev *dev = t->dev;

	if (buf->dev != dev || buf->refs < 1)
		kshim_die(__FILE__, __LINE__, "bad buffer for a transaction");
	buf->handle = t->id;
	vexfs_trans_unrevoke(dev, buf->node.bno);
	if (buf->in_trans)
		return;
	buf->in_trans = true;
	list_add_tail(&buf->running, &dev->running);
}

int vexfs_trans_write(struct vexfs_trans *t, struct vexfs_buf *buf)
{
	mutex_lock(&t->dev->lock);
	if (!buf->uptodate)
		kshim_die(__FILE__, __LINE__, "write access before reading");
	vexfs_trans_join(t, buf);
	mutex_unlock(&t->dev->lock);
	return 0;
}

/* The old contents are spoiled, so that nobody comes to rely on them. */
int vexfs_trans_create(struct vexfs_trans *t, struct vexfs_buf *buf)
{
	mutex_lock(&t->dev->lock);
	vexfs_trans_join(t, buf);
	memset(buf->data, 0xa5, VEXFS_BLOCK_SIZE);
	buf->uptodate = true;
	buf->verified = false;
	buf->created = true;
	mutex_unlock(&t->dev->lock);
	return 0;
}

int vexfs_trans_undo(struct vexfs_trans *t, struct vexfs_buf *buf)
{
	int err = 0;

	mutex_lock(&t->dev->lock);
	if (!buf->uptodate)
		kshim_die(__FILE__, __LINE__, "undo access before reading");
	if (!buf->committed) {
		buf->committed = kmemdup(buf->data, VEXFS_BLOCK_SIZE,
					 GFP_KERNEL);
		if (!buf->committed)
			err = -ENOMEM;
	}
	if (!err)
		vexfs_trans_join(t, buf);
	mutex_unlock(&t->dev->lock);
	return err;
}

static void vexfs_trans_charge(struct vexfs_trans *t, struct vexfs_buf *buf)
{
	if (buf->charged == t->id)
		return;
	if (t->used >= t->credits) {
		fprintf(stderr,
			"block %llu is one too many for %d credits\n",
			(unsigned long long)buf->node.bno, t->credits);
		kshim_die(__FILE__, __LINE__, "transaction out of credits");
	}
	buf->charged = t->id;
	t->used++;
}

int vexfs_trans_dirty(struct vexfs_trans *t, struct vexfs_buf *buf)
{
	mutex_lock(&t->dev->lock);
	if (!buf->in_trans || buf->handle != t->id)
		kshim_die(__FILE__, __LINE__,
			  "dirty buffer was not announced by its handle");
	vexfs_trans_charge(t, buf);
	buf->dirty = true;
	buf->created = false;
	vexfs_buf_seal(buf);
	mutex_unlock(&t->dev->lock);
	return 0;
}

int vexfs_trans_dirty_meta(struct vexfs_trans *t, struct vexfs_fs *fs,
			   struct vexfs_buf *buf)
{
	vexfs_meta_csum(fs, buf);
	return vexfs_trans_dirty(t, buf);
}

/* Leaves the transaction unchanged; its contents are not to be trusted. */
static void vexfs_trans_revoke(struct vexfs_buf *buf)
{
	buf->dirty = false;
	buf->created = false;
	buf->uptodate = false;
	buf->verified = false;
}

int vexfs_trans_forget(struct vexfs_trans *t, struct vexfs_fs *fs,
		       struct vexfs_buf *buf, u64 bno)
{
	struct vexfs_dev *dev = t->dev;
	struct vexfs_buf *cached;

	if (buf && buf->node.bno != bno)
		kshim_die(__FILE__, __LINE__, "forgets another block");
	mutex_lock(&dev->lock);
	cached = vexfs_buf_cached(dev, bno);
	if (cached)
		vexfs_trans_revoke(cached);
	vexfs_trans_note_revoke(dev, bno);
	mutex_unlock(&dev->lock);
	vexfs_buf_put(buf);
	return 0;
}

static void vexfs_trans_check(struct vexfs_dev *dev, u64 id, const char *when)
{
	struct vexfs_buf *buf;

	list_for_each_entry(buf, &dev->running, running) {
		if (id && buf->handle != id)
			continue;
		if (buf->created)
			vexfs_trans_revoke(buf);
		vexfs_buf_check_seal(buf, when);
	}
}

int vexfs_trans_end(struct vexfs_trans *t)
{
	struct vexfs_dev *dev = t->dev;

	mutex_lock(&dev->lock);
	if (dev->paranoid)
		vexfs_trans_check(dev, t->id, "found as its handle ended");
	if (dev->max_credits_used < t->used)
		dev->max_credits_used = t->used;
	dev->handles--;
	mutex_unlock(&dev->lock);
	kfree(t);
	return 0;
}

int vexfs_dev_credits_used(struct vexfs_dev *dev)
{
	int used = dev->max_credits_used;

	dev->max_credits_used = 0;
	return used;
}

/* Takes the buffers out of the transaction, written or not. */
static void vexfs_dev_release_running(struct vexfs_dev *dev, bool lost)
{
	struct vexfs_buf *buf, *next;

	list_for_each_entry_safe(buf, next, &dev->running, running) {
		if (lost && buf->refs)
			kshim_die(__FILE__, __LINE__,
				  "abort with buffers held");
		list_del_init(&buf->running);
		if (lost)
			vexfs_trans_revoke(buf);
		buf->in_trans = false;
		buf->dirty = false;
		kfree(buf->committed);
		buf->committed = NULL;
		vexfs_buf_idle(buf);
	}
}

static void vexfs_revoked_free(struct vexfs_bmap_node *node)
{
	free(node);
}

static void vexfs_dev_log_revokes(struct vexfs_dev *dev)
{
	struct vexfs_bmap_node *node;
	size_t i;

	for (i = 0; i < dev->revoked.size; i++)
		for (node = dev->revoked.table[i]; node; node = node->next)
			vexfs_wlog_add_revoke(dev->wlog, node->bno);
}

static void vexfs_dev_log_commit(struct vexfs_dev *dev)
{
	struct vexfs_buf *buf;

	vexfs_wlog_add(dev->wlog, VEXFS_WLOG_COMMIT);
	list_for_each_entry(buf, &dev->running, running)
		if (buf->dirty)
			vexfs_wlog_add_write(dev->wlog, buf->node.bno,
					     buf->data);
	vexfs_dev_log_revokes(dev);
}

int vexfs_dev_commit(struct vexfs_dev *dev)
{
	struct vexfs_buf *buf;
	int err = dev->error;

	mutex_lock(&dev->lock);
	if (dev->handles)
		kshim_die(__FILE__, __LINE__, "commit with open handles");
	vexfs_trans_check(dev, 0, "found at commit");
	if (dev->wlog && !err)
		vexfs_dev_log_commit(dev);
	list_for_each_entry(buf, &dev->running, running)
		if (buf->dirty && !err)
			err = vexfs_image_write(dev, buf->node.bno, buf->data);
	vexfs_dev_release_running(dev, false);
	vexfs_bmap_destroy(&dev->revoked, vexfs_revoked_free);
	dev->commits++;
	dev->error = err;
	mutex_unlock(&dev->lock);
	return err;
}

int vexfs_trans_commit(struct vexfs_trans *t)
{
	struct vexfs_dev *dev = t->dev;

	vexfs_trans_end(t);
	return vexfs_dev_commit(dev);
}

void vexfs_dev_abort(struct vexfs_dev *dev)
{
	mutex_lock(&dev->lock);
	if (dev->handles)
		kshim_die(__FILE__, __LINE__, "abort with open handles");
	vexfs_dev_release_running(dev, true);
	vexfs_bmap_destroy(&dev->revoked, vexfs_revoked_free);
	mutex_unlock(&dev->lock);
}

/* Nothing is discarded here. */
void vexfs_trans_freed(struct vexfs_trans *t, struct vexfs_fs *fs, u64 first,
		       u64 len)
{
}

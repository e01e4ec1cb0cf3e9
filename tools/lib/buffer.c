// SPDX-License-Identifier: GPL-2.0
/*
 * The block cache of a device in userspace. A block that nobody holds and no
 * transaction has is on the LRU list, and goes when there are too many.
 *
 * A clean block is sealed: its checksum is kept, and a change that was not
 * announced to a transaction is found when the block goes, or at a commit.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include "vexfs_dev.h"

void vexfs_buf_seal(struct vexfs_buf *buf)
{
	if (buf->dev->paranoid)
		buf->crc = crc32c(~0u, buf->data, VEXFS_BLOCK_SIZE);
}

void vexfs_buf_check_seal(struct vexfs_buf *buf, const char *when)
{
	if (!buf->dev->paranoid || !buf->uptodate || buf->created ||
	    buf->crc == crc32c(~0u, buf->data, VEXFS_BLOCK_SIZE))
		return;
	fprintf(stderr, "block %llu was changed, but not marked dirty (%s)\n",
		(unsigned long long)buf->node.bno, when);
	kshim_die(__FILE__, __LINE__, "unannounced change");
}

struct vexfs_buf *vexfs_buf_cached(struct vexfs_dev *dev, u64 bno)
{
	struct vexfs_bmap_node *node = vexfs_bmap_find(&dev->cache, bno);

	return node ? container_of(node, struct vexfs_buf, node) : NULL;
}

static void vexfs_buf_evict(struct vexfs_buf *buf)
{
	struct vexfs_dev *dev = buf->dev;

	vexfs_buf_check_seal(buf, "found as it left the cache");
	list_del(&buf->lru);
	dev->cached--;
	vexfs_bmap_remove(&dev->cache, &buf->node);
	free(buf->committed);
	free(buf->data);
	free(buf);
}

static void vexfs_dev_trim(struct vexfs_dev *dev, size_t keep)
{
	while (dev->cached > keep)
		vexfs_buf_evict(list_last_entry(&dev->lru, struct vexfs_buf,
						lru));
}

/* To be called when a block may have become idle. */
void vexfs_buf_idle(struct vexfs_buf *buf)
{
	if (buf->refs || buf->in_trans || !list_empty(&buf->lru))
		return;
	list_add(&buf->lru, &buf->dev->lru);
	buf->dev->cached++;
	vexfs_dev_trim(buf->dev, buf->dev->max_cached);
}

void vexfs_dev_drop_cache(struct vexfs_dev *dev)
{
	mutex_lock(&dev->lock);
	vexfs_dev_trim(dev, 0);
	mutex_unlock(&dev->lock);
}

size_t vexfs_dev_referenced(struct vexfs_dev *dev)
{
	struct vexfs_bmap_node *node;
	size_t i, n = 0;

	mutex_lock(&dev->lock);
	for (i = 0; i < dev->cache.size; i++)
		for (node = dev->cache.table[i]; node; node = node->next)
			if (container_of(node, struct vexfs_buf, node)->refs)
				n++;
	mutex_unlock(&dev->lock);
	return n;
}

static struct vexfs_buf *vexfs_buf_new(struct vexfs_dev *dev, u64 bno)
{
	struct vexfs_buf *buf = kzalloc(sizeof(*buf), GFP_KERNEL);

	if (!buf)
		return NULL;
	buf->data = kzalloc(VEXFS_BLOCK_SIZE, GFP_KERNEL);
	if (!buf->data) {
		kfree(buf);
		return NULL;
	}
	buf->dev = dev;
	buf->node.bno = bno;
	INIT_LIST_HEAD(&buf->lru);
	INIT_LIST_HEAD(&buf->running);
	vexfs_bmap_insert(&dev->cache, &buf->node);
	return buf;
}

static struct vexfs_buf *vexfs_buf_grab(struct vexfs_dev *dev, u64 bno)
{
	struct vexfs_buf *buf;

	if (bno >= dev->blocks)
		return ERR_PTR(-EIO);
	buf = vexfs_buf_cached(dev, bno);
	if (!buf)
		buf = vexfs_buf_new(dev, bno);
	if (!buf)
		return ERR_PTR(-ENOMEM);
	if (!list_empty(&buf->lru)) {
		list_del_init(&buf->lru);
		dev->cached--;
	}
	buf->refs++;
	return buf;
}

static void vexfs_buf_drop(struct vexfs_buf *buf)
{
	if (buf->refs < 1)
		kshim_die(__FILE__, __LINE__, "buffer put too often");
	buf->refs--;
	vexfs_buf_idle(buf);
}

struct vexfs_buf *vexfs_buf_get(struct vexfs_fs *fs, u64 bno)
{
	struct vexfs_dev *dev = fs->dev;
	struct vexfs_buf *buf;

	mutex_lock(&dev->lock);
	buf = vexfs_buf_grab(dev, bno);
	mutex_unlock(&dev->lock);
	return buf;
}

struct vexfs_buf *vexfs_buf_read(struct vexfs_fs *fs, u64 bno)
{
	struct vexfs_dev *dev = fs->dev;
	struct vexfs_buf *buf;
	int err;

	mutex_lock(&dev->lock);
	buf = vexfs_buf_grab(dev, bno);
	if (!IS_ERR(buf) && !buf->uptodate) {
		err = vexfs_dev_read(dev, bno, buf->data);
		if (err) {
			vexfs_buf_drop(buf);
			buf = ERR_PTR(err);
		} else {
			buf->uptodate = true;
			buf->verified = false;
			vexfs_buf_seal(buf);
		}
	}
	mutex_unlock(&dev->lock);
	return buf;
}

void vexfs_buf_put(struct vexfs_buf *buf)
{
	struct vexfs_dev *dev;

	if (!buf)
		return;
	dev = buf->dev;
	mutex_lock(&dev->lock);
	vexfs_buf_drop(buf);
	mutex_unlock(&dev->lock);
}

void *vexfs_buf_data(struct vexfs_buf *buf)
{
	return buf->data;
}

u64 vexfs_buf_bno(struct vexfs_buf *buf)
{
	return buf->node.bno;
}

bool vexfs_buf_verified(struct vexfs_buf *buf)
{
	return READ_ONCE(buf->verified);
}

void vexfs_buf_set_verified(struct vexfs_buf *buf)
{
	WRITE_ONCE(buf->verified, true);
}

bool vexfs_buf_committed_clear(struct vexfs_buf *buf, u32 bit, u32 len)
{
	return !buf->committed ||
	       find_next_bit_le(buf->committed, bit + len, bit) >= bit + len;
}

/* A commit begins and ends at once here: the copy is never older than that. */
void vexfs_buf_committed_set(struct vexfs_buf *buf, u32 bit, u32 len)
{
}

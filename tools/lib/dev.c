// SPDX-License-Identifier: GPL-2.0
/*
 * Devices in userspace: opening, the image, closing with a leak check.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include "vexfs_dev.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* A block of a memory image */
struct vexfs_page {
	struct vexfs_bmap_node node;
	u8 data[VEXFS_BLOCK_SIZE] __aligned(8);
};

static struct vexfs_dev *vexfs_dev_new(u64 bytes)
{
	struct vexfs_dev *dev = calloc(1, sizeof(*dev));

	if (!dev)
		return ERR_PTR(-ENOMEM);
	mutex_init(&dev->lock);
	INIT_LIST_HEAD(&dev->lru);
	INIT_LIST_HEAD(&dev->running);
	dev->blocks = bytes >> VEXFS_BLOCK_SHIFT;
	dev->max_cached = 16384;
	dev->fd = -1;
	return dev;
}

struct vexfs_dev *vexfs_dev_fd(int fd, u64 bytes, bool readonly)
{
	struct vexfs_dev *dev = vexfs_dev_new(bytes);

	if (IS_ERR(dev))
		return dev;
	dev->fd = fd;
	dev->readonly = readonly;
	return dev;
}

/* Tests use these: they want every check there is. */
struct vexfs_dev *vexfs_dev_mem(u64 bytes)
{
	struct vexfs_dev *dev = vexfs_dev_new(bytes);

	if (!IS_ERR(dev))
		dev->paranoid = true;
	return dev;
}

static int vexfs_fd_size(int fd, u64 *bytes)
{
	struct stat st;

	if (fstat(fd, &st))
		return -errno;
	if (S_ISBLK(st.st_mode))
		return ioctl(fd, BLKGETSIZE64, bytes) ? -errno : 0;
	if (!S_ISREG(st.st_mode))
		return -ENOTBLK;
	*bytes = (u64)st.st_size;
	return 0;
}

/*
 * An error of a write before the device was opened, which nobody has asked for
 * yet, would be told by the first fsync here: it is no error of ours.
 */
static void vexfs_fd_forget_errors(int fd)
{
	if (fsync(fd))
		errno = 0;
}

struct vexfs_dev *vexfs_dev_open(const char *path, int oflags)
{
	struct vexfs_dev *dev;
	u64 bytes;
	int fd, err;

	fd = open(path, oflags | O_CLOEXEC);
	if (fd < 0)
		return ERR_PTR(-errno);
	err = vexfs_fd_size(fd, &bytes);
	if ((oflags & O_ACCMODE) != O_RDONLY)
		vexfs_fd_forget_errors(fd);
	dev = err ? ERR_PTR(err) :
		    vexfs_dev_fd(fd, bytes, (oflags & O_ACCMODE) == O_RDONLY);
	if (IS_ERR(dev))
		close(fd);
	return dev;
}

static void vexfs_page_free(struct vexfs_bmap_node *node)
{
	free(container_of(node, struct vexfs_page, node));
}

static void vexfs_buf_free_node(struct vexfs_bmap_node *node)
{
	struct vexfs_buf *buf = container_of(node, struct vexfs_buf, node);

	if (buf->refs) {
		fprintf(stderr, "block %llu: %d references left\n",
			(unsigned long long)node->bno, buf->refs);
		kshim_die(__FILE__, __LINE__, "buffer leak");
	}
	if (!buf->in_trans)
		vexfs_buf_check_seal(buf, "at close");
	free(buf->committed);
	free(buf->data);
	free(buf);
}

static void vexfs_revoked_free(struct vexfs_bmap_node *node)
{
	free(node);
}

int vexfs_dev_close(struct vexfs_dev *dev)
{
	int err = 0;

	if (dev->handles)
		kshim_die(__FILE__, __LINE__, "device closed under a handle");
	vexfs_bmap_destroy(&dev->cache, vexfs_buf_free_node);
	vexfs_bmap_destroy(&dev->revoked, vexfs_revoked_free);
	vexfs_bmap_destroy(&dev->overlay, vexfs_page_free);
	vexfs_bmap_destroy(&dev->image, vexfs_page_free);
	if (dev->fd >= 0 && close(dev->fd))
		err = -errno;
	mutex_destroy(&dev->lock);
	free(dev);
	return err;
}

int vexfs_dev_sync(struct vexfs_dev *dev)
{
	if (dev->fail.sync && --dev->fail.sync == 0)
		return -EIO;
	if (dev->wlog)
		vexfs_wlog_add(dev->wlog, VEXFS_WLOG_FLUSH);
	if (dev->fd >= 0 && !dev->readonly && fsync(dev->fd))
		return -errno;
	return 0;
}

static struct vexfs_page *vexfs_map_page(const struct vexfs_bmap *map, u64 bno)
{
	struct vexfs_bmap_node *node = vexfs_bmap_find(map, bno);

	return node ? container_of(node, struct vexfs_page, node) : NULL;
}

static int vexfs_pread(int fd, u8 *data, u64 off)
{
	size_t done = 0;
	ssize_t n;

	while (done < VEXFS_BLOCK_SIZE) {
		n = pread(fd, data + done, VEXFS_BLOCK_SIZE - done,
			  (off_t)(off + done));
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			return -EIO;
		done += (size_t)n;
	}
	return 0;
}

static int vexfs_pwrite(int fd, const u8 *data, u64 off)
{
	size_t done = 0;
	ssize_t n;

	while (done < VEXFS_BLOCK_SIZE) {
		n = pwrite(fd, data + done, VEXFS_BLOCK_SIZE - done,
			   (off_t)(off + done));
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		done += (size_t)n;
	}
	return 0;
}

int vexfs_dev_read_below(struct vexfs_dev *dev, u64 bno, void *data)
{
	struct vexfs_page *page;

	if (bno >= dev->blocks)
		return -EIO;
	dev->reads++;
	if (dev->fail.read && --dev->fail.read == 0)
		return -EIO;
	if (dev->fd >= 0)
		return vexfs_pread(dev->fd, data, bno << VEXFS_BLOCK_SHIFT);
	page = vexfs_map_page(&dev->image, bno);
	if (page)
		memcpy(data, page->data, VEXFS_BLOCK_SIZE);
	else
		memset(data, 0, VEXFS_BLOCK_SIZE);
	return 0;
}

int vexfs_dev_read(struct vexfs_dev *dev, u64 bno, void *data)
{
	struct vexfs_page *page = vexfs_map_page(&dev->overlay, bno);

	if (!page)
		return vexfs_dev_read_below(dev, bno, data);
	memcpy(data, page->data, VEXFS_BLOCK_SIZE);
	return 0;
}

static int vexfs_page_store(struct vexfs_bmap *map, u64 bno, const void *data)
{
	struct vexfs_page *page = vexfs_map_page(map, bno);

	if (!page) {
		page = malloc(sizeof(*page));
		if (!page)
			return -ENOMEM;
		page->node.bno = bno;
		vexfs_bmap_insert(map, &page->node);
	}
	memcpy(page->data, data, VEXFS_BLOCK_SIZE);
	return 0;
}

static int vexfs_store(struct vexfs_dev *dev, u64 bno, const void *data)
{
	dev->writes++;
	if (dev->fail.write && --dev->fail.write == 0)
		return -EIO;
	if (dev->fd >= 0)
		return vexfs_pwrite(dev->fd, data, bno << VEXFS_BLOCK_SHIFT);
	return vexfs_page_store(&dev->image, bno, data);
}

int vexfs_image_write(struct vexfs_dev *dev, u64 bno, const void *data)
{
	if (bno >= dev->blocks)
		return -EIO;
	if (dev->overlaid)
		return vexfs_page_store(&dev->overlay, bno, data);
	if (dev->readonly)
		return -EROFS;
	return vexfs_store(dev, bno, data);
}

void vexfs_dev_overlay(struct vexfs_dev *dev)
{
	dev->overlaid = true;
}

void vexfs_dev_discard(struct vexfs_dev *dev)
{
	vexfs_bmap_destroy(&dev->overlay, vexfs_page_free);
	dev->overlaid = false;
}

size_t vexfs_dev_pending(const struct vexfs_dev *dev)
{
	return dev->overlay.count;
}

static int vexfs_page_cmp(const void *a, const void *b)
{
	const struct vexfs_page *const *x = a, *const *y = b;

	return (*x)->node.bno < (*y)->node.bno ? -1 : 1;
}

/* The pages of blocks [from, to), sorted; how many in *n. */
static struct vexfs_page **vexfs_pending_pages(struct vexfs_dev *dev, u64 from,
					       u64 to, size_t *n)
{
	struct vexfs_page **page = calloc(dev->overlay.count + 1,
					  sizeof(*page));
	struct vexfs_bmap_node *node;
	size_t i;

	*n = 0;
	for (i = 0; page && i < dev->overlay.size; i++)
		for (node = dev->overlay.table[i]; node; node = node->next)
			if (node->bno >= from && node->bno < to)
				page[(*n)++] = container_of(node,
							    struct vexfs_page,
							    node);
	if (page)
		qsort(page, *n, sizeof(*page), vexfs_page_cmp);
	return page;
}

int vexfs_dev_flush(struct vexfs_dev *dev, u64 from, u64 to)
{
	struct vexfs_page **page;
	size_t n, i;
	int err = 0;

	if (dev->readonly)
		return -EROFS;
	page = vexfs_pending_pages(dev, from, to, &n);
	if (!page)
		return -ENOMEM;
	for (i = 0; i < n && !err; i++) {
		err = vexfs_store(dev, page[i]->node.bno, page[i]->data);
		if (err)
			break;
		vexfs_bmap_remove(&dev->overlay, &page[i]->node);
		free(page[i]);
	}
	free(page);
	return err;
}

int vexfs_dev_write(struct vexfs_dev *dev, u64 bno, const void *data)
{
	struct vexfs_buf *buf;
	int err;

	mutex_lock(&dev->lock);
	buf = vexfs_buf_cached(dev, bno);
	if (buf && (buf->in_trans || buf->refs))
		kshim_die(__FILE__, __LINE__, "write past the cache");
	if (buf) {
		buf->uptodate = false;
		buf->verified = false;
	}
	if (dev->wlog) {
		vexfs_wlog_add(dev->wlog, VEXFS_WLOG_DATA);
		vexfs_wlog_add_write(dev->wlog, bno, data);
	}
	err = vexfs_image_write(dev, bno, data);
	mutex_unlock(&dev->lock);
	return err;
}

static int vexfs_page_copy(struct vexfs_dev *dev, struct vexfs_bmap_node *node)
{
	struct vexfs_page *page = container_of(node, struct vexfs_page, node);

	return vexfs_image_write(dev, node->bno, page->data);
}

struct vexfs_dev *vexfs_dev_clone(struct vexfs_dev *src)
{
	struct vexfs_dev *dev;
	struct vexfs_bmap_node *node;
	size_t i;
	int err = 0;

	if (src->fd >= 0)
		return ERR_PTR(-EINVAL);
	dev = vexfs_dev_mem(src->blocks << VEXFS_BLOCK_SHIFT);
	if (IS_ERR(dev))
		return dev;
	for (i = 0; i < src->image.size && !err; i++)
		for (node = src->image.table[i]; node && !err;
		     node = node->next)
			err = vexfs_page_copy(dev, node);
	if (!err)
		return dev;
	vexfs_dev_close(dev);
	return ERR_PTR(err);
}

int vexfs_corrupted(struct vexfs_fs *fs, u64 ino, u64 bno, const char *func,
		    int line, const char *why)
{
	struct vexfs_dev *dev = fs->dev;

	dev->corruptions++;
	snprintf(dev->corrupt_why, sizeof(dev->corrupt_why), "%s", why);
	if (dev->on_corrupt)
		dev->on_corrupt(dev, ino, bno, why);
	else if (!dev->quiet)
		fprintf(stderr, "%s:%d: inode %llu, block %llu: %s\n", func,
			line, (unsigned long long)ino, (unsigned long long)bno,
			why);
	return -EFSCORRUPTED;
}

// SPDX-License-Identifier: GPL-2.0
/*
 * What the shared core asks of the kernel: rows made addressable in the page
 * cache, rows and forks written through it.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include <linux/blkdev.h>
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/prefetch.h>
#include <linux/sched/signal.h>

#include "collection.h"
#include "compat_mm.h"
#include "stats.h"

/* One call of pin_rows. */
struct vexfs_pin_call {
	struct inode		*inode;
	const u32		*slots;
	unsigned int		n;
	u32			stride;
	struct vexfs_row_pins	*pins;
	/** @near: folio of a row before; neighbours are often asked together */
	struct folio		*near;
	/** @ahead: reading of all rows has been started */
	bool			ahead;
};

/* Starts reading what is missing of [pos, pos + len); does not wait. */
static void vexfs_row_read_ahead(struct inode *inode, loff_t pos, size_t len)
{
	pgoff_t index = pos >> PAGE_SHIFT;
	pgoff_t last = (pos + len - 1) >> PAGE_SHIFT;
	struct file_ra_state ra = {};
	struct folio *folio;

	for (; index <= last; index++) {
		folio = vexfs_find_folio(inode->i_mapping, index);
		if (!folio) {
			DEFINE_READAHEAD(ractl, NULL, &ra, inode->i_mapping,
					 index);

			page_cache_ra_unbounded(&ractl, last - index + 1, 0);
			return;
		}
		folio_put(folio);
	}
}

/* The first miss starts reading all the rows, so that they come together. */
static void vexfs_rows_read_ahead(struct vexfs_pin_call *pc, unsigned int i)
{
	struct blk_plug plug;

	if (pc->ahead)
		return;
	pc->ahead = true;
	blk_start_plug(&plug);
	for (; i < pc->n; i++)
		vexfs_row_read_ahead(pc->inode,
				     (loff_t)pc->slots[i] * pc->stride,
				     pc->stride);
	blk_finish_plug(&plug);
}

/* The folio of @index, which row @i needs, up to date, with a reference. */
static struct folio *vexfs_rows_folio(struct vexfs_pin_call *pc,
				      unsigned int i, pgoff_t index)
{
	struct address_space *mapping = pc->inode->i_mapping;
	struct folio *folio;

	if (pc->near && folio_contains(pc->near, index)) {
		folio_get(pc->near);
		return pc->near;
	}
	folio = vexfs_find_folio(mapping, index);
	if (folio && folio_test_uptodate(folio))
		return folio;
	if (folio)
		folio_put(folio);
	else
		vexfs_rows_read_ahead(pc, i);
	return read_mapping_folio(mapping, index, NULL);
}

/*
 * A folio that was seen in the page cache, or lies where one of it may: with a
 * reference if it is in there, holds @index and is up to date; else NULL.
 */
static struct folio *vexfs_folio_try(struct address_space *mapping,
				     struct folio *folio, pgoff_t index)
{
	if (!folio_try_get(folio))
		return NULL;
	if (folio->mapping == mapping && folio_contains(folio, index) &&
	    folio_test_uptodate(folio))
		return folio;
	folio_put(folio);
	return NULL;
}

/* The folio of @index, if it lies right behind @last, with a reference. */
static struct folio *vexfs_folio_behind(struct address_space *mapping,
					struct folio *last, pgoff_t index)
{
	struct page *page = pfn_to_online_page(folio_pfn(last) +
					       folio_nr_pages(last));

	return page ? vexfs_folio_try(mapping, page_folio(page), index) : NULL;
}

/*
 * A row that crosses from one folio into the next is copied together.
 * Consumes the reference to @folio.
 */
static int vexfs_row_copy(struct vexfs_pin_call *pc, unsigned int i,
			  struct folio *folio, void *to)
{
	loff_t pos = (loff_t)pc->slots[i] * pc->stride;
	size_t len = pc->stride, off, n;

	for (;;) {
		off = offset_in_folio(folio, pos);
		n = min(len, folio_size(folio) - off);
		memcpy(to, folio_address(folio) + off, n);
		folio_put(folio);
		len -= n;
		if (!len)
			return 0;
		to += n;
		pos += n;
		folio = vexfs_rows_folio(pc, i, pos >> PAGE_SHIFT);
		if (IS_ERR(folio))
			return PTR_ERR(folio);
	}
}

/* Gives back the folios that @len bytes at @off of the first lie in. */
static void vexfs_row_put(struct folio *folio, size_t off, size_t len)
{
	size_t size = folio_size(folio);
	void *next;

	for (len += off; len > size; len -= size, size = folio_size(folio)) {
		next = folio_address(folio) + size;
		folio_put(folio);
		folio = virt_to_folio(next);
	}
	folio_put(folio);
}

/*
 * A row that crosses from one folio into the next, which is often its
 * neighbour in memory as well: then it can be read where it lies, and takes
 * references to all of them. False if it can't; that is no error yet.
 */
static bool vexfs_row_span(struct vexfs_pin_call *pc, unsigned int i,
			   struct folio *folio, size_t off)
{
	loff_t pos = (loff_t)pc->slots[i] * pc->stride;
	size_t len = folio_size(folio) - off;
	struct folio *last = folio, *next;
	pgoff_t index;

	while (len < pc->stride) {
		index = (pos + len) >> PAGE_SHIFT;
		next = vexfs_folio_behind(pc->inode->i_mapping, last, index);
		if (!next)
			next = vexfs_rows_folio(pc, i, index);
		if (IS_ERR(next))
			break;
		if (folio_pos(next) != pos + len ||
		    folio_address(next) !=
		    folio_address(last) + folio_size(last)) {
			folio_put(next);
			break;
		}
		len += folio_size(next);
		last = next;
	}
	if (len >= pc->stride) {
		pc->near = last;
		return true;
	}
	/* The first one is the caller's. */
	folio_get(folio);
	vexfs_row_put(folio, off, len);
	return false;
}

static int vexfs_coll_pin_row(struct vexfs_pin_call *pc, unsigned int i)
{
	struct vexfs_row_pins *pins = pc->pins;
	loff_t pos = (loff_t)pc->slots[i] * pc->stride;
	struct folio *folio = pins->cookie[i];
	size_t off;

	if (!folio)
		folio = vexfs_rows_folio(pc, i, pos >> PAGE_SHIFT);
	if (IS_ERR(folio))
		return PTR_ERR(folio);
	off = offset_in_folio(folio, pos);
	pins->row[i] = folio_address(folio) + off;
	pins->cookie[i] = folio;
	if (off + pc->stride <= folio_size(folio)) {
		pc->near = folio;
		return 0;
	}
	if (vexfs_row_span(pc, i, folio, off))
		return 0;
	pins->row[i] = pins->bounce + (size_t)i * pc->stride;
	pins->cookie[i] = NULL;
	return vexfs_row_copy(pc, i, folio,
			      pins->bounce + (size_t)i * pc->stride);
}

static void vexfs_coll_unpin_rows(void *priv, struct vexfs_row_pins *pins)
{
	struct vexfs_collection *c = priv;

	while (pins->n) {
		struct folio *folio;
		const void *row;

		pins->n--;
		folio = pins->cookie[pins->n];
		row = pins->row[pins->n];
		if (folio)
			vexfs_row_put(folio, row - folio_address(folio),
				      c->cfg.stride);
	}
}

/*
 * The rows that a search asks for lie anywhere. Taking a reference makes the
 * CPU wait for all that was read before: so first what leads to the folios is
 * looked at, for all rows at once. Leaves the folio that each row begins in,
 * with a reference, in its cookie; NULL where that is not as simple.
 */
static void vexfs_rows_find(const struct vexfs_pin_call *pc)
{
	struct address_space *mapping = pc->inode->i_mapping;
	void **cookie = pc->pins->cookie;
	unsigned int i;
	pgoff_t index;

	/* What is freed meanwhile remains a folio, or a page of one. */
	rcu_read_lock();
	for (i = 0; i < pc->n; i++) {
		index = ((loff_t)pc->slots[i] * pc->stride) >> PAGE_SHIFT;
		cookie[i] = xa_load(&mapping->i_pages, index);
		if (xa_is_value(cookie[i]))
			cookie[i] = NULL;
		if (cookie[i])
			prefetchw(cookie[i]);
	}
	for (i = 0; i < pc->n; i++) {
		index = ((loff_t)pc->slots[i] * pc->stride) >> PAGE_SHIFT;
		if (cookie[i])
			cookie[i] = vexfs_folio_try(mapping, cookie[i], index);
	}
	rcu_read_unlock();
}

static int vexfs_coll_pin_rows(void *priv, const u32 *slots, unsigned int n,
			       struct vexfs_row_pins *pins)
{
	struct vexfs_collection *c = priv;
	loff_t size = i_size_read(c->inode);
	struct vexfs_pin_call pc = {
		.inode	= c->inode,
		.slots	= slots,
		.n	= n,
		.stride	= c->cfg.stride,
		.pins	= pins,
	};
	unsigned int i;
	int err = 0;

	pins->n = 0;
	for (i = 0; i < n; i++)
		if (((loff_t)slots[i] + 1) * pc.stride > size)
			return -EIO;
	if (n > 1 && slots[n - 1] != slots[0] + n - 1)
		vexfs_rows_find(&pc);
	else
		memset(pins->cookie, 0, n * sizeof(*pins->cookie));
	for (i = 0; i < n && !err; i++) {
		err = vexfs_coll_pin_row(&pc, i);
		if (!err)
			pins->n = i + 1;
	}
	if (!err)
		return 0;
	for (; i < n; i++)
		if (pins->cookie[i])
			folio_put(pins->cookie[i]);
	vexfs_coll_unpin_rows(c, pins);
	return err;
}

static int vexfs_coll_write(struct inode *inode, const void *buf, size_t len,
			    loff_t pos)
{
	loff_t end;
	ssize_t n;
	int err;

	if (sb_rdonly(inode->i_sb))
		return -EROFS;
	if (check_add_overflow(pos, (loff_t)len, &end))
		return -EFBIG;
	/* RLIMIT_FSIZE and the largest file; a kworker has no limit. */
	if (end > i_size_read(inode)) {
		err = inode_newsize_ok(inode, end);
		if (err)
			return err;
	}
	while (len) {
		n = vexfs_kernel_write(inode, buf, len, pos);
		if (n <= 0)
			return n ? n : -EIO;
		buf += n;
		pos += n;
		len -= n;
	}
	return 0;
}

static int vexfs_coll_write_rows(void *priv, u32 slot, u32 n, const void *rows)
{
	struct vexfs_collection *c = priv;
	size_t len = (size_t)n * c->cfg.stride;

	vexfs_stat_add(VEXFS_STAT_ROW_BYTES, len);
	return vexfs_coll_write(c->inode, rows, len,
				(loff_t)slot * c->cfg.stride);
}

static int vexfs_coll_fork_read(void *priv, enum vexfs_fork fork, u64 pos,
				void *buf, size_t len)
{
	struct vexfs_collection *c = priv;

	if (WARN_ON_ONCE(fork >= VEXFS_COLL_NFORKS))
		return -EINVAL;
	if (pos > MAX_LFS_FILESIZE || len > MAX_LFS_FILESIZE - pos)
		return -EIO;
	return vexfs_kernel_read(c->fork[fork], buf, len, pos);
}

static int vexfs_coll_fork_write(void *priv, enum vexfs_fork fork, u64 pos,
				 const void *buf, size_t len)
{
	struct vexfs_collection *c = priv;

	if (WARN_ON_ONCE(fork >= VEXFS_COLL_NFORKS))
		return -EINVAL;
	if (pos > MAX_LFS_FILESIZE)
		return -EFBIG;
	vexfs_stat_add(fork == VEXFS_FORK_LOG ? VEXFS_STAT_LOG_BYTES :
		       VEXFS_STAT_CHECKPOINT_BYTES, len);
	return vexfs_coll_write(c->fork[fork], buf, len, pos);
}

static void vexfs_coll_io_kick(void *priv)
{
	vexfs_coll_queue_work(priv);
}

static bool vexfs_coll_killed(void *priv)
{
	return fatal_signal_pending(current);
}

const struct vexfs_coll_io vexfs_coll_kernel_io = {
	.pin_rows	= vexfs_coll_pin_rows,
	.unpin_rows	= vexfs_coll_unpin_rows,
	.write_rows	= vexfs_coll_write_rows,
	.fork_read	= vexfs_coll_fork_read,
	.fork_write	= vexfs_coll_fork_write,
	.kick		= vexfs_coll_io_kick,
	.killed		= vexfs_coll_killed,
};

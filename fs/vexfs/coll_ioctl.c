// SPDX-License-Identifier: GPL-2.0
/*
 * The ioctls of collections: the checks that all share, then those that
 * create and change. Searching and reading are in coll_search_ioctl.c.
 *
 * User memory is copied through a bounded buffer, never under i_rwsem or a
 * handle; see the lock order in collection.c.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include <linux/compat.h>
#include <linux/ktime.h>
#include <linux/mount.h>
#include <linux/nospec.h>
#include <linux/pagemap.h>
#include <linux/random.h>
#include <linux/sched/signal.h>
#include <linux/uaccess.h>

#include "collection.h"
#include "simd/simd.h"
#include "stats.h"

void *vexfs_coll_bounce_alloc(u32 *n, size_t size)
{
	*n = clamp_t(size_t, VEXFS_COLL_BOUNCE / size, 1, *n);
	return kvmalloc_array(*n, size, GFP_KERNEL_ACCOUNT);
}

/* --------------------------------------------------------------- create */

static int vexfs_create_config(struct super_block *sb,
			       const struct vexfs_create *a,
			       struct vexfs_coll_config *cfg)
{
	if (a->ncolumns || a->columns || a->reserved0 || a->reserved1 ||
	    memchr_inv(a->reserved, 0, sizeof(a->reserved)))
		return -EINVAL;
	memset(cfg, 0, sizeof(*cfg));
	cfg->dims = a->dims;
	if (!cfg->dims)
		cfg->dims = le32_to_cpu(vexfs_super(VEXFS_FS(sb))->s_vector_dims);
	if (!cfg->dims || cfg->dims > VEXFS_DIMS_MAX)
		return -EINVAL;
	cfg->elem = a->type;
	cfg->metric = a->metric;
	cfg->index = a->index;
	cfg->m = a->m;
	cfg->ef_construction = a->ef_construction;
	cfg->ef = a->ef;
	cfg->lsh_tables = a->lsh_tables;
	cfg->lsh_bits = a->lsh_bits;
	cfg->lsh_recall = a->lsh_recall;
	cfg->seed = a->seed;
	while (!cfg->seed)
		cfg->seed = get_random_u64();
	return vexfs_coll_config_check(cfg);
}

static int vexfs_ioc_create(struct file *file, struct vexfs_collection *c,
			    void *arg)
{
	struct inode *inode = file_inode(file);
	struct vexfs_create *a = arg;
	struct vexfs_coll_config cfg;
	int err;

	err = vexfs_create_config(inode->i_sb, a, &cfg);
	if (err)
		return err;
	err = vexfs_coll_create(inode, &cfg);
	if (!err)
		a->dims = cfg.dims;
	return err;
}

/* ----------------------------------------------------------------- info */

static u64 vexfs_coll_disk_bytes(struct vexfs_collection *c)
{
	u64 blocks = READ_ONCE(VEXFS_I(c->inode)->node.blocks);
	int i;

	for (i = 0; i < VEXFS_COLL_NFORKS; i++)
		blocks += READ_ONCE(VEXFS_I(c->fork[i])->node.blocks);
	return blocks << VEXFS_BLOCK_SHIFT;
}

static int vexfs_ioc_info(struct file *file, struct vexfs_collection *c,
			  void *arg)
{
	struct vexfs_info *a = arg;
	struct vexfs_coll_stat st;

	vexfs_coll_refresh(c, &st);
	*a = (struct vexfs_info) {
		.size		= a->size,
		.dims		= c->cfg.dims,
		.type		= c->cfg.elem,
		.metric		= c->cfg.metric,
		.index		= c->cfg.index,
		.m		= c->cfg.m,
		.ef_construction = c->cfg.ef_construction,
		.ef		= c->cfg.ef,
		.stride		= c->cfg.stride,
		.seed		= c->cfg.seed,
		.count		= st.live,
		.slots		= st.slots,
		.indexed	= st.indexed,
		.pending	= st.pending,
		.next_id	= st.next_id,
		.commits	= READ_ONCE(c->commits),
		.index_bytes	= st.memory,
		.disk_bytes	= vexfs_coll_disk_bytes(c),
		.max_level	= st.max_level,
		.simd_level	= vexfs_simd_level(),
		.loaded_ns	= c->loaded_ns,
		.rebuilt	= st.rebuilt,
		.lsh_tables	= c->cfg.lsh_tables,
		.lsh_bits	= c->cfg.lsh_bits,
		.lsh_recall	= c->cfg.lsh_recall,
		.lsh_buckets	= st.buckets,
	};
	return 0;
}

/* --------------------------------------------------------------- insert */

/* As write(2) would: times, and no set-id bits on a file that changed. */
static void vexfs_coll_modified(struct file *file)
{
	struct inode *inode = file_inode(file);

	inode_lock(inode);
	file_modified(file);
	inode_unlock(inode);
}

/* A copy of @count user ids; NULL with @uids 0. */
static u64 *vexfs_copy_ids(u64 uids, u32 count)
{
	if (!uids)
		return NULL;
	return vmemdup_user(u64_to_user_ptr(uids), (size_t)count * sizeof(u64));
}

/* Rows come @stride apart in user memory and go dense into @to. */
static int vexfs_copy_rows(void *to, u64 from, size_t row_bytes, size_t stride,
			   u32 n)
{
	u32 i;

	if (stride == row_bytes) {
		if (copy_from_user(to, u64_to_user_ptr(from), n * row_bytes))
			return -EFAULT;
		return 0;
	}
	for (i = 0; i < n; i++, from += stride, to += row_bytes)
		if (copy_from_user(to, u64_to_user_ptr(from), row_bytes))
			return -EFAULT;
	return 0;
}

/* The same of what access_ok() was told of; -EAGAIN where it isn't present. */
static int vexfs_copy_rows_present(void *to, u64 from, size_t row_bytes,
				   size_t stride, u32 n)
{
	unsigned long left = 0;
	u32 i;

	pagefault_disable();
	if (stride == row_bytes)
		left = __copy_from_user_inatomic(to, u64_to_user_ptr(from),
						 n * row_bytes);
	else
		for (i = 0; !left && i < n; i++) {
			left = __copy_from_user_inatomic(to,
							 u64_to_user_ptr(from),
							 row_bytes);
			from += stride;
			to += row_bytes;
		}
	pagefault_enable();
	return left ? -EAGAIN : 0;
}

/*
 * An insert under way: @batch rows fit into @bounce, and the first are copied
 * before the core's lock is taken.
 *
 * No page fault is taken under that lock: it could wait for another filesystem
 * or a process as long as that likes, and sync(2) and freezing the volume need
 * the lock. So what is copied there is faulted in before, and the batch starts
 * anew if that didn't last; in the end all of it is copied first.
 */
struct vexfs_insert_call {
	const struct vexfs_insert *a;
	u32	row_bytes;
	u32	stride;
	u32	batch;
	void	*bounce;
	u64	*ids;
};

#define VEXFS_INSERT_TRIES	3
#define VEXFS_INSERT_STAGE_MAX	(256ull << 20)

static int vexfs_insert_fault_in(const struct vexfs_insert_call *ic)
{
	u64 from = ic->a->vectors;
	u32 left, now, i;

	if (ic->a->count <= ic->batch)
		return 0;
	for (left = ic->a->count; left; left -= now) {
		now = min(left, ic->batch);
		if (ic->stride == ic->row_bytes) {
			if (fault_in_readable(u64_to_user_ptr(from),
					      (size_t)now * ic->row_bytes))
				return -EFAULT;
		} else {
			for (i = 0; i < now; i++)
				if (fault_in_readable(u64_to_user_ptr(from +
							(u64)i * ic->stride),
						      ic->row_bytes))
					return -EFAULT;
		}
		from += (u64)now * ic->stride;
		if (fatal_signal_pending(current))
			return -EINTR;
		cond_resched();
	}
	return 0;
}

/* Room for all rows, in place of the smaller buffer. */
static int vexfs_insert_stage(struct vexfs_insert_call *ic)
{
	u64 bytes = (u64)ic->a->count * ic->row_bytes;
	void *stage = NULL;

	if (bytes <= VEXFS_INSERT_STAGE_MAX)
		stage = kvmalloc(bytes, GFP_KERNEL_ACCOUNT);
	if (!stage)
		return -ENOMEM;
	kvfree(ic->bounce);
	ic->bounce = stage;
	ic->batch = ic->a->count;
	return 0;
}

static int vexfs_insert_rows(struct vexfs_insert_call *ic,
			     struct vexfs_coll_insert *ins)
{
	u32 done = 0, n = min(ic->batch, ic->a->count);
	int err;

	for (;;) {
		err = vexfs_coll_insert_rows(ins, ic->bounce, n, ic->row_bytes);
		if (err)
			return err;
		done += n;
		if (done == ic->a->count)
			return 0;
		if (fatal_signal_pending(current))
			return -EINTR;
		cond_resched();
		n = min(ic->batch, ic->a->count - done);
		err = vexfs_copy_rows_present(ic->bounce, ic->a->vectors +
					      (u64)done * ic->stride,
					      ic->row_bytes, ic->stride, n);
		if (err)
			return err;
	}
}

/* The rows written so far go; still under the core's write_lock. */
static void vexfs_insert_undo(struct vexfs_collection *c,
			      struct vexfs_coll_insert *ins)
{
	struct vexfs_coll_stat st;

	vexfs_coll_stat(c->core, &st);
	vexfs_coll_trim(c, st.slots);
	vexfs_coll_insert_abort(ins);
}

static int vexfs_insert_once(struct vexfs_collection *c,
			     struct vexfs_insert_call *ic, u64 *first_id)
{
	unsigned int flags = 0;
	struct vexfs_coll_insert ins;
	int err;

	err = vexfs_copy_rows(ic->bounce, ic->a->vectors, ic->row_bytes,
			      ic->stride, min(ic->batch, ic->a->count));
	if (err)
		return err;
	if (ic->a->flags & VEXFS_INSERT_UPSERT)
		flags |= VEXFS_COLL_UPSERT;
	err = vexfs_coll_insert_begin(c->core, ic->ids, ic->a->count, flags,
				      &ins);
	if (err)
		return err;
	*first_id = ic->ids ? 0 : ins.first_id;
	err = vexfs_insert_rows(ic, &ins);
	if (!err)
		err = vexfs_coll_insert_end(&ins);
	if (err)
		vexfs_insert_undo(c, &ins);
	return err;
}

static int vexfs_insert_batch(struct vexfs_collection *c,
			      struct vexfs_insert_call *ic, u64 *first_id)
{
	int err, tries;

	for (tries = 1; ; tries++) {
		err = vexfs_insert_fault_in(ic);
		if (!err)
			err = vexfs_insert_once(c, ic, first_id);
		if (err != -EAGAIN)
			return err;
		if (tries < VEXFS_INSERT_TRIES)
			continue;
		err = vexfs_insert_stage(ic);
		if (err)
			return err;
	}
}

static int vexfs_insert_check(const struct vexfs_insert *a, u32 row_bytes)
{
	u64 len, end;

	if (a->columns || memchr_inv(a->reserved, 0, sizeof(a->reserved)) ||
	    !a->count || a->count > VEXFS_BATCH_MAX)
		return -EINVAL;
	if (a->stride && a->stride < row_bytes)
		return -EINVAL;
	len = (u64)(a->count - 1) * (a->stride ? a->stride : row_bytes) +
	      row_bytes;
	if (check_add_overflow(a->vectors, len, &end) ||
	    !access_ok(u64_to_user_ptr(a->vectors), len))
		return -EFAULT;
	return 0;
}

static int vexfs_ioc_insert(struct file *file, struct vexfs_collection *c,
			    void *arg)
{
	struct vexfs_insert *a = arg;
	u32 row_bytes = c->cfg.row_bytes;
	struct vexfs_insert_call ic = {
		.a		= a,
		.row_bytes	= row_bytes,
		.stride		= a->stride ? a->stride : row_bytes,
		.batch		= a->count,
	};
	u64 start = ktime_get_ns();
	int err;

	err = vexfs_insert_check(a, row_bytes);
	if (err)
		return err;
	ic.ids = vexfs_copy_ids(a->ids, a->count);
	if (IS_ERR(ic.ids))
		return PTR_ERR(ic.ids);
	ic.bounce = vexfs_coll_bounce_alloc(&ic.batch, row_bytes);
	err = -ENOMEM;
	if (ic.bounce)
		err = vexfs_insert_batch(c, &ic, &a->first_id);
	kvfree(ic.bounce);
	kvfree(ic.ids);
	if (err)
		return err;
	vexfs_coll_modified(file);
	vexfs_coll_help(c);
	vexfs_stat_add(VEXFS_STAT_INSERT_CALLS, 1);
	vexfs_stat_add(VEXFS_STAT_INSERT_VECTORS, a->count);
	vexfs_stat_add(VEXFS_STAT_INSERT_BYTES, (u64)a->count * row_bytes);
	vexfs_lat_note(VEXFS_LAT_INSERT, start);
	return 0;
}

/* --------------------------------------------------------------- delete */

static int vexfs_ioc_delete(struct file *file, struct vexfs_collection *c,
			    void *arg)
{
	struct vexfs_delete *a = arg;
	unsigned int flags = 0;
	u64 start = ktime_get_ns();
	u64 *ids;
	int err;

	if (memchr_inv(a->reserved, 0, sizeof(a->reserved)) ||
	    !a->count || a->count > VEXFS_BATCH_MAX)
		return -EINVAL;
	if (!a->ids)
		return -EFAULT;
	ids = vexfs_copy_ids(a->ids, a->count);
	if (IS_ERR(ids))
		return PTR_ERR(ids);
	if (a->flags & VEXFS_DELETE_IGNORE_MISSING)
		flags |= VEXFS_COLL_IGNORE;
	err = vexfs_coll_delete(c->core, ids, a->count, flags, &a->deleted);
	kvfree(ids);
	if (err)
		return err;
	if (a->deleted)
		vexfs_coll_modified(file);
	vexfs_stat_add(VEXFS_STAT_DELETE_CALLS, 1);
	vexfs_stat_add(VEXFS_STAT_DELETE_VECTORS, a->deleted);
	vexfs_lat_note(VEXFS_LAT_DELETE, start);
	return 0;
}

/* ----------------------------------------------------------------- wait */

static int vexfs_ioc_wait(struct file *file, struct vexfs_collection *c,
			  void *arg)
{
	struct vexfs_wait *a = arg;

	if (a->reserved0 || memchr_inv(a->reserved, 0, sizeof(a->reserved)))
		return -EINVAL;
	return vexfs_coll_wait(c, a->timeout_ms, &a->pending);
}

/* ------------------------------------------------------------- dispatch */

union vexfs_coll_arg {
	struct {
		__u32	size;
		__u32	flags;
	};
	struct vexfs_create	create;
	struct vexfs_info	info;
	struct vexfs_search	search;
	struct vexfs_insert	insert;
	struct vexfs_delete	del;
	struct vexfs_get	get;
	struct vexfs_iterate	iterate;
	struct vexfs_wait	wait;
};

/**
 * struct vexfs_coll_cmd - a command
 * @size: of its structure, as this kernel knows it
 * @flags: those it takes
 * @mode: how the file must be open
 * @change: it changes the collection
 * @fn: does it; without a collection (NULL) for VEXFS_IOC_CREATE
 */
struct vexfs_coll_cmd {
	size_t	size;
	u32	flags;
	fmode_t	mode;
	bool	change;
	int	(*fn)(struct file *file, struct vexfs_collection *c, void *arg);
};

#define VEXFS_CMD(_cmd, _name, _flags, _mode, _change)		\
	[_IOC_NR(_cmd)] = {					\
		.size	= sizeof(struct vexfs_##_name),		\
		.flags	= (_flags),				\
		.mode	= (_mode),				\
		.change	= (_change),				\
		.fn	= vexfs_ioc_##_name,			\
	}

static const struct vexfs_coll_cmd vexfs_coll_cmds[] = {
	VEXFS_CMD(VEXFS_IOC_CREATE, create, 0, FMODE_READ | FMODE_WRITE, true),
	VEXFS_CMD(VEXFS_IOC_INFO, info, 0, FMODE_READ, false),
	VEXFS_CMD(VEXFS_IOC_SEARCH, search, VEXFS_SEARCH_EXACT, FMODE_READ,
		  false),
	VEXFS_CMD(VEXFS_IOC_INSERT, insert, VEXFS_INSERT_UPSERT, FMODE_WRITE,
		  true),
	VEXFS_CMD(VEXFS_IOC_DELETE, delete, VEXFS_DELETE_IGNORE_MISSING,
		  FMODE_WRITE, true),
	VEXFS_CMD(VEXFS_IOC_GET, get, 0, FMODE_READ, false),
	VEXFS_CMD(VEXFS_IOC_ITERATE, iterate, 0, FMODE_READ, false),
	VEXFS_CMD(VEXFS_IOC_WAIT, wait, 0, FMODE_READ, false),
};

/* Commands go by number: the size in @cmd grows with the structure. */
static const struct vexfs_coll_cmd *vexfs_find_cmd(unsigned int cmd)
{
	unsigned int nr = _IOC_NR(cmd);

	if (_IOC_TYPE(cmd) != VEXFS_IOC_MAGIC ||
	    _IOC_DIR(cmd) != (_IOC_READ | _IOC_WRITE) ||
	    nr >= ARRAY_SIZE(vexfs_coll_cmds))
		return NULL;
	nr = array_index_nospec(nr, ARRAY_SIZE(vexfs_coll_cmds));
	return vexfs_coll_cmds[nr].fn ? &vexfs_coll_cmds[nr] : NULL;
}

/* What holds before the arguments are looked at. */
static int vexfs_cmd_access(struct file *file, const struct vexfs_coll_cmd *cmd)
{
	struct inode *inode = file_inode(file);
	bool create = cmd->fn == vexfs_ioc_create;

	if (!S_ISREG(inode->i_mode))
		return create ? -EINVAL : -ENOTTY;
	if (!create && !vexfs_is_collection(inode))
		return -ENOTTY;
	if ((file->f_mode & cmd->mode) != cmd->mode)
		return -EBADF;
	if (vexfs_is_shutdown(inode->i_sb))
		return -EIO;
	if (cmd->change && (IS_IMMUTABLE(inode) || IS_APPEND(inode)))
		return -EPERM;
	return 0;
}

static int vexfs_cmd_copy(const struct vexfs_coll_cmd *cmd,
			  union vexfs_coll_arg *arg, void __user *uarg,
			  size_t *known)
{
	u32 size;
	int err;

	if (get_user(size, (u32 __user *)uarg))
		return -EFAULT;
	if (size < cmd->size)
		return -EINVAL;
	if (size > PAGE_SIZE)
		return -E2BIG;
	memset(arg, 0, sizeof(*arg));
	err = copy_struct_from_user(arg, cmd->size, uarg, size);
	if (err)
		return err;
	if (arg->flags & ~cmd->flags)
		return -EINVAL;
	/* Read again by the copy above; nothing depends on it any more. */
	arg->size = size;
	*known = cmd->size;
	/*
	 * Results go there when it is done. Found out now, a page that can't
	 * be written is an error without effect.
	 */
	if (cmd->change && copy_to_user(uarg, arg, cmd->size))
		return -EFAULT;
	return 0;
}

static int vexfs_cmd_run(struct file *file, const struct vexfs_coll_cmd *cmd,
			 union vexfs_coll_arg *arg)
{
	struct vexfs_collection *c;
	int err;

	if (cmd->fn == vexfs_ioc_create)
		return cmd->fn(file, NULL, arg);
	c = vexfs_coll_get(file_inode(file));
	if (IS_ERR(c))
		return PTR_ERR(c);
	/* Writable again, or this would not have come so far. */
	if (cmd->change)
		clear_bit(VEXFS_COLL_QUIET, &c->flags);
	if (cmd->change && c->broken)
		err = -EIO;
	else
		err = cmd->fn(file, c, arg);
	vexfs_coll_put(c);
	return err;
}

int vexfs_coll_ioctl(struct file *file, unsigned int nr, void __user *uarg)
{
	const struct vexfs_coll_cmd *cmd = vexfs_find_cmd(nr);
	union vexfs_coll_arg arg;
	size_t known;
	int err;

	if (!cmd)
		return -ENOTTY;
	err = vexfs_cmd_access(file, cmd);
	if (err)
		return err;
	err = vexfs_cmd_copy(cmd, &arg, uarg, &known);
	if (err)
		return err;
	if (cmd->change) {
		err = mnt_want_write_file(file);
		if (err)
			return err;
	}
	err = vexfs_cmd_run(file, cmd, &arg);
	if (cmd->change)
		mnt_drop_write_file(file);
	if (err)
		return err;
	return copy_to_user(uarg, &arg, known) ? -EFAULT : 0;
}

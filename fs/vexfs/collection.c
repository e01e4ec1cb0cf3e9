// SPDX-License-Identifier: GPL-2.0
/*
 * Life of a collection in memory: loaded by the first command, kept with its
 * inodes pinned, unloaded when idle, unlinked, unmounted or when memory is
 * short.
 *
 * Copyright (C) 2026 The VexFS authors
 */
/*
 * Locks of collections, outermost first:
 *
 *   s_umount                  unmount, remount, sync
 *   sb_start_write            commands that change something; background
 *                             work only tries it
 *   inode_info.coll_lock      loading, unloading, creating
 *   collection.commit_lock    one commit or checkpoint at a time
 *   write_lock, index_lock, sem of the core (coll.h)
 *   i_rwsem                   of the rows' inode or of one fork, never two
 *   then as for every file (super.c): invalidate_lock, folio, handle, ...
 *
 * The core calls vexfs_kernel_write() with its locks held. So none of the
 * locks above i_rwsem is taken with an i_rwsem or a handle held; that is why
 * vexfs_fsync() calls vexfs_coll_sync() first, and why vexfs_coll_drop(),
 * which is called under i_rwsem, only queues work.
 *
 * No user memory is touched under any of these locks but the first two. Of a
 * volume that is being frozen page faults wait while it is synced, which takes
 * commit_lock and what is below. The i_rwsem of an ordinary file is held over
 * page faults; that of a collection or a fork is not, and to lockdep it is
 * another class when collections take it (vexfs_coll_inode_lock).
 *
 * s_lock, vexfs_coll_lock and searcher_lock are spinlocks and innermost.
 * inode_info.coll is changed with coll_lock and s_lock held, so either is
 * enough to look at it; a use (vexfs_coll_get) keeps it where it is, because
 * unloading needs coll_lock and no users.
 */
#include <linux/buffer_head.h>
#include <linux/ktime.h>
#include <linux/module.h>
#include <linux/pagemap.h>
#include <linux/slab.h>

#include "collection.h"
#include "compat_mm.h"
#include "simd/simd.h"
#include "stats.h"

/* At unmount the index catches up for at most so long, a collection. */
#define VEXFS_COLL_CLOSE_MSECS	10000

static DEFINE_SPINLOCK(vexfs_coll_lock);
/* Loaded collections of all volumes, least recently loaded first. */
static LIST_HEAD(vexfs_coll_lru);
static struct shrinker *vexfs_coll_shrinker;

/* ------------------------------------------------------------ loading */

static struct vexfs_collection *vexfs_coll_new(struct inode *inode)
{
	struct vexfs_collection *c = kzalloc(sizeof(*c), GFP_KERNEL_ACCOUNT);

	if (!c)
		return NULL;
	c->inode = inode;
	INIT_LIST_HEAD(&c->list);
	INIT_LIST_HEAD(&c->lru);
	mutex_init(&c->commit_lock);
	spin_lock_init(&c->searcher_lock);
	init_waitqueue_head(&c->index_wait);
	vexfs_coll_init_work(c);
	INIT_DELAYED_WORK(&c->commit_work, vexfs_coll_commit_work);
	INIT_DELAYED_WORK(&c->reap_work, vexfs_coll_reap_work);
	c->used = jiffies;
	return c;
}

static int vexfs_coll_open_forks(struct vexfs_collection *c,
				 const struct vexfs_coll_header *ch)
{
	struct inode *fork;
	int i;

	for (i = 0; i < VEXFS_COLL_NFORKS; i++) {
		fork = vexfs_iget_fork(vexfs_coll_sb(c),
				       le64_to_cpu(ch->ch_fork_ino[i]),
				       c->inode->i_ino);
		if (IS_ERR(fork))
			return PTR_ERR(fork);
		c->fork[i] = fork;
		c->fork_since[i] = filemap_sample_wb_err(fork->i_mapping);
	}
	c->rows_since = filemap_sample_wb_err(c->inode->i_mapping);
	return 0;
}

static int vexfs_coll_cut(struct vexfs_collection *c, u64 slots, bool write)
{
	struct inode *inode = c->inode;
	loff_t want;
	int err = 0;

	if (slots > VEXFS_MAX_SLOTS)
		return -EFSCORRUPTED;
	want = slots * c->cfg.stride;
	vexfs_coll_inode_lock(inode);
	if (i_size_read(inode) < want) {
		err = VEXFS_CORRUPTED(VEXFS_FS(inode->i_sb), inode->i_ino,
				      VEXFS_I(inode)->coll_block,
				      "collection is shorter than its slots");
	} else if (i_size_read(inode) > want) {
		filemap_invalidate_lock(inode->i_mapping);
		if (write)
			err = vexfs_truncate(inode, want);
		else
			truncate_setsize(inode, want);
		filemap_invalidate_unlock(inode->i_mapping);
	}
	inode_unlock(inode);
	return err;
}

/*
 * Rows behind the last slot are left from inserts that failed or were never
 * committed. Cuts them off, on a read-only mount in memory only. Nothing may
 * be inserted meanwhile.
 */
int vexfs_coll_trim(struct vexfs_collection *c, u64 slots)
{
	return vexfs_coll_cut(c, slots, !vexfs_coll_frozen(c));
}

/* At loading: who only reads has no leave to write to a frozen volume. */
static int vexfs_coll_trim_load(struct vexfs_collection *c, u64 slots)
{
	struct super_block *sb = vexfs_coll_sb(c);
	bool write = !vexfs_coll_frozen(c) && sb_start_write_trylock(sb);
	int err = vexfs_coll_cut(c, slots, write);

	if (write)
		sb_end_write(sb);
	return err;
}

/* Undoes vexfs_coll_new() and all after it but the hooks. */
static void vexfs_coll_free_loaded(struct vexfs_collection *c)
{
	int i;

	while (c->nsearchers)
		vexfs_coll_searcher_free(c->searchers[--c->nsearchers]);
	if (c->core)
		vexfs_coll_free(c->core);
	for (i = 0; i < VEXFS_COLL_NFORKS; i++)
		iput(c->fork[i]);
	kfree(c);
}

static int vexfs_coll_load_core(struct vexfs_collection *c)
{
	const struct vexfs_coll_header *ch;
	struct vexfs_coll *core;
	struct buffer_head *bh;
	int err;

	bh = vexfs_coll_header_read(c->inode);
	if (IS_ERR(bh))
		return PTR_ERR(bh);
	ch = vexfs_buf_data(bh);
	err = vexfs_coll_config_from_header(ch, &c->cfg);
	c->cfg.owner = c->inode->i_ino;
	c->cfg.csum_seed = VEXFS_FS(vexfs_coll_sb(c))->csum_seed;
	c->commits = le64_to_cpu(ch->ch_seq);
	if (!err)
		err = vexfs_coll_open_forks(c, ch);
	if (!err)
		err = vexfs_coll_trim_load(c, le64_to_cpu(ch->ch_slots));
	if (!err) {
		core = vexfs_coll_open(&c->cfg, ch, &vexfs_coll_kernel_io, c);
		if (IS_ERR(core))
			err = PTR_ERR(core);
		else
			c->core = core;
	}
	vexfs_buf_put(bh);
	return err;
}

static void vexfs_coll_hook(struct vexfs_collection *c)
{
	struct vexfs_inode_info *vi = VEXFS_I(c->inode);
	struct vexfs_sb_info *sbi = VEXFS_SB(vexfs_coll_sb(c));

	ihold(c->inode);
	spin_lock(&vexfs_coll_lock);
	list_add_tail(&c->lru, &vexfs_coll_lru);
	spin_unlock(&vexfs_coll_lock);
	spin_lock(&sbi->s_lock);
	/* With the list's lock: who walks it relies on the order. */
	c->serial = ++sbi->coll_serial;
	list_add_tail(&c->list, &sbi->collections);
	vi->coll = c;
	spin_unlock(&sbi->s_lock);
}

static struct vexfs_collection *vexfs_coll_load(struct inode *inode)
{
	u64 start = ktime_get_ns();
	struct vexfs_collection *c;
	struct vexfs_coll_stat st;
	int err;

	lockdep_assert_held(&VEXFS_I(inode)->coll_lock);
	c = vexfs_coll_new(inode);
	if (!c)
		return ERR_PTR(-ENOMEM);
	err = vexfs_coll_load_core(c);
	if (err) {
		set_bit(VEXFS_COLL_STOP, &c->flags);
		vexfs_coll_cancel_index(c);
		cancel_delayed_work_sync(&c->commit_work);
		vexfs_coll_free_loaded(c);
		return ERR_PTR(err);
	}
	c->loaded_ns = ktime_get_ns() - start;
	vexfs_coll_refresh(c, &st);
	if (st.damaged)
		vexfs_warn(inode->i_sb,
			   "collection %lu: damaged checkpoint, indexing again",
			   (unsigned long)inode->i_ino);
	vexfs_coll_hook(c);
	vexfs_stat_add(VEXFS_STAT_LOADS, 1);
	queue_delayed_work(vexfs_coll_wq(c), &c->reap_work, VEXFS_COLL_IDLE);
	/* There may be rows to take in, and deleted ones to scrub. */
	vexfs_coll_queue_work(c);
	return c;
}

struct vexfs_collection *vexfs_coll_get(struct inode *inode)
{
	struct vexfs_inode_info *vi = VEXFS_I(inode);
	struct vexfs_collection *c;

	if (mutex_lock_killable(&vi->coll_lock))
		return ERR_PTR(-EINTR);
	if (!vexfs_is_collection(inode))
		c = ERR_PTR(-ENOTTY);
	else if (vi->coll)
		c = vi->coll;
	else
		c = vexfs_coll_load(inode);
	if (!IS_ERR(c)) {
		atomic_inc(&c->users);
		WRITE_ONCE(c->used, jiffies);
	}
	mutex_unlock(&vi->coll_lock);
	return c;
}

/* The same when it is loaded, else NULL; waits for an unload to end. */
static struct vexfs_collection *vexfs_coll_peek(struct inode *inode)
{
	struct vexfs_inode_info *vi = VEXFS_I(inode);
	struct vexfs_collection *c;

	/* NULL only after an unload committed everything. */
	if (!READ_ONCE(vi->coll))
		return NULL;
	mutex_lock(&vi->coll_lock);
	c = vi->coll;
	if (c)
		atomic_inc(&c->users);
	mutex_unlock(&vi->coll_lock);
	return c;
}

void vexfs_coll_put(struct vexfs_collection *c)
{
	atomic_dec(&c->users);
}

void vexfs_coll_refresh(struct vexfs_collection *c, struct vexfs_coll_stat *st)
{
	vexfs_coll_stat(c->core, st);
	WRITE_ONCE(c->live, st->live);
	WRITE_ONCE(c->indexed, st->indexed);
	WRITE_ONCE(c->pending, st->pending);
	WRITE_ONCE(c->memory, st->memory);
}

void vexfs_coll_sum(struct vexfs_coll_totals *t)
{
	struct vexfs_collection *c;

	memset(t, 0, sizeof(*t));
	spin_lock(&vexfs_coll_lock);
	list_for_each_entry(c, &vexfs_coll_lru, lru) {
		t->loaded++;
		t->live += READ_ONCE(c->live);
		t->indexed += READ_ONCE(c->indexed);
		t->pending += READ_ONCE(c->pending);
		t->memory += READ_ONCE(c->memory);
	}
	spin_unlock(&vexfs_coll_lock);
}

/* ---------------------------------------------------------- unloading */

static void vexfs_coll_unhook(struct vexfs_collection *c)
{
	struct vexfs_inode_info *vi = VEXFS_I(c->inode);
	struct vexfs_sb_info *sbi = VEXFS_SB(vexfs_coll_sb(c));

	spin_lock(&vexfs_coll_lock);
	list_del_init(&c->lru);
	spin_unlock(&vexfs_coll_lock);
	spin_lock(&sbi->s_lock);
	list_del_init(&c->list);
	WRITE_ONCE(vi->coll, NULL);
	spin_unlock(&sbi->s_lock);
}

/*
 * Stops the background work of @c, which has no users, writes everything out
 * and takes it off the lists. An unlinked one is not written. When writing
 * fails, it stays loaded unless @force is set. The caller drops coll_lock
 * and then calls vexfs_coll_release().
 */
static int vexfs_coll_unload(struct vexfs_collection *c, bool force)
{
	int err = 0;

	lockdep_assert_held(&VEXFS_I(c->inode)->coll_lock);
	set_bit(VEXFS_COLL_STOP, &c->flags);
	vexfs_coll_cancel_index(c);
	cancel_delayed_work_sync(&c->commit_work);
	/* The commit may have queued it, not having seen STOP yet. */
	vexfs_coll_cancel_index(c);
	if (c->inode->i_nlink && !vexfs_coll_frozen(c))
		err = vexfs_coll_write_out(c, true);
	/* A broken one is good for nothing more until it is loaded again. */
	if (err && !force && !c->broken) {
		clear_bit(VEXFS_COLL_STOP, &c->flags);
		vexfs_coll_queue_work(c);
		return err;
	}
	set_bit(VEXFS_COLL_GONE, &c->flags);
	vexfs_coll_unhook(c);
	vexfs_stat_add(VEXFS_STAT_UNLOADS, 1);
	return 0;
}

static void vexfs_coll_release(struct vexfs_collection *c)
{
	struct inode *inode = c->inode;

	vexfs_coll_free_loaded(c);
	iput(inode);
}

static bool vexfs_coll_idle(struct vexfs_collection *c)
{
	struct vexfs_inode_info *vi = VEXFS_I(c->inode);

	if (atomic_read(&c->users) || atomic_read(&vi->opens))
		return false;
	return !c->inode->i_nlink || test_bit(VEXFS_COLL_RECLAIM, &c->flags) ||
	       time_after_eq(jiffies, READ_ONCE(c->used) + VEXFS_COLL_IDLE);
}

/* True when @c was unloaded, for the caller to release. */
static bool vexfs_coll_reap(struct vexfs_collection *c)
{
	struct mutex *lock = &VEXFS_I(c->inode)->coll_lock;
	bool gone = false;

	mutex_lock(lock);
	if (!test_bit(VEXFS_COLL_GONE, &c->flags)) {
		if (vexfs_coll_idle(c))
			gone = !vexfs_coll_unload(c, false);
		clear_bit(VEXFS_COLL_RECLAIM, &c->flags);
		if (gone)
			cancel_delayed_work(&c->reap_work);
		else
			queue_delayed_work(vexfs_coll_wq(c), &c->reap_work,
					   c->inode->i_nlink ?
					   VEXFS_COLL_IDLE : HZ);
	}
	mutex_unlock(lock);
	return gone;
}

/*
 * Runs when the collection may be idle. When it is unloaded elsewhere this
 * item is waited for before the memory goes; it then finds it gone.
 */
void vexfs_coll_reap_work(struct work_struct *work)
{
	struct vexfs_collection *c =
		container_of(to_delayed_work(work), struct vexfs_collection,
			     reap_work);
	struct super_block *sb = vexfs_coll_sb(c);
	bool writing = !sb_rdonly(sb);

	if (!writing || sb_start_write_trylock(sb)) {
		if (vexfs_coll_reap(c))
			vexfs_coll_release(c);
		if (writing)
			sb_end_write(sb);
	} else {
		queue_delayed_work(vexfs_coll_wq(c), &c->reap_work,
				   VEXFS_COLL_COMMIT_DELAY);
	}
}

void vexfs_coll_drop(struct inode *inode)
{
	struct vexfs_sb_info *sbi = VEXFS_SB(inode->i_sb);
	struct vexfs_collection *c;

	spin_lock(&sbi->s_lock);
	c = VEXFS_I(inode)->coll;
	if (c)
		mod_delayed_work(sbi->coll_wq, &c->reap_work, 0);
	spin_unlock(&sbi->s_lock);
}

/*
 * The inode, with a reference, of the loaded collection that follows
 * *@serial on the list; NULL at the end.
 */
static struct inode *vexfs_coll_walk(struct super_block *sb, u64 *serial)
{
	struct vexfs_sb_info *sbi = VEXFS_SB(sb);
	struct inode *inode = NULL;
	struct vexfs_collection *c;

	spin_lock(&sbi->s_lock);
	list_for_each_entry(c, &sbi->collections, list) {
		if (c->serial <= *serial)
			continue;
		*serial = c->serial;
		inode = c->inode;
		ihold(inode);
		break;
	}
	spin_unlock(&sbi->s_lock);
	return inode;
}

int vexfs_coll_sync(struct inode *inode)
{
	struct vexfs_collection *c = vexfs_coll_peek(inode);
	int err;

	if (!c)
		return 0;
	err = vexfs_coll_commit(c);
	vexfs_coll_put(c);
	return err;
}

int vexfs_coll_sync_all(struct super_block *sb)
{
	struct inode *inode;
	u64 serial = 0;
	int err = 0, err2;

	while ((inode = vexfs_coll_walk(sb, &serial))) {
		err2 = vexfs_coll_sync(inode);
		if (!err)
			err = err2;
		iput(inode);
		cond_resched();
	}
	return err;
}

/* Searches may still run on a volume that is being remounted read-only. */
static void vexfs_coll_close(struct inode *inode)
{
	struct mutex *lock = &VEXFS_I(inode)->coll_lock;
	struct vexfs_collection *c = vexfs_coll_peek(inode);
	bool gone = false;

	if (!c)
		return;
	if (inode->i_nlink && !vexfs_coll_frozen(c) && !c->broken) {
		vexfs_coll_catch_up(c, VEXFS_COLL_CLOSE_MSECS);
		set_bit(VEXFS_COLL_QUIET, &c->flags);
		vexfs_coll_cancel_index(c);
		cancel_delayed_work_sync(&c->commit_work);
		vexfs_coll_write_out(c, true);
	}
	cancel_delayed_work_sync(&c->reap_work);
	mutex_lock(lock);
	if (atomic_dec_and_test(&c->users) && !atomic_read(&VEXFS_I(inode)->opens))
		gone = !vexfs_coll_unload(c, true);
	else
		queue_delayed_work(vexfs_coll_wq(c), &c->reap_work,
				   VEXFS_COLL_IDLE);
	mutex_unlock(lock);
	if (gone) {
		/* It may have been queued again before it was unhooked. */
		cancel_delayed_work_sync(&c->reap_work);
		vexfs_coll_release(c);
	}
}

/*
 * The flush at the end waits for what is being unloaded by reap_work, which
 * the walk doesn't find any more.
 */
void vexfs_coll_close_all(struct super_block *sb)
{
	struct vexfs_sb_info *sbi = VEXFS_SB(sb);
	struct inode *inode;
	u64 serial = 0;

	if (!sbi || !sbi->coll_wq)
		return;
	while ((inode = vexfs_coll_walk(sb, &serial))) {
		vexfs_coll_close(inode);
		iput(inode);
	}
	flush_workqueue(sbi->coll_wq);
}

/* ----------------------------------------------------------- shrinker */

static bool vexfs_coll_reclaimable(struct vexfs_collection *c)
{
	return !atomic_read(&c->users) &&
	       !atomic_read(&VEXFS_I(c->inode)->opens) &&
	       !test_bit(VEXFS_COLL_RECLAIM, &c->flags);
}

static unsigned long vexfs_coll_shrink_count(struct shrinker *s,
					     struct shrink_control *sc)
{
	struct vexfs_collection *c;
	unsigned long pages = 0;

	spin_lock(&vexfs_coll_lock);
	list_for_each_entry(c, &vexfs_coll_lru, lru)
		if (vexfs_coll_reclaimable(c))
			pages += READ_ONCE(c->memory) >> PAGE_SHIFT;
	spin_unlock(&vexfs_coll_lock);
	return pages ? pages : SHRINK_EMPTY;
}

/* Unloading writes, so it is left to the workqueue. */
static unsigned long vexfs_coll_shrink_scan(struct shrinker *s,
					    struct shrink_control *sc)
{
	struct vexfs_collection *c, *next;
	unsigned long pages = 0;

	spin_lock(&vexfs_coll_lock);
	list_for_each_entry_safe(c, next, &vexfs_coll_lru, lru) {
		if (pages >= sc->nr_to_scan)
			break;
		if (!vexfs_coll_reclaimable(c))
			continue;
		set_bit(VEXFS_COLL_RECLAIM, &c->flags);
		mod_delayed_work(vexfs_coll_wq(c), &c->reap_work, 0);
		pages += READ_ONCE(c->memory) >> PAGE_SHIFT;
		vexfs_stat_add(VEXFS_STAT_RECLAIMS, 1);
	}
	spin_unlock(&vexfs_coll_lock);
	return pages ? pages : SHRINK_STOP;
}

/* ------------------------------------------------------------- module */

static char *vexfs_simd = "auto";
module_param_named(simd, vexfs_simd, charp, 0444);
MODULE_PARM_DESC(simd, "Level of vector instructions: auto, sse2, avx2, avx512");

int __init vexfs_coll_init(void)
{
	struct shrinker *s;
	int err;

	err = vexfs_simd_init(vexfs_simd);
	if (err) {
		pr_err("vexfs: simd=%s is not known, or not supported here\n",
		       vexfs_simd);
		return err;
	}
	pr_info("vexfs: SIMD capabilities: 0x%x, vector width: %u bits, batch size: %u, using %s\n",
		vexfs_simd_caps(), vexfs_simd_width(), vexfs_simd_width() / 32,
		vexfs_simd_name(vexfs_simd_level()));
	err = -ENOMEM;
	s = vexfs_shrinker_alloc();
	if (!s)
		goto out_simd;
	s->count_objects = vexfs_coll_shrink_count;
	s->scan_objects = vexfs_coll_shrink_scan;
	vexfs_coll_shrinker = s;
	err = vexfs_shrinker_register(s, "vexfs-collections");
	if (err)
		goto out_simd;
	return 0;
out_simd:
	vexfs_simd_exit();
	return err;
}

void vexfs_coll_exit(void)
{
	vexfs_shrinker_free(vexfs_coll_shrinker);
	vexfs_simd_exit();
}

// SPDX-License-Identifier: GPL-2.0
/*
 * Indexing in the background: rounds of a few milliseconds in a work item,
 * help from inserters when the tail grows long, and waiting for the end.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include <linux/jiffies.h>
#include <linux/ktime.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>

#include "collection.h"
#include "stats.h"

/* A round should take about so long; other work gets its turn after it. */
#define VEXFS_ROUND_NS		(4 * NSEC_PER_MSEC)
/* Rounds before the work item queues itself again. */
#define VEXFS_ROUNDS		8
#define VEXFS_BUDGET_MAX	4096u
/* Pending rows for each helper that is called. */
#define VEXFS_HELPER_ROWS	128u
/* Who indexes lets everybody else go first. */
#define VEXFS_WORKER_NICE	10
/* Rows that an inserter takes in at a time. */
#define VEXFS_HELP_ROWS		8

/*
 * Called by the core, with locks of its own held, whenever there is something
 * to index, to repair or to scrub. What is to be indexed is also to be
 * committed some time.
 */
void vexfs_coll_queue_work(struct vexfs_collection *c)
{
	if (test_bit(VEXFS_COLL_STOP, &c->flags))
		return;
	queue_work(vexfs_coll_wq(c), &c->index_work);
	if (!vexfs_coll_quiet(c))
		queue_delayed_work(vexfs_coll_wq(c), &c->commit_work,
				   VEXFS_COLL_COMMIT_DELAY);
}

/* One round; returns what vexfs_coll_index() does. */
static long vexfs_coll_round(struct vexfs_collection *c)
{
	u64 start = ktime_get_ns(), took;
	u32 budget = READ_ONCE(c->index_budget);
	struct vexfs_coll_stat st;
	long left;

	left = vexfs_coll_index(c->core, budget);
	WRITE_ONCE(c->index_err, left < 0 ? left : 0);
	took = ktime_get_ns() - start;
	if (took > 2 * VEXFS_ROUND_NS)
		budget = max(budget / 2, 1u);
	else if (took < VEXFS_ROUND_NS / 2)
		budget = min(budget * 2, VEXFS_BUDGET_MAX);
	WRITE_ONCE(c->index_budget, budget);
	vexfs_coll_refresh(c, &st);
	vexfs_stat_add(VEXFS_STAT_INDEX_ROUNDS, 1);

	WRITE_ONCE(c->index_round, c->index_round + 1);
	/* The round is seen before the sleepers' test; see vexfs_coll_wait. */
	smp_mb();
	wake_up_all(&c->index_wait);
	return left;
}

/*
 * On a read-only mount the index is completed in memory. Between the writing
 * out for a remount and the moment the mount is read-only nothing may run,
 * since it could scrub rows.
 */
static bool vexfs_coll_may_index(struct vexfs_collection *c)
{
	if (test_bit(VEXFS_COLL_STOP, &c->flags))
		return false;
	return !test_bit(VEXFS_COLL_QUIET, &c->flags) ||
	       sb_rdonly(vexfs_coll_sb(c));
}

/* Rounds until there is nothing to do, or it is somebody else's turn. */
static long vexfs_coll_rounds(struct vexfs_collection *c)
{
	unsigned int i;
	long left = 0;
	int tend;

	for (i = 0; i < VEXFS_ROUNDS; i++) {
		if (!vexfs_coll_may_index(c))
			return -EROFS;
		left = vexfs_coll_round(c);
		if (left < 0)
			break;
		tend = vexfs_coll_tend(c->core);
		if (tend < 0)
			return tend;
		vexfs_stat_add(VEXFS_STAT_INDEX_TENDED, tend);
		left += tend;
		if (!left)
			break;
		cond_resched();
	}
	return left;
}

/*
 * Scrubbing writes: not while the volume is frozen. The commit work is woken
 * now and then until it is thawed, and starts this one again.
 */
static long vexfs_coll_run(struct vexfs_collection *c)
{
	struct super_block *sb = vexfs_coll_sb(c);
	int nice = task_nice(current);
	bool writing = !sb_rdonly(sb);
	long left = 0;

	if (writing && !sb_start_write_trylock(sb))
		return 0;
	set_user_nice(current, VEXFS_WORKER_NICE);
	left = vexfs_coll_rounds(c);
	set_user_nice(current, nice);
	if (writing)
		sb_end_write(sb);
	return left;
}

/* Calls others when there is much to do. */
static void vexfs_coll_call_helpers(struct vexfs_collection *c)
{
	unsigned int i, most = min_t(unsigned int, VEXFS_COLL_HELPERS,
				     num_online_cpus() - 1);
	struct vexfs_coll_stat st;

	if (!most)
		return;
	vexfs_coll_refresh(c, &st);
	for (i = 0; i < most && st.pending > (i + 1) * VEXFS_HELPER_ROWS; i++)
		queue_work(vexfs_coll_wq(c), &c->helper[i].work);
}

static void vexfs_coll_index_work(struct work_struct *work)
{
	struct vexfs_collection *c =
		container_of(work, struct vexfs_collection, index_work);
	struct super_block *sb = vexfs_coll_sb(c);
	long left;

	vexfs_coll_call_helpers(c);
	left = vexfs_coll_run(c);
	if (left < 0) {
		/* Searches scan what is not indexed; the next kick retries. */
		if (left != -EROFS && left != -EINTR)
			pr_warn_ratelimited("vexfs (%s): collection %lu: indexing failed: %ld\n",
					    sb->s_id,
					    (unsigned long)c->inode->i_ino,
					    left);
		return;
	}
	if (left)
		queue_work(vexfs_coll_wq(c), &c->index_work);
	else if (!vexfs_coll_quiet(c))
		queue_delayed_work(vexfs_coll_wq(c), &c->commit_work,
				   VEXFS_COLL_COMMIT_DELAY);
}

/* What is left over, or goes wrong, is for the collection's own worker. */
static void vexfs_coll_helper_work(struct work_struct *work)
{
	vexfs_coll_run(container_of(work, struct vexfs_index_helper, work)->c);
}

void vexfs_coll_init_work(struct vexfs_collection *c)
{
	unsigned int i;

	c->index_budget = 16;
	INIT_WORK(&c->index_work, vexfs_coll_index_work);
	for (i = 0; i < VEXFS_COLL_HELPERS; i++) {
		INIT_WORK(&c->helper[i].work, vexfs_coll_helper_work);
		c->helper[i].c = c;
	}
}

void vexfs_coll_cancel_index(struct vexfs_collection *c)
{
	unsigned int i;

	/* It calls the helpers, so it goes first. */
	cancel_work_sync(&c->index_work);
	for (i = 0; i < VEXFS_COLL_HELPERS; i++)
		cancel_work_sync(&c->helper[i].work);
}

void vexfs_coll_help(struct vexfs_collection *c)
{
	u32 bound = vexfs_coll_tail_bound(c->core);
	struct vexfs_coll_stat st;
	long left;

	vexfs_coll_refresh(c, &st);
	left = min_t(u64, st.pending, LONG_MAX);
	while (left > bound && !fatal_signal_pending(current)) {
		left = vexfs_coll_index(c->core, VEXFS_HELP_ROWS);
		vexfs_stat_add(VEXFS_STAT_INDEX_HELPED, 1);
		cond_resched();
	}
}

void vexfs_coll_catch_up(struct vexfs_collection *c, unsigned int msecs)
{
	unsigned long end = jiffies + msecs_to_jiffies(msecs);

	while (time_before(jiffies, end) && vexfs_coll_round(c) > 0)
		cond_resched();
}

static long vexfs_coll_wait_round(struct vexfs_collection *c,
				  unsigned int round, long timeout)
{
	wait_queue_head_t *wq = &c->index_wait;

	return wait_event_interruptible_timeout(*wq, c->index_round != round,
						timeout);
}

int vexfs_coll_wait(struct vexfs_collection *c, u32 timeout_ms, u64 *pending)
{
	long left = msecs_to_jiffies(timeout_ms);
	struct vexfs_coll_stat st;
	unsigned int round;

	for (;;) {
		round = READ_ONCE(c->index_round);
		/* Pairs with the barrier before wake_up in vexfs_coll_round. */
		smp_mb();
		vexfs_coll_refresh(c, &st);
		*pending = st.pending;
		if (!st.pending || left <= 0)
			return 0;
		queue_work(vexfs_coll_wq(c), &c->index_work);
		left = vexfs_coll_wait_round(c, round, left);
		if (left < 0)
			return -EINTR;
		/* Asking again and again would not make it better. */
		if (READ_ONCE(c->index_err) == -EIO ||
		    READ_ONCE(c->index_err) == -ENOMEM)
			return READ_ONCE(c->index_err);
	}
}

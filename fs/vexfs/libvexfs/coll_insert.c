// SPDX-License-Identifier: GPL-2.0
/*
 * Inserting a batch: ids are checked and slots chosen, rows written, the
 * record appended to the log, and only then is anything of it visible.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include "coll_priv.h"

/*
 * Runs of a record that reuse slots. Freed slots are scattered: beyond this
 * many pieces the rest of a batch is appended instead.
 */
#define VEXFS_MAX_RUNS		65536u

static bool vexfs_ids_ascend(const u64 *ids, u32 count)
{
	u32 i;

	for (i = 1; i < count; i++) {
		if (ids[i] <= ids[i - 1])
			return false;
	}
	return true;
}

/* 1: an id is in the batch twice. */
static int vexfs_ids_repeat(const u64 *ids, u32 count)
{
	struct vexfs_idmap seen;
	u32 i;
	int ret;

	if (vexfs_ids_ascend(ids, count))
		return 0;
	ret = vexfs_idmap_init(&seen, NULL, ids);
	if (!ret)
		ret = vexfs_idmap_reserve(&seen, count);
	for (i = 0; !ret && i < count; i++) {
		if (vexfs_idmap_find(&seen, ids[i]) != VEXFS_NO_SLOT)
			ret = 1;
		else
			vexfs_idmap_insert(&seen, i);
		if (!(i % VEXFS_LOCK_BATCH))
			cond_resched();
	}
	vexfs_idmap_free(&seen);
	return ret;
}

/* The map can't change while write_lock is held: no need for the inner one */
static int vexfs_insert_check_ids(struct vexfs_coll *coll, const u64 *ids,
				  u32 count, unsigned int flags)
{
	bool upsert = flags & VEXFS_COLL_UPSERT;
	int repeat = vexfs_ids_repeat(ids, count);
	u32 i;

	if (repeat < 0)
		return repeat;
	if (repeat && !upsert)
		return -EEXIST;
	coll->replaces = repeat;
	for (i = 0; i < count; i++) {
		if (ids[i] == U64_MAX)
			return -EINVAL;
		if (vexfs_idmap_find(&coll->map, ids[i]) != VEXFS_NO_SLOT) {
			if (!upsert)
				return -EEXIST;
			coll->replaces = true;
		}
		if (!(i % VEXFS_LOCK_BATCH))
			cond_resched();
	}
	return 0;
}

/*
 * The first @count consecutive ids from next_id on that don't exist. Looking
 * from the end of the range backwards, each number is looked up once at most.
 */
static int vexfs_insert_assign(struct vexfs_coll *coll, u32 count, u64 *first)
{
	u64 start = coll->next_id, clear = start, end, id;
	u32 n = 0;

	for (;;) {
		/* U64_MAX itself is no id */
		if (check_add_overflow(start, (u64)count, &end))
			return -EFBIG;
		for (id = end; id > clear; id--) {
			if (vexfs_idmap_find(&coll->map, id - 1) !=
			    VEXFS_NO_SLOT)
				break;
			if (++n % 65536 == 0) {
				if (coll->io->killed(coll->priv))
					return -EINTR;
				cond_resched();
			}
		}
		if (id <= clear)
			break;
		/* Behind the one that exists; up to the old end it's free */
		start = id;
		clear = end;
	}
	*first = start;
	coll->replaces = false;
	return 0;
}

static void vexfs_runs_add(struct vexfs_coll_insert *ins, u32 slot, u32 len)
{
	struct vexfs_slot_run *run = &ins->runs[ins->nruns];

	run->sr_slot = cpu_to_le32(slot);
	run->sr_len = cpu_to_le32(len);
	ins->nruns++;
}

/* Runs of the @n sorted slots; what is beyond the limit goes back. */
static u32 vexfs_runs_build(struct vexfs_coll_insert *ins, const u32 *slots,
			    u32 n)
{
	u32 i, len;

	for (i = 0; i < n && ins->nruns < VEXFS_MAX_RUNS; i += len) {
		for (len = 1; i + len < n; len++) {
			if (slots[i + len] != slots[i] + len)
				break;
		}
		vexfs_runs_add(ins, slots[i], len);
	}
	for (len = i; len < n; len++)
		vexfs_coll_give_back(ins->coll, slots[len], 1);
	return i;
}

static void vexfs_runs_give_back(struct vexfs_coll_insert *ins)
{
	u32 i;

	for (i = 0; i < ins->nruns; i++)
		vexfs_coll_give_back(ins->coll,
				     le32_to_cpu(ins->runs[i].sr_slot),
				     le32_to_cpu(ins->runs[i].sr_len));
}

/* Chooses slots: free ones first, the rest behind the last. */
static int vexfs_insert_slots(struct vexfs_coll_insert *ins)
{
	struct vexfs_coll *coll = ins->coll;
	u32 count = ins->count, n = 0, most;
	u32 *slots = NULL;
	int err;

	most = min(count, READ_ONCE(coll->nreusable));
	ins->runs = kvmalloc_array(min(most, VEXFS_MAX_RUNS) + 1,
				   sizeof(*ins->runs), VEXFS_GFP);
	if (!ins->runs)
		return -ENOMEM;
	if (most) {
		slots = kvmalloc_array(most, sizeof(*slots), VEXFS_GFP);
		if (!slots)
			return -ENOMEM;
		n = vexfs_coll_take(coll, most, slots);
		n = vexfs_runs_build(ins, slots, n);
		kvfree(slots);
	}
	if (n == count)
		return 0;
	err = -EFBIG;
	if (count - n <= VEXFS_GRAPH_MAX_SLOTS - coll->slots)
		err = vexfs_coll_grow(coll, coll->slots + count - n);
	if (err)
		vexfs_runs_give_back(ins);
	else
		vexfs_runs_add(ins, coll->slots, count - n);
	return err;
}

/* The record, but for what vexfs_log_append() fills in. */
static int vexfs_insert_record(struct vexfs_coll_insert *ins)
{
	struct vexfs_log_record *lr;
	__le64 *ids;
	u32 i;

	lr = vexfs_log_alloc(VEXFS_LOG_INSERT, ins->count, ins->nruns);
	if (!lr)
		return -ENOMEM;
	memcpy(vexfs_log_runs(lr), ins->runs,
	       ins->nruns * sizeof(*ins->runs));
	ids = vexfs_log_ids(lr);
	for (i = 0; i < ins->count; i++)
		ids[i] = cpu_to_le64(ins->ids ? ins->ids[i] :
				     ins->first_id + i);
	ins->record = lr;
	ins->record_len = vexfs_log_len(ins->count, ins->nruns);
	return 0;
}

static int vexfs_insert_prepare(struct vexfs_coll_insert *ins,
				unsigned int flags)
{
	struct vexfs_coll *coll = ins->coll;
	int err;

	if (ins->ids)
		err = vexfs_insert_check_ids(coll, ins->ids, ins->count,
					     flags);
	else
		err = vexfs_insert_assign(coll, ins->count, &ins->first_id);
	if (err)
		return err;
	err = vexfs_coll_room(coll, ins->count,
			      coll->replaces ? ins->count : 0);
	if (err)
		return err;
	err = vexfs_insert_slots(ins);
	if (err)
		return err;
	err = vexfs_insert_record(ins);
	if (err)
		vexfs_runs_give_back(ins);
	return err;
}

int vexfs_coll_insert_begin(struct vexfs_coll *coll, const u64 *ids, u32 count,
			    unsigned int flags, struct vexfs_coll_insert *ins)
{
	int err;

	if (!count || count > VEXFS_BATCH_ROWS ||
	    flags & ~(unsigned int)VEXFS_COLL_UPSERT)
		return -EINVAL;
	memset(ins, 0, sizeof(*ins));
	ins->coll = coll;
	ins->ids = ids;
	ins->count = count;
	if (mutex_lock_killable(&coll->write_lock))
		return -EINTR;
	if (coll->ops->generation)
		ins->generation = coll->ops->generation(coll);
	err = vexfs_insert_prepare(ins, flags);
	if (!err)
		return 0;
	kvfree(ins->runs);
	mutex_unlock(&coll->write_lock);
	memset(ins, 0, sizeof(*ins));
	return err;
}

/* Slot of the next row, and how many follow it in the same run. */
static u32 vexfs_insert_slot(const struct vexfs_coll_insert *ins, u32 *follow)
{
	const struct vexfs_slot_run *run = &ins->runs[ins->run];

	*follow = le32_to_cpu(run->sr_len) - ins->in_run;
	return le32_to_cpu(run->sr_slot) + ins->in_run;
}

static void vexfs_insert_advance(struct vexfs_coll_insert *ins, u32 n)
{
	ins->done += n;
	ins->in_run += n;
	if (ins->in_run < le32_to_cpu(ins->runs[ins->run].sr_len))
		return;
	ins->run++;
	ins->in_run = 0;
}

/* Copies rows to where they are @stride apart, with the padding zeroed. */
static void vexfs_insert_pad(const struct vexfs_coll *coll, const void *rows,
			     u32 n, size_t stride)
{
	u32 bytes = coll->cfg.row_bytes, i;
	void *to = coll->bounce;

	for (i = 0; i < n; i++, to += coll->cfg.stride, rows += stride) {
		memcpy(to, rows, bytes);
		memset(to + bytes, 0, coll->cfg.stride - bytes);
	}
}

static int vexfs_insert_write(struct vexfs_coll_insert *ins, const void *rows,
			      u32 n, size_t stride)
{
	struct vexfs_coll *coll = ins->coll;
	u32 slot, now;
	int err;

	vexfs_insert_pad(coll, rows, n, stride);
	for (rows = coll->bounce; n; n -= now) {
		slot = vexfs_insert_slot(ins, &now);
		now = min(now, n);
		err = coll->io->write_rows(coll->priv, slot, now, rows);
		if (err)
			return err;
		if (ins->generation)
			coll->ops->rows(coll, ins->generation, slot, now,
					rows);
		vexfs_insert_advance(ins, now);
		rows += (size_t)now * coll->cfg.stride;
	}
	return 0;
}

int vexfs_coll_insert_rows(struct vexfs_coll_insert *ins, const void *rows,
			   u32 n, size_t stride)
{
	struct vexfs_coll *coll = ins->coll;
	u32 now;
	int err;

	lockdep_assert_held(&coll->write_lock);
	if (n > ins->count - ins->done || stride < coll->cfg.row_bytes)
		return -EINVAL;
	for (; n; n -= now, rows += now * stride) {
		now = min(n, coll->span);
		if (!vexfs_rows_finite(&coll->sp, rows, now, stride))
			return -EINVAL;
		err = vexfs_insert_write(ins, rows, now, stride);
		if (err)
			return err;
		cond_resched();
	}
	return 0;
}

/* The index takes the rows in, if it does so at once. */
static void vexfs_insert_enter(struct vexfs_coll_insert *ins)
{
	struct vexfs_coll *coll = ins->coll;
	u32 i;

	for (i = 0; ins->generation && i < ins->nruns; i++)
		coll->ops->enter(coll, ins->generation,
				 le32_to_cpu(ins->runs[i].sr_slot),
				 le32_to_cpu(ins->runs[i].sr_len));
}

static void vexfs_insert_publish(struct vexfs_coll_insert *ins)
{
	struct vexfs_coll *coll = ins->coll;
	const __le64 *ids = vexfs_log_ids(ins->record);
	u32 i, j, slot, n = 0;

	/* No search may see half of what replaces ids */
	if (coll->replaces)
		down_write(&coll->sem);
	write_lock(&coll->lock);
	for (i = 0; i < ins->nruns; i++) {
		slot = le32_to_cpu(ins->runs[i].sr_slot);
		for (j = 0; j < le32_to_cpu(ins->runs[i].sr_len); j++) {
			vexfs_coll_publish(coll, slot + j,
					   le64_to_cpu(ids[n++]),
					   ins->generation &&
					   coll->ops->has(coll, slot + j));
			if (n % VEXFS_LOCK_BATCH)
				continue;
			write_unlock(&coll->lock);
			cond_resched();
			write_lock(&coll->lock);
		}
	}
	write_unlock(&coll->lock);
	if (coll->replaces)
		up_write(&coll->sem);
}

static void vexfs_insert_finish(struct vexfs_coll_insert *ins)
{
	struct vexfs_coll *coll = ins->coll;

	kvfree(ins->runs);
	kvfree(ins->record);
	ins->runs = NULL;
	ins->record = NULL;
	mutex_unlock(&coll->write_lock);
}

int vexfs_coll_insert_end(struct vexfs_coll_insert *ins)
{
	struct vexfs_coll *coll = ins->coll;
	u64 next_id = coll->next_id;
	int err;

	lockdep_assert_held(&coll->write_lock);
	if (!ins->ids)
		next_id = ins->first_id + ins->count;
	err = -EINVAL;
	if (ins->done == ins->count)
		err = vexfs_log_append(coll, ins->record, next_id);
	if (err)
		return err;
	vexfs_insert_enter(ins);
	vexfs_insert_publish(ins);
	if (coll->ops->settle)
		coll->ops->settle(coll);
	vexfs_insert_finish(ins);
	/* Rows that wait are an exception there: as many as came are helped */
	if (coll->ops->settle && READ_ONCE(coll->waiting))
		vexfs_coll_index(coll, ins->count);
	vexfs_coll_kick(coll);
	return 0;
}

void vexfs_coll_insert_abort(struct vexfs_coll_insert *ins)
{
	struct vexfs_coll *coll = ins->coll;
	u32 i, slot, now, left = ins->done;

	lockdep_assert_held(&coll->write_lock);
	/*
	 * Nobody can reach these rows through ids, but who reads the file
	 * would see them. If it fails they are overwritten some day.
	 */
	for (i = 0; left && i < ins->nruns; i++, left -= now) {
		slot = le32_to_cpu(ins->runs[i].sr_slot);
		now = min(left, le32_to_cpu(ins->runs[i].sr_len));
		if (ins->generation)
			coll->ops->forget(coll, slot, now);
		if (slot < coll->slots && vexfs_coll_zero_rows(coll, slot, now))
			break;
	}
	vexfs_runs_give_back(ins);
	vexfs_insert_finish(ins);
}

// SPDX-License-Identifier: GPL-2.0
/*
 * Deleting a batch of ids: logged, and gone from that moment on.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include "coll_priv.h"

static void vexfs_delete_unmark(struct vexfs_coll *coll, const u32 *slots,
				u32 n)
{
	u32 i;

	for (i = 0; i < n; i++) {
		write_lock(&coll->lock);
		vexfs_coll_set_flags(coll, slots[i], VEXFS_SLOT_MARKED, 0);
		write_unlock(&coll->lock);
	}
}

/*
 * Finds the slots and marks each, so that an id that is in the batch twice is
 * noticed: the second time it doesn't exist.
 */
static int vexfs_delete_collect(struct vexfs_coll *coll, const u64 *ids,
				u32 count, unsigned int flags, u32 *slots,
				u32 *found)
{
	u32 i, slot;

	*found = 0;
	for (i = 0; i < count; i++) {
		write_lock(&coll->lock);
		slot = vexfs_idmap_find(&coll->map, ids[i]);
		if (slot != VEXFS_NO_SLOT &&
		    vexfs_coll_flags(coll, slot) & VEXFS_SLOT_MARKED)
			slot = VEXFS_NO_SLOT;
		if (slot != VEXFS_NO_SLOT)
			vexfs_coll_set_flags(coll, slot, 0,
					     VEXFS_SLOT_MARKED);
		write_unlock(&coll->lock);
		if (slot != VEXFS_NO_SLOT)
			slots[(*found)++] = slot;
		else if (!(flags & VEXFS_COLL_IGNORE))
			return -ENOENT;
		if (!(i % VEXFS_LOCK_BATCH))
			cond_resched();
	}
	return 0;
}

static int vexfs_delete_log(struct vexfs_coll *coll, const u32 *slots, u32 n)
{
	struct vexfs_log_record *lr;
	__le64 *ids;
	u32 i;
	int err;

	err = vexfs_coll_room(coll, 0, n);
	if (err)
		return err;
	lr = vexfs_log_alloc(VEXFS_LOG_DELETE, n, 0);
	if (!lr)
		return -ENOMEM;
	ids = vexfs_log_ids(lr);
	for (i = 0; i < n; i++)
		ids[i] = cpu_to_le64(vexfs_coll_id(coll, slots[i]));
	err = vexfs_log_append(coll, lr, coll->next_id);
	kvfree(lr);
	return err;
}

static int vexfs_delete_locked(struct vexfs_coll *coll, const u64 *ids,
			       u32 count, unsigned int flags, u32 *slots,
			       u32 *deleted)
{
	u32 i, n;
	int err;

	err = vexfs_delete_collect(coll, ids, count, flags, slots, &n);
	if (!err && n)
		err = vexfs_delete_log(coll, slots, n);
	if (err) {
		vexfs_delete_unmark(coll, slots, n);
		return err;
	}
	for (i = 0; i < n; i++) {
		write_lock(&coll->lock);
		vexfs_coll_kill(coll, slots[i]);
		write_unlock(&coll->lock);
		if (!(i % VEXFS_LOCK_BATCH))
			cond_resched();
	}
	*deleted = n;
	return 0;
}

int vexfs_coll_delete(struct vexfs_coll *coll, const u64 *ids, u32 count,
		      unsigned int flags, u32 *deleted)
{
	u32 *slots;
	int err;

	*deleted = 0;
	if (!count || count > VEXFS_BATCH_ROWS ||
	    flags & ~(unsigned int)VEXFS_COLL_IGNORE)
		return -EINVAL;
	slots = kvmalloc_array(count, sizeof(*slots), VEXFS_GFP);
	if (!slots)
		return -ENOMEM;
	err = -EINTR;
	if (!mutex_lock_killable(&coll->write_lock)) {
		err = vexfs_delete_locked(coll, ids, count, flags, slots,
					  deleted);
		mutex_unlock(&coll->write_lock);
	}
	kvfree(slots);
	return err;
}

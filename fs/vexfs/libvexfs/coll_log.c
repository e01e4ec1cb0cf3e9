// SPDX-License-Identifier: GPL-2.0
/*
 * The log of a collection: one record for each batch, appended to the log
 * fork, and replayed on top of the checkpoint when the collection is opened.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include "coll_priv.h"

/* Everything in it is a multiple of 8 bytes long. */
size_t vexfs_log_len(u32 count, u32 nruns)
{
	return sizeof(struct vexfs_log_record) +
	       nruns * sizeof(struct vexfs_slot_run) +
	       count * sizeof(__le64);
}

struct vexfs_log_record *vexfs_log_alloc(u16 type, u32 count, u32 nruns)
{
	size_t len = vexfs_log_len(count, nruns);
	struct vexfs_log_record *lr = kvmalloc(len, VEXFS_GFP);

	if (!lr)
		return NULL;
	memset(lr, 0, sizeof(*lr));
	lr->lr_magic = cpu_to_le32(VEXFS_MAGIC_LOG);
	lr->lr_len = cpu_to_le32(len);
	lr->lr_type = cpu_to_le16(type);
	lr->lr_count = cpu_to_le32(count);
	lr->lr_nruns = cpu_to_le32(nruns);
	return lr;
}

struct vexfs_slot_run *vexfs_log_runs(struct vexfs_log_record *lr)
{
	return (void *)(lr + 1);
}

__le64 *vexfs_log_ids(struct vexfs_log_record *lr)
{
	return (void *)(vexfs_log_runs(lr) + le32_to_cpu(lr->lr_nruns));
}

/* Appends a record. After that the batch can't fail any more. */
int vexfs_log_append(struct vexfs_coll *coll, struct vexfs_log_record *lr,
		     u64 next_id)
{
	size_t len = le32_to_cpu(lr->lr_len);
	int err;

	lockdep_assert_held(&coll->write_lock);
	lr->lr_owner = cpu_to_le64(coll->cfg.owner);
	lr->lr_seq = cpu_to_le64(coll->log_seq);
	lr->lr_next_id = cpu_to_le64(next_id);
	lr->lr_checksum = 0;
	lr->lr_checksum = cpu_to_le32(vexfs_crc32c(coll->cfg.csum_seed, lr,
						   len));
	err = coll->io->fork_write(coll->priv, VEXFS_FORK_LOG, coll->log_end,
				   lr, len);
	if (err)
		return err;
	write_lock(&coll->lock);
	coll->log_end += len;
	coll->log_seq++;
	coll->next_id = next_id;
	write_unlock(&coll->lock);
	return 0;
}

/* Checks what can be checked before the rest of the record is read. */
static int vexfs_log_verify_head(const struct vexfs_coll *coll,
				 const struct vexfs_log_record *lr, u64 left)
{
	u32 len = le32_to_cpu(lr->lr_len), count = le32_to_cpu(lr->lr_count);
	u32 nruns = le32_to_cpu(lr->lr_nruns);
	u16 type = le16_to_cpu(lr->lr_type);

	if (le32_to_cpu(lr->lr_magic) != VEXFS_MAGIC_LOG ||
	    le64_to_cpu(lr->lr_owner) != coll->cfg.owner ||
	    le64_to_cpu(lr->lr_seq) != coll->log_seq)
		return -EFSCORRUPTED;
	if (!count || count > VEXFS_BATCH_ROWS || lr->lr_ncolumns)
		return -EFSCORRUPTED;
	if (type == VEXFS_LOG_INSERT ? !nruns || nruns > count :
	    type != VEXFS_LOG_DELETE || nruns)
		return -EFSCORRUPTED;
	if (len != vexfs_log_len(count, nruns) || len > left)
		return -EFSCORRUPTED;
	return 0;
}

/* Reads and checks the record at @pos into @buf. */
static int vexfs_log_read(struct vexfs_coll *coll, u64 pos, u64 end,
			  struct vexfs_log_record **buf, size_t *room)
{
	struct vexfs_log_record head, *lr;
	u32 len, csum;
	int err;

	if (end - pos < sizeof(head))
		return -EFSCORRUPTED;
	err = coll->io->fork_read(coll->priv, VEXFS_FORK_LOG, pos, &head,
				  sizeof(head));
	if (!err)
		err = vexfs_log_verify_head(coll, &head, end - pos);
	if (err)
		return err;
	len = le32_to_cpu(head.lr_len);
	if (len > *room) {
		kvfree(*buf);
		*room = 0;
		*buf = kvmalloc(len, VEXFS_GFP);
		if (!*buf)
			return -ENOMEM;
		*room = len;
	}
	lr = *buf;
	err = coll->io->fork_read(coll->priv, VEXFS_FORK_LOG, pos, lr, len);
	if (err)
		return err;
	csum = le32_to_cpu(lr->lr_checksum);
	lr->lr_checksum = 0;
	if (csum != vexfs_crc32c(coll->cfg.csum_seed, lr, len))
		return -EFSBADCRC;
	/* What was checked above may have been read differently now */
	return vexfs_log_verify_head(coll, lr, end - pos);
}

/*
 * A run of an INSERT: slots that are not in use. New ones come one after the
 * other, so that a record can't ask for more memory than it is long.
 */
static int vexfs_replay_run(struct vexfs_coll *coll, u32 slot, u32 len,
			    const __le64 *ids)
{
	u32 i;
	u64 id;
	int err;

	if (slot > coll->slots || len > VEXFS_GRAPH_MAX_SLOTS - slot)
		return -EFSCORRUPTED;
	err = vexfs_coll_grow(coll, slot + len);
	for (i = 0; !err && i < len; i++) {
		id = le64_to_cpu(ids[i]);
		if (id == U64_MAX || vexfs_coll_is_live(coll, slot + i))
			return -EFSCORRUPTED;
		write_lock(&coll->lock);
		vexfs_coll_publish(coll, slot + i, id, false);
		write_unlock(&coll->lock);
	}
	return err;
}

static int vexfs_replay_insert(struct vexfs_coll *coll,
			       struct vexfs_log_record *lr)
{
	const struct vexfs_slot_run *runs = vexfs_log_runs(lr);
	u32 count = le32_to_cpu(lr->lr_count), done = 0, len, i;
	int err = 0;

	for (i = 0; !err && i < le32_to_cpu(lr->lr_nruns); i++) {
		len = le32_to_cpu(runs[i].sr_len);
		if (!len || len > count - done)
			return -EFSCORRUPTED;
		err = vexfs_replay_run(coll, le32_to_cpu(runs[i].sr_slot), len,
				       vexfs_log_ids(lr) + done);
		done += len;
		cond_resched();
	}
	if (!err && done != count)
		err = -EFSCORRUPTED;
	return err;
}

static int vexfs_replay_delete(struct vexfs_coll *coll,
			       struct vexfs_log_record *lr)
{
	const __le64 *ids = vexfs_log_ids(lr);
	u32 i, slot;

	for (i = 0; i < le32_to_cpu(lr->lr_count); i++) {
		slot = vexfs_idmap_find(&coll->map, le64_to_cpu(ids[i]));
		if (slot == VEXFS_NO_SLOT)
			return -EFSCORRUPTED;
		write_lock(&coll->lock);
		vexfs_coll_kill(coll, slot);
		write_unlock(&coll->lock);
	}
	return 0;
}

static int vexfs_replay_record(struct vexfs_coll *coll,
			       struct vexfs_log_record *lr)
{
	u32 count = le32_to_cpu(lr->lr_count);
	u64 next_id = le64_to_cpu(lr->lr_next_id);
	int err;

	if (next_id < coll->next_id)
		return -EFSCORRUPTED;
	coll->next_id = next_id;
	if (le16_to_cpu(lr->lr_type) == VEXFS_LOG_DELETE) {
		err = vexfs_coll_room(coll, 0, count);
		return err ? err : vexfs_replay_delete(coll, lr);
	}
	err = vexfs_coll_room(coll, count, count);
	return err ? err : vexfs_replay_insert(coll, lr);
}

/* What the header and the log say has to agree. */
static int vexfs_replay_check(const struct vexfs_coll *coll,
			      const struct vexfs_coll_header *ch)
{
	if (coll->log_seq != le64_to_cpu(ch->ch_log_seq) ||
	    coll->next_id != le64_to_cpu(ch->ch_next_id) ||
	    coll->slots != le64_to_cpu(ch->ch_slots) ||
	    coll->live != le64_to_cpu(ch->ch_live))
		return -EFSCORRUPTED;
	return 0;
}

/* The log ends where it can't be read; no id is assigned a second time. */
static int vexfs_replay_salvage(struct vexfs_coll *coll,
				const struct vexfs_coll_header *ch, int err)
{
	if (err == -ENOMEM || err == -EINTR)
		return err;
	coll->next_id = max(coll->next_id, le64_to_cpu(ch->ch_next_id));
	return 0;
}

int vexfs_log_replay(struct vexfs_coll *coll,
		     const struct vexfs_coll_header *ch)
{
	u64 end = le64_to_cpu(ch->ch_log_end);
	struct vexfs_log_record *lr = NULL;
	u64 first = coll->log_seq;
	size_t room = 0;
	int err = 0;

	while (!err && coll->log_end < end) {
		err = vexfs_log_read(coll, coll->log_end, end, &lr, &room);
		if (err)
			break;
		err = vexfs_replay_record(coll, lr);
		coll->log_end += le32_to_cpu(lr->lr_len);
		coll->log_seq++;
	}
	kvfree(lr);
	/* Only records carry it besides the header */
	if (coll->log_seq == first)
		coll->next_id = le64_to_cpu(ch->ch_next_id);
	if (coll->cfg.salvage)
		return vexfs_replay_salvage(coll, ch, err);
	return err ? err : vexfs_replay_check(coll, ch);
}

// SPDX-License-Identifier: GPL-2.0
/*
 * What a collection is (its configuration), and opening and closing one.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include "coll_priv.h"

#define VEXFS_DEFAULT_M		16u
#define VEXFS_DEFAULT_EFC	200u
/*
 * Candidates a search keeps unless told otherwise. 64 of them find 99.9 % of
 * the ten nearest of the demo's 20,000 word vectors; what is left of that in
 * a collection of millions is what the other half is for.
 */
#define VEXFS_DEFAULT_EF	128u

/* Where a log can't end: no file is as long. */
#define VEXFS_LOG_LIMIT		BIT_ULL(44)

static_assert(VEXFS_M_MAX == VEXFS_GRAPH_MAX_M);
static_assert(VEXFS_EF_MAX == VEXFS_GRAPH_MAX_EF);

/* Tables make bits: 512 are what one cache line holds. */
#define VEXFS_DEFAULT_TABLES	16u
#define VEXFS_DEFAULT_RECALL	9000u

/* There, @ef is how many neighbours are looked for, if that is more than k. */
static int vexfs_config_check_lsh(struct vexfs_coll_config *cfg)
{
	if (!cfg->lsh_tables)
		cfg->lsh_tables = VEXFS_DEFAULT_TABLES;
	if (!cfg->lsh_recall)
		cfg->lsh_recall = VEXFS_DEFAULT_RECALL;
	if (!cfg->ef)
		cfg->ef = 1;
	if (cfg->m || cfg->ef_construction || cfg->ef > VEXFS_EF_MAX ||
	    cfg->lsh_tables > VEXFS_LSH_MAX_TABLES ||
	    cfg->lsh_bits > VEXFS_LSH_MAX_ADDRESS ||
	    cfg->lsh_recall >= VEXFS_LSH_ONE)
		return -EINVAL;
	return vexfs_projector_supports(cfg->elem, cfg->metric) ? 0 :
	       -EOPNOTSUPP;
}

static int vexfs_config_check_index(struct vexfs_coll_config *cfg)
{
	if (cfg->index == VEXFS_INDEX_LSH)
		return vexfs_config_check_lsh(cfg);
	if (cfg->index != VEXFS_INDEX_FLAT && cfg->index != VEXFS_INDEX_HNSW)
		return -EINVAL;
	if (cfg->lsh_tables || cfg->lsh_bits || cfg->lsh_recall)
		return -EINVAL;
	if (!cfg->m)
		cfg->m = VEXFS_DEFAULT_M;
	if (!cfg->ef_construction)
		cfg->ef_construction = max(VEXFS_DEFAULT_EFC, cfg->m);
	if (!cfg->ef)
		cfg->ef = VEXFS_DEFAULT_EF;
	if (cfg->m < VEXFS_GRAPH_MIN_M || cfg->m > VEXFS_M_MAX ||
	    cfg->ef_construction < cfg->m ||
	    cfg->ef_construction > VEXFS_EF_MAX || cfg->ef > VEXFS_EF_MAX)
		return -EINVAL;
	return 0;
}

int vexfs_coll_config_check(struct vexfs_coll_config *cfg)
{
	struct vexfs_space sp;
	int err;

	if (!cfg->dims || cfg->dims > VEXFS_MAX_DIMS ||
	    !cfg->elem || cfg->elem > VEXFS_ELEM_B1 ||
	    !cfg->metric || cfg->metric > VEXFS_METRIC_HAMMING)
		return -EINVAL;
	err = vexfs_config_check_index(cfg);
	if (!err)
		err = vexfs_space_init(&sp, cfg->elem, cfg->metric, cfg->dims);
	if (err)
		return err;
	cfg->stride = sp.stride;
	cfg->row_bytes = sp.row_bytes;
	if (!cfg->seed)
		cfg->seed = get_random_u64() | 1;
	return 0;
}

void vexfs_coll_config_to_header(const struct vexfs_coll_config *cfg,
				 struct vexfs_coll_header *ch)
{
	ch->ch_version = cpu_to_le32(1);
	ch->ch_dims = cpu_to_le32(cfg->dims);
	ch->ch_stride = cpu_to_le32(cfg->stride);
	ch->ch_elem = cfg->elem;
	ch->ch_metric = cfg->metric;
	ch->ch_index = cfg->index;
	ch->ch_m = cpu_to_le32(cfg->m);
	ch->ch_ef_construction = cpu_to_le32(cfg->ef_construction);
	ch->ch_ef = cpu_to_le32(cfg->ef);
	ch->ch_lsh_tables = cpu_to_le32(cfg->lsh_tables);
	ch->ch_lsh_bits = cpu_to_le32(cfg->lsh_bits);
	ch->ch_lsh_recall = cpu_to_le32(cfg->lsh_recall);
	ch->ch_seed = cpu_to_le64(cfg->seed);
}

/* Defaults were filled in when it was made. */
static bool vexfs_config_complete(const struct vexfs_coll_config *cfg)
{
	if (!cfg->ef || !cfg->seed)
		return false;
	if (cfg->index == VEXFS_INDEX_LSH)
		return cfg->lsh_tables && cfg->lsh_recall;
	return cfg->m && cfg->ef_construction;
}

/* Owner and checksum seed are the caller's to fill in. */
int vexfs_coll_config_from_header(const struct vexfs_coll_header *ch,
				  struct vexfs_coll_config *cfg)
{
	int err;

	cfg->dims = le32_to_cpu(ch->ch_dims);
	cfg->elem = ch->ch_elem;
	cfg->metric = ch->ch_metric;
	cfg->index = ch->ch_index;
	cfg->m = le32_to_cpu(ch->ch_m);
	cfg->ef_construction = le32_to_cpu(ch->ch_ef_construction);
	cfg->ef = le32_to_cpu(ch->ch_ef);
	cfg->lsh_tables = le32_to_cpu(ch->ch_lsh_tables);
	cfg->lsh_bits = le32_to_cpu(ch->ch_lsh_bits);
	cfg->lsh_recall = le32_to_cpu(ch->ch_lsh_recall);
	cfg->seed = le64_to_cpu(ch->ch_seed);
	if (le32_to_cpu(ch->ch_version) != 1)
		return -EFSCORRUPTED;
	if (!vexfs_config_complete(cfg))
		return -EFSCORRUPTED;
	err = vexfs_coll_config_check(cfg);
	if (err == -EINVAL)
		err = -EFSCORRUPTED;
	if (!err && cfg->stride != le32_to_cpu(ch->ch_stride))
		err = -EFSCORRUPTED;
	return err;
}

static int vexfs_coll_init(struct vexfs_coll *coll)
{
	size_t bytes;
	int err;

	err = vexfs_space_init(&coll->sp, coll->cfg.elem, coll->cfg.metric,
			       coll->cfg.dims);
	if (err)
		return err;
	if (coll->sp.stride != coll->cfg.stride ||
	    coll->sp.row_bytes != coll->cfg.row_bytes)
		return -EINVAL;
	coll->span = clamp(VEXFS_SPAN_BYTES / coll->sp.stride, 1u,
			   (unsigned int)VEXFS_PIN_MAX);
	bytes = (size_t)coll->span * coll->sp.stride;
	coll->bounce = kvmalloc(bytes, VEXFS_GFP);
	coll->zeroes = kvzalloc(bytes, VEXFS_GFP);
	if (!coll->bounce || !coll->zeroes)
		return -ENOMEM;
	err = vexfs_idmap_init(&coll->map, &coll->ids, NULL);
	if (!err)
		err = vexfs_ring_init(&coll->pending);
	if (!err)
		err = vexfs_ring_init(&coll->freed);
	if (!err)
		err = vexfs_coll_index_init(coll);
	return err;
}

static struct vexfs_coll *vexfs_coll_alloc(const struct vexfs_coll_config *cfg,
					   const struct vexfs_coll_io *io,
					   void *priv)
{
	struct vexfs_coll *coll = kvzalloc(sizeof(*coll), VEXFS_GFP);
	int err;
	u32 i;

	if (!coll)
		return ERR_PTR(-ENOMEM);
	coll->cfg = *cfg;
	coll->io = io;
	coll->priv = priv;
	mutex_init(&coll->write_lock);
	init_rwsem(&coll->index_lock);
	init_rwsem(&coll->sem);
	rwlock_init(&coll->lock);
	for (i = 0; i < VEXFS_INDEXERS; i++)
		mutex_init(&coll->indexer[i].lock);
	vexfs_arena_init(&coll->ids, sizeof(__le64));
	vexfs_arena_init(&coll->flags, sizeof(u8));
	err = vexfs_coll_init(coll);
	if (err) {
		vexfs_coll_free(coll);
		return ERR_PTR(err);
	}
	return coll;
}

void vexfs_coll_free(struct vexfs_coll *coll)
{
	u32 i;

	if (!coll)
		return;
	vexfs_coll_index_free(coll);
	for (i = 0; i < VEXFS_INDEXERS; i++)
		mutex_destroy(&coll->indexer[i].lock);
	vexfs_ckpt_free(&coll->ckpt);
	vexfs_ckpt_free(&coll->next);
	kvfree(coll->chunk_used);
	kvfree(coll->reusable);
	vexfs_ring_free(&coll->freed);
	vexfs_ring_free(&coll->pending);
	vexfs_idmap_free(&coll->map);
	vexfs_arena_free(&coll->flags);
	vexfs_arena_free(&coll->ids);
	kvfree(coll->zeroes);
	kvfree(coll->bounce);
	mutex_destroy(&coll->write_lock);
	kvfree(coll);
}

/* What of the header can be checked without looking further. */
static int vexfs_open_check(const struct vexfs_coll_header *ch)
{
	u64 slots = le64_to_cpu(ch->ch_slots);
	u64 start = le64_to_cpu(ch->ch_log_start);
	u64 end = le64_to_cpu(ch->ch_log_end);

	if (slots > VEXFS_GRAPH_MAX_SLOTS || le64_to_cpu(ch->ch_live) > slots)
		return -EFSCORRUPTED;
	if (start > end || end > VEXFS_LOG_LIMIT || (start | end) & 7)
		return -EFSCORRUPTED;
	if (le64_to_cpu(ch->ch_ckpt_log_seq) > le64_to_cpu(ch->ch_log_seq))
		return -EFSCORRUPTED;
	return 0;
}

/*
 * The queues say what was going on before; what matters now follows from the
 * flags. Everything is durable that was read.
 */
static int vexfs_open_queues(struct vexfs_coll *coll)
{
	struct vexfs_ring *freed = &coll->freed;
	u32 slot;
	int err;
	u8 f;

	coll->pending.head = coll->pending.tail;
	coll->claimed = coll->pending.head;
	coll->claim_top = coll->claimed;
	freed->head = freed->tail;
	coll->waiting = 0;
	err = vexfs_coll_room(coll, coll->live, coll->slots - coll->live + 1);
	if (err)
		return err;
	for (slot = 0; slot < coll->slots; slot++) {
		f = vexfs_coll_flags(coll, slot);
		if (f & VEXFS_SLOT_PENDING && f & VEXFS_SLOT_LIVE) {
			vexfs_ring_push(&coll->pending, slot);
			coll->waiting++;
			coll->stale += !!(f & VEXFS_SLOT_INDEXED);
		} else if (f & (VEXFS_SLOT_SCRUB | VEXFS_SLOT_INDEXED) &&
			   !(f & VEXFS_SLOT_LIVE)) {
			vexfs_coll_set_flags(coll, slot, VEXFS_SLOT_PENDING,
					     VEXFS_SLOT_SCRUB);
			vexfs_ring_push(freed, slot);
		} else if (!(f & VEXFS_SLOT_LIVE)) {
			coll->reusable[coll->nreusable++] = slot;
		}
		if (!(slot & 0xffff))
			cond_resched();
	}
	coll->committed = freed->tail;
	coll->zeroed = freed->head;
	coll->quiet = freed->head;
	coll->rebuilt = coll->waiting;
	return 0;
}

static int vexfs_open_read(struct vexfs_coll *coll,
			   const struct vexfs_coll_header *ch)
{
	int err;

	err = vexfs_open_check(ch);
	if (err)
		return err;
	/* Before the first record there is nothing that a log can't tell */
	if (ch->ch_ckpt_len && ch->ch_ckpt_log_seq)
		err = vexfs_ckpt_load(coll, ch);
	else if (ch->ch_ckpt_log_seq)
		err = -EFSCORRUPTED;
	if (err)
		return err;
	coll->log_end = le64_to_cpu(ch->ch_log_start);
	coll->log_seq = le64_to_cpu(ch->ch_ckpt_log_seq);
	err = vexfs_log_replay(coll, ch);
	if (err)
		return err;
	coll->durable_end = coll->log_end;
	return vexfs_open_queues(coll);
}

struct vexfs_coll *vexfs_coll_open(const struct vexfs_coll_config *cfg,
				   const struct vexfs_coll_header *ch,
				   const struct vexfs_coll_io *io, void *priv)
{
	struct vexfs_coll *coll = vexfs_coll_alloc(cfg, io, priv);
	int err;

	if (IS_ERR(coll))
		return coll;
	err = vexfs_open_read(coll, ch);
	if (err) {
		vexfs_coll_free(coll);
		return ERR_PTR(err);
	}
	return coll;
}

static u64 vexfs_coll_memory(const struct vexfs_coll *coll)
{
	u64 n = coll->ids.memory + coll->flags.memory;

	n += vexfs_idmap_memory(&coll->map);
	n += ((u64)coll->pending.mask + coll->freed.mask + 2) * sizeof(u32);
	n += coll->reusable_cap * sizeof(u32);
	if (coll->ops->memory)
		n += coll->ops->memory(coll);
	return n;
}

void vexfs_coll_stat(struct vexfs_coll *coll, struct vexfs_coll_stat *st)
{
	memset(st, 0, sizeof(*st));
	down_read(&coll->sem);
	read_lock(&coll->lock);
	st->live = coll->live;
	st->slots = coll->slots;
	if (vexfs_coll_holds(coll)) {
		st->pending = coll->waiting;
		st->indexed = coll->live - coll->waiting;
	}
	st->next_id = coll->next_id;
	st->uncommitted = coll->log_end - coll->durable_end;
	st->memory = vexfs_coll_memory(coll);
	read_unlock(&coll->lock);
	if (coll->cfg.index == VEXFS_INDEX_HNSW)
		st->max_level = vexfs_graph_max_level(&coll->graph);
	if (coll->cfg.index == VEXFS_INDEX_LSH)
		st->buckets = READ_ONCE(coll->lsh.nbuckets);
	up_read(&coll->sem);
	st->rebuilt = coll->rebuilt;
	st->damaged = coll->damaged;
}

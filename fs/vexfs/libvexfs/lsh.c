// SPDX-License-Identifier: GPL-2.0
/*
 * LSH: sketches, and the tables in which slots are found by words of them.
 *
 * Tables grow by linear hashing: when there are more than so many slots to a
 * bucket, the next bucket in turn is divided by one more bit of the address.
 * So there is never a moment at which a table is built anew.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include "lsh_priv.h"

u32 vexfs_lsh_param_words(const struct vexfs_lsh *lsh)
{
	return VEXFS_LSH_PARAM_HEAD + lsh->pj.bits;
}

int vexfs_lsh_init(struct vexfs_lsh *lsh, const struct vexfs_lsh_config *cfg)
{
	u32 words = cfg->tables;
	int err;

	memset(lsh, 0, sizeof(*lsh));
	if (!words || words > VEXFS_LSH_MAX_TABLES || !cfg->address ||
	    cfg->address > VEXFS_LSH_MAX_ADDRESS)
		return -EINVAL;
	mutex_init(&lsh->lock);
	lsh->tables = words;
	lsh->address = cfg->address;
	vexfs_arena_init(&lsh->sketch, words * sizeof(u32));
	vexfs_arena_init(&lsh->params, sizeof(__le32));
	vexfs_arena_init(&lsh->in, sizeof(u8));
	vexfs_arena_init(&lsh->bucket, sizeof(struct vexfs_lsh_block));
	vexfs_arena_init(&lsh->more, sizeof(struct vexfs_lsh_block));
	lsh->nbuckets = 1;
	lsh->near = words * 8;
	err = vexfs_projector_init(&lsh->pj, cfg->space, words * 32, cfg->seed);
	if (err)
		return err;
	lsh->work_mem = kvmalloc(vexfs_projector_work(&lsh->pj) + 63,
				 GFP_KERNEL_ACCOUNT);
	if (!lsh->work_mem)
		return -ENOMEM;
	lsh->work = PTR_ALIGN(lsh->work_mem, 64);
	return vexfs_arena_reserve(&lsh->params, vexfs_lsh_param_words(lsh));
}

void vexfs_lsh_free(struct vexfs_lsh *lsh)
{
	if (!lsh->sketch.item_size)
		return;
	vexfs_arena_free(&lsh->sketch);
	vexfs_arena_free(&lsh->params);
	vexfs_arena_free(&lsh->in);
	vexfs_arena_free(&lsh->bucket);
	vexfs_arena_free(&lsh->more);
	vexfs_projector_free(&lsh->pj);
	kvfree(lsh->work_mem);
	mutex_destroy(&lsh->lock);
	memset(lsh, 0, sizeof(*lsh));
}

u64 vexfs_lsh_memory(const struct vexfs_lsh *lsh)
{
	return lsh->sketch.memory + lsh->params.memory + lsh->in.memory +
	       lsh->bucket.memory + lsh->more.memory;
}

/* Buckets of a table for so many slots. */
static u32 lsh_buckets(const struct vexfs_lsh *lsh, u32 slots)
{
	return clamp(slots / VEXFS_LSH_LOAD, 1u, 1u << lsh->address);
}

int vexfs_lsh_reserve(struct vexfs_lsh *lsh, u32 slots)
{
	u64 blocks = (u64)lsh_buckets(lsh, slots) * lsh->tables;
	int err;

	if (slots > VEXFS_LSH_MAX_SLOTS || blocks > U32_MAX)
		return -EFBIG;
	err = vexfs_arena_reserve(&lsh->sketch, slots);
	if (!err)
		err = vexfs_arena_reserve(&lsh->in, slots);
	if (!err)
		err = vexfs_arena_reserve(&lsh->bucket, (u32)blocks);
	return err;
}

/* ---------------------------------------------------------------- blocks */

static u32 lsh_blocks_left(const struct vexfs_lsh *lsh)
{
	return lsh->more.count - lsh->more_used + lsh->more_nfree;
}

/*
 * A slot takes a block in each table at most. Dividing buckets only takes what
 * is above that, see lsh_may_divide().
 */
bool vexfs_lsh_has_room(const struct vexfs_lsh *lsh, u32 n)
{
	return lsh_blocks_left(lsh) >= n * lsh->tables + VEXFS_LSH_SPARE;
}

int vexfs_lsh_make_room(struct vexfs_lsh *lsh, u32 n)
{
	u64 want = (u64)n * lsh->tables + VEXFS_LSH_SPARE;

	if (vexfs_lsh_has_room(lsh, n))
		return 0;
	/* In steps that grow with what there is */
	want = lsh->more.count + max_t(u64, want, lsh->more.count / 8);
	if (want > VEXFS_LSH_MAX_SLOTS)
		return -EFBIG;
	return vexfs_arena_reserve(&lsh->more, (u32)want);
}

static u32 lsh_block_take(struct vexfs_lsh *lsh)
{
	struct vexfs_lsh_block *b;
	u32 nr = lsh->more_free;

	if (!nr)
		return ++lsh->more_used;
	b = vexfs_lsh_more(lsh, nr);
	lsh->more_free = b->slot[0];
	lsh->more_nfree--;
	b->slot[0] = 0;
	return nr;
}

/*
 * A search may stand on it: it goes on with @next, which stays, and finds what
 * is in the block then, which are slots like others.
 */
static void lsh_block_give(struct vexfs_lsh *lsh, u32 nr)
{
	struct vexfs_lsh_block *b = vexfs_lsh_more(lsh, nr);

	b->slot[0] = lsh->more_free;
	lsh->more_free = nr;
	lsh->more_nfree++;
}

/* Puts it into the first block, or into a new one behind it when that's full */
static void lsh_bucket_put(struct vexfs_lsh *lsh, struct vexfs_lsh_block *b,
			   u32 slot)
{
	struct vexfs_lsh_block *more;
	u32 i, nr;

	for (i = 0; i < VEXFS_LSH_BLOCK; i++) {
		if (!b->slot[i]) {
			/* Pairs with the acquire of searches */
			smp_store_release(&b->slot[i], slot + 1);
			return;
		}
	}
	/* What is in the first block moves: it is found twice for a moment */
	nr = lsh_block_take(lsh);
	more = vexfs_lsh_more(lsh, nr);
	memcpy(more->slot, b->slot, sizeof(b->slot));
	WRITE_ONCE(more->next, b->next);
	/* Pairs with the acquire of searches: the block is complete */
	smp_store_release(&b->next, nr);
	for (i = 1; i < VEXFS_LSH_BLOCK; i++)
		WRITE_ONCE(b->slot[i], 0);
	/* Pairs with the acquire of searches: its sketch is written */
	smp_store_release(&b->slot[0], slot + 1);
}

/* Takes the block behind @b out when nothing is in it any more. */
static void lsh_bucket_shorten(struct vexfs_lsh *lsh,
			       struct vexfs_lsh_block *b)
{
	u32 nr = b->next;
	struct vexfs_lsh_block *more = vexfs_lsh_more(lsh, nr);

	if (memchr_inv(more->slot, 0, sizeof(more->slot)))
		return;
	WRITE_ONCE(b->next, more->next);
	lsh_block_give(lsh, nr);
}

static void lsh_bucket_remove(struct vexfs_lsh *lsh, struct vexfs_lsh_block *b,
			      u32 slot)
{
	struct vexfs_lsh_block *before = NULL;
	u32 i;

	for (;;) {
		for (i = 0; i < VEXFS_LSH_BLOCK; i++) {
			if (b->slot[i] != slot + 1)
				continue;
			WRITE_ONCE(b->slot[i], 0);
			if (before)
				lsh_bucket_shorten(lsh, before);
			return;
		}
		if (!b->next)
			return;
		before = b;
		b = vexfs_lsh_more(lsh, b->next);
	}
}

/* ---------------------------------------------------------------- growing */

static u32 lsh_bucket_of(const struct vexfs_lsh *lsh, u32 word)
{
	u32 bits = ilog2(lsh->nbuckets), b;

	b = word & ((2u << bits) - 1);
	return b < lsh->nbuckets ? b : word & ((1u << bits) - 1);
}

/* Of table @t, where a slot with @word in its sketch belongs. */
static struct vexfs_lsh_block *lsh_bucket_at(const struct vexfs_lsh *lsh,
					     u32 word, u32 t)
{
	return vexfs_lsh_bucket(lsh, lsh_bucket_of(lsh, word), t);
}

static bool lsh_moves(const struct vexfs_lsh *lsh, u32 entry, u32 table,
		      u32 bit)
{
	return entry && vexfs_lsh_sketch(lsh, entry - 1)[table] & bit;
}

/*
 * Copies what belongs into the new bucket, in one table. Returns how many
 * blocks that would take without @to.
 */
static u32 lsh_divide_copy(struct vexfs_lsh *lsh, u32 table, u32 from, u32 bit,
			   struct vexfs_lsh_block *to)
{
	struct vexfs_lsh_block *b = vexfs_lsh_bucket(lsh, from, table);
	u32 i, n = 0;

	for (;;) {
		for (i = 0; i < VEXFS_LSH_BLOCK; i++) {
			if (!lsh_moves(lsh, b->slot[i], table, bit))
				continue;
			n++;
			if (to)
				lsh_bucket_put(lsh, to, b->slot[i] - 1);
		}
		if (!b->next)
			return n / VEXFS_LSH_BLOCK;
		b = vexfs_lsh_more(lsh, b->next);
	}
}

static void lsh_divide_clear(struct vexfs_lsh *lsh, u32 table, u32 from,
			     u32 bit)
{
	struct vexfs_lsh_block *b = vexfs_lsh_bucket(lsh, from, table), *before;
	u32 i, next;

	for (before = NULL;; b = vexfs_lsh_more(lsh, next)) {
		for (i = 0; i < VEXFS_LSH_BLOCK; i++) {
			if (lsh_moves(lsh, b->slot[i], table, bit))
				WRITE_ONCE(b->slot[i], 0);
		}
		next = b->next;
		if (before) {
			u32 nr = before->next;

			lsh_bucket_shorten(lsh, before);
			if (before->next == nr)
				before = b;
		} else {
			before = b;
		}
		if (!next)
			return;
	}
}

/*
 * When a bucket is longer than what is in reserve, as it is where many rows
 * are the same, this waits until there are blocks: tables that are not divided
 * only make for longer buckets.
 */
static bool lsh_may_divide(struct vexfs_lsh *lsh, u32 from, u32 bit)
{
	u32 t, blocks = 0;

	for (t = 0; t < lsh->tables; t++)
		blocks += lsh_divide_copy(lsh, t, from, bit, NULL);
	return blocks <= VEXFS_LSH_SPARE / 2 &&
	       blocks + VEXFS_LSH_ROWS * lsh->tables <= lsh_blocks_left(lsh);
}

/* One bucket of each table becomes two. */
static void lsh_divide(struct vexfs_lsh *lsh)
{
	u32 new = lsh->nbuckets, bit = 1u << ilog2(new), from = new - bit, t;

	if (!lsh_may_divide(lsh, from, bit))
		return;
	for (t = 0; t < lsh->tables; t++)
		lsh_divide_copy(lsh, t, from, bit,
				vexfs_lsh_bucket(lsh, new, t));
	/* Pairs with the acquire of searches: the new ones are complete */
	smp_store_release(&lsh->nbuckets, new + 1);
	for (t = 0; t < lsh->tables; t++)
		lsh_divide_clear(lsh, t, from, bit);
}

static bool lsh_wants_division(const struct vexfs_lsh *lsh)
{
	return lsh->count / VEXFS_LSH_LOAD > lsh->nbuckets &&
	       lsh->nbuckets < 1u << lsh->address &&
	       (u64)(lsh->nbuckets + 1) * lsh->tables <= lsh->bucket.count;
}

/* ------------------------------------------------------------------ slots */

void vexfs_lsh_hash(struct vexfs_lsh *lsh, u32 slot, const void *const *rows,
		    u32 n)
{
	u32 per, now, i;

	for (; n; n -= now, rows += now, slot += now) {
		/* As many as lie one behind the other in the arena */
		per = 1u << lsh->sketch.shift;
		now = min(n, per - (slot & (per - 1)));
		vexfs_project_rows(&lsh->pj, rows, now,
				   vexfs_lsh_sketch(lsh, slot), lsh->work);
		for (i = 0; i < now; i++)
			vexfs_arena_dirty(&lsh->sketch, slot + i);
	}
}

void vexfs_lsh_forget(struct vexfs_lsh *lsh, u32 slot)
{
	memset(vexfs_lsh_sketch(lsh, slot), 0, lsh->sketch.item_size);
	vexfs_arena_dirty(&lsh->sketch, slot);
}

void vexfs_lsh_add(struct vexfs_lsh *lsh, u32 slot)
{
	const u32 *word = vexfs_lsh_sketch(lsh, slot);
	u8 *in = vexfs_arena_item(&lsh->in, slot);
	u32 t;

	lockdep_assert_held(&lsh->lock);
	for (t = 0; t < lsh->tables; t++)
		prefetch(lsh_bucket_at(lsh, word[t], t));
	for (t = 0; t < lsh->tables; t++)
		lsh_bucket_put(lsh, lsh_bucket_at(lsh, word[t], t), slot);
	lsh->count++;
	WRITE_ONCE(*in, 1);
	if (lsh_wants_division(lsh))
		lsh_divide(lsh);
}

void vexfs_lsh_remove(struct vexfs_lsh *lsh, u32 slot)
{
	const u32 *word = vexfs_lsh_sketch(lsh, slot);
	u8 *in = vexfs_arena_item(&lsh->in, slot);
	u32 t;

	lockdep_assert_held(&lsh->lock);
	if (!*in)
		return;
	for (t = 0; t < lsh->tables; t++)
		lsh_bucket_remove(lsh, lsh_bucket_at(lsh, word[t], t), slot);
	lsh->count--;
	WRITE_ONCE(*in, 0);
	vexfs_lsh_forget(lsh, slot);
}

/* ------------------------------------------------------------- parameters */

static __le32 *lsh_param(struct vexfs_lsh *lsh, u32 i)
{
	return vexfs_arena_item(&lsh->params, i);
}

static void lsh_store_params(struct vexfs_lsh *lsh)
{
	u32 i;

	*lsh_param(lsh, 0) = cpu_to_le32(lsh->trained);
	*lsh_param(lsh, 1) = cpu_to_le32(lsh->pj.scale);
	for (i = 0; i < lsh->pj.bits; i++)
		*lsh_param(lsh, VEXFS_LSH_PARAM_HEAD + i) =
			cpu_to_le32(lsh->pj.centre[i]);
	vexfs_arena_set_all_dirty(&lsh->params, true);
}

/* Finite, and within what vexfs_sample_end() would have made. */
static bool lsh_float_valid(u32 bits)
{
	return (bits & 0x7fffffff) < 0x72000000;
}

int vexfs_lsh_load_params(struct vexfs_lsh *lsh)
{
	u32 i, scale = le32_to_cpu(*lsh_param(lsh, 1));

	lsh->trained = le32_to_cpu(*lsh_param(lsh, 0));
	if (!lsh->trained)
		return 0;
	if (!lsh_float_valid(scale) || !scale || scale >> 31 ||
	    (lsh->pj.normal && scale != lsh->pj.scale))
		return -EFSCORRUPTED;
	lsh->pj.scale = scale;
	for (i = 0; i < lsh->pj.bits; i++) {
		lsh->pj.centre[i] =
			le32_to_cpu(*lsh_param(lsh, VEXFS_LSH_PARAM_HEAD + i));
		if (!lsh_float_valid(lsh->pj.centre[i]))
			return -EFSCORRUPTED;
	}
	lsh->generation = 1;
	return 0;
}

static void lsh_zero(struct vexfs_arena *a)
{
	u32 i, items = 1u << a->shift;

	for (i = 0; i < a->nchunks; i++) {
		memset(a->chunk[i], 0,
		       (size_t)min(items, a->count) * a->item_size);
		cond_resched();
	}
}

void vexfs_lsh_restart(struct vexfs_lsh *lsh, const u64 *sum, u32 n, u32 live)
{
	vexfs_sample_end(&lsh->pj, sum, n, true);
	lsh->trained = max(live, 1u);
	lsh->generation += lsh->generation == U32_MAX ? 2 : 1;
	lsh_store_params(lsh);
	lsh_zero(&lsh->bucket);
	lsh_zero(&lsh->more);
	lsh_zero(&lsh->in);
	lsh->nbuckets = 1;
	lsh->count = 0;
	lsh->more_used = 0;
	lsh->more_free = 0;
	lsh->more_nfree = 0;
}

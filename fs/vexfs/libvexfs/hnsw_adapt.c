// SPDX-License-Identifier: GPL-2.0
/*
 * Sign codes of the nodes: made when there are enough of them to tell where
 * vectors lie, and made anew when there are many more, or when vectors come
 * that lie elsewhere. Nothing is asked of the user, and until they are there
 * the graph is traversed over the codes.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include "hnsw_priv.h"

/* Nodes below which the codes will do, and nodes for each centre. */
#define ADAPT_NODES	1024u
#define ADAPT_SHARE	64u
/* When there are so many times as many nodes, it is done again. */
#define ADAPT_GROWTH	4u
/* Or when one of so many is far from all centres. */
#define ADAPT_FAR	16u
/* Nodes in the sample for each centre, and turns of moving these. */
#define ADAPT_SAMPLE	32u
#define ADAPT_TURNS	5u
/* After these, each node is assigned to a centre, and then they get codes. */
#define ADAPT_ASSIGN	ADAPT_TURNS
#define ADAPT_ENCODE	(ADAPT_TURNS + 1)
/* Slots, a power of two, after which others get their turn */
#define ADAPT_PAUSE	65536u
/* Codes that one task takes on at a time, and slots, with a node or without */
#define ADAPT_STEP	256u
#define ADAPT_SLOTS	8192u
/* Of a slot that is not a node */
#define ADAPT_NOWHERE	VEXFS_SIGN_MAX_CENTRES
/* Exponents of a float */
#define ADAPT_SIZES	256u

/*
 * What is being made. Tasks share a turn's work between them; the next turn
 * begins when all of it is done [index_lock for writing].
 */
struct vexfs_graph_adapt {
	/** @lock: @at, @sums and @size, during a turn */
	struct mutex lock;
	struct vexfs_graph_signs *signs;
	struct vexfs_sign_sums *sums;
	u32	*sample;
	u32	nsample;
	/** @turn: of ADAPT_*, and how much of it was handed out */
	u32	turn;
	u32	at;
	/** @centre: of each of @slots slots */
	u16	*centre;
	u32	slots;
	/** @size: how many nodes have a distance to their centre of that size */
	u32	size[ADAPT_SIZES];
};

static void adapt_pause(u32 slot)
{
	if (!(slot & (ADAPT_PAUSE - 1)))
		cond_resched();
}

static void signs_free(struct vexfs_graph_signs *signs)
{
	if (!signs)
		return;
	vexfs_sign_table_free(&signs->table);
	vexfs_arena_free(&signs->codes);
	vexfs_arena_free(&signs->place);
	vexfs_arena_free(&signs->to);
	kvfree(signs->slot);
	kvfree(signs);
}

void vexfs_graph_adapt_free(struct vexfs_graph_adapt *ad)
{
	if (!ad)
		return;
	vexfs_sign_sums_free(ad->sums);
	signs_free(ad->signs);
	mutex_destroy(&ad->lock);
	kvfree(ad->sample);
	kvfree(ad->centre);
	kvfree(ad);
}

void vexfs_graph_adapt_clear(struct vexfs_graph *g)
{
	vexfs_graph_adapt_free(g->adapt);
	signs_free(g->signs);
	g->adapt = NULL;
	g->signs = NULL;
}

/* What comes later is behind what was there. */
static int signs_reserve(struct vexfs_graph_signs *signs, u32 slots)
{
	u32 i, from = signs->place.count;
	int err;

	err = vexfs_arena_reserve(&signs->codes, slots);
	if (!err)
		err = vexfs_arena_reserve(&signs->to, slots);
	if (!err)
		err = vexfs_arena_reserve(&signs->place, slots);
	for (i = from; !err && i < slots; i++) {
		*(u32 *)vexfs_arena_item(&signs->place, i) = i;
		adapt_pause(i);
	}
	return err;
}

int vexfs_graph_adapt_reserve(struct vexfs_graph *g, u32 slots)
{
	int err = 0;

	if (g->signs)
		err = signs_reserve(g->signs, slots);
	if (!err && g->adapt)
		err = signs_reserve(g->adapt->signs, slots);
	return err;
}

static u64 signs_memory(const struct vexfs_graph_signs *signs)
{
	if (!signs)
		return 0;
	return sizeof(*signs) + signs->codes.memory + signs->place.memory +
	       signs->to.memory + (u64)signs->slots * sizeof(*signs->slot) +
	       vexfs_sign_table_memory(&signs->table);
}

u64 vexfs_graph_adapt_memory(const struct vexfs_graph *g)
{
	/* Pairs with the release in vexfs_graph_adapt(). */
	const struct vexfs_graph_adapt *ad = smp_load_acquire(&g->adapt);

	return signs_memory(g->signs) + (ad ? signs_memory(ad->signs) : 0);
}

bool vexfs_graph_adapt_due(const struct vexfs_graph *g)
{
	const struct vexfs_graph_signs *signs = g->signs;
	u32 nodes = READ_ONCE(g->nodes);

	if (!g->sp.sign_bytes)
		return false;
	if (g->adapt)
		return true;
	if (nodes < max(g->adapt_from, ADAPT_NODES))
		return false;
	return !signs || nodes / ADAPT_GROWTH >= signs->nodes ||
	       READ_ONCE(signs->far) > nodes / ADAPT_FAR;
}

/* Nodes at equal distances, as far as there are any. */
static u32 take_sample(const struct vexfs_graph *g, u32 *sample, u32 want)
{
	u32 i, slot, end, n = 0;

	for (i = 0; i < want; i++) {
		slot = (u32)div_u64((u64)i * g->slots, want);
		end = (u32)div_u64((u64)(i + 1) * g->slots, want);
		while (slot < end && !vexfs_graph_present(g, slot))
			adapt_pause(slot++);
		if (slot < end)
			sample[n++] = slot;
	}
	return n;
}

static struct vexfs_graph_signs *signs_alloc(const struct vexfs_graph *g,
					     u32 centres)
{
	struct vexfs_graph_signs *signs = kvzalloc(sizeof(*signs), GFP_KERNEL);

	if (!signs)
		return NULL;
	vexfs_arena_init(&signs->codes, g->sp.sign_bytes);
	vexfs_arena_init(&signs->place, sizeof(u32));
	vexfs_arena_init(&signs->to, g->links.item_size);
	signs->slots = g->slots;
	signs->slot = kvmalloc_array(signs->slots, sizeof(*signs->slot),
				     GFP_KERNEL);
	signs->nodes = g->nodes;
	if (signs->slot &&
	    !vexfs_sign_table_init(&signs->table, &g->sp, centres, g->seed) &&
	    !signs_reserve(signs, g->slots))
		return signs;
	signs_free(signs);
	return NULL;
}

/* Centres to begin with: nodes of the sample, at equal distances. */
static void first_centres(const struct vexfs_graph *g,
			  struct vexfs_graph_adapt *ad)
{
	u32 i, centres = ad->signs->table.centres;
	u32 each = ad->nsample / centres;

	for (i = 0; i < centres; i++)
		vexfs_sign_centre_set(&g->sp, &ad->signs->table, i,
				      vexfs_graph_code(g, ad->sample[i * each]),
				      ad->sums);
}

static struct vexfs_graph_adapt *adapt_alloc(const struct vexfs_graph *g)
{
	u32 n, centres = clamp(g->nodes / ADAPT_SHARE, 1u,
				  VEXFS_SIGN_MAX_CENTRES);
	struct vexfs_graph_adapt *ad = kvzalloc(sizeof(*ad), GFP_KERNEL);

	if (!ad)
		return NULL;
	mutex_init(&ad->lock);
	n = centres * ADAPT_SAMPLE;
	ad->slots = g->slots;
	ad->sample = kvmalloc_array(n, sizeof(*ad->sample), GFP_KERNEL);
	ad->centre = kvmalloc_array(ad->slots, sizeof(*ad->centre),
				    GFP_KERNEL);
	if (!ad->sample || !ad->centre)
		goto fail;
	ad->nsample = take_sample(g, ad->sample, n);
	centres = min(centres, ad->nsample);
	ad->signs = centres ? signs_alloc(g, centres) : NULL;
	if (!ad->signs)
		goto fail;
	ad->sums = vexfs_sign_sums_alloc(&ad->signs->table);
	if (!ad->sums)
		goto fail;
	first_centres(g, ad);
	return ad;
fail:
	vexfs_graph_adapt_free(ad);
	return NULL;
}

static u32 place_of(const struct vexfs_graph_signs *signs, u32 slot)
{
	return *(const u32 *)vexfs_arena_item(&signs->place, slot);
}

static u32 make_sign(const struct vexfs_graph *g,
		     struct vexfs_graph_signs *signs, u32 slot, u32 centre,
		     struct vexfs_query *q)
{
	void *code = vexfs_arena_item(&signs->codes, place_of(signs, slot));

	return vexfs_sign_encode(&g->sp, &signs->table,
				 vexfs_graph_code(g, slot), centre, q, code);
}

static u32 sign_new(const struct vexfs_graph *g,
		    struct vexfs_graph_signs *signs, u32 slot,
		    struct vexfs_query *q)
{
	u32 centre = vexfs_sign_nearest(&g->sp, &signs->table,
					vexfs_graph_code(g, slot), q);

	return make_sign(g, signs, slot, centre, q);
}

/* After vexfs_walk_query(), which says what centre it is near. */
void vexfs_graph_sign(struct vexfs_graph *g, u32 slot,
		      struct vexfs_graph_scratch *s)
{
	if (g->adapt && g->adapt->turn == ADAPT_ENCODE)
		sign_new(g, g->adapt->signs, slot, s->other);
	if (!g->signs || make_sign(g, g->signs, slot, s->near[0], s->other) <=
			 g->signs->usual)
		return;
	mutex_lock(&g->lock);
	WRITE_ONCE(g->signs->far, g->signs->far + 1);
	mutex_unlock(&g->lock);
}

/* From link @from on. */
static void place_links(const struct vexfs_graph *g,
			struct vexfs_graph_signs *signs, u32 slot, u32 from)
{
	const __le32 *links = vexfs_arena_item(&g->links, slot);
	u32 i, link, *to = vexfs_arena_item(&signs->to,
					    place_of(signs, slot));

	for (i = from; i < 2 * g->m; i++) {
		link = vexfs_link_get(links + i);
		if (link)
			link = place_of(signs, link - 1) + 1;
		WRITE_ONCE(to[i], link);
		if (!link && i + 1 < 2 * g->m && !to[i + 1])
			break;
	}
}

/*
 * [node_lock] After its links have changed. A search may come by in between: it
 * compares with another node then, which the codes will tell.
 */
void vexfs_graph_place_links(struct vexfs_graph *g, u32 slot, u32 from)
{
	if (g->adapt && g->adapt->turn == ADAPT_ENCODE)
		place_links(g, g->adapt->signs, slot, from);
	if (g->signs)
		place_links(g, g->signs, slot, from);
}

static void unsign(const struct vexfs_graph *g,
		   struct vexfs_graph_signs *signs, u32 slot)
{
	memset(vexfs_arena_item(&signs->codes, place_of(signs, slot)), 0,
	       g->sp.sign_bytes);
}

void vexfs_graph_unsign(struct vexfs_graph *g, u32 slot)
{
	if (g->signs)
		unsign(g, g->signs, slot);
	if (g->adapt)
		unsign(g, g->adapt->signs, slot);
}

static void adapt_sample(const struct vexfs_graph *g,
			 struct vexfs_graph_adapt *ad, u32 slot,
			 struct vexfs_query *q)
{
	struct vexfs_sign_table *t = &ad->signs->table;
	const void *code = vexfs_graph_code(g, slot);
	u32 centre = vexfs_sign_nearest(&g->sp, t, code, q);

	mutex_lock(&ad->lock);
	vexfs_sign_sample(&g->sp, t, ad->sums, centre, code, q);
	mutex_unlock(&ad->lock);
}

/* Nearly all are within it, by some powers of two. */
static u32 usual_distance(const struct vexfs_graph_adapt *ad)
{
	u32 i, n = 0, all = 0;

	for (i = 0; i < ADAPT_SIZES; i++)
		all += ad->size[i];
	for (i = 0; i < ADAPT_SIZES - 3; i++) {
		n += ad->size[i];
		if (n >= all - all / 64)
			break;
	}
	return 0x80000000u | (i + 3) << 23;
}

/*
 * Nodes near the same centre get places that follow each other: a search goes
 * to many of them, and they are in few pages of memory.
 */
static void adapt_place(struct vexfs_graph_adapt *ad)
{
	u32 at[VEXFS_SIGN_MAX_CENTRES + 2] = { 0 }, i;

	for (i = 0; i < ad->slots; i++) {
		at[ad->centre[i] + 1]++;
		adapt_pause(i);
	}
	for (i = 1; i < ARRAY_SIZE(at); i++)
		at[i] += at[i - 1];
	memcpy(ad->signs->run, at, sizeof(at));
	for (i = 0; i < ad->slots; i++) {
		u32 place = at[ad->centre[i]]++;

		*(u32 *)vexfs_arena_item(&ad->signs->place, i) = place;
		ad->signs->slot[place] = i;
		adapt_pause(i);
	}
}

static void adapt_encode(const struct vexfs_graph *g,
			 struct vexfs_graph_adapt *ad, u32 slot,
			 struct vexfs_query *q)
{
	struct mutex *lock = vexfs_node_lock(g, slot);
	u32 centre, key;

	if (slot < ad->slots && ad->centre[slot] != ADAPT_NOWHERE)
		centre = ad->centre[slot];
	else
		centre = vexfs_sign_nearest(&g->sp, &ad->signs->table,
					    vexfs_graph_code(g, slot), q);
	key = make_sign(g, ad->signs, slot, centre, q);
	/* Whoever changes the links has it, too: the last one sees them all. */
	mutex_lock(lock);
	place_links(g, ad->signs, slot, 0);
	mutex_unlock(lock);
	mutex_lock(&ad->lock);
	ad->size[key >> 23 & (ADAPT_SIZES - 1)]++;
	mutex_unlock(&ad->lock);
}

/* What there is to do in this turn: nodes of the sample, or slots. */
static u32 adapt_work(const struct vexfs_graph *g,
		      const struct vexfs_graph_adapt *ad)
{
	if (ad->turn < ADAPT_TURNS)
		return ad->nsample;
	return ad->turn == ADAPT_ASSIGN ? ad->slots : g->slots;
}

static void adapt_one(const struct vexfs_graph *g,
		      struct vexfs_graph_adapt *ad, u32 i,
		      struct vexfs_query *q)
{
	u32 slot = ad->turn < ADAPT_TURNS ? ad->sample[i] : i;
	bool node = vexfs_graph_present(g, slot);

	if (ad->turn == ADAPT_ASSIGN)
		ad->centre[slot] = !node ? ADAPT_NOWHERE :
			(u16)vexfs_sign_nearest(&g->sp, &ad->signs->table,
						vexfs_graph_code(g, slot), q);
	else if (node && ad->turn < ADAPT_TURNS)
		adapt_sample(g, ad, slot, q);
	else if (node)
		adapt_encode(g, ad, slot, q);
}

/* Where a share that begins at @i ends: where many slots are free, later. */
static u32 adapt_share_end(const struct vexfs_graph *g,
			   const struct vexfs_graph_adapt *ad, u32 i, u32 work)
{
	u32 most, nodes = 0;

	if (i >= work)
		return i;
	if (ad->turn < ADAPT_TURNS)
		return i + min(work - i, ADAPT_STEP);
	most = i + min(work - i, ADAPT_SLOTS);
	while (i < most && nodes < ADAPT_STEP)
		nodes += vexfs_graph_present(g, i++);
	return i;
}

bool vexfs_graph_adapt_share(struct vexfs_graph *g,
			     struct vexfs_graph_scratch *s)
{
	struct vexfs_graph_adapt *ad = g->adapt;
	u32 i, end, work;

	if (!ad)
		return false;
	work = adapt_work(g, ad);
	mutex_lock(&ad->lock);
	i = ad->at;
	end = adapt_share_end(g, ad, i, work);
	ad->at = end;
	mutex_unlock(&ad->lock);
	if (i == end)
		return false;
	for (; i < end; i++) {
		adapt_one(g, ad, i, s->other);
		cond_resched();
	}
	return true;
}

/* After a turn; true after the last. */
static bool adapt_turn(const struct vexfs_graph *g,
		       struct vexfs_graph_adapt *ad)
{
	struct vexfs_sign_table *t = &ad->signs->table;
	u32 i;

	if (ad->turn == ADAPT_ENCODE) {
		ad->signs->usual = usual_distance(ad);
		return true;
	}
	if (ad->turn == ADAPT_ASSIGN)
		adapt_place(ad);
	for (i = 0; ad->turn < ADAPT_TURNS && i < t->centres; i++)
		vexfs_sign_centre_move(&g->sp, t, i, ad->sums);
	ad->turn++;
	ad->at = 0;
	return false;
}

int vexfs_graph_adapt(struct vexfs_graph *g)
{
	struct vexfs_graph_adapt *ad;

	if (!vexfs_graph_adapt_due(g))
		return 0;
	if (g->adapt)
		return g->adapt->at >= adapt_work(g, g->adapt) &&
		       adapt_turn(g, g->adapt);
	ad = adapt_alloc(g);
	/* Others may ask how much memory it takes. */
	smp_store_release(&g->adapt, ad);
	if (ad)
		return 0;
	/* There may be memory later. */
	g->adapt_from = g->nodes + g->nodes / 2;
	return -ENOMEM;
}

struct vexfs_graph_adapt *vexfs_graph_adapted(struct vexfs_graph *g)
{
	struct vexfs_graph_adapt *ad = g->adapt;

	swap(g->signs, ad->signs);
	g->adapt = NULL;
	return ad;
}

// SPDX-License-Identifier: GPL-2.0
/*
 * The HNSW graph's memory: slots, levels, records of the upper layers,
 * scratch.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include "hnsw_priv.h"
#include "random.h"

static int node_locks_init(struct vexfs_graph *g)
{
	u32 i;

	g->node_lock = kvmalloc_array(VEXFS_NODE_LOCKS, sizeof(*g->node_lock),
				      GFP_KERNEL);
	if (!g->node_lock)
		return -ENOMEM;
	for (i = 0; i < VEXFS_NODE_LOCKS; i++)
		mutex_init(&g->node_lock[i]);
	mutex_init(&g->top_lock);
	mutex_init(&g->lock);
	return 0;
}

static void node_locks_free(struct vexfs_graph *g)
{
	u32 i;

	if (!g->node_lock)
		return;
	for (i = 0; i < VEXFS_NODE_LOCKS; i++)
		mutex_destroy(&g->node_lock[i]);
	mutex_destroy(&g->top_lock);
	mutex_destroy(&g->lock);
	kvfree(g->node_lock);
	g->node_lock = NULL;
}

int vexfs_graph_init(struct vexfs_graph *g,
		     const struct vexfs_graph_config *cfg)
{
	if (cfg->m < VEXFS_GRAPH_MIN_M || cfg->m > VEXFS_GRAPH_MAX_M ||
	    !cfg->ef_construction ||
	    cfg->ef_construction > VEXFS_GRAPH_MAX_EF)
		return -EINVAL;
	memset(g, 0, sizeof(*g));
	g->sp = *cfg->space;
	g->m = cfg->m;
	/* A node must find enough to choose from. */
	g->ef_construction = max(cfg->ef_construction, cfg->m);
	g->seed = cfg->seed;
	vexfs_arena_init(&g->links, 2 * g->m * (u32)sizeof(__le32));
	vexfs_arena_init(&g->codes, g->sp.code_bytes);
	vexfs_arena_init(&g->nibs, max(g->sp.nib_bytes, 1u));
	vexfs_arena_init(&g->state, sizeof(u32));
	vexfs_arena_init(&g->linked, sizeof(u8));
	vexfs_arena_init(&g->upper, (u32)sizeof(struct vexfs_upper) +
				    g->m * (u32)sizeof(__le32));
	return node_locks_init(g);
}

void vexfs_graph_free(struct vexfs_graph *g)
{
	vexfs_arena_free(&g->links);
	vexfs_arena_free(&g->codes);
	vexfs_arena_free(&g->nibs);
	vexfs_arena_free(&g->state);
	vexfs_arena_free(&g->linked);
	vexfs_arena_free(&g->upper);
	vexfs_graph_adapt_clear(g);
	node_locks_free(g);
	g->slots = 0;
	g->entry = 0;
}

/*
 * The highest layer of a slot: at least l with probability m^-l. It depends
 * on nothing but seed and slot, so a graph that is loaded can be checked, and
 * the memory for upper layers is known beforehand.
 */
u32 vexfs_graph_level(const struct vexfs_graph *g, u32 slot)
{
	u64 h = vexfs_mix((g->seed ^ slot) * VEXFS_GOLDEN + slot);
	u64 below = div_u64(U64_MAX, g->m);
	u32 level = 0;

	while (h < below && level < VEXFS_GRAPH_MAX_LEVEL) {
		below = div_u64(below, g->m);
		level++;
	}
	return level;
}

int vexfs_graph_reserve(struct vexfs_graph *g, u32 slots)
{
	u32 upper = g->upper_reserved, slot;
	int err;

	if (slots <= g->slots)
		return 0;
	if (slots > VEXFS_GRAPH_MAX_SLOTS)
		return -EFBIG;
	for (slot = g->slots; slot < slots; slot++)
		upper += vexfs_graph_level(g, slot);
	err = vexfs_arena_reserve(&g->links, slots);
	if (!err)
		err = vexfs_arena_reserve(&g->codes, slots);
	if (!err && g->sp.nib_bytes)
		err = vexfs_arena_reserve(&g->nibs, slots);
	if (!err)
		err = vexfs_graph_adapt_reserve(g, slots);
	if (!err)
		err = vexfs_arena_reserve(&g->state, slots);
	if (!err)
		err = vexfs_arena_reserve(&g->linked, slots);
	if (!err)
		err = vexfs_arena_reserve(&g->upper, upper);
	if (err)
		return err;
	g->upper_reserved = upper;
	g->slots = slots;
	return 0;
}

u64 vexfs_graph_memory(const struct vexfs_graph *g)
{
	return g->links.memory + g->codes.memory + g->nibs.memory +
	       g->state.memory + g->linked.memory + g->upper.memory +
	       vexfs_graph_adapt_memory(g);
}

u32 vexfs_graph_max_level(const struct vexfs_graph *g)
{
	return (u32)(READ_ONCE(g->entry) >> 32);
}

u32 vexfs_graph_entry(const struct vexfs_graph *g)
{
	return (u32)READ_ONCE(g->entry) - 1;
}

void vexfs_graph_set_entry(struct vexfs_graph *g, u32 slot, u32 level)
{
	/* The node is complete. Pairs with search_seed(). */
	smp_store_release(&g->entry, (u64)level << 32 | (slot + 1));
}

bool vexfs_graph_has(const struct vexfs_graph *g, u32 slot)
{
	return slot < g->slots && vexfs_graph_present(g, slot);
}

/*
 * The record of @slot on an upper layer, or NULL. A search may come here by
 * a link that has gone stale, and while records change hands: so all is
 * checked, and the number of steps is bounded.
 */
struct vexfs_upper *vexfs_graph_upper(const struct vexfs_graph *g, u32 slot,
				      u32 level)
{
	u32 nr = READ_ONCE(*vexfs_graph_state(g, slot)) & VEXFS_NODE_UPPER;
	struct vexfs_upper *up;
	u32 i;

	for (i = 1; nr && nr <= g->upper_reserved; i++) {
		up = vexfs_arena_item(&g->upper, nr - 1);
		if (i == level)
			return READ_ONCE(up->slot) == slot &&
			       READ_ONCE(up->level) == level ? up : NULL;
		nr = READ_ONCE(up->up);
	}
	return NULL;
}

/* The links of a node on a layer; NULL when it has none there. */
__le32 *vexfs_graph_links(const struct vexfs_graph *g, u32 slot, u32 level)
{
	struct vexfs_upper *up;

	if (!level)
		return vexfs_arena_item(&g->links, slot);
	up = vexfs_graph_upper(g, slot, level);
	return up ? up->link : NULL;
}

/*
 * After links from @from on have changed. Upper layers are written whole, so
 * only layer 0 keeps account.
 */
void vexfs_graph_dirty(struct vexfs_graph *g, u32 slot, u32 level, u32 from)
{
	if (level)
		return;
	vexfs_arena_dirty(&g->links, slot);
	vexfs_graph_place_links(g, slot, from);
}

/* There is one: as many are reserved as all slots together can have. */
static u32 upper_alloc(struct vexfs_graph *g, u32 slot, u32 level)
{
	u32 nr = g->upper_free ? g->upper_free - 1 : g->upper_used++;
	struct vexfs_upper *up = vexfs_arena_item(&g->upper, nr);

	if (g->upper_free)
		g->upper_free = up->up;
	WARN_ON_ONCE(nr >= g->upper_reserved);
	memset(up->link, 0, g->m * sizeof(*up->link));
	WRITE_ONCE(up->slot, slot);
	WRITE_ONCE(up->level, level);
	WRITE_ONCE(up->up, 0);
	g->upper_live++;
	return nr + 1;
}

static void upper_free(struct vexfs_graph *g, u32 nr)
{
	struct vexfs_upper *up = vexfs_arena_item(&g->upper, nr - 1);

	WRITE_ONCE(up->level, 0);
	WRITE_ONCE(up->slot, VEXFS_GRAPH_NONE);
	WRITE_ONCE(up->up, g->upper_free);
	g->upper_free = nr;
	g->upper_live--;
}

/* Makes @slot a node, without links so far. */
void vexfs_graph_add_node(struct vexfs_graph *g, u32 slot)
{
	u32 level, above = 0, nr;

	mutex_lock(&g->lock);
	for (level = vexfs_graph_level(g, slot); level; level--) {
		struct vexfs_upper *up;

		nr = upper_alloc(g, slot, level);
		up = vexfs_arena_item(&g->upper, nr - 1);
		WRITE_ONCE(up->up, above);
		above = nr;
	}
	/* Records first. Links to the slot come later still. */
	smp_store_release(vexfs_graph_state(g, slot),
			  VEXFS_NODE_PRESENT | above);
	WRITE_ONCE(g->nodes, g->nodes + 1);
	mutex_unlock(&g->lock);
}

/* Without nodes there are no links; where there were many it isn't known. */
static void forget_links(struct vexfs_graph *g)
{
	u32 i;

	for (i = 0; i < g->slots; i++)
		WRITE_ONCE(*vexfs_graph_linked(g, i), 0);
}

/* The reverse: no record, no links, no code. */
void vexfs_graph_drop_node(struct vexfs_graph *g, u32 slot)
{
	u32 *state = vexfs_graph_state(g, slot);
	u32 nr = *state & VEXFS_NODE_UPPER, next;

	WRITE_ONCE(g->holes, true);
	/* Before any record goes. Pairs with those who look at present nodes. */
	smp_wmb();
	WRITE_ONCE(*state, 0);
	mutex_lock(&g->lock);
	for (; nr; nr = next) {
		struct vexfs_upper *up = vexfs_arena_item(&g->upper, nr - 1);

		next = up->up;
		upper_free(g, nr);
	}
	WRITE_ONCE(g->nodes, g->nodes - 1);
	mutex_unlock(&g->lock);
	vexfs_graph_store(g, slot, 0, NULL, 0);
	if (!g->nodes)
		forget_links(g);
	memset(vexfs_graph_code(g, slot), 0, g->codes.item_size);
	vexfs_arena_dirty(&g->codes, slot);
	if (g->sp.nib_bytes)
		memset(vexfs_graph_nib(g, slot), 0, g->nibs.item_size);
	vexfs_graph_unsign(g, slot);
}

/* Scratch */

struct vexfs_graph_scratch *vexfs_graph_scratch_alloc(void)
{
	return kvzalloc(sizeof(struct vexfs_graph_scratch), GFP_KERNEL);
}

void vexfs_graph_scratch_free(struct vexfs_graph_scratch *s)
{
	if (!s)
		return;
	vexfs_chunk_free(s->query, s->query_room);
	vexfs_chunk_free(s->other, s->query_room);
	kvfree(s->visited);
	kvfree(s->pool);
	kvfree(s->cands);
	kvfree(s);
}

static int scratch_queries(struct vexfs_graph_scratch *s, u32 bytes)
{
	struct vexfs_query *query, *other;

	if (bytes <= s->query_room)
		return 0;
	query = vexfs_chunk_alloc(bytes);
	other = vexfs_chunk_alloc(bytes);
	if (!query || !other) {
		vexfs_chunk_free(query, bytes);
		vexfs_chunk_free(other, bytes);
		return -ENOMEM;
	}
	vexfs_chunk_free(s->query, s->query_room);
	vexfs_chunk_free(s->other, s->query_room);
	s->query = query;
	s->other = other;
	s->query_room = bytes;
	return 0;
}

/* With room to spare, as collections grow. */
static int scratch_visited(struct vexfs_graph_scratch *s, u32 slots)
{
	u32 room = min(slots + slots / 4 + 1024, VEXFS_GRAPH_MAX_SLOTS);
	u8 *visited;

	if (slots <= s->nvisited)
		return 0;
	visited = kvzalloc(room, GFP_KERNEL_ACCOUNT);
	if (!visited)
		return -ENOMEM;
	kvfree(s->visited);
	s->visited = visited;
	s->nvisited = room;
	s->mark_now = 0;
	return 0;
}

/* Twice ef: what doesn't pass a filter takes places too. */
static int scratch_pool(struct vexfs_graph_scratch *s, u32 ef)
{
	u32 room = 2 * ef + 64;
	u64 *pool;

	if (room <= s->room)
		return 0;
	/* A batch more: it is put in before the last are dropped. */
	pool = kvmalloc_array(room + VEXFS_BATCH, sizeof(*pool), GFP_KERNEL);
	if (!pool)
		return -ENOMEM;
	kvfree(s->pool);
	s->pool = pool;
	s->room = room;
	return 0;
}

/* Arrays for candidates, in one piece of memory that begins with @cands. */
static int scratch_cands(struct vexfs_graph_scratch *s, u32 n)
{
	const size_t each = sizeof(*s->cands) + sizeof(*s->cand_sort) +
			    sizeof(*s->cand_code) + sizeof(*s->selected) +
			    sizeof(*s->cand_key) + sizeof(*s->mark);
	void *mem;

	if (n <= s->cand_room)
		return 0;
	mem = kvmalloc_array(n, each, GFP_KERNEL);
	if (!mem)
		return -ENOMEM;
	kvfree(s->cands);
	s->cands = mem;
	s->cand_sort = s->cands + n;
	s->cand_code = (const void **)(s->cand_sort + n);
	s->selected = (u32 *)(s->cand_code + n);
	s->cand_key = s->selected + n;
	s->mark = (u8 *)(s->cand_key + n);
	s->cand_room = n;
	return 0;
}

int vexfs_graph_scratch_prepare(struct vexfs_graph_scratch *s,
				const struct vexfs_graph *g, u32 ef)
{
	u32 room = max(vexfs_walk_room(g, ef), g->ef_construction);
	int err;

	if (ef > VEXFS_GRAPH_MAX_EF)
		return -EINVAL;
	err = scratch_queries(s, g->sp.query_bytes);
	if (!err)
		err = scratch_visited(s, g->slots);
	if (!err)
		err = scratch_pool(s, room);
	if (!err)
		err = scratch_cands(s, s->room + 2 * VEXFS_BATCH);
	return err;
}

u64 vexfs_graph_scratch_memory(const struct vexfs_graph_scratch *s)
{
	return sizeof(*s) + 2 * (u64)s->query_room + s->nvisited +
	       s->room * sizeof(*s->pool) +
	       s->cand_room * (2 * sizeof(*s->cands) + sizeof(*s->cand_code) +
				2 * sizeof(*s->selected) + 1);
}

struct vexfs_query *vexfs_graph_scratch_query(struct vexfs_graph_scratch *s)
{
	return s->query;
}

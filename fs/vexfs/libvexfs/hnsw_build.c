// SPDX-License-Identifier: GPL-2.0
/*
 * Insertion into the graph: candidates by search, of them a selection that
 * covers all directions, and links back.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include "hnsw_pool.h"

/* Candidates that are expanded for a new node, at least. */
#define BUILD_HOPS	16u

static bool listed(const u32 *slots, u32 n, u32 slot)
{
	u32 i;

	for (i = 0; i < n; i++)
		if (slots[i] == slot)
			return true;
	return false;
}

/* A node that fewer lead to is hard to find: the next removal may cut it off. */
#define FEW_LINKS	3u

/* Takes what was rejected, the nearest first; all, or the hardly linked. */
static u32 take_rejected(const struct vexfs_graph *g,
			 struct vexfs_graph_scratch *s, u32 n, u32 got,
			 u32 want, bool all)
{
	u32 i, slot;

	for (i = 0; i < n && got < want; i++) {
		slot = vexfs_cand_slot(s->cands[i]);
		if (!s->mark[i] ||
		    (!all && *vexfs_graph_linked(g, slot) >= FEW_LINKS))
			continue;
		s->mark[i] = false;
		s->selected[got++] = slot;
	}
	return got;
}

/*
 * Selects links of a node on a layer among the @n candidates in scratch,
 * sorted, into s->selected: up to @want that no nearer selected one covers,
 * since the way to one that is leads through that; those that hardly anything
 * else leads to and, as long as they are fewer than @fill, the nearest of the
 * rest. Returns how many.
 */
u32 vexfs_select(const struct vexfs_graph *g, struct vexfs_graph_scratch *s,
		 u32 level, u32 n, u32 want, u32 fill)
{
	u32 i, got;

	for (i = 0; i < n; i++) {
		s->cand_code[i] =
			vexfs_graph_code(g, vexfs_cand_slot(s->cands[i]));
		s->cand_key[i] = vexfs_cand_key(s->cands[i]);
	}
	got = vexfs_pick_codes(&g->sp, s->other, s->cand_code, s->cand_key, n,
			       want, s->selected);
	memset(s->mark, true, n);
	for (i = 0; i < got; i++) {
		s->mark[s->selected[i]] = false;
		s->selected[i] = vexfs_cand_slot(s->cands[s->selected[i]]);
	}
	if (!level)
		got = take_rejected(g, s, n, got, vexfs_graph_degree(g, 0),
				    false);
	return take_rejected(g, s, n, got, fill, true);
}

/* Candidates of the @n slots in s->selected, by their distance from @slot. */
static void rank_keys(const struct vexfs_graph *g,
		      struct vexfs_graph_scratch *s, u32 slot, u32 n)
{
	u32 i, b, done;

	vexfs_query_from_code(&g->sp, vexfs_graph_code(g, slot), s->other);
	for (done = 0; done < n; done += b) {
		b = min(n - done, VEXFS_BATCH);
		for (i = 0; i < b; i++) {
			s->batch_code[i] =
				vexfs_graph_code(g, s->selected[done + i]);
			vexfs_prefetch(s->batch_code[i], g->sp.code_bytes);
		}
		vexfs_dist_codes(&g->sp, s->other, s->batch_code, b,
				 s->batch_key);
		for (i = 0; i < b; i++)
			s->cands[done + i] = vexfs_cand(s->batch_key[i],
							s->selected[done + i]);
	}
}

/* The same, sorted. */
void vexfs_rank(const struct vexfs_graph *g, struct vexfs_graph_scratch *s,
		u32 slot, u32 n)
{
	rank_keys(g, s, slot, n);
	vexfs_sort_cands(s->cands, n);
}

/*
 * The links of @slot that lead to nodes, into s->selected. Returns how many.
 */
static u32 live_links(const struct vexfs_graph *g, u32 slot, u32 level,
		      struct vexfs_graph_scratch *s)
{
	const __le32 *links = vexfs_graph_links(g, slot, level);
	u32 i, link, n = 0, degree = vexfs_graph_degree(g, level);

	for (i = 0; links && i < degree; i++) {
		link = vexfs_link_get(links + i);
		if (!link)
			break;
		if (vexfs_link_live(g, link - 1))
			s->selected[n++] = link - 1;
	}
	return n;
}

/*
 * [node_lock] Adds a link where there is room for it; true also when it was
 * there before: it may have led to what was in that slot then.
 */
static bool append_link(struct vexfs_graph *g, u32 slot, u32 level, u32 to)
{
	__le32 *links = vexfs_graph_links(g, slot, level);
	u32 i, link, degree = vexfs_graph_degree(g, level);

	if (!links)
		return true;
	for (i = 0; i < degree; i++) {
		link = vexfs_link_get(links + i);
		if (link == to + 1)
			return true;
		if (!link)
			break;
	}
	if (i == degree)
		return false;
	if (!level)
		vexfs_graph_add_link(g, to);
	vexfs_link_set(links + i, to + 1);
	vexfs_graph_dirty(g, slot, level, i);
	return true;
}

/*
 * Is @to nearer to one of the @n links in s->selected than to @slot, and that
 * one nearer to @slot than @to is? Then the way to it leads through that one.
 */
static bool covered(const struct vexfs_graph *g, u32 slot, u32 to, u32 n,
		    struct vexfs_graph_scratch *s)
{
	const void *own = vexfs_graph_code(g, slot);
	u32 i, near = 0, key;

	vexfs_dist_codes(&g->sp, s->query, &own, 1, &key);
	for (i = 0; i < n; i++)
		s->batch_code[i] = vexfs_graph_code(g, s->selected[i]);
	vexfs_dist_codes(&g->sp, s->query, s->batch_code, n, s->batch_key);
	for (i = 0; i < n; i++)
		if (s->batch_key[i] < key)
			s->batch_code[near++] = s->batch_code[i];
	if (!near)
		return false;
	vexfs_query_from_code(&g->sp, own, s->other);
	vexfs_dist_codes(&g->sp, s->other, s->batch_code, near, s->batch_key);
	for (i = 0; i < near; i++)
		if (s->batch_key[i] < key)
			return true;
	return false;
}

/*
 * [node_lock] A full record: room for @to is made by a new selection, which
 * isn't needed if @to wouldn't be among it. On layer 0 it leaves room for some
 * more, since it takes as long as many links that find room.
 */
static void replace_links(struct vexfs_graph *g, u32 slot, u32 level, u32 to,
			  struct vexfs_graph_scratch *s)
{
	u32 n = live_links(g, slot, level, s);
	u32 want = vexfs_graph_degree(g, level);

	if (!level && n == want && *vexfs_graph_linked(g, to) >= FEW_LINKS &&
	    covered(g, slot, to, n, s))
		return;
	if (!level)
		want -= want / 16 * 2;
	s->selected[n++] = to;
	vexfs_rank(g, s, slot, n);
	n = vexfs_select(g, s, level, n, want, 0);
	vexfs_links_store(g, slot, level, s->selected, n, true);
}

/*
 * Links @slot to @to as well, making room by a new selection if need be.
 * s->query is the code of @to.
 */
void vexfs_link_back(struct vexfs_graph *g, u32 slot, u32 level, u32 to,
		     struct vexfs_graph_scratch *s)
{
	mutex_lock(vexfs_node_lock(g, slot));
	if (!append_link(g, slot, level, to))
		replace_links(g, slot, level, to, s);
	mutex_unlock(vexfs_node_lock(g, slot));
}

/*
 * The results of the walk as candidates of @slot. What the short codes found is
 * ranked by the codes.
 */
static u32 pool_to_cands(const struct vexfs_graph *g,
			 struct vexfs_graph_scratch *s, u32 slot)
{
	u32 i, n = 0;

	vexfs_rest_cut(s);
	memcpy(s->cands + s->nrest, s->pool, s->n * sizeof(*s->cands));
	for (i = 0; i < s->nrest + s->n; i++) {
		u64 cand = s->cands[i];
		u32 found = vexfs_walk_slot(s, vexfs_cand_slot(cand));

		s->cands[n] = vexfs_cand(vexfs_cand_key(cand), found);
		s->selected[n] = found;
		n += found != slot;
	}
	if (vexfs_walk_short(g, s))
		rank_keys(g, s, slot, n);
	vexfs_sort_many(s, n);
	return n;
}

/* Chooses the links of a new node on a layer among the results of the walk. */
void vexfs_choose(const struct vexfs_graph *g, u32 slot, u32 level,
		  struct vexfs_graph_scratch *s)
{
	u32 degree = vexfs_graph_degree(g, level), fill = degree;
	u32 n = pool_to_cands(g, s, slot);

	/* The rest of the record is for links back */
	if (!level && g->sp.metric != VEXFS_METRIC_IP)
		fill -= fill / 4;
	n = vexfs_select(g, s, level, n, degree, fill);
	memcpy(vexfs_found(s, level), s->selected, n * sizeof(*s->selected));
	s->nfound[level] = n;
}

/*
 * The chosen links, and those that others made meanwhile: a link to what was
 * in the slot before may have led them here.
 */
static void store_found(struct vexfs_graph *g, u32 slot, u32 level,
			struct vexfs_graph_scratch *s)
{
	u32 degree = vexfs_graph_degree(g, level);
	u32 n, had, i, *found = vexfs_found(s, level);

	mutex_lock(vexfs_node_lock(g, slot));
	had = live_links(g, slot, level, s);
	for (i = 0, n = had; i < s->nfound[level]; i++)
		if (!listed(s->selected, had, found[i]))
			s->selected[n++] = found[i];
	if (n > degree) {
		vexfs_rank(g, s, slot, n);
		n = vexfs_select(g, s, level, n, degree, degree);
	}
	vexfs_links_store(g, slot, level, s->selected, n, true);
	mutex_unlock(vexfs_node_lock(g, slot));
}

/* Of each code; what is behind it the CPU sees coming. */
#define BACK_AHEAD	(2 * VEXFS_LINE)

/*
 * What linking back to @slot will read, on layer 0: all codes that its record
 * leads to, if that is full.
 */
static void prefetch_back(const struct vexfs_graph *g, u32 slot)
{
	const __le32 *links = vexfs_graph_links(g, slot, 0);
	u32 i, link, degree = vexfs_graph_degree(g, 0);

	if (!vexfs_link_get(links + degree - 1))
		return;
	for (i = 0; i < degree; i++) {
		link = vexfs_link_get(links + i);
		if (link)
			vexfs_prefetch(vexfs_graph_code(g, link - 1),
				       min(g->sp.code_bytes, BACK_AHEAD));
	}
}

void vexfs_connect(struct vexfs_graph *g, u32 slot, u32 level,
		   struct vexfs_graph_scratch *s)
{
	const u32 *to = vexfs_found(s, level);
	u32 i, n = s->nfound[level];

	for (i = 0; !level && i < n; i++)
		vexfs_prefetch(vexfs_arena_item(&g->links, to[i]),
			       g->links.item_size);
	store_found(g, slot, level, s);
	for (i = 0; i < n; i++) {
		if (!level && i + 1 < n)
			prefetch_back(g, to[i + 1]);
		vexfs_link_back(g, to[i], level, slot, s);
	}
}

/*
 * The entry to start from. For a node of a higher layer than there is, or the
 * first of all, top_lock is taken, until the node is the entry itself.
 */
static u64 insert_entry(struct vexfs_graph *g, u32 mine, bool *locked)
{
	/* Pairs with the release in vexfs_graph_set_entry(). */
	u64 entry = smp_load_acquire(&g->entry);

	*locked = !entry || mine > (u32)(entry >> 32);
	if (!*locked)
		return entry;
	mutex_lock(&g->top_lock);
	entry = g->entry;
	if (entry && mine <= (u32)(entry >> 32)) {
		mutex_unlock(&g->top_lock);
		*locked = false;
	}
	return entry;
}

/*
 * What is expanded, and sorted for that. Following the links of the nearest
 * quarter finds nearly all of the ef_construction nearest; but what has a large
 * product with a row needn't be near anything else that has.
 */
static u32 build_hops(const struct vexfs_graph *g)
{
	if (g->sp.metric == VEXFS_METRIC_IP)
		return g->ef_construction;
	return min(g->ef_construction / 4 + BUILD_HOPS, g->ef_construction);
}

/* Where the search for a node of layer @mine begins, on that layer or the top. */
void vexfs_insert_seed(const struct vexfs_graph *g, u32 mine, u64 entry,
		       u32 pool, struct vexfs_graph_scratch *s)
{
	u32 top = (u32)(entry >> 32), start = (u32)entry - 1;

	if (!mine && vexfs_scan_near(g, pool, NULL, s))
		return;
	if (top > mine)
		start = vexfs_descend(g, start, top, mine, s);
	vexfs_walk_seed(g, start, pool, NULL, s);
}

/*
 * Finds the neighbours of a node, layer by layer from above. They are linked
 * both ways from below: who comes to a node on a layer can go on from there.
 */
static void insert_links(struct vexfs_graph *g, u32 slot, u32 mine, u64 entry,
			 struct vexfs_graph_scratch *s)
{
	u32 top = (u32)(entry >> 32), hops = build_hops(g), level;

	vexfs_walk_begin(s);
	vexfs_rest_want(s, g->ef_construction - hops);
	vexfs_insert_seed(g, mine, entry, hops, s);
	for (level = min(top, mine); ; level--) {
		vexfs_walk(g, level, hops, hops, NULL, s);
		vexfs_choose(g, slot, level, s);
		if (!level)
			break;
		vexfs_walk_again(s);
	}
	for (level = 0; level <= min(top, mine); level++)
		vexfs_connect(g, slot, level, s);
}

void vexfs_graph_encode(struct vexfs_graph *g, u32 slot, const void *row)
{
	vexfs_code_encode(&g->sp, row, vexfs_graph_code(g, slot));
	vexfs_arena_dirty(&g->codes, slot);
	if (g->sp.nib_bytes)
		vexfs_nib_encode(&g->sp, vexfs_graph_code(g, slot),
				 vexfs_graph_nib(g, slot));
}

/* Makes @slot a node that nothing leads to, and its row the query. */
int vexfs_insert_begin(struct vexfs_graph *g, u32 slot, const void *row,
		       struct vexfs_graph_scratch *s)
{
	if (slot >= g->slots || slot >= s->nvisited)
		return -EINVAL;
	if (vexfs_graph_present(g, slot))
		return -EEXIST;
	vexfs_graph_encode(g, slot, row);
	vexfs_query_from_code(&g->sp, vexfs_graph_code(g, slot), s->query);
	vexfs_walk_query(g, s);
	vexfs_graph_sign(g, slot, s);
	vexfs_graph_add_node(g, slot);
	return 0;
}

int vexfs_graph_insert(struct vexfs_graph *g, u32 slot, const void *row,
		       struct vexfs_graph_scratch *s)
{
	u32 mine = vexfs_graph_level(g, slot);
	bool locked;
	u64 entry;
	int err;

	err = vexfs_insert_begin(g, slot, row, s);
	if (err)
		return err;
	entry = insert_entry(g, mine, &locked);
	if (entry)
		insert_links(g, slot, mine, entry, s);
	if (locked) {
		vexfs_graph_set_entry(g, slot, mine);
		mutex_unlock(&g->top_lock);
	}
	return 0;
}

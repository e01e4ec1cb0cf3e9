// SPDX-License-Identifier: GPL-2.0
/*
 * Taking nodes out of the graph, and mending what they held together.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include "hnsw_priv.h"

/* Nodes around one that goes that are asked whether they link to it. */
#define REPAIR_EF	64u

/* The links of @slot that lead to other nodes, into s->around. */
static u32 neighbours(const struct vexfs_graph *g, u32 slot, u32 level,
		      struct vexfs_graph_scratch *s)
{
	const __le32 *links = vexfs_graph_links(g, slot, level);
	u32 i, link, n = 0, degree = vexfs_graph_degree(g, level);

	for (i = 0; links && i < degree; i++) {
		link = vexfs_link_get(links + i);
		if (!link)
			break;
		if (link - 1 != slot && vexfs_graph_present(g, link - 1))
			s->around[n++] = link - 1;
	}
	return n;
}

/*
 * What @node may link to instead: its other links, and the neighbours of
 * @gone. Into s->selected, *n of them; false if it doesn't link to @gone.
 */
static bool replacements(const struct vexfs_graph *g, u32 node, u32 gone,
			 u32 level, u32 n_around,
			 struct vexfs_graph_scratch *s, u32 *n)
{
	const __le32 *links = vexfs_graph_links(g, node, level);
	u32 i, j, link, kept = 0, degree = vexfs_graph_degree(g, level);
	bool linked = false;

	for (i = 0; links && i < degree; i++) {
		link = vexfs_link_get(links + i);
		if (!link)
			break;
		if (link - 1 == gone)
			linked = true;
		else if (vexfs_graph_present(g, link - 1))
			s->selected[kept++] = link - 1;
	}
	*n = kept;
	for (i = 0; linked && i < n_around; i++) {
		for (j = 0; j < kept && s->selected[j] != s->around[i]; j++)
			;
		if (j == kept && s->around[i] != node)
			s->selected[(*n)++] = s->around[i];
	}
	return linked;
}

static void relink(struct vexfs_graph *g, u32 node, u32 gone, u32 level,
		   u32 n_around, struct vexfs_graph_scratch *s)
{
	u32 n, degree = vexfs_graph_degree(g, level);

	if (node == gone || !replacements(g, node, gone, level, n_around, s, &n))
		return;
	vexfs_rank(g, s, node, n);
	n = vexfs_select(g, s, level, n, degree, degree);
	vexfs_graph_store(g, node, level, s->selected, n);
}

/* Those that link to @slot are near it, mostly: looks for them there. */
static void repair_layer(struct vexfs_graph *g, u32 slot, u32 level,
			 struct vexfs_graph_scratch *s)
{
	u32 n_around = neighbours(g, slot, level, s), i;

	vexfs_walk_begin(s);
	for (i = 0; i < n_around; i++)
		vexfs_walk_seed(g, s->around[i], REPAIR_EF, NULL, s);
	vexfs_walk(g, level, REPAIR_EF, REPAIR_EF, NULL, s);
	for (i = 0; i < s->n; i++)
		relink(g, vexfs_walk_slot(s, vexfs_cand_slot(s->pool[i])),
		       slot, level, n_around, s);
}

/* Links a node that lost all its neighbours with others around it. */
static void settle(struct vexfs_graph *g, u32 node,
		   struct vexfs_graph_scratch *s, u32 n_around)
{
	u32 to[2 * VEXFS_GRAPH_MAX_M];
	u32 i, n = 0, degree = vexfs_graph_degree(g, 0);

	for (i = 0; i < n_around; i++)
		if (s->around[i] != node)
			s->selected[n++] = s->around[i];
	vexfs_rank(g, s, node, n);
	n = vexfs_select(g, s, 0, n, degree, degree);
	memcpy(to, s->selected, n * sizeof(*to));
	vexfs_graph_store(g, node, 0, to, n);
	for (i = 0; i < n && !*vexfs_graph_linked(g, node); i++)
		vexfs_link_back(g, to[i], 0, node, s);
}

/*
 * Sees to the nodes that one that went had linked to, and now none does: their
 * own neighbours link back to them.
 */
static void adopt(struct vexfs_graph *g, struct vexfs_graph_scratch *s,
		  u32 n_around)
{
	u32 i, j, link, node;
	const __le32 *links;

	for (i = 0; i < n_around; i++) {
		node = s->around[i];
		if (*vexfs_graph_linked(g, node))
			continue;
		links = vexfs_graph_links(g, node, 0);
		vexfs_query_from_code(&g->sp, vexfs_graph_code(g, node),
				      s->query);
		for (j = 0; j < 2 * g->m && !*vexfs_graph_linked(g, node);
		     j++) {
			link = vexfs_link_get(links + j);
			if (!link)
				break;
			if (vexfs_graph_present(g, link - 1))
				vexfs_link_back(g, link - 1, 0, node, s);
		}
		if (!*vexfs_graph_linked(g, node))
			settle(g, node, s, n_around);
	}
}

/* A node of the highest layer there is, but for @slot; NONE: no node. */
static u32 highest_node(const struct vexfs_graph *g, u32 slot, u32 *level)
{
	u32 i, best = VEXFS_GRAPH_NONE;

	*level = 0;
	for (i = 0; i < g->upper_used; i++) {
		const struct vexfs_upper *up =
			vexfs_arena_item(&g->upper, i);

		if (up->level > *level && up->slot != slot) {
			*level = up->level;
			best = up->slot;
		}
	}
	for (i = 0; best == VEXFS_GRAPH_NONE && i < g->slots; i++)
		if (i != slot && vexfs_graph_present(g, i))
			best = i;
	return best;
}

/*
 * Another entry point in place of @slot. A neighbour on its highest layer is
 * as good; only if there is none one has to be looked for.
 */
static void replace_entry(struct vexfs_graph *g, u32 slot,
			  struct vexfs_graph_scratch *s)
{
	u32 level = vexfs_graph_level(g, slot), next;

	if (neighbours(g, slot, level, s))
		next = s->around[0];
	else
		next = highest_node(g, slot, &level);
	if (next == VEXFS_GRAPH_NONE)
		WRITE_ONCE(g->entry, 0);
	else
		vexfs_graph_set_entry(g, next, level);
}

void vexfs_graph_remove(struct vexfs_graph *g, u32 slot,
			struct vexfs_graph_scratch *s)
{
	u32 level, n_around;

	if (!vexfs_graph_has(g, slot) || slot >= s->nvisited)
		return;
	vexfs_query_from_code(&g->sp, vexfs_graph_code(g, slot), s->query);
	vexfs_walk_query(g, s);
	for (level = vexfs_graph_level(g, slot); level; level--)
		repair_layer(g, slot, level, s);
	repair_layer(g, slot, 0, s);
	if ((u32)g->entry == slot + 1)
		replace_entry(g, slot, s);
	n_around = neighbours(g, slot, 0, s);
	vexfs_graph_drop_node(g, slot);
	adopt(g, s, n_around);
}

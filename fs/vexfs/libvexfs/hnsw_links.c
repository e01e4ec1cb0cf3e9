// SPDX-License-Identifier: GPL-2.0
/*
 * Writing the links of a node while searches read them, and counting those that
 * lead to each.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include "hnsw_priv.h"

/* What is written into a record of links, and where. */
struct store {
	/** @fresh: which of the slots it doesn't have yet */
	u8	fresh[2 * VEXFS_GRAPH_MAX_M];
	u32	nfresh;
	/** @place: places free for them, and gaps then */
	u8	place[2 * VEXFS_GRAPH_MAX_M];
	u32	nplace;
	/** @spare: last links to nodes that may stay besides */
	u32	spare;
};

/* Takes a link out of the count; false: it has to stay. */
static bool store_drop(const struct vexfs_graph *g, u32 level, u32 slot,
		       struct store *st)
{
	if (level)
		return true;
	/*
	 * Two tasks may each see that the other's record leads there too, and
	 * choose to do without: the last to come here can't.
	 */
	if (!vexfs_graph_drop_link(g, slot,
				   st->spare && vexfs_link_live(g, slot))) {
		st->spare--;
		return false;
	}
	return true;
}

/* Room for slots and a good many gaps between them. */
#define STORE_TABLE	512u

/* Where slots are in a list of up to 2 M; index + 1, open addressing. */
struct slot_table {
	const u32 *slots;
	u32	mask;
	u8	at[STORE_TABLE];
};

static_assert(STORE_TABLE >= 4 * 2 * VEXFS_GRAPH_MAX_M);
static_assert(2 * VEXFS_GRAPH_MAX_M < U8_MAX);

static u32 slot_hash(u32 slot)
{
	return slot * 0x9e3779b1u >> 16;
}

static void slot_table_fill(struct slot_table *t, const u32 *slots, u32 n)
{
	u32 i, at;

	t->slots = slots;
	for (t->mask = 15; t->mask < 4 * n && t->mask < STORE_TABLE - 1; )
		t->mask = 2 * t->mask + 1;
	memset(t->at, 0, t->mask + 1);
	for (i = 0; i < n; i++) {
		at = slot_hash(slots[i]) & t->mask;
		while (t->at[at])
			at = (at + 1) & t->mask;
		t->at[at] = (u8)(i + 1);
	}
}

/* Its place in the list, or U32_MAX. */
static u32 slot_table_find(const struct slot_table *t, u32 slot)
{
	u32 at;

	for (at = slot_hash(slot) & t->mask; t->at[at];
	     at = (at + 1) & t->mask)
		if (t->slots[t->at[at] - 1] == slot)
			return t->at[at] - 1;
	return U32_MAX;
}

/*
 * What the record and the @n slots have in common stays where it is, so that
 * little has to be counted.
 */
static void store_diff(const struct vexfs_graph *g, u32 level,
		       const __le32 *links, const u32 *slots, u32 n,
		       struct store *st)
{
	bool have[2 * VEXFS_GRAPH_MAX_M] = { };
	struct slot_table table;
	u32 i, link, at;

	slot_table_fill(&table, slots, n);
	for (i = 0; i < vexfs_graph_degree(g, level); i++) {
		link = vexfs_link_get(links + i);
		at = link ? slot_table_find(&table, link - 1) : U32_MAX;
		if (at != U32_MAX && !have[at])
			have[at] = true;
		else if (!link || store_drop(g, level, link - 1, st))
			st->place[st->nplace++] = (u8)i;
	}
	for (i = 0; i < n; i++)
		if (!have[i])
			st->fresh[st->nfresh++] = (u8)i;
}

/* Closes the gaps that are left: moves the last links into the first gaps. */
static void store_close(__le32 *links, u32 degree, const u8 *gap, u32 ngap)
{
	u32 last = degree, i = 0;

	while (ngap && gap[ngap - 1] == last - 1) {
		ngap--;
		vexfs_link_set(links + --last, 0);
	}
	while (i < ngap) {
		vexfs_link_set(links + gap[i++],
			       vexfs_link_get(links + last - 1));
		vexfs_link_set(links + --last, 0);
		while (i < ngap && gap[ngap - 1] == last - 1) {
			ngap--;
			vexfs_link_set(links + --last, 0);
		}
	}
}

/*
 * [node_lock] Writes the links of a node, @n that all differ and, if
 * @keep_last, those old ones without which nothing would lead to a node, as
 * many as there is room for. Searches may read the record meanwhile: each word
 * is a link, old or new, at any time.
 */
void vexfs_links_store(struct vexfs_graph *g, u32 slot, u32 level,
		       const u32 *slots, u32 n, bool keep_last)
{
	__le32 *links = vexfs_graph_links(g, slot, level);
	u32 i, degree = vexfs_graph_degree(g, level);
	struct store st;

	if (!links)
		return;
	st.nfresh = 0;
	st.nplace = 0;
	st.spare = keep_last ? degree - n : 0;
	store_diff(g, level, links, slots, n, &st);
	for (i = 0; i < st.nfresh; i++) {
		u32 to = slots[st.fresh[i]];

		if (!level)
			vexfs_graph_add_link(g, to);
		vexfs_link_set(links + st.place[i], to + 1);
	}
	store_close(links, degree, st.place + st.nfresh,
		    st.nplace - st.nfresh);
	vexfs_graph_dirty(g, slot, level, 0);
}

void vexfs_graph_store(struct vexfs_graph *g, u32 slot, u32 level,
		       const u32 *slots, u32 n)
{
	mutex_lock(vexfs_node_lock(g, slot));
	vexfs_links_store(g, slot, level, slots, n, false);
	mutex_unlock(vexfs_node_lock(g, slot));
}

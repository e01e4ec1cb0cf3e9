// SPDX-License-Identifier: GPL-2.0
/*
 * Tables of quota entries, by id.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include <stdlib.h>

#include "qfile.h"

void vq_init(struct vq_table *table)
{
	memset(table, 0, sizeof(*table));
	table->bgrace = VQ_GRACE;
	table->igrace = VQ_GRACE;
}

void vq_free(struct vq_table *table)
{
	free(table->entry);
	free(table->hash);
	memset(table, 0, sizeof(*table));
}

/* The slot of @id, or the free one where it goes; room is a power of two. */
static u32 *vq_slot(struct vq_table *table, u32 id)
{
	u32 mask = 2 * table->room - 1, at = id * 0x9e3779b1u;

	for (;; at++) {
		u32 *slot = &table->hash[at & mask];

		if (!*slot || le32_to_cpu(table->entry[*slot - 1].id) == id)
			return slot;
	}
}

static void vq_rehash(struct vq_table *table)
{
	u32 i;

	memset(table->hash, 0, 2 * table->room * sizeof(*table->hash));
	for (i = 0; i < table->count; i++)
		*vq_slot(table, le32_to_cpu(table->entry[i].id)) = i + 1;
}

static void vq_grow(struct vq_table *table)
{
	table->room = table->room ? 2 * table->room : 64;
	table->entry = realloc(table->entry,
			       table->room * sizeof(*table->entry));
	table->hash = realloc(table->hash,
			      2 * table->room * sizeof(*table->hash));
	if (!table->entry || !table->hash)
		kshim_die(__FILE__, __LINE__, "out of memory");
	vq_rehash(table);
}

struct vq_entry *vq_find(struct vq_table *table, u32 id)
{
	u32 slot = table->room ? *vq_slot(table, id) : 0;

	return slot ? &table->entry[slot - 1] : NULL;
}

struct vq_entry *vq_get(struct vq_table *table, u32 id)
{
	struct vq_entry *e = vq_find(table, id);

	if (e)
		return e;
	if (table->count == table->room)
		vq_grow(table);
	e = &table->entry[table->count++];
	memset(e, 0, sizeof(*e));
	e->id = cpu_to_le32(id);
	*vq_slot(table, id) = table->count;
	return e;
}

static int vq_compare(const void *a, const void *b)
{
	const struct vq_entry *x = a, *y = b;
	u32 i = le32_to_cpu(x->id), j = le32_to_cpu(y->id);

	return i < j ? -1 : i > j;
}

void vq_sort(struct vq_table *table)
{
	if (!table->count)
		return;
	qsort(table->entry, table->count, sizeof(*table->entry), vq_compare);
	vq_rehash(table);
}

/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The part of compat.h about memory: shrinkers and looking folios up.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#ifndef _VEXFS_COMPAT_MM_H
#define _VEXFS_COMPAT_MM_H

#include <linux/pagemap.h>
#include <linux/shrinker.h>
#include <linux/slab.h>

/* 6.7: shrinkers are allocated; the flag came with the functions */
#ifndef SHRINKER_ALLOCATED
static inline struct shrinker *vexfs_shrinker_alloc(void)
{
	return kzalloc(sizeof(struct shrinker), GFP_KERNEL);
}

static inline int vexfs_shrinker_register(struct shrinker *s, const char *name)
{
	int err;

	s->seeks = DEFAULT_SEEKS;
	err = register_shrinker(s, "%s", name);
	if (err)
		kfree(s);
	return err;
}

static inline void vexfs_shrinker_free(struct shrinker *s)
{
	unregister_shrinker(s);
	kfree(s);
}
#else
static inline struct shrinker *vexfs_shrinker_alloc(void)
{
	return shrinker_alloc(0, "vexfs-collections");
}

static inline int vexfs_shrinker_register(struct shrinker *s, const char *name)
{
	shrinker_register(s);
	return 0;
}

static inline void vexfs_shrinker_free(struct shrinker *s)
{
	shrinker_free(s);
}
#endif

/* 6.4: an error pointer where a folio is missing, NULL before */
static inline struct folio *vexfs_find_folio(struct address_space *mapping,
					     pgoff_t index)
{
	struct folio *folio = filemap_get_folio(mapping, index);

	return IS_ERR(folio) ? NULL : folio;
}

#endif /* _VEXFS_COMPAT_MM_H */

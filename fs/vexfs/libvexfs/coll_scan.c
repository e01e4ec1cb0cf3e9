// SPDX-License-Identifier: GPL-2.0
/*
 * Scans: every live row is compared with the queries, of which one pass over
 * the rows serves many. Blocks of rows are pinned where they are; fast kernels
 * say which pairs may be near enough, and those are compared exactly. So what
 * is found is what exact distances of all pairs would give.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include "coll_search.h"

/* Queries of a pass. */
#define VEXFS_SCAN_QUERIES	256u
/* Their hits together, at most, but for a single query. */
#define VEXFS_SCAN_HITS		1048576u
/* Bytes of prepared queries together, likewise. */
#define VEXFS_SCAN_BYTES	(8u << 20)
/* Fewer queries than this are compared one by one, each with all rows. */
#define VEXFS_SCAN_TILED	6u
/*
 * So few rows that a tile let through are compared exactly at once: fast, four
 * are compared whether there are as many or not.
 */
#define VEXFS_SCAN_EXACT	3u
/* Scans that may come to nothing before changes are kept out of one. */
#define VEXFS_SCAN_TRIES	3u

/* Rows that are pinned together; the next ones while these are compared. */
struct vexfs_scan_block {
	struct vexfs_row_pins *pins;
	u32 n;
	u32 slot[VEXFS_PIN_MAX];
};

struct vexfs_scan {
	/** @room: queries there is memory for */
	u32 room;
	u32 n;
	/** @query_mem, @query: prepared ones */
	void *query_mem;
	const struct vexfs_query **query;
	struct vexfs_topk *top;
	/** @tile_mem: of all queries, then a block of rows; @lanes: of each */
	void *tile_mem;
	struct vexfs_tile_block *tile_block;
	u32 lanes;
	/** @rows: of a block */
	u32 rows;
	/** @next_slot: where the next block begins; of @slots */
	u32 next_slot;
	u32 slots;
	struct vexfs_scan_block block[2];
	u16 pairs[VEXFS_TILE_ROWS * VEXFS_TILE_LANES];
	/** @pair_rows: of each query of a tile, those that are near enough */
	u8 npair[VEXFS_TILE_LANES];
	u8 pair_rows[VEXFS_TILE_LANES][VEXFS_TILE_ROWS];
	/** @near, @near_row, @keys: rows that one query is compared with */
	const void *near[VEXFS_PIN_MAX];
	u8 near_row[VEXFS_PIN_MAX];
	u32 keys[VEXFS_PIN_MAX];
};

static_assert(VEXFS_TILE_ROWS == VEXFS_PIN_MAX);

void vexfs_scan_free(struct vexfs_scan *scan)
{
	if (!scan)
		return;
	vexfs_coll_pins_free(scan->block[0].pins);
	vexfs_coll_pins_free(scan->block[1].pins);
	kvfree(scan->query_mem);
	kvfree(scan->query);
	kvfree(scan->top);
	kvfree(scan->tile_mem);
	kvfree(scan);
}

u32 vexfs_scan_queries(const struct vexfs_coll_searcher *s, u32 n, u32 k)
{
	u32 most = min(VEXFS_SCAN_HITS / (k + VEXFS_SPARE_HITS),
		       VEXFS_SCAN_BYTES / s->coll->sp.query_bytes);

	return min(n, clamp(most, 1u, VEXFS_SCAN_QUERIES));
}

static struct vexfs_scan *vexfs_scan_alloc(const struct vexfs_coll *coll)
{
	struct vexfs_scan *scan = kvzalloc(sizeof(*scan), VEXFS_GFP);
	u32 i;

	if (!scan)
		return NULL;
	scan->rows = vexfs_tile_rows(&coll->sp);
	for (i = 0; i < 2; i++) {
		scan->block[i].pins = vexfs_coll_pins_alloc(coll, scan->rows);
		if (!scan->block[i].pins) {
			vexfs_scan_free(scan);
			return NULL;
		}
	}
	return scan;
}

static size_t vexfs_scan_query_bytes(const struct vexfs_space *sp)
{
	return ALIGN(sp->query_bytes, 64);
}

static size_t vexfs_scan_tile_bytes(const struct vexfs_space *sp)
{
	return ALIGN(vexfs_tile_bytes(sp), 64);
}

/* Memory for tiles of @n queries: those of a full panel, and of a smaller one */
static int vexfs_scan_tile_room(struct vexfs_scan *scan,
				const struct vexfs_space *sp, u32 n)
{
	u32 lanes = vexfs_tile_lanes(sp, n), tiles;

	if (!lanes || n < VEXFS_SCAN_TILED)
		return 0;
	tiles = (n + lanes - 1) / lanes;
	scan->tile_mem = kvmalloc(tiles * vexfs_scan_tile_bytes(sp) +
				  vexfs_tile_block_bytes(sp) + 63, VEXFS_GFP);
	return scan->tile_mem ? 0 : -ENOMEM;
}

static int vexfs_scan_room(struct vexfs_scan *scan,
			   const struct vexfs_space *sp, u32 n)
{
	if (n <= scan->room)
		return 0;
	kvfree(scan->query_mem);
	kvfree(scan->query);
	kvfree(scan->top);
	kvfree(scan->tile_mem);
	scan->room = 0;
	scan->tile_mem = NULL;
	scan->query_mem = kvmalloc(n * vexfs_scan_query_bytes(sp) + 63,
				   VEXFS_GFP);
	scan->query = kvmalloc_array(n, sizeof(*scan->query), VEXFS_GFP);
	scan->top = kvmalloc_array(n, sizeof(*scan->top), VEXFS_GFP);
	if (!scan->query_mem || !scan->query || !scan->top ||
	    vexfs_scan_tile_room(scan, sp, n))
		return -ENOMEM;
	scan->room = n;
	return 0;
}

static struct vexfs_tile *vexfs_scan_tile(const struct vexfs_scan *scan,
					  const struct vexfs_space *sp, u32 i)
{
	return PTR_ALIGN(scan->tile_mem, 64) + i * vexfs_scan_tile_bytes(sp);
}

/* Puts the queries side by side; without tiles if there are but a few. */
static void vexfs_scan_pack(struct vexfs_scan *scan,
			    const struct vexfs_space *sp)
{
	u32 i, tile = 0;

	scan->lanes = scan->n < VEXFS_SCAN_TILED ? 0 :
		      vexfs_tile_lanes(sp, scan->n);
	if (!scan->lanes)
		return;
	for (i = 0; i < scan->n; i += scan->lanes) {
		vexfs_tile_pack(sp, vexfs_scan_tile(scan, sp, tile++),
				scan->query + i,
				min(scan->lanes, scan->n - i));
		cond_resched();
	}
	scan->tile_block = (void *)vexfs_scan_tile(scan, sp, tile);
}

/* Memory for @n queries with @k hits each, and the queries prepared. */
static int vexfs_scan_prepare(struct vexfs_coll_searcher *s,
			      const void *queries, u32 n, u32 k)
{
	const struct vexfs_space *sp = &s->coll->sp;
	struct vexfs_query *q;
	u32 i;
	int err;

	if (!s->scan)
		s->scan = vexfs_scan_alloc(s->coll);
	if (!s->scan)
		return -ENOMEM;
	err = vexfs_search_room(&s->hits, &s->hits_cap,
				n * (k + VEXFS_SPARE_HITS), sizeof(*s->hits));
	if (!err)
		err = vexfs_scan_room(s->scan, sp, n);
	if (err)
		return err;
	s->scan->n = n;
	q = PTR_ALIGN(s->scan->query_mem, 64);
	for (i = 0; i < n; i++) {
		vexfs_query_prepare(sp, queries + (size_t)i * sp->row_bytes,
				    q);
		s->scan->query[i] = q;
		q = (void *)q + vexfs_scan_query_bytes(sp);
	}
	vexfs_scan_pack(s->scan, sp);
	return 0;
}

/* Pins the next rows; b->n is 0 at the end. */
static int vexfs_scan_fill(struct vexfs_coll_searcher *s,
			   struct vexfs_scan_block *b)
{
	struct vexfs_coll *coll = s->coll;
	struct vexfs_scan *scan = s->scan;
	int err;

	b->n = 0;
	for (; b->n < scan->rows && scan->next_slot < scan->slots;
	     scan->next_slot++)
		if (vexfs_coll_is_live(coll, scan->next_slot))
			b->slot[b->n++] = scan->next_slot;
	if (!b->n)
		return 0;
	if (coll->io->killed(coll->priv))
		err = -EINTR;
	else
		err = coll->io->pin_rows(coll->priv, b->slot, b->n, b->pins);
	if (err)
		b->n = 0;
	return err;
}

static void vexfs_scan_unpin(struct vexfs_coll_searcher *s,
			     struct vexfs_scan_block *b)
{
	if (b->n)
		s->coll->io->unpin_rows(s->coll->priv, b->pins);
	b->n = 0;
}

/*
 * Compares query @i with @n rows of a block, those at @rows, of which @number
 * says what they are (NULL: the first, second, ...): first all of them fast,
 * then exactly those that may get in. @rows may be scan->near: those that a
 * tile let through, nearly all of which get in if they are few.
 */
static void vexfs_scan_compare(struct vexfs_coll_searcher *s, u32 i,
			       const struct vexfs_scan_block *b,
			       const void *const *rows, const u8 *number, u32 n)
{
	struct vexfs_scan *scan = s->scan;
	const struct vexfs_space *sp = &s->coll->sp;
	const struct vexfs_query *q = scan->query[i];
	struct vexfs_topk *top = scan->top + i;
	u32 j, slot, m = 0, bound = vexfs_topk_bound(top);
	const bool fast = !number || n > VEXFS_SCAN_EXACT;

	if (fast)
		vexfs_lower_rows(sp, q, rows, n, scan->keys);
	for (j = 0; j < n; j++) {
		if (fast && scan->keys[j] > bound)
			continue;
		scan->near[m] = rows[j];
		scan->near_row[m] = number ? number[j] : (u8)j;
		scan->keys[m++] = scan->keys[j];
	}
	if (m && !sp->exact)
		vexfs_exact_rows(sp, q, scan->near, m, scan->keys);
	for (j = 0; j < m; j++) {
		slot = b->slot[scan->near_row[j]];
		/* Deleted while it was compared: its row may be zeroes now */
		if (scan->keys[j] <= vexfs_topk_bound(top) &&
		    vexfs_coll_is_live(s->coll, slot))
			vexfs_topk_push(top, scan->keys[j],
					vexfs_coll_id(s->coll, slot), slot);
	}
}

static void vexfs_scan_all_rows(struct vexfs_coll_searcher *s,
				const struct vexfs_scan_block *b)
{
	u32 i;

	for (i = 0; i < s->scan->n; i++)
		vexfs_scan_compare(s, i, b, b->pins->row, NULL, b->n);
}

/* The pairs of a tile, query by query. */
static void vexfs_scan_pairs(struct vexfs_coll_searcher *s,
			     const struct vexfs_scan_block *b, u32 first,
			     u32 npairs)
{
	struct vexfs_scan *scan = s->scan;
	u32 i, j, q, row, n = min(scan->lanes, scan->n - first);

	if (!npairs)
		return;
	memset(scan->npair, 0, sizeof(scan->npair));
	for (i = 0; i < npairs; i++) {
		q = scan->pairs[i] % VEXFS_TILE_LANES;
		scan->pair_rows[q][scan->npair[q]++] =
			(u8)(scan->pairs[i] / VEXFS_TILE_LANES);
	}
	for (q = 0; q < n; q++) {
		for (j = 0; j < scan->npair[q]; j++) {
			row = scan->pair_rows[q][j];
			scan->near[j] = b->pins->row[row];
			scan->near_row[j] = (u8)row;
		}
		if (j)
			vexfs_scan_compare(s, first + q, b, scan->near,
					   scan->near_row, j);
	}
}

static void vexfs_scan_tiles(struct vexfs_coll_searcher *s,
			     const struct vexfs_scan_block *b,
			     const struct vexfs_scan_block *next)
{
	struct vexfs_scan *scan = s->scan;
	const struct vexfs_space *sp = &s->coll->sp;
	const void *const *ahead = NULL;
	u32 i, j, n, bounds[VEXFS_TILE_LANES] = { 0 };

	vexfs_tile_load(sp, scan->tile_block, b->pins->row, b->n);
	for (i = 0; i < scan->n; i += scan->lanes) {
		n = min(scan->lanes, scan->n - i);
		for (j = 0; j < n; j++)
			bounds[j] = vexfs_topk_bound(scan->top + i + j);
		/* Not earlier: other queries' panels would push them out again */
		if (i + n >= scan->n && next->n == b->n)
			ahead = next->pins->row;
		n = vexfs_tile_near(sp, vexfs_scan_tile(scan, sp,
							i / scan->lanes),
				    scan->tile_block, bounds, ahead,
				    scan->pairs);
		vexfs_scan_pairs(s, b, i, n);
		cond_resched();
	}
}

static int vexfs_scan_pass(struct vexfs_coll_searcher *s)
{
	struct vexfs_scan *scan = s->scan;
	struct vexfs_scan_block *b = scan->block, *next = b + 1;
	int err;

	scan->next_slot = 0;
	/* Pairs with the release in vexfs_coll_publish() */
	scan->slots = smp_load_acquire(&s->coll->slots);
	err = vexfs_scan_fill(s, b);
	while (!err && b->n) {
		err = vexfs_scan_fill(s, next);
		if (err)
			break;
		if (scan->lanes)
			vexfs_scan_tiles(s, b, next);
		else
			vexfs_scan_all_rows(s, b);
		s->compared += (u64)b->n * scan->n;
		vexfs_scan_unpin(s, b);
		swap(b, next);
		cond_resched();
	}
	vexfs_scan_unpin(s, b);
	return err;
}

/* Every live row; -EAGAIN if too many of the best were deleted meanwhile. */
static int vexfs_search_scan_once(struct vexfs_coll_searcher *s, u32 k,
				  struct vexfs_coll_hit *hits,
				  struct vexfs_coll_result *res)
{
	struct vexfs_scan *scan = s->scan;
	const u32 room = k + VEXFS_SPARE_HITS;
	struct vexfs_topk *top;
	u64 compared = s->compared;
	bool full;
	int err;
	u32 i;

	for (i = 0; i < scan->n; i++)
		vexfs_topk_init(scan->top + i, s->hits + (size_t)i * room,
				room);
	err = vexfs_scan_pass(s);
	if (err)
		return err;
	compared = s->compared - compared;
	for (i = 0; i < scan->n; i++, hits += k) {
		top = scan->top + i;
		full = top->n == top->k;
		vexfs_search_finish(s, top);
		if (full && top->n < k)
			return -EAGAIN;
		res[i].count = min(top->n, k);
		res[i].mode = VEXFS_MODE_SCAN;
		res[i].compared += compared / scan->n;
		memcpy(hits, top->hit, res[i].count * sizeof(*hits));
	}
	return 0;
}

/*
 * The @k nearest of each of @n queries, at most vexfs_scan_queries(), k places
 * of @hits to each. [sem] In the end with write_lock, which comes before sem.
 */
int vexfs_search_scan(struct vexfs_coll_searcher *s, const void *queries,
		      u32 n, u32 k, struct vexfs_coll_hit *hits,
		      struct vexfs_coll_result *res)
{
	struct vexfs_coll *coll = s->coll;
	u32 tries = VEXFS_SCAN_TRIES;
	int err;

	err = vexfs_scan_prepare(s, queries, n, k);
	if (err)
		return err;
	do {
		err = vexfs_search_scan_once(s, k, hits, res);
	} while (err == -EAGAIN && --tries);
	if (err != -EAGAIN)
		return err;
	up_read(&coll->sem);
	mutex_lock(&coll->write_lock);
	down_read(&coll->sem);
	err = vexfs_search_scan_once(s, k, hits, res);
	mutex_unlock(&coll->write_lock);
	return err;
}

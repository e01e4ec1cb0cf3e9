// SPDX-License-Identifier: GPL-2.0
/*
 * LSH: where the neighbours of a query are looked for, and in what order.
 *
 * Seen from the centre, a row at a given angle to the query has a projection
 * that is normally distributed around the query's own, so the probability
 * that a bit differs follows from how far the query is from the bit's
 * threshold and from the angle; the angle follows from how many bits differ
 * in all. That gives each bucket a probability to hold such a row. Buckets of
 * all tables are looked into in the order of that (cf. Lv et al., Multi-Probe
 * LSH, VLDB 2007), until what was looked into adds up to the recall wanted
 * (cf. Aumueller et al., PUFFINN, ESA 2019).
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include "idmap.h"
#include "lsh_priv.h"
#include "lsh_normal.h"

/* Costs are logarithms: 256 is a factor of two in probability. */
#define LSH_COST_ONE	256u
/* Probes wait in lists by their cost, each as wide as this. */
#define LSH_LIST_SHIFT	4
#define LSH_LISTS	640u
#define LSH_NODES	16384u
/* Buckets that are fetched ahead; and candidates. */
#define LSH_AHEAD	8u
#define LSH_CAND_MIN	4096u
#define LSH_PROB_ONE	BIT(30)

/* A bucket to look into: bits [0, last] of the order were considered. */
struct lsh_node {
	u32	flips;
	u32	cost;
	u32	next;
	u8	table;
	u8	last;
};

/* A candidate, in a list of those that differ in as many bits. */
struct lsh_found {
	u32	slot;
	u32	next;
};

struct vexfs_lsh_scratch {
	u32	words[VEXFS_LSH_MAX_TABLES];
	u16	margin[VEXFS_LSH_MAX_BITS];
	/** @rms: of the margins; @cot: of the angle, for the probes */
	u32	rms;
	u32	cot;
	/** @order: bits of an address by what flipping them costs, @cost */
	u8	order[VEXFS_LSH_MAX_TABLES][VEXFS_LSH_MAX_ADDRESS];
	u16	cost[VEXFS_LSH_MAX_TABLES][VEXFS_LSH_MAX_ADDRESS];
	/** @left: probability not looked into yet, of each table */
	u32	left[VEXFS_LSH_MAX_TABLES];
	/** @address: bits that buckets had when probing began */
	u32	address;
	u32	list[LSH_LISTS];
	u32	lowest;
	u32	unused;
	struct lsh_node *node;
	/** @seen: a bit a slot; @found: candidates, from 1 on */
	unsigned long *seen;
	u32	seen_bits;
	struct lsh_found *found;
	u32	nfound;
	u32	nranked;
	u32	found_cap;
	u32	apart[VEXFS_LSH_MAX_BITS + 1];
	u32	nearest;
	u32	bits;
	u32	probes;
	vexfs_lsh_seen_fn watch;
	void	*watch_priv;
	void	*work;
	void	*work_mem;
};

struct vexfs_lsh_scratch *vexfs_lsh_scratch_alloc(const struct vexfs_lsh *lsh)
{
	struct vexfs_lsh_scratch *sc = kvzalloc(sizeof(*sc), VEXFS_GFP);

	if (!sc)
		return NULL;
	sc->work_mem = kvmalloc(vexfs_projector_work(&lsh->pj) + 63,
				VEXFS_GFP);
	sc->node = kvmalloc_array(LSH_NODES, sizeof(*sc->node), VEXFS_GFP);
	if (sc->work_mem && sc->node) {
		sc->work = PTR_ALIGN(sc->work_mem, 64);
		return sc;
	}
	vexfs_lsh_scratch_free(sc);
	return NULL;
}

void vexfs_lsh_scratch_free(struct vexfs_lsh_scratch *sc)
{
	if (!sc)
		return;
	kvfree(sc->work_mem);
	kvfree(sc->node);
	kvfree(sc->seen);
	kvfree(sc->found);
	kvfree(sc);
}

void vexfs_lsh_watch(struct vexfs_lsh_scratch *sc, vexfs_lsh_seen_fn fn,
		     void *priv)
{
	sc->watch = fn;
	sc->watch_priv = priv;
}

/* -------------------------------------------------------------- candidates */

static int lsh_found_room(struct vexfs_lsh_scratch *sc)
{
	u32 cap = max(2 * sc->found_cap, LSH_CAND_MIN);
	struct lsh_found *new;

	new = kvmalloc_array(cap, sizeof(*new), VEXFS_GFP);
	if (!new)
		return -ENOMEM;
	if (sc->found_cap)
		memcpy(new, sc->found, sc->found_cap * sizeof(*new));
	kvfree(sc->found);
	sc->found = new;
	sc->found_cap = cap;
	return 0;
}

static int lsh_seen_room(struct vexfs_lsh_scratch *sc, u32 slots)
{
	u32 i, bits = round_up(slots, BITS_PER_LONG);

	/* Few are set: those of the query before */
	for (i = 0; i < sc->nfound; i++)
		__clear_bit(sc->found[i].slot, sc->seen);
	sc->nfound = 0;
	sc->nranked = 0;
	if (bits <= sc->seen_bits)
		return 0;
	kvfree(sc->seen);
	sc->seen_bits = 0;
	sc->seen = kvcalloc(BITS_TO_LONGS(bits), sizeof(long), VEXFS_GFP);
	if (!sc->seen)
		return -ENOMEM;
	sc->seen_bits = bits;
	return 0;
}

static u32 lsh_rms(const u16 *margin, u32 n)
{
	u64 sum = 0;
	u32 i;

	for (i = 0; i < n; i++)
		sum += (u32)margin[i] * margin[i];
	return max(int_sqrt64(div_u64(sum, n)), 1u);
}

int vexfs_lsh_query(const struct vexfs_lsh *lsh, const void *row,
		    struct vexfs_lsh_scratch *sc)
{
	int err;

	err = lsh_seen_room(sc, lsh->in.count);
	if (err)
		return err;
	vexfs_project_query(&lsh->pj, row, sc->words, sc->margin, sc->work);
	sc->rms = lsh_rms(sc->margin, lsh->pj.bits);
	sc->bits = lsh->pj.bits;
	sc->probes = 0;
	sc->nearest = sc->bits + 1;
	memset(sc->apart, 0, sizeof(sc->apart));
	return 0;
}

static __always_inline u32 lsh_differ(const u32 *a, const u32 *b, u32 words)
{
	u32 i, n = 0;
	u64 x, y;

	for (i = 0; i + 2 <= words; i += 2) {
		memcpy(&x, a + i, sizeof(x));
		memcpy(&y, b + i, sizeof(y));
		n += hweight64(x ^ y);
	}
	return i < words ? n + hweight32(a[i] ^ b[i]) : n;
}

u32 vexfs_lsh_apart(const struct vexfs_lsh *lsh,
		    const struct vexfs_lsh_scratch *sc, u32 slot)
{
	return lsh_differ(vexfs_lsh_sketch(lsh, slot), sc->words, lsh->tables);
}

/* Ranks those that were found since the last time. */
static void lsh_rank(const struct vexfs_lsh *lsh, struct vexfs_lsh_scratch *sc)
{
	u32 d;

	for (; sc->nranked < sc->nfound; sc->nranked++) {
		struct lsh_found *f = &sc->found[sc->nranked];

		d = vexfs_lsh_apart(lsh, sc, f->slot);
		f->next = sc->apart[d];
		sc->apart[d] = sc->nranked + 1;
		sc->nearest = min(sc->nearest, d);
	}
}

u32 vexfs_lsh_next(struct vexfs_lsh_scratch *sc, u32 apart,
		   struct vexfs_lsh_cand *out, u32 n)
{
	u32 got = 0, nr;

	apart = min(apart, sc->bits);
	while (got < n && sc->nearest <= apart) {
		nr = sc->apart[sc->nearest];
		if (!nr) {
			sc->nearest++;
			continue;
		}
		out[got].slot = sc->found[nr - 1].slot;
		out[got++].apart = sc->nearest;
		sc->apart[sc->nearest] = sc->found[nr - 1].next;
	}
	return got;
}

void vexfs_lsh_effort(const struct vexfs_lsh_scratch *sc, u32 *probes,
		      u32 *candidates)
{
	*probes = sc->probes;
	*candidates = sc->nfound;
}

/* ------------------------------------------------------------------ order */

/* Where in the tables of the normal distribution the margin of a bit is. */
static u32 lsh_z(const struct vexfs_lsh_scratch *sc, u32 bit)
{
	u64 z = div_u64((u64)sc->margin[bit] * sc->cot, sc->rms * 16u);

	return (u32)min_t(u64, z, ARRAY_SIZE(lsh_odds) - 1);
}

u32 vexfs_lsh_variance(const struct vexfs_lsh_scratch *sc)
{
	u64 sum = 0;
	u32 i;

	for (i = 0; i < sc->bits; i++)
		sum += lsh_var[lsh_z(sc, i)];
	return (u32)(sum >> 16);
}

static void lsh_push(struct vexfs_lsh_scratch *sc, u32 table, u32 flips,
		     u32 cost, u32 last)
{
	u32 list = cost >> LSH_LIST_SHIFT, nr = sc->unused;
	struct lsh_node *node = &sc->node[nr - 1];

	/* As improbable as that, or more to choose from than will be used */
	if (list >= LSH_LISTS || !nr)
		return;
	sc->unused = node->next;
	node->table = (u8)table;
	node->flips = flips;
	node->cost = cost;
	node->last = (u8)last;
	node->next = sc->list[list];
	sc->list[list] = nr;
}

/*
 * The most probable of those left. After it come those with one bit more
 * flipped, and with the last one flipped left alone for the next one's sake:
 * so each set of bits comes once, and none before one that costs less.
 */
static bool lsh_pop(struct vexfs_lsh_scratch *sc, struct lsh_node *out)
{
	struct lsh_node *node;
	const u16 *cost;
	const u8 *order;
	u32 nr, last;

	while (sc->lowest < LSH_LISTS && !sc->list[sc->lowest])
		sc->lowest++;
	if (sc->lowest == LSH_LISTS)
		return false;
	nr = sc->list[sc->lowest];
	node = &sc->node[nr - 1];
	*out = *node;
	sc->list[sc->lowest] = node->next;
	node->next = sc->unused;
	sc->unused = nr;
	cost = sc->cost[out->table];
	order = sc->order[out->table];
	/* The first, which has nothing flipped, has 255 for its last */
	last = (u8)(out->last + 1);
	if (last >= sc->address)
		return true;
	lsh_push(sc, out->table, out->flips | 1u << order[last],
		 out->cost + cost[last], last);
	if (last)
		lsh_push(sc, out->table,
			 (out->flips & ~(1u << order[last - 1])) |
			 1u << order[last],
			 out->cost + cost[last] - cost[last - 1], last);
	return true;
}

/* Bits of one table by cost, and its first probe: nothing flipped. */
static void lsh_begin_table(struct vexfs_lsh_scratch *sc, u32 table)
{
	u16 *cost = sc->cost[table], c;
	u8 *order = sc->order[table];
	u32 i, j, z, base = 0;

	for (i = 0; i < sc->address; i++) {
		z = lsh_z(sc, table * 32 + i);
		base += lsh_rest[z];
		c = lsh_odds[z];
		for (j = i; j && cost[j - 1] > c; j--) {
			cost[j] = cost[j - 1];
			order[j] = order[j - 1];
		}
		cost[j] = c;
		order[j] = (u8)i;
	}
	sc->left[table] = LSH_PROB_ONE;
	lsh_push(sc, table, 0, base / 16, 255);
}

static void lsh_begin(const struct vexfs_lsh *lsh,
		      struct vexfs_lsh_scratch *sc, u32 apart)
{
	u32 i;

	apart = min(apart, sc->bits / 2);
	sc->cot = lsh_cot[apart * 256 / sc->bits];
	/* Pairs with the release in lsh_divide() */
	sc->address = ilog2(smp_load_acquire(&lsh->nbuckets));
	memset(sc->list, 0, sizeof(sc->list));
	sc->lowest = 0;
	sc->unused = 1;
	for (i = 0; i < LSH_NODES; i++)
		sc->node[i].next = i + 1 < LSH_NODES ? i + 2 : 0;
	for (i = 0; i < lsh->tables; i++)
		lsh_begin_table(sc, i);
}

/* ----------------------------------------------------------------- buckets */

static u32 lsh_probability(u32 cost)
{
	u32 shift = cost / LSH_COST_ONE;

	return shift > 29 ? 0 : lsh_exp2[cost % LSH_COST_ONE / 4] >> shift;
}

/* Has a slot been found by now, with this probability? */
static bool lsh_enough(const struct vexfs_lsh *lsh,
		       const struct vexfs_lsh_scratch *sc, u32 recall)
{
	u64 missed = LSH_PROB_ONE;
	u32 i;

	for (i = 0; i < lsh->tables; i++)
		missed = missed * sc->left[i] >> 30;
	return missed * VEXFS_LSH_ONE <=
	       (u64)(VEXFS_LSH_ONE - recall) * LSH_PROB_ONE;
}

static int lsh_block_scan(const struct vexfs_lsh *lsh,
			  struct vexfs_lsh_scratch *sc,
			  const struct vexfs_lsh_block *b)
{
	u32 i, slot;
	int err;

	if (sc->nfound + VEXFS_LSH_BLOCK > sc->found_cap) {
		err = lsh_found_room(sc);
		if (err)
			return err;
	}
	for (i = 0; i < VEXFS_LSH_BLOCK; i++) {
		/* Pairs with the release in lsh_bucket_put() */
		slot = smp_load_acquire(&b->slot[i]) - 1;
		/* Empty, or of a block that isn't in use now */
		if (slot >= lsh->in.count || test_bit(slot, sc->seen))
			continue;
		__set_bit(slot, sc->seen);
		prefetch(vexfs_lsh_sketch(lsh, slot));
		sc->found[sc->nfound++].slot = slot;
	}
	return 0;
}

/*
 * A bucket, and those that it was divided into since the address got its last
 * bit: in this order, so that nothing is missed that moves now.
 */
static int lsh_bucket_scan(const struct vexfs_lsh *lsh,
			   struct vexfs_lsh_scratch *sc, u32 table, u32 bucket,
			   u32 most)
{
	const struct vexfs_lsh_block *b;
	u32 next;
	int err;

	/* Pairs with the release in lsh_divide() */
	for (; bucket < smp_load_acquire(&lsh->nbuckets);
	     bucket += 1u << sc->address) {
		b = vexfs_lsh_bucket(lsh, bucket, table);
		for (;;) {
			err = lsh_block_scan(lsh, sc, b);
			if (err)
				return err;
			/* Pairs with the release in lsh_bucket_put() */
			next = smp_load_acquire(&b->next);
			if (!next || next > lsh->more.count)
				break;
			if (sc->nfound > most)
				return -E2BIG;
			b = vexfs_lsh_more(lsh, next);
		}
	}
	return 0;
}

static u32 lsh_bucket_at(const struct vexfs_lsh_scratch *sc,
			 const struct lsh_node *node)
{
	return (sc->words[node->table] & ((1u << sc->address) - 1)) ^
	       node->flips;
}

static int lsh_probe_some(const struct vexfs_lsh *lsh,
			  struct vexfs_lsh_scratch *sc, u32 most)
{
	struct lsh_node node[LSH_AHEAD];
	u32 i, n;
	int err = 0;

	for (n = 0; n < LSH_AHEAD && lsh_pop(sc, node + n); n++)
		prefetch(vexfs_lsh_bucket(lsh, lsh_bucket_at(sc, node + n),
					  node[n].table));
	for (i = 0; !err && i < n; i++) {
		sc->left[node[i].table] -= min(sc->left[node[i].table],
					       lsh_probability(node[i].cost));
		err = lsh_bucket_scan(lsh, sc, node[i].table,
				      lsh_bucket_at(sc, node + i), most);
		if (sc->watch)
			sc->watch(sc->watch_priv, node[i].table,
				  lsh_bucket_at(sc, node + i), node[i].cost);
	}
	sc->probes += n;
	lsh_rank(lsh, sc);
	if (!err && (n < LSH_AHEAD || sc->nfound > most))
		err = -E2BIG;
	return err;
}

int vexfs_lsh_probe(const struct vexfs_lsh *lsh, struct vexfs_lsh_scratch *sc,
		    u32 apart, u32 recall, u32 most)
{
	int err = 0;

	lsh_begin(lsh, sc, apart);
	while (!err && !lsh_enough(lsh, sc, recall)) {
		err = lsh_probe_some(lsh, sc, most);
		cond_resched();
	}
	return err;
}

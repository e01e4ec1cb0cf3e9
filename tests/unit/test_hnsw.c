// SPDX-License-Identifier: GPL-2.0
/*
 * The graph on word vectors: recall against an exact search, also after all
 * nodes were replaced; filters; searches beside changes; checkpoints, whole and
 * broken.
 *
 * usage: test_hnsw [VECTORS.npy]	(default: the demo's, or made up ones)
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include <pthread.h>

#include "hnsw_fixture.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SLOW	1
#else
#define SLOW	0
#endif

static void test_recall(u8 metric, const char *name, u32 n, double bar)
{
	struct coll *c = coll_of(metric, n, 16, 200);
	double low, high, self;
	char text[160];

	low = recall(c, 200, 64, NULL, LIVE);
	high = recall(c, 200, 128, &c->live, LIVE);
	CHECK(low >= bar, "recall at ef 64 is %.4f", low);
	CHECK(high >= bar && high >= low - 0.002, "recall at ef 128 is %.4f",
	      high);
	self = found_by_itself(c, 100, SLOW ? 5 : 1);
	/* By inner product a word need not be near to itself. */
	CHECK(metric == VEXFS_METRIC_IP || self >= 0.999,
	      "%.5f found by themselves", self);
	check_links(c, false);
	check_linked(c);
	CHECK(c->g.nodes == n, "%u nodes", c->g.nodes);
	snprintf(text, sizeof(text),
		 "%s, %u rows: recall %.4f at ef 64, %.4f at ef 128, itself %.4f",
		 name, n, low, high, self);
	vt_done(text, NULL);
	coll_free(c);
}

/* Slots change hands until every vector has been replaced. */
static void test_churn(u32 n)
{
	struct coll *c = coll_of(VEXFS_METRIC_COSINE, n, 16, 100), *fresh;
	double before, after, anew, self;
	u32 i, j, *order = malloc(n * sizeof(*order));
	char text[160];

	before = recall(c, 200, 64, NULL, LIVE);
	for (i = 0; i < n; i++)
		order[i] = i;
	for (i = n; i > 1; i--) {
		j = (u32)(vt_random(&rnd) % i);
		swap(order[i - 1], order[j]);
	}
	/* A tenth at a time is away. */
	for (i = 0; i < n; i += n / 10) {
		u32 some = min(n / 10, n - i);

		for (j = 0; j < some; j++)
			delete(c, order[i + j]);
		CHECK(c->g.nodes == n - some, "%u nodes", c->g.nodes);
		for (j = 0; j < some; j++)
			insert(c, order[i + j], n + order[i + j]);
	}
	check_links(c, true);
	check_linked(c);
	after = recall(c, 200, 64, NULL, LIVE);
	self = found_by_itself(c, 100, SLOW ? 3 : 1);
	fresh = coll_new(VEXFS_METRIC_COSINE, n, 16, 100);
	for (i = 0; i < n; i++)
		insert(fresh, i, n + i);
	anew = recall(fresh, 200, 64, NULL, LIVE);
	CHECK(after >= anew - 0.01, "%.4f, built anew %.4f", after, anew);
	CHECK(self >= 0.999, "%.5f found by themselves", self);
	snprintf(text, sizeof(text),
		 "all %u rows replaced: recall %.4f, then %.4f, built anew %.4f, itself %.4f",
		 n, before, after, anew, self);
	vt_done(text, NULL);
	free(order);
	coll_free(fresh);
	coll_free(c);
}

/* A checkpoint. */
struct image {
	u8	*links, *codes, *upper;
	size_t	nlinks, ncodes, nupper;
	u32	entry, max_level;
};

static void image_free(struct image *im)
{
	free(im->links);
	free(im->codes);
	free(im->upper);
}

/* The upper layers come in pieces of @piece bytes. */
static void image_save(const struct coll *c, struct image *im, size_t piece)
{
	struct vexfs_graph_upper_iter it = { 0 };
	size_t done = 0, now;

	im->nlinks = vexfs_arena_bytes(&c->g.links, c->slots);
	im->ncodes = vexfs_arena_bytes(&c->g.codes, c->slots);
	im->nupper = vexfs_graph_upper_bytes(&c->g);
	im->links = malloc(im->nlinks);
	im->codes = malloc(im->ncodes);
	im->upper = malloc(im->nupper + piece);
	vexfs_arena_read(&c->g.links, 0, im->links, im->nlinks);
	vexfs_arena_read(&c->g.codes, 0, im->codes, im->ncodes);
	do {
		now = vexfs_graph_upper_save(&c->g, &it, im->upper + done,
					     piece);
		done += now;
	} while (now == piece);
	CHECK(done == im->nupper, "%zu bytes of %zu", done, im->nupper);
	im->entry = vexfs_graph_entry(&c->g);
	im->max_level = vexfs_graph_max_level(&c->g);
}

/* An empty graph like @c's, with its flags. */
static struct coll *coll_like(const struct coll *c)
{
	struct coll *d = coll_new(c->sp.metric, c->slots, c->g.m,
				  c->g.ef_construction);
	u32 i;

	for (i = 0; i < c->slots; i++)
		*flags_of(d, i) = *flags_of(c, i);
	memcpy(d->rows, c->rows, (size_t)c->slots * c->sp.stride);
	return d;
}

static int image_load(struct coll *d, const struct image *im)
{
	vexfs_arena_write(&d->g.links, 0, im->links, im->nlinks);
	vexfs_arena_write(&d->g.codes, 0, im->codes, im->ncodes);
	return vexfs_graph_load(&d->g, &d->live, im->entry, im->max_level,
				im->upper, im->nupper);
}

static void check_same(const struct coll *c, const struct coll *d)
{
	struct image a, b;

	image_save(c, &a, 4096);
	image_save(d, &b, 77);
	CHECK(a.nlinks == b.nlinks && !memcmp(a.links, b.links, a.nlinks),
	      "links");
	CHECK(a.ncodes == b.ncodes && !memcmp(a.codes, b.codes, a.ncodes),
	      "codes");
	CHECK(a.nupper == b.nupper && !memcmp(a.upper, b.upper, a.nupper),
	      "upper layers");
	CHECK(a.entry == b.entry && a.max_level == b.max_level, "entry");
	image_free(&a);
	image_free(&b);
}

/* Most nodes go; then all, and the graph is as if they had not been. */
static void test_shrink(u32 n)
{
	struct coll *c = coll_of(VEXFS_METRIC_L2, n, 8, 60);
	struct coll *fresh = coll_new(VEXFS_METRIC_L2, n, 8, 60);
	u32 i, got[K];
	double r, anew, self;
	char text[160];

	for (i = 0; i < n; i++)
		if (i % 4)
			delete(c, i);
		else
			insert(fresh, i, i);
	check_links(c, true);
	check_linked(c);
	r = recall(c, 100, 64, NULL, LIVE);
	anew = recall(fresh, 100, 64, NULL, LIVE);
	self = found_by_itself(c, 100, 1);
	CHECK(r >= anew - 0.015, "recall %.4f, built anew %.4f", r, anew);
	CHECK(self >= 0.997, "%.5f found by themselves", self);
	for (i = 0; i < n; i++)
		delete(c, i);
	CHECK(!c->g.nodes && !c->g.entry && !c->g.upper_live,
	      "%u nodes are left", c->g.nodes);
	CHECK(!search(c, query(0), 64, NULL, got, K), "an empty graph");
	for (i = 0; i < n; i += 4)
		insert(c, i, i);
	check_same(c, fresh);
	snprintf(text, sizeof(text),
		 "three quarters removed: recall %.4f, built anew %.4f, itself %.4f",
		 r, anew, self);
	vt_done(text, NULL);
	coll_free(fresh);
	coll_free(c);
}

static void test_small(void)
{
	struct coll *c = coll_new(VEXFS_METRIC_L2, 100, 4, 10);
	u32 got[K], i, n;

	CHECK(!search(c, query(0), 10, NULL, got, K), "empty");
	vexfs_graph_remove(&c->g, 3, c->s);
	vexfs_graph_remove(&c->g, 100, c->s);
	vexfs_graph_remove(&c->g, ~0u, c->s);
	insert(c, 7, 0);
	CHECK(vexfs_graph_insert(&c->g, 7, row_of(c, 7), c->s) == -EEXIST,
	      "twice");
	CHECK(vexfs_graph_insert(&c->g, 100, row_of(c, 7), c->s) == -EINVAL,
	      "beyond");
	n = search(c, query(0), 10, NULL, got, K);
	CHECK(n == 1 && got[0] == 7, "one node");
	for (i = 0; i < 10; i++) {
		delete(c, 7);
		CHECK(!search(c, query(0), 10, NULL, got, K), "none again");
		insert(c, 7, i);
	}
	for (n = 1; n < 100; n++) {
		if (n == 7)
			continue;
		insert(c, n, n);
		CHECK(search(c, (float *)row_of(c, n), 1, NULL, got, 1) == 1,
		      "ef 1 with %u nodes", n);
	}
	/* Many equal rows: ties all the way. */
	for (i = 0; i < 100; i++)
		delete(c, i);
	for (i = 0; i < 100; i++)
		insert(c, i, 3);
	n = search(c, query(1), 100, NULL, got, K);
	CHECK(n == K, "%u of equal rows", n);
	vt_done("no node, one, few, and equal ones", NULL);
	coll_free(c);
}

static void test_parameters(void)
{
	static const u32 ms[] = { 4, 5, 16, 33, 64 };
	struct vexfs_space sp;
	struct vexfs_graph g;
	struct vexfs_graph_config cfg = { .space = &sp, .seed = 1 };
	struct coll *c;
	double r;
	size_t i;

	vexfs_space_init(&sp, VEXFS_ELEM_F32, VEXFS_METRIC_L2, 10);
	for (cfg.m = 0; cfg.m < 80; cfg.m++) {
		for (cfg.ef_construction = 0; cfg.ef_construction < 40000;
		     cfg.ef_construction += 32767) {
			bool ok = cfg.m >= 4 && cfg.m <= 64 &&
				  cfg.ef_construction == 32767;

			CHECK(vexfs_graph_init(&g, &cfg) ==
			      (ok ? 0 : -EINVAL), "m %u ef %u", cfg.m,
			      cfg.ef_construction);
			if (ok)
				vexfs_graph_free(&g);
		}
	}
	for (i = 0; i < ARRAY_SIZE(ms); i++) {
		c = coll_of(VEXFS_METRIC_COSINE, 1500, ms[i], 50);
		r = recall(c, 50, 128, NULL, LIVE);
		CHECK(r > 0.97, "m %u: recall %.4f", ms[i], r);
		if (ms[i] == 4)
			CHECK(vexfs_graph_max_level(&c->g) >= 3,
			      "%u levels", vexfs_graph_max_level(&c->g));
		coll_free(c);
	}
	vt_done("m from 4 to 64, and what is refused", NULL);
}

static bool odd_slot(const void *priv, u32 slot)
{
	return slot % 2 == *(const u32 *)priv;
}

static void test_filter(u32 n)
{
	struct coll *c = coll_of(VEXFS_METRIC_COSINE, n, 16, 100);
	static const u32 one = 1;
	struct vexfs_graph_filter f = c->live;
	u32 i, j, k, got[K], shares[] = { 2, 10 };
	char text[80];
	double r = 0;

	for (i = 0; i < ARRAY_SIZE(shares); i++) {
		u8 bit = (u8)(2 << i);

		for (j = 0; j < n; j++)
			if (vt_random(&rnd) % shares[i] == 0)
				*flags_of(c, j) |= bit;
		f.mask = LIVE | bit;
		f.want = LIVE | bit;
		for (j = 0; j < 20; j++) {
			u32 m = search(c, query(j), 100, &f, got, K);

			CHECK(m == K, "%u results", m);
			for (k = 0; k < m; k++)
				CHECK(*flags_of(c, got[k]) & bit, "slot %u",
				      got[k]);
		}
		r = recall(c, 100, 64, &f, LIVE | bit);
		CHECK(r > 0.97, "recall %.4f of 1 in %u", r, shares[i]);
	}
	f.flags = NULL;
	f.accept = odd_slot;
	f.priv = &one;
	k = search(c, query(0), 100, &f, got, K);
	CHECK(k == K, "%u odd ones", k);
	for (j = 0; j < k; j++)
		CHECK(got[j] % 2, "slot %u", got[j]);
	/* Nothing passes. */
	c->live.want = 0xff;
	c->live.mask = 0xff;
	CHECK(!search(c, query(0), 100, &c->live, got, K), "none passes");
	snprintf(text, sizeof(text), "filters, 1 of 10: recall %.4f", r);
	vt_done(text, NULL);
	coll_free(c);
}

static void test_save(u32 n)
{
	struct coll *c = coll_of(VEXFS_METRIC_L2, n, 8, 40), *d;
	u32 i, got[K], same[K];
	struct image im;

	for (i = 0; i < n; i += 3)
		delete(c, i);
	image_save(c, &im, 1);
	image_free(&im);
	image_save(c, &im, 1 << 20);
	d = coll_like(c);
	CHECK(!image_load(d, &im), "load");
	CHECK(d->g.nodes == c->g.nodes, "%u nodes", d->g.nodes);
	check_same(c, d);
	for (i = 0; i < 50; i++) {
		search(c, query(i), 32, NULL, got, K);
		search(d, query(i), 32, NULL, same, K);
		CHECK(!memcmp(got, same, sizeof(got)), "query %u", i);
	}
	/* And they stay the same. */
	for (i = 0; i < 60; i++) {
		insert(c, i * 3, i);
		insert(d, i * 3, i);
		delete(c, i * 3 + 1);
		delete(d, i * 3 + 1);
	}
	check_same(c, d);
	check_linked(d);
	CHECK(vexfs_graph_load(&d->g, &d->live, im.entry, im.max_level,
			       im.upper, im.nupper) == -EINVAL, "not fresh");
	vt_done("a graph that was saved is the same", NULL);
	image_free(&im);
	coll_free(c);
	coll_free(d);
}

/* What isn't marked dirty hasn't changed. */
static void test_dirty(u32 n)
{
	struct coll *c = coll_of(VEXFS_METRIC_COSINE, n, 16, 40);
	struct vexfs_arena *sect[] = { &c->g.links, &c->g.codes };
	u32 round, i, j, chunks, dirty = 0, all = 0;
	struct image im, now;

	for (j = 0; j < 2; j++)
		vexfs_arena_set_all_dirty(sect[j], false);
	image_save(c, &im, 4096);
	for (round = 0; round < 20; round++) {
		u8 *old[] = { im.links, im.codes }, *new[2];
		size_t size[] = { im.nlinks, im.ncodes };

		for (i = 0; i < round % 3; i++)
			delete(c, (u32)(vt_random(&rnd) % n));
		for (i = 0; i < n; i++)
			if (!is_live(c, i) && vt_random(&rnd) % 2)
				insert(c, i, i);
		image_save(c, &now, 4096);
		new[0] = now.links;
		new[1] = now.codes;
		for (j = 0; j < 2; j++) {
			chunks = vexfs_arena_chunks(sect[j], n);
			for (i = 0; i < chunks; i++) {
				size_t pos = (size_t)i * VEXFS_CHUNK_SIZE;
				size_t len = min((size_t)VEXFS_CHUNK_SIZE,
						 size[j] - pos);

				all++;
				dirty += vexfs_arena_is_dirty(sect[j], i);
				CHECK(vexfs_arena_is_dirty(sect[j], i) ||
				      !memcmp(old[j] + pos, new[j] + pos, len),
				      "section %u chunk %u changed", j, i);
			}
			vexfs_arena_set_all_dirty(sect[j], false);
		}
		image_free(&im);
		im = now;
	}
	CHECK(dirty && dirty < all, "%u of %u chunks dirty", dirty, all);
	vt_done("only what is marked dirty has changed", NULL);
	image_free(&im);
	coll_free(c);
}

/* Loads a damaged image; if that succeeds, uses it. */
static bool try_broken(const struct coll *c, const struct image *im)
{
	struct coll *d = coll_like(c);
	u32 got[K], i;
	bool ok = !image_load(d, im);

	for (i = 0; ok && i < 3; i++)
		search(d, query(i), 32, NULL, got, K);
	for (i = 0; ok && i < 20; i++)
		delete(d, i);
	for (i = 0; ok && i < 20; i++)
		insert(d, i, i);
	coll_free(d);
	return ok;
}

static void put32(u8 *p, u32 v)
{
	put_unaligned_le32(v, p);
}

static void test_broken(u32 n)
{
	struct coll *c = coll_of(VEXFS_METRIC_L2, n, 4, 20);
	struct image im;
	u32 i, accepted = 0, saved, rec = 8 + 4 * 4;
	u8 *p;

#define BREAK(where, value, why) do {					\
	p = (where);							\
	saved = get_unaligned_le32(p);					\
	put32(p, value);						\
	CHECK(!try_broken(c, &im), "%s was accepted", why);		\
	put32(p, saved);						\
} while (0)
	delete(c, 30);
	image_save(c, &im, 4096);
	CHECK(try_broken(c, &im), "the whole image");
	BREAK(im.links, n + 1, "a link behind the last slot");
	BREAK(im.links + 4, 0xffffffff, "a link to nowhere");
	BREAK(im.links + 32, 2, "a link to itself");
	BREAK(im.links, 0, "a list with a hole");
	BREAK(im.upper, get_unaligned_le32(im.upper) + 1, "another slot");
	BREAK(im.upper + 4, 2, "another level");
	BREAK(im.upper + rec + 8, n + 1, "an upper link behind the last slot");
	/* Slots with an upper layer are those that the section begins with. */
	BREAK(im.upper + 8, get_unaligned_le32(im.upper) + 2,
	      "an upper link to a node that has no upper layer");
	im.nupper -= rec;
	CHECK(!try_broken(c, &im), "a short section was accepted");
	im.nupper += rec - 1;
	CHECK(!try_broken(c, &im), "a shorter section was accepted");
	im.nupper += 1;
	saved = im.entry;
	im.entry = n;
	CHECK(!try_broken(c, &im), "an entry behind the last slot");
	im.entry = 30;
	CHECK(!try_broken(c, &im), "an entry that is no node");
	im.entry = VEXFS_GRAPH_NONE;
	CHECK(!try_broken(c, &im), "no entry");
	im.entry = saved;
	im.max_level += 1;
	CHECK(!try_broken(c, &im), "a level too high");
	im.max_level -= 1;
	/* Any bytes: refused, or harmless. */
	for (i = 0; i < (SLOW ? 60u : 300u); i++) {
		u32 which = (u32)(vt_random(&rnd) % 3);
		u8 *base = which == 0 ? im.links : which == 1 ? im.upper :
			   im.codes;
		size_t size = which == 0 ? im.nlinks : which == 1 ? im.nupper :
			      im.ncodes;
		size_t pos = (size_t)(vt_random(&rnd) % size);
		u8 old = base[pos];

		base[pos] ^= (u8)(1 << (vt_random(&rnd) % 8));
		accepted += try_broken(c, &im);
		base[pos] = old;
	}
	CHECK(accepted > 0, "nothing was accepted");
	CHECK(try_broken(c, &im), "the whole image, again");
	vt_done("broken checkpoints are refused or harmless", NULL);
	image_free(&im);
	coll_free(c);
}

/* The same rows make the same graph on every instruction set. */
static void test_levels(u32 n)
{
	static const char *const name[] = { "avx2", "avx512bw", "avx512vnni" };
	struct coll *c, *d;
	size_t i;

	vexfs_simd_init("sse2");
	c = coll_of(VEXFS_METRIC_COSINE, n, 8, 50);
	for (i = 0; i < ARRAY_SIZE(name); i++) {
		if (vexfs_simd_init(name[i]))
			continue;
		d = coll_of(VEXFS_METRIC_COSINE, n, 8, 50);
		check_same(c, d);
		coll_free(d);
	}
	vexfs_simd_init(NULL);
	coll_free(c);
	vt_done("the graph doesn't depend on the instruction set", NULL);
}

/*
 * A scratch marks what a search has visited, and takes the marks away when it
 * has used all there are: what was visited so many searches ago counts no more.
 */
static void test_again(u32 n)
{
	struct coll *c = coll_of(VEXFS_METRIC_L2, n, 8, 40);
	u32 first[K], got[K], i, gap;

	search(c, query(0), 30, NULL, first, K);
	/* A search is a walk or two. */
	for (gap = U8_MAX / 2 - 3; gap < U8_MAX + 3; gap++) {
		if (gap == U8_MAX / 2 + 3)
			gap = U8_MAX - 3;
		for (i = 0; i < gap; i++)
			search(c, query(1), 8, NULL, got, K);
		i = search(c, query(0), 30, NULL, got, K);
		CHECK(i == K && !memcmp(got, first, sizeof(got)),
		      "other results after %u searches", gap);
	}
	coll_free(c);
	vt_done("the same search after others", NULL);
}

static void test_memory(void)
{
	struct coll *c = coll_of(VEXFS_METRIC_L2, 200, 8, 40);
	struct vexfs_graph_scratch *s = NULL;
	int fail, err = -ENOMEM;
	u32 got[K];

	for (fail = 1; err; fail++) {
		kshim_fail_alloc = fail;
		err = vexfs_graph_reserve(&c->g, 3000);
		CHECK(!err || err == -ENOMEM, "%d", err);
		CHECK(err ? c->g.slots == 200 : c->g.slots == 3000, "slots");
		kshim_fail_alloc = 0;
		CHECK(search(c, query(0), 32, NULL, got, K) == K, "search");
	}
	CHECK(fail > 4, "failed only %d times", fail);
	for (fail = 1, err = -ENOMEM; err; fail++) {
		kshim_fail_alloc = fail;
		s = vexfs_graph_scratch_alloc();
		err = s ? vexfs_graph_scratch_prepare(s, &c->g, 500) : -ENOMEM;
		CHECK(!err || err == -ENOMEM, "%d", err);
		if (err)
			vexfs_graph_scratch_free(s);
	}
	kshim_fail_alloc = 0;
	CHECK(fail > 6, "failed only %d times", fail);
	CHECK(vexfs_graph_scratch_prepare(s, &c->g, VEXFS_GRAPH_MAX_EF + 1) ==
	      -EINVAL, "ef too large");
	CHECK(vexfs_graph_scratch_memory(s) > 500 * 8, "scratch memory");
	CHECK(vexfs_graph_reserve(&c->g, VEXFS_GRAPH_MAX_SLOTS + 1) == -EFBIG,
	      "too many slots");
	vexfs_graph_scratch_free(s);
	coll_free(c);
	vt_done("when memory is short", NULL);
}

/* Searches beside changes. */
struct stress {
	struct coll *c;
	u32	stable;			/* slots below are never removed */
	int	stop;
	u64	searches, missed;
	u64	seed;
};

static void *searcher(void *arg)
{
	struct stress *st = arg;
	struct coll *c = st->c;
	struct vexfs_graph_scratch *s = vexfs_graph_scratch_alloc();
	struct vexfs_graph_hit hit[64];
	u32 slot, n, i, seen;
	u64 compared = 0;

	vexfs_graph_scratch_prepare(s, &c->g, 64);
	while (!__atomic_load_n(&st->stop, __ATOMIC_RELAXED)) {
		slot = (u32)(vt_random(&st->seed) % st->stable);
		vexfs_query_prepare(&c->sp, row_of(c, slot),
				    vexfs_graph_scratch_query(s));
		n = vexfs_graph_search(&c->g, 64, &c->live, s, hit, &compared);
		for (i = seen = 0; i < n; i++) {
			if (hit[i].slot >= c->slots ||
			    (i && hit[i].key < hit[i - 1].key))
				abort();
			seen |= hit[i].slot == slot;
		}
		st->missed += !seen;
		st->searches++;
	}
	vexfs_graph_scratch_free(s);
	return NULL;
}

static void test_concurrent(u32 n, double seconds)
{
	struct coll *c = coll_of(VEXFS_METRIC_COSINE, n, 8, 40);
	struct stress st[2] = { { .c = c, .stable = n / 2, .seed = 1 },
				{ .c = c, .stable = n / 2, .seed = 2 } };
	pthread_t thread[2];
	u64 changes = 0, searches, missed;
	char text[160];
	double end;
	u32 i, slot;

	for (i = 0; i < 2; i++)
		if (pthread_create(thread + i, NULL, searcher, st + i))
			abort();
	for (end = vt_seconds() + seconds; vt_seconds() < end; changes++) {
		slot = n / 2 + (u32)(vt_random(&rnd) % (n - n / 2));
		if (is_live(c, slot))
			delete(c, slot);
		else
			insert(c, slot, slot);
	}
	for (i = 0; i < 2; i++) {
		__atomic_store_n(&st[i].stop, 1, __ATOMIC_RELAXED);
		pthread_join(thread[i], NULL);
	}
	searches = st[0].searches + st[1].searches;
	missed = st[0].missed + st[1].missed;
	CHECK(searches > 100 && changes > 20, "%llu searches, %llu changes",
	      searches, changes);
	CHECK(missed * 500 <= searches, "%llu of %llu missed", missed,
	      searches);
	check_links(c, true);
	check_linked(c);
	CHECK(found_by_itself(c, 100, 1) >= 0.995, "afterwards: %.5f",
	      found_by_itself(c, 100, 1));
	snprintf(text, sizeof(text),
		 "searches beside changes: %llu and %llu, %llu missed",
		 searches, changes, missed);
	vt_done(text, NULL);
	coll_free(c);
}

/* Several tasks insert at a time, from the first node on. */
#define INSERTERS	3u

struct inserter {
	struct coll *c;
	u32	first;
};

static void *run_inserter(void *arg)
{
	struct inserter *in = arg;
	struct coll *c = in->c;
	struct vexfs_graph_scratch *s = vexfs_graph_scratch_alloc();
	u32 i;

	if (!s || vexfs_graph_scratch_prepare(s, &c->g, 0))
		abort();
	for (i = in->first; i < c->slots; i += INSERTERS) {
		c->vec[i] = i;
		memcpy(row_of(c, i), words.v + (size_t)i * words.dims,
		       c->sp.row_bytes);
		if (vexfs_graph_insert(&c->g, i, row_of(c, i), s))
			abort();
		__atomic_fetch_or(flags_of(c, i), LIVE, __ATOMIC_RELEASE);
	}
	vexfs_graph_scratch_free(s);
	return NULL;
}

static void test_parallel(u32 n)
{
	struct coll *c = coll_new(VEXFS_METRIC_COSINE, n, 8, 60);
	struct coll *alone = coll_of(VEXFS_METRIC_COSINE, n, 8, 60);
	struct inserter in[INSERTERS];
	pthread_t thread[INSERTERS];
	double many, one;
	char text[100];
	u32 i;

	for (i = 0; i < INSERTERS; i++) {
		in[i].c = c;
		in[i].first = i;
		if (pthread_create(thread + i, NULL, run_inserter, in + i))
			abort();
	}
	for (i = 0; i < INSERTERS; i++)
		pthread_join(thread[i], NULL);
	CHECK(c->g.nodes == n, "%u nodes", c->g.nodes);
	check_links(c, false);
	check_linked(c);
	many = recall(c, 200, 64, NULL, LIVE);
	one = recall(alone, 200, 64, NULL, LIVE);
	CHECK(many >= one - 0.01, "recall %.4f, by one task %.4f", many, one);
	CHECK(found_by_itself(c, 64, 3) >= 0.995, "%.5f",
	      found_by_itself(c, 64, 3));
	snprintf(text, sizeof(text),
		 "%u tasks insert: recall %.4f, by one %.4f", INSERTERS, many,
		 one);
	vt_done(text, NULL);
	coll_free(c);
	coll_free(alone);
}

int main(int argc, char **argv)
{
	const char *file = argc > 1 ? argv[1] :
			   "demo/glove20k/vectors.npy";
	u32 all;

	vexfs_simd_init(NULL);
	if (vecfile_load(&words, file, 0)) {
		printf("# %s can't be read: made up vectors instead\n", file);
		if (vecfile_random(&words, 20000, 100, 500, 3))
			return 1;
	}
	all = (u32)words.n - 200;
	test_small();
	test_parameters();
	test_memory();
	test_again(1500);
	test_recall(VEXFS_METRIC_COSINE, "cosine", SLOW ? 3000 : all, 0.97);
	test_recall(VEXFS_METRIC_L2, "L2", SLOW ? 1500 : 6000, 0.97);
	test_recall(VEXFS_METRIC_IP, "inner product", SLOW ? 1500 : 6000,
		    0.97);
	test_churn(SLOW ? 1200 : 5000);
	test_shrink(SLOW ? 1000 : 4000);
	test_filter(SLOW ? 2000 : 6000);
	test_save(SLOW ? 600 : 2000);
	test_dirty(SLOW ? 3000 : 6000);
	test_broken(300);
	test_levels(SLOW ? 400 : 1500);
	test_parallel(SLOW ? 600 : 3000);
	test_concurrent(2000, SLOW ? 2.0 : 1.5);
	vecfile_free(&words);
	return vt_exit();
}

// SPDX-License-Identifier: GPL-2.0
/*
 * Lists of the nearest against a full sort, and arenas against plain memory.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include "vtest.h"
#include "arena.h"
#include "topk.h"

static u64 rnd = 42;

static int by_key(const void *a, const void *b)
{
	if (vexfs_hit_before(a, b))
		return -1;
	return vexfs_hit_before(b, a);
}

/* Few different keys, so that ties matter. */
static struct vexfs_coll_hit *random_hits(u32 n, u32 keys)
{
	struct vexfs_coll_hit *h = calloc(n + 1, sizeof(*h));
	u32 i, j;

	for (i = 0; i < n; i++) {
		h[i].id = i * 7ull + 1;
		h[i].slot = i;
		h[i].key = (u32)(vt_random(&rnd) % keys);
	}
	for (i = n; i > 1; i--) {
		j = (u32)(vt_random(&rnd) % i);
		swap(h[i - 1], h[j]);
	}
	return h;
}

static void topk_case(u32 n, u32 k, u32 keys)
{
	struct vexfs_coll_hit *all = random_hits(n, keys);
	struct vexfs_coll_hit *out = calloc(k + 1, sizeof(*out));
	struct vexfs_topk t;
	u32 i, want = min(n, k);

	vexfs_topk_init(&t, out, k);
	out[k].id = 0xdead;
	for (i = 0; i < n; i++) {
		u32 bound = vexfs_topk_bound(&t);
		bool in = vexfs_topk_push(&t, all[i].key, all[i].id,
					  all[i].slot);

		CHECK(!in || all[i].key <= bound, "bound, n %u k %u", n, k);
		CHECK(in || t.n == k, "refused with room, n %u k %u", n, k);
	}
	CHECK(t.n == want, "n %u k %u: %u", n, k, t.n);
	vexfs_hits_sort(out, t.n);
	qsort(all, n, sizeof(*all), by_key);
	CHECK(!memcmp(all, out, want * sizeof(*out)), "n %u k %u keys %u", n,
	      k, keys);
	CHECK(out[k].id == 0xdead, "wrote behind the end, k %u", k);
	free(all);
	free(out);
}

static void test_topk(void)
{
	static const u32 ks[] = { 0, 1, 2, 3, 10, 64, 1000, 16384 };
	static const u32 keys[] = { 1, 5, 1000, 0xffffffff };
	size_t i, j;
	u32 n;

	for (i = 0; i < ARRAY_SIZE(ks); i++)
		for (j = 0; j < ARRAY_SIZE(keys); j++)
			for (n = 0; n < 30000; n = n * 3 + 1)
				topk_case(n, ks[i], keys[j]);
	vt_done("the k nearest are those of a full sort", NULL);
}

static void test_sort(void)
{
	struct vexfs_coll_hit *a, *b;
	u32 n;

	for (n = 0; n < 20000; n = n * 2 + 1) {
		a = random_hits(n, 50);
		b = calloc(n + 1, sizeof(*b));
		memcpy(b, a, n * sizeof(*b));
		qsort(b, n, sizeof(*b), by_key);
		vexfs_hits_sort(a, n);
		CHECK(!memcmp(a, b, n * sizeof(*b)), "n %u", n);
		free(a);
		free(b);
	}
	vt_done("sorting", NULL);
}

static void test_merge(void)
{
	struct vexfs_coll_hit *all, *out;
	u32 n = 1000, na, nb, k, got, i;

	for (na = 0; na <= n; na += 125) {
		all = random_hits(n, 30);
		/* The last hundred are in both. */
		nb = n - na + min(na, 100u);
		for (k = 0; k <= n + 10; k += 101) {
			struct vexfs_coll_hit *a = calloc(n + 1, sizeof(*a));
			struct vexfs_coll_hit *b = calloc(n + 1, sizeof(*b));

			memcpy(a, all, na * sizeof(*a));
			memcpy(b, all + n - nb, nb * sizeof(*b));
			vexfs_hits_sort(a, na);
			vexfs_hits_sort(b, nb);
			out = calloc(k + 1, sizeof(*out));
			got = vexfs_hits_merge(a, na, b, nb, out, k);
			memcpy(a, all, n * sizeof(*a));
			vexfs_hits_sort(a, n);
			CHECK(got == min(k, n), "%u of %u", got, k);
			CHECK(!memcmp(out, a, got * sizeof(*a)),
			      "na %u k %u", na, k);
			free(a);
			free(b);
			free(out);
		}
		free(all);
	}
	/* An id at another key stays until they are made unique. */
	{
		struct vexfs_coll_hit h[] = {
			{ .id = 5, .key = 9, .slot = 1 },
			{ .id = 3, .key = 4, .slot = 2 },
			{ .id = 5, .key = 2, .slot = 3 },
			{ .id = 5, .key = 2, .slot = 3 },
			{ .id = 8, .key = 3, .slot = 4 },
		};

		got = vexfs_hits_dedup(h, 5);
		CHECK(got == 3, "%u are left", got);
		CHECK(h[0].id == 5 && h[0].key == 2 && h[1].id == 8 &&
		      h[2].id == 3, "the nearest of each, in order");
		CHECK(vexfs_hits_dedup(h, 0) == 0, "none");
	}
	all = random_hits(5000, 400);
	for (i = 0; i < 5000; i++)
		all[i].id %= 1234;
	got = vexfs_hits_dedup(all, 5000);
	CHECK(got == 1234, "%u ids", got);
	for (i = 1; i < got; i++)
		CHECK(vexfs_hit_before(all + i - 1, all + i), "order at %u", i);
	free(all);
	vt_done("merging, and each id once", NULL);
}

static void arena_case(u32 item, u32 count)
{
	struct vexfs_arena a;
	u32 step, n = 0, i;
	u8 *image, *copy;
	size_t bytes;

	vexfs_arena_init(&a, item);
	for (step = 1; n < count; step = step * 3 + 1) {
		u32 old = n;

		n = min(count, n + step);
		CHECK(!vexfs_arena_reserve(&a, n) && a.count >= n, "%u", n);
		for (i = old; i < n; i++) {
			u8 *p = vexfs_arena_item(&a, i);

			CHECK(!memchr_inv(p, 0, item), "new item %u", i);
			memset(p, (int)(i * 31 + 7), item);
			CHECK(p[0] == (u8)(i * 31 + 7), "item %u", i);
		}
	}
	for (i = 0; i < count; i++) {
		u8 *p = vexfs_arena_item(&a, i);

		CHECK(!memchr_inv(p, (u8)(i * 31 + 7), item), "item %u", i);
		CHECK(item % 64 || IS_ALIGNED((unsigned long)p, 64ul),
		      "item %u of %u bytes is not aligned", i, item);
	}
	bytes = vexfs_arena_bytes(&a, count);
	CHECK(bytes == (size_t)item * count && a.memory >= bytes, "bytes");
	image = malloc(bytes);
	copy = malloc(bytes);
	for (i = 0; i < count; i++)
		memset(image + (size_t)i * item, (int)(i * 31 + 7), item);
	vexfs_arena_read(&a, 0, copy, bytes);
	CHECK(!memcmp(image, copy, bytes), "reading all, item %u", item);
	for (i = 0; i < 50; i++) {
		u64 pos = vt_random(&rnd) % bytes;
		size_t len = (size_t)(vt_random(&rnd) % (bytes - pos + 1));

		memset(copy, 0x55, len);
		vexfs_arena_read(&a, pos, copy, len);
		CHECK(!memcmp(image + pos, copy, len), "read at %llu", pos);
		memset(image + pos, (int)i, len);
		vexfs_arena_write(&a, pos, image + pos, len);
	}
	vexfs_arena_read(&a, 0, copy, bytes);
	CHECK(!memcmp(image, copy, bytes), "after writing, item %u", item);
	free(image);
	free(copy);
	vexfs_arena_free(&a);
	CHECK(!a.memory && !a.count, "freed");
}

static void test_arena(void)
{
	arena_case(1, 100000);
	arena_case(4, 3);
	arena_case(68, 150000);
	arena_case(128, 70000);
	arena_case(192, 50000);
	arena_case(16448, 500);
	vt_done("arenas keep their items", NULL);
}

static void test_arena_dirty(void)
{
	u32 item = 68, count = 20000, c, n, i;
	struct vexfs_arena a;

	vexfs_arena_init(&a, item);
	CHECK(!vexfs_arena_reserve(&a, count), "reserve");
	n = vexfs_arena_chunks(&a, count);
	CHECK(n == DIV_ROUND_UP(item * count, VEXFS_CHUNK_SIZE), "%u", n);
	for (c = 0; c < n + 2000; c++)
		CHECK(!vexfs_arena_is_dirty(&a, c), "chunk %u is clean", c);
	/* Item 3855 straddles chunks 0 and 1: 3855 * 68 = 262140. */
	vexfs_arena_dirty(&a, 3855);
	CHECK(vexfs_arena_is_dirty(&a, 0) && vexfs_arena_is_dirty(&a, 1) &&
	      !vexfs_arena_is_dirty(&a, 2), "an item across chunks");
	vexfs_arena_set_dirty(&a, 0, false);
	CHECK(!vexfs_arena_is_dirty(&a, 0) && vexfs_arena_is_dirty(&a, 1),
	      "one chunk made clean");
	vexfs_arena_set_dirty(&a, 1u << 30, true);
	/* Growing keeps the bits. */
	CHECK(!vexfs_arena_reserve(&a, 40 * count), "reserve");
	CHECK(vexfs_arena_is_dirty(&a, 1) && !vexfs_arena_is_dirty(&a, 100),
	      "after growing");
	vexfs_arena_set_all_dirty(&a, true);
	for (c = 0; c < vexfs_arena_chunks(&a, 40 * count); c++)
		CHECK(vexfs_arena_is_dirty(&a, c), "chunk %u", c);
	vexfs_arena_set_all_dirty(&a, false);
	CHECK(!vexfs_arena_is_dirty(&a, 1), "all clean");
	for (i = 0; i < count; i++) {
		vexfs_arena_set_all_dirty(&a, false);
		vexfs_arena_dirty(&a, i);
		for (c = 0; c < n; c++) {
			bool in = (u64)i * item < (c + 1ull) * VEXFS_CHUNK_SIZE &&
				  (i + 1ull) * item > c * 1ull * VEXFS_CHUNK_SIZE;

			CHECK(vexfs_arena_is_dirty(&a, c) == in, "%u in %u", i,
			      c);
		}
	}
	vexfs_arena_free(&a);
	vt_done("arenas know what changed", NULL);
}

static void test_arena_memory(void)
{
	struct vexfs_arena a;
	int fail, err = -ENOMEM;

	vexfs_arena_init(&a, 64);
	CHECK(!vexfs_arena_reserve(&a, 10), "reserve");
	memset(vexfs_arena_item(&a, 3), 9, 64);
	for (fail = 1; err; fail++) {
		kshim_fail_alloc = fail;
		err = vexfs_arena_reserve(&a, 2000);
		CHECK(!err || err == -ENOMEM, "%d", err);
		CHECK(!memchr_inv(vexfs_arena_item(&a, 3), 9, 64),
		      "contents after failure %d", fail);
	}
	CHECK(fail > 2, "nothing failed");
	kshim_fail_alloc = 0;
	CHECK(a.count >= 2000, "%u", a.count);
	vexfs_arena_free(&a);
	vt_done("arenas when memory is short", NULL);
}

int main(void)
{
	test_topk();
	test_sort();
	test_merge();
	test_arena();
	test_arena_dirty();
	test_arena_memory();
	return vt_exit();
}

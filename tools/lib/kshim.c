// SPDX-License-Identifier: GPL-2.0
/*
 * The parts of the kernel's library that are more than a line: memory with
 * failure injection, random numbers, SipHash, strings, time.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include "kshim.h"
#include "random.h"

#include <malloc.h>
#include <sys/random.h>
#include <time.h>

int kshim_fail_alloc;

void kshim_die(const char *file, int line, const char *what)
{
	fflush(stdout);
	fprintf(stderr, "%s:%d: %s\n", file, line, what);
	abort();
}

static bool kshim_alloc_fails(void)
{
	int n = __atomic_load_n(&kshim_fail_alloc, __ATOMIC_RELAXED);

	while (n > 0) {
		if (__atomic_compare_exchange_n(&kshim_fail_alloc, &n, n - 1,
						false, __ATOMIC_RELAXED,
						__ATOMIC_RELAXED))
			return n == 1;
	}
	return false;
}

/* Aligned as kmalloc() aligns powers of two, and large blocks to pages. */
void *kshim_alloc(size_t size, gfp_t gfp)
{
	size_t align = size >= PAGE_SIZE ? PAGE_SIZE : 64;
	void *p;

	if (size > SSIZE_MAX || kshim_alloc_fails())
		return NULL;
	if (size < 64)
		p = malloc(size ? size : 1);
	else if (posix_memalign(&p, align, size))
		p = NULL;
	if (p && (gfp & __GFP_ZERO))
		memset(p, 0, size);
	return p;
}

void kfree(const void *p)
{
	free((void *)p);
}

void *krealloc(const void *p, size_t size, gfp_t gfp)
{
	size_t old = p ? malloc_usable_size((void *)p) : 0;
	void *new = kshim_alloc(size, gfp);

	if (!new)
		return NULL;
	if (old)
		memcpy(new, p, min(old, size));
	kfree(p);
	return new;
}

void *kmemdup(const void *src, size_t len, gfp_t gfp)
{
	void *p = kshim_alloc(len, gfp);

	if (p)
		memcpy(p, src, len);
	return p;
}

void *memchr_inv(const void *start, int c, size_t bytes)
{
	const u8 *p = start;

	for (; bytes; p++, bytes--)
		if (*p != (u8)c)
			return (void *)p;
	return NULL;
}

ssize_t strscpy(char *dst, const char *src, size_t size)
{
	size_t len = strnlen(src, size);

	if (!size)
		return -E2BIG;
	if (len == size) {
		memcpy(dst, src, size - 1);
		dst[size - 1] = 0;
		return -E2BIG;
	}
	memcpy(dst, src, len + 1);
	return (ssize_t)len;
}

/* Random numbers: splitmix64 when seeded, the kernel's otherwise. */

static u64 kshim_random_state;

void kshim_seed(u64 seed)
{
	__atomic_store_n(&kshim_random_state, seed, __ATOMIC_RELAXED);
}

u64 get_random_u64(void)
{
	u64 x;

	if (!__atomic_load_n(&kshim_random_state, __ATOMIC_RELAXED)) {
		if (getrandom(&x, sizeof(x), 0) != sizeof(x))
			kshim_die(__FILE__, __LINE__, "getrandom failed");
		return x;
	}
	x = __atomic_add_fetch(&kshim_random_state, VEXFS_GOLDEN,
			       __ATOMIC_RELAXED);
	return vexfs_mix(x);
}

void get_random_bytes(void *buf, size_t len)
{
	u8 *p = buf;
	u64 x;

	while (len) {
		size_t n = min(len, sizeof(x));

		x = get_random_u64();
		memcpy(p, &x, n);
		p += n;
		len -= n;
	}
}

/* SipHash-2-4 */

static void siphash_round(u64 v[4])
{
	v[0] += v[1];
	v[1] = rol64(v[1], 13) ^ v[0];
	v[0] = rol64(v[0], 32);
	v[2] += v[3];
	v[3] = rol64(v[3], 16) ^ v[2];
	v[0] += v[3];
	v[3] = rol64(v[3], 21) ^ v[0];
	v[2] += v[1];
	v[1] = rol64(v[1], 17) ^ v[2];
	v[2] = rol64(v[2], 32);
}

static void siphash_word(u64 v[4], u64 m)
{
	v[3] ^= m;
	siphash_round(v);
	siphash_round(v);
	v[0] ^= m;
}

u64 siphash(const void *data, size_t len, const siphash_key_t *key)
{
	u64 v[4] = {
		key->key[0] ^ 0x736f6d6570736575ull,
		key->key[1] ^ 0x646f72616e646f6dull,
		key->key[0] ^ 0x6c7967656e657261ull,
		key->key[1] ^ 0x7465646279746573ull,
	};
	const u8 *p = data;
	u64 last = (u64)len << 56;
	size_t left = len;
	int i;

	for (; left >= 8; p += 8, left -= 8)
		siphash_word(v, get_unaligned_le64(p));
	for (i = 0; i < (int)left; i++)
		last |= (u64)p[i] << (8 * i);
	siphash_word(v, last);
	v[2] ^= 0xff;
	for (i = 0; i < 4; i++)
		siphash_round(v);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

u64 ktime_get_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (u64)ts.tv_sec * NSEC_PER_SEC + (u64)ts.tv_nsec;
}

s64 ktime_get_real_seconds(void)
{
	return time(NULL);
}

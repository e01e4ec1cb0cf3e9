/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Bit operations of the kernel for userspace. Bitmaps are arrays of unsigned
 * long; the _le forms, which the disk format uses, are arrays of bytes.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#ifndef _VEXFS_KSHIM_BITS_H
#define _VEXFS_KSHIM_BITS_H

#define BITS_PER_BYTE		8
#define BITS_PER_LONG		64
#define BIT(n)			(1UL << (n))
#define BIT_ULL(n)		(1ULL << (n))
#define BIT_MASK(n)		(1UL << ((n) % BITS_PER_LONG))
#define BIT_WORD(n)		((n) / BITS_PER_LONG)
#define GENMASK(h, l)		((~0UL << (l)) & (~0UL >> (63 - (h))))
#define GENMASK_ULL(h, l)	((~0ULL << (l)) & (~0ULL >> (63 - (h))))
#define BITS_TO_LONGS(n)	DIV_ROUND_UP(n, BITS_PER_LONG)
#define DECLARE_BITMAP(name, n)	unsigned long name[BITS_TO_LONGS(n)]

#define hweight8(x)		((unsigned int)__builtin_popcount((u8)(x)))
#define hweight16(x)		((unsigned int)__builtin_popcount((u16)(x)))
#define hweight32(x)		((unsigned int)__builtin_popcount(x))

/* As the kernel does it: the instruction, where there is one. */
static inline unsigned long hweight64(u64 x)
{
#ifdef __x86_64__
	u64 n;

	if (__builtin_cpu_supports("popcnt")) {
		asm("popcntq %1, %0" : "=r" (n) : "rm" (x) : "cc");
		return n;
	}
#endif
	return (unsigned long)__builtin_popcountll(x);
}

#define hweight_long(x)		hweight64(x)

static inline int fls(unsigned int x)
{
	return x ? 32 - __builtin_clz(x) : 0;
}

static inline int fls64(u64 x)
{
	return x ? 64 - __builtin_clzll(x) : 0;
}

static inline unsigned long __ffs(unsigned long x)
{
	return (unsigned long)__builtin_ctzl(x);
}

static inline unsigned long __fls(unsigned long x)
{
	return 63 - (unsigned long)__builtin_clzl(x);
}

static inline unsigned long ffz(unsigned long x)
{
	return __ffs(~x);
}

#define ilog2(n)		(fls64(n) - 1)
#define is_power_of_2(n)	((n) != 0 && (((n) & ((n) - 1)) == 0))
#define order_base_2(n)		((n) > 1 ? ilog2((n) - 1) + 1 : 0)
#define roundup_pow_of_two(n)	(1UL << order_base_2(n))
#define rounddown_pow_of_two(n)	(1UL << ilog2(n))

static inline u64 rol64(u64 x, unsigned int n)
{
	return (x << (n & 63)) | (x >> (-n & 63));
}

static inline u32 rol32(u32 x, unsigned int n)
{
	return (x << (n & 31)) | (x >> (-n & 31));
}

static inline u64 ror64(u64 x, unsigned int n)
{
	return (x >> (n & 63)) | (x << (-n & 63));
}

static inline u32 ror32(u32 x, unsigned int n)
{
	return (x >> (n & 31)) | (x << (-n & 31));
}

/* Bitmaps of unsigned long */

static inline bool test_bit(unsigned long nr, const unsigned long *p)
{
	return (p[BIT_WORD(nr)] & BIT_MASK(nr)) != 0;
}

static inline void __set_bit(unsigned long nr, unsigned long *p)
{
	p[BIT_WORD(nr)] |= BIT_MASK(nr);
}

static inline void __clear_bit(unsigned long nr, unsigned long *p)
{
	p[BIT_WORD(nr)] &= ~BIT_MASK(nr);
}

static inline void __change_bit(unsigned long nr, unsigned long *p)
{
	p[BIT_WORD(nr)] ^= BIT_MASK(nr);
}

static inline bool __test_and_set_bit(unsigned long nr, unsigned long *p)
{
	bool old = test_bit(nr, p);

	__set_bit(nr, p);
	return old;
}

static inline bool __test_and_clear_bit(unsigned long nr, unsigned long *p)
{
	bool old = test_bit(nr, p);

	__clear_bit(nr, p);
	return old;
}

static inline void set_bit(unsigned long nr, unsigned long *p)
{
	__atomic_fetch_or(p + BIT_WORD(nr), BIT_MASK(nr), __ATOMIC_RELAXED);
}

static inline void clear_bit(unsigned long nr, unsigned long *p)
{
	__atomic_fetch_and(p + BIT_WORD(nr), ~BIT_MASK(nr), __ATOMIC_RELAXED);
}

static inline bool test_and_set_bit(unsigned long nr, unsigned long *p)
{
	return __atomic_fetch_or(p + BIT_WORD(nr), BIT_MASK(nr),
				 __ATOMIC_SEQ_CST) & BIT_MASK(nr);
}

static inline bool test_and_clear_bit(unsigned long nr, unsigned long *p)
{
	return __atomic_fetch_and(p + BIT_WORD(nr), ~BIT_MASK(nr),
				  __ATOMIC_SEQ_CST) & BIT_MASK(nr);
}

static inline void clear_bit_unlock(unsigned long nr, unsigned long *p)
{
	__atomic_fetch_and(p + BIT_WORD(nr), ~BIT_MASK(nr), __ATOMIC_RELEASE);
}

/* First bit >= @from that differs from @skip's bits, or @size. */
static inline unsigned long kshim_find_bit(const unsigned long *p,
					   unsigned long size,
					   unsigned long from,
					   unsigned long skip)
{
	unsigned long word;

	if (from >= size)
		return size;
	word = (p[BIT_WORD(from)] ^ skip) & (~0UL << (from % BITS_PER_LONG));
	from = round_down(from, BITS_PER_LONG);
	while (!word) {
		from += BITS_PER_LONG;
		if (from >= size)
			return size;
		word = p[BIT_WORD(from)] ^ skip;
	}
	return min(from + __ffs(word), size);
}

static inline unsigned long find_next_bit(const unsigned long *p,
					  unsigned long size,
					  unsigned long from)
{
	return kshim_find_bit(p, size, from, 0);
}

static inline unsigned long find_next_zero_bit(const unsigned long *p,
					       unsigned long size,
					       unsigned long from)
{
	return kshim_find_bit(p, size, from, ~0UL);
}

#define find_first_bit(p, size)		find_next_bit(p, size, 0)
#define find_first_zero_bit(p, size)	find_next_zero_bit(p, size, 0)
#define for_each_set_bit(bit, p, size)					\
	for ((bit) = find_next_bit(p, size, 0); (bit) < (size);		\
	     (bit) = find_next_bit(p, size, (bit) + 1))

static inline void bitmap_zero(unsigned long *p, unsigned int nbits)
{
	memset(p, 0, BITS_TO_LONGS(nbits) * sizeof(long));
}

static inline void bitmap_fill(unsigned long *p, unsigned int nbits)
{
	memset(p, 0xff, BITS_TO_LONGS(nbits) * sizeof(long));
}

static inline unsigned int bitmap_weight(const unsigned long *p,
					 unsigned int nbits)
{
	unsigned int i, w = 0;

	for (i = 0; i < nbits / BITS_PER_LONG; i++)
		w += hweight64(p[i]);
	if (nbits % BITS_PER_LONG)
		w += hweight64(p[i] & (BIT(nbits % BITS_PER_LONG) - 1));
	return w;
}

static inline void bitmap_set(unsigned long *p, unsigned int start,
			      unsigned int len)
{
	while (len--)
		__set_bit(start++, p);
}

static inline void bitmap_clear(unsigned long *p, unsigned int start,
				unsigned int len)
{
	while (len--)
		__clear_bit(start++, p);
}

static inline unsigned long *bitmap_zalloc(unsigned int nbits, gfp_t gfp)
{
	return kcalloc(BITS_TO_LONGS(nbits), sizeof(long), gfp);
}

#define bitmap_free(p)		kfree(p)

/* Little-endian bitmaps; on x86-64 the same layout as above. */

static_assert(__BYTE_ORDER == __LITTLE_ENDIAN, "little-endian host");

static inline int test_bit_le(int nr, const void *p)
{
	return (((const u8 *)p)[nr >> 3] >> (nr & 7)) & 1;
}

static inline void __set_bit_le(int nr, void *p)
{
	((u8 *)p)[nr >> 3] |= (u8)(1 << (nr & 7));
}

static inline void __clear_bit_le(int nr, void *p)
{
	((u8 *)p)[nr >> 3] &= (u8)~(1 << (nr & 7));
}

static inline int __test_and_set_bit_le(int nr, void *p)
{
	int old = test_bit_le(nr, p);

	__set_bit_le(nr, p);
	return old;
}

static inline int __test_and_clear_bit_le(int nr, void *p)
{
	int old = test_bit_le(nr, p);

	__clear_bit_le(nr, p);
	return old;
}

static inline unsigned long find_next_bit_le(const void *p, unsigned long size,
					     unsigned long from)
{
	return kshim_find_bit(p, size, from, 0);
}

static inline unsigned long find_next_zero_bit_le(const void *p,
						  unsigned long size,
						  unsigned long from)
{
	return kshim_find_bit(p, size, from, ~0UL);
}

#endif /* _VEXFS_KSHIM_BITS_H */

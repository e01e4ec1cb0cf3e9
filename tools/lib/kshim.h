/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The kernel's types and helpers as the shared core uses them, for userspace.
 * What is a warning in the kernel (WARN_ON and such) aborts here, so that no
 * test passes over it.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#ifndef _VEXFS_KSHIM_H
#define _VEXFS_KSHIM_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include <assert.h>
#include <endian.h>
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <sys/types.h>

#include <linux/types.h>

typedef __u8 u8;
typedef __u16 u16;
typedef __u32 u32;
typedef __u64 u64;
typedef __s8 s8;
typedef __s16 s16;
typedef __s32 s32;
typedef __s64 s64;
typedef unsigned int gfp_t;
typedef u64 sector_t;
typedef s64 ktime_t;

#ifndef __bitwise
#define __bitwise
#endif
#ifndef __force
#define __force
#endif
#define __user
#define __iomem
#define __percpu
#define __rcu
#define __acquires(x)
#define __releases(x)
#define __must_hold(x)
#define __init
#define __exit
#define __read_mostly
#define __must_check		__attribute__((__warn_unused_result__))
#ifndef __always_inline
#define __always_inline		inline __attribute__((__always_inline__))
#endif
#define __maybe_unused		__attribute__((__unused__))
#define __always_unused		__attribute__((__unused__))
#ifndef __packed
#define __packed		__attribute__((__packed__))
#endif
#ifndef __aligned
#define __aligned(n)		__attribute__((__aligned__(n)))
#endif
#define __printf(a, b)		__attribute__((__format__(printf, a, b)))
#define __cold			__attribute__((__cold__))
#define __pure			__attribute__((__pure__))
#define __malloc		__attribute__((__malloc__))
#define __nonstring
#ifndef __counted_by
#define __counted_by(member)
#endif
#define noinline		__attribute__((__noinline__))
#define noinline_for_stack	noinline
#define fallthrough		__attribute__((__fallthrough__))
#define L1_CACHE_BYTES		64
#define SMP_CACHE_BYTES		64
#define ____cacheline_aligned	__aligned(64)
#define ____cacheline_aligned_in_smp __aligned(64)

#define EXPORT_SYMBOL(sym)	static_assert(1, #sym)
#define EXPORT_SYMBOL_GPL(sym)	static_assert(1, #sym)
#define IS_ENABLED(option)	0

#define likely(x)		__builtin_expect(!!(x), 1)
#define unlikely(x)		__builtin_expect(!!(x), 0)
#define barrier()		__asm__ __volatile__("" : : : "memory")
#define unreachable()		__builtin_unreachable()

#define U8_MAX			((u8)~0U)
#define S8_MAX			((s8)(U8_MAX >> 1))
#define U16_MAX			((u16)~0U)
#define S16_MAX			((s16)(U16_MAX >> 1))
#define U32_MAX			((u32)~0U)
#define S32_MAX			((s32)(U32_MAX >> 1))
#define S32_MIN			((s32)(-S32_MAX - 1))
#define U64_MAX			((u64)~0ULL)
#define S64_MAX			((s64)(U64_MAX >> 1))
#define S64_MIN			((s64)(-S64_MAX - 1))

#define PAGE_SHIFT		12
#ifndef PAGE_SIZE
#define PAGE_SIZE		(1UL << PAGE_SHIFT)
#endif
#define PAGE_MASK		(~(PAGE_SIZE - 1))
#define PAGE_ALIGN(x)		ALIGN(x, PAGE_SIZE)
#define SECTOR_SHIFT		9
#define SECTOR_SIZE		(1 << SECTOR_SHIFT)
#define SZ_4K			0x00001000
#define SZ_64K			0x00010000
#define SZ_1M			0x00100000
#define SZ_2M			0x00200000

#define NSEC_PER_SEC		1000000000L
#define NSEC_PER_MSEC		1000000L
#define NSEC_PER_USEC		1000L

/* linux/fs_types.h, not part of the uapi */
#define FT_UNKNOWN		0
#define FT_REG_FILE		1
#define FT_DIR			2
#define FT_CHRDEV		3
#define FT_BLKDEV		4
#define FT_FIFO			5
#define FT_SOCK			6
#define FT_SYMLINK		7
#define FT_MAX			8
#define S_DT_SHIFT		12
#define S_IALLUGO		(S_ISUID | S_ISGID | S_ISVTX | 0777)
#define S_IRWXUGO		(S_IRWXU | S_IRWXG | S_IRWXO)

/* Errors that only the kernel's errno.h has */
#define ENOTSUPP		524

/* Things that must not happen */

void kshim_die(const char *file, int line, const char *what)
	__attribute__((__noreturn__));

#define WARN_ON(cond) ({						\
	bool __warn = !!(cond);						\
									\
	if (unlikely(__warn))						\
		kshim_die(__FILE__, __LINE__, "WARN_ON(" #cond ")");	\
	__warn;								\
})
#define WARN_ON_ONCE(cond)	WARN_ON(cond)
#define WARN(cond, ...)		WARN_ON(cond)
#define WARN_ONCE(cond, ...)	WARN_ON(cond)
#define BUG()			kshim_die(__FILE__, __LINE__, "BUG()")
#define BUG_ON(cond)		((void)WARN_ON(cond))
#define BUILD_BUG_ON(cond)	static_assert(!(cond), #cond)
#define BUILD_BUG_ON_ZERO(e)	((int)(sizeof(struct { int:(-!!(e)); })))

#define pr_err(...)		fprintf(stderr, __VA_ARGS__)
#define pr_warn(...)		fprintf(stderr, __VA_ARGS__)
#define pr_notice(...)		fprintf(stderr, __VA_ARGS__)
#define pr_info(...)		fprintf(stderr, __VA_ARGS__)
#define pr_debug(...)		do { } while (0)
#define pr_err_ratelimited	pr_err
#define pr_warn_ratelimited	pr_warn

/* Sizes and arithmetic */

#define ARRAY_SIZE(arr)		(sizeof(arr) / sizeof((arr)[0]))
#define sizeof_field(t, m)	sizeof(((t *)0)->m)
#define offsetofend(t, m)	(offsetof(t, m) + sizeof_field(t, m))
#define typeof_member(t, m)	typeof(((t *)0)->m)
#ifndef container_of
#define container_of(ptr, type, member) \
	((type *)((char *)(ptr) - offsetof(type, member)))
#endif

/* Both sides must have the same type, as older kernels insist. */
#define __kshim_pick(op, a, b, ua, ub) ({				\
	__auto_type ua = (a);						\
	__auto_type ub = (b);						\
									\
	(void)(&ua == &ub);						\
	ua op ub ? ua : ub;						\
})
#define __kshim_cat2(a, b)	a##b
#define __kshim_cat(a, b)	__kshim_cat2(a, b)
#define __kshim_uniq(n)		__kshim_cat(__##n##_, __COUNTER__)
#ifndef min
#define min(a, b) \
	__kshim_pick(<, a, b, __kshim_uniq(mina), __kshim_uniq(minb))
#define max(a, b) \
	__kshim_pick(>, a, b, __kshim_uniq(maxa), __kshim_uniq(maxb))
#endif
#define min_t(t, a, b)		min((t)(a), (t)(b))
#define max_t(t, a, b)		max((t)(a), (t)(b))
#define min3(a, b, c)		min((typeof(a))min(a, b), c)
#define max3(a, b, c)		max((typeof(a))max(a, b), c)
#define min_not_zero(a, b) ({						\
	typeof(a) __ka = (a);						\
	typeof(b) __kb = (b);						\
									\
	__ka == 0 ? __kb : (__kb == 0 ? __ka : min(__ka, __kb));	\
})
#define clamp(v, lo, hi)	min((typeof(v))max(v, lo), hi)
#define clamp_t(t, v, lo, hi)	min_t(t, max_t(t, v, lo), hi)
#define clamp_val(v, lo, hi)	clamp_t(typeof(v), v, lo, hi)
#define swap(a, b) do {							\
	typeof(a) __swap = (a);						\
									\
	(a) = (b);							\
	(b) = __swap;							\
} while (0)
#ifndef abs
#define abs(x) ({							\
	__auto_type __abs = (x);					\
									\
	__abs < 0 ? -__abs : __abs;					\
})
#endif

#define DIV_ROUND_UP(n, d)	(((n) + (d) - 1) / (d))
#define DIV_ROUND_UP_ULL(n, d)	DIV_ROUND_UP((u64)(n), (d))
#define DIV_ROUND_CLOSEST(n, d)	(((n) + (d) / 2) / (d))
#define __kshim_mask(x, y)	((typeof(x))((y) - 1))
#define round_up(x, y)		((((x) - 1) | __kshim_mask(x, y)) + 1)
#define round_down(x, y)	((x) & ~__kshim_mask(x, y))
#define roundup(x, y)		((((x) + (y) - 1) / (y)) * (y))
#define rounddown(x, y)		((x) - (x) % (y))
#define ALIGN(x, a)		(((x) + (typeof(x))(a) - 1) & ~((typeof(x))(a) - 1))
#define ALIGN_DOWN(x, a)	((x) & ~((typeof(x))(a) - 1))
#define IS_ALIGNED(x, a)	(((x) & ((typeof(x))(a) - 1)) == 0)
#define PTR_ALIGN(p, a)		((typeof(p))ALIGN((unsigned long)(p), (a)))
#define upper_32_bits(n)	((u32)(((u64)(n)) >> 32))
#define lower_32_bits(n)	((u32)((n) & 0xffffffff))

#define do_div(n, base) ({						\
	u32 __base = (base);						\
	u32 __rem = (u32)((u64)(n) % __base);				\
									\
	(n) = (u64)(n) / __base;					\
	__rem;								\
})

static inline u64 div_u64(u64 n, u32 d)
{
	return n / d;
}

static inline u64 div64_u64(u64 n, u64 d)
{
	return n / d;
}

static inline s64 div_s64(s64 n, s32 d)
{
	return n / d;
}

static inline u64 div_u64_rem(u64 n, u32 d, u32 *rem)
{
	*rem = (u32)(n % d);
	return n / d;
}

static inline u64 div64_u64_rem(u64 n, u64 d, u64 *rem)
{
	*rem = n % d;
	return n / d;
}

static inline u64 mul_u64_u32_div(u64 a, u32 mul, u32 div)
{
	return (u64)((unsigned __int128)a * mul / div);
}

/* The largest number whose square is not above x. */
static inline u32 int_sqrt64(u64 x)
{
	u64 root = 0, bit = 1ull << 62;

	for (; bit; bit >>= 2) {
		if (x >= root + bit) {
			x -= root + bit;
			root = (root >> 1) + bit;
		} else {
			root >>= 1;
		}
	}
	return (u32)root;
}

static inline u64 mul_u64_u64_div_u64(u64 a, u64 mul, u64 div)
{
	return (u64)((unsigned __int128)a * mul / div);
}

#define check_add_overflow(a, b, d)	__builtin_add_overflow(a, b, d)
#define check_sub_overflow(a, b, d)	__builtin_sub_overflow(a, b, d)
#define check_mul_overflow(a, b, d)	__builtin_mul_overflow(a, b, d)
#define check_shl_overflow(a, s, d) ({					\
	typeof(a) __sa = (a);						\
	u64 __sv = (u64)__sa << (s);					\
									\
	*(d) = (typeof(*(d)))__sv;					\
	(s) >= 64 || __sv >> (s) != (u64)__sa || (u64)*(d) != __sv;	\
})

static inline size_t size_mul(size_t a, size_t b)
{
	size_t r;

	return check_mul_overflow(a, b, &r) ? SIZE_MAX : r;
}

static inline size_t size_add(size_t a, size_t b)
{
	size_t r;

	return check_add_overflow(a, b, &r) ? SIZE_MAX : r;
}

#define array_size(a, b)	size_mul(a, b)
#define array3_size(a, b, c)	size_mul(size_mul(a, b), c)
#define flex_array_size(p, m, n) size_mul(n, sizeof(*(p)->m))
#define struct_size(p, m, n)	size_add(sizeof(*(p)), flex_array_size(p, m, n))

/* Byte order */

#define cpu_to_le16(x)		((__le16)htole16(x))
#define cpu_to_le32(x)		((__le32)htole32(x))
#define cpu_to_le64(x)		((__le64)htole64(x))
#define le16_to_cpu(x)		le16toh(x)
#define le32_to_cpu(x)		le32toh(x)
#define le64_to_cpu(x)		((u64)le64toh(x))
#define cpu_to_be16(x)		((__be16)htobe16(x))
#define cpu_to_be32(x)		((__be32)htobe32(x))
#define cpu_to_be64(x)		((__be64)htobe64(x))
#define be16_to_cpu(x)		be16toh(x)
#define be32_to_cpu(x)		be32toh(x)
#define be64_to_cpu(x)		((u64)be64toh(x))
#define le16_to_cpup(p)		le16_to_cpu(*(p))
#define le32_to_cpup(p)		le32_to_cpu(*(p))
#define le64_to_cpup(p)		le64_to_cpu(*(p))

static inline void le16_add_cpu(__le16 *p, u16 v)
{
	*p = cpu_to_le16((u16)(le16_to_cpu(*p) + v));
}

static inline void le32_add_cpu(__le32 *p, u32 v)
{
	*p = cpu_to_le32(le32_to_cpu(*p) + v);
}

static inline void le64_add_cpu(__le64 *p, u64 v)
{
	*p = cpu_to_le64(le64_to_cpu(*p) + v);
}

#define get_unaligned(ptr) ({						\
	struct { typeof(*(ptr)) v; } __packed const *__gu =		\
		(const void *)(ptr);					\
									\
	__gu->v;							\
})
#define put_unaligned(val, ptr) do {					\
	struct { typeof(*(ptr)) v; } __packed *__pu = (void *)(ptr);	\
									\
	__pu->v = (val);						\
} while (0)

#define __KSHIM_UNALIGNED(bits)						\
static inline u##bits get_unaligned_le##bits(const void *p)		\
{									\
	return le##bits##_to_cpu(get_unaligned((const __le##bits *)p));	\
}									\
static inline void put_unaligned_le##bits(u##bits v, void *p)		\
{									\
	put_unaligned(cpu_to_le##bits(v), (__le##bits *)p);		\
}									\
static inline u##bits get_unaligned_be##bits(const void *p)		\
{									\
	return be##bits##_to_cpu(get_unaligned((const __be##bits *)p));	\
}									\
static inline void put_unaligned_be##bits(u##bits v, void *p)		\
{									\
	put_unaligned(cpu_to_be##bits(v), (__be##bits *)p);		\
}

__KSHIM_UNALIGNED(16)
__KSHIM_UNALIGNED(32)
__KSHIM_UNALIGNED(64)

/* Errors in pointers */

#define MAX_ERRNO		4095
#define IS_ERR_VALUE(x)		((unsigned long)(x) >= (unsigned long)-MAX_ERRNO)

static inline void *__must_check ERR_PTR(long error)
{
	return (void *)error;
}

static inline long __must_check PTR_ERR(const void *ptr)
{
	return (long)ptr;
}

static inline bool __must_check IS_ERR(const void *ptr)
{
	return IS_ERR_VALUE((unsigned long)ptr);
}

static inline bool __must_check IS_ERR_OR_NULL(const void *ptr)
{
	return !ptr || IS_ERR(ptr);
}

static inline void *__must_check ERR_CAST(const void *ptr)
{
	return (void *)ptr;
}

static inline int __must_check PTR_ERR_OR_ZERO(const void *ptr)
{
	return IS_ERR(ptr) ? (int)PTR_ERR(ptr) : 0;
}

/* Memory */

#define GFP_KERNEL		0u
#define GFP_NOFS		1u
#define GFP_NOIO		1u
#define GFP_ATOMIC		2u
#define GFP_NOWAIT		2u
#define GFP_KERNEL_ACCOUNT	4u
#define __GFP_ACCOUNT		4u
#define __GFP_ZERO		8u
#define __GFP_NOWARN		16u
#define __GFP_NOFAIL		32u
#define __GFP_NORETRY		64u
#define __GFP_RETRY_MAYFAIL	128u
#define __GFP_HIGHMEM		256u

/* The n-th allocation from now on fails, once; 0 never. */
extern int kshim_fail_alloc;

void *kshim_alloc(size_t size, gfp_t gfp) __must_check;
void *krealloc(const void *p, size_t size, gfp_t gfp) __must_check;
void kfree(const void *p);

#define kmalloc(size, gfp)	kshim_alloc(size, gfp)
#define kzalloc(size, gfp)	kshim_alloc(size, (gfp) | __GFP_ZERO)
#define kmalloc_array(n, s, gfp) kshim_alloc(size_mul(n, s), gfp)
#define kcalloc(n, s, gfp)	kzalloc(size_mul(n, s), gfp)
#define kvmalloc		kmalloc
#define kvzalloc		kzalloc
#define kvmalloc_array		kmalloc_array
#define kvcalloc		kcalloc
#define kvfree			kfree
#define vmalloc(size)		kmalloc(size, GFP_KERNEL)
#define vzalloc(size)		kzalloc(size, GFP_KERNEL)
#define vfree			kfree
#define krealloc_array(p, n, s, gfp) krealloc(p, size_mul(n, s), gfp)

void *kmemdup(const void *src, size_t len, gfp_t gfp) __must_check;

static inline unsigned int memalloc_nofs_save(void)
{
	return 0;
}

static inline void memalloc_nofs_restore(unsigned int flags)
{
	(void)flags;
}

void *memchr_inv(const void *start, int c, size_t bytes);
ssize_t strscpy(char *dst, const char *src, size_t size);

static inline void memzero_explicit(void *p, size_t n)
{
	explicit_bzero(p, n);
}

/* Sorting, hashing, random numbers, time */

static inline void sort(void *base, size_t num, size_t size,
			int (*cmp)(const void *, const void *),
			void (*swp)(void *, void *, int))
{
	(void)swp;
	if (num)
		qsort(base, num, size, cmp);
}

typedef struct {
	u64 key[2];
} siphash_key_t;

u64 siphash(const void *data, size_t len, const siphash_key_t *key);
u32 crc32c(u32 crc, const void *data, size_t len);
/* The same without the CPU's help, for tests of the above. */
u32 kshim_crc32c_slow(u32 crc, const void *data, size_t len);

/* Not predictable, except after kshim_seed() with a seed other than 0. */
void kshim_seed(u64 seed);
u64 get_random_u64(void);
void get_random_bytes(void *buf, size_t len);

static inline u32 get_random_u32(void)
{
	return (u32)get_random_u64();
}

/* Below @ceil, evenly (the bias of 2^-32 does no harm here). */
static inline u32 get_random_u32_below(u32 ceil)
{
	return (u32)(((get_random_u64() & U32_MAX) * ceil) >> 32);
}

u64 ktime_get_ns(void);
s64 ktime_get_real_seconds(void);

#include "kshim_bits.h"
#include "kshim_list.h"
#include "kshim_lock.h"

#endif /* _VEXFS_KSHIM_H */

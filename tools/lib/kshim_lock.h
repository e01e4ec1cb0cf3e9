/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Locks, atomics and per-CPU counters of the kernel for userspace, on
 * pthreads. Wrong use (unlocking what is not held, locking twice) aborts.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#ifndef _VEXFS_KSHIM_LOCK_H
#define _VEXFS_KSHIM_LOCK_H

#include <pthread.h>
#include <sched.h>

#define READ_ONCE(x)		(*(const volatile typeof(x) *)&(x))
#define WRITE_ONCE(x, v)	(*(volatile typeof(x) *)&(x) = (v))
#define smp_load_acquire(p)	__atomic_load_n(p, __ATOMIC_ACQUIRE)
#define smp_store_release(p, v)	__atomic_store_n(p, v, __ATOMIC_RELEASE)
#define smp_mb()		__atomic_thread_fence(__ATOMIC_SEQ_CST)
#define smp_rmb()		__atomic_thread_fence(__ATOMIC_ACQUIRE)
#define smp_wmb()		__atomic_thread_fence(__ATOMIC_RELEASE)
#define smp_mb__before_atomic()	smp_mb()
#define smp_mb__after_atomic()	smp_mb()
#define data_race(x)		(x)
#define xchg(p, v)		__atomic_exchange_n(p, v, __ATOMIC_SEQ_CST)
#define cmpxchg(p, old, new) ({						\
	typeof(*(p)) __old = (old);					\
									\
	__atomic_compare_exchange_n(p, &__old, new, false,		\
				    __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST); \
	__old;								\
})
#define prefetch(p)		__builtin_prefetch(p)
#define prefetchw(p)		__builtin_prefetch(p, 1)

static inline void cpu_relax(void)
{
	__builtin_ia32_pause();
}

#define cond_resched()		do { } while (0)
#define might_sleep()		do { } while (0)
#define might_resched()		do { } while (0)
#define lockdep_assert_held(l)		((void)(l))
#define lockdep_assert_held_read(l)	((void)(l))
#define lockdep_assert_held_write(l)	((void)(l))

#define kshim_lock_ok(err, what) do {					\
	if (unlikely(err))						\
		kshim_die(__FILE__, __LINE__, what);			\
} while (0)

/* Mutexes */

struct mutex {
	pthread_mutex_t m;
};

#define DEFINE_MUTEX(name) \
	struct mutex name = { PTHREAD_ERRORCHECK_MUTEX_INITIALIZER_NP }

static inline void mutex_init(struct mutex *lock)
{
	static const struct mutex fresh = {
		PTHREAD_ERRORCHECK_MUTEX_INITIALIZER_NP
	};

	*lock = fresh;
}

static inline void mutex_destroy(struct mutex *lock)
{
	kshim_lock_ok(pthread_mutex_destroy(&lock->m), "mutex held");
}

static inline void mutex_lock(struct mutex *lock)
{
	kshim_lock_ok(pthread_mutex_lock(&lock->m), "mutex taken twice");
}

#define mutex_lock_nested(lock, sub)	mutex_lock(lock)

static inline int mutex_lock_killable(struct mutex *lock)
{
	mutex_lock(lock);
	return 0;
}

#define mutex_lock_interruptible(lock)	mutex_lock_killable(lock)

static inline bool mutex_trylock(struct mutex *lock)
{
	return pthread_mutex_trylock(&lock->m) == 0;
}

static inline void mutex_unlock(struct mutex *lock)
{
	kshim_lock_ok(pthread_mutex_unlock(&lock->m), "mutex not held");
}

/* Spinlocks: mutexes as well, since a holder may be preempted here. */

typedef struct mutex spinlock_t;

#define DEFINE_SPINLOCK(name)		DEFINE_MUTEX(name)
#define spin_lock_init(lock)		mutex_init(lock)
#define spin_lock(lock)			mutex_lock(lock)
#define spin_lock_nested(lock, sub)	mutex_lock(lock)
#define spin_trylock(lock)		mutex_trylock(lock)
#define spin_unlock(lock)		mutex_unlock(lock)

/* A lock in one bit of a word. */
static inline void bit_spin_lock(unsigned long nr, unsigned long *p)
{
	while (test_and_set_bit(nr, p))
		sched_yield();
}

static inline bool bit_spin_trylock(unsigned long nr, unsigned long *p)
{
	return !test_and_set_bit(nr, p);
}

static inline void bit_spin_unlock(unsigned long nr, unsigned long *p)
{
	if (!test_bit(nr, p))
		kshim_die(__FILE__, __LINE__, "bit lock not held");
	clear_bit_unlock(nr, p);
}

/* Readers and a writer */

struct rw_semaphore {
	pthread_rwlock_t l;
	int state;			/* readers, or -1: a writer */
};

typedef struct rw_semaphore rwlock_t;

static inline void init_rwsem(struct rw_semaphore *sem)
{
	/* As in the kernel, readers don't get past a writer that waits */
	static const pthread_rwlock_t fresh =
		PTHREAD_RWLOCK_WRITER_NONRECURSIVE_INITIALIZER_NP;

	sem->l = fresh;
	sem->state = 0;
}

static inline void down_read(struct rw_semaphore *sem)
{
	kshim_lock_ok(pthread_rwlock_rdlock(&sem->l), "rwsem taken twice");
	__atomic_fetch_add(&sem->state, 1, __ATOMIC_RELAXED);
}

static inline bool down_read_trylock(struct rw_semaphore *sem)
{
	if (pthread_rwlock_tryrdlock(&sem->l))
		return false;
	__atomic_fetch_add(&sem->state, 1, __ATOMIC_RELAXED);
	return true;
}

static inline void up_read(struct rw_semaphore *sem)
{
	kshim_lock_ok(__atomic_fetch_sub(&sem->state, 1, __ATOMIC_RELAXED) < 1,
		      "rwsem not read-held");
	kshim_lock_ok(pthread_rwlock_unlock(&sem->l), "rwsem not held");
}

static inline void down_write(struct rw_semaphore *sem)
{
	kshim_lock_ok(pthread_rwlock_wrlock(&sem->l), "rwsem taken twice");
	__atomic_store_n(&sem->state, -1, __ATOMIC_RELAXED);
}

static inline bool down_write_trylock(struct rw_semaphore *sem)
{
	if (pthread_rwlock_trywrlock(&sem->l))
		return false;
	__atomic_store_n(&sem->state, -1, __ATOMIC_RELAXED);
	return true;
}

static inline int down_write_killable(struct rw_semaphore *sem)
{
	down_write(sem);
	return 0;
}

static inline int down_read_killable(struct rw_semaphore *sem)
{
	down_read(sem);
	return 0;
}

static inline void up_write(struct rw_semaphore *sem)
{
	kshim_lock_ok(__atomic_load_n(&sem->state, __ATOMIC_RELAXED) != -1,
		      "rwsem not write-held");
	__atomic_store_n(&sem->state, 0, __ATOMIC_RELAXED);
	kshim_lock_ok(pthread_rwlock_unlock(&sem->l), "rwsem not held");
}

#define rwlock_init(l)		init_rwsem(l)
#define read_lock(l)		down_read(l)
#define read_unlock(l)		up_read(l)
#define write_lock(l)		down_write(l)
#define write_unlock(l)		up_write(l)

/* Atomics, all sequentially consistent */

typedef struct {
	int counter;
} atomic_t;

typedef struct {
	s64 counter;
} atomic64_t;

typedef atomic64_t atomic_long_t;

#define ATOMIC_INIT(i)		{ (i) }
#define ATOMIC64_INIT(i)	{ (i) }

#define __KSHIM_ATOMIC(name, type, arg)					\
static inline arg name##_read(const type *v)				\
{									\
	return __atomic_load_n(&v->counter, __ATOMIC_RELAXED);		\
}									\
static inline void name##_set(type *v, arg i)				\
{									\
	__atomic_store_n(&v->counter, i, __ATOMIC_RELAXED);		\
}									\
static inline arg name##_add_return(arg i, type *v)			\
{									\
	return __atomic_add_fetch(&v->counter, i, __ATOMIC_SEQ_CST);	\
}									\
static inline arg name##_fetch_add(arg i, type *v)			\
{									\
	return __atomic_fetch_add(&v->counter, i, __ATOMIC_SEQ_CST);	\
}									\
static inline void name##_add(arg i, type *v)				\
{									\
	name##_add_return(i, v);					\
}									\
static inline void name##_sub(arg i, type *v)				\
{									\
	name##_add_return(-i, v);					\
}									\
static inline void name##_inc(type *v)					\
{									\
	name##_add_return(1, v);					\
}									\
static inline void name##_dec(type *v)					\
{									\
	name##_add_return(-1, v);					\
}									\
static inline arg name##_inc_return(type *v)				\
{									\
	return name##_add_return(1, v);					\
}									\
static inline arg name##_dec_return(type *v)				\
{									\
	return name##_add_return(-1, v);				\
}									\
static inline bool name##_dec_and_test(type *v)				\
{									\
	return name##_add_return(-1, v) == 0;				\
}									\
static inline arg name##_xchg(type *v, arg i)				\
{									\
	return __atomic_exchange_n(&v->counter, i, __ATOMIC_SEQ_CST);	\
}									\
static inline arg name##_cmpxchg(type *v, arg old, arg new)		\
{									\
	__atomic_compare_exchange_n(&v->counter, &old, new, false,	\
				    __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST); \
	return old;							\
}									\
static inline bool name##_try_cmpxchg(type *v, arg *old, arg new)	\
{									\
	return __atomic_compare_exchange_n(&v->counter, old, new, false, \
					   __ATOMIC_SEQ_CST,		\
					   __ATOMIC_SEQ_CST);		\
}

__KSHIM_ATOMIC(atomic, atomic_t, int)
__KSHIM_ATOMIC(atomic64, atomic64_t, s64)
__KSHIM_ATOMIC(atomic_long, atomic_long_t, long)

typedef struct {
	atomic_t refs;
} refcount_t;

static inline void refcount_set(refcount_t *r, int n)
{
	atomic_set(&r->refs, n);
}

static inline void refcount_inc(refcount_t *r)
{
	kshim_lock_ok(atomic_fetch_add(1, &r->refs) < 1, "refcount from 0");
}

static inline bool refcount_dec_and_test(refcount_t *r)
{
	int left = atomic_dec_return(&r->refs);

	kshim_lock_ok(left < 0, "refcount below 0");
	return left == 0;
}

/* Per-CPU counters: exact here, so every read is a sum. */

struct percpu_counter {
	s64 count;
};

static inline int percpu_counter_init(struct percpu_counter *c, s64 n,
				      gfp_t gfp)
{
	(void)gfp;
	c->count = n;
	return 0;
}

static inline void percpu_counter_destroy(struct percpu_counter *c)
{
	c->count = 0;
}

static inline void percpu_counter_add(struct percpu_counter *c, s64 n)
{
	__atomic_fetch_add(&c->count, n, __ATOMIC_RELAXED);
}

static inline void percpu_counter_set(struct percpu_counter *c, s64 n)
{
	__atomic_store_n(&c->count, n, __ATOMIC_RELAXED);
}

static inline s64 percpu_counter_sum(struct percpu_counter *c)
{
	return __atomic_load_n(&c->count, __ATOMIC_RELAXED);
}

static inline s64 percpu_counter_sum_positive(struct percpu_counter *c)
{
	s64 n = percpu_counter_sum(c);

	return n < 0 ? 0 : n;
}

static inline int percpu_counter_compare(struct percpu_counter *c, s64 n)
{
	s64 v = percpu_counter_sum(c);

	return v < n ? -1 : v > n;
}

#define percpu_counter_inc(c)		percpu_counter_add(c, 1)
#define percpu_counter_dec(c)		percpu_counter_add(c, -1)
#define percpu_counter_sub(c, n)	percpu_counter_add(c, -(s64)(n))
#define percpu_counter_read(c)		percpu_counter_sum(c)
#define percpu_counter_read_positive(c)	percpu_counter_sum_positive(c)

#endif /* _VEXFS_KSHIM_LOCK_H */

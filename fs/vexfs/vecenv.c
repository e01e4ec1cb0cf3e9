// SPDX-License-Identifier: GPL-2.0
/*
 * What the vector core needs from the kernel: FPU sections, their counters,
 * CPU features, memory for arenas.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include <linux/bottom_half.h>
#include <linux/ktime.h>
#include <linux/mm.h>
#include <linux/moduleparam.h>
#include <linux/percpu.h>
#include <linux/preempt.h>
#include <linux/sched.h>
#include <linux/vmalloc.h>

#include <asm/cpufeature.h>
#include <asm/fpu/api.h>
#include <asm/processor.h>

#include "libvexfs/arena.h"
#include "simd/simd_priv.h"
#include "stats.h"

struct vexfs_fpu_state {
	struct vexfs_simd_counts counts[VEXFS_SIMD_LEVELS];
	/* when the section began; 0: it isn't timed */
	u64		start;
	/* for the assertions of debug builds */
	struct task_struct *owner;
	unsigned long	switches;
	int		preempt;
};

static DEFINE_PER_CPU(struct vexfs_fpu_state, vexfs_fpu);

/* Two readings of the clock to a section: for who wants to know. */
static bool vexfs_fpu_times;
module_param_named(fpu_times, vexfs_fpu_times, bool, 0644);
MODULE_PARM_DESC(fpu_times, "Measure how long preemption is off, see /proc/vexfs/performance");

static unsigned long fpu_switches(void)
{
	return current->nvcsw + current->nivcsw;
}

/*
 * With preemption off, the kernel's own checks report whatever might sleep or
 * touch user memory (DEBUG_ATOMIC_SLEEP); here is what they don't see.
 */
static void fpu_debug_begin(void)
{
	struct vexfs_fpu_state *st = this_cpu_ptr(&vexfs_fpu);

	WARN_ON_ONCE(!in_task());
	/* Not in another section. */
	WARN_ON_ONCE(st->owner);
	st->owner = current;
	st->switches = fpu_switches();
	st->preempt = preempt_count();
}

/* The same task, on the same CPU, that gave it up at no time in between. */
static void fpu_debug_end(void)
{
	struct vexfs_fpu_state *st = this_cpu_ptr(&vexfs_fpu);

	WARN_ON_ONCE(st->owner != current);
	WARN_ON_ONCE(st->switches != fpu_switches());
	WARN_ON_ONCE(st->preempt != preempt_count());
	st->owner = NULL;
}

/* User-Mode Linux doesn't turn preemption off by itself. */
void vexfs_fpu_begin(void)
{
	preempt_disable();
	/* No interrupt looks at it; User-Mode Linux would keep them out. */
	__this_cpu_write(vexfs_fpu.start,
			 unlikely(READ_ONCE(vexfs_fpu_times)) ?
			 ktime_get_ns() : 0);
	kernel_fpu_begin();
	if (IS_ENABLED(CONFIG_VEXFS_FS_DEBUG))
		fpu_debug_begin();
}

void vexfs_fpu_end(unsigned int level, unsigned int rows, unsigned int codes,
		   unsigned int encoded)
{
	struct vexfs_fpu_state *st = this_cpu_ptr(&vexfs_fpu);
	struct vexfs_simd_counts *c = st->counts + level;

	if (IS_ENABLED(CONFIG_VEXFS_FS_DEBUG))
		fpu_debug_end();
	kernel_fpu_end();
	if (unlikely(st->start))
		vexfs_lat_note(VEXFS_LAT_FPU, st->start);
	c->sections++;
	c->rows += rows;
	c->codes += codes;
	c->encoded += encoded;
	preempt_enable();
}

void vexfs_fpu_counts(unsigned int level, struct vexfs_simd_counts *out)
{
	int cpu;

	for_each_possible_cpu(cpu) {
		const struct vexfs_simd_counts *c =
			per_cpu_ptr(&vexfs_fpu, cpu)->counts + level;

		out->sections += READ_ONCE(c->sections);
		out->rows += READ_ONCE(c->rows);
		out->codes += READ_ONCE(c->codes);
		out->encoded += READ_ONCE(c->encoded);
	}
}

/*
 * Whether the registers are saved when tasks switch; for User-Mode Linux its
 * host does it.
 */
#ifdef CONFIG_UML
#define CPU_SAVES_AVX		true
#define CPU_SAVES_AVX512	true
/* It doesn't know whose processor it runs on. */
#define CPU_IS_INTEL		false
#else
#define CPU_SAVES_AVX		\
	cpu_has_xfeatures(XFEATURE_MASK_SSE | XFEATURE_MASK_YMM, NULL)
#define CPU_SAVES_AVX512	\
	cpu_has_xfeatures(XFEATURE_MASK_AVX512, NULL)
#define CPU_IS_INTEL		\
	(boot_cpu_data.x86_vendor == X86_VENDOR_INTEL)
#endif

u32 vexfs_cpu_caps(void)
{
	u32 caps = VEXFS_SIMD_SSE2;

	if (CPU_IS_INTEL)
		caps |= VEXFS_CPU_AHEAD;
	if (boot_cpu_has(X86_FEATURE_AVX2) && boot_cpu_has(X86_FEATURE_FMA) &&
	    boot_cpu_has(X86_FEATURE_F16C) && CPU_SAVES_AVX)
		caps |= VEXFS_SIMD_AVX2;
	if (!(caps & VEXFS_SIMD_AVX2) ||
	    !boot_cpu_has(X86_FEATURE_AVX512F) ||
	    !boot_cpu_has(X86_FEATURE_AVX512BW) ||
	    !boot_cpu_has(X86_FEATURE_AVX512VL) ||
	    !boot_cpu_has(X86_FEATURE_AVX512DQ) ||
	    !CPU_SAVES_AVX512)
		return caps;
	caps |= VEXFS_SIMD_AVX512;
	if (boot_cpu_has(X86_FEATURE_AVX512_VNNI))
		caps |= VEXFS_CPU_VNNI;
	if (boot_cpu_has(X86_FEATURE_AVX512_VPOPCNTDQ))
		caps |= VEXFS_CPU_POPCNT;
	return caps;
}

/*
 * Contiguous pages are mapped by huge pages, as all memory is, and the part
 * of the power of two that isn't needed is given back. Not worth reclaiming
 * for: single pages will do.
 */
void *vexfs_chunk_alloc(size_t bytes)
{
	void *chunk;

	chunk = alloc_pages_exact(bytes, GFP_KERNEL_ACCOUNT | __GFP_ZERO |
					 __GFP_NOWARN | __GFP_NORETRY);
	if (chunk)
		return chunk;
	return __vmalloc(bytes, GFP_KERNEL_ACCOUNT | __GFP_ZERO |
				__GFP_NOWARN);
}

void vexfs_chunk_free(void *chunk, size_t bytes)
{
	if (!chunk)
		return;
	if (is_vmalloc_addr(chunk))
		vfree(chunk);
	else
		free_pages_exact(chunk, bytes);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: the instructions of x86-64 that have no name in C.
 * Below: base.
 * Why: found by include path, as the platform is: a machine is a folder with this header and
 *      paging.h.
 */
#ifndef SLABKIT_PLAT_KERN64_CPU_H
#define SLABKIT_PLAT_KERN64_CPU_H

#include "base/attrs.h"

SK_INLINE uint64_t cpu_irq_save(void)
{
    uint64_t flags;

    __asm__ volatile("pushfq\n\tpopq %0\n\tcli" : "=r"(flags) : : "memory");
    return flags;
}

SK_INLINE void cpu_irq_restore(uint64_t flags)
{
    __asm__ volatile("pushq %0\n\tpopfq" : : "r"(flags) : "memory", "cc");
}

SK_INLINE void cpu_pause(void)
{
    __asm__ volatile("pause" : : : "memory");
}

/* ---- this CPU's struct kern64_cpu: the gs base, one instruction for each field ----------------- */

SK_INLINE void *cpu_self(void)
{
    void *self;

    __asm__ volatile("movq %%gs:0, %0" : "=r"(self));
    return self;
}

SK_INLINE uintptr_t *cpu_area(void)
{
    uintptr_t *area;

    __asm__ volatile("movq %%gs:8, %0" : "=r"(area));
    return area;
}

SK_INLINE uint32_t cpu_slot(void)
{
    uint32_t slot;

    __asm__ volatile("movl %%gs:16, %0" : "=r"(slot));
    return slot;
}

/* ---- translations ------------------------------------------------------------------------------ */

/* cpu_flush_translations is of this CPU alone: the others are asked. */
#define CPU_FLUSHES_ALL false

/* No page is global. */
SK_INLINE void cpu_flush_translations(void)
{
    uint64_t root;

    __asm__ volatile("movq %%cr3, %0\n\tmovq %0, %%cr3" : "=r"(root) : : "memory");
}

/* Between the store of entries that were 0 and the first use of their pages. Nothing: the walk reads
 * memory as a load does, and what was not there is never remembered. */
SK_INLINE void cpu_entries_made(void)
{
}

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: the instructions of x86-64 that have no name in C.
 * Below: base.
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

/* Of this CPU; no page is global. */
SK_INLINE void cpu_flush_translations(void)
{
    uint64_t root;

    __asm__ volatile("movq %%cr3, %0\n\tmovq %0, %%cr3" : "=r"(root) : : "memory");
}

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: the instructions of 64-bit ARM (at EL1) that have no name in C.
 * Below: base.
 * Why: see x86_64/cpu.h.
 */
#ifndef SLABKIT_PLAT_KERN64_CPU_H
#define SLABKIT_PLAT_KERN64_CPU_H

#include "base/attrs.h"

/* IRQ and FIQ. Writes of PSTATE take effect in program order, without a barrier. */
SK_INLINE uint64_t cpu_irq_save(void)
{
    uint64_t flags;

    __asm__ volatile("mrs %0, daif\n\tmsr daifset, #3" : "=r"(flags) : : "memory");
    return flags;
}

SK_INLINE void cpu_irq_restore(uint64_t flags)
{
    __asm__ volatile("msr daif, %0" : : "r"(flags) : "memory");
}

SK_INLINE void cpu_pause(void)
{
    __asm__ volatile("yield" : : : "memory");
}

/* ---- this CPU's struct kern64_cpu: TPIDR_EL1 ---------------------------------------------------- */

SK_INLINE void *cpu_self(void)
{
    void *self;

    __asm__ volatile("mrs %0, tpidr_el1" : "=r"(self));
    return self;
}

SK_INLINE uintptr_t *cpu_area(void)
{
    uintptr_t *area;

    __asm__ volatile("mrs %0, tpidr_el1\n\tldr %0, [%0, #8]" : "=r"(area));
    return area;
}

SK_INLINE uint32_t cpu_slot(void)
{
    uint64_t slot;

    __asm__ volatile("mrs %0, tpidr_el1\n\tldr %w0, [%0, #16]" : "=r"(slot));
    return (uint32_t)slot;
}

/* ---- translations ------------------------------------------------------------------------------ */

/* Broadcast: on return no CPU uses an old translation, and accesses by one have ended: that is what
 * the DSB behind a TLBI of the inner shareable domain waits for. */
#define CPU_FLUSHES_ALL true

SK_INLINE void cpu_flush_translations(void)
{
    __asm__ volatile("dsb ishst\n\ttlbi vmalle1is\n\tdsb ish\n\tisb" : : : "memory");
}

/* Between the store of entries that were 0 and the first use of their pages: the walk is an observer
 * of its own, that a release or an address does not order. */
SK_INLINE void cpu_entries_made(void)
{
    __asm__ volatile("dsb ishst\n\tisb" : : : "memory");
}

#endif

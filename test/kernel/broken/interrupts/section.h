/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: the sections without what keeps interrupts out. Tests that pass with this test
 *       nothing.
 */
#ifndef SLABKIT_PLAT_KERN64_SECTION_H
#define SLABKIT_PLAT_KERN64_SECTION_H

#include "cpu.h"
#include "plat/kern64/kern64.h"

/* Interrupts off; what they were. */
SK_INLINE uint64_t irq_save(void)
{
    __asm__ volatile("" : : : "memory");
    return 0;
}

SK_INLINE void irq_restore(uint64_t flags)
{
    (void)flags;
    __asm__ volatile("" : : : "memory");
}

/* On return every section of that CPU that had begun has ended. */
SK_INLINE void section_fence(unsigned cpu)
{
    kern64_ask(cpu, &kern64_cpu[cpu].fence);
}

#endif

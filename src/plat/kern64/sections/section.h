/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: what makes the per-slot primitives atomic: no interrupt comes into a section on its own CPU;
 *       a fence waits for the sections of another.
 * Below: cpu.h, kern64.h.
 * Why: a file of its own, found by include path, so that builds without the one or the other
 *      protection can be made whose tests must fail.
 */
#ifndef SLABKIT_PLAT_KERN64_SECTION_H
#define SLABKIT_PLAT_KERN64_SECTION_H

#include "cpu.h"
#include "plat/kern64/kern64.h"

/* Interrupts off; what they were. */
SK_INLINE uint64_t irq_save(void)
{
    return cpu_irq_save();
}

SK_INLINE void irq_restore(uint64_t flags)
{
    cpu_irq_restore(flags);
}

/* On return every section of that CPU that had begun has ended. */
SK_INLINE void section_fence(unsigned cpu)
{
    kern64_ask(cpu, &kern64_cpu[cpu].fence);
}

#endif

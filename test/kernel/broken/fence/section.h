/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: the sections with a fence that does not wait. Tests that pass with this test
 *       nothing.
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
    (void)cpu;
}

#endif

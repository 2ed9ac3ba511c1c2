/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: the section in which no interrupt comes: what makes the per-slot primitives atomic on
 *       their CPU.
 * Below: cpu.h.
 * Why: a file of its own, found by include path, so that a build without the protection can be
 *      made whose tests must fail.
 */
#ifndef SLABKIT_PLAT_KERN64_SECTION_H
#define SLABKIT_PLAT_KERN64_SECTION_H

#include "plat/kern64/cpu.h"

/* Interrupts off; what they were. */
SK_INLINE uint64_t irq_save(void)
{
    return cpu_irq_save();
}

SK_INLINE void irq_restore(uint64_t flags)
{
    cpu_irq_restore(flags);
}

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: the machine without a flush of translations, on this CPU or another. Tests that pass with this
 *       test nothing.
 */
#ifndef SLABKIT_KERNEL_BROKEN_CPU_H
#define SLABKIT_KERNEL_BROKEN_CPU_H

#define cpu_flush_translations cpu_flush_that_nobody_calls
#include_next "cpu.h"
#undef cpu_flush_translations
#undef CPU_FLUSHES_ALL
#define CPU_FLUSHES_ALL true

SK_INLINE void cpu_flush_translations(void)
{
}

#endif

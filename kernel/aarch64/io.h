/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: instructions for devices and for the CPU's own registers: 64-bit ARM.
 * Below: base.
 */
#ifndef SLABKIT_KERNEL_IO_H
#define SLABKIT_KERNEL_IO_H

#include "base/attrs.h"

/* A system register, by its name in the assembler's language. */
#define cpu_read(name)                                                                             \
    ({                                                                                             \
        uint64_t v_;                                                                               \
        __asm__ volatile("mrs %0, " name : "=r"(v_) : : "memory");                                 \
        v_;                                                                                        \
    })
#define cpu_write(name, v) __asm__ volatile("msr " name ", %0" : : "r"((uint64_t)(v)) : "memory")

/* The writes before it have taken effect. */
SK_INLINE void cpu_sync(void)
{
    __asm__ volatile("isb" : : : "memory");
}

/* Registers of a device, in memory mapped as such. */
SK_INLINE volatile uint32_t *device(uintptr_t at)
{
    return (volatile uint32_t *)at;
}

/* What cpu_self answers from here on. */
SK_INLINE void cpu_self_set(void *self)
{
    cpu_write("tpidr_el1", (uintptr_t)self);
}

SK_INLINE void irq_on(void)
{
    __asm__ volatile("msr daifclr, #3" : : : "memory");
}

SK_INLINE void irq_off(void)
{
    __asm__ volatile("msr daifset, #3" : : : "memory");
}

/* With interrupts off before: one that came meanwhile ends the wait, since wfi looks whether any is
 * pending, masked or not. */
SK_INLINE void irq_on_and_halt(void)
{
    __asm__ volatile("dsb sy\n\twfi\n\tmsr daifclr, #3" : : : "memory");
}

SK_INLINE uint64_t cpu_cycles(void)
{
    return cpu_read("cntvct_el0");
}

#endif

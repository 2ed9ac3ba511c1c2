/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: instructions for devices and for the CPU's own registers: x86-64.
 * Below: base.
 */
#ifndef SLABKIT_KERNEL_IO_H
#define SLABKIT_KERNEL_IO_H

#include "base/attrs.h"

SK_INLINE void out8(uint16_t port, uint8_t v)
{
    __asm__ volatile("outb %0, %1" : : "a"(v), "Nd"(port));
}

SK_INLINE uint8_t in8(uint16_t port)
{
    uint8_t v;

    __asm__ volatile("inb %1, %0" : "=a"(v) : "Nd"(port));
    return v;
}

#define MSR_GS_BASE 0xc0000101u

/* What cpu_self answers from here on. */
SK_INLINE void cpu_self_set(void *self)
{
    uintptr_t v = (uintptr_t)self;

    __asm__ volatile("wrmsr" : : "c"(MSR_GS_BASE), "a"((uint32_t)v), "d"((uint32_t)(v >> 32)));
}

SK_INLINE void irq_on(void)
{
    __asm__ volatile("sti" : : : "memory");
}

SK_INLINE void irq_off(void)
{
    __asm__ volatile("cli" : : : "memory");
}

/* sti takes effect after the next instruction: no interrupt comes between the two. */
SK_INLINE void irq_on_and_halt(void)
{
    __asm__ volatile("sti\n\thlt" : : : "memory");
}

SK_INLINE uint64_t cpu_cycles(void)
{
    uint32_t lo, hi;

    __asm__ volatile("rdtsc" : "=a"(lo), "=d"(hi));
    return (uint64_t)hi << 32 | lo;
}

#endif

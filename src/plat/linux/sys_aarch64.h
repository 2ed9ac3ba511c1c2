/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: the system call instruction and the thread pointer on aarch64.
 * Below: base.
 */
#ifndef SLABKIT_PLAT_LINUX_SYS_AARCH64_H
#define SLABKIT_PLAT_LINUX_SYS_AARCH64_H

#include "base/attrs.h"

#define SYS_SMALLEST_PAGE 65536u

SK_INLINE long sys_call6(long nr, long a, long b, long c, long d, long e, long f)
{
    register long x8 __asm__("x8") = nr;
    register long x0 __asm__("x0") = a;
    register long x1 __asm__("x1") = b;
    register long x2 __asm__("x2") = c;
    register long x3 __asm__("x3") = d;
    register long x4 __asm__("x4") = e;
    register long x5 __asm__("x5") = f;

    __asm__ volatile("svc 0"
                     : "+r"(x0)
                     : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5)
                     : "memory", "cc");
    return x0;
}

SK_INLINE char *sys_thread_pointer(void)
{
    char *tp;

    __asm__("mrs %0, tpidr_el0" : "=r"(tp));
    return tp;
}

SK_INLINE void sys_pause(void)
{
    __asm__ volatile("yield" ::: "memory");
}

#endif

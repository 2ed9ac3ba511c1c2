/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: the system call instruction and the thread pointer on x86-64.
 * Below: base.
 */
#ifndef SLABKIT_PLAT_LINUX_SYS_X86_64_H
#define SLABKIT_PLAT_LINUX_SYS_X86_64_H

#include "base/attrs.h"

#define SYS_SMALLEST_PAGE 4096u

SK_INLINE long sys_call6(long nr, long a, long b, long c, long d, long e, long f)
{
    register long r10 __asm__("r10") = d;
    register long r8 __asm__("r8") = e;
    register long r9 __asm__("r9") = f;
    long ret;

    __asm__ volatile("syscall"
                     : "=a"(ret)
                     : "0"(nr), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                     : "rcx", "r11", "memory");
    return ret;
}

SK_INLINE char *sys_thread_pointer(void)
{
    char *tp;

    __asm__("mov %%fs:0, %0" : "=r"(tp));
    return tp;
}

SK_INLINE void sys_pause(void)
{
    __asm__ volatile("pause" ::: "memory");
}

#endif

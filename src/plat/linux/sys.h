/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: system calls without libc: no errno, no cancellation, no interposition.
 * Below: base.
 * Why: the engine runs before libc has been set up and inside other people's signal handlers.
 */
#ifndef SLABKIT_PLAT_LINUX_SYS_H
#define SLABKIT_PLAT_LINUX_SYS_H

#include "base/attrs.h"

#include <sys/syscall.h>

#if defined(__x86_64__)
#include "plat/linux/sys_x86_64.h"
#elif defined(__aarch64__)
#include "plat/linux/sys_aarch64.h"
#else
#error "no system call entry for this machine"
#endif

#define sys_call0(nr)             sys_call6((nr), 0, 0, 0, 0, 0, 0)
#define sys_call1(nr, a)          sys_call6((nr), (long)(a), 0, 0, 0, 0, 0)
#define sys_call2(nr, a, b)       sys_call6((nr), (long)(a), (long)(b), 0, 0, 0, 0)
#define sys_call3(nr, a, b, c)    sys_call6((nr), (long)(a), (long)(b), (long)(c), 0, 0, 0)
#define sys_call4(nr, a, b, c, d) sys_call6((nr), (long)(a), (long)(b), (long)(c), (long)(d), 0, 0)
#define sys_call5(nr, a, b, c, d, e)                                                               \
    sys_call6((nr), (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), 0)

/* The kernel returns -errno in place of a result. */
SK_INLINE bool sys_failed(long ret)
{
    return (unsigned long)ret > -4096ul;
}

/* What the kernel takes for a signal's action and set; both machines lay it out the same. */
struct sys_sigaction {
    void (*handler)(int);
    unsigned long flags;
    void (*restorer)(void);
    uint64_t mask;
};

#define SYS_SIGSET_BYTES sizeof(uint64_t)

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: what belongs to one thread: its nesting in the engine, its request, errno; and the clock.
 * Below: libc's clock_gettime, which is async-signal-safe and usually no system call.
 */
#include "plat/plat.h"
#include "plat/linux/sys.h"
#include "plat/portable/nesting.h"

#include <errno.h>
#include <time.h>

SK_TLS unsigned plat_nesting;

bool plat_enter(void)
{
    if (plat_nesting != 0)
        return false;
    nesting_in();
    return true;
}

void plat_leave(void)
{
    nesting_out();
}

struct plat_request *plat_request(void)
{
    static SK_TLS struct plat_request request;

    return &request;
}

int *plat_errno(void)
{
    return &errno;
}

void plat_yield(void)
{
    sys_call0(SYS_sched_yield);
}

uint64_t plat_clock_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* Hosted, the owner looks at its lists whenever it refills; nobody is interrupted. */
void plat_tell(unsigned slot)
{
    (void)slot;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: the end of a process that runs no destructors: its report is written all the same.
 * Below: ctl.
 * Concurrency: any context; a child of vfork ends without a report, because it is not the process.
 * Why: shells end by _exit, and who asks for a report of one wants it.
 */
#define _GNU_SOURCE
#include "front/front.h"

#include <sys/syscall.h>
#include <unistd.h>

SK_EXPORT _Noreturn void _exit(int status)
{
    ctl_end();
    for (;;)
        syscall(SYS_exit_group, status);
}

SK_EXPORT _Noreturn void _Exit(int status)
{
    _exit(status);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: the last line: says what went wrong and ends the process.
 * Below: sys.h.
 * Concurrency: any context, any state of the engine and of libc.
 */
#include "plat/plat.h"
#include "plat/linux/sys.h"

#include <errno.h>
#include <signal.h>
#include <sys/uio.h>

#define EXIT_AS_ABORTED 134 /* 128 + SIGABRT, as a shell reports it */

void plat_write_err(const char *text, size_t len)
{
    while (len > 0) {
        long n = sys_call3(SYS_write, 2, text, len);

        if (sys_failed(n) && n != -EINTR)
            return;
        if (n > 0) {
            text += n;
            len -= (size_t)n;
        }
    }
}

/* A handler or a mask of the program must not keep a broken engine running. */
static void die_by_abort(void)
{
    static const struct sys_sigaction by_default;
    uint64_t abrt = 1ull << (SIGABRT - 1);

    sys_call4(SYS_rt_sigaction, SIGABRT, &by_default, NULL, SYS_SIGSET_BYTES);
    sys_call4(SYS_rt_sigprocmask, SIG_UNBLOCK, &abrt, NULL, SYS_SIGSET_BYTES);
    sys_call3(SYS_tgkill, sys_call0(SYS_getpid), sys_call0(SYS_gettid), SIGABRT);
}

_Noreturn void plat_panic(const char *line)
{
    struct iovec parts[2] = {{(char *)line, 0}, {"\n", 1}};
    size_t len = 0;

    while (line[len] != '\0')
        len++;
    parts[0].iov_len = len;
    /* In one piece, so that nobody else's line comes between. */
    sys_call3(SYS_writev, 2, parts, len == 0 || line[len - 1] != '\n' ? 2 : 1);
    die_by_abort();
    for (;;)
        sys_call1(SYS_exit_group, EXIT_AS_ABORTED);
}

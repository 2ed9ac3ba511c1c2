/* SPDX-License-Identifier: BSD-2-Clause */
/* Role: of <signal.h>, what our tests use: how a child ended. */
#ifndef KERNEL_LIBC_SIGNAL_H
#define KERNEL_LIBC_SIGNAL_H

#define SIGABRT 6
#define SIGSEGV 11

int raise(int signal);

#endif

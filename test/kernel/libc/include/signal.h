/* SPDX-License-Identifier: BSD-2-Clause */
/* Role: of <signal.h>, what our tests use: how a child ended. */
#ifndef KERNEL_LIBC_SIGNAL_H
#define KERNEL_LIBC_SIGNAL_H

#define SIGABRT 6
#define SIGSEGV 11
#define SIGALRM 14

int raise(int signal);
/* Of SIGALRM: called in the handler of the timer's interrupt. */
void signal(int signal, void (*handler)(int signal));

#endif

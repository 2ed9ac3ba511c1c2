/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: the timer of a program and its signal: the CPU's own, and its interrupt.
 * Below: the kernel's timer.
 */
#include <signal.h>
#include <sys/time.h>

#include "kernel/kernel.h"

static void (*alarm_handler)(int signal);

static void timer_came(void)
{
    alarm_handler(SIGALRM);
}

void signal(int signal, void (*handler)(int signal))
{
    if (signal == SIGALRM)
        alarm_handler = handler;
}

int setitimer(int which, const struct itimerval *timer, struct itimerval *old)
{
    uint64_t ns = (uint64_t)timer->it_interval.tv_usec * 1000;

    (void)which;
    (void)old;
    sk_store_release(&timer_hook, timer_came);
    timer_every(ns, ns + ns / 4);
    return 0;
}

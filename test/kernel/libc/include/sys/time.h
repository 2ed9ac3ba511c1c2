/* SPDX-License-Identifier: BSD-2-Clause */
/* Role: of <sys/time.h>, what our tests use: a timer, which here is the CPU's. */
#ifndef KERNEL_LIBC_SYS_TIME_H
#define KERNEL_LIBC_SYS_TIME_H

struct timeval {
    long tv_sec, tv_usec;
};

struct itimerval {
    struct timeval it_interval, it_value;
};

#define ITIMER_REAL 0

int setitimer(int which, const struct itimerval *timer, struct itimerval *old);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* Role: of <sched.h>, what our tests use. */
#ifndef KERNEL_LIBC_SCHED_H
#define KERNEL_LIBC_SCHED_H

typedef struct {
    unsigned long cpus; /* a bit for each */
} cpu_set_t;

#define CPU_ZERO(set)     ((set)->cpus = 0)
#define CPU_SET(cpu, set) ((set)->cpus |= 1ul << (cpu))

int sched_yield(void);

#endif

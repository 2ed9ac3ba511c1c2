/* SPDX-License-Identifier: BSD-2-Clause */
/* Role: of <pthread.h>, what our tests use. A thread has a CPU to itself, until it ends. */
#ifndef KERNEL_LIBC_PTHREAD_H
#define KERNEL_LIBC_PTHREAD_H

#include <sched.h>
#include <stddef.h>

typedef struct kernel_thread *pthread_t;
typedef struct {
    unsigned count, arrived, round;
} pthread_barrier_t;

int pthread_create(pthread_t *thread, const void *attr, void *(*fn)(void *), void *arg);
int pthread_join(pthread_t thread, void **result);
pthread_t pthread_self(void);
/* 0 if the thread runs there already. */
int pthread_setaffinity_np(pthread_t thread, size_t bytes, const cpu_set_t *set);
int pthread_barrier_init(pthread_barrier_t *b, const void *attr, unsigned count);
int pthread_barrier_wait(pthread_barrier_t *b);
int pthread_barrier_destroy(pthread_barrier_t *b);

#endif

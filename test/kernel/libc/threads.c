/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: threads: each has a CPU to itself, until it ends. The first CPU runs main.
 * Below: kernel/cpus.c.
 * Concurrency: a thread's entry belongs to its creator until it runs and after it is joined.
 */
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

#include "kernel/kernel.h"

struct kernel_thread {
    bool used, done; /* atomic */
    unsigned cpu, joiner;
    void *(*fn)(void *);
    void *arg, *result;
};

static struct kernel_thread threads[KERN64_CPUS_MAX];
static struct kernel_thread main_thread;

#define NO_JOINER (~0u)
#define NAP_NS    20000u

static void run(void *arg)
{
    struct kernel_thread *t = arg;
    unsigned joiner;

    t->cpu = plat_slot();
    t->result = t->fn(t->arg);
    joiner = __atomic_exchange_n(&t->joiner, NO_JOINER, __ATOMIC_ACQ_REL);
    sk_store_release(&t->done, true);
    if (joiner != NO_JOINER)
        kern64_hook_ipi(joiner, KERN64_IPI_TOLD);
}

static struct kernel_thread *entry_take(void)
{
    for (unsigned i = 0; i < KERN64_CPUS_MAX; i++) {
        bool used = false;

        if (sk_cas_acquire(&threads[i].used, &used, true))
            return &threads[i];
    }
    return NULL;
}

/* Waits for a CPU: tests have more threads one after the other than there are CPUs. */
int pthread_create(pthread_t *thread, const void *attr, void *(*fn)(void *), void *arg)
{
    struct kernel_thread *t;
    unsigned cpu;

    (void)attr;
    while ((t = entry_take()) == NULL)
        kern64_wait_turn();
    *t = (struct kernel_thread){.used = true, .joiner = NO_JOINER, .fn = fn, .arg = arg};
    *thread = t;
    while (!cpu_run(run, t, &cpu))
        kern64_wait_turn();
    return 0;
}

/* The joiner sleeps; whoever ends after it said so wakes it. */
int pthread_join(pthread_t t, void **result)
{
    unsigned self = plat_slot();

    __atomic_exchange_n(&t->joiner, self, __ATOMIC_ACQ_REL);
    for (;;) {
        irq_off();
        if (sk_load_acquire(&t->done))
            break;
        irq_on_and_halt();
    }
    irq_on();
    while (!cpu_is_idle(t->cpu))
        kern64_wait_turn();
    if (result)
        *result = t->result;
    sk_store_release(&t->used, false);
    return 0;
}

pthread_t pthread_self(void)
{
    for (unsigned i = 0; i < KERN64_CPUS_MAX; i++)
        if (sk_load_acquire(&threads[i].used) && threads[i].cpu == plat_slot())
            return &threads[i];
    return &main_thread;
}

int pthread_setaffinity_np(pthread_t thread, size_t bytes, const cpu_set_t *set)
{
    (void)thread;
    (void)bytes;
    return set->cpus >> plat_slot() & 1 ? 0 : -1;
}

/* Under emulation a CPU that sleeps leaves the host to the others. The first CPU's timer runs. */
int sched_yield(void)
{
    kern64_wait_turn();
    if (plat_slot() != 0) {
        irq_off();
        interrupt_after(NAP_NS);
        irq_on_and_halt();
    }
    return 0;
}

int usleep(unsigned us)
{
    uint64_t end = kern64_hook_clock_ns() + us * 1000ull;

    do
        sched_yield();
    while (kern64_hook_clock_ns() < end);
    return 0;
}

/* ---- barriers ------------------------------------------------------------------------------ */

int pthread_barrier_init(pthread_barrier_t *b, const void *attr, unsigned count)
{
    (void)attr;
    *b = (pthread_barrier_t){.count = count};
    return 0;
}

int pthread_barrier_wait(pthread_barrier_t *b)
{
    unsigned round = sk_load_acquire(&b->round);

    if (__atomic_add_fetch(&b->arrived, 1, __ATOMIC_ACQ_REL) == b->count) {
        sk_store_relaxed(&b->arrived, 0);
        sk_store_release(&b->round, round + 1);
        return 1;
    }
    while (sk_load_acquire(&b->round) == round)
        kern64_wait_turn();
    return 0;
}

int pthread_barrier_destroy(pthread_barrier_t *b)
{
    (void)b;
    return 0;
}

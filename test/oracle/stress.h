/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: what the patterns of the stress test share: workers with tables of blocks, and threads.
 * Below: block.h.
 */
#ifndef TEST_ORACLE_STRESS_H
#define TEST_ORACLE_STRESS_H

#include <pthread.h>

#include "block.h"

#define WORKER_SLOTS  256u
#define HANDLER_SLOTS 16u
#define THREADS_MAX   256u

/* What a signal handler owns: never touched by the thread it interrupts, but for the gift. */
struct handler_side {
    struct random hs_random;
    uint64_t hs_made;
    uint64_t hs_refused;
    struct block hs_table[HANDLER_SLOTS];
    struct block hs_gift;
    volatile bool hs_gift_full; /* true: gift belongs to the handler; false: to the thread */
};

struct worker {
    unsigned wk_index;
    unsigned wk_ops;
    bool wk_alone; /* does not pass blocks to other threads */
    struct random wk_random;
    uint64_t wk_sequence;
    pthread_t wk_thread;
    struct block wk_table[WORKER_SLOTS];
    struct handler_side wk_handler;
};

struct stress {
    unsigned st_threads;
    struct worker *st_worker; /* [st_threads] */
};

struct pattern {
    const char *pt_name;
    bool pt_needs_slabkit; /* asks for what only slabkit promises */
    void (*pt_run)(struct stress *st);
};
extern const struct pattern patterns_threads[];
extern const struct pattern patterns_fork[];
extern const struct pattern patterns_signal[];

struct worker *workers_map(unsigned count, uint64_t seed, unsigned ops);
void workers_unmap(struct worker *wk, unsigned count);

uint64_t worker_stamp(struct worker *wk);
void worker_fill(struct worker *wk, struct block *bl, size_t size);
void worker_step(struct worker *wk);
/* wk_ops steps. */
void *worker_main(void *worker);
void worker_check(const struct worker *wk);
void worker_empty(struct worker *wk);
void mailboxes_empty(struct worker *wk);

void thread_start(pthread_t *thread, void *(*main)(void *), void *arg);
void stress_spawn(struct stress *st, void *(*main)(void *));
void stress_join(struct stress *st);
_Noreturn void stress_die(const char *what);

#endif

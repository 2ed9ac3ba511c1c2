/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: what stays resident when threads, or the whole program, have nothing more to do.
 * Owns: IDLE_THREADS threads that start before the first figure and live until after the last;
 *       as many work at a time as there are CPUs, each on its own mebibyte, then all sleep.
 * Why: per-thread caches keep a thread's memory for a thread that does not come back for it. Two
 *      threads doing the same work give the measure for it.
 */
#include "workloads.h"

#include <pthread.h>
#include <semaphore.h>

#define IDLE_THREADS 1000u
#define IDLE_BYTES   (1u << 20)
#define IDLE_LO      16u
#define IDLE_HI      1024u
#define IDLE_REST    200u /* ms of rest before the last figure */

#define RETURN_BYTES (1u << 30)
#define RETURN_REST  2000u

struct crowd {
    unsigned cr_threads;
    uint64_t cr_turns;          /* mebibytes that each thread uses, one after the other */
    pthread_barrier_t cr_ready; /* every thread lives, none has worked */
    pthread_barrier_t cr_go;
    pthread_barrier_t cr_done;
    pthread_barrier_t cr_end;
    sem_t cr_places; /* how many may work at once */
};

/* Live blocks of a chain link to the one before: no array beside them. */
struct link {
    struct link *ln_next;
};

static void chain_free(struct link *chain)
{
    while (chain) {
        struct link *next = chain->ln_next;

        free(chain);
        chain = next;
    }
}

static uint64_t chain_use(struct random *rn, size_t total)
{
    struct link *chain = NULL;
    uint64_t blocks = 0;

    for (size_t used = 0; used < total; blocks++) {
        size_t bytes = random_size(rn, IDLE_LO, IDLE_HI);
        struct link *link = work_alloc(bytes);

        link->ln_next = chain;
        chain = link;
        used += bytes;
    }
    chain_free(chain);
    return blocks;
}

static void crowd_turn(struct crowd *cr, struct random *rn)
{
    while (sem_wait(&cr->cr_places))
        ;
    chain_use(rn, IDLE_BYTES);
    sem_post(&cr->cr_places);
}

static void *crowd_main(void *arg)
{
    struct crowd *cr = arg;
    struct random rn = {7};

    pthread_barrier_wait(&cr->cr_ready);
    pthread_barrier_wait(&cr->cr_go);
    for (uint64_t i = 0; i < cr->cr_turns; i++)
        crowd_turn(cr, &rn);
    pthread_barrier_wait(&cr->cr_done);
    pthread_barrier_wait(&cr->cr_end);
    return NULL;
}

static void crowd_init(struct crowd *cr, unsigned threads)
{
    cr->cr_threads = threads;
    cr->cr_turns = work_count(IDLE_THREADS / threads);
    sem_init(&cr->cr_places, 0, work_cpus());
    pthread_barrier_init(&cr->cr_ready, NULL, threads + 1);
    pthread_barrier_init(&cr->cr_go, NULL, threads + 1);
    pthread_barrier_init(&cr->cr_done, NULL, threads + 1);
    pthread_barrier_init(&cr->cr_end, NULL, threads + 1);
}

static void crowd_start(struct crowd *cr, pthread_t *thread)
{
    pthread_attr_t attr;

    pthread_attr_init(&attr);
    pthread_attr_setstacksize(&attr, 128 << 10);
    for (unsigned i = 0; i < cr->cr_threads; i++)
        if (pthread_create(&thread[i], &attr, crowd_main, cr))
            work_die("cannot start a thread");
    pthread_barrier_wait(&cr->cr_ready);
}

static void crowd_run(const struct workload *wl, struct outcome *oc)
{
    pthread_t *thread = work_pages(IDLE_THREADS * sizeof(*thread));
    struct crowd cr;

    crowd_init(&cr, (unsigned)wl->wl_shape);
    crowd_start(&cr, thread);
    oc->oc_start_kib = work_rss_kib();
    work_start(oc);
    pthread_barrier_wait(&cr.cr_go);
    pthread_barrier_wait(&cr.cr_done);
    work_stop(oc, cr.cr_threads * cr.cr_turns);
    work_sleep_ms(IDLE_REST);
    oc->oc_end_kib = work_rss_kib();
    pthread_barrier_wait(&cr.cr_end);
    for (unsigned i = 0; i < cr.cr_threads; i++)
        pthread_join(thread[i], NULL);
}

/* --scale makes it more rounds, never more memory. */
static void return_run(const struct workload *wl, struct outcome *oc)
{
    uint64_t rounds = work_count(1);
    struct random rn = {8};
    uint64_t blocks = 0;

    (void)wl;
    oc->oc_start_kib = work_rss_kib();
    work_start(oc);
    for (uint64_t i = 0; i < rounds; i++)
        blocks += chain_use(&rn, RETURN_BYTES);
    work_stop(oc, blocks);
    work_sleep_ms(RETURN_REST);
    oc->oc_end_kib = work_rss_kib();
}

const struct workload idle_workloads[] = {
    {"thousand-threads", "1000 threads used 1 MiB each, a few at a time, and are idle", true, 1,
     crowd_run, 0, IDLE_THREADS},
    {"two-threads", "the same 1000 MiB used by two threads, for comparison", true, 1, crowd_run, 0,
     2},
    {"idle", "1 GiB of small blocks allocated and freed, then 2 s without work", false, 1,
     return_run, 0, 0},
    {0},
};

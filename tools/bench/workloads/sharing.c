/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: does the allocator put blocks of different threads on one cache line?
 * Why: Berger's cache-thrash (active: it gives fresh neighbours to two threads) and cache-scratch
 *      (passive: the neighbours came from one thread, and each new owner frees its piece and so
 *      may get it back), from "Hoard" (Berger, McKinley, Blumofe, Wilson; ASPLOS 2000).
 */
#include "workloads.h"

#include <pthread.h>

#define SHARING_ROUNDS 2000u
#define SHARING_WRITES 100000u
#define SHARING_BYTES  8u

enum sharing_kind {
    SHARING_ACTIVE,
    SHARING_PASSIVE
};

struct sharer {
    pthread_t sh_thread;
    pthread_barrier_t *sh_go;
    unsigned sh_index;
    uint64_t sh_rounds;
    void *sh_given; /* the piece another thread allocated; NULL when active */
};

/* Reads and writes: stores alone would wait their turn for the line in the store buffer. */
static void sharer_write(void *p)
{
    volatile unsigned char *byte = p;

    for (unsigned i = 0; i < SHARING_WRITES; i++)
        byte[i % SHARING_BYTES]++;
}

static void *sharer_main(void *arg)
{
    struct sharer *me = arg;

    work_pin(me->sh_index);
    pthread_barrier_wait(me->sh_go);
    free(me->sh_given);
    for (uint64_t i = 0; i < me->sh_rounds; i++) {
        void *p = work_alloc(SHARING_BYTES);

        sharer_write(p);
        free(p);
    }
    return NULL;
}

static void sharer_start(struct sharer *sh)
{
    if (pthread_create(&sh->sh_thread, NULL, sharer_main, sh))
        work_die("cannot start a thread");
}

/* The pieces are allocated next to each other, before any thread's own memory comes between. */
static void sharers_prepare(struct sharer *sh, unsigned count, pthread_barrier_t *go, bool give)
{
    for (unsigned i = 0; i < count; i++) {
        sh[i].sh_go = go;
        sh[i].sh_index = i;
        sh[i].sh_rounds = work_count(SHARING_ROUNDS);
        sh[i].sh_given = give ? work_alloc(SHARING_BYTES) : NULL;
    }
}

static void sharing_run(const struct workload *wl, struct outcome *oc)
{
    unsigned count = work_cpus() > 1 ? work_cpus() : 2;
    struct sharer *sh = work_pages(count * sizeof(*sh));
    pthread_barrier_t go;

    pthread_barrier_init(&go, NULL, count + 1);
    sharers_prepare(sh, count, &go, wl->wl_shape == SHARING_PASSIVE);
    for (unsigned i = 0; i < count; i++)
        sharer_start(&sh[i]);
    work_start(oc); /* before the release: it may wake this thread last */
    pthread_barrier_wait(&go);
    for (unsigned i = 0; i < count; i++)
        pthread_join(sh[i].sh_thread, NULL);
    work_stop(oc, count * sh->sh_rounds * SHARING_WRITES);
}

const struct workload sharing_workloads[] = {
    {"sharing-active", "false sharing: fresh small blocks of several threads", true, 1, sharing_run,
     0, SHARING_ACTIVE},
    {"sharing-passive", "false sharing: small blocks handed to other threads and freed there", true,
     1, sharing_run, 0, SHARING_PASSIVE},
    {0},
};

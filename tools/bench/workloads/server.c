/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: a server whose threads are born, replace random blocks of a table and die, leaving the
 *       table to the thread they start: blocks are freed by another thread than allocated them.
 * Owns: one table for each chain; only the chain's living thread touches it.
 * Why: the shape of Larson and Krishnan, "Memory allocation for long-running server applications"
 *      (ISMM 1998). They count work in a fixed time; here a fixed amount of work is timed.
 */
#include "workloads.h"

#include <pthread.h>
#include <semaphore.h>

#define SERVER_BLOCKS      2000u
#define SERVER_REPLACE     20000u
#define SERVER_GENERATIONS 800u
#define SERVER_LO          8u
#define SERVER_HI          1000u

struct chain {
    void *ch_block[SERVER_BLOCKS];
    struct random ch_random;
    uint64_t ch_generations; /* still to be born */
    sem_t *ch_over;          /* posted by the last thread of the chain */
};

static void *chain_block(struct chain *ch)
{
    void *p = work_alloc(random_between(&ch->ch_random, SERVER_LO, SERVER_HI));

    work_touch(p);
    return p;
}

static void chain_work(struct chain *ch)
{
    for (unsigned i = 0; i < SERVER_REPLACE; i++) {
        void **block = &ch->ch_block[random_below(&ch->ch_random, SERVER_BLOCKS)];

        free(*block);
        *block = chain_block(ch);
    }
}

static void *generation_main(void *arg);

static void chain_next(struct chain *ch)
{
    pthread_t thread;

    if (pthread_create(&thread, NULL, generation_main, ch))
        work_die("cannot start a thread");
    pthread_detach(thread);
}

static void *generation_main(void *arg)
{
    struct chain *ch = arg;

    chain_work(ch);
    if (--ch->ch_generations)
        chain_next(ch);
    else
        sem_post(ch->ch_over);
    return NULL;
}

static void chain_init(struct chain *ch, unsigned seed, uint64_t generations, sem_t *over)
{
    ch->ch_random.rn_state = seed;
    ch->ch_generations = generations;
    ch->ch_over = over;
    for (unsigned i = 0; i < SERVER_BLOCKS; i++)
        ch->ch_block[i] = chain_block(ch);
}

static void server_run(const struct workload *wl, struct outcome *oc)
{
    unsigned chains = work_cpus();
    struct chain *ch = work_pages(chains * sizeof(*ch));
    uint64_t generations = work_count(SERVER_GENERATIONS / chains);
    sem_t over;

    (void)wl;
    sem_init(&over, 0, 0);
    for (unsigned i = 0; i < chains; i++)
        chain_init(&ch[i], i + 1, generations, &over);
    work_start(oc);
    for (unsigned i = 0; i < chains; i++)
        chain_next(&ch[i]);
    for (unsigned i = 0; i < chains; i++)
        while (sem_wait(&over))
            ;
    work_stop(oc, chains * generations * SERVER_REPLACE);
}

const struct workload server_workloads[] = {
    {"larson", "server: threads born and dying hand their blocks on, 8 to 1000 B", true, 1,
     server_run, 0, 0},
    {0},
};

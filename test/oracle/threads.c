/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: the patterns that need nothing but threads: multi, prodcons, prodcons-n, churn, birthdeath.
 */
#define _GNU_SOURCE
#include "stress.h"

#include <malloc.h>
#include <semaphore.h>
#include <stdlib.h>
#include <string.h>

#include "entry.h"

#define QUEUE_SLOTS 256u

static void multi_run(struct stress *st)
{
    stress_spawn(st, worker_main);
    stress_join(st);
}

/* ---- producers and consumers --------------------------------------------------------------- */

/* Bounded. 0 <= qu_put - qu_got <= QUEUE_SLOTS. A block without address ends one consumer. */
struct queue {
    pthread_mutex_t qu_lock;
    pthread_cond_t qu_more, qu_room;
    unsigned qu_put, qu_got;
    struct block qu_block[QUEUE_SLOTS];
};
static struct queue queue[THREADS_MAX / 2];
static unsigned queues;

static void queue_put(struct queue *qu, struct block bl)
{
    pthread_mutex_lock(&qu->qu_lock);
    while (qu->qu_put - qu->qu_got == QUEUE_SLOTS)
        pthread_cond_wait(&qu->qu_room, &qu->qu_lock);
    qu->qu_block[qu->qu_put++ % QUEUE_SLOTS] = bl;
    pthread_cond_signal(&qu->qu_more);
    pthread_mutex_unlock(&qu->qu_lock);
}

static struct block queue_get(struct queue *qu)
{
    struct block bl;

    pthread_mutex_lock(&qu->qu_lock);
    while (qu->qu_put == qu->qu_got)
        pthread_cond_wait(&qu->qu_more, &qu->qu_lock);
    bl = qu->qu_block[qu->qu_got++ % QUEUE_SLOTS];
    pthread_cond_signal(&qu->qu_room);
    pthread_mutex_unlock(&qu->qu_lock);
    return bl;
}

static void produce(struct worker *wk, struct queue *qu)
{
    struct block bl;

    for (unsigned i = 0; i < wk->wk_ops; i++) {
        bool many = random_below(&wk->wk_random, 4);

        worker_fill(wk, &bl,
                    many ? random_log_size(&wk->wk_random, 8) : random_size(&wk->wk_random));
        queue_put(qu, bl);
    }
    queue_put(qu, (struct block){0});
}

static void consume(struct worker *wk, struct queue *qu)
{
    for (;;) {
        struct block bl = queue_get(qu);

        if (!bl.bl_p)
            return;
        block_free(&bl, random_below(&wk->wk_random, 8) == 0);
    }
}

static void *side_main(void *worker)
{
    struct worker *wk = worker;
    struct queue *qu = &queue[wk->wk_index / 2 % queues];

    if (wk->wk_index % 2)
        consume(wk, qu);
    else
        produce(wk, qu);
    return NULL;
}

static void queues_run(struct stress *st, unsigned count)
{
    if (st->st_threads % 2)
        stress_die("this pattern needs an even number of threads");
    queues = count;
    for (unsigned i = 0; i < count; i++)
        queue[i] = (struct queue){.qu_lock = PTHREAD_MUTEX_INITIALIZER,
                                  .qu_more = PTHREAD_COND_INITIALIZER,
                                  .qu_room = PTHREAD_COND_INITIALIZER};
    stress_spawn(st, side_main);
    stress_join(st);
}

static void prodcons_run(struct stress *st)
{
    queues_run(st, st->st_threads / 2);
}

static void prodcons_n_run(struct stress *st)
{
    queues_run(st, 1);
}

/* ---- churn: batches of like sizes, freed in every order ------------------------------------- */

static void batch_shuffle(struct worker *wk, unsigned count)
{
    for (unsigned i = count; i > 1; i--) {
        unsigned j = (unsigned)random_below(&wk->wk_random, i);
        struct block swap = wk->wk_table[i - 1];

        wk->wk_table[i - 1] = wk->wk_table[j];
        wk->wk_table[j] = swap;
    }
}

static void churn_batch(struct worker *wk, unsigned count)
{
    size_t size = random_log_size(&wk->wk_random, 13);
    uint64_t order = random_below(&wk->wk_random, 3);

    for (unsigned i = 0; i < count; i++)
        worker_fill(wk, &wk->wk_table[i], size + random_below(&wk->wk_random, 1 + size / 8));
    if (order == 0)
        batch_shuffle(wk, count);
    for (unsigned i = 0; i < count; i++)
        block_free(&wk->wk_table[order == 1 ? i : count - 1 - i], false);
}

static void *churn_main(void *worker)
{
    struct worker *wk = worker;

    for (unsigned done = 0; done < wk->wk_ops;) {
        unsigned count = 1 + (unsigned)random_below(&wk->wk_random, WORKER_SLOTS);

        churn_batch(wk, count);
        done += count;
        if (random_below(&wk->wk_random, 64) == 0)
            malloc_trim(0);
    }
    return NULL;
}

static void churn_run(struct stress *st)
{
    stress_spawn(st, churn_main);
    stress_join(st);
}

/* ---- birth and death: a thread inherits the blocks of one that died ------------------------- */

#define GENERATIONS 20u

struct life {
    struct worker *lf_worker;
    pthread_t lf_parent;
    unsigned lf_generation;
};
static struct life life[THREADS_MAX];
static sem_t lines_ended;

static void *life_main(void *arg)
{
    struct life *lf = arg;
    struct worker *wk = lf->lf_worker;

    if (lf->lf_generation && pthread_join(lf->lf_parent, NULL))
        stress_die("cannot join a parent thread");
    for (unsigned i = 0; i < wk->wk_ops / GENERATIONS; i++)
        worker_step(wk);
    lf->lf_parent = pthread_self();
    if (++lf->lf_generation == GENERATIONS)
        sem_post(&lines_ended);
    else
        thread_start(&wk->wk_thread, life_main, lf);
    return NULL;
}

static void birthdeath_run(struct stress *st)
{
    sem_init(&lines_ended, 0, 0);
    for (unsigned i = 0; i < st->st_threads; i++) {
        life[i] = (struct life){.lf_worker = &st->st_worker[i]};
        thread_start(&st->st_worker[i].wk_thread, life_main, &life[i]);
    }
    for (unsigned i = 0; i < st->st_threads; i++)
        while (sem_wait(&lines_ended))
            ;
    for (unsigned i = 0; i < st->st_threads; i++)
        if (pthread_join(life[i].lf_parent, NULL))
            stress_die("cannot join the last of a line");
}

const struct pattern patterns_threads[] = {
    {"multi", false, multi_run},           {"prodcons", false, prodcons_run},
    {"prodcons-n", false, prodcons_n_run}, {"churn", false, churn_run},
    {"birthdeath", false, birthdeath_run}, {0},
};

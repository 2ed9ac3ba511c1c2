/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: the pattern signals: handlers allocate and free at a high rate while the threads they
 *       interrupt do the same, woken by a timer for each thread and by a storm of pthread_kill.
 * Concurrency: each signal blocks the other, so one handler runs at a time on a thread. A thread
 *       gives its handler blocks through hs_gift; hs_gift_full says whose it is.
 * Failure: a handler may be refused memory (ENOMEM); it must be served sometimes.
 */
#define _GNU_SOURCE
#include "stress.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define TIMER_NS      50000
#define HANDLER_STEPS 4u
#define HANDLER_SEQ   (1ull << 39) /* keeps its stamps apart from those of its thread */

static __thread struct worker *volatile self;
static atomic_uint running;

static size_t handler_size(struct random *rn)
{
    return random_log_size(rn, random_below(rn, 64) ? 12 : 18);
}

static void handler_fill(struct handler_side *hs, struct block *bl, uint64_t stamp)
{
    enum block_way way = (enum block_way)random_below(&hs->hs_random, BLOCK_WAYS);

    if (block_make(bl, way, handler_size(&hs->hs_random), &hs->hs_random, stamp))
        hs->hs_made++;
    else if (errno != ENOMEM)
        stress_die("refused without ENOMEM in a signal handler");
    else
        hs->hs_refused++;
}

static void gift_take(struct handler_side *hs)
{
    if (!hs->hs_gift_full)
        return;
    block_free(&hs->hs_gift, false);
    hs->hs_gift_full = false;
}

static void on_signal(int signo)
{
    struct worker *wk = self;
    int saved = errno;

    (void)signo;
    if (!wk)
        return;
    for (unsigned i = 0; i < HANDLER_STEPS; i++) {
        struct handler_side *hs = &wk->wk_handler;
        struct block *bl = &hs->hs_table[random_below(&hs->hs_random, HANDLER_SLOTS)];

        if (bl->bl_p)
            block_free(bl, false);
        else
            handler_fill(hs, bl, (uint64_t)(wk->wk_index + 1) << 40 | HANDLER_SEQ | hs->hs_made);
    }
    gift_take(&wk->wk_handler);
    errno = saved;
}

static void handlers_install(void)
{
    struct sigaction act = {.sa_handler = on_signal, .sa_flags = SA_RESTART};

    sigaddset(&act.sa_mask, SIGALRM);
    sigaddset(&act.sa_mask, SIGUSR1);
    if (sigaction(SIGALRM, &act, NULL) || sigaction(SIGUSR1, &act, NULL))
        stress_die("cannot install a handler");
}

static timer_t thread_timer_start(void)
{
    struct sigevent event = {.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGALRM};
    struct itimerspec every = {.it_interval.tv_nsec = TIMER_NS, .it_value.tv_nsec = TIMER_NS};
    timer_t timer;

    event._sigev_un._tid = (pid_t)syscall(SYS_gettid);
    if (timer_create(CLOCK_MONOTONIC, &event, &timer) || timer_settime(timer, 0, &every, NULL))
        stress_die("cannot start a timer");
    return timer;
}

static void gift_give(struct worker *wk)
{
    struct handler_side *hs = &wk->wk_handler;

    if (hs->hs_gift_full)
        return;
    worker_fill(wk, &hs->hs_gift, random_log_size(&wk->wk_random, 12));
    atomic_signal_fence(memory_order_release);
    hs->hs_gift_full = true;
}

/* The thread takes back what its handler holds, with signals off. */
static void handler_side_empty(struct worker *wk)
{
    struct handler_side *hs = &wk->wk_handler;

    for (unsigned i = 0; i < HANDLER_SLOTS; i++)
        if (hs->hs_table[i].bl_p)
            block_free(&hs->hs_table[i], false);
    gift_take(hs);
    if (!hs->hs_made)
        stress_die("no allocation was ever served in a signal handler");
}

static void *interrupted_main(void *worker)
{
    struct worker *wk = worker;
    timer_t timer;

    self = wk;
    timer = thread_timer_start();
    for (unsigned i = 0; i < wk->wk_ops; i++) {
        worker_step(wk);
        if (i % 16 == 0)
            gift_give(wk);
    }
    timer_delete(timer);
    self = NULL;
    atomic_signal_fence(memory_order_seq_cst);
    handler_side_empty(wk);
    atomic_fetch_sub(&running, 1);
    return NULL;
}

static void signals_run(struct stress *st)
{
    handlers_install();
    atomic_store(&running, st->st_threads);
    stress_spawn(st, interrupted_main);
    for (unsigned i = 0; atomic_load(&running); i = (i + 1) % st->st_threads) {
        pthread_kill(st->st_worker[i].wk_thread, SIGUSR1);
        sched_yield();
    }
    stress_join(st);
}

const struct pattern patterns_signal[] = {
    {"signals", true, signals_run},
    {0},
};

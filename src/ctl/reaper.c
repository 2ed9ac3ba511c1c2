/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: gives idle memory back without a call by the program: a thread of our own, started
 *       when free memory waits, ended when nothing is left to do.
 * Below: kmalloc, pcpu, region; pthreads.
 * Owns: reaper.state.
 * Concurrency: state changes by compare-and-swap IDLE -> STARTING -> RUNNING -> IDLE. The
 *       thread takes the engine's locks like any other caller. After fork the child has no
 *       thread: state IDLE.
 * Failure: no thread can be had: the next poke tries again.
 * Why: lazily, because a short program needs no reaper and some programs (unshare, setns) must
 *       stay
 *       single-threaded; never from inside a signal handler, where pthread_create is not allowed:
 *       a handler shows itself by its blocked signal.
 */
#define _GNU_SOURCE
#include "ctl/start.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <time.h>

#define POKE_PERIOD  256u /* slow paths between two looks */
#define QUIET_TICKS  12u  /* ticks without work until the thread ends */
#define MASKED_POKES 64u  /* looks put off because signals were blocked */
#define REAPER_STACK ((size_t)128 << 10)

enum reaper_state {
    REAPER_IDLE,
    REAPER_STARTING,
    REAPER_RUNNING
};

static struct {
    unsigned state;  /* atomic, enum reaper_state */
    unsigned masked; /* atomic */
    uint64_t passes; /* atomic */
} reaper;

bool ctl_reaper_runs(void)
{
    return sk_load_relaxed(&reaper.state) == REAPER_RUNNING;
}

uint64_t ctl_reaps(void)
{
    return sk_load_relaxed(&reaper.passes);
}

static size_t waiting_bytes(void)
{
    struct region_stats r;

    region_get_stats(&r);
    return r.dirty_bytes + pcpu_idle_bytes() + kmem_waiting_bytes();
}

static void pass(void)
{
    sk_add_relaxed(&reaper.passes, 1);
    kmem_run_deferred();
    if (!plat_enter())
        return;
    pcpu_reap();
    region_reap(0, false);
    plat_leave();
}

static void *reaper_main(void *arg)
{
    unsigned ms = ctl_options()->reap_ms, quiet = 0;
    struct timespec tick = {.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000};

    (void)arg;
    sk_store_release(&reaper.state, REAPER_RUNNING);
    region_set_lazy(true);
    while (quiet < QUIET_TICKS) {
        uint64_t before = waiting_bytes();

        clock_nanosleep(CLOCK_MONOTONIC, 0, &tick, NULL);
        pass();
        quiet = before == waiting_bytes() ? quiet + 1 : 0;
    }
    region_set_lazy(false);
    sk_store_release(&reaper.state, REAPER_IDLE);
    return NULL;
}

static bool create_thread(void)
{
    pthread_attr_t attr;
    sigset_t all, old;
    pthread_t thread;
    bool ok;

    if (pthread_attr_init(&attr) != 0)
        return false;
    pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    pthread_attr_setstacksize(&attr, REAPER_STACK);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    ok = pthread_create(&thread, &attr, reaper_main, NULL) == 0;
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    pthread_attr_destroy(&attr);
    if (ok)
        pthread_setname_np(thread, "slabkit-reaper");
    return ok;
}

static bool in_handler_perhaps(void)
{
    sigset_t now;
    int any = 0;

    pthread_sigmask(SIG_BLOCK, NULL, &now);
    for (int s = 1; s < NSIG && !any; s++)
        any = sigismember(&now, s) == 1;
    return any && sk_add_relaxed(&reaper.masked, 1) < MASKED_POKES;
}

/* Not from a nested call: it reads under locks. */
static bool worth_starting(void)
{
    bool worth;

    if (!plat_enter())
        return false;
    worth = waiting_bytes() >= ctl_options()->reap_floor;
    plat_leave();
    return worth;
}

static SK_COLD void start(void)
{
    unsigned idle = REAPER_IDLE;
    int saved = errno;

    if (sk_cas_acquire(&reaper.state, &idle, REAPER_STARTING) && !create_thread())
        sk_store_release(&reaper.state, REAPER_IDLE);
    errno = saved;
}

void ctl_poke(void)
{
    static SK_TLS unsigned pokes;
    static SK_TLS uint64_t trims;
    bool trimmed = region_trims() != trims;

    if (SK_LIKELY(++pokes % POKE_PERIOD != 0 && !trimmed))
        return;
    trims = region_trims();
    if (ctl_options()->reaper && sk_load_relaxed(&reaper.state) == REAPER_IDLE &&
        worth_starting() && !in_handler_perhaps())
        start();
}

void reaper_fork_child(void)
{
    region_set_lazy(false);
    sk_store_relaxed(&reaper.state, REAPER_IDLE);
}

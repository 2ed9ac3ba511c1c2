/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: the pattern fork: children of a program whose other threads are in the middle of
 *       allocating and freeing go on working: they check and free what they inherited, allocate,
 *       start threads, give memory back, verify the engine, and end properly.
 * Concurrency: a child touches only the tables of the thread that forked; the other tables and
 *       the mailboxes were in use by threads that it does not have.
 */
#define _GNU_SOURCE
#include "stress.h"

#include <errno.h>
#include <signal.h>
#include <malloc.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "engine.h"
#include "entry.h"

#define FORKERS       2u
#define OPS_PER_FORK  2000u
#define CHILD_OPS     400u
#define CHILD_THREADS 2u
#define CHILD_SECONDS 60u

static atomic_bool forks_done;

static void *until_done_main(void *worker)
{
    while (!atomic_load(&forks_done))
        worker_step(worker);
    return NULL;
}

static void child_threads(struct worker *parent)
{
    struct stress st = {.st_threads = CHILD_THREADS};

    st.st_worker = workers_map(CHILD_THREADS, random_next(&parent->wk_random), CHILD_OPS);
    for (unsigned i = 0; i < CHILD_THREADS; i++)
        st.st_worker[i].wk_alone = true;
    stress_spawn(&st, worker_main);
    stress_join(&st);
    for (unsigned i = 0; i < CHILD_THREADS; i++)
        worker_empty(&st.st_worker[i]);
}

static _Noreturn void child_run(struct worker *wk, bool plain_exit)
{
    alarm(CHILD_SECONDS);
    wk->wk_alone = true;
    worker_check(wk);
    for (unsigned i = 0; i < CHILD_OPS; i++)
        worker_step(wk);
    child_threads(wk);
    worker_empty(wk);
    malloc_trim(0);
    if (engine_verify())
        stress_die("the engine is inconsistent in a forked child");
    if (plain_exit)
        exit(0);
    _exit(0);
}

static void child_await(pid_t child)
{
    int status;

    while (waitpid(child, &status, 0) < 0)
        if (errno != EINTR)
            stress_die("cannot wait for a child");
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM)
        stress_die("a forked child hangs");
    if (!WIFEXITED(status) || WEXITSTATUS(status))
        stress_die("a forked child did not end with 0");
}

static void *forker_main(void *worker)
{
    struct worker *wk = worker;

    for (unsigned done = 0; done < wk->wk_ops; done += OPS_PER_FORK) {
        bool plain_exit = random_below(&wk->wk_random, 2);
        pid_t child;

        for (unsigned i = 0; i < OPS_PER_FORK; i++)
            worker_step(wk);
        child = fork();
        if (child < 0)
            stress_die("cannot fork");
        if (child == 0)
            child_run(wk, plain_exit);
        child_await(child);
    }
    return NULL;
}

static void fork_run(struct stress *st)
{
    atomic_store(&forks_done, false);
    for (unsigned i = 0; i < st->st_threads; i++)
        thread_start(&st->st_worker[i].wk_thread, i < FORKERS ? forker_main : until_done_main,
                     &st->st_worker[i]);
    for (unsigned i = 0; i < st->st_threads; i++) {
        if (i == FORKERS)
            atomic_store(&forks_done, true);
        if (pthread_join(st->st_worker[i].wk_thread, NULL))
            stress_die("cannot join a thread");
    }
}

const struct pattern patterns_fork[] = {
    {"fork", false, fork_run},
    {0},
};

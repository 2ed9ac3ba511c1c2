/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: new processes: fork from many threads at once, atfork handlers that allocate (registered
 *       before and after the allocator's own), fork in a forked child, vfork and exec, posix_spawn.
 *       usage: processes [exit STATUS]   (the second form is what it executes)
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "atfork.h"
#include "expect.h"
#include "../oracle/engine.h"

#define THREADS 8u
#define FORKS   15u

extern char **environ;
static const char own_path[] = "/proc/self/exe";

static void status_await(pid_t child, int expected)
{
    int status;

    EXPECT(child > 0);
    EXPECT(waitpid(child, &status, 0) == child);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != expected)
        dprintf(STDERR_FILENO, "wait status %#x\n", (unsigned)status);
    EXPECT(WIFEXITED(status) && WEXITSTATUS(status) == expected);
}

/* ---- atfork handlers ------------------------------------------------------------------------ */

static struct atfork_calls calls;

static void at_prepare(void)
{
    churn(1, BLOCKS);
    calls.ac_prepare++;
}

static void at_parent(void)
{
    churn(2, BLOCKS);
    calls.ac_parent++;
}

static void at_child(void)
{
    churn(3, BLOCKS);
    calls.ac_child++;
}

static void test_atfork_handlers(void)
{
    pid_t child;

    EXPECT(pthread_atfork(at_prepare, at_parent, at_child) == 0);
    child = fork();
    if (child == 0) {
        EXPECT(calls.ac_prepare == 1 && calls.ac_parent == 0 && calls.ac_child == 1);
        EXPECT(atfork_calls.ac_prepare == 1 && atfork_calls.ac_child == 1);
        _exit(9);
    }
    status_await(child, 9);
    EXPECT(calls.ac_prepare == 1 && calls.ac_parent == 1 && calls.ac_child == 0);
    EXPECT(atfork_calls.ac_prepare == 1 && atfork_calls.ac_parent == 1);
}

/* ---- fork ----------------------------------------------------------------------------------- */

static void grandchild_run(void)
{
    pid_t child = fork();

    if (child == 0) {
        churn(4, BLOCKS);
        exit(5);
    }
    status_await(child, 5);
}

static void *forking_main(void *arg)
{
    for (unsigned i = 0; i < FORKS; i++) {
        void *inherited = malloc(1000 + i);
        pid_t child;

        churn(i, BLOCKS);
        child = fork();
        if (child == 0) {
            alarm(30);
            free(inherited);
            churn(i + 1, BLOCKS);
            if (i % 5 == 0)
                grandchild_run();
            EXPECT(engine_verify() == 0);
            _exit(7);
        }
        status_await(child, 7);
        free(inherited);
    }
    return arg;
}

static void test_fork_from_many_threads(void)
{
    pthread_t thread[THREADS];

    for (unsigned i = 0; i < THREADS; i++)
        EXPECT(pthread_create(&thread[i], NULL, forking_main, NULL) == 0);
    for (unsigned i = 0; i < THREADS; i++)
        EXPECT(pthread_join(thread[i], NULL) == 0);
    EXPECT(engine_verify() == 0);
}

/* ---- vfork, posix_spawn --------------------------------------------------------------------- */

static char *const spawn_argv[] = {"processes", "exit", "42", NULL};

static void vfork_once(void)
{
    pid_t child = vfork();

    if (child == 0) {
        execve(own_path, spawn_argv, environ);
        _exit(1);
    }
    status_await(child, 42);
}

static void *vfork_main(void *arg)
{
    for (unsigned i = 0; i < FORKS; i++) {
        vfork_once();
        churn(i, BLOCKS);
    }
    return arg;
}

static void *spawn_main(void *arg)
{
    for (unsigned i = 0; i < FORKS; i++) {
        pid_t child;

        EXPECT(posix_spawn(&child, own_path, NULL, NULL, spawn_argv, environ) == 0);
        status_await(child, 42);
        churn(i, BLOCKS);
    }
    return arg;
}

static void test_vfork_and_spawn(void)
{
    pthread_t thread[2];

    EXPECT(pthread_create(&thread[0], NULL, vfork_main, NULL) == 0);
    EXPECT(pthread_create(&thread[1], NULL, spawn_main, NULL) == 0);
    EXPECT(pthread_join(thread[0], NULL) == 0);
    EXPECT(pthread_join(thread[1], NULL) == 0);
}

int main(int argc, char **argv)
{
    if (argc == 3) {
        churn(0, BLOCKS);
        return atoi(argv[2]);
    }
    engine_find();
    test_atfork_handlers();
    test_fork_from_many_threads();
    test_vfork_and_spawn();
    return 0;
}

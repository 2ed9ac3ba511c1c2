/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: locks, nesting, clock, the last line.
 */
#define _GNU_SOURCE
#include "arrays.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* ---- locks --------------------------------------------------------------------------------- */

#define THREADS 6
#define ROUNDS  20000

static struct plat_lock lock;
static unsigned long guarded;

static void *count_up(void *arg)
{
    (void)arg;
    for (int i = 0; i < ROUNDS; i++) {
        plat_lock(&lock);
        guarded++;
        if (i % 1000 == 0)
            sched_yield();
        plat_unlock(&lock);
    }
    return NULL;
}

static void test_the_lock_excludes(void **state)
{
    pthread_t t[THREADS];

    (void)state;
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&t[i], NULL, count_up, NULL), 0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(t[i], NULL);
    assert_int_equal(guarded, THREADS * ROUNDS);
    assert_int_equal(lock.word, 0);
}

static void *wait_for_lock(void *arg)
{
    plat_lock(&lock);
    *(bool *)arg = true;
    plat_unlock(&lock);
    return NULL;
}

/* A sleeper shows as 2, and the unlock wakes it. */
static void test_a_sleeper_is_woken(void **state)
{
    struct timespec moment = {0, 1000000};
    bool got = false;
    pthread_t t;

    (void)state;
    assert_true(plat_trylock(&lock));
    assert_false(plat_trylock(&lock));
    assert_int_equal(pthread_create(&t, NULL, wait_for_lock, &got), 0);
    while (sk_load_relaxed(&lock.word) != 2)
        nanosleep(&moment, NULL);
    assert_false(sk_load_relaxed(&got));
    plat_unlock(&lock);
    pthread_join(t, NULL);
    assert_true(got);
}

static void test_a_reset_lock_is_free(void **state)
{
    (void)state;
    plat_lock(&lock);
    plat_lock_reset(&lock);
    assert_true(plat_trylock(&lock));
    plat_unlock(&lock);
}

/* ---- nesting and clock --------------------------------------------------------------------- */

static bool entered_in_handler;

static void try_to_enter(int sig)
{
    (void)sig;
    entered_in_handler = plat_enter();
    if (entered_in_handler)
        plat_leave();
}

static void test_a_handler_inside_may_not_enter(void **state)
{
    (void)state;
    signal(SIGUSR1, try_to_enter);
    assert_true(plat_enter());
    assert_false(plat_enter());
    raise(SIGUSR1);
    assert_false(entered_in_handler);
    plat_leave();
    raise(SIGUSR1);
    assert_true(entered_in_handler);
    assert_true(plat_enter());
    plat_leave();
}

static void *enter_elsewhere(void *arg)
{
    *(bool *)arg = plat_enter();
    plat_leave();
    return NULL;
}

static void test_nesting_belongs_to_the_thread(void **state)
{
    bool entered = false;
    pthread_t t;

    (void)state;
    assert_true(plat_enter());
    assert_int_equal(pthread_create(&t, NULL, enter_elsewhere, &entered), 0);
    pthread_join(t, NULL);
    plat_leave();
    assert_true(entered);
}

static void test_the_clock_goes_on(void **state)
{
    uint64_t start = plat_clock_ns();
    struct timespec moment = {0, 1000000};
    struct timespec now;

    (void)state;
    while (plat_clock_ns() == start)
        nanosleep(&moment, NULL);
    assert_true(plat_clock_ns() > start);
    clock_gettime(CLOCK_MONOTONIC, &now);
    assert_true(plat_clock_ns() <= (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec);
}

/* ---- panic --------------------------------------------------------------------------------- */

static void ignore(int sig)
{
    (void)sig;
}

/* An emulator tells of the abort as well, on the same stderr. */
static void drop_emulator_line(char *wrote)
{
    char *emulator = strstr(wrote, "qemu: uncaught target signal");

    if (emulator)
        *emulator = '\0';
}

/* Runs plat_panic(line) with SIGABRT blocked and handled; what it wrote, and how it ended. */
static int panic_in_child(const char *line, char *wrote, size_t max)
{
    int fds[2], status;
    ssize_t n;
    pid_t pid;

    assert_int_equal(pipe(fds), 0);
    pid = fork();
    if (pid == 0) {
        sigset_t set;

        dup2(fds[1], 2);
        sigfillset(&set);
        sigprocmask(SIG_BLOCK, &set, NULL);
        signal(SIGABRT, ignore);
        plat_panic(line);
    }
    close(fds[1]);
    n = read(fds[0], wrote, max - 1);
    wrote[n > 0 ? n : 0] = '\0';
    drop_emulator_line(wrote);
    close(fds[0]);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return status;
}

static void test_panic_says_one_line_and_aborts(void **state)
{
    char wrote[256];
    int status;

    (void)state;
    status = panic_in_child("slabkit: a line\n", wrote, sizeof(wrote));
    assert_string_equal(wrote, "slabkit: a line\n");
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGABRT);
}

static void test_panic_ends_the_line(void **state)
{
    char wrote[256];

    (void)state;
    panic_in_child("slabkit: no newline", wrote, sizeof(wrote));
    assert_string_equal(wrote, "slabkit: no newline\n");
}

static void test_failing_calls_leave_errno(void **state)
{
    (void)state;
    errno = 4711;
    assert_null(plat_reserve((size_t)1 << 62, PLAT_PAGE_BYTES));
    plat_discard((void *)1, 1);
    assert_int_equal(errno, 4711);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_lock_excludes),
        cmocka_unit_test(test_a_sleeper_is_woken),
        cmocka_unit_test(test_a_reset_lock_is_free),
        cmocka_unit_test(test_a_handler_inside_may_not_enter),
        cmocka_unit_test(test_nesting_belongs_to_the_thread),
        cmocka_unit_test(test_the_clock_goes_on),
        cmocka_unit_test(test_panic_says_one_line_and_aborts),
        cmocka_unit_test(test_panic_ends_the_line),
        cmocka_unit_test(test_failing_calls_leave_errno),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

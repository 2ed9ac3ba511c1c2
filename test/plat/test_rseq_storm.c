/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: a storm of signals whose handlers pop and push themselves, of yields and of migrations,
 *       until enough sections have been aborted: no object is lost or doubled.
 * Owns: held_by as in test_slots_threads.
 */
#define _GNU_SOURCE
#include "arrays.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define THREADS     4u
#define ARRAYS      64u
#define CAP         24u
#define PER_ARRAY   16u
#define OBJECTS     (ARRAYS * PER_ARRAY)
#define IDX         9u
#define ABORTS      200u
#define ROUNDS_MIN  100000u
#define INTERVAL_NS 30000
#define STASH       64u

static struct array arrays[ARRAYS];
static unsigned char held_by[OBJECTS];
static unsigned aborts, signals, faults;

/* What a thread holds, and what its handler holds. */
struct stash {
    unsigned n;
    void *obj[STASH];
};

static struct stash by_thread[THREADS], by_handler[THREADS];
static __thread struct stash *handler_stash;

static void *obj_of(unsigned n)
{
    return &held_by[n];
}

static void holder_change(void *obj, unsigned char from, unsigned char to)
{
    unsigned char *holder = obj;

    if (holder < held_by || holder >= held_by + OBJECTS ||
        __atomic_exchange_n(holder, to, __ATOMIC_RELAXED) != from)
        sk_add_relaxed(&faults, 1);
}

static void pop_one(struct stash *s)
{
    void *obj = NULL;
    enum rseq_result r;

    if (s->n == STASH)
        return;
    r = rseq_pop(IDX, &obj);
    if (r == RSEQ_ABORTED)
        sk_add_relaxed(&aborts, 1);
    if (r != RSEQ_HIT)
        return;
    holder_change(obj, 0, 1);
    s->obj[s->n++] = obj;
}

static void push_one(struct stash *s)
{
    void *obj;
    enum rseq_result r;

    if (s->n == 0)
        return;
    obj = s->obj[s->n - 1];
    holder_change(obj, 1, 0);
    r = rseq_push(PLAT_KIND(IDX, plat_slot()), obj);
    if (r == RSEQ_ABORTED)
        sk_add_relaxed(&aborts, 1);
    if (r == RSEQ_HIT)
        s->n--;
    else
        holder_change(obj, 0, 1);
}

static void on_alarm(int sig)
{
    (void)sig;
    sk_add_relaxed(&signals, 1);
    pop_one(handler_stash);
    pop_one(handler_stash);
    push_one(handler_stash);
    if (handler_stash->n > STASH / 2)
        push_one(handler_stash);
}

static timer_t storm_start(void)
{
    struct itimerspec every = {{0, INTERVAL_NS}, {0, INTERVAL_NS}};
    struct sigevent event = {.sigev_signo = SIGALRM, .sigev_notify = SIGEV_THREAD_ID};
    timer_t timer;

    event._sigev_un._tid = (pid_t)syscall(SYS_gettid);
    if (timer_create(CLOCK_MONOTONIC, &event, &timer) != 0 ||
        timer_settime(timer, 0, &every, NULL) != 0)
        abort();
    return timer;
}

/* To any CPU of those the process may use. */
static void migrate(unsigned to)
{
    static cpu_set_t allowed;
    cpu_set_t one;

    if (CPU_COUNT(&allowed) == 0)
        sched_getaffinity(getpid(), sizeof(allowed), &allowed);
    CPU_ZERO(&one);
    CPU_SET(to % (unsigned)CPU_COUNT(&allowed), &one);
    sched_setaffinity(0, sizeof(one), &one);
}

static bool enough(unsigned round)
{
    return round >= ROUNDS_MIN && sk_load_relaxed(&aborts) >= ABORTS;
}

static void *work(void *arg)
{
    unsigned self = (unsigned)(uintptr_t)arg;
    timer_t timer;

    handler_stash = &by_handler[self];
    plat_slot();
    timer = storm_start();
    for (unsigned round = 0; !enough(round); round++) {
        pop_one(&by_thread[self]);
        if (round % 3 != 0)
            push_one(&by_thread[self]);
        if (round % 64 == 0)
            sched_yield();
        if (round % 512 == self)
            migrate(round / 512 + self);
    }
    timer_delete(timer);
    return NULL;
}

static void count_stash(unsigned *total, const struct stash *s)
{
    for (unsigned i = 0; i < s->n; i++)
        holder_change(s->obj[i], 1, 2);
    *total += s->n;
}

static void count_array(unsigned *total, struct array *r, uintptr_t word)
{
    unsigned n = array_count(r, word);

    assert_true(n <= CAP);
    for (unsigned i = 1; i <= n; i++)
        holder_change(r->a[i], 0, 2);
    *total += n;
}

static unsigned open_arrays(void)
{
    unsigned used = (unsigned)sk_min(plat_nslots(), ARRAYS);

    for (unsigned slot = 0; slot < used; slot++) {
        array_init(&arrays[slot], CAP);
        for (unsigned i = 0; i < PER_ARRAY; i++)
            arrays[slot].a[i + 1] = obj_of(slot * PER_ARRAY + i);
        plat_slot_open(slot, IDX, array_word(&arrays[slot], PER_ARRAY));
    }
    return used;
}

static void test_a_storm_conserves_objects(void **state)
{
    struct sigaction action = {.sa_handler = on_alarm, .sa_flags = SA_RESTART};
    pthread_t threads[THREADS];
    unsigned used = open_arrays(), total = 0;

    (void)state;
    sigaction(SIGALRM, &action, NULL);
    for (unsigned i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, work, (void *)(uintptr_t)i), 0);
    for (unsigned i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    print_message("%u signals, %u aborts\n", signals, aborts);
    for (unsigned slot = 0; slot < used; slot++)
        count_array(&total, &arrays[slot], plat_slot_stop(slot, IDX));
    for (unsigned i = 0; i < THREADS; i++) {
        count_stash(&total, &by_thread[i]);
        count_stash(&total, &by_handler[i]);
    }
    assert_int_equal(faults, 0);
    assert_int_equal(total, used * PER_ARRAY);
    assert_true(signals > 0);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_storm_conserves_objects),
    };

    if (start_plat(argc, argv) == PLAT_MODE_PORTABLE)
        return TEST_SKIPPED;
    return cmocka_run_group_tests(tests, NULL, NULL);
}

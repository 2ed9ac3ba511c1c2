/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: no object is lost or doubled by threads that pop, push, compare and stop; nor by fork.
 * Owns: every object has a holder: 0 while it is in an array, 1 while a thread has it. A change
 *       that does not find what it expects is an object in two places.
 * Why: more threads than CPUs, so that threads are preempted inside primitives.
 */
#define _GNU_SOURCE
#include "arrays.h"

#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

#define THREADS    6u
#define ROUNDS     60000u
#define STOPS      1500u
#define FORKS      20u
#define ARRAYS     3u
#define INDICES    (2 * ARRAYS)
#define SLOTS_USED 8u
#define PER_ARRAY  12u
#define CAP        16u
#define OBJECTS    (SLOTS_USED * INDICES * PER_ARRAY)
#define BATCH      5u
#define HELD_MAX   64u

/* The index of each array; the upper half are those for other slots' objects. */
static const unsigned index_of[INDICES] = {
    0, 1, 2, PLAT_FOREIGN + 0, PLAT_FOREIGN + 1, PLAT_FOREIGN + 2};

static struct array arrays[SLOTS_USED][INDICES];
static struct plat_lock locks[SLOTS_USED][INDICES];
static unsigned char held_by[OBJECTS + 1];
static bool over;
static unsigned faults;

/* Objects are numbers: 1.. are distinct, never NULL, and PLAT_MARK is not among them. */
static void *obj_of(unsigned n)
{
    return (void *)(uintptr_t)(16 + 16 * n);
}

static unsigned number_of(void *obj)
{
    return ((unsigned)(uintptr_t)obj - 16) / 16;
}

static unsigned slots_used(void)
{
    return (unsigned)sk_min(plat_nslots(), SLOTS_USED);
}

static void fault(void)
{
    sk_add_relaxed(&faults, 1);
}

static void holder_change(void *obj, unsigned char from, unsigned char to)
{
    if (number_of(obj) >= OBJECTS ||
        __atomic_exchange_n(&held_by[number_of(obj)], to, __ATOMIC_RELAXED) != from)
        fault();
}

/* ---- workers ------------------------------------------------------------------------------- */

struct worker {
    unsigned seed, n;
    void *held[HELD_MAX];
};

static unsigned draw(struct worker *w, unsigned below)
{
    w->seed = w->seed * 1103515245u + 12345u;
    return (w->seed >> 16) % below;
}

static void take(struct worker *w, void *obj)
{
    holder_change(obj, 0, 1);
    w->held[w->n++] = obj;
}

static void do_pop(struct worker *w, unsigned i)
{
    unsigned idx = index_of[i];
    void *obj;

    if (w->n == HELD_MAX)
        return;
    obj = draw(w, 2) && idx < ARRAYS ? plat_slot_pop(idx) : plat_slot_pop_retry(idx);
    if (obj != NULL)
        take(w, obj);
}

static void do_push(struct worker *w, unsigned i)
{
    uint32_t kind = PLAT_KIND(i % ARRAYS, draw(w, slots_used()));
    void *obj;

    if (w->n == 0)
        return;
    obj = w->held[w->n - 1];
    holder_change(obj, 1, 0);
    if (draw(w, 2) ? plat_slot_push(kind, obj) : plat_slot_push_retry(index_of[i], obj))
        w->n--;
    else
        holder_change(obj, 0, 1);
}

static void do_pop_n(struct worker *w, unsigned i)
{
    void *out[BATCH];
    unsigned n = plat_slot_pop_n(index_of[i], out, (unsigned)sk_min(BATCH, HELD_MAX - w->n));

    for (unsigned k = 0; k < n; k++)
        take(w, out[k]);
}

static void do_push_n(struct worker *w, unsigned idx)
{
    unsigned n = (unsigned)sk_min(BATCH, w->n), done;
    void **from = w->held + w->n - n;

    for (unsigned i = 0; i < n; i++)
        holder_change(from[i], 1, 0);
    done = plat_slot_push_n(index_of[idx], from, n);
    for (unsigned i = done; i < n; i++)
        holder_change(from[i], 0, 1);
    memmove(from, from + done, (n - done) * sizeof(*from));
    w->n -= done;
}

/* Nobody else is in the array now: what it holds is held by nobody, and what is above is free. */
static void check_closed(unsigned slot, unsigned idx, uintptr_t word)
{
    struct array *r = &arrays[slot][idx];
    unsigned n = array_count(r, word);

    if (n > CAP || r->a[0] != NULL || r->a[CAP + 1] != PLAT_MARK) {
        fault();
        return;
    }
    for (unsigned i = 1; i <= n; i++)
        if (sk_load_relaxed(&held_by[number_of(r->a[i])]) != 0)
            fault();
    if (sk_load_relaxed(plat_slot_word(slot, index_of[idx])) != 0)
        fault();
}

/* Closes this thread's array by compare, looks, turns it round, and opens it again. */
static void do_cas(struct worker *w, unsigned idx)
{
    unsigned slot = plat_slot();
    uintptr_t word;

    (void)w;
    if (slot >= SLOTS_USED || !plat_trylock(&locks[slot][idx]))
        return;
    word = sk_load_acquire(plat_slot_word(slot, index_of[idx]));
    if (word != 0 && plat_slot_cas(slot, index_of[idx], word, 0)) {
        check_closed(slot, idx, word);
        plat_slot_open(slot, index_of[idx], word);
    }
    plat_unlock(&locks[slot][idx]);
}

static void *work(void *arg)
{
    static void (*const deeds[])(struct worker *, unsigned) = {
        do_pop, do_push, do_pop, do_push, do_pop_n, do_push_n, do_push_n, do_pop_n, do_cas};
    struct worker *w = arg;

    for (unsigned i = 0; i < ROUNDS || !sk_load_relaxed(&over); i++)
        deeds[draw(w, SK_ARRAY_SIZE(deeds))](w, draw(w, INDICES));
    return NULL;
}

/* ---- the stopper --------------------------------------------------------------------------- */

static void reverse(struct array *r, unsigned n)
{
    for (unsigned i = 1, j = n; i < j; i++, j--) {
        void *t = r->a[i];

        r->a[i] = r->a[j];
        r->a[j] = t;
    }
}

static void stop_and_reopen(unsigned slot)
{
    uintptr_t words[INDICES];

    for (unsigned i = 0; i < INDICES; i++)
        plat_lock(&locks[slot][i]);
    plat_slot_stop_many(slot, index_of, words, INDICES);
    for (unsigned i = 0; i < INDICES; i++)
        check_closed(slot, i, words[i]);
    for (unsigned i = 0; i < INDICES; i++) {
        reverse(&arrays[slot][i], array_count(&arrays[slot][i], words[i]));
        plat_slot_open(slot, index_of[i], words[i]);
        plat_unlock(&locks[slot][i]);
    }
}

/* ---- the tests ----------------------------------------------------------------------------- */

static void fill(void)
{
    unsigned n = 0;

    for (unsigned slot = 0; slot < slots_used(); slot++)
        for (unsigned idx = 0; idx < INDICES; idx++) {
            struct array *r = &arrays[slot][idx];

            array_init(r, CAP);
            for (unsigned i = 1; i <= PER_ARRAY; i++)
                r->a[i] = obj_of(n++);
            plat_slot_open(slot, index_of[idx], array_word(r, PER_ARRAY));
        }
}

/* Counts each object that an array or a worker has. */
static void count_array(unsigned char *seen, struct array *r, uintptr_t word)
{
    for (unsigned i = 1; i <= array_count(r, word); i++)
        seen[number_of(r->a[i])]++;
}

static void run(void (*meanwhile)(void))
{
    static struct worker workers[THREADS];
    unsigned char seen[OBJECTS] = {0};
    pthread_t threads[THREADS];

    memset(held_by, 0, sizeof(held_by));
    memset(workers, 0, sizeof(workers));
    faults = 0;
    over = false;
    fill();
    for (unsigned i = 0; i < THREADS; i++) {
        workers[i].seed = i + 1;
        assert_int_equal(pthread_create(&threads[i], NULL, work, &workers[i]), 0);
    }
    meanwhile();
    sk_store_relaxed(&over, true);
    for (unsigned i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    for (unsigned slot = 0; slot < slots_used(); slot++)
        for (unsigned idx = 0; idx < INDICES; idx++)
            count_array(seen, &arrays[slot][idx], plat_slot_stop(slot, index_of[idx]));
    for (unsigned i = 0; i < THREADS; i++)
        for (unsigned k = 0; k < workers[i].n; k++)
            seen[number_of(workers[i].held[k])]++;
    assert_int_equal(faults, 0);
    for (unsigned n = 0; n < slots_used() * INDICES * PER_ARRAY; n++)
        assert_int_equal(seen[n], 1);
}

static void nothing(void)
{
}

static void stop_often(void)
{
    for (unsigned i = 0; i < STOPS; i++)
        stop_and_reopen(i % slots_used());
}

/* In the child: no object is in two arrays, or in an array and in a parent's thread. */
static int look_in_child(void)
{
    unsigned char seen[OBJECTS] = {0};

    plat_fork_child();
    faults = 0;
    for (unsigned slot = 0; slot < slots_used(); slot++)
        for (unsigned idx = 0; idx < INDICES; idx++)
            count_array(seen, &arrays[slot][idx], plat_slot_stop(slot, index_of[idx]));
    for (unsigned n = 0; n < OBJECTS; n++)
        if (seen[n] > 1)
            fault();
    array_init(&arrays[0][0], CAP);
    plat_slot_open(plat_slot(), INDICES, array_word(&arrays[0][0], 0));
    for (unsigned i = 0; i < 100; i++)
        if (plat_slot_push_retry(INDICES, obj_of(1)) && plat_slot_pop_retry(INDICES) == NULL)
            fault();
    return faults == 0 ? 0 : 1;
}

/* Between prepare and parent no word changes, whatever the threads try. */
static void watch_frozen(uintptr_t *words)
{
    for (unsigned slot = 0; slot < slots_used(); slot++)
        for (unsigned idx = 0; idx < INDICES; idx++) {
            uintptr_t now = sk_load_acquire(plat_slot_word(slot, index_of[idx]));

            if (words[slot * INDICES + idx] != 0 && words[slot * INDICES + idx] != now)
                fault();
            words[slot * INDICES + idx] = now;
        }
}

static void fork_once(void)
{
    uintptr_t words[SLOTS_USED * INDICES] = {0};
    int status;
    pid_t pid;

    plat_fork_prepare();
    watch_frozen(words);
    pid = fork();
    if (pid == 0)
        _exit(look_in_child());
    watch_frozen(words);
    plat_fork_parent();
    if (waitpid(pid, &status, 0) != pid || status != 0)
        fault();
}

/* do_cas opens words under its lock, prepare does not wait for that: so take all the locks, as the
 * layer above does. */
static void fork_often(void)
{
    for (unsigned i = 0; i < FORKS; i++) {
        for (unsigned k = 0; k < SLOTS_USED * INDICES; k++)
            plat_lock(&locks[k / INDICES][k % INDICES]);
        fork_once();
        for (unsigned k = 0; k < SLOTS_USED * INDICES; k++)
            plat_unlock(&locks[k / INDICES][k % INDICES]);
    }
}

static void test_threads_conserve_objects(void **state)
{
    (void)state;
    run(nothing);
}

static void test_stops_meanwhile(void **state)
{
    (void)state;
    run(stop_often);
}

static void test_forks_meanwhile(void **state)
{
    (void)state;
    run(fork_often);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_threads_conserve_objects),
        cmocka_unit_test(test_stops_meanwhile),
        cmocka_unit_test(test_forks_meanwhile),
    };

    start_plat(argc, argv);
    return cmocka_run_group_tests(tests, NULL, NULL);
}

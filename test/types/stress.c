/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: the oracle of types: what many threads allocate and free of many types, on each other's
 *       behalf, through thread deaths and forks, is what the figures say: difference 0.
 * Owns: a shadow count per type, kept with atomic additions around the calls.
 *
 * usage: stress [OPERATIONS_A_THREAD]
 */
#include "../slab/fixture.h"
#include <slabkit/kmalloc.h>

#include <pthread.h>

#define TYPES   64u
#define THREADS 8u
#define PHASES  4u
#define LIVES   4u /* threads that one after the other do a thread's share */
#define CELLS   4096u
#define FORKS   3u

static unsigned long operations = 20000;
static struct malloc_type *types[TYPES];

/* What each type should say. */
static struct shadow {
    uint64_t calls;
    int64_t inuse, memuse;
} shadow[TYPES];

/* Blocks in passing: a thread puts one in, and takes out what lay there. */
struct block {
    uint32_t type, size;
    uint64_t stamp;
};
static struct block *cells[CELLS];
static unsigned faults;

static void count(unsigned type, int sign, const void *p)
{
    if (sign > 0)
        sk_add_relaxed(&shadow[type].calls, 1);
    sk_add_relaxed(&shadow[type].inuse, sign);
    sk_add_relaxed(&shadow[type].memuse, sign * (int64_t)kmalloc_usable_size(p));
}

static size_t draw_size(uint64_t *seed)
{
    switch (draw(seed, 64)) {
    case 0:
        return 32768 + draw(seed, 200000);
    case 1:
    case 2:
        return 1024 + draw(seed, 31000);
    default:
        return sizeof(struct block) + draw(seed, 500);
    }
}

static struct block *make(uint64_t *seed)
{
    unsigned type = draw(seed, TYPES);
    size_t size = draw_size(seed);
    struct block *b = kmalloc(size, types[type], M_WAITOK | (draw(seed, 8) ? 0 : M_ZERO));

    b->type = type;
    b->size = (uint32_t)size;
    b->stamp = size * 0x9e3779b97f4a7c15ull + type;
    count(type, 1, b);
    return b;
}

static void check(const struct block *b)
{
    if (b->stamp != b->size * 0x9e3779b97f4a7c15ull + b->type)
        sk_add_relaxed(&faults, 1);
}

static void drop(struct block *b)
{
    unsigned type = b->type;

    check(b);
    count(type, -1, b);
    kfree(b, types[type]);
}

static struct block *resize(struct block *b, uint64_t *seed)
{
    size_t size = draw_size(seed), type = b->type;
    struct block *q;

    check(b);
    count(b->type, -1, b);
    /* Whether it moved, and so was another call, only the figures know. */
    q = krealloc(b, size, types[type], M_WAITOK);
    sk_add_relaxed(&shadow[type].inuse, 1);
    sk_add_relaxed(&shadow[type].memuse, (int64_t)kmalloc_usable_size(q));
    q->size = (uint32_t)size;
    q->stamp = size * 0x9e3779b97f4a7c15ull + type;
    return q;
}

static void step(uint64_t *seed, bool resizes)
{
    struct block **cell = &cells[draw(seed, CELLS)];
    struct block *b = draw(seed, 4) ? make(seed) : NULL;

    b = __atomic_exchange_n(cell, b, __ATOMIC_ACQ_REL);
    if (b && resizes && draw(seed, 4) == 0)
        b = __atomic_exchange_n(cell, resize(b, seed), __ATOMIC_ACQ_REL);
    if (b)
        drop(b);
}

static bool resizing;

static void *life(void *arg)
{
    uint64_t seed = *(uint64_t *)arg;

    for (unsigned long i = 0; i < operations / PHASES / LIVES; i++)
        step(&seed, resizing);
    *(uint64_t *)arg = seed;
    return NULL;
}

static void *lives(void *arg)
{
    for (unsigned i = 0; i < LIVES; i++) {
        pthread_t thread;

        if (pthread_create(&thread, NULL, life, arg) != 0)
            abort();
        pthread_join(thread, NULL);
    }
    return NULL;
}

static void run(uint64_t phase)
{
    pthread_t threads[THREADS];
    uint64_t seeds[THREADS];

    for (unsigned i = 0; i < THREADS; i++) {
        seeds[i] = phase * THREADS + i + 1;
        assert_int_equal(pthread_create(&threads[i], NULL, lives, &seeds[i]), 0);
    }
    for (unsigned i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
}

/* ---- quiet points ----------------------------------------------------------------------------- */

/* How many figures differ. */
static unsigned differences(bool calls_too)
{
    unsigned n = 0;

    for (unsigned i = 0; i < TYPES; i++) {
        struct malloc_type_stats s;

        malloc_type_stats(types[i], &s);
        n += calls_too && s.calls != shadow[i].calls;
        n += s.inuse != shadow[i].inuse;
        n += s.memuse != shadow[i].memuse;
        n += s.peak < s.memuse;
    }
    return n;
}

static void drop_all(void)
{
    for (unsigned i = 0; i < CELLS; i++)
        if (cells[i])
            drop(__atomic_exchange_n(&cells[i], NULL, __ATOMIC_ACQ_REL));
}

/* The child counts on from where its parent was, by itself. */
static int child(void)
{
    uint64_t seed = 99;

    if (differences(!resizing))
        return 1;
    for (unsigned i = 0; i < 5000; i++)
        step(&seed, false);
    if (differences(!resizing))
        return 2;
    drop_all();
    return differences(!resizing) || faults ? 3 : 0;
}

static void expect_child(pid_t pid)
{
    int status;

    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

static void fork_at_rest(void)
{
    pid_t pid = fork();

    if (pid == 0)
        _exit(child());
    expect_child(pid);
}

/* Amid threads the child cannot know what they held; it counts what it does itself. */
static int child_amid(void)
{
    struct malloc_type *mine = malloc_type_create("child", "", 0);
    struct malloc_type_stats s;
    uint64_t bytes = 0;
    void *p[500];

    for (unsigned i = 0; i < 500; i++) {
        p[i] = kmalloc(i + 1, mine, M_WAITOK);
        bytes += kmalloc_usable_size(p[i]);
        kfree(kmalloc(64, types[i % TYPES], M_WAITOK), types[i % TYPES]);
    }
    malloc_type_stats(mine, &s);
    if (s.inuse != 500 || s.memuse != (int64_t)bytes)
        return 1;
    for (unsigned i = 0; i < 500; i++)
        kfree(p[i], mine);
    return malloc_type_destroy(mine) == 0 ? 0 : 2;
}

static bool over;

static void *forker(void *arg)
{
    (void)arg;
    for (unsigned i = 0; i < FORKS || !sk_load_acquire(&over); i++) {
        pid_t pid = fork();
        int status = 0;

        if (pid == 0)
            _exit(child_amid());
        if (waitpid(pid, &status, 0) != pid || status != 0)
            sk_add_relaxed(&faults, 1);
        usleep(2000);
    }
    return NULL;
}

/* ---- tests ------------------------------------------------------------------------------------ */

static void test_difference_0(void **state)
{
    (void)state;
    for (unsigned phase = 0; phase < PHASES; phase++) {
        run(phase);
        assert_int_equal(differences(true), 0);
    }
#ifndef SLABKIT_NO_REPLACE
    fork_at_rest();
#endif
    drop_all();
    assert_int_equal(differences(true), 0);
    assert_int_equal(faults, 0);
}

static void test_resizing_and_forks(void **state)
{
    pthread_t thread;

    (void)state;
    resizing = true;
#ifndef SLABKIT_NO_REPLACE
    pthread_create(&thread, NULL, forker, NULL);
#endif
    run(100);
#ifndef SLABKIT_NO_REPLACE
    sk_store_release(&over, true);
    pthread_join(thread, NULL);
    fork_at_rest();
#else
    (void)thread;
    (void)forker;
    (void)fork_at_rest;
#endif
    assert_int_equal(differences(false), 0);
    drop_all();
    assert_int_equal(differences(false), 0);
    assert_int_equal(faults, 0);
    assert_int_equal(slabkit_verify(), 0);
}

static int make_types(void **state)
{
    char name[16];

    (void)state;
    for (unsigned i = 0; i < TYPES; i++) {
        snprintf(name, sizeof(name), "type-%u", i);
        types[i] = malloc_type_create(name, "one of many", 0);
        if (!types[i])
            return -1;
    }
    return 0;
}

static int drop_types(void **state)
{
    (void)state;
    for (unsigned i = 0; i < TYPES; i++)
        if (malloc_type_destroy(types[i]) != 0)
            return -1;
    return 0;
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_difference_0),
        cmocka_unit_test(test_resizing_and_forks),
    };

    if (argc > 1)
        operations = sk_max(strtoul(argv[1], NULL, 10), PHASES * LIVES);
    return cmocka_run_group_tests(tests, make_types, drop_types);
}

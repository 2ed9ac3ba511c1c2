/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: limits: never exceeded by a byte, never refused while there is room, also with many threads
 *       at the limit; waiting, what ends it, and soft limits.
 */
#include "../slab/fixture.h"
#include <slabkit/kmalloc.h>

#include <errno.h>
#include <pthread.h>

#define KIB     ((size_t)1 << 10)
#define MIB     ((size_t)1 << 20)
#define THREADS 8u
#define ROUNDS  30000u

static struct malloc_type *type;

static struct malloc_type_stats stats(void)
{
    struct malloc_type_stats s;

    malloc_type_stats(type, &s);
    return s;
}

static int make_type(void **state)
{
    (void)state;
    type = malloc_type_create("bounded", "", 0);
    return type == NULL;
}

static int drop_type(void **state)
{
    (void)state;
    return malloc_type_destroy(type);
}

/* ---- one thread ------------------------------------------------------------------------------- */

static void test_to_the_byte(void **state)
{
    static void *p[1024];

    (void)state;
    assert_true(kmalloc_limit(type) == KMALLOC_NO_LIMIT);
    kmalloc_raise_limit(type, 1000 * 64);
    assert_int_equal(kmalloc_limit(type), 1000 * 64);
    for (unsigned round = 0; round < 3; round++) {
        unsigned n = 0;

        while ((p[n] = kmalloc(64, type, M_WAITOK | M_NULLOK)) != NULL)
            n++;
        assert_int_equal(errno, ENOMEM);
        assert_int_equal(n, 1000);
        assert_int_equal(stats().memuse, 1000 * 64);
        assert_int_equal(stats().failures, round + 1);
        while (n)
            kfree(p[--n], type);
    }
    assert_int_equal(stats().peak, 1000 * 64);
}

static void test_lowered_and_raised(void **state)
{
    void *p = kmalloc(10 * KIB, type, M_WAITOK), *q;

    (void)state;
    kmalloc_raise_limit(type, 5 * KIB);
    assert_null(kmalloc(8, type, M_NOWAIT));
    assert_null(kmalloc(8, type, M_RNOWAIT));
    kmalloc_raise_limit(type, 11 * KIB);
    q = kmalloc(1 * KIB, type, M_RNOWAIT);
    assert_non_null(q);
    assert_null(kmalloc(8, type, M_RNOWAIT));
    kmalloc_raise_limit(type, KMALLOC_NO_LIMIT);
    kfree(q, type);
    q = kmalloc(5 * MIB, type, M_RNOWAIT);
    assert_non_null(q);
    kfree(q, type);
    kfree(p, type);
}

static void test_reserve(void **state)
{
    void *p, *q;

    (void)state;
    kmalloc_raise_limit(type, 64 * KIB);
    p = kmalloc(64 * KIB, type, M_RNOWAIT);
    assert_non_null(p);
    assert_null(kmalloc(1 * KIB, type, M_RNOWAIT));
    q = kmalloc(4 * KIB, type, M_RNOWAIT | M_USE_RESERVE);
    assert_non_null(q);
    assert_null(kmalloc(8, type, M_RNOWAIT | M_USE_RESERVE));
    kfree(p, type);
    kfree(q, type);
}

/* ---- at the limit, with many threads ---------------------------------------------------------- */

static int64_t counted; /* atomic: bytes that threads hold, or are about to give back */
static int64_t most;    /* atomic */
static uint64_t got, refused;

static void note_most(int64_t now)
{
    int64_t seen = sk_load_relaxed(&most);

    while (now > seen && !sk_cas_relaxed(&most, &seen, now))
        ;
}

static void *press(void *arg)
{
    void *held[64] = {NULL};
    uint64_t seed = (uintptr_t)arg, mine = 0, none = 0;

    for (unsigned i = 0; i < ROUNDS; i++) {
        unsigned at = draw(&seed, 64);
        size_t size = 16u + 16u * draw(&seed, 20);

        if (i % 64 == 0)
            sched_yield();
        if (held[at]) {
            sk_sub_relaxed(&counted, (int64_t)kmalloc_usable_size(held[at]));
            kfree(held[at], type);
            held[at] = NULL;
        } else if ((held[at] = kmalloc(size, type, M_WAITOK | M_NULLOK)) != NULL) {
            int64_t bytes = (int64_t)kmalloc_usable_size(held[at]);

            note_most(sk_add_relaxed(&counted, bytes) + bytes);
            mine++;
        } else {
            none++;
        }
    }
    for (unsigned at = 0; at < 64; at++)
        if (held[at]) {
            sk_sub_relaxed(&counted, (int64_t)kmalloc_usable_size(held[at]));
            kfree(held[at], type);
        }
    sk_add_relaxed(&got, mine);
    sk_add_relaxed(&refused, none);
    return NULL;
}

static void run(void *(*fn)(void *))
{
    pthread_t threads[THREADS];

    for (uintptr_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, fn, (void *)(i + 1)), 0);
    for (unsigned i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
}

/* What threads count, after they have it and before they give it back, is never more than is in use:
 * so it may not exceed the limit either. */
static void test_never_exceeded(void **state)
{
    const size_t limit = 12 * KIB;

    (void)state;
    kmalloc_raise_limit(type, limit);
    run(press);
    print_message("got %lu, refused %lu, most %ld of %zu\n", got, refused, most, limit);
    assert_true(refused > 100);
    assert_true(most <= (int64_t)limit);
    assert_true(stats().peak <= (int64_t)limit);
    assert_int_equal(counted, 0);
    assert_int_equal(stats().inuse, 0);
    assert_int_equal(stats().memuse, 0);
    assert_int_equal(stats().calls, got);
    assert_int_equal(stats().failures, refused);
}

static void *wait_and_free(void *arg)
{
    (void)arg;
    for (unsigned i = 0; i < ROUNDS / 50; i++) {
        void *p = kmalloc(1000, type, M_WAITOK);

        if (!p)
            abort();
        sched_yield();
        kfree(p, type);
    }
    return NULL;
}

/* Room for two, and eight who want one each: all get theirs in the end, without the handler. */
static void test_waiting_ends_when_memory_is_freed(void **state)
{
    (void)state;
    kmalloc_raise_limit(type, 2 * 1024);
    run(wait_and_free);
    print_message("%lu waited\n", stats().waits);
    assert_true(stats().waits > 0);
    assert_int_equal(stats().calls, THREADS * (ROUNDS / 50));
    assert_int_equal(stats().inuse, 0);
    assert_int_equal(stats().failures, 0);
    assert_true(stats().peak <= 2 * 1024);
}

/* ---- waiting in vain -------------------------------------------------------------------------- */

static unsigned asked;

static enum malloc_full decide(struct malloc_type *t, size_t size, void *arg)
{
    void **held = arg;

    assert_ptr_equal(t, type);
    assert_int_equal(size, 100);
    if (++asked == 1)
        return MALLOC_FULL_WAIT;
    if (asked == 3) {
        kfree(*held, t);
        return MALLOC_FULL_WAIT;
    }
    return MALLOC_FULL_NULL;
}

static void test_the_handler_decides(void **state)
{
    void *held = kmalloc(1 * KIB, type, M_WAITOK), *p;

    (void)state;
    asked = 0;
    kmalloc_raise_limit(type, 1 * KIB);
    kmalloc_on_full(type, 20, decide, &held);
    assert_null(kmalloc(100, type, M_WAITOK));
    assert_int_equal(asked, 2);
    assert_int_equal(stats().failures, 1);
    assert_int_equal(stats().waits, 1);
    p = kmalloc(100, type, M_WAITOK);
    assert_non_null(p);
    assert_int_equal(asked, 3);
    kfree(p, type);
}

static void wait_for_ever(void *arg)
{
    (void)arg;
    kmalloc_raise_limit(type, 1 * KIB);
    kmalloc_on_full(type, 20, NULL, NULL);
    kmalloc(2 * KIB, type, M_WAITOK);
}

static void test_without_a_handler_it_panics(void **state)
{
    (void)state;
    expect_death(wait_for_ever, NULL,
                 "slabkit: type bounded: an allocation of 2048 bytes waited in vain\n");
}

/* ---- soft limits ------------------------------------------------------------------------------ */

static unsigned crossed;
static size_t crossed_at;

/* Callbacks may allocate, also of this type. */
static void on_soft(struct malloc_type *t, size_t inuse_bytes, void *arg)
{
    assert_ptr_equal(arg, &crossed);
    crossed++;
    crossed_at = inuse_bytes;
    kfree(kmalloc(64, t, M_WAITOK), t);
}

static void test_soft_limit(void **state)
{
    static void *p[200];

    (void)state;
    crossed = 0;
    kmalloc_soft_limit(type, 100 * 64, on_soft, &crossed);
    for (unsigned round = 0; round < 5; round++) {
        for (unsigned i = 0; i < 100; i++)
            p[i] = kmalloc(64, type, M_WAITOK);
        assert_int_equal(crossed, round);
        for (unsigned i = 100; i < 200; i++)
            p[i] = kmalloc(64, type, M_WAITOK);
        assert_int_equal(crossed, round + 1);
        assert_int_equal(crossed_at, 101 * 64);
        for (unsigned i = 0; i < 200; i++)
            kfree(p[i], type);
    }
    kmalloc_soft_limit(type, 0, NULL, NULL);
    kfree(kmalloc(1 * MIB, type, M_WAITOK), type);
    assert_int_equal(crossed, 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_to_the_byte, make_type, drop_type),
        cmocka_unit_test_setup_teardown(test_lowered_and_raised, make_type, drop_type),
        cmocka_unit_test_setup_teardown(test_reserve, make_type, drop_type),
        cmocka_unit_test_setup_teardown(test_never_exceeded, make_type, drop_type),
        cmocka_unit_test_setup_teardown(test_waiting_ends_when_memory_is_freed, make_type,
                                        drop_type),
        cmocka_unit_test_setup_teardown(test_the_handler_decides, make_type, drop_type),
        cmocka_unit_test_setup_teardown(test_without_a_handler_it_panics, make_type, drop_type),
        cmocka_unit_test_setup_teardown(test_soft_limit, make_type, drop_type),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

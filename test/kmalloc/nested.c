/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: calls that interrupted a slow path of their own thread: served without a lock, from
 *       arrays or the arena, with frees put off until the next slow path; then everything comes
 *       home.
 * Why: inside plat_enter with every lock of the engine held is what such a handler finds.
 */
#include "fixture.h"

#include "kmalloc/types.h"

#include <pthread.h>

#define MANY 40u

static bool held;

static void hold_everything(void)
{
    assert_true(plat_enter());
    held = true;
    pcpu_fork_prepare();
    region_fork_prepare();
    meta_fork_prepare();
}

static void let_go(void)
{
    meta_fork_parent();
    region_fork_parent();
    pcpu_fork_parent();
    plat_leave();
    held = false;
}

/* After a failed assertion, so that the next test does not wait for ever. */
static int tear_down(void **state)
{
    (void)state;
    if (held)
        let_go();
    return 0;
}

static uint64_t deferred(void)
{
    struct km_stats s;

    km_get_stats(&s);
    return s.deferred_frees;
}

/* Any slow path that is not nested frees what waits. */
static void run_what_waits(void)
{
    km_free(km_alloc(KM_MEDIUM_MAX + 1));
}

static void test_alloc_and_free(void **state)
{
    static const size_t sizes[] = {0, 1, 8, 24, 100, 1000, 3000, 20000};
    void *p[SK_ARRAY_SIZE(sizes)];

    (void)state;
    hold_everything();
    for (unsigned i = 0; i < SK_ARRAY_SIZE(sizes); i++) {
        p[i] = km_alloc(sizes[i]);
        assert_non_null(p[i]);
        assert_true(km_usable(p[i], "test") >= sizes[i]);
        stamp(p[i], sizes[i], i);
    }
    for (unsigned i = 0; i < SK_ARRAY_SIZE(sizes); i++)
        assert_true(stamp_holds(p[i], sizes[i], i));
    for (unsigned i = 0; i < SK_ARRAY_SIZE(sizes) / 2; i++)
        km_free(p[i]);
    let_go();
    for (unsigned i = SK_ARRAY_SIZE(sizes) / 2; i < SK_ARRAY_SIZE(sizes); i++) {
        assert_true(stamp_holds(p[i], sizes[i], i));
        km_free(p[i]);
    }
    run_what_waits();
    expect_all_free();
}

/* Blocks of before, freed inside: put off, then freed. */
static void test_frees_of_other_blocks(void **state)
{
    void *small[MANY], *large = km_alloc(200 * KIB), *huge = km_alloc(KM_HUGE_MIN);
    uint64_t before;

    (void)state;
    for (unsigned i = 0; i < MANY; i++)
        small[i] = km_alloc(3000);
    before = deferred();
    hold_everything();
    for (unsigned i = 0; i < MANY; i++)
        km_free(small[i]);
    km_free(large);
    km_free(huge);
    let_go();
    assert_true(deferred() >= before + 2);
    run_what_waits();
    expect_all_free();
}

static void test_alignment(void **state)
{
    void *p[64];
    unsigned n = 0;

    (void)state;
    km_free(km_alloc(8)); /* its array has some: aligned to 8 only */
    hold_everything();
    for (unsigned round = 0; round < 4; round++)
        for (size_t align = 8; align <= 4096; align *= 2) {
            p[n] = km_alloc_aligned(align == 4096 ? 100 : 8, align);
            assert_non_null(p[n]);
            assert_int_equal((uintptr_t)p[n] % align, 0);
            n++;
            stamp(p[n - 1], 8, n);
        }
    let_go();
    while (n) {
        n--;
        assert_true(stamp_holds(p[n], 8, n + 1));
        km_free(p[n]);
    }
    run_what_waits();
    expect_all_free();
}

static void test_zeroed_and_resized(void **state)
{
    char *p, *z;

    (void)state;
    for (unsigned round = 0; round < 20; round++) {
        hold_everything();
        z = km_zalloc(600);
        assert_true(is_zero(z, 600));
        memset(z, 0xaa, 600);
        p = km_alloc(100);
        stamp(p, 100, 5);
        p = km_realloc(p, 700);
        assert_true(prefix_holds(p, 100, 100, 5));
        let_go();
        p = km_realloc(p, 100 * KIB);
        assert_true(prefix_holds(p, 100, 100, 5));
        km_free(p);
        km_free(z);
    }
    run_what_waits();
    expect_all_free();
}

/* Refused, not blocked: what only a lock or the system could give. */
static void test_limits(void **state)
{
    unsigned n = 0;
    static void *p[9000];

    (void)state;
    hold_everything();
    assert_null(km_alloc(100 * MIB));
    assert_null(km_alloc(SIZE_MAX));
    for (; n < 9000 && (p[n] = km_alloc(40000)) != NULL; n++)
        stamp(p[n], 40000, n + 1);
    assert_in_range(n, 10, 8999);
    assert_int_equal(km_trim(0), 0);
    let_go();
    while (n) {
        n--;
        assert_true(stamp_holds(p[n], 40000, n + 1));
        km_free(p[n]);
    }
    run_what_waits();
    expect_all_free();
}

/* ---- types ------------------------------------------------------------------------ */

static const size_t typed_sizes[] = {1, 8, 20, 100, 130, 1100, 3000, 20000, 300 * KIB};
#define TYPED SK_ARRAY_SIZE(typed_sizes)

static struct malloc_type_stats stats_of(struct type *t)
{
    struct malloc_type_stats s;

    type_stats(t, &s);
    return s;
}

static void free_all(struct type *t, void **p, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        type_free(t, p[i]);
}

/* What the arena gives costs what is given back for it later. */
static void test_types_count_exactly(void **state)
{
    enum type_error error;
    struct type *t = type_make("nested", "", 0, &error);
    void *p[TYPED];
    int64_t usable = 0;

    (void)state;
    for (unsigned round = 0; round < 4; round++, usable = 0) {
        hold_everything();
        for (unsigned i = 0; i < TYPED; i++) {
            p[i] = type_alloc(t, typed_sizes[i], 1, M_NOWAIT, false, NULL);
            assert_non_null(p[i]);
            usable += (int64_t)km_usable(p[i], "test");
        }
        if (round % 2)
            free_all(t, p, TYPED);
        let_go();
        assert_int_equal(stats_of(t).memuse, round % 2 ? 0 : usable);
        assert_int_equal(stats_of(t).inuse, round % 2 ? 0 : TYPED);
        if (round % 2 == 0)
            free_all(t, p, TYPED);
        assert_int_equal(stats_of(t).memuse, 0);
        assert_int_equal(stats_of(t).calls, (round + 1) * TYPED);
    }
    run_what_waits();
    type_unmake(t);
    expect_all_free();
}

static void test_a_limit_holds(void **state)
{
    enum type_error error;
    struct type *t = type_make("limited", "", 0, &error);
    void *p[20];
    unsigned n = 0;

    (void)state;
    type_set_limit(t, 10 * 112);
    hold_everything();
    while (n < 20 && (p[n] = type_alloc(t, 100, 1, M_NOWAIT, false, NULL)) != NULL)
        n++;
    let_go();
    assert_int_equal(n, 10);
    assert_int_equal(stats_of(t).failures, 1);
    hold_everything();
    free_all(t, p, n);
    let_go();
    assert_int_equal(stats_of(t).memuse, 0);
    run_what_waits();
    type_unmake(t);
    expect_all_free();
}

/* A block that nobody could know again is not given. */
static void test_tracked_types(void **state)
{
    enum type_error error;
    struct type *t = type_make("tracked", "", MT_TRACK, &error);
    void *first = type_alloc(t, 100, 1, M_WAITOK, false, NULL), *p;

    (void)state;
    type_free(t, first); /* its array holds some, and its slab has tags */
    hold_everything();
    assert_null(type_alloc(t, 5000, 1, M_NOWAIT, false, NULL));
    p = type_alloc(t, 100, 1, M_NOWAIT, false, NULL);
    assert_non_null(p);
    type_free(t, p);
    p = type_alloc(t, 100, 1, M_NOWAIT, false, NULL);
    let_go();
    assert_int_equal(stats_of(t).inuse, 1);
    type_free(t, p);
    assert_int_equal(stats_of(t).inuse, 0);
    assert_int_equal(stats_of(t).memuse, 0);
    run_what_waits();
}

/* ---- many threads at the arena's end -------------------------------------------- */

#define THREADS 4u
#define EACH    600u
#define ROUNDS  20u

static unsigned faults;
static pthread_barrier_t barrier;

static void fill_and_check(uint64_t *seed, uint64_t who)
{
    void *p[EACH];
    size_t size[EACH];
    unsigned n = 0;

    plat_enter();
    for (unsigned i = 0; i < EACH; i++) {
        size[n] = 1 + draw(seed, 20000);
        p[n] = nested_alloc(size[n], 1, 0);
        if (p[n])
            stamp(p[n], size[n], who + n), n++;
    }
    for (unsigned i = 0; i < n; i++)
        if (!stamp_holds(p[i], size[i], who + i))
            sk_add_relaxed(&faults, 1);
    plat_leave();
    for (unsigned i = 0; i < n; i++)
        km_free(p[i]);
}

static void *arena_user(void *arg)
{
    uint64_t who = (uintptr_t)arg, seed = who;

    for (unsigned round = 0; round < ROUNDS; round++) {
        pthread_barrier_wait(&barrier);
        fill_and_check(&seed, who << 32);
    }
    return NULL;
}

static void test_threads_share_the_arena(void **state)
{
    pthread_t threads[THREADS];

    (void)state;
    pthread_barrier_init(&barrier, NULL, THREADS);
    for (uintptr_t i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, arena_user, (void *)(i + 1));
    for (unsigned i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    pthread_barrier_destroy(&barrier);
    assert_int_equal(faults, 0);
    run_what_waits();
    expect_all_free();
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_alloc_and_free, tear_down),
        cmocka_unit_test_teardown(test_frees_of_other_blocks, tear_down),
        cmocka_unit_test_teardown(test_alignment, tear_down),
        cmocka_unit_test_teardown(test_zeroed_and_resized, tear_down),
        cmocka_unit_test_teardown(test_limits, tear_down),
        cmocka_unit_test_teardown(test_types_count_exactly, tear_down),
        cmocka_unit_test_teardown(test_a_limit_holds, tear_down),
        cmocka_unit_test_teardown(test_threads_share_the_arena, tear_down),
        cmocka_unit_test_teardown(test_tracked_types, tear_down),
    };
    start_kmalloc(argc, argv);
    return cmocka_run_group_tests(tests, NULL, NULL);
}

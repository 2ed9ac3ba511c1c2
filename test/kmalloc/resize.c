/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: realloc from any size to any other: the common prefix stays, nothing is lost, shrinking
 *       does not fail, where the system refuses the old block stays.
 */
#include "fixture.h"

static const size_t sizes[] = {1,
                               8,
                               24,
                               129,
                               1000,
                               1025,
                               8000,
                               KM_SMALL_MAX,
                               KM_SMALL_MAX + 1,
                               64 * KIB,
                               100 * KIB,
                               1 * MIB,
                               7 * MIB,
                               KM_HUGE_MIN - 1,
                               KM_HUGE_MIN,
                               40 * MIB,
                               70 * MIB};

static void *realloc_checked(void *p, size_t from, size_t to, uint64_t v)
{
    void *q = km_realloc(p, to);

    assert_non_null(q);
    assert_true(km_usable(q, "test") >= to);
    assert_true(prefix_holds(q, sk_min(from, to), from, v));
    return q;
}

static void test_every_transition(void **state)
{
    (void)state;
    for (unsigned i = 0; i < SK_ARRAY_SIZE(sizes); i++)
        for (unsigned k = 0; k < SK_ARRAY_SIZE(sizes); k++) {
            void *p = km_alloc(sizes[i]);

            assert_non_null(p);
            stamp(p, sizes[i], i);
            p = realloc_checked(p, sizes[i], sizes[k], i);
            stamp(p, sizes[k], k);
            p = realloc_checked(p, sizes[k], sizes[i], k);
            km_free(p);
        }
    expect_all_free();
}

/* Grows as a buffer does, a little at a time. */
static void test_growing(void **state)
{
    size_t size = 1;
    void *p = km_alloc(1), *other[64];
    unsigned n = 0;

    (void)state;
    stamp(p, size, 9);
    while (size < 60 * MIB) {
        size_t next = size + 1 + size / 3;

        p = realloc_checked(p, size, next, 9);
        stamp(p, next, 9);
        size = next;
        if (n < 64)
            other[n++] = km_alloc(size / 2);
    }
    while (size > 1) {
        p = realloc_checked(p, size, size / 2, 9);
        size /= 2;
        stamp(p, size, 9);
    }
    km_free(p);
    while (n)
        km_free(other[--n]);
    expect_all_free();
}

/* Large blocks grow in place where the pages behind them are free, and give back their tail. */
static void test_large_in_place(void **state)
{
    struct km_stats before, now;
    char *p = km_alloc(1 * MIB);
    size_t used = used_bytes();

    (void)state;
    km_get_stats(&before);
    assert_ptr_equal(km_realloc(p, 320 * KIB), p);
    assert_int_equal(km_usable(p, "test"), 320 * KIB);
    assert_true(used_bytes() <= used - 600 * KIB);
    assert_ptr_equal(km_realloc(p, 960 * KIB), p);
    assert_int_equal(km_usable(p, "test"), 960 * KIB);
    km_get_stats(&now);
    assert_int_equal(now.large_bytes, before.large_bytes - 1 * MIB + 960 * KIB);
    km_free(p);
    km_get_stats(&now);
    assert_int_equal(now.large_bytes, before.large_bytes - 1 * MIB);
    expect_all_free();
}

/* Small changes stay in place; a block does not stay much larger than what it holds. */
static void test_small_in_place(void **state)
{
    void *p = km_alloc(1000), *q;

    (void)state;
    assert_ptr_equal(km_realloc(p, 1024), p);
    assert_ptr_equal(km_realloc(p, 512), p);
    q = km_realloc(p, 100);
    assert_true(km_usable(q, "test") < 512);
    km_free(q);
    expect_all_free();
}

/* With no memory to be had at all. */
static void test_shrinking_never_fails(void **state)
{
    (void)state;
    for (unsigned i = 0; i < SK_ARRAY_SIZE(sizes); i++)
        for (unsigned k = 0; k <= i; k++) {
            void *p = km_alloc(sizes[i]), *q;

            assert_non_null(p);
            stamp(p, sizes[i], i);
            plat_fail_after(1, true);
            q = km_realloc(p, sizes[k]);
            plat_fail_after(0, false);
            assert_non_null(q);
            assert_true(prefix_holds(q, sizes[k], sizes[i], i));
            assert_true(km_usable(q, "test") >= sizes[k]);
            km_free(q);
        }
    expect_all_free();
}

static void test_a_refused_growth_leaves_the_block(void **state)
{
    void *p = km_alloc(40 * MIB), *q = km_alloc(500);

    (void)state;
    stamp(p, 40 * MIB, 1);
    stamp(q, 500, 2);
    plat_fail_after(1, true);
    assert_null(km_realloc(p, 4000 * MIB));
    assert_null(km_realloc(q, 4000 * MIB));
    plat_fail_after(0, false);
    assert_null(km_realloc(p, SIZE_MAX));
    assert_null(km_realloc(q, KM_SIZE_MAX));
    assert_true(stamp_holds(p, 40 * MIB, 1));
    assert_true(stamp_holds(q, 500, 2));
    km_free(p);
    km_free(q);
    expect_all_free();
}

static void test_random(void **state)
{
    enum {
        BLOCKS = 100
    };
    static void *p[BLOCKS];
    size_t size[BLOCKS];
    uint64_t seed = 21;

    (void)state;
    for (unsigned i = 0; i < BLOCKS; i++) {
        size[i] = i;
        p[i] = km_alloc(i);
        stamp(p[i], i, i);
    }
    for (unsigned op = 0; op < 20000; op++) {
        unsigned i = draw(&seed, BLOCKS);
        size_t next = 1 + draw(&seed, 1u << (1 + draw(&seed, 20)));

        p[i] = realloc_checked(p[i], size[i], next, i);
        size[i] = next;
        stamp(p[i], next, i);
    }
    for (unsigned i = 0; i < BLOCKS; i++) {
        assert_true(stamp_holds(p[i], size[i], i));
        km_free(p[i]);
    }
    expect_all_free();
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_transition),
        cmocka_unit_test(test_growing),
        cmocka_unit_test(test_large_in_place),
        cmocka_unit_test(test_small_in_place),
        cmocka_unit_test(test_shrinking_never_fails),
        cmocka_unit_test(test_a_refused_growth_leaves_the_block),
        cmocka_unit_test(test_random),
    };
    start_kmalloc(argc, argv);
    return cmocka_run_group_tests(tests, NULL, NULL);
}

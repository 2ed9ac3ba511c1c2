/* SPDX-License-Identifier: BSD-2-Clause */
/* Role: dirty memory goes back: over the limit, by age, at once; and really leaves. */
#include "fixture.h"

/* `pages` single pages, each followed by one that stays used, so that no two merge. */
static void apart(void **page, size_t pages)
{
    for (size_t i = 0; i < pages; i++) {
        page[i] = region_alloc(1, 1, NULL);
        assert_non_null(page[i]);
        dirty(page[i], 1);
        assert_non_null(region_alloc(1, 1, NULL));
    }
}

static void test_trim_to_three_quarters_oldest_first(void **state)
{
    (void)state;
    void *page[41];
    start(128, 40, 0);
    apart(page, 41);
    for (int i = 0; i < 40; i++)
        assert_false(region_free(page[i], 1));
    assert_int_equal(region_trim_excess(), 0);
    assert_int_equal(stats().trims, 0);
    assert_true(region_free(page[40], 1));
    assert_int_equal(region_trim_excess(), PAGES(11));
    assert_int_equal(stats().dirty_bytes, PAGES(30));
    assert_int_equal(stats().returned_bytes, PAGES(11));
    for (int i = 0; i < 41; i++)
        assert_int_equal(resident(page[i], PAGES(1)),
                         i < 11 ? 0 : PLAT_PAGE_BYTES / plat_sys_page_bytes());
    assert_true(sound());
    stop();
}

static void test_limit_grows_with_use(void **state)
{
    (void)state;
    start(256, 2, 25);
    char *run = region_alloc(100, 1, NULL);
    /* 81 used: limit 2 + 20. */
    assert_false(region_shrink(run, 100, 82));
    assert_false(region_shrink(run, 82, 81));
    assert_true(region_shrink(run, 81, 77));
    stop();
}

static void test_loop_around_the_limit_makes_no_calls(void **state)
{
    (void)state;
    void *page[41];
    start(128, 40, 0);
    apart(page, 41);
    for (int i = 0; i < 41; i++)
        if (region_free(page[i], 1))
            region_trim_excess();
    assert_int_equal(stats().trims, 1);
    for (int round = 0; round < 100; round++) {
        for (int i = 0; i < 10; i++)
            page[i] = region_alloc(1, 1, NULL);
        for (int i = 0; i < 10; i++)
            if (region_free(page[i], 1))
                region_trim_excess();
    }
    assert_int_equal(stats().trims, 1);
    assert_int_equal(stats().returned_bytes, PAGES(11));
    stop();
}

/* Growth gives back what is free and does not fit; what a dirty run serves does not. */
static void test_growth_trims(void **state)
{
    (void)state;
    void *page[41];
    start(256, 40, 0);
    apart(page, 41);
    for (int i = 0; i < 41; i++)
        region_free(page[i], 1);
    assert_int_equal(stats().trims, 0);
    assert_int_equal(stats().dirty_bytes, PAGES(41));
    assert_non_null(region_alloc(2, 1, NULL));
    assert_int_equal(stats().trims, 1);
    assert_int_equal(stats().dirty_bytes, PAGES(30));
    assert_int_equal(stats().returned_bytes, PAGES(11));
    assert_int_equal(resident(page[0], PAGES(1)), 0);
    assert_non_null(region_alloc(2, 1, NULL));
    assert_int_equal(stats().trims, 1);
    assert_true(sound());
    stop();
}

static void test_reuse_does_not_trim(void **state)
{
    (void)state;
    void *page[42];
    start(256, 40, 0);
    apart(page, 42);
    for (int i = 0; i < 42; i++)
        region_free(page[i], 1);
    /* 42 are dirty, and one more than the limit of 40 stays so. */
    assert_non_null(region_alloc(1, 1, NULL));
    assert_int_equal(stats().trims, 0);
    assert_int_equal(stats().dirty_bytes, PAGES(41));
    stop();
}

/* Somebody else reaps: a free says nothing, growth and reaping go on as before. */
static void test_lazy(void **state)
{
    (void)state;
    void *page[42];
    start(256, 40, 0);
    apart(page, 42);
    char *tail = region_alloc(3, 1, NULL);
    region_set_lazy(true);
    for (int i = 0; i < 42; i++)
        assert_false(region_free(page[i], 1));
    assert_false(region_shrink(tail, 3, 2));
    assert_int_equal(stats().dirty_bytes, PAGES(43));
    region_set_lazy(false);
    assert_true(region_shrink(tail, 2, 1));
    region_set_lazy(true);
    uint64_t trims = region_trims();
    assert_non_null(region_alloc(4, 1, NULL));
    assert_int_equal(region_trims(), trims + 1);
    assert_int_equal(stats().dirty_bytes, PAGES(30));
    assert_int_equal(region_reap(0, true), PAGES(30));
    assert_true(sound());
    stop();
}

static void test_reap_waits_a_whole_interval(void **state)
{
    (void)state;
    start(64, 64, 0);
    char *run = region_alloc(10, 1, NULL);
    dirty(run, 10);
    region_free(run, 4);
    assert_int_equal(region_reap(0, false), 0);
    region_free(at(run, 6), 4);
    assert_int_equal(region_reap(0, false), PAGES(4));
    assert_int_equal(resident(run, PAGES(4)), 0);
    assert_true(resident(at(run, 6), PAGES(4)) > 0);
    assert_int_equal(region_reap(0, false), PAGES(4));
    assert_int_equal(resident(at(run, 6), PAGES(4)), 0);
    assert_int_equal(region_reap(0, false), 0);
    assert_int_equal(stats().reaps, 4);
    assert_true(sound());
    stop();
}

static void test_reap_keeps(void **state)
{
    (void)state;
    start(64, 64, 0);
    char *run = region_alloc(10, 1, NULL);
    dirty(run, 10);
    region_free(run, 10);
    assert_int_equal(region_reap(PAGES(7), true), PAGES(3));
    /* The end of the run went, the begin is still there. */
    assert_true(resident(run, PAGES(1)) > 0);
    assert_int_equal(resident(at(run, 7), PAGES(3)), 0);
    assert_int_equal(region_reap(PAGES(7), true), 0);
    assert_int_equal(region_reap(PAGES(1), true), PAGES(6));
    assert_int_equal(region_reap(0, true), PAGES(1));
    assert_int_equal(resident(run, PAGES(10)), 0);
    assert_true(sound());
    stop();
}

/* Larger than a piece. */
static void test_large_purge_merges_clean(void **state)
{
    (void)state;
    bool zeroed;
    start(2000, 2000, 0);
    char *run = region_alloc(2000, 1, NULL);
    for (size_t i = 0; i < 2000; i++)
        *(char *)at(run, i) = 1;
    region_free(run, 2000);
    assert_int_equal(region_reap(0, true), PAGES(2000));
    assert_true(sound());
    assert_ptr_equal(region_alloc(2000, 1, &zeroed), run);
    assert_true(zeroed);
    for (size_t i = 0; i < 2000; i++)
        assert_int_equal(*(char *)at(run, i), 0);
    stop();
}

/* A page that comes and goes beside a large idle run, on either side, does not keep it. */
static void idle_beside(size_t busy, size_t idle)
{
    start(64, 64, 0);
    char *run = region_alloc(42, 1, NULL);
    region_free(at(run, idle), 40);
    assert_int_equal(region_reap(0, false), 0);
    region_free(at(run, busy), 1);
    assert_int_equal(region_reap(0, false), PAGES(41));
    assert_true(sound());
    stop();
}

static void test_idle_neighbour_ages(void **state)
{
    (void)state;
    idle_beside(0, 1);
    idle_beside(40, 0);
}

/* Nor does a small idle run send a large one away that was just freed. */
static void test_young_neighbour_stays(void **state)
{
    (void)state;
    start(64, 64, 0);
    char *run = region_alloc(41, 1, NULL);
    region_free(run, 1);
    assert_int_equal(region_reap(0, false), 0);
    region_free(at(run, 1), 40);
    assert_int_equal(region_reap(0, false), 0);
    assert_int_equal(region_reap(0, false), PAGES(41));
    stop();
}

/* What is cut from a run leaves the rest as old as it was, on both sides. */
static void test_cut_keeps_age(void **state)
{
    (void)state;
    start(64, 64, 0);
    char *run = region_alloc(33, 1, NULL);
    region_free(at(run, 1), 31);
    assert_int_equal(region_reap(0, false), 0);
    char *aligned = region_alloc(1, 16, NULL);
    assert_ptr_equal(aligned, at(run, 16));
    assert_int_equal(region_reap(0, false), PAGES(30));
    assert_true(sound());
    stop();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_trim_to_three_quarters_oldest_first),
        cmocka_unit_test(test_limit_grows_with_use),
        cmocka_unit_test(test_loop_around_the_limit_makes_no_calls),
        cmocka_unit_test(test_growth_trims),
        cmocka_unit_test(test_reuse_does_not_trim),
        cmocka_unit_test(test_lazy),
        cmocka_unit_test(test_reap_waits_a_whole_interval),
        cmocka_unit_test(test_reap_keeps),
        cmocka_unit_test(test_large_purge_merges_clean),
        cmocka_unit_test(test_idle_neighbour_ages),
        cmocka_unit_test(test_young_neighbour_stays),
        cmocka_unit_test(test_cut_keeps_age),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

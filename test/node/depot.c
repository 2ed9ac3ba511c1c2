/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: the depot of full arrays: which one is given, when it is over its limit, what the reaper
 *       may have.
 */
#include "fixture.h"

#define SIZE  64u
#define LIMIT 6u /* arrays of the first capacity */

static void start(void)
{
    node_start(SIZE, LIMIT * PARRAY_CAP_FIRST * SIZE);
    assert_int_equal(node.nd_full_limit, LIMIT);
}

static void put(uintptr_t mark)
{
    assert_null(node_put_full(&node, full_array(mark)));
}

/* The mark of the array that node_get_full or node_reap_full gave; 0: none. */
static uintptr_t taken(struct parray *pa)
{
    uintptr_t mark = pa ? mark_of(pa) : 0;

    parray_unmake(pa);
    assert_true(node_sound());
    return mark;
}

static void test_hottest_first(void **state)
{
    (void)state;
    start();
    assert_null(node_get_full(&node));
    for (unsigned i = 1; i <= LIMIT; i++)
        put(i);
    assert_int_equal(node.nd_nfull, LIMIT);
    for (unsigned i = LIMIT; i; i--)
        assert_int_equal(taken(node_get_full(&node)), i);
    assert_null(node_get_full(&node));
    assert_int_equal(node.nd_depot_gets, LIMIT);
    assert_int_equal(node.nd_depot_puts, LIMIT);
}

static void test_over_the_limit_the_oldest_leaves(void **state)
{
    (void)state;
    start();
    for (unsigned i = 1; i <= LIMIT; i++)
        put(i);
    for (unsigned i = LIMIT + 1; i < 4 * LIMIT; i++) {
        assert_int_equal(taken(node_put_full(&node, full_array(i))), i - LIMIT);
        assert_int_equal(node.nd_nfull, LIMIT);
    }
    while (taken(node_get_full(&node)))
        ;
}

/* What was put comes straight back. */
static void test_no_depot(void **state)
{
    struct parray *pa;

    (void)state;
    node_start(SIZE, 0);
    pa = full_array(1);
    assert_ptr_equal(node_put_full(&node, pa), pa);
    assert_int_equal(node.nd_nfull, 0);
    parray_unmake(pa);
}

/* The budget is one of bytes, also when small arrays were in the depot before arrays grew. */
static void test_the_budget_holds_while_arrays_grow(void **state)
{
    size_t budget = LIMIT * PARRAY_CAP_FIRST * SIZE;

    (void)state;
    start();
    for (unsigned i = 1; i <= LIMIT; i++)
        put(i);
    while (node.nd_cap < node.nd_cap_max) {
        node_grow_arrays(&node, node.nd_cap);
        for (unsigned i = 0; i < 2 * LIMIT; i++) {
            struct parray *over = node_put_full(&node, full_array(i + 1));

            for (; over; over = node_get_over(&node))
                parray_unmake(over);
        }
        assert_true(depot_bytes() <= budget);
        assert_true(node_sound());
    }
    while (taken(node_get_full(&node)))
        ;
}

static struct node_cache other;

/* More is taken and given at a time than there is room for: room is made, until the cache is idle.
 */
static void test_the_limit_grows_with_use(void **state)
{
    (void)state;
    start();
    for (unsigned limit = LIMIT; limit < 8 * LIMIT; limit = 2 * limit + 1) {
        assert_int_equal(node.nd_full_limit, limit);
        for (unsigned i = 1; i <= limit; i++)
            put(i);
        assert_int_equal(taken(node_put_full(&node, full_array(9))), 1);
        while (taken(node_get_full(&node)))
            ;
        assert_null(node_get_full(&node)); /* once for each shortage */
    }
    node_reap_end(&node, false);
    assert_true(node.nd_full_limit > LIMIT);
    node_reap_end(&node, true);
    assert_int_equal(node.nd_full_limit * node.nd_cap, LIMIT * PARRAY_CAP_FIRST);
}

/* All depots of a node have a budget together: who puts when it is spent gives up its oldest. */
static void test_the_total_of_several_depots(void **state)
{
    size_t array_bytes = PARRAY_CAP_FIRST * SIZE;
    struct node_limits limits = {.depot_bytes = LIMIT * array_bytes,
                                 .total_bytes = 8 * array_bytes};

    (void)state;
    start();
    node_init(&node, &node_geom, 3, &limits);
    node_init(&other, &node_geom, 3, &limits);
    for (unsigned i = 1; i <= LIMIT; i++)
        put(i);
    for (unsigned i = 1; i <= 2; i++)
        assert_null(node_put_full(&other, full_array(i)));
    for (unsigned i = 1; i <= 4; i++)
        assert_int_equal(taken(node_put_full(&other, full_array(2 + i))), i);
    assert_int_equal(other.nd_nfull, 2);
    assert_int_equal(taken(node_get_full(&node)), LIMIT);
    assert_null(node_put_full(&other, full_array(9)));
    while (taken(node_get_full(&other)) || taken(node_get_full(&node)))
        ;
    for (unsigned i = 1; i <= LIMIT; i++)
        put(i);
    while (taken(node_get_full(&node)))
        ;
}

/* ---- the reaper ----------------------------------------------------------------- */

static unsigned reap(bool all)
{
    unsigned n = 0;

    while (taken(node_reap_full(&node, all)))
        n++;
    return n;
}

/* The least there was since the last pass is what nobody needed. */
static void test_low_mark(void **state)
{
    (void)state;
    start();
    for (unsigned i = 1; i <= 5; i++)
        put(i);
    assert_int_equal(reap(false), 0);
    node_reap_end(&node, false);
    assert_int_equal(taken(node_get_full(&node)), 5);
    assert_int_equal(taken(node_get_full(&node)), 4);
    put(6);
    put(7);
    assert_int_equal(node.nd_full_low, 3);
    assert_int_equal(taken(node_reap_full(&node, false)), 1); /* the oldest */
    assert_int_equal(reap(false), 2);
    assert_int_equal(node.nd_nfull, 2);
    assert_int_equal(reap(false), 0);
    node_reap_end(&node, false);
    assert_int_equal(reap(false), 2);
    assert_int_equal(node.nd_nfull, 0);
    assert_int_equal(reap(false), 0);
    assert_int_equal(reap(true), 0);
}

/* After everything was taken by force the mark is 0 and stays there. */
static void test_low_mark_after_all(void **state)
{
    (void)state;
    start();
    for (unsigned i = 1; i <= 4; i++)
        put(i);
    node_reap_end(&node, false);
    assert_int_equal(reap(true), 4);
    assert_int_equal(node.nd_full_low, 0);
    for (unsigned i = 1; i <= 3; i++)
        put(i);
    assert_int_equal(reap(false), 0);
    assert_int_equal(node.nd_nfull, 3);
    assert_int_equal(taken(node_reap_full(&node, true)), 1);
    assert_int_equal(reap(false), 0);
    assert_int_equal(reap(true), 2);
}

static void test_overflow_lowers_the_mark(void **state)
{
    (void)state;
    start();
    for (unsigned i = 1; i <= LIMIT; i++)
        put(i);
    node_reap_end(&node, false);
    while (node.nd_nfull > 1)
        taken(node_get_full(&node));
    for (unsigned i = 0; i < 2 * LIMIT; i++)
        taken(node_put_full(&node, full_array(9)));
    assert_int_equal(reap(false), 1);
    reap(true);
}

/* ---- any sequence --------------------------------------------------------------- */

static void random_step(uint64_t *seed)
{
    switch (draw(seed, 8)) {
    case 0:
        node_reap_end(&node, draw(seed, 4) == 0);
        break;
    case 1:
        node_grow_arrays(&node, node.nd_cap);
        break;
    case 2:
        taken(node_reap_full(&node, draw(seed, 2)));
        break;
    case 3:
    case 4:
        taken(node_get_full(&node));
        break;
    default:
        taken(node_put_full(&node, full_array(1)));
        break;
    }
}

static void test_random(void **state)
{
    size_t meta = meta_used_bytes();
    uint64_t seed = 7;

    (void)state;
    start();
    for (unsigned i = 0; i < 50000; i++)
        random_step(&seed);
    reap(true);
    assert_int_equal(node.nd_nfull, 0);
    assert_int_equal(meta_used_bytes(), meta);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hottest_first),
        cmocka_unit_test(test_over_the_limit_the_oldest_leaves),
        cmocka_unit_test(test_no_depot),
        cmocka_unit_test(test_the_budget_holds_while_arrays_grow),
        cmocka_unit_test(test_the_limit_grows_with_use),
        cmocka_unit_test(test_the_total_of_several_depots),
        cmocka_unit_test(test_low_mark),
        cmocka_unit_test(test_low_mark_after_all),
        cmocka_unit_test(test_overflow_lowers_the_mark),
        cmocka_unit_test(test_random),
    };
    return cmocka_run_group_tests(tests, start_region, NULL);
}

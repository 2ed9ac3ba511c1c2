/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: what drains and the reaper's passes give back, and after how many passes; what keeps
 *       them off.
 */
#include "fixture.h"

#define MANY 3000u

static void *objs[MANY];

static void alloc_n(struct pcpu_cache *c, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        objs[i] = cache_alloc(c);
        assert_non_null(objs[i]);
    }
}

static void free_every(struct pcpu_cache *c, unsigned n, unsigned step)
{
    for (unsigned i = 0; i < n; i += step) {
        cache_free(c, objs[i]);
        objs[i] = NULL;
    }
}

static void free_rest(struct pcpu_cache *c, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        if (objs[i])
            cache_free(c, objs[i]);
}

static void test_drain_keeps_what_is_live(void **state)
{
    struct pcpu_cache *c = &caches[2];

    (void)state;
    alloc_n(c, MANY);
    free_every(c, MANY, 2);
    drain(c);
    assert_int_equal(in_arrays(c) + in_depots(c), 0);
    assert_int_equal(pcpu_objs_out(c), MANY / 2);
    assert_true(at_rest(c, MANY / 2));
    free_rest(c, MANY);
    expect_empty();
}

/* A drain of one cache leaves the others alone. */
static void test_drain_of_one_cache(void **state)
{
    (void)state;
    cache_free(&caches[0], cache_alloc(&caches[0]));
    cache_free(&caches[1], cache_alloc(&caches[1]));
    drain(&caches[0]);
    assert_int_equal(in_arrays(&caches[0]), 0);
    assert_true(in_arrays(&caches[1]) > 0);
    expect_empty();
}

/* Used between two passes, if only by hits: nothing is taken from its arrays. */
static void test_a_used_array_stays(void **state)
{
    struct pcpu_cache *c = &caches[1];

    (void)state;
    alloc_n(c, 2);
    for (unsigned pass = 0; pass < 10; pass++) {
        reap();
        objs[pass % 2] ? cache_free(c, objs[pass % 2]) : (void)0;
        objs[pass % 2] = objs[pass % 2] ? NULL : cache_alloc(c);
        assert_true(in_arrays(c) > 0);
    }
    free_rest(c, 2);
    expect_empty();
}

/* Unused: the arrays go home, then the slabs to the node, and with nothing live all of it to the
 * region. */
static void test_an_unused_cache_goes_back_by_itself(void **state)
{
    struct pcpu_cache *c = &caches[3];
    unsigned pass = 0;

    (void)state;
    alloc_n(c, MANY);
    free_rest(c, MANY);
    assert_true(used_bytes() > 0);
    assert_true(pcpu_idle_bytes() > 0);
    for (; reap() || used_bytes(); pass++)
        assert_true(pass < 20);
    assert_true(pass >= 3);
    assert_int_equal(in_arrays(c) + in_depots(c), 0);
    assert_int_equal(pcpu_idle_bytes(), 0);
    expect_empty();
}

/* One object of each slab stays: its slabs are orphaned, and adopted when objects are wanted again.
 */
static void test_orphaned_and_adopted(void **state)
{
    struct pcpu_cache *c = &caches[4];
    uint64_t slabs, orphans;

    (void)state;
    alloc_n(c, 600);
    free_every(c, 600, 2);
    drain(c);
    slabs = SUM_OVER_NODES(c, nd_slabs);
    assert_true(slabs > 10);
    for (unsigned pass = 0; pass < 8; pass++)
        reap();
    orphans = SUM_OVER_NODES(c, nd_norphans);
    assert_int_equal(orphans, slabs);
    assert_int_equal(SUM_OVER_SLOTS(c, sc_npartial), 0);
    assert_true(at_rest(c, 300));

    for (unsigned i = 0; i < 600; i += 2)
        objs[i] = cache_alloc(c);
    assert_true(SUM_OVER_NODES(c, nd_adoptions) >= orphans - 2);
    assert_int_equal(SUM_OVER_NODES(c, nd_slabs), slabs);
    assert_true(at_rest(c, 600));
    free_rest(c, 600);
    expect_empty();
}

/* Objects of orphans go through the word; who settles them finds the slabs unused. */
static void test_free_into_orphans(void **state)
{
    struct pcpu_cache *c = &caches[4];

    (void)state;
    alloc_n(c, 600);
    for (unsigned i = 0; i < 600; i++)
        memset(objs[i], 1, c->pc_geom.size);
    free_every(c, 600, 2);
    drain(c);
    for (unsigned pass = 0; pass < 8; pass++)
        reap();
    assert_true(SUM_OVER_NODES(c, nd_norphans) > 0);
    free_rest(c, 600);
    assert_true(at_rest(c, 0));
    expect_empty();
}

static void test_arrays_shrink_where_idle(void **state)
{
    struct pcpu_cache *c = &caches[0];
    unsigned node = plat_slot_node(plat_slot());

    (void)state;
    for (unsigned round = 0; round < 20; round++) {
        alloc_n(c, MANY);
        free_rest(c, MANY);
    }
    assert_true(c->pc_node[node]->nd_cap > PARRAY_CAP_FIRST);
    for (unsigned pass = 0; pass < 20; pass++)
        reap();
    assert_int_equal(c->pc_node[node]->nd_cap, PARRAY_CAP_MIN);
    alloc_n(c, MANY);
    free_rest(c, MANY);
    expect_empty();
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_drain_keeps_what_is_live),
        cmocka_unit_test(test_drain_of_one_cache),
        cmocka_unit_test(test_a_used_array_stays),
        cmocka_unit_test(test_an_unused_cache_goes_back_by_itself),
        cmocka_unit_test(test_orphaned_and_adopted),
        cmocka_unit_test(test_free_into_orphans),
        cmocka_unit_test(test_arrays_shrink_where_idle),
    };
    pin(0);
    start(argc, argv, 0, DEPOT_BUDGET);
    return cmocka_run_group_tests(tests, NULL, NULL);
}

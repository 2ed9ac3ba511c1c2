/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: arrays: their layout, their capacities, how the capacity of a node's arrays grows and
 *       shrinks.
 */
#include "fixture.h"

static void test_layout(void **state)
{
    (void)state;
    for (unsigned cap = PARRAY_CAP_MIN; cap <= PARRAY_CAP_MAX; cap = parray_cap_next(cap)) {
        struct parray *pa = parray_make(cap);

        assert_int_equal(pa->pa_cap, cap);
        assert_int_equal(pa->pa_avail, 0);
        assert_null(pa->pa_a[0]);
        assert_ptr_equal(pa->pa_a[cap + 1], PLAT_MARK);
        assert_true(sk_is_pow2(parray_bytes(cap)));
        assert_true((char *)&pa->pa_a[cap + 2] == (char *)pa + parray_bytes(cap));
        assert_ptr_equal(plat_word_top(parray_word(pa)), pa->pa_a);
        pa->pa_avail = 2;
        assert_ptr_equal(plat_word_top(parray_word(pa)), &pa->pa_a[2]);
        assert_int_equal(parray_cap_prev(parray_cap_next(cap)), cap);
        parray_unmake(pa);
    }
    parray_unmake(NULL);
}

static void test_capacities_are_reachable(void **state)
{
    unsigned cap = PARRAY_CAP_MIN;
    bool first = false;

    (void)state;
    for (; cap < PARRAY_CAP_MAX; cap = parray_cap_next(cap))
        first |= cap == PARRAY_CAP_FIRST;
    assert_int_equal(cap, PARRAY_CAP_MAX);
    assert_true(first);
}

/* The larger the objects, the smaller the arrays; never below the least capacity, but
 * for objects so large that one of them is enough. */
static void test_first_and_largest(void **state)
{
    unsigned max = PARRAY_CAP_MAX;

    (void)state;
    for (size_t size = 8; size <= SLAB_OBJ_MAX; size *= 2) {
        if (size == 2 * SLAB_MANY_MAX)
            max = PARRAY_CAP_MAX; /* the other group */
        node_start(size, 1u << 20);
        assert_in_range(node.nd_cap, size > 256u << 10 ? 1 : PARRAY_CAP_MIN, PARRAY_CAP_FIRST);
        assert_in_range(node.nd_cap_max, node.nd_cap, max);
        max = node.nd_cap_max;
    }
    assert_int_equal(max, 1);
    node_start(SLAB_MANY_MAX, 1u << 20);
    assert_int_equal(node.nd_cap_max, PARRAY_CAP_MIN);
    node_start(8, 1u << 20);
    assert_int_equal(node.nd_cap, PARRAY_CAP_FIRST);
    assert_int_equal(node.nd_cap_max, PARRAY_CAP_MAX);
}

static void test_grow_to_the_largest_and_no_further(void **state)
{
    (void)state;
    node_start(256, 1u << 20);
    for (unsigned cap = node.nd_cap; cap < node.nd_cap_max; cap = parray_cap_next(cap)) {
        assert_int_equal(node.nd_cap, cap);
        node_grow_arrays(&node, parray_cap_prev(cap)); /* a slot that has not seen the last step */
        assert_int_equal(node.nd_cap, cap);
        node_grow_arrays(&node, cap);
        assert_int_equal(node.nd_cap, parray_cap_next(cap));
        assert_int_equal(node.nd_full_limit, (1u << 20) / (node.nd_cap * 256));
    }
    node_grow_arrays(&node, node.nd_cap);
    assert_int_equal(node.nd_cap, node.nd_cap_max);
}

static void test_shrink_where_idle(void **state)
{
    (void)state;
    node_start(256, 1u << 20);
    while (node.nd_cap < node.nd_cap_max)
        node_grow_arrays(&node, node.nd_cap);
    node_reap_end(&node, false);
    assert_int_equal(node.nd_cap, node.nd_cap_max);
    for (unsigned cap = node.nd_cap; cap > PARRAY_CAP_MIN; cap = parray_cap_prev(cap)) {
        assert_int_equal(node.nd_cap, cap);
        node_reap_end(&node, true);
    }
    node_reap_end(&node, true);
    assert_int_equal(node.nd_cap, PARRAY_CAP_MIN);
    assert_int_equal(node.nd_full_limit, (1u << 20) / (PARRAY_CAP_MIN * 256));
}

/* Only a few without objects are kept, and only of the capacity in use. */
static void test_empties(void **state)
{
    size_t meta = meta_used_bytes();
    struct parray *pa;

    (void)state;
    node_start(64, 1u << 20);
    for (unsigned i = 0; i < 20; i++)
        node_put_empty(&node, parray_make(node.nd_cap));
    node_put_empty(&node, parray_make(parray_cap_next(node.nd_cap)));
    assert_int_equal(list_length(&node.nd_empty), node.nd_nempty);
    assert_in_range(node.nd_nempty, 1, 8);
    assert_int_equal(meta_used_bytes(), meta + node.nd_nempty * parray_bytes(node.nd_cap));
    pa = node_get_empty(&node);
    assert_int_equal(pa->pa_cap, node.nd_cap);
    assert_int_equal(pa->pa_avail, 0);
    node_put_empty(&node, pa);

    node_grow_arrays(&node, node.nd_cap);
    assert_int_equal(node.nd_nempty, 0);
    assert_null(node_get_empty(&node));
    assert_int_equal(meta_used_bytes(), meta);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_layout),
        cmocka_unit_test(test_capacities_are_reachable),
        cmocka_unit_test(test_first_and_largest),
        cmocka_unit_test(test_grow_to_the_largest_and_no_further),
        cmocka_unit_test(test_shrink_where_idle),
        cmocka_unit_test(test_empties),
    };
    return cmocka_run_group_tests(tests, start_region, NULL);
}

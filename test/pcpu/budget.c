/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: the bytes that a slot's arrays have room for: counted to the byte, grown only within the
 *       budget.
 * Owns: the rule: a slot's first array of a cache is installed whatever the budget; a larger one
 *       is asked for only while the slot's sum and the difference are within it. So for a slot
 *       that alone uses its caches: sum <= budget + first arrays.
 */
#define ARRAY_BUDGET ((size_t)200 << 10)
#include "fixture.h"

#define MANY 4000u

static void *objs[MANY];

static size_t slot_sum(unsigned slot)
{
    size_t bytes = 0;

    for (unsigned k = 0; k < CACHES; k++) {
        struct slot_cache *sc = pcpu_slot_cache(slot, (uint16_t)(k + 1));

        for (enum side side = 0; sc && side < SIDES; side++)
            if (sc->sc_array[side])
                bytes += (size_t)sc->sc_array[side]->pa_cap * caches[k].pc_geom.size;
    }
    return bytes;
}

/* The account is what is installed, to the byte. */
static bool account_is_exact(unsigned slot)
{
    size_t sum = slot_sum(slot);

    if (sum > ARRAY_BUDGET)
        return !slot_budget_allows(slot, NODE_SMALL, 0);
    return slot_budget_allows(slot, NODE_SMALL, ARRAY_BUDGET - sum) &&
           !slot_budget_allows(slot, NODE_SMALL, ARRAY_BUDGET - sum + 1);
}

static void use(struct pcpu_cache *c, unsigned rounds)
{
    unsigned n = (unsigned)sk_min(MANY, ((size_t)16 << 20) / c->pc_geom.size);

    for (unsigned r = 0; r < rounds; r++) {
        for (unsigned i = 0; i < n; i++)
            objs[i] = cache_alloc(c);
        for (unsigned i = 0; i < n; i++)
            cache_free(c, objs[i]);
    }
}

static void test_account(void **state)
{
    (void)state;
    for (unsigned round = 0; round < 6; round++)
        for (unsigned k = 0; k < CACHES; k++) {
            use(&caches[k], 1 + round % 2);
            assert_true(account_is_exact(plat_slot()));
            if (round % 3 == 2)
                drain(&caches[(k + 1) % CACHES]);
            assert_true(account_is_exact(plat_slot()));
        }
    for (unsigned pass = 0; pass < 6; pass++)
        reap();
    assert_true(account_is_exact(plat_slot()));
    expect_empty();
    assert_int_equal(slot_sum(plat_slot()), 0);
    assert_true(account_is_exact(plat_slot()));
}

/* A slot that is at its budget does not make arrays grow. */
static void test_no_growth_over_budget(void **state)
{
    struct pcpu_cache *c = &caches[2];
    unsigned slot = plat_slot(), cap;

    (void)state;
    for (unsigned pass = 0; pass < 20; pass++)
        reap();
    use(c, 1);
    cap = pcpu_slot_cache(slot, c->pc_geom.kind)->sc_array[SIDE_OWN]->pa_cap;
    for (unsigned pass = 0; pass < 20; pass++)
        reap();
    slot_budget_add(slot, NODE_SMALL, ARRAY_BUDGET);
    use(c, 10);
    assert_int_equal(c->pc_node[plat_slot_node(slot)]->nd_cap, PARRAY_CAP_MIN);
    slot_budget_add(slot, NODE_SMALL, -(int64_t)ARRAY_BUDGET);
    use(c, 10);
    assert_true(pcpu_slot_cache(slot, c->pc_geom.kind)->sc_array[SIDE_OWN]->pa_cap >= cap);
    assert_true(pcpu_slot_cache(slot, c->pc_geom.kind)->sc_array[SIDE_OWN]->pa_cap >
                PARRAY_CAP_MIN);
    expect_empty();
}

static size_t first_arrays(void)
{
    size_t bytes = 0;

    for (unsigned k = 0; k < CACHES; k++) {
        struct node_cache nd;

        node_init(&nd, &caches[k].pc_geom, 0,
                  &(struct node_limits){.depot_bytes = DEPOT_BUDGET, .total_bytes = SIZE_MAX / 2});
        bytes += (size_t)nd.nd_cap * caches[k].pc_geom.size;
    }
    return bytes;
}

static size_t largest_arrays(void)
{
    size_t bytes = 0;

    for (unsigned k = 0; k < CACHES; k++)
        bytes += (size_t)caches[k].pc_node[0]->nd_cap_max * caches[k].pc_geom.size;
    return bytes;
}

/* Whatever the order in which the caches are used; and the arrays would grow beyond it if they
 * might. */
static void test_bound(void **state)
{
    size_t bound = ARRAY_BUDGET + first_arrays();
    uint64_t seed = 11;

    (void)state;
    for (unsigned k = 0; k < CACHES; k++)
        use(&caches[k], 1);
    for (unsigned i = 0; i < 100; i++) {
        use(&caches[draw(&seed, CACHES)], 1);
        assert_true(slot_sum(plat_slot()) <= bound);
        assert_true(account_is_exact(plat_slot()));
    }
    assert_true(slot_sum(plat_slot()) > ARRAY_BUDGET / 2);
    assert_true(largest_arrays() > bound);
    expect_empty();
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bound),
        cmocka_unit_test(test_account),
        cmocka_unit_test(test_no_growth_over_budget),
    };
    pin(0);
    start(argc, argv, 0, DEPOT_BUDGET);
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: caches that come and go, beside walkers of them; arrays switched off and on;
 *       the direct mode; tuned arrays.
 */
#include "comers.h"

static void test_come_and_go(void **state)
{
    size_t meta = 0;

    (void)state;
    for (unsigned round = 0; round < 300; round++) {
        struct pcpu_cache *c = make(8 + round % 40 * 64, PCPU_ARRAYS);

        assert_int_equal(c->pc_geom.kind, PCPU_DYNAMIC_FIRST);
        use(c, 1 + round * 7 % OBJS);
        assert_true(at_rest(c, 0));
        end(c);
        if (round == 1)
            meta = meta_used_bytes();
        assert_true(round < 1 || meta_used_bytes() == meta);
    }
    assert_int_equal(used_bytes(), 0);
}

/* The figures of an index's former cache are not the next one's. */
static void test_pops_begin_at_zero(void **state)
{
    (void)state;
    for (unsigned round = 0; round < 3; round++) {
        struct pcpu_cache *c = make(64, PCPU_ARRAYS);
        uint64_t allocs = 0;

        use(c, OBJS);
        for (unsigned slot = 0; slot < plat_nslots(); slot++) {
            struct slot_cache *sc = pcpu_slot_cache(slot, c->pc_geom.kind);

            allocs += sc ? slot_cache_pops(sc) + sc->sc_alloc_passed : 0;
        }
        assert_in_range(allocs, OBJS - 1, OBJS);
        end(c);
    }
}

static void test_indices_run_out(void **state)
{
    static struct pcpu_cache *all[PLAT_SLOT_ARRAYS], spare;
    unsigned n = 0;

    (void)state;
    slab_geom_init(&spare.pc_geom, "spare", 64, 8, 0);
    while (n < PLAT_SLOT_ARRAYS - PCPU_DYNAMIC_FIRST)
        all[n++] = make(64, PCPU_ARRAYS);
    assert_false(pcpu_cache_open(&spare));
    end(all[17]);
    all[17] = make(128, PCPU_ARRAYS);
    assert_int_equal(all[17]->pc_geom.kind, PCPU_DYNAMIC_FIRST + 17);
    while (n)
        end(all[--n]);
}

static bool has_array(struct pcpu_cache *c)
{
    return SUM_OVER_SLOTS(c, sc_array[SIDE_OWN] != NULL) +
               SUM_OVER_SLOTS(c, sc_array[SIDE_FOREIGN] != NULL) !=
           0;
}

static void test_arrays_off_and_on(void **state)
{
    struct pcpu_cache *c = make(200, PCPU_ARRAYS);

    (void)state;
    use(c, OBJS);
    assert_true(has_array(c));
    plat_enter();
    pcpu_set_arrays(c, false);
    plat_leave();
    assert_false(has_array(c));
    assert_int_equal(pcpu_objs_out(c), 0);
    use(c, OBJS);
    assert_false(has_array(c));
    assert_int_equal(pcpu_objs_out(c), 0);
    assert_null(pcpu_alloc_hit(c->pc_geom.kind));
    plat_enter();
    pcpu_set_arrays(c, true);
    plat_leave();
    use(c, OBJS);
    assert_true(has_array(c));
    end(c);
}

static void free_twice(void *arg)
{
    struct pcpu_cache *c = arg;

    cache_free(c, objs[1]);
    cache_free(c, objs[1]);
}

static void *alloc_some(void *arg)
{
    pin(1);
    for (unsigned i = 0; i < 8; i++)
        objs[i] = cache_alloc(arg);
    return NULL;
}

/* Also of objects that were allocated on another slot, whose free would be a chain's. */
static void test_direct_finds_a_double_free(void **state)
{
    struct pcpu_cache *c = make(64, PCPU_DIRECT);
    pthread_t thread;

    (void)state;
    pin(0);
    use(c, OBJS);
    assert_false(has_array(c));
    pthread_create(&thread, NULL, alloc_some, c);
    pthread_join(thread, NULL);
    expect_death(free_twice, c, "slabkit: double free of %p, a 64-byte object of guest\n", objs[1]);
    for (unsigned i = 0; i < 8; i++)
        cache_free(c, objs[i]);
    for (unsigned pass = 0; pass < 8; pass++)
        reap();
    assert_true(at_rest(c, 0));
    end(c);
}

static void test_tuned(void **state)
{
    struct pcpu_cache *c = make(64, PCPU_ARRAYS);

    (void)state;
    pin(0);
    plat_enter();
    pcpu_tune(c, 20, 5, 3);
    plat_leave();
    use(c, OBJS);
    /* But where a slab ends. */
    assert_in_range(SUM_OVER_SLOTS(c, sc_refills), OBJS / 5, OBJS / 5 + OBJS / c->pc_geom.objs + 1);
    for (unsigned node = 0; node < plat_nnodes(); node++)
        assert_true(!c->pc_node[node] || c->pc_node[node]->nd_cap == 20);
    for (unsigned slot = 0; slot < plat_nslots(); slot++) {
        struct slot_cache *sc = pcpu_slot_cache(slot, c->pc_geom.kind);

        assert_true(!sc || !sc->sc_array[SIDE_OWN] || sc->sc_array[SIDE_OWN]->pa_cap == 20);
    }
    assert_int_equal(SUM_OVER_NODES(c, nd_nfull), 3);
    for (unsigned pass = 0; pass < 3; pass++)
        reap();
    assert_int_equal(SUM_OVER_NODES(c, nd_cap), 20);
    plat_enter();
    pcpu_tune(c, 0, 0, 0);
    plat_leave();
    use(c, OBJS);
    assert_int_not_equal(SUM_OVER_NODES(c, nd_cap), 20);
    end(c);
}

/* ---- beside walkers -------------------------------------------------------------------------- */

static void *comer(void *arg)
{
    void *mine[64];

    for (unsigned round = 0; round < 150 && !sk_load_relaxed(&over); round++) {
        struct pcpu_cache *c = make(64 + (uintptr_t)arg * 8, round % 5 ? PCPU_ARRAYS : PCPU_DIRECT);

        for (unsigned i = 0; i < 64; i++)
            mine[i] = cache_alloc(c);
        for (unsigned i = 0; i < 64; i++)
            cache_free(c, mine[i]);
        end(c);
    }
    return NULL;
}

static void test_beside_walkers(void **state)
{
    pthread_t walkers[2], comers[3];

    (void)state;
    for (uintptr_t i = 0; i < 2; i++)
        pthread_create(&walkers[i], NULL, walker, NULL);
    for (uintptr_t i = 0; i < 3; i++)
        pthread_create(&comers[i], NULL, comer, (void *)i);
    for (unsigned i = 0; i < 3; i++)
        pthread_join(comers[i], NULL);
    assert_false(over);
    sk_store_relaxed(&over, true);
    for (unsigned i = 0; i < 2; i++)
        pthread_join(walkers[i], NULL);
    assert_int_equal(used_bytes(), 0);
    assert_true(region_verify());
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_come_and_go),
        cmocka_unit_test(test_pops_begin_at_zero),
        cmocka_unit_test(test_indices_run_out),
        cmocka_unit_test(test_arrays_off_and_on),
        cmocka_unit_test(test_direct_finds_a_double_free),
        cmocka_unit_test(test_tuned),
        cmocka_unit_test(test_beside_walkers),
    };
    start(argc, argv, 0, DEPOT_BUDGET);
    return cmocka_run_group_tests(tests, NULL, NULL);
}

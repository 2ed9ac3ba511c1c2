/* SPDX-License-Identifier: BSD-2-Clause */
/* Role: one thread: refill, flush, order, counts, and what a misuse found at a flush says. */
#include "fixture.h"

#define MANY 5000u

static void *objs[MANY];

static void alloc_n(struct pcpu_cache *c, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        objs[i] = cache_alloc(c);
        assert_non_null(objs[i]);
        assert_int_equal(region_index(objs[i]), c->pc_geom.kind);
    }
}

static void free_n(struct pcpu_cache *c, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        cache_free(c, objs[i]);
}

/* The restartable hit path is shut in the portable mode: all goes by the slow one. */
static bool all_miss(void)
{
#ifdef SLABKIT_PORTABLE_ONLY
    return false;
#else
    return plat_mode() == PLAT_MODE_PORTABLE;
#endif
}

/* One batch comes; one object of it goes to the caller. The lowest addresses come first. */
static void test_first_refill(void **state)
{
    struct pcpu_cache *c = &caches[2];
    struct slot_cache *sc;
    unsigned cap;

    (void)state;
    alloc_n(c, 1);
    sc = pcpu_slot_cache(plat_slot(), c->pc_geom.kind);
    assert_non_null(sc);
    cap = sc->sc_array[SIDE_OWN]->pa_cap;
    assert_int_equal(sc->sc_alloc_misses, 1);
    assert_int_equal(sc->sc_refills, 1);
    assert_int_equal(sc->sc_refill_objs, cap);
    assert_int_equal(in_arrays(c), cap - 1);
    assert_true(at_rest(c, 1));
    for (unsigned i = 1; i < cap; i++) {
        objs[i] = cache_alloc(c);
        assert_ptr_equal(objs[i], (char *)objs[i - 1] + c->pc_geom.size);
    }
    assert_int_equal(sc->sc_refills, 1);
    assert_true(all_miss() || sc->sc_alloc_misses == 1);
    assert_int_equal(in_arrays(c), 0);
    free_n(c, cap);
    assert_true(all_miss() || sc->sc_free_misses == 0);
    assert_int_equal(in_arrays(c), cap);
    assert_true(at_rest(c, 0));
    expect_empty();
}

/* The object freed last is the one allocated next: it is still in the caches. */
static void test_last_in_first_out(void **state)
{
    struct pcpu_cache *c = &caches[1];

    (void)state;
    alloc_n(c, 3);
    free_n(c, 3);
    assert_ptr_equal(cache_alloc(c), objs[2]);
    assert_ptr_equal(cache_alloc(c), objs[1]);
    assert_ptr_equal(cache_alloc(c), objs[0]);
    free_n(c, 3);
    expect_empty();
}

static int by_address(const void *a, const void *b)
{
    uintptr_t x = *(const uintptr_t *)a, y = *(const uintptr_t *)b;

    return (x > y) - (x < y);
}

static void test_every_cache(void **state)
{
    (void)state;
    for (unsigned k = 0; k < CACHES; k++) {
        struct pcpu_cache *c = &caches[k];
        unsigned n = (unsigned)sk_min(MANY, ((size_t)32 << 20) / c->pc_geom.size);

        alloc_n(c, n);
        assert_true(at_rest(c, n));
        qsort(objs, n, sizeof(*objs), by_address);
        for (unsigned i = 1; i < n; i++)
            assert_true((char *)objs[i] >= (char *)objs[i - 1] + c->pc_geom.size);
        free_n(c, n);
        assert_true(at_rest(c, 0));
        assert_true(in_depots(c) * c->pc_geom.size <= DEPOTS_BUDGET);
        expect_empty();
    }
}

/* A full array leaves whole, for the depot; over its budget the oldest goes home. */
static void test_flush_through_the_depot(void **state)
{
    struct pcpu_cache *c = &caches[3];
    uint64_t puts;

    (void)state;
    alloc_n(c, 2000);
    puts = SUM_OVER_NODES(c, nd_depot_puts);
    free_n(c, 2000);
    assert_true(SUM_OVER_NODES(c, nd_depot_puts) > puts);
    assert_true(in_depots(c) > 0);
    assert_true(SUM_OVER_SLOTS(c, sc_flush_objs) > 0);
    assert_true(at_rest(c, 0));
    puts = SUM_OVER_NODES(c, nd_depot_gets);
    alloc_n(c, 1000);
    assert_true(SUM_OVER_NODES(c, nd_depot_gets) > puts);
    free_n(c, 1000);
    expect_empty();
}

static void test_arrays_grow_by_misses(void **state)
{
    struct pcpu_cache *c = &caches[1];
    unsigned first;

    (void)state;
    alloc_n(c, 1);
    first = c->pc_node[plat_slot_node(plat_slot())]->nd_cap;
    free_n(c, 1);
    for (unsigned round = 0; round < 20; round++) {
        alloc_n(c, MANY);
        free_n(c, MANY);
    }
    assert_true(c->pc_node[plat_slot_node(plat_slot())]->nd_cap > first);
    assert_true(c->pc_node[plat_slot_node(plat_slot())]->nd_cap <=
                c->pc_node[plat_slot_node(plat_slot())]->nd_cap_max);
    expect_empty();
}

/* A program that goes to and fro within what an array can hold comes to live on its hits, whatever
 * arrays are left from before they grew. A thread that moves may miss a few times more. */
static void test_batches_come_to_hit(void **state)
{
    enum {
        BATCH = 64,
        ROUNDS = 400
    };
    struct pcpu_cache *c = &caches[2];
    uint64_t before;

    (void)state;
    for (unsigned round = 0; round < ROUNDS; round++) {
        alloc_n(c, BATCH);
        free_n(c, BATCH);
    }
    before = SUM_OVER_SLOTS(c, sc_alloc_misses) + SUM_OVER_SLOTS(c, sc_free_misses);
    for (unsigned round = 0; round < ROUNDS; round++) {
        alloc_n(c, BATCH);
        free_n(c, BATCH);
    }
    if (!all_miss())
        assert_in_range(SUM_OVER_SLOTS(c, sc_alloc_misses) + SUM_OVER_SLOTS(c, sc_free_misses) -
                            before,
                        0, ROUNDS / 4);
    expect_empty();
}

static void test_random(void **state)
{
    static unsigned which[MANY];
    uint64_t live[CACHES] = {0}, seed = 3;

    (void)state;
    memset(objs, 0, sizeof(objs));
    for (unsigned op = 0; op < 200000; op++) {
        unsigned i = draw(&seed, MANY), k = which[i];

        if (!objs[i]) {
            k = which[i] = draw(&seed, CACHES - 1);
            objs[i] = cache_alloc(&caches[k]);
            stamp_object(objs[i], caches[k].pc_geom.size, op);
            memcpy(objs[i], &(uint64_t){op}, 8);
            live[k]++;
        } else {
            uint64_t v;

            memcpy(&v, objs[i], 8);
            assert_true(stamp_holds((char *)objs[i] + 8, caches[k].pc_geom.size - 8, v));
            cache_free(&caches[k], objs[i]);
            objs[i] = NULL;
            live[k]--;
        }
        if (op % 10000 == 0)
            for (k = 0; k < CACHES; k++)
                assert_true(at_rest(&caches[k], live[k]));
    }
    for (unsigned i = 0; i < MANY; i++)
        if (objs[i])
            cache_free(&caches[which[i]], objs[i]);
    expect_empty();
}

/* ---- misuse, found when the object comes home ----------------------------------- */

static void free_twice(void *arg)
{
    cache_free(&caches[1], arg);
    cache_free(&caches[1], arg);
    drain_all();
}

static void free_inside(void *arg)
{
    cache_free(&caches[1], (char *)arg + 8);
    drain_all();
}

static void free_of_gone_slab(void *arg)
{
    cache_free(&caches[1], arg);
    drain_all();
    pcpu_free_slow(&caches[1], arg);
    drain_all();
}

static void test_misuse(void **state)
{
    void *p = cache_alloc(&caches[1]);

    (void)state;
    expect_death(free_twice, p, "slabkit: double free of %p, a 64-byte object of cache\n", p);
    expect_death(free_inside, p,
                 "slabkit: free of %p, which points inside a 64-byte object of cache\n",
                 (char *)p + 8);
    expect_death(free_of_gone_slab, p,
                 "slabkit: free of %p, which is not allocated (freed already?)\n", p);
    cache_free(&caches[1], p);
    expect_empty();
}

static void test_table(void **state)
{
    (void)state;
    assert_int_equal(pcpu_cache_end(), CACHES + 1);
    assert_null(pcpu_cache_at(0));
    for (unsigned i = 0; i < CACHES; i++)
        assert_ptr_equal(pcpu_cache_at(i + 1), &caches[i]);
    assert_null(pcpu_cache_at(CACHES + 1));
    assert_null(pcpu_cache_at(PLAT_SLOT_WORDS));
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_first_refill),
        cmocka_unit_test(test_last_in_first_out),
        cmocka_unit_test(test_arrays_grow_by_misses),
        cmocka_unit_test(test_batches_come_to_hit),
        cmocka_unit_test(test_every_cache),
        cmocka_unit_test(test_flush_through_the_depot),
        cmocka_unit_test(test_random),
        cmocka_unit_test(test_misuse),
        cmocka_unit_test(test_table),
    };
    pin(0);
    start(argc, argv, 0, DEPOT_BUDGET);
    return cmocka_run_group_tests(tests, NULL, NULL);
}

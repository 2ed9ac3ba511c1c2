/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: two nodes (slots take turns, each CPU a slot): where objects are placed, counted; what is freed on the other node
 *       goes home in batches, and stays in no array of the node that freed it.
 */
#include "fixture.h"

#define OBJS 6000u

static void *objs[OBJS];
static unsigned foreign_placed;

static unsigned node_of(const void *p)
{
    return region_info(p)->slab->sl_node;
}

static unsigned node_here(void)
{
    return plat_slot_node(plat_slot());
}

static void *alloc_on_1(void *arg)
{
    pin(1);
    for (unsigned i = 0; i < OBJS; i++) {
        objs[i] = kmem_cache_alloc(arg, M_WAITOK);
        foreign_placed += node_of(objs[i]) != node_here();
    }
    return NULL;
}

/* Objects of other nodes' slabs in the arrays of a node's slots, own and foreign, and in its depot. */
static unsigned strangers(struct kmem_cache *c, unsigned node, bool own_and_depot)
{
    unsigned idx = c->kc_index, n = 0;
    struct list *l;

    for (unsigned slot = node; slot < plat_nslots(); slot += 2) {
        struct slot_cache *sc = pcpu_slot_cache(slot, idx);
        struct parray *pa = sc ? sc->sc_array[own_and_depot ? SIDE_OWN : SIDE_FOREIGN] : NULL;
        uintptr_t word = *plat_slot_word(slot, idx + (own_and_depot ? 0 : PLAT_FOREIGN));

        for (void **p = pa ? pa->pa_a + 1 : NULL; pa && p <= plat_word_top(word); p++)
            n += node_of(*p) != node;
    }
    if (own_and_depot && c->kc_pcpu.pc_node[node])
        list_for_each (l, &c->kc_pcpu.pc_node[node]->nd_full) {
            struct parray *pa = SK_CONTAINER_OF(l, struct parray, pa_link);

            for (unsigned i = 1; i <= pa->pa_avail; i++)
                n += node_of(pa->pa_a[i]) != node;
        }
    return n;
}

static void test_placed_on_their_node(void **state)
{
    struct kmem_cache *c = counted_cache(100, 0);
    unsigned home = node_here();

    (void)state;
    foreign_placed = 0;
    on_another_thread(alloc_on_1, c);
    assert_int_equal(foreign_placed, 0);
    assert_int_equal(node_of(objs[0]), !home);
    for (unsigned i = 0; i < OBJS; i++)
        kmem_cache_free(c, objs[i]);
    for (unsigned i = 0; i < OBJS; i++) {
        objs[i] = kmem_cache_alloc(c, M_WAITOK);
        foreign_placed += node_of(objs[i]) != home;
    }
    assert_int_equal(foreign_placed, 0);
    kmem_cache_free_bulk(c, OBJS, objs);
    assert_int_equal(kmem_cache_destroy(c), 0);
    assert_int_equal(counts.ctors, counts.dtors);
}

/* All of the other node's are in the foreign array or at home; and they went in batches. */
static void test_home_in_batches(void **state)
{
    struct kmem_cache *c = counted_cache(100, 0);
    unsigned home = node_here();
    struct kmem_cache_stats s;

    (void)state;
    on_another_thread(alloc_on_1, c);
    for (unsigned i = 0; i < OBJS; i++)
        kmem_cache_free(c, objs[i]);
    s = stats(c);
    assert_int_equal(strangers(c, home, true), 0);
    assert_int_equal(strangers(c, !home, true), 0);
    assert_int_equal(s.remote_frees + strangers(c, home, false), OBJS);
    assert_true(s.remote_chains * 5 <= s.remote_frees);
    assert_int_equal(kmem_cache_verify(c), 0);
    assert_int_equal(kmem_cache_shrink(c), 0);
    assert_int_equal(kmem_cache_destroy(c), 0);
    assert_int_equal(counts.ctors, counts.dtors);
    assert_int_equal(counts.bad, 0);
}

/* Debug caches, whose objects come home at the call, have slabs of each node all the same. */
static void test_direct_on_both(void **state)
{
    struct kmem_cache *c = counted_cache(100, KMEM_CONSISTENCY);
    unsigned home = node_here();

    (void)state;
    foreign_placed = 0;
    on_another_thread(alloc_on_1, c);
    assert_int_equal(foreign_placed, 0);
    for (unsigned i = 0; i < OBJS; i += 2) {
        kmem_cache_free(c, objs[i]);
        objs[i] = kmem_cache_alloc(c, M_WAITOK);
        assert_int_equal(node_of(objs[i]), home);
    }
    for (unsigned i = 0; i < OBJS; i++)
        kmem_cache_free(c, objs[i]);
    assert_int_equal(stats(c).remote_frees, 0);
    assert_int_equal(kmem_cache_destroy(c), 0);
}

/* Slabs that idle age, and go. */
static void test_ageing(void **state)
{
    struct kmem_cache *c = counted_cache(100, 0);
    unsigned passes = 0;

    (void)state;
    on_another_thread(alloc_on_1, c);
    for (unsigned i = 0; i < OBJS; i++)
        kmem_cache_free(c, objs[i]);
    for (; stats(c).slabs && passes < 50; passes++) {
        plat_enter();
        pcpu_reap();
        plat_leave();
    }
    assert_in_range(passes, 3, 12);
    assert_true(stats(c).reaps > 0);
    assert_int_equal(counts.ctors, counts.dtors);
    assert_int_equal(kmem_cache_destroy(c), 0);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_placed_on_their_node),
        cmocka_unit_test(test_home_in_batches),
        cmocka_unit_test(test_direct_on_both),
        cmocka_unit_test(test_ageing),
    };
    static char mode[] = "rseq-cpu", *by_cpu[] = {NULL, mode, NULL};

    /* A slot for each CPU, so that where a thread is pinned decides. */
    if (argc > 1 && strcmp(argv[1], mode) != 0)
        return TEST_SKIPPED;
    start_nodes(2, by_cpu, 2);
    /* In a kernel the first thread is on CPU 0, and the next on CPU 1. */
    if (plat_nslots() < 2 || !((pin(1) || plat_mode() == PLAT_MODE_KERNEL) && pin(0)))
        return TEST_SKIPPED;
    return cmocka_run_group_tests(tests, NULL, NULL);
}

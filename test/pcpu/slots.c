/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: two slots: objects sent home over the remote list, slabs that come back over the
 *       returned list, how often an owner is told, slabs that change hands.
 * Owns: a second thread on a slot of its own; where none can be had the test is skipped.
 * Why: without a depot, so that a full array goes home at once. Not by concurrency ids, which
 *       may change hands as soon as there is a second thread.
 */
#include "fixture.h"

#define MANY     600u
#define SLABFULS 10000u /* of the smallest objects: more than one slab */

static void *objs[SLABFULS];

/* ---- the other slot ------------------------------------------------------------- */

struct visit {
    void (*fn)(struct pcpu_cache *c, unsigned from, unsigned to);
    struct pcpu_cache *c;
    unsigned from, to, not_slot, slot;
    bool done;
};

static void *visit_thread(void *arg)
{
    struct visit *v = arg;

    pin(1);
    v->slot = plat_slot();
    if (v->slot != v->not_slot)
        v->fn(v->c, v->from, v->to);
    sk_store_release(&v->done, true);
    return NULL;
}

/* This thread stays on its CPU meanwhile, or its slot would be free to take. */
static unsigned visit_once(struct visit *v)
{
    pthread_t thread;

    v->done = false;
    pthread_create(&thread, NULL, visit_thread, v);
    while (!sk_load_acquire(&v->done))
        sched_yield();
    pthread_join(thread, NULL);
    return v->slot;
}

/* Returns the other slot. */
static unsigned on_other_slot(void (*fn)(struct pcpu_cache *c, unsigned from, unsigned to),
                              struct pcpu_cache *c, unsigned from, unsigned to)
{
    struct visit v = {fn, c, from, to, plat_slot(), 0, false};

    for (unsigned tries = 0; tries < 20; tries++)
        if (visit_once(&v) != v.not_slot)
            return v.slot;
    fail_msg("no second slot");
    return 0;
}

static void do_nothing(struct pcpu_cache *c, unsigned from, unsigned to)
{
    (void)c;
    (void)from;
    (void)to;
}

static bool two_slots(void)
{
    struct visit v = {do_nothing, NULL, 0, 0, plat_slot(), 0, false};

    for (unsigned tries = 0; tries < 4; tries++)
        if (visit_once(&v) != v.not_slot)
            return true;
    return false;
}

static void alloc_some(struct pcpu_cache *c, unsigned from, unsigned to)
{
    for (unsigned i = from; i < to; i++)
        if ((objs[i] = cache_alloc(c)) != NULL)
            memset(objs[i], 0x11, c->pc_geom.size);
}

static void free_some(struct pcpu_cache *c, unsigned from, unsigned to)
{
    for (unsigned i = from; i < to; i++)
        if (objs[i])
            cache_free(c, objs[i]);
}

static struct slot_cache *pair(struct pcpu_cache *c, unsigned slot)
{
    return pcpu_slot_cache(slot, c->pc_geom.kind);
}

static struct slab *slab_at(const void *p)
{
    return region_info(p)->slab;
}

/* ---- the tests ------------------------------------------------------------------ */

/* All slabs are away or on this slot's list. What the other slot frees comes back to them. */
static void test_frees_go_home(void **state)
{
    struct pcpu_cache *c = &caches[3];
    unsigned me = plat_slot(), other;
    uint64_t slabs, told, stay;

    (void)state;
    alloc_some(c, 0, MANY);
    slabs = SUM_OVER_NODES(c, nd_slabs);
    assert_true(slabs > 5);
    told = SUM_OVER_SLOTS(c, sc_tells);
    other = on_other_slot(free_some, c, 0, MANY);

    assert_true(pair(c, other)->sc_remote_objs > MANY / 2);
    assert_true(pair(c, other)->sc_remote_chains > 0);
    assert_true(pair(c, other)->sc_remote_chains < pair(c, other)->sc_remote_objs);
    assert_non_null(pair(c, me)->sc_returned);
    assert_int_equal(SUM_OVER_SLOTS(c, sc_tells), told + 1);
    assert_true(at_rest(c, 0));

    stay = in_arrays(c); /* the other slot's, hence not to be had here */
    alloc_some(c, 0, MANY);
    assert_null(pair(c, me)->sc_returned);
    assert_true(SUM_OVER_NODES(c, nd_slabs) <= slabs + stay / c->pc_geom.objs + 1);
    assert_true(at_rest(c, MANY));
    on_other_slot(free_some, c, 0, MANY);
    assert_true(SUM_OVER_SLOTS(c, sc_tells) <= told + 2);
    expect_empty();
}

/* An array whose objects are of one slab goes home in one chain. */
static void test_one_chain_for_each_slab_and_batch(void **state)
{
    struct pcpu_cache *c = &caches[0];
    unsigned other, n = (unsigned)sk_min(MANY, c->pc_geom.objs);
    struct slot_cache *sc;

    (void)state;
    alloc_some(c, 0, n);
    for (unsigned i = 1; i < n; i++)
        assert_ptr_equal(slab_at(objs[i]), slab_at(objs[0]));
    other = on_other_slot(free_some, c, 0, n);
    sc = pair(c, other);
    assert_true(sc->sc_remote_chains > 0);
    assert_int_equal(sc->sc_remote_chains, sc->sc_flushes);
    assert_int_equal(sc->sc_remote_objs, sc->sc_flush_objs);
    assert_true(at_rest(c, 0));
    expect_empty();
}

#define HANDED 8u

static void free_then_alloc(struct pcpu_cache *c, unsigned from, unsigned to)
{
    free_some(c, from, to);
    alloc_some(c, from, to);
}

/* Objects of two slots share no line because one of them freed what the other had allocated. */
static void test_what_was_freed_here_is_not_given_out_here(void **state)
{
    struct pcpu_cache *c = &caches[1];
    unsigned other;

    (void)state;
    alloc_some(c, 0, HANDED);
    other = on_other_slot(free_then_alloc, c, 0, HANDED);
    for (unsigned i = 0; i < HANDED; i++)
        assert_int_equal(slab_at(objs[i])->sl_owner, other);
    assert_non_null(pair(c, other)->sc_array[SIDE_FOREIGN]);
    assert_true(at_rest(c, HANDED));
    free_some(c, 0, HANDED);
    assert_true(at_rest(c, 0));
    expect_empty();
}

/* But many of them, before a new slab is made. */
static void test_others_objects_before_a_new_slab(void **state)
{
    struct pcpu_cache *c = &caches[3];
    unsigned me = plat_slot(), n = c->pc_geom.objs / 4 + 1;
    uint64_t slabs;

    (void)state;
    if (plat_nnodes() > 1)
        skip(); /* they may be of another node */
    for (unsigned round = 0; round < 8; round++) {
        alloc_some(c, 0, MANY);
        free_some(c, 0, MANY);
    }
    drain(c);
    alloc_some(c, 0, n);
    assert_true(pair(c, me)->sc_node->nd_cap > n);
    slabs = SUM_OVER_NODES(c, nd_slabs);
    on_other_slot(free_then_alloc, c, 0, n);
    for (unsigned i = 0; i < n; i++)
        assert_int_equal(slab_at(objs[i])->sl_owner, me);
    assert_int_equal(SUM_OVER_NODES(c, nd_slabs), slabs);
    assert_true(at_rest(c, n));
    free_some(c, 0, n);
    expect_empty();
}

/* What the one leaves behind when it sleeps, the other takes over. */
static void test_orphans_are_adopted_by_another_slot(void **state)
{
    struct pcpu_cache *c = &caches[4];
    unsigned me = plat_slot(), other, mine = 0, its = 0;
    uint64_t slabs;

    (void)state;
    alloc_some(c, 0, MANY);
    free_some(c, MANY / 2, MANY);
    for (unsigned i = 1; i < MANY / 2; i += 2) {
        cache_free(c, objs[i]);
        objs[i] = NULL;
    }
    drain(c);
    for (unsigned pass = 0; pass < 8; pass++)
        reap();
    slabs = SUM_OVER_NODES(c, nd_slabs);
    assert_int_equal(SUM_OVER_NODES(c, nd_norphans), slabs);
    other = on_other_slot(alloc_some, c, MANY, MANY + MANY / 8);
    for (unsigned i = 0; i < MANY + MANY / 8; i++)
        if (i >= MANY || (i < MANY / 2 && objs[i])) {
            its += slab_at(objs[i])->sl_owner == other;
            mine += slab_at(objs[i])->sl_owner == me;
        }
    assert_true(its > MANY / 8);
    assert_int_equal(mine, 0);
    assert_int_equal(SUM_OVER_NODES(c, nd_slabs), slabs);
    assert_true(at_rest(c, MANY / 4 + MANY / 8));
    free_some(c, 0, MANY / 2);
    free_some(c, MANY, MANY + MANY / 8);
    assert_true(at_rest(c, 0));
    expect_empty();
}

/* No memory is mapped for one slot while another has several slabs with free objects. */
static void test_a_slot_gives_up_slabs(void **state)
{
    struct pcpu_cache *c = &caches[4];
    uint64_t slabs, adoptions;

    (void)state;
    alloc_some(c, 0, MANY);
    for (unsigned i = 1; i < MANY; i += 2) {
        cache_free(c, objs[i]);
        objs[i] = NULL;
    }
    drain(c);
    slabs = SUM_OVER_NODES(c, nd_slabs);
    adoptions = SUM_OVER_NODES(c, nd_adoptions);
    assert_true(pair(c, plat_slot())->sc_npartial > 10);
    on_other_slot(alloc_some, c, MANY, MANY + MANY / 8);
    assert_int_equal(SUM_OVER_NODES(c, nd_slabs), slabs);
    assert_true(SUM_OVER_NODES(c, nd_adoptions) > adoptions);
    assert_true(at_rest(c, MANY / 2 + MANY / 8));
    free_some(c, 0, MANY);
    free_some(c, MANY, MANY + MANY / 8);
    expect_empty();
}

/* Away, and its owner never comes by again: the reaper takes the returned slabs for it. */
static void test_returned_slabs_of_a_sleeping_slot(void **state)
{
    struct pcpu_cache *c = &caches[3];
    unsigned other;

    (void)state;
    other = on_other_slot(alloc_some, c, 0, MANY);
    free_some(c, 0, MANY);
    assert_true(at_rest(c, 0));
    for (unsigned pass = 0; used_bytes(); pass++) {
        assert_true(pass < 20);
        reap();
    }
    assert_null(pair(c, other)->sc_returned);
    expect_empty();
}

/* Told, a slot takes what came back to it: of each cache from the first on, and nothing of another slot's. */
static void test_a_slot_that_was_told_takes_what_is_its_own(void **state)
{
    struct pcpu_cache *c = &caches[0];
    unsigned me = plat_slot(), other;

    (void)state;
    alloc_some(c, 0, SLABFULS);
    other = on_other_slot(free_some, c, 0, SLABFULS);
    assert_non_null(pair(c, me)->sc_returned);
    pcpu_settle(other);
    assert_non_null(pair(c, me)->sc_returned);
    pcpu_settle(me);
    assert_null(pair(c, me)->sc_returned);
    expect_empty();
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_frees_go_home, empty_again),
        cmocka_unit_test_setup(test_one_chain_for_each_slab_and_batch, empty_again),
        cmocka_unit_test_setup(test_what_was_freed_here_is_not_given_out_here, empty_again),
        cmocka_unit_test_setup(test_others_objects_before_a_new_slab, empty_again),
        cmocka_unit_test_setup(test_orphans_are_adopted_by_another_slot, empty_again),
        cmocka_unit_test_setup(test_a_slot_gives_up_slabs, empty_again),
        cmocka_unit_test_setup(test_returned_slabs_of_a_sleeping_slot, empty_again),
        cmocka_unit_test_setup(test_a_slot_that_was_told_takes_what_is_its_own, empty_again),
    };
    static char *by_locks[] = {"", "portable", NULL};

    pin(0);
    start(argc > 1 ? argc : 2, argc > 1 ? argv : by_locks, 0, 0);
    if (!two_slots())
        return TEST_SKIPPED;
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: two nodes (slots take turns): each with depot, slabs and arrays of its own, objects free
 *       to wander.
 */
#include "fixture.h"

#define THREADS 4u
#define EACH    800u

static void *objs[THREADS][EACH];
static unsigned faults;

struct job {
    struct pcpu_cache *c;
    unsigned from, to;
};

static void check_home(const void *p)
{
    const struct slab *s = region_info(p)->slab;
    unsigned owner = sk_load_relaxed(&s->sl_owner);

    if (owner != SLAB_NO_OWNER && plat_slot_node(owner) != s->sl_node)
        sk_add_relaxed(&faults, 1);
}

static void *alloc_job(void *arg)
{
    const struct job *job = arg;

    for (unsigned i = 0; i < EACH; i++) {
        void *p = cache_alloc(job->c);

        if (!p || (check_home(p), false))
            sk_add_relaxed(&faults, 1);
        else
            stamp_object(p, job->c->pc_geom.size, job->to);
        objs[job->to][i] = p;
    }
    return NULL;
}

static void *free_job(void *arg)
{
    const struct job *job = arg;

    for (unsigned i = 0; i < EACH; i++) {
        if (!stamp_holds(objs[job->from][i], job->c->pc_geom.size, job->from))
            sk_add_relaxed(&faults, 1);
        cache_free(job->c, objs[job->from][i]);
    }
    return NULL;
}

static void run(void *(*fn)(void *), struct pcpu_cache *c, unsigned shift)
{
    pthread_t threads[THREADS];
    struct job jobs[THREADS];

    for (unsigned i = 0; i < THREADS; i++) {
        jobs[i] = (struct job){c, (i + shift) % THREADS, i};
        pthread_create(&threads[i], NULL, fn, &jobs[i]);
    }
    for (unsigned i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
}

/* Every list of a node holds slabs of that node's memory only. */
static bool lists_are_of_their_node(struct pcpu_cache *c)
{
    bool ok = true;

    for (unsigned node = 0; node < 2 && c->pc_node[node]; node++) {
        struct list *l, *lists[] = {&c->pc_node[node]->nd_orphans, &c->pc_node[node]->nd_idle};

        for (unsigned k = 0; k < 2; k++)
            list_for_each (l, lists[k])
                ok &= SK_CONTAINER_OF(l, struct slab, sl_link)->sl_node == node;
    }
    for (unsigned slot = 0; slot < plat_nslots(); slot++) {
        struct slot_cache *sc = pcpu_slot_cache(slot, c->pc_geom.kind);
        struct list *l;

        if (sc)
            list_for_each (l, &sc->sc_partial)
                ok &= SK_CONTAINER_OF(l, struct slab, sl_link)->sl_node == plat_slot_node(slot);
    }
    return ok;
}

static void test_topology(void **state)
{
    (void)state;
    assert_int_equal(plat_nnodes(), 2);
    for (unsigned slot = 0; slot < plat_nslots(); slot++)
        assert_int_equal(plat_slot_node(slot), slot % 2);
}

static void test_objects_wander(void **state)
{
    (void)state;
    for (unsigned shift = 0; shift < 2 * THREADS; shift++)
        for (unsigned k = 0; k < CACHES - 1; k++) {
            run(alloc_job, &caches[k], 0);
            assert_true(at_rest(&caches[k], THREADS * EACH));
            run(free_job, &caches[k], shift);
            assert_true(at_rest(&caches[k], 0));
            assert_true(lists_are_of_their_node(&caches[k]));
            reap();
        }
    assert_int_equal(faults, 0);
    expect_empty();
}

/* Orphans of one node are not for the other's slots. */
static void test_orphans_stay_on_their_node(void **state)
{
    struct pcpu_cache *c = &caches[4];
    unsigned slot;
    bool some_here;

    (void)state;
    pin(0);
    run(alloc_job, c, 0);
    for (unsigned t = 0; t < THREADS; t++)
        for (unsigned i = 1; i < EACH; i += 2)
            cache_free(c, objs[t][i]);
    drain(c);
    for (unsigned pass = 0; pass < 8; pass++)
        reap();
    assert_true(SUM_OVER_NODES(c, nd_norphans) > 0);
    assert_true(lists_are_of_their_node(c));
    slot = plat_slot();
    some_here = c->pc_node[slot % 2] && c->pc_node[slot % 2]->nd_norphans;
    for (unsigned t = 0; t < THREADS; t++)
        for (unsigned i = 1; i < EACH; i += 2) {
            objs[t][i] = cache_alloc(c);
            check_home(objs[t][i]);
        }
    assert_true(SUM_OVER_NODES(c, nd_adoptions) > 0 || !some_here || plat_slot() != slot);
    assert_true(lists_are_of_their_node(c));
    assert_true(at_rest(c, THREADS * EACH));
    for (unsigned t = 0; t < THREADS; t++)
        for (unsigned i = 0; i < EACH; i++)
            cache_free(c, objs[t][i]);
    assert_int_equal(faults, 0);
    expect_empty();
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_topology),
        cmocka_unit_test(test_objects_wander),
        cmocka_unit_test(test_orphans_stay_on_their_node),
    };
    start(argc, argv, 2, DEPOT_BUDGET);
    return cmocka_run_group_tests(tests, NULL, NULL);
}

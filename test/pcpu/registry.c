/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: caches that come and go, beside walkers and forks of them; arrays switched off and on;
 *       the direct mode; tuned arrays.
 */
#include "fixture.h"

#include <sys/wait.h>

#define OBJS 3000u

static void *objs[OBJS];

static struct pcpu_cache *make(size_t size, enum pcpu_mode mode)
{
    struct pcpu_cache *c = calloc(1, sizeof(*c));

    slab_geom_init(&c->pc_geom, "guest", size, 8, 0);
    c->pc_mode = mode;
    assert_true(pcpu_cache_open(c));
    assert_true(c->pc_geom.kind >= PCPU_DYNAMIC_FIRST);
    return c;
}

static void end(struct pcpu_cache *c)
{
    pcpu_cache_hide(c);
    drain(c);
    assert_int_equal(pcpu_objs_out(c), 0);
    assert_int_equal(SUM_OVER_NODES(c, nd_slabs), 0);
    plat_enter();
    pcpu_cache_close(c);
    plat_leave();
    free(c);
}

/* What the walker had in its hands at the fork is lost to the child: an object then counts as out. */
static void end_in_child(struct pcpu_cache *c)
{
    pcpu_cache_hide(c);
    drain(c);
    plat_enter();
    if (pcpu_objs_out(c) == 0)
        pcpu_cache_close(c);
    plat_leave();
}

static void use(struct pcpu_cache *c, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        objs[i] = cache_alloc(c);
        assert_non_null(objs[i]);
        stamp_object(objs[i], c->pc_geom.size, i);
    }
    for (unsigned i = 0; i < n; i++) {
        assert_true(stamp_holds(objs[i], c->pc_geom.size, i));
        cache_free(c, objs[i]);
    }
}

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

static bool over;

static void fault_is_one(const struct pcpu_cache *c, const char *what)
{
    print_fault(c, what);
    sk_store_relaxed(&over, true);
}

static void *walker(void *arg)
{
    struct pcpu_cache *c;
    unsigned idx;

    (void)arg;
    while (!sk_load_relaxed(&over)) {
        plat_enter();
        pcpu_reap();
        pcpu_idle_bytes();
        pcpu_drain_all();
        pcpu_for_each(c, idx) pcpu_verify(c, fault_is_one);
        plat_leave();
    }
    return NULL;
}

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

static void fork_prepare(void)
{
    plat_enter();
    pcpu_fork_prepare();
    region_fork_prepare();
    meta_fork_prepare();
    plat_fork_prepare();
}

static void fork_parent(void)
{
    plat_fork_parent();
    meta_fork_parent();
    region_fork_parent();
    pcpu_fork_parent();
    plat_leave();
}

static void fork_child(void)
{
    plat_fork_child();
    meta_fork_child();
    region_fork_child();
    pcpu_fork_child();
    plat_leave();
}

/* A walker may be at a cache when another thread forks: the child can end that cache. */
static void test_fork_beside_a_walker(void **state)
{
    struct pcpu_cache *c = make(64, PCPU_ARRAYS);
    pthread_t thread;

    (void)state;
    over = false;
    use(c, OBJS);
    pthread_create(&thread, NULL, walker, NULL);
    for (unsigned i = 0; i < 40; i++) {
        pid_t pid;
        int status;

        fork_prepare();
        pid = fork();
        if (pid == 0) {
            fork_child();
            use(c, 100);
            end_in_child(c);
            _exit(region_verify() ? 0 : 1);
        }
        fork_parent();
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    }
    sk_store_relaxed(&over, true);
    pthread_join(thread, NULL);
    end(c);
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
        cmocka_unit_test(test_fork_beside_a_walker),
    };
    start(argc, argv, 0, DEPOT_BUDGET);
    return cmocka_run_group_tests(tests, NULL, NULL);
}

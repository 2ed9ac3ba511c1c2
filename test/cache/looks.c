/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: looking at caches: which objects live, whose an address is, figures that add up, tuning, verification; and
 *       caches with debug flags doing all of it.
 */
#include "fixture.h"

#define OBJS 2000u

static void *objs[OBJS];

static void take(struct kmem_cache *c, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        assert_non_null(objs[i] = kmem_cache_alloc(c, M_WAITOK));
}

/* ---- walk ------------------------------------------------------------------------------- */

struct seen {
    size_t n, stop_at, unknown, twice;
    bool marked[OBJS];
};

static int see(void *obj, void *arg)
{
    struct seen *s = arg;
    unsigned i = 0;

    while (i < OBJS && objs[i] != obj)
        i++;
    if (i == OBJS)
        s->unknown++;
    else if (s->marked[i])
        s->twice++;
    else
        s->marked[i] = true;
    return ++s->n == s->stop_at;
}

static void *free_odd(void *arg)
{
    pin(1);
    for (unsigned i = 1; i < OBJS; i += 2) {
        kmem_cache_free(arg, objs[i]);
        objs[i] = NULL;
    }
    return NULL;
}

/* Those that are free are in arrays and depots of two slots, in remote chains, in slabs, in the reserve. */
static void check_walk(struct kmem_cache_args args)
{
    struct kmem_cache *c = kmem_create("walk", 200, &args);
    struct seen seen = {0};

    take(c, OBJS);
    assert_int_equal(kmem_cache_walk(c, see, &seen), OBJS);
    assert_int_equal(seen.unknown + seen.twice, 0);
    on_another_thread(free_odd, c);
    seen = (struct seen){0};
    assert_int_equal(kmem_cache_walk(c, see, &seen), OBJS / 2);
    assert_int_equal(seen.unknown + seen.twice, 0);
    seen = (struct seen){.stop_at = 7};
    assert_int_equal(kmem_cache_walk(c, see, &seen), 7);
    for (unsigned i = 0; i < OBJS; i += 2)
        kmem_cache_free(c, objs[i]);
    assert_int_equal(kmem_cache_walk(c, see, &seen), 0);
    assert_int_equal(kmem_cache_verify(c), 0);
    assert_int_equal(kmem_cache_destroy(c), 0);
}

static void test_walk(void **state)
{
    (void)state;
    counts = (struct counts){0};
    check_walk((struct kmem_cache_args){0});
    check_walk((struct kmem_cache_args){.reserve = 25});
    check_walk((struct kmem_cache_args){.ctor = count_ctor, .dtor = count_dtor, .priv = &counts});
    check_walk((struct kmem_cache_args){.limit = 3, .batchcount = 2});
    check_walk((struct kmem_cache_args){.flags = KMEM_DEBUG});
    check_walk((struct kmem_cache_args){.flags = KMEM_DEBUG,
                                        .ctor = count_ctor,
                                        .dtor = count_dtor,
                                        .priv = &counts,
                                        .reserve = 5});
    assert_int_equal(counts.ctors, counts.dtors);
    assert_int_equal(counts.bad, 0);
}

static void *churn(void *arg)
{
    void *mine[100];

    for (unsigned i = 0; i < 300; i++) {
        kmem_cache_alloc_bulk(arg, M_WAITOK, 100, mine);
        kmem_cache_free_bulk(arg, 100, mine);
        if (i % 50 == 0)
            kmem_cache_shrink(arg);
    }
    return NULL;
}

/* What stays out is seen beside what comes and goes. */
static void test_walk_beside_threads(void **state)
{
    struct kmem_cache *c = counted_cache(120, 0);
    pthread_t threads[2];

    (void)state;
    take(c, 100);
    for (unsigned i = 0; i < 2; i++)
        pthread_create(&threads[i], NULL, churn, c);
    for (unsigned round = 0; round < 50; round++) {
        struct seen seen = {0};
        unsigned marked = 0;

        kmem_cache_walk(c, see, &seen);
        for (unsigned i = 0; i < 100; i++)
            marked += seen.marked[i];
        assert_int_equal(marked, 100);
        assert_int_equal(seen.twice, 0);
    }
    for (unsigned i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    kmem_cache_free_bulk(c, 100, objs);
    assert_int_equal(kmem_cache_destroy(c), 0);
}

/* ---- of ----------------------------------------------------------------------------------- */

static void check_of(unsigned flags)
{
    struct kmem_cache *c = kmem_create("of", 100, &(struct kmem_cache_args){.flags = flags});
    char *p = kmem_cache_alloc(c, M_WAITOK);

    assert_ptr_equal(kmem_cache_of(p), c);
    assert_ptr_equal(kmem_cache_of(p + 99), c);
    assert_null(kmem_cache_of(p + 100));
    assert_null(kmem_cache_of(region_info(p)->slab->sl_run + 65535));
    assert_null(kmem_cache_of(&c));
    assert_null(kmem_cache_of(NULL));
    kmem_cache_free(c, p);
    assert_int_equal(kmem_cache_destroy(c), 0);
    assert_null(kmem_cache_of(p));
}

static void test_of(void **state)
{
    (void)state;
    check_of(0);
    check_of(KMEM_REDZONE);
}

/* ---- figures ------------------------------------------------------------------------------ */

static void check_sums(struct kmem_cache *c, uint64_t out)
{
    struct kmem_cache_stats s = stats(c);

    assert_int_equal(s.live, out);
    assert_int_equal(s.allocs - s.frees, out + s.reserve);
    assert_int_equal(s.slabs, s.grows - s.shrinks);
    assert_int_equal(s.total, s.slabs * s.slab_objs);
    assert_int_equal(s.bytes, s.slabs * s.slab_bytes);
    assert_int_equal(s.slabs, s.slabs_partial + s.slabs_full + s.slabs_free);
    assert_true(s.live + s.array_objs + s.depot_objs + s.reserve <= s.total);
    assert_true(s.hits <= s.allocs);
}

static void test_figures(void **state)
{
    struct kmem_cache *c = kmem_create("figures", 100, NULL);
    struct kmem_cache_stats s;

    (void)state;
    for (unsigned round = 0; round < 3; round++) {
        take(c, OBJS);
        check_sums(c, OBJS);
        on_another_thread(free_odd, c);
        check_sums(c, OBJS / 2);
        for (unsigned i = 0; i < OBJS; i += 2)
            kmem_cache_free(c, objs[i]);
        check_sums(c, 0);
    }
    s = stats(c);
    assert_int_equal(s.allocs, 3 * OBJS);
    assert_true(s.hits > s.allocs / 2);
    assert_true(s.refills > 0 && s.limit > 0 && s.shared > 0 && s.batchcount == s.limit);
    assert_int_equal(kmem_cache_shrink(c), 0);
    s = stats(c);
    assert_int_equal(s.slabs, 0);
    assert_true(s.flushes > 0);
    assert_true(plat_nslots() < 2 || s.remote_frees > 0);
    assert_int_equal(kmem_cache_destroy(c), 0);
}

static void test_tuned(void **state)
{
    struct kmem_cache_args args = {.limit = 30, .batchcount = 10};
    struct kmem_cache *c = kmem_create("tuned", 100, &args);
    struct kmem_cache_stats s;

    (void)state;
    kmem_cache_free(c, kmem_cache_alloc(c, M_WAITOK));
    s = stats(c);
    assert_int_equal(s.limit, 30);
    assert_int_equal(s.batchcount, 10);
    assert_int_equal(kmem_cache_tune(c, 50, 51, 0), EINVAL);
    assert_int_equal(kmem_cache_tune(c, 1u << 20, 0, 0), EINVAL);
    assert_int_equal(kmem_cache_tune(c, 8, 4, 2), 0);
    take(c, OBJS);
    kmem_cache_free_bulk(c, OBJS, objs);
    s = stats(c);
    assert_int_equal(s.limit, 8);
    assert_int_equal(s.batchcount, 4);
    assert_int_equal(s.shared, 2);
    assert_true(s.depot_objs <= 2 * 8);
    assert_int_equal(kmem_cache_destroy(c), 0);
}

/* ---- with debug flags ------------------------------------------------------------------------ */

static void check_debug(unsigned flags, bool ctor)
{
    struct kmem_cache_args args = {.flags = flags};
    struct kmem_cache *c;

    counts = (struct counts){0};
    if (ctor) {
        args.ctor = count_ctor;
        args.dtor = count_dtor;
        args.priv = &counts;
    }
    c = kmem_create("debug", 77, &args);
    for (unsigned round = 0; round < 3; round++) {
        take(c, OBJS);
        for (unsigned i = 0; i < OBJS; i++) {
            if (!ctor)
                memset(objs[i], (int)i, 77);
            else
                assert_true(is_constructed(objs[i]));
        }
        assert_int_equal(kmem_cache_verify(c), 0);
        on_another_thread(free_odd, c);
        assert_int_equal(kmem_cache_verify(c), 0);
        for (unsigned i = 0; i < OBJS; i += 2)
            kmem_cache_free_deferred(c, objs[i]);
        kmem_cache_barrier();
        assert_int_equal(live(c), 0);
        kmem_cache_shrink(c);
    }
    assert_int_equal(stats(c).hits, 0);
    assert_int_equal(kmem_cache_destroy(c), 0);
    assert_int_equal(counts.ctors, counts.dtors);
    assert_int_equal(counts.bad, 0);
}

static void test_debug_flags(void **state)
{
    static const unsigned flags[] = {KMEM_CONSISTENCY, KMEM_REDZONE, KMEM_POISON, KMEM_STORE_USER,
                                     KMEM_DEBUG};

    (void)state;
    for (unsigned i = 0; i < SK_ARRAY_SIZE(flags); i++) {
        check_debug(flags[i], false);
        check_debug(flags[i], true);
    }
}

struct shot {
    struct kmem_cache *c;
    void *p;
};

static void free_twice(void *arg)
{
    struct shot *s = arg;

    kmem_cache_free(s->c, s->p);
    kmem_cache_free(s->c, s->p);
}

/* Damage without a report would be none found: verify sees what a program wrote to a free object. */
static void test_damage_is_found(void **state)
{
    struct kmem_cache *c =
        kmem_create("dented", 64, &(struct kmem_cache_args){.flags = KMEM_POISON});
    struct shot s = {c, kmem_cache_alloc(c, M_WAITOK)};
    struct death d;

    (void)state;
    kmem_cache_free(c, s.p);
    ((char *)s.p)[5] ^= 1;
    assert_int_equal(kmem_cache_verify(c), 1);
    ((char *)s.p)[5] ^= 1;
    assert_int_equal(kmem_cache_verify(c), 0);
    assert_int_equal(kmem_cache_destroy(c), 0);
    c = kmem_create("strict", 64, &(struct kmem_cache_args){.flags = KMEM_CONSISTENCY});
    s = (struct shot){c, kmem_cache_alloc(c, M_WAITOK)};
    d = die_in_child(free_twice, &s);
    assert_true(WIFSIGNALED(d.status));
    assert_non_null(strstr(d.text, "slabkit: double free of "));
    kmem_cache_free(c, s.p);
    assert_int_equal(kmem_cache_destroy(c), 0);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_walk),
        cmocka_unit_test(test_walk_beside_threads),
        cmocka_unit_test(test_of),
        cmocka_unit_test(test_figures),
        cmocka_unit_test(test_tuned),
        cmocka_unit_test(test_debug_flags),
        cmocka_unit_test(test_damage_is_found),
    };
    start(argc, argv);
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: a cache that shrank and goes on replacing objects gathers them in few slabs: what is freed
 *       of sparse slabs goes home, and what is allocated comes from others.
 * Owns: the live objects, each freed and replaced at random.
 */
#include "fixture.h"

#define MANY  16384u
#define LIVE  2048u /* are left of them */
#define TURNS 10u   /* each of these replaces as many as live */
#define BURST 256u

static void *objs[MANY];
static uint64_t seed = 1;

/* The generator of Knuth's MMIX. */
static unsigned below(unsigned n)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)((seed >> 33) % n);
}

static void fill(struct pcpu_cache *c)
{
    for (unsigned i = 0; i < MANY; i++)
        assert_non_null(objs[i] = cache_alloc(c));
}

/* At random, so that every slab keeps some. */
static void shrink(struct pcpu_cache *c)
{
    for (unsigned n = MANY; n > LIVE; n--) {
        unsigned i = below(n);

        cache_free(c, objs[i]);
        objs[i] = objs[n - 1];
    }
}

/* In bursts, as programs do: the array runs empty, and full. */
static void replace(struct pcpu_cache *c, unsigned times)
{
    void *more[BURST];

    for (unsigned n = 0; n < times; n += BURST) {
        for (unsigned i = 0; i < BURST; i++)
            assert_non_null(more[i] = cache_alloc(c));
        for (unsigned i = 0; i < BURST; i++) {
            void **one = &objs[below(LIVE)];

            cache_free(c, *one);
            *one = more[i];
        }
    }
}

static void free_live(struct pcpu_cache *c)
{
    for (unsigned i = 0; i < LIVE; i++)
        cache_free(c, objs[i]);
}

static uint64_t slabs_in_use(struct pcpu_cache *c)
{
    return SUM_OVER_NODES(c, nd_slabs) - SUM_OVER_NODES(c, nd_nidle);
}

static void gathers(struct pcpu_cache *c)
{
    uint64_t least = (LIVE + c->pc_geom.objs - 1) / c->pc_geom.objs, full, spread;

    fill(c);
    full = slabs_in_use(c);
    shrink(c);
    spread = slabs_in_use(c);
    assert_true(spread > full / 2); /* nearly all: that is what the rest is about */
    replace(c, TURNS * LIVE);
    assert_true(at_rest(c, LIVE));
    /* What waits to come home does not wait for ever, if only hits go by. */
    for (unsigned pass = 0; pass < 4; pass++) {
        void *p = cache_alloc(c);

        reap();
        cache_free(c, p);
        reap();
    }
    assert_true(in_arrays(c) > 0);
    print_message("%u bytes: %llu slabs, %llu when it shrank, now %llu, at least %llu\n",
                  c->pc_geom.size, (unsigned long long)full, (unsigned long long)spread,
                  (unsigned long long)slabs_in_use(c), (unsigned long long)least);
    assert_true(slabs_in_use(c) <= spread / 2);
    assert_true(slabs_in_use(c) <= 2 * least);
    free_live(c);
}

static void test_a_cache_that_shrank_gathers_its_objects(void **state)
{
    (void)state;
    gathers(&caches[2]);
    expect_empty();
    gathers(&caches[3]);
    expect_empty();
}

/* What is freed of a sparse slab is not given out again at once: it comes home first. */
static void test_objects_of_sparse_slabs_come_home(void **state)
{
    struct pcpu_cache *c = &caches[2];
    unsigned sparse = 0;

    (void)state;
    fill(c);
    shrink(c);
    for (unsigned i = 0; i < LIVE; i++) {
        uint32_t kind = region_kind(objs[i]);
        const struct slab *s = region_info(objs[i])->slab;

        assert_int_equal(PLAT_KIND_INDEX(kind), c->pc_geom.kind);
        assert_int_equal(PLAT_KIND_SLOT(kind) == PLAT_SLOT_NOBODY, s->sl_sparse != 0);
        if (s->sl_sparse && sparse++ == 0) {
            void *freed = objs[i];

            cache_free(c, freed);
            objs[i] = cache_alloc(c);
            assert_ptr_not_equal(objs[i], freed);
        }
    }
    assert_true(sparse > LIVE / 2);
    free_live(c);
    expect_empty();
}

/* The slab that objects are taken from is never one, and a few slabs on a list are none. */
static void test_few_slabs_are_not_sparse(void **state)
{
    struct pcpu_cache *c = &caches[2];
    unsigned n = 3 * c->pc_geom.objs;

    (void)state;
    for (unsigned i = 0; i < n; i++)
        assert_non_null(objs[i] = cache_alloc(c));
    for (unsigned i = 0; i < n; i += 2)
        cache_free(c, objs[i]);
    drain(c);
    for (unsigned i = 1; i < n; i += 2) {
        assert_int_equal(PLAT_KIND_SLOT(region_kind(objs[i])), plat_slot());
        cache_free(c, objs[i]);
    }
    expect_empty();
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_a_cache_that_shrank_gathers_its_objects, empty_again),
        cmocka_unit_test_teardown(test_objects_of_sparse_slabs_come_home, empty_again),
        cmocka_unit_test_teardown(test_few_slabs_are_not_sparse, empty_again),
    };
    pin(0);
    start(argc, argv, 1, DEPOT_BUDGET);
    return cmocka_run_group_tests(tests, NULL, NULL);
}

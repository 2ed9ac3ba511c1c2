/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: constructed state: constructors and destructors are counted, fail half-way, and objects keep what they were made;
 *       colours; sizes from a byte to 16 MiB.
 */
#include "fixture.h"

#define OBJS 5000u

static void *objs[OBJS];

static void take(struct kmem_cache *c, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        objs[i] = kmem_cache_alloc(c, M_WAITOK);
        assert_non_null(objs[i]);
    }
}

static void give(struct kmem_cache *c, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        kmem_cache_free(c, objs[i]);
}

/* ---- counts ---------------------------------------------------------------------- */

static void test_once_per_object_of_a_slab(void **state)
{
    struct balance before = balance_now();
    struct kmem_cache *c = counted_cache(100, 0);
    struct kmem_cache_stats s;

    (void)state;
    assert_int_equal(counts.ctors, 0);
    for (unsigned round = 0; round < 50; round++) {
        take(c, OBJS);
        for (unsigned i = 0; i < OBJS; i++) {
            struct counted *o = objs[i];

            assert_true(is_constructed(o));
            o->serial++;
        }
        give(c, OBJS);
    }
    s = stats(c);
    assert_int_equal(counts.ctors, s.grows * s.slab_objs);
    assert_int_equal(counts.ctors - counts.dtors, s.total);
    assert_int_equal(s.live, 0);
    assert_int_equal(s.allocs, 50 * OBJS);
    assert_int_equal(s.frees, 50 * OBJS);
    assert_int_equal(kmem_cache_verify(c), 0);
    assert_int_equal(kmem_cache_destroy(c), 0);
    assert_int_equal(counts.dtors, counts.ctors);
    assert_int_equal(counts.bad, 0);
    expect_balance(before);
}

/* Each object sees what it was left with, however it went from slot to slot. */
static void *swap_one(void *arg)
{
    struct kmem_cache *c = arg;
    unsigned seed = (unsigned)(uintptr_t)&seed;
    struct counted *mine[64] = {0};

    for (unsigned round = 0; round < 30000; round++) {
        struct counted **o = &mine[rand_r(&seed) % 64];

        if (!*o) {
            *o = kmem_cache_alloc(c, M_WAITOK);
            sk_add_relaxed(&counts.bad, !*o || !is_constructed(*o));
        } else {
            void *cell = sk_xchg_acq_rel(&objs[rand_r(&seed) % 200], *o);

            kmem_cache_free(c, cell);
            *o = NULL;
        }
        if (round % 5000 == 4000)
            kmem_cache_shrink(c);
    }
    for (unsigned i = 0; i < 64; i++)
        kmem_cache_free(c, mine[i]);
    return NULL;
}

static void test_state_stays_between_threads(void **state)
{
    struct kmem_cache *c = counted_cache(200, 0);
    pthread_t threads[4];

    (void)state;
    memset(objs, 0, sizeof(objs));
    for (unsigned i = 0; i < 4; i++)
        pthread_create(&threads[i], NULL, swap_one, c);
    for (unsigned i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    give(c, 200);
    assert_int_equal(live(c), 0);
    assert_int_equal(kmem_cache_verify(c), 0);
    assert_int_equal(kmem_cache_destroy(c), 0);
    assert_int_equal(counts.ctors, counts.dtors);
    assert_int_equal(counts.bad, 0);
}

/* ---- failure --------------------------------------------------------------------- */

static void test_failure_half_way_undoes_itself(void **state)
{
    struct balance before = balance_now();
    struct kmem_cache *c = counted_cache(1000, 0);
    unsigned n = (unsigned)stats(c).slab_objs;

    (void)state;
    for (unsigned at = 1; at <= n; at++) {
        counts = (struct counts){.fail_at = at, .error = at % 2 ? EPERM : ENOSPC};
        errno = 0;
        assert_null(kmem_cache_alloc(c, M_WAITOK));
        assert_int_equal(errno, at % 2 ? EPERM : ENOSPC);
        assert_int_equal(counts.ctors, at - 1);
        assert_int_equal(counts.dtors, at - 1);
        assert_int_equal(counts.bad, 0);
        assert_int_equal(stats(c).slabs, 0);
        assert_int_equal(stats(c).failures, at);
    }
    assert_non_null(objs[0] = kmem_cache_alloc(c, M_WAITOK));
    kmem_cache_free(c, objs[0]);
    assert_int_equal(kmem_cache_destroy(c), 0);
    expect_balance(before);
}

static void test_failure_of_the_first_slab_of_a_reserve(void **state)
{
    struct balance before = balance_now();
    struct kmem_cache_args args = {.ctor = count_ctor, .priv = &counts, .reserve = 10};

    (void)state;
    counts = (struct counts){.fail_at = 5, .error = EIO};
    errno = 0;
    assert_null(kmem_create("never", 100, &args));
    assert_int_equal(errno, EIO);
    expect_balance(before);
}

/* A constructor may use other caches, and flags are passed on. */
struct nest {
    struct kmem_cache *inner;
    int flags;
};

static int nest_ctor(void *obj, void *priv, int flags)
{
    struct nest *nest = priv;

    nest->flags = flags;
    *(void **)obj = kmem_cache_alloc(nest->inner, flags);
    return *(void **)obj ? 0 : ENOMEM;
}

static void nest_dtor(void *obj, void *priv)
{
    struct nest *nest = priv;

    kmem_cache_free(nest->inner, *(void **)obj);
}

static void test_constructor_allocates(void **state)
{
    struct balance before = balance_now();
    struct nest nest = {counted_cache(64, 0), 0};
    struct kmem_cache_args args = {.ctor = nest_ctor, .dtor = nest_dtor, .priv = &nest};
    struct kmem_cache *c = kmem_create("outer", 300, &args);

    (void)state;
    take(c, OBJS);
    assert_int_equal(nest.flags, M_WAITOK);
    assert_int_equal(live(nest.inner), stats(c).total);
    give(c, OBJS);
    errno = 77;
    assert_int_equal(kmem_cache_shrink(c), 0);
    assert_int_equal(errno, 77);
    assert_int_equal(live(nest.inner), 0);
    assert_non_null(objs[0] = kmem_cache_alloc(c, M_NOWAIT | M_USE_RESERVE));
    assert_int_equal(nest.flags, M_NOWAIT | M_USE_RESERVE);
    kmem_cache_free(c, objs[0]);
    assert_int_equal(kmem_cache_destroy(c), 0);
    assert_int_equal(kmem_cache_destroy(nest.inner), 0);
    expect_balance(before);
}

/* ---- zeroes ---------------------------------------------------------------------- */

static void test_zeroed(void **state)
{
    struct kmem_cache *c = kmem_create("zero", 123, NULL);

    (void)state;
    for (unsigned round = 0; round < 3; round++) {
        for (unsigned i = 0; i < 500; i++) {
            char *p = objs[i] = kmem_cache_alloc(c, M_WAITOK | M_ZERO);

            for (unsigned k = 0; k < 123; k++)
                assert_int_equal(p[k], 0);
            memset(p, 0xff, 123);
        }
        give(c, 500);
    }
    assert_int_equal(kmem_cache_destroy(c), 0);
    c = counted_cache(64, 0);
    for (unsigned round = 0; round < 2; round++) {
        errno = 0;
        assert_null(kmem_cache_alloc(c, M_ZERO));
        assert_int_equal(errno, EINVAL);
        errno = 0;
        assert_int_equal(kmem_cache_alloc_bulk(c, M_ZERO, 3, objs), 0);
        assert_int_equal(errno, EINVAL);
        assert_int_equal(live(c), 0);
        kmem_cache_free(c, kmem_cache_alloc(c, 0));
    }
    assert_int_equal(kmem_cache_destroy(c), 0);
}

/* ---- colours --------------------------------------------------------------------- */

static unsigned offsets_seen(struct kmem_cache *c, unsigned n, bool *seen, size_t step)
{
    unsigned colours = 0;

    for (unsigned i = 0; i < n; i++) {
        const struct slab *s = region_info(objs[i])->slab;
        size_t off = (size_t)(s->sl_first - s->sl_run);

        assert_int_equal(off % step, 0);
        assert_in_range(off / step, 0, stats(c).colours - 1);
        colours += !seen[off / step];
        seen[off / step] = true;
    }
    return colours;
}

/* Successive slabs begin at every colour in turn; also those of sizes that divide the page. */
static void test_colours(void **state)
{
    static const size_t sizes[] = {200, 256, 512, 1000, 1024, 2048, 3000};

    (void)state;
    for (unsigned k = 0; k < SK_ARRAY_SIZE(sizes); k++) {
        struct kmem_cache *c = kmem_create("colour", sizes[k], NULL);
        struct kmem_cache_stats s = stats(c);
        bool seen[64] = {false};

        /* A slab of few objects gives none up for its colour. */
        assert_in_range(s.colours, s.slab_objs < 31 ? 1 : 2, 64);
        take(c, (unsigned)sk_min(OBJS, s.colours * s.slab_objs));
        assert_int_equal(
            offsets_seen(c, (unsigned)sk_min(OBJS, s.colours * s.slab_objs), seen, s.colour_off),
            sk_min(s.colours, (OBJS + s.slab_objs - 1) / s.slab_objs));
        give(c, (unsigned)sk_min(OBJS, s.colours * s.slab_objs));
        assert_int_equal(kmem_cache_destroy(c), 0);
    }
}

/* ---- sizes ----------------------------------------------------------------------- */

static void check_size(size_t size, size_t align)
{
    struct kmem_cache_args args = {.align = align};
    struct kmem_cache *c = kmem_create("size", size, &args);
    struct kmem_cache_stats s = stats(c);
    unsigned n = (unsigned)sk_min(300, ((size_t)40 << 20) / size);

    assert_int_equal(s.size, size);
    assert_true(s.stride >= size && s.align >= align && s.stride % s.align == 0);
    for (unsigned i = 0; i < n; i++) {
        char *p = objs[i] = kmem_cache_alloc(c, M_WAITOK);

        assert_non_null(p);
        assert_int_equal((uintptr_t)p % s.align, 0);
        p[0] = p[size - 1] = (char)i;
    }
    for (unsigned i = 0; i < n; i++)
        assert_int_equal(((char *)objs[i])[size - 1], (char)i);
    give(c, n);
    assert_int_equal(kmem_cache_destroy(c), 0);
}

static void test_sizes(void **state)
{
    static const size_t sizes[] = {1,        7,       8,        9,      63,       64,
                                   100,      1000,    4096,     10000,  32768,    32769,
                                   65536,    100000,  1u << 18, 500000, 1u << 20, (1u << 20) + 1,
                                   3u << 20, 5000000, 1u << 24};
    struct balance before = balance_now();

    (void)state;
    for (unsigned i = 0; i < SK_ARRAY_SIZE(sizes); i++) {
        check_size(sizes[i], 0);
        check_size(sizes[i], 256);
    }
    check_size(8, 65536);
    check_size(70000, 4096);
    expect_balance(before);
}

/* Full load costs at most 3 % more than size and alignment, descriptors and links included. */
static void check_bytes(size_t size, unsigned flags, bool ctor)
{
    struct kmem_cache_args args = {
        .flags = flags, .ctor = ctor ? count_ctor : NULL, .priv = &counts};
    struct kmem_cache *c = kmem_create("bytes", size, &args);
    struct kmem_cache_stats s = stats(c);
    uint64_t n = 20 * s.slab_objs, bytes;
    struct balance before = {used_bytes(), meta_used_bytes()};
    void **all = calloc(n, sizeof(*all));

    counts = (struct counts){0};
    assert_int_equal(kmem_cache_tune(c, 1, 1, 1), 0);
    for (uint64_t i = 0; i < n; i++)
        assert_non_null(all[i] = kmem_cache_alloc(c, M_WAITOK));
    s = stats(c);
    assert_int_equal(s.slabs, 20);
    bytes = used_bytes() - before.used + meta_used_bytes() - before.meta;
    /* Apart from what a slot and a node cost once, however many objects there are. */
    bytes -= sizeof(struct slot_cache) + sizeof(struct node_cache);
    assert_in_range(bytes, n * size, n * (size + s.align) * 103 / 100);
    for (uint64_t i = 0; i < n; i++)
        kmem_cache_free(c, all[i]);
    free(all);
    assert_int_equal(kmem_cache_destroy(c), 0);
}

static void test_bytes_per_object(void **state)
{
    (void)state;
    if (PLAT_PAGE_BYTES < SLAB_BYTES_MIN)
        skip(); /* slabs are smaller, and descriptors weigh more */
    for (size_t size = 32; size <= 1024; size += 8) {
        check_bytes(size, 0, false);
        check_bytes(size, 0, true);
        check_bytes(size, KMEM_HWALIGN, true);
    }
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_once_per_object_of_a_slab),
        cmocka_unit_test(test_state_stays_between_threads),
        cmocka_unit_test(test_failure_half_way_undoes_itself),
        cmocka_unit_test(test_failure_of_the_first_slab_of_a_reserve),
        cmocka_unit_test(test_constructor_allocates),
        cmocka_unit_test(test_zeroed),
        cmocka_unit_test(test_colours),
        cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_bytes_per_object),
    };
    start(argc, argv);
    return cmocka_run_group_tests(tests, NULL, NULL);
}

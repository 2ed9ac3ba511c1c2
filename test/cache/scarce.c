/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: scarcity: failures on demand, for every n; the reserve; reclaim; allocations that must not ask the system; bulk,
 *       all or none.
 */
#include "fixture.h"

#define OBJS 3000u

static void *objs[OBJS];

/* ---- failures on demand ------------------------------------------------------------------ */

static void test_every_nth_fails(void **state)
{
    struct kmem_cache *c = counted_cache(80, 0);

    (void)state;
    for (unsigned n = 0; n < 60; n++) {
        struct kmem_cache_fail fail = {.rate = 1, .space = n, .times = 1};

        assert_int_equal(kmem_cache_fail(c, &fail), 0);
        for (unsigned i = 0; i < 61; i++) {
            errno = 0;
            objs[i] = kmem_cache_alloc(c, M_WAITOK);
            assert_true((objs[i] == NULL) == (i == n));
            assert_int_equal(errno, i == n ? ENOMEM : 0);
        }
        kmem_cache_free_bulk(c, 61, objs);
        assert_int_equal(live(c), 0);
        assert_int_equal(stats(c).failures, n + 1);
    }
    assert_int_equal(kmem_cache_fail(c, &(struct kmem_cache_fail){0}), 0);
    for (unsigned i = 0; i < 500; i++)
        assert_non_null(objs[i] = kmem_cache_alloc(c, M_WAITOK));
    kmem_cache_free_bulk(c, 500, objs);
    assert_true(stats(c).hits > 400);
    assert_int_equal(kmem_cache_destroy(c), 0);
    assert_int_equal(counts.ctors, counts.dtors);
}

static unsigned failures_of(struct kmem_cache *c, uint64_t seed, unsigned n, unsigned *first)
{
    struct kmem_cache_fail fail = {.rate = 10, .times = -1, .seed = seed};
    unsigned failed = 0;

    kmem_cache_fail(c, &fail);
    *first = n;
    for (unsigned i = 0; i < n; i++) {
        void *p = kmem_cache_alloc(c, M_WAITOK);

        if (!p && failed++ == 0)
            *first = i;
        kmem_cache_free(c, p);
    }
    return failed;
}

/* About one in ten, and the same ones for the same seed. */
static void test_rate_and_seed(void **state)
{
    struct kmem_cache *c = kmem_create("rate", 80, NULL);
    unsigned n = 5000, first, again, differ = 0;

    (void)state;
    for (uint64_t seed = 1; seed <= 8; seed++) {
        unsigned failed = failures_of(c, seed, n, &first);

        assert_in_range(failed, n / 10 - n / 40, n / 10 + n / 40);
        assert_int_equal(failures_of(c, seed, n, &again), failed);
        assert_int_equal(first, again);
        differ |= first ^ (unsigned)seed;
    }
    assert_true(differ != 0);
    assert_int_equal(kmem_cache_fail(c, &(struct kmem_cache_fail){.times = -2}), EINVAL);
    kmem_cache_fail(c, &(struct kmem_cache_fail){.rate = 1, .times = 3});
    assert_null(kmem_cache_alloc(c, 0));
    assert_int_equal(kmem_cache_alloc_bulk(c, 0, 7, objs), 0);
    assert_null(kmem_cache_alloc(c, 0));
    assert_int_equal(kmem_cache_alloc_bulk(c, 0, 7, objs), 7);
    kmem_cache_free_bulk(c, 7, objs);
    assert_int_equal(kmem_cache_destroy(c), 0);
}

/* ---- bulk --------------------------------------------------------------------------------- */

static void test_bulk_all_or_none(void **state)
{
    struct kmem_cache *c = counted_cache(300, 0);

    (void)state;
    for (unsigned n = 0; n < 200; n += 1 + n / 10) {
        assert_int_equal(kmem_cache_alloc_bulk(c, M_WAITOK, n, objs), n);
        for (unsigned i = 0; i < n; i++) {
            assert_true(is_constructed(objs[i]));
            assert_int_equal(((struct counted *)objs[i])->serial, 0);
            ((struct counted *)objs[i])->serial = 1;
        }
        assert_int_equal(live(c), n);
        for (unsigned i = 0; i < n; i++)
            ((struct counted *)objs[i])->serial = 0;
        kmem_cache_free_bulk(c, n, objs);
        for (unsigned at = 0; at < n; at += 1 + n / 7) {
            kmem_cache_fail(c, &(struct kmem_cache_fail){.rate = 1, .space = at, .times = 1});
            errno = 0;
            assert_int_equal(kmem_cache_alloc_bulk(c, M_WAITOK, n, objs), 0);
            assert_int_equal(errno, ENOMEM);
            assert_int_equal(live(c), 0);
        }
        kmem_cache_fail(c, &(struct kmem_cache_fail){0});
    }
    assert_int_equal(kmem_cache_destroy(c), 0);
}

static void test_bulk_zeroes(void **state)
{
    static const char zeroes[50];
    struct kmem_cache *c = kmem_create("bulk", 50, NULL);

    (void)state;
    for (unsigned round = 0; round < 4; round++) {
        assert_int_equal(kmem_cache_alloc_bulk(c, M_ZERO, OBJS, objs), OBJS);
        for (unsigned i = 0; i < OBJS; i++) {
            assert_memory_equal(objs[i], zeroes, 50);
            memset(objs[i], 0xee, 50);
        }
        kmem_cache_free_bulk(c, OBJS, objs);
    }
    assert_int_equal(kmem_cache_destroy(c), 0);
}

/* ---- reserve -------------------------------------------------------------------------------- */

#define RESERVE 20u

static void test_reserve(void **state)
{
    struct balance before = balance_now();
    struct kmem_cache_args args = {
        .ctor = count_ctor, .dtor = count_dtor, .priv = &counts, .reserve = RESERVE};
    struct kmem_cache *c;
    unsigned n = 0;

    (void)state;
    counts = (struct counts){0};
    c = kmem_create("reserve", 100, &args);
    assert_int_equal(stats(c).reserve, RESERVE);
    assert_int_equal(live(c), 0);
    kmem_cache_fail(c, &(struct kmem_cache_fail){.rate = 1, .times = -1});
    for (; n < RESERVE; n++) {
        assert_non_null(objs[n] = kmem_cache_alloc(c, n % 2 ? M_NOWAIT : M_WAITOK));
        assert_true(is_constructed(objs[n]));
        assert_int_equal(stats(c).reserve, RESERVE - n - 1);
    }
    assert_null(kmem_cache_alloc(c, M_WAITOK));
    kmem_cache_fail(c, &(struct kmem_cache_fail){0});
    assert_non_null(objs[n++] = kmem_cache_alloc(c, M_WAITOK));
    for (unsigned i = 0; i < n; i++) {
        kmem_cache_free(c, objs[i]);
        assert_int_equal(stats(c).reserve, sk_min(i + 1, RESERVE));
    }
    assert_int_equal(live(c), 0);
    /* Full again: arrays are back. */
    for (unsigned i = 0; i < 1000; i++)
        kmem_cache_free(c, kmem_cache_alloc(c, M_WAITOK));
    assert_true(stats(c).hits > 900);
    assert_int_equal(kmem_cache_destroy(c), 0);
    assert_int_equal(counts.ctors, counts.dtors);
    assert_int_equal(counts.bad, 0);
    expect_balance(before);
}

/* ---- reclaim --------------------------------------------------------------------------------- */

struct shelf {
    struct kmem_cache *c;
    unsigned calls, kept;
};

/* Without memory from the system there is what the program itself lets go. */
static void reclaim(void *priv)
{
    struct shelf *shelf = priv;

    shelf->calls++;
    while (shelf->kept)
        kmem_cache_free(shelf->c, objs[--shelf->kept]);
}

static void test_reclaim(void **state)
{
    struct shelf shelf = {0};
    struct kmem_cache_args args = {.reclaim = reclaim, .priv = &shelf};
    struct kmem_cache *c = shelf.c = kmem_create("reclaim", 5000, &args);
    void *p;

    (void)state;
    plat_fail_after(1, true);
    while ((p = kmem_cache_alloc(c, M_NOWAIT)) != NULL && shelf.kept < OBJS)
        objs[shelf.kept++] = p;
    assert_int_equal(shelf.calls, 0);
    assert_true(shelf.kept > 0 && shelf.kept < OBJS);
    assert_null(kmem_cache_alloc(c, M_RNOWAIT));
    assert_int_equal(shelf.calls, 0);
    p = kmem_cache_alloc(c, M_WAITOK);
    assert_non_null(p);
    assert_int_equal(shelf.calls, 1);
    assert_int_equal(live(c), 1);
    plat_fail_after(0, false);
    kmem_cache_free(c, p);
    assert_int_equal(kmem_cache_destroy(c), 0);
}

/* ---- without the system ------------------------------------------------------------------------- */

/* Counted by plat: mapping and committing; the rest of what could be asked would show as a page returned. */
static void test_nowait_makes_no_call(void **state)
{
    struct kmem_cache *c = counted_cache(600, 0), *big = kmem_create("big", 3u << 20, NULL);
    uint64_t calls;
    unsigned n = 0, seen = 0;
    struct region_stats before, after;

    (void)state;
    kmem_cache_free(c, kmem_cache_alloc(c, M_WAITOK));
    region_get_stats(&before);
    calls = plat_memory_calls();
    pokes = 0;
    for (unsigned round = 0; round < 3; round++) {
        while (n < OBJS && (objs[n] = kmem_cache_alloc(c, M_NOWAIT)) != NULL)
            assert_true(is_constructed(objs[n++]));
        seen = n;
        assert_null(kmem_cache_alloc(big, M_NOWAIT));
        assert_int_equal(pokes, 0);
        assert_int_equal(plat_memory_calls(), calls);
        region_get_stats(&after);
        assert_int_equal(after.returned_bytes, before.returned_bytes);
        kmem_cache_free_bulk(c, n, objs);
        pokes = 0;
        region_get_stats(&before);
        calls = plat_memory_calls();
        n = 0;
    }
    assert_true(seen > 100);
    assert_non_null(objs[0] = kmem_cache_alloc(big, M_RNOWAIT));
    kmem_cache_free(big, objs[0]);
    assert_int_equal(kmem_cache_destroy(c), 0);
    assert_int_equal(kmem_cache_destroy(big), 0);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_nth_fails),
        cmocka_unit_test(test_rate_and_seed),
        cmocka_unit_test(test_bulk_all_or_none),
        cmocka_unit_test(test_bulk_zeroes),
        cmocka_unit_test(test_reserve),
        cmocka_unit_test(test_reclaim),
        cmocka_unit_test(test_nowait_makes_no_call),
    };
    start(argc, argv);
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: the class of every size: it holds it, loses no more than promised, is aligned as
 *       promised; blocks of every size are usable to their end and disjoint.
 */
#include "fixture.h"

static size_t class_size(unsigned i)
{
    return pcpu_cache_at(i)->pc_geom.size;
}

static void test_every_size_has_the_smallest_class(void **state)
{
    (void)state;
    for (size_t size = 0; size <= KM_SMALL_MAX; size++) {
        unsigned i = km_class(size);

        assert_in_range(i, 1, KM_CLASSES);
        assert_true(class_size(i) >= size);
        assert_true(i == 1 || class_size(i - 1) < size || size == 0);
        assert_int_equal(km_good_size(size), class_size(i));
    }
    assert_int_equal(km_class(KM_SMALL_MAX), KM_CLASSES);
    assert_int_equal(km_class(0), 1);
}

static void test_at_most_an_eighth_is_lost(void **state)
{
    (void)state;
    for (size_t size = 128; size <= KM_SMALL_MAX; size++)
        assert_true((km_good_size(size) - size) * 8 < km_good_size(size));
    for (size_t size = 1; size <= 128; size++)
        assert_true(km_good_size(size) - size < 16);
}

/* From 16 bytes on to 16 bytes, as every C object wants; powers of two to themselves. */
static void test_alignment(void **state)
{
    (void)state;
    for (unsigned i = 1; i <= KM_CLASSES; i++) {
        const struct slab_geom *g = &pcpu_cache_at(i)->pc_geom;

        assert_int_equal(g->size % g->align, 0);
        assert_true(g->size < 16 || g->align >= 16);
        assert_true(!sk_is_pow2(g->size) || g->align == g->size);
    }
    for (size_t size = 8; size <= KM_SMALL_MAX; size *= 2)
        assert_int_equal(km_good_size(size), size);
}

/* Above: by whole steps, aligned to one; a run only from realloc and calloc. */
static void test_medium(void **state)
{
    struct km_stats before, after;

    (void)state;
    km_get_stats(&before);
    for (size_t size = KM_SMALL_MAX + 1; size <= KM_MEDIUM_MAX; size += 777) {
        void *p = km_alloc(size);

        assert_int_equal(km_usable(p, "test"), sk_align_up(size, KM_MEDIUM_STEP));
        assert_int_equal(km_good_size(size), sk_align_up(size, KM_MEDIUM_STEP));
        assert_int_equal((uintptr_t)p % KM_MEDIUM_STEP, 0);
        assert_int_equal(region_index(p),
                         KM_CLASSES + (size + KM_MEDIUM_STEP - 1) / KM_MEDIUM_STEP);
        memset(p, 0x5a, km_usable(p, "test"));
        km_free(p);
    }
    km_get_stats(&after);
    assert_int_equal(after.large_allocs, before.large_allocs);
    km_free(km_zalloc(KM_SMALL_MAX + 1));
    km_free(km_realloc(km_alloc(1), KM_MEDIUM_MAX));
    km_get_stats(&after);
    assert_int_equal(after.large_allocs, before.large_allocs + 2);
    expect_all_free();
}

static void test_names(void **state)
{
    char want[24];

    (void)state;
    for (unsigned i = 1; i <= KM_CACHES; i++) {
        snprintf(want, sizeof(want), "malloc-%zu", class_size(i));
        assert_string_equal(pcpu_cache_at(i)->pc_geom.name, want);
        assert_int_equal(pcpu_cache_at(i)->pc_geom.kind, i);
    }
}

static void check_block(void *p, size_t size)
{
    assert_non_null(p);
    assert_true(km_usable(p, "test") >= size);
    assert_int_equal(km_usable(p, "test"), km_good_size(size));
    assert_int_equal((uintptr_t)p % (size < 16 ? 8 : 16), 0);
    if (size <= KM_SMALL_MAX && sk_is_pow2(size))
        assert_int_equal((uintptr_t)p % size, 0);
}

/* A few at once of each, all of each written. */
static void test_blocks_of_every_size(void **state)
{
    enum {
        AT_ONCE = 200
    };
    static void *p[AT_ONCE];

    (void)state;
    for (size_t first = 0; first <= KM_SMALL_MAX; first += AT_ONCE) {
        for (size_t i = 0; i < AT_ONCE; i++) {
            p[i] = km_alloc(first + i);
            check_block(p[i], first + i);
            stamp(p[i], km_usable(p[i], "test"), first + i);
        }
        for (size_t i = 0; i < AT_ONCE; i++) {
            assert_true(stamp_holds(p[i], km_usable(p[i], "test"), first + i));
            km_free(p[i]);
        }
    }
    expect_all_free();
}

static void test_nothing_of_nothing(void **state)
{
    void *p = km_alloc(0), *q = km_alloc(0);

    (void)state;
    assert_non_null(p);
    assert_non_null(q);
    assert_ptr_not_equal(p, q);
    km_free(p);
    km_free(q);
    km_free(NULL);
    assert_null(km_alloc(KM_SIZE_MAX + 1));
    assert_null(km_alloc(SIZE_MAX));
    assert_null(km_alloc(KM_SIZE_MAX));
    assert_null(km_zalloc(SIZE_MAX));
    expect_all_free();
}

/* Zero whatever the memory held before. */
static void test_zeroed(void **state)
{
    static const size_t sizes[] = {1,     8,     100,   1024,   1025,   5000,
                                   32768, 32769, 70000, 300000, 5 * MIB};

    (void)state;
    for (unsigned i = 0; i < SK_ARRAY_SIZE(sizes); i++)
        for (unsigned round = 0; round < 3; round++) {
            void *dirty[20], *p;

            for (unsigned k = 0; k < 20; k++) {
                dirty[k] = km_alloc(sizes[i]);
                memset(dirty[k], 0xd1, km_usable(dirty[k], "test"));
            }
            for (unsigned k = 0; k < 20; k++)
                km_free(dirty[k]);
            for (unsigned k = 0; k < 20; k++) {
                dirty[k] = p = km_zalloc(sizes[i]);
                assert_true(is_zero(p, sizes[i]));
                memset(p, 0xd2, sizes[i]);
            }
            for (unsigned k = 0; k < 20; k++)
                km_free(dirty[k]);
        }
    expect_all_free();
}

static void test_check_sized(void **state)
{
    (void)state;
    for (size_t size = 0; size < 200 * KIB; size += 1 + size / 11) {
        void *p = km_alloc(size);

        km_check_sized(p, size, 0);
        km_check_sized(p, size, size < 16 ? 8 : 16);
        km_check_sized(p, km_usable(p, "test"), 0);
        km_free(p);
    }
    expect_all_free();
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_size_has_the_smallest_class),
        cmocka_unit_test(test_at_most_an_eighth_is_lost),
        cmocka_unit_test(test_alignment),
        cmocka_unit_test(test_medium),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_blocks_of_every_size),
        cmocka_unit_test(test_nothing_of_nothing),
        cmocka_unit_test(test_zeroed),
        cmocka_unit_test(test_check_sized),
    };
    start_kmalloc(argc, argv);
    return cmocka_run_group_tests(tests, NULL, NULL);
}

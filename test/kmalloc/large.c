/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: blocks that are no objects: runs and huge blocks, what is counted, what a trim gives
 *       back.
 */
#include "fixture.h"

static void test_runs_and_huge_blocks(void **state)
{
    struct km_stats a, b;
    void *run = km_alloc(KM_HUGE_MIN - 1), *huge;

    (void)state;
    km_get_stats(&a);
    assert_non_null(region_info(run));
    assert_int_equal(huge_blocks(), 0);
    huge = km_alloc(KM_HUGE_MIN);
    km_get_stats(&b);
    assert_null(region_info(huge));
    assert_int_equal(huge_blocks(), 1);
    assert_int_equal(b.huge_allocs, a.huge_allocs + 1);
    assert_int_equal(b.large_allocs, a.large_allocs);
    assert_int_equal(b.large_bytes, KM_HUGE_MIN);
    km_free(run);
    km_free(huge);
    km_get_stats(&b);
    assert_int_equal(b.large_frees, a.large_frees + 1);
    assert_int_equal(b.large_bytes, a.large_bytes - KM_HUGE_MIN);
    assert_int_equal(b.huge_frees, b.huge_allocs);
    expect_all_free();
}

static void test_usable_is_whole_system_pages(void **state)
{
    (void)state;
    for (size_t size = KM_MEDIUM_MAX + 1; size < 40 * MIB; size += 1 + size / 3) {
        void *p = km_alloc(size);

        assert_int_equal(km_usable(p, "test"), sk_align_up(size, plat_sys_page_bytes()));
        assert_int_equal(km_usable(p, "test"), km_good_size(size));
        stamp(p, km_usable(p, "test"), size);
        assert_true(stamp_holds(p, km_usable(p, "test"), size));
        km_free(p);
    }
    expect_all_free();
}

static void test_large_zeroed_after_use(void **state)
{
    (void)state;
    for (unsigned round = 0; round < 6; round++) {
        char *p = km_alloc(2 * MIB), *q = km_alloc(3 * MIB), *z;

        memset(p, 0xff, 2 * MIB);
        memset(q, 0xff, 3 * MIB);
        km_free(p);
        if (round % 2)
            km_trim(0);
        km_free(q);
        z = km_zalloc(4 * MIB);
        assert_true(is_zero(z, 4 * MIB));
        km_free(z);
    }
    expect_all_free();
}

/* Returned to the system, but for what it was asked to keep. */
static void test_trim(void **state)
{
    enum {
        MANY = 400
    };
    struct region_stats s;
    void *p[MANY];

    (void)state;
    for (unsigned i = 0; i < MANY; i++)
        memset(p[i] = km_alloc(30000), 1, 30000);
    for (unsigned i = 0; i < MANY; i++)
        km_free(p[i]);
    km_trim(4 * MIB);
    region_get_stats(&s);
    assert_true(s.dirty_bytes <= 4 * MIB && s.dirty_bytes >= 3 * MIB);
    assert_int_equal(s.used_bytes, 0);
    assert_true(km_trim(0) >= 3 * MIB);
    region_get_stats(&s);
    assert_int_equal(s.dirty_bytes, 0);
    assert_int_equal(km_trim(0), 0);
    expect_all_free();
}

/* Runs until there are no more; linked through their first words. */
static void *take_all_pages(void)
{
    void *first = NULL, *p;

    while ((p = km_alloc(PLAT_PAGE_BYTES)) != NULL) {
        *(void **)p = first;
        first = p;
    }
    return first;
}

static void free_chain(void *p)
{
    for (void *next; p; p = next) {
        next = *(void **)p;
        km_free(p);
    }
}

/* No page is to be had, but by taking apart what arrays and the depot hold. */
static void test_what_is_free_serves_before_null(void **state)
{
    enum {
        MANY = 64
    };
    void *p[MANY], *pages, *more;

    (void)state;
    if (!PLAT_DECOMMIT_KEEPS)
        skip(); /* what is free must be asked for again, and that is refused */
    for (unsigned i = 0; i < MANY; i++)
        p[i] = km_alloc(8192);
    plat_fail_after(1, true);
    pages = take_all_pages();
    assert_null(km_alloc(8192));
    for (unsigned i = 0; i < MANY; i++)
        km_free(p[i]);
    more = take_all_pages();
    plat_fail_after(0, false);
    assert_non_null(more);
    free_chain(more);
    free_chain(pages);
    expect_all_free();
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_runs_and_huge_blocks),
        cmocka_unit_test(test_usable_is_whole_system_pages),
        cmocka_unit_test(test_large_zeroed_after_use),
        cmocka_unit_test(test_trim),
        cmocka_unit_test(test_what_is_free_serves_before_null),
    };
    start_kmalloc(argc, argv);
    return cmocka_run_group_tests(tests, NULL, NULL);
}

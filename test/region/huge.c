/* SPDX-License-Identifier: BSD-2-Clause */
/* Role: huge blocks: found by their begin only, counted, grown with their contents. */
#include "fixture.h"

#define BLOCKS 1000

static void test_one(void **state)
{
    (void)state;
    start(16, 0, 0);
    size_t sys = plat_sys_page_bytes();
    char *p = region_huge_alloc(PAGES(5) + 1, 1);
    assert_non_null(p);
    assert_int_equal((uintptr_t)p % PLAT_PAGE_BYTES, 0);
    assert_true(is_zero(p, 5));
    assert_int_equal(region_huge_bytes(p), PAGES(5) + sys);
    assert_int_equal(region_huge_bytes(p + sys), 0);
    assert_ptr_equal(region_huge_inside(p + 1), p);
    assert_ptr_equal(region_huge_inside(p + PAGES(5) + sys - 1), p);
    assert_null(region_huge_inside(p));
    assert_null(region_huge_inside(p + PAGES(5) + sys));
    assert_int_equal(stats().huge_blocks, 1);
    assert_int_equal(stats().huge_bytes, PAGES(5) + sys);
    assert_false(region_huge_free(p + sys));
    assert_true(region_huge_free(p));
    assert_false(region_huge_free(p));
    assert_int_equal(stats().huge_blocks, 0);
    assert_int_equal(stats().huge_bytes, 0);
    assert_int_equal(stats().returned_bytes, PAGES(5) + sys);
    stop();
}

static void test_alignment_and_absurd_sizes(void **state)
{
    (void)state;
    start(16, 0, 0);
    for (size_t align = 1; align <= (size_t)256 << 20; align *= 4) {
        char *p = region_huge_alloc(100, align);
        assert_non_null(p);
        assert_int_equal((uintptr_t)p % align, 0);
        *p = 1;
        assert_true(region_huge_free(p));
    }
    assert_null(region_huge_alloc(SIZE_MAX, 1));
    assert_null(region_huge_alloc(SIZE_MAX - PAGES(1), 1));
    assert_null(region_huge_alloc(PTRDIFF_MAX, 1));
    char *p = region_huge_alloc(0, 1);
    assert_int_equal(region_huge_bytes(p), plat_sys_page_bytes());
    assert_null(region_huge_resize(p, SIZE_MAX));
    assert_null(region_huge_resize(p, PTRDIFF_MAX));
    assert_int_equal(region_huge_bytes(p), plat_sys_page_bytes());
    assert_null(region_huge_resize(p + 1, 100));
    assert_true(region_huge_free(p));
    assert_int_equal(stats().huge_bytes, 0);
    stop();
}

/* Enough for the table to grow several times; freed in another order. */
static void test_many(void **state)
{
    (void)state;
    static char *block[BLOCKS];
    start(16, 0, 0);
    for (size_t i = 0; i < BLOCKS; i++) {
        block[i] = region_huge_alloc(PAGES(1 + i % 3), 1);
        assert_non_null(block[i]);
        *(size_t *)block[i] = i;
    }
    assert_true(region_verify());
    assert_int_equal(stats().huge_blocks, BLOCKS);
    for (size_t i = 0; i < BLOCKS; i++) {
        size_t pick = i * 7 % BLOCKS;
        assert_int_equal(*(size_t *)block[pick], pick);
        assert_int_equal(region_huge_bytes(block[pick]), PAGES(1 + pick % 3));
        assert_true(region_huge_free(block[pick]));
        assert_int_equal(region_huge_bytes(block[pick]), 0);
    }
    assert_true(region_verify());
    assert_int_equal(stats().huge_bytes, 0);
    stop();
}

static bool counts_up(const size_t *word, size_t words)
{
    for (size_t i = 0; i < words; i++)
        if (word[i] != i)
            return false;
    return true;
}

static void test_resize_keeps_contents(void **state)
{
    (void)state;
    start(16, 0, 0);
    size_t *p = region_huge_alloc(PAGES(4), 1);
    size_t words = PAGES(4) / sizeof(*p);
    assert_non_null(p);
    for (size_t i = 0; i < words; i++)
        p[i] = i;
    for (size_t pages = 8; pages <= 1024; pages *= 2) {
        /* A neighbour where it would grow makes it move now and then. */
        void *wall = region_huge_alloc(PAGES(1), 1);
        p = region_huge_resize(p, PAGES(pages));
        assert_non_null(p);
        assert_int_equal((uintptr_t)p % PLAT_PAGE_BYTES, 0);
        assert_true(counts_up(p, words));
        assert_int_equal(p[PAGES(pages) / sizeof(*p) - 1], 0);
        assert_int_equal(region_huge_bytes(p), PAGES(pages));
        assert_true(region_huge_free(wall));
    }
    assert_int_equal(stats().huge_bytes, PAGES(1024));
    assert_int_equal(stats().peak_bytes, PAGES(1025));
    p = region_huge_resize(p, PAGES(4));
    assert_true(counts_up(p, words));
    assert_int_equal(stats().huge_bytes, PAGES(4));
    assert_int_equal(stats().huge_blocks, 1);
    assert_true(region_huge_free(p));
    stop();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one),
        cmocka_unit_test(test_alignment_and_absurd_sizes),
        cmocka_unit_test(test_many),
        cmocka_unit_test(test_resize_keeps_contents),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

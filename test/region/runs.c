/* SPDX-License-Identifier: BSD-2-Clause */
/* Role: runs one by one: cut, merged, aligned, grown in place; what is said about zero is true. */
#include "fixture.h"

/* The whole range as single pages, lowest first. */
static void take_all(void **page, size_t pages)
{
    for (size_t i = 0; i < pages; i++) {
        page[i] = region_alloc(1, 1, NULL);
        assert_ptr_equal(page[i], region_page_addr(i));
    }
}

static void test_before_init(void **state)
{
    (void)state;
    int local;
    assert_null(region_alloc(1, 1, NULL));
    assert_int_equal(region_index(&local), 0);
    assert_null(region_info(&local));
}

static void test_geometry(void **state)
{
    (void)state;
    start(64, 64, 0);
    assert_int_equal(region_map.npages, 64);
    assert_int_equal(region_map.base % ((size_t)2 << 20), 0);
    char *first = region_page_addr(0);
    assert_int_equal(region_page(first + PAGES(63) + 17), 63);
    assert_null(region_info(first - 1));
    assert_null(region_info(first + PAGES(64)));
    assert_non_null(region_info(first + PAGES(64) - 1));
    assert_null(region_alloc(0, 1, NULL));
    assert_null(region_alloc(65, 1, NULL));
    assert_null(region_alloc(SIZE_MAX, 1, NULL));
    assert_true(sound());
    stop();
}

static void test_page_map(void **state)
{
    (void)state;
    start(64, 64, 0);
    struct slab *slab = (struct slab *)&stop;
    char *s = region_alloc(2, 1, NULL), *l = region_alloc(3, 1, NULL);
    region_set_slab(s, 2, 77, slab);
    region_set_large(l, 3, PAGES(3) - 100);
    assert_int_equal(region_kind(s + PAGES(2) - 1), 77);
    assert_int_equal(region_kind(l), 0);
    assert_ptr_equal(region_info(s + PAGES(1))->slab, slab);
    assert_int_equal(region_info(l)->state, PAGE_LARGE_HEAD);
    assert_int_equal(region_info(l)->run_pages, 3);
    assert_int_equal(region_info(l)->large_bytes, PAGES(3) - 100);
    assert_int_equal(region_info(l + PAGES(2))->state, PAGE_LARGE_BODY);
    region_free(s, 2);
    region_free(l, 3);
    for (size_t i = 0; i < 5; i++) {
        assert_int_equal(region_kind(at(s, i)), 0);
        assert_int_equal(region_info(at(s, i))->state, PAGE_FREE);
    }
    assert_true(sound());
    stop();
}

/* Every order of freeing three neighbours, between used pages, ends in one run. */
/* A node's pages stay as they are while the run is the same node's; a large block could be anybody's. */
static void test_place(void **state)
{
    size_t page = PAGES(1) / plat_sys_page_bytes();

    (void)state;
    start(64, 64, 0);
    char *p = region_alloc(2, 1, NULL);
    memset(p, 1, PAGES(2));
    region_place(p, 2, 0, true);
    assert_int_equal(resident(p, PAGES(2)), 2 * page);
    region_free(p, 2);
    assert_ptr_equal(region_alloc(2, 1, NULL), p);
    region_place(p, 2, 0, false);
    assert_int_equal(resident(p, PAGES(2)), 2 * page);
    region_place(p, 1, 1, false);
    assert_true(resident(p, PAGES(1)) == 0 || !memory_is_lazy());
    assert_true(is_zero(p, 1));
    assert_int_equal(resident(at(p, 1), PAGES(1)), page);
    region_set_large(p, 2, PAGES(2));
    memset(p, 1, PAGES(2));
    region_place(at(p, 1), 1, 0, false);
    assert_true(resident(at(p, 1), PAGES(1)) == 0 || !memory_is_lazy());
    assert_true(is_zero(at(p, 1), 1));
    assert_int_equal(resident(p, PAGES(1)), page);
    region_free(p, 2);
    assert_true(sound());
    stop();
}

static void test_merge_orders(void **state)
{
    (void)state;
    static const unsigned orders[6][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2},
                                          {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
    for (unsigned o = 0; o < 6; o++) {
        void *page[8];
        start(8, 8, 0);
        take_all(page, 8);
        for (unsigned i = 0; i < 3; i++) {
            region_free(page[2 + orders[o][i]], 1);
            assert_true(sound());
        }
        assert_int_equal(region_map.info[2].run_pages, 3);
        assert_ptr_equal(region_alloc(3, 1, NULL), page[2]);
        assert_null(region_alloc(1, 1, NULL));
        stop();
    }
}

static void test_merge_at_the_ends_of_the_range(void **state)
{
    (void)state;
    void *page[8];
    start(8, 8, 0);
    take_all(page, 8);
    region_free(page[0], 1);
    region_free(page[7], 1);
    assert_true(sound());
    region_free(page[1], 1);
    region_free(page[6], 1);
    assert_true(sound());
    region_free(at(page[0], 2), 4);
    assert_true(sound());
    assert_ptr_equal(region_alloc(8, 1, NULL), page[0]);
    stop();
}

static void test_best_fit_then_lowest(void **state)
{
    (void)state;
    start(128, 128, 0);
    char *run = region_alloc(128, 1, NULL);
    /* Holes of 5, 3, 4, 3 pages. */
    region_free(at(run, 10), 5);
    region_free(at(run, 40), 3);
    region_free(at(run, 30), 4);
    region_free(at(run, 20), 3);
    assert_ptr_equal(region_alloc(3, 1, NULL), at(run, 20));
    assert_ptr_equal(region_alloc(2, 1, NULL), at(run, 40));
    assert_ptr_equal(region_alloc(4, 1, NULL), at(run, 30));
    assert_ptr_equal(region_alloc(2, 1, NULL), at(run, 10));
    assert_ptr_equal(region_alloc(1, 1, NULL), at(run, 42));
    assert_true(sound());
    stop();
}

/* Beyond 31 pages a bin holds several sizes: the fit must still be the best. */
static void test_best_fit_among_large(void **state)
{
    (void)state;
    start(1024, 1024, 0);
    char *run = region_alloc(1024, 1, NULL);
    static const unsigned sizes[] = {71, 64, 70, 65, 79, 66, 32, 33, 35, 34};
    for (size_t i = 0; i < SK_ARRAY_SIZE(sizes); i++)
        region_free(at(run, i * 100), sizes[i]);
    assert_true(sound());
    assert_ptr_equal(region_alloc(67, 1, NULL), at(run, 200));
    assert_ptr_equal(region_alloc(65, 1, NULL), at(run, 300));
    assert_ptr_equal(region_alloc(72, 1, NULL), at(run, 400));
    assert_ptr_equal(region_alloc(34, 1, NULL), at(run, 900));
    assert_ptr_equal(region_alloc(36, 1, NULL), at(run, 100));
    assert_true(sound());
    stop();
}

static void test_dirty_is_preferred_and_kinds_stay_apart(void **state)
{
    (void)state;
    void *page[8];
    bool zeroed;
    start(8, 8, 0);
    take_all(page, 8);
    dirty(page[0], 8);
    region_free(page[2], 1);
    assert_int_equal(region_reap(0, true), PAGES(1));
    region_free(page[3], 1);
    assert_true(sound());
    assert_int_equal(stats().clean_bytes, PAGES(1));
    assert_int_equal(stats().dirty_bytes, PAGES(1));
    assert_int_equal(region_map.info[2].run_pages, 1);

    assert_ptr_equal(region_alloc(1, 1, &zeroed), page[3]);
    assert_false(zeroed);
    assert_ptr_equal(region_alloc(1, 1, &zeroed), page[2]);
    assert_true(zeroed);
    assert_true(is_zero(page[2], 1));
    stop();
}

/* Neither kind alone holds the request: giving the dirty one back joins them. */
static void test_last_resort_joins_kinds(void **state)
{
    (void)state;
    void *page[8];
    bool zeroed;
    start(8, 8, 0);
    take_all(page, 8);
    dirty(page[0], 8);
    region_free(page[2], 1);
    region_reap(0, true);
    region_free(page[3], 1);
    assert_ptr_equal(region_alloc(2, 1, &zeroed), page[2]);
    assert_true(zeroed);
    assert_true(is_zero(page[2], 2));
    assert_true(sound());
    stop();
}

static void test_last_resort_joins_fresh(void **state)
{
    (void)state;
    bool zeroed;
    start(8, 8, 0);
    char *run = region_alloc(6, 1, NULL);
    dirty(run, 6);
    region_free(at(run, 3), 3);
    assert_int_equal(stats().fresh_bytes, PAGES(2));
    assert_ptr_equal(region_alloc(5, 1, &zeroed), at(run, 3));
    assert_true(zeroed);
    assert_true(is_zero(at(run, 3), 5));
    assert_true(sound());
    stop();
}

static void test_exhaustion_and_recovery(void **state)
{
    (void)state;
    void *page[40];
    start(40, 40, 0);
    take_all(page, 40);
    for (int i = 0; i < 3; i++) {
        assert_null(region_alloc(1, 1, NULL));
        assert_true(sound());
    }
    for (size_t i = 0; i < 40; i += 2)
        region_free(page[i], 1);
    assert_null(region_alloc(2, 1, NULL));
    for (size_t i = 1; i < 40; i += 2)
        region_free(page[i], 1);
    assert_true(sound());
    assert_ptr_equal(region_alloc(40, 1, NULL), page[0]);
    stop();
}

static void test_alignment(void **state)
{
    (void)state;
    start(4096, 4096, 0);
    assert_non_null(region_alloc(1, 1, NULL));
    for (size_t align = 1; align <= 512; align *= 2)
        for (size_t pages = 1; pages <= 9; pages += 4) {
            char *run = region_alloc(pages, align, NULL);
            assert_non_null(run);
            assert_int_equal((uintptr_t)run % PAGES(align), 0);
            dirty(run, pages);
            assert_true(sound());
            region_free(run, pages);
            assert_true(sound());
        }
    stop();
}

static void test_alignment_inside_a_dirty_run(void **state)
{
    (void)state;
    start(64, 64, 0);
    char *run = region_alloc(64, 1, NULL);
    region_free(at(run, 3), 7);
    assert_ptr_equal(region_alloc(2, 4, NULL), at(run, 4));
    assert_true(sound());
    assert_ptr_equal(region_alloc(2, 8, NULL), at(run, 8));
    assert_true(sound());
    assert_null(region_alloc(1, 8, NULL));
    assert_non_null(region_alloc(2, 2, NULL));
    assert_non_null(region_alloc(1, 1, NULL));
    assert_null(region_alloc(1, 1, NULL));
    stop();
}

static void test_extend_over_all_kinds(void **state)
{
    (void)state;
    bool zeroed;
    start(16, 16, 0);
    char *run = region_alloc(8, 1, NULL);
    dirty(run, 8);
    region_free(at(run, 4), 4);
    region_reap(0, true);
    void *again = region_alloc(2, 1, NULL);
    assert_ptr_equal(again, at(run, 4));
    dirty(again, 2);
    region_free(again, 2);
    /* run: 4 used, 2 dirty, 2 clean, 8 fresh. */
    assert_true(region_extend(run, 4, 5, &zeroed));
    assert_false(zeroed);
    assert_true(region_shrink(run, 5, 4) == false);
    assert_true(region_extend(run, 4, 7, &zeroed));
    assert_false(zeroed);
    assert_true(sound());
    assert_true(region_extend(run, 7, 8, &zeroed));
    assert_true(zeroed);
    assert_true(is_zero(at(run, 7), 1));
    assert_true(region_extend(run, 8, 16, &zeroed));
    assert_true(zeroed);
    assert_true(is_zero(at(run, 8), 8));
    assert_false(region_extend(run, 16, 17, NULL));
    assert_true(sound());
    assert_int_equal(stats().used_bytes, PAGES(16));
    region_free(run, 16);
    assert_true(sound());
    stop();
}

static void test_extend_is_all_or_nothing(void **state)
{
    (void)state;
    start(16, 16, 0);
    char *run = region_alloc(8, 1, NULL);
    region_free(at(run, 2), 3);
    struct region_stats before = stats();
    assert_false(region_extend(run, 2, 6, NULL));
    assert_false(region_extend(run, 2, 1000, NULL));
    struct region_stats after = stats();
    assert_memory_equal(&before, &after, sizeof(before));
    assert_true(region_extend(run, 2, 5, NULL));
    assert_false(region_extend(run, 5, 6, NULL));
    assert_true(sound());
    stop();
}

static void test_extend_beyond_what_is_usable(void **state)
{
    (void)state;
    bool zeroed;
    start(4096, 4096, 0);
    char *run = region_alloc(1, 1, NULL);
    assert_true(region_extend(run, 1, 3000, &zeroed));
    assert_true(zeroed);
    memset(at(run, 2999), 1, PAGES(1));
    assert_true(sound());
    stop();
}

static void test_shrink(void **state)
{
    (void)state;
    start(32, 4, 0);
    char *run = region_alloc(16, 1, NULL);
    region_set_large(run, 16, PAGES(16));
    assert_false(region_shrink(run, 16, 16));
    assert_false(region_shrink(run, 16, 12));
    assert_true(region_shrink(run, 12, 11));
    assert_int_equal(region_info(at(run, 11))->state, PAGE_FREE);
    assert_int_equal(region_info(at(run, 10))->state, PAGE_LARGE_BODY);
    assert_int_equal(stats().used_bytes, PAGES(11));
    assert_true(sound());
    assert_ptr_equal(region_alloc(5, 1, NULL), at(run, 11));
    stop();
}

static void test_peak(void **state)
{
    (void)state;
    start(32, 32, 0);
    void *a = region_alloc(10, 1, NULL);
    void *h = region_huge_alloc(PAGES(7), 1);
    assert_non_null(h);
    region_free(a, 10);
    a = region_alloc(3, 1, NULL);
    assert_int_equal(stats().peak_bytes, PAGES(17));
    assert_true(region_huge_free(h));
    region_free(a, 3);
    assert_int_equal(stats().peak_bytes, PAGES(17));
    assert_int_equal(stats().runs_allocated, 2);
    assert_int_equal(stats().runs_freed, 2);
    stop();
}

/* A start touches nothing of the maps; one run, a page of each. */
static void test_start_is_sparse(void **state)
{
    (void)state;
    if (!memory_is_lazy())
        skip();
    start((size_t)1 << 20, 0, 0);
    size_t pages = region_map.npages;
    assert_int_equal(resident(region_map.kind, region_kind_bytes(pages)), 0);
    assert_int_equal(resident(region_map.info, region_info_bytes(pages)), 0);
    /* The nodes have no access yet; an emulator would not say what is resident of them. */
    void *run = region_alloc(1, 1, NULL);
    region_set_slab(run, 1, 5, NULL);
    assert_int_equal(resident(region_map.kind, region_kind_bytes(pages)), 1);
    assert_int_equal(resident(region_map.info, region_info_bytes(pages)), 1);
    assert_int_equal(resident(run, PAGES(1)), 0);
    stop();
}

/* Committing is not done run by run. */
static void test_few_commits(void **state)
{
    (void)state;
    start(1024, 0, 0);
    uint64_t calls = plat_memory_calls();
    for (int i = 0; i < 1024; i++)
        assert_non_null(region_alloc(1, 1, NULL));
    assert_in_range(plat_memory_calls() - calls, 1, 1024 / 8);
    stop();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_before_init),
        cmocka_unit_test(test_geometry),
        cmocka_unit_test(test_page_map),
        cmocka_unit_test(test_place),
        cmocka_unit_test(test_merge_orders),
        cmocka_unit_test(test_merge_at_the_ends_of_the_range),
        cmocka_unit_test(test_best_fit_then_lowest),
        cmocka_unit_test(test_best_fit_among_large),
        cmocka_unit_test(test_dirty_is_preferred_and_kinds_stay_apart),
        cmocka_unit_test(test_last_resort_joins_kinds),
        cmocka_unit_test(test_last_resort_joins_fresh),
        cmocka_unit_test(test_exhaustion_and_recovery),
        cmocka_unit_test(test_alignment),
        cmocka_unit_test(test_alignment_inside_a_dirty_run),
        cmocka_unit_test(test_extend_over_all_kinds),
        cmocka_unit_test(test_extend_is_all_or_nothing),
        cmocka_unit_test(test_extend_beyond_what_is_usable),
        cmocka_unit_test(test_shrink),
        cmocka_unit_test(test_peak),
        cmocka_unit_test(test_start_is_sparse),
        cmocka_unit_test(test_few_commits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: the frontier falls behind clean memory, and the maps' memory that no page needs goes back;
 *       what is read there afterwards is a free page.
 */
#include "fixture.h"

#define RANGE_PAGES 40000u

struct in_core {
    size_t kind, info, nodes;
};

static struct in_core maps_now(void)
{
    size_t pages = region_map.npages;
    return (struct in_core){resident(region_map.kind, region_kind_bytes(pages)),
                            resident(region_map.info, region_info_bytes(pages)),
                            resident(region.nodes, region_nodes_bytes(pages))};
}

static size_t sys_pages(size_t entries, size_t entry_bytes)
{
    return entries * entry_bytes / plat_sys_page_bytes();
}

/* Resident at most; that is so only where discarding gives back. */
static void expect_at_most(size_t kind, size_t info, size_t nodes)
{
    struct in_core left = maps_now();
    if (!memory_is_lazy())
        return;
    assert_in_range(left.kind, 0, kind);
    assert_in_range(left.info, 0, info);
    assert_in_range(left.nodes, 0, nodes);
}

/* Every page a slab of its own, so that all entries are written; every second one freed first, so
 * that all sorts of nodes are. */
static void fill_and_free(size_t from, size_t end)
{
    struct slab *slab = (struct slab *)&stop;
    for (size_t i = from; i < end; i++) {
        void *run = region_alloc(1, 1, NULL);
        assert_ptr_equal(run, region_page_addr(i));
        region_set_slab(run, 1, 9, slab);
    }
    for (size_t i = from; i < end; i += 2)
        region_free(region_page_addr(i), 1);
    for (size_t i = from + 1; i < end; i += 2)
        region_free(region_page_addr(i), 1);
}

static bool all_blank(size_t from, size_t end)
{
    static const struct page_info blank;
    for (size_t i = from; i < end; i++)
        if (region_map.kind[i] || memcmp(&region_map.info[i], &blank, sizeof(blank)) != 0)
            return false;
    return true;
}

static void test_frontier_falls(void **state)
{
    (void)state;
    bool zeroed;
    start(64, 64, 0);
    char *low = region_alloc(10, 1, NULL), *mid = region_alloc(10, 1, NULL),
         *high = region_alloc(10, 1, NULL);
    dirty(low, 30);
    region_free(mid, 10);
    region_reap(0, true);
    assert_int_equal(stats().clean_bytes, PAGES(10));
    assert_int_equal(stats().fresh_bytes, PAGES(34));
    assert_true(sound());
    /* The end of the last run only: what stays dirty holds the frontier. */
    region_free(high, 10);
    assert_int_equal(region_reap(PAGES(4), true), PAGES(6));
    assert_int_equal(stats().fresh_bytes, PAGES(40));
    assert_true(sound());
    region_reap(0, true);
    assert_int_equal(stats().clean_bytes, 0);
    assert_int_equal(stats().fresh_bytes, PAGES(54));
    assert_true(sound());
    assert_ptr_equal(region_alloc(54, 1, &zeroed), mid);
    assert_true(zeroed);
    assert_true(is_zero(mid, 54));
    assert_true(sound());
    region_free(low, 64);
    region_reap(0, true);
    assert_int_equal(stats().fresh_bytes, PAGES(64));
    assert_true(sound());
    stop();
}

/* What alignment skipped is clean and goes the same way. */
static void test_frontier_falls_behind_skipped_pages(void **state)
{
    (void)state;
    start(128, 128, 0);
    assert_non_null(region_alloc(1, 1, NULL));
    char *run = region_alloc(3, 32, NULL);
    assert_int_equal(stats().clean_bytes, PAGES(31));
    region_free(run, 3);
    region_reap(0, true);
    assert_int_equal(stats().clean_bytes, 0);
    assert_int_equal(stats().fresh_bytes, PAGES(127));
    assert_true(sound());
    stop();
}

static void test_maps_go_back_above_the_frontier(void **state)
{
    (void)state;
    start(RANGE_PAGES, RANGE_PAGES, 0);
    assert_non_null(region_alloc(1, 1, NULL));
    for (int round = 0; round < 2; round++) {
        fill_and_free(1, RANGE_PAGES);
        struct in_core full = maps_now();
        assert_true(full.kind >= sys_pages(RANGE_PAGES, 2));
        assert_true(full.info >= sys_pages(RANGE_PAGES, sizeof(struct page_info)));
        region_reap(0, true);
        assert_int_equal(stats().fresh_bytes, PAGES(RANGE_PAGES - 1));
        /* What the frontier is in, and a page of slack. */
        expect_at_most(2, 2, 2);
        assert_true(all_blank(1, RANGE_PAGES));
        assert_true(sound());
    }
    assert_non_null(region_alloc(RANGE_PAGES - 1, 1, NULL));
    stop();
}

/* Falling by a little each time, nothing is forgotten. */
static void test_maps_go_back_in_small_steps(void **state)
{
    (void)state;
    start(RANGE_PAGES, RANGE_PAGES, 0);
    struct slab *slab = (struct slab *)&stop;
    for (size_t i = 0; i < RANGE_PAGES; i++)
        region_set_slab(region_alloc(1, 1, NULL), 1, 9, slab);
    for (size_t end = RANGE_PAGES; end > 0; end -= 100) {
        for (size_t i = end - 100; i < end; i++)
            region_free(region_page_addr(i), 1);
        assert_int_equal(region_reap(0, true), PAGES(100));
    }
    expect_at_most(2, 2, 2);
    assert_true(all_blank(0, RANGE_PAGES));
    stop();
}

/* A page in use at the very end holds the frontier; the entries before it go all the same. */
static void test_maps_go_back_inside_clean_runs(void **state)
{
    (void)state;
    const size_t sys = plat_sys_page_bytes();
    start(RANGE_PAGES, RANGE_PAGES, 0);
    char *all = region_alloc(RANGE_PAGES, 1, NULL);
    region_set_slab(all, RANGE_PAGES, 9, (struct slab *)&stop);
    region_shrink(all, RANGE_PAGES, 1);
    assert_non_null(region_alloc(RANGE_PAGES - 1, 1, NULL));
    memset(&region.nodes[1], 0xff, (RANGE_PAGES - 2) * sizeof(*region.nodes));
    region_free(at(all, 1), RANGE_PAGES - 2);
    assert_true(maps_now().nodes >= sys_pages(RANGE_PAGES, sizeof(struct run_node)));
    region_reap(0, true);
    assert_int_equal(stats().clean_bytes, PAGES(RANGE_PAGES - 2));
    /* A system page at each end; entries of the same page as an end's are not worth a call. */
    expect_at_most(3, 3, 3);
    assert_true(all_blank(2, RANGE_PAGES - 2));
    assert_true(sound());
    /* Once is enough, until the run is another. */
    assert_int_equal(region.nodes[1].stamp, 1);
    char *cut = region_alloc(1000, 1, NULL);
    assert_ptr_equal(cut, at(all, 1));
    assert_int_equal(region.nodes[1001].stamp, 0);
    region_set_slab(cut, 1000, 9, (struct slab *)&stop);
    region_reap(0, false);
    assert_int_equal(region.nodes[1001].stamp, 1);
    assert_int_equal(region_kind(at(cut, 999)), 9);
    assert_int_equal(region_kind(at(cut, 1000)), 0);
    expect_at_most(SIZE_MAX, 3 + 1000 * sizeof(struct page_info) / sys, SIZE_MAX);
    assert_true(sound());
    stop();
}

/* Several long runs, as long as another and shorter than is worth it. */
static void test_each_long_clean_run_is_looked_at(void **state)
{
    (void)state;
    static const uint32_t begin[] = {0, 1000, 2000, 3000, 4000},
                          pages[] = {512, 700, 511, 700, 900};
    start(5000, 5000, 0);
    char *all = region_alloc(5000, 1, NULL);
    for (size_t i = 0; i < SK_ARRAY_SIZE(begin); i++)
        region_free(at(all, begin[i]), pages[i]);
    region_reap(0, true);
    for (size_t i = 0; i < SK_ARRAY_SIZE(begin); i++) {
        assert_int_equal(region.nodes[begin[i]].pages, pages[i]);
        assert_int_equal(region.nodes[begin[i]].stamp, pages[i] >= 512);
    }
    assert_true(sound());
    assert_int_equal(stats().clean_bytes, PAGES(512 + 700 + 511 + 700 + 900));
    stop();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_frontier_falls),
        cmocka_unit_test(test_frontier_falls_behind_skipped_pages),
        cmocka_unit_test(test_maps_go_back_above_the_frontier),
        cmocka_unit_test(test_maps_go_back_in_small_steps),
        cmocka_unit_test(test_maps_go_back_inside_clean_runs),
        cmocka_unit_test(test_each_long_clean_run_is_looked_at),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

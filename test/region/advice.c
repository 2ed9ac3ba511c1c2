/* SPDX-License-Identifier: BSD-2-Clause */
/* Role: huge pages: where they are asked for, as the system says. */
#include "fixture.h"

#include <stdio.h>

#define HUGE ((unsigned)((2u << 20) / PLAT_PAGE_BYTES)) /* pages of a huge page */
#define BIG  (2 * HUGE)                                 /* of a block that is worth some */

/* Whether the mapping around p carries a flag of smaps. */
static bool has_flag(void *p, const char *flag)
{
    char line[512];
    bool inside = false, found = false;
    unsigned long begin, end;
    FILE *f = fopen("/proc/self/smaps", "r");
    assert_non_null(f);
    while (fgets(line, sizeof(line), f)) {
        if (sscanf(line, "%lx-%lx ", &begin, &end) == 2)
            inside = (uintptr_t)p >= begin && (uintptr_t)p < end;
        else if (inside && strncmp(line, "VmFlags:", 8) == 0)
            found = strstr(line, flag) != NULL;
    }
    fclose(f);
    return found;
}

/* Not without huge pages in the kernel, nor where smaps is emulated. */
static bool advice_is_visible(void)
{
    void *p = plat_map(PAGES(BIG), PLAT_PAGE_BYTES);
    assert_non_null(p);
    plat_hugepages(p, PAGES(BIG), true);
    bool visible = has_flag(p, " hg");
    plat_release(p, PAGES(BIG));
    return visible;
}

struct advice {
    bool small, large, huge, against;
};

/* Each of 4 MiB; the large run has a huge page to itself between small runs that share others. */
static struct advice advice_now(void)
{
    char *huge = region_huge_alloc(PAGES(BIG), 1);
    assert_non_null(huge);
    char *small = region_alloc(1, 1, NULL);
    assert_non_null(region_alloc(HUGE - 1, 1, NULL));
    char *large = region_alloc(BIG, HUGE, NULL);
    struct advice seen = {.small = has_flag(small, " hg"),
                          .large = has_flag(large, " hg"),
                          .huge = has_flag(huge, " hg"),
                          .against = has_flag(small, " nh")};
    assert_int_equal(has_flag(huge, " nh"), seen.against);
    assert_true(has_flag(region_map.info, " nh"));
    assert_true(region_huge_free(huge));
    return seen;
}

static void start_with_advice(enum region_hugepages mode)
{
    region_init(&(struct region_config){.reserve_bytes = PAGES(128 * HUGE),
                                        .dirty_floor_bytes = PAGES(128 * HUGE),
                                        .hugepages = mode});
}

static void check_advice(struct advice seen, struct advice wanted)
{
    assert_int_equal(seen.small, wanted.small);
    assert_int_equal(seen.large, wanted.large);
    assert_int_equal(seen.huge, wanted.huge);
    assert_int_equal(seen.against, wanted.against);
}

static const struct advice all = {true, true, true, false}, none = {.huge = false},
                           large_only = {.large = true, .huge = true}, against = {.against = true};

static void test_hugepage_advice(void **state)
{
    (void)state;
    if (!advice_is_visible())
        skip();
    start_with_advice(REGION_HUGE_ALWAYS);
    check_advice(advice_now(), all);
    stop();
    start_with_advice(REGION_HUGE_NEVER);
    check_advice(advice_now(), against);
    stop();
}

#define BIG_FREES 256

/* Frees so many blocks as make the next big one worth huge pages. The last run is dirty again. */
static void free_big_blocks(void)
{
    for (int i = 0; i < BIG_FREES; i++) {
        assert_int_equal(region.big_frees, i);
        region_free(region_alloc(BIG, 1, NULL), BIG);
    }
}

/* Large blocks are advised once the program has freed many. */
static void test_hugepage_advice_auto(void **state)
{
    (void)state;
    if (!advice_is_visible())
        skip();
    start_with_advice(REGION_HUGE_AUTO);
    check_advice(advice_now(), none);
    free_big_blocks();
    region_free(region_alloc(BIG - 1, 1, NULL), BIG - 1);
    assert_int_equal(region.big_frees, BIG_FREES);
    check_advice(advice_now(), large_only);
    stop();
}

/* The ends of a run that does not begin on a huge page share one with what lies beside. */
static void test_hugepage_advice_is_rounded_outwards(void **state)
{
    (void)state;
    if (!advice_is_visible())
        skip();
    start_with_advice(REGION_HUGE_AUTO);
    char *first = region_alloc(32 * HUGE - 1, 1, NULL);
    assert_non_null(region_alloc(2, 1, NULL));
    region.big_frees = BIG_FREES;
    char *large = region_alloc(BIG, 1, NULL);
    assert_ptr_equal(large, at(first, 32 * HUGE + 1));
    assert_true(has_flag(at(first, 32 * HUGE), " hg"));
    assert_true(has_flag(at(large, 3 * HUGE - 2), " hg"));
    assert_false(has_flag(at(large, 3 * HUGE - 1), " hg"));
    assert_false(has_flag(at(first, 32 * HUGE - 1), " hg"));
    stop();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hugepage_advice),
        cmocka_unit_test(test_hugepage_advice_auto),
        cmocka_unit_test(test_hugepage_advice_is_rounded_outwards),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

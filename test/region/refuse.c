/* SPDX-License-Identifier: BSD-2-Clause */
/* Role: the system refuses, at every call in turn: nothing is lost, and all is well afterwards. */
#include "fixture.h"

#define RANGE_PAGES 300u

/* ---- start-up --------------------------------------------------------------------------- */

static void test_start_refused_once(void **state)
{
    (void)state;
    for (unsigned n = 1;; n++) {
        plat_fail_after(n, false);
        uint64_t calls = plat_memory_calls();
        start(RANGE_PAGES, 10, 0);
        calls = plat_memory_calls() - calls;
        plat_fail_after(0, false);
        bool refused = calls >= n;
        assert_int_equal(region_map.npages, refused ? RANGE_PAGES / 2 : RANGE_PAGES);
        void *p = region_alloc(10, 1, NULL);
        assert_non_null(p);
        region_free(p, 10);
        assert_true(sound());
        stop();
        if (!refused)
            break;
    }
}

static void test_start_refused_for_ever(void **state)
{
    (void)state;
    plat_fail_after(1, true);
    start(RANGE_PAGES, 10, 0);
    plat_fail_after(0, false);
    int local;
    assert_int_equal(region_map.npages, 0);
    assert_null(region_alloc(1, 1, NULL));
    assert_int_equal(region_index(&local), 0);
    assert_int_equal(region_trim_excess(), 0);
    assert_int_equal(region_reap(0, true), 0);
    assert_true(sound());
    void *h = region_huge_alloc(100, 1);
    assert_non_null(h);
    assert_true(region_huge_free(h));
}

/* ---- the n-th call of a scenario -------------------------------------------------------- */

#define RUNS 40

struct scene {
    void *run[RUNS];
    size_t pages[RUNS];
    void *huge[4];
    void *meta[8];
    unsigned refused;
};

static void scene_runs(struct scene *s)
{
    for (int i = 0; i < RUNS; i++) {
        s->pages[i] = (size_t)(i % 9 + 1);
        s->run[i] = region_alloc(s->pages[i], (size_t)1 << i % 4, NULL);
        s->refused += !s->run[i];
        if (s->run[i] && i % 3 == 0) {
            if (region_extend(s->run[i], s->pages[i], s->pages[i] + 2, NULL))
                s->pages[i] += 2;
            else
                s->refused++;
        }
        if (s->run[i])
            dirty(s->run[i], s->pages[i]);
        if (s->run[i] && i % 5 == 4) {
            region_free(s->run[i], s->pages[i]);
            s->run[i] = NULL;
        }
        assert_true(sound());
    }
}

static void scene_others(struct scene *s)
{
    for (int i = 0; i < 4; i++) {
        s->huge[i] = region_huge_alloc(PAGES(3), PLAT_PAGE_BYTES << i);
        if (!s->huge[i]) {
            s->refused++;
            continue;
        }
        memset(s->huge[i], i + 1, PAGES(3));
        void *moved = region_huge_resize(s->huge[i], PAGES(9));
        s->refused += !moved;
        s->huge[i] = moved ? moved : s->huge[i];
        assert_int_equal(*((char *)s->huge[i] + PAGES(3) - 1), i + 1);
        assert_int_equal(region_huge_bytes(s->huge[i]), PAGES(moved ? 9 : 3));
    }
    for (int i = 0; i < 8; i++) {
        s->meta[i] = meta_alloc((size_t)20000 << i % 2);
        s->refused += !s->meta[i];
    }
}

static void scene_end(struct scene *s)
{
    for (int i = 0; i < RUNS; i++)
        if (s->run[i])
            region_free(s->run[i], s->pages[i]);
    for (int i = 0; i < 4; i++)
        assert_true(!s->huge[i] || region_huge_free(s->huge[i]));
    for (int i = 0; i < 8; i++)
        meta_free(s->meta[i], (size_t)20000 << i % 2);
}

/* What is refused when the system refuses nothing: extensions with a neighbour in the way. */
static unsigned refused_anyway;

/* true: the failure was reached. */
static bool scene_with_failure(unsigned n, bool sticky)
{
    struct scene s = {.refused = 0};
    start(RANGE_PAGES, 20, 10);
    size_t meta_before = meta_used_bytes();
    uint64_t calls = plat_memory_calls();
    plat_fail_after(n, sticky);
    scene_runs(&s);
    scene_others(&s);
    calls = plat_memory_calls() - calls;
    plat_fail_after(0, false);
    if (n == 0)
        refused_anyway = s.refused;
    else if (calls < n)
        assert_int_equal(s.refused, refused_anyway);
    scene_end(&s);
    assert_true(sound());
    struct region_stats after = stats();
    assert_int_equal(after.used_bytes, 0);
    assert_int_equal(after.huge_bytes, 0);
    assert_int_equal(after.huge_blocks, 0);
    assert_int_equal(meta_used_bytes(), meta_before);
    assert_non_null(region_alloc(RANGE_PAGES, 1, NULL));
    stop();
    return calls >= n;
}

static void test_each_call_refused(void **state)
{
    (void)state;
    unsigned once = 0, ever = 0;
    scene_with_failure(0, false);
    while (scene_with_failure(once + 1, false))
        once++;
    while (scene_with_failure(ever + 1, true))
        ever++;
    assert_true(once > 10);
    assert_true(ever > 10);
}

/* A commit refused once: dirty memory is given back and the request tried again. */
static void test_refused_commit_gives_back_and_retries(void **state)
{
    (void)state;
    start(4096, 4096, 0);
    void *a = region_alloc(20, 1, NULL);
    assert_non_null(region_alloc(1, 1, NULL));
    region_free(a, 20);
    plat_fail_after(1, true);
    struct region_stats before = stats();
    assert_null(region_alloc(2000, 1, NULL));
    plat_fail_after(0, false);
    struct region_stats after = stats();
    assert_int_equal(after.used_bytes, before.used_bytes);
    assert_int_equal(after.fresh_bytes, before.fresh_bytes);
    assert_int_equal(after.clean_bytes, before.clean_bytes + PAGES(20));
    assert_int_equal(after.returned_bytes, PAGES(20));
    plat_fail_after(1, false);
    assert_non_null(region_alloc(2000, 1, NULL));
    plat_fail_after(0, false);
    assert_true(sound());
    stop();
}

/* No call is made, not even a counted one; what is free or committed serves. */
static void test_thread_that_must_not_ask(void **state)
{
    size_t n = 0;
    void *run, *last = NULL;
    uint64_t calls;

    (void)state;
    start(RANGE_PAGES, 100, 0);
    run = region_alloc(64, 1, NULL);
    assert_non_null(run);
    region_free(run, 64);
    calls = plat_memory_calls();
    plat_request()->refuse++;
    assert_null(plat_map(PLAT_PAGE_BYTES, PLAT_PAGE_BYTES));
    assert_null(meta_alloc((size_t)1 << 20));
    for (; (run = region_alloc(16, 1, NULL)) != NULL; n += 16) {
        *(void **)run = last;
        last = run;
    }
    plat_request()->refuse--;
    assert_int_equal(plat_memory_calls(), calls);
    assert_true(n >= 64);
    for (; last; last = run) {
        run = *(void **)last;
        region_free(last, 16);
    }
    assert_non_null(run = region_alloc(n + 64, 1, NULL));
    assert_true(plat_memory_calls() > calls);
    region_free(run, n + 64);
    assert_true(sound());
    stop();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_start_refused_once),
        cmocka_unit_test(test_start_refused_for_ever),
        cmocka_unit_test(test_each_call_refused),
        cmocka_unit_test(test_refused_commit_gives_back_and_retries),
        cmocka_unit_test(test_thread_that_must_not_ask),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

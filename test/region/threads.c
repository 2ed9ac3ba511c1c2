/* SPDX-License-Identifier: BSD-2-Clause */
/* Role: many threads at once: every page stamped while held; purges in parallel. */
#include "churn.h"

#include <sched.h>

/* An emulator takes its time, and says so. */
#ifndef EFFORT_DIV
#define EFFORT_DIV 1u
#endif

#define THREADS     4
#define HELD        24
#define ROUNDS      (int)(20000 / EFFORT_DIV)
#define RANGE_PAGES 400u
#define STRIDE      4096u /* divides every platform's page */

/* ---- hammer ----------------------------------------------------------------------------- */

struct block {
    char *p;
    size_t pages;
    uint64_t stamp;
};

struct worker {
    pthread_t thread;
    uint64_t random, sequence;
    struct block held[HELD];
    const char *wrong;
};

static void stamp(const struct block *b, size_t from)
{
    for (size_t off = PAGES(from); off < PAGES(b->pages); off += STRIDE)
        *(uint64_t *)(b->p + off) = b->stamp ^ off;
}

static bool stamped(const struct block *b)
{
    for (size_t off = 0; off < PAGES(b->pages); off += STRIDE)
        if (*(uint64_t *)(b->p + off) != (b->stamp ^ off))
            return false;
    return true;
}

static bool zero_where_stamped(const char *p, size_t pages)
{
    for (size_t off = 0; off < PAGES(pages); off += STRIDE)
        if (*(const uint64_t *)(p + off))
            return false;
    return true;
}

static void give(struct worker *w, struct block *b)
{
    if (!stamped(b))
        w->wrong = "overwritten while held";
    if (region_free(b->p, b->pages))
        region_trim_excess();
    b->p = NULL;
}

static void take(struct worker *w, struct block *b)
{
    bool zeroed;
    b->pages = below(&w->random, 8) ? 1 + below(&w->random, 4) : 1 + below(&w->random, 30);
    b->p = region_alloc(b->pages, (size_t)1 << below(&w->random, 3), &zeroed);
    if (!b->p)
        return;
    if (zeroed && !zero_where_stamped(b->p, b->pages))
        w->wrong = "not zero as said";
    b->stamp = (uint64_t)(uintptr_t)w << 20 ^ ++w->sequence;
    region_set_large(b->p, b->pages, PAGES(b->pages));
    stamp(b, 0);
}

static void resize(struct worker *w, struct block *b)
{
    bool zeroed;
    size_t old = b->pages;
    if (below(&w->random, 2) && old > 1) {
        b->pages = 1 + below(&w->random, (uint32_t)old - 1);
        region_shrink(b->p, old, b->pages);
    } else if (region_extend(b->p, old, old + 2, &zeroed)) {
        if (zeroed && !zero_where_stamped(b->p + PAGES(old), 2))
            w->wrong = "extension not zero as said";
        b->pages += 2;
        region_set_large(b->p, b->pages, PAGES(b->pages));
        stamp(b, old);
    }
}

static void huge_round(struct worker *w)
{
    char *p = region_huge_alloc(PAGES(2), 1);
    if (!p)
        return;
    *(struct worker **)p = w;
    char *moved = region_huge_resize(p, PAGES(5));
    p = moved ? moved : p;
    if (*(struct worker **)p != w || !region_huge_free(p))
        w->wrong = "huge block lost";
}

static void *hammer(void *arg)
{
    struct worker *w = arg;
    for (int round = 0; round < ROUNDS && !w->wrong; round++) {
        struct block *b = &w->held[below(&w->random, HELD)];
        uint32_t what = below(&w->random, 100);
        if (what == 0)
            region_reap(0, false);
        else if (what < 3)
            huge_round(w);
        else if (!b->p)
            take(w, b);
        else if (what < 20)
            resize(w, b);
        else
            give(w, b);
    }
    for (int i = 0; i < HELD; i++)
        if (w->held[i].p)
            give(w, &w->held[i]);
    return NULL;
}

static void test_hammer(void **state)
{
    (void)state;
    static struct worker worker[THREADS];
    start(RANGE_PAGES, 20, 10);
    for (int i = 0; i < THREADS; i++) {
        worker[i] = (struct worker){.random = (uint64_t)i * 77 + 5};
        assert_int_equal(pthread_create(&worker[i].thread, NULL, hammer, &worker[i]), 0);
    }
    for (int i = 0; i < 200; i++)
        assert_true(sound());
    for (int i = 0; i < THREADS; i++) {
        pthread_join(worker[i].thread, NULL);
        if (worker[i].wrong)
            fail_msg("%s", worker[i].wrong);
    }
    assert_true(sound());
    assert_int_equal(stats().used_bytes, 0);
    assert_int_equal(stats().huge_bytes, 0);
    assert_int_equal(stats().runs_allocated, stats().runs_freed);
    assert_non_null(region_alloc(RANGE_PAGES, 1, NULL));
    stop();
}

/* ---- pages in transit are not missing --------------------------------------------------- */

static void test_purge_in_parallel_is_no_exhaustion(void **state)
{
    (void)state;
    pthread_t thread;
    start(1000, 1000, 0);
    sk_store_release(&stopping, false);
    assert_int_equal(pthread_create(&thread, NULL, purger, NULL), 0);
    for (int i = 0; i < 2000 || stats().returned_bytes < PAGES(5000); i++) {
        char *all = region_alloc(1000, 1, NULL);
        assert_non_null(all);
        all[PAGES((size_t)i % 1000)] = 1;
        region_free(all, 1000);
        sched_yield();
    }
    sk_store_release(&stopping, true);
    pthread_join(thread, NULL);
    assert_true(sound());
    stop();
}

/* ---- maps given back in parallel --------------------------------------------------------- */

#define MAP_PAGES  3000u
#define MAP_ROUNDS 200

/* Fills the pages' entries, lets the others go on, and looks whether one is lost. */
static bool entries_stay(char *run, size_t pages)
{
    struct slab *slab = (struct slab *)run;
    bool ok = true;
    region_set_slab(run, pages, 5, slab);
    sched_yield();
    for (size_t i = 0; i < pages; i++) {
        const struct page_info *info = region_info(at(run, i));
        ok &= region_kind(at(run, i)) == 5 && info->slab == slab && info->state == PAGE_SLAB;
    }
    return ok;
}

/* Takes pages at the moment the purger's last piece is clean, when it turns to the maps. */
static const char *take_behind_purger(uint64_t *random)
{
    size_t pages = MAP_PAGES / 2 + below(random, MAP_PAGES / 4);
    while (stats().dirty_bytes && !sk_load_acquire(&stopping))
        ;
    for (uint32_t wait = below(random, 2000); wait; wait--)
        __asm__ volatile("");
    char *run = region_alloc(pages, 1, NULL);
    if (!run)
        return "no memory";
    if (!entries_stay(run, pages))
        return "an entry is lost";
    region_free(run, pages);
    return NULL;
}

static void takes_behind_purger(bool pinned)
{
    pthread_t thread;
    uint64_t random = 5;
    const char *wrong = NULL;
    start(MAP_PAGES, MAP_PAGES, 0);
    void *all = region_alloc(MAP_PAGES, 1, NULL);
    region_free(all, pinned ? MAP_PAGES - 1 : MAP_PAGES);
    sk_store_release(&stopping, false);
    assert_int_equal(pthread_create(&thread, NULL, purger, NULL), 0);
    for (int i = 0; i < MAP_ROUNDS && !wrong; i++)
        wrong = take_behind_purger(&random);
    bool whole = sound();
    sk_store_release(&stopping, true);
    pthread_join(thread, NULL);
    if (wrong)
        fail_msg("%s", wrong);
    assert_true(whole);
    region_reap(0, true);
    assert_int_equal(stats().fresh_bytes, PAGES(pinned ? 0 : MAP_PAGES));
    assert_true(sound());
    stop();
}

static void test_growth_while_maps_go_back(void **state)
{
    (void)state;
    takes_behind_purger(false);
}

static void test_clean_run_taken_while_maps_go_back(void **state)
{
    (void)state;
    takes_behind_purger(true);
}

/* ---- metadata given back in parallel ----------------------------------------------------- */

#define META_PIECES 80

static void *meta_trimmer(void *arg)
{
    (void)arg;
    while (!sk_load_acquire(&stopping))
        meta_trim();
    return NULL;
}

static const char *meta_round(uint64_t *random)
{
    uint64_t *piece[META_PIECES];
    size_t bytes[META_PIECES];
    const char *wrong = NULL;
    for (int i = 0; i < META_PIECES; i++) {
        bytes[i] = 16 + below(random, below(random, 4) ? 800 : 16000);
        piece[i] = meta_alloc(bytes[i]);
        if (!piece[i] || piece[i][0] || piece[i][bytes[i] / 8 - 1])
            return "no metadata, or not zero";
        piece[i][0] = piece[i][bytes[i] / 8 - 1] = (uint64_t)(uintptr_t)piece[i];
    }
    sched_yield();
    for (int i = 0; i < META_PIECES; i++) {
        uint64_t tag = (uint64_t)(uintptr_t)piece[i];
        if (piece[i][0] != tag || piece[i][bytes[i] / 8 - 1] != tag)
            wrong = "metadata overwritten";
        meta_free(piece[i], bytes[i]);
    }
    return wrong;
}

static void *meta_worker(void *arg)
{
    struct worker *w = arg;
    for (int i = 0; i < 4000 && !w->wrong; i++)
        w->wrong = meta_round(&w->random);
    return NULL;
}

#define CHUNK   ((uintptr_t)1 << 20)
#define FILLERS 64

/* Fills the first chunk, so that the next one is empty again and again. Returns how many. */
static int fill_chunk(void **filler)
{
    for (int i = 0; i < FILLERS; i++) {
        filler[i] = meta_alloc(16384);
        assert_non_null(filler[i]);
        if (((uintptr_t)filler[i] ^ (uintptr_t)filler[0]) >= CHUNK) {
            meta_free(filler[i], 16384);
            return i;
        }
    }
    return FILLERS;
}

static void test_metadata_goes_back_in_parallel(void **state)
{
    (void)state;
    pthread_t thread;
    struct worker worker = {.random = 5};
    void *filler[FILLERS];
    int fillers = fill_chunk(filler);
    size_t used = meta_used_bytes();
    assert_in_range(fillers, 32, FILLERS - 1);
    sk_store_release(&stopping, false);
    assert_int_equal(pthread_create(&thread, NULL, meta_trimmer, NULL), 0);
    assert_int_equal(pthread_create(&worker.thread, NULL, meta_worker, &worker), 0);
    for (int i = 0; i < 50; i++) {
        assert_true(meta_verify());
        sched_yield();
    }
    pthread_join(worker.thread, NULL);
    sk_store_release(&stopping, true);
    pthread_join(thread, NULL);
    if (worker.wrong)
        fail_msg("%s", worker.wrong);
    assert_int_equal(meta_used_bytes(), used);
    for (int i = 0; i < fillers; i++)
        meta_free(filler[i], 16384);
    assert_true(meta_verify());
}

/* ---- peak ------------------------------------------------------------------------------- */

static void *peak_runs(void *arg)
{
    (void)arg;
    for (int i = 0; i < 20000; i++) {
        void *p = region_alloc(3, 1, NULL);
        if (p)
            region_free(p, 3);
    }
    return NULL;
}

static void *peak_huge(void *arg)
{
    (void)arg;
    for (int i = 0; i < 2000; i++) {
        void *p = region_huge_alloc(PAGES(5), 1);
        if (p)
            region_huge_free(p);
    }
    return NULL;
}

/* Never above what was possible, never below what was surely there. */
static void test_peak_in_parallel(void **state)
{
    (void)state;
    pthread_t runs, huge[2];
    start(64, 64, 0);
    void *base = region_alloc(10, 1, NULL);
    assert_int_equal(pthread_create(&runs, NULL, peak_runs, NULL), 0);
    for (int i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&huge[i], NULL, peak_huge, NULL), 0);
    pthread_join(runs, NULL);
    for (int i = 0; i < 2; i++)
        pthread_join(huge[i], NULL);
    assert_in_range(stats().peak_bytes, PAGES(15), PAGES(23));
    assert_int_equal(stats().huge_bytes, 0);
    assert_int_equal(stats().huge_blocks, 0);
    region_free(base, 10);
    stop();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hammer),
        cmocka_unit_test(test_purge_in_parallel_is_no_exhaustion),
        cmocka_unit_test(test_growth_while_maps_go_back),
        cmocka_unit_test(test_clean_run_taken_while_maps_go_back),
        cmocka_unit_test(test_metadata_goes_back_in_parallel),
        cmocka_unit_test(test_peak_in_parallel),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: gives dirty memory back to the system, oldest first.
 * Below: plat, meta.
 * Owns: pages in transit: off the lists, tagged RUN_TRANSIT, counted as dirty.
 * Concurrency: purge_lock around each piece, which is the only time that pages are in transit;
 *       whoever finds nothing free takes purge_lock and then sees all of them again. Pieces keep
 *       that wait short, and leave the rest of a large run to be allocated from meanwhile.
 * Why: the end of a run goes first: allocation takes from the begin.
 */
#include "region/internal.h"
#include "region/meta.h"

#define PIECE_PAGES 256u

struct purge_goal {
    size_t keep_pages;   /* dirty pages to leave */
    size_t budget_pages; /* never more than this, so that others' frees cannot keep us here */
    uint64_t before;     /* only runs with a stamp below */
};

/* Takes the next piece into transit; returns its length, 0 when the goal is reached. */
static uint32_t piece_begin(struct purge_goal *goal, uint32_t *page)
{
    uint32_t oldest = region.ages.oldest;

    if (oldest == RUN_NIL || region.dirty_pages <= goal->keep_pages ||
        region.nodes[oldest].stamp >= goal->before)
        return 0;
    size_t want = sk_min(region.dirty_pages - goal->keep_pages, goal->budget_pages);
    uint32_t run = region.nodes[oldest].pages;
    uint32_t pages = (uint32_t)sk_min(sk_min(want, PIECE_PAGES), run);
    if (pages == 0)
        return 0;
    *page = oldest + run - pages;
    run_take(RUN_DIRTY, oldest, *page, pages);
    run_tag(RUN_TRANSIT, *page, pages);
    goal->budget_pages -= pages;
    return pages;
}

static void piece_end(uint32_t page, uint32_t pages)
{
    run_untag(page, pages);
    run_insert_clean(page, pages);
    region.dirty_pages -= pages;
    region.returned_bytes += (uint64_t)pages << PLAT_PAGE_SHIFT;
}

/* Caller holds purge_lock. Returns bytes; 0 when the goal is reached. */
static SK_COLD size_t purge_piece(struct purge_goal *goal)
{
    uint32_t page;

    plat_lock(&region.lock);
    uint32_t pages = piece_begin(goal, &page);
    plat_unlock(&region.lock);
    if (pages == 0)
        return 0;
    size_t bytes = (size_t)pages << PLAT_PAGE_SHIFT;
    plat_decommit(region_page_addr(page), bytes);
    plat_lock(&region.lock);
    piece_end(page, pages);
    plat_unlock(&region.lock);
    return bytes;
}

SK_COLD void region_purge_all(void)
{
    struct purge_goal goal = {.before = UINT64_MAX};

    plat_lock(&region.lock);
    goal.budget_pages = region.dirty_pages;
    plat_unlock(&region.lock);
    while (purge_piece(&goal))
        ;
}

static SK_COLD size_t purge(struct purge_goal *goal)
{
    size_t sum = 0, bytes;
    do {
        plat_lock(&region.purge_lock);
        bytes = purge_piece(goal);
        plat_unlock(&region.purge_lock);
        sum += bytes;
    } while (bytes);
    return sum;
}

static bool trim_goal(struct purge_goal *goal)
{
    plat_lock(&region.lock);
    size_t limit = run_dirty_limit_pages();
    bool over = region.dirty_pages > limit;
    *goal = (struct purge_goal){
        .keep_pages = limit - limit / 4, .budget_pages = region.dirty_pages, .before = UINT64_MAX};
    sk_count(&region.trims, over);
    plat_unlock(&region.lock);
    return over;
}

/* Another's purge under way will do: the caller only freed something. */
SK_COLD size_t region_trim_excess(void)
{
    struct purge_goal goal;

    if (plat_refusing() || !plat_trylock(&region.purge_lock))
        return 0;
    bool over = trim_goal(&goal);
    plat_unlock(&region.purge_lock);
    return over ? purge(&goal) : 0;
}

/* A run free for at least one whole interval between two calls has a stamp two below. */
SK_COLD size_t region_reap(size_t keep_bytes, bool force)
{
    struct purge_goal goal = {.keep_pages = keep_bytes >> PLAT_PAGE_SHIFT};

    plat_lock(&region.lock);
    region.reaps++;
    region.generation++;
    goal.before = force ? UINT64_MAX : region.generation - 1;
    goal.budget_pages = region.dirty_pages;
    plat_unlock(&region.lock);
    size_t bytes = purge(&goal);
    region_trim_maps();
    meta_trim();
    return bytes;
}

SK_COLD void region_set_lazy(bool lazy)
{
    sk_store_relaxed(&region.lazy, lazy);
}

SK_START uint64_t region_trims(void)
{
    return sk_load_relaxed(&region.trims);
}

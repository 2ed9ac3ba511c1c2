/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: runs of pages: found, cut, grown, freed and merged.
 * Below: plat.
 * Owns: the tags of page_info (run_kind, and run_pages of free runs). A free run is tagged at
 *       both ends with its kind and length, any other page with RUN_NONE, so that a run finds
 *       the free run on either side of it by looking at one entry (boundary tags: Knuth, TAOCP
 *       1, 2.5).
 * Concurrency: region.lock; never across a system call.
 * Failure: NULL or false, nothing changed.
 */
#include "region/internal.h"

/* ---- lists ------------------------------------------------------------------------------ */

void run_tag(enum run_kind kind, uint32_t page, uint32_t pages)
{
    struct page_info *first = &region_map.info[page], *last = first + pages - 1;
    first->run_kind = last->run_kind = (uint8_t)kind;
    first->run_pages = last->run_pages = pages;
}

void run_untag(uint32_t page, uint32_t pages)
{
    struct page_info *first = &region_map.info[page], *last = first + pages - 1;
    first->run_kind = last->run_kind = RUN_NONE;
    first->run_pages = last->run_pages = 0;
}

static void run_link(enum run_kind kind, uint32_t page, uint32_t pages)
{
    run_tag(kind, page, pages);
    run_index_insert(&region.index[kind], page, pages);
    if (kind == RUN_CLEAN)
        region.nodes[page].stamp = 0;
}

static SK_NOINLINE uint32_t run_unlink(enum run_kind kind, uint32_t page)
{
    uint32_t pages = region.nodes[page].pages;
    run_index_remove(&region.index[kind], page);
    run_untag(page, pages);
    return pages;
}

/* The free run of that kind that ends before `page`, or that begins at `end`. */
static uint32_t run_left_of(enum run_kind kind, uint32_t page)
{
    const struct page_info *info = &region_map.info[page];
    return page && info[-1].run_kind == kind ? page - info[-1].run_pages : RUN_NIL;
}

static uint32_t run_right_of(enum run_kind kind, uint32_t end)
{
    return end < region.frontier && region_map.info[end].run_kind == kind ? end : RUN_NIL;
}

/* Links [page, page + pages) as one run with what lies free on either side; returns its begin. */
static SK_NOINLINE uint32_t run_link_merged(enum run_kind kind, uint32_t page, uint32_t pages,
                                            uint32_t left, uint32_t right)
{
    if (right != RUN_NIL)
        pages += run_unlink(kind, right);
    if (left != RUN_NIL) {
        pages += run_unlink(kind, left);
        page = left;
    }
    run_link(kind, page, pages);
    return page;
}

/* Clean memory below the frontier, with the clean run before it: fresh again. */
static uint32_t frontier_retreat(uint32_t page, uint32_t left)
{
    if (left != RUN_NIL) {
        region.clean_pages -= run_unlink(RUN_CLEAN, left);
        page = left;
    }
    region_note_frontier();
    region.given_back = (uint32_t)sk_max(region.given_back, region.frontier);
    sk_store_relaxed(&region.frontier, page);
    return page;
}

uint32_t run_insert_clean(uint32_t page, uint32_t pages)
{
    uint32_t left = run_left_of(RUN_CLEAN, page);
    if (page + pages == region.frontier)
        return frontier_retreat(page, left);
    uint32_t right = run_right_of(RUN_CLEAN, page + pages);
    region.clean_pages += pages;
    return run_link_merged(RUN_CLEAN, page, pages, left, right);
}

/* Of the parts that become one dirty run, the one whose place in the queue the whole takes. */
static uint32_t oldest_place(uint32_t pages, uint32_t left, uint32_t right)
{
    uint32_t place = RUN_NIL;
    if (left != RUN_NIL && region.nodes[left].pages > pages) {
        place = left;
        pages = region.nodes[left].pages;
    }
    if (right != RUN_NIL && region.nodes[right].pages > pages)
        place = right;
    return place;
}

/*
 * The largest part says how old the merged run is. With the youngest part's age instead, one page
 * freed now and then beside a large idle run would keep it from the system for ever; with the
 * oldest part's, a large run just freed would go at once. So the idle pages kept by a merge are
 * never more than the pages just freed.
 */
static void run_insert_dirty(uint32_t page, uint32_t pages)
{
    uint32_t left = run_left_of(RUN_DIRTY, page);
    uint32_t right = run_right_of(RUN_DIRTY, page + pages);
    uint32_t place = oldest_place(pages, left, right);

    if (left != RUN_NIL && left != place)
        run_age_remove(left);
    if (right != RUN_NIL && right != place)
        run_age_remove(right);
    uint32_t whole = run_link_merged(RUN_DIRTY, page, pages, left, right);
    if (place == RUN_NIL)
        run_age_push(whole, region.generation);
    else if (place != whole)
        run_age_replace(place, whole);
    region.dirty_pages += pages;
}

void run_take(enum run_kind kind, uint32_t head, uint32_t at, uint32_t pages)
{
    uint32_t front = at - head, end = at + pages;
    uint32_t back = run_unlink(kind, head) - front - pages;

    if (kind == RUN_DIRTY && back)
        run_age_insert_after(head, end);
    if (kind == RUN_DIRTY && !front)
        run_age_remove(head);
    if (front)
        run_link(kind, head, front);
    if (back)
        run_link(kind, end, back);
}

/* ---- figures ---------------------------------------------------------------------------- */

void region_note_peak(void)
{
    uint64_t live = ((uint64_t)region.used_pages << PLAT_PAGE_SHIFT) + region.huge_bytes;
    if (live > region.peak_bytes)
        region.peak_bytes = live;
}

size_t run_dirty_limit_pages(void)
{
    return region.dirty_floor_pages + region.used_pages * region.dirty_percent / 100;
}

/* Free pages of a kind (RUN_NONE: fresh) become used. */
static void account_taken(enum run_kind kind, uint32_t pages)
{
    if (kind == RUN_DIRTY)
        region.dirty_pages -= pages;
    else if (kind == RUN_CLEAN)
        region.clean_pages -= pages;
    region.used_pages += pages;
    region_note_peak();
}

/* ---- allocate --------------------------------------------------------------------------- */

struct request {
    uint32_t pages, align;
};

struct grant {
    uint32_t page;
    enum run_kind from; /* RUN_NONE: fresh */
    bool given_back;    /* may have to be committed anew */
};

/* First page at or above `page` whose address is aligned. */
static uint64_t page_align_up(uint64_t page, uint32_t align)
{
    uint64_t base = region_map.base >> PLAT_PAGE_SHIFT;
    return sk_align_up(base + page, align) - base;
}

static bool holds_aligned(uint32_t head, const struct request *rq)
{
    return page_align_up(head, rq->align) + rq->pages <= (uint64_t)head + region.nodes[head].pages;
}

/* A free run that holds the request, alignment included. */
static uint32_t fit_locked(enum run_kind kind, const struct request *rq)
{
    uint32_t head = run_index_fit(&region.index[kind], rq->pages);
    if (rq->align == 1 || head == RUN_NIL || holds_aligned(head, rq))
        return head;
    return run_index_fit(&region.index[kind], rq->pages + rq->align - 1);
}

static bool take_listed(enum run_kind kind, const struct request *rq, struct grant *out)
{
    uint32_t head = fit_locked(kind, rq);
    if (head == RUN_NIL)
        return false;
    out->from = kind;
    out->given_back = kind == RUN_CLEAN;
    out->page = (uint32_t)page_align_up(head, rq->align);
    run_take(kind, head, out->page, rq->pages);
    return true;
}

/* Moves the frontier. Pages skipped for alignment were never touched: clean. */
static bool take_fresh(const struct request *rq, struct grant *out)
{
    uint64_t at = page_align_up(region.frontier, rq->align);
    uint32_t skipped_at = region.frontier;

    if (at + rq->pages > region.committed)
        return false;
    out->from = RUN_NONE;
    out->page = (uint32_t)at;
    out->given_back = at < region.given_back;
    sk_store_relaxed(&region.frontier, (uint32_t)at + rq->pages);
    if (at > skipped_at)
        run_insert_clean(skipped_at, (uint32_t)at - skipped_at);
    return true;
}

/* *end, if false: how far the range would have to be usable. */
static bool take(const struct request *rq, struct grant *out, uint64_t *end)
{
    plat_lock(&region.lock);
    bool ok =
        take_listed(RUN_DIRTY, rq, out) || take_listed(RUN_CLEAN, rq, out) || take_fresh(rq, out);
    if (ok) {
        account_taken(out->from, rq->pages);
    } else {
        *end = page_align_up(region.frontier, rq->align) + rq->pages;
    }
    plat_unlock(&region.lock);
    return ok;
}

/* Pages in use that are not committed go back as clean. */
static SK_COLD void untake(uint32_t page, uint32_t pages)
{
    plat_lock(&region.lock);
    region.used_pages -= pages;
    run_insert_clean(page, pages);
    plat_unlock(&region.lock);
}

/* What was given back needs the system's leave again. */
static bool make_usable(const struct request *rq, const struct grant *got)
{
    if (PLAT_DECOMMIT_KEEPS || !got->given_back ||
        plat_commit(region_page_addr(got->page), (size_t)rq->pages << PLAT_PAGE_SHIFT))
        return true;
    untake(got->page, rq->pages);
    return false;
}

/* Others may take what was grown, hence the loop: it ends with theirs at the range's end. */
static SK_START bool take_growing(const struct request *rq, struct grant *out)
{
    uint64_t end;
    while (!take(rq, out, &end))
        if (!region_grow(end))
            return false;
    return make_usable(rq, out);
}

/*
 * Under purge_lock nothing is in transit: another's purge has put back what it took away. If that
 * is not enough, dirty memory is given back, after which it is clean and merges with the clean
 * runs beside it or is fresh, and the system may be readier to commit.
 */
static SK_COLD bool take_last(const struct request *rq, struct grant *out)
{
    plat_lock(&region.purge_lock);
    bool ok = take_growing(rq, out);
    if (!ok) {
        region_purge_all();
        ok = take_growing(rq, out);
    }
    plat_unlock(&region.purge_lock);
    return ok;
}

/* Memory grows although much is free: what is free does not fit, and should not stay besides. */
static bool dirty_over_limit(void)
{
    plat_lock(&region.lock);
    bool over = region.dirty_pages > run_dirty_limit_pages();
    plat_unlock(&region.lock);
    return over;
}

void *region_alloc(size_t pages, size_t align_pages, bool *zeroed)
{
    struct request rq = {.pages = (uint32_t)pages, .align = (uint32_t)align_pages};
    struct grant got;

    SK_ASSERT(sk_is_pow2(align_pages));
    if (pages == 0 || pages > region_map.npages || align_pages > RUN_MAX_PAGES)
        return NULL;
    if (!take_growing(&rq, &got) && (plat_refusing() || !take_last(&rq, &got)))
        return NULL;
    sk_add_relaxed(&region.runs_allocated, 1);
    void *run = region_page_addr(got.page);
    if (got.from == RUN_NONE)
        region_advise_fresh(run, pages << PLAT_PAGE_SHIFT);
    if (got.from != RUN_DIRTY && dirty_over_limit())
        region_trim_excess();
    if (zeroed)
        *zeroed = got.from != RUN_DIRTY;
    return run;
}

/* ---- free ------------------------------------------------------------------------------- */

static bool free_locked(uint32_t page, uint32_t pages)
{
    region.used_pages -= pages;
    run_insert_dirty(page, pages);
    return !sk_load_relaxed(&region.lazy) && region.dirty_pages > run_dirty_limit_pages();
}

bool region_free(void *run, size_t pages)
{
    uint32_t page = (uint32_t)region_page(run);

    region_map_reset(page, (uint32_t)pages);
    region_note_big_free(pages << PLAT_PAGE_SHIFT);
    plat_lock(&region.lock);
    region.runs_freed++;
    bool over = free_locked(page, (uint32_t)pages);
    plat_unlock(&region.lock);
    return over;
}

bool region_shrink(void *run, size_t pages, size_t new_pages)
{
    uint32_t page = (uint32_t)(region_page(run) + new_pages);

    SK_ASSERT(new_pages > 0 && new_pages <= pages);
    if (new_pages == pages)
        return false;
    region_map_reset(page, (uint32_t)(pages - new_pages));
    plat_lock(&region.lock);
    bool over = free_locked(page, (uint32_t)(pages - new_pages));
    plat_unlock(&region.lock);
    return over;
}

/* ---- extend ----------------------------------------------------------------------------- */

enum reach {
    REACH_NONE,
    REACH_ALL,
    REACH_GROW
};

/* May [at, end) be had? REACH_GROW: once it is usable. */
static enum reach reach_locked(uint64_t at, uint64_t end)
{
    while (at < end && at < region.frontier) {
        const struct page_info *info = &region_map.info[at];
        if (info->run_kind != RUN_DIRTY && info->run_kind != RUN_CLEAN)
            return REACH_NONE;
        at += info->run_pages;
    }
    if (at >= end || end <= region.committed)
        return REACH_ALL;
    return REACH_GROW;
}

/* *given_back: some of it may have to be committed anew. */
static bool take_behind(uint32_t at, uint32_t end, bool *given_back)
{
    bool zero = true;

    *given_back = at < region.given_back && region.frontier < end;
    while (at < end && at < region.frontier) {
        enum run_kind kind = region_map.info[at].run_kind;
        uint32_t pages = (uint32_t)sk_min(region_map.info[at].run_pages, end - at);
        run_take(kind, at, at, pages);
        account_taken(kind, pages);
        zero &= kind == RUN_CLEAN;
        *given_back |= kind == RUN_CLEAN;
        at += pages;
    }
    if (at < end) {
        sk_store_relaxed(&region.frontier, end);
        account_taken(RUN_NONE, end - at);
    }
    return zero;
}

/* All or nothing: refused, what was had behind the run is clean. */
static SK_COLD bool usable_behind(uint32_t at, uint32_t end)
{
    size_t bytes = (size_t)(end - at) << PLAT_PAGE_SHIFT;
    if (plat_commit(region_page_addr(at), bytes))
        return true;
    plat_decommit(region_page_addr(at), bytes);
    untake(at, end - at);
    return false;
}

SK_COLD bool region_extend(void *run, size_t pages, size_t new_pages, bool *zeroed)
{
    uint64_t at = region_page(run) + pages, end = at + (new_pages - pages);
    enum reach reach;
    bool given_back = false;

    SK_ASSERT(new_pages >= pages);
    if (new_pages > region_map.npages || end > region_map.npages)
        return false;
    do {
        plat_lock(&region.lock);
        reach = reach_locked(at, end);
        bool zero = reach == REACH_ALL && take_behind((uint32_t)at, (uint32_t)end, &given_back);
        plat_unlock(&region.lock);
        if (zeroed)
            *zeroed = zero;
    } while (reach == REACH_GROW && region_grow(end));
    given_back &= !PLAT_DECOMMIT_KEEPS;
    return reach == REACH_ALL && (!given_back || usable_behind((uint32_t)at, (uint32_t)end));
}

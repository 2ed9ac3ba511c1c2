/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: gives back memory of the maps that no page in use needs: above the frontier, and inside
 *       long clean runs, whose entries but the two at the ends read as zero.
 * Below: plat.
 * Owns: region.map_high; run_node.stamp of clean runs (1: nothing to give back inside).
 * Concurrency: entries are written without a lock by whoever gets the pages. So nobody may get them
 *       meanwhile: above the frontier, committed is lowered under grow_lock; a clean run is off the
 *       lists, RUN_HELD, under purge_lock.
 */
#include "region/internal.h"

#define HELD_MIN_PAGES 512u

static const size_t entry_bytes[REGION_MAPS] = {
    [MAP_KIND] = sizeof(*region_map.kind),
    [MAP_INFO] = sizeof(*region_map.info),
    [MAP_NODES] = sizeof(*region.nodes),
};

static char *map_begin(enum region_maps map)
{
    switch (map) {
    case MAP_KIND:
        return (char *)region_map.kind;
    case MAP_INFO:
        return (char *)region_map.info;
    default:
        return (char *)region.nodes;
    }
}

/* ---- above the frontier ----------------------------------------------------------------- */

struct part {
    char *at;
    size_t bytes;
};

void region_note_frontier(void)
{
    SK_ROLLED
    for (unsigned m = 0; m < REGION_MAPS; m++)
        region.map_high[m] = (uint32_t)sk_max(region.map_high[m], region.frontier);
}

/* One system page stays, so that a frontier that goes to and fro makes no call each time. */
static struct part take_excess(enum region_maps map)
{
    size_t sys = plat_sys_page_bytes();
    size_t keep = sk_align_up(region.frontier * entry_bytes[map], sys) + sys;
    size_t end = sk_align_up(region.map_high[map] * entry_bytes[map], sys);
    if (end <= keep)
        return (struct part){NULL, 0};
    region.map_high[map] = (uint32_t)(keep / entry_bytes[map]);
    return (struct part){map_begin(map) + keep, end - keep};
}

/* Returns what was usable. Until the frontier is opened again, who needs pages beyond it comes to
 * region_grow and waits. */
static uint32_t close_frontier(struct part *excess)
{
    plat_lock(&region.lock);
    uint32_t committed = region.committed;
    SK_ROLLED
    for (unsigned m = 0; m < REGION_MAPS; m++)
        excess[m] = take_excess((enum region_maps)m);
    region.committed = region.frontier;
    plat_unlock(&region.lock);
    return committed;
}

static void open_frontier(uint32_t committed)
{
    plat_lock(&region.lock);
    region.committed = committed;
    plat_unlock(&region.lock);
}

static void trim_above(void)
{
    struct part excess[REGION_MAPS];
    plat_lock(&region.grow_lock);
    uint32_t committed = close_frontier(excess);
    SK_ROLLED
    for (unsigned m = 0; m < REGION_MAPS; m++)
        if (excess[m].bytes)
            plat_discard(excess[m].at, excess[m].bytes);
    open_frontier(committed);
    plat_unlock(&region.grow_lock);
}

/* ---- inside clean runs ------------------------------------------------------------------ */

struct run {
    uint32_t page, pages;
};

/* The next long clean run in the order of the index that was not looked at since it was made. Its
 * `pages` is 0: none. */
static struct run hold_next(struct run after)
{
    uint32_t page;
    while ((page = run_index_after(&region.index[RUN_CLEAN], after.pages, after.page)) != RUN_NIL) {
        after = (struct run){page, region.nodes[page].pages};
        if (region.nodes[page].stamp == 0)
            break;
    }
    if (page == RUN_NIL)
        return (struct run){0, 0};
    run_take(RUN_CLEAN, page, page, after.pages);
    run_tag(RUN_HELD, page, after.pages);
    return after;
}

/* Merged with what became clean beside it meanwhile, it is looked at again. */
static void release_held(struct run r)
{
    run_untag(r.page, r.pages);
    region.clean_pages -= r.pages;
    if (run_insert_clean(r.page, r.pages) == r.page && region.nodes[r.page].pages == r.pages)
        region.nodes[r.page].stamp = 1;
}

static void discard_inside(struct run r)
{
    SK_ROLLED
    for (unsigned m = 0; m < REGION_MAPS; m++) {
        size_t sys = plat_sys_page_bytes();
        size_t begin = sk_align_up((r.page + 1) * entry_bytes[m], sys);
        size_t end = sk_align_down((r.page + r.pages - 1) * entry_bytes[m], sys);
        if (begin < end)
            plat_discard(map_begin((enum region_maps)m) + begin, end - begin);
    }
}

static bool trim_next_inside(struct run *r)
{
    plat_lock(&region.purge_lock);
    plat_lock(&region.lock);
    *r = hold_next(*r);
    plat_unlock(&region.lock);
    if (r->pages) {
        discard_inside(*r);
        plat_lock(&region.lock);
        release_held(*r);
        plat_unlock(&region.lock);
    }
    plat_unlock(&region.purge_lock);
    return r->pages;
}

SK_COLD void region_trim_maps(void)
{
    struct run r = {.page = RUN_NIL - 1, .pages = HELD_MIN_PAGES - 1};
    trim_above();
    while (trim_next_inside(&r))
        ;
}

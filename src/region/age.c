/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: dirty runs in the order in which they became free.
 * Below: base.
 * Owns: run_node.older, .newer, .stamp; region.ages.
 * Concurrency: caller holds region.lock.
 */
#include "region/internal.h"

/* Where the queue names the run behind `page`, and the run before it. */
static uint32_t *link_newer(uint32_t page)
{
    return page == RUN_NIL ? &region.ages.oldest : &region.nodes[page].newer;
}

static uint32_t *link_older(uint32_t page)
{
    return page == RUN_NIL ? &region.ages.youngest : &region.nodes[page].older;
}

static void link_between(uint32_t page, uint32_t older, uint32_t newer)
{
    region.nodes[page].older = older;
    region.nodes[page].newer = newer;
    *link_newer(older) = page;
    *link_older(newer) = page;
}

void run_age_push(uint32_t page, uint64_t stamp)
{
    region.nodes[page].stamp = stamp;
    link_between(page, region.ages.youngest, RUN_NIL);
}

void run_age_remove(uint32_t page)
{
    const struct run_node *n = &region.nodes[page];
    *link_newer(n->older) = n->newer;
    *link_older(n->newer) = n->older;
}

void run_age_replace(uint32_t old, uint32_t page)
{
    const struct run_node *n = &region.nodes[old];
    region.nodes[page].stamp = n->stamp;
    link_between(page, n->older, n->newer);
}

void run_age_insert_after(uint32_t place, uint32_t page)
{
    const struct run_node *n = &region.nodes[place];
    region.nodes[page].stamp = n->stamp;
    link_between(page, place, n->newer);
}

SK_COLD uint32_t run_age_verify(void)
{
    uint32_t count = 0, older = RUN_NIL;
    uint64_t stamp = 0;
    for (uint32_t page = region.ages.oldest; page != RUN_NIL; page = region.nodes[page].newer) {
        const struct run_node *n = &region.nodes[page];
        if (n->older != older || n->stamp < stamp || n->stamp > region.generation)
            return UINT32_MAX;
        older = page;
        stamp = n->stamp;
        if (++count > region.frontier)
            return UINT32_MAX;
    }
    return region.ages.youngest == older ? count : UINT32_MAX;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: the region as a whole: start, figures, fork, verify.
 * Below: plat, meta.
 */
#include "region/internal.h"
#include "region/meta.h"

struct region region;

/* ---- start ------------------------------------------------------------------------------ */

/* At most half of the address space that is left, maps included: huge blocks, stacks and
 * libraries need some too. */
static size_t wanted_pages(const struct region_config *cfg)
{
    size_t per_page =
        PLAT_PAGE_BYTES + sizeof(uint16_t) + sizeof(struct page_info) + sizeof(struct run_node);
    size_t wish = cfg->reserve_bytes >> PLAT_PAGE_SHIFT;
    return sk_min(sk_min(wish, plat_resident_limit_bytes() / 2 / per_page), RUN_MAX_PAGES);
}

static void advise_range(void)
{
    size_t bytes = region_map.npages << PLAT_PAGE_SHIFT;
    if (region.hugepages != REGION_HUGE_AUTO)
        plat_hugepages((void *)region_map.base, bytes, region.hugepages == REGION_HUGE_ALWAYS);
}

SK_START void region_init(const struct region_config *cfg)
{
    size_t pages = wanted_pages(cfg);

    __builtin_memset(&region, 0, sizeof(region));
    region.dirty_floor_pages = cfg->dirty_floor_bytes >> PLAT_PAGE_SHIFT;
    region.dirty_percent = cfg->dirty_percent;
    region.hugepages = cfg->hugepages;
    region.ages = (struct run_ages){RUN_NIL, RUN_NIL};
    run_index_init(&region.index[RUN_DIRTY]);
    run_index_init(&region.index[RUN_CLEAN]);
    while (pages && !region_map_reserve(pages))
        pages /= 2;
    if (pages)
        advise_range();
}

/* ---- figures ---------------------------------------------------------------------------- */

static uint64_t to_bytes(size_t pages)
{
    return (uint64_t)pages << PLAT_PAGE_SHIFT;
}

SK_START void region_get_stats(struct region_stats *out)
{
    plat_lock(&region.lock);
    *out = (struct region_stats){
        .reserved_bytes = to_bytes(region_map.npages),
        .used_bytes = to_bytes(region.used_pages),
        .dirty_bytes = to_bytes(region.dirty_pages),
        .clean_bytes = to_bytes(region.clean_pages),
        .fresh_bytes = to_bytes(region_map.npages - region.frontier),
        .huge_bytes = region.huge_bytes,
        .huge_blocks = region.huge_blocks,
        .peak_bytes = region.peak_bytes,
        .returned_bytes = region.returned_bytes,
        .runs_allocated = sk_load_relaxed(&region.runs_allocated),
        .runs_freed = region.runs_freed,
        .trims = region.trims,
        .reaps = region.reaps,
    };
    plat_unlock(&region.lock);
    out->meta_bytes = meta_mapped_bytes();
}

/* ---- fork ------------------------------------------------------------------------------- */

/* purge_lock first: with it nothing is in transit and no thread is inside a system call of ours
 * whose effect the child would have to finish. */
SK_COLD void region_fork_prepare(void)
{
    plat_lock(&region.purge_lock);
    plat_lock(&region.grow_lock);
    plat_lock(&region.lock);
    huge_fork_prepare();
}

SK_COLD void region_fork_parent(void)
{
    huge_fork_parent();
    plat_unlock(&region.lock);
    plat_unlock(&region.grow_lock);
    plat_unlock(&region.purge_lock);
}

SK_COLD void region_fork_child(void)
{
    huge_fork_child();
    plat_lock_reset(&region.lock);
    plat_lock_reset(&region.grow_lock);
    plat_lock_reset(&region.purge_lock);
}

/* ---- verify ----------------------------------------------------------------------------- */

struct page_sums {
    size_t pages[RUN_KINDS]; /* RUN_NONE: used */
    uint32_t runs[RUN_KINDS];
};

/* Every page of a free run: owned by nobody, tagged at its ends only. */
static bool verify_run(uint32_t page, uint32_t pages, enum run_kind kind)
{
    if (kind >= RUN_KINDS || pages == 0 || pages > region.frontier - page)
        return false;
    const struct page_info *first = &region_map.info[page], *last = first + pages - 1;
    if (last->run_kind != kind || last->run_pages != pages)
        return false;
    for (uint32_t i = 0; i < pages; i++) {
        bool end = i == 0 || i == pages - 1;
        if (first[i].state != PAGE_FREE || region_map.kind[page + i] != 0 ||
            (!end && first[i].run_kind != RUN_NONE))
            return false;
    }
    return kind >= RUN_TRANSIT || region.nodes[page].pages == pages;
}

static bool verify_pages(struct page_sums *sums)
{
    enum run_kind last = RUN_NONE;
    for (uint32_t page = 0, pages; page < region.frontier; page += pages) {
        enum run_kind kind = region_map.info[page].run_kind;
        pages = kind == RUN_NONE ? 1 : region_map.info[page].run_pages;
        if (kind != RUN_NONE &&
            (!verify_run(page, pages, kind) || (kind == last && kind < RUN_TRANSIT)))
            return false;
        sums->pages[kind] += pages;
        sums->runs[kind]++;
        last = kind;
    }
    return last != RUN_CLEAN; /* it would be fresh */
}

static bool verify_sums(const struct page_sums *s)
{
    return s->pages[RUN_NONE] == region.used_pages &&
           s->pages[RUN_CLEAN] + s->pages[RUN_HELD] == region.clean_pages &&
           s->pages[RUN_DIRTY] + s->pages[RUN_TRANSIT] == region.dirty_pages &&
           region.frontier <= region.committed && region.committed <= region_map.npages &&
           s->runs[RUN_DIRTY] == run_index_verify(&region.index[RUN_DIRTY]) &&
           s->runs[RUN_CLEAN] == run_index_verify(&region.index[RUN_CLEAN]) &&
           s->runs[RUN_DIRTY] == run_age_verify();
}

SK_COLD bool region_verify(void)
{
    struct page_sums sums = {0};
    plat_lock(&region.lock);
    bool ok = verify_pages(&sums) && verify_sums(&sums);
    plat_unlock(&region.lock);
    return ok && huge_verify() && meta_verify();
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: the reservation of the range and of its maps, and the owner's entries in them.
 * Below: plat.
 * Owns: region_map. The maps are reserved for the whole range and touched only where runs are:
 *       kind and info are readable throughout, since a stray pointer may be looked up; the entries
 *       of pages become writable with them.
 * Concurrency: entries are written by the owner of the run, except run_kind (region.lock).
 */
#include "region/internal.h"

/* For huge pages; the largest that is worth aligning to. */
#define RANGE_ALIGN ((size_t)2 << 20)

struct region_map region_map, region_hits;

static size_t to_sys_pages(size_t bytes)
{
    return sk_align_up(bytes, plat_sys_page_bytes());
}

size_t region_kind_bytes(size_t pages)
{
    return to_sys_pages(pages * sizeof(*region_map.kind));
}

size_t region_info_bytes(size_t pages)
{
    return to_sys_pages(pages * sizeof(*region_map.info));
}

size_t region_nodes_bytes(size_t pages)
{
    return to_sys_pages(pages * sizeof(*region.nodes));
}

/* All maps, one behind the other. A stray pointer may be looked up, so the entries of all pages are readable. */
static char *maps_reserve(size_t bytes, size_t readable)
{
    char *p = plat_reserve(bytes, plat_sys_page_bytes());
    if (p && !plat_commit_zeros(p, readable)) {
        plat_release(p, bytes);
        return NULL;
    }
    return p;
}

SK_START bool region_map_reserve(size_t pages)
{
    size_t kind = region_kind_bytes(pages), info = region_info_bytes(pages);
    size_t bytes = kind + info + region_nodes_bytes(pages);
    char *maps = maps_reserve(bytes, kind + info);
    void *range = maps ? plat_reserve(pages << PLAT_PAGE_SHIFT, RANGE_ALIGN) : NULL;

    if (!range) {
        if (maps)
            plat_release(maps, bytes);
        return false;
    }
    /* A huge page in a map touched sparsely would be 2 MiB resident for a few entries. */
    plat_hugepages(maps, bytes, false);
    region.nodes = (void *)(maps + kind + info);
    region_map = (struct region_map){.base = (uintptr_t)range,
                                     .npages = pages,
                                     .kind = (void *)maps,
                                     .info = (void *)(maps + kind)};
    return true;
}

void region_show_hits(void)
{
    region_hits = region_map;
}

void region_map_reset(uint32_t page, uint32_t pages)
{
    SK_ROLLED
    for (uint32_t i = page; i < page + pages; i++) {
        region_map.kind[i] = 0;
        region_map.info[i].slab = NULL;
        region_map.info[i].run_pages = 0;
        region_map.info[i].state = PAGE_FREE;
    }
}

SK_START void region_set_slab(void *run, size_t pages, uint32_t kind, struct slab *slab)
{
    size_t page = region_page(run);
    for (size_t i = page; i < page + pages; i++) {
        region_map.info[i].slab = slab;
        region_map.info[i].state = PAGE_SLAB;
    }
    region_set_kind(run, pages, kind);
}

void region_set_kind(void *run, size_t pages, uint32_t kind)
{
    size_t page = region_page(run);
    SK_ROLLED
    for (size_t i = page; i < page + pages; i++)
        sk_store_relaxed(&region_map.kind[i], kind);
}

void region_set_large(void *run, size_t pages, size_t usable_bytes)
{
    struct page_info *head = region_info(run);
    head->large_bytes = usable_bytes;
    head->run_pages = (uint32_t)pages;
    head->state = PAGE_LARGE_HEAD;
    head->placed = 0;
    SK_ROLLED
    for (size_t i = 1; i < pages; i++) {
        head[i].state = PAGE_LARGE_BODY;
        head[i].placed = 0;
    }
}

SK_COLD void region_place(void *run, size_t pages, unsigned node, bool zeroed)
{
    struct page_info *info = region_info(run);
    bool elsewhere = false;

    if (plat_refusing())
        return;
    for (size_t i = 0; i < pages; i++) {
        elsewhere |= info[i].placed != node + 1;
        info[i].placed = (uint16_t)(node + 1);
    }
    /* Untouched, they have no memory yet; unless it came when they were committed. */
    if (elsewhere && !(zeroed && PLAT_DECOMMIT_KEEPS))
        plat_discard(run, pages << PLAT_PAGE_SHIFT);
}

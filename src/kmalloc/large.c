/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: blocks that are no objects: runs of the range, and mappings of their own.
 * Below: region.
 * Concurrency: region's locks; figures are atomic.
 */
#include "kmalloc/internal.h"

struct km_stats km_figures;

static size_t run_pages(size_t bytes)
{
    return sk_align_up(bytes, PLAT_ROOM_BYTES) >> PLAT_PAGE_SHIFT;
}

size_t large_bytes_for(size_t size)
{
    return sk_align_up(sk_max(size, 1), plat_sys_page_bytes());
}

static void *huge_alloc(size_t size, size_t align, bool *zeroed)
{
    void *p = region_huge_alloc(size, align);

    if (p) {
        sk_add_relaxed(&km_figures.huge_allocs, 1);
        if (zeroed)
            *zeroed = true;
    }
    return p;
}

static void *run_alloc(size_t size, size_t align, bool *zeroed)
{
    size_t pages = run_pages(size);
    void *p = region_alloc(pages, sk_max(align >> PLAT_PAGE_SHIFT, 1), zeroed);

    if (!p)
        return NULL;
    region_set_large(p, pages, large_bytes_for(size));
    sk_add_relaxed(&km_figures.large_allocs, 1);
    sk_add_relaxed(&km_figures.large_bytes, large_bytes_for(size));
    return p;
}

void *large_alloc(size_t size, size_t align, bool *zeroed)
{
    void *p = NULL;

    size = sk_max(size, 1);
    if (size < KM_HUGE_MIN && align < KM_HUGE_MIN)
        p = run_alloc(size, align, zeroed);
    return p ? p : huge_alloc(size, align, zeroed);
}

static struct page_info *large_head(const void *p)
{
    struct page_info *info = region_info(p);

    if (!info || info->state != PAGE_LARGE_HEAD || (uintptr_t)p % PLAT_PAGE_BYTES)
        return NULL;
    return info;
}

static void excess(bool due)
{
    if (due)
        region_trim_excess();
}

void large_free(void *p)
{
    struct page_info *info = large_head(p);

    if (info) {
        sk_add_relaxed(&km_figures.large_frees, 1);
        sk_sub_relaxed(&km_figures.large_bytes, info->large_bytes);
        excess(region_free(p, info->run_pages));
    } else if (!region_info(p) && region_huge_free(p)) {
        sk_add_relaxed(&km_figures.huge_frees, 1);
    } else {
        large_misuse(p);
    }
}

static bool run_fits(void *p, struct page_info *info, size_t pages)
{
    if (pages < info->run_pages)
        excess(region_shrink(p, info->run_pages, pages));
    else if (pages > info->run_pages)
        return region_extend(p, info->run_pages, pages, NULL);
    return true;
}

SK_COLD void *large_resize(void *p, size_t size)
{
    struct page_info *info = large_head(p);

    if (!info)
        return size >= KM_HUGE_MIN / 2 ? region_huge_resize(p, size) : NULL;
    /* In place a run may outgrow KM_HUGE_MIN: better than a copy into a mapping. */
    if (size <= KM_SMALL_MAX || !run_fits(p, info, run_pages(size)))
        return NULL;
    sk_add_relaxed(&km_figures.large_bytes, large_bytes_for(size) - info->large_bytes);
    region_set_large(p, run_pages(size), large_bytes_for(size));
    return p;
}

size_t large_usable(const void *p)
{
    struct page_info *info = large_head(p);

    if (info)
        return info->large_bytes;
    return region_info(p) ? 0 : region_huge_bytes(p);
}

static size_t head_bytes_before(const void *p)
{
    struct page_info *info = region_info(p);

    while (info->state == PAGE_LARGE_BODY)
        info--;
    return info->large_bytes;
}

_Noreturn SK_COLD void large_misuse(const void *p)
{
    struct page_info *info = region_info(p);
    void *huge;

    if (info && (info->state == PAGE_LARGE_BODY || info->state == PAGE_LARGE_HEAD))
        misuse_die(MISUSE_LARGE_INTERIOR, p, head_bytes_before(p), NULL);
    if (info || nested_holds(p))
        misuse_die(MISUSE_FREED, p, 0, NULL);
    huge = region_huge_inside(p);
    if (huge)
        misuse_die(MISUSE_HUGE_INTERIOR, p, region_huge_bytes(huge), NULL);
    misuse_die(MISUSE_FOREIGN, p, 0, NULL);
}

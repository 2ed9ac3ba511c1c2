/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: makes fresh pages usable, and says which memory should be of huge pages.
 * Below: plat.
 * Owns: region.committed: frontier <= committed <= npages.
 * Concurrency: grow_lock is held across the system call, so that pages are fresh until they are
 *       usable and a refusal changes nothing.
 * Failure: false.
 * Why: not one commit per run: where committing is a system call it would be one per slab. And
 *       not a run first and its commit after: a refused run whose successor was already given
 *       out would be a hole that is neither fresh nor clean.
 */
#include "region/internal.h"

#define GROW_STEP_PAGES       (32 * PLAT_ROOM_BYTES / PLAT_PAGE_BYTES)
#define GROW_DIV              8u /* and by this share of what there is */
#define HUGE_PAGE_BYTES       ((size_t)2 << 20)
#define HUGE_ADVICE_MIN_BYTES ((size_t)4 << 20)
#define HUGE_ADVICE_FREES     256u

static SK_START bool grow_map(enum region_maps map, char *begin, size_t bytes)
{
    size_t old = region.map_committed_bytes[map];
    if (bytes <= old)
        return true;
    if (!plat_commit(begin + old, bytes - old))
        return false;
    region.map_committed_bytes[map] = bytes;
    return true;
}

static bool grow_maps(uint32_t end)
{
    return grow_map(MAP_KIND, (char *)region_map.kind, region_kind_bytes(end)) &&
           grow_map(MAP_INFO, (char *)region_map.info, region_info_bytes(end)) &&
           grow_map(MAP_NODES, (char *)region.nodes, region_nodes_bytes(end));
}

static SK_START bool grow_pages(uint32_t end)
{
    uint32_t old = region.committed;
    if (!grow_maps(end) ||
        !plat_commit(region_page_addr(old), (size_t)(end - old) << PLAT_PAGE_SHIFT))
        return false;
    plat_lock(&region.lock);
    region.committed = end;
    plat_unlock(&region.lock);
    return true;
}

SK_START bool region_grow(uint64_t end)
{
    if (end > region_map.npages)
        return false;
    plat_lock(&region.grow_lock);
    uint64_t wish = sk_align_up(end + region.committed / GROW_DIV, GROW_STEP_PAGES);
    uint32_t step = (uint32_t)sk_min(wish, region_map.npages);
    bool ok = region.committed >= end || grow_pages(step) || grow_pages((uint32_t)end);
    plat_unlock(&region.grow_lock);
    return ok;
}

/*
 * The rule of REGION_HUGE_AUTO: big blocks, in a program that has freed many such blocks. One that
 * allocates a few for good may touch them sparsely, and each touch would make 2 MiB resident; one
 * that runs shortly may get its huge pages from a host that has to find the memory first. One that
 * turns big blocks over for long gains at every fault and every miss of the TLB. Rounded outwards, so
 * that the ends are huge pages as well, shared with what lies beside.
 */
static bool worth_huge_pages(size_t bytes)
{
    return region.hugepages == REGION_HUGE_AUTO && bytes >= HUGE_ADVICE_MIN_BYTES &&
           sk_load_relaxed(&region.big_frees) >= HUGE_ADVICE_FREES;
}

void region_advise_fresh(void *p, size_t bytes)
{
    uintptr_t at = sk_align_down((uintptr_t)p, HUGE_PAGE_BYTES);
    uintptr_t end = sk_align_up((uintptr_t)p + bytes, HUGE_PAGE_BYTES);
    uintptr_t limit = region_map.base + (region_map.npages << PLAT_PAGE_SHIFT);

    if (!worth_huge_pages(bytes))
        return;
    if (region_info(p))
        plat_hugepages((void *)at, sk_min(end, limit) - at, true);
    else
        plat_hugepages(p, bytes, true);
}

void region_note_big_free(size_t bytes)
{
    if (bytes >= HUGE_ADVICE_MIN_BYTES)
        sk_add_relaxed(&region.big_frees, 1);
}

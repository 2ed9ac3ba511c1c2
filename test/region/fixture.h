/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: what the tests of region share: a region of a chosen size per test, and looks at memory.
 * Why: region_init is called once by a program; stop() gives back what it reserved, so that
 *      each test begins with a region of its own.
 */
#ifndef TEST_REGION_FIXTURE_H
#define TEST_REGION_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <cmocka.h>

#include "region/internal.h"
#include "region/meta.h"

#define PAGES(n) ((size_t)(n) << PLAT_PAGE_SHIFT)

static inline void start(size_t pages, size_t dirty_floor_pages, unsigned dirty_percent)
{
    region_init(&(struct region_config){.reserve_bytes = PAGES(pages),
                                        .dirty_floor_bytes = PAGES(dirty_floor_pages),
                                        .dirty_percent = dirty_percent,
                                        .hugepages = REGION_HUGE_AUTO});
}

static inline void stop(void)
{
    size_t pages = region_map.npages;
    if (pages) {
        plat_release((void *)region_map.base, PAGES(pages));
        plat_release(region_map.kind, region_kind_bytes(pages) + region_info_bytes(pages) +
                                          region_nodes_bytes(pages));
    }
    region_map = (struct region_map){0};
}

static inline struct region_stats stats(void)
{
    struct region_stats s;
    region_get_stats(&s);
    return s;
}

/* The structure is whole, and every page is somewhere. */
static inline bool sound(void)
{
    struct region_stats s = stats();
    return region_verify() &&
           s.used_bytes + s.dirty_bytes + s.clean_bytes + s.fresh_bytes == s.reserved_bytes;
}

static inline void *at(void *run, size_t pages)
{
    return (char *)run + PAGES(pages);
}

static inline void dirty(void *run, size_t pages)
{
    memset(run, 0xa5, PAGES(pages));
}

static inline bool is_zero(const void *run, size_t pages)
{
    const uint64_t *word = run;
    for (size_t i = 0; i < PAGES(pages) / sizeof(*word); i++)
        if (word[i])
            return false;
    return true;
}

/* Whether memory comes when a page is touched and goes with a discard. Where it comes with the commit, a
 * discard only clears, and what is resident says nothing. */
static inline bool memory_is_lazy(void)
{
    return PLAT_DECOMMIT_KEEPS;
}

/* Resident system pages of [p, p + bytes). */
static inline size_t resident(void *p, size_t bytes)
{
    static unsigned char in_core[1 << 16];
    size_t pages = bytes / plat_sys_page_bytes(), count = 0;
    assert_true(pages <= sizeof(in_core));
    assert_int_equal(mincore(p, bytes, in_core), 0);
    for (size_t i = 0; i < pages; i++)
        count += in_core[i] & 1;
    return count;
}

#endif

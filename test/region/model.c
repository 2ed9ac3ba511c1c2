/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: random operations against a plain shadow: a byte per page says what it is. The shadow
 *       knows where each run must come from and how much growth gives back, so that the place,
 *       not only its being free, is checked. Seeded; a failure names seed and step.
 */
#include "fixture.h"

#include <stdio.h>
#include <stdlib.h>

#define RANGE_PAGES 200u
#define MAX_RUNS    64u
#define STEPS       6000u
#define FLOOR_PAGES 20u
#define PERCENT     25u

enum shade {
    FRESH,
    DIRTY,
    CLEAN,
    USED
};

struct held {
    uint32_t page, pages;
    uint64_t stamp;
};

static struct {
    uint64_t random;
    uint8_t shade[RANGE_PAGES];
    struct held run[MAX_RUNS];
    uint32_t runs, frontier;
    bool lazy;
    uint64_t seed, step;
} m;

#define MUST(cond)                                                                                 \
    do {                                                                                           \
        if (!(cond))                                                                               \
            fail_msg("seed %llu step %llu: %s", (unsigned long long)m.seed,                        \
                     (unsigned long long)m.step, #cond);                                           \
    } while (0)

/* Marsaglia's xorshift64. */
static uint32_t below(uint32_t n)
{
    m.random ^= m.random << 13;
    m.random ^= m.random >> 7;
    m.random ^= m.random << 17;
    return (uint32_t)(m.random >> 20) % n;
}

/* ---- contents: a stamp in every 4 KiB --------------------------------------------------- */

static void stamp(const struct held *h, uint32_t from)
{
    for (size_t off = PAGES(from); off < PAGES(h->pages); off += 4096)
        *(uint64_t *)((char *)region_page_addr(h->page) + off) = h->stamp + off;
}

static bool stamped(const struct held *h)
{
    for (size_t off = 0; off < PAGES(h->pages); off += 4096)
        if (*(uint64_t *)((char *)region_page_addr(h->page) + off) != h->stamp + off)
            return false;
    return true;
}

static bool zero_in_part(uint32_t page, uint32_t pages)
{
    for (size_t off = 0; off < PAGES(pages); off += 4096)
        if (*(uint64_t *)((char *)region_page_addr(page) + off))
            return false;
    return true;
}

/* ---- the shadow's answers --------------------------------------------------------------- */

static uint32_t shadow_run(uint32_t page, enum shade shade)
{
    uint32_t n = 0;
    while (page + n < RANGE_PAGES && m.shade[page + n] == shade)
        n++;
    return n;
}

/* Smallest run of that shade that is enough, lowest first; RANGE_PAGES: none. */
static uint32_t shadow_fit(uint32_t pages, enum shade shade)
{
    uint32_t best = RANGE_PAGES, best_pages = UINT32_MAX;
    for (uint32_t p = 0, n; p < m.frontier; p += n ? n : 1) {
        n = shadow_run(p, shade);
        if (n >= pages && n < best_pages) {
            best = p;
            best_pages = n;
        }
    }
    return best;
}

static uint32_t align_up(uint32_t page, uint32_t align)
{
    return (uint32_t)region_page(
        (void *)sk_align_up((uintptr_t)region_page_addr(page), PAGES(align)));
}

/* Where in a run of that shade; RANGE_PAGES: in none. */
static uint32_t shadow_fit_aligned(uint32_t pages, uint32_t align, enum shade shade)
{
    uint32_t p = shadow_fit(pages, shade);
    if (p == RANGE_PAGES)
        return p;
    if (align_up(p, align) + pages <= p + shadow_run(p, shade))
        return align_up(p, align);
    p = shadow_fit(pages + align - 1, shade);
    return p == RANGE_PAGES ? p : align_up(p, align);
}

/* Where a run must be; RANGE_PAGES: only the last resort can tell. */
static uint32_t shadow_place(uint32_t pages, uint32_t align, bool *zero)
{
    uint32_t p = shadow_fit_aligned(pages, align, DIRTY);
    *zero = p == RANGE_PAGES;
    if (p == RANGE_PAGES)
        p = shadow_fit_aligned(pages, align, CLEAN);
    if (p == RANGE_PAGES && align_up(m.frontier, align) + pages <= RANGE_PAGES)
        p = align_up(m.frontier, align);
    return p;
}

static uint32_t shadow_count(enum shade shade)
{
    uint32_t n = 0;
    for (uint32_t p = 0; p < m.frontier; p++)
        n += m.shade[p] == shade;
    return n;
}

static uint32_t shadow_limit(void)
{
    return FLOOR_PAGES + shadow_count(USED) * PERCENT / 100;
}

static void shadow_paint(uint32_t page, uint32_t pages, enum shade shade)
{
    memset(&m.shade[page], shade, pages);
}

/* Clean pages below the frontier are fresh. */
static void shadow_retreat(void)
{
    while (m.frontier && m.shade[m.frontier - 1] == CLEAN)
        m.shade[--m.frontier] = FRESH;
}

/* The last resort gives everything back. */
static void shadow_purged(void)
{
    for (uint32_t i = 0; i < RANGE_PAGES; i++)
        m.shade[i] = m.shade[i] == DIRTY ? CLEAN : m.shade[i];
    shadow_retreat();
}

/* After a purge of unknown order: the shadow takes over which dirty pages are clean now; `bytes`
 * says how many. */
static void shadow_adopt(size_t bytes)
{
    uint32_t dirty_before = shadow_count(DIRTY);
    for (uint32_t p = 0, n; p < m.frontier; p += n) {
        const struct page_info *info = &region_map.info[p];
        bool fresh = p >= region.frontier;
        n = fresh || info->run_kind == RUN_NONE ? 1 : info->run_pages;
        for (uint32_t i = p; i < p + n; i++) {
            enum shade was = m.shade[i];
            if (!fresh && info->run_kind == RUN_NONE)
                MUST(was == USED);
            else if (!fresh && info->run_kind == RUN_DIRTY)
                MUST(was == DIRTY);
            else
                MUST(was == DIRTY || was == CLEAN);
            if (fresh || info->run_kind == RUN_CLEAN)
                m.shade[i] = CLEAN;
        }
    }
    MUST(bytes == PAGES(dirty_before - shadow_count(DIRTY)));
    shadow_retreat();
}

/* ---- steps ------------------------------------------------------------------------------ */

static void hold(void *p, uint32_t pages, bool zero)
{
    struct held *h = &m.run[m.runs++];
    *h = (struct held){(uint32_t)region_page(p), pages, (m.step << 32) | 1};
    MUST(h->page + pages <= RANGE_PAGES);
    for (uint32_t i = 0; i < pages; i++) {
        MUST(m.shade[h->page + i] != USED);
        MUST(!zero || m.shade[h->page + i] != DIRTY);
    }
    MUST(!zero || zero_in_part(h->page, pages));
    if (h->page >= m.frontier)
        shadow_paint(m.frontier, h->page - m.frontier, CLEAN);
    shadow_paint(h->page, pages, USED);
    if (h->page + pages > m.frontier)
        m.frontier = h->page + pages;
    stamp(h, 0);
}

static uint32_t random_pages(void)
{
    return below(3) ? 1 + below(3) : 1 + below(40);
}

/* Growth trims: what no dirty run could serve leaves no more than the limit dirty. */
static void shadow_grown(bool zero, uint64_t returned_before)
{
    uint32_t dirty = shadow_count(DIRTY), limit = shadow_limit();
    uint32_t excess = zero && dirty > limit ? dirty - (limit - limit / 4) : 0;
    MUST(region.returned_bytes - returned_before == PAGES(excess));
    shadow_adopt(PAGES(excess));
}

static void alloc(uint32_t pages, uint32_t align)
{
    bool zero, said;
    if (m.runs == MAX_RUNS)
        return;
    uint64_t returned = region.returned_bytes;
    uint32_t place = shadow_place(pages, align, &zero);
    void *p = region_alloc(pages, align, &said);
    if (place == RANGE_PAGES) {
        returned += PAGES(shadow_count(DIRTY));
        shadow_purged();
        place = shadow_place(pages, align, &zero);
    }
    MUST(p == (place == RANGE_PAGES ? NULL : region_page_addr(place)));
    if (p) {
        MUST(said == zero);
        hold(p, pages, said);
    }
    shadow_grown(p && zero, returned);
}

static void step_alloc(void)
{
    alloc(random_pages(), 1);
}

static void step_alloc_aligned(void)
{
    alloc(random_pages(), 1u << below(6));
}

static struct held *any_held(void)
{
    return m.runs ? &m.run[below(m.runs)] : NULL;
}

static void step_free(void)
{
    struct held *h = any_held();
    if (!h)
        return;
    MUST(stamped(h));
    bool over = region_free(region_page_addr(h->page), h->pages);
    shadow_paint(h->page, h->pages, DIRTY);
    MUST(over == (!m.lazy && shadow_count(DIRTY) > shadow_limit()));
    *h = m.run[--m.runs];
}

static void step_extend(void)
{
    struct held *h = any_held();
    bool said;
    if (!h)
        return;
    uint32_t more = 1 + below(6), end = h->page + h->pages;
    bool can = end + more <= RANGE_PAGES, zero = true;
    for (uint32_t i = end; can && i < end + more; i++) {
        can = m.shade[i] != USED;
        zero &= m.shade[i] != DIRTY;
    }
    MUST(region_extend(region_page_addr(h->page), h->pages, h->pages + more, &said) == can);
    if (!can)
        return;
    MUST(said == zero);
    MUST(!said || zero_in_part(end, more));
    h->pages += more;
    shadow_paint(end, more, USED);
    m.frontier = end + more > m.frontier ? end + more : m.frontier;
    stamp(h, h->pages - more);
    MUST(stamped(h));
}

static void step_shrink(void)
{
    struct held *h = any_held();
    if (!h || h->pages == 1)
        return;
    uint32_t keep = 1 + below(h->pages - 1);
    bool over = region_shrink(region_page_addr(h->page), h->pages, keep);
    shadow_paint(h->page + keep, h->pages - keep, DIRTY);
    MUST(over == (!m.lazy && shadow_count(DIRTY) > shadow_limit()));
    h->pages = keep;
    MUST(stamped(h));
}

static void step_purge(void)
{
    size_t keep = below(20);
    shadow_adopt(below(2) ? region_trim_excess() : region_reap(PAGES(keep), below(2)));
}

static void step_lazy(void)
{
    m.lazy = !m.lazy;
    region_set_lazy(m.lazy);
}

static void step(void)
{
    static void (*const steps[])(void) = {step_alloc,  step_alloc, step_alloc, step_alloc_aligned,
                                          step_free,   step_free,  step_free,  step_extend,
                                          step_shrink, step_purge, step_lazy};
    steps[below(SK_ARRAY_SIZE(steps))]();
}

static void run_seed(uint64_t seed)
{
    memset(&m, 0, sizeof(m));
    m.seed = seed;
    m.random = seed * 0x9e3779b97f4a7c15u + 1;
    start(RANGE_PAGES, FLOOR_PAGES, PERCENT);
    for (m.step = 0; m.step < STEPS; m.step++) {
        step();
        MUST(m.step % 7 || sound());
        MUST(m.frontier == region.frontier);
    }
    while (m.runs)
        step_free();
    MUST(sound());
    MUST(stats().used_bytes == 0);
    void *all = region_alloc(RANGE_PAGES, 1, NULL);
    MUST(all == region_page_addr(0));
    stop();
}

static void test_model(void **state)
{
    const char *chosen = getenv("SLABKIT_TEST_SEED");
    (void)state;
    if (chosen) {
        run_seed(strtoull(chosen, NULL, 10));
        return;
    }
    for (uint64_t seed = 1; seed <= 8; seed++)
        run_seed(seed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_model)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: serves a signal handler that interrupted a slow path of its own thread, where no lock may
 * be taken: blocks from the slot's arrays or from a small arena, frees onto a list for later.
 * Below: plat's per-slot primitives, region.
 * Owns: the arena: a run of the range, cut by one atomic index and never reused; the deferred list.
 * Concurrency: lock-free.
 * Failure: NULL when the arena is used up.
 * Why: blocking all signals around every slow path would cost two system calls each; a handler that
 *       allocates at just that moment is rare, so that a bounded arena is enough.
 */
#include "kmalloc/internal.h"

#define NESTED_ARENA_PAGES 16u
#define NESTED_HEADER      16u /* the block's bytes, before it */

static struct {
    char *base;     /* constant after nested_init */
    size_t used;    /* atomic */
    void *deferred; /* atomic: list through the first word of each block */
} nested;

bool nested_init(void)
{
    nested.base = region_alloc(NESTED_ARENA_PAGES, 1, NULL);
    if (nested.base)
        region_set_internal(nested.base, NESTED_ARENA_PAGES);
    return nested.base != NULL;
}

static void *arena_alloc(size_t size, size_t align)
{
    size_t bytes, at, limit = NESTED_ARENA_PAGES * PLAT_PAGE_BYTES;
    char *p;

    align = sk_max(align, NESTED_HEADER);
    if (!nested.base || size > limit || align > PLAT_PAGE_BYTES)
        return NULL;
    bytes = sk_align_up(size, NESTED_HEADER) + align;
    at = sk_add_relaxed(&nested.used, bytes);
    if (at + bytes > limit) {
        sk_sub_relaxed(&nested.used, bytes);
        return NULL;
    }
    p = (char *)sk_align_up((uintptr_t)nested.base + at + NESTED_HEADER, align);
    *(size_t *)(void *)(p - NESTED_HEADER) = sk_align_up(size, NESTED_HEADER);
    return p;
}

void *nested_alloc(size_t size, size_t align)
{
    void *p = NULL;

    if (size <= KM_SMALL_MAX && align <= sizeof(void *) * 2)
        p = plat_slot_pop_retry(km_class(size));
    if (!p)
        p = arena_alloc(sk_max(size, 1), align);
    if (p)
        sk_add_relaxed(&km_figures.nested_allocs, 1);
    return p;
}

size_t nested_usable(const void *p)
{
    const struct page_info *info = region_info(p);

    return info && info->state == PAGE_INTERNAL ? *(const size_t *)((const char *)p - NESTED_HEADER)
                                                : 0;
}

void nested_defer_free(void *p)
{
    void *head = sk_load_relaxed(&nested.deferred);

    do {
        *(void **)p = head;
    } while (!sk_cas_release(&nested.deferred, &head, p));
    sk_add_relaxed(&km_figures.deferred_frees, 1);
}

void nested_run_deferred(void)
{
    void *next;

    if (SK_LIKELY(!sk_load_relaxed(&nested.deferred)))
        return;
    for (void *p = sk_xchg_acquire(&nested.deferred, NULL); p; p = next) {
        next = *(void **)p;
        km_free(p);
    }
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: serves a handler that interrupted a slow path of its own thread or CPU, where no lock may
 *       be waited for: blocks that are objects as pcpu gives and takes them then, others from a
 *       small arena; frees of large blocks onto a list for later.
 * Below: pcpu/nested.c, region.
 * Owns: the arena: reserved pages, cut from their begin on by one atomic word that holds how
 *       much is cut off and how many blocks of it live; with the last of them it starts anew.
 *       The deferred list, of large and huge blocks.
 * Concurrency: lock-free.
 * Failure: NULL when the arena is used up.
 * Why: blocking all signals around every slow path would cost two system calls each; a handler
 *       that allocates at just that moment is rare, so that a bounded arena is enough.
 */
#include "kmalloc/internal.h"

#define ARENA_BYTES_MAX ((size_t)16 << 20)
#define ARENA_LIMIT_DIV 32u /* at most this share of a limited address space */
#define NESTED_HEADER   sizeof(struct header)

/* Before each block. */
struct header {
    size_t bytes;
    const void *block; /* what follows, while it is allocated: an address is checked against it */
};

static struct {
    size_t bytes;   /* constant after nested_init */
    char *base;     /* constant after nested_init */
    uint64_t arena; /* atomic: blocks alive << 32 | bytes cut off */
    void *deferred; /* atomic: list through the first word of each block */
} nested;

/* Outside of the range: it is no memory in use, and its address alone tells its blocks. */
SK_START void nested_init(void)
{
    size_t bytes = ARENA_BYTES_MAX, most = plat_resident_limit_bytes() / ARENA_LIMIT_DIV;

    while (bytes > most)
        bytes /= 2;
    if (bytes < PLAT_PAGE_BYTES)
        return;
    nested.base = plat_reserve_usable(bytes, PLAT_PAGE_BYTES);
    if (nested.base)
        nested.bytes = bytes;
}

#define ARENA_ONE_BLOCK (1ull << 32)

/* Cuts off bytes; where they begin, or nested.bytes if there are not so many. */
static size_t arena_cut(size_t bytes)
{
    uint64_t old = sk_load_relaxed(&nested.arena);

    do {
        if ((uint32_t)old + bytes > nested.bytes)
            return nested.bytes;
    } while (!sk_cas_acquire(&nested.arena, &old, old + ARENA_ONE_BLOCK + bytes));
    return (uint32_t)old;
}

static struct header *header_of(const void *p)
{
    return (struct header *)(uintptr_t)p - 1;
}

static void *arena_alloc(size_t size, size_t align)
{
    size_t at;
    char *p;

    align = sk_max(align, NESTED_HEADER);
    if (size > nested.bytes || align > PLAT_PAGE_BYTES)
        return NULL;
    at = arena_cut(sk_align_up(size, NESTED_HEADER) + align);
    if (at >= nested.bytes)
        return NULL;
    p = (char *)sk_align_up((uintptr_t)nested.base + at + NESTED_HEADER, align);
    *header_of(p) = (struct header){size, p};
    return p;
}

SK_COLD void nested_free(void *p)
{
    uint64_t old = sk_load_relaxed(&nested.arena), new;

    header_of(p)->block = NULL;
    do {
        new = old - ARENA_ONE_BLOCK;
        if (new < ARENA_ONE_BLOCK)
            new = 0;
    } while (!sk_cas_release(&nested.arena, &old, new));
}

SK_COLD void *nested_alloc(size_t size, size_t align, unsigned idx)
{
    void *p = idx ? pcpu_alloc_nested(pcpu_cache_at(idx)) : NULL;

    if (!p)
        p = arena_alloc(sk_max(size, 1), align);
    if (p)
        sk_add_relaxed(&km_figures.nested_allocs, 1);
    return p;
}

bool nested_holds(const void *p)
{
    return (size_t)((const char *)p - nested.base) < nested.bytes;
}

size_t nested_usable(const void *p)
{
    const struct header *h = header_of(p);

    if ((uintptr_t)p % NESTED_HEADER || !nested_holds(h) || !nested_holds(p))
        return 0;
    return h->block == p ? h->bytes : 0;
}

static void defer(void *p)
{
    void *head = sk_load_relaxed(&nested.deferred);

    do {
        *(void **)p = head;
    } while (!sk_cas_release(&nested.deferred, &head, p));
}

SK_COLD void nested_free_any(void *p)
{
    unsigned idx = region_index(p);

    if (idx)
        pcpu_free_nested(pcpu_cache_at(idx), p);
    else if (nested_usable(p))
        nested_free(p);
    else
        defer(p);
    sk_add_relaxed(&km_figures.deferred_frees, 1);
}

static SK_COLD void free_deferred(void)
{
    void *next;

    for (void *p = sk_xchg_acquire(&nested.deferred, NULL); p; p = next) {
        next = *(void **)p;
        km_free(p);
    }
}

void nested_run_deferred(void)
{
    if (SK_UNLIKELY(sk_load_relaxed(&nested.deferred)))
        free_deferred();
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: the slow halves, and what is built from them: zeroed, aligned, resized blocks. See
 *       kmalloc.h.
 * Below: classes.c, large.c, nested.c, pcpu.
 * Concurrency: every slow path is bracketed by plat_enter and plat_leave; what cannot enter is
 *       nested.
 */
#include "cache/cache.h"
#include "kmalloc/internal.h"

/* ---- allocate -------------------------------------------------------------------------------- */

static bool has_class(size_t size, size_t align)
{
    return size <= KM_MEDIUM_MAX && align <= KM_MEDIUM_STEP;
}

/* The smallest class of at least `size` whose objects are all aligned. */
static unsigned class_aligned(size_t size, size_t align)
{
    unsigned i = km_class(sk_max(size, align));

    while (km_caches[i].pc_geom.align < align)
        i++;
    return i;
}

unsigned km_class_for(size_t size, size_t align)
{
    return has_class(size, align) ? class_aligned(size, align) : 0;
}

static SK_NOINLINE void *alloc_once(size_t size, size_t align, bool *run_zeroed)
{
    void *p = NULL;

    if (!run_zeroed && has_class(size, align))
        p = pcpu_alloc_slow(&km_caches[class_aligned(size, align)]);
    /* Objects are of the range only; above them a block may be had outside of it. */
    if (!p && (size > KM_SMALL_MAX || align > KM_SMALL_MAX))
        p = large_alloc(size, align, run_zeroed);
    return p;
}

static SK_COLD size_t give_all_back(size_t keep_bytes)
{
    pcpu_drain_all();
    return region_reap(keep_bytes, true);
}

static void *block_once(size_t size, size_t align, struct pcpu_cache *c, bool *zeroed)
{
    return c ? pcpu_alloc_slow(c) : large_alloc(size, align, zeroed);
}

void *km_block(size_t size, size_t align, struct pcpu_cache *c, bool *zeroed)
{
    void *p = block_once(size, align, c, zeroed);

    if (SK_UNLIKELY(!p)) {
        give_all_back(0);
        p = block_once(size, align, c, zeroed);
    }
    return p;
}

/* run_zeroed: asks for a run or a mapping whatever the size, unless nested; set only if the block
 * is known to read as zero. */
static void *alloc_slow(size_t size, size_t align, bool *run_zeroed)
{
    void *p;

    if (SK_UNLIKELY(size > KM_SIZE_MAX))
        return NULL;
    if (SK_UNLIKELY(!plat_enter()))
        return nested_alloc(size, align, km_class_for(size, align));
    p = alloc_once(size, align, run_zeroed);
    if (SK_UNLIKELY(!p)) {
        give_all_back(0);
        p = alloc_once(size, align, run_zeroed);
    }
    plat_leave();
    nested_run_deferred();
    return p;
}

SK_NOINLINE void *km_alloc_slow(size_t size)
{
    return alloc_slow(size, 1, NULL);
}

void *km_alloc_aligned(size_t size, size_t align)
{
    void *p = NULL;

    if (size > KM_SIZE_MAX - align)
        return NULL;
    if (has_class(size, align))
        p = pcpu_alloc_hit(class_aligned(size, align));
    return p ? p : alloc_slow(size, align, NULL);
}

/* Above KM_SMALL_MAX a run: what an array holds would have to be cleared, page by page. */
void *km_zalloc(size_t size)
{
    bool zeroed = false;
    void *p;

    if (size > KM_SMALL_MAX)
        p = alloc_slow(size, 1, &zeroed);
    else if (!(p = km_alloc_any_hit(size)))
        p = alloc_slow(size, 1, NULL);
    if (p && !zeroed)
        __builtin_memset(p, 0, size);
    return p;
}

/* ---- free ------------------------------------------------------------------------------------ */

/* What is no large or huge block has no type either, and is reported. */
static void free_large(void *p)
{
    large_discharge(p);
    large_free(p);
}

static void free_once(void *p)
{
    unsigned idx = region_index(p);

    if (idx)
        pcpu_free_slow(pcpu_cache_at(idx), p);
    else if (nested_usable(p))
        nested_free(p);
    else
        free_large(p);
}

/* An object of a cache may be freed like any block; a debug cache sees this call, too. */
static bool free_debug_object(void *p)
{
    unsigned idx = region_index(p);
    struct kmem_cache *c = idx >= PCPU_DYNAMIC_FIRST ? kmem_of_pcpu(pcpu_cache_at(idx)) : NULL;

    if (!c || c->kc_debug.flags == 0)
        return false;
    kmem_cache_free(c, p);
    return true;
}

SK_NOINLINE void km_free_slow(void *p)
{
    if (!p || free_debug_object(p))
        return;
    if (SK_UNLIKELY(!plat_enter())) {
        nested_free_any(p);
        return;
    }
    free_once(p);
    plat_leave();
    nested_run_deferred();
}

/* ---- size ------------------------------------------------------------------------------------ */

static size_t usable_or_0(const void *p)
{
    unsigned idx = region_index(p);
    size_t bytes;

    if (SK_LIKELY(idx != 0))
        return slab_check(region_info(p)->slab, p) == MISUSE_KINDS
                   ? pcpu_cache_at(idx)->pc_geom.size
                   : 0;
    bytes = nested_usable(p);
    return bytes ? bytes : large_usable(p);
}

size_t km_usable(const void *p, const char *who)
{
    size_t bytes = usable_or_0(p);

    if (SK_UNLIKELY(!bytes))
        misuse_die(MISUSE_QUERY, p, 0, who);
    return bytes;
}

void km_check_sized(const void *p, size_t size, size_t align)
{
    unsigned idx = region_index(p);

    if (align && (uintptr_t)p % align)
        misuse_die(MISUSE_ALIGN, p, align, NULL);
    if (size > km_usable(p, "sized free"))
        misuse_die(MISUSE_SIZE, p, size, idx ? pcpu_cache_at(idx)->pc_geom.name : "large blocks");
}

/* ---- resize ---------------------------------------------------------------------------------- */

/* Worth keeping: it fits, at least half of the block stays in use, and a power of two keeps its
 * natural alignment. */
bool km_fits_in_place(const void *p, size_t usable, size_t size)
{
    return size <= usable && size >= usable / 2 && !(sk_is_pow2(size) && (uintptr_t)p % size);
}

static void *resize_large(void *p, size_t size)
{
    void *q = NULL;

    if (plat_enter()) {
        q = large_resize(p, size);
        plat_leave();
    }
    return q;
}

/* What grew once may grow again, and a run grows in place. */
static void *resize_by_copy(void *p, size_t usable, size_t size)
{
    bool zeroed;
    void *q = size <= KM_SMALL_MAX ? km_alloc(size) : alloc_slow(size, 1, &zeroed);

    if (!q)
        return NULL;
    __builtin_memcpy(q, p, sk_min(usable, size));
    km_free(p);
    return q;
}

void *km_realloc(void *p, size_t size)
{
    size_t usable = km_usable(p, "realloc");
    void *q = NULL;

    if (size > KM_SIZE_MAX)
        return NULL;
    if (region_index(p) || nested_usable(p)) {
        if (km_fits_in_place(p, usable, size))
            return p;
    } else if (size > KM_SMALL_MAX) {
        q = resize_large(p, size);
    }
    q = q ? q : resize_by_copy(p, usable, size);
    /* Shrinking cannot fail: the old block serves. */
    return q || size > usable ? q : p;
}

/* ---- giving back, figures -------------------------------------------------------------------- */

SK_COLD size_t km_trim(size_t keep_bytes)
{
    size_t bytes;

    if (!plat_enter())
        return 0;
    bytes = give_all_back(keep_bytes);
    plat_leave();
    return bytes;
}

SK_COLD void km_get_stats(struct km_stats *out)
{
    out->large_allocs = sk_load_relaxed(&km_figures.large_allocs);
    out->large_frees = sk_load_relaxed(&km_figures.large_frees);
    out->large_bytes = sk_load_relaxed(&km_figures.large_bytes);
    out->huge_allocs = sk_load_relaxed(&km_figures.huge_allocs);
    out->huge_frees = sk_load_relaxed(&km_figures.huge_frees);
    out->nested_allocs = sk_load_relaxed(&km_figures.nested_allocs);
    out->deferred_frees = sk_load_relaxed(&km_figures.deferred_frees);
}

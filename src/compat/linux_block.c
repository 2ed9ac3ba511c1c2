/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: Linux's kmalloc family over slabkit's allocation by type.
 * Below: linux.h; <slabkit/kmalloc.h>; kmalloc/kmalloc.h for what a size becomes.
 * Owns: the type M_LINUX.
 * Invariants: a block that was always allocated and resized with __GFP_ZERO is zero from the size last asked for
 *       to its usable end; so the next krealloc with __GFP_ZERO may grow into it
 * Failure: NULL; see gfp.h for what comes before.
 */
#include "compat/linux.h"
#include "kmalloc/kmalloc.h"

#include <errno.h>
#include <string.h>

static struct malloc_type linux_type[1] = {
    {"linux", "kmalloc of code written for Linux", 0, 0, NULL}};

SK_EXPORT struct malloc_type *slabkit_linux_type(void)
{
    return linux_type;
}

static bool no_block(const void *p)
{
    return !p || p == KMALLOC_ZERO;
}

static void *writable(const void *p)
{
    return (void *)(uintptr_t)p;
}

/* ---- allocate --------------------------------------------------------------------------------- */

static void *block_once(struct linux_attempt *a)
{
    return kmalloc(a->bytes, linux_type, slabkit_linux_flags(a->gfp));
}

/* The native call waits, and its type says how that ends. */
static void *block_nofail(size_t size, gfp_t gfp)
{
    void *p = kmalloc(size, linux_type, slabkit_linux_flags(gfp) & ~M_NULLOK);

    if (!p)
        misuse_die(MISUSE_NOFAIL, NULL, size, linux_type->mt_name);
    return p;
}

static SK_NOINLINE void *block_again(size_t size, gfp_t gfp)
{
    struct linux_attempt a = {
        .once = block_once, .bytes = size, .from = linux_type->mt_name, .gfp = gfp};

    if (gfp & __GFP_NOFAIL && gfp & __GFP_DIRECT_RECLAIM)
        return block_nofail(size, gfp);
    return linux_again(&a);
}

static void *zero_end(void *p, size_t size)
{
    if (!no_block(p))
        memset((char *)p + size, 0, kmalloc_usable_size(p) - size);
    return p;
}

SK_EXPORT void *slabkit_linux_kmalloc(size_t size, gfp_t gfp)
{
    void *p = kmalloc(size, linux_type, slabkit_linux_flags(gfp));

    if (SK_UNLIKELY(!p))
        p = block_again(size, gfp);
    return gfp & __GFP_ZERO ? zero_end(p, size) : p;
}

/* ---- free ------------------------------------------------------------------------------------- */

SK_EXPORT void slabkit_linux_kfree(const void *p)
{
    struct kmem_cache *c = no_block(p) ? NULL : kmem_cache_of(p);

    if (SK_UNLIKELY(c != NULL))
        kmem_cache_free(c, writable(p));
    else
        kfree(writable(p), linux_type);
}

SK_EXPORT size_t slabkit_linux_ksize(const void *p)
{
    struct kmem_cache *c = no_block(p) ? NULL : kmem_cache_of(p);

    return c ? kmem_cache_size(c) : kmalloc_usable_size(p);
}

SK_EXPORT void slabkit_linux_kfree_sensitive(const void *p)
{
    size_t bytes = slabkit_linux_ksize(p);

    if (bytes) {
        memset(writable(p), 0, bytes);
        /* Not left out because nobody reads it. */
        __asm__ volatile("" : : "r"(p) : "memory");
    }
    slabkit_linux_kfree(p);
}

/* ---- resize ----------------------------------------------------------------------------------- */

static void *resize(const void *p, size_t size, gfp_t gfp)
{
    void *q = krealloc(writable(p), size, linux_type, slabkit_linux_flags(gfp));

    if (!q && gfp & (__GFP_NOFAIL | __GFP_RETRY_MAYFAIL)) {
        q = slabkit_linux_kmalloc(size, gfp);
        if (!q)
            return NULL;
        memcpy(q, p, sk_min(size, kmalloc_usable_size(p)));
        kfree(writable(p), linux_type);
    }
    return q;
}

SK_EXPORT void *slabkit_linux_krealloc(const void *p, size_t size, gfp_t gfp)
{
    void *q;

    if (no_block(p))
        return slabkit_linux_kmalloc(size, gfp);
    if (size == 0) {
        slabkit_linux_kfree(p);
        return KMALLOC_ZERO;
    }
    q = resize(p, size, gfp);
    return gfp & __GFP_ZERO ? zero_end(q, size) : q;
}

SK_EXPORT size_t slabkit_linux_kmalloc_size_roundup(size_t size)
{
    return size ? km_good_size(size) : 0;
}

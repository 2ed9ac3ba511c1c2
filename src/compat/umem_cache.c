/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: umem's object caches over slabkit's.
 * Below: umem.h; <slabkit/kmem_cache.h>.
 * Owns: struct slabkit_umem_cache: what umem's callbacks are told, beside the cache.
 * Concurrency: constant after create. The flags of an allocation reach its constructor by a variable of the thread.
 * Failure: NULL with errno, or the nofail callback's decision.
 */
#include "compat/umem.h"

#include <slabkit/kmem_cache.h>

#include <errno.h>

struct slabkit_umem_cache {
    struct kmem_cache *uc_cache;
    umem_constructor_t *uc_constructor;
    umem_destructor_t *uc_destructor;
    umem_reclaim_t *uc_reclaim;
    void *uc_data;
};

/* UMEM_DEFAULT or UMEM_NOFAIL: of the allocation this thread is in. */
static SK_TLS int umem_flags;

/* ---- callbacks --------------------------------------------------------------------------------- */

static int construct(void *obj, void *priv, int flags)
{
    struct slabkit_umem_cache *c = priv;

    (void)flags;
    return c->uc_constructor(obj, c->uc_data, umem_flags) == 0 ? 0 : ENOMEM;
}

static void destruct(void *obj, void *priv)
{
    struct slabkit_umem_cache *c = priv;

    c->uc_destructor(obj, c->uc_data);
}

static void reclaim(void *priv)
{
    struct slabkit_umem_cache *c = priv;

    c->uc_reclaim(c->uc_data);
}

/* ---- create and destroy ------------------------------------------------------------------------ */

#define CFLAGS_ALL (UMC_NOTOUCH | UMC_NODEBUG | UMC_NOMAGAZINE | UMC_NOHASH)

static bool cflags_valid(int cflags, umem_constructor_t *constructor, const vmem_t *source)
{
    return !source && !(cflags & ~CFLAGS_ALL) && !(cflags & UMC_NOTOUCH && constructor);
}

/* false: errno. */
static bool open_cache(struct slabkit_umem_cache *c, const char *name, size_t bufsize, size_t align,
                       int cflags)
{
    struct kmem_cache_args args = {.align = align,
                                   .ctor = c->uc_constructor ? construct : NULL,
                                   .dtor = c->uc_destructor ? destruct : NULL,
                                   .reclaim = c->uc_reclaim ? reclaim : NULL,
                                   .priv = c,
                                   .limit = cflags & UMC_NOMAGAZINE ? 1 : 0,
                                   .batchcount = cflags & UMC_NOMAGAZINE ? 1 : 0};

    c->uc_cache = kmem_cache_create(name, bufsize, &args);
    return c->uc_cache != NULL;
}

SK_EXPORT umem_cache_t *slabkit_umem_cache_create(const char *name, size_t bufsize, size_t align,
                                                  umem_constructor_t *constructor,
                                                  umem_destructor_t *destructor,
                                                  umem_reclaim_t *reclaim_fn, void *callback_data,
                                                  vmem_t *source, int cflags)
{
    struct slabkit_umem_cache *c;
    int error;

    if (!cflags_valid(cflags, constructor, source)) {
        errno = EINVAL;
        return NULL;
    }
    c = kmalloc(sizeof(*c), umem_type, M_WAITOK | M_NULLOK);
    if (!c)
        return NULL;
    *c = (struct slabkit_umem_cache){NULL, constructor, destructor, reclaim_fn, callback_data};
    if (open_cache(c, name, bufsize, align, cflags))
        return c;
    error = errno;
    kfree(c, umem_type);
    errno = error;
    return NULL;
}

SK_EXPORT void slabkit_umem_cache_destroy(umem_cache_t *c)
{
    if (c && kmem_cache_destroy(c->uc_cache) == 0)
        kfree(c, umem_type);
}

/* ---- allocate and free ------------------------------------------------------------------------- */

static SK_NOINLINE void *alloc_nofail(struct slabkit_umem_cache *c)
{
    void *obj;

    do {
        int before = umem_flags;

        umem_flags = UMEM_NOFAIL;
        obj = kmem_cache_alloc(c->uc_cache, M_WAITOK);
        umem_flags = before;
    } while (!obj && umem_failed(UMEM_NOFAIL));
    return obj;
}

SK_EXPORT void *slabkit_umem_cache_alloc(umem_cache_t *c, int flags)
{
    int before;
    void *obj;

    if (flags & UMEM_NOFAIL)
        return alloc_nofail(c);
    before = umem_flags;
    umem_flags = UMEM_DEFAULT;
    obj = kmem_cache_alloc(c->uc_cache, M_WAITOK);
    umem_flags = before;
    return obj;
}

SK_EXPORT void slabkit_umem_cache_free(umem_cache_t *c, void *obj)
{
    kmem_cache_free(c->uc_cache, obj);
}

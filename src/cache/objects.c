/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: what happens to all objects of a slab at its begin and end: constructors, destructors, the paint of debug caches.
 * Below: the caller's functions; debug.h.
 * Invariants: between made and unmade the constructor has run exactly once on every object of the slab, and nobody but the
 *       program has written to one since.
 *       on one thread, or CPU, a constructor or destructor of a cache never interrupts one of the same cache.
 * Concurrency: without any lock, outside of plat_enter: the functions may allocate, from other caches. A handler that
 *       interrupts one finds its cache in the thread's request, and is nested to that cache.
 * Failure: the constructor's errno, in the thread's request; what was constructed is destructed.
 */
#include "cache/internal.h"

static struct kmem_cache *cache_of(const struct slab *s)
{
    return kmem_of_pcpu(SK_CONTAINER_OF(s->sl_geom, struct pcpu_cache, pc_geom));
}

/* ---- who is called back --------------------------------------------------------------------------- */

struct callback {
    const struct kmem_cache *c;
    const struct callback *outer;
};

bool kmem_calling_back(const struct kmem_cache *c)
{
    const struct callback *cb = plat_request()->callbacks;

    while (SK_UNLIKELY(cb != NULL) && cb->c != c)
        cb = cb->outer;
    return cb != NULL;
}

/* Leaves the slow path. The fences: a handler sees all of it or nothing. */
static void callback_begin(struct callback *cb, const struct kmem_cache *c)
{
    *cb = (struct callback){c, plat_request()->callbacks};
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    plat_request()->callbacks = cb;
    plat_leave();
}

static void callback_end(const struct callback *cb)
{
    kmem_enter(cb->c);
    plat_request()->callbacks = cb->outer;
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
}

/* ---- objects ------------------------------------------------------------------------------------ */

static int object_begin(struct kmem_cache *c, void *raw, int flags)
{
    const struct kmem_debug *d = &c->kc_debug;
    int error = 0;

    if (d->flags)
        kmem_debug_made(d, c->kc_name, raw);
    if (c->kc_ctor)
        error = c->kc_ctor(kmem_obj_of(c, raw), c->kc_priv, flags);
    if (d->flags && c->kc_ctor && error == 0)
        kmem_debug_constructed(d, c->kc_name, raw);
    return error;
}

static void object_end(struct kmem_cache *c, void *raw)
{
    if (kmem_has_debug(c))
        kmem_debug_gone(&c->kc_debug, c->kc_name, raw, kmem_constructed(c));
    if (c->kc_dtor)
        c->kc_dtor(kmem_obj_of(c, raw), c->kc_priv);
}

static int objects_begin(struct kmem_cache *c, struct slab *s, int flags)
{
    uint32_t n = 0;
    int error = 0;

    for (; n < s->sl_objs && error == 0; n++)
        error = object_begin(c, slab_object(s, n), flags);
    if (error == 0)
        return 0;
    for (n--; n > 0; n--)
        object_end(c, slab_object(s, n - 1));
    return error;
}

/* The program's errno is not the destructor's: it may run inside of a free. */
SK_COLD void kmem_objects_end(struct kmem_cache *c, struct slab *s)
{
    int saved = *plat_errno();
    struct callback cb;

    callback_begin(&cb, c);
    for (uint32_t i = 0; i < s->sl_objs; i++)
        object_end(c, slab_object(s, i));
    callback_end(&cb);
    *plat_errno() = saved;
}

static SK_COLD bool made(struct slab *s)
{
    struct kmem_cache *c = cache_of(s);
    struct callback cb;
    int error;

    callback_begin(&cb, c);
    error = objects_begin(c, s, plat_request()->flags);
    callback_end(&cb);
    plat_request()->error = error;
    return error == 0;
}

static bool unmade(struct slab *s)
{
    struct kmem_cache *c = cache_of(s);

    if (c->kc_flags & KMEM_TYPESAFE) {
        kmem_defer_slab(c, s);
        return false;
    }
    kmem_objects_end(c, s);
    return true;
}

SK_START const struct slab_hooks *kmem_slab_hooks(const struct kmem_cache *c)
{
    static const struct slab_hooks hooks = {.made = made, .unmade = unmade};

    return c->kc_ctor || c->kc_dtor || c->kc_flags & KMEM_TYPESAFE || kmem_has_debug(c) ? &hooks
                                                                                        : NULL;
}

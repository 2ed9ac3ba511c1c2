/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: Linux's kmem_cache over slabkit's.
 * Below: linux.h; <slabkit/kmem_cache.h>.
 * Failure: as Linux: NULL, 0, or with SLAB_PANIC one line and abort.
 */
#include "compat/linux.h"

#include <errno.h>

/* ---- create ---------------------------------------------------------------------------------- */

#define NATIVE_FLAGS                                                                               \
    (SLAB_CONSISTENCY_CHECKS | SLAB_RED_ZONE | SLAB_POISON | SLAB_STORE_USER | SLAB_TRACE |        \
     SLAB_HWCACHE_ALIGN | SLAB_TYPESAFE_BY_RCU)

/* priv is Linux's constructor, which has no way to fail. */
static int construct(void *obj, void *priv, int flags)
{
    void (*ctor)(void *obj);

    (void)flags;
    *(void **)&ctor = priv;
    ctor(obj);
    return 0;
}

static bool within(unsigned offset, size_t bytes, size_t size)
{
    return offset <= size && bytes <= size - offset;
}

static bool args_valid(size_t size, const struct slabkit_linux_cache_args *args, slab_flags_t flags)
{
    if (!within(args->useroffset, args->usersize, size) || (args->useroffset && !args->usersize))
        return false;
    return !args->use_freeptr_offset ||
           (flags & SLAB_TYPESAFE_BY_RCU && within(args->freeptr_offset, sizeof(void *), size) &&
            args->freeptr_offset % sizeof(void *) == 0);
}

static struct kmem_cache *create(const char *name, size_t size,
                                 const struct slabkit_linux_cache_args *args, slab_flags_t flags)
{
    struct kmem_cache_args native = {
        .align = args->align, .flags = flags & NATIVE_FLAGS, .limit = args->sheaf_capacity};

    if (!args_valid(size, args, flags)) {
        errno = EINVAL;
        return NULL;
    }
    if (args->ctor) {
        native.ctor = construct;
        native.priv = *(void *const *)&args->ctor;
    }
    return kmem_cache_create(name, size, &native);
}

SK_EXPORT struct kmem_cache *slabkit_linux_cache_create_args(const char *name, unsigned int size,
                                                             struct slabkit_linux_cache_args *args,
                                                             slab_flags_t flags)
{
    static const struct slabkit_linux_cache_args none;
    struct kmem_cache *c = create(name, size, args ? args : &none, flags);

    if (!c && flags & SLAB_PANIC)
        misuse_die(MISUSE_SLAB_PANIC, NULL, size, name);
    return c;
}

SK_EXPORT struct kmem_cache *slabkit_linux_cache_create(const char *name, unsigned int size,
                                                        unsigned int align, slab_flags_t flags,
                                                        void (*ctor)(void *obj))
{
    struct slabkit_linux_cache_args args = {.align = align, .ctor = ctor};

    return slabkit_linux_cache_create_args(name, size, &args, flags);
}

SK_EXPORT struct kmem_cache *
slabkit_linux_cache_create_usercopy(const char *name, unsigned int size, unsigned int align,
                                    slab_flags_t flags, unsigned int useroffset,
                                    unsigned int usersize, void (*ctor)(void *obj))
{
    struct slabkit_linux_cache_args args = {
        .align = align, .useroffset = useroffset, .usersize = usersize, .ctor = ctor};

    return slabkit_linux_cache_create_args(name, size, &args, flags);
}

/* ---- allocate and free ------------------------------------------------------------------------- */

static void *one_more(struct linux_attempt *a)
{
    return kmem_cache_alloc(a->cache, slabkit_linux_flags(a->gfp));
}

SK_EXPORT void *slabkit_linux_cache_alloc_again(struct kmem_cache *c, gfp_t gfp)
{
    struct linux_attempt a = {.once = one_more,
                              .bytes = kmem_cache_size(c),
                              .from = kmem_cache_name(c),
                              .gfp = gfp,
                              .cache = c};

    return linux_again(&a);
}

/* Not NULL: all of them. */
static void *many(struct linux_attempt *a)
{
    return kmem_cache_alloc_bulk(a->cache, slabkit_linux_flags(a->gfp), a->n, a->out) ? a : NULL;
}

SK_EXPORT int slabkit_linux_cache_alloc_bulk(struct kmem_cache *c, gfp_t gfp, size_t n, void **out)
{
    struct linux_attempt a = {.once = many,
                              .bytes = n * kmem_cache_size(c),
                              .from = kmem_cache_name(c),
                              .gfp = gfp,
                              .cache = c,
                              .n = n,
                              .out = out};

    if (n == 0)
        return 0;
    return many(&a) || linux_again(&a) ? (int)n : 0;
}

SK_EXPORT void slabkit_linux_cache_free_bulk(struct kmem_cache *c, size_t n, void **objs)
{
    if (c) {
        kmem_cache_free_bulk(c, n, objs);
        return;
    }
    for (size_t i = 0; i < n; i++)
        slabkit_linux_kfree(objs[i]);
}

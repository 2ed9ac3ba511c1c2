/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: object caches begin here: whoever creates the first one may be the first to call slabkit at all.
 * Below: ctl/start.h, cache.
 * Why: the other calls are given a cache, and so come after the start.
 */
#include "ctl/start.h"

SK_EXPORT struct kmem_cache *kmem_cache_create(const char *name, size_t size,
                                               const struct kmem_cache_args *args)
{
    if (ctl_start())
        return kmem_create(name, size, args);
    errno = ENOMEM;
    return NULL;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Role: see early_cache.h. Knows nothing of what the program is linked with. */
#include "early_cache.h"

#include "slabkit/kmem_cache.h"

static struct kmem_cache *cache;
static void *object;

struct kmem_cache *early_cache(void)
{
    return cache;
}

void *early_object(void)
{
    return object;
}

__attribute__((constructor)) static void begin(void)
{
    cache = kmem_cache_create("of a shared object", 48, 0);
    object = cache ? kmem_cache_alloc(cache, M_WAITOK | M_ZERO) : 0;
}

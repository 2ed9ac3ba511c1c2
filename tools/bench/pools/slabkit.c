/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: slabkit's object caches as a pool; and libc's malloc, for the measure.
 */
#include "pools.h"

#include <slabkit/flags.h>
#include <slabkit/kmem_cache.h>
#include <stdlib.h>

static struct kmem_cache *cache;

static bool slabkit_open(unsigned cpu, const char **why)
{
    (void)cpu;
    *why = "kmem_cache_create failed";
    cache = kmem_cache_create("pool", POOL_BYTES, NULL);
    return cache != NULL;
}

static void slabkit_close(void)
{
    if (kmem_cache_destroy(cache))
        pool_die("an object is still in the cache");
}

static void slabkit_single(void **objs, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        objs[i] = pool_use(kmem_cache_alloc(cache, M_WAITOK));
    for (unsigned i = 0; i < n; i++)
        kmem_cache_free(cache, objs[i]);
}

static void slabkit_bulk(void **objs, unsigned n)
{
    if (kmem_cache_alloc_bulk(cache, M_WAITOK, n, objs) != n)
        pool_die("kmem_cache_alloc_bulk failed");
    for (unsigned i = 0; i < n; i++)
        pool_use(objs[i]);
    kmem_cache_free_bulk(cache, n, objs);
}

const struct pool pool_slabkit = {
    .po_name = "slabkit kmem_cache",
    .po_calls = "kmem_cache_alloc/free, kmem_cache_alloc_bulk/free_bulk",
    .po_open = slabkit_open,
    .po_close = slabkit_close,
    .po_single = slabkit_single,
    .po_bulk = slabkit_bulk,
};

static bool malloc_open(unsigned cpu, const char **why)
{
    (void)cpu;
    (void)why;
    return true;
}

static void malloc_close(void)
{
}

static void malloc_single(void **objs, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        objs[i] = pool_use(malloc(POOL_BYTES));
    for (unsigned i = 0; i < n; i++)
        free(objs[i]);
}

const struct pool pool_malloc = {
    .po_name = "libc malloc",
    .po_calls = "malloc/free",
    .po_open = malloc_open,
    .po_close = malloc_close,
    .po_single = malloc_single,
};

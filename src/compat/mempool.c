/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: Linux's mempool.
 * Below: linux.h; the C library's mutex.
 * Invariants: 0 <= curr_nr <= min_nr but while a resize to fewer is under way; elements[0 .. curr_nr) are kept
 * Concurrency: the pool's lock; its functions are called without it.
 * Failure: -ENOMEM, and nothing is kept; alloc: NULL only where it may not wait.
 * Why: the pool's function is asked first, as the caller's flags have it but for waiting in vain: in a process it
 *      can ask the system for memory, and the elements kept are for when that is refused.
 */
#include "compat/linux.h"

#include <errno.h>
#include <string.h>
#include <time.h>

/* Memory may come from elsewhere than from mempool_free. */
#define WAIT_NS 50000000

/* Once more is what the pool does itself; elements kept are not zero. */
static gfp_t attempt_of(gfp_t gfp)
{
    gfp &= ~(__GFP_NOFAIL | __GFP_RETRY_MAYFAIL | __GFP_ZERO);
    return gfp | __GFP_NOMEMALLOC | __GFP_NORETRY | __GFP_NOWARN;
}

/* ---- elements kept ----------------------------------------------------------------------------- */

/* false: enough are kept. */
static bool keep(mempool_t *pool, void *element)
{
    bool kept;

    pthread_mutex_lock(&pool->lock);
    kept = pool->curr_nr < pool->min_nr;
    if (kept) {
        pool->elements[pool->curr_nr++] = element;
        pthread_cond_signal(&pool->freed);
    }
    pthread_mutex_unlock(&pool->lock);
    return kept;
}

/* NULL: no more than `above` are kept. */
static void *remove_kept(mempool_t *pool, int above)
{
    void *element = NULL;

    pthread_mutex_lock(&pool->lock);
    if (pool->curr_nr > above)
        element = pool->elements[--pool->curr_nr];
    pthread_mutex_unlock(&pool->lock);
    return element;
}

static void free_kept(mempool_t *pool, int above)
{
    void *element;

    while ((element = remove_kept(pool, above)) != NULL)
        pool->free(element, pool->pool_data);
}

/* 0, or -ENOMEM with some missing. */
static int fill(mempool_t *pool)
{
    for (;;) {
        void *element;
        bool full;

        pthread_mutex_lock(&pool->lock);
        full = pool->curr_nr >= pool->min_nr;
        pthread_mutex_unlock(&pool->lock);
        if (full)
            return 0;
        element = pool->alloc(GFP_KERNEL, pool->pool_data);
        if (!element)
            return -ENOMEM;
        slabkit_mempool_free(element, pool);
    }
}

/* ---- pools ------------------------------------------------------------------------------------- */

/* Room for one at least: elements tells a pool that is in use. */
static void **elements_for(int n)
{
    return slabkit_linux_kmalloc_array((size_t)(n > 0 ? n : 1), sizeof(void *), GFP_KERNEL);
}

SK_EXPORT int slabkit_mempool_init(mempool_t *pool, int min_nr, mempool_alloc_t *alloc,
                                   mempool_free_t *free, void *pool_data)
{
    *pool = (mempool_t){.min_nr = min_nr, .pool_data = pool_data, .alloc = alloc, .free = free};
    pool->elements = elements_for(min_nr);
    if (!pool->elements)
        return -ENOMEM;
    pthread_mutex_init(&pool->lock, NULL);
    pthread_cond_init(&pool->freed, NULL);
    if (fill(pool) == 0)
        return 0;
    slabkit_mempool_exit(pool);
    return -ENOMEM;
}

SK_EXPORT void slabkit_mempool_exit(mempool_t *pool)
{
    if (!pool->elements)
        return;
    free_kept(pool, 0);
    slabkit_linux_kfree(pool->elements);
    pool->elements = NULL;
    pthread_cond_destroy(&pool->freed);
    pthread_mutex_destroy(&pool->lock);
}

SK_EXPORT mempool_t *slabkit_mempool_create(int min_nr, mempool_alloc_t *alloc,
                                            mempool_free_t *free, void *pool_data)
{
    mempool_t *pool = slabkit_linux_kzalloc(sizeof(*pool), GFP_KERNEL);

    if (pool && slabkit_mempool_init(pool, min_nr, alloc, free, pool_data) != 0) {
        slabkit_linux_kfree(pool);
        pool = NULL;
    }
    return pool;
}

SK_EXPORT void slabkit_mempool_destroy(mempool_t *pool)
{
    if (!pool)
        return;
    slabkit_mempool_exit(pool);
    slabkit_linux_kfree(pool);
}

static void exchange_elements(mempool_t *pool, void **elements, int min_nr)
{
    void **old;

    pthread_mutex_lock(&pool->lock);
    memcpy(elements, pool->elements, (size_t)pool->curr_nr * sizeof(*elements));
    old = pool->elements;
    pool->elements = elements;
    pool->min_nr = min_nr;
    pthread_mutex_unlock(&pool->lock);
    slabkit_linux_kfree(old);
}

/* The memory for fewer elements is not made smaller: that could fail. */
static int shrink(mempool_t *pool, int min_nr)
{
    pthread_mutex_lock(&pool->lock);
    pool->min_nr = min_nr;
    pthread_mutex_unlock(&pool->lock);
    free_kept(pool, min_nr);
    return 0;
}

SK_EXPORT int slabkit_mempool_resize(mempool_t *pool, int min_nr)
{
    void **elements;

    if (min_nr <= pool->min_nr)
        return shrink(pool, min_nr);
    elements = elements_for(min_nr);
    if (!elements)
        return -ENOMEM;
    exchange_elements(pool, elements, min_nr);
    /* As Linux: too few now are no failure; frees bring the others. */
    fill(pool);
    return 0;
}

/* ---- allocate and free ------------------------------------------------------------------------- */

static void wait_for_free(mempool_t *pool)
{
    struct timespec until;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += WAIT_NS;
    until.tv_sec += until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    pthread_mutex_lock(&pool->lock);
    if (pool->curr_nr == 0)
        pthread_cond_timedwait(&pool->freed, &pool->lock, &until);
    pthread_mutex_unlock(&pool->lock);
}

SK_EXPORT void *slabkit_mempool_alloc_preallocated(mempool_t *pool)
{
    return remove_kept(pool, 0);
}

SK_EXPORT void *slabkit_mempool_alloc(mempool_t *pool, gfp_t gfp)
{
    for (;;) {
        void *element = pool->alloc(attempt_of(gfp), pool->pool_data);

        if (!element)
            element = remove_kept(pool, 0);
        if (element || !(gfp & __GFP_DIRECT_RECLAIM))
            return element;
        wait_for_free(pool);
    }
}

SK_EXPORT void slabkit_mempool_free(void *element, mempool_t *pool)
{
    if (element && !keep(pool, element))
        pool->free(element, pool->pool_data);
}

/* ---- the usual functions ------------------------------------------------------------------------ */

SK_EXPORT void *slabkit_mempool_alloc_slab(gfp_t gfp, void *cache)
{
    return slabkit_linux_cache_alloc(cache, gfp);
}

SK_EXPORT void slabkit_mempool_free_slab(void *element, void *cache)
{
    kmem_cache_free(cache, element);
}

SK_EXPORT void *slabkit_mempool_kmalloc(gfp_t gfp, void *size)
{
    return slabkit_linux_kmalloc((size_t)(uintptr_t)size, gfp);
}

SK_EXPORT void slabkit_mempool_kfree(void *element, void *size)
{
    (void)size;
    slabkit_linux_kfree(element);
}

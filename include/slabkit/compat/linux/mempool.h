/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * slabkit/compat/linux/mempool.h: Linux's mempool: elements kept so that an allocation that may wait
 * always succeeds in the end. An element comes from the pool's own allocation function; when that
 * fails, from those kept; when none is left, whoever may wait waits until one is freed.
 *
 * Any thread, not signal handlers. The pool's functions are called with no lock held.
 */
#ifndef SLABKIT_COMPAT_LINUX_MEMPOOL_H
#define SLABKIT_COMPAT_LINUX_MEMPOOL_H

#include <slabkit/compat/linux/slab.h>

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef void *(mempool_alloc_t)(gfp_t gfp, void *pool_data);
typedef void(mempool_free_t)(void *element, void *pool_data);

typedef struct mempool {
    pthread_mutex_t lock;
    pthread_cond_t freed;
    int min_nr;  /* elements to keep; under lock, as the next two */
    int curr_nr; /* elements kept */
    void **elements;
    void *pool_data; /* constant, as the next two */
    mempool_alloc_t *alloc;
    mempool_free_t *free;
} mempool_t;

/* 0 or -ENOMEM; a pool of zero bytes needs no exit, but may have one. May wait. */
int slabkit_mempool_init(mempool_t *pool, int min_nr, mempool_alloc_t *alloc, mempool_free_t *free,
                         void *pool_data);
/* Frees the elements kept. All others have been freed before. */
void slabkit_mempool_exit(mempool_t *pool);
mempool_t *slabkit_mempool_create(int min_nr, mempool_alloc_t *alloc, mempool_free_t *free,
                                  void *pool_data);
/* NULL: nothing. */
void slabkit_mempool_destroy(mempool_t *pool);
/* 0 or -ENOMEM. Not while another thread resizes. May wait. */
int slabkit_mempool_resize(mempool_t *pool, int min_nr);

/* NULL only without __GFP_DIRECT_RECLAIM. __GFP_ZERO is ignored: a kept element is as it was. */
void *slabkit_mempool_alloc(mempool_t *pool, gfp_t gfp);
/* One of those kept, or NULL. */
void *slabkit_mempool_alloc_preallocated(mempool_t *pool);
/* element may be NULL. */
void slabkit_mempool_free(void *element, mempool_t *pool);

/* Functions for pools over a cache (pool_data: the cache) and over kmalloc (pool_data: the size). */
void *slabkit_mempool_alloc_slab(gfp_t gfp, void *cache);
void slabkit_mempool_free_slab(void *element, void *cache);
void *slabkit_mempool_kmalloc(gfp_t gfp, void *size);
void slabkit_mempool_kfree(void *element, void *size);

static inline mempool_t *slabkit_mempool_create_slab_pool(int min_nr, struct kmem_cache *c)
{
    return slabkit_mempool_create(min_nr, slabkit_mempool_alloc_slab, slabkit_mempool_free_slab, c);
}

static inline mempool_t *slabkit_mempool_create_kmalloc_pool(int min_nr, size_t size)
{
    return slabkit_mempool_create(min_nr, slabkit_mempool_kmalloc, slabkit_mempool_kfree,
                                  (void *)(uintptr_t)size);
}

static inline int slabkit_mempool_init_slab_pool(mempool_t *pool, int min_nr, struct kmem_cache *c)
{
    return slabkit_mempool_init(pool, min_nr, slabkit_mempool_alloc_slab, slabkit_mempool_free_slab,
                                c);
}

static inline int slabkit_mempool_init_kmalloc_pool(mempool_t *pool, int min_nr, size_t size)
{
    return slabkit_mempool_init(pool, min_nr, slabkit_mempool_kmalloc, slabkit_mempool_kfree,
                                (void *)(uintptr_t)size);
}

static inline bool slabkit_mempool_initialized(mempool_t *pool)
{
    return pool->elements != NULL;
}

#endif

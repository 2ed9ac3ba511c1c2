/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: what a preloaded slabkit offers beside malloc, found at run time.
 * Below: the dynamic linker; slabkit's public headers for the types, not for linking.
 * Failure: a set of calls that the process does not have whole is NULL: it runs on another allocator.
 * Why: the program is not linked against slabkit, so that one program measures every allocator.
 */
#ifndef SLABKIT_BENCH_OURS_H
#define SLABKIT_BENCH_OURS_H

#include <slabkit/flags.h>
#include <slabkit/kmem_cache.h>

struct object_calls {
    __typeof__(kmem_cache_create) *create;
    __typeof__(kmem_cache_destroy) *destroy;
    __typeof__(kmem_cache_alloc) *alloc;
    __typeof__(kmem_cache_free) *free;
    __typeof__(kmem_cache_alloc_bulk) *alloc_bulk;
    __typeof__(kmem_cache_free_bulk) *free_bulk;
    __typeof__(kmem_cache_get_stats) *get_stats;
};

struct malloc_type;

struct typed_calls {
    struct malloc_type *(*create)(const char *name, const char *desc, unsigned flags);
    int (*destroy)(struct malloc_type *type);
    void *(*alloc)(size_t size, struct malloc_type *type, int flags);
    void (*free)(void *p, struct malloc_type *type);
};

struct malloc_calls {
    void *(*alloc)(size_t size);
    void (*free)(void *p);
};

const struct object_calls *ours_objects(void);
const struct typed_calls *ours_typed(void);
/* Called through pointers as the others are; never NULL. */
const struct malloc_calls *ours_malloc(void);

#endif

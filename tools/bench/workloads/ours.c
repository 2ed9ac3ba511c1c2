/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: looks up the calls of ours.h.
 * Concurrency: one thread, before the work.
 */
#include "ours.h"
#include "workloads.h"

#include <dlfcn.h>

struct symbol {
    const char *sy_name;
    void *sy_to; /* a pointer to a function */
};

static bool symbols_find(const struct symbol *sy, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!(*(void **)sy[i].sy_to = dlsym(RTLD_DEFAULT, sy[i].sy_name)))
            return false;
    return true;
}

#define SYMBOLS_FIND(table) symbols_find(table, sizeof(table) / sizeof((table)[0]))

const struct object_calls *ours_objects(void)
{
    static struct object_calls calls;
    const struct symbol symbols[] = {
        {"kmem_cache_create", &calls.create},         {"kmem_cache_destroy", &calls.destroy},
        {"kmem_cache_alloc", &calls.alloc},           {"kmem_cache_free", &calls.free},
        {"kmem_cache_alloc_bulk", &calls.alloc_bulk}, {"kmem_cache_free_bulk", &calls.free_bulk},
        {"kmem_cache_get_stats", &calls.get_stats},
    };

    return SYMBOLS_FIND(symbols) ? &calls : NULL;
}

const struct typed_calls *ours_typed(void)
{
    static struct typed_calls calls;
    const struct symbol symbols[] = {
        {"malloc_type_create", &calls.create},
        {"malloc_type_destroy", &calls.destroy},
        {"kmalloc", &calls.alloc},
        {"kfree", &calls.free},
    };

    return SYMBOLS_FIND(symbols) ? &calls : NULL;
}

const struct malloc_calls *ours_malloc(void)
{
    static struct malloc_calls calls;
    const struct symbol symbols[] = {
        {"malloc", &calls.alloc},
        {"free", &calls.free},
    };

    if (!SYMBOLS_FIND(symbols))
        work_die("there is no malloc");
    return &calls;
}

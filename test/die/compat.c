/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: see compat.h.
 * Why: by name at run time, because the program is not linked with what is preloaded.
 */
#define _GNU_SOURCE
#include "compat.h"

#include <slabkit/compat/linux/gfp.h>

#include <dlfcn.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

/* Stores the function's address at `out`, a pointer to a pointer to it. */
static void find(const char *name, void *out)
{
    *(void **)out = dlsym(RTLD_DEFAULT, name);
    if (!*(void **)out)
        exit(2);
}

void compat_nofail(void)
{
    void *(*alloc)(size_t size, gfp_t gfp);

    find("slabkit_linux_kmalloc", &alloc);
    alloc(PTRDIFF_MAX, GFP_KERNEL | __GFP_NOFAIL);
}

/* The flag is SLAB_PANIC. */
void compat_slab_panic(void)
{
    void *(*create)(const char *name, unsigned size, unsigned align, unsigned flags,
                    void (*ctor)(void *obj));

    find("slabkit_linux_cache_create", &create);
    create("inodes", 0, 0, 0x00010000, NULL);
}

void compat_umem_size(void)
{
    void *(*alloc)(size_t size, int flags);
    void (*release)(void *p, size_t size);

    find("slabkit_umem_alloc", &alloc);
    find("slabkit_umem_free", &release);
    release(alloc(100, 0), 99);
}

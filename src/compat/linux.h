/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: what the Linux calls do when a first attempt failed: try again, say so, or die, as gfp wants.
 * Below: the public headers; plat for stderr and panic.
 */
#ifndef SLABKIT_COMPAT_LINUX_H
#define SLABKIT_COMPAT_LINUX_H

#define SLABKIT_COMPAT_NO_NAMES
#include "base/attrs.h"
#include "slab/slab.h"
#include <slabkit/compat/linux/slab.h>

/* An allocation that can be tried any number of times. */
struct linux_attempt {
    void *(*once)(struct linux_attempt *a);
    size_t bytes;     /* for the report */
    const char *from; /* the same */
    gfp_t gfp;
    /* What `once` needs. */
    struct kmem_cache *cache;
    size_t n;
    void **out;
};

/* What a later attempt got, or NULL. */
void *linux_again(struct linux_attempt *a);

#endif

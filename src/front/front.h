/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: what the files of the malloc front share.
 * Below: ctl, kmalloc.
 */
#ifndef SLABKIT_FRONT_FRONT_H
#define SLABKIT_FRONT_FRONT_H

#include "ctl/start.h"

#include <errno.h>

/* NULL with ENOMEM. */
void *front_alloc_slow(size_t size);
void front_free_slow(void *p);
/* align a power of two. NULL, errno untouched. */
void *front_aligned(size_t align, size_t size);

SK_INLINE void *front_alloc(size_t size)
{
    void *p = km_alloc_hit(size);

    return SK_LIKELY(p != NULL) ? p : front_alloc_slow(size);
}

SK_INLINE void front_free(void *p)
{
    if (SK_UNLIKELY(!pcpu_free_hit(p)))
        front_free_slow(p);
}

#endif

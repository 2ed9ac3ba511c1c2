/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: what the files of the malloc front share.
 * Below: ctl, kmalloc.
 */
#ifndef SLABKIT_FRONT_FRONT_H
#define SLABKIT_FRONT_FRONT_H

#include "ctl/start.h"
#include "front/typed.h"

#include <errno.h>

/* NULL with ENOMEM. */
/* by: who calls; looked at only where blocks have types. */
void *front_alloc_slow(size_t size, struct typed_by by);
/* The same for malloc, which jumps here: so the return address is its caller's. Why: a compiler that
 * is asked for the return address in malloc itself loads it before the hit. */
void *front_alloc_tail(size_t size);
void front_free_slow(void *p);
/* align a power of two. NULL, errno untouched. */
void *front_aligned(size_t align, size_t size, struct typed_by by);

/* The family, as malloc.c exports it. */
void *front_calloc(size_t n, size_t size, struct typed_by by);
void *front_realloc(void *p, size_t size, struct typed_by by);
void *front_reallocarray(void *p, size_t n, size_t size, struct typed_by by);
void *front_aligned_alloc(size_t align, size_t size, struct typed_by by);
int front_posix_memalign(void **out, size_t align, size_t size, struct typed_by by);
void *front_memalign(size_t align, size_t size, struct typed_by by);
void *front_valloc(size_t size, struct typed_by by);
void *front_pvalloc(size_t size, struct typed_by by);

/* In a function that a program calls: it is called from there. */
#define FRONT_CALLER ((struct typed_by){.site = __builtin_return_address(0)})

SK_INLINE void *front_alloc_by(size_t size, struct typed_by by)
{
    void *p = km_alloc_hit(size);

    return SK_LIKELY(p != NULL) ? p : front_alloc_slow(size, by);
}

/* The last thing that a function does which a program calls. */
SK_INLINE void *front_alloc(size_t size)
{
    void *p = km_alloc_hit(size);

    return SK_LIKELY(p != NULL) ? p : front_alloc_tail(size);
}

/* ---- operator new: cxx.c --------------------------------------------------------------------- */

/* align 0: the default one. Calls the new-handler; throws, or with nothrow returns NULL. */
void *front_new_by(size_t size, size_t align, bool nothrow, struct typed_by by);
/* The same for operator new, which jumps here. */
void *front_new_tail(size_t size, size_t align, bool nothrow);

/* ---- free --------------------------------------------------------------------------------- */

SK_INLINE void front_free(void *p)
{
    if (SK_UNLIKELY(!km_free_hit(p)))
        front_free_slow(p);
}

#endif

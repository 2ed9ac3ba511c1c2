/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: malloc where each block has a type (option types): what the front calls instead of km_*.
 * Below: origin.h, kmalloc/types.h.
 * Concurrency: any thread. Started.
 */
#ifndef SLABKIT_FRONT_TYPED_H
#define SLABKIT_FRONT_TYPED_H

#include "base/attrs.h"

/* Who allocates: the return address of the call, or with site NULL a token. */
struct typed_by {
    const void *site;
    uint64_t token;
};

/* NULL: no memory. align a power of two. */
void *typed_alloc(size_t size, size_t align, bool zero, struct typed_by by);
/* p may be NULL. */
void typed_free(void *p);
/* p != NULL, size != 0. NULL: p stays. */
void *typed_realloc(void *p, size_t size, struct typed_by by);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* Role: a cache that a shared object creates in its constructor. */
#ifndef SLABKIT_TEST_CTL_EARLY_CACHE_H
#define SLABKIT_TEST_CTL_EARLY_CACHE_H

struct kmem_cache;

struct kmem_cache *early_cache(void);
void *early_object(void);

#endif

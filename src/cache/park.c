/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: where objects wait that a nested call freed deferred, until a call that can enter takes them over.
 * Below: meta.
 * Owns: so many words for each slot; a word is 0 or one object's. Which slot's does not matter but for contention.
 * Concurrency: lock-free, any context: a word is taken by a compare-and-swap from 0, and emptied by an exchange.
 * Failure: false when every word is taken.
 * Why: readers may be at the object yet, so nothing can be linked through it; and a lock may not be waited for.
 */
#include "cache/internal.h"
#include "region/meta.h"

#define PARK_OBJS 64u /* for each slot */

static struct {
    void **words;  /* NULL without memory */
    unsigned n;    /* constant */
    unsigned objs; /* atomic: words in use, at rest */
} parked;

SK_START void kmem_park_init(void)
{
    parked.n = plat_nslots() * PARK_OBJS;
    parked.words = meta_alloc(parked.n * sizeof(*parked.words));
}

bool kmem_park(void *obj)
{
    unsigned first = plat_slot() * PARK_OBJS;

    for (unsigned i = 0; parked.words && i < parked.n; i++) {
        void *none = NULL;

        /* Release: what the program did to the object; partner: kmem_unpark. */
        if (sk_cas_release(&parked.words[(first + i) % parked.n], &none, obj)) {
            sk_add_relaxed(&parked.objs, 1);
            return true;
        }
    }
    return false;
}

void *kmem_unpark(void)
{
    if (SK_LIKELY(sk_load_relaxed(&parked.objs) == 0))
        return NULL;
    for (unsigned i = 0; i < parked.n; i++) {
        void **word = &parked.words[i];
        void *obj = sk_load_relaxed(word) ? sk_xchg_acquire(word, NULL) : NULL;

        if (obj) {
            sk_sub_relaxed(&parked.objs, 1);
            return obj;
        }
    }
    return NULL;
}

void kmem_for_each_parked(void (*fn)(const void *obj))
{
    for (unsigned i = 0; parked.words && i < parked.n; i++)
        if (parked.words[i])
            fn(parked.words[i]);
}

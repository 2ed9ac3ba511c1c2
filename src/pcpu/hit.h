/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: the hit path of every allocation and every free. All of it is on this page.
 * Below: plat's pop and push, region's page map.
 *
 *     alloc(array index)                   free(p)
 *       pop of my slot's array  -> hit       page map: p's array index (0: p is no object)
 *       NULL -> slow                         push on my slot's array      -> hit
 *                                            full -> slow
 *
 * Array 0 belongs to no cache and is never opened: it looks empty and full for ever.
 * Emptiness is the only escape: "not started", "slot not known", "being drained", "debug cache",
 * "no restartable sequences" are all an array that looks empty and full.
 * Context: any, signal handlers included; never blocks, makes no system call, touches no object.
 */
#ifndef SLABKIT_PCPU_HIT_H
#define SLABKIT_PCPU_HIT_H

#include "plat_slot.h"
#include "region/region.h"

/* NULL: take the slow path. */
SK_INLINE void *pcpu_alloc_hit(unsigned idx)
{
    return plat_slot_pop(idx);
}

/* false: take the slow path with the same p. */
SK_INLINE bool pcpu_free_hit(void *p)
{
    return plat_slot_push(region_kind(p), p);
}

#endif

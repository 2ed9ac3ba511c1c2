/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: the hit path: pop and push on this thread's slot, by restartable sequences.
 * Below: rseq.h.
 * Concurrency: any context, signal handlers included. An aborted section is a miss here; the
 *       slow path tries again.
 */
#ifndef SLABKIT_PLAT_SLOT_H
#define SLABKIT_PLAT_SLOT_H

#include "plat/linux/rseq.h"

SK_INLINE void *plat_slot_pop(unsigned idx)
{
    void *obj;

    return SK_LIKELY(rseq_pop(idx, &obj) == RSEQ_HIT) ? obj : NULL;
}

SK_INLINE bool plat_slot_push(unsigned idx, void *obj)
{
    return SK_LIKELY(rseq_push(idx, obj) == RSEQ_HIT);
}

#endif

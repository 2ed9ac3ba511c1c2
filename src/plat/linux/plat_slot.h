/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: the hit path: pop, push and credit on this thread's slot, by restartable sequences.
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

    if (SK_UNLIKELY(rseq_pop(idx, &obj) != RSEQ_HIT))
        return NULL;
    /* Known only to the assembly: saves the callers a second test. */
    if (!obj)
        __builtin_unreachable();
    return obj;
}

SK_INLINE bool plat_slot_push(uint32_t kind, void *obj)
{
    return SK_LIKELY(rseq_push(kind, obj) == RSEQ_HIT);
}

SK_INLINE bool plat_credit_take(struct plat_credit *cells, uint64_t amount)
{
    return SK_LIKELY(rseq_credit_take(cells, amount) == RSEQ_HIT);
}

#endif

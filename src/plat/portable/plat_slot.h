/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: the hit path: pop, push and credit on a slot, by a lock. Misses until plat_init has run.
 * Below: slot_locks.h.
 */
#ifndef SLABKIT_PLAT_SLOT_H
#define SLABKIT_PLAT_SLOT_H

#include "plat/portable/slot_locks.h"

SK_INLINE void *plat_slot_pop(unsigned idx)
{
    return SK_LIKELY(plat_mode() != PLAT_MODE_NONE) ? plat_slot_pop_retry(idx) : NULL;
}

SK_INLINE bool plat_slot_push(uint32_t kind, void *obj)
{
    return SK_LIKELY(plat_mode() != PLAT_MODE_NONE) && portable_push_kind(kind, obj);
}

SK_INLINE bool plat_credit_take(struct plat_credit *cells, uint64_t amount)
{
    return SK_LIKELY(plat_mode() != PLAT_MODE_NONE) && plat_credit_take_retry(cells, amount);
}

#endif

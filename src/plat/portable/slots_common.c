/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: the slot functions that are the same for every implementation.
 * Below: plat.h.
 */
#include "plat/plat.h"

uintptr_t plat_slot_stop(unsigned slot, unsigned idx)
{
    uintptr_t word;

    plat_slot_stop_many(slot, &idx, &word, 1);
    return word;
}

/* Publishes the entries of the array. Partner: the load of the word by whoever pops or pushes,
 * ordered before the entries by an acquire, or by the address that depends on it. */
void plat_slot_open(unsigned slot, unsigned idx, uintptr_t word)
{
    SK_ASSERT(sk_load_relaxed(plat_slot_word(slot, idx)) == 0);
    sk_store_release(plat_slot_word(slot, idx), word);
}

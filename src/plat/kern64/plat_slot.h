/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: the hit path: pop, push and credit on this CPU's slot, with interrupts off.
 * Below: section.h, plat.h.
 * Concurrency: any context, interrupt handlers included. The CPU cannot change between the load of
 *       the word and its store, and nothing else runs on it: no interrupt comes in, and a kernel
 *       that preempts does so by one. Other CPUs store the word only to close it (plat_slot_stop).
 */
#ifndef SLABKIT_PLAT_SLOT_H
#define SLABKIT_PLAT_SLOT_H

#include "plat/plat.h"
#include "section.h"

/* Every access to a word is one instruction: others close words with an exchange. */
SK_INLINE void *plat_slot_pop(unsigned idx)
{
    uint64_t flags = irq_save();
    uintptr_t *area = cpu_area();
    uintptr_t word = sk_load_relaxed(&area[idx]);
    void *obj = *plat_word_top(word);

    if (SK_LIKELY(obj != NULL)) {
        sk_store_release(&area[idx], word - sizeof(void *));
        area[PLAT_SLOT_POPS + idx]++;
    }
    irq_restore(flags);
    return obj;
}

/* The word that push looks at for this kind: of another slot's objects the foreign one. */
SK_INLINE uintptr_t *kern64_push_word(uint32_t kind)
{
    uintptr_t *word = cpu_area() + PLAT_KIND_INDEX(kind);

    return cpu_slot() == PLAT_KIND_SLOT(kind) ? word : word + PLAT_FOREIGN;
}

SK_INLINE bool plat_slot_push(uint32_t kind, void *obj)
{
    uint64_t flags = irq_save();
    uintptr_t *word = kern64_push_word(kind);
    uintptr_t old = sk_load_relaxed(word);
    void **top = plat_word_top(old);
    bool room = top[1] != PLAT_MARK;

    if (SK_LIKELY(room)) {
        top[1] = obj;
        sk_store_release(word, old + sizeof(void *));
    }
    irq_restore(flags);
    return room;
}

SK_INLINE bool plat_credit_take(struct plat_credit *cells, uint64_t amount)
{
    uint64_t flags = irq_save(), *word = &plat_credit_of(cells, cpu_slot())->pc_word, left;
    bool enough;

    left = sk_load_relaxed(word);
    enough = left > amount;
    if (SK_LIKELY(enough))
        sk_store_release(word, left - amount);
    irq_restore(flags);
    return enough;
}

#endif

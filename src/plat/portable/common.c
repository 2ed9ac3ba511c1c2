/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: the functions of plat.h that are the same for every implementation.
 * Below: plat.h.
 * Why: a lock is taken in many places and by few of them often: a call costs those a handful of instructions, and
 *       spares each place forty bytes.
 */
#include "plat/plat.h"

uintptr_t plat_slot_stop(unsigned slot, unsigned idx)
{
    uintptr_t word;

    plat_slot_stop_many(slot, &idx, &word, 1);
    return word;
}

SK_COLD bool plat_close_words(unsigned slot, const unsigned *idx, uintptr_t *words, unsigned n)
{
    bool any = false;

    for (unsigned i = 0; i < n; i++) {
        uintptr_t *word = plat_slot_word(slot, idx[i]);

        if (sk_load_acquire(word) != 0) {
            words[i] = sk_xchg_acquire(word, 0);
            any = true;
        }
    }
    return any;
}

SK_START void *plat_reserve_usable(size_t bytes, size_t align)
{
    void *p = plat_reserve(bytes, align);

    if (p && !plat_commit(p, bytes)) {
        plat_release(p, bytes);
        return NULL;
    }
    return p;
}

/* Without a look first: a lock is mostly free. */
void plat_lock(struct plat_lock *l)
{
    uint32_t free = 0;

    if (SK_UNLIKELY(!sk_cas_acquire(&l->word, &free, 1u)))
        plat_lock_slow(l);
}

void plat_unlock(struct plat_lock *l)
{
    if (SK_UNLIKELY(__atomic_exchange_n(&l->word, 0u, __ATOMIC_RELEASE) == 2u))
        plat_unlock_slow(l);
}

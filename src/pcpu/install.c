/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: which arrays a slot's words name.
 * Below: plat's compare-and-swap, stop and open on a slot's word.
 * Concurrency: under sc_lock; pops and pushes of the slot go on meanwhile.
 */
#include "pcpu/internal.h"

static int64_t array_bytes(const struct slot_cache *sc, const struct parray *pa)
{
    return pa ? (int64_t)pa->pa_cap * sc->sc_cache->pc_geom.size : 0;
}

static enum node_group group_of(const struct slot_cache *sc)
{
    return node_group_of(&sc->sc_cache->pc_geom);
}

static unsigned array_avail(const struct parray *pa, uintptr_t word)
{
    return (unsigned)(plat_word_top(word) - (void **)pa->pa_a);
}

struct parray *slot_swap(struct slot_cache *sc, enum side side, struct parray *pa)
{
    unsigned slot = sc->sc_slot, idx = side_index(sc, side);
    struct parray *old = sc->sc_array[side];

    if (!old) {
        plat_slot_open(slot, idx, parray_word(pa));
    } else {
        uintptr_t word = side_word(sc, side);

        if (!plat_slot_cas(slot, idx, word, parray_word(pa)))
            return pa;
        old->pa_avail = array_avail(old, word);
    }
    if (!old || old->pa_cap != pa->pa_cap)
        slot_budget_add(slot, group_of(sc), array_bytes(sc, pa) - array_bytes(sc, old));
    sk_store_relaxed(&sc->sc_array[side], pa);
    return old;
}

struct parray *slot_swap_foreign(struct slot_cache *sc, struct parray *empty, unsigned n)
{
    struct parray *pa = sc->sc_array[SIDE_FOREIGN];

    if (!pa || array_avail(pa, side_word(sc, SIDE_FOREIGN)) < n)
        return NULL;
    pa = slot_swap(sc, SIDE_FOREIGN, empty);
    return pa == empty ? NULL : pa;
}

struct parray *slot_close(struct slot_cache *sc, enum side side)
{
    struct parray *pa = sc->sc_array[side];

    if (pa) {
        uintptr_t word = plat_slot_stop(sc->sc_slot, side_index(sc, side));

        pa->pa_avail = array_avail(pa, word);
        sk_store_relaxed(&sc->sc_array[side], NULL);
        slot_budget_add(sc->sc_slot, group_of(sc), -array_bytes(sc, pa));
    }
    return pa;
}

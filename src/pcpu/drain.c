/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: giving back: arrays and depots are emptied, waiting chains collected, unused slabs
 *       unmade; by force or, for the reaper, only what was not used lately.
 * Below: install.c, home.c, node.
 * Concurrency: one sc_lock at a time; the program goes on allocating meanwhile and simply
 *       misses where an array is being emptied.
 */
#include "pcpu/internal.h"

#define IDLE_TICKS_ARRAY 2u /* passes without use until an array is emptied */
#define IDLE_TICKS_SLOT  4u /* and until the slot's slabs are given to the node */

static SK_COLD void array_home(struct slot_cache *sc, struct parray *pa)
{
    struct work w;

    if (!pa)
        return;
    work_init(&w);
    plat_lock(&sc->sc_lock);
    slot_home(sc, pa->pa_a + 1, pa->pa_avail, &w);
    plat_unlock(&sc->sc_lock);
    parray_unmake(pa);
    work_finish(sc->sc_node, &w);
}

static SK_COLD void slot_empty(struct slot_cache *sc, enum side side)
{
    struct parray *pa, *spare;

    plat_lock(&sc->sc_lock);
    pa = slot_close(sc, side);
    spare = sc->sc_spare;
    sc->sc_spare = NULL;
    plat_unlock(&sc->sc_lock);
    parray_unmake(spare);
    array_home(sc, pa);
}

static SK_COLD void slot_collect(struct slot_cache *sc)
{
    struct work w;

    work_init(&w);
    plat_lock(&sc->sc_lock);
    slot_settle(sc, &w);
    plat_unlock(&sc->sc_lock);
    work_finish(sc->sc_node, &w);
}

static SK_COLD void slot_orphan_all(struct slot_cache *sc)
{
    plat_lock(&sc->sc_lock);
    while (!list_empty(&sc->sc_partial))
        slot_orphan(sc, SK_CONTAINER_OF(sc->sc_partial.next, struct slab, sl_link));
    plat_unlock(&sc->sc_lock);
}

/* Any pair of this node can send home what the depot holds. */
static SK_COLD bool depot_reap(struct node_cache *nd, struct slot_cache *via, bool all)
{
    struct parray *pa;
    bool some = false;

    while ((pa = node_reap_full(nd, all)) != NULL) {
        array_home(via, pa);
        some = true;
    }
    return some;
}

static SK_COLD bool idle_reap(struct node_cache *nd, bool all)
{
    bool some = false, excess = false;
    struct slab *s;

    node_settle_orphans(nd);
    while ((s = node_reap_idle(nd, all)) != NULL) {
        excess |= node_shrink(nd, s);
        some = true;
    }
    if (excess)
        region_trim_excess();
    return some;
}

static SK_COLD struct slot_cache *pair_of_node(struct pcpu_cache *c, const struct node_cache *nd)
{
    struct slot_cache *sc;

    pcpu_for_each_pair (sc, c)
        if (sc->sc_node == nd)
            return sc;
    return NULL;
}

static SK_COLD bool cache_reap_nodes(struct pcpu_cache *c, bool all, bool idle)
{
    struct node_cache *nd;
    bool some = false;

    pcpu_for_each_node (nd, c) {
        some |= depot_reap(nd, pair_of_node(c, nd), all);
        some |= idle_reap(nd, all);
        node_reap_end(nd, idle);
    }
    return some;
}

SK_COLD void pcpu_drain(struct pcpu_cache *c)
{
    struct slot_cache *sc;
    struct node_cache *nd;

    pcpu_for_each_pair (sc, c)
        for (enum side side = 0; side < SIDES; side++)
            slot_empty(sc, side);
    pcpu_for_each_node (nd, c)
        depot_reap(nd, pair_of_node(c, nd), true);
    pcpu_for_each_pair (sc, c)
        slot_collect(sc);
    cache_reap_nodes(c, true, false);
}

SK_COLD void pcpu_drain_all(void)
{
    struct pcpu_cache *c;
    unsigned idx;

    pcpu_for_each(c, idx) pcpu_drain(c);
}

/* ---- the reaper's pass ----------------------------------------------------------------------- */

/* An array that only hits shows it by its word. */
static bool word_changed(struct slot_cache *sc, enum side side)
{
    uintptr_t word = side_word(sc, side);
    bool changed = word != sc->sc_last_word[side];

    sc->sc_last_word[side] = word;
    return changed;
}

/* Passes since the arrays were last used: a slow path uses the own one, if only for its slabs. */
static void slot_ages(struct slot_cache *sc, unsigned age[SIDES])
{
    plat_lock(&sc->sc_lock);
    for (enum side side = 0; side < SIDES; side++) {
        bool used = word_changed(sc, side) | (side == SIDE_OWN && sc->sc_touched);

        age[side] = sc->sc_idle_ticks[side] = used ? 0 : sc->sc_idle_ticks[side] + 1;
    }
    sc->sc_touched = 0;
    sc->sc_misses = 0;
    plat_unlock(&sc->sc_lock);
}

static SK_COLD bool slot_reap(struct slot_cache *sc, bool *idle)
{
    unsigned age[SIDES], least = UINT32_MAX;
    bool some = false;

    slot_ages(sc, age);
    slot_collect(sc);
    for (enum side side = 0; side < SIDES; side++) {
        least = (unsigned)sk_min(least, age[side]);
        if (age[side] >= IDLE_TICKS_ARRAY && sk_load_relaxed(&sc->sc_array[side])) {
            slot_empty(sc, side);
            some = true;
        }
    }
    *idle &= least >= IDLE_TICKS_ARRAY;
    if (least >= IDLE_TICKS_SLOT && sk_load_relaxed(&sc->sc_npartial) &&
        sk_load_relaxed(&sc->sc_cache->pc_mode) != PCPU_DIRECT) {
        slot_orphan_all(sc);
        some = true;
    }
    return some;
}

static SK_COLD bool cache_reap(struct pcpu_cache *c)
{
    bool some = false, idle = true;
    struct slot_cache *sc;

    pcpu_for_each_pair (sc, c)
        some |= slot_reap(sc, &idle);
    return cache_reap_nodes(c, false, idle) || some;
}

SK_COLD bool pcpu_reap(void)
{
    struct pcpu_cache *c;
    bool some = false;
    unsigned idx;

    pcpu_for_each(c, idx) some |= cache_reap(c);
    return some;
}

/* The reaper's thread asks often, mostly of caches that no node has. */
static size_t cache_idle_bytes(const struct pcpu_cache *c)
{
    size_t bytes = 0;

    for (unsigned node = 0, nodes = plat_nnodes(); node < nodes; node++) {
        struct node_cache *nd = sk_load_acquire(&c->pc_node[node]);

        if (nd)
            bytes += (size_t)sk_load_relaxed(&nd->nd_nfull) * sk_load_relaxed(&nd->nd_cap) *
                         c->pc_geom.size +
                     (size_t)sk_load_relaxed(&nd->nd_nidle) * c->pc_geom.pages * PLAT_PAGE_BYTES;
    }
    return bytes;
}

void pcpu_settle(unsigned slot)
{
    struct pcpu_cache *c;
    unsigned idx;

    pcpu_for_each(c, idx)
    {
        struct slot_cache *sc = pcpu_slot_cache(slot, c->pc_geom.kind);

        if (sc && sk_load_relaxed(&sc->sc_returned))
            slot_collect(sc);
    }
}

SK_COLD size_t pcpu_idle_bytes(void)
{
    struct pcpu_cache *c;
    size_t bytes = 0;
    unsigned idx;

    pcpu_for_each(c, idx) bytes += cache_idle_bytes(c);
    return bytes;
}

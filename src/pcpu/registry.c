/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: caches that come and go while the program runs: their indices, who looks at them, their end.
 * Below: table.c, drain.c, node.
 * Invariants: caches[i] != NULL from open to close; pc_hidden && pc_pins == 0: nobody but the owner
 *       is at the cache
 * Concurrency: pins are taken under the table's lock, so that hiding under it and then waiting for
 *       the pins leaves no walker behind. A walker may make system calls and callbacks while it has
 *       a cache pinned: the waiter holds no lock.
 * Failure: no index.
 * Why: pins, not a lock held around a walk: a destructor called by a walk may allocate, and that may
 *       start another walk.
 */
#include "pcpu/internal.h"
#include "region/meta.h"

static unsigned free_index_locked(void)
{
    unsigned idx = PCPU_DYNAMIC_FIRST;

    while (idx < PLAT_SLOT_ARRAYS && pcpu_table.caches[idx])
        idx++;
    return idx;
}

SK_START bool pcpu_cache_open(struct pcpu_cache *c)
{
    unsigned idx;

    plat_lock(&pcpu_table.lock);
    idx = free_index_locked();
    if (idx < PLAT_SLOT_ARRAYS) {
        c->pc_geom.kind = (uint16_t)idx;
        sk_store_release(&pcpu_table.caches[idx], c);
        sk_store_release(&pcpu_table.end, sk_max(pcpu_table.end, idx + 1));
    }
    plat_unlock(&pcpu_table.lock);
    return idx < PLAT_SLOT_ARRAYS;
}

/* ---- walkers --------------------------------------------------------------------------------- */

static struct pcpu_cache *pin(unsigned idx)
{
    struct pcpu_cache *c;

    plat_lock(&pcpu_table.lock);
    c = pcpu_table.caches[idx];
    if (c && c->pc_hidden)
        c = NULL;
    if (c)
        sk_add_relaxed(&c->pc_pins, 1);
    plat_unlock(&pcpu_table.lock);
    return c;
}

struct pcpu_cache *pcpu_pin_next(unsigned *idx)
{
    struct pcpu_cache *c = NULL;

    for (; !c && *idx < pcpu_cache_end(); ++*idx)
        if (sk_load_relaxed(&pcpu_table.caches[*idx]))
            c = pin(*idx);
    return c;
}

/* Release: to the acquire in pcpu_cache_hide; what the walker did is done. */
void pcpu_unpin(struct pcpu_cache *c)
{
    __atomic_fetch_sub(&c->pc_pins, 1, __ATOMIC_RELEASE);
}

SK_COLD void pcpu_cache_hide(struct pcpu_cache *c)
{
    plat_lock(&pcpu_table.lock);
    c->pc_hidden = true;
    plat_unlock(&pcpu_table.lock);
    while (sk_load_acquire(&c->pc_pins) != 0)
        plat_yield();
}

SK_COLD void pcpu_cache_show(struct pcpu_cache *c)
{
    plat_lock(&pcpu_table.lock);
    c->pc_hidden = false;
    plat_unlock(&pcpu_table.lock);
}

/* ---- the end --------------------------------------------------------------------------------- */

static SK_COLD void pair_close(struct slot_cache *sc)
{
    SK_REQUIRE(!sc->sc_array[SIDE_OWN] && !sc->sc_array[SIDE_FOREIGN] && !sc->sc_spare &&
               list_empty(&sc->sc_partial) && !sc->sc_returned);
    plat_lock(&pcpu_table.lock);
    sk_store_release(pcpu_pair_at(sc->sc_slot, sc->sc_cache->pc_geom.kind), NULL);
    plat_unlock(&pcpu_table.lock);
    meta_free(sc, sizeof(*sc));
}

/* Slabs that another thread had in its hands when this process was forked, on their way from one list to
 * another: no object is in use, nobody knows of them. Whether their hook has run is not known: it does
 * not run. */
static void node_drop_lost(struct node_cache *nd)
{
    while (pcpu_table.forked && !list_empty(&nd->nd_all))
        node_unmake(nd, SK_CONTAINER_OF(nd->nd_all.next, struct slab, sl_all));
}

SK_COLD void pcpu_cache_close(struct pcpu_cache *c)
{
    struct slot_cache *sc;
    struct node_cache *nd;

    pcpu_for_each_pair (sc, c)
        pair_close(sc);
    plat_lock(&pcpu_table.lock);
    sk_store_release(&pcpu_table.caches[c->pc_geom.kind], NULL);
    plat_unlock(&pcpu_table.lock);
    pcpu_for_each_node (nd, c) {
        node_drop_lost(nd);
        node_fini(nd);
        meta_free(nd, sizeof(*nd));
    }
}

/* ---- modes and tuning ------------------------------------------------------------------------ */

/*
 * The mode is read under sc_lock. So whoever installs an array after the drain has been at its slot
 * sees the new mode; an array that was installed before is closed by the drain.
 */
SK_COLD void pcpu_set_arrays(struct pcpu_cache *c, bool on)
{
    SK_ASSERT(sk_load_relaxed(&c->pc_mode) != PCPU_DIRECT);
    sk_store_relaxed(&c->pc_mode, on ? PCPU_ARRAYS : PCPU_NO_ARRAYS);
    if (!on)
        pcpu_drain(c);
}

SK_COLD void pcpu_tune(struct pcpu_cache *c, unsigned limit, unsigned batch, unsigned shared)
{
    struct node_tuning tuning = {.cap = limit, .arrays = shared};
    struct node_cache *nd;

    sk_store_relaxed(&c->pc_batch, batch);
    plat_lock(&pcpu_table.lock);
    c->pc_tuning = tuning;
    plat_unlock(&pcpu_table.lock);
    pcpu_for_each_node (nd, c)
        node_tune(nd, &tuning);
}

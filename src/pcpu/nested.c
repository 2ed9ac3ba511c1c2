/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: alloc and free for who may wait for no lock: a handler that interrupted a slow path of its own thread or CPU.
 * Below: plat's primitives; home.c; the remote list.
 * Concurrency: a lock is tried, never waited for; under one that was had nothing else is locked, so that it is left again
 *       whatever the interrupted code holds. A free needs none: to the slab's owner a handler is one more slot that
 *       sends an object home, be it the very owner that was interrupted.
 * Failure: NULL; a free cannot fail.
 * Why: no list of frees that wait, which would want a link in the object or memory beside it: the slab has a place for
 *       the link of each object, and who collects it.
 */
#include "pcpu/internal.h"

static void *take_if_unlocked(struct slot_cache *sc)
{
    void *obj = NULL;

    if (!sk_load_relaxed(&sc->sc_npartial) || !plat_trylock(&sc->sc_lock))
        return NULL;
    sk_count(&sc->sc_alloc_passed, slot_take_listed(sc, &obj, 1));
    plat_unlock(&sc->sc_lock);
    return obj;
}

SK_COLD void *pcpu_alloc_nested(struct pcpu_cache *c)
{
    void *obj = plat_slot_pop_retry(c->pc_geom.kind);
    struct slot_cache *sc;

    pcpu_for_each_pair (sc, c)
        if (obj || (obj = take_if_unlocked(sc)) != NULL)
            break;
    return obj;
}

/* Which slot this is may be stale: then it goes to the other array of a slot. */
static bool push_here(const struct pcpu_cache *c, void *p)
{
    bool own = PLAT_KIND_SLOT(region_kind(p)) == plat_slot();

    return plat_slot_push_retry(c->pc_geom.kind + (own ? 0 : PLAT_FOREIGN), p);
}

void pcpu_free_nested(struct pcpu_cache *c, void *p)
{
    struct slab *s = slab_holding(c, p);
    enum misuse fault = slab_check(s, p);

    if (SK_UNLIKELY(fault != MISUSE_KINDS))
        slab_misuse(fault, s->sl_geom, p);
    if (push_here(c, p))
        return;
    sk_add_relaxed(&c->pc_nested_frees, 1);
    if (slab_push_remote(s, p, p))
        returned_push(s);
}

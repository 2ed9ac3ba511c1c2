/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: figures and verification of a cache, read from above.
 * Below: node, slab, region's page map.
 * Concurrency: takes the locks of what it reads, one at a time.
 */
#include "pcpu/internal.h"

static uint64_t slot_count(struct slot_cache *sc)
{
    uint64_t n = 0;

    plat_lock(&sc->sc_lock);
    for (enum side side = 0; side < SIDES; side++)
        if (sc->sc_array[side])
            n += (uint64_t)(plat_word_top(side_word(sc, side)) - (void **)sc->sc_array[side]->pa_a);
    plat_unlock(&sc->sc_lock);
    return n;
}

static uint64_t depot_count(struct node_cache *nd)
{
    struct list *l;
    uint64_t n = 0;

    plat_lock(&nd->nd_lock);
    list_for_each (l, &nd->nd_full)
        n += SK_CONTAINER_OF(l, struct parray, pa_link)->pa_avail;
    plat_unlock(&nd->nd_lock);
    return n;
}

SK_COLD void pcpu_count_free(struct pcpu_cache *c, uint64_t *in_arrays, uint64_t *in_depots)
{
    struct slot_cache *sc;
    struct node_cache *nd;

    *in_arrays = *in_depots = 0;
    pcpu_for_each_pair (sc, c)
        *in_arrays += slot_count(sc);
    pcpu_for_each_node (nd, c)
        *in_depots += depot_count(nd);
}

SK_COLD uint64_t pcpu_objs_out(struct pcpu_cache *c)
{
    struct slot_cache *sc;
    uint64_t out = -sk_load_relaxed(&c->pc_nested_frees);

    pcpu_for_each_pair (sc, c)
        out += sk_load_relaxed(&sc->sc_refill_objs) - sk_load_relaxed(&sc->sc_flush_objs);
    return out;
}

/* ---- figures --------------------------------------------------------------------------------- */

static uint64_t minus(uint64_t a, uint64_t b)
{
    return a > b ? a - b : 0;
}

static void add_counts(struct pcpu_figures *f, const struct slot_cache *sc)
{
    f->alloc_passed += sk_load_relaxed(&sc->sc_alloc_passed);
    f->allocs += slot_cache_pops(sc) + sk_load_relaxed(&sc->sc_alloc_passed);
    f->alloc_misses += sk_load_relaxed(&sc->sc_alloc_misses);
    f->free_misses += sk_load_relaxed(&sc->sc_free_misses);
    f->refills += sk_load_relaxed(&sc->sc_refills);
    f->refill_objs += sk_load_relaxed(&sc->sc_refill_objs);
    f->flushes += sk_load_relaxed(&sc->sc_flushes);
    f->flush_objs += sk_load_relaxed(&sc->sc_flush_objs);
    f->remote_objs += sk_load_relaxed(&sc->sc_remote_objs);
    f->remote_chains += sk_load_relaxed(&sc->sc_remote_chains);
    f->tells += sk_load_relaxed(&sc->sc_tells);
}

static void add_slot(struct pcpu_figures *f, struct slot_cache *sc)
{
    add_counts(f, sc);
    plat_lock(&sc->sc_lock);
    for (enum side side = 0; side < SIDES; side++)
        if (sc->sc_array[side])
            f->array_limit = sk_max(f->array_limit, sc->sc_array[side]->pa_cap);
    f->slabs_partial += sc->sc_npartial;
    plat_unlock(&sc->sc_lock);
}

static void add_node(struct pcpu_figures *f, struct node_cache *nd)
{
    plat_lock(&nd->nd_lock);
    f->slabs += nd->nd_slabs;
    f->slabs_partial += nd->nd_norphans;
    f->slabs_idle += nd->nd_nidle;
    f->depot_gets += nd->nd_depot_gets;
    f->depot_puts += nd->nd_depot_puts;
    f->grows += nd->nd_grows;
    f->shrinks += nd->nd_shrinks;
    f->adoptions += nd->nd_adoptions;
    f->resizes += nd->nd_resizes;
    f->reaped += nd->nd_reaped;
    plat_unlock(&nd->nd_lock);
}

static void derive(struct pcpu_figures *f, struct pcpu_cache *c)
{
    uint64_t out;

    pcpu_count_free(c, &f->array_objs, &f->depot_objs);
    out = minus(f->refill_objs, f->flush_objs);
    f->live_objs = minus(out, f->array_objs + f->depot_objs);
    f->frees = minus(f->allocs, f->live_objs);
    f->slab_free_objs = minus(f->slabs * c->pc_geom.objs, out);
    f->slabs_away = minus(f->slabs, f->slabs_partial + f->slabs_idle);
    f->failures = sk_load_relaxed(&c->pc_failures);
}

SK_COLD void pcpu_get_figures(struct pcpu_cache *c, struct pcpu_figures *out)
{
    uint64_t nested = sk_load_relaxed(&c->pc_nested_frees);
    struct slot_cache *sc;
    struct node_cache *nd;

    *out =
        (struct pcpu_figures){.flush_objs = nested, .remote_objs = nested, .remote_chains = nested};
    pcpu_for_each_pair (sc, c)
        add_slot(out, sc);
    pcpu_for_each_node (nd, c)
        add_node(out, nd);
    derive(out, c);
}

/* ---- verification ---------------------------------------------------------------------------- */

typedef void fault_fn(const struct pcpu_cache *c, const char *what);

static unsigned fault_if(bool bad, struct pcpu_cache *c, fault_fn *fault, const char *what)
{
    if (bad)
        fault(c, what);
    return bad;
}

static uint32_t told_to_frees(const struct slab *s)
{
    return PLAT_KIND_SLOT(region_kind(s->sl_run));
}

static SK_COLD unsigned verify_slab(struct pcpu_cache *c, struct slab *s, enum slab_state state,
                                    unsigned owner, fault_fn *fault)
{
    return fault_if(s->sl_geom != &c->pc_geom || !slab_verify(s), c, fault,
                    "a slab's counts disagree with its free bits") +
           fault_if(s->sl_state != state, c, fault, "a slab on a list has another list's state") +
           fault_if(s->sl_owner != owner, c, fault, "a slab on a list has another owner") +
           fault_if(state == SLAB_PARTIAL &&
                        told_to_frees(s) != (s->sl_sparse ? PLAT_SLOT_NOBODY : owner),
                    c, fault, "the page map names another owner than a slab");
}

static SK_COLD unsigned verify_list(struct pcpu_cache *c, struct list *list, uint32_t count,
                                    enum slab_state state, unsigned owner, fault_fn *fault)
{
    unsigned faults = 0, n = 0;
    struct list *l;

    list_for_each (l, list) {
        faults += verify_slab(c, SK_CONTAINER_OF(l, struct slab, sl_link), state, owner, fault);
        n++;
    }
    return faults + fault_if(n != count, c, fault, "a list has another length than its count says");
}

static SK_COLD unsigned verify_array(struct pcpu_cache *c, struct slot_cache *sc, enum side side,
                                     fault_fn *fault)
{
    struct parray *pa = sc->sc_array[side];
    uintptr_t word = side_word(sc, side);

    if (!pa || !word)
        return fault_if(pa || word, c, fault, "a slot's word and its array disagree");
    return fault_if(plat_word_top(word) < pa->pa_a || plat_word_top(word) > pa->pa_a + pa->pa_cap,
                    c, fault, "a slot's word points outside of its array");
}

static SK_COLD unsigned verify_slot(struct pcpu_cache *c, struct slot_cache *sc, fault_fn *fault)
{
    unsigned faults;

    plat_lock(&sc->sc_lock);
    faults = verify_list(c, &sc->sc_partial, sc->sc_npartial, SLAB_PARTIAL, sc->sc_slot, fault);
    for (enum side side = 0; side < SIDES; side++)
        faults += verify_array(c, sc, side, fault);
    plat_unlock(&sc->sc_lock);
    return faults;
}

static SK_COLD unsigned verify_node(struct pcpu_cache *c, struct node_cache *nd, fault_fn *fault)
{
    unsigned faults;

    plat_lock(&nd->nd_lock);
    faults = verify_list(c, &nd->nd_orphans, nd->nd_norphans, SLAB_ORPHAN, SLAB_NO_OWNER, fault);
    faults += verify_list(c, &nd->nd_idle, nd->nd_nidle, SLAB_IDLE, SLAB_NO_OWNER, fault);
    plat_unlock(&nd->nd_lock);
    return faults;
}

SK_COLD unsigned pcpu_verify(struct pcpu_cache *c, fault_fn *fault)
{
    unsigned faults = 0;
    struct slot_cache *sc;
    struct node_cache *nd;

    pcpu_for_each_pair (sc, c)
        faults += verify_slot(c, sc, fault);
    pcpu_for_each_node (nd, c)
        faults += verify_node(c, nd, fault);
    return faults;
}

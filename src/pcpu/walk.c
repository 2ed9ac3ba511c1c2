/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: which objects of a cache are out, one by one.
 * Below: table.c, node, slab.
 * Concurrency: every lock of the cache is held while a copy is made: sc_locks in the order of slots, then
 *       nd_locks, as before a fork. So no slab moves or goes, no chain is collected; chains only grow in
 *       front. Each array is closed while it is read; what hits do to the others meanwhile may be seen or
 *       not.
 * Failure: no memory for the copy: false.
 * Why: a copy, because who looks at the objects may not hold a lock.
 */
#include "pcpu/internal.h"
#include "region/meta.h"

/* One slab's part of the copy. */
struct view {
    char *first;
    uint64_t *out; /* bit i: object i is out */
};

struct walk {
    struct pcpu_cache *c;
    struct view *views;
    uint64_t *bits;
    size_t slabs, room; /* views filled, and how many there may be */
    size_t words;       /* of one view */
};

/* ---- what is not out ------------------------------------------------------------------------- */

static SK_COLD void strike(struct walk *w, const void *obj)
{
    const struct slab *s;
    uint32_t i;

    if (region_index(obj) != w->c->pc_geom.kind)
        return;
    s = region_info(obj)->slab;
    i = slab_index(s, obj);
    if (s->sl_walk < w->slabs)
        w->views[s->sl_walk].out[i / SK_WORD_BITS] &= ~(1ull << i % SK_WORD_BITS);
}

static SK_COLD void strike_chain(struct walk *w, struct slab *s)
{
    /* Acquire: the links of the chain. */
    uintptr_t chain = sk_load_acquire(&s->sl_remote);

    if (chain == SLAB_EMPTY || chain == SLAB_AWAY)
        return;
    for (void *obj = (void *)chain; obj; obj = slab_chained(s, obj))
        strike(w, obj);
}

static SK_COLD void view_slab(struct walk *w, struct slab *s)
{
    struct view *v = &w->views[w->slabs];

    s->sl_walk = (uint32_t)w->slabs++;
    v->first = s->sl_first;
    v->out = w->bits + s->sl_walk * w->words;
    for (uint32_t i = 0; i < s->sl_fresh; i++)
        if (!(s->sl_bits[i / SK_WORD_BITS] >> i % SK_WORD_BITS & 1))
            v->out[i / SK_WORD_BITS] |= 1ull << i % SK_WORD_BITS;
    strike_chain(w, s);
}

static SK_COLD void strike_objs(struct walk *w, void *const *objs, size_t n)
{
    for (size_t i = 0; i < n; i++)
        strike(w, objs[i]);
}

/* Closed while it is read: hits miss meanwhile, and wait for the slot's lock. */
static SK_COLD void strike_arrays(struct walk *w, struct slot_cache *sc)
{
    for (enum side side = 0; side < SIDES; side++) {
        struct parray *pa = slot_close(sc, side);

        if (!pa)
            continue;
        strike_objs(w, pa->pa_a + 1, pa->pa_avail);
        slot_swap(sc, side, pa);
    }
}

static SK_COLD void strike_depot(struct walk *w, struct node_cache *nd)
{
    struct list *l;

    list_for_each (l, &nd->nd_full) {
        struct parray *pa = SK_CONTAINER_OF(l, struct parray, pa_link);

        strike_objs(w, pa->pa_a + 1, pa->pa_avail);
    }
}

/* ---- the copy -------------------------------------------------------------------------------- */

static SK_COLD bool view_node(struct walk *w, struct node_cache *nd)
{
    struct list *l;

    list_for_each (l, &nd->nd_all) {
        if (w->slabs == w->room)
            return false;
        view_slab(w, SK_CONTAINER_OF(l, struct slab, sl_all));
    }
    return true;
}

static SK_COLD bool view_all_locked(struct walk *w)
{
    struct slot_cache *sc;
    struct node_cache *nd;

    pcpu_for_each_node (nd, w->c)
        if (!view_node(w, nd))
            return false;
    pcpu_for_each_pair (sc, w->c)
        strike_arrays(w, sc);
    pcpu_for_each_node (nd, w->c)
        strike_depot(w, nd);
    return true;
}

static size_t walk_bytes(const struct walk *w)
{
    return w->room * (sizeof(struct view) + w->words * sizeof(uint64_t));
}

static SK_COLD size_t count_slabs(struct pcpu_cache *c)
{
    struct node_cache *nd;
    size_t n = 0;

    pcpu_for_each_node (nd, c) {
        plat_lock(&nd->nd_lock);
        n += nd->nd_slabs;
        plat_unlock(&nd->nd_lock);
    }
    return n;
}

#define WALK_SLACK 16u /* slabs more than there were just now */

/* A pair or node that comes while the locks are taken would be unlocked, not having been locked: the
 * table's lock, which comes before them, keeps those away. */
static SK_COLD bool walk_look(struct walk *w)
{
    bool ok;

    w->room = count_slabs(w->c) + WALK_SLACK;
    w->views = meta_alloc(walk_bytes(w));
    if (!w->views)
        return true;
    w->bits = (uint64_t *)(w->views + w->room);
    w->slabs = 0;
    plat_lock(&pcpu_table.lock);
    pcpu_pair_locks(w->c, plat_lock);
    pcpu_node_locks(w->c, plat_lock);
    ok = view_all_locked(w);
    pcpu_node_locks(w->c, plat_unlock);
    pcpu_pair_locks(w->c, plat_unlock);
    plat_unlock(&pcpu_table.lock);
    if (!ok)
        meta_free(w->views, walk_bytes(w));
    return ok;
}

static SK_COLD bool walk_view(const struct walk *w, const struct view *v,
                              bool (*fn)(void *, void *), void *arg)
{
    for (size_t word = 0; word < w->words; word++)
        for (uint64_t bits = v->out[word]; bits; bits &= bits - 1)
            if (!fn(v->first + (word * SK_WORD_BITS + sk_ctz(bits)) * w->c->pc_geom.size, arg))
                return false;
    return true;
}

SK_COLD bool pcpu_walk(struct pcpu_cache *c, bool (*fn)(void *obj, void *arg), void *arg)
{
    struct walk w = {.c = c, .words = (c->pc_geom.objs + SK_WORD_BITS - 1) / SK_WORD_BITS};
    bool all = true;

    while (!walk_look(&w))
        ;
    if (!w.views)
        return false;
    plat_leave();
    for (size_t i = 0; i < w.slabs && all; i++)
        all = walk_view(&w, &w.views[i], fn, arg);
    plat_enter();
    meta_free(w.views, walk_bytes(&w));
    return all;
}

/* ---- every object ------------------------------------------------------------------------------ */

/* While it is on nd_all no slab is unmade. */
static void for_each_of_node(struct node_cache *nd, void (*fn)(void *, void *), void *arg)
{
    struct list *l;

    plat_lock(&nd->nd_lock);
    list_for_each (l, &nd->nd_all) {
        const struct slab *s = SK_CONTAINER_OF(l, struct slab, sl_all);

        for (uint32_t i = 0; i < s->sl_objs; i++)
            fn(slab_object(s, i), arg);
    }
    plat_unlock(&nd->nd_lock);
}

SK_COLD void pcpu_for_each_object(struct pcpu_cache *c, void (*fn)(void *obj, void *arg), void *arg)
{
    struct node_cache *nd;

    pcpu_for_each_node (nd, c)
        for_each_of_node(nd, fn, arg);
}

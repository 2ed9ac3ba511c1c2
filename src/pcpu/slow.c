/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: what happens when a slot's array is empty (refill) or full (flush).
 * Below: install.c and home.c for the slot, node for the depot.
 * Concurrency: each round runs under sc_lock of the slot the thread is on; the thread may be
 *       moved at any time, so the word is changed by compare-and-swap and a round may have to
 *       start again on another slot. After ROUNDS_MAX such moves objects pass beside the
 *       array.
 * Failure: refill returns NULL when region has nothing more; flush cannot fail.
 *
 *     refill                                  flush
 *       a full array from the depot             the full array leaves; an empty one comes
 *       objects of the slot's own slabs           with p in it: own or foreign
 *       a slab nobody runs                      foreign, of sparse slabs: it goes home
 *       the foreign array, of others' slabs     depot has room: it goes there
 *       a new slab                              else the depot's oldest array goes home
 */
#include "pcpu/internal.h"

#define ROUNDS_MAX         4u
#define MISSES_BEFORE_GROW 4u
#define OSCILLATION_DIV    8u

enum step {
    STEP_DONE,
    STEP_NEED_ARRAY,
    STEP_NEED_SLAB,
    STEP_MOVED
};

/* ---- work outside of locks ------------------------------------------------------------------- */

void work_init(struct work *w)
{
    *w = (struct work){0};
    list_init(&w->doomed);
}

void work_finish(struct node_cache *nd, struct work *w)
{
    bool excess = false;
    struct list *l;

    if (w->array)
        node_put_empty(nd, w->array);
    if (w->slab && !node_keep_idle(nd, w->slab))
        list_push(&w->doomed, &w->slab->sl_link);
    while ((l = list_pop(&w->doomed)) != NULL)
        excess |= node_shrink(nd, SK_CONTAINER_OF(l, struct slab, sl_link));
    if (excess)
        region_trim_excess();
    work_init(w);
}

static SK_START void work_get_array(struct node_cache *nd, struct work *w)
{
    w->array = parray_make(sk_load_relaxed(&nd->nd_cap));
    w->no_array = !w->array;
}

/* A slot with several slabs to take from gives one up, so that memory is not mapped while there is
 * some; what came back to it counts, for it may have nobody who would look. */
static SK_START bool slot_give_up_one(struct slot_cache *sc, struct work *w)
{
    bool some;

    if ((sk_load_relaxed(&sc->sc_npartial) < 2 && !sk_load_relaxed(&sc->sc_returned)) ||
        !plat_trylock(&sc->sc_lock))
        return false;
    slot_take_returned(sc, w);
    some = sc->sc_npartial >= 2;
    if (some)
        slot_orphan(sc, SK_CONTAINER_OF(sc->sc_partial.prev, struct slab, sl_link));
    plat_unlock(&sc->sc_lock);
    return some || sk_load_relaxed(&sc->sc_node->nd_nidle);
}

/* true: the node has an orphan or an idle slab now. */
static SK_START bool other_slot_gives_up_one(const struct slot_cache *sc, struct work *w)
{
    struct slot_cache *other;

    pcpu_for_each_pair (other, sc->sc_cache)
        if (other != sc && other->sc_node == sc->sc_node && slot_give_up_one(other, w))
            return true;
    return false;
}

/* Another slot's slab, waiting at the node to be adopted, or else a new one. */
static bool work_get_slab(struct slot_cache *sc, struct work *w)
{
    if (!w->stole) {
        w->stole = true;
        if (other_slot_gives_up_one(sc, w))
            return true;
    }
    w->slab = node_grow(sc->sc_node, sc->sc_slot);
    return w->slab != NULL;
}

/* ---- arrays grow ----------------------------------------------------------------------------- */

static SK_NOINLINE void slot_note_miss(struct slot_cache *sc, enum side side)
{
    unsigned cap = sc->sc_array[side] ? sc->sc_array[side]->pa_cap : 0;

    sc->sc_touched = 1;
    if (++sc->sc_misses < MISSES_BEFORE_GROW || cap != sk_load_relaxed(&sc->sc_node->nd_cap))
        return;
    sc->sc_misses = 0;
    if (slot_budget_allows(sc->sc_slot, node_group_of(&sc->sc_cache->pc_geom),
                           (size_t)(parray_cap_next(cap) - cap) * sc->sc_cache->pc_geom.size))
        node_grow_arrays(sc->sc_node, cap);
}

/* The arrays that are empty: one at hand in the slot, the others in the depot. */
static SK_NOINLINE struct parray *slot_empty_array(struct slot_cache *sc, struct work *w)
{
    struct parray *pa = w->array;

    if (SK_UNLIKELY(sk_load_relaxed(&sc->sc_cache->pc_mode) != PCPU_ARRAYS)) {
        w->no_array = true;
        return NULL;
    }
    w->array = NULL;
    if (!pa && sc->sc_spare && sc->sc_spare->pa_cap == sk_load_relaxed(&sc->sc_node->nd_cap)) {
        pa = sc->sc_spare;
        sc->sc_spare = NULL;
    }
    return pa ? pa : node_get_empty(sc->sc_node);
}

static SK_NOINLINE void slot_keep_empty(struct slot_cache *sc, struct parray *pa)
{
    struct parray *old = sc->sc_spare;

    pa->pa_avail = 0;
    sc->sc_spare = pa;
    if (old)
        node_put_empty(sc->sc_node, old);
}

/* The first object stands for all: what is done with an array is a matter of cost only. */
static SK_NOINLINE bool array_of_sparse_slabs(const struct slot_cache *sc, const struct parray *pa)
{
    return pa->pa_avail &&
           sk_load_relaxed(&slab_holding(sc->sc_cache, pa->pa_a[1])->sl_owner) == sc->sc_slot;
}

/* ---- the depot's overflow -------------------------------------------------------------------- */

static SK_NOINLINE void array_home_locked(struct slot_cache *sc, struct parray *pa, struct work *w)
{
    slot_home(sc, pa->pa_a + 1, pa->pa_avail, w);
    slot_keep_empty(sc, pa);
}

static SK_NOINLINE void array_to_depot_locked(struct slot_cache *sc, struct parray *pa,
                                              struct work *w)
{
    struct parray *over;

    if (pa->pa_avail == 0) {
        slot_keep_empty(sc, pa);
        return;
    }
    for (over = node_put_full(sc->sc_node, pa); over; over = node_get_over(sc->sc_node))
        array_home_locked(sc, over, w);
}

/* The objects of a foreign array may be of any node, and a depot holds its own node's only. Those of
 * sparse slabs go home, and with them the depot's oldest array: what it holds is as scattered. */
static void foreign_leaves_locked(struct slot_cache *sc, struct parray *pa, struct work *w)
{
    struct parray *old;

    if (plat_nnodes() > 1) {
        array_home_locked(sc, pa, w);
    } else if (array_of_sparse_slabs(sc, pa)) {
        array_home_locked(sc, pa, w);
        old = node_reap_full(sc->sc_node, true);
        if (old)
            array_home_locked(sc, old, w);
    } else {
        array_to_depot_locked(sc, pa, w);
    }
}

/* ---- refill ---------------------------------------------------------------------------------- */

/* Takes one object of pa for the caller, and makes the rest the slot's array. */
static SK_NOINLINE void *refill_install(struct slot_cache *sc, struct parray *pa, struct work *w)
{
    void *obj = pa->pa_a[pa->pa_avail--];
    struct parray *left = slot_swap(sc, SIDE_OWN, pa);

    sc->sc_refill_pops = plat_slot_pops(sc->sc_slot, sc->sc_cache->pc_geom.kind);
    sk_count(&sc->sc_alloc_passed, 1);
    if (left)
        array_to_depot_locked(sc, left, w);
    return obj;
}

static SK_NOINLINE unsigned refill_take(struct slot_cache *sc, void **out, unsigned n,
                                        struct work *w)
{
    unsigned got = slot_take(sc, out, n, w);

    if (got)
        return got;
    if (node_adopt(sc->sc_node, &sc->sc_partial, sc->sc_slot)) {
        sk_count(&sc->sc_npartial, 1);
    } else if (w->slab) {
        slot_add_slab(sc, w->slab);
        w->slab = NULL;
    } else {
        return 0;
    }
    return slot_take(sc, out, n, w);
}

static unsigned refill_batch(const struct slot_cache *sc, const struct parray *pa)
{
    unsigned batch = sk_load_relaxed(&sc->sc_cache->pc_batch);

    return batch ? (unsigned)sk_min(batch, pa->pa_cap) : pa->pa_cap;
}

/* slot_take gives the lowest address first; it shall be popped first. */
static void array_reverse(void **a, unsigned n)
{
    SK_ROLLED
    for (unsigned i = 0; i < n / 2; i++) {
        void *t = a[i];
        a[i] = a[n - 1 - i];
        a[n - 1 - i] = t;
    }
}

/* So many objects of sparse slabs are worth to be brought home before others are taken. */
#define SPARSE_OBJS 16u

/* *pa is exchanged. true: there are objects in it, of other slots' slabs; they may be given out. */
static bool refill_from_sparse(struct slot_cache *sc, struct parray **pa, struct work *w)
{
    struct parray *full = sc->sc_nsparse ? slot_swap_foreign(sc, *pa, SPARSE_OBJS) : NULL;

    if (!full)
        return false;
    *pa = full;
    if (plat_nnodes() == 1 && !array_of_sparse_slabs(sc, full))
        return true;
    slot_home(sc, full->pa_a + 1, full->pa_avail, w);
    full->pa_avail = 0;
    return false;
}

/* Where a new slab would be next, so many others' objects serve first: a part of its own. */
#define FOREIGN_DIV 4u

static bool refill_from_foreign(struct slot_cache *sc, struct parray **pa)
{
    unsigned enough = sc->sc_cache->pc_geom.objs / FOREIGN_DIV + 1;
    struct parray *full = plat_nnodes() == 1 ? slot_swap_foreign(sc, *pa, enough) : NULL;

    if (full)
        *pa = full;
    return full;
}

static enum step refill_from_slabs(struct slot_cache *sc, struct work *w, void **obj)
{
    struct parray *pa = slot_empty_array(sc, w);

    if (!pa && !w->no_array)
        return STEP_NEED_ARRAY;
    if (!pa) {
        unsigned got = refill_take(sc, obj, 1, w);

        sk_count(&sc->sc_alloc_passed, got);
        return got ? STEP_DONE : STEP_NEED_SLAB;
    }
    if (!refill_from_sparse(sc, &pa, w)) {
        pa->pa_avail = refill_take(sc, pa->pa_a + 1, refill_batch(sc, pa), w);
        array_reverse(pa->pa_a + 1, pa->pa_avail);
        sk_count(&sc->sc_refills, pa->pa_avail != 0);
    }
    if (!pa->pa_avail && !refill_from_foreign(sc, &pa)) {
        w->array = pa;
        return STEP_NEED_SLAB;
    }
    *obj = refill_install(sc, pa, w);
    return STEP_DONE;
}

static enum step refill_locked(struct slot_cache *sc, struct work *w, void **obj)
{
    struct parray *full;

    *obj = sc->sc_array[SIDE_OWN] ? plat_slot_pop_retry(sc->sc_cache->pc_geom.kind) : NULL;
    if (*obj)
        return STEP_DONE;
    full = node_get_full(sc->sc_node);
    if (!full)
        return refill_from_slabs(sc, w, obj);
    *obj = refill_install(sc, full, w);
    return STEP_DONE;
}

/* One round on the slot the thread is on. */
static enum step refill_round(struct slot_cache *sc, struct work *w, void **obj, bool first)
{
    enum step step;

    plat_lock(&sc->sc_lock);
    if (first) {
        slot_note_miss(sc, SIDE_OWN);
        sk_count(&sc->sc_alloc_misses, 1);
    }
    step = refill_locked(sc, w, obj);
    plat_unlock(&sc->sc_lock);
    return step;
}

void *pcpu_alloc_slow(struct pcpu_cache *c)
{
    void *obj = NULL;
    struct work w;
    struct slot_cache *sc = slot_cache_get(c, pcpu_slot_for(c));
    bool first = true;

    if (!sc)
        return NULL;
    work_init(&w);
    for (enum step step; (step = refill_round(sc, &w, &obj, first)) != STEP_DONE; first = false) {
        if (step == STEP_NEED_ARRAY)
            work_get_array(sc->sc_node, &w);
        else if (!work_get_slab(sc, &w))
            break;
    }
    work_finish(sc->sc_node, &w);
    if (SK_UNLIKELY(!obj))
        sk_add_relaxed(&c->pc_failures, 1);
    return obj;
}

/* ---- flush ----------------------------------------------------------------------------------- */

static void flush_beside(struct slot_cache *sc, void *p, struct work *w)
{
    slot_home(sc, &p, 1, w);
}

/* Full so soon after it was empty: the program goes to and fro around an array's end. */
static bool slot_oscillates(const struct slot_cache *sc)
{
    uint64_t pops = plat_slot_pops(sc->sc_slot, sc->sc_cache->pc_geom.kind);

    return sc->sc_refill_pops != UINT64_MAX &&
           pops - sc->sc_refill_pops < sc->sc_array[SIDE_OWN]->pa_cap / OSCILLATION_DIV;
}

/* Fewer than n go when the thread was moved to a slot with less room. */
static SK_NOINLINE void array_give_back(struct slot_cache *sc, struct parray *full, unsigned n)
{
    void **upper = full->pa_a + 1 + full->pa_avail - n;
    unsigned rest = n - plat_slot_push_n(sc->sc_cache->pc_geom.kind, upper, n);

    SK_ROLLED
    for (unsigned i = 0; i < rest; i++)
        upper[i] = upper[n - rest + i];
    full->pa_avail -= n - rest;
}

/* The slot shall stand in the middle of its array, and not at its end again. An array from before the
 * arrays grew goes out of use: otherwise it and a larger one take turns, with a miss at each end. */
static void array_settle(struct slot_cache *sc, struct parray *full, unsigned new_cap)
{
    if (full->pa_cap < new_cap)
        array_give_back(sc, full, full->pa_avail);
    else if (slot_oscillates(sc))
        array_give_back(sc, full, full->pa_avail / 2);
}

/* Nobody is the owner of a slab that no slot runs. */
static enum side side_of(const struct slot_cache *sc, const void *p)
{
    return PLAT_KIND_SLOT(region_kind(p)) == sc->sc_slot ? SIDE_OWN : SIDE_FOREIGN;
}

static enum step flush_locked(struct slot_cache *sc, enum side side, void *p, struct work *w)
{
    struct parray *pa, *left;
    unsigned cap;

    if (sc->sc_array[side] && plat_slot_push_retry(side_index(sc, side), p))
        return STEP_DONE;
    pa = slot_empty_array(sc, w);
    if (!pa && !w->no_array)
        return STEP_NEED_ARRAY;
    if (!pa) {
        flush_beside(sc, p, w);
        return STEP_DONE;
    }
    pa->pa_a[1] = p;
    pa->pa_avail = 1;
    cap = pa->pa_cap;
    left = slot_swap(sc, side, pa);
    if (left == pa) {
        w->array = pa;
        return STEP_MOVED;
    }
    if (left && side == SIDE_OWN) {
        array_settle(sc, left, cap);
        array_to_depot_locked(sc, left, w);
    } else if (left) {
        foreign_leaves_locked(sc, left, w);
    }
    if (side == SIDE_OWN)
        sc->sc_refill_pops = UINT64_MAX;
    return STEP_DONE;
}

static enum step flush_round(struct slot_cache *sc, void *p, struct work *w, unsigned round)
{
    enum side side = side_of(sc, p);
    enum step step = STEP_DONE;

    plat_lock(&sc->sc_lock);
    if (round == 0) {
        slot_note_miss(sc, side);
        sk_count(&sc->sc_free_misses, 1);
    }
    if (round < ROUNDS_MAX)
        step = flush_locked(sc, side, p, w);
    else
        flush_beside(sc, p, w);
    plat_unlock(&sc->sc_lock);
    return step;
}

/* A pair always exists where the object was allocated; without memory for ours, that one serves. */
static struct slot_cache *flush_slot_cache(struct pcpu_cache *c, const void *p)
{
    struct slot_cache *sc = slot_cache_get(c, pcpu_slot_from(c, p));

    for (unsigned slot = 0; !sc; slot++)
        sc = pcpu_slot_cache(slot, c->pc_geom.kind);
    return sc;
}

void pcpu_free_slow(struct pcpu_cache *c, void *p)
{
    struct slot_cache *sc = NULL;
    enum step step = STEP_MOVED;
    struct work w;

    work_init(&w);
    for (unsigned round = 0; step != STEP_DONE; round++) {
        if (step == STEP_MOVED)
            sc = flush_slot_cache(c, p);
        step = flush_round(sc, p, &w, round);
        if (step == STEP_NEED_ARRAY)
            work_get_array(sc->sc_node, &w);
        else
            work_finish(sc->sc_node, &w);
    }
}

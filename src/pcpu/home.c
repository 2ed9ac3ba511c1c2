/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: the slab side of a slot: objects taken from its slabs, objects brought home to theirs.
 * Below: slab, node.
 * Concurrency: under sc_lock of the slot, except the push on another slot's returned list, which is
 *       lock-free. docs/remote-list.md has the protocol.
 * Why: a batch is sorted into chains by slab with a small direct-mapped table: one pass, and one
 *       compare-and-swap for each (slab, batch) unless two slabs meet in a bucket.
 */
#include "pcpu/internal.h"
#include "base/bits.h"

static struct slab *slab_of(struct list *l)
{
    return SK_CONTAINER_OF(l, struct slab, sl_link);
}

static void slot_drop_slab(struct slot_cache *sc, const struct slab *s)
{
    sk_count(&sc->sc_npartial, -1);
    sc->sc_nsparse -= s->sl_sparse;
}

void slot_add_slab(struct slot_cache *sc, struct slab *s)
{
    list_push(&sc->sc_partial, &s->sl_link);
    sk_count(&sc->sc_npartial, 1);
}

void slot_orphan(struct slot_cache *sc, struct slab *s)
{
    slot_drop_slab(sc, s);
    node_orphan(sc->sc_node, s);
}

/* A slab of the list whose last object came back goes to the node, or to its end. */
static SK_NOINLINE void slab_leave(struct slot_cache *sc, struct slab *s, struct work *w)
{
    slot_drop_slab(sc, s);
    if (node_keep_idle(sc->sc_node, s))
        return;
    list_del(&s->sl_link);
    list_push(&w->doomed, &s->sl_link);
}

static void slab_leave_if_unused(struct slot_cache *sc, struct slab *s, struct work *w)
{
    if (s->sl_inuse == 0)
        slab_leave(sc, s, w);
}

/* ---- returned slabs ------------------------------------------------------------------------ */

bool returned_push(struct slab *s)
{
    unsigned slot = sk_load_relaxed(&s->sl_owner);
    struct slot_cache *to = pcpu_slot_cache(slot, s->sl_geom->kind);
    struct slab *old = sk_load_relaxed(&to->sc_returned);

    do {
        s->sl_ret_next = old;
    } while (!sk_cas_release(&to->sc_returned, &old, s));
    if (old)
        return false;
    plat_tell(slot);
    return true;
}

void slot_take_returned(struct slot_cache *sc, struct work *w)
{
    struct slab *s, *next;

    if (!sk_load_relaxed(&sc->sc_returned))
        return;
    /* Acquire: pairs with the release in returned_push, publishes sl_ret_next. */
    for (s = sk_xchg_acquire(&sc->sc_returned, NULL); s; s = next) {
        next = s->sl_ret_next;
        slab_returned_to_partial(s, &sc->sc_partial);
        sk_count(&sc->sc_npartial, 1);
        slab_collect(s);
        slab_leave_if_unused(sc, s, w);
    }
}

static void slot_set_sparse(struct slot_cache *sc, struct slab *s, bool sparse)
{
    slab_set_sparse(s, sparse);
    sc->sc_nsparse += sparse ? 1 : -1u;
}

/* ---- taking ---------------------------------------------------------------------------------- */

unsigned slot_take_listed(struct slot_cache *sc, void **out, unsigned n)
{
    unsigned got = 0;

    while (got < n && !list_empty(&sc->sc_partial)) {
        struct slab *s = slab_of(sc->sc_partial.next);

        slab_collect(s);
        if (s->sl_sparse)
            slot_set_sparse(sc, s, false);
        got += slab_take(s, out + got, n - got);
        if (slab_avail(s) == 0 && slab_partial_to_away(s))
            sk_count(&sc->sc_npartial, -1);
    }
    sk_count(&sc->sc_refill_objs, got);
    return got;
}

unsigned slot_take(struct slot_cache *sc, void **out, unsigned n, struct work *w)
{
    slot_take_returned(sc, w);
    return slot_take_listed(sc, out, n);
}

/* ---- bringing home --------------------------------------------------------------------------- */

struct chain {
    struct slab *slab;
    void *head, *tail;
    unsigned n;
};

#define CHAIN_BUCKETS 16u

/* By slab_number. Only those that are used say something. */
struct chains {
    unsigned used; /* a bit for each */
    struct chain bucket[CHAIN_BUCKETS];
};

/* Of neighbours they differ by one, if they are of the least size. */
static uintptr_t slab_number(const struct slab *s)
{
    return (uintptr_t)s->sl_run / sk_max(SLAB_BYTES_MIN, PLAT_PAGE_BYTES);
}

static SK_NOINLINE void chain_send(struct slot_cache *sc, struct chain *ch)
{
    sk_count(&sc->sc_remote_objs, ch->n);
    sk_count(&sc->sc_remote_chains, 1);
    if (slab_push_remote(ch->slab, ch->head, ch->tail))
        sk_count(&sc->sc_tells, returned_push(ch->slab));
}

static void chain_add(struct slot_cache *sc, struct chains *chains, struct slab *s, void *p)
{
    unsigned b = slab_number(s) % CHAIN_BUCKETS;
    struct chain *ch = &chains->bucket[b];
    bool used = chains->used >> b & 1, same = used && ch->slab == s;
    enum misuse fault = slab_check(s, p);

    /* The tail's link is written last, by the push: a second p there would vanish unseen. */
    if (same && ch->tail == p)
        fault = MISUSE_DOUBLE;
    if (SK_UNLIKELY(fault != MISUSE_KINDS))
        slab_misuse(fault, s->sl_geom, p);
    if (!same) {
        if (used)
            chain_send(sc, ch);
        *ch = (struct chain){s, p, p, 1};
        chains->used |= 1u << b;
        return;
    }
    slab_chain(s, p, ch->head);
    ch->head = p;
    ch->n++;
}

/*
 * A slab that is a third free, while the slot takes from others: let it empty. Otherwise what is freed
 * would stay in arrays and go out again at random, and a cache that shrank would keep all its slabs
 * for ever, each with a few objects.
 */
#define SPARSE_DIV 3u
#define SPARSE_MIN 4u /* slabs on the list; fewer are no waste worth a word */

static bool slab_got_sparse(const struct slot_cache *sc, const struct slab *s)
{
    return slab_avail(s) > s->sl_objs / SPARSE_DIV && !s->sl_sparse &&
           sc->sc_npartial >= SPARSE_MIN && sc->sc_partial.next != &s->sl_link &&
           sk_load_relaxed(&sc->sc_cache->pc_mode) == PCPU_ARRAYS;
}

static void home_own(struct slot_cache *sc, struct slab *s, void *p, struct work *w)
{
    enum misuse fault;

    if (s->sl_state == SLAB_OFF) {
        if (!slab_away_to_partial(s, &sc->sc_partial)) {
            /* A pusher was first and links the slab: go through the word like anybody else. */
            SK_REQUIRE(!slab_push_remote(s, p, p));
            return;
        }
        sk_count(&sc->sc_npartial, 1);
    }
    fault = slab_put(s, p);
    if (SK_UNLIKELY(fault != MISUSE_KINDS))
        slab_misuse(fault, s->sl_geom, p);
    if (s->sl_inuse == 0)
        slab_leave(sc, s, w);
    else if (slab_got_sparse(sc, s))
        slot_set_sparse(sc, s, true);
}

struct slab *slab_holding(const struct pcpu_cache *c, const void *p)
{
    if (SK_UNLIKELY(region_index(p) != c->pc_geom.kind))
        slab_misuse(MISUSE_FREED, &c->pc_geom, p);
    return region_info(p)->slab;
}

void slot_home(struct slot_cache *sc, void *const *objs, unsigned n, struct work *w)
{
    struct chains chains;

    chains.used = 0;
    for (unsigned i = 0; i < n; i++) {
        struct slab *s = slab_holding(sc->sc_cache, objs[i]);

        if (sk_load_relaxed(&s->sl_owner) == sc->sc_slot)
            home_own(sc, s, objs[i], w);
        else
            chain_add(sc, &chains, s, objs[i]);
    }
    for (; chains.used; chains.used &= chains.used - 1)
        chain_send(sc, &chains.bucket[sk_ctz(chains.used)]);
    sk_count(&sc->sc_flushes, 1);
    sk_count(&sc->sc_flush_objs, n);
}

/* ---- settling -------------------------------------------------------------------------------- */

SK_COLD void slot_settle(struct slot_cache *sc, struct work *w)
{
    struct list *l, *tmp;

    slot_take_returned(sc, w);
    list_for_each_safe (l, tmp, &sc->sc_partial) {
        struct slab *s = slab_of(l);

        slab_collect(s);
        slab_leave_if_unused(sc, s, w);
    }
}

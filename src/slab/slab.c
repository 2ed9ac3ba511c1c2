/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: the life of a slab and of its objects, see slab.h.
 * Below: region (runs, page map, metadata).
 * Concurrency: everything here but slab_push_remote and slab_check runs under the owner's lock.
 */
#include "slab/slab.h"
#include "region/meta.h"

/* ---- geometry ------------------------------------------------------------------------------ */

#define SLAB_COLOUR_OBJS_MIN  32u /* one of fewer is no small price */
#define SLAB_COLOUR_OBJS_GOOD 64u

static bool geom_fits(size_t size, size_t pages, unsigned waste_div)
{
    size_t run = pages * PLAT_PAGE_BYTES;
    size_t least = size <= SLAB_MANY_MAX ? SLAB_OBJS_MIN : 1;

    return run >= least * size && run % size * waste_div <= run;
}

/* The fewest pages that fit; more than `most`: none do. */
static SK_START size_t geom_pages(size_t size, unsigned waste_div, size_t most)
{
    size_t pages = sk_max(SLAB_BYTES_MIN / PLAT_PAGE_BYTES, 1);

    while (pages <= most && !geom_fits(size, pages, waste_div))
        pages++;
    return pages;
}

static SK_START void geom_cut(struct slab_geom *g, size_t pages, size_t objs)
{
    size_t left = pages * PLAT_PAGE_BYTES - objs * g->size;

    g->pages = (uint32_t)pages;
    g->objs = (uint32_t)objs;
    g->colours = (uint32_t)(left / g->colour_off) + 1;
}

SK_START void slab_geom_init(struct slab_geom *g, const char *name, size_t size, size_t align,
                             uint16_t kind)
{
    size_t tight = SLAB_TIGHT_MAX / PLAT_PAGE_BYTES, pages;

    SK_REQUIRE(sk_is_pow2(align) && align <= SLAB_ALIGN_MAX && size <= SLAB_OBJ_MAX);
    size = sk_align_up(size, sk_max(align, sizeof(void *)));
    pages = geom_pages(size, SLAB_TIGHT_DIV, tight);
    if (pages > tight)
        pages = geom_pages(size, SLAB_WASTE_DIV, SLAB_PAGES_MAX);
    *g = (struct slab_geom){.name = name, .kind = kind};
    g->size = (uint32_t)size;
    g->align = (uint32_t)align;
    g->run_align = (uint32_t)sk_max(align / PLAT_PAGE_BYTES, 1);
    g->colour_off = (uint32_t)sk_max(align, SK_CACHE_LINE);
    geom_cut(g, pages, pages * PLAT_PAGE_BYTES / size);
    g->recip = g->objs > 1 ? sk_recip((uint32_t)size) : 0;
}

SK_START void slab_geom_colour(struct slab_geom *g)
{
    size_t pages = g->pages, objs;

    if (g->colours > 1 || g->size < g->colour_off)
        return;
    while (pages * PLAT_PAGE_BYTES < SLAB_COLOUR_OBJS_GOOD * (size_t)g->size &&
           2 * pages * PLAT_PAGE_BYTES <= SLAB_TIGHT_MAX)
        pages *= 2;
    objs = pages * PLAT_PAGE_BYTES / g->size;
    if (objs >= SLAB_COLOUR_OBJS_MIN)
        geom_cut(g, pages, objs - 1);
}

_Static_assert(PLAT_PAGE_BYTES / sizeof(void *) < UINT16_MAX, "a link, 0 included, has 16 bits");

static size_t geom_words(const struct slab_geom *g)
{
    return (g->objs + SK_WORD_BITS - 1) / SK_WORD_BITS;
}

static size_t slab_desc_bytes(const struct slab_geom *g)
{
    return sizeof(struct slab) + geom_words(g) * sizeof(uint64_t) +
           (g->link_beside ? g->objs * sizeof(uint16_t) : 0);
}

/* ---- make and unmake ------------------------------------------------------------------------ */

SK_START struct slab *slab_make(const struct slab_geom *g, void *run, unsigned colour,
                                unsigned node, unsigned slot)
{
    struct slab *s = meta_alloc(slab_desc_bytes(g));

    if (!s)
        return NULL;
    s->sl_geom = g;
    s->sl_run = run;
    s->sl_first = (char *)run + (size_t)(colour % g->colours) * g->colour_off;
    s->sl_objs = g->objs;
    s->sl_node = node;
    s->sl_owner = slot;
    s->sl_state = SLAB_PARTIAL;
    list_init(&s->sl_link);
    list_init(&s->sl_all);
    region_set_slab(run, g->pages, PLAT_KIND(g->kind, slot), s);
    return s;
}

SK_COLD bool slab_unmake(struct slab *s)
{
    const struct slab_geom *g = s->sl_geom;
    void *run = s->sl_run;

    uintptr_t chain = sk_load_relaxed(&s->sl_remote);

    SK_ASSERT(s->sl_inuse == 0 && chain != SLAB_AWAY);
    /* No object is in use: what was sent home since was free already. */
    if (SK_UNLIKELY(chain != SLAB_EMPTY))
        slab_misuse(MISUSE_DOUBLE, g, (void *)chain);
    slab_tags_free(s);
    meta_free(s, slab_desc_bytes(g));
    return region_free(run, g->pages);
}

/* ---- objects --------------------------------------------------------------------------------- */

_Noreturn SK_COLD void misuse_die(enum misuse what, const void *p, size_t bytes, const char *name)
{
    char line[MISUSE_LINE_BYTES];

    misuse_format(line, what, p, bytes, name);
    plat_panic(line);
}

_Noreturn SK_COLD void slab_misuse(enum misuse what, const struct slab_geom *g, const void *p)
{
    misuse_die(what, p, g->size, g->name);
}

enum misuse slab_check(const struct slab *s, const void *p)
{
    /* Before the first object it wraps. */
    size_t off = (size_t)((const char *)p - s->sl_first);

    if (off >= (size_t)s->sl_objs * s->sl_geom->size)
        return MISUSE_OUTSIDE;
    return slab_object(s, slab_index(s, p)) == p ? MISUSE_KINDS : MISUSE_INTERIOR;
}

static unsigned take_bits(struct slab *s, void **out, unsigned n)
{
    uint32_t w = s->sl_hint;
    unsigned got = 0;

    n = (unsigned)sk_min(n, s->sl_free);
    while (got < n) {
        uint64_t bits = s->sl_bits[w];
        char *word_first = s->sl_first + (size_t)w * SK_WORD_BITS * s->sl_geom->size;

        for (; bits && got < n; bits &= bits - 1)
            out[got++] = word_first + (size_t)sk_ctz(bits) * s->sl_geom->size;
        s->sl_bits[w] = bits;
        w += bits == 0;
    }
    s->sl_hint = w;
    s->sl_free -= got;
    return got;
}

static unsigned take_fresh(struct slab *s, void **out, unsigned n)
{
    uint32_t i = s->sl_fresh, size = s->sl_geom->size;
    char *p = s->sl_first + (size_t)i * size;

    n = (unsigned)sk_min(n, s->sl_objs - i);
    SK_ROLLED
    for (unsigned k = 0; k < n; k++, p += size)
        out[k] = p;
    s->sl_fresh = i + n;
    return n;
}

unsigned slab_take(struct slab *s, void **out, unsigned n)
{
    unsigned got = take_bits(s, out, n);

    if (got < n)
        got += take_fresh(s, out + got, n - got);
    s->sl_inuse += got;
    return got;
}

enum misuse slab_put(struct slab *s, void *p)
{
    enum misuse fault = slab_check(s, p);
    uint32_t i;
    uint64_t bit;

    if (SK_UNLIKELY(fault != MISUSE_KINDS))
        return fault;
    i = slab_index(s, p);
    bit = 1ull << (i % 64);
    if (SK_UNLIKELY(i >= s->sl_fresh))
        return MISUSE_NEVER;
    if (SK_UNLIKELY(s->sl_bits[i / 64] & bit))
        return MISUSE_DOUBLE;
    s->sl_bits[i / 64] |= bit;
    s->sl_hint = (uint32_t)sk_min(s->sl_hint, i / 64);
    s->sl_free++;
    s->sl_inuse--;
    return MISUSE_KINDS;
}

/* ---- the remote list ------------------------------------------------------------------------- */

static uint16_t *link_beside(const struct slab *s, const void *obj)
{
    return (uint16_t *)(uintptr_t)(s->sl_bits + geom_words(s->sl_geom)) + slab_index(s, obj);
}

void slab_chain(struct slab *s, void *obj, void *next)
{
    if (s->sl_geom->link_beside)
        *link_beside(s, obj) = (uint16_t)(next ? slab_index(s, next) + 1 : 0);
    else
        *(void **)obj = next;
}

void *slab_chained(const struct slab *s, const void *obj)
{
    if (!s->sl_geom->link_beside)
        return *(void *const *)obj;
    return *link_beside(s, obj) ? slab_object(s, *link_beside(s, obj) - 1u) : NULL;
}

/*
 * Proof sketch (the whole of it: docs/remote-list.md). The word changes only by the three
 * operations below: push (x -> chain), collect (chain -> EMPTY) and the owner's EMPTY <-> AWAY.
 * AWAY is replaced by exactly one successful swap: a pusher's, which thereby alone has the duty to
 * link the slab, or the owner's, after which no pusher can have it. Between a pusher's swap and its
 * link the slab has objects that the owner counts as in use and is on no list, so it can be neither
 * released nor adopted. A pusher whose swap found EMPTY or a chain holds nothing more: the owner
 * may already have collected, released and reused the slab.
 */
bool slab_push_remote(struct slab *s, void *head, void *tail)
{
    uintptr_t old = sk_load_relaxed(&s->sl_remote);

    /* Release: publishes the links of the chain, and the program's last writes to the objects, to
     * the acquire in slab_collect. Acquire: who replaces AWAY reads sl_owner and writes sl_ret_next
     * after what the owner did before slab_partial_to_away. */
    do {
        slab_chain(s, tail, old == SLAB_AWAY ? NULL : (void *)old);
    } while (!sk_cas_acq_rel(&s->sl_remote, &old, (uintptr_t)head));
    return old == SLAB_AWAY;
}

unsigned slab_collect(struct slab *s)
{
    uintptr_t chain = sk_load_relaxed(&s->sl_remote);
    unsigned n = 0;

    if (chain == SLAB_EMPTY || chain == SLAB_AWAY)
        return 0;
    /* Not AWAY: only the owner, us, stores that. Acquire: see slab_push_remote. */
    chain = sk_xchg_acquire(&s->sl_remote, SLAB_EMPTY);
    for (void *obj = (void *)chain; obj; n++) {
        enum misuse fault = slab_check(s, obj);
        void *next = fault == MISUSE_KINDS ? slab_chained(s, obj) : NULL;

        if (fault == MISUSE_KINDS)
            fault = slab_put(s, obj);
        if (SK_UNLIKELY(fault != MISUSE_KINDS))
            slab_misuse(fault, s->sl_geom, obj);
        obj = next;
    }
    return n;
}

/* ---- changes of state ------------------------------------------------------------------------ */

bool slab_partial_to_away(struct slab *s)
{
    uintptr_t empty = SLAB_EMPTY;

    SK_ASSERT(s->sl_state == SLAB_PARTIAL && slab_avail(s) == 0);
    /* Release: to the acquire of the push that replaces AWAY. */
    if (!sk_cas_acq_rel(&s->sl_remote, &empty, SLAB_AWAY))
        return false;
    list_del(&s->sl_link);
    s->sl_state = SLAB_OFF;
    return true;
}

static void slab_join(struct slab *s, struct list *list, enum slab_state state)
{
    list_del(&s->sl_link);
    list_push(list, &s->sl_link);
    s->sl_state = state;
}

bool slab_away_to_partial(struct slab *s, struct list *list)
{
    uintptr_t away = SLAB_AWAY;

    SK_ASSERT(s->sl_state == SLAB_OFF);
    if (!sk_cas_acquire(&s->sl_remote, &away, SLAB_EMPTY))
        return false;
    slab_join(s, list, SLAB_PARTIAL);
    return true;
}

void slab_returned_to_partial(struct slab *s, struct list *list)
{
    SK_ASSERT(s->sl_state == SLAB_OFF && sk_load_relaxed(&s->sl_remote) != SLAB_AWAY);
    slab_join(s, list, SLAB_PARTIAL);
}

void slab_partial_to_orphan(struct slab *s, struct list *list)
{
    SK_ASSERT(s->sl_state == SLAB_PARTIAL);
    sk_store_relaxed(&s->sl_owner, SLAB_NO_OWNER);
    slab_join(s, list, SLAB_ORPHAN);
}

void slab_partial_to_idle(struct slab *s, struct list *list)
{
    SK_ASSERT(s->sl_state == SLAB_PARTIAL && s->sl_inuse == 0);
    sk_store_relaxed(&s->sl_owner, SLAB_NO_OWNER);
    slab_join(s, list, SLAB_IDLE);
}

void slab_orphan_to_idle(struct slab *s, struct list *list)
{
    SK_ASSERT(s->sl_state == SLAB_ORPHAN && s->sl_inuse == 0);
    slab_join(s, list, SLAB_IDLE);
}

static void slab_tell_frees(const struct slab *s, unsigned slot)
{
    region_set_kind(s->sl_run, s->sl_geom->pages, PLAT_KIND(s->sl_geom->kind, slot));
}

void slab_set_sparse(struct slab *s, bool sparse)
{
    SK_ASSERT(s->sl_state == SLAB_PARTIAL);
    s->sl_sparse = sparse;
    slab_tell_frees(s, sparse ? PLAT_SLOT_NOBODY : s->sl_owner);
}

static void slab_adopted(struct slab *s, struct list *list, unsigned slot)
{
    /* On a list, hence not away: no pusher reads sl_owner before the slab is away again, and the
     * release in slab_partial_to_away orders this store before that. */
    sk_store_relaxed(&s->sl_owner, slot);
    s->sl_sparse = false;
    slab_tell_frees(s, slot);
    slab_join(s, list, SLAB_PARTIAL);
}

void slab_orphan_to_partial(struct slab *s, struct list *list, unsigned slot)
{
    SK_ASSERT(s->sl_state == SLAB_ORPHAN);
    slab_adopted(s, list, slot);
}

void slab_idle_to_partial(struct slab *s, struct list *list, unsigned slot)
{
    SK_ASSERT(s->sl_state == SLAB_IDLE && s->sl_inuse == 0);
    slab_adopted(s, list, slot);
}

/* ---- verify ---------------------------------------------------------------------------------- */

SK_COLD bool slab_verify(const struct slab *s)
{
    uint32_t set = 0;

    for (uint32_t i = 0; i < s->sl_objs; i++)
        if (s->sl_bits[i / 64] >> (i % 64) & 1) {
            set++;
            if (i >= s->sl_fresh || i / 64 < s->sl_hint)
                return false;
        }
    if (set != s->sl_free || s->sl_fresh > s->sl_objs)
        return false;
    if (sk_load_relaxed(&s->sl_remote) == SLAB_AWAY && slab_avail(s) != 0)
        return false;
    return s->sl_objs == s->sl_inuse + s->sl_free + (s->sl_objs - s->sl_fresh);
}

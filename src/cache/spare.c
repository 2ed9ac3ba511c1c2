/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: what makes a cache do without arrays for a while: objects kept in reserve, failures on demand.
 * Below: pcpu's modes.
 * Invariants: have <= want; have < want => arrays are off, so that every free comes by and fills it
 * Concurrency: kc_lock, inside plat_enter; a nested call only tries it, and does without what it guards if it must. The
 *       drain that follows when arrays go off runs without it.
 * Why: objects, not pages, are kept: a constructed object costs its constructor, and what counts is how many.
 */
#include "cache/internal.h"
#include "region/meta.h"

/* ---- arrays on and off ------------------------------------------------------------------------ */

static bool spare_lock(struct kmem_cache *c, bool *entered)
{
    *entered = plat_enter();
    if (!*entered)
        return plat_trylock(&c->kc_lock);
    plat_lock(&c->kc_lock);
    return true;
}

static void spare_unlock(struct kmem_cache *c, bool entered)
{
    plat_unlock(&c->kc_lock);
    if (entered)
        plat_leave();
}

/* true: they go off now. */
static bool arrays_set_locked(struct kmem_cache *c, enum kmem_off why, bool on)
{
    unsigned before = c->kc_off;

    if (sk_load_relaxed(&c->kc_pcpu.pc_mode) == PCPU_DIRECT)
        return false;
    sk_store_relaxed(&c->kc_off, on ? before & ~(unsigned)why : before | (unsigned)why);
    sk_store_relaxed(&c->kc_pcpu.pc_mode, c->kc_off ? PCPU_NO_ARRAYS : PCPU_ARRAYS);
    return !on && !before;
}

static SK_COLD void drain(struct kmem_cache *c)
{
    kmem_enter(c);
    pcpu_drain(&c->kc_pcpu);
    kmem_leave();
}

/* ---- reserve ---------------------------------------------------------------------------------- */

static bool reserve_short(const struct kmem_cache *c)
{
    return sk_load_relaxed(&c->kc_reserve.have) < c->kc_reserve.want;
}

static SK_COLD bool reserve_add(struct kmem_cache *c, void *raw)
{
    struct kmem_reserve *r = &c->kc_reserve;
    bool added, entered;

    if (!spare_lock(c, &entered))
        return false;
    added = r->have < r->want;
    if (added) {
        r->raw[r->have] = raw;
        sk_store_relaxed(&r->have, r->have + 1);
    }
    if (r->have == r->want)
        arrays_set_locked(c, KMEM_OFF_RESERVE, true);
    spare_unlock(c, entered);
    return added;
}

bool kmem_reserve_put(struct kmem_cache *c, void *raw)
{
    return SK_UNLIKELY(reserve_short(c)) && reserve_add(c, raw);
}

/* *off: the arrays are to be drained, now that it is short. */
static SK_COLD void *reserve_remove(struct kmem_cache *c, bool *off)
{
    struct kmem_reserve *r = &c->kc_reserve;
    void *raw = NULL;
    bool entered;

    if (!spare_lock(c, &entered))
        return NULL;
    if (r->have) {
        raw = r->raw[r->have - 1];
        sk_store_relaxed(&r->have, r->have - 1);
        *off = arrays_set_locked(c, KMEM_OFF_RESERVE, false);
    }
    spare_unlock(c, entered);
    return raw;
}

void *kmem_reserve_take(struct kmem_cache *c, int flags)
{
    bool off = false;
    void *raw;

    if (c->kc_reserve.want == 0)
        return NULL;
    raw = reserve_remove(c, &off);
    if (off && !(flags & M_NOWAIT))
        drain(c);
    return raw;
}

SK_COLD bool kmem_reserve_holds(struct kmem_cache *c, const void *raw)
{
    bool holds = false;

    plat_lock(&c->kc_lock);
    for (unsigned i = 0; i < c->kc_reserve.have && !holds; i++)
        holds = c->kc_reserve.raw[i] == raw;
    plat_unlock(&c->kc_lock);
    return holds;
}

static bool reserve_make(struct kmem_cache *c)
{
    struct kmem_reserve *r = &c->kc_reserve;

    kmem_enter(c);
    r->raw = meta_alloc(r->want * sizeof(*r->raw));
    kmem_leave();
    return r->raw != NULL;
}

SK_COLD int kmem_reserve_fill(struct kmem_cache *c)
{
    struct kmem_reserve *r = &c->kc_reserve;
    int error = 0;

    if (r->want && !r->raw && !reserve_make(c))
        return ENOMEM;
    while (reserve_short(c)) {
        void *raw = kmem_raw_alloc(c, M_WAITOK, &error);

        if (!raw)
            return error;
        SK_REQUIRE(reserve_add(c, raw));
    }
    return 0;
}

SK_COLD void kmem_reserve_drop(struct kmem_cache *c)
{
    void *raw;
    bool off;

    while ((raw = reserve_remove(c, &off)) != NULL) {
        kmem_enter(c);
        pcpu_free_slow(&c->kc_pcpu, raw);
        kmem_leave();
    }
}

/* ---- failures on demand ------------------------------------------------------------------------ */

/* Knuth's MMIX generator; the upper bits are the good ones. */
static uint64_t draw(struct kmem_failing *f)
{
    f->random = f->random * 6364136223846793005ull + 1442695040888963407ull;
    return f->random >> 33;
}

static SK_COLD bool fails_locked(struct kmem_failing *f)
{
    struct kmem_cache_fail *k = &f->knobs;

    if (k->rate == 0 || k->times == 0)
        return false;
    if (k->space) {
        k->space--;
        return false;
    }
    if (draw(f) % k->rate != 0)
        return false;
    if (k->times > 0)
        k->times--;
    f->failed++;
    return true;
}

bool kmem_fails_now(struct kmem_cache *c)
{
    bool fails, entered;

    if (SK_LIKELY(!(sk_load_relaxed(&c->kc_off) & KMEM_OFF_FAIL) && !kmem_has_debug(c)))
        return false;
    if (!spare_lock(c, &entered))
        return false;
    fails = fails_locked(&c->kc_failing);
    spare_unlock(c, entered);
    return fails;
}

SK_EXPORT SK_COLD int kmem_cache_fail(struct kmem_cache *c, const struct kmem_cache_fail *fail)
{
    bool off;

    c = c->kc_root;
    if (fail->times < -1)
        return EINVAL;
    kmem_enter(c);
    plat_lock(&c->kc_lock);
    c->kc_failing.knobs = *fail;
    c->kc_failing.random = fail->seed;
    off = arrays_set_locked(c, KMEM_OFF_FAIL, fail->rate == 0);
    plat_unlock(&c->kc_lock);
    kmem_leave();
    if (off)
        drain(c);
    return 0;
}

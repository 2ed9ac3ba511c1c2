/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: typed blocks: the slow halves of allocation and free, what the flags mean, resizing.
 * Below: account.c, kmalloc.c, large.c, nested.c.
 *
 *     type_alloc: flags -> block's class and bytes -> charge -> block       (no room: wait, or NULL)
 *     type_free:  block's bytes -> discharge -> km_free
 *
 * Concurrency: a block is counted before the caller has it and discounted before it is free.
 * Failure: NULL, nothing counted but the failure; a charge for a block that is not to be had is
 *       taken back.
 *       A call that interrupted a slow path and may wait, and finds nothing: the end.
 */
#include "kmalloc/internal.h"
#include "kmalloc/types.h"

#define NO_MEMORY_POLL_MS 10u
#define POWER_ALIGN_MAX   ((size_t)PLAT_PAGE_BYTES)

/* What is asked for, and what serves it. */
struct want {
    struct type *t;
    size_t size, align;
    int flags;
    unsigned class; /* 0: a large or huge block */
    size_t bytes;   /* usable */
    bool charged;   /* counted already */
    bool zeroed;    /* the block reads as zero already */
    struct type_told told;
};

/* ---- flags ------------------------------------------------------------------------------------ */

#define FLAGS_WAIT (M_WAITOK | M_NOWAIT | M_RNOWAIT)
#define FLAGS_ALL  (FLAGS_WAIT | M_NULLOK | M_ZERO | M_POWEROF2 | M_CACHEALIGN | M_USE_RESERVE)

static bool flags_agree(int flags)
{
    int wait = flags & FLAGS_WAIT;

    return sk_is_pow2((uintptr_t)wait) && (wait == M_WAITOK || !(flags & M_NULLOK)) &&
           !(flags & ~FLAGS_ALL);
}

const uint16_t type_hit_max[TYPE_FLAGS_END] = {
    [M_WAITOK] = KM_FINE_MAX,
    [M_WAITOK | M_NULLOK] = KM_FINE_MAX,
    [M_RNOWAIT] = KM_FINE_MAX,
    [M_NOWAIT] = KM_FINE_MAX,
};

static bool may_wait(int flags)
{
    return (flags & (M_WAITOK | M_NULLOK)) == M_WAITOK;
}

static void want_shape(struct want *w)
{
    if (w->flags & M_CACHEALIGN) {
        w->align = sk_max(w->align, SK_CACHE_LINE);
        w->size = sk_align_up(w->size, SK_CACHE_LINE);
    }
    if (w->flags & M_POWEROF2) {
        w->size = (size_t)1 << sk_log2_ceil(w->size);
        w->align = sk_max(w->align, sk_min(w->size, POWER_ALIGN_MAX));
    }
    w->class = km_class_for(w->size, w->align);
    w->bytes = w->class ? km_caches[w->class].pc_geom.size : large_bytes_for(w->size);
}

/* ---- allocate --------------------------------------------------------------------------------- */

/* What is at hand, without a system call. */
static void *block_at_hand(struct want *w, struct pcpu_cache *c)
{
    void *p;

    plat_request()->refuse++;
    p = c ? pcpu_alloc_slow(c) : large_alloc(w->size, w->align, &w->zeroed);
    plat_request()->refuse--;
    return p;
}

/* Inside plat_enter. */
static void *want_block(struct want *w)
{
    struct pcpu_cache *c = w->class ? type_cache(w->t, w->class) : NULL;
    void *p = c ? plat_slot_pop_retry(c->pc_geom.kind) : NULL;

    if (p || (w->class && !c))
        return p;
    if (w->flags & M_NOWAIT)
        return block_at_hand(w, c);
    return km_block(w->size, w->align, c, &w->zeroed);
}

/* A block of a tracked type that could have no tag would be a stranger when it is freed. */
static void *want_taggable(struct want *w, void *p, bool entered)
{
    if (!p || !(w->t->t_flags & MT_TRACK) || tracked_ready(p, entered))
        return p;
    km_free(p);
    return NULL;
}

/* What it costs is what it has, also in the arena. */
static SK_COLD void *want_nested(struct want *w)
{
    void *p;

    if (!w->charged && !type_charge_nested(w->t, w->bytes, w->class, w->flags))
        return NULL;
    p = nested_alloc(w->bytes, w->align, w->class ? w->t->t_idx[w->class] : 0);
    p = want_taggable(w, p, false);
    if (!p)
        type_uncharge_nested(w->t, w->bytes);
    return p;
}

enum outcome {
    GOT,
    NO_ROOM,
    NO_MEMORY,
    NESTED /* nothing without a wait, and no wait where this comes from */
};

static enum outcome want_entered(struct want *w, void **p)
{
    if (!w->charged && !type_charge(w->t, w->bytes, w->class, w->flags, &w->told))
        return NO_ROOM;
    *p = want_taggable(w, want_block(w), true);
    if (*p)
        return GOT;
    type_uncharge(w->t, w->bytes);
    return NO_MEMORY;
}

static enum outcome want_once(struct want *w, void **p)
{
    enum outcome out;

    if (SK_UNLIKELY(!plat_enter())) {
        *p = want_nested(w);
        out = *p ? GOT : NESTED;
    } else {
        out = want_entered(w, p);
        plat_leave();
        nested_run_deferred();
    }
    w->charged = false;
    return out;
}

/* Objects are of the range only; a block as large may be had outside of it. */
static enum outcome want_large(struct want *w, void **p)
{
    w->class = 0;
    w->bytes = large_bytes_for(w->size);
    return want_once(w, p);
}

static void tell_soft(struct want *w)
{
    struct type_told told = w->told;

    w->told.fn = NULL;
    if (told.fn)
        told.fn(w->t->t_public, told.inuse_bytes, told.arg);
}

/* Has waited as long as it should: what now? */
static bool decide_to_wait(struct want *w, const struct type_full *full)
{
    enum malloc_full what = MALLOC_FULL_PANIC;

    if (full->fn)
        what = full->fn(w->t->t_public, w->size, full->arg);
    if (what == MALLOC_FULL_PANIC)
        misuse_die(MISUSE_FULL, NULL, w->size, w->t->t_name);
    return what == MALLOC_FULL_WAIT;
}

static uint64_t now_ms(void)
{
    return plat_clock_ns() / 1000000;
}

static void wait_a_while(struct want *w, enum outcome why, uint64_t left_ms)
{
    if (why == NO_ROOM)
        type_wait(w->t, w->bytes, w->flags, (unsigned)sk_min(left_ms, UINT32_MAX));
    else
        plat_wait(&w->t->t_seq, sk_load_relaxed(&w->t->t_seq),
                  (unsigned)sk_min(left_ms, NO_MEMORY_POLL_MS));
}

static SK_COLD void *want_waiting(struct want *w, enum outcome why)
{
    struct type_full full = type_get_full(w->t);
    uint64_t end = now_ms() + full.wait_ms;
    void *p = NULL;

    while (why != GOT) {
        uint64_t now = now_ms();

        if (now >= end) {
            if (!decide_to_wait(w, &full))
                return NULL;
            full = type_get_full(w->t);
            end = now + full.wait_ms;
        }
        wait_a_while(w, why, sk_max(end - now, 1));
        why = want_once(w, &p);
    }
    return p;
}

static void *want_get(struct want *w)
{
    void *p = NULL;
    enum outcome out = want_once(w, &p);

    if (out == NO_MEMORY && w->class > KM_CLASSES && w->t->t_flags == 0)
        out = want_large(w, &p);
    if (out == GOT)
        return p;
    if (!may_wait(w->flags))
        return NULL;
    if (out == NESTED)
        misuse_die(MISUSE_NESTED, NULL, 0, w->t->t_name);
    sk_add_relaxed(&w->t->t_waits, 1);
    return want_waiting(w, out);
}

void *type_alloc(struct type *t, size_t size, size_t align, int flags, bool charged,
                 const void *site)
{
    struct want w = {.t = t, .size = size, .align = align, .flags = flags, .charged = charged};
    void *p;

    if (SK_UNLIKELY(!flags_agree(flags)))
        misuse_die(MISUSE_FLAGS, NULL, (size_t)(unsigned)flags, t->t_name);
    if (SK_UNLIKELY(size == 0))
        return KMALLOC_ZERO;
    if (SK_UNLIKELY(size > KM_SIZE_MAX / 2 || align > KM_SIZE_MAX / 2)) {
        sk_add_relaxed(&t->t_failures, 1);
        return NULL;
    }
    want_shape(&w);
    p = want_get(&w);
    tell_soft(&w);
    if (p && (t->t_flags & MT_TRACK))
        tracked_alloc(t, p, site);
    if (SK_UNLIKELY(!p))
        sk_add_relaxed(&t->t_failures, 1);
    else if ((flags & M_ZERO) && !w.zeroed)
        __builtin_memset(p, 0, size);
    return p;
}

/* ---- free ------------------------------------------------------------------------------------- */

/* An object of a kmem_cache came to the wrong door. */
static SK_NOINLINE void check_door(const void *p)
{
    const struct pcpu_cache *c = region_index(p) ? pcpu_cache_at(region_index(p)) : NULL;

    if (c && c->pc_owner)
        misuse_die(MISUSE_TYPE_OTHER, p, 0, c->pc_geom.name);
}

void type_free(struct type *t, void *p)
{
    if (!p || p == KMALLOC_ZERO)
        return;
    check_door(p);
    tracked_free(t, p);
    type_discharge(t, km_usable(p, "kfree"));
    km_free(p);
}

/* ---- resize ----------------------------------------------------------------------------------- */

static void zero_above(void *p, size_t from, int flags)
{
    size_t usable = km_usable(p, "krealloc");

    if ((flags & M_ZERO) && usable > from)
        __builtin_memset((char *)p + from, 0, usable - from);
}

/* A large block in place: charged as a new one, the old one discharged. */
SK_COLD void *type_resize_large(struct type *t, void *p, size_t old, size_t size, int flags)
{
    struct want w = {
        .t = t, .size = size, .align = 1, .flags = flags & ~(M_CACHEALIGN | M_POWEROF2)};
    void *q = NULL;

    want_shape(&w);
    if (w.class || !plat_enter())
        return NULL;
    if (type_charge(t, w.bytes, 0, flags, &w.told)) {
        q = large_resize(p, size);
        if (!q)
            type_uncharge(t, w.bytes);
    }
    plat_leave();
    if (q)
        type_discharge(t, old);
    tell_soft(&w);
    return q;
}

static void *resize_by_copy(struct type *t, void *p, size_t old, size_t size, int flags,
                            const void *site)
{
    void *q = type_alloc(t, size, 1, flags & ~M_ZERO, false, site);

    if (!q)
        return NULL;
    __builtin_memcpy(q, p, sk_min(old, size));
    type_free(t, p);
    return q;
}

void *type_realloc(struct type *t, void *p, size_t size, int flags, const void *site)
{
    size_t old = km_usable(p, "krealloc");
    bool shaped = (flags & (M_CACHEALIGN | M_POWEROF2)) != 0;
    void *q = NULL;

    if (SK_UNLIKELY(!flags_agree(flags)))
        misuse_die(MISUSE_FLAGS, NULL, (size_t)(unsigned)flags, t->t_name);
    check_door(p);
    if (!shaped && km_fits_in_place(p, old, size))
        return p;
    if (!shaped && !(t->t_flags & MT_TRACK) && !region_index(p) && size > KM_SMALL_MAX &&
        size <= KM_SIZE_MAX / 2)
        q = type_resize_large(t, p, old, size, flags);
    if (!q)
        q = resize_by_copy(t, p, old, size, flags, site);
    if (q && size > old)
        zero_above(q, old, flags);
    /* Shrinking cannot fail: the old block serves. */
    return q || size > old ? q : p;
}

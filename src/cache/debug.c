/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: the life of an object of a debug cache: its state, and what is checked and painted at each step. See debug.h.
 * Below: debug_paint.c, debug_track.c, debug_report.c.
 * Invariants:
 *       MADE -> BUILT (with a constructor) -> TAKEN -> LIVE -> LEAVING -> FREE -> TAKEN -> LIVE ...
 *       MADE, BUILT or FREE -> SEEN -> the same again: somebody looks at it
 *       FREE, P, no constructor => the object reads as freed poison
 *       BUILT or FREE, P, constructor => the record's digests are the object's
 * Concurrency: LIVE -> LEAVING is a compare-and-swap: one of two frees at once has it. So are -> TAKEN and -> SEEN:
 *       alloc and verify do not look at an object, or paint it, at once.
 */
#include "cache/debug_internal.h"

#define ZONE_BYTES 16u /* at least, on each side */

/* ---- layout ------------------------------------------------------------------------------------ */

static SK_START void lay_out(struct kmem_debug *d, size_t align, unsigned flags)
{
    size_t zone = flags & KMEM_REDZONE ? ZONE_BYTES : 0;

    d->flags = flags;
    d->object_off = flags & KMEM_DEBUG ? sk_align_up(debug_head_bytes(d) + zone, align) : 0;
    d->stride = sk_align_up(d->object_off + d->size + zone, align);
}

SK_START size_t kmem_debug_layout(struct kmem_debug *d, size_t size, size_t align, unsigned flags)
{
    align = sk_max(align, sizeof(void *));
    if (flags & KMEM_TYPESAFE)
        flags &= ~KMEM_POISON;
    d->size = size;
    lay_out(d, align, flags & (KMEM_DEBUG | KMEM_TRACE));
    if (d->stride > SLAB_OBJ_MAX)
        lay_out(d, align, flags & KMEM_TRACE);
    return d->stride;
}

_Static_assert(offsetof(struct debug_record, link) == 0, "where the slab layer puts its links");

/* ---- state ------------------------------------------------------------------------------------- */

static const uint64_t state_words[] = {
    [DEBUG_MADE] = 0x6d61646500000001ull, [DEBUG_BUILT] = 0x6275696c74000002ull,
    [DEBUG_LIVE] = 0x6c69766500000003ull, [DEBUG_LEAVING] = 0x6c65617665000004ull,
    [DEBUG_FREE] = 0x6672656500000005ull, [DEBUG_TAKEN] = 0x74616b656e000006ull,
    [DEBUG_SEEN] = 0x7365656e00000007ull,
};

static uint64_t state_word(const void *raw, enum debug_state state)
{
    return state_words[state] ^ (uint64_t)(uintptr_t)raw << 8;
}

static enum debug_state state_of_word(const void *raw, uint64_t word)
{
    for (enum debug_state s = DEBUG_MADE; s <= DEBUG_SEEN; s++)
        if (word == state_word(raw, s))
            return s;
    return DEBUG_DAMAGED;
}

static enum debug_state state_get(const void *raw)
{
    return state_of_word(raw, sk_load_relaxed(&debug_record(raw)->state));
}

/* Release: what was painted, to who takes the object next or looks at it. */
static void state_set(void *raw, enum debug_state state)
{
    sk_store_release(&debug_record(raw)->state, state_word(raw, state));
}

/* The state it had; LEAVING now if that was LIVE, else unchanged. */
static enum debug_state state_leave(void *raw)
{
    uint64_t old = state_word(raw, DEBUG_LIVE);

    /* Relaxed: it decides between two frees, and publishes nothing. */
    if (sk_cas_relaxed(&debug_record(raw)->state, &old, state_word(raw, DEBUG_LEAVING)))
        return DEBUG_LIVE;
    return state_of_word(raw, old);
}

static bool state_is_free(enum debug_state state)
{
    return state == DEBUG_MADE || state == DEBUG_BUILT || state == DEBUG_FREE;
}

/* A free object is the caller's now, as TAKEN or SEEN. The state it had; any other is left alone, but that of somebody who
 * only looks is waited for. */
static enum debug_state state_claim(void *raw, enum debug_state claim)
{
    uint64_t word = sk_load_relaxed(&debug_record(raw)->state);
    enum debug_state state;

    for (;;) {
        state = state_of_word(raw, word);
        if (state == DEBUG_SEEN) {
            plat_yield();
            word = sk_load_relaxed(&debug_record(raw)->state);
            continue;
        }
        /* Acquire: see state_set. */
        if (!state_is_free(state) ||
            sk_cas_acquire(&debug_record(raw)->state, &word, state_word(raw, claim)))
            return state;
    }
}

bool kmem_debug_live(const void *raw)
{
    return state_get(raw) == DEBUG_LIVE;
}

/* ---- damage ------------------------------------------------------------------------------------ */

static bool find_zone(const struct kmem_debug *d, const void *raw, struct debug_damage *out)
{
    return d->flags & KMEM_REDZONE &&
           (debug_find_overrun(d, raw, out) || debug_find_underrun(d, raw, out));
}

/* Was a free object written to? */
static bool find_use(const struct kmem_debug *d, const void *raw, bool constructed,
                     enum debug_state state, struct debug_damage *out)
{
    if (!(d->flags & KMEM_POISON))
        return false;
    if (!constructed)
        return debug_find_poison(d, raw, out);
    return (state == DEBUG_BUILT || state == DEBUG_FREE) && debug_find_change(d, raw, out);
}

static void check_zones(const struct debug_scene *s)
{
    struct debug_damage damage;

    if (SK_UNLIKELY(find_zone(s->d, s->raw, &damage)))
        debug_die_damaged(s, &damage);
}

/* Of an object in this state, TAKEN now if that was a free one. */
static void check_free_object(const struct debug_scene *s, enum debug_state state)
{
    struct debug_damage damage = {.what = DEBUG_RECORD};

    check_zones(s);
    if (SK_UNLIKELY(find_use(s->d, s->raw, s->constructed, state, &damage)))
        debug_die_damaged(s, &damage);
    if (s->d->flags & KMEM_CONSISTENCY && SK_UNLIKELY(!state_is_free(state)))
        debug_die_damaged(s, &damage);
}

/* ---- the steps --------------------------------------------------------------------------------- */

void kmem_debug_made(const struct kmem_debug *d, const char *name, void *raw)
{
    (void)name;
    if (!(d->flags & KMEM_DEBUG))
        return;
    __builtin_memset(raw, 0, debug_head_bytes(d));
    if (d->flags & KMEM_REDZONE)
        debug_paint_zones(d, raw);
    if (d->flags & KMEM_POISON)
        debug_paint_freed(d, raw);
    state_set(raw, DEBUG_MADE);
}

void kmem_debug_constructed(const struct kmem_debug *d, const char *name, void *raw)
{
    struct debug_scene s = {d, name, raw, NULL, true};

    if (!(d->flags & KMEM_DEBUG))
        return;
    check_zones(&s);
    if (d->flags & KMEM_POISON)
        debug_remember(d, raw);
    state_set(raw, DEBUG_BUILT);
}

void kmem_debug_alloc(const struct kmem_debug *d, const char *name, void *raw, bool constructed,
                      void *caller)
{
    struct debug_scene s = {d, name, raw, caller, constructed};

    if (d->flags & KMEM_DEBUG) {
        check_free_object(&s, state_claim(raw, DEBUG_TAKEN));
        if (d->flags & KMEM_POISON && !constructed)
            debug_paint_fresh(d, raw);
        if (d->flags & KMEM_STORE_USER)
            debug_track_now(&debug_history(raw)->alloc, caller);
        state_set(raw, DEBUG_LIVE);
    }
    if (d->flags & KMEM_TRACE)
        debug_trace(&s, "alloc");
}

static enum misuse misuse_of_state(enum debug_state state)
{
    return state == DEBUG_MADE || state == DEBUG_BUILT ? MISUSE_NEVER : MISUSE_DOUBLE;
}

static void leave(const struct debug_scene *s)
{
    static const struct debug_damage damage = {.what = DEBUG_RECORD};
    enum debug_state was = state_leave(s->raw);

    if (was == DEBUG_LIVE)
        return;
    if (!(s->d->flags & KMEM_CONSISTENCY))
        state_set(s->raw, DEBUG_LEAVING);
    else if (was == DEBUG_DAMAGED)
        debug_die_damaged(s, &damage);
    else
        debug_die_misused(s, misuse_of_state(was), kmem_debug_object(s->d, s->raw));
}

static void paint_freed(const struct debug_scene *s)
{
    if (!(s->d->flags & KMEM_POISON))
        return;
    if (s->constructed)
        debug_remember(s->d, s->raw);
    else
        debug_paint_freed(s->d, s->raw);
}

void kmem_debug_free(const struct kmem_debug *d, const char *name, void *raw, bool constructed,
                     void *caller)
{
    struct debug_scene s = {d, name, raw, caller, constructed};

    if (d->flags & KMEM_TRACE)
        debug_trace(&s, "free");
    if (!(d->flags & KMEM_DEBUG))
        return;
    leave(&s);
    check_zones(&s);
    if (d->flags & KMEM_STORE_USER)
        debug_track_now(&debug_history(raw)->free, caller);
    paint_freed(&s);
    state_set(raw, DEBUG_FREE);
}

void kmem_debug_gone(const struct kmem_debug *d, const char *name, void *raw, bool constructed)
{
    struct debug_scene s = {d, name, raw, NULL, constructed};

    if (d->flags & KMEM_DEBUG)
        check_free_object(&s, state_claim(raw, DEBUG_TAKEN));
}

/* ---- addresses ----------------------------------------------------------------------------------- */

/* The raw object that holds this address of a slab. */
static void *raw_around(const struct slab *slab, const void *p)
{
    size_t off = (size_t)((const char *)p - slab->sl_first);

    return slab->sl_first + off / slab->sl_geom->size * slab->sl_geom->size;
}

void *kmem_debug_raw(const struct kmem_debug *d, const struct slab_geom *g, void *obj, void *caller)
{
    struct slab *slab = region_info(obj)->slab;
    void *raw = (char *)obj - d->object_off;
    enum misuse fault = slab_check(slab, raw);
    struct debug_scene s = {.d = d, .name = g->name, .caller = caller};

    if (SK_LIKELY(fault == MISUSE_KINDS))
        return raw;
    if (fault == MISUSE_INTERIOR && d->flags & KMEM_DEBUG)
        s.raw = raw_around(slab, raw);
    debug_die_misused(&s, fault, obj);
}

_Noreturn void kmem_debug_misuse(const struct kmem_debug *d, enum misuse what, const void *p,
                                 const char *name, void *caller)
{
    struct debug_scene s = {.d = d, .name = name, .caller = d->flags ? caller : NULL};

    debug_die_misused(&s, what, p);
}

/* ---- looking in -------------------------------------------------------------------------------- */

static unsigned tell(const struct kmem_debug *d, const char *name, const void *raw,
                     const struct debug_damage *damage, void (*fault)(const char *line))
{
    char line[MISUSE_LINE_BYTES];
    struct text t;

    text_init(&t, line, sizeof(line));
    debug_word_damage(&t, d, name, raw, damage);
    fault(text_end(&t));
    return 1;
}

static unsigned verify_zones(const struct kmem_debug *d, const char *name, const void *raw,
                             void (*fault)(const char *line))
{
    struct debug_damage damage;
    unsigned faults = 0;

    if (!(d->flags & KMEM_REDZONE))
        return 0;
    if (debug_find_overrun(d, raw, &damage))
        faults += tell(d, name, raw, &damage, fault);
    if (debug_find_underrun(d, raw, &damage))
        faults += tell(d, name, raw, &damage, fault);
    return faults;
}

/* What is neither free nor damaged is its user's. */
static unsigned verify_free(const struct kmem_debug *d, const char *name, void *raw,
                            bool constructed, void (*fault)(const char *line))
{
    enum debug_state state = state_claim(raw, DEBUG_SEEN);
    struct debug_damage damage = {.what = DEBUG_RECORD};
    unsigned faults = 0;

    if (state == DEBUG_DAMAGED)
        return tell(d, name, raw, &damage, fault);
    if (!state_is_free(state))
        return 0;
    if (find_use(d, raw, constructed, state, &damage))
        faults = tell(d, name, raw, &damage, fault);
    state_set(raw, state);
    return faults;
}

unsigned kmem_debug_verify(const struct kmem_debug *d, const char *name, void *raw,
                           bool constructed, void (*fault)(const char *line))
{
    if (!(d->flags & KMEM_DEBUG))
        return 0;
    return verify_free(d, name, raw, constructed, fault) + verify_zones(d, name, raw, fault);
}

void kmem_debug_owner(const struct kmem_debug *d, const void *raw, char *out, size_t bytes)
{
    struct text t;

    text_init(&t, out, bytes);
    if (d->flags & KMEM_STORE_USER && debug_history(raw)->alloc.depth) {
        const struct debug_track *track = &debug_history(raw)->alloc;

        text_address(&t, kmem_debug_object(d, raw));
        text_str(&t, " allocated by ");
        debug_word_place(&t, track->pcs[0]);
        text_str(&t, ", ");
        debug_word_track(&t, track);
    }
    text_end(&t);
}

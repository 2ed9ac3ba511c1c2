/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: kmalloc and its family as programs call them: the hit paths, and the start before the slow
 *       ones.
 * Below: kmalloc/types.h for everything; start.
 *
 *     kmalloc -> charge, pop              -> (miss) kmalloc_slow -> ctl_start, type_alloc -> ctl_poke
 *     kfree   -> discharge, push          -> (miss) kfree_slow   -> type_free             -> ctl_poke
 *
 * Failure: NULL with ENOMEM; EINVAL for a bad alignment. kfree keeps errno.
 * Why: here and not in the layer kmalloc, because the first call starts the engine.
 */
#include "base/text.h"
#include "ctl/start.h"
#include "kmalloc/types.h"

#include <errno.h>
#include <string.h>

#define ALIGN_MAX ((size_t)1 << 30)

/* NULL: not started, or no memory for it. */
static struct type *type_of(struct malloc_type *type)
{
    struct type *t = sk_load_acquire((struct type **)&type->mt_type);

    if (SK_LIKELY(t != NULL) || !ctl_start() || !plat_enter())
        return t;
    t = type_attach(type);
    plat_leave();
    return t;
}

static void *enomem(void *p)
{
    if (SK_UNLIKELY(!p))
        errno = ENOMEM;
    return p;
}

/* ---- allocate --------------------------------------------------------------------------------- */

static void *alloc_from(size_t size, size_t align, struct malloc_type *type, int flags,
                        bool charged, const void *site)
{
    struct type *t = type_of(type);
    void *p = t ? type_alloc(t, size, align, flags, charged, site) : NULL;

    ctl_poke();
    return enomem(p);
}

/* Functions that programs call jump to these, at their end: so the return address is theirs. */
#define CALLER __builtin_return_address(0)

static SK_NOINLINE void *alloc_slow(size_t size, size_t align, struct malloc_type *type, int flags)
{
    return alloc_from(size, align, type, flags, false, CALLER);
}

/* What the hit path of kmalloc leaves: the array was empty, the object is counted; or nothing was done.
 * Two functions, so that no compiler carries the difference along the hit. */
static SK_NOINLINE void *kmalloc_charged(size_t size, struct malloc_type *type, int flags)
{
    return alloc_from(size, 1, type, flags, true, CALLER);
}

static SK_NOINLINE void *kmalloc_slow(size_t size, struct malloc_type *type, int flags)
{
    return alloc_from(size, 1, type, flags, false, CALLER);
}

/* Charged first: then fewer values are alive across the sections, and none is saved on the stack. */
SK_EXPORT void *kmalloc(size_t size, struct malloc_type *type, int flags)
{
    struct type *t = sk_load_acquire((struct type **)&type->mt_type);
    unsigned class;
    void *p;

    if (!type_may_hit(size, flags) || SK_UNLIKELY(!t))
        return kmalloc_slow(size, type, flags);
    class = type_class_fine(size);
    if (SK_UNLIKELY(!type_charge_hit(t, class)))
        return kmalloc_slow(size, type, flags);
    p = pcpu_alloc_hit(class);
    return SK_LIKELY(p != NULL) ? p : kmalloc_charged(size, type, flags);
}

SK_EXPORT void *kzalloc(size_t size, struct malloc_type *type, int flags)
{
    return alloc_slow(size, 1, type, flags | M_ZERO);
}

SK_EXPORT void *kmalloc_array(size_t n, size_t size, struct malloc_type *type, int flags)
{
    size_t bytes;

    if (__builtin_mul_overflow(n, size, &bytes))
        return enomem(NULL);
    return kmalloc(bytes, type, flags);
}

SK_EXPORT void *kmalloc_aligned(size_t size, size_t align, struct malloc_type *type, int flags)
{
    if (!sk_is_pow2(align) || align > ALIGN_MAX) {
        errno = EINVAL;
        return NULL;
    }
    return alloc_slow(size, align, type, flags);
}

/* ---- free ------------------------------------------------------------------------------------- */

static SK_NOINLINE void kfree_slow(void *p, struct malloc_type *type)
{
    struct type *t;

    if (!p || p == KMALLOC_ZERO)
        return;
    t = type_of(type);
    if (t)
        type_free(t, p);
    else
        km_free(p);
    ctl_poke();
}

static SK_NOINLINE void kfree_full(void *p)
{
    km_free_slow(p);
    ctl_poke();
}

SK_EXPORT void kfree(void *p, struct malloc_type *type)
{
    struct type *t = sk_load_acquire((struct type **)&type->mt_type);
    uint32_t kind = region_kind(p);

    if (SK_UNLIKELY(!t) || SK_UNLIKELY(!type_discharge_hit(t, PLAT_KIND_INDEX(kind))))
        kfree_slow(p, type);
    else if (SK_UNLIKELY(!plat_slot_push(kind, p)))
        kfree_full(p);
}

SK_EXPORT void kfree_sized(void *p, size_t size, struct malloc_type *type)
{
    if (p && p != KMALLOC_ZERO)
        km_check_sized(p, size, 0);
    kfree(p, type);
}

SK_EXPORT size_t kmalloc_usable_size(const void *p)
{
    return p && p != KMALLOC_ZERO ? km_usable(p, "kmalloc_usable_size") : 0;
}

/* ---- resize ----------------------------------------------------------------------------------- */

SK_EXPORT void *krealloc(void *p, size_t size, struct malloc_type *type, int flags)
{
    struct type *t = type_of(type);

    if (!p || p == KMALLOC_ZERO)
        return alloc_slow(size, 1, type, flags);
    if (size == 0) {
        kfree(p, type);
        return KMALLOC_ZERO;
    }
    p = t ? type_realloc(t, p, size, flags, CALLER) : NULL;
    ctl_poke();
    return enomem(p);
}

/* Not left out by the compiler although nobody reads it. */
static void clear(void *p, size_t bytes)
{
    memset(p, 0, bytes);
    __asm__ volatile("" : : "r"(p) : "memory");
}

static void *krecalloc_move(void *p, size_t old_bytes, size_t bytes, struct malloc_type *type,
                            int flags)
{
    void *q = alloc_slow(bytes, 1, type, flags | M_ZERO);

    if (!q)
        return NULL;
    if (old_bytes)
        memcpy(q, p, sk_min(old_bytes, bytes));
    clear(p, old_bytes);
    kfree(p, type);
    return q;
}

SK_EXPORT void *krecalloc(void *p, size_t old_n, size_t n, size_t size, struct malloc_type *type,
                          int flags)
{
    size_t old_bytes, bytes;

    if (__builtin_mul_overflow(n, size, &bytes))
        return enomem(NULL);
    if (!p || p == KMALLOC_ZERO)
        return alloc_slow(bytes, 1, type, flags | M_ZERO);
    if (__builtin_mul_overflow(old_n, size, &old_bytes) || old_bytes > km_usable(p, "krecalloc")) {
        errno = EINVAL;
        return NULL;
    }
    return krecalloc_move(p, old_bytes, bytes, type, flags);
}

/* ---- types ------------------------------------------------------------------------------------ */

SK_EXPORT void malloc_type_attach(struct malloc_type *type)
{
    type_of(type);
}

SK_EXPORT void malloc_type_detach(struct malloc_type *type)
{
    if (km_started() && plat_enter()) {
        type_detach(type);
        plat_leave();
    }
}

static int errno_of(enum type_error error)
{
    switch (error) {
    case TYPE_INVALID:
        return EINVAL;
    case TYPE_NO_ID:
        return ENOSPC;
    default:
        return ENOMEM;
    }
}

SK_EXPORT struct malloc_type *malloc_type_create(const char *name, const char *desc, unsigned flags)
{
    enum type_error error = TYPE_NO_MEMORY;
    struct type *t = NULL;

    if (ctl_start() && plat_enter()) {
        t = type_make(name, desc, flags, &error);
        plat_leave();
    }
    if (!t) {
        errno = errno_of(error);
        return NULL;
    }
    t->t_own = (struct malloc_type){t->t_name, t->t_desc, flags, 0, t};
    t->t_public = &t->t_own;
    return &t->t_own;
}

static void tell(const char *name, const struct malloc_type_stats *s, const void *site)
{
    char line[160];
    struct text t;

    text_init(&t, line, sizeof(line));
    text_str(&t, "slabkit: type ");
    text_str(&t, name);
    text_str(&t, site ? ": " : " is not destroyed: ");
    text_number(&t, s->inuse);
    text_str(&t, " blocks, ");
    text_number(&t, s->memuse);
    text_str(&t, " bytes in use");
    if (site) {
        text_str(&t, " from ");
        text_address(&t, site);
    }
    text_char(&t, '\n');
    text_end(&t);
    plat_write_err(line, text_len(&t));
}

static void tell_sites(struct type *t)
{
    struct malloc_type_stats s;

    for (struct type *at = sk_load_acquire(&t->t_sites); at; at = at->t_next_site) {
        type_stats(at, &s);
        if (s.inuse)
            tell(t->t_name, &s, at->t_site);
    }
}

/* Inside plat_enter. */
static bool destroy(struct type *t)
{
    struct malloc_type_stats s;

    type_stats(t, &s);
    if (s.inuse || s.memuse) {
        tell(t->t_name, &s, NULL);
        tell_sites(t);
        return false;
    }
    type_unmake(t);
    return true;
}

SK_EXPORT int malloc_type_destroy(struct malloc_type *type)
{
    bool done = false;

    if (plat_enter()) {
        done = destroy(type->mt_type);
        plat_leave();
    }
    if (!done)
        errno = EBUSY;
    return done ? 0 : -1;
}

SK_EXPORT struct malloc_type *malloc_type_find(const char *name)
{
    struct type *t = km_started() ? type_named(name) : NULL;

    return t ? t->t_public : NULL;
}

/* ---- limits, figures -------------------------------------------------------------------------- */

SK_EXPORT size_t kmalloc_limit(struct malloc_type *type)
{
    struct type *t = type_of(type);

    return t ? (size_t)sk_load_relaxed(&t->t_limit) : KMALLOC_NO_LIMIT;
}

SK_EXPORT void kmalloc_raise_limit(struct malloc_type *type, size_t bytes)
{
    struct type *t = type_of(type);

    if (t && plat_enter()) {
        type_set_limit(t, bytes);
        plat_leave();
    }
}

SK_EXPORT void kmalloc_soft_limit(struct malloc_type *type, size_t bytes, malloc_soft_fn *fn,
                                  void *arg)
{
    struct type *t = type_of(type);

    if (t && plat_enter()) {
        type_set_soft(t, bytes, fn, arg);
        plat_leave();
    }
}

SK_EXPORT void kmalloc_on_full(struct malloc_type *type, unsigned wait_ms, malloc_full_fn *fn,
                               void *arg)
{
    struct type *t = type_of(type);

    if (t && plat_enter()) {
        type_set_full(t, wait_ms, fn, arg);
        plat_leave();
    }
}

SK_EXPORT void malloc_type_stats(struct malloc_type *type, struct malloc_type_stats *out)
{
    struct type *t = type_of(type);

    memset(out, 0, sizeof(*out));
    if (t && plat_enter()) {
        type_stats(t, out);
        plat_leave();
    }
}

static bool stats_at(unsigned id, struct malloc_type_stats *out)
{
    bool there;

    if (!plat_enter())
        return false;
    there = types_stats(id, out);
    plat_leave();
    return there;
}

SK_EXPORT size_t slabkit_types(struct malloc_type_stats *out, size_t n)
{
    struct malloc_type_stats s;
    size_t found = 0;

    for (unsigned id = 1; km_started() && id < types_end(); id++) {
        if (!stats_at(id, &s))
            continue;
        if (found < n)
            out[found] = s;
        found++;
    }
    return found;
}

SK_EXPORT void malloc_type_iterate(int (*fn)(const struct malloc_type_stats *stats, void *arg),
                                   void *arg)
{
    struct malloc_type_stats s;

    for (unsigned id = 1; km_started() && id < types_end(); id++)
        if (stats_at(id, &s) && fn(&s, arg))
            return;
}

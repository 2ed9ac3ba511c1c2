/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: allocation and free of objects: the hit paths, and what is left when they miss.
 * Below: pcpu; spare.c; debug.h.
 *
 *     kmem_cache_alloc                              kmem_cache_free
 *       pop of my slot's array         hit            page map: this cache's index?
 *       M_ZERO, or empty: alloc_rest                  push on my slot's array       hit
 *         a failure is to be injected                 full, or another index: free_rest
 *         an object of arrays, slabs, the region        debug cache: checks, marks
 *         all that is free given back, and again        the reserve, if it is not full
 *         reclaim(), and again                          pcpu's slow path
 *         the reserve
 *         debug cache: checks, marks
 *
 * Concurrency: any number of threads, and handlers at any instruction: who cannot enter is served by pcpu/nested.c.
 * Failure: NULL with errno; free never fails.
 */
#include "cache/internal.h"

/* ---- misuse ----------------------------------------------------------------------------------- */

_Noreturn SK_COLD void kmem_die_nested(const char *name)
{
    misuse_die(MISUSE_NESTED, NULL, 0, name);
}

static const char *name_of_index(unsigned idx)
{
    const struct pcpu_cache *pc = pcpu_cache_at(idx);

    return idx && pc ? pc->pc_geom.name : NULL;
}

/* Both names in the one place that the line has for them. */
static _Noreturn SK_COLD void die_other_cache(const struct kmem_cache *c, const void *obj,
                                              void *caller)
{
    const char *owner = name_of_index(region_index(obj));
    char names[2 * KMEM_NAME_BYTES + 16];
    struct text t;

    if (!owner)
        kmem_debug_misuse(&c->kc_debug, MISUSE_CACHE, obj, c->kc_name, caller);
    text_init(&t, names, sizeof(names));
    text_str(&t, owner);
    text_str(&t, ", to ");
    text_str(&t, c->kc_name);
    kmem_debug_misuse(&c->kc_debug, MISUSE_OTHER_CACHE, obj, text_end(&t), caller);
}

void kmem_check_owner(const struct kmem_cache *c, const void *obj)
{
    if (SK_UNLIKELY(region_index(obj) != c->kc_index))
        die_other_cache(c, obj, __builtin_return_address(0));
}

void kmem_enter(const struct kmem_cache *c)
{
    if (SK_UNLIKELY(!plat_enter()))
        kmem_die_nested(c->kc_name);
}

bool kmem_try_enter(const struct kmem_cache *c)
{
    return !kmem_calling_back(c) && plat_enter();
}

/* ---- allocate --------------------------------------------------------------------------------- */

/* A free object of a debug cache may be under the eyes of the very code that was interrupted. */
static SK_COLD void *alloc_nested(struct kmem_cache *c)
{
    return kmem_has_debug(c) ? NULL : pcpu_alloc_nested(&c->kc_pcpu);
}

static void *alloc_once(struct kmem_cache *c)
{
    void *raw;

    plat_request()->error = 0;
    if (SK_UNLIKELY(!kmem_try_enter(c)))
        return alloc_nested(c);
    raw = pcpu_alloc_slow(&c->kc_pcpu);
    kmem_leave();
    return raw;
}

#define DEFERRED_TRIES 16u

static SK_COLD void give_all_back(struct kmem_cache *c)
{
    kmem_enter(c);
    pcpu_drain_all();
    kmem_leave();
    kmem_defer_go_on(DEFERRED_TRIES);
    kmem_enter(c);
    pcpu_drain_all();
    region_reap(0, true);
    kmem_leave();
}

/* What a constructor said is not about memory that we could give back. */
static SK_COLD void *alloc_patiently(struct kmem_cache *c, int flags)
{
    void *raw = alloc_once(c);

    if (raw || !kmem_may_wait(flags))
        return raw;
    if (plat_request()->error == 0) {
        give_all_back(c);
        raw = alloc_once(c);
    }
    if (!raw && c->kc_reclaim) {
        c->kc_reclaim(c->kc_priv);
        raw = alloc_once(c);
    }
    return raw;
}

void *kmem_raw_alloc(struct kmem_cache *c, int flags, int *error)
{
    struct plat_request *rq = plat_request(), before = *rq;
    void *raw = NULL;

    rq->refuse += (flags & M_NOWAIT) != 0;
    rq->flags = flags;
    rq->error = 0;
    if (!kmem_fails_now(c))
        raw = alloc_patiently(c, flags);
    *error = rq->error ? rq->error : ENOMEM;
    rq->refuse = before.refuse;
    rq->flags = before.flags;
    rq->error = before.error;
    if (!(flags & M_NOWAIT))
        kmem.hooks.poke();
    return raw;
}

static SK_NOINLINE void *alloc_slow(struct kmem_cache *c, int flags, void *caller)
{
    int error;
    void *raw = kmem_raw_alloc(c, flags, &error);

    if (SK_UNLIKELY(!raw))
        raw = kmem_reserve_take(c, flags);
    if (SK_UNLIKELY(!raw)) {
        sk_add_relaxed(&c->kc_failures, 1);
        *plat_errno() = error;
        return NULL;
    }
    if (kmem_has_debug(c))
        kmem_debug_alloc(&c->kc_debug, c->kc_name, raw, kmem_constructed(c), caller);
    return kmem_obj_of(c, raw);
}

static void *einval(void)
{
    *plat_errno() = EINVAL;
    return NULL;
}

/* The hit path found nothing. */
static SK_NOINLINE void *alloc_rest(struct kmem_cache *c, int flags, void *caller)
{
    void *obj;

    if (SK_UNLIKELY(flags & M_ZERO && c->kc_root->kc_ctor))
        return einval();
    obj = alloc_slow(c->kc_root, flags, caller);
    if (obj && flags & M_ZERO)
        __builtin_memset(obj, 0, c->kc_size);
    return obj;
}

/* It found one, to be zeroed. */
static SK_NOINLINE void *alloc_zero(struct kmem_cache *c, void *obj)
{
    if (SK_UNLIKELY(c->kc_root->kc_ctor)) {
        kmem_cache_free(c, obj);
        return einval();
    }
    return __builtin_memset(obj, 0, c->kc_size);
}

SK_EXPORT void *kmem_cache_alloc(struct kmem_cache *c, int flags)
{
    void *obj = pcpu_alloc_hit(c->kc_index);

    if (SK_UNLIKELY(!obj))
        return alloc_rest(c, flags, __builtin_return_address(0));
    return SK_UNLIKELY(flags & M_ZERO) ? alloc_zero(c, obj) : obj;
}

/* ---- free ------------------------------------------------------------------------------------- */

static void free_slow(struct kmem_cache *c, void *raw)
{
    if (SK_UNLIKELY(!kmem_try_enter(c))) {
        pcpu_free_nested(&c->kc_pcpu, raw);
        return;
    }
    pcpu_free_slow(&c->kc_pcpu, raw);
    kmem_leave();
    kmem.hooks.poke();
}

void kmem_raw_free(struct kmem_cache *c, void *raw)
{
    if (!kmem_reserve_put(c, raw))
        free_slow(c, raw);
}

static void *debug_free(struct kmem_cache *c, void *obj, void *caller)
{
    void *raw = kmem_debug_raw(&c->kc_debug, &c->kc_pcpu.pc_geom, obj, caller);

    kmem_debug_free(&c->kc_debug, c->kc_name, raw, kmem_constructed(c), caller);
    return raw;
}

static SK_NOINLINE void free_rest(struct kmem_cache *c, void *obj, void *caller)
{
    struct kmem_cache *root = c->kc_root;

    if (!obj)
        return;
    if (SK_UNLIKELY(region_index(obj) != c->kc_index))
        die_other_cache(c, obj, caller);
    if (kmem_has_debug(root))
        obj = debug_free(root, obj, caller);
    kmem_raw_free(root, obj);
}

SK_EXPORT void kmem_cache_free(struct kmem_cache *c, void *obj)
{
    uint32_t kind = region_kind(obj);

    if (SK_UNLIKELY(PLAT_KIND_INDEX(kind) != c->kc_index) ||
        SK_UNLIKELY(!plat_slot_push(kind, obj)))
        free_rest(c, obj, __builtin_return_address(0));
}

/* ---- in bulk ---------------------------------------------------------------------------------- */

static void zero_all(void **objs, size_t n, size_t bytes)
{
    SK_ROLLED
    for (size_t i = 0; i < n; i++)
        __builtin_memset(objs[i], 0, bytes);
}

static SK_COLD void undo_bulk(struct kmem_cache *c, size_t n, void **objs)
{
    int error = *plat_errno();

    kmem_cache_free_bulk(c, n, objs);
    *plat_errno() = error;
}

SK_EXPORT size_t kmem_cache_alloc_bulk(struct kmem_cache *c, int flags, size_t n, void **out)
{
    size_t got = 0;

    if (SK_UNLIKELY(flags & M_ZERO && c->kc_root->kc_ctor))
        return einval() != NULL;
    while (got < n) {
        got += plat_slot_pop_n(c->kc_index, out + got, (unsigned)sk_min(n - got, PARRAY_CAP_TUNED));
        if (got == n)
            break;
        out[got] = alloc_slow(c->kc_root, flags, __builtin_return_address(0));
        if (SK_UNLIKELY(!out[got])) {
            undo_bulk(c, got, out);
            return 0;
        }
        got++;
    }
    if (flags & M_ZERO)
        zero_all(out, n, c->kc_size);
    return n;
}

/* Two objects of one page have one owner, without a look at the page map. */
SK_INLINE bool same_page(const void *a, const void *b)
{
    return ((uintptr_t)a ^ (uintptr_t)b) < PLAT_PAGE_BYTES;
}

/* Objects from the first on that have its owner: they go to one array. */
static size_t same_kind(void *const *objs, size_t n, uint32_t kind)
{
    size_t i = 1;

    while (i < n && (same_page(objs[i], objs[i - 1]) || region_kind(objs[i]) == kind))
        i++;
    return i;
}

/* How many of them. Which slot this is may be stale: then they go to the other array of a slot. */
static size_t push_same_kind(void *const *objs, size_t n, uint32_t kind)
{
    unsigned idx = PLAT_KIND_INDEX(kind);

    if (PLAT_KIND_SLOT(kind) != plat_slot())
        idx += PLAT_FOREIGN;
    return plat_slot_push_n(idx, objs, (unsigned)sk_min(n, PARRAY_CAP_TUNED));
}

SK_EXPORT void kmem_cache_free_bulk(struct kmem_cache *c, size_t n, void **objs)
{
    for (size_t i = 0; i < n;) {
        uint32_t kind = region_kind(objs[i]);
        size_t run = same_kind(objs + i, n - i, kind), done = 0;

        if (SK_LIKELY(PLAT_KIND_INDEX(kind) == c->kc_index))
            done = push_same_kind(objs + i, run, kind);
        i += done;
        if (done == 0)
            free_rest(c, objs[i++], __builtin_return_address(0));
    }
}

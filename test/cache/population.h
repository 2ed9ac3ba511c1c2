/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: what the tests of handlers, hosted and in the kernel, share: caches of every kind and random calls on them by
 *       programs and their handlers. No object is lost, given out twice, or loses what its constructor made.
 * Owns: the caches; what was found wrong (`bad`), refused and done.
 * Concurrency: any thread and handler; the includer brings draw() and inside(kind): a counter of this thread.
 */
#ifndef SLABKIT_TEST_CACHE_POPULATION_H
#define SLABKIT_TEST_CACHE_POPULATION_H

#include "cache/cache.h"

enum kind {
    PLAIN,
    BUILT,
    SPARED,  /* with a reserve */
    SAFE,    /* some are freed deferred */
    CHECKED, /* with debug flags */
    LARGE,   /* few in a slab */
    KINDS
};

struct held {
    void *obj;
    enum kind kind;
    uint64_t v;
};

/* Of the constructed kinds. */
struct built {
    uint64_t mark;
    struct built *self;
    uint64_t user; /* 0: nobody */
};

#define BUILT_MARK 0x6275696c74ull
#define BULK       5u

static struct kmem_cache *kinds[KINDS];
static const size_t kind_bytes[KINDS] = {64, 80, 48, 96, 120, 20000};
static unsigned bad, made, unmade, refused, taken; /* atomic */

static unsigned *inside(enum kind kind);

static bool is_built(enum kind kind)
{
    return kind == BUILT || kind == SPARED || kind == SAFE;
}

static void bad_if(bool is_bad)
{
    sk_add_relaxed(&bad, is_bad);
}

/* ---- constructors: not one of a cache inside another of it, though handlers allocate at any time -------------- */

static void callback(enum kind kind)
{
    bad_if((*inside(kind))++ != 0);
    kmem_cache_free(kinds[PLAIN], kmem_cache_alloc(kinds[PLAIN], M_NOWAIT));
    (*inside(kind))--;
}

static int build(void *obj, void *priv, int flags)
{
    (void)flags;
    callback((enum kind)(uintptr_t)priv);
    *(struct built *)obj = (struct built){BUILT_MARK, obj, 0};
    sk_add_relaxed(&made, 1);
    return 0;
}

static void unbuild(void *obj, void *priv)
{
    struct built *b = obj;

    bad_if(b->mark != BUILT_MARK || b->self != b || b->user != 0);
    b->mark = 0;
    callback((enum kind)(uintptr_t)priv);
    sk_add_relaxed(&unmade, 1);
}

/* Small arrays: slow paths are the rule. */
static bool population_make(unsigned limit)
{
    for (enum kind k = 0; k < KINDS; k++) {
        struct kmem_cache_args args = {.limit = limit, .priv = (void *)(uintptr_t)k};

        if (is_built(k)) {
            args.ctor = build;
            args.dtor = unbuild;
        }
        args.reserve = k == SPARED ? 8 : 0;
        args.flags = k == SAFE ? KMEM_TYPESAFE : k == CHECKED ? KMEM_DEBUG & ~KMEM_STORE_USER : 0;
        kinds[k] = kmem_create("kind", kind_bytes[k], &args);
        if (!kinds[k])
            return false;
    }
    return true;
}

/* Nothing is held any more. How much is wrong. */
static unsigned population_end(void)
{
    struct kmem_cache_stats s;

    kmem_cache_barrier();
    for (enum kind k = KINDS; k-- > 0;) {
        kmem_cache_get_stats(kinds[k], &s);
        bad_if(s.live != 0 || s.deferred != 0 || s.reserve != (k == SPARED ? 8 : 0));
        bad_if(kmem_cache_verify(kinds[k]) != 0);
        bad_if(kmem_cache_destroy(kinds[k]) != 0);
    }
    bad_if(made != unmade);
    return bad;
}

static uint64_t nested_frees(void)
{
    uint64_t sum = 0;

    for (enum kind k = 0; k < KINDS; k++)
        sum += sk_load_relaxed(&kinds[k]->kc_pcpu.pc_nested_frees);
    return sum;
}

/* ---- objects ---------------------------------------------------------------------------------- */

/* Few: handlers that come after each instruction shall not see stamps only. */
static size_t stamped(enum kind kind)
{
    return sk_min(kind_bytes[kind], 64);
}

static void mark(enum kind kind, void *obj, uint64_t v)
{
    struct built *b = obj;

    if (!is_built(kind)) {
        __builtin_memset(obj, (int)(v & 0xff), stamped(kind));
        *(uint64_t *)obj = v;
        return;
    }
    bad_if(b->mark != BUILT_MARK || b->self != b || b->user != 0);
    b->user = v;
}

static void unmark(enum kind kind, void *obj, uint64_t v)
{
    struct built *b = obj;
    const unsigned char *p = obj;
    bool right = true;

    if (!is_built(kind)) {
        for (size_t i = sizeof(v); i < stamped(kind); i++)
            right &= p[i] == (v & 0xff);
        bad_if(!right || *(uint64_t *)obj != v);
        return;
    }
    bad_if(b->mark != BUILT_MARK || b->self != b || b->user != v);
    b->user = 0;
}

static void held_drop(struct held *h, uint64_t *seed)
{
    unmark(h->kind, h->obj, h->v);
    if (h->kind == SAFE && draw(seed, 2))
        kmem_cache_free_deferred(kinds[SAFE], h->obj);
    else
        kmem_cache_free(kinds[h->kind], h->obj);
    h->obj = NULL;
}

static void held_take(struct held *h, uint64_t *seed, int flags)
{
    h->kind = (enum kind)draw(seed, KINDS);
    h->v = *seed | 1;
    h->obj = kmem_cache_alloc(kinds[h->kind], flags);
    sk_add_relaxed(h->obj ? &taken : &refused, 1);
    if (h->obj)
        mark(h->kind, h->obj, h->v);
}

static void in_bulk(uint64_t *seed, int flags)
{
    enum kind kind = (enum kind)draw(seed, KINDS);
    uint64_t v = *seed | 1;
    void *objs[BULK];

    if (kmem_cache_alloc_bulk(kinds[kind], flags, BULK, objs) == 0)
        return;
    for (unsigned i = 0; i < BULK; i++)
        mark(kind, objs[i], v + 2 * i);
    for (unsigned i = 0; i < BULK; i++)
        unmark(kind, objs[i], v + 2 * i);
    kmem_cache_free_bulk(kinds[kind], BULK, objs);
}

/* One call or two. flags: M_NOWAIT in a handler. */
static void act(struct held *table, unsigned n, uint64_t *seed, int flags)
{
    struct held *h = &table[draw(seed, n)];

    if (draw(seed, 8) == 0)
        in_bulk(seed, flags);
    else if (h->obj)
        held_drop(h, seed);
    else
        held_take(h, seed, flags);
}

static void drop_all(struct held *table, unsigned n, uint64_t *seed)
{
    for (unsigned i = 0; i < n; i++)
        if (table[i].obj)
            held_drop(&table[i], seed);
}

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: touches the first object of the first slabs of many caches of one power-of-two size, again
 *       and again: with colours, and in caches whose alignment leaves none.
 * Invariants: without colours every such object begins on a boundary of 4 KiB.
 * Failure: a cache laid out otherwise than this stands on ends the process.
 * Why: lines 4 KiB apart fall into one set of a first-level cache, which holds 8 or 12 of them.
 *      Colours spread them. Each object leads to the next, in an order that no prefetcher knows, so
 *      that the time is that of the loads. 64 lines on 64 pages: within reach of the first-level TLB.
 */
#include "ours.h"
#include "workloads.h"

#define COLOUR_CACHES 64u
#define COLOUR_BYTES  2048u
#define COLOUR_NONE   4096u /* the alignment that leaves no colours */
#define COLOUR_CALLS  8000u
#define COLOUR_ROUNDS 64u /* of the chain, in one call */

struct first_object {
    struct first_object *fo_next;
};

struct colour_side {
    struct kmem_cache *cs_cache[COLOUR_CACHES];
    struct first_object *cs_first[COLOUR_CACHES];
};

struct colours {
    const struct object_calls *co_calls;
    struct colour_side co_with, co_without;
    struct first_object **co_objs; /* of one cache */
    struct first_object *co_at;    /* where the last walk ended; keeps it from being dropped */
};

static void walk(struct colours *co, struct first_object *fo)
{
    for (unsigned i = 0; i < COLOUR_ROUNDS * COLOUR_CACHES; i++)
        fo = fo->fo_next;
    *(struct first_object *volatile *)&co->co_at = fo;
}

static void walk_with(void *arg)
{
    struct colours *co = arg;

    walk(co, co->co_with.cs_first[0]);
}

static void walk_without(void *arg)
{
    struct colours *co = arg;

    walk(co, co->co_without.cs_first[0]);
}

/* A slab's worth of objects: the lowest begins the slab. The others go back. */
static struct first_object *first_take(struct colours *co, struct kmem_cache *c, uint64_t objs)
{
    uint64_t lowest = 0;

    for (uint64_t i = 0; i < objs; i++) {
        co->co_objs[i] = co->co_calls->alloc(c, M_WAITOK);
        if (!co->co_objs[i])
            work_die("kmem_cache_alloc returned NULL");
        if (co->co_objs[i] < co->co_objs[lowest])
            lowest = i;
    }
    for (uint64_t i = 0; i < objs; i++)
        if (i != lowest)
            co->co_calls->free(c, co->co_objs[i]);
    return co->co_objs[lowest];
}

static void layout_check(const struct kmem_cache_stats *st, bool coloured)
{
    if (st->slab_bytes / st->stride > 1024)
        work_die("a slab has more objects than expected");
    if (coloured ? st->colours < 2 : st->colours != 1 || st->stride % COLOUR_NONE)
        work_die("a cache's colours are not as expected");
}

static void side_open(struct colours *co, struct colour_side *cs, size_t align)
{
    struct kmem_cache_args args = {.align = align};
    struct kmem_cache_stats st;

    for (unsigned i = 0; i < COLOUR_CACHES; i++) {
        struct kmem_cache *c = co->co_calls->create("bench-colour", COLOUR_BYTES, &args);

        if (!c || co->co_calls->get_stats(c, &st))
            work_die("kmem_cache_create returned NULL");
        layout_check(&st, !align);
        cs->cs_cache[i] = c;
        cs->cs_first[i] = first_take(co, c, st.slab_objs);
    }
}

/* One round through all of them, in a fixed random order. */
static void side_chain(struct colour_side *cs)
{
    struct random rn = {7};
    uint32_t order[COLOUR_CACHES];

    random_order(&rn, order, COLOUR_CACHES);
    for (unsigned i = 0; i < COLOUR_CACHES; i++)
        cs->cs_first[order[i]]->fo_next = cs->cs_first[order[(i + 1) % COLOUR_CACHES]];
}

static void side_close(struct colours *co, struct colour_side *cs)
{
    for (unsigned i = 0; i < COLOUR_CACHES; i++) {
        co->co_calls->free(cs->cs_cache[i], cs->cs_first[i]);
        if (co->co_calls->destroy(cs->cs_cache[i]))
            work_die("an object is still in the cache");
    }
}

static void colour_run(const struct workload *wl, struct outcome *oc)
{
    struct colours co = {.co_calls = ours_objects()};
    const struct two_ways ways = {.tw_versus = "with colours / without",
                                  .tw_one = walk_with,
                                  .tw_other = walk_without,
                                  .tw_arg = &co,
                                  .tw_calls = COLOUR_CALLS,
                                  .tw_ops = COLOUR_ROUNDS * COLOUR_CACHES};

    (void)wl;
    if (!co.co_calls) {
        oc->oc_absent = "no object caches";
        return;
    }
    oc->oc_cache = true;
    co.co_objs = work_pages(1024 * sizeof(*co.co_objs));
    side_open(&co, &co.co_with, 0);
    side_open(&co, &co.co_without, COLOUR_NONE);
    side_chain(&co.co_with);
    side_chain(&co.co_without);
    work_two_ways(oc, &ways);
    side_close(&co, &co.co_with);
    side_close(&co, &co.co_without);
}

const struct workload colour_workloads[] = {
    {"colour", "the first objects of 64 caches of 2 KiB, touched in turn", false, 1, colour_run, 0,
     0},
    {0},
};

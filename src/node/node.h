/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: what the slots of one NUMA node share for one cache: the depot of whole arrays, the slabs
 *       that belong to no running slot, and the making and unmaking of slabs.
 * Below: slab.
 * Owns: struct node_cache and the arrays while they are in the depot.
 * Invariants: nd_slabs = slabs on slots' lists + off lists + nd_norphans + nd_nidle
 *                  + slabs whose end a hook put off = length of nd_all
 *       nd_nfull <= nd_full_limit after each put and the node_get_over that follow it
 *       nd_nidle <= nd_idle_limit after each node_keep_idle that kept one; settled orphans come
 *       on top, until the next pass of the reaper but one
 *       the capacities of the arrays in a node's depots of one group, in bytes, exceed the group's
 *       budget by at most one array of each cache
 * Concurrency: nd_lock, taken inside a slot's lock, outside of region's and meta's. No system
 *       call under it: node_grow and node_shrink run without any lock.
 * Failure: NULL.
 * Why: arrays move whole, so that a batch costs one lock and two pointers whatever its size
 *       (Bonwick & Adams 2001, "Magazines and Vmem": the depot; Linux mm/slab.c: the shared
 *       array).
 */
#ifndef SLABKIT_NODE_NODE_H
#define SLABKIT_NODE_NODE_H

#include "slab/slab.h"

/* An array as plat.h defines it, with a header. Owner: the slot it is installed in, or the depot.
 */
struct parray {
    struct list pa_link; /* in the depot */
    uint32_t pa_cap;
    uint32_t pa_avail; /* objects in it; valid only while not installed */
    void *pa_a[];      /* [0] NULL, [1..cap] objects, [cap + 1] PLAT_MARK */
};

/* Capacities are such that an array fills a power of two of bytes. */
#define PARRAY_CAP_MIN   3u
#define PARRAY_CAP_FIRST 11u
#define PARRAY_CAP_MAX   507u

SK_INLINE unsigned parray_cap_next(unsigned cap)
{
    return cap * 2 + 5;
}

SK_INLINE unsigned parray_cap_prev(unsigned cap)
{
    return (cap - 5) / 2;
}

SK_INLINE size_t parray_bytes(unsigned cap)
{
    return sizeof(struct parray) + (cap + 2) * sizeof(void *);
}

SK_INLINE uintptr_t parray_word(struct parray *pa)
{
    return plat_word_of(&pa->pa_a[pa->pa_avail]);
}

struct parray *parray_make(unsigned cap);
void parray_unmake(struct parray *pa);

/* What is fixed by the program, and grows and shrinks no more; 0: automatic. */
struct node_tuning {
    uint32_t cap;    /* of arrays, at most PARRAY_CAP_TUNED */
    uint32_t arrays; /* in the depot */
};

#define PARRAY_CAP_TUNED 2000u

struct node_cache {
    struct plat_lock nd_lock;

    /* Constant after node_init. */
    const struct slab_geom *nd_geom;
    unsigned nd_node;

    /* Under nd_lock. nd_cap and nd_cap_max are also read without it, as hints. */
    struct node_tuning nd_tuning;
    uint32_t nd_cap;     /* capacity of the arrays made now */
    uint32_t nd_cap_max; /* largest array allowed */
    uint32_t nd_nfull;
    uint32_t nd_full_limit; /* in arrays of nd_cap; grows with use, see depot_note_miss */
    uint32_t nd_overflows;  /* arrays that found no room since a refill found none. Atomic */
    uint32_t nd_full_low;   /* least nd_nfull since the last reap: arrays nobody needed */
    uint32_t nd_nempty;
    uint32_t nd_norphans;
    uint32_t nd_nidle;
    uint32_t nd_idle_limit;
    uint32_t nd_idle_low;    /* least nd_nidle since the last reap */
    uint32_t nd_colour_next; /* starts at the cache's index: first slabs of many caches differ */
    struct list nd_full;     /* hottest first */
    struct list nd_empty;
    struct list nd_orphans;
    struct list nd_idle;
    struct list nd_all;    /* every slab, by sl_all */
    size_t nd_depot_bytes; /* budget of this depot; constant */
    size_t nd_total_bytes; /* budget of all depots of its group on the node; constant */

    /* Figures, under nd_lock. */
    uint64_t nd_slabs;
    uint64_t nd_depot_gets, nd_depot_puts;
    uint64_t nd_grows, nd_shrinks, nd_adoptions, nd_resizes,
        nd_reaped; /* nd_reaped: arrays and slabs */
};

struct node_limits {
    size_t depot_bytes; /* most bytes of objects in one depot */
    size_t total_bytes; /* and in all depots of one group on one node together */
};

void node_init(struct node_cache *nd, const struct slab_geom *g, unsigned node,
               const struct node_limits *limits);

/* Without slabs and full arrays: the rest goes. */
void node_fini(struct node_cache *nd);
void node_tune(struct node_cache *nd, const struct node_tuning *tuning);

/*
 * Caches of medium objects (above SLAB_MANY_MAX) are a group of their own, so that a few such
 * arrays do not use up the budgets of all others; its budgets are so many times as large.
 */
#define NODE_MEDIUM_FACTOR 8u

enum node_group {
    NODE_SMALL,
    NODE_MEDIUM,
    NODE_GROUPS
};

SK_INLINE enum node_group node_group_of(const struct slab_geom *g)
{
    return g->size > SLAB_MANY_MAX ? NODE_MEDIUM : NODE_SMALL;
}

SK_INLINE size_t node_group_budget(enum node_group group, size_t bytes)
{
    return group == NODE_MEDIUM ? bytes * NODE_MEDIUM_FACTOR : bytes;
}

/* ---- depot -------------------------------------------------------------------------------- */

/* The hottest array with objects, or NULL. */
struct parray *node_get_full(struct node_cache *nd);
/* Gives an array with objects. When the depot is over its limit, returns its oldest one, whose
 * objects the caller must bring home; else NULL. */
struct parray *node_put_full(struct node_cache *nd, struct parray *pa);
/* The next one, until NULL: more than one is over when arrays grew and the limit with them fell. */
struct parray *node_get_over(struct node_cache *nd);
/* An array without objects, of nd_cap, or NULL: the caller makes one. */
struct parray *node_get_empty(struct node_cache *nd);
void node_put_empty(struct node_cache *nd, struct parray *pa);
/* A slot misses often: larger arrays from now on. */
void node_grow_arrays(struct node_cache *nd, unsigned from_cap);
/* For who brings its objects home: the array put first, if it was not needed since the reaper's last
 * pass (all: in any case); or NULL. */
struct parray *node_reap_full(struct node_cache *nd, bool all);
/* Ends a pass of the reaper: marks start anew; arrays get smaller where `idle`. */
void node_reap_end(struct node_cache *nd, bool idle);

/* ---- slabs -------------------------------------------------------------------------------- */

/* A slab that nobody runs, orphans first, linked on the new owner's list; or NULL. */
struct slab *node_adopt(struct node_cache *nd, struct list *list, unsigned slot);
/* A slot gives up a slab of its list. */
void node_orphan(struct node_cache *nd, struct slab *s);
/* A slab without objects in use leaves its slot's list (a thread that must make no system call has
 * every one kept: the reaper will find them). true: kept here; false: the caller unlinks
 * it and unmakes it by node_shrink when it holds no lock. */
bool node_keep_idle(struct node_cache *nd, struct slab *s);
/* For the reaper: an idle slab not needed since the last pass (all: any), off its list, or NULL. */
struct slab *node_reap_idle(struct node_cache *nd, bool all);
/* Collects what waits on orphans, moves those without objects in use to idle. */
void node_settle_orphans(struct node_cache *nd);

/* A new slab with the objects its hook made, on no slot's or node's list. Caller holds no lock. NULL:
 * exhausted, or the hook refused. */
struct slab *node_grow(struct node_cache *nd, unsigned slot);
/* Unmakes a slab without objects in use, unless its hook puts it off. true: region_trim_excess is
 * due. Caller holds no lock. */
bool node_shrink(struct node_cache *nd, struct slab *s);
/* The same, for the hook that had put it off. */
bool node_unmake(struct node_cache *nd, struct slab *s);

#endif

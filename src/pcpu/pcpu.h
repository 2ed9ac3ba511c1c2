/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: one cache as seen by the slots: its array and its slabs per slot, and what happens
 *       when the array is empty or full. The hit path itself is hit.h.
 * Below: node.
 * Owns: struct slot_cache, one per (slot, cache) that was ever used, and the table of them.
 * Invariants, per slot_cache under its lock:
 *       a word of the slot is 0 <=> its sc_array[] is NULL; otherwise it points into that array
 *       every slab on sc_partial has sl_owner == sc_slot and state PARTIAL
 *       objects in the program's hands, arrays and depots of a cache
 *           = sum over its slots of sc_refill_objs - sc_flush_objs, less pc_nested_frees
 * Concurrency: lock order sc_lock < nd_lock < region, meta. Two sc_locks are never held at once,
 *       but by pcpu_fork_prepare, in the order of the table. No system call under a lock, with
 *       one exception: plat_slot_stop, whose fence must be inside.
 * Failure: allocation returns NULL, nothing is lost.
 */
#ifndef SLABKIT_PCPU_PCPU_H
#define SLABKIT_PCPU_PCPU_H

#include "node/node.h"

struct pcpu_cache;

/* The arrays of a slot: what it allocates from and frees its own objects to, and what it freed of
 * other slots' slabs and of sparse ones, does not pop, and gives to the depot or home. */
enum side {
    SIDE_OWN,
    SIDE_FOREIGN,
    SIDES
};

struct slot_cache {
    /* Constant. */
    struct pcpu_cache *sc_cache;
    struct node_cache *sc_node;
    uint32_t sc_slot;

    struct plat_lock sc_lock;
    /* Under sc_lock. */
    struct parray *sc_array[SIDES];
    struct parray *sc_spare; /* an empty array kept at hand, or NULL */
    uint64_t sc_refill_pops; /* pops when the last slow path was a refill; else UINT64_MAX */
    uint64_t sc_pops_before; /* constant: pops that the index's last cache counted */
    struct list sc_partial;  /* the slab to take from first */
    uint32_t sc_npartial;
    uint32_t sc_nsparse;           /* of them sparse */
    uint32_t sc_misses;            /* since the arrays last grew or were reaped */
    uint32_t sc_idle_ticks[SIDES]; /* passes of the reaper that saw no use */
    uint32_t sc_touched;           /* a slow path came by since the last pass */
    uintptr_t sc_last_word[SIDES]; /* the words at the last pass */

    /* Figures, under sc_lock; read by anyone. */
    uint64_t sc_alloc_misses, sc_free_misses;
    uint64_t sc_alloc_passed; /* objects that went to the program beside the array */
    uint64_t sc_refills, sc_refill_objs;
    uint64_t sc_flushes, sc_flush_objs;
    uint64_t sc_remote_objs, sc_remote_chains, sc_tells;

    /* Slabs on their way back from away: pushed by anyone, taken whole under sc_lock. */
    SK_CACHE_ALIGNED struct slab *sc_returned;
};

enum pcpu_mode {
    PCPU_ARRAYS,
    PCPU_NO_ARRAYS, /* none is installed: every call takes the slow path, and goes to slabs */
    PCPU_DIRECT, /* nor has a slot slabs of its own: those of a node are all its first slot's, so that
                       each object comes home at the call. From the begin to the end of a cache */
};

struct pcpu_cache {
    struct slab_geom pc_geom; /* constant; pc_geom.kind is the array index */
    struct node_cache
        *pc_node[PLAT_NODES_MAX]; /* set once under the table's lock; read with acquire */
    void *pc_owner;               /* constant: what the layer above knows it as, or NULL */
    unsigned pc_mode;             /* atomic: enum pcpu_mode; see pcpu_set_arrays */
    uint32_t pc_batch;            /* atomic: most objects of slabs in a refill; 0: an array full */
    struct node_tuning pc_tuning; /* under the table's lock */
    unsigned pc_pins;             /* atomic: walkers that are at it */
    bool pc_hidden;               /* under the table's lock: walkers pass it by */
    uint64_t pc_failures;         /* atomic */
    uint64_t pc_nested_frees;     /* atomic: objects that handlers sent home */
};

struct pcpu_limits {
    size_t array_bytes;  /* most bytes of objects that the arrays of one slot hold, of one group */
    size_t depot_bytes;  /* one cache's depot on one node */
    size_t depots_bytes; /* all depots of one node */
};

/* After plat_init. false: no memory; may be called again. */
bool pcpu_init(const struct pcpu_limits *limits);
/* Registers a cache under its array index, 1 .. PLAT_SLOT_ARRAYS - 1. c stays where it is. */
void pcpu_cache_init(struct pcpu_cache *c, const char *name, size_t size, size_t align,
                     uint16_t idx);
/* NULL: no cache has this index. The caller knows that it stays: it holds an object of it, say. */
struct pcpu_cache *pcpu_cache_at(unsigned idx);
unsigned pcpu_cache_end(void); /* one more than the largest index in use */

/* ---- caches that come and go (registry.c) --------------------------------------------------- */

#define PCPU_DYNAMIC_FIRST 128u /* indices below are given out by pcpu_cache_init's caller */

/* Registers a cache whose fields pc_geom (but the index), pc_owner and pc_mode are set, the others 0,
 * under an index that it finds. false: there is none left. */
bool pcpu_cache_open(struct pcpu_cache *c);
/* From here on no walker is at the cache, nor comes, until it is shown again. Waits for them. No lock
 * held; not inside a walk. */
void pcpu_cache_hide(struct pcpu_cache *c);
void pcpu_cache_show(struct pcpu_cache *c);
/* Hidden, drained, without a slab: everything it had is given back, and its index free. */
void pcpu_cache_close(struct pcpu_cache *c);

/* The first cache at or above *idx that is not hidden, which stays until pcpu_unpin; *idx becomes one
 * more than its index. NULL: there is none. */
struct pcpu_cache *pcpu_pin_next(unsigned *idx);
void pcpu_unpin(struct pcpu_cache *c);
/* For each cache, pinned: c is a struct pcpu_cache *, idx an unsigned. To leave early: pcpu_unpin. */
#define pcpu_for_each(c, idx) for ((idx) = 1; ((c) = pcpu_pin_next(&(idx))) != NULL; pcpu_unpin(c))

/* Arrays on, or off (and emptied: every object is at home or out). Not for PCPU_DIRECT. No lock held;
 * inside plat_enter. */
void pcpu_set_arrays(struct pcpu_cache *c, bool on);
/* 0: automatic. Fields as in struct node_tuning; batch: see pc_batch. */
void pcpu_tune(struct pcpu_cache *c, unsigned limit, unsigned batch, unsigned shared);

/* The slow halves of alloc and free. Caller is inside plat_enter, holds no lock. */
void *pcpu_alloc_slow(struct pcpu_cache *c);
void pcpu_free_slow(struct pcpu_cache *c, void *p);
/* The same for who could not enter (nested.c), at any instruction of a slow path. NULL: nothing was free that could be had
 * without a wait; not counted as a failure. */
void *pcpu_alloc_nested(struct pcpu_cache *c);
void pcpu_free_nested(struct pcpu_cache *c, void *p);

/* ---- giving back (drain.c) ------------------------------------------------------------------ */

/* Empties arrays and depots of a cache, collects what waits, returns slabs without objects in use.
 */
void pcpu_drain(struct pcpu_cache *c);
void pcpu_drain_all(void);
/* One pass of the reaper: what was not used since the last pass goes back. true: something was. */
bool pcpu_reap(void);
/* What others brought back to a slot (its returned slabs) is collected: for whoever was told, see
 * plat_tell. Finds nothing if the slot looked before. */
void pcpu_settle(unsigned slot);
/* A lower bound of the free bytes a reap could find. */
size_t pcpu_idle_bytes(void);

/* Calls fn, without any lock, for every object that was out when the walk began, until it returns false.
 * true: it saw them all; false: no memory, or fn ended it. Inside plat_enter, no lock held. */
bool pcpu_walk(struct pcpu_cache *c, bool (*fn)(void *obj, void *arg), void *arg);
/* Calls fn, under nd_lock, for every object that there is, free or not. It may not call back. */
void pcpu_for_each_object(struct pcpu_cache *c, void (*fn)(void *obj, void *arg), void *arg);

/* ---- looking in, fork ------------------------------------------------------------------------ */

/* The (slot, cache) pair, or NULL if it was never used. */
struct slot_cache *pcpu_slot_cache(unsigned slot, unsigned idx);
/* The first pair of a cache at or above *slot, which becomes one more than its slot, and the same of its
 * nodes. NULL: there is none. */
struct slot_cache *pcpu_next_pair(const struct pcpu_cache *c, unsigned *slot);
struct node_cache *pcpu_next_node(const struct pcpu_cache *c, unsigned *node);
#define pcpu_for_each_pair(sc, c)                                                                  \
    for (unsigned slot_ = 0; ((sc) = pcpu_next_pair(c, &slot_)) != NULL;)
#define pcpu_for_each_node(nd, c)                                                                  \
    for (unsigned node_ = 0; ((nd) = pcpu_next_node(c, &node_)) != NULL;)
/* Objects popped from a pair's array since it was made. */
SK_INLINE uint64_t slot_cache_pops(const struct slot_cache *sc)
{
    return plat_slot_pops(sc->sc_slot, sc->sc_cache->pc_geom.kind) - sc->sc_pops_before;
}
/* Free objects in arrays and in depots of a cache. Takes its locks. */
void pcpu_count_free(struct pcpu_cache *c, uint64_t *in_arrays, uint64_t *in_depots);
/* Objects of a cache that slabs count as handed out; remote ones on their way home not included. */
uint64_t pcpu_objs_out(struct pcpu_cache *c);

/* Sums over slots and nodes; each is read for itself. */
struct pcpu_figures {
    uint64_t allocs, alloc_passed, alloc_misses, free_misses;
    uint64_t refills, refill_objs, flushes, flush_objs;
    uint64_t remote_objs, remote_chains, tells;
    uint64_t array_objs, depot_objs, array_limit; /* array_limit: the largest installed */
    uint64_t slabs, slabs_partial, slabs_idle, slabs_away;
    uint64_t depot_gets, depot_puts, grows, shrinks, adoptions, resizes, reaped;
    uint64_t live_objs, slab_free_objs, frees;
    uint64_t failures;
};
void pcpu_get_figures(struct pcpu_cache *c, struct pcpu_figures *out);
/* Faults found in the slabs and lists of a cache; each is told by fault(). */
unsigned pcpu_verify(struct pcpu_cache *c,
                     void (*fault)(const struct pcpu_cache *c, const char *what));

void pcpu_fork_prepare(void);
void pcpu_fork_parent(void);
void pcpu_fork_child(void);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: allocation by type: what each type uses, exactly, and how it is bounded.
 * Below: kmalloc.h, plat's credit.
 * Owns: struct type, one per malloc_type that was ever attached, and the table of them.
 * Invariants, under t_lock, S = slots, words as (objects, bytes):
 *       done(side)  = settled + nested + sum over S of (granted - word)
 *       in use      = done(t_allocs) - done(t_frees)
 *       (settled + sum of granted of t_allocs - done(t_frees)).bytes <= t_limit   (while it was not
 *                     lowered below what is in use, and but for the reserve)
 *       hence in use <= t_limit at any instant
 * Concurrency: words by plat's primitives; what was granted, and the sums, under t_lock. Order:
 *       the table's lock < t_lock < the slots' locks of plat. No lock of the engine is taken under
 *       t_lock, and no system call made but for the fence that calls credit in.
 * Failure: NULL; nothing is counted then but the failure.
 */
#ifndef SLABKIT_KMALLOC_TYPES_H
#define SLABKIT_KMALLOC_TYPES_H

#include "base/list.h"
#include "kmalloc/kmalloc.h"
#include <slabkit/kmalloc.h>

/* ---- credit words: bytes << 24 | objects ---------------------------------------------------- */

#define TYPE_OBJS_BITS 24u

SK_INLINE uint64_t type_amount(uint64_t bytes, uint64_t objs)
{
    return bytes << TYPE_OBJS_BITS | objs;
}

/* An amount that no credit covers. */
#define TYPE_NEVER UINT64_MAX

/* Most bytes of one credit: its objects, of 8 bytes at least and one to spare, fit the word. */
#define TYPE_CREDIT_MAX ((uint64_t)8 * (((uint64_t)1 << TYPE_OBJS_BITS) - 2))

struct type_sum {
    uint64_t objs, bytes;
};

/* What a slot may allocate, or free, without asking. */
struct type_credit {
    struct plat_credit cr_word;
    uint64_t cr_granted; /* the word as it was last opened; under t_lock */
};

/* One slot's account. */
struct type_cell {
    struct type_credit tc_alloc, tc_free;
    int64_t tc_peak;     /* the type's, when tc_alloc was opened; under t_lock */
    uint64_t tc_doubled; /* how often credit was doubled since the peak last rose; under t_lock */
};

/* All that was allocated, or freed, but for what the slots did with their credit. */
struct type_side {
    struct type_sum settled; /* under t_lock */
    struct type_sum nested;  /* atomic: by handlers that may take no lock */
};

_Static_assert(sizeof(struct type_cell) == PLAT_CREDIT_BYTES, "a word of each slot, so far apart");

/* What ends a wait. */
struct type_full {
    unsigned wait_ms;
    malloc_full_fn *fn;
    void *arg;
};

struct type {
    /* The hit path. Pointers constant; amounts and indices atomic, each set once. */
    struct plat_credit *t_alloc, *t_free; /* slot 0's */
    uint16_t t_idx[KM_CACHES + 1];        /* array of a class; 0: none yet */
    uint64_t t_amount[KM_CACHES + 1];     /* what one object costs; TYPE_NEVER: ask first */

    /* Constant. */
    char t_name[32], t_desc[64];
    unsigned t_flags;
    uint16_t t_id;
    struct type *t_parent; /* of the types that a tracked type has for each place; else NULL */
    const void *t_site;
    uint32_t t_weight;        /* figures are of one in so many allocations */
    void *t_memory;           /* of the cells */
    struct malloc_type t_own; /* for types made at run time */

    struct type *t_sites; /* atomic: a tracked type's places, pushed */
    struct type *t_next_site;

    /* Under the table's lock. */
    struct list t_link;
    struct malloc_type *t_public; /* NULL: its library was unloaded */

    struct plat_lock t_lock;
    /* Under t_lock. */
    struct type_side t_allocs, t_frees;
    int64_t t_peak;
    uint64_t t_limit;
    uint64_t t_soft; /* KMALLOC_NO_LIMIT: none */
    bool t_soft_armed;
    malloc_soft_fn *t_soft_fn;
    void *t_soft_arg;
    struct type_full t_full;
    unsigned t_waiters; /* read by nested calls without it */
    uint64_t t_sizes[2];

    /* Atomic. */
    uint32_t t_seq; /* counts frees while somebody waits */
    uint64_t t_waits;
    uint64_t t_failures;
};

/* By array index: the amount of one object of that class; TYPE_NEVER: no class of kmalloc's. */
extern PLAT_HIDDEN uint64_t km_amount[PLAT_SLOT_ARRAYS];

/* ---- the hit path ---------------------------------------------------------------------------- */

/*
 * By flags: the largest size that may hit. 0 where a hit would not do, or where the flags contradict
 * each other: so that one comparison tells these, a size of 0 and a large one.
 */
#define TYPE_FLAGS_END 256u
extern PLAT_HIDDEN const uint16_t type_hit_max[TYPE_FLAGS_END];

SK_INLINE bool type_may_hit(size_t size, int flags)
{
    return SK_LIKELY(size - 1 < type_hit_max[(uint8_t)flags]);
}

/* 0 < size <= KM_FINE_MAX. */
SK_INLINE unsigned type_class_fine(size_t size)
{
    return km_class_fine[(size - 1) / 8 + 1];
}

/* One object of the class, which the caller then pops from the array of that index: a type with
 * arrays of its own never hits here. false: not counted. */
SK_INLINE bool type_charge_hit(struct type *t, unsigned class)
{
    return plat_credit_take(t->t_alloc, sk_load_relaxed(&t->t_amount[class]));
}

/* idx: the array index of the block's class; 0 misses. */
SK_INLINE bool type_discharge_hit(struct type *t, unsigned idx)
{
    return plat_credit_take(t->t_free, sk_load_relaxed(&km_amount[idx]));
}

/* ---- types.c: the table --------------------------------------------------------------------- */

void types_init(void);
enum type_error {
    TYPE_INVALID, /* flags */
    TYPE_NO_MEMORY,
    TYPE_NO_ID
};
/* A new type, or NULL and why. */
struct type *type_make(const char *name, const char *desc, unsigned flags, enum type_error *error);
/* The type of a malloc_type, attached if it was not. NULL: no memory. */
struct type *type_attach(struct malloc_type *mt);
void type_detach(struct malloc_type *mt);
/* Nothing of it is in use, and nobody uses it. */
void type_unmake(struct type *t);
/* What a tracked type counts at `site`; made at first sight. NULL: no memory. Inside plat_enter. */
struct type *type_site(struct type *t, const void *site);
/* NULL: no such type. */
struct type *type_at(unsigned id);
/* One more than the largest id in use; ids begin with 1. */
unsigned types_end(void);
struct type *type_named(const char *name);

void types_fork_prepare(void);
void types_fork_parent(void);
void types_fork_child(void);

/* type_verify of each; fault() is told the name of those that fail. How many. */
unsigned types_verify(void (*fault)(const char *name));
/* The figures of the type with this id; false: there is none. */
bool types_stats(unsigned id, struct malloc_type_stats *out);

/* ---- account.c: credit, limits, figures ----------------------------------------------------- */

/* A crossing of the soft limit that is to be told, with no lock held. */
struct type_told {
    malloc_soft_fn *fn;
    void *arg;
    uint64_t inuse_bytes;
};

/* Counts one object. class: its class, 0 if it has none. false: over the limit. Inside plat_enter.
 */
bool type_charge(struct type *t, size_t bytes, unsigned class, int flags, struct type_told *told);
/* Counts one object, whatever the limit. Any context. */
void type_count(struct type *t, size_t bytes);
/* Takes a charge back: the object was not to be had. */
void type_uncharge(struct type *t, size_t bytes);
/* Counts the free of one object. Any context. */
void type_discharge(struct type *t, size_t bytes);
/* The same, inside plat_enter. */
void type_discharge_entered(struct type *t, size_t bytes);
/* By who may wait for no lock: counts if there is no limit, or certainly room. */
bool type_charge_nested(struct type *t, size_t bytes, unsigned class, int flags);
/* Takes such a charge back. */
void type_uncharge_nested(struct type *t, size_t bytes);
/* Sleeps until memory of the type was freed, at most ms; not if `bytes` fit meanwhile. Outside of
 * plat_enter. */
void type_wait(struct type *t, size_t bytes, int flags, unsigned ms);

void type_stats(struct type *t, struct malloc_type_stats *out);
/* Whether what is counted can be: nothing less than nothing is in use. While others run, too. */
bool type_verify(struct type *t);
void type_set_limit(struct type *t, uint64_t bytes);
void type_set_soft(struct type *t, uint64_t bytes, malloc_soft_fn *fn, void *arg);
struct type_full type_get_full(struct type *t);
void type_set_full(struct type *t, unsigned wait_ms, malloc_full_fn *fn, void *arg);

/* Objects of a tracked type are kept apart too, so that every free of one can be looked at. */
SK_INLINE bool type_has_own(const struct type *t)
{
    return (t->t_flags & (MT_ISOLATE | MT_TRACK)) != 0;
}

/* ---- isolate.c ------------------------------------------------------------------------------- */

/* The cache that has the type's objects of a class. NULL: no memory, or no index. Inside plat_enter. */
struct pcpu_cache *type_cache(struct type *t, unsigned class);
/* Gives back what an isolated type has of its own: nothing of it is in use. */
void type_caches_close(struct type *t);

/* ---- typed.c: blocks ------------------------------------------------------------------------- */

/* charged: an object of class km_class(size) is counted already. NULL: none to be had, or over the
 * limit. Misuse of the flags is reported. */
void *type_alloc(struct type *t, size_t size, size_t align, int flags, bool charged,
                 const void *site);
void type_free(struct type *t, void *p);
void *type_realloc(struct type *t, void *p, size_t size, int flags, const void *site);
/* A large block of `old` usable bytes, in place; NULL: that cannot be, p stays. */
void *type_resize_large(struct type *t, void *p, size_t old, size_t size, int flags);

/* ---- tagged.c: blocks that remember their type ----------------------------------------------- */

/* flags: M_RNOWAIT, perhaps M_ZERO. A size of 0 gives a block. */
void *tagged_alloc(struct type *t, size_t size, size_t align, int flags);
/* Any block, also one of no type; p may be NULL. */
void tagged_free(void *p);
/* A block of any type or none; one that moves is of type t then, or none. NULL: p stays. */
void *tagged_realloc(struct type *t, void *p, size_t size);

#endif

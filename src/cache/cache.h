/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: object caches: what <slabkit/kmem_cache.h> promises, over pcpu. Here is what the layer's files share and
 *       what the layers above call.
 * Below: pcpu, debug.h.
 * Owns: struct kmem_cache, the list of all; the cache of caches, which is one of them.
 * Invariants:
 *       kc_root == itself: it has slabs of its own; otherwise the calls go to the root's, whose index kc_index is
 *       kc_users of a root = handles that use it and are not destroyed, at least 1 while it exists
 *       arrays are on  <=>  kc_off == 0 (after the drain that follows)
 * Concurrency: kmem.lock for the list and kc_users, kc_lock for what can be set at run time; neither is held during a
 *       callback or a system call. Lock order: kmem.lock < kc_lock < pcpu's. Locks that alloc and free take are held
 *       inside plat_enter only (docs/cache.md, Handlers).
 * Failure: NULL with errno, as the public header says.
 * Why: a cache that must see every call (debugging, injected failures, a reserve to be filled) has no arrays
 *       installed: the hit paths find them empty and full, and test nothing.
 */
#ifndef SLABKIT_CACHE_CACHE_H
#define SLABKIT_CACHE_CACHE_H

#include "cache/debug.h"
#include "pcpu/hit.h"
#include "pcpu/pcpu.h"
#include <slabkit/kmem_cache.h>

#include <errno.h>

#define KMEM_NAME_BYTES 32u
#define KMEM_ALIGN_MAX  SLAB_ALIGN_MAX
#define KMEM_ARRAYS_MAX ((size_t)1 << 20) /* larger objects are not kept in arrays */

/* Why a cache has no arrays; bits of kc_off. */
enum kmem_off {
    KMEM_OFF_LARGE = 1,
    KMEM_OFF_FAIL = 2,    /* failures are injected */
    KMEM_OFF_RESERVE = 4, /* the reserve is to be filled */
};

/* Objects kept for when there is nothing else. Under kc_lock. */
struct kmem_reserve {
    unsigned want; /* constant */
    unsigned have; /* atomic: also a hint */
    void **raw;
};

/* Under kc_lock. */
struct kmem_failing {
    struct kmem_cache_fail knobs;
    uint64_t random; /* state of the generator */
    uint64_t failed;
};

struct kmem_cache {
    /* Constant. */
    uint32_t kc_index;
    unsigned kc_flags;
    struct kmem_cache *kc_root;
    size_t kc_size, kc_align;
    int (*kc_ctor)(void *obj, void *priv, int flags);
    void (*kc_dtor)(void *obj, void *priv);
    void (*kc_reclaim)(void *priv);
    void *kc_priv;
    uint64_t kc_number; /* in the order of creation */
    char kc_name[KMEM_NAME_BYTES];

    /* Of a root; constant where it does not say otherwise. */
    struct kmem_debug kc_debug;
    struct pcpu_cache kc_pcpu;
    struct plat_lock kc_lock;
    unsigned kc_off; /* atomic, written under kc_lock: enum kmem_off */
    struct kmem_reserve kc_reserve;
    struct kmem_failing kc_failing;
    uint64_t kc_failures; /* atomic: allocations that returned NULL */
    uint64_t kc_deferred; /* atomic: objects that wait for a grace period */
    uint64_t kc_late;     /* atomic: slabs that do */

    /* Under kmem.lock. */
    struct list kc_link;
    unsigned kc_users;
    unsigned kc_looks; /* of kmem_cache_foreach: it stays */
    bool kc_closed;    /* destroyed, but others are merged into it; or about to be */
};

/* What the layer above does for this one. */
struct kmem_hooks {
    void (*poke)(void); /* at the end of a slow path that may make system calls */
};

/* After pcpu_init, once, by one thread. merge: as if every cache had KMEM_MERGE. */
void kmem_init(const struct kmem_hooks *hooks, bool merge);

/* kmem_cache_create, once everything is started. */
struct kmem_cache *kmem_create(const char *name, size_t size, const struct kmem_cache_args *args);

/* The cache of this pcpu_cache, or NULL: it is another layer's. */
SK_INLINE struct kmem_cache *kmem_of_pcpu(const struct pcpu_cache *pc)
{
    return pc->pc_owner;
}

/* Goes on with what waits for grace periods; waits itself for one that the program brought. Called now and then by who has
 * time. No lock held, not inside plat_enter. */
void kmem_run_deferred(void);
/* Bytes of what waits. */
size_t kmem_waiting_bytes(void);

/* Before pcpu_fork_prepare and after the others. */
void kmem_fork_prepare(void);
void kmem_fork_parent(void);
void kmem_fork_child(void);

/* Faults of objects, for caches with debug flags; pcpu_verify finds the others. */
unsigned kmem_verify_objects(struct kmem_cache *c);

#endif

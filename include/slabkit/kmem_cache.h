/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * slabkit/kmem_cache.h: object caches: many objects of one size, constructed once.
 *
 * A cache hands out objects of one size from slabs of its own. With a constructor, an object is
 * constructed when its slab is made and stays constructed between free and alloc; the destructor
 * runs when the slab goes. The interface is the one kernels have (Bonwick, "The Slab Allocator",
 * 1994; Linux mm/slab.c).
 *
 * Unless a function says otherwise it may be called from any thread, at any time after the first
 * instruction of the program (constructors of shared objects included), and not from a handler.
 * alloc and free of one cache may run in any number of threads at once; objects may be
 * freed by any thread.
 *
 * A handler is an interrupt handler in a kernel (but not a non-maskable one's), a signal handler hosted. What may be called from one
 * says so, and may be called at any instruction of the code it interrupted, this library's included; with M_WAITOK only if it
 * did not interrupt this library: else a call that would have to wait aborts with one line. A handler must not be left by longjmp.
 * Where such a call makes or ends a slab, the constructor or destructor runs in the handler.
 */
#ifndef SLABKIT_KMEM_CACHE_H
#define SLABKIT_KMEM_CACHE_H

#include <slabkit/flags.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct kmem_cache;

/* Flags of a cache. */
#define KMEM_HWALIGN     0x0001u /* align to a cache line, unless the object is half of one or less */
#define KMEM_MERGE       0x0002u /* may share slabs with compatible caches (no ctor, no debugging) */
#define KMEM_TYPESAFE    0x0004u /* a slab's memory stays of this type for a grace period */
#define KMEM_CONSISTENCY 0x0100u /* F: check slab and free state at each call */
#define KMEM_REDZONE     0x0200u /* Z: guard bytes around each object */
#define KMEM_POISON      0x0400u /* P: fill free objects, check them at alloc */
#define KMEM_STORE_USER  0x0800u /* U: remember who allocated and who freed */
#define KMEM_TRACE       0x1000u /* T: a line on stderr for each alloc and free */
#define KMEM_DEBUG       (KMEM_CONSISTENCY | KMEM_REDZONE | KMEM_POISON | KMEM_STORE_USER)

/* Zero-initialised means defaults. */
struct kmem_cache_args {
    size_t align;   /* a power of two, at most 64 KiB; 0: natural for the size, at least 8 */
    unsigned flags; /* KMEM_* */
    /* Once for each object when its slab is made. 0, or an errno: then the allocation that needed the
     * slab fails with it. Runs outside of all locks, as dtor does; both may allocate from other caches,
     * but not use this one, destroy caches, call kmem_cache_barrier or fork. flags: those of the
     * allocation. */
    int (*ctor)(void *obj, void *priv, int flags);
    void (*dtor)(void *obj, void *priv);
    void (*reclaim)(void *priv); /* asked, outside of all locks, before an allocation fails */
    void *priv;
    unsigned limit, batchcount; /* array tuning, see kmem_cache_tune; 0: automatic */
    unsigned reserve; /* objects kept aside, taken by allocations that would fail, and filled
                                   again by frees before anything else */
};

/*
 * size: bytes of an object, 1 .. 16 MiB; rounded up to a multiple of the alignment. name is copied
 * (31 characters are kept), and need not be unique. args may be NULL. NULL with errno: EINVAL (a
 * bad size, alignment, flag, or combination), ENOMEM, ENOSPC (too many caches), or what a
 * constructor of the reserve returned. May make system calls.
 */
struct kmem_cache *kmem_cache_create(const char *name, size_t size,
                                     const struct kmem_cache_args *args);

/*
 * 0, and the cache is gone with all its memory; or EBUSY: objects live (a line on stderr says how
 * many, and who allocated them if the cache tracks that), and the cache stays as it was. The
 * caller sees to it that nobody uses the cache any more; frees that other threads have returned from
 * are found wherever they are. Waits for what is deferred: not inside a reader section, and not while holding a
 * lock that the destructor takes. NULL: 0.
 */
int kmem_cache_destroy(struct kmem_cache *c);

/* flags: M_WAITOK, M_RNOWAIT or M_NOWAIT, or'ed with M_ZERO (not with a constructor). A cache's reserve may
 * always be used (M_USE_RESERVE is implied). M_NOWAIT asks the system for nothing, but for the trace and user
 * tracking of debug flags. NULL with errno: ENOMEM, EINVAL, or what the constructor returned. O(1); the
 * hit path is a pop. From a handler: M_NOWAIT or M_RNOWAIT. One that interrupted this library gets what arrays, slabs and
 * the reserve have at hand, or NULL, and of a debug cache always NULL. */
void *kmem_cache_alloc(struct kmem_cache *c, int flags);
/* obj: of this cache, or NULL. Never fails; aborts with one line on misuse. errno is kept. O(1). From handlers, too. */
void kmem_cache_free(struct kmem_cache *c, void *obj);

/* n objects into out, or none: returns n or 0 (errno as above). Both from handlers, as above. */
size_t kmem_cache_alloc_bulk(struct kmem_cache *c, int flags, size_t n, void **out);
void kmem_cache_free_bulk(struct kmem_cache *c, size_t n, void **objs);

/*
 * Frees obj when every reader that was in a section at the time of the call has left it (for
 * KMEM_TYPESAFE caches and others alike). Batched per slot: O(1), no wait. From handlers, too; should one that interrupted this
 * library defer more than 64 objects for each slot, what is more stays allocated.
 */
void kmem_cache_free_deferred(struct kmem_cache *c, void *obj);
/* Waits until everything deferred so far was freed. Not inside a reader section. */
void kmem_cache_barrier(void);

/*
 * Reader sections: a pointer into a KMEM_TYPESAFE cache, or to an object that is freed deferred, stays
 * valid memory of its type between these two. Sections nest; they never block and never make a
 * system call but on a thread's first one. In handlers, too.
 */
void kmem_read_lock(void);
void kmem_read_unlock(void);
/* Use another grace period in the place of slabkit's own, liburcu's for example: synchronize waits
 * until every reader that had begun has ended. Before the first typesafe cache is created or object is
 * deferred: 0; EBUSY afterwards. */
int kmem_set_grace_period(void (*synchronize)(void));

/* Empties arrays and depots, returns unused slabs to the system. 1: objects live still, 0: none. */
int kmem_cache_shrink(struct kmem_cache *c);
/* The same, for every cache. */
void kmem_cache_reap(void);

/* limit: most objects in the array of one slot, at most 2000; batchcount: most moved at a time between an array and
 * slabs; shared: most arrays in the depot of a node. 0: automatic. 0 or EINVAL. */
int kmem_cache_tune(struct kmem_cache *c, unsigned limit, unsigned batchcount, unsigned shared);

/* Calls fn for every live object until it returns non-zero; returns how many were visited. Objects freed
 * deferred live until they are freed; those allocated or freed meanwhile may or may not be visited. fn must not call into this cache. */
size_t kmem_cache_walk(struct kmem_cache *c, int (*fn)(void *obj, void *arg), void *arg);
/* The cache whose object obj is or points into, or NULL. */
struct kmem_cache *kmem_cache_of(const void *obj);
/* Checks every structure of the cache, with debug flags every object. 0, or the number of faults, each
 * told in one line on stderr. */
int kmem_cache_verify(struct kmem_cache *c);

const char *kmem_cache_name(const struct kmem_cache *c);
/* As given to create. */
size_t kmem_cache_size(const struct kmem_cache *c);

struct kmem_cache_stats {
    uint64_t size, stride, align; /* bytes: as given, from object to object, alignment */
    uint64_t slab_bytes, slab_objs;
    uint64_t colours, colour_off;
    uint64_t limit, batchcount, shared; /* in force; 0: none */
    uint64_t live, total;               /* objects: in the program's hands, in all slabs */
    uint64_t array_objs, depot_objs;    /* free ones on their way */
    uint64_t slabs, slabs_partial, slabs_full, slabs_free;
    uint64_t bytes; /* of slabs */
    uint64_t allocs, frees, hits;
    uint64_t refills, flushes, remote_frees, remote_chains;
    uint64_t grows, shrinks, reaps, failures;
    uint64_t reserve, deferred;
};
/* O(slots). 0. */
int kmem_cache_get_stats(struct kmem_cache *c, struct kmem_cache_stats *out);

/* Calls fn for every cache, in the order of creation, until it returns non-zero. fn must not destroy one. */
void kmem_cache_foreach(int (*fn)(struct kmem_cache *c, void *arg), void *arg);

/* Failure injection (Linux's failslab): of the allocations that follow, one in `rate` fails, chosen by a
 * generator that starts from seed (rate 0: none), but the first `space` never do; at most `times` in all
 * (-1: no bound). */
struct kmem_cache_fail {
    unsigned rate;
    unsigned space;
    long times;
    uint64_t seed;
};
int kmem_cache_fail(struct kmem_cache *c, const struct kmem_cache_fail *fail);

/* Every cache and size class, in the shape of /proc/slabinfo version 2.1. Allocates nothing. 0, or -1 with errno
 * from write(2). */
int slabkit_slabinfo_write(int fd);

#ifdef __cplusplus
}
#endif

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: what the files of the layer cache share beside cache.h.
 * Below: cache.h.
 */
#ifndef SLABKIT_CACHE_INTERNAL_H
#define SLABKIT_CACHE_INTERNAL_H

#include "cache/cache.h"

struct kmem {
    struct plat_lock lock;
    /* Under lock. */
    struct list caches; /* by kc_number */
    uint64_t number;    /* the last one given */
    /* Constant after kmem_init. */
    struct kmem_hooks hooks;
    bool merge;
};
extern struct kmem kmem;

/* Is obj this cache's, as far as the page map knows? Otherwise the end. */
void kmem_check_owner(const struct kmem_cache *c, const void *obj);
/* Bracket everything that takes a lock of pcpu's, or one of this layer that alloc and free take: so a handler that can
 * enter interrupted nobody who holds one. A nested call is misuse. */
void kmem_enter(const struct kmem_cache *c);
_Noreturn void kmem_die_nested(const char *name);
/* The same for alloc and free: false, if a handler interrupted a slow path, or a constructor or destructor of c. */
bool kmem_try_enter(const struct kmem_cache *c);
SK_INLINE void kmem_leave(void)
{
    plat_leave();
}

SK_INLINE bool kmem_has_debug(const struct kmem_cache *root)
{
    return root->kc_debug.flags != 0;
}

SK_INLINE bool kmem_constructed(const struct kmem_cache *root)
{
    return root->kc_ctor != NULL;
}

SK_INLINE void *kmem_obj_of(const struct kmem_cache *root, void *raw)
{
    return kmem_debug_object(&root->kc_debug, raw);
}

SK_INLINE void *kmem_raw_of(const struct kmem_cache *root, const void *obj)
{
    return (char *)(uintptr_t)obj - root->kc_debug.object_off;
}

SK_INLINE bool kmem_may_wait(int flags)
{
    return !(flags & (M_NOWAIT | M_RNOWAIT));
}

/* ---- alloc.c ---------------------------------------------------------------------------------- */

/* A raw object, or NULL with what was wrong in *error. The reserve is not asked. Root only. */
void *kmem_raw_alloc(struct kmem_cache *c, int flags, int *error);
/* A raw object of this cache goes home. */
void kmem_raw_free(struct kmem_cache *c, void *raw);
/* ---- objects.c: the slab's hooks ---------------------------------------------------------------- */

/* Is this a call by, or by a handler that interrupted, a constructor or destructor of c? */
bool kmem_calling_back(const struct kmem_cache *c);
/* NULL: its slabs need none. */
const struct slab_hooks *kmem_slab_hooks(const struct kmem_cache *c);
void kmem_objects_end(struct kmem_cache *c, struct slab *s);

/* ---- grace.c: reader sections, grace periods ------------------------------------------------------ */

void kmem_grace_init(void);
/* The number of a grace period: when that many have ended, every section open now has. */
uint64_t kmem_grace_ticket(void);
/* Goes on as far as it can without waiting. true: it has ended. */
bool kmem_grace_over(uint64_t ticket);
/* The program's own, or NULL. */
void (*kmem_grace_custom(void))(void);
/* From now on the program cannot bring its own; and did this happen? */
void kmem_grace_use(void);
bool kmem_grace_used(void);
/* Is this thread inside of a section? */
bool kmem_reading(void);
void kmem_grace_fork(void (*fn)(struct plat_lock *l));
void kmem_grace_fork_child(void);

/* ---- park.c: what nested calls free deferred ------------------------------------------------------------ */

void kmem_park_init(void);
/* false: no word is left for it. */
bool kmem_park(void *obj);
/* One of those that wait, now the caller's; or NULL. */
void *kmem_unpark(void);
/* While nobody else runs. */
void kmem_for_each_parked(void (*fn)(const void *obj));

/* ---- defer.c: what waits for a grace period --------------------------------------------------------- */

void kmem_defer_init(void);
/* A slab without objects in use of a typesafe cache. Inside kmem_enter, no lock held. */
void kmem_defer_slab(struct kmem_cache *c, struct slab *s);
/* So often, at most, goes on with what waits. */
void kmem_defer_go_on(unsigned tries);
/* Until nothing of this cache waits. */
void kmem_defer_wait(struct kmem_cache *c);
void kmem_defer_fork(void (*fn)(struct plat_lock *l));
void kmem_defer_fork_child(void);

/* ---- spare.c: reserve, failures, arrays on and off ----------------------------------------------- */

/* Makes room for it, and fills it. 0, or the errno with which an object could not be had. */
int kmem_reserve_fill(struct kmem_cache *c);
/* All of it home. */
void kmem_reserve_drop(struct kmem_cache *c);
/* NULL: nothing is left. */
void *kmem_reserve_take(struct kmem_cache *c, int flags);
/* true: it is in the reserve now. */
bool kmem_reserve_put(struct kmem_cache *c, void *raw);
/* Inside plat_enter. */
bool kmem_reserve_holds(struct kmem_cache *c, const void *raw);
/* Shall this allocation fail? */
bool kmem_fails_now(struct kmem_cache *c);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: debug flags of a cache: red zones, poison, state and history of each object. The cache calls
 *       these from its slow paths; a cache without the flags never gets here.
 * Below: slab (geometry, for addresses that are no object), base/text.h.
 * Owns: the bytes of a raw slab object around the caller's object; struct kmem_debug.
 * Invariants (raw: the object the slab knows; obj = raw + object_off, the program's):
 *       [0, head)                   record, and with U who allocated and who freed; the first word is the slab's, for the
 *                                   link of a remote chain
 *       [head, object_off)          left red zone (Z)
 *       [object_off, +size)         the caller's
 *       [object_off + size, stride) right red zone (Z): what rounding added belongs to it
 *       zones read KMEM_DEBUG_ZONE from made() until the slab goes; no one else writes there
 * Concurrency: the caller of alloc and free has the object to itself. The state word is atomic, so that of
 *       two frees at once one is reported, and verify, which may run beside them, has a free object to itself.
 * Failure: damage and misuse end the process with a report; its first line is in debug.def or base/misuse.def.
 * Why: beside the object, not in a table: the report finds it without a lookup, and the link of a remote chain has a
 *       place that is never the program's.
 */
#ifndef SLABKIT_CACHE_DEBUG_H
#define SLABKIT_CACHE_DEBUG_H

#include "base/text.h"
#include "slab/slab.h"
#include <slabkit/kmem_cache.h>

#define KMEM_DEBUG_ZONE  0xbbu /* red zones */
#define KMEM_DEBUG_FREED 0x6bu /* freed objects, but for the last byte */
#define KMEM_DEBUG_LAST  0xa5u /* the last byte of a freed object */
#define KMEM_DEBUG_FRESH 0x5au /* an object just allocated */

#define KMEM_DEBUG_STACK 16u /* return addresses kept */

/* Layout and flags of one cache. Constant after kmem_debug_layout. */
struct kmem_debug {
    unsigned flags;    /* of KMEM_DEBUG and KMEM_TRACE */
    size_t size;       /* of the object, as asked for */
    size_t object_off; /* of the object in the raw one; 0 without a flag of KMEM_DEBUG */
    size_t
        link_off; /* of the link of a remote chain in the raw one, if there is a flag of KMEM_DEBUG */
    size_t stride;
};

/*
 * Fills *d for objects of `size` bytes aligned to `align` (a power of two), and returns the size of the raw object. Other
 * flags than those of debugging may be set. KMEM_TYPESAFE takes P away: readers may look at freed objects. Of objects that would
 * be too large for a slab with what debugging needs, all flags but T are taken away.
 */
size_t kmem_debug_layout(struct kmem_debug *d, size_t size, size_t align, unsigned flags);

SK_INLINE void *kmem_debug_object(const struct kmem_debug *d, const void *raw)
{
    return (char *)(uintptr_t)raw + d->object_off;
}

/* ---- the life of a raw object; caller: a return address in the program, or NULL ----------------- */

/* Its slab is new: paints all of it. Before the constructor. */
void kmem_debug_made(const struct kmem_debug *d, const char *name, void *raw);
/* Its constructor has returned: remembers what it looks like. */
void kmem_debug_constructed(const struct kmem_debug *d, const char *name, void *raw);
/* constructed: the cache has a constructor; nothing inside of the object is written then. */
void kmem_debug_alloc(const struct kmem_debug *d, const char *name, void *raw, bool constructed,
                      void *caller);
void kmem_debug_free(const struct kmem_debug *d, const char *name, void *raw, bool constructed,
                     void *caller);
/* Its slab goes, the destructor comes next: the last look at a free object. */
void kmem_debug_gone(const struct kmem_debug *d, const char *name, void *raw, bool constructed);

/* The raw object of obj, which lies in a slab of the cache of geometry g and shall be freed. Misuse, if it is none:
 * reported with the caller's stack and the history of the object that was hit. */
void *kmem_debug_raw(const struct kmem_debug *d, const struct slab_geom *g, void *obj,
                     void *caller);
/* The end, with the line for p, and with a debug cache the caller's stack. */
_Noreturn void kmem_debug_misuse(const struct kmem_debug *d, enum misuse what, const void *p,
                                 const char *name, void *caller);

/* Is the object in the program's hands? By its record; d has a flag of KMEM_DEBUG. */
bool kmem_debug_live(const void *raw);

/* Faults of one object, each told by fault() in words without a newline. Beside running threads objects on their way
 * are left out; an allocation that wants the object meanwhile waits. The slab does not go meanwhile. */
unsigned kmem_debug_verify(const struct kmem_debug *d, const char *name, void *raw,
                           bool constructed, void (*fault)(const char *line));

/* Who allocated it, in one line; "" if nobody remembers. */
void kmem_debug_owner(const struct kmem_debug *d, const void *raw, char *out, size_t bytes);

/* ---- options (debug_options.c) --------------------------------------------------------------- */

/*
 * Which caches get which flags beyond their own: entries separated by ';', each of letters (FZPUT) and names after ',':
 * "FZ,conn*,inode?;U". Without a name: every cache. Flags of all entries that match add up. text stays the caller's and
 * must stay; NULL: none. Before caches are created.
 */
void kmem_debug_set_options(const char *text);
unsigned kmem_debug_flags_for(const char *name);

/* ---- the world (debug_track.c) ----------------------------------------------------------------- */

/* What only the layers above know to find out. None of it may allocate or take a lock of the engine. */
struct kmem_debug_world {
    /* Return addresses of this thread's calls from `caller` on, itself the first; how many, at most max. */
    unsigned (*stack)(void *caller, void **pcs, unsigned max);
    /* Words for an address of code, nothing if there are none. */
    void (*symbol)(struct text *t, const void *pc);
    void (*ids)(uint32_t *pid, uint32_t *tid);
};

/* Once, before caches are created. Without it a stack is the caller's address, and there are no symbols and no ids. */
void kmem_debug_set_world(const struct kmem_debug_world *world);

#endif

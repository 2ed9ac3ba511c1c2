/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: what the files of pcpu share: the table, and the slab side of a slot.
 * Below: pcpu.h.
 */
#ifndef SLABKIT_PCPU_INTERNAL_H
#define SLABKIT_PCPU_INTERNAL_H

#include "pcpu/pcpu.h"

/* What code under sc_lock asks its caller to do, or was given by it, outside of the lock. */
struct work {
    struct slab *slab;    /* given: a new slab */
    struct parray *array; /* given: an empty array */
    struct list doomed;   /* asked: slabs to unmake */
    bool no_array;        /* there was no memory for one */
    bool stole;           /* other slots were asked already */
};

void work_init(struct work *w);
/* Does what was asked, returns what was given and not used. No lock held. */
void work_finish(struct node_cache *nd, struct work *w);

/* ---- table.c ---- */

struct slot_budget {
    SK_CACHE_ALIGNED int64_t used[NODE_GROUPS]; /* atomic */
};

struct pcpu_table {
    struct plat_lock lock;
    unsigned end;               /* atomic: one more than the largest index */
    unsigned slots_end;         /* atomic: and than the largest slot that has a pair */
    struct slot_cache **pairs;  /* [slot * PLAT_SLOT_ARRAYS + index] */
    struct slot_budget *budget; /* [slot] */
    struct pcpu_limits limits;
    bool forked; /* in a child: what threads of the parent had in their hands is lost */
    struct pcpu_cache *caches[PLAT_SLOT_ARRAYS];
};
extern struct pcpu_table pcpu_table;

struct slot_cache **pcpu_pair_at(unsigned slot, unsigned idx);
/* No slot from here on has a pair. */
SK_INLINE unsigned pcpu_slots_end(void)
{
    return sk_load_acquire(&pcpu_table.slots_end);
}

/* Calls fn for the locks of all pairs, of all nodes of a cache. */
void pcpu_pair_locks(const struct pcpu_cache *c, void (*fn)(struct plat_lock *l));
void pcpu_node_locks(const struct pcpu_cache *c, void (*fn)(struct plat_lock *l));

/* The slot whose slabs serve this thread now; and the one that an object is freed on. */
unsigned pcpu_slot_for(const struct pcpu_cache *c);
unsigned pcpu_slot_from(const struct pcpu_cache *c, const void *p);

/* Creates the pair if need be. NULL: no memory. */
struct slot_cache *slot_cache_get(struct pcpu_cache *c, unsigned slot);

/* Bytes of objects that the arrays of a group installed in a slot may hold. Atomic. */
void slot_budget_add(unsigned slot, enum node_group group, int64_t bytes);
bool slot_budget_allows(unsigned slot, enum node_group group, size_t bytes);

/* ---- array side (install.c), under sc_lock --------------------------------------------------- */

SK_INLINE unsigned side_index(const struct slot_cache *sc, enum side side)
{
    return sc->sc_cache->pc_geom.kind + (side == SIDE_FOREIGN ? PLAT_FOREIGN : 0);
}

SK_INLINE uintptr_t side_word(const struct slot_cache *sc, enum side side)
{
    return sk_load_relaxed(plat_slot_word(sc->sc_slot, side_index(sc, side)));
}

/*
 * Puts pa in the place of the slot's array and returns what the caller is left with: that array
 * (its pa_avail set), NULL if there was none, or pa itself: the thread does not run on this slot
 * any more, and nothing changed.
 */
struct parray *slot_swap(struct slot_cache *sc, enum side side, struct parray *pa);
/* The slot's foreign array for an empty one, if there are at least n objects in it; else NULL. */
struct parray *slot_swap_foreign(struct slot_cache *sc, struct parray *empty, unsigned n);
/* Takes the array out from anywhere, for good. NULL: there was none. */
struct parray *slot_close(struct slot_cache *sc, enum side side);

/* ---- slab side (home.c), under sc_lock ------------------------------------------------------- */

/* An object in an array was in a slab of this cache when it was freed; if it is not any more, it
 * was freed twice, its slab went with the first time, and this is the end. Needs no lock. */
struct slab *slab_holding(const struct pcpu_cache *c, const void *p);
/* The caller's push replaced AWAY: it alone links the slab, and nobody else can reach it meanwhile. true: its owner
 * was told. Needs no lock. */
bool returned_push(struct slab *s);
/* What others brought back goes on the slot's list, or leaves it at once. */
void slot_take_returned(struct slot_cache *sc, struct work *w);
/* Up to n objects of the slot's own slabs; of those on its list, with no other lock taken. */
unsigned slot_take_listed(struct slot_cache *sc, void **out, unsigned n);
unsigned slot_take(struct slot_cache *sc, void **out, unsigned n, struct work *w);
/* Brings objects of any slab of the cache home: own ones directly, others in chains. */
void slot_home(struct slot_cache *sc, void *const *objs, unsigned n, struct work *w);
/* Collects everything that waits for this slot; slabs without objects in use leave. */
void slot_settle(struct slot_cache *sc, struct work *w);
void slot_add_slab(struct slot_cache *sc, struct slab *s);
/* Gives a slab of the slot's list to the node. */
void slot_orphan(struct slot_cache *sc, struct slab *s);

#endif

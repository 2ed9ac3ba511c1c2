/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: one slab: a run of pages cut into objects of one size. Take objects, put them back, and
 *       receive those that other slots send home.
 * Below: region.
 * Owns: struct slab and the free bits behind it.
 * Invariants, at any instant for one slab (F = free bits set, C = objects on the remote chain):
 *       sl_objs = sl_inuse + F + (sl_objs - sl_fresh)
 *       C <= sl_inuse: an object sent home counts as in use until the owner collects it
 *       bit i set => i < sl_fresh: objects from sl_fresh on were never handed out nor touched
 *       sl_remote == SLAB_AWAY => state is OFF, F == 0 and sl_fresh == sl_objs
 * Concurrency: "owner" is whoever holds the lock of slot sl_owner for this cache (the layers above
 *       keep it). Fields say who may touch them. Anyone who holds objects of the slab may call
 *       slab_push_remote; the protocol and its proof are in docs/remote-list.md.
 * Failure: a put of something that is no object in use is answered by a misuse code; nothing is
 *       changed then.
 * Why: free bits beside the descriptor, not a list through the objects: taking and putting touch no
 *       object, a use after free cannot corrupt the list, and a double free is a bit already set.
 */
#ifndef SLABKIT_SLAB_SLAB_H
#define SLABKIT_SLAB_SLAB_H

#include "base/bits.h"
#include "base/list.h"
#include "base/misuse.h"
#include "region/region.h"

struct slab;

/* What is done to all objects of a slab at its begin and at its end. Called without any lock. */
struct slab_hooks {
    /* false: it cannot be had, and what was done is undone. May be NULL. */
    bool (*made)(struct slab *s);
    /* No object is in use. false: not yet; who said so calls node_unmake later. May be NULL. */
    bool (*unmade)(struct slab *s);
};

/* What all slabs of a cache share. Constant before its first slab. */
struct slab_geom {
    const char *name;
    uint32_t size;      /* stride in bytes, a multiple of align */
    uint32_t align;     /* of every object, a power of two, at most SLAB_ALIGN_MAX */
    uint32_t objs;      /* in one slab */
    uint32_t pages;     /* run length */
    uint32_t run_align; /* of the run, in pages, a power of two */
    uint32_t colours; /* first objects may start at 0, colour_off, ... (colours - 1) * colour_off */
    uint32_t colour_off; /* bytes, a multiple of align */
    uint16_t kind;       /* the cache's array index */
    bool link_beside;    /* the links of remote chains lie beside the free bits, not in the objects:
                            those keep their contents while they are free */
    uint64_t recip;      /* sk_recip(size); 0 where objs is 1: every offset is object 0's */
    const struct slab_hooks *hooks; /* or NULL */
};

#define SLAB_MANY_MAX  ((size_t)32 << 10) /* objects up to this have company */
#define SLAB_OBJS_MIN  8u                 /* at least so much */
#define SLAB_WASTE_DIV 8u                 /* at most 1/8 of a run may be left over */
#define SLAB_TIGHT_DIV 64u                /* and 1/64 of one of these bytes, if there is one */
#define SLAB_TIGHT_MAX ((size_t)64 << 10)
#define SLAB_BYTES_MIN ((size_t)16 << 10) /* less would be mostly descriptors and locks */
#define SLAB_OBJ_MAX   ((size_t)16 << 20)
#define SLAB_PAGES_MAX (SLAB_OBJ_MAX / PLAT_PAGE_BYTES)
#define SLAB_ALIGN_MAX ((size_t)64 << 10)

/*
 * Chooses the run: the fewest pages of SLAB_BYTES_MIN or more that leave over at most
 * 1/SLAB_TIGHT_DIV of it, up to SLAB_TIGHT_MAX, or else 1/SLAB_WASTE_DIV, and hold SLAB_OBJS_MIN
 * objects of up to SLAB_MANY_MAX bytes, or one larger object; and the colours from what is left
 * over. size <= SLAB_OBJ_MAX, align a power of two <=
 * SLAB_ALIGN_MAX. No hooks, links inside: who wants them sets the fields afterwards.
 */
void slab_geom_init(struct slab_geom *g, const char *name, size_t size, size_t align,
                    uint16_t kind);

/* Where nothing is left over and an object in 32 or more is a small price, leaves one out of a run
 * of 64, or of SLAB_TIGHT_MAX, so that there are colours all the same. Before the first slab. */
void slab_geom_colour(struct slab_geom *g);

enum slab_state {
    SLAB_PARTIAL, /* on its owner's list */
    SLAB_OFF,     /* on no list: no free object when the owner last looked; away or in limbo */
    SLAB_ORPHAN,  /* on a node's list: its slot sleeps, the next one that needs objects adopts it */
    SLAB_IDLE,    /* on a node's list: no object in use */
};

/* sl_owner of a slab on a node's list: everybody sends objects home through the word. */
#define SLAB_NO_OWNER UINT32_MAX

/* Values of sl_remote that are no chain. */
#define SLAB_EMPTY ((uintptr_t)0)
#define SLAB_AWAY  ((uintptr_t)1)

struct slab {
    /* Constant while the slab exists. */
    const struct slab_geom *sl_geom;
    char *sl_first; /* object 0: run + colour */
    char *sl_run;
    uint32_t sl_objs;
    uint32_t sl_node;  /* whose memory it is */
    uint16_t *sl_tags; /* atomic; see tags.c */

    /* Under the owner's lock (ORPHAN, IDLE: under the node's). */
    uint32_t sl_inuse;
    uint32_t sl_fresh;
    uint32_t sl_free; /* F */
    uint32_t sl_hint; /* no bit is set in words before this one */
    uint16_t sl_state;
    uint16_t sl_sparse; /* see slab_set_sparse */
    uint32_t sl_owner; /* slot. Atomic: read by pushers; changed only while the slab is on a list */
    struct list sl_link;
    struct list sl_all; /* under the node's lock: every slab of the (node, cache) */
    uint32_t sl_walk;   /* private to a walk, which holds every lock of the cache */

    /* Shared with pushers, on a line of its own. */
    SK_CACHE_ALIGNED uintptr_t sl_remote; /* atomic; see above */
    struct slab *sl_ret_next;             /* written by the one pusher that replaced AWAY */

    /* Under the owner's lock. Bit i: object i is free. Behind them, with link_beside, a uint16_t for
     * each object: who sends the object home, then the owner. */
    SK_CACHE_ALIGNED uint64_t sl_bits[];
};

/* A slab over a run the caller got from region, not yet in the page map. NULL: no memory for the
 * descriptor. */
struct slab *slab_make(const struct slab_geom *g, void *run, unsigned colour, unsigned node,
                       unsigned slot);
/* The reverse, hooks aside: no object in use, on no list. Returns the run to region; true as region_free. */
bool slab_unmake(struct slab *s);

/* ---- by the owner ------------------------------------------------------------------------- */

SK_INLINE uint32_t slab_avail(const struct slab *s)
{
    return s->sl_free + (s->sl_objs - s->sl_fresh);
}

/* Up to n free objects, lowest address first: returned ones, then never-touched ones. How many. */
unsigned slab_take(struct slab *s, void **out, unsigned n);
/* Object back. MISUSE_KINDS: done. Otherwise what is wrong with p, and nothing changed. */
enum misuse slab_put(struct slab *s, void *p);
/* Takes the whole chain and puts its objects. How many. A slab that is away stays so. Aborts with a
 * report if one of them is free already. */
unsigned slab_collect(struct slab *s);
/*
 * The changes of state. Each also unlinks the slab from the list it leaves and links it on `list`,
 * the one it joins (under that list's lock).
 */
/* No object is left. false: a chain arrived instead, collect it; the slab stays. */
bool slab_partial_to_away(struct slab *s);
/* By the owner itself, to put an object back. false: a pusher was first and will link the slab. */
bool slab_away_to_partial(struct slab *s, struct list *list);
/* For a slab found on the returned list. */
void slab_returned_to_partial(struct slab *s, struct list *list);
void slab_partial_to_orphan(struct slab *s, struct list *list);
void slab_partial_to_idle(struct slab *s, struct list *list);
void slab_orphan_to_idle(struct slab *s, struct list *list);
/* The adopting slot becomes the owner. */
void slab_orphan_to_partial(struct slab *s, struct list *list, unsigned slot);
void slab_idle_to_partial(struct slab *s, struct list *list, unsigned slot);

/*
 * What the page map tells a free: that the objects are the owner's, which may give them out again at
 * once; or, of a sparse slab, that they are nobody's, so that they come home and the slab empties.
 * For a slab of its owner's list; adoption ends it. Frees on their way may still see the other.
 */
void slab_set_sparse(struct slab *s, bool sparse);

/* ---- by anyone who holds objects of the slab ---------------------------------------------- */

/* Is p an object of s, as far as geometry shows? MISUSE_KINDS: yes. */
enum misuse slab_check(const struct slab *s, const void *p);

/* Number of the object that p, which lies in the objects of s, is or points into. */
SK_INLINE uint32_t slab_index(const struct slab *s, const void *p)
{
    return sk_div_recip((uint32_t)((const char *)p - s->sl_first), s->sl_geom->recip);
}

SK_INLINE void *slab_object(const struct slab *s, uint32_t i)
{
    return s->sl_first + (size_t)i * s->sl_geom->size;
}

/* The object behind obj in a chain, or NULL. Both are objects of s. */
void slab_chain(struct slab *s, void *obj, void *next);
void *slab_chained(const struct slab *s, const void *obj);

/* Sets the tag of an object in use, which its holder may ask for and must take before it frees the
 * object. false: no tags, or no object. Lock-free. */
bool slab_tag(struct slab *s, const void *p, uint16_t tag);
/* Room for tags, by whoever holds an object. false: no memory. Takes meta's lock. */
bool slab_tags_make(struct slab *s);
/* 0: none. untag leaves none. Lock-free. */
uint16_t slab_tag_of(struct slab *s, const void *p);
uint16_t slab_untag(struct slab *s, const void *p);
/* By slab_unmake. */
void slab_tags_free(struct slab *s);

/*
 * Sends home a chain head..tail linked by slab_chain (all of this slab). true: it replaced AWAY, so
 * the caller must now put the slab on its owner's returned list. false: the slab must not be
 * touched any more. Lock-free; one compare-and-swap unless another pusher interferes.
 */
bool slab_push_remote(struct slab *s, void *head, void *tail);

/* Aborts with the line for this misuse; here because it is the lowest layer that finds one. */
_Noreturn void misuse_die(enum misuse what, const void *p, size_t bytes, const char *name);
/* The same, of an object. */
_Noreturn void slab_misuse(enum misuse what, const struct slab_geom *g, const void *p);

/* Every invariant above that one holder of the owner's lock can see. */
bool slab_verify(const struct slab *s);

#endif

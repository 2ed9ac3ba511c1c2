/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: what the files of region share: the state, the index of free runs, the steps between them.
 * Below: plat.
 * Owns: struct region. Every field of it is under region.lock unless it says otherwise.
 * Concurrency: lock order purge_lock, grow_lock, lock; the lock of huge blocks and that of meta
 *       come after these. purge_lock and grow_lock are held across system calls and are taken
 *       only by those who may wait for one; lock never is.
 */
#ifndef SLABKIT_REGION_INTERNAL_H
#define SLABKIT_REGION_INTERNAL_H

#include "region/region.h"
#include "base/bits.h"

#define RUN_NIL       UINT32_MAX
#define RUN_MAX_PAGES (1u << 31)

/* page_info.run_kind at both ends of a free run; RUN_NONE on every page of a used one. */
enum run_kind {
    RUN_NONE = 0, /* used, or fresh */
    RUN_DIRTY,
    RUN_CLEAN,
    RUN_TRANSIT, /* on its way to the system: on no list, merges with nothing, counts as dirty */
    RUN_HELD,    /* the same of its entries in the maps; counts as clean */
    RUN_KINDS
};

/* Of a free run, at its first page: beside the pages, so that those can be given back and need
 * not be touched. */
struct run_node {
    uint32_t left, right;  /* index: treap ordered by (pages, address), heap by prio */
    uint32_t older, newer; /* dirty runs: the queue of ages */
    uint32_t pages;
    uint32_t prio;
    uint64_t stamp; /* dirty runs: generation in which the run became free; clean runs: maps.c */
};

/* ---- index of the free runs of one kind, by size (index.c) ------------------------------ */

/* Sizes below 32 pages have a bin each, then eight bins per doubling. */
#define RUN_EXACT_BINS 32u
#define RUN_BINS       256u

struct run_index {
    uint64_t used[RUN_BINS / SK_WORD_BITS]; /* bit b set <=> root[b] != RUN_NIL */
    uint32_t root[RUN_BINS];
};

void run_index_init(struct run_index *ix);
void run_index_insert(struct run_index *ix, uint32_t page, uint32_t pages);
void run_index_remove(struct run_index *ix, uint32_t page);
/* The smallest run of at least `pages`, the lowest in address among equals; RUN_NIL: none. */
uint32_t run_index_fit(const struct run_index *ix, uint32_t pages);
/* The first in order of length, then address, that is longer than `pages`, or as long and above
 * `page`; RUN_NIL: none. */
uint32_t run_index_after(const struct run_index *ix, uint32_t pages, uint32_t page);
/* Walks everything; counts its runs. UINT32_MAX: broken. */
uint32_t run_index_verify(const struct run_index *ix);

/* ---- queue of dirty runs by age (age.c) ------------------------------------------------- */

/* Stamps never fall from oldest to youngest. */
struct run_ages {
    uint32_t oldest, youngest;
};

void run_age_push(uint32_t page, uint64_t stamp);
void run_age_remove(uint32_t page);
/* `page` takes the place and the stamp of `old`, which leaves the queue. */
void run_age_replace(uint32_t old, uint32_t page);
/* `page` gets the place behind `place` and its stamp. */
void run_age_insert_after(uint32_t place, uint32_t page);
/* Counts the queue's runs. UINT32_MAX: broken. */
uint32_t run_age_verify(void);

/* ---- state ------------------------------------------------------------------------------ */

enum region_maps {
    MAP_KIND,
    MAP_INFO,
    MAP_NODES,
    REGION_MAPS
};

struct region {
    struct plat_lock lock SK_CACHE_ALIGNED;
    uint32_t frontier;   /* first fresh page; what is before it is not clean */
    uint32_t committed;  /* pages below are usable; written under grow_lock too; >= frontier */
    uint32_t given_back; /* fresh pages from here on are usable still; those before may not be */
    /* Per map: entries from here on were never written to or were given back, unless they are
     * below the frontier. */
    uint32_t map_high[REGION_MAPS];
    size_t used_pages, dirty_pages, clean_pages; /* their sum is frontier */
    struct run_ages ages;
    uint64_t generation; /* counts region_reap */
    uint64_t huge_bytes, huge_blocks;
    uint64_t peak_bytes, returned_bytes;
    uint64_t runs_allocated, runs_freed, trims, reaps;
    struct run_index index[RUN_CLEAN + 1]; /* RUN_DIRTY and RUN_CLEAN */

    /* Holder: the one thread that has pages in transit, or held. */
    struct plat_lock purge_lock SK_CACHE_ALIGNED;
    /* Holder: the one thread that commits at the frontier. */
    struct plat_lock grow_lock SK_CACHE_ALIGNED;
    size_t map_committed_bytes[REGION_MAPS]; /* under grow_lock: the begin that is writable */

    /* Constant after region_init. */
    struct run_node *nodes SK_CACHE_ALIGNED;
    size_t dirty_floor_pages;
    unsigned dirty_percent;
    bool lazy;          /* atomic: region_set_lazy */
    uint64_t big_frees; /* atomic: blocks freed that were worth huge pages */
    enum region_hugepages hugepages;
};
extern struct region region;

/* ---- reservation (pagemap.c) ------------------------------------------------------------ */

/* Reserves the range and its maps and fills in region_map; false: nothing reserved. */
bool region_map_reserve(size_t pages);
/* Bytes of each map for so many pages, in whole system pages. */
size_t region_kind_bytes(size_t pages);
size_t region_info_bytes(size_t pages);
size_t region_nodes_bytes(size_t pages);
/* The owner's entries of pages on their way back: free, of no cache. */
void region_map_reset(uint32_t page, uint32_t pages);

/* ---- frontier (grow.c) ------------------------------------------------------------------ */

/* Makes every page below `end` usable. false: beyond the range, or refused. Caller holds neither
 * lock nor grow_lock. */
bool region_grow(uint64_t end);
/* Advice for memory that is fresh from the system. */
void region_note_big_free(size_t bytes);
void region_advise_fresh(void *p, size_t bytes);

/* ---- runs under the lock (runs.c) ------------------------------------------------------- */

/* Cuts the pages [at, at + pages) out of the listed free run that begins at `head`. */
void run_take(enum run_kind kind, uint32_t head, uint32_t at, uint32_t pages);
/* Merged with the clean runs beside it; returns where the whole begins. What ends at the frontier
 * is fresh instead. */
uint32_t run_insert_clean(uint32_t page, uint32_t pages);
void run_tag(enum run_kind kind, uint32_t page, uint32_t pages);
void run_untag(uint32_t page, uint32_t pages);
size_t run_dirty_limit_pages(void);
void region_note_peak(void);

/* ---- purging (purge.c) ------------------------------------------------------------------ */

/* Gives back what was dirty when called. Caller holds purge_lock. */
void region_purge_all(void);

/* ---- the maps' memory (maps.c) ---------------------------------------------------------- */

/* Before the frontier falls; caller holds lock. */
void region_note_frontier(void);
/* Gives back what no page in use needs. Caller holds no lock of region. */
void region_trim_maps(void);

/* ---- huge blocks (huge.c) --------------------------------------------------------------- */

void huge_fork_prepare(void);
void huge_fork_parent(void);
void huge_fork_child(void);
bool huge_verify(void);

#endif

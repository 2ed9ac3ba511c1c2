/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: one reserved range of address space, handed out in runs of pages, and the page map
 *       that says what each page is.
 * Below: plat.
 * Owns: the range, the page map, the free runs, huge blocks outside the range, and the memory
 *       of slabkit's own metadata (meta.h).
 * Invariants (pages of the range, at any instant under the region lock):
 *       total   = used + dirty + clean + fresh
 *       fresh   = pages at and above the frontier: never handed out, or clean again and nothing
 *                 but fresh pages above
 *       dirty   = free, may hold old contents and be resident; clean = free, reads as zero;
 *                 pages on their way to the system still count as dirty
 *       no two free runs of one kind (dirty, clean) touch
 * Concurrency: one lock for the runs, one for huge blocks. No system call under either: pages on
 *       their way to the system are taken off the lists first and put back clean afterwards.
 *       The page map's entries of a run are written by whoever owns the run, before its first
 *       object is given out and after its last came back, hence read without a lock by anyone
 *       who holds an object of it.
 * Failure: NULL; nothing changed.
 * Why: a flat map, because a free spends its time finding the cache (a three-level map costs
 *       several nanoseconds more); 32 bits per page of 16 KiB are 256 KiB per GiB.
 */
#ifndef SLABKIT_REGION_REGION_H
#define SLABKIT_REGION_REGION_H

#include "plat/plat.h"

struct slab;

/* What a page is, beyond the kind that the hit path reads. */
enum page_state {
    PAGE_FREE = 0,   /* in a free run, or never used: no object was ever valid here */
    PAGE_SLAB,       /* owner is the struct slab; set on every page of the run */
    PAGE_LARGE_HEAD, /* first page of a large block */
    PAGE_LARGE_BODY, /* any other page of it */
};

struct page_info {
    union {
        struct slab *slab;             /* PAGE_SLAB */
        struct {                       /* PAGE_LARGE_HEAD */
            uint64_t large_bytes : 48; /* bytes the caller may use */
            uint64_t tag : 16; /* a number of the layers above, theirs while they hold the block */
        };
    };
    uint32_t run_pages; /* PAGE_LARGE_HEAD: length of the run; free runs: at both ends */
    uint8_t state;      /* enum page_state */
    uint8_t run_kind;   /* private to region */
    uint16_t placed;    /* 1 + the node that region_place was told of; 0: none. Outlives the run */
};

/* Constant after region_init. Before it npages is 0, so that every address is outside. */
struct region_map {
    uintptr_t base;
    size_t npages;
    uint32_t *kind; /* per page: 0, or the PLAT_KIND of the slab it is in. Atomic */
    struct page_info *info;
};
extern PLAT_HIDDEN struct region_map region_map;

/*
 * The map as the hit path of free reads it: empty until region_show_hits, and for ever where every
 * free is to take the slow path: then every address is outside.
 */
extern PLAT_HIDDEN struct region_map region_hits;
void region_show_hits(void);

/* Page number of an address in the range; anything >= region_map.npages is outside of it. */
SK_INLINE size_t region_page(const void *p)
{
    return ((uintptr_t)p - region_map.base) >> PLAT_PAGE_SHIFT;
}

SK_INLINE void *region_page_addr(size_t page)
{
    return (void *)(region_map.base + (page << PLAT_PAGE_SHIFT));
}

/* Index 0 for an address outside, or not in a slab. */
SK_INLINE uint32_t region_kind(const void *p)
{
    size_t page = region_page(p);
    return SK_LIKELY(page < region_map.npages) ? sk_load_relaxed(&region_map.kind[page])
                                               : PLAT_KIND_NONE;
}

/* The same, as the hit path sees it. */
SK_INLINE uint32_t region_hit_kind(const void *p)
{
    size_t page = ((uintptr_t)p - region_hits.base) >> PLAT_PAGE_SHIFT;
    return SK_LIKELY(page < region_hits.npages) ? sk_load_relaxed(&region_hits.kind[page])
                                                : PLAT_KIND_NONE;
}

/* The array index alone. */
SK_INLINE unsigned region_index(const void *p)
{
    return PLAT_KIND_INDEX(region_kind(p));
}

/* NULL for an address outside of the range. */
SK_INLINE struct page_info *region_info(const void *p)
{
    size_t page = region_page(p);
    return page < region_map.npages ? &region_map.info[page] : NULL;
}

enum region_hugepages {
    REGION_HUGE_NEVER,
    REGION_HUGE_AUTO,
    REGION_HUGE_ALWAYS
};

struct region_config {
    size_t reserve_bytes;     /* wish; halved until the system and RLIMIT_AS allow it */
    size_t dirty_floor_bytes; /* free dirty memory always kept */
    unsigned dirty_percent;   /* and this share of the used memory */
    enum region_hugepages hugepages;
};

/* Never fails: with no address space at all npages is 0 and every allocation is NULL. */
void region_init(const struct region_config *cfg);

/*
 * A run of `pages` pages, aligned to `align_pages` pages (a power of two). *zeroed (may be NULL)
 * says whether all of it reads as zero. Prefers dirty runs (resident already), best fit, then
 * clean, then fresh. O(log runs). NULL when exhausted.
 */
void *region_alloc(size_t pages, size_t align_pages, bool *zeroed);
/* Returns a whole run as dirty. Resets its page map entries. Makes no system call; when the
 * dirty memory is now over its limit it returns true and the caller, holding no lock, calls
 * region_trim_excess. */
bool region_free(void *run, size_t pages);
/* Grows a run in place to new_pages if the pages behind it are free. *zeroed as above, for the
 * added part. */
bool region_extend(void *run, size_t pages, size_t new_pages, bool *zeroed);
/* Frees the tail of a run; return value as region_free. */
bool region_shrink(void *run, size_t pages, size_t new_pages);

/* Gives dirty pages over the limit back to the system, oldest first, down to 3/4 of the limit:
 * hysteresis, so that a loop around the limit makes no call per round. Returns bytes. */
size_t region_trim_excess(void);
/* Somebody calls region_reap regularly: region_free leaves the excess to that, and only growth (an
 * allocation that no dirty run could serve) trims. Off at first. */
void region_set_lazy(bool lazy);
/* How often region_trim_excess had something to do. */
uint64_t region_trims(void);
/* Ageing by calls (the reaper's tick): gives back the dirty runs that were free during the whole
 * interval between two calls, that is since before the last call, leaving `keep_bytes`. force: all
 * of them at once. Returns bytes of these; what the page map and metadata no longer need goes, too.
 */
size_t region_reap(size_t keep_bytes, bool force);

/* Page map, by the owner of the run. */
void region_set_slab(void *run, size_t pages, uint32_t kind, struct slab *slab);
/* Of a slab in use: another owner. Who frees an object meanwhile takes either for its kind. */
void region_set_kind(void *run, size_t pages, uint32_t kind);
void region_set_large(void *run, size_t pages, size_t usable_bytes);
/* The run is for the slots of this node. Pages that may lie on another one are given back, so that
 * they come from where they are touched first. zeroed: as region_alloc said. Makes a system call at
 * most when the run was another node's or a large block's before, and none for a thread that must not:
 * then nothing is done. */
void region_place(void *run, size_t pages, unsigned node, bool zeroed);

/* ---- huge blocks: outside of the range, straight from the system ------------------------ */

/* bytes are rounded up to the system page; align a power of two, raised to PLAT_PAGE_BYTES. Zero.
 * NULL when refused. */
void *region_huge_alloc(size_t bytes, size_t align);
/* Usable bytes of the huge block that begins at p; 0 if none begins there. */
size_t region_huge_bytes(const void *p);
/* The tag of the huge block that begins at p becomes `tag`; what it was. 0 at first, and where none
 * begins. */
uint16_t region_huge_tag(const void *p, uint16_t tag);
uint16_t region_huge_tag_of(const void *p);
/* The huge block that p points into (not at its begin), or NULL: for a misuse report. */
void *region_huge_inside(const void *p);
/* false: none begins there. */
bool region_huge_free(void *p);
/* By mremap; NULL when refused, p stays. */
void *region_huge_resize(void *p, size_t bytes);

/* ---- figures, fork, verify ------------------------------------------------------------------- */

struct region_stats {
    uint64_t reserved_bytes, used_bytes, dirty_bytes, clean_bytes, fresh_bytes;
    uint64_t huge_bytes, huge_blocks, meta_bytes;
    uint64_t peak_bytes;     /* most of used + huge ever */
    uint64_t returned_bytes; /* given back to the system, in sum */
    uint64_t runs_allocated, runs_freed, trims, reaps;
};
void region_get_stats(struct region_stats *out);

/* Of the runs and huge blocks. meta's hooks come after prepare and before parent and child. */
void region_fork_prepare(void);
void region_fork_parent(void);
void region_fork_child(void);

/* Walks everything; true if every invariant above holds. Takes the lock. For tests and debugging.
 */
bool region_verify(void);

#endif

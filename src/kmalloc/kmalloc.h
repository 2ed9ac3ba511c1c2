/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: blocks of any size: size classes over the slots' caches, large blocks as runs of
 *       pages, huge blocks from the system.
 * Below: pcpu, region.
 * Owns: the size classes and their caches, the counts of large and huge blocks, the arena and
 *       the list that serve calls which interrupted a slow path.
 *
 *       size                         block
 *       0 .. KM_SMALL_MAX            an object of a size class
 *       .. KM_MEDIUM_MAX             a slab of one object, kept in arrays like any other
 *       .. KM_HUGE_MIN - 1           a run of pages of the range
 *       KM_HUGE_MIN ..               a mapping of its own, grown by mremap
 *
 * Concurrency: everything callable from any thread. From a handler that interrupted a slow path
 *       of the same thread: allocation is served from arrays, from slabs that nobody is at, or
 *       from the nested arena; frees go home without a lock, those of large blocks are deferred.
 * Failure: NULL. Misuse: one line, then abort.
 */
#ifndef SLABKIT_KMALLOC_KMALLOC_H
#define SLABKIT_KMALLOC_KMALLOC_H

#include "pcpu/hit.h"
#include "pcpu/pcpu.h"

/* 8, 16, 32, .. 128 by 16, then 8 classes per doubling: at most 12.5 % lost. */
#define KM_SMALL_MAX ((size_t)32 << 10)
#define KM_FINE_MAX  ((size_t)1024)
#define KM_CLASSES   73u
/* Above: by steps. */
#define KM_MEDIUM_STEP ((size_t)64 << 10)
#define KM_MEDIUMS     4u
#define KM_MEDIUM_MAX  (KM_MEDIUMS * KM_MEDIUM_STEP)
#define KM_CACHES      (KM_CLASSES + KM_MEDIUMS) /* their indices are 1 .. KM_CACHES */
#define KM_HUGE_MIN    ((size_t)32 << 20)
#define KM_SIZE_MAX    ((size_t)PTRDIFF_MAX)

/* Class of a size, as array index; 0 before km_init. */
extern PLAT_HIDDEN uint8_t km_class_fine[KM_FINE_MAX / 8 + 1];      /* [(size + 7) / 8] */
extern PLAT_HIDDEN uint8_t km_class_coarse[KM_SMALL_MAX / 128 + 1]; /* [(size + 127) / 128] */

/* Class of each size as the hit path of malloc reads it: 0 for ever where region_hits is empty. By bytes, for two
 * instructions less; what a program asks for lies in a few of its lines. */
extern PLAT_HIDDEN uint8_t km_hit_fine[KM_FINE_MAX + 1];

/* Bytes of an object of class i, 1 .. KM_CACHES. */
size_t km_class_bytes(unsigned i);

/* KM_SMALL_MAX < size <= KM_MEDIUM_MAX. */
SK_INLINE unsigned km_medium(size_t size)
{
    return KM_CLASSES + (unsigned)((size + KM_MEDIUM_STEP - 1) / KM_MEDIUM_STEP);
}

/* size <= KM_MEDIUM_MAX. */
SK_INLINE unsigned km_class(size_t size)
{
    if (SK_LIKELY(size <= KM_FINE_MAX))
        return km_class_fine[(size + 7) / 8];
    return size <= KM_SMALL_MAX ? km_class_coarse[(size + 127) / 128] : km_medium(size);
}

/* The hit path of malloc. NULL: km_alloc_coarse_hit, then km_alloc_slow. */
SK_INLINE void *km_alloc_hit(size_t size)
{
    return SK_LIKELY(size <= KM_FINE_MAX) ? pcpu_alloc_hit(km_hit_fine[size]) : NULL;
}

/* That of free. false: km_free_slow. */
SK_INLINE bool km_free_hit(void *p)
{
    return plat_slot_push(region_hit_kind(p), p);
}

/* The second half of malloc's hit, for the sizes between. */
SK_INLINE void *km_alloc_coarse_hit(size_t size)
{
    return size > KM_FINE_MAX && size <= KM_MEDIUM_MAX ? pcpu_alloc_hit(km_class(size)) : NULL;
}

/* Everybody else's. */
SK_INLINE void *km_alloc_any_hit(size_t size)
{
    return size <= KM_MEDIUM_MAX ? pcpu_alloc_hit(km_class(size)) : NULL;
}

/* Once, by one thread, after pcpu_init. */
void km_init(void);
bool km_started(void);

void *km_alloc_slow(size_t size);
/* p may be NULL. Context: any; never fails. */
void km_free_slow(void *p);

SK_INLINE void *km_alloc(size_t size)
{
    void *p = km_alloc_any_hit(size);
    return SK_LIKELY(p != NULL) ? p : km_alloc_slow(size);
}

SK_INLINE void km_free(void *p)
{
    if (SK_UNLIKELY(!pcpu_free_hit(p)))
        km_free_slow(p);
}

void *km_zalloc(size_t size);
/* align a power of two. */
void *km_alloc_aligned(size_t size, size_t align);
/* p != NULL, size != 0. NULL: exhausted, p stays. */
void *km_realloc(void *p, size_t size);
/* Bytes that may be used at p, a live block; `who` names the caller in a report. */
size_t km_usable(const void *p, const char *who);
/* Aborts with a report if a block at p cannot have been allocated with this size (align 0: any). */
void km_check_sized(const void *p, size_t size, size_t align);
/* What km_alloc(size) would make usable. */
size_t km_good_size(size_t size);

/* Everything free goes back to the system, but keep_bytes of free pages. Bytes returned. */
size_t km_trim(size_t keep_bytes);

struct km_stats {
    uint64_t large_allocs, large_frees, large_bytes;
    uint64_t huge_allocs, huge_frees;
    uint64_t nested_allocs, deferred_frees;
};
void km_get_stats(struct km_stats *out);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * slabkit/compat/umem.h: the interface of libumem, umem_alloc(3MALLOC) and umem_cache_create(3MALLOC)
 * of illumos and Solaris, over slabkit's caches and types. Replaces #include <umem.h>.
 *
 * Any thread, constructors of shared objects included, not signal handlers. Blocks of umem_alloc have
 * the type "umem". docs/compat.md says what differs.
 */
#ifndef SLABKIT_COMPAT_UMEM_H
#define SLABKIT_COMPAT_UMEM_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- flags ----------------------------------------------------------------------------------- */

#define UMEM_DEFAULT 0x0000 /* NULL when there is no memory */
#define UMEM_NOFAIL  0x0100 /* never NULL: the nofail callback decides */

/* What a nofail callback may return. */
#define UMEM_CALLBACK_RETRY        0
#define UMEM_CALLBACK_EXIT(status) (0x100 | ((status)&0xff))

#define UMC_NOTOUCH    0x00010000 /* not with a constructor; nothing here touches free objects */
#define UMC_NODEBUG    0x00020000 /* accepted; debugging is off unless SLABKIT_OPTIONS asks for it */
#define UMC_NOMAGAZINE 0x00040000 /* arrays of one object */
#define UMC_NOHASH     0x00080000 /* accepted; there is no hash */

#define UMEM_CACHE_NAMELEN 31 /* characters kept of a cache's name */

typedef struct slabkit_umem_cache umem_cache_t;
typedef struct slabkit_vmem vmem_t; /* has no objects: the argument is NULL */

/* 0, or anything else: the object cannot be constructed, and the allocation fails. umem_flags is
 * UMEM_DEFAULT or UMEM_NOFAIL, as the allocation that needs it. */
typedef int umem_constructor_t(void *obj, void *callback_data, int umem_flags);
typedef void umem_destructor_t(void *obj, void *callback_data);
typedef void umem_reclaim_t(void *callback_data);
/* UMEM_CALLBACK_RETRY, UMEM_CALLBACK_EXIT(status); anything else is UMEM_CALLBACK_EXIT(255). */
typedef int umem_nofail_callback_t(void);

/* ---- blocks ---------------------------------------------------------------------------------- */

/* flags: UMEM_DEFAULT or UMEM_NOFAIL. NULL of 0 bytes. NULL with errno ENOMEM. Aligned to 16 (8 for
 * up to 8 bytes). */
void *slabkit_umem_alloc(size_t size, int flags);
void *slabkit_umem_zalloc(size_t size, int flags);
/* align: a power of two, or 0: as umem_alloc; else NULL with EINVAL. */
void *slabkit_umem_alloc_align(size_t size, size_t align, int flags);
/*
 * size must be that of the allocation; another one, and a write to the first byte after the block,
 * is one line on stderr and abort. Not seen: a size that is all a block of this kind could hold,
 * when less had been asked for. NULL with size 0: nothing.
 */
void slabkit_umem_free(void *p, size_t size);
/* align is not looked at. */
void slabkit_umem_free_align(void *p, size_t size);

/* Called when a UMEM_NOFAIL allocation has failed, with no lock held; may free memory, and may be
 * called by several threads at once. NULL: UMEM_CALLBACK_EXIT(255), as before the first call. One
 * thread exits; others wait for the end. */
void slabkit_umem_nofail_callback(umem_nofail_callback_t *callback);

/* Gives all free memory back to the system. */
void slabkit_umem_reap(void);

/* ---- caches ---------------------------------------------------------------------------------- */

/*
 * bufsize: 1 .. 16 MiB. align: a power of two up to 64 KiB, or 0. constructor, destructor, reclaim may
 * be NULL. source: NULL. NULL with errno: EINVAL (sizes, source, unknown cflags, UMC_NOTOUCH with a
 * constructor), ENOMEM, ENOSPC.
 */
umem_cache_t *slabkit_umem_cache_create(const char *name, size_t bufsize, size_t align,
                                        umem_constructor_t *constructor,
                                        umem_destructor_t *destructor, umem_reclaim_t *reclaim,
                                        void *callback_data, vmem_t *source, int cflags);
/* No object may live: otherwise a line says so and the cache stays. NULL: nothing. */
void slabkit_umem_cache_destroy(umem_cache_t *c);
void *slabkit_umem_cache_alloc(umem_cache_t *c, int flags);
void slabkit_umem_cache_free(umem_cache_t *c, void *obj);

#ifdef __cplusplus
}
#endif

/* ---- the names ------------------------------------------------------------------------------- */

#ifndef SLABKIT_COMPAT_NO_NAMES
#define umem_alloc           slabkit_umem_alloc
#define umem_zalloc          slabkit_umem_zalloc
#define umem_alloc_align     slabkit_umem_alloc_align
#define umem_free            slabkit_umem_free
#define umem_free_align      slabkit_umem_free_align
#define umem_nofail_callback slabkit_umem_nofail_callback
#define umem_reap            slabkit_umem_reap
#define umem_cache_create    slabkit_umem_cache_create
#define umem_cache_destroy   slabkit_umem_cache_destroy
#define umem_cache_alloc     slabkit_umem_cache_alloc
#define umem_cache_free      slabkit_umem_cache_free
#endif

#endif

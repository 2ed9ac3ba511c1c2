/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * slabkit/compat/linux/slab.h: the allocation calls of the Linux kernel for code that moves to user
 * space unchanged: kmem_cache, kmalloc and their families, over slabkit's caches and types. With
 * -I.../slabkit/compat that code's own #include <linux/slab.h> finds this file.
 *
 * Where Linux and slabkit give one name to different functions, macros at the end of this file map
 * the name to Linux's; a file that wants both includes the native headers first (this one does) and
 * calls native functions in another file. C only, C11 and later.
 *
 * Blocks of the kmalloc family have the type M_LINUX. Contexts are those of the native calls: any
 * thread, not a signal handler. docs/compat.md says what differs from the kernel.
 */
#ifndef SLABKIT_COMPAT_LINUX_SLAB_H
#define SLABKIT_COMPAT_LINUX_SLAB_H

#ifdef __cplusplus
#error "C only: it chooses functions by _Generic"
#endif

#include <slabkit/compat/linux/gfp.h>
#include <slabkit/kmalloc.h>
#include <slabkit/kmem_cache.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

/* ---- caches -------------------------------------------------------------------------------------
 * Flags. Those in the first group do something; the others are accepted.
 */
typedef unsigned int slab_flags_t;

#define SLAB_CONSISTENCY_CHECKS ((slab_flags_t)KMEM_CONSISTENCY)
#define SLAB_RED_ZONE           ((slab_flags_t)KMEM_REDZONE)
#define SLAB_POISON             ((slab_flags_t)KMEM_POISON)
#define SLAB_STORE_USER         ((slab_flags_t)KMEM_STORE_USER)
#define SLAB_TRACE              ((slab_flags_t)KMEM_TRACE)
#define SLAB_HWCACHE_ALIGN      ((slab_flags_t)KMEM_HWALIGN)
#define SLAB_TYPESAFE_BY_RCU    ((slab_flags_t)KMEM_TYPESAFE)
#define SLAB_PANIC              ((slab_flags_t)0x00010000) /* a failed create is a line and an abort */

#define SLAB_NO_MERGE        ((slab_flags_t)0x00020000) /* caches are not merged unless asked for */
#define SLAB_RECLAIM_ACCOUNT ((slab_flags_t)0x00040000)
#define SLAB_ACCOUNT         ((slab_flags_t)0x00080000)
#define SLAB_TEMPORARY       SLAB_RECLAIM_ACCOUNT
#define SLAB_CACHE_DMA       ((slab_flags_t)0x00100000)
#define SLAB_CACHE_DMA32     ((slab_flags_t)0x00200000)
#define SLAB_NOLEAKTRACE     ((slab_flags_t)0x00400000)
#define SLAB_FAILSLAB        ((slab_flags_t)0x00800000)
#define SLAB_KASAN           ((slab_flags_t)0x01000000)
#define SLAB_NO_USER_FLAGS   ((slab_flags_t)0x02000000)
#define SLAB_DEBUG_OBJECTS   ((slab_flags_t)0x04000000)
#define SLAB_MEM_SPREAD      ((slab_flags_t)0)

/* struct kmem_cache_args as Linux has it. */
struct slabkit_linux_cache_args {
    unsigned int align;
    unsigned int useroffset, usersize;
    unsigned int freeptr_offset;
    bool use_freeptr_offset;
    void (*ctor)(void *obj);
    unsigned int sheaf_capacity;
};

/* All may make system calls. NULL with errno: EINVAL (also: a usercopy or free pointer region outside
 * of the object, a free pointer's place without SLAB_TYPESAFE_BY_RCU), ENOMEM, ENOSPC. */
struct kmem_cache *slabkit_linux_cache_create(const char *name, unsigned int size,
                                              unsigned int align, slab_flags_t flags,
                                              void (*ctor)(void *obj));
struct kmem_cache *slabkit_linux_cache_create_args(const char *name, unsigned int size,
                                                   struct slabkit_linux_cache_args *args,
                                                   slab_flags_t flags);
struct kmem_cache *slabkit_linux_cache_create_usercopy(const char *name, unsigned int size,
                                                       unsigned int align, slab_flags_t flags,
                                                       unsigned int useroffset,
                                                       unsigned int usersize,
                                                       void (*ctor)(void *obj));

/* args: NULL, as a pointer to void. */
static inline struct kmem_cache *slabkit_linux_cache_create_plain(const char *name,
                                                                  unsigned int size, void *args,
                                                                  slab_flags_t flags)
{
    return slabkit_linux_cache_create_args(name, size, (struct slabkit_linux_cache_args *)args,
                                           flags);
}

/* A cache in which objects live stays, and a line says so. */
static inline void slabkit_linux_cache_destroy(struct kmem_cache *c)
{
    (void)kmem_cache_destroy(c);
}

/* What a native call is told. */
static inline int slabkit_linux_flags(gfp_t gfp)
{
    int zero = gfp & __GFP_ZERO ? M_ZERO : 0;

    if (gfp & __GFP_DIRECT_RECLAIM)
        return M_WAITOK | M_NULLOK | zero;
    return (gfp & __GFP_HIGH ? M_RNOWAIT | M_USE_RESERVE : M_NOWAIT) | zero;
}

/* After a first attempt failed: what else gfp wants tried or said. */
void *slabkit_linux_cache_alloc_again(struct kmem_cache *c, gfp_t gfp);

static inline void *slabkit_linux_cache_alloc(struct kmem_cache *c, gfp_t gfp)
{
    void *p = kmem_cache_alloc(c, slabkit_linux_flags(gfp));

    return p ? p : slabkit_linux_cache_alloc_again(c, gfp);
}

static inline void *slabkit_linux_cache_zalloc(struct kmem_cache *c, gfp_t gfp)
{
    return slabkit_linux_cache_alloc(c, gfp | __GFP_ZERO);
}

static inline void *slabkit_linux_cache_alloc_node(struct kmem_cache *c, gfp_t gfp, int node)
{
    (void)node;
    return slabkit_linux_cache_alloc(c, gfp);
}

/* n, or 0 and nothing is allocated. */
int slabkit_linux_cache_alloc_bulk(struct kmem_cache *c, gfp_t gfp, size_t n, void **out);
/* c may be NULL: blocks of kmalloc, and objects of any cache. */
void slabkit_linux_cache_free_bulk(struct kmem_cache *c, size_t n, void **objs);

/* ---- blocks ---------------------------------------------------------------------------------- */

#define ZERO_SIZE_PTR         KMALLOC_ZERO
#define ZERO_OR_NULL_PTR(p)   (!(p) || (const void *)(p) == ZERO_SIZE_PTR)
#define ARCH_KMALLOC_MINALIGN 8
#define KMALLOC_MAX_SIZE      (SIZE_MAX / 4)

/* The type of all blocks below: for limits and figures. */
struct malloc_type *slabkit_linux_type(void);
#define M_LINUX (slabkit_linux_type())

void *slabkit_linux_kmalloc(size_t size, gfp_t gfp) __attribute__((malloc));
void *slabkit_linux_krealloc(const void *p, size_t size, gfp_t gfp);
/* p: a block, an object of any cache, ZERO_SIZE_PTR or NULL. */
void slabkit_linux_kfree(const void *p);
/* Clears all of it first. */
void slabkit_linux_kfree_sensitive(const void *p);
/* Bytes that may be used; 0 for NULL and ZERO_SIZE_PTR. */
size_t slabkit_linux_ksize(const void *p);
/* What ksize of a block of this size would be. */
size_t slabkit_linux_kmalloc_size_roundup(size_t size);

static inline void *slabkit_linux_kzalloc(size_t size, gfp_t gfp)
{
    return slabkit_linux_kmalloc(size, gfp | __GFP_ZERO);
}

static inline void *slabkit_linux_kmalloc_array(size_t n, size_t size, gfp_t gfp)
{
    size_t bytes;

    return __builtin_mul_overflow(n, size, &bytes) ? NULL : slabkit_linux_kmalloc(bytes, gfp);
}

static inline void *slabkit_linux_kcalloc(size_t n, size_t size, gfp_t gfp)
{
    return slabkit_linux_kmalloc_array(n, size, gfp | __GFP_ZERO);
}

static inline void *slabkit_linux_krealloc_array(void *p, size_t n, size_t size, gfp_t gfp)
{
    size_t bytes;

    return __builtin_mul_overflow(n, size, &bytes) ? NULL : slabkit_linux_krealloc(p, bytes, gfp);
}

static inline void *slabkit_linux_kmalloc_node(size_t size, gfp_t gfp, int node)
{
    (void)node;
    return slabkit_linux_kmalloc(size, gfp);
}

static inline void *slabkit_linux_kzalloc_node(size_t size, gfp_t gfp, int node)
{
    (void)node;
    return slabkit_linux_kzalloc(size, gfp);
}

static inline void *slabkit_linux_kmalloc_array_node(size_t n, size_t size, gfp_t gfp, int node)
{
    (void)node;
    return slabkit_linux_kmalloc_array(n, size, gfp);
}

static inline void *slabkit_linux_kcalloc_node(size_t n, size_t size, gfp_t gfp, int node)
{
    (void)node;
    return slabkit_linux_kcalloc(n, size, gfp);
}

static inline void slabkit_linux_kvfree_sensitive(const void *p, size_t bytes)
{
    (void)bytes;
    slabkit_linux_kfree_sensitive(p);
}

/* ---- text and copies --------------------------------------------------------------------------- */

/* NULL of NULL. */
char *slabkit_linux_kstrdup(const char *s, gfp_t gfp);
/* At most n characters, and a terminator. */
char *slabkit_linux_kstrndup(const char *s, size_t n, gfp_t gfp);
void *slabkit_linux_kmemdup(const void *p, size_t size, gfp_t gfp);
/* n bytes, and a terminator. */
char *slabkit_linux_kmemdup_nul(const char *p, size_t n, gfp_t gfp);
char *slabkit_linux_kvasprintf(gfp_t gfp, const char *format, va_list args)
    __attribute__((format(printf, 2, 0)));
char *slabkit_linux_kasprintf(gfp_t gfp, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static inline void *slabkit_linux_kmemdup_array(const void *p, size_t n, size_t size, gfp_t gfp)
{
    size_t bytes;

    return __builtin_mul_overflow(n, size, &bytes) ? NULL : slabkit_linux_kmemdup(p, bytes, gfp);
}

#include <slabkit/compat/linux/mempool.h>

#ifndef SLABKIT_COMPAT_NO_NAMES
#include <slabkit/compat/linux/names.h>
#endif

#endif

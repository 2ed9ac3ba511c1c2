/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * slabkit/compat/linux/names.h: the names by which Linux knows the functions of slab.h. Included by
 * slab.h only, when every declaration that these names could disturb has been seen.
 *
 * Nearly all are names of functions, not macros with arguments, so that their addresses can be
 * taken as in the kernel. kmem_cache_free, kmem_cache_shrink, kmem_cache_size and kmem_cache_verify
 * are the native ones.
 */
#ifndef SLABKIT_COMPAT_LINUX_NAMES_H
#define SLABKIT_COMPAT_LINUX_NAMES_H

/* ---- caches ---------------------------------------------------------------------------------- */

#define kmem_cache_args slabkit_linux_cache_args

/* (name, size, args, flags), where args may be NULL, or (name, size, align, flags, ctor). */
#define kmem_cache_create(name, size, args, ...)                                                   \
    _Generic((args), struct slabkit_linux_cache_args *                                             \
             : slabkit_linux_cache_create_args, void *                                             \
             : slabkit_linux_cache_create_plain, default                                           \
             : slabkit_linux_cache_create)(name, size, args, __VA_ARGS__)

#define KMEM_CACHE(tag, flags)                                                                     \
    slabkit_linux_cache_create(#tag, sizeof(struct tag), _Alignof(struct tag), flags, NULL)
#define KMEM_CACHE_USERCOPY(tag, flags, field)                                                     \
    slabkit_linux_cache_create_usercopy(#tag, sizeof(struct tag), _Alignof(struct tag), flags,     \
                                        offsetof(struct tag, field),                               \
                                        sizeof(((struct tag *)0)->field), NULL)

#define kmem_cache_create_usercopy slabkit_linux_cache_create_usercopy
#define kmem_cache_destroy         slabkit_linux_cache_destroy
#define kmem_cache_alloc           slabkit_linux_cache_alloc
#define kmem_cache_zalloc          slabkit_linux_cache_zalloc
#define kmem_cache_alloc_node      slabkit_linux_cache_alloc_node
#define kmem_cache_alloc_bulk      slabkit_linux_cache_alloc_bulk
#define kmem_cache_free_bulk       slabkit_linux_cache_free_bulk
#define kfree_bulk(n, objs)        slabkit_linux_cache_free_bulk(NULL, n, objs)

/* ---- blocks ---------------------------------------------------------------------------------- */

#define kmalloc              slabkit_linux_kmalloc
#define kzalloc              slabkit_linux_kzalloc
#define kcalloc              slabkit_linux_kcalloc
#define kmalloc_array        slabkit_linux_kmalloc_array
#define kmalloc_node         slabkit_linux_kmalloc_node
#define kzalloc_node         slabkit_linux_kzalloc_node
#define kcalloc_node         slabkit_linux_kcalloc_node
#define kmalloc_array_node   slabkit_linux_kmalloc_array_node
#define krealloc             slabkit_linux_krealloc
#define krealloc_array       slabkit_linux_krealloc_array
#define kfree                slabkit_linux_kfree
#define kfree_sensitive      slabkit_linux_kfree_sensitive
#define kfree_const          slabkit_linux_kfree
#define ksize                slabkit_linux_ksize
#define kmalloc_size_roundup slabkit_linux_kmalloc_size_roundup

/* Any size has one way of allocation here. */
#define kvmalloc         slabkit_linux_kmalloc
#define kvzalloc         slabkit_linux_kzalloc
#define kvcalloc         slabkit_linux_kcalloc
#define kvmalloc_array   slabkit_linux_kmalloc_array
#define kvmalloc_node    slabkit_linux_kmalloc_node
#define kvzalloc_node    slabkit_linux_kzalloc_node
#define kvrealloc        slabkit_linux_krealloc
#define kvfree           slabkit_linux_kfree
#define kvfree_sensitive slabkit_linux_kvfree_sensitive

/* By variable or type: kmalloc_obj(*p, GFP_KERNEL), kmalloc_objs(struct conn, n, GFP_KERNEL). */
#define kmalloc_obj(of, gfp)     ((__typeof__(of) *)slabkit_linux_kmalloc(sizeof(of), gfp))
#define kzalloc_obj(of, gfp)     ((__typeof__(of) *)slabkit_linux_kzalloc(sizeof(of), gfp))
#define kmalloc_objs(of, n, gfp) ((__typeof__(of) *)slabkit_linux_kmalloc_array(n, sizeof(of), gfp))
#define kzalloc_objs(of, n, gfp) ((__typeof__(of) *)slabkit_linux_kcalloc(n, sizeof(of), gfp))

/* ---- text and copies --------------------------------------------------------------------------- */

#define kstrdup       slabkit_linux_kstrdup
#define kstrdup_const slabkit_linux_kstrdup
#define kstrndup      slabkit_linux_kstrndup
#define kmemdup       slabkit_linux_kmemdup
#define kvmemdup      slabkit_linux_kmemdup
#define kmemdup_array slabkit_linux_kmemdup_array
#define kmemdup_nul   slabkit_linux_kmemdup_nul
#define kasprintf     slabkit_linux_kasprintf
#define kvasprintf    slabkit_linux_kvasprintf

/* ---- pools ------------------------------------------------------------------------------------- */

#define mempool_init                slabkit_mempool_init
#define mempool_exit                slabkit_mempool_exit
#define mempool_create              slabkit_mempool_create
#define mempool_destroy             slabkit_mempool_destroy
#define mempool_resize              slabkit_mempool_resize
#define mempool_alloc               slabkit_mempool_alloc
#define mempool_alloc_preallocated  slabkit_mempool_alloc_preallocated
#define mempool_free                slabkit_mempool_free
#define mempool_alloc_slab          slabkit_mempool_alloc_slab
#define mempool_free_slab           slabkit_mempool_free_slab
#define mempool_kmalloc             slabkit_mempool_kmalloc
#define mempool_kfree               slabkit_mempool_kfree
#define mempool_create_slab_pool    slabkit_mempool_create_slab_pool
#define mempool_create_kmalloc_pool slabkit_mempool_create_kmalloc_pool
#define mempool_init_slab_pool      slabkit_mempool_init_slab_pool
#define mempool_init_kmalloc_pool   slabkit_mempool_init_kmalloc_pool
#define mempool_initialized         slabkit_mempool_initialized

#endif

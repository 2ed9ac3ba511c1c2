/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: under the sanitizers, which bring a malloc of their own, the calls below go to slabkit's
 *       entry points; otherwise to whatever malloc the process has. Include it last.
 */
#ifndef TEST_ORACLE_ENTRY_H
#define TEST_ORACLE_ENTRY_H

#ifdef SLABKIT_NO_REPLACE

#include <stddef.h>

void *slabkit_malloc(size_t size);
void *slabkit_calloc(size_t n, size_t size);
void *slabkit_realloc(void *p, size_t size);
void slabkit_free(void *p);
void slabkit_free_sized(void *p, size_t size);
void slabkit_free_aligned_sized(void *p, size_t align, size_t size);
void *slabkit_aligned_alloc(size_t align, size_t size);
void *slabkit_memalign(size_t align, size_t size);
int slabkit_posix_memalign(void **out, size_t align, size_t size);
size_t slabkit_malloc_usable_size(void *p);
int slabkit_malloc_trim(size_t pad);

#define malloc(size)                     slabkit_malloc(size)
#define calloc(n, size)                  slabkit_calloc(n, size)
#define realloc(p, size)                 slabkit_realloc(p, size)
#define free(p)                          slabkit_free(p)
#define aligned_alloc(align, size)       slabkit_aligned_alloc(align, size)
#define memalign(align, size)            slabkit_memalign(align, size)
#define posix_memalign(out, align, size) slabkit_posix_memalign(out, align, size)
#define malloc_usable_size(p)            slabkit_malloc_usable_size(p)
#define malloc_trim(pad)                 slabkit_malloc_trim(pad)

#endif

#endif

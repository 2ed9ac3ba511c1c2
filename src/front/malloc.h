/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: prototypes of what the front exports, as the C library's headers have them.
 * Below: nothing.
 * Why: not the system's headers: they differ between libraries (free_sized is newer than some), and
 *      their attributes make assumptions about the very functions defined here.
 */
#ifndef SLABKIT_FRONT_MALLOC_H
#define SLABKIT_FRONT_MALLOC_H

#include <stddef.h>
#include <stdio.h>

/* Beside an allocator that must stay (a sanitizer's), the names get a prefix. */
#ifdef SLABKIT_NO_REPLACE
#define malloc             slabkit_malloc
#define free               slabkit_free
#define calloc             slabkit_calloc
#define realloc            slabkit_realloc
#define reallocarray       slabkit_reallocarray
#define aligned_alloc      slabkit_aligned_alloc
#define free_sized         slabkit_free_sized
#define free_aligned_sized slabkit_free_aligned_sized
#define posix_memalign     slabkit_posix_memalign
#define memalign           slabkit_memalign
#define valloc             slabkit_valloc
#define pvalloc            slabkit_pvalloc
#define malloc_usable_size slabkit_malloc_usable_size
#define malloc_trim        slabkit_malloc_trim
#define mallinfo           slabkit_mallinfo
#define mallinfo2          slabkit_mallinfo2
#define malloc_stats       slabkit_malloc_stats
#define malloc_info        slabkit_malloc_info
#define mallopt            slabkit_mallopt
#endif

void *malloc(size_t size);
void free(void *p);
void *calloc(size_t n, size_t size);
void *realloc(void *p, size_t size);
void *reallocarray(void *p, size_t n, size_t size);
void *aligned_alloc(size_t align, size_t size);
void free_sized(void *p, size_t size);
void free_aligned_sized(void *p, size_t align, size_t size);
int posix_memalign(void **out, size_t align, size_t size);
void *memalign(size_t align, size_t size);
void *valloc(size_t size);
void *pvalloc(size_t size);
size_t malloc_usable_size(void *p);

struct mallinfo {
    int arena, ordblks, smblks, hblks, hblkhd, usmblks, fsmblks, uordblks, fordblks, keepcost;
};

struct mallinfo2 {
    size_t arena, ordblks, smblks, hblks, hblkhd, usmblks, fsmblks, uordblks, fordblks, keepcost;
};

int malloc_trim(size_t pad);
struct mallinfo mallinfo(void);
struct mallinfo2 mallinfo2(void);
void malloc_stats(void);
int malloc_info(int options, FILE *out);
int mallopt(int param, int value);

#endif

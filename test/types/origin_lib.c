/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: a library that allocates, for origin.c.
 */
#include <stdlib.h>

void *lib_malloc(size_t size);
void *lib_realloc(void *p, size_t size);

/* Not as the last thing: the call must return to here. */
static void *here(void *p)
{
    __asm__ volatile("" : "+r"(p) : : "memory");
    return p;
}

__attribute__((visibility("default"))) void *lib_malloc(size_t size)
{
    return here(malloc(size));
}

__attribute__((visibility("default"))) void *lib_realloc(void *p, size_t size)
{
    return here(realloc(p, size));
}

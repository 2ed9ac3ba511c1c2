/* SPDX-License-Identifier: BSD-2-Clause */
/* Role: of <stdlib.h>, what our tests use. */
#ifndef KERNEL_LIBC_STDLIB_H
#define KERNEL_LIBC_STDLIB_H

#include <stddef.h>

/* Of whole pages. */
void *calloc(size_t n, size_t bytes);
void *aligned_alloc(size_t align, size_t bytes);
void free(void *p);
int rand_r(unsigned *seed);
_Noreturn void exit(int code);
/* The end of a child, or of the run. */
_Noreturn void abort(void);
unsigned long strtoul(const char *text, char **end, int radix);
unsigned long long strtoull(const char *text, char **end, int radix);
/* There is no environment. */
char *getenv(const char *name);
int atoi(const char *text);
void *bsearch(const void *key, const void *at, size_t n, size_t bytes,
              int (*order)(const void *a, const void *b));
void qsort(void *at, size_t n, size_t bytes, int (*order)(const void *a, const void *b));

#endif

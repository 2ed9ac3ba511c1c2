/* SPDX-License-Identifier: BSD-2-Clause */
/* Role: of <string.h>, what our tests use. */
#ifndef KERNEL_LIBC_STRING_H
#define KERNEL_LIBC_STRING_H

#include <stddef.h>

void *memcpy(void *to, const void *from, size_t n);
void *memmove(void *to, const void *from, size_t n);
void *memset(void *to, int c, size_t n);
int memcmp(const void *a, const void *b, size_t n);
size_t strlen(const char *s);
size_t strnlen(const char *s, size_t n);
int strcmp(const char *a, const char *b);
int strncmp(const char *a, const char *b, size_t n);
char *strstr(const char *text, const char *what);
size_t strspn(const char *text, const char *of);
size_t strcspn(const char *text, const char *of);
char *strchr(const char *text, int c);
char *strrchr(const char *text, int c);
char *strcpy(char *to, const char *from);
/* Of whole pages. */
char *strndup(const char *text, size_t n);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* Role: strings, numbers, sorting, pages from the port's page allocator. */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/bits.h"
#include "plat/kern64/kern64.h"

void *calloc(size_t n, size_t bytes)
{
    size_t pages = (n * bytes + PLAT_PAGE_BYTES - 1) >> PLAT_PAGE_SHIFT;
    uint64_t at = kern64_frames_alloc(sk_log2_ceil(sk_max(pages, 1)), 0);

    return at ? memset(frame_address(at), 0, pages << PLAT_PAGE_SHIFT) : NULL;
}

/* Up to a page's alignment and its own size's. */
void *aligned_alloc(size_t align, size_t bytes)
{
    return calloc(1, bytes > align ? bytes : align);
}

int rand_r(unsigned *seed)
{
    *seed = *seed * 1103515245u + 12345u;
    return (int)(*seed >> 16 & 0x7fff);
}

void free(void *p)
{
    if (p)
        kern64_frames_free((uint64_t)((char *)p - frame_address(0)));
}

int strncmp(const char *a, const char *b, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (a[i] != b[i] || !a[i])
            return (unsigned char)a[i] - (unsigned char)b[i];
    return 0;
}

int strcmp(const char *a, const char *b)
{
    return strncmp(a, b, (size_t)-1);
}

char *strstr(const char *text, const char *what)
{
    for (; *text; text++)
        if (strncmp(text, what, strlen(what)) == 0)
            return (char *)text;
    return *what ? NULL : (char *)text;
}

size_t strspn(const char *text, const char *of)
{
    size_t n = 0;

    while (text[n] && strchr(of, text[n]))
        n++;
    return n;
}

size_t strnlen(const char *s, size_t n)
{
    size_t len = 0;

    while (len < n && s[len])
        len++;
    return len;
}

size_t strcspn(const char *text, const char *of)
{
    size_t n = 0;

    while (text[n] && !strchr(of, text[n]))
        n++;
    return n;
}

char *strcpy(char *to, const char *from)
{
    return memcpy(to, from, strlen(from) + 1);
}

char *strndup(const char *text, size_t n)
{
    size_t len = sk_min(strlen(text), n);
    char *copy = calloc(1, len + 1);

    return copy ? memcpy(copy, text, len) : NULL;
}

char *strrchr(const char *text, int c)
{
    const char *found = NULL;

    for (const char *at = text; (at = strchr(at, c)) != NULL; at++) {
        found = at;
        if (!*at)
            break;
    }
    return (char *)found;
}

char *strchr(const char *text, int c)
{
    for (; *text != (char)c; text++)
        if (!*text)
            return NULL;
    return (char *)text;
}

/* Decimal. */
unsigned long strtoul(const char *text, char **end, int radix)
{
    unsigned long v = 0;

    (void)radix;
    for (; *text >= '0' && *text <= '9'; text++)
        v = v * 10 + (unsigned long)(*text - '0');
    if (end)
        *end = (char *)text;
    return v;
}

unsigned long long strtoull(const char *text, char **end, int radix)
{
    return strtoul(text, end, radix);
}

char *getenv(const char *name)
{
    (void)name;
    return NULL;
}

int atoi(const char *text)
{
    return (int)strtoul(text, NULL, 10);
}

static void swap(char *a, char *b, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++) {
        char c = a[i];

        a[i] = b[i];
        b[i] = c;
    }
}

/* Heap sort: no recursion on a kernel's stack, no bad case. */
static void sift(char *at, size_t i, size_t n, size_t bytes,
                 int (*order)(const void *a, const void *b))
{
    for (size_t child; (child = 2 * i + 1) < n; i = child) {
        if (child + 1 < n && order(at + child * bytes, at + (child + 1) * bytes) < 0)
            child++;
        if (order(at + i * bytes, at + child * bytes) >= 0)
            return;
        swap(at + i * bytes, at + child * bytes, bytes);
    }
}

void *bsearch(const void *key, const void *at, size_t n, size_t bytes,
              int (*order)(const void *a, const void *b))
{
    const char *from = at;

    while (n) {
        const char *middle = from + n / 2 * bytes;
        int way = order(key, middle);

        if (way == 0)
            return (void *)middle;
        from = way > 0 ? middle + bytes : from;
        n = way > 0 ? n - n / 2 - 1 : n / 2;
    }
    return NULL;
}

void qsort(void *at, size_t n, size_t bytes, int (*order)(const void *a, const void *b))
{
    for (size_t i = n / 2; i--;)
        sift(at, i, n, bytes, order);
    while (n > 1) {
        swap(at, (char *)at + --n * bytes, bytes);
        sift(at, 0, n, bytes, order);
    }
}

void *mmap(void *at, size_t bytes, int access, int flags, int fd, long offset)
{
    void *p = plat_map(bytes, PLAT_PAGE_BYTES);

    (void)at;
    (void)access;
    (void)flags;
    (void)fd;
    (void)offset;
    return p ? p : MAP_FAILED;
}

/* What is committed has memory, touched or not. */
int mincore(void *at, size_t bytes, unsigned char *in_core)
{
    for (size_t i = 0; i < bytes >> PLAT_PAGE_SHIFT; i++)
        in_core[i] = kern64_is_backed((char *)at + (i << PLAT_PAGE_SHIFT));
    return 0;
}

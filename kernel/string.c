/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: the functions that the compiler calls by itself in freestanding code.
 * Below: memcpy of the machine, which has memset, too.
 */
#include <stddef.h>

void *memcpy(void *to, const void *from, size_t n);
void *memmove(void *to, const void *from, size_t n);
int memcmp(const void *a, const void *b, size_t n);
size_t strlen(const char *s);

/* Backwards where the begin of `to` lies inside of `from`. */
void *memmove(void *to, const void *from, size_t n)
{
    char *t = to;
    const char *f = from;

    if ((size_t)(t - f) >= n)
        return memcpy(to, from, n);
    while (n--)
        t[n] = f[n];
    return to;
}

int memcmp(const void *a, const void *b, size_t n)
{
    const unsigned char *x = a, *y = b;

    for (size_t i = 0; i < n; i++)
        if (x[i] != y[i])
            return x[i] - y[i];
    return 0;
}

size_t strlen(const char *s)
{
    size_t n = 0;

    while (s[n])
        n++;
    return n;
}

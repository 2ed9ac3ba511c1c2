/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: Linux's copies of text and memory into new blocks.
 * Below: linux.h.
 * Failure: NULL.
 */
#include "compat/linux.h"

#include <stdio.h>
#include <string.h>

SK_EXPORT void *slabkit_linux_kmemdup(const void *p, size_t size, gfp_t gfp)
{
    void *q = slabkit_linux_kmalloc(size, gfp & ~__GFP_ZERO);

    if (q && size)
        memcpy(q, p, size);
    return q;
}

SK_EXPORT char *slabkit_linux_kmemdup_nul(const char *p, size_t n, gfp_t gfp)
{
    char *q;

    if (!p)
        return NULL;
    q = slabkit_linux_kmalloc(n + 1, gfp);
    if (q) {
        memcpy(q, p, n);
        q[n] = 0;
    }
    return q;
}

SK_EXPORT char *slabkit_linux_kstrdup(const char *s, gfp_t gfp)
{
    return s ? slabkit_linux_kmemdup_nul(s, strlen(s), gfp) : NULL;
}

SK_EXPORT char *slabkit_linux_kstrndup(const char *s, size_t n, gfp_t gfp)
{
    return s ? slabkit_linux_kmemdup_nul(s, strnlen(s, n), gfp) : NULL;
}

SK_EXPORT char *slabkit_linux_kvasprintf(gfp_t gfp, const char *format, va_list args)
{
    va_list again;
    char *s = NULL;
    int n;

    va_copy(again, args);
    n = vsnprintf(NULL, 0, format, args);
    if (n >= 0)
        s = slabkit_linux_kmalloc((size_t)n + 1, gfp);
    if (s)
        vsnprintf(s, (size_t)n + 1, format, again);
    va_end(again);
    return s;
}

SK_EXPORT char *slabkit_linux_kasprintf(gfp_t gfp, const char *format, ...)
{
    va_list args;
    char *s;

    va_start(args, format);
    s = slabkit_linux_kvasprintf(gfp, format, args);
    va_end(args);
    return s;
}

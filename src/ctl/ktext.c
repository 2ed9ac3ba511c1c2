/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: text and copies in typed blocks.
 * Below: kmalloc.h; libc's formatting.
 */
#include "base/attrs.h"
#include <slabkit/kmalloc.h>

#include <stdio.h>
#include <string.h>

SK_EXPORT void *kmemdup(const void *p, size_t size, struct malloc_type *type, int flags)
{
    void *q = kmalloc(size, type, flags & ~M_ZERO);

    if (q && size)
        memcpy(q, p, size);
    return q;
}

SK_EXPORT char *kstrndup(const char *s, size_t n, struct malloc_type *type, int flags)
{
    size_t len = strnlen(s, n);
    char *q = kmalloc(len + 1, type, flags & ~M_ZERO);

    if (!q)
        return NULL;
    memcpy(q, s, len);
    q[len] = 0;
    return q;
}

SK_EXPORT char *kstrdup(const char *s, struct malloc_type *type, int flags)
{
    return kmemdup(s, strlen(s) + 1, type, flags);
}

SK_EXPORT char *kvasprintf(struct malloc_type *type, int flags, const char *format, va_list args)
{
    va_list again;
    char *q;
    int len;

    va_copy(again, args);
    len = vsnprintf(NULL, 0, format, again);
    va_end(again);
    q = len < 0 ? NULL : kmalloc((size_t)len + 1, type, flags & ~M_ZERO);
    if (q)
        vsnprintf(q, (size_t)len + 1, format, args);
    return q;
}

SK_EXPORT char *kasprintf(struct malloc_type *type, int flags, const char *format, ...)
{
    va_list args;
    char *q;

    va_start(args, format);
    q = kvasprintf(type, flags, format, args);
    va_end(args);
    return q;
}

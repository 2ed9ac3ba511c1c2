/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: a piece of a text that is not terminated.
 * Below: base/attrs.h.
 */
#ifndef SLABKIT_CTL_SPAN_H
#define SLABKIT_CTL_SPAN_H

#include "base/attrs.h"

struct span {
    const char *at;
    size_t len;
};

/* From s to the next stop byte or the end. */
SK_INLINE struct span span_until(const char *s, char stop)
{
    struct span out = {s, 0};
    while (s[out.len] != '\0' && s[out.len] != stop)
        out.len++;
    return out;
}

SK_INLINE bool span_is(struct span a, const char *s)
{
    for (size_t i = 0; i < a.len; i++)
        if (s[i] != a.at[i]) /* the end of s differs from any byte of a span */
            return false;
    return s[a.len] == '\0';
}

SK_INLINE bool span_has(struct span a, char c)
{
    for (size_t i = 0; i < a.len; i++)
        if (a.at[i] == c)
            return true;
    return false;
}

#endif

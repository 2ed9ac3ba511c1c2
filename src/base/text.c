/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: see text.h.
 * Below: base/attrs.h.
 */
#include "base/text.h"

SK_COLD void text_init(struct text *t, char *buf, size_t bytes)
{
    *t = (struct text){buf, buf, buf + bytes - 1};
}

SK_COLD const char *text_end(struct text *t)
{
    *t->at = 0;
    return t->begin;
}

SK_COLD void text_char(struct text *t, char c)
{
    if (t->at < t->last)
        *t->at++ = c;
}

SK_COLD void text_str(struct text *t, const char *s)
{
    while (*s)
        text_char(t, *s++);
}

SK_COLD void text_digits(struct text *t, uint64_t v, unsigned radix, unsigned width)
{
    char digits[64];
    unsigned n = 0;

    do {
        digits[n++] = "0123456789abcdef"[v % radix];
        v /= radix;
    } while (v || n < width);
    while (n)
        text_char(t, digits[--n]);
}

SK_COLD void text_number(struct text *t, int64_t v)
{
    if (v < 0)
        text_char(t, '-');
    text_digits(t, v < 0 ? 0 - (uint64_t)v : (uint64_t)v, 10, 1);
}

SK_COLD void text_address(struct text *t, const void *p)
{
    text_str(t, "0x");
    text_digits(t, (uintptr_t)p, 16, 1);
}

SK_COLD void text_pad(struct text *t, const char *from, unsigned column)
{
    while (t->at < t->last && t->at < from + column)
        text_char(t, ' ');
}

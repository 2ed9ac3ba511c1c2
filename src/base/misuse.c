/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: see misuse.h.
 * Below: base/attrs.h.
 * Why: no printf: a report must not allocate, and may come before libc is ready.
 */
#include "base/misuse.h"

static const char *const misuse_text[MISUSE_KINDS] = {
#define MISUSE(id, text) [MISUSE_##id] = text,
#include "base/misuse.def"
#undef MISUSE
};

struct line {
    char *at, *end;
};

static void line_char(struct line *l, char c)
{
    if (l->at < l->end)
        *l->at++ = c;
}

static void line_text(struct line *l, const char *s)
{
    while (*s)
        line_char(l, *s++);
}

static void line_number(struct line *l, uint64_t v, unsigned radix)
{
    char digits[24];
    unsigned n = 0;

    do {
        digits[n++] = "0123456789abcdef"[v % radix];
        v /= radix;
    } while (v);
    while (n)
        line_char(l, digits[--n]);
}

static void line_field(struct line *l, char field, const void *p, size_t bytes, const char *name)
{
    switch (field) {
    case 'p':
        line_text(l, "0x");
        line_number(l, (uintptr_t)p, 16);
        break;
    case 'z':
        line_number(l, bytes, 10);
        break;
    default:
        line_text(l, name ? name : "?");
        break;
    }
}

void misuse_format(char line[MISUSE_LINE_BYTES], enum misuse what, const void *p, size_t bytes,
                   const char *name)
{
    struct line l = {line, line + MISUSE_LINE_BYTES - 1};

    line_text(&l, "slabkit: ");
    for (const char *t = misuse_text[what]; *t; t++) {
        if (*t == '%')
            line_field(&l, *++t, p, bytes, name);
        else
            line_char(&l, *t);
    }
    *l.at = 0;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: see misuse.h.
 * Below: base/text.h.
 */
#include "base/misuse.h"
#include "base/text.h"

static const char *const misuse_text[MISUSE_KINDS] = {
#define MISUSE(id, text) [MISUSE_##id] = text,
#include "base/misuse.def"
#undef MISUSE
};

static void put_field(struct text *t, char field, const void *p, size_t bytes, const char *name)
{
    switch (field) {
    case 'p':
        text_address(t, p);
        break;
    case 'z':
        text_digits(t, bytes, 10, 1);
        break;
    default:
        text_str(t, name ? name : "?");
        break;
    }
}

SK_COLD void misuse_format(char line[MISUSE_LINE_BYTES], enum misuse what, const void *p,
                           size_t bytes, const char *name)
{
    struct text t;

    text_init(&t, line, MISUSE_LINE_BYTES);
    text_str(&t, "slabkit: ");
    for (const char *m = misuse_text[what]; *m; m++) {
        if (*m == '%')
            put_field(&t, *++m, p, bytes, name);
        else
            text_char(&t, *m);
    }
    text_end(&t);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: formatted input: numbers (%u with l or z), words left out (%*s), blanks, and text that must be there.
 */
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *blanks_end(const char *text)
{
    return text + strspn(text, " \t\n");
}

/* NULL: there is no number. */
static const char *number_read(const char *text, bool wide, va_list *out)
{
    size_t digits = strspn(text = blanks_end(text), "0123456789");
    unsigned long v = strtoul(text, NULL, 10);

    if (digits == 0)
        return NULL;
    if (wide)
        *va_arg(*out, unsigned long *) = v;
    else
        *va_arg(*out, unsigned *) = (unsigned)v;
    return text + digits;
}

static int scan(const char *text, const char *f, va_list *out)
{
    int found = 0;

    for (; *f; f++) {
        if (*f == ' ') {
            text = blanks_end(text);
        } else if (*f != '%') {
            if (*text++ != *f)
                break;
        } else if (f[1] == '*') {
            text = blanks_end(text);
            text += strcspn(text, " \t\n");
            f += 2;
        } else {
            bool wide = strchr("lz", f[1]) != NULL;

            if ((text = number_read(text, wide, out)) == NULL)
                break;
            f += 1 + wide;
            found++;
        }
    }
    return found;
}

int sscanf(const char *text, const char *format, ...)
{
    va_list out;
    int found;

    va_start(out, format);
    found = scan(text, format, &out);
    va_end(out);
    return found;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: formatted input: numbers (%u, %x with l or z), words left out (%*s), %n, blanks, and text
 *       that must be there.
 */
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

static const char *blanks_end(const char *text)
{
    return text + strspn(text, " \t\n");
}

static unsigned long digits_value(const char *text, size_t n, unsigned radix)
{
    unsigned long v = 0;

    for (; n--; text++)
        v = v * radix + (unsigned long)(*text <= '9' ? *text - '0' : *text - 'a' + 10);
    return v;
}

/* NULL: there is no number. */
static const char *number_read(const char *text, bool wide, bool hex, va_list *out)
{
    size_t digits = strspn(text = blanks_end(text), hex ? "0123456789abcdef" : "0123456789");
    unsigned long v = digits_value(text, digits, hex ? 16 : 10);

    if (digits == 0)
        return NULL;
    if (wide)
        *va_arg(*out, unsigned long *) = v;
    else
        *va_arg(*out, unsigned *) = (unsigned)v;
    return text + digits;
}

static int scan(const char *begin, const char *f, va_list *out)
{
    const char *text = begin;
    int found = 0;

    for (; *f; f++) {
        if (*f == ' ') {
            text = blanks_end(text);
        } else if (*f != '%') {
            if (*text++ != *f)
                break;
        } else if (*++f == '*') {
            text = blanks_end(text);
            text += strcspn(text, " \t\n");
            f++;
        } else if (*f == 'n') {
            *va_arg(*out, int *) = (int)(text - begin);
        } else {
            bool wide = *f == 'l' || *f == 'z';

            f += wide;
            if ((text = number_read(text, wide, *f == 'x', out)) == NULL)
                break;
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
